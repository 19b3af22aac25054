package wallarm

// The specs below appear in lists and cannot be created with this package: nobody documents what the API demands of them. An [UnknownSpec]
// of their type gets through, at the caller's risk.

func notCreatable(kind RuleType) (any, error) {
	return nil, invalid("spec", "rules of type %s can only be read; an UnknownSpec of this type can be tried", kind)
}

// DetailedExport is a rule about what is exported. It can only be read; not documented by the vendor.
type DetailedExport struct {
	// Mode is a word such as keep_headers.
	Mode string `json:"mode"`
}

// RuleType returns RuleDetailedExport.
func (DetailedExport) RuleType() RuleType { return RuleDetailedExport }

func (s DetailedExport) request() (any, error) { return notCreatable(s.RuleType()) }

func (DetailedExport) change() SpecUpdate { return nil }

// ResponseConditions is a rule about the analysis of answers. It can only be read; not documented by the vendor.
type ResponseConditions struct {
	EnableParsers bool     `json:"enable_parsers"`
	LimitParsers  []string `json:"limit_parsers"`
	LimitSize     int64    `json:"limit_size"`
	LimitDepth    int64    `json:"limit_deep"`
	LimitChance   float64  `json:"limit_chance"`
}

// RuleType returns RuleResponseConditions.
func (ResponseConditions) RuleType() RuleType { return RuleResponseConditions }

func (s ResponseConditions) request() (any, error) { return notCreatable(s.RuleType()) }

func (ResponseConditions) change() SpecUpdate { return nil }

// CredentialStuffingMode is the retired way to switch the detection of credential stuffing. It can only be read.
type CredentialStuffingMode struct {
	// Mode is default, custom or disabled.
	Mode string `json:"cred_stuff_mode"`
}

// RuleType returns RuleCredentialStuffingMode.
func (CredentialStuffingMode) RuleType() RuleType { return RuleCredentialStuffingMode }

func (s CredentialStuffingMode) request() (any, error) { return notCreatable(s.RuleType()) }

func (CredentialStuffingMode) change() SpecUpdate { return nil }

// AttackRechecker is a rule of the withdrawn active verification of attacks. It can only be read.
type AttackRechecker struct {
	Enabled bool `json:"enabled"`
}

// RuleType returns RuleAttackRechecker.
func (AttackRechecker) RuleType() RuleType { return RuleAttackRechecker }

func (s AttackRechecker) request() (any, error) { return notCreatable(s.RuleType()) }

func (AttackRechecker) change() SpecUpdate { return nil }

// AttackRecheckerRewrite is a rule of the withdrawn active verification of attacks. It can only be read.
type AttackRecheckerRewrite struct {
	Rules []string `json:"rules"`
}

// RuleType returns RuleAttackRecheckerRewrite.
func (AttackRecheckerRewrite) RuleType() RuleType { return RuleAttackRecheckerRewrite }

func (s AttackRecheckerRewrite) request() (any, error) { return notCreatable(s.RuleType()) }

func (AttackRecheckerRewrite) change() SpecUpdate { return nil }

// OverlimitResExtended is the forerunner of [LimitProcessingTime]. It can only be read.
type OverlimitResExtended struct {
	// Time is the limit; one source says in seconds.
	Time         int64 `json:"overlimit_time"`
	MarkAsAttack bool  `json:"mark_as_attack"`
	ResetRequest bool  `json:"reset_request"`
}

// RuleType returns RuleOverlimitResExtended.
func (OverlimitResExtended) RuleType() RuleType { return RuleOverlimitResExtended }

func (s OverlimitResExtended) request() (any, error) { return notCreatable(s.RuleType()) }

func (OverlimitResExtended) change() SpecUpdate { return nil }

// RequestTag is a rule that marks requests. It can only be read.
type RequestTag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// RuleType returns RuleRequestTag.
func (RequestTag) RuleType() RuleType { return RuleRequestTag }

func (s RequestTag) request() (any, error) { return notCreatable(s.RuleType()) }

func (RequestTag) change() SpecUpdate { return nil }
