package wallarm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(ruleSettingsMode, func(ctx context.Context, c *Client) (any, error) { return wrapMode(c.RuleSettings.Mode(ctx)) })
	_ = fixture(ruleSettingsSetMode, func(ctx context.Context, c *Client) (any, error) {
		return wrapMode(c.RuleSettings.SetMode(ctx, ModeMonitoring))
	})
	_ = fixture(ruleSettingsTimeLimit, func(ctx context.Context, c *Client) (any, error) { return c.RuleSettings.TimeLimit(ctx) })
	_ = fixture(ruleSettingsSetTimeLimit, func(ctx context.Context, c *Client) (any, error) {
		return c.RuleSettings.SetTimeLimit(ctx, TimeLimit{Mode: OverlimitBlocking})
	})
	_ = fixture(ruleSettingsGet, func(ctx context.Context, c *Client) (any, error) { return c.RuleSettings.Get(ctx) })
	_ = fixture(ruleSettingsUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.RuleSettings.Update(ctx, RulesSettingsUpdate{
			MinFormat: Null[int64](), BuildsDisabled: Set(false), BuildDelay: Set[int64](0), PIIWeight: Set[int64](0),
		})
	})
	_ = fixture(ruleSettingsReset, func(ctx context.Context, c *Client) (any, error) { return nil, c.RuleSettings.Reset(ctx) })
	_ = fixture(ruleSettingsList, func(ctx context.Context, c *Client) (any, error) {
		return c.RuleSettings.List(ctx, RulesSettingsFilter{ClientIDs: []int64{4711, 4712}, BuildsDisabled: Set(false)}, PageOptions{})
	})
	_ = fixture(ruleSettingsDefaults, func(ctx context.Context, c *Client) (any, error) { return c.RuleSettings.Defaults(ctx) })

	_ = fixture(snapshotsList, func(ctx context.Context, c *Client) (any, error) {
		return c.Snapshots.List(ctx, SnapshotFilter{Important: Set(false), Status: SnapshotFailed}, PageOptions{})
	})
	_ = fixture(snapshotsCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.Snapshots.Create(ctx, NewSnapshot{Title: "Before the migration", Important: true})
	})
	_ = fixture(snapshotsGet, func(ctx context.Context, c *Client) (any, error) { return c.Snapshots.Get(ctx, 310) })
	_ = fixture(snapshotsUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Snapshots.Update(ctx, 310, SnapshotUpdate{Comment: Null[string](), Important: Set(false)})
	})
	_ = fixture(snapshotsDelete, func(ctx context.Context, c *Client) (any, error) { return nil, c.Snapshots.Delete(ctx, 310) })
	_ = fixture(snapshotsStatus, func(ctx context.Context, c *Client) (any, error) { return c.Snapshots.Status(ctx) })
	_ = fixture(snapshotsRestore, func(ctx context.Context, c *Client) (any, error) { return c.Snapshots.Restore(ctx, 310) })

	_ = fixture(rulesetsVersion, func(ctx context.Context, c *Client) (any, error) { return c.Rulesets.Version(ctx) })
	_ = fixture(rulesetsState, func(ctx context.Context, c *Client) (any, error) { return c.Rulesets.State(ctx) })
	_ = fixture(rulesetsList, func(ctx context.Context, c *Client) (any, error) {
		return c.Rulesets.List(ctx, RulesetFilter{
			Started: Since(time.Unix(1767225600, 0)), Formats: []int64{55, 56}, Versions: []int64{412}, Ready: Set(true),
		}, PageOptions{})
	})
	_ = fixture(rulesetsGet, func(ctx context.Context, c *Client) (any, error) { return c.Rulesets.Get(ctx, 88001) })
	_ = fixture(rulesetsCompilation, func(ctx context.Context, c *Client) (any, error) { return c.Rulesets.Compilation(ctx) })
	_ = fixture(rulesetsCompile, func(ctx context.Context, c *Client) (any, error) {
		return c.Rulesets.Compile(ctx, CompileRequest{Priority: 1})
	})
)

