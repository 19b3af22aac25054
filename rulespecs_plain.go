package wallarm

import (
	"strings"
	"unicode/utf8"
)

// FiltrationMode is how attacks are treated. New values may appear.
type FiltrationMode string

const (
	// ModeDefault inherits the mode, in the end from the configuration of the node.
	ModeDefault FiltrationMode = "default"
	// ModeOff switches the analysis off.
	ModeOff FiltrationMode = "off"
	// ModeMonitoring reports attacks and blocks nothing.
	ModeMonitoring FiltrationMode = "monitoring"
	// ModeBlock blocks attacks.
	ModeBlock FiltrationMode = "block"
	// ModeSafeBlocking blocks attacks from graylisted addresses only.
	ModeSafeBlocking FiltrationMode = "safe_blocking"
)

// SwitchState switches something on or off.
type SwitchState string

const (
	StateEnabled  SwitchState = "enabled"
	StateDisabled SwitchState = "disabled"
)

// VirtualPatch blocks requests with an attack, or any request that has the point.
type VirtualPatch struct {
	// AttackType is the attack to block; [AnyAttack] blocks every request in which the point is present, attack or not. Required.
	AttackType AttackType `json:"attack_type"`
	// Point is the part of the request to look at. Required.
	Point Point `json:"point"`
}

// RuleType returns RuleVirtualPatch.
func (VirtualPatch) RuleType() RuleType { return RuleVirtualPatch }

func (s VirtualPatch) request() (any, error) {
	return s, checking(s.RuleType()).text("attack_type", string(s.AttackType)).point("point", s.Point).err
}

func (s VirtualPatch) change() SpecUpdate { return AttackTypeUpdate{Set(s.AttackType)} }

// SetFiltrationMode sets the filtration mode of the scope. In the Console it is also the control "Real-time blocking mode".
type SetFiltrationMode struct {
	// Mode is the filtration mode. Required.
	Mode FiltrationMode `json:"mode"`
}

// RuleType returns RuleSetFiltrationMode.
func (SetFiltrationMode) RuleType() RuleType { return RuleSetFiltrationMode }

func (s SetFiltrationMode) request() (any, error) {
	return s, checking(s.RuleType()).text("mode", string(s.Mode)).err
}

func (s SetFiltrationMode) change() SpecUpdate { return FiltrationModeUpdate{Set(s.Mode)} }

// SetAPIAbuseMode switches API Abuse Prevention on or off in the scope; mostly off, to let a bot in.
type SetAPIAbuseMode struct {
	// Mode is enabled or disabled. Required.
	Mode SwitchState `json:"mode"`
}

// RuleType returns RuleSetAPIAbuseMode.
func (SetAPIAbuseMode) RuleType() RuleType { return RuleSetAPIAbuseMode }

func (s SetAPIAbuseMode) request() (any, error) {
	return s, checking(s.RuleType()).text("mode", string(s.Mode)).err
}

func (s SetAPIAbuseMode) change() SpecUpdate { return APIAbuseModeUpdate{Set(s.Mode)} }

// IgnoreAttackType switches the detection of an attack type off for a point.
type IgnoreAttackType struct {
	// AttackType is the attack to ignore, [AnyAttack] for all. Required.
	AttackType AttackType `json:"attack_type"`
	// Point is where to ignore it. Required.
	Point Point `json:"point"`
}

// RuleType returns RuleIgnoreAttackType.
func (IgnoreAttackType) RuleType() RuleType { return RuleIgnoreAttackType }

func (s IgnoreAttackType) request() (any, error) {
	return s, checking(s.RuleType()).text("attack_type", string(s.AttackType)).point("point", s.Point).err
}

func (s IgnoreAttackType) change() SpecUpdate { return AttackTypeUpdate{Set(s.AttackType)} }

// IgnoreSignature switches one attack signature off for a point. The API demands the role Administrator (extended) or Global Administrator
// (extended), and answers [ErrForbidden] to others.
type IgnoreSignature struct {
	// Signature is the id of the signature, from the stamps of a hit. Required.
	Signature int64 `json:"stamp"`
	// Point is where to ignore it. Required.
	Point Point `json:"point"`
}

// RuleType returns RuleIgnoreSignature.
func (IgnoreSignature) RuleType() RuleType { return RuleIgnoreSignature }

func (s IgnoreSignature) request() (any, error) {
	return s, checking(s.RuleType()).atLeast("stamp", s.Signature, 1).point("point", s.Point).err
}

func (s IgnoreSignature) change() SpecUpdate { return SignatureUpdate{Set(s.Signature)} }

