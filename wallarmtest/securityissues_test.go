package wallarmtest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listOf reads an answer that is a bare list of objects.
func listOf(t *testing.T, s *Server, path, body string) []*object {
	t.Helper()
	status, answer := send(t, s, AdminToken, "POST", path, body)
	require.Equal(t, http.StatusOK, status, answer)
	v, err := parseJSON([]byte(answer))
	require.NoError(t, err)
	list, isList := v.([]any)
	require.True(t, isList, answer)
	out := make([]*object, len(list))
	for i, e := range list {
		out[i] = e.(*object)
	}
	return out
}

func issueCloud(t *testing.T) *Server {
	s := NewServer(t, fixedClock())
	for i, host := range []string{"shop.example.net", "api.example.net"} {
		s.AddSecurityIssue(SecurityIssue{
			ID: int64(1 + i), Name: "SQL injection", Severity: "high", Type: "sqli", Host: host, State: []string{"open", "closed"}[i],
			Incident: i == 0, DiscoveredBy: "passive_detect",
		})
	}
	s.AddSecurityIssue(SecurityIssue{
		ID: 3, Name: "Old software", Severity: "critical", Host: "lab.example.net", Discovered: noon.Add(-time.Hour), Verified: true,
	})
	s.AddSecurityIssue(SecurityIssue{ID: 4, Name: "Old software", Severity: "info", State: "hidden"})
	s.AddSecurityIssue(SecurityIssue{ID: 5, ClientID: OtherClientID})
	return s
}

func TestSecurityIssueList(t *testing.T) {
	s := issueCloud(t)
	_, err := s.Put("security_issues", `{"id":6,"client_id":4711,"name":"Leak","severity":"low","state":"open","issue_type":{"id":"infoleak","name":"x"},
		"owasp":[{"id":"api8_2023"}],"description":"only in full","future":1}`)
	require.NoError(t, err)
	for filter, want := range map[string]string{
		`{}`: "[1 2 3 4 6]",
		`{"state":["open"],"severity":["critical","high"],"!host":"lab.example.net","incident":true}`: "[1]",
		`{"incident":false}`:                                               "[2 3 4]",
		`{"verified":true}`:                                                "[3]",
		`{"issue_type":"sqli","!id":1}`:                                    "[2]",
		`{"owasp":"api8_2023"}`:                                            "[6]",
		`{"!owasp":"api8_2023"}`:                                           "[1 2 3 4]",
		`{"search_query":"OLD soft"}`:                                      "[3 4]",
		`{"client_id":4711,"state":"hidden"}`:                              "[4]",
		`{"discovered_by":["passive_detect"]}`:                             "[1 2]",
		fmt.Sprintf(`{"created_since":%d}`, noon.Add(-time.Minute).Unix()): "[1 2 4]",
	} {
		got := []int64{}
		for _, o := range listOf(t, s, "/v1/security_issues", `{"client_id":4711,"token":"test-token-admin","limit":200,"offset":0,"filter":`+filter+`}`) {
			got = append(got, o.int("id"))
			require.False(t, o.has("description"))
		}
		require.Equal(t, want, fmt.Sprint(got), filter)
	}
	bySeverity := listOf(t, s, "/v1/security_issues", `{"client_id":4711,"limit":2,"offset":1,"order_by":{"name":"severity","direction":"desc"}}`)
	require.Equal(t, "high", bySeverity[0].str("severity"))
	require.Len(t, bySeverity, 2)
	require.Len(t, listOf(t, s, "/v1/security_issues", `{"client_id":4711,"limit":1,"unlimited":true}`), 5)
	require.Empty(t, listOf(t, s, "/v1/security_issues", `{"client_id":4711,"limit":0}`))
	for body, text := range map[string]string{
		`{}`:                                              `"client_id":{"error"`,
		`{"client_id":4711,"limit":1001}`:                 `"limit":{"error"`,
		`{"client_id":4711,"unlimited":"x"}`:              `"unlimited"`,
		`{"client_id":4711,"order_by":"severity"}`:        `"order_by"`,
		`{"client_id":4711,"filter":{"!incident":true}}`:  `"filter.!incident"`,
		`{"client_id":4711,"filter":{"search_query":1}}`:  `"filter.search_query"`,
		`{"client_id":4711,"filter":{"status":["open"]}}`: `"filter.status"`,
	} {
		status, answer := send(t, s, AdminToken, "POST", "/v1/security_issues", body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Contains(t, answer, text)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v1/security_issues", `{"client_id":5150}`)
	require.Equal(t, http.StatusForbidden, status)
}

func TestSecurityIssueGroupsAndCounts(t *testing.T) {
	s := issueCloud(t)
	groups := listOf(t, s, "/v1/security_issues/groups", `{"client_id":4711,"limit":20,"order_by":{"name":"severity","direction":"desc"}}`)
	require.Len(t, groups, 3)
	require.Equal(t, "critical", groups[0].str("severity"))
	sqli := groups[1]
	require.JSONEq(t, `{"open":1,"closed":1,"marked_false":0}`, string(appendJSON(nil, sqli.get("states"))))
	require.EqualValues(t, 2, sqli.int("security_issues_count"))
	require.EqualValues(t, 2, sqli.int("hosts_count"))
	require.Equal(t, "shop.example.net", sqli.str("first_host"))
	require.JSONEq(t, `{"open":0,"closed":0,"marked_false":0,"hidden":1}`, string(appendJSON(nil, groups[2].get("states"))))
	members := listOf(t, s, "/v1/security_issues", fmt.Sprintf(`{"client_id":4711,"filter":{"group_id":%q}}`, sqli.str("group_id")))
	require.Len(t, members, 2)

	_, answer := send(t, s, AdminToken, "POST", "/v1/security_issues/count", `{"client_id":4711,"filter":{"state":["open"]}}`)
	require.JSONEq(t, `{"count":2}`, answer)
	_, answer = send(t, s, AdminToken, "POST", "/v1/security_issues/groups_count", `{"client_id":4711}`)
	require.JSONEq(t, `{"count":3}`, answer)
}

func TestSecurityIssueInFull(t *testing.T) {
	s := issueCloud(t)
	o := call200(t, s, "GET", "/v1/security_issues/1?client_id=4711&token=test-token-admin", "")
	require.Equal(t, "SQL injection", o.str("name"))
	require.JSONEq(t, `[{"state":"open"}]`, string(appendJSON(nil, o.get("status_history"))))
	require.Equal(t, "passive_detect", o.str("source"))
	for _, m := range issueDetails.members {
		require.True(t, o.has(m.name), m.name)
	}
	require.EqualValues(t, 1, call200(t, s, "GET", "/v1/security_issues/1", "").int("id"))
	for path, want := range map[string]int{
		"/v1/security_issues/5?client_id=4711": 404, "/v1/security_issues/1?client_id=5150": 403, "/v1/security_issues/99": 404,
		"/v1/security_issues/1?client_id=4712": 403,
	} {
		status, _ := send(t, s, AdminToken, "GET", path, "")
		require.Equal(t, want, status, path)
	}
	status, _ := send(t, s, PartnerToken, "GET", "/v1/security_issues/1?client_id=4712", "")
	require.Equal(t, http.StatusNotFound, status, "the issue is another client's")
}
