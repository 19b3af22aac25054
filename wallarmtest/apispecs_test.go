package wallarmtest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	specsPath = "/v4/clients/4711/rules/api-specs"
	shopSpec  = `{"title":"Shop API","description":"public part","file_remote_url":"https://specs.example.com/shop.yaml?key=test-token-url",
		"regular_file_update":true,"api_detection":true,"instances":[42],"domains":["shop.example.com"],
		"auth_headers":[{"key":"X-Spec-Key","value":"test-token-spec"}]}`
)

func TestAPISpecsLive(t *testing.T) {
	s := NewServer(t, fixedClock())
	created := call200(t, s, "POST", specsPath, shopSpec).object("body")
	require.EqualValues(t, 6601, created.int("id"))
	require.Equal(t, "pending", created.str("status"))
	require.Nil(t, created.get("spec_version"))
	for _, name := range []string{"file_remote_url", "auth_headers", "file", "policy", specFetched} {
		require.False(t, created.has(name), name)
	}
	pending := call200(t, s, "GET", specsPath+"/6601", "").object("body")
	require.Equal(t, "https://specs.example.com/shop.yaml?key=test-token-url", pending.str("file_remote_url"))
	require.False(t, pending.has("file"))

	s.Advance(time.Minute)
	ready := call200(t, s, "GET", specsPath+"/6601", "").object("body")
	require.Equal(t, "ready", ready.str("status"))
	require.EqualValues(t, 1, ready.int("version"))
	require.Equal(t, "shop.yaml", ready.object("file").str("name"))
	again := call200(t, s, "GET", specsPath+"/6601", "").object("body")
	require.NotEqual(t, ready.object("file").str("signed_url"), again.object("file").str("signed_url"), "each read makes a new link")

	updated := call200(t, s, "PUT", specsPath+"/6601", `{"domains":[],"api_detection":false}`).object("body")
	require.Empty(t, updated.array("domains"))
	require.Len(t, updated.array("instances"), 1, "what is not sent stays")
	require.False(t, updated.bool("api_detection"))
	require.Equal(t, "ready", updated.str("status"))
	require.Equal(t, "pending", call200(t, s, "PUT", specsPath+"/6601", `{"file_remote_url":"https://specs.example.com/v2.json"}`).object("body").str("status"))
	s.Advance(time.Minute)
	require.EqualValues(t, 2, call200(t, s, "GET", specsPath+"/6601", "").object("body").int("version"))

	require.JSONEq(t, `{"status":200}`, string(appendJSON(nil, call200(t, s, "DELETE", specsPath+"/6601", ""))))
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		status, answer := send(t, s, AdminToken, method, specsPath+"/6601", "")
		require.Equal(t, http.StatusNotFound, status)
		require.JSONEq(t, `{"status":404,"body":"Api spec with ID:6601 not found"}`, answer)
	}
}

func TestAPISpecPages(t *testing.T) {
	s := NewServer(t)
	for range 5 {
		call200(t, s, "POST", specsPath, shopSpec)
	}
	page := call200(t, s, "GET", specsPath+"?page=2&per_page=2", "")
	require.Len(t, page.array("items"), 2)
	require.False(t, page.has("body"))
	first := page.array("items")[0].(*object)
	require.EqualValues(t, 6603, first.int("id"))
	require.False(t, first.has("file_remote_url"))
	require.EqualValues(t, 2, page.int("current_page"))
	require.EqualValues(t, 2, page.int("per_page"))
	require.EqualValues(t, 3, page.int("total_pages"))
	require.EqualValues(t, 5, page.int("total_count"))
	require.Empty(t, call200(t, s, "GET", specsPath+"?page=4&per_page=2", "").array("items"))
}

func TestAPISpecPolicy(t *testing.T) {
	s := NewServer(t)
	call200(t, s, "POST", specsPath, shopSpec)
	body := `{"enabled":true,"conditions":[{"type":"equal","value":"Shop.Example.com","point":["header","host"]}],
		"undefined_endpoint_mode":"block","timeout":7,"timeout_mode":"block"}`
	policy := call200(t, s, "PUT", specsPath+"/6601/policy", body).object("body")
	require.JSONEq(t, `[{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"}]`, string(appendJSON(nil, policy.get("conditions"))))
	require.Equal(t, "block", policy.str("undefined_endpoint_mode"))
	require.EqualValues(t, 1000, policy.int("timeout"), "ignored without a word")
	require.Equal(t, "monitor", policy.str("timeout_mode"))
	s.AddToken(Token{Value: "test-token-vendor", Permissions: []string{"superadmin"}})
	status, answer := send(t, s, "test-token-vendor", "PUT", specsPath+"/6601/policy", body)
	require.Equal(t, 200, status)
	require.Contains(t, answer, `"timeout":7`)
	require.Contains(t, answer, `"timeout_mode":"block"`)
	call200(t, s, "PUT", specsPath+"/6601/policy", `{"enabled":false,"conditions":[]}`)
	stored := call200(t, s, "GET", specsPath+"/6601", "").object("body").object("policy")
	require.False(t, stored.bool("enabled"))
	require.Equal(t, "monitor", stored.str("undefined_endpoint_mode"), "a policy is replaced as a whole")
	status, answer = send(t, s, AdminToken, "PUT", specsPath+"/6601/policy",
		`{"enabled":"x","missing_auth_mode":"allow","timeout_mode":"ignore","timeout":"x"}`)
	require.Equal(t, 400, status)
	require.JSONEq(t, `{"status":400,"body":{"enabled":{"error":"must be boolean","value":"x"},"conditions":{"error":"must be an array","value":null},
		"missing_auth_mode":{"error":"invalid","value":"allow"},"timeout_mode":{"error":"invalid","value":"ignore"},
		"timeout":{"error":"invalid","value":"x"}}}`, answer)
	_, answer = send(t, s, AdminToken, "PUT", specsPath+"/6601/policy", `{"conditions":[{"point":["remote_addr"],"value":"x"}]}`)
	require.Contains(t, answer, `"conditions":{"error":"invalid"`)
}

