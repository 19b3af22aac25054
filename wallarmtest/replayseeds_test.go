package wallarmtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// replayBodies are the requests that the pages only describe.
var replayBodies = map[string]string{
	"nofilter":   `{"filter":{"id":[77120031]}}`,
	"badlimit":   `{"filter":{},"limit":"-1"}`,
	"rule":       `{"type":"wallarm_mode","mode":"block","clientid":4711,"action":[]}`,
	"list":       `{"filter":{"clientid":[4521],"type":["vpatch"]},"order_by":"id"}`,
	"actions":    `{"filter":{"clientid":[4521],"hint_type":["wallarm_mode"]},"limit":10,"offset":0}`,
	"rate_limit": `{"type":"rate_limit","clientid":4521,"action":[],"rate":1,"point":[["remote_addr"]]}`,
	"node":       `{"hostname":"edge-eu-1","type":"cloud_node","clientid":4711}`,
	"blanknode":  `{"hostname":"","type":"cloud_node","clientid":4711}`,
	"enum": `{"type":"brute","mode":"block","clientid":4521,"action":[],"threshold":{"count":1,"period":60},
		"reaction":{"block_by_ip":600},"enumerated_parameters":{"mode":"regexp","value_regexps":[""]}}`,
}

// replaySeeds fill the cloud as the examples expect it. They return the
// opaque values of the pages with those of the cloud.
var replaySeeds = map[string]func(t *testing.T, s *Server) map[string]string{
	"events": seedEvents,
	"walk":   seedWalk,
	"rules":  seedRules,
	"scope":  seedScope,
	"regex":  seedRegex,
	// A password that the policy takes.
	"password": func(*testing.T, *Server) map[string]string { return map[string]string{"<redacted>": "test-Secret-1"} },
	"partner":  seedPartner,
	"activity": seedActivity,
	"node":     seedNode,
	"vectors":  seedVectors,
	"view":     seedView,
	"dropped":  fromPage("dropped_raw_hits", blockName{"attacks", "5.6", 12}),
	"vuln":     fromPage("vulns", blockName{"attacks", "5.9", 2}),
	"issue":    fromPage("security_issues", blockName{"attacks", "6.3", 2}),
	"denied":   seedDenied,
	"endpoint": fromPage("api_endpoints", blockName{"infrastructure", "7.4", 4}),
	"session":  seedSession,
	"configs":  seedConfigs,
	"locked": func(_ *testing.T, s *Server) map[string]string {
		s.LockRules(time.Minute)
		return nil
	},
}

func put(t *testing.T, s *Server, kind, object string) {
	t.Helper()
	_, err := s.Put(kind, object)
	require.NoError(t, err)
}

// seedEvents makes the attacks and hits of section 5 of the page on attacks:
// an incident, and an attack with a hit of the day and one of some days ago.
func seedEvents(_ *testing.T, s *Server) map[string]string {
	const requestID = "5f0c9d7e2b1a4c3d8e6f708192a3b4c5"
	const index = "attacks_production_4711_202608_v_1"
	s.SeedAttacks(
		Attack{
			ID: EventID{index, "Qk3vAAbb12-_zz09"}, Type: "ptrav", Domain: "shop.example.net", Path: "/download",
			Parameter: "GET_file_value", Point: []any{"get", "file"}, VulnID: 90210, Threat: 90,
			Hits: []Hit{{Time: unix(1785802011), IP: "198.51.100.7", Country: "NL"}},
		},
		Attack{
			ID: EventID{index, "Zz81"}, Type: "sqli", Domain: "shop.example.net", Path: "/v1/login", Method: "POST",
			Point: []any{"post", "json_doc", "array", 0, "hash", "q"}, AuthProtocol: []string{"jwt"},
			Hits: []Hit{
				{Time: unix(1785600000), IP: "2001:db8::9", Value: "union select 1"},
				{
					ID: EventID{"hits_production_4711_202608_v_1", "Kf93-aa"}, Time: unix(1785802011), IP: "198.51.100.7",
					Country: "NL", BlockStatus: "blocked", RequestID: requestID, Stamps: []int64{3301},
				},
			},
		},
		Attack{Type: "credential_stuffing", Hits: []Hit{{
			Time: unix(1785602000), Extra: `{"compromised_logins":["user17@example.net"]}`,
		}}},
	)
	return nil
}

