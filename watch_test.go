package wallarm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// event is what the fake log holds: it happens at a time and shows up at another.
type event struct {
	id         int
	at, showed time.Time
}

// eventServer lists hits, in synthetic time.
type eventServer struct {
	events []event
	// fail fails an attempt.
	fail func() error
	sent int
	// date is what the server says of the time, nil for nothing.
	date func() time.Time
	// lows are the times from which on was asked.
	lows []int64
}

func (s *eventServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.sent++
	if s.fail != nil {
		if err := s.fail(); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var asked struct {
		Filter struct {
			Time [][]*int64 `json:"time"`
		} `json:"filter"`
		Limit     int  `json:"limit"`
		Offset    int  `json:"offset"`
		OrderDesc bool `json:"order_desc"`
	}
	if err := wire.Unmarshal(data, &asked); err != nil {
		return nil, err
	}
	if asked.OrderDesc || len(asked.Filter.Time) != 1 {
		return nil, errors.New("a watch asks for one span, oldest first")
	}
	span := asked.Filter.Time[0]
	s.lows = append(s.lows, *span[0])
	var shown []event
	for _, e := range s.events {
		if !e.showed.After(time.Now()) && e.at.Unix() >= *span[0] && (span[1] == nil || e.at.Unix() <= *span[1]) {
			shown = append(shown, e)
		}
	}
	slices.SortStableFunc(shown, func(a, b event) int { return a.at.Compare(b.at) })
	from := min(asked.Offset, len(shown))
	var texts []string
	for _, e := range shown[from:min(from+asked.Limit, len(shown))] {
		texts = append(texts, fmt.Sprintf(`{"id":["hits","%d"],"time":%d}`, e.id, e.at.Unix()))
	}
	response, err := stubTransport{`{"status":200,"body":[` + strings.Join(texts, ",") + `]}`}.RoundTrip(r)
	if s.date != nil {
		response.Header.Set("Date", s.date().UTC().Format(http.TimeFormat))
	}
	return response, err
}

func (s *eventServer) client(t *testing.T) *Client {
	client, err := New(US, Token("test-token-watch"), WithRoundTripper(s), WithDefaultClientID(1))
	require.NoError(t, err)
	return client
}

// random makes events in a span, each of which shows up within late.
func (s *eventServer) random(n int, from time.Time, span, late time.Duration) {
	random := rand.New(rand.NewPCG(3, 5))
	for i := range n {
		at := from.Add(time.Duration(random.Int64N(int64(span))))
		s.events = append(s.events, event{i, at, at.Add(time.Duration(random.Int64N(int64(late))))})
	}
}

func watchUntil(t *testing.T, s *eventServer, end time.Duration, options WatchOptions, each func(Hit) bool, opts ...CallOption) (got []string, failure error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), end)
	defer cancel()
	for hit, err := range s.client(t).Hits.Watch(ctx, HitFilter{}, options, opts...) {
		if err != nil {
			require.NoError(t, failure, "nothing comes after an error")
			failure = err
			continue
		}
		got = append(got, hit.ID.String())
		if each != nil && !each(hit) {
			break
		}
	}
	return got, failure
}

func requireEachOnce(t *testing.T, got []string, n int) {
	t.Helper()
	seen := map[string]int{}
	for _, id := range got {
		seen[id]++
		require.Equal(t, 1, seen[id], "%s came again", id)
	}
	require.Len(t, seen, n)
}

func TestWatchYieldsEachEventOnceAlsoLateOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{}
		server.random(1500, time.Now(), 3*time.Hour, 4*time.Minute+50*time.Second)
		began := time.Now()
		got, err := watchUntil(t, server, 4*time.Hour, WatchOptions{}, nil, PageSize(15))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 4*time.Hour, time.Since(began))
		requireEachOnce(t, got, 1500)
	})
}

func TestWatchPollsAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{}
		_, err := watchUntil(t, server, time.Hour, WatchOptions{}, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.InDelta(t, 120, server.sent, 6)
		server.sent = 0
		_, _ = watchUntil(t, server, time.Hour, WatchOptions{Interval: time.Minute}, nil)
		require.InDelta(t, 60, server.sent, 4)
	})
}

func TestTheLongestIntervalOfAWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{fail: func() error { return errors.New("connection refused") }}
		for _, longest := range []WatchOptions{{Interval: math.MaxInt64}, {Interval: math.MaxInt64 / 2}, {Overlap: math.MaxInt64}} {
			_, err := watchUntil(t, server, time.Hour, longest, nil)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		server = &eventServer{}
		server.random(10, time.Now(), time.Minute, time.Second)
		got, err := watchUntil(t, server, time.Hour, WatchOptions{Overlap: math.MaxInt64}, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		requireEachOnce(t, got, 10)
	})
}

func TestWatchSurvivesHoursOfErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{}
		server.random(2000, time.Now(), 8*time.Hour, 3*time.Minute)
		start := time.Now()
		server.fail = func() error {
			if since := time.Since(start); since > time.Hour && since < 6*time.Hour {
				return errors.New("connection refused")
			}
			return nil
		}
		failures := 0
		var last time.Time
		got, err := watchUntil(t, server, 10*time.Hour, WatchOptions{OnError: func(err error) {
			require.True(t, IsTemporary(err))
			if !last.IsZero() {
				require.LessOrEqual(t, time.Since(last), 7*time.Minute, "the pauses stay bounded")
			}
			last = time.Now()
			failures++
		}}, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		requireEachOnce(t, got, 2000)
		require.Greater(t, failures, 40)
		require.Less(t, failures, 90, "failures are reported, and slow the watch down")
	})
}

func TestWatchEndsWithAPermanentError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(US, Token("test-token-watch"), WithDefaultClientID(1), WithRoundTripper(roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := stubTransport{`{"status":403,"body":"Check permissions failed"}`}.RoundTrip(r)
			response.StatusCode = 403
			return response, err
		})))
		require.NoError(t, err)
		n := 0
		for _, err := range client.Attacks.Watch(t.Context(), AttackFilter{}, WatchOptions{OnError: func(error) { t.Error("it is not survived") }}) {
			require.ErrorIs(t, err, ErrForbidden)
			n++
		}
		require.Equal(t, 1, n)
	})
}

func TestWatchGoesOnFromItsCheckpoint(t *testing.T) {
	for _, n := range []int{3, 37, 511, 800} {
		synctest.Test(t, func(t *testing.T) {
			server := &eventServer{}
			start := time.Now()
			server.random(900, start, 3*time.Hour, 4*time.Minute)
			var stored []byte
			counts := map[string]int{}
			for time.Since(start) < 5*time.Hour {
				place := new(WatchCheckpoint)
				if stored != nil {
					require.NoError(t, json.Unmarshal(stored, place))
				}
				left := n
				_, err := watchUntil(t, server, time.Until(start.Add(5*time.Hour)), WatchOptions{Checkpoint: place}, func(hit Hit) bool {
					if left == 0 {
						return false // killed before it was handled
					}
					left--
					counts[hit.ID.String()]++
					data, err := json.Marshal(place)
					require.NoError(t, err)
					require.Less(t, len(data), 6000)
					stored = data
					return true
				})
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					break
				}
				time.Sleep(time.Duration(n) * time.Second) // nobody watches meanwhile
			}
			require.Len(t, counts, 900, "none is left out")
			for id, times := range counts {
				require.Equal(t, 1, times, id)
			}
		})
	}
}

func TestWatchWithoutRoomRepeatsRatherThanLoses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{}
		start := time.Now()
		server.random(3000, start, time.Minute, time.Second)
		time.Sleep(2 * time.Minute)
		var place WatchCheckpoint
		first := map[string]bool{}
		_, _ = watchUntil(t, server, time.Hour, WatchOptions{Checkpoint: &place}, func(hit Hit) bool {
			first[hit.ID.String()] = true
			return len(first) < 1500
		})
		before := len(first)
		got, _ := watchUntil(t, server, time.Hour, WatchOptions{Checkpoint: &place}, nil)
		for _, id := range got {
			first[id] = true
		}
		require.Equal(t, 1500, before)
		require.Len(t, first, 3000, "at least once")
		require.Len(t, got, 3000-512, "the last 512 are remembered, what is older within the overlap comes again")
	})
}

// TestWatchThatIsLeftAgainAndAgain takes fewer items at a time than come within the overlap, and gets on all the same, also where the clock of this
// machine is behind.
func TestWatchThatIsLeftAgainAndAgain(t *testing.T) {
	for name, test := range map[string]struct{ from, behind time.Duration }{
		"what is of the past":                   {-2 * time.Hour, 0},
		"what comes meanwhile":                  {0, 0},
		"the past, by a clock behind":           {-2 * time.Hour, time.Hour},
		"the present, by a clock behind":        {0, time.Hour},
		"the present, somewhat behind":          {0, 4 * time.Minute},
		"the present, by a clock that is ahead": {0, -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &eventServer{date: func() time.Time { return time.Now().Add(test.behind) }}
				const n, atOnce = 4500, 400 // and 1500 within the overlap
				start := time.Now().Add(test.from)
				server.random(n, start, 15*time.Minute, 4*time.Minute)
				for i := range server.events {
					server.events[i].at = server.events[i].at.Add(test.behind)
				}
				start = start.Add(test.behind)
				seen := map[string]bool{}
				stored, runs := []byte("null"), 0
				for ; len(seen) < n && runs < 4*n/atOnce; runs++ {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
					var place WatchCheckpoint
					require.NoError(t, json.Unmarshal(stored, &place))
					taken := 0
					for hit, err := range server.client(t).Hits.Watch(ctx, HitFilter{Time: Since(start)}, WatchOptions{Checkpoint: &place}) {
						if err != nil {
							require.ErrorIs(t, err, context.DeadlineExceeded)
							break
						}
						seen[hit.ID.String()] = true
						stored, err = json.Marshal(place)
						require.NoError(t, err)
						if taken++; taken == atOnce {
							break
						}
					}
					cancel()
					time.Sleep(30 * time.Second)
				}
				require.Equal(t, n, len(seen), "after %d runs", runs)
			})
		})
	}
}

