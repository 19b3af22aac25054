package wallarm

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	hitsList              = operation{"hits.list", "POST", "/v1/objects/hit", read, inBody}
	hitsDetails           = operation{"hits.details", "POST", "/v1/objects/hit/details", read, inBody}
	hitsDetail            = operation{"hits.detail", "GET", "/v2/hit/details", read, anywhere}
	hitsRaw               = operation{"hits.raw", "POST", "/v1/objects/hit/raw", read, stream}
	hitsIPs               = operation{"hits.ips", "POST", "/v1/objects/hit/ips", read, anywhere}
	hitsMarkFalsePositive = operation{"hits.mark_false_positive", "POST", "/v1/objects/hit/mark_false", once, noAnswer}
)

// HitsService reads hits. The API's successor of these routes is reached through AttackVectors; the vendor has announced no end of this one.
type HitsService service

// Hit is one detection in one request. A request with payloads of several attack types has a hit for each, with the same RequestID.
type Hit struct {
	ID   EventID    `json:"id"`
	Type AttackType `json:"type"`
	// IP is the source address, IPv4 or IPv6.
	IP string `json:"ip"`
	// Size is the size of the answer in bytes.
	Size       int64     `json:"size"`
	StatusCode int64     `json:"statuscode"`
	Time       Timestamp `json:"time"`
	// Value is the payload. It is what the attacker sent, and empty for attacks that are found by behaviour.
	Value      string `json:"value"`
	Impression *int64 `json:"impression,omitzero"`
	// Stamps are ids of signatures, and StampsHash stands for all of them: a signed number.
	Stamps     []int64 `json:"stamps"`
	StampsHash int64   `json:"stamps_hash"`
	// Regexes are ids of the expressions of custom rules.
	Regexes []int64 `json:"regex"`
	// ResponseTime is in milliseconds, says the analogy with other routes.
	ResponseTime int64 `json:"response_time"`
	// Country is an ISO 3166-1 alpha-2 code, empty if unknown.
	Country    string `json:"remote_country,omitempty"`
	RemotePort int64  `json:"remote_port"`
	// Point is the attacked part of the request as a chain of parsers.
	Point Point `json:"point"`
	// ApplicationID is the id of the application, -1 for the default one. The wire calls it poolid.
	ApplicationID int64 `json:"poolid"`
	IPBlocked     bool  `json:"ip_blocked"`
	// AttackID is the attack that the hit belongs to; it may be empty.
	AttackID    EventID     `json:"attackid"`
	BlockStatus BlockStatus `json:"block_status,omitempty"`
	RequestID   string      `json:"request_id,omitempty"`
	// Datacenter is such as aws or hetzner, or unknown.
	Datacenter string `json:"datacenter,omitempty"`
	// ProxyType is TOR, VPN, DCH, PUB, WEB, SES or MIP, empty if the source is no known proxy.
	ProxyType string `json:"proxy_type,omitempty"`
	// Tor is tor or none.
	Tor string `json:"tor,omitempty"`
	// State is falsepositive if somebody marked the hit so, else empty.
	State MarkState `json:"state,omitempty"`
	// KnownAttacks are CVE ids or names of classes.
	KnownAttacks []string `json:"known_attack"`
	KnownFalse   []string `json:"known_false,omitzero"`
	// Protocol is such as rest or graphql; AuthProtocols are such as jwt or basic.
	Protocol      string   `json:"protocol,omitempty"`
	AuthProtocols []string `json:"auth_protocol,omitzero"`
	EndpointID    string   `json:"endpoint_id,omitempty"`
	// Path is the path, or the literal text [multiple].
	Path   string `json:"path"`
	Domain string `json:"domain"`
	// NodeUUIDs are the nodes that reported the hit.
	NodeUUIDs []string `json:"node_uuid,omitzero"`
	// CompromisedLogins are log-in names that credential stuffing tried: personal data.
	CompromisedLogins []string `json:"compromised_logins,omitzero"`
	EBPF              *bool    `json:"ebpf,omitzero"`
	// AASMEvent says that the hit comes from the vendor's scan of the attack surface.
	AASMEvent bool `json:"aasm_event"`
	// Experimental and WallarmScanner are nil if unknown.
	Experimental   *bool `json:"experimental,omitzero"`
	WallarmScanner *bool `json:"wallarm_scanner,omitzero"`
	// APISpecViolation and APISpecID tell about requests that break an uploaded API specification.
	APISpecViolation string `json:"api_spec_violation,omitempty"`
	APISpecID        string `json:"api_spec_id,omitempty"`
	// Extra holds all other members.
	Extra Extra `json:",embed"`
}

