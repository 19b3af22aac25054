package wallarm

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	triggersList    = operation{"triggers.list", "GET", "/v2/clients/{client_id}/triggers", read, "triggers"}
	triggersCreate  = operation{"triggers.create", "POST", "/v2/clients/{client_id}/triggers", once, "trigger"}
	triggersReplace = operation{"triggers.replace", "PUT", "/v2/clients/{client_id}/triggers/{id}", idempotent, "trigger"}
	triggersDelete  = operation{"triggers.delete", "DELETE", "/v2/clients/{client_id}/triggers/{id}", idempotent, noAnswer}
)

// TriggersService manages triggers: what is to happen when something is seen. The API lets administrators alone use it.
type TriggersService service

// TriggerTemplate is what a trigger waits for. New ones may appear.
type TriggerTemplate string

// The templates that the vendor's provider knows.
const (
	// TriggerUserCreated waits for a new user. It takes no threshold.
	TriggerUserCreated TriggerTemplate = "user_created"
	// TriggerAttacks, TriggerHits and TriggerIncidents wait for so many attacks, hits or incidents in a time. They need a threshold.
	TriggerAttacks   TriggerTemplate = "attacks_exceeded"
	TriggerHits      TriggerTemplate = "hits_exceeded"
	TriggerIncidents TriggerTemplate = "incidents_exceeded"
	// TriggerPayloads waits for so many different malicious payloads from one address. It needs a threshold.
	TriggerPayloads TriggerTemplate = "vector_attack"
	// TriggerBruteForce waits for a brute force attack. It needs a threshold.
	TriggerBruteForce TriggerTemplate = "bruteforce_started"
	// TriggerForcedBrowsing and TriggerBOLA wait for forced browsing and for BOLA. They use a threshold.
	TriggerForcedBrowsing TriggerTemplate = "forced_browsing_started"
	TriggerBOLA           TriggerTemplate = "bola_search_started"
	// TriggerIPDenylisted waits for an address on the deny list.
	TriggerIPDenylisted TriggerTemplate = "blacklist_ip_added"
	// TriggerAPIChanged waits for a change that API Discovery has found.
	TriggerAPIChanged TriggerTemplate = "api_structure_changed"
	// TriggerRogueAPI waits for a shadow, orphan or zombie API.
	TriggerRogueAPI TriggerTemplate = "rogue_api_detected"
	// TriggerCompromisedLogins waits for credential stuffing.
	TriggerCompromisedLogins TriggerTemplate = "compromised_logins"
	// TriggerIPGrouping groups the hits of one address. It has no effect since August 2026: make none.
	TriggerIPGrouping TriggerTemplate = "attack_ip_grouping"
)

// Trigger is a trigger as answers have it. [Trigger.Spec] is the part of it that can be written.
type Trigger struct {
	ID       int64           `json:"id"`
	ClientID int64           `json:"client_id"`
	Template TriggerTemplate `json:"template_id"`
	Name     string          `json:"name"`
	Comment  string          `json:"comment,omitempty"`
	Enabled  bool            `json:"enabled"`
	// Filters narrow down what counts. Answers may repeat the threshold among them, see [TriggerThresholdEcho].
	Filters TriggerFilters `json:"filters"`
	// Threshold is nil if there is none.
	Threshold *TriggerThreshold `json:"threshold,omitzero"`
	// Thresholds holds the threshold once more.
	Thresholds []TriggerThreshold `json:"thresholds,omitzero"`
	Actions    TriggerActions     `json:"actions"`
	// TemplateInfo describes the template, if the list was asked for it, which [TriggersService.List] does.
	TemplateInfo *TriggerTemplateInfo `json:"template,omitzero"`
	// CreatedAt and UpdatedAt are not documented by the vendor.
	CreatedAt Timestamp `json:"created_at,omitzero"`
	UpdatedAt Timestamp `json:"updated_at,omitzero"`
	Extra     Extra     `json:",embed"`
}

// MarshalJSON writes the trigger: the members with a value, and all that no field is for.
func (t Trigger) MarshalJSON() ([]byte, error) {
	type plain Trigger
	return wire.MarshalEcho(plain(t))
}

// Format prints the trigger as a struct. Behind a pointer in a list or a struct, and with a verb such as %s, package fmt would not ask its actions
// how they print.
func (t Trigger) Format(f fmt.State, verb rune) {
	type plain Trigger
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(t))
}

