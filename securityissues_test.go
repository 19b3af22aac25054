package wallarm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(securityIssuesList, func(ctx context.Context, c *Client) (any, error) {
		return c.SecurityIssues.List(ctx, SecurityIssueFilter{
			States: []IssueState{IssueOpen}, Severities: []IssueSeverity{IssueCritical, IssueHigh}, Incident: Set(true),
			CreatedSince: time.Unix(1785801600, 0), Not: &SecurityIssueFilter{Host: "lab.example.net"},
		}, PageOptions{Limit: 200, OrderBy: "severity"})
	})
	_ = fixture(securityIssuesCount, func(ctx context.Context, c *Client) (any, error) {
		return c.SecurityIssues.Count(ctx, SecurityIssueFilter{States: []IssueState{IssueOpen}})
	})
	_ = fixture(securityIssuesGroups, func(ctx context.Context, c *Client) (any, error) {
		return c.SecurityIssues.Groups(ctx, SecurityIssueFilter{}, PageOptions{Limit: 20, OrderBy: "severity", Order: Descending})
	})
	_ = fixture(securityIssuesGroupCount, func(ctx context.Context, c *Client) (any, error) {
		return c.SecurityIssues.GroupCount(ctx, SecurityIssueFilter{Verified: Set(false)})
	})
	_ = fixture(securityIssuesGet, func(ctx context.Context, c *Client) (any, error) { return c.SecurityIssues.Get(ctx, 5150) })
)

var secretToken = SecretOf("test-token-repeated")

func TestSecurityIssueTokenTravelsOnRequestOnly(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`{"id":5150,"count":1}`))
	ctx := t.Context()
	_, err := client.SecurityIssues.Get(ctx, 5150)
	require.NoError(t, err)
	_, err = client.SecurityIssues.Get(ctx, 5150, RepeatToken(secretToken), WithClientID(4712))
	require.NoError(t, err)
	_, err = client.SecurityIssues.Count(ctx, SecurityIssueFilter{}, RepeatToken(secretToken))
	require.NoError(t, err)
	sent := server.requests()
	require.Equal(t, "client_id=4711", sent[0].Query.Encode())
	require.Equal(t, "client_id=4712&token=test-token-repeated", sent[1].Query.Encode())
	require.JSONEq(t, `{"client_id":4711,"token":"test-token-repeated"}`, string(sent[2].Body))
	for _, token := range []Secret{SecretOf(""), SecretOf("a\nb")} {
		_, err = client.SecurityIssues.Get(ctx, 5150, RepeatToken(token))
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
}

// failing is a transport that fails: net/http wraps its error in one that shows the URL.
type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }

func TestSecurityIssueTokenIsNotShown(t *testing.T) {
	var log bytes.Buffer
	var seen []Attempt
	options := []Option{
		WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		WithHook(func(_ context.Context, a Attempt) { seen = append(seen, a) }),
	}
	answers := map[string]http.HandlerFunc{
		"echo": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"status":400,"body":{"token":{"error":"invalid","value":%q}},"sent":%q}`, r.URL.Query().Get("token"), body)
		},
		"proxy": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = fmt.Fprintf(w, "<html>cannot reach %s</html>", r.URL)
		},
		"other": alwaysAnswer(`<html>hello</html>`),
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"id":`)
		},
	}
	check := func(name string, client *Client) {
		var response Response
		_, err := client.SecurityIssues.Get(t.Context(), 5150, RepeatToken(secretToken), WithRetries(0), WithResponse(&response))
		require.Error(t, err, name)
		var api *APIError
		errors.As(err, &api)
		for _, shown := range []string{
			err.Error(), fmt.Sprintf("%+v %#v", err, err), fmt.Sprintf("%+v", api), fmt.Sprintf("%+v", response), fmt.Sprintf("%+v", seen), log.String(),
		} {
			require.NotContains(t, shown, secretToken.Reveal(), name)
		}
		if api != nil {
			require.NotContains(t, string(api.Body), secretToken.Reveal(), name)
		}
	}
	for name, answer := range answers {
		client, _ := newTestClient(t, answer, options...)
		check(name, client)
	}
	client, _ := newTestClient(t, alwaysAnswer(``), append(options, WithRoundTripper(failing{}))...)
	check("transport", client)
}

