package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// script is a RoundTripper that plays one step for each attempt, and the last one from then on.
type script struct {
	mu    sync.Mutex
	steps []func(*http.Request) (*http.Response, error)
	// bodies are what the attempts sent, times when.
	bodies []string
	times  []time.Time
}

func play(steps ...func(*http.Request) (*http.Response, error)) *script { return &script{steps: steps} }

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	step := s.steps[min(len(s.times), len(s.steps)-1)]
	s.times = append(s.times, time.Now())
	s.mu.Unlock()
	var response *http.Response
	err := r.Context().Err()
	if err == nil {
		response, err = step(r)
	}
	var body []byte
	if r.Body != nil {
		// What fails before there is a connection reads nothing.
		if !NeverSent(err) {
			body, _ = io.ReadAll(r.Body)
		}
		r.Body.Close()
	}
	s.mu.Lock()
	s.bodies = append(s.bodies, string(body))
	s.mu.Unlock()
	return response, err
}

func (s *script) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

type step = func(*http.Request) (*http.Response, error)

func status(code int, body string, header ...string) step {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{
			StatusCode: code, Header: h, Request: r, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

func fails(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func truncated(body string) step {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: -1,
			Body: io.NopCloser(io.MultiReader(strings.NewReader(body), errReader{io.ErrUnexpectedEOF})),
		}, nil
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

var (
	errDial  = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	errReset = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
)

func newEngine(rt http.RoundTripper) *Engine { return New(Config{Client: &http.Client{Transport: rt}}) }

func newCall(class Class) *Call {
	u, _ := url.Parse("https://api.example.com/v1/objects/hint/create")
	return &Call{
		Operation: "test", Class: class, Method: "POST", URL: u, Header: http.Header{}, Body: []byte(`{"a":1}`),
		Policy: DefaultPolicy, MaxBody: 1 << 20,
	}
}

func TestRepeatsByClass(t *testing.T) {
	all := []Class{Once, Idempotent, Read}
	repeatable := []Class{Idempotent, Read}
	tests := []struct {
		name    string
		fault   step
		repeats []Class
		// unknown are the classes whose outcome nobody knows if the fault stays.
		unknown []Class
	}{
		{"dial refused", fails(errDial), all, nil},
		{"name not found", fails(&net.DNSError{Err: "no such host", Name: "api.example.com"}), all, nil},
		{"reset", fails(errReset), repeatable, []Class{Once, Idempotent}},
		{"no answer", fails(io.EOF), repeatable, []Class{Once, Idempotent}},
		{"truncated body", truncated(`{"status":200`), repeatable, []Class{Once, Idempotent}},
		{"untrusted certificate", fails(x509.UnknownAuthorityError{}), nil, nil},
		{"429", status(429, "busy"), all, nil},
		{"423", status(423, "locked"), all, nil},
		{"500", status(500, "oops"), repeatable, nil},
		{"502", status(502, "<html>"), repeatable, nil},
		{"503", status(503, ""), repeatable, nil},
		{"504", status(504, ""), repeatable, nil},
		{"520", status(520, ""), repeatable, nil},
		{"501", status(501, ""), nil, nil},
		{"400", status(400, ""), nil, nil},
		{"403", status(403, ""), nil, nil},
		{"404", status(404, ""), nil, nil},
		{"408", status(408, ""), nil, nil},
		{"409", status(409, ""), nil, nil},
		{"302", status(302, "", "Location", "https://elsewhere.example.net/"), nil, nil},
	}
	for _, test := range tests {
		for _, class := range all {
			t.Run(fmt.Sprintf("%s/%v", test.name, class), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					contains := func(classes []Class) bool {
						for _, c := range classes {
							if c == class {
								return true
							}
						}
						return false
					}
					// A fault that passes.
					rt := play(test.fault, status(200, "ok"))
					answer, err := newEngine(rt).Do(t.Context(), newCall(class))
					if contains(test.repeats) {
						require.NoError(t, err)
						require.Equal(t, 200, answer.Status)
						require.Equal(t, 2, answer.Attempts)
						require.Equal(t, `{"a":1}`, rt.bodies[1], "each attempt sends the whole body")
						require.Contains(t, []string{"", `{"a":1}`}, rt.bodies[0])
					} else {
						require.Equal(t, 1, rt.attempts())
					}
					// A fault that stays.
					rt = play(test.fault)
					answer, err = newEngine(rt).Do(t.Context(), newCall(class))
					want := 1
					if contains(test.repeats) {
						want = DefaultPolicy.MaxRetries + 1
					}
					require.Equal(t, want, rt.attempts())
					if answer != nil {
						require.NoError(t, err)
						require.Equal(t, want, answer.Attempts)
						return
					}
					var failure *Failure
					require.ErrorAs(t, err, &failure)
					require.Equal(t, want, failure.Attempts)
					require.Equal(t, contains(test.unknown), failure.Unknown)
				})
			})
		}
	}
}

func TestErrorBodySurvivesTheLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, err := newEngine(play(status(503, "the last words"))).Do(t.Context(), newCall(Read))
		require.NoError(t, err)
		require.Equal(t, "the last words", string(answer.Body))
	})
}

func TestWaits(t *testing.T) {
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	tests := []struct {
		name     string
		fault    func() step
		min, max time.Duration
	}{
		{"429 with seconds", func() step { return status(429, "", "Retry-After", "7") }, 7 * time.Second, 7 * time.Second},
		{"429 with a fraction", func() step { return status(429, "", "Retry-After", "1.5") }, 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"429 with a date", func() step { return status(429, "", "Retry-After", date(9*time.Second)) }, 8 * time.Second, 9 * time.Second},
		{"429 with a date gone by", func() step { return status(429, "", "Retry-After", date(-time.Hour)) }, time.Millisecond, time.Second + time.Millisecond},
		{"429 with no seconds", func() step { return status(429, "", "Retry-After", "0") }, time.Millisecond, time.Second + time.Millisecond},
		{"429 with a day", func() step { return status(429, "", "Retry-After", "86400") }, 30 * time.Second, 30 * time.Second},
		{"429 with an age", func() step { return status(429, "", "Retry-After", "99999999999999999999999999") }, 30 * time.Second, 30 * time.Second},
		{"429 with a negative", func() step { return status(429, "", "Retry-After", "-5") }, 0, time.Second + time.Millisecond},
		{"429 with nonsense", func() step { return status(429, "", "Retry-After", "soon") }, 0, time.Second + time.Millisecond},
		{"429 with NaN", func() step { return status(429, "", "Retry-After", "NaN") }, 0, time.Second + time.Millisecond},
		{"429 alone", func() step { return status(429, "") }, 0, time.Second + time.Millisecond},
		{"423", func() step { return status(423, "") }, 5 * time.Second, 5 * time.Second},
		{"423 with more", func() step { return status(423, "", "Retry-After", "12") }, 12 * time.Second, 12 * time.Second},
		{"503 with seconds", func() step { return status(503, "", "Retry-After", "4") }, 4 * time.Second, 4 * time.Second},
		{"503 alone", func() step { return status(503, "") }, 0, 501 * time.Millisecond},
		{"reset", func() step { return fails(errReset) }, 0, 501 * time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := play(test.fault(), status(200, ""))
				_, err := newEngine(rt).Do(t.Context(), newCall(Read))
				require.NoError(t, err)
				waited := rt.times[1].Sub(rt.times[0])
				require.GreaterOrEqual(t, waited, test.min)
				require.LessOrEqual(t, waited, test.max)
			})
		})
	}
}