// TestNothingIsSettledWithoutTheTime: where the server does not tell it, the clock of this machine may be ahead, and late events would be missed.
func TestNothingIsSettledWithoutTheTime(t *testing.T) {
	for name, date := range map[string]func() time.Time{"none": nil, "two days ago": func() time.Time { return time.Now().Add(-48 * time.Hour) }} {
		synctest.Test(t, func(t *testing.T) {
			server := &eventServer{date: date}
			start := time.Now().Add(-2 * time.Hour)
			server.random(100, start, time.Hour, time.Second)
			var place WatchCheckpoint
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, err := range server.client(t).Hits.Watch(ctx, HitFilter{Time: Since(start)}, WatchOptions{Checkpoint: &place}) {
				if err != nil {
					break
				}
			}
			require.Greater(t, place.through, place.from, name)
			require.Equal(t, place.from, place.settled, name)
		})
	}
}

// TestWhatAClockThatWasAheadSettledIsReadAgain: the clock of the machine was set back between two watches.
func TestWhatAClockThatWasAheadSettledIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		server := &eventServer{date: time.Now, events: []event{{1, now.Add(-time.Minute), now}, {2, now.Add(-2 * time.Minute), now.Add(time.Minute)}}}
		var place WatchCheckpoint
		follow := func() (got []string) {
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			for hit, err := range server.client(t).Hits.Watch(ctx, HitFilter{Time: Since(now.Add(-time.Hour))}, WatchOptions{Checkpoint: &place}) {
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					break
				}
				got = append(got, hit.ID.String())
			}
			return got
		}
		require.Equal(t, []string{"hits:1"}, follow())
		place.settled = place.through
		time.Sleep(time.Minute)
		require.Equal(t, []string{"hits:2"}, follow())
	})
}

// TestAPlaceAheadOfAClockThatIsBehindStays: what this machine's clock alone takes for the future, the server's does not.
func TestAPlaceAheadOfAClockThatIsBehindStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		now := time.Now().Add(time.Hour) // at the server
		server := &eventServer{date: func() time.Time { return time.Now().Add(time.Hour) }, events: []event{{1, now.Add(-time.Minute), time.Now()}}}
		var place WatchCheckpoint
		got, _ := watchUntil(t, server, time.Minute, WatchOptions{Checkpoint: &place}, nil)
		require.Equal(t, []string{"hits:1"}, got)
		require.Equal(t, now.Add(-time.Minute).Unix(), place.Through().Unix())
		got, _ = watchUntil(t, server, time.Minute, WatchOptions{Checkpoint: &place}, nil)
		require.Empty(t, got)
		require.Equal(t, now.Add(-time.Minute).Unix(), place.Through().Unix())
	})
}

// TestALongerOverlapIsReadAgain: what nothing could be added to for a shorter one.
func TestALongerOverlapIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{date: time.Now}
		start := time.Now()
		late := event{1000, start.Add(30 * time.Minute), start.Add(2 * time.Hour)}
		server.random(900, start, time.Hour, time.Second)
		server.events = append(server.events, late)
		time.Sleep(90 * time.Minute)
		var place WatchCheckpoint
		follow := func(overlap time.Duration) []string {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			var got []string
			for hit, err := range server.client(t).Hits.Watch(ctx, HitFilter{Time: Since(start)}, WatchOptions{Checkpoint: &place, Overlap: overlap}) {
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					break
				}
				got = append(got, hit.ID.String())
			}
			return got
		}
		require.Len(t, follow(10*time.Minute), 900)
		require.Empty(t, follow(10*time.Minute))
		require.Contains(t, follow(90*time.Minute), "hits:1000")
	})
}

