package wallarmtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checker validates one field of a rule and gives the form to store.
type checker struct {
	run   func(v any, rule *object) (any, *fieldErrors)
	blank string
}

// plain makes a checker that answers a message; "" accepts.
func plain(check func(v any) string) checker {
	return checker{run: func(v any, _ *object) (any, *fieldErrors) {
		if message := check(v); message != "" {
			return nil, oneError(message, v)
		}
		return v, nil
	}}
}

// oneError is an error of the field itself, under the empty name.
func oneError(message string, v any) *fieldErrors {
	var f fieldErrors
	f.add("", message, v)
	return &f
}

func oneOf(values ...string) checker {
	return plain(func(v any) string {
		if s, isString := v.(string); !isString || !slices.Contains(values, s) {
			return "invalid"
		}
		return ""
	})
}

func within(from, to int64) checker {
	message := fmt.Sprintf("should be in %d..%d", from, to)
	c := plain(func(v any) string {
		if n, isInt := v.(int64); !isInt || n < from || n > to {
			return message
		}
		return ""
	})
	c.blank = message
	return c
}

func atLeast(least int64) checker {
	return plain(func(v any) string {
		switch n := v.(type) {
		case int64:
			if n < least {
				return fmt.Sprintf("must be greater than or equal to %d", least)
			}
			return ""
		}
		return "invalid"
	})
}

var (
	text = plain(func(v any) string {
		switch s := v.(type) {
		case string:
			if s == "" {
				return "can't be blank"
			}
			return ""
		}
		return "must be string"
	})

	shortText = plain(func(v any) string {
		s, isString := v.(string)
		switch {
		case !isString:
			return "must be string"
		case len(s) < 1 || len(s) > 4096:
			return "should be in 1..4096"
		}
		return ""
	})

	texts = plain(func(v any) string {
		list, isList := v.([]any)
		if !isList {
			return "must be an array"
		}
		if len(list) == 0 {
			return "can't be blank"
		}
		if len(stringsOf(v)) != len(list) {
			return "invalid"
		}
		return ""
	})

	boolean = plain(func(v any) string {
		if _, isBool := v.(bool); !isBool {
			return "must be boolean"
		}
		return ""
	})

	// sizes go up to 2^64, beyond every integer type.
	sizes = plain(func(v any) string {
		switch n := v.(type) {
		case int64:
			if n >= 1 {
				return ""
			}
			return "must be greater than or equal to 1"
		case json.Number:
			if _, err := strconv.ParseUint(n.String(), 10, 64); err == nil || n == "18446744073709551616" {
				return ""
			}
		}
		return "invalid"
	})

	points       = checker{run: func(v any, _ *object) (any, *fieldErrors) { return storePoint(v, false) }}
	clientPoints = checker{run: func(v any, _ *object) (any, *fieldErrors) { return storePoint(v, true) }}

	thresholds           = checker{run: checkThreshold}
	reactions            = checker{run: checkReaction}
	enumeratedParameters = checker{run: checkEnumerated}
	advancedConditions   = checker{run: checkAdvanced}
	arbitraryConditions  = checker{run: checkArbitrary}
)

// storePoint flattens a point. Only the rate limit may look at the client's
// address.
func storePoint(v any, allowClient bool) (any, *fieldErrors) {
	if _, isList := v.([]any); !isList {
		return nil, oneError("must be an array", v)
	}
	flat, valid := flattenPoint(v)
	if !valid || flat[0] == "remote_addr" && !allowClient {
		return nil, oneError("invalid", v)
	}
	return flat, nil
}

func checkThreshold(v any, _ *object) (any, *fieldErrors) {
	o, isObject := v.(*object)
	if !isObject {
		return nil, oneError("invalid", v)
	}
	var errs fieldErrors
	for _, name := range []string{"count", "period"} {
		switch n := o.get(name).(type) {
		case nil:
			errs.add(name, "can't be blank")
		case int64:
			if n < 1 {
				errs.add(name, "must be greater than or equal to 1", n)
			}
		default:
			errs.add(name, "invalid", n)
		}
	}
	return obj("count", o.get("count"), "period", o.get("period")), &errs
}

