package wallarmtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (c *Cloud) dashboardRoutes() []route {
	board := func(ids, year string) route {
		return route{
			ids: ids, name: "stats.owasp" + year, method: http.MethodGet,
			pattern: "/v2/client/{client_id}/dashboards/owasp_api_" + year,
			handle:  func(q *call) (reply, error) { return c.owaspDashboard(q, owaspCategories[year]) },
		}
	}
	return []route{
		{
			ids: "attacks:67,accounts:BG-15", name: "stats.dashboardState", method: http.MethodGet,
			pattern: "/v2/dashboard_state/{client_id}", handle: c.dashboardState,
		},
		{
			ids: "attacks:68", name: "stats.owaspCounters", method: http.MethodGet,
			pattern: "/v2/dashboards/owasp_api_2019/{client_id}", handle: c.owaspCounters,
		},
		board("accounts:BG-17a", "2019"),
		board("accounts:BG-17b", "2023"),
	}
}

// owaspCategory is a category of the OWASP API Top 10 and the types of
// attacks and vulnerabilities that the fake counts under it.
type owaspCategory struct {
	name, description string
	types             []string
	controls          []string
}

var owaspCategories = map[string][]owaspCategory{
	"2019": {
		{"API1", "Broken object level authorization", []string{"bola", "enum"}, []string{"bola"}},
		{"API2", "Broken user authentication", []string{"brute", "credential_stuffing", "weak_auth", "missing_auth"}, []string{"bruteforce", "weak_jwt"}},
		{"API3", "Excessive data exposure", []string{"infoleak", "apileak", "api_leak"}, []string{"scanner"}},
		{"API4", "Lack of resources and rate limiting", []string{"rate_limit", "dos", "resource_consumption"}, []string{"api_abuse_prevention"}},
		{"API5", "Broken function level authorization", []string{"dirbust", "bfla"}, []string{"forced_browsing"}},
		{"API6", "Mass assignment", []string{"mass_assignment"}, []string{"api_discovery"}},
		{"API7", "Security misconfiguration", []string{"misconfig", "crlf", "xxe"}, []string{"outdated_node_version"}},
		{"API8", "Injection", []string{"sqli", "nosqli", "rce", "xss", "ldapi", "ssti", "ssi", "ptrav"}, []string{"node_traffic"}},
		{"API9", "Improper assets management", []string{"vuln_component"}, []string{"api_discovery"}},
		{"API10", "Insufficient logging and monitoring", nil, []string{"siem_notifications"}},
	},
	"2023": {
		{"API1", "Broken object level authorization", []string{"bola", "enum"}, []string{"bola"}},
		{"API2", "Broken authentication", []string{"brute", "credential_stuffing", "weak_auth", "missing_auth"}, []string{"bruteforce", "weak_jwt"}},
		{"API3", "Broken object property level authorization", []string{"mass_assignment", "infoleak"}, []string{"api_discovery"}},
		{"API4", "Unrestricted resource consumption", []string{"rate_limit", "dos", "resource_consumption"}, []string{"api_abuse_prevention"}},
		{"API5", "Broken function level authorization", []string{"dirbust", "bfla"}, []string{"forced_browsing"}},
		{"API6", "Unrestricted access to sensitive business flows", []string{"api_abuse", "bot", "scraping"}, []string{"api_abuse_prevention"}},
		{"API7", "Server side request forgery", []string{"ssrf"}, []string{"node_traffic"}},
		{"API8", "Security misconfiguration", []string{"misconfig", "crlf", "xxe"}, []string{"outdated_node_version"}},
		{"API9", "Improper inventory management", []string{"vuln_component"}, []string{"api_discovery"}},
		{"API10", "Unsafe consumption of APIs", []string{"sqli", "nosqli", "rce", "xss"}, []string{"vuln_notifications"}},
	},
}

// dashboardState answers in the form of the client of 2021; the description
// of the console has two counters in its place.
func (c *Cloud) dashboardState(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	requests, attacks := 0, false
	c.events.eachHitOf(clientID, span{openFrom, openTo}, func(*hit) { requests++ })
	c.events.eachAttackOf(clientID, span{openFrom, openTo}, func(int32) bool {
		attacks = true
		return false
	})
	vulns := c.tables["vulns"].find(func(o *object) bool { return o.int("clientid") == clientID })
	nodes, active := 0, 0
	if t := c.tables["nodes"]; t != nil {
		for _, o := range t.all() {
			if o.int(t.owner) != clientID {
				continue
			}
			nodes++
			if o.bool("active") {
				active++
			}
		}
	}
	return ok(obj("object", obj(
		"vulns", vulns != nil,
		"scope", false,
		"nodes", nodes > 0,
		"traffic", requests > 0,
		"attacks", attacks,
		"nodes_active", active,
		"nodes_count", nodes,
		"testrun", false,
		"requests_amount", requests,
	))), nil
}

