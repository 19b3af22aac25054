package wallarmtest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// value is one comparable value of a column or a filter. It is a struct and
// not an interface so that filtering a million events allocates nothing.
type value struct {
	kind valueKind
	n    int64
	s    string
}

type valueKind uint8

const (
	nullValue valueKind = iota
	boolValue
	intValue
	floatValue
	stringValue
)

func intOf(n int64) value     { return value{kind: intValue, n: n} }
func stringOf(s string) value { return value{kind: stringValue, s: s} }

func boolOf(b bool) value {
	v := value{kind: boolValue}
	if b {
		v.n = 1
	}
	return v
}

// stringOrNull treats the empty string as null.
func stringOrNull(s string) value {
	if s == "" {
		return value{}
	}
	return stringOf(s)
}

// intOrNull treats zero as null.
func intOrNull(n int64) value {
	if n == 0 {
		return value{}
	}
	return intOf(n)
}

// compare orders values of one column: null first, then by content.
func (v value) compare(w value) int {
	switch {
	case v.kind == nullValue && w.kind == nullValue:
		return 0
	case v.kind == nullValue:
		return -1
	case w.kind == nullValue:
		return 1
	case v.kind == stringValue || w.kind == stringValue:
		return strings.Compare(v.s, w.s)
	case v.n < w.n:
		return -1
	case v.n > w.n:
		return 1
	}
	return 0
}

// columnKind says how the filter values of a column are read from JSON or
// from query strings.
type columnKind uint8

const (
	anyColumn    columnKind = iota // as the JSON value stands
	intColumn                      // integers, ranges [a,b] allowed
	stringColumn                   // strings
	boolColumn                     // booleans
	timeColumn                     // [[from,to|null],...], or a flat pair
	tupleColumn                    // ["index","doc"] and its other spellings
	jsonColumn                     // the whole filter value, compared as JSON
)

// column is one filterable field of rows of type T. Either one or each is
// set: each feeds all values of a multi-valued field and stops when yield
// says so.
type column[T any] struct {
	kind columnKind
	one  func(T) value
	each func(row T, yield func(value) bool)
	// convert turns a value of the filter into the form that the rows have.
	convert func(value) value
	// flag marks the columns whose negation takes true to leave rows out; a
	// negated false asks for nothing. The official client sends it always.
	flag bool
}

type columns[T any] map[string]column[T]

// filter is a compiled filter object: all conditions must hold.
type filter[T any] struct {
	conditions []condition[T]
}

type condition[T any] struct {
	name   string
	column column[T]
	negate bool
	set    []value
	index  map[value]struct{} // for long sets
	ranges []span
}

// span is an inclusive range; an open end is the extreme of int64.
type span struct{ from, to int64 }

func (s span) contains(n int64) bool { return s.from <= n && n <= s.to }

const (
	openFrom = -1 << 63
	openTo   = 1<<63 - 1
)

// compile reads a filter object. Names that no column has are refused, so
// that a misspelt filter is not mistaken for an empty one.
func (cols columns[T]) compile(o *object) (*filter[T], error) {
	f := &filter[T]{}
	if o == nil {
		return f, nil
	}
	var errs fieldErrors
	for _, m := range o.members {
		name, negate := strings.CutPrefix(m.name, "!")
		col, known := cols[name]
		if !known {
			errs.add("filter."+m.name, "invalid", m.value)
			continue
		}
		if off, isBool := asBool(m.value); negate && col.flag && isBool && !off {
			continue
		}
		c := condition[T]{name: name, column: col, negate: negate}
		if err := c.read(m.value); err != nil {
			errs.add("filter."+m.name, err.Error(), m.value)
			continue
		}
		if col.convert != nil {
			for i, v := range c.set {
				c.set[i] = col.convert(v)
			}
		}
		if len(c.set) > 8 {
			c.index = make(map[value]struct{}, len(c.set))
			for _, v := range c.set {
				c.index[v] = struct{}{}
			}
		}
		f.conditions = append(f.conditions, c)
	}
	return f, errs.err()
}