// AttackDetector makes an attack of what matches a regular expression.
type AttackDetector struct {
	// AttackType is what a match is reported as; not any or invalid_xml, but [AttackVirtualPatch] to block it always. Required.
	AttackType AttackType `json:"attack_type"`
	// Regex is a PIRE expression, see [ConditionRegex]. Required.
	Regex string `json:"regex"`
	// Point is the part of the request to look at. Required.
	Point Point `json:"point"`
	// RegexID is the id of the stored expression, for [IgnoreDetector]. Read-only; it changes with Regex.
	RegexID int64 `json:"regex_id,omitzero"`
}

// RuleType returns RuleAttackDetector.
func (AttackDetector) RuleType() RuleType { return RuleAttackDetector }

func (s AttackDetector) request() (any, error) {
	s.RegexID = 0
	c := checking(s.RuleType()).detected(s.AttackType).text("regex", s.Regex)
	return s, c.point("point", s.Point).err
}

func (s AttackDetector) change() SpecUpdate { return DetectorUpdate{Set(s.Regex)} }

// detected checks what a match of a detector is reported as: one attack type that the API knows there.
func (c *checks) detected(attack AttackType) *checks {
	if attack == AnyAttack || attack == AttackInvalidXML {
		return c.fail("attack_type", "a detector reports no %s", attack)
	}
	return c.text("attack_type", string(attack))
}

// ExperimentalDetector is an [AttackDetector] that reports and never blocks.
type ExperimentalDetector struct {
	// AttackType is what a match is reported as; not any or invalid_xml. Required.
	AttackType AttackType `json:"attack_type"`
	// Regex is a PIRE expression, see [ConditionRegex]. Required.
	Regex string `json:"regex"`
	// Point is the part of the request to look at. Required.
	Point Point `json:"point"`
	// RegexID is the id of the stored expression. Read-only; it changes with Regex.
	RegexID int64 `json:"regex_id,omitzero"`
}

// RuleType returns RuleExperimentalDetector.
func (ExperimentalDetector) RuleType() RuleType { return RuleExperimentalDetector }

func (s ExperimentalDetector) request() (any, error) {
	s.RegexID = 0
	c := checking(s.RuleType()).detected(s.AttackType).text("regex", s.Regex)
	return s, c.point("point", s.Point).err
}

func (s ExperimentalDetector) change() SpecUpdate { return DetectorUpdate{Set(s.Regex)} }

// IgnoreDetector switches a custom attack detector off for a point. The rule goes when the expression of the detector changes.
type IgnoreDetector struct {
	// RegexID is that of the detector. Required.
	RegexID int64 `json:"regex_id"`
	// Point is where to ignore it. Required.
	Point Point `json:"point"`
}

// RuleType returns RuleIgnoreDetector.
func (IgnoreDetector) RuleType() RuleType { return RuleIgnoreDetector }

func (s IgnoreDetector) request() (any, error) {
	return s, checking(s.RuleType()).atLeast("regex_id", s.RegexID, 1).point("point", s.Point).err
}

func (s IgnoreDetector) change() SpecUpdate { return nil }

// AllowBinaryData lets binary data pass at a point.
type AllowBinaryData struct {
	// Point is where binary data is expected. Required.
	Point Point `json:"point"`
}

// RuleType returns RuleAllowBinaryData.
func (AllowBinaryData) RuleType() RuleType { return RuleAllowBinaryData }

func (s AllowBinaryData) request() (any, error) {
	return s, checking(s.RuleType()).point("point", s.Point).err
}

func (s AllowBinaryData) change() SpecUpdate { return nil }

// MaskSensitiveData cuts a point out of what nodes send to the cloud.
type MaskSensitiveData struct {
	// Point is what to cut out. Required.
	Point Point `json:"point"`
}

// RuleType returns RuleMaskSensitiveData.
func (MaskSensitiveData) RuleType() RuleType { return RuleMaskSensitiveData }

func (s MaskSensitiveData) request() (any, error) {
	return s, checking(s.RuleType()).point("point", s.Point).err
}

func (s MaskSensitiveData) change() SpecUpdate { return nil }

// FileType is a family of file formats.
type FileType string

const (
	FileTypeDocs   FileType = "docs"
	FileTypeHTML   FileType = "html"
	FileTypeImages FileType = "images"
	FileTypeMusic  FileType = "music"
	FileTypeVideo  FileType = "video"
)

