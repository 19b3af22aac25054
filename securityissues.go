package wallarm

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	securityIssuesList       = operation{"security_issues.list", "POST", "/v1/security_issues", read, inBody}
	securityIssuesCount      = operation{"security_issues.count", "POST", "/v1/security_issues/count", read, wire.Envelope("count")}
	securityIssuesGroups     = operation{"security_issues.groups", "POST", "/v1/security_issues/groups", read, inBody}
	securityIssuesGroupCount = operation{"security_issues.group_count", "POST", "/v1/security_issues/groups_count", read, wire.Envelope("count")}
	securityIssuesGet        = operation{"security_issues.get", "GET", "/v1/security_issues/{id}", read, wire.Envelope("body?")}
)

// SecurityIssuesService reads security issues, the successors of vulnerabilities, with ids of their own. The API has no documented call that
// changes one.
//
// The vendor's own client repeats the API token in the body of these calls, and in the query of [SecurityIssuesService.Get]; whether the API
// insists on it is not known. The SDK sends it in the header alone, unless [RepeatToken] is given.
type SecurityIssuesService service

// RepeatToken repeats the API token in calls of [SecurityIssuesService], as the vendor's client does: in the body, and in the query of Get, where
// proxies and access logs see it. Other calls ignore it. Give it only if the API refuses these calls without.
func RepeatToken(token Secret) CallOption {
	return func(s *callSettings) error {
		if err := checkHeaderValue("token", token.Reveal()); err != nil {
			return err
		}
		if token.IsZero() {
			return invalid("token", "it is empty")
		}
		s.repeatedToken = token
		return nil
	}
}

// SecurityIssue is a security issue. The fields from Credentials on come with [SecurityIssuesService.Get] only.
type SecurityIssue struct {
	ID       int64         `json:"id"`
	ClientID int64         `json:"client_id"`
	Severity IssueSeverity `json:"severity"`
	State    IssueState    `json:"state"`
	// Volume is how often it was detected.
	Volume       int64     `json:"volume"`
	Name         string    `json:"name"`
	CreatedAt    Timestamp `json:"created_at,omitzero"`
	DiscoveredAt Timestamp `json:"discovered_at,omitzero"`
	// DiscoveredBy is the code of what found it; the codes are not documented. aasm, passive_detect and wallarm_soc have been seen.
	DiscoveredBy            string `json:"discovered_by,omitempty"`
	DiscoveredByDisplayName string `json:"discovered_by_display_name,omitempty"`
	// URL, Host, Path and HTTPMethod say where it is.
	URL        string `json:"url,omitempty"`
	Host       string `json:"host,omitempty"`
	Path       string `json:"path,omitempty"`
	HTTPMethod string `json:"http_method,omitempty"`
	// ParameterPosition is where in the request the parameter is, such as query, body or header.
	ParameterPosition    string           `json:"parameter_position,omitempty"`
	ParameterName        string           `json:"parameter_name,omitempty"`
	ParameterDisplayName string           `json:"parameter_display_name,omitempty"`
	AASMTemplate         string           `json:"aasm_template,omitempty"`
	Mitigations          IssueMitigations `json:"mitigations"`
	Type                 IssueType        `json:"issue_type"`
	OWASP                []IssueOWASP     `json:"owasp"`
	Tags                 []IssueTag       `json:"tags"`
	// Incident says that it was exploited.
	Incident bool `json:"incident"`
	// FalsePositiveRuleID is the rule that marks it as a false positive, nil if there is none.
	FalsePositiveRuleID *int64 `json:"false_positive_rule_id,omitzero"`
	Verified            bool   `json:"verified"`

	// Credentials are the ones that leaked.
	Credentials    []Secret `json:"credentials,omitzero"`
	AdditionalInfo string   `json:"additional_info,omitempty"`
	// ExploitationExamples is a list, or an object, of which nobody describes more.
	ExploitationExamples RawJSON `json:"exploitation_examples,omitzero"`
	// OOBInteraction is a list or an object, too.
	OOBInteraction        RawJSON  `json:"oob_interaction,omitzero"`
	PassiveDetectIncident *bool    `json:"passive_detect_incident,omitzero"`
	Description           string   `json:"description,omitempty"`
	References            []string `json:"references,omitzero"`
	// Mitigation is a text about what to do.
	Mitigation string `json:"mitigation,omitempty"`
	// CWE is a list, or another value, of which nobody describes more.
	CWE RawJSON `json:"cwe,omitzero"`
	// RiskInfo is an object in most sources, see [SecurityIssue.CVSS].
	RiskInfo RawJSON `json:"risk_info,omitzero"`
	Source   string  `json:"source,omitempty"`
	// Subtype is an object or null.
	Subtype           RawJSON  `json:"issue_subtype,omitzero"`
	PassiveDetectURLs []string `json:"passive_detect_urls,omitzero"`
	Manual            *bool    `json:"manual,omitzero"`
	// LeaksInfo is a list, or another value, of which nobody describes more. It may hold secrets.
	LeaksInfo     RawJSON             `json:"leaks_info,omitzero"`
	URLActive     *bool               `json:"url_active,omitzero"`
	StatusHistory []IssueStatusChange `json:"status_history,omitzero"`
	Recheckable   *bool               `json:"recheckable,omitzero"`
	// LastRecheck is an object or null.
	LastRecheck RawJSON    `json:"last_recheck,omitzero"`
	KnownCVEs   []KnownCVE `json:"known_cves,omitzero"`
	Extra       Extra      `json:",embed"`
}

