package wallarm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// kindServer answers lists of every paging kind from memory.
type kindServer struct {
	kind  paging
	items []int
	// expired are cursors that the server refuses.
	expired string
	sent    atomic.Int64
	// most is how many items it gives at once, if that is fewer than asked for.
	most int
	// padding is how many bytes more an item takes, if not nil; those of a page take a room of 100,000, or it holds one.
	padding func(item int) int
}

func (s *kindServer) RoundTrip(r *http.Request) (*http.Response, error) {
	asked, err := readListBody(r)
	if err != nil {
		return nil, err
	}
	s.sent.Add(1)
	status, body := 200, ""
	if asked.Cursor != "" && asked.Cursor == s.expired {
		status, body = 400, `{"status":400,"body":{"cursor":"expired"}}`
	} else {
		body = s.page(asked)
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Request: r, ContentLength: -1, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (s *kindServer) page(asked listBody) string {
	from, limit := 0, asked.Limit
	if asked.Offset != nil {
		from = *asked.Offset
	}
	switch s.kind {
	case byCursor:
		_, _ = fmt.Sscanf(asked.Cursor, "at-%d", &from)
	case byKey:
		if after := 0; asked.Cursor != "" {
			_, _ = fmt.Sscanf(asked.Cursor, "key-%d", &after)
			from = slices.Index(s.items, after) + 1
		}
	case unpaged:
		limit = len(s.items)
	}
	if s.most > 0 {
		limit = min(limit, s.most)
	}
	from = min(from, len(s.items))
	to := min(from+limit, len(s.items))
	texts := []string{}
	size := 0
	for i, n := range s.items[from:to] {
		padding := ""
		if s.padding != nil {
			padding = strings.Repeat("x", s.padding(n))
		}
		if size += len(padding); size > 100_000 && i > 0 {
			to = from + i
			break
		}
		if padding != "" {
			padding = `,"padding":"` + padding + `"`
		}
		texts = append(texts, fmt.Sprintf(`{"n":%d%s}`, n, padding))
	}
	more := ""
	switch {
	case s.kind == byPage:
		more = fmt.Sprintf(`,"current_page":%d,"total_pages":%d,"total_count":%d`, from/limit+1, (len(s.items)+limit-1)/limit, len(s.items))
	case to == len(s.items):
	case s.kind == byCursor:
		more = fmt.Sprintf(`,"cursor":"at-%d"`, to)
	case s.kind == byNextOffset:
		more = fmt.Sprintf(`,"next_offset":%d`, to)
	}
	return `{"status":200,"body":[` + strings.Join(texts, ",") + `]` + more + `}`
}

func (s *kindServer) lister(t *testing.T, opts ...CallOption) *lister[numbered] {
	l := (&listServer{}).lister(t, opts...)
	client, err := New(US, Token("test-token-list"), WithRoundTripper(s), WithDefaultClientID(1))
	require.NoError(t, err)
	l.client, l.paging = client, s.kind
	l.after = func(n *numbered) string { return fmt.Sprintf("key-%d", n.N) }
	if s.kind == unpaged {
		l.usual, l.most = 0, 0
	}
	return l
}

// TestAPlaceIsNotLookedForWithoutEnd: in a list in which other items come for ever.
func TestAPlaceIsNotLookedForWithoutEnd(t *testing.T) {
	server := &kindServer{kind: byOffset, items: make([]int, 200)}
	for n := range server.items {
		server.items[n] = n
	}
	_, place := readSome(t, func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }, Checkpoint{}, 150)
	l := server.lister(t, Resume(&place), MaxItems(50))
	sent := 0
	client, err := New(US, Token("test-token-list"), WithDefaultClientID(1), WithRoundTripper(roundTripper(func(r *http.Request) (*http.Response, error) {
		sent++
		if sent > maxSeek+1000 {
			return nil, errors.New("it asks for ever")
		}
		return stubTransport{fmt.Sprintf(`{"status":200,"body":[{"n":%d},{"n":%d}]}`, 1000+2*sent, 1001+2*sent)}.RoundTrip(r)
	})))
	require.NoError(t, err)
	l.client = client
	for _, err := range l.all(t.Context(), PageOptions{}) {
		require.ErrorIs(t, err, ErrGone)
	}
	require.Greater(t, sent, maxSeek)
	require.EqualValues(t, 150, place.Items())
}

// carry sends a checkpoint through its JSON, as another process would read it.
func carry(t *testing.T, c Checkpoint) Checkpoint {
	t.Helper()
	data, err := json.Marshal(c)
	require.NoError(t, err)
	require.Less(t, len(data), 2000)
	var read Checkpoint
	require.NoError(t, json.Unmarshal(data, &read))
	require.Equal(t, c.IsZero(), read.IsZero())
	again, err := json.Marshal(read)
	require.NoError(t, err)
	require.JSONEq(t, string(data), string(again))
	return read
}

// readSome reads at most n items, and stores the checkpoint after each as a caller should.
func readSome(t *testing.T, make func(...CallOption) *lister[numbered], stored Checkpoint, n int, opts ...CallOption) ([]int, Checkpoint) {
	t.Helper()
	place := carry(t, stored)
	var got []int
	for item, err := range make(append(opts, Resume(&place))...).all(t.Context(), PageOptions{}) {
		require.NoError(t, err)
		if len(got) == n {
			break // handled no more: what is stored is the place behind the n-th item
		}
		got = append(got, item.N)
		stored = place
	}
	return got, stored
}

var allKinds = map[string]paging{
	"offset": byOffset, "cursor": byCursor, "next offset": byNextOffset, "page": byPage, "unpaged": unpaged, "key": byKey,
}

func TestResumeAfterAnyItem(t *testing.T) {
	for name, kind := range allKinds {
		for _, ids := range []bool{true, false} {
			for _, opts := range [][]CallOption{nil, {NoPrefetch()}, {Concurrency(4)}} {
				t.Run(fmt.Sprintf("%s/ids=%v/%d options", name, ids, len(opts)), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						const n = 95
						stride := 1
						if opts != nil {
							stride = 7
						}
						make := func(opts ...CallOption) *lister[numbered] {
							l := (&kindServer{kind: kind, items: numbers(n)}).lister(t, opts...)
							if !ids {
								l.id = nil
							}
							return l
						}
						for killed := 0; killed <= n; killed += stride {
							first, stored := readSome(t, make, Checkpoint{}, killed, opts...)
							rest, _ := readSome(t, make, stored, n+1, opts...)
							require.Equal(t, numbers(n), append(first, rest...), "killed after %d", killed)
						}
					})
				})
			}
		}
	}
}

