package wallarm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dumps is all that can be printed of a value.
func dumps(v any) string {
	var b strings.Builder
	nested := struct{ Public, private any }{v, v}
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "%X", "% x", "%d", "%t", "%c", "%U", "%e"} {
		for _, form := range []any{v, []any{v}, map[string]any{"k": v}, nested, &nested} {
			fmt.Fprintf(&b, verb+"\n", form)
		}
	}
	encoded, _ := json.Marshal(v)
	b.Write(encoded)
	for _, handler := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(handler).Info("dump", "v", v, slog.Group("g", slog.Any("v", v)))
	}
	func() {
		defer func() { fmt.Fprint(&b, recover()) }()
		panic(v)
	}()
	return b.String()
}

// plant fills each Secret, wherever it lies in a value, and reports whether there was one.
func plant(v reflect.Value, depth int) bool {
	if depth > 6 || !v.CanSet() {
		return false
	}
	if v.Type() == reflect.TypeFor[Secret]() {
		v.Set(reflect.ValueOf(SecretOf(planted)))
		return true
	}
	found := false
	switch v.Kind() {
	case reflect.Pointer:
		target := reflect.New(v.Type().Elem())
		if found = plant(target.Elem(), depth+1); found {
			v.Set(target)
		}
	case reflect.Slice:
		element := reflect.New(v.Type().Elem()).Elem()
		if found = plant(element, depth+1); found {
			v.Set(reflect.Append(reflect.MakeSlice(v.Type(), 0, 1), element))
		}
	case reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		if found = plant(element, depth+1); found && v.Type().Key().Kind() == reflect.String {
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("x").Convert(v.Type().Key()), element)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = plant(v.Field(i), depth+1) || found
		}
	}
	return found
}

// TestTypesWithSecretsShowNone prints every type that holds a secret in every way: by value, by pointer, in lists of pointers, in fields that are not
// exported. Package fmt calls no method in some of these places.
func TestTypesWithSecretsShowNone(t *testing.T) {
	type private struct{ secret Secret }
	values := []any{
		new(User), new(NewUser), new(UserUpdate), new(NewSecret), new(Node), new(NodeV1), new(APITokenValue), new(Invitation),
		new(APISpec), new(NewAPISpec), new(RulesSettings), new(SecurityIssue), new(NewTelegramIntegration),
		new(FieldError), new(SlackTarget), new(MSTeamsTarget), new(PagerDutyTarget), new(SumoLogicTarget), new(WebhookTarget), new(UnknownTarget),
		new(Opt[Secret]), new(Secret), new([]Secret), new(map[string]Secret),
	}
	for _, value := range values {
		v := reflect.ValueOf(value)
		if !plant(v.Elem(), 0) && v.Elem().Kind() == reflect.Struct && !strings.HasPrefix(v.Type().Elem().Name(), "Opt") {
			t.Errorf("%T holds no secret", value)
		}
		pointers := reflect.Append(reflect.MakeSlice(reflect.SliceOf(v.Type()), 0, 1), v).Interface()
		for _, form := range []any{value, v.Elem().Interface(), pointers, &pointers} {
			requireNoSecret(t, fmt.Sprintf("dump of %T", form), dumps(form), planted)
		}
	}
	requireNoSecret(t, "dump of a private field", dumps(&private{SecretOf(planted)})+dumps([]*private{{SecretOf(planted)}}), planted)
	integration := NewIntegration{Name: "x", Target: WebhookTarget{URL: SecretOf(planted), Headers: map[string]Secret{"X": SecretOf(planted)}}}
	requireNoSecret(t, "dump of an integration", dumps(&integration)+dumps(integration), planted)
	update := APISpecUpdate{FileRemoteURL: Set(SecretOf(planted))}
	requireNoSecret(t, "dump of an update", dumps(&update)+dumps(update)+dumps([]*APISpecUpdate{&update}), planted)
	event := new(ActivityEvent)
	event.StateAfter = SensitiveJSON{text: SecretOf(`"` + planted + `"`)}
	shown := dumps(event) + dumps([]*ActivityEvent{event})
	encoded, _ := json.Marshal(event)
	requireNoSecret(t, "dump of an activity", strings.ReplaceAll(shown, string(encoded), ""), planted)
}

