package wallarmtest

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"
)

// eventStore holds attacks and hits in a compact form: what many events
// share is one immutable value, ids are computed from the place of the event,
// and everything that an attack says about its hits is derived when it is
// read. A million hits take about a hundred megabytes.
//
// The store is guarded by the state lock of the cloud.
type eventStore struct {
	cloud   *Cloud
	key     uint64 // makes ids differ between seeds
	attacks []attack
	hits    []hit
	shapes  map[string]*shape
	origins map[string]*origin
	loads   map[string]*payload
	// docs finds events that were seeded with a document id of their own.
	docs    map[string]eventRef
	clients map[int64]*clientEvents
	columns struct {
		attacks columns[attackRow]
		hits    columns[hitRow]
	}
	bulk  bool // orders are sorted when the bulk load ends
	walks walkLog
	// attackLags and hitLags hold new events back from lists.
	attackLags, hitLags lags
}

type eventRef struct {
	isHit bool
	index int32
}

// clientEvents are the events of one client by time.
type clientEvents struct {
	attacks []int32 // by last time, then place
	hits    []int32 // by time, then place
}

// shape is what groups hits into an attack: type, point and address.
type shape struct {
	clientID     int64
	kind         string
	domain       string
	path         string
	method       string
	parameter    string
	point        []any
	poolID       int64
	target       string
	threat       int64
	protocol     string
	authProtocol []any
}

// origin is where hits come from.
type origin struct {
	ip         string
	country    string
	datacenter string
	tor        string
	proxyType  string
}

// payload is what hits carry.
type payload struct {
	value      string
	stamps     []any
	stampsHash int64
	regex      []any
	known      []any
}

type attack struct {
	shape       *shape
	first, last int64
	vulnID      int64    // 0: none
	bumped      uint64   // revision of its latest move in the order by time
	id          *EventID // nil: computed from born and the place
	born        int64    // first time when it was stored
	extra       *object  // members that override or extend the rendered ones
	lastHit     int32    // head of the list of hits, -1 when empty
	hits        int32
	blocked     int32
	state       eventState
	gone        bool
}

type hit struct {
	attack   int32
	previous int32 // older link in the list of the attack
	time     int64
	request  uint64
	origin   *origin
	payload  *payload
	more     *hitMore
	size     uint32
	response uint32 // milliseconds
	status   uint16
	port     uint16
	block    blockStatus
	state    eventState
	flags    hitFlags
	gone     bool
}

// hitMore holds what only seeded hits have.
type hitMore struct {
	id        *EventID
	requestID string
	issueID   int64
	extra     *object
}

type eventState uint8

const (
	stateNone eventState = iota
	stateFalsePositive
	// stateTruePositive is a verdict of the Attacks API; the older routes show
	// it as no mark.
	stateTruePositive
)

func (s eventState) value() value {
	if s == stateFalsePositive {
		return stringOf("falsepositive")
	}
	return value{}
}

func (s eventState) json() any {
	if s == stateFalsePositive {
		return "falsepositive"
	}
	return nil
}

type blockStatus uint8

const (
	blockUnknown blockStatus = iota
	blockMonitored
	blockBlocked
)

var blockNames = [...]string{"unknown", "monitored", "blocked"}

func (b blockStatus) String() string { return blockNames[b] }

func parseBlock(s string) blockStatus {
	return blockStatus(max(0, slices.Index(blockNames[:], s)))
}

type hitFlags uint8

const (
	flagExperimental hitFlags = 1 << iota
	flagAASM
	flagScanner
	flagIPBlocked
)

func (c *Cloud) initEvents() {
	c.events = &eventStore{
		cloud: c, key: c.rng.Uint64() | 1,
		shapes: map[string]*shape{}, origins: map[string]*origin{}, loads: map[string]*payload{},
		docs: map[string]eventRef{}, clients: map[int64]*clientEvents{},
	}
	c.events.columns.attacks = c.events.attackColumns()
	c.events.columns.hits = c.events.hitColumns()
}

func (s *eventStore) client(id int64) *clientEvents {
	e := s.clients[id]
	if e == nil {
		e = &clientEvents{}
		s.clients[id] = e
	}
	return e
}

