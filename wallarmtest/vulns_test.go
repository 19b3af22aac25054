package wallarmtest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVulnList(t *testing.T) {
	s := NewServer(t, fixedClock())
	s.AddVuln(Vuln{ID: 1, Type: "ptrav", Threat: 80, Found: noon.Add(-2 * time.Hour), Domain: "shop.example.net"})
	s.AddVuln(Vuln{ID: 2, Type: "xss", Target: "client", Status: "closed", Found: noon.Add(-time.Hour)})
	s.AddVuln(Vuln{ID: 3, ClientID: OtherClientID})
	_, err := s.Put("vulns", `{"id":4,"type":"sqli","status":"open","threat":10,"testrun_id":5,"validated":false,"preset":"owasp_api8_2019"}`)
	require.NoError(t, err)
	for filter, want := range map[string]string{
		`{}`:                                   "[1 2 4]",
		`{"clientid":[4711]}`:                  "[1 2 4]",
		`{"clientid":4711,"status":"open"}`:    "[1 4]",
		`{"!status":"open"}`:                   "[2]",
		`{"testrun_id":null,"validated":true}`: "[1 2]",
		`{"!testrun_id":null}`:                 "[4]",
		`{"validated":false}`:                  "[4]",
		`{"id":[1,4],"!threat":[10]}`:          "[1]",
		`{"target":"client"}`:                  "[2]",
		`{"type":"ptrav","domain":["x"]}`:      "[]",
		`{"preset":"owasp_api8_2019"}`:         "[4]",
		`{"!domain":["shop.example.net"]}`:     "[2 4]",
		fmt.Sprintf(`{"time":[[%d,null]]}`, noon.Add(-90*time.Minute).Unix()): "[2]",
		fmt.Sprintf(`{"validate_time":[[null,%d]]}`, noon.Unix()):             "[1 2]",
	} {
		got := []int64{}
		for _, v := range bodyList(t, call200(t, s, "POST", "/v1/objects/vuln", `{"limit":50,"offset":0,"filter":`+filter+`}`)) {
			got = append(got, v.int("id"))
		}
		require.Equal(t, want, fmt.Sprint(got), filter)
	}
	page := bodyList(t, call200(t, s, "POST", "/v1/objects/vuln",
		`{"filter":{},"limit":1,"offset":1,"order_by":"time","order_desc":true,"language":null}`))
	require.Len(t, page, 1)
	require.EqualValues(t, 1, page[0].int("id"))
	for body, field := range map[string]string{
		`{"limit":0}`: "limit", `{"limit":1001}`: "limit", `{"offset":-1}`: "offset", `{"order_by":"title"}`: "order_by",
		`{"filter":{"!preset":"a"}}`: "filter.!preset", `{"filter":{"state":"open"}}`: "filter.state", `{"language":1}`: "language",
	} {
		status, answer := send(t, s, AdminToken, "POST", "/v1/objects/vuln", body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Contains(t, answer, `"`+field+`":{"error"`)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v1/objects/vuln", `{"filter":{"clientid":[5150]}}`)
	require.Equal(t, http.StatusForbidden, status)
}

func TestVulnCount(t *testing.T) {
	s := NewServer(t)
	s.AddVuln(Vuln{ID: 7})
	s.AddVuln(Vuln{ClientID: OtherClientID})
	for _, filter := range []string{`{"clientid":[4711],"validated":true}`, `{"id":["7","9"]}`} {
		status, answer := send(t, s, AuditorToken, "POST", "/v1/objects/vuln/count", `{"filter":`+filter+`}`)
		require.Equal(t, http.StatusOK, status)
		require.JSONEq(t, `{"status":200,"body":{"count":1}}`, answer)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v1/objects/vuln/count", `{"filter":{"status":"open"}}`)
	require.Equal(t, http.StatusBadRequest, status, "the description of the route has no such condition")
}

func TestVulnUpdate(t *testing.T) {
	s := NewServer(t, fixedClock())
	s.AddVuln(Vuln{ID: 90210})
	s.AddVuln(Vuln{ID: 90211, ClientID: OtherClientID})
	update := func(body string) (int, string) {
		return send(t, s, AnalystToken, "POST", "/v1/objects/vuln/update", body)
	}

	status, answer := update(`{"filter":{"id":90210,"clientid":4711},"fields":{"status":"closed"}}`)
	require.Equal(t, http.StatusOK, status, answer)
	require.Contains(t, answer, `"status":"closed"`)
	require.Contains(t, answer, fmt.Sprintf(`"invalidate_time":%d`, noon.Unix()))
	_, answer = update(`{"filter":{"id":[90210],"clientid":4711},"fields":{"status":"open","threat":0,"title":"",
		"template_params":{"custom_title":"x"},"vpatched":true,"filter":[]}}`)
	for _, member := range []string{`"invalidate_time":null`, `"threat":0`, `"title":""`, `"custom_title":"x"`, `"vpatched":true`, `"filter":[]`} {
		require.Contains(t, answer, member)
	}
	stored, err := parseObject(s.Object("vulns", 90210))
	require.NoError(t, err)
	require.Len(t, stored.array("ticket_history"), 3)
	require.Equal(t, "/search", stored.object("template_params").str("path"), "the other parameters stay")

	_, answer = update(`{"filter":{"id":1,"clientid":4711},"fields":{"status":"open"}}`)
	require.JSONEq(t, `{"status":200,"body":[]}`, answer)
	for body, text := range map[string]string{
		`{"filter":{"clientid":4711},"fields":{"status":"open"}}`:                            `"filter.id":{"error":"required"`,
		`{"filter":{"id":[],"clientid":4711},"fields":{"status":"open"}}`:                    `"filter.id":{"error":"required"`,
		`{"filter":{"id":90210},"fields":{"status":"open"}}`:                                 `"filter.clientid":{"error":"required"`,
		`{"fields":{"status":"open"}}`:                                                       `"filter":{"error":"required"`,
		`{"filter":{"id":90210,"clientid":4711}}`:                                            `"fields":{"error":"required"`,
		`{"filter":{"id":90210,"clientid":4711},"fields":{"status":"fixed"}}`:                `"fields.status":{"error":"invalid","value":"fixed"`,
		`{"filter":{"id":90210,"clientid":4711},"fields":{"hidden":"maybe"}}`:                `"fields.hidden":{"error":"must be boolean"`,
		`{"filter":{"id":90210,"clientid":4711},"fields":{"title":["a"]}}`:                   `"fields.title":{"error":"invalid"`,
		`{"filter":{"id":90210,"clientid":4711},"fields":{"wid":"a"}}`:                       `"fields.wid":{"error":"invalid"`,
		`{"filter":{"id":90210,"clientid":4711},"fields":{"template_params":{"title":"a"}}}`: `"fields.template_params.title"`,
	} {
		status, answer := update(body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Contains(t, answer, text, body)
	}
	status, _ = update(`{"filter":{"id":90211,"clientid":5150},"fields":{"status":"closed"}}`)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = send(t, s, AuditorToken, "POST", "/v1/objects/vuln/update", `{"filter":{"id":90210,"clientid":4711},"fields":{"status":"open"}}`)
	require.Equal(t, http.StatusForbidden, status)
}

func TestVulnMarkFalsePositive(t *testing.T) {
	s := NewServer(t)
	s.AddVuln(Vuln{ID: 90210})
	s.AddVuln(Vuln{ID: 90211, ClientID: OtherClientID})
	for range 2 {
		status, answer := send(t, s, AdminToken, "POST", "/v2/vuln/90210/mark_false_positive", "")
		require.Equal(t, http.StatusAccepted, status)
		require.Empty(t, answer)
	}
	stored, err := parseObject(s.Object("vulns", 90210))
	require.NoError(t, err)
	require.Equal(t, "falsepositive", stored.str("status"))
	require.Len(t, stored.array("ticket_history"), 2, "the second mark changes nothing")
	for _, id := range []string{"90211", "1", "x"} {
		status, answer := send(t, s, AdminToken, "POST", "/v2/vuln/"+id+"/mark_false_positive", "")
		require.Equal(t, http.StatusNotFound, status)
		require.JSONEq(t, `{"body":{"error":"Not found"}}`, answer)
	}
}

func TestVulnTemplates(t *testing.T) {
	s := NewServer(t)
	list := call200(t, s, "GET", "/v2/vuln/template", "").object("body").array("result")
	require.NotEmpty(t, list)
	first := list[0].(*object)
	one := call200(t, s, "GET", fmt.Sprintf("/v2/vuln/template/%d", first.int("id")), "").object("body").object("result")
	require.Equal(t, first, one)
	status, _ := send(t, s, AdminToken, "GET", "/v2/vuln/template/1", "")
	require.Equal(t, http.StatusNotFound, status)
}
