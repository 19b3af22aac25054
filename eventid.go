package wallarm

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// EventID identifies an attack or a hit: the index that holds it and its id there. On the wire it is a list of both or one text,
// "index:doc"; an EventID reads both and writes the form that it was read from, a list if it was made in Go. The form counts for ==: compare
// ids that may have come in different forms with [EventID.Equal].
type EventID struct {
	Index, Doc string
	form       eventIDForm
	// rest is what followed the two in a longer list, as JSON with a comma in front.
	rest string
}

type eventIDForm uint8

const (
	formPair eventIDForm = iota
	formJoined
	formSingle
)

// ParseEventID reads the form "index:doc".
func ParseEventID(text string) (EventID, error) {
	index, doc, ok := strings.Cut(text, ":")
	if !ok || index == "" || doc == "" {
		return EventID{}, invalid("event id", "%q is not of the form index:doc", clip(text))
	}
	return EventID{Index: index, Doc: doc}, nil
}

// String returns the form "index:doc".
func (id EventID) String() string {
	if id.Index == "" {
		return id.Doc
	}
	return id.Index + ":" + id.Doc
}

// key is what an iterator knows an event by, "" if it has no id: index:doc, unless another id has the same text.
func (id EventID) key() string {
	text := id.String()
	isClear := id.rest == "" && !strings.Contains(id.Index, ":") && (id.Index != "" || !strings.Contains(id.Doc, ":"))
	if isClear && !strings.HasPrefix(text, "\x00") {
		return text
	}
	return "\x00" + strconv.Quote(id.Index) + strconv.Quote(id.Doc) + id.rest
}

// Equal reports whether both name the same event, in whatever form they came.
func (id EventID) Equal(other EventID) bool {
	id.form, other.form = formPair, formPair
	return id == other
}

// IsZero reports whether there is no id.
func (id EventID) IsZero() bool { return id.Index == "" && id.Doc == "" }

func (id EventID) validate(name string) error {
	if id.Index == "" || id.Doc == "" {
		return invalid(name, "want an index and a document id, see ParseEventID")
	}
	return nil
}

func (id EventID) pair() []string { return []string{id.Index, id.Doc} }

// MarshalJSONTo writes the list or the text.
func (id EventID) MarshalJSONTo(e *jsontext.Encoder) error {
	switch {
	case id.form == formJoined:
		return e.WriteToken(jsontext.String(id.String()))
	case id.form == formSingle:
		return wire.MarshalEncode(e, []string{id.Doc})
	case id.rest != "":
		pair, err := wire.Marshal(id.pair())
		if err != nil {
			return err
		}
		return e.WriteValue(append(append(pair[:len(pair)-1], id.rest...), ']'))
	case id.IsZero():
		return wire.MarshalEncode(e, []string{})
	}
	return wire.MarshalEncode(e, id.pair())
}

// UnmarshalJSONFrom reads the list or the text.
func (id *EventID) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*id = EventID{}
	switch d.PeekKind() {
	case 'n', 'f':
		_, err := d.ReadToken()
		return err
	case '"':
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		id.form = formJoined
		var found bool
		text := token.String()
		if id.Index, id.Doc, found = strings.Cut(text, ":"); !found || id.Index == "" {
			// Without an index the text is the document's, a leading colon included: it is written back as it came.
			id.Index, id.Doc = "", text
		}
		return nil
	case '[':
	default:
		return fmt.Errorf("an event id is a list or a text, not %v", d.PeekKind())
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	var parts [2]string
	var rest []byte
	n := 0
	for ; d.PeekKind() != ']'; n++ {
		if n >= len(parts) {
			value, err := d.ReadValue()
			if err != nil {
				return err
			}
			rest = append(append(rest, ','), value...)
			continue
		}
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		switch token.Kind() {
		case '"', '0':
			parts[n] = token.String()
		case 'n':
		default:
			return fmt.Errorf("an event id holds texts, not %v", token.Kind())
		}
	}
	id.rest = string(rest)
	if id.Index, id.Doc = parts[0], parts[1]; n == 1 {
		id.Index, id.Doc, id.form = "", parts[0], formSingle
	}
	_, err := d.ReadToken()
	return err
}

// MarshalJSON writes the list or the text.
func (id EventID) MarshalJSON() ([]byte, error) { return wire.Marshal(id) }

// UnmarshalJSON reads the list or the text.
func (id *EventID) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, id) }

// eventIDs travels as one pair if it holds one id, else as a list of pairs.
type eventIDs []EventID

func (ids eventIDs) MarshalJSONTo(e *jsontext.Encoder) error {
	if len(ids) == 1 {
		return wire.MarshalEncode(e, ids[0].pair())
	}
	return pairs(ids).MarshalJSONTo(e)
}

// pairs travels as a list of pairs.
type pairs []EventID

func (ids pairs) MarshalJSONTo(e *jsontext.Encoder) error {
	list := make([][]string, len(ids))
	for i, id := range ids {
		list[i] = id.pair()
	}
	return wire.MarshalEncode(e, list)
}
