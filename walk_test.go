package wallarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// listServer answers list requests from memory, as a RoundTripper, so that tests run in synthetic time.
type listServer struct {
	mu    sync.Mutex
	items []int
	// most is what the server lowers a limit to, 0 for nothing.
	most int
	// padding is how many bytes more an item takes, if not nil, and room how many those of a page may take; there always is room for one item.
	padding func(item int) int
	room    int
	// latency is how long an answer takes.
	latency time.Duration
	// before is called with the number of the request, from 1, before it is answered; an error fails the attempt.
	before   func(n int) error
	requests []listBody
	inFlight atomic.Int64
	highest  atomic.Int64
	// cursors switches to cursor paging with pages of this size.
	cursors int
}

// readListBody reads what a list asks for.
func readListBody(r *http.Request) (asked listBody, err error) {
	data, err := io.ReadAll(r.Body)
	if err == nil {
		err = wire.Unmarshal(data, &asked)
	}
	return asked, err
}

func (s *listServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.highest.Store(max(s.highest.Load(), s.inFlight.Add(1)))
	defer s.inFlight.Add(-1)
	asked, err := readListBody(r)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.requests = append(s.requests, asked)
	n := len(s.requests)
	s.mu.Unlock()
	select {
	case <-time.After(s.latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if s.before != nil {
		if err := s.before(n); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	body := s.page(asked)
	return &http.Response{
		StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: -1, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (s *listServer) page(asked listBody) string {
	from, limit := 0, asked.Limit
	if asked.Offset != nil {
		from = *asked.Offset
	}
	if s.most > 0 {
		limit = min(limit, s.most)
	}
	if s.cursors > 0 {
		limit = s.cursors
		_, _ = fmt.Sscanf(asked.Cursor, "at-%d", &from)
	}
	from = min(from, len(s.items))
	to := min(from+limit, len(s.items))
	var b strings.Builder
	for i, item := range s.items[from:to] {
		padding := ""
		if s.padding != nil {
			padding = fmt.Sprintf(`,"padding":"%s"`, strings.Repeat("x", s.padding(item)))
		}
		if i > 0 {
			if s.room > 0 && b.Len()+len(padding) > s.room {
				to = from + i
				break
			}
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"n":%d%s}`, item, padding)
	}
	cursor := ""
	if s.cursors > 0 && to < len(s.items) {
		cursor = fmt.Sprintf(`,"cursor":"at-%d"`, to)
	}
	return `{"status":200,"body":[` + b.String() + `]` + cursor + `}`
}

func (s *listServer) asked() []listBody {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]listBody(nil), s.requests...)
}

type numbered struct {
	N int `json:"n"`
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// TestAListEndsSoonAfterItsContext: pages that had come when the context ended are not handed out after it, and a checkpoint knows of none of them.
func TestAListEndsSoonAfterItsContext(t *testing.T) {
	for name, kind := range map[string]paging{"offset": byOffset, "cursor": byCursor} {
		synctest.Test(t, func(t *testing.T) {
			server := &kindServer{kind: kind, items: make([]int, 1000)}
			for n := range server.items {
				server.items[n] = n
			}
			var place Checkpoint
			l := server.lister(t, Concurrency(32), Resume(&place))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			yielded, failure := 0, error(nil)
			for _, err := range l.all(ctx, PageOptions{Limit: 10}) {
				if err != nil {
					failure = err
					continue
				}
				if yielded++; yielded == 501 {
					synctest.Wait()
					cancel()
				}
			}
			require.ErrorIs(t, failure, context.Canceled, name)
			require.Less(t, yielded, 520, name)
			require.EqualValues(t, yielded, place.Items(), name)
		})
	}
}

func (s *listServer) lister(t *testing.T, opts ...CallOption) *lister[numbered] {
	t.Helper()
	client, err := New(US, Token("test-token-list"), WithRoundTripper(s), WithDefaultClientID(1))
	require.NoError(t, err)
	paging := byOffset
	most := 10
	if s.cursors > 0 {
		paging, most = byCursor, 0
	}
	return &lister[numbered]{
		client: client, op: operation{"test.list", "POST", "/v1/objects/test", read, inBody}, paging: paging, usual: 10, most: most, opts: opts,
		id: func(n *numbered) string { return fmt.Sprint(n.N) },
		request: func(_ context.Context, page PageOptions, until time.Time) (args, error) {
			filter := map[string]any{}
			if !until.IsZero() {
				filter["until"] = until.Unix()
			}
			b := offsetBody(filter, page, "n", false)
			b.Cursor = page.Cursor
			return args{body: b}, nil
		},
	}
}

func collect(t *testing.T, l *lister[numbered], start PageOptions) []int {
	t.Helper()
	var got []int
	for item, err := range l.all(t.Context(), start) {
		require.NoError(t, err)
		got = append(got, item.N)
	}
	return got
}

// TestAPageThatIsNotWaitedForAnyMore: neither the decoding of a page that came in time nor the look at its items outlasts the context.
func TestAPageThatIsNotWaitedForAnyMore(t *testing.T) {
	for _, cursors := range []int{0, 2000} {
		l := (&listServer{items: numbers(2000), cursors: cursors}).lister(t)
		l.most, l.usual = 2000, 2000
		settings, err := l.client.settings(nil)
		require.NoError(t, err)

		ctx, cancel := context.WithCancel(t.Context())
		fetched, err := l.fetch(ctx, settings, PageOptions{Limit: 2000}, time.Time{})
		require.NoError(t, err)
		cancel()
		page, err := l.decode(ctx, settings, fetched, nil)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ErrResponse)
		require.Nil(t, page)

		ctx, cancel = context.WithCancel(t.Context())
		looked := 0
		id := l.id
		l.id = func(n *numbered) string {
			if looked++; looked == 300 {
				cancel()
			}
			return id(n)
		}
		for item, err := range l.all(ctx, PageOptions{}) {
			require.ErrorIs(t, err, context.Canceled)
			require.Zero(t, item)
		}
		require.Less(t, looked, 1000)
	}
}

func TestAllYieldsEverythingOnce(t *testing.T) {
	options := map[string][]CallOption{
		"default": nil, "no prefetch": {NoPrefetch()}, "four in flight": {Concurrency(4)}, "32 in flight": {Concurrency(32)},
		"pages of 3": {PageSize(3)}, "pages of 3, four in flight": {PageSize(3), Concurrency(4)},
	}
	for name, opts := range options {
		for _, cursors := range []int{0, 7} {
			for _, n := range []int{0, 1, 9, 10, 11, 20, 25, 100, 101} {
				t.Run(fmt.Sprintf("%s/cursors=%d/n=%d", name, cursors, n), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						server := &listServer{items: numbers(n), latency: time.Millisecond, cursors: cursors}
						got := collect(t, server.lister(t, opts...), PageOptions{})
						require.Len(t, got, n)
						for i := range got {
							require.Equal(t, i, got[i])
						}
					})
				})
			}
		}
	}
}

// TestAShortFirstPageIsNotTakenForTheWhole: a page of 7 where 10 were asked for may be all that there is, or all that the server gives at once.
func TestAShortFirstPageIsNotTakenForTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(9)}
		collect(t, server.lister(t), PageOptions{})
		require.Len(t, server.asked(), 2, "one more tells that it was all")
		server = &listServer{items: numbers(25)}
		collect(t, server.lister(t, NoPrefetch()), PageOptions{})
		require.Len(t, server.asked(), 3, "a server that has given a full page gives full pages")
		for _, most := range []int{2, 3, 7, 9} {
			for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
				server = &listServer{items: numbers(45), most: most}
				require.Equal(t, numbers(45), collect(t, server.lister(t, opts...), PageOptions{}), "a server that gives %d at once", most)
			}
			for _, opts := range [][]CallOption{nil, {NoPrefetch()}} {
				server := &kindServer{kind: byKey, items: numbers(45), most: most}
				require.Equal(t, numbers(45), collect(t, server.lister(t, opts...), PageOptions{}), "a list by key that gives %d at once", most)
			}
		}
	})
}

// TestRemovalsFromAListOfLoweredPages: the server gives less than was asked for, and loses what was read already: the step back that finds the place
// again brings nothing new, and yet is not the end.
func TestRemovalsFromAListOfLoweredPages(t *testing.T) {
	for _, most := range []int{1, 2, 3, 7, 30} {
		for _, removals := range []int{1, 2, 5} {
			for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
				synctest.Test(t, func(t *testing.T) {
					server := &listServer{items: numbers(100), most: most}
					server.before = func(n int) error {
						server.mu.Lock()
						defer server.mu.Unlock()
						if n == 3 && most > 1 { // pages of one item do not overlap
							server.items = server.items[min(removals, 2*most-1):]
						}
						return nil
					}
					require.Equal(t, numbers(100), collect(t, server.lister(t, opts...), PageOptions{}), "%d at once, %d removed", most, removals)
				})
			}
		}
	}
}

// TestAStepBackIsNoLongerThanAPage: a step of the limit that was asked for would lead to the head of the list, and to more known pages than patience.
func TestAStepBackIsNoLongerThanAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(200), most: 3}
		server.before = func(n int) error {
			server.mu.Lock()
			defer server.mu.Unlock()
			if n == 60 {
				server.items = server.items[1:]
			}
			return nil
		}
		l := server.lister(t)
		l.usual, l.most = 1000, 1000
		require.Equal(t, numbers(200), collect(t, l, PageOptions{}))
	})
}

// TestAStepBackDoesNotEndTheList: the page of a step back is shorter than others and brings nothing new.
func TestAStepBackDoesNotEndTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(50), most: 7}
		server.before = func(n int) error {
			server.mu.Lock()
			defer server.mu.Unlock()
			server.most = 7
			switch n {
			case 3:
				server.items = server.items[1:]
			case 4:
				server.most = 3
			}
			return nil
		}
		require.Equal(t, numbers(50), collect(t, server.lister(t), PageOptions{}))
	})
}

// TestAListThatGrowsAsFastAsItIsRead shows the same items again and again, as a server would that does not look at offsets. The first must not pass for
// the second, which simply ends.
func TestAListThatGrowsAsFastAsItIsRead(t *testing.T) {
	for _, most := range []int{0, 3} {
		for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
			synctest.Test(t, func(t *testing.T) {
				server := &listServer{items: numbers(40), most: most}
				page := most
				if page == 0 {
					page = 10
				}
				next := -1
				server.before = func(n int) error {
					server.mu.Lock()
					defer server.mu.Unlock()
					for range page - 1 {
						server.items = append([]int{next}, server.items...)
						next--
					}
					return nil
				}
				var err error
				for _, err = range server.lister(t, opts...).all(t.Context(), PageOptions{}) {
					if err != nil {
						break
					}
				}
				require.ErrorIs(t, err, ErrResponse)
				require.ErrorContains(t, err, "nothing new")
			})
		}
	}
}

// TestAListThatGrowsByALookAhead: what shows the same items at two offsets may have grown by just the difference, and is not one that ends here.
func TestAListThatGrowsByALookAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(40), most: 3}
		next, last := -1, 0
		server.before = func(n int) error {
			server.mu.Lock()
			defer server.mu.Unlock()
			from := *server.requests[n-1].Offset
			grown := 0
			switch {
			case from-last >= 10: // the look ahead
				grown = from - last
			case n > 5:
				grown = 2
			}
			for range grown {
				server.items = append([]int{next}, server.items...)
				next--
			}
			last = from
			if n > 200 {
				return errors.New("this does not end")
			}
			return nil
		}
		var got []int
		var failure error
		for item, err := range server.lister(t, NoPrefetch()).all(t.Context(), PageOptions{}) {
			if failure = err; err == nil {
				got = append(got, item.N)
			}
		}
		require.ErrorIs(t, failure, errStale)
		require.Less(t, len(got), 40)
	})
}

// TestAPageThatIsLargerThanWhatIsKnownAgain: a server that does not look at limits sends more in an answer than an iterator commonly remembers.
func TestAPageThatIsLargerThanWhatIsKnownAgain(t *testing.T) {
	const n = 2 * recentItems
	requests := 0
	client, err := New(US, Token("test-token-list"), WithDefaultClientID(1), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		if requests++; requests > 20 {
			return nil, errors.New("this does not end")
		}
		asked, err := readListBody(r)
		if err != nil {
			return nil, err
		}
		if *asked.Offset < 0 {
			t.Errorf("it asks for offset %d", *asked.Offset)
		}
		var items []string
		for i := max(*asked.Offset, 0); i < n; i++ {
			items = append(items, fmt.Sprintf(`{"id":["a","d%d"],"time":1796000000}`, i))
		}
		return stubTransport{`{"status":200,"body":[` + strings.Join(items, ",") + `]}`}.RoundTrip(r)
	})))
	require.NoError(t, err)
	got := 0
	for hit, err := range client.Hits.All(t.Context(), HitFilter{}) {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("d", got), hit.ID.Doc)
		got++
	}
	require.Equal(t, n, got)
}

func TestRecentGrowsWithItsPages(t *testing.T) {
	var r recent
	for h := range uint64(recentItems + 10) {
		require.True(t, r.add(h))
	}
	require.False(t, r.has(9), "the oldest is forgotten")
	require.True(t, r.has(10))
	r.fit(recentItems)
	for h := range uint64(recentItems) {
		require.True(t, r.add(1<<20+h))
	}
	require.True(t, r.has(10), "there is room for two pages")
	require.True(t, r.add(1<<30))
	require.False(t, r.has(10), "the order stays that in which they came")
	require.True(t, r.has(11))
}

func TestAServerThatDoesNotLookAtOffsets(t *testing.T) {
	for _, n := range []int{1, 2, 7, 9} {
		for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
			synctest.Test(t, func(t *testing.T) {
				server := &erraticServer{pages: []string{erraticPage(string(rune(n)))}}
				l := (&listServer{}).lister(t, opts...)
				client, err := New(US, Token("test-token-list"), WithRoundTripper(server), WithDefaultClientID(1))
				require.NoError(t, err)
				l.client = client
				require.Equal(t, numbers(n), collect(t, l, PageOptions{}))
				require.LessOrEqual(t, server.sent, 10)
			})
		}
	}
}

func TestMaxItems(t *testing.T) {
	for _, cursors := range []int{0, 7} {
		for _, maximum := range []int{1, 5, 10, 14, 25, 100, 200} {
			for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
				synctest.Test(t, func(t *testing.T) {
					server := &listServer{items: numbers(100), cursors: cursors}
					got := collect(t, server.lister(t, append(opts, MaxItems(maximum))...), PageOptions{})
					require.Equal(t, numbers(min(maximum, 100)), got)
					if cursors == 0 && maximum < 10 {
						require.Equal(t, maximum, server.asked()[0].Limit, "no more is asked for than wanted")
						require.Len(t, server.asked(), 1)
					}
					if maximum == 10 && cursors == 0 {
						require.Len(t, server.asked(), 1)
					}
					if maximum == 14 && cursors == 7 {
						require.Len(t, server.asked(), 2, "two pages hold as many as are wanted")
					}
				})
			}
		}
	}
}

func TestPrefetchReadsOnePageAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(100), latency: time.Second}
		began := time.Now()
		n := 0
		for _, err := range server.lister(t).pages(t.Context(), PageOptions{}) {
			require.NoError(t, err)
			n++
			time.Sleep(time.Second) // what the caller does with a page
			if n > 1 && n < 9 {
				require.LessOrEqual(t, len(server.asked()), n+1, "never more than one page ahead")
			}
		}
		// Eleven pages, which overlap by one item, of a second each, and a caller who takes a second for each, take twelve seconds.
		require.LessOrEqual(t, time.Since(began), 13*time.Second)
		require.EqualValues(t, 1, server.highest.Load())
	})
}

func TestCursorPagesArePrefetchedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(70), latency: time.Second, cursors: 7}
		began := time.Now()
		for _, err := range server.lister(t).pages(t.Context(), PageOptions{}) {
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		require.Equal(t, 11*time.Second, time.Since(began))
	})
}

func TestConcurrencyIsBoundedAndRampsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(400), latency: time.Second}
		began := time.Now()
		got := collect(t, server.lister(t, Concurrency(4)), PageOptions{})
		require.Equal(t, numbers(400), got)
		require.EqualValues(t, 4, server.highest.Load())
		require.Less(t, time.Since(began), 16*time.Second, "40 pages of a second each, four at a time")
	})
}

func TestTheUpperEndOfTimeIsFixedFromTheSecondPageOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(35), latency: time.Second}
		began := time.Now().Unix()
		collect(t, server.lister(t), PageOptions{})
		for i, asked := range server.asked() {
			filter := asked.Filter.(map[string]any)
			if i == 0 {
				require.NotContains(t, filter, "until", "the first request is the caller's own")
			} else {
				require.EqualValues(t, began, filter["until"])
			}
		}
	})
}

func TestAServerThatGivesLessThanAskedFor(t *testing.T) {
	for _, opts := range [][]CallOption{nil, {Concurrency(4)}} {
		synctest.Test(t, func(t *testing.T) {
			// The first pages are full, then the server lowers the limit.
			server := &listServer{items: numbers(50)}
			server.before = func(n int) error {
				server.mu.Lock()
				defer server.mu.Unlock()
				if n >= 3 {
					server.most = 4
				}
				return nil
			}
			got := collect(t, server.lister(t, opts...), PageOptions{})
			seen := map[int]bool{}
			for _, n := range got {
				require.False(t, seen[n], "%d came twice", n)
				seen[n] = true
			}
			for i := range 50 {
				require.True(t, seen[i], "%d was passed over", i)
			}
		})
	}
}

func TestAServerThatLowersTheLimitFromTheStart(t *testing.T) {
	for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
		synctest.Test(t, func(t *testing.T) {
			server := &listServer{items: numbers(320), most: 100}
			l := server.lister(t, opts...)
			l.most = 1000
			require.Equal(t, numbers(320), collect(t, l, PageOptions{}))
		})
	}
}

func TestItemsThatMoveBetweenPagesComeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(60)}
		server.before = func(n int) error {
			if n == 2 || n == 4 {
				// Something new at the head of the list shifts all that follows.
				server.mu.Lock()
				defer server.mu.Unlock()
				server.items = append([]int{1000 + n}, server.items...)
			}
			return nil
		}
		got := collect(t, server.lister(t), PageOptions{})
		require.Equal(t, numbers(60), got)
	})
}

// TestAListThatChangesWhileItIsRead inserts and removes items anywhere while the list is read: what is there throughout comes exactly once.
func TestAListThatChangesWhileItIsRead(t *testing.T) {
	for run := range 300 {
		for name, opts := range map[string][]CallOption{"one ahead": nil, "four in flight": {Concurrency(4)}, "none ahead": {NoPrefetch()}} {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(run), 7))
				const original = 120
				server := &listServer{items: numbers(original), latency: time.Millisecond}
				gone := map[int]bool{}
				fresh := original
				server.before = func(int) error {
					server.mu.Lock()
					defer server.mu.Unlock()
					for range random.IntN(4) {
						at := random.IntN(len(server.items) + 1)
						if random.IntN(2) == 0 {
							server.items = slices.Insert(server.items, at, fresh)
							fresh++
						} else if at < len(server.items) && len(server.items) > 1 {
							gone[server.items[at]] = true
							server.items = slices.Delete(server.items, at, at+1)
						}
					}
					return nil
				}
				seen := map[int]int{}
				for _, n := range collect(t, server.lister(t, opts...), PageOptions{}) {
					seen[n]++
				}
				for n, times := range seen {
					require.Equal(t, 1, times, "run %d, %s: %d came more than once", run, name, n)
				}
				for n := range original {
					require.True(t, seen[n] == 1 || gone[n], "run %d, %s: %d was passed over", run, name, n)
				}
			})
		}
	}
}

func TestAServerThatRepeatsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(US, Token("test-token-list"), WithDefaultClientID(1), WithRoundTripper(stubTransport{`{"status":200,"body":[{"n":1},{"n":2}]}`}))
		require.NoError(t, err)
		l := (&listServer{}).lister(t)
		l.client = client
		var items []int
		var failure error
		for item, err := range l.all(t.Context(), PageOptions{Limit: 2}) {
			if failure = err; err == nil {
				items = append(items, item.N)
			}
		}
		require.Equal(t, []int{1, 2}, items)
		require.ErrorIs(t, failure, ErrResponse)
	})
}

func TestAPageThatFailsAndIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(60)}
		server.before = func(n int) error {
			if n == 3 || n == 4 {
				return errors.New("connection reset by peer")
			}
			return nil
		}
		require.Equal(t, numbers(60), collect(t, server.lister(t, Concurrency(4)), PageOptions{}))
	})
}

func TestTheFirstErrorEndsTheList(t *testing.T) {
	for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
		synctest.Test(t, func(t *testing.T) {
			server := &listServer{items: numbers(100), latency: time.Millisecond}
			boom := errors.New("boom")
			server.before = func(n int) error {
				if n >= 4 {
					return boom
				}
				return nil
			}
			var got []int
			var failure error
			for item, err := range server.lister(t, append(opts, WithRetries(0))...).all(t.Context(), PageOptions{}) {
				if err != nil {
					failure = err
					continue
				}
				require.NoError(t, failure, "nothing comes after an error")
				got = append(got, item.N)
			}
			require.ErrorIs(t, failure, boom)
			// With pages in flight, the third may be asked for after the fourth, which fails.
			require.Contains(t, []int{19, 28}, len(got), "all pages before the one that failed are yielded")
			require.Equal(t, numbers(len(got)), got)
		})
	}
}

func TestARepeatingCursorIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(US, Token("test-token-list"), WithDefaultClientID(1), WithRoundTripper(stubTransport{`{"status":200,"body":[{"n":1}],"cursor":"same"}`}))
		require.NoError(t, err)
		l := (&listServer{cursors: 1}).lister(t)
		l.client = client
		l.id = nil
		items, failures := 0, 0
		for _, err := range l.all(t.Context(), PageOptions{}) {
			if err != nil {
				require.ErrorIs(t, err, ErrResponse)
				failures++
				continue
			}
			items++
		}
		require.Equal(t, 2, items, "the page before the repetition is still yielded")
		require.Equal(t, 1, failures)
	})
}

func TestNothingStaysBehind(t *testing.T) {
	leaves := map[string]func(t *testing.T, l *lister[numbered]){
		"break": func(t *testing.T, l *lister[numbered]) {
			for _, err := range l.all(t.Context(), PageOptions{}) {
				require.NoError(t, err)
				break
			}
		},
		"panic": func(t *testing.T, l *lister[numbered]) {
			require.Panics(t, func() {
				n := 0
				for range l.all(t.Context(), PageOptions{}) {
					if n++; n == 15 {
						panic("the caller's own")
					}
				}
			})
		},
		"cancel": func(t *testing.T, l *lister[numbered]) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := 0
			var last error
			for _, err := range l.all(ctx, PageOptions{}) {
				if n++; n == 12 {
					cancel()
				}
				last = err
			}
			require.ErrorIs(t, last, context.Canceled)
		},
		"deadline": func(t *testing.T, l *lister[numbered]) {
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			var last error
			for _, err := range l.all(ctx, PageOptions{}) {
				last = err
			}
			require.ErrorIs(t, last, context.DeadlineExceeded)
		},
	}
	for name, leave := range leaves {
		for _, opts := range [][]CallOption{nil, {Concurrency(8)}} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := &listServer{items: numbers(1000), latency: time.Second}
					before := inBubble()
					leave(t, server.lister(t, opts...))
					synctest.Wait()
					require.Zero(t, server.inFlight.Load(), "no request stays in flight")
					require.Equal(t, before, inBubble(), "no goroutine stays behind")
				})
			})
		}
	}
}

// inBubble counts the goroutines of the caller's bubble, the caller included. Those of the whole process come and go at times of their own.
func inBubble() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	// The caller's stack comes first: "goroutine 7 [running, synctest bubble 3]:".
	header, _, _ := bytes.Cut(stacks, []byte("\n"))
	_, bubble, found := bytes.Cut(header, []byte("synctest "))
	if !found {
		panic("not in a bubble: " + string(header))
	}
	n := 0
	for line := range bytes.Lines(stacks) {
		if bytes.HasPrefix(line, []byte("goroutine ")) && bytes.HasSuffix(bytes.TrimSpace(line), bubble) {
			n++
		}
	}
	return n
}

func TestTheBubbleIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := inBubble()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-ctx.Done() }()
		synctest.Wait()
		require.Equal(t, before+1, inBubble())
		cancel()
		synctest.Wait()
		require.Equal(t, before, inBubble())
	})
}

func TestASequenceCanBeRangedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(35)}
		all := server.lister(t).all(t.Context(), PageOptions{})
		for range 2 {
			n := 0
			for _, err := range all {
				require.NoError(t, err)
				n++
			}
			require.Equal(t, 35, n)
		}
	})
}

func TestPagesCanBeResumed(t *testing.T) {
	for _, cursors := range []int{0, 7} {
		synctest.Test(t, func(t *testing.T) {
			server := &listServer{items: numbers(45), cursors: cursors}
			l := server.lister(t)
			var got []int
			next, more := PageOptions{}, true
			for more {
				page, err := l.page(t.Context(), next)
				require.NoError(t, err)
				for _, item := range page.Items {
					got = append(got, item.N)
				}
				next, more = page.Next, page.More
			}
			require.Equal(t, numbers(45), got)
		})
	}
}

func TestBadPageOptions(t *testing.T) {
	server := &listServer{}
	l := server.lister(t)
	for name, page := range map[string]PageOptions{
		"negative limit": {Limit: -1}, "negative offset": {Offset: -1}, "limit too large": {Limit: 11}, "cursor": {Cursor: "x"}, "order": {Order: 9},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.page(t.Context(), page)
			require.ErrorIs(t, err, ErrInvalidArgument)
			for _, err := range l.all(t.Context(), page) {
				require.ErrorIs(t, err, ErrInvalidArgument)
			}
		})
	}
	_, err := New(US, Token("test-token-defaults"), WithDefaults(WithReplayClass(ReplayRead)))
	require.ErrorIs(t, err, ErrInvalidArgument)
	for _, opt := range []CallOption{PageSize(0), PageSize(-1), MaxItems(-1), Concurrency(0), Concurrency(33), WithRetries(-1), WithTimeout(-1), WithClientID(0), WithResponse(nil), WithMaxResponseSize(0), WithReplayClass(9), WithHeader("", "x"), WithHeader("A", "x\r\ny"), WithHeader("WALLARMAPI-TOKEN", "x")} {
		l := server.lister(t, opt)
		for _, err := range l.all(t.Context(), PageOptions{}) {
			require.ErrorIs(t, err, ErrInvalidArgument)
		}
	}
	require.Empty(t, server.asked(), "nothing is sent")
	//lint:ignore SA1012 a nil context must not panic
	_, err = l.page(nil, PageOptions{}) //nolint:staticcheck
	require.ErrorIs(t, err, ErrInvalidArgument)
}

func TestKeepRaw(t *testing.T) {
	server := &listServer{items: numbers(3)}
	page, err := server.lister(t, KeepRaw()).page(t.Context(), PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Raw, 3)
	require.Equal(t, `{"n":2}`, string(page.Raw[2]))
}

func TestWithResponseOfAnIterator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var meta Response
		server := &listServer{items: numbers(35), latency: time.Second}
		n := 0
		for page, err := range server.lister(t, WithResponse(&meta), Concurrency(4)).pages(t.Context(), PageOptions{}) {
			require.NoError(t, err)
			require.Equal(t, 200, meta.StatusCode)
			require.Equal(t, 1, meta.Attempts)
			require.Equal(t, "test.list", meta.Operation)
			n += len(page.Items)
		}
		require.Equal(t, 35, n)
	})
}

// TestAPanicOfAHookReachesTheLoop: pages are read on other goroutines, and a panic there would end the program.
func TestAPanicOfAHookReachesTheLoop(t *testing.T) {
	for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
		synctest.Test(t, func(t *testing.T) {
			server := &listServer{items: numbers(100), latency: time.Second}
			var pages atomic.Int32
			client, err := New(US, Token("test-token-hook"), WithRoundTripper(server), WithDefaultClientID(1), WithHook(func(context.Context, Attempt) {
				if pages.Add(1) == 3 {
					panic("the hook's own")
				}
			}))
			require.NoError(t, err)
			l := server.lister(t, opts...)
			l.client = client
			before := inBubble()
			require.PanicsWithValue(t, "the hook's own", func() {
				for _, err := range l.all(t.Context(), PageOptions{}) {
					require.NoError(t, err)
				}
			})
			synctest.Wait()
			require.Equal(t, before, inBubble(), "no goroutine stays behind")
		})
	}
}

// TestAHookThatEndsItsGoroutine ends that of the loop, as it does that of a call: a failed assertion in a hook ends the test.
func TestAHookThatEndsItsGoroutine(t *testing.T) {
	for _, opts := range [][]CallOption{nil, {Concurrency(4)}, {NoPrefetch()}} {
		for _, fatal := range []int32{1, 3} {
			synctest.Test(t, func(t *testing.T) {
				server := &listServer{items: numbers(100), latency: time.Second}
				var pages atomic.Int32
				client, err := New(US, Token("test-token-hook"), WithRoundTripper(server), WithDefaultClientID(1), WithHook(func(context.Context, Attempt) {
					if pages.Add(1) == fatal {
						runtime.Goexit()
					}
				}))
				require.NoError(t, err)
				l := server.lister(t, opts...)
				l.client = client
				before := inBubble()
				returned, panicked := false, any(nil)
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { panicked = recover() }()
					for range l.all(t.Context(), PageOptions{}) {
					}
					returned = true
				}()
				<-done
				require.Nil(t, panicked)
				require.False(t, returned)
				synctest.Wait()
				require.Equal(t, before, inBubble(), "no goroutine stays behind")
			})
		}
	}
}

// TestRawGoesWithItsItem: what is taken out of a page, since it was yielded, handled or is too much, is taken out of Raw as well.
func TestRawGoesWithItsItem(t *testing.T) {
	for _, kind := range []paging{byOffset, byCursor, byKey, byNextOffset, byPage} {
		for _, named := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				server := &kindServer{kind: kind, items: numbers(45)}
				read := func(place *Checkpoint, opts ...CallOption) (got []int) {
					l := server.lister(t, append(opts, KeepRaw(), Resume(place))...)
					if !named {
						l.id = nil
					}
					for page, err := range l.pages(t.Context(), PageOptions{}) {
						require.NoError(t, err)
						require.Len(t, page.Raw, len(page.Items))
						for i, item := range page.Items {
							require.JSONEq(t, fmt.Sprintf(`{"n":%d}`, item.N), string(page.Raw[i]))
							got = append(got, item.N)
						}
					}
					return got
				}
				var place Checkpoint
				got := read(&place, MaxItems(24))
				got = append(got, read(&place)...)
				require.Equal(t, numbers(45), got, "paging %d, named %v", kind, named)
			})
		}
	}
}

// TestPagesWithoutAnythingNewEndAChain: a server that leads from page to page with the same items, under cursors that never repeat.
func TestPagesWithoutAnythingNewEndAChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		l := (&listServer{cursors: 7}).lister(t)
		client, err := New(US, Token("test-token-list"), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			sent++
			return stubTransport{fmt.Sprintf(`{"status":200,"body":[{"n":1},{"n":2}],"cursor":"at-%d"}`, sent)}.RoundTrip(r)
		})))
		require.NoError(t, err)
		l.client = client
		var got []int
		var failure error
		for item, err := range l.all(t.Context(), PageOptions{}) {
			if failure = err; err == nil {
				got = append(got, item.N)
			}
		}
		require.ErrorIs(t, failure, errStale)
		require.Equal(t, []int{1, 2}, got)
		require.LessOrEqual(t, sent, maxStale+5)
	})
}

// TestTheUpperEndOfTimeIsLearnedOnce: later pages are of the same list as the second one, whatever the time is meanwhile, and so is what is resumed.
func TestTheUpperEndOfTimeIsLearnedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(45), latency: time.Minute}
		ends := func() (ends []float64) {
			for _, asked := range server.asked() {
				data, err := wire.Marshal(asked.Filter)
				require.NoError(t, err)
				var filter map[string]float64
				require.NoError(t, wire.Unmarshal(data, &filter))
				ends = append(ends, filter["until"])
			}
			return ends
		}
		// Each item is newer than the one before, by hours, and all are newer than what the clock of this machine says.
		newest := time.Now().Add(time.Hour)
		l := server.lister(t)
		l.at = func(n *numbered) time.Time { return newest.Add(time.Duration(n.N) * time.Hour) }
		var place Checkpoint
		l.opts = []CallOption{Resume(&place), MaxItems(25), NoPrefetch()}
		require.Len(t, collect(t, l, PageOptions{}), 25)
		l.opts = []CallOption{Resume(&place), NoPrefetch()}
		require.Len(t, collect(t, l, PageOptions{}), 20)
		want := float64(newest.Add(9*time.Hour + time.Second).Unix())
		for i, end := range ends() {
			if i == 0 {
				require.Zero(t, end, "the first page has no end")
				continue
			}
			require.InDelta(t, want, end, 0, "page %d", i)
		}
	})
}

// TestAGuessThatFailsIsNoFailure: pages ahead are asked for on a guess. Where the list has ended before them, an error for one of them says nothing
// about the list. One for a page that is needed does.
func TestAGuessThatFailsIsNoFailure(t *testing.T) {
	tooFar := errors.New("too far")
	synctest.Test(t, func(t *testing.T) {
		for _, n := range []int{45, 46, 52} {
			server := &listServer{items: numbers(n), latency: time.Millisecond}
			refused := 0
			server.before = func(i int) error {
				server.mu.Lock()
				defer server.mu.Unlock()
				if asked := server.requests[i-1]; asked.Offset != nil && *asked.Offset >= n {
					refused++
					return tooFar
				}
				return nil
			}
			require.Equal(t, numbers(n), collect(t, server.lister(t, Concurrency(4), WithRetries(0)), PageOptions{}))
			require.Positive(t, refused)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		client, err := New(US, Token("test-token-list"), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			var asked listBody
			data, err := io.ReadAll(r.Body)
			if err == nil {
				err = wire.Unmarshal(data, &asked)
			}
			if err == nil && *asked.Offset > 15 {
				err = tooFar
			}
			if err != nil {
				return nil, err
			}
			return stubTransport{erraticPage("\x0a")}.RoundTrip(r)
		})))
		require.NoError(t, err)
		l := (&listServer{}).lister(t, WithRetries(0))
		l.client = client
		var failure error
		for _, failure = range l.all(t.Context(), PageOptions{}) {
			if failure != nil {
				break
			}
		}
		require.ErrorIs(t, failure, tooFar, "whether this server looks at offsets is not known")
	})
}

func TestIteratorsRefuseANilContext(t *testing.T) {
	server := &listServer{items: numbers(5)}
	var none context.Context
	for _, err := range server.lister(t).all(none, PageOptions{}) {
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	for _, err := range server.lister(t).pages(none, PageOptions{}) {
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	_, err := server.lister(t).page(none, PageOptions{})
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Empty(t, server.asked())
}

// looseServer gives the items of one second in another order with each answer, as a store of several replicas does.
type looseServer struct {
	listServer
	perSecond int
	random    *rand.Rand
}

func newLooseServer(n, perSecond int, seed uint64) *looseServer {
	s := &looseServer{perSecond: perSecond, random: rand.New(rand.NewPCG(seed, 1))}
	s.items = numbers(n)
	s.before = func(int) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for second := range slices.Chunk(s.items[1:], s.perSecond) {
			s.random.Shuffle(len(second), func(i, j int) { second[i], second[j] = second[j], second[i] })
		}
		return nil
	}
	return s
}

func TestItemsOfOneSecondInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, perSecond := range []int{2, 3, 5, 20} {
			for name, opts := range map[string][]CallOption{"default": nil, "four in flight": {Concurrency(4)}, "no prefetch": {NoPrefetch()}} {
				for seed := range uint64(20) {
					server := newLooseServer(400, perSecond, seed)
					server.most = []int{0, 31}[seed%2] // the limit may be lowered, too
					l := server.lister(t, opts...)
					client, err := New(US, Token("test-token-list"), WithRoundTripper(server), WithDefaultClientID(1))
					require.NoError(t, err)
					l.client, l.usual, l.most = client, 50, 50
					l.at = func(n *numbered) time.Time { return time.Unix(int64((n.N+perSecond-1)/perSecond), 0) }
					got := collect(t, l, PageOptions{})
					slices.Sort(got)
					require.Equal(t, numbers(400), got, "%d a second, %s", perSecond, name)
					require.Less(t, len(server.asked()), 60, "%d a second, %s", perSecond, name)

					// And in pieces.
					var place Checkpoint
					var pieces []int
					for size := 1; len(pieces) < 400; size = size*2%97 + 1 {
						l.opts = append(slices.Clone(opts), Resume(&place), MaxItems(size))
						piece := collect(t, l, PageOptions{})
						require.NotEmpty(t, piece)
						pieces = append(pieces, piece...)
					}
					slices.Sort(pieces)
					require.Equal(t, numbers(400), pieces, "%d a second, %s, in pieces", perSecond, name)
				}
			}
		}
	})
}

// TestItemsOfOneSecondInPagesThatAreCut: the service ends a page at 64 KiB, and gives the hits of one second in another order with each answer. Pages
// overlap by the whole second behind those that are not the largest, too.
func TestItemsOfOneSecondInPagesThatAreCut(t *testing.T) {
	t.Parallel()
	const n, perSecond = 1000, 20
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 1))
		hits, padding := numbers(n), make([]string, n)
		for i := range padding {
			padding[i] = strings.Repeat("x", 400+random.IntN(800))
		}
		server := func(r *http.Request) (*http.Response, error) {
			var asked struct {
				Limit  int `json:"limit"`
				Offset int `json:"offset"`
			}
			data, err := io.ReadAll(r.Body)
			if err != nil || wire.Unmarshal(data, &asked) != nil {
				return nil, errors.New("no request for a page")
			}
			for second := range slices.Chunk(hits, perSecond) {
				random.Shuffle(len(second), func(i, j int) { second[i], second[j] = second[j], second[i] })
			}
			body := []byte(`{"status":200,"body":[`)
			for i, hit := range hits[min(asked.Offset, n):min(asked.Offset+asked.Limit, n)] {
				item := fmt.Sprintf(`{"id":["hits","%d"],"time":%d,"value":%q}`, hit, n-hit/perSecond, padding[hit])
				if i > 0 && len(body)+len(item) > 64<<10 {
					break
				}
				if i > 0 {
					body = append(body, ',')
				}
				body = append(body, item...)
			}
			return stubTransport{string(body) + "]}"}.RoundTrip(r)
		}
		client, err := New(US, Token("test-token-list"), WithRoundTripper(roundTripperFunc(server)), WithDefaultClientID(1))
		require.NoError(t, err)
		seen := map[string]int{}
		for hit, err := range client.Hits.All(t.Context(), HitFilter{Time: Last(time.Hour)}) {
			require.NoError(t, err)
			seen[hit.ID.String()]++
			require.Equal(t, 1, seen[hit.ID.String()])
		}
		require.Equal(t, n, len(seen), "seed %d", seed)
	}
}

// TestAChainThatLosesItems: pages by number cannot overlap, but each tells the total; those by an offset that the server names overlap by one item.
func TestAChainThatLosesItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []paging{byPage, byNextOffset} {
			for _, removed := range [][]int{{1}, {3}, {10}, {17}, {1, 1, 1}, {0, 12, 9}, {3, 0, 3, 0, 3}, {10, 5, 1, 1, 1, 1, 1, 1}} {
				for behind := range int64(5) {
					for name, opts := range map[string][]CallOption{"default": nil, "no prefetch": {NoPrefetch()}, "as many as there are": {MaxItems(60)}} {
						server := &kindServer{kind: kind, items: numbers(60)}
						l := server.lister(t, opts...)
						answer := server.RoundTrip
						seen := map[int]bool{}
						client, err := New(US, Token("test-token-list"), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
							response, err := answer(r)
							// Only what was sent goes, so that all others were there throughout.
							if n := server.sent.Load() - 2 - behind; n >= 0 && int(n) < len(removed) {
								for range removed[n] {
									if server.items[0] < 10*int(server.sent.Load()-2) {
										server.items = server.items[1:]
									}
								}
							}
							return response, err
						})))
						require.NoError(t, err)
						l.client = client
						for _, n := range collect(t, l, PageOptions{}) {
							require.False(t, seen[n], "%d came twice", n)
							seen[n] = true
						}
						for _, n := range server.items {
							require.True(t, seen[n], "kind %d, %d was passed over: %v removed behind %d, %s", kind, n, removed, behind, name)
						}
					}
				}
			}
		}
	})
}

// TestAChainThatStaysCostsNoMore: pages that overlap by one item are not taken for ones that have lost some.
func TestAChainThatStaysCostsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for kind, requests := range map[paging]int64{byPage: 6, byNextOffset: 7} {
			server := &kindServer{kind: kind, items: numbers(60)}
			require.Equal(t, numbers(60), collect(t, server.lister(t), PageOptions{}))
			require.Equal(t, requests, server.sent.Load())
		}
	})
}

// TestResumeOfAChainThatLostItems: what is next may stand on the page before.
func TestResumeOfAChainThatLostItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []paging{byPage, byNextOffset} {
			for handled := 1; handled < 40; handled++ {
				for _, removed := range []int{0, 1, 9} {
					server := &kindServer{kind: kind, items: numbers(45)}
					var place Checkpoint
					got := collect(t, server.lister(t, Resume(&place), MaxItems(handled)), PageOptions{})
					server.items = server.items[min(removed, handled):]
					got = append(got, collect(t, server.lister(t, Resume(&place)), PageOptions{})...)
					require.Equal(t, numbers(45), got, "%d handled, %d removed", handled, removed)
				}
			}
		}
	})
}

// TestABusySecondCostsLittle: the overlap that it needs is not kept for the rest of the list.
func TestABusySecondCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(5000)}
		l := server.lister(t)
		l.usual, l.most = 100, 100
		l.at = func(n *numbered) time.Time { return time.Unix(int64(max(n.N, 150)), 0) }
		require.Equal(t, numbers(5000), collect(t, l, PageOptions{}))
		require.Less(t, len(server.asked()), 65)
	})
}

// TestATotalThatIsNotToBeTrusted: replicas may tell different ones, and nothing is lost from the list.
func TestATotalThatIsNotToBeTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, total := range map[string]func(n int64) int64{
			"by turns": func(n int64) int64 { return 100 + n%2 }, "sinking": func(n int64) int64 { return 1000 - n },
		} {
			server := &kindServer{kind: byPage, items: numbers(100)}
			l := server.lister(t)
			client, err := New(US, Token("test-token-list"), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
				response, err := server.RoundTrip(r)
				if err != nil {
					return nil, err
				}
				body, err := io.ReadAll(response.Body)
				told := fmt.Sprintf(`"total_count":%d`, total(server.sent.Load()))
				response.Body = io.NopCloser(strings.NewReader(strings.Replace(string(body), `"total_count":100`, told, 1)))
				return response, err
			})))
			require.NoError(t, err)
			l.client = client
			require.Equal(t, numbers(100), collect(t, l, PageOptions{}), name)
			require.LessOrEqual(t, server.sent.Load(), int64(60), name)
		}
	})
}

// TestABurstInOneSecond: where a second holds more than pages overlap by, the end of the list is not taken for a list that has shrunk.
func TestABurstInOneSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, n := range []int{11, 50, 61, 95, 100, 301} {
			for _, first := range []int{0, 20, 55} { // of the burst at the end
				for name, opts := range map[string][]CallOption{"default": nil, "two": {Concurrency(2)}, "four": {Concurrency(4)}, "thirty": {Concurrency(30)}, "none ahead": {NoPrefetch()}} {
					server := &listServer{items: numbers(n)}
					l := server.lister(t, opts...)
					l.at = func(i *numbered) time.Time { return time.Unix(int64(min(i.N, first)), 0) }
					require.Equal(t, numbers(n), collect(t, l, PageOptions{}), "%d, burst from %d on, %s", n, first, name)
					require.LessOrEqual(t, len(server.asked()), n/2+90, "%d, burst from %d on, %s", n, first, name)
				}
			}
		}
	})
}

// TestTheSamePageUnderNewCursors ends with an error, where items have no ids too.
func TestTheSamePageUnderNewCursors(t *testing.T) {
	n := 0
	client := echoing(t, Token("test-token-cursors"), func(*http.Request) (int, http.Header, string) {
		n++
		const record = `{"id":["a","b"],"ip":"192.0.2.1","request_id":"r","time":1700000000}`
		return 200, http.Header{}, fmt.Sprintf(
			`{"status":200,"cursor":"c%d","body":{"objects":[%s],"continuation":"c%[1]d"},"data":[%[2]s],"next_cursor":"c%[1]d","has_more":true}`, n, record)
	})
	ends := func(failure error) {
		t.Helper()
		require.ErrorIs(t, failure, ErrResponse)
		require.Less(t, n, 40)
		n = 0
	}
	var failure error
	for _, failure = range client.IPLists.AllHistory(t.Context(), DenyHistoryFilter{}) {
	}
	ends(failure)
	for _, failure = range client.AttackVectors.All(t.Context(), "a-group") {
	}
	ends(failure)
	for _, failure = range client.AttackVectors.All(t.Context(), "a-group", Concurrency(4)) {
	}
	ends(failure)
}

// TestPagesThatAreCutByTheirSize: one that holds nothing but the overlap had no room for the next item.
func TestPagesThatAreCutByTheirSize(t *testing.T) {
	for name, padding := range map[string]func(int) int{
		"two large of ten":  func(n int) int { return map[bool]int{false: 2_000, true: 60_000}[n%10 > 7] },
		"one large":         func(n int) int { return map[bool]int{false: 2_000, true: 99_000}[n == 57] },
		"all large":         func(int) int { return 70_000 },
		"each for itself":   func(int) int { return 100_000 },
		"larger and larger": func(n int) int { return 600 * n },
		"full at first":     func(n int) int { return map[bool]int{false: 100, true: 4_000}[n > 70] },
		"full for long":     func(n int) int { return map[bool]int{false: 900, true: 4_000}[n > 150] },
	} {
		for _, ties := range []int{1, 3} {
			for _, opts := range [][]CallOption{nil, {NoPrefetch()}, {Concurrency(4)}} {
				synctest.Test(t, func(t *testing.T) {
					server := &listServer{items: numbers(200), padding: padding, room: 100_000}
					l := server.lister(t, opts...)
					l.usual, l.most = 1000, 1000
					if strings.HasPrefix(name, "full") {
						l.usual, l.most = 60, 60
					}
					l.at = func(n *numbered) time.Time { return time.Unix(int64(n.N/ties), 0) }
					require.Equal(t, numbers(200), collect(t, l, PageOptions{}), "%s, %d of a second, %d options", name, ties, len(opts))
				})
			}
		}
	}
}

// TestResumeOfPagesThatAreCut: an item that was handled leaves the list while it is resumed, and none of the others is passed over.
func TestResumeOfPagesThatAreCut(t *testing.T) {
	const n = 130
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 1))
		sizes := make([]int, n)
		for i := range sizes {
			sizes[i] = 300 + random.IntN(1200)
		}
		for handled := 20; handled <= 100; handled++ {
			for leaves := 1; leaves <= 6; leaves++ {
				server := &listServer{items: numbers(n), padding: func(item int) int { return sizes[item] }, room: 20_000}
				var place Checkpoint
				l := server.lister(t, Resume(&place), MaxItems(handled), NoPrefetch())
				l.usual, l.most = 1000, 1000
				l.at = func(n *numbered) time.Time { return time.Unix(int64(5000-n.N), 0) }
				got := collect(t, l, PageOptions{})
				before := len(server.asked())
				server.before = func(request int) error {
					server.mu.Lock()
					defer server.mu.Unlock()
					if request == before+leaves {
						server.items = server.items[1:]
					}
					return nil
				}
				l.opts = []CallOption{Resume(&place), NoPrefetch()}
				seen := map[int]bool{}
				for _, item := range append(got, collect(t, l, PageOptions{})...) {
					seen[item] = true
				}
				require.Equal(t, n, len(seen), "behind %d, one leaves before request %d", handled, leaves)
			}
		}
	})
}

// TestAnItemLeavesAListOfBursts whose pages are cut by their size: few hold nothing but the overlap, behind which another would be passed over.
func TestAnItemLeavesAListOfBursts(t *testing.T) {
	const n, perSecond = 120, 12
	synctest.Test(t, func(t *testing.T) {
		lost := 0
		for seed := range uint64(20) {
			random := rand.New(rand.NewPCG(seed, 1))
			sizes := make([]int, n)
			for i := range sizes {
				sizes[i] = 1000 + random.IntN(2000)
			}
			for leaves := 2; leaves <= 12; leaves++ {
				server := &listServer{items: numbers(n), padding: func(item int) int { return sizes[item] }, room: 30_000}
				server.before = func(request int) error {
					server.mu.Lock()
					defer server.mu.Unlock()
					if request == leaves {
						server.items = server.items[1:]
					}
					return nil
				}
				l := server.lister(t)
				l.usual, l.most = 1000, 1000
				l.at = func(n *numbered) time.Time { return time.Unix(int64(5000-n.N/perSecond), 0) }
				lost += n - len(collect(t, l, PageOptions{}))
			}
		}
		require.Zero(t, lost)
	})
}

// TestPagesByKeyThatAreCutByTheirSize, behind full ones too, and again and again.
func TestPagesByKeyThatAreCutByTheirSize(t *testing.T) {
	for name, padding := range map[string]func(int) int{
		"behind a full page": func(n int) int { return map[bool]int{false: 100, true: 4_000}[n > 70] },
		"larger and larger":  func(n int) int { return 600 * n },
		"small ones last":    func(n int) int { return map[bool]int{false: 9_000, true: 0}[n > 150] },
	} {
		for _, opts := range [][]CallOption{nil, {NoPrefetch()}} {
			synctest.Test(t, func(t *testing.T) {
				server := &kindServer{kind: byKey, items: numbers(200), padding: padding}
				l := server.lister(t, opts...)
				l.usual, l.most = 60, 60
				require.Equal(t, numbers(200), collect(t, l, PageOptions{}), "%s, %d options", name, len(opts))
			})
		}
	}
}

// TestOneAtOnceWhileOthersComeIn: the same item again is not the end of a list whose server gives one at once.
func TestOneAtOnceWhileOthersComeIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for request := 1; request < 44; request++ {
			server := &listServer{items: numbers(40), most: 1}
			server.before = func(n int) error {
				if n == request {
					server.items = append([]int{100}, server.items...)
				}
				return nil
			}
			got := collect(t, server.lister(t), PageOptions{})
			got = slices.DeleteFunc(got, func(n int) bool { return n == 100 })
			require.Equal(t, numbers(40), got, "before request %d", request)
		}
	})
}

// TestPagesByNumberWhileSomeGo: nothing but removals, one here and one there, before any of the requests.
func TestPagesByNumberWhileSomeGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(2000) {
			random := rand.New(rand.NewPCG(seed, 5))
			limit := 2 + random.IntN(2)
			n := limit * (2 + random.IntN(4))
			server := &kindServer{kind: byPage, items: numbers(n)}
			l := server.lister(t, [][]CallOption{nil, {NoPrefetch()}}[random.IntN(2)]...)
			l.usual, l.most = limit, limit
			going := random.Perm(n)[:1+random.IntN(6)%n]
			before := map[int64][]int{}
			for _, item := range going {
				at := int64(1 + random.IntN(10))
				before[at] = append(before[at], item)
			}
			client, err := New(US, Token("test-token-list"), WithRoundTripper(roundTripperFunc(func(r *http.Request) (*http.Response, error) {
				gone := before[server.sent.Load()]
				server.items = slices.DeleteFunc(server.items, func(item int) bool { return slices.Contains(gone, item) })
				return server.RoundTrip(r)
			})))
			require.NoError(t, err)
			l.client = client
			got := collect(t, l, PageOptions{})
			for item := range n {
				require.True(t, slices.Contains(going, item) || slices.Contains(got, item), "seed %d: %d was passed over", seed, item)
			}
		}
	})
}