// owaspCounters counts the hits of each category that has any.
func (c *Cloud) owaspCounters(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	period := span{openFrom, openTo}
	for name, end := range map[string]*int64{"time_from": &period.from, "time_to": &period.to} {
		v := q.params.get(name)
		n, isInt := asInt(v)
		switch {
		case v == nil && name == "time_from":
			return reply{}, errField(name, "required")
		case v == nil:
		case !isInt:
			return reply{}, errField(name, "invalid", v)
		default:
			*end = n
		}
	}
	body := obj()
	for _, category := range owaspCategories["2019"] {
		count, kinds, codes := c.categoryHits(clientID, period, category)
		if count > 0 {
			body.set(category.name, obj("count", count, "by_type", kinds.json(), "by_response_status", codes.json()))
		}
	}
	return ok(body), nil
}

func (c *Cloud) categoryHits(clientID int64, period span, category owaspCategory) (count int, kinds, codes totals) {
	kinds, codes = totals{}, totals{}
	c.events.eachHitOf(clientID, period, func(h *hit) {
		kind := c.events.attacks[h.attack].shape.kind
		if slices.Contains(category.types, kind) {
			count++
			kinds[kind]++
			codes[fmt.Sprint(h.status)]++
		}
	})
	return count, kinds, codes
}

// owaspDashboard is the bare object with the counters of the open
// vulnerabilities and of each category.
func (c *Cloud) owaspDashboard(q *call, categories []owaspCategory) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	if v := q.params.get("time_zone"); v != nil {
		if s, isString := v.(string); !isString || s == "" {
			return reply{}, errField("time_zone", "invalid", v)
		}
	}
	threats := obj()
	for _, category := range categories {
		threats.set(category.name, c.owaspThreat(clientID, category))
	}
	return bare(obj("vulns", c.vulnCounters(clientID, nil), "threats", threats)), nil
}

func consoleCounter(count int, page string) *object {
	return obj("count", count, "url", "https://my.example.com/"+page)
}

// vulnCounters counts open vulnerabilities by threat, of some types or all.
func (c *Cloud) vulnCounters(clientID int64, types []string) *object {
	levels := totals{}
	for _, o := range c.tables["vulns"].all() {
		if o.int("clientid") == clientID && o.str("status") == vulnOpen && (types == nil || slices.Contains(types, o.str("type"))) {
			levels["all"]++
			levels[threatLevel(o.int("threat"))]++
		}
	}
	counters := obj()
	for _, level := range []string{"all", "high", "medium", "low"} {
		counters.set(level, consoleCounter(levels[level], "vulnerabilities"))
	}
	return counters
}

func (c *Cloud) owaspThreat(clientID int64, category owaspCategory) *object {
	types := append([]string{}, category.types...)
	vulns := c.vulnCounters(clientID, types)
	byType := []any{}
	for _, kind := range types {
		counters := c.vulnCounters(clientID, []string{kind})
		if counters.object("all").int("count") > 0 {
			counters.del("all")
			byType = append(byType, obj("type", kind, "url", "https://my.example.com/vulnerabilities", "risks", counters))
		}
	}
	count, kinds, codes := c.categoryHits(clientID, span{openFrom, openTo}, category)
	status := "safe"
	switch {
	case vulns.object("high").int("count") > 0:
		status = "critical"
	case vulns.object("all").int("count") > 0 || count > 0:
		status = "concern"
	}
	controls := []any{}
	for _, kind := range category.controls {
		data := obj()
		switch {
		case kind == "api_abuse_prevention":
			data.set("profile_count", 0)
		case strings.HasSuffix(kind, "node_version"):
			data.set("node_version", "4.10.0")
		case kind == "bola" || kind == "bruteforce" || kind == "forced_browsing":
			data.set("trigger_count", 0)
		}
		controls = append(controls, obj("type", kind, "applied", false, "url", "https://my.example.com/"+kind, "data", data))
	}
	return obj(
		"name", category.name,
		"description", category.description,
		"status", status,
		"vulns", vulns.set("by_type", byType),
		"attacks", obj(
			"all", consoleCounter(count, "attacks"),
			"by_response_code", namedCounters("response_code", codes),
			"by_type", namedCounters("type", kinds),
		),
		"security_controls", controls,
	)
}

// namedCounters lists totals by name.
func namedCounters(member string, t totals) []any {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = obj(member, name).merge(consoleCounter(t[name], "attacks"))
	}
	return list
}
