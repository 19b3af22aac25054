package wire

import (
	"bytes"
	"errors"
	"reflect"
)

// ErrNoRoom says that the values of a text would take far more memory than the text: some KB, compressed, may hold millions of empty objects, each
// of which becomes a value with all its fields.
var ErrNoRoom = errors.New("it holds more objects than its size accounts for")

// freeRoom is what the values of any text may take; roomFactor is how much more, for each byte of it.
const (
	freeRoom   = 256 << 20
	roomFactor = 4
)

// room is how much memory the values of data may take.
func room(data []byte) int { return freeRoom + roomFactor*len(data) }

// smallObject is what an object takes at least, nested ones in the main, leastText the shortest text of one, with a comma.
const (
	smallObject = 128
	leastText   = 3
)

// CheckRoom refuses a text with far more objects than its size accounts for, at any depth, with [ErrNoRoom].
func CheckRoom(data []byte) error {
	if len(data)/leastText*smallObject > room(data) && objects(data) > room(data)/smallObject {
		return ErrNoRoom
	}
	return nil
}

// objects counts the objects of a text, and the nulls, which become objects in a list of them.
func objects(data []byte) (n int) {
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = skipString(data, i) - 1
		case '{', 'n':
			n++
		}
	}
	return n
}

// CheckElements refuses an array whose elements, as those of the slice that out points to, would take too much memory, with [ErrNoRoom].
func CheckElements(data []byte, out any) error {
	t := reflect.TypeOf(out)
	if t != nil && t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Slice && isCrowded(data, int(t.Elem().Elem().Size())) {
		return ErrNoRoom
	}
	return nil
}

// isCrowded reports whether the elements of an array would take too much memory, each of a size.
func isCrowded(data []byte, size int) bool {
	most := room(data) / max(size, 1)
	// Most answers are told by their length, or by the characters in them that may begin an object.
	if len(data)/leastText <= most || bytes.Count(data, []byte{'{'})+bytes.Count(data, []byte("null")) <= most {
		return false
	}
	d := newDecoder(data)
	defer d.free()
	if token, err := d.ReadToken(); err != nil || token.Kind() != '[' {
		return false
	}
	for n := 0; d.PeekKind() != ']'; n++ {
		if n == most {
			return true
		}
		if d.SkipValue() != nil {
			return false // who decodes it will say so
		}
	}
	return false
}
