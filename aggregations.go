package wallarm

import (
	"context"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	attacksHitCount = operation{"attacks.hit_count", "POST", "/v1/objects/attack/hit_count", read, anywhere}
	attacksIPCount  = operation{"attacks.ip_count", "POST", "/v1/objects/attack/ip_count", read, anywhere}
	attacksTerms    = operation{"attacks.terms", "POST", "/v1/objects/attack/aggs_terms", read, inBody}

	hitsTerms             = operation{"hits.terms", "POST", "/v1/objects/hit/aggs_terms", read, anywhere}
	hitsTermCounts        = operation{"hits.term_counts", "POST", "/v1/objects/hit/aggs_term_counts", read, anywhere}
	hitsDistinct          = operation{"hits.distinct", "GET", "/v1/objects/hit/aggs_counts", read, anywhere}
	hitsCompromisedLogins = operation{"hits.compromised_logins", "POST", "/v1/objects/hit/compromised_logins/csv", read, stream}
	hitsMitigations       = operation{"hits.mitigations", "GET", "/v1/objects/hit/mitigations/stats", read, anywhere}
	hitsSummary           = operation{"hits.summary", "POST", "/v2/hits/summary", read, anywhere}
	hitsSampling          = operation{"hits.sampling", "GET", "/v2/client/{client_id}/hits_sampling_status", read, anywhere}
	hitsDropped           = operation{"hits.dropped", "GET", "/v2/client/{client_id}/dropped_raw_hits/{request_id}", read, anywhere}
)

// Term is a column whose values can be listed and counted. New ones may appear.
type Term string

// The terms of hits. Which of them the attack routes take is not documented.
const (
	TermAttackID         Term = "attack_id"
	TermAttackIndex      Term = "attack_index"
	TermClientID         Term = "clientid"
	TermDomain           Term = "domain"
	TermImpression       Term = "impression"
	TermMethod           Term = "method"
	TermParameter        Term = "parameter"
	TermPath             Term = "path"
	TermPoint            Term = "point"
	TermApplicationID    Term = "poolid"
	TermCountry          Term = "remote_country"
	TermRemotePort       Term = "remote_port"
	TermIPv4             Term = "remote_addr4"
	TermIPv6             Term = "remote_addr6"
	TermDatacenter       Term = "datacenter"
	TermTor              Term = "tor"
	TermProxyType        Term = "proxy_type"
	TermResponseStatus   Term = "response_status"
	TermStamps           Term = "stamps"
	TermRegex            Term = "regex"
	TermType             Term = "type"
	TermVulnID           Term = "vulnid"
	TermExperimental     Term = "experimental"
	TermWallarmScanner   Term = "wallarm_scanner"
	TermBlockStatus      Term = "block_status"
	TermState            Term = "state"
	TermStateUpdatedBy   Term = "state_updated_by"
	TermRulesetVersion   Term = "lom_id"
	TermMode             Term = "wallarm_mode"
	TermFinalMode        Term = "final_wallarm_mode"
	TermLibproton        Term = "libproton_version"
	TermBOLACounter      Term = "bola_counter"
	TermDirbustCounter   Term = "dirbust_counter"
	TermKnownAttack      Term = "known_attack"
	TermKnownFalse       Term = "known_false"
	TermProtocol         Term = "protocol"
	TermAuthProtocol     Term = "auth_protocol"
	TermEndpointID       Term = "endpoint_id"
	TermNodeUUID         Term = "node_uuid"
	TermCompromisedLogin Term = "compromised_logins"
	TermStatusCode       Term = "statuscode"
)

// checkTerms refuses an empty list of terms.
func checkTerms(terms []Term) error {
	if len(terms) == 0 {
		return invalid("terms", "there are none")
	}
	for _, term := range terms {
		if strings.Trim(string(term), "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || term == "" {
			return invalid("terms", "%q is none", clip(string(term)))
		}
	}
	return nil
}

// TermValue is one value of a term: a text, a number, a boolean or null, or something that no source describes.
type TermValue struct{ raw RawJSON }

