package wallarmtest

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
)

func (c *Cloud) userAdminRoutes() []route {
	return []route{
		{
			ids: "accounts:US-1", name: "users.list", method: http.MethodPost, pattern: "/v1/objects/user",
			handle: c.listUsers,
		},
		{
			ids: "accounts:US-2", name: "users.create", method: http.MethodPost, pattern: "/v1/objects/user/create",
			writes: true, handle: c.createUser,
		},
		{
			ids: "accounts:US-3", name: "users.update", method: http.MethodPost, pattern: "/v1/objects/user/update",
			writes: true, handle: c.updateUsers,
		},
		{
			ids: "accounts:US-4", name: "users.delete", method: http.MethodPost, pattern: "/v1/objects/user/delete",
			writes: true, handle: c.deleteUsers,
		},
		{
			ids: "accounts:US-5", name: "users.search", method: http.MethodGet, pattern: "/v2/clients/{client_id}/users",
			handle: c.searchUsers,
		},
		{
			ids: "accounts:US-6", name: "users.count", method: http.MethodGet, pattern: "/v2/clients/{client_id}/users/count",
			handle: c.countUsers,
		},
		{
			ids: "accounts:US-7", name: "users.invite", method: http.MethodPost, pattern: "/v2/user/invitation",
			writes: true, handle: c.inviteUser,
		},
		{
			ids: "accounts:AU-3", name: "users.resetSecret", method: http.MethodPost, pattern: "/v2/user/{user_id}/secret-reset",
			writes: true, handle: c.resetSecret,
		},
	}
}

var (
	userColumns = objectColumns("id:int clientid:int uuid:string username:string email:string")
	userOrder   = objectOrder("id clientid uuid username email realname")
)

// userListColumns are those of the list alone.
func userListColumns() columns[*object] {
	cols := columns[*object]{}
	for name, col := range userColumns {
		cols[name] = col
	}
	for _, topic := range []string{"report_daily", "report_weekly", "report_monthly", "create_user", "vuln"} {
		cols["notification_"+topic] = column[*object]{kind: stringColumn, each: func(o *object, yield func(value) bool) {
			channels := o.object("notifications").object(topic)
			for _, channel := range []string{"email", "sms"} {
				if channels.bool(channel) && !yield(stringOf(channel)) {
					return
				}
			}
		}}
	}
	return cols
}

// matchesText tells whether free text finds a user.
func matchesText(user *object, text string) bool {
	text = strings.ToLower(text)
	for _, name := range []string{"username", "email", "realname", "uuid"} {
		if strings.Contains(strings.ToLower(user.str(name)), text) {
			return true
		}
	}
	return false
}

// listUsers takes free text out of the filter: no column compares like that.
func (c *Cloud) listUsers(q *call) (reply, error) {
	selected, err := q.filterObject(true)
	if err != nil {
		return reply{}, err
	}
	selected = selected.clone()
	find, avoid := selected.str("query"), selected.str("!query")
	selected.del("query")
	selected.del("!query")
	q.params = q.params.clone().set("filter", selected)
	rows, err := c.users.list(q, listing{
		columns: userListColumns(), order: userOrder, orderBy: "id", paging: paging{limit: 100}, filterRequired: true,
		hide: func(_ *call, o *object) bool {
			return find != "" && !matchesText(o, find) || avoid != "" && matchesText(o, avoid)
		},
	})
	return ok(rows), err
}

// searchUsers is the newer list, of one client.
func (c *Cloud) searchUsers(q *call) (reply, error) {
	rows, err := c.usersOf(q)
	if err != nil {
		return reply{}, err
	}
	ordering, err := orderBy(q, userOrder, "id", false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100})
	if err != nil {
		return reply{}, err
	}
	ordering.sort(rows)
	return ok(offsetPage(rows, limit, offset)), nil
}

func (c *Cloud) countUsers(q *call) (reply, error) {
	rows, err := c.usersOf(q)
	if err != nil {
		return reply{}, err
	}
	active := 0
	for _, o := range rows {
		if o.bool("enabled") {
			active++
		}
	}
	return ok(obj("active", active, "inactive", len(rows)-active, "total", len(rows))), nil
}

