package wire

import (
	"bytes"
	"errors"
	"reflect"
)

// ErrNoRoom says that the values of a text would take far more memory than the text: some KB, compressed, may hold millions of empty objects, each
// of which becomes a value with all its fields, or millions of empty texts, each of which becomes a step of a point.
var ErrNoRoom = errors.New("it holds more values than its size accounts for")

// freeRoom is what the values of any text may take; roomFactor is how much more, for each byte of it.
const (
	freeRoom   = 64 << 20
	roomFactor = 4
)

// room is how much memory the values of data may take.
func room(data []byte) int { return freeRoom + roomFactor*len(data) }

// smallObject is what an object takes at least, nested ones in the main, leastText the shortest text of one, with a comma.
const (
	smallObject = 128
	leastText   = 3
)

// CheckRoom refuses a text whose values, at any depth of a value of the type of out, would take far more memory than its size accounts for, with
// [ErrNoRoom].
func CheckRoom(data []byte, out any) error {
	most := room(data)
	if len(data)/leastText*smallObject <= most {
		return nil // nor can elements take more, which have two characters and half the size
	}
	if weight(data, elementSize(reflect.TypeOf(out), map[reflect.Type]int{})) > most {
		return ErrNoRoom
	}
	return nil
}

// maxNesting is how deep the decoder goes.
const maxNesting = 10_000

// weight is the memory that the values of a text take: its objects and the nulls, which become objects in a list of them, and the elements of arrays
// that are neither.
func weight(data []byte, element int) (size int) {
	arrays := []bool{false} // for each level, whether it is an array
	for i := 0; i < len(data); i++ {
		c := data[i]
		isElement := arrays[len(arrays)-1]
		switch {
		case c == '{' || c == '[':
			if arrays = append(arrays, c == '['); len(arrays) > maxNesting {
				return size // who decodes it will say so
			}
			// An array that is not empty takes what is in it.
			next := skipSpace(data, i+1)
			isElement = isElement && c == '[' && next < len(data) && data[next] == ']'
			if c == '{' {
				size += smallObject
			}
		case (c == '}' || c == ']') && len(arrays) > 1:
			arrays = arrays[:len(arrays)-1]
			continue
		case c == '"':
			i = skipString(data, i) - 1
		case c == 'n':
			size += smallObject
			i, isElement = skipValue(data, i)-1, false
		case c == '-' || c == 't' || c == 'f' || '0' <= c && c <= '9':
			i = skipValue(data, i) - 1
		default:
			continue
		}
		if isElement {
			size += element
		}
	}
	return size
}

// elementSize is how much memory an element of an array takes at most in a value of type t, if it is no object: as one in a slice of numbers or texts, or
// as a step of a point, whose decoder makes it of a text. known holds what has been seen of t.
func elementSize(t reflect.Type, known map[reflect.Type]int) (size int) {
	if t == nil {
		return anyElement
	}
	if size, again := known[t]; again {
		return size
	}
	known[t] = 0
	defer func() { known[t] = size }()
	switch t.Kind() {
	case reflect.Interface:
		return anyElement
	case reflect.Pointer, reflect.Map, reflect.Array:
		return elementSize(t.Elem(), known)
	case reflect.Struct:
		for i := range t.NumField() {
			size = max(size, elementSize(t.Field(i).Type, known))
		}
		return size
	case reflect.Slice:
	default:
		return 0
	}
	element := t.Elem()
	size = elementSize(element, known)
	switch {
	case element.Kind() == reflect.Uint8:
		return rawText
	case element.Kind() == reflect.Struct && (!hasOwnDecoder(t) || hasOwnDecoder(element)):
		return size // made of objects, which count by themselves
	}
	// A slice that grows has a quarter to spare.
	return size + int(element.Size())*5/4
}

const (
	// anyElement is what an element takes whose type shows itself only when it is decoded.
	anyElement = 72
	// rawText is the least that the copy of a text takes.
	rawText = 8
)

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
