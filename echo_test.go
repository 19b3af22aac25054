package wallarm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// echoing makes a client whose answers are made of the request.
func echoing(t *testing.T, authenticator Authenticator, answer func(*http.Request) (status int, header http.Header, body string), options ...Option) *Client {
	t.Helper()
	rounds := roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		status, header, body := answer(r)
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	})
	client, err := New(US, authenticator, append([]Option{WithDefaultClientID(1), WithRoundTripper(rounds), WithDefaults(WithRetries(0))}, options...)...)
	require.NoError(t, err)
	return client
}

// shownOf is all that an error shows in any way.
func shownOf(err error) string {
	if err == nil {
		return ""
	}
	return dumps(err) + toldBy(err)
}

// toldBy is what an error says, and what it keeps of the answer.
func toldBy(err error) string {
	var refused *APIError
	if errors.As(err, &refused) {
		return fmt.Sprintf("%v %s %s %v", err, refused.Message, refused.Body, refused.Fields)
	}
	return err.Error()
}

// TestSecretsOfARequestAreNotEchoed sends each kind of secret, and lets the service quote it where no name tells that it is one.
func TestSecretsOfARequestAreNotEchoed(t *testing.T) {
	const secret = "Test-token/of \"a\" <request>"
	const hook, words = "https://hooks.example.com/services/test-token-hook", "correct horse battery"
	quoted := func(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }
	calls := map[string]func(context.Context, *Client) error{
		"a new user": func(ctx context.Context, c *Client) error {
			_, err := c.Users.Create(ctx, NewUser{Email: "a@example.com", RealName: "A", Password: SecretOf(secret), Role: "admin"})
			return err
		},
		"a user": func(ctx context.Context, c *Client) error {
			_, err := c.Users.Update(ctx, 5, UserUpdate{Password: SecretOf(secret)})
			return err
		},
		"a password": func(ctx context.Context, c *Client) error {
			_, err := c.Users.ResetSecret(ctx, 5, SecretOf(secret))
			return err
		},
		"Slack": func(ctx context.Context, c *Client) error {
			_, err := c.Integrations.Create(ctx, NewIntegration{Name: "x", Target: SlackTarget{WebhookURL: SecretOf(hook)}})
			return err
		},
		"a key of plain words": func(ctx context.Context, c *Client) error {
			_, err := c.Integrations.Create(ctx, NewIntegration{Name: "x", Target: PagerDutyTarget{IntegrationKey: SecretOf(words)}})
			return err
		},
		"a webhook": func(ctx context.Context, c *Client) error {
			target := WebhookTarget{URL: SecretOf(hook), Headers: map[string]Secret{"X-Any": SecretOf(secret)}}
			_, err := c.Integrations.Create(ctx, NewIntegration{Name: "x", Target: target})
			return err
		},
		"a type of the caller": func(ctx context.Context, c *Client) error {
			return c.Call(ctx, "POST", "/x", map[string]any{"a": SecretOf(secret), "b": []Secret{SecretOf(hook)}}, nil)
		},
		"raw JSON": func(ctx context.Context, c *Client) error {
			return c.Call(ctx, "POST", "/x", RawJSON(`{"user":{"password":"`+quoted(secret)+`"},"target":"`+hook+`"}`), nil)
		},
		"a form": func(ctx context.Context, c *Client) error {
			return c.Call(ctx, "POST", "/x", url.Values{"user[password]": {secret}, "webhook_token": {hook}}, nil)
		},
		"a query": func(ctx context.Context, c *Client) error {
			return c.Call(ctx, "GET", "/x?token="+url.QueryEscape(secret)+"&api_key="+url.QueryEscape(hook), nil, nil)
		},
	}
	one := map[string]string{"a new user": secret, "a user": secret, "a password": secret, "Slack": hook, "a key of plain words": words}
	answers := []string{
		`{"status":400,"body":"%s is too weak"}`, `{"error":"cannot reach %s"}`, `{"status":400,"body":["%s"]}`, `{"status":400,"body":{"name":{"error":"not %s"}}}`,
		`"%s"`, `{"status":400,"body":{"name":"%s"}}`, `{"detail":"%s"}`, `<p>%s</p>`,
	}
	for name, call := range calls {
		for _, text := range answers {
			for _, status := range []int{400, 200} {
				sent := secret + " " + hook
				if only := one[name]; only != "" {
					sent = only
				}
				if strings.HasPrefix(text, "{") || strings.HasPrefix(text, `"`) {
					sent = quoted(sent)
				}
				asked := 0
				client := echoing(t, Token("test-token-good"), func(*http.Request) (int, http.Header, string) {
					asked++
					return status, http.Header{}, fmt.Sprintf(text, sent)
				})
				err := call(t.Context(), client)
				require.Positive(t, asked)
				if status == 400 {
					require.Error(t, err)
				}
				shown := shownOf(err)
				for _, part := range []string{"Test-token", "<request>", "test-token-hook", "services", "horse"} {
					require.NotContains(t, shown, part, "%s: %s", name, text)
				}
			}
		}
	}
}

