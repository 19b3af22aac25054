package wallarm

import (
	"context"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	scopesList   = operation{"scopes.list", "POST", "/v1/objects/action", read, inBody}
	scopesGet    = operation{"scopes.get", "GET", "/v3/action/{id}", read, inBody}
	scopesRename = operation{"scopes.rename", "PUT", "/v2/action/{id}", idempotent, inObject}
	scopesByHit  = operation{"scopes.by_hit", "POST", "/v1/objects/action/by_hit", read, inBody}
)

// ScopesService reads and names scopes: the sets of conditions that rules apply to. The wire calls a scope an action. Scopes come with their
// first rule and go with their last one; the default scope, which has no conditions, stays.
type ScopesService service

// RuleScope is a set of conditions with an id. [Scope] builds conditions.
type RuleScope struct {
	// ID is what [Rule] calls ScopeID.
	ID       int64 `json:"id"`
	ClientID int64 `json:"clientid"`
	// Name is a name that somebody gave it, unique within the client; mostly empty.
	Name       string     `json:"name,omitempty"`
	Conditions Conditions `json:"conditions"`
	// EndpointPath, EndpointDomain and EndpointInstance are a summary of the API that leaves things out; go by Conditions.
	EndpointPath     string    `json:"endpoint_path,omitempty"`
	EndpointDomain   string    `json:"endpoint_domain,omitempty"`
	EndpointInstance string    `json:"endpoint_instance,omitempty"`
	Updated          Timestamp `json:"updated_at,omitzero"`
	// Rules is the number of its rules, nil if the API does not tell.
	Rules *int64 `json:"hints,omitzero"`
	// GroupedRules is a number of an older API, nil otherwise.
	GroupedRules *int64 `json:"grouped_hints_count,omitzero"`
	Extra        Extra  `json:",embed"`
}

