package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// streamBuffer is how much of an answer is read at once.
const streamBuffer = 64 << 10

// ErrElementTooLarge says that one element of a list passed its limit.
var ErrElementTooLarge = errors.New("an element of the list is larger than the limit")

// Elements reads the elements of a list one after the other while the answer that holds it arrives. The list is the answer itself, or the first
// array among the members of the answer, of its body and of its data.
type Elements struct {
	decoder *jsontext.Decoder
	input   boundedReader
	// most is the size that an element may have.
	most int64
	// levels is how many objects stand around the list; inside says that it has begun.
	levels int
	inside bool
	count  int
	// Status is the inner status, which stands at the top, as far as the answer has been read.
	Status int64
}

// NewElements reads from r. An element may have most bytes.
func NewElements(r io.Reader, most int64) *Elements {
	e := &Elements{most: most, input: boundedReader{source: bufio.NewReaderSize(r, streamBuffer)}}
	e.decoder = jsontext.NewDecoder(&e.input, syntax)
	return e
}

// Next decodes the next element into v, which must point to a zero value. Its error is io.EOF when the list has ended and the rest of the answer
// was complete, and [ErrNoPayload] if the answer holds no list.
func (e *Elements) Next(v any) error {
	e.extend()
	if !e.inside {
		if err := e.find(); err != nil {
			return err
		}
	}
	if e.decoder.PeekKind() == ']' {
		return e.finish()
	}
	raw, err := e.decoder.ReadValue()
	if err == nil {
		err = Unmarshal(raw, v)
	}
	if err != nil {
		return fmt.Errorf("element %d: %w", e.count, complete(err))
	}
	e.count++
	return nil
}

// extend lets the next value have its full size.
func (e *Elements) extend() { e.input.limit = e.decoder.InputOffset() + e.most + streamBuffer }

// find goes to the first element. null in place of a list is an empty one.
func (e *Elements) find() error {
	for {
		e.extend()
		token, err := e.decoder.ReadToken()
		if err != nil {
			return complete(err)
		}
		switch token.Kind() {
		case '[':
			e.inside = true
			return nil
		case 'n':
			return e.close()
		case '{':
			e.levels++
		default:
			return ErrNoPayload
		}
		if err := e.enter(); err != nil {
			return err
		}
	}
}

// enter goes to the value of the next member that is a list or may hold one.
func (e *Elements) enter() error {
	for e.decoder.PeekKind() == '"' {
		e.extend()
		token, err := e.decoder.ReadToken()
		if err != nil {
			return complete(err)
		}
		name := token.String()
		switch kind := e.decoder.PeekKind(); {
		case kind == '[', (name == "body" || name == "data") && (kind == '{' || kind == 'n'), name == "objects" && kind == 'n':
			return nil
		case name == "status" && e.levels == 1:
			if err := e.readStatus(); err != nil {
				return err
			}
		default:
			if err := e.decoder.SkipValue(); err != nil {
				return complete(err)
			}
		}
	}
	if _, err := e.decoder.ReadToken(); err != nil {
		return complete(err)
	}
	return ErrNoPayload
}

func (e *Elements) readStatus() error {
	value, err := e.decoder.ReadValue()
	if err != nil {
		return complete(err)
	}
	e.Status = tolerantInt(value)
	return nil
}

// finish reads the end of the list and what stands behind it: an answer that breaks off there may have lost elements.
func (e *Elements) finish() error {
	if _, err := e.decoder.ReadToken(); err != nil {
		return complete(err)
	}
	return e.close()
}

// close leaves the objects around the list.
func (e *Elements) close() error {
	for ; e.levels > 0; e.levels-- {
		for e.decoder.PeekKind() != '}' {
			if err := e.pass(); err != nil {
				return err
			}
		}
		if _, err := e.decoder.ReadToken(); err != nil {
			return complete(err)
		}
	}
	_, err := e.decoder.ReadToken()
	if err == nil {
		return errSyntax
	}
	return err
}

// pass reads a member behind the list, of which only the status counts.
func (e *Elements) pass() error {
	e.extend()
	name, err := e.decoder.ReadToken()
	if err != nil {
		return complete(err)
	}
	if name.String() == "status" && e.levels == 1 {
		return e.readStatus()
	}
	if err := e.decoder.SkipValue(); err != nil {
		return complete(err)
	}
	return nil
}

// complete turns the end of the answer inside a value into an error that no caller takes for the end of the list.
func complete(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// boundedReader fails when more than limit bytes have been read.
type boundedReader struct {
	source      io.Reader
	read, limit int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.read >= b.limit {
		return 0, ErrElementTooLarge
	}
	n, err := b.source.Read(p[:min(int64(len(p)), b.limit-b.read)])
	b.read += int64(n)
	return n, err
}
