package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The frames of HTTP/2 that the tests need, by RFC 9113.
const (
	frameData, frameHeaders, frameReset, frameSettings, frameGoAway = 0, 1, 3, 4, 7

	flagEnd = 1 // END_STREAM, and ACK of SETTINGS
)

// h2Server speaks as much HTTP/2 as it takes to answer requests in ways that no server of net/http would.
type h2Server struct {
	t        *testing.T
	listener net.Listener
	roots    *x509.CertPool
	arrived  atomic.Int32
	// act answers the nth request, which has come as a whole; false closes the connection.
	act func(s *h2Server, conn net.Conn, n int32, stream uint32) bool
}

// serveH2 serves HTTP/2, over TLS or in clear text.
func serveH2(t *testing.T, isClear bool, act func(*h2Server, net.Conn, int32, uint32) bool) *h2Server {
	t.Helper()
	template := httptest.NewUnstartedServer(nil)
	template.StartTLS()
	certificate, parsed := template.TLS.Certificates[0], template.Certificate()
	template.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if !isClear {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
	}
	s := &h2Server{t: t, listener: listener, roots: x509.NewCertPool(), act: act}
	s.roots.AddCert(parsed)
	var (
		conns sync.WaitGroup
		mu    sync.Mutex
		open  []net.Conn
	)
	conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			conns.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		conns.Wait()
	})
	return s
}

func writeFrame(conn net.Conn, kind, flags byte, stream uint32, payload ...byte) {
	head := make([]byte, 9, 9+len(payload))
	head[0], head[1], head[2], head[3], head[4] = byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags
	binary.BigEndian.PutUint32(head[5:], stream)
	_, _ = conn.Write(append(head, payload...))
}

func (s *h2Server) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	if _, err := io.CopyN(io.Discard, r, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	writeFrame(conn, frameSettings, 0, 0)
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		size := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, r, size); err != nil {
			return
		}
		kind, flags := head[3], head[4]
		switch {
		case kind == frameSettings && flags&flagEnd == 0:
			writeFrame(conn, frameSettings, flagEnd, 0)
		case (kind == frameHeaders || kind == frameData) && flags&flagEnd != 0:
			if !s.act(s, conn, s.arrived.Add(1), binary.BigEndian.Uint32(head[5:])) {
				return
			}
		}
	}
}

func resetWith(code byte) func(net.Conn, uint32) bool {
	return func(conn net.Conn, stream uint32) bool {
		writeFrame(conn, frameReset, 0, stream, 0, 0, 0, code)
		return true
	}
}

