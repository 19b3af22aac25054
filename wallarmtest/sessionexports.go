package wallarmtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func (c *Cloud) sessionExportRoutes() []route {
	const list = "/v4/clients/{client_id}/api_sessions/export_configs"
	return []route{
		{
			ids: "infrastructure:SX-1", name: "apisessions.exportConfigs", method: http.MethodGet, pattern: list,
			handle: c.listSessionExports,
		},
		{
			ids: "infrastructure:SX-2", name: "apisessions.createExportConfig", method: http.MethodPost, pattern: list,
			writes: true, handle: c.createSessionExport,
		},
		{
			ids: "infrastructure:SX-3", name: "apisessions.getExportConfig", method: http.MethodGet, pattern: list + "/{id}",
			handle: c.getSessionExport,
		},
		{
			ids: "infrastructure:SX-4", name: "apisessions.updateExportConfig", method: http.MethodPut, pattern: list + "/{id}",
			writes: true, handle: c.updateSessionExport,
		},
		{
			ids: "infrastructure:SX-5", name: "apisessions.deleteExportConfig", method: http.MethodDelete, pattern: list + "/{id}",
			writes: true, handle: c.deleteSessionExport,
		},
	}
}

// listSessionExports answers the client's own configurations, and under
// default those that were put there with "default": true.
func (c *Cloud) listSessionExports(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	lists := map[bool][]any{true: {}, false: {}}
	for _, o := range c.tables["api_session_exports"].visible(q) {
		if o.int("client_id") == clientID {
			lists[o.bool("default")] = append(lists[o.bool("default")], dropMembers(o, "default"))
		}
	}
	return ok(obj("default", lists[true], "custom", lists[false])), nil
}

func (c *Cloud) sessionExport(q *call) (*object, error) {
	return c.clientObject(q, c.tables["api_session_exports"], "id")
}

func (c *Cloud) getSessionExport(q *call) (reply, error) {
	o, err := c.sessionExport(q)
	if err != nil {
		return reply{}, err
	}
	return ok(dropMembers(o, "default")), nil
}

var (
	exportTypes    = strings.Fields("id user credentials role")
	exportContexts = strings.Fields("admin auth register acc_mgmt billing sms ai session")
)

// readExportRule checks a rule. known is the rule with the same point that an
// update replaces; a create has none, insists on sensitive, and writes the
// point as an array of arrays.
func readExportRule(v any, known func(point []any) *object) (*object, string) {
	in, isObject := v.(*object)
	if !isObject {
		return nil, "invalid"
	}
	read := flatPoint
	if known == nil {
		read = flattenPoint
	}
	point, valid := read(in.get("point"))
	if !valid {
		return nil, "invalid"
	}
	rule := obj("point", point, "sensitive", false, "identifier", false, "priority", 0, "type", nil, "context", []any{}, "name", "")
	if known == nil && !in.has("sensitive") {
		return nil, "sensitive required"
	}
	if known != nil {
		rule.merge(known(point))
	}
	for _, m := range in.members {
		sent, _ := m.value.(string)
		_, isBool := m.value.(bool)
		_, isInt := m.value.(int64)
		_, isString := m.value.(string)
		valid := true
		switch m.name {
		case "point":
			continue
		case "sensitive", "identifier":
			valid = isBool
		case "priority":
			valid = isInt
		case "type":
			valid = m.value == nil || slices.Contains(exportTypes, sent)
		case "context":
			for _, e := range asList(m.value) {
				text, _ := e.(string)
				valid = valid && slices.Contains(exportContexts, text)
			}
			m.value = append([]any{}, asList(m.value)...)
		case "name":
			valid = isString
		}
		if !valid {
			return nil, m.name + " invalid"
		}
		rule.set(m.name, m.value)
	}
	return rule, ""
}

// readSessionExport checks what a create or an update sends.
func (c *Cloud) readSessionExport(q *call, clientID int64, before *object) (*object, error) {
	out, errs := obj(), fieldErrors{}
	var known func([]any) *object
	if before != nil {
		known = func(point []any) *object {
			var found *object
			eachObjectIn(before, "rules", func(rule *object) bool {
				if jsonEqual(rule.get("point"), point) {
					found = rule
				}
				return found == nil
			})
			return found
		}
	}
	sent, has := q.params.lookup("rules")
	list, isList := sent.([]any)
	switch {
	case !has && before == nil:
		errs.add("rules", "required")
	case has && !isList:
		errs.add("rules", "must be an array", sent)
	case has:
		rules := []any{}
		for _, e := range list {
			rule, message := readExportRule(e, known)
			if message != "" {
				errs.add("rules", message, e)
				break
			}
			rules = append(rules, rule)
		}
		out.set("rules", rules)
	}
	if q.params.has("conditions") {
		out.set("conditions", readEndpointConditions(q.params, false, &errs))
	}
	action := c.actionOf(q, clientID, &errs)
	if err := errs.err(); err != nil {
		return nil, err
	}
	switch {
	case action != nil:
		out.set("action_id", action.get("id")).set("conditions", action.get("conditions"))
	case before == nil || out.has("conditions"):
		made := c.findOrCreateAction(clientID, out.array("conditions"))
		out.set("action_id", made.get("id")).set("conditions", made.get("conditions"))
	}
	return out, nil
}

// actionOf is the scope that the request names by its id, nil if none.
func (c *Cloud) actionOf(q *call, clientID int64, errs *fieldErrors) *object {
	v := q.params.get("action_id")
	if v == nil {
		return nil
	}
	id, _ := asInt(v)
	action, found := c.actions.get(id)
	if !found || action.int("clientid") != clientID {
		errs.add("action_id", "invalid", v)
		return nil
	}
	return action
}

func (c *Cloud) createSessionExport(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	sent, err := c.readSessionExport(q, clientID, nil)
	if err != nil {
		return reply{}, err
	}
	now := isoOffset(c.Now())
	o := c.tables["api_session_exports"].insert(obj("client_id", clientID, "created_at", now, "updated_at", now).merge(sent))
	q.changed("api_session_exports", "create", nil, o)
	return ok(o), nil
}

func isoOffset(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }

func (c *Cloud) updateSessionExport(q *call) (reply, error) {
	o, err := c.sessionExport(q)
	if err != nil {
		return reply{}, err
	}
	sent, err := c.readSessionExport(q, o.int("client_id"), o)
	if err != nil {
		return reply{}, err
	}
	changed := c.tables["api_session_exports"].update(o, sent.set("updated_at", isoOffset(c.Now())))
	q.changed("api_session_exports", "update", o, changed)
	return ok(dropMembers(changed, "default")), nil
}

func (c *Cloud) deleteSessionExport(q *call) (reply, error) {
	o, err := c.sessionExport(q)
	if err != nil {
		return reply{}, err
	}
	c.tables["api_session_exports"].remove(o.int("id"))
	q.changed("api_session_exports", "delete", o, nil)
	return ok(dropMembers(o, "default")), nil
}