// TestSecretsAreSeenThroughEscapes: gateways put the answer of another service, or what was sent, into a text of their own, and escape it once more.
func TestSecretsAreSeenThroughEscapes(t *testing.T) {
	inJSON := func(s string) string {
		quoted, err := json.Marshal(s)
		require.NoError(t, err)
		return strings.Trim(string(quoted), `"`)
	}
	in := func(replaced ...string) func(string) string {
		return func(s string) string { return strings.NewReplacer(replaced...).Replace(inJSON(s)) }
	}
	escapers := map[string]func(string) string{
		"not at all": strings.Clone, "JSON": inJSON, "Gson": in("=", `\u003d`), ".NET": in("+", `\u002B`, `\"`, `\u0022`, "é", `\u00E9`, "😀", `\uD83D\uDE00`), "PHP": in("/", `\/`, "😀", `\ud83d\ude00`),
		"HTML": html.EscapeString, "HTML of numbers": strings.NewReplacer("&", "&amp;", "+", "&#x2B;", "/", "&#x2f;", "=", "&#61;").Replace,
		"a query": url.QueryEscape, "a path": url.PathEscape, "Go": func(s string) string { return strings.Trim(strconv.Quote(s), `"`) },
	}
	texts := []string{
		`{"status":400,"body":"unknown %s"}`, `{"status":400,"body":{"message":"upstream said: %s here"}}`, `{"status":400,"body":{"x":{"error":"invalid %s","value":"%s"}}}`,
		`{"status":400,"body":{"%s":"invalid"}}`, `{"detail":"{\"headers\":{\"A\":\"%s\"}}"}`, "upstream said %s here", "<html><p>bad %s</p></html>",
	}
	for _, secret := range []string{
		"test-token/9vYmFy/mF6cXV4+TIzNDU2/zg5MA==", `test-token\/battery\staple`, "test-token-😀-Battery-1", "test-token-é-Battery-1", `test"token\tHorse-Battery-1`,
		"test&token%41-Battery-1", "test<token&lt;Battery-1", `test&token\u0041-Battery-1`, "test token+Battery%201", `test&token\nBattery-1`,
	} {
		for first, escapeOnce := range escapers {
			for second, escapeAgain := range escapers {
				for i, text := range texts {
					said := escapeAgain(escapeOnce(secret))
					if strings.HasPrefix(text, "{") {
						said = inJSON(said)
					}
					status := 400
					if i%3 == 0 {
						status = 200
					}
					client := echoing(t, Token("test-token-good"), func(*http.Request) (int, http.Header, string) {
						return status, http.Header{"X-Said": {url.QueryEscape(said)}}, strings.ReplaceAll(text, "%s", said)
					})
					var response Response
					user := NewUser{Email: "a@example.com", RealName: "A", Role: RoleAdmin, Password: SecretOf(secret)}
					_, err := client.Users.Create(t.Context(), user, WithResponse(&response))
					require.Error(t, err)
					shown := toldBy(err) + fmt.Sprint(response)
					for _, part := range []string{"Battery", "taple", "vYmFy", "mF6cXV4", "TIzNDU2", "zg5MA"} {
						if strings.Contains(shown, part) {
							t.Errorf("%s, escaped by %s and %s in %s, is shown by %s", secret, first, second, text, shown)
						}
					}
				}
			}
		}
	}
}

