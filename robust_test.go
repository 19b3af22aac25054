package wallarm

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNoAnswerEchoesTheToken: whatever an answer says, with whatever status, no error, response or download shows the credentials that were sent.
func TestNoAnswerEchoesTheToken(t *testing.T) {
	const token = "test-token-Echo/5150+x"
	escaped := strings.ReplaceAll(token, "t", `\u0074`)
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"status in words": {200, `{"status":"403 Forbidden","body":{"id":1,"why":"no access for ` + token + `"}}`},
		"inner status":    {200, `{"status":403,"body":"no access for ` + token + `"}`},
		"not JSON":        {200, `<html>signed in with ` + token + `</html>`},
		"a title":         {200, `<html><title>signed in with ` + token + `</title></html>`},
		"another type":    {200, `{"status":200,"body":{"id":"` + token + `"}}`},
		"escaped":         {403, `{"status":403,"body":"no access for ` + escaped + `"}`},
		"a field":         {400, `{"status":400,"body":{"name":{"error":"invalid","message":"` + escaped + `"}}}`},
		"in base64":       {401, `{"error":"` + base64.StdEncoding.EncodeToString([]byte(token)) + `"}`},
		"in HTML":         {502, `<p>test-token-Echo&#47;5150+x test-token-Echo/5150+x</p>`},
		"plain":           {500, token},
		"escaped in 200":  {200, `{"status":409,"body":"` + escaped + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := New(US, Token(token), WithDefaultClientID(1), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
				answered, _ := stubTransport{answer.body}.RoundTrip(r)
				answered.StatusCode = answer.status
				answered.Header.Set("Content-Type", "text/html")
				answered.Header.Set("X-Echo", "you are "+r.Header.Get(headerToken))
				return answered, nil
			})))
			require.NoError(t, err)
			var response Response
			_, err = client.Rules.Get(t.Context(), 1, WithResponse(&response), WithRetries(0))
			require.Error(t, err)
			shown := fmt.Sprintf("%v %+v %#v %+v", err, err, err, response)
			var refused *APIError
			if errors.As(err, &refused) {
				shown += fmt.Sprintf("%+v %#v %s", refused, *refused, refused.Body)
			}
			require.NotContains(t, shown, token)
			require.NotContains(t, shown, escaped)
			require.NotContains(t, shown, base64.RawStdEncoding.EncodeToString([]byte(token)))
		})
	}
}

func TestExtraHidesWhatLooksSecret(t *testing.T) {
	me := User{Extra: Extra{"api_token": RawJSON(`"test-token-new"`), "team": RawJSON(`"blue"`), "nested": RawJSON(`{"password":"hunter2"}`)}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		shown := fmt.Sprintf(verb, me)
		require.NotContains(t, shown, "test-token-new", verb)
		require.NotContains(t, shown, "hunter2", verb)
		require.Contains(t, shown, "blue", verb)
	}
	require.Equal(t, "{}", fmt.Sprint(Extra(nil)))
	data, err := me.MarshalJSON()
	require.NoError(t, err)
	require.Contains(t, string(data), "test-token-new", "what is written back is whole")
}

// TestAuthHeadersHideAllThatIsNew: whatever its name, it stands below auth_headers.
func TestAuthHeadersHideAllThatIsNew(t *testing.T) {
	const text = `[{"key":"X-Auth","value":"test-token-now","previous":"test-token-former"},{"X-Gateway":"test-token-gateway"}]`
	var spec APISpec
	require.NoError(t, json.Unmarshal([]byte(`{"id":1,"auth_headers":`+text+`}`), &spec))
	var lines bytes.Buffer
	slog.New(slog.NewTextHandler(&lines, nil)).Info("spec", "spec", spec, "headers", spec.AuthHeaders, "new", NewAPISpec{AuthHeaders: spec.AuthHeaders})
	shown := []string{lines.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, spec), fmt.Sprintf(verb, &spec), fmt.Sprintf(verb, spec.AuthHeaders), fmt.Sprintf(verb, &spec.AuthHeaders[0]),
			fmt.Sprintf(verb, NewAPISpec{AuthHeaders: spec.AuthHeaders}), fmt.Sprintf(verb, APISpecUpdate{AuthHeaders: Set(spec.AuthHeaders)}))
	}
	for _, s := range shown {
		require.NotContains(t, s, "test-token")
		require.NotContains(t, s, fmt.Sprintf("%x", "test-token"))
		require.NotContains(t, s, "116 101 115 116", "as numbers")
	}
	require.Contains(t, shown[0], "previous")
	data, err := json.Marshal(spec)
	require.NoError(t, err)
	require.Contains(t, string(data), "test-token-gateway", "what is written back is whole")
}

