package wallarm

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	ruleSettingsMode         = operation{"rule_settings.mode", "GET", "/v2/client/{client_id}/rules/wallarm_mode", read, inBody}
	ruleSettingsSetMode      = operation{"rule_settings.set_mode", "PUT", "/v2/client/{client_id}/rules/wallarm_mode", idempotent, inBody}
	ruleSettingsTimeLimit    = operation{"rule_settings.time_limit", "GET", "/v2/client/{client_id}/rules/overlimit_res_settings", read, inBody}
	ruleSettingsSetTimeLimit = operation{"rule_settings.set_time_limit", "PUT", "/v2/client/{client_id}/rules/overlimit_res_settings", idempotent, inBody}
	ruleSettingsGet          = operation{"rule_settings.get", "GET", "/v2/client/{client_id}/rules/settings", read, inBody}
	ruleSettingsUpdate       = operation{"rule_settings.update", "PUT", "/v2/client/{client_id}/rules/settings", idempotent, inBody}
	ruleSettingsReset        = operation{"rule_settings.reset", "DELETE", "/v2/client/{client_id}/rules/settings", idempotent, noAnswer}
	ruleSettingsList         = operation{"rule_settings.list", "GET", "/v2/client/rules/settings", read, inBody}
	ruleSettingsDefaults     = operation{"rule_settings.defaults", "GET", "/v2/client/rules/default_settings", read, inBody}
)

// RuleSettingsService manages what holds for all rules of a client: the filtration mode, the limit of processing time, and the settings of the
// rules engine.
type RuleSettingsService service

// modeAnswer is an answer with a mode. One source draws it in an envelope within the envelope.
type modeAnswer struct {
	Mode FiltrationMode `json:"mode"`
	Body *struct {
		Mode FiltrationMode `json:"mode"`
	} `json:"body"`
}

func (a *modeAnswer) mode() FiltrationMode {
	if a.Body != nil {
		return a.Body.Mode
	}
	return a.Mode
}

// Mode returns the filtration mode of the client. It is a rule of the platform for every request, so lists of rules show it too. The API
// makes that rule when it is first asked for.
//
// GET /v2/client/{client_id}/rules/wallarm_mode. Replay class: read.
func (s *RuleSettingsService) Mode(ctx context.Context, opts ...CallOption) (FiltrationMode, error) {
	answer, err := clientGet[modeAnswer](ctx, s.client, ruleSettingsMode, opts)
	if err != nil {
		return "", err
	}
	return answer.mode(), nil
}

// SetMode sets the filtration mode of the client and returns what it is then: default, monitoring, block, safe_blocking or off.
//
// PUT /v2/client/{client_id}/rules/wallarm_mode. Replay class: idempotent.
func (s *RuleSettingsService) SetMode(ctx context.Context, mode FiltrationMode, opts ...CallOption) (FiltrationMode, error) {
	if mode == "" {
		return "", invalid("mode", "it is empty")
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return "", err
	}
	answer, err := get[modeAnswer](ctx, s.client, ruleSettingsSetMode, args{path: []any{id}, body: struct {
		Mode FiltrationMode `json:"mode"`
	}{mode}}, opts)
	if err != nil {
		return "", err
	}
	return answer.mode(), nil
}

// TimeLimit is how long a node analyses a request, and what happens then.
type TimeLimit struct {
	// Milliseconds is the limit, 0 to 10000; the platform's default is 1000.
	Milliseconds int64 `json:"overlimit_time"`
	// Mode is OverlimitBlocking or OverlimitMonitoring, which lets the request through and is the platform's default.
	Mode  OverlimitMode `json:"mode"`
	Extra Extra         `json:",embed"`
}

// MarshalJSON writes the limit: the members with a value, and all that no field is for.
func (l TimeLimit) MarshalJSON() ([]byte, error) {
	type plain TimeLimit
	return wire.MarshalEcho(plain(l))
}

// UnmarshalJSON reads a limit and keeps unknown members.
func (l *TimeLimit) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, l) }

// UnmarshalJSONFrom reads a limit and keeps unknown members.
func (l *TimeLimit) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain TimeLimit
	return wire.UnmarshalDecode(d, (*plain)(l))
}

