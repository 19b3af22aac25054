package wallarm

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// walk is one iteration over the pages of a list. It keeps the pages that are on their way in a queue, in order.
type walk[T any] struct {
	*lister[T]
	settings *callSettings
	// until is when the iteration began, see lister.request; first says that the request at hand is the first, which goes without it, learned that
	// its answer has been looked at.
	until          time.Time
	first, learned bool
	queue          []*flight[T]
	// budget is how many more items may be asked for, left how many may be yielded, if bounded.
	budget, left int
	bounded      bool
	recent       recent
	// version is that of the list, or one for an order in which any change of an item may move it.
	version func(*T) string
	// places are the items with their versions, if they have any: one that has moved tells nothing about its neighbours.
	places recent
	// marks are the items of a checkpoint with their versions.
	marks recent
	// tip is the hash of the last item that was new.
	tip uint64
	// place is the checkpoint to keep, nil for none; resumed says that its place is yet to be found. before is how many items were handled
	// before this walk, skip how many of the first page if they have no ids.
	place   *Checkpoint
	resumed bool
	before  int64
	skip    int
	// asked and end are the request of the page at hand and the offset behind it, hashes those of its items, skipped how many of it were
	// handled before. done is what was reported last.
	asked   PageOptions
	end     int
	hashes  []uint64
	skipped int
	done    Progress
	// proven is how many items the server has given in one page. It does not lower a limit up to that, so that a shorter page is the last one.
	// Before that nobody knows: a page of 7 may be the last 7 items, or all that the server gives at once.
	proven int
	// largest is the size of the largest answer.
	largest int
	// total is the number of items in all pages that the last answer told.
	total int64
	// used are the items of pages that were handled.
	used [][]T
}

// flight is a page on its way. The fields behind done are for whoever has seen it closed.
type flight[T any] struct {
	asked PageOptions
	// sent is when the page was asked for.
	sent time.Time
	// planned is how many items are expected of the page that were not expected before.
	planned int
	// memory is where the items go if they are decoded on the way, nil for anywhere.
	memory   []T
	done     chan struct{}
	cancel   context.CancelFunc
	response Response
	fetched  *fetched
	// size is that of the answer.
	size int
	page *Page[T]
	err  error
	// panicked is what a hook or an authenticator of the caller panicked with; exited says that one ended its goroutine, as a failing test does.
	panicked any
	exited   bool
}

func newWalk[T any](l *lister[T], s *callSettings) *walk[T] {
	return &walk[T]{
		lister: l, settings: s, until: time.Now(), first: true, version: l.version, budget: s.maxItems, left: s.maxItems, bounded: s.maxItems > 0,
	}
}

// run walks from start on. Whatever ends the loop, the caller's break or panic included, nothing stays behind.
func (w *walk[T]) run(ctx context.Context, start PageOptions, yield func(*Page[T], error) bool) {
	defer w.drop()
	if w.paging == byOffset {
		newOffsetWalk(w, start).run(ctx, start, yield)
		return
	}
	w.chain(ctx, start, yield)
}

// exhausted reports whether as many items have been asked for as are wanted.
func (w *walk[T]) exhausted() bool { return w.bounded && w.budget <= 0 }

// launch asks for a page.
func (w *walk[T]) launch(ctx context.Context, page PageOptions, planned int) {
	ctx, cancel := context.WithCancel(ctx)
	f := &flight[T]{asked: page, sent: time.Now(), planned: planned, done: make(chan struct{}), cancel: cancel}
	if w.settings.concurrency > 1 {
		f.memory = w.memory()
	}
	w.budget -= planned
	w.queue = append(w.queue, f)
	until := w.until
	if w.first {
		until = time.Time{}
	}
	w.first = false
	go func() {
		defer close(f.done)
		defer cancel()
		finished := false
		// A panic belongs to the goroutine of the loop, where the caller can recover from it, and so does the end of a goroutine.
		defer func() {
			f.panicked = recover()
			f.exited = !finished && f.panicked == nil
		}()
		settings := *w.settings
		if settings.response != nil {
			settings.response = &f.response
		}
		if f.fetched, f.err = w.fetch(ctx, &settings, page, until); f.err == nil {
			f.size = len(f.fetched.answer.Body)
		}
		if f.err == nil && w.settings.concurrency > 1 {
			f.page, f.err = w.decode(ctx, w.settings, f.fetched, f.memory)
		}
		finished = true
	}()
	// The request leaves before this goroutine decodes the page at hand, without another processor having to wake up for it.
	runtime.Gosched()
}

// maybeCut is the size of an answer behind which a server may put fewer items into a page, so that its answers do not grow without end.
const maybeCut = 16 << 10

