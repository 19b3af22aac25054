package wallarmtest

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// EventID is the id of an attack or a hit, a tuple on the wire.
type EventID struct {
	Index, Doc string
}

// String is the joined spelling, "index:doc".
func (id EventID) String() string { return id.Index + ":" + id.Doc }

// Attack is an attack to seed. Zero fields get plausible values.
type Attack struct {
	// ClientID is the default client when it is 0.
	ClientID int64
	// ID fixes the id; otherwise the cloud makes one.
	ID EventID
	// Type is a code such as "sqli".
	Type string
	// Domain, Path, Method and Parameter say what was attacked; Point is the
	// parameter as a flat point: strings, and ints for indexes.
	Domain, Path, Method, Parameter string
	Point                           []any
	// PoolID is the application; the default application, -1, when it is 0.
	PoolID int64
	// Time is the time of the first hit; the present when it is zero.
	Time time.Time
	// Target is client, database or server.
	Target string
	// Threat is 60 when it is 0.
	Threat int64
	// VulnID makes the attack an incident.
	VulnID int64
	// FalsePositive marks the attack.
	FalsePositive bool
	// Protocol and AuthProtocol are those of the hits: rest, and none.
	Protocol     string
	AuthProtocol []string
	// Hits are the hits of the attack. Without any, one is made.
	Hits []Hit
	// Extra is a JSON object whose members override or extend the attack as it
	// is answered.
	Extra string
}

// Hit is a hit to seed. Zero fields get plausible values.
type Hit struct {
	// ID fixes the id; otherwise the cloud makes one.
	ID EventID
	// Time is the time of the attack when it is zero.
	Time time.Time
	// IP is the source, from 192.0.2.1 when it is empty.
	IP, Country, Datacenter, ProxyType string
	Tor                                bool
	// Value is the payload.
	Value string
	// StatusCode is 403 for blocked hits and 200 for others when it is 0.
	StatusCode int
	Size       int
	// ResponseTime is in milliseconds on the wire.
	ResponseTime time.Duration
	Port         int
	// BlockStatus is blocked, monitored or unknown; monitored when empty.
	BlockStatus string
	// RequestID joins hits of one request; otherwise each hit has its own.
	RequestID       string
	Stamps          []int64
	KnownAttack     []string
	SecurityIssueID int64
	FalsePositive   bool
	Experimental    bool
	// Extra is a JSON object whose members override or extend the hit as it
	// is answered.
	Extra string
}

// SeedAttacks stores attacks with their hits and returns their ids. Many
// attacks in one call are cheaper than one call for each.
func (c *Cloud) SeedAttacks(attacks ...Attack) []EventID {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := make([]EventID, 0, len(attacks))
	store := func() {
		for i := range attacks {
			ids = append(ids, c.events.attackID(c.seedAttack(&attacks[i])))
		}
	}
	if len(attacks) > 64 {
		c.events.load(store)
	} else {
		store()
	}
	return ids
}

// AddHit adds a hit to an attack and returns its id. It fails when the attack
// is not there.
func (c *Cloud) AddHit(attackID EventID, hit Hit) (EventID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref, found := c.events.find(attackID.String())
	if !found || ref.isHit {
		return EventID{}, fmt.Errorf("wallarmtest: no attack %s", attackID)
	}
	if hit.Time.IsZero() {
		hit.Time = c.Now()
	}
	return c.events.hitID(c.seedHit(ref.index, &hit)), nil
}

// RemoveAttack removes an attack and its hits, as retention does.
func (c *Cloud) RemoveAttack(id EventID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref, found := c.events.find(id.String())
	if !found || ref.isHit {
		return fmt.Errorf("wallarmtest: no attack %s", id)
	}
	a := &c.events.attacks[ref.index]
	a.gone = true
	c.events.eachHit(a, func(_ int32, h *hit) bool {
		h.gone = true
		return true
	})
	return nil
}

