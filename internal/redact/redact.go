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

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// Mask stands in place of a secret.
const Mask = "[redacted]"

// suffixes are the ends of the names of secret members, without the marks between their words: api_key, api-key and apiKey are one.
var suffixes = []string{
	"token", "secret", "password", "otp", "license", "chatdata", "signedurl", "cafile", "invitation", "idpcert", "samlresponse", "qrcode", "fileremoteurl",
	"authorization", "cookie", "cookies", "passwd", "pwd", "passphrase", "credential", "credentials", "apikey", "privatekey", "secretkey", "accesskey",
	"integrationkey", "routingkey", "signingkey", "encryptionkey", "sshkey", "recoverycode", "recoverycodes", "webhookurl", "collectorurl", "connectionstring",
}

// words are the last words of the names of secret members. They are too short to be any end of a name: bypass says nothing secret.
var words = []string{"auth", "bearer", "jwt", "pass", "sig", "signature"}

// subtrees are the names of members under which everything is secret.
var subtrees = []string{
	"target", "headers", "auth_headers", "session_data", "additional_data", "diff", "before", "after", "state_before_action", "state_after_action",
}

// IsSecretName reports whether the value of a member or a parameter called name is to be masked. The name may be a path such as user[password] or
// target.url.
func IsSecretName(name string) bool {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune("[]. \t", r) }) {
		if isSecretPart(part) || isSecretWord(part) {
			return true
		}
	}
	return false
}

func isSecretPart(name string) bool {
	name = strings.ToLower(name)
	joined := wordMarks.Replace(name)
	for _, suffix := range suffixes {
		if strings.HasSuffix(joined, suffix) {
			return true
		}
	}
	if strings.HasPrefix(joined, "userattr") {
		return true
	}
	return slices.ContainsFunc(subtrees, func(subtree string) bool { return wordMarks.Replace(subtree) == joined })
}

var wordMarks = strings.NewReplacer("_", "", "-", "")

