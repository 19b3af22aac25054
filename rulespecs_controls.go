package wallarm

import (
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// The threshold controls need NGINX node 6.0.1 or native node 0.14.1 and the plan Advanced API Security. Their modes are monitoring and
// block; whether they take off is not known, so it is let through.

// BruteForceProtection acts on a source that tries many values of parameters. Its threshold counts distinct values of each parameter.
type BruteForceProtection struct {
	// Mode is monitoring or block, and decides which reactions there are. Required.
	Mode FiltrationMode `json:"mode"`
	// Threshold is when to act. Required.
	Threshold Threshold `json:"threshold"`
	// Reaction is what to do. Required.
	Reaction Reaction `json:"reaction"`
	// Parameters are the parameters to watch. Required.
	Parameters EnumeratedParameters `json:"enumerated_parameters"`
	// AdvancedConditions narrow the scope by properties of request and answer; all must hold.
	AdvancedConditions []AdvancedCondition `json:"advanced_conditions,omitzero"`
	// ArbitraryConditions narrow the scope by parts of the request.
	ArbitraryConditions []ArbitraryCondition `json:"arbitrary_conditions,omitzero"`
}

// RuleType returns RuleBruteForceProtection.
func (BruteForceProtection) RuleType() RuleType { return RuleBruteForceProtection }

func (s BruteForceProtection) request() (any, error) {
	return enumerationControl(s).request(s.RuleType(), AttackBruteForce)
}

func (s BruteForceProtection) change() SpecUpdate { return enumerationControl(s).change() }

// BOLAProtection acts on a source that reads the objects of others. Its threshold counts distinct values of each parameter.
type BOLAProtection struct {
	// Mode is monitoring or block, and decides which reactions there are. Required.
	Mode FiltrationMode `json:"mode"`
	// Threshold is when to act. Required.
	Threshold Threshold `json:"threshold"`
	// Reaction is what to do. Required.
	Reaction Reaction `json:"reaction"`
	// Parameters are the parameters to watch. Required.
	Parameters EnumeratedParameters `json:"enumerated_parameters"`
	// AdvancedConditions narrow the scope by properties of request and answer; all must hold.
	AdvancedConditions []AdvancedCondition `json:"advanced_conditions,omitzero"`
	// ArbitraryConditions narrow the scope by parts of the request.
	ArbitraryConditions []ArbitraryCondition `json:"arbitrary_conditions,omitzero"`
}

// RuleType returns RuleBOLAProtection.
func (BOLAProtection) RuleType() RuleType { return RuleBOLAProtection }

func (s BOLAProtection) request() (any, error) {
	return enumerationControl(s).request(s.RuleType(), AttackBOLA)
}

func (s BOLAProtection) change() SpecUpdate { return enumerationControl(s).change() }

// EnumerationProtection acts on a source that goes through the values of parameters. Its threshold counts distinct values of each parameter.
type EnumerationProtection struct {
	// Mode is monitoring or block, and decides which reactions there are. Required.
	Mode FiltrationMode `json:"mode"`
	// Threshold is when to act. Required.
	Threshold Threshold `json:"threshold"`
	// Reaction is what to do. Required.
	Reaction Reaction `json:"reaction"`
	// Parameters are the parameters to watch. Required.
	Parameters EnumeratedParameters `json:"enumerated_parameters"`
	// AdvancedConditions narrow the scope by properties of request and answer; all must hold.
	AdvancedConditions []AdvancedCondition `json:"advanced_conditions,omitzero"`
	// ArbitraryConditions narrow the scope by parts of the request.
	ArbitraryConditions []ArbitraryCondition `json:"arbitrary_conditions,omitzero"`
}

// RuleType returns RuleEnumerationProtection.
func (EnumerationProtection) RuleType() RuleType { return RuleEnumerationProtection }

func (s EnumerationProtection) request() (any, error) {
	return enumerationControl(s).request(s.RuleType(), AttackEnumeration)
}

func (s EnumerationProtection) change() SpecUpdate { return enumerationControl(s).change() }

// ForcedBrowsingProtection acts on a source that tries many addresses. Its threshold counts distinct endpoints.
type ForcedBrowsingProtection struct {
	// Mode is monitoring or block, and decides which reactions there are. Required.
	Mode FiltrationMode `json:"mode"`
	// Threshold is when to act. Required.
	Threshold Threshold `json:"threshold"`
	// Reaction is what to do. Required.
	Reaction Reaction `json:"reaction"`
	// AdvancedConditions narrow the scope by properties of request and answer; all must hold.
	AdvancedConditions []AdvancedCondition `json:"advanced_conditions,omitzero"`
	// ArbitraryConditions narrow the scope by parts of the request.
	ArbitraryConditions []ArbitraryCondition `json:"arbitrary_conditions,omitzero"`
}

// RuleType returns RuleForcedBrowsingProtection.
func (ForcedBrowsingProtection) RuleType() RuleType { return RuleForcedBrowsingProtection }

func (s ForcedBrowsingProtection) request() (any, error) {
	return thresholdControl(s).request(s.RuleType(), AttackForcedBrowsing)
}

func (s ForcedBrowsingProtection) change() SpecUpdate { return thresholdControl(s).change() }

// DoSProtection acts on a source that sends too many requests. Its threshold counts requests. [RateLimit] slows requests down.
type DoSProtection struct {
	// Mode is monitoring or block, and decides which reactions there are. Required.
	Mode FiltrationMode `json:"mode"`
	// Threshold is when to act. Required.
	Threshold Threshold `json:"threshold"`
	// Reaction is what to do. Required.
	Reaction Reaction `json:"reaction"`
	// AdvancedConditions narrow the scope by properties of request and answer; all must hold.
	AdvancedConditions []AdvancedCondition `json:"advanced_conditions,omitzero"`
	// ArbitraryConditions narrow the scope by parts of the request.
	ArbitraryConditions []ArbitraryCondition `json:"arbitrary_conditions,omitzero"`
}

// RuleType returns RuleDoSProtection.
func (DoSProtection) RuleType() RuleType { return RuleDoSProtection }

func (s DoSProtection) request() (any, error) {
	return thresholdControl(s).request(s.RuleType(), AttackRateLimit)
}

func (s DoSProtection) change() SpecUpdate { return thresholdControl(s).change() }

// thresholdControl is what the threshold controls have in common.
type thresholdControl ForcedBrowsingProtection

// request adds the attack type, which follows from the rule type: clients send it, the API does not insist.
func (s thresholdControl) request(kind RuleType, attack AttackType) (any, error) {
	c := checking(kind)
	s.check(c)
	return struct {
		thresholdControl
		AttackType AttackType `json:"attack_type"`
	}{s, attack}, c.err
}

func (s thresholdControl) check(c *checks) {
	c.text("mode", string(s.Mode))
	s.Threshold.check(c)
	s.Reaction.check(c, s.Mode)
	for _, condition := range s.AdvancedConditions {
		condition.check(c)
	}
	for _, condition := range s.ArbitraryConditions {
		condition.check(c)
	}
}

func (s thresholdControl) change() SpecUpdate {
	return ThresholdUpdate{Threshold: Set(s.Threshold), Reaction: Set(s.Reaction)}
}

// enumerationControl is what the controls with parameters have in common.
type enumerationControl BruteForceProtection

func (s enumerationControl) request(kind RuleType, attack AttackType) (any, error) {
	c := checking(kind)
	thresholdControl{s.Mode, s.Threshold, s.Reaction, s.AdvancedConditions, s.ArbitraryConditions}.check(c)
	s.Parameters = s.Parameters.prepared(c)
	return struct {
		enumerationControl
		AttackType AttackType `json:"attack_type"`
	}{s, attack}, c.err
}

func (s enumerationControl) change() SpecUpdate {
	return EnumerationUpdate{Threshold: Set(s.Threshold), Reaction: Set(s.Reaction), Parameters: Set(s.Parameters)}
}

// Threshold is how much within which time.
type Threshold struct {
	// Count is how many, at least 1.
	Count int64 `json:"count"`
	// Period is within how many seconds, at least 1.
	Period int64 `json:"period"`
	Extra  Extra `json:",embed"`
}

func (t Threshold) check(c *checks) {
	c.atLeast("threshold.count", t.Count, 1).atLeast("threshold.period", t.Period, 1)
}

// Reaction is what a control does with a source, for how many seconds: 600 to 315569520 (ten years) each. 0 is not to do it. In mode block
// there are BlockBySession and BlockByIP, one at least; in mode monitoring there is GraylistByIP.
type Reaction struct {
	BlockBySession int64 `json:"block_by_session,omitzero"`
	BlockByIP      int64 `json:"block_by_ip,omitzero"`
	GraylistByIP   int64 `json:"graylist_by_ip,omitzero"`
	Extra          Extra `json:",embed"`
}

func (r Reaction) check(c *checks, mode FiltrationMode) {
	r.checkSeconds(c)
	blocks := r.BlockBySession != 0 || r.BlockByIP != 0
	switch {
	case mode == ModeMonitoring && blocks:
		c.fail("reaction", "in mode monitoring there is graylist_by_ip only")
	case mode == ModeBlock && r.GraylistByIP != 0:
		c.fail("reaction", "in mode block there are block_by_session and block_by_ip only")
	case mode == ModeBlock && !blocks && len(r.Extra) == 0:
		c.fail("reaction", "mode block takes block_by_session, block_by_ip or both")
	}
}

func (r Reaction) checkSeconds(c *checks) {
	for name, seconds := range map[string]int64{
		"block_by_session": r.BlockBySession, "block_by_ip": r.BlockByIP, "graylist_by_ip": r.GraylistByIP,
	} {
		if seconds != 0 {
			c.within("reaction."+name, seconds, 600, 315569520)
		}
	}
}

// ParameterMode is how [EnumeratedParameters] are given.
type ParameterMode string

const (
	ParametersByRegexp ParameterMode = "regexp"
	ParametersExact    ParameterMode = "exact"
)

// EnumeratedParameters are the parameters that a control watches: either by expressions or exactly.
type EnumeratedParameters struct {
	// Mode is ParametersExact if there are Points, else ParametersByRegexp, unless it is given.
	Mode ParameterMode `json:"mode,omitzero"`
	// NameRegexps and ValueRegexps match names and values, both must. One empty text is no condition, which is the default of one if the other
	// is given. The vendor's documentation writes them as PCRE.
	NameRegexps  []string `json:"name_regexps,omitzero"`
	ValueRegexps []string `json:"value_regexps,omitzero"`
	// AdditionalParameters includes those of the session context, PlainParameters those of URL and query. Only by expressions; by default both.
	AdditionalParameters Opt[bool] `json:"additional_parameters,omitzero"`
	PlainParameters      Opt[bool] `json:"plain_parameters,omitzero"`
	// Points are the exact parameters.
	Points []ParameterPoint `json:"points,omitzero"`
	Extra  Extra            `json:",embed"`
}

// prepared checks p and fills in the defaults.
func (p EnumeratedParameters) prepared(c *checks) EnumeratedParameters {
	if p.Mode == "" {
		p.Mode = ParametersByRegexp
		if len(p.Points) > 0 {
			p.Mode = ParametersExact
		}
	}
	switch p.Mode {
	case ParametersByRegexp:
		return p.preparedByRegexp(c)
	case ParametersExact:
		// A rule that was read may have null or false here, which says nothing.
		if len(p.NameRegexps)+len(p.ValueRegexps) > 0 || p.AdditionalParameters.Or(false) || p.PlainParameters.Or(false) {
			c.fail("enumerated_parameters", "in mode exact there are points only")
		}
		p.AdditionalParameters, p.PlainParameters = Opt[bool]{}, Opt[bool]{}
		if len(p.Points) == 0 {
			c.fail("enumerated_parameters.points", "it is required in mode exact")
		}
		p.NameRegexps, p.ValueRegexps, p.Points = nil, nil, slices.Clone(p.Points)
		for i := range p.Points {
			c.point("enumerated_parameters.points", p.Points[i].Point)
			p.Points[i].Point = p.Points[i].Point.normalized()
		}
	}
	return p
}

func (p EnumeratedParameters) preparedByRegexp(c *checks) EnumeratedParameters {
	if len(p.Points) > 0 {
		c.fail("enumerated_parameters.points", "there are none in mode regexp")
	}
	if len(p.NameRegexps)+len(p.ValueRegexps) == 0 {
		c.fail("enumerated_parameters", "it names no parameters: give Points, NameRegexps or ValueRegexps; one empty expression is all")
	}
	if len(p.NameRegexps) == 0 {
		p.NameRegexps = []string{""}
	}
	if len(p.ValueRegexps) == 0 {
		p.ValueRegexps = []string{""}
	}
	p.AdditionalParameters = Set(p.AdditionalParameters.Or(true))
	p.PlainParameters = Set(p.PlainParameters.Or(true))
	p.Points = nil
	return p
}

// ParameterPoint is one parameter that a control watches.
type ParameterPoint struct {
	Point Point
	// Sensitive says that its values are hidden.
	Sensitive bool
	Extra     Extra
}

// wireParameterPoint is a ParameterPoint as it travels: its point is flat in requests too.
type wireParameterPoint struct {
	Point     flatPoint `json:"point"`
	Sensitive bool      `json:"sensitive"`
	Extra     Extra     `json:",embed"`
}

// MarshalJSONTo writes the object.
func (p ParameterPoint) MarshalJSONTo(e *jsontext.Encoder) error {
	return wire.MarshalEncode(e, wireParameterPoint{flatPoint(p.Point), p.Sensitive, p.Extra})
}

// MarshalJSON writes the object.
func (p ParameterPoint) MarshalJSON() ([]byte, error) {
	return wire.MarshalEcho(wireParameterPoint{flatPoint(p.Point), p.Sensitive, p.Extra})
}

// UnmarshalJSON reads the object and keeps unknown members.
func (p *ParameterPoint) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p) }

