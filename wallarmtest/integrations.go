package wallarmtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (c *Cloud) integrationRoutes() []route {
	return []route{
		{
			ids: "infrastructure:IN-1", name: "integrations.list", method: http.MethodGet, pattern: "/v2/integration",
			access: accessAdmins, handle: c.listIntegrations,
		},
		{
			ids: "infrastructure:IN-2", name: "integrations.create", method: http.MethodPost, pattern: "/v2/integration",
			writes: true, access: accessAdmins, handle: c.createIntegration,
		},
		{
			ids: "infrastructure:IN-3", name: "integrations.update", method: http.MethodPut, pattern: "/v2/integration/{id}",
			writes: true, access: accessAdmins, handle: c.updateIntegration,
		},
		{
			ids: "infrastructure:IN-4", name: "integrations.delete", method: http.MethodDelete, pattern: "/v2/integration/{id}",
			writes: true, access: accessAdmins, handle: c.deleteIntegration,
		},
		{
			ids: "infrastructure:IN-5", name: "integrations.createTelegram", method: http.MethodPost, pattern: "/v2/integration/telegram",
			writes: true, access: accessAdmins, handle: c.createTelegram,
		},
		{
			ids: "infrastructure:IN-6", name: "integrations.test", method: http.MethodPost, pattern: "/v2/integration/test",
			writes: true, access: accessAdmins, handle: c.testIntegration,
		},
	}
}

// initIntegrations keeps targets and chat data in the state, in clear text:
// Object and Objects show what a client really sent.
func (c *Cloud) initIntegrations() { c.integrations = c.newTable("integrations", "clientid", 3301) }

// targetFields are the members that the target of a type must have, with the
// JSON type of each; a single nameless one stands for a target that is no
// object.
var targetFields = map[string][]targetField{
	"email":           {{"", "strings"}},
	"slack":           {{"", "string"}},
	"ms_teams":        {{"", "string"}},
	"pager_duty":      {{"", "string"}},
	"sumo_logic":      {{"", "string"}},
	"opsgenie":        {{"token", "string"}, {"api", "string"}},
	"insight_connect": {{"token", "string"}, {"api", "string"}},
	"splunk":          {{"token", "string"}, {"api", "string"}},
	"data_dog":        {{"token", "string"}, {"region", "string"}},
	"web_hooks":       {{"url", "string"}},
}

type targetField struct{ name, kind string }

// integrationEvents are all names of events, old ones included.
var integrationEvents = strings.Fields(`siem rules_and_triggers number_of_requests_per_hour security_issue_critical
	security_issue_high security_issue_medium security_issue_low security_issue_info system report_daily report_weekly
	report_monthly aasm_report api_discovery_hourly_changes_report api_discovery_daily_changes_report hit vuln vuln_high scope`)

// listIntegrations answers everything at once, unless the request narrows it
// down with the parameters that only the API Console draws.
func (c *Cloud) listIntegrations(q *call) (reply, error) {
	clientID, err := q.clientParam("clientid", false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 1 << 30, min: 1})
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	enabled := q.params.get("enabled")
	active, isBool := asBool(enabled)
	if enabled != nil && !isBool {
		errs.add("enabled", "must be boolean", enabled)
	}
	var ids []int64
	for _, v := range asList(q.params.get("id")) {
		id, isInt := asInt(v)
		if !isInt {
			errs.add("id", "invalid", v)
		}
		ids = append(ids, id)
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	kind := q.params.get("type")
	rows := slices.DeleteFunc(c.integrations.visible(q), func(o *object) bool {
		return o.int("clientid") != clientID || enabled != nil && o.bool("active") != active ||
			ids != nil && !slices.Contains(ids, o.int("id")) || kind != nil && o.get("type") != kind
	})
	views := []any{}
	for _, o := range offsetPage(rows, limit, offset) {
		views = append(views, integrationView(o).
			set("target", maskedTarget(o.get("target"))).
			setDefault("system_active", true).setDefault("resource_type", "integration"))
	}
	return resultObject("success", views), nil
}

// integrationView is an integration without its target, which is how creates
// and updates answer it.
func integrationView(o *object) *object {
	view := o.clone()
	for _, hidden := range []string{"clientid", "target", "chat_data", "token"} {
		view.del(hidden)
	}
	return view
}

const targetMask = "********"

// maskedTarget hides the texts of a target, but for mail addresses and the
// settings of webhooks.
func maskedTarget(target any) any {
	switch target := target.(type) {
	case string:
		return targetMask
	case *object:
		masked := target.clone()
		for _, name := range []string{"url", "token", "api", "ca_file"} {
			if masked.str(name) != "" {
				masked.set(name, targetMask)
			}
		}
		if headers := masked.object("headers"); headers != nil {
			hidden := obj()
			for _, m := range headers.members {
				hidden.set(m.name, targetMask)
			}
			masked.set("headers", hidden)
		}
		return masked
	}
	return target
}

