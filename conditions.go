package wallarm

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// maxConditions is how many conditions the API takes in one scope.
const maxConditions = 60

// ConditionType is how a condition compares. New types may appear: an unknown one is kept.
type ConditionType string

const (
	// ConditionEqual wants the exact value.
	ConditionEqual ConditionType = "equal"
	// ConditionIEqual wants the value in any letter case; the API stores it in lower case.
	ConditionIEqual ConditionType = "iequal"
	// ConditionRegex wants a value that matches a PIRE expression, which has no look-around, back-references or lazy quantifiers. Sources
	// disagree on classes such as \d: write [0-9].
	ConditionRegex ConditionType = "regex"
	// ConditionAbsent wants the part to be missing; it has no value.
	ConditionAbsent ConditionType = "absent"
)

// Condition is one condition of a scope: a part of the request and what it must be. [Scope] builds most of them.
type Condition struct {
	// Type is how to compare; "" counts as ConditionEqual.
	Type ConditionType
	// Point is the part of the request: one step, with one of the parsers header, path, action_name, action_ext, method, scheme, proto,
	// uri, get and instance.
	Point Point
	// Value is what to compare with, a text even where it is a number. It is empty for ConditionAbsent.
	Value string
	// Extra holds all other members.
	Extra Extra
}

// wireCondition is a Condition as it travels: its point is flat in requests too.
type wireCondition struct {
	Type  ConditionType `json:"type,omitzero"`
	Point flatPoint     `json:"point"`
	Value *string       `json:"value,omitzero"`
	Extra Extra         `json:",embed"`
}

func (c Condition) wire() wireCondition {
	w := wireCondition{c.Type, flatPoint(c.Point), &c.Value, c.Extra}
	if c.Type == ConditionAbsent {
		w.Value = nil
	}
	return w
}

// MarshalJSONTo writes the condition object.
func (c Condition) MarshalJSONTo(e *jsontext.Encoder) error { return wire.MarshalEncode(e, c.wire()) }

// MarshalJSON writes the condition object.
func (c Condition) MarshalJSON() ([]byte, error) { return wire.MarshalEcho(c.wire()) }

// UnmarshalJSON reads a condition object and keeps unknown members.
func (c *Condition) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads a condition object and keeps unknown members.
func (c *Condition) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var w wireCondition
	if err := wire.UnmarshalDecode(d, &w); err != nil {
		return err
	}
	*c = Condition{Type: w.Type, Point: Point(w.Point), Extra: w.Extra}
	if w.Value != nil {
		c.Value = *w.Value
	}
	return nil
}

// normalized returns c in the form in which the API stores it.
func (c Condition) normalized() Condition {
	if c.Type == "" {
		c.Type = ConditionEqual
	}
	c.Point = c.Point.normalized()
	if c.Type == ConditionEqual && c.isHost() {
		c.Type = ConditionIEqual
	}
	switch c.Type {
	case ConditionIEqual:
		c.Value = lower(c.Value)
	case ConditionAbsent:
		c.Value = ""
	}
	// Old answers carry a weight, which must not be sent.
	if _, ok := c.Extra["weight"]; ok {
		extra := make(Extra, len(c.Extra))
		for name, value := range c.Extra {
			if name != "weight" {
				extra[name] = value
			}
		}
		c.Extra = extra
	}
	return c
}

// root returns the parser of the condition's point, and its key or index as text.
func (c Condition) root() (parser, key string) {
	if len(c.Point) == 0 {
		return "", ""
	}
	return c.Point[0].Name, c.Point[0].key.text()
}

func (c Condition) isHost() bool {
	parser, key := c.root()
	return parser == "header" && strings.EqualFold(key, "HOST")
}

func (c Condition) validate() error {
	parser, _ := c.root()
	if len(c.Point) != 1 {
		return invalid("condition", "its point has %d steps, want one", len(c.Point))
	}
	if err := c.validateValue("condition"); err != nil {
		return err
	}
	switch {
	case parser == "remote_addr":
		return invalid("condition", "remote_addr is no condition; threshold controls take addresses as advanced conditions on ip")
	case !conditionRoots[parser] && (keyOf[parser] != noKey || takesNoKey(parser)):
		return invalid("condition", "%s is no part of a request that scopes look at", parser)
	}
	return c.Point.validate("condition")
}

// validateValue checks that the value goes with the type, and that all is text. The conditions of endpoints, which know other points, are checked by it too.
func (c Condition) validateValue(name string) error {
	switch {
	case c.Type == ConditionAbsent && c.Value != "":
		return invalid(name, "%s shall be absent and have the value %q", c.Point, clip(c.Value))
	case !utf8.ValidString(c.Value):
		return invalid(name, "%s has a value that is not UTF-8", c.Point)
	case c.Type == ConditionRegex && c.Value == "":
		return invalid(name, "%s has an empty expression", c.Point)
	}
	for member, value := range c.Extra {
		// Elsewhere raw values are mended on their way. What a request must meet shall not be another text than the one that was given.
		if !value.IsValid(jsontext.AllowDuplicateNames(true)) {
			return invalid(name, "the member %q of %s is no JSON value in UTF-8", clip(member), c.Point)
		}
	}
	return nil
}

