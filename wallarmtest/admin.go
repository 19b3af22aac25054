package wallarmtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// DefaultPassword is the password of every user who was not made with
// another one.
const DefaultPassword = "test-password-1A"

// adminState is what the administration of an account works on, beside the
// tables of clients and users.
type adminState struct {
	tokens        *table // API tokens, without their values
	links         *table // partner to client
	groups        *table // tenant groups, without their members
	subscriptions *table
	invitations   *table
	activity      *table

	held      map[int64]*heldToken
	members   map[int64][]int64 // tenant group to client ids, ascending
	passwords map[int64]string  // by user
}

func (c *Cloud) initAdmin() {
	c.admin = adminState{
		tokens:        c.newTable("api_tokens", "client_id", 31001),
		links:         c.newTable("partner_links", "", 9001),
		groups:        c.newTable("tenant_groups", "", 1201),
		subscriptions: c.newTable("subscriptions", "client_id", 301),
		invitations:   c.newTable("invitations", "client_id", 501),
		// Above 2^53, as the ids of real events.
		activity:  c.newTable("activity", "client_id", 9007199254740993),
		held:      map[int64]*heldToken{},
		members:   map[int64][]int64{},
		passwords: map[int64]string{},
	}
	c.observers = append(c.observers, c.recordActivity)
	keepMap(c, "group_members", func() map[int64][]int64 { return c.admin.members }, func(v any) []int64 {
		ids := []int64{}
		for _, e := range asList(v) {
			ids = append(ids, readInt(e))
		}
		return ids
	})
	keepMap(c, "passwords", func() map[int64]string { return c.admin.passwords }, readString)
	c.keep("held_tokens", c.saveHeldTokens, c.loadHeldTokens)
}

func (c *Cloud) adminRoutes() []route {
	return slices.Concat(
		c.userAdminRoutes(), c.clientRoutes(), c.partnerRoutes(), c.tokenRoutes(), c.activityRoutes(),
	)
}

// partner refuses everyone but global administrators, and returns the main
// account that they administer.
func (q *call) partner() (int64, error) {
	if !q.who.global() || !q.who.atLeast(accessAdmins) {
		return 0, errForbidden()
	}
	return q.who.clientID, nil
}

// pathPartner reads a partner id from the path; another one is not found.
func (q *call) pathPartner() (int64, error) {
	own, err := q.partner()
	if err != nil {
		return 0, err
	}
	if id, err := q.pathInt("partner_id"); err != nil || id != own {
		return 0, errNotFound()
	}
	return own, nil
}

func (who *identity) atLeast(need access) bool {
	return slices.ContainsFunc(who.permissions, func(role string) bool { return level(role) >= need })
}

// mayGive tells whether the caller may hand out a permission: none that is
// wider than its own.
func (who *identity) mayGive(role string) bool {
	if strings.HasPrefix(role, "partner_") && !who.global() && !who.has("superadmin") {
		return false
	}
	return who.atLeast(level(role))
}

// milliISO is the form of times of the newer routes.
func milliISO(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// wantTexts checks that the members are texts, and not empty where they are
// required.
func wantTexts(o *object, errs *fieldErrors, required bool, names ...string) {
	for _, name := range names {
		v, sent := o.lookup(name)
		s, isString := v.(string)
		switch {
		case !sent || v == nil:
			if required {
				errs.add(name, "required")
			}
		case !isString:
			errs.add(name, "must be string", v)
		case required && strings.TrimSpace(s) == "":
			errs.add(name, "can't be blank", v)
		}
	}
}

// wantBools checks that the members are booleans where they are sent.
func wantBools(o *object, errs *fieldErrors, names ...string) {
	for _, name := range names {
		if v, sent := o.lookup(name); sent {
			if _, isBool := v.(bool); !isBool {
				errs.add(name, "must be boolean", v)
			}
		}
	}
}

// wantOneOf checks that the members have one of the values where they are sent.
func wantOneOf(o *object, errs *fieldErrors, name string, values ...string) {
	if v, sent := o.lookup(name); sent {
		if s, isString := v.(string); !isString || !slices.Contains(values, s) {
			errs.add(name, "invalid", v)
		}
	}
}

// pickMembers copies the members with these names.
func pickMembers(o *object, names ...string) *object {
	out := obj()
	for _, m := range o.members {
		if slices.Contains(names, m.name) {
			out.set(m.name, m.value)
		}
	}
	return out
}

// updateFields reads the fields of an update by filter.
func updateFields(q *call) (*object, error) {
	fields, isObject := q.params.get("fields").(*object)
	if !isObject {
		if v := q.params.get("fields"); v != nil {
			return nil, errField("fields", "invalid", v)
		}
		return nil, errField("fields", "required")
	}
	return fields, nil
}

// idsOf returns the ids of rows.
func idsOf(rows []*object) []any {
	out := make([]any, len(rows))
	for i, o := range rows {
		out[i] = o.get("id")
	}
	return out
}

var errTaken = errText(http.StatusConflict, "Already exists")
