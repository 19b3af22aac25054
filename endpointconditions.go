package wallarm

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// EndpointCondition is one condition on the address of requests: the value at Point compares with Value as Type says. Endpoints of the
// inventory and export configurations of sessions have such conditions; all of them must hold.
type EndpointCondition struct {
	Type EndpointConditionType
	// Value is what to compare with. It is empty for [EndpointAbsent], and must not be for [EndpointRegex], which would match everything.
	Value string
	Point Point
	Extra Extra
}

// EndpointConditionType says how a condition compares. New values may appear.
type EndpointConditionType string

const (
	EndpointEqual EndpointConditionType = "equal"
	// EndpointEqualFold ignores case.
	EndpointEqualFold EndpointConditionType = "iequal"
	EndpointRegex     EndpointConditionType = "regex"
	// EndpointAbsent holds if there is nothing at the point.
	EndpointAbsent EndpointConditionType = "absent"
)

// endpointCondition is a condition as it travels: the point is flat in both directions, the value may be null.
type endpointCondition struct {
	Type  EndpointConditionType `json:"type"`
	Value *string               `json:"value"`
	Point flatPoint             `json:"point"`
	Extra Extra                 `json:",embed"`
}

// MarshalJSONTo writes the condition with its point in the flat form.
func (c EndpointCondition) MarshalJSONTo(e *jsontext.Encoder) error {
	out := endpointCondition{c.Type, &c.Value, flatPoint(c.Point), c.Extra}
	if c.Type == EndpointAbsent && c.Value == "" {
		out.Value = nil
	}
	return wire.MarshalEncode(e, out)
}

// MarshalJSON writes the condition with its point in the flat form.
func (c EndpointCondition) MarshalJSON() ([]byte, error) { return wire.MarshalEcho(c) }

// UnmarshalJSON reads a condition and keeps unknown members.
func (c *EndpointCondition) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads a condition and keeps unknown members.
func (c *EndpointCondition) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var in endpointCondition
	if err := wire.UnmarshalDecode(d, &in); err != nil {
		return err
	}
	*c = EndpointCondition{Type: in.Type, Point: Point(in.Point), Extra: in.Extra}
	if in.Value != nil {
		c.Value = *in.Value
	}
	return nil
}

func validateConditions(name string, conditions []EndpointCondition) error {
	for _, c := range conditions {
		if c.Type == "" {
			return invalid(name, "a condition has no type")
		}
		if err := c.Point.validate(name + ".point"); err != nil {
			return err
		}
		if err := (Condition{Type: ConditionType(c.Type), Point: c.Point, Value: c.Value, Extra: c.Extra}).validateValue(name); err != nil {
			return err
		}
	}
	return nil
}

// texts is the flat form with indexes as texts.
func (p Point) texts() []string {
	texts := make([]string, 0, 2*len(p))
	for _, element := range p.Flat() {
		switch element := element.(type) {
		case string:
			texts = append(texts, element)
		case RawJSON:
			texts = append(texts, string(element))
		}
	}
	return texts
}
