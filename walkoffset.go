package wallarm

import "context"

// offsetWalk walks an offset list. The trouble with offsets is that they count from the head: when something is inserted or removed there
// meanwhile, or when the server lowers a limit, the next page is not where it was expected. So each page overlaps the one before by one item, and
// a page in which nothing is known leaves a gap that is looked for further towards the head. Items of the same second have no order, and a server
// may give them in another one with each answer: the overlap holds all of the second at which a page ends and one item before it, and a page that
// begins within that second leaves a gap too, even if what it begins with is known.
type offsetWalk[T any] struct {
	*walk[T]
	limit int
	// overlap grows with the largest number of items of one second that a page has ended with.
	overlap int
	// edge is the end of what was read.
	edge edge
	// reached is the end of what was read without a gap, tail that of what was asked for.
	reached, tail int
	// furthest is the largest that reached has been.
	furthest int
	// ahead is how many pages may be in the queue; it doubles up to the concurrency as full pages come.
	ahead int
	// sure says that the pages so far were full, so that it pays to ask for later ones before this one is decoded.
	sure bool
	// careful says that a page that was not full was not the last: only a page with nothing new is. behind says that the page at hand was asked for
	// directly behind what was read, since the one before, which held nothing but the overlap, may have been cut there.
	careful, behind bool
	// short says that the page before was not the largest, varies that such a page was not the last, large that some page was so large that the
	// server may have cut it by its size, cut that this may be said of the page at hand.
	short, varies, large, cut bool
	// stale is how many pages in a row had nothing new.
	stale int
	// latest is how many items the last page had that held anything new.
	latest int
	// doubting says that the page at hand was asked for far behind what was read, to see whether the server looks at offsets at all.
	doubting bool
	// back is how far the walk has stepped back in search of something known.
	back int
}

// edge is what a page ends with.
type edge struct {
	// last is the hash of the last item, 0 if items have no ids.
	last uint64
	// ties is how many items at the end are of the same second, and second which; both are 0 if items have no times. isOpen says that all of the page
	// are of that second, so that there may be more of them before it.
	ties   int
	second int64
	isOpen bool
}

func newOffsetWalk[T any](w *walk[T], start PageOptions) *offsetWalk[T] {
	o := &offsetWalk[T]{walk: w, limit: start.Limit, reached: start.Offset, tail: start.Offset, ahead: 1}
	if w.version == nil && w.at == nil && start.OrderBy != "" && start.OrderBy != "id" {
		w.version = allOf
	}
	if w.id != nil && o.limit > 1 { // pages of one item could not overlap and get on
		o.overlap = 1
		if w.at != nil {
			o.overlap = 2
		}
	}
	return o
}