func TestWaitsHaveJitterAndGrow(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 50 {
		seen[jitter(time.Second, time.Minute, 1)] = true
	}
	require.Greater(t, len(seen), 40, "waits must differ")
	longest := time.Duration(0)
	for range 200 {
		longest = max(longest, jitter(time.Second, 10*time.Second, 40))
	}
	require.Greater(t, longest, 5*time.Second)
	require.LessOrEqual(t, longest, 10*time.Second+time.Millisecond)
	require.Zero(t, jitter(0, 0, 1))
}

func TestAWaitNeverOutlivesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		answer, err := newEngine(play(status(429, "slow down", "Retry-After", "20"))).Do(ctx, newCall(Read))
		require.NoError(t, err)
		require.Equal(t, 429, answer.Status, "the caller learns at once what the wait would have been for")
		require.Zero(t, time.Since(began))
	})
}

func TestCancellingAWaitEndsIt(t *testing.T) {
	for _, class := range []Class{Once, Read} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(2*time.Second, cancel)
			began := time.Now()
			_, err := newEngine(play(status(423, "locked"))).Do(ctx, newCall(class))
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, 2*time.Second, time.Since(began))
			var failure *Failure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, 423, failure.Last.Status, "the answer that caused the wait is not lost")
			require.Equal(t, "locked", string(failure.Last.Body))
			require.False(t, failure.Unknown, "423 is never ambiguous")
		})
	}
}

func TestOne429SlowsAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := play(status(429, "", "Retry-After", "10"), status(200, ""))
		engine := newEngine(rt)
		var wg sync.WaitGroup
		began := time.Now()
		wg.Go(func() {
			_, err := engine.Do(t.Context(), newCall(Read))
			require.NoError(t, err)
		})
		synctest.Wait()
		for range 5 {
			wg.Go(func() {
				_, err := engine.Do(t.Context(), newCall(Read))
				require.NoError(t, err)
			})
		}
		wg.Wait()
		require.Equal(t, 7, rt.attempts())
		for _, at := range rt.times[1:] {
			require.GreaterOrEqual(t, at.Sub(began), 10*time.Second)
			require.Less(t, at.Sub(began), 13*time.Second)
		}
	})
}

func TestAPauseBeyondTheDeadlineFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newEngine(play(status(200, "")))
		engine.pause(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := engine.Do(ctx, newCall(Read))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, time.Since(began))
	})
}

// TestCallersThatGiveUpLeaveTheirPlaces with the limiter to others.
func TestCallersThatGiveUpLeaveTheirPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := play(status(200, "{}"))
		engine := New(Config{Client: &http.Client{Transport: rt}, Limiter: rate.NewLimiter(2, 1)})
		var wg sync.WaitGroup
		var failed atomic.Int64
		var cancels []context.CancelFunc
		for range 100 {
			ctx, cancel := context.WithCancel(t.Context())
			cancels = append(cancels, cancel)
			wg.Go(func() {
				if _, err := engine.Do(ctx, newCall(Read)); err != nil {
					failed.Add(1)
				}
			})
			synctest.Wait()
		}
		for _, cancel := range cancels {
			cancel()
			synctest.Wait()
		}
		wg.Wait()
		require.EqualValues(t, 99, failed.Load())
		time.Sleep(time.Second)
		start := time.Now()
		_, err := engine.Do(t.Context(), newCall(Read))
		require.NoError(t, err)
		require.Zero(t, time.Since(start))
		require.Equal(t, 2, rt.attempts())
	})
}

func TestTheLimiterCountsRetriesToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Every second attempt fails, so 300 calls make some 600 attempts at 100 a second.
		var n atomic.Int64
		engine := New(Config{
			Client: &http.Client{Transport: play(func(r *http.Request) (*http.Response, error) {
				if n.Add(1)%2 == 0 {
					return status(503, "")(r)
				}
				return status(200, "")(r)
			})},
			Limiter: rate.NewLimiter(100, 1),
		})
		began := time.Now()
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				call := newCall(Read)
				call.Policy.MaxRetries, call.Policy.MaxWait = 50, 10*time.Millisecond
				_, err := engine.Do(t.Context(), call)
				require.NoError(t, err)
			})
		}
		wg.Wait()
		perSecond := float64(n.Load()-1) / time.Since(began).Seconds()
		require.LessOrEqual(t, perSecond, 100*1.05)
		require.GreaterOrEqual(t, perSecond, 100*0.95, "the limiter must not slow down more than it has to")
	})
}

func TestCredentialsAreAskedForEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tokens []string
		n := 0
		engine := New(Config{
			Client: &http.Client{Transport: play(func(r *http.Request) (*http.Response, error) {
				tokens = append(tokens, r.Header.Get("X-Token"))
				if len(tokens) < 3 {
					return status(503, "")(r)
				}
				return status(200, "")(r)
			})},
			Sign: func(_ context.Context, header http.Header) error {
				n++
				header.Set("X-Token", fmt.Sprintf("test-token-%d", n))
				return nil
			},
		})
		_, err := engine.Do(t.Context(), newCall(Read))
		require.NoError(t, err)
		require.Equal(t, []string{"test-token-1", "test-token-2", "test-token-3"}, tokens)
	})
}

func TestAFailingSignerSendsNothing(t *testing.T) {
	rt := play(status(200, ""))
	boom := errors.New("the vault is sealed")
	engine := New(Config{Client: &http.Client{Transport: rt}, Sign: func(context.Context, http.Header) error { return boom }})
	_, err := engine.Do(t.Context(), newCall(Once))
	require.ErrorIs(t, err, boom)
	require.Zero(t, rt.attempts())
	var failure *Failure
	require.ErrorAs(t, err, &failure)
	require.False(t, failure.Unknown)
}

func TestObserverSeesEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Attempt
		engine := New(Config{
			Client:  &http.Client{Transport: play(status(503, ""), fails(errReset), status(200, "fine"))},
			Observe: func(_ context.Context, a Attempt) { seen = append(seen, a) },
		})
		_, err := engine.Do(t.Context(), newCall(Read))
		require.NoError(t, err)
		require.Len(t, seen, 3)
		require.Equal(t, 503, seen[0].Status)
		require.GreaterOrEqual(t, seen[0].RetryIn, time.Duration(0))
		require.ErrorIs(t, seen[1].Err, errReset)
		require.Equal(t, 200, seen[2].Status)
		require.Equal(t, 4, seen[2].ResponseSize)
		require.Less(t, seen[2].RetryIn, time.Duration(0), "there is no attempt after the last")
		for i, a := range seen {
			require.Equal(t, i+1, a.Number)
			require.Equal(t, "/v1/objects/hint/create", a.Path)
		}
	})
}

// connections counts the connections that a server accepts.
func connections(server *httptest.Server) *atomic.Int64 {
	var n atomic.Int64
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			n.Add(1)
		}
	}
	return &n
}

func callTo(t *testing.T, server *httptest.Server, class Class) *Call {
	t.Helper()
	call := newCall(class)
	u, err := url.Parse(server.URL + "/v1/x")
	require.NoError(t, err)
	call.URL = u
	call.Policy.BaseWait = time.Nanosecond
	call.Policy.MaxWait = time.Nanosecond
	return call
}

func TestAFailedCallLeavesOtherConnectionsOpen(t *testing.T) {
	var failing atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if failing.Load() {
			w.WriteHeader(500)
		}
	}))
	opened := connections(server)
	server.Start()
	defer server.Close()
	pool := NewHTTPTransport()
	defer pool.CloseIdleConnections()
	engine := New(Config{Client: &http.Client{Transport: pool}})
	for range 3 {
		_, err := engine.Do(t.Context(), callTo(t, server, Read))
		require.NoError(t, err)
	}
	failing.Store(true)
	for range 3 {
		answer, err := engine.Do(t.Context(), callTo(t, server, Read))
		require.NoError(t, err)
		require.Equal(t, 500, answer.Status)
	}
	failing.Store(false)
	_, err := engine.Do(t.Context(), callTo(t, server, Read))
	require.NoError(t, err)
	require.EqualValues(t, 1, opened.Load(), "one connection serves all calls, failed ones too")
}

