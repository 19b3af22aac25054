package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"regexp"
)

// NeverSent reports whether err proves that the server saw nothing of the request: no connection came about. A false answer
// proves nothing.
func NeverSent(err error) bool {
	if err == nil {
		return false
	}
	var sign *SignError
	if errors.As(err, &sign) {
		return true
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return true
	}
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect") {
		return true
	}
	// net/http does not export the type of its handshake time-out, which comes before the request.
	var timeout net.Error
	return isTLSRefusal(err) || (errors.As(err, &timeout) && timeout.Timeout() && timeout.Error() == "net/http: TLS handshake timeout")
}

// turnedAway are the texts of failures, whose types net/http does not export, with which an HTTP/2 server says that it will not look at the request.
var turnedAway = regexp.MustCompile(`^http2: Transport: cannot retry err \[(?:http2: Transport received Server's graceful shutdown GOAWAY|` +
	`stream error: stream ID \d+; REFUSED_STREAM; received from peer)\] after Request\.Body was written; define Request\.GetBody to avoid this error$`)

// isTurnedAway reports whether err is such a failure. The texts are compared as wholes: what a server can put into an error never is the whole of it.
func isTurnedAway(err error) bool { return turnedAway.MatchString(err.Error()) }

// isTLSRefusal reports whether this side ended the TLS handshake, which comes before the request.
func isTLSRefusal(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) ||
		errors.As(err, &hostname) || errors.As(err, &invalid)
}

// IsPermanent reports whether trying again cannot help.
func IsPermanent(err error) bool {
	var sign *SignError
	return isTLSRefusal(err) || IsTooLarge(err) || errors.As(err, &sign) || errors.Is(err, http.ErrSchemeMismatch)
}
