package wallarm

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// growing lists attacks, some of which go on while they are listed.
type growing struct {
	mu      sync.Mutex
	attacks []*attackTimes
	sent    int
	// before is called with the number of each request, before it is answered.
	before func(n int)
}

// askedPage is the request for a page of attacks or hits.
type askedPage struct {
	Filter struct {
		Time [][]*int64 `json:"time"`
	} `json:"filter"`
	Limit     int    `json:"limit"`
	Offset    int    `json:"offset"`
	OrderBy   string `json:"order_by"`
	OrderDesc bool   `json:"order_desc"`
}

type attackTimes struct {
	id          int
	first, last int64
}

func (g *growing) client(t *testing.T) *Client {
	return echoing(t, Token("test-token-growing"), func(r *http.Request) (int, http.Header, string) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.sent++
		g.before(g.sent)
		data, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		var asked askedPage
		require.NoError(t, wire.Unmarshal(data, &asked))
		var shown []*attackTimes
		for _, a := range g.attacks {
			if len(asked.Filter.Time) == 0 || a.last >= *asked.Filter.Time[0][0] && asked.Filter.Time[0][1] == nil {
				shown = append(shown, a)
			}
		}
		slices.SortStableFunc(shown, func(a, b *attackTimes) int {
			difference := a.last - b.last
			if asked.OrderBy == "first_time" {
				difference = a.first - b.first
			}
			if asked.OrderDesc {
				difference = -difference
			}
			return int(difference)
		})
		from := min(asked.Offset, len(shown))
		var texts []string
		for _, a := range shown[from:min(from+asked.Limit, len(shown))] {
			texts = append(texts, fmt.Sprintf(`{"id":["attacks","%d"],"first_time":%d,"last_time":%d,"hits":%d}`, a.id, a.first, a.last, a.last-a.first))
		}
		return 200, http.Header{}, `{"status":200,"body":[` + strings.Join(texts, ",") + `]}`
	})
}

// newGrowing makes n attacks of the last hours, of which some go on before the second request.
func newGrowing(n int, goOn ...int) *growing {
	g := &growing{}
	for i := range n {
		at := time.Now().Add(-10*time.Hour).Unix() + int64(600*i)
		g.attacks = append(g.attacks, &attackTimes{i, at, at})
	}
	g.before = func(request int) {
		if request == 2 {
			for _, i := range goOn {
				g.attacks[i].last = time.Now().Unix() + int64(i)
			}
		}
	}
	return g
}

// TestAttacksThatGoOnAreAllListed once, whatever goes on between two pages: what was read already, what was not, or both.
func TestAttacksThatGoOnAreAllListed(t *testing.T) {
	for _, goOn := range [][]int{{}, {3}, {9}, {3, 9}, {0, 9}, {14}, {2, 12, 14}, {0, 1, 2, 3, 9}, {5, 6, 7, 8, 9}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {10, 11, 12, 13, 14}} {
		for _, opts := range [][]CallOption{{PageSize(10)}, {PageSize(5), Concurrency(4)}} {
			for name, list := range map[string]func(context.Context, *Client) []int{
				"all": func(ctx context.Context, c *Client) (got []int) {
					for a, err := range c.Attacks.All(ctx, AttackFilter{Time: Last(24 * time.Hour)}, opts...) {
						require.NoError(t, err)
						got = append(got, numberOf(a))
					}
					return got
				},
				"incidents": func(ctx context.Context, c *Client) (got []int) {
					for a, err := range c.Incidents.All(ctx, AttackFilter{}, opts...) {
						require.NoError(t, err)
						got = append(got, numberOf(a))
					}
					return got
				},
				"pages, oldest first": func(ctx context.Context, c *Client) (got []int) {
					for page, err := range c.Attacks.Pages(ctx, AttackFilter{}, PageOptions{OrderBy: "last_time", Order: Ascending}, opts...) {
						require.NoError(t, err)
						for _, a := range page.Items {
							got = append(got, numberOf(a))
						}
					}
					return got
				},
				"watch": func(ctx context.Context, c *Client) (got []int) {
					ctx, cancel := context.WithTimeout(ctx, time.Hour)
					defer cancel()
					for a, err := range c.Attacks.Watch(ctx, AttackFilter{Time: Last(24 * time.Hour)}, WatchOptions{}, opts...) {
						if err != nil {
							require.ErrorIs(t, err, context.DeadlineExceeded)
							break
						}
						got = append(got, numberOf(a))
					}
					return got
				},
			} {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(1000 * time.Hour)
					got := list(t.Context(), newGrowing(15, goOn...).client(t))
					slices.Sort(got)
					if name == "watch" { // one that goes on after a silence is said again
						got = slices.Compact(got)
					}
					require.Equal(t, numbers(15), got, "%s: %v go on", name, goOn)
				})
			}
		}
	}
}

