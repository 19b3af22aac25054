package wallarm

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// FindSame returns the rules that do the same as rule in the same scope: of the same type, with the same spec. What rule leaves to the defaults of
// the API may have any value, but a missing point or condition must be missing, and within a threshold or reaction so must a missing part. Members
// that this package has no field for do not count, unless rule has them or they are of a condition. Comment, title and the like do not count. It
// tells whether a [RulesService.Create] with an unknown outcome was applied, and keeps a program from making a rule twice. A rule that was made just
// now may be missing for some seconds.
//
// POST /v1/objects/action, unless the scope is given by its id, and POST /v1/objects/hint; for rules on credential stuffing just
// GET /v4/clients/{client_id}/credential_stuffing/configs. Replay class: read.
func (s *RulesService) FindSame(ctx context.Context, rule NewRule, opts ...CallOption) ([]Rule, error) {
	body, err := rule.body(0)
	if err != nil {
		return nil, err
	}
	var wanted Rule
	if err := wire.Unmarshal(body, &wanted); err != nil {
		return nil, invalid("rule", "%v", err)
	}
	want, err := echoMembers(wanted.Spec)
	if err != nil {
		return nil, invalid("rule", "%v", err)
	}
	candidates, err := s.inScope(ctx, &wanted, opts)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(candidates, func(r Rule) bool { return !r.hasSpec(wanted.Type(), want) || !r.isAsNarrow(&wanted) }), nil
}

// inScope returns the rules of wanted's type in its scope, which is given by its id or its conditions. Lists hide the rules on credential
// stuffing from most tokens, and perhaps their scopes; their own route does not.
func (s *RulesService) inScope(ctx context.Context, wanted *Rule, opts []CallOption) ([]Rule, error) {
	kind, scopeID := wanted.Type(), wanted.ScopeID
	if kind == RuleCredentialStuffingByPoint || kind == RuleCredentialStuffingByRegex {
		all, err := s.CredentialStuffing(ctx, opts...)
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(slices.Concat(all.Custom, all.Default), func(r Rule) bool {
			if scopeID != 0 {
				return r.ScopeID != scopeID
			}
			return !r.Conditions.Equal(wanted.Conditions)
		}), nil
	}
	if scopeID == 0 {
		scope, err := s.client.Scopes.find(ctx, ScopeFilter{RuleTypes: []RuleType{kind}}, wanted.Conditions, opts)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		scopeID = scope.ID
	}
	var rules []Rule
	for rule, err := range s.All(ctx, RuleFilter{ScopeIDs: []int64{scopeID}, Types: []RuleType{kind}}, wholeList(opts)...) {
		if err != nil {
			return nil, err
		}
		if rule.ScopeID == scopeID {
			rules = append(rules, rule)
		}
	}
	return rules, nil
}

// hasSpec reports whether the rule is of a type and has all members that want has. What want lacks is a default of the API and does not
// count, but for what narrows a rule.
func (r *Rule) hasSpec(kind RuleType, want []wire.Member) bool {
	if r.Type() != kind {
		return false
	}
	return hasMembers(r.Spec, want) || hasMembers(withoutExtra(r.Spec), want)
}

// narrowing are the members that make a rule one for fewer requests.
var narrowing = []string{"point", "advanced_conditions", "arbitrary_conditions"}

// isAsNarrow compares what narrows a rule of a type that this package knows without such members.
func (r *Rule) isAsNarrow(wanted *Rule) bool {
	return !slices.ContainsFunc(narrowing, func(name string) bool {
		return !sameMember(wire.Member{Value: r.Extra[name]}, wire.Member{Value: wanted.Extra[name]})
	})
}

// hasMembers reports whether a spec has all members of want, and none besides that narrows it.
func hasMembers(spec RuleSpec, want []wire.Member) bool {
	members, err := echoMembers(spec)
	if err != nil {
		return false
	}
	have := make(map[string]wire.Member, len(members))
	for _, m := range members {
		have[m.Name] = m
	}
	for _, m := range want {
		if !sameMember(m, have[m.Name]) {
			return false
		}
		delete(have, m.Name)
	}
	for _, name := range narrowing {
		if !saysNothing(have[name]) {
			return false
		}
	}
	return true
}

// withoutExtra returns a copy of a spec without the members that this package has no field for, within its members and the lists of them, and with its
// points as the API stores them. Those of the spec itself stay, where conditions may be among them, and so do those of conditions, which they may
// narrow.
func withoutExtra(spec RuleSpec) RuleSpec {
	v := reflect.New(reflect.TypeOf(spec)).Elem()
	if v.Kind() != reflect.Struct {
		return spec
	}
	v.Set(reflect.ValueOf(spec))
	for i := range v.NumField() {
		if v.Type().Field(i).Type != reflect.TypeFor[Extra]() {
			dropExtra(v.Field(i))
		}
	}
	return v.Interface().(RuleSpec)
}

func dropExtra(v reflect.Value) {
	if !v.CanInterface() {
		return
	}
	switch member := v.Interface().(type) {
	case Extra:
		v.SetZero()
		return
	case Point:
		v.Set(reflect.ValueOf(member.normalized()))
		return
	case ArbitraryCondition:
		member.Point = member.Point.normalized()
		v.Set(reflect.ValueOf(member))
		return
	case AdvancedCondition:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			dropExtra(v.Field(i))
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		copied := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(copied, v)
		v.Set(copied)
		for i := range v.Len() {
			dropExtra(v.Index(i))
		}
	}
}

// sameMember reports whether two members have the same value. A missing one is as good as null or a zero, within objects too.
func sameMember(a, b wire.Member) bool {
	switch none, noOther := saysNothing(a), saysNothing(b); {
	case none || noOther:
		return none && noOther
	case a.Value.Kind() == '{' && b.Value.Kind() == '{':
		return sameObject(a.Value, b.Value)
	}
	x, y := a.Value.Clone(), b.Value.Clone()
	return x.Canonicalize() == nil && y.Canonicalize() == nil && bytes.Equal(x, y)
}

func saysNothing(m wire.Member) bool { return len(m.Value) == 0 || m.IsNothing() }

func sameObject(a, b RawJSON) bool {
	members, err := wire.Members(a)
	others, otherErr := wire.Members(b)
	if err != nil || otherErr != nil {
		return false
	}
	rest := make(map[string]wire.Member, len(others))
	for _, m := range others {
		rest[m.Name] = m
	}
	for _, m := range members {
		if !sameMember(m, rest[m.Name]) {
			return false
		}
		delete(rest, m.Name)
	}
	for _, m := range rest {
		if !saysNothing(m) {
			return false
		}
	}
	return true
}
