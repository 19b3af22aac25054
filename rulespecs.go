package wallarm

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// RuleType is the type of a rule, as the wire calls it. New ones appear: an unknown one is kept.
type RuleType string

// The rule types that can be created. Each has a struct of its own, named like the constant without Rule.
const (
	RuleVirtualPatch              RuleType = "vpatch"
	RuleSetFiltrationMode         RuleType = "wallarm_mode"
	RuleSetAPIAbuseMode           RuleType = "api_abuse_mode"
	RuleIgnoreAttackType          RuleType = "disable_attack_type"
	RuleIgnoreSignature           RuleType = "disable_stamp"
	RuleAttackDetector            RuleType = "regex"
	RuleExperimentalDetector      RuleType = "experimental_regex"
	RuleIgnoreDetector            RuleType = "disable_regex"
	RuleAllowBinaryData           RuleType = "binary_data"
	RuleMaskSensitiveData         RuleType = "sensitive_data"
	RuleAllowFileType             RuleType = "uploads"
	RuleSetResponseHeader         RuleType = "set_response_header"
	RuleConfigureParser           RuleType = "parser_state"
	RuleLimitProcessingTime       RuleType = "overlimit_res_settings"
	RuleRateLimit                 RuleType = "rate_limit"
	RuleBruteForceProtection      RuleType = "brute"
	RuleBOLAProtection            RuleType = "bola"
	RuleEnumerationProtection     RuleType = "enum"
	RuleForcedBrowsingProtection  RuleType = "forced_browsing"
	RuleDoSProtection             RuleType = "rate_limit_enum"
	RuleGraphQLProtection         RuleType = "graphql_detection"
	RuleFileUploadRestriction     RuleType = "file_upload_size_limit"
	RuleBruteForceCounter         RuleType = "brute_counter"
	RuleForcedBrowsingCounter     RuleType = "dirbust_counter"
	RuleBOLACounter               RuleType = "bola_counter"
	RuleCredentialStuffingByPoint RuleType = "credentials_point"
	RuleCredentialStuffingByRegex RuleType = "credentials_regex"
)

// The rule types that lists may hold and that nobody creates: the platform's own, retired or legacy ones.
const (
	RuleDetailedExport           RuleType = "detailed_export"
	RuleResponseConditions       RuleType = "response_conds"
	RuleCredentialStuffingMode   RuleType = "cred_stuff_mode"
	RuleAttackRechecker          RuleType = "attack_rechecker"
	RuleAttackRecheckerRewrite   RuleType = "attack_rechecker_rewrite"
	RuleOverlimitResExtended     RuleType = "overlimit_res_extended"
	RuleRequestTag               RuleType = "tag"
	RuleVariativeValues          RuleType = "variative_values"
	RuleVariativeByRegex         RuleType = "variative_by_regex"
	RuleVariativeKeys            RuleType = "variative_keys"
	RuleMiddleware               RuleType = "middleware"
	RuleExperimentalStamp        RuleType = "experimental_stamp"
	RuleDisableLDContext         RuleType = "disable_ld_context"
	RuleOverlimitRes             RuleType = "overlimit_res"
	RuleMaxSerializeDataSize     RuleType = "max_serialize_data_size"
	RuleHTMLResponseContentRegex RuleType = "html_response_content_type_regex"
	RuleHTMLResponseMaxValuesKey RuleType = "html_response_max_values_per_key"
	RuleAntibotWhitelist         RuleType = "antibot_whitelist"
)

// RuleSpec is what a rule does: one of the structs of this package, by value, one for each type of rule. A type that has none decodes
// into an [UnknownSpec]. Tell them apart with a type switch:
//
//	switch spec := rule.Spec.(type) {
//	case wallarm.VirtualPatch:
//		fmt.Println(spec.AttackType, spec.Point)
//	}
type RuleSpec interface {
	// RuleType returns the type of the rule.
	RuleType() RuleType
	// request checks the spec and returns what a create sends of it: without read-only members, in the form that the API stores.
	request() (any, error)
	// change returns what an update can change of it, nil if nothing.
	change() SpecUpdate
}

// UnknownSpec is the spec of a rule whose type this package has no struct for, or whose members do not fit it.
type UnknownSpec struct {
	Type RuleType
	// Fields are the members that are not common to all rules, as they came: points are flat.
	Fields Extra
}

// RuleType returns the type of the rule.
func (s UnknownSpec) RuleType() RuleType { return s.Type }

// request leaves null members out and turns points into the form of requests.
func (s UnknownSpec) request() (any, error) {
	if s.Type == "" {
		return nil, invalid("spec", "an UnknownSpec needs its type")
	}
	fields := make(map[string]any, len(s.Fields))
	for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
		value := s.Fields[name]
		switch {
		case ruleMembers[name]:
			return nil, invalid(string(s.Type)+"."+name, "it is common to all rules and has no place in the spec")
		case value.Kind() == 'n':
		case name == "point" || name == "login_point":
			var point Point
			if err := wire.Unmarshal(value, &point); err != nil {
				return nil, invalid(string(s.Type)+"."+name, "%v", err)
			}
			fields[name] = point
		case name == "arbitrary_conditions":
			// Their points have two forms as well. Whatever else goes by this name travels as it is.
			var conditions []ArbitraryCondition
			if err := wire.Unmarshal(value, &conditions); err != nil {
				fields[name] = value
				continue
			}
			fields[name] = conditions
		default:
			fields[name] = value
		}
	}
	return fields, nil
}