func TestResumeAgainAndAgain(t *testing.T) {
	for name, kind := range allKinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &kindServer{kind: kind, items: numbers(200)}
				make := func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }
				var all []int
				var stored Checkpoint
				for range 41 {
					var got []int
					got, stored = readSome(t, make, stored, 5)
					all = append(all, got...)
				}
				require.Equal(t, numbers(200), all)
				require.EqualValues(t, 200, stored.Items())
				require.Equal(t, "test.list", stored.Operation())
			})
		})
	}
}

// TestResumeOfAListThatMoved inserts and removes items anywhere between the runs, a few or many.
// TestResumeWithAnotherPageSize: a place is told in pages of the size that they had.
func TestResumeWithAnotherPageSize(t *testing.T) {
	for name, kind := range allKinds {
		if kind == unpaged {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for handled := 1; handled < 44; handled += 3 {
					server := &kindServer{kind: kind, items: numbers(45)}
					var place Checkpoint
					got := collect(t, server.lister(t, Resume(&place), MaxItems(handled), PageSize(9)), PageOptions{})
					got = append(got, collect(t, server.lister(t, Resume(&place), PageSize(4)), PageOptions{})...)
					require.Equal(t, numbers(45), got, "%d handled", handled)
				}
			})
		})
	}
}

func TestResumeOfAListThatMoved(t *testing.T) {
	for run := range 200 {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(run), 11))
			const original = 300
			server := &kindServer{kind: byOffset, items: numbers(original)}
			make := func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }
			seen, gone := map[int]int{}, map[int]bool{}
			fresh := original
			var stored Checkpoint
			for {
				var got []int
				got, stored = readSome(t, make, stored, 1+random.IntN(150), MaxItems(random.IntN(2)*20))
				for _, n := range got {
					seen[n]++
				}
				if len(got) == 0 {
					break
				}
				for range random.IntN([]int{1, 10, 60}[random.IntN(3)]) {
					at := random.IntN(len(server.items) + 1)
					if random.IntN(3) == 0 {
						at /= 20 // mostly at the head, where new events come in
					}
					if random.IntN(2) == 0 {
						server.items = slices.Insert(server.items, at, fresh)
						fresh++
					} else if at < len(server.items) {
						gone[server.items[at]] = true
						server.items = slices.Delete(server.items, at, at+1)
					}
				}
			}
			for n := range original {
				require.LessOrEqual(t, seen[n], 1, "run %d: %d came again", run, n)
				require.True(t, seen[n] == 1 || gone[n], "run %d: %d was passed over", run, n)
			}
		})
	}
}