// TestHTTP2SendsNothingTwice: net/http would send a request again that a server took as a whole and then gave up.
func TestHTTP2SendsNothingTwice(t *testing.T) {
	const protocolError, refusedStream = 1, 7
	faults := map[string]struct {
		fail func(net.Conn, uint32) bool
		// untouched says that the server promises not to have looked at the request.
		untouched bool
	}{
		"protocol error": {resetWith(protocolError), false},
		"refused":        {resetWith(refusedStream), true},
		"going away": {func(conn net.Conn, _ uint32) bool {
			writeFrame(conn, frameGoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
			return false
		}, true},
		"closed": {func(net.Conn, uint32) bool { return false }, false},
	}
	for name, fault := range faults {
		for i := range 24 {
			class, body, warm, isClear := []Class{Once, Idempotent, Read}[i%3], []string{`{"a":1}`, ""}[i/3%2], i/6%2 > 0, i >= 12
			t.Run(fmt.Sprintf("%s/%v/%d/%v/%v", name, class, len(body), warm, isClear), func(t *testing.T) {
				var failing atomic.Bool
				server := serveH2(t, isClear, func(_ *h2Server, conn net.Conn, n int32, stream uint32) bool {
					if failing.CompareAndSwap(true, false) {
						return fault.fail(conn, stream)
					}
					writeFrame(conn, frameHeaders, 4|flagEnd, stream, 0x88) // :status 200
					return true
				})
				pool := NewHTTPTransport()
				pool.TLSClientConfig = &tls.Config{RootCAs: server.roots}
				defer pool.CloseIdleConnections()
				scheme := "https"
				if isClear {
					scheme, pool.Protocols = "http", new(http.Protocols)
					pool.Protocols.SetUnencryptedHTTP2(true)
				}
				var told []Attempt
				engine := New(Config{Client: &http.Client{Transport: pool}, Observe: func(_ context.Context, a Attempt) { told = append(told, a) }})
				call := newCall(class)
				call.URL = &url.URL{Scheme: scheme, Host: server.listener.Addr().String(), Path: "/v1/x"}
				call.Policy.BaseWait, call.Policy.MaxWait = time.Nanosecond, time.Nanosecond
				if call.Body = []byte(body); body == "" {
					call.Body = nil
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				if warm {
					answer, err := engine.Do(ctx, call)
					require.NoError(t, err)
					answer.Release()
					call.Header = http.Header{}
					told = nil
					server.arrived.Store(0)
				}
				failing.Store(true)
				answer, err := engine.Do(ctx, call)
				if class == Once && (!fault.untouched || body == "" || !warm && !isClear) {
					// Without a body, and before the protocol is known to be HTTP/2 by a handshake, it is not told apart what the server promised.
					require.EqualValues(t, 1, server.arrived.Load(), "a change is not sent twice")
					var failure *Failure
					require.ErrorAs(t, err, &failure)
					require.True(t, failure.Unknown, "%v", err)
					require.Len(t, told, 1)
					return
				}
				require.NoError(t, err)
				require.Equal(t, 200, answer.Status)
				answer.Release()
				require.EqualValues(t, 2, server.arrived.Load())
				if class == Once {
					require.Len(t, told, 2, "each attempt is told of")
				}
			})
		}
	}
}

// TestHTTP2RetriesAreCounted: no request is repeated behind the back of the limits, however often the server fails.
func TestHTTP2RetriesAreCounted(t *testing.T) {
	faults := map[string]func(net.Conn, uint32) bool{
		"reset": resetWith(1),
		"goes away": func(conn net.Conn, _ uint32) bool {
			writeFrame(conn, frameGoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
			return false
		},
	}
	for name, fail := range faults {
		for i := range 12 {
			class, body, isClear := []Class{Once, Idempotent, Read}[i%3], []string{`{"a":1}`, ""}[i/3%2], i >= 6
			t.Run(fmt.Sprintf("%s/%v/%d/%v", name, class, len(body), isClear), func(t *testing.T) {
				server := serveH2(t, isClear, func(_ *h2Server, conn net.Conn, _ int32, stream uint32) bool { return fail(conn, stream) })
				pool := NewHTTPTransport()
				pool.TLSClientConfig = &tls.Config{RootCAs: server.roots}
				defer pool.CloseIdleConnections()
				call := newCall(class)
				call.URL = &url.URL{Scheme: "https", Host: server.listener.Addr().String(), Path: "/v1/x"}
				if isClear {
					call.URL.Scheme, pool.Protocols = "http", new(http.Protocols)
					pool.Protocols.SetUnencryptedHTTP2(true)
				}
				call.Policy.BaseWait, call.Policy.MaxWait = time.Nanosecond, time.Nanosecond
				if call.Body = []byte(body); body == "" {
					call.Method, call.Body = http.MethodDelete, nil
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				_, err := New(Config{Client: &http.Client{Transport: pool}}).Do(ctx, call)
				require.Error(t, err)
				require.NotErrorIs(t, err, context.Canceled)
				require.NoError(t, ctx.Err())
				// Each attempt may be sent twice, but for a create. One that a server in clear text certainly did not look at is repeated.
				most := 2 * (1 + DefaultPolicy.MaxRetries)
				if class == Once && (!isClear || name == "reset") {
					most = 1
				}
				require.LessOrEqual(t, int(server.arrived.Load()), most)
			})
		}
	}
}

// brittle is a connection that breaks before it writes anything of its second request.
type brittle struct {
	net.Conn
	requests *atomic.Int32
	broken   atomic.Bool
}

func (b *brittle) Write(p []byte) (int, error) {
	if b.requests.Add(1) == 2 || b.broken.Load() {
		b.broken.Store(true)
		return 0, errors.New("broken pipe")
	}
	return b.Conn.Write(p)
}

// TestAConnectionThatBreaksBeforeTheRequest: nothing was written, so that even a create is sent again, by net/http itself.
func TestAConnectionThatBreaksBeforeTheRequest(t *testing.T) {
	var arrived atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.ContentLength == 7 && string(body) == `{"a":1}` {
			arrived.Add(1)
		}
	}))
	defer server.Close()
	var requests atomic.Int32
	pool := NewHTTPTransport()
	defer pool.CloseIdleConnections()
	pool.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &brittle{Conn: conn, requests: &requests}, err
	}
	engine := New(Config{Client: &http.Client{Transport: pool}})
	call := newCall(Once)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	call.URL = u
	for want := range 3 {
		answer, err := engine.Do(t.Context(), call)
		require.NoError(t, err)
		require.EqualValues(t, want+1, arrived.Load())
		answer.Release()
	}
}

