package wallarm

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	apiSessionsListRequests      = operation{"apisessions.list_requests", "GET", "/v1/traces/client/{client_id}/sessions/{id}/requests", read, inBody}
	apiSessionsCountRequests     = operation{"apisessions.count_requests", "GET", "/v1/traces/client/{client_id}/sessions/{id}/requests/count", read, inBody}
	apiSessionsGetRequest        = operation{"apisessions.get_request", "GET", "/v1/traces/client/{client_id}/sessions/{id}/requests/{req_id}", read, inBody}
	apiSessionsExportRequestsCSV = operation{"apisessions.export_requests_csv", "GET", "/v1/traces/client/{client_id}/sessions/{id}/requests/export_csv", read, stream}
)

// SessionRequest is a request of a session as lists have it. ID and Time together name it. Package fmt and slog show these, the
// method and numbers only, since the rest is data of the client's own users.
type SessionRequest struct {
	ID string `json:"request_id"`
	// Time has a fraction.
	Time   Timestamp `json:"request_time"`
	Method string    `json:"method"`
	URI    string    `json:"uri"`
	// StatusCode, ResponseSize (bytes) and ResponseTime are those of the answer; nil if unknown.
	StatusCode   *int64 `json:"response_status_code"`
	ResponseSize *int64 `json:"response_size"`
	ResponseTime *int64 `json:"response_time"`
	// APIVersion has a meaning that is not described.
	APIVersion int64 `json:"api_version"`
	// BotID and BotType come from API abuse prevention, empty for no bot.
	BotID          string `json:"api_ap_bot_id"`
	BotType        string `json:"api_ap_bot_type"`
	WallarmTraffic string `json:"wallarm_traffic"`
	AbuseDisabled  bool   `json:"api_abuse_disabled"`
	// SessionsDisabled says that the request was left out of the analysis of sessions.
	SessionsDisabled        bool              `json:"api_sessions_disabled"`
	AttackTypes             []AttackType      `json:"attack_types"`
	ExperimentalAttackTypes []AttackType      `json:"experimental_attack_types"`
	BusinessContexts        []BusinessContext `json:"business_contexts"`
	Extra                   Extra             `json:",embed"`
}

