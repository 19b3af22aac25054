package wallarm

import (
	"context"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	rulesMitigations        = operation{"rules.mitigations", "GET", "/v4/clients/{client_id}/rules/mitigations", read, inBody}
	rulesMitigationStats    = operation{"rules.mitigation_stats", "GET", "/v4/clients/{client_id}/rules/mitigations/stats", read, inBody}
	rulesCredentialStuffing = operation{"rules.credential_stuffing", "GET", "/v4/clients/{client_id}/credential_stuffing/configs", read, inBody}
	rulesAttackTypes        = operation{"rules.attack_types", "GET", "/v2/attack_types", read, inBody}
	rulesFeatureAttackTypes = operation{"rules.feature_attack_types", "GET", "/v2/suggest/attack_types", read, inBody}
	rulesSuggestSteps       = operation{"rules.suggest_steps", "POST", "/v2/suggest/point", read, inBody}
)

// Mitigations returns the rules that belong to mitigation controls, by the name of the control, such as wallarm_mode or graphql.
//
// GET /v4/clients/{client_id}/rules/mitigations; attested by the vendor's API reference only. Replay class: read.
func (s *RulesService) Mitigations(ctx context.Context, opts ...CallOption) (map[string][]Rule, error) {
	return clientQuery[map[string][]Rule](ctx, s.client, rulesMitigations, opts)
}

// MitigationStats returns how many rules each mitigation control has, by the name of the control and then by mode; total is their sum.
//
// GET /v4/clients/{client_id}/rules/mitigations/stats; attested by the vendor's API reference only. Replay class: read.
func (s *RulesService) MitigationStats(ctx context.Context, opts ...CallOption) (map[string]map[string]int64, error) {
	return clientQuery[map[string]map[string]int64](ctx, s.client, rulesMitigationStats, opts)
}

// clientQuery makes a call whose one parameter is the client id in the path.
func clientQuery[T any](ctx context.Context, c *Client, op operation, opts []CallOption) (T, error) {
	id, err := c.ClientID(ctx, opts...)
	if err != nil {
		var none T
		return none, err
	}
	return do[T](ctx, c, op, args{path: []any{id}}, opts)
}

// clientGet is get for such a call.
func clientGet[T any](ctx context.Context, c *Client, op operation, opts []CallOption) (*T, error) {
	id, err := c.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[T](ctx, c, op, args{path: []any{id}}, opts)
}

// CredentialStuffingRules are all rules on credential stuffing.
type CredentialStuffingRules struct {
	// Default and Custom are the groups of the answer. What makes a rule one or the other is not documented by the vendor: perhaps its Database,
	// perhaps who made it.
	Default []Rule `json:"default"`
	Custom  []Rule `json:"custom"`
	Extra   Extra  `json:",embed"`
}

// MarshalJSON writes the rules: the members with a value, and all that no field is for.
func (c CredentialStuffingRules) MarshalJSON() ([]byte, error) {
	type plain CredentialStuffingRules
	return wire.MarshalEcho(plain(c))
}

// UnmarshalJSON reads the rules and keeps unknown members.
func (c *CredentialStuffingRules) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads the rules and keeps unknown members.
func (c *CredentialStuffingRules) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain CredentialStuffingRules
	return wire.UnmarshalDecode(d, (*plain)(c))
}

// CredentialStuffing returns all rules on credential stuffing. [RulesService.List] has them for tokens with elevated permissions only.
//
// GET /v4/clients/{client_id}/credential_stuffing/configs. Replay class: read.
func (s *RulesService) CredentialStuffing(ctx context.Context, opts ...CallOption) (*CredentialStuffingRules, error) {
	return clientGet[CredentialStuffingRules](ctx, s.client, rulesCredentialStuffing, opts)
}

// AttackTypeGroups are attack types in groups.
type AttackTypeGroups struct {
	// Groups are the attack types by the name of the group.
	Groups map[string][]AttackType
	// Extra holds groups of another form: the vendor does not describe it.
	Extra Extra
}

// MarshalJSON writes the groups as they were received.
func (g AttackTypeGroups) MarshalJSON() ([]byte, error) {
	var members []wire.Member
	for _, name := range slices.Sorted(maps.Keys(g.Groups)) {
		value, err := wire.MarshalEcho(g.Groups[name])
		if err != nil {
			return nil, err
		}
		members = append(members, wire.Member{Name: name, Value: value})
	}
	for _, name := range slices.Sorted(maps.Keys(g.Extra)) {
		members = append(members, wire.Member{Name: name, Value: g.Extra[name]})
	}
	return wire.Object(members)
}

// UnmarshalJSON reads groups of any form.
func (g *AttackTypeGroups) UnmarshalJSON(data []byte) error {
	*g = AttackTypeGroups{Groups: map[string][]AttackType{}}
	members, err := wire.Members(data)
	if err != nil {
		return err
	}
	for _, m := range members {
		var types []AttackType
		if err := wire.Unmarshal(m.Value, &types); err == nil {
			g.Groups[m.Name] = types
			continue
		}
		if g.Extra == nil {
			g.Extra = Extra{}
		}
		g.Extra[m.Name] = m.Value
	}
	return nil
}

// AttackTypes returns the attack types, grouped by what they are aimed at.
//
// GET /v2/attack_types; the form of the answer is not documented by the vendor. Replay class: read.
func (s *RulesService) AttackTypes(ctx context.Context, opts ...CallOption) (*AttackTypeGroups, error) {
	return get[AttackTypeGroups](ctx, s.client, rulesAttackTypes, args{}, opts)
}

// AttackTypesByFeature returns the attack types that each feature takes. Its groups are called rules.vpatch, rules.regex,
// rules.disable_attack, events.attacks and so on: it is the source for what a rule accepts today.
//
// GET /v2/suggest/attack_types; attested by the vendor's API reference only. Replay class: read.
func (s *RulesService) AttackTypesByFeature(ctx context.Context, opts ...CallOption) (*AttackTypeGroups, error) {
	return get[AttackTypeGroups](ctx, s.client, rulesFeatureAttackTypes, args{}, opts)
}

// SuggestSteps returns, for each of points, the parsers that may come next, none behind an end. The result is parallel to points. An empty point
// asks for the parsers that a point may begin with, which is not documented by the vendor.
//
// POST /v2/suggest/point. Replay class: read.
func (s *RulesService) SuggestSteps(ctx context.Context, points []Point, opts ...CallOption) ([][]string, error) {
	if len(points) == 0 {
		return nil, invalid("points", "there are none")
	}
	for _, point := range points {
		if len(point) == 0 {
			continue
		}
		if err := point.validate("points"); err != nil {
			return nil, err
		}
	}
	return do[[][]string](ctx, s.client, rulesSuggestSteps, args{body: struct {
		Mode   string  `json:"mode"`
		Points []Point `json:"points"`
	}{"default", points}}, opts)
}
