package wire

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Envelope says where in an answer its payload lies: the names of the members that lead to it, joined by dots, so "body" for
// {"status":200,"body":…} and "body.objects" for {"body":{"objects":[…]}}. The empty envelope is the bare answer.
// Where sources disagree on a name, several envelopes are joined by "|": the first that fits counts.
//
// Two forms are for answers that nobody has described. One that ends in a question mark goes as far as the members lead: "body?" is the body,
// or the whole answer without one. The envelope "?" is the answer, unless it has no members but body or data and what stands beside these.
type Envelope string

// Answer is an opened envelope.
type Answer struct {
	// Payload is the raw payload, nil if the answer has none.
	Payload jsontext.Value
	// Status is the inner status, which normally repeats that of HTTP, or zero.
	Status int64
	// Paging holds what stood beside the payload about the next page.
	Paging Paging
}

// Paging is what the API's pagination conventions write beside the items. Absent members keep their zero value.
type Paging struct {
	Cursor       string
	PrevCursor   string
	Continuation string
	HasMore      *bool
	NextOffset   *int64
	CurrentPage  int64
	TotalPages   int64
	TotalCount   *int64
	// OddCursor says that a cursor has a form that cannot be sent back.
	OddCursor bool
	// NamesNext says that Cursor is the next_cursor of the answer, EndsHere that the answer has one that is empty.
	NamesNext, EndsHere bool
}

// ErrNoPayload says that an answer lacks the member that its envelope names.
var ErrNoPayload = errors.New("the answer has no payload")

// Open finds the payload of data. It reads an object on the way to the payload once and checks the syntax of all that it passes.
// Sources disagree on the envelope of some routes, so a payload that stands one "body" higher or lower than the envelope says is found too.
func Open(data []byte, envelope Envelope) (Answer, error) {
	if first, others, several := strings.Cut(string(envelope), "|"); several {
		answer, err := Open(data, Envelope(first))
		if errors.Is(err, ErrNoPayload) {
			return Open(data, Envelope(others))
		}
		return answer, err
	}
	var answer Answer
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 {
		return answer, ErrNoPayload
	}
	path, loose := strings.CutSuffix(string(envelope), "?")
	if data[0] != '{' {
		// Not an object: there is nothing to open. An array or scalar where an envelope was due is its bare payload.
		value := jsontext.Value(data)
		if !value.IsValid(syntax) {
			_, err := checkedValue(data)
			return answer, err
		}
		answer.Payload = value
		return answer, nil
	}
	if envelope == "?" {
		var err error
		if path, err = guess(data); err != nil {
			return answer, err
		}
	}
	payload, err := answer.descend(data, path, loose)
	if errors.Is(err, ErrNoPayload) && path != "" && !strings.HasPrefix(path, "body") {
		// "objects" was due, the answer has {"body":{"objects":…}}.
		payload, err = answer.descend(data, "body."+path, loose)
	}
	if err != nil {
		return answer, err
	}
	answer.Payload = payload
	return answer, nil
}

// DecodeBody reads data as {…, "body": payload, …} with an inner status of success, and decodes the payload into v on the way. It
// reports false if data is anything else, or if the payload does not fit: [Open] and [Unmarshal] read it with their tolerance then. v is
// zero in that case.
func DecodeBody(data []byte, v any) bool {
	if decodeBody(data, v) {
		return true
	}
	reset(v)
	return false
}

func decodeBody(data []byte, v any) bool {
	i, found := skipSpace(data, 0), false
	if i >= len(data) || data[i] != '{' {
		return false
	}
	for i < len(data) && data[i] != '}' {
		if i = skipSpace(data, i+1); i >= len(data) || data[i] != '"' {
			return false
		}
		nameEnd := skipString(data, i)
		start := skipSpace(data, nameEnd)
		if start >= len(data) || data[start] != ':' {
			return false
		}
		name := data[i+1 : nameEnd-1]
		start = skipSpace(data, start+1)
		end := 0
		switch {
		case string(name) != "body":
			end = skipValue(data, start)
			if end <= start || end > len(data) || (string(name) == "status" && innerStatus(data[start:end]) >= 400) {
				return false
			}
		case found || start >= len(data) || data[start] == 'n':
			return false
		default:
			size, err := decodeFirst(data[start:], v)
			if err != nil {
				return false
			}
			end, found = start+size, true
		}
		if i = skipSpace(data, end); i < len(data) && data[i] != ',' && data[i] != '}' {
			return false
		}
	}
	return found && i < len(data) && data[i] == '}' && skipSpace(data, i+1) == len(data)
}

