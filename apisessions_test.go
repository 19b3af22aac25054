package wallarm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const fixtureSession, fixtureRequest = "5f0c7be2a9d14e38", "c0ffee00112233445566778899aabbcc"

// received is a time as it came in an answer.
func received(digits string) Timestamp {
	var t Timestamp
	if err := t.UnmarshalJSON([]byte(digits)); err != nil {
		panic(err)
	}
	return t
}

var _ = fixture(apiSessionsList, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.List(ctx, SessionFilter{
		Time:        Between(time.Unix(1787000000, 0), time.Unix(1787086400, 5e8)),
		AttackTypes: []AttackType{AttackSQLi, AttackXSS}, ApplicationIDs: []int64{42, -1}, StatusCodes: []int64{200, 403},
		BusinessContexts: []BusinessContext{ContextAuth, ContextBilling}, UserNames: []string{"alice"}, WithoutURICounts: Set(false),
		Detectors: []string{"bot_a", "bot_b"}, StrictDetectors: Set(true),
	}, PageOptions{Limit: 50, Cursor: keyCursor(received("1787001980.50"), fixtureSession)})
})

var _ = fixture(apiSessionsCount, func(ctx context.Context, c *Client) (any, error) {
	n, err := c.APISessions.Count(ctx, SessionFilter{RequestID: fixtureRequest, RequestTime: received("1787001980.5"), ByIntervals: Set(true)})
	return map[string]int64{"total": n}, err
})

var _ = fixture(apiSessionsGet, func(ctx context.Context, c *Client) (any, error) { return c.APISessions.Get(ctx, fixtureSession) })

var _ = fixture(apiSessionsListRequests, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.ListRequests(ctx, fixtureSession, SessionRequestFilter{
		Time: Since(received("1787000412.25").Time), StatusCodes: []int64{200, 403}, RequestIDs: []string{"c0ffee", "decade"},
		SessionsDisabled: []bool{true, false}, WithAnyAttack: Set(false), WallarmTraffic: []string{"tester"},
	}, PageOptions{})
})

var _ = fixture(apiSessionsCountRequests, func(ctx context.Context, c *Client) (any, error) {
	n, err := c.APISessions.CountRequests(ctx, fixtureSession, SessionRequestFilter{
		Time: Between(received("1787000412.25").Time, received("1787001980.5").Time),
	})
	return map[string]int64{"total": n}, err
})

var _ = fixture(apiSessionsGetRequest, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.GetRequest(ctx, fixtureSession, fixtureRequest, received("1787001980.50"))
})

var _ = fixture(apiSessionsExportRequestsCSV, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.ExportRequestsCSV(ctx, fixtureSession)
})

var _ = fixture(apiSessionsSettings, func(ctx context.Context, c *Client) (any, error) { return c.APISessions.Settings(ctx) })

var _ = fixture(apiSessionsReplaceSettings, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.ReplaceSettings(ctx, SessionSettings{MaxLifetime: 720, TerminationTimeout: 20})
})

var _ = fixture(apiSessionsAttackStatistics, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.AttackStatistics(ctx)
})

var _ = fixture(apiSessionsExportConfigs, func(ctx context.Context, c *Client) (any, error) { return c.APISessions.ExportConfigs(ctx) })

var _ = fixture(apiSessionsGetExportConfig, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.GetExportConfig(ctx, 5501)
})

var _ = fixture(apiSessionsCreateExportConfig, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.CreateExportConfig(ctx, NewSessionExportConfig{
		Conditions: []EndpointCondition{
			{Type: EndpointEqualFold, Value: "shop.example.com", Point: Point{Header("host")}},
			{Type: EndpointAbsent, Point: Point{IndexedStep("path", 2)}},
		},
		Rules: []NewSessionExportRule{
			{
				Point: Point{NewStep("post"), NewStep("json_doc"), NamedStep("hash", "user")}, Sensitive: true, Identifier: true,
				Priority: Set(int64(0)), Type: SessionAttributeUser, Contexts: []BusinessContext{ContextAuth}, Name: "user name",
			},
			{Point: Point{Header("x-role")}},
		},
	})
})

var _ = fixture(apiSessionsUpdateExportConfig, func(ctx context.Context, c *Client) (any, error) {
	return c.APISessions.UpdateExportConfig(ctx, 5501, SessionExportConfigUpdate{
		Conditions: Set([]EndpointCondition(nil)),
		Rules: Set([]SessionExportRuleUpdate{
			{Point: Point{NewStep("post"), NewStep("json_doc"), NamedStep("hash", "user")}, Priority: Set(int64(0))},
			{Point: Point{Header("x-role")}},
		}),
	})
})