func (o *offsetWalk[T]) run(ctx context.Context, start PageOptions, yield func(*Page[T], error) bool) {
	if o.resumed {
		if err := o.seek(ctx, start); err != nil {
			yield(nil, err)
			return
		}
	} else {
		o.ask(ctx, start, start.Offset)
	}
	var former uint64
	for len(o.queue) > 0 {
		f := o.take(ctx)
		// Nothing in the page is needed to ask for the next one: it is on its way while this one is opened and decoded.
		if f.err == nil && o.sure && o.stale == 0 && !o.settings.noPrefetch {
			o.fill(ctx, start)
		}
		page, err := o.result(ctx, f)
		if err != nil {
			if f.asked.Offset > o.reached-o.lap() && !o.doubting && !o.behind {
				// The page was asked for on a guess, and the one before it was not full: ask at the right place.
				o.budget += f.planned
				o.restart(ctx, start, o.reached-o.lap())
				continue
			}
			yield(nil, err)
			return
		}
		o.learn(f, page)
		o.cut = o.mayBeCut(f)
		o.large = o.large || f.size >= maybeCut
		received, edge := len(page.Items), o.edgeOf(page.Items)
		atEnd := received > 0 && o.id != nil && edge.last == o.tip
		if o.doubting {
			if o.doubting = false; atEnd {
				if o.proven >= o.limit || len(o.recent.set) > received {
					// It may have more than a page, and no way to ask for that; or more comes in than is read.
					yield(nil, o.staleError())
				}
				return
			}
			o.budget += f.planned
			o.restart(ctx, start, o.reached-o.lap())
			continue
		}
		if back, gap := o.gap(f.asked, page); gap {
			o.budget += f.planned
			o.restart(ctx, start, back)
			continue
		}
		if received == 0 {
			return
		}
		o.back = 0
		if o.passes != nil {
			o.passes(f.sent, &page.Items[received-1])
		}
		// A page further towards the head says nothing about the end of the list.
		follows := f.asked.Offset >= o.reached-o.overlap
		o.reached = f.asked.Offset + received
		// One of which all was handled before a checkpoint goes further than any, other than one that holds nothing but the overlap.
		extends := o.reached > o.furthest
		o.furthest = max(o.furthest, o.reached)
		o.end = o.reached
		if err := o.accept(ctx, f, page); err != nil {
			yield(nil, err)
			return
		}
		// Not so a page further towards the head. What has moved, or was handled before a checkpoint, may be known and yet the last.
		if edge.last == o.tip || follows {
			o.edge = edge
		}
		isFull := received >= f.asked.Limit || received >= o.proven
		if isFull {
			o.keep(max(edge.ties, o.edge.ties))
		}
		if o.stale++; len(page.Items) > 0 {
			o.stale = 0
		}
		if o.stale > o.patience() {
			yield(nil, o.staleError())
			return
		}
		// Pages that do not overlap may hold what was handled before a checkpoint, one after the other; the same one again is no such page.
		repeats := follows && len(page.Items) == 0 && (o.lap() > 0 || edge.last == former)
		former = edge.last
		if len(page.Items) > 0 {
			o.latest = received
			o.varies = o.varies || o.short
			o.short = received < o.proven
		}
		more := o.goesOn(f.asked, received, repeats, extends)
		if more && !isFull && !o.behind {
			o.keep(max(edge.ties, o.edge.ties)) // it was cut, and is not the last
		}
		if more && !o.behind && !o.settings.noPrefetch && o.stale < 2 {
			o.fill(ctx, start)
		}
		page.Next.Offset, page.More = o.reached, more
		if len(page.Items) > 0 && !yield(page, nil) || o.ended() {
			return
		}
		switch {
		case !more || len(o.queue) > 0:
		case o.behind:
			o.ask(ctx, start, o.reached)
		case o.stale > 1 && atEnd:
			// So many items came in before these that they are here again, or the server gives the same ones at every offset.
			o.doubting = true
			o.ask(ctx, start, o.reached+o.limit)
		default:
			o.ask(ctx, start, o.reached-o.lap())
		}
	}
}

// lap is how many items the next page shares with the one before: at most three quarters of what the server gives at once, so that the walk gets
// on. One that gives one item at once would give the same one for ever. There are no more than the list has up to there, if it has shrunk.
//
// Behind a page that may have been cut by its size it is at most half of that, since the next one may be cut sooner.
func (o *offsetWalk[T]) lap() int {
	room := o.proven - max(o.proven/4, 1)
	if o.careful && o.large && o.latest > 0 {
		room = min(room, max(o.latest/2, 1))
	}
	return max(min(o.overlap, room, o.reached), 0)
}

// edgeOf is what a page ends with.
func (o *offsetWalk[T]) edgeOf(items []T) (e edge) {
	if o.id == nil || len(items) == 0 {
		return e
	}
	last := &items[len(items)-1]
	e.last, _ = o.identity(last)
	if o.at == nil {
		return e
	}
	e.second = o.at(last).Unix()
	for e.ties < len(items) && o.at(&items[len(items)-1-e.ties]).Unix() == e.second {
		e.ties++
	}
	e.isOpen = e.ties == len(items)
	return e
}

