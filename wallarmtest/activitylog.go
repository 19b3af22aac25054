package wallarmtest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (c *Cloud) activityRoutes() []route {
	return []route{
		{
			ids: "accounts:AL-1", name: "activity.filters", method: http.MethodGet,
			pattern: "/v1/activity_log/events_get_filters", handle: c.activityFilters,
		},
		{
			ids: "accounts:AL-2", name: "activity.list", method: http.MethodGet,
			pattern: "/v1/activity_log/{client_id}/events", handle: c.listActivity,
		},
		{
			ids: "accounts:AL-3", name: "activity.get", method: http.MethodGet,
			pattern: "/v1/activity_log/{client_id}/events/{id}", handle: c.getActivity,
		},
	}
}

// activityType is a kind of object in the log: its label for people and its
// value for filters. Only the values client, user and api_token are attested.
type activityType struct{ label, value string }

// activityTypes are the kinds of objects by the names of their tables; others
// are labelled after the table.
var activityTypes = map[string]activityType{
	"clients":       {"Client", "client"},
	"users":         {"User", "user"},
	"api_tokens":    {"API token", "api_token"},
	"invitations":   {"Invitation", "invitation"},
	"subscriptions": {"Subscription", "subscription"},
	"applications":  {"Application", "application"},
	"integrations":  {"Integration", "integration"},
	"nodes":         {"Node", "node"},
	"triggers":      {"Trigger", "trigger"},
	"rules":         {"Rule", "rule"},
	"rule_settings": {"Rule settings", "rule_settings"},
	"api_specs":     {"API spec", "api_spec"},
	"attacks":       {"Attack", "attack"},
	"ip_rules":      {"IP list object", "ip_list_object"},
}

var activityActions = []activityType{
	{"Create", "create"}, {"Update", "update"}, {"Delete", "delete"}, {"Mode change", "mode_change"},
}

var (
	activityOutcomes = []string{"success", "failure"}
	activitySources  = []string{"unknown", "ui_page", "node", "api_token"}
)

// most events that the log keeps: a sandbox may run for long.
const activityKept = 20000

func typeOf(kind string) activityType {
	if t, known := activityTypes[kind]; known {
		return t
	}
	text := strings.TrimSuffix(strings.ReplaceAll(kind, "_", " "), "s")
	return activityType{strings.ToUpper(text[:1]) + text[1:], strings.ReplaceAll(text, " ", "_")}
}

// recordActivity notes a change. Handlers call it with the state lock held
// exclusively.
func (c *Cloud) recordActivity(q *call, ch change) {
	subject := ch.after
	if subject == nil {
		subject = ch.before
	}
	if subject == nil {
		return
	}
	kind, action := typeOf(ch.kind), ch.action
	for _, a := range activityActions {
		if a.value == ch.action {
			action = a.label
		}
	}
	source := "ui_page"
	if q.who.credential.token != "" {
		source = "api_token"
	}
	user, _ := c.users.get(q.who.userID)
	event := obj(
		"time", q.now.Unix(), "action_type", action, "object_type", kind.label,
		"object_type_info", obj("label", kind.label, "value", kind.value),
		"outcome", "success", "source", source, "client_id", c.clientOf(q, ch.kind, subject),
		"initiator", obj("id", q.who.userID, "client_id", q.who.clientID, "name", user.get("realname")),
		"object_id", nil, "object", obj("name", nameOf(subject), "info", ""), "description", nil,
	)
	if id := subject.get("id"); id != nil {
		event.set("object_id", strings.Trim(string(appendJSON(nil, id)), `"`))
	}
	fields, diff := difference(ch.before, ch.after)
	event.set("changed_fields", fields).set("diff", diff)
	if ch.before != nil {
		event.set("state_before_action", ch.before)
	}
	if ch.after != nil {
		event.set("state_after_action", ch.after)
	}
	log := c.admin.activity
	log.insert(event)
	if len(log.order) > activityKept {
		// In large steps, since each shifts the rest.
		for _, id := range log.order[:activityKept/4] {
			delete(log.rows, id)
		}
		log.order = slices.Delete(log.order, 0, activityKept/4)
	}
}

// clientOf is the client in whose log a change stands. That of a client itself
// stands in the log of whoever made it.
func (c *Cloud) clientOf(q *call, kind string, o *object) int64 {
	if kind == "clients" {
		return q.who.clientID
	}
	return cmp.Or(o.int("clientid"), o.int("client_id"), q.who.clientID)
}

