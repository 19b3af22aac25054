package wallarmtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// credential is a way in: an API token, or a legacy uuid and secret.
type credential struct {
	token    string // "" for a legacy pair
	uuid     string
	secret   string
	userID   int64
	clientID int64
	// permissions are the role names of the token; nil means those of its user.
	permissions []string
	disabled    bool
	expires     time.Time // zero: never
}

// identity is who makes a call.
type identity struct {
	cloud       *Cloud
	credential  *credential
	userID      int64
	clientID    int64
	permissions []string
}

// sees tells whether the caller may see a client: its own, and for the
// global roles also the tenants below it.
func (who *identity) sees(clientID int64) bool {
	if clientID == who.clientID || who.has("superadmin") {
		return true
	}
	return who.global() && who.cloud.parents[clientID] == who.clientID
}

func (who *identity) has(role string) bool { return slices.Contains(who.permissions, role) }

func (who *identity) global() bool {
	return slices.ContainsFunc(who.permissions, func(role string) bool {
		return strings.HasPrefix(role, "partner_")
	})
}

// extended tells whether the caller has one of the extended administrator
// roles, which a few rule types want.
func (who *identity) extended() bool {
	return slices.ContainsFunc(who.permissions, func(role string) bool {
		return strings.HasSuffix(role, "_ext") || role == "superadmin"
	})
}

// access is who may call a route. The zero value means: reads for every
// role, writes for administrators.
type access uint8

const (
	accessDefault  access = iota
	accessAnyone          // every authenticated caller, whatever its role
	accessReaders         // everyone who may look at data
	accessAnalysts        // analysts and administrators
	accessAdmins          // administrators
	accessExtended        // extended administrators
	accessDeploy          // administrators and the deployment role
)

// level ranks the roles of accounts.md section 3.6.
func level(role string) access {
	role = strings.TrimPrefix(role, "partner_")
	switch role {
	case "superadmin", "admin_ext":
		return accessExtended
	case "admin":
		return accessAdmins
	case "analytic":
		return accessAnalysts
	case "auditor":
		return accessReaders
	}
	return accessAnyone
}

func (who *identity) may(r *route) bool {
	need := r.access
	if need == accessDefault {
		need = accessReaders
		if r.writes {
			need = accessAdmins
		}
	}
	return slices.ContainsFunc(who.permissions, func(role string) bool {
		if need == accessDeploy {
			return role == "deploy" || level(role) >= accessAdmins
		}
		return level(role) >= need
	})
}

// authenticate finds the caller by either scheme. Header names are
// case-insensitive by nature; the token is taken under both of its names.
// The state lock is held.
func (c *Cloud) authenticate(h http.Header) *identity {
	var cred *credential
	for _, name := range []string{"X-WallarmApi-Token", "WallarmApi-Token"} {
		if token := strings.TrimSpace(h.Get(name)); token != "" && cred == nil {
			cred = c.credentials["token "+token]
		}
	}
	if uuid := h.Get("X-WallarmAPI-UUID"); cred == nil && uuid != "" {
		pair := c.credentials["uuid "+uuid]
		if pair != nil && pair.secret == h.Get("X-WallarmAPI-Secret") {
			cred = pair
		}
	}
	if cred == nil || cred.disabled || !cred.expires.IsZero() && c.Now().After(cred.expires) {
		return nil
	}
	user, found := c.users.get(cred.userID)
	if cred.userID != 0 && (!found || !user.bool("enabled")) {
		return nil
	}
	if client, known := c.clients.get(cred.clientID); !known || !client.bool("enabled") {
		return nil
	}
	permissions := cred.permissions
	if permissions == nil {
		permissions = stringsOf(user.get("permissions"))
	}
	return &identity{
		cloud: c, credential: cred, userID: cred.userID, clientID: cred.clientID, permissions: permissions,
	}
}

// addCredential makes a credential valid. The state lock is held.
func (c *Cloud) addCredential(cred *credential) {
	c.credentials[cred.key()] = cred
}

// removeCredential makes a credential worthless. The state lock is held.
func (c *Cloud) removeCredential(cred *credential) {
	if c.credentials[cred.key()] == cred {
		delete(c.credentials, cred.key())
	}
}

func (cred *credential) key() string {
	if cred.token != "" {
		return "token " + cred.token
	}
	return "uuid " + cred.uuid
}

func (c *Cloud) saveCredentials() any {
	list := []any{}
	for _, key := range slices.Sorted(maps.Keys(c.credentials)) {
		list = append(list, c.credentials[key].saved())
	}
	return list
}

func (c *Cloud) loadCredentials(v any) {
	clear(c.credentials)
	for _, e := range asList(v) {
		o, _ := e.(*object)
		c.addCredential(credentialOf(o))
	}
}

func (cred *credential) saved() *object {
	o := obj(
		"token", cred.token, "uuid", cred.uuid, "secret", cred.secret, "user_id", cred.userID,
		"client_id", cred.clientID, "permissions", nil, "disabled", cred.disabled, "expires", savedTime(cred.expires),
	)
	if cred.permissions != nil {
		o.set("permissions", anyList(cred.permissions))
	}
	return o
}

func credentialOf(o *object) *credential {
	cred := &credential{
		token: o.str("token"), uuid: o.str("uuid"), secret: o.str("secret"), userID: o.int("user_id"),
		clientID: o.int("client_id"), disabled: o.bool("disabled"), expires: timeOf(o.get("expires")),
	}
	if o.get("permissions") != nil {
		cred.permissions = append([]string{}, stringsOf(o.get("permissions"))...)
	}
	return cred
}
