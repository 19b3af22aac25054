package wallarmtest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// seedSmall stores a few attacks whose counts are known.
func seedSmall(s *Server) []EventID {
	return s.SeedAttacks(
		Attack{Type: "sqli", Domain: "shop.example.net", Path: "/search", Time: noon.Add(-4 * time.Hour), Hits: []Hit{
			{Time: noon.Add(-4 * time.Hour), IP: "198.51.100.7", Country: "NL", BlockStatus: "blocked", RequestID: "5f0c9d7e2b1a4c3d8e6f708192a3b4c5"},
			{Time: noon.Add(-3 * time.Hour), IP: "198.51.100.7", Country: "NL", Value: "2"},
			{Time: noon.Add(-1 * time.Hour), IP: "2001:db8::9", Value: "3", StatusCode: 404},
		}},
		Attack{Type: "xss", Domain: "pay.example.net", Path: "/cart/{parameter_1}", Method: "POST", Time: noon.Add(-2 * time.Hour), VulnID: 90210,
			Point: []any{"post", "form_urlencoded", "comment"},
			Hits:  []Hit{{IP: "203.0.113.5", Country: "US", BlockStatus: "blocked", RequestID: "5f0c9d7e2b1a4c3d8e6f708192a3b4c5"}}},
		Attack{Type: "credential_stuffing", Domain: "pay.example.net", Path: "/login", Method: "POST", Time: noon.Add(-30 * time.Hour),
			Hits: []Hit{{IP: "203.0.113.6", StatusCode: 401, Extra: `{"compromised_logins":["user17@example.net","b,c"],"user":["u1"]}`}}},
		Attack{Type: "gql_depth", Time: noon.Add(-90 * time.Minute), Hits: []Hit{{BlockStatus: "blocked"}}},
		Attack{ClientID: OtherClientID, Type: "rce", Time: noon.Add(-time.Hour)},
	)
}