// TestAGETThatIsSentOnce: net/http repeats a GET whose connection closes without an answer, whatever class its caller gave it.
func TestAGETThatIsSentOnce(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"} {
		for _, body := range []string{"", `{"a":1}`} {
			var arrived atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent, _ := io.ReadAll(r.Body)
				if n := arrived.Add(1); n == 2 {
					panic(http.ErrAbortHandler)
				}
				_, hasLength := r.Header["Content-Length"]
				if string(sent) != body || body == "" && (hasLength || len(r.TransferEncoding) > 0) {
					w.WriteHeader(http.StatusBadRequest)
				}
			}))
			pool := NewHTTPTransport()
			engine := New(Config{Client: &http.Client{Transport: pool}})
			call := func() *Call {
				c := callTo(t, server, Once)
				c.Method, c.Body = method, []byte(body)
				return c
			}
			answer, err := engine.Do(t.Context(), call())
			require.NoError(t, err, method+body)
			require.Equal(t, 200, answer.Status, "%s %s: it is sent as any other", method, body)
			answer.Release()
			_, err = engine.Do(t.Context(), call())
			require.Error(t, err, method+body)
			require.EqualValues(t, 2, arrived.Load(), method+body)
			pool.CloseIdleConnections()
			server.Close()
		}
	}
}

// TestAFailureAfterTheBodyWasTaken: a transport that falls over to a second address may report a failed dial after it sent the request to the first, and
// one that sends another request behind this one, that its stream was refused.
func TestAFailureAfterTheBodyWasTaken(t *testing.T) {
	errRefused := errors.New("http2: Transport: cannot retry err [stream error: stream ID 23; REFUSED_STREAM; received from peer] after Request.Body was written; " +
		"define Request.GetBody to avoid this error")
	require.True(t, isTurnedAway(errRefused))
	for _, told := range []error{errDial, errRefused} {
		n := 0
		engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
			n++
			_, _ = io.Copy(io.Discard, r.Body)
			return nil, told
		}))
		_, err := engine.Do(t.Context(), newCall(Once))
		var failure *Failure
		require.ErrorAs(t, err, &failure)
		require.True(t, failure.Unknown, told)
		require.Equal(t, 1, n, told)
	}
}

// TestAFailureWithoutABody is the same for requests without a body, of which only net/http's own account of a connection to their host tells whether they
// were sent.
func TestAFailureWithoutABody(t *testing.T) {
	written := func(c *httptrace.ClientTrace, host string) {
		c.GetConn(host + ":443")
		c.WroteHeaderField("Host", []string{host})
	}
	for name, test := range map[string]struct {
		tell  func(c *httptrace.ClientTrace, host string)
		sent  int
		known bool
	}{
		"no account":              {tell: func(*httptrace.ClientTrace, string) {}, sent: 1},
		"written, then dials":     {tell: func(c *httptrace.ClientTrace, host string) { written(c, host); c.GetConn(host + ":443") }, sent: 1},
		"dials another host":      {tell: func(c *httptrace.ClientTrace, _ string) { c.GetConn("other.example.com:443") }, sent: 1},
		"dials only":              {tell: func(c *httptrace.ClientTrace, host string) { c.GetConn(host + ":443") }, sent: 4, known: true},
		"asks another host":       {tell: func(c *httptrace.ClientTrace, host string) { written(c, "other.example.com"); c.GetConn(host + ":443") }, sent: 4, known: true},
		"written to its own host": {tell: written, sent: 1},
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
					n++
					test.tell(httptrace.ContextClientTrace(r.Context()), r.URL.Host)
					return nil, errDial
				}))
				call := newCall(Once)
				call.Method, call.Body = method, nil
				_, err := engine.Do(t.Context(), call)
				var failure *Failure
				require.ErrorAs(t, err, &failure, name)
				require.Equal(t, !test.known, failure.Unknown, name)
				require.Equal(t, test.sent, n, name)
			})
		}
	}
}

