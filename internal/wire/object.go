package wire

import (
	"bytes"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value jsontext.Value
}

// IsNothing reports whether the value is null or a zero: 0, false, an empty text or list, an object of such members.
func (m Member) IsNothing() bool {
	d := jsontext.NewDecoder(bytes.NewReader(m.Value), syntax)
	for {
		token, err := d.ReadToken()
		if err != nil {
			return err == io.EOF
		}
		switch token.Kind() {
		case 't':
			return false
		case '0':
			if token.String() != "0" {
				return false
			}
		case '"':
			if !IsName(d, token) && token.String() != "" {
				return false
			}
		case '[':
			if d.PeekKind() != ']' {
				return false
			}
		}
	}
}

// IsName reports whether token, which d has just read, is the name of a member.
func IsName(d *jsontext.Decoder, token jsontext.Token) bool {
	parent, n := d.StackIndex(d.StackDepth())
	return token.Kind() == '"' && parent == '{' && n%2 == 1
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
