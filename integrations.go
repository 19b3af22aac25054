package wallarm

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	// Sources disagree on the name of the member that holds the list.
	integrationsList           = operation{"integrations.list", "GET", "/v2/integration", read, "body.object|body.objects"}
	integrationsCreate         = operation{"integrations.create", "POST", "/v2/integration", once, inObject}
	integrationsUpdate         = operation{"integrations.update", "PUT", "/v2/integration/{id}", idempotent, inObject}
	integrationsDelete         = operation{"integrations.delete", "DELETE", "/v2/integration/{id}", idempotent, noAnswer}
	integrationsCreateTelegram = operation{"integrations.create_telegram", "POST", "/v2/integration/telegram", once, inObject}
	integrationsTest           = operation{"integrations.test", "POST", "/v2/integration/test", once, inBody}
)

// IntegrationsService manages integrations: the messengers, mailboxes, incident tools, SIEMs and webhooks that events are sent to. The
// API lets administrators alone use it.
type IntegrationsService service

// Integration sends events to another system.
type Integration struct {
	ID int64 `json:"id"`
	// Active says whether events are sent.
	Active bool            `json:"active"`
	Name   string          `json:"name"`
	Type   IntegrationType `json:"type"`
	// CreatedAt is when it was made, CreatedBy the e-mail address of who made it, empty if unknown.
	CreatedAt Timestamp `json:"created_at"`
	CreatedBy string    `json:"created_by,omitempty"`
	// Target is where the events go: a [SlackTarget], a [WebhookTarget] and so on by type, an [UnknownTarget] for a type or form that this
	// package does not know, nil if the answer had none. Do not count on reading what was written: the API may leave the target out or mask
	// its secrets. A target hides itself in logs and dumps.
	Target IntegrationTarget  `json:"-"`
	Events []IntegrationEvent `json:"events"`
	// SystemActive is false if the API has switched the integration off because most deliveries failed, nil if the answer did not say. Not
	// documented by the vendor.
	SystemActive *bool `json:"system_active,omitzero"`
	// ResourceType is not documented by the vendor.
	ResourceType string `json:"resource_type,omitempty"`
	Extra        Extra  `json:",embed"`
}

// MarshalJSON writes the integration: the members with a value, and all that no field is for, the secrets of its target masked.
func (i Integration) MarshalJSON() ([]byte, error) {
	type plain Integration
	target, err := dumpTarget(i.Target)
	if err != nil {
		return nil, err
	}
	return wire.MarshalEcho(struct {
		plain
		Target RawJSON `json:"target,omitzero"`
	}{plain(i), target})
}

// UnmarshalJSON reads an integration and keeps unknown members.
func (i *Integration) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, i) }

// UnmarshalJSONFrom reads an integration and keeps unknown members.
func (i *Integration) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Integration
	var in struct {
		plain
		Target RawJSON `json:"target,omitzero"`
	}
	if err := wire.UnmarshalDecode(d, &in); err != nil {
		return err
	}
	*i = Integration(in.plain)
	i.Target = readTarget(i.Type, in.Target)
	return nil
}

// Format prints the integration as a struct. Behind a pointer in a list or a struct, and with a verb such as %s, package fmt would not ask the
// target how it prints.
func (i Integration) Format(f fmt.State, verb rune) {
	type plain Integration
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(i))
}

// IntegrationType is the kind of system that an integration sends to. New ones appear: the Console offers types whose wire names are not
// documented, such as those for Jira, ServiceNow and Amazon S3.
type IntegrationType string

// The types that the vendor's clients know.
const (
	IntegrationEmail          IntegrationType = "email"
	IntegrationSlack          IntegrationType = "slack"
	IntegrationMSTeams        IntegrationType = "ms_teams"
	IntegrationTelegram       IntegrationType = "telegram"
	IntegrationPagerDuty      IntegrationType = "pager_duty"
	IntegrationOpsgenie       IntegrationType = "opsgenie"
	IntegrationInsightConnect IntegrationType = "insight_connect"
	IntegrationSplunk         IntegrationType = "splunk"
	IntegrationSumoLogic      IntegrationType = "sumo_logic"
	IntegrationDatadog        IntegrationType = "data_dog"
	IntegrationWebhook        IntegrationType = "web_hooks"
)

// IntegrationFilter selects integrations. The zero filter selects all, which is how the vendor's clients read the list; the conditions are
// known from the Console's API description only.
type IntegrationFilter struct {
	IDs    []int64         `url:"id[],omitempty"`
	Type   IntegrationType `url:"type,omitempty"`
	Active Opt[bool]       `url:"enabled,omitempty"`
	// Limit and Offset cut a part out of the list; 0 sends none.
	Limit  int `url:"limit,omitempty"`
	Offset int `url:"offset,omitempty"`
}