// wrapMode puts a mode into the object in which it travels.
func wrapMode(mode FiltrationMode, err error) (map[string]FiltrationMode, error) {
	if err != nil {
		return nil, err
	}
	return map[string]FiltrationMode{"mode": mode}, nil
}

func TestModeInTwoEnvelopes(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, answerJSON(`{"body":{"body":{"mode":"safe_blocking"}}}`))
	mode, err := client.RuleSettings.Mode(t.Context())
	require.NoError(t, err)
	require.Equal(t, ModeSafeBlocking, mode)
	mode, err = client.RuleSettings.SetMode(t.Context(), ModeSafeBlocking)
	require.NoError(t, err)
	require.Equal(t, ModeSafeBlocking, mode)
}

func TestSettingsRefuse(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{}`))
	_, err := client.RuleSettings.SetMode(t.Context(), "")
	require.ErrorIs(t, err, ErrInvalidArgument)
	for _, limit := range []TimeLimit{{}, {Milliseconds: 10001, Mode: OverlimitBlocking}, {Milliseconds: -1, Mode: OverlimitBlocking}, {Mode: "block"}} {
		_, err = client.RuleSettings.SetTimeLimit(t.Context(), limit)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	for name, update := range map[string]RulesSettingsUpdate{
		"nothing":     {},
		"null flag":   {BuildsDisabled: Null[bool]()},
		"null weight": {PIIWeight: Null[int64]()},
		"weight":      {OpenVulnsWeight: Set[int64](11)},
		"format":      {MaxFormat: Set[int64](0)},
		"size":        {MaxSize: Set[int64](1024)},
		"delay":       {BuildDelay: Set[int64](-1)},
		"kept":        {SnapshotsKept: Set[int64](101)},
	} {
		_, err = client.RuleSettings.Update(t.Context(), update)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	_, err = client.RuleSettings.List(t.Context(), RulesSettingsFilter{}, PageOptions{OrderBy: "id"})
	require.ErrorIs(t, err, ErrInvalidArgument)

	_, err = client.Snapshots.Create(t.Context(), NewSnapshot{})
	require.ErrorIs(t, err, ErrInvalidArgument)
	for _, update := range []SnapshotUpdate{{}, {Title: Set("")}, {Title: Null[string]()}, {Important: Null[bool]()}} {
		_, err = client.Snapshots.Update(t.Context(), 5, update)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	for name, call := range map[string]func(id int64) error{
		"get": func(id int64) error { _, err := client.Snapshots.Get(t.Context(), id); return err },
		"update": func(id int64) error {
			_, err := client.Snapshots.Update(t.Context(), id, SnapshotUpdate{Title: Set("x")})
			return err
		},
		"restore": func(id int64) error { _, err := client.Snapshots.Restore(t.Context(), id); return err },
		"delete":  func(id int64) error { return client.Snapshots.Delete(t.Context(), id) },
	} {
		for _, id := range []int64{0, -1} {
			require.ErrorIs(t, call(id), ErrInvalidArgument, name)
		}
	}
	for _, page := range []PageOptions{{OrderBy: "id"}, {Order: Ascending}} {
		_, err = client.Snapshots.List(t.Context(), SnapshotFilter{}, page)
		require.ErrorIs(t, err, ErrInvalidArgument)
		_, err = client.Rulesets.List(t.Context(), RulesetFilter{}, page)
		require.ErrorIs(t, err, ErrInvalidArgument)
		_, err = client.Regexes.List(t.Context(), RegexFilter{}, page)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	var none context.Context
	require.ErrorIs(t, client.Snapshots.WaitUnlocked(none, 0), ErrInvalidArgument)
	require.ErrorIs(t, client.Snapshots.WaitUnlocked(t.Context(), -time.Second), ErrInvalidArgument)

	_, err = client.Rulesets.WaitForNodes(t.Context(), nil, 0)
	require.ErrorIs(t, err, ErrInvalidArgument)
	now := time.Now()
	for _, span := range []TimeRange{Between(now, now.Add(-time.Hour)), Since(now).Or(Since(now))} {
		_, err = client.Rulesets.List(t.Context(), RulesetFilter{Started: span}, PageOptions{})
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	require.Empty(t, server.requests())
}

// TestRulesetSpanTravels: each end that is given.
func TestRulesetSpanTravels(t *testing.T) {
	t.Parallel()
	from, to := time.Unix(1785542400, 0), time.Unix(1785628800, 0)
	for want, span := range map[string]TimeRange{
		"/":                     {},
		"1785542400/":           Since(from),
		"/1785628800":           {To: to},
		"1785542400/1785628800": Between(from, to),
	} {
		client, server := newTestClient(t, answerJSON(`{"status":200,"body":[]}`))
		_, err := client.Rulesets.List(t.Context(), RulesetFilter{Started: span}, PageOptions{})
		require.NoError(t, err)
		query := server.requests()[0].Query
		require.Equal(t, want, query.Get("filter[created_after]")+"/"+query.Get("filter[created_before]"))
	}
}

func TestSettingsHideTheLicense(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, answerJSON(`{"status":200,"body":{"clientid":4711,"license":"test-license-value"}}`))
	settings, err := client.RuleSettings.Get(t.Context())
	require.NoError(t, err)
	require.Equal(t, "test-license-value", settings.License.Reveal())
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", settings, *settings, *settings), "test-license-value")
	encoded, err := settings.MarshalJSON()
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "test-license-value")
}

func TestResetOfNothing(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	require.NoError(t, client.RuleSettings.Reset(t.Context()))
	require.NoError(t, client.Snapshots.Delete(t.Context(), 310))
}

func TestRulesetVersionAsANumber(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, answerJSON(`{"status":200,"body":412}`))
	version, err := client.Rulesets.Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(412), version.Version)
}

func TestBaseRulesets(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":[]}`))
	_, err := client.Rulesets.List(t.Context(), RulesetFilter{Base: true}, PageOptions{Offset: 3, Limit: 5})
	require.NoError(t, err)
	require.Equal(t, []string{""}, server.requests()[0].Query["filter[clientid]"])
	require.Equal(t, []string{"3"}, server.requests()[0].Query["offset"])
}

