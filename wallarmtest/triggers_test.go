package wallarmtest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const manySQLi = `{"trigger":{"template_id":"attacks_exceeded","name":"Many SQLi","comment":"page the on-call","enabled":true,
	"filters":[{"id":"attack_type","operator":"eq","values":["sqli"]},{"id":"pool","operator":"eq","values":[42]},
		{"id":"response_status","operator":"eq","values":["5xx",503]}],
	"threshold":{"period":3600,"operator":"gt","allowed_operators":["gt"],"count":500},
	"actions":[{"id":"send_notification","params":{"integration_ids":[3301]}}]}}`

func triggersOf(t *testing.T, s *Server) []*object {
	t.Helper()
	var out []*object
	for _, e := range call200(t, s, "GET", "/v2/clients/4711/triggers?denormalize=true", "").array("triggers") {
		out = append(out, e.(*object))
	}
	return out
}

func TestTriggersLive(t *testing.T) {
	s := NewServer(t)
	created := call200(t, s, "POST", "/v2/clients/4711/triggers", manySQLi).object("trigger")
	require.EqualValues(t, 90210, created.int("id"))
	require.EqualValues(t, 4711, created.int("client_id"))
	require.JSONEq(t, `[{"id":"attack_type","operator":"eq","values":["sqli"]},{"id":"pool","operator":"eq","values":[42]},
		{"id":"response_status","operator":"eq","values":["5xx",503]},{"id":"threshold","operator":"gt","values":[{"count":500,"period":3600}]}]`,
		string(appendJSON(nil, created.get("filters"))))
	require.JSONEq(t, `{"operator":"gt","period":3600,"count":500}`, string(appendJSON(nil, created.get("threshold"))))
	require.Len(t, created.array("thresholds"), 1)
	require.Equal(t, "attacks_exceeded", created.object("template").str("id"))

	replaced := call200(t, s, "PUT", "/v2/clients/4711/triggers/90210",
		`{"trigger":{"template_id":"user_created","name":"Users","enabled":false,"filters":[],"threshold":null,"actions":[]}}`).object("trigger")
	require.False(t, replaced.bool("enabled"))
	require.Nil(t, replaced.get("comment"), "a replace keeps nothing")
	require.JSONEq(t, `{}`, string(appendJSON(nil, replaced.get("threshold"))))
	require.Empty(t, replaced.array("thresholds"))

	require.Len(t, triggersOf(t, s), 2)
	require.False(t, call200(t, s, "GET", "/v2/clients/4711/triggers", "").array("triggers")[0].(*object).has("template"))
	require.JSONEq(t, `{"status":200}`, string(appendJSON(nil, call200(t, s, "DELETE", "/v2/clients/4711/triggers/90210", ""))))
	status, _ := send(t, s, AdminToken, "DELETE", "/v2/clients/4711/triggers/90210", "")
	require.Equal(t, http.StatusNotFound, status)
}

func TestDefaultTrigger(t *testing.T) {
	s := NewServer(t)
	first := triggersOf(t, s)
	require.Len(t, first, 1)
	require.Equal(t, "vector_attack", first[0].str("template_id"))
	custom := `{"trigger":{"template_id":"vector_attack","name":"Mine","enabled":true,"filters":[],"threshold":{"period":60,"operator":"gt","count":5},
		"actions":[{"id":"block_ips","params":{"lock_time":315360000}}]}}`
	path := "/v2/clients/4711/triggers/"
	id := string(appendJSON(nil, call200(t, s, "POST", "/v2/clients/4711/triggers", custom).object("trigger").get("id")))
	only := triggersOf(t, s)
	require.Len(t, only, 1, "a custom trigger of the kind takes the place of the default one")
	require.Equal(t, "Mine", only[0].str("name"))
	call200(t, s, "DELETE", path+id, "")
	back := triggersOf(t, s)
	require.Len(t, back, 1, "without one the default comes back")
	require.NotEqual(t, first[0].int("id"), back[0].int("id"))
	call200(t, s, "DELETE", path+string(appendJSON(nil, back[0].get("id"))), "")
	require.Empty(t, triggersOf(t, s))
}

