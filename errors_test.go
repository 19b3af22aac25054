package wallarm

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

func TestErrorShapes(t *testing.T) {
	type field = FieldError
	tests := []struct {
		name    string
		status  int
		body    string
		message string
		fields  []field
		is      []error
		not     []error
	}{
		{"X1", 400, `{"status":400,"body":"Already exists"}`, "Already exists", nil, []error{ErrAlreadyExists, ErrValidation}, []error{ErrConflict}},
		{"X1 with other spacing", 400, "{ \"status\" : 400,\n \"body\" : \" already EXISTS \" }", "already EXISTS", nil, []error{ErrAlreadyExists}, nil},
		{"X2", 400, `{"status":400,"body":{"realname":{"error":"invalid","value":""}}}`, "", []field{{Field: "realname", Message: "invalid", Value: SecretOf(`""`)}}, []error{ErrValidation}, []error{ErrAlreadyExists}},
		{"X2 bracketed and with a time", 400, `{"status":400,"body":{"filter[status]":{"error":"required","time":12}}}`, "", []field{{Field: "filter[status]", Message: "required"}}, []error{ErrValidation}, nil},
		{"X3", 400, `{"status":400,"body":{"by_custom_paths":{"paths":{"error":"must be an array"}}}}`, "", []field{{Field: "by_custom_paths.paths", Message: "must be an array"}}, []error{ErrValidation}, nil},
		{"X4", 400, `{"status":400,"body":{"permissions":"not allowed"}}`, "", []field{{Field: "permissions", Message: "not allowed"}}, []error{ErrValidation}, nil},
		{"X4 and X2", 400, `{"status":400,"body":{"a":"bad","b":{"error":"worse"}}}`, "", []field{{Field: "a", Message: "bad"}, {Field: "b", Message: "worse"}}, nil, nil},
		{"X5", 400, `{"status":400,"body":{"name":{"required":"name is required"}}}`, "", []field{{Field: "name", Rule: "required", Message: "name is required"}}, nil, nil},
		{"X5 with the value", 400, `{"status":400,"body":{"name":{"required":"name is required","value":5}}}`, "", []field{{Field: "name", Rule: "required", Message: "name is required"}}, nil, nil},
		{"X6", 404, `{"status":404,"body":{"error":"node not found","value":10444555666}}`, "node not found", nil, []error{ErrNotFound}, nil},
		{"X7", 408, `{"body":{"error":"timeout"}}`, "timeout", nil, []error{ErrTargetTimeout}, nil},
		{"X8", 422, `["host not resolved","no route"]`, "host not resolved; no route", nil, []error{ErrValidation}, nil},
		{"X9", 403, `{"error":"nope"}`, "nope", nil, []error{ErrForbidden}, []error{ErrUnauthenticated}},
		{"X10", 404, `{"missing_endpoint_ids":[71001]}`, `{"missing_endpoint_ids":[71001]}`, nil, []error{ErrNotFound}, nil},
		{"X11", 502, "<html>\n<title>502 Bad Gateway</title>\n</html>", "<html> <title>502 Bad Gateway</title> </html>", nil, []error{ErrServer}, nil},
		{"X11 of a WAF", 403, "<html>User not authenticated</html>", "<html>User not authenticated</html>", nil, []error{ErrForbidden}, []error{ErrUnauthenticated}},
		{"X12", 404, "", "", nil, []error{ErrNotFound}, nil},
		{"bad credentials", 403, `{"status":403,"body":"User not authenticated"}`, "User not authenticated", nil, []error{ErrUnauthenticated}, []error{ErrForbidden}},
		{"401", 401, ``, "", nil, []error{ErrUnauthenticated}, nil},
		{"402", 402, ``, "", nil, []error{ErrForbidden}, nil},
		{"405", 405, ``, "", nil, []error{ErrMethodNotAllowed}, nil},
		{"409", 409, `{"status":409,"body":"Already activated"}`, "Already activated", nil, []error{ErrConflict}, nil},
		{"410", 410, ``, "", nil, []error{ErrGone}, nil},
		{"413", 413, ``, "", nil, []error{ErrValidation}, nil},
		{"423", 423, `{"status":423,"body":"Rules updates have been locked"}`, "Rules updates have been locked", nil, []error{ErrLocked}, nil},
		{"429", 429, `{"status":429,"body":"Rate limiting"}`, "Rate limiting", nil, []error{ErrRateLimited}, nil},
		{"302", 302, ``, "", nil, []error{ErrRedirect}, nil},
		{"418", 418, ``, "", nil, nil, []error{ErrValidation, ErrServer}},
		{"null body", 400, `{"status":400,"body":null}`, "", nil, nil, nil},
		{"null", 500, `null`, "null", nil, []error{ErrServer}, nil},
		{"number", 500, `{"body":12}`, "12", nil, nil, nil},
		{"list in body", 400, `{"body":["a",{"b":1}]}`, `a; {"b":1}`, nil, nil, nil},
		{"broken", 500, `{"body":{"x":`, "…", nil, nil, nil},
		{"control characters", 500, `{"body":"a\u0000b\nc"}`, "a b c", nil, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Request-Id", "req-1")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}, WithDefaults(WithRetries(0)))
			_, err := client.Users.Me(t.Context())
			var api *APIError
			require.ErrorAs(t, err, &api)
			require.Equal(t, test.status, api.StatusCode)
			require.Equal(t, test.message, api.Message)
			require.Equal(t, test.fields, api.Fields)
			require.Equal(t, "users.me", api.Operation)
			require.Equal(t, "req-1", api.RequestID)
			require.Equal(t, 1, api.Attempts)
			require.Contains(t, err.Error(), fmt.Sprintf("wallarm: users.me: POST /v1/user: %d", test.status))
			for _, kind := range test.is {
				require.ErrorIs(t, err, kind)
			}
			for _, kind := range append(test.not, ErrOutcomeUnknown) {
				require.NotErrorIs(t, err, kind)
			}
		})
	}
}

