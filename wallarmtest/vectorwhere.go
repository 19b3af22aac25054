package wallarmtest

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// whereNode is a parsed condition tree.
type whereNode struct {
	// A group has children, a condition has a field.
	any      bool
	children []*whereNode

	field, key, op string
	values         []string
}

const (
	whereLevels = 10
	whereNodes  = 100
	noValue     = "__none__"
	otherValue  = "__other__"
)

// errRule is a refusal in the form of the newer services.
func errRule(field, rule, text string) error {
	var errs fieldErrors
	errs.addRule(field, rule, text)
	return errs.err()
}

// parseWhere reads the where member: a tree, a text of SQL, or nothing.
func parseWhere(v any) (*whereNode, error) {
	var tree *whereNode
	var err error
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		tree, err = parseSQL(v)
	case *object:
		nodes := 0
		tree, err = parseNode(v, 1, &nodes)
	default:
		err = errRule("where", "invalid", "where must be an object or a string")
	}
	if err != nil {
		return nil, err
	}
	return tree, tree.checkMixing()
}

func parseNode(o *object, level int, nodes *int) (*whereNode, error) {
	if *nodes++; level > whereLevels || *nodes > whereNodes {
		return nil, errRule("where", "too_complex", "where has more than 10 levels or 100 nodes")
	}
	switch o.str("kind") {
	case "condition":
		return parseCondition(o)
	case "group":
	default:
		return nil, errRule("where", "kind", "kind must be condition or group")
	}
	n := &whereNode{any: o.str("op") == "or"}
	if op := o.str("op"); op != "and" && op != "or" {
		return nil, errRule("where", "op", "op of a group must be and or or")
	}
	for _, child := range o.array("children") {
		childObject, isObject := child.(*object)
		if !isObject {
			return nil, errRule("where", "children", "children must be objects")
		}
		parsed, err := parseNode(childObject, level+1, nodes)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, parsed)
	}
	if len(n.children) == 0 {
		return nil, errRule("where", "children", "a group needs children")
	}
	return n, nil
}

func parseCondition(o *object) (*whereNode, error) {
	n := &whereNode{field: o.str("field"), key: o.str("key"), op: o.str("op")}
	list, isList := o.get("values").([]any)
	if !isList && o.get("values") != nil {
		return nil, errRule("where", "values", "values must be an array of strings")
	}
	for _, v := range list {
		s, isText := v.(string)
		if !isText {
			return nil, errRule("where", "values", "values must be an array of strings")
		}
		n.values = append(n.values, s)
	}
	return n, n.check()
}

// operatorsOf lists the operators that a field takes.
func operatorsOf(field string) []string {
	switch column := columnNamed(field); {
	case field == "context_param":
		return []string{"in", "=", "!=", "is_empty", "is_not_empty"}
	case field == "payload_search", field == "parameter_search":
		return []string{"=", "!="}
	case column != nil && slices.Equal(column.options, trueFalse):
		return []string{"=", "!="}
	case column != nil && column.kind == "integer":
		return []string{"=", "!=", "in", ">", "<", ">=", "<="}
	case column != nil, field == "status":
		return []string{"=", "!=", "in"}
	case ofRow(field):
		return []string{"=", "!=", ">", "<", ">=", "<="}
	}
	return nil
}

func (n *whereNode) check() error {
	operators := operatorsOf(n.field)
	switch {
	case operators == nil:
		return errRule("where", "field", "unknown field "+n.field)
	case !slices.Contains(operators, n.op):
		return errRule("where", "op", "operator "+n.op+" is not allowed for "+n.field)
	case n.field == "context_param" && n.key == "":
		return errRule("where", "key", "context_param needs a key")
	case n.op == "is_empty", n.op == "is_not_empty":
		return nil
	case len(n.values) == 0:
		return errRule("where", "values", "a condition needs values")
	case len(n.values) > 1 && n.op != "in" && n.op != "=" && n.op != "!=":
		return errRule("where", "values", n.op+" takes one value")
	}
	if strings.HasSuffix(n.field, "_search") && (len(n.values) != 1 || len([]rune(n.values[0])) < 3) {
		return errRule("where", "values", n.field+" takes one value of at least 3 characters")
	}
	if !n.numeric() {
		return nil
	}
	for _, v := range n.values {
		if _, err := n.number(v); err != nil && v != noValue {
			return errRule("where", "values", v+" is no value of "+n.field)
		}
	}
	return nil
}

// numeric tells whether the field is compared as a number.
func (n *whereNode) numeric() bool {
	column := columnNamed(n.field)
	return column != nil && column.kind == "integer" || column == nil && n.field != "status"
}

// number reads a value of a field of numbers or times.
func (n *whereNode) number(text string) (float64, error) {
	if strings.HasSuffix(n.field, "_request_time") {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return float64(t.Unix()), nil
		}
	}
	return strconv.ParseFloat(text, 64)
}