// usersOf are the users of the client in the path that query and active
// select.
func (c *Cloud) usersOf(q *call) ([]*object, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return nil, err
	}
	active, isBool := asBool(q.params.get("active"))
	if v := q.params.get("active"); v != nil && !isBool {
		return nil, errField("active", "must be boolean", v)
	}
	text := q.params.str("query")
	return slices.DeleteFunc(c.users.visible(q), func(o *object) bool {
		return o.int("clientid") != clientID || isBool && o.bool("enabled") != active || text != "" && !matchesText(o, text)
	}), nil
}

// checkUserFields checks what creating and changing a user have in common.
func (c *Cloud) checkUserFields(q *call, fields *object) error {
	var errs fieldErrors
	wantTexts(fields, &errs, false, "phone", "timezone", "job_title", "default_pool", "password")
	wantBools(fields, &errs, "enabled", "sso_allow_auth_by_api_credentials")
	if password, sent := fields.lookup("password"); sent && password != nil && !goodPassword(fields.str("password")) {
		errs.add("password", "invalid", password)
	}
	if v, sent := fields.lookup("results_per_page"); sent {
		if _, isInt := v.(int64); !isInt {
			errs.add("results_per_page", "invalid", v)
		}
	}
	for _, name := range []string{"notifications", "search_templates"} {
		if v, sent := fields.lookup(name); sent && v != nil && fields.object(name) == nil {
			errs.add(name, "invalid", v)
		}
	}
	if v, sent := fields.lookup("permissions"); sent {
		roles := stringsOf(v)
		if list, isList := v.([]any); !isList || len(list) != 1 || len(roles) != 1 || roles[0] == "" {
			errs.add("permissions", "invalid", v)
		} else if !q.who.mayGive(roles[0]) {
			return errForbidden()
		}
	}
	return errs.err()
}

// goodPassword is the documented policy.
func goodPassword(password string) bool {
	return len(password) >= 8 && strings.ContainsFunc(password, unicode.IsDigit) &&
		strings.ContainsFunc(password, unicode.IsLower) && strings.ContainsFunc(password, unicode.IsUpper)
}