// UnmarshalJSONFrom reads the object and keeps unknown members.
func (p *ParameterPoint) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var w wireParameterPoint
	err := wire.UnmarshalDecode(d, &w)
	*p = ParameterPoint{Point(w.Point), w.Sensitive, w.Extra}
	return err
}

// ControlOperator compares in the conditions of a control. New ones may appear.
type ControlOperator string

const (
	ControlEqual          ControlOperator = "eq"
	ControlNotEqual       ControlOperator = "ne"
	ControlMatch          ControlOperator = "match"
	ControlNotMatch       ControlOperator = "notmatch"
	ControlMatchFold      ControlOperator = "imatch"
	ControlNotMatchFold   ControlOperator = "notimatch"
	ControlLess           ControlOperator = "lt"
	ControlGreater        ControlOperator = "gt"
	ControlLessOrEqual    ControlOperator = "le"
	ControlGreaterOrEqual ControlOperator = "ge"
)

// AdvancedField is a property of request or answer. New ones may appear.
type AdvancedField string

const (
	FieldIP           AdvancedField = "ip"
	FieldMethod       AdvancedField = "method"
	FieldUserAgent    AdvancedField = "user_agent"
	FieldDomain       AdvancedField = "domain"
	FieldURI          AdvancedField = "uri"
	FieldStatusCode   AdvancedField = "status_code"
	FieldRequestTime  AdvancedField = "request_time"
	FieldRequestSize  AdvancedField = "request_size"
	FieldResponseSize AdvancedField = "response_size"
	FieldAttackType   AdvancedField = "attack_type"
	FieldBlocked      AdvancedField = "blocked"
)