// String returns a text as it is, "" for null, and anything else as JSON.
func (v TermValue) String() string {
	switch v.raw.Kind() {
	case '"':
		var s string
		if wire.Unmarshal(v.raw, &s) == nil {
			return s
		}
	case 'n':
		return ""
	}
	return string(v.raw)
}

// Int returns the value as a whole number, if it is one or a text that reads as one.
func (v TermValue) Int() (int64, bool) {
	n, err := wire.ParseInt(v.String())
	return n, err == nil
}

// IsNull reports whether the value is null: hits that have none.
func (v TermValue) IsNull() bool { return len(v.raw) == 0 || v.raw.Kind() == 'n' }

// Raw returns the value as it came.
func (v TermValue) Raw() RawJSON { return v.raw }

// MarshalJSONTo writes the value as it came.
func (v TermValue) MarshalJSONTo(e *jsontext.Encoder) error {
	if len(v.raw) == 0 {
		return e.WriteToken(jsontext.Null)
	}
	return e.WriteValue(v.raw)
}

// UnmarshalJSONFrom reads any value.
func (v *TermValue) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	raw, err := d.ReadValue()
	v.raw = raw.Clone()
	return err
}

// MarshalJSON writes the value as it came.
func (v TermValue) MarshalJSON() ([]byte, error) { return wire.MarshalEcho(v) }

// UnmarshalJSON reads any value.
func (v *TermValue) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, v) }

// Graph is a line of points over time. The points divide the time of the filter evenly.
type Graph struct {
	// All counts everything, Filtered what the filter selects. Only All is known if the answer told one line.
	All      []int64 `json:"all"`
	Filtered []int64 `json:"filtered"`
	Extra    Extra   `json:",embed"`
	// single says that the answer was one list.
	single bool
}

// MarshalJSON writes the form that the graph was read from.
func (g Graph) MarshalJSON() ([]byte, error) {
	if g.single {
		return wire.MarshalEcho(g.All)
	}
	type plain Graph
	return wire.MarshalEcho(plain(g))
}

// UnmarshalJSON reads either form.
func (g *Graph) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, g) }

// UnmarshalJSONFrom reads a list, or an object with the lists all and filtered.
func (g *Graph) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*g = Graph{}
	if d.PeekKind() == '[' {
		g.single = true
		return wire.UnmarshalDecode(d, &g.All)
	}
	type plain Graph
	return wire.UnmarshalDecode(d, (*plain)(g))
}

// attackBody is the body of the attack routes that take more than a filter.
type attackBody struct {
	Filter AttackFilter `json:"filter"`
	Points int          `json:"points,omitzero"`
	Terms  []Term       `json:"terms,omitzero"`
}

// HitGraph returns how many hits the attacks that match filter had over the time of the filter, as that many points.
//
// POST /v1/objects/attack/hit_count, known from an old client and not documented by the vendor. Replay class: read.
func (s *AttacksService) HitGraph(ctx context.Context, filter AttackFilter, points int, opts ...CallOption) (*Graph, error) {
	return s.graph(ctx, attacksHitCount, filter, points, opts)
}

// IPGraph returns from how many addresses the attacks that match filter came over the time of the filter, as that many points. The filter
// must have Time and AttackIDs.
//
// POST /v1/objects/attack/ip_count, not documented by the vendor. Replay class: read.
func (s *AttacksService) IPGraph(ctx context.Context, filter AttackFilter, points int, opts ...CallOption) (*Graph, error) {
	switch {
	case filter.Time.IsZero():
		return nil, invalid("filter.time", "this call needs one")
	case len(filter.AttackIDs) == 0:
		return nil, invalid("filter.attackid", "this call needs one")
	}
	return s.graph(ctx, attacksIPCount, filter, points, opts)
}

func (s *AttacksService) graph(ctx context.Context, op operation, filter AttackFilter, points int, opts []CallOption) (*Graph, error) {
	if points <= 0 {
		return nil, invalid("points", "%d is not positive", points)
	}
	f, err := filter.prepared(ctx, s.client, opts)
	if err != nil {
		return nil, err
	}
	return get[Graph](ctx, s.client, op, args{body: attackBody{Filter: f, Points: points}}, opts)
}

