package wallarm

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	apiSessionsList             = operation{"apisessions.list", "GET", "/v1/traces/sessions", read, inBody}
	apiSessionsCount            = operation{"apisessions.count", "GET", "/v1/traces/sessions/count", read, inBody}
	apiSessionsGet              = operation{"apisessions.get", "GET", "/v1/traces/client/{client_id}/sessions/{id}", read, inBody}
	apiSessionsSettings         = operation{"apisessions.settings", "GET", "/v1/client/{client_id}/api_sessions/settings", read, inBody}
	apiSessionsReplaceSettings  = operation{"apisessions.replace_settings", "PUT", "/v1/client/{client_id}/api_sessions/settings", idempotent, inBody}
	apiSessionsAttackStatistics = operation{"apisessions.attack_statistics", "GET", "/v1/client/{client_id}/api_sessions/attacks/statistics", read, anywhere}
)

// APISessionsService reads API sessions: series of requests that belong to one user, put together by the platform. It also sets how long a
// session lasts and by which parts of requests users are told apart.
//
// The product is documented, its API is not: all routes here come from the description behind the vendor's console.
type APISessionsService service

// Session is a series of requests of one user. Sessions are kept for a week; one that lasts longer than a day is cut into parts with the same
// ID, so that ID and StartTime together tell a list's sessions apart.
//
// A session holds data of the client's own users. Package fmt and slog therefore show its id, times and numbers only; the fields are read,
// and JSON is written, as everywhere.
type Session struct {
	ID       string `json:"session_id"`
	ClientID int64  `json:"client_id"`
	// ApplicationID, Host, IP, Country, Datacenter and ProxyType are in lists only.
	ApplicationID int64  `json:"app_id,omitzero"`
	Host          string `json:"host,omitempty"`
	IP            string `json:"ip,omitempty"`
	Country       string `json:"country,omitempty"`
	Datacenter    string `json:"datacenter,omitempty"`
	ProxyType     string `json:"proxy_type,omitempty"`
	// StartTime and EndTime have a fraction.
	StartTime Timestamp `json:"start_time"`
	EndTime   Timestamp `json:"end_time"`
	// Duration is in seconds, by its size.
	Duration int64 `json:"duration"`
	Requests int64 `json:"req_count"`
	Attacks  int64 `json:"attack_sum_count"`
	// HostsTotal and URIsTotal count different ones; they are in lists only.
	HostsTotal int64 `json:"hosts_uniq_total,omitzero"`
	URIsTotal  int64 `json:"uris_uniq_total,omitzero"`

	// The counters say how many requests of the session had each value. Those of applications, hosts and URIs are in lists only.
	AttackCounts          SessionCounts    `json:"attack_counts"`
	BusinessContextCounts SessionCounts    `json:"business_context_counts"`
	ApplicationCounts     SessionCounts    `json:"app_counts,omitzero"`
	HostCounts            SessionCounts    `json:"host_counts,omitzero"`
	URICounts             SessionURICounts `json:"uri_counts,omitzero"`
	// IPCounts, MethodCounts, ResponseStatusCounts and Data come from [APISessionsService.Get] only.
	IPCounts             SessionCounts `json:"ip_counts,omitzero"`
	MethodCounts         SessionCounts `json:"method_counts,omitzero"`
	ResponseStatusCounts SessionCounts `json:"response_status_counts,omitzero"`
	// The user attributes are what the export configurations take from requests: who the user is.
	UserIDCounts          SessionCounts `json:"user_attr_id_counts"`
	UserNameCounts        SessionCounts `json:"user_attr_user_counts"`
	UserRoleCounts        SessionCounts `json:"user_attr_role_counts"`
	UserCredentialsCounts SessionCounts `json:"user_attr_credentials_counts"`
	// Data holds objects that nobody describes.
	Data  []RawJSON `json:"session_data,omitzero"`
	Extra Extra     `json:",embed"`
}

// SessionCounts are numbers by name. Whether an element holds one name or several is not known: ByName adds them up.
type SessionCounts []map[string]int64

// ByName returns the number of each name.
func (c SessionCounts) ByName() map[string]int64 {
	all := make(map[string]int64, len(c))
	for _, part := range c {
		for name, n := range part {
			all[name] += n
		}
	}
	return all
}

// SessionURICounts are numbers by URI, which may have a fraction, unlike [SessionCounts].
type SessionURICounts []map[string]float64

// ByName returns the number of each URI.
func (c SessionURICounts) ByName() map[string]float64 {
	all := make(map[string]float64, len(c))
	for _, part := range c {
		for name, n := range part {
			all[name] += n
		}
	}
	return all
}

