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
	// bareIndex is a number where a parser should stand. No parser is named so; it is kept as it came.
	bareIndex
)

// NewStep returns the step of a parser without a key.
func NewStep(parser string) Step { return Step{Name: parser} }

// NamedStep returns the step of a parser that takes a name.
func NamedStep(parser, name string) Step { return Step{parser, stepKey{kind: nameKey, name: name}} }

// IndexedStep returns the step of a parser that takes an index.
func IndexedStep(parser string, index int) Step {
	return Step{parser, stepKey{kind: indexKey, number: strconv.Itoa(index)}}
}

// The steps below are those that rules use most; [NewStep], [NamedStep] and [IndexedStep] make all others. A parser that takes a key has
// a form for all keys and most have one for the keys themselves, see [AllOf] and [NamesOf].

// Header is the step for the request header name; names are written in upper case.
func Header(name string) Step { return NamedStep("header", upper(name)) }

// Cookie is the step for a cookie, after Header("COOKIE").
func Cookie(name string) Step { return NamedStep("cookie", name) }

// QueryParam is the step for a query parameter. The wire calls it get.
func QueryParam(name string) Step { return NamedStep("get", name) }

// PathSegment is the step for a part of the path, counted from 0; the last part is no path segment but [ActionName] and [ActionExt].
func PathSegment(index int) Step { return IndexedStep("path", index) }

// ActionName is the step for the last part of the path, up to its first dot.
func ActionName() Step { return NewStep("action_name") }

// ActionExt is the step for what follows the first dot of the last part of the path.
func ActionExt() Step { return NewStep("action_ext") }

// WholeURI is the step for path and query as one text.
func WholeURI() Step { return NewStep("uri") }

// RemoteAddr is the step for the address of the client. Only [RateLimit] takes it.
func RemoteAddr() Step { return NewStep("remote_addr") }

// RequestBody is the step for the body of the request. The wire calls it post.
func RequestBody() Step { return NewStep("post") }

// FormField is the step for a field of a form, after [RequestBody].
func FormField(name string) Step { return NamedStep("form_urlencoded", name) }

// MultipartField is the step for a part of a multipart body, after [RequestBody].
func MultipartField(name string) Step { return NamedStep("multipart", name) }

// UploadedFile is the step for an uploaded file, after [MultipartField].
func UploadedFile() Step { return NewStep("file") }

// JSONDoc is the step that reads what is before it as JSON.
func JSONDoc() Step { return NewStep("json_doc") }

// ObjectMember is the step for a member of an object, after [JSONDoc] and other readers of structure. The wire calls it hash.
func ObjectMember(name string) Step { return NamedStep("hash", name) }

// ArrayElement is the step for an element of an array. The wire calls it array.
func ArrayElement(index int) Step { return IndexedStep("array", index) }

// XMLDoc is the step that reads what is before it as XML.
func XMLDoc() Step { return NewStep("xml") }

// XMLTag is the step for an element of an XML document.
func XMLTag(name string) Step { return NamedStep("xml_tag", name) }

// XMLAttr is the step for an attribute of an XML element.
func XMLAttr(name string) Step { return NamedStep("xml_attr", name) }

// JWT is the step for a part of a JSON web token: jwt_prefix, jwt_header or jwt_payload.
func JWT(part string) Step { return NamedStep("jwt", part) }

// Base64 is the step that decodes what is before it from base64.
func Base64() Step { return NewStep("base64") }

// Percent is the step that decodes percent signs in what is before it.
func Percent() Step { return NewStep("percent") }

// Gzip is the step that decompresses what is before it.
func Gzip() Step { return NewStep("gzip") }

// GraphQL is the step that reads what is before it as GraphQL.
func GraphQL() Step { return NewStep("gql") }

// GRPC is the step for a message of a gRPC body, after [RequestBody].
func GRPC(index int) Step { return IndexedStep("grpc", index) }

