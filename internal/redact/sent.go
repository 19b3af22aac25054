package redact

import (
	"encoding/base64"
	"errors"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Credentials are what a request carried, in the forms in which an answer or an error may repeat them.
type Credentials []string

// minCredential is the length below which a value is no secret that could be looked for in a text.
const minCredential = 8

// Sent returns the credentials in the header of a request.
func Sent(header http.Header) Credentials {
	var known Credentials
	for name, values := range header {
		if !isSecretHeader(name) {
			continue
		}
		for _, value := range values {
			if len(value) < minCredential {
				continue
			}
			encoded := base64.RawStdEncoding.EncodeToString([]byte(value))
			for _, form := range []string{
				value, url.QueryEscape(value), url.PathEscape(value), html.EscapeString(value), strings.ReplaceAll(value, "/", `\/`),
				encoded, base64.RawURLEncoding.EncodeToString([]byte(value)),
			} {
				if !slices.Contains(known, form) {
					known = append(known, form)
				}
			}
		}
	}
	// A longer form may hold a shorter one, and would show its rest.
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) })
	return known
}

// Text masks the credentials in a text.
func (c Credentials) Text(s string) string {
	for _, value := range c {
		s = strings.ReplaceAll(s, value, Mask)
	}
	return s
}

// Bytes masks the credentials in a body.
func (c Credentials) Bytes(body []byte) []byte {
	if len(body) == 0 {
		return body
	}
	return []byte(c.Text(string(body)))
}

// Header is [Header] for the header of an answer, in which the credentials are masked under whatever name they stand.
func (c Credentials) Header(h http.Header) http.Header {
	safe := Header(h)
	copied := false
	for name, values := range safe {
		for i, value := range values {
			masked := c.Text(value)
			if masked == value {
				continue
			}
			if !copied {
				safe, copied = maps.Clone(safe), true
			}
			safe[name] = slices.Clone(safe[name])
			safe[name][i] = masked
		}
	}
	return safe
}

// userInfo is the part of a URL that holds a password, such as that of a proxy.
var userInfo = regexp.MustCompile(`://[^/\s"'@]*@`)

// Error returns err, or an error with the same identity if its text shows a credential or the user of a URL: texts of net/http quote what the server
// sent, and what a proxy is called.
func (c Credentials) Error(err error) error {
	text := err.Error()
	safe := c.Text(text)
	if strings.Contains(safe, "@") {
		safe = userInfo.ReplaceAllString(safe, "://"+Mask+"@")
	}
	if safe == text {
		return err
	}
	return &maskedError{text: safe, is: func(target error) bool { return errors.Is(err, target) }}
}

// maskedError shows nothing of the error in whose place it stands but its identity.
type maskedError struct {
	text string
	is   func(error) bool
}

func (e *maskedError) Error() string { return e.text }

// Is makes errors.Is see through the mask.
func (e *maskedError) Is(target error) bool { return e.is(target) }