// keep makes pages overlap by the items of the last second and one more, the next one too: if it was asked for with fewer, it is asked for again. A
// large overlap shrinks when it is not needed any more.
func (o *offsetWalk[T]) keep(ties int) {
	if o.overlap == 0 || o.at == nil {
		return
	}
	if o.overlap > o.proven/8 {
		o.overlap = max(o.overlap*3/4, 1)
	}
	o.overlap = max(o.overlap, ties+1)
	if len(o.queue) > 0 && o.queue[0].asked.Offset > o.reached-min(ties+1, o.lap()) {
		o.drop()
		o.tail = o.reached
	}
}

// torn reports whether a page begins within the second at which what was read ends: some of that second may stand before it, unless that is more
// than pages overlap by.
func (o *offsetWalk[T]) torn(page *Page[T]) bool {
	return o.edge.ties > 0 && o.edge.ties < o.lap() && !o.edge.isOpen && o.at(&page.Items[0]).Unix() == o.edge.second
}

// goesOn judges whether there is more behind a page that was accepted. repeats says that the page followed on the one before and had nothing new, extends
// that it went further than any.
func (o *offsetWalk[T]) goesOn(asked PageOptions, received int, repeats, extends bool) bool {
	o.proven, o.behind = max(o.proven, received), false
	switch {
	case received >= asked.Limit && (!repeats || received >= o.proven):
		if o.sure && o.settings.concurrency > 1 {
			o.ahead = min(2*o.ahead, o.settings.concurrency)
		}
		o.sure = !o.careful
	case o.careful, o.proven < asked.Limit, o.proven > o.limit, o.cut:
		// The server gives less than was asked for: all that there is, or all that it ever gives at once. Or it does not look at limits.
		o.careful, o.sure, o.ahead = true, false, 1
		o.drop()
		// One that holds nothing but the overlap is the last, unless there was no room for more in it.
		isCut := o.varies || o.large
		if o.behind = repeats && !extends && received < o.proven && isCut; repeats && received < o.proven && !isCut {
			return false
		}
	default:
		o.sure = false
		return false
	}
	if len(o.queue) == 0 {
		o.tail = o.reached
	}
	return true
}

// gap reports whether something may lie between what was read and this page, and where to look for it.
func (o *offsetWalk[T]) gap(asked PageOptions, page *Page[T]) (back int, gap bool) {
	switch {
	case o.recent.empty() || asked.Offset == 0:
		return 0, false
	case asked.Offset >= o.reached && len(page.Items) == 0:
		// Nothing behind the end of what was read. At the end itself there is no overlap to look for: the page before lacked just that item.
		return 0, false
	case asked.Offset > o.reached:
		// The page before was not full, and yet there is something behind it.
		o.careful = true
		return o.reached - o.lap(), true
	case asked.Offset == o.reached && (o.behind || o.lap() == 0):
		return 0, false
	}
	for i := range page.Items {
		if o.knows(&page.Items[i]) && !o.torn(page) {
			return 0, false
		}
	}
	// The list has lost items before this place. A step back is no longer than a page, or it would skip what is looked for.
	o.back = max(2*o.back, min(o.limit, max(o.proven, 1)))
	return max(asked.Offset-o.back, 0), true
}

// restart forgets what is on its way and asks at another place.
func (o *offsetWalk[T]) restart(ctx context.Context, start PageOptions, offset int) {
	o.drop()
	o.ahead, o.sure, o.behind = 1, false, false
	o.ask(ctx, start, max(offset, 0))
}

// fill asks for later pages until enough of them are on their way.
func (o *offsetWalk[T]) fill(ctx context.Context, start PageOptions) {
	for len(o.queue) < o.ahead && !o.exhausted() {
		// A server that does not look at limits has given more than was asked for.
		o.ask(ctx, start, max(o.tail, o.reached)-o.lap())
	}
}

// ask asks for the page at an offset.
func (o *offsetWalk[T]) ask(ctx context.Context, page PageOptions, offset int) {
	if o.exhausted() {
		return
	}
	overlap := 0
	if offset < o.reached || !o.first {
		overlap = o.lap()
	}
	page.Offset, page.Limit = offset, o.limit
	if o.bounded && o.stale == 0 {
		page.Limit = min(o.limit, o.budget+overlap)
	}
	o.launch(ctx, page, page.Limit-overlap)
	o.tail = offset + page.Limit
}