// Protobuf is the step for a field of a protocol buffer, after [GRPC].
func Protobuf(field string) Step { return NamedStep("protobuf", field) }

// AllOf is the step for all values of a parser that takes a key, as in AllOf("get") for every query parameter.
func AllOf(parser string) Step { return NewStep(parser + "_all") }

// NamesOf is the step for the names of a parser that takes one, as in NamesOf("get") for the names of all query parameters.
func NamesOf(parser string) Step { return NewStep(parser + "_name") }

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
	case indexKey, bareIndex:
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
	case bareIndex:
		return []any{RawJSON(s.key.number)}
	}
	return []any{s.Name}
}

// keyOf says which parsers take a key, and of which kind: docs/wire/rules.md, section 4.2. All others stand alone.
var keyOf = map[string]keyKind{
	"header": nameKey, "cookie": nameKey, "get": nameKey, "hash": nameKey, "form_urlencoded": nameKey, "multipart": nameKey,
	"content_disp": nameKey, "response_header": nameKey, "jwt": nameKey, "json": nameKey, "json_obj": nameKey, "xml_tag": nameKey,
	"xml_attr": nameKey, "protobuf": nameKey, "gql_query": nameKey, "gql_mutation": nameKey, "gql_subscription": nameKey,
	"gql_fragment": nameKey, "gql_dir": nameKey, "gql_spread": nameKey, "gql_type": nameKey, "gql_var": nameKey,
	"viewstate_dict": nameKey, "viewstate_sparse_array": nameKey,

	"path": indexKey, "array": indexKey, "json_array": indexKey, "grpc": indexKey, "xml_pi": indexKey, "xml_dtd_entity": indexKey,
	"xml_tag_array": indexKey, "xml_comment": indexKey, "viewstate_array": indexKey, "viewstate_pair": indexKey,
	"viewstate_triplet": indexKey,
}

// named are the parsers whose names are never empty. Members of objects, parameters, fields and cookies may be called "".
var named = map[string]bool{"header": true, "response_header": true, "jwt": true, "xml_tag": true, "xml_attr": true}

// keyless are the parsers that are known to take no key.
var keyless = map[string]bool{
	"post": true, "json_doc": true, "xml": true, "uri": true, "action_name": true, "action_ext": true, "route": true, "remote_addr": true,
	"response_body": true, "file": true, "base64": true, "gzip": true, "htmljs": true, "percent": true, "hex": true, "pollution": true,
	"gql": true, "gql_alias": true, "gql_arg": true, "gql_inline": true, "viewstate": true, "viewstate_dict_key": true,
	"viewstate_dict_value": true, "protobuf_int32": true, "protobuf_int64": true, "protobuf_varint": true, "xml_dtd": true,
	"method": true, "scheme": true, "proto": true, "instance": true,
}

func takesNoKey(parser string) bool {
	return keyless[parser] || strings.HasSuffix(parser, "_all") || strings.HasSuffix(parser, "_name")
}

// isKnown reports whether the wire reference has the step's parser.
func (s Step) isKnown() bool {
	base := strings.TrimSuffix(strings.TrimSuffix(s.Name, "_all"), "_name")
	return keyOf[s.Name] != noKey || keyless[s.Name] || keyOf[base] != noKey
}

// validate checks that each step has the key that its parser takes. What may follow what is left to the server, and so are parsers that
// nobody has heard of.
func (p Point) validate(name string) error {
	if len(p) == 0 {
		return invalid(name, "it has no steps")
	}
	for i, step := range p.normalized() {
		switch want := keyOf[step.Name]; {
		case step.Name == "":
			return invalid(name, "step %d has no parser", i)
		case want == nameKey && step.key.kind != nameKey:
			return invalid(name, "step %d: %s takes a name", i, step.Name)
		case named[step.Name] && step.key.name == "":
			return invalid(name, "step %d: the name of the %s is empty", i, step.Name)
		case want == indexKey && step.key.kind != indexKey:
			return invalid(name, "step %d: %s takes an index", i, step.Name)
		case step.key.kind != noKey && takesNoKey(step.Name):
			return invalid(name, "step %d: %s takes no key", i, step.Name)
		case step.key.kind == indexKey && !isIndex(step.key.number):
			return invalid(name, "step %d: %s is no index of %s", i, clip(step.key.number), step.Name)
		}
	}
	return nil
}

