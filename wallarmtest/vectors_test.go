package wallarmtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const vectorsPath = "/v1/client/4711/attack-vectors/"

// queryRows makes a query and returns its rows.
func queryRows(t *testing.T, s *Server, body string) []*object {
	t.Helper()
	var rows []*object
	for _, e := range call200(t, s, "POST", vectorsPath+"security-agg/query", body).array("data") {
		rows = append(rows, e.(*object))
	}
	return rows
}

func TestVectorQueryGroups(t *testing.T) {
	s := NewServer(t, fixedClock())
	seedSmall(s)
	rows := queryRows(t, s, `{"preset":"type","time_range":"-7d",
		"select":["attack_types","hosts","status_codes","requests_count","unique_ips","blocked_count","status","response_time_avg","max_request_time","attack_name"],
		"order_by":[{"field":"requests_count","desc":true},{"field":"attack_type","desc":false}]}`)
	require.Len(t, rows, 4)
	first := rows[0].clone()
	require.NotEmpty(t, first.str("id"))
	first.del("id")
	require.JSONEq(t, `{"ts_day":"2026-08-04","attack_type":"sqli","attack_type_label":"SQL Injection",
		"attack_types":{"count":1,"values":["sqli"]},"hosts":{"count":1,"values":["shop.example.net"]},
		"status_codes":{"count":3,"values":["404","200","403"]},"requests_count":3,"unique_ips":2,"blocked_count":1,
		"status":"Partially Blocked","response_time_avg":41.0,"max_request_time":"2026-08-04T11:00:00Z","attack_name":"SQL Injection"}`,
		string(appendJSON(nil, first)))
	require.Equal(t, "2026-08-03", rows[1].str("ts_day"), "one row for each day and type")

	rows = queryRows(t, s, `{"select":["hosts"],"group_by":["path","ts_hour"],"time_range":"-24h"}`)
	require.Len(t, rows, 5)
	require.Equal(t, "2026-08-04T11:00:00Z", rows[0].str("ts_hour"))
	require.Equal(t, "/search", rows[0].str("normalized_path"))
	require.EqualValues(t, 1, rows[0].int("requests_count"), "a metric is added when none is selected")
	require.Len(t, queryRows(t, s, `{"preset":"none","select":["requests_count"],"time_range":"-2d"}`), 4)
	require.Len(t, queryRows(t, s, `{"preset":"host","select":["requests_count"]}`), 3, "the last 24 hours by default")
	require.Len(t, queryRows(t, s, `{"select":["requests_count"],"time_range":"-6m"}`), 2, "without grouping, rows are days")
}

func TestVectorConditions(t *testing.T) {
	s := NewServer(t, fixedClock())
	seedSmall(s)
	condition := func(field, op string, values ...string) string {
		return fmt.Sprintf(`{"kind":"condition","field":%q,"op":%q,"values":["%s"]}`, field, op, strings.Join(values, `","`))
	}
	group := func(op string, children ...string) string {
		return fmt.Sprintf(`{"kind":"group","op":%q,"children":[%s]}`, op, strings.Join(children, ","))
	}
	for _, test := range []struct{ where, want string }{
		{condition("host", "in", "shop.example.net", "*.pay.example.net"), "sqli"},
		{condition("host", "=", "*.EXAMPLE.net"), "credential_stuffing sqli xss"},
		{condition("normalized_path", "=", "/cart/*"), "xss"},
		{condition("ip", "=", "198.51.100.0/24"), "sqli"},
		{condition("ip", "!=", "203.0.113.?"), "gql_depth sqli"},
		{condition("country", "=", "__none__"), "credential_stuffing gql_depth sqli"},
		{condition("status_code", "=", "4"), "credential_stuffing gql_depth sqli xss"},
		{condition("status_code", ">=", "404"), "sqli"},
		{condition("status_code_group", "in", "2xx"), "sqli"},
		{condition("user", "=", "u1"), "credential_stuffing"},
		{condition("cwe_id", "=", "CWE-79"), "xss"},
		{condition("requests_count", ">", "2"), "sqli"},
		{condition("unique_ips", ">=", "2"), "sqli"},
		{condition("status", "=", "Blocked"), "gql_depth xss"},
		{condition("status", "!=", "Monitoring"), "gql_depth sqli xss"},
		{condition("min_request_time", ">=", "2026-08-04T10:00:00Z"), "gql_depth xss"},
		{condition("payload_search", "=", "' OR '"), "credential_stuffing gql_depth sqli xss"},
		{condition("application_id", "=", "-1"), "credential_stuffing gql_depth sqli xss"},
		{condition("experimental", "=", "true"), ""},
		{group("or", condition("attack_type", "=", "xss"), condition("country", "=", "NL")), "sqli xss"},
		{group("and", condition("country", "=", "NL"), condition("requests_count", "<", "2")), ""},
		{group("or", condition("requests_count", ">", "2"), condition("blocked_count", ">", "0")), "gql_depth sqli xss"},
		{`{"kind":"condition","field":"context_param","key":"tenant","op":"is_empty","values":[]}`, "credential_stuffing gql_depth sqli xss"},
		{`"host = 'shop.example.net' AND attack_type IN ('xss','sqli')"`, "sqli"},
		{`"(country = 'US' or status_code >= 404) and host <> 'nonsense'"`, "sqli xss"},
	} {
		var kinds []string
		for _, row := range queryRows(t, s, `{"preset":"type","select":["requests_count"],"time_range":"-30d","where":`+test.where+
			`,"order_by":[{"field":"attack_type"}]}`) {
			kinds = append(kinds, row.str("attack_type"))
		}
		require.Equal(t, test.want, strings.Join(kinds, " "), test.where)
	}
}