// seedWalk gives the cursor of the second page of three.
func seedWalk(t *testing.T, s *Server) map[string]string {
	t.Helper()
	for range 250 {
		s.SeedAttacks(Attack{Time: unix(1785600000)})
	}
	first := call200(t, s, "POST", "/v2/objects/attack",
		`{"paging":true,"filter":{"clientid":[4711],"vulnid":null,"!type":["warn"],"time":[[1785542400,null]],"!state":"falsepositive"}}`)
	return map[string]string{"c2VhcmNoX2FmdGVy": first.str("cursor")}
}

// seedRules makes the rules that the page on rules names by id.
func seedRules(t *testing.T, s *Server) map[string]string {
	t.Helper()
	put(t, s, "actions", `{"id":901244,"clientid":4521,"name":null,"conditions":[],"updated_at":1767225600}`)
	for _, id := range []int{77120031, 77120044} {
		put(t, s, "rules", fmt.Sprintf(`{"id":%d,"actionid":901244,"clientid":4521,"action":[],"type":"brute","mode":"block","create_time":1767225600,
			"create_userid":31007,"updated_at":1767225600,"validated":false,"system":false,"active":true,
			"threshold":{"count":5,"period":60},"reaction":{"block_by_ip":600}}`, id))
	}
	_, err := s.AddRule(`{"type":"vpatch","clientid":4521,"attack_type":"sqli","comment":"Blocks the search endpoint until the fix ships",
		"point":[["post"],["json_doc"],["hash","user"],["array",0]],
		"action":[{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"}]}`)
	require.NoError(t, err)
	return nil
}

func seedScope(t *testing.T, s *Server) map[string]string {
	t.Helper()
	_, err := s.AddRule(`{"type":"wallarm_mode","mode":"off","clientid":4521,"action":[{"type":"equal","point":["instance"],"value":"12"}]}`)
	require.NoError(t, err)
	return nil
}

func seedRegex(t *testing.T, s *Server) map[string]string {
	t.Helper()
	put(t, s, "regexes", `{"id":5512,"clientid":4521,"name":"","value":"x"}`)
	return nil
}

// fromPage stores the very object that the page shows as an answer.
func fromPage(kind string, block blockName) func(*testing.T, *Server) map[string]string {
	return func(t *testing.T, s *Server) map[string]string {
		t.Helper()
		v, err := parseJSON([]byte(wireBlocks(t)[block].text))
		require.NoError(t, err)
		if o, isObject := v.(*object); isObject {
			v = o.get("body")
		}
		if list, isList := v.([]any); isList {
			v = list[0]
		}
		put(t, s, kind, string(appendJSON(nil, v)))
		return nil
	}
}

// ask sends a request and wants any success.
func ask(t *testing.T, s *Server, token, method, path, body string) *object {
	t.Helper()
	status, answer := send(t, s, token, method, path, body)
	require.Less(t, status, 300, "%s %s: %s", method, path, answer)
	v, err := parseJSON([]byte(answer))
	require.NoError(t, err)
	o, _ := v.(*object)
	return o
}

func seedPartner(t *testing.T, s *Server) map[string]string {
	t.Helper()
	own := ask(t, s, replayToken, "POST", "/v1/objects/client", `{"filter":{"id":5150}}`).array("body")[0].(*object)
	return map[string]string{"7c0e1d22-2222-4333-8444-555566667777": own.str("partner_uuid")}
}

// seedActivity disables a token, as the example shows.
func seedActivity(t *testing.T, s *Server) map[string]string {
	t.Helper()
	made := ask(t, s, replayToken, "POST", "/v2/api_tokens",
		`{"client_id":5150,"realname":"ci-inventory-reader","permissions":["auditor"]}`).object("body")
	ask(t, s, replayToken, "PUT", fmt.Sprintf("/v2/api_tokens/%d", made.int("id")), `{"enabled":false}`)
	return nil
}

