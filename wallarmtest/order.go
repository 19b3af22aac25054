package wallarmtest

import (
	"slices"
	"strings"
)

// ordering is a column to sort by.
type ordering[T any] struct {
	key  func(T) value
	desc bool
	name string
}

// orderBy reads order_by and order_desc, or the array form
// [{"name":...,"direction":...}]. A column that the route does not know is
// refused.
func orderBy[T any](q *call, known map[string]func(T) value, name string, desc bool) (ordering[T], error) {
	var errs fieldErrors
	if v, sent := q.params.lookup("order_by"); sent {
		if list, isList := v.([]any); isList && len(list) > 0 {
			if o, isObject := list[0].(*object); isObject {
				v = o.get("name")
				desc = strings.EqualFold(o.str("direction"), "desc")
			}
		}
		s, isString := v.(string)
		if !isString || known[s] == nil {
			errs.add("order_by", "invalid", v)
		}
		name = s
	}
	if v := q.params.get("order_desc"); v != nil {
		b, isBool := asBool(v)
		if !isBool {
			errs.add("order_desc", "must be boolean", v)
		}
		desc = b
	}
	return ordering[T]{known[name], desc, name}, errs.err()
}

// sort orders rows in place; rows with equal keys keep their order.
func (o ordering[T]) sort(rows []T) {
	if o.key == nil {
		return
	}
	slices.SortStableFunc(rows, func(a, b T) int {
		if o.desc {
			a, b = b, a
		}
		return o.key(a).compare(o.key(b))
	})
}

// objectOrder makes the known columns of a configuration resource.
func objectOrder(names string) map[string]func(*object) value {
	known := map[string]func(*object) value{}
	for name := range strings.FieldsSeq(names) {
		known[name] = func(o *object) value { return valueOf(o.get(name)) }
	}
	return known
}
