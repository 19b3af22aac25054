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

// errSecondList says that what was handed out may have been another list than the one that was meant.
var errSecondList = errors.New("a list came behind a large one under another name, which was taken for it")

// mostHeld is how much is kept of a list whose name is not one of an envelope.
const mostHeld = 64 << 10

// Elements reads the elements of a list one after the other while the answer that holds it arrives. The list is the answer itself or an array under
// one of the names of envelopes in it, the first that has elements. If there is none, it is the first array under another name, those in an envelope
// before those beside it: its elements are held back, until the answer has ended or they have become too many.
type Elements struct {
	decoder *jsontext.Decoder
	input   boundedReader
	// most is the size that an element may have.
	most int64
	// levels is how many objects stand around what is read next; inside says that it is an element of the list.
	levels int
	inside bool
	count  int
	// begun and ended say how far the answer has been read.
	begun, ended bool
	// found says that there is a list, sure that arrays under other names count no longer.
	found, sure bool
	// held are elements under another name, which stood at the level heldAt; loose says that they are handed out before the answer has ended.
	held   []jsontext.Value
	heldAt int
	loose  bool
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
	raw, err := e.next()
	if err == nil {
		if err = Unmarshal(raw, v); err != nil {
			return e.failed(err)
		}
		e.count++
	}
	return err
}

func (e *Elements) failed(err error) error {
	return fmt.Errorf("element %d: %w", e.count, complete(err))
}

// next returns the next element.
func (e *Elements) next() (jsontext.Value, error) {
	for {
		switch {
		case len(e.held) > 0 && (e.ended || e.loose):
			raw := e.held[0]
			e.held = e.held[1:]
			return raw, nil
		case e.inside && e.decoder.PeekKind() != ']':
			e.extend()
			raw, err := e.decoder.ReadValue()
			if err != nil {
				return nil, e.failed(err)
			}
			return raw, nil
		case e.ended && e.found:
			return nil, io.EOF
		case e.ended:
			return nil, ErrNoPayload
		}
		if err := e.advance(); err != nil {
			return nil, complete(err)
		}
	}
}

// extend lets the next value have its full size.
func (e *Elements) extend() { e.input.limit = e.decoder.InputOffset() + e.most + streamBuffer }

// advance reads what comes next and is no element of the list: the end of the list or of an object around it, a member, or the end of the answer.
func (e *Elements) advance() error {
	e.extend()
	switch {
	case !e.begun:
		e.begun = true
		return e.visit("body", e.decoder.PeekKind())
	case e.inside:
		e.inside = false
		_, err := e.decoder.ReadToken()
		return err
	case e.levels == 0:
		return e.end()
	case e.decoder.PeekKind() == '}':
		e.levels--
		_, err := e.decoder.ReadToken()
		return err
	}
	token, err := e.decoder.ReadToken()
	if err != nil {
		return err
	}
	name := token.String()
	e.extend()
	return e.visit(name, e.decoder.PeekKind())
}

// end expects the end of the answer.
func (e *Elements) end() error {
	switch _, err := e.decoder.ReadToken(); err {
	case io.EOF:
		e.ended = true
		return nil
	case nil:
		return errSyntax
	default:
		return err
	}
}

// visit looks at the value of a member: goes into it if it is the list or may hold it, and else passes it. null under the name of a list
// is an empty one, if there is no other.
func (e *Elements) visit(name string, kind jsontext.Kind) error {
	isNamed := name == "body" || name == "data" || name == "objects"
	isOpen := e.count == 0 || e.loose
	switch {
	case e.levels == 0 && kind != '[' && kind != '{' && kind != 'n' && kind != 0:
		return ErrNoPayload
	case isNamed && kind == '[' && isOpen:
		return e.enter()
	case kind == '[' && !isNamed && !e.sure:
		return e.hold()
	case isNamed && kind == '{' && name != "objects" && isOpen:
		e.levels++
		_, err := e.decoder.ReadToken()
		return err
	case isNamed && kind == 'n':
		e.found = true
	case name == "status" && e.levels == 1:
		return e.readStatus()
	}
	return e.skip()
}

// skip passes a value of any size, as long as none of its texts passes the limit.
func (e *Elements) skip() error {
	for levels := 0; ; {
		e.extend()
		switch e.decoder.PeekKind() {
		case '[', '{':
			levels++
		case ']', '}':
			levels--
		}
		if _, err := e.decoder.ReadToken(); err != nil {
			return err
		}
		if levels == 0 {
			return nil
		}
	}
}

// enter goes into a list under the name of an envelope.
func (e *Elements) enter() error {
	_, err := e.decoder.ReadToken()
	e.inside, e.found, e.sure = true, true, true
	if err == nil && e.loose && e.decoder.PeekKind() != ']' {
		return errSecondList
	}
	if !e.loose {
		e.held = nil
	}
	return err
}

// hold keeps the elements of a list under another name. One that is large is taken for the list before anybody knows whether a better one comes.
func (e *Elements) hold() error {
	if _, err := e.decoder.ReadToken(); err != nil {
		return err
	}
	e.found = true
	isBetter := len(e.held) == 0 || e.levels > e.heldAt
	var held []jsontext.Value
	for size := 0; e.decoder.PeekKind() != ']'; {
		e.extend()
		raw, err := e.decoder.ReadValue()
		if err != nil {
			return fmt.Errorf("element %d: %w", len(held), complete(err))
		}
		if !isBetter {
			continue
		}
		held = append(held, raw.Clone())
		if size += len(raw); size > mostHeld {
			e.held, e.inside, e.loose, e.sure = held, true, true, true
			return nil
		}
	}
	if len(held) > 0 {
		e.held, e.heldAt = held, e.levels
	}
	_, err := e.decoder.ReadToken()
	return err
}

func (e *Elements) readStatus() error {
	value, err := e.decoder.ReadValue()
	if err != nil {
		return complete(err)
	}
	e.Status = innerStatus(value)
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
