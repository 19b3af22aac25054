package wallarm

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
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

// secretBearers has each exported type with a Secret in it that a test can fill.
var secretBearers = []any{
	new(User), new(NewUser), new(UserUpdate), new(NewSecret), new(Node), new(NodeV1), new(APITokenValue), new(Invitation),
	new(APISpec), new(APISpecFile), new(NewAPISpec), new(AuthHeader), new(RulesSettings), new(SecurityIssue), new(NewTelegramIntegration),
	new(APIError), new(CallError), new(FieldError), new(SlackTarget), new(MSTeamsTarget), new(PagerDutyTarget), new(SumoLogicTarget), new(DatadogTarget),
	new(InsightConnectTarget), new(OpsgenieTarget), new(SplunkTarget), new(WebhookTarget), new(UnknownTarget),
}

// filledByHand are those with a Secret in a field that is not exported; TestTypesWithSecretsShowNone fills them itself.
var filledByHand = []string{"APISpecUpdate", "SensitiveJSON", "ActivityEvent"}

// TestAllTypesWithSecretsAreKnown reads the source for exported structs that hold a Secret, themselves or in a type of theirs.
func TestAllTypesWithSecretsAreKnown(t *testing.T) {
	known := slices.Clone(filledByHand)
	for _, value := range secretBearers {
		known = append(known, reflect.TypeOf(value).Elem().Name())
	}
	slices.Sort(known)
	require.Equal(t, known, secretTypes(t))
}

// secretTypes returns the names of the exported structs of this package that hold a Secret.
func secretTypes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	mentions := map[string]map[string]bool{} // type to the names that its definition mentions
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.TYPE {
				continue
			}
			for _, spec := range group.Specs {
				defined := spec.(*ast.TypeSpec)
				names := map[string]bool{}
				mentionedTypes(defined.Type, names)
				mentions[defined.Name.Name] = names
			}
		}
	}
	holders := map[string]bool{"Secret": true}
	for grown := true; grown; {
		grown = false
		for name, mentioned := range mentions {
			// A client and its services lead to all there is; TestClientsShowNoCredentials prints them.
			if holders[name] || mentioned["Client"] || name == "Client" {
				continue
			}
			for other := range mentioned {
				if holders[other] {
					holders[name], grown = true, true
				}
			}
		}
	}
	var found []string
	for name := range holders {
		if ast.IsExported(name) && name != "Secret" {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// mentionedTypes collects the names of the types of which values of a type are made: what functions and methods take and return is no part of them.
func mentionedTypes(definition ast.Expr, names map[string]bool) {
	ast.Inspect(definition, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType, *ast.InterfaceType, *ast.SelectorExpr:
			return false
		case *ast.Field:
			mentionedTypes(n.Type, names)
			return false
		case *ast.Ident:
			names[n.Name] = true
		}
		return true
	})
}

// TestTypesWithSecretsShowNone prints every type that holds a secret in every way: by value, by pointer, in lists of pointers, in fields that are not
// exported. Package fmt calls no method in some of these places.
func TestTypesWithSecretsShowNone(t *testing.T) {
	type private struct{ secret Secret }
	for _, value := range append(slices.Clone(secretBearers), new(Opt[Secret]), new(Secret), new([]Secret), new(map[string]Secret)) {
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
		client, err := New(US, auth, WithDefaults(WithHeader("Authorization", "Bearer "+planted), WithHeader("Cookie", planted), RepeatToken(SecretOf(planted))))
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
			_, changed := client.Tokens.CreateShared(t.Context(), NewAPIToken{Name: "ci", Permissions: RoleAdmin})
			require.Equal(t, status == http.StatusFound || status == http.StatusSeeOther, errors.Is(changed, ErrOutcomeUnknown), status)
			requireNoSecret(t, "redirect", dumps(err)+dumps(response)+log.String(), planted)
		}
	}
	require.Zero(t, reached)
}

// TestTokensStayOffTheProxy sends through a proxy that wants credentials of its own to a host with TLS: the proxy sees the name of the host and
// its own credentials, and nobody prints either credential, whether the proxy refuses, breaks off, or cannot be reached.
func TestTokensStayOffTheProxy(t *testing.T) {
	const proxySecret = "test-token-of-the-proxy"
	var mu sync.Mutex
	seen := ""
	var breaks atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen += fmt.Sprint(r.Method, r.URL, r.Host, r.Header)
		mu.Unlock()
		if breaks.Load() {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Proxy-Authenticate", "Basic realm="+planted)
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, unused.Close())
	for _, address := range []string{proxy.Listener.Addr().String(), proxy.Listener.Addr().String(), unused.Addr().String()} {
		var log bytes.Buffer
		hooked := ""
		through := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
			return &url.URL{Scheme: "http", Host: address, User: url.UserPassword("proxy-user", proxySecret)}, nil
		}}
		client, err := New(US, Token(planted), WithBaseURL("https://api.example.com"), WithRoundTripper(through),
			WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
			WithHook(func(_ context.Context, a Attempt) { hooked += dumps(a) }),
			WithDefaults(WithRetries(1), WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
		require.NoError(t, err)
		_, err = client.Users.Me(t.Context())
		require.Error(t, err)
		shown := dumps(err) + dumps(client) + log.String() + hooked
		for inner := err; inner != nil; inner = errors.Unwrap(inner) {
			shown += dumps(inner)
		}
		requireNoSecret(t, "error of a proxy", shown, planted)
		requireNoSecret(t, "error of a proxy", shown, proxySecret)
		requireNoSecret(t, "error of a proxy", shown, base64.StdEncoding.EncodeToString([]byte("proxy-user:"+proxySecret)))
		through.CloseIdleConnections()
		breaks.Store(true)
	}
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, seen, "CONNECT")
	require.Contains(t, seen, "Proxy-Authorization")
	requireNoSecret(t, "request to the proxy", seen, planted)
}