// checkMixing refuses conditions on rows beside others below an or.
func (n *whereNode) checkMixing() error {
	_, _, err := n.mixing()
	return err
}

func (n *whereNode) mixing() (rows, vectors bool, err error) {
	if n.field != "" {
		return ofRow(n.field), !ofRow(n.field), nil
	}
	for _, child := range n.children {
		r, v, err := child.mixing()
		if err != nil {
			return false, false, err
		}
		rows, vectors = rows || r, vectors || v
	}
	if n.any && rows && vectors {
		return false, false, errRule("where", "mixed", "an or group cannot mix metrics and dimensions")
	}
	return rows, vectors, nil
}

// holds evaluates the tree. leaf decides on a condition; ok false means that
// the condition is of the other kind and decided elsewhere.
func (n *whereNode) holds(leaf func(*whereNode) (holds, ok bool)) bool {
	if n == nil {
		return true
	}
	if n.field != "" {
		holds, ok := leaf(n)
		return holds || !ok
	}
	for _, child := range n.children {
		if child.holds(leaf) == n.any {
			return n.any
		}
	}
	return !n.any
}

// selects tells whether the conditions on vectors hold for a hit.
func (n *whereNode) selects(r hitRow) bool {
	return n.holds(func(c *whereNode) (bool, bool) {
		if ofRow(c.field) {
			return false, false
		}
		var have []string
		if c.field == "context_param" {
			have = r.contextParam(c.key)
		} else {
			have = columnNamed(c.field).values(r)
		}
		return c.matchText(have), true
	})
}

func (n *whereNode) matchText(have []string) bool {
	switch n.op {
	case "is_empty":
		return len(have) == 0
	case "is_not_empty":
		return len(have) > 0
	case "=", "in":
		return slices.ContainsFunc(n.values, func(want string) bool { return n.matchValue(have, want) })
	case "!=":
		return !slices.ContainsFunc(n.values, func(want string) bool { return n.matchValue(have, want) })
	}
	return slices.ContainsFunc(have, func(text string) bool {
		f, err := strconv.ParseFloat(text, 64)
		return err == nil && n.compare(f, n.values[0])
	})
}

// matchValue tells whether one of the values that a vector has meets one of
// those that the condition names.
func (n *whereNode) matchValue(have []string, want string) bool {
	column := columnNamed(n.field)
	if want == noValue || want == "" {
		return len(have) == 0
	}
	return slices.ContainsFunc(have, func(text string) bool {
		switch {
		case text == want:
			return true
		case want == otherValue:
			return len(column.options) > 0 && !slices.Contains(column.options, text)
		case strings.HasSuffix(n.field, "_search"):
			return strings.Contains(strings.ToLower(text), strings.ToLower(want))
		case n.field == "status_code" && len(want) == 1:
			return strings.HasPrefix(text, want)
		case n.field == "ip" && strings.Contains(want, "/"):
			return inPrefix(text, want)
		case column.globs && strings.ContainsAny(want, "*?"):
			return matchGlob(text, want)
		case column.part:
			return strings.Contains(text, want)
		}
		return false
	})
}

func inPrefix(ip, prefix string) bool {
	p, err := netip.ParsePrefix(prefix)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(ip)
	return err == nil && p.Contains(a)
}

var globEscapes = strings.NewReplacer("/", "\x01", `\`, `\\`, "[", `\[`)

// matchGlob matches * and ? whatever the case; a slash is a character like
// any other.
func matchGlob(text, pattern string) bool {
	matched, err := path.Match(globEscapes.Replace(strings.ToLower(pattern)), strings.ReplaceAll(strings.ToLower(text), "/", "\x01"))
	return err == nil && matched
}

func (n *whereNode) compare(have float64, value string) bool {
	want, err := n.number(value)
	if err != nil {
		return false
	}
	switch n.op {
	case ">":
		return have > want
	case "<":
		return have < want
	case ">=":
		return have >= want
	case "<=":
		return have <= want
	case "!=":
		return have != want
	}
	return have == want
}

// keeps tells whether the conditions on rows hold for a group of vectors.
func (n *whereNode) keeps(g *vectorGroup) bool {
	return n.holds(func(c *whereNode) (bool, bool) {
		switch {
		case !ofRow(c.field):
			return false, false
		case c.field == "status":
			return slices.Contains(c.values, g.status()) != (c.op == "!="), true
		}
		have := g.number(c.field)
		if c.op == "!=" {
			return !slices.ContainsFunc(c.values, func(v string) bool { return (&whereNode{field: c.field, op: "="}).compare(have, v) }), true
		}
		return slices.ContainsFunc(c.values, func(v string) bool { return c.compare(have, v) }), true
	})
}

// rowFields are the fields of the conditions on rows.
func (n *whereNode) rowFields() []string {
	if n == nil {
		return nil
	}
	if n.field != "" {
		if ofRow(n.field) {
			return []string{n.field}
		}
		return nil
	}
	var out []string
	for _, child := range n.children {
		out = append(out, child.rowFields()...)
	}
	return out
}
