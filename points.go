package wallarm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// Point says which part of a request is meant: a chain of parser steps, such as the header HOST, or in the body, read as JSON,
// the member user of its object.
//
// The wire has two forms, [["post"],["json_doc"],["hash","user"]] and the flat ["post","json_doc","hash","user"]. A Point reads both. It
// travels in the first form when a rule is made, and is written back flat, which is how all answers have it.
type Point []Step

// Step is one parser of a [Point], with the key that it takes: a name, an index, or none.
type Step struct {
	// Name is the parser, such as "header", "json_doc" or "array_all".
	Name string
	key  stepKey
}

type stepKey struct {
	kind keyKind
	name string
	// number is an index in the digits in which it came.
	number string
}

type keyKind uint8

const (
	noKey keyKind = iota
	nameKey
	indexKey
)

// NewStep returns the step of a parser without a key.
func NewStep(parser string) Step { return Step{Name: parser} }

// NamedStep returns the step of a parser that takes a name.
func NamedStep(parser, name string) Step { return Step{parser, stepKey{kind: nameKey, name: name}} }

// IndexedStep returns the step of a parser that takes an index.
func IndexedStep(parser string, index int) Step {
	return Step{parser, stepKey{kind: indexKey, number: strconv.Itoa(index)}}
}

// Header is the step for the request header name; names are written in upper case.
func Header(name string) Step { return NamedStep("header", strings.ToUpper(name)) }

// Key returns the name that the step's parser takes, if it takes one.
func (s Step) Key() (string, bool) { return s.key.name, s.key.kind == nameKey }

// Index returns the index that the step's parser takes, if it takes one.
func (s Step) Index() (int64, bool) {
	if s.key.kind != indexKey {
		return 0, false
	}
	n, err := strconv.ParseInt(s.key.number, 10, 64)
	return n, err == nil
}

// String returns the step as in header(HOST) or array(0).
func (s Step) String() string {
	switch s.key.kind {
	case nameKey:
		return s.Name + "(" + s.key.name + ")"
	case indexKey:
		return s.Name + "(" + s.key.number + ")"
	}
	return s.Name
}

// String returns the steps joined by dots.
func (p Point) String() string {
	parts := make([]string, len(p))
	for i, step := range p {
		parts[i] = step.String()
	}
	return strings.Join(parts, ".")
}

// Flat returns the flat form: parsers and keys in one list, names as string, indexes as RawJSON.
func (p Point) Flat() []any {
	if p == nil {
		return nil
	}
	flat := make([]any, 0, 2*len(p))
	for _, step := range p {
		flat = append(flat, step.elements()...)
	}
	return flat
}

func (s Step) elements() []any {
	switch s.key.kind {
	case nameKey:
		return []any{s.Name, s.key.name}
	case indexKey:
		return []any{s.Name, RawJSON(s.key.number)}
	}
	return []any{s.Name}
}

// stringKeyed and indexKeyed are the parsers that take a key, docs/wire/rules.md, section 4.2. All others stand alone.
var (
	stringKeyed = []string{
		"header", "cookie", "get", "hash", "form_urlencoded", "multipart", "content_disp", "response_header", "jwt", "json",
		"json_obj", "xml_tag", "xml_attr", "protobuf", "gql_query", "gql_mutation", "gql_subscription", "gql_fragment", "gql_dir",
		"gql_spread", "gql_type", "gql_var", "viewstate_dict", "viewstate_sparse_array",
	}
	indexKeyed = []string{
		"path", "array", "json_array", "grpc", "xml_pi", "xml_dtd_entity", "xml_tag_array", "xml_comment", "viewstate_array",
		"viewstate_pair", "viewstate_triplet",
	}
)

func takesName(parser string) bool  { return slices.Contains(stringKeyed, parser) }
func takesIndex(parser string) bool { return slices.Contains(indexKeyed, parser) }

// validate checks that each step has the key that its parser takes. What may follow what is left to the server.
func (p Point) validate(name string) error {
	if len(p) == 0 {
		return invalid(name, "it has no steps")
	}
	for i, step := range p {
		switch {
		case step.Name == "":
			return invalid(name, "step %d has no parser", i)
		case takesName(step.Name) && step.key.kind != nameKey:
			return invalid(name, "step %d: %s takes a name", i, step.Name)
		case takesIndex(step.Name) && step.key.kind != indexKey:
			return invalid(name, "step %d: %s takes an index", i, step.Name)
		case step.key.kind == indexKey && strings.HasPrefix(step.key.number, "-"):
			return invalid(name, "step %d: the index of %s is negative", i, step.Name)
		}
	}
	return nil
}

// MarshalJSONTo writes the form of requests, a list of steps.
func (p Point) MarshalJSONTo(e *jsontext.Encoder) error {
	steps := make([][]any, len(p))
	for i, step := range p {
		steps[i] = step.elements()
	}
	return wire.MarshalEncode(e, steps)
}

// MarshalJSON writes the flat form.
func (p Point) MarshalJSON() ([]byte, error) {
	if p == nil {
		return []byte("null"), nil
	}
	return wire.Marshal(p.Flat())
}

// UnmarshalJSON reads either form.
func (p *Point) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p) }

// UnmarshalJSONFrom reads either form.
func (p *Point) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*p = nil
	switch d.PeekKind() {
	case 'n':
		_, err := d.ReadToken()
		return err
	case '"':
		// A chain of one step that was not put into a list.
		element, err := readElement(d)
		*p = Point{{Name: element.name}}
		return err
	case '[':
	default:
		return fmt.Errorf("a point is a list, not %v", d.PeekKind())
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	steps := make(Point, 0, 4)
	for d.PeekKind() != ']' {
		if d.PeekKind() == '[' {
			step, err := readStep(d)
			if err != nil {
				return err
			}
			steps = append(steps, step...)
			continue
		}
		element, err := readElement(d)
		if err != nil {
			return err
		}
		// In the flat form, what follows a parser that takes a key is its key, whatever it looks like.
		if n := len(steps); n > 0 && steps[n-1].key.kind == noKey && element.isKeyOf(steps[n-1].Name) {
			steps[n-1].key = element
			continue
		}
		steps = append(steps, Step{Name: element.text()})
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	*p = steps
	return nil
}

// isKeyOf reports whether the element is the key of the parser before it. A number is always a key.
func (k stepKey) isKeyOf(parser string) bool {
	return k.kind == indexKey || takesName(parser) || takesIndex(parser)
}

func (k stepKey) text() string {
	if k.kind == indexKey {
		return k.number
	}
	return k.name
}

// readStep reads one inner list: a parser and perhaps its key. A longer list is a flat chain of its own.
func readStep(d *jsontext.Decoder) (Point, error) {
	var elements []stepKey
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	for d.PeekKind() != ']' {
		element, err := readElement(d)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var steps Point
	for i := 0; i < len(elements); i++ {
		step := Step{Name: elements[i].text()}
		if i+1 < len(elements) && (len(elements) == 2 || elements[i+1].isKeyOf(step.Name)) {
			i++
			step.key = elements[i]
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func readElement(d *jsontext.Decoder) (stepKey, error) {
	token, err := d.ReadToken()
	if err != nil {
		return stepKey{}, err
	}
	switch token.Kind() {
	case '"':
		return stepKey{kind: nameKey, name: token.String()}, nil
	case '0':
		return stepKey{kind: indexKey, number: token.String()}, nil
	}
	return stepKey{}, fmt.Errorf("a point holds names and numbers, not %v", token.Kind())
}
