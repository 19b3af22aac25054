package wallarm

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// OfHit returns the rules whose expressions made a hit: one for each of the hit's Regexes, but for those whose rule is gone.
//
// POST /v3/clients/{client_id}/rules/find_regex_rule, once for each expression. Replay class: read.
func (s *RulesService) OfHit(ctx context.Context, hit *Hit, opts ...CallOption) ([]Rule, error) {
	if hit == nil {
		return nil, invalid("hit", "it is nil")
	}
	var rules []Rule
	for _, id := range unique(hit.Regexes) {
		rule, err := s.client.Regexes.FindRule(ctx, RegexMatch{
			RegexID: id, Point: hit.Point, Domain: hit.Domain, Path: hit.Path, ApplicationID: hit.ApplicationID,
		}, opts...)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return rules, err
		}
		rules = append(rules, *rule)
	}
	return rules, nil
}

// Suppression is a way to keep hits like a given one from being reported.
type Suppression uint8

const (
	// BySignature ignores the signatures that made the hit, where it was made: the narrower way. A hit without signatures, such as one of
	// type xxe or invalid_xml, is suppressed by its type.
	BySignature Suppression = iota
	// ByAttackType ignores the hit's attack type where the hit was made.
	ByAttackType
)

// SuppressHit returns the rules that keep hits like this one, a false positive, from being reported in requests that meet conditions. It asks
// nobody; [RulesService.Suppress] finds out the conditions too. Hits of attacks that are found by behaviour have no point: there is nothing to ignore
// then, and the error says so. A hit whose type is [AnyAttack] is not suppressed by its type: the rule would ignore every attack there.
func SuppressHit(hit *Hit, conditions Conditions, how Suppression) ([]NewRule, error) {
	switch {
	case hit == nil:
		return nil, invalid("hit", "it is nil")
	case how > ByAttackType:
		return nil, invalid("suppression", "%d is none", how)
	case conditions == nil:
		return nil, invalid("conditions", "they are nil; an empty list is every request")
	}
	if err := hit.Point.validate("hit.point"); err != nil {
		return nil, err
	}
	var rules []NewRule
	if how == BySignature {
		for _, stamp := range unique(hit.Stamps) {
			rules = append(rules, NewRule{Conditions: conditions, Spec: IgnoreSignature{Signature: stamp, Point: hit.Point}})
		}
	}
	if len(rules) == 0 {
		if strings.EqualFold(strings.TrimSpace(string(hit.Type)), string(AnyAttack)) {
			return nil, invalid("hit", "its type is %s, and ignoring that would ignore every attack", AnyAttack)
		}
		rules = append(rules, NewRule{Conditions: conditions, Spec: IgnoreAttackType{AttackType: hit.Type, Point: hit.Point}})
	}
	return rules, nil
}

// Suppress returns the rules that keep hits like these from being reported in requests like theirs: those of [SuppressHit], with the
// conditions that the platform derives from each hit, and no rule twice. It changes nothing: look at them, then [RulesService.Create]
// them. An answer without a list of conditions is [ErrResponse]; an empty list is taken at its word, and is every request. To create an
// [IgnoreSignature] takes a role that few have.
//
// POST /v1/objects/action/by_hit, once for each hit. Replay class: read.
func (s *RulesService) Suppress(ctx context.Context, hits []Hit, how Suppression, opts ...CallOption) ([]NewRule, error) {
	var rules []NewRule
	known := map[string]bool{}
	for i := range hits {
		scope, err := s.client.Scopes.ByHit(ctx, hits[i].ID, opts...)
		if err != nil {
			return nil, err
		}
		if scope.Conditions == nil {
			// Taken for an empty list, which means every request, it would make a rule that hides attacks everywhere.
			return nil, fmt.Errorf("wallarm: %s: %w: the answer for hit %s has no list of conditions", scopesByHit.name, ErrResponse, hits[i].ID)
		}
		suppressing, err := SuppressHit(&hits[i], scope.Conditions.Normalized(), how)
		if err != nil {
			return nil, err
		}
		for _, rule := range suppressing {
			if _, err := rule.body(0); err != nil {
				return nil, err
			}
			// The order of the conditions makes no other rule.
			bare := rule
			bare.Conditions = Conditions{}
			body, err := bare.body(0)
			if err != nil {
				return nil, err
			}
			key := rule.Conditions.Hash() + string(body)
			if !known[key] {
				known[key] = true
				rules = append(rules, rule)
			}
		}
	}
	return rules, nil
}
