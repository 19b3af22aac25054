// Package wire holds what the SDK knows about the form of the data on the wire: the JSON configuration, scalars that come in
// several forms, response envelopes and bracketed queries.
package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// syntax is what both directions share. A hit carries whatever an attacker sent, so bytes that are not UTF-8 and repeated
// names must not make an answer unreadable.
var syntax = json.JoinOptions(
	jsontext.AllowInvalidUTF8(true),
	jsontext.AllowDuplicateNames(true),
)

// strictSyntax is that of requests. Of two members with one name some servers take the first and some the last, so that what the SDK has checked
// could be another one than what counts. A text that is not UTF-8 would travel as another one.
var strictSyntax = json.JoinOptions(jsontext.AllowInvalidUTF8(false), jsontext.AllowDuplicateNames(false))

var (
	decodeOptions  = syntax
	lenientOptions json.Options
	// A secret hides itself from every encoder but this one.
	encodeOptions = json.JoinOptions(strictSyntax, json.Deterministic(true),
		json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(reveal), json.MarshalToFunc(mend))))
	// A list that the API sent as null is written back as null.
	echoOptions = json.JoinOptions(syntax, json.Deterministic(true), json.FormatNilSliceAsNull(true), json.FormatNilMapAsNull(true),
		json.WithMarshalers(json.MarshalToFunc(flatten)))
)

// Set here because decodeLeniently itself decodes with these options.
func init() {
	lenientOptions = json.JoinOptions(syntax, json.WithUnmarshalers(json.UnmarshalFromFunc(decodeLeniently)))
}

func reveal(e *jsontext.Encoder, secret interface{ Reveal() string }) error {
	return e.WriteToken(jsontext.String(secret.Reveal()))
}

// mend writes a raw value whose texts are not UTF-8, by their bytes or by an escaped half of a surrogate pair, with the replacement character in
// their place. Such a value came from an answer, and has to go back somehow.
func mend(e *jsontext.Encoder, raw jsontext.Value) error {
	if raw.IsValid(jsontext.AllowDuplicateNames(true)) {
		return errors.ErrUnsupported
	}
	mended := raw.Clone()
	if err := mended.Format(syntax, jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.PreserveRawStrings(false)); err != nil {
		return errors.ErrUnsupported
	}
	return e.WriteValue(mended)
}

// flatten writes a point as answers have it.
func flatten(e *jsontext.Encoder, point interface{ Flat() []any }) error {
	return json.MarshalEncode(e, point.Flat())
}

// Marshal encodes a request: secrets travel as they are, and a nil slice becomes [], since the API takes null for an array as something else. An
// object with a repeated name is an error, see [Repeated], and so is a text that is not UTF-8, except in raw values.
func Marshal(v any) ([]byte, error) { return json.Marshal(v, encodeOptions) }

// Secrets returns the texts that [Marshal] reveals of a value.
func Secrets(v any) []string {
	var found []string
	collect := func(e *jsontext.Encoder, secret interface{ Reveal() string }) error {
		found = append(found, secret.Reveal())
		return reveal(e, secret)
	}
	_, _ = json.Marshal(v, syntax, json.WithMarshalers(json.MarshalToFunc(collect))) // it was encoded before, and only what was found counts
	return found
}

// Repeated returns the name of the member that an object has twice, if that is what err is about.
func Repeated(err error) (name string, ok bool) {
	var syntactic *jsontext.SyntacticError
	if !errors.As(err, &syntactic) || !errors.Is(syntactic.Err, jsontext.ErrDuplicateName) {
		return "", false
	}
	return syntactic.JSONPointer.LastToken(), true
}

// MarshalEcho encodes what the API has sent: secrets stay hidden, and a nil slice becomes null.
func MarshalEcho(v any) ([]byte, error) { return json.Marshal(v, echoOptions) }

