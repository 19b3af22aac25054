package redact

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Credentials are what a request carried, in the forms in which an answer or an error may repeat them.
type Credentials []string

const (
	// minSecret is the length below which a value is no secret that could be looked for in a text: what is shorter may be a part of any word.
	minSecret = 6
	// minRest is that of what stands behind a blank in a secret that is no header, such as the last words of a pass phrase.
	minRest = 8
	// maxRests is how many of them are looked for.
	maxRests = 8
)

// Sent returns what must not be shown of a request: the values of those headers whose names look like credentials, of those that are listed in
// signed, the parts of such values, and further secrets.
func Sent(header http.Header, signed, secrets []string) Credentials {
	var known Credentials
	for name, values := range header {
		if IsSecretHeader(name) || slices.Contains(signed, name) {
			for _, value := range values {
				known = known.with(value)
				if _, bare, found := cutBlank(value); found {
					known = known.with(strings.TrimSpace(bare)) // a credential is often repeated without its scheme
				}
				for _, part := range parts(name, value) {
					known = known.with(part)
				}
			}
		}
	}
	for _, secret := range secrets {
		known = known.with(secret)
	}
	return known.inOrder()
}

// inOrder sorts the credentials, as [newWanted] wants them, and drops those that are there twice.
func (c Credentials) inOrder() Credentials {
	slices.Sort(c)
	return slices.Compact(c)
}

// parts returns what a gateway reads out of the value of a header, and may repeat alone: the values of cookies, and the user and password of Basic.
func parts(name, value string) []string {
	if strings.EqualFold(name, "Cookie") {
		var cookies []string
		for pair := range strings.SplitSeq(value, ";") {
			name, cookie, found := strings.Cut(pair, "=")
			if !found {
				cookie = name
			}
			cookie = strings.Trim(cookie, ` "`)
			cookies = append(cookies, cookie)
			if plain, err := url.PathUnescape(cookie); err == nil && plain != cookie {
				cookies = append(cookies, plain) // as frameworks read it
			}
		}
		return cookies
	}
	scheme, encoded, _ := cutBlank(value)
	if !strings.EqualFold(scheme, "Basic") {
		return nil
	}
	pair, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(encoded), "="))
	if err != nil {
		return nil
	}
	user, password, _ := strings.Cut(string(pair), ":")
	if password == "" {
		// Then the user is the secret.
		return []string{string(pair), user}
	}
	return []string{string(pair), password}
}

// cutBlank cuts s at its first blank.
func cutBlank(s string) (before, after string, found bool) {
	if at := strings.IndexAny(s, " \t"); at >= 0 {
		return s[:at], s[at+1:], true
	}
	return s, "", false
}

// with adds the forms of a value, and of what stands in it behind a scheme, unless it is too short. Blanks and line ends around it are often left out:
// by net/http in headers, and by services.
func (c Credentials) with(value string) Credentials {
	if bare := strings.TrimSpace(value); bare != value {
		c = c.with(bare)
	}
	if len(value) < minSecret {
		return c
	}
	c = c.withForms(value)
	for range maxRests {
		_, rest, found := cutBlank(value)
		if !found || len(rest) < minRest {
			break
		}
		c, value = c.withForms(rest), rest
	}
	return c
}

func (c Credentials) withForms(value string) Credentials {
	return append(append(c, within(value)...),
		value, base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
		string([]rune(value)), // JSON knows no bytes that are no UTF-8
	)
}

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
func (c Credentials) And(others Credentials) Credentials { return slices.Concat(c, others).inOrder() }

// Text masks the credentials in a text, also where their characters are escaped. All else stays as it is.
func (c Credentials) Text(s string) string {
	found, _ := c.find(s)
	return mask(s, found)
}

// masked is [Credentials.Text] with a budget that is shared with other texts.
func (w *wanted) masked(s string, left *budget) string {
	found, _ := w.find(s, left)
	return mask(s, found)
}

// span is a part of a text.
type span struct{ start, end int }

// find returns where credentials stand in a text, and where one begins of which the text holds no more than the beginning, at its end.
func (c Credentials) find(s string) (found []span, torn int) {
	return newWanted(c).find(s, budgetFor(len(s)))
}

// find takes the whole text for a credential if the budget does not suffice to search it.
func (w *wanted) find(s string, left *budget) (found []span, torn int) {
	torn = len(s)
	if len(w.values) == 0 || s == "" {
		return nil, torn
	}
	f := &finder{reader: newReader(s, left), wanted: w}
	for at := range len(s) {
		f.begin(at)
		if *left < 0 {
			return []span{{0, len(s)}}, len(s)
		}
		if f.isTorn {
			torn = min(torn, at)
		}
		switch last := len(found) - 1; {
		case f.end == at:
		case last >= 0 && at < found[last].end:
			found[last].end = max(found[last].end, f.end)
		default:
			found = append(found, span{at, f.end})
		}
	}
	return found, torn
}

// mask puts the mask in the place of what was found in a text.
func mask(s string, found []span) string {
	if len(found) == 0 {
		return s
	}
	var b strings.Builder
	shown := 0
	for _, f := range found {
		b.WriteString(s[shown:f.start] + Mask)
		shown = f.end
	}
	b.WriteString(s[shown:])
	return b.String()
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
	body = body[:min(len(body), n+maxMargin)]
	return []byte(newWanted(c).cut(string(body), n, budgetFor(len(body))))
}