// TestRetriesAndPanicsShowNoCredentials lets a call fail again and again with the credentials and a secret in each answer and in each error, then lets
// the connection and the hook panic, and looks through all that was printed.
func TestRetriesAndPanicsShowNoCredentials(t *testing.T) {
	var log, text bytes.Buffer
	hooked, n := "", 0
	failing := roundTripper(func(r *http.Request) (*http.Response, error) {
		if n++; n%2 == 0 {
			return nil, &url.Error{Op: "Post", URL: "https://api.example.com/?token=" + planted, Err: errors.New("connection reset by peer")}
		}
		return answerOf(r, 503, strings.NewReader(`{"status":503,"body":{"token":"`+planted+`","seen":"`+r.Header.Get(headerToken)+`"}}`)), nil
	})
	client, err := New(US, Token(planted), WithRoundTripper(failing), WithDefaultClientID(4711),
		WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		WithHook(func(_ context.Context, a Attempt) { hooked += dumps(a) }),
		WithDefaults(WithRetries(4), WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	for range 2 {
		_, err = client.Users.Me(t.Context())
		require.Error(t, err)
		requireNoSecret(t, "error of the last attempt", dumps(err), planted)
	}
	require.Equal(t, 10, n)
	for range 2 {
		// The call ends during the wait that follows an answer, and the error shows that answer.
		ctx, cancel := context.WithCancel(t.Context())
		stopped, err := New(US, Token(planted), WithRoundTripper(failing), WithHook(func(context.Context, Attempt) { cancel() }),
			WithDefaults(WithRetries(4), WithWaits(time.Minute, time.Minute, time.Minute)))
		require.NoError(t, err)
		_, err = stopped.Users.Me(ctx)
		require.ErrorIs(t, err, context.Canceled)
		requireNoSecret(t, "error of a call that was cancelled", dumps(err), planted)
	}
	require.NotEmpty(t, log.String())
	requireNoSecret(t, "log of the retries", log.String()+hooked, planted)

	for _, opts := range [][]Option{
		{WithRoundTripper(roundTripper(func(*http.Request) (*http.Response, error) { panic("out of order") }))},
		{WithRoundTripper(failing), WithHook(func(context.Context, Attempt) { panic(fmt.Sprint("out of order: ", client)) })},
		{WithRoundTripper(failing), WithLogger(slog.New(slog.NewTextHandler(panickingWriter{}, nil)))},
	} {
		client, err := New(US, Token(planted), append(opts, WithDefaults(WithRetries(1)))...)
		require.NoError(t, err)
		func() {
			defer func() { fmt.Fprintf(&text, "%v\n%s", recover(), debug.Stack()) }()
			_, err := client.Users.Me(t.Context())
			fmt.Fprint(&text, dumps(err))
		}()
	}
	require.Contains(t, text.String(), "out of order")
	requireNoSecret(t, "panic", text.String(), planted)
}

type panickingWriter struct{}

func (panickingWriter) Write(p []byte) (int, error) { panic("out of order: " + string(p)) }

// loudTB is a test that keeps what the fake cloud says, failures included.
type loudTB struct {
	*testing.T
	said *strings.Builder
}

func (l loudTB) Logf(format string, args ...any)   { fmt.Fprintf(l.said, format+"\n", args...) }
func (l loudTB) Errorf(format string, args ...any) { fmt.Fprintf(l.said, format+"\n", args...) }

// TestTheFakeCloudShowsNoCredentials asks the fake for what it has and for what it has not, and reads its complaints and its answers. The log of the
// sandbox program is tested beside it.
func TestTheFakeCloudShowsNoCredentials(t *testing.T) {
	var said strings.Builder
	cloud := wallarmtest.NewServer(loudTB{t, &said})
	cloud.AddToken(wallarmtest.Token{Value: planted})
	pool := &http.Transport{}
	defer pool.CloseIdleConnections()
	var log bytes.Buffer
	client, err := New(US, Token(planted), WithBaseURL(cloud.URL), WithRoundTripper(pool), WithDefaultClientID(wallarmtest.DefaultClientID),
		WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))), WithDefaults(WithRetries(0)))
	require.NoError(t, err)
	shown := ""
	for _, path := range []string{"/v1/nowhere", "/v1/nowhere?token=" + planted} {
		err := client.Call(t.Context(), "GET", path, nil, nil)
		require.Error(t, err)
		shown += dumps(err)
	}
	_, err = client.Users.Me(t.Context())
	shown += dumps(err)
	require.Contains(t, said.String(), "no route")
	requireNoSecret(t, "complaint of the fake", said.String()+shown+log.String(), planted)
}