func seedNode(t *testing.T, s *Server) map[string]string {
	t.Helper()
	ask(t, s, OtherToken, "POST", "/v2/node", `{"hostname":"edge-eu-1","type":"cloud_node","clientid":5150}`)
	ask(t, s, AdminToken, "POST", "/v2/node", `{"hostname":"edge-eu-1","type":"cloud_node","clientid":4711}`)
	return nil
}

// seedVectors makes a group that the query of the page finds, and gives the
// ids that the service made up.
func seedVectors(t *testing.T, s *Server) map[string]string {
	t.Helper()
	var hits []Hit
	for i := range 40 {
		hits = append(hits, Hit{IP: fmt.Sprintf("198.51.100.%d", i%9+1), Country: "NL", Time: unix(1785823000 + int64(i))})
	}
	s.SeedAttacks(Attack{Type: "xss", Domain: "shop.example.net", Path: "/cart/7", Method: "POST", Hits: hits})
	const prefix = "/v1/client/4711/attack-vectors/"
	group := ask(t, s, AdminToken, "POST", prefix+"security-agg/query",
		`{"preset":"type","select":["requests_count"],"time_range":"-7d"}`).array("data")[0].(*object)
	vectors := ask(t, s, AdminToken, "POST", prefix+"by-group", fmt.Sprintf(`{"group_id":%q,"limit":2}`, group.str("id"))).array("data")
	return map[string]string{
		"eyJmIjpbInRzX2RheSJdLCJ2IjpbIjIwMjYtMDgtMDQiXX0=": group.str("id"),
		"b7c1e0d2-55": vectors[0].(*object).str("vector_id"),
		"b7c1e0d2-56": vectors[1].(*object).str("vector_id"),
	}
}

func seedView(t *testing.T, s *Server) map[string]string {
	t.Helper()
	view := ask(t, s, AdminToken, "POST", "/v1/client/4711/attack-views",
		`{"name":"Payments, blocked only","description":"weekly look","config":{"groupBy":"type"}}`)
	return map[string]string{"attack-views/42": fmt.Sprintf("attack-views/%d", view.int("id"))}
}

func seedDenied(t *testing.T, s *Server) map[string]string {
	t.Helper()
	ask(t, s, OtherToken, "POST", "/v1/blocklist/clients/5150/access_rules", `{"list":"block","force":false,
		"reason":"credential stuffing","application_ids":[0],"expired_at":1756304800,
		"rules":[{"rules_type":"subnet","values":["203.0.113.7"]}]}`)
	return nil
}

func seedSession(t *testing.T, s *Server) map[string]string {
	t.Helper()
	fromPage("api_sessions", blockName{"sessions", "5.2", 2})(t, s)
	for _, o := range s.Objects("api_sessions") {
		session, err := parseObject(o)
		require.NoError(t, err)
		one, err := parseObject([]byte(wireBlocks(t)[blockName{"sessions", "5.3", 1}].text))
		require.NoError(t, err)
		put(t, s, "api_sessions", string(appendJSON(nil, session.merge(one.object("body")))))
	}
	row, err := parseObject([]byte(wireBlocks(t)[blockName{"sessions", "6.2", 2}].text))
	require.NoError(t, err)
	request := row.array("body")[0].(*object)
	one, err := parseObject([]byte(wireBlocks(t)[blockName{"sessions", "6.3", 2}].text))
	require.NoError(t, err)
	put(t, s, "api_session_requests", string(appendJSON(nil, one.object("body").merge(request).
		set("client_id", OtherClientID).set("session_id", "5f0c7be2a9d14e38"))))
	return nil
}

func seedConfigs(t *testing.T, s *Server) map[string]string {
	t.Helper()
	for _, kind := range []string{"default", "custom"} {
		_, err := s.AddRule(fmt.Sprintf(`{"type":"credentials_regex","clientid":4521,"action":[],"regex":"^pass$","login_regex":"^user$",
			"case_sensitive":false,"cred_stuff_type":%q}`, kind))
		require.NoError(t, err)
	}
	return nil
}