// TestNoConnectionIsNothingSent: a proxy refuses, or a handshake fails on the other side. net/http tells no type of such an error, but that it never had a
// connection.
func TestNoConnectionIsNothingSent(t *testing.T) {
	hello := func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }
	answer := func(text string) func(net.Conn) {
		return func(c net.Conn) { hello(c); _, _ = io.WriteString(c, text) }
	}
	for name, test := range map[string]struct {
		serve   func(net.Conn)
		isProxy bool
	}{
		"the proxy refuses":        {serve: answer("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"), isProxy: true},
		"the proxy fails":          {serve: answer("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"), isProxy: true},
		"the proxy says nothing":   {serve: hello, isProxy: true},
		"the handshake breaks off": {serve: hello},
		"the handshake is reset":   {serve: func(c net.Conn) { hello(c); _ = c.(*net.TCPConn).SetLinger(0) }},
		"the handshake is refused": {serve: answer("\x15\x03\x03\x00\x02\x02\x28")},
		"the server knows no TLS":  {serve: answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")},
	} {
		for _, body := range [][]byte{nil, []byte(`{"a":1}`)} {
			for _, http2 := range []bool{false, true} {
				t.Run(name, func(t *testing.T) {
					listener, err := net.Listen("tcp", "127.0.0.1:0")
					require.NoError(t, err)
					defer listener.Close()
					go func() {
						for {
							c, err := listener.Accept()
							if err != nil {
								return
							}
							_ = c.SetDeadline(time.Now().Add(10 * time.Second))
							test.serve(c)
							_ = c.Close()
						}
					}()
					pool := NewHTTPTransport()
					defer pool.CloseIdleConnections()
					call := newCall(Once)
					call.Method, call.Body = "POST", body
					call.URL = &url.URL{Scheme: "https", Host: listener.Addr().String(), Path: "/"}
					if pool.Proxy = nil; test.isProxy {
						pool.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: listener.Addr().String()})
						call.URL.Host = "api.example.com"
					}
					call.Policy.BaseWait, call.Policy.MaxWait, call.Policy.MaxRetries = time.Millisecond, time.Millisecond, 2
					engine := New(Config{Client: &http.Client{Transport: pool}})
					engine.http2.Store(http2)
					_, err = engine.Do(t.Context(), call)
					var failure *Failure
					require.ErrorAs(t, err, &failure)
					want := 3
					if errors.Is(err, http.ErrSchemeMismatch) {
						want = 1 // no repeat teaches a server TLS
					}
					require.Equal(t, want, failure.Attempts, err)
					require.False(t, failure.Unknown, err)
				})
			}
		}
	}
}

// TestOtherRequestsWithTheSameContext: a transport, or what dials for it, may fetch something before the request is sent. That is not the request.
func TestOtherRequestsWithTheSameContext(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer other.Close()
	var arrived atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	defer server.Close()
	fetch := func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, "GET", other.URL, nil)
		if err != nil {
			return err
		}
		response, err := other.Client().Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	pool := NewHTTPTransport()
	defer pool.CloseIdleConnections()
	dialer := NewHTTPTransport()
	defer dialer.CloseIdleConnections()
	dialer.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := fetch(ctx); err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	for name, base := range map[string]http.RoundTripper{
		"the dialer": dialer,
		"the transport": roundTrip(func(r *http.Request) (*http.Response, error) {
			if err := fetch(r.Context()); err != nil {
				return nil, err
			}
			return pool.RoundTrip(r)
		}),
	} {
		for _, method := range []string{"POST", "GET", "DELETE"} {
			arrived.Store(0)
			call := newCall(Once)
			call.Method, call.Body = method, nil
			call.URL, _ = url.Parse(server.URL)
			answer, err := New(Config{Client: &http.Client{Transport: base}}).Do(t.Context(), call)
			require.NoError(t, err, name)
			answer.Release()
			require.EqualValues(t, 1, arrived.Load(), name)
		}
	}
}

func TestATransportWithoutAnswerAndError(t *testing.T) {
	_, err := newEngine(roundTrip(func(*http.Request) (*http.Response, error) { return nil, nil })).Do(t.Context(), newCall(Once))
	require.ErrorContains(t, err, "nil")
}