// playedAnswers is a RoundTripper that plays one answer after the other, and the last one from then on.
type playedAnswers struct{ bodies []string }

func (p *playedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	body := p.bodies[0]
	if len(p.bodies) > 1 {
		p.bodies = p.bodies[1:]
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func playedClient(t *testing.T, bodies ...string) *Client {
	t.Helper()
	client, err := New(US, Token("test-token-played"), WithRoundTripper(&playedAnswers{bodies}), WithDefaultClientID(4711))
	require.NoError(t, err)
	return client
}

func TestWaitUnlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := playedClient(t, `{"status":200,"body":"restoring"}`, `{"status":200,"body":"backup"}`, `{"status":200,"body":"ready"}`)
		began := time.Now()
		require.NoError(t, client.Snapshots.WaitUnlocked(t.Context(), time.Minute))
		require.Equal(t, 2*time.Minute, time.Since(began))

		client = playedClient(t, `{"status":200,"body":"restoring"}`)
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Second)
		defer cancel()
		began = time.Now()
		require.ErrorIs(t, client.Snapshots.WaitUnlocked(ctx, 0), context.DeadlineExceeded)
		require.Equal(t, 11*time.Second, time.Since(began))
	})
}

func TestWaitForNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := playedClient(t,
			`{"body":{"actual_nodes":3,"outdated_nodes":0,"current_build":412,"last_build":411}}`,
			`{"body":{"actual_nodes":1,"outdated_nodes":2,"current_build":413,"last_build":412}}`,
			`{"body":{"actual_nodes":3,"outdated_nodes":0,"current_build":413,"last_build":412}}`,
		)
		before := &RulesetState{CurrentBuild: 411, LastBuild: 412}
		state, err := client.Rulesets.WaitForNodes(t.Context(), before, time.Second)
		require.NoError(t, err)
		require.Equal(t, int64(3), state.ActualNodes)
		require.Equal(t, int64(413), state.CurrentBuild)
	})
}
