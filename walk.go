package wallarm

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"
)

// walk is one iteration over the pages of a list. It keeps the pages that are on their way in a queue, in order: one ahead of the
// caller, or as many as Concurrency allows where the places of later pages are known beforehand.
type walk[T any] struct {
	*lister[T]
	settings *callSettings
	// began is when the iteration began, see lister.request.
	began time.Time
	queue []*flight[T]
	// ahead is how many pages may be in the queue now; it grows to settings.concurrency as full pages come.
	ahead int
	// budget is how many items may still be asked for, if bounded.
	budget  int
	bounded bool
	// tail is the place behind the last page that was asked for, on an offset list; sure says that every page so far was full, so
	// that there is probably something.
	tail PageOptions
	sure bool
	// expect, if not nil, is the place where a short page really ended, while the queue holds a page from further on.
	expect *PageOptions
	// careful says that the server has been caught giving less than was asked for: only an empty page ends the list.
	careful bool
	// followed holds hashes of the cursors that were followed.
	followed map[uint64]struct{}
	recent   recent
	// failure ends the walk after the page at hand.
	failure error
}

// flight is a page on its way. The fields behind done are for whoever has seen it closed.
type flight[T any] struct {
	done     chan struct{}
	cancel   context.CancelFunc
	response Response
	fetched  *fetched
	page     *Page[T]
	err      error
}

func newWalk[T any](l *lister[T], s *callSettings) *walk[T] {
	return &walk[T]{
		lister: l, settings: s, began: time.Now(), ahead: 1, budget: s.maxItems, bounded: s.maxItems > 0,
		followed: make(map[uint64]struct{}),
	}
}

func (w *walk[T]) run(ctx context.Context, start PageOptions, yield func(*Page[T], error) bool) {
	// Whatever ends the loop, the caller's break or panic included, nothing stays behind.
	defer w.drop()
	w.launch(ctx, start, time.Time{})
	for len(w.queue) > 0 {
		f := w.take()
		if w.expect != nil {
			w.confirm(ctx, f)
			continue
		}
		if f.err != nil {
			yield(nil, f.err)
			return
		}
		// Where the place of the next page is known by now, ask for it before decoding this one.
		w.lookAhead(ctx, f.fetched)
		page, err := w.result(f)
		if err != nil {
			yield(nil, err)
			return
		}
		next, more := page.Next, page.More
		if w.careful {
			more = next.Offset > f.fetched.asked.Offset
		}
		w.trim(f.fetched.asked, page)
		w.judge(ctx, f.fetched.asked, next, more)
		if len(page.Items) > 0 && !yield(page, nil) {
			return
		}
		if !more && w.expect == nil {
			return
		}
		if len(w.queue) == 0 && w.expect == nil {
			w.proceed(ctx, next)
		}
		if w.failure != nil {
			yield(nil, w.failure)
			return
		}
	}
}

// lookAhead asks for later pages on the strength of the envelope of this one.
func (w *walk[T]) lookAhead(ctx context.Context, f *fetched) {
	switch {
	case w.settings.noPrefetch, w.paging == byKey:
	case w.paging == byOffset:
		if w.sure {
			w.fill(ctx)
		}
	default:
		if next, more := w.nextByEnvelope(f); more {
			w.proceed(ctx, next)
		}
	}
}

// judge draws conclusions from a decoded page, before the caller gets it.
func (w *walk[T]) judge(ctx context.Context, asked, next PageOptions, more bool) {
	switch {
	case w.settings.noPrefetch:
	case w.paging == byKey:
		if more {
			w.proceed(ctx, next)
		}
	case w.paging != byOffset:
	case next.Offset-asked.Offset < asked.Limit && len(w.queue) > 0 && next.Offset > asked.Offset:
		// A page that is not full is the last one, says the convention. The page behind it is on its way already: if that holds
		// anything, the list has shifted or the server gives less than was asked for, and the gap must be read.
		w.sure, w.expect = false, &next
	case more:
		w.careful = w.careful || next.Offset-asked.Offset < asked.Limit
		w.sure = !w.careful
		if len(w.queue) == 0 {
			w.tail = next
		}
		w.ahead = min(2*w.ahead, max(w.settings.concurrency, 1))
		if w.careful {
			w.ahead = 1
		}
		w.fill(ctx)
	}
}

// confirm looks at a page that was asked for behind a short one. If it is empty, the list has ended. If not, or if it failed, the
// walk goes on from where the short page really ended.
func (w *walk[T]) confirm(ctx context.Context, f *flight[T]) {
	place := *w.expect
	w.expect = nil
	empty := false
	if f.err == nil {
		page, err := w.result(f)
		empty = err == nil && len(page.Items) == 0
	}
	w.drop()
	if !empty {
		w.ahead, w.careful = 1, true
		w.launch(ctx, place, w.began)
	}
}