// addAttack stores an attack without hits.
func (s *eventStore) addAttack(a attack) int32 {
	index := int32(len(s.attacks))
	a.lastHit = -1
	a.born = a.first
	s.walks.revision++
	a.bumped = s.walks.revision
	s.attacks = append(s.attacks, a)
	s.attackLags.created(s.cloud, "attacks", int64(index))
	if a.id != nil {
		s.docs[a.id.String()] = eventRef{index: index}
	}
	e := s.client(a.shape.clientID)
	if s.bulk {
		e.attacks = append(e.attacks, index)
	} else {
		e.attacks = slices.Insert(e.attacks, s.attackPlace(e.attacks, a.last, index), index)
	}
	return index
}

// addHit stores a hit of its attack and moves the times of the attack.
func (s *eventStore) addHit(h hit) int32 {
	index := int32(len(s.hits))
	a := &s.attacks[h.attack]
	h.previous = a.lastHit
	s.hits = append(s.hits, h)
	s.hitLags.created(s.cloud, "hits", int64(index))
	if h.more != nil && h.more.id != nil {
		s.docs[h.more.id.String()] = eventRef{isHit: true, index: index}
	}
	a.lastHit = index
	a.hits++
	if h.block == blockBlocked {
		a.blocked++
	}
	a.first = min(a.first, h.time)
	e := s.client(a.shape.clientID)
	if s.bulk {
		a.last = max(a.last, h.time)
		e.hits = append(e.hits, index)
		return index
	}
	if h.time > a.last {
		s.bump(e, h.attack, h.time)
	}
	e.hits = slices.Insert(e.hits, s.hitPlace(e.hits, h.time, index), index)
	return index
}

// bump moves an attack to a later time in the order of its client.
func (s *eventStore) bump(e *clientEvents, index int32, to int64) {
	a := &s.attacks[index]
	s.walks.note(index, a)
	if i := s.attackPlace(e.attacks, a.last, index); i < len(e.attacks) && e.attacks[i] == index {
		e.attacks = slices.Delete(e.attacks, i, i+1)
	}
	a.last = to
	a.bumped = s.walks.revision
	e.attacks = slices.Insert(e.attacks, s.attackPlace(e.attacks, to, index), index)
}

// attackPlace finds where an attack with this last time belongs.
func (s *eventStore) attackPlace(order []int32, last int64, index int32) int {
	return sort.Search(len(order), func(i int) bool {
		other := s.attacks[order[i]].last
		return other > last || other == last && order[i] >= index
	})
}

// hitPlace finds where a hit with this time belongs.
func (s *eventStore) hitPlace(order []int32, time int64, index int32) int {
	return sort.Search(len(order), func(i int) bool {
		other := s.hits[order[i]].time
		return other > time || other == time && order[i] >= index
	})
}

// load runs a bulk load: order is restored once, at its end.
func (s *eventStore) load(fill func()) {
	s.bulk = true
	fill()
	s.bulk = false
	s.sortOrders()
	s.walks.restart()
}

// sortOrders restores the order by time of every client.
func (s *eventStore) sortOrders() {
	for _, e := range s.clients {
		slices.SortFunc(e.attacks, func(i, j int32) int {
			return compareTimed(s.attacks[i].last, i, s.attacks[j].last, j)
		})
		slices.SortFunc(e.hits, func(i, j int32) int {
			return compareTimed(s.hits[i].time, i, s.hits[j].time, j)
		})
	}
}

func compareTimed(t1 int64, i1 int32, t2 int64, i2 int32) int {
	switch {
	case t1 != t2 && t1 < t2:
		return -1
	case t1 != t2:
		return 1
	}
	return int(i1) - int(i2)
}

// eachHit walks the hits of an attack, latest stored first.
func (s *eventStore) eachHit(a *attack, yield func(int32, *hit) bool) {
	for i := a.lastHit; i >= 0; {
		h := &s.hits[i]
		if !h.gone && !yield(i, h) {
			return
		}
		i = h.previous
	}
}

// Document and request ids are the place of the event under a permutation
// of 64 bits, so that they look random, need no memory, and lead back to the
// event.

