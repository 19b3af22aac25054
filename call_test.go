package wallarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCallRefusesADestinationThatTakesNothing(t *testing.T) {
	client, server := newTestClient(t, okUser)
	for name, out := range map[string]any{
		"a value": struct{}{}, "a number": 5, "a map": map[string]any{}, "a nil pointer": (*int)(nil), "a nil writer": (*bytes.Buffer)(nil),
	} {
		require.ErrorIs(t, client.Call(t.Context(), "GET", "/v1/user", nil, out), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests())
}

func TestCallReadsAnAnswerWithoutABody(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	out := map[string]int{"as": 1}
	require.NoError(t, client.Call(t.Context(), "DELETE", "/v9/thing", nil, &out))
	require.Equal(t, map[string]int{"as": 1}, out)
}

// TestCallKeepsTheBytes that the reading of values does not keep apart, as the documentation of Extra says.
func TestCallKeepsTheBytes(t *testing.T) {
	const answer = "{\"a\":1,\"a\":2,\"list\":[null,\"x\"],\"text\":\"\xff\\ud800\", \"odd\" : 1.50e1}"
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
	var raw RawJSON
	require.NoError(t, client.Call(t.Context(), "GET", "/v9/odd", nil, &raw))
	require.Equal(t, answer, string(raw))
	var read struct {
		A    int      `json:"a"`
		List []string `json:"list"`
		Text string   `json:"text"`
	}
	require.NoError(t, client.Call(t.Context(), "GET", "/v9/odd", nil, &read))
	require.Equal(t, 2, read.A)
	require.Equal(t, []string{"", "x"}, read.List)
	require.Equal(t, "\ufffd\ufffd", read.Text)
}

func TestCallIntoAWriterTakesAnyType(t *testing.T) {
	client, server := newTestClient(t, okUser)
	require.NoError(t, client.Call(t.Context(), "GET", "/v9/file", nil, io.Discard))
	require.NoError(t, client.Call(t.Context(), "GET", "/v9/file", nil, nil))
	require.Equal(t, "*/*", server.requests()[0].Header.Get("Accept"))
	require.Equal(t, "application/json", server.requests()[1].Header.Get("Accept"))
}

// A refusal inside a 2xx answer leaves the outcome of a change open if it is a failure of the server, and that of a read never.
func TestCallJudgesAnInnerFailureByItsReplayClass(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":500,"body":"later"}`)
	})
	err := client.Call(t.Context(), "POST", "/v9/thing", nil, nil)
	require.ErrorIs(t, err, ErrServer)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	err = client.Call(t.Context(), "POST", "/v9/thing", nil, nil, WithReplayClass(ReplayRead))
	require.ErrorIs(t, err, ErrServer)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
}

func TestPathsArriveAsTheyWereEscaped(t *testing.T) {
	var got string
	_, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.EscapedPath()
		_, _ = io.WriteString(w, `{"status":200,"body":{}}`)
	})
	outer, _ := newTestClient(t, server.ServeHTTP)
	for base, want := range map[string]string{"": "/v1/things/a%3Bb%2Cc", "/wall%2Farm": "/wall%2Farm/v1/things/a%3Bb%2Cc"} {
		client, err := New(US, Token("test-token"), WithBaseURL(outer.BaseURL()+base))
		require.NoError(t, err)
		op := operation{name: "things.get", method: "GET", path: "/v1/things/{id}", replay: read, envelope: inBody}
		_, err = get[struct{}](t.Context(), client, op, args{path: []any{"a;b,c"}}, nil)
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = client.Users.Me(t.Context())
		require.NoError(t, err)
		require.Equal(t, want[:len(want)-len("/v1/things/a%3Bb%2Cc")]+"/v1/user", got)
	}
}

