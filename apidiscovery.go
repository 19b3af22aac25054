package wallarm

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	apiDiscoveryList        = operation{"apidiscovery.list", "GET", "/v4/clients/{client_id}/rules/endpoints", read, inBody}
	apiDiscoveryCount       = operation{"apidiscovery.count", "GET", "/v4/clients/{client_id}/rules/endpoints/count", read, inBody}
	apiDiscoveryGet         = operation{"apidiscovery.get", "GET", "/v4/clients/{client_id}/rules/endpoints/{id}", read, inBody}
	apiDiscoveryCreate      = operation{"apidiscovery.create", "POST", "/v4/clients/{client_id}/rules/endpoints", once, inBody}
	apiDiscoveryUpdate      = operation{"apidiscovery.update", "PUT", "/v4/clients/{client_id}/rules/endpoints/{id}", idempotent, inBody}
	apiDiscoveryDelete      = operation{"apidiscovery.delete", "DELETE", "/v4/clients/{client_id}/rules/endpoints/{id}", idempotent, noAnswer}
	apiDiscoveryRiskFactors = operation{"apidiscovery.risk_factors", "GET", "/v4/clients/{client_id}/rules/endpoints/{id}/risk-factors", read, inBody}
)

// APIDiscoveryService reads the API inventory that the platform has discovered, and configures its discovery. Its objects are endpoints, which
// List, Get and the like work on, the parameters of an endpoint, and one configuration per client.
//
// The vendor's documentation names the path of the list only; all else about endpoints and parameters comes from the description
// behind the vendor's console, and belongs to the first generation of API Discovery.
type APIDiscoveryService service

// APIEndpoint is an endpoint of the inventory: a method, a host and a path template.
type APIEndpoint struct {
	ID       int64 `json:"id"`
	ClientID int64 `json:"clientid"`
	// Method is the HTTP method in upper case.
	Method string `json:"method"`
	// URL is host and path with {placeholders}; Domain and Path are its halves.
	URL    string `json:"url"`
	Domain string `json:"domain"`
	Path   string `json:"path"`
	// Anchor is the endpoint's name in links of the Console.
	Anchor string `json:"anchor"`
	// Hits is the number of attack hits on the endpoint.
	Hits       int64               `json:"hits_count"`
	Conditions []EndpointCondition `json:"conditions"`
	// Actual is false for an endpoint that is no longer in use. This and the next two are nil if the answer does not say, as
	// [APIDiscoveryService.Get] does not of Orphan.
	Actual   *bool `json:"actual,omitzero"`
	Orphan   *bool `json:"orphan,omitzero"`
	Internal *bool `json:"internal,omitzero"`
	// ModificationState is [InventoryUnknown] unless the list was asked for changes since some time.
	ModificationState ModificationState `json:"modification_state,omitempty"`
	// PIIGroups are the groups of sensitive data that travel through the endpoint.
	PIIGroups       []string         `json:"pii_group"`
	SpecComparisons []SpecComparison `json:"latest_api_spec_comparisons"`
	CreatedAt       Timestamp        `json:"created_at"`
	UpdatedAt       Timestamp        `json:"updated_at"`
	// DiscoveredAt and ChangedAt are missing from [APIDiscoveryService.Get].
	DiscoveredAt Timestamp `json:"discovered_at,omitzero"`
	ChangedAt    Timestamp `json:"changed_at,omitzero"`
	// BOLATriggerID is the trigger that protects the endpoint against BOLA by itself, 0 if none does.
	BOLATriggerID int64          `json:"bola_search_started_trigger_id,omitzero"`
	Vulns         []EndpointVuln `json:"vulns"`
	// RequestStats is nil if the answer has none.
	RequestStats *EndpointRequestStats `json:"request_stats,omitzero"`
	// RiskFactors comes from [APIDiscoveryService.Get] only, and is nil while the endpoint has none.
	RiskFactors *RiskFactors `json:"risk_factors,omitzero"`
	Extra       Extra        `json:",embed"`
}

// MarshalJSON writes the endpoint: the members with a value, and all that no field is for.
func (e APIEndpoint) MarshalJSON() ([]byte, error) {
	type plain APIEndpoint
	return wire.MarshalEcho(plain(e))
}

// UnmarshalJSON reads an endpoint and keeps unknown members.
func (e *APIEndpoint) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, e) }

// UnmarshalJSONFrom reads an endpoint and keeps unknown members.
func (e *APIEndpoint) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain APIEndpoint
	return wire.UnmarshalDecode(d, (*plain)(e))
}

