package wallarmtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// putSessions stores n sessions of the default client, the first of them with
// three requests.
func putSessions(t *testing.T, s *Server, n int) {
	t.Helper()
	for i := range n {
		_, err := s.Put("api_sessions", fmt.Sprintf(`{"session_id":"s%02d","client_id":4711,"app_id":42,"host":"shop.example.com",
			"ip":"203.0.113.7","country":"NL","start_time":%d.25,"end_time":%d.5,"duration":100,"req_count":3,"attack_sum_count":1,
			"attack_counts":[{"sqli":2},{"xss":1}],"uri_counts":[{"/orders":2}],"user_attr_user_counts":[{"alice":3}],
			"method_counts":[{"GET":3}]}`, i, 1787000000+i, 1787000100+i/2))
		require.NoError(t, err)
	}
	_, err := s.Put("api_sessions", `{"session_id":"other","client_id":5150,"start_time":1,"end_time":2}`)
	require.NoError(t, err)
	for i, status := range []int{200, 403, 200} {
		_, err := s.Put("api_session_requests", fmt.Sprintf(`{"session_id":"s00","client_id":4711,"request_id":"r%d",
			"request_time":178700000%d.5,"method":"GET","uri":"/orders?id=%d","response_status_code":%d,"attack_types":["sqli"],
			"application_id":42,"endpoint_id":71001,"ip":"203.0.113.7","ua":"curl/8.9","user_attr_user":"alice","api_ap_bot_id":"b%d"}`, i, i, i, status, i))
		require.NoError(t, err)
	}
}

func TestSessionPagesByKey(t *testing.T) {
	s := NewServer(t)
	putSessions(t, s, 7)
	var got []string
	for position := ""; ; {
		rows := bodyList(t, call200(t, s, "GET", "/v1/traces/sessions?client_id=4711&limit=3"+position, ""))
		for _, o := range rows {
			got = append(got, o.str("session_id"))
			require.False(t, o.has("method_counts"))
			require.False(t, o.has("id"))
		}
		if len(rows) < 3 {
			break
		}
		last := rows[len(rows)-1]
		position = fmt.Sprintf("&page_end_time=%s&page_session_id=%s", appendJSON(nil, last.get("end_time")), last.str("session_id"))
	}
	require.Equal(t, []string{"s06", "s05", "s04", "s03", "s02", "s01", "s00"}, got)
	require.EqualValues(t, 7, call200(t, s, "GET", "/v1/traces/sessions/count?client_id=4711", "").object("body").int("total"))
}

func TestSessionFilters(t *testing.T) {
	s := NewServer(t)
	putSessions(t, s, 2)
	for query, want := range map[string]int64{
		"attack_type=rce,xss": 2, "attack_type=rce": 0, "application_id=1,42": 2, "session_id=s00": 1, "start_time=1787000100.6": 0,
		"end_time=1787000000.25": 1, "uri=/orders": 2, "user_attr_user=alice,bob": 2, "status_code=403": 1, "http_method=PUT": 0,
		"request_id=r1&request_time=1787000001.5": 1, "request_id=r1&request_time=1787000002.5": 0, "by_intervals=true": 2, "host=shop.example.com": 2,
	} {
		require.Equal(t, want, call200(t, s, "GET", "/v1/traces/sessions/count?client_id=4711&"+query, "").object("body").int("total"), query)
	}
	for query, want := range map[string]string{
		"limit=1":                                   `{"client_id":{"required":"client_id is required"}}`,
		"client_id=4711":                            `{"limit":{"required":"limit is required"}}`,
		"client_id=4711&limit=1&request_id=a":       `{"request_time":{"required":"request_time is required"}}`,
		"client_id=4711&limit=1&page_end_time=1":    `{"page_session_id":{"required":"page_session_id is required"}}`,
		"client_id=4711&limit=1&start_time=x":       `{"start_time":{"type":"start_time should be a number"}}`,
		"client_id=4711&limit=1&application_id[]=1": `{"application_id":{"type":"application_id should be given once"}}`,
		"client_id=4711&limit=1&order_by=x":         `{"order_by":{"unknown":"order_by is unknown"}}`,
	} {
		status, answer := send(t, s, AdminToken, "GET", "/v1/traces/sessions?"+query, "")
		require.Equal(t, http.StatusBadRequest, status)
		require.JSONEq(t, `{"status":400,"body":`+want+`}`, answer, query)
	}
	status, _ := send(t, s, AdminToken, "GET", "/v1/traces/sessions?limit=1&client_id=4711,5150", "")
	require.Equal(t, http.StatusForbidden, status)
	row := bodyList(t, call200(t, s, "GET", "/v1/traces/sessions?client_id=4711&limit=1&skip_uri_stat=true", ""))[0]
	require.Empty(t, row.array("uri_counts"))
}

