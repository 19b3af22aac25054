package wallarmtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestActivityIsWrittenByChanges(t *testing.T) {
	s := NewServer(t, fixedClock())
	start := s.Now().Unix()
	token := call200(t, s, "POST", "/v2/api_tokens", `{"realname":"ci","permissions":["auditor"]}`).object("body")
	s.Advance(time.Minute)
	call200(t, s, "PUT", fmt.Sprintf("/v2/api_tokens/%d", token.int("id")), `{"enabled":false}`)
	call200(t, s, "POST", "/v1/objects/user/create", newDev)
	s.Advance(time.Minute)
	_, err := s.AddRule(`{"type":"wallarm_mode","mode":"block","action":[]}`)
	require.NoError(t, err)
	call200(t, s, "POST", "/v1/objects/hint/create", `{"type":"wallarm_mode","mode":"block","clientid":4711,"action":[]}`)

	list := func(query string) []any {
		answer := call200(t, s, "GET", "/v1/activity_log/4711/events"+query, "")
		require.False(t, answer.has("status"))
		return answer.object("body").array("objects")
	}
	all := list("")
	require.Len(t, all, 4)
	newest, oldest := all[0].(*object), all[3].(*object)
	require.Equal(t, "Rule", newest.str("object_type"))
	require.Equal(t, "API token", oldest.str("object_type"))
	require.Greater(t, oldest.int("id"), int64(1)<<53)
	require.Len(t, list(`?filter%5Bobject_types%5D%5B%5D=api_token&filter%5Bobject_types%5D%5B%5D=user&limit=50&offset=0&order_by=timestamp&order_desc=true`), 3)
	require.Len(t, list(`?filter%5Baction_types%5D%5B%5D=update&filter%5Boutcomes%5D%5B%5D=success&filter%5Bsources%5D%5B%5D=api_token`), 1)
	require.Len(t, list(`?filter%5Bactor_ids%5D%5B%5D=70001`), 4)
	require.Empty(t, list(`?filter%5Bactor_ids%5D%5B%5D=70002`))
	require.Len(t, list(fmt.Sprintf(`?filter%%5Btime_start%%5D=%d&filter%%5Btime_end%%5D=%d`, start+1, start+60)), 2)
	require.Equal(t, oldest.int("id"), list(`?limit=1&order_desc=false`)[0].(*object).int("id"))
	require.Len(t, list(`?limit=3&offset=2`), 2)

	change := list(`?filter%5Baction_types%5D%5B%5D=update`)[0].(*object)
	require.Equal(t, "Update", change.str("action_type"))
	require.JSONEq(t, `{"enabled":{"old":true,"new":false}}`, string(appendJSON(nil, change.get("diff"))))
	require.JSONEq(t, `{"label":"API token","value":"api_token"}`, string(appendJSON(nil, change.get("object_type_info"))))
	require.JSONEq(t, `{"id":70001,"client_id":4711,"name":"Ada Admin"}`, string(appendJSON(nil, change.get("initiator"))))
	require.Equal(t, fmt.Sprint(token.int("id")), change.str("object_id"))
	one := call200(t, s, "GET", fmt.Sprintf("/v1/activity_log/4711/events/%d", change.int("id")), "").object("body").array("objects")
	require.Len(t, one, 1)
	require.Equal(t, change.int("id"), one[0].(*object).int("id"))

	for _, id := range []string{"1", "x", "18446744073709551615"} {
		refused(t, s, AdminToken, "GET", "/v1/activity_log/4711/events/"+id, "", 404, notFound)
	}
	refused(t, s, OtherToken, "GET", "/v1/activity_log/4711/events", "", 403, forbidden)
	refused(t, s, AdminToken, "GET", "/v1/activity_log/4711/events?order_by=time", "", 400, `{"status":400,"body":{"order_by":{"error":"invalid","value":"time"}}}`)
	refused(t, s, AdminToken, "GET", "/v1/activity_log/4711/events?filter%5Btime_start%5D=x", "", 400, `{"status":400,"body":{"filter.time_start":{"error":"invalid","value":"x"}}}`)
	sendOK(t, s, AuditorToken, "GET", "/v1/activity_log/4711/events", "")
}

func TestActivityFilterValues(t *testing.T) {
	s := NewServer(t)
	body := call200(t, s, "GET", "/v1/activity_log/events_get_filters", "").object("body")
	require.Contains(t, string(appendJSON(nil, body.get("object_types"))), `{"label":"API token","value":"api_token"}`)
	require.Len(t, body.array("action_types"), 4)
	require.Len(t, body.array("outcomes"), 2)
	require.Len(t, body.array("sources"), 4)
}

func TestActivityForgetsTheOldest(t *testing.T) {
	c := NewCloud()
	q := &call{cloud: c, who: &identity{cloud: c, userID: 70001, clientID: DefaultClientID, credential: &credential{}}, now: c.Now()}
	for i := range activityKept + 10 {
		q.changed("ip_lists", "create", nil, obj("id", i+1, "clientid", DefaultClientID))
	}
	require.Less(t, len(c.Objects("activity")), activityKept)
	require.Contains(t, string(c.Objects("activity")[0]), `"object_type":"Ip list"`)
	require.Contains(t, string(c.Objects("activity")[0]), `"source":"ui_page"`)
	q.changed("things", "explode", nil, nil)
}
