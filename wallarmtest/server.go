package wallarmtest

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
)

// TB is the part of testing.TB that a Server needs. *testing.T has it.
type TB interface {
	Helper()
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Server is a Cloud on a loopback port.
type Server struct {
	*Cloud
	// URL is the base URL, without a trailing slash.
	URL  string
	http *httptest.Server
}

// NewServer starts a cloud on a loopback port. It closes with the test, and
// the test fails when a request asks for a route that the API does not have,
// unless AllowUnknownRoutes is given.
func NewServer(t TB, options ...Option) *Server {
	t.Helper()
	var cfg config
	for _, option := range options {
		option(&cfg)
	}
	s := &Server{Cloud: NewCloud(options...)}
	if !cfg.allowUnknown {
		s.unknown = func(r *http.Request) {
			t.Errorf("wallarmtest: no route for %s %s", r.Method, shownPath(r.URL.Path))
		}
	}
	s.http = httptest.NewUnstartedServer(s.Cloud)
	if cfg.tls {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	s.URL = s.http.URL
	t.Cleanup(s.Close)
	return s
}

// Client is an HTTP client that trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Certificate is the certificate of a server with WithTLS, otherwise nil.
func (s *Server) Certificate() *x509.Certificate { return s.http.Certificate() }

// Close ends waiting requests and closes the server. It may be called more
// than once; the test's cleanup calls it too.
func (s *Server) Close() {
	s.end()
	s.http.CloseClientConnections()
	s.http.Close()
}
