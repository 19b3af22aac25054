package wallarm

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	attacksList         = operation{"attacks.list", "POST", "/v1/objects/attack", read, inBody}
	attacksListByCursor = operation{"attacks.list_by_cursor", "POST", "/v2/objects/attack", read, inBody}
	attacksCount        = operation{"attacks.count", "POST", "/v1/objects/attack/count", read, inBody}
	attacksIPs          = operation{"attacks.ips", "POST", "/v1/objects/attack/ip", read, inBody}
	attacksVectors      = operation{"attacks.vectors", "POST", "/v1/objects/attack/vectors", read, inBody}
)

// AttacksService reads attacks: groups of hits with the same type, parameter and target. The API's successor of these routes groups freely
// and is reached through AttackVectors; the vendor has announced no end of this one.
type AttacksService service

// Attack is a group of hits.
type Attack struct {
	ID       EventID `json:"id"`
	AttackID EventID `json:"attackid"`
	ClientID int64   `json:"clientid"`
	// Domain is the host that was attacked.
	Domain string `json:"domain,omitempty"`
	// ApplicationID is the id of the application, -1 for the default one, 0 if none was given. The wire calls it poolid.
	ApplicationID int64  `json:"poolid"`
	Method        string `json:"method,omitempty"`
	// Parameter is the attacked part of the request, such as GET_q_value.
	Parameter string `json:"parameter,omitempty"`
	// Path is the path, or the literal text [multiple] if the hits cover several.
	Path      string     `json:"path,omitempty"`
	Type      AttackType `json:"type"`
	FirstTime Timestamp  `json:"first_time"`
	LastTime  Timestamp  `json:"last_time"`
	// Hits is the number of hits; not all of them can be read, since nodes upload samples.
	Hits int64 `json:"hits"`
	// HitsByFilter, IPCountByFilter and VectorsByFilter count within the filter of the list.
	HitsByFilter    int64  `json:"hits_count_by_filter,omitzero"`
	IPCountByFilter int64  `json:"ip_count_by_filter,omitzero"`
	Vectors         *int64 `json:"vectors_count,omitzero"`
	VectorsByFilter *int64 `json:"vectors_count_by_filter,omitzero"`
	// StatusCodes are the status codes of the answers to the attacker. The API's description has another name for them: under statuscode
	// they are in Extra.
	StatusCodes         []int64        `json:"statuscodes,omitzero"`
	StatusCodesByFilter []int64        `json:"statuscodes_by_filter,omitzero"`
	IPCount             int64          `json:"ip_count"`
	TopIPs              []IPCount      `json:"ip_top,omitzero"`
	CountryCount        int64          `json:"country_count,omitzero"`
	TopCountries        []CountryCount `json:"country_top,omitzero"`
	Datacenter          []string       `json:"datacenter,omitzero"`
	Tor                 string         `json:"tor,omitempty"`
	// VulnIDs are the vulnerabilities that the attack exploited, none or one in all samples that are known. An attack with one is an incident.
	VulnIDs VulnIDs `json:"vulnid"`
	// Threat is a number from 0 to 100; the vendor documents no scale.
	Threat int64 `json:"threat"`
	// Target is client, database or server.
	Target string `json:"target,omitempty"`
	// Experimental says that experimental detection found it; nil if unknown.
	Experimental  *bool         `json:"experimental,omitzero"`
	RecheckStatus RecheckStatus `json:"recheck_status,omitempty"`
	RecheckTime   Timestamp     `json:"recheck_time,omitzero"`
	BlockStatus   BlockStatus   `json:"block_status,omitempty"`
	// State is falsepositive if somebody marked the attack so, else empty.
	State     MarkState `json:"state,omitempty"`
	Anomality []string  `json:"anomality,omitzero"`
	// Point is the attacked part of the request as a chain of parsers.
	Point Point `json:"point,omitzero"`
	// Applications, MethodCounts, ResponseCounts and Regexes come from the cursor list only.
	Applications   []AttackedApplication `json:"pools,omitzero"`
	MethodCounts   []MethodCount         `json:"method_counts,omitzero"`
	ResponseCounts []ResponseCount       `json:"response_status_counts,omitzero"`
	// Regexes are ids of the expressions of custom rules.
	Regexes []int64 `json:"regex,omitzero"`
	// Extra holds all other members, among them sid and vulns, whose elements nobody describes.
	Extra Extra `json:",embed"`
}

