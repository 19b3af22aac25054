package redact

import (
	"bytes"
	"html"
	"math/bits"
	"slices"
	"sort"
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
const letters, meanings = `"\/'?bfnrtav`, "\"\\/'?\b\f\n\r\t\a\v"

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
	case '0', '1', '2', '3':
		return unescapeOctal(e[1:])
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

// unescapeOctal reads a byte of three digits, of which the last may be missing. One zero alone is NUL.
func unescapeOctal(digits []byte) (plain string, goesOn bool) {
	n := 0
	for _, c := range digits {
		if c < '0' || '7' < c {
			return "", false
		}
		n = n<<3 | int(c-'0')
	}
	if len(digits) == 3 || string(digits) == "0" {
		plain = string([]byte{byte(n)})
	}
	return plain, len(digits) < 3
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
	if !beginsEntity(name) {
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

// beginsEntity reports whether a name may be that of an entity, or the beginning of one: the number of a character, or letters and up to two digits
// behind them.
func beginsEntity(name []byte) bool {
	if name[0] != '#' {
		letters := bytes.TrimRight(name, "0123456789")
		return len(letters) > 0 && len(name)-len(letters) <= 2 && !slices.ContainsFunc(letters, func(c byte) bool { return !isLetter(c) })
	}
	digits := name[1:]
	if len(digits) > 0 && digits[0]|0x20 == 'x' {
		digits = bytes.TrimLeft(digits[1:], "0")
		_, _, isHex := hex(digits, len("10ffff"))
		return isHex
	}
	digits = bytes.TrimLeft(digits, "0")
	return len(digits) <= len("1114111") && !slices.ContainsFunc(digits, func(c byte) bool { return !isDigit(c) })
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// stepsPerByte and freeSteps are how much work the search in a text may take: so much for each byte, and some for any text. Ordinary texts take up to
// three steps for each byte, and long ones that are nothing but escapes up to eighteen. Those that take more were made to, and are masked as wholes.
const stepsPerByte, freeSteps = 24, 128 << 10

// budget is how many steps are left. A step takes some ten nanoseconds.
type budget int

// budgetFor returns what the search in so many bytes may take.
func budgetFor(size int) *budget {
	b := budget(stepsPerByte*size + freeSteps)
	return &b
}

// spend takes steps off, and reports whether that many were left.
func (b *budget) spend(steps budget) bool {
	*b -= steps
	return *b >= 0
}

// The parts of the search that take longer than one step: to look up an entity, to keep an escape, and to look up a place that was looked at before.
const entitySteps, escapeSteps, placeSteps = 8, 3, 8

// reader reads a text of which any character may be escaped, also more than once: the characters of an escape may be escaped themselves. Most texts
// can be read in more ways than one, and it finds them all.
type reader struct {
	*budget
	text string
	// index says where in places the escapes are that begin at each place, and is 0 where there are none. It is nil for a text without any.
	index  []int32
	places []escapes
	// room is where the next escapes are kept.
	room []escape
}

// escapes are what begins at one place.
type escapes struct {
	// slashes is the number of backslashes that stand here, up to maxSlashes: any two and more of them may be read as one.
	slashes int
	// found are all other escapes.
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

// maxSlashes is how many backslashes may be one that is escaped maxEscapes times over. One that is escaped n times over may be any number of them
// up to 2^n, since each of them may be written as one or as two.
const maxSlashes = 1 << maxEscapes

// slashesAlone are the escapes of places where there are so many backslashes and nothing else.
var slashesAlone = func() (alone []escapes) {
	for n := range maxSlashes + 1 {
		alone = append(alone, escapes{slashes: n})
	}
	return slices.Clip(alone)
}()

// depthOf returns how many times over a backslash is escaped, at least, that has become so many.
func depthOf(slashes int) int { return bits.Len(uint(slashes - 1)) }

// newReader finds the escapes of a text, from its end to its beginning: each is made of what stands behind its own beginning. It stops when the budget
// is spent.
func newReader(text string, left *budget) *reader {
	r := &reader{budget: left, text: text}
	var found []escape // used again for each place
	slashes := 0
	for at := len(text) - 1; at >= 0 && *left >= 0; at-- {
		if text[at] != '\\' {
			slashes = 0
		} else if slashes < maxSlashes {
			slashes++
		}
		if !beginsEscape(text[at]) {
			continue
		}
		e := escapes{found: found[:0], slashes: slashes}
		r.begin(text[at], at+1, 0, slashes > 0, &e)
		// What an escape stands for may begin another. Those are escaped more often, and so are looked for last.
		for depth := 1; depth < maxEscapes; depth++ {
			for n := 1<<(depth-1) + 1; n <= min(slashes, 1<<depth); n++ {
				r.begin('\\', at+n, depth, true, &e)
			}
			for _, first := range e.found {
				if first.depth == depth && beginsEscape(first.plain[0]) {
					r.begin(first.plain[0], first.next, depth, false, &e)
				}
			}
		}
		found = e.found
		isAlone := len(found) == 0 && e.torn == 0
		if isAlone && slashes < 2 {
			continue
		}
		if r.index == nil {
			r.index = make([]int32, len(text))
			r.places = slashesAlone
		}
		if isAlone {
			r.index[at] = int32(slashes)
			continue
		}
		left.spend(budget(escapeSteps * (1 + len(found))))
		r.index[at] = int32(len(r.places))
		r.places = append(r.places, escapes{slashes, r.keep(found), e.torn})
	}
	return r
}

// keep returns a copy.
func (r *reader) keep(found []escape) []escape {
	if len(r.room) < len(found) {
		r.room = make([]escape, max(len(found), 256))
	}
	kept := r.room[:len(found):len(found)]
	r.room = r.room[len(found):]
	copy(kept, found)
	return kept
}

// at returns the escapes that begin at a place, nil if there are none.
func (r *reader) at(place int) *escapes {
	if r.index == nil || r.index[place] == 0 {
		return nil
	}
	return &r.places[r.index[place]]
}

// begin adds the escapes that begin with a character that is escaped depth times over, and go on at a place. isSlashes says that the character is made
// of nothing but backslashes: together with more of them it is what slashes counts.
func (r *reader) begin(c byte, at, depth int, isSlashes bool, e *escapes) {
	var begun [maxEscape]byte
	begun[0] = c
	if isSlashes && at < len(r.text) && r.text[at] == '\\' {
		r.readEscaped(begun[:1], at, depth, e)
		return
	}
	r.read(begun[:1], at, depth, e)
}

// read adds the escapes that have begun and go on at a place, with characters that are escaped up to depth times over.
func (r *reader) read(begun []byte, at, depth int, e *escapes) {
	steps := budget(1)
	if begun[0] == '&' {
		steps = entitySteps
	}
	if !r.spend(steps) {
		return
	}
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
	if inner := r.at(at); inner != nil && begun[0] == '\\' { // no other escape goes on with a backslash
		for n := 2; n <= min(inner.slashes, maxSlashes/2); n++ {
			r.read(append(begun, '\\'), at+n, max(depth, depthOf(n)), e)
		}
	}
	r.readEscaped(begun, at, depth, e)
}

// readEscaped is read for a next character that is escaped itself, and is no backslash that is made of backslashes.
func (r *reader) readEscaped(begun []byte, at, depth int, e *escapes) {
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

// wanted are the values that are looked for. They are in order, so that those with a common beginning stand together.
type wanted struct {
	values []string
	// firsts are the values by the byte that they begin with.
	firsts [256]group
}

// group are the values from one up to another, which have a common beginning. It is empty if there are none.
type group struct{ from, to int }

func (g group) isEmpty() bool { return g.from == g.to }

func newWanted(values []string) *wanted {
	if !slices.IsSorted(values) {
		values = slices.Sorted(slices.Values(values))
	}
	w := &wanted{values: slices.Compact(slices.Clip(values))}
	for i, value := range w.values {
		first := &w.firsts[value[0]]
		if first.isEmpty() {
			first.from = i
		}
		first.to = i + 1
	}
	return w
}

// begin returns the values that begin with a text.
func (w *wanted) begin(text string) group {
	return w.narrow(w.firsts[text[0]], 1, text[1:])
}

// narrow returns those of a group that go on with a text behind the bytes that they have in common.
func (w *wanted) narrow(g group, done int, text string) group {
	for i := range len(text) {
		g = w.next(g, done+i, text[i])
	}
	return g
}

// next is narrow for one byte.
func (w *wanted) next(g group, done int, c byte) group {
	for !g.isEmpty() && len(w.values[g.from]) <= done {
		g.from++
	}
	switch {
	case g.isEmpty() || w.values[g.from][done] == c && w.values[g.to-1][done] == c:
		return g
	case g.to-g.from == 1:
		return group{}
	}
	in := w.values[g.from:g.to]
	from := sort.Search(len(in), func(i int) bool { return in[i][done] >= c })
	to := from + sort.Search(len(in)-from, func(i int) bool { return in[from+i][done] > c })
	return group{g.from + from, g.from + to}
}

// finder finds values in a text, each of whose characters may be escaped.
type finder struct {
	*reader
	*wanted
	// seen are the places at which the rest of a value was looked for, so that no place is looked at twice for the same.
	seen map[partial]bool
	// end is where the longest of the values ends that have been found.
	end int
	// isTorn says that the text ends within a value.
	isTorn bool
}

// partial are the values from one on of which so many bytes have been found, up to a place.
type partial struct{ from, done, at int32 }

// begin looks for all values at a place.
func (f *finder) begin(at int) {
	f.end, f.isTorn = at, false
	if g := f.firsts[f.text[at]]; !g.isEmpty() {
		f.follow(g, 1, at+1)
	}
	e := f.at(at)
	if e == nil {
		return
	}
	f.isTorn = f.isTorn || e.torn > 0
	if g := f.firsts['\\']; !g.isEmpty() {
		f.followSlashes(g, 1, at, e)
	}
	for _, c := range e.found {
		if g := f.wanted.begin(c.plain); !g.isEmpty() {
			f.follow(g, len(c.plain), c.next)
		}
	}
}

// follow looks for the rest of some values, of which so many bytes stand before at.
func (f *finder) follow(g group, done, at int) {
	for f.spend(1) {
		if len(f.values[g.from]) == done {
			f.end = max(f.end, at)
			if g.from++; g.isEmpty() {
				return
			}
		}
		if at == len(f.text) {
			f.isTorn = true
			return
		}
		if beginsEscape(f.text[at]) {
			f.branch(g, done, at)
			return
		}
		if g = f.next(g, done, f.text[at]); g.isEmpty() {
			return
		}
		done, at = done+1, at+1
	}
}

// branch is follow for a place with more ways than one to go on.
func (f *finder) branch(g group, done, at int) {
	if !f.spend(placeSteps) {
		return
	}
	here := partial{int32(g.from), int32(done), int32(at)}
	if f.seen[here] {
		return // What was found from here began before, and so covers what would be found now.
	}
	if f.seen == nil {
		f.seen = map[partial]bool{}
	}
	f.seen[here] = true
	if same := f.next(g, done, f.text[at]); !same.isEmpty() {
		f.follow(same, done+1, at+1)
	}
	e := f.at(at)
	if e == nil {
		return
	}
	f.isTorn = f.isTorn || e.torn > 0
	if same := f.next(g, done, '\\'); !same.isEmpty() {
		f.followSlashes(same, done+1, at, e)
	}
	for _, c := range e.found {
		if same := f.narrow(g, done, c.plain); !same.isEmpty() {
			f.follow(same, done+len(c.plain), c.next)
		}
	}
}

// followSlashes is follow for values that go on behind a backslash, for which any of those may stand that there are at a place.
func (f *finder) followSlashes(g group, done, at int, e *escapes) {
	for n := 2; n <= e.slashes; n++ {
		f.follow(g, done, at+n)
	}
}