func TestAPISpecSync(t *testing.T) {
	s := NewServer(t)
	call200(t, s, "POST", specsPath, shopSpec)
	sync, nodes := "/v2/client/4711/synced_api_specs", "/v2/client/4711/synced_api_specs/6601"
	ask := `{"api_specs":[{"id":6601,"version":1},{"id":9,"version":1}]}`
	require.JSONEq(t, `{"status":200,"body":{"active_nodes_total":0,"synced_api_specs":[{"id":6601,"synced_nodes_total":0}]}}`,
		string(appendJSON(nil, call200(t, s, "GET", sync, ask))))
	if _, err := s.Put("nodes", `{"id":10444555666,"hostname":"node-1.example.net","active":true}`); err != nil {
		s.mu.Lock()
		s.newTable("nodes", "clientid", 10444555001)
		s.mu.Unlock()
		_, err = s.Put("nodes", `{"id":10444555666,"hostname":"node-1.example.net","active":true}`)
		require.NoError(t, err)
	}
	_, err := s.Put("nodes", `{"id":10444555667,"hostname":"node-2.example.net","active":false}`)
	require.NoError(t, err)
	require.JSONEq(t, `{"status":200,"body":{"nodes":[{"id":10444555666,"hostname":"node-1.example.net","api_spec_synced":false,"api_spec_synced_at":null}]}}`,
		string(appendJSON(nil, call200(t, s, "GET", nodes, ""))))
	s.Advance(time.Minute)
	require.EqualValues(t, 1, call200(t, s, "GET", sync, ask).object("body").array("synced_api_specs")[0].(*object).int("synced_nodes_total"))
	node := call200(t, s, "GET", nodes, `{"version":1}`).object("body").array("nodes")[0].(*object)
	require.True(t, node.bool("api_spec_synced"))
	require.Positive(t, node.int("api_spec_synced_at"))
	require.False(t, call200(t, s, "GET", nodes, `{"version":2}`).object("body").array("nodes")[0].(*object).bool("api_spec_synced"))
	for body, want := range map[string]string{`{}`: "required", `{"api_specs":[1]}`: "invalid"} {
		status, answer := send(t, s, AdminToken, "GET", sync, body)
		require.Equal(t, 400, status)
		require.Contains(t, answer, want)
	}
}

func TestAPISpecRefusals(t *testing.T) {
	s := NewServer(t)
	call200(t, s, "POST", specsPath, shopSpec)
	for body, want := range map[string]string{
		`{}`: `{"title":{"error":"can't be blank"},"file_remote_url":{"error":"can't be blank"}}`,
		`{"title":"","file_remote_url":"x","description":1,"instances":{},"domains":[1],"auth_headers":[{"key":"x"}],"api_detection":"x"}`: `{
			"title":{"error":"can't be blank","value":""},"file_remote_url":{"error":"invalid"},"description":{"error":"must be string","value":1},
			"instances":{"error":"must be an array"},"domains":{"error":"invalid"},"auth_headers":{"error":"invalid"},
			"api_detection":{"error":"must be boolean","value":"x"}}`,
	} {
		status, answer := send(t, s, AdminToken, "POST", specsPath, body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.JSONEq(t, `{"status":400,"body":`+want+`}`, answer, body)
	}
	for token, want := range map[string]int{AuditorToken: 200, OtherToken: 403, DeployToken: 403} {
		status, _ := send(t, s, token, "GET", specsPath+"/6601", "")
		require.Equal(t, want, status, token)
	}
	status, _ := send(t, s, AuditorToken, "POST", specsPath, shopSpec)
	require.Equal(t, http.StatusForbidden, status)
	s.LockRules(time.Minute)
	for _, path := range []string{"POST " + specsPath, "PUT " + specsPath + "/6601", "DELETE " + specsPath + "/6601", "PUT " + specsPath + "/6601/policy"} {
		var method, target string
		_, err := fmt.Sscan(path, &method, &target)
		require.NoError(t, err)
		status, _ := send(t, s, AdminToken, method, target, shopSpec)
		require.Equal(t, http.StatusLocked, status, path)
	}
}
