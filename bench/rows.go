package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wallarm-sdk/wallarm"
)

// scale is how much is measured.
type scale struct {
	rounds int
	// stubCalls, calls and pageReads are how often a round does what a row measures.
	stubCalls, calls, pageReads int
	// pages is the length of the lists, in pages.
	pages int
	// parallelCalls is how many calls 64 goroutines make in a round; the vendor's client makes fewer, since it makes them one by one.
	parallelCalls, vendorCalls int
	// memoryRounds is how often memory is measured, for lists of so many pages.
	memoryRounds int
	memoryPages  []int
	// hugeItems is the number of hits in one huge answer.
	hugeItems int
}

func fullScale(rounds int) scale {
	return scale{
		rounds: rounds, stubCalls: 5000, calls: 250, pageReads: 15, pages: 100, parallelCalls: 6400, vendorCalls: 256,
		memoryRounds: min(rounds, 3), memoryPages: []int{100, 1000}, hugeItems: 90_000,
	}
}

func quickScale(rounds int) scale {
	return scale{
		rounds: rounds, stubCalls: 300, calls: 20, pageReads: 5, pages: 6, parallelCalls: 640, vendorCalls: 64,
		memoryRounds: 1, memoryPages: []int{6}, hugeItems: 6000,
	}
}

const (
	goroutines  = 64
	pageLatency = 20 * time.Millisecond
	callLatency = 5 * time.Millisecond
)

// rows are those of the table, but for memory.
func rows(s *server, size scale) ([]row, error) {
	pool := func() http.RoundTripper { return tunedTransport(s.Certificate) }
	var all []row
	add := func(r row, err error) error {
		all = append(all, r)
		return err
	}
	small := goal{ratio: 0.55, allocations: 55}
	err := add(smallCall("Small call, stub transport", "plain", "https://us1.api.wallarm.com", size.stubCalls,
		func() http.RoundTripper { return stub{userAnswer} }, small))
	for _, protocol := range []struct{ name, address string }{{"HTTP/1.1", s.TLS1}, {"HTTP/2", s.TLS2}} {
		if err == nil {
			err = add(smallCall("Small call over TLS, "+protocol.name, "floor", s.base(protocol.address, 0, 0, 0), size.calls, pool, goal{ratio: 1.2}))
		}
	}
	for _, page := range []struct {
		unknown int
		goal    goal
	}{{0, goal{ratio: 0.65, bytes: 1.9e6}}, {3, goal{ratio: 0.7}}} {
		if err == nil {
			title := fmt.Sprintf("Page of 1000 hits over HTTP, %d unknown members a hit", page.unknown)
			err = add(onePage(title, s.base(s.HTTP, 0, page.unknown, 1000), size.pageReads, pool, page.goal))
		}
	}
	if err == nil {
		err = add(hitList(s.base(s.HTTP, pageLatency, 0, size.pages*pageSize), size.pages, pool))
	}
	if err == nil {
		err = add(attackList(s.base(s.HTTP, pageLatency, 0, size.pages*attackPage), size.pages, pool))
	}
	if err == nil {
		err = add(parallel(s, size))
	}
	return all, err
}

// smallCall makes the same small call again and again.
func smallCall(title, base, address string, calls int, rounder func() http.RoundTripper, ours goal) (row, error) {
	r := row{title: title, base: base, short: true}
	made, err := contenders(address, rounder)
	if err != nil {
		return r, err
	}
	for _, name := range append(slices.Clone(order), decoder) {
		c := made[name]
		v := variant{name: name, warm: c.user, run: func(ctx context.Context) (int, error) {
			for range calls {
				if err := c.user(ctx); err != nil {
					return 0, err
				}
			}
			return calls, nil
		}}
		if name == "sdk" {
			v.goal = ours
		}
		r.variants = append(r.variants, v)
	}
	return r, nil
}

// onePage reads the same page again and again.
func onePage(title, address string, reads int, rounder func() http.RoundTripper, ours goal) (row, error) {
	r := row{title: title, base: "plain"}
	made, err := contenders(address, rounder)
	if err != nil {
		return r, err
	}
	for _, name := range order {
		c := made[name]
		read := func(ctx context.Context) error {
			items, err := c.page(ctx, 0, pageSize)
			if err == nil && items != pageSize {
				err = errIncomplete
			}
			return err
		}
		v := variant{name: name, warm: read, run: func(ctx context.Context) (int, error) {
			for range reads {
				if err := read(ctx); err != nil {
					return 0, err
				}
			}
			return reads, nil
		}}
		if name == "sdk" {
			v.goal = ours
		}
		r.variants = append(r.variants, v)
	}
	return r, nil
}

// hitList reads a whole offset list: the others page after page, ours by its iterator.
func hitList(address string, pages int, rounder func() http.RoundTripper) (row, error) {
	r := row{title: fmt.Sprintf("%d hits in %d pages of 1000, %v a page", pages*pageSize, pages, pageLatency), base: "floor"}
	made, err := contenders(address, rounder)
	if err != nil {
		return r, err
	}
	for _, name := range order[:3] {
		c := made[name]
		r.variants = append(r.variants, variant{name: name, warm: c.user, run: func(ctx context.Context) (int, error) {
			return 1, readPages(ctx, c, pages)
		}})
	}
	for _, way := range []struct {
		name    string
		goal    float64
		options []wallarm.CallOption
	}{{"sdk", 1.06, nil}, {"sdk, 4 in flight", 0.5, []wallarm.CallOption{wallarm.Concurrency(4)}}} {
		c := made["sdk"].(*ours)
		r.variants = append(r.variants, variant{name: way.name, goal: goal{ratio: way.goal}, warm: c.user, run: func(ctx context.Context) (int, error) {
			return 1, c.list(ctx, pages*pageSize, way.options...)
		}})
	}
	return r, nil
}

