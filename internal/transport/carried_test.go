package transport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/redact"
)

// refusingProxy answers each CONNECT with a status line that repeats the credentials of the proxy, as they came and decoded.
func refusingProxy(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	t.Cleanup(func() {
		listener.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			if request, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
				_, encoded, _ := strings.Cut(request.Header.Get("Proxy-Authorization"), " ")
				plain, _ := base64.StdEncoding.DecodeString(encoded)
				user, password, _ := strings.Cut(string(plain), ":")
				if strings.HasPrefix(user, "proxy-") {
					user = "" // a name beside a password is no secret
				}
				fmt.Fprintf(connection, "HTTP/1.1 407 denied for %s %s %s %s %s\r\n\r\n", encoded, plain, password, user, request.Header.Get("X-Gate"))
			}
			connection.Close()
		}
	}()
	return listener.Addr().String()
}

// TestAProxyThatRepeatsItsCredentials: net/http makes an error of the status line with which a proxy refuses.
func TestAProxyThatRepeatsItsCredentials(t *testing.T) {
	address := refusingProxy(t)
	for name, user := range map[string]*url.Userinfo{
		"user and password": url.UserPassword("proxy-user", "test-token-of/the proxy@"),
		"a password alone":  url.UserPassword("", "test-token-of/the proxy@"),
		"a user alone":      url.User("test-token-of/the proxy@"),
	} {
		pool := &http.Transport{
			Proxy: func(r *http.Request) (*url.URL, error) {
				proxy := &url.URL{Scheme: "http", Host: address}
				if r.Header.Get("X-Egress") == "b" && r.ContentLength > 0 {
					proxy.User = user
				}
				return proxy, nil
			},
			ProxyConnectHeader: http.Header{"X-Gate": {"test-token-of-the-gate"}},
		}
		var told error
		engine := New(Config{Client: &http.Client{Transport: pool}, Observe: func(_ context.Context, a Attempt) { told = a.Err }})
		call := newCall(Read)
		call.Policy.MaxRetries = 0
		call.Header.Set("X-Egress", "b")
		_, err := engine.Do(t.Context(), call)
		for _, err := range []error{err, told} {
			require.ErrorContains(t, err, "denied for", name)
			shown := fmt.Sprintf("%v %+v %#v", err, err, err)
			plain := user.Username() + ":"
			if password, ok := user.Password(); ok {
				plain += password
			}
			for _, secret := range []string{"test-token", "the proxy", base64.RawStdEncoding.EncodeToString([]byte(plain))} {
				require.NotContains(t, shown, secret, name)
			}
		}
	}
}

// TestAProxyThatRepeatsAConnectHeader decodes what it was given.
func TestAProxyThatRepeatsAConnectHeader(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plain, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Proxy-Authorization"), "Basic "))
		conn, _, _ := w.(http.Hijacker).Hijack()
		fmt.Fprintf(conn, "HTTP/1.1 407 denied for %s\r\n\r\n", plain)
		conn.Close()
	}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	given := "Basic " + base64.StdEncoding.EncodeToString([]byte("proxy-user:test-token-of-the-proxy"))
	for _, name := range []string{"Proxy-Authorization", "proxy-authorization"} {
		engine := New(Config{Client: &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyURL(address), ProxyConnectHeader: http.Header{name: {given}},
		}}})
		call := newCall(Read)
		call.Policy.MaxRetries = 0
		_, err = engine.Do(t.Context(), call)
		require.ErrorContains(t, err, "denied for")
		require.NotContains(t, err.Error(), "test-token")
	}
}