// MarshalJSON writes the session: the members with a value, and all that no field is for.
func (s Session) MarshalJSON() ([]byte, error) {
	type plain Session
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads a session and keeps unknown members.
func (s *Session) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads a session and keeps unknown members.
func (s *Session) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Session
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// String says which session it is, without data of users.
func (s Session) String() string {
	return fmt.Sprintf("session %s of client %d from %s to %s: %d requests, %d attacks",
		clip(s.ID), s.ClientID, s.StartTime.number(), s.EndTime.number(), s.Requests, s.Attacks)
}

// Format is [Session.String] for every verb of package fmt.
func (s Session) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue is [Session.String] for slog.
func (s Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// SessionFilter selects sessions. A zero field is no condition; conditions on different fields must all hold, values of one field are
// alternatives. A value must not hold a comma, since commas part the values on the wire.
type SessionFilter struct {
	// Time is when the session was; a single span.
	Time TimeRange
	// ByIntervals has a meaning that is not described.
	ByIntervals Opt[bool]
	// WithoutURICounts presumably leaves [Session.URICounts] out.
	WithoutURICounts Opt[bool]
	IDs              []string
	// RequestID and RequestTime go together: the session of that request.
	RequestID        string
	RequestTime      Timestamp
	ApplicationIDs   []int64
	EndpointIDs      []int64
	StatusCodes      []int64
	AttackTypes      []AttackType
	BusinessContexts []BusinessContext
	Countries        []string
	Hosts            []string
	Methods          []string
	IPs              []string
	URIs             []string
	// UserIDs, UserNames, UserRoles and UserCredentials are user attributes.
	UserIDs         []string
	UserNames       []string
	UserRoles       []string
	UserCredentials []string
	// The rest belongs to API abuse prevention.
	AbuseAction string
	BotID       string
	BotType     string
	Detectors   []string
	// StrictDetectors presumably demands all of Detectors rather than any.
	StrictDetectors Opt[bool]
}

// Format keeps the values of the filter, which may be data of users, out of package fmt.
func (f SessionFilter) Format(s fmt.State, _ rune) { fmt.Fprint(s, "wallarm.SessionFilter{…}") }

// sessionQuery is the query of the list and of the count: plain names, lists joined by commas.
type sessionQuery struct {
	ClientID         []int64           `url:"client_id,comma"`
	Limit            int               `url:"limit,omitempty"`
	PageEndTime      string            `url:"page_end_time,omitempty"`
	PageID           string            `url:"page_session_id,omitempty"`
	Start            string            `url:"start_time,omitempty"`
	End              string            `url:"end_time,omitempty"`
	ByIntervals      Opt[bool]         `url:"by_intervals,omitempty"`
	WithoutURICounts Opt[bool]         `url:"skip_uri_stat,omitempty"`
	IDs              []string          `url:"session_id,omitempty,comma"`
	RequestID        string            `url:"request_id,omitempty"`
	RequestTime      string            `url:"request_time,omitempty"`
	ApplicationIDs   []int64           `url:"application_id,omitempty,comma"`
	EndpointIDs      []int64           `url:"endpoint_id,omitempty,comma"`
	StatusCodes      []int64           `url:"status_code,omitempty,comma"`
	AttackTypes      []AttackType      `url:"attack_type,omitempty,comma"`
	BusinessContexts []BusinessContext `url:"business_contexts,omitempty,comma"`
	Countries        []string          `url:"country,omitempty,comma"`
	Hosts            []string          `url:"host,omitempty,comma"`
	Methods          []string          `url:"http_method,omitempty,comma"`
	IPs              []string          `url:"ip,omitempty,comma"`
	URIs             []string          `url:"uri,omitempty,comma"`
	UserIDs          []string          `url:"user_attr_id,omitempty,comma"`
	UserNames        []string          `url:"user_attr_user,omitempty,comma"`
	UserRoles        []string          `url:"user_attr_role,omitempty,comma"`
	UserCredentials  []string          `url:"user_attr_credentials,omitempty,comma"`
	AbuseAction      string            `url:"api_ap_action,omitempty"`
	BotID            string            `url:"api_ap_bot_id,omitempty"`
	BotType          string            `url:"api_ap_bot_type,omitempty"`
	Detectors        []string          `url:"api_ap_detectors,omitempty,comma"`
	StrictDetectors  Opt[bool]         `url:"api_ap_detectors_strict,omitempty"`
}

// query checks the filter and returns it as it travels.
func (f *SessionFilter) query() (q sessionQuery, err error) {
	if err := validateQueryFilter(*f); err != nil {
		return q, err
	}
	if f.RequestID == "" != f.RequestTime.IsZero() {
		return q, invalid("filter.request_id", "the id and the time of a request go together")
	}
	for _, list := range []struct {
		name   string
		values []string
	}{
		{"session_id", f.IDs}, {"attack_type", texts(f.AttackTypes)}, {"business_contexts", texts(f.BusinessContexts)},
		{"country", f.Countries}, {"host", f.Hosts}, {"http_method", f.Methods}, {"ip", f.IPs}, {"uri", f.URIs},
		{"user_attr_id", f.UserIDs}, {"user_attr_user", f.UserNames}, {"user_attr_role", f.UserRoles},
		{"user_attr_credentials", f.UserCredentials}, {"api_ap_detectors", f.Detectors},
	} {
		if err := joinable("filter."+list.name, list.values); err != nil {
			return q, err
		}
	}
	q = sessionQuery{
		ByIntervals: f.ByIntervals, WithoutURICounts: f.WithoutURICounts, IDs: f.IDs, RequestID: f.RequestID,
		ApplicationIDs: f.ApplicationIDs, EndpointIDs: f.EndpointIDs, StatusCodes: f.StatusCodes, AttackTypes: f.AttackTypes,
		BusinessContexts: f.BusinessContexts, Countries: f.Countries, Hosts: f.Hosts, Methods: f.Methods, IPs: f.IPs, URIs: f.URIs,
		UserIDs: f.UserIDs, UserNames: f.UserNames, UserRoles: f.UserRoles, UserCredentials: f.UserCredentials,
		AbuseAction: f.AbuseAction, BotID: f.BotID, BotType: f.BotType, Detectors: f.Detectors, StrictDetectors: f.StrictDetectors,
	}
	if !f.RequestTime.IsZero() {
		q.RequestTime = f.RequestTime.number()
	}
	q.Start, q.End, err = ends("filter.time", f.Time)
	return q, err
}

// joinable refuses values that would fall apart on the wire: how a comma inside of one is written, nobody knows.
func joinable(name string, values []string) error {
	for _, value := range values {
		switch {
		case value == "":
			return invalid(name, "one of its values is empty")
		case strings.Contains(value, ","):
			return invalid(name, "one of its values holds a comma, which parts values")
		}
	}
	return nil
}

func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = string(value)
	}
	return out
}