func checkReaction(v any, rule *object) (any, *fieldErrors) {
	o, isObject := v.(*object)
	if !isObject {
		return nil, oneError("invalid", v)
	}
	mode := rule.str("mode")
	legal := []string{"block_by_session", "block_by_ip"}
	if mode == "monitoring" {
		legal = []string{"graylist_by_ip"}
	}
	if len(o.members) == 0 {
		return nil, oneError("can't be blank", v)
	}
	var errs fieldErrors
	for _, m := range o.members {
		if !slices.Contains(legal, m.name) {
			var keysError fieldErrors
			keysError.add("", fmt.Sprintf("keys should contain only [:%s] keys for the mode %s",
				strings.Join(legal, ", :"), mode))
			return nil, &keysError
		}
		if n, isInt := m.value.(int64); !isInt || n < 600 || n > 315569520 {
			errs.add(m.name, "should be in 600..315569520", m.value)
		}
	}
	return o, &errs
}

func checkEnumerated(v any, _ *object) (any, *fieldErrors) {
	o, isObject := v.(*object)
	if !isObject {
		return nil, oneError("invalid", v)
	}
	var errs fieldErrors
	byRegexp := []string{"name_regexps", "value_regexps", "additional_parameters", "plain_parameters"}
	byPoint := []string{"points"}
	required, forbidden := byRegexp, byPoint
	switch o.str("mode") {
	case "regexp":
	case "exact":
		required, forbidden = byPoint, byRegexp
	case "":
		errs.add("mode", "can't be blank")
		return nil, &errs
	default:
		errs.add("mode", "invalid", o.get("mode"))
		return nil, &errs
	}
	for _, name := range forbidden {
		if v, sent := o.lookup(name); sent && v != nil {
			errs.add(name, "must be absent", v)
		}
	}
	for _, name := range required {
		checkEnumeratedField(name, o.get(name), &errs)
	}
	stored := obj("mode", o.get("mode"))
	for _, name := range required {
		stored.set(name, o.get(name))
	}
	return stored, &errs
}

func checkEnumeratedField(name string, v any, errs *fieldErrors) {
	if v == nil {
		errs.add(name, "can't be blank")
		return
	}
	switch name {
	case "additional_parameters", "plain_parameters":
		if _, isBool := v.(bool); !isBool {
			errs.add(name, "must be boolean", v)
		}
	case "points":
		list, isList := v.([]any)
		if !isList {
			errs.add(name, "must be an array", v)
			return
		}
		if len(list) == 0 {
			errs.add(name, "can't be blank")
		}
		for _, e := range list {
			o, isObject := e.(*object)
			if _, valid := flatPoint(o.get("point")); !isObject || !valid {
				errs.add(name, "invalid", e)
				return
			}
		}
	default:
		if _, inner := texts.run(v, nil); inner != nil {
			errs.add(name, inner.fields.object("").str("error"), v)
		}
	}
}

var (
	conditionFields = strings.Fields(`ip method user_agent domain uri status_code request_time request_size
		response_size attack_type blocked`)
	conditionOperators = strings.Fields("eq ne match notmatch imatch notimatch lt gt le ge")
)

func checkAdvanced(v any, _ *object) (any, *fieldErrors) {
	return checkList(v, func(o *object) (*object, bool) {
		return o, slices.Contains(conditionFields, o.str("field")) && validComparison(o)
	})
}

// checkArbitrary stores the points of arbitrary conditions flat.
func checkArbitrary(v any, _ *object) (any, *fieldErrors) {
	return checkList(v, func(o *object) (*object, bool) {
		flat, valid := flattenPoint(o.get("point"))
		return o.clone().set("point", flat), valid && validComparison(o)
	})
}

func validComparison(o *object) bool {
	list := o.array("value")
	return slices.Contains(conditionOperators, o.str("operator")) &&
		len(list) > 0 && len(stringsOf(o.get("value"))) == len(list)
}

func checkList(v any, check func(*object) (*object, bool)) (any, *fieldErrors) {
	list, isList := v.([]any)
	if !isList {
		return nil, oneError("must be an array", v)
	}
	stored := []any{}
	for _, e := range list {
		o, isObject := e.(*object)
		if !isObject {
			return nil, oneError("invalid", e)
		}
		s, valid := check(o)
		if !valid {
			return nil, oneError("invalid", e)
		}
		stored = append(stored, s)
	}
	return stored, nil
}
