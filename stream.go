package wallarm

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// Stream makes a call whose answer holds a list, and yields the elements while the answer arrives: the first one comes at once, and an answer of
// any size takes the memory of one element. It is for answers that are too large to be read as a whole, such as exports; the lists of the
// services read pages of a bounded size and need no such thing.
//
// method, path and in are those of [Client.Call]. The list is the answer itself, or the array called "body", "data" or "objects" among the members of
// the answer, of its "body" and of its "data": the first of these that has elements, and if all of them are empty, there are none. Only if no array
// has one of the three names, it is the first array among these members that has elements, whatever its name, one in "body" or "data" before one
// beside them. Elements of such a list come when the answer has ended, or 64 KiB of them have come; if a list with one of the three names follows
// behind so many, the sequence ends with an [ErrResponse]. A second one with such a name, behind one that has elements, is passed over. null under one
// of the three names is an empty list, if there is no other, and an answer without a list is an [ErrResponse]. Elements are decoded with the same
// tolerance as everywhere: into a type of this package, into [RawJSON] or into a type of your own.
//
// The call is sent when the sequence is ranged over, again for each range. An answer that fails before its body has begun is
// repeated as usual; what fails later ends the sequence with an error, since some elements have been handed out. An
// answer that breaks off is such an error, even if all elements of the list have come. GET counts as a read, anything else as once: say
// [WithReplayClass] for reads by POST.
//
// [WithTimeout] bounds the time up to the header of the answer; ctx bounds the whole. [WithMaxResponseSize] bounds the whole answer, which is
// unbounded by default; an element of more than 16 MiB is an [ErrResponseTooLarge], and so is a text beside the list, or white space, of so
// much. [MaxItems] ends the sequence early. A loop that is left early gives up the connection, since the rest of the answer is not read.
func Stream[T any](ctx context.Context, client *Client, method, path string, in any, opts ...CallOption) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		op, a, err := rawCall(method, path, in)
		if err != nil {
			yield(none, err)
			return
		}
		streamElements(ctx, client, op, a, opts, yield)
	}
}

// maxElement is the size that one element of a streamed list may have.
const maxElement = 16 << 20

// streamElements yields the elements of an answer as they come.
func streamElements[T any](ctx context.Context, c *Client, op operation, a args, opts []CallOption, yield func(T, error) bool) {
	var none T
	s, err := c.settings(opts)
	if err != nil {
		yield(none, err)
		return
	}
	if s.class != nil {
		op.replay = *s.class
	}
	op.envelope = stream
	a.header = http.Header{"Accept": {"application/json"}}
	answer, err := c.send(ctx, op, a, s)
	if err != nil {
		yield(none, err)
		return
	}
	defer answer.Stream.Close()
	head := &keptHead{source: answer.Stream}
	elements := wire.NewElements(head, maxElement)
	for n := 0; s.maxItems == 0 || n < s.maxItems; n++ {
		if ctx.Err() != nil {
			// Others may have come already.
			yield(none, afterAnswer(op, answer, context.Cause(ctx)))
			return
		}
		var item T
		err := elements.Next(&item)
		switch {
		case err == io.EOF && elements.Status < 400:
			return
		case err == nil && elements.Status < 400:
			if !yield(item, nil) {
				return
			}
			continue
		}
		// What has come of the answer tells what is wrong with it.
		answer.Body = head.kept
		var failure *CallError
		switch {
		case err != nil && ctx.Err() != nil:
			// net/http may tell of the connection that it has closed for that.
			err = afterAnswer(op, answer, context.Cause(ctx))
		case errors.As(err, &failure):
			err = failure
		case elements.Status >= 400:
			err = innerRefusal(op, answer, elements.Status)
		default:
			err = unreadable(op, answer, err)
		}
		yield(none, err)
		return
	}
}

// streamed is all for a list that comes as one answer, element by element as it arrives.
func (l *lister[T]) streamed(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		a, err := l.request(ctx, PageOptions{}, time.Time{})
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		streamElements(ctx, l.client, l.op, a, l.opts, yield)
	}
}

// keptHead keeps the beginning of what is read through it.
type keptHead struct {
	source io.Reader
	kept   []byte
}

// maxKeptHead is somewhat more than is shown, so that no credential is torn by the cut.
const maxKeptHead = maxShown + 4<<10

func (h *keptHead) Read(p []byte) (int, error) {
	n, err := h.source.Read(p)
	if room := maxKeptHead - len(h.kept); room > 0 {
		h.kept = append(h.kept, p[:min(n, room)]...)
	}
	return n, err
}