var _ = fixture(apiSessionsDeleteExportConfig, func(ctx context.Context, c *Client) (any, error) {
	return nil, c.APISessions.DeleteExportConfig(ctx, 5501)
})

// TestAPISessionsRefuseArguments checks that nothing is sent for arguments that cannot be right.
func TestAPISessionsRefuseArguments(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s := client.APISessions
	ctx := t.Context()
	since := SessionRequestFilter{Time: Since(time.Unix(1787000000, 0))}
	list := func(filter SessionFilter, page PageOptions) func() error {
		return func() error { _, err := s.List(ctx, filter, page); return err }
	}
	requests := func(id string, filter SessionRequestFilter) func() error {
		return func() error { _, err := s.ListRequests(ctx, id, filter, PageOptions{}); return err }
	}
	for name, call := range map[string]func() error{
		"comma in a value":     list(SessionFilter{URIs: []string{"/a,b"}}, PageOptions{}),
		"empty value":          list(SessionFilter{UserNames: []string{""}}, PageOptions{}),
		"request without time": list(SessionFilter{RequestID: "c0ffee"}, PageOptions{}),
		"time without request": list(SessionFilter{RequestTime: At(time.Unix(1, 0))}, PageOptions{}),
		"two spans":            list(SessionFilter{Time: Last(time.Hour).Or(Last(time.Minute))}, PageOptions{}),
		"span turned around":   list(SessionFilter{Time: Between(time.Unix(2, 0), time.Unix(1, 0))}, PageOptions{}),
		"order":                list(SessionFilter{}, PageOptions{OrderBy: "start_time"}),
		"direction":            list(SessionFilter{}, PageOptions{Order: Descending}),
		"offset":               list(SessionFilter{}, PageOptions{Offset: 1}),
		"foreign cursor":       list(SessionFilter{}, PageOptions{Cursor: "eyJhIjoxfQ=="}),
		"cursor without time":  list(SessionFilter{}, PageOptions{Cursor: "null:5f0c7be2a9d14e38"}),
		"half a cursor":        list(SessionFilter{}, PageOptions{Cursor: "1787001980.5:"}),
		"negative limit":       list(SessionFilter{}, PageOptions{Limit: -1}),
		"requests since ever":  requests(fixtureSession, SessionRequestFilter{}),
		"requests until":       requests(fixtureSession, SessionRequestFilter{Time: Between(time.Time{}, time.Unix(2, 0))}),
		"comma in a method":    requests(fixtureSession, SessionRequestFilter{Time: since.Time, Methods: []string{"GET,PUT"}}),
		"session of dots":      requests("..", since),
		"no session":           func() error { _, err := s.Get(ctx, ""); return err },
		"no request time":      func() error { _, err := s.GetRequest(ctx, fixtureSession, fixtureRequest, Timestamp{}); return err },
		"request called count": func() error { _, err := s.GetRequest(ctx, fixtureSession, "count", At(time.Unix(1, 0))); return err },
		"request called export_csv": func() error {
			_, err := s.GetRequest(ctx, fixtureSession, "export_csv", At(time.Unix(1, 0)))
			return err
		},
		"other half of the settings": func() error {
			_, err := s.ReplaceSettings(ctx, SessionSettings{TerminationTimeout: 10})
			return err
		},
		"scope -1": func() error {
			_, err := s.CreateExportConfig(ctx, NewSessionExportConfig{Rules: []NewSessionExportRule{{Point: Point{Header("x-role")}}}, ActionID: -1})
			return err
		},
		"order of requests": func() error {
			_, err := s.ListRequests(ctx, fixtureSession, since, PageOptions{OrderBy: "time"})
			return err
		},
		"direction of requests": func() error {
			_, err := s.ListRequests(ctx, fixtureSession, since, PageOptions{Order: Ascending})
			return err
		},
		"half the settings": func() error { _, err := s.ReplaceSettings(ctx, SessionSettings{MaxLifetime: 10}); return err },
		"no rules":          func() error { _, err := s.CreateExportConfig(ctx, NewSessionExportConfig{}); return err },
		"rule without point": func() error {
			_, err := s.CreateExportConfig(ctx, NewSessionExportConfig{Rules: make([]NewSessionExportRule, 1)})
			return err
		},
		"scope and conditions": func() error {
			_, err := s.CreateExportConfig(ctx, NewSessionExportConfig{
				Rules: []NewSessionExportRule{{Point: Point{Header("x-role")}}}, ActionID: 880,
				Conditions: []EndpointCondition{{Type: EndpointEqual, Value: "v1", Point: Point{PathSegment(0)}}},
			})
			return err
		},
		"scope 0": func() error {
			_, err := s.UpdateExportConfig(ctx, 1, SessionExportConfigUpdate{ActionID: Set(int64(0))})
			return err
		},
		"empty update":    func() error { _, err := s.UpdateExportConfig(ctx, 1, SessionExportConfigUpdate{}); return err },
		"configuration 0": func() error { return s.DeleteExportConfig(ctx, 0) },
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests())
}