var errInvalid = fmt.Errorf("invalid")

func (c *condition[T]) read(v any) error {
	switch c.column.kind {
	case timeColumn:
		return c.readTime(v)
	case tupleColumn:
		return c.readTuples(v)
	case jsonColumn:
		if v == nil {
			c.set = []value{{}}
		} else {
			c.set = []value{stringOf(string(appendJSON(nil, v)))}
		}
		return nil
	}
	if v == nil {
		c.set = []value{{}}
		return nil
	}
	for _, e := range asList(v) {
		if pair, isPair := e.([]any); isPair && c.column.kind == intColumn {
			s, err := readSpan(pair)
			if err != nil {
				return err
			}
			c.ranges = append(c.ranges, s)
			continue
		}
		read, err := c.column.kind.read(e)
		if err != nil {
			return err
		}
		c.set = append(c.set, read)
	}
	return nil
}

// read converts one scalar of a filter.
func (k columnKind) read(v any) (value, error) {
	if v == nil {
		return value{}, nil
	}
	switch k {
	case intColumn:
		if s, isString := v.(string); isString && s == "" {
			return value{}, nil // an empty query value means null
		}
		n, ok := asInt(v)
		if !ok {
			return value{}, errInvalid
		}
		return intOf(n), nil
	case boolColumn:
		b, ok := asBool(v)
		if !ok {
			return value{}, fmt.Errorf("must be boolean")
		}
		return boolOf(b), nil
	case stringColumn:
		switch v := v.(type) {
		case string:
			return stringOf(v), nil
		case int64, json.Number:
			return stringOf(string(appendJSON(nil, v))), nil
		}
		return value{}, fmt.Errorf("must be string")
	}
	return valueOf(v), nil
}

// valueOf is the value of a JSON scalar; arrays and objects are compared by
// their text.
func valueOf(v any) value {
	switch v := v.(type) {
	case nil:
		return value{}
	case bool:
		return boolOf(v)
	case string:
		return stringOf(v)
	case int:
		return intOf(int64(v))
	case int64:
		return intOf(v)
	}
	return stringOf(string(appendJSON(nil, v)))
}

func readSpan(pair []any) (span, error) {
	if len(pair) != 2 {
		return span{}, errInvalid
	}
	s := span{openFrom, openTo}
	if pair[0] != nil {
		n, ok := asInt(pair[0])
		if !ok {
			return span{}, errInvalid
		}
		s.from = n
	}
	if pair[1] != nil {
		n, ok := asInt(pair[1])
		if !ok {
			return span{}, errInvalid
		}
		s.to = n
	}
	return s, nil
}

// readTime takes [[from,to],...] as the pages show it, a flat [from,to] as
// the console description draws it, and a single number as a lower bound.
func (c *condition[T]) readTime(v any) error {
	list, isList := v.([]any)
	if !isList {
		if v == nil {
			c.set = []value{{}}
			return nil
		}
		n, ok := asInt(v)
		if !ok {
			return errInvalid
		}
		c.ranges = []span{{n, openTo}}
		return nil
	}
	nested := true
	for _, e := range list {
		if _, isPair := e.([]any); !isPair {
			nested = false
		}
	}
	if !nested {
		list = []any{list}
	}
	for _, e := range list {
		pair, _ := e.([]any)
		if len(pair) == 1 {
			pair = append([]any{}, pair[0], nil)
		}
		s, err := readSpan(pair)
		if err != nil {
			return err
		}
		c.ranges = append(c.ranges, s)
	}
	return nil
}

// readTuples takes every spelling of event ids: "index:doc", a flat
// ["index","doc"], an array of "index:doc" and an array of tuples.
func (c *condition[T]) readTuples(v any) error {
	if v == nil {
		c.set = []value{{}}
		return nil
	}
	ids, ok := tupleIDs(v)
	if !ok {
		return errInvalid
	}
	for _, id := range ids {
		c.set = append(c.set, stringOf(id))
	}
	return nil
}