func nameOf(o *object) string {
	for _, name := range []string{"name", "realname", "title", "hostname", "username"} {
		if s := o.str(name); s != "" {
			return s
		}
	}
	return ""
}

// difference lists the members that a change touched.
func difference(before, after *object) ([]any, *object) {
	fields, diff := []any{}, obj()
	if before == nil || after == nil {
		return fields, diff
	}
	for _, m := range after.members {
		if old := before.get(m.name); !jsonEqual(old, m.value) {
			fields = append(fields, m.name)
			diff.set(m.name, obj("old", old, "new", m.value))
		}
	}
	for _, m := range before.members {
		if !after.has(m.name) {
			fields = append(fields, m.name)
			diff.set(m.name, obj("old", m.value, "new", nil))
		}
	}
	return fields, diff
}

// activityFilters answers without a status.
func (c *Cloud) activityFilters(*call) (reply, error) {
	pairs := func(types []activityType) []any {
		out := []any{}
		for _, t := range types {
			out = append(out, obj("label", t.label, "value", t.value))
		}
		return out
	}
	types := make([]activityType, 0, len(activityTypes))
	for _, t := range activityTypes {
		types = append(types, t)
	}
	slices.SortFunc(types, func(a, b activityType) int { return strings.Compare(a.label, b.label) })
	return bodyOnly(obj(
		"object_types", pairs(types), "action_types", pairs(activityActions),
		"outcomes", anyList(activityOutcomes), "sources", anyList(activitySources),
	)), nil
}

// activityColumns compare the values that stand behind the labels.
var activityColumns = columns[*object]{
	"object_types": {kind: stringColumn, one: func(o *object) value {
		if info := o.object("object_type_info"); info != nil {
			return stringOf(info.str("value"))
		}
		return snake(o.str("object_type"))
	}},
	"action_types": {kind: stringColumn, one: func(o *object) value { return snake(o.str("action_type")) }},
	"outcomes":     memberColumn("outcome", stringColumn),
	"sources":      memberColumn("source", stringColumn),
	"actor_ids":    memberColumn("initiator.id", intColumn),
}

func snake(label string) value {
	return stringOf(strings.ReplaceAll(strings.ToLower(label), " ", "_"))
}

// activityOrder breaks ties by id, so that a page never depends on chance.
func activityOrder(desc bool) func(a, b *object) int {
	return func(a, b *object) int {
		if desc {
			a, b = b, a
		}
		return cmp.Or(cmp.Compare(a.int("time"), b.int("time")), cmp.Compare(a.int("id"), b.int("id")))
	}
}

func (c *Cloud) listActivity(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	selected, err := q.filterObject(false)
	if err != nil {
		return reply{}, err
	}
	selected = selected.clone()
	bounds := span{openFrom, openTo}
	var errs fieldErrors
	for name, bound := range map[string]*int64{"time_start": &bounds.from, "time_end": &bounds.to} {
		if v, sent := selected.lookup(name); sent {
			n, isInt := asInt(v)
			if !isInt {
				errs.add("filter."+name, "invalid", v)
			}
			*bound = n
			selected.del(name)
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	f, err := activityColumns.compile(selected)
	if err != nil {
		return reply{}, err
	}
	ordering, err := orderBy(q, map[string]func(*object) value{
		"timestamp": func(o *object) value { return intOf(o.int("time")) },
	}, "timestamp", true)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 50})
	if err != nil {
		return reply{}, err
	}
	rows := slices.DeleteFunc(c.admin.activity.visible(q), func(o *object) bool {
		return o.int("client_id") != clientID || !bounds.contains(o.int("time")) || !f.match(o)
	})
	slices.SortFunc(rows, activityOrder(ordering.desc))
	return objectsOnly(offsetPage(rows, limit, offset)), nil
}

// getActivity answers a single event in the envelope of the list.
func (c *Cloud) getActivity(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	if _, err := strconv.ParseUint(q.path["id"], 10, 64); err != nil {
		return reply{}, errNotFound()
	}
	event, err := c.admin.activity.byPath(q, "id")
	if err != nil || event.int("client_id") != clientID {
		return reply{}, errNotFound()
	}
	return objectsOnly([]any{event}), nil
}
