package wallarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/redact"
	"github.com/wallarm-sdk/wallarm/internal/transport"
	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// Page is one page of a list.
type Page[T any] struct {
	// Items are the items, in the order of the list.
	Items []T
	// Raw holds each item as it was received, if [KeepRaw] was given, secrets included.
	Raw []RawJSON
	// Next asks for the page after this one. It means nothing if More is false.
	Next PageOptions
	// More says that there may be another page. The API seldom tells: a full page of an offset list may have been the last. One that is not full
	// counts as the last, unless it holds a multiple of 50, as servers do that lower a limit. The iterators rely on no such guess: they ask once more
	// behind a short first page. Only behind a full page is a short one the end, as the convention of the API says.
	More bool
	// Prev asks for the page before this one, on the few lists that lead both ways; nil if there is none.
	Prev *PageOptions
	// Total is the number of items in all pages, on the few routes that tell it, else -1.
	Total int64
}

// Format prints the page with the secrets of Raw masked by name, as those of the items are.
func (p Page[T]) Format(f fmt.State, verb rune) {
	fmt.Fprintf(f, fmt.FormatString(f, verb), p.shown())
}

// LogValue is the page as [Page.Format] prints it.
func (p Page[T]) LogValue() slog.Value { return slog.AnyValue(p.shown()) }

// shownPage is a page that is printed as it is.
type shownPage[T any] Page[T]

func (p Page[T]) shown() shownPage[T] {
	if p.Raw != nil {
		raw := make([]RawJSON, len(p.Raw))
		for i, item := range p.Raw {
			raw[i] = redact.Body(item)
		}
		p.Raw = raw
	}
	return shownPage[T](p)
}

// PageOptions says which page of a list to read, and in which order the list is. The zero PageOptions is the first page in the
// list's own order. Each list says what it takes; the rest must be zero.
type PageOptions struct {
	// Limit is the number of items on the page. 0 is the list's default.
	Limit int
	// Offset is how many items to skip, on offset lists.
	Offset int
	// Cursor is an opaque position, on cursor lists: that of the page before, "" for the first page.
	Cursor string
	// OrderBy is the wire name of the column to order by, "" for the list's default.
	OrderBy string
	// Order is the direction, or the list's default.
	Order Order
}

// Order is a direction.
type Order uint8

const (
	// DefaultOrder is the list's own direction.
	DefaultOrder Order = iota
	// Ascending puts the smallest first, or the oldest.
	Ascending
	// Descending puts the largest first, or the newest.
	Descending
)

// isNewestFirst reports whether a list whose default that is, by a column of times, begins with the newest.
func (p PageOptions) isNewestFirst(column string) bool {
	return (p.OrderBy == "" || p.OrderBy == column) && p.Order != Ascending
}

// desc returns the value of order_desc, given the list's default.
func (o Order) desc(byDefault bool) bool {
	switch o {
	case Ascending:
		return false
	case Descending:
		return true
	}
	return byDefault
}

// paging is a pagination convention of docs/wire/errors.md, section 7.
type paging uint8

const (
	// byOffset: limit and offset; a page that is not full is the last (P1 to P6).
	byOffset paging = iota
	// byCursor: an opaque cursor or continuation leads to the next page; without one it is the last (P9 to P11).
	byCursor
	// byNextOffset: the answer names the next offset (P7).
	byNextOffset
	// byPage: pages count from 1, the answer says how many there are (P8). The page number travels as Offset/Limit+1.
	byPage
	// unpaged: one answer holds everything (P12).
	unpaged
	// byKey: the last row of a page leads to the next one (P13).
	byKey
)

// lister is one list of the API: how to ask for a page of it and how to go on from there. All lists are made of this.
type lister[T any] struct {
	client *Client
	op     operation
	paging paging
	// usual is the limit of a page if the caller names none, most the largest one that the route takes; an iterator uses most.
	// Both are 0 if the pages have a fixed size.
	usual, most int
	// careful makes an iterator use usual in place of most: no source tells the largest limit, and a server that lowers it would seem to
	// end the list early.
	careful bool
	// id identifies an item, so that one which moved to the next page while the list was read is not yielded twice. nil if items
	// have no identity; "" for one item that lacks its id.
	id func(*T) string
	// alike says that different items may have one id: none is left out for it, but on the page where a checkpoint goes on. For lists by cursor only.
	alike bool
	// at is the time of an item, by which a list with a range of times is ordered; nil if there is none.
	at func(*T) time.Time
	// version tells apart the states of an item whose place in the list changes with them; nil if items stay where they are.
	version func(*T) string
	// clock, if not nil, is told what time it is at the server, once in an iteration.
	clock func(time.Time)
	// passes, if not nil, is told of each page before its items come, on offset lists: when it was asked for, and its last item.
	passes func(asked time.Time, last *T)
	// after is the position behind an item, for lists with paging byKey.
	after func(*T) string
	// request makes the request for a page. until is not zero from the second page of an iteration on: it is when the iteration began, and a list
	// that begins with the newest closes its range there, so that what arrives meanwhile does not shift the pages.
	request func(ctx context.Context, page PageOptions, until time.Time) (args, error)
	opts    []CallOption
}