func TestErrorsAreBoundedAndShowNoSecrets(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	wide := `{"body":{"x":"y"`
	for i := range 5000 {
		wide += fmt.Sprintf(`,"f%d":{"error":"e"}`, i)
	}
	wide += "}}"
	for _, body := range []string{
		strings.Repeat("x", 1<<20), `{"body":"` + strings.Repeat("é", 1<<16) + `"}`, deep, `{"body":` + deep + `}`, wide, "\xff\xfe\x00",
	} {
		e := newAPIError(400, http.Header{}, []byte(body))
		require.Less(t, len(e.Error()), 16<<10)
		require.LessOrEqual(t, len(e.Fields), maxFields)
	}
	const secret = "s3cr3t-value"
	for _, body := range []string{
		`{"body":{"password":{"error":"wrong password","value":"` + secret + `"}}}`,
		`{"body":{"anything":{"error":"invalid","value":"` + secret + `"}}}`,
		`{"body":{"error":"bad","value":"` + secret + `"}}`,
		`{"token":"` + secret + `"}`,
		`{"body":[{"api_token":"` + secret + `"}]}`,
		`{"target":{"url":"` + secret + `"}}`,
		`<html>token=` + secret + `</html>`,
		`Authorization: Bearer ` + secret,
		`{"body":{"token":"` + secret, // breaks off
	} {
		e := newAPIError(400, http.Header{}, []byte(body))
		for _, shown := range []string{e.Error(), string(e.Body), fmt.Sprintf("%v %+v %s", e.Fields, e.Fields, e.Fields), fmt.Sprintf("%+v", *e)} {
			require.NotContains(t, shown, secret, body)
		}
	}
	e := newAPIError(400, http.Header{}, []byte(`{"body":{"password":{"error":"wrong password","value":"`+secret+`"}}}`))
	require.Equal(t, `"`+secret+`"`, e.Fields[0].Value.Reveal(), "who asks for the value gets it")
	require.Equal(t, "wrong password", e.Fields[0].Message)
}

func TestErrorsDoNotSteerTheTerminal(t *testing.T) {
	const hostile = "a\x1b[31m\u009b2J\u0085\x7f\u202e\u2066\u2069\u200e\u200f\u061c\u2028b"
	harmless := func(text string) {
		t.Helper()
		for _, r := range text {
			require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028', "%q", text)
		}
	}
	quoted, err := json.Marshal(hostile)
	require.NoError(t, err)
	for _, body := range []string{
		`{"body":%s}`, `{"error":%s}`, `[%s]`, `{%s:1}`, `{"body":{%s:"x"}}`, `{"body":{%s:{"error":%s}}}`, `{"body":{%s:{%s:%s}}}`, `{"body":{"a":{%s:{"error":"x"}}}}`,
		`<%s>`,
	} {
		body = strings.ReplaceAll(body, "%s", string(quoted))
		for _, text := range []string{body, strings.ReplaceAll(body, string(quoted), `"`+strings.ReplaceAll(hostile, "\x1b", `\u001b`)+`"`)} {
			e := newAPIError(400, http.Header{"X-Request-Id": {hostile}}, []byte(text))
			harmless(e.Error())
			harmless(e.Message)
			for _, field := range e.Fields {
				harmless(field.Field + field.Rule + field.Message)
			}
		}
	}
	harmless(FieldError{Field: hostile, Rule: hostile, Message: hostile}.String())
	call := &CallError{Err: fmt.Errorf("malformed MIME header line: %s", hostile)}
	harmless(call.Error())
	require.Equal(t, "name: is bad", FieldError{Field: "name", Message: "is bad"}.String())
}

