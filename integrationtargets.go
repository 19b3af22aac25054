package wallarm

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// IntegrationTarget is where an integration sends its events. The targets are [EmailTarget], [SlackTarget], [MSTeamsTarget], [PagerDutyTarget],
// [OpsgenieTarget], [InsightConnectTarget], [SplunkTarget], [SumoLogicTarget], [DatadogTarget] and [WebhookTarget]; an [UnknownTarget] holds
// what this package does not know. Telegram integrations have none.
//
// A target is a secret: in package fmt and in slog it shows itself as "[redacted]", and encoding/json writes it with all but harmless
// settings masked. In a request it travels as it is.
type IntegrationTarget interface {
	// IntegrationType is the type of the integrations that have such a target.
	IntegrationType() IntegrationType
	// encode returns what travels, with all secrets.
	encode() ([]byte, error)
	// validate refuses a target that cannot be meant for a request.
	validate() error
}

// opaque hides the struct that embeds it.
type opaque struct{}

// String returns "[redacted]".
func (opaque) String() string { return masked }

// Format is String for every verb.
func (opaque) Format(f fmt.State, _ rune) { fmt.Fprint(f, masked) }

// LogValue is String for slog.
func (opaque) LogValue() slog.Value { return slog.StringValue(masked) }

// EmailTarget sends mails.
type EmailTarget struct {
	opaque
	Addresses []string
}

// SlackTarget posts to a Slack channel.
type SlackTarget struct {
	opaque
	WebhookURL Secret
}

// MSTeamsTarget posts to a channel of Microsoft Teams.
type MSTeamsTarget struct {
	opaque
	WebhookURL Secret
}

// PagerDutyTarget makes PagerDuty alerts.
type PagerDutyTarget struct {
	opaque
	// IntegrationKey has 32 characters.
	IntegrationKey Secret
}

// SumoLogicTarget sends to a collector of Sumo Logic.
type SumoLogicTarget struct {
	opaque
	CollectorURL Secret
}

// tokenTarget is the form of several targets: a token and a URL.
type tokenTarget struct {
	opaque
	Token Secret `json:"token"`
	API   Secret `json:"api"`
	Extra Extra  `json:",embed"`
}

// The values of [OpsgenieTarget].API.
const (
	OpsgenieAPI   = "https://api.opsgenie.com/v2/alerts"
	OpsgenieAPIEU = "https://api.eu.opsgenie.com/v2/alerts"
)

// OpsgenieTarget makes Opsgenie alerts.
type OpsgenieTarget struct {
	opaque
	Token Secret `json:"token"`
	// API is [OpsgenieAPI] or [OpsgenieAPIEU].
	API   Secret `json:"api"`
	Extra Extra  `json:",embed"`
}

// InsightConnectTarget starts a workflow of InsightConnect.
type InsightConnectTarget struct {
	opaque
	Token Secret `json:"token"`
	// API is the URL of the workflow.
	API   Secret `json:"api"`
	Extra Extra  `json:",embed"`
}

// SplunkTarget sends to an HTTP event collector of Splunk.
type SplunkTarget struct {
	opaque
	// Token is that of the collector, a UUID.
	Token Secret `json:"token"`
	// API is the URL of the collector.
	API   Secret `json:"api"`
	Extra Extra  `json:",embed"`
}

// DatadogTarget sends to Datadog.
type DatadogTarget struct {
	opaque
	// Token is an API key of 32 to 40 characters.
	Token Secret `json:"token"`
	// Region is the Datadog site, such as US1.
	Region string `json:"region"`
	Extra  Extra  `json:",embed"`
}

// WebhookTarget sends to any URL. The defaults are those that the vendor's provider sends; those of the API are not documented.
type WebhookTarget struct {
	opaque
	// URL must be https.
	URL Secret `json:"url"`
	// HTTPMethod is POST, the default, or PUT.
	HTTPMethod string `json:"http_method,omitempty"`
	// MessageFormat is [WebhookJSON] by default. The wire calls it format.
	MessageFormat WebhookFormat `json:"format,omitempty"`
	// Headers are added to each message.
	Headers map[string]Secret `json:"headers"`
	// CAFile holds the certificates of the target's own authority as PEM text, empty for a public one.
	CAFile Secret `json:"ca_file"`
	// CAVerify says whether the target's certificate is checked. Absent is true.
	CAVerify Opt[bool] `json:"ca_verify,omitzero"`
	// Timeout and OpenTimeout bound a message and the connection for it, in seconds. 0 is 15 and 20.
	Timeout     int64 `json:"timeout"`
	OpenTimeout int64 `json:"open_timeout"`
	// Subtype is web_hooks by default. Log collectors have others, which are not documented.
	Subtype string `json:"subtype,omitempty"`
	// Token and API are members of the vendor's own type that plain webhooks do not have.
	Token Secret `json:"token,omitzero"`
	API   Secret `json:"api,omitzero"`
	Extra Extra  `json:",embed"`
}

