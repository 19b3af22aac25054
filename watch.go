package wallarm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// WatchOptions says how to follow a list. The zero WatchOptions is a good choice for everything but a place to go on from.
type WatchOptions struct {
	// Interval is how long to wait behind an answer without anything new, 30 seconds by default, each time give or take a tenth so that many watchers
	// spread. After failures it doubles up to five minutes; one of a poll that brought something new counts as the first. As long as each answer brings
	// something new, which it does where events come faster than answers, the next one is asked for at once: [WithRateLimit] bounds that.
	Interval time.Duration
	// Overlap is how late an event may show up in the API, measured from its own time, 5 minutes by default. So much before the place that was reached
	// is read again with each poll, and what is known is left out. Nodes upload in batches: an event that is later than that is missed. Where the
	// server does not tell the time, by a Date, a clock of this machine that is ahead shortens the Overlap by as much.
	//
	// An event of the future, by a wrong clock, moves that place no further than to when it was asked for, by the clock of the server where that tells
	// the time and is less than a day from this machine's. A poll that lasts, since its caller takes as long as new events take to come, begins anew at
	// once, so that what came late behind it is found: when the Overlap has passed since the first new event that it handed out within the Overlap of
	// the present.
	Overlap time.Duration
	// Checkpoint is where to go on. It is kept as [Resume] says: behind each item before that is handed out. With nil, or a zero one, the
	// watch begins at the beginning of the filter's time, or else with what happened within the last Overlap, by the clock of this machine, or of the
	// server if that is up to a day behind.
	Checkpoint *WatchCheckpoint
	// OnError is told about each failure that the watch survives, on the goroutine of the caller.
	OnError func(error)
}

const (
	watchInterval   = 30 * time.Second
	watchOverlap    = 5 * time.Minute
	longestInterval = 5 * time.Minute
)

// WatchCheckpoint is a place in a list that is followed, see [WatchOptions]. It is a JSON document of at most six kilobytes, which
// encoding/json writes and reads. A copy is independent of the original. The zero WatchCheckpoint is no place yet.
//
// A watch that goes on from it reads again from the Overlap before Through on, items of the future included, and leaves out the last 512 items that it
// remembers. So items come at least once, also those that appeared while nobody watched; and exactly once in effect for a sink in which a repeated id
// overwrites itself. What was older than the Overlap when it was read, by the clock of a server that tells the time, is not read again.
//
// So a watch may be left after every few items, and gets on. But where more items come within the Overlap than that and 512, it hands out items of the
// Overlap again and again, and the new ones only when they are about to leave it: let it run, or take more at a time.
//
// One exception are checkpoints with a Through that lies ahead of the present, which early versions of this package wrote when an item of the future came,
// and a machine whose clock is ahead may write if the server does not tell the time. How far was read is not known then. The watch goes on from the
// Overlap before it was called, by the clock of the server if that tells the time, and corrects the checkpoint; what happened before that and was not
// read is missed. Give a zero checkpoint and a beginning in the filter to read it.
type WatchCheckpoint struct {
	operation string
	list      uint64
	// from is where the watch began, and through how far was read, both in unix seconds. That is the time of the latest item, but no later than when
	// it was asked for: an item of the future says nothing of what happens until then.
	from, through int64
	// settled is the time before which all was handed out and nothing new turns up any more, for an overlap of so many seconds. It goes on where many
	// more items are of the last overlap than last holds, so that a watch that is left again and again gets on.
	settled, overlap int64
	// latest is the time of the latest item that was handed out, whatever it is.
	latest int64
	last   hashRing
}

// IsZero reports whether c is no place yet.
func (c *WatchCheckpoint) IsZero() bool { return c.operation == "" }

// Through is how far was read: the time of the latest item that was handed out, or of the beginning. It is no later than when that was asked for,
// whatever the time of an item says, nor than when the first page was asked for that reached into the last Overlap. Only one that was written otherwise,
// see [WatchCheckpoint], is later, until a watch goes on from it.
func (c *WatchCheckpoint) Through() time.Time {
	if c.IsZero() {
		return time.Time{}
	}
	return time.Unix(c.through, 0)
}

type watchJSON struct {
	Version   int    `json:"version"`
	Operation string `json:"operation"`
	List      string `json:"list"`
	From      int64  `json:"from"`
	Through   int64  `json:"through"`
	Settled   int64  `json:"settled,omitempty"`
	Overlap   int64  `json:"overlap,omitempty"`
	Latest    int64  `json:"latest,omitempty"`
	Last      []byte `json:"last,omitempty"`
	Checksum  string `json:"checksum,omitempty"`
}