// UnmarshalJSON reads a trigger and keeps unknown members.
func (t *Trigger) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, t) }

// UnmarshalJSONFrom reads a trigger and keeps unknown members.
func (t *Trigger) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Trigger
	if err := wire.UnmarshalDecode(d, (*plain)(t)); err != nil {
		return err
	}
	// A trigger without a threshold may come with an empty object for it.
	if t.Threshold != nil && t.Threshold.isZero() {
		t.Threshold = nil
	}
	return nil
}

// Spec returns what [TriggersService.Replace] needs to write the trigger as it is, members without a field among it. Change what is to change. A
// trigger that an answer holds in part makes a spec with zeros for the rest, which [TriggersService.Enable] and Disable refuse to write.
func (t *Trigger) Spec() TriggerSpec {
	spec := TriggerSpec{
		Template: t.Template, Name: t.Name, Comment: t.Comment, Enabled: Set(t.Enabled),
		Threshold: t.Threshold, Extra: maps.Clone(t.Extra),
	}
	for _, filter := range t.Filters {
		if echo, ok := filter.(TriggerThresholdEcho); !ok {
			spec.Filters = append(spec.Filters, filter)
		} else if spec.Threshold == nil && len(echo.Values) > 0 {
			// The threshold itself may be missing from the answer.
			threshold := echo.Values[0]
			threshold.Operator = echo.Operator
			spec.Threshold = &threshold
		}
	}
	if spec.Threshold == nil && len(t.Thresholds) > 0 {
		spec.Threshold = &t.Thresholds[0]
	}
	if spec.Threshold != nil {
		threshold := *spec.Threshold
		spec.Threshold = &threshold
	}
	spec.Actions = append(spec.Actions, t.Actions...)
	return spec
}

// TriggerTemplateInfo describes a template: which filters and actions it takes, and its defaults.
type TriggerTemplateInfo struct {
	ID        TriggerTemplate         `json:"id"`
	Filters   []TriggerTemplateFilter `json:"filters"`
	Threshold *TriggerThreshold       `json:"threshold,omitzero"`
	Actions   TriggerActions          `json:"actions"`
	Extra     Extra                   `json:",embed"`
}

// TriggerTemplateFilter describes a filter of a template.
type TriggerTemplateFilter struct {
	// ID is that of a [TriggerFilter].
	ID       string `json:"id"`
	Required bool   `json:"required"`
	// Values are the default values, as they travel.
	Values           []RawJSON         `json:"values"`
	Operator         TriggerOperator   `json:"operator,omitempty"`
	AllowedOperators []TriggerOperator `json:"allowed_operators"`
	Extra            Extra             `json:",embed"`
}

// TriggerThreshold says how often something must happen, and in which time.
type TriggerThreshold struct {
	// Count is the number that must be exceeded.
	Count int64 `json:"count"`
	// Period is the time, in seconds.
	Period int64 `json:"period"`
	// Operator and AllowedOperators are always gt and its list; empty ones are sent so.
	Operator         TriggerOperator   `json:"operator,omitempty"`
	AllowedOperators []TriggerOperator `json:"allowed_operators,omitzero"`
	Extra            Extra             `json:",embed"`
}

func (t *TriggerThreshold) isZero() bool {
	return t.Count == 0 && t.Period == 0 && t.Operator == "" && len(t.AllowedOperators) == 0 && len(t.Extra) == 0
}

// TriggerOperator says how a filter or a threshold compares.
type TriggerOperator string

// The operators.
const (
	TriggerEqual    TriggerOperator = "eq"
	TriggerNotEqual TriggerOperator = "ne"
	// TriggerGreater is that of thresholds.
	TriggerGreater TriggerOperator = "gt"
)

// TriggerSpec says what a trigger is to be, to create or to replace one.
type TriggerSpec struct {
	Template TriggerTemplate
	Name     string
	Comment  string
	// Enabled says whether the trigger acts. Absent is true.
	Enabled Opt[bool]
	// Filters narrow down what counts; none is everything. The vendor's provider sends at most six.
	Filters []TriggerFilter
	// Threshold is nil for the templates that have none.
	Threshold *TriggerThreshold
	// Actions is what happens. The vendor's provider sends at most four.
	Actions []TriggerAction
	// Extra holds members that have no field here.
	Extra Extra
}

