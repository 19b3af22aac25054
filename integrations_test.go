package wallarm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(integrationsList, func(ctx context.Context, c *Client) (any, error) {
		return c.Integrations.List(ctx, IntegrationFilter{})
	})
	_ = fixture(integrationsCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.Integrations.Create(ctx, NewIntegration{
			Name:   "SOC webhook",
			Target: WebhookTarget{URL: SecretOf("https://hooks.example.com/wallarm"), Headers: map[string]Secret{"X-Hook-Key": SecretOf("test-token-hook")}},
			Events: []IntegrationEvent{
				{Event: EventSIEM, Active: true, WithHeaders: new(bool)}, {Event: EventSystem, Active: true},
			},
		})
	})
	_ = fixture(integrationsUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Integrations.Update(ctx, 3301, IntegrationUpdate{
			Name: Set("SOC Splunk"), Active: Set(false),
			Target: SplunkTarget{Token: SecretOf("test-token-splunk"), API: SecretOf("https://splunk.example.com:8088/services/collector")},
			Events: Set([]IntegrationEvent{{Event: EventSIEM, Active: true, WithHeaders: new(true)}}),
		})
	})
	_ = fixture(integrationsDelete, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Integrations.Delete(ctx, 3301)
	})
	_ = fixture(integrationsCreateTelegram, func(ctx context.Context, c *Client) (any, error) {
		return c.Integrations.CreateTelegram(ctx, NewTelegramIntegration{Name: "SOC chat", ChatData: SecretOf("test-token-chat")})
	})
	_ = fixture(integrationsTest, func(ctx context.Context, c *Client) (any, error) {
		return c.Integrations.Test(ctx, SlackTarget{WebhookURL: SecretOf("https://hooks.example.com/services/test-token-slack")})
	})
)

// sampleTargets are targets of every type, and what travels of them.
var sampleTargets = []struct {
	target IntegrationTarget
	wire   string
}{
	{EmailTarget{Addresses: []string{"secret-a@example.com", "secret-b@example.com"}}, `["secret-a@example.com","secret-b@example.com"]`},
	{SlackTarget{WebhookURL: SecretOf("https://hooks.example.com/secret")}, `"https://hooks.example.com/secret"`},
	{MSTeamsTarget{WebhookURL: SecretOf("https://teams.example.com/secret")}, `"https://teams.example.com/secret"`},
	{PagerDutyTarget{IntegrationKey: SecretOf("test-token-secret")}, `"test-token-secret"`},
	{SumoLogicTarget{CollectorURL: SecretOf("https://sumo.example.com/secret")}, `"https://sumo.example.com/secret"`},
	{OpsgenieTarget{Token: SecretOf("test-token-secret"), API: SecretOf(OpsgenieAPIEU)}, `{"token":"test-token-secret","api":"` + OpsgenieAPIEU + `"}`},
	{
		InsightConnectTarget{Token: SecretOf("test-token-secret"), API: SecretOf("https://flow.example.com/secret")},
		`{"token":"test-token-secret","api":"https://flow.example.com/secret"}`,
	},
	{
		SplunkTarget{Token: SecretOf("test-token-secret"), API: SecretOf("https://splunk.example.com/secret"), Extra: Extra{"index": RawJSON(`"secret"`)}},
		`{"token":"test-token-secret","api":"https://splunk.example.com/secret","index":"secret"}`,
	},
	{DatadogTarget{Token: SecretOf("test-token-secret"), Region: "US1"}, `{"token":"test-token-secret","region":"US1"}`},
	{
		WebhookTarget{
			URL: SecretOf("https://hooks.example.com/secret"), HTTPMethod: "PUT", MessageFormat: WebhookJSONLines, CAVerify: Set(false), Timeout: 1, OpenTimeout: 2,
			Headers: map[string]Secret{"X-Key": SecretOf("test-token-secret")}, CAFile: SecretOf("secret pem"), Subtype: "fluentd", Token: SecretOf("test-token-secret"), API: SecretOf("secret"),
		},
		`{"url":"https://hooks.example.com/secret","http_method":"PUT","format":"jsonl","headers":{"X-Key":"test-token-secret"},
		  "ca_file":"secret pem","ca_verify":false,"timeout":1,"open_timeout":2,"subtype":"fluentd","token":"test-token-secret","api":"secret"}`,
	},
	{UnknownTarget{Type: "jira", JSON: SecretOf(`{"project":"secret","n":[1]}`)}, `{"project":"secret","n":[1]}`},
}

