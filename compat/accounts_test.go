package compat

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	wallarm "github.com/wallarm/wallarm-go"
)

func TestUserDetails(t *testing.T) {
	w := newWorld(t)
	me, err := w.api.UserDetails()
	require.NoError(t, err)
	require.Equal(t, client, me.Body.Clientid)
	require.Equal(t, "admin@example.com", me.Body.Email)
	require.WithinDuration(t, w.Now(), me.Body.CreateAt, time.Minute)

	_, err = w.as(t, "test-token-unknown").UserDetails()
	status(t, http.StatusForbidden, err)
	require.ErrorContains(t, err, `{"status":403,"body":"User not authenticated"}`)
}

func TestUsers(t *testing.T) {
	w := newWorld(t)
	body := &wallarm.UserCreate{
		Email: "dev@example.com", Username: "dev@example.com", Realname: "Dev Account", Password: "test-Secret-1",
		Permissions: []string{"analytic"}, Clientid: client, Enabled: true,
	}
	created, err := w.api.UserCreate(body)
	require.NoError(t, err)
	require.NotZero(t, created.Body.ID)
	require.Equal(t, []string{"analytic"}, created.Body.Permissions)
	_, err = w.api.UserCreate(body)
	require.ErrorIs(t, err, wallarm.ErrExistingResource, "409")

	find := func() []wallarm.UserParams {
		list, err := w.api.UserRead(&wallarm.UserGet{
			Limit: 500, OrderBy: "realname", Filter: &wallarm.UserFilter{Clientid: []int{client}, Email: "dev@example.com"},
		})
		require.NoError(t, err)
		return list.Body
	}
	require.Len(t, find(), 1)
	require.Equal(t, created.Body.UUID, find()[0].UUID)
	require.NoError(t, w.api.UserUpdate(&wallarm.UserUpdate{
		UserFilter: &wallarm.UserFilter{ID: created.Body.ID},
		UserFields: &wallarm.UserFields{Realname: "Dev Renamed", Permissions: []string{"auditor"}},
	}))
	require.Equal(t, "Dev Renamed", find()[0].Realname)
	require.Equal(t, []string{"auditor"}, find()[0].Permissions)
	require.NoError(t, w.api.UserDelete(&wallarm.UserDelete{Filter: &wallarm.UserFilter{Email: "dev@example.com"}}))
	require.Empty(t, find())
	require.NoError(t, w.api.UserDelete(&wallarm.UserDelete{Filter: &wallarm.UserFilter{Email: "dev@example.com"}}))
}

func TestClients(t *testing.T) {
	w := newWorld(t)
	read := func(filter wallarm.ClientReadFilter) []wallarm.ClientInfoBody {
		list, err := w.api.ClientRead(&wallarm.ClientRead{Filter: &filter, Limit: 10})
		require.NoError(t, err)
		return list.Body
	}
	own := read(wallarm.ClientReadFilter{ClientFilter: wallarm.ClientFilter{ID: client}})
	require.Len(t, own, 1)
	require.NotEmpty(t, own[0].PartnerUUID)

	body := &wallarm.ClientCreate{Name: "Example Shop EU", PartnerUUID: own[0].PartnerUUID}
	created, err := w.api.ClientCreate(body)
	require.NoError(t, err)
	id := created.Body.ID
	require.True(t, created.Body.Enabled)
	_, err = w.api.ClientCreate(body)
	require.ErrorIs(t, err, wallarm.ErrExistingResource)

	changed, err := w.api.ClientUpdate(&wallarm.ClientUpdate{
		Filter: &wallarm.ClientFilter{ID: id}, Fields: &wallarm.ClientFields{Name: "Example Shop NL", Enabled: ptr(false)},
	})
	require.NoError(t, err)
	require.Equal(t, "Example Shop NL", changed.Body[0].Name)
	require.False(t, changed.Body[0].Enabled)
	require.Len(t, read(wallarm.ClientReadFilter{Name: "Example Shop NL"}), 1)
	gone, err := w.api.ClientDelete(&wallarm.ClientDelete{Filter: &wallarm.ClientFilter{ID: id}})
	require.NoError(t, err)
	require.Equal(t, []int{id}, gone.Body)
	require.Nil(t, w.Object("clients", int64(id)))
}