// readPages reads a list of hits page after page.
func readPages(ctx context.Context, c contender, pages int) error {
	for page := range pages {
		items, err := c.page(ctx, page*pageSize, pageSize)
		if err != nil {
			return err
		}
		if items != pageSize {
			return errIncomplete
		}
	}
	return nil
}

// list iterates over a list of hits, and insists that all of them come, in order and once.
func (o *ours) list(ctx context.Context, total int, options ...wallarm.CallOption) error {
	next := 0
	for hit, err := range o.client.Hits.All(ctx, wallarm.HitFilter{}, options...) {
		if err != nil {
			return err
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(hit.ID.Doc, "Kf93-")); err != nil || n != next {
			return fmt.Errorf("%w: %s is not number %d", errIncomplete, hit.ID, next)
		}
		next++
	}
	if next != total {
		return fmt.Errorf("%w: %d items of %d", errIncomplete, next, total)
	}
	return nil
}

// attackList reads a whole cursor list.
func attackList(address string, pages int, rounder func() http.RoundTripper) (row, error) {
	r := row{title: fmt.Sprintf("Cursor list of %d pages of %d attacks, %v a page", pages, attackPage, pageLatency), base: "floor"}
	made, err := contenders(address, rounder)
	if err != nil {
		return r, err
	}
	for _, name := range order[:3] {
		c := made[name]
		r.variants = append(r.variants, variant{name: name, warm: c.user, run: func(ctx context.Context) (int, error) {
			return 1, followCursors(ctx, c, pages*attackPage)
		}})
	}
	c := made["sdk"].(*ours)
	r.variants = append(r.variants, variant{name: "sdk", goal: goal{ratio: 1.06}, warm: c.user, run: func(ctx context.Context) (int, error) {
		items := 0
		for _, err := range c.client.Attacks.AllByCursor(ctx, wallarm.AttackFilter{}) {
			if err != nil {
				return 0, err
			}
			items++
		}
		if items != pages*attackPage {
			return 0, fmt.Errorf("%w: %d items", errIncomplete, items)
		}
		return 1, nil
	}})
	return r, nil
}

func followCursors(ctx context.Context, c contender, total int) error {
	items, cursor := 0, ""
	for {
		n, next, err := c.attacks(ctx, cursor)
		if err != nil {
			return err
		}
		items += n
		if next == "" {
			break
		}
		cursor = next
	}
	if items != total {
		return fmt.Errorf("%w: %d items of %d", errIncomplete, items, total)
	}
	return nil
}

// parallel makes small calls from many goroutines. Ours uses its own connection pool here, as it comes.
func parallel(s *server, size scale) (row, error) {
	r := row{
		title: fmt.Sprintf("%d goroutines, %v a call", goroutines, callLatency), base: "floor", perSecond: true, connections: s.connections,
	}
	address := s.base(s.HTTP, callLatency, 0, 0)
	made, err := contenders(address, func() http.RoundTripper { return tunedTransport(nil) })
	if err != nil {
		return r, err
	}
	sdk, err := newOurs(address)
	if err != nil {
		return r, err
	}
	made["sdk"] = sdk
	for _, name := range order {
		c, calls := made[name], size.parallelCalls
		if name == "vendor" {
			calls = size.vendorCalls
		}
		v := variant{name: name, run: func(ctx context.Context) (int, error) { return calls, inParallel(ctx, c, calls) }}
		if name == "sdk" {
			v.goal = goal{ratio: 0.9, connections: 90}
		}
		r.variants = append(r.variants, v)
	}
	return r, nil
}

// inParallel shares calls out among the goroutines.
func inParallel(ctx context.Context, c contender, calls int) error {
	var (
		wg      sync.WaitGroup
		left    atomic.Int64
		failure atomic.Pointer[error]
	)
	left.Store(int64(calls))
	for range goroutines {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := c.user(ctx); err != nil {
					failure.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}

// lostConnections makes as many calls at once as there are goroutines, then one that fails for good, then as many calls at once again, and
// returns how many connections the last ones had to open.
func lostConnections(ctx context.Context, s *server) (int, error) {
	sdk, err := newOurs(s.base(s.HTTP, callLatency, 0, 0), wallarm.WithDefaults(wallarm.WithWaits(time.Nanosecond, time.Nanosecond, 0)))
	if err != nil {
		return 0, err
	}
	if err := inParallel(ctx, sdk, 4*goroutines); err != nil {
		return 0, err
	}
	before, err := s.connections()
	if err != nil {
		return 0, err
	}
	if sdk.client.Call(ctx, http.MethodPost, "/fail", nil, nil, wallarm.WithReplayClass(wallarm.ReplayRead)) == nil {
		return 0, fmt.Errorf("the call that was to fail did not")
	}
	if err := inParallel(ctx, sdk, 4*goroutines); err != nil {
		return 0, err
	}
	after, err := s.connections()
	return after - before, err
}