func TestWatchKeepsItsMemoryBounded(t *testing.T) {
	var s seen
	// An item of the future, as a wrong clock makes it, stands before all others and stays.
	require.True(t, s.add(1<<40, 1<<40))
	for i := range 1_000_000 {
		require.True(t, s.add(uint64(i), int64(i)))
		s.forget(int64(i) - 300)
		if len(s.times) > 2*302+leastRoom {
			t.Fatalf("%d items", len(s.times))
		}
	}
	s.sweep()
	require.Len(t, s.times, 302)
	s.silence = 1000
	require.False(t, s.add(1<<40, 1<<40), "what is of the future is asked for again each time")
	require.False(t, s.add(999_999, 1_000_500), "a known item that goes on is not new")
	s.forget(1_000_400)
	require.False(t, s.add(999_999, 1_000_500), "and is remembered by its later time")
	s.forget(1_000_600)
	require.True(t, s.add(999_999, 1_000_700))
}

func TestWatchWithAClockThatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{}
		now := time.Now()
		server.events = []event{{1, now.Add(24 * time.Hour), now}, {2, now.Add(time.Minute), now.Add(time.Minute)}, {3, now.Add(time.Hour), now.Add(time.Hour)}}
		got, _ := watchUntil(t, server, 2*time.Hour, WatchOptions{}, nil)
		require.Equal(t, []string{"hits:1", "hits:2", "hits:3"}, got, "an event of the future does not hide the present")
	})
}

// TestWatchAsksTheServerForTheTime: this machine's clock is ahead of the server's and of the nodes', so that what happens now lies hours back.
func TestWatchAsksTheServerForTheTime(t *testing.T) {
	for _, ahead := range []time.Duration{-20 * time.Minute, time.Minute, 20 * time.Minute, 3 * time.Hour} {
		for _, future := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(1000 * time.Hour)
				server := &eventServer{date: func() time.Time { return time.Now().Add(-ahead) }}
				began := time.Now()
				for i := range 200 {
					showed := began.Add(time.Duration(i) * 17 * time.Second)
					server.events = append(server.events, event{i, showed.Add(-ahead), showed})
				}
				if future {
					server.events = append(server.events, event{200, began.Add(5 * 365 * 24 * time.Hour), began.Add(10 * time.Minute)})
				}
				got, _ := watchUntil(t, server, 90*time.Minute, WatchOptions{}, nil, PageSize(10))
				requireEachOnce(t, got, len(server.events))
			})
		}
	}
}

// TestWatchAfterALateFirstAnswer: nobody can tell that the clock is ahead before the server answers, which takes ten minutes here.
func TestWatchAfterALateFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		const ahead = 8 * time.Minute
		began := time.Now()
		server := &eventServer{date: func() time.Time { return time.Now().Add(-ahead) }, fail: func() error {
			if time.Since(began) < 10*time.Minute {
				return io.ErrUnexpectedEOF
			}
			return nil
		}}
		for i := range 60 {
			showed := began.Add(time.Duration(i) * time.Minute)
			server.events = append(server.events, event{i, showed.Add(-ahead), showed})
		}
		got, _ := watchUntil(t, server, 2*time.Hour, WatchOptions{}, nil)
		requireEachOnce(t, got, 60)
	})
}

// TestWatchOfAnEventOfTheFuture: a node's clock is ahead, by much or little, and then nobody hears anything for long, in one process or between two.
func TestWatchOfAnEventOfTheFuture(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Minute, time.Hour, 100 * time.Hour} {
		for _, late := range []time.Duration{0, 4 * time.Minute} {
			for _, crash := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(1000 * time.Hour)
					began := time.Now()
					server := &eventServer{date: time.Now}
					for i := range 200 {
						at := began.Add(time.Duration(i) * time.Minute)
						server.events = append(server.events, event{i, at, at.Add(late)})
					}
					server.events = append(server.events, event{200, began.Add(10 * time.Minute).Add(ahead), began.Add(10 * time.Minute)})
					server.fail = func() error {
						if since := time.Since(began); !crash && since > 20*time.Minute && since < 2*time.Hour {
							return io.ErrUnexpectedEOF
						}
						return nil
					}
					var place WatchCheckpoint
					var got []string
					if crash {
						got, _ = watchUntil(t, server, 20*time.Minute, WatchOptions{Checkpoint: &place}, nil)
						require.False(t, place.Through().After(time.Now()), "what was read reaches no further than the present")
						time.Sleep(100 * time.Minute)
						stored, err := json.Marshal(place)
						require.NoError(t, err)
						place = WatchCheckpoint{}
						require.NoError(t, json.Unmarshal(stored, &place))
					}
					rest, _ := watchUntil(t, server, 5*time.Hour, WatchOptions{Checkpoint: &place}, nil)
					requireEachOnce(t, append(got, rest...), 201)
				})
			}
		}
	}
}

