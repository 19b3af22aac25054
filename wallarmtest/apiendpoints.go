package wallarmtest

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (c *Cloud) apiEndpointRoutes() []route {
	const list, one = "/v4/clients/{client_id}/rules/endpoints", "/v4/clients/{client_id}/rules/endpoints/{id}"
	const parameters = "/v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters"
	reads := func(id, name, pattern string, handle func(*call) (reply, error)) route {
		return route{ids: "infrastructure:" + id, name: "apidiscovery." + name, method: http.MethodGet, pattern: pattern, handle: handle}
	}
	writes := func(id, name, method, pattern string, handle func(*call) (reply, error)) route {
		return route{
			ids: "infrastructure:" + id, name: "apidiscovery." + name, method: method, pattern: pattern, writes: true, handle: handle,
		}
	}
	return []route{
		reads("AD-5", "list", list, c.listAPIEndpoints),
		reads("AD-6", "count", list+"/count", c.countAPIEndpoints),
		reads("AD-7", "get", one, c.getAPIEndpoint),
		writes("AD-8", "create", http.MethodPost, list, c.createAPIEndpoint),
		writes("AD-9", "update", http.MethodPut, one, c.updateAPIEndpoint),
		writes("AD-10", "delete", http.MethodDelete, one, c.deleteAPIEndpoint),
		reads("AD-11", "riskFactors", one+"/risk-factors", c.apiRiskFactors),
		reads("AD-12", "listParameters", parameters, c.listAPIParameters),
		writes("AD-13", "createParameter", http.MethodPost, parameters, c.createAPIParameter),
		reads("AD-14", "getParameter", parameters+"/{id}", c.getAPIParameter),
		writes("AD-15", "updateParameter", http.MethodPut, parameters+"/{id}", c.updateAPIParameter),
		writes("AD-16", "deleteParameter", http.MethodDelete, parameters+"/{id}", c.deleteAPIParameter),
		reads("AD-17", "methods", list+"/methods", c.apiEndpointMethods),
		reads("AD-18", "domains", list+"/domains", c.apiEndpointDomains),
		reads("AD-19", "tree", list+"/tree", c.apiEndpointTree),
		reads("AD-20", "stats", list+"/stats/common", c.apiEndpointStats),
		reads("AD-21", "changes", list+"/stats/changes", c.apiEndpointChanges),
		reads("AD-22", "exportCSV", list+"/csv", c.exportEndpointsCSV),
		reads("AD-23", "exportOpenAPI", "/v4/clients/{client_id}/rules/swagger", c.exportOpenAPI),
	}
}

// endpointFilters are the filters of all routes; each route takes a part.
var endpointFilters = columns[*object]{
	"clientid":             memberColumn("clientid", intColumn),
	"client_id":            memberColumn("clientid", intColumn),
	"domain":               memberColumn("domain", stringColumn),
	"method":               memberColumn("method", stringColumn),
	"actual":               flagColumn("actual"),
	"internal":             flagColumn("internal"),
	"pii":                  memberColumn("pii_group", stringColumn),
	"endpoint_ids":         memberColumn("id", intColumn),
	"instance":             {kind: stringColumn, each: func(o *object, yield func(value) bool) { yield(stringOf(endpointInstance(o))) }},
	"with_attacks":         {kind: boolColumn, one: func(o *object) value { return boolOf(o.int("hits_count") > 0) }},
	"with_vulns":           {kind: boolColumn, one: func(o *object) value { return boolOf(len(o.array("vulns")) > 0) }},
	"bola_trigger_present": {kind: boolColumn, one: func(o *object) value { return boolOf(o.get("bola_search_started_trigger_id") != nil) }},
	"risk_level":           {kind: stringColumn, one: func(o *object) value { return stringOf(endpointRisk(o)) }},
	"risk_score":           {kind: stringColumn, one: func(o *object) value { return stringOf(endpointRisk(o)) }},
	"vuln_threat": {kind: stringColumn, each: func(o *object, yield func(value) bool) {
		eachObjectIn(o, "vulns", func(vuln *object) bool { return yield(valueOf(vuln.get("threat"))) })
	}},
	"api_spec_ids": {kind: intColumn, each: func(o *object, yield func(value) bool) {
		eachObjectIn(o, "latest_api_spec_comparisons", func(spec *object) bool { return yield(intOf(spec.int("api_spec_id"))) })
	}},
	"shadow": {kind: boolColumn, one: func(o *object) value {
		found := false
		eachObjectIn(o, "latest_api_spec_comparisons", func(spec *object) bool {
			found = found || spec.bool("shadow")
			return !found
		})
		return boolOf(found)
	}},
}