// tupleIDs normalises event ids to "index:doc".
func tupleIDs(v any) ([]string, bool) {
	list, isList := v.([]any)
	if !isList {
		s, isString := v.(string)
		return []string{s}, isString
	}
	if len(list) == 2 {
		index, ok1 := list[0].(string)
		doc, ok2 := list[1].(string)
		if ok1 && ok2 && !strings.Contains(index, ":") {
			return []string{index + ":" + doc}, true
		}
	}
	ids := []string{}
	for _, e := range list {
		switch e := e.(type) {
		case string:
			ids = append(ids, e)
		case []any:
			inner, ok := tupleIDs(e)
			if !ok || len(inner) != 1 {
				return nil, false
			}
			ids = append(ids, inner[0])
		default:
			return nil, false
		}
	}
	return ids, true
}

func (f *filter[T]) match(row T) bool {
	for i := range f.conditions {
		if !f.conditions[i].match(row) {
			return false
		}
	}
	return true
}

func (c *condition[T]) match(row T) bool {
	if c.column.each == nil {
		return c.accepts(c.column.one(row)) != c.negate
	}
	found, some := false, false
	c.column.each(row, func(v value) bool {
		some = true
		found = c.accepts(v)
		return !found
	})
	if !some {
		found = c.accepts(value{})
	}
	return found != c.negate
}

func (c *condition[T]) accepts(v value) bool {
	for _, s := range c.ranges {
		if v.kind == intValue && s.contains(v.n) {
			return true
		}
	}
	if c.index != nil {
		_, found := c.index[v]
		return found
	}
	for _, w := range c.set {
		if v == w {
			return true
		}
	}
	return false
}

// only returns the positive condition on a column, if there is one.
func (f *filter[T]) only(name string) *condition[T] {
	for i := range f.conditions {
		if c := &f.conditions[i]; c.name == name && !c.negate {
			return c
		}
	}
	return nil
}

// split divides the conditions by a test on their names.
func (f *filter[T]) split(test func(name string) bool) (with, without *filter[T]) {
	with, without = &filter[T]{}, &filter[T]{}
	for _, c := range f.conditions {
		if test(c.name) {
			with.conditions = append(with.conditions, c)
		} else {
			without.conditions = append(without.conditions, c)
		}
	}
	return with, without
}

// objectColumns makes the columns of a configuration resource from a list
// such as "id:int type:string create_time:time system:bool". A name may be
// written filter=member when the filter spells it otherwise, and a member may
// be a dotted path into nested objects. Members that are arrays count as
// several values.
func objectColumns(spec string) columns[*object] {
	cols := columns[*object]{}
	for field := range strings.FieldsSeq(spec) {
		name, kindName, _ := strings.Cut(field, ":")
		name, path, renamed := strings.Cut(name, "=")
		if !renamed {
			path = name
		}
		cols[name] = memberColumn(path, columnKinds[kindName])
	}
	return cols
}

var columnKinds = map[string]columnKind{
	"": anyColumn, "any": anyColumn, "int": intColumn, "string": stringColumn, "bool": boolColumn,
	"time": timeColumn, "tuple": tupleColumn, "json": jsonColumn,
}

func memberColumn(path string, kind columnKind) column[*object] {
	keys := strings.Split(path, ".")
	at := func(o *object) any {
		for _, key := range keys[:len(keys)-1] {
			o = o.object(key)
		}
		return o.get(keys[len(keys)-1])
	}
	if kind == jsonColumn {
		return column[*object]{kind: kind, one: func(o *object) value {
			v := at(o)
			if v == nil {
				return value{}
			}
			return stringOf(string(appendJSON(nil, v)))
		}}
	}
	return column[*object]{kind: kind, each: func(o *object, yield func(value) bool) {
		list, isList := at(o).([]any)
		if !isList {
			yield(valueOf(at(o)))
			return
		}
		for _, e := range list {
			if !yield(valueOf(e)) {
				return
			}
		}
	}}
}
