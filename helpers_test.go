package wallarm

import (
	"bytes"
	"encoding/json"
)

// newNumberDecoder decodes into any with numbers as they are written.
func newNumberDecoder(data []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d
}