// IsIncident reports whether the attack exploited a vulnerability. 0, as which a null in a list is read, is the id of none.
func (a *Attack) IsIncident() bool {
	return slices.ContainsFunc(a.VulnIDs, func(id int64) bool { return id != 0 })
}

// VulnIDs are ids of vulnerabilities. The API writes none as null and one as a number; its description draws a list.
type VulnIDs []int64

// MarshalJSONTo writes null, a number or a list.
func (v VulnIDs) MarshalJSONTo(e *jsontext.Encoder) error {
	if len(v) == 0 {
		return e.WriteToken(jsontext.Null)
	}
	return oneOrMany[int64](v).MarshalJSONTo(e)
}

// UnmarshalJSONFrom reads null, a number or a list.
func (v *VulnIDs) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*v = nil
	switch d.PeekKind() {
	case 'n', 'f':
		_, err := d.ReadToken()
		return err
	}
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	return wire.Unmarshal(value, (*[]int64)(v))
}

// IPCount is an address and the number of its hits.
type IPCount struct {
	IP    string `json:"ip"`
	Count int64  `json:"count"`
	// Country is an ISO 3166-1 alpha-2 code, empty if unknown.
	Country string `json:"country,omitempty"`
	Extra   Extra  `json:",embed"`
}

// CountryCount is a country and the number of its hits.
type CountryCount struct {
	// Country is an ISO 3166-1 alpha-2 code, empty if unknown.
	Country string `json:"country,omitempty"`
	Count   int64  `json:"count"`
	Extra   Extra  `json:",embed"`
}

// AttackedApplication is an application that an attack went to.
type AttackedApplication struct {
	ID       int64  `json:"id"`
	ClientID int64  `json:"clientid"`
	Deleted  bool   `json:"deleted"`
	Name     string `json:"name"`
	Extra    Extra  `json:",embed"`
}

// MethodCount is a request method and the number of its hits.
type MethodCount struct {
	Method string `json:"method"`
	Count  int64  `json:"count"`
	Extra  Extra  `json:",embed"`
}

// ResponseCount is the status code of an answer, a text on the wire, and the number of its hits.
type ResponseCount struct {
	Status string `json:"response_status"`
	Count  int64  `json:"count"`
	Extra  Extra  `json:",embed"`
}

// MarshalJSON writes the attack: the members with a value, and all that no field is for.
func (a Attack) MarshalJSON() ([]byte, error) {
	type plain Attack
	return wire.MarshalEcho(plain(a))
}

// UnmarshalJSON reads an attack and keeps unknown members.
func (a *Attack) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, a) }

// UnmarshalJSONFrom reads an attack and keeps unknown members.
func (a *Attack) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Attack
	return wire.UnmarshalDecode(d, (*plain)(a))
}

// AttackType is the type of an attack, a hit or a rule's subject. New ones appear: an unknown value is kept.
type AttackType string