// TestResumeInASecondThatIsOrderedAnew: what was handled last is gone, and what was not stands before what was.
func TestResumeInASecondThatIsOrderedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(1000) {
			random := rand.New(rand.NewPCG(seed, 3))
			second := 2 + random.IntN(4)
			before, handled := random.IntN(3), 1+random.IntN(second-1)
			server := &kindServer{kind: byOffset, items: numbers(before + second + 3)}
			make := func(opts ...CallOption) *lister[numbered] {
				l := server.lister(t, opts...)
				l.at = func(n *numbered) time.Time {
					return time.Unix(1000-int64(max(n.N-before-second+1, min(n.N-before, 0))), 0)
				}
				return l
			}
			got, stored := readSome(t, make, Checkpoint{}, before+handled)
			rest := numbers(before + second + 3)[before : before+second]
			random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
			copy(server.items[before:], rest)
			gone := before + handled - 1
			server.items = slices.DeleteFunc(server.items, func(n int) bool { return n == gone })
			more, _ := readSome(t, make, stored, 100)
			got = append(got, more...)
			for n := range before + second + 3 {
				require.Contains(t, got, n, "seed %d: %d before, %d of the second, %d handled", seed, before, second, handled)
			}
		}
	})
}

// TestResumeWhereAPageBeginsWithTheSecond: handled items went, so that the place is looked for on a page that begins in the middle of the second of the
// item that was handled last.
func TestResumeWhereAPageBeginsWithTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for second := 2; second <= 5; second++ {
			for gone := range 90 {
				server := &kindServer{kind: byOffset, items: numbers(300)}
				make := func(opts ...CallOption) *lister[numbered] {
					l := server.lister(t, opts...)
					l.at = func(n *numbered) time.Time { return time.Unix(1000-int64(n.N/second), 0) }
					return l
				}
				got, stored := readSome(t, make, Checkpoint{}, 100/second*second+1)
				for i := 0; i+second <= len(server.items); i += second {
					slices.Reverse(server.items[i : i+second])
				}
				server.items = server.items[gone:]
				more, _ := readSome(t, make, stored, 300)
				got = append(got, more...)
				for n := range 300 {
					require.Contains(t, got, n, "%d of a second, %d gone", second, gone)
				}
			}
		}
	})
}

