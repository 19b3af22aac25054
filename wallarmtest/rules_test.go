package wallarmtest

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConditionsHash(t *testing.T) {
	require.Equal(t, "5b8b61bd5ed79de9b3d130436a1e5a63ec663e224557ccb981bbb491a891b4dc", conditionsHash(nil))
	v, err := parseJSON([]byte(`[
		{"type":"equal","point":["header","host"],"value":"Shop.Example.com"},
		{"type":"equal","point":["path",0],"value":"api"},
		{"type":"absent","point":["path",1]},
		{"point":["action_name"],"value":"login"},
		{"type":"absent","point":["action_ext"],"value":""}]`))
	require.NoError(t, err)
	var errs fieldErrors
	conditions := readConditions(v, &errs)
	require.NoError(t, errs.err())
	require.Equal(t, "77c0782aecbbaee7c530185a3b8b16eccc6dbd51faafca97f1ed8c008c75ac4f", conditionsHash(conditions))
	require.JSONEq(t, `{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"}`,
		string(appendJSON(nil, conditions[0])))
}

// TestDocumentedCreateBodies sends every create body of the wire page.
func TestDocumentedCreateBodies(t *testing.T) {
	page, err := os.ReadFile("../docs/wire/rules.md")
	require.NoError(t, err)
	section := between(t, string(page), "### 5.4 ", "### 5.5 ")
	s := NewServer(t)
	s.AddClient(Client{ID: 4521})
	s.AddToken(Token{Value: "test-token-extended", ClientID: 4521, UserID: 70001, Permissions: []string{"admin_ext"}})
	_, err = s.Put("regexes", `{"id":5512,"clientid":4521,"name":"","value":"x"}`)
	require.NoError(t, err)
	types := map[string]bool{}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(section, -1) {
		sent, err := parseObject([]byte(block[1]))
		require.NoError(t, err)
		types[sent.str("type")] = true
		status, answer := send(t, s, "test-token-extended", "POST", "/v1/objects/hint/create", block[1])
		require.Equal(t, http.StatusOK, status, answer)
		doc, err := parseObject([]byte(answer))
		require.NoError(t, err)
		got := doc.object("body")
		for _, m := range sent.members {
			switch m.name {
			case "action", "arbitrary_conditions":
				continue
			case "point", "login_point":
				flat, valid := flattenPoint(m.value)
				require.True(t, valid)
				m.value = flat
			}
			assert.True(t, jsonEqual(m.value, got.get(m.name)), "%s of %s", m.name, sent.str("type"))
		}
	}
	require.Len(t, types, 27)
	require.Len(t, ruleTypes, 27)
}

func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, from)
	require.True(t, found)
	section, _, found := strings.Cut(rest, to)
	require.True(t, found)
	return section
}

func TestRuleDefaults(t *testing.T) {
	s := NewServer(t)
	for kind, want := range map[string]string{
		`"type":"vpatch","attack_type":"any","point":[["header","host"]]`: `{"active":true,"comment":null,"title":null,
			"set":null,"variativity_disabled":true,"point":["header","HOST"],"system":false,"validated":false}`,
		`"type":"rate_limit","rate":0,"rsp_status":503,"point":[["remote_addr"]]`: `{"burst":0,"delay":0,
			"time_unit":"rps","rate":0,"variativity_disabled":true}`,
		`"type":"graphql_detection","mode":"block"`: `{"max_depth":10,"max_value_size_kb":10,"max_doc_size_kb":100,
			"max_doc_per_batch":10,"max_aliases":5,"introspection":true,"debug_enabled":true,"mitigation":"graphql"}`,
		`"type":"file_upload_size_limit","size":18446744073709551615`: `{"size":18446744073709551615,"mode":"monitoring",
			"size_unit":"b","point":null,"mitigation":"file_upload_policy","variativity_disabled":false}`,
		`"type":"overlimit_res_settings","overlimit_time":0`: `{"mode":"monitoring","overlimit_time":0}`,
	} {
		got := call200(t, s, "POST", "/v1/objects/hint/create", `{"clientid":4711,"action":[],`+kind+`}`).object("body")
		expected, err := parseObject([]byte(want))
		require.NoError(t, err)
		for _, m := range expected.members {
			assert.True(t, got.has(m.name) && jsonEqual(m.value, got.get(m.name)), "%s: %s", kind, m.name)
		}
	}
}

