package wallarm

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// Nobody describes the answers of most graphs: what lies under "body" is handed over, or the whole answer if there is no such member.
var (
	statsAttacks         = operation{"stats.attacks", "POST", "/v2/graph_data/attacks/client/{client_id}", read, undescribed}
	statsIncidents       = operation{"stats.incidents", "POST", "/v2/graph_data/incidents/client/{client_id}", read, undescribed}
	statsVulns           = operation{"stats.vulns", "POST", "/v2/graph_data/vulns/client/{client_id}", read, undescribed}
	statsRequests        = operation{"stats.requests", "POST", "/v2/graph_data/requests/client/{client_id}", read, undescribed}
	statsRate            = operation{"stats.rate", "POST", "/v2/graph_data/rps/client/{client_id}", read, undescribed}
	statsNodeRate        = operation{"stats.node_rate", "POST", "/v2/graph_data/rps/node/{uuid}", read, undescribed}
	statsCloudNodeRate   = operation{"stats.cloud_node_rate", "POST", "/v2/graph_data/rps/cloud_node/{uuid}", read, undescribed}
	statsDenylistSize    = operation{"stats.denylist_size", "POST", "/v2/graph_data/blacklist_size/client/{client_id}/full", read, undescribed}
	statsTargets         = operation{"stats.targets", "POST", "/v2/graph_data/targets/total/client/{client_id}", read, undescribed}
	statsAttackTypes     = operation{"stats.attack_types", "POST", "/v2/graph_data/attack_types/total/client/{client_id}", read, undescribed}
	statsSources         = operation{"stats.sources", "POST", "/v2/graph_data/attacks_stats/total/client/{client_id}", read, undescribed}
	statsMonth           = operation{"stats.month", "POST", "/v2/graph_data/summary/monthly/total/client/{client_id}", read, inBody}
	statsMonthlyRequests = operation{"stats.monthly_requests", "POST", "/v2/graph_data/summary/rpm/client/{client_id}", read, inBody}
)

const undescribed = wire.Envelope("body?")

// StatsService reads graphs, counters and dashboards, and turns search phrases into filters.
//
// All of it is experimental: the vendor documents none of these routes, and they are known from the Console's API description or from a client
// of 2021. Where nobody describes the answer, a method returns it as it came.
type StatsService service

// Interpolation says how the points of a graph are joined. New values may appear.
type Interpolation string

const (
	// InterpolationCoarse is the API's default.
	InterpolationCoarse Interpolation = "coarse"
	InterpolationLinear Interpolation = "linear"
)

// ThreatLevel is a threat as a graph knows it. New values may appear. Which numbers of Vuln.Threat belong to which is not documented.
type ThreatLevel string

const (
	ThreatLow    ThreatLevel = "low"
	ThreatMedium ThreatLevel = "medium"
	ThreatHigh   ThreatLevel = "high"
)

// GraphRequest says which part of a graph over time to read.
type GraphRequest struct {
	// From and To are the ends of the time. Both are required, and From comes first.
	From, To time.Time
	// Points is the number of points, at least 1.
	Points int
	// Interpolation is coarse by default. [StatsService.DenylistSize] takes none.
	Interpolation Interpolation
	// Threat narrows [StatsService.Vulns]; the other graphs take none.
	Threat ThreatLevel
}

// graphBody is the body of the graphs and totals.
type graphBody struct {
	From          Timestamp     `json:"start_time"`
	To            Timestamp     `json:"end_time"`
	Points        int           `json:"points_count,omitzero"`
	Interpolation Interpolation `json:"interpolation,omitzero"`
	Threat        ThreatLevel   `json:"threat,omitzero"`
	ApplicationID Opt[int64]    `json:"poolid,omitzero"`
}