// cut is Cut for a text that is longer than n.
func (w *wanted) cut(s string, n int, left *budget) string {
	longest := 0
	for _, value := range w.values {
		longest = max(longest, len(value))
	}
	// The margin is so that one at the end is masked as a whole, also if it is escaped. Without it nothing more would be shown.
	safe := w.untorn(s[:min(len(s), n+min(6*longest, maxMargin))], left)
	return safe[:min(len(safe), n)]
}

// maxMargin bounds how much is looked at behind a cut.
const maxMargin = 4 << 10

// CutOff is [Credentials.Cut] for a body that may go on: no part of a credential stays at its end either, however short it is.
func (c Credentials) CutOff(body []byte, n int) []byte {
	if len(body) > n {
		return c.Cut(body, n)
	}
	return []byte(c.untorn(string(body)))
}

// Search masks the credentials in several texts, for which one budget is: where it is spent, all that follow are masked as wholes.
type Search struct {
	wanted *wanted
	left   *budget
}

// Search returns one for texts of so many bytes together.
func (c Credentials) Search(size int) *Search { return &Search{newWanted(c), budgetFor(size)} }

// Text is [Credentials.Text].
func (s *Search) Text(text string) string { return s.wanted.masked(text, s.left) }

// Excerpt is [Credentials.Text] for a text that has been cut if it ends in an ellipsis.
func (s *Search) Excerpt(text string) string {
	if cut, found := strings.CutSuffix(text, "…"); found {
		return s.wanted.untorn(cut, s.left) + "…"
	}
	return s.Text(text)
}

// Excerpt is [Search.Excerpt] for one text.
func (c Credentials) Excerpt(text string) string { return c.Search(len(text)).Excerpt(text) }

// untorn is [Credentials.Text] for a text that has been cut: the beginning of a credential at its end is taken off.
func (c Credentials) untorn(s string) string { return newWanted(c).untorn(s, budgetFor(len(s))) }

func (w *wanted) untorn(s string, left *budget) string {
	found, torn := w.find(s, left)
	found = slices.DeleteFunc(found, func(f span) bool { return f.start >= torn })
	if len(found) > 0 {
		torn = max(torn, found[len(found)-1].end)
	}
	return mask(s[:torn], found)
}

// Header is [Header] for the header of an answer, in which the credentials are masked under whatever name they stand.
//
// Of a long header the beginning is looked at, and returned. All values share one budget: where it is spent, all that follow are masked.
func (c Credentials) Header(h http.Header) http.Header {
	size := 0
	for _, values := range h {
		for _, value := range values {
			size += len(value) + fieldSize
		}
	}
	return newWanted(c).header(h, size, newWanted(c.inNames()), budgetFor(min(size, maxHeader)))
}

// header is [Credentials.Header] for a header of a size. names are the credentials that the name of a field may hold.
func (w *wanted) header(h http.Header, size int, names *wanted, left *budget) http.Header {
	if size > maxHeader {
		h = w.shortened(h, left)
	}
	safe := Header(h)
	copied := false
	for name, values := range safe {
		if !isPlainName(name) || names.isIn(strings.ToLower(name), left) {
			if !copied {
				safe, copied = maps.Clone(safe), true
			}
			delete(safe, name)
			safe[Mask] = []string{Mask}
			continue
		}
		for i, value := range values {
			// A value may be a URL, or hold one, whose query has a secret that was not sent.
			masked := plainText(w.masked(value, left))
			if strings.Contains(masked, "@") {
				masked = userInfo.ReplaceAllString(masked, "://"+Mask+"@")
			}
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

// inNames returns the credentials that the name of a header may hold, in small letters: net/http changes the letter case of names.
func (c Credentials) inNames() (short []string) {
	for _, value := range c {
		if len(value) <= maxName {
			short = append(short, strings.ToLower(value))
		}
	}
	return short
}

// isIn reports whether a text holds one of the values.
func (w *wanted) isIn(s string, left *budget) bool {
	found, _ := w.find(s, left)
	return len(found) > 0
}

const (
	// maxHeader is how much is shown of a header, maxHeaderValue how much of one value if the header is longer than that.
	maxHeader      = 64 << 10
	maxHeaderValue = 8 << 10
	// fieldSize is what a value counts beside its length.
	fieldSize = 64
)

// shortened returns the beginning of a long header: of its fields, in the order of their names, and of its long values.
func (w *wanted) shortened(h http.Header, left *budget) http.Header {
	room, short := maxHeader, http.Header{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if len(value) > maxHeaderValue {
				value = w.cut(value, maxHeaderValue, left) + "…"
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
	// maxSearchedText is how much of it is looked at.
	maxSearchedText = 16 << 10
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

// maxName is the length of the longest name that is shown.
const maxName = 64

// isPlainName reports whether a member or a header may be called so by those who mean no harm.
func isPlainName(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}

// brokenHeader is what net/textproto says of a header that is none. It quotes the line, after it has changed the letters of the name to those of names.
const brokenHeader = "malformed MIME header"

// asNames returns the credentials as net/textproto writes them where they are the name of a header, or its end.
func (c Credentials) asNames() (names Credentials) {
	for _, value := range c {
		name := textproto.CanonicalMIMEHeaderKey(value)
		names = append(names, name, strings.ToLower(name[:1])+name[1:])
	}
	return names
}

// Error returns err, or an error with the same identity if its text shows a credential or the user of a URL: texts of net/http quote what the server
// sent, and what a proxy is called. A long text is cut.
func (c Credentials) Error(err error) error {
	text := err.Error()
	if strings.Contains(text, brokenHeader) {
		c = c.And(c.asNames())
	}
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
