package wallarm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	_ = fixture(activityFilters, func(ctx context.Context, c *Client) (any, error) { return c.ActivityLog.FilterValues(ctx) })
	_ = fixture(activityList, func(ctx context.Context, c *Client) (any, error) {
		return c.ActivityLog.List(ctx, ActivityFilter{
			Time:        Between(time.Unix(1755000000, 0), time.Unix(1755800000, 0)),
			ObjectTypes: []ActivityObjectType{ActivityOfAPIToken, ActivityOfUser}, Actions: []ActivityAction{ActivityUpdate},
			Outcomes: []ActivityOutcome{ActivitySuccess}, Sources: []ActivitySource{ActivityFromConsole}, ActorIDs: []int64{70112, 70113},
		}, PageOptions{})
	})
	_ = fixture(activityGet, func(ctx context.Context, c *Client) (any, error) { return c.ActivityLog.Get(ctx, 9007199254740995) })
)

const sensitiveEvent = `{"id":18446744073709551615,"time":1755781200,"action_type":"Update","object_type":"Integration","outcome":"success",
	"source":"ui_page","client_id":4711,"initiator":{"id":70112,"name":"Ops Team"},"object_id":"9","diff":{"target":{"old":"test-secret-old","new":"test-secret-new"}},
	"state_before_action":{"target":"test-secret-old"},"state_after_action":{"target":"test-secret-new"}}`

func TestActivityKeepsSecretsToItself(t *testing.T) {
	var event ActivityEvent
	require.NoError(t, json.Unmarshal([]byte(sensitiveEvent), &event))
	require.Equal(t, uint64(math.MaxUint64), event.ID)
	for _, v := range []any{event, &event, []ActivityEvent{event}, event.Diff, map[string]any{"e": event}, Page[ActivityEvent]{Items: []ActivityEvent{event}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, "test-secret", "%s of %T", verb, v)
			require.NotContains(t, text, fmt.Sprintf("%x", "test-secret"), "%s of %T", verb, v)
		}
	}
	for _, handler := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var out bytes.Buffer
		slog.New(handler(&out)).Info("changed", "event", event, "pointer", &event, "diff", event.Diff)
		require.NotContains(t, out.String(), "test-secret")
		require.Contains(t, out.String(), "18446744073709551615")
		require.Contains(t, out.String(), "Ops Team")
	}
	// An export is complete, and the values can be had.
	encoded, err := json.Marshal(event)
	require.NoError(t, err)
	require.JSONEq(t, sensitiveEvent, string(encoded))
	require.JSONEq(t, `{"target":"test-secret-new"}`, string(event.StateAfter.Reveal()))
	var state struct {
		Target string `json:"target"`
	}
	require.NoError(t, event.StateAfter.Decode(&state))
	require.Equal(t, "test-secret-new", state.Target)

	require.Equal(t, `wallarm.SensitiveJSON("[redacted]")`, fmt.Sprintf("%#v", event.StateAfter))
	require.Equal(t, `wallarm.SecretOf("[redacted]")`, fmt.Sprintf("%#v", SecretOf("test-secret-new")))

	var none SensitiveJSON
	require.ErrorIs(t, none.Decode(&state), ErrResponse)
	require.Empty(t, fmt.Sprint(none))
	encoded, err = json.Marshal(none)
	require.NoError(t, err)
	require.Equal(t, "null", string(encoded))
	encoded, err = wire.Marshal([]SensitiveJSON{{}})
	require.NoError(t, err)
	require.Equal(t, "[null]", string(encoded))
	require.NoError(t, json.Unmarshal([]byte(`{"a":1}`), &none))
	require.Equal(t, "[redacted]", none.String())
	encoded, err = json.Marshal([]SensitiveJSON{none})
	require.NoError(t, err)
	require.JSONEq(t, `[{"a":1}]`, string(encoded))
}

func TestActivityCallsRefuse(t *testing.T) {
	now := time.Now()
	list := func(f ActivityFilter, page PageOptions) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error {
			_, err := c.ActivityLog.List(ctx, f, page)
			return err
		}
	}
	requireRefused(t, map[string]func(context.Context, *Client) error{
		"backwards":  list(ActivityFilter{Time: Between(now, now.Add(-time.Hour))}, PageOptions{}),
		"two spans":  list(ActivityFilter{Time: Since(now).Or(Between(now.Add(-2*time.Hour), now.Add(-time.Hour)))}, PageOptions{}),
		"large page": list(ActivityFilter{}, PageOptions{Limit: 101}),
		"no event":   func(ctx context.Context, c *Client) error { _, err := c.ActivityLog.Get(ctx, 0); return err },
	})
}

func TestActivityNotFound(t *testing.T) {
	for _, body := range []string{`{"body":{"objects":[]}}`, `{"body":{"objects":null}}`, `{"body":null}`} {
		client, _ := newTestClient(t, answersInTurn(body))
		_, err := client.ActivityLog.Get(t.Context(), 1)
		require.ErrorIs(t, err, ErrNotFound, body)
	}
}

// TestActivityListHoldsStill checks that the span of later pages ends when the iteration began.
func TestActivityListHoldsStill(t *testing.T) {
	client, server := newTestClient(t, answersInTurn(`{"body":{"objects":[{"id":3},{"id":2}]}}`, `{"body":{"objects":[{"id":2},{"id":1}]}}`, `{"body":{"objects":[]}}`))
	var ids []uint64
	before := time.Now().Unix()
	for event, err := range client.ActivityLog.All(t.Context(), ActivityFilter{Time: Since(time.Unix(1755000000, 0))}, PageSize(2), NoPrefetch()) {
		require.NoError(t, err)
		ids = append(ids, event.ID)
	}
	require.Equal(t, []uint64{3, 2, 1}, ids)
	sent := server.requests()
	require.False(t, sent[0].Query.Has("filter[time_end]"))
	var end int64
	_, err := fmt.Sscan(sent[1].Query.Get("filter[time_end]"), &end)
	require.NoError(t, err)
	require.GreaterOrEqual(t, end, before)
	for _, request := range sent {
		require.Equal(t, "1755000000", request.Query.Get("filter[time_start]"))
		require.Equal(t, "timestamp", request.Query.Get("order_by"))
		require.Equal(t, "true", request.Query.Get("order_desc"))
	}
	for _, page := range []PageOptions{{Order: Ascending, Limit: 2}, {OrderBy: "id", Limit: 2}} {
		client, server = newTestClient(t, answersInTurn(`{"body":{"objects":[{"id":2},{"id":3}]}}`, `{"body":{"objects":[{"id":4}]}}`, `{"body":{"objects":[]}}`))
		for _, err := range client.ActivityLog.Pages(t.Context(), ActivityFilter{}, page, NoPrefetch()) {
			require.NoError(t, err)
		}
		require.Greater(t, len(server.requests()), 1)
		for _, request := range server.requests() {
			require.False(t, request.Query.Has("filter[time_end]"), "in another order new events come at the end, or anywhere")
		}
	}
}
