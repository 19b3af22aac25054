package wallarm

// SpecUpdate is what an update changes of a spec: one of the structs named …Update, which hold what the API is known to change in place, rule
// type by rule type. All else, such as the point or the scope of a rule, takes a new rule. An absent field stays as it is.
type SpecUpdate interface {
	// request checks the values and returns what travels.
	request() (any, error)
}

// AttackTypeUpdate changes a [VirtualPatch] or an [IgnoreAttackType].
type AttackTypeUpdate struct {
	AttackType Opt[AttackType] `json:"attack_type,omitzero"`
}

func (u AttackTypeUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.AttackType, func(t AttackType) { c.text("attack_type", string(t)) })
	return u, c.err
}

// FiltrationModeUpdate changes a [SetFiltrationMode].
type FiltrationModeUpdate struct {
	Mode Opt[FiltrationMode] `json:"mode,omitzero"`
}

func (u FiltrationModeUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Mode, func(m FiltrationMode) { c.text("mode", string(m)) })
	return u, c.err
}

// APIAbuseModeUpdate changes a [SetAPIAbuseMode].
type APIAbuseModeUpdate struct {
	Mode Opt[SwitchState] `json:"mode,omitzero"`
}

func (u APIAbuseModeUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Mode, func(m SwitchState) { c.text("mode", string(m)) })
	return u, c.err
}

// SignatureUpdate changes an [IgnoreSignature].
type SignatureUpdate struct {
	Signature Opt[int64] `json:"stamp,omitzero"`
}

func (u SignatureUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Signature, func(id int64) { c.atLeast("stamp", id, 1) })
	return u, c.err
}

// DetectorUpdate changes an [AttackDetector] or an [ExperimentalDetector]. A new expression gets a new id, and the [IgnoreDetector] rules of the
// old one go.
type DetectorUpdate struct {
	Regex Opt[string] `json:"regex,omitzero"`
}

func (u DetectorUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Regex, func(s string) { c.text("regex", s) })
	return u, c.err
}

// FileTypeUpdate changes an [AllowFileType].
type FileTypeUpdate struct {
	FileType Opt[FileType] `json:"file_type,omitzero"`
}

func (u FileTypeUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.FileType, func(t FileType) { c.text("file_type", string(t)) })
	return u, c.err
}

// ResponseHeaderUpdate changes a [SetResponseHeader].
type ResponseHeaderUpdate struct {
	Mode   Opt[HeaderMode] `json:"mode,omitzero"`
	Name   Opt[string]     `json:"name,omitzero"`
	Values Opt[[]string]   `json:"values,omitzero"`
}

func (u ResponseHeaderUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Mode, func(m HeaderMode) { c.text("mode", string(m)) })
	given(c, u.Name, func(s string) { c.text("name", s).headerName(s) })
	given(c, u.Values, func(values []string) { c.headerValues(values) })
	return u, c.err
}

// ParserUpdate changes a [ConfigureParser].
type ParserUpdate struct {
	Parser Opt[ParserName]  `json:"parser,omitzero"`
	State  Opt[SwitchState] `json:"state,omitzero"`
}

func (u ParserUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Parser, func(p ParserName) { c.text("parser", string(p)) })
	given(c, u.State, func(s SwitchState) { c.text("state", string(s)) })
	return u, c.err
}

// ProcessingTimeUpdate changes a [LimitProcessingTime].
type ProcessingTimeUpdate struct {
	Milliseconds Opt[int64]         `json:"overlimit_time,omitzero"`
	Mode         Opt[OverlimitMode] `json:"mode,omitzero"`
}

func (u ProcessingTimeUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Milliseconds, func(ms int64) { c.within("overlimit_time", ms, 0, 1<<31-1) })
	given(c, u.Mode, func(m OverlimitMode) { c.text("mode", string(m)).overlimitMode(m) })
	return u, c.err
}

// RateLimitUpdate changes a [RateLimit].
type RateLimitUpdate struct {
	Rate   Opt[int64]    `json:"rate,omitzero"`
	Burst  Opt[int64]    `json:"burst,omitzero"`
	Delay  Opt[int64]    `json:"delay,omitzero"`
	Status Opt[int64]    `json:"rsp_status,omitzero"`
	Unit   Opt[TimeUnit] `json:"time_unit,omitzero"`
}

func (u RateLimitUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Rate, func(v int64) { c.within("rate", v, 0, 1000) })
	given(c, u.Burst, func(v int64) { c.within("burst", v, 0, 1000) })
	given(c, u.Delay, func(v int64) { c.within("delay", v, 0, 1000) })
	given(c, u.Status, func(v int64) { c.within("rsp_status", v, 400, 599) })
	return u, c.err
}

