package wallarmtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bodyOf calls a route, which must answer 200, and returns its body as JSON.
func bodyOf(t *testing.T, s *Server, method, path, body string) string {
	t.Helper()
	status, answer := send(t, s, AdminToken, method, path, body)
	require.Equal(t, http.StatusOK, status, answer)
	doc, err := parseObject([]byte(answer))
	require.NoError(t, err)
	return string(appendJSON(nil, doc.get("body")))
}

func clientPath(format string) string { return fmt.Sprintf(format, DefaultClientID) }

func TestModeIsARule(t *testing.T) {
	s := NewServer(t)
	path := clientPath("/v2/client/%d/rules/wallarm_mode")
	require.Empty(t, s.Rules())
	status, answer := send(t, s, AuditorToken, "GET", path, "")
	require.Equal(t, http.StatusOK, status, answer)
	require.JSONEq(t, `{"status":200,"body":{"mode":"default"}}`, answer)
	require.Len(t, s.Rules(), 1, "the first read makes the rule")
	require.JSONEq(t, `{"mode":"block"}`, bodyOf(t, s, "PUT", path, `{"mode":"block"}`))
	require.Contains(t, string(s.Rules()[0]), `"mode":"block"`)
	require.Len(t, s.Rules(), 1)
	for body, want := range map[string]string{`{}`: "can't be blank", `{"mode":"aggressive"}`: "invalid"} {
		status, answer := send(t, s, AdminToken, "PUT", path, body)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, answer, want)
	}
	status, _ = send(t, s, AdminToken, "GET", "/v2/client/999999/rules/wallarm_mode", "")
	require.Equal(t, http.StatusForbidden, status)
	status, _ = send(t, s, AuditorToken, "PUT", path, `{"mode":"off"}`)
	require.Equal(t, http.StatusForbidden, status)
}

func TestTimeLimit(t *testing.T) {
	s := NewServer(t)
	path := clientPath("/v2/client/%d/rules/overlimit_res_settings")
	require.JSONEq(t, `{"overlimit_time":1000,"mode":"monitoring"}`, bodyOf(t, s, "GET", path, ""))
	require.JSONEq(t, `{"overlimit_time":0,"mode":"blocking"}`, bodyOf(t, s, "PUT", path, `{"overlimit_time":0,"mode":"blocking"}`))
	for _, body := range []string{`{"overlimit_time":0}`, `{"mode":"blocking"}`, `{"overlimit_time":10001,"mode":"blocking"}`, `{"overlimit_time":1,"mode":"block"}`} {
		status, _ := send(t, s, AdminToken, "PUT", path, body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}
	require.JSONEq(t, `{"overlimit_time":0,"mode":"blocking"}`, bodyOf(t, s, "GET", path, ""))
}

func TestRuleSettings(t *testing.T) {
	s := NewServer(t)
	path := clientPath("/v2/client/%d/rules/settings")
	status, _ := send(t, s, AdminToken, "DELETE", path, "")
	require.Equal(t, http.StatusNotFound, status, "nothing is set yet")
	require.Contains(t, bodyOf(t, s, "PUT", path, `{"min_lom_format":54,"pii_weight":0}`), `"min_lom_format":54`)
	got := bodyOf(t, s, "PUT", path, `{"lom_disabled":true}`)
	require.Contains(t, got, `"min_lom_format":54`, "what is not sent stays")
	require.Contains(t, got, `"pii_weight":0`)
	require.Contains(t, bodyOf(t, s, "PUT", path, `{"min_lom_format":null}`), `"min_lom_format":null`, "null is a value")
	for _, body := range []string{`{"lom_disabled":null}`, `{"pii_weight":11}`, `{"risk_score_algo":"median"}`, `{"max_lom_size":1024}`} {
		status, _ := send(t, s, AdminToken, "PUT", path, body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}

	list := "/v2/client/rules/settings"
	require.Contains(t, bodyOf(t, s, "GET", list+clientPath("?filter[clientid][]=%d&filter[lom_disabled]=true"), ""), `"lom_disabled":true`)
	require.Equal(t, "[]", bodyOf(t, s, "GET", list+clientPath("?filter[clientid][]=%d&filter[lom_disabled]=false"), ""))
	require.Contains(t, bodyOf(t, s, "GET", list, clientPath(`{"filter":{"clientid":[%d]}}`)), `"clientid"`)
	status, _ = send(t, s, AdminToken, "GET", list, "")
	require.Equal(t, http.StatusBadRequest, status, "the filter is required")

	// The permanent lock refuses every change of rules.
	bodyOf(t, s, "PUT", path, `{"rules_manipulation_locked":true}`)
	status, _ = send(t, s, AdminToken, "POST", "/v1/objects/hint/create", clientPath(`{"type":"wallarm_mode","mode":"off","action":[],"clientid":%d}`))
	require.Equal(t, http.StatusLocked, status)
	require.Contains(t, bodyOf(t, s, "DELETE", path, ""), `"rules_manipulation_locked":true`)
	require.Contains(t, bodyOf(t, s, "GET", path, ""), `"rules_manipulation_locked":false`)
	require.NotContains(t, bodyOf(t, s, "GET", "/v2/client/rules/default_settings", ""), `"clientid"`)
}

func TestSnapshots(t *testing.T) {
	s := NewServer(t)
	base := clientPath("/v4/clients/%d/rules/snapshots")
	_, err := s.AddRule(`{"type":"wallarm_mode","mode":"block","action":[]}`)
	require.NoError(t, err)
	require.Equal(t, `"ready"`, bodyOf(t, s, "GET", base+"/status", ""))
	created := bodyOf(t, s, "POST", base, `{"title":"First","important":true}`)
	require.Contains(t, created, `"status":"backup"`)
	require.Equal(t, `"backup"`, bodyOf(t, s, "GET", base+"/status", ""))
	create := clientPath(`{"type":"wallarm_mode","mode":"off","action":[],"clientid":%d}`)
	status, _ := send(t, s, AdminToken, "POST", "/v1/objects/hint/create", create)
	require.Equal(t, http.StatusLocked, status)
	s.Advance(snapshotTime)
	status, _ = send(t, s, AdminToken, "POST", "/v1/objects/hint/create", create)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, s.Rules(), 2)

	require.Contains(t, bodyOf(t, s, "GET", base+"/301", ""), `"status":"ready"`)
	require.Contains(t, bodyOf(t, s, "PUT", base+"/301", `{"comment":null,"title":"Renamed"}`), `"title":"Renamed"`)
	before := string(s.Rules()[0])
	require.Contains(t, bodyOf(t, s, "POST", base+"/301/restore", ""), `"status":"restoring"`)
	require.Len(t, s.Rules(), 1, "all rules are replaced")
	require.NotEqual(t, before, string(s.Rules()[0]), "by rules with other ids")
	for _, path := range []string{base, base + "/301/restore"} {
		status, _ = send(t, s, AdminToken, "POST", path, `{"title":"x"}`)
		require.Equal(t, http.StatusLocked, status, "nothing starts during a restore")
	}
	s.Advance(snapshotTime)
	require.Contains(t, bodyOf(t, s, "GET", base+"?filter[important]=true&filter[status]=ready", ""), `"id":301`)
	require.Equal(t, "[]", bodyOf(t, s, "GET", base+"?filter[status]=failed", ""))
	for body, want := range map[string]string{`{}`: "can't be blank", `{"title":""}`: "invalid", `{"title":"x","important":7}`: "must be boolean"} {
		status, answer := send(t, s, AdminToken, "POST", base, body)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, answer, want)
	}
	// The platform keeps five of those that users made, important ones apart.
	for range 7 {
		bodyOf(t, s, "POST", base, `{"title":"more"}`)
	}
	require.Equal(t, 6, strings.Count(bodyOf(t, s, "GET", base, ""), `"id":`))
	bodyOf(t, s, "DELETE", base+"/301", "")
	status, _ = send(t, s, AdminToken, "DELETE", base+"/301", "")
	require.Equal(t, http.StatusNotFound, status)
}