// TestSwitchingProtocolsEndsTheCall: what follows such an answer is no HTTP, and may never end.
func TestSwitchingProtocolsEndsTheCall(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn) // until the client closes it
	}))
	defer server.Close()
	pool := NewHTTPTransport()
	defer pool.CloseIdleConnections()
	for _, class := range []Class{Once, Read} {
		for _, isStream := range []bool{false, true} {
			call := newCall(class)
			call.URL, _ = url.Parse(server.URL)
			call.Stream = isStream
			answer, err := New(Config{Client: &http.Client{Transport: pool}}).Do(t.Context(), call)
			require.NoError(t, err)
			require.Equal(t, 101, answer.Status)
			require.Empty(t, answer.Body)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestErrorsQuoteNoCredential: net/http puts into its errors what a server sent in place of HTTP, and a proxy's name.
func TestErrorsQuoteNoCredential(t *testing.T) {
	const token = "test-token-echoed/1+2="
	for name, text := range map[string]string{
		"raw": token, "in a query": url.QueryEscape(token), "in base64": "dGVzdC10b2tlbi1lY2hvZWQvMSsyPQ", "a proxy": "http://user:hunter2@proxy.example.com:3128",
	} {
		call := newCall(Read)
		call.Header.Set("X-WallarmApi-Token", token)
		call.Policy.MaxRetries = 0
		inner := fmt.Errorf("malformed HTTP response %q: %w", text, io.ErrUnexpectedEOF)
		var told error
		engine := New(Config{
			Client:  &http.Client{Transport: failsUnread(inner)},
			Observe: func(_ context.Context, a Attempt) { told = a.Err },
		})
		_, err := engine.Do(t.Context(), call)
		for _, err := range []error{err, told} {
			require.Error(t, err, name)
			shown := fmt.Sprintf("%v %+v %#v %q", err, err, err, err)
			for _, secret := range []string{text, "hunter2", token} {
				require.NotContains(t, shown, secret, name)
			}
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "what it is can still be told")
		}
		require.True(t, strings.Contains(told.Error(), "malformed HTTP response"))
	}
}

func failsUnread(err error) roundTrip {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// TestABodyBelongsToItsAttempt: a RoundTripper that records may ask for the body of a request long after it has answered it, while other calls are
// under way.
func TestABodyBelongsToItsAttempt(t *testing.T) {
	for _, class := range []Class{Read, Once} {
		var first func() (io.ReadCloser, error)
		sent := 0
		engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			if sent++; first == nil {
				first = r.GetBody
				return status(200, "{}")(r)
			}
			again, err := first()
			if err == nil {
				data, _ := io.ReadAll(again)
				require.Equal(t, `{"a":1}`, string(data))
			}
			return nil, errDial // it was read all the same
		}))
		_, err := engine.Do(t.Context(), newCall(class))
		require.NoError(t, err)
		other := newCall(Once)
		other.Body = []byte(`{"other":"call"}`)
		_, err = engine.Do(t.Context(), other)
		var failure *Failure
		require.ErrorAs(t, err, &failure)
		require.True(t, failure.Unknown)
		require.Equal(t, 2, sent, "what may have been sent is not sent again")
	}
}

// TestATransportThatRewindsByItself may have sent the request before the dial that failed.
func TestATransportThatRewindsByItself(t *testing.T) {
	sent := 0
	engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
		sent++
		_, _ = io.Copy(io.Discard, r.Body)
		again, err := r.GetBody()
		require.NoError(t, err)
		require.NoError(t, again.Close())
		return nil, errDial
	}))
	_, err := engine.Do(t.Context(), newCall(Once))
	var failure *Failure
	require.ErrorAs(t, err, &failure)
	require.True(t, failure.Unknown)
	require.Equal(t, 1, sent)
}

// negotiated is a connection that wraps one of package tls.
type negotiated struct {
	net.Conn
	protocol string
}

func (n negotiated) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: n.protocol}
}

// TestAConnectionThatDoesNotTellItsProtocol may be one of HTTP/2, on which a create that was carried out could be sent again.
func TestAConnectionThatDoesNotTellItsProtocol(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	for conn, want := range map[net.Conn]error{
		client:                         errResent,
		negotiated{client, "h2"}:       errResent,
		negotiated{client, "http/1.1"}: nil,
	} {
		engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{Conn: conn})
			_, _ = io.Copy(io.Discard, r.Body)
			_, err := r.GetBody()
			require.Equal(t, want, err)
			return status(200, "{}")(r)
		}))
		_, err := engine.Do(t.Context(), newCall(Once))
		require.NoError(t, err)
	}
}

// TestACallOverHTTP2EndsWithItsContext although the server has sent its header, takes no more of the request, and says nothing more.
func TestACallOverHTTP2EndsWithItsContext(t *testing.T) {
	for _, isStream := range []bool{false, true} {
		for _, encoding := range []string{"", "gzip"} {
			for _, isWrapped := range []bool{false, true} {
				for _, later := range []time.Duration{0, 20 * time.Millisecond} { // most probably before and while the body is read
					endsWithItsContext(t, isStream, encoding, isWrapped, later)
				}
			}
		}
	}
}