// TestResumeInASecondOfManyItems: more of one second were handled than a checkpoint remembers.
func TestResumeInASecondOfManyItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, size := range []int{1, 5, 20, 50, 64, 65, 200} {
			for _, limit := range []int{33, 1000} {
				for _, before := range []int{0, 7, 100} {
					server := &kindServer{kind: byOffset, items: numbers(before + 256 + 10)}
					make := func(opts ...CallOption) *lister[numbered] {
						l := server.lister(t, append(opts, PageSize(limit))...)
						l.usual, l.most = limit, limit
						l.at = func(n *numbered) time.Time { return time.Unix(2000-int64(max(min(n.N, before+256), before)), 0) }
						return l
					}
					var got []int
					var stored Checkpoint
					for piece := []int{0}; len(piece) > 0; got = append(got, piece...) {
						piece, stored = readSome(t, make, stored, size)
						require.LessOrEqual(t, len(got), len(server.items), "%d at a time, pages of %d, %d before", size, limit, before)
					}
					require.Equal(t, server.items, got, "%d at a time, pages of %d, %d before", size, limit, before)
				}
			}
		}
	})
}

func TestResumeOfAListThatMovedFar(t *testing.T) {
	for name, change := range map[string]func([]int) []int{
		"hundreds came in": func(items []int) []int {
			for i := range 437 {
				items = slices.Insert(items, 0, 10_000+i)
			}
			return items
		},
		"the head is gone":            func(items []int) []int { return items[170:] },
		"most of the last are gone":   func(items []int) []int { return slices.Delete(items, 150, 199) },
		"the place is the end":        func(items []int) []int { return items[:200] },
		"all but the last is gone":    func(items []int) []int { return items[199:] },
		"all but the 64th is gone":    func(items []int) []int { return slices.Concat(items[:1], items[136:137], items[200:]) },
		"all that was handled is new": func(items []int) []int { return slices.Concat(numbers(200), items[200:]) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &kindServer{kind: byOffset, items: numbers(400)}
				make := func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }
				_, stored := readSome(t, make, Checkpoint{}, 200)
				server.items = change(slices.Clone(server.items))
				want := []int{}
				for _, n := range server.items {
					if n >= 200 && n < 400 {
						want = append(want, n)
					}
				}
				got, _ := readSome(t, make, stored, 1000)
				require.ElementsMatch(t, want, slices.DeleteFunc(got, func(n int) bool { return n >= 10_000 }))
			})
		})
	}
}

func TestResumeOfAListThatLostItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &kindServer{kind: byOffset, items: numbers(400)}
		make := func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }
		_, stored := readSome(t, make, Checkpoint{}, 200)
		server.items = slices.Delete(slices.Clone(server.items), 100, 200)
		failures := 0
		for _, err := range make(Resume(&stored)).all(t.Context(), PageOptions{}) {
			require.ErrorIs(t, err, ErrGone)
			require.False(t, IsTemporary(err))
			require.ErrorContains(t, err, "begin anew")
			failures++
		}
		require.Equal(t, 1, failures)

		// With fewer items than a checkpoint remembers, all of them are known, and nothing can get lost.
		server.items = numbers(100)
		_, stored = readSome(t, make, Checkpoint{}, 20)
		server.items = server.items[20:]
		got, _ := readSome(t, make, stored, 100)
		require.Equal(t, numbers(100)[20:], got)
	})
}

func TestResumeWhenTheFirstPageOfACursorListMoved(t *testing.T) {
	for _, inserted := range []int{1, 9, 10, 25} {
		synctest.Test(t, func(t *testing.T) {
			server := &kindServer{kind: byCursor, items: numbers(50)}
			make := func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }
			first, stored := readSome(t, make, Checkpoint{}, 7)
			for i := range inserted {
				server.items = slices.Insert(server.items, 0, 1000+i)
			}
			rest, _ := readSome(t, make, stored, 100)
			rest = slices.DeleteFunc(rest, func(n int) bool { return n >= 1000 })
			require.Equal(t, numbers(50), append(first, rest...))
		})
	}
}