// Terms returns the distinct values that the attacks that match filter have in the columns terms.
//
// POST /v1/objects/attack/aggs_terms; the vendor's documentation names the path only. Replay class: read.
func (s *AttacksService) Terms(ctx context.Context, filter AttackFilter, terms []Term, opts ...CallOption) (map[Term][]TermValue, error) {
	if err := checkTerms(terms); err != nil {
		return nil, err
	}
	f, err := filter.prepared(ctx, s.client, opts)
	if err != nil {
		return nil, err
	}
	return do[map[Term][]TermValue](ctx, s.client, attacksTerms, args{body: attackBody{Filter: f, Terms: terms}}, opts)
}

// Terms returns the distinct values that the hits that match filter have in the columns terms.
//
// POST /v1/objects/hit/aggs_terms, not documented by the vendor. Replay class: read.
func (s *HitsService) Terms(ctx context.Context, filter HitFilter, terms []Term, opts ...CallOption) (map[Term][]TermValue, error) {
	if err := checkTerms(terms); err != nil {
		return nil, err
	}
	return hitQuery[map[Term][]TermValue](ctx, s.client, hitsTerms, filter, hitBody{Terms: terms}, opts)
}

// ValueCounts are the values of a term, each with the number of its hits, in whatever form they came.
type ValueCounts struct{ raw RawJSON }

// Map returns the number of hits by value, if the form is known: an object of numbers, or a list of objects with a key or value and a count.
func (c ValueCounts) Map() (map[string]int64, bool) {
	var counts map[string]int64
	if c.raw.Kind() == '{' {
		err := wire.Unmarshal(c.raw, &counts)
		return counts, err == nil
	}
	var list []struct {
		Key   TermValue `json:"key"`
		Value TermValue `json:"value"`
		Count *int64    `json:"count"`
	}
	if c.raw.Kind() != '[' || wire.Unmarshal(c.raw, &list) != nil {
		return nil, false
	}
	counts = make(map[string]int64, len(list))
	for _, entry := range list {
		name := entry.Key
		if name.IsNull() {
			name = entry.Value
		}
		if entry.Count == nil {
			return nil, false
		}
		counts[name.String()] += *entry.Count
	}
	return counts, true
}

// Raw returns the counts as they came.
func (c ValueCounts) Raw() RawJSON { return c.raw }

// MarshalJSONTo writes the counts as they came.
func (c ValueCounts) MarshalJSONTo(e *jsontext.Encoder) error { return TermValue(c).MarshalJSONTo(e) }

// UnmarshalJSONFrom reads any form.
func (c *ValueCounts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return (*TermValue)(c).UnmarshalJSONFrom(d)
}

// MarshalJSON writes the counts as they came.
func (c ValueCounts) MarshalJSON() ([]byte, error) { return wire.MarshalEcho(c) }

// UnmarshalJSON reads any form.
func (c *ValueCounts) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// TermCounts returns, for each of terms, the top values of the hits that match filter and how many hits have them. No source describes the
// form of the answer below the terms; see [ValueCounts].
//
// POST /v1/objects/hit/aggs_term_counts, not documented by the vendor. Replay class: read.
func (s *HitsService) TermCounts(ctx context.Context, filter HitFilter, terms []Term, top int, opts ...CallOption) (map[Term]ValueCounts, error) {
	if err := checkTerms(terms); err != nil {
		return nil, err
	}
	if top <= 0 {
		return nil, invalid("top", "%d is not positive", top)
	}
	return hitQuery[map[Term]ValueCounts](ctx, s.client, hitsTermCounts, filter, hitBody{Terms: terms, Top: top}, opts)
}

// hitStatsQuery is the query of the hit statistics that are read with GET.
type hitStatsQuery struct {
	ClientID int64  `url:"client_id"`
	Terms    string `url:"terms,omitempty"`
	Start    int64  `url:"start_time,omitempty"`
	End      int64  `url:"end_time,omitempty"`
}

