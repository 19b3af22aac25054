package wallarm

import (
	"cmp"
	"net/netip"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// TriggerFilter is one condition of a trigger. The conditions are [TriggerIPs], [TriggerApplications], [TriggerAttackTypes], [TriggerDomains],
// [TriggerURLs], [TriggerTargets], [TriggerResponses], [TriggerCounters], [TriggerPII], [TriggerAPIChanges], [TriggerDeviations] and
// [TriggerAPISpecs]; an [UnknownTriggerFilter] holds what this package does not know.
type TriggerFilter interface {
	// FilterID is the wire name of the condition.
	FilterID() string
	// values returns the condition without its name.
	values() filterValues
}

// filterValues is a [TriggerValues] of any type.
type filterValues interface {
	validate(id string) error
	encode(id string) ([]byte, error)
}

// TriggerValues is what all conditions of triggers consist of.
type TriggerValues[T any] struct {
	// Operator is [TriggerEqual], any of the values, which is also what an empty one is sent as, or [TriggerNotEqual], none of them.
	Operator TriggerOperator `json:"operator"`
	Values   []T             `json:"values"`
	// Type is a member that answers may have. Not documented by the vendor.
	Type  string `json:"type,omitempty"`
	Extra Extra  `json:",embed"`
}

type (
	// TriggerIPs is a condition on the address: single addresses, no subnets.
	TriggerIPs TriggerValues[string]
	// TriggerApplications is a condition on the application, by id. The default application is -1.
	TriggerApplications TriggerValues[int64]
	// TriggerAttackTypes is a condition on the type of the attack.
	TriggerAttackTypes TriggerValues[AttackType]
	// TriggerDomains is a condition on the domain.
	TriggerDomains TriggerValues[string]
	// TriggerURLs is a condition on the whole URI, for brute force, forced browsing and BOLA.
	TriggerURLs TriggerValues[string]
	// TriggerTargets is a condition on what the attack aims at: server, client or database.
	TriggerTargets TriggerValues[string]
	// TriggerResponses is a condition on the status code of the answer to the attacker.
	TriggerResponses TriggerValues[ResponseStatus]
	// TriggerCounters is a condition on the counter of a counter rule: b:name for brute force, d:name for forced browsing, i:name for BOLA.
	TriggerCounters TriggerValues[string]
	// TriggerPII is a condition on the kinds of sensitive data.
	TriggerPII TriggerValues[string]
	// TriggerAPIChanges is a condition on the kind of change: added, changed, or excluded, for which texts also say unused.
	TriggerAPIChanges TriggerValues[string]
	// TriggerDeviations is a condition on the kind of rogue API: shadow, orphan or zombie.
	TriggerDeviations TriggerValues[string]
	// TriggerAPISpecs is a condition on the API specification, by id.
	TriggerAPISpecs TriggerValues[int64]
	// TriggerThresholdEcho is the threshold, which answers may repeat among the conditions. It is never sent.
	TriggerThresholdEcho TriggerValues[TriggerThreshold]
)

// UnknownTriggerFilter is a condition that this package does not know, or one in a form that it does not know, such as that on the role of a
// new user, whose wire name is not documented.
type UnknownTriggerFilter struct {
	ID       string          `json:"id"`
	Operator TriggerOperator `json:"operator"`
	// Values are as they travel.
	Values []RawJSON `json:"values"`
	Extra  Extra     `json:",embed"`
}

// ResponseStatus is a status code, such as 503, or a class of them, such as 5xx. Codes travel as numbers.
type ResponseStatus string

// StatusCode returns one status code.
func StatusCode(code int) ResponseStatus { return ResponseStatus(strconv.Itoa(code)) }

// StatusClass returns a class of status codes by its first digit: StatusClass(5) is 5xx.
func StatusClass(digit int) ResponseStatus { return ResponseStatus(strconv.Itoa(digit) + "xx") }

// MarshalJSONTo writes a code as a number and a class as a text.
func (s ResponseStatus) MarshalJSONTo(e *jsontext.Encoder) error {
	if code, err := strconv.ParseUint(string(s), 10, 16); err == nil {
		return e.WriteToken(jsontext.Uint(code))
	}
	return e.WriteToken(jsontext.String(string(s)))
}

// MarshalJSON writes a code as a number and a class as a text.
func (s ResponseStatus) MarshalJSON() ([]byte, error) { return wire.Marshal(s) }

// UnmarshalJSONFrom reads a number or a text.
func (s *ResponseStatus) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() == '0' {
		*s = ResponseStatus(value)
		return nil
	}
	return wire.Unmarshal(value, (*string)(s))
}