func TestShortSecretsMaskNoWords(t *testing.T) {
	client := echoing(t, Token("test-token-good"), func(*http.Request) (int, http.Header, string) {
		return 400, http.Header{}, `{"status":400,"body":"a user may not be removed"}`
	})
	_, err := client.Users.ResetSecret(t.Context(), 5, SecretOf("user"))
	require.ErrorContains(t, err, "a user may not be removed")
}

// TestAllThatTellsOfAnAnswerIsMasked: the header of an answer shows in more places than one.
func TestAllThatTellsOfAnAnswerIsMasked(t *testing.T) {
	const token = "test-token-planted-0123456789"
	for _, status := range []int{200, 400} {
		client := echoing(t, Token(token), func(r *http.Request) (int, http.Header, string) {
			said := r.Header.Get(headerToken)
			return status, http.Header{"X-Request-Id": {said}, "Content-Type": {"text/csv; x=" + said}}, `{"status":200,"body":{"id":1}}`
		})
		var response Response
		_, err := client.Rules.Get(t.Context(), 1, WithResponse(&response))
		require.NotContains(t, fmt.Sprintf("%+v", response), token)
		require.Equal(t, masked, response.RequestID)
		var refused *APIError
		if errors.As(err, &refused) {
			require.Equal(t, masked, refused.RequestID)
		}
		file, err := client.Hits.Raw(t.Context(), EventID{Index: "a", Doc: "b"})
		if status == 200 {
			require.NoError(t, err)
			require.Equal(t, "text/csv; x="+masked, file.ContentType)
			require.NoError(t, file.Close())
		}
	}
}

// TestNoPartOfATokenIsShown moves the token over the places where an answer is cut: what is read of it, what is kept, and what an error says.
func TestNoPartOfATokenIsShown(t *testing.T) {
	const token = "test-token-planted-0123456789-abcdefghijklmnop"
	escaped := strings.ReplaceAll(token, "t", `\u0074`)
	for _, border := range []int{maxMessage, 4 * maxMessage, maxShown, 64 << 10} {
		for _, before := range []int{border - 40, border - 10, border} {
			for _, text := range []string{token, `{"status":400,"body":"%s"}`, `{"error":"%s"}`, `{"status":400,"body":{"name":["%s"]}}`, `<p>%s</p>`} {
				body := strings.Repeat("p", before) + token + " tail"
				if strings.Contains(text, "{") {
					body = strings.Repeat("p", before) + escaped + " tail"
				}
				if strings.Contains(text, "%s") {
					body = fmt.Sprintf(text, body)
				}
				for _, status := range []int{200, 400} {
					client := echoing(t, Token(token), func(*http.Request) (int, http.Header, string) { return status, http.Header{}, body })
					_, err := client.Rules.Get(t.Context(), 1)
					require.Error(t, err)
					require.NotContains(t, toldBy(err), "test-", "%s after %d bytes", text, before)
					for _, err := range Stream[Rule](t.Context(), client, "GET", "/x", nil) {
						require.Error(t, err)
						require.NotContains(t, toldBy(err), "test-", "%s after %d bytes of a stream", text, before)
					}
				}
			}
		}
	}
}

