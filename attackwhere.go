package wallarm

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// AttackWhere is a condition of the Attacks API: an [AttackCondition], an [AttackGroup] or an [AttackSQL]. Methods of [AttackColumn] make
// conditions, [MatchAll], [MatchAny] and [MatchNot] combine them:
//
//	wallarm.MatchAll(
//		wallarm.ColumnHost.In("shop.example.net", "*.pay.example.net"),
//		wallarm.MatchNot(wallarm.ColumnCountry.Is("NL")),
//		wallarm.ColumnRequests.Over(25),
//	)
type AttackWhere interface {
	// inspect checks the tree from here down, at a depth, and adds up what it finds.
	inspect(depth int, found *whereFacts) error
	// negated returns the opposite.
	negated() AttackWhere
}

// AttackOperator compares a column with values.
type AttackOperator string

const (
	OperatorEqual      AttackOperator = "="
	OperatorNotEqual   AttackOperator = "!="
	OperatorIn         AttackOperator = "in"
	OperatorOver       AttackOperator = ">"
	OperatorUnder      AttackOperator = "<"
	OperatorAtLeast    AttackOperator = ">="
	OperatorAtMost     AttackOperator = "<="
	OperatorIsEmpty    AttackOperator = "is_empty"
	OperatorIsNotEmpty AttackOperator = "is_not_empty"
)

const (
	// ValueNone stands for the empty value in a condition.
	ValueNone = "__none__"
	// ValueOther stands for everything that has no value of its own, in columns with fixed values.
	ValueOther = "__other__"
)

// AttackCondition compares a column with values.
type AttackCondition struct {
	Field AttackColumn
	// Key is the name of the parameter, for ColumnContextParam only.
	Key string
	Op  AttackOperator
	// Values are texts, numbers too. In text columns, * and ? in the values of =, != and in match any text and any character. Whether
	// a value without them must be equal, or may be part of the text, is something that sources disagree on.
	Values []string
}

// AttackGroup combines conditions.
type AttackGroup struct {
	// Any says that one of the children is enough, rather than all of them.
	Any      bool
	Children []AttackWhere
}

// AttackSQL is a condition as the text that stands behind WHERE. Neither its dialect nor how it escapes is documented: never build one from
// what a user entered. It must be the whole condition.
type AttackSQL string

// MatchAll holds if all of the conditions hold.
func MatchAll(conditions ...AttackWhere) AttackGroup { return AttackGroup{Children: conditions} }

// MatchAny holds if one of the conditions holds. Metrics and other columns cannot be mixed below it.
func MatchAny(conditions ...AttackWhere) AttackGroup {
	return AttackGroup{Any: true, Children: conditions}
}

// MatchNot holds if condition does not. The API has no negation: the result is the opposite condition, written with the opposite operators.
func MatchNot(condition AttackWhere) AttackWhere {
	if condition == nil {
		return nil
	}
	return condition.negated()
}

// Is is the condition that the column is value.
func (c AttackColumn) Is(value string) AttackCondition { return c.compare(OperatorEqual, value) }

// IsNot is the condition that the column is not value.
func (c AttackColumn) IsNot(value string) AttackCondition { return c.compare(OperatorNotEqual, value) }

// In is the condition that the column is one of values.
func (c AttackColumn) In(values ...string) AttackCondition { return c.compare(OperatorIn, values...) }

// IsEmpty is the condition that the column has no value.
func (c AttackColumn) IsEmpty() AttackCondition { return c.Is(ValueNone) }

// IsNotEmpty is the condition that the column has a value.
func (c AttackColumn) IsNotEmpty() AttackCondition { return c.IsNot(ValueNone) }

// Equals is the condition that a column of numbers is n.
func (c AttackColumn) Equals(n float64) AttackCondition { return c.Is(number(n)) }

// Over is the condition that the column is more than n.
func (c AttackColumn) Over(n float64) AttackCondition { return c.compare(OperatorOver, number(n)) }

// Under is the condition that the column is less than n.
func (c AttackColumn) Under(n float64) AttackCondition { return c.compare(OperatorUnder, number(n)) }

