package redact

import (
	"bytes"
	"html"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxEscapes is how many times over a text may be escaped: three times, and once more by the JSON of the answer that holds it.
const maxEscapes = 4

// maxEscape is the length of the longest escape, which is &CounterClockwiseContourIntegral;.
const maxEscape = 33

// maxOpenName is the length of the longest name of an entity that needs no semicolon, such as that of &yacute.
const maxOpenName = 6

// unescape returns what an escape stands for, nothing if it is none or is not whole, and whether more may follow that belongs to it. It knows those of
// URLs and forms, of JSON and programming languages, of JSON pointers and of HTML.
func unescape(e []byte) (plain string, goesOn bool) {
	switch e[0] {
	case '+':
		return " ", false
	case '%':
		n, isWhole, isHex := hex(e[1:], 2)
		if isWhole {
			return string([]byte{byte(n)}), false
		}
		return "", isHex
	case '~':
		switch string(e[1:]) {
		case "":
			return "", true
		case "0":
			return "~", false
		case "1":
			return "/", false
		}
	case '\\':
		return unescapeBackslash(e)
	case '&':
		return unescapeEntity(e)
	}
	return "", false
}

// beginsEscape reports whether c is what one of the escapes of [unescape] begins with.
func beginsEscape(c byte) bool {
	switch c {
	case '+', '%', '~', '\\', '&':
		return true
	}
	return false
}

// letters are what may follow a backslash, and what they stand for in the same place.
const letters, meanings = `"\/'bfnrtav0`, "\"\\/'\b\f\n\r\t\a\v\x00"

func unescapeBackslash(e []byte) (plain string, goesOn bool) {
	if len(e) == 1 {
		return "", true
	}
	size := 0
	switch e[1] {
	case 'x':
		size = 2
	case 'u':
		size = 4
	case 'U':
		size = 8
	default:
		if i := strings.IndexByte(letters, e[1]); i >= 0 && len(e) == 2 {
			return meanings[i : i+1], false
		}
		return "", false
	}
	end := min(len(e), 2+size)
	n, isWhole, isHex := hex(e[2:end], size)
	switch {
	case !isWhole:
		return "", isHex
	case size == 2:
		return string([]byte{byte(n)}), false
	case !utf16.IsSurrogate(n):
		return string(n), false
	}
	// The other half of a character must follow.
	second := e[end:]
	if len(second) < 2 {
		return "", strings.HasPrefix(`\u`, string(second))
	}
	low, isWhole, isHex := hex(second[2:], 4)
	switch pair := utf16.DecodeRune(n, low); {
	case string(second[:2]) != `\u`:
		return "", false
	case !isWhole:
		return "", isHex
	case pair != utf8.RuneError:
		return string(pair), false
	}
	return "", false
}

// hex reads a number of so many digits, of which the last may be missing.
func hex(digits []byte, size int) (n rune, isWhole, isHex bool) {
	if len(digits) > size {
		return 0, false, false
	}
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false, false
		}
		n = n<<4 | rune(c)
	}
	return n, len(digits) == size, true
}

