package wallarm

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-querystring/query"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// Checkpoint is a place in a list, see [Resume]. It is a small JSON document, of one or two kilobytes, for any store: encoding/json writes and
// reads it. A copy is independent of the original. The zero Checkpoint is the beginning of the list.
type Checkpoint struct {
	// operation and list say which list this is a place of: list stands for all that its request asks for but the page.
	operation string
	list      uint64
	// until is when the first iteration began, in unix seconds. Lists that begin with the newest end there, also when they are resumed.
	until int64
	// items is how many items were handled from the beginning on.
	items int64
	// start and offset are the place where the list began and the one behind the last item; on other lists than those by offset, offset is
	// the one of the page.
	start, offset int
	limit         int
	// cursor is that of the page of the last item, and handled how many of its items were handled.
	cursor  string
	handled int
	// second is when the last item happened, in unix seconds, 0 if items have no times; ties is how many of that second were handled, one after another.
	second int64
	ties   int
	last   hashRing
	// spots are last with the state of each item, where a change of that moves it in the list: one that has moved does not tell the place.
	spots hashRing
}

const (
	checkpointVersion = 1
	// listHashes is how many items a Checkpoint remembers: so many neighbours would have to vanish from the list until its place is lost.
	listHashes = 64
	// maxSeek is how many pages behind a place it is looked for on. A list in which other items come for ever has no end.
	maxSeek = 10_000
	// maxCheckpoint bounds what is decoded; cursors of the API are far shorter.
	maxCheckpoint = 64 << 10
)

// Resume makes an iterator begin behind the place in c, and moves c along: before each item is handed out, c is set to the place behind it; an
// iterator over pages sets it to the place behind the page. Store c when the item has been handled, whenever that is convenient:
//
//	var place wallarm.Checkpoint // or read from where it was stored
//	for attack, err := range client.Attacks.All(ctx, filter, wallarm.Resume(&place)) {
//		if err != nil { … }
//		handle(attack)
//		store(place)
//	}
//
// After a crash between handle and store, the items since the last store come again, and none is left out: at least once; and exactly once in
// effect for a sink in which a repeated id overwrites itself.
//
// Pass the same filter and order as before: another list or filter is refused with [ErrInvalidArgument]. That includes its times, so keep the result
// of [Last] along with the checkpoint. The page size and Concurrency may differ on offset lists; the Offset and Cursor of [PageOptions] count only at
// the beginning; [MaxItems] counts from the resumed place. A list that has changed meanwhile is searched for the last items handled, which the
// checkpoint remembers by hashes of their ids, or of all that they say; the records of [IPListsService.AllHistory] and [IPListsService.AllEvents] go
// by their number. The hashes have 64 bits, and are the same everywhere: a service that chose two ids for the purpose could make one item pass for
// the other, and so could an attacker whose text is part of what identifies a row of the Attacks API, with billions of trials. If nothing is left of
// the last 64 of more items, or none of them stands before the place or on the 10 000 pages behind it, the iterator fails with [ErrGone], and so it
// does if the server does not know the cursor any more: then begin anew, with a zero Checkpoint. A list that goes by cursors, keys or page numbers
// hands out the page of the place in that case. What came into the list before the place is not handed out, unless it fills a page of its own of a
// list that goes by cursors or keys. While a list loses many items as it is read, or gains many, or both, or loses one where a server cuts pages by
// their size, items may be handled out of its order, and some of them come again: many, where many are of one second. Where more than 64 items of one
// second were handled, and the service orders those anew with each answer, a resumed iterator may pass over others of that second. Where a list loses
// several items with each request, and its service orders those of one second anew with each answer, a resumed iterator may pass over an item: in a
// model of such lists once in some ten thousand runs.
//
// c must not be used by others while the iterator runs. Calls that do not iterate, such as List and Get, leave it alone and begin where their
// arguments say.
func Resume(c *Checkpoint) CallOption {
	return func(s *callSettings) error {
		if c == nil {
			return invalid("checkpoint", "it is nil")
		}
		s.checkpoint = c
		return nil
	}
}

// Progress tells how far an iterator has come, see [OnProgress].
type Progress struct {
	// Items and Pages are how many this iterator has handed out.
	Items int64
	Pages int
	// Position is the number of items from the beginning of the list to here: on an offset list the absolute offset, else Items and those
	// before the place that [Resume] began at.
	Position int64
	// Total is the number of items of the whole list, -1 unless the API tells it, which few lists do. Count methods tell it beforehand.
	Total int64
}