func TestRuleRefusals(t *testing.T) {
	s := NewServer(t)
	const blank = "can't be blank"
	for _, test := range []struct{ sent, want string }{
		{`{"type":"vpatch","action":[]}`, `{"clientid":{"error":"` + blank + `"}}`},
		{`{"clientid":4711,"action":[]}`, `{"type":{"error":"` + blank + `"}}`},
		{`{"clientid":4711,"action":[],"type":"nonsense"}`, `{"type":{"error":"invalid","value":"nonsense"}}`},
		{
			`{"clientid":4711,"type":"vpatch"}`,
			`{"attack_type":{"error":"` + blank + `"},"point":{"error":"` + blank + `"},"action":{"error":"` + blank + `"}}`,
		},
		{
			`{"clientid":4711,"action":[],"type":"rate_limit","rate":1001,"point":[["remote_addr"]]}`,
			`{"rate":{"error":"should be in 0..1000","value":1001},
			  "rsp_status":{"error":"should be in 400..599, ` + blank + `","value":null}}`,
		},
		{
			`{"clientid":4711,"action":[],"type":"sensitive_data","point":[["remote_addr"]]}`,
			`{"point":{"error":"invalid","value":[["remote_addr"]]}}`,
		},
		{
			`{"clientid":4711,"action":[],"type":"sensitive_data","point":"uri","comment":"","active":"yes"}`,
			`{"point":{"error":"must be an array","value":"uri"},"comment":{"error":"` + blank + `","value":""},
			  "active":{"error":"must be boolean","value":"yes"}}`,
		},
		{
			`{"clientid":4711,"action":[],"type":"rate_limit_enum","mode":"monitoring","threshold":{"count":0},
			  "reaction":{"block_by_ip":600}}`,
			`{"threshold":{"count":{"error":"must be greater than or equal to 1","value":0},"period":{"error":"` + blank + `"}},
			  "reaction":{"error":"keys should contain only [:graylist_by_ip] keys for the mode monitoring"}}`,
		},
		{
			`{"clientid":4711,"action":[],"type":"enum","mode":"block","threshold":{"count":1,"period":1},
			  "reaction":{"block_by_ip":599},"enumerated_parameters":{"mode":"regexp","value_regexps":[""],
			  "additional_parameters":true,"plain_parameters":1}}`,
			`{"reaction":{"block_by_ip":{"error":"should be in 600..315569520","value":599}},
			  "enumerated_parameters":{"name_regexps":{"error":"` + blank + `"},
			  "plain_parameters":{"error":"must be boolean","value":1}}}`,
		},
		{
			`{"clientid":4711,"type":"binary_data","point":[["uri"]],"action":[{"point":["remote_addr"],"value":"192.0.2.1"}]}`,
			`{"action":{"error":"invalid","value":{"point":["remote_addr"],"value":"192.0.2.1"}}}`,
		},
	} {
		status, answer := send(t, s, AdminToken, "POST", "/v1/objects/hint/create", test.sent)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.JSONEq(t, `{"status":400,"body":`+test.want+`}`, answer)
	}
	require.Empty(t, s.Rules())
	require.Empty(t, s.Objects("actions"))
}

func TestRuleLifecycle(t *testing.T) {
	s := NewServer(t)
	create := func(body string) *object {
		return call200(t, s, "POST", "/v1/objects/hint/create", body).object("body")
	}
	list := func(filter string) []*object {
		return bodyList(t, call200(t, s, "POST", "/v1/objects/hint", `{"filter":`+filter+`,"order_by":"id","limit":500}`))
	}
	patch := `{"type":"vpatch","clientid":4711,"validated":false,"attack_type":"any","point":[["header","HOST"]],
		"action":[{"type":"equal","point":["path",0],"value":"my"},{"type":"equal","point":["path",1],"value":"api"}]}`
	first, second := create(patch), create(patch)
	require.NotEqual(t, first.int("id"), second.int("id"), "duplicates are allowed")
	require.Equal(t, first.int("actionid"), second.int("actionid"), "on one action")

	require.Len(t, list(`{"clientid":[4711],"point":[["header","HOST"]]}`), 2)
	require.Len(t, list(fmt.Sprintf(`{"clientid":4711,"!id":%d}`, first.int("id"))), 1)
	require.Empty(t, list(`{"type":["regex"]}`))

	action := call200(t, s, "GET", fmt.Sprintf("/v3/action/%d", first.int("actionid")), "").object("body")
	require.Equal(t, "/my/api/**/*.*", action.str("endpoint_path"))
	require.Len(t, bodyList(t, call200(t, s, "POST", "/v1/objects/action",
		`{"filter":{"clientid":[4711],"hint_type":["vpatch"],"hints_count":[[2,null]],"empty":false}}`)), 1)

	path := fmt.Sprintf("/v3/hint/%d", first.int("id"))
	changed := call200(t, s, "PUT", path, `{"comment":"tested","active":false,"attack_type":"sqli","point":[["uri"]]}`).object("body")
	require.Equal(t, "tested", changed.str("comment"))
	require.Equal(t, "sqli", changed.str("attack_type"))
	require.False(t, changed.bool("active"))
	require.True(t, jsonEqual(first.get("point"), changed.get("point")), "a point never changes")
	status, _ := send(t, s, AdminToken, "PUT", path, `{"type":"regex"}`)
	require.Equal(t, http.StatusBadRequest, status)

	deleted := bodyList(t, call200(t, s, "POST", "/v1/objects/hint/delete",
		fmt.Sprintf(`{"filter":{"clientid":[4711],"id":%d}}`, first.int("id"))))
	require.Len(t, deleted, 1)
	require.Empty(t, bodyList(t, call200(t, s, "POST", "/v1/objects/hint/delete",
		fmt.Sprintf(`{"filter":{"clientid":[4711],"id":[%d]}}`, first.int("id")))))
	status, answer := send(t, s, AdminToken, "GET", path, "")
	require.Equal(t, http.StatusNotFound, status)
	require.JSONEq(t, `{"status":404,"body":"Not found"}`, answer)

	call200(t, s, "DELETE", fmt.Sprintf("/v3/hint/%d", second.int("id")), "")
	require.Empty(t, s.Objects("actions"), "an action goes with its last rule")
	status, _ = send(t, s, AdminToken, "POST", "/v1/objects/hint/delete", `{"filter":{"id":[1]}}`)
	require.Equal(t, http.StatusBadRequest, status, "the client id is required")
}