// AtLeast is the condition that the column is n or more.
func (c AttackColumn) AtLeast(n float64) AttackCondition {
	return c.compare(OperatorAtLeast, number(n))
}

// AtMost is the condition that the column is n or less.
func (c AttackColumn) AtMost(n float64) AttackCondition { return c.compare(OperatorAtMost, number(n)) }

// Since is the condition that a column of times is t or later. The form of times in conditions is not documented; RFC 3339 is sent.
func (c AttackColumn) Since(t time.Time) AttackCondition {
	return c.compare(OperatorAtLeast, t.UTC().Format(time.RFC3339))
}

// Before is the condition that a column of times is earlier than t. See Since for the form.
func (c AttackColumn) Before(t time.Time) AttackCondition {
	return c.compare(OperatorUnder, t.UTC().Format(time.RFC3339))
}

func (c AttackColumn) compare(op AttackOperator, values ...string) AttackCondition {
	return AttackCondition{Field: c, Op: op, Values: values}
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// ContextParam is the context parameter called key, to compare. What a context parameter is, is set up in API Sessions.
func ContextParam(key string) ContextColumn { return ContextColumn{key} }

// ContextColumn is a context parameter. Its methods make conditions.
type ContextColumn struct{ key string }

// Is is the condition that the parameter is value.
func (c ContextColumn) Is(value string) AttackCondition { return c.compare(OperatorEqual, value) }

// IsNot is the condition that the parameter is not value.
func (c ContextColumn) IsNot(value string) AttackCondition {
	return c.compare(OperatorNotEqual, value)
}

// In is the condition that the parameter is one of values.
func (c ContextColumn) In(values ...string) AttackCondition { return c.compare(OperatorIn, values...) }

// IsEmpty is the condition that the parameter is missing or empty.
func (c ContextColumn) IsEmpty() AttackCondition { return c.compare(OperatorIsEmpty) }

// IsNotEmpty is the condition that the parameter has a value.
func (c ContextColumn) IsNotEmpty() AttackCondition { return c.compare(OperatorIsNotEmpty) }

func (c ContextColumn) compare(op AttackOperator, values ...string) AttackCondition {
	return AttackCondition{Field: ColumnContextParam, Key: c.key, Op: op, Values: values}
}

// MarshalJSONTo writes the condition.
func (c AttackCondition) MarshalJSONTo(e *jsontext.Encoder) error {
	return wire.MarshalEncode(e, struct {
		Kind   string         `json:"kind"`
		Field  AttackColumn   `json:"field"`
		Key    string         `json:"key,omitzero"`
		Op     AttackOperator `json:"op"`
		Values []string       `json:"values"`
	}{"condition", c.Field, c.Key, c.Op, c.Values})
}

// MarshalJSONTo writes the group.
func (g AttackGroup) MarshalJSONTo(e *jsontext.Encoder) error {
	op := "and"
	if g.Any {
		op = "or"
	}
	return wire.MarshalEncode(e, struct {
		Kind     string        `json:"kind"`
		Op       string        `json:"op"`
		Children []AttackWhere `json:"children"`
	}{"group", op, g.Children})
}

// What the API takes at most in one condition.
const (
	whereMostLevels = 10
	whereMostNodes  = 100
)

// whereFacts is what is known of a part of a tree.
type whereFacts struct {
	nodes int
	// metrics and others say whether there are conditions on metrics and on other columns.
	metrics, others bool
}

func checkWhere(w AttackWhere) error {
	if w == nil {
		return nil
	}
	if text, ok := w.(AttackSQL); ok {
		if text == "" {
			return invalid("where", "it is empty")
		}
		return nil
	}
	return w.inspect(1, &whereFacts{})
}

func (f *whereFacts) count(depth int) error {
	f.nodes++
	switch {
	case depth > whereMostLevels:
		return invalid("where", "it is more than %d levels deep", whereMostLevels)
	case f.nodes > whereMostNodes:
		return invalid("where", "it has more than %d conditions and groups", whereMostNodes)
	}
	return nil
}

func (c AttackCondition) inspect(depth int, found *whereFacts) error {
	if err := found.count(depth); err != nil {
		return err
	}
	if c.Field.isMetric() {
		found.metrics = true
	} else {
		found.others = true
	}
	name := "where." + string(c.Field)
	switch {
	case c.Field == "":
		return invalid("where", "a condition has no field")
	case c.Field == ColumnContextParam && c.Key == "":
		return invalid(name, "it needs a key, see ContextParam")
	case c.Field != ColumnContextParam && c.Key != "":
		return invalid(name, "it takes no key")
	case c.Op == "":
		return invalid(name, "it has no operator")
	case c.Op == OperatorIsEmpty, c.Op == OperatorIsNotEmpty:
		if c.Field != ColumnContextParam {
			return invalid(name, "%s is for context parameters; compare with ValueNone", c.Op)
		}
		return nil
	case len(c.Values) == 0:
		return invalid(name, "it has no values")
	}
	return c.inspectValues(name)
}

func (c AttackCondition) inspectValues(name string) error {
	switch c.Op {
	case OperatorOver, OperatorUnder, OperatorAtLeast, OperatorAtMost:
		if len(c.Values) != 1 {
			return invalid(name, "%s takes one value", c.Op)
		}
	}
	if c.Field != ColumnPayloadSearch && c.Field != ColumnParameterSearch {
		return nil
	}
	switch {
	case c.Op != OperatorEqual && c.Op != OperatorNotEqual:
		return invalid(name, "it takes = and != only")
	case len(c.Values) != 1:
		return invalid(name, "it takes one value")
	case utf8.RuneCountInString(c.Values[0]) < 3:
		return invalid(name, "it takes at least 3 characters")
	}
	return nil
}

func (g AttackGroup) inspect(depth int, found *whereFacts) error {
	if err := found.count(depth); err != nil {
		return err
	}
	if len(g.Children) == 0 {
		return invalid("where", "a group has no conditions")
	}
	below := whereFacts{nodes: found.nodes}
	for _, child := range g.Children {
		if child == nil {
			return invalid("where", "a group holds nil")
		}
		if err := child.inspect(depth+1, &below); err != nil {
			return err
		}
	}
	if g.Any && below.metrics && below.others {
		return invalid("where", "MatchAny mixes metrics and other columns")
	}
	found.nodes = below.nodes
	found.metrics, found.others = found.metrics || below.metrics, found.others || below.others
	return nil
}

func (s AttackSQL) inspect(int, *whereFacts) error {
	return invalid("where", "an AttackSQL must be the whole condition")
}

func (s AttackSQL) negated() AttackWhere { return MatchAll(s) }

var oppositeOperators = map[AttackOperator]AttackOperator{
	OperatorEqual: OperatorNotEqual, OperatorNotEqual: OperatorEqual, OperatorOver: OperatorAtMost, OperatorAtMost: OperatorOver,
	OperatorUnder: OperatorAtLeast, OperatorAtLeast: OperatorUnder, OperatorIsEmpty: OperatorIsNotEmpty, OperatorIsNotEmpty: OperatorIsEmpty,
}

func (c AttackCondition) negated() AttackWhere {
	switch {
	case c.Op == OperatorIn, c.Op == OperatorEqual && len(c.Values) > 1:
		// None of the values: whether != takes several is not documented.
		none := make([]AttackWhere, len(c.Values))
		for i, value := range c.Values {
			none[i] = AttackCondition{Field: c.Field, Key: c.Key, Op: OperatorNotEqual, Values: []string{value}}
		}
		if len(none) == 1 {
			return none[0]
		}
		return MatchAll(none...)
	case c.Op == OperatorNotEqual && len(c.Values) > 1:
		c.Op = OperatorIn
		return c
	}
	c.Op = oppositeOperators[c.Op]
	return c
}

func (g AttackGroup) negated() AttackWhere {
	children := slices.Clone(g.Children)
	for i, child := range children {
		children[i] = MatchNot(child)
	}
	return AttackGroup{Any: !g.Any, Children: children}
}