// page reads one page.
func (l *lister[T]) page(ctx context.Context, page PageOptions) (*Page[T], error) {
	s, err := l.client.settings(l.opts)
	if err != nil {
		return nil, err
	}
	if page, err = l.check(page, l.usual); err != nil {
		return nil, err
	}
	fetched, err := l.fetch(ctx, s, page, time.Time{})
	if err != nil {
		return nil, err
	}
	return l.decode(ctx, s, fetched, nil)
}

// check refuses options that the list does not take and fills in the limit.
func (l *lister[T]) check(page PageOptions, limit int) (PageOptions, error) {
	switch {
	case page.Limit < 0:
		return page, invalid("limit", "%d is negative", page.Limit)
	case page.Offset < 0:
		return page, invalid("offset", "%d is negative", page.Offset)
	case page.Order > Descending:
		return page, invalid("order", "%d is none", page.Order)
	case l.most > 0 && page.Limit > l.most:
		return page, invalid("limit", "%d is more than %d, the most that this list is known to take", page.Limit, l.most)
	case page.Offset > 0 && l.paging != byOffset && l.paging != byNextOffset && l.paging != byPage:
		return page, invalid("offset", "%s has none", l.op.name)
	case page.Cursor != "" && l.paging != byCursor && l.paging != byKey:
		return page, invalid("cursor", "%s has none", l.op.name)
	}
	if page.Limit == 0 || l.most == 0 {
		page.Limit = limit
	}
	return page, nil
}

// fetched is a page as it came, not yet decoded.
type fetched struct {
	asked  PageOptions
	answer *transport.Answer
	// opened says that the fields below are filled in.
	opened  bool
	payload jsontext.Value
	paging  wire.Paging
	// empty says that the payload is no list or one without elements.
	empty bool
}

// release gives the buffer back.
func (f *fetched) release() {
	if f != nil {
		f.answer.Release()
	}
}

// fetch asks for a page and opens its envelope, which is enough to know the next cursor. The envelope of an offset list is left to decode: it
// does not lead to the next page, which is to be asked for at once.
func (l *lister[T]) fetch(ctx context.Context, s *callSettings, page PageOptions, until time.Time) (*fetched, error) {
	if ctx == nil {
		return nil, invalid("context", "it is nil")
	}
	a, err := l.request(ctx, page, until)
	if err != nil {
		return nil, err
	}
	answer, err := l.client.send(ctx, l.op, a, s)
	if err != nil {
		return nil, err
	}
	f := &fetched{asked: page, answer: answer}
	if l.paging == byOffset {
		return f, nil
	}
	if err := l.open(f); err != nil {
		f.release()
		return nil, err
	}
	return f, nil
}

// open opens the envelope of a fetched page, unless that was done before.
func (l *lister[T]) open(f *fetched) (err error) {
	if f.opened {
		return nil
	}
	f.payload, f.paging, err = openAnswer(l.op, f.answer)
	if err == nil && f.payload.Kind() == '{' {
		f.payload, f.paging = wire.ListIn(f.payload, f.paging)
	}
	f.opened, f.empty = true, isEmptyList(f.payload)
	if err != nil || l.paging != byCursor || f.empty {
		return err
	}
	// Without a cursor the list would seem to end here.
	switch p := f.paging; {
	case p.OddCursor && (p.HasMore == nil || *p.HasMore):
		return unreadable(l.op, f.answer, errors.New("the cursor of the next page is no text"))
	case p.Cursor == "" && p.Continuation == "" && p.HasMore != nil && *p.HasMore:
		return unreadable(l.op, f.answer, errors.New("it says that there are more items, and gives no cursor of the next page"))
	}
	return nil
}

// isEmptyList reports whether a payload is [] or null.
func isEmptyList(payload jsontext.Value) bool {
	switch payload.Kind() {
	case '[':
		return len(bytes.TrimSpace(payload[1:max(len(payload)-1, 1)])) == 0
	case '{':
		return false
	}
	return true
}

// decode turns a fetched page into values, unless the context ends first, and gives its buffer back. The values are put into the memory of into as far
// as it reaches.
func (l *lister[T]) decode(ctx context.Context, s *callSettings, f *fetched, into []T) (*Page[T], error) {
	defer f.release()
	if err := l.open(f); err != nil {
		return nil, err
	}
	if into == nil {
		// As many as were asked for, but not for a short answer; it may well hold more.
		into = make([]T, 0, min(f.asked.Limit, 4096, len(f.payload)/64+1))
	}
	var items []T
	err := wire.CheckRoom(f.payload, items)
	if err == nil {
		items, err = wire.DecodeElementsWithin(ctx, f.payload, into)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, l.late(ctx, f.answer.Attempts)
	case err != nil:
		return nil, unreadable(l.op, f.answer, err)
	}
	if f.payload.Kind() == '{' && l.id != nil && l.id(&items[0]) == l.id(new(T)) {
		return nil, unreadable(l.op, f.answer, errors.New("it holds an object that is no item in place of a list"))
	}
	page := &Page[T]{Items: items, Total: -1}
	if f.paging.TotalCount != nil {
		page.Total = *f.paging.TotalCount
	}
	if s.keepRaw {
		if page.Raw, err = wire.DecodeElements(f.payload, make([]RawJSON, 0, len(items))); err != nil {
			return nil, unreadable(l.op, f.answer, err)
		}
	}
	page.Next, page.More = l.next(f, items)
	if f.paging.PrevCursor != "" {
		prev := f.asked
		prev.Cursor = f.paging.PrevCursor
		page.Prev = &prev
	}
	return page, nil
}