// TestAnAttackThatNeverRests keeps its place in the order in which attacks began, so that it is a sign like any other that nothing lies in between.
func TestAnAttackThatNeverRests(t *testing.T) {
	for busy := range 35 {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(1000 * time.Hour)
			g := newGrowing(35)
			g.before = func(int) { g.attacks[busy].last++ }
			var got []int
			for a, err := range g.client(t).Attacks.All(t.Context(), AttackFilter{}, PageSize(10)) {
				require.NoError(t, err)
				got = append(got, numberOf(a))
			}
			slices.Sort(got)
			require.Equal(t, numbers(35), got)
			require.LessOrEqual(t, g.sent, 6, "no page is read twice: five that overlap by two, and one ahead")
		})
	}
}

func numberOf(a Attack) (n int) {
	_, _ = fmt.Sscan(a.ID.Doc, &n)
	return n
}

// TestAListIsNotCutByAClock that is behind those of the server and of the nodes.
func TestAListIsNotCutByAClock(t *testing.T) {
	for _, behind := range []time.Duration{0, time.Second, 5 * time.Minute, 2 * time.Hour} {
		for _, order := range []PageOptions{{}, {OrderBy: "time"}, {Order: Ascending}, {OrderBy: "size", Order: Descending}} {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(1000 * time.Hour)
				server := &orderedHits{now: func() time.Time { return time.Now().Add(behind) }}
				for i := range 95 {
					server.times = append(server.times, server.now().Add(-time.Duration(i)*time.Minute).Unix())
				}
				for i := range 25 { // of a node whose clock is ahead of all others
					server.times = append(server.times, server.now().Add(time.Duration(i+1)*time.Hour).Unix())
				}
				seen := map[string]int{}
				for page, err := range server.client(t).Hits.Pages(t.Context(), HitFilter{Time: Last(24 * time.Hour)}, order, PageSize(10)) {
					require.NoError(t, err)
					for _, hit := range page.Items {
						seen[hit.ID.Doc]++
						require.Equal(t, 1, seen[hit.ID.Doc])
					}
				}
				require.Len(t, seen, len(server.times), "%v behind, %+v", behind, order)
			})
		}
	}
}

// TestResumeWhereAHandledAttackHasMoved: a hit that came late gives one an earlier beginning, by which it stands among those that are yet to come.
func TestResumeWhereAHandledAttackHasMoved(t *testing.T) {
	const n = 300
	for _, handled := range []int{1, 2, 3, 10, 60} {
		for _, left := range []bool{false, true} { // whether the others that were handled have left the list
			for moved := range min(handled, 5) {
				begins, seen := make([]int, n), map[int]bool{}
				for i := range begins {
					begins[i] = 100_000 - 10*i
				}
				list := numbers(n)
				client := echoing(t, Token("test-token-attacks"), func(r *http.Request) (int, http.Header, string) {
					data, err := io.ReadAll(r.Body)
					require.NoError(t, err)
					var asked askedPage
					require.NoError(t, wire.Unmarshal(data, &asked))
					slices.SortStableFunc(list, func(a, b int) int { return begins[b] - begins[a] })
					var texts []string
					for _, i := range list[min(asked.Offset, len(list)):min(asked.Offset+asked.Limit, len(list))] {
						texts = append(texts, fmt.Sprintf(`{"id":["attacks","%d"],"first_time":%d,"last_time":200000}`, i, begins[i]))
					}
					return 200, http.Header{}, `{"status":200,"body":[` + strings.Join(texts, ",") + `]}`
				})
				var place Checkpoint
				export := func(opts ...CallOption) error {
					for attack, err := range client.Attacks.All(t.Context(), AttackFilter{}, append(opts, Resume(&place))...) {
						if err != nil {
							return err
						}
						i, err := strconv.Atoi(attack.ID.Doc)
						require.NoError(t, err)
						require.False(t, seen[i], "%d came again", i)
						seen[i] = true
					}
					return nil
				}
				require.NoError(t, export(MaxItems(handled)))
				place = carry(t, place)
				begins[moved] -= 300
				if left {
					list = slices.DeleteFunc(list, func(i int) bool { return i < handled && i != moved })
				}
				require.NoError(t, export())
				require.Equal(t, n, len(seen), "%d handled, %d moved, others left: %v", handled, moved, left)
			}
		}
	}
}