// TestTheProxyIsAskedForIfItMatters: after failures, and before an answer is shown that a proxy may have written.
func TestTheProxyIsAskedForIfItMatters(t *testing.T) {
	asked := 0
	choose := func(*http.Request) (*url.URL, error) {
		asked++
		return nil, nil
	}
	x := &exchange{engine: &Engine{base: &http.Transport{Proxy: choose}}, call: *newCall(Read), ctx: t.Context()}
	_, err := x.read(&http.Response{StatusCode: 200, Body: http.NoBody})
	require.NoError(t, err)
	require.Zero(t, asked)
	_, err = x.read(&http.Response{StatusCode: 500, Body: http.NoBody})
	require.NoError(t, err)
	require.Equal(t, 1, asked)

	for scheme, want := range map[string]int{"https": 0, "http": 1} {
		asked = 0
		x.call.URL = &url.URL{Scheme: scheme, Host: "api.example.com", Path: "/"}
		answer, err := x.read(&http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}})
		require.NoError(t, err)
		require.Zero(t, asked, "nothing is shown yet")
		answer.Credentials()
		require.Equal(t, want, asked, "a proxy writes no answers over %s", scheme)
	}

	for _, base := range []http.RoundTripper{&http.Transport{}, play()} {
		x.engine.base = base
		sent := x.carried()
		require.Empty(t, sent.route.chosen(), "no proxy is no failure")
	}
}

// TestErrorBodiesAreMaskedBeforeTheyAreCut moves a token over the end of what is kept of an error answer.
func TestErrorBodiesAreMaskedBeforeTheyAreCut(t *testing.T) {
	const token = "test-token-0123456789-abcdefghijklmnop"
	for _, before := range []int{0, maxErrorBody - len(token) - 1, maxErrorBody - len(token), maxErrorBody - 20, maxErrorBody - 5, maxErrorBody} {
		engine := newEngine(play(status(400, strings.Repeat("p", before)+token+" and more")))
		call := newCall(Read)
		call.Header.Set("X-WallarmApi-Token", token)
		answer, err := engine.Do(t.Context(), call)
		require.NoError(t, err)
		require.NotContains(t, string(answer.Body), "test-", before)
		require.LessOrEqual(t, len(answer.Body), maxErrorBody)
		require.GreaterOrEqual(t, len(answer.Body), before)
	}
}

// TestWhatTheAuthenticatorSetsIsSecret whatever its name, in each attempt, while other headers may be shown.
func TestWhatTheAuthenticatorSetsIsSecret(t *testing.T) {
	echo := func(r *http.Request) (*http.Response, error) {
		text := strings.Join([]string{r.Header.Get("X-Mine"), r.Header.Get("X-Changed"), r.Header.Get("X-Trace")}, " ")
		return status(503, text, "X-Echo", text)(r)
	}
	n := 0
	var seen []string
	engine := New(Config{
		Client: &http.Client{Transport: play(echo, echo)},
		Sign: func(_ context.Context, h http.Header) error {
			n++
			h.Set("X-Mine", fmt.Sprint("test-token-mine-", n))
			h.Set("X-Changed", "test-token-changed")
			return nil
		},
		Observe: func(_ context.Context, a Attempt) { seen = append(seen, a.Header.Get("X-Echo")) },
	})
	call := newCall(Read)
	call.Policy = Policy{MaxRetries: 1, BaseWait: 1, MaxWait: 1}
	call.Header.Set("X-Changed", "before it was changed")
	call.Header.Set("X-Trace", "trace-0123456789")
	answer, err := engine.Do(t.Context(), call)
	require.NoError(t, err)
	const masked = "[redacted] [redacted] trace-0123456789"
	require.Equal(t, masked, string(answer.Body))
	require.Equal(t, []string{masked, masked}, seen)
	require.Equal(t, 2, n)
}