func TestTargetsTravelWholeAndReadBack(t *testing.T) {
	for _, sample := range sampleTargets {
		encoded, err := encodeTarget(sample.target)
		require.NoError(t, err)
		require.JSONEq(t, sample.wire, string(encoded))
		got := readTarget(sample.target.IntegrationType(), RawJSON(sample.wire))
		require.Equal(t, sample.target, got)
	}
}

func TestTargetsHideThemselves(t *testing.T) {
	for _, sample := range sampleTargets {
		require.Implements(t, (*fmt.Formatter)(nil), sample.target, "a field must not hide the method")
		integration := Integration{ID: 1, Type: sample.target.IntegrationType(), Target: sample.target}
		update := IntegrationUpdate{Target: sample.target}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "a", sample.target, "b", integration, "c", update, "d", &integration)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "a", sample.target, "b", integration, "c", update, "d", &integration)
		shown := []string{log.String(), sample.target.(fmt.Stringer).String()}
		for _, v := range []any{sample.target, integration, &integration, update, []any{sample.target}, NewIntegration{Target: sample.target}, []*Integration{&integration}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				shown = append(shown, fmt.Sprintf(verb, v))
			}
			dump, err := json.Marshal(v)
			require.NoError(t, err)
			shown = append(shown, string(dump))
		}
		for _, text := range shown {
			require.NotContains(t, text, "secret", "%T", sample.target)
			require.NotContains(t, text, "736563726574", "%T", sample.target)
		}
	}
}

func TestHarmlessSettingsOfTargetsCanBeDumped(t *testing.T) {
	dump, err := json.Marshal(WebhookTarget{URL: SecretOf("https://x.example.com"), Timeout: 5, MessageFormat: WebhookJSON, Headers: map[string]Secret{"A": SecretOf("")}})
	require.NoError(t, err)
	require.JSONEq(t, `{"url":"[redacted]","timeout":5,"open_timeout":0,"format":"json","headers":{"A":""},"ca_file":""}`, string(dump))
}

