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
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Credentials are what a request carried, in the forms in which an answer or an error may repeat them.
type Credentials []string

const (
	// minCredential is the length below which the value of a header is no secret that could be looked for in a text.
	minCredential = 8
	// minSecret is that of other secrets, which people think of. What is shorter may be a part of any word.
	minSecret = 6
)

// Sent returns what must not be shown of a request: the values of those headers whose names look like credentials, of those that are listed in
// signed, and further secrets.
func Sent(header http.Header, signed, secrets []string) Credentials {
	var known Credentials
	for name, values := range header {
		if IsSecretHeader(name) || slices.Contains(signed, name) {
			for _, value := range values {
				known = known.with(value, minCredential)
			}
		}
	}
	for _, secret := range secrets {
		known = known.with(secret, minSecret)
	}
	sortByLength(known)
	return known
}

// with adds the forms of a value, unless it is too short.
func (c Credentials) with(value string, shortest int) Credentials {
	if len(value) < shortest {
		return c
	}
	quoted, _ := jsontext.AppendQuote(nil, value)
	forms := append(within(value),
		value, url.QueryEscape(value), url.PathEscape(value), html.EscapeString(value), strings.ReplaceAll(value, "/", `\/`),
		strings.Trim(string(quoted), `"`), pointerEscapes.Replace(value),
		base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	)
	for _, form := range forms {
		if !slices.Contains(c, form) {
			c = append(c, form)
		}
	}
	if _, bare, found := strings.Cut(value, " "); found {
		// A credential is often repeated without its scheme.
		return c.with(bare, minCredential)
	}
	return c
}

// pointerEscapes makes a name part of a JSON pointer, in which errors of the decoder tell their place.
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// minCore is the length below which a part of base64 may be a part of anything.
const minCore = 8

// within returns what base64 of a longer text holds of a value, which may begin at each of three places. The characters at both edges depend on what
// stands beside the value too, and are left out.
func within(value string) (cores []string) {
	for shift := range 3 {
		text := append(make([]byte, shift), value...)
		first, end := (shift*8+5)/6, len(text)*8/6
		if end-first < minCore {
			continue
		}
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			cores = append(cores, encoding.EncodeToString(text)[first:end])
		}
	}
	return cores
}

// And returns c and others.
func (c Credentials) And(others Credentials) Credentials {
	for _, value := range others {
		if !slices.Contains(c, value) {
			c = append(c, value)
		}
	}
	sortByLength(c)
	return c
}

// sortByLength puts longer forms first: one may hold a shorter one, and would show its rest.
func sortByLength(c Credentials) {
	slices.SortFunc(c, func(a, b string) int { return len(b) - len(a) })
}

// maxEscapes is how many times over a text may be escaped. What was escaped more often is told apart from nothing by nobody.
const maxEscapes = 3

// Text masks the credentials in a text. One that shows itself only when the escapes of HTML, URLs and JSON are undone is masked in the plain text,
// which is returned in its place.
func (c Credentials) Text(s string) string {
	if len(c) == 0 {
		return s
	}
	s = c.mask(s)
	plain := s
	for range maxEscapes {
		next := unescape(plain)
		if next == plain {
			break
		}
		if plain = c.mask(next); plain != next {
			s = plain
		}
	}
	return s
}

func (c Credentials) mask(s string) string {
	for _, value := range c {
		s = strings.ReplaceAll(s, value, Mask)
	}
	return s
}