// slowly answers after a while, if the caller is still there.
func slowly(status int, after time.Duration) roundTripperFunc {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(after):
			answer, err := stubTransport{`{"status":200,"body":{"id":7}}`}.RoundTrip(r)
			answer.StatusCode = status
			return answer, err
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

func TestTheCallersDeadlineTakesThePlaceOfTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(US, Token("test-token"), WithRoundTripper(slowly(200, 5*time.Minute)))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var response Response
		_, err = client.Users.Me(ctx, WithResponse(&response))
		require.NoError(t, err)
		require.Equal(t, 5*time.Minute, response.Duration)

		began := time.Now()
		_, err = client.Users.Me(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 2*time.Minute, time.Since(began), "without a deadline there is the default one")
	})
}

func TestAFailedCallTellsItsAttemptsAndWhatItWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("the line is down")
		for name, c := range map[string]struct {
			transport http.RoundTripper
			status    int
			reason    error
		}{
			"an answer": {slowly(503, time.Second), 503, ErrServer},
			"no answer": {roundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, down }), 0, down},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			client, err := New(US, Token("test-token"), WithRoundTripper(c.transport), WithHook(func(context.Context, Attempt) { cancel() }))
			require.NoError(t, err)
			var response Response
			_, err = client.Users.Me(ctx, WithResponse(&response))
			require.ErrorIs(t, err, context.Canceled, name)
			require.ErrorIs(t, err, c.reason, "%s: the wait that was cut is one after a failure", name)
			require.Equal(t, 1, response.Attempts, name)
			require.Equal(t, c.status, response.StatusCode, name)
		}
	})
}

func TestABadAuthenticatorIsABadArgument(t *testing.T) {
	client, server := newTestClient(t, okUser)
	bad, err := New(US, CredentialsFunc(func(context.Context) (Authenticator, error) { return Token(""), nil }), WithBaseURL(client.BaseURL()))
	require.NoError(t, err)
	_, err = bad.Users.Me(t.Context())
	var argument *ArgumentError
	require.ErrorAs(t, err, &argument)
	require.Same(t, err, error(argument), "it is no failure of a call: nothing was sent")
	require.Empty(t, server.requests())
}

// TestAnAnswerThatComesTooLate is not decoded if it is one to a read. That a change was made is told at any time.
func TestAnAnswerThatComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			answer, err := stubTransport{`{"status":200,"body":{"id":7}}`}.RoundTrip(r)
			answer.Body = io.NopCloser(io.MultiReader(readerFunc(func([]byte) (int, error) { time.Sleep(time.Hour); return 0, io.EOF }), answer.Body))
			return answer, err
		})
		client, err := New(US, Token("test-token"), WithRoundTripper(late))
		require.NoError(t, err)
		_, err = client.Users.Me(t.Context(), WithTimeout(time.Minute))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, ErrOutcomeUnknown)
		var failure *CallError
		require.ErrorAs(t, err, &failure)
		require.Equal(t, 1, failure.Attempts)
		for _, class := range []ReplayClass{ReplayOnce, ReplayIdempotent} {
			user, err := client.Users.Me(t.Context(), WithTimeout(time.Minute), WithReplayClass(class))
			require.NoError(t, err)
			require.EqualValues(t, 7, user.ID)
		}
	})
}

// TestAnotherObjectIsNotTakenForTheOneThatWasAskedFor: a filter by id may be read more loosely than it is meant, and the name of another tenant
// confirms nothing.
func TestAnotherObjectIsNotTakenForTheOneThatWasAskedFor(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":200,"body":[{"id":6,"name":"test"},{"name":"no id"}]}`)
	})
	for name, call := range map[string]func() error{
		"client":                func() error { _, err := client.Clients.Get(t.Context(), 5); return err },
		"client, update":        func() error { _, err := client.Clients.Disable(t.Context(), 5); return err },
		"client, deletion":      func() error { return client.Clients.Delete(t.Context(), 5, ConfirmName("test")) },
		"user":                  func() error { _, err := client.Users.Get(t.Context(), 5); return err },
		"user, update":          func() error { _, err := client.Users.Disable(t.Context(), 5); return err },
		"vulnerability":         func() error { _, err := client.Vulns.Get(t.Context(), 5); return err },
		"vulnerability, update": func() error { _, err := client.Vulns.Close(t.Context(), 5); return err },
	} {
		require.ErrorIs(t, call(), ErrResponse, name)
	}
	for _, sent := range server.requests() {
		require.NotContains(t, sent.Path, "delete")
	}
	tenant, err := client.Clients.Get(t.Context(), 6)
	require.NoError(t, err)
	require.Equal(t, "test", tenant.Name)
}

