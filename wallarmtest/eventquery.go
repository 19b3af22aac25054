package wallarmtest

import (
	"math"
	"slices"
)

// attackQuery is the filter of an attack route. Conditions on what only hits
// have (time, address, status, ...) ask for at least one hit that meets them
// all.
type attackQuery struct {
	s       *eventStore
	clients []int64
	attacks *filter[attackRow]
	hits    *filter[hitRow]
	time    *filter[hitRow] // the conditions on time among hits
	from    int64           // no hit before this time can match
	hidden  map[int64]bool  // attacks that an eventual-consistency fault holds back
}

func (c *Cloud) attackQuery(q *call) (*attackQuery, error) {
	o, err := q.eventFilter()
	if err != nil {
		return nil, err
	}
	onAttack, onHit := obj(), obj()
	for _, m := range o.members {
		name := m.name
		if name != "" && name[0] == '!' {
			name = name[1:]
		}
		if _, isAttack := c.events.columns.attacks[name]; isAttack {
			onAttack.set(m.name, m.value)
		} else {
			onHit.set(m.name, m.value)
		}
	}
	aq := &attackQuery{s: c.events, clients: c.eventClients(q, o), from: math.MinInt64}
	if aq.attacks, err = c.events.columns.attacks.compile(onAttack); err != nil {
		return nil, err
	}
	if aq.hits, err = c.events.columns.hits.compile(onHit); err != nil {
		return nil, err
	}
	aq.time, _ = aq.hits.split(func(name string) bool { return name == "time" })
	aq.from = earliest(aq.hits)
	if !q.route.writes {
		aq.hidden = c.events.attackLags.hidden(q.now)
	}
	return aq, nil
}

// eventFilter returns the filter of an event route after the check of its
// client ids. A null poolid means any application, as old exporters send it.
func (q *call) eventFilter() (*object, error) {
	o, err := q.filterObject(false)
	if err != nil {
		return nil, err
	}
	if v, sent := o.lookup("poolid"); sent && v == nil {
		o = o.clone()
		o.del("poolid")
	}
	return o, q.checkOwner(o, "clientid", false)
}

