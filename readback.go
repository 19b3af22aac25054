package wallarm

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// jsonObject is an object by the names of its members.
type jsonObject map[string]RawJSON

func readObject(data RawJSON) (jsonObject, error) {
	members, err := wire.Members(data)
	object := make(jsonObject, len(members))
	for _, m := range members {
		object[m.Name] = m.Value
	}
	return object, err
}

// readBack compares what is about to be written with what was read, where the API only replaces things as a whole. Numbers may come as texts, and
// a sole element without its list, since they are read so.
type readBack struct {
	// nullLists takes a list that came as null for an empty one.
	nullLists bool
	// depth is how many objects and lists the values at hand stand in.
	depth int
}

// maxDepth is how deep values are compared: those inside are read, and kept, as often as there are others around them.
const maxDepth = 16

// isWrittenAs reports whether v, which was read from a value, is written as it again.
func isWrittenAs(v any, read RawJSON) bool {
	written, err := wire.Marshal(v)
	return err == nil && readBack{}.value("", written, read) == ""
}

// object says how written differs from read, "" if it does not. A member that came as null may be left out.
func (c readBack) object(path string, written, read jsonObject) string {
	for _, name := range slices.Sorted(maps.Keys(written)) {
		value, ok := read[name]
		if !ok {
			return "the answer has no " + path + clip(name)
		}
		if reason := c.value(path+clip(name), written[name], value); reason != "" {
			return reason
		}
	}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if _, ok := written[name]; !ok && read[name].Kind() != 'n' {
			return path + clip(name) + " would be lost"
		}
	}
	return ""
}

// value says how a value written at path differs from the one that was read there.
func (c readBack) value(path string, written, read RawJSON) string {
	c.depth++
	switch {
	case bytes.Equal(written, read):
		return ""
	case c.depth > maxDepth:
		return path + " is too deep"
	case written.Kind() == 'n' && read.Kind() == 'n':
		return ""
	case read.Kind() == 'n':
		if c.nullLists && written.Kind() == '[' {
			return ""
		}
		return "the answer has no " + path
	case written.Kind() == '{' && read.Kind() == '{':
		members, err := readObject(written)
		others, otherErr := readObject(read)
		if err != nil || otherErr != nil {
			return path + " cannot be read"
		}
		return c.object(path+".", members, others)
	case written.Kind() == '[' || read.Kind() == '[':
		return c.list(path, written, read)
	case !saysTheSame(written, read):
		return path + " would be written with another value"
	}
	return ""
}

func (c readBack) list(path string, written, read RawJSON) string {
	elements, err := wire.DecodeElements[RawJSON](written, nil)
	others, otherErr := wire.DecodeElements[RawJSON](read, nil)
	if err != nil || otherErr != nil || len(elements) != len(others) {
		return path + " would be written with another value"
	}
	for i := range elements {
		if bytes.Equal(elements[i], others[i]) {
			continue // most are, and there may be many
		}
		if reason := c.value(fmt.Sprintf("%s[%d]", path, i), elements[i], others[i]); reason != "" {
			return reason
		}
	}
	return ""
}

// saysTheSame reports whether two values say the same, be they numbers, booleans or the texts of these.
func saysTheSame(a, b RawJSON) bool {
	x, y := scalarText(a), scalarText(b)
	if x == y || a.Kind() == '"' && b.Kind() == '"' {
		return x == y
	}
	if i, err := wire.ParseInt(x); err == nil {
		j, err := wire.ParseInt(y)
		if err == nil {
			return i == j
		}
	}
	if f, err := strconv.ParseFloat(x, 64); err == nil {
		g, err := strconv.ParseFloat(y, 64)
		if err == nil {
			return f == g
		}
	}
	p, err := strconv.ParseBool(x)
	q, otherErr := strconv.ParseBool(y)
	return err == nil && otherErr == nil && p == q
}

// scalarText is a text without its quotes, and anything else as it is.
func scalarText(value RawJSON) string {
	if value.Kind() != '"' {
		return string(value)
	}
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return string(value)
	}
	return string(text)
}
