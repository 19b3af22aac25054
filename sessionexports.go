package wallarm

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	apiSessionsExportConfigs      = operation{"apisessions.export_configs", "GET", "/v4/clients/{client_id}/api_sessions/export_configs", read, inBody}
	apiSessionsCreateExportConfig = operation{"apisessions.create_export_config", "POST", "/v4/clients/{client_id}/api_sessions/export_configs", once, inBody}
	apiSessionsGetExportConfig    = operation{"apisessions.get_export_config", "GET", "/v4/clients/{client_id}/api_sessions/export_configs/{id}", read, inBody}
	apiSessionsUpdateExportConfig = operation{"apisessions.update_export_config", "PUT", "/v4/clients/{client_id}/api_sessions/export_configs/{id}", idempotent, inBody}
	apiSessionsDeleteExportConfig = operation{"apisessions.delete_export_config", "DELETE", "/v4/clients/{client_id}/api_sessions/export_configs/{id}", idempotent, noAnswer}
)

// SessionExportConfig says, for the requests that meet its conditions, which of their parts go into sessions and tell users apart.
type SessionExportConfig struct {
	ID       int64 `json:"id"`
	ClientID int64 `json:"client_id"`
	// ActionID is the scope that the conditions make up.
	ActionID   int64               `json:"action_id,omitzero"`
	Conditions []EndpointCondition `json:"conditions"`
	Rules      []SessionExportRule `json:"rules"`
	CreatedAt  Timestamp           `json:"created_at"`
	UpdatedAt  Timestamp           `json:"updated_at"`
	Extra      Extra               `json:",embed"`
}

// MarshalJSON writes the configuration: the members with a value, and all that no field is for.
func (c SessionExportConfig) MarshalJSON() ([]byte, error) {
	type plain SessionExportConfig
	return wire.MarshalEcho(plain(c))
}

// UnmarshalJSON reads a configuration and keeps unknown members.
func (c *SessionExportConfig) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads a configuration and keeps unknown members.
func (c *SessionExportConfig) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain SessionExportConfig
	return wire.UnmarshalDecode(d, (*plain)(c))
}

// SessionExportRule is one part of requests that goes into sessions.
type SessionExportRule struct {
	Point Point `json:"point"`
	// Sensitive says that the value is confidential, Identifier that it tells sessions apart. Priority orders the rules.
	Sensitive  bool  `json:"sensitive"`
	Identifier bool  `json:"identifier"`
	Priority   int64 `json:"priority"`
	// Type is the user attribute that the value becomes, empty for none.
	Type     SessionAttribute  `json:"type,omitempty"`
	Contexts []BusinessContext `json:"context"`
	Name     string            `json:"name"`
	Extra    Extra             `json:",embed"`
}

// SessionAttribute is a user attribute. New values may appear.
type SessionAttribute string

const (
	SessionAttributeID          SessionAttribute = "id"
	SessionAttributeUser        SessionAttribute = "user"
	SessionAttributeCredentials SessionAttribute = "credentials"
	SessionAttributeRole        SessionAttribute = "role"
)

// BusinessContext is what a request is about. New values may appear.
type BusinessContext string

const (
	ContextAdmin    BusinessContext = "admin"
	ContextAuth     BusinessContext = "auth"
	ContextRegister BusinessContext = "register"
	// ContextAccount is the management of accounts.
	ContextAccount BusinessContext = "acc_mgmt"
	ContextBilling BusinessContext = "billing"
	ContextSMS     BusinessContext = "sms"
	ContextAI      BusinessContext = "ai"
	ContextSession BusinessContext = "session"
)

// SessionExportConfigs are the export configurations of a client: those that everybody has, and the client's own.
type SessionExportConfigs struct {
	Default []SessionExportConfig `json:"default"`
	Custom  []SessionExportConfig `json:"custom"`
	Extra   Extra                 `json:",embed"`
}

// MarshalJSON writes the configurations: the members with a value, and all that no field is for.
func (c SessionExportConfigs) MarshalJSON() ([]byte, error) {
	type plain SessionExportConfigs
	return wire.MarshalEcho(plain(c))
}

// UnmarshalJSON reads configurations and keeps unknown members.
func (c *SessionExportConfigs) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads configurations and keeps unknown members.
func (c *SessionExportConfigs) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain SessionExportConfigs
	return wire.UnmarshalDecode(d, (*plain)(c))
}

// ExportConfigs returns all export configurations of sessions.
//
// GET /v4/clients/{client_id}/api_sessions/export_configs. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) ExportConfigs(ctx context.Context, opts ...CallOption) (*SessionExportConfigs, error) {
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	return get[SessionExportConfigs](ctx, s.client, apiSessionsExportConfigs, a, opts)
}

// GetExportConfig returns one export configuration.
//
// GET /v4/clients/{client_id}/api_sessions/export_configs/{id}. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) GetExportConfig(ctx context.Context, id int64, opts ...CallOption) (*SessionExportConfig, error) {
	a, err := s.at(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	return get[SessionExportConfig](ctx, s.client, apiSessionsGetExportConfig, a, opts)
}

