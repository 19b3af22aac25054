package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain lets a copy of the test program play the server or a watched client, as a copy of the program itself does.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		exit(play(role))
		return
	}
	os.Exit(m.Run())
}

// TestEverythingRuns measures tiny sizes. That the lists are complete is checked by what is measured. What does not depend on the machine is
// held to the goals: allocations, bytes and connections. Times are not.
func TestEverythingRuns(t *testing.T) {
	s, err := startServer()
	require.NoError(t, err)
	defer s.stop()
	size := quickScale(1)
	all, err := rows(s, size)
	require.NoError(t, err)
	require.Len(t, all, 8)
	for _, r := range all {
		results, err := r.measure(t.Context(), size.rounds)
		require.NoError(t, err)
		for i := range results {
			x := &results[i]
			want := size.rounds
			if r.short {
				want *= shortRounds
			}
			require.Len(t, x.samples, want)
			require.Positive(t, x.wall())
			g := x.goal
			if g.allocations > 0 && !raceEnabled {
				require.LessOrEqual(t, x.allocations(), g.allocations, "%s, %s: allocations", r.title, x.name)
			}
			if g.bytes > 0 && !raceEnabled {
				least := x.bytes()
				// So few calls are measured here that a garbage collection among them, which empties the pool of buffers, shows: of some
				// tries one is without.
				for try := 0; try < 5 && least > g.bytes; try++ {
					again, err := r.measure(t.Context(), size.rounds)
					require.NoError(t, err)
					least = min(least, again[i].bytes())
				}
				require.LessOrEqual(t, least, g.bytes, "%s, %s: bytes", r.title, x.name)
			}
			if g.connections > 0 {
				require.LessOrEqual(t, x.opened(), g.connections, "%s, %s: connections", r.title, x.name)
			}
		}
		var out bytes.Buffer
		r.print(&out, results)
		for _, v := range r.variants {
			require.Contains(t, out.String(), "| "+v.name+" |")
		}
	}
	lost, err := lostConnections(t.Context(), s)
	require.NoError(t, err)
	require.Zero(t, lost, "a failed call must not cost the others their connections")
	if canWatch() {
		results, err := measureMemory(s, size)
		require.NoError(t, err)
		for _, m := range results {
			times := size.memoryRounds
			if m.Huge > 0 {
				times *= streamsInRound
			}
			require.Len(t, m.above, times)
		}
		printMemory(&bytes.Buffer{}, results)
	}
}

func TestAnIncompleteListIsNoResult(t *testing.T) {
	s, err := startServer()
	require.NoError(t, err)
	defer s.stop()
	sdk, err := newOurs(s.base(s.HTTP, 0, 0, 1500))
	require.NoError(t, err)
	require.NoError(t, sdk.list(t.Context(), 1500))
	require.ErrorIs(t, sdk.list(t.Context(), 2000), errIncomplete)
	require.ErrorIs(t, followCursors(t.Context(), sdk, 1), errIncomplete)
}

func TestPagesHoldEachItemOnce(t *testing.T) {
	page := string(appendPage(nil, hitItems(3), 990, 1010, "next"))
	for number := 990; number < 1010; number++ {
		require.Equal(t, 1, strings.Count(page, fmt.Sprintf(`"Kf93-%08d"`, number)))
	}
	require.NotContains(t, page, "#")
}

func TestQuantiles(t *testing.T) {
	require.Zero(t, quantile(nil, 0.5))
	require.InDelta(t, 2.0, quantile([]float64{3, 1, 2}, 0.5), 1e-9)
	require.InDelta(t, 2.5, quantile([]float64{4, 1, 2, 3}, 0.5), 1e-9)
	require.InDelta(t, 1.0, quantile([]float64{3, 1, 2}, 0), 1e-9)
	require.InDelta(t, 3.0, quantile([]float64{3, 1, 2}, 1), 1e-9)
}