// ThresholdUpdate changes a [ForcedBrowsingProtection] or a [DoSProtection]. Reactions must suit the mode, which stays.
type ThresholdUpdate struct {
	Threshold Opt[Threshold] `json:"threshold,omitzero"`
	Reaction  Opt[Reaction]  `json:"reaction,omitzero"`
}

func (u ThresholdUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Threshold, func(t Threshold) { t.check(c) })
	given(c, u.Reaction, func(r Reaction) { r.checkSeconds(c) })
	return u, c.err
}

// EnumerationUpdate changes a [BruteForceProtection], a [BOLAProtection] or an [EnumerationProtection]. Reactions must suit the mode, which stays.
type EnumerationUpdate struct {
	Threshold  Opt[Threshold]            `json:"threshold,omitzero"`
	Reaction   Opt[Reaction]             `json:"reaction,omitzero"`
	Parameters Opt[EnumeratedParameters] `json:"enumerated_parameters,omitzero"`
}

func (u EnumerationUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Threshold, func(t Threshold) { t.check(c) })
	given(c, u.Reaction, func(r Reaction) { r.checkSeconds(c) })
	given(c, u.Parameters, func(p EnumeratedParameters) { u.Parameters = Set(p.prepared(c)) })
	return u, c.err
}

// GraphQLUpdate changes a [GraphQLProtection].
type GraphQLUpdate struct {
	Mode             Opt[FiltrationMode] `json:"mode,omitzero"`
	MaxDepth         Opt[int64]          `json:"max_depth,omitzero"`
	MaxValueSizeKB   Opt[int64]          `json:"max_value_size_kb,omitzero"`
	MaxDocSizeKB     Opt[int64]          `json:"max_doc_size_kb,omitzero"`
	MaxAliases       Opt[int64]          `json:"max_aliases,omitzero"`
	MaxDocsPerBatch  Opt[int64]          `json:"max_doc_per_batch,omitzero"`
	BanIntrospection Opt[bool]           `json:"introspection,omitzero"`
	BanDebug         Opt[bool]           `json:"debug_enabled,omitzero"`
}

func (u GraphQLUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Mode, func(m FiltrationMode) { c.text("mode", string(m)) })
	given(c, u.MaxDepth, func(v int64) { c.within("max_depth", v, 1, 100) })
	given(c, u.MaxValueSizeKB, func(v int64) { c.within("max_value_size_kb", v, 1, 100) })
	given(c, u.MaxDocSizeKB, func(v int64) { c.within("max_doc_size_kb", v, 1, 1024) })
	given(c, u.MaxAliases, func(v int64) { c.atLeast("max_aliases", v, 1) })
	given(c, u.MaxDocsPerBatch, func(v int64) { c.within("max_doc_per_batch", v, 1, 100) })
	return u, c.err
}

// FileUploadUpdate changes a [FileUploadRestriction]. The unit of the size stays.
type FileUploadUpdate struct {
	Mode Opt[FiltrationMode] `json:"mode,omitzero"`
	Size Opt[uint64]         `json:"size,omitzero"`
}

func (u FileUploadUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Mode, func(m FiltrationMode) { c.text("mode", string(m)) })
	given(c, u.Size, func(size uint64) {
		if size == 0 {
			c.fail("size", "it is at least 1")
		}
	})
	return u, c.err
}

// CredentialPointUpdate changes a [CredentialStuffingByPoint].
type CredentialPointUpdate struct {
	Database Opt[CredentialDatabase] `json:"cred_stuff_type,omitzero"`
}

func (u CredentialPointUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Database, func(d CredentialDatabase) { c.text("cred_stuff_type", string(d)) })
	return u, c.err
}

// CredentialRegexUpdate changes a [CredentialStuffingByRegex].
type CredentialRegexUpdate struct {
	Regex         Opt[string]             `json:"regex,omitzero"`
	LoginRegex    Opt[string]             `json:"login_regex,omitzero"`
	CaseSensitive Opt[bool]               `json:"case_sensitive,omitzero"`
	Database      Opt[CredentialDatabase] `json:"cred_stuff_type,omitzero"`
}

func (u CredentialRegexUpdate) request() (any, error) {
	c := checking("update")
	given(c, u.Regex, func(s string) { c.text("regex", s) })
	given(c, u.LoginRegex, func(s string) { c.loginRegex(s) })
	given(c, u.Database, func(d CredentialDatabase) { c.text("cred_stuff_type", string(d)) })
	return u, c.err
}
