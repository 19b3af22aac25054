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
		if x.engine.http2.Load() || x.call.URL.Scheme == "http" && !x.engine.isPlainHTTP1 || isRepeatable(request.Method) {
			// Without GetBody a request is not sent twice, and the error tells whether the server looked at it.
			return x.watchWay(request, func(httptrace.GotConnInfo) {})
		}
		sent := x.body
		request.GetBody = sent.rewind
		if !x.engine.isStandard {
			request = sent.heedKey(request)
		}
		return x.watchWay(request, func(got httptrace.GotConnInfo) {
			if x.isHTTP2(got.Conn) {
				sent.isFinal.Store(true)
			}
		})
	}
	if !isOnce {
		return x.boundRepeats(request)
	}
	sent, host := new(bodiless), x.call.URL.Host
	resent := new(atomic.Bool)
	x.bodiless, x.resent = sent, resent
	ctx := request.Context()
	cancel := func(error) {}
	if isRepeatable(request.Method) && request.Method != http.MethodTrace {
		// An empty body is found out to be none before it is sent, but not before the request counts as one that cannot be repeated.
		request.Body = io.NopCloser(bytes.NewReader(nil))
	} else {
		ctx, cancel = context.WithCancelCause(ctx)
		x.settled = func() { cancel(nil) }
	}
	request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// A transport, or what dials for it, may send other requests with the same context, or write the same one for a log.
		GotConn: func(got httptrace.GotConnInfo) { sent.isDump.Store(isDump(got.Conn)) },
		WroteHeaderField: func(name string, values []string) {
			if name == "Host" || name == ":authority" {
				sent.isOurs.Store(len(values) == 1 && isHost(values[0], host))
			}
		},
		WroteHeaders: func() {
			if sent.isOurs.Load() && !sent.isDump.Load() {
				sent.wrote.Store(true)
			}
		},
	}))
	return x.watchWay(request, func(httptrace.GotConnInfo) {
		if sent.wrote.Load() {
			resent.Store(true)
			cancel(errResent)
		}
	})
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

// watchWay lets an attempt that must not be repeated tell whether it got as far as a connection. got is told of that, too.
func (x *exchange) watchWay(request *http.Request, got func(httptrace.GotConnInfo)) *http.Request {
	w, isStandard, own := new(way), x.engine.isStandard, address(x.call.URL)
	x.way = w
	return request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
		GetConn: func(to string) {
			// Another transport may fall over to a host of its own, or tell a third one of the request.
			if isStandard || to == own {
				w.asked.Store(true)
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			if !isDump(info.Conn) {
				w.got.Store(true)
				got(info)
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

// isHost reports whether a request that was written with a Host is one to host. It is taken for one where net/http may write that in another form.
func isHost(written, host string) bool {
	inAnotherForm := func(r rune) bool { return r == '%' || r > unicode.MaxASCII }
	return strings.EqualFold(written, host) || strings.ContainsFunc(host, inAnotherForm)
}

// isHTTP2 reports whether a connection may speak HTTP/2. That of another transport may do so without telling.
func (x *exchange) isHTTP2(conn net.Conn) bool {
	if secure, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return secure.ConnectionState().NegotiatedProtocol == "h2"
	}
	return !x.engine.isStandard && x.call.URL.Scheme == "https"
}

// boundRepeats lets net/http repeat a request without a body once, as [sentBody.rewind] does for one with a body. Where a server of HTTP/2 accepts
// connections and goes away from each, it would do so on hundreds of them a second, until the call ends.
func (x *exchange) boundRepeats(request *http.Request) *http.Request {
	ctx, cancel := context.WithCancelCause(request.Context())
	var conns atomic.Int32
	resent, isClear := new(atomic.Bool), x.call.URL.Scheme == "http" && !x.engine.isPlainHTTP1
	x.resent, x.settled = resent, func() { cancel(nil) }
	return request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			if (isClear || x.isHTTP2(got.Conn)) && !isDump(got.Conn) && conns.Add(1) > 2 {
				resent.Store(true)
				cancel(errResent)
			}
		},
	}))
}

// bodiless is what net/http tells about a request without a body, of which nobody sees otherwise whether it was sent.
type bodiless struct{ isOurs, isDump, wrote atomic.Bool }

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

// heedKey keeps a request that another transport has given an Idempotency-Key from being sent again.
func (b *sentBody) heedKey(request *http.Request) *http.Request {
	return request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
		WroteHeaderField: func(name string, _ []string) {
			if isIdempotencyKey(name) {
				b.isFinal.Store(true)
			}
		},
	}))
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
