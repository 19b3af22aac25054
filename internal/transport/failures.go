package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
)

// NeverSent reports whether err proves that the server saw nothing of the request: no connection came about. A false answer
// proves nothing.
func NeverSent(err error) bool {
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

// isPermanent reports whether trying again cannot help.
func isPermanent(err error) bool {
	var sign *SignError
	return isTLSRefusal(err) || IsTooLarge(err) || errors.As(err, &sign) || errors.Is(err, http.ErrSchemeMismatch)
}