// TestWatchGoesOnFromACheckpointOfTheFuture: an earlier version took the time of an event of the future for how far was read. Behind that the API is
// down for half an hour, or nobody watches. The clock of this machine may be ahead of the server's, and so of the time that the checkpoint tells, or behind.
func TestWatchGoesOnFromACheckpointOfTheFuture(t *testing.T) {
	for _, ahead := range []time.Duration{0, 20 * time.Minute, -20 * time.Minute} {
		for _, future := range []time.Duration{10 * time.Minute, time.Hour, 1000 * time.Hour} {
			for _, crash := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(1000 * time.Hour)
					server := &eventServer{date: func() time.Time { return time.Now().Add(-ahead) }}
					var place WatchCheckpoint
					_, _ = watchUntil(t, server, time.Minute, WatchOptions{Checkpoint: &place}, nil)
					began := time.Now()
					place.through = began.Add(future - ahead).Unix()
					for i := range 200 {
						showed := began.Add(time.Duration(i) * time.Minute)
						server.events = append(server.events, event{i, showed.Add(-ahead), showed})
					}
					server.fail = func() error {
						if since := time.Since(began); !crash && since > 10*time.Minute && since < 40*time.Minute {
							return io.ErrUnexpectedEOF
						}
						return nil
					}
					var got []string
					if crash {
						got, _ = watchUntil(t, server, 10*time.Minute+time.Second, WatchOptions{Checkpoint: &place}, nil)
						require.False(t, place.Through().After(time.Now().Add(-ahead)), "the watch has set the checkpoint right")
						time.Sleep(30 * time.Minute)
					}
					rest, _ := watchUntil(t, server, 4*time.Hour, WatchOptions{Checkpoint: &place}, nil)
					requireEachOnce(t, append(got, rest...), 200)
				})
			}
		}
	}
}

// TestWatchBeginsWhenItIsCalled, and not when it has found out, an hour later, who its client is: at its beginning, or where a checkpoint of the
// future is cut off.
func TestWatchBeginsWhenItIsCalled(t *testing.T) {
	for _, resumed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(1000 * time.Hour)
			server := &eventServer{}
			var place WatchCheckpoint
			if resumed {
				_, _ = watchUntil(t, server, time.Minute, WatchOptions{Checkpoint: &place}, nil)
				place.through = time.Now().Add(1000 * time.Hour).Unix()
			}
			began := time.Now()
			for i := range 120 {
				at := began.Add(time.Duration(i) * time.Minute)
				server.events = append(server.events, event{i, at, at})
			}
			client, err := New(US, Token("test-token-watch"), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
				switch {
				case time.Since(began) < time.Hour:
					return nil, io.ErrUnexpectedEOF
				case strings.HasSuffix(r.URL.Path, "/user"):
					return stubTransport{`{"status":200,"body":{"clientid":1}}`}.RoundTrip(r)
				}
				return server.RoundTrip(r)
			})))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
			defer cancel()
			var got []string
			for hit, err := range client.Hits.Watch(ctx, HitFilter{}, WatchOptions{Checkpoint: &place}) {
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					break
				}
				got = append(got, hit.ID.String())
			}
			requireEachOnce(t, got, 120)
		})
	}
}

// watcherOf is the watcher behind Hits.Watch, whose memory a test may look into.
func watcherOf(t *testing.T, s *eventServer, options WatchOptions, opts ...CallOption) *watcher[Hit] {
	client := s.client(t)
	return &watcher[Hit]{
		list:    func(span TimeRange) *lister[Hit] { return client.Hits.list(HitFilter{Time: span}, opts) },
		when:    func(h *Hit) time.Time { return h.Time.Time },
		options: options, place: options.Checkpoint,
	}
}

// TestWatchForgetsBehindAnEventOfTheFuture, which is itself remembered, for it is read again with each poll; and the many events of one second, long before
// so many have come again.
func TestWatchForgetsBehindAnEventOfTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		began := time.Now()
		server := &eventServer{events: []event{{0, began.Add(8760 * time.Hour), began}}}
		const burst = 1600
		for i := 1; i < 5000; i++ {
			at := began.Add(time.Duration(max(i-burst, 0)) * 10 * time.Second)
			server.events = append(server.events, event{i, at, at})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Hour)
		defer cancel()
		w := watcherOf(t, server, WatchOptions{})
		require.NoError(t, w.begin(ctx))
		var got []string
		w.run(ctx, func(hit Hit, err error) bool {
			if err == nil {
				got = append(got, hit.ID.String())
			}
			if time.Since(began) > time.Hour {
				require.Less(t, len(w.seen.times), 250, "30 events happen within the overlap")
			}
			return true
		})
		requireEachOnce(t, got, 5000)
	})
}