// UnmarshalJSON reads a number or a text.
func (s *ResponseStatus) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// FilterID returns ip_address.
func (TriggerIPs) FilterID() string { return "ip_address" }

// FilterID returns pool, which is what the wire calls applications.
func (TriggerApplications) FilterID() string { return "pool" }

// FilterID returns attack_type.
func (TriggerAttackTypes) FilterID() string { return "attack_type" }

// FilterID returns domain.
func (TriggerDomains) FilterID() string { return "domain" }

// FilterID returns url.
func (TriggerURLs) FilterID() string { return "url" }

// FilterID returns target.
func (TriggerTargets) FilterID() string { return "target" }

// FilterID returns response_status.
func (TriggerResponses) FilterID() string { return "response_status" }

// FilterID returns hint_tag.
func (TriggerCounters) FilterID() string { return "hint_tag" }

// FilterID returns pii.
func (TriggerPII) FilterID() string { return "pii" }

// FilterID returns change_type.
func (TriggerAPIChanges) FilterID() string { return "change_type" }

// FilterID returns deviation_type.
func (TriggerDeviations) FilterID() string { return "deviation_type" }

// FilterID returns api_spec_ids.
func (TriggerAPISpecs) FilterID() string { return "api_spec_ids" }

// FilterID returns threshold.
func (TriggerThresholdEcho) FilterID() string { return "threshold" }

// FilterID returns the name that the condition was read with.
func (f UnknownTriggerFilter) FilterID() string { return f.ID }

func (f TriggerIPs) values() filterValues           { return TriggerValues[string](f) }
func (f TriggerApplications) values() filterValues  { return TriggerValues[int64](f) }
func (f TriggerAttackTypes) values() filterValues   { return TriggerValues[AttackType](f) }
func (f TriggerDomains) values() filterValues       { return TriggerValues[string](f) }
func (f TriggerURLs) values() filterValues          { return TriggerValues[string](f) }
func (f TriggerTargets) values() filterValues       { return TriggerValues[string](f) }
func (f TriggerResponses) values() filterValues     { return TriggerValues[ResponseStatus](f) }
func (f TriggerCounters) values() filterValues      { return TriggerValues[string](f) }
func (f TriggerPII) values() filterValues           { return TriggerValues[string](f) }
func (f TriggerAPIChanges) values() filterValues    { return TriggerValues[string](f) }
func (f TriggerDeviations) values() filterValues    { return TriggerValues[string](f) }
func (f TriggerAPISpecs) values() filterValues      { return TriggerValues[int64](f) }
func (f TriggerThresholdEcho) values() filterValues { return TriggerValues[TriggerThreshold](f) }

func (f UnknownTriggerFilter) values() filterValues {
	return TriggerValues[RawJSON]{Operator: f.Operator, Values: f.Values, Extra: f.Extra}
}

// encode writes the condition with its name.
func (v TriggerValues[T]) encode(id string) ([]byte, error) {
	return wire.Marshal(struct {
		ID       string          `json:"id"`
		Operator TriggerOperator `json:"operator"`
		Values   []T             `json:"values"`
		Type     string          `json:"type,omitempty"`
		Extra    Extra           `json:",embed"`
	}{id, cmp.Or(v.Operator, TriggerEqual), v.Values, v.Type, v.Extra})
}

// validate refuses what cannot be meant in a new trigger.
func (v TriggerValues[T]) validate(id string) error {
	switch {
	case id == "":
		return invalid("filters", "a filter has no id")
	case len(v.Values) == 0:
		return invalid("filters", "%s has no values", clip(id))
	}
	addresses, ok := any(v.Values).([]string)
	if !ok || id != (TriggerIPs{}).FilterID() {
		return nil
	}
	for _, address := range addresses {
		if _, err := netip.ParseAddr(address); err != nil {
			return invalid("filters", "%q is not a single address", clip(address))
		}
	}
	return nil
}