// mayBeCut reports whether a server may have ended a page for its size. Such a page is about as large as any other, but for the item that had no room.
func (w *walk[T]) mayBeCut(f *flight[T]) bool {
	w.largest = max(w.largest, f.size)
	return f.size >= maybeCut && 2*f.size >= w.largest
}

// reuse says that nobody holds the items of a page any more, so that a later one may take their place.
func (w *walk[T]) reuse(items []T) {
	items = items[:cap(items)]
	clear(items)
	w.used = append(w.used, items)
}

// memory returns the place of a page that was handled.
func (w *walk[T]) memory() []T {
	if len(w.used) == 0 {
		return nil
	}
	last := len(w.used) - 1
	items := w.used[last]
	w.used = w.used[:last]
	return items
}

// take waits for the first page of the queue. One that came before the context ended is not handed out after it, or all that are on their way would be.
func (w *walk[T]) take(ctx context.Context) *flight[T] {
	f := w.queue[0]
	<-f.done
	if f.panicked != nil {
		panic(f.panicked)
	}
	if f.exited {
		runtime.Goexit()
	}
	w.queue[0] = nil // or the page would live as long as the array
	w.queue = w.queue[1:]
	if w.settings.response != nil {
		*w.settings.response = f.response
	}
	if f.err == nil && ctx.Err() != nil {
		f.fetched.release()
		f.fetched, f.page = nil, nil
		f.err = w.late(ctx, 1)
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
		w.budget += f.planned
	}
	w.queue = nil
}

// result decodes the page of a flight, unless that was done on the way.
func (w *walk[T]) result(ctx context.Context, f *flight[T]) (*Page[T], error) {
	if f.page != nil || f.err != nil {
		return f.page, f.err
	}
	return w.decode(ctx, w.settings, f.fetched, w.memory())
}

// accept takes out of a page what was yielded already and what is over the bound, and remembers the rest. It fails if the context ends meanwhile.
func (w *walk[T]) accept(ctx context.Context, f *flight[T], page *Page[T]) error {
	w.asked, w.hashes = f.asked, w.hashes[:0]
	if w.id != nil {
		kept := 0
		w.recent.fit(len(page.Items))
		w.places.fit(len(page.Items))
		var nameless []uint64
		for i := range page.Items {
			if i%looksAtOnce == 0 && ctx.Err() != nil {
				return w.late(ctx, 1)
			}
			h, named := w.identity(&page.Items[i])
			fresh := !w.recent.has(h)
			if w.version != nil {
				w.places.add(w.where(&page.Items[i]))
			}
			switch {
			case !fresh || w.alike:
			case named:
				w.recent.add(h)
			default:
				// Two of one page that say the same are two.
				nameless = append(nameless, h)
			}
			if fresh {
				w.tip = h
				if w.place != nil {
					w.hashes = append(w.hashes, h)
				}
				page.Items[kept] = page.Items[i]
				if page.Raw != nil {
					page.Raw[kept] = page.Raw[i]
				}
				kept++
			}
		}
		for _, h := range nameless {
			w.recent.add(h)
		}
		if w.alike && !w.resumed {
			w.recent = recent{} // what a checkpoint knows stands on this page
		}
		clear(page.Items[kept:])
		page.cut(kept)
	}
	// What was expected and did not come may be asked for again; what is too much is cut.
	w.budget += f.planned - len(page.Items)
	if w.bounded {
		kept := min(len(page.Items), w.left)
		w.end -= len(page.Items) - kept
		page.cut(kept)
		w.left -= kept
	}
	return nil
}

// looksAtOnce is how many items are looked at between two looks at the context: one without an id is known by all that it says.
const looksAtOnce = 256

// ended reports whether as many items have been yielded as are wanted.
func (w *walk[T]) ended() bool { return w.bounded && w.left <= 0 }

func (p *Page[T]) cut(n int) {
	p.Items = p.Items[:n]
	if p.Raw != nil {
		p.Raw = p.Raw[:n]
	}
}