// MarshalJSON writes the issue: the members with a value, and all that no field is for.
func (i SecurityIssue) MarshalJSON() ([]byte, error) {
	type plain SecurityIssue
	return wire.MarshalEcho(plain(i))
}

// UnmarshalJSON reads an issue and keeps unknown members.
func (i *SecurityIssue) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, i) }

// UnmarshalJSONFrom reads an issue and keeps unknown members.
func (i *SecurityIssue) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain SecurityIssue
	return wire.UnmarshalDecode(d, (*plain)(i))
}

// CVSS returns the CVSS score in RiskInfo, and whether there is one.
func (i *SecurityIssue) CVSS() (float64, bool) {
	var risk struct {
		CVSS *float64 `json:"cvss"`
	}
	if i.RiskInfo.Kind() != '{' || wire.Unmarshal(i.RiskInfo, &risk) != nil || risk.CVSS == nil {
		return 0, false
	}
	return *risk.CVSS, true
}

// IssueSeverity says how bad an issue is. New values may appear.
type IssueSeverity string

const (
	IssueCritical IssueSeverity = "critical"
	IssueHigh     IssueSeverity = "high"
	IssueMedium   IssueSeverity = "medium"
	IssueLow      IssueSeverity = "low"
	IssueInfo     IssueSeverity = "info"
)

// IssueState is the state of an issue. New values may appear; the documentation of a client names falsepositive.
type IssueState string

const (
	IssueOpen        IssueState = "open"
	IssueClosed      IssueState = "closed"
	IssueMarkedFalse IssueState = "marked_false"
	IssueHidden      IssueState = "hidden"
)

// IssueType is what is wrong.
type IssueType struct {
	ID    VulnType `json:"id"`
	Name  string   `json:"name"`
	Extra Extra    `json:",embed"`
}

// IssueOWASP is a category of an OWASP list.
type IssueOWASP struct {
	// ID is such as api8_2023.
	ID       string `json:"id"`
	Name     string `json:"name"`
	FullName string `json:"full_name"`
	Link     string `json:"link"`
	Extra    Extra  `json:",embed"`
}

// IssueTag is a tag.
type IssueTag struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Slug  string `json:"slug"`
	Extra Extra  `json:",embed"`
}

// IssueMitigations says what protects against an issue.
type IssueMitigations struct {
	// VPatch is the virtual patch, nil if there is none.
	VPatch *IssueVPatch `json:"vpatch,omitzero"`
	Extra  Extra        `json:",embed"`
}

// IssueVPatch is a virtual patch.
type IssueVPatch struct {
	// RuleID is the rule behind it, nil if there is none.
	RuleID *int64 `json:"rule_id"`
	Extra  Extra  `json:",embed"`
}

// IssueStatusChange is an entry in the history of an issue. Nobody describes more of it than the state.
type IssueStatusChange struct {
	State IssueState `json:"state,omitempty"`
	Extra Extra      `json:",embed"`
}

// KnownCVE is a public vulnerability behind an issue.
type KnownCVE struct {
	// Name is such as CVE-2024-0001.
	Name  string `json:"name,omitempty"`
	Extra Extra  `json:",embed"`
}