// TestAStreamThatBeginsWithAPartOfATokenShowsNone: an answer that cannot be read is shown as far as it has come.
func TestAStreamThatBeginsWithAPartOfATokenShowsNone(t *testing.T) {
	const token = "Q-test-token-planted-0123456789"
	for _, text := range []string{"<p>" + token, `{"status":400,"body":"no ` + token + `"}`} {
		for part := range len(token) {
			cut := strings.Index(text, token) + part
			rounds := roundTripperFunc(func(r *http.Request) (*http.Response, error) {
				body := io.MultiReader(strings.NewReader(text[:cut]), strings.NewReader(text[cut:]))
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body), ContentLength: -1, Request: r}, nil
			})
			client, err := New(US, Token(token), WithRoundTripper(rounds))
			require.NoError(t, err)
			for _, err := range Stream[Rule](t.Context(), client, "GET", "/x", nil) {
				require.Error(t, err)
				shown := toldBy(err)
				var failure *CallError
				if errors.As(err, &failure) && failure.Last != nil {
					shown += toldBy(failure.Last)
				}
				require.NotContains(t, shown, "Q", "%d characters of %s", part, text)
			}
		}
	}
}

// headersOf is an Authenticator that sets headers of any name.
type headersOf map[string]string

func (a headersOf) Authenticate(_ context.Context, header http.Header) error {
	for name, value := range a {
		header.Set(name, value)
	}
	return nil
}

// TestWhateverAnAuthenticatorSetsIsMasked, while a header of the caller with a plain name is not.
func TestWhateverAnAuthenticatorSetsIsMasked(t *testing.T) {
	answer := func(r *http.Request) (int, http.Header, string) {
		return 400, http.Header{}, fmt.Sprintf(`{"status":400,"body":"no %s %s %s"}`, r.Header.Get("X-Mine"), r.Header.Get("Authorization"), r.Header.Get("X-Trace"))
	}
	auth := headersOf{"X-Mine": "test-token-mine", "Authorization": "Bearer test-token-bearer", "Accept": "application/json"}
	provider := CredentialsFunc(func(context.Context) (Authenticator, error) { return auth, nil })
	for _, authenticator := range []Authenticator{auth, provider} {
		_, err := echoing(t, authenticator, answer).Rules.Get(t.Context(), 1, WithHeader("X-Trace", "trace-0123456789"))
		require.ErrorContains(t, err, "no [redacted] [redacted] trace-0123456789")
		require.NotContains(t, shownOf(err), "test-token")
	}
	_, err := echoing(t, Token("test-token-good"), answer).Rules.Get(t.Context(), 1, WithHeader("Authorization", "Bearer test-token-bearer"))
	require.ErrorContains(t, err, "[redacted]")
	require.NotContains(t, shownOf(err), "test-token")
}

// TestSecretsOfARequestAreNotInHeaders that hooks, the log and WithResponse show, whatever the status outside and inside.
func TestSecretsOfARequestAreNotInHeaders(t *testing.T) {
	const secret = "test-token-of-a-new-user"
	for _, answer := range []struct {
		status int
		body   string
	}{{200, `{"status":200,"body":{"id":7}}`}, {200, `{"status":400,"body":"too weak"}`}, {200, "no JSON"}, {400, `{"status":400,"body":"too weak"}`}, {503, ""}} {
		var shown []Attempt
		client := echoing(t, Token("test-token-good"), func(*http.Request) (int, http.Header, string) {
			return answer.status, http.Header{"X-Echo": {"got " + secret}}, answer.body
		}, WithHook(func(_ context.Context, a Attempt) { shown = append(shown, a) }))
		var response Response
		_, _ = client.Users.Create(t.Context(), NewUser{Email: "a@example.com", RealName: "A", Password: SecretOf(secret), Role: "admin"}, WithResponse(&response))
		require.Equal(t, "got [redacted]", response.Header.Get("X-Echo"))
		require.Len(t, shown, 1)
		require.Equal(t, answer.status, shown[0].Status)
		require.Equal(t, "got [redacted]", shown[0].Header.Get("X-Echo"))
	}
}

