package wallarmtest

import (
	"math"
	"net/http"
	"slices"
)

func (c *Cloud) attackRoutes() []route {
	return []route{
		{
			ids: "attacks:14", name: "attacks.list", method: http.MethodPost, pattern: "/v1/objects/attack",
			handle: func(q *call) (reply, error) { return c.listAttacks(q, false) },
		},
		{
			ids: "attacks:15", name: "attacks.listByCursor", method: http.MethodPost, pattern: "/v2/objects/attack",
			handle: func(q *call) (reply, error) { return c.listAttacks(q, true) },
		},
		{
			ids: "attacks:16", name: "attacks.count", method: http.MethodPost, pattern: "/v1/objects/attack/count",
			handle: c.countAttacks,
		},
		{
			ids: "attacks:17", name: "attacks.ips", method: http.MethodPost, pattern: "/v1/objects/attack/ip",
			handle: c.attackIPs,
		},
		{
			ids: "attacks:18", name: "attacks.vectors", method: http.MethodPost, pattern: "/v1/objects/attack/vectors",
			handle: c.attackVectors,
		},
	}
}

// attackOrder are the columns that attacks can be sorted by. Both spellings
// of the hit counter mean the same.
func (s *eventStore) attackOrder() map[string]func(int32) value {
	on := func(get func(a *attack) value) func(int32) value {
		return func(i int32) value { return get(&s.attacks[i]) }
	}
	hits := on(func(a *attack) value { return intOf(int64(a.hits)) })
	return map[string]func(int32) value{
		"hit_count":  hits,
		"hits":       hits,
		"last_time":  on(func(a *attack) value { return intOf(a.last) }),
		"first_time": on(func(a *attack) value { return intOf(a.first) }),
		"domain":     on(func(a *attack) value { return stringOrNull(a.shape.domain) }),
		"path":       on(func(a *attack) value { return stringOf(a.shape.path) }),
		"parameter":  on(func(a *attack) value { return stringOf(a.shape.parameter) }),
		"ip_count":   on(func(a *attack) value { return intOf(int64(len(s.aggregate(a, nil).ips))) }),
		"vectors_count": on(func(a *attack) value {
			return intOf(int64(len(s.aggregate(a, nil).payloads)))
		}),
		"response_status": on(func(a *attack) value {
			t := s.aggregate(a, nil)
			if len(t.statuses) == 0 {
				return value{}
			}
			return t.statuses[0].key
		}),
	}
}

// listAttacks serves both generations of the list. With "paging": true, pages
// of 100 follow each other by cursor, newest first; otherwise limit and
// offset rule.
func (c *Cloud) listAttacks(q *call, v2 bool) (reply, error) {
	aq, err := c.attackQuery(q)
	if err != nil {
		return reply{}, err
	}
	byCursor, isBool := asBool(q.params.get("paging"))
	if q.params.get("paging") != nil && !isBool {
		return reply{}, errField("paging", "must be boolean", q.params.get("paging"))
	}
	if byCursor || q.params.get("cursor") != nil {
		return c.attackWalk(q, aq, v2)
	}
	ordering, err := orderBy(q, c.events.attackOrder(), "hit_count", true)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100, max: 1000, lower: true})
	if err != nil {
		return reply{}, err
	}
	indexes := aq.page(ordering, limit, offset)
	views := make([]jsonAppender, len(indexes))
	for i, index := range indexes {
		views[i] = c.events.viewAttack(index, aq.hits, v2)
	}
	return ok(views), nil
}

// page returns one page of the attacks that match. The usual order, newest
// first, is read off the index and stops at the end of the page.
func (aq *attackQuery) page(o ordering[int32], limit, offset int) []int32 {
	page := pageOf{desc: o.desc, limit: limit, offset: offset}
	indexed := o.name == "last_time" && o.desc && len(aq.clients) == 1 && aq.named() == nil
	aq.each(func(index int32) bool {
		page.add(o.key(index), index)
		return !indexed || !page.full()
	})
	return page.indexes()
}