// TestSecretsOfTheBodyAreMaskedInErrors: a connection that breaks may quote what the server sent in place of HTTP.
func TestSecretsOfTheBodyAreMaskedInErrors(t *testing.T) {
	call := newCall(Once)
	call.Body, call.URL.RawQuery = []byte(`{"password":"test-token-body"}`), "token=test-token-query"
	engine := newEngine(failsUnread(fmt.Errorf("malformed: test-token-body, test-token-query: %w", io.ErrUnexpectedEOF)))
	_, err := engine.Do(t.Context(), call)
	require.EqualError(t, err, "malformed: [redacted], [redacted]: unexpected EOF")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestAHeaderThatCannotBeSentFailsAtOnce(t *testing.T) {
	for name, value := range map[string]string{"X-Mine": "a\ntest-token-planted", "Bad test-token-planted": "a", "": "a"} {
		rounds := play()
		signed := 0
		engine := New(Config{Client: &http.Client{Transport: rounds}, Sign: func(_ context.Context, h http.Header) error {
			signed++
			h[name] = []string{value}
			return nil
		}})
		_, err := engine.Do(t.Context(), newCall(Read))
		require.ErrorContains(t, err, "a header")
		require.NotContains(t, err.Error(), "test-token")
		require.True(t, NeverSent(err))
		require.Equal(t, 1, signed)
		require.Zero(t, rounds.attempts())
	}
}

// TestAnAuthenticatorGivesNoLeaveToRepeat: net/http sends a request with such a header a second time, whatever it is.
func TestAnAuthenticatorGivesNoLeaveToRepeat(t *testing.T) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "idempotency-key"} {
		rounds := play()
		engine := New(Config{Client: &http.Client{Transport: rounds}, Sign: func(_ context.Context, h http.Header) error {
			h[name] = []string{"a-key"}
			return nil
		}})
		_, err := engine.Do(t.Context(), newCall(Once))
		require.ErrorContains(t, err, name)
		require.Zero(t, rounds.attempts())
	}
}

// TestATransportGivesNoLeaveToRepeat: net/http sends a request with an idempotency key again on a connection that was used before, although the server
// has carried it out and then ended the connection.
func TestATransportGivesNoLeaveToRepeat(t *testing.T) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "idempotency-key", "X-Other"} {
		made := 0
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Method == http.MethodGet {
				return
			}
			made++
			conn, _, err := http.NewResponseController(w).Hijack()
			if assert.NoError(t, err) {
				conn.Close()
			}
		}))
		standard := server.Client().Transport
		engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header[name] = []string{"a-key"}
			return standard.RoundTrip(r)
		}))
		warm := callTo(t, server, Read)
		warm.Method, warm.Body = http.MethodGet, nil
		_, err := engine.Do(t.Context(), warm)
		require.NoError(t, err)
		_, err = engine.Do(t.Context(), callTo(t, server, Once))
		var failure *Failure
		require.ErrorAs(t, err, &failure, name)
		require.True(t, failure.Unknown, name)
		require.Equal(t, 1, made, name)
		server.Close()
	}
}

// TestFormerCredentialsAreMaskedToo: an answer may repeat what an earlier attempt of the same call carried.
func TestFormerCredentialsAreMaskedToo(t *testing.T) {
	n, seen := 0, ""
	engine := New(Config{
		Client: &http.Client{Transport: play(status(503, ""), status(200, "", "X-Echo", "test-token-1 test-token-2"), status(503, ""), status(400, "test-token-3 test-token-4"))},
		Sign: func(_ context.Context, h http.Header) error {
			n++
			h.Set("WallarmApi-Token", fmt.Sprint("test-token-", n))
			return nil
		},
		Observe: func(_ context.Context, a Attempt) { seen = a.Header.Get("X-Echo") },
	})
	call := func() *Call {
		c := newCall(Read)
		c.Policy = Policy{MaxRetries: 1, BaseWait: 1, MaxWait: 1}
		return c
	}
	answer, err := engine.Do(t.Context(), call())
	require.NoError(t, err)
	require.Equal(t, "[redacted] [redacted]", seen)
	require.Equal(t, "[redacted] [redacted]", answer.Credentials().Header(answer.Header).Get("X-Echo"))
	answer.Release()
	answer, err = engine.Do(t.Context(), call())
	require.NoError(t, err)
	require.Equal(t, "[redacted] [redacted]", string(answer.Body))
}