// createIntegration makes an integration; it takes a second one like the
// first without a word.
func (c *Cloud) createIntegration(q *call) (reply, error) {
	clientID, err := q.clientParam("clientid", true)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	for _, name := range []string{"name", "type", "target"} {
		if q.params.get(name) == nil {
			errs.add(name, "can't be blank")
		}
	}
	kind := q.params.str("type")
	if _, known := targetFields[kind]; !known && q.params.get("type") != nil {
		errs.add("type", "invalid", q.params.get("type"))
	}
	changes := readIntegration(q.params, kind, &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	return c.storeIntegration(q, clientID, kind, changes), nil
}

func (c *Cloud) storeIntegration(q *call, clientID int64, kind string, fields *object) reply {
	author, _ := c.users.get(q.who.userID)
	o := c.integrations.insert(obj(
		"clientid", clientID, "active", true, "name", nil, "type", kind, "created_at", q.now.Unix(), "created_by", author.get("email"),
		"events", []any{},
	).merge(fields))
	q.changed("integrations", "create", nil, integrationView(o))
	return resultObject("success", integrationView(o))
}

// readIntegration validates the members of a create or an update.
func readIntegration(params *object, kind string, errs *fieldErrors) *object {
	changes := obj()
	if v, sent := params.lookup("name"); sent && v != nil {
		name, isString := v.(string)
		switch {
		case !isString:
			errs.add("name", "must be string", v)
		case strings.TrimSpace(name) == "":
			errs.add("name", "can't be blank", v)
		}
		changes.set("name", v)
	}
	if v, sent := params.lookup("active"); sent {
		active, isBool := asBool(v)
		if !isBool {
			errs.add("active", "must be boolean", v)
		}
		changes.set("active", active)
	}
	if v := params.get("target"); v != nil {
		if !validTarget(v, targetFields[kind]) {
			errs.add("target", "invalid")
		}
		changes.set("target", v)
	}
	if v, sent := params.lookup("events"); sent {
		changes.set("events", readEvents(v, errs))
	}
	return changes
}

func validTarget(target any, fields []targetField) bool {
	object, isObject := target.(*object)
	for _, field := range fields {
		value := target
		if field.name != "" {
			if !isObject {
				return false
			}
			value = object.get(field.name)
		}
		if field.kind == "string" {
			if text, isString := value.(string); !isString || strings.TrimSpace(text) == "" {
				return false
			}
			continue
		}
		list, isList := value.([]any)
		if !isList || len(list) == 0 || len(stringsOf(list)) != len(list) {
			return false
		}
	}
	return len(fields) > 0
}

func readEvents(v any, errs *fieldErrors) []any {
	list, isList := v.([]any)
	if !isList {
		errs.add("events", "must be an array", v)
		return nil
	}
	out := []any{}
	for _, e := range list {
		event, isObject := e.(*object)
		if !isObject || !slices.Contains(integrationEvents, event.str("event")) {
			errs.add("events", "invalid", e)
			return nil
		}
		_, activeIsBool := event.get("active").(bool)
		_, headersIsBool := event.get("with_headers").(bool)
		if !activeIsBool || event.get("with_headers") != nil && !headersIsBool {
			errs.add("events", "must be boolean", e)
			return nil
		}
		out = append(out, event)
	}
	return out
}

// updateIntegration changes the members that are sent. The type may be sent
// along, but stays what it is.
func (c *Cloud) updateIntegration(q *call) (reply, error) {
	before, err := c.integrations.byPath(q, "id")
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	if v := q.params.get("type"); v != nil && v != before.get("type") {
		errs.add("type", "invalid", v)
	}
	if v, sent := q.params.lookup("name"); sent && v == nil {
		errs.add("name", "can't be blank")
	}
	changes := readIntegration(q.params, before.str("type"), &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	after := c.integrations.update(before, changes)
	q.changed("integrations", "update", integrationView(before), integrationView(after))
	return resultObject("success", integrationView(after)), nil
}

func (c *Cloud) deleteIntegration(q *call) (reply, error) {
	o, err := c.integrations.byPath(q, "id")
	if err != nil {
		return reply{}, err
	}
	c.integrations.remove(o.int("id"))
	q.changed("integrations", "delete", integrationView(o), nil)
	return bodyOnly(obj("result", "deleted")), nil
}

// createTelegram takes events and state too: the API Console draws them.
func (c *Cloud) createTelegram(q *call) (reply, error) {
	clientID, err := q.clientParam("clientid", true)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	for _, name := range []string{"name", "chat_data"} {
		if q.params.str(name) == "" {
			errs.add(name, "can't be blank")
		}
	}
	params := q.params.clone()
	params.del("target")
	fields := readIntegration(params, "telegram", &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	return c.storeIntegration(q, clientID, "telegram", fields.set("chat_data", q.params.get("chat_data"))), nil
}

// testIntegration sends nothing anywhere: what becomes of the message follows
// from the host of the target. Below .invalid it cannot be resolved, one that
// begins with "timeout." takes too long, all others take the message.
func (c *Cloud) testIntegration(q *call) (reply, error) {
	if _, err := q.clientParam("clientid", true); err != nil {
		return reply{}, err
	}
	kind, target := q.params.str("integration_type"), q.params.get("target")
	fields, known := targetFields[kind]
	var errs fieldErrors
	if !known {
		errs.add("integration_type", "invalid", q.params.get("integration_type"))
	} else if !validTarget(target, fields) {
		errs.add("target", "invalid")
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	for _, text := range targetTexts(target) {
		u, err := url.Parse(text)
		switch {
		case err != nil:
		case strings.HasSuffix(u.Hostname(), ".invalid"):
			return reply{}, errDoc(http.StatusUnprocessableEntity, []any{"host not resolved"})
		case strings.HasPrefix(u.Hostname(), "timeout."):
			return reply{}, errBodyOnly(http.StatusRequestTimeout, "timeout")
		}
	}
	return bodyOnly(obj("result", "success")), nil
}

func targetTexts(target any) []string {
	o, isObject := target.(*object)
	if !isObject {
		return stringsOf(target)
	}
	return []string{o.str("url"), o.str("api")}
}