func TestRulesets(t *testing.T) {
	s := NewServer(t)
	version, state := clientPath("/v2/lom_version/%d"), clientPath("/v2/lom_state/%d")
	compilation := clientPath("/v2/client/%d/lom_compilation")
	status, _ := send(t, s, AdminToken, "GET", version, "")
	require.Equal(t, http.StatusNotFound, status, "nothing was built yet")
	require.JSONEq(t, `{"actual_nodes":0,"outdated_nodes":0,"current_build":0,"last_build":0}`, bodyOf(t, s, "GET", state, ""))
	create := clientPath(`{"type":"wallarm_mode","mode":"off","action":[],"clientid":%d}`)
	bodyOf(t, s, "POST", "/v1/objects/hint/create", create)
	require.Contains(t, bodyOf(t, s, "GET", compilation, ""), `"compilation_state":"running"`)
	require.Contains(t, bodyOf(t, s, "GET", "/v2/custom-rulesets"+clientPath("?filter[clientid]=%d&filter[ready]=false"), ""), `"compile_time":null`)
	s.Advance(2 * rulesetTime)
	require.Contains(t, bodyOf(t, s, "GET", version, ""), `"version":1`)
	require.Contains(t, bodyOf(t, s, "GET", compilation, ""), `"compilation_state":null`)
	require.Contains(t, bodyOf(t, s, "POST", compilation, `{"priority":1}`), "job-")
	s.Advance(2 * rulesetTime)
	require.JSONEq(t, `{"actual_nodes":0,"outdated_nodes":0,"current_build":2,"last_build":1}`, bodyOf(t, s, "GET", state, ""))

	list := bodyOf(t, s, "GET", "/v2/custom-rulesets"+clientPath("?filter[clientid]=%d&limit=1"), "")
	require.Contains(t, list, `"version":2`, "the newest comes first")
	id := list[strings.Index(list, `"id":`)+5 : strings.Index(list, ",")]
	require.Contains(t, bodyOf(t, s, "GET", "/v2/custom-rulesets/"+id, ""), `"version":2`)
	require.Contains(t, bodyOf(t, s, "GET", "/v2/custom-rulesets?filter[clientid]=", ""), `"clientid":null`)
	require.Contains(t, bodyOf(t, s, "GET", "/v2/custom-rulesets?filter[version_one_of][]=1&filter[created_after]=1", ""), `"version":1`)
	for _, query := range []string{"offset=0", "filter[created]=5", "filter[format_one_of][]=x", "limit=0"} {
		status, _ = send(t, s, AdminToken, "GET", "/v2/custom-rulesets?"+query, "")
		require.Equal(t, http.StatusBadRequest, status, query)
	}
	// Without builds a change goes nowhere.
	bodyOf(t, s, "PUT", clientPath("/v2/client/%d/rules/settings"), `{"lom_disabled":true}`)
	bodyOf(t, s, "POST", "/v1/objects/hint/create", create)
	s.Advance(time.Hour)
	require.Contains(t, bodyOf(t, s, "GET", version, ""), `"version":2`)
}

