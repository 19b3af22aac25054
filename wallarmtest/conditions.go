package wallarmtest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

const maxConditions = 60

// conditionRoots are the points of scope conditions: those with a key and
// those without. The list is complete.
var (
	keyedRoots  = map[string]bool{"header": true, "path": true, "get": true}
	simpleRoots = map[string]bool{
		"action_name": true, "action_ext": true, "method": true, "scheme": true,
		"proto": true, "uri": true, "instance": true,
	}
	conditionTypes = []string{"equal", "iequal", "regex", "absent"}
)

// readConditions validates and normalises the action of a rule: header names
// in upper case, iequal values in lower case, iequal for the host, null for
// absent values, no repetitions.
func readConditions(v any, errs *fieldErrors) []any {
	list, isList := v.([]any)
	if !isList {
		errs.add("action", "must be an array", v)
		return nil
	}
	if len(list) > maxConditions {
		errs.add("action", "should be in 0..60")
		return nil
	}
	out := []any{}
	seen := map[string]bool{}
	for _, e := range list {
		c, message := readCondition(e)
		if message != "" {
			errs.add("action", message, e)
			return nil
		}
		if text := conditionText(c); !seen[text] {
			seen[text] = true
			out = append(out, c)
		}
	}
	return out
}

// readCondition normalises one condition, or says what is wrong with it.
func readCondition(v any) (condition *object, message string) {
	c, isObject := v.(*object)
	if !isObject {
		return nil, "invalid"
	}
	kind := "equal"
	if t := c.get("type"); t != nil {
		kind, _ = t.(string)
	}
	point, value := c.array("point"), c.get("value")
	if !slices.Contains(conditionTypes, kind) || !validConditionPoint(point) {
		return nil, "invalid"
	}
	text, isString := value.(string)
	switch {
	case kind == "absent":
		value = nil
	case !isString && value == nil:
		return nil, "can't be blank"
	case !isString:
		return nil, "must be string"
	}
	if point[0] == "header" {
		name := strings.ToUpper(point[1].(string))
		point = []any{"header", name}
		if name == "HOST" && kind == "equal" {
			kind = "iequal"
		}
	}
	if kind == "iequal" {
		value = strings.ToLower(text)
	}
	return obj("type", kind, "point", point, "value", value), ""
}

func validConditionPoint(point []any) bool {
	if len(point) == 0 {
		return false
	}
	root, _ := point[0].(string)
	switch {
	case simpleRoots[root]:
		return len(point) == 1
	case !keyedRoots[root] || len(point) != 2:
		return false
	case root == "path":
		n, isInt := point[1].(int64)
		return isInt && n >= 0
	}
	name, isString := point[1].(string)
	return isString && name != ""
}

// conditionText is a condition in the form that is hashed.
func conditionText(c *object) string {
	point := string(appendJSON(nil, c.get("point")))
	b := append([]byte(`[["point",`), appendJSON(nil, point)...)
	b = append(b, `],["type",`...)
	b = appendJSON(b, c.get("type"))
	b = append(b, `],["value",`...)
	b = appendJSON(b, c.get("value"))
	return string(append(b, "]]"...))
}

// conditionsHash identifies an action among those of its client.
func conditionsHash(conditions []any) string {
	texts := make([]string, len(conditions))
	for i, c := range conditions {
		o, _ := c.(*object)
		texts[i] = conditionText(o)
	}
	slices.Sort(texts)
	sum := sha256.Sum256([]byte("not_null" + strings.Join(texts, ",")))
	return hex.EncodeToString(sum[:])
}

// hitConditions is the scope of the address of a hit.
func hitConditions(p *shape) []any {
	var out []any
	add := func(kind string, value any, point ...any) {
		out = append(out, obj("type", kind, "point", point, "value", value))
	}
	if p.domain != "" {
		add("iequal", strings.ToLower(p.domain), "header", "HOST")
	}
	if p.poolID > 0 {
		add("equal", strconv.FormatInt(p.poolID, 10), "instance")
	}
	path, isPath := strings.CutPrefix(p.path, "/")
	if !isPath { // "[multiple]" and the like
		return out
	}
	segments := strings.Split(path, "/")
	last := len(segments) - 1
	for i, segment := range segments[:last] {
		add("equal", segment, "path", int64(i))
	}
	add("absent", nil, "path", int64(last))
	name, ext, hasExt := strings.Cut(segments[last], ".")
	add("equal", name, "action_name")
	if hasExt {
		add("equal", ext, "action_ext")
	} else {
		add("absent", nil, "action_ext")
	}
	return out
}

// scopeSummary derives the endpoint_* members of an action.
func scopeSummary(conditions []any) (path, domain, instance any) {
	directories := map[int64]string{}
	deepest, limit := int64(-1), int64(-1)
	name, ext, pathlike := "*", ".*", false
	for _, e := range conditions {
		c := e.(*object)
		point := c.array("point")
		text := c.str("value")
		switch point[0] {
		case "header":
			if point[1] == "HOST" {
				domain = text
			}
		case "instance":
			instance = text
		case "path":
			pathlike = true
			n := point[1].(int64)
			if c.str("type") == "absent" {
				limit = n
			} else {
				directories[n] = text
				deepest = max(deepest, n)
			}
		case "action_name":
			pathlike = true
			name = text
		case "action_ext":
			pathlike = true
			ext = "." + text
			if c.str("type") == "absent" {
				ext = ""
			}
		}
	}
	if !pathlike {
		return nil, domain, instance
	}
	var b strings.Builder
	for i := range min(max(deepest+1, limit), maxConditions) {
		segment, known := directories[i]
		if !known {
			segment = "*"
		}
		b.WriteString("/" + segment)
	}
	if limit < 0 {
		b.WriteString("/**")
	}
	b.WriteString("/" + name + ext)
	return b.String(), domain, instance
}