func newGraphBody(from, to time.Time) (graphBody, error) {
	switch {
	case from.IsZero() || to.IsZero():
		return graphBody{}, invalid("period", "both ends are required")
	case to.Before(from):
		return graphBody{}, invalid("period", "it ends (%s) before it begins (%s)", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return graphBody{From: At(from), To: At(to)}, nil
}

func (g *GraphRequest) body(op operation) (graphBody, error) {
	body, err := newGraphBody(g.From, g.To)
	switch {
	case err != nil:
		return body, err
	case g.Points < 1:
		return body, invalid("graph.points", "%d is less than 1", g.Points)
	case g.Threat != "" && op != statsVulns:
		return body, invalid("graph.threat", "%s takes none", op.name)
	case g.Interpolation != "" && op == statsDenylistSize:
		return body, invalid("graph.interpolation", "%s takes none", op.name)
	}
	body.Points, body.Interpolation, body.Threat = g.Points, g.Interpolation, g.Threat
	return body, nil
}

// graph reads a graph of the client (tenant).
func (s *StatsService) graph(ctx context.Context, op operation, graph GraphRequest, opts []CallOption) (RawJSON, error) {
	body, err := graph.body(op)
	if err != nil {
		return nil, err
	}
	return ofClient[RawJSON](ctx, s.client, op, args{body: body}, opts)
}

// ofClient is do for an operation whose path names the client (tenant).
func ofClient[T any](ctx context.Context, c *Client, op operation, a args, opts []CallOption) (out T, err error) {
	id, err := c.ClientID(ctx, opts...)
	if err != nil {
		return out, err
	}
	a.path = []any{id}
	return do[T](ctx, c, op, a, opts)
}

// oneOfClient is get for an operation whose path names the client (tenant).
func oneOfClient[T any](ctx context.Context, c *Client, op operation, a args, opts []CallOption) (*T, error) {
	id, err := c.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	a.path = []any{id}
	return get[T](ctx, c, op, a, opts)
}

// Attacks returns the number of attacks over time. Experimental: the answer is not described anywhere.
//
// POST /v2/graph_data/attacks/client/{client_id}, known from the Console's API description only. Replay class: read.
func (s *StatsService) Attacks(ctx context.Context, graph GraphRequest, opts ...CallOption) (RawJSON, error) {
	return s.graph(ctx, statsAttacks, graph, opts)
}

// Incidents returns the number of incidents over time. Experimental: the answer is not described anywhere.
//
// POST /v2/graph_data/incidents/client/{client_id}, known from the Console's API description only. Replay class: read.
func (s *StatsService) Incidents(ctx context.Context, graph GraphRequest, opts ...CallOption) (RawJSON, error) {
	return s.graph(ctx, statsIncidents, graph, opts)
}

// Vulns returns the number of vulnerabilities over time, of one threat level if graph.Threat is set. Experimental: the answer is not described
// anywhere.
//
// POST /v2/graph_data/vulns/client/{client_id}, known from the Console's API description only. Replay class: read.
func (s *StatsService) Vulns(ctx context.Context, graph GraphRequest, opts ...CallOption) (RawJSON, error) {
	return s.graph(ctx, statsVulns, graph, opts)
}

// Requests returns the number of requests over time. Experimental: the answer is not described anywhere.
//
// POST /v2/graph_data/requests/client/{client_id}, known from the Console's API description only. Replay class: read.
func (s *StatsService) Requests(ctx context.Context, graph GraphRequest, opts ...CallOption) (RawJSON, error) {
	return s.graph(ctx, statsRequests, graph, opts)
}

// Rate returns the requests per second over time. Experimental: the answer is not described anywhere.
//
// POST /v2/graph_data/rps/client/{client_id}, known from a client of 2021 and, by one account, from the Console's API description. Replay
// class: read.
func (s *StatsService) Rate(ctx context.Context, graph GraphRequest, opts ...CallOption) (RawJSON, error) {
	return s.graph(ctx, statsRate, graph, opts)
}

// DenylistSize returns the size of the denylist over time. Experimental: the answer is not described anywhere.
//
// POST /v2/graph_data/blacklist_size/client/{client_id}/full, known from a client of 2021 only. Replay class: read.
func (s *StatsService) DenylistSize(ctx context.Context, graph GraphRequest, opts ...CallOption) (RawJSON, error) {
	return s.graph(ctx, statsDenylistSize, graph, opts)
}

// NodeRate returns the requests per second of a filter node over time. The node goes by its UUID. Experimental: the answer is not described
// anywhere.
//
// POST /v2/graph_data/rps/node/{uuid}, known from the Console's API description only. Replay class: read.
func (s *StatsService) NodeRate(ctx context.Context, uuid string, graph GraphRequest, opts ...CallOption) (RawJSON, error) {
	return s.nodeGraph(ctx, statsNodeRate, uuid, graph, opts)
}

// CloudNodeRate is NodeRate for a cloud node.
//
// POST /v2/graph_data/rps/cloud_node/{uuid}, known from the Console's API description only. Replay class: read.
func (s *StatsService) CloudNodeRate(ctx context.Context, uuid string, graph GraphRequest, opts ...CallOption) (RawJSON, error) {
	return s.nodeGraph(ctx, statsCloudNodeRate, uuid, graph, opts)
}

func (s *StatsService) nodeGraph(ctx context.Context, op operation, uuid string, graph GraphRequest, opts []CallOption) (RawJSON, error) {
	body, err := graph.body(op)
	if err != nil {
		return nil, err
	}
	return do[RawJSON](ctx, s.client, op, args{path: []any{uuid}, body: body}, opts)
}

// Targets returns the numbers of attacks and incidents by target. Experimental: the answer is not described anywhere.
//
// POST /v2/graph_data/targets/total/client/{client_id}, known from a client of 2021 and the Console's API description. Replay class: read.
func (s *StatsService) Targets(ctx context.Context, from, to time.Time, opts ...CallOption) (RawJSON, error) {
	body, err := newGraphBody(from, to)
	if err != nil {
		return nil, err
	}
	return ofClient[RawJSON](ctx, s.client, statsTargets, args{body: body}, opts)
}

// AttackTypes returns the numbers of attacks by type, of all applications if application is absent; -1 is the default one. Experimental: the
// answer is not described anywhere.
//
// POST /v2/graph_data/attack_types/total/client/{client_id}, known from the Console's API description only. Replay class: read.
func (s *StatsService) AttackTypes(ctx context.Context, from, to time.Time, application Opt[int64], opts ...CallOption) (RawJSON, error) {
	body, err := newGraphBody(from, to)
	if err != nil {
		return nil, err
	}
	body.ApplicationID = application
	return ofClient[RawJSON](ctx, s.client, statsAttackTypes, args{body: body}, opts)
}

// SourceField is a property of the source of attacks. New values may appear.
type SourceField string

const (
	SourceCountries   SourceField = "countries"
	SourceDatacenters SourceField = "datacenters"
	SourceTors        SourceField = "tors"
)

// sourcesBody is the body of Sources.
type sourcesBody struct {
	Categories []string      `json:"request_categories"`
	Fields     []SourceField `json:"fields"`
	From       Timestamp     `json:"start_time"`
	To         Timestamp     `json:"end_time"`
}

// Sources returns the numbers of attacks by properties of their sources: by all that are known if fields is empty. Experimental: the answer is
// not described anywhere.
//
// POST /v2/graph_data/attacks_stats/total/client/{client_id}, known from a client of 2021 and, by one account, from the Console's API
// description. Replay class: read.
func (s *StatsService) Sources(ctx context.Context, from, to time.Time, fields []SourceField, opts ...CallOption) (RawJSON, error) {
	period, err := newGraphBody(from, to)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		fields = []SourceField{SourceCountries, SourceDatacenters, SourceTors}
	}
	body := sourcesBody{[]string{"attacks"}, fields, period.From, period.To}
	return ofClient[RawJSON](ctx, s.client, statsSources, args{body: body}, opts)
}

// MonthSummary is the totals of a month.
type MonthSummary struct {
	Requests       int64 `json:"requests_count"`
	Attacks        int64 `json:"attacks_count"`
	BlockedAttacks int64 `json:"blocked_attacks_count"`
	Extra          Extra `json:",embed"`
}

// MarshalJSON writes the summary: the members with a value, and all that no field is for.
func (m MonthSummary) MarshalJSON() ([]byte, error) {
	type plain MonthSummary
	return wire.MarshalEcho(plain(m))
}

// UnmarshalJSON reads a summary and keeps unknown members.
func (m *MonthSummary) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, m) }