// MarshalJSON writes the request: the members with a value, and all that no field is for.
func (r SessionRequest) MarshalJSON() ([]byte, error) {
	type plain SessionRequest
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a request and keeps unknown members.
func (r *SessionRequest) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a request and keeps unknown members.
func (r *SessionRequest) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain SessionRequest
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// String says which request it is, without data of users.
func (r SessionRequest) String() string {
	status := "no status"
	if r.StatusCode != nil {
		status = fmt.Sprintf("status %d", *r.StatusCode)
	}
	return fmt.Sprintf("request %s at %s: %s, %s, attacks %v", clip(r.ID), r.Time.number(), clip(r.Method), status, r.AttackTypes)
}

// Format is [SessionRequest.String] for every verb of package fmt.
func (r SessionRequest) Format(f fmt.State, _ rune) { fmt.Fprint(f, r.String()) }

// LogValue is [SessionRequest.String] for slog.
func (r SessionRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// SessionRequestDetails is a request of a session as its single read has it. Method, status code and size are in the row of the list only.
// Package fmt and slog show no data of users, as with [SessionRequest].
type SessionRequestDetails struct {
	ID   string    `json:"request_id"`
	Time Timestamp `json:"request_time"`
	Host string    `json:"host"`
	URI  string    `json:"uri"`
	IP   string    `json:"ip"`
	// UserAgent is the header of that name.
	UserAgent string `json:"ua"`
	Country   string `json:"country"`
	// Action is what API abuse prevention did; its values are not known.
	Action  string `json:"action"`
	BotID   string `json:"bot_id"`
	BotType string `json:"bot_type"`
	// NodeIP, NodePort and NodeUUID tell the filtering node.
	NodeIP        string `json:"node_ip"`
	NodePort      int64  `json:"node_port"`
	NodeUUID      string `json:"node_uuid"`
	ApplicationID int64  `json:"application_id"`
	EndpointID    int64  `json:"endpoint_id"`
	APIVersion    int64  `json:"api_version"`
	// ResponseTime is nil if unknown.
	ResponseTime     *int64            `json:"response_time"`
	AttackTypes      []AttackType      `json:"attack_types"`
	BusinessContexts []BusinessContext `json:"business_contexts"`
	Detectors        []string          `json:"detectors"`
	UserID           string            `json:"user_attr_id"`
	UserName         string            `json:"user_attr_user"`
	UserRole         string            `json:"user_attr_role"`
	UserCredentials  string            `json:"user_attr_credentials"`
	// AdditionalData holds objects that nobody describes.
	AdditionalData []RawJSON `json:"additional_data"`
	Extra          Extra     `json:",embed"`
}

// MarshalJSON writes the request: the members with a value, and all that no field is for.
func (r SessionRequestDetails) MarshalJSON() ([]byte, error) {
	type plain SessionRequestDetails
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a request and keeps unknown members.
func (r *SessionRequestDetails) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a request and keeps unknown members.
func (r *SessionRequestDetails) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain SessionRequestDetails
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// String says which request it is, without data of users.
func (r SessionRequestDetails) String() string {
	return fmt.Sprintf("request %s at %s: application %d, endpoint %d, attacks %v",
		clip(r.ID), r.Time.number(), r.ApplicationID, r.EndpointID, r.AttackTypes)
}

// Format is [SessionRequestDetails.String] for every verb of package fmt.
func (r SessionRequestDetails) Format(f fmt.State, _ rune) { fmt.Fprint(f, r.String()) }

// LogValue is [SessionRequestDetails.String] for slog.
func (r SessionRequestDetails) LogValue() slog.Value { return slog.StringValue(r.String()) }

// SessionRequestFilter selects requests of a session. A zero field is no condition, but Time needs a beginning. A value must not hold
// a comma, since commas part the values on the wire.
type SessionRequestFilter struct {
	// Time is when the request was; a single span that begins with or before the session: Since(session.StartTime.Time).
	Time             TimeRange
	RequestIDs       []string
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
	// WallarmTraffic takes values that are not known.
	WallarmTraffic []string
	// UserIDs, UserNames, UserRoles and UserCredentials are user attributes.
	UserIDs         []string
	UserNames       []string
	UserRoles       []string
	UserCredentials []string
	BotID           string
	BotType         string
	// SessionsDisabled selects by [SessionRequest.SessionsDisabled]; both values select both kinds.
	SessionsDisabled []bool
	WithAnyAttack    Opt[bool]
}

// Format keeps the values of the filter, which may be data of users, out of package fmt.
func (f SessionRequestFilter) Format(s fmt.State, _ rune) {
	fmt.Fprint(s, "wallarm.SessionRequestFilter{…}")
}

// sessionRequestQuery is the query of the list and of the count: plain names, lists joined by commas.
type sessionRequestQuery struct {
	Start            string            `url:"start_time"`
	End              string            `url:"end_time,omitempty"`
	Limit            int               `url:"limit,omitempty"`
	PageEndTime      string            `url:"page_end_time,omitempty"`
	PageID           string            `url:"page_request_id,omitempty"`
	RequestIDs       []string          `url:"request_id,omitempty,comma"`
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
	WallarmTraffic   []string          `url:"wallarm_traffic,omitempty,comma"`
	UserIDs          []string          `url:"user_attr_id,omitempty,comma"`
	UserNames        []string          `url:"user_attr_user,omitempty,comma"`
	UserRoles        []string          `url:"user_attr_role,omitempty,comma"`
	UserCredentials  []string          `url:"user_attr_credentials,omitempty,comma"`
	BotID            string            `url:"api_ap_bot_id,omitempty"`
	BotType          string            `url:"api_ap_bot_type,omitempty"`
	SessionsDisabled []bool            `url:"api_sessions_disabled,omitempty,comma"`
	WithAnyAttack    Opt[bool]         `url:"with_any_attack,omitempty"`
}

// query checks the filter and returns it as it travels.
func (f *SessionRequestFilter) query() (q sessionRequestQuery, err error) {
	if err := validateQueryFilter(*f); err != nil {
		return q, err
	}
	for _, list := range []struct {
		name   string
		values []string
	}{
		{"request_id", f.RequestIDs}, {"attack_type", texts(f.AttackTypes)}, {"business_contexts", texts(f.BusinessContexts)},
		{"country", f.Countries}, {"host", f.Hosts}, {"http_method", f.Methods}, {"ip", f.IPs}, {"uri", f.URIs},
		{"wallarm_traffic", f.WallarmTraffic}, {"user_attr_id", f.UserIDs}, {"user_attr_user", f.UserNames},
		{"user_attr_role", f.UserRoles}, {"user_attr_credentials", f.UserCredentials},
	} {
		if err := joinable("filter."+list.name, list.values); err != nil {
			return q, err
		}
	}
	q = sessionRequestQuery{
		RequestIDs: f.RequestIDs, ApplicationIDs: f.ApplicationIDs, EndpointIDs: f.EndpointIDs, StatusCodes: f.StatusCodes,
		AttackTypes: f.AttackTypes, BusinessContexts: f.BusinessContexts, Countries: f.Countries, Hosts: f.Hosts, Methods: f.Methods,
		IPs: f.IPs, URIs: f.URIs, WallarmTraffic: f.WallarmTraffic, UserIDs: f.UserIDs, UserNames: f.UserNames, UserRoles: f.UserRoles,
		UserCredentials: f.UserCredentials, BotID: f.BotID, BotType: f.BotType, SessionsDisabled: f.SessionsDisabled,
		WithAnyAttack: f.WithAnyAttack,
	}
	if q.Start, q.End, err = ends("filter.time", f.Time); err != nil {
		return q, err
	}
	if q.Start == "" {
		return q, invalid("filter.time", "it needs a beginning, such as that of the session")
	}
	return q, nil
}

func (s *APISessionsService) requests(sessionID string, filter SessionRequestFilter, opts []CallOption) *lister[SessionRequest] {
	key := func(r *SessionRequest) string { return keyCursor(r.Time, r.ID) }
	return &lister[SessionRequest]{
		client: s.client, op: apiSessionsListRequests, paging: byKey, usual: 100, most: 1000, careful: true, opts: opts,
		id: key, after: key,
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			q, err := filter.query()
			if err != nil {
				return args{}, err
			}
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "the list of requests has none")
			}
			if q.PageEndTime, q.PageID, err = openCursor(page.Cursor); err != nil {
				return args{}, err
			}
			q.Limit = page.Limit
			a, err := s.at(ctx, opts, sessionID)
			a.query = q
			return a, err
		},
	}
}