// TimeLimit returns the limit of processing time of the client. [LimitProcessingTime] is the rule that sets it for a scope.
//
// GET /v2/client/{client_id}/rules/overlimit_res_settings. Replay class: read.
func (s *RuleSettingsService) TimeLimit(ctx context.Context, opts ...CallOption) (*TimeLimit, error) {
	return clientGet[TimeLimit](ctx, s.client, ruleSettingsTimeLimit, opts)
}

// SetTimeLimit sets the limit of processing time of the client, both fields together.
//
// PUT /v2/client/{client_id}/rules/overlimit_res_settings. Replay class: idempotent.
func (s *RuleSettingsService) SetTimeLimit(ctx context.Context, limit TimeLimit, opts ...CallOption) (*TimeLimit, error) {
	c := checking(RuleLimitProcessingTime).within("overlimit_time", limit.Milliseconds, 0, 10000).text("mode", string(limit.Mode))
	if c.overlimitMode(limit.Mode); c.err != nil {
		return nil, c.err
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	// Without its methods the limit is encoded as a request.
	type plain TimeLimit
	return get[TimeLimit](ctx, s.client, ruleSettingsSetTimeLimit, args{path: []any{id}, body: plain(limit)}, opts)
}

// RulesSettings are the settings of the rules engine of a client.
type RulesSettings struct {
	ClientID int64 `json:"clientid,omitzero"`
	// MinFormat and MaxFormat bound the formats of rulesets that are built; nil is the default of the server. The wire calls a
	// ruleset LOM.
	MinFormat *int64 `json:"min_lom_format"`
	MaxFormat *int64 `json:"max_lom_format"`
	// MaxSize bounds the size of a ruleset in bytes.
	MaxSize int64 `json:"max_lom_size"`
	// BuildsDisabled says that no rulesets are built: changes of rules do not reach the nodes.
	BuildsDisabled bool `json:"lom_disabled"`
	// BuildDelay is how many seconds a build waits for further changes.
	BuildDelay int64 `json:"lom_compilation_delay"`
	// SnapshotsEnabled says that snapshots are taken automatically; SnapshotsKept is how many of those that users made are kept.
	SnapshotsEnabled bool  `json:"rules_snapshot_enabled"`
	SnapshotsKept    int64 `json:"rules_snapshot_max_count"`
	// RulesLocked refuses every change of rules, for good: to wait does not help, unlike with [ErrLocked] during a snapshot.
	RulesLocked bool `json:"rules_manipulation_locked"`
	// Heavy builds the ruleset in the queue for large ones.
	Heavy bool `json:"heavy_lom"`
	// StoredInS3 is a flag of the storage.
	StoredInS3 bool `json:"data_in_s3"`
	// The weights of the API risk score are 0 to 10 each; RiskScore says how they combine.
	ParametersCountWeight int64              `json:"parameters_count_weight"`
	PathVariativityWeight int64              `json:"path_variativity_weight"`
	PIIWeight             int64              `json:"pii_weight"`
	RequestContentWeight  int64              `json:"request_content_weight"`
	OpenVulnsWeight       int64              `json:"open_vulns_weight"`
	SerializedDataWeight  int64              `json:"serialized_data_weight"`
	RiskScore             RiskScoreAlgorithm `json:"risk_score_algo,omitempty"`
	PIIFallback           bool               `json:"pii_fallback"`
	PIIMode               string             `json:"pii_mode,omitempty"`
	VulnDetectionMode     string             `json:"vuln_detection_mode,omitempty"`
	APISpecPolicyMode     string             `json:"api_spec_policy_lom_mode,omitempty"`
	BOLAMinNesting        int64              `json:"bola_min_nesting,omitzero"`
	BOLAMaxEndpoints      int64              `json:"bola_max_endpoints,omitzero"`
	BOLAThreshold         *Threshold         `json:"bola_threshold,omitzero"`
	BOLADetectionMode     string             `json:"bola_detection_mode,omitempty"`
	License               Secret             `json:"license,omitempty"`
	Extra                 Extra              `json:",embed"`
}

// RiskScoreAlgorithm says how the weights of the API risk score combine.
type RiskScoreAlgorithm string

const (
	RiskScoreMaximum RiskScoreAlgorithm = "maximum"
	RiskScoreAverage RiskScoreAlgorithm = "average"
)

// MarshalJSON writes the settings: the members with a value, and all that no field is for; License hides itself.
func (r RulesSettings) MarshalJSON() ([]byte, error) {
	type plain RulesSettings
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads settings and keeps unknown members.
func (r *RulesSettings) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads settings and keeps unknown members.
func (r *RulesSettings) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain RulesSettings
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// Get returns the settings of the rules engine.
//
// GET /v2/client/{client_id}/rules/settings. Replay class: read.
func (s *RuleSettingsService) Get(ctx context.Context, opts ...CallOption) (*RulesSettings, error) {
	return clientGet[RulesSettings](ctx, s.client, ruleSettingsGet, opts)
}

// RulesSettingsUpdate is what to change of [RulesSettings]. An absent field stays as it is. Null is a value for MinFormat and MaxFormat only:
// the default of the server.
type RulesSettingsUpdate struct {
	MinFormat Opt[int64] `json:"min_lom_format,omitzero"`
	MaxFormat Opt[int64] `json:"max_lom_format,omitzero"`
	// MaxSize is more than 1024.
	MaxSize        Opt[int64] `json:"max_lom_size,omitzero"`
	BuildsDisabled Opt[bool]  `json:"lom_disabled,omitzero"`
	// BuildDelay is 0 to 2147483647 seconds.
	BuildDelay       Opt[int64] `json:"lom_compilation_delay,omitzero"`
	SnapshotsEnabled Opt[bool]  `json:"rules_snapshot_enabled,omitzero"`
	// SnapshotsKept is 0 to 99; one source says 100.
	SnapshotsKept Opt[int64] `json:"rules_snapshot_max_count,omitzero"`
	RulesLocked   Opt[bool]  `json:"rules_manipulation_locked,omitzero"`
	Heavy         Opt[bool]  `json:"heavy_lom,omitzero"`
	// The weights are 0 to 10.
	ParametersCountWeight Opt[int64]              `json:"parameters_count_weight,omitzero"`
	PathVariativityWeight Opt[int64]              `json:"path_variativity_weight,omitzero"`
	PIIWeight             Opt[int64]              `json:"pii_weight,omitzero"`
	RequestContentWeight  Opt[int64]              `json:"request_content_weight,omitzero"`
	OpenVulnsWeight       Opt[int64]              `json:"open_vulns_weight,omitzero"`
	SerializedDataWeight  Opt[int64]              `json:"serialized_data_weight,omitzero"`
	RiskScore             Opt[RiskScoreAlgorithm] `json:"risk_score_algo,omitzero"`
	PIIFallback           Opt[bool]               `json:"pii_fallback,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

func (u *RulesSettingsUpdate) body() (RawJSON, error) {
	c := checking("settings")
	for name, format := range map[string]Opt[int64]{"min_lom_format": u.MinFormat, "max_lom_format": u.MaxFormat} {
		given(c, format, func(v int64) { c.atLeast(name, v, 1) })
	}
	given(c, u.MaxSize, func(v int64) { c.atLeast("max_lom_size", v, 1025) })
	given(c, u.BuildDelay, func(v int64) { c.within("lom_compilation_delay", v, 0, 1<<31-1) })
	given(c, u.SnapshotsKept, func(v int64) { c.within("rules_snapshot_max_count", v, 0, 100) })
	for name, weight := range map[string]Opt[int64]{
		"parameters_count_weight": u.ParametersCountWeight, "path_variativity_weight": u.PathVariativityWeight, "pii_weight": u.PIIWeight,
		"request_content_weight": u.RequestContentWeight, "open_vulns_weight": u.OpenVulnsWeight, "serialized_data_weight": u.SerializedDataWeight,
	} {
		given(c, weight, func(v int64) { c.within(name, v, 0, 10) })
	}
	given(c, u.RiskScore, func(a RiskScoreAlgorithm) { c.text("risk_score_algo", string(a)) })
	members, err := requestMembers(u)
	if err != nil {
		return nil, unencodable("settings", err)
	}
	if len(members) == 0 {
		c.fail("update", "it changes nothing")
	}
	for _, m := range members {
		if m.Value.Kind() == 'n' && m.Name != "min_lom_format" && m.Name != "max_lom_format" && u.Extra[m.Name] == nil {
			c.fail(m.Name, "null is no value of it")
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return wire.Object(members)
}

// requestMembers returns the members of a request object.
func requestMembers(v any) ([]wire.Member, error) {
	data, err := wire.Marshal(v)
	if err != nil {
		return nil, err
	}
	return wire.Members(data)
}

// Update changes the settings of the rules engine and returns them as they are then. Only what is set is sent, so that the formats, of which
// null is a value, do not change by oversight.
//
// PUT /v2/client/{client_id}/rules/settings. Replay class: idempotent.
func (s *RuleSettingsService) Update(ctx context.Context, update RulesSettingsUpdate, opts ...CallOption) (*RulesSettings, error) {
	body, err := update.body()
	if err != nil {
		return nil, err
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[RulesSettings](ctx, s.client, ruleSettingsUpdate, args{path: []any{id}, body: body}, opts)
}

// Reset removes the settings of the client: the defaults hold again. A client without settings is reset already.
//
// DELETE /v2/client/{client_id}/rules/settings; attested by the vendor's API reference only. Replay class: idempotent.
func (s *RuleSettingsService) Reset(ctx context.Context, opts ...CallOption) error {
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	return remove(ctx, s.client, ruleSettingsReset, args{path: []any{id}}, opts)
}

// Defaults returns the platform's defaults.
//
// GET /v2/client/rules/default_settings; attested by the vendor's API reference only. Replay class: read.
func (s *RuleSettingsService) Defaults(ctx context.Context, opts ...CallOption) (*RulesSettings, error) {
	return get[RulesSettings](ctx, s.client, ruleSettingsDefaults, args{}, opts)
}

// RulesSettingsFilter selects settings of several clients. A zero field is no condition.
type RulesSettingsFilter struct {
	// ClientIDs are the clients; nil is the one that the client works for, an empty list is refused.
	ClientIDs        []int64   `url:"filter[clientid][]"`
	MinFormats       []int64   `url:"filter[min_lom_format][],omitempty"`
	MaxSizes         []int64   `url:"filter[max_lom_size][],omitempty"`
	BuildsDisabled   Opt[bool] `url:"filter[lom_disabled],omitempty"`
	SnapshotsEnabled Opt[bool] `url:"filter[rules_snapshot_enabled],omitempty"`
	Heavy            Opt[bool] `url:"filter[heavy_lom],omitempty"`
}

func (s *RuleSettingsService) list(filter RulesSettingsFilter, opts []CallOption) *lister[RulesSettings] {
	return &lister[RulesSettings]{
		client: s.client, op: ruleSettingsList, paging: byOffset, usual: 1000, most: 1000, opts: opts,
		id: func(r *RulesSettings) string { return strconv.FormatInt(r.ClientID, 10) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "%s takes none", ruleSettingsList.name)
			}
			if err := validateQueryFilter(filter); err != nil {
				return args{}, err
			}
			f := filter
			var err error
			f.ClientIDs, err = s.client.clientIDs(ctx, f.ClientIDs, opts)
			return args{query: struct {
				RulesSettingsFilter
				Limit  int `url:"limit"`
				Offset int `url:"offset"`
			}{f, page.Limit, page.Offset}}, err
		},
	}
}

// List returns one page of the settings of several clients. page.Limit is by default and at most 1000.
//
// GET /v2/client/rules/settings; attested by the vendor's API reference only, which draws the filter as a body of the GET. Many proxies drop
// that: it travels as a query. Replay class: read.
func (s *RuleSettingsService) List(
	ctx context.Context, filter RulesSettingsFilter, page PageOptions, opts ...CallOption,
) (*Page[RulesSettings], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the settings of several clients. See [RuleSettingsService.List].
//
// GET /v2/client/rules/settings. Replay class: read.
func (s *RuleSettingsService) All(ctx context.Context, filter RulesSettingsFilter, opts ...CallOption) iter.Seq2[RulesSettings, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *RuleSettingsService) Pages(
	ctx context.Context, filter RulesSettingsFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[RulesSettings], error] {
	return s.list(filter, opts).pages(ctx, start)
}