// ends returns the ends of a range as numbers, empty where it is open.
func ends(name string, r TimeRange) (start, end string, err error) {
	if err := r.validate(name); err != nil {
		return "", "", err
	}
	spans := r.spans()
	if len(spans) > 1 {
		return "", "", invalid(name, "the route takes one span, not %d", len(spans))
	}
	if len(spans) == 0 {
		return "", "", nil
	}
	if from := spans[0].From; !from.IsZero() {
		start = Timestamp{Time: from}.number()
	}
	if to := spans[0].To; !to.IsZero() {
		end = Timestamp{Time: to}.number()
	}
	return start, end, nil
}

// keyCursor is the position behind a row of a keyset list: its time in the digits that it came with, and its id.
func keyCursor(t Timestamp, id string) string { return t.number() + ":" + id }

// isNoKey reports whether a position is that of a row without a time, behind which the route cannot go on.
func isNoKey(cursor string) bool { return strings.HasPrefix(cursor, "null:") }

// openCursor takes a position apart.
func openCursor(cursor string) (t, id string, err error) {
	if cursor == "" {
		return "", "", nil
	}
	t, id, _ = strings.Cut(cursor, ":")
	if t == "null" {
		return "", "", invalid("cursor", "the last row of the page before has no time, which the route needs to go on")
	}
	if t == "" || id == "" || strings.Trim(t, "0123456789.-") != "" {
		return "", "", invalid("cursor", "it is none of this list")
	}
	return t, id, nil
}

func (s *APISessionsService) sessions(filter SessionFilter, opts []CallOption) *lister[Session] {
	return &lister[Session]{
		client: s.client, op: apiSessionsList, paging: byKey, usual: 100, most: 1000, careful: true, opts: opts,
		id:    func(session *Session) string { return keyCursor(session.StartTime, session.ID) },
		after: func(session *Session) string { return keyCursor(session.EndTime, session.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			q, err := filter.query()
			if err != nil {
				return args{}, err
			}
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "the list of sessions has none")
			}
			if q.PageEndTime, q.PageID, err = openCursor(page.Cursor); err != nil {
				return args{}, err
			}
			q.Limit = page.Limit
			q.ClientID, err = s.client.clientIDs(ctx, nil, opts)
			return args{query: q}, err
		},
	}
}

// List returns one page of the sessions that match filter, from page.Cursor on. The order is the route's own and not described.
//
// page.Limit is 100 by default; the largest one that the route takes is not known, more than 1000 are refused.
//
// GET /v1/traces/sessions. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) List(ctx context.Context, filter SessionFilter, page PageOptions, opts ...CallOption) (*Page[Session], error) {
	return s.sessions(filter, opts).page(ctx, page)
}