// flagColumn is a boolean member; one that is not set is false.
func flagColumn(name string) column[*object] {
	return column[*object]{kind: boolColumn, one: func(o *object) value { return boolOf(o.bool(name)) }}
}

func eachObjectIn(o *object, list string, yield func(*object) bool) {
	for _, e := range o.array(list) {
		if inner, isObject := e.(*object); isObject && !yield(inner) {
			return
		}
	}
}

// endpointInstance is the application of an endpoint: the one that its
// conditions name, or the default one.
func endpointInstance(o *object) string {
	instance := "-1"
	eachObjectIn(o, "conditions", func(condition *object) bool {
		if point := condition.array("point"); len(point) == 1 && point[0] == "instance" {
			instance = condition.str("value")
		}
		return true
	})
	return instance
}

// endpointScore stands for the risk score, which no route shows.
func endpointScore(o *object) int64 {
	factors := o.object("risk_factors")
	return 10*factors.int("pii") + factors.int("query_parameters") + factors.int("parameters_in_body") + factors.int("variables_in_path") +
		20*int64(len(o.array("vulns")))
}

func endpointRisk(o *object) string {
	switch score := endpointScore(o); {
	case score >= 20:
		return "high"
	case score >= 5:
		return "medium"
	}
	return "low"
}

const (
	countFilters = "client_id search_query domain method instance with_vulns vuln_threat risk_score pii internal bola_trigger_present"
	listFilters  = "clientid search_query domain method instance actual with_attacks with_vulns shadow internal bola_trigger_present " +
		"modification_since modification_state vuln_threat risk_level api_spec_ids pii"
	openAPIFilters = "clientid search_query domain method instance with_attacks shadow internal bola_trigger_present " +
		"modification_since modification_state risk_level api_spec_ids pii endpoint_ids"
)

// endpoints returns the client's endpoints that the filter selects. Of the
// filters the route takes those named; owner is the one with the client id.
func (c *Cloud) endpoints(q *call, takes, owner string, required bool) ([]*object, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return nil, err
	}
	filter, err := q.filterObject(required)
	if err != nil {
		return nil, err
	}
	if owner != "" {
		if err := q.checkOwner(filter, owner, required); err != nil {
			return nil, err
		}
	}
	rest, errs := obj(), fieldErrors{}
	for _, m := range filter.members {
		if !slices.Contains(strings.Fields(takes), m.name) {
			errs.add("filter."+m.name, "invalid", m.value)
		} else if endpointFilters[m.name].one != nil || endpointFilters[m.name].each != nil {
			rest.set(m.name, m.value)
		}
	}
	since, states := readModification(filter, &errs)
	if list := asList(filter.get("api_spec_ids")); filter.has("api_spec_ids") {
		bad := slices.ContainsFunc(list, func(v any) bool { n, isInt := asInt(v); return !isInt || n < 1 })
		if len(list) == 0 || bad {
			errs.add("filter.api_spec_ids", "invalid", filter.get("api_spec_ids"))
		}
	}
	if err := errs.err(); err != nil {
		return nil, err
	}
	selected, err := endpointFilters.compile(rest)
	if err != nil {
		return nil, err
	}
	var rows []*object
	for _, o := range c.tables["api_endpoints"].visible(q) {
		if o.int("clientid") != clientID || !selected.match(o) || !strings.Contains(o.str("url"), filter.str("search_query")) {
			continue
		}
		state := modificationState(o, since)
		if len(states) == 0 || slices.Contains(states, state) {
			rows = append(rows, o.clone().set("modification_state", state))
		}
	}
	return rows, nil
}

// readModification reads the two filters that only go together. Without them
// the time is -1.
func readModification(filter *object, errs *fieldErrors) (since int64, states []string) {
	v, sent := filter.lookup("modification_since")
	states = stringsOf(filter.get("modification_state"))
	for _, state := range states {
		if !slices.Contains([]string{"new", "updated", "outdated"}, state) {
			errs.add("filter.modification_state", "invalid", state)
		}
	}
	since, isInt := asInt(v)
	switch {
	case sent && (!isInt || since < 0):
		errs.add("filter.modification_since", "invalid", v)
	case sent && len(states) == 0:
		errs.add("filter.modification_state", "required")
	case !sent && len(states) > 0:
		errs.add("filter.modification_since", "required")
	}
	if !sent {
		since = -1
	}
	return since, states
}

// modificationState is what became of an endpoint or parameter since a time.
func modificationState(o *object, since int64) string {
	switch {
	case since < 0:
		return "unknown"
	case o.int("created_at") >= since:
		return "new"
	case o.int("updated_at") < since:
		return "unchanged"
	case !o.bool("actual"):
		return "outdated"
	}
	return "updated"
}

