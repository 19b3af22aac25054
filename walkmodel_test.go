package wallarm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// movingList is a list of a random kind that gains and loses items, a few or many at once, between any two requests.
type movingList struct {
	*listServer
	random *rand.Rand
	// seconds is the time of each item; items of one second are given in any order if isLoose says so.
	seconds map[int]int64
	isLoose bool
	fresh   int
	gone    map[int]bool
	// worst is how many items go at once, fails how many of 100 attempts fail.
	worst, fails int
}

func newMovingList(random *rand.Rand, limit int) *movingList {
	m := &movingList{
		listServer: &listServer{items: numbers(random.IntN(6 * limit))}, random: random, seconds: map[int]int64{}, gone: map[int]bool{},
		worst: []int{0, 1, 3, limit, 4 * limit}[random.IntN(5)], fails: []int{0, 0, 3}[random.IntN(3)],
	}
	m.fresh = len(m.items)
	if limit > 4 && random.IntN(3) == 0 {
		m.most = limit/2 + random.IntN(limit/2)
	}
	// So few of one second that they fit into a page twice over, see PageSize.
	given := limit
	if m.most > 0 {
		given = m.most
	}
	perSecond := 1 + random.IntN(max(given/4, 1))
	m.isLoose = perSecond > 1 && random.IntN(2) == 0
	for i := range m.items {
		m.seconds[i] = int64(1000 - i/perSecond)
	}
	m.before = m.change
	return m
}

// change is called before each request is answered.
func (m *movingList) change(int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.random.IntN(100) < m.fails {
		return errors.New("the connection was lost")
	}
	switch m.random.IntN(4) {
	case 0:
		// Items go, one here and one there, or all those of a stretch.
		for n := m.random.IntN(m.worst + 1); n > 0 && len(m.items) > 0; n-- {
			at := m.random.IntN(len(m.items))
			m.gone[m.items[at]] = true
			m.items = slices.Delete(m.items, at, at+1)
		}
	case 1:
		at := m.random.IntN(len(m.items) + 1)
		to := min(at+m.random.IntN(m.worst+1), len(m.items))
		for _, n := range m.items[at:to] {
			m.gone[n] = true
		}
		m.items = slices.Delete(m.items, at, to)
	case 2:
		for range m.random.IntN(min(m.worst, 3) + 1) {
			at := m.random.IntN(len(m.items) + 1)
			m.seconds[m.fresh] = 1001
			if at > 0 {
				m.seconds[m.fresh] = m.seconds[m.items[at-1]]
			}
			m.items = slices.Insert(m.items, at, m.fresh)
			m.fresh++
		}
	}
	m.shuffle()
	return nil
}

// shuffle orders the items of each second anew.
func (m *movingList) shuffle() {
	if m.isLoose {
		m.random.Shuffle(len(m.items), func(i, j int) { m.items[i], m.items[j] = m.items[j], m.items[i] })
		slices.SortStableFunc(m.items, func(a, b int) int { return int(m.seconds[b] - m.seconds[a]) })
	}
}

// TestAnyListThatChanges yields what is in the list throughout, whatever kind of list it is, and asks for no page that there cannot be.
func TestAnyListThatChanges(t *testing.T) {
	stale := 0
	for seed := range uint64(3000) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 11))
			limit := 3 + random.IntN(18)
			server := newMovingList(random, limit)
			original := len(server.items)
			opts := [][]CallOption{nil, {Concurrency(2)}, {Concurrency(4)}, {NoPrefetch()}}[random.IntN(4)]
			l := server.lister(t, opts...)
			l.usual, l.most = limit, limit
			l.at = func(n *numbered) time.Time { return time.Unix(server.timeOf(n.N), 0) }
			kind := fmt.Sprintf("seed %d: %d items, pages of %d, at most %d, loose %v, %d go at once, %d options",
				seed, original, limit, server.most, server.isLoose, server.worst, len(opts))
			seen := map[int]int{}
			for item, err := range l.all(t.Context(), PageOptions{}) {
				if errors.Is(err, errStale) {
					// Pages of a few items cannot get on where some go with every request: an error, and rare.
					stale++
					require.Less(t, limit, 6, kind)
					return
				}
				require.NoError(t, err, kind)
				seen[item.N]++
			}
			for n, times := range seen {
				require.Equal(t, 1, times, "%s: %d came more than once", kind, n)
			}
			for n := range original {
				require.True(t, seen[n] == 1 || server.gone[n], "%s: %d was passed over", kind, n)
			}
			for _, asked := range server.asked() {
				require.GreaterOrEqual(t, *asked.Offset, 0, kind)
				require.Positive(t, asked.Limit, kind)
			}
		})
	}
	require.Less(t, stale, 10)
}

func (m *movingList) timeOf(n int) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seconds[n]
}