func TestTriggerRefusals(t *testing.T) {
	s := NewServer(t)
	call200(t, s, "POST", "/v2/clients/4711/triggers", manySQLi)
	for body, want := range map[string]string{
		`{}`: `{"trigger":{"error":"required"}}`,
		`{"trigger":{}}`: `{"template_id":{"error":"can't be blank"},"name":{"error":"can't be blank","value":null},
			"actions":{"error":"must be an array","value":null}}`,
		`{"trigger":{"template_id":"x","name":"x","actions":[],"comment":1,"enabled":"x","filters":1}}`: `{"template_id":{"error":"invalid","value":"x"},
			"comment":{"error":"must be string","value":1},"enabled":{"error":"must be boolean","value":"x"},
			"filters":{"error":"must be an array","value":1}}`,
		`{"trigger":{"template_id":"hits_exceeded","name":"x","actions":[]}}`: `{"threshold":{"error":"required"}}`,
		`{"trigger":{"template_id":"user_created","name":"x","actions":[],"threshold":{"count":1}}}`: `{"threshold":{"error":"must be absent",
			"value":{"count":1}}}`,
		`{"trigger":{"template_id":"hits_exceeded","name":"x","actions":[],"threshold":5}}`: `{"threshold":{"error":"invalid","value":5}}`,
		`{"trigger":{"template_id":"hits_exceeded","name":"x","actions":[],"threshold":{"count":-1,"period":0,"operator":"lt"}}}`: `{"threshold":{
			"count":{"error":"invalid","value":-1},"period":{"error":"invalid","value":0},"operator":{"error":"invalid","value":"lt"}}}`,
	} {
		status, answer := send(t, s, AdminToken, "PUT", "/v2/clients/4711/triggers/90210", body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.JSONEq(t, `{"status":400,"body":`+want+`}`, answer, body)
	}
	for _, filter := range []string{
		`1`, `{"id":"role","operator":"eq","values":[]}`, `{"id":"pii","operator":"gt","values":[]}`, `{"id":"pii","operator":"eq","values":"x"}`,
		`{"id":"pii","operator":"eq","values":[1]}`, `{"id":"pool","operator":"eq","values":["42"]}`,
		`{"id":"ip_address","operator":"eq","values":["192.0.2.0/24"]}`, `{"id":"response_status","operator":"eq","values":[true]}`,
		`{"id":"threshold","operator":"gt","values":[{"count":1,"period":1}]}`,
	} {
		status, answer := send(t, s, AdminToken, "POST", "/v2/clients/4711/triggers",
			`{"trigger":{"template_id":"user_created","name":"x","actions":[],"filters":[`+filter+`]}}`)
		require.Equal(t, http.StatusBadRequest, status, filter)
		require.JSONEq(t, `{"status":400,"body":{"filters":{"error":"invalid","value":`+filter+`}}}`, answer)
	}
	for _, action := range []string{
		`1`, `{"id":"x"}`, `{"id":"block_ips"}`, `{"id":"block_ips","params":[]}`, `{"id":"add_to_graylist","params":{"lock_time":"1"}}`,
		`{"id":"send_notification","params":{"integration_ids":["1"]}}`, `{"id":"mark_as_brute","params":{"lock_time":1}}`,
	} {
		status, answer := send(t, s, AdminToken, "POST", "/v2/clients/4711/triggers",
			`{"trigger":{"template_id":"user_created","name":"x","actions":[`+action+`]}}`)
		require.Equal(t, http.StatusBadRequest, status, action)
		require.JSONEq(t, `{"status":400,"body":{"actions":{"error":"invalid","value":`+action+`}}}`, answer)
	}
	for token, want := range map[string]int{AuditorToken: 403, OtherToken: 403, PartnerToken: 200} {
		status, _ := send(t, s, token, "GET", "/v2/clients/4711/triggers", "")
		require.Equal(t, want, status, token)
	}
	status, _ := send(t, s, PartnerToken, "DELETE", "/v2/clients/4712/triggers/90210", "")
	require.Equal(t, http.StatusNotFound, status)
}
