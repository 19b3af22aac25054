package wallarm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// soakWorkers and soakRounds are how many goroutines make how many rounds of calls.
const (
	soakWorkers = 64
	soakRounds  = 12
)

// soakGrowth is how much the heap may grow between the middle of the soak and its end. What the objects that it makes take of it in the fake is some
// hundred kilobytes; an answer kept by each call would be a multiple of the bound.
const soakGrowth = 4 << 20

// soakReads are calls of many operations that change nothing.
var soakReads = []func(context.Context, *Client) error{
	func(ctx context.Context, c *Client) error { return second(c.Users.Me(ctx)) },
	func(ctx context.Context, c *Client) error {
		return second(c.Rules.List(ctx, RuleFilter{}, PageOptions{}))
	},
	func(ctx context.Context, c *Client) error {
		return second(c.Applications.List(ctx, ApplicationFilter{}, PageOptions{Limit: 20}))
	},
	func(ctx context.Context, c *Client) error {
		return second(c.Nodes.List(ctx, NodeFilter{}, PageOptions{}))
	},
	func(ctx context.Context, c *Client) error {
		return second(c.Attacks.List(ctx, AttackFilter{Time: Last(time.Hour)}, PageOptions{}))
	},
	func(ctx context.Context, c *Client) error { return second(c.Triggers.List(ctx)) },
	func(ctx context.Context, c *Client) error {
		return second(c.Integrations.List(ctx, IntegrationFilter{}))
	},
	func(ctx context.Context, c *Client) error {
		for _, err := range c.Users.All(ctx, UserFilter{}, MaxItems(5)) {
			if err != nil {
				return err
			}
		}
		return nil
	},
}

// soak is one run of all workers: what was reported as made, and how many creates ended with an unknown outcome.
type soak struct {
	client        *Client
	made, unknown atomic.Int64
	sure          sync.Map
}

func soakTitle(worker, n int) string { return fmt.Sprintf("soak-%d-%d.", worker, n) }

func (s *soak) run(t *testing.T, from, to int) {
	var wg sync.WaitGroup
	for worker := range soakWorkers {
		wg.Go(func() {
			for n := from; n < to; n++ {
				made, err := s.client.Applications.Create(t.Context(), NewApplication{Name: soakTitle(worker, n)})
				switch {
				case err == nil:
					s.made.Add(1)
					s.sure.Store(soakTitle(worker, n), true)
					if err := s.client.Applications.Rename(t.Context(), made.ID, soakTitle(worker, n)); err != nil {
						t.Errorf("an update failed: %v", err)
					}
				case errors.Is(err, ErrOutcomeUnknown):
					s.unknown.Add(1)
				default:
					t.Errorf("a create failed: %v", err)
				}
				for i := range 2 {
					if err := soakReads[(worker+2*n+i)%len(soakReads)](t.Context(), s.client); err != nil {
						t.Errorf("a read failed: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// heapInUse is the heap after a collection, which takes two rounds to empty the pools.
func heapInUse() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse
}

// TestSoak lets 64 goroutines make calls of many operations in a cloud of which one call in five fails: what was reported as made exists once, what was
// not reported exists at most once, memory and the number of goroutines stay, and no goroutine is left.
func TestSoak(t *testing.T) {
	cloud := wallarmtest.NewServer(t, wallarmtest.WithRequestLog(16))
	pool := &http.Transport{MaxIdleConnsPerHost: soakWorkers}
	client, err := New(US, Token(wallarmtest.AdminToken), WithBaseURL(cloud.URL), WithRoundTripper(pool), WithDefaultClientID(wallarmtest.DefaultClientID),
		WithDefaults(WithRetries(20), WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	before := goleak.IgnoreCurrent()
	for _, kind := range []wallarmtest.FaultKind{wallarmtest.FaultResetBefore, wallarmtest.FaultResetAfter, wallarmtest.FaultTruncate, wallarmtest.FaultHTML} {
		cloud.Inject(wallarmtest.Fault{Kind: kind, Probability: 0.05})
	}
	s := soak{client: client}
	s.run(t, 0, soakRounds/2)
	early, some := heapInUse(), runtime.NumGoroutine()
	s.run(t, soakRounds/2, soakRounds)
	late, many := heapInUse(), runtime.NumGoroutine()
	t.Logf("heap %d KB, then %d KB; goroutines %d, then %d", early>>10, late>>10, some, many)
	require.LessOrEqual(t, late, early+soakGrowth, "the heap grows with the number of calls")
	// Each idle connection has two goroutines on this side and one in the fake.
	require.LessOrEqual(t, many, some+3*soakWorkers, "goroutines stay behind")
	all := ""
	for _, object := range cloud.Objects("applications") {
		all += string(object)
	}
	for worker := range soakWorkers {
		for n := range soakRounds {
			title := soakTitle(worker, n)
			count := strings.Count(all, title)
			require.LessOrEqual(t, count, 1, "%s was made twice", title)
			if _, reported := s.sure.Load(title); reported {
				require.Equal(t, 1, count, "%s was lost", title)
			}
		}
	}
	require.EqualValues(t, soakWorkers*soakRounds, s.made.Load()+s.unknown.Load())
	require.NotZero(t, s.unknown.Load())
	pool.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

// TestTheLimiterHoldsItsRate counts the attempts of 16 goroutines during a minute of synthetic time in which one answer in five is a fault: they are as
// many as the limiter allows, retries included, within 5 %.
func TestTheLimiterHoldsItsRate(t *testing.T) {
	for _, rate := range []float64{5, 40} {
		synctest.Test(t, func(t *testing.T) {
			var attempts, retried atomic.Int64
			var mu sync.Mutex
			random := rand.New(rand.NewPCG(1, 2))
			server := roundTripper(func(r *http.Request) (*http.Response, error) {
				attempts.Add(1)
				mu.Lock()
				chance := random.IntN(20)
				mu.Unlock()
				time.Sleep(20 * time.Millisecond)
				if chance < 4 {
					retried.Add(1)
				}
				switch chance {
				case 0, 1:
					return answerOf(r, 503, strings.NewReader(`{"status":503,"body":"busy"}`)), nil
				case 2:
					return nil, errors.New("connection reset by peer")
				case 3:
					return answerOf(r, 423, strings.NewReader(`{"status":423,"body":"locked"}`)), nil
				}
				return answerOf(r, 200, strings.NewReader(`{"status":200,"body":{"id":1}}`)), nil
			})
			client, err := New(US, Token("test-token-rate"), WithRoundTripper(server), WithRateLimit(rate, 1),
				WithDefaults(WithRetries(10), WithWaits(50*time.Millisecond, 200*time.Millisecond, 100*time.Millisecond)))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := client.Users.Me(ctx, WithTimeout(time.Hour)); err != nil {
							return
						}
					}
				})
			}
			wg.Wait()
			require.NotZero(t, retried.Load())
			require.InEpsilon(t, rate*60, float64(attempts.Load()), 0.05, "%d attempts, %d of them failed", attempts.Load(), retried.Load())
		})
	}
}