func (s UnknownSpec) change() SpecUpdate { return nil }

// MarshalJSONTo writes the fields.
func (s UnknownSpec) MarshalJSONTo(e *jsontext.Encoder) error {
	return wire.MarshalEncode(e, map[string]RawJSON(s.Fields))
}

// MarshalJSON writes the fields.
func (s UnknownSpec) MarshalJSON() ([]byte, error) {
	return wire.MarshalEcho(map[string]RawJSON(s.Fields))
}

// specCodec knows how the members of one type are read.
type specCodec struct {
	decode func([]byte) (RuleSpec, error)
	names  map[string]bool
}

// specCodecs has one codec for each spec of this package.
var specCodecs = map[RuleType]specCodec{}

func init() {
	addSpec[VirtualPatch]()
	addSpec[SetFiltrationMode]()
	addSpec[SetAPIAbuseMode]()
	addSpec[IgnoreAttackType]()
	addSpec[IgnoreSignature]()
	addSpec[AttackDetector]()
	addSpec[ExperimentalDetector]()
	addSpec[IgnoreDetector]()
	addSpec[AllowBinaryData]()
	addSpec[MaskSensitiveData]()
	addSpec[AllowFileType]()
	addSpec[SetResponseHeader]()
	addSpec[ConfigureParser]()
	addSpec[LimitProcessingTime]()
	addSpec[RateLimit]()
	addSpec[BruteForceProtection]()
	addSpec[BOLAProtection]()
	addSpec[EnumerationProtection]()
	addSpec[ForcedBrowsingProtection]()
	addSpec[DoSProtection]()
	addSpec[GraphQLProtection]()
	addSpec[FileUploadRestriction]()
	addSpec[BruteForceCounter]()
	addSpec[ForcedBrowsingCounter]()
	addSpec[BOLACounter]()
	addSpec[CredentialStuffingByPoint]()
	addSpec[CredentialStuffingByRegex]()
	addSpec[DetailedExport]()
	addSpec[ResponseConditions]()
	addSpec[CredentialStuffingMode]()
	addSpec[AttackRechecker]()
	addSpec[AttackRecheckerRewrite]()
	addSpec[OverlimitResExtended]()
	addSpec[RequestTag]()
}

func addSpec[T RuleSpec]() {
	var zero T
	specCodecs[zero.RuleType()] = specCodec{
		names: jsonNames(reflect.TypeFor[T]()),
		decode: func(data []byte) (RuleSpec, error) {
			var spec T
			err := wire.Unmarshal(data, &spec)
			return spec, err
		},
	}
}

// jsonNames returns the names in the tags of a struct.
func jsonNames(t reflect.Type) map[string]bool {
	names := make(map[string]bool, t.NumField())
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
			names[name] = true
		}
	}
	return names
}

// splitSpec takes the members of the spec out of those that are not common to all rules. Null members stay: they are written back as they came.
func splitSpec(kind RuleType, members Extra) (RuleSpec, Extra) {
	if len(members) == 0 {
		members = nil
	}
	codec, known := specCodecs[kind]
	if !known {
		return UnknownSpec{kind, members}, nil
	}
	var own []wire.Member
	for name, value := range members {
		if codec.names[name] && value.Kind() != 'n' {
			own = append(own, wire.Member{Name: name, Value: value})
		}
	}
	object, err := wire.Object(own)
	if err != nil {
		return UnknownSpec{kind, members}, nil
	}
	spec, err := codec.decode(object)
	if err != nil {
		return UnknownSpec{kind, members}, nil
	}
	for _, m := range own {
		delete(members, m.Name)
	}
	if len(members) == 0 {
		members = nil
	}
	return spec, members
}

// checks collects the first complaint about a spec.
type checks struct {
	kind RuleType
	err  error
}

func checking(kind RuleType) *checks { return &checks{kind: kind} }

func (c *checks) fail(member, format string, args ...any) *checks {
	if c.err == nil {
		c.err = invalid(string(c.kind)+"."+member, format, args...)
	}
	return c
}

func (c *checks) text(member, value string) *checks {
	if value == "" {
		return c.fail(member, "it is required")
	}
	return c
}

func (c *checks) within(member string, value, least, most int64) *checks {
	if value < least || value > most {
		return c.fail(member, "%d is not in %d..%d", value, least, most)
	}
	return c
}

func (c *checks) atLeast(member string, value, least int64) *checks {
	if value < least {
		return c.fail(member, "%d is less than %d", value, least)
	}
	return c
}

func (c *checks) point(member string, p Point) *checks {
	if err := p.validate(string(c.kind) + "." + member); err != nil && c.err == nil {
		c.err = err
	}
	if len(p) > 0 && p[0].Name == "remote_addr" && c.kind != RuleRateLimit {
		return c.fail(member, "only rate limits take remote_addr")
	}
	return c
}

// given checks a field of an update, unless it is absent or null.
func given[T any](c *checks, o Opt[T], check func(T)) {
	if v, ok := o.Get(); ok && c.err == nil {
		check(v)
	}
}