func (c *Cloud) seedAttack(a *Attack) int32 {
	s := c.events
	at := a.Time
	if at.IsZero() && len(a.Hits) > 0 {
		at = a.Hits[0].Time
	}
	if at.IsZero() {
		at = c.Now()
	}
	point := a.Point
	if point == nil {
		point = []any{"get", "q"}
	}
	stored := attack{
		shape: s.shape(&shape{
			clientID: cmp.Or(a.ClientID, DefaultClientID), kind: cmp.Or(a.Type, "sqli"),
			domain: cmp.Or(a.Domain, "shop.example.com"), path: cmp.Or(a.Path, "/search"),
			method: cmp.Or(a.Method, "GET"), parameter: cmp.Or(a.Parameter, "GET_q_value"),
			point: normalPoint(point), poolID: cmp.Or(a.PoolID, -1), target: cmp.Or(a.Target, "server"),
			threat: cmp.Or(a.Threat, 60), protocol: cmp.Or(a.Protocol, "rest"),
			authProtocol: anyList(a.AuthProtocol),
		}),
		first: at.Unix(), last: at.Unix(), vulnID: a.VulnID, extra: mustExtra(a.Extra),
	}
	if a.ID != (EventID{}) {
		stored.id = &a.ID
	}
	if a.FalsePositive {
		stored.state = stateFalsePositive
	}
	index := s.addAttack(stored)
	hits := a.Hits
	if len(hits) == 0 {
		hits = []Hit{{FalsePositive: a.FalsePositive}}
	}
	for i := range hits {
		h := hits[i]
		if h.Time.IsZero() {
			h.Time = at
		}
		c.seedHit(index, &h)
	}
	return index
}

func (c *Cloud) seedHit(attackIndex int32, h *Hit) int32 {
	s := c.events
	block := blockMonitored
	if h.BlockStatus != "" {
		block = parseBlock(h.BlockStatus)
	}
	status := 200
	if block == blockBlocked {
		status = 403
	}
	tor := torName(h.Tor)
	stored := hit{
		attack: attackIndex, time: h.Time.Unix(), request: uint64(len(s.hits)), block: block,
		origin: s.origin(origin{
			cmp.Or(h.IP, "192.0.2.1"), h.Country, cmp.Or(h.Datacenter, "unknown"), tor, h.ProxyType,
		}),
		payload:  s.payload(cmp.Or(h.Value, "1' or '1'='1"), h.Stamps, h.KnownAttack),
		size:     uint32(cmp.Or(h.Size, 512)),
		response: uint32(cmp.Or(h.ResponseTime, 41*time.Millisecond).Milliseconds()),
		status:   uint16(cmp.Or(h.StatusCode, status)),
		port:     uint16(cmp.Or(h.Port, 50122)),
	}
	if h.FalsePositive {
		stored.state = stateFalsePositive
	}
	if h.Experimental {
		stored.flags |= flagExperimental
	}
	if h.ID != (EventID{}) || h.RequestID != "" || h.SecurityIssueID != 0 || h.Extra != "" {
		more := &hitMore{requestID: h.RequestID, issueID: h.SecurityIssueID, extra: mustExtra(h.Extra)}
		if h.ID != (EventID{}) {
			id := h.ID
			more.id = &id
		}
		stored.more = more
	}
	return s.addHit(stored)
}

// mustExtra reads the Extra member of a seed. A mistake there is a mistake of
// the test, so it panics.
func mustExtra(text string) *object {
	if text == "" {
		return nil
	}
	o, err := parseObject([]byte(text))
	if err != nil {
		panic("wallarmtest: Extra: " + err.Error())
	}
	return o
}

// normalPoint makes int64 of the integers of a point.
func normalPoint(point []any) []any {
	out := slices.Clone(point)
	for i, e := range out {
		if n, isInt := e.(int); isInt {
			out[i] = int64(n)
		}
	}
	return out
}

// shape, origin and payload return the one stored copy of a value.

func (s *eventStore) shape(p *shape) *shape {
	key := p.key()
	if known := s.shapes[key]; known != nil {
		return known
	}
	s.shapes[key] = p
	return p
}

func (p *shape) key() string { return string(appendJSON(nil, p.fields())) }

func (s *eventStore) origin(o origin) *origin {
	key := o.key()
	if known := s.origins[key]; known != nil {
		return known
	}
	s.origins[key] = &o
	return &o
}

func (p *origin) key() string {
	return p.ip + "\x00" + p.country + "\x00" + p.datacenter + "\x00" + p.tor + "\x00" + p.proxyType
}

func (s *eventStore) payload(text string, stamps []int64, known []string) *payload {
	p := &payload{value: text, stamps: anyList(stamps), regex: []any{}, known: anyList(known)}
	key := p.key()
	if stored := s.loads[key]; stored != nil {
		return stored
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	p.stampsHash = int64(int32(h.Sum32()))
	s.loads[key] = p
	return p
}

func (p *payload) key() string {
	return string(appendJSON(appendJSON([]byte(p.value+"\x00"), p.stamps), p.known))
}