// decodeFirst decodes the value at the beginning of data and returns its size.
func decodeFirst(data []byte, v any) (size int, err error) {
	d := newDecoder(data)
	defer d.free()
	err = json.UnmarshalDecode(&d.Decoder, v)
	return int(d.InputOffset()), err
}

// guess returns the path to the payload of an object that may be its own payload.
func guess(data []byte) (string, error) {
	d := newDecoder(data)
	defer d.free()
	if _, err := d.ReadToken(); err != nil {
		return "", err
	}
	path := ""
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return "", err
		}
		switch name := token.String(); {
		case path == "" && (name == "body" || name == "data"):
			path = name
		case !isPagingMember(name):
			return "", nil
		}
		if err := d.SkipValue(); err != nil {
			return "", err
		}
	}
	_, err := d.ReadToken()
	return path, err
}

func checkedValue(data []byte) (jsontext.Value, error) {
	d := newDecoder(data)
	defer d.free()
	value, err := d.ReadValue()
	return value.Clone(), err
}

// descend returns the value under path in the object data, and takes the paging members of each object that it passes. A missing member is
// an error, or the end of a loose path.
func (a *Answer) descend(data []byte, path string, loose bool) (jsontext.Value, error) {
	if path == "" {
		// The bare answer: all of it is payload, and its paging members are of interest too.
		_, err := a.members(data, "")
		return data, err
	}
	name, rest, deeper := strings.Cut(path, ".")
	value, err := a.members(data, name)
	if err != nil {
		return nil, err
	}
	if value == nil {
		if loose {
			return data, nil
		}
		return nil, fmt.Errorf("%w: it lacks %q", ErrNoPayload, name)
	}
	if deeper && value.Kind() == '{' {
		return a.descend(value, rest, loose)
	}
	// The payload; or a list, or null, where an object around the payload was due.
	return value, nil
}

// members scans the members of the object data: it returns the value of the one called want and keeps what is known about paging. It looks at
// brackets and quotes only: whoever decodes the payload checks its syntax. Of a repeated member the last counts, unless that hides a list or an
// object, and what stands behind the object is not looked at, unless it may be more of a list.
func (a *Answer) members(data []byte, want string) (jsontext.Value, error) {
	var found jsontext.Value
	i := skipSpace(data, 1)
	for i < len(data) && data[i] == '"' {
		nameEnd := skipString(data, i)
		colon := skipSpace(data, nameEnd)
		if colon >= len(data) || data[colon] != ':' {
			return nil, errSyntax
		}
		start := skipSpace(data, colon+1)
		end := skipValue(data, start)
		if end <= start || end > len(data) {
			return nil, errSyntax
		}
		value := jsontext.Value(data[start:end:end])
		switch name := data[i+1 : nameEnd-1]; {
		case string(name) == want && (found.Kind() == '[' || found.Kind() == '{') && len(found) > len("[]"):
			return nil, errTwice
		case string(name) == want:
			found = value
		case isPagingMember(string(name)):
			a.take(string(name), value)
		}
		if i = skipSpace(data, end); i >= len(data) || data[i] != ',' {
			break
		}
		if i = skipSpace(data, i+1); i >= len(data) || data[i] != '"' {
			return nil, errSyntax
		}
	}
	if i >= len(data) || data[i] != '}' {
		return nil, errSyntax
	}
	if found.Kind() == '[' && skipSpace(data, i+1) < len(data) {
		return nil, errBehind
	}
	return found, nil
}

// ListIn looks into an object that stands where a list was due: if that is another envelope, it returns the list in there, and adds what it says about
// paging. Any other object is returned as it is, since it may be the only item.
func ListIn(object jsontext.Value, paging Paging) (jsontext.Value, Paging) {
	return listIn(object, paging, maxEnvelopes)
}

// maxEnvelopes is how many envelopes may stand in one another. Answers have up to three; each is read as often as there are others around it.
const maxEnvelopes = 8

func listIn(object jsontext.Value, paging Paging, depth int) (jsontext.Value, Paging) {
	none, nonePaging := object, paging
	for _, name := range []string{"objects", "body", "data"} {
		inner := Answer{Paging: paging}
		value, err := inner.members(object, name)
		if err != nil || value == nil {
			continue
		}
		list, listPaging := value, inner.Paging
		if value.Kind() == '{' && depth > 1 {
			list, listPaging = listIn(value, inner.Paging, depth-1)
		}
		switch {
		case list.Kind() == '[':
			return list, listPaging
		case list.Kind() == 'n' && name == "objects":
			// No items, unless they stand under another name.
			none, nonePaging = list, listPaging
		}
	}
	return none, nonePaging
}