var endpointOrder = map[string]func(*object) value{
	"endpoint_path":                  func(o *object) value { return stringOf(o.str("path")) },
	"endpoint_domain":                func(o *object) value { return stringOf(o.str("domain")) },
	"hits_count":                     func(o *object) value { return intOf(o.int("hits_count")) },
	"endpoint_risk_score":            func(o *object) value { return intOf(endpointScore(o)) },
	"bola_search_started_trigger_id": func(o *object) value { return valueOf(o.get("bola_search_started_trigger_id")) },
}

func (c *Cloud) listAPIEndpoints(q *call) (reply, error) {
	rows, err := c.endpoints(q, listFilters, "clientid", true)
	if err != nil {
		return reply{}, err
	}
	order, err := orderBy(q, endpointOrder, "", false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100, max: 1000, min: 1})
	if err != nil {
		return reply{}, err
	}
	order.sort(rows)
	rows = slices.Clone(offsetPage(rows, limit, offset))
	for i, o := range rows {
		rows[i] = dropMembers(o, "risk_factors")
	}
	return ok(rows), nil
}

func (c *Cloud) countAPIEndpoints(q *call) (reply, error) {
	rows, err := c.endpoints(q, countFilters, "client_id", false)
	return ok(len(rows)), err
}

// clientObject is the object of a table that the path names, if it belongs to
// the client that the path names too.
func (c *Cloud) clientObject(q *call, t *table, param string) (*object, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return nil, err
	}
	o, err := t.byPath(q, param)
	if err != nil {
		return nil, err
	}
	if o.int(t.owner) != clientID {
		return nil, errNotFound()
	}
	return o, nil
}

func (c *Cloud) apiEndpoint(q *call, param string) (*object, error) {
	return c.clientObject(q, c.tables["api_endpoints"], param)
}

// endpointDetails is the form of the single reads and writes.
func endpointDetails(o *object) *object {
	return dropMembers(o, "orphan", "discovered_at", "changed_at", "request_stats").
		set("modification_state", "unknown").set("risk_factors", o.get("risk_factors"))
}

func (c *Cloud) getAPIEndpoint(q *call) (reply, error) {
	o, err := c.apiEndpoint(q, "id")
	if err != nil {
		return reply{}, err
	}
	return ok(endpointDetails(o)), nil
}