func TestVectorQueriesRefused(t *testing.T) {
	s := NewServer(t, fixedClock())
	deep, wide := `{"kind":"condition","field":"host","op":"=","values":["a"]}`, []string{}
	for range 10 {
		deep = `{"kind":"group","op":"and","children":[` + deep + `]}`
	}
	for range 100 {
		wide = append(wide, `{"kind":"condition","field":"host","op":"=","values":["a"]}`)
	}
	where := func(w string) string { return `{"select":["requests_count"],"where":` + w + `}` }
	for body, want := range map[string]string{
		`{}`:                      `"select":{"required":`,
		`{"select":["nonsense"]}`: `"select":{"invalid":`,
		`{"select":["hosts"],"preset":"type","group_by":["host"]}`:  `"group_by":{"exclusive":`,
		`{"select":["hosts"],"preset":"nonsense"}`:                  `"preset":{"invalid":`,
		`{"select":["hosts"],"group_by":["status"]}`:                `"group_by":{"invalid":`,
		`{"select":["hosts"],"time_range":"24h"}`:                   `"time_range":{"invalid":`,
		`{"select":["hosts"],"time_range":"-169h"}`:                 `"time_range":{"invalid":`,
		`{"select":["hosts"],"time_range":"1785542400-1801542400"}`: `"time_range":{"invalid":`,
		`{"select":["hosts"],"limit":101}`:                          `"limit":{"invalid":`,
		`{"select":["hosts"],"cursor":"eA=="}`:                      `"cursor":{"invalid":`,
		`{"select":["hosts"],"order_by":[{"field":"hosts"}]}`:       `"order_by":{"invalid":`,
		where(deep): `"where":{"too_complex":`,
		where(`{"kind":"group","op":"and","children":[` + strings.Join(wide, ",") + `]}`):                                                      `"where":{"too_complex":`,
		where(`{"kind":"group","op":"not","children":[]}`):                                                                                     `"where":{"op":`,
		where(`{"kind":"condition","field":"host","op":"like","values":["a"]}`):                                                                `"where":{"op":`,
		where(`{"kind":"condition","field":"host","op":"=","values":[1]}`):                                                                     `"where":{"values":`,
		where(`{"kind":"condition","field":"nonsense","op":"=","values":["a"]}`):                                                               `"where":{"field":`,
		where(`{"kind":"condition","field":"payload_search","op":"=","values":["ab"]}`):                                                        `"where":{"values":`,
		where(`{"kind":"condition","field":"context_param","op":"=","values":["a"]}`):                                                          `"where":{"key":`,
		where(`{"kind":"condition","field":"requests_count","op":">","values":["a"]}`):                                                         `"where":{"values":`,
		where(`{"kind":"group","op":"or","children":[` + wide[0] + `,{"kind":"condition","field":"requests_count","op":">","values":["1"]}]}`): `"where":{"mixed":`,
		where(`"host = "`):       `"where":{"sql":`,
		where(`"drop table x;"`): `"where":{"sql":`,
		where(`17`):              `"where":{"invalid":`,
	} {
		status, answer := send(t, s, AdminToken, "POST", vectorsPath+"security-agg/query", body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Contains(t, answer, want, body)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v1/client/5150/attack-vectors/security-agg/query", `{"select":["hosts"]}`)
	require.Equal(t, http.StatusForbidden, status)
}

func TestVectorCursors(t *testing.T) {
	s := NewServer(t, fixedClock())
	for i := range 7 {
		s.SeedAttacks(Attack{Domain: fmt.Sprintf("h%d.example.com", i), Time: noon.Add(-time.Hour)})
	}
	page := func(cursor string) *object {
		return call200(t, s, "POST", vectorsPath+"security-agg/query",
			fmt.Sprintf(`{"select":["requests_count"],"group_by":["host"],"order_by":[{"field":"host"}],"time_range":"-2h","limit":3,"cursor":%q}`, cursor))
	}
	hosts := func(answer *object) string {
		out := ""
		for _, e := range answer.array("data") {
			out += e.(*object).str("host")[:2]
		}
		return out
	}
	first := page("")
	require.Equal(t, "h0h1h2", hosts(first))
	require.True(t, first.has("prev_cursor") && first.get("prev_cursor") == nil)
	s.Advance(time.Minute)
	s.SeedAttacks(Attack{Domain: "h00.example.com"})
	second := page(first.str("next_cursor"))
	require.Equal(t, "h3h4h5", hosts(second), "what arrives meanwhile shifts nothing")
	third := page(second.str("next_cursor"))
	require.Equal(t, "h6", hosts(third))
	require.Nil(t, third.get("next_cursor"))
	require.Equal(t, "h3h4h5", hosts(page(third.str("prev_cursor"))))
	require.Equal(t, "h0h1h2", hosts(page(second.str("prev_cursor"))))
	status, answer := send(t, s, AdminToken, "POST", vectorsPath+"security-agg/query",
		fmt.Sprintf(`{"select":["hosts"],"group_by":["host"],"limit":3,"cursor":%q}`, first.str("next_cursor")))
	require.Equal(t, http.StatusBadRequest, status, "the cursor belongs to another query")
	require.Contains(t, answer, `"cursor"`)
	only := call200(t, s, "POST", vectorsPath+"security-agg/query", `{"select":["hosts"]}`)
	require.False(t, only.has("next_cursor") || only.has("prev_cursor"), "both are absent when all fits one page")
}

func TestVectorDrillDownAndMarks(t *testing.T) {
	s := NewServer(t, fixedClock())
	seedSmall(s)
	row := queryRows(t, s, `{"preset":"type","select":["requests_count"],"where":{"kind":"condition","field":"country","op":"=","values":["NL"]}}`)[0]
	vectors := func(limit int, cursor string) *object {
		return call200(t, s, "POST", vectorsPath+"by-group", fmt.Sprintf(`{"group_id":%q,"limit":%d,"cursor":%q}`, row.str("id"), limit, cursor))
	}
	first := vectors(1, "")
	require.True(t, first.bool("has_more"))
	newest := first.array("data")[0].(*object)
	require.Equal(t, "2", newest.array("payloads")[0])
	second := vectors(1, first.str("cursor"))
	require.False(t, second.bool("has_more"))
	oldest := second.array("data")[0].(*object).clone()
	id := oldest.str("vector_id")
	oldest.del("vector_id")
	require.JSONEq(t, `{"request_id":"5f0c9d7e2b1a4c3d8e6f708192a3b4c5","type":"sqli","host":"shop.example.net","normalized_path":"/search",
		"method":"GET","point":"get.q","payloads":["1' or '1'='1"],"remote_addr4":"198.51.100.7","country":"NL","response_status_code":403,
		"block_status":"blocked","request_time":"2026-08-04T08:00:00Z","mark":"","cwe_ids":["CWE-89"],"cve_ids":[]}`, string(appendJSON(nil, oldest)))

	mark := func(body, want string) {
		t.Helper()
		_, answer := send(t, s, AnalystToken, "POST", vectorsPath+"mark", body)
		require.JSONEq(t, want, answer)
	}
	falsePositives := func() int {
		return len(bodyList(t, call200(t, s, "POST", "/v1/objects/hit", `{"filter":{"clientid":4711,"state":"falsepositive"}}`)))
	}
	mark(fmt.Sprintf(`{"vector_ids":[%q,"nonsense"],"mark":"fp"}`, id), `{"marked_count":1}`)
	require.Equal(t, 1, falsePositives(), "the older routes see the verdict")
	require.Equal(t, "fp", vectors(2, "").array("data")[1].(*object).str("mark"))
	mark(`{"request_ids":["5f0c9d7e2b1a4c3d8e6f708192a3b4c5"],"mark":"tp"}`, `{"marked_count":2}`)
	require.Zero(t, falsePositives())
	mark(fmt.Sprintf(`{"group_id":%q,"mark":"fp"}`, row.str("id")), `{"marked_count":2}`)
	require.Equal(t, 2, falsePositives())
	mark(fmt.Sprintf(`{"group_id":%q,"mark":""}`, row.str("id")), `{"marked_count":2}`)
	require.Zero(t, falsePositives())

	for body, want := range map[string]string{
		`{"mark":"fp"}`:                                   `"exactly_one"`,
		`{"vector_ids":["a"]}`:                            `"mark":{"required":`,
		`{"vector_ids":["a"],"mark":"x"}`:                 `"mark":{"invalid":`,
		`{"group_id":"eA==","mark":"fp"}`:                 `"group_id":{"invalid":`,
		`{"group_id":"a","vector_ids":["b"],"mark":"fp"}`: `"exactly_one"`,
	} {
		status, answer := send(t, s, AdminToken, "POST", vectorsPath+"mark", body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Contains(t, answer, want, body)
	}
	status, _ := send(t, s, AuditorToken, "POST", vectorsPath+"mark", `{"vector_ids":["a"],"mark":"fp"}`)
	require.Equal(t, http.StatusForbidden, status)
	documented := call200(t, s, "POST", vectorsPath+"by-group", `{"group_id":"eyJmIjpbInRzX2RheSJdLCJ2IjpbIjIwMjYtMDgtMDQiXX0=","limit":500}`)
	require.Len(t, documented.array("data"), 5, "the documented id stands for a day")
	status, answer := send(t, s, AdminToken, "POST", vectorsPath+"by-group", `{"limit":3}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.JSONEq(t, `{"status":400,"body":{"group_id":{"required":"group_id is required"}}}`, answer)
}

func TestVectorTimeZone(t *testing.T) {
	s := NewServer(t, fixedClock())
	s.SeedAttacks(Attack{Time: time.Date(2026, 8, 3, 23, 30, 0, 0, time.UTC)})
	for zone, want := range map[string]string{"": "2026-08-03", "Asia/Tokyo": "2026-08-04", "nonsense": "2026-08-03"} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+vectorsPath+"security-agg/query",
			strings.NewReader(fmt.Sprintf(`{"select":["requests_count"],"time_range":"%d-%d"}`, noon.AddDate(0, 0, -7).Unix(), noon.Unix())))
		require.NoError(t, err)
		req.Header.Set("X-WallarmApi-Token", AdminToken)
		req.Header.Set("X-Time-Zone", zone)
		resp, err := s.Client().Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Contains(t, string(body), `"ts_day":"`+want+`"`, zone)
	}
}

func TestVectorStats(t *testing.T) {
	s := NewServer(t, fixedClock())
	seedSmall(s)
	_, answer := send(t, s, AdminToken, "POST", vectorsPath+"security-agg/stats", `{"time_range":"-24h","widgets":[
		{"type":"single_value","field":"blocked_count","title":"Blocked"},
		{"type":"pie_chart","field":"attack_vectors_count","group_by":"status_code_group","limit":4,"title":"Codes"},
		{"type":"top_list","field":"unique_ips","group_by":"attack_type","limit":1,"title":"Types"},
		{"type":"timeseries","field":"requests_count","group_by":"ts_hour"}]}`)
	require.JSONEq(t, `{"widgets":[
		{"type":"single_value","title":"Blocked","data":[{"label":"Total","key":"","value":2}]},
		{"type":"pie_chart","title":"Codes","data":[
			{"label":"4xx","key":"4xx","value":4,"percentage":80.0},{"label":"2xx","key":"2xx","value":1,"percentage":20.0}]},
		{"type":"top_list","title":"Types","data":[{"label":"SQL Injection","key":"sqli","value":2,"percentage":50.0}]},
		{"type":"timeseries","data":[
			{"label":"2026-08-04T08:00:00Z","key":"2026-08-04T08:00:00Z","value":1},
			{"label":"2026-08-04T09:00:00Z","key":"2026-08-04T09:00:00Z","value":1},
			{"label":"2026-08-04T10:00:00Z","key":"2026-08-04T10:00:00Z","value":2},
			{"label":"2026-08-04T11:00:00Z","key":"2026-08-04T11:00:00Z","value":1}]}]}`, answer)
	for body, want := range map[string]string{
		`{}`: `"widgets":{"required":`,
		`{"widgets":[{"type":"x","field":"blocked_count"}]}`:                                     `"widgets[0].type"`,
		`{"widgets":[{"type":"single_value","field":"host"}]}`:                                   `"widgets[0].field"`,
		`{"widgets":[{"type":"top_list","field":"blocked_count"}]}`:                              `"widgets[0].group_by":{"required":`,
		`{"widgets":[{"type":"timeseries","field":"blocked_count","group_by":"host"}]}`:          `"widgets[0].group_by":{"invalid":`,
		`{"widgets":[{"type":"single_value","field":"blocked_count","limit":0}],"where":"x"}`:    `"widgets[0].limit"`,
		`{"widgets":[{"type":"single_value","field":"blocked_count"}],"where":"x"}`:              `"where"`,
		`{"widgets":[{"type":"single_value","field":"blocked_count"}],"time_range":"yesterday"}`: `"time_range"`,
	} {
		status, answer := send(t, s, AdminToken, "POST", vectorsPath+"security-agg/stats", body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Contains(t, answer, want, body)
	}
}

func TestVectorExport(t *testing.T) {
	s := NewServer(t, fixedClock())
	seedSmall(s)
	status, answer := send(t, s, AuditorToken, "POST", vectorsPath+"security-agg/export",
		`{"preset":"source_ip","select":["ips","requests_count"],"time_range":"-7d","email":"soc@example.net"}`)
	require.Equal(t, http.StatusAccepted, status)
	require.JSONEq(t, `{"export_id":"exp-20260804-9301","status":"accepted"}`, answer)
	require.Contains(t, string(s.Objects("attack_exports")[0]), `"email":"soc@example.net"`)
	status, answer = send(t, s, AdminToken, "POST", vectorsPath+"security-agg/export", `{"select":["ips"]}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, answer, `"email":{"required":`)
}

// TestVectorSchemaTellsTheTruth asks for everything that the schema offers.
func TestVectorSchemaTellsTheTruth(t *testing.T) {
	s := NewServer(t, fixedClock())
	seedSmall(s)
	schema := call200(t, s, "GET", vectorsPath+"security-agg/query/schema", "")
	for _, e := range schema.array("select_fields") {
		queryRows(t, s, fmt.Sprintf(`{"select":[%q],"preset":"type"}`, e.(*object).str("name")))
		if e.(*object).bool("sortable") {
			queryRows(t, s, fmt.Sprintf(`{"select":["requests_count"],"order_by":[{"field":%q,"desc":true}]}`, e.(*object).str("name")))
		}
	}
	for _, e := range schema.array("group_by_fields") {
		queryRows(t, s, fmt.Sprintf(`{"select":["requests_count"],"group_by":[%q],"limit":1}`, e.(*object).str("name")))
	}
	for _, e := range schema.array("grouping_presets") {
		queryRows(t, s, fmt.Sprintf(`{"select":["requests_count"],"preset":%q,"limit":1}`, e.(*object).str("value")))
	}
	for _, e := range schema.array("where_fields") {
		f := e.(*object)
		for _, op := range stringsOf(f.get("operators")) {
			key := ""
			if f.str("type") == "key_value" {
				key = `"key":"tenant",`
			}
			queryRows(t, s, fmt.Sprintf(`{"select":["requests_count"],"where":{"kind":"condition",%s"field":%q,"op":%q,"values":["200"]}}`,
				key, f.str("name"), op))
		}
	}
	for _, e := range schema.array("stats_group_by_fields") {
		call200(t, s, "POST", vectorsPath+"security-agg/stats",
			fmt.Sprintf(`{"widgets":[{"type":"top_list","field":"requests_count","group_by":%q}]}`, e.(*object).str("name")))
	}
}
