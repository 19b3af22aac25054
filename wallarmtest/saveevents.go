package wallarmtest

import (
	"errors"
	"fmt"
	"slices"
)

// Attacks and hits are saved in bulk, as flat lists of numbers, many of them
// on a line: what they share is written before them and referred to by its
// place. What only few events have follows them.
const eventsPerLine = 512

// eventSnapshot is the event store at one moment.
type eventSnapshot struct {
	key      uint64
	revision uint64
	moves    []move
	attacks  []attack
	hits     []hit
	shapes   []*shape
	origins  []*origin
	payloads []*payload
}

func (s *eventStore) snapshot() *eventSnapshot {
	return &eventSnapshot{
		key: s.key, revision: s.walks.revision, moves: slices.Clone(s.walks.moves),
		attacks: slices.Clone(s.attacks), hits: slices.Clone(s.hits),
	}
}

func (s *eventSnapshot) write(out *lineWriter) {
	out.line(obj("events", obj("key", int64(s.key), "revision", int64(s.revision), "moves", moveNumbers(s.moves))))
	shapes := shared[shape]{}
	for i := range s.attacks {
		shapes.write(out, "shape", s.attacks[i].shape, (*shape).fields)
	}
	origins, payloads := shared[origin]{}, shared[payload]{}
	for i := range s.hits {
		origins.write(out, "origin", s.hits[i].origin, (*origin).fields)
		payloads.write(out, "payload", s.hits[i].payload, (*payload).fields)
	}
	writeNumbers(out, "attacks", len(s.attacks), func(dst []int64, i int) []int64 {
		a := &s.attacks[i]
		return append(append(dst, shapes[a.shape]), a.numbers()...)
	})
	writeNumbers(out, "hits", len(s.hits), func(dst []int64, i int) []int64 {
		h := &s.hits[i]
		return append(append(dst, origins[h.origin], payloads[h.payload]), h.numbers()...)
	})
	for i := range s.attacks {
		if a := &s.attacks[i]; a.id != nil || a.extra != nil {
			out.line(obj("attack", i, "id", idJSON(a.id), "extra", a.extra))
		}
	}
	for i := range s.hits {
		if m := s.hits[i].more; m != nil {
			out.line(obj("hit", i, "id", idJSON(m.id), "request_id", m.requestID, "issue_id", m.issueID, "extra", m.extra))
		}
	}
}

// shared are the places of values that events share, in the order of their
// first use.
type shared[T any] map[*T]int64

func (places shared[T]) write(out *lineWriter, name string, v *T, fields func(*T) *object) {
	if _, known := places[v]; !known {
		places[v] = int64(len(places))
		out.line(obj(name, fields(v)))
	}
}

func writeNumbers(out *lineWriter, name string, count int, row func(dst []int64, i int) []int64) {
	var flat []int64
	for i := range count {
		flat = row(flat, i)
		if (i+1)%eventsPerLine == 0 || i == count-1 {
			out.line(obj(name, flat))
			flat = flat[:0]
		}
	}
}

func moveNumbers(moves []move) []int64 {
	flat := make([]int64, 0, 4*len(moves))
	for _, m := range moves {
		flat = append(flat, int64(m.revision), int64(m.attack), m.last, int64(m.bumped))
	}
	return flat
}

func idJSON(id *EventID) any {
	if id == nil {
		return nil
	}
	return []any{id.Index, id.Doc}
}

// What follows names each field of the stored types once for writing and
// once for reading; a test notices a field that is missing here.

func (p *shape) fields() *object {
	return obj(
		"client_id", p.clientID, "kind", p.kind, "domain", p.domain, "path", p.path, "method", p.method,
		"parameter", p.parameter, "point", p.point, "pool_id", p.poolID, "target", p.target, "threat", p.threat,
		"protocol", p.protocol, "auth_protocol", p.authProtocol,
	)
}