// MarshalJSON writes the scope: the members with a value, and all that no field is for.
func (s RuleScope) MarshalJSON() ([]byte, error) {
	type plain RuleScope
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads a scope and keeps unknown members.
func (s *RuleScope) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads a scope and keeps unknown members.
func (s *RuleScope) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain RuleScope
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// ScopeFilter selects scopes. A zero field is no condition.
type ScopeFilter struct {
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `json:"clientid,omitzero"`
	IDs       []int64 `json:"id,omitzero"`
	// NotIDs are scopes to leave out.
	NotIDs []int64 `json:"!id,omitzero"`
	// RuleTypes selects scopes with a rule of one of these types.
	RuleTypes []RuleType `json:"hint_type,omitzero"`
	// MinRules and MaxRules bound the number of rules.
	MinRules Opt[int64] `json:"-"`
	MaxRules Opt[int64] `json:"-"`
	// Empty set to false selects scopes with rules. What true selects is disputed; use MaxRules.
	Empty Opt[bool] `json:"empty,omitzero"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object.
func (f ScopeFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain ScopeFilter
	var counts [][2]Opt[int64]
	if !f.MinRules.IsZero() || !f.MaxRules.IsZero() {
		counts = [][2]Opt[int64]{{f.MinRules, f.MaxRules}}
	}
	return wire.MarshalEncode(e, struct {
		plain
		Counts [][2]Opt[int64] `json:"hints_count,omitzero"`
	}{plain(f), counts})
}

func (f *ScopeFilter) validate() error {
	least, bounded := f.MinRules.Get()
	most, alsoBounded := f.MaxRules.Get()
	if bounded && alsoBounded && most < least {
		return invalid("filter.hints_count", "MaxRules %d is less than MinRules %d", most, least)
	}
	return nil
}

func (s *ScopesService) list(filter ScopeFilter, opts []CallOption) *lister[RuleScope] {
	return &lister[RuleScope]{
		client: s.client, op: scopesList, paging: byOffset, usual: 1000, most: 1000, opts: opts,
		id: func(r *RuleScope) string { return idText(r.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "%s takes none", scopesList.name)
			}
			if err := filter.validate(); err != nil {
				return args{}, err
			}
			f := filter
			var err error
			f.ClientIDs, err = s.client.clientIDs(ctx, f.ClientIDs, opts)
			return args{body: offsetBody(f, page, "", false)}, err
		},
	}
}

// List returns one page of the scopes that match filter, in the API's own order. page.Limit is by default and at most 1000; there is no
// choice of order.
//
// POST /v1/objects/action. Replay class: read.
func (s *ScopesService) List(ctx context.Context, filter ScopeFilter, page PageOptions, opts ...CallOption) (*Page[RuleScope], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the scopes that match filter, in pages of 1000 unless [PageSize] says otherwise.
//
// POST /v1/objects/action. Replay class: read.
func (s *ScopesService) All(ctx context.Context, filter ScopeFilter, opts ...CallOption) iter.Seq2[RuleScope, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *ScopesService) Pages(ctx context.Context, filter ScopeFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[RuleScope], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Get returns one scope.
//
// GET /v3/action/{id}. Replay class: read.
func (s *ScopesService) Get(ctx context.Context, id int64, opts ...CallOption) (*RuleScope, error) {
	return get[RuleScope](ctx, s.client, scopesGet, args{path: []any{id}}, opts)
}

// Rename names a scope. A name is made of letters, digits, dots, dashes and underscores, and unique within the client.
//
// PUT /v2/action/{id}; attested by the vendor's API reference only. Replay class: idempotent.
func (s *ScopesService) Rename(ctx context.Context, id int64, name string, opts ...CallOption) (*RuleScope, error) {
	if name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") != "" {
		return nil, invalid("name", "%q is not made of letters, digits, dots, dashes and underscores", clip(name))
	}
	return get[RuleScope](ctx, s.client, scopesRename, args{path: []any{id}, body: map[string]string{"name": name}}, opts)
}

// HitScope is the scope that the platform derives from a hit.
type HitScope struct {
	ClientID int64 `json:"clientid"`
	// Conditions are nil if the answer has none, which is not the same as an empty list: every request.
	Conditions Conditions `json:"conditions"`
	// Scope is the scope with these conditions, nil if there is none yet.
	Scope *RuleScope `json:"action,omitzero"`
	Extra Extra      `json:",embed"`
}

// MarshalJSON writes the scope: the members with a value, and all that no field is for.
func (s HitScope) MarshalJSON() ([]byte, error) {
	type plain HitScope
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads a scope and keeps unknown members.
func (s *HitScope) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads a scope and keeps unknown members.
func (s *HitScope) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain HitScope
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// ByHit returns the conditions that the platform derives from a hit: those of a rule that is to apply to requests like it.
//
// POST /v1/objects/action/by_hit. Replay class: read.
func (s *ScopesService) ByHit(ctx context.Context, hit EventID, opts ...CallOption) (*HitScope, error) {
	if err := hit.validate("hit"); err != nil {
		return nil, err
	}
	return get[HitScope](ctx, s.client, scopesByHit, args{body: map[string][]string{"id": hit.pair()}}, opts)
}

// Find returns the scope with just these conditions, or [ErrNotFound]. It goes through all scopes of the client.
//
// POST /v1/objects/action. Replay class: read.
func (s *ScopesService) Find(ctx context.Context, conditions Conditions, opts ...CallOption) (*RuleScope, error) {
	return s.find(ctx, ScopeFilter{}, conditions, opts)
}

func (s *ScopesService) find(ctx context.Context, filter ScopeFilter, conditions Conditions, opts []CallOption) (*RuleScope, error) {
	if err := conditions.Validate(); err != nil {
		return nil, err
	}
	want := conditions.Hash()
	for scope, err := range s.All(ctx, filter, wholeList(opts)...) {
		if err != nil {
			return nil, err
		}
		if scope.Conditions.Hash() == want {
			return &scope, nil
		}
	}
	return nil, notFound(scopesList, http.StatusOK)
}