// AllowFileType lets files of a family pass at a point.
type AllowFileType struct {
	// FileType is the family. Required.
	FileType FileType `json:"file_type"`
	// Point is where such files are expected. Required.
	Point Point `json:"point"`
}

// RuleType returns RuleAllowFileType.
func (AllowFileType) RuleType() RuleType { return RuleAllowFileType }

func (s AllowFileType) request() (any, error) {
	return s, checking(s.RuleType()).text("file_type", string(s.FileType)).point("point", s.Point).err
}

func (s AllowFileType) change() SpecUpdate { return FileTypeUpdate{Set(s.FileType)} }

// HeaderMode says what happens to a response header that is there already.
type HeaderMode string

const (
	HeaderAppend  HeaderMode = "append"
	HeaderReplace HeaderMode = "replace"
)

// SetResponseHeader changes a header of the answers of the protected server.
type SetResponseHeader struct {
	// Mode is append or replace. Required.
	Mode HeaderMode `json:"mode"`
	// Name is the name of the header, a token of HTTP. Required.
	Name string `json:"name"`
	// Values are the values, at least one, without line breaks and NUL; replacing by one empty value deletes the header. Required.
	Values []string `json:"values"`
}

// RuleType returns RuleSetResponseHeader.
func (SetResponseHeader) RuleType() RuleType { return RuleSetResponseHeader }

func (s SetResponseHeader) request() (any, error) {
	c := checking(s.RuleType()).text("mode", string(s.Mode)).text("name", s.Name)
	return s, c.headerName(s.Name).headerValues(s.Values).err
}

// headerName and headerValues refuse what would end the header early, and begin another one in each answer of the protected server.
func (c *checks) headerName(name string) *checks {
	if !isHeaderName(name) {
		return c.fail("name", "%q is no header name", clip(name))
	}
	return c
}

func (c *checks) headerValues(values []string) *checks {
	if len(values) == 0 {
		return c.fail("values", "it is empty; one empty value deletes the header")
	}
	for _, value := range values {
		if strings.ContainsAny(value, "\r\n\x00") {
			return c.fail("values", "%q holds a line break or NUL", clip(value))
		}
	}
	return c
}

func (s SetResponseHeader) change() SpecUpdate {
	return ResponseHeaderUpdate{Set(s.Mode), Set(s.Name), Set(s.Values)}
}

// ParserName is a parser that [ConfigureParser] can switch.
type ParserName string

const (
	ParserBase64         ParserName = "base64"
	ParserCookie         ParserName = "cookie"
	ParserFormURLEncoded ParserName = "form_urlencoded"
	ParserGraphQL        ParserName = "gql"
	ParserGRPC           ParserName = "grpc"
	ParserGzip           ParserName = "gzip"
	ParserHTMLJS         ParserName = "htmljs"
	ParserJSON           ParserName = "json_doc"
	ParserJWT            ParserName = "jwt"
	ParserMultipart      ParserName = "multipart"
	ParserPercent        ParserName = "percent"
	ParserProtobuf       ParserName = "protobuf"
	ParserViewState      ParserName = "viewstate"
	ParserXML            ParserName = "xml"
)

// ConfigureParser switches a parser on or off for a point.
type ConfigureParser struct {
	// Parser is the parser. Required.
	Parser ParserName `json:"parser"`
	// State is enabled or disabled. Required.
	State SwitchState `json:"state"`
	// Point is where to switch it. Required.
	Point Point `json:"point"`
}

// RuleType returns RuleConfigureParser.
func (ConfigureParser) RuleType() RuleType { return RuleConfigureParser }

func (s ConfigureParser) request() (any, error) {
	c := checking(s.RuleType()).text("parser", string(s.Parser)).text("state", string(s.State))
	return s, c.point("point", s.Point).err
}

func (s ConfigureParser) change() SpecUpdate { return ParserUpdate{Set(s.Parser), Set(s.State)} }

// OverlimitMode is what happens to a request whose analysis takes too long. Its word for blocking is "blocking", where filtration modes say
// "block".
type OverlimitMode string

const (
	OverlimitOff        OverlimitMode = "off"
	OverlimitMonitoring OverlimitMode = "monitoring"
	OverlimitBlocking   OverlimitMode = "blocking"
)

// LimitProcessingTime limits how long a node analyses a request of the scope. See [RuleSettingsService.SetTimeLimit] for the limit of all requests.
type LimitProcessingTime struct {
	// Milliseconds is the limit, 0 to 2147483647; 0 is sent as it is. Required.
	Milliseconds int64 `json:"overlimit_time"`
	// Mode is off, monitoring or blocking, by default monitoring.
	Mode OverlimitMode `json:"mode,omitzero"`
}