func TestCountersAndDetectors(t *testing.T) {
	s := NewServer(t)
	create := func(body string) *object {
		return call200(t, s, "POST", "/v1/objects/hint/create", body).object("body")
	}
	counter := create(`{"type":"brute_counter","clientid":4711,"action":[]}`)
	require.Regexp(t, `^b:4711:[0-9a-f]+$`, counter.str("counter"))
	require.True(t, jsonEqual(counter, create(`{"type":"brute_counter","clientid":4711,"action":[]}`)))
	require.Empty(t, bodyList(t, call200(t, s, "POST", "/v1/objects/hint/delete",
		fmt.Sprintf(`{"filter":{"clientid":[4711],"id":[%d]}}`, counter.int("id")))))
	status, _ := send(t, s, AdminToken, "PUT", fmt.Sprintf("/v3/hint/%d", counter.int("id")), `{"title":"x"}`)
	require.Equal(t, http.StatusForbidden, status)

	detector := create(`{"type":"regex","clientid":4711,"action":[],"attack_type":"scanner","regex":"a","point":[["uri"]]}`)
	create(fmt.Sprintf(`{"type":"disable_regex","clientid":4711,"action":[],"regex_id":%d,"point":[["uri"]]}`,
		detector.int("regex_id")))
	require.Len(t, s.Rules(), 3)
	call200(t, s, "PUT", fmt.Sprintf("/v3/hint/%d", detector.int("id")), `{"regex":"b"}`)
	require.Len(t, s.Rules(), 2, "a changed regex removes what disables it")

	status, _ = send(t, s, AdminToken, "POST", "/v1/objects/hint/create",
		`{"type":"disable_stamp","clientid":4711,"action":[],"stamp":7,"point":[["uri"]]}`)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = send(t, s, ExtendedToken, "POST", "/v1/objects/hint/create",
		`{"type":"disable_stamp","clientid":4711,"action":[],"stamp":7,"point":[["uri"]]}`)
	require.Equal(t, http.StatusOK, status)
}

func TestRuleLock(t *testing.T) {
	s := NewServer(t)
	body := `{"type":"wallarm_mode","mode":"block","clientid":4711,"action":[]}`
	s.LockRules(time.Minute)
	status, answer := send(t, s, AdminToken, "POST", "/v1/objects/hint/create", body)
	require.Equal(t, http.StatusLocked, status)
	require.JSONEq(t, `{"status":423,"body":"Rules updates have been locked due to backup/restoring rules snapshot"}`, answer)
	s.Advance(time.Minute)
	call200(t, s, "POST", "/v1/objects/hint/create", body)
}

func TestActions(t *testing.T) {
	s := NewServer(t)
	attack := s.SeedAttacks(Attack{Domain: "Shop.example.net", Path: "/v1/login"})[0]
	hit, err := s.AddHit(attack, Hit{})
	require.NoError(t, err)
	ask := fmt.Sprintf(`{"id":[%q,%q]}`, hit.Index, hit.Doc)
	body := call200(t, s, "POST", "/v1/objects/action/by_hit", ask).object("body")
	require.False(t, body.has("action"))
	require.Len(t, body.array("conditions"), 5)
	rule := call200(t, s, "POST", "/v1/objects/hint/create", `{"type":"wallarm_mode","mode":"off","clientid":4711,"action":`+
		string(appendJSON(nil, body.get("conditions")))+`}`).object("body")
	body = call200(t, s, "POST", "/v1/objects/action/by_hit", ask).object("body")
	require.Equal(t, rule.int("actionid"), body.object("action").int("id"))

	path := fmt.Sprintf("/v2/action/%d", rule.int("actionid"))
	renamed := call200(t, s, "PUT", path, `{"name":"checkout-api"}`).object("body")
	require.Equal(t, "checkout-api", renamed.object("object").str("name"))
	renamed = call200(t, s, "PUT", path+"?name=other", "").object("body")
	require.Equal(t, "other", renamed.object("object").str("name"))
	status, _ := send(t, s, AdminToken, "PUT", path, `{"name":"a b"}`)
	require.Equal(t, http.StatusBadRequest, status)
}
