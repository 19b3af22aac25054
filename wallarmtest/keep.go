package wallarmtest

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// canonical is a value as tables store it: null, bool, string, int64,
// json.Number, []any and *object. State that has been saved and loaded again
// has these types, so storing no others makes a handler see the same before
// and after.
func canonical(v any) any {
	switch v := v.(type) {
	case nil, bool, string, int64, json.Number:
		return v
	case int:
		return int64(v)
	case *object:
		return canonicalObject(v)
	case []any:
		return canonicalList(v)
	}
	parsed, err := parseJSON(appendJSON(nil, v))
	if err != nil {
		panic("wallarmtest: " + err.Error()) // appendJSON writes valid JSON
	}
	return parsed
}

func canonicalObject(o *object) any {
	if o == nil {
		return nil
	}
	var changed *object
	for i, m := range o.members {
		v := canonical(m.value)
		if sameValue(v, m.value) {
			continue
		}
		if changed == nil {
			changed = o.clone()
		}
		changed.members[i].value = v
	}
	if changed != nil {
		return changed
	}
	return o
}

func canonicalList(list []any) any {
	if list == nil {
		return nil
	}
	var changed []any
	for i, e := range list {
		v := canonical(e)
		if sameValue(v, e) {
			continue
		}
		if changed == nil {
			changed = append(changed, list...)
		}
		changed[i] = v
	}
	if changed != nil {
		return changed
	}
	return list
}

// sameValue tells whether canonical has left a value as it was.
func sameValue(v, was any) bool {
	switch was := was.(type) {
	case nil, bool, string, int64, json.Number:
		return true
	case *object:
		o, isObject := v.(*object)
		return isObject && o == was
	case []any:
		list, isList := v.([]any)
		return isList && len(list) == len(was) && (len(list) == 0 || &list[0] == &was[0])
	}
	return false
}

// keeper is state that lies neither in a table nor among the events. Save
// asks for it as JSON; Load hands it back, nil when the saved state has none.
type keeper struct {
	name string
	save func() any
	load func(v any)
}

// keep registers state beside the tables, so that Save and Load know it.
// Both functions are called with the state lock held, in the order of the
// registrations.
func (c *Cloud) keep(name string, save func() any, load func(v any)) {
	c.keepers = append(c.keepers, keeper{name, save, load})
}

// keepMap registers a map whose values are JSON of one type.
func keepMap[V any](c *Cloud, name string, of func() map[int64]V, read func(v any) V) {
	save := func() any {
		list := []any{}
		m := of()
		for _, id := range slices.Sorted(maps.Keys(m)) {
			list = append(list, obj("id", id, "value", m[id]))
		}
		return list
	}
	c.keep(name, save, func(v any) {
		m := of()
		clear(m)
		for _, e := range asList(v) {
			o, _ := e.(*object)
			m[o.int("id")] = read(o.get("value"))
		}
	})
}

func readInt(v any) int64 {
	n, _ := asInt(v)
	return n
}

func readString(v any) string {
	s, _ := v.(string)
	return s
}

// derive registers what is computed from tables: it is called after Load,
// with the state lock held.
func (c *Cloud) derive(compute func()) { c.derived = append(c.derived, compute) }

// savedTime is a time to the nanosecond, null for none.
func savedTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}

func timeOf(v any) time.Time {
	n, isInt := asInt(v)
	if !isInt {
		return time.Time{}
	}
	return time.Unix(0, n)
}