// MarshalJSON writes the checkpoint; null is a zero one.
func (c WatchCheckpoint) MarshalJSON() ([]byte, error) {
	if c.IsZero() {
		return []byte("null"), nil
	}
	settled := c.settled
	if settled == c.from {
		settled = 0 // nothing to tell
	}
	j := watchJSON{checkpointVersion, c.operation, listName(c.list), c.from, c.through, settled, c.overlap, c.latest, c.last.bytes(), ""}
	j.Checksum = checksum(j)
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON has written, and refuses the same as [Checkpoint.UnmarshalJSON].
func (c *WatchCheckpoint) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*c = WatchCheckpoint{}
		return nil
	}
	var j watchJSON
	list, err := readCheckpoint(data, &j, func() (int, string, string) { return j.Version, j.Operation, j.List })
	if err != nil {
		return err
	}
	sum := j.Checksum
	j.Checksum = ""
	if err := verify(sum, j); err != nil {
		return err
	}
	read := WatchCheckpoint{
		operation: j.Operation, list: list, from: j.From, through: j.Through, settled: cmp.Or(j.Settled, j.From), overlap: j.Overlap, latest: j.Latest,
	}
	inOrder := j.From <= read.settled && read.settled <= j.Through
	if !inOrder || j.Overlap < 0 || j.From < -(1<<40) || j.Through > 1<<40 || !read.last.read(j.Last, maxHashes) {
		return invalid("checkpoint", "its numbers make no sense")
	}
	*c = read
	return nil
}

// watcher follows one list.
type watcher[T any] struct {
	// list lists what happened in a span of time.
	list func(TimeRange) *lister[T]
	// span is the time of the caller's filter.
	span TimeRange
	// when is the time of an item by which the list is ordered.
	when    func(*T) time.Time
	options WatchOptions
	place   *WatchCheckpoint
	seen    seen
	// fresh says that the last poll has handed something out.
	fresh bool
	// ahead is how far the clock of this machine is ahead of the server's, or behind it if negative, as its answers tell. One that says less than
	// another may be wrong.
	ahead time.Duration
	// claimed is the checkpoint as it was given.
	claimed WatchCheckpoint
	// asked is when the page at hand was asked for. bound is when the first one of the poll was that reaches into the last Overlap, zero if none did:
	// from then on something late may turn up behind the place that is read.
	asked, bound time.Time
	// due is when the poll has to give way to the next one, zero if it need not yet.
	due time.Time
	// forgotten is the time before which nothing is remembered, so that nothing from before may be asked for again.
	forgotten int64
	// stale is how many polls in a row read page after page without anything new.
	stale int
	// began is when the watch did, by the clock of this machine: what happens from then on is its own to read. told says that the server has told the
	// time since.
	began time.Time
	told  bool
	// isTimeKnown says that the clocks of this machine and of the server are less than a day apart, so that ahead is all of it.
	isTimeKnown bool
	// assumed says that the beginning was taken from the clock of this machine.
	assumed bool
	// again says that the poll is to begin anew at once: its beginning turned out to be wrong, or it lasts too long.
	again bool
}

// watch makes the iterator of a watcher.
func watch[T any](ctx context.Context, span TimeRange, when func(*T) time.Time, options WatchOptions, list func(TimeRange) *lister[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		w := &watcher[T]{list: list, span: span, when: when, options: options, place: options.Checkpoint}
		if err := w.begin(ctx); err != nil {
			var none T
			yield(none, err)
			return
		}
		w.run(ctx, yield)
	}
}

// begin checks the arguments and fills in what is missing.
func (w *watcher[T]) begin(ctx context.Context) error {
	o := &w.options
	switch {
	case ctx == nil:
		return invalid("context", "it is nil")
	case o.Interval < 0:
		return invalid("interval", "%v is negative", o.Interval)
	case o.Overlap < 0:
		return invalid("overlap", "%v is negative", o.Overlap)
	case len(w.span.spans()) > 1 || !w.span.To.IsZero():
		return invalid("filter.time", "a watch takes one span with an open end")
	}
	if o.Interval == 0 {
		o.Interval = watchInterval
	}
	if o.Overlap == 0 {
		o.Overlap = watchOverlap
	}
	// Longer ones could not be doubled, or counted in whole seconds.
	o.Interval, o.Overlap = min(o.Interval, math.MaxInt64/4), min(o.Overlap, math.MaxInt64/4)
	if w.place == nil {
		w.place = new(WatchCheckpoint)
	}
	w.seen.silence = w.overlap()
	l := w.list(TimeRange{})
	settings, err := l.client.settings(l.opts)
	switch {
	case err != nil:
		return err
	case settings.checkpoint != nil:
		return invalid("checkpoint", "a watch takes it as WatchOptions.Checkpoint")
	case settings.maxItems > 0:
		return invalid("maximum of items", "a watch takes none: leave the loop")
	}
	return w.resume(ctx, l)
}