// TestClientsShowNoCredentials prints clients, options and authenticators.
func TestClientsShowNoCredentials(t *testing.T) {
	provider := CredentialsFunc(func(context.Context) (Authenticator, error) { return Token(planted), nil })
	for _, auth := range []Authenticator{Token(planted), UUIDSecret(planted, planted), provider} {
		client, err := New(US, auth)
		require.NoError(t, err)
		type holder struct {
			client *Client
			auth   Authenticator
			value  Client
		}
		for _, v := range []any{client, *client, auth, &holder{client, auth, *client}, holder{client, auth, *client}, []*holder{{client, auth, *client}}, client.Users, RepeatToken(SecretOf(planted))} {
			requireNoSecret(t, fmt.Sprintf("dump of %T", v), dumps(v), planted)
		}
	}
}

// TestErrorAnswersShowNoSecret decodes answers with secrets in every member that is known to hold one, as errors too.
func TestErrorAnswersShowNoSecret(t *testing.T) {
	for _, name := range []string{
		"token", "secret", "password", "generated_password", "otp", "otp_secret", "qr_code", "invitation", "target", "headers", "auth_headers", "license",
		"chat_data", "signed_url", "ca_file", "private_key", "idp_cert", "saml_response", "user_attr_7", "session_data", "additional_data", "diff",
		"state_before_action", "state_after_action", "before", "after", "file_remote_url", "value", "Authorization", "Cookie",
	} {
		for _, body := range []string{
			`{"status":400,"body":{"%s":"%s"}}`, `{"status":400,"body":{"x":{"%s":"%s"}}}`, `{"status":400,"body":{"x":{"error":"no","%s":"%s"}}}`,
			`{"%s":"%s"}`, `{"a":[{"%s":{"deep":["%s"]}}]}`, `{"status":500,"body":[{"%s":"%s"}]}`, `{"status":500,"body":{"error":{"%s":"%s"}}}`,
		} {
			e := newAPIError(500, http.Header{}, fmt.Appendf(nil, body, name, planted))
			requireNoSecret(t, "error for "+fmt.Sprintf(body, name, "…"), dumps(e)+e.Error()+string(e.Body)+fmt.Sprint(e.Fields), planted)
		}
	}
	for _, text := range []string{`token=%s`, `"password": "%s"`, `<p>api_key: %s</p>`, `https://x.example.com/?X-Amz-Signature=%s&a=b`, `Authorization: Bearer %s`, `Cookie: sid=%s`} {
		for _, body := range []string{fmt.Sprintf(text, planted), fmt.Sprintf(`{"status":400,"body":%q}`, fmt.Sprintf(text, planted)), fmt.Sprintf(`{"error":%q}`, fmt.Sprintf(text, planted))} {
			e := newAPIError(502, http.Header{}, []byte(body))
			requireNoSecret(t, "error for "+text, dumps(e)+e.Error()+string(e.Body), planted)
		}
	}
}

// TestTokensStayOnTheirHost answers with every kind of redirect and counts what reaches the host it names.
func TestTokensStayOnTheirHost(t *testing.T) {
	reached := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer other.Close()
	for _, status := range []int{300, 301, 302, 303, 305, 307, 308} {
		for _, location := range []string{other.URL, "//" + strings.TrimPrefix(other.URL, "http://"), "/elsewhere"} {
			var log bytes.Buffer
			client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location+"?token="+planted)
				w.WriteHeader(status)
			}, WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
				WithHTTPClient(&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}))
			var response Response
			_, err := client.Users.Me(t.Context(), WithResponse(&response))
			require.ErrorIs(t, err, ErrRedirect)
			require.Len(t, server.requests(), 1)
			requireNoSecret(t, "redirect", dumps(err)+dumps(response)+log.String(), planted)
		}
	}
	require.Zero(t, reached)
}

// TestTokensStayOffTheProxy sends through a proxy to a host with TLS: the proxy sees the name of the host and nothing else.
func TestTokensStayOffTheProxy(t *testing.T) {
	seen := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen += fmt.Sprint(r.Method, r.URL, r.Header)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	through := &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }}
	defer through.CloseIdleConnections()
	client, err := New(US, Token(planted), WithBaseURL("https://api.example.com"), WithRoundTripper(through), WithDefaults(WithRetries(0)))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.Error(t, err)
	require.Contains(t, seen, "CONNECT")
	requireNoSecret(t, "request to the proxy", seen+dumps(err), planted)
}