func TestMaskingBringsNoControlCharactersBack(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, strings.ReplaceAll(`{"body":{"%":"%"}}`, "%", `\u002525251b[31mtest\u002525252dtoken-fixture`))
	}, WithDefaults(WithRetries(0)))
	_, err := client.Users.Me(t.Context())
	var api *APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "%25251b[31m[redacted]", api.Fields[0].Field, "masking undoes no escapes")
	require.NotContains(t, api.Fields[0].Field+api.Fields[0].Message+err.Error(), "\x1b")
}

func TestAnInnerStatusSaysNo(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":404,"body":"Not found"}`)
	})
	_, err := client.Users.Me(t.Context())
	require.ErrorIs(t, err, ErrNotFound)
}

// TestARefusalInAnEnvelopeIsCut before it is searched for credentials, as an answer with another status is: that takes seconds for each MiB.
func TestARefusalInAnEnvelopeIsCut(t *testing.T) {
	filling := strings.Repeat("%25", 3<<20)
	for name, body := range map[string]string{
		"text":   `{"status":400,"body":"` + filling + `"}`,
		"fields": `{"status":400,"body":{"name":{"error":"required","value":"` + filling + `"}}}`,
		"torn":   `{"status":400,"body":"` + strings.Repeat("p", 64<<10-30) + "test-token-fixture" + filling + `"}`,
		"behind": `{"body":["` + filling + `"],"status":400}`,
	} {
		client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		for operation, call := range map[string]func() error{
			"typed":   func() error { _, err := client.Users.Me(t.Context()); return err },
			"nothing": func() error { return client.Users.Delete(t.Context(), 1) },
			"call":    func() error { return client.Call(t.Context(), "GET", "/v9/x", nil, nil) },
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := call()
			runtime.ReadMemStats(&after)
			var refused *APIError
			require.ErrorAs(t, err, &refused, "%s, %s", operation, name)
			require.ErrorIs(t, err, ErrValidation, "%s, %s", operation, name)
			require.LessOrEqual(t, len(refused.Body), 64<<10, "%s, %s", operation, name)
			require.Less(t, len(err.Error()), 2<<10, "%s, %s", operation, name)
			require.NotContains(t, string(refused.Body)+err.Error(), "test-t", "%s, %s", operation, name)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(128<<20), "%s, %s", operation, name)
		}
	}
}

func TestNullOnASingleReadIsNotFound(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":200,"body":null}`) })
	_, err := client.Users.Me(t.Context())
	require.ErrorIs(t, err, ErrNotFound)
}

func TestUnreadableAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"HTML": "<html><title>please log in</title>hello</html>", "empty": "", "text": "OK", "broken": `{"status":200,"body":{"id":1`, "wrong": `{"status":200,"body":{"id":"x"}}`,
		"no payload": `{"status":200}`,
	} {
		t.Run(name, func(t *testing.T) {
			client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
			_, err := client.Users.Me(t.Context())
			require.ErrorIs(t, err, ErrResponse)
			require.NotErrorIs(t, err, ErrOutcomeUnknown)
			require.Len(t, server.requests(), 1)
			if name == "HTML" {
				require.ErrorContains(t, err, "<title>please log in</title>")
				require.NotContains(t, shownOf(err), "hello")
			}
			_, err = client.Users.RenewSecret(t.Context())
			require.Error(t, err)
			require.ErrorIs(t, err, ErrOutcomeUnknown, "the change was made, its answer is lost")
		})
	}
}