func TestHitStatistics(t *testing.T) {
	s := NewServer(t, fixedClock())
	ids := seedSmall(s)
	start := noon.Add(-4 * time.Hour).Unix()
	attack := fmt.Sprintf(`"attackid":[%q,%q],"time":[[%d,%d]]`, ids[0].Index, ids[0].Doc, start, noon.Unix())
	stats := fmt.Sprintf("?client_id=4711&start_time=%d&end_time=%d", start, noon.Unix())
	for _, test := range []struct{ method, path, body, want string }{
		{
			"POST", "/v1/objects/attack/hit_count", `{"filter":{"clientid":[4711],"ip":["198.51.100.7"],` + attack + `},"points":4}`,
			`{"all":[1,1,0,1],"filtered":[1,1,0,0]}`,
		},
		{
			"POST", "/v1/objects/attack/ip_count", `{"filter":{"clientid":[4711],` + attack + `},"points":2}`,
			`{"all":[1,1],"filtered":[1,1]}`,
		},
		{
			"POST", "/v1/objects/attack/aggs_terms", `{"filter":{"clientid":[4711]},"terms":["domain","type"]}`,
			`{"domain":["pay.example.net","shop.example.com","shop.example.net"],"type":["credential_stuffing","gql_depth","sqli","xss"]}`,
		},
		{
			"POST", "/v1/objects/hit/ips", `{"filter":{"clientid":[4711],"type":["sqli"]}}`,
			`{"ipv4":["198.51.100.7"],"ipv6":["2001:db8::9"]}`,
		},
		{
			"POST", "/v1/objects/hit/aggs_terms", `{"filter":{"clientid":[4711],"type":["sqli"]},"terms":["remote_country","statuscode","attack_id","remote_addr6"]}`,
			`{"remote_country":["NL"],"statuscode":[200,403,404],"attack_id":["` + ids[0].Doc + `"],"remote_addr6":["2001:db8::9"]}`,
		},
		{
			"POST", "/v1/objects/hit/aggs_term_counts", `{"filter":{"clientid":[4711]},"terms":["domain"],"top":2}`,
			`{"domain":{"shop.example.net":3,"pay.example.net":2}}`,
		},
		{"GET", "/v1/objects/hit/aggs_counts" + stats + "&terms=domain,remote_country", "", `{"domain":3,"remote_country":2}`},
		{
			"GET", "/v1/objects/hit/mitigations/stats" + stats, "",
			`{"api_abuse":{"blocked":0,"total":0},"credential_stuffing":{"blocked":0,"total":0},"graphql":{"blocked":1,"total":1},
			  "overlimit_res":{"blocked":0,"total":0},"vpatch":{"blocked":0,"total":0}}`,
		},
		{
			"POST", "/v2/hits/summary", fmt.Sprintf(`{"filter":{"clientid":4711,"time":[[%d,%d]],"poolid":-1}}`, start, noon.Unix()),
			`{"hits":5,"incidents":1,"blocked":3}`,
		},
		{"GET", "/v2/client/4711/hits_sampling_status", "", `{"active":false}`},
	} {
		status, answer := send(t, s, AdminToken, test.method, test.path, test.body)
		require.Equal(t, http.StatusOK, status, "%s: %s", test.path, answer)
		require.JSONEq(t, `{"status":200,"body":`+test.want+`}`, answer, test.path)
	}
	status, answer := send(t, s, AdminToken, "POST", "/v1/objects/hit/compromised_logins/csv", `{"filter":{"clientid":[4711]}}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "requested_domain,login,date_detected,source_ip,response_code\n"+
		"pay.example.net,user17@example.net,2026-08-03 06:00:00 UTC,203.0.113.6,401\n"+
		"pay.example.net,\"b,c\",2026-08-03 06:00:00 UTC,203.0.113.6,401\n", answer)
}

func TestHitStatisticsRefuse(t *testing.T) {
	s := NewServer(t, fixedClock())
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/v1/objects/attack/hit_count", `{"filter":{}}`, 400, `"points":{"error":"required"}`},
		{"POST", "/v1/objects/attack/ip_count", `{"filter":{},"points":3}`, 400, `"filter.attackid":{"error":"required"}`},
		{"POST", "/v1/objects/hit/aggs_terms", `{"filter":{}}`, 400, `"terms":{"error":"required"}`},
		{"POST", "/v1/objects/hit/aggs_terms", `{"filter":{},"terms":["nonsense"]}`, 400, `"terms":{"error":"invalid","value":"nonsense"}`},
		{"POST", "/v1/objects/hit/aggs_term_counts", `{"filter":{},"terms":["domain"]}`, 400, `"top":{"error":"required"}`},
		{"GET", "/v1/objects/hit/aggs_counts?terms=domain", ``, 400, `"client_id":{"error":"required"}`},
		{"GET", "/v1/objects/hit/mitigations/stats?client_id=5150", ``, 403, `Check permissions failed`},
		{"GET", "/v1/objects/hit/mitigations/stats?client_id=4711&start_time=x", ``, 400, `"start_time":{"error":"invalid","value":"x"}`},
		{"POST", "/v2/hits/summary", `{"filter":{"clientid":5150}}`, 403, `Check permissions failed`},
		{"GET", "/v2/client/5150/hits_sampling_status", ``, 403, `Check permissions failed`},
		{"GET", "/v2/client/4711/dropped_raw_hits/abc", ``, 404, `Not found`},
	} {
		status, answer := send(t, s, AdminToken, test.method, test.path, test.body)
		require.Equal(t, test.status, status, "%s: %s", test.path, answer)
		require.Contains(t, answer, test.want, test.path)
	}
}

func TestSamplingAndDroppedRequests(t *testing.T) {
	s := NewServer(t)
	_, err := s.Put("hits_sampling", `{"active":true}`)
	require.NoError(t, err)
	_, err = s.Put("dropped_raw_hits", `{"client_id":4711,"request_id":"5f0c9d7e2b1a4c3d8e6f708192a3b4c5","response_status":"200","hits":[{}]}`)
	require.NoError(t, err)
	_, answer := send(t, s, AdminToken, "GET", "/v2/client/4711/hits_sampling_status", "")
	require.JSONEq(t, `{"status":200,"body":{"active":true}}`, answer)
	_, answer = send(t, s, AdminToken, "GET", "/v2/client/4711/dropped_raw_hits/5f0c9d7e2b1a4c3d8e6f708192a3b4c5", "")
	require.JSONEq(t, `{"status":200,"body":{"client_id":4711,"request_id":"5f0c9d7e2b1a4c3d8e6f708192a3b4c5","response_status":"200","hits":[{}]}}`, answer)
}