func endsWithItsContext(t *testing.T, isStream bool, encoding string, isWrapped bool, later time.Duration) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("no more time")
	release := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if encoding != "" && r.Header.Get("Accept-Encoding") == encoding {
			w.Header().Set("Content-Encoding", encoding)
		}
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		time.AfterFunc(later, func() { cancel(reason) })
		<-release
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	defer server.CloseClientConnections()
	defer close(release)
	call := callTo(t, server, Once)
	call.Body, call.Stream = make([]byte, 3<<20), isStream
	client := server.Client()
	if isWrapped {
		client = &http.Client{Transport: roundTripper(client.Transport.RoundTrip)}
	}
	answer, err := New(Config{Client: client}).Do(ctx, call)
	if err == nil {
		require.True(t, isStream, "an answer that breaks off is none")
		_, err = io.ReadAll(answer.Stream)
		require.NoError(t, answer.Stream.Close())
	}
	// net/http does not tell the reason of a context that ends before it has the header.
	require.True(t, errors.Is(err, reason) || errors.Is(err, context.Canceled), "%v", err)
	if !isWrapped {
		require.Eventually(t, func() bool {
			stacks := make([]byte, 1<<20)
			return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "endingBody")
		}, 10*time.Second, time.Millisecond, "nothing of the call is left, although the server still holds on to it")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// quiet speaks HTTP/1.1 on one connection, of which it tells net/http nothing, and lets net/http send again what it cannot send.
type quiet struct {
	conn   *tls.Conn
	broken bool
}

func (q *quiet) RoundTrip(r *http.Request) (*http.Response, error) {
	if q.broken {
		return nil, unsent{}
	}
	q.broken = true
	if err := r.Write(q.conn); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(q.conn), r)
}

// unsent is the failure of a connection that is no longer of use, as net/http knows it.
type unsent struct{}

func (unsent) Error() string             { return "the connection is of no use" }
func (unsent) IsHTTP2NoCachedConnError() {}

// TestAProtocolThatTellsNoConnection: what took the body has sent it, whatever net/http tells of connections.
func TestAProtocolThatTellsNoConnection(t *testing.T) {
	var carriedOut atomic.Int32
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{NextProtos: []string{"quiet"}}
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"quiet": func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
			defer conn.Close()
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
				carriedOut.Add(1)
			}
		},
	}
	server.StartTLS()
	defer server.Close()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	pool := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: []string{"quiet"}},
		TLSNextProto:    map[string]func(string, *tls.Conn) http.RoundTripper{"quiet": func(_ string, c *tls.Conn) http.RoundTripper { return &quiet{conn: c} }},
	}
	defer pool.CloseIdleConnections()
	call := newCall(Once)
	call.URL, _ = url.Parse(server.URL)
	call.Policy.BaseWait, call.Policy.MaxWait = time.Millisecond, time.Millisecond
	_, err := newEngine(pool).Do(t.Context(), call)
	var failure *Failure
	require.ErrorAs(t, err, &failure)
	require.True(t, failure.Unknown)
	require.EqualValues(t, 1, carriedOut.Load())
}

// TestATransportThatDumpsRequests, as those that log for Terraform do, writes each of them to a connection that goes nowhere before it is sent.
func TestATransportThatDumpsRequests(t *testing.T) {
	for _, protocol := range []string{"http", "https", "h2"} {
		for _, layers := range []int{1, 2, 3} {
			var arrived, failing atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				arrived.Add(1)
				if failing.Load() > 0 {
					panic(http.ErrAbortHandler)
				}
			}))
			server.EnableHTTP2 = protocol == "h2"
			if protocol == "http" {
				server.Start()
			} else {
				server.StartTLS()
			}
			var chain http.RoundTripper = server.Client().Transport
			for range layers {
				next := chain
				chain = roundTrip(func(r *http.Request) (*http.Response, error) {
					_, err := httputil.DumpRequestOut(r, true)
					assert.NoError(t, err)
					return next.RoundTrip(r)
				})
			}
			engine := newEngine(chain)
			for _, method := range []string{"GET", "POST", "DELETE"} {
				for _, class := range []Class{Read, Idempotent, Once} {
					for _, body := range [][]byte{nil, []byte(`{"a":1}`)} {
						name := fmt.Sprint(protocol, layers, method, class, len(body))
						call := callTo(t, server, class)
						call.Method, call.Body = method, body
						failing.Store(0)
						arrived.Store(0)
						_, err := engine.Do(t.Context(), call)
						require.NoError(t, err, name)
						require.EqualValues(t, 1, arrived.Load(), name)
						if class != Once {
							continue
						}
						failing.Store(1)
						call = callTo(t, server, class)
						call.Method, call.Body = method, body
						_, err = engine.Do(t.Context(), call)
						var failure *Failure
						require.ErrorAs(t, err, &failure, name)
						require.True(t, failure.Unknown, name)
						require.EqualValues(t, 2, arrived.Load(), name)
					}
				}
			}
			server.Close()
		}
	}
}

