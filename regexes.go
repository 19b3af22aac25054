package wallarm

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	regexesList     = operation{"regexes.list", "GET", "/v4/clients/{client_id}/rules/regexes", read, inBody}
	regexesGet      = operation{"regexes.get", "GET", "/v4/clients/{client_id}/rules/regexes/{id}", read, inBody}
	regexesFindRule = operation{"regexes.find_rule", "POST", "/v3/clients/{client_id}/rules/find_regex_rule", read, inBody}
)

// RegexesService reads the stored expressions of custom attack detectors. Its routes are attested by the vendor's API reference only.
type RegexesService service

// Regex is a stored expression.
type Regex struct {
	// ID is what [AttackDetector] and [IgnoreDetector] call RegexID.
	ID       int64  `json:"id"`
	ClientID int64  `json:"clientid"`
	Name     string `json:"name,omitempty"`
	// Value is the expression.
	Value string `json:"value"`
	Extra Extra  `json:",embed"`
}

// MarshalJSON writes the expression: the members with a value, and all that no field is for.
func (r Regex) MarshalJSON() ([]byte, error) {
	type plain Regex
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads an expression and keeps unknown members.
func (r *Regex) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads an expression and keeps unknown members.
func (r *Regex) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Regex
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// RegexFilter selects stored expressions. A zero field is no condition.
type RegexFilter struct {
	// RuleTypes selects expressions of rules of these types, such as RuleAttackDetector.
	RuleTypes []RuleType
}

func (s *RegexesService) list(filter RegexFilter, opts []CallOption) *lister[Regex] {
	return &lister[Regex]{
		client: s.client, op: regexesList, paging: byOffset, usual: 100, most: 1000, careful: true, opts: opts,
		id: func(r *Regex) string { return idText(r.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "%s takes none", regexesList.name)
			}
			if err := validateQueryFilter(filter); err != nil {
				return args{}, err
			}
			id, err := s.client.ClientID(ctx, opts...)
			if err != nil {
				return args{}, err
			}
			return args{path: []any{id}, query: struct {
				ClientID  int64      `url:"filter[clientid]"`
				RuleTypes []RuleType `url:"filter[hint_type][],omitempty"`
				Limit     int        `url:"limit"`
				Offset    int        `url:"offset"`
			}{id, filter.RuleTypes, page.Limit, page.Offset}}, nil
		},
	}
}

// List returns one page of the stored expressions that match filter, in the API's own order. page.Limit is by default 100 and at
// most 1000; the vendor names no maximum, so the iterators ask for 100 at once.
//
// GET /v4/clients/{client_id}/rules/regexes. The vendor draws the filter as a body of the GET, which many proxies drop: it travels as a query. Replay
// class: read.
func (s *RegexesService) List(ctx context.Context, filter RegexFilter, page PageOptions, opts ...CallOption) (*Page[Regex], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the stored expressions that match filter. See [RegexesService.List].
//
// GET /v4/clients/{client_id}/rules/regexes. Replay class: read.
func (s *RegexesService) All(ctx context.Context, filter RegexFilter, opts ...CallOption) iter.Seq2[Regex, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *RegexesService) Pages(ctx context.Context, filter RegexFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Regex], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Get returns one stored expression.
//
// GET /v4/clients/{client_id}/rules/regexes/{id}. Replay class: read.
func (s *RegexesService) Get(ctx context.Context, id int64, opts ...CallOption) (*Regex, error) {
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[Regex](ctx, s.client, regexesGet, args{path: []any{clientID, id}}, opts)
}

// RegexMatch is what a stored expression matched.
type RegexMatch struct {
	// RegexID is the expression, one of the Regexes of a [Hit]. Required.
	RegexID int64
	// Point is where it matched. Required.
	Point Point
	// Domain and Path are those of the request. Empty ones are not sent.
	Domain, Path string
	// ApplicationID is that of the request, -1 for the default application. 0 is not sent.
	ApplicationID int64
}

// FindRule returns the rule whose expression made a match, or [ErrNotFound]. [RulesService.OfHit] finds those of a hit.
//
// POST /v3/clients/{client_id}/rules/find_regex_rule. Replay class: read.
func (s *RegexesService) FindRule(ctx context.Context, match RegexMatch, opts ...CallOption) (*Rule, error) {
	if match.RegexID <= 0 {
		return nil, invalid("match", "%d is no id of an expression", match.RegexID)
	}
	if err := match.Point.validate("match.point"); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[Rule](ctx, s.client, regexesFindRule, args{path: []any{clientID}, body: struct {
		RegexID       int64     `json:"regex_id"`
		Point         flatPoint `json:"point"`
		Domain        string    `json:"domain,omitzero"`
		Path          string    `json:"path,omitzero"`
		ApplicationID int64     `json:"poolid,omitzero"`
	}{match.RegexID, flatPoint(match.Point.normalized()), match.Domain, match.Path, match.ApplicationID}}, opts)
}