// TestAnUnreadableSecretIsNotShown: a new secret in a form that nobody expected is the secret of the caller all the same.
func TestAnUnreadableSecretIsNotShown(t *testing.T) {
	const secret = "test-secret-in-an-odd-form"
	for name, body := range map[string]string{
		"text": secret, "JSON text": `"` + secret + `"`, "number first": "1 " + secret, "list": `["` + secret + `"]`,
		"XML":          `<?xml version="1.0"?><response><status>200</status><body><secret>` + secret + `</secret></body></response>`,
		"an XML title": `<?xml version="1.0"?><title>` + secret + `</title>`, "markup": `<api_token type="string">` + secret + `</api_token>`,
		"HTML": "<html><title>New token</title><p>token " + secret + "</p></html>", "a title in pieces": "<html><title>New <b>" + secret + "</b></title></html>",
	} {
		client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		for operation, call := range map[string]func() error{
			"reveal": func() error { _, err := client.Tokens.Reveal(t.Context(), 1); return err },
			"renew":  func() error { _, err := client.Tokens.Renew(t.Context(), 1); return err },
			"node": func() error {
				_, err := client.Nodes.Create(t.Context(), NewNode{Hostname: "node.example.com"})
				return err
			},
			"secret": func() error { _, err := client.Users.RenewSecret(t.Context()); return err },
		} {
			err := call()
			shown := fmt.Sprintf("%v %+v %#v", err, err, err)
			var failure *CallError
			if errors.As(err, &failure) && failure.Last != nil {
				shown += fmt.Sprintf("%+v %s", failure.Last, failure.Last.Body)
			}
			require.NotContains(t, shown, secret, "%s, %s", operation, name)
		}
	}
}

// TestAnUnreadableValueIsNotQuoted, wherever in the answer it stands: each value of an answer is replaced by a secret of some form.
func TestAnUnreadableValueIsNotQuoted(t *testing.T) {
	var members map[string]RawJSON
	require.NoError(t, wire.Unmarshal([]byte(userAnswer), &struct {
		Body *map[string]RawJSON `json:"body"`
	}{&members}))
	failed := 0
	for _, secret := range []string{`"hunter2"`, `"2hunter2"`, `"0xhunter2"`, `31415926.5358`, `314159265358979323846`, `"314159265358979323846"`, `{"in":"hunter2"}`, `["a","hunter2"]`, `"1e31415926"`} {
		for name := range members {
			odd := maps.Clone(members)
			odd[name] = RawJSON(secret)
			body, err := wire.Marshal(map[string]any{"status": 200, "body": odd})
			require.NoError(t, err)
			client, _ := newTestClient(t, jsonAnswer(string(body)))
			if _, err = client.Users.Me(t.Context()); err == nil {
				continue
			}
			failed++
			shown := fmt.Sprintf("%v %+v %#v", err, err, err)
			for e := err; e != nil; e = errors.Unwrap(e) {
				shown += e.Error()
			}
			require.NotContains(t, shown, "hunter2", name)
			require.NotContains(t, shown, "31415926", name)
			require.Contains(t, shown, name, "what does not fit is named")
		}
	}
	require.Greater(t, failed, 100)
}

func TestErrorTexts(t *testing.T) {
	at := APIError{Operation: "rules.get", Method: "GET", Path: "/v3/hint/1"}
	make := func(change func(*APIError)) error {
		e := at
		change(&e)
		return &e
	}
	const begin = "wallarm: rules.get: GET /v3/hint/1"
	for want, err := range map[string]error{
		begin: make(func(*APIError) {}),
		begin + ": 503 Service Unavailable: busy (request r-1) (4 attempts)": make(func(e *APIError) {
			e.StatusCode, e.Message, e.RequestID, e.Attempts = 503, "busy", "r-1", 4
		}),
		begin + ": 520: a (required): is missing; b: is bad": make(func(e *APIError) {
			e.StatusCode, e.Attempts = 520, 1
			e.Fields = []FieldError{{Field: "a", Rule: "required", Message: "is missing"}, {Field: "b", Message: "is bad"}}
		}),
		begin + ": 500 Internal Server Error; the change may have been applied: look before you repeat it": make(func(e *APIError) {
			e.StatusCode, e.OutcomeUnknown = 500, true
		}),
		begin + "; check the token and the region: a token of one cloud is unknown in another": make(func(e *APIError) { e.kind = ErrUnauthenticated }),
		begin + ": Check permissions failed; the role lacks this right, or these credentials do not see this client id": make(func(e *APIError) {
			e.kind, e.Message = ErrForbidden, "Check permissions failed"
		}),
		begin + ": no": make(func(e *APIError) { e.kind, e.Message = ErrForbidden, "no" }),
		begin + "; a rules snapshot is being taken or restored: try again later": make(func(e *APIError) { e.kind = ErrLocked }),
		begin + "; redirects are not followed: check the base URL":               make(func(e *APIError) { e.kind = ErrRedirect }),
		begin + ": broken, after 429 Too Many Requests: slowly (3 attempts); the change may have been applied: look before you repeat it": &CallError{
			Operation: at.Operation, Method: at.Method, Path: at.Path, Err: errors.New("broken"), Attempts: 3, OutcomeUnknown: true,
			Last: &APIError{StatusCode: 429, Message: "slowly"},
		},
		begin + ": broken": &CallError{Operation: at.Operation, Method: at.Method, Path: at.Path, Err: errors.New("broken"), Attempts: 1},
	} {
		require.Equal(t, want, err.Error())
	}
}