// eventClients lists the clients whose events can match.
func (c *Cloud) eventClients(q *call, filter *object) []int64 {
	var ids []int64
	if v := filter.get("clientid"); v != nil {
		for _, e := range asList(v) {
			if id, isInt := asInt(e); isInt && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		return ids
	}
	for id := range c.events.clients {
		if q.who.sees(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// earliest is the lower bound that the time ranges set.
func earliest(f *filter[hitRow]) int64 {
	c := f.only("time")
	if c == nil || len(c.ranges) == 0 {
		return math.MinInt64
	}
	from := int64(math.MaxInt64)
	for _, r := range c.ranges {
		from = min(from, r.from)
	}
	return from
}

func (aq *attackQuery) match(index int32) bool {
	a := &aq.s.attacks[index]
	if a.gone || a.last < aq.from || aq.hidden[int64(index)] || !aq.attacks.match(attackRow{aq.s, index}) {
		return false
	}
	if len(aq.hits.conditions) == 0 {
		return true
	}
	if a.lastHit < 0 {
		return aq.matchBare(a)
	}
	found := false
	aq.s.eachHit(a, func(i int32, _ *hit) bool {
		found = aq.hits.match(hitRow{aq.s, i})
		return !found
	})
	return found
}

// matchBare decides on an attack without stored hits by its times alone.
func (aq *attackQuery) matchBare(a *attack) bool {
	for i := range aq.time.conditions {
		c := &aq.time.conditions[i]
		overlap := slices.ContainsFunc(c.ranges, func(r span) bool { return a.first <= r.to && a.last >= r.from })
		if overlap == c.negate {
			return false
		}
	}
	return true
}

// named returns the condition that names attacks by id, if there is one.
func (aq *attackQuery) named() *condition[attackRow] {
	if c := aq.attacks.only("attackid"); c != nil {
		return c
	}
	return aq.attacks.only("id")
}

// each yields the attacks that match: those named by id, or else client by
// client from newest to oldest.
func (aq *attackQuery) each(yield func(int32) bool) {
	c := aq.named()
	if c == nil {
		aq.scan(yield)
		return
	}
	for _, v := range c.set {
		if v.kind == intValue && aq.match(int32(v.n)) && !yield(int32(v.n)) {
			return
		}
	}
}

func (aq *attackQuery) scan(yield func(int32) bool) {
	for _, id := range aq.clients {
		e := aq.s.clients[id]
		if e == nil {
			continue
		}
		for _, index := range slices.Backward(e.attacks) {
			if aq.s.attacks[index].last < aq.from {
				break
			}
			if aq.match(index) && !yield(index) {
				return
			}
		}
	}
}

// keyed is an event with the key to sort it by.
type keyed struct {
	key   value
	index int32
}

// pageOf collects events for one page of a sorted list. It keeps no more
// than a few times what the page needs, so that the first pages of a million
// events are cheap.
type pageOf struct {
	list          []keyed
	desc          bool
	limit, offset int
}

func (p *pageOf) add(key value, index int32) {
	p.list = append(p.list, keyed{key, index})
	if need := p.offset + p.limit; len(p.list) >= 2*need+1024 {
		p.sort()
		p.list = p.list[:need]
	}
}

// full tells whether the page has all it needs, for events that are added in
// the order of the list.
func (p *pageOf) full() bool { return len(p.list) >= p.offset+p.limit }

// sort orders by key, then by place, so that pages do not overlap.
func (p *pageOf) sort() {
	slices.SortFunc(p.list, func(a, b keyed) int {
		if p.desc {
			a, b = b, a
		}
		if c := a.key.compare(b.key); c != 0 {
			return c
		}
		return int(a.index) - int(b.index)
	})
}

func (p *pageOf) indexes() []int32 {
	p.sort()
	page := offsetPage(p.list, p.limit, p.offset)
	out := make([]int32, len(page))
	for i, k := range page {
		out[i] = k.index
	}
	return out
}

// hitQuery is the filter of a hit route.
type hitQuery struct {
	s       *eventStore
	clients []int64
	hits    *filter[hitRow]
	from    int64
	hidden  map[int64]bool
}

func (c *Cloud) hitQuery(q *call) (*hitQuery, error) {
	o, err := q.eventFilter()
	if err != nil {
		return nil, err
	}
	hq := &hitQuery{s: c.events, clients: c.eventClients(q, o)}
	if hq.hits, err = c.events.columns.hits.compile(o); err != nil {
		return nil, err
	}
	hq.from = earliest(hq.hits)
	if !q.route.writes {
		hq.hidden = c.events.hitLags.hidden(q.now)
	}
	return hq, nil
}

func (hq *hitQuery) match(index int32) bool {
	h := &hq.s.hits[index]
	return !h.gone && !hq.hidden[int64(index)] && slices.Contains(hq.clients, hq.s.attacks[h.attack].shape.clientID) &&
		hq.hits.match(hitRow{hq.s, index})
}

// each yields the hits that match: by id, by attack, or by going through the
// clients from newest to oldest.
func (hq *hitQuery) each(yield func(int32) bool) {
	switch id, attackID := hq.hits.only("id"), hq.hits.only("attackid"); {
	case id != nil:
		for _, v := range id.set {
			if v.kind == intValue && hq.match(int32(v.n)) && !yield(int32(v.n)) {
				return
			}
		}
	case attackID != nil && !slices.Contains(attackID.set, value{}):
		for _, v := range attackID.set {
			if v.kind == intValue && !hq.eachOfAttack(int32(v.n), yield) {
				return
			}
		}
	default:
		hq.scan(yield)
	}
}

func (hq *hitQuery) eachOfAttack(index int32, yield func(int32) bool) bool {
	more := true
	hq.s.eachHit(&hq.s.attacks[index], func(i int32, _ *hit) bool {
		if hq.match(i) {
			more = yield(i)
		}
		return more
	})
	return more
}

func (hq *hitQuery) scan(yield func(int32) bool) {
	for _, id := range hq.clients {
		e := hq.s.clients[id]
		if e == nil {
			continue
		}
		for _, index := range slices.Backward(e.hits) {
			if hq.s.hits[index].time < hq.from {
				break
			}
			if hq.match(index) && !yield(index) {
				return
			}
		}
	}
}