func shapeOf(o *object) *shape {
	return &shape{
		clientID: o.int("client_id"), kind: o.str("kind"), domain: o.str("domain"), path: o.str("path"),
		method: o.str("method"), parameter: o.str("parameter"), point: savedList(o, "point"), poolID: o.int("pool_id"),
		target: o.str("target"), threat: o.int("threat"), protocol: o.str("protocol"),
		authProtocol: savedList(o, "auth_protocol"),
	}
}

func (p *origin) fields() *object {
	return obj("ip", p.ip, "country", p.country, "datacenter", p.datacenter, "tor", p.tor, "proxy_type", p.proxyType)
}

func originOf(o *object) *origin {
	return &origin{
		ip: o.str("ip"), country: o.str("country"), datacenter: o.str("datacenter"), tor: o.str("tor"),
		proxyType: o.str("proxy_type"),
	}
}

func (p *payload) fields() *object {
	return obj("value", p.value, "stamps", p.stamps, "stamps_hash", p.stampsHash, "regex", p.regex, "known", p.known)
}

func payloadOf(o *object) *payload {
	return &payload{
		value: o.str("value"), stamps: savedList(o, "stamps"), stampsHash: o.int("stamps_hash"),
		regex: savedList(o, "regex"), known: savedList(o, "known"),
	}
}

// savedList reads an array; events hold empty arrays, never nil ones.
func savedList(o *object, name string) []any {
	if list := o.array(name); list != nil {
		return list
	}
	return []any{}
}

const (
	attackNumbers = 10
	hitNumbers    = 12
)

func (a *attack) numbers() []int64 {
	return []int64{
		a.first, a.last, a.vulnID, int64(a.bumped), a.born, int64(a.lastHit), int64(a.hits), int64(a.blocked),
		int64(a.state), bit(a.gone),
	}
}

func (a *attack) setNumbers(n []int64) {
	a.first, a.last, a.vulnID, a.bumped, a.born = n[0], n[1], n[2], uint64(n[3]), n[4]
	a.lastHit, a.hits, a.blocked = int32(n[5]), int32(n[6]), int32(n[7])
	a.state, a.gone = eventState(n[8]), n[9] != 0
}

func (h *hit) numbers() []int64 {
	return []int64{
		int64(h.attack), int64(h.previous), h.time, int64(h.request), int64(h.size), int64(h.response),
		int64(h.status), int64(h.port), int64(h.block), int64(h.state), int64(h.flags), bit(h.gone),
	}
}