func TestAnExpiredCursorIsAClearError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &kindServer{kind: byCursor, items: numbers(50)}
		make := func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }
		_, stored := readSome(t, make, Checkpoint{}, 25)
		server.expired = "at-20"
		for _, err := range make(Resume(&stored)).all(t.Context(), PageOptions{}) {
			require.ErrorIs(t, err, ErrGone)
			require.ErrorIs(t, err, ErrValidation, "what the server said is kept")
			require.ErrorContains(t, err, "cursor of the checkpoint")
		}
		// The same without a checkpoint is what the server says, after the items before.
		var got []int
		for item, err := range make().all(t.Context(), PageOptions{}) {
			if err != nil {
				require.ErrorIs(t, err, ErrValidation)
				require.NotErrorIs(t, err, ErrGone)
				break
			}
			got = append(got, item.N)
		}
		require.Equal(t, numbers(20), got)
	})
}

func TestResumeKeepsTheUpperEndOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &listServer{items: numbers(300)}
		make := func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }
		began := time.Now().Unix()
		_, stored := readSome(t, make, Checkpoint{}, 100)
		time.Sleep(time.Hour)
		before := len(server.asked())
		got, _ := readSome(t, make, stored, 300)
		require.Len(t, got, 200)
		for _, asked := range server.asked()[before:] {
			require.EqualValues(t, began, asked.Filter.(map[string]any)["until"])
		}
		require.LessOrEqual(t, len(server.asked())-before, 26)
	})
}

func TestResumeByPages(t *testing.T) {
	for name, kind := range allKinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &kindServer{kind: kind, items: numbers(95)}
				var stored Checkpoint
				var all []int
				for range 100 {
					place := carry(t, stored)
					var got []int
					for page, err := range server.lister(t, Resume(&place)).pages(t.Context(), PageOptions{}) {
						require.NoError(t, err)
						for _, item := range page.Items {
							got = append(got, item.N)
						}
						stored = place
						break
					}
					all = append(all, got...)
					if len(got) == 0 {
						break
					}
				}
				require.Equal(t, numbers(95), all)
			})
		})
	}
}

func TestForeignCheckpointsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attacks := func(filter AttackFilter, tenant int64, place *Checkpoint, cursor bool, page PageOptions) error {
			answers := 0
			client, err := New(US, Token("test-token-list"), WithDefaultClientID(tenant), WithRoundTripper(roundTripper(func(r *http.Request) (*http.Response, error) {
				answers++
				return stubTransport{`{"status":200,"body":[{"id":["i","a"]},{"id":["i","b"]}]}`}.RoundTrip(r)
			})))
			require.NoError(t, err)
			seq := client.Attacks.Pages(t.Context(), filter, page, Resume(place))
			if cursor {
				seq = client.Attacks.PagesByCursor(t.Context(), filter, page, Resume(place))
			}
			for _, err := range seq {
				if err != nil {
					require.Zero(t, answers, "nothing is sent")
					return err
				}
			}
			return nil
		}
		from := time.Unix(1785801600, 0)
		filter := AttackFilter{Time: Since(from), Types: []AttackType{AttackSQLi}, Extra: Extra{"b": RawJSON("1"), "a": RawJSON("2"), "c": RawJSON("3")}}
		var place Checkpoint
		require.NoError(t, attacks(filter, 1, &place, false, PageOptions{}))
		require.EqualValues(t, 2, place.Items())
		require.NoError(t, attacks(filter, 1, &place, false, PageOptions{}), "the same list")

		refused := func(err error) {
			t.Helper()
			var argument *ArgumentError
			require.ErrorAs(t, err, &argument)
			require.ErrorIs(t, err, ErrInvalidArgument)
			require.Equal(t, "checkpoint", argument.Argument)
		}
		other := filter
		other.Types = []AttackType{AttackXSS}
		refused(attacks(other, 1, &place, false, PageOptions{}))
		other = filter
		other.Time = Since(from.Add(time.Second))
		refused(attacks(other, 1, &place, false, PageOptions{}))
		refused(attacks(filter, 2, &place, false, PageOptions{}))
		refused(attacks(filter, 1, &place, false, PageOptions{Order: Ascending}))
		refused(attacks(filter, 1, &place, true, PageOptions{}))
		require.ErrorIs(t, attacks(filter, 1, nil, false, PageOptions{}), ErrInvalidArgument)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const goodCheckpoint = `{"version":1,"operation":"test.list","list":"00000000000000ff","until":5,"items":2,"offset":2,"limit":10,"last":"AAAAAAAAAAEAAAAAAAAAAg=="}`

