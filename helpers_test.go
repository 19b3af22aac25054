package wallarm

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// newNumberDecoder decodes into any with numbers as they are written.
func newNumberDecoder(data []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
