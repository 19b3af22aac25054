package wallarmtest

import "slices"

// attackRow and hitRow are events as filters see them.
type (
	attackRow struct {
		s     *eventStore
		index int32
	}
	hitRow struct {
		s     *eventStore
		index int32
	}
)

func (r attackRow) attack() *attack { return &r.s.attacks[r.index] }
func (r hitRow) hit() *hit          { return &r.s.hits[r.index] }
func (r hitRow) shape() *shape      { return r.s.attacks[r.hit().attack].shape }

// nullColumn is a column that the fake has no data for: always null.
func nullColumn[T any](kind columnKind) column[T] {
	return column[T]{kind: kind, one: func(T) value { return value{} }}
}

func (s *eventStore) attackColumns() columns[attackRow] {
	text := func(get func(*attack) value) column[attackRow] {
		return column[attackRow]{kind: stringColumn, one: func(r attackRow) value { return get(r.attack()) }}
	}
	number := func(get func(*attack) value) column[attackRow] {
		return column[attackRow]{kind: intColumn, one: func(r attackRow) value { return get(r.attack()) }}
	}
	id := column[attackRow]{
		kind:    tupleColumn,
		one:     func(r attackRow) value { return intOf(int64(r.index)) },
		convert: s.attackPlaceOf,
	}
	none := nullColumn[attackRow]
	return columns[attackRow]{
		"clientid":       number(func(a *attack) value { return intOf(a.shape.clientID) }),
		"type":           text(func(a *attack) value { return stringOf(a.shape.kind) }),
		"domain":         text(func(a *attack) value { return stringOrNull(a.shape.domain) }),
		"path":           text(func(a *attack) value { return stringOf(a.shape.path) }),
		"parameter":      text(func(a *attack) value { return stringOf(a.shape.parameter) }),
		"method":         text(func(a *attack) value { return stringOrNull(a.shape.method) }),
		"poolid":         number(func(a *attack) value { return intOf(a.shape.poolID) }),
		"attackid":       id,
		"id":             id,
		"vulnid":         number(func(a *attack) value { return intOrNull(a.vulnID) }),
		"state":          text(func(a *attack) value { return a.state.value() }),
		"threat":         number(func(a *attack) value { return intOf(a.shape.threat) }),
		"target":         text(func(a *attack) value { return stringOf(a.shape.target) }),
		"block_status":   text(func(a *attack) value { return stringOf(a.blockStatus()) }),
		"hits":           number(func(a *attack) value { return intOf(int64(a.hits)) }),
		"recheck_status": text(func(*attack) value { return stringOf("unrecheckable") }),
		"changed_time":   {kind: timeColumn, one: func(r attackRow) value { return intOf(r.attack().last) }},
		"ips": {kind: intColumn, one: func(r attackRow) value {
			return intOf(int64(len(s.aggregate(r.attack(), nil).ips)))
		}},
		"index":       {kind: stringColumn, one: func(r attackRow) value { return stringOf(s.attackID(r.index).Index) }},
		"rawid":       {kind: stringColumn, one: func(r attackRow) value { return stringOf(s.attackID(r.index).Doc) }},
		"anomality":   none(stringColumn),
		"impression":  none(intColumn),
		"stamps_hash": none(anyColumn),
		"value_hash":  none(stringColumn),
		"testrun_id":  none(intColumn),
		"custom_rule": {kind: boolColumn, one: func(attackRow) value { return boolOf(false) }},
	}
}

// attackPlaceOf turns an attack id into the place of the attack.
func (s *eventStore) attackPlaceOf(v value) value {
	if ref, found := s.find(v.s); v.kind == stringValue && found && !ref.isHit {
		return intOf(int64(ref.index))
	}
	return v
}

func (s *eventStore) hitPlaceOf(v value) value {
	if ref, found := s.find(v.s); v.kind == stringValue && found && ref.isHit {
		return intOf(int64(ref.index))
	}
	return v
}