// TriggerFilters are the conditions of a trigger. All must hold.
type TriggerFilters []TriggerFilter

// MarshalJSONTo writes the conditions, [] for none.
func (f TriggerFilters) MarshalJSONTo(e *jsontext.Encoder) error {
	if err := e.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, filter := range f {
		encoded, err := filter.values().encode(filter.FilterID())
		if err != nil {
			return err
		}
		if err := e.WriteValue(encoded); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndArray)
}

// MarshalJSON writes the conditions, [] for none.
func (f TriggerFilters) MarshalJSON() ([]byte, error) { return wire.MarshalEcho(f) }

// UnmarshalJSON reads conditions.
func (f *TriggerFilters) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, f) }

// UnmarshalJSONFrom reads conditions.
func (f *TriggerFilters) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	elements, err := readElements(d)
	if err != nil {
		return err
	}
	if *f = nil; elements != nil {
		*f = make(TriggerFilters, 0, len(elements))
	}
	for _, element := range elements {
		filter, err := readTriggerFilter(element)
		if err != nil {
			return err
		}
		*f = append(*f, filter)
	}
	return nil
}

// readElements reads a list whose elements are of several types. It returns nil for null only.
func readElements(d *jsontext.Decoder) ([]RawJSON, error) {
	value, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	return wire.DecodeElements[RawJSON](value, nil)
}

func readTriggerFilter(raw RawJSON) (TriggerFilter, error) {
	var unknown UnknownTriggerFilter
	if err := wire.Unmarshal(raw, &unknown); err != nil {
		return nil, err
	}
	switch unknown.ID {
	case "ip_address":
		return readValues(raw, unknown, func(v TriggerValues[string]) TriggerFilter { return TriggerIPs(v) }), nil
	case "pool":
		return readValues(raw, unknown, func(v TriggerValues[int64]) TriggerFilter { return TriggerApplications(v) }), nil
	case "attack_type":
		return readValues(raw, unknown, func(v TriggerValues[AttackType]) TriggerFilter { return TriggerAttackTypes(v) }), nil
	case "domain":
		return readValues(raw, unknown, func(v TriggerValues[string]) TriggerFilter { return TriggerDomains(v) }), nil
	case "url":
		return readValues(raw, unknown, func(v TriggerValues[string]) TriggerFilter { return TriggerURLs(v) }), nil
	case "target":
		return readValues(raw, unknown, func(v TriggerValues[string]) TriggerFilter { return TriggerTargets(v) }), nil
	case "response_status":
		return readValues(raw, unknown, func(v TriggerValues[ResponseStatus]) TriggerFilter { return TriggerResponses(v) }), nil
	case "hint_tag":
		return readValues(raw, unknown, func(v TriggerValues[string]) TriggerFilter { return TriggerCounters(v) }), nil
	case "pii":
		return readValues(raw, unknown, func(v TriggerValues[string]) TriggerFilter { return TriggerPII(v) }), nil
	case "change_type":
		return readValues(raw, unknown, func(v TriggerValues[string]) TriggerFilter { return TriggerAPIChanges(v) }), nil
	case "deviation_type":
		return readValues(raw, unknown, func(v TriggerValues[string]) TriggerFilter { return TriggerDeviations(v) }), nil
	case "api_spec_ids":
		return readValues(raw, unknown, func(v TriggerValues[int64]) TriggerFilter { return TriggerAPISpecs(v) }), nil
	case "threshold":
		return readValues(raw, unknown, func(v TriggerValues[TriggerThreshold]) TriggerFilter { return TriggerThresholdEcho(v) }), nil
	}
	return unknown, nil
}

// readValues reads a condition whose values are of a known type. One with other values, which would not be written as they came, stays unknown.
func readValues[T any](raw RawJSON, unknown UnknownTriggerFilter, filter func(TriggerValues[T]) TriggerFilter) TriggerFilter {
	var v TriggerValues[T]
	if err := wire.Unmarshal(raw, &v); err != nil {
		return unknown
	}
	for i, value := range unknown.Values {
		if i >= len(v.Values) || !isWrittenAs(v.Values[i], value) {
			return unknown
		}
	}
	delete(v.Extra, "id")
	if len(v.Extra) == 0 {
		v.Extra = nil
	}
	return filter(v)
}