// take waits for the first page of the queue.
func (w *walk[T]) take() *flight[T] {
	f := w.queue[0]
	<-f.done
	w.queue = w.queue[1:]
	if w.settings.response != nil {
		*w.settings.response = f.response
	}
	return f
}

// drop cancels all that is on its way, waits until it has ended, and forgets it.
func (w *walk[T]) drop() {
	for _, f := range w.queue {
		f.cancel()
	}
	for _, f := range w.queue {
		<-f.done
		f.fetched.release()
	}
	w.queue = nil
}

// launch asks for a page, unless enough items have been asked for.
func (w *walk[T]) launch(ctx context.Context, page PageOptions, until time.Time) {
	if w.bounded {
		if w.budget <= 0 {
			return
		}
		if w.paging == byOffset {
			page.Limit = min(page.Limit, w.budget)
		}
		w.budget -= page.Limit
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &flight[T]{done: make(chan struct{}), cancel: cancel}
	w.queue = append(w.queue, f)
	w.tail = page
	w.tail.Offset += page.Limit
	go func() {
		defer close(f.done)
		defer cancel()
		settings := *w.settings
		settings.response = &f.response
		if f.fetched, f.err = w.fetch(ctx, &settings, page, until); f.err == nil && w.settings.concurrency > 1 {
			f.page, f.err = w.decode(w.settings, f.fetched)
		}
	}()
}

// fill asks for pages of an offset list until enough of them are on their way.
func (w *walk[T]) fill(ctx context.Context) {
	for !w.settings.noPrefetch && w.expect == nil && len(w.queue) < w.ahead {
		before := len(w.queue)
		w.launch(ctx, w.tail, w.began)
		if len(w.queue) == before {
			return
		}
	}
}

// result decodes the page of a flight, unless that was done on the way.
func (w *walk[T]) result(f *flight[T]) (*Page[T], error) {
	if f.page != nil {
		return f.page, nil
	}
	return w.decode(w.settings, f.fetched)
}

// proceed asks for the next page. A cursor that comes again would never end.
func (w *walk[T]) proceed(ctx context.Context, next PageOptions) {
	if w.bounded && w.budget <= 0 {
		return
	}
	if w.paging == byCursor || w.paging == byKey {
		h := hash(next.Cursor)
		if _, again := w.followed[h]; again {
			w.failure = &CallError{
				Operation: w.op.name, Method: w.op.method, Path: w.op.path, Attempts: 1,
				Err: fmt.Errorf("%w: the cursor of the next page repeats", ErrResponse),
			}
			return
		}
		w.followed[h] = struct{}{}
	}
	w.launch(ctx, next, w.began)
}

// trim takes out of a page what was yielded already and what is over the bound.
func (w *walk[T]) trim(asked PageOptions, page *Page[T]) {
	received := len(page.Items)
	if w.id != nil && (received >= asked.Limit || !w.recent.empty()) {
		kept := 0
		for i := range page.Items {
			if w.recent.add(hash(w.id(&page.Items[i]))) {
				page.Items[kept] = page.Items[i]
				if page.Raw != nil {
					page.Raw[kept] = page.Raw[i]
				}
				kept++
			}
		}
		clear(page.Items[kept:])
		page.cut(kept)
	}
	if !w.bounded {
		return
	}
	// What was asked for and did not come may be asked for again.
	w.budget += asked.Limit - len(page.Items)
	if excess := -w.budget; excess > 0 && len(w.queue) == 0 {
		page.cut(max(len(page.Items)-excess, 0))
		w.budget = 0
	}
}

func (p *Page[T]) cut(n int) {
	p.Items = p.Items[:n]
	if p.Raw != nil {
		p.Raw = p.Raw[:n]
	}
}

var seed = maphash.MakeSeed()

func hash(s string) uint64 { return maphash.String(seed, s) }

// recent remembers the last few thousand items by their hashes: an item that moves between pages moves a little.
type recent struct {
	ring []uint64
	next int
	set  map[uint64]struct{}
}

const recentItems = 8192

func (r *recent) empty() bool { return len(r.set) == 0 }

// add reports whether h is new, and remembers it.
func (r *recent) add(h uint64) bool {
	if r.set == nil {
		r.set = make(map[uint64]struct{})
	}
	if _, known := r.set[h]; known {
		return false
	}
	if len(r.ring) < recentItems {
		r.ring = append(r.ring, h)
	} else {
		delete(r.set, r.ring[r.next])
		r.ring[r.next] = h
		r.next = (r.next + 1) % recentItems
	}
	r.set[h] = struct{}{}
	return true
}
