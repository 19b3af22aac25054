package wallarmtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// object is a JSON object that keeps the order of its members.
//
// Objects are the state of every configuration resource. An object that has
// been stored is never changed again: a writer stores an altered clone. That
// is what lets a reply be encoded after the state lock has been released.
type object struct {
	members []member
}

type member struct {
	name  string
	value any
}

// obj builds an object from alternating names and values.
func obj(pairs ...any) *object {
	o := &object{members: make([]member, 0, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.members = append(o.members, member{pairs[i].(string), pairs[i+1]})
	}
	return o
}

func (o *object) index(name string) int {
	if o == nil {
		return -1
	}
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

// lookup returns the member and whether it is present at all, which tells an
// explicit null from an absent member.
func (o *object) lookup(name string) (any, bool) {
	if i := o.index(name); i >= 0 {
		return o.members[i].value, true
	}
	return nil, false
}

func (o *object) has(name string) bool { return o.index(name) >= 0 }

func (o *object) get(name string) any {
	v, _ := o.lookup(name)
	return v
}

func (o *object) str(name string) string {
	s, _ := o.get(name).(string)
	return s
}

func (o *object) int(name string) int64 {
	n, _ := asInt(o.get(name))
	return n
}

func (o *object) bool(name string) bool {
	b, _ := o.get(name).(bool)
	return b
}

func (o *object) array(name string) []any {
	a, _ := o.get(name).([]any)
	return a
}

func (o *object) object(name string) *object {
	m, _ := o.get(name).(*object)
	return m
}

// set replaces the member or adds it at the end.
func (o *object) set(name string, value any) *object {
	if i := o.index(name); i >= 0 {
		o.members[i].value = value
	} else {
		o.members = append(o.members, member{name, value})
	}
	return o
}

// setDefault adds the member if it is absent.
func (o *object) setDefault(name string, value any) *object {
	if !o.has(name) {
		o.members = append(o.members, member{name, value})
	}
	return o
}

func (o *object) del(name string) {
	if i := o.index(name); i >= 0 {
		o.members = slices.Delete(o.members, i, i+1)
	}
}

// clone copies the members, not the values: values are immutable.
func (o *object) clone() *object {
	if o == nil {
		return obj()
	}
	return &object{members: slices.Clone(o.members)}
}

// merge sets every member of other.
func (o *object) merge(other *object) *object {
	if other != nil {
		for _, m := range other.members {
			o.set(m.name, m.value)
		}
	}
	return o
}

// MarshalJSON makes objects usable with encoding/json in tests and dumps.
func (o *object) MarshalJSON() ([]byte, error) { return appendJSON(nil, o), nil }

// jsonAppender is a value that writes itself, used for views over events so
// that a page is rendered only after the state lock has been released.
type jsonAppender interface {
	appendJSON(dst []byte) []byte
}

// appendJSON encodes the value types that the fake uses. Strings are written
// without HTML escaping, as the service does.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendString(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int32:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float64:
		return appendFloat(dst, v)
	case json.Number:
		return append(dst, v...)
	case json.RawMessage:
		return append(dst, v...)
	case *object:
		return appendObject(dst, v)
	case jsonAppender:
		return v.appendJSON(dst)
	case []any:
		return appendArray(dst, v)
	case []*object:
		return appendArray(dst, v)
	case []jsonAppender:
		return appendArray(dst, v)
	case []string:
		return appendArray(dst, v)
	case []int64:
		return appendArray(dst, v)
	case [][]any:
		return appendArray(dst, v)
	case map[string]any:
		dst = append(dst, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, name), ':')
			dst = appendJSON(dst, v[name])
		}
		return append(dst, '}')
	}
	panic(fmt.Sprintf("wallarmtest: no JSON form for %T", v))
}

func appendObject(dst []byte, o *object) []byte {
	if o == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for i, m := range o.members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, m.name), ':')
		dst = appendJSON(dst, m.value)
	}
	return append(dst, '}')
}

func appendArray[E any](dst []byte, elements []E) []byte {
	dst = append(dst, '[')
	for i, e := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, e)
	}
	return append(dst, ']')
}

func appendFloat(dst []byte, f float64) []byte {
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if !bytes.ContainsRune(dst[start:], '.') {
		dst = append(dst, ".0"...) // counters travel as 61818.0
	}
	return dst
}

const hexDigits = "0123456789abcdef"

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + size
			}
			i += size
			continue
		}
		if b >= ' ' && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// parseJSON decodes one JSON value into nil, bool, string, int64,
// json.Number (numbers that are no int64), []any or *object.
func parseJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := parseValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the JSON value")
	}
	return v, nil
}

func parseObject(data []byte) (*object, error) {
	v, err := parseJSON(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return o, nil
}

const maxJSONDepth = 200

func parseValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, errors.New("JSON nested too deeply")
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '[' {
			return parseElements(dec, depth)
		}
		return parseMembers(dec, depth)
	case json.Number:
		if n, err := strconv.ParseInt(tok.String(), 10, 64); err == nil {
			return n, nil
		}
		return tok, nil
	default:
		return tok, nil // string, bool, nil
	}
}

func parseElements(dec *json.Decoder, depth int) (any, error) {
	elements := []any{}
	for dec.More() {
		v, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, v)
	}
	_, err := dec.Token()
	return elements, err
}

func parseMembers(dec *json.Decoder, depth int) (any, error) {
	o := obj()
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		v, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		o.set(name.(string), v)
	}
	_, err := dec.Token()
	return o, err
}

// asInt reads an integer that may be written as a string, as query and form
// parameters are.
func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return n, err == nil
	case json.Number:
		f, err := v.Float64()
		if err != nil || f != float64(int64(f)) {
			return 0, false
		}
		return int64(f), true
	}
	return 0, false
}

// asBool reads a boolean that may be written as a string.
func asBool(v any) (value, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		switch v {
		case "true", "1":
			return true, true
		case "false", "0":
			return false, true
		}
	}
	return false, false
}

// asList makes a list of a scalar, an array or nothing.
func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func stringsOf(v any) []string {
	var out []string
	for _, e := range asList(v) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func anyList[E any](elements []E) []any {
	out := make([]any, len(elements))
	for i, e := range elements {
		out[i] = e
	}
	return out
}

// jsonEqual compares two values by their encoding.
func jsonEqual(a, b any) bool {
	return bytes.Equal(appendJSON(nil, a), appendJSON(nil, b))
}