func TestSessionRequests(t *testing.T) {
	s := NewServer(t)
	putSessions(t, s, 1)
	path := "/v1/traces/client/4711/sessions/s00"
	require.True(t, call200(t, s, "GET", path, "").object("body").has("method_counts"))
	rows := bodyList(t, call200(t, s, "GET", path+"/requests?start_time=1787000000&limit=2", ""))
	require.Len(t, rows, 2)
	require.Equal(t, "r2", rows[0].str("request_id"))
	require.False(t, rows[0].has("ua"))
	rows = bodyList(t, call200(t, s, "GET", path+"/requests?start_time=1787000000&limit=2&page_end_time=1787000001.5&page_request_id=r1", ""))
	require.Len(t, rows, 1)
	for query, want := range map[string]int64{
		"": 3, "&status_code=403,404": 1, "&with_any_attack=false": 0, "&api_sessions_disabled=true,false": 3, "&api_sessions_disabled=true": 0,
		"&request_id=r0,r1": 2, "&end_time=1787000000.5": 1, "&api_ap_bot_id=b2": 1,
	} {
		answer := call200(t, s, "GET", path+"/requests/count?start_time=1787000000"+query, "")
		require.Equal(t, want, answer.object("body").int("total"), query)
	}
	one := call200(t, s, "GET", path+"/requests/r1?request_time=1787000001.50", "").object("body")
	require.Equal(t, "b1", one.str("bot_id"))
	require.False(t, one.has("method"))
	_, csv := send(t, s, AdminToken, "GET", path+"/requests/export_csv", "")
	require.True(t, strings.HasPrefix(csv, "request_id,request_time,method,uri,response_status_code\nr2,1787000002.5,GET,/orders?id=2,200\n"), csv)

	for query, want := range map[string]int{
		path + "/requests?start_time=1": 400, path + "/requests?limit=1": 400, path + "/requests/count": 400, path + "/requests/r1": 400,
		path + "/requests/r1?request_time=1": 404, "/v1/traces/client/4711/sessions/none": 404, "/v1/traces/client/5150/sessions/other": 403,
		"/v1/traces/client/4711/sessions/none/requests/count?start_time=1": 200,
	} {
		status, answer := send(t, s, AdminToken, "GET", query, "")
		require.Equal(t, want, status, "%s: %s", query, answer)
	}
	_, statistics := send(t, s, AdminToken, "GET", "/v1/client/4711/api_sessions/attacks/statistics", "")
	require.JSONEq(t, `{"sqli":{"blocked":1,"total":2},"xss":{"blocked":0,"total":1}}`, statistics)
}

func TestSessionSettings(t *testing.T) {
	s := NewServer(t)
	path := "/v1/client/4711/api_sessions/settings"
	_, answer := send(t, s, AdminToken, "GET", path, "")
	require.JSONEq(t, `{"status":200,"body":{"session_max_lifetime":1440,"session_termination_timeout":45}}`, answer)
	for range 2 {
		call200(t, s, "PUT", path, `{"session_max_lifetime":720,"session_termination_timeout":20}`)
	}
	_, answer = send(t, s, AdminToken, "GET", path, "")
	require.JSONEq(t, `{"status":200,"body":{"session_max_lifetime":720,"session_termination_timeout":20}}`, answer)
	status, answer := send(t, s, AdminToken, "PUT", path, `{"session_max_lifetime":0}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.JSONEq(t, `{"status":400,"body":{"session_max_lifetime":{"type":"session_max_lifetime should be a positive integer"},
		"session_termination_timeout":{"required":"session_termination_timeout is required"}}}`, answer)
	status, _ = send(t, s, AuditorToken, "PUT", path, `{"session_max_lifetime":1,"session_termination_timeout":1}`)
	require.Equal(t, http.StatusForbidden, status)
}

func TestSessionExportConfigs(t *testing.T) {
	s := NewServer(t)
	path := "/v4/clients/4711/api_sessions/export_configs"
	made := call200(t, s, "POST", path, `{"conditions":[{"type":"equal","value":"Shop.example.com","point":["header","host"]}],
		"rules":[{"point":[["post"],["json_doc"],["hash","user"]],"sensitive":true,"type":"user","context":"auth","name":"user"}]}`).object("body")
	require.JSONEq(t, `[{"point":["post","json_doc","hash","user"],"sensitive":true,"identifier":false,"priority":0,"type":"user",
		"context":["auth"],"name":"user"}]`, string(appendJSON(nil, made.get("rules"))))
	require.JSONEq(t, `[{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"}]`, string(appendJSON(nil, made.get("conditions"))))
	require.NotZero(t, made.int("action_id"))
	_, err := s.Put("api_session_exports", `{"client_id":4711,"default":true,"rules":[]}`)
	require.NoError(t, err)
	lists := call200(t, s, "GET", path, "").object("body")
	require.Len(t, lists.array("custom"), 1)
	require.Len(t, lists.array("default"), 1)

	one := path + "/" + string(appendJSON(nil, made.get("id")))
	changed := call200(t, s, "PUT", one, `{"rules":[{"point":["post","json_doc","hash","user"],"priority":3},{"point":["get","q"]}]}`).object("body")
	first := changed.array("rules")[0].(*object)
	require.True(t, first.bool("sensitive"))
	require.EqualValues(t, 3, first.int("priority"))
	require.Len(t, changed.array("rules"), 2)
	require.Equal(t, made.int("action_id"), changed.int("action_id"))
	for _, body := range []string{
		`{}`, `{"rules":{}}`, `{"rules":[{"point":["get","q"],"sensitive":true}]}`, `{"rules":[{"point":[["get","q"]]}]}`,
		`{"rules":[{"point":[["get","q"]],"sensitive":true,"type":"name"}]}`, `{"rules":[],"action_id":1}`,
	} {
		status, _ := send(t, s, AdminToken, "POST", path, body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}
	call200(t, s, "DELETE", one, "")
	status, answer := send(t, s, AdminToken, "DELETE", one, "")
	require.Equal(t, http.StatusNotFound, status)
	require.JSONEq(t, `{"status":404,"body":"Not found"}`, answer)
}