// WebhookFormat is the form of the messages of a webhook.
type WebhookFormat string

// The formats that the vendor names.
const (
	// WebhookJSON sends one JSON document, WebhookJSONLines one line for each event.
	WebhookJSON      WebhookFormat = "json"
	WebhookJSONLines WebhookFormat = "jsonl"
)

// UnknownTarget is a target of a type that this package does not know, or in a form that it does not know.
type UnknownTarget struct {
	opaque
	Type IntegrationType
	// JSON is the target as it travels.
	JSON Secret
}

// IntegrationType returns [IntegrationEmail].
func (EmailTarget) IntegrationType() IntegrationType { return IntegrationEmail }

// IntegrationType returns [IntegrationSlack].
func (SlackTarget) IntegrationType() IntegrationType { return IntegrationSlack }

// IntegrationType returns [IntegrationMSTeams].
func (MSTeamsTarget) IntegrationType() IntegrationType { return IntegrationMSTeams }

// IntegrationType returns [IntegrationPagerDuty].
func (PagerDutyTarget) IntegrationType() IntegrationType { return IntegrationPagerDuty }

// IntegrationType returns [IntegrationSumoLogic].
func (SumoLogicTarget) IntegrationType() IntegrationType { return IntegrationSumoLogic }

// IntegrationType returns [IntegrationOpsgenie].
func (OpsgenieTarget) IntegrationType() IntegrationType { return IntegrationOpsgenie }

// IntegrationType returns [IntegrationInsightConnect].
func (InsightConnectTarget) IntegrationType() IntegrationType { return IntegrationInsightConnect }

// IntegrationType returns [IntegrationSplunk].
func (SplunkTarget) IntegrationType() IntegrationType { return IntegrationSplunk }

// IntegrationType returns [IntegrationDatadog].
func (DatadogTarget) IntegrationType() IntegrationType { return IntegrationDatadog }

// IntegrationType returns [IntegrationWebhook].
func (WebhookTarget) IntegrationType() IntegrationType { return IntegrationWebhook }

// IntegrationType returns the type that the target was read with.
func (t UnknownTarget) IntegrationType() IntegrationType { return t.Type }

// The plain types below have no methods, so that the encoder sees nothing but fields.

func (t EmailTarget) encode() ([]byte, error)     { return wire.Marshal(t.Addresses) }
func (t SlackTarget) encode() ([]byte, error)     { return wire.Marshal(t.WebhookURL) }
func (t MSTeamsTarget) encode() ([]byte, error)   { return wire.Marshal(t.WebhookURL) }
func (t PagerDutyTarget) encode() ([]byte, error) { return wire.Marshal(t.IntegrationKey) }
func (t SumoLogicTarget) encode() ([]byte, error) { return wire.Marshal(t.CollectorURL) }

func (t tokenTarget) encode() ([]byte, error) {
	type plain tokenTarget
	return wire.Marshal(plain(t))
}
func (t OpsgenieTarget) encode() ([]byte, error)       { return tokenTarget(t).encode() }
func (t InsightConnectTarget) encode() ([]byte, error) { return tokenTarget(t).encode() }
func (t SplunkTarget) encode() ([]byte, error)         { return tokenTarget(t).encode() }

func (t DatadogTarget) encode() ([]byte, error) {
	type plain DatadogTarget
	return wire.Marshal(plain(t))
}

func (t WebhookTarget) encode() ([]byte, error) {
	type plain WebhookTarget
	return wire.Marshal(plain(t))
}

func (t UnknownTarget) encode() ([]byte, error) { return []byte(t.JSON.Reveal()), nil }