// unescapeEntity leaves it to package html to know the names, and which of them need no semicolon.
func unescapeEntity(e []byte) (plain string, goesOn bool) {
	name, isClosed := bytes.CutSuffix(e[1:], []byte{';'})
	if len(name) == 0 {
		return "", !isClosed
	}
	if last := name[len(name)-1]; !isAlphanumeric(last) && (last != '#' || len(name) > 1) {
		return "", false
	}
	goesOn = !isClosed && len(e) < maxEscape
	if !isClosed && len(name) > maxOpenName && name[0] != '#' {
		return "", goesOn
	}
	// One that is none stays as it is. Of one that is too long, the rest stays. An entity with a semicolon may be two characters.
	plain = html.UnescapeString(string(e))
	if n := utf8.RuneCountInString(plain); n > 2 || n == 2 && !isClosed {
		plain = ""
	}
	return plain, goesOn
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// reader reads a text of which any character may be escaped, also more than once: the characters of an escape may be escaped themselves. Most texts
// can be read in more ways than one, and it finds them all.
type reader struct {
	text string
	// escapes are those that begin at each place, nil where there are none. It is nil for a text without any.
	escapes []*escapes
}

// escapes are what begins at one place.
type escapes struct {
	found []escape
	// torn says that the text ends before one of them does, and how many times over that is escaped at least. It is 0 if none is torn.
	torn int
}

// escape is what an escape stands for, where the text goes on behind it, and how many times over it is escaped.
type escape struct {
	plain string
	next  int
	depth int
}

// newReader finds the escapes of a text, from its end to its beginning: each is made of what stands behind its own beginning.
func newReader(text string) *reader {
	r := &reader{text: text}
	var found []escape // used again for each place
	for at := len(text) - 1; at >= 0; at-- {
		if !beginsEscape(text[at]) {
			continue
		}
		e := escapes{found: found[:0]}
		var begun [maxEscape]byte
		r.read(append(begun[:0], text[at]), at+1, 0, &e)
		// What an escape stands for may begin another. Those are escaped more often, and so are looked for last.
		for depth := 1; depth < maxEscapes; depth++ {
			for _, first := range e.found {
				if first.depth == depth && beginsEscape(first.plain[0]) {
					r.read(append(begun[:0], first.plain[0]), first.next, depth, &e)
				}
			}
		}
		found = e.found
		if len(found) == 0 && e.torn == 0 {
			continue
		}
		if r.escapes == nil {
			r.escapes = make([]*escapes, len(text))
		}
		r.escapes[at] = &escapes{slices.Clone(found), e.torn}
	}
	return r
}

// at returns the escapes that begin at a place, nil if there are none.
func (r *reader) at(place int) *escapes {
	if r.escapes == nil {
		return nil
	}
	return r.escapes[place]
}

// read adds the escapes that have begun and go on at a place, with characters that are escaped up to depth times over.
func (r *reader) read(begun []byte, at, depth int, e *escapes) {
	plain, goesOn := unescape(begun)
	if plain != "" {
		e.add(escape{plain, at, depth + 1})
	}
	if !goesOn {
		return
	}
	if at == len(r.text) {
		e.tear(depth + 1)
		return
	}
	r.read(append(begun, r.text[at]), at+1, depth, e)
	inner := r.at(at)
	if inner == nil {
		return
	}
	if inner.torn > 0 && inner.torn < maxEscapes {
		e.tear(max(depth, inner.torn) + 1)
	}
	for _, c := range inner.found {
		if len(c.plain) == 1 && c.depth < maxEscapes { // no escape holds other characters than those of ASCII
			r.read(append(begun, c.plain[0]), c.next, max(depth, c.depth), e)
		}
	}
}

// add adds an escape, or lowers the depth of a known one.
func (e *escapes) add(found escape) {
	for i := range e.found {
		if known := &e.found[i]; known.next == found.next && known.plain == found.plain {
			known.depth = min(known.depth, found.depth)
			return
		}
	}
	e.found = append(e.found, found)
}

// tear says that an escape is torn that is escaped so many times over.
func (e *escapes) tear(depth int) {
	if e.torn == 0 || depth < e.torn {
		e.torn = depth
	}
}

// finder finds values in a text, each of whose characters may be escaped.
type finder struct {
	*reader
	values []string
	// firsts are the bytes that a value begins with.
	firsts [256]bool
	// seen are the places at which the rest of a value was looked for, so that no place is looked at twice for the same.
	seen map[partial]bool
	// end is where the longest of the values ends that have been found.
	end int
	// isTorn says that the text ends within a value.
	isTorn bool
}

// partial is a value of which so many bytes have been found, up to a place.
type partial struct {
	value    string
	done, at int
}

func newFinder(values []string, text string) *finder {
	f := &finder{reader: newReader(text), values: values}
	for _, value := range values {
		f.firsts[value[0]] = true
	}
	return f
}

// begin looks for all values at a place.
func (f *finder) begin(at int) {
	f.end, f.isTorn = at, false
	if f.firsts[f.text[at]] {
		for _, value := range f.values {
			if value[0] == f.text[at] {
				f.follow(value, 1, at+1)
			}
		}
	}
	e := f.at(at)
	if e == nil {
		return
	}
	f.isTorn = f.isTorn || e.torn > 0
	for _, c := range e.found {
		if !f.firsts[c.plain[0]] {
			continue
		}
		for _, value := range f.values {
			if strings.HasPrefix(value, c.plain) {
				f.follow(value, len(c.plain), c.next)
			}
		}
	}
}

// follow looks for the rest of a value, of which so many bytes stand before at.
func (f *finder) follow(value string, done, at int) {
	for ; done < len(value); done, at = done+1, at+1 {
		if at == len(f.text) {
			f.isTorn = true
			return
		}
		if beginsEscape(f.text[at]) {
			f.branch(value, done, at)
			return
		}
		if f.text[at] != value[done] {
			return
		}
	}
	f.end = max(f.end, at)
}

// branch is follow for a place with more ways than one to go on.
func (f *finder) branch(value string, done, at int) {
	here := partial{value, done, at}
	if f.seen[here] {
		return // What was found from here began before, and so covers what would be found now.
	}
	if f.seen == nil {
		f.seen = map[partial]bool{}
	}
	f.seen[here] = true
	if f.text[at] == value[done] {
		f.follow(value, done+1, at+1)
	}
	e := f.at(at)
	if e == nil {
		return
	}
	f.isTorn = f.isTorn || e.torn > 0
	for _, c := range e.found {
		if strings.HasPrefix(value[done:], c.plain) {
			f.follow(value, done+len(c.plain), c.next)
		}
	}
}