// TestNumbersAndRepeatedNamesOfARequestAreMasked too, and what stands behind the first value of a body.
func TestNumbersAndRepeatedNamesOfARequestAreMasked(t *testing.T) {
	const echo = "48151623 and test-token-first"
	for _, in := range []any{
		RawJSON(`{"otp":48151623,"password":"test-token-first","password":"x"}`), RawJSON(`{} {"otp":{"a":[48151623]}} {"token":"test-token-first"} {}`),
		map[string]any{"otp": 48151623, "token": "test-token-first"},
	} {
		var shown []Attempt
		client := echoing(t, Token("test-token-good"), func(*http.Request) (int, http.Header, string) {
			return 400, http.Header{"X-Echo": {echo}}, `{"status":400,"body":"no ` + echo + `"}`
		}, WithHook(func(_ context.Context, a Attempt) { shown = append(shown, a) }))
		var response Response
		err := client.Call(t.Context(), "POST", "/x", in, nil, WithResponse(&response))
		require.ErrorContains(t, err, "no [redacted] and [redacted]")
		told := shownOf(err) + fmt.Sprint(response.Header, shown)
		require.NotContains(t, told, "48151623")
		require.NotContains(t, told, "test-token-first")
	}
}

// TestPartsOfHeadersAreMasked where a gateway repeats one cookie of several, or what Basic encodes.
func TestPartsOfHeadersAreMasked(t *testing.T) {
	answer := func(r *http.Request) (int, http.Header, string) {
		_, password, _ := r.BasicAuth()
		cookie, err := r.Cookie("sid")
		require.NoError(t, err)
		return 400, http.Header{}, fmt.Sprintf(`{"status":400,"body":"session %s of %s expired"}`, cookie.Value, password)
	}
	const basic = "Basic Z2F0ZXdheTp0ZXN0LXRva2VuLXBhc3N3b3Jk" // gateway:test-token-password
	for _, client := range []*Client{
		echoing(t, headersOf{"Authorization": basic, "Cookie": "a=1; sid=test-token-sid"}, answer),
		echoing(t, Token("test-token-good"), answer, WithDefaults(WithHeader("Authorization", basic), WithHeader("Cookie", "a=1; sid=test-token-sid"))),
	} {
		_, err := client.Rules.Get(t.Context(), 1)
		require.ErrorContains(t, err, "session [redacted] of [redacted] expired")
		require.NotContains(t, shownOf(err), "test-token")
	}
}

func TestAProviderWithoutAFunctionIsRefused(t *testing.T) {
	_, err := New(US, CredentialsFunc(nil))
	require.ErrorIs(t, err, ErrInvalidArgument)
	client := echoing(t, CredentialsFunc(func(context.Context) (Authenticator, error) { return CredentialsFunc(nil), nil }), func(*http.Request) (int, http.Header, string) {
		t.Error("nothing is sent")
		return 200, http.Header{}, ""
	})
	_, err = client.Rules.Get(t.Context(), 1)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.ErrorContains(t, err, "no function")
}

// TestMisplacedSecretsAreNotQuoted gives a secret where a region or the name of a header should be.
func TestMisplacedSecretsAreNotQuoted(t *testing.T) {
	for _, text := range []string{
		"https://user:hunter2@a.example", "user:hunter2@a", "://hunter2", "hunter2\x7f", "hunter2-hunter2", "a hunter2", "hunter2!",
	} {
		_, err := ParseRegion(text)
		require.ErrorIs(t, err, ErrInvalidArgument)
		require.NotContains(t, err.Error(), "hunter2")
		var region Region
		require.NotContains(t, fmt.Sprint(region.UnmarshalText([]byte(text))), "hunter2")
		t.Setenv(EnvRegion, strings.ReplaceAll(text, "\x7f", "\x01"))
		_, err = NewFromEnv()
		require.ErrorIs(t, err, ErrInvalidArgument)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err := ParseRegion("us-2")
	require.ErrorContains(t, err, `"us-2"`)
	for _, name := range []string{"Authorization: hunter2", "Auth hunter2", "hunter2-hunter2-hunter2-hunter2", ""} {
		_, err := New(US, Token("test-token-good"), WithDefaults(WithHeader(name, "a\nb")))
		require.ErrorIs(t, err, ErrInvalidArgument)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err = New(US, Token("test-token-good"), WithDefaults(WithHeader("Authorization", "a\nb")))
	require.ErrorContains(t, err, "Authorization")
}