// A target that is not JSON is dumped, and refused, without its text.
func TestBrokenTargetsShowNothing(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{}`))
	for _, text := range []string{"test-token-secret", `{"token":"test-token-secret"`, `["test-token-secret"`, `test-token-secret"}`} {
		target := UnknownTarget{Type: "x", JSON: SecretOf(text)}
		dump, err := json.Marshal(target)
		require.NoError(t, err)
		require.Equal(t, `"[redacted]"`, string(dump))
		_, err = client.Integrations.Test(t.Context(), target)
		require.EqualError(t, err, "wallarm: invalid target: it is not JSON")
	}
	require.Empty(t, server.requests())
}

// What a dump has masked must not reach the API.
func TestMaskedTargetsAreNotSent(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {})
	for _, sample := range sampleTargets {
		dump, err := json.Marshal(sample.target)
		require.NoError(t, err)
		target := readTarget(sample.target.IntegrationType(), dump)
		_, err = client.Integrations.Update(t.Context(), 1, IntegrationUpdate{Target: target})
		require.ErrorIs(t, err, ErrInvalidArgument, "%T", sample.target)
		require.ErrorContains(t, err, "masked", "%T", sample.target)
		_, err = client.Integrations.Create(t.Context(), NewIntegration{Name: "x", Target: target})
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	for _, mask := range []string{
		"[REDACTED]", "<redacted>", "****", "https://hooks.example.com/•••", "[FILTERED]", "[masked]", "<hidden>", strings.Repeat("x", 8), strings.Repeat("X", 4), "####", "●●●●",
		"abc...", "https://hooks.example.com/services/…",
	} {
		_, err := client.Integrations.Test(t.Context(), SlackTarget{WebhookURL: SecretOf(mask)})
		require.ErrorContains(t, err, "masked", mask)
	}
	for _, genuine := range []string{strings.Repeat("x", 3), "test-token-" + strings.Repeat("x", 4), "a...b", "a**b", "test-token-masked"} {
		require.False(t, isMasked(genuine), genuine)
	}
	hook := WebhookTarget{URL: SecretOf("https://hooks.example.com/x")}
	for name, change := range map[string]func(*WebhookTarget){
		"header": func(w *WebhookTarget) {
			w.Headers = map[string]Secret{"A": SecretOf(""), "Authorization": SecretOf("****")}
		},
		"authority": func(w *WebhookTarget) { w.CAFile = SecretOf("[redacted]") },
		"token":     func(w *WebhookTarget) { w.Token = SecretOf("****") },
		"API":       func(w *WebhookTarget) { w.API = SecretOf("https://api.example.com/***") },
	} {
		target := hook
		change(&target)
		_, err := client.Integrations.Test(t.Context(), target)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		require.ErrorContains(t, err, "masked", name)
	}
	require.Empty(t, server.requests())
}

func TestIntegrationArguments(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {})
	s, ctx := client.Integrations, t.Context()
	slack := SlackTarget{WebhookURL: SecretOf("https://hooks.example.com/x")}
	for name, call := range map[string]func() error{
		"no name":   func() error { _, err := s.Create(ctx, NewIntegration{Target: slack}); return err },
		"no target": func() error { _, err := s.Create(ctx, NewIntegration{Name: "x"}); return err },
		"nil target": func() error {
			_, err := s.Create(ctx, NewIntegration{Name: "x", Target: (*SlackTarget)(nil)})
			return err
		},
		"null active": func() error {
			_, err := s.Create(ctx, NewIntegration{Name: "x", Target: slack, Active: Null[bool]()})
			return err
		},
		"empty secret": func() error { _, err := s.Create(ctx, NewIntegration{Name: "x", Target: SlackTarget{}}); return err },
		"no addresses": func() error { _, err := s.Create(ctx, NewIntegration{Name: "x", Target: EmailTarget{}}); return err },
		"no region": func() error {
			_, err := s.Create(ctx, NewIntegration{Name: "x", Target: DatadogTarget{Token: SecretOf("t")}})
			return err
		},
		"no API": func() error {
			_, err := s.Create(ctx, NewIntegration{Name: "x", Target: SplunkTarget{Token: SecretOf("t")}})
			return err
		},
		"plain http": func() error {
			_, err := s.Test(ctx, WebhookTarget{URL: SecretOf("http://hooks.example.com")})
			return err
		},
		"negative": func() error {
			_, err := s.Test(ctx, WebhookTarget{URL: SecretOf("https://hooks.example.com"), Timeout: -1})
			return err
		},
		"null verification": func() error {
			_, err := s.Test(ctx, WebhookTarget{URL: SecretOf("https://hooks.example.com"), CAVerify: Null[bool]()})
			return err
		},
		"unknown type": func() error { _, err := s.Test(ctx, UnknownTarget{JSON: SecretOf("1")}); return err },
		"not JSON":     func() error { _, err := s.Test(ctx, UnknownTarget{Type: "x", JSON: SecretOf("{")}); return err },
		"unnamed event": func() error {
			_, err := s.Create(ctx, NewIntegration{Name: "x", Target: slack, Events: make([]IntegrationEvent, 1)})
			return err
		},
		"event twice": func() error {
			_, err := s.Update(ctx, 1, IntegrationUpdate{Events: Set(append(EventsFor("x", "a"), EventsFor("x", "a")...))})
			return err
		},
		"no change":  func() error { _, err := s.Update(ctx, 1, IntegrationUpdate{Type: IntegrationSlack}); return err },
		"null name":  func() error { _, err := s.Update(ctx, 1, IntegrationUpdate{Name: Null[string]()}); return err },
		"empty name": func() error { _, err := s.Update(ctx, 1, IntegrationUpdate{Name: Set("")}); return err },
		"null events": func() error {
			_, err := s.Update(ctx, 1, IntegrationUpdate{Events: Null[[]IntegrationEvent]()})
			return err
		},
		"another type": func() error {
			_, err := s.Update(ctx, 1, IntegrationUpdate{Target: slack, Type: IntegrationSplunk})
			return err
		},
		"no id":        func() error { _, err := s.Enable(ctx, 0); return err },
		"get no id":    func() error { _, err := s.Get(ctx, -1); return err },
		"delete no id": func() error { return s.Delete(ctx, 0) },
		"no chat":      func() error { _, err := s.CreateTelegram(ctx, NewTelegramIntegration{Name: "x"}); return err },
		"chat of null": func() error {
			_, err := s.CreateTelegram(ctx, NewTelegramIntegration{Name: "x", ChatData: SecretOf("x"), Active: Null[bool]()})
			return err
		},
		"no chat name": func() error {
			_, err := s.CreateTelegram(ctx, NewTelegramIntegration{ChatData: SecretOf("x")})
			return err
		},
		"negative limit":  func() error { _, err := s.List(ctx, IntegrationFilter{Limit: -1}); return err },
		"negative offset": func() error { _, err := s.List(ctx, IntegrationFilter{Offset: -1}); return err },
		"null filter":     func() error { _, err := s.List(ctx, IntegrationFilter{Active: Null[bool]()}); return err },
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	_, err := s.Test(ctx, WebhookTarget{URL: SecretOf("ftp://test-token-secret.example.com")})
	require.NotContains(t, err.Error(), "secret")
	require.Empty(t, server.requests())
}

// TestWebhooksThatCannotBeWritten are refused as any other argument, and show nothing of their secrets.
func TestWebhooksThatCannotBeWritten(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{}`))
	const hook = "https://hooks.example.com/test-token-hook"
	for name, target := range map[string]WebhookTarget{
		"URL":             {URL: SecretOf(hook + "\xff")},
		"header":          {URL: SecretOf(hook), Headers: map[string]Secret{"X-Any": SecretOf("test-token-\xff")}},
		"URL in Extra":    {URL: SecretOf(hook), Extra: Extra{"url": RawJSON(`"https://test-token.example.com"`)}},
		"no JSON (Extra)": {URL: SecretOf(hook), Extra: Extra{"more": RawJSON(`"test-token-cut`)}},
	} {
		_, created := client.Integrations.Create(t.Context(), NewIntegration{Name: "x", Target: target})
		_, updated := client.Integrations.Update(t.Context(), 7, IntegrationUpdate{Target: target})
		_, tested := client.Integrations.Test(t.Context(), target)
		for _, err := range []error{created, updated, tested} {
			var argument *ArgumentError
			require.ErrorAs(t, err, &argument, name)
			require.ErrorIs(t, err, ErrInvalidArgument, name)
			require.NotContains(t, err.Error(), "test-token", name)
		}
	}
	require.Empty(t, server.requests())
}