// RuleType returns RuleLimitProcessingTime.
func (LimitProcessingTime) RuleType() RuleType { return RuleLimitProcessingTime }

func (s LimitProcessingTime) request() (any, error) {
	c := checking(s.RuleType()).within("overlimit_time", s.Milliseconds, 0, 1<<31-1)
	c.overlimitMode(s.Mode)
	return s, c.err
}

func (s LimitProcessingTime) change() SpecUpdate {
	u := ProcessingTimeUpdate{Milliseconds: Set(s.Milliseconds)}
	if s.Mode != "" {
		u.Mode = Set(s.Mode)
	}
	return u
}

// overlimitMode refuses the word of the other modes.
func (c *checks) overlimitMode(mode OverlimitMode) {
	if mode == OverlimitMode(ModeBlock) {
		c.fail("mode", "the word is %q here", OverlimitBlocking)
	}
}

// TimeUnit is the span over which a rate counts.
type TimeUnit string

const (
	PerSecond TimeUnit = "rps"
	PerMinute TimeUnit = "rpm"
)

// RateLimit delays and refuses requests over a rate. [DoSProtection] blocks their source.
type RateLimit struct {
	// Point is what requests are grouped by: [RemoteAddr], a header, a cookie, a member of the body. Required.
	Point Point `json:"point"`
	// Rate is the number of requests per Unit, 0 to 1000; 0 is sent as it is. Required.
	Rate int64 `json:"rate"`
	// Burst is how many requests over the rate are buffered, 0 to 1000.
	Burst int64 `json:"burst"`
	// Delay is how many buffered requests are served without a delay, 0 to 1000.
	Delay int64 `json:"delay"`
	// Status is the status of the refusal, 400 to 599. Required; the Console offers 503.
	Status int64 `json:"rsp_status"`
	// Unit is PerSecond or PerMinute, by default PerSecond.
	Unit TimeUnit `json:"time_unit,omitzero"`
	// Suffix is a random text of the server. Read-only.
	Suffix string `json:"suffix,omitzero"`
}

// RuleType returns RuleRateLimit.
func (RateLimit) RuleType() RuleType { return RuleRateLimit }

func (s RateLimit) request() (any, error) {
	s.Suffix = ""
	c := checking(s.RuleType()).point("point", s.Point).within("rate", s.Rate, 0, 1000).within("burst", s.Burst, 0, 1000)
	return s, c.within("delay", s.Delay, 0, 1000).within("rsp_status", s.Status, 400, 599).err
}

func (s RateLimit) change() SpecUpdate {
	u := RateLimitUpdate{Rate: Set(s.Rate), Burst: Set(s.Burst), Delay: Set(s.Delay), Status: Set(s.Status)}
	if s.Unit != "" {
		u.Unit = Set(s.Unit)
	}
	return u
}

// SizeUnit is the unit of a size.
type SizeUnit string

const (
	Bytes     SizeUnit = "b"
	Kilobytes SizeUnit = "kb"
	Megabytes SizeUnit = "mb"
	Gigabytes SizeUnit = "gb"
	Terabytes SizeUnit = "tb"
)

// FileUploadRestriction limits the size of uploads. It is a mitigation control.
type FileUploadRestriction struct {
	// Size is the limit in units of Unit, at least 1. Required.
	Size uint64 `json:"size"`
	// Unit is the unit of Size, by default Bytes. It cannot be changed in place: [Rule.Update] changes Size in the unit that the stored rule has.
	Unit SizeUnit `json:"size_unit,omitzero"`
	// Mode is default, off, monitoring or block, by default monitoring.
	Mode FiltrationMode `json:"mode,omitzero"`
	// Point is the part to measure; without one it is the whole request.
	Point Point `json:"point,omitzero"`
}

// RuleType returns RuleFileUploadRestriction.
func (FileUploadRestriction) RuleType() RuleType { return RuleFileUploadRestriction }

func (s FileUploadRestriction) request() (any, error) {
	c := checking(s.RuleType())
	if s.Size == 0 {
		c.fail("size", "it is required and at least 1")
	}
	if len(s.Point) == 0 {
		s.Point = nil
		return s, c.err
	}
	return s, c.point("point", s.Point).err
}

func (s FileUploadRestriction) change() SpecUpdate {
	u := FileUploadUpdate{Size: Set(s.Size)}
	if s.Mode != "" {
		u.Mode = Set(s.Mode)
	}
	return u
}