// normalized returns p as the API stores it: header names in upper case, indexes as numbers even if they came in quotes.
func (p Point) normalized() Point {
	for i, step := range p {
		if step.normalized() == step {
			continue
		}
		p = slices.Clone(p)
		for ; i < len(p); i++ {
			p[i] = p[i].normalized()
		}
		break
	}
	return p
}

func (s Step) normalized() Step {
	switch {
	case s.key.kind != nameKey:
	case s.Name == "header":
		s.key.name = upper(s.key.name)
	case keyOf[s.Name] == indexKey && isIndex(s.key.name):
		s.key = stepKey{kind: indexKey, number: s.key.name}
	}
	return s
}

// isIndex reports whether text is a whole number as JSON writes it.
func isIndex(text string) bool { return isDigits(text) && (len(text) == 1 || text[0] != '0') }

// flatPoint is a Point that travels flat in requests too: in conditions, in the parameters of threshold controls.
type flatPoint Point

// MarshalJSONTo writes the flat form.
func (p flatPoint) MarshalJSONTo(e *jsontext.Encoder) error {
	return wire.MarshalEncode(e, Point(p).Flat())
}

// UnmarshalJSONFrom reads either form.
func (p *flatPoint) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return (*Point)(p).UnmarshalJSONFrom(d)
}

// MarshalJSONTo writes the form of requests, a list of steps.
func (p Point) MarshalJSONTo(e *jsontext.Encoder) error {
	steps := make([][]any, len(p))
	for i, step := range p.normalized() {
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
	var few [8]Step
	steps := Point(few[:0])
	for d.PeekKind() != ']' {
		if d.PeekKind() == '[' {
			var err error
			if steps, err = steps.readStep(d); err != nil {
				return err
			}
			continue
		}
		element, err := readElement(d)
		if err != nil {
			return err
		}
		steps = steps.with(element, 0)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	// With no room to spare: points are many and short.
	*p = make(Point, len(steps))
	copy(*p, steps)
	return nil
}

// with adds an element of a flat chain that begins at first. What follows a parser that takes a key is its key, whatever it looks like.
func (p Point) with(element stepKey, first int) Point {
	if last := len(p) - 1; last >= first && p[last].key.kind == noKey && element.isKeyOf(p[last].Name) {
		p[last].key = element
		return p
	}
	return append(p, element.step())
}

// isKeyOf reports whether the element is the key of the parser before it. A number is always a key.
func (k stepKey) isKeyOf(parser string) bool {
	return k.kind == indexKey || keyOf[parser] != noKey
}

func (k stepKey) text() string {
	if k.kind == nameKey {
		return k.name
	}
	return k.number
}

// step returns the step that the element begins.
func (k stepKey) step() Step {
	if k.kind == indexKey {
		return Step{key: stepKey{kind: bareIndex, number: k.number}}
	}
	return Step{Name: k.name}
}

// readStep adds one inner list: a parser and perhaps its key. A longer list is a flat chain of its own.
func (p Point) readStep(d *jsontext.Decoder) (Point, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	first, count := len(p), 0
	var last stepKey
	for ; d.PeekKind() != ']'; count++ {
		element, err := readElement(d)
		if err != nil {
			return nil, err
		}
		p, last = p.with(element, first), element
	}
	if count == 2 && len(p) == first+2 && p[first].key.kind == noKey {
		// Of a pair, the second is the key of a parser that nobody has heard of, too.
		p[first].key = last
		p = p[:first+1]
	}
	_, err := d.ReadToken()
	return p, err
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