var endpointMethods = []string{"GET", "POST", "HEAD", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

func (c *Cloud) createAPIEndpoint(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	method, address := q.params.str("method"), q.params.str("url")
	switch {
	case q.params.get("method") == nil:
		errs.add("method", "required")
	case !slices.Contains(endpointMethods, method):
		errs.add("method", "invalid", q.params.get("method"))
	}
	if address == "" {
		errs.add("url", "required")
	}
	conditions := readEndpointConditions(q.params, true, &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	domain, path, _ := strings.Cut(address, "/")
	now := c.Now()
	o := c.tables["api_endpoints"].insert(obj(
		"clientid", clientID, "method", method, "url", address, "domain", domain, "path", "/"+path, "hits_count", 0,
		"conditions", conditions, "latest_api_spec_comparisons", []any{}, "pii_group", []any{}, "anchor", c.hex(6),
		"actual", true, "orphan", false, "internal", false, "created_at", now.Unix(), "updated_at", now.Unix(),
		"discovered_at", now.UTC().Format(time.RFC3339), "changed_at", nil, "bola_search_started_trigger_id", nil, "vulns", []any{},
		"request_stats", obj("total_24h", 0, "total_7d", 0, "avg_24h", 0), "risk_factors", nil,
	))
	q.changed("api_endpoints", "create", nil, o)
	return ok(endpointDetails(o)), nil
}

// readEndpointConditions checks conditions whose points are flat. An index
// may be written as a text.
func readEndpointConditions(params *object, required bool, errs *fieldErrors) []any {
	v, sent := params.lookup("conditions")
	list, isList := v.([]any)
	switch {
	case !sent && required:
		errs.add("conditions", "required")
	case sent && !isList:
		errs.add("conditions", "must be an array", v)
	}
	out := []any{}
	for _, e := range list {
		sent, isObject := e.(*object)
		if !isObject {
			errs.add("conditions", "invalid", e)
			return nil
		}
		point := slices.Clone(sent.array("point"))
		if len(point) == 2 && point[0] == "path" {
			if n, isInt := asInt(point[1]); isInt {
				point[1] = n
			}
		}
		condition, message := readCondition(sent.clone().set("point", point))
		if message != "" {
			errs.add("conditions", message, e)
			return nil
		}
		out = append(out, condition)
	}
	return out
}

func (c *Cloud) updateAPIEndpoint(q *call) (reply, error) {
	o, err := c.apiEndpoint(q, "id")
	if err != nil {
		return reply{}, err
	}
	actual, isBool := asBool(q.params.get("actual"))
	switch {
	case !q.params.has("actual"):
		return reply{}, errField("actual", "required")
	case !isBool:
		return reply{}, errField("actual", "must be boolean", q.params.get("actual"))
	}
	changed := c.tables["api_endpoints"].update(o, c.touched(obj("actual", actual)))
	q.changed("api_endpoints", "update", o, changed)
	return ok(endpointDetails(changed)), nil
}

// touched adds the times of a change.
func (c *Cloud) touched(changes *object) *object {
	now := c.Now()
	return changes.set("updated_at", now.Unix()).set("changed_at", now.UTC().Format(time.RFC3339))
}

func (c *Cloud) deleteAPIEndpoint(q *call) (reply, error) {
	o, err := c.apiEndpoint(q, "id")
	if err != nil {
		return reply{}, err
	}
	c.tables["api_endpoints"].remove(o.int("id"))
	parameters := c.tables["api_parameters"]
	for _, p := range parameters.all() {
		if p.int("endpoint_id") == o.int("id") {
			parameters.remove(p.int("id"))
		}
	}
	q.changed("api_endpoints", "delete", o, nil)
	return ok(endpointDetails(o)), nil
}

func (c *Cloud) apiRiskFactors(q *call) (reply, error) {
	o, err := c.apiEndpoint(q, "id")
	if err != nil {
		return reply{}, err
	}
	if o.get("risk_factors") == nil {
		return reply{}, errNotFound()
	}
	return ok(o.get("risk_factors")), nil
}

// inventory returns all endpoints of the client in the path.
func (c *Cloud) inventory(q *call) ([]*object, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return nil, err
	}
	rows := c.tables["api_endpoints"].visible(q)
	return slices.DeleteFunc(rows, func(o *object) bool { return o.int("clientid") != clientID }), nil
}

// endpointGroup is a group under construction.
type endpointGroup struct {
	name   string
	filter *object
	rows   []*object
}

// groupEndpoints groups endpoints by a key, in the order of the keys.
func groupEndpoints(rows []*object, key func(*object) string, filter func(*object) *object) []endpointGroup {
	groups := map[string]*endpointGroup{}
	for _, o := range rows {
		name := key(o)
		if groups[name] == nil {
			groups[name] = &endpointGroup{name: name, filter: filter(o)}
		}
		groups[name].rows = append(groups[name].rows, o)
	}
	var out []endpointGroup
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, *groups[name])
	}
	return out
}

func (g endpointGroup) view() *object {
	internal := slices.ContainsFunc(g.rows, func(o *object) bool { return o.bool("internal") })
	return obj("name", g.name, "internal", internal, "filter", g.filter)
}

func endpointMember(name string) func(*object) string {
	return func(o *object) string { return o.str(name) }
}

func (c *Cloud) apiEndpointMethods(q *call) (reply, error) {
	rows, err := c.inventory(q)
	if err != nil {
		return reply{}, err
	}
	list := []any{}
	for _, g := range groupEndpoints(rows, endpointMember("method"), func(o *object) *object { return obj("method", o.get("method")) }) {
		list = append(list, g.view())
	}
	return ok(list), nil
}

func (c *Cloud) apiEndpointDomains(q *call) (reply, error) {
	rows, err := c.inventory(q)
	if err != nil {
		return reply{}, err
	}
	if instances := asList(q.params.get("instances")); len(instances) > 0 {
		wanted := stringsOf(q.params.get("instances"))
		for _, v := range instances {
			if _, isInt := asInt(v); !isInt {
				return reply{}, errField("instances", "invalid", v)
			}
			wanted = append(wanted, strings.Trim(string(appendJSON(nil, v)), `"`))
		}
		rows = slices.DeleteFunc(rows, func(o *object) bool { return !slices.Contains(wanted, endpointInstance(o)) })
	}
	list := []any{}
	for _, g := range groupEndpoints(rows, endpointMember("domain"), func(o *object) *object {
		return obj("instance", instanceNumber(o), "domain", o.get("domain"))
	}) {
		list = append(list, g.view())
	}
	return ok(list), nil
}