func (s *eventStore) hitColumns() columns[hitRow] {
	text := func(get func(*hit) value) column[hitRow] {
		return column[hitRow]{kind: stringColumn, one: func(r hitRow) value { return get(r.hit()) }}
	}
	number := func(get func(*hit) value) column[hitRow] {
		return column[hitRow]{kind: intColumn, one: func(r hitRow) value { return get(r.hit()) }}
	}
	flag := func(f hitFlags) column[hitRow] {
		return column[hitRow]{kind: boolColumn, flag: true, one: func(r hitRow) value {
			return boolOf(r.hit().flags&f != 0)
		}}
	}
	shaped := func(kind columnKind, get func(*shape) value) column[hitRow] {
		return column[hitRow]{kind: kind, one: func(r hitRow) value { return get(r.shape()) }}
	}
	listed := func(kind columnKind, get func(*hit) []any) column[hitRow] {
		return column[hitRow]{kind: kind, each: func(r hitRow, yield func(value) bool) {
			for _, e := range get(r.hit()) {
				if !yield(valueOf(e)) {
					return
				}
			}
		}}
	}
	none := nullColumn[hitRow]
	cols := columns[hitRow]{
		"clientid":  shaped(intColumn, func(p *shape) value { return intOf(p.clientID) }),
		"type":      shaped(stringColumn, func(p *shape) value { return stringOf(p.kind) }),
		"domain":    shaped(stringColumn, func(p *shape) value { return stringOrNull(p.domain) }),
		"path":      shaped(stringColumn, func(p *shape) value { return stringOf(p.path) }),
		"parameter": shaped(stringColumn, func(p *shape) value { return stringOf(p.parameter) }),
		"method":    shaped(stringColumn, func(p *shape) value { return stringOrNull(p.method) }),
		"poolid":    shaped(intColumn, func(p *shape) value { return intOf(p.poolID) }),
		"threat":    shaped(intColumn, func(p *shape) value { return intOf(p.threat) }),
		"target":    shaped(stringColumn, func(p *shape) value { return stringOf(p.target) }),
		"protocol":  shaped(stringColumn, func(p *shape) value { return stringOf(p.protocol) }),
		"auth_protocol": {kind: stringColumn, each: func(r hitRow, yield func(value) bool) {
			for _, e := range r.shape().authProtocol {
				if !yield(valueOf(e)) {
					return
				}
			}
		}},
		"id": {
			kind: tupleColumn, convert: s.hitPlaceOf,
			one: func(r hitRow) value { return intOf(int64(r.index)) },
		},
		"attackid": {
			kind: tupleColumn, convert: s.attackPlaceOf,
			one: func(r hitRow) value { return intOf(int64(r.hit().attack)) },
		},
		"time":           {kind: timeColumn, one: func(r hitRow) value { return intOf(r.hit().time) }},
		"changed_time":   {kind: timeColumn, one: func(r hitRow) value { return intOf(r.hit().time) }},
		"request_id":     s.requestColumn(),
		"state":          text(func(h *hit) value { return h.state.value() }),
		"block_status":   text(func(h *hit) value { return stringOf(h.block.String()) }),
		"ip":             text(func(h *hit) value { return stringOf(h.origin.ip) }),
		"remote_country": text(func(h *hit) value { return stringOrNull(h.origin.country) }),
		"datacenter":     text(func(h *hit) value { return stringOf(h.origin.datacenter) }),
		"tor":            text(func(h *hit) value { return stringOf(h.origin.tor) }),
		"proxy_type":     text(func(h *hit) value { return stringOrNull(h.origin.proxyType) }),
		"value":          text(func(h *hit) value { return stringOf(h.payload.value) }),
		"vector":         text(func(h *hit) value { return stringOf(h.payload.value) }),
		"statuscode":     number(func(h *hit) value { return intOf(int64(h.status)) }),
		"size":           number(func(h *hit) value { return intOf(int64(h.size)) }),
		"response_time":  number(func(h *hit) value { return intOf(int64(h.response)) }),
		"stamps_hash":    number(func(h *hit) value { return intOf(h.payload.stampsHash) }),
		"stamps":         listed(intColumn, func(h *hit) []any { return h.payload.stamps }),
		"regex":          listed(intColumn, func(h *hit) []any { return h.payload.regex }),
		"known_attack":   listed(stringColumn, func(h *hit) []any { return h.payload.known }),
		"vulnid": {kind: intColumn, one: func(r hitRow) value {
			return intOrNull(s.attacks[r.hit().attack].vulnID)
		}},
		"security_issue_id": number(func(h *hit) value {
			if h.more == nil {
				return value{}
			}
			return intOrNull(h.more.issueID)
		}),
		"experimental":    flag(flagExperimental),
		"aasm_event":      flag(flagAASM),
		"wallarm_scanner": flag(flagScanner),
		"ebpf":            {kind: boolColumn, one: func(hitRow) value { return boolOf(false) }},
		"known_false":     none(stringColumn),
		"probability":     none(anyColumn),
	}
	for _, name := range []string{"impression", "ips", "lom_id", "endpoint_id", "testrun_id"} {
		cols[name] = none(intColumn)
	}
	for _, name := range []string{
		"value_hash", "anomality", "index", "rawid", "wallarm_mode", "final_wallarm_mode", "libproton_version",
		"brute_counter", "dirbust_counter", "bola_counter", "node_uuid", "preset", "api_spec_id",
	} {
		cols[name] = none(stringColumn)
	}
	return cols
}