// TestATransportThatSendsToAnotherHost, as one in front of a gateway does: what is sent there counts as well.
func TestATransportThatSendsToAnotherHost(t *testing.T) {
	for _, body := range [][]byte{nil, []byte(`{"a":1}`)} {
		for _, key := range []string{"", "Idempotency-Key"} {
			var made atomic.Int32
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					return
				}
				made.Add(1)
				panic(http.ErrAbortHandler)
			}))
			standard, standby := server.Client().Transport, strings.TrimPrefix(server.URL, "https://")
			renamed := roundTrip(func(r *http.Request) (*http.Response, error) {
				r = r.Clone(r.Context())
				r.Host = "gateway.example.com"
				if key != "" {
					r.Header.Set(key, "a-key")
				}
				return standard.RoundTrip(r)
			})
			failing := roundTrip(func(r *http.Request) (*http.Response, error) {
				second := r.Clone(r.Context())
				second.URL.Host, second.Host = standby, standby
				if r.Body != nil {
					second.Body, _ = r.GetBody()
				}
				_, dead := standard.RoundTrip(r)
				assert.True(t, NeverSent(dead))
				answer, err := standard.RoundTrip(second)
				if err != nil {
					return nil, errors.Join(dead, err)
				}
				return answer, nil
			})
			nobody, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, nobody.Close())
			for name, chain := range map[string]http.RoundTripper{"another name": renamed, "another host when nobody answers": failing} {
				engine := newEngine(chain)
				warm, call := callTo(t, server, Read), callTo(t, server, Once)
				warm.Method, warm.Body = http.MethodGet, nil
				if name != "another name" {
					warm.URL.Host, call.URL.Host = nobody.Addr().String(), nobody.Addr().String()
				}
				_, err := engine.Do(t.Context(), warm)
				require.NoError(t, err, name)
				made.Store(0)
				call.Header.Set("User-Agent", "wallarm-sdk-go/0")
				call.Body = body
				_, err = engine.Do(t.Context(), call)
				var failure *Failure
				require.ErrorAs(t, err, &failure, name)
				require.True(t, failure.Unknown, "%s, %q, %d", name, key, len(body))
				require.EqualValues(t, 1, made.Load(), "%s, %q, %d", name, key, len(body))
			}
			server.Close()
		}
	}
}

// TestATransportThatMakesRequestsOfItsOwn, as those that sign bodies do, gives them a GetBody, with which net/http sends a create again that the server
// has carried out.
func TestATransportThatMakesRequestsOfItsOwn(t *testing.T) {
	for _, body := range []string{"", `{"a":1}`} {
		for _, isNamed := range []bool{false, true} {
			const protocolError = 1
			var failing atomic.Bool
			reset := resetWith(protocolError)
			server := serveH2(t, false, func(_ *h2Server, conn net.Conn, _ int32, stream uint32) bool {
				if failing.Load() {
					return reset(conn, stream)
				}
				writeFrame(conn, frameHeaders, 4|flagEnd, stream, 0x88) // :status 200
				return true
			})
			pool := NewHTTPTransport()
			pool.TLSClientConfig = &tls.Config{RootCAs: server.roots}
			engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
				var read io.Reader
				if r.Body != nil {
					data, err := io.ReadAll(r.Body)
					assert.NoError(t, err)
					read = bytes.NewReader(data)
				}
				own, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), read)
				assert.NoError(t, err)
				if own.Header = r.Header.Clone(); isNamed {
					own.Host = "gateway.example.com"
				}
				return pool.RoundTrip(own)
			}))
			for _, isBroken := range []bool{false, true} {
				failing.Store(isBroken)
				server.arrived.Store(0)
				call := newCall(Once)
				call.Header.Set("User-Agent", "wallarm-sdk-go/0")
				call.URL = &url.URL{Scheme: "https", Host: server.listener.Addr().String(), Path: "/v1/x"}
				call.Body = []byte(body)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				_, err := engine.Do(ctx, call)
				cancel()
				require.EqualValues(t, 1, server.arrived.Load(), "%q, named %v", body, isNamed)
				var failure *Failure
				if require.Equal(t, isBroken, errors.As(err, &failure), "%v", err); isBroken {
					require.True(t, failure.Unknown)
				}
			}
			pool.CloseIdleConnections()
		}
	}
}