// conditionRoots are the parsers of condition points: docs/wire/rules.md, section 3.2. One that is known to be none of them is refused, one that
// nobody has heard of is left to the server.
var conditionRoots = map[string]bool{
	"header": true, "path": true, "action_name": true, "action_ext": true, "method": true, "scheme": true, "proto": true, "uri": true,
	"get": true, "instance": true,
}

// String returns the condition for people, as in header(HOST) iequal "shop.example.com".
func (c Condition) String() string {
	kind := c.Type
	if kind == "" {
		kind = ConditionEqual
	}
	if kind == ConditionAbsent {
		return c.Point.String() + " absent"
	}
	return c.Point.String() + " " + string(kind) + " " + quoted(c.Value)
}

// Conditions are the conditions of a scope; a request must meet all of them. An empty list is the default branch: every request. The order
// means nothing.
type Conditions []Condition

// Normalized returns the conditions in the form in which the API stores them: header names in upper case, values that are compared in any
// letter case in lower case, the Host header always compared so, no repetitions.
func (c Conditions) Normalized() Conditions {
	normal := make(Conditions, 0, len(c))
	known := make(map[string]struct{}, len(c))
	for _, condition := range c {
		condition = condition.normalized()
		text := condition.hashText()
		if len(condition.Extra) > 0 {
			extra, _ := wire.MarshalEcho(condition.Extra) // what cannot be encoded cannot be sent either
			text += string(extra)
		}
		if _, twice := known[text]; !twice {
			known[text] = struct{}{}
			normal = append(normal, condition)
		}
	}
	return normal
}

// prepared returns the conditions in normal form, or what is wrong with them as they were given.
func (c Conditions) prepared() (Conditions, error) {
	for _, condition := range c {
		if err := condition.validate(); err != nil {
			return nil, err
		}
	}
	normal := c.Normalized()
	return normal, normal.Validate()
}

// Validate checks what the API would refuse: more than 60 conditions, points that are no condition points, and a condition on the whole URI
// beside one on a part of it.
func (c Conditions) Validate() error {
	if len(c) > maxConditions {
		return invalid("conditions", "%d of them, the API takes %d", len(c), maxConditions)
	}
	uri, part := false, ""
	for _, condition := range c {
		if err := condition.validate(); err != nil {
			return err
		}
		switch parser, _ := condition.root(); parser {
		case "uri":
			uri = true
		case "path", "action_name", "action_ext", "get":
			part = parser
		}
	}
	if uri && part != "" {
		return invalid("conditions", "uri stands for path and query together, so %s cannot stand beside it", part)
	}
	return nil
}

// hashText is the text of which the hash of conditions is made.
func (c Condition) hashText() string {
	var b strings.Builder
	point, err := wire.Marshal(flatPoint(c.Point))
	if err != nil {
		// It holds a text that is not UTF-8, and can be compared though not be sent.
		point, _ = wire.MarshalEcho(flatPoint(c.Point))
	}
	b.WriteString(`[["point",` + quoted(string(point)) + `],["type",` + quoted(string(c.Type)) + `],["value",`)
	if c.Type == ConditionAbsent {
		b.WriteString("null")
	} else {
		b.WriteString(quoted(c.Value))
	}
	b.WriteString("]]")
	return b.String()
}

// quoted returns s as a JSON text.
func quoted(s string) string {
	text, _ := wire.MarshalEcho(s) // which never fails on a text
	return string(text)
}

// hashTexts returns the sorted texts of the normalized conditions: equal sets have equal ones.
func (c Conditions) hashTexts() []string {
	normal := c.Normalized()
	texts := make([]string, len(normal))
	for i, condition := range normal {
		texts[i] = condition.hashText()
	}
	slices.Sort(texts)
	return slices.Compact(texts) // the API does not know what the rest of a condition means
}

// Equal reports whether both are the same scope: the same conditions in any order.
func (c Conditions) Equal(other Conditions) bool {
	return slices.Equal(c.hashTexts(), other.hashTexts())
}

// Hash returns the identity of a scope within its client: the API keeps one scope for each set of conditions. It is not part of the API; the
// vendor's Terraform provider checked it against stored values. Whether the API escapes <, > and & in it, or anything outside ASCII, is
// unknown: where such a hash finds nothing, compare with [Conditions.Equal].
func (c Conditions) Hash() string {
	sum := sha256.Sum256([]byte("not_null" + strings.Join(c.hashTexts(), ",")))
	return hex.EncodeToString(sum[:])
}