func TestCorruptCheckpointsAreRefused(t *testing.T) {
	var good Checkpoint
	require.NoError(t, json.Unmarshal([]byte(goodCheckpoint), &good))
	for name, edit := range map[string][2]string{
		"newer version": {`"version":1`, `"version":2`}, "no version": {`"version":1,`, ``}, "negative": {`"items":2`, `"items":-2`},
		"no operation": {`"test.list"`, `""`}, "list": {`"00000000000000ff"`, `"ff"`}, "list not hex": {`00ff"`, `00fg"`},
		"hashes": {`AAAAAAAAAAEAAAAAAAAAAg==`, `AAAA`}, "not base64": {`AAAAAAAAAAEAAAAAAAAAAg==`, `?`},
		"offset": {`"offset":2`, `"offset":9223372036854775807`}, "more hashes than items": {`"items":2`, `"items":1`},
		"handled": {`"limit":10`, `"handled":3`}, "text": {`{"version"`, `{"version":"x","version"`}, "too long": {`"test.list"`, `"` + strings.Repeat("x", maxCheckpoint) + `"`},
		"too many hashes": {`AAAAAAAAAAEAAAAAAAAAAg==`, strings.Repeat("AAAAAAAAAAEAAAAAAAAAAgAA", 60)},
	} {
		data := strings.Replace(goodCheckpoint, edit[0], edit[1], 1)
		require.NotEqual(t, goodCheckpoint, data, name)
		read := good
		require.ErrorIs(t, read.UnmarshalJSON([]byte(data)), ErrInvalidArgument, name)
		require.ErrorIs(t, json.Unmarshal([]byte(data), &read), ErrInvalidArgument, name)
		require.Equal(t, good, read, "%s: it stays as it was", name)
	}
	for i := range len(goodCheckpoint) {
		require.Error(t, json.Unmarshal([]byte(goodCheckpoint[:i]), &good), "cut at %d", i)
		require.ErrorIs(t, good.UnmarshalJSON([]byte(goodCheckpoint[:i])), ErrInvalidArgument)
	}
	require.NoError(t, json.Unmarshal([]byte("null"), &good))
	require.True(t, good.IsZero())

	// What is well formed but no place of the list is refused before anything is sent.
	server := &kindServer{kind: byCursor, items: numbers(5)}
	var place Checkpoint
	take := server.lister(t, Resume(&place))
	for _, err := range take.all(t.Context(), PageOptions{}) {
		require.NoError(t, err)
	}
	sent := server.sent.Load()
	place.offset, place.cursor = 7, ""
	for _, err := range take.all(t.Context(), PageOptions{}) {
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	require.Equal(t, sent, server.sent.Load())
}

// FuzzCheckpoint: whatever is read is written back to the same, and can be used without a panic.
// checkedCheckpoint is what is written today. It stands here so that no change of the checksum makes stored documents unreadable by oversight.
const checkedCheckpoint = `{"version":1,"operation":"test.list","list":"00000000000000ff","until":5,"items":2,"offset":2,"limit":10,"cursor":"<x>","last":"AAAAAAAAAAEAAAAAAAAAAg==","checksum":"cb83bffa"}`

func TestChangedCheckpointsAreRefused(t *testing.T) {
	t.Parallel()
	var place Checkpoint
	require.NoError(t, json.Unmarshal([]byte(checkedCheckpoint), &place))
	written, err := json.Marshal(place)
	require.NoError(t, err)
	require.JSONEq(t, checkedCheckpoint, string(written))
	requireUnchanged(t, written, func(data []byte) (any, error) {
		read := place
		return read, read.UnmarshalJSON(data)
	})
	require.ErrorIs(t, place.UnmarshalJSON([]byte(strings.Replace(goodCheckpoint, `"until"`, `"later":1,"until"`, 1))), ErrInvalidArgument)

	// A cursor that is no text of JSON is written as one that is.
	place.cursor = "a\xff\xfe"
	written, err = json.Marshal(place)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(written, &place))
}

