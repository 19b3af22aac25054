package wallarmtest

import (
	"math/rand/v2"
	"slices"
	"time"
)

const loadDays = 30

// SeedEvents stores n attacks of the default client, with a hit each, evenly
// over the thirty days before the present, for load tests: a million of them
// take about a second and less than three hundred megabytes. They follow from
// the seed of the cloud.
func (c *Cloud) SeedEvents(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n <= 0 {
		return
	}
	mix := newLoadMix(c.events)
	c.events.attacks = slices.Grow(c.events.attacks, n)
	c.events.hits = slices.Grow(c.events.hits, n)
	last := c.Now().Unix()
	const span = int64(loadDays * 24 * time.Hour / time.Second)
	c.events.load(func() {
		for i := range n {
			c.events.addLoad(mix, last-span+span*int64(i+1)/int64(n))
		}
	})
}

// loadMix is what the events of SeedEvents share.
type loadMix struct {
	rng      *rand.Rand
	shapes   []*shape
	payloads [][]*payload // of each shape
	origins  []*origin
}

func newLoadMix(s *eventStore) *loadMix {
	mix := &loadMix{rng: rand.New(rand.NewPCG(s.key, 11))}
	for _, kind := range sampleKinds {
		var payloads []*payload
		for _, text := range kind.values {
			payloads = append(payloads, s.payload(text, kind.stamps, nil))
		}
		for i, host := range sampleHosts {
			for range kind.weight {
				mix.shapes = append(mix.shapes, s.shape(&shape{
					clientID: DefaultClientID, kind: kind.kind, domain: host, path: kind.path, method: kind.method,
					parameter: kind.parameter, point: normalPoint(kind.point), poolID: []int64{-1, 1, 12}[i%3],
					target: kind.target, threat: kind.threat, protocol: "rest", authProtocol: []any{},
				}))
				mix.payloads = append(mix.payloads, payloads)
			}
		}
	}
	for range 4096 {
		mix.origins = append(mix.origins, s.origin(origin{
			ip: sampleIP(mix.rng), country: sampleCountries[mix.rng.IntN(len(sampleCountries))],
			datacenter: sampleDatacters[mix.rng.IntN(len(sampleDatacters))], tor: torName(mix.rng.IntN(40) == 0),
		}))
	}
	return mix
}

func (s *eventStore) addLoad(mix *loadMix, at int64) {
	which := mix.rng.IntN(len(mix.shapes))
	a := attack{shape: mix.shapes[which], first: at, last: at}
	h := hit{
		time: at, request: uint64(len(s.hits)), origin: mix.origins[mix.rng.IntN(len(mix.origins))],
		payload: mix.payloads[which][mix.rng.IntN(len(mix.payloads[which]))], size: 200 + uint32(mix.rng.IntN(4000)),
		response: 5 + uint32(mix.rng.IntN(400)), port: 40000 + uint16(mix.rng.IntN(20000)), block: blockBlocked, status: 403,
	}
	if mix.rng.IntN(10) < 4 {
		h.block, h.status = blockMonitored, uint16(sampleStatuses[mix.rng.IntN(len(sampleStatuses))])
		if mix.rng.IntN(12) == 0 {
			a.vulnID = 90001 + mix.rng.Int64N(40)
		}
	}
	h.attack = s.addAttack(a)
	s.addHit(h)
}