// SecurityIssueFilter selects security issues. A zero field is no condition; conditions on different fields must all hold, values of one
// field are alternatives.
type SecurityIssueFilter struct {
	// ClientID is a condition beside the client (tenant) that the call is made for; see [WithClientID] for that.
	ClientID     int64           `json:"client_id,omitzero"`
	Severities   []IssueSeverity `json:"severity,omitzero"`
	Host         string          `json:"host,omitzero"`
	States       []IssueState    `json:"state,omitzero"`
	DiscoveredBy []string        `json:"discovered_by,omitzero"`
	ID           int64           `json:"id,omitzero"`
	DomainID     int64           `json:"domain_id,omitzero"`
	SubdomainID  int64           `json:"subdomain_id,omitzero"`
	Type         VulnType        `json:"issue_type,omitzero"`
	// OWASP is the id of a category, such as api8_2023.
	OWASP          string `json:"owasp,omitzero"`
	SourceTemplate string `json:"source_template,omitzero"`
	// GroupID is that of a [SecurityIssueGroup].
	GroupID string `json:"group_id,omitzero"`

	// The fields from here on must be zero in Not.

	// CreatedSince and DiscoveredSince travel as unix seconds.
	CreatedSince    time.Time `json:"-"`
	DiscoveredSince time.Time `json:"-"`
	SearchQuery     string    `json:"search_query,omitzero"`
	// TestRunPublicUUIDs is one text.
	TestRunPublicUUIDs string    `json:"test_run_public_uuids,omitzero"`
	Verified           Opt[bool] `json:"verified,omitzero"`
	// Incident selects what was exploited, or what was not.
	Incident Opt[bool] `json:"incident,omitzero"`
	// Not holds conditions that must not hold: each of its fields travels under its name with a leading "!".
	Not *SecurityIssueFilter `json:"-"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object.
func (f SecurityIssueFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain SecurityIssueFilter
	is := struct {
		plain
		CreatedSince    Timestamp `json:"created_since,omitzero"`
		DiscoveredSince Timestamp `json:"discovered_since,omitzero"`
	}{plain(f), At(f.CreatedSince), At(f.DiscoveredSince)}
	if f.Not == nil {
		return wire.WriteFilter(e, is, nil)
	}
	return wire.WriteFilter(e, is, plain(*f.Not))
}

// isEmpty reports whether f is no condition at all, in which case it does not travel.
func (f *SecurityIssueFilter) isEmpty() bool {
	encoded, err := wire.Marshal(f)
	return err == nil && string(encoded) == "{}"
}

func (f *SecurityIssueFilter) validate() error {
	if f.ClientID < 0 || f.ID < 0 || f.DomainID < 0 || f.SubdomainID < 0 {
		return invalid("filter", "an id is negative")
	}
	not := f.Not
	if not == nil {
		return nil
	}
	switch {
	case not.Not != nil:
		return invalid("filter", "Not within Not")
	case !not.CreatedSince.IsZero(), !not.DiscoveredSince.IsZero(), not.SearchQuery != "", not.TestRunPublicUUIDs != "",
		!not.Verified.IsZero(), !not.Incident.IsZero():
		return invalid("filter", "Not holds a condition that cannot be negated")
	}
	return not.validate()
}

// securityIssuesBody is the body of the calls that take a filter.
type securityIssuesBody struct {
	ClientID  int64                `json:"client_id"`
	Token     Secret               `json:"token,omitzero"`
	Offset    *int                 `json:"offset,omitzero"`
	Limit     int                  `json:"limit,omitzero"`
	Unlimited bool                 `json:"unlimited,omitzero"`
	Filter    *SecurityIssueFilter `json:"filter,omitzero"`
	OrderBy   *securityIssuesOrder `json:"order_by,omitzero"`
}

// securityIssuesOrder is an order of its own kind: other lists take a column and a flag.
type securityIssuesOrder struct {
	Name      string `json:"name"`
	Direction string `json:"direction"`
}

// body fills in what every call takes.
func (s *SecurityIssuesService) body(ctx context.Context, filter SecurityIssueFilter, opts []CallOption) (b securityIssuesBody, err error) {
	if err = filter.validate(); err != nil {
		return b, err
	}
	settings, err := s.client.settings(opts)
	if err != nil {
		return b, err
	}
	if b.ClientID, err = s.client.ClientID(ctx, opts...); err != nil {
		return b, err
	}
	b.Token = settings.repeatedToken
	if !filter.isEmpty() {
		b.Filter = &filter
	}
	return b, nil
}

// securityIssueList makes a list of issues or groups, by pages or, if unlimited, at once.
func securityIssueList[T any](
	s *SecurityIssuesService, op operation, filter SecurityIssueFilter, unlimited bool, id func(*T) string, opts []CallOption,
) *lister[T] {
	l := &lister[T]{client: s.client, op: op, paging: byOffset, usual: 100, most: 1000, id: id, opts: opts}
	if unlimited {
		l.paging, l.usual, l.most = unpaged, 0, 0
	}
	l.request = func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
		body, err := s.body(ctx, filter, opts)
		if err != nil {
			return args{}, err
		}
		body.Unlimited = unlimited
		if !unlimited {
			body.Limit, body.Offset = page.Limit, &page.Offset
		}
		if page.OrderBy == "" && page.Order != DefaultOrder {
			return args{}, invalid("order", "it needs a column in OrderBy")
		}
		if page.OrderBy != "" {
			body.OrderBy = &securityIssuesOrder{page.OrderBy, "asc"}
			if page.Order.desc(true) {
				body.OrderBy.Direction = "desc"
			}
		}
		return args{body: body}, nil
	}
	return l
}

func (s *SecurityIssuesService) issues(filter SecurityIssueFilter, unlimited bool, opts []CallOption) *lister[SecurityIssue] {
	return securityIssueList(s, securityIssuesList, filter, unlimited, func(i *SecurityIssue) string { return idText(i.ID) }, opts)
}

// List returns one page of the issues that match filter, in the API's own order unless page says otherwise.
//
// page.Limit is 100 by default and at most 1000. page.OrderBy takes severity, the only name that sources show, descending by default.
//
// POST /v1/security_issues. Replay class: read.
func (s *SecurityIssuesService) List(
	ctx context.Context, filter SecurityIssueFilter, page PageOptions, opts ...CallOption,
) (*Page[SecurityIssue], error) {
	return s.issues(filter, false, opts).page(ctx, page)
}

// All iterates over the issues that match filter, in pages of 1000 unless [PageSize] says otherwise. The order is the API's own, which is not
// documented: where nothing may be missed although issues come and go, use [SecurityIssuesService.ListUnlimited].
//
// POST /v1/security_issues. Replay class: read.
func (s *SecurityIssuesService) All(ctx context.Context, filter SecurityIssueFilter, opts ...CallOption) iter.Seq2[SecurityIssue, error] {
	return s.issues(filter, false, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *SecurityIssuesService) Pages(
	ctx context.Context, filter SecurityIssueFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[SecurityIssue], error] {
	return s.issues(filter, false, opts).pages(ctx, start)
}

// ListUnlimited returns all issues that match filter in one answer, which no change can shift. [WithMaxResponseSize] bounds it; see
// [SecurityIssuesService.StreamUnlimited] for one that does not fit in memory.
//
// POST /v1/security_issues with unlimited. Replay class: read.
func (s *SecurityIssuesService) ListUnlimited(ctx context.Context, filter SecurityIssueFilter, opts ...CallOption) ([]SecurityIssue, error) {
	return unlimitedItems(ctx, s.issues(filter, true, opts))
}

// StreamUnlimited is ListUnlimited for an answer of any size: it yields the issues as they arrive, under the terms of [Stream].
//
// POST /v1/security_issues with unlimited. Replay class: read; what fails after the first bytes of the answer is not repeated.
func (s *SecurityIssuesService) StreamUnlimited(ctx context.Context, filter SecurityIssueFilter, opts ...CallOption) iter.Seq2[SecurityIssue, error] {
	return s.issues(filter, true, opts).streamed(ctx)
}

func unlimitedItems[T any](ctx context.Context, l *lister[T]) ([]T, error) {
	page, err := l.page(ctx, PageOptions{})
	if err != nil {
		return nil, err
	}
	return page.Items, nil
}

// Count counts the issues that match filter.
//
// POST /v1/security_issues/count. Replay class: read.
func (s *SecurityIssuesService) Count(ctx context.Context, filter SecurityIssueFilter, opts ...CallOption) (int64, error) {
	return s.count(ctx, securityIssuesCount, filter, opts)
}

// GroupCount counts the groups of the issues that match filter.
//
// POST /v1/security_issues/groups_count. Replay class: read.
func (s *SecurityIssuesService) GroupCount(ctx context.Context, filter SecurityIssueFilter, opts ...CallOption) (int64, error) {
	return s.count(ctx, securityIssuesGroupCount, filter, opts)
}

func (s *SecurityIssuesService) count(ctx context.Context, op operation, filter SecurityIssueFilter, opts []CallOption) (int64, error) {
	body, err := s.body(ctx, filter, opts)
	if err != nil {
		return 0, err
	}
	return do[int64](ctx, s.client, op, args{body: body}, opts)
}

// SecurityIssueGroup stands for the issues with the same title, severity and discoverer.
type SecurityIssueGroup struct {
	// ID selects the issues of the group, see SecurityIssueFilter.GroupID.
	ID                      string        `json:"group_id"`
	ClientID                int64         `json:"client_id"`
	Title                   string        `json:"title"`
	Severity                IssueSeverity `json:"severity"`
	DiscoveredBy            string        `json:"discovered_by,omitempty"`
	DiscoveredByDisplayName string        `json:"discovered_by_display_name,omitempty"`
	Type                    IssueType     `json:"issue_type"`
	// Issues is the number of issues.
	Issues int64 `json:"security_issues_count"`
	// States counts the issues by state.
	States IssueStateCounts `json:"states"`
	OWASP  []IssueOWASP     `json:"owasp"`
	// Hosts is the number of hosts, FirstHost one of them.
	Hosts     int64      `json:"hosts_count"`
	FirstHost string     `json:"first_host,omitempty"`
	Tags      []IssueTag `json:"tags"`
	Extra     Extra      `json:",embed"`
}

// MarshalJSON writes the group: the members with a value, and all that no field is for.
func (g SecurityIssueGroup) MarshalJSON() ([]byte, error) {
	type plain SecurityIssueGroup
	return wire.MarshalEcho(plain(g))
}

// UnmarshalJSON reads a group and keeps unknown members.
func (g *SecurityIssueGroup) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, g) }

// UnmarshalJSONFrom reads a group and keeps unknown members.
func (g *SecurityIssueGroup) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain SecurityIssueGroup
	return wire.UnmarshalDecode(d, (*plain)(g))
}

// IssueStateCounts are numbers of issues by state.
type IssueStateCounts struct {
	Open        int64 `json:"open"`
	Closed      int64 `json:"closed"`
	MarkedFalse int64 `json:"marked_false"`
	// Hidden is nil if the API does not tell.
	Hidden *int64 `json:"hidden,omitzero"`
	Extra  Extra  `json:",embed"`
}

func (s *SecurityIssuesService) groups(filter SecurityIssueFilter, unlimited bool, opts []CallOption) *lister[SecurityIssueGroup] {
	return securityIssueList(s, securityIssuesGroups, filter, unlimited, func(g *SecurityIssueGroup) string { return g.ID }, opts)
}

// Groups returns one page of the groups of the issues that match filter. See [SecurityIssuesService.List] for page.
//
// POST /v1/security_issues/groups. Replay class: read.
func (s *SecurityIssuesService) Groups(
	ctx context.Context, filter SecurityIssueFilter, page PageOptions, opts ...CallOption,
) (*Page[SecurityIssueGroup], error) {
	return s.groups(filter, false, opts).page(ctx, page)
}

// AllGroups iterates over the groups of the issues that match filter, in pages of 1000 unless [PageSize] says otherwise.
//
// POST /v1/security_issues/groups. Replay class: read.
func (s *SecurityIssuesService) AllGroups(
	ctx context.Context, filter SecurityIssueFilter, opts ...CallOption,
) iter.Seq2[SecurityIssueGroup, error] {
	return s.groups(filter, false, opts).all(ctx, PageOptions{})
}

// GroupPages is AllGroups by pages, from start on.
func (s *SecurityIssuesService) GroupPages(
	ctx context.Context, filter SecurityIssueFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[SecurityIssueGroup], error] {
	return s.groups(filter, false, opts).pages(ctx, start)
}

// GroupsUnlimited returns all groups of the issues that match filter in one answer.
//
// POST /v1/security_issues/groups with unlimited. Replay class: read.
func (s *SecurityIssuesService) GroupsUnlimited(
	ctx context.Context, filter SecurityIssueFilter, opts ...CallOption,
) ([]SecurityIssueGroup, error) {
	return unlimitedItems(ctx, s.groups(filter, true, opts))
}

// Get returns one issue in full, or [ErrNotFound].
//
// GET /v1/security_issues/{id}. Replay class: read.
func (s *SecurityIssuesService) Get(ctx context.Context, id int64, opts ...CallOption) (*SecurityIssue, error) {
	settings, err := s.client.settings(opts)
	if err != nil {
		return nil, err
	}
	if err := positiveIDs("id", []int64{id}); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	query := url.Values{"client_id": {strconv.FormatInt(clientID, 10)}}
	if token := settings.repeatedToken; !token.IsZero() {
		query.Set("token", token.Reveal())
	}
	return get[SecurityIssue](ctx, s.client, securityIssuesGet, args{path: []any{id}, query: query}, opts)
}