// request makes what travels of the spec.
func (spec *TriggerSpec) request() (any, error) {
	if err := spec.complete(); err != nil {
		return nil, err
	}
	type trigger struct {
		Template  TriggerTemplate   `json:"template_id"`
		Name      string            `json:"name"`
		Comment   string            `json:"comment"`
		Enabled   bool              `json:"enabled"`
		Filters   TriggerFilters    `json:"filters"`
		Threshold *TriggerThreshold `json:"threshold"`
		Actions   TriggerActions    `json:"actions"`
		Extra     Extra             `json:",embed"`
	}
	body := trigger{
		Template: spec.Template, Name: spec.Name, Comment: spec.Comment, Enabled: spec.Enabled.Or(true), Actions: spec.Actions, Extra: spec.Extra,
	}
	for _, filter := range spec.Filters {
		if filter.FilterID() != (TriggerThresholdEcho{}).FilterID() {
			body.Filters = append(body.Filters, filter)
		}
	}
	if spec.Threshold != nil {
		threshold := *spec.Threshold
		threshold.Operator = cmp.Or(threshold.Operator, TriggerGreater)
		if threshold.AllowedOperators == nil {
			threshold.AllowedOperators = []TriggerOperator{TriggerGreater}
		}
		body.Threshold = &threshold
	}
	return struct {
		Trigger trigger `json:"trigger"`
	}{body}, nil
}

// ownMembers are the members of a trigger that have a field of their own.
var ownMembers = []string{"template_id", "name", "comment", "enabled", "filters", "threshold", "actions"}

// complete refuses what cannot travel at all.
func (spec *TriggerSpec) complete() error {
	switch {
	case spec.Template == "":
		return invalid("template", "it is empty")
	case spec.Enabled.IsNull():
		return invalid("enabled", "it is null")
	case slices.ContainsFunc(spec.Filters, func(f TriggerFilter) bool { return isNil(f) }):
		return invalid("filters", "a filter is nil")
	case slices.ContainsFunc(spec.Actions, func(a TriggerAction) bool { return isNil(a) }):
		return invalid("actions", "an action is nil")
	}
	for _, name := range ownMembers {
		if _, ok := spec.Extra[name]; ok {
			return invalid("extra", "%s has a field of its own", name)
		}
	}
	return nil
}

// validate refuses what cannot be meant in a new trigger. An old one is written back as it is, whatever it holds.
func (spec *TriggerSpec) validate() error {
	if err := spec.complete(); err != nil {
		return err
	}
	if spec.Name == "" {
		return invalid("name", "it is empty")
	}
	if err := spec.validateThreshold(); err != nil {
		return err
	}
	for _, filter := range spec.Filters {
		if err := filter.values().validate(filter.FilterID()); err != nil {
			return err
		}
	}
	if len(spec.Actions) == 0 {
		return invalid("actions", "there are none")
	}
	for _, action := range spec.Actions {
		if err := action.validate(); err != nil {
			return err
		}
	}
	return nil
}

// validateThreshold checks what the vendor's provider checks.
func (spec *TriggerSpec) validateThreshold() error {
	switch spec.Template {
	case TriggerUserCreated:
		if spec.Threshold != nil {
			return invalid("threshold", "%s takes none", spec.Template)
		}
	case TriggerAttacks, TriggerHits, TriggerIncidents, TriggerPayloads, TriggerBruteForce:
		if spec.Threshold == nil {
			return invalid("threshold", "%s needs one", spec.Template)
		}
	}
	if t := spec.Threshold; t != nil && (t.Period <= 0 || t.Count < 0) {
		return invalid("threshold", "want a period of at least a second and a count that is not negative")
	}
	return nil
}

// List returns all triggers: the list has no pages. A trigger that was made a moment ago may be missing from it.
//
// GET /v2/clients/{client_id}/triggers with denormalize=true, which adds the descriptions of the templates. Replay class: read.
func (s *TriggersService) List(ctx context.Context, opts ...CallOption) ([]Trigger, error) {
	return listTriggers[Trigger](ctx, s, opts)
}

func listTriggers[T any](ctx context.Context, s *TriggersService, opts []CallOption) ([]T, error) {
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	query := struct {
		Denormalize bool `url:"denormalize"`
	}{true}
	return do[[]T](ctx, s.client, triggersList, args{path: []any{clientID}, query: query}, opts)
}