func TestLargeErrorBodiesKeepTheConnection(t *testing.T) {
	page := strings.Repeat("x", 100<<10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(502)
		_, _ = io.WriteString(w, page)
	}))
	opened := connections(server)
	server.Start()
	defer server.Close()
	pool := NewHTTPTransport()
	defer pool.CloseIdleConnections()
	engine := New(Config{Client: &http.Client{Transport: pool}})
	for range 4 {
		answer, err := engine.Do(t.Context(), callTo(t, server, Read))
		require.NoError(t, err)
		require.Len(t, answer.Body, maxErrorBody)
	}
	require.EqualValues(t, 1, opened.Load())
}

// TestAWaitKeepsItsReason: a call that ends during a wait tells why it ended and what the wait was for.
func TestAWaitKeepsItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Nanosecond, cancel)
		call := newCall(Read)
		call.Policy.BaseWait, call.Policy.MaxWait = time.Hour, time.Hour
		_, err := newEngine(roundTrip(fails(errReset))).Do(ctx, call)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errReset, "the failure that caused the wait is not lost")
	})
}

// TestARedirectThatCannotBeParsed: net/http looks at the target even if nobody follows it, and fails on one that it cannot read.
func TestARedirectThatCannotBeParsed(t *testing.T) {
	answer, err := newEngine(play(status(302, "", "Location", "http://[::1?sig=test-token-1"))).Do(t.Context(), newCall(Read))
	require.NoError(t, err)
	require.Equal(t, 302, answer.Status)
	require.Empty(t, answer.Header.Get("Location"), "it may carry a signature")
}

// TestTheWatchOverARequestEnds: what watches over a request without a body is freed with its answer.
func TestTheWatchOverARequestEnds(t *testing.T) {
	var seen context.Context
	engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
		seen = r.Context()
		return status(200, "{}")(r)
	}))
	call := newCall(Once)
	call.Body = nil
	answer, err := engine.Do(t.Context(), call)
	require.NoError(t, err)
	require.Equal(t, "{}", string(answer.Body))
	require.ErrorIs(t, seen.Err(), context.Canceled)

	call.Stream = true
	answer, err = engine.Do(t.Context(), call)
	require.NoError(t, err)
	require.NoError(t, seen.Err(), "a stream is still being read")
	require.NoError(t, answer.Stream.Close())
	require.ErrorIs(t, seen.Err(), context.Canceled)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	client := &http.Client{}
	answer, err := New(Config{Client: client}).Do(t.Context(), callTo(t, server, Read))
	require.NoError(t, err)
	require.Equal(t, 307, answer.Status)
	require.Zero(t, reached.Load())
	require.Nil(t, client.CheckRedirect, "the caller's client is not changed")
	require.Nil(t, client.Transport)
}

func TestAnswersAreCapped(t *testing.T) {
	body := strings.Repeat("a", 1000)
	for _, test := range []struct {
		limit int64
		fits  bool
	}{{999, false}, {1000, true}, {1001, true}} {
		for _, chunked := range []bool{false, true} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if chunked {
					w.(http.Flusher).Flush()
				}
				_, _ = io.WriteString(w, body)
			}))
			call := callTo(t, server, Read)
			call.MaxBody = test.limit
			answer, err := newEngine(http.DefaultTransport).Do(t.Context(), call)
			if test.fits {
				require.NoError(t, err)
				require.Equal(t, body, string(answer.Body))
			} else {
				require.True(t, IsTooLarge(err), "%v", err)
			}
			server.Close()
		}
	}
}

func TestAGzipBombIsCapped(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 64 {
		_, _ = z.Write(zeros)
	}
	z.Close()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	defer server.Close()
	_, err := newEngine(http.DefaultTransport).Do(t.Context(), callTo(t, server, Read))
	require.True(t, IsTooLarge(err), "%v", err)
	require.EqualValues(t, 1, requests.Load(), "asking again would not make it smaller")
}

