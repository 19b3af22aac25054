package wallarmtest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

func (c *Cloud) tokenRoutes() []route {
	const tokens = "/v2/api_tokens"
	return []route{
		{
			ids: "accounts:TK-1", name: "tokens.list", method: http.MethodGet, pattern: tokens,
			access: accessAnalysts, handle: c.listTokens,
		},
		{
			ids: "accounts:TK-2", name: "tokens.create", method: http.MethodPost, pattern: tokens,
			writes: true, access: accessAnalysts, handle: c.createToken,
		},
		{
			ids: "accounts:TK-3", name: "tokens.get", method: http.MethodGet, pattern: tokens + "/{id}",
			access: accessAnalysts, handle: c.getToken,
		},
		{
			ids: "accounts:TK-4", name: "tokens.update", method: http.MethodPut, pattern: tokens + "/{id}",
			writes: true, access: accessAnalysts, handle: c.updateToken,
		},
		{
			ids: "accounts:TK-5", name: "tokens.delete", method: http.MethodDelete, pattern: tokens + "/{id}",
			writes: true, access: accessAnalysts, handle: c.deleteToken,
		},
		{
			ids: "accounts:TK-6", name: "tokens.reveal", method: http.MethodGet, pattern: tokens + "/{id}/secret",
			access: accessAnalysts, handle: c.revealToken,
		},
		{
			ids: "accounts:TK-7", name: "tokens.renew", method: http.MethodPost, pattern: tokens + "/{id}/secret",
			writes: true, access: accessAnalysts, handle: c.renewToken,
		},
	}
}

// heldToken is what a token's record does not show.
type heldToken struct {
	cred *credential
	// disabled is when the token was disabled; it is deleted a week later.
	disabled time.Time
}

func (c *Cloud) saveHeldTokens() any {
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(c.admin.held)) {
		held := c.admin.held[id]
		o := obj("id", id, "disabled", savedTime(held.disabled), "credential", nil)
		if held.cred != nil {
			o.set("credential", held.cred.saved())
		}
		list = append(list, o)
	}
	return list
}

// loadHeldTokens follows on loadCredentials: a credential that is valid is
// the very one that is held.
func (c *Cloud) loadHeldTokens(v any) {
	clear(c.admin.held)
	for _, e := range asList(v) {
		o, _ := e.(*object)
		held := &heldToken{disabled: timeOf(o.get("disabled"))}
		if saved := o.object("credential"); saved != nil {
			held.cred = credentialOf(saved)
			if valid := c.credentials[held.cred.key()]; valid != nil {
				held.cred = valid
			}
		}
		c.admin.held[o.int("id")] = held
	}
}

const disabledTokenLife = 7 * 24 * time.Hour

// listToken makes the record of a credential that was seeded. The state lock
// is held.
func (c *Cloud) listToken(token Token, cred *credential) {
	owner, found := c.users.get(cred.userID)
	permissions := cred.permissions
	if permissions == nil && found {
		permissions = stringsOf(owner.get("permissions"))
	}
	o := tokenRecord(cred.clientID, cmp.Or(token.Name, "token"), permissions, c.Now())
	if found && !token.Shared {
		o.set("user_id", cred.userID).set("user_realname", owner.get("realname"))
	}
	if !token.Expires.IsZero() {
		o.set("expire_at", milliISO(token.Expires))
	}
	held := &heldToken{cred: cred}
	if token.Disabled {
		o.set("enabled", false)
		held.disabled = c.Now()
	}
	c.admin.held[c.admin.tokens.insert(o).int("id")] = held
}

// unlistToken drops the record of a token by its value. The state lock is
// held.
func (c *Cloud) unlistToken(value string) {
	for id, held := range c.admin.held {
		if held.cred != nil && held.cred.token == value {
			delete(c.admin.held, id)
			c.admin.tokens.remove(id)
		}
	}
}

// addLegacyToken makes the backward-compatible token of a legacy pair, whose
// value is good in the token header too. The state lock is held.
func (c *Cloud) addLegacyToken(user *object) {
	cred := &credential{
		token: fmt.Sprintf("test-token-legacy-%d", user.int("id")), userID: user.int("id"), clientID: user.int("clientid"),
	}
	c.addCredential(cred)
	o := tokenRecord(cred.clientID, "legacy", nil, c.Now()).set("legacy", true).set("token_generated_at", nil).
		set("user_id", cred.userID).set("user_realname", user.get("realname"))
	c.admin.held[c.admin.tokens.insert(o).int("id")] = &heldToken{cred: cred}
}

func tokenRecord(clientID int64, name string, permissions []string, now time.Time) *object {
	return obj(
		"client_id", clientID, "user_id", nil, "user_realname", nil, "realname", name, "enabled", true,
		"permissions", anyList(permissions), "create_at", milliISO(now), "expire_at", nil,
		"token_generated_at", milliISO(now), "legacy", false,
	)
}