// Unmarshal decodes data into v, which must be a non-nil pointer. A value whose form does not fit its field is read again
// with the tolerance of the API's own clients: numbers in quotes, whole numbers written as 12.0, a scalar in place of an array.
func Unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v, decodeOptions)
	if err == nil || !isMismatch(err) {
		return err
	}
	reset(v)
	return withoutValue(json.Unmarshal(data, v, lenientOptions))
}

// withoutValue is err, of a value that does not fit its type, without the value: it may be a secret in an odd place.
func withoutValue(err error) error {
	mismatch, ok := err.(*json.SemanticError)
	if !ok {
		return err
	}
	hidden := *mismatch
	hidden.JSONValue, hidden.Err = nil, withoutValue(mismatch.Err)
	if number := new(strconv.NumError); errors.As(hidden.Err, &number) {
		hidden.Err = number.Err
	}
	return &hidden
}

// These do not quote the value, see [withoutValue].
var (
	errNoNumber    = errors.New("it is not a number")
	errNotWhole    = errors.New("it is not a whole number")
	errNotUnsigned = errors.New("it is not an unsigned whole number")
	errNotExact    = errors.New("it is a whole number that is not written exactly")
	errOutOfRange  = errors.New("it is out of range")
	errNoBool      = errors.New("it is not a boolean")
)

// UnmarshalDecode decodes the next value of d with d's own options, which carry the tolerance if the first try failed.
func UnmarshalDecode(d *jsontext.Decoder, v any) error { return json.UnmarshalDecode(d, v) }

// decoder is a reusable decoder of bytes that are there already.
type decoder struct {
	jsontext.Decoder
	buffer bytes.Buffer
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func newDecoder(data []byte) *decoder {
	d := decoders.Get().(*decoder)
	// A Decoder reads a bytes.Buffer in place.
	d.buffer = *bytes.NewBuffer(data)
	d.Reset(&d.buffer, decodeOptions)
	return d
}

func (d *decoder) free() {
	d.buffer = bytes.Buffer{}
	d.Reset(&d.buffer)
	decoders.Put(d)
}

// DecodeElements decodes each element of a JSON array into a fresh T. The null array is an empty one. A sole value that is
// not an array counts as an array of one. The elements are put into the memory of into as far as it reaches.
//
// An array whose elements would take too much memory is refused with [ErrNoRoom].
func DecodeElements[T any](data []byte, into []T) ([]T, error) {
	return DecodeElementsWithin(context.Background(), data, into)
}

// elementsAtOnce is how many elements are decoded between two looks at the context.
const elementsAtOnce = 256

// DecodeElementsWithin is [DecodeElements] until the context ends, and then its cause.
func DecodeElementsWithin[T any](ctx context.Context, data []byte, into []T) ([]T, error) {
	if isCrowded(data, int(reflect.TypeFor[T]().Size())) {
		return nil, ErrNoRoom
	}
	d := newDecoder(data)
	defer d.free()
	switch d.PeekKind() {
	case 'n':
		return nil, nil
	case '[':
	default:
		items := append(into[:0], *new(T))
		return items, Unmarshal(data, &items[0])
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	if into == nil {
		into = []T{} // the empty list is not the null one
	}
	items := into[:0]
	for d.PeekKind() != ']' {
		if len(items)%elementsAtOnce == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		items = append(items, *new(T))
		err := json.UnmarshalDecode(&d.Decoder, &items[len(items)-1])
		if err == nil {
			continue
		}
		if isMismatch(err) {
			return decodeCarefully(ctx, data, into)
		}
		return nil, fmt.Errorf("element %d: %w", len(items)-1, err)
	}
	_, err := d.ReadToken()
	return items, err
}

// decodeCarefully is the slow twin of DecodeElements, for an array with an element whose form is not the usual one.
func decodeCarefully[T any](ctx context.Context, data []byte, into []T) ([]T, error) {
	d := newDecoder(data)
	defer d.free()
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	items := into[:0]
	for d.PeekKind() != ']' {
		if len(items)%elementsAtOnce == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		raw, err := d.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", len(items), err)
		}
		items = append(items, *new(T))
		if err := Unmarshal(raw, &items[len(items)-1]); err != nil {
			return nil, fmt.Errorf("element %d: %w", len(items)-1, err)
		}
	}
	_, err := d.ReadToken()
	return items, err
}

func isMismatch(err error) bool {
	var semantic *json.SemanticError
	return errors.As(err, &semantic)
}

func reset(v any) {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && !p.IsNil() {
		p.Elem().SetZero()
	}
}

// decodeLeniently reads a value whose JSON kind is not the one of its Go type, where a reading without loss exists.
func decodeLeniently(d *jsontext.Decoder, v any) error {
	target := reflect.ValueOf(v).Elem()
	kind := d.PeekKind()
	switch target.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return lenientNumber(d, kind, target)
	case reflect.Bool:
		return lenientBool(d, kind, target)
	case reflect.String:
		return lenientString(d, kind, target)
	case reflect.Slice:
		return lenientSlice(d, kind, target)
	case reflect.Pointer:
		return lenientPointer(d, kind, target)
	}
	return errors.ErrUnsupported
}

