package wallarm

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// viewEnvelope is for routes whose envelopes no source shows: the view or the list of views in body, in data, or bare.
const viewEnvelope = wire.Envelope("body|data?")

var (
	viewsList       = operation{"attack_views.list", "GET", "/v1/client/{client_id}/attack-views", read, viewEnvelope}
	viewsCreate     = operation{"attack_views.create", "POST", "/v1/client/{client_id}/attack-views", once, viewEnvelope}
	viewsGet        = operation{"attack_views.get", "GET", "/v1/client/{client_id}/attack-views/{id}", read, viewEnvelope}
	viewsUpdate     = operation{"attack_views.update", "PUT", "/v1/client/{client_id}/attack-views/{id}", idempotent, viewEnvelope}
	viewsDelete     = operation{"attack_views.delete", "DELETE", "/v1/client/{client_id}/attack-views/{id}", idempotent, noAnswer}
	viewsDuplicate  = operation{"attack_views.duplicate", "POST", "/v1/client/{client_id}/attack-views/{id}/duplicate", once, viewEnvelope}
	viewsSetDefault = operation{"attack_views.set_default", "POST", "/v1/client/{client_id}/attack-views/{id}/set-default", idempotent, noAnswer}
)

// AttackViewsService manages saved views of the Attacks API: what the Console shows under Attacks.
type AttackViewsService service

// AttackView is a saved view.
type AttackView struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Config belongs to the Console, which adds to it: change only what you know in what you have read. Members that have been seen are where,
	// groupBy, customGroupByAttributes, timeRange, sorting, columnVisibility, columnSizing and columnPinning.
	Config     RawJSON        `json:"config"`
	Visibility ViewVisibility `json:"visibility"`
	// Preset says that the view came with the product and cannot be changed.
	Preset    bool      `json:"is_preset"`
	Default   bool      `json:"is_default"`
	CreatedAt Timestamp `json:"created_at,omitzero"`
	UpdatedAt Timestamp `json:"updated_at,omitzero"`
	Extra     Extra     `json:",embed"`
}

// MarshalJSON writes the view: the members with a value, and all that no field is for.
func (v AttackView) MarshalJSON() ([]byte, error) {
	type plain AttackView
	return wire.MarshalEcho(plain(v))
}

// UnmarshalJSON reads a view and keeps unknown members.
func (v *AttackView) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, v) }

// UnmarshalJSONFrom reads a view and keeps unknown members.
func (v *AttackView) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain AttackView
	return wire.UnmarshalDecode(d, (*plain)(v))
}

// ViewVisibility says who sees a view.
type ViewVisibility string

const (
	// ViewTenant is for the tenant alone, the default.
	ViewTenant ViewVisibility = "tenant"
	// ViewOrganization is for all tenants of the organization.
	ViewOrganization ViewVisibility = "org"
)

func (s *AttackViewsService) path(ctx context.Context, opts []CallOption, ids ...any) (args, error) {
	for _, id := range ids {
		if _, err := pathSegment("id", id); err != nil {
			return args{}, err
		}
	}
	id, err := s.client.ClientID(ctx, opts...)
	return args{path: append([]any{id}, ids...)}, err
}

// List returns all saved views.
//
// GET /v1/client/{client_id}/attack-views. Replay class: read.
func (s *AttackViewsService) List(ctx context.Context, opts ...CallOption) ([]AttackView, error) {
	a, err := s.path(ctx, opts)
	if err != nil {
		return nil, err
	}
	return do[[]AttackView](ctx, s.client, viewsList, a, opts)
}