const (
	mixA = 0x9e3779b97f4a7c15
	mixB = 0xbf58476d1ce4e5b9
)

var (
	unmixA = inverse(mixA)
	unmixB = inverse(mixB)
)

// inverse is the multiplicative inverse of an odd number modulo 2^64.
func inverse(n uint64) uint64 {
	x := n
	for range 6 {
		x *= 2 - n*x
	}
	return x
}

func (s *eventStore) mix(n uint64) uint64 {
	n = (n + s.key) * mixA
	n ^= n >> 32
	return n * mixB
}

func (s *eventStore) unmix(n uint64) uint64 {
	n *= unmixB
	n ^= n >> 32
	return n*unmixA - s.key
}

const docDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// docID is the 20 characters of a document id: 11 carry the place, 9 more
// make up the usual length.
func (s *eventStore) docID(place uint64) string {
	var doc [20]byte
	n := s.mix(place)
	for i := range 11 {
		doc[i] = docDigits[n&63]
		n >>= 6
	}
	m := s.mix(^place)
	for i := 11; i < 20; i++ {
		doc[i] = docDigits[m&63]
		m >>= 6
	}
	return string(doc[:])
}

func (s *eventStore) docPlace(doc string) (uint64, bool) {
	if len(doc) != 20 {
		return 0, false
	}
	var n uint64
	for i := 10; i >= 0; i-- {
		d := slices.Index([]byte(docDigits), doc[i])
		if d < 0 {
			return 0, false
		}
		n = n<<6 | uint64(d)
	}
	place := s.unmix(n)
	return place, s.docID(place) == doc
}

const hitPlaceBit = 1 << 40

func eventIndex(kind string, clientID, at int64) string {
	t := time.Unix(at, 0).UTC()
	return fmt.Sprintf("%s_production_%d_%04d%02d_v_1", kind, clientID, t.Year(), t.Month())
}

// attackID is the tuple of an attack.
func (s *eventStore) attackID(index int32) EventID {
	a := &s.attacks[index]
	if a.id != nil {
		return *a.id
	}
	return EventID{eventIndex("attacks", a.shape.clientID, a.born), s.docID(uint64(index))}
}

// hitID is the tuple of a hit.
func (s *eventStore) hitID(index int32) EventID {
	h := &s.hits[index]
	if h.more != nil && h.more.id != nil {
		return *h.more.id
	}
	clientID := s.attacks[h.attack].shape.clientID
	return EventID{eventIndex("hits", clientID, h.time), s.docID(uint64(index) | hitPlaceBit)}
}

// find resolves "index:doc" to an event that is there.
func (s *eventStore) find(id string) (eventRef, bool) {
	ref, found := s.docs[id]
	if !found {
		_, doc := cutLast(id)
		place, isPlace := s.docPlace(doc)
		if !isPlace {
			return ref, false
		}
		ref = eventRef{isHit: place&hitPlaceBit != 0, index: int32(place &^ hitPlaceBit)}
	}
	switch {
	case ref.isHit && int(ref.index) < len(s.hits) && !s.hits[ref.index].gone:
		return ref, s.hitID(ref.index).String() == id
	case !ref.isHit && int(ref.index) < len(s.attacks) && !s.attacks[ref.index].gone:
		return ref, s.attackID(ref.index).String() == id
	}
	return ref, false
}

func cutLast(id string) (index, doc string) {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i] == ':' {
			return id[:i], id[i+1:]
		}
	}
	return "", id
}

// requestID is 32 hexadecimal digits that lead back to the number.
func (s *eventStore) requestID(h *hit) string {
	if h.more != nil && h.more.requestID != "" {
		return h.more.requestID
	}
	return s.requestText(h.request)
}

func (s *eventStore) requestText(request uint64) string {
	return fmt.Sprintf("%016x%016x", s.mix(request), s.mix(^request))
}

// requestNumber leads from a computed request id back to its number.
func (s *eventStore) requestNumber(id string) (uint64, bool) {
	if len(id) != 32 {
		return 0, false
	}
	n, err := strconv.ParseUint(id[:16], 16, 64)
	if err != nil {
		return 0, false
	}
	request := s.unmix(n)
	return request, s.requestText(request) == id
}
