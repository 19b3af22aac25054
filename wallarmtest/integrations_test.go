package wallarmtest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const webhookBody = `{"name":"SOC webhook","active":true,"type":"web_hooks","clientid":4711,
	"target":{"url":"https://hooks.example.com/wallarm","http_method":"POST","format":"json","headers":{"X-Hook-Key":"test-token-hook"},
		"ca_file":"","ca_verify":true,"timeout":15,"open_timeout":20,"subtype":"web_hooks"},
	"events":[{"event":"siem","active":true,"with_headers":false},{"event":"system","active":true}]}`

// integration is the object of an answer about one.
func integration(t *testing.T, answer *object) *object {
	t.Helper()
	require.Equal(t, "success", answer.object("body").str("result"))
	return answer.object("body").object("object")
}

func TestIntegrationsLive(t *testing.T) {
	s := NewServer(t, fixedClock())
	require.JSONEq(t, `{"body":{"result":"success","object":[]}}`, string(appendJSON(nil, call200(t, s, "GET", "/v2/integration?clientid=4711", ""))))

	created := integration(t, call200(t, s, "POST", "/v2/integration", webhookBody))
	require.JSONEq(t, `{"id":3301,"active":true,"name":"SOC webhook","type":"web_hooks","created_at":`+string(appendJSON(nil, s.Now().Unix()))+`,
		"created_by":"admin@example.com","events":[{"event":"siem","active":true,"with_headers":false},{"event":"system","active":true}]}`,
		string(appendJSON(nil, created)))
	twin := integration(t, call200(t, s, "POST", "/v2/integration", webhookBody))
	require.EqualValues(t, 3302, twin.int("id"), "duplicates are accepted")

	updated := integration(t, call200(t, s, "PUT", "/v2/integration/3301", `{"active":false}`))
	require.False(t, updated.bool("active"))
	require.Equal(t, "SOC webhook", updated.str("name"))
	require.Contains(t, string(s.Object("integrations", 3301)), "test-token-hook", "what is not sent stays")
	call200(t, s, "PUT", "/v2/integration/3301", `{"events":[],"type":"web_hooks","target":{"url":"https://hooks.example.com/two"}}`)
	require.NotContains(t, string(s.Object("integrations", 3301)), "test-token-hook")

	list := call200(t, s, "GET", "/v2/integration?clientid=4711", "").object("body").array("object")
	require.Len(t, list, 2)
	require.Equal(t, targetMask, list[1].(*object).object("target").str("url"))
	require.JSONEq(t, `{"X-Hook-Key":"********"}`, string(appendJSON(nil, list[1].(*object).object("target").get("headers"))))
	for query, want := range map[string]int{"&id[]=3302": 1, "&type=slack": 0, "&enabled=false": 1, "&limit=1": 1, "&offset=2": 0} {
		require.Len(t, call200(t, s, "GET", "/v2/integration?clientid=4711"+query, "").object("body").array("object"), want, query)
	}

	require.JSONEq(t, `{"body":{"result":"deleted"}}`, string(appendJSON(nil, call200(t, s, "DELETE", "/v2/integration/3301", ""))))
	status, _ := send(t, s, AdminToken, "DELETE", "/v2/integration/3301", "")
	require.Equal(t, http.StatusNotFound, status)
}

func TestIntegrationTargets(t *testing.T) {
	s := NewServer(t)
	for kind, target := range map[string]string{
		"email": `["soc@example.com"]`, "slack": `"https://hooks.example.com/a"`, "ms_teams": `"https://hooks.example.com/b"`,
		"pager_duty": `"test-token-pager"`, "sumo_logic": `"https://sumo.example.com"`, "opsgenie": `{"token":"test-token-o","api":"https://o.example.com"}`,
		"insight_connect": `{"token":"test-token-i","api":"https://i.example.com"}`, "splunk": `{"token":"test-token-s","api":"https://s.example.com"}`,
		"data_dog": `{"token":"test-token-d","region":"US1"}`, "web_hooks": `{"url":"https://w.example.com"}`,
	} {
		call200(t, s, "POST", "/v2/integration", `{"name":"x","clientid":4711,"type":"`+kind+`","target":`+target+`}`)
		call200(t, s, "POST", "/v2/integration/test", `{"clientid":4711,"integration_type":"`+kind+`","target":`+target+`}`)
	}
	_, list := send(t, s, AdminToken, "GET", "/v2/integration", "")
	require.NotContains(t, list, "test-token")
	require.NotContains(t, list, "hooks.example.com")
	require.Contains(t, list, "soc@example.com")
}

