package transport

import (
	"crypto/tls"
	"net/http"
	"time"
)

const (
	idleConnections = 100
	headerTimeout   = 60 * time.Second
	writeTimeout    = 30 * time.Second
	// A connection of HTTP/2 that has brought nothing for idleBeforePing is asked whether it lives, and given up if it does not say so within pingTimeout.
	idleBeforePing = 20 * time.Second
	pingTimeout    = 10 * time.Second
	// maxHeaderBytes is how long the header of an answer may be. Those of the API have less than a KiB.
	maxHeaderBytes = 1 << 20
)

// NewHTTPTransport makes the connection pool of a client: that of the standard library with room for many goroutines that talk to
// one host, and a bound on the wait for an answer's header.
func NewHTTPTransport() *http.Transport {
	t, ok := http.DefaultTransport.(*http.Transport)
	if ok {
		t = t.Clone()
	} else {
		// Somebody replaced the default transport: start from a plain one.
		t = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second}
	}
	t.MaxIdleConns = idleConnections
	t.MaxIdleConnsPerHost = idleConnections
	t.ResponseHeaderTimeout = headerTimeout
	if t.HTTP2 == nil {
		t.HTTP2 = &http.HTTP2Config{}
	}
	if t.HTTP2.WriteByteTimeout == 0 {
		// A server that takes nothing more would hold up all calls of the connection.
		t.HTTP2.WriteByteTimeout = writeTimeout
	}
	if t.HTTP2.SendPingTimeout == 0 {
		// All calls share a connection: one that went silent, as when a load balancer has forgotten it, would fail every one of them.
		t.HTTP2.SendPingTimeout, t.HTTP2.PingTimeout = idleBeforePing, pingTimeout
	}
	if t.MaxResponseHeaderBytes == 0 {
		t.MaxResponseHeaderBytes = maxHeaderBytes
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.MinVersion = max(t.TLSClientConfig.MinVersion, tls.VersionTLS12)
	return t
}