// TestExportConfigOfAScope: an empty list of conditions means all requests, and must not stand beside a scope.
func TestExportConfigOfAScope(t *testing.T) {
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":{"id":5501}}`))
	config := NewSessionExportConfig{Rules: []NewSessionExportRule{{Point: Point{Header("x-role")}, Sensitive: true}}}
	_, err := client.APISessions.CreateExportConfig(t.Context(), config)
	require.NoError(t, err)
	config.ActionID = 880
	_, err = client.APISessions.CreateExportConfig(t.Context(), config)
	require.NoError(t, err)
	const rules = `"rules":[{"point":[["header","X-ROLE"]],"sensitive":true,"identifier":false}]}`
	require.JSONEq(t, `{"conditions":[],`+rules, string(server.requests()[0].Body))
	require.JSONEq(t, `{"action_id":880,`+rules, string(server.requests()[1].Body))
}

// TestSessionPagesFollowTheKey serves three pages by keyset: each is asked for with the digits and the id of the row before it, and a
// server that repeats that row yields it once.
func TestSessionPagesFollowTheKey(t *testing.T) {
	rows := []string{"1787000005.50", "1787000004.125000", "1787000003", "1787000002.7", "1787000001.70"}
	row := func(i int) string {
		return fmt.Sprintf(`{"session_id":"s%d","client_id":4711,"start_time":%s,"end_time":%s}`, i, rows[i], rows[i])
	}
	for _, inclusive := range []bool{false, true} {
		client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			limit, _ := strconv.Atoi(q.Get("limit"))
			start := 0
			for i := range rows {
				if q.Get("page_end_time") == rows[i] && q.Get("page_session_id") == fmt.Sprintf("s%d", i) {
					start = i + 1
					if inclusive {
						start = i
					}
				}
			}
			body := ""
			for i := start; i < min(start+limit, len(rows)); i++ {
				if body != "" {
					body += ","
				}
				body += row(i)
			}
			fmt.Fprintf(w, `{"status":200,"body":[%s]}`, body)
		})
		var ids []string
		for session, err := range client.APISessions.All(t.Context(), SessionFilter{}, PageSize(2)) {
			require.NoError(t, err)
			ids = append(ids, session.ID)
		}
		require.Equal(t, []string{"s0", "s1", "s2", "s3", "s4"}, ids)
		requests := server.requests()
		require.False(t, requests[0].Query.Has("page_end_time"))
		require.Equal(t, "1787000004.125000", requests[1].Query.Get("page_end_time"))
		require.Equal(t, "s1", requests[1].Query.Get("page_session_id"))

		page, err := client.APISessions.List(t.Context(), SessionFilter{}, PageOptions{Limit: 5})
		require.NoError(t, err)
		require.True(t, page.More)
		require.Equal(t, "1787000001.70:s4", page.Next.Cursor)
		resumed, err := client.APISessions.List(t.Context(), SessionFilter{}, page.Next)
		require.NoError(t, err)
		require.False(t, resumed.More)
	}
}

// TestSessionPagesEndWithoutNewRows meets a server that knows nothing of keys and sends the first page for ever.
func TestSessionPagesEndWithoutNewRows(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status":200,"body":[{"request_id":"a","request_time":2.5},{"request_id":"b","request_time":1.5}]}`)
	})
	n := 0
	for _, err := range client.APISessions.AllRequests(t.Context(), "s", SessionRequestFilter{Time: Since(time.Unix(1, 0))}, PageSize(2)) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 2, n)
	require.LessOrEqual(t, len(server.requests()), 3)
}