// TestCredentialsOfAnotherKindTravelAlone, and those that are added to a header do not add up.
func TestCredentialsOfAnotherKindTravelAlone(t *testing.T) {
	n := 0
	var seen []http.Header
	rounds := play(status(503, ""), status(200, ""))
	engine := New(Config{
		Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			seen = append(seen, r.Header.Clone())
			return rounds.RoundTrip(r)
		})},
		Sign: func(_ context.Context, h http.Header) error {
			if n++; n == 1 {
				h.Set("X-WallarmAPI-UUID", "test-uuid")
				h.Set("X-WallarmAPI-Secret", "test-secret")
			} else {
				h.Set("WallarmApi-Token", "test-token")
			}
			h.Add("X-Signed", fmt.Sprint("test-signature-", n))
			return nil
		},
	})
	call := newCall(Read)
	call.Header = http.Header{"X-Kept": {"a", "b"}, "X-Signed": {"by the caller"}}
	call.Policy = Policy{MaxRetries: 1, BaseWait: 1, MaxWait: 1}
	answer, err := engine.Do(t.Context(), call)
	require.NoError(t, err)
	answer.Release()
	require.Equal(t, []http.Header{
		{"X-Kept": {"a", "b"}, "X-Signed": {"by the caller", "test-signature-1"}, "X-Wallarmapi-Uuid": {"test-uuid"}, "X-Wallarmapi-Secret": {"test-secret"}},
		{"X-Kept": {"a", "b"}, "X-Signed": {"by the caller", "test-signature-2"}, "Wallarmapi-Token": {"test-token"}},
	}, seen)
}

// TestOnlyTheBeginningOfARefusalIsSearched, with no regard for the context, so a body of any length must cost what its beginning costs.
func TestOnlyTheBeginningOfARefusalIsSearched(t *testing.T) {
	allocated := func(size int) uint64 {
		answer := &Answer{Body: bytes.Repeat([]byte("%25"), size/3), known: redact.Credentials{"test-token-refused"}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		refusal := answer.Refusal()
		runtime.ReadMemStats(&after)
		require.NotEmpty(t, refusal)
		require.LessOrEqual(t, len(refusal), maxErrorBody)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(1 << 10)
	require.Less(t, allocated(3<<20), 3*allocated(maxErrorBody+cutMargin))
}

// TestABrokenRefusalShowsNoPartOfACredential: the connection, the compression or the time of the call ends in the middle of a token.
func TestABrokenRefusalShowsNoPartOfACredential(t *testing.T) {
	const token = "test-token-0123456789-abcdefghijklmnop"
	broken := errors.New("the connection is gone")
	packed := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, z.Flush())
		return b.String()
	}
	for name, how := range map[string]struct {
		err    error
		header []string
		pack   func(string) string
	}{
		"broken":           {broken, nil, strings.Clone},
		"short":            {io.ErrUnexpectedEOF, nil, strings.Clone},
		"out of time":      {context.DeadlineExceeded, nil, strings.Clone},
		"compressed":       {broken, []string{"Content-Encoding", "gzip"}, packed},
		"compressed early": {io.EOF, []string{"Content-Encoding", "gzip"}, packed},
	} {
		for part := range len(token) + 1 {
			call := newCall(Read)
			call.Header.Set("X-WallarmApi-Token", token)
			answer, err := newEngine(play(func(r *http.Request) (*http.Response, error) {
				response, err := status(403, "", how.header...)(r)
				response.Body, response.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(how.pack("denied: <"+token[:part])), iotest.ErrReader(how.err))), -1
				return response, err
			})).Do(t.Context(), call)
			require.NoError(t, err)
			want := "denied: <"
			if part == len(token) {
				want += "[redacted]"
			}
			require.Equal(t, want, string(answer.Body), name)
			require.Equal(t, want, string(answer.Refusal()), name)
		}
	}
	call := newCall(Read)
	call.Header.Set("X-WallarmApi-Token", token)
	answer, err := newEngine(play(status(403, "denied: that"))).Do(t.Context(), call)
	require.NoError(t, err)
	require.Equal(t, "denied: that", string(answer.Body), "a whole body loses nothing")
}