// The attack types that the vendor names.
const (
	// AnyAttack stands for every type, in rules.
	AnyAttack                   AttackType = "any"
	AttackSQLi                  AttackType = "sqli"
	AttackNoSQLi                AttackType = "nosqli"
	AttackRCE                   AttackType = "rce"
	AttackSSI                   AttackType = "ssi"
	AttackSSTI                  AttackType = "ssti"
	AttackLDAPi                 AttackType = "ldapi"
	AttackMailInjection         AttackType = "mail_injection"
	AttackSSRF                  AttackType = "ssrf"
	AttackPathTraversal         AttackType = "ptrav"
	AttackXXE                   AttackType = "xxe"
	AttackXSS                   AttackType = "xss"
	AttackRedirect              AttackType = "redir"
	AttackCRLF                  AttackType = "crlf"
	AttackScanner               AttackType = "scanner"
	AttackMassAssignment        AttackType = "mass_assignment"
	AttackInvalidXML            AttackType = "invalid_xml"
	AttackDataBomb              AttackType = "data_bomb"
	AttackInfoLeak              AttackType = "infoleak"
	AttackAPILeak               AttackType = "apileak"
	AttackBruteForce            AttackType = "brute"
	AttackForcedBrowsing        AttackType = "dirbust"
	AttackBOLA                  AttackType = "bola"
	AttackEnumeration           AttackType = "enum"
	AttackCredentialStuffing    AttackType = "credential_stuffing"
	AttackRateLimit             AttackType = "rate_limit"
	AttackSessionAnomaly        AttackType = "session_anomaly"
	AttackMultiplePayloads      AttackType = "multiple_payloads"
	AttackVectorsTrigger        AttackType = "vectors"
	AttackAPIAbuse              AttackType = "api_abuse"
	AttackAccountTakeover       AttackType = "account_takeover"
	AttackSecurityCrawlers      AttackType = "security_crawlers"
	AttackScraping              AttackType = "scraping"
	AttackResourceConsumption   AttackType = "resource_consumption"
	AttackBot                   AttackType = "bot"
	AttackGraphQL               AttackType = "graphql_attacks"
	AttackGraphQLDocSize        AttackType = "gql_doc_size"
	AttackGraphQLValueSize      AttackType = "gql_value_size"
	AttackGraphQLDepth          AttackType = "gql_depth"
	AttackGraphQLAliases        AttackType = "gql_aliases"
	AttackGraphQLDocsPerBatch   AttackType = "gql_docs_per_batch"
	AttackGraphQLIntrospection  AttackType = "gql_introspection"
	AttackGraphQLDebug          AttackType = "gql_debug"
	AttackAPISpecification      AttackType = "api_specification"
	AttackUndefinedEndpoint     AttackType = "undefined_endpoint"
	AttackUndefinedParameter    AttackType = "undefined_parameter"
	AttackInvalidParameterValue AttackType = "invalid_parameter_value"
	AttackMissingParameter      AttackType = "missing_parameter"
	AttackMissingAuth           AttackType = "missing_auth"
	AttackInvalidRequest        AttackType = "invalid_request"
	AttackProcessingOverlimit   AttackType = "processing_overlimit"
	AttackAI                    AttackType = "ai_attack"
	AttackAIPromptRetrieval     AttackType = "ai_prompt_retrieval"
	AttackAIPromptInjection     AttackType = "ai_prompt_injection"
	AttackQueryAnomaly          AttackType = "query_anomaly"
	AttackMCPParameterViolation AttackType = "mcp_parameter_violation"
	AttackOverlimitRes          AttackType = "overlimit_res"
	AttackVirtualPatch          AttackType = "vpatch"
	AttackBlockedSource         AttackType = "blocked_source"
	AttackFileUploadViolation   AttackType = "file_upload_violation"
	AttackVulnComponent         AttackType = "vuln_component"
	// AttackWarn and AttackMarker are noise that most readers leave out with Not.
	AttackWarn   AttackType = "warn"
	AttackMarker AttackType = "marker"
)

// BlockStatus says what the node did. New values may appear: that of a partly blocked attack is not documented.
type BlockStatus string

const (
	BlockStatusUnknown   BlockStatus = "unknown"
	BlockStatusMonitored BlockStatus = "monitored"
	BlockStatusBlocked   BlockStatus = "blocked"
)

// MarkState says whether an event was marked; empty if not.
type MarkState string

// FalsePositive is the only documented mark.
const FalsePositive MarkState = "falsepositive"

// MarkStates is a set of marks for a filter. One travels as a text, several as a list.
type MarkStates []MarkState

// MarshalJSONTo writes a text or a list.
func (m MarkStates) MarshalJSONTo(e *jsontext.Encoder) error {
	return oneOrMany[MarkState](m).MarshalJSONTo(e)
}

// RecheckStatus is the state of the withdrawn active verification of attacks. New values may appear.
type RecheckStatus string

const (
	RecheckUnrecheckable     RecheckStatus = "unrecheckable"
	RecheckInProgress        RecheckStatus = "in_progress"
	RecheckForced            RecheckStatus = "forced"
	RecheckTechFailed        RecheckStatus = "tech_failed"
	RecheckVulnFound         RecheckStatus = "vuln_found"
	RecheckVulnNotFound      RecheckStatus = "vuln_not_found"
	RecheckConnectFailed     RecheckStatus = "connect_failed"
	RecheckSkipped           RecheckStatus = "skipped"
	RecheckForcedInProgress  RecheckStatus = "forced_in_progress"
	RecheckForcedTechFailed  RecheckStatus = "forced_tech_failed"
	RecheckForcedWithoutVuln RecheckStatus = "forced_without_vuln"
	RecheckForcedConnectFail RecheckStatus = "forced_connect_failed"
	RecheckForcedSkipped     RecheckStatus = "forced_skipped"
)