// ListRequests returns one page of the requests of a session that match filter, from page.Cursor on. filter.Time needs a beginning. The order
// is the route's own and not described.
//
// page.Limit is 100 by default; the largest one that the route takes is not known, more than 1000 are refused.
//
// GET /v1/traces/client/{client_id}/sessions/{id}/requests. Not documented by the vendor; that the next page begins behind the time of the last
// request is presumed. Replay class: read.
func (s *APISessionsService) ListRequests(
	ctx context.Context, sessionID string, filter SessionRequestFilter, page PageOptions, opts ...CallOption,
) (*Page[SessionRequest], error) {
	return s.requests(sessionID, filter, opts).page(ctx, page)
}

// AllRequests iterates over the requests of a session that match filter, in pages of 100 unless [PageSize] says otherwise.
//
// GET /v1/traces/client/{client_id}/sessions/{id}/requests. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) AllRequests(
	ctx context.Context, sessionID string, filter SessionRequestFilter, opts ...CallOption,
) iter.Seq2[SessionRequest, error] {
	return s.requests(sessionID, filter, opts).all(ctx, PageOptions{})
}

// RequestPages is AllRequests by pages, from start on.
func (s *APISessionsService) RequestPages(
	ctx context.Context, sessionID string, filter SessionRequestFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[SessionRequest], error] {
	return s.requests(sessionID, filter, opts).pages(ctx, start)
}

// CountRequests counts the requests of a session that match filter. filter.Time needs a beginning.
//
// GET /v1/traces/client/{client_id}/sessions/{id}/requests/count. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) CountRequests(ctx context.Context, sessionID string, filter SessionRequestFilter, opts ...CallOption) (int64, error) {
	q, err := filter.query()
	if err != nil {
		return 0, err
	}
	a, err := s.at(ctx, opts, sessionID)
	if err != nil {
		return 0, err
	}
	a.query = q
	return s.count(ctx, apiSessionsCountRequests, a, opts)
}

// GetRequest returns one request of a session. when is the Time of its row in the list, whose digits are sent back as they came.
//
// GET /v1/traces/client/{client_id}/sessions/{id}/requests/{req_id}. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) GetRequest(
	ctx context.Context, sessionID, requestID string, when Timestamp, opts ...CallOption,
) (*SessionRequestDetails, error) {
	if when.IsZero() {
		return nil, invalid("request_time", "it is required")
	}
	switch requestID {
	case "count", "export_csv":
		return nil, invalid("req_id", "%q is the name of another route", requestID)
	}
	a, err := s.at(ctx, opts, sessionID, requestID)
	if err != nil {
		return nil, err
	}
	a.query = url.Values{"request_time": {when.number()}}
	return get[SessionRequestDetails](ctx, s.client, apiSessionsGetRequest, a, opts)
}

// ExportRequestsCSV downloads all requests of a session as a CSV file. The caller closes it. The columns are not described; they
// hold data of users.
//
// GET /v1/traces/client/{client_id}/sessions/{id}/requests/export_csv. Not documented by the vendor. Replay class: read.
func (s *APISessionsService) ExportRequestsCSV(ctx context.Context, sessionID string, opts ...CallOption) (*Download, error) {
	a, err := s.at(ctx, opts, sessionID)
	if err != nil {
		return nil, err
	}
	return download(ctx, s.client, apiSessionsExportRequestsCSV, a, opts)
}