// TestResumeByCursorWhereAHandledAttackHasMoved onto the page of the place, from which those that were handled have gone.
func TestResumeByCursorWhereAHandledAttackHasMoved(t *testing.T) {
	attack := func(id, hits int) string {
		return fmt.Sprintf(`{"id":["a","%d"],"hits":%d,"last_time":1700000000}`, id, hits)
	}
	pages := map[string][]string{
		"":    {attack(0, 1), attack(1, 1), attack(2, 1)},
		"two": {attack(3, 1), attack(4, 1), attack(5, 1), attack(6, 1)},
	}
	client := echoing(t, Token("test-token-cursors"), func(r *http.Request) (int, http.Header, string) {
		data, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		var asked listBody
		require.NoError(t, wire.Unmarshal(data, &asked))
		next := map[string]string{"": `,"cursor":"two"`}[asked.Cursor]
		return 200, http.Header{}, `{"status":200,"body":[` + strings.Join(pages[asked.Cursor], ",") + `]` + next + `}`
	})
	var place Checkpoint
	var got []string
	export := func(opts ...CallOption) {
		for a, err := range client.Attacks.AllByCursor(t.Context(), AttackFilter{}, append(opts, Resume(&place))...) {
			require.NoError(t, err)
			got = append(got, a.ID.Doc)
		}
	}
	export(MaxItems(4))
	pages["two"] = []string{attack(4, 1), attack(2, 5), attack(5, 1), attack(6, 1)}
	place = carry(t, place)
	export()
	require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6"}, got)
}

// orderedHits lists hits of these times.
type orderedHits struct {
	times []int64
	now   func() time.Time
}

func (s *orderedHits) client(t *testing.T) *Client {
	return echoing(t, Token("test-token-hits"), func(r *http.Request) (int, http.Header, string) {
		data, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		var asked askedPage
		require.NoError(t, wire.Unmarshal(data, &asked))
		span := asked.Filter.Time[0]
		var shown []int64
		for _, at := range s.times {
			if at >= *span[0] && (span[1] == nil || at <= *span[1]) {
				shown = append(shown, at)
			}
		}
		size := func(at int64) int64 { return at * 31 % 97 }
		slices.SortFunc(shown, func(a, b int64) int {
			if asked.OrderBy == "size" && size(a) != size(b) {
				return int(size(a) - size(b))
			}
			return int(a - b)
		})
		if asked.OrderDesc {
			slices.Reverse(shown)
		}
		from := min(asked.Offset, len(shown))
		var texts []string
		for _, at := range shown[from:min(from+asked.Limit, len(shown))] {
			texts = append(texts, fmt.Sprintf(`{"id":["hits","%d"],"time":%d}`, at, at))
		}
		return 200, http.Header{}, `{"status":200,"body":[` + strings.Join(texts, ",") + `]}`
	})
}

// TestACursorThatIsNoText cannot be sent back, and without it the list would seem to end.
func TestACursorThatIsNoText(t *testing.T) {
	for cursor, ends := range map[string]bool{`["a",0]`: false, `{"after":"a"}`: false, `[ ]`: true, `{}`: true, `["a",0],"has_more":false`: true} {
		client := echoing(t, Token("test-token-cursor"), func(*http.Request) (int, http.Header, string) {
			return 200, http.Header{}, `{"status":200,"body":[{"id":["a","1"]}],"cursor":` + cursor + `}`
		})
		var failure error
		for _, err := range client.Attacks.AllByCursor(t.Context(), AttackFilter{}) {
			failure = err
		}
		if ends {
			require.NoError(t, failure, cursor)
		} else {
			require.ErrorIs(t, failure, ErrResponse, cursor)
		}
	}
}

// TestMoreWithoutACursor contradicts itself, and the list would seem to end.
func TestMoreWithoutACursor(t *testing.T) {
	for page, ends := range map[string]bool{
		`[{"vector_id":"2"}],"has_more":true`: false, `[{"vector_id":"2"}],"has_more":true,"cursor":null`: false, `[{"vector_id":"2"}],"has_more":true,"cursor":""`: false,
		`[{"vector_id":"2"}],"has_more":false`: true, `[{"vector_id":"2"}],"has_more":null,"cursor":""`: true, `[{"vector_id":"2"}]`: true, `[],"has_more":true`: true,
	} {
		client := echoing(t, Token("test-token-cursor"), func(r *http.Request) (int, http.Header, string) {
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			if !strings.Contains(string(body), "behind-1") {
				return 200, http.Header{}, `{"data":[{"vector_id":"1"}],"cursor":"behind-1","has_more":true}`
			}
			return 200, http.Header{}, `{"data":` + page + `}`
		})
		var failure error
		for _, err := range client.AttackVectors.All(t.Context(), "group") {
			failure = err
		}
		if ends {
			require.NoError(t, failure, page)
		} else {
			require.ErrorIs(t, failure, ErrResponse, page)
		}
	}
}

