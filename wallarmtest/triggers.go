package wallarmtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func (c *Cloud) triggerRoutes() []route {
	return []route{
		{
			// The list writes: it may be the first to see that a client has no trigger.
			ids: "infrastructure:TR-1", name: "triggers.list", method: http.MethodGet, pattern: "/v2/clients/{client_id}/triggers",
			writes: true, access: accessAdmins, handle: c.listTriggers,
		},
		{
			ids: "infrastructure:TR-2", name: "triggers.create", method: http.MethodPost, pattern: "/v2/clients/{client_id}/triggers",
			writes: true, access: accessAdmins, handle: c.createTrigger,
		},
		{
			ids: "infrastructure:TR-3", name: "triggers.replace", method: http.MethodPut, pattern: "/v2/clients/{client_id}/triggers/{id}",
			writes: true, access: accessAdmins, handle: c.replaceTrigger,
		},
		{
			ids: "infrastructure:TR-4", name: "triggers.delete", method: http.MethodDelete, pattern: "/v2/clients/{client_id}/triggers/{id}",
			writes: true, access: accessAdmins, handle: c.deleteTrigger,
		},
	}
}

func (c *Cloud) initTriggers() {
	c.triggers = c.newTable("triggers", "client_id", 90210)
	c.defaultTriggers = map[int64]int64{}
	keepMap(c, "default_triggers", func() map[int64]int64 { return c.defaultTriggers }, readInt)
}

// triggerTemplate says what a kind of trigger takes.
type triggerTemplate struct {
	needsThreshold, noThreshold bool
	// count and period are the threshold that the template proposes, if any.
	count, period int64
	filters       string
	actions       string
}

const (
	attackFilters = "ip_address pool attack_type domain target response_status"
	bruteFilters  = "ip_address pool domain url hint_tag"
	blocking      = "send_notification block_ips add_to_graylist"
)

var triggerTemplates = map[string]triggerTemplate{
	"user_created":            {noThreshold: true, actions: "send_notification"},
	"attacks_exceeded":        {needsThreshold: true, count: 10, period: 3600, filters: attackFilters, actions: "send_notification"},
	"hits_exceeded":           {needsThreshold: true, count: 10, period: 3600, filters: attackFilters, actions: "send_notification"},
	"incidents_exceeded":      {needsThreshold: true, count: 1, period: 3600, filters: attackFilters, actions: "send_notification"},
	"vector_attack":           {needsThreshold: true, count: 3, period: 3600, filters: attackFilters, actions: blocking},
	"bruteforce_started":      {needsThreshold: true, count: 30, period: 30, filters: bruteFilters, actions: blocking + " mark_as_brute"},
	"forced_browsing_started": {count: 30, period: 30, filters: bruteFilters, actions: blocking + " mark_as_brute"},
	"bola_search_started":     {count: 30, period: 30, filters: bruteFilters, actions: blocking},
	"blacklist_ip_added":      {filters: "ip_address pool", actions: "send_notification"},
	"api_structure_changed":   {filters: "pool domain change_type pii", actions: "send_notification"},
	"rogue_api_detected":      {filters: "deviation_type api_spec_ids", actions: "send_notification"},
	"compromised_logins":      {filters: "pool domain", actions: blocking},
	"attack_ip_grouping":      {actions: "group_attack_by_ip"},
}

// triggerFilterIDs are the names of filters; those in integerFilters take
// integers, response_status both, the others texts.
var (
	triggerFilterIDs = strings.Fields(`ip_address pool attack_type domain url target response_status hint_tag pii change_type
		deviation_type api_spec_ids`)
	integerFilters = []string{"pool", "api_spec_ids"}
)

func (c *Cloud) listTriggers(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	denormalize, _ := asBool(q.params.get("denormalize"))
	c.settleDefaultTrigger(clientID)
	views := []any{}
	for _, o := range c.triggers.visible(q) {
		if o.int("client_id") == clientID {
			views = append(views, triggerView(o, denormalize))
		}
	}
	return named("triggers", views), nil
}