// Get returns a saved view.
//
// GET /v1/client/{client_id}/attack-views/{id}. Replay class: read.
func (s *AttackViewsService) Get(ctx context.Context, id int64, opts ...CallOption) (*AttackView, error) {
	a, err := s.path(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	return s.one(ctx, viewsGet, a, opts)
}

// NewAttackView is a view to create.
type NewAttackView struct {
	Name        string `json:"name"`
	Description string `json:"description,omitzero"`
	// Config is a JSON object, see [AttackView].
	Config RawJSON `json:"config"`
	// Visibility is ViewTenant by default. It cannot be changed later.
	Visibility ViewVisibility `json:"visibility,omitzero"`
}

// Create saves a view. Names need not be unique, so a repeat makes a second view: after [ErrOutcomeUnknown], look for it with List.
//
// POST /v1/client/{client_id}/attack-views. Replay class: once.
func (s *AttackViewsService) Create(ctx context.Context, view NewAttackView, opts ...CallOption) (*AttackView, error) {
	if view.Name == "" {
		return nil, invalid("name", "it is empty")
	}
	if err := checkConfig(view.Config); err != nil {
		return nil, err
	}
	a, err := s.path(ctx, opts)
	if err != nil {
		return nil, err
	}
	a.body = view
	return s.one(ctx, viewsCreate, a, opts)
}

func checkConfig(config RawJSON) error {
	if config.Kind() != '{' || !config.IsValid() {
		return invalid("config", "want a JSON object")
	}
	return nil
}

// AttackViewUpdate changes a view. What is absent stays as it is.
type AttackViewUpdate struct {
	Name        Opt[string] `json:"name,omitzero"`
	Description Opt[string] `json:"description,omitzero"`
	// Config replaces the whole config.
	Config Opt[RawJSON] `json:"config,omitzero"`
}

// Update changes a view. Views that came with the product cannot be changed. If the read that may follow fails, the error matches
// [ErrOutcomeUnknown]: the view may have been changed.
//
// PUT /v1/client/{client_id}/attack-views/{id}; where the API answers without the view, a GET follows. Replay class: idempotent.
func (s *AttackViewsService) Update(ctx context.Context, id int64, update AttackViewUpdate, opts ...CallOption) (*AttackView, error) {
	if update.Name.IsZero() && update.Description.IsZero() && update.Config.IsZero() {
		return nil, invalid("update", "it changes nothing")
	}
	if name, ok := update.Name.Get(); update.Name.IsNull() || ok && name == "" {
		return nil, invalid("name", "it cannot be empty")
	}
	if config, ok := update.Config.Get(); ok || update.Config.IsNull() {
		if err := checkConfig(config); err != nil {
			return nil, err
		}
	}
	a, err := s.path(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	a.body = update
	view, err := do[*AttackView](ctx, s.client, viewsUpdate, a, opts)
	if err != nil || view != nil && view.ID != 0 {
		return view, err
	}
	// The answer is not documented: if it says nothing, the view itself tells.
	return readChanged(viewsUpdate, func() (*AttackView, error) { return s.Get(ctx, id, opts...) })
}

// one makes a call that answers a view. An answer without one, such as {"status":200}, must not pass for a view without an id.
func (s *AttackViewsService) one(ctx context.Context, op operation, a args, opts []CallOption) (*AttackView, error) {
	view, err := get[AttackView](ctx, s.client, op, a, opts)
	if err == nil && view.ID == 0 {
		return nil, lostAnswer(op, "the answer holds no view")
	}
	return view, err
}

// Delete deletes a view. One that is not there counts as deleted.
//
// DELETE /v1/client/{client_id}/attack-views/{id}. Replay class: idempotent.
func (s *AttackViewsService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	a, err := s.path(ctx, opts, id)
	if err != nil {
		return err
	}
	return remove(ctx, s.client, viewsDelete, a, opts)
}

// Duplicate makes a copy of a view under another name. A repeat makes another copy.
//
// POST /v1/client/{client_id}/attack-views/{id}/duplicate. Replay class: once.
func (s *AttackViewsService) Duplicate(ctx context.Context, id int64, name string, opts ...CallOption) (*AttackView, error) {
	if name == "" {
		return nil, invalid("name", "it is empty")
	}
	a, err := s.path(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	a.body = struct {
		Name string `json:"name"`
	}{name}
	return s.one(ctx, viewsDuplicate, a, opts)
}

// SetDefault makes a view the one that the Console opens first.
//
// POST /v1/client/{client_id}/attack-views/{id}/set-default. Replay class: idempotent.
func (s *AttackViewsService) SetDefault(ctx context.Context, id int64, opts ...CallOption) error {
	a, err := s.path(ctx, opts, id)
	if err != nil {
		return err
	}
	return run(ctx, s.client, viewsSetDefault, a, opts)
}