var (
	errSyntax = errors.New("the answer is not JSON, or breaks off")
	errBehind = errors.New("something stands behind the answer")
	errTwice  = errors.New("the answer has a second list or object under the same name")
)

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the offset behind the string that begins at i, or one beyond the data if it does not end.
func skipString(data []byte, i int) int {
	i++
	for {
		quote := bytes.IndexByte(data[min(i, len(data)):], '"')
		if quote < 0 {
			return len(data) + 1
		}
		end := i + quote
		backslashes := 0
		for end-1-backslashes >= i && data[end-1-backslashes] == '\\' {
			backslashes++
		}
		i = end + 1
		if backslashes%2 == 0 {
			return i
		}
		// The quote is escaped, and so are the backslashes before it: none of them can escape what follows.
	}
}

// skipValue returns the offset behind the value that begins at i, or one beyond the data if it does not end.
func skipValue(data []byte, i int) int {
	if i >= len(data) {
		return len(data) + 1
	}
	switch data[i] {
	case '"':
		return skipString(data, i)
	case '{', '[':
	default:
		for i < len(data) && data[i] != ',' && data[i] != '}' && data[i] != ']' && data[i] > ' ' {
			i++
		}
		return i
	}
	depth := 0
	for i < len(data) {
		c := data[i]
		if !structural[c] {
			i++
			continue
		}
		switch c {
		case '"':
			// Most strings hold no escaped quote, and end at the first one.
			quote := bytes.IndexByte(data[i+1:], '"')
			if quote < 0 {
				return len(data) + 1
			}
			if end := i + 1 + quote; data[end-1] != '\\' {
				i = end + 1
				continue
			}
			i = skipString(data, i)
			continue
		case '{', '[':
			depth++
		default:
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(data) + 1
}

// structural are the bytes that matter to whoever looks for the end of a value.
var structural = [256]bool{'"': true, '{': true, '[': true, '}': true, ']': true}

func isPagingMember(name string) bool {
	switch name {
	case "status", "cursor", "next_cursor", "prev_cursor", "continuation", "has_more", "next_offset",
		"current_page", "total_pages", "total_count":
		return true
	}
	return false
}

// take keeps a paging member. One of an odd form counts as absent, as an empty one does: it is not worth failing a call for, and takes nothing from
// what another name says, or an envelope around it.
func (a *Answer) take(name string, value jsontext.Value) {
	switch name {
	case "status":
		a.Status = innerStatus(value)
	case "next_cursor":
		// What an answer calls cursor beside it may be that of the page itself.
		if cursor := a.position(value); cursor != "" {
			a.Paging.Cursor, a.Paging.NamesNext, a.Paging.EndsHere = cursor, true, false
		} else {
			a.Paging.EndsHere = !a.Paging.NamesNext
		}
	case "cursor":
		if cursor := a.position(value); cursor != "" && !a.Paging.NamesNext {
			a.Paging.Cursor = cursor
		}
	case "prev_cursor":
		a.Paging.PrevCursor = cmp.Or(tolerantString(value), a.Paging.PrevCursor)
	case "continuation":
		a.Paging.Continuation = cmp.Or(a.position(value), a.Paging.Continuation)
	case "has_more":
		var b *bool
		if Unmarshal(value, &b) == nil && b != nil {
			a.Paging.HasMore = b
		}
	case "next_offset":
		var n *int64
		if Unmarshal(value, &n) == nil && n != nil {
			a.Paging.NextOffset = n
		}
	case "current_page":
		a.Paging.CurrentPage = cmp.Or(tolerantInt(value), a.Paging.CurrentPage)
	case "total_pages":
		a.Paging.TotalPages = cmp.Or(tolerantInt(value), a.Paging.TotalPages)
	case "total_count":
		var n *int64
		if Unmarshal(value, &n) == nil && n != nil {
			a.Paging.TotalCount = n
		}
	}
}

// position is the text of a cursor; false is none, as null is.
func (a *Answer) position(value jsontext.Value) string {
	switch kind := value.Kind(); {
	case kind == 'f':
		return ""
	case (kind == '{' || kind == '[') && len(bytes.TrimSpace(value[1:len(value)-1])) > 0:
		a.Paging.OddCursor = true
	}
	return tolerantString(value)
}

func tolerantInt(value jsontext.Value) int64 {
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return n
	}
	var n int64
	if Unmarshal(value, &n) != nil {
		return 0
	}
	return n
}

// innerStatus reads the status of an envelope: a number, or a text that begins with one, such as "403 Forbidden".
func innerStatus(value jsontext.Value) int64 {
	if value.Kind() != '"' {
		return tolerantInt(value)
	}
	code, _, _ := strings.Cut(strings.TrimSpace(tolerantString(value)), " ")
	n, err := ParseInt(code)
	if err != nil {
		return 0
	}
	return n
}

func tolerantString(value jsontext.Value) string {
	var s string
	if Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