// expiry is when a token expires, the zero time if never.
func expiry(o *object) time.Time {
	t, err := time.Parse(time.RFC3339, o.str("expire_at"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// tokenState tells whether a token works, and whether it is there at all: one
// that expires is disabled, and one that is disabled is deleted in a week.
func (c *Cloud) tokenState(o *object) (enabled, there bool) {
	disabled := c.admin.held[o.int("id")].since(o)
	if expires := expiry(o); !expires.IsZero() && !c.Now().Before(expires) && (disabled.IsZero() || expires.Before(disabled)) {
		disabled = expires
	}
	return disabled.IsZero(), disabled.IsZero() || c.Now().Before(disabled.Add(disabledTokenLife))
}

// since is when the token was disabled. A record that was put into the state
// as JSON is held by nothing.
func (h *heldToken) since(o *object) time.Time {
	switch {
	case h != nil:
		return h.disabled
	case o.bool("enabled"):
		return time.Time{}
	}
	created, err := time.Parse(time.RFC3339, o.str("create_at"))
	if err != nil {
		return time.Unix(0, 0)
	}
	return created
}

func (c *Cloud) tokenView(o *object) *object {
	enabled, _ := c.tokenState(o)
	return o.clone().set("enabled", enabled)
}

// seesToken tells whether the caller may know of a token: administrators of
// all, others of their own.
func (q *call) seesToken(o *object) bool {
	return q.who.sees(o.int("client_id")) && (q.who.atLeast(accessAdmins) || q.ownsToken(o))
}

func (q *call) ownsToken(o *object) bool {
	return o.get("user_id") != nil && o.int("user_id") == q.who.userID
}

// listTokens takes its filter as a query or as the JSON body of the GET.
func (c *Cloud) listTokens(q *call) (reply, error) {
	selected, err := q.filterObject(false)
	if err != nil {
		return reply{}, err
	}
	selected = selected.clone()
	for _, name := range []string{"clientid", "client_id"} {
		if v, sent := selected.lookup(name); sent {
			selected.del(name)
			selected.set("client_id", v)
		}
	}
	if selected.get("client_id") == nil {
		return reply{}, errField("filter.clientid", "required")
	}
	if err := q.checkOwner(selected, "client_id", true); err != nil {
		return reply{}, err
	}
	f, err := objectColumns("client_id:int user_id:int enabled:bool realname:string").compile(selected)
	if err != nil {
		return reply{}, err
	}
	rows := []*object{}
	for _, o := range c.admin.tokens.visible(q) {
		if _, there := c.tokenState(o); !there || !q.seesToken(o) {
			continue
		}
		if o = c.tokenView(o); f.match(o) {
			rows = append(rows, o)
		}
	}
	return ok(rows), nil
}

// token finds the token in the path.
func (c *Cloud) token(q *call) (*object, error) {
	o, err := c.admin.tokens.byPath(q, "id")
	if err != nil {
		return nil, err
	}
	if _, there := c.tokenState(o); !there || !q.seesToken(o) {
		return nil, errNotFound()
	}
	return o, nil
}

func (c *Cloud) getToken(q *call) (reply, error) {
	o, err := c.token(q)
	if err != nil {
		return reply{}, err
	}
	return ok(c.tokenView(o)), nil
}

// checkTokenFields puts plain texts beside objects into one map of errors, as
// the API does.
func (c *Cloud) checkTokenFields(q *call, errs *fieldErrors) *object {
	fields := pickMembers(q.params, "realname", "enabled", "expire_at", "permissions")
	if fields.has("realname") {
		wantTexts(fields, errs, true, "realname")
	}
	wantBools(fields, errs, "enabled")
	if v := fields.get("expire_at"); v != nil {
		t, err := time.Parse(time.RFC3339, fields.str("expire_at"))
		if err != nil || !t.After(q.now) {
			errs.add("expire_at", "invalid", v)
		}
		fields.set("expire_at", milliISO(t))
	}
	if v, sent := fields.lookup("permissions"); sent {
		names := stringsOf(v)
		if len(names) == 0 || len(names) != len(asList(v)) {
			errs.addText("permissions", "invalid")
		}
		for _, name := range names {
			if !q.who.mayGive(name) {
				errs.addText("permissions", "not allowed")
			}
		}
	}
	return fields
}

// createToken makes a personal token, or without an owner a shared one, which
// is for administrators to make.
func (c *Cloud) createToken(q *call) (reply, error) {
	var errs fieldErrors
	fields := c.checkTokenFields(q, &errs)
	if !fields.has("realname") {
		errs.add("realname", "required")
	}
	if !fields.has("permissions") {
		errs.addText("permissions", "required")
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	clientID, err := q.clientParam("client_id", false)
	if err != nil {
		return reply{}, err
	}
	admin := q.who.atLeast(accessAdmins)
	o := tokenRecord(clientID, "", nil, q.now).merge(fields)
	cred := &credential{
		token: c.hex(64), userID: q.who.userID, clientID: clientID, permissions: stringsOf(fields.get("permissions")), expires: expiry(o),
	}
	if v := q.params.get("user_id"); v != nil {
		id, _ := asInt(v)
		owner, found := c.users.get(id)
		switch {
		case !found || owner.int("clientid") != clientID && id != q.who.userID:
			return reply{}, errField("user_id", "invalid", v)
		case id != q.who.userID && !admin:
			return reply{}, errForbidden()
		}
		cred.userID = id
		o.set("user_id", id).set("user_realname", owner.get("realname"))
	} else if !admin {
		return reply{}, errForbidden()
	}
	held := &heldToken{cred: cred}
	if !o.bool("enabled") {
		held.disabled, cred.disabled = q.now, true
	}
	c.addCredential(cred)
	o = c.admin.tokens.insert(o)
	c.admin.held[o.int("id")] = held
	q.changed("api_tokens", "create", nil, o)
	return ok(c.tokenView(o)), nil
}

// updateToken wants a new expiry for a token that is to work again.
func (c *Cloud) updateToken(q *call) (reply, error) {
	before, err := c.token(q)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	fields := c.checkTokenFields(q, &errs)
	enabled, _ := c.tokenState(before)
	if before.bool("legacy") && fields.has("permissions") {
		errs.addText("permissions", "not allowed")
	}
	if !enabled && fields.bool("enabled") && fields.get("expire_at") == nil {
		errs.add("expire_at", "required")
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	after := c.admin.tokens.update(c.tokenView(before), fields)
	held := c.admin.held[after.int("id")]
	if held == nil {
		held = &heldToken{cred: &credential{}}
		c.admin.held[after.int("id")] = held
	}
	held.cred.expires = expiry(after)
	if fields.has("permissions") {
		held.cred.permissions = stringsOf(fields.get("permissions"))
	}
	switch {
	case after.bool("enabled"):
		held.disabled = time.Time{}
	case held.disabled.IsZero():
		held.disabled = q.now
	}
	held.cred.disabled = !after.bool("enabled")
	q.changed("api_tokens", "update", before, after)
	return ok(c.tokenView(after)), nil
}

// deleteToken answers the token that is gone.
func (c *Cloud) deleteToken(q *call) (reply, error) {
	o, err := c.token(q)
	if err != nil {
		return reply{}, err
	}
	view := c.tokenView(o)
	c.removeToken(o)
	q.changed("api_tokens", "delete", o, nil)
	return ok(view), nil
}

func (c *Cloud) removeToken(o *object) {
	if held := c.admin.held[o.int("id")]; held != nil {
		c.removeCredential(held.cred)
		if o.bool("legacy") {
			c.removeLegacyPair(held.cred.userID)
		}
	}
	delete(c.admin.held, o.int("id"))
	c.admin.tokens.remove(o.int("id"))
}

// removeLegacyPair ends the uuid and secret of a user.
func (c *Cloud) removeLegacyPair(userID int64) {
	if user, found := c.users.get(userID); found {
		delete(c.credentials, "uuid "+user.str("uuid"))
	}
}

// disableTokensOf disables the tokens of a user, as disabling the user does.
func (c *Cloud) disableTokensOf(userID int64) {
	for _, o := range c.admin.tokens.all() {
		held := c.admin.held[o.int("id")]
		if held == nil || o.get("user_id") == nil || o.int("user_id") != userID || !held.disabled.IsZero() {
			continue
		}
		held.disabled, held.cred.disabled = c.Now(), true
		c.admin.tokens.update(o, obj("enabled", false))
	}
}

// heldValue finds a token whose value the caller may know: the owner's own,
// and for administrators the shared ones.
func (c *Cloud) heldValue(q *call) (*object, *heldToken, error) {
	o, err := c.token(q)
	if err != nil {
		return nil, nil, err
	}
	shared := o.get("user_id") == nil && q.who.atLeast(accessAdmins)
	if !shared && !q.ownsToken(o) {
		return nil, nil, errForbidden()
	}
	held := c.admin.held[o.int("id")]
	if held == nil || held.cred.token == "" {
		return nil, nil, errNotFound()
	}
	return o, held, nil
}

func (c *Cloud) revealToken(q *call) (reply, error) {
	_, held, err := c.heldValue(q)
	if err != nil {
		return reply{}, err
	}
	return ok(obj("secret", held.cred.token)), nil
}

// renewToken ends the former value; that of a legacy token ends the legacy
// pair with it.
func (c *Cloud) renewToken(q *call) (reply, error) {
	before, held, err := c.heldValue(q)
	if err != nil {
		return reply{}, err
	}
	renewed := *held.cred
	renewed.token = c.hex(64)
	c.removeCredential(held.cred)
	c.addCredential(&renewed)
	held.cred = &renewed
	if before.bool("legacy") {
		c.removeLegacyPair(renewed.userID)
	}
	after := c.admin.tokens.update(before, obj("token_generated_at", milliISO(q.now)))
	q.changed("api_tokens", "update", before, after)
	return ok(obj("secret", renewed.token, "token_generated_at", after.get("token_generated_at"))), nil
}
