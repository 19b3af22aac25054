package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
)

// giveBody gives an attempt its body, and keeps net/http from repeating a change by itself. After some failures it sends a request again without
// regard to its replay class, the retries, the limiter and the hooks: over HTTP/1.1 one with a body if nothing of it was written, which is
// harmless and common, since servers close idle connections; over HTTP/2 also one that the server had read as a whole.
func (x *exchange) giveBody(request *http.Request) *http.Request {
	request.Body, request.GetBody, request.ContentLength = nil, nil, 0
	x.body, x.bodiless, x.resent, x.way = nil, nil, nil, nil
	isOnce := x.call.Class == Once
	if len(x.call.Body) > 0 {
		x.body = &sentBody{data: x.call.Body, isStandard: x.engine.isStandard}
		x.body.first.Reset(x.call.Body)
		x.body.current = &x.body.first
		// The type is one that net/http knows, so that it sends header and body together.
		request.Body, request.ContentLength = io.NopCloser(&x.body.first), int64(len(x.call.Body))
		if !isOnce {
			request.GetBody = x.body.rewind
			return request
		}
		// Without GetBody a request is not sent twice, and the error tells whether the server looked at it.
		if !x.engine.http2.Load() && (x.call.URL.Scheme != "http" || x.engine.isPlainHTTP1) && !isRepeatable(request.Method) {
			request.GetBody = x.body.rewind
		}
		if !x.engine.isStandard {
			request, _ = x.guard(request) // another transport may make a request of its own, with a GetBody or an Idempotency-Key
		}
		return x.watchWay(request)
	}
	if !isOnce {
		return x.boundRepeats(request)
	}
	request, x.bodiless = x.guard(request)
	if isRepeatable(request.Method) && request.Method != http.MethodTrace {
		// An empty body is found out to be none before it is sent, but not before the request counts as one that cannot be repeated.
		request.Body = io.NopCloser(bytes.NewReader(nil))
	}
	return x.watchWay(request)
}

// guard ends an attempt when net/http gets a connection for it although it was sent on another before, and nothing was answered.
func (x *exchange) guard(request *http.Request) (*http.Request, *sending) {
	s, resent := new(sending), new(atomic.Bool)
	ctx, cancel := context.WithCancelCause(request.Context())
	x.resent, x.settled = resent, func() { cancel(nil) }
	host, agent, hasBody, isHTTP2 := x.call.URL.Host, x.header.Get("User-Agent"), len(x.call.Body) > 0, x.isHTTP2()
	return request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			isDump := isDump(got.Conn)
			s.isDump.Store(isDump)
			if isDump || !s.isOpen.Load() {
				return
			}
			resent.Store(true)
			cancel(errResent)
			if !isHTTP2(got.Conn) {
				got.Conn.Close() // net/http writes to it before it looks at the context
			}
		},
		// A transport, or what dials for it, may send other requests with the same context, or write the same one for a log. What comes once all fields
		// are written may come behind the answer.
		WroteHeaderField: func(name string, values []string) {
			isHost := name == "Host" || name == ":authority"
			isOurs := isHost && sameHost(values, host) || strings.EqualFold(name, "User-Agent") && names(values, agent) // for another host
			if isOurs && !s.isDump.Load() {
				s.wrote.Store(true)
				s.isOpen.Store(true)
			}
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err != nil && hasBody {
				s.isOpen.Store(false) // a part of a body is none
			}
		},
		GotFirstResponseByte: func() { s.isOpen.Store(false) },
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			s.isOpen.Store(s.wrote.Load()) // the answer is still to come
			return nil
		},
	})), s
}

// isRepeatable reports whether net/http sends requests with a method again that the server may have carried out, unless they have a body without GetBody.
func isRepeatable(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// way is what net/http tells of the way of an attempt to a connection.
type way struct{ asked, got atomic.Bool }

// watchWay lets an attempt that must not be repeated tell whether it got as far as a connection, and takes the leave to rewind its body where that
// connection speaks HTTP/2.
func (x *exchange) watchWay(request *http.Request) *http.Request {
	w, sent, isStandard, own, isHTTP2 := new(way), x.body, x.engine.isStandard, address(x.call.URL), x.isHTTP2()
	x.way = w
	return request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
		GetConn: func(to string) {
			// Another transport may fall over to a host of its own, or tell a third one of the request.
			if isStandard || to == own {
				w.asked.Store(true)
			}
		},
		GotConn: func(got httptrace.GotConnInfo) {
			if isDump(got.Conn) {
				return
			}
			w.got.Store(true)
			if sent != nil && isHTTP2(got.Conn) {
				sent.isFinal.Store(true)
			}
		},
	}))
}

// address is the one that a connection for a URL is made to, if no proxy is on the way.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// unconnected reports whether net/http never had a connection to send the request on: a proxy refused it, or a handshake failed. Another transport may
// have sent it by other ways.
func (x *exchange) unconnected() bool {
	return x.engine.isStandard && x.way != nil && x.way.asked.Load() && !x.way.got.Load()
}

// sameHost reports whether a request that was written with a Host is one to host. It is taken for one where net/http may write that in another form.
func sameHost(written []string, host string) bool {
	inAnotherForm := func(r rune) bool { return r == '%' || r > unicode.MaxASCII }
	return len(written) == 1 && strings.EqualFold(written[0], host) || strings.ContainsFunc(host, inAnotherForm)
}