// AdvancedCondition narrows a control by a property of request or answer. All three fields are required.
type AdvancedCondition struct {
	Field    AdvancedField   `json:"field"`
	Operator ControlOperator `json:"operator"`
	// Values are texts even where they are numbers. An expression must not be empty. How several combine is not documented; presumably any of them will do.
	Values []string `json:"value"`
	Extra  Extra    `json:",embed"`
}

func (a AdvancedCondition) check(c *checks) {
	c.text("advanced_conditions.field", string(a.Field)).text("advanced_conditions.operator", string(a.Operator))
	c.controlValues("advanced_conditions.value", a.Operator, a.Values)
}

// controlValues refuses an empty expression: everything matches it, so that it narrows nothing, or all away.
func (c *checks) controlValues(member string, operator ControlOperator, values []string) {
	if len(values) == 0 {
		c.fail(member, "it is required")
	}
	switch operator {
	case ControlMatch, ControlNotMatch, ControlMatchFold, ControlNotMatchFold:
		if slices.Contains(values, "") {
			c.fail(member, "it holds an empty expression")
		}
	}
}

// ArbitraryCondition narrows a control by a part of the request. All three fields are required.
type ArbitraryCondition struct {
	Point    Point           `json:"point"`
	Operator ControlOperator `json:"operator"`
	// Values are texts even where they are numbers. An expression must not be empty.
	Values []string `json:"value"`
	Extra  Extra    `json:",embed"`
}

