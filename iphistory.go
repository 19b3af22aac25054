package wallarm

import (
	"cmp"
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	ipListsHistory = operation{"iplists.history", "GET", "/v3/blacklist/history", read, inObjects}
	ipListsEvents  = operation{"iplists.events", "GET", "/v3/blacklist/events", read, inObjects}
)

// DenyRecord is a record of the history of the deny list, or of its changes. The vendor describes no member of it: those that the filters
// name have fields, and all others are in Extra.
type DenyRecord struct {
	IP       string `json:"ip,omitempty"`
	ClientID int64  `json:"clientid,omitzero"`
	// ApplicationID is the application, 0 for all of them; nil if none was given.
	ApplicationID *int64 `json:"poolid,omitzero"`
	// Type is the kind of a change; it is empty in the history.
	Type  DenyEventType `json:"type,omitempty"`
	Extra Extra         `json:",embed"`
}

// MarshalJSON writes the record: the members with a value, and all that no field is for.
func (r DenyRecord) MarshalJSON() ([]byte, error) {
	type plain DenyRecord
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a record and keeps unknown members.
func (r *DenyRecord) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a record and keeps unknown members.
func (r *DenyRecord) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain DenyRecord
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// DenyEventType is the kind of a change of the deny list. New values may appear.
type DenyEventType string

const (
	DenyEventBlock      DenyEventType = "block"
	DenyEventUnblock    DenyEventType = "unblock"
	DenyEventChangeTime DenyEventType = "change_time"
	DenyEventMark       DenyEventType = "mark"
	DenyEventUnmark     DenyEventType = "unmark"
)

// DenyHistoryFilter selects records of the deny list's history. A zero field is no condition.
type DenyHistoryFilter struct {
	// Time is one span. The service keeps three months.
	Time TimeRange
	// ApplicationID is an application.
	ApplicationID Opt[int64]
	IP            string
	// AttackDelay travels as attack_delay, in seconds by the looks of it: samples have 600, nobody explains it. 0 sends none, parts of
	// a second are refused.
	AttackDelay time.Duration
}

// DenyEventFilter selects changes of the deny list. A zero field is no condition.
type DenyEventFilter struct {
	// Time is one span.
	Time          TimeRange
	Types         []DenyEventType
	ApplicationID Opt[int64]
	IP            string
	// AlwaysContinuation asks for a continuation with the last page too. [Page.Next] then holds it in Cursor although [Page.More] is false: the
	// place from which to ask for later changes.
	AlwaysContinuation bool
}

// denyList is the list behind both routes. query is what filter says, but for span.
func (s *IPListsService) denyList(op operation, filter any, query url.Values, span TimeRange, from, to string, opts []CallOption) *lister[DenyRecord] {
	return &lister[DenyRecord]{
		client: s.client, op: op, paging: byCursor, usual: 100, most: 1000, opts: opts,
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			spans := span.spans()
			switch {
			case page.OrderBy != "" || page.Order != DefaultOrder:
				return args{}, invalid("order", "%s has none", op.name)
			case len(spans) > 1:
				return args{}, invalid("filter.time", "the route takes one span")
			}
			if err := cmp.Or(validateQueryFilter(filter), span.validate("filter.time")); err != nil {
				return args{}, err
			}
			id, err := s.client.ClientID(ctx, opts...)
			if err != nil {
				return args{}, err
			}
			q := url.Values{"filter[clientid]": {strconv.FormatInt(id, 10)}, "limit": {strconv.Itoa(page.Limit)}}
			for name, values := range query {
				q[name] = values
			}
			setText(q, "continuation", page.Cursor)
			for _, span := range spans {
				setText(q, from, unixText(span.From))
				setText(q, to, unixText(span.To))
			}
			return args{query: q}, nil
		},
	}
}