// NewSessionExportConfig is an export configuration to make. Rules are required.
type NewSessionExportConfig struct {
	// Conditions say which requests are meant; none means all, unless ActionID is given.
	Conditions []EndpointCondition `json:"conditions,omitzero"`
	// ActionID names a scope that exists, in place of conditions; 0 for none.
	ActionID int64                  `json:"action_id,omitzero"`
	Rules    []NewSessionExportRule `json:"rules"`
}

// NewSessionExportRule is a rule of a new export configuration. Point is required.
type NewSessionExportRule struct {
	Point      Point             `json:"point"`
	Sensitive  bool              `json:"sensitive"`
	Identifier bool              `json:"identifier"`
	Priority   Opt[int64]        `json:"priority,omitzero"`
	Type       SessionAttribute  `json:"type,omitzero"`
	Contexts   []BusinessContext `json:"context,omitzero"`
	Name       string            `json:"name,omitzero"`
}

// CreateExportConfig makes an export configuration.
//
// POST /v4/clients/{client_id}/api_sessions/export_configs. Not documented by the vendor. Replay class: once.
func (s *APISessionsService) CreateExportConfig(
	ctx context.Context, config NewSessionExportConfig, opts ...CallOption,
) (*SessionExportConfig, error) {
	if len(config.Rules) == 0 {
		return nil, invalid("rules", "there are none")
	}
	for _, rule := range config.Rules {
		if err := rule.Point.validate("rules.point"); err != nil {
			return nil, err
		}
	}
	if err := validateConditions("conditions", config.Conditions); err != nil {
		return nil, err
	}
	switch {
	case config.ActionID < 0:
		return nil, invalid("action_id", "%d is negative", config.ActionID)
	case config.ActionID > 0 && len(config.Conditions) > 0:
		return nil, invalid("action_id", "it cannot be given together with conditions")
	case config.ActionID > 0:
		// An empty list beside the scope could be read as all requests.
		config.Conditions = nil
	case config.Conditions == nil:
		config.Conditions = []EndpointCondition{}
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	a.body = config
	return get[SessionExportConfig](ctx, s.client, apiSessionsCreateExportConfig, a, opts)
}

// SessionExportConfigUpdate changes an export configuration. What is absent stays as it is.
type SessionExportConfigUpdate struct {
	Conditions Opt[[]EndpointCondition] `json:"conditions,omitzero"`
	// ActionID is positive, or null.
	ActionID Opt[int64]                     `json:"action_id,omitzero"`
	Rules    Opt[[]SessionExportRuleUpdate] `json:"rules,omitzero"`
}

// SessionExportRuleUpdate is a rule in an update. The description of the route knows no more of a rule here than its point and priority;
// what becomes of rules that an update leaves out is not described.
type SessionExportRuleUpdate struct {
	Point    Point
	Priority Opt[int64]
	// Extra holds other members, by their wire names.
	Extra Extra
}

// MarshalJSONTo writes the rule with its point in the flat form, as the update takes it, unlike the create.
func (r SessionExportRuleUpdate) MarshalJSONTo(e *jsontext.Encoder) error {
	return wire.MarshalEncode(e, struct {
		Point    flatPoint  `json:"point"`
		Priority Opt[int64] `json:"priority,omitzero"`
		Extra    Extra      `json:",embed"`
	}{flatPoint(r.Point), r.Priority, r.Extra})
}

// UpdateExportConfig changes an export configuration and returns it.
//
// PUT /v4/clients/{client_id}/api_sessions/export_configs/{id}. Not documented by the vendor. Replay class: idempotent.
func (s *APISessionsService) UpdateExportConfig(
	ctx context.Context, id int64, update SessionExportConfigUpdate, opts ...CallOption,
) (*SessionExportConfig, error) {
	if update.Conditions.IsZero() && update.ActionID.IsZero() && update.Rules.IsZero() {
		return nil, invalid("update", "it changes nothing")
	}
	if id, ok := update.ActionID.Get(); ok && id <= 0 {
		return nil, invalid("action_id", "%d is not positive", id)
	}
	for _, rule := range update.Rules.Or(nil) {
		if err := rule.Point.validate("rules.point"); err != nil {
			return nil, err
		}
	}
	if err := validateConditions("conditions", update.Conditions.Or(nil)); err != nil {
		return nil, err
	}
	a, err := s.at(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	a.body = update
	return get[SessionExportConfig](ctx, s.client, apiSessionsUpdateExportConfig, a, opts)
}

// DeleteExportConfig deletes an export configuration. One that is not there counts as deleted.
//
// DELETE /v4/clients/{client_id}/api_sessions/export_configs/{id}. Not documented by the vendor. Replay class: idempotent.
func (s *APISessionsService) DeleteExportConfig(ctx context.Context, id int64, opts ...CallOption) error {
	a, err := s.at(ctx, opts, id)
	if err != nil {
		return err
	}
	return remove(ctx, s.client, apiSessionsDeleteExportConfig, a, opts)
}