func (a ArbitraryCondition) check(c *checks) {
	c.point("arbitrary_conditions.point", a.Point).text("arbitrary_conditions.operator", string(a.Operator))
	c.controlValues("arbitrary_conditions.value", a.Operator, a.Values)
}

// GraphQLProtection limits GraphQL requests. It is a mitigation control. A limit of 0 is the default of the API.
type GraphQLProtection struct {
	// Mode is default, off, monitoring or block. Required.
	Mode FiltrationMode `json:"mode"`
	// MaxDepth limits the nesting of a query: 1 to 100, by default 10.
	MaxDepth int64 `json:"max_depth,omitzero"`
	// MaxValueSizeKB limits one value: 1 to 100, by default 10.
	MaxValueSizeKB int64 `json:"max_value_size_kb,omitzero"`
	// MaxDocSizeKB limits the whole document: 1 to 1024, by default 100.
	MaxDocSizeKB int64 `json:"max_doc_size_kb,omitzero"`
	// MaxAliases limits the aliases: at least 1, by default 5; the upper bound is not known.
	MaxAliases int64 `json:"max_aliases,omitzero"`
	// MaxDocsPerBatch limits the queries in one request: 1 to 100, by default 10.
	MaxDocsPerBatch int64 `json:"max_doc_per_batch,omitzero"`
	// BanIntrospection treats introspection as an attack, by default it does. The wire calls it introspection.
	BanIntrospection Opt[bool] `json:"introspection,omitzero"`
	// BanDebug treats queries in debug mode as attacks, by default it does. The wire calls it debug_enabled.
	BanDebug Opt[bool] `json:"debug_enabled,omitzero"`
}