func TestPagesHideTheSecretsOfTheirRawItems(t *testing.T) {
	raw := RawJSON(`{"id":5,"token":"test-token-raw"}`)
	page := Page[Node]{Items: []Node{{ID: 5}}, Raw: []RawJSON{raw}, Total: 4711}
	var text, lines bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("page", "page", page)
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("page", "page", &page)
	shown := []string{text.String(), lines.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, page), fmt.Sprintf(verb, &page), fmt.Sprintf(verb, []*Page[Node]{&page}))
	}
	for _, s := range shown {
		require.NotContains(t, s, "test-token-raw")
		require.NotContains(t, s, hex.EncodeToString([]byte("test-token-raw")))
		require.NotContains(t, s, strings.Trim(fmt.Sprint([]byte("test-token-raw")), "[]"))
	}
	require.Contains(t, fmt.Sprintf("%+v", page), `Raw:[{"id":5,"token":"[redacted]"}]`)
	require.Contains(t, fmt.Sprintf("%+v", page), `Total:4711`)
	require.Equal(t, `{"id":5,"token":"test-token-raw"}`, string(page.Raw[0]), "printing changes nothing")
}

// TestTriggersHideWhatLooksSecret in an action that is not known, and beside the parameters of one that is.
func TestTriggersHideWhatLooksSecret(t *testing.T) {
	var trigger Trigger
	text := `{"id":5,"name":"n","actions":[{"id":"new","params":{"token":"test-token-new","team":"blue"},"secret":"test-token-new"},
		{"id":"block_ips","params":{"lock_time":5},"secret":"test-token-new"}]}`
	require.NoError(t, json.Unmarshal([]byte(text), &trigger))
	require.IsType(t, TriggerDenylist{}, trigger.Actions[1])
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{trigger, &trigger, trigger.Actions, trigger.Actions[0], trigger.Actions[1], trigger.Spec(), []*Trigger{&trigger}} {
			shown := fmt.Sprintf(verb, v)
			require.NotContains(t, shown, "test-token", "%s of %T", verb, v)
			require.NotContains(t, shown, fmt.Sprintf("%x", "test-token"), "%s of %T", verb, v)
			require.NotContains(t, shown, "116 101 115 116 45", "%s of %T", verb, v)
		}
	}
	require.Contains(t, fmt.Sprint(trigger), "blue")
	data, err := json.Marshal(trigger)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(data), "test-token-new"), "what is written back is whole")
}

// TestSecretsInPathsAreNotShown in errors, hooks and the log: Call takes a path with parameters of its own.
func TestSecretsInPathsAreNotShown(t *testing.T) {
	var lines bytes.Buffer
	var shown []string
	status := 200
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no JSON, but test-token-path")
	}, WithLogger(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))), WithHook(func(_ context.Context, a Attempt) { shown = append(shown, a.Path) }))
	for _, status = range []int{200, 400, 503} {
		var out struct{}
		err := client.Call(t.Context(), "GET", "/v2/x;a=1;token=test-token-path/y", nil, &out, WithRetries(0))
		require.ErrorContains(t, err, "/v2/x;a=1;token=[redacted]/y")
		require.NotContains(t, fmt.Sprintf("%v %+v", err, err), "test-token-path")
	}
	for _, status = range []int{200, 404} {
		err := client.Call(t.Context(), "PUT", "/v2/token/validation/test-token-path", nil, &struct{}{}, WithRetries(0))
		require.ErrorContains(t, err, "/v2/token/validation/[redacted]")
		require.NotContains(t, fmt.Sprintf("%v %+v", err, err), "test-token-path")
		require.Equal(t, "/v2/token/validation/[redacted]", shown[len(shown)-1])
		shown = shown[:len(shown)-1]
	}
	require.NotContains(t, lines.String(), "test-token-path")
	require.Equal(t, slices.Repeat([]string{"/v2/x;a=1;token=[redacted]/y"}, 3), shown)
	require.Equal(t, "/v2/x;a=1;token=test-token-path/y", server.requests()[0].Path)
}

func TestZeroValuesDoNotPanic(t *testing.T) {
	for _, client := range []*Client{nil, {}} {
		require.Empty(t, client.BaseURL())
		require.NotEmpty(t, fmt.Sprintf("%v %+v %#v %s", client, client, client, client))
		text, err := client.MarshalText()
		require.NoError(t, err)
		require.NotEmpty(t, text)
	}
	require.NoError(t, (&Download{}).Close())
	data, err := io.ReadAll(&Download{})
	require.NoError(t, err)
	require.Empty(t, data)
	require.NoError(t, (*Download)(nil).Close())
}

func TestAMisplacedTokenIsNotQuoted(t *testing.T) {
	_, err := ParseRegion("test-token-in-the-wrong-variable-0123456789")
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.NotContains(t, err.Error(), "test-token")
	_, err = ParseRegion("mars")
	require.ErrorContains(t, err, "mars")
	client, _ := newTestClient(t, jsonAnswer(`{}`))
	err = client.Call(t.Context(), "test-token-in-place-of-a-method", "/v1/x", nil, nil)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.NotContains(t, err.Error(), "test-token")
}