// OnProgress calls report when the caller of an iterator has finished with a page, on the goroutine of the caller.
func OnProgress(report func(Progress)) CallOption {
	return func(s *callSettings) error {
		if report == nil {
			return invalid("progress", "the function is nil")
		}
		s.progress = report
		return nil
	}
}

// IsZero reports whether c is the beginning of any list.
func (c *Checkpoint) IsZero() bool { return c.operation == "" }

// Operation is the name of the list's operation, such as "attacks.list", and "" for a zero Checkpoint.
func (c *Checkpoint) Operation() string { return c.operation }

// Items is the number of items before the place, from the beginning of the list on.
func (c *Checkpoint) Items() int64 { return c.items }

// checkpointJSON is how a Checkpoint travels.
type checkpointJSON struct {
	Version   int    `json:"version"`
	Operation string `json:"operation"`
	List      string `json:"list"`
	Until     int64  `json:"until"`
	Items     int64  `json:"items"`
	Start     int    `json:"start,omitempty"`
	Offset    int    `json:"offset,omitempty"`
	Limit     int    `json:"limit,omitempty"`
	Cursor    string `json:"cursor,omitempty"`
	Handled   int    `json:"handled,omitempty"`
	Second    int64  `json:"second,omitempty"`
	Ties      int    `json:"ties,omitempty"`
	Last      []byte `json:"last,omitempty"`
	Spots     []byte `json:"spots,omitempty"`
	Checksum  string `json:"checksum,omitempty"`
}

// MarshalJSON writes the checkpoint; null is a zero one.
func (c Checkpoint) MarshalJSON() ([]byte, error) {
	if c.IsZero() {
		return []byte("null"), nil
	}
	j := checkpointJSON{
		checkpointVersion, c.operation, listName(c.list), c.until, c.items, c.start, c.offset, c.limit,
		// JSON holds no other bytes, and the checksum must be that of what is read again.
		strings.ToValidUTF8(c.cursor, "\ufffd"), c.handled, c.second, c.ties, c.last.bytes(), c.spots.bytes(), "",
	}
	j.Checksum = checksum(j)
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON has written, in any layout and order of the members. A document is refused, with an error that matches
// [ErrInvalidArgument] and leaves c as it was, if it is larger than 64 KiB, of a newer version, holds an unknown or a repeated member, holds numbers
// that cannot be together, or does not fit its checksum. The checksum finds accidents; it is no protection against somebody who computes it anew.
// Documents of SDK versions before it have none, and are read without that check.
func (c *Checkpoint) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*c = Checkpoint{}
		return nil
	}
	var j checkpointJSON
	list, err := readCheckpoint(data, &j, func() (int, string, string) { return j.Version, j.Operation, j.List })
	if err != nil {
		return err
	}
	sum := j.Checksum
	j.Checksum = ""
	if err := verify(sum, j); err != nil {
		return err
	}
	read := Checkpoint{
		operation: j.Operation, list: list, until: j.Until, items: j.Items, start: j.Start, offset: j.Offset, limit: j.Limit, cursor: j.Cursor,
		handled: j.Handled, second: j.Second, ties: j.Ties,
	}
	switch {
	case min(j.Items, j.Until, int64(j.Start), int64(j.Offset), int64(j.Limit), int64(j.Handled), int64(j.Ties)) < 0, j.Offset > math.MaxInt/2,
		int64(j.Handled) > j.Items, !read.last.read(j.Last, listHashes), !read.spots.read(j.Spots, listHashes),
		int64(max(read.last.n, read.spots.n)) > j.Items:
		return invalid("checkpoint", "its numbers make no sense")
	}
	*c = read
	return nil
}

// readCheckpoint reads a document of either kind into j, and checks what head returns of it: version, operation and list.
func readCheckpoint(data []byte, j any, head func() (int, string, string)) (uint64, error) {
	if len(data) > maxCheckpoint {
		return 0, invalid("checkpoint", "it is too long")
	}
	if err := jsonv2.Unmarshal(data, j, jsonv2.RejectUnknownMembers(true)); err != nil {
		return 0, invalid("checkpoint", "it cannot be read: %v", err)
	}
	version, operation, list := head()
	switch {
	case version > checkpointVersion:
		return 0, invalid("checkpoint", "its version is %d, and this SDK knows versions up to %d", version, checkpointVersion)
	case version != checkpointVersion, operation == "":
		return 0, invalid("checkpoint", "the document is no checkpoint")
	}
	n, err := strconv.ParseUint(list, 16, 64)
	if err != nil || listName(n) != list {
		return 0, invalid("checkpoint", "it does not name its list")
	}
	return n, nil
}

