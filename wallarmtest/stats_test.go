package wallarmtest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func statsCloud(t *testing.T) *Server {
	s := NewServer(t, fixedClock())
	s.SeedAttacks(
		Attack{Type: "sqli", Target: "database", Time: noon.Add(-3 * time.Hour), Hits: []Hit{
			{Country: "NL", Tor: true}, {Country: "NL", Datacenter: "aws", Time: noon.Add(-time.Hour), BlockStatus: "blocked"},
		}},
		Attack{Type: "bola", VulnID: 7, PoolID: 12, Time: noon.Add(-time.Hour)},
		Attack{Type: "xss", ClientID: OtherClientID, Time: noon.Add(-time.Hour)},
	)
	s.AddVuln(Vuln{ID: 7, Type: "bola", Threat: 90, Found: noon.Add(-time.Hour)})
	s.AddVuln(Vuln{ID: 8, Type: "xss", Threat: 10, Found: noon.Add(-time.Hour)})
	return s
}

func TestGraphs(t *testing.T) {
	s := statsCloud(t)
	body := func(more string) string {
		return fmt.Sprintf(`{"start_time":%d,"end_time":%d,"points_count":4,"interpolation":"linear"%s}`, noon.Add(-4*time.Hour).Unix(), noon.Unix(), more)
	}
	for _, test := range []struct{ path, more, want string }{
		{"attacks/client/4711", "", "[0 1 0 1]"},
		{"incidents/client/4711", "", "[0 0 0 1]"},
		{"vulns/client/4711", "", "[0 0 0 2]"},
		{"vulns/client/4711", `,"threat":"high"`, "[0 0 0 1]"},
		{"requests/client/4711", "", "[0 1 0 2]"},
		{"blacklist_size/client/4711/full", "", "[0 0 0 0]"},
	} {
		got := []string{}
		for i, e := range call200(t, s, "POST", "/v2/graph_data/"+test.path, body(test.more)).array("body") {
			point := e.([]any)
			at, _ := asInt(point[0])
			n, _ := asInt(point[1])
			require.Equal(t, noon.Add(time.Duration(i-4)*time.Hour).Unix(), at)
			got = append(got, fmt.Sprint(n))
		}
		require.Equal(t, test.want, fmt.Sprint(got), test.path)
	}
	for _, path := range []string{"rps/client/4711", "rps/node/" + sampleNode, "rps/cloud_node/" + sampleNode} {
		point := call200(t, s, "POST", "/v2/graph_data/"+path, body("")).array("body")[3].([]any)
		require.Contains(t, string(appendJSON(nil, point)), "0.000555")
	}
	// A form and a query do as well as JSON.
	require.Len(t, call200(t, s, "POST", "/v2/graph_data/attacks/client/4711?start_time=1&end_time=2&points_count=24", "").array("body"), 24)

	for _, test := range []struct {
		path, body string
		status     int
	}{
		{"attacks/client/4711", `{}`, 400}, {"attacks/client/4711", `{"start_time":2,"end_time":1,"points_count":1}`, 400},
		{"attacks/client/4711", `{"start_time":1,"end_time":2}`, 400}, {"attacks/client/4711", `{"start_time":1,"end_time":2,"points_count":0}`, 400},
		{"attacks/client/4711", `{"start_time":1,"end_time":2,"points_count":1,"interpolation":"cubic"}`, 400},
		{"vulns/client/4711", `{"start_time":1,"end_time":2,"points_count":1,"threat":"extreme"}`, 400},
		{"attacks/client/5150", body(""), 403}, {"attacks/client/x", body(""), 404},
		{"rps/node/00000000-0000-4000-8000-000000000099", body(""), 404},
	} {
		status, answer := send(t, s, AdminToken, "POST", "/v2/graph_data/"+test.path, test.body)
		require.Equal(t, test.status, status, answer)
	}
}