// triggerView repeats the threshold in the places where answers have it.
func triggerView(o *object, denormalize bool) *object {
	view := o.clone()
	filters := slices.Clone(o.array("filters"))
	thresholds := []any{}
	if threshold := o.object("threshold"); threshold != nil {
		filters = append(filters, obj(
			"id", "threshold", "operator", "gt",
			"values", []any{obj("count", threshold.get("count"), "period", threshold.get("period"))},
		))
		thresholds = append(thresholds, threshold)
	} else {
		view.set("threshold", obj())
	}
	view.set("filters", filters).set("thresholds", thresholds)
	if denormalize {
		view.set("template", templateView(o.str("template_id")))
	}
	return view
}

func templateView(id string) *object {
	template := triggerTemplates[id]
	filters, actions := []any{}, []any{}
	for name := range strings.FieldsSeq(template.filters) {
		filters = append(filters, obj(
			"id", name, "required", false, "values", []any{}, "allowed_operators", []any{"eq", "ne"}, "operator", "eq",
		))
	}
	for name := range strings.FieldsSeq(template.actions) {
		actions = append(actions, obj("id", name, "params", obj()))
	}
	view := obj("id", id, "filters", filters)
	if template.period > 0 {
		view.set("threshold", obj("allowed_operators", []any{"gt"}, "operator", "gt", "period", template.period, "count", template.count))
	}
	return view.set("actions", actions)
}

func (c *Cloud) createTrigger(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	fields, err := readTrigger(q)
	if err != nil {
		return reply{}, err
	}
	created := q.now.UTC().Format(time.RFC3339)
	o := c.triggers.insert(obj("client_id", clientID).merge(fields).set("created_at", created).set("updated_at", created))
	c.settleDefaultTrigger(clientID)
	q.changed("triggers", "create", nil, o)
	return named("trigger", triggerView(o, true)), nil
}

// replaceTrigger makes the trigger what the request says, whatever it was.
func (c *Cloud) replaceTrigger(q *call) (reply, error) {
	before, err := c.triggerByPath(q)
	if err != nil {
		return reply{}, err
	}
	fields, err := readTrigger(q)
	if err != nil {
		return reply{}, err
	}
	after := c.triggers.update(before, fields.set("updated_at", q.now.UTC().Format(time.RFC3339)))
	q.changed("triggers", "update", before, after)
	return named("trigger", triggerView(after, true)), nil
}

func (c *Cloud) deleteTrigger(q *call) (reply, error) {
	o, err := c.triggerByPath(q)
	if err != nil {
		return reply{}, err
	}
	c.triggers.remove(o.int("id"))
	if c.defaultTriggers[o.int("client_id")] == o.int("id") {
		c.defaultTriggers[o.int("client_id")] = defaultTriggerRefused
	}
	c.settleDefaultTrigger(o.int("client_id"))
	q.changed("triggers", "delete", o, nil)
	return statusOnly(), nil
}

func (c *Cloud) triggerByPath(q *call) (*object, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return nil, err
	}
	o, err := c.triggers.byPath(q, "id")
	if err != nil || o.int("client_id") != clientID {
		return nil, errNotFound()
	}
	return o, nil
}

// defaultTriggerRefused stands in place of the id of a default trigger that
// its client has deleted.
const defaultTriggerRefused = -1

// settleDefaultTrigger gives a client its default trigger: addresses that
// send more than three payloads in an hour go to the gray list for an hour.
// It disappears when the client has a trigger of this kind of its own, and
// comes back after the last of them.
func (c *Cloud) settleDefaultTrigger(clientID int64) {
	id := c.defaultTriggers[clientID]
	custom := c.triggers.find(func(o *object) bool {
		return o.int("client_id") == clientID && o.str("template_id") == "vector_attack" && o.int("id") != id
	})
	switch {
	case custom != nil:
		c.triggers.remove(id)
		c.defaultTriggers[clientID] = 0
	case id == 0:
		created := c.Now().UTC().Format(time.RFC3339)
		o := c.triggers.insert(obj(
			"client_id", clientID, "template_id", "vector_attack", "name", "Default trigger", "comment", nil, "enabled", true,
			"filters", []any{}, "actions", []any{obj("id", "add_to_graylist", "params", obj("lock_time", 3600))},
			"threshold", obj("operator", "gt", "period", 3600, "count", 3), "created_at", created, "updated_at", created,
		))
		c.defaultTriggers[clientID] = o.int("id")
	}
}