// List returns the integrations that filter selects, all of them by default: the list has no pages.
//
// GET /v2/integration. Replay class: read.
func (s *IntegrationsService) List(ctx context.Context, filter IntegrationFilter, opts ...CallOption) ([]Integration, error) {
	switch {
	case filter.Limit < 0:
		return nil, invalid("filter.Limit", "%d is negative", filter.Limit)
	case filter.Offset < 0:
		return nil, invalid("filter.Offset", "%d is negative", filter.Offset)
	}
	if err := validateQueryFilter(filter); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	query := struct {
		ClientID int64 `url:"clientid"`
		IntegrationFilter
	}{clientID, filter}
	return do[[]Integration](ctx, s.client, integrationsList, args{query: query}, opts)
}

// Get returns one integration. The API has no route for that: it reads the list and picks. [ErrNotFound] if the list has no such id; one that
// was made a moment ago may be missing from it.
//
// GET /v2/integration. Replay class: read.
func (s *IntegrationsService) Get(ctx context.Context, id int64, opts ...CallOption) (*Integration, error) {
	if id <= 0 {
		return nil, invalid("id", "%d is not positive", id)
	}
	all, err := s.List(ctx, IntegrationFilter{}, opts...)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ID == id {
			return &all[i], nil
		}
	}
	return nil, notFound(integrationsList, 200)
}

// NewIntegration is an integration to make.
type NewIntegration struct {
	Name string
	// Target says what kind of integration it is, and where its events go.
	Target IntegrationTarget
	// Events says which events are sent; [EventsFor] makes it. Empty sends none.
	Events []IntegrationEvent
	// Active says whether events are sent. Absent is true.
	Active Opt[bool]
}

// Create makes an integration. The API takes a second one of the same name and target without complaint: after [ErrOutcomeUnknown] look for the
// type and name with List before you repeat the call. What it returns has no target, or a masked one.
//
// POST /v2/integration. Replay class: once.
func (s *IntegrationsService) Create(ctx context.Context, integration NewIntegration, opts ...CallOption) (*Integration, error) {
	switch {
	case integration.Name == "":
		return nil, invalid("name", "it is empty")
	case integration.Active.IsNull():
		return nil, invalid("active", "it is null")
	}
	target, err := encodeTarget(integration.Target)
	if err != nil {
		return nil, err
	}
	if err := checkEvents(integration.Events); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	body := struct {
		ClientID int64              `json:"clientid"`
		Name     string             `json:"name"`
		Active   bool               `json:"active"`
		Type     IntegrationType    `json:"type"`
		Target   RawJSON            `json:"target"`
		Events   []IntegrationEvent `json:"events"`
	}{clientID, integration.Name, integration.Active.Or(true), integration.Target.IntegrationType(), target, integration.Events}
	return get[Integration](ctx, s.client, integrationsCreate, args{body: body}, opts)
}

// NewTelegramIntegration is a Telegram integration to make.
type NewTelegramIntegration struct {
	// Name is the name of the chat with the vendor's bot.
	Name string
	// ChatData is the encrypted text that the vendor's bot hands out in the chat.
	ChatData Secret
	// Token is a member that the vendor's client has and does not use; empty sends none.
	Token Secret
	// Events and Active are sent if they are given. Only the Console's API description has them here: the vendor's clients set them with
	// Update, after the creation.
	Events []IntegrationEvent
	Active Opt[bool]
}

// CreateTelegram makes a Telegram integration. To be sure of its name, state and events, set them with Update afterwards.
//
// POST /v2/integration/telegram. Replay class: once.
func (s *IntegrationsService) CreateTelegram(ctx context.Context, integration NewTelegramIntegration, opts ...CallOption) (*Integration, error) {
	if integration.Name == "" {
		return nil, invalid("name", "it is empty")
	}
	if err := checkSecret("chat data", integration.ChatData); err != nil {
		return nil, err
	}
	if integration.Active.IsNull() {
		return nil, invalid("active", "it is null")
	}
	if err := checkEvents(integration.Events); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	body := struct {
		ClientID int64              `json:"clientid"`
		Name     string             `json:"name"`
		ChatData Secret             `json:"chat_data"`
		Token    Secret             `json:"token,omitzero"`
		Events   []IntegrationEvent `json:"events,omitzero"`
		Active   Opt[bool]          `json:"active,omitzero"`
	}{clientID, integration.Name, integration.ChatData, integration.Token, integration.Events, integration.Active}
	return get[Integration](ctx, s.client, integrationsCreateTelegram, args{body: body}, opts)
}