func (t EmailTarget) validate() error {
	if len(t.Addresses) == 0 {
		return invalid("target", "it has no addresses")
	}
	for _, address := range t.Addresses {
		if err := checkSecret("target address", SecretOf(address)); err != nil {
			return err
		}
	}
	return nil
}
func (t SlackTarget) validate() error     { return checkSecret("target URL", t.WebhookURL) }
func (t MSTeamsTarget) validate() error   { return checkSecret("target URL", t.WebhookURL) }
func (t PagerDutyTarget) validate() error { return checkSecret("target key", t.IntegrationKey) }
func (t SumoLogicTarget) validate() error { return checkSecret("target URL", t.CollectorURL) }

func (t tokenTarget) validate() error {
	if err := checkSecret("target token", t.Token); err != nil {
		return err
	}
	return checkSecret("target API", t.API)
}
func (t OpsgenieTarget) validate() error       { return tokenTarget(t).validate() }
func (t InsightConnectTarget) validate() error { return tokenTarget(t).validate() }
func (t SplunkTarget) validate() error         { return tokenTarget(t).validate() }

func (t DatadogTarget) validate() error {
	if t.Region == "" {
		return invalid("target region", "it is empty")
	}
	return checkSecret("target token", t.Token)
}

func (t WebhookTarget) validate() error {
	if err := checkSecret("target URL", t.URL); err != nil {
		return err
	}
	// The URL is a secret, so the complaint must not show it.
	if u, err := url.Parse(t.URL.Reveal()); err != nil || u.Scheme != "https" || u.Host == "" {
		return invalid("target URL", "it is no https URL")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		if value := t.Headers[name]; !value.IsZero() {
			if err := checkSecret("target header "+clip(name), value); err != nil {
				return err
			}
		}
	}
	for _, value := range []Secret{t.CAFile, t.Token, t.API} {
		if isMasked(value.Reveal()) {
			return checkSecret("target", value)
		}
	}
	if t.Timeout < 0 || t.OpenTimeout < 0 {
		return invalid("target timeout", "it is negative")
	}
	if t.CAVerify.IsNull() {
		return invalid("target CAVerify", "it is null")
	}
	return nil
}

func (t UnknownTarget) validate() error {
	switch {
	case t.Type == "":
		return invalid("target type", "it is empty")
	case !jsontext.Value(t.JSON.Reveal()).IsValid():
		return invalid("target", "it is not JSON")
	}
	return checkSecret("target", t.JSON)
}