// readTrigger validates the trigger of a request.
func readTrigger(q *call) (*object, error) {
	params := q.params.object("trigger")
	if params == nil {
		return nil, errField("trigger", "required")
	}
	var errs fieldErrors
	id := params.str("template_id")
	template, known := triggerTemplates[id]
	switch {
	case params.get("template_id") == nil:
		errs.add("template_id", "can't be blank")
	case !known:
		errs.add("template_id", "invalid", params.get("template_id"))
	}
	if name, isString := params.get("name").(string); !isString || strings.TrimSpace(name) == "" {
		errs.add("name", "can't be blank", params.get("name"))
	}
	comment := params.get("comment")
	if _, isString := comment.(string); comment != nil && !isString {
		errs.add("comment", "must be string", comment)
	}
	enabled := true
	if v, sent := params.lookup("enabled"); sent {
		isBool := false
		if enabled, isBool = asBool(v); !isBool {
			errs.add("enabled", "must be boolean", v)
		}
	}
	fields := obj(
		"template_id", id, "name", params.get("name"), "comment", comment, "enabled", enabled,
		"filters", readTriggerFilters(params, &errs),
		"actions", readTriggerActions(params, &errs),
		"threshold", readThreshold(params.get("threshold"), template, &errs),
	)
	return fields, errs.err()
}

func readThreshold(v any, template triggerTemplate, errs *fieldErrors) any {
	threshold, isObject := v.(*object)
	switch {
	case v == nil || isObject && len(threshold.members) == 0:
		if template.needsThreshold {
			errs.add("threshold", "required")
		}
		return nil
	case template.noThreshold:
		errs.add("threshold", "must be absent", v)
		return nil
	case !isObject:
		errs.add("threshold", "invalid", v)
		return nil
	}
	inner := new(fieldErrors)
	for least, name := range []string{"count", "period"} {
		n, isInt := threshold.get(name).(int64)
		if !isInt || n < int64(least) {
			inner.add(name, "invalid", threshold.get(name))
		}
	}
	if operator := threshold.get("operator"); operator != nil && operator != "gt" {
		inner.add("operator", "invalid", operator)
	}
	errs.nest("threshold", inner)
	return obj("operator", "gt", "period", threshold.get("period"), "count", threshold.get("count"))
}

func readTriggerFilters(params *object, errs *fieldErrors) []any {
	v, sent := params.lookup("filters")
	list, isList := v.([]any)
	if sent && v != nil && !isList {
		errs.add("filters", "must be an array", v)
		return nil
	}
	out := []any{}
	for _, e := range list {
		filter, isObject := e.(*object)
		if !isObject || !validTriggerFilter(filter) {
			errs.add("filters", "invalid", e)
			return nil
		}
		out = append(out, filter)
	}
	return out
}

// validTriggerFilter refuses the threshold too, which answers show as if it
// were a filter.
func validTriggerFilter(filter *object) bool {
	id, operator := filter.str("id"), filter.str("operator")
	values, isList := filter.get("values").([]any)
	if !slices.Contains(triggerFilterIDs, id) || operator != "eq" && operator != "ne" || !isList {
		return false
	}
	return !slices.ContainsFunc(values, func(v any) bool {
		_, isInt := v.(int64)
		_, isString := v.(string)
		switch {
		case id == "response_status":
			return !isInt && !isString
		case slices.Contains(integerFilters, id):
			return !isInt
		case id == "ip_address" && isString:
			return strings.Contains(v.(string), "/")
		}
		return !isString
	})
}

func readTriggerActions(params *object, errs *fieldErrors) []any {
	list, isList := params.get("actions").([]any)
	if !isList {
		errs.add("actions", "must be an array", params.get("actions"))
		return nil
	}
	out := []any{}
	for _, e := range list {
		action, isObject := e.(*object)
		if !isObject || !validTriggerAction(action) {
			errs.add("actions", "invalid", e)
			return nil
		}
		out = append(out, action)
	}
	return out
}

func validTriggerAction(action *object) bool {
	params, isObject := action.get("params").(*object)
	if !isObject && action.get("params") != nil {
		return false
	}
	switch action.str("id") {
	case "send_notification":
		ids, isList := params.get("integration_ids").([]any)
		return isList && !slices.ContainsFunc(ids, func(v any) bool {
			_, isInt := v.(int64)
			return !isInt
		})
	case "block_ips", "add_to_graylist":
		seconds, isInt := params.get("lock_time").(int64)
		return isInt && seconds > 0
	case "mark_as_brute", "group_attack_by_ip":
		return params == nil || !params.has("lock_time")
	}
	return false
}
