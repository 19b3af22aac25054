package wallarmtest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const apidConfigPath = "/v1/clients/4711/apid/config"

func TestAPIDiscoveryConfig(t *testing.T) {
	s := NewServer(t)
	read := call200(t, s, "GET", apidConfigPath, "").object("body")
	require.False(t, read.has("clientid"))
	require.True(t, read.bool("enabled"))
	require.EqualValues(t, 300, read.object("endpoint_stability").int("min_time"))

	// The page's own example, with a member that nobody knows.
	body := `{
		"clientid": 4711, "enabled": true, "next_year": {"a": 1},
		"protocols": {"rest": true, "graphql": true, "soap": false, "grpc": true, "mcp": true},
		"apply_extended_filter": true, "type_detection_threshold": 0.5, "pii_detection_threshold": 0.1,
		"call_points_storage_limit": 50000,
		"sensitive_samples": {"enabled": false, "min_masked": 20, "max_masked": 80, "mask_symbols": false},
		"disabled_apps": [42], "endpoint_stability": {"min_count": 3, "min_time": 300}, "group_soap": false,
		"server_variability": {
			"enabled": false, "by_date_enabled": false, "by_local_code_enabled": false, "by_email_enabled": false,
			"by_alphanumeric_id_enabled": false, "by_custom_paths": {"enabled": false, "paths": []}
		},
		"allowed_content_types_patterns": ["text/xml", "application/%json"],
		"extensions_whitelist": {"enabled": true, "extensions": ["", "do"]}
	}`
	for range 2 {
		status, answer := send(t, s, AdminToken, "POST", apidConfigPath, body)
		require.Equal(t, http.StatusOK, status, answer)
		require.JSONEq(t, `{"status":200,"body":"OK"}`, answer)
	}
	read = call200(t, s, "GET", apidConfigPath, "").object("body")
	require.JSONEq(t, strings.Replace(body, `"clientid": 4711, `, "", 1), string(appendJSON(nil, read)))
	require.Len(t, s.Objects("api_discovery_configs"), 1)

	for sent, want := range map[string]string{
		`{}`:                            `{"clientid":{"error":"required"}}`,
		`{"clientid":5150}`:             `{"clientid":{"error":"invalid","value":5150}}`,
		`{"clientid":4711,"enabled":1}`: `{"enabled":{"error":"must be boolean","value":1}}`,
		`{"clientid":4711,"server_variability":{"by_custom_paths":{"paths":null}}}`: `{"server_variability":{"by_custom_paths":
			{"paths":{"error":"must be an array","value":null}}}}`,
		`{"clientid":4711,"endpoint_stability":{"min_count":101}}`: `{"endpoint_stability":{"min_count":{"error":"should be in 1..100","value":101}}}`,
		`{"clientid":4711,"type_detection_threshold":1.5}`:         `{"type_detection_threshold":{"error":"should be in 0..1","value":1.5}}`,
		`{"clientid":4711,"protocols":7}`:                          `{"protocols":{"error":"invalid","value":7}}`,
	} {
		status, answer := send(t, s, AdminToken, "POST", apidConfigPath, sent)
		require.Equal(t, http.StatusBadRequest, status)
		require.JSONEq(t, `{"status":400,"body":`+want+`}`, answer, sent)
	}
	for token, path := range map[string]string{AuditorToken: apidConfigPath, OtherToken: apidConfigPath} {
		status, answer := send(t, s, token, "POST", path, body)
		require.Equal(t, http.StatusForbidden, status)
		require.JSONEq(t, `{"status":403,"body":"Check permissions failed"}`, answer)
	}
}

func TestAuthParametersAreNotDeduplicated(t *testing.T) {
	s := NewServer(t)
	path := apidConfigPath + "/auth-parameters"
	before := len(bodyList(t, call200(t, s, "GET", path, "")))
	for _, body := range []string{`{"point":[["header","X-SHOP-AUTH"]]}`, `{"point":[["header","X-SHOP-AUTH"]]}`, `{"point":["get","key"]}`} {
		call200(t, s, "POST", path, body)
	}
	list := bodyList(t, call200(t, s, "GET", path, ""))
	require.Len(t, list, before+3)
	require.Equal(t, []any{"header", "X-SHOP-AUTH"}, list[before].array("point"))
	for _, body := range []string{`{}`, `{"point":[["header"]]}`} {
		status, _ := send(t, s, AdminToken, "POST", path, body)
		require.Equal(t, http.StatusBadRequest, status)
	}
}

const endpointsPath = "/v4/clients/4711/rules/endpoints"