// TestAnAnswerTakesNoMoreMemoryThanItsSizeAccountsFor: some KB, compressed, hold millions of empty objects, and each would become a value with all its
// fields.
func TestAnAnswerTakesNoMoreMemoryThanItsSizeAccountsFor(t *testing.T) {
	empty := strings.Repeat("{},", 4<<20)
	for name, body := range map[string]string{
		"objects":      `{"status":200,"body":[` + empty + `{}]}`,
		"nulls":        `{"status":200,"body":[` + strings.Repeat("null,", 4<<20) + `{}]}`,
		"in an object": `{"status":200,"body":{"objects":[` + empty + `{}]}}`,
		"nested":       `{"status":200,"body":[{"regex":[],"new":[` + empty + `{}],"id":["a","b"]}]}`,
	} {
		client, err := New(US, Token("test-token"), WithDefaultClientID(1), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			return stubTransport{body}.RoundTrip(r)
		})))
		require.NoError(t, err)
		for operation, call := range map[string]func() error{
			"hits":     func() error { _, err := client.Hits.List(t.Context(), HitFilter{}, PageOptions{}); return err },
			"tenants":  func() error { _, err := client.Clients.Get(t.Context(), 1); return err },
			"call":     func() error { var out []Hit; return client.Call(t.Context(), "GET", "/v9/hits", nil, &out) },
			"triggers": func() error { _, err := client.Triggers.List(t.Context()); return err },
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := call()
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, ErrResponseTooLarge, "%s, %s", operation, name)
			bound := 128 << 20
			if raceEnabled {
				// See TestPointsTakeNoMoreMemoryThanTheirSizeAccountsFor.
				bound += 4 * len(body)
			}
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(bound), "%s, %s", operation, name)
		}
	}
}

// TestPointsTakeNoMoreMemoryThanTheirSizeAccountsFor: a step is many times as large as the text of a short one.
func TestPointsTakeNoMoreMemoryThanTheirSizeAccountsFor(t *testing.T) {
	const n = 5 << 20
	for name, steps := range map[string]string{
		"texts": strings.Repeat(`"",`, n), "numbers": strings.Repeat("1,", n), "lists": strings.Repeat(`[1],`, n), "one list": `["a",` + strings.Repeat(`"",`, n) + `""],`,
		"short points": `"a"]},{"point":["a"]}` + strings.Repeat(`,{"point":["a"]}`, n/2) + `,{"point":[`,
	} {
		rule := `{"id":1,"clientid":1,"type":"vpatch","action":[{"point":[` + steps + `"a"]}]}`
		for envelope, body := range map[string]string{"object": `{"status":200,"body":` + rule + `}`, "list": `{"status":200,"body":[` + rule + `]}`} {
			client, err := New(US, Token("test-token"), WithDefaultClientID(1), WithRoundTripper(stubTransport{body}))
			require.NoError(t, err)
			for operation, call := range map[string]func() error{
				"get":  func() error { _, err := client.Rules.Get(t.Context(), 1); return err },
				"list": func() error { _, err := client.Rules.List(t.Context(), RuleFilter{}, PageOptions{}); return err },
				"call": func() error {
					var out struct{ Body []*Rule }
					return client.Call(t.Context(), "GET", "/v9/rules", nil, &out)
				},
				"any": func() error { var out any; return client.Call(t.Context(), "GET", "/v9/rules", nil, &out) },
			} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := call()
				runtime.ReadMemStats(&after)
				require.ErrorIs(t, err, ErrResponseTooLarge, "%s of %s, %s", operation, envelope, name)
				bound := 256 << 20
				if raceEnabled {
					// It takes buffers out of their pools at random, so that the body is read into memory that grows from nothing.
					bound += 4 * len(body)
				}
				require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(bound), "%s of %s, %s", operation, envelope, name)
			}
		}
	}
}