func (s *HitsService) statsQuery(ctx context.Context, span TimeRange, terms []Term, opts []CallOption) (hitStatsQuery, error) {
	var q hitStatsQuery
	if err := span.validate("time"); err != nil {
		return q, err
	}
	spans := span.spans()
	if len(spans) > 1 {
		return q, invalid("time", "this call takes one range")
	}
	for _, one := range spans {
		if !one.From.IsZero() {
			q.Start = one.From.Unix()
		}
		if !one.To.IsZero() {
			q.End = one.To.Unix()
		}
	}
	names := make([]string, len(terms))
	for i, term := range terms {
		names[i] = string(term)
	}
	q.Terms = strings.Join(names, ",")
	var err error
	q.ClientID, err = s.client.ClientID(ctx, opts...)
	return q, err
}

// Distinct returns how many distinct values the hits within span have in each of the columns terms. How the route wants several terms is not
// known; they travel joined by commas.
//
// GET /v1/objects/hit/aggs_counts, not documented by the vendor. Replay class: read.
func (s *HitsService) Distinct(ctx context.Context, span TimeRange, terms []Term, opts ...CallOption) (map[Term]int64, error) {
	if err := checkTerms(terms); err != nil {
		return nil, err
	}
	q, err := s.statsQuery(ctx, span, terms, opts)
	if err != nil {
		return nil, err
	}
	return do[map[Term]int64](ctx, s.client, hitsDistinct, args{query: q}, opts)
}

// CompromisedLogins downloads the log-in names that credential stuffing tried, as CSV with the columns requested_domain, login, date_detected,
// source_ip and response_code. They are personal data. The download must be closed.
//
// POST /v1/objects/hit/compromised_logins/csv, not documented by the vendor. Replay class: read.
func (s *HitsService) CompromisedLogins(ctx context.Context, filter HitFilter, opts ...CallOption) (*Download, error) {
	f, err := filter.prepared(ctx, s.client, time.Time{}, opts)
	if err != nil {
		return nil, err
	}
	return download(ctx, s.client, hitsCompromisedLogins, args{body: hitBody{Filter: f}}, opts)
}

// MitigationStats are numbers of hits by the protection that found them.
type MitigationStats struct {
	APIAbuse           MitigationCount `json:"api_abuse"`
	CredentialStuffing MitigationCount `json:"credential_stuffing"`
	GraphQL            MitigationCount `json:"graphql"`
	OverlimitRes       MitigationCount `json:"overlimit_res"`
	VirtualPatch       MitigationCount `json:"vpatch"`
	Extra              Extra           `json:",embed"`
}

// MarshalJSON writes the statistics: the members with a value, and all that no field is for.
func (m MitigationStats) MarshalJSON() ([]byte, error) {
	type plain MitigationStats
	return wire.MarshalEcho(plain(m))
}

// UnmarshalJSON reads statistics and keeps unknown members.
func (m *MitigationStats) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, m) }

// UnmarshalJSONFrom reads statistics and keeps unknown members.
func (m *MitigationStats) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain MitigationStats
	return wire.UnmarshalDecode(d, (*plain)(m))
}

// MitigationCount is how many hits there were, and how many of them were blocked.
type MitigationCount struct {
	Total   int64 `json:"total"`
	Blocked int64 `json:"blocked"`
	Extra   Extra `json:",embed"`
}

// Mitigations returns the numbers of hits within span, by the protection that found them.
//
// GET /v1/objects/hit/mitigations/stats, not documented by the vendor. Replay class: read.
func (s *HitsService) Mitigations(ctx context.Context, span TimeRange, opts ...CallOption) (*MitigationStats, error) {
	q, err := s.statsQuery(ctx, span, nil, opts)
	if err != nil {
		return nil, err
	}
	return get[MitigationStats](ctx, s.client, hitsMitigations, args{query: q}, opts)
}

// HitSummaryFilter says what [HitsService.Summary] counts.
type HitSummaryFilter struct {
	// Time is one range.
	Time TimeRange `json:"time,omitzero"`
	// ApplicationID is the id of an application, -1 for the default one; by default all are counted.
	ApplicationID Opt[int64] `json:"poolid,omitzero"`
}

// HitSummary are totals of hits.
type HitSummary struct {
	Hits      int64 `json:"hits"`
	Incidents int64 `json:"incidents"`
	Blocked   int64 `json:"blocked"`
	Extra     Extra `json:",embed"`
}