func TestCallErrors(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := client.Users.Me(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	var call *CallError
	require.ErrorAs(t, err, &call)
	require.Equal(t, "users.me", call.Operation)
	require.False(t, call.OutcomeUnknown)

	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = client.Users.RenewSecret(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.ErrorContains(t, err, "look before you repeat")

	_, err = client.Users.Me(t.Context(), WithTimeout(10*time.Millisecond))
	require.ErrorIs(t, err, context.DeadlineExceeded)

	canceled, stop := context.WithCancel(t.Context())
	stop()
	_, err = client.Users.RenewSecret(canceled)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrOutcomeUnknown, "nothing was sent")
}

// TestErrorsQuoteLittle of what a server sent, and so does the log.
func TestErrorsQuoteLittle(t *testing.T) {
	long := strings.Repeat("0", 1<<20)
	for _, body := range []string{`{"body":{"id":1` + long + `}}`, `{"body":{"id":"` + long + `x"}}`, `{"body":{"` + long + `":tru`} {
		client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		_, err := client.Users.Me(t.Context())
		require.ErrorIs(t, err, ErrResponse)
		require.Less(t, len(err.Error()), 5<<10)
		var out struct {
			Body struct {
				ID int64 `json:"id"`
			} `json:"body"`
		}
		require.Less(t, len(client.Call(t.Context(), "GET", "/v9/x", nil, &out).Error()), 5<<10)
	}
	var log bytes.Buffer
	broken := roundTripperFunc(func(*http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("malformed HTTP status code %q", long)
	})
	client, err := New(US, Token("test-token"), WithRoundTripper(broken), WithLogger(slog.New(slog.NewTextHandler(&log, nil))), WithDefaults(WithRetries(0)))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.Less(t, len(err.Error()), 5<<10)
	require.Contains(t, err.Error(), "malformed HTTP status code")
	require.Less(t, log.Len(), 5<<10)
}

func TestIsTemporary(t *testing.T) {
	for status, want := range map[int]bool{400: false, 403: false, 404: false, 409: false, 423: true, 429: true, 500: true, 503: true} {
		require.Equal(t, want, IsTemporary(newAPIError(status, nil, nil)), status)
	}
	require.False(t, IsTemporary(nil))
	require.False(t, IsTemporary(context.Canceled))
	require.False(t, IsTemporary(errors.New("something else")))
	require.False(t, IsTemporary(&CallError{Err: io.EOF, OutcomeUnknown: true}))
	require.True(t, IsTemporary(&CallError{Err: io.EOF}))
	require.False(t, IsTemporary(&CallError{Err: ErrResponse}))
	require.False(t, IsTemporary(&CallError{Err: x509.UnknownAuthorityError{}}), "nobody trusts it later without a change")
}

func FuzzAPIError(f *testing.F) {
	for _, seed := range []string{
		`{"status":400,"body":"Already exists"}`, `{"body":{"a":{"b":{"c":{"error":"x","value":[1]}}}}}`, `["a"]`, `<html>`, ``, `{"error":{}}`, `{"body":[[[`,
	} {
		f.Add(400, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := newAPIError(status, http.Header{}, body)
		if len(e.Error()) > 128<<10 {
			t.Fatalf("an error text of %d bytes", len(e.Error()))
		}
		if strings.ContainsAny(e.Message, "\r\n\x00") {
			t.Fatalf("the message %q breaks the line", e.Message)
		}
	})
}
