package wallarmtest

import (
	"encoding/base64"
	"slices"
)

// paging says how the limit of a list behaves.
type paging struct {
	limit    int  // when the request has none
	max      int  // 0: no upper bound
	min      int  // lowest accepted limit
	lower    bool // a limit above max is lowered in silence, not refused
	required bool // a request without a limit is refused
}

// limits reads limit and offset of the request.
func (q *call) limits(p paging) (limit, offset int, err error) {
	var errs fieldErrors
	limit = q.limit(p, &errs)
	if v := q.params.get("offset"); v != nil {
		n, isInt := asInt(v)
		if !isInt || n < 0 {
			errs.add("offset", "invalid", v)
		}
		offset = int(min(n, 1<<40))
	}
	return limit, offset, errs.err()
}

func (q *call) limit(p paging, errs *fieldErrors) int {
	v := q.params.get("limit")
	if v == nil {
		if p.required {
			errs.add("limit", "required")
		}
		return p.limit
	}
	n, isInt := asInt(v)
	switch {
	case !isInt || n < int64(p.min):
		errs.add("limit", "invalid", v)
	case p.max > 0 && n > int64(p.max) && !p.lower:
		errs.add("limit", "invalid", v)
	case p.max > 0 && n > int64(p.max):
		return p.max
	}
	return int(min(n, 1<<40))
}

// offsetPage is P1 to P6: the rows from offset, at most limit of them.
func offsetPage[T any](rows []T, limit, offset int) []T {
	offset = min(offset, len(rows))
	return rows[offset : offset+min(limit, len(rows)-offset)]
}

// nextOffsetPage is P7: next_offset is there only while more rows follow.
func nextOffsetPage(rows []*object, limit, offset int) *object {
	page := offsetPage(rows, limit, offset)
	doc := obj("objects", page, "offset", offset)
	if offset+len(page) < len(rows) {
		doc.set("next_offset", offset+len(page))
	}
	return doc
}

// numberedPage is P8, E9: pages from 1 with totals.
func numberedPage(q *call, rows []*object, perPageDefault int) (reply, error) {
	page, perPage := int64(1), int64(perPageDefault)
	var errs fieldErrors
	for name, target := range map[string]*int64{"page": &page, "per_page": &perPage} {
		if v := q.params.get(name); v != nil {
			n, isInt := asInt(v)
			if !isInt || n < 1 || n > 1<<31 {
				errs.add(name, "invalid", v)
				continue
			}
			*target = n
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	total := int64(len(rows))
	return bare(obj(
		"items", offsetPage(rows, int(perPage), int((page-1)*perPage)),
		"current_page", page,
		"per_page", perPage,
		"total_pages", (total+perPage-1)/perPage,
		"total_count", total,
	)), nil
}

// keysetPage is P9 and the like: the rows after the key of the last page, in
// the order of the keys, and the key to go on with ("" on the last page).
// Rows must be sorted by key. Because the key names a row and not a place,
// rows that come or go meanwhile are neither repeated nor lost.
func keysetPage[T any](rows []T, key func(T) string, after string, limit int) (page []T, next string) {
	start := 0
	if after != "" {
		i, exact := slices.BinarySearchFunc(rows, after, func(row T, k string) int {
			switch rk := key(row); {
			case rk < k:
				return -1
			case rk > k:
				return 1
			}
			return 0
		})
		start = i
		if exact {
			start++
		}
	}
	page = offsetPage(rows, limit, start)
	if len(page) > 0 && start+len(page) < len(rows) {
		next = key(page[len(page)-1])
	}
	return page, next
}

// encodeCursor makes an opaque cursor of a list of JSON values.
func encodeCursor(parts ...any) string {
	return base64.StdEncoding.EncodeToString(appendJSON(nil, parts))
}

// decodeCursor reads what encodeCursor made of n values.
func decodeCursor(cursor string, n int) ([]any, bool) {
	data, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return nil, false
	}
	v, err := parseJSON(data)
	if err != nil {
		return nil, false
	}
	parts, _ := v.([]any)
	return parts, len(parts) == n
}