// denyQuery is what the filters of both routes have in common.
func denyQuery(ip string, application Opt[int64]) url.Values {
	q := url.Values{}
	setText(q, "filter[ip]", ip)
	if id, ok := application.Get(); ok {
		q.Set("filter[poolid]", strconv.FormatInt(id, 10))
	}
	return q
}

func setText(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

func (s *IPListsService) history(filter DenyHistoryFilter, opts []CallOption) *lister[DenyRecord] {
	q := denyQuery(filter.IP, filter.ApplicationID)
	if filter.AttackDelay > 0 {
		q.Set("attack_delay", strconv.FormatInt(int64(filter.AttackDelay/time.Second), 10))
	}
	l := s.denyList(ipListsHistory, filter, q, filter.Time, "filter[start_time]", "filter[end_time]", opts)
	if delay := filter.AttackDelay; delay < 0 || delay%time.Second != 0 {
		l.request = func(context.Context, PageOptions, time.Time) (args, error) {
			return args{}, invalid("filter.attack_delay", "%v is no whole number of seconds", delay)
		}
	}
	return l
}

// History returns one page of what was in the deny list, from page.Cursor on.
//
// page.Limit is 100 by default and at most 1000; the list takes no order.
//
// GET /v3/blacklist/history: an old route for single addresses, without a documented successor. Replay class: read.
func (s *IPListsService) History(ctx context.Context, filter DenyHistoryFilter, page PageOptions, opts ...CallOption) (*Page[DenyRecord], error) {
	return s.history(filter, opts).page(ctx, page)
}

// AllHistory iterates over what was in the deny list. See [IPListsService.History]. Records have no ids: [Resume] goes on by their
// number within a page, and leaves one out for each that was handled and has left that page since.
//
// GET /v3/blacklist/history. Replay class: read.
func (s *IPListsService) AllHistory(ctx context.Context, filter DenyHistoryFilter, opts ...CallOption) iter.Seq2[DenyRecord, error] {
	return s.history(filter, opts).all(ctx, PageOptions{})
}

// PagesHistory is AllHistory by pages, from start on.
func (s *IPListsService) PagesHistory(
	ctx context.Context, filter DenyHistoryFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[DenyRecord], error] {
	return s.history(filter, opts).pages(ctx, start)
}

func (s *IPListsService) events(filter DenyEventFilter, opts []CallOption) *lister[DenyRecord] {
	q := denyQuery(filter.IP, filter.ApplicationID)
	for _, event := range filter.Types {
		q.Add("filter[type][]", string(event))
	}
	if filter.AlwaysContinuation {
		q.Set("always_continuation", "true")
	}
	return s.denyList(ipListsEvents, filter, q, filter.Time, "filter[time_from]", "filter[time_to]", opts)
}

// Events returns one page of the changes of the deny list, from page.Cursor on.
//
// page.Limit is 100 by default and at most 1000; the list takes no order.
//
// GET /v3/blacklist/events: an old route for single addresses, known from the vendor's API Console only, without a documented successor; its
// answer is not described. Replay class: read.
func (s *IPListsService) Events(ctx context.Context, filter DenyEventFilter, page PageOptions, opts ...CallOption) (*Page[DenyRecord], error) {
	return s.events(filter, opts).page(ctx, page)
}

// AllEvents iterates over the changes of the deny list. See [IPListsService.Events]. Records have no ids: [Resume] goes on by their
// number within a page, and leaves one out for each that was handled and has left that page since.
//
// GET /v3/blacklist/events. Replay class: read.
func (s *IPListsService) AllEvents(ctx context.Context, filter DenyEventFilter, opts ...CallOption) iter.Seq2[DenyRecord, error] {
	return s.events(filter, opts).all(ctx, PageOptions{})
}

// PagesEvents is AllEvents by pages, from start on.
func (s *IPListsService) PagesEvents(
	ctx context.Context, filter DenyEventFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[DenyRecord], error] {
	return s.events(filter, opts).pages(ctx, start)
}