func TestRuleCatalogues(t *testing.T) {
	s := NewServer(t)
	_, err := s.AddRule(`{"type":"graphql_detection","mode":"block","action":[]}`)
	require.NoError(t, err)
	_, err = s.AddRule(`{"type":"credentials_regex","regex":"p","login_regex":"l","case_sensitive":false,"action":[]}`)
	require.NoError(t, err)
	_, err = s.AddRule(`{"type":"regex","regex":"x","attack_type":"rce","point":[["uri"]],"action":[]}`)
	require.NoError(t, err)
	mitigations := clientPath("/v4/clients/%d/rules/mitigations")
	require.Contains(t, bodyOf(t, s, "GET", mitigations, ""), `"graphql":[{"id":`)
	require.JSONEq(t, `{"graphql":{"total":1,"block":1}}`, bodyOf(t, s, "GET", mitigations+"/stats", ""))
	configs := bodyOf(t, s, "GET", clientPath("/v4/clients/%d/credential_stuffing/configs"), "")
	require.Contains(t, configs, `"custom":[{"id":`)
	require.Contains(t, configs, `"default":[]`)
	require.Contains(t, bodyOf(t, s, "GET", "/v2/attack_types", ""), `"client":["xss"`)
	require.Contains(t, bodyOf(t, s, "GET", "/v2/suggest/attack_types", ""), `"rules.vpatch":["xss"`)

	for chain, want := range map[string]string{
		`[["post"],["json_doc"]]`:                           `["array","array_all","gql","hash","hash_all","hash_name"]`,
		`[["header","A"],["json_doc"]]`:                     `["array","array_all","hash","hash_all","hash_name"]`,
		`[["post"],["gql"],["gql_query","q"],["hash","a"]]`: `["array","array_all","gql_alias","gql_arg","gql_dir","gql_dir_all","gql_inline","gql_spread","gql_spread_all","hash","hash_all","hash_name"]`,
		`[["get_name"],["percent"],["pollution"]]`:          `[]`,
		`[["post"],["grpc",1],["protobuf","a"]]`:            `["protobuf_int32","protobuf_int64","protobuf_varint"]`,
		`[["post"],["form_urlencoded_name"]]`:               `["base64","gql","gzip","htmljs","json_doc","jwt","jwt_all","percent","xml"]`,
		`[["post"],["multipart","a"],["header","X"]]`:       `["array","array_all","base64","content_disp","content_disp_all","content_disp_name","gzip","htmljs","json_doc","jwt","jwt_all","percent","xml"]`,
		`[]`: `["action_ext","action_name","get","get_all","get_name","header","header_all","header_name","path","path_all","post","uri"]`,
	} {
		require.Equal(t, "["+want+"]", bodyOf(t, s, "POST", "/v2/suggest/point", `{"mode":"default","points":[`+chain+`]}`), chain)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v2/suggest/point", `{"points":[[["get"]]]}`)
	require.Equal(t, http.StatusBadRequest, status)

	regexes := clientPath("/v4/clients/%d/rules/regexes")
	filter := clientPath("?filter[clientid]=%d")
	require.Contains(t, bodyOf(t, s, "GET", regexes+filter+"&filter[hint_type][]=regex", ""), `"id":5501`)
	require.Equal(t, "[]", bodyOf(t, s, "GET", regexes+filter+"&filter[hint_type][]=experimental_regex", ""))
	require.Contains(t, bodyOf(t, s, "GET", regexes+"/5501", ""), `"value":"x"`)
	find := clientPath("/v3/clients/%d/rules/find_regex_rule")
	require.Contains(t, bodyOf(t, s, "POST", find, `{"regex_id":5501,"point":["uri"],"domain":"","path":"/","poolid":-1}`), `"type":"regex"`)
	status, _ = send(t, s, AdminToken, "POST", find, `{"regex_id":5502,"point":["uri"],"domain":"","path":"/","poolid":-1}`)
	require.Equal(t, http.StatusNotFound, status)
	status, _ = send(t, s, AdminToken, "GET", regexes, "")
	require.Equal(t, http.StatusBadRequest, status)
}
