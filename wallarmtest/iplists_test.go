package wallarmtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const denyGroups = "/v1/blocklist/clients/4711/groups?filter%5Blist%5D=block&limit=1000&offset=0"

func groupsOf(t *testing.T, s *Server, path string) []*object {
	t.Helper()
	answer := call200(t, s, "GET", path, "")
	require.False(t, answer.has("status"), "the envelope has none")
	var out []*object
	for _, e := range answer.object("body").array("objects") {
		out = append(out, e.(*object))
	}
	return out
}

func valuesOf(groups []*object) string {
	var out []string
	for _, g := range groups {
		out = append(out, strings.Join(stringsOf(g.get("values")), "+"))
	}
	return strings.Join(out, " ")
}

func accessRulesBody(list string, force bool, expiry int64, rules string) string {
	return fmt.Sprintf(`{"list":%q,"force":%v,"reason":"credential stuffing","application_ids":[0],"expired_at":%d,"rules":[%s]}`,
		list, force, expiry, rules)
}

func TestIPListsOverOneState(t *testing.T) {
	s := NewServer(t, fixedClock())
	soon := noon.Add(time.Hour).Unix()
	add := func(force bool, expiry int64, rules string) (int, string) {
		return send(t, s, AnalystToken, "POST", "/v1/blocklist/clients/4711/access_rules", accessRulesBody("block", force, expiry, rules))
	}
	status, answer := add(false, soon, `{"rules_type":"subnet","values":["203.0.113.7","198.51.100.9/24"]},{"rules_type":"location","values":["AQ","BV"]}`)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"status":200}`, answer)
	groups := groupsOf(t, s, denyGroups)
	require.Equal(t, "203.0.113.7/32 198.51.100.0/24 AQ+BV", valuesOf(groups))
	require.Equal(t, "location", groups[2].str("rule_type"))
	require.Equal(t, "198.51.100.0/24", valuesOf(groupsOf(t, s, denyGroups+"&filter%5Bquery%5D=198.51")))
	require.Equal(t, "AQ+BV", valuesOf(groupsOf(t, s, denyGroups+"&filter%5Brule_type%5D%5B%5D=location")))

	// The documented generation sees the same, in its own words and with other ids.
	rules := call200(t, s, "GET", "/v4/ip_rules?filter%5Bclientid%5D=4711&filter%5Blist%5D=black&offset=0&limit=300", "")
	require.EqualValues(t, 200, rules.int("status"))
	first := rules.object("body").array("objects")[0].(*object)
	require.Equal(t, "ip_range", first.str("rule_type"))
	require.Equal(t, "203.0.113.7/32", first.str("subnet"))
	require.NotEqual(t, first.int("id"), groups[0].int("id"))
	counts := call200(t, s, "GET", "/v4/ip_rules/counts?filter%5Bclientid%5D=4711", "").object("body")
	require.JSONEq(t, `{"white":0,"black":3,"gray":0,"api_abuse_exceptions":0,"all":3}`, string(appendJSON(nil, counts)))

	status, answer = add(false, soon, `{"rules_type":"subnet","values":["192.0.2.1","203.0.113.7/32"]}`)
	require.Equal(t, http.StatusConflict, status, answer)
	require.Len(t, groupsOf(t, s, denyGroups), 3, "a conflict adds nothing")
	status, _ = add(true, 33223139044, `{"rules_type":"subnet","values":["203.0.113.7"]},{"rules_type":"location","values":["BV"]}`)
	require.Equal(t, http.StatusOK, status)
	forced := groupsOf(t, s, denyGroups)
	require.Equal(t, "203.0.113.7/32 198.51.100.0/24 AQ BV", valuesOf(forced))
	require.EqualValues(t, 33223139044, forced[0].int("expired_at"))
	require.Equal(t, groups[0].int("id"), forced[0].int("id"))

	remove := fmt.Sprintf(`{"rules":[{"rule_type":"subnet","ids":[%d,%d,1]}]}`, forced[0].int("id"), forced[2].int("id"))
	require.JSONEq(t, `{"status":200}`, string(appendJSON(nil, call200(t, s, "DELETE", "/v1/blocklist/clients/4711/groups", remove))))
	require.Equal(t, "198.51.100.0/24 AQ BV", valuesOf(groupsOf(t, s, denyGroups)), "an id goes with its kind only")

	s.Advance(2 * time.Hour)
	require.Equal(t, "BV", valuesOf(groupsOf(t, s, denyGroups)), "the others have expired")
}

func TestIPListRefusals(t *testing.T) {
	s := NewServer(t)
	const good = `{"rules_type":"subnet","values":["203.0.113.7"]}`
	for name, test := range map[string]struct {
		token, path, body string
		status            int
		want              string
	}{
		"reader":         {AuditorToken, "/v1/blocklist/clients/4711/access_rules", accessRulesBody("block", true, 33223139044, good), 403, "Check permissions failed"},
		"another client": {AdminToken, "/v1/blocklist/clients/5150/access_rules", accessRulesBody("block", true, 33223139044, good), 403, "Check permissions failed"},
		"wrong word":     {AdminToken, "/v1/blocklist/clients/4711/access_rules", accessRulesBody("black", true, 33223139044, good), 400, `"list":{"error":"invalid"`},
		"no rules":       {AdminToken, "/v1/blocklist/clients/4711/access_rules", accessRulesBody("block", true, 33223139044, ""), 400, `"rules":{"error":"required"`},
		"wrong spelling": {
			AdminToken, "/v1/blocklist/clients/4711/access_rules", accessRulesBody("block", true, 1, strings.Replace(good, "rules_type", "rule_type", 1)),
			400, `"rules_type":{"error":"invalid"`,
		},
		"bad address": {
			AdminToken, "/v1/blocklist/clients/4711/access_rules", accessRulesBody("block", true, 1, strings.Replace(good, "113.7", "113.700", 1)),
			400, `"values":{"error":"invalid"`,
		},
		"v4 without its members": {
			AdminToken, "/v4/ip_rules", `{"clientid":4711,"force":true,"ip_rule":{}}`, 400,
			`"ip_rule":{"list":{"error":"required"},"pools":{"error":"required"},"expired_at":{"error":"required"},"subnet":{"error":"required"}}`,
		},
		"v4 of another client": {AdminToken, "/v4/ip_rules", `{"clientid":5150,"force":true,"ip_rule":{}}`, 403, `{"error":"Check permissions failed"}`},
		"bulk without event": {
			AdminToken, "/v4/ip_rules/bulk",
			`{"bulk":[{"clientid":4711,"list":"black","subnet":"203.0.113.7","pools":[0],"expired_at":1}]}`, 400, `"event_type":{"error":"required"`,
		},
		"v5 without rules": {AdminToken, "/v5/ip_rules", `{"client_id":4711,"list":"black","force":true}`, 400, `"ip_rules":{"error":"required"`},
	} {
		status, answer := send(t, s, test.token, "POST", test.path, test.body)
		assert.Equal(t, test.status, status, name)
		assert.Contains(t, answer, test.want, name)
	}
	for _, query := range []string{"?limit=10&offset=0", "?filter[clientid]=4711&limit=10", "?filter[clientid]=4711&offset=0", "?filter[clientid]=4711&offset=0&limit=301"} {
		status, _ := send(t, s, AdminToken, "GET", "/v4/ip_rules"+query, "")
		require.Equal(t, http.StatusBadRequest, status, query)
	}
	status, _ := send(t, s, AdminToken, "GET", "/v4/ip_rules?filter[clientid]=5150&limit=10&offset=0", "")
	require.Equal(t, http.StatusForbidden, status)
}

func TestIPRules(t *testing.T) {
	s := NewServer(t)
	const rule = `{"list":"gray","rule_type":"country","source_values":["AQ","BV"],"pools":[0],"expired_at":33223139044,"reason":"no customers there"}`
	status, answer := send(t, s, AdminToken, "POST", "/v4/ip_rules", `{"clientid":4711,"force":false,"ip_rule":`+rule+`}`)
	require.Equal(t, http.StatusCreated, status, answer)
	doc, err := parseObject([]byte(answer))
	require.NoError(t, err)
	made := doc.object("body")
	status, _ = send(t, s, AdminToken, "POST", "/v4/ip_rules", `{"clientid":4711,"force":false,"ip_rule":`+rule+`}`)
	require.Equal(t, http.StatusConflict, status)

	form := url.Values{"clientid": {"4711"}, "ip_rule[expired_at]": {"33223139000"}, "ip_rule[reason]": {"x"}}
	request, err := http.NewRequestWithContext(t.Context(), "PUT", fmt.Sprintf("%s/v4/ip_rules/%d", s.URL, made.int("id")), strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("WallarmApi-Token", AdminToken)
	response, err := s.Client().Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, string(s.Object("ip_rules", made.int("id"))), `"expired_at":33223139000,"reason":"x"`)

	element := `{"clientid":4711,"event_type":"manual","list":"black","subnet":%q,"expired_at":33223139044,"pools":[0]}`
	bulk := fmt.Sprintf(`{"ignore_if_exists":%%v,"bulk":[`+element+`,`+element+`]}`, "203.0.113.7", "203.0.113.8")
	status, answer = send(t, s, AdminToken, "POST", "/v4/ip_rules/bulk", fmt.Sprintf(bulk, false))
	require.Equal(t, http.StatusCreated, status)
	require.JSONEq(t, `{"status":200,"body":{}}`, answer)
	status, _ = send(t, s, AdminToken, "POST", "/v4/ip_rules/bulk", fmt.Sprintf(bulk, false))
	require.Equal(t, http.StatusConflict, status)
	status, _ = send(t, s, AdminToken, "POST", "/v4/ip_rules/bulk", fmt.Sprintf(bulk, true))
	require.Equal(t, http.StatusCreated, status)
	status, answer = send(t, s, AdminToken, "POST", "/v5/ip_rules", `{"client_id":4711,"list":"api_abuse_exceptions","force":true,
		"ip_rules":[{"subnet":"2001:db8::1","pools":[0],"expired_at":33223139044}]}`)
	require.Equal(t, http.StatusCreated, status)
	require.Contains(t, answer, `"subnet":"2001:db8::1/128"`)
	require.Len(t, s.Objects("ip_rules"), 4)
	require.Len(t, groupsOf(t, s, "/v1/blocklist/clients/4711/groups"), 3, "the exceptions are unknown to the first generation")

	for query, want := range map[string]int{
		"": 4, "&filter[list]=black": 2, "&filter[rule_type][]=country&filter[rule_type][]=proxy_type": 1, "&filter[query]=203.0.113.8": 1,
		"&filter[reason]=x": 1, "&filter[poolid]=0": 4, "&filter[author]=antibot": 0, "&filter[event_type][]=manual": 4,
		"&filter[time_start]=4102444800": 0, "&filter[unique_subnet]=true": 4, fmt.Sprintf("&filter[!id][]=%d", made.int("id")): 3,
	} {
		page := call200(t, s, "GET", "/v4/ip_rules?filter[clientid]=4711&offset=0&limit=300"+query, "")
		require.Len(t, page.object("body").array("objects"), want, query)
	}

	path := fmt.Sprintf("/v4/ip_rules/%d?clientid=4711", made.int("id"))
	require.NotNil(t, call200(t, s, "DELETE", path, "").object("body"))
	status, answer = send(t, s, AdminToken, "DELETE", path, "")
	require.Equal(t, http.StatusNotFound, status)
	require.JSONEq(t, `{"status":404,"body":"Not found"}`, answer)
	call200(t, s, "DELETE", "/v4/ip_rules", fmt.Sprintf(`{"filter":{"clientid":4711,"id":[%d,%d]}}`, made.int("id")+1, made.int("id")+2))
	require.Len(t, s.Objects("ip_rules"), 1)
}

func TestDenyListHistoryAndEvents(t *testing.T) {
	s := NewServer(t, fixedClock())
	for i := range 5 {
		body := accessRulesBody("block", false, 33223139044, fmt.Sprintf(`{"rules_type":"subnet","values":["203.0.113.%d"]}`, i+1))
		call200(t, s, "POST", "/v1/blocklist/clients/4711/access_rules", body)
		s.Advance(time.Minute)
	}
	call200(t, s, "DELETE", "/v4/ip_rules", `{"filter":{"clientid":4711,"id":[4455001]}}`)
	read := func(path string) (ips string, next any) {
		body := call200(t, s, "GET", path, "").object("body")
		for _, e := range body.array("objects") {
			o := e.(*object)
			ips += o.str("type") + " " + o.str("ip")[10:] + ";"
		}
		return ips, body.get("continuation")
	}
	history := fmt.Sprintf("/v3/blacklist/history?filter[clientid]=4711&filter[start_time]=%d&filter[end_time]=%d&limit=2",
		noon.Unix()+60, noon.Unix()+240)
	first, next := read(history)
	require.Equal(t, " 2; 3;", first)
	second, next := read(history + "&continuation=" + url.QueryEscape(next.(string)))
	require.Equal(t, " 4; 5;", second)
	require.Nil(t, next)
	events, next := read("/v3/blacklist/events?filter[clientid]=4711&filter[type][]=unblock&always_continuation=true")
	require.Equal(t, "unblock 1;", events)
	require.NotNil(t, next)
	events, _ = read("/v3/blacklist/events?filter[clientid]=4711&continuation=" + url.QueryEscape(next.(string)))
	require.Empty(t, events)
	status, _ := send(t, s, AdminToken, "GET", "/v3/blacklist/events?limit=1", "")
	require.Equal(t, http.StatusBadRequest, status)
	status, _ = send(t, s, AdminToken, "GET", "/v3/blacklist/events?filter[clientid]=4711&continuation=%25", "")
	require.Equal(t, http.StatusBadRequest, status)
}

func TestSampleHasLists(t *testing.T) {
	s := NewServer(t, WithSampleData())
	require.NotEmpty(t, groupsOf(t, s, denyGroups))
	require.Len(t, s.Objects("nodes"), 1)
	require.Len(t, s.Objects("applications"), 2)
}
