package wallarmtest

import (
	"net/http"
	"time"
)

func (c *Cloud) userRoutes() []route {
	return []route{
		{
			ids: "accounts:AU-1", name: "users.me", method: http.MethodPost, pattern: "/v1/user",
			writes: true, access: accessAnyone, handle: c.currentUser,
		},
		{
			ids: "accounts:AU-2", name: "users.renewSecret", method: http.MethodPost, pattern: "/v1/user/renew_secret",
			writes: true, access: accessAnyone, handle: c.renewSecret,
		},
	}
}

// currentUser answers the user behind the credentials. It spells two members
// otherwise than the user lists: client_id, and create_at as a date. A body
// with user data turns the call into a write, hence the exclusive lock.
func (c *Cloud) currentUser(q *call) (reply, error) {
	user, found := c.users.get(q.who.userID)
	if !found {
		return reply{}, errNotFound()
	}
	for _, name := range []string{"realname", "notifications"} {
		if v := q.params.get(name); v != nil {
			before := user
			user = c.users.update(user, obj(name, v))
			q.changed("users", "update", before, user)
		}
	}
	client, _ := c.clients.get(q.who.clientID)
	view := obj("id", user.get("id"), "uuid", user.get("uuid"),
		"client_id", q.who.clientID, "client_name", client.get("name"))
	for _, m := range user.members {
		switch m.name {
		case "clientid":
		case "create_at":
			view.set(m.name, time.Unix(user.int(m.name), 0).UTC().Format(time.RFC3339))
		default:
			view.setDefault(m.name, m.value)
		}
	}
	view.set("permissions", anyList(q.who.permissions))
	return ok(view), nil
}

// renewSecret makes a new legacy secret for the caller; the former one is
// worthless from then on.
func (c *Cloud) renewSecret(q *call) (reply, error) {
	user, found := c.users.get(q.who.userID)
	if !found {
		return reply{}, errNotFound()
	}
	secret := c.hex(40)
	c.addCredential(&credential{
		uuid: user.str("uuid"), secret: secret, userID: q.who.userID, clientID: q.who.clientID,
	})
	return ok(obj("uuid", user.get("uuid"), "secret", secret)), nil
}