// SpecComparison says how an endpoint compares with an uploaded API specification.
type SpecComparison struct {
	ID         int64 `json:"id"`
	APISpecID  int64 `json:"api_spec_id"`
	EndpointID int64 `json:"endpoint_id"`
	// Version is that of the specification.
	Version int64  `json:"version"`
	Title   string `json:"title,omitempty"`
	// Shadow: in use but not specified. Orphan: specified but not in use. Zombie: in use though no longer specified.
	Shadow bool  `json:"shadow"`
	Orphan bool  `json:"orphan"`
	Zombie bool  `json:"zombie"`
	Extra  Extra `json:",embed"`
}

// EndpointVuln is a vulnerability of an endpoint.
type EndpointVuln struct {
	ID int64 `json:"id"`
	// Threat is low, medium or high, or a number in digits: both forms are attested.
	Threat string `json:"threat"`
	Extra  Extra  `json:",embed"`
}

// EndpointRequestStats counts the requests to an endpoint.
type EndpointRequestStats struct {
	Total24h   int64   `json:"total_24h"`
	Total7d    int64   `json:"total_7d"`
	Average24h float64 `json:"avg_24h"`
	Extra      Extra   `json:",embed"`
}

// RiskFactors are the parts of an endpoint's risk score: counts and flags, not the score itself.
type RiskFactors struct {
	QueryParameters  int64 `json:"query_parameters"`
	BodyParameters   int64 `json:"parameters_in_body"`
	PathVariables    int64 `json:"variables_in_path"`
	PII              int64 `json:"pii"`
	AcceptsMultipart bool  `json:"multipart_body"`
	AcceptsJSON      bool  `json:"accepts_json"`
	AcceptsXML       bool  `json:"accepts_xml"`
	Extra            Extra `json:",embed"`
}