func TestIntegrationUpdateSendsWhatIsSet(t *testing.T) {
	for want, update := range map[string]IntegrationUpdate{
		`{"active":false}`: {Active: Set(false)},
		`{"name":"x"}`:     {Name: Set("x")},
		`{"events":[]}`:    {Events: Set[[]IntegrationEvent](nil)},
		`{"type":"email","target":["soc@example.com"]}`: {Target: &EmailTarget{Addresses: []string{"soc@example.com"}}},
		`{"name":"x","active":true,"type":"slack","events":[{"event":"system","active":true}]}`: {
			Name: Set("x"), Active: Set(true), Type: IntegrationSlack, Events: Set([]IntegrationEvent{{Event: EventSystem, Active: true}}),
		},
	} {
		client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"body":{"result":"success","object":{"id":1}}}`)
		})
		_, err := client.Integrations.Update(t.Context(), 1, update)
		require.NoError(t, err)
		require.JSONEq(t, want, string(server.requests()[0].Body))
	}
}

func TestIntegrationListConditions(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"body":{"result":"success","object":[]}}`)
	})
	_, err := client.Integrations.List(t.Context(), IntegrationFilter{IDs: []int64{1, 2}, Type: IntegrationSlack, Active: Set(false), Limit: 3, Offset: 4})
	require.NoError(t, err)
	require.Equal(t, "clientid=4711&enabled=false&id%5B%5D=1&id%5B%5D=2&limit=3&offset=4&type=slack", server.requests()[0].Query.Encode())
}

