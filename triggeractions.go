package wallarm

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/redact"
	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// TriggerAction is what a trigger does. The actions are [TriggerNotify], [TriggerDenylist], [TriggerGraylist], [TriggerMarkAsBrute] and
// [TriggerGroupByIP]; an [UnknownTriggerAction] holds what this package does not know.
type TriggerAction interface {
	// ActionID is the wire name of the action.
	ActionID() string
	validate() error
	// parts returns the parameters, and the members beside them.
	parts() (params any, beside Extra)
}

// LockForever is the lock time that the Console shows as forever: ten years, in seconds.
const LockForever int64 = 315360000

// TriggerNotify sends a notification through integrations.
type TriggerNotify struct {
	IntegrationIDs []int64 `json:"integration_ids,omitzero"`
	// Extra holds parameters that have no field here.
	Extra  Extra `json:",embed"`
	beside Extra
}

// TriggerDenylist puts the address on the deny list.
type TriggerDenylist struct {
	// LockTime is for how long, in seconds; [LockForever] is the longest.
	LockTime int64 `json:"lock_time,omitzero"`
	// Extra holds parameters that have no field here.
	Extra  Extra `json:",embed"`
	beside Extra
}

// TriggerGraylist puts the address on the gray list.
type TriggerGraylist struct {
	// LockTime is for how long, in seconds; [LockForever] is the longest.
	LockTime int64 `json:"lock_time,omitzero"`
	// Extra holds parameters that have no field here.
	Extra  Extra `json:",embed"`
	beside Extra
}

// TriggerMarkAsBrute marks the requests as brute force or forced browsing.
type TriggerMarkAsBrute struct {
	// Extra holds parameters that have no field here.
	Extra  Extra `json:",embed"`
	beside Extra
}

// TriggerGroupByIP groups the hits of an address. Like its template, [TriggerIPGrouping], it has no effect since August 2026.
type TriggerGroupByIP struct {
	// Extra holds parameters that have no field here.
	Extra  Extra `json:",embed"`
	beside Extra
}

// UnknownTriggerAction is an action that this package does not know, or one in a form that it does not know.
type UnknownTriggerAction struct {
	ID string
	// Params are the parameters as they travel.
	Params RawJSON
	// Extra holds the members beside them.
	Extra Extra
}

// Format prints the action as a struct, without the members beside its parameters: package fmt asks nobody how to print a field that is not exported.
func (a TriggerNotify) Format(f fmt.State, verb rune) {
	type plain TriggerNotify
	a.beside = nil
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(a))
}

// Format is [TriggerNotify.Format].
func (a TriggerDenylist) Format(f fmt.State, verb rune) {
	type plain TriggerDenylist
	a.beside = nil
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(a))
}

// Format is [TriggerNotify.Format].
func (a TriggerGraylist) Format(f fmt.State, verb rune) {
	type plain TriggerGraylist
	a.beside = nil
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(a))
}

// Format is [TriggerNotify.Format].
func (a TriggerMarkAsBrute) Format(f fmt.State, verb rune) {
	type plain TriggerMarkAsBrute
	a.beside = nil
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(a))
}

// Format is [TriggerNotify.Format].
func (a TriggerGroupByIP) Format(f fmt.State, verb rune) {
	type plain TriggerGroupByIP
	a.beside = nil
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(a))
}

// Format prints the action as a struct, with the parameters masked whose names are those of secrets, as [Extra.Format] does.
func (a UnknownTriggerAction) Format(f fmt.State, verb rune) {
	type plain UnknownTriggerAction
	a.Params = redact.Body(a.Params)
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(a))
}

// ActionID returns send_notification.
func (TriggerNotify) ActionID() string { return "send_notification" }

// ActionID returns block_ips.
func (TriggerDenylist) ActionID() string { return "block_ips" }

// ActionID returns add_to_graylist.
func (TriggerGraylist) ActionID() string { return "add_to_graylist" }

// ActionID returns mark_as_brute.
func (TriggerMarkAsBrute) ActionID() string { return "mark_as_brute" }

// ActionID returns group_attack_by_ip.
func (TriggerGroupByIP) ActionID() string { return "group_attack_by_ip" }

// ActionID returns the name that the action was read with.
func (a UnknownTriggerAction) ActionID() string { return a.ID }

