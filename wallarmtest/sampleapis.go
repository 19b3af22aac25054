package wallarmtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sampleEndpoint is an endpoint of the inventory, with its parameters.
type sampleEndpoint struct {
	method, domain, path string
	app                  int64
	hits                 int
	pii                  []string
	// uses is a request of a session, attack what a request that is an attack
	// carries there.
	uses, attack string
	vulnerable   bool
	parameters   []sampleParameter
}

type sampleParameter struct {
	context, kind, name, pii string
	point                    []any
}

var sampleEndpoints = []sampleEndpoint{
	{
		method: "GET", domain: "shop.example.com", path: "/search", app: 1, hits: 214, uses: "/search?q=lamp", attack: "sqli", vulnerable: true,
		parameters: []sampleParameter{{"query", "string", "q", "", []any{"get", "q"}}},
	},
	{
		method: "POST", domain: "shop.example.com", path: "/login", app: 1, hits: 131, pii: []string{"login", "password"}, uses: "/login",
		attack: "brute", parameters: []sampleParameter{
			{"body", "string", "email", "login", []any{"post", "form_urlencoded", "email"}},
			{"body", "string", "password", "password", []any{"post", "form_urlencoded", "password"}},
		},
	},
	{
		method: "GET", domain: "shop.example.com", path: "/orders/{parameter_1}", app: 1, hits: 12, pii: []string{"email", "personal_name"},
		uses: "/orders/1017", parameters: []sampleParameter{{"path", "integer", "parameter_1", "", []any{"path", 1}}},
	},
	{
		method: "POST", domain: "api.example.com", path: "/api/v1/comments", app: 12, hits: 188, uses: "/api/v1/comments", attack: "xss",
		parameters: []sampleParameter{{"body", "string", "text", "", []any{"post", "json_doc", "hash", "text"}}},
	},
	{
		method: "POST", domain: "api.example.com", path: "/api/v2/webhooks", app: 12, hits: 37, uses: "/api/v2/webhooks", attack: "ssrf",
		parameters: []sampleParameter{{"body", "string", "url", "", []any{"post", "json_doc", "hash", "url"}}},
	},
	{method: "GET", domain: "www.example.net", path: "/health", app: -1, uses: "/health"},
}

// sampleUsers own the sessions of the sample.
var sampleUsers = []struct{ name, role, ip, country, ua string }{
	{"alice@example.com", "customer", "203.0.113.24", "NL", "ExampleBrowser/128.0"},
	{"bob@example.com", "customer", "198.51.100.77", "DE", "ExampleBrowser/127.0"},
	{"partner-feed@example.net", "partner", "192.0.2.140", "US", "ExampleClient/2.3"},
	{"", "", "203.0.113.66", "BR", "examplescan/1.0"},
	{"carol@example.com", "customer", "2001:db8::5a", "FR", "ExampleBrowser/128.0"},
	{"dave@example.com", "support", "198.51.100.12", "SG", "ExampleBrowser/126.0"},
}

// seedSampleAPIs fills the inventory of API Discovery and adds sessions that
// use it. It draws from a source of its own, so that what is made later does
// not depend on it. The state lock is not held.
func (c *Cloud) seedSampleAPIs(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rng := rand.New(rand.NewPCG(c.events.key, 13))
	var ids []int64
	for i, e := range sampleEndpoints {
		o := c.tables["api_endpoints"].insert(e.object(now.Add(-time.Duration(29-4*i)*24*time.Hour), now, rng))
		ids = append(ids, o.int("id"))
		for _, p := range e.parameters {
			c.tables["api_parameters"].insert(p.object(o))
		}
	}
	for i := range sampleUsers {
		end := now.Add(-time.Duration(i*9)*time.Hour - time.Duration(rng.IntN(3000))*time.Second)
		c.seedSampleSession(i, end, ids, rng)
	}
}

func (e sampleEndpoint) object(found, now time.Time, rng *rand.Rand) *object {
	conditions := []any{
		obj("type", "equal", "point", []any{"method"}, "value", e.method),
		obj("type", "iequal", "point", []any{"header", "HOST"}, "value", e.domain),
	}
	if e.app > 0 {
		conditions = append(conditions, obj("type", "equal", "point", []any{"instance"}, "value", strconv.FormatInt(e.app, 10)))
	}
	variables, inQuery, inBody := 0, 0, 0
	for i, word := range strings.Split(e.path[1:], "/") {
		if strings.HasPrefix(word, "{") {
			variables++
			continue
		}
		conditions = append(conditions, obj("type", "equal", "point", []any{"path", i}, "value", word))
	}
	for _, p := range e.parameters {
		switch p.context {
		case "query":
			inQuery++
		case "body":
			inBody++
		}
	}
	vulns := []any{}
	if e.vulnerable {
		vulns = []any{obj("id", 90001, "threat", "high")}
	}
	week := 4000 + rng.IntN(90000)
	return obj(
		"clientid", DefaultClientID, "method", e.method, "url", e.domain+e.path, "domain", e.domain, "path", e.path, "hits_count", e.hits,
		"conditions", conditions, "latest_api_spec_comparisons", []any{}, "pii_group", anyList(e.pii),
		"anchor", fmt.Sprintf("%06x", rng.IntN(1<<24)), "actual", true, "orphan", false, "internal", e.app < 0,
		"created_at", found.Unix(), "updated_at", found.Unix(), "discovered_at", found.UTC().Format(time.RFC3339), "changed_at", nil,
		"bola_search_started_trigger_id", nil, "vulns", vulns,
		"request_stats", obj("total_24h", week/7, "total_7d", week, "avg_24h", week/7),
		"risk_factors", obj(
			"query_parameters", inQuery, "parameters_in_body", inBody, "variables_in_path", variables, "pii", len(e.pii),
			"multipart_body", false, "accepts_json", strings.HasPrefix(e.path, "/api/"), "accepts_xml", false,
		),
	)
}