func (h *hit) setNumbers(n []int64) {
	h.attack, h.previous, h.time, h.request = int32(n[0]), int32(n[1]), n[2], uint64(n[3])
	h.size, h.response, h.status, h.port = uint32(n[4]), uint32(n[5]), uint16(n[6]), uint16(n[7])
	h.block, h.state, h.flags, h.gone = blockStatus(n[8]), eventState(n[9]), hitFlags(n[10]), n[11] != 0
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

var errState = errors.New("the saved state is damaged")

// readEvents takes one line of the events. It is false for a line that
// belongs to something else.
func (s *eventSnapshot) read(o *object) (bool, error) {
	switch o.members[0].name {
	case "events":
		e := o.object("events")
		s.key, s.revision = uint64(e.int("key")), uint64(e.int("revision"))
		flat := e.array("moves")
		for ; len(flat) >= 4; flat = flat[4:] {
			s.moves = append(s.moves, move{
				uint64(intAt(flat, 0)), int32(intAt(flat, 1)), intAt(flat, 2), uint64(intAt(flat, 3)),
			})
		}
	case "shape":
		s.shapes = append(s.shapes, shapeOf(o.object("shape")))
	case "origin":
		s.origins = append(s.origins, originOf(o.object("origin")))
	case "payload":
		s.payloads = append(s.payloads, payloadOf(o.object("payload")))
	case "attack":
		i := o.int("attack")
		if i < 0 || i >= int64(len(s.attacks)) {
			return true, errState
		}
		s.attacks[i].id, s.attacks[i].extra = idOf(o), o.object("extra")
	case "hit":
		i := o.int("hit")
		if i < 0 || i >= int64(len(s.hits)) {
			return true, errState
		}
		s.hits[i].more = &hitMore{
			id: idOf(o), requestID: o.str("request_id"), issueID: o.int("issue_id"), extra: o.object("extra"),
		}
	default:
		return false, nil
	}
	return true, nil
}

func intAt(list []any, i int) int64 {
	n, _ := asInt(list[i])
	return n
}

func idOf(o *object) *EventID {
	if o.get("id") == nil {
		return nil
	}
	id := tupleOf(o.get("id"))
	return &id
}

// readAttacks takes a line of attacks as numbers. Places are checked, so that
// a damaged file cannot lead a request astray later.
func (s *eventSnapshot) readAttacks(flat []int64) error {
	for ; len(flat) > attackNumbers; flat = flat[1+attackNumbers:] {
		if flat[0] < 0 || flat[0] >= int64(len(s.shapes)) {
			return errState
		}
		a := attack{shape: s.shapes[flat[0]]}
		a.setNumbers(flat[1:])
		s.attacks = append(s.attacks, a)
	}
	return leftover(flat)
}

func (s *eventSnapshot) readHits(flat []int64) error {
	for ; len(flat) > 1+hitNumbers; flat = flat[2+hitNumbers:] {
		if flat[0] < 0 || flat[0] >= int64(len(s.origins)) || flat[1] < 0 || flat[1] >= int64(len(s.payloads)) {
			return errState
		}
		h := hit{origin: s.origins[flat[0]], payload: s.payloads[flat[1]]}
		h.setNumbers(flat[2:])
		if h.attack < 0 || int(h.attack) >= len(s.attacks) || int(h.previous) >= len(s.hits) || int(h.block) >= len(blockNames) {
			return errState
		}
		s.hits = append(s.hits, h)
	}
	return leftover(flat)
}

func leftover(flat []int64) error {
	if len(flat) > 0 {
		return errState
	}
	return nil
}

// check is made once all events are read.
func (s *eventSnapshot) check() error {
	for _, m := range s.moves {
		if m.attack < 0 || int(m.attack) >= len(s.attacks) {
			return errState
		}
	}
	for i := range s.attacks {
		if int(s.attacks[i].lastHit) >= len(s.hits) {
			return fmt.Errorf("%w: attack %d", errState, i)
		}
	}
	return nil
}

// restore replaces the content of the store.
func (s *eventStore) restore(from *eventSnapshot) {
	s.key, s.attacks, s.hits = from.key, from.attacks, from.hits
	s.walks.revision, s.walks.moves = from.revision, from.moves
	s.walks.begun.Store(true)
	s.attackLags.forget()
	s.hitLags.forget()
	s.shapes, s.origins, s.loads = map[string]*shape{}, map[string]*origin{}, map[string]*payload{}
	for _, p := range from.shapes {
		s.shapes[p.key()] = p
	}
	for _, p := range from.origins {
		s.origins[p.key()] = p
	}
	for _, p := range from.payloads {
		s.loads[p.key()] = p
	}
	s.docs, s.clients = map[string]eventRef{}, map[int64]*clientEvents{}
	for i := range s.attacks {
		a := &s.attacks[i]
		e := s.client(a.shape.clientID)
		e.attacks = append(e.attacks, int32(i))
		if a.id != nil {
			s.docs[a.id.String()] = eventRef{index: int32(i)}
		}
	}
	for i := range s.hits {
		h := &s.hits[i]
		e := s.client(s.attacks[h.attack].shape.clientID)
		e.hits = append(e.hits, int32(i))
		if h.more != nil && h.more.id != nil {
			s.docs[h.more.id.String()] = eventRef{isHit: true, index: int32(i)}
		}
	}
	s.sortOrders()
}