// escape is a character as URLs write it, or as texts of JSON and programming languages and JSON pointers do.
var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\/|~[01]`)

// unescape undoes one layer of escapes.
func unescape(s string) string {
	if strings.Contains(s, "&") {
		s = html.UnescapeString(s)
	}
	if !strings.ContainsAny(s, `%\~`) {
		return s
	}
	return escape.ReplaceAllStringFunc(s, func(found string) string {
		n, err := strconv.ParseUint(strings.TrimLeft(found, `%\ux`), 16, 16)
		switch {
		case found == "~0":
			return "~"
		case err != nil:
			return "/"
		case found[0] == '%' || found[1] == 'x':
			return string([]byte{byte(n)})
		}
		return string(rune(n))
	})
}

// Bytes masks the credentials in a body.
func (c Credentials) Bytes(body []byte) []byte {
	if len(body) == 0 {
		return body
	}
	return []byte(c.Text(string(body)))
}

// Cut masks the credentials in a body and cuts it to n bytes. No part of a credential stays at its end.
func (c Credentials) Cut(body []byte, n int) []byte {
	if len(body) <= n {
		return c.Bytes(body)
	}
	margin := 0
	for _, value := range c {
		margin = max(margin, 6*len(value)) // each character may be escaped
	}
	safe := c.untorn(c.Text(string(body[:min(len(body), n+margin)])))
	return []byte(safe[:min(len(safe), n)])
}

// Excerpt is [Credentials.Text] for a text that has been cut if it ends in an ellipsis.
func (c Credentials) Excerpt(s string) string {
	s = c.Text(s)
	if cut, found := strings.CutSuffix(s, "…"); found {
		return c.untorn(cut) + "…"
	}
	return s
}

// untorn takes the beginning of a credential off the end of a text.
func (c Credentials) untorn(s string) string {
	longest := 0
	for _, value := range c {
		for n := min(len(value)-1, len(s)); n > longest; n-- {
			if strings.HasSuffix(s, value[:n]) {
				longest = n
			}
		}
	}
	return s[:len(s)-longest]
}

// Header is [Header] for the header of an answer, in which the credentials are masked under whatever name they stand.
//
// Of a long header the beginning is looked at, and returned: masking takes seconds for each MiB.
func (c Credentials) Header(h http.Header) http.Header {
	safe := Header(c.shortened(h))
	copied := false
	for name, values := range safe {
		if !isPlainName(name) || c.isIn(name) {
			if !copied {
				safe, copied = maps.Clone(safe), true
			}
			delete(safe, name)
			safe[Mask] = []string{Mask}
			continue
		}
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

// isIn reports whether the name of a header holds a credential. net/http changes the letter case of names.
func (c Credentials) isIn(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(c, func(value string) bool { return strings.Contains(name, strings.ToLower(value)) })
}

const (
	// maxHeader is how much is shown of a header, maxHeaderValue how much of one value if the header is longer than that.
	maxHeader      = 64 << 10
	maxHeaderValue = 8 << 10
	// fieldSize is what a value counts beside its length.
	fieldSize = 64
)

// shortened returns h, or the beginning of a long one: of its fields, in the order of their names, and of its long values.
func (c Credentials) shortened(h http.Header) http.Header {
	size := 0
	for _, values := range h {
		for _, value := range values {
			size += len(value) + fieldSize
		}
	}
	if size <= maxHeader {
		return h
	}
	room, short := maxHeader, http.Header{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if len(value) > maxHeaderValue {
				value = string(c.Cut([]byte(value), maxHeaderValue)) + "…"
			}
			if room -= len(value) + fieldSize; room < 0 {
				return short
			}
			short[name] = append(short[name], value)
		}
	}
	return short
}

// userInfo is the part of a URL that holds a password, such as that of a proxy.
var userInfo = regexp.MustCompile(`://[^/\s"'@]*@`)

const (
	// maxErrorText is how much is shown of the text of an error. Longer ones quote what a server sent.
	maxErrorText = 4 << 10
	// maxSearchedText is how much of it is looked at: masking takes seconds for each MiB.
	maxSearchedText = 64 << 10
)

// place is where an error of the decoder says that it is: a JSON pointer of the names of members, of which long ones are cut.
var place = regexp.MustCompile(` within "/(?:[^"\\]|\\.)*"`)

// plainPlace leaves names as an API has them: another may be a credential in an escaped form, of which the cut has left a part.
func plainPlace(found string) string {
	names := strings.Split(strings.Trim(strings.TrimPrefix(found, " within "), `"`), "/")
	for i, name := range names {
		if name != "" && !isPlainName(name) {
			names[i] = "…"
		}
	}
	return ` within "` + strings.Join(names, "/") + `"`
}

// isPlainName reports whether a member or a header may be called so by those who mean no harm.
func isPlainName(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}

// Error returns err, or an error with the same identity if its text shows a credential or the user of a URL: texts of net/http quote what the server
// sent, and what a proxy is called. A long text is cut.
func (c Credentials) Error(err error) error {
	text := err.Error()
	isWhole := len(text) <= maxSearchedText
	if !isWhole {
		text = c.untorn(text[:maxSearchedText])
	}
	safe := c.Text(place.ReplaceAllStringFunc(text, plainPlace))
	if strings.Contains(safe, "@") {
		safe = userInfo.ReplaceAllString(safe, "://"+Mask+"@")
	}
	isClear := isWhole && safe == text
	if len(safe) > maxErrorText || !isWhole {
		safe = strings.ToValidUTF8(c.untorn(safe[:min(len(safe), maxErrorText)]), "") + "…"
	}
	switch {
	case safe == text:
		return err
	case isClear:
		return &cutError{safe, err}
	}
	return &maskedError{text: safe, is: func(target error) bool { return errors.Is(err, target) }}
}

// cutError is an error whose text is long and shows no credential.
type cutError struct {
	text string
	err  error
}

func (e *cutError) Error() string { return e.text }

func (e *cutError) Unwrap() error { return e.err }

// maskedError shows nothing of the error in whose place it stands but its identity.
type maskedError struct {
	text string
	is   func(error) bool
}

func (e *maskedError) Error() string { return e.text }

// Is makes errors.Is see through the mask.
func (e *maskedError) Is(target error) bool { return e.is(target) }