// Get returns one trigger. The API has no route for that: it reads the list and picks. [ErrNotFound] if the list has no such id.
//
// GET /v2/clients/{client_id}/triggers. Replay class: read.
func (s *TriggersService) Get(ctx context.Context, id int64, opts ...CallOption) (*Trigger, error) {
	if id <= 0 {
		return nil, invalid("id", "%d is not positive", id)
	}
	all, err := s.List(ctx, opts...)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ID == id {
			return &all[i], nil
		}
	}
	return nil, notFound(triggersList, http.StatusOK)
}

// Create makes a trigger. The API takes a second one of the same kind and name without complaint: after [ErrOutcomeUnknown] look for both with
// List before you repeat the call. The first trigger of its template makes the account's default trigger of that kind disappear.
//
// POST /v2/clients/{client_id}/triggers. Replay class: once.
func (s *TriggersService) Create(ctx context.Context, spec TriggerSpec, opts ...CallOption) (*Trigger, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	body, err := spec.request()
	if err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[Trigger](ctx, s.client, triggersCreate, args{path: []any{clientID}, body: body}, opts)
}

// Replace makes a trigger what spec says. What becomes of a member that is left out is not documented, so all are sent: begin with the
// [Trigger.Spec] of the trigger as it is.
//
// PUT /v2/clients/{client_id}/triggers/{id}. Replay class: idempotent.
func (s *TriggersService) Replace(ctx context.Context, id int64, spec TriggerSpec, opts ...CallOption) (*Trigger, error) {
	body, err := spec.request()
	if err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[Trigger](ctx, s.client, triggersReplace, args{path: []any{clientID, id}, body: body}, opts)
}

// Enable switches a trigger on. It takes two calls, since a trigger can only be replaced as a whole: what another program changes between
// them is overwritten. A trigger that would not be written back as it came, since it came without its template, filters, actions or another part, or
// in a form that is not understood, is [ErrResponse], and not replaced.
//
// GET /v2/clients/{client_id}/triggers and PUT /v2/clients/{client_id}/triggers/{id}. Replay class: read, then idempotent.
func (s *TriggersService) Enable(ctx context.Context, id int64, opts ...CallOption) (*Trigger, error) {
	return s.setEnabled(ctx, id, true, opts)
}

// Disable switches a trigger off. See [TriggersService.Enable].
//
// GET /v2/clients/{client_id}/triggers and PUT /v2/clients/{client_id}/triggers/{id}. Replay class: read, then idempotent.
func (s *TriggersService) Disable(ctx context.Context, id int64, opts ...CallOption) (*Trigger, error) {
	return s.setEnabled(ctx, id, false, opts)
}

func (s *TriggersService) setEnabled(ctx context.Context, id int64, enabled bool, opts []CallOption) (*Trigger, error) {
	if id <= 0 {
		return nil, invalid("id", "%d is not positive", id)
	}
	all, err := listTriggers[RawJSON](ctx, s, opts)
	if err != nil {
		return nil, err
	}
	for _, raw := range all {
		var trigger Trigger
		if err := wire.Unmarshal(raw, &trigger); err != nil {
			return nil, fmt.Errorf("wallarm: %s: %w: %s", triggersList.name, ErrResponse, clip(err.Error()))
		}
		if trigger.ID != id {
			continue
		}
		spec := trigger.Spec()
		if reason := spec.lossOf(raw); reason != "" {
			return nil, fmt.Errorf("wallarm: %s: %w: trigger %d cannot be written back as it is: %s", triggersList.name, ErrResponse, id, reason)
		}
		spec.Enabled = Set(enabled)
		return s.Replace(ctx, id, spec, opts...)
	}
	return nil, notFound(triggersList, http.StatusOK)
}

// Delete removes a trigger. One that is not there counts as deleted. Without any custom trigger of its template the account gets the default
// one back, so that a delete may add an object; and the API removes the counter rules that no trigger names any more, some 30 seconds later.
//
// DELETE /v2/clients/{client_id}/triggers/{id}. Replay class: idempotent.
func (s *TriggersService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	return remove(ctx, s.client, triggersDelete, args{path: []any{clientID, id}}, opts)
}
