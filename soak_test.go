package wallarm

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// TestSoak lets 64 goroutines make and read rules in a cloud of which one call in five fails: what was reported as made exists once, what was not
// reported exists at most once, and no goroutine stays.
func TestSoak(t *testing.T) {
	cloud := wallarmtest.NewServer(t)
	pool := &http.Transport{MaxIdleConnsPerHost: 64}
	client, err := New(US, Token(wallarmtest.AdminToken), WithBaseURL(cloud.URL), WithRoundTripper(pool), WithDefaultClientID(wallarmtest.DefaultClientID),
		WithDefaults(WithRetries(20), WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	before := goleak.IgnoreCurrent()
	for _, kind := range []wallarmtest.FaultKind{wallarmtest.FaultResetBefore, wallarmtest.FaultResetAfter, wallarmtest.FaultTruncate, wallarmtest.FaultHTML} {
		cloud.Inject(wallarmtest.Fault{Kind: kind, Probability: 0.05})
	}
	var made, unknown atomic.Int64
	var sure sync.Map
	var wg sync.WaitGroup
	for worker := range 64 {
		wg.Go(func() {
			for n := range 6 {
				title := fmt.Sprintf("soak-%d-%d.", worker, n)
				_, err := client.Applications.Create(t.Context(), NewApplication{Name: title})
				switch {
				case err == nil:
					made.Add(1)
					sure.Store(title, true)
				case errors.Is(err, ErrOutcomeUnknown):
					unknown.Add(1)
				default:
					t.Errorf("a create failed: %v", err)
				}
				if _, err := client.Rules.List(t.Context(), RuleFilter{}, PageOptions{}); err != nil {
					t.Errorf("a read failed: %v", err)
				}
			}
		})
	}
	wg.Wait()
	all := ""
	for _, object := range cloud.Objects("applications") {
		all += string(object)
	}
	for worker := range 64 {
		for n := range 6 {
			title := fmt.Sprintf("soak-%d-%d.", worker, n)
			count := strings.Count(all, title)
			require.LessOrEqual(t, count, 1, "%s was made twice", title)
			if _, reported := sure.Load(title); reported {
				require.Equal(t, 1, count, "%s was lost", title)
			}
		}
	}
	require.EqualValues(t, 64*6, made.Load()+unknown.Load())
	require.NotZero(t, unknown.Load())
	pool.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}