func TestSecurityIssueArguments(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`[]`))
	ctx := t.Context()
	for name, filter := range map[string]SecurityIssueFilter{
		"id":             {ID: -1},
		"client":         {ClientID: -1},
		"not in not":     {Not: &SecurityIssueFilter{Not: &SecurityIssueFilter{}}},
		"negated id":     {Not: &SecurityIssueFilter{DomainID: -1}},
		"negated time":   {Not: &SecurityIssueFilter{CreatedSince: time.Now()}},
		"negated flag":   {Not: &SecurityIssueFilter{Incident: Set(false)}},
		"negated search": {Not: &SecurityIssueFilter{SearchQuery: "a"}},
	} {
		_, err := client.SecurityIssues.Count(ctx, filter)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	_, err := client.SecurityIssues.Get(ctx, 0)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.SecurityIssues.Groups(ctx, SecurityIssueFilter{}, PageOptions{Limit: 1001})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.SecurityIssues.List(ctx, SecurityIssueFilter{}, PageOptions{Order: Ascending})
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Empty(t, server.requests(), "nothing may be sent")
}

func TestSecurityIssueRequests(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`[{"id":1},{"id":2}]`))
	ctx := t.Context()
	issues, err := client.SecurityIssues.ListUnlimited(ctx, SecurityIssueFilter{ID: 5, Incident: Set(false)})
	require.NoError(t, err)
	require.Len(t, issues, 2)
	groups, err := client.SecurityIssues.GroupsUnlimited(ctx, SecurityIssueFilter{
		Severities: []IssueSeverity{}, DiscoveredSince: time.Unix(1785801600, 9), Extra: Extra{"!new": RawJSON("null")},
		Not: &SecurityIssueFilter{States: []IssueState{IssueClosed}, GroupID: "grp-9"},
	})
	require.NoError(t, err)
	require.Len(t, groups, 2)
	_, err = client.SecurityIssues.List(ctx, SecurityIssueFilter{}, PageOptions{OrderBy: "severity", Order: Ascending, Offset: 3})
	require.NoError(t, err)
	sent := server.requests()
	require.JSONEq(t, `{"client_id":4711,"unlimited":true,"filter":{"id":5,"incident":false}}`, string(sent[0].Body))
	require.JSONEq(t, `{"client_id":4711,"unlimited":true,"filter":{"severity":[],"discovered_since":1785801600,"!new":null,
		"!state":["closed"],"!group_id":"grp-9"}}`, string(sent[1].Body))
	require.JSONEq(t, `{"client_id":4711,"limit":100,"offset":3,"order_by":{"name":"severity","direction":"asc"}}`, string(sent[2].Body))
}

func TestSecurityIssueSecretsAndScore(t *testing.T) {
	var issue SecurityIssue
	require.NoError(t, json.Unmarshal([]byte(`{"id":1,"credentials":["test-secret-leaked"],"risk_info":{"cvss":9.8}}`), &issue))
	require.Equal(t, "test-secret-leaked", issue.Credentials[0].Reveal())
	data, err := json.Marshal(issue)
	require.NoError(t, err)
	require.NotContains(t, string(data)+fmt.Sprintf("%+v", issue), "test-secret-leaked")
	score, ok := issue.CVSS()
	require.True(t, ok)
	require.InDelta(t, 9.8, score, 1e-9)
	for _, info := range []string{`7.1`, `{}`, `{"cvss":null}`, `{"cvss":"high"}`, `null`, ``} {
		_, ok = (&SecurityIssue{RiskInfo: RawJSON(info)}).CVSS()
		require.False(t, ok, info)
	}
}