// requireUnchanged changes one byte of the document data after the other, and requires that read refuses it or takes it for the same.
func requireUnchanged(t *testing.T, data []byte, read func([]byte) (any, error)) {
	t.Helper()
	want, err := read(data)
	require.NoError(t, err)
	for i := range data {
		for _, b := range []byte("019aefAF\"{}[],:-. nx") {
			changed := bytes.Clone(data)
			changed[i] = b
			got, err := read(changed)
			if err == nil {
				require.Equal(t, want, got, "%s", changed)
				continue
			}
			require.ErrorIs(t, err, ErrInvalidArgument)
		}
	}
}

func FuzzCheckpoint(f *testing.F) {
	f.Add([]byte(goodCheckpoint))
	f.Add([]byte(checkedCheckpoint))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"version":1,"operation":"test.list","list":"00000000000000ff","until":0,"items":0,"cursor":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, again Checkpoint
		if c.UnmarshalJSON(data) != nil {
			require.True(t, c.IsZero())
			return
		}
		written, err := json.Marshal(c)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(written, &again))
		rewritten, err := json.Marshal(again)
		require.NoError(t, err)
		require.True(t, bytes.Equal(written, rewritten))
		if c.IsZero() {
			return
		}
		for _, kind := range allKinds {
			place := c
			l := (&kindServer{kind: kind, items: numbers(25)}).lister(t, Resume(&place), NoPrefetch())
			place.operation = l.op.name
			if place.list, err = l.identify(t.Context(), PageOptions{}, l.most); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, err := range l.all(t.Context(), PageOptions{}) {
				if n++; err != nil {
					require.True(t, errors.Is(err, ErrInvalidArgument) || errors.Is(err, ErrGone) || errors.Is(err, ErrResponse), "%v", err)
				}
			}
			require.LessOrEqual(t, n, 26)
		}
	})
}

func TestProgress(t *testing.T) {
	for name, kind := range allKinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told []Progress
				report := OnProgress(func(p Progress) { told = append(told, p) })
				server := &kindServer{kind: kind, items: numbers(95)}
				make := func(opts ...CallOption) *lister[numbered] { return server.lister(t, opts...) }
				_, stored := readSome(t, make, Checkpoint{}, 23, report)
				if kind != unpaged {
					require.Equal(t, 2, len(told), "pages that were finished")
				}
				told = nil
				_, _ = readSome(t, make, stored, 100, report)
				last := told[len(told)-1]
				require.EqualValues(t, 72, last.Items)
				require.EqualValues(t, 95, last.Position)
				if kind == byPage {
					require.EqualValues(t, 95, last.Total)
				} else {
					require.EqualValues(t, -1, last.Total)
				}
				require.Equal(t, len(told), last.Pages)
			})
		})
	}
	require.ErrorIs(t, OnProgress(nil)(&callSettings{}), ErrInvalidArgument)
	var told Progress
	l := (&kindServer{kind: byOffset, items: numbers(95)}).lister(t, OnProgress(func(p Progress) { told = p }))
	for _, err := range l.pages(t.Context(), PageOptions{Offset: 20}) {
		require.NoError(t, err)
	}
	require.Equal(t, Progress{Items: 75, Pages: told.Pages, Position: 95, Total: -1}, told, "the position is that in the list")
}