// requestColumn compares computed request ids by number, so that finding the
// hits of a request among a million makes no strings.
func (s *eventStore) requestColumn() column[hitRow] {
	return column[hitRow]{
		kind: stringColumn,
		one: func(r hitRow) value {
			h := r.hit()
			if h.more != nil && h.more.requestID != "" {
				return stringOf(h.more.requestID)
			}
			return intOf(int64(h.request))
		},
		convert: func(v value) value {
			if n, isComputed := s.requestNumber(v.s); isComputed {
				return intOf(int64(n))
			}
			return v
		},
	}
}

// blockStatus of an attack is blocked when all of its hits were.
func (a *attack) blockStatus() string {
	if a.hits > 0 && a.blocked == a.hits {
		return blockBlocked.String()
	}
	return blockMonitored.String()
}

// tally counts what the hits of an attack have in common.
type tally struct {
	hits         int
	last         int64
	experimental bool
	ips          []counted
	countries    []counted
	statuses     []counted
	payloads     []counted
	datacenters  []counted
	tor          bool
}

type counted struct {
	key   value
	count int
	note  string // the country of an address
}

func count(list []counted, key value, note string) []counted {
	for i := range list {
		if list[i].key == key {
			list[i].count++
			return list
		}
	}
	return append(list, counted{key, 1, note})
}

// aggregate tallies the hits of an attack that the filter selects.
func (s *eventStore) aggregate(a *attack, f *filter[hitRow]) tally {
	var t tally
	s.eachHit(a, func(i int32, h *hit) bool {
		if f != nil && !f.match(hitRow{s, i}) {
			return true
		}
		t.hits++
		t.last = max(t.last, h.time)
		t.ips = count(t.ips, stringOf(h.origin.ip), h.origin.country)
		t.countries = count(t.countries, stringOrNull(h.origin.country), "")
		t.statuses = count(t.statuses, intOf(int64(h.status)), "")
		t.payloads = count(t.payloads, stringOf(h.payload.value), "")
		if h.origin.datacenter != "unknown" {
			t.datacenters = count(t.datacenters, stringOf(h.origin.datacenter), "")
		}
		t.tor = t.tor || h.origin.tor == "tor"
		t.experimental = t.experimental || h.flags&flagExperimental != 0
		return true
	})
	for _, list := range [][]counted{t.ips, t.countries} {
		slices.SortStableFunc(list, func(a, b counted) int { return b.count - a.count })
	}
	slices.SortFunc(t.statuses, func(a, b counted) int { return a.key.compare(b.key) })
	return t
}