// chain walks a list in which each page leads to the next one.
func (w *walk[T]) chain(ctx context.Context, start PageOptions, yield func(*Page[T], error) bool) {
	followed := map[uint64]struct{}{}
	proceed := func(next PageOptions) error {
		if w.exhausted() {
			return nil
		}
		broken := func(reason string) error {
			return &CallError{Operation: w.op.name, Method: w.op.method, Path: w.op.path, Attempts: 1, Err: fmt.Errorf("%w: %s", ErrResponse, reason)}
		}
		if w.paging == byKey && isNoKey(next.Cursor) {
			return broken("the last row of the page before has no time, which the route needs to go on")
		}
		if w.paging == byCursor || w.paging == byKey {
			h := hashHere(next.Cursor)
			if _, again := followed[h]; again {
				return broken("the cursor of the next page repeats")
			}
			followed[h] = struct{}{}
		}
		w.launch(ctx, next, next.Limit)
		return nil
	}
	stale := 0
	var former uint64
	// isShort says that the page before was not full, varies that such a page was not the last.
	isShort, varies := false, false
	// steps is how many steps back there were since something new came, from where they began, and credit how many there may be: what tells of losses
	// may be wrong, and then they bring nothing.
	steps, from, credit := 0, 0, maxSteps
	w.launch(ctx, start, start.Limit)
	for len(w.queue) > 0 {
		f := w.take(ctx)
		if f.err != nil {
			yield(nil, w.lostCursor(f.asked, f.err))
			return
		}
		var failure error
		// The envelope names the next page: ask for it before decoding this one.
		if next, more := w.nextByEnvelope(f.fetched); more && !w.settings.noPrefetch {
			failure = proceed(w.overlapping(f.asked, next))
		}
		page, err := w.result(ctx, f)
		if err != nil {
			yield(nil, err)
			return
		}
		if lost := w.shrunk(f.asked, page); lost > 0 && f.asked.Offset > 0 && credit > 0 {
			// What stood at the head of this page stands on the one before now: read that again, or as many as were lost.
			credit--
			if steps++; steps == 1 {
				from = f.asked.Offset
			}
			w.drop()
			w.budget += f.planned
			w.launch(ctx, f.asked.before(lost), f.asked.Limit)
			continue
		}
		next, more := page.Next, page.More
		if received := len(page.Items); w.paging == byKey && received > 0 {
			cut := w.mayBeCut(f)
			varies = varies || isShort
			behind := w.after(&page.Items[received-1])
			// A first page that is not full most likely is all that there is, if the list does not tell how to go on.
			isFirst := w.proven < f.asked.Limit && !isNoKey(behind)
			if isShort = received < f.asked.Limit; isShort && (cut || varies || isFirst) {
				next.Cursor, more = behind, behind != f.asked.Cursor
			}
		}
		w.proven = max(w.proven, len(page.Items))
		w.adopt(page)
		// Where items have no ids, a server that gives the same page for ever is known by that page.
		ends := w.endsOf(page)
		isSame := ends != 0 && ends == former
		former = ends
		if err := w.accept(ctx, f, page); err != nil {
			yield(nil, err)
			return
		}
		if w.paging == byKey && more && !w.settings.noPrefetch {
			failure = proceed(next)
		}
		if len(page.Items) > 0 && !yield(page, nil) || w.ended() {
			return
		}
		if stale++; len(page.Items) > 0 && !isSame {
			stale = 0
			credit++
			if steps > 0 && f.asked.Offset < from {
				credit += steps
			}
			credit, steps = min(credit, maxSteps), 0
		}
		if stale > w.patience() {
			failure = w.staleError()
		}
		if failure == nil && more && len(w.queue) == 0 {
			failure = proceed(w.overlapping(f.asked, next))
		}
		if failure != nil {
			yield(nil, failure)
			return
		}
	}
}

// endsOf is what the first and the last item of a page say, if items have no ids of their own.
func (w *walk[T]) endsOf(page *Page[T]) uint64 {
	if w.id != nil && !w.alike || len(page.Items) == 0 {
		return 0
	}
	data, err := wire.MarshalEcho([]*T{&page.Items[0], &page.Items[len(page.Items)-1]})
	if err != nil {
		return 0
	}
	return hashHere(string(data))
}

// overlapping makes the page behind one begin with the last item of that, where the server names its offset: if the item is not there, the list has
// lost others before it.
func (w *walk[T]) overlapping(asked, next PageOptions) PageOptions {
	if w.paging == byNextOffset && w.id != nil && next.Offset-1 > asked.Offset {
		next.Offset--
	}
	return next
}

// shrunk is how many items a list has lost since the page before. By page number, where pages cannot overlap, the total tells, which comes with
// each page; by the offset that the server names, and where a walk goes on from a checkpoint, a page on which nothing is known, and then it may be any
// number.
func (w *walk[T]) shrunk(asked PageOptions, page *Page[T]) (lost int64) {
	if w.paging == byPage && page.Total >= 0 {
		lost = w.total - page.Total
		w.total = page.Total
	}
	if w.paging == byNextOffset || w.paging == byPage && w.resumed {
		if w.id != nil && !w.recent.empty() && !slices.ContainsFunc(page.Items, func(item T) bool { return w.knows(&item) }) {
			lost = max(lost, int64(max(asked.Limit, 1)))
		}
	}
	return lost
}

// before is the page so many items further to the head, by whole pages.
func (p PageOptions) before(items int64) PageOptions {
	limit := max(p.Limit, 1)
	pages := (items + int64(limit) - 1) / int64(limit)
	p.Offset = max(p.Offset-int(min(pages, int64(p.Offset)))*limit, 0)
	return p
}

