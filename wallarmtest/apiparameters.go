package wallarmtest

import (
	"slices"
	"strings"
	"time"
)

// apiParameter is the parameter that the path names, of the endpoint there.
func (c *Cloud) apiParameter(q *call) (*object, error) {
	endpoint, err := c.apiEndpoint(q, "endpoint_id")
	if err != nil {
		return nil, err
	}
	parameter, err := c.tables["api_parameters"].byPath(q, "id")
	if err != nil {
		return nil, err
	}
	if parameter.int("endpoint_id") != endpoint.int("id") {
		return nil, errNotFound()
	}
	return parameter, nil
}

func parameterView(o *object) *object { return dropMembers(o, "clientid", "endpoint_id") }

var parameterFilters = columns[*object]{"actual": flagColumn("actual"), "hidden": flagColumn("hidden")}

func (c *Cloud) listAPIParameters(q *call) (reply, error) {
	endpoint, err := c.apiEndpoint(q, "endpoint_id")
	if err != nil {
		return reply{}, err
	}
	filter, err := q.filterObject(false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100, max: 1000, min: 1})
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	since, states := readModification(filter, &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	selected, err := parameterFilters.compile(dropMembers(filter, "modification_since", "modification_state"))
	if err != nil {
		return reply{}, err
	}
	rows := []*object{}
	for _, o := range c.tables["api_parameters"].visible(q) {
		state := modificationState(o, since)
		if o.int("endpoint_id") == endpoint.int("id") && selected.match(o) && (len(states) == 0 || slices.Contains(states, state)) {
			rows = append(rows, parameterView(o).set("modification_state", state))
		}
	}
	return ok(offsetPage(rows, limit, offset)), nil
}

// parameterFields are the members that callers write: their values, or nil
// for any text.
var parameterFields = []struct {
	name     string
	required bool
	values   []string
}{
	{"context", true, strings.Fields("path query header cookie body")},
	{"openapi_type", true, strings.Fields("string number integer boolean array object")},
	{"openapi_format", false, nil},
	{"name", false, nil},
	{"pattern", false, nil},
	{"pattern_name", false, strings.Fields("int hex float camel_case kebab_case under_score ascii other")},
}

// readParameter checks the members of a new parameter, or those of an update
// that are there.
func readParameter(params *object, create bool) (*object, error) {
	out, errs := obj(), fieldErrors{}
	for _, f := range parameterFields {
		v, sent := params.lookup(f.name)
		text, isString := v.(string)
		switch {
		case !sent && create && f.required:
			errs.add(f.name, "required")
		case !sent:
		case v == nil && !f.required:
			out.set(f.name, nil)
		case !isString:
			errs.add(f.name, "must be string", v)
		case f.values != nil && !slices.Contains(f.values, text):
			errs.add(f.name, "invalid", v)
		default:
			out.set(f.name, text)
		}
	}
	required, isBool := asBool(params.get("required"))
	switch {
	case isBool:
		out.set("required", required)
	case params.has("required"):
		errs.add("required", "must be boolean", params.get("required"))
	case create:
		errs.add("required", "required")
	}
	sent, has := params.lookup("point")
	point, isList := sent.([]any)
	flat, valid := flatPoint(point)
	switch {
	case valid:
		out.set("point", flat)
	case has && !isList:
		errs.add("point", "must be an array")
	case has:
		errs.add("point", "invalid", sent)
	case create:
		errs.add("point", "required")
	}
	if create && out.get("name") == nil && out.get("pattern") == nil && out.get("pattern_name") == nil && errs.empty() {
		errs.add("name", "required")
	}
	return out, errs.err()
}

func (c *Cloud) createAPIParameter(q *call) (reply, error) {
	endpoint, err := c.apiEndpoint(q, "endpoint_id")
	if err != nil {
		return reply{}, err
	}
	sent, err := readParameter(q.params, true)
	if err != nil {
		return reply{}, err
	}
	now := c.Now()
	o := obj("clientid", endpoint.int("clientid"), "endpoint_id", endpoint.int("id"), "context", nil, "openapi_type", nil,
		"openapi_format", nil, "required", false, "point", nil, "name", nil, "pattern", nil, "pattern_name", "other",
		"content_type", nil, "pii", nil, "pii_group", nil, "actual", true, "hidden", false, "response", false,
		"modification_state", "unknown", "created_at", now.Unix(), "updated_at", now.Unix(),
		"discovered_at", now.UTC().Format(time.RFC3339), "changed_at", nil)
	o = c.tables["api_parameters"].insert(o.merge(sent))
	q.changed("api_parameters", "create", nil, o)
	return ok(parameterView(o)), nil
}

func (c *Cloud) getAPIParameter(q *call) (reply, error) {
	o, err := c.apiParameter(q)
	if err != nil {
		return reply{}, err
	}
	return ok(parameterView(o)), nil
}

func (c *Cloud) updateAPIParameter(q *call) (reply, error) {
	o, err := c.apiParameter(q)
	if err != nil {
		return reply{}, err
	}
	sent, err := readParameter(q.params, false)
	if err != nil {
		return reply{}, err
	}
	changed := c.tables["api_parameters"].update(o, c.touched(sent))
	q.changed("api_parameters", "update", o, changed)
	return ok(parameterView(changed)), nil
}

func (c *Cloud) deleteAPIParameter(q *call) (reply, error) {
	o, err := c.apiParameter(q)
	if err != nil {
		return reply{}, err
	}
	c.tables["api_parameters"].remove(o.int("id"))
	q.changed("api_parameters", "delete", o, nil)
	return ok(parameterView(o)), nil
}
