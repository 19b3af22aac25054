package wallarmtest

import (
	"net/url"
	"strings"
)

// parseBracketed reads query or form parameters in the bracket convention:
// filter[name]=v, filter[ids][]=1, filter[!type]=x, ip_rule[reason]=r. Plain
// names that occur once are scalars, repeated ones are arrays.
func parseBracketed(encoded string) *object {
	root := obj()
	for pair := range strings.SplitSeq(encoded, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			continue
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			continue
		}
		setBracketed(root, name, value)
	}
	return root
}

// setBracketed stores one parameter under its path of brackets.
func setBracketed(root *object, name, value string) {
	keys := bracketKeys(name)
	at := root
	for i, key := range keys {
		last := i == len(keys)-1
		switch {
		case last && at.has(key):
			at.set(key, append(asList(at.get(key)), value))
			return
		case last:
			at.set(key, value)
			return
		case keys[i+1] == "" && i+2 == len(keys):
			at.set(key, append(asList(at.get(key)), value))
			return
		case keys[i+1] == "" && i+3 == len(keys):
			at.set(key, setInList(asList(at.get(key)), keys[i+2], value))
			return
		default:
			next, ok := at.get(key).(*object)
			if !ok {
				next = obj()
				at.set(key, next)
			}
			at = next
		}
	}
}

// setInList stores a member of the last object of a list, order_by[][name]=id,
// or of a new one if the last has it already.
func setInList(list []any, name, value string) []any {
	if n := len(list); n > 0 {
		if last, isObject := list[n-1].(*object); isObject && !last.has(name) {
			last.set(name, value)
			return list
		}
	}
	return append(list, obj(name, value))
}

// bracketKeys splits a[b][c] into its keys; a trailing [] gives a last empty
// key. A name with unbalanced brackets is one plain key.
func bracketKeys(name string) []string {
	head, rest, found := strings.Cut(name, "[")
	if !found || !strings.HasSuffix(rest, "]") || head == "" {
		return []string{name}
	}
	inner := strings.TrimSuffix(rest, "]")
	return append([]string{head}, strings.Split(inner, "][")...)
}