// late is the error for a page that has come, and that nobody waits for any more.
func (l *lister[T]) late(ctx context.Context, attempts int) error {
	return &CallError{Operation: l.op.name, Method: l.op.method, Path: l.op.path, Attempts: attempts, Err: context.Cause(ctx)}
}

// roundLimit divides every limit that a server has been seen to lower a larger one to. A page that is not full is the last one, says the
// convention; but one of 50, 100 or 500 items where 1000 were asked for may be a full page of a server that lowered the limit.
const roundLimit = 50

// next returns the position behind a page.
func (l *lister[T]) next(f *fetched, items []T) (PageOptions, bool) {
	next := f.asked
	switch l.paging {
	case byOffset:
		// Advance by what came, not by what was asked for: the server may give less.
		next.Offset += len(items)
		return next, len(items) > 0 && (len(items) >= f.asked.Limit || len(items)%roundLimit == 0)
	case byKey:
		if len(items) == 0 || (len(items) < f.asked.Limit && len(items)%roundLimit != 0) {
			return next, false
		}
		next.Cursor = l.after(&items[len(items)-1])
		return next, next.Cursor != f.asked.Cursor
	}
	return l.nextByEnvelope(f)
}

// nextByEnvelope returns the position behind a page of a list whose envelope tells it.
func (l *lister[T]) nextByEnvelope(f *fetched) (PageOptions, bool) {
	next := f.asked
	switch l.paging {
	case byCursor:
		next.Cursor = f.paging.Cursor
		if f.paging.EndsHere && next.Cursor == f.asked.Cursor {
			// It is the cursor of this page, and there is no next one.
			return next, false
		}
		if next.Cursor == "" {
			next.Cursor = f.paging.Continuation
			// A continuation may come with the last page too. It shows by an empty page, or by naming the place where it was found.
			if f.empty || next.Cursor == f.asked.Cursor {
				return next, false
			}
		}
		return next, next.Cursor != "" && (f.paging.HasMore == nil || *f.paging.HasMore)
	case byNextOffset:
		if f.paging.NextOffset == nil || int(*f.paging.NextOffset) <= f.asked.Offset {
			return next, false
		}
		next.Offset = int(*f.paging.NextOffset)
		return next, true
	case byPage:
		next.Offset += max(f.asked.Limit, 1)
		// A server that always calls itself the first page must not be asked for ever: what was asked for counts too.
		asked := int64(f.asked.Offset/max(f.asked.Limit, 1)) + 1
		return next, max(f.paging.CurrentPage, asked) < f.paging.TotalPages
	}
	return next, false
}

// all iterates over the items of all pages.
func (l *lister[T]) all(ctx context.Context, start PageOptions) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		l.walk(ctx, start, func(w *walk[T], page *Page[T], err error) bool {
			if err != nil {
				var none T
				yield(none, err)
				return false
			}
			for i := range page.Items {
				w.pass(page, i)
				if !yield(page.Items[i], nil) {
					return false
				}
			}
			w.reuse(page.Items)
			return true
		})
	}
}

// pages iterates over the pages from start on.
func (l *lister[T]) pages(ctx context.Context, start PageOptions) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		l.walk(ctx, start, func(w *walk[T], page *Page[T], err error) bool {
			if err == nil {
				for i := range page.Items {
					w.pass(page, i)
				}
			}
			return yield(page, err)
		})
	}
}

// walk visits the pages from start on, until visit returns false.
func (l *lister[T]) walk(ctx context.Context, start PageOptions, visit func(w *walk[T], page *Page[T], err error) bool) {
	s, err := l.client.settings(l.opts)
	if err == nil && ctx == nil {
		err = invalid("context", "it is nil")
	}
	limit := max(l.usual, l.most)
	if l.careful {
		limit = l.usual
	}
	if err == nil {
		if s.pageSize > 0 && start.Limit == 0 {
			start.Limit = s.pageSize
		}
		start, err = l.check(start, limit)
	}
	w := newWalk(l, s)
	if err == nil && s.checkpoint != nil {
		start, err = w.resume(ctx, start, limit)
	}
	if err != nil {
		visit(w, nil, err)
		return
	}
	w.run(ctx, start, func(page *Page[T], err error) bool {
		if err != nil || s.progress == nil {
			return visit(w, page, err)
		}
		n := len(page.Items)
		if !visit(w, page, nil) {
			return false
		}
		w.report(n, page)
		return true
	})
}