// BruteForceCounter counts requests of the scope for a trigger on brute force. To create one where there is one already returns that one. The
// API updates no counter, and deletes one by itself when the last trigger that uses it is gone.
type BruteForceCounter struct {
	// Counter is the name by which triggers refer to it. Read-only.
	Counter string `json:"counter,omitzero"`
}

// RuleType returns RuleBruteForceCounter.
func (BruteForceCounter) RuleType() RuleType { return RuleBruteForceCounter }

func (BruteForceCounter) request() (any, error) { return BruteForceCounter{}, nil }

func (BruteForceCounter) change() SpecUpdate { return nil }

// ForcedBrowsingCounter counts requests of the scope for a trigger on forced browsing. See [BruteForceCounter].
type ForcedBrowsingCounter struct {
	// Counter is the name by which triggers refer to it. Read-only.
	Counter string `json:"counter,omitzero"`
}

// RuleType returns RuleForcedBrowsingCounter.
func (ForcedBrowsingCounter) RuleType() RuleType { return RuleForcedBrowsingCounter }

func (ForcedBrowsingCounter) request() (any, error) { return ForcedBrowsingCounter{}, nil }

func (ForcedBrowsingCounter) change() SpecUpdate { return nil }

// BOLACounter counts requests of the scope for a trigger on BOLA. See [BruteForceCounter].
type BOLACounter struct {
	// Counter is the name by which triggers refer to it. Read-only.
	Counter string `json:"counter,omitzero"`
}

// RuleType returns RuleBOLACounter.
func (BOLACounter) RuleType() RuleType { return RuleBOLACounter }

func (BOLACounter) request() (any, error) { return BOLACounter{}, nil }

func (BOLACounter) change() SpecUpdate { return nil }

// CredentialDatabase says which database of leaked credentials is used.
type CredentialDatabase string

const (
	CredentialsDefault CredentialDatabase = "default"
	CredentialsCustom  CredentialDatabase = "custom"
)

// CredentialStuffingByPoint watches an endpoint for leaked credentials whose place is known. Such rules appear in lists for tokens with
// elevated permissions only; [RulesService.CredentialStuffing] lists them for all.
type CredentialStuffingByPoint struct {
	// Point is where the password is. Required.
	Point Point `json:"point"`
	// LoginPoint is where the login is. Required.
	LoginPoint Point `json:"login_point"`
	// Database is by default CredentialsDefault.
	Database CredentialDatabase `json:"cred_stuff_type,omitzero"`
}

// RuleType returns RuleCredentialStuffingByPoint.
func (CredentialStuffingByPoint) RuleType() RuleType { return RuleCredentialStuffingByPoint }

func (s CredentialStuffingByPoint) request() (any, error) {
	return s, checking(s.RuleType()).point("point", s.Point).point("login_point", s.LoginPoint).err
}

func (s CredentialStuffingByPoint) change() SpecUpdate {
	if s.Database == "" {
		return nil
	}
	return CredentialPointUpdate{Set(s.Database)}
}

// CredentialStuffingByRegex watches endpoints for leaked credentials in parameters whose names match. See [CredentialStuffingByPoint] on lists.
type CredentialStuffingByRegex struct {
	// Regex matches the name of the password parameter. Required.
	Regex string `json:"regex"`
	// LoginRegex matches the name of the login parameter, at most 4096 characters. Required.
	LoginRegex string `json:"login_regex"`
	// CaseSensitive says whether letter case counts.
	CaseSensitive bool `json:"case_sensitive"`
	// Database is by default CredentialsDefault.
	Database CredentialDatabase `json:"cred_stuff_type,omitzero"`
}

// RuleType returns RuleCredentialStuffingByRegex.
func (CredentialStuffingByRegex) RuleType() RuleType { return RuleCredentialStuffingByRegex }

func (s CredentialStuffingByRegex) request() (any, error) {
	return s, checking(s.RuleType()).text("regex", s.Regex).loginRegex(s.LoginRegex).err
}

// loginRegex wants 1 to 4096 characters.
func (c *checks) loginRegex(expression string) *checks {
	if n := utf8.RuneCountInString(expression); n > 4096 {
		return c.fail("login_regex", "%d characters are more than 4096", n)
	}
	return c.text("login_regex", expression)
}

func (s CredentialStuffingByRegex) change() SpecUpdate {
	u := CredentialRegexUpdate{Regex: Set(s.Regex), LoginRegex: Set(s.LoginRegex), CaseSensitive: Set(s.CaseSensitive)}
	if s.Database != "" {
		u.Database = Set(s.Database)
	}
	return u
}