// MarshalJSON writes the summary: the members with a value, and all that no field is for.
func (h HitSummary) MarshalJSON() ([]byte, error) {
	type plain HitSummary
	return wire.MarshalEcho(plain(h))
}

// UnmarshalJSON reads a summary and keeps unknown members.
func (h *HitSummary) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, h) }

// UnmarshalJSONFrom reads a summary and keeps unknown members.
func (h *HitSummary) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain HitSummary
	return wire.UnmarshalDecode(d, (*plain)(h))
}

// Summary returns the totals of hits, incidents and blocked hits.
//
// POST /v2/hits/summary, not documented by the vendor. Replay class: read.
func (s *HitsService) Summary(ctx context.Context, filter HitSummaryFilter, opts ...CallOption) (*HitSummary, error) {
	if err := filter.Time.validate("filter.time"); err != nil {
		return nil, err
	}
	if len(filter.Time.spans()) > 1 {
		return nil, invalid("filter.time", "this call takes one range")
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	var body struct {
		Filter struct {
			ClientID int64 `json:"clientid"`
			HitSummaryFilter
		} `json:"filter"`
	}
	body.Filter.ClientID, body.Filter.HitSummaryFilter = id, filter
	return get[HitSummary](ctx, s.client, hitsSummary, args{body: body}, opts)
}

// HitSampling says whether nodes upload samples of hits that resemble each other, in place of all of them.
type HitSampling struct {
	Active bool  `json:"active"`
	Extra  Extra `json:",embed"`
}

// MarshalJSON writes the status: the members with a value, and all that no field is for.
func (h HitSampling) MarshalJSON() ([]byte, error) {
	type plain HitSampling
	return wire.MarshalEcho(plain(h))
}

// UnmarshalJSON reads a status and keeps unknown members.
func (h *HitSampling) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, h) }

// UnmarshalJSONFrom reads a status and keeps unknown members.
func (h *HitSampling) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain HitSampling
	return wire.UnmarshalDecode(d, (*plain)(h))
}

// Sampling returns whether hits are sampled now.
//
// GET /v2/client/{client_id}/hits_sampling_status, not documented by the vendor. Replay class: read.
func (s *HitsService) Sampling(ctx context.Context, opts ...CallOption) (*HitSampling, error) {
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[HitSampling](ctx, s.client, hitsSampling, args{path: []any{id}}, opts)
}

// DroppedRequest is what is known of a request whose hits were not uploaded because others like them were.
type DroppedRequest struct {
	ClientID       int64     `json:"client_id"`
	RequestID      string    `json:"request_id"`
	Time           Timestamp `json:"request_time"`
	ApplicationIDs []int64   `json:"applications"`
	Method         string    `json:"request_method"`
	Domain         string    `json:"domain"`
	Path           string    `json:"path"`
	RemoteAddr     string    `json:"remote_addr"`
	ServerAddr     string    `json:"server_addr"`
	ResponseStatus string    `json:"response_status"`
	Tags           string    `json:"tags,omitempty"`
	// Hits are not described by any source.
	Hits  []RawJSON `json:"hits"`
	Extra Extra     `json:",embed"`
}

// MarshalJSON writes the request: the members with a value, and all that no field is for.
func (r DroppedRequest) MarshalJSON() ([]byte, error) {
	type plain DroppedRequest
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a request and keeps unknown members.
func (r *DroppedRequest) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a request and keeps unknown members.
func (r *DroppedRequest) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain DroppedRequest
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// Dropped returns what is known of a request that was left out by sampling, or [ErrNotFound].
//
// GET /v2/client/{client_id}/dropped_raw_hits/{request_id}, not documented by the vendor. Replay class: read.
func (s *HitsService) Dropped(ctx context.Context, requestID string, opts ...CallOption) (*DroppedRequest, error) {
	if _, err := pathSegment("request_id", requestID); err != nil {
		return nil, err
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[DroppedRequest](ctx, s.client, hitsDropped, args{path: []any{id, requestID}}, opts)
}