// TestWatchGetsPastWhatItKnows, though reading that takes longer than the overlap: here it is of the future, and so behind all else in each poll.
func TestWatchGetsPastWhatItKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		began := time.Now()
		server := &eventServer{fail: func() error { time.Sleep(2 * time.Minute); return nil }}
		for i := range 120 {
			server.events = append(server.events, event{i, began.Add(1000*time.Hour + time.Duration(i)*time.Second), began.Add(time.Duration(i) * time.Minute)})
		}
		got, _ := watchUntil(t, server, 6*time.Hour, WatchOptions{}, nil, PageSize(20))
		requireEachOnce(t, got, 120)
	})
}

// TestWatchOfABeginningYetToCome goes on from its checkpoint before it, too.
func TestWatchOfABeginningYetToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		from := time.Now().Add(time.Hour)
		server := &eventServer{}
		for i := range 120 {
			at := from.Add(time.Duration(i-60) * time.Minute)
			server.events = append(server.events, event{i, at, at})
		}
		var place WatchCheckpoint
		var got []string
		for range 10 {
			stored, err := json.Marshal(place)
			require.NoError(t, err)
			place = WatchCheckpoint{}
			require.NoError(t, json.Unmarshal(stored, &place))
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
			for hit, err := range server.client(t).Hits.Watch(ctx, HitFilter{Time: Since(from)}, WatchOptions{Checkpoint: &place}) {
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					break
				}
				got = append(got, hit.ID.String())
			}
			cancel()
		}
		requireEachOnce(t, got, 60)
	})
}

// TestWatchWhoseCallerJustKeepsPace: each page is full, so that the list has no end. And yet what comes late is found, memory stays bounded, and the
// checkpoint gets on.
func TestWatchWhoseCallerJustKeepsPace(t *testing.T) {
	for _, size := range []int{20, 1000} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(1000 * time.Hour)
			began := time.Now()
			server := &eventServer{}
			const events = 8000
			showed := map[string]time.Time{}
			for i := range events {
				at := began.Add(time.Duration(i)*time.Second - 2*time.Minute)
				e := event{i, at, at}
				if i%50 == 0 {
					e.showed = at.Add(4*time.Minute + 50*time.Second)
				}
				server.events = append(server.events, e)
				showed[fmt.Sprintf("hits:%d", i)] = e.showed
			}
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Hour)
			defer cancel()
			var place WatchCheckpoint
			w := watcherOf(t, server, WatchOptions{Checkpoint: &place}, PageSize(size))
			require.NoError(t, w.begin(ctx))
			var got []string
			w.run(ctx, func(hit Hit, err error) bool {
				if err != nil {
					return false
				}
				got = append(got, hit.ID.String())
				require.Less(t, time.Since(showed[hit.ID.String()]), 2*watchOverlap, "%s waits too long", hit.ID)
				require.Less(t, time.Since(place.Through()), 3*watchOverlap)
				require.Less(t, len(w.seen.times), 2*900+200, "of three times the overlap, swept when they have doubled")
				time.Sleep(time.Second)
				return len(got) < events
			})
			requireEachOnce(t, got, events)
			require.Less(t, server.sent, 3*events/(size-5)+100, "what is within the overlap is read again, and not more")
		})
	}
}

// TestASlowWatch: a poll takes longer than the overlap, since its caller is slow or its pages are, and what comes in late meanwhile turns up behind
// the place that is read. Now and then its process is killed.
func TestASlowWatch(t *testing.T) {
	for _, overlap := range []time.Duration{0, 90 * time.Second, 1500 * time.Millisecond} {
		for _, handler := range []time.Duration{0, 3 * time.Second, 9 * time.Second} {
			for _, slow := range []time.Duration{0, 2 * time.Minute} {
				for _, life := range []int{0, 7, 50} {
					synctest.Test(t, func(t *testing.T) {
						time.Sleep(1000 * time.Hour)
						late := overlap
						if late == 0 {
							late = watchOverlap
						}
						server := &eventServer{}
						server.random(700, time.Now().Add(-time.Hour), 3*time.Hour, late)
						server.fail = func() error { time.Sleep(slow); return nil }
						var place WatchCheckpoint
						counts, left := map[string]int{}, life
						for end := time.Now().Add(9 * time.Hour); time.Now().Before(end); {
							var stored []byte
							_, err := watchUntil(t, server, time.Until(end), WatchOptions{Overlap: overlap, Checkpoint: &place}, func(hit Hit) bool {
								if left--; left == 0 {
									left = life
									return false // killed before it was handled
								}
								time.Sleep(handler)
								counts[hit.ID.String()]++
								var err error
								stored, err = json.Marshal(place)
								require.NoError(t, err)
								return true
							}, PageSize(20))
							if err == nil && stored != nil {
								place = WatchCheckpoint{}
								require.NoError(t, json.Unmarshal(stored, &place))
							}
						}
						// Before the watch began some were too old for it.
						for _, e := range server.events {
							id := fmt.Sprintf("hits:%d", e.id)
							if e.at.After(time.Now().Add(-8*time.Hour)) || counts[id] > 0 {
								require.Equal(t, 1, counts[id], "%s of %v: overlap %v, %v an item, %v a page, killed every %d", id, e.at, overlap, handler, slow, life)
							}
						}
					})
				}
			}
		}
	}
}

