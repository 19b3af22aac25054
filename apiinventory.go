package wallarm

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	apiDiscoveryMethods       = operation{"apidiscovery.methods", "GET", "/v4/clients/{client_id}/rules/endpoints/methods", read, inBody}
	apiDiscoveryDomains       = operation{"apidiscovery.domains", "GET", "/v4/clients/{client_id}/rules/endpoints/domains", read, inBody}
	apiDiscoveryTree          = operation{"apidiscovery.tree", "GET", "/v4/clients/{client_id}/rules/endpoints/tree", read, inBody}
	apiDiscoveryStats         = operation{"apidiscovery.stats", "GET", "/v4/clients/{client_id}/rules/endpoints/stats/common", read, inBody}
	apiDiscoveryChanges       = operation{"apidiscovery.changes", "GET", "/v4/clients/{client_id}/rules/endpoints/stats/changes", read, inBody}
	apiDiscoveryExportCSV     = operation{"apidiscovery.export_csv", "GET", "/v4/clients/{client_id}/rules/endpoints/csv", read, stream}
	apiDiscoveryExportOpenAPI = operation{"apidiscovery.export_openapi", "GET", "/v4/clients/{client_id}/rules/swagger", read, stream}
)

// EndpointGroup is a group of endpoints: those with one HTTP method, or on one host.
type EndpointGroup struct {
	Name     string              `json:"name"`
	Internal bool                `json:"internal"`
	Filter   EndpointGroupFilter `json:"filter"`
	Extra    Extra               `json:",embed"`
	// bare: it came as a name alone.
	bare bool
}

// MarshalJSON writes the group: the members with a value, and all that no field is for.
func (g EndpointGroup) MarshalJSON() ([]byte, error) {
	type plain EndpointGroup
	if g.bare {
		return wire.MarshalEcho(g.Name)
	}
	return wire.MarshalEcho(plain(g))
}

// UnmarshalJSON reads a group and keeps unknown members.
func (g *EndpointGroup) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, g) }

// UnmarshalJSONFrom reads a group, or its bare name.
func (g *EndpointGroup) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain EndpointGroup
	if d.PeekKind() == '"' {
		g.bare = true
		return wire.UnmarshalDecode(d, &g.Name)
	}
	return wire.UnmarshalDecode(d, (*plain)(g))
}

// EndpointGroupFilter selects the endpoints of a group.
type EndpointGroupFilter struct {
	Method string `json:"method,omitempty"`
	// ApplicationID is nil if the group does not belong to one application.
	ApplicationID *int64 `json:"instance,omitzero"`
	Domain        string `json:"domain,omitempty"`
	Extra         Extra  `json:",embed"`
}

// Within returns filter narrowed to the endpoints of the group.
func (g EndpointGroupFilter) Within(filter APIEndpointFilter) APIEndpointFilter {
	if g.Method != "" {
		filter.Methods = []string{g.Method}
	}
	if g.ApplicationID != nil {
		filter.ApplicationIDs = []int64{*g.ApplicationID}
	}
	if g.Domain != "" {
		filter.Domains = []string{g.Domain}
	}
	return filter
}

// EndpointNode is a node of the tree of endpoints: an application, a host of it, or a method there.
type EndpointNode struct {
	Name   string              `json:"name"`
	Anchor string              `json:"anchor"`
	Filter EndpointGroupFilter `json:"filter"`
	Nested []EndpointNode      `json:"nested"`
	Extra  Extra               `json:",embed"`
}

// MarshalJSON writes the node: the members with a value, and all that no field is for.
func (n EndpointNode) MarshalJSON() ([]byte, error) {
	type plain EndpointNode
	return wire.MarshalEcho(plain(n))
}

// UnmarshalJSON reads a node and keeps unknown members.
func (n *EndpointNode) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, n) }

// UnmarshalJSONFrom reads a node and keeps unknown members.
func (n *EndpointNode) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain EndpointNode
	return wire.UnmarshalDecode(d, (*plain)(n))
}

// EndpointStats counts the endpoints of the inventory.
type EndpointStats struct {
	Total      int64 `json:"total"`
	Internal   int64 `json:"internal"`
	External   int64 `json:"external"`
	HighRisk   int64 `json:"high_risk_score"`
	MediumRisk int64 `json:"medium_risk_score"`
	LowRisk    int64 `json:"low_risk_score"`
	// The lists hold what has the most endpoints.
	TopApplications []EndpointCount `json:"top_applications"`
	TopDomains      []EndpointCount `json:"top_domains"`
	TopPII          []EndpointCount `json:"top_piis"`
	TopPIIGroups    []EndpointCount `json:"top_pii_groups"`
	Extra           Extra           `json:",embed"`
}

