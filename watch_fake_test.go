package wallarm

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func watched(t *testing.T) (*wallarmtest.Cloud, *Client) {
	t.Helper()
	cloud := wallarmtest.NewCloud(wallarmtest.WithClock(time.Now))
	client, err := New(US, Token(wallarmtest.AdminToken), WithRoundTripper(inProcess{cloud}))
	require.NoError(t, err)
	return cloud, client
}

// TestTheActivityLogIsWatched follows what an administrator does for an hour, while every tenth answer is a failure, and goes on in a second process.
func TestTheActivityLogIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, client := watched(t)
		const changes = 40
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		go func() {
			for n := range changes {
				time.Sleep(90 * time.Second)
				_, err := client.Applications.Create(ctx, NewApplication{Name: fmt.Sprintf("shop %d", n)})
				if err != nil {
					t.Errorf("creating: %v", err)
				}
			}
		}()
		cloud.Inject(wallarmtest.Fault{Op: "activity.list", Status: http.StatusServiceUnavailable, Probability: 0.1})
		seen := map[uint64]int{}
		var place WatchCheckpoint
		for process := range 2 {
			for event, err := range client.ActivityLog.Watch(ctx, ActivityFilter{}, WatchOptions{Checkpoint: &place}) {
				require.NoError(t, err)
				require.Equal(t, "Create", event.Action)
				seen[event.ID]++
				if len(seen) == changes || process == 0 && len(seen) == changes/2 {
					break
				}
			}
		}
		require.Len(t, seen, changes)
		for id, times := range seen {
			require.Equal(t, 1, times, "event %d", id)
		}
	})
}

// TestAttacksAreWatched: attacks that come while they are watched, some of them late, are yielded once each.
func TestAttacksAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, client := watched(t)
		const attacks = 60
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		go func() {
			for n := range attacks {
				time.Sleep(17 * time.Second)
				late := time.Duration(n%5) * 50 * time.Second
				cloud.SeedAttacks(wallarmtest.Attack{Type: "sqli", Domain: "shop.example.com", Path: fmt.Sprint("/", n), Time: time.Now().Add(-late)})
			}
		}()
		seen := map[string]int{}
		filter := AttackFilter{Types: []AttackType{AttackSQLi}}
		for attack, err := range client.Attacks.Watch(ctx, filter, WatchOptions{Interval: 10 * time.Second}) {
			require.NoError(t, err)
			if seen[attack.ID.String()]++; len(seen) == attacks {
				break
			}
		}
		require.Len(t, seen, attacks)
		for id, times := range seen {
			require.Equal(t, 1, times, "attack %s", id)
		}
	})
}