// names reports whether a User-Agent that was written names agent.
func names(written []string, agent string) bool {
	return len(written) == 1 && agent != "" && strings.Contains(written[0], agent)
}

// isHTTP2 returns a function that reports whether a connection may speak HTTP/2. That of another transport may do so without telling. The function does
// not look at the exchange, which may be in use for another call when a transport asks.
func (x *exchange) isHTTP2() func(net.Conn) bool {
	otherwise := !x.engine.isStandard && x.call.URL.Scheme == "https"
	return func(conn net.Conn) bool {
		if secure, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
			return secure.ConnectionState().NegotiatedProtocol == "h2"
		}
		return otherwise
	}
}

// boundRepeats lets net/http repeat a request without a body once, as [sentBody.rewind] does for one with a body. Where a server of HTTP/2 accepts
// connections and goes away from each, it would do so on hundreds of them a second, until the call ends.
func (x *exchange) boundRepeats(request *http.Request) *http.Request {
	ctx, cancel := context.WithCancelCause(request.Context())
	var conns atomic.Int32
	resent, isHTTP2, isClear := new(atomic.Bool), x.isHTTP2(), x.call.URL.Scheme == "http" && !x.engine.isPlainHTTP1
	x.resent, x.settled = resent, func() { cancel(nil) }
	return request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			if (isClear || isHTTP2(got.Conn)) && !isDump(got.Conn) && conns.Add(1) > 2 {
				resent.Store(true)
				cancel(errResent)
			}
		},
	}))
}

// sending is what net/http tells about a request that must not be sent twice: that it was written, and that nothing has come in answer to that.
type sending struct{ isDump, wrote, isOpen atomic.Bool }

// isDump reports whether a connection is that of [httputil.DumpRequestOut], which goes nowhere: logging transports write requests to it first.
func isDump(conn net.Conn) bool {
	t := reflect.TypeOf(conn)
	return t != nil && t.Kind() == reflect.Pointer && t.Elem().PkgPath() == "net/http/httputil"
}

var errResent = errors.New("the connection failed after the request was sent")

// sentBody is the body of one attempt. Nothing else shares it: a RoundTripper may ask for the body of a request long after it has returned.
type sentBody struct {
	data []byte
	// isStandard says that nobody but net/http sends the request.
	isStandard bool
	// isFinal says that the request must not be sent again.
	isFinal atomic.Bool
	first   bytes.Reader

	mu sync.Mutex
	// current is what is read from, rewound says that it is no longer the first.
	current *bytes.Reader
	rewound bool
}

// rewind is the GetBody of a request. It lets net/http repeat an attempt once; what fails again is the engine's affair.
func (b *sentBody) rewind() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rewound || b.isFinal.Load() {
		return nil, errResent
	}
	b.rewound = true
	b.current = bytes.NewReader(b.data)
	return io.NopCloser(b.current), nil
}

// isUnread reports whether nothing was taken to be sent. net/http rewinds a body of which it has written nothing; whoever else does may have sent it.
func (b *sentBody) isUnread() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current.Len() == len(b.data) && (b.isStandard || !b.rewound)
}

// unread reports whether nothing was taken to be sent. A transport that tells nothing about a request without a body may have sent it before it failed in
// another way.
func (x *exchange) unread() bool {
	if x.bodiless != nil {
		return x.way.asked.Load() && !x.bodiless.wrote.Load()
	}
	return x.body == nil || x.body.isUnread()
}

// acceptGzip asks for a compressed answer to a request with a body, in the place of net/http, whose HTTP/2 cannot close a body of which it waits for the
// first byte to decompress; see [endingBody]. A RoundTripper that is not the standard one may look at the bodies: it gets them as net/http makes them.
func (e *Engine) acceptGzip(call *Call) {
	if !e.isGzipOurs || len(call.Body) == 0 {
		return
	}
	if _, isSet := call.Header["Accept-Encoding"]; !isSet && len(call.Header["Range"]) == 0 {
		call.Header["Accept-Encoding"] = acceptsGzip
	}
}

// acceptsGzip is shared and never written to.
var acceptsGzip = []string{"gzip"}

// endingBody is the body of an answer over HTTP/2 that ends with the context, also while the request is still being sent: net/http does not look at the
// context while it waits for leave to send the rest, and the server need not give it.
type endingBody struct {
	io.ReadCloser
	ctx    context.Context
	detach func() bool
	// isStuck says that a read may not end when the body is closed: the first one of a body that net/http decompresses.
	isStuck bool
}

func newEndingBody(ctx context.Context, response *http.Response) *endingBody {
	body := response.Body
	// It may be closed while somebody reads it.
	return &endingBody{body, ctx, context.AfterFunc(ctx, func() { _ = body.Close() }), response.Uncompressed}
}

func (b *endingBody) Read(p []byte) (int, error) {
	if len(p) > 0 && b.isStuck {
		return b.readFirst(p[:1])
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

// readFirst reads a byte, or leaves a goroutine that waits for it as long as the stream lives.
func (b *endingBody) readFirst(p []byte) (int, error) {
	type result struct {
		data [1]byte
		n    int
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.n, r.err = b.ReadCloser.Read(r.data[:])
		done <- r
	}()
	select {
	case r := <-done:
		b.isStuck = false
		return copy(p, r.data[:r.n]), r.err
	case <-b.ctx.Done():
		return 0, context.Cause(b.ctx)
	}
}

func (b *endingBody) Close() error {
	if !b.detach() {
		return nil // closed by the end of the context, or about to be
	}
	return b.ReadCloser.Close()
}