// All iterates over the sessions that match filter, in pages of 100 unless [PageSize] says otherwise. Pages are asked for by the last session of
// the page before, so new sessions do not shift them. A session that goes on while the list is read moves to its head, and is left out if it was not read
// yet: read what ended since you began once more, with a filter from then on.
//
// GET /v1/traces/sessions. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) All(ctx context.Context, filter SessionFilter, opts ...CallOption) iter.Seq2[Session, error] {
	return s.sessions(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *APISessionsService) Pages(ctx context.Context, filter SessionFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Session], error] {
	return s.sessions(filter, opts).pages(ctx, start)
}

// total is the answer of the counts.
type total struct {
	Total int64 `json:"total"`
}

// Count counts the sessions that match filter.
//
// GET /v1/traces/sessions/count. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) Count(ctx context.Context, filter SessionFilter, opts ...CallOption) (int64, error) {
	q, err := filter.query()
	if err != nil {
		return 0, err
	}
	if q.ClientID, err = s.client.clientIDs(ctx, nil, opts); err != nil {
		return 0, err
	}
	return s.count(ctx, apiSessionsCount, args{query: q}, opts)
}

func (s *APISessionsService) count(ctx context.Context, op operation, a args, opts []CallOption) (int64, error) {
	n, err := get[total](ctx, s.client, op, a, opts)
	if err != nil {
		return 0, err
	}
	return n.Total, nil
}

// at returns the arguments of a call whose path begins with the client id.
func (s *APISessionsService) at(ctx context.Context, opts []CallOption, path ...any) (args, error) {
	for _, value := range path {
		if _, err := pathSegment("id", value); err != nil {
			return args{}, err
		}
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	return args{path: append([]any{clientID}, path...)}, err
}

// Get returns one session with the counters that lists lack. Whether the parts of a long session come back as one is not known.
//
// GET /v1/traces/client/{client_id}/sessions/{id}. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) Get(ctx context.Context, id string, opts ...CallOption) (*Session, error) {
	a, err := s.at(ctx, opts, id)
	if err != nil {
		return nil, err
	}
	return get[Session](ctx, s.client, apiSessionsGet, a, opts)
}

// SessionSettings say when a session ends.
type SessionSettings struct {
	// MaxLifetime is the longest that a session lasts, in minutes.
	MaxLifetime int64 `json:"session_max_lifetime"`
	// TerminationTimeout is how long a user may do nothing until the session ends, in minutes.
	TerminationTimeout int64 `json:"session_termination_timeout"`
	Extra              Extra `json:",embed"`
}

// MarshalJSON writes the settings: the members with a value, and all that no field is for.
func (s SessionSettings) MarshalJSON() ([]byte, error) {
	type plain SessionSettings
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads settings and keeps unknown members.
func (s *SessionSettings) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads settings and keeps unknown members.
func (s *SessionSettings) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain SessionSettings
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// Settings returns the timing of sessions.
//
// GET /v1/client/{client_id}/api_sessions/settings. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) Settings(ctx context.Context, opts ...CallOption) (*SessionSettings, error) {
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	return get[SessionSettings](ctx, s.client, apiSessionsSettings, a, opts)
}

// ReplaceSettings sets the timing of sessions. The route takes both numbers or none; both must be positive, other limits are not known.
//
// PUT /v1/client/{client_id}/api_sessions/settings. Not documented by the vendor. Replay class: idempotent.
func (s *APISessionsService) ReplaceSettings(ctx context.Context, settings SessionSettings, opts ...CallOption) (*SessionSettings, error) {
	switch {
	case settings.MaxLifetime <= 0:
		return nil, invalid("session_max_lifetime", "%d minutes is not positive", settings.MaxLifetime)
	case settings.TerminationTimeout <= 0:
		return nil, invalid("session_termination_timeout", "%d minutes is not positive", settings.TerminationTimeout)
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	// Without its methods they are encoded as a request.
	type plain SessionSettings
	a.body = plain(settings)
	return get[SessionSettings](ctx, s.client, apiSessionsReplaceSettings, a, opts)
}

// SessionAttackCounts count the attacks of one kind in sessions.
type SessionAttackCounts struct {
	Total   int64 `json:"total"`
	Blocked int64 `json:"blocked"`
	Extra   Extra `json:",embed"`
}

// AttackStatistics counts the attacks in sessions, by their kind. Which span of time the numbers cover is not described.
//
// GET /v1/client/{client_id}/api_sessions/attacks/statistics. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) AttackStatistics(ctx context.Context, opts ...CallOption) (map[AttackType]SessionAttackCounts, error) {
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	return do[map[AttackType]SessionAttackCounts](ctx, s.client, apiSessionsAttackStatistics, a, opts)
}
