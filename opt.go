package wallarm

import (
	"fmt"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-querystring/query"

	"github.com/wallarm-sdk/wallarm/internal/redact"
	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// RawJSON is one JSON value as it travels.
type RawJSON = jsontext.Value

// Extra holds the members of a JSON object that the SDK has no field for: the API gets new data before anybody documents it. They are
// written back when the object is, null and empty ones too. Members with a field are written back if they have a value: one that came as null, 0,
// false, "" or an empty list may be left out, and one that did not come may be written with such a value.
//
// A value that the API sends only inside of another one, an [IPCount] of an attack for example, has no JSON methods of its own: encode and decode it as
// part of that, or by itself with github.com/go-json-experiment/json. Package encoding/json of Go 1.26 does not know what Extra is, and would write it
// as a member of that name.
//
// What is read keeps what it says, not its form: 12 and "12", 1000 and 1e3, "x" and ["x"] may be one. Of three things more is lost: of members of one name in an object the last counts, null in a list of texts or numbers is
// "" or 0, and what is not UTF-8 in a text becomes U+FFFD. [Client.Call] into a [RawJSON] returns the bytes as they came.
//
// In a request they are sent beside the fields. A name that one of these sends too, or that the SDK adds itself, is refused with
// [ErrInvalidArgument]. A value that is not UTF-8, as answers about attacks may hold, is sent with U+FFFD in its place, so that what was read can be
// written back; in the conditions of rules, policies and endpoints it is refused.
type Extra map[string]RawJSON

// Format prints the members as JSON, for every verb but %w and %p, with the values masked whose names are those of secrets: nobody knows what a new member of
// the API holds. Marshalling shows them all, and so do %w and %p, for which package fmt asks nobody how to print: it prints the numbers of the bytes.
func (e Extra) Format(f fmt.State, _ rune) {
	data, err := wire.MarshalEcho(map[string]RawJSON(e))
	if err != nil || len(e) == 0 {
		data = []byte("{}")
	}
	_, _ = f.Write(redact.Body(data))
}

// Opt is an optional value that tells three things apart: absent (the zero Opt), null, and a value, which may be zero. In an
// update, absent leaves the field as it is, null clears it, and a value sets it, false and 0 included.
type Opt[T any] struct {
	value T
	state optState
}

type optState uint8

const (
	optAbsent optState = iota
	optNull
	optValue
)

// Set returns an Opt with a value.
func Set[T any](value T) Opt[T] { return Opt[T]{value, optValue} }

// Null returns an Opt that travels as JSON null.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Get returns the value, and whether there is one.
func (o Opt[T]) Get() (T, bool) { return o.value, o.state == optValue }

// Or returns the value, or fallback if there is none.
func (o Opt[T]) Or(fallback T) T {
	if o.state == optValue {
		return o.value
	}
	return fallback
}

// IsZero reports whether o is absent.
func (o Opt[T]) IsZero() bool { return o.state == optAbsent }

// IsNull reports whether o is null.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// Format prints the value, "absent" or "null". Package fmt reaches into private fields without asking them, so that a secret in there would show.
func (o Opt[T]) Format(f fmt.State, verb rune) {
	switch o.state {
	case optValue:
		fmt.Fprintf(f, fmt.FormatString(f, verb), o.value)
	case optNull:
		fmt.Fprint(f, "null")
	default:
		fmt.Fprint(f, "absent")
	}
}

// MarshalJSONTo writes the value or null.
func (o Opt[T]) MarshalJSONTo(e *jsontext.Encoder) error {
	if o.state != optValue {
		return e.WriteToken(jsontext.Null)
	}
	return json.MarshalEncode(e, &o.value)
}

// UnmarshalJSONFrom reads a value or null.
func (o *Opt[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == 'n' {
		*o = Null[T]()
		_, err := d.ReadToken()
		return err
	}
	err := wire.UnmarshalDecode(d, &o.value)
	o.read()
	return err
}

// MarshalJSON writes the value or null.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != optValue {
		return []byte("null"), nil
	}
	return wire.MarshalEcho(o.value)
}

// UnmarshalJSON reads a value or null.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*o = Null[T]()
		return nil
	}
	err := wire.Unmarshal(data, &o.value)
	o.read()
	return err
}

// read notes that there is a value, unless it is a time that the API left empty in another way than by null: as "" or false.
func (o *Opt[T]) read() {
	o.state = optValue
	if t, ok := any(&o.value).(*Timestamp); ok && t.IsZero() {
		*o = Null[T]()
	}
}

// EncodeValues writes the value into a query; null is an empty value there.
func (o Opt[T]) EncodeValues(key string, values *url.Values) error {
	switch o.state {
	case optAbsent:
		return nil
	case optNull:
		values.Set(key, "")
		return nil
	}
	one, err := query.Values(struct {
		V T `url:"v"`
	}{o.value})
	if err != nil {
		return err
	}
	for _, v := range one["v"] {
		values.Add(key, v)
	}
	return nil
}