func TestActivityLog(t *testing.T) {
	w := newWorld(t)
	rule, err := w.api.HintCreate(&wallarm.ActionCreate{Type: "wallarm_mode", Mode: "off", Clientid: client, Action: scope(), Active: true})
	require.NoError(t, err)
	_, err = w.api.HintUpdateV3(rule.Body.ID, &wallarm.HintUpdateV3Params{Active: ptr(false)})
	require.NoError(t, err)

	filters, err := w.api.ActivityLogEventsGetFilters()
	require.NoError(t, err)
	require.NotEmpty(t, filters.Body.ObjectTypes)
	require.NotEmpty(t, filters.Body.Outcomes)
	list, err := w.api.ActivityLogEventsRead(&wallarm.ActivityLogEventsRead{
		ClientID: client, Limit: 50, OrderBy: "timestamp", OrderDesc: true,
		Filter: &wallarm.ActivityLogEventsFilter{
			ActionTypes: []string{"create", "update"}, Outcomes: []string{"success"}, TimeStart: w.Now().Add(-time.Hour).Unix(),
		},
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(list.Body.Objects), 2)
	event := list.Body.Objects[0]
	require.EqualValues(t, client, event.ClientID)
	require.NotNil(t, event.Initiator)
	one, err := w.api.ActivityLogEventRead(&wallarm.ActivityLogEventRead{ClientID: client, EventID: int64(event.ID)})
	require.NoError(t, err)
	require.Equal(t, []wallarm.ActivityLogEvent{event}, one.Body.Objects)
	none, err := w.api.ActivityLogEventsRead(&wallarm.ActivityLogEventsRead{
		ClientID: client, Limit: 50, Filter: &wallarm.ActivityLogEventsFilter{ObjectTypes: []string{"user"}},
	})
	require.NoError(t, err)
	require.Empty(t, none.Body.Objects)
}

func TestSecurityIssues(t *testing.T) {
	w := newWorld(t)
	_, err := w.Put("security_issues", `{"id":5150,"client_id":4711,"severity":"high","state":"open","volume":2,"name":"Old ExampleSoft",
		"created_at":1785802000,"discovered_at":1785801950,"discovered_by":"aasm","discovered_by_display_name":"AASM",
		"url":"https://shop.example.net/","host":"shop.example.net","path":"/","http_method":"GET","mitigations":{"vpatch":{"rule_id":null}},
		"issue_type":{"id":"vuln_version","name":"Vulnerable component"},"owasp":[],"tags":[],"incident":true,"verified":false,
		"false_positive_rule_id":null,"description":"text","risk_info":{"cvss":7.1}}`)
	require.NoError(t, err)
	filter := &wallarm.GetSecurityIssuesFilter{State: []string{"open"}, Severity: []string{"critical", "high"}, Incident: ptr(true)}
	issues, err := w.api.GetSecurityIssuesRead(&wallarm.GetSecurityIssuesRead{
		ClientID: client, Limit: 100, Filter: filter, OrderBy: &wallarm.GetSecurityIssuesOrderBy{Name: "severity", Direction: "desc"},
	})
	require.NoError(t, err)
	require.Len(t, issues, 1)
	require.Equal(t, "vuln_version", issues[0].IssueType.ID)
	count, err := w.api.GetSecurityIssuesCount(&wallarm.GetSecurityIssuesCount{ClientID: client, Filter: filter})
	require.NoError(t, err)
	require.Equal(t, 1, count.Count)
	groups, err := w.api.GetSecurityIssueGroups(&wallarm.GetSecurityIssueGroups{ClientID: client, Unlimited: true})
	require.NoError(t, err)
	require.Len(t, groups, 1)
	require.Equal(t, 1, groups[0].SecurityIssuesCount)
	require.Equal(t, 1, groups[0].States.Open)
	total, err := w.api.GetSecurityIssueGroupsCount(&wallarm.GetSecurityIssueGroupsCount{ClientID: client})
	require.NoError(t, err)
	require.Equal(t, 1, total.Count)
	one, err := w.api.GetSecurityIssue(&wallarm.GetSecurityIssue{ID: 5150, ClientID: client})
	require.NoError(t, err)
	require.Equal(t, "Old ExampleSoft", one.Name)
	require.Equal(t, "text", one.Description)
	require.Equal(t, "test-token-compat", queryOf(t, w, "securityIssues.get").Get("token"), "the client puts its token into the query")
}