// TestManyPointsInALargeAnswer: as many as real rules hold are none too many, and take no more memory than is promised.
func TestManyPointsInALargeAnswer(t *testing.T) {
	condition := `{"type":"iequal","value":"shop.example.com","point":["header","HOST"]}`
	item := `{"id":7,"clientid":1,"type":"vpatch","point":["post","json_doc","hash","user","array",0],"action":[` + condition + "," + condition + `]}`
	const n = 50_000
	body := `{"status":200,"body":[` + strings.Repeat(item+",", n-1) + item + `]}`
	client, err := New(US, Token("test-token"), WithDefaultClientID(1), WithRoundTripper(stubTransport{body}))
	require.NoError(t, err)
	page, err := client.Rules.List(t.Context(), RuleFilter{}, PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, n)
	for _, point := range []Point{page.Items[0].Spec.(VirtualPatch).Point, page.Items[0].Conditions[0].Point} {
		require.Equal(t, len(point), cap(point), "no room to spare: points are many")
	}
}

// TestManyObjectsInALargeAnswer: as many as real events hold are none too many.
func TestManyObjectsInALargeAnswer(t *testing.T) {
	item := `{"id":["hits_production_4711_202608_v_1","Kf93-aa"],"type":"sqli","ip":"198.51.100.7","path":"/{a}/{b}","new":[{"a":1},{"b":null}]}`
	const n = 100_000
	body := `{"status":200,"body":[` + strings.Repeat(item+",", n-1) + item + `]}`
	client, err := New(US, Token("test-token"), WithDefaultClientID(1), WithRoundTripper(stubTransport{body}))
	require.NoError(t, err)
	page, err := client.Hits.List(t.Context(), HitFilter{}, PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, n)
}

// full is a disk that is full.
type full struct{}

var errFull = errors.New("the disk is full")

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestAWriterThatFails: a change was applied all the same, and a read may be repeated.
func TestAWriterThatFails(t *testing.T) {
	client, err := New(US, Token("test-token-writer"), WithDefaultClientID(1), WithRoundTripper(stubTransport{`{"status":200,"body":{}}`}))
	require.NoError(t, err)
	err = client.Call(t.Context(), "POST", "/v1/x", RawJSON(`{}`), full{})
	require.ErrorIs(t, err, errFull)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	var failed *CallError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "/v1/x", failed.Path)
	err = client.Call(t.Context(), "POST", "/v1/x;token=test-token-path", RawJSON(`{}`), full{})
	require.NotContains(t, fmt.Sprintf("%v %+v", err, err), "test-token-path")
	err = client.Call(t.Context(), "GET", "/v1/x", nil, full{})
	require.ErrorIs(t, err, errFull)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
}

// closing is a transport that checks an answer when its body is closed.
type closing struct{ err error }

func (c closing) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := stubTransport{`{"status":200,"body":{}}`}.RoundTrip(r)
	if err == nil {
		response.Body = closingBody{response.Body, c.err}
	}
	return response, err
}

type closingBody struct {
	io.Reader
	err error
}

func (c closingBody) Close() error { return c.err }

// TestAnAnswerThatFailsWhenItIsClosed is a failed call, of which it may be unknown whether it did what it should.
func TestAnAnswerThatFailsWhenItIsClosed(t *testing.T) {
	wrong := errors.New("the digest of test-token-closing is wrong")
	client, err := New(US, Token("test-token-closing"), WithDefaultClientID(1), WithRoundTripper(closing{wrong}))
	require.NoError(t, err)
	var out bytes.Buffer
	for method, unknown := range map[string]bool{"POST": true, "PUT": true, "GET": false} {
		err := client.Call(t.Context(), method, "/v1/x", nil, &out)
		var failed *CallError
		require.ErrorAs(t, err, &failed, method)
		require.Equal(t, unknown, errors.Is(err, ErrOutcomeUnknown), method)
		require.NotContains(t, err.Error(), "test-token")
		require.ErrorContains(t, err, "is wrong")
	}
}
