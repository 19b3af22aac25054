package wire

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value jsontext.Value
}

// IsNothing reports whether the value is null or a zero: 0, false, an empty text or list, an object of such members.
func (m Member) IsNothing() bool {
	switch string(m.Value) {
	case "null", "0", "false", `""`, "[]", "{}":
		return true
	}
	return m.Value.Kind() == '{' && isNothing(jsontext.NewDecoder(bytes.NewReader(m.Value), syntax))
}

// isNothing reads one value. Objects within objects are not taken apart: each level would cost what is below it.
func isNothing(d *jsontext.Decoder) bool {
	if d.PeekKind() != '{' {
		value, err := d.ReadValue()
		if err != nil {
			return false
		}
		text := string(value)
		return text == "null" || text == "0" || text == "false" || isEmptyValue(value)
	}
	if _, err := d.ReadToken(); err != nil {
		return false
	}
	for d.PeekKind() == '"' {
		if _, err := d.ReadToken(); err != nil || !isNothing(d) {
			return false
		}
	}
	_, err := d.ReadToken()
	return err == nil
}

// Members returns the members of the JSON object data, in their order. null has none.
func Members(data []byte) ([]Member, error) {
	d := jsontext.NewDecoder(bytes.NewReader(data), syntax)
	switch d.PeekKind() {
	case 'n':
		return nil, nil
	case '{':
	default:
		return nil, fmt.Errorf("want an object, not %v", d.PeekKind())
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var members []Member
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		m := Member{Name: name.String()}
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		m.Value = value.Clone()
		members = append(members, m)
	}
	_, err := d.ReadToken()
	return members, err
}

// Object writes members as one JSON object. Of members with the same name the first is written.
func Object(members []Member) (jsontext.Value, error) {
	written := make(map[string]struct{}, len(members))
	unique := make([]Member, 0, len(members))
	for _, m := range members {
		if _, twice := written[m.Name]; !twice {
			written[m.Name] = struct{}{}
			unique = append(unique, m)
		}
	}
	return object(unique, syntax)
}

func object(members []Member, options jsontext.Options) (jsontext.Value, error) {
	var b bytes.Buffer
	e := jsontext.NewEncoder(&b, options)
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return nil, err
	}
	for _, m := range members {
		if err := e.WriteToken(jsontext.String(m.Name)); err != nil {
			return nil, err
		}
		if err := e.WriteValue(m.Value); err != nil {
			return nil, err
		}
	}
	if err := e.WriteToken(jsontext.EndObject); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// JoinObjects encodes each of values, which must become objects, and writes their members as one request. As in [Marshal], a repeated name is an
// error.
func JoinObjects(values ...any) (jsontext.Value, error) {
	var all []Member
	for _, v := range values {
		if v == nil {
			continue
		}
		data, err := Marshal(v)
		if err != nil {
			return nil, err
		}
		members, err := Members(data)
		if err != nil {
			return nil, err
		}
		all = append(all, members...)
	}
	return object(all, strictSyntax)
}