// TestCallHeedsTheEnvelope of a 2xx answer that says no inside, unless the caller wants the bytes.
func TestCallHeedsTheEnvelope(t *testing.T) {
	answer := `{"body":["Access denied"],"status":403}`
	client := echoing(t, Token("test-token-call"), func(*http.Request) (int, http.Header, string) { return 200, http.Header{}, answer })
	var object struct {
		Status int `json:"status"`
	}
	require.ErrorIs(t, client.Call(t.Context(), "POST", "/v1/any", nil, nil), ErrForbidden)
	require.ErrorIs(t, client.Call(t.Context(), "POST", "/v1/any", nil, &object), ErrForbidden)
	var raw RawJSON
	require.NoError(t, client.Call(t.Context(), "POST", "/v1/any", nil, &raw))
	require.Equal(t, answer, string(raw))

	answer = `{"status":500,"name":"a row whose own status this is"}`
	require.NoError(t, client.Call(t.Context(), "GET", "/v1/any", nil, &object))
	require.Equal(t, 500, object.Status)
}

// TestAttacksOfOneSecondInAnyOrder: the service gives the attacks of a second in another order with each answer, while some of them go on. Each is
// listed once. With the latest first, one that goes on before it was read moves to where nobody looks any more.
func TestAttacksOfOneSecondInAnyOrder(t *testing.T) {
	for seed := range uint64(300) {
		for _, order := range []Order{Ascending, Descending} {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(1000 * time.Hour)
				random := rand.New(rand.NewPCG(seed, 7))
				const n = 120
				perSecond, perRequest := 1+random.IntN(6), random.IntN(4)
				isNear := random.IntN(2) == 0
				moved := map[int]bool{}
				g := &growing{}
				for i := range n {
					at := time.Now().Unix() - int64((n-i)/perSecond)
					if !isNear {
						at -= 3600
					}
					g.attacks = append(g.attacks, &attackTimes{i, at, at})
				}
				last := time.Now().Unix()
				g.before = func(request int) {
					random.Shuffle(n, func(i, j int) { g.attacks[i], g.attacks[j] = g.attacks[j], g.attacks[i] })
					for range min(perRequest, max(30-request, 0)) {
						a := g.attacks[random.IntN(n)]
						last += int64(random.IntN(2))
						a.last, moved[a.id] = last, true
					}
				}
				kind := random.IntN(3)
				opts := [][]CallOption{{PageSize(30)}, {PageSize(30), NoPrefetch()}, {PageSize(30), Concurrency(4)}}[kind]
				if kind != 1 {
					perRequest = 0 // of pages in flight at once the last may be answered first, and then one goes on from the first to behind it
				}
				counts := map[int]int{}
				for page, err := range g.client(t).Attacks.Pages(t.Context(), AttackFilter{}, PageOptions{OrderBy: "last_time", Order: order}, opts...) {
					require.NoError(t, err)
					for _, a := range page.Items {
						counts[numberOf(a)]++
					}
				}
				for i := range n {
					if order == Ascending || !moved[i] {
						require.Equal(t, 1, counts[i], "attack %d, seed %d, order %d: %d a second, %d go on, near %v", i, seed, order, perSecond, perRequest, isNear)
					}
				}
				require.Less(t, g.sent, 60)
			})
		}
	}
}

// TestAWatchOfAttacksOfOneSecondInAnyOrder finds each of a backlog: what it passes over is older than the overlap when it looks again.
func TestAWatchOfAttacksOfOneSecondInAnyOrder(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(1000 * time.Hour)
			random := rand.New(rand.NewPCG(seed, 9))
			const n = 1000
			g := &growing{}
			for i := range n {
				at := time.Now().Unix() - 3600 + int64(i/4)
				g.attacks = append(g.attacks, &attackTimes{i, at, at})
			}
			g.before = func(int) {
				random.Shuffle(n, func(i, j int) { g.attacks[i], g.attacks[j] = g.attacks[j], g.attacks[i] })
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			counts := map[int]int{}
			for a, err := range g.client(t).Attacks.Watch(ctx, AttackFilter{Time: Last(2 * time.Hour)}, WatchOptions{Overlap: 10 * time.Second}, PageSize(40)) {
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					break
				}
				counts[numberOf(a)]++
			}
			for i := range n {
				require.Equal(t, 1, counts[i], "attack %d, seed %d", i, seed)
			}
		})
	}
}