// lenientPointer reads an optional number or boolean: an empty text and an empty list are none, as null is.
func lenientPointer(d *jsontext.Decoder, kind jsontext.Kind, target reflect.Value) error {
	element := target.Type().Elem()
	isScalar := element.Kind() >= reflect.Bool && element.Kind() <= reflect.Float64
	if !isScalar || hasOwnDecoder(element) || (kind != '"' && kind != '[') {
		return errors.ErrUnsupported
	}
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if isEmptyValue(raw) {
		target.SetZero()
		return nil
	}
	value := reflect.New(element)
	if err := json.Unmarshal(raw, value.Interface(), lenientOptions); err != nil {
		return err
	}
	target.Set(value)
	return nil
}

// isEmptyValue reports whether raw is an empty text or list.
func isEmptyValue(raw jsontext.Value) bool {
	return string(raw) == `""` || raw.Kind() == '[' && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0
}

func hasOwnDecoder(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.UnmarshalerFrom]()) || p.Implements(reflect.TypeFor[json.Unmarshaler]())
}

func lenientNumber(d *jsontext.Decoder, kind jsontext.Kind, target reflect.Value) error {
	if hasOwnDecoder(target.Type()) || (kind != '0' && kind != '"' && kind != '[') {
		return errors.ErrUnsupported
	}
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if kind == '[' {
		return soleElement(raw, target)
	}
	if isEmptyValue(raw) {
		target.SetZero()
		return nil
	}
	text := string(raw)
	if kind == '"' {
		if text, err = strconv.Unquote(text); err != nil {
			return errNoNumber
		}
		text = strings.TrimSpace(text)
	}
	return SetNumber(target, text)
}

// SetNumber sets target, of a numeric kind, to the number in text. The integer may be written 12, 12.0 or 1e3; one with a fraction or
// outside the range of the type is an error.
func SetNumber(target reflect.Value, text string) error {
	switch {
	case target.CanInt():
		n, err := ParseInt(text)
		if err != nil {
			return err
		}
		if target.OverflowInt(n) {
			return errOutOfRange
		}
		target.SetInt(n)
	case target.CanUint():
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			i, ierr := ParseInt(text)
			if ierr != nil || i < 0 {
				return errNotUnsigned
			}
			n = uint64(i)
		}
		if target.OverflowUint(n) {
			return errOutOfRange
		}
		target.SetUint(n)
	default:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return errNoNumber
		}
		target.SetFloat(f)
	}
	return nil
}