// resume fills in a new checkpoint, or checks an old one.
func (w *watcher[T]) resume(ctx context.Context, l *lister[T]) error {
	// Finding out who the client is may take hours of failures, in which things happen.
	w.began = time.Now()
	list, err := w.identify(ctx, l)
	if err != nil {
		return err
	}
	name := "watch " + l.op.name
	if w.place.IsZero() {
		from := w.span.From
		if from.IsZero() {
			from = w.began.Add(-w.options.Overlap)
			w.assumed = true
		}
		*w.place = WatchCheckpoint{operation: name, list: list, from: from.Unix(), through: from.Unix(), settled: from.Unix(), overlap: w.overlap()}
		w.claimed = *w.place
		return nil
	}
	if err := admits(w.place.operation, name, w.place.list, list); err != nil {
		return err
	}
	if longer := w.overlap() - w.place.overlap; longer > 0 {
		// What was settled for a shorter overlap may not be for this one.
		w.place.settled = max(w.place.settled-longer, w.place.from)
	}
	w.place.overlap = w.overlap()
	w.claimed = *w.place
	w.limit()
	// Checkpoints of earlier versions do not tell it: then nothing counts as a silence.
	w.seen.latest = cmp.Or(w.place.latest, math.MaxInt64)
	w.place.last.each(maxHashes, w.seen.recall)
	return nil
}

// limit takes back what a checkpoint tells of the time after the watch began, of which nothing can have been read: earlier versions took the time of an
// item of the future for how far was read, and clocks may be set back between two watches. What it took back by a clock of this machine that turns out to
// be behind the server's, it gives again. It reports whether anything changed.
func (w *watcher[T]) limit() bool {
	most := max(w.began.Add(-w.ahead).Unix(), w.place.from)
	through := min(max(w.claimed.through, w.place.through), most)
	settled := min(max(w.claimed.settled, w.place.settled), max(most-w.overlap(), w.place.from))
	changed := through != w.place.through || settled != w.place.settled
	w.place.through, w.place.settled = through, settled
	return changed
}

// identify asks for the client id in the course, so that it has to survive what a poll survives.
func (w *watcher[T]) identify(ctx context.Context, l *lister[T]) (list uint64, err error) {
	err = w.insist(ctx, l.op, func() error {
		list, err = l.identify(ctx, PageOptions{Order: Ascending}, max(l.usual, l.most))
		return err
	})
	return list, err
}

// insist calls try until it succeeds or fails for good, or the context ends.
func (w *watcher[T]) insist(ctx context.Context, op operation, try func() error) error {
	for failures := 1; ; failures++ {
		err := try()
		switch {
		case err == nil:
			return nil
		case ctx.Err() == nil && !IsTemporary(err):
			return err
		}
		if err := w.wait(ctx, op, failures, err); err != nil {
			return err
		}
	}
}

// run polls until something ends it.
func (w *watcher[T]) run(ctx context.Context, yield func(T, error) bool) {
	op := w.list(TimeRange{}).op
	var none T
	failures := 0
	for {
		goesOn, err := w.poll(ctx, yield)
		if w.stale++; w.fresh || !errors.Is(err, errStale) {
			w.stale = 0
		}
		switch {
		case !goesOn:
			return
		case err != nil && ctx.Err() == nil && !IsTemporary(err) && (!errors.Is(err, errStale) || w.stale > maxStale):
			yield(none, err)
			return
		case err == nil:
			failures = 0
		case w.fresh:
			failures = 1
		default:
			failures++
		}
		if err == nil && w.again {
			continue
		}
		if err := w.wait(ctx, op, failures, err); err != nil {
			yield(none, err)
			return
		}
	}
}