// TestAWatchOfAnAttackThatGoesOnAfterASilence: it is said again, though nothing else has happened meanwhile, and though its watch was not there.
func TestAWatchOfAnAttackThatGoesOnAfterASilence(t *testing.T) {
	for _, silence := range []time.Duration{time.Minute, 4 * time.Minute, 6 * time.Minute, 9 * time.Minute, 3 * time.Hour} {
		for _, others := range []int{0, 1} {
			for _, isDown := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(1000 * time.Hour)
					start := time.Now()
					g := &growing{attacks: []*attackTimes{{0, start.Unix(), start.Unix()}}}
					if others > 0 && !isDown {
						g.attacks = append(g.attacks, &attackTimes{1, start.Unix(), start.Add(silence / 2).Unix()})
					}
					g.before = func(int) {
						// It goes on for two minutes.
						if now := time.Now(); now.Sub(start) >= silence {
							g.attacks[0].last = min(now.Unix(), start.Add(silence+2*time.Minute).Unix())
						}
					}
					said := 0
					var place WatchCheckpoint
					follow := func(span time.Duration) {
						ctx, cancel := context.WithTimeout(t.Context(), span)
						defer cancel()
						place = carryWatch(t, place)
						for a, err := range g.client(t).Attacks.Watch(ctx, AttackFilter{}, WatchOptions{Checkpoint: &place}) {
							if err != nil {
								require.ErrorIs(t, err, context.DeadlineExceeded)
								break
							}
							if a.ID.String() == "attacks:0" {
								said++
							}
						}
					}
					if isDown {
						follow(time.Second)
						time.Sleep(silence)
						follow(10 * time.Minute)
					} else {
						follow(silence + 10*time.Minute)
					}
					want := 1
					if silence > watchOverlap {
						want = 2
					}
					require.Equal(t, want, said, "%v of silence, %d others, down %v", silence, others, isDown)
				})
			}
		}
	}
}

func carryWatch(t *testing.T, place WatchCheckpoint) (read WatchCheckpoint) {
	stored, err := place.MarshalJSON()
	require.NoError(t, err)
	require.NoError(t, read.UnmarshalJSON(stored))
	return read
}

// TestWhatHasMovedHidesNoGap: items that were read, and come again on a later page, tell nothing about those that moved up in their stead.
func TestWhatHasMovedHidesNoGap(t *testing.T) {
	for moved := range 6 {
		g := newGrowing(30)
		g.before = func(request int) {
			for i := 29; request == 3 && i > 29-moved; i-- {
				g.attacks[i].first = g.attacks[9].first + int64(i) // a hit came late
			}
		}
		got := map[int]int{}
		for a, err := range g.client(t).Attacks.All(t.Context(), AttackFilter{}, PageSize(10)) {
			require.NoError(t, err)
			got[numberOf(a)]++
		}
		for i := range 30 {
			require.Equal(t, 1, got[i], "attack %d, %d of which moved", i, moved)
		}
	}
}

// TestVulnerabilitiesThatMoveHideNoGap in an order by a column that changes.
func TestVulnerabilitiesThatMoveHideNoGap(t *testing.T) {
	for moved := range 6 {
		checked := make([]int, 30)
		for i := range checked {
			checked[i] = i
		}
		sent := 0
		client := echoing(t, Token("test-token-moving"), func(r *http.Request) (int, http.Header, string) {
			var asked askedPage
			data, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.NoError(t, wire.Unmarshal(data, &asked))
			if sent++; sent == 3 {
				for i := range moved {
					checked[i] = 21 // checked again
				}
			}
			ids := make([]int, len(checked))
			for i := range ids {
				ids[i] = i
			}
			slices.SortStableFunc(ids, func(a, b int) int { return checked[a] - checked[b] })
			from := min(asked.Offset, len(ids))
			var texts []string
			for _, id := range ids[from:min(from+asked.Limit, len(ids))] {
				texts = append(texts, fmt.Sprintf(`{"id":%d,"validate_time":%d}`, id+1, 1785800000+checked[id]))
			}
			return 200, http.Header{}, `{"status":200,"body":[` + strings.Join(texts, ",") + `]}`
		})
		got := map[int64]int{}
		for page, err := range client.Vulns.Pages(t.Context(), VulnFilter{}, PageOptions{OrderBy: "validate_time", Order: Ascending}, PageSize(10)) {
			require.NoError(t, err)
			for _, v := range page.Items {
				got[v.ID]++
			}
		}
		for i := range 30 {
			require.Equal(t, 1, got[int64(i+1)], "vulnerability %d, %d of which moved", i, moved)
		}
	}
}