func TestTotals(t *testing.T) {
	s := statsCloud(t)
	period := fmt.Sprintf(`"start_time":%d,"end_time":%d`, noon.Add(-4*time.Hour).Unix(), noon.Unix())
	for _, test := range []struct{ path, body, want string }{
		{"targets/total/client/4711", `{` + period + `}`, `{"attacks":{"database":1,"server":1},"incidents":{"server":1}}`},
		{"attack_types/total/client/4711", `{` + period + `}`, `{"bola":1,"sqli":1}`},
		{"attack_types/total/client/4711", `{` + period + `,"poolid":-1}`, `{"sqli":1}`},
		{
			"attacks_stats/total/client/4711", `{"request_categories":["attacks"],"fields":["countries","datacenters","tors"],` + period + `}`,
			`{"countries":{"NL":2,"unknown":1},"datacenters":{"aws":1,"unknown":2},"tors":{"none":2,"tor":1}}`,
		},
		{
			"summary/monthly/total/client/4711", fmt.Sprintf(`{"year":%d,"month":%d}`, noon.Year(), noon.Month()),
			`{"requests_count":3,"attacks_count":2,"blocked_attacks_count":1}`,
		},
		{"summary/monthly/total/client/4711", `{"year":2020,"month":1}`, `{"requests_count":0,"attacks_count":0,"blocked_attacks_count":0}`},
	} {
		_, answer := send(t, s, AdminToken, "POST", "/v2/graph_data/"+test.path, test.body)
		require.JSONEq(t, `{"status":200,"body":`+test.want+`}`, answer, test.path)
	}
	months := bodyList(t, call200(t, s, "POST", "/v2/graph_data/summary/rpm/client/4711", ""))
	require.Len(t, months, 1)
	require.EqualValues(t, 3, months[0].int("requests_count"))
	for path, body := range map[string]string{
		"targets/total/client/4711": `{}`, "attack_types/total/client/4711": `{` + period + `,"poolid":"x"}`,
		"attacks_stats/total/client/4711": `{` + period + `,"fields":["planets"]}`, "summary/monthly/total/client/4711": `{"year":2026,"month":13}`,
	} {
		status, _ := send(t, s, AdminToken, "POST", "/v2/graph_data/"+path, body)
		require.Equal(t, http.StatusBadRequest, status, path)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v2/graph_data/summary/rpm/client/5150", "")
	require.Equal(t, http.StatusForbidden, status)
}

func TestDashboards(t *testing.T) {
	s := statsCloud(t)
	_, answer := send(t, s, AdminToken, "GET", "/v2/dashboard_state/4711", "")
	require.JSONEq(t, `{"status":200,"body":{"object":{"vulns":true,"scope":false,"nodes":false,"traffic":true,"attacks":true,
		"nodes_active":0,"nodes_count":0,"testrun":false,"requests_amount":3}}}`, answer)

	_, answer = send(t, s, AdminToken, "GET", fmt.Sprintf("/v2/dashboards/owasp_api_2019/4711?time_from=%d", noon.Add(-2*time.Hour).Unix()), "")
	require.JSONEq(t, `{"status":200,"body":{"API1":{"count":1,"by_type":{"bola":1},"by_response_status":{"200":1}},
		"API8":{"count":1,"by_type":{"sqli":1},"by_response_status":{"403":1}}}}`, answer)
	status, answer := send(t, s, AdminToken, "GET", "/v2/dashboards/owasp_api_2019/4711", "")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, answer, `"time_from":{"error":"required"`)

	for _, year := range []string{"2019", "2023"} {
		board := call200(t, s, "GET", "/v2/client/4711/dashboards/owasp_api_"+year+"?time_zone=UTC", "")
		require.EqualValues(t, 2, board.object("vulns").object("all").int("count"))
		bola := board.object("threats").object("API1")
		require.Equal(t, "critical", bola.str("status"))
		require.EqualValues(t, 1, bola.object("attacks").object("all").int("count"))
		require.Len(t, bola.object("vulns").array("by_type"), 1)
		require.Equal(t, "safe", board.object("threats").object("API9").str("status"))
	}
	for _, path := range []string{
		"/v2/dashboard_state/5150", "/v2/dashboards/owasp_api_2019/5150?time_from=1", "/v2/client/5150/dashboards/owasp_api_2023",
	} {
		status, _ := send(t, s, AdminToken, "GET", path, "")
		require.Equal(t, http.StatusForbidden, status, path)
	}
}

func TestSearchPhrases(t *testing.T) {
	s := statsCloud(t)
	search := func(query, more string) *object {
		body := fmt.Sprintf(`{"query":%q,"time_zone":"UTC+0","clientid":[4711]%s}`, query, more)
		return call200(t, s, "POST", "/v1/search", body).object("body")
	}
	now := noon.Unix()
	got := search("attacks sqli last day", `,"hits_type":"only-true"`)
	common := fmt.Sprintf(`"type":["sqli"],"time":[[%d,%d]],"!state":"falsepositive"}`, now-86400, now)
	require.JSONEq(t, `{"attacks":{"vulnid":null,`+common+`,"incidents":{"!vulnid":null,`+common+`,"vulns":null,"testruns":null}`,
		string(appendJSON(nil, got)))
	got = search("incidents sqli !ip:192.0.2.1 statuscode:403 last 24 hours please", `,"hits_type":"all"`)
	require.JSONEq(t, fmt.Sprintf(`{"!vulnid":null,"type":["sqli"],"time":[[%d,%d]],"!ip":["192.0.2.1"],"statuscode":[403]}`, now-86400, now),
		string(appendJSON(nil, got.get("incidents"))))
	got = search("vulnerabilities xss", "")
	require.JSONEq(t, `{"type":"xss"}`, string(appendJSON(nil, got.get("vulns"))))
	require.Nil(t, got.get("attacks"))
	got = search("attacks yesterday", `,"hits_type":"only-false"`)
	require.JSONEq(t, fmt.Sprintf(`{"vulnid":null,"time":[[%d,%d]],"state":"falsepositive"}`, now/86400*86400-86400, now/86400*86400),
		string(appendJSON(nil, got.get("attacks"))))
	// The filters are those that the lists take.
	found := bodyList(t, call200(t, s, "POST", "/v1/objects/attack",
		`{"filter":`+string(appendJSON(nil, search("attacks last 2 weeks", "").get("attacks")))+`}`))
	require.Len(t, found, 1)
	for _, body := range []string{`{}`, `{"query":" "}`, `{"query":"attacks","hits_type":"some"}`, `{"query":"attacks","time_zone":1}`} {
		status, _ := send(t, s, AdminToken, "POST", "/v1/search", body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v1/search", `{"query":"attacks","clientid":[5150]}`)
	require.Equal(t, http.StatusForbidden, status)
}