// IntegrationUpdate says what to change. What is absent stays as it is.
type IntegrationUpdate struct {
	Name   Opt[string]
	Active Opt[bool]
	// Target replaces the target; nil leaves it. Give the real secrets: one that looks masked is refused, and nothing is sent. That is one with a word
	// such as [redacted] in brackets, with three asterisks or bullets, of nothing but four or more x or #, or with an ellipsis at its end: how the
	// service masks secrets, if it does, is not documented. The type of the target is sent along.
	Target IntegrationTarget
	// Type is the type of the integration, for an update that sends the whole object without a target. It does not make another type of it.
	Type IntegrationType
	// Events replaces the whole list. The vendor's own provider sends name, state, type and target along when it changes the events; that the
	// API takes the events alone is likely, since it takes every other member alone, but not documented.
	Events Opt[[]IntegrationEvent]
}

// Update changes what update names and nothing else, so that secrets which nobody can read back need not be sent again.
//
// PUT /v2/integration/{id}. Replay class: idempotent.
func (s *IntegrationsService) Update(ctx context.Context, id int64, update IntegrationUpdate, opts ...CallOption) (*Integration, error) {
	var body struct {
		Name   Opt[string]             `json:"name,omitzero"`
		Active Opt[bool]               `json:"active,omitzero"`
		Type   IntegrationType         `json:"type,omitzero"`
		Target RawJSON                 `json:"target,omitzero"`
		Events Opt[[]IntegrationEvent] `json:"events,omitzero"`
	}
	body.Name, body.Active, body.Type, body.Events = update.Name, update.Active, update.Type, update.Events
	if name, ok := update.Name.Get(); update.Name.IsNull() || (ok && name == "") {
		return nil, invalid("name", "it is empty")
	}
	if update.Active.IsNull() || update.Events.IsNull() {
		return nil, invalid("update", "neither active nor events can be null")
	}
	if err := checkEvents(update.Events.Or(nil)); err != nil {
		return nil, err
	}
	if update.Target != nil {
		var err error
		if body.Target, err = encodeTarget(update.Target); err != nil {
			return nil, err
		}
		if body.Type == "" {
			body.Type = update.Target.IntegrationType()
		}
		if body.Type != update.Target.IntegrationType() {
			return nil, invalid("type", "%s is not the type of the target, %s", clip(string(body.Type)), update.Target.IntegrationType())
		}
	}
	if body.Name.IsZero() && body.Active.IsZero() && body.Target == nil && body.Events.IsZero() {
		return nil, invalid("update", "it changes nothing")
	}
	return get[Integration](ctx, s.client, integrationsUpdate, args{path: []any{id}, body: body}, opts)
}

// Enable switches an integration on.
//
// PUT /v2/integration/{id} with nothing but the state. Replay class: idempotent.
func (s *IntegrationsService) Enable(ctx context.Context, id int64, opts ...CallOption) (*Integration, error) {
	return s.Update(ctx, id, IntegrationUpdate{Active: Set(true)}, opts...)
}

// Disable switches an integration off.
//
// PUT /v2/integration/{id} with nothing but the state. Replay class: idempotent.
func (s *IntegrationsService) Disable(ctx context.Context, id int64, opts ...CallOption) (*Integration, error) {
	return s.Update(ctx, id, IntegrationUpdate{Active: Set(false)}, opts...)
}

// Delete removes an integration. One that is not there counts as deleted.
//
// DELETE /v2/integration/{id}. Replay class: idempotent.
func (s *IntegrationsService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	return remove(ctx, s.client, integrationsDelete, args{path: []any{id}}, opts)
}

// IntegrationTest is what came of a test message.
type IntegrationTest struct {
	Result string `json:"result"`
	Extra  Extra  `json:",embed"`
}

// MarshalJSON writes the result: the members with a value, and all that no field is for.
func (t IntegrationTest) MarshalJSON() ([]byte, error) {
	type plain IntegrationTest
	return wire.MarshalEcho(plain(t))
}

// UnmarshalJSON reads a result and keeps unknown members.
func (t *IntegrationTest) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, t) }

// UnmarshalJSONFrom reads a result and keeps unknown members.
func (t *IntegrationTest) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain IntegrationTest
	return wire.UnmarshalDecode(d, (*plain)(t))
}

// Test sends a test message to a target, before or without making an integration of it. [ErrTargetTimeout] if the target did not answer in
// time, [ErrValidation] if it refused the message or could not be reached; the error's message says why.
//
// POST /v2/integration/test, known from the Console's API description only. Replay class: once, since each call sends a message.
func (s *IntegrationsService) Test(ctx context.Context, target IntegrationTarget, opts ...CallOption) (*IntegrationTest, error) {
	encoded, err := encodeTarget(target)
	if err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	body := struct {
		ClientID int64           `json:"clientid"`
		Type     IntegrationType `json:"integration_type"`
		Target   RawJSON         `json:"target"`
	}{clientID, target.IntegrationType(), encoded}
	return get[IntegrationTest](ctx, s.client, integrationsTest, args{body: body}, opts)
}