func (p sampleParameter) object(endpoint *object) *object {
	o := obj(
		"clientid", DefaultClientID, "endpoint_id", endpoint.int("id"), "context", p.context, "openapi_type", p.kind, "openapi_format", nil,
		"required", true, "point", p.point, "name", p.name, "pattern", nil, "pattern_name", "other", "content_type", nil,
		"pii", nil, "pii_group", nil, "actual", true, "hidden", false, "response", false, "modification_state", "unknown",
		"created_at", endpoint.int("created_at"), "updated_at", endpoint.int("updated_at"),
		"discovered_at", endpoint.str("discovered_at"), "changed_at", nil,
	)
	if p.pii != "" {
		o.set("pii", p.pii)
	}
	return o
}

// seedSampleSession adds the session of a user, which ends at a time, and its
// requests. The counters of the session are those of its requests.
func (c *Cloud) seedSampleSession(number int, end time.Time, endpoints []int64, rng *rand.Rand) {
	user := sampleUsers[number]
	scans := user.name == ""
	id := fmt.Sprintf("%016x", rng.Uint64())
	n := 5 + rng.IntN(8)
	step := time.Duration(2+rng.IntN(40)) * time.Second
	counts := sampleCounts{}
	for i := range n {
		which := rng.IntN(len(sampleEndpoints))
		e := sampleEndpoints[which]
		r := obj(
			"client_id", DefaultClientID, "session_id", id, "request_id", fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64()),
			"request_time", sampleSecond(end.Add(-time.Duration(n-1-i)*step)), "method", e.method, "uri", e.uses, "host", e.domain,
			"ip", user.ip, "ua", user.ua, "country", user.country, "response_status_code", 200, "response_size", 300+rng.IntN(9000),
			"response_time", 5+rng.IntN(300), "application_id", e.app, "endpoint_id", endpoints[which], "node_ip", "192.0.2.21", "node_port", 443,
			"node_uuid", sampleNode, "attack_types", []any{}, "business_contexts", []any{},
			"user_attr_user", user.name, "user_attr_role", user.role,
		)
		if e.path == "/login" {
			r.set("business_contexts", []any{"auth"})
		}
		if scans && e.attack != "" {
			r.set("attack_types", []any{e.attack}).set("response_status_code", 403)
		}
		counts.add(c.tables["api_session_requests"].insert(r))
	}
	start := end.Add(-time.Duration(n-1) * step)
	c.tables["api_sessions"].insert(obj(
		"session_id", id, "client_id", DefaultClientID, "app_id", counts.first("application_id"), "host", counts.first("host"), "ip", user.ip,
		"country", user.country, "datacenter", "unknown", "proxy_type", "", "start_time", sampleSecond(start), "end_time", sampleSecond(end),
		"duration", int64(end.Sub(start)/time.Second), "req_count", n, "attack_sum_count", counts.sum("attack_types"),
		"hosts_uniq_total", len(counts["host"]), "uris_uniq_total", len(counts["uri"]),
		"app_counts", counts.list("application_id"), "attack_counts", counts.list("attack_types"),
		"business_context_counts", counts.list("business_contexts"), "host_counts", counts.list("host"), "uri_counts", counts.list("uri"),
		"ip_counts", counts.list("ip"), "method_counts", counts.list("method"), "response_status_counts", counts.list("response_status_code"),
		"user_attr_id_counts", []any{}, "user_attr_user_counts", counts.list("user_attr_user"),
		"user_attr_role_counts", counts.list("user_attr_role"), "user_attr_credentials_counts", []any{}, "session_data", []any{},
	))
}

// sampleSecond is a time with a fraction, as sessions have it.
func sampleSecond(t time.Time) json.Number { return json.Number(fmt.Sprintf("%d.25", t.Unix())) }

// sampleCounts are the counters of a session: member to value to number.
type sampleCounts map[string]map[string]int

func (s sampleCounts) add(request *object) {
	for _, member := range strings.Fields(`application_id attack_types business_contexts host uri ip method response_status_code user_attr_user
		user_attr_role`) {
		for _, value := range memberTexts(member)(request) {
			if value == "" {
				continue
			}
			if s[member] == nil {
				s[member] = map[string]int{}
			}
			s[member][value]++
		}
	}
}

func (s sampleCounts) list(member string) []any {
	out := []any{}
	for _, value := range slices.Sorted(maps.Keys(s[member])) {
		out = append(out, obj(value, s[member][value]))
	}
	return out
}

func (s sampleCounts) sum(member string) int {
	n := 0
	for _, count := range s[member] {
		n += count
	}
	return n
}

// first is the value that most requests have, as the list shows it.
func (s sampleCounts) first(member string) any {
	best := ""
	for _, value := range slices.Sorted(maps.Keys(s[member])) {
		if best == "" || s[member][value] > s[member][best] {
			best = value
		}
	}
	if n, err := strconv.ParseInt(best, 10, 64); err == nil {
		return n
	}
	return best
}