// MarshalJSON writes the hit: the members with a value, and all that no field is for.
func (h Hit) MarshalJSON() ([]byte, error) {
	type plain Hit
	return wire.MarshalEcho(plain(h))
}

// UnmarshalJSON reads a hit and keeps unknown members.
func (h *Hit) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, h) }

// UnmarshalJSONFrom reads a hit and keeps unknown members.
func (h *Hit) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Hit
	return wire.UnmarshalDecode(d, (*plain)(h))
}

// HitFilter selects hits. A zero field is no condition; conditions on different fields must all hold, values of one field are
// alternatives. Where null is a value of its own, the field is an [Opt]: Null[int64]() in SecurityIssue selects what is bound to no issue.
type HitFilter struct {
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `json:"-"`
	// Time is when the hit happened. With an open end, an iterator closes it at its own start, from the second page on, so that
	// new hits do not shift the pages.
	Time       TimeRange `json:"time,omitzero"`
	RequestIDs []string  `json:"-"`
	// ID is one hit, AttackIDs are the attacks that hits belong to.
	ID        EventID      `json:"-"`
	AttackIDs []EventID    `json:"-"`
	Types     []AttackType `json:"type,omitzero"`
	// State selects by mark: null selects what nobody marked.
	State Opt[MarkStates] `json:"state,omitzero"`
	// SecurityIssue selects by security issue: null selects what is bound to none.
	SecurityIssue Opt[int64] `json:"security_issue_id,omitzero"`
	// Experimental, AASMEvent and WallarmScanner: true in Not removes such hits.
	Experimental   Opt[bool] `json:"experimental,omitzero"`
	AASMEvent      Opt[bool] `json:"aasm_event,omitzero"`
	WallarmScanner Opt[bool] `json:"wallarm_scanner,omitzero"`
	EBPF           Opt[bool] `json:"ebpf,omitzero"`

	BlockStatus []BlockStatus `json:"block_status,omitzero"`
	// VulnIDs selects by vulnerability: null selects what has none.
	VulnIDs    Opt[[]int64] `json:"vulnid,omitzero"`
	Domains    []string     `json:"domain,omitzero"`
	Paths      []string     `json:"path,omitzero"`
	Parameters []string     `json:"parameter,omitzero"`
	Methods    []string     `json:"method,omitzero"`
	// Value and Vector are payloads.
	Value       string   `json:"value,omitzero"`
	Vector      string   `json:"vector,omitzero"`
	IPs         []string `json:"ip,omitzero"`
	Countries   []string `json:"remote_country,omitzero"`
	Datacenters []string `json:"datacenter,omitzero"`
	Tor         []string `json:"tor,omitzero"`
	// ProxyTypes must be empty in Not.
	ProxyTypes []string `json:"proxy_type,omitzero"`
	// ApplicationIDs are ids of applications, -1 is the default one.
	ApplicationIDs  []int64  `json:"poolid,omitzero"`
	StatusCodes     []int64  `json:"statuscode,omitzero"`
	Sizes           []int64  `json:"size,omitzero"`
	ResponseTimes   []int64  `json:"response_time,omitzero"`
	Stamps          []int64  `json:"stamps,omitzero"`
	StampsHashes    []int64  `json:"stamps_hash,omitzero"`
	Regexes         []int64  `json:"regex,omitzero"`
	Threat          []int64  `json:"threat,omitzero"`
	Impression      []int64  `json:"impression,omitzero"`
	IPCounts        []int64  `json:"ips,omitzero"`
	RulesetVersions []int64  `json:"lom_id,omitzero"`
	EndpointIDs     []int64  `json:"endpoint_id,omitzero"`
	Protocols       []string `json:"protocol,omitzero"`
	AuthProtocols   []string `json:"auth_protocol,omitzero"`

	Probability       Opt[float64] `json:"probability,omitzero"`
	ValueHashes       []string     `json:"value_hash,omitzero"`
	Anomality         []string     `json:"anomality,omitzero"`
	Indexes           []string     `json:"index,omitzero"`
	RawIDs            []string     `json:"rawid,omitzero"`
	Targets           []string     `json:"target,omitzero"`
	Modes             []string     `json:"wallarm_mode,omitzero"`
	FinalModes        []string     `json:"final_wallarm_mode,omitzero"`
	LibprotonVersions []string     `json:"libproton_version,omitzero"`
	BruteCounters     []string     `json:"brute_counter,omitzero"`
	DirbustCounters   []string     `json:"dirbust_counter,omitzero"`
	BOLACounters      []string     `json:"bola_counter,omitzero"`
	KnownFalse        []string     `json:"known_false,omitzero"`
	NodeUUIDs         []string     `json:"node_uuid,omitzero"`
	// Presets and ChangedSince must be zero in Not.
	Presets      []string  `json:"preset,omitzero"`
	ChangedSince Timestamp `json:"changed_time,omitzero"`
	// Not holds conditions that must not hold: each of its fields travels under its name with a leading "!".
	Not *HitFilter `json:"-"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object.
func (f HitFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	if f.Not == nil {
		return wire.WriteFilter(e, f.lists(), nil)
	}
	return wire.WriteFilter(e, f.lists(), f.Not.lists())
}

func (f HitFilter) lists() any {
	type plain HitFilter
	return struct {
		plain
		ClientIDs  []int64  `json:"clientid,omitzero"`
		RequestIDs []string `json:"request_id,omitzero"`
		ID         eventIDs `json:"id,omitzero"`
		AttackIDs  pairs    `json:"attackid,omitzero"`
	}{plain(f), f.ClientIDs, f.RequestIDs, one(f.ID), f.AttackIDs}
}

// hitListFilter is the filter as the list takes it: a sole client id and a sole request id as scalars, which is how the vendor's clients
// send them there. On the other routes lists are better attested.
type hitListFilter HitFilter

func (f hitListFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	if f.Not == nil {
		return wire.WriteFilter(e, f.scalars(), nil)
	}
	return wire.WriteFilter(e, f.scalars(), hitListFilter(*f.Not).scalars())
}

func (f hitListFilter) scalars() any {
	type plain HitFilter
	return struct {
		plain
		ClientIDs  oneOrMany[int64]  `json:"clientid,omitzero"`
		RequestIDs oneOrMany[string] `json:"request_id,omitzero"`
		ID         eventIDs          `json:"id,omitzero"`
		AttackIDs  pairs             `json:"attackid,omitzero"`
	}{plain(f), f.ClientIDs, f.RequestIDs, one(f.ID), f.AttackIDs}
}

func (f *HitFilter) validate() error {
	if err := f.Time.validate("filter.time"); err != nil {
		return err
	}
	for _, id := range f.AttackIDs {
		if err := id.validate("filter.attackid"); err != nil {
			return err
		}
	}
	if !f.ID.IsZero() {
		if err := f.ID.validate("filter.id"); err != nil {
			return err
		}
	}
	switch not := f.Not; {
	case not == nil:
		return nil
	case not.Not != nil:
		return invalid("filter", "Not within Not")
	case len(not.ProxyTypes) > 0, len(not.Presets) > 0, !not.ChangedSince.IsZero():
		return invalid("filter", "proxy types, presets and the time of changes cannot be negated")
	}
	return f.Not.validate()
}

// prepared checks the filter and fills in the client id. until closes open ends, unless it is zero.
func (f HitFilter) prepared(ctx context.Context, c *Client, until time.Time, opts []CallOption) (HitFilter, error) {
	err := f.validate()
	if err != nil {
		return f, err
	}
	f.ClientIDs, err = c.clientIDs(ctx, f.ClientIDs, opts)
	if !until.IsZero() && !f.Time.IsZero() {
		f.Time = f.Time.until(until)
	}
	return f, err
}

func hitKey(h *Hit) string { return h.ID.key() }

func hitTime(h *Hit) time.Time { return h.Time.Time }

func (s *HitsService) list(filter HitFilter, opts []CallOption) *lister[Hit] {
	return &lister[Hit]{
		client: s.client, op: hitsList, paging: byOffset, usual: 100, most: 1000, id: hitKey, at: hitTime, opts: opts,
		request: func(ctx context.Context, page PageOptions, until time.Time) (args, error) {
			if !page.isNewestFirst("time") {
				until = time.Time{}
			}
			f, err := filter.prepared(ctx, s.client, until, opts)
			return args{body: offsetBody(hitListFilter(f), page, "time", true)}, err
		},
	}
}

// List returns one page of the hits that match filter, newest first unless page says otherwise. Not every hit can be listed: nodes upload
// samples of hits that resemble each other, and hits are kept for six months, or three.
//
// page.Limit is 100 by default and at most 1000; page.OrderBy takes time, id, clientid, attackid, remote_country, probability, vector,
// statuscode, size and ip.
//
// POST /v1/objects/hit. Replay class: read.
func (s *HitsService) List(ctx context.Context, filter HitFilter, page PageOptions, opts ...CallOption) (*Page[Hit], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the hits that match filter, newest first, in pages of 1000 unless [PageSize] says otherwise.
//
// POST /v1/objects/hit. Replay class: read.
func (s *HitsService) All(ctx context.Context, filter HitFilter, opts ...CallOption) iter.Seq2[Hit, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *HitsService) Pages(ctx context.Context, filter HitFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Hit], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// hitBody is the body of the hit routes other than the list.
type hitBody struct {
	Filter  HitFilter `json:"filter"`
	Returns string    `json:"returns,omitzero"`
	Terms   []Term    `json:"terms,omitzero"`
	Top     int       `json:"top,omitzero"`
}

// hitQuery makes a call with a hit filter. Whatever else the body holds is in body.
func hitQuery[T any](ctx context.Context, c *Client, op operation, filter HitFilter, body hitBody, opts []CallOption) (T, error) {
	f, err := filter.prepared(ctx, c, time.Time{}, opts)
	if err != nil {
		var none T
		return none, err
	}
	body.Filter = f
	return do[T](ctx, c, op, args{body: body}, opts)
}

// HitDetails is the request of a hit.
type HitDetails struct {
	ID EventID `json:"id"`
	// Raw is the request. The vendor's API description calls the member hit; see Request.
	Raw   *HitRequest `json:"raw,omitzero"`
	Hit   *HitRequest `json:"hit,omitzero"`
	Extra Extra       `json:",embed"`
}

// Request returns the request, whichever of its names it came under; nil if there is none.
func (d *HitDetails) Request() *HitRequest {
	if d.Raw != nil {
		return d.Raw
	}
	return d.Hit
}

// String says which hit it is, and shows what [HitRequest.String] does of its request.
func (d HitDetails) String() string {
	if r := d.Request(); r != nil {
		return fmt.Sprintf("hit %s: %s", d.ID, r)
	}
	return fmt.Sprintf("hit %s without a request", d.ID)
}

// Format is [HitDetails.String] for every verb of package fmt.
func (d HitDetails) Format(f fmt.State, _ rune) { fmt.Fprint(f, d.String()) }

// LogValue is [HitDetails.String] for slog.
func (d HitDetails) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalJSON writes the details: the members with a value, and all that no field is for.
func (d HitDetails) MarshalJSON() ([]byte, error) {
	type plain HitDetails
	return wire.MarshalEcho(plain(d))
}

// UnmarshalJSON reads details and keeps unknown members.
func (d *HitDetails) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, d) }

// UnmarshalJSONFrom reads details and keeps unknown members.
func (d *HitDetails) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	type plain HitDetails
	return wire.UnmarshalDecode(from, (*plain)(d))
}

// HitRequest is a request as the node parsed it. It is the customer's traffic, and may hold credentials of their users: package fmt and slog
// show its method and path only; the fields are read, and JSON is written, as everywhere.
type HitRequest struct {
	// RemoteAddr and the other addresses come from [HitsService.Detail] only.
	RemoteAddr string `json:"remote_addr,omitempty"`
	RemotePort string `json:"remote_port,omitempty"`
	ServerAddr string `json:"server_addr,omitempty"`
	ServerPort string `json:"server_port,omitempty"`
	Method     string `json:"method"`
	// Proto is such as HTTP/1.1.
	Proto string `json:"proto"`
	URI   string `json:"uri"`
	// Headers are by their names as they came: in lower case from Details, in upper case from Detail. See Header.
	Headers map[string][]string `json:"headers"`
	Body    *HitBody            `json:"body,omitzero"`
	// ResponseStamps are not described by any source.
	ResponseStamps RawJSON `json:"response_stamps,omitzero"`
	NodeUUID       string  `json:"node_uuid,omitempty"`
	// EBPF says where an eBPF node saw the request.
	EBPF  *EBPFOrigin `json:"ebpf,omitzero"`
	Extra Extra       `json:",embed"`
}

// String says which request it is, without query, headers and body.
func (r HitRequest) String() string {
	path, _, _ := strings.Cut(r.URI, "?")
	if scheme, rest, isAbsolute := strings.Cut(path, "://"); isAbsolute && !strings.Contains(scheme, "/") {
		// The host may have a password before it.
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	return fmt.Sprintf("%s %s: %d headers", clip(r.Method), clip(path), len(r.Headers))
}

// Format is [HitRequest.String] for every verb of package fmt.
func (r HitRequest) Format(f fmt.State, _ rune) { fmt.Fprint(f, r.String()) }

// LogValue is [HitRequest.String] for slog.
func (r HitRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Header returns the headers with canonical names.
func (r *HitRequest) Header() http.Header {
	h := make(http.Header, len(r.Headers))
	for name, values := range r.Headers {
		name = http.CanonicalHeaderKey(name)
		h[name] = append(h[name], values...)
	}
	return h
}

// MarshalJSON writes the request: the members with a value, and all that no field is for.
func (r HitRequest) MarshalJSON() ([]byte, error) {
	type plain HitRequest
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a request and keeps unknown members.
func (r *HitRequest) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a request and keeps unknown members.
func (r *HitRequest) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain HitRequest
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// HitBody is the body of a request: the whole of it, or the beginning of a large one.
type HitBody struct {
	// Text is the body, or its beginning if OriginalSize is not 0.
	Text string
	// OriginalSize is the size in bytes of a body that was cut, 0 if Text is all of it.
	OriginalSize int64
	// Extra holds the other members of a body that was cut.
	Extra Extra
}

// cutBody is how a body that was cut travels.
type cutBody struct {
	Example      string `json:"example"`
	OriginalSize int64  `json:"original_size"`
	Extra        Extra  `json:",embed"`
}

// MarshalJSONTo writes a text or an object.
func (b HitBody) MarshalJSONTo(e *jsontext.Encoder) error {
	if b.OriginalSize == 0 && b.Extra == nil {
		return e.WriteToken(jsontext.String(b.Text))
	}
	return wire.MarshalEncode(e, cutBody{b.Text, b.OriginalSize, b.Extra})
}

// UnmarshalJSONFrom reads a text or an object.
func (b *HitBody) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*b = HitBody{}
	if d.PeekKind() != '{' {
		return wire.UnmarshalDecode(d, &b.Text)
	}
	var cut cutBody
	err := wire.UnmarshalDecode(d, &cut)
	*b = HitBody{cut.Example, cut.OriginalSize, cut.Extra}
	return err
}

// EBPFOrigin says where an eBPF node saw a request.
type EBPFOrigin struct {
	PodAddress     string `json:"pod_address,omitempty"`
	PodPort        string `json:"pod_port,omitempty"`
	PodNamespace   string `json:"pod_namespace,omitempty"`
	PodContainer   string `json:"pod_container_name,omitempty"`
	PodName        string `json:"pod_name,omitempty"`
	NodeIP         string `json:"node_ip,omitempty"`
	NodeName       string `json:"node_name,omitempty"`
	LoadBalancerIP string `json:"load_balancer_ip,omitempty"`
	Extra          Extra  `json:",embed"`
}

// Details returns the parsed requests of the hits that match filter. Every client that is known asks for one hit, by filter.ID. The list is
// empty if the hit is gone.
//
// POST /v1/objects/hit/details. Replay class: read.
func (s *HitsService) Details(ctx context.Context, filter HitFilter, opts ...CallOption) ([]HitDetails, error) {
	return hitQuery[[]HitDetails](ctx, s.client, hitsDetails, filter, hitBody{Returns: "raw"}, opts)
}

// Detail returns the parsed request of one hit, with addresses and body, or [ErrNotFound] if it is gone.
//
// GET /v2/hit/details, known from old clients and not documented by the vendor. Replay class: read.
func (s *HitsService) Detail(ctx context.Context, id EventID, opts ...CallOption) (*HitRequest, error) {
	if err := id.validate("id"); err != nil {
		return nil, err
	}
	query := struct {
		ID string `url:"id"`
	}{id.String()}
	return get[HitRequest](ctx, s.client, hitsDetail, args{query: query}, opts)
}

// Raw returns the bytes of one hit as the node uploaded them. The download must be closed.
//
// POST /v1/objects/hit/raw. Replay class: read.
func (s *HitsService) Raw(ctx context.Context, id EventID, opts ...CallOption) (*Download, error) {
	f, err := s.byID(ctx, id, opts)
	if err != nil {
		return nil, err
	}
	return download(ctx, s.client, hitsRaw, args{body: hitBody{Filter: f}}, opts)
}

// byID is the filter for one hit.
func (s *HitsService) byID(ctx context.Context, id EventID, opts []CallOption) (HitFilter, error) {
	if err := id.validate("id"); err != nil {
		return HitFilter{}, err
	}
	return HitFilter{ID: id}.prepared(ctx, s.client, time.Time{}, opts)
}

// HitIPs are source addresses.
type HitIPs struct {
	IPv4  []string `json:"ipv4"`
	IPv6  []string `json:"ipv6"`
	Extra Extra    `json:",embed"`
}

// MarshalJSON writes the addresses: the members with a value, and all that no field is for.
func (i HitIPs) MarshalJSON() ([]byte, error) {
	type plain HitIPs
	return wire.MarshalEcho(plain(i))
}

// UnmarshalJSON reads addresses and keeps unknown members.
func (i *HitIPs) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, i) }

// UnmarshalJSONFrom reads addresses and keeps unknown members.
func (i *HitIPs) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain HitIPs
	return wire.UnmarshalDecode(d, (*plain)(i))
}

// IPs returns the addresses that the hits that match filter came from.
//
// POST /v1/objects/hit/ips, not documented by the vendor. Replay class: read.
func (s *HitsService) IPs(ctx context.Context, filter HitFilter, opts ...CallOption) (*HitIPs, error) {
	ips, err := hitQuery[HitIPs](ctx, s.client, hitsIPs, filter, hitBody{}, opts)
	if err != nil {
		return nil, err
	}
	return &ips, nil
}

// MarkFalsePositive marks a hit as no attack. It also makes a hidden rule that keeps nodes from reporting its like, and the API cannot
// take that back: prefer [AttackVectorsService.Mark], which only changes what is shown. After [ErrOutcomeUnknown], a repeat ends in the same mark.
//
// POST /v1/objects/hit/mark_false; the vendor's documentation names the path only. Replay class: once.
func (s *HitsService) MarkFalsePositive(ctx context.Context, id EventID, opts ...CallOption) error {
	f, err := s.byID(ctx, id, opts)
	if err != nil {
		return err
	}
	return run(ctx, s.client, hitsMarkFalsePositive, args{body: hitBody{Filter: f}}, opts)
}