// AttackFilter selects attacks. A zero field is no condition; conditions on different fields must all hold, values of one field are
// alternatives. Where null is a value of its own, the field is an [Opt]: Null[[]int64]() in VulnIDs selects what has no vulnerability.
type AttackFilter struct {
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `json:"clientid,omitzero"`
	// Time is when the attack happened. An iterator leaves an open end open: nobody says whether an attack that goes on beyond a closed one would stay in it.
	Time  TimeRange    `json:"time,omitzero"`
	Types []AttackType `json:"type,omitzero"`
	// Domains, Paths, Parameters and Methods are those of the attacked requests.
	Domains    []string `json:"domain,omitzero"`
	Paths      []string `json:"path,omitzero"`
	Parameters []string `json:"parameter,omitzero"`
	Methods    []string `json:"method,omitzero"`
	// ApplicationIDs are ids of applications, -1 is the default one.
	ApplicationIDs []int64  `json:"poolid,omitzero"`
	IPs            []string `json:"ip,omitzero"`
	// AttackIDs are the attacks themselves.
	AttackIDs []EventID `json:"-"`
	// ID is one attack by its id member; use AttackIDs, which the vendor's clients use.
	ID         EventID  `json:"-"`
	RequestIDs []string `json:"request_id,omitzero"`
	// VulnIDs selects by vulnerability: null selects plain attacks, and null in Not selects incidents.
	VulnIDs Opt[[]int64] `json:"vulnid,omitzero"`
	// State selects by mark: null selects what nobody marked.
	State         Opt[MarkStates] `json:"state,omitzero"`
	Experimental  Opt[bool]       `json:"experimental,omitzero"`
	Threat        []int64         `json:"threat,omitzero"`
	StatusCodes   []int64         `json:"statuscode,omitzero"`
	Sizes         []int64         `json:"size,omitzero"`
	ResponseTimes []int64         `json:"response_time,omitzero"`
	RecheckStatus []RecheckStatus `json:"recheck_status,omitzero"`
	Targets       []string        `json:"target,omitzero"`
	Anomality     []string        `json:"anomality,omitzero"`
	Stamps        []int64         `json:"stamps,omitzero"`
	Hits          []int64         `json:"hits,omitzero"`
	IPCounts      []int64         `json:"ips,omitzero"`
	Impression    []int64         `json:"impression,omitzero"`
	StampsHashes  []string        `json:"stamps_hash,omitzero"`
	ValueHashes   []string        `json:"value_hash,omitzero"`
	Indexes       []string        `json:"index,omitzero"`
	RawIDs        []string        `json:"rawid,omitzero"`
	Vectors       []string        `json:"vector,omitzero"`
	BlockStatus   []BlockStatus   `json:"block_status,omitzero"`
	Regexes       []int64         `json:"regex,omitzero"`
	CustomRule    Opt[bool]       `json:"custom_rule,omitzero"`
	EBPF          Opt[bool]       `json:"ebpf,omitzero"`
	// ChangedSince must be zero in Not.
	ChangedSince Timestamp    `json:"changed_time,omitzero"`
	TestRunIDs   Opt[[]int64] `json:"testrun_id,omitzero"`
	// Countries and Probabilities are known of [AttacksService.IPs] and [AttacksService.Vectors], EndpointIDs and SecurityIssues of the latter only.
	Countries      []string     `json:"remote_country,omitzero"`
	Probabilities  []float64    `json:"probability,omitzero"`
	EndpointIDs    []int64      `json:"endpoint_id,omitzero"`
	SecurityIssues Opt[[]int64] `json:"security_issue_id,omitzero"`
	// Not holds conditions that must not hold: each of its fields travels under its name with a leading "!".
	Not *AttackFilter `json:"-"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object.
func (f AttackFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	if f.Not == nil {
		return wire.WriteFilter(e, f.encoded(), nil)
	}
	return wire.WriteFilter(e, f.encoded(), f.Not.encoded())
}

func (f AttackFilter) encoded() any {
	type plain AttackFilter
	return struct {
		plain
		IDs eventIDs `json:"attackid,omitzero"`
		ID  eventIDs `json:"id,omitzero"`
	}{plain(f), f.AttackIDs, one(f.ID)}
}

func one(id EventID) eventIDs {
	if id.IsZero() {
		return nil
	}
	return eventIDs{id}
}

func (f *AttackFilter) validate() error {
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
	case !not.ChangedSince.IsZero():
		return invalid("filter.changed_time", "it cannot be negated")
	}
	return f.Not.validate()
}

// prepared checks the filter and fills in the client id.
func (f AttackFilter) prepared(ctx context.Context, c *Client, opts []CallOption) (AttackFilter, error) {
	err := f.validate()
	if err != nil {
		return f, err
	}
	f.ClientIDs, err = c.clientIDs(ctx, f.ClientIDs, opts)
	return f, err
}

func attackKey(a *Attack) string {
	if a.ID.IsZero() {
		return a.AttackID.key()
	}
	return a.ID.key()
}

// attackVersion is what changes when an attack goes on, which moves it in most orders.
func attackVersion(a *Attack) string {
	return strconv.FormatInt(a.LastTime.Unix(), 10) + " " + strconv.FormatInt(a.Hits, 10)
}

func lastTime(a *Attack) time.Time { return a.LastTime.Time }

// offsetList does not close the range of times while it is read: nobody says whether an attack that goes on beyond its end would stay in it.
func (s *AttacksService) offsetList(op operation, filter AttackFilter, opts []CallOption) *lister[Attack] {
	return &lister[Attack]{
		client: s.client, op: op, paging: byOffset, usual: 100, most: 1000, id: attackKey, version: attackVersion, opts: opts,
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			f, err := filter.prepared(ctx, s.client, opts)
			return args{body: offsetBody(f, page, "last_time", true)}, err
		},
	}
}

// List returns one page of the attacks that match filter, incidents among them, those first that went on last unless page says otherwise.
//
// page.Limit is 100 by default and at most 1000, the largest that clients are known to use; page.OrderBy takes last_time, first_time,
// hits, hit_count, ip_count, domain, path, response_status, parameter and vectors_count.
//
// POST /v1/objects/attack. Replay class: read.
func (s *AttacksService) List(ctx context.Context, filter AttackFilter, page PageOptions, opts ...CallOption) (*Page[Attack], error) {
	return s.offsetList(attacksList, filter, opts).page(ctx, page)
}

// byBeginning prepares an iteration over a list of attacks. The order of those that are told none is that of first_time: an attack that goes
// on while the list is read keeps its place there.
func byBeginning(l *lister[Attack], start PageOptions) (*lister[Attack], PageOptions) {
	if start.OrderBy == "" {
		start.OrderBy = "first_time"
	}
	switch start.OrderBy {
	case "first_time":
		// It seldom changes: hits that come late may have been earlier.
		l.version = func(a *Attack) string { return strconv.FormatInt(a.FirstTime.Unix(), 10) }
		l.at = func(a *Attack) time.Time { return a.FirstTime.Time }
	case "last_time":
		l.at = lastTime
	}
	return l, start
}

// All iterates over the attacks that match filter, in pages of 1000 unless [PageSize] says otherwise. Those that began last come first, which is the
// order in which an attack that goes on meanwhile keeps its place, so that each one that exists throughout comes once; with [Concurrency], unless a hit
// that comes late gives it an earlier beginning. [AttacksService.List] has those first that went on last.
//
// POST /v1/objects/attack. Replay class: read.
func (s *AttacksService) All(ctx context.Context, filter AttackFilter, opts ...CallOption) iter.Seq2[Attack, error] {
	l, start := byBeginning(s.offsetList(attacksList, filter, opts), PageOptions{})
	return l.all(ctx, start)
}

// Pages is All by pages, from start on. In another order than first_time, which is that of start.OrderBy "", an attack may move while the list is
// read. With the latest last_time first, one that was not read yet and goes on moves to where nobody looks any more, and is left out.
func (s *AttacksService) Pages(ctx context.Context, filter AttackFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Attack], error] {
	l, start := byBeginning(s.offsetList(attacksList, filter, opts), start)
	return l.pages(ctx, start)
}

func (s *AttacksService) cursorList(filter AttackFilter, opts []CallOption) *lister[Attack] {
	return &lister[Attack]{
		client: s.client, op: attacksListByCursor, paging: byCursor, usual: 100, id: attackKey, version: attackVersion, opts: opts,
		request: func(ctx context.Context, page PageOptions, until time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "the list by cursor has none but its own")
			}
			// The cursor belongs to a filter: the same body goes out for each page.
			f, err := filter.prepared(ctx, s.client, opts)
			return args{body: listBody{Filter: f, Paging: true, Cursor: page.Cursor}}, err
		},
	}
}

// ListByCursor returns one page of the attacks that match filter, from page.Cursor on. The route's pages are of 100, whatever page.Limit says, and
// its order is its own, newest first.
//
// POST /v2/objects/attack with paging, documented until August 2026. Replay class: read.
func (s *AttacksService) ListByCursor(ctx context.Context, filter AttackFilter, page PageOptions, opts ...CallOption) (*Page[Attack], error) {
	return s.cursorList(filter, opts).page(ctx, page)
}

// AllByCursor iterates over the attacks that match filter, newest first, in pages of 100. A cursor list does not shift while attacks come
// in, and costs the same at any depth. Nobody says by which time it is ordered: if by the last one, an attack that goes on meanwhile moves to the head,
// and is left out if it was not read yet. [AttacksService.All] leaves none out. A page without a cursor is the last.
//
// POST /v2/objects/attack with paging, documented until August 2026. Replay class: read.
func (s *AttacksService) AllByCursor(ctx context.Context, filter AttackFilter, opts ...CallOption) iter.Seq2[Attack, error] {
	return s.cursorList(filter, opts).all(ctx, PageOptions{})
}

// PagesByCursor is AllByCursor by pages, from start on.
func (s *AttacksService) PagesByCursor(ctx context.Context, filter AttackFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Attack], error] {
	return s.cursorList(filter, opts).pages(ctx, start)
}

// AttackCounts are the numbers behind a filter.
type AttackCounts struct {
	Attacks int64 `json:"attacks"`
	// Hits is the number of all hits, which is more than can be listed: nodes upload samples.
	Hits  int64 `json:"hits"`
	IPs   int64 `json:"ips"`
	Extra Extra `json:",embed"`
}

// MarshalJSON writes the numbers: the members with a value, and all that no field is for.
func (a AttackCounts) MarshalJSON() ([]byte, error) {
	type plain AttackCounts
	return wire.MarshalEcho(plain(a))
}

// UnmarshalJSON reads numbers and keeps unknown members.
func (a *AttackCounts) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, a) }

// UnmarshalJSONFrom reads numbers and keeps unknown members.
func (a *AttackCounts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain AttackCounts
	return wire.UnmarshalDecode(d, (*plain)(a))
}

// Count counts the attacks that match filter, their hits, and the addresses that they came from.
//
// POST /v1/objects/attack/count. Replay class: read.
func (s *AttacksService) Count(ctx context.Context, filter AttackFilter, opts ...CallOption) (*AttackCounts, error) {
	f, err := filter.prepared(ctx, s.client, opts)
	if err != nil {
		return nil, err
	}
	return get[AttackCounts](ctx, s.client, attacksCount, args{body: listBody{Filter: f}}, opts)
}

// IPs returns the addresses that the attacks that match filter came from.
//
// POST /v1/objects/attack/ip. Replay class: read.
func (s *AttacksService) IPs(ctx context.Context, filter AttackFilter, opts ...CallOption) ([]string, error) {
	return attackQuery[addresses](ctx, s.client, attacksIPs, filter, opts)
}

// addresses is a list of addresses, which one source draws as an object with a member IPs.
type addresses []string

func (a *addresses) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return wire.UnmarshalDecode(d, (*[]string)(a))
	}
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	var in struct {
		IPs []string `json:"IPs"`
	}
	if err := wire.Unmarshal(value, &in); err != nil {
		return err
	}
	*a = in.IPs
	return nil
}

// Vectors returns the payloads of the attacks that match filter, by group, which is the attack type in the only sample that is known.
//
// POST /v1/objects/attack/vectors; the vendor's documentation names the path only. Replay class: read.
func (s *AttacksService) Vectors(ctx context.Context, filter AttackFilter, opts ...CallOption) (map[string][]string, error) {
	return attackQuery[map[string][]string](ctx, s.client, attacksVectors, filter, opts)
}

// attackQuery makes a call that takes nothing but an attack filter.
func attackQuery[T any](ctx context.Context, c *Client, op operation, filter AttackFilter, opts []CallOption) (out T, err error) {
	f, err := filter.prepared(ctx, c, opts)
	if err != nil {
		return out, err
	}
	return do[T](ctx, c, op, args{body: listBody{Filter: f}}, opts)
}