// MarshalJSON writes the statistics: the members with a value, and all that no field is for.
func (s EndpointStats) MarshalJSON() ([]byte, error) {
	type plain EndpointStats
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads statistics and keeps unknown members.
func (s *EndpointStats) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads statistics and keeps unknown members.
func (s *EndpointStats) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain EndpointStats
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// EndpointCount is a number of endpoints, and what they have in common: one of the other fields, by the list that it stands in.
type EndpointCount struct {
	// Application is the id of an application as a text.
	Application string  `json:"application,omitempty"`
	Domain      string  `json:"domain,omitempty"`
	PII         PIIType `json:"pii,omitempty"`
	PIIGroup    string  `json:"pii_group,omitempty"`
	Count       int64   `json:"count"`
	Extra       Extra   `json:",embed"`
}

// EndpointChanges counts what happened to the inventory since some time.
type EndpointChanges struct {
	New      int64 `json:"new"`
	Changed  int64 `json:"changed"`
	Outdated int64 `json:"outdated"`
	Extra    Extra `json:",embed"`
}

// MarshalJSON writes the counts: the members with a value, and all that no field is for.
func (c EndpointChanges) MarshalJSON() ([]byte, error) {
	type plain EndpointChanges
	return wire.MarshalEcho(plain(c))
}

// UnmarshalJSON reads counts and keeps unknown members.
func (c *EndpointChanges) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads counts and keeps unknown members.
func (c *EndpointChanges) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain EndpointChanges
	return wire.UnmarshalDecode(d, (*plain)(c))
}

// Methods returns the HTTP methods that the endpoints of the inventory have.
//
// GET /v4/clients/{client_id}/rules/endpoints/methods. Not documented by the vendor; bare names are understood too. Replay class: read.
func (s *APIDiscoveryService) Methods(ctx context.Context, opts ...CallOption) ([]EndpointGroup, error) {
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	return do[[]EndpointGroup](ctx, s.client, apiDiscoveryMethods, a, opts)
}

// Domains returns the hosts of the endpoints of the inventory, in the applications given; nil is all of them. A list that is empty but not nil is
// refused: whoever computed it means none.
//
// GET /v4/clients/{client_id}/rules/endpoints/domains. Not documented by the vendor; bare names are understood too. Replay class: read.
func (s *APIDiscoveryService) Domains(ctx context.Context, applicationIDs []int64, opts ...CallOption) ([]EndpointGroup, error) {
	if applicationIDs != nil && len(applicationIDs) == 0 {
		return nil, invalid("application id", "the list is empty; leave it nil for all applications")
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	a.query = struct {
		ApplicationIDs []int64 `url:"instances,omitempty,brackets"`
	}{applicationIDs}
	return do[[]EndpointGroup](ctx, s.client, apiDiscoveryDomains, a, opts)
}

// Tree returns the endpoints as a tree of applications, their hosts, and the methods there. internal, if set, selects internal or external
// endpoints.
//
// GET /v4/clients/{client_id}/rules/endpoints/tree. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) Tree(ctx context.Context, internal Opt[bool], opts ...CallOption) ([]EndpointNode, error) {
	if internal.IsNull() {
		return nil, invalid("internal", "it is null")
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	a.query = endpointQuery{Filter: endpointFilterQuery{Internal: internal}}
	return do[[]EndpointNode](ctx, s.client, apiDiscoveryTree, a, opts)
}

// Stats returns the statistics of the inventory.
//
// GET /v4/clients/{client_id}/rules/endpoints/stats/common. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) Stats(ctx context.Context, opts ...CallOption) (*EndpointStats, error) {
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	return get[EndpointStats](ctx, s.client, apiDiscoveryStats, a, opts)
}

// Changes counts the endpoints that are new, changed and outdated since a time, which is cut to seconds.
//
// GET /v4/clients/{client_id}/rules/endpoints/stats/changes. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) Changes(ctx context.Context, since time.Time, opts ...CallOption) (*EndpointChanges, error) {
	if since.IsZero() || since.Unix() < 0 {
		return nil, invalid("since", "want a time after 1970")
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	a.query = struct {
		Since int64 `url:"modification_since"`
	}{since.Unix()}
	return get[EndpointChanges](ctx, s.client, apiDiscoveryChanges, a, opts)
}

// ExportCSV downloads the endpoints that match filter as a CSV file. The caller closes it. The columns are not described.
//
// GET /v4/clients/{client_id}/rules/endpoints/csv. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) ExportCSV(ctx context.Context, filter APIEndpointFilter, opts ...CallOption) (*Download, error) {
	if err := refuse("the CSV export", refused{"endpoint_ids", len(filter.EndpointIDs) > 0}); err != nil {
		return nil, err
	}
	return s.export(ctx, apiDiscoveryExportCSV, filter, opts)
}

// ExportOpenAPI downloads the endpoints that match filter as an OpenAPI description. The caller closes it. It takes EndpointIDs, and
// refuses Actual, WithVulns and VulnThreats. If nothing matches, it fails with [ErrNotFound].
//
// GET /v4/clients/{client_id}/rules/swagger. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) ExportOpenAPI(ctx context.Context, filter APIEndpointFilter, opts ...CallOption) (*Download, error) {
	err := refuse("the OpenAPI export", refused{"actual", !filter.Actual.IsZero()},
		refused{"with_vulns", !filter.WithVulns.IsZero()}, refused{"vuln_threat", len(filter.VulnThreats) > 0})
	if err != nil {
		return nil, err
	}
	return s.export(ctx, apiDiscoveryExportOpenAPI, filter, opts)
}

func (s *APIDiscoveryService) export(ctx context.Context, op operation, filter APIEndpointFilter, opts []CallOption) (*Download, error) {
	if _, err := filter.query(0); err != nil {
		return nil, err
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	var q endpointQuery
	if q.Filter, err = filter.query(a.path[0].(int64)); err != nil {
		return nil, err
	}
	a.query = q
	return download(ctx, s.client, op, a, opts)
}
