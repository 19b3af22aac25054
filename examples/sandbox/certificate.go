package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"time"
)

// certificate is a throwaway certificate. Its key never leaves memory, and
// its file, which clients trust, goes with the sandbox.
type certificate struct {
	file string
	pair tls.Certificate
}

func newCertificate(now time.Time) (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Wallarm sandbox"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(30 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // some clients trust authorities only
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	file, err := writeCertificate(der)
	if err != nil {
		return nil, err
	}
	return &certificate{file: file, pair: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

func writeCertificate(der []byte) (string, error) {
	f, err := os.CreateTemp("", "wallarm-sandbox-*.pem")
	if err != nil {
		return "", err
	}
	err = errors.Join(pem.Encode(f, &pem.Block{Type: "CERTIFICATE", Bytes: der}), f.Close())
	return f.Name(), err
}

func (c *certificate) wrap(listener net.Listener) net.Listener {
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{c.pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	})
}

func (c *certificate) remove() { _ = os.Remove(c.file) }