// wait waits for the next poll, after a failure longer than else. It fails when the context ends.
func (w *watcher[T]) wait(ctx context.Context, op operation, failures int, err error) error {
	ended := func() error {
		return &CallError{Operation: op.name, Method: op.method, Path: op.path, Err: context.Cause(ctx)}
	}
	if ctx.Err() != nil {
		return ended()
	}
	if err != nil && w.options.OnError != nil {
		w.options.OnError(err)
	}
	pause := w.options.Interval
	for range failures {
		pause = min(2*pause, max(longestInterval, w.options.Interval))
	}
	timer := time.NewTimer(pause - pause/10 + rand.N(pause/5+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended()
	}
}

// low is the time from which on items are remembered.
func (w *watcher[T]) low() int64 {
	return max(w.place.through-w.overlap(), w.place.from, w.forgotten)
}

// overlap is the overlap in whole seconds, in which times travel.
func (w *watcher[T]) overlap() int64 { return int64((w.options.Overlap-1)/time.Second) + 1 }

// pass is told of a page.
func (w *watcher[T]) pass(asked time.Time, last *T) {
	// By the clock of the server.
	w.asked = asked.Add(-w.ahead)
	if at := w.when(last); w.bound.IsZero() && at.Unix() >= w.asked.Unix()-w.overlap() {
		w.bound = w.asked
	}
}

// read notes that all up to an item of the time at was read, but nothing of the time after it was asked for: an item of the future, by a wrong clock, must
// not hide the present. What was late may have turned up behind it since the poll came near to the present.
func (w *watcher[T]) read(at int64) {
	w.place.latest = max(w.place.latest, at)
	most := w.bound
	if most.IsZero() {
		most = w.asked
	}
	w.place.through = max(w.place.through, min(at, most.Unix()))
	if w.isTimeKnown {
		w.place.settled = max(w.place.settled, min(at, most.Add(-leastSkew).Unix()-w.overlap()))
	}
}

// forget forgets what will not be asked for again.
func (w *watcher[T]) forget() {
	w.forgotten = w.low()
	w.seen.forget(w.forgotten)
}

// Dates count whole seconds and take a while to come; one that is further off than any clock on duty is nonsense.
const (
	leastSkew = 3 * time.Second
	mostSkew  = 24 * time.Hour
)

// tell is told the time at the server. The clock of this machine may be ahead of it, and what it says must hide nothing; or behind it, and then a place
// would be held back by as much.
func (w *watcher[T]) tell(date time.Time) {
	skew := time.Since(date)
	w.isTimeKnown = skew <= mostSkew
	if skew.Abs() > mostSkew {
		return
	}
	if skew.Abs() < leastSkew {
		skew = 0
	}
	if !w.told || skew > w.ahead {
		w.ahead = skew
	}
	switch {
	case w.told:
	case w.assumed && w.ahead > 0:
		from := w.place.from - int64(w.ahead/time.Second) - 1
		w.place.from, w.place.through, w.place.settled, w.again = from, from, from, true
	default:
		w.again = w.limit()
	}
	w.told = true
}

// isOverdue reports whether the poll has to give way to the next one. A list that grows as fast as it is read has no end, and neither what turns up behind
// the place that is read nor the memory of what is before it can wait for one.
func (w *watcher[T]) isOverdue() bool { return !w.due.IsZero() && time.Now().After(w.due) }

// deliver is told that the poll has come to something new. Close to the present it has as long as the overlap from then on, however long it took to read
// again what is known: so each poll gets on.
func (w *watcher[T]) deliver() {
	w.fresh = true
	if w.due.IsZero() && !w.bound.IsZero() {
		w.due = time.Now().Add(time.Duration(w.overlap()) * time.Second)
	}
}

// poll reads from where something unknown may show up, oldest first, and hands out what is not known. It reports whether the caller wants more.
func (w *watcher[T]) poll(ctx context.Context, yield func(T, error) bool) (goesOn bool, err error) {
	w.fresh, w.again, w.bound, w.due = false, false, time.Time{}, time.Time{}
	// A poll reads all that is remembered again, so that going over it costs little beside.
	w.seen.sweep()
	l := w.list(Since(time.Unix(max(w.low(), w.place.settled), 0)))
	l.clock, l.passes = w.tell, w.pass
	for item, err := range l.all(ctx, PageOptions{Order: Ascending}) {
		if err != nil {
			return true, err
		}
		if w.again = w.again || w.isOverdue(); w.again {
			break
		}
		at := w.place.through
		if t := w.when(&item); !t.IsZero() {
			at = t.Unix()
		}
		h, _ := l.identity(&item, w.options.Checkpoint != nil)
		if !w.seen.add(h, at) {
			continue
		}
		w.deliver()
		w.read(at)
		w.place.last.push(h, maxHashes)
		w.forget()
		if !yield(item, nil) {
			return false, nil
		}
	}
	if w.again {
		return true, nil
	}
	w.seen.settle(w.place.through)
	w.forget()
	return true, nil
}

// seen remembers items by hash as long as their times may be asked for again.
type seen struct {
	times map[uint64]int64
	// low is the time before which nothing is asked for again. What is of before it is swept out when a poll begins, or when there are as many as room.
	low  int64
	room int
	// recalled are those of a checkpoint whose times are not known yet, but that none was later than latest.
	recalled map[uint64]struct{}
	latest   int64
	// silence is the overlap: an item that goes on after a longer one is new.
	silence int64
}

// leastRoom is how many items are not worth sweeping.
const leastRoom = 100

// recall remembers what a checkpoint does.
func (s *seen) recall(h uint64) {
	if s.recalled == nil {
		s.recalled = make(map[uint64]struct{})
	}
	s.recalled[h] = struct{}{}
}

// settle says that all was read that may be known, up to the time through: what was recalled and did not come is of before.
func (s *seen) settle(through int64) {
	for h := range s.recalled {
		s.add(h, through)
	}
	s.recalled = nil
}

// add reports whether h is new, or goes on after a silence. An item that is known and has a later time now is remembered longer.
func (s *seen) add(h uint64, at int64) bool {
	before, known := s.times[h]
	known = known && before >= s.low
	if known && before >= at {
		return false
	}
	if _, recalled := s.recalled[h]; recalled {
		delete(s.recalled, h)
		before, known = s.latest, true
	}
	known = known && at-before <= s.silence
	if s.times == nil {
		s.times = make(map[uint64]int64)
	}
	s.times[h] = at
	return !known
}

// forget is told that nothing of before low is asked for again.
func (s *seen) forget(low int64) {
	s.low = low
	if len(s.times) >= s.room {
		s.sweep()
	}
}

// sweep drops what is of before low, wherever an item of the future stands among it. It makes a new map, since one never shrinks, and leaves room for as
// many again, so that each item is swept over once or twice only in a long poll.
func (s *seen) sweep() {
	kept := make(map[uint64]int64)
	for h, at := range s.times {
		if at >= s.low {
			kept[h] = at
		}
	}
	s.times, s.room = kept, 2*len(kept)+leastRoom
}

// Watch follows the attacks that match filter, oldest first, for as long as ctx lives: it polls, and yields each attack that is new, late ones
// too. Times of the filter must have an open end; the beginning counts only without a checkpoint. The loop ends with an error that matches
// the context's when that ends, or with one that no waiting mends; what [IsTemporary] calls temporary goes to [WatchOptions.OnError], and the
// watch goes on for hours of it without losing anything. So it does when so much comes in late that page after page holds nothing
// new, but for twenty polls in a row at most.
//
// An attack is yielded when it first shows. It is not yielded again while it grows, but it is when it goes on after a silence longer than the
// overlap, or has grown for longer than that while no poll succeeded, or one lasted. What happens between two polls is not seen: a silence that is
// shorter by up to what an attack grows between them may do. A [WatchCheckpoint] does not remember when each of its attacks went on last: behind it,
// one of them is yielded again that goes on later than the overlap behind the latest of all that were handed out. Memory grows with the number of
// attacks within about twice the overlap only, and of those whose times lie ahead of the present. While a watch runs, an answer with a Date in the
// past, up to a day, holds the place that was reached back by as much: more is read again, and remembered, until then.
//
// POST /v1/objects/attack. Replay class: read.
func (s *AttacksService) Watch(ctx context.Context, filter AttackFilter, options WatchOptions, opts ...CallOption) iter.Seq2[Attack, error] {
	return watch(ctx, filter.Time, lastTime, options, func(span TimeRange) *lister[Attack] {
		filter.Time = span
		l := s.offsetList(attacksList, filter, opts)
		l.at = lastTime
		return l
	})
}

// Watch follows the hits that match filter, oldest first, for as long as ctx lives. See [AttacksService.Watch]. A hit does not
// change its time, so each comes once.
//
// POST /v1/objects/hit. Replay class: read.
func (s *HitsService) Watch(ctx context.Context, filter HitFilter, options WatchOptions, opts ...CallOption) iter.Seq2[Hit, error] {
	return watch(ctx, filter.Time, func(h *Hit) time.Time { return h.Time.Time }, options, func(span TimeRange) *lister[Hit] {
		filter.Time = span
		return s.list(filter, opts)
	})
}

// Watch follows the events of the tenant that match filter, oldest first, for as long as ctx lives. See [AttacksService.Watch]. An event does
// not change its time, so each comes once.
//
// GET /v1/activity_log/{client_id}/events. Replay class: read.
func (s *ActivityLogService) Watch(ctx context.Context, filter ActivityFilter, options WatchOptions, opts ...CallOption) iter.Seq2[ActivityEvent, error] {
	return watch(ctx, filter.Time, func(a *ActivityEvent) time.Time { return a.Time.Time }, options, func(span TimeRange) *lister[ActivityEvent] {
		filter.Time = span
		return s.list(filter, opts)
	})
}
