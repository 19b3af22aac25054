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
