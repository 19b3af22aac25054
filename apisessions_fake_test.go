package wallarm_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// TestSessionsOnTheFake walks from a filter over sessions and their requests to one request.
func TestSessionsOnTheFake(t *testing.T) {
	client, cloud := inventoryClient(t, wallarmtest.AdminToken)
	s, ctx := client.APISessions, t.Context()
	const sessions = 250
	for i := range sessions {
		// Three sessions end in the same instant; every 50th is a part of the session before it.
		_, err := cloud.Put("api_sessions", fmt.Sprintf(`{"session_id":"s%03d","client_id":4711,"app_id":42,"start_time":%d.250,"end_time":%d.50,
			"req_count":3,"attack_counts":[{"sqli":1}],"user_attr_user_counts":[{"alice":3}],"method_counts":[{"GET":3}]}`,
			i-i%50/49, 1787000000+i, 1787000100+i/3))
		require.NoError(t, err)
	}
	for i := range 5 {
		_, err := cloud.Put("api_session_requests", fmt.Sprintf(`{"session_id":"s000","client_id":4711,"request_id":"r%d","request_time":%d.250,
			"method":"GET","uri":"/orders","response_status_code":%d,"attack_types":["sqli"],"user_attr_user":"alice"}`, i, 1787000000+i, 200+i))
		require.NoError(t, err)
	}

	seen := map[string]bool{}
	n := 0
	for session, err := range s.All(ctx, wallarm.SessionFilter{ApplicationIDs: []int64{41, 42}}) {
		require.NoError(t, err)
		seen[fmt.Sprintf("%s %v", session.ID, session.StartTime.Time)] = true
		n++
	}
	require.Equal(t, sessions, n)
	require.Len(t, seen, sessions, "parts of one session are told apart")
	require.Len(t, cloud.RequestsOf("apisessions.list"), 4, "200 of 250 is a round number, 50 may be a lowered limit")
	total, err := s.Count(ctx, wallarm.SessionFilter{UserNames: []string{"alice"}})
	require.NoError(t, err)
	require.EqualValues(t, sessions, total)

	page, err := s.List(ctx, wallarm.SessionFilter{RequestID: "r3", RequestTime: wallarm.Timestamp{Time: time.Unix(1787000003, 25e7)}}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	session, err := s.Get(ctx, page.Items[0].ID)
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"GET": 3}, session.MethodCounts.ByName())

	since := wallarm.SessionRequestFilter{Time: wallarm.Since(session.StartTime.Time)}
	var requests []wallarm.SessionRequest
	for request, err := range s.AllRequests(ctx, session.ID, since, wallarm.PageSize(2)) {
		require.NoError(t, err)
		requests = append(requests, request)
	}
	require.Len(t, requests, 5)
	total, err = s.CountRequests(ctx, session.ID, wallarm.SessionRequestFilter{Time: since.Time, StatusCodes: []int64{200, 204}})
	require.NoError(t, err)
	require.EqualValues(t, 2, total)
	request, err := s.GetRequest(ctx, session.ID, requests[0].ID, requests[0].Time)
	require.NoError(t, err)
	require.Equal(t, "alice", request.UserName)
	_, err = s.GetRequest(ctx, session.ID, requests[0].ID, requests[1].Time)
	require.ErrorIs(t, err, wallarm.ErrNotFound)

	table, err := s.ExportRequestsCSV(ctx, session.ID)
	require.NoError(t, err)
	data, err := io.ReadAll(table)
	require.NoError(t, errors.Join(err, table.Close()))
	require.Equal(t, 6, strings.Count(string(data), "\n"))
	statistics, err := s.AttackStatistics(ctx)
	require.NoError(t, err)
	require.EqualValues(t, sessions, statistics[wallarm.AttackSQLi].Total)

	_, err = s.Get(ctx, "nobody")
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Tenant(wallarmtest.OtherClientID).APISessions.List(ctx, wallarm.SessionFilter{}, wallarm.PageOptions{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

// TestSessionSettingsOnTheFake sets both numbers at once.
func TestSessionSettingsOnTheFake(t *testing.T) {
	client, cloud := inventoryClient(t, wallarmtest.AdminToken)
	s, ctx := client.APISessions, t.Context()
	settings, err := s.Settings(ctx)
	require.NoError(t, err)
	settings.MaxLifetime = 720
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "apisessions.replaceSettings", Count: 1})
	changed, err := s.ReplaceSettings(ctx, *settings)
	require.NoError(t, err)
	require.Equal(t, settings, changed)
	got, err := s.Settings(ctx)
	require.NoError(t, err)
	require.Equal(t, changed, got)

	reader, _ := inventoryClient(t, wallarmtest.AuditorToken)
	_, err = reader.APISessions.ReplaceSettings(ctx, *settings)
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

// TestSessionExportConfigsOnTheFake makes, reads, changes and deletes an export configuration.
func TestSessionExportConfigsOnTheFake(t *testing.T) {
	client, cloud := inventoryClient(t, wallarmtest.AdminToken)
	s, ctx := client.APISessions, t.Context()
	user := wallarm.Point{wallarm.NewStep("post"), wallarm.NewStep("json_doc"), wallarm.NamedStep("hash", "user")}
	config := wallarm.NewSessionExportConfig{
		Conditions: []wallarm.EndpointCondition{
			{Type: wallarm.EndpointEqualFold, Value: "shop.example.com", Point: wallarm.Point{wallarm.Header("host")}},
			{Type: wallarm.EndpointAbsent, Point: wallarm.Point{wallarm.IndexedStep("path", 2)}},
		},
		Rules: []wallarm.NewSessionExportRule{{
			Point: user, Sensitive: true, Type: wallarm.SessionAttributeUser, Contexts: []wallarm.BusinessContext{wallarm.ContextAuth},
		}},
	}
	made, err := s.CreateExportConfig(ctx, config)
	require.NoError(t, err)
	require.Equal(t, config.Conditions, made.Conditions)
	require.Equal(t, user, made.Rules[0].Point)
	all, err := s.ExportConfigs(ctx)
	require.NoError(t, err)
	require.Len(t, all.Custom, 1)
	changed, err := s.UpdateExportConfig(ctx, made.ID, wallarm.SessionExportConfigUpdate{
		Rules: wallarm.Set([]wallarm.SessionExportRuleUpdate{{Point: user, Priority: wallarm.Set(int64(7))}}),
	})
	require.NoError(t, err)
	require.EqualValues(t, 7, changed.Rules[0].Priority)
	require.True(t, changed.Rules[0].Sensitive)
	got, err := s.GetExportConfig(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, changed, got)
	cleared, err := s.UpdateExportConfig(ctx, made.ID, wallarm.SessionExportConfigUpdate{Conditions: wallarm.Set([]wallarm.EndpointCondition{})})
	require.NoError(t, err)
	require.Empty(t, cleared.Conditions, "an empty list clears")

	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "apisessions.createExportConfig", Count: 1})
	_, err = s.CreateExportConfig(ctx, config)
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	all, err = s.ExportConfigs(ctx)
	require.NoError(t, err)
	require.Len(t, all.Custom, 2, "looking shows that the second one was made, once")

	for range 2 {
		require.NoError(t, s.DeleteExportConfig(ctx, made.ID))
	}
	_, err = s.GetExportConfig(ctx, made.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = s.CreateExportConfig(ctx, wallarm.NewSessionExportConfig{ActionID: 1, Rules: config.Rules})
	require.ErrorIs(t, err, wallarm.ErrValidation)
}