// MarshalJSON writes the target with everything masked but harmless settings.
func (t EmailTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t SlackTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t MSTeamsTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t PagerDutyTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t SumoLogicTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t OpsgenieTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t InsightConnectTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t SplunkTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t DatadogTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t WebhookTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// MarshalJSON writes the target with everything masked but harmless settings.
func (t UnknownTarget) MarshalJSON() ([]byte, error) { return dumpTarget(t) }

// encodeTarget checks a target and returns what travels in a request.
func encodeTarget(target IntegrationTarget) (RawJSON, error) {
	if isNil(target) {
		return nil, invalid("target", "it is nil")
	}
	if err := target.validate(); err != nil {
		return nil, err
	}
	switch t := target.(type) {
	case WebhookTarget:
		target = t.complete()
	case *WebhookTarget:
		target = t.complete()
	}
	encoded, err := target.encode()
	if err != nil {
		return nil, unencodable("target", err)
	}
	return encoded, nil
}

// isNil reports whether an interface holds nothing, or a nil pointer or function, whose methods cannot be called.
func isNil(v any) bool {
	value := reflect.ValueOf(v)
	return !value.IsValid() || (value.Kind() == reflect.Pointer || value.Kind() == reflect.Func) && value.IsNil()
}

// complete fills in what the vendor's provider always sends.
func (t WebhookTarget) complete() WebhookTarget {
	t.HTTPMethod = cmp.Or(t.HTTPMethod, "POST")
	t.MessageFormat = cmp.Or(t.MessageFormat, WebhookJSON)
	t.CAVerify = Set(t.CAVerify.Or(true))
	t.Timeout = cmp.Or(t.Timeout, 15)
	t.OpenTimeout = cmp.Or(t.OpenTimeout, 20)
	t.Subtype = cmp.Or(t.Subtype, string(IntegrationWebhook))
	return t
}

// checkSecret refuses what cannot be a real secret: nothing, and what answers and dumps show in place of one.
func checkSecret(name string, value Secret) error {
	switch {
	case value.IsZero():
		return invalid(name, "it is empty")
	case isMasked(value.Reveal()):
		return invalid(name, "it is masked, as in answers and dumps: give the real value, or leave it out of an update")
	}
	return nil
}

// maskPattern finds what shows in place of a secret, as far as services are known to write it: a word in brackets, a run of marks, an end that was cut
// off. The vendor documents none.
var maskPattern = regexp.MustCompile(`(?i)[\[<](?:redacted|filtered|masked|hidden)[\]>]|[*•●]{3}|(?:\.{3}|…)$|^(?:x{4,}|#{4,})$`)

// isMasked reports whether a text shows that something was taken out of it.
func isMasked(s string) bool { return maskPattern.MatchString(s) }

// readTarget makes a target of what an answer holds. It never fails: what is not in the form of its type stays as it is.
func readTarget(t IntegrationType, raw RawJSON) IntegrationTarget {
	if len(raw) == 0 || raw.Kind() == 'n' {
		return nil
	}
	switch t {
	case IntegrationEmail:
		return readAs(t, raw, func(v []string) IntegrationTarget { return EmailTarget{Addresses: v} })
	case IntegrationSlack:
		return readAs(t, raw, func(v Secret) IntegrationTarget { return SlackTarget{WebhookURL: v} })
	case IntegrationMSTeams:
		return readAs(t, raw, func(v Secret) IntegrationTarget { return MSTeamsTarget{WebhookURL: v} })
	case IntegrationPagerDuty:
		return readAs(t, raw, func(v Secret) IntegrationTarget { return PagerDutyTarget{IntegrationKey: v} })
	case IntegrationSumoLogic:
		return readAs(t, raw, func(v Secret) IntegrationTarget { return SumoLogicTarget{CollectorURL: v} })
	case IntegrationOpsgenie:
		return readAs(t, raw, func(v OpsgenieTarget) IntegrationTarget { return v })
	case IntegrationInsightConnect:
		return readAs(t, raw, func(v InsightConnectTarget) IntegrationTarget { return v })
	case IntegrationSplunk:
		return readAs(t, raw, func(v SplunkTarget) IntegrationTarget { return v })
	case IntegrationDatadog:
		return readAs(t, raw, func(v DatadogTarget) IntegrationTarget { return v })
	case IntegrationWebhook:
		return readAs(t, raw, func(v WebhookTarget) IntegrationTarget { return v })
	}
	return unknownTarget(t, raw)
}

func readAs[T any](t IntegrationType, raw RawJSON, target func(T) IntegrationTarget) IntegrationTarget {
	var v T
	if err := wire.Unmarshal(raw, &v); err != nil {
		return unknownTarget(t, raw)
	}
	return target(v)
}

func unknownTarget(t IntegrationType, raw RawJSON) IntegrationTarget {
	return UnknownTarget{Type: t, JSON: SecretOf(string(raw))}
}

// harmless are the members of a target that need no mask.
var harmless = []string{"http_method", "format", "subtype", "region", "ca_verify", "timeout", "open_timeout"}

// dumpTarget encodes a target for everybody's eyes: texts and numbers are masked, unless the member is harmless.
func dumpTarget(target IntegrationTarget) (RawJSON, error) {
	if target == nil {
		return nil, nil
	}
	encoded, err := target.encode()
	if err != nil {
		return nil, err
	}
	return maskJSON(encoded)
}

func maskJSON(value RawJSON) (RawJSON, error) {
	if !value.IsValid() {
		return RawJSON(`"` + masked + `"`), nil
	}
	var out bytes.Buffer
	d, e := jsontext.NewDecoder(bytes.NewReader(value)), jsontext.NewEncoder(&out)
	name := ""
	for {
		token, err := d.ReadToken()
		if err == io.EOF {
			return bytes.TrimSpace(out.Bytes()), nil
		}
		if err != nil {
			return nil, err
		}
		parent, _ := d.StackIndex(d.StackDepth())
		switch {
		case wire.IsName(d, token):
			name = token.String()
		case parent == '{' && slices.Contains(harmless, name):
		case token.Kind() == '0', token.Kind() == '"' && token.String() != "":
			token = jsontext.String(masked)
		}
		if err := e.WriteToken(token); err != nil {
			return nil, err
		}
	}
}