// checksum returns that of the document j, whose own must be empty.
func checksum(j any) string {
	// Numbers, texts and bytes can always be written.
	data, _ := json.Marshal(j)
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(data))
}

// verify refuses the document j, whose own checksum was taken out, if that is another one. Documents of older versions have none.
func verify(sum string, j any) error {
	if sum != "" && sum != checksum(j) {
		return invalid("checkpoint", "it does not fit its checksum: it is damaged, or was changed")
	}
	return nil
}

func listName(list uint64) string { return fmt.Sprintf("%016x", list) }

// hashRing is the hashes of the last items. It is an array, so that a copy of a checkpoint stays as it is.
type hashRing struct {
	hashes  [maxHashes]uint64
	next, n int
}

// maxHashes is room for both kinds of checkpoints.
const maxHashes = 512

// push remembers h, and forgets the oldest of size hashes.
func (r *hashRing) push(h uint64, size int) {
	r.hashes[r.next] = h
	if r.next++; r.next == size {
		r.next = 0
	}
	r.n = min(r.n+1, size)
}

// each calls f with the hashes, oldest first.
func (r *hashRing) each(size int, f func(uint64)) {
	for i := range r.n {
		f(r.hashes[(r.next-r.n+i+size)%size])
	}
}

// bytes returns the hashes, oldest first. Only a full ring can have come around, so its size is known.
func (r *hashRing) bytes() []byte {
	b := make([]byte, 0, 8*r.n)
	r.each(max(r.n, r.next), func(h uint64) { b = binary.BigEndian.AppendUint64(b, h) })
	return b
}

// read takes what bytes has returned, and reports whether it can be.
func (r *hashRing) read(b []byte, size int) bool {
	if len(b)%8 != 0 || len(b)/8 > size {
		return false
	}
	for ; len(b) > 0; b = b[8:] {
		r.push(binary.BigEndian.Uint64(b), size)
	}
	return true
}