// putEndpoints stores three endpoints: an old one, a changed one, a new one.
func putEndpoints(t *testing.T, s *Server) {
	t.Helper()
	for _, o := range []string{
		`{"id":71001,"method":"GET","url":"shop.example.com/orders/{id}","domain":"shop.example.com","path":"/orders/{id}",
		  "hits_count":12,"conditions":[{"type":"equal","point":["instance"],"value":"42"}],"latest_api_spec_comparisons":
		  [{"id":1,"api_spec_id":6601,"endpoint_id":71001,"version":1,"title":"Shop","shadow":true,"orphan":false,"zombie":false}],
		  "pii_group":["email"],"anchor":"a1","actual":true,"orphan":false,"internal":false,"created_at":1000,"updated_at":1000,
		  "vulns":[{"id":1,"threat":"high"}],"risk_factors":{"query_parameters":1,"parameters_in_body":0,"variables_in_path":1,"pii":1,
		  "multipart_body":false,"accepts_json":true,"accepts_xml":false}}`,
		`{"id":71002,"method":"POST","url":"shop.example.com/orders","domain":"shop.example.com","path":"/orders","hits_count":3,
		  "conditions":[],"latest_api_spec_comparisons":[],"pii_group":[],"anchor":"a2","actual":false,"internal":true,
		  "created_at":1000,"updated_at":3000,"vulns":[],"bola_search_started_trigger_id":7}`,
		`{"id":71003,"method":"GET","url":"api.example.com/","domain":"api.example.com","path":"/","hits_count":0,"conditions":[],
		  "latest_api_spec_comparisons":[],"pii_group":[],"anchor":"a3","actual":true,"internal":false,"created_at":3000,"updated_at":3000,"vulns":[]}`,
		`{"id":71004,"clientid":5150,"method":"GET","url":"bank.example.org/","domain":"bank.example.org","path":"/"}`,
	} {
		_, err := s.Put("api_endpoints", o)
		require.NoError(t, err)
	}
}

func TestAPIEndpointFilters(t *testing.T) {
	s := NewServer(t)
	putEndpoints(t, s)
	for query, want := range map[string][]int64{
		"":                                  {71001, 71002, 71003},
		"filter[domain][]=shop.example.com": {71001, 71002},
		"filter[method][]=GET&filter[method][]=X": {71001, 71003},
		"filter[instance][]=42":                   {71001},
		"filter[instance][]=-1":                   {71002, 71003},
		"filter[actual]=false":                    {71002},
		"filter[with_attacks]=true":               {71001, 71002},
		"filter[with_vulns]=true":                 {71001},
		"filter[vuln_threat][]=high":              {71001},
		"filter[shadow]=true":                     {71001},
		"filter[internal]=true":                   {71002},
		"filter[bola_trigger_present]=true":       {71002},
		"filter[risk_level][]=high":               {71001},
		"filter[api_spec_ids][]=6601":             {71001},
		"filter[pii][]=email":                     {71001},
		"filter[search_query]=orders":             {71001, 71002},
		"filter[modification_since]=2000&filter[modification_state][]=new":      {71003},
		"filter[modification_since]=2000&filter[modification_state][]=outdated": {71002},
		"order_by[][direction]=asc&order_by[][name]=hits_count":                 {71003, 71002, 71001},
		"limit=1&offset=1": {71002},
	} {
		rows := bodyList(t, call200(t, s, "GET", endpointsPath+"?filter[clientid]=4711&"+query, ""))
		var ids []int64
		for _, o := range rows {
			ids = append(ids, o.int("id"))
			require.False(t, o.has("risk_factors"))
		}
		require.Equal(t, want, ids, query)
	}
	// The description draws the filter as a body on the GET.
	rows := bodyList(t, call200(t, s, "GET", endpointsPath, `{"filter":{"clientid":4711,"domain":["api.example.com"]},"limit":10}`))
	require.Len(t, rows, 1)

	for _, query := range []string{
		"", "filter[clientid]=x", "filter[clientid]=4711&filter[risk_score][]=low", "filter[clientid]=4711&limit=1001",
		"filter[clientid]=4711&filter[modification_since]=1", "filter[clientid]=4711&filter[modification_state][]=new",
		"filter[clientid]=4711&filter[api_spec_ids][]=0", "filter[clientid]=4711&order_by[][name]=url&order_by[][direction]=asc",
	} {
		status, _ := send(t, s, AdminToken, "GET", endpointsPath+"?"+query, "")
		require.Equal(t, http.StatusBadRequest, status, query)
	}
	status, _ := send(t, s, AdminToken, "GET", endpointsPath+"?filter[clientid]=5150", "")
	require.Equal(t, http.StatusForbidden, status)

	require.EqualValues(t, 2, call200(t, s, "GET", endpointsPath+"/count?filter[client_id]=4711&filter[method][]=GET", "").int("body"))
	status, _ = send(t, s, AdminToken, "GET", endpointsPath+"/count?filter[actual]=true", "")
	require.Equal(t, http.StatusBadRequest, status)
}

