package wallarmtest

import (
	"regexp"
	"strings"
)

// The documentation allows a text of SQL in place of the tree and shows one
// example. What is read here is the part of SQL that the tree can say:
// comparisons, IN lists, AND, OR and parentheses.

var sqlToken = regexp.MustCompile(`^\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|(!=|<>|>=|<=|=|>|<|\(|\)|,)|([A-Za-z_][A-Za-z_0-9]*))`)

type sqlParser struct {
	tokens []string
	nodes  int
}

func errSQL() error { return errRule("where", "sql", "where cannot be parsed") }

func parseSQL(text string) (*whereNode, error) {
	p := &sqlParser{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		found := sqlToken.FindString(rest)
		if found == "" {
			return nil, errSQL()
		}
		p.tokens = append(p.tokens, strings.TrimSpace(found))
		rest = rest[len(found):]
	}
	n, err := p.expression("or", 1)
	if err == nil && len(p.tokens) > 0 {
		err = errSQL()
	}
	return n, err
}

func (p *sqlParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *sqlParser) next() string {
	t := p.peek()
	if t != "" {
		p.tokens = p.tokens[1:]
	}
	return t
}

// expression reads operands joined by a word: or binds weaker than and.
func (p *sqlParser) expression(word string, depth int) (*whereNode, error) {
	group := &whereNode{any: word == "or"}
	for {
		n, err := p.operand(word, depth)
		if err != nil {
			return nil, err
		}
		group.children = append(group.children, n)
		if !strings.EqualFold(p.peek(), word) {
			break
		}
		p.next()
	}
	if len(group.children) == 1 {
		return group.children[0], nil
	}
	return group, nil
}

func (p *sqlParser) operand(word string, depth int) (*whereNode, error) {
	if p.nodes++; p.nodes > 4*whereNodes || depth > whereLevels {
		return nil, errSQL()
	}
	if word == "or" {
		return p.expression("and", depth)
	}
	if p.peek() != "(" {
		return p.comparison()
	}
	p.next()
	n, err := p.expression("or", depth+1)
	if err == nil && p.next() != ")" {
		err = errSQL()
	}
	return n, err
}

func (p *sqlParser) comparison() (*whereNode, error) {
	n := &whereNode{field: p.next(), op: strings.ToLower(p.next())}
	switch n.op {
	case "<>":
		n.op = "!="
	case "in":
		if p.next() != "(" {
			return nil, errSQL()
		}
		for {
			if err := p.literal(n); err != nil {
				return nil, err
			}
			switch p.next() {
			case ",":
				continue
			case ")":
				return n, n.check()
			}
			return nil, errSQL()
		}
	}
	if err := p.literal(n); err != nil {
		return nil, err
	}
	return n, n.check()
}

func (p *sqlParser) literal(n *whereNode) error {
	t := p.next()
	switch {
	case strings.HasPrefix(t, "'"):
		n.values = append(n.values, strings.ReplaceAll(t[1:len(t)-1], "''", "'"))
	case t != "" && strings.ContainsAny(t[:1], "-0123456789"):
		n.values = append(n.values, t)
	default:
		return errSQL()
	}
	return nil
}