func TestCompressedAnswersThatNobodyAskedFor(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, "hello")
	z.Close()
	gzipped := func(body string) step { return status(200, body, "Content-Encoding", "gzip") }
	synctest.Test(t, func(t *testing.T) {
		answer, err := newEngine(play(gzipped(zipped.String()))).Do(t.Context(), newCall(Read))
		require.NoError(t, err)
		require.Equal(t, "hello", string(answer.Body))

		rt := play(gzipped("not gzip at all"), gzipped(zipped.String()[:20]), gzipped(zipped.String()))
		answer, err = newEngine(rt).Do(t.Context(), newCall(Read))
		require.NoError(t, err)
		require.Equal(t, "hello", string(answer.Body), "a corrupt answer to a read is asked for again")
		require.Equal(t, 3, rt.attempts())

		rt = play(gzipped("not gzip at all"))
		_, err = newEngine(rt).Do(t.Context(), newCall(Once))
		var failure *Failure
		require.ErrorAs(t, err, &failure)
		require.True(t, failure.Unknown)
		require.Equal(t, 1, rt.attempts())

		answer, err = newEngine(play(gzipped("not gzip at all"), status(400, "not gzip at all", "Content-Encoding", "gzip"))).Do(t.Context(), newCall(Read))
		require.NoError(t, err, "the status of a refusal counts, whatever became of its body")
		require.Equal(t, 400, answer.Status)
		require.Empty(t, answer.Body)

		answer, err = newEngine(play(func(r *http.Request) (*http.Response, error) {
			response, err := gzipped("")(r)
			response.ContentLength = -1
			return response, err
		})).Do(t.Context(), newCall(Read))
		require.NoError(t, err, "nothing at all needs no unpacking")
		require.Empty(t, answer.Body)

		answer, err = newEngine(play(func(r *http.Request) (*http.Response, error) {
			response, err := gzipped(zipped.String())(r)
			response.Request = nil // as of a recorder
			return response, err
		})).Do(t.Context(), newCall(Read))
		require.NoError(t, err)
		require.Equal(t, "hello", string(answer.Body))
	})
}

func TestStreamsAreHandedOver(t *testing.T) {
	call := newCall(Read)
	call.Stream, call.MaxBody = true, 0
	answer, err := newEngine(play(status(200, "a,b,c"))).Do(t.Context(), call)
	require.NoError(t, err)
	data, err := io.ReadAll(answer.Stream)
	require.NoError(t, err)
	require.Equal(t, "a,b,c", string(data))

	call.MaxBody = 4
	answer, err = newEngine(play(status(200, "a,b,c"))).Do(t.Context(), call)
	require.NoError(t, err)
	data, err = io.ReadAll(answer.Stream)
	require.True(t, IsTooLarge(err))
	require.Equal(t, "a,b,", string(data))
}

func TestErrorsDoNotShowTheQuery(t *testing.T) {
	call := newCall(Once)
	call.URL.RawQuery = "invitation=test-token-in-query"
	_, err := newEngine(play(fails(errReset))).Do(t.Context(), call)
	require.NotContains(t, err.Error(), "test-token-in-query")
	require.Contains(t, err.Error(), "connection reset")
}

func TestTheDefaultTransport(t *testing.T) {
	pool := NewHTTPTransport()
	require.GreaterOrEqual(t, pool.MaxIdleConnsPerHost, 64)
	require.NotZero(t, pool.ResponseHeaderTimeout)
	require.EqualValues(t, 1<<20, pool.MaxResponseHeaderBytes)
	require.True(t, pool.ForceAttemptHTTP2)
	require.EqualValues(t, 0x0303, pool.TLSClientConfig.MinVersion, "TLS 1.2 at least")
	require.False(t, pool.TLSClientConfig.InsecureSkipVerify)
}
