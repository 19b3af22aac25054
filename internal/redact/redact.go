// Package redact keeps secrets out of what people and logs see. It masks by the rules of docs/wire/errors.md, section 12.
package redact

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Mask stands in place of a secret.
const Mask = "[redacted]"

// suffixes are the ends of the names of secret members.
var suffixes = []string{
	"token", "secret", "password", "otp", "otp_secret", "license", "chat_data", "signed_url", "ca_file", "invitation",
	"private_key", "idp_cert", "saml_response", "qr_code", "api_key", "apikey", "file_remote_url", "authorization", "cookie",
}

// subtrees are the names of members under which everything is secret.
var subtrees = []string{
	"target", "headers", "auth_headers", "session_data", "additional_data", "diff", "before", "after", "state_before_action", "state_after_action",
}

// isSecretName reports whether the value of a member called name is to be masked.
func isSecretName(name string) bool {
	name = strings.ToLower(name)
	for _, suffix := range suffixes {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return strings.HasPrefix(name, "user_attr_") || slices.Contains(subtrees, name)
}

// Body returns a copy of a body with the values of secret members masked. JSON that breaks off keeps its masked beginning; a body
// that is not JSON is treated as text.
func Body(body []byte) []byte {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil
	}
	m := masker{decoder: jsontext.NewDecoder(bytes.NewBuffer(trimmed), syntax)}
	m.encoder = jsontext.NewEncoder(&m.out, syntax)
	var err error
	for err == nil {
		err = m.next()
	}
	whole := errors.Is(err, io.EOF)
	out := bytes.TrimRight(m.out.Bytes(), "\n")
	switch {
	case whole:
		return out
	case trimmed[0] == '{' || trimmed[0] == '[':
		// What comes after the break may be a secret whose name was before it.
		return append(out, "…"...)
	}
	return []byte(Text(string(trimmed)))
}

var syntax = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// masker copies JSON token by token.
type masker struct {
	decoder *jsontext.Decoder
	encoder *jsontext.Encoder
	out     bytes.Buffer
}

func (m *masker) next() error {
	token, err := m.decoder.ReadToken()
	if err != nil {
		return err
	}
	isName := false
	if depth := m.decoder.StackDepth(); depth > 0 && token.Kind() == '"' {
		parent, length := m.decoder.StackIndex(depth)
		isName = parent == '{' && length%2 == 1
	}
	name := ""
	if isName {
		name = token.String()
	}
	if token.Kind() == '"' && !isName {
		// A text may itself hold a pair of name and value.
		if text := token.String(); textSecrets.MatchString(text) {
			token = jsontext.String(Text(text))
		}
	}
	if err := m.encoder.WriteToken(token); err != nil {
		return err
	}
	// A member "value" echoes the caller's input in error bodies, whatever field it was meant for.
	if !isName || (!isSecretName(name) && name != "value") {
		return nil
	}
	value, err := m.decoder.ReadValue()
	if err != nil {
		return err
	}
	return m.encoder.WriteValue(masked(value))
}

// masked keeps what says nothing: null, booleans, empty texts, and the complaint about a secret field.
func masked(value jsontext.Value) jsontext.Value {
	switch value.Kind() {
	case 'n', 't', 'f':
		return value
	case '"':
		if string(value) == `""` {
			return value
		}
	}
	return jsontext.Value(`"` + Mask + `"`)
}

// textSecrets finds name=value and "name": "value" pairs in text that is not JSON, and long runs that look like credentials.
var textSecrets = regexp.MustCompile(`(?i)((?:[a-z0-9_-]*(?:token|secret|password|otp|license|chat_data|signed_url|ca_file|private_key|idp_cert|saml_response|qr_code|file_remote_url|user_attr_|signature|invitation|authorization|cookie|api[_-]?key)[a-z0-9_-]*)["']?\s*[:=]\s*)(?:bearer\s+|basic\s+)?("[^"]*"?|'[^']*'?|[^\s&,;<>"']+)`)

// Text masks what looks like a secret in text that is not JSON.
func Text(s string) string { return textSecrets.ReplaceAllString(s, "${1}"+Mask) }

// plainComplaint is what a service says about a field: a few plain words, and never digits or mixed case.
var plainComplaint = regexp.MustCompile(`^[A-Z]?[a-z]{0,15}(?:(?:[ ']|, )[a-z]{1,15})*[.!]?$`)

// Complaint returns what an error answer says about the field called name, masked if that field is secret and the text is not plainly a complaint
// such as "required" or "is too short": it might be the value itself.
func Complaint(name, text string) string {
	text = Text(text)
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if (isSecretName(part) || part == "value") && !plainComplaint.MatchString(text) {
			return Mask
		}
	}
	return text
}

// Header returns h with the values of headers masked that carry credentials or may carry signed links. It is a copy if there are such.
func Header(h http.Header) http.Header {
	var out http.Header
	for name, values := range h {
		if !isSecretHeader(name) {
			continue
		}
		if out == nil {
			out = maps.Clone(h)
		}
		out[name] = slices.Repeat([]string{Mask}, len(values))
	}
	if out == nil {
		return h
	}
	return out
}

func isSecretHeader(name string) bool {
	name = strings.ToLower(name)
	if name == "location" || strings.Contains(name, "uuid") {
		return true
	}
	for _, part := range []string{"token", "secret", "key", "authorization", "cookie"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// URL returns u as text with user info and secret query values masked.
func URL(u *url.URL) string {
	if u == nil {
		return ""
	}
	c := *u
	if c.User != nil {
		c.User = url.User("redacted")
	}
	query := c.Query()
	for name, values := range query {
		lower := strings.ToLower(name)
		if isSecretName(strings.Trim(lower, "[]")) || strings.Contains(lower, "signature") || strings.HasPrefix(lower, "x-amz-") {
			for i := range values {
				values[i] = Mask
			}
		}
	}
	c.RawQuery = query.Encode()
	return c.String()
}