// isSecretWord reports whether the last word of a name is one of words: of basic_auth, basic-auth, basicAuth, HTTPAuth or oauth2Auth.
func isSecretWord(name string) bool {
	name = name[strings.LastIndexAny(name, "_-")+1:]
	for _, word := range words {
		at := len(name) - len(word)
		if at < 0 || !strings.EqualFold(name[at:], word) {
			continue
		}
		if at == 0 || isUpper(name[at]) && (!isUpper(name[at-1]) || !isUpper(name[at+1])) {
			return true
		}
	}
	return false
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

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
	return []byte(plainText(string(trimmed)))
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
	isName := wire.IsName(m.decoder, token)
	name := ""
	if isName {
		name = token.String()
	}
	if token.Kind() == '"' && !isName {
		// A text may itself hold a pair of name and value, or JSON.
		text := token.String()
		if safe := Text(text); safe != text {
			token = jsontext.String(safe)
		}
	}
	if err := m.encoder.WriteToken(token); err != nil {
		return err
	}
	// A member "value" echoes the caller's input in error bodies, whatever field it was meant for.
	if !isName || (!IsSecretName(name) && name != "value") {
		return nil
	}
	value, err := m.decoder.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() == '0' && isSecretWord(name) {
		// The API counts by such words: {"auth": 4, "weak_jwt": 1}.
		return m.encoder.WriteValue(value)
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

// secretPair finds the beginning of a pair of a secret name and its value in text that is not JSON: the name, and all up to the value. The name may
// be that of a form or a query (user[password]=, also escaped), quoted (by JSON, by JSON inside of JSON, by HTML) or a key of a Ruby hash.
var secretPair = regexp.MustCompile(`(?i)(?:(?:([a-z0-9_-]*(?:authorization|cookie)[a-z0-9_-]*)|` +
	`[a-z0-9_-]*(?:token|secret|password|passwd|pwd|passphrase|credential|otp|license|chat[_-]?data|signed[_-]?url|ca[_-]?file|idp[_-]?cert|saml[_-]?response|` +
	`qr[_-]?code|file[_-]?remote[_-]?url|user[_-]?attr|signature|invitation|(?:api|private|access|integration|routing|signing|encryption|ssh)[_-]?key|` +
	`recovery[_-]?code|(?:webhook|collector)[_-]?url|connection[_-]?string)[a-z0-9_-]*|` +
	`(?:\b|%[0-9a-f]{2})(?:target|headers|auth[_-]?headers|session[_-]?data|additional[_-]?data|diff|before|after|state[_-]?before[_-]?action|state[_-]?after[_-]?action)\b)` +
	quotes + `*\s*(?:=>|[:=]|=&gt;|%3D|%3A)|` +
	`(?:(?:\b|[_-]|%[0-9a-f]{2})(?:auth|bearer|jwt|pass|sig)|(?-i:[a-z0-9](?:Auth|Bearer|Jwt|JWT|Pass|Sig)|[A-Z](?:Auth|Bearer|Jwt|Pass|Sig)))` +
	`(?:` + quotes + `*\s*(?:=>?|=&gt;|%3D)|` + quotes + `+\s*(?::|%3A)|(\s*:)))` +
	`\s*(?:bearer\s+|basic\s+)?`)

// quotes are the marks that may stand around the name of a pair.
const quotes = `(?:[\\"'\[\]]|%5B|%5D|%22|%27|&quot;|&#3[49];)`

// pemBlock is a key or a certificate, with or without its end.
var pemBlock = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*-----.*?(?:-----END [A-Z0-9 ]*-----|$)`)

// Text masks what looks like a secret in text. A text that is JSON is masked as JSON, since services put the answers of others into their messages.
func Text(s string) string {
	if trimmed := strings.TrimSpace(s); trimmed != "" && strings.IndexByte(`{["`, trimmed[0]) >= 0 && jsontext.Value(trimmed).IsValid(syntax) {
		return string(Body([]byte(trimmed)))
	}
	return plainText(s)
}

func plainText(s string) string {
	s = pemBlock.ReplaceAllString(s, Mask)
	if !strings.ContainsAny(s, "=:%") {
		return s // a pair has one of these, and looking for one takes long
	}
	var b strings.Builder
	for {
		at := secretPair.FindStringSubmatchIndex(s)
		if at == nil {
			break
		}
		b.WriteString(s[:at[1]])
		s = s[at[1]:]
		if said := clause(s); at[4] >= 0 && (isComplaint(said) || startsWithCount(said)) {
			continue // a short word before a bare colon may begin a sentence: "auth: user not found", "pass: 3 of 5"
		}
		if n := secretLength(s, at[2] >= 0); n > 0 {
			b.WriteString(Mask)
			s = s[n:]
		}
	}
	if b.Len() == 0 {
		return s
	}
	b.WriteString(s)
	return b.String()
}

// secretLength returns how much of s, which follows a secret name, belongs to the secret. A header such as Cookie holds all of its line.
func secretLength(s string, isHeader bool) int {
	if s == "" {
		return 0
	}
	if s[0] == '"' || s[0] == '\'' {
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case s[0]:
				return i + 1
			case '\\':
				i++
			}
		}
		return len(s)
	}
	if strings.IndexByte(`\[{%`, s[0]) >= 0 || strings.HasPrefix(s, "&quot;") || strings.HasPrefix(s, "&#") || strings.HasPrefix(s, "&lt;") {
		// Lists, objects and quotes that are escaped: where they end is not worth an error.
		return len(s)
	}
	if isHeader {
		return lineLength(s)
	}
	if s[0] == '<' {
		// The value stands in angle brackets, or behind a tag.
		end := strings.IndexByte(s, '>') + 1
		if end == 0 {
			return len(s)
		}
		return end + secretLength(s[end:], false)
	}
	end := strings.IndexAny(s, " \t\r\n&,;<>\"'")
	switch {
	case end < 0:
		return len(s)
	case end > 0 && strings.IndexByte(":=", s[end-1]) >= 0:
		// What looked like the value is a name itself, and the value comes behind it.
		return lineLength(s)
	}
	return end
}

func lineLength(s string) int {
	if end := strings.IndexAny(s, "\r\n"); end >= 0 {
		return end
	}
	return len(s)
}

// plainComplaint is what a service says about a field: a few plain words, and never digits or mixed case.
var plainComplaint = regexp.MustCompile(`^[A-Z]?[a-z]{0,15}(?:(?:[ ']|, )[a-z]{1,15})*[.!]?$`)