func TestIntegrationRefusals(t *testing.T) {
	s := NewServer(t)
	call200(t, s, "POST", "/v2/integration", webhookBody)
	for _, test := range []struct{ method, path, body, want string }{
		{"POST", "/v2/integration", `{}`, `{"clientid":{"error":"can't be blank"}}`},
		{"POST", "/v2/integration", `{"clientid":4711}`, `{"name":{"error":"can't be blank"},"type":{"error":"can't be blank"},"target":{"error":"can't be blank"}}`},
		{"POST", "/v2/integration", `{"clientid":4711,"name":" ","type":"fax","target":"1"}`,
			`{"type":{"error":"invalid","value":"fax"},"name":{"error":"can't be blank","value":" "},"target":{"error":"invalid"}}`},
		{"POST", "/v2/integration", `{"clientid":4711,"name":1,"type":"email","target":[],"active":"x","events":{}}`,
			`{"name":{"error":"must be string","value":1},"active":{"error":"must be boolean","value":"x"},"target":{"error":"invalid"},
			"events":{"error":"must be an array","value":{}}}`},
		{"POST", "/v2/integration", `{"clientid":4711,"name":"x","type":"splunk","target":{"token":"t"},"events":[{"event":"x"}]}`,
			`{"target":{"error":"invalid"},"events":{"error":"invalid","value":{"event":"x"}}}`},
		{"PUT", "/v2/integration/3301", `{"type":"slack","name":null,"events":[{"event":"siem"}]}`,
			`{"type":{"error":"invalid","value":"slack"},"name":{"error":"can't be blank"},"events":{"error":"must be boolean","value":{"event":"siem"}}}`},
		{"POST", "/v2/integration/telegram", `{"clientid":4711}`, `{"name":{"error":"can't be blank"},"chat_data":{"error":"can't be blank"}}`},
		{"POST", "/v2/integration/test", `{"clientid":4711,"integration_type":"x"}`, `{"integration_type":{"error":"invalid","value":"x"}}`},
		{"POST", "/v2/integration/test", `{"clientid":4711,"integration_type":"slack","target":5}`, `{"target":{"error":"invalid"}}`},
		{"GET", "/v2/integration?enabled=x&id=y", ``, `{"enabled":{"error":"must be boolean","value":"x"},"id":{"error":"invalid","value":"y"}}`},
	} {
		status, answer := send(t, s, AdminToken, test.method, test.path, test.body)
		require.Equal(t, http.StatusBadRequest, status, test.body)
		require.JSONEq(t, `{"status":400,"body":`+test.want+`}`, answer, test.body)
	}
	for token, want := range map[string]int{AuditorToken: 403, AnalystToken: 403, OtherToken: 403, PartnerToken: 200} {
		status, _ := send(t, s, token, "GET", "/v2/integration?clientid=4711", "")
		require.Equal(t, want, status, token)
	}
	status, _ := send(t, s, OtherToken, "PUT", "/v2/integration/3301", `{"active":false}`)
	require.Equal(t, http.StatusNotFound, status)
}

func TestTelegram(t *testing.T) {
	s := NewServer(t)
	created := integration(t, call200(t, s, "POST", "/v2/integration/telegram",
		`{"name":"SOC chat","clientid":4711,"chat_data":"test-token-chat","events":[{"event":"report_daily","active":true}]}`))
	require.Equal(t, "telegram", created.str("type"))
	require.Len(t, created.array("events"), 1)
	require.Contains(t, string(s.Object("integrations", created.int("id"))), "test-token-chat")
	_, list := send(t, s, AdminToken, "GET", "/v2/integration", "")
	require.NotContains(t, list, "test-token-chat")
}

func TestIntegrationTestMessages(t *testing.T) {
	s := NewServer(t)
	for target, want := range map[string]string{
		"https://hooks.example.com/x":   `{"body":{"result":"success"}}`,
		"https://hooks.invalid/x":       `["host not resolved"]`,
		"https://timeout.example.com/x": `{"body":{"error":"timeout"}}`,
	} {
		_, answer := send(t, s, AdminToken, "POST", "/v2/integration/test", `{"clientid":4711,"integration_type":"slack","target":"`+target+`"}`)
		require.JSONEq(t, want, answer)
		status, other := send(t, s, AdminToken, "POST", "/v2/integration/test",
			`{"clientid":4711,"integration_type":"web_hooks","target":{"url":"`+target+`"}}`)
		require.JSONEq(t, want, other)
		require.Contains(t, []int{200, 408, 422}, status)
	}
}
