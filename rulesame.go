package wallarm

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// FindSame returns the rules that do the same as rule in the same scope: of the same type, with the same spec as far as rule gives it.
// Comment, title and the like do not count. It tells whether a [RulesService.Create] with an unknown outcome was applied, and keeps a
// program from making a rule twice. A rule that was made just now may be missing for some seconds.
//
// POST /v1/objects/action, unless the scope is given by its id, and POST /v1/objects/hint, or for rules on credential stuffing
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
	scopeID := rule.ScopeID
	if scopeID == 0 {
		scope, err := s.client.Scopes.find(ctx, ScopeFilter{RuleTypes: []RuleType{wanted.Type()}}, wanted.Conditions, opts)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		scopeID = scope.ID
	}
	want, err := echoMembers(wanted.Spec)
	if err != nil {
		return nil, invalid("rule", "%v", err)
	}
	candidates, err := s.ofScope(ctx, scopeID, wanted.Type(), opts)
	if err != nil {
		return nil, err
	}
	var same []Rule
	for i := range candidates {
		if candidates[i].ScopeID == scopeID && candidates[i].hasSpec(wanted.Type(), want) {
			same = append(same, candidates[i])
		}
	}
	return same, nil
}

// ofScope returns the rules of one type in a scope. Lists hide the rules on credential stuffing from most tokens, their own route does not.
func (s *RulesService) ofScope(ctx context.Context, scopeID int64, kind RuleType, opts []CallOption) ([]Rule, error) {
	if kind == RuleCredentialStuffingByPoint || kind == RuleCredentialStuffingByRegex {
		all, err := s.CredentialStuffing(ctx, opts...)
		if err != nil {
			return nil, err
		}
		return slices.Concat(all.Custom, all.Default), nil
	}
	var rules []Rule
	for rule, err := range s.All(ctx, RuleFilter{ScopeIDs: []int64{scopeID}, Types: []RuleType{kind}}, opts...) {
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// hasSpec reports whether the rule is of a type and has all members of its spec that are something.
func (r *Rule) hasSpec(kind RuleType, want []wire.Member) bool {
	if r.Type() != kind {
		return false
	}
	members, err := echoMembers(r.Spec)
	if err != nil {
		return false
	}
	have := make(map[string]RawJSON, len(members))
	for _, m := range members {
		have[m.Name] = m.Value
	}
	for _, m := range want {
		if !m.IsNothing() && !sameJSON(m.Value, have[m.Name]) {
			return false
		}
	}
	return true
}

func sameJSON(a, b RawJSON) bool {
	a, b = a.Clone(), b.Clone()
	return a.Canonicalize() == nil && b.Canonicalize() == nil && bytes.Equal(a, b)
}