func TestAPIEndpointLifeAndReports(t *testing.T) {
	s := NewServer(t, fixedClock())
	putEndpoints(t, s)
	made := call200(t, s, "POST", endpointsPath, `{"method":"PATCH","url":"shop.example.com/orders/{id}",
		"conditions":[{"type":"equal","value":"orders","point":["path","0"]}]}`).object("body")
	require.Equal(t, "/orders/{id}", made.str("path"))
	require.False(t, made.has("orphan"))
	require.True(t, made.has("risk_factors"))
	require.JSONEq(t, `[{"type":"equal","point":["path",0],"value":"orders"}]`, string(appendJSON(nil, made.get("conditions"))))
	one := endpointsPath + "/" + string(appendJSON(nil, made.get("id")))
	s.Advance(time.Hour)
	changed := call200(t, s, "PUT", one, `{"actual":false}`).object("body")
	require.False(t, changed.bool("actual"))
	require.Greater(t, changed.int("updated_at"), made.int("updated_at"))
	status, answer := send(t, s, AdminToken, "GET", one+"/risk-factors", "")
	require.Equal(t, http.StatusNotFound, status, answer)
	call200(t, s, "DELETE", one, "")
	for _, path := range []string{one, endpointsPath + "/71004"} {
		status, answer = send(t, s, AdminToken, "GET", path, "")
		require.Equal(t, http.StatusNotFound, status)
		require.JSONEq(t, `{"status":404,"body":"Not found"}`, answer)
	}
	require.EqualValues(t, 1, call200(t, s, "GET", endpointsPath+"/71001/risk-factors", "").object("body").int("pii"))
	for _, body := range []string{`{}`, `{"method":"FETCH","url":"x","conditions":[]}`, `{"method":"GET","url":"x","conditions":[{"type":"like"}]}`} {
		status, _ = send(t, s, AdminToken, "POST", endpointsPath, body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}

	require.Len(t, bodyList(t, call200(t, s, "GET", endpointsPath+"/methods", "")), 2)
	domains := bodyList(t, call200(t, s, "GET", endpointsPath+"/domains?instances[]=42", ""))
	require.Len(t, domains, 1)
	require.EqualValues(t, 42, domains[0].object("filter").int("instance"))
	tree := bodyList(t, call200(t, s, "GET", endpointsPath+"/tree?filter[internal]=false", ""))
	require.Len(t, tree, 2)
	require.Equal(t, "GET", tree[1].array("nested")[0].(*object).array("nested")[0].(*object).str("name"))
	stats := call200(t, s, "GET", endpointsPath+"/stats/common", "").object("body")
	require.EqualValues(t, 3, stats.int("total"))
	require.EqualValues(t, 1, stats.int("high_risk_score"))
	require.JSONEq(t, `{"status":200,"body":{"new":1,"changed":0,"outdated":1}}`,
		string(appendJSON(nil, call200(t, s, "GET", endpointsPath+"/stats/changes?modification_since=2000", ""))))
	status, _ = send(t, s, AdminToken, "GET", endpointsPath+"/stats/changes", "")
	require.Equal(t, http.StatusBadRequest, status)
	_, csv := send(t, s, AdminToken, "GET", endpointsPath+"/csv?filter[search_query]=api", "")
	require.Equal(t, "id,method,domain,path,hits_count\n71003,GET,api.example.com,/,0\n", csv)
	_, openAPI := send(t, s, AdminToken, "GET", "/v4/clients/4711/rules/swagger?filter[endpoint_ids][]=71002", "")
	require.Contains(t, openAPI, `"/orders":{"post"`)
	status, _ = send(t, s, AdminToken, "GET", "/v4/clients/4711/rules/swagger?filter[endpoint_ids][]=1", "")
	require.Equal(t, http.StatusNotFound, status)
}

func TestAPIParameters(t *testing.T) {
	s := NewServer(t)
	putEndpoints(t, s)
	path := endpointsPath + "/71001/parameters"
	made := call200(t, s, "POST", path, `{"context":"query","openapi_type":"integer","required":false,"point":["get","page"],
		"name":"page","openapi_format":"int32"}`).object("body")
	require.False(t, made.has("endpoint_id"))
	one := path + "/" + string(appendJSON(nil, made.get("id")))
	changed := call200(t, s, "PUT", one, `{"required":true,"name":null,"pattern_name":"hex"}`).object("body")
	require.True(t, changed.bool("required"))
	require.Nil(t, changed.get("name"))
	require.Equal(t, "integer", changed.str("openapi_type"))
	require.Len(t, bodyList(t, call200(t, s, "GET", path+"?filter[hidden][]=true&filter[hidden][]=false&filter[actual]=true", "")), 1)
	require.Empty(t, bodyList(t, call200(t, s, "GET", path+"?filter[hidden][]=true", "")))

	status, answer := send(t, s, AdminToken, "POST", path, `{"context":"query","openapi_type":"string","required":true,"point":"get","name":"x"}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.JSONEq(t, `{"status":400,"body":{"point":{"error":"must be an array"}}}`, answer)
	for _, body := range []string{`{}`, `{"context":"query","openapi_type":"string","required":true,"point":["get","x"]}`} {
		status, _ = send(t, s, AdminToken, "POST", path, body)
		require.Equal(t, http.StatusBadRequest, status)
	}
	status, _ = send(t, s, AdminToken, "GET", endpointsPath+"/71002/parameters/"+string(appendJSON(nil, made.get("id"))), "")
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, changed.int("id"), call200(t, s, "DELETE", one, "").object("body").int("id"))
	status, _ = send(t, s, AdminToken, "DELETE", one, "")
	require.Equal(t, http.StatusNotFound, status)
}