// complaining are the words that make a complaint of others. A pass phrase of plain words most likely has none.
var complaining = []string{
	"absent", "accepted", "already", "are", "available", "be", "blank", "can", "cannot", "denied", "differ", "different", "differs", "disabled", "does", "empty",
	"exist", "exists", "expected", "expired", "failed", "forbidden", "has", "incorrect", "invalid", "is", "malformed", "match", "mismatch", "missing", "must",
	"needed", "needs", "no", "not", "provided", "refused", "rejected", "required", "requires", "revoked", "should", "supported", "taken", "too", "unauthorized",
	"unexpected", "unknown", "unsupported", "used", "was", "weak", "were", "wrong",
}

// isComplaint reports whether text is plainly a complaint, such as "required", "is too short" or "user not found", and so no secret.
func isComplaint(text string) bool {
	return plainComplaint.MatchString(text) && slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ',.!", r) }),
		func(word string) bool { return slices.Contains(complaining, strings.ToLower(word)) })
}

// startsWithCount reports whether the first word of a text is a number of a few digits.
func startsWithCount(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	return 0 < len(word) && len(word) <= 4 && strings.Trim(word, "0123456789") == ""
}

// clause is the beginning of a text up to a mark that ends a clause.
func clause(s string) string {
	if end := strings.IndexAny(s, "\r\n;:,\"<>()[]{}"); end >= 0 {
		s = s[:end]
	}
	return strings.TrimSpace(s)
}

// Complaint returns what an error answer says about the field called name, masked if that field is secret and the text is not plainly a complaint
// such as "required" or "is too short": it might be the value itself.
func Complaint(name, text string) string {
	text = Text(text)
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if (IsSecretName(part) || part == "value") && !isComplaint(text) {
			return Mask
		}
	}
	return text
}

// Header returns h with the values of headers masked that carry credentials or may carry signed links. It is a copy if there are such.
func Header(h http.Header) http.Header {
	var out http.Header
	for name, values := range h {
		if !IsSecretHeader(name) {
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

// secretHeaders are parts of the names of headers that carry credentials.
var secretHeaders = []string{"token", "secret", "key", "authorization", "cookie", "uuid"}

// IsSecretHeader reports whether a header called name carries a credential, or may carry a signed link. It is asked for each request, and so makes
// no copy of the name.
func IsSecretHeader(name string) bool {
	for _, part := range secretHeaders {
		for i := range len(name) - len(part) + 1 {
			if strings.EqualFold(name[i:i+len(part)], part) {
				return true
			}
		}
	}
	return strings.EqualFold(name, "location")
}

// matrixParameter is one in a path: /v2/x;name=value.
var matrixParameter = regexp.MustCompile(`;[^;/=]*=[^;/]*`)

// validation is the route that ends with a secret, see docs/wire/addenda.md.
const validation = "/v2/token/validation/"

// InPath returns the secrets in a path that is not escaped: the one that it ends with, and those of its matrix parameters.
func InPath(path string) (secrets []string) {
	if _, secret, found := strings.Cut(path, validation); found {
		secrets = append(secrets, secret)
	}
	for _, pair := range matrixParameter.FindAllString(path, -1) {
		if name, value, _ := strings.Cut(pair[1:], "="); IsSecretName(name) {
			secrets = append(secrets, value)
		}
	}
	return secrets
}

// Path returns an escaped path with the secret that it ends with masked, and the values of its matrix parameters whose names are those of secrets.
func Path(path string) string {
	if before, secret, _ := strings.Cut(path, validation); secret != "" {
		path = before + validation + Mask
	}
	if !strings.Contains(path, ";") {
		return path // as nearly all are
	}
	return matrixParameter.ReplaceAllStringFunc(path, func(pair string) string {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.PathUnescape(name[1:]); err == nil && !IsSecretName(plain) {
			return pair
		}
		return name + "=" + Mask
	})
}

// URL returns u as text with user info, fragment and secret query values masked.
func URL(u *url.URL) string {
	if u == nil {
		return ""
	}
	c := *u
	if c.User != nil {
		c.User = url.User("redacted")
	}
	if c.Fragment != "" {
		c.Fragment, c.RawFragment = "redacted", ""
	}
	query := c.Query()
	for name, values := range query {
		lower := strings.ToLower(name)
		if IsSecretName(name) || strings.Contains(lower, "signature") || strings.Contains(lower, "x-amz-") {
			for i := range values {
				values[i] = Mask
			}
		}
	}
	c.RawQuery = query.Encode()
	return c.String()
}