// maxSteps is how many steps back that bring nothing a list that goes on losing items is followed with; each page that brings something gives one back.
const maxSteps = 9

// maxStale is how many pages in a row without anything new are taken for a list that moves; more are a server that repeats itself.
const maxStale = 20

// patience is maxStale and, behind a checkpoint, what it remembers: pages of two items show little else for a while.
func (w *walk[T]) patience() int {
	if w.before > 0 {
		return maxStale + listHashes
	}
	return maxStale
}

// errStale is a list in which page after page is known: its server repeats itself, or so much comes in meanwhile that it never gets on.
var errStale = fmt.Errorf("%w: page after page holds nothing new", ErrResponse)

func (w *walk[T]) staleError() error {
	return &CallError{Operation: w.op.name, Method: w.op.method, Path: w.op.path, Attempts: 1, Err: errStale}
}

// idText is the id of an item as text, "" for one that came without.
func idText[N int64 | uint64](id N) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(int64(id), 10)
}

// identity is what an item is known by: its id or, should it lack one, all that it says. named says that it has one. isKept says that a checkpoint
// keeps it.
func (l *lister[T]) identity(item *T, isKept bool) (h uint64, named bool) {
	sum := hashHere
	if isKept {
		sum = hash
	}
	if id := l.id(item); id != "" {
		return sum(id), true
	}
	text := allOf(item)
	if text == "" {
		return sum(""), false
	}
	return sum("\x00" + digest(text)), false
}

// allOf is all that an item says.
func allOf[T any](item *T) string {
	data, err := wire.MarshalEcho(item)
	if err != nil {
		return ""
	}
	return string(data)
}

// digest stands for a text that attackers may have written a part of, such as a path: they could choose two parts with the same hash.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

// identity is that of the list, as the checkpoint needs it.
func (w *walk[T]) identity(item *T) (h uint64, named bool) {
	return w.lister.identity(item, w.settings.checkpoint != nil)
}

// knows reports whether an item was read before, at the place where it is now.
func (w *walk[T]) knows(item *T) bool {
	if w.version != nil && !w.places.empty() {
		return w.places.has(w.where(item))
	}
	h, _ := w.identity(item)
	return w.recent.has(h)
}

// where is an item with its version.
func (w *walk[T]) where(item *T) uint64 {
	h, _ := w.identity(item)
	return hashHere(strconv.FormatUint(h, 16) + " " + w.version(item))
}

// learn looks at the first answer for what time it is: the clock of this machine may be behind those of the server and of the nodes, and the
// newest of what the open range held would lie beyond the end of the closed one.
func (w *walk[T]) learn(f *flight[T], page *Page[T]) {
	if w.learned {
		return
	}
	w.learned = true
	if date, err := http.ParseTime(f.fetched.answer.Header.Get("Date")); err == nil && w.clock != nil {
		w.clock(date)
	}
	if w.at != nil {
		for i := range page.Items {
			// Times travel in whole seconds.
			if at := w.at(&page.Items[i]).Add(time.Second); at.After(w.until) {
				w.until = at
			}
		}
	}
	if w.place != nil {
		w.place.until = w.until.Unix()
	}
}

// hashHere is the hash of what stays in this process. Nobody can choose texts for which it is the same.
func hashHere(s string) uint64 { return maphash.String(seedHere, s) }

var seedHere = maphash.MakeSeed()

// hash is FNV-1a, which is the same in every process, since checkpoints keep hashes. Whoever can choose two texts can make it the same for both, see
// [Resume]; a hash without that fault takes a twentieth of the time of a page.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// recent remembers the last few thousand items by their hashes.
type recent struct {
	ring []uint64
	next int
	// most is how many are kept.
	most int
	set  map[uint64]struct{}
}

// recentItems is how many a recent keeps, unless pages are larger.
const recentItems = 1 << 14

// fit makes room for the items of two pages of n, or a page that is larger than what is kept would be new to the end of itself.
func (r *recent) fit(n int) {
	if r.most = max(r.most, recentItems, 2*n); r.next > 0 && len(r.ring) < r.most {
		r.ring = slices.Concat(r.ring[r.next:], r.ring[:r.next])
		r.next = 0
	}
}

func (r *recent) has(h uint64) bool {
	_, known := r.set[h]
	return known
}

// add reports whether h is new, and remembers it.
func (r *recent) add(h uint64) bool {
	if r.has(h) {
		return false
	}
	if r.set == nil {
		r.set = make(map[uint64]struct{})
	}
	if len(r.ring) < max(r.most, recentItems) {
		r.ring = append(r.ring, h)
	} else {
		delete(r.set, r.ring[r.next])
		r.ring[r.next] = h
		r.next = (r.next + 1) % len(r.ring)
	}
	r.set[h] = struct{}{}
	return true
}

func (r *recent) empty() bool { return len(r.set) == 0 }