func (a TriggerNotify) parts() (any, Extra)      { return a, a.beside }
func (a TriggerDenylist) parts() (any, Extra)    { return a, a.beside }
func (a TriggerGraylist) parts() (any, Extra)    { return a, a.beside }
func (a TriggerMarkAsBrute) parts() (any, Extra) { return a, a.beside }
func (a TriggerGroupByIP) parts() (any, Extra)   { return a, a.beside }

func (a UnknownTriggerAction) parts() (any, Extra) {
	if len(a.Params) == 0 {
		return RawJSON("{}"), a.Extra
	}
	return a.Params, a.Extra
}

func (a TriggerNotify) validate() error {
	if len(a.IntegrationIDs) == 0 {
		return invalid("actions", "%s names no integrations", a.ActionID())
	}
	for _, id := range a.IntegrationIDs {
		if id <= 0 {
			return invalid("actions", "integration id %d is not positive", id)
		}
	}
	return nil
}

func (a TriggerDenylist) validate() error  { return validateLockTime(a.ActionID(), a.LockTime) }
func (a TriggerGraylist) validate() error  { return validateLockTime(a.ActionID(), a.LockTime) }
func (TriggerMarkAsBrute) validate() error { return nil }
func (TriggerGroupByIP) validate() error   { return nil }

func (a UnknownTriggerAction) validate() error {
	switch {
	case a.ID == "":
		return invalid("actions", "an action has no id")
	case len(a.Params) > 0 && !a.Params.IsValid():
		return invalid("actions", "the parameters of %s are not JSON", clip(a.ID))
	}
	return nil
}

func validateLockTime(id string, seconds int64) error {
	if seconds <= 0 {
		return invalid("actions", "the lock time of %s is not positive", id)
	}
	return nil
}

// TriggerActions are what a trigger does.
type TriggerActions []TriggerAction

// wireAction is an action as it travels.
type wireAction[P any] struct {
	ID     string `json:"id"`
	Params P      `json:"params,omitzero"`
	Extra  Extra  `json:",embed"`
}

// MarshalJSONTo writes the actions, [] for none.
func (a TriggerActions) MarshalJSONTo(e *jsontext.Encoder) error {
	actions := make([]wireAction[any], len(a))
	for i, action := range a {
		params, beside := action.parts()
		actions[i] = wireAction[any]{action.ActionID(), params, beside}
	}
	return wire.MarshalEncode(e, actions)
}

// MarshalJSON writes the actions, [] for none.
func (a TriggerActions) MarshalJSON() ([]byte, error) { return wire.MarshalEcho(a) }

// UnmarshalJSON reads actions.
func (a *TriggerActions) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, a) }

// UnmarshalJSONFrom reads actions.
func (a *TriggerActions) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	elements, err := readElements(d)
	if err != nil {
		return err
	}
	if *a = nil; elements != nil {
		*a = make(TriggerActions, 0, len(elements))
	}
	for _, element := range elements {
		action, err := readTriggerAction(element)
		if err != nil {
			return err
		}
		*a = append(*a, action)
	}
	return nil
}

func readTriggerAction(raw RawJSON) (TriggerAction, error) {
	var in wireAction[RawJSON]
	if err := wire.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	unknown := UnknownTriggerAction(in)
	switch in.ID {
	case "send_notification":
		return readParams(unknown, func(a TriggerNotify) TriggerAction { a.beside = in.Extra; return a }), nil
	case "block_ips":
		return readParams(unknown, func(a TriggerDenylist) TriggerAction { a.beside = in.Extra; return a }), nil
	case "add_to_graylist":
		return readParams(unknown, func(a TriggerGraylist) TriggerAction { a.beside = in.Extra; return a }), nil
	case "mark_as_brute":
		return readParams(unknown, func(a TriggerMarkAsBrute) TriggerAction { a.beside = in.Extra; return a }), nil
	case "group_attack_by_ip":
		return readParams(unknown, func(a TriggerGroupByIP) TriggerAction { a.beside = in.Extra; return a }), nil
	}
	return unknown, nil
}

// readParams reads the parameters of a known action. One with other parameters, which would not be written as they came, stays unknown.
func readParams[T any](unknown UnknownTriggerAction, action func(T) TriggerAction) TriggerAction {
	var a T
	if len(unknown.Params) > 0 && (wire.Unmarshal(unknown.Params, &a) != nil || !isWrittenAs(a, unknown.Params)) {
		return unknown
	}
	return action(a)
}
