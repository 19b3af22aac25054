package wallarm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAnyListThatChangesBetweenPieces: what TestAnyListThatChanges says of one iterator holds for a chain of them, each resumed from the checkpoint of
// the one before, but that items may come again. Items of one second are ordered anew with each request; the list gains and loses items while nobody
// reads it.
func TestAnyListThatChangesBetweenPieces(t *testing.T) {
	lost := 0
	for seed := range uint64(2000) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 12))
			limit := 8 + random.IntN(40)
			server := newMovingList(random, limit)
			server.fails = 0
			server.isLoose = true
			server.before = func(int) error {
				server.mu.Lock()
				defer server.mu.Unlock()
				server.shuffle()
				return nil
			}
			original := len(server.items)
			opts := [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}}[random.IntN(3)]
			kind := fmt.Sprintf("seed %d: %d items, pages of %d, at most %d, loose %v, %d go at once, %d options",
				seed, original, limit, server.most, server.isLoose, server.worst, len(opts))
			make := func(more ...CallOption) *lister[numbered] {
				l := server.lister(t, append(more, opts...)...)
				l.usual, l.most = limit, limit
				l.at = func(n *numbered) time.Time { return time.Unix(server.timeOf(n.N), 0) }
				return l
			}
			seen := map[int]int{}
			var place Checkpoint
			for done := false; !done; {
				size := 1 + random.IntN(2*limit)
				done = true
				place = carry(t, place)
				for item, err := range make(Resume(&place)).all(t.Context(), PageOptions{}) {
					if errors.Is(err, ErrGone) {
						lost++
						return
					}
					require.NoError(t, err, kind)
					seen[item.N]++
					if size--; size == 0 {
						done = false
						break
					}
				}
				for range random.IntN(6) {
					require.NoError(t, server.change(0))
				}
			}
			for n := range original {
				require.True(t, seen[n] > 0 || server.gone[n], "%s: %d was passed over", kind, n)
			}
		})
	}
	require.Less(t, lost, 200, "nearly all places are found again")
}