func TestIntegrationGet(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"body":{"result":"success","object":[{"id":1,"name":"a"},{"id":2,"name":"b","type":"slack","target":"https://x.example.com"}]}}`)
	})
	got, err := client.Integrations.Get(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, "b", got.Name)
	require.Equal(t, SecretOf("https://x.example.com"), got.Target.(SlackTarget).WebhookURL)
	_, err = client.Integrations.Get(t.Context(), 3)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestIntegrationTestFailures(t *testing.T) {
	answer := func(status int, body string) error {
		client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
		_, err := client.Integrations.Test(t.Context(), SlackTarget{WebhookURL: SecretOf("https://hooks.example.com/x")})
		require.Len(t, server.requests(), 1)
		return err
	}
	err := answer(408, `{"body":{"error":"timeout"}}`)
	require.ErrorIs(t, err, ErrTargetTimeout)
	require.ErrorContains(t, err, "timeout")
	err = answer(422, `["host not resolved"]`)
	require.ErrorIs(t, err, ErrValidation)
	require.ErrorContains(t, err, "host not resolved")
	require.ErrorIs(t, answer(404, ``), ErrNotFound)
}

func TestEventsFor(t *testing.T) {
	for kind, want := range map[IntegrationType]int{
		IntegrationWebhook: 9, IntegrationDatadog: 9, IntegrationSlack: 7, IntegrationTelegram: 10, IntegrationEmail: 7, "jira": 0,
	} {
		require.Len(t, EventsFor(kind), want, kind)
	}
	events := EventsFor(IntegrationSplunk, EventSIEM, "new")
	require.Len(t, events, 10)
	require.Equal(t, IntegrationEvent{Event: EventSIEM, Active: true, WithHeaders: new(false)}, events[0])
	require.Equal(t, IntegrationEvent{Event: "new", Active: true}, events[9])
	require.False(t, events[1].Active)
	require.Len(t, EventsFor(IntegrationTelegram), 10, "the groups must not grow into each other")
	require.NoError(t, checkEvents(events))
}

func TestTargetsAreMaskedInOnePass(t *testing.T) {
	for value, want := range map[string]string{
		`{"b":"x","a":{"format":"jsonl","n":5,"empty":"","ok":true,"none":null},"http_method":["PUT"],"region":{"x":1}}`: `{"b":"[redacted]","a":{"format":"jsonl","n":"[redacted]","empty":"","ok":true,"none":null},"http_method":["[redacted]"],"region":{"x":"[redacted]"}}`,
		`["a",[],{},0]`: `["[redacted]",[],{},"[redacted]"]`, `"a"`: `"[redacted]"`, `""`: `""`, `null`: `null`, `{"a"`: `"[redacted]"`, `{"a":1,"a":2}`: `"[redacted]"`,
	} {
		got, err := maskJSON(RawJSON(value))
		require.NoError(t, err)
		require.Equal(t, want, string(got), value)
	}
	deep := RawJSON(strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000))
	require.Less(t, testing.AllocsPerRun(1, func() { _, _ = maskJSON(deep) }), 100_000.0, "what is nested is read once")
}