// TestWatchIsNotLedAstrayByDates that come and go, or are nonsense.
func TestWatchIsNotLedAstrayByDates(t *testing.T) {
	for name, date := range map[string]func(began time.Time) time.Time{
		"a backend an hour behind": func(began time.Time) time.Time {
			if time.Since(began) > 70*time.Minute && time.Since(began)/time.Minute%4 >= 2 {
				return time.Now().Add(-time.Hour)
			}
			return time.Now()
		},
		"an hour ahead": func(time.Time) time.Time { return time.Now().Add(time.Hour) },
		"nonsense":      func(time.Time) time.Time { return time.Unix(0, 0) },
	} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(1000 * time.Hour)
			began := time.Now()
			server := &eventServer{date: func() time.Time { return date(began) }}
			for i := range 200 {
				at := began.Add(time.Duration(i) * 30 * time.Second)
				server.events = append(server.events, event{i, at, at})
			}
			got, _ := watchUntil(t, server, 3*time.Hour, WatchOptions{}, func(Hit) bool { return true })
			requireEachOnce(t, got, 200)
			for _, asked := range server.lows {
				require.Greater(t, asked, began.Add(-2*time.Hour).Unix(), name)
			}
		})
	}
}

// TestWatchEndsOnAServerThatRepeatsItself poll after poll.
func TestWatchEndsOnAServerThatRepeatsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := echoing(t, Token("test-token-watch"), func(*http.Request) (int, http.Header, string) {
			return 200, http.Header{}, `{"status":200,"body":[{"id":["hits","1"],"time":1},{"id":["hits","2"],"time":2}]}`
		})
		var failure error
		items := 0
		for _, err := range client.Hits.Watch(t.Context(), HitFilter{Time: Since(time.Unix(1, 0))}, WatchOptions{}, PageSize(2)) {
			if failure = err; err == nil {
				items++
			}
		}
		require.ErrorIs(t, failure, ErrResponse)
		require.Equal(t, 2, items)
	})
}

// TestWatchGoesOnWhenNothingNewComes for page after page, since more comes in late than a page holds.
func TestWatchGoesOnWhenNothingNewComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls, told := 0, 0
		client := echoing(t, Token("test-token-watch"), func(r *http.Request) (int, http.Header, string) {
			polls++
			if polls <= 2*maxStale {
				return 200, http.Header{}, `{"status":200,"body":[{"id":["hits","1"],"time":1},{"id":["hits","2"],"time":2}]}`
			}
			return 200, http.Header{}, `{"status":200,"body":[{"id":["hits","3"],"time":3}]}`
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		options := WatchOptions{OnError: func(err error) {
			require.ErrorIs(t, err, ErrResponse)
			told++
		}}
		var got []string
		for hit, err := range client.Hits.Watch(ctx, HitFilter{Time: Since(time.Unix(1, 0))}, options, PageSize(2)) {
			if err != nil {
				require.ErrorIs(t, err, context.DeadlineExceeded)
				break
			}
			got = append(got, hit.ID.String())
		}
		require.Equal(t, []string{"hits:1", "hits:2", "hits:3"}, got)
		require.Positive(t, told)
	})
}