// MarshalJSON writes the risk factors: the members with a value, and all that no field is for.
func (r RiskFactors) MarshalJSON() ([]byte, error) {
	type plain RiskFactors
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads risk factors and keeps unknown members.
func (r *RiskFactors) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads risk factors and keeps unknown members.
func (r *RiskFactors) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain RiskFactors
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// ModificationState says what happened to an endpoint or parameter since the time that the list was asked about. New values may appear.
type ModificationState string

const (
	InventoryNew      ModificationState = "new"
	InventoryUpdated  ModificationState = "updated"
	InventoryOutdated ModificationState = "outdated"
	// InventoryUnknown: the list was not asked about any time.
	InventoryUnknown ModificationState = "unknown"
)

// EndpointRisk is a level of risk or threat. New values may appear.
type EndpointRisk string

const (
	EndpointRiskLow    EndpointRisk = "low"
	EndpointRiskMedium EndpointRisk = "medium"
	EndpointRiskHigh   EndpointRisk = "high"
)

// PIIType is a kind of sensitive data that API Discovery recognises. New values may appear.
type PIIType string

const (
	PIIIPAddress           PIIType = "IP"
	PIIMACAddress          PIIType = "MAC"
	PIIToken               PIIType = "token"
	PIISecret              PIIType = "secret"
	PIIPassword            PIIType = "password"
	PIICreditCardNumber    PIIType = "credit_card_number"
	PIICVV                 PIIType = "CVV"
	PIIIBAN                PIIType = "IBAN"
	PIIPersonalName        PIIType = "personal_name"
	PIILogin               PIIType = "login"
	PIIEmail               PIIType = "email"
	PIILocation            PIIType = "location"
	PIIPassportNumber      PIIType = "passport_number"
	PIIDriverLicenseNumber PIIType = "driver_license_number"
	PIIPhone               PIIType = "phone"
	PIISSN                 PIIType = "SSN"
)

// APIEndpointFilter selects endpoints. A zero field is no condition; conditions on different fields must all hold, values of one field are
// alternatives. No route takes every condition: a method refuses those that its route does not know.
type APIEndpointFilter struct {
	// Search is a text to look for.
	Search  string
	Domains []string
	// Methods are HTTP methods in upper case.
	Methods        []string
	ApplicationIDs []int64
	// Actual selects by whether the endpoint is still in use.
	Actual      Opt[bool]
	WithAttacks Opt[bool]
	WithVulns   Opt[bool]
	// Shadow selects what no uploaded specification knows.
	Shadow   Opt[bool]
	Internal Opt[bool]
	// HasBOLATrigger selects by whether an automatic trigger protects the endpoint against BOLA.
	HasBOLATrigger Opt[bool]
	// ModifiedSince and ModificationStates go together: what happened since when, to the second.
	ModifiedSince      time.Time
	ModificationStates []ModificationState
	VulnThreats        []EndpointRisk
	Risks              []EndpointRisk
	APISpecIDs         []int64
	// EndpointIDs are the endpoints themselves, for [APIDiscoveryService.ExportOpenAPI] only.
	EndpointIDs []int64
	PII         []PIIType
}

// endpointFilterQuery is the filter as it travels. Two members have another name on the count.
type endpointFilterQuery struct {
	ClientID           int64               `url:"clientid,omitempty"`
	CountClientID      int64               `url:"client_id,omitempty"`
	Search             string              `url:"search_query,omitempty"`
	Domains            []string            `url:"domain,omitempty,brackets"`
	Methods            []string            `url:"method,omitempty,brackets"`
	ApplicationIDs     []int64             `url:"instance,omitempty,brackets"`
	Actual             Opt[bool]           `url:"actual,omitempty"`
	WithAttacks        Opt[bool]           `url:"with_attacks,omitempty"`
	WithVulns          Opt[bool]           `url:"with_vulns,omitempty"`
	Shadow             Opt[bool]           `url:"shadow,omitempty"`
	Internal           Opt[bool]           `url:"internal,omitempty"`
	HasBOLATrigger     Opt[bool]           `url:"bola_trigger_present,omitempty"`
	ModifiedSince      *int64              `url:"modification_since,omitempty"`
	ModificationStates []ModificationState `url:"modification_state,omitempty,brackets"`
	VulnThreats        []EndpointRisk      `url:"vuln_threat,omitempty,brackets"`
	Risks              []EndpointRisk      `url:"risk_level,omitempty,brackets"`
	CountRisks         []EndpointRisk      `url:"risk_score,omitempty,brackets"`
	APISpecIDs         []int64             `url:"api_spec_ids,omitempty,brackets"`
	EndpointIDs        []int64             `url:"endpoint_ids,omitempty,brackets"`
	PII                []PIIType           `url:"pii,omitempty,brackets"`
}

// endpointQuery is the query of the routes that take a filter.
type endpointQuery struct {
	Filter    endpointFilterQuery `url:"filter"`
	Limit     int                 `url:"limit,omitempty"`
	Offset    *int                `url:"offset,omitempty"`
	OrderBy   string              `url:"order_by[][name],omitempty"`
	Direction string              `url:"order_by[][direction],omitempty"`
}

// endpointColumns are the columns that a list of endpoints can be ordered by.
var endpointColumns = []string{
	"endpoint_path", "endpoint_domain", "hits_count", "endpoint_risk_score", "bola_search_started_trigger_id",
}

// query checks the filter and returns it as it travels, for the routes other than the count.
func (f *APIEndpointFilter) query(clientID int64) (endpointFilterQuery, error) {
	q := endpointFilterQuery{
		ClientID: clientID, Search: f.Search, Domains: f.Domains, Methods: f.Methods, ApplicationIDs: f.ApplicationIDs,
		Actual: f.Actual, WithAttacks: f.WithAttacks, WithVulns: f.WithVulns, Shadow: f.Shadow, Internal: f.Internal,
		HasBOLATrigger: f.HasBOLATrigger, ModificationStates: f.ModificationStates, VulnThreats: f.VulnThreats, Risks: f.Risks,
		APISpecIDs: f.APISpecIDs, EndpointIDs: f.EndpointIDs, PII: f.PII,
	}
	err := validateQueryFilter(*f)
	if err != nil {
		return q, err
	}
	if q.ModifiedSince, err = modifiedSince(f.ModifiedSince, f.ModificationStates); err != nil {
		return q, err
	}
	if err := positive("filter.api_spec_ids", f.APISpecIDs); err != nil {
		return q, err
	}
	return q, positive("filter.endpoint_ids", f.EndpointIDs)
}

// modifiedSince checks two conditions that the routes take only together.
func modifiedSince(since time.Time, states []ModificationState) (*int64, error) {
	switch {
	case since.IsZero() && len(states) > 0:
		return nil, invalid("filter.modification_since", "a modification state needs the time since when")
	case since.IsZero():
		return nil, nil
	case len(states) == 0:
		return nil, invalid("filter.modification_state", "a time of modification needs the states to look for")
	case since.Unix() < 0:
		return nil, invalid("filter.modification_since", "%v is before 1970", since)
	}
	seconds := since.Unix()
	return &seconds, nil
}

func positive(name string, ids []int64) error {
	for _, id := range ids {
		if id <= 0 {
			return invalid(name, "%d is not positive", id)
		}
	}
	return nil
}

// refused names a condition that is set though the route does not take it.
type refused struct {
	name string
	set  bool
}

func refuse(route string, conditions ...refused) error {
	for _, c := range conditions {
		if c.set {
			return invalid("filter."+c.name, "%s does not take it", route)
		}
	}
	return nil
}

// at returns the arguments of a call whose path begins with the client id.
func (s *APIDiscoveryService) at(ctx context.Context, opts []CallOption, path ...any) (args, error) {
	for _, value := range path {
		if _, err := pathSegment("id", value); err != nil {
			return args{}, err
		}
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	return args{path: append([]any{clientID}, path...)}, err
}

func (s *APIDiscoveryService) endpoints(filter APIEndpointFilter, opts []CallOption) *lister[APIEndpoint] {
	return &lister[APIEndpoint]{
		client: s.client, op: apiDiscoveryList, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(e *APIEndpoint) string { return idText(e.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			return s.listRequest(ctx, filter, page, opts)
		},
	}
}

func (s *APIDiscoveryService) listRequest(ctx context.Context, filter APIEndpointFilter, page PageOptions, opts []CallOption) (args, error) {
	if err := refuse("the list", refused{"endpoint_ids", len(filter.EndpointIDs) > 0}); err != nil {
		return args{}, err
	}
	if page.OrderBy != "" && !slices.Contains(endpointColumns, page.OrderBy) {
		return args{}, invalid("order", "endpoints are not ordered by %q", clip(page.OrderBy))
	}
	if page.OrderBy == "" && page.Order != DefaultOrder {
		return args{}, invalid("order", "a direction needs a column")
	}
	if _, err := filter.query(0); err != nil {
		return args{}, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return args{}, err
	}
	q := endpointQuery{Limit: page.Limit, Offset: &page.Offset, OrderBy: page.OrderBy}
	if q.OrderBy != "" {
		q.Direction = "asc"
		if page.Order == Descending {
			q.Direction = "desc"
		}
	}
	q.Filter, err = filter.query(clientID)
	return args{path: []any{clientID}, query: q}, err
}

// List returns one page of the endpoints that match filter.
//
// page.Limit is 100 by default and at most 1000. page.OrderBy takes endpoint_path, endpoint_domain, hits_count, endpoint_risk_score and
// bola_search_started_trigger_id; without it the order is the route's own.
//
// GET /v4/clients/{client_id}/rules/endpoints. The vendor documents the path only; its description draws the filter as a body, which this SDK
// writes into the query, since a body on GET does not survive every proxy. Replay class: read.
func (s *APIDiscoveryService) List(
	ctx context.Context, filter APIEndpointFilter, page PageOptions, opts ...CallOption,
) (*Page[APIEndpoint], error) {
	return s.endpoints(filter, opts).page(ctx, page)
}

// All iterates over the endpoints that match filter, in pages of 1000 unless [PageSize] says otherwise. See [APIDiscoveryService.List].
//
// GET /v4/clients/{client_id}/rules/endpoints. Replay class: read.
func (s *APIDiscoveryService) All(ctx context.Context, filter APIEndpointFilter, opts ...CallOption) iter.Seq2[APIEndpoint, error] {
	return s.endpoints(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *APIDiscoveryService) Pages(
	ctx context.Context, filter APIEndpointFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[APIEndpoint], error] {
	return s.endpoints(filter, opts).pages(ctx, start)
}

// Count counts the endpoints that match filter. Of the conditions it takes Search, Domains, Methods, ApplicationIDs, WithVulns,
// VulnThreats, Risks, PII, Internal and HasBOLATrigger, and refuses the others.
//
// GET /v4/clients/{client_id}/rules/endpoints/count. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) Count(ctx context.Context, filter APIEndpointFilter, opts ...CallOption) (int64, error) {
	err := refuse("the count",
		refused{"actual", !filter.Actual.IsZero()}, refused{"with_attacks", !filter.WithAttacks.IsZero()},
		refused{"shadow", !filter.Shadow.IsZero()}, refused{"modification_since", !filter.ModifiedSince.IsZero()},
		refused{"modification_state", len(filter.ModificationStates) > 0}, refused{"api_spec_ids", len(filter.APISpecIDs) > 0},
		refused{"endpoint_ids", len(filter.EndpointIDs) > 0})
	if err != nil {
		return 0, err
	}
	q, err := filter.query(0)
	if err != nil {
		return 0, err
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return 0, err
	}
	q.CountClientID = a.path[0].(int64)
	q.Risks, q.CountRisks = nil, q.Risks
	a.query = endpointQuery{Filter: q}
	n, err := get[int64](ctx, s.client, apiDiscoveryCount, a, opts)
	if err != nil {
		return 0, err
	}
	return *n, nil
}

// Get returns one endpoint with its risk factors. Orphan, DiscoveredAt, ChangedAt and RequestStats are in lists only.
//
// GET /v4/clients/{client_id}/rules/endpoints/{id}. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) Get(ctx context.Context, id int64, opts ...CallOption) (*APIEndpoint, error) {
	a, err := s.at(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	return get[APIEndpoint](ctx, s.client, apiDiscoveryGet, a, opts)
}

// NewAPIEndpoint is an endpoint to add by hand. All fields are required.
type NewAPIEndpoint struct {
	// Method is one of GET, POST, HEAD, PUT, DELETE, CONNECT, OPTIONS, TRACE and PATCH.
	Method string
	// URL is host and path with {placeholders}, without a scheme.
	URL        string
	Conditions []EndpointCondition
}

var endpointMethods = []string{"GET", "POST", "HEAD", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

func (e *NewAPIEndpoint) validate() error {
	switch {
	case !slices.Contains(endpointMethods, e.Method):
		return invalid("method", "%q is none of %v", clip(e.Method), endpointMethods)
	case e.URL == "":
		return invalid("url", "it is empty")
	case len(e.Conditions) == 0:
		return invalid("conditions", "there are none")
	}
	return validateConditions("conditions", e.Conditions)
}

// newAPIEndpoint is how a new endpoint travels: unlike everywhere else, the points of its conditions are drawn as lists of texts.
type newAPIEndpoint struct {
	Method     string                 `json:"method"`
	URL        string                 `json:"url"`
	Conditions []newEndpointCondition `json:"conditions"`
}

type newEndpointCondition struct {
	Type  EndpointConditionType `json:"type"`
	Value string                `json:"value"`
	Point []string              `json:"point"`
	Extra Extra                 `json:",embed"`
}

// Create adds an endpoint to the inventory by hand. Whether a second one for the same method and URL is refused is not known. An endpoint that
// sees no request for 30 days leaves the inventory.
//
// POST /v4/clients/{client_id}/rules/endpoints. Not documented by the vendor. Replay class: once.
func (s *APIDiscoveryService) Create(ctx context.Context, endpoint NewAPIEndpoint, opts ...CallOption) (*APIEndpoint, error) {
	if err := endpoint.validate(); err != nil {
		return nil, err
	}
	body := newAPIEndpoint{Method: endpoint.Method, URL: endpoint.URL}
	for _, c := range endpoint.Conditions {
		body.Conditions = append(body.Conditions, newEndpointCondition{c.Type, c.Value, c.Point.texts(), c.Extra})
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	a.body = body
	return get[APIEndpoint](ctx, s.client, apiDiscoveryCreate, a, opts)
}

// APIEndpointUpdate changes an endpoint. What is absent stays as it is.
type APIEndpointUpdate struct {
	// Actual says whether the endpoint is in use.
	Actual Opt[bool] `json:"actual,omitzero"`
}

// Update changes an endpoint and returns it.
//
// PUT /v4/clients/{client_id}/rules/endpoints/{id}. Not documented by the vendor. Replay class: idempotent.
func (s *APIDiscoveryService) Update(ctx context.Context, id int64, update APIEndpointUpdate, opts ...CallOption) (*APIEndpoint, error) {
	if _, set := update.Actual.Get(); !set {
		return nil, invalid("actual", "it is the only member of the update, and has no value")
	}
	a, err := s.at(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	a.body = update
	return get[APIEndpoint](ctx, s.client, apiDiscoveryUpdate, a, opts)
}

// Delete removes an endpoint from the inventory. One that is not there counts as removed; one that still sees requests may be discovered anew.
//
// DELETE /v4/clients/{client_id}/rules/endpoints/{id}. Not documented by the vendor. Replay class: idempotent.
func (s *APIDiscoveryService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	a, err := s.at(ctx, opts, id)
	if err != nil {
		return err
	}
	return remove(ctx, s.client, apiDiscoveryDelete, a, opts)
}

// RiskFactors returns the parts of an endpoint's risk score. It fails with [ErrNotFound] for an endpoint that has none yet, as for one that
// does not exist.
//
// GET /v4/clients/{client_id}/rules/endpoints/{id}/risk-factors. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) RiskFactors(ctx context.Context, id int64, opts ...CallOption) (*RiskFactors, error) {
	a, err := s.at(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	return get[RiskFactors](ctx, s.client, apiDiscoveryRiskFactors, a, opts)
}