// UnmarshalJSONFrom reads a summary and keeps unknown members.
func (m *MonthSummary) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain MonthSummary
	return wire.UnmarshalDecode(d, (*plain)(m))
}

// monthBody is the body of Month.
type monthBody struct {
	Year  int        `json:"year"`
	Month time.Month `json:"month"`
}

// Month returns the totals of a month. Experimental.
//
// POST /v2/graph_data/summary/monthly/total/client/{client_id}, known from a client of 2021 only. Replay class: read.
func (s *StatsService) Month(ctx context.Context, year int, month time.Month, opts ...CallOption) (*MonthSummary, error) {
	switch {
	case year < 1:
		return nil, invalid("year", "%d is none", year)
	case month < time.January || month > time.December:
		return nil, invalid("month", "%d is not between 1 and 12", int(month))
	}
	return oneOfClient[MonthSummary](ctx, s.client, statsMonth, args{body: monthBody{year, month}}, opts)
}

// MonthlyRequests is the traffic of a month.
type MonthlyRequests struct {
	Year     int        `json:"year"`
	Month    time.Month `json:"month"`
	Requests int64      `json:"requests_count"`
	// Rate is the average of requests per second.
	Rate  float64 `json:"rps"`
	Extra Extra   `json:",embed"`
}

// MarshalJSON writes the traffic: the members with a value, and all that no field is for.
func (m MonthlyRequests) MarshalJSON() ([]byte, error) {
	type plain MonthlyRequests
	return wire.MarshalEcho(plain(m))
}

// UnmarshalJSON reads the traffic of a month and keeps unknown members.
func (m *MonthlyRequests) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, m) }

// UnmarshalJSONFrom reads the traffic of a month and keeps unknown members.
func (m *MonthlyRequests) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain MonthlyRequests
	return wire.UnmarshalDecode(d, (*plain)(m))
}

// MonthlyRequests returns the number of requests by month. Experimental.
//
// POST /v2/graph_data/summary/rpm/client/{client_id} without a body, known from the Console's API description only. Replay class: read.
func (s *StatsService) MonthlyRequests(ctx context.Context, opts ...CallOption) ([]MonthlyRequests, error) {
	return ofClient[[]MonthlyRequests](ctx, s.client, statsMonthlyRequests, args{}, opts)
}