// TestATransportThatAnswersAChallenge sends the same request twice on purpose, the second time behind an answer.
func TestATransportThatAnswersAChallenge(t *testing.T) {
	for _, body := range []string{"", `{"a":1}`} {
		var arrived atomic.Int32
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			assert.Equal(t, body, string(sent))
			if arrived.Add(1) == 1 {
				w.Header().Set("Connection", "close") // so that another connection is made
				w.WriteHeader(http.StatusUnauthorized)
			}
		}))
		standard := server.Client().Transport
		engine := newEngine(roundTrip(func(r *http.Request) (*http.Response, error) {
			answer, err := standard.RoundTrip(r)
			if err != nil || answer.StatusCode != http.StatusUnauthorized {
				return answer, err
			}
			assert.NoError(t, answer.Body.Close())
			again := r.Clone(r.Context())
			if r.GetBody != nil {
				again.Body, err = r.GetBody()
				assert.NoError(t, err)
			}
			again.Header.Set("Authorization", "Digest test")
			return standard.RoundTrip(again)
		}))
		call := callTo(t, server, Once)
		call.Body = []byte(body)
		answer, err := engine.Do(t.Context(), call)
		require.NoError(t, err, body)
		require.Equal(t, 200, answer.Status)
		require.EqualValues(t, 2, arrived.Load())
		server.Close()
	}
}

// mutable is a connection on which nothing comes back any more, and no error either, once it is silent.
type mutable struct {
	net.Conn
	silent *atomic.Bool
	closed chan struct{}
	once   *sync.Once
}

func (m mutable) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if m.silent.Load() {
		<-m.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (m mutable) Write(p []byte) (int, error) {
	if m.silent.Load() {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

func (m mutable) Close() error {
	m.once.Do(func() { close(m.closed) })
	return m.Conn.Close()
}

// pipes is a listener whose connections are in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestAConnectionOfHTTP2ThatWentSilent, as when a load balancer has forgotten it, is replaced: calls do not fail on it again and again.
func TestAConnectionOfHTTP2ThatWentSilent(t *testing.T) {
	for _, c := range []struct {
		name  string
		class Class
		// idle is for how long nobody calls after the connection went silent.
		idle     time.Duration
		attempts int
	}{
		{"a read in vain", Read, 0, 2},
		{"a create in vain", Once, 0, 0},
		{"found out before", Once, time.Minute, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var protocols http.Protocols
				protocols.SetUnencryptedHTTP2(true)
				listener := make(pipes)
				server := &http.Server{Protocols: &protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, "{}")
				})}
				served := make(chan error)
				go func() { served <- server.Serve(listener) }()
				defer func() {
					require.NoError(t, server.Close())
					require.ErrorIs(t, <-served, http.ErrServerClosed)
				}()
				var silent []*atomic.Bool
				transport := NewHTTPTransport()
				transport.Protocols = &protocols
				transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					listener <- theirs
					silent = append(silent, new(atomic.Bool))
					return mutable{ours, silent[len(silent)-1], make(chan struct{}), new(sync.Once)}, nil
				}
				defer transport.CloseIdleConnections()
				engine := New(Config{Client: &http.Client{Transport: transport}})
				do := func(class Class) (*Answer, error) {
					call := newCall(class)
					call.URL.Scheme = "http"
					return engine.Do(t.Context(), call)
				}
				_, err := do(Read)
				require.NoError(t, err)
				silent[0].Store(true)
				time.Sleep(c.idle)
				started := time.Now()
				answer, err := do(c.class)
				require.LessOrEqual(t, time.Since(started), idleBeforePing+pingTimeout+2*DefaultPolicy.BaseWait)
				if c.attempts > 0 {
					require.NoError(t, err)
					require.Equal(t, c.attempts, answer.Attempts)
				} else {
					var failure *Failure
					require.ErrorAs(t, err, &failure)
					require.True(t, failure.Unknown)
					_, err = do(c.class)
					require.NoError(t, err, "the next one has a connection that lives")
				}
				require.Len(t, silent, 2)
			})
		})
	}
}
