package transport

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/wallarm-sdk/wallarm/internal/redact"
)

// route is the way of a call. It is looked at only if an answer or an error is to be shown.
type route struct {
	base   http.RoundTripper
	ctx    context.Context
	method string
	url    *url.URL
	header http.Header
	// length is that of the body.
	length int
	// told is what proxies were really given; nil if nobody listened.
	told *told
}

// credentials returns those of the proxies on the way. A function that chooses a proxy is asked only if nothing else tells: it may count how often it is
// called, and choose another one each time.
func (r *route) credentials() redact.Credentials {
	if given := r.told.header(); given != nil {
		return redact.Sent(given, nil, nil)
	}
	known := redact.Sent(nil, nil, r.chosen())
	if transport, ok := r.base.(*http.Transport); ok {
		for name, values := range transport.ProxyConnectHeader {
			if strings.EqualFold(name, proxyHeader) {
				// Its parts are known as those of the same header in a request are.
				known = known.And(redact.Sent(http.Header{proxyHeader: values}, nil, nil))
			}
		}
	}
	return known
}

// chosen returns the secrets of the proxy that the transport chooses for such a call. It adds them by itself, and to a CONNECT that no caller sees.
func (r *route) chosen() []string {
	var secrets []string
	// A transport that is wrapped most likely does what the standard one does.
	choose := http.ProxyFromEnvironment
	if transport, ok := r.base.(*http.Transport); ok {
		choose = transport.Proxy
		for _, values := range transport.ProxyConnectHeader {
			secrets = append(secrets, values...)
		}
	}
	if choose == nil {
		return secrets
	}
	request := &http.Request{Method: r.method, URL: r.url, Host: r.url.Host, Header: r.header.Clone(), ContentLength: int64(r.length)}
	proxy, err := choose(request.WithContext(r.ctx))
	if err != nil || proxy == nil || proxy.User == nil {
		return secrets
	}
	user := proxy.User.Username()
	password, _ := proxy.User.Password()
	if password == "" {
		return append(secrets, user, user+":")
	}
	return append(secrets, password, user+":"+password)
}

// proxyHeader is where net/http puts the credentials of a proxy, which it adds to a request over plain http when it writes it.
const proxyHeader = "Proxy-Authorization"

// told is what the attempts of one call told proxies. The goroutines of connections write to it.
type told struct {
	mu     sync.Mutex
	values []string
}

// listen returns a context for requests over plain http that remembers what they tell proxies. Within TLS nothing tells that.
func (t *told) listen(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(name string, values []string) {
			if name != proxyHeader {
				return
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			t.values = append(t.values, values...)
		},
	})
}

// header returns what was told in the form in which it was, nil if nothing was.
func (t *told) header() http.Header {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.values) == 0 {
		return nil
	}
	return http.Header{proxyHeader: slices.Clone(t.values)}
}

// mayRotate reports whether a transport may go through another proxy with each request. Without a proxy it cannot, nor can it with that of the
// environment, which is read once: listening to each header that is written would cost much of a small call.
func mayRotate(base http.RoundTripper) bool {
	transport, isStandard := base.(*http.Transport)
	if !isStandard {
		return true
	}
	environment := reflect.ValueOf(http.ProxyFromEnvironment).Pointer()
	return transport.Proxy != nil && reflect.ValueOf(transport.Proxy).Pointer() != environment
}