func instanceNumber(o *object) int64 {
	n, err := strconv.ParseInt(endpointInstance(o), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (c *Cloud) apiEndpointTree(q *call) (reply, error) {
	rows, err := c.endpoints(q, "internal", "", false)
	if err != nil {
		return reply{}, err
	}
	filter := obj()
	levels := []endpointLevel{
		{"instance", endpointInstance, func(o *object) any { return instanceNumber(o) }},
		{"domain", endpointMember("domain"), func(o *object) any { return o.get("domain") }},
		{"method", endpointMember("method"), func(o *object) any { return o.get("method") }},
	}
	return ok(endpointBranch(rows, filter, levels)), nil
}

// endpointLevel is a level of the tree: what its nodes are grouped by, and
// the condition that they add to the filter.
type endpointLevel struct {
	name  string
	key   func(*object) string
	value func(*object) any
}

func endpointBranch(rows []*object, filter *object, levels []endpointLevel) []any {
	list := []any{}
	if len(levels) == 0 {
		return list
	}
	level := levels[0]
	groups := groupEndpoints(rows, level.key, func(o *object) *object { return filter.clone().set(level.name, level.value(o)) })
	for _, g := range groups {
		list = append(list, obj("name", g.name, "anchor", g.rows[0].str("anchor")+"-"+level.name, "filter", g.filter,
			"nested", endpointBranch(g.rows, g.filter, levels[1:])))
	}
	return list
}

const topEndpoints = 5

func (c *Cloud) apiEndpointStats(q *call) (reply, error) {
	rows, err := c.inventory(q)
	if err != nil {
		return reply{}, err
	}
	var internal int
	risks, applications, domains, groups := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, o := range rows {
		if o.bool("internal") {
			internal++
		}
		risks[endpointRisk(o)]++
		applications[endpointInstance(o)]++
		domains[o.str("domain")]++
		for _, group := range stringsOf(o.get("pii_group")) {
			groups[group]++
		}
	}
	kinds := map[string]int{}
	for _, p := range c.tables["api_parameters"].visible(q) {
		if kind := p.str("pii"); kind != "" && slices.ContainsFunc(rows, func(o *object) bool { return o.int("id") == p.int("endpoint_id") }) {
			kinds[kind]++
		}
	}
	return ok(obj(
		"total", len(rows), "internal", internal, "external", len(rows)-internal,
		"high_risk_score", risks["high"], "medium_risk_score", risks["medium"], "low_risk_score", risks["low"],
		"top_applications", topCounts("application", applications), "top_domains", topCounts("domain", domains),
		"top_piis", topCounts("pii", kinds), "top_pii_groups", topCounts("pii_group", groups),
	)), nil
}

// topCounts lists the largest numbers, equal ones by name.
func topCounts(name string, counts map[string]int) []any {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	list := []any{}
	for _, key := range keys[:min(len(keys), topEndpoints)] {
		list = append(list, obj(name, key, "count", counts[key]))
	}
	return list
}

func (c *Cloud) apiEndpointChanges(q *call) (reply, error) {
	rows, err := c.inventory(q)
	if err != nil {
		return reply{}, err
	}
	v := q.params.get("modification_since")
	since, isInt := asInt(v)
	switch {
	case v == nil:
		return reply{}, errField("modification_since", "required")
	case !isInt || since < 0:
		return reply{}, errField("modification_since", "invalid", v)
	}
	counts := map[string]int{}
	for _, o := range rows {
		counts[modificationState(o, since)]++
	}
	return ok(obj("new", counts["new"], "changed", counts["updated"], "outdated", counts["outdated"])), nil
}

func (c *Cloud) exportEndpointsCSV(q *call) (reply, error) {
	rows, err := c.endpoints(q, listFilters, "clientid", false)
	if err != nil {
		return reply{}, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"id", "method", "domain", "path", "hits_count"}) // a bytes.Buffer does not fail
	for _, o := range rows {
		_ = w.Write([]string{
			strconv.FormatInt(o.int("id"), 10), o.str("method"), o.str("domain"), o.str("path"), strconv.FormatInt(o.int("hits_count"), 10),
		})
	}
	w.Flush()
	return file("text/csv", out.Bytes()), nil
}

func (c *Cloud) exportOpenAPI(q *call) (reply, error) {
	rows, err := c.endpoints(q, openAPIFilters, "clientid", false)
	if err != nil {
		return reply{}, err
	}
	if len(rows) == 0 {
		return reply{}, errNotFound()
	}
	paths := obj()
	for _, o := range rows {
		path := paths.object(o.str("path")).clone()
		paths.set(o.str("path"), path.set(strings.ToLower(o.str("method")), obj("responses", obj())))
	}
	doc := obj("openapi", "3.0.0", "info", obj("title", "API Discovery", "version", "1"), "paths", paths)
	return file("application/octet-stream", appendJSON(nil, doc)), nil
}