func TestACheckpointCostsNothingUnlessAskedFor(t *testing.T) {
	w := &walk[numbered]{lister: (&listServer{}).lister(t)}
	page := &Page[numbered]{Items: make([]numbered, 1)}
	require.Zero(t, testing.AllocsPerRun(100, func() { w.pass(page, 0) }))
	var place Checkpoint
	w.place, w.hashes = &place, []uint64{1}
	require.Zero(t, testing.AllocsPerRun(100, func() { w.pass(page, 0) }))
}

func ExampleResume() {
	client, _ := New(US, Token("test-token-example"), WithDefaultClientID(1), WithRoundTripper(
		stubTransport{`{"status":200,"body":[{"id":["i","a"]},{"id":["i","b"]},{"id":["i","c"]}]}`}))
	ctx := context.Background()
	filter := AttackFilter{Time: Since(time.Unix(1785801600, 0))}
	var stored []byte // a file, a row of a database, a key of Redis …
	for range 2 {
		var place Checkpoint
		if stored != nil {
			if err := json.Unmarshal(stored, &place); err != nil {
				fmt.Println(err)
				return
			}
		}
		for _, err := range client.Attacks.All(ctx, filter, Resume(&place)) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println("handled item", place.Items())
			stored, _ = json.Marshal(place)
			if place.Items() == 2 {
				break // as if the process had died
			}
		}
	}
	// Output:
	// handled item 1
	// handled item 2
	// handled item 3
}

// TestResumeWhereTheServerLowersTheLimit finds what is left of the items handled last, however little the server gives at once.
func TestResumeWhereTheServerLowersTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, most := range []int{1, 3, 7, 10} {
			for _, left := range []int{20, 79, 80, 81, 95, 96, 150} { // where one of the last 64 is left
				server := &kindServer{kind: byOffset, items: numbers(500)}
				var place Checkpoint
				require.Len(t, collect(t, server.lister(t, Resume(&place), MaxItems(480)), PageOptions{}), 480)
				server.items = append(slices.Clone(server.items[:left]), server.items[450:]...)
				server.items = slices.DeleteFunc(server.items, func(n int) bool { return n > 450 && n < 480 })
				server.most = most
				got := collect(t, server.lister(t, Resume(&place)), PageOptions{})
				require.Equal(t, numbers(500)[480:], got, "%d at once, %d before", most, left)
				require.Less(t, server.sent.Load(), int64(1200), "%d at once, %d before", most, left)
			}
		}
	})
}

// TestResumeRepeatsNothingOfAListThatStays, although more than a checkpoint remembers was handled of the page of its place.
func TestResumeRepeatsNothingOfAListThatStays(t *testing.T) {
	for _, kind := range []paging{byOffset, byCursor, byKey, byNextOffset, byPage} {
		for _, stop := range []int{1, 64, 99, 100, 101, 165, 190, 200, 201, 265, 300, 349} {
			server := &kindServer{kind: kind, items: numbers(350)}
			var place Checkpoint
			resumed := func(limit int) (got []int) {
				l := server.lister(t, Resume(&place))
				l.usual, l.most = 100, 100
				for item, err := range l.all(t.Context(), PageOptions{}) {
					require.NoError(t, err)
					if got = append(got, item.N); len(got) == limit {
						break
					}
				}
				return got
			}
			got := resumed(stop)
			stored, err := json.Marshal(place)
			require.NoError(t, err)
			place = Checkpoint{}
			require.NoError(t, json.Unmarshal(stored, &place))
			require.Equal(t, numbers(350), append(got, resumed(0)...), "kind %d, stopped behind %d", kind, stop)
		}
	}
}