// ParseInt reads a whole number, written as an integer or as a decimal without a fraction.
func ParseInt(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != float64(int64(f)) || f >= 1<<63 || f < -1<<63 {
		return 0, errNotWhole
	}
	if whole, fraction, found := strings.Cut(text, "."); found && strings.Trim(fraction, "0") == "" {
		return strconv.ParseInt(whole, 10, 64)
	}
	if f >= 1<<53 || f <= -1<<53 {
		return 0, errNotExact
	}
	return int64(f), nil
}

func lenientBool(d *jsontext.Decoder, kind jsontext.Kind, target reflect.Value) error {
	if hasOwnDecoder(target.Type()) || (kind != '0' && kind != '"' && kind != '[') {
		return errors.ErrUnsupported
	}
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if kind == '[' {
		return soleElement(raw, target)
	}
	if isEmptyValue(raw) {
		target.SetZero()
		return nil
	}
	b, err := strconv.ParseBool(strings.Trim(string(raw), `"`))
	if err != nil {
		return errNoBool
	}
	target.SetBool(b)
	return nil
}

func lenientString(d *jsontext.Decoder, kind jsontext.Kind, target reflect.Value) error {
	if hasOwnDecoder(target.Type()) {
		return errors.ErrUnsupported
	}
	switch kind {
	case '0', 't', 'f':
		raw, err := d.ReadValue()
		if err != nil {
			return err
		}
		target.SetString(string(raw))
		return nil
	case '[':
		raw, err := d.ReadValue()
		if err != nil {
			return err
		}
		return soleElement(raw, target)
	}
	return errors.ErrUnsupported
}

func lenientSlice(d *jsontext.Decoder, kind jsontext.Kind, target reflect.Value) error {
	if hasOwnDecoder(target.Type()) || kind == '[' || kind == 'n' || target.Type().Elem().Kind() == reflect.Uint8 {
		return errors.ErrUnsupported
	}
	one := reflect.MakeSlice(target.Type(), 1, 1)
	element := one.Index(0).Addr().Interface()
	if kind == '{' {
		// Read as it comes: types that hold lists of themselves would be read as often as they are deep.
		if err := json.UnmarshalDecode(d, element); err != nil {
			return err
		}
		target.Set(one)
		return nil
	}
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	if isEmptyValue(raw) {
		target.SetZero()
		return nil
	}
	if err := json.Unmarshal(raw, element, lenientOptions); err != nil {
		return err
	}
	target.Set(one)
	return nil
}

// soleElement sets target to the one element of the array raw. An empty array leaves the zero value. An array within the array is none: each level
// would be read as often as there are levels above it.
func soleElement(raw jsontext.Value, target reflect.Value) error {
	var elements []jsontext.Value
	if err := json.Unmarshal(raw, &elements, decodeOptions); err != nil {
		return err
	}
	switch len(elements) {
	case 0:
		target.SetZero()
		return nil
	case 1:
		if elements[0].Kind() == '[' {
			return errors.New("an array within an array where one value was expected")
		}
		return json.Unmarshal(elements[0], target.Addr().Interface(), lenientOptions)
	}
	return fmt.Errorf("an array of %d values where one was expected", len(elements))
}

// MarshalEncode writes v with e's own options.
func MarshalEncode(e *jsontext.Encoder, v any) error { return json.MarshalEncode(e, v) }

// WriteFilter writes a filter object: the members of is, and those of not under their names with a leading "!", which is how
// the API negates a condition. A nil not adds nothing.
func WriteFilter(e *jsontext.Encoder, is, not any) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	if err := writeMembers(e, "", is); err != nil {
		return err
	}
	if not != nil {
		if err := writeMembers(e, "!", not); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

func writeMembers(e *jsontext.Encoder, prefix string, object any) error {
	data, err := Marshal(object)
	if err != nil {
		return err
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(data), syntax)
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := e.WriteToken(jsontext.String(prefix + name.String())); err != nil {
			return err
		}
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		if err := e.WriteValue(value); err != nil {
			return err
		}
	}
	return nil
}