const cursorPage = 100

// attackWalk answers one page of a walk by cursor. The cursor holds the last
// attack of the page before and the revision of the store at the start of
// the walk, so that later events neither repeat nor hide anything.
func (c *Cloud) attackWalk(q *call, aq *attackQuery, v2 bool) (reply, error) {
	mark := placed{math.MaxInt64, math.MaxInt32}
	revision := c.events.walks.revision
	if v := q.params.get("cursor"); v != nil && v != "" {
		text, _ := v.(string)
		parts, valid := decodeCursor(text, 3)
		if !valid {
			return reply{}, errField("cursor", "invalid", v)
		}
		last, ok1 := asInt(parts[0])
		index, ok2 := asInt(parts[1])
		started, ok3 := asInt(parts[2])
		if !ok1 || !ok2 || !ok3 {
			return reply{}, errField("cursor", "invalid", v)
		}
		mark, revision = placed{last, int32(index)}, uint64(started)
	}
	var page []placed
	more := false
	c.events.walk(aq.clients, mark, revision, func(p placed) bool {
		if p.last < aq.from {
			return false
		}
		if !aq.match(p.index) {
			return true
		}
		if more = len(page) == cursorPage; more {
			return false
		}
		page = append(page, p)
		return true
	})
	views := make([]jsonAppender, len(page))
	for i, p := range page {
		views[i] = c.events.viewAttack(p.index, aq.hits, v2)
	}
	cursor := ""
	if more {
		last := page[len(page)-1]
		cursor = encodeCursor(last.last, last.index, int64(revision))
		c.events.walks.begun.Store(true)
	}
	return okCursor(views, cursor), nil
}

func (c *Cloud) countAttacks(q *call) (reply, error) {
	aq, err := c.attackQuery(q)
	if err != nil {
		return reply{}, err
	}
	attacks, hits := 0, 0
	ips := map[string]bool{}
	aq.each(func(index int32) bool {
		attacks++
		aq.eachHit(index, func(_ int32, h *hit) {
			hits++
			ips[h.origin.ip] = true
		})
		return true
	})
	return ok(obj("attacks", attacks, "hits", float64(hits), "ips", len(ips))), nil
}

// eachHit yields the hits of a matching attack that match themselves.
func (aq *attackQuery) eachHit(index int32, yield func(int32, *hit)) {
	aq.s.eachHit(&aq.s.attacks[index], func(i int32, h *hit) bool {
		if aq.hits.match(hitRow{aq.s, i}) {
			yield(i, h)
		}
		return true
	})
}

func (c *Cloud) attackIPs(q *call) (reply, error) {
	aq, err := c.attackQuery(q)
	if err != nil {
		return reply{}, err
	}
	ips := []string{}
	seen := map[string]bool{}
	aq.each(func(index int32) bool {
		aq.eachHit(index, func(_ int32, h *hit) {
			if !seen[h.origin.ip] {
				seen[h.origin.ip] = true
				ips = append(ips, h.origin.ip)
			}
		})
		return true
	})
	slices.Sort(ips)
	return ok(ips), nil
}

// attackVectors groups the payloads of the matching hits by attack type.
func (c *Cloud) attackVectors(q *call) (reply, error) {
	aq, err := c.attackQuery(q)
	if err != nil {
		return reply{}, err
	}
	groups := map[string]any{}
	seen := map[string]bool{}
	aq.each(func(index int32) bool {
		kind := c.events.attacks[index].shape.kind
		aq.eachHit(index, func(_ int32, h *hit) {
			if v := h.payload.value; v != "" && !seen[kind+"\x00"+v] {
				seen[kind+"\x00"+v] = true
				list, _ := groups[kind].([]any)
				groups[kind] = append(list, v)
			}
		})
		return true
	})
	return ok(groups), nil
}