// RuleType returns RuleGraphQLProtection.
func (GraphQLProtection) RuleType() RuleType { return RuleGraphQLProtection }

func (s GraphQLProtection) request() (any, error) {
	c := checking(s.RuleType()).text("mode", string(s.Mode))
	c.graphqlLimit("max_depth", s.MaxDepth, 100).graphqlLimit("max_value_size_kb", s.MaxValueSizeKB, 100)
	c.graphqlLimit("max_doc_size_kb", s.MaxDocSizeKB, 1024).graphqlLimit("max_doc_per_batch", s.MaxDocsPerBatch, 100)
	return s, c.graphqlLimit("max_aliases", s.MaxAliases, math.MaxInt64).err
}

func (c *checks) graphqlLimit(member string, value, most int64) *checks {
	if value == 0 {
		return c
	}
	return c.within(member, value, 1, most)
}

func (s GraphQLProtection) change() SpecUpdate {
	limit := func(v int64) Opt[int64] {
		if v == 0 {
			return Opt[int64]{}
		}
		return Set(v)
	}
	return GraphQLUpdate{
		Mode: Set(s.Mode), MaxDepth: limit(s.MaxDepth), MaxValueSizeKB: limit(s.MaxValueSizeKB), MaxDocSizeKB: limit(s.MaxDocSizeKB),
		MaxAliases: limit(s.MaxAliases), MaxDocsPerBatch: limit(s.MaxDocsPerBatch),
		BanIntrospection: s.BanIntrospection, BanDebug: s.BanDebug,
	}
}