func TestWatchRefusesBadArguments(t *testing.T) {
	server := &eventServer{}
	client := server.client(t)
	refused := func(filter HitFilter, options WatchOptions, opts ...CallOption) {
		t.Helper()
		n := 0
		for _, err := range client.Hits.Watch(t.Context(), filter, options, opts...) {
			require.ErrorIs(t, err, ErrInvalidArgument)
			n++
		}
		require.Equal(t, 1, n)
	}
	var none context.Context
	for _, err := range client.Hits.Watch(none, HitFilter{}, WatchOptions{}) {
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	now := time.Now()
	refused(HitFilter{}, WatchOptions{Interval: -1})
	refused(HitFilter{}, WatchOptions{Overlap: -1})
	refused(HitFilter{Time: Between(now.Add(-time.Hour), now)}, WatchOptions{})
	refused(HitFilter{Time: Since(now).Or(Since(now))}, WatchOptions{})
	refused(HitFilter{}, WatchOptions{}, Resume(&Checkpoint{}))
	refused(HitFilter{}, WatchOptions{}, MaxItems(1))
	refused(HitFilter{}, WatchOptions{}, PageSize(0))
	var place WatchCheckpoint
	require.True(t, place.Through().IsZero())
	require.NoError(t, place.UnmarshalJSON([]byte(`{"version":1,"operation":"watch hits.list","list":"0000000000000001","from":1,"through":2}`)))
	require.Equal(t, int64(2), place.Through().Unix())
	refused(HitFilter{}, WatchOptions{Checkpoint: &place})
	require.NoError(t, place.UnmarshalJSON([]byte(`{"version":1,"operation":"hits.list","list":"0000000000000001","from":1,"through":2}`)))
	refused(HitFilter{}, WatchOptions{Checkpoint: &place})
	for _, data := range []string{``, `{}`, `[]`, `{"version":2}`, `{"version":1,"operation":"x","list":"0000000000000001","from":3,"through":2}`} {
		require.ErrorIs(t, place.UnmarshalJSON([]byte(data)), ErrInvalidArgument)
	}
	require.NoError(t, place.UnmarshalJSON([]byte("null")))
	require.True(t, place.IsZero())
	require.Zero(t, server.sent)
}

// TestWatchThatCannotEvenBegin: the client id is asked for in the course of it, and what is final for that is final for the watch.
func TestWatchThatCannotEvenBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := 503
		client, err := New(US, Token("test-token-watch"), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			response, err := stubTransport{`{"body":"no"}`}.RoundTrip(r)
			response.StatusCode = status
			return response, err
		})))
		require.NoError(t, err)
		survived, ended := 0, 0
		for _, err := range client.Hits.Watch(t.Context(), HitFilter{}, WatchOptions{OnError: func(err error) {
			require.ErrorIs(t, err, ErrServer)
			if survived++; survived == 3 {
				status = 403
			}
		}}) {
			require.ErrorIs(t, err, ErrForbidden)
			ended++
		}
		require.Equal(t, 3, survived)
		require.Equal(t, 1, ended)
	})
}

// TestTheEndOfAWatchIsNoFailureOfIt: a poll that the caller's context cuts is not told as an error that is survived.
func TestTheEndOfAWatchIsNoFailureOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &eventServer{fail: func() error { time.Sleep(time.Minute); return nil }}
		_, err := watchUntil(t, server, 30*time.Second, WatchOptions{OnError: func(err error) { t.Error("survived", err) }}, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// TestOnlyRepeatsInARowEndAWatch: a server that now and then gives one page again and again is survived, however often.
func TestOnlyRepeatsInARowEndAWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var polls atomic.Int64
		client := echoing(t, Token("test-token-watch"), func(*http.Request) (int, http.Header, string) {
			if polls.Load()%3 == 0 {
				return 200, http.Header{}, `{"status":200,"body":[{"id":["hits","1"],"time":1},{"id":["hits","2"],"time":2}]}`
			}
			return 200, http.Header{}, fmt.Sprintf(`{"status":200,"body":[{"id":["hits","new %d"],"time":3}]}`, polls.Load())
		})
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Hour)
		defer cancel()
		told := 0
		for _, err := range client.Hits.Watch(ctx, HitFilter{Time: Since(time.Unix(1, 0))}, WatchOptions{OnError: func(error) { told++; polls.Add(1) }}, PageSize(2)) {
			if err != nil {
				require.ErrorIs(t, err, context.DeadlineExceeded)
				break
			}
			polls.Add(1)
		}
		require.Greater(t, told, maxStale)
	})
}

// FuzzWatchCheckpoint: whatever is read is written back to the same.
const checkedWatchCheckpoint = `{"version":1,"operation":"watch hits.list","list":"0000000000000001","from":1,"through":2,"last":"AAAAAAAAAAE=","checksum":"170facb8"}`

func TestChangedWatchCheckpointsAreRefused(t *testing.T) {
	t.Parallel()
	var place WatchCheckpoint
	require.NoError(t, json.Unmarshal([]byte(checkedWatchCheckpoint), &place))
	written, err := json.Marshal(place)
	require.NoError(t, err)
	require.JSONEq(t, checkedWatchCheckpoint, string(written))
	requireUnchanged(t, written, func(data []byte) (any, error) {
		read := place
		return read, read.UnmarshalJSON(data)
	})
}

func FuzzWatchCheckpoint(f *testing.F) {
	f.Add([]byte(checkedWatchCheckpoint))
	f.Add([]byte(`{"version":1,"operation":"watch hits.list","list":"0000000000000001","from":1,"through":2,"last":"AAAAAAAAAAE="}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, again WatchCheckpoint
		if c.UnmarshalJSON(data) != nil {
			require.True(t, c.IsZero())
			return
		}
		written, err := json.Marshal(c)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(written, &again))
		rewritten, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(rewritten))
	})
}