// identify returns a number that stands for the list: its operation, tenant, filter and order.
func (l *lister[T]) identify(ctx context.Context, start PageOptions, limit int) (uint64, error) {
	a, err := l.request(ctx, PageOptions{Limit: limit, OrderBy: start.OrderBy, Order: start.Order}, time.Time{})
	if err != nil {
		return 0, err
	}
	text := l.op.name + "\n" + fmt.Sprint(a.path...) + "\n"
	switch q := a.query.(type) {
	case nil:
	case url.Values:
		text += q.Encode()
	default:
		values, err := query.Values(q)
		if err != nil {
			return 0, invalid("query", "it cannot be encoded: %v", err)
		}
		text += values.Encode()
	}
	text += "\n" + a.form.Encode() + "\n"
	if a.body != nil {
		body, err := wire.Marshal(a.body)
		if err != nil {
			return 0, unencodable("request", err)
		}
		// The members of maps come in any order.
		value := jsontext.Value(body)
		if err := value.Format(jsontext.ReorderRawObjects(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
			return 0, invalid("request", "it cannot be encoded: %v", err)
		}
		text += string(value)
	}
	return hash(text), nil
}

// admits refuses a checkpoint of another list.
func admits(operation, name string, list, want uint64) error {
	switch {
	case operation != name:
		return invalid("checkpoint", "it is one of %s, and this is %s", operation, name)
	case list != want:
		return invalid("checkpoint", "it is one of %s with another tenant, filter or order: pass the same, times included, or begin with a zero checkpoint", name)
	}
	return nil
}

// resume prepares a walk that goes on from a checkpoint or keeps one. limit is that of a page if the caller names none.
func (w *walk[T]) resume(ctx context.Context, start PageOptions, limit int) (PageOptions, error) {
	c := w.settings.checkpoint
	list, err := w.identify(ctx, start, limit)
	if err != nil {
		return start, err
	}
	if c.IsZero() {
		*c = Checkpoint{operation: w.op.name, list: list, until: w.until.Unix(), start: start.Offset, offset: start.Offset, limit: start.Limit, cursor: start.Cursor}
		w.place = c
		return start, nil
	}
	if err := admits(c.operation, w.op.name, c.list, list); err != nil {
		return start, err
	}
	w.place, w.before = c, c.items
	w.until, w.first, w.learned = time.Unix(c.until, 0), c.items == 0, c.items > 0
	w.resumed = c.items > 0
	start.Offset, start.Cursor = c.offset, c.cursor
	if w.paging != byOffset {
		// The page of the checkpoint is asked for again as it was, since its number counts in pages of its size.
		if start.Limit = c.limit; start.Limit == 0 && w.most > 0 {
			return start, invalid("checkpoint", "it does not tell the size of its pages")
		}
	}
	if start, err = w.check(start, start.Limit); err != nil {
		return start, invalid("checkpoint", "its place is none of this list: %v", err)
	}
	if w.id == nil {
		if w.paging != byOffset {
			w.skip = c.handled
		}
		return start, nil
	}
	c.last.each(listHashes, func(h uint64) { w.tip = h; w.recent.add(h) })
	c.spots.each(listHashes, func(h uint64) { w.marks.add(h) })
	return start, nil
}

// complete reports whether a checkpoint remembers all items that were handled, and not only the last ones.
func (c *Checkpoint) complete() bool { return c.items <= int64(c.last.n) }

// find looks in a page for an item that the checkpoint remembers, and makes what stands before the first one known too: it was handled longer
// ago, or came into the list since. Not so what is of the same second as the item that was handled last, since these have no order; unless more of that
// second were handled than are remembered, or they would come again and again.
func (w *walk[T]) find(page *Page[T]) bool {
	for i := range page.Items {
		if !w.marksPlace(&page.Items[i]) {
			continue
		}
		last := w.lastSecond(page)
		if last == 0 && w.at != nil {
			// An older checkpoint does not tell it; this one may be of the same second.
			last = w.at(&page.Items[i]).Unix()
		}
		for j := range i {
			if w.at == nil || w.at(&page.Items[j]).Unix() != last || w.place.ties > listHashes {
				h, _ := w.identity(&page.Items[j])
				w.recent.add(h)
			}
		}
		return true
	}
	return false
}

// marksPlace reports whether an item was handled before the checkpoint and has not moved since.
func (w *walk[T]) marksPlace(item *T) bool {
	if w.version == nil || w.marks.empty() {
		return w.knows(item)
	}
	return w.marks.has(w.spot(item))
}

// spot is an item with its version, as a checkpoint needs it.
func (w *walk[T]) spot(item *T) uint64 {
	h, _ := w.identity(item)
	return hash(strconv.FormatUint(h, 16) + " " + w.version(item))
}

// lastSecond is when the item that was handled last happened, in unix seconds: as the page says, or else the checkpoint. It is 0 if neither does.
func (w *walk[T]) lastSecond(page *Page[T]) int64 {
	if w.at == nil {
		return 0
	}
	for i := range page.Items {
		if h, _ := w.identity(&page.Items[i]); h == w.tip && w.marksPlace(&page.Items[i]) {
			return w.at(&page.Items[i]).Unix()
		}
	}
	return w.place.second
}

// adopt takes out of the first pages of a resumed chain what was handled before.
func (w *walk[T]) adopt(page *Page[T]) {
	w.skipped = 0
	switch {
	case !w.resumed:
	case w.id != nil:
		w.resumed = !w.find(page)
	default:
		w.resumed = false
		w.skipped = min(w.skip, len(page.Items))
		page.Items = page.Items[w.skipped:]
		if page.Raw != nil {
			page.Raw = page.Raw[w.skipped:]
		}
	}
}

// lost makes the error of a place that cannot be found again out of what the server said about it.
func (w *walk[T]) lost(reason string, err error) error {
	e := &CallError{Operation: w.op.name, Method: w.op.method, Path: w.op.path, Attempts: 1}
	if e.Err = fmt.Errorf("%w: %s; begin anew with a zero checkpoint", ErrGone, reason); err != nil {
		e.Err = fmt.Errorf("%w: %w", e.Err, err)
	}
	return e
}

// lostCursor makes the error of a resumed cursor clearer, if it is one that the server refused.
func (w *walk[T]) lostCursor(asked PageOptions, err error) error {
	if w.resumed && asked.Cursor != "" && (errors.Is(err, ErrValidation) || errors.Is(err, ErrGone) || errors.Is(err, ErrNotFound)) {
		return w.lost("the server does not take the cursor of the checkpoint any more", err)
	}
	return err
}

// pass moves the checkpoint behind item i of the page at hand.
func (w *walk[T]) pass(page *Page[T], i int) {
	c := w.place
	if c == nil {
		return
	}
	c.items++
	c.limit, c.cursor = w.asked.Limit, w.asked.Cursor
	if c.handled = w.skipped + i + 1; w.paging == byOffset {
		c.offset, c.handled = max(w.end-(len(page.Items)-1-i), 0), 0
	} else {
		c.offset = w.asked.Offset
	}
	if w.id != nil {
		c.last.push(w.hashes[i], listHashes)
		if w.version != nil {
			c.spots.push(w.spot(&page.Items[i]), listHashes)
		}
	}
	if w.at == nil {
		return
	}
	var second int64
	if at := w.at(&page.Items[i]); !at.IsZero() {
		second = at.Unix()
	}
	if second != c.second {
		c.second, c.ties = second, 0
	}
	c.ties++
}

// report tells the caller's function that a page of n items is done.
func (w *walk[T]) report(n int, page *Page[T]) {
	w.done.Items += int64(n)
	w.done.Pages++
	w.done.Total = page.Total
	w.done.Position = w.before + w.done.Items
	if w.paging == byOffset {
		w.done.Position = int64(w.end)
	}
	w.settings.progress(w.done)
}

// seek finds the place of a checkpoint in an offset list, on the page where it was or on those around it, and puts that page into the queue.
func (o *offsetWalk[T]) seek(ctx context.Context, start PageOptions) error {
	c := o.place
	if o.id == nil {
		o.ask(ctx, start, c.offset)
		return nil
	}
	// Begin somewhat before the place, since a few removals are likely, and then look ahead and back in turns.
	base := max(c.offset-min(c.last.n, max(o.limit/2, 1)), 0)
	low, high, step := base, base, o.limit
	firsts := map[uint64]bool{}
	for more, ahead := true, true; more || low > 0; ahead = !ahead {
		at := high
		if back := low > 0 && !(ahead && more); back {
			at = max(low-step, 0)
		}
		found, items, err := o.probe(ctx, start, at)
		received := len(items)
		switch {
		case found || err != nil:
			return err
		case at == high:
			high, more = at+received, received > 0
			if more {
				// A server that gives the same page at every offset has no end.
				h, _ := o.identity(&items[0])
				more = !firsts[h] && len(firsts) < maxSeek
				firsts[h] = true
			}
		case received > 0 && received < low-at:
			// This page does not reach the one before. Either the list ends with it, or the server gives less than was asked for: take smaller steps.
			found, behind, err := o.probe(ctx, start, at+received)
			switch {
			case found || err != nil:
				return err
			case len(behind) > 0:
				step = received
			default:
				low = at
			}
		default:
			low = at
		}
	}
	if c.complete() {
		// Whatever is left was not handled.
		o.reached = c.start
		o.ask(ctx, start, c.start)
		return nil
	}
	return o.lost("none of the last items of the checkpoint is left in the list", nil)
}

// probe reads the page at an offset and keeps it as the next of the queue if it holds something that the checkpoint remembers.
func (o *offsetWalk[T]) probe(ctx context.Context, start PageOptions, offset int) (found bool, items []T, err error) {
	start.Offset, start.Limit = offset, o.limit
	o.launch(ctx, start, 0)
	f := o.take(ctx)
	if f.err != nil {
		return false, nil, f.err
	}
	page, err := o.result(ctx, f)
	if err != nil {
		return false, nil, err
	}
	if !o.find(page) {
		return false, page.Items, nil
	}
	// Where the list has lost items meanwhile, nothing there is known; if so further towards the head, this is the page after all.
	for back, at, steps := o.stepBack(page), offset, 0; back > 0 && at > 0 && steps < maxSteps; back, steps = min(2*back, o.limit), steps+1 {
		at = max(at-back, 0)
		if found, items, err := o.probe(ctx, start, at); found || err != nil {
			return found, items, err
		}
	}
	f.page = page
	o.queue = append(o.queue, f)
	o.reached, o.tail = offset, offset+o.limit
	return true, page.Items, nil
}

// stepBack is how far before a page to begin if it begins within the second of the item that was handled last: others of that second may stand before
// it, since these have no order. The page there still holds the first item that is known of this one. It is 0 for a page that begins before that second.
func (o *offsetWalk[T]) stepBack(page *Page[T]) int {
	last := o.lastSecond(page)
	if last == 0 || o.place.ties > listHashes || o.at(&page.Items[0]).Unix() != last {
		return 0
	}
	known := slices.IndexFunc(page.Items, func(item T) bool { return o.knows(&item) })
	return max((len(page.Items)-known)/2, 1)
}