func (c *Cloud) createUser(q *call) (reply, error) {
	var errs fieldErrors
	wantTexts(q.params, &errs, true, "username", "email", "realname")
	if !q.params.has("permissions") {
		errs.add("permissions", "required")
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	if err := c.checkUserFields(q, q.params); err != nil {
		return reply{}, err
	}
	clientID, err := q.clientParam("clientid", false)
	if err != nil {
		return reply{}, err
	}
	if c.users.find(func(o *object) bool {
		return strings.EqualFold(o.str("username"), q.params.str("username")) || strings.EqualFold(o.str("email"), q.params.str("email"))
	}) != nil {
		return reply{}, errTaken
	}
	user := c.insertUser(User{
		ClientID: clientID, Email: q.params.str("email"), Realname: q.params.str("realname"),
		Permissions: stringsOf(q.params.get("permissions")),
	})
	changes := pickMembers(q.params, "username", "phone", "enabled", "notifications", "job_title")
	user = c.users.update(user, changes.set("validated", false).set("create_by", q.who.userID))
	if password := q.params.str("password"); password != "" {
		c.admin.passwords[user.int("id")] = password
	}
	q.changed("users", "create", nil, user)
	return ok(user), nil
}

// changing are the users that a write by filter touches. Free text and
// notifications do not select there, and the order knows fewer columns.
func (c *Cloud) changing(q *call, order string) ([]*object, error) {
	return c.users.list(q, listing{
		columns: userColumns, order: objectOrder(order), orderBy: "id", paging: paging{limit: 100},
		filterRequired: true, writes: true,
	})
}

// updateUsers ignores fields that it does not know, the address among them.
func (c *Cloud) updateUsers(q *call) (reply, error) {
	fields, err := updateFields(q)
	if err != nil {
		return reply{}, err
	}
	if err := c.checkUserFields(q, fields); err != nil {
		return reply{}, err
	}
	if v, sent := fields.lookup("clientid"); sent {
		id, isInt := asInt(v)
		if !isInt {
			return reply{}, errField("clientid", "invalid", v)
		}
		if !q.who.sees(id) {
			return reply{}, errForbidden()
		}
	}
	rows, err := c.changing(q, "id clientid uuid")
	if err != nil {
		return reply{}, err
	}
	changes := pickMembers(fields, "phone", "realname", "permissions", "clientid", "timezone", "job_title", "results_per_page",
		"default_pool", "enabled", "notifications", "search_templates", "sso_allow_auth_by_api_credentials")
	if fields.str("password") != "" {
		changes.set("password_changed", q.now.Unix())
	}
	changed := make([]*object, len(rows))
	for i, before := range rows {
		changed[i] = c.users.update(before, changes)
		id := before.int("id")
		if password := fields.str("password"); password != "" {
			c.admin.passwords[id] = password
		}
		if before.bool("enabled") && !changed[i].bool("enabled") {
			c.disableTokensOf(id)
		}
		q.changed("users", "update", before, changed[i])
	}
	return ok(changed), nil
}

func (c *Cloud) deleteUsers(q *call) (reply, error) {
	rows, err := c.changing(q, "id clientid uuid username email realname")
	if err != nil {
		return reply{}, err
	}
	for _, user := range rows {
		c.removeUser(user)
		q.changed("users", "delete", user, nil)
	}
	return ok(idsOf(rows)), nil
}

// removeUser removes a user with all credentials.
func (c *Cloud) removeUser(user *object) {
	id := user.int("id")
	c.users.remove(id)
	delete(c.admin.passwords, id)
	for _, token := range c.admin.tokens.all() {
		if token.int("user_id") == id {
			c.removeToken(token)
		}
	}
	for key, cred := range c.credentials {
		if cred.userID == id {
			delete(c.credentials, key)
		}
	}
}

// inviteUser answers without an envelope.
func (c *Cloud) inviteUser(q *call) (reply, error) {
	var errs fieldErrors
	ttl, isInt := asInt(q.params.get("ttl"))
	switch {
	case !q.params.has("ttl"):
		errs.add("ttl", "required")
	case !isInt || ttl <= 0:
		errs.add("ttl", "invalid", q.params.get("ttl"))
	}
	roles := stringsOf(q.params.get("permissions"))
	if len(roles) == 0 {
		errs.add("permissions", "required")
	}
	if v, sent := q.params.lookup("auto_group"); sent {
		if group := q.params.object("auto_group"); group == nil || len(stringsOf(group.get("roles"))) == 0 {
			errs.add("auto_group", "invalid", v)
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	for _, role := range roles {
		if !q.who.mayGive(role) {
			return reply{}, errForbidden()
		}
	}
	clientID, err := q.clientParam("client_id", false)
	if err != nil {
		return reply{}, err
	}
	secret := c.hex(64)
	made := c.admin.invitations.insert(obj("client_id", clientID, "invitation", secret, "ttl", ttl, "create_at", q.now.Unix()).
		merge(pickMembers(q.params, "permissions", "limit", "email", "group_ids", "auto_group")))
	shown := made.clone()
	shown.del("invitation")
	q.changed("invitations", "create", nil, shown)
	return bare(obj("invitation", secret)), nil
}

// resetSecret wants the password of the caller, not that of the user.
func (c *Cloud) resetSecret(q *call) (reply, error) {
	user, err := c.users.byPath(q, "user_id")
	if err != nil {
		return reply{}, err
	}
	password, known := c.admin.passwords[q.who.userID]
	if !known {
		password = DefaultPassword
	}
	switch {
	case !q.params.has("password"):
		return reply{}, errField("password", "required")
	case q.params.str("password") != password:
		return reply{}, errField("password", "wrong password")
	}
	secret := c.hex(40)
	c.addCredential(&credential{
		uuid: user.str("uuid"), secret: secret, userID: user.int("id"), clientID: user.int("clientid"),
	})
	return ok(obj("secret", secret)), nil
}