// TestSessionsHideUsers checks that fmt and slog show nothing of the client's users, and that JSON does.
func TestSessionsHideUsers(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		name := map[string]string{
			"/v1/traces/sessions": "apisessions.list", "/v1/traces/client/4711/sessions/" + fixtureSession: "apisessions.get",
			"/v1/traces/client/4711/sessions/" + fixtureSession + "/requests":                   "apisessions.list_requests",
			"/v1/traces/client/4711/sessions/" + fixtureSession + "/requests/" + fixtureRequest: "apisessions.get_request",
		}[r.URL.Path]
		_, _ = w.Write(readFixture(t, name).Responses["ok"].Body)
	})
	s := client.APISessions
	page, err := s.List(t.Context(), SessionFilter{}, PageOptions{})
	require.NoError(t, err)
	session, err := s.Get(t.Context(), fixtureSession)
	require.NoError(t, err)
	requests, err := s.ListRequests(t.Context(), fixtureSession, SessionRequestFilter{Time: Since(time.Unix(1, 0))}, PageOptions{})
	require.NoError(t, err)
	request, err := s.GetRequest(t.Context(), fixtureSession, fixtureRequest, requests.Items[0].Time)
	require.NoError(t, err)
	filter := SessionFilter{UserNames: []string{"alice"}}
	requestFilter := SessionRequestFilter{UserNames: []string{"alice"}, URIs: []string{"/orders"}}
	for _, v := range []any{page, *page, page.Items[0], session, *session, requests, requests.Items[0], request, *request, filter, requestFilter} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, v)
			for _, private := range []string{"alice", "bob", "/orders", "/login", "curl", "203.0.113.7", "anything", "free"} {
				require.NotContains(t, text, private, "%s of %T", verb, v)
			}
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("seen", "session", session, "request", request, "row", requests.Items[0])
	require.NotContains(t, log.String(), "alice")
	require.NotContains(t, log.String(), "/orders")
	require.Contains(t, log.String(), fixtureSession)

	data, err := json.Marshal(session)
	require.NoError(t, err)
	require.Contains(t, string(data), "alice")
	require.Equal(t, map[string]int64{"200": 34, "403": 3}, session.ResponseStatusCounts.ByName())
	require.Equal(t, map[string]float64{"/orders": 20.5, "/login": 4}, page.Items[0].URICounts.ByName())
}

// TestSessionErrorsNameTheRule reads the error form of the newer services: field, rule, text.
func TestSessionErrorsNameTheRule(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"status":400,"body":{"limit":{"max":"limit is too large"}}}`)
	})
	_, err := client.APISessions.List(t.Context(), SessionFilter{}, PageOptions{Limit: 1000})
	require.ErrorIs(t, err, ErrValidation)
	var api *APIError
	require.ErrorAs(t, err, &api)
	require.Len(t, api.Fields, 1)
	require.Equal(t, []string{"limit", "max", "limit is too large"}, []string{api.Fields[0].Field, api.Fields[0].Rule, api.Fields[0].Message})
}

// TestTimestampNumber checks the digits that go into a query.
func TestTimestampNumber(t *testing.T) {
	for in, want := range map[string]string{
		"1787001980.5": "1787001980.5", "1787001980.50": "1787001980.50", "1787001980": "1787001980", `"1787001980"`: "1787001980",
		`"2026-08-17T21:26:20.25Z"`: "1787001980.25", "-1.5": "-1.5",
	} {
		require.Equal(t, want, received(in).number(), in)
	}
	require.Equal(t, "1787001980.000000001", Timestamp{Time: time.Unix(1787001980, 1)}.number())
}

// TestSessionRequestAsText: a request that was not answered has no status.
func TestSessionRequestAsText(t *testing.T) {
	t.Parallel()
	require.Contains(t, SessionRequest{ID: "c0ffee"}.String(), "no status")
	require.Contains(t, SessionRequest{ID: "c0ffee", StatusCode: new(int64(403))}.String(), "status 403")
	_, _, err := openCursor("null:5f0c7be2a9d14e38")
	require.ErrorContains(t, err, "has no time", "the cursor is one of this list, and cannot lead on")
}

// TestAListOfSessionsWhoseLastHasNoEnd ends behind it, unless it fills a page: then nobody knows how to go on.
func TestAListOfSessionsWhoseLastHasNoEnd(t *testing.T) {
	for size, fails := range map[int]bool{10: false, 2: true} {
		client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[{"session_id":"a","start_time":1700000000,"end_time":1700000100},{"session_id":"b","start_time":1700000000,"end_time":null}]}`))
		var got []string
		var last error
		for session, err := range client.APISessions.All(t.Context(), SessionFilter{Time: Since(time.Unix(1, 0))}, PageSize(size), WithClientID(1)) {
			if last = err; err == nil {
				got = append(got, session.ID)
			}
		}
		require.Equal(t, []string{"a", "b"}, got)
		require.Len(t, server.requests(), 1)
		if fails {
			require.ErrorIs(t, last, ErrResponse)
			require.NotErrorIs(t, last, ErrInvalidArgument)
			continue
		}
		require.NoError(t, last)
	}
}
