package wallarm

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	activityFilters = operation{"activitylog.filter_values", "GET", "/v1/activity_log/events_get_filters", read, inBody}
	activityList    = operation{"activitylog.list", "GET", "/v1/activity_log/{client_id}/events", read, inObjects}
	activityGet     = operation{"activitylog.get", "GET", "/v1/activity_log/{client_id}/events/{id}", read, inObjects}
)

// ActivityLogService reads who changed what. Administrators and Read Only users may; the service keeps six months on paid plans and three
// on free ones.
type ActivityLogService service

// ActivityEvent is one change.
type ActivityEvent struct {
	ID   uint64    `json:"id"`
	Time Timestamp `json:"time"`
	// Action and ObjectType are labels for people, such as "Update" and "API token"; Object types for programs stand in ObjectTypeInfo. Neither
	// is what an [ActivityFilter] takes.
	Action     string `json:"action_type"`
	ObjectType string `json:"object_type"`
	// ObjectTypeInfo is nil if the answer has none.
	ObjectTypeInfo *ActivityObjectTypeInfo `json:"object_type_info,omitzero"`
	Outcome        ActivityOutcome         `json:"outcome"`
	Source         ActivitySource          `json:"source"`
	ClientID       int64                   `json:"client_id"`
	// Initiator is who did it; nil if unknown.
	Initiator *ActivityInitiator `json:"initiator,omitzero"`
	// ObjectID is the id of what was changed, as a text whatever kind of id it is; "" if it has none.
	ObjectID    string          `json:"object_id,omitempty"`
	Object      *ActivityObject `json:"object,omitzero"`
	Description string          `json:"description,omitempty"`
	// ChangedFields are the names of the members that changed.
	ChangedFields []string `json:"changed_fields,omitzero"`
	// Diff, StateBefore and StateAfter have another form for each kind of object, and may repeat its secrets: they show nothing of themselves
	// in package fmt and in slog, but encoding/json writes them, so that an export of the log is complete.
	Diff        SensitiveJSON `json:"diff,omitzero"`
	StateBefore SensitiveJSON `json:"state_before_action,omitzero"`
	StateAfter  SensitiveJSON `json:"state_after_action,omitzero"`
	Extra       Extra         `json:",embed"`
}

// ActivityObjectTypeInfo names a kind of object twice: for people and for programs.
type ActivityObjectTypeInfo struct {
	Label string             `json:"label"`
	Value ActivityObjectType `json:"value"`
	Extra Extra              `json:",embed"`
}

// ActivityInitiator is who made a change.
type ActivityInitiator struct {
	// ID is that of a user, or of a node if the source is [ActivityFromNode]; 0 if unknown.
	ID       int64 `json:"id,omitzero"`
	ClientID int64 `json:"client_id,omitzero"`
	// Name is that of the user or node; the vendor's staff appear as "Technical support".
	Name  string `json:"name,omitempty"`
	Extra Extra  `json:",embed"`
}

// ActivityObject describes what was changed.
type ActivityObject struct {
	Name  string `json:"name,omitempty"`
	Info  string `json:"info,omitempty"`
	Extra Extra  `json:",embed"`
}

// MarshalJSON writes the event: the members with a value, and all that no field is for.
func (a ActivityEvent) MarshalJSON() ([]byte, error) {
	type plain ActivityEvent
	return wire.MarshalEcho(plain(a))
}

// UnmarshalJSON reads an event and keeps unknown members.
func (a *ActivityEvent) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, a) }

// UnmarshalJSONFrom reads an event and keeps unknown members.
func (a *ActivityEvent) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain ActivityEvent
	return wire.UnmarshalDecode(d, (*plain)(a))
}

// LogValue tells who did what to which object, and nothing of the data.
func (a ActivityEvent) LogValue() slog.Value {
	initiator := ActivityInitiator{}
	if a.Initiator != nil {
		initiator = *a.Initiator
	}
	return slog.GroupValue(
		slog.Uint64("id", a.ID), slog.Time("time", a.Time.Time), slog.String("action", a.Action), slog.String("object_type", a.ObjectType),
		slog.String("object_id", a.ObjectID), slog.String("outcome", string(a.Outcome)), slog.String("source", string(a.Source)),
		slog.Int64("client_id", a.ClientID), slog.Int64("initiator_id", initiator.ID), slog.String("initiator", initiator.Name),
	)
}

// SensitiveJSON is a JSON value that may hold secrets. It shows itself as "[redacted]" in every verb of package fmt and in slog;
// [SensitiveJSON.Reveal] returns it, and encoding it as JSON writes it as it was received. The zero SensitiveJSON is no value.
type SensitiveJSON struct{ text Secret }

// Reveal returns the JSON, nil if there is none.
func (s SensitiveJSON) Reveal() RawJSON {
	if s.IsZero() {
		return nil
	}
	return RawJSON(s.text.Reveal())
}

// Decode decodes the JSON into v.
func (s SensitiveJSON) Decode(v any) error {
	if s.IsZero() {
		return fmt.Errorf("wallarm: %w: there is no JSON to decode", ErrResponse)
	}
	return wire.Unmarshal(s.Reveal(), v)
}

// IsZero reports whether there is no value.
func (s SensitiveJSON) IsZero() bool { return s.text.IsZero() }

// String returns "[redacted]", or "" if there is no value.
func (s SensitiveJSON) String() string {
	if s.IsZero() {
		return ""
	}
	return masked
}

// GoString is [SensitiveJSON.String] for the verb %#v.
func (s SensitiveJSON) GoString() string { return fmt.Sprintf("wallarm.SensitiveJSON(%q)", s.String()) }

// Format is [SensitiveJSON.String] for every other verb.
func (s SensitiveJSON) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		fmt.Fprint(f, s.GoString())
		return
	}
	fmt.Fprint(f, s.String())
}

// LogValue is [SensitiveJSON.String] for slog.
func (s SensitiveJSON) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSONTo writes the value, or null.
func (s SensitiveJSON) MarshalJSONTo(e *jsontext.Encoder) error {
	if s.IsZero() {
		return e.WriteToken(jsontext.Null)
	}
	return e.WriteValue(jsontext.Value(s.text.Reveal()))
}

// UnmarshalJSONFrom keeps a value as it is; null is no value.
func (s *SensitiveJSON) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	*s = SensitiveJSON{}
	if value.Kind() != 'n' {
		s.text = SecretOf(string(value))
	}
	return err
}

// MarshalJSON writes the value, or null.
func (s SensitiveJSON) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return []byte("null"), nil
	}
	return []byte(s.text.Reveal()), nil
}

// UnmarshalJSON keeps a value as it is.
func (s *SensitiveJSON) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// ActivityObjectType is a kind of object, as filters take it. Only these values are known; the others come from
// [ActivityLogService.FilterValues].
type ActivityObjectType string

const (
	ActivityOfClient   ActivityObjectType = "client"
	ActivityOfUser     ActivityObjectType = "user"
	ActivityOfAPIToken ActivityObjectType = "api_token"
)

// ActivityAction is a kind of change, as filters take it. New ones may appear.
type ActivityAction string

const (
	ActivityCreate     ActivityAction = "create"
	ActivityUpdate     ActivityAction = "update"
	ActivityDelete     ActivityAction = "delete"
	ActivityModeChange ActivityAction = "mode_change"
)

// ActivityOutcome says whether a change came about. New ones may appear.
type ActivityOutcome string

const (
	ActivitySuccess ActivityOutcome = "success"
	ActivityFailure ActivityOutcome = "failure"
)

// ActivitySource says by which way a change was made. New ones may appear.
type ActivitySource string

const (
	ActivityFromUnknown  ActivitySource = "unknown"
	ActivityFromConsole  ActivitySource = "ui_page"
	ActivityFromNode     ActivitySource = "node"
	ActivityFromAPIToken ActivitySource = "api_token"
)

// ActivityFilterValues are the values that an [ActivityFilter] may take at present.
type ActivityFilterValues struct {
	ObjectTypes []ActivityObjectTypeInfo `json:"object_types"`
	Actions     []ActivityActionInfo     `json:"action_types"`
	Outcomes    []ActivityOutcome        `json:"outcomes"`
	Sources     []ActivitySource         `json:"sources"`
	Extra       Extra                    `json:",embed"`
}

// ActivityActionInfo names a kind of change twice: for people and for programs.
type ActivityActionInfo struct {
	Label string         `json:"label"`
	Value ActivityAction `json:"value"`
	Extra Extra          `json:",embed"`
}

// MarshalJSON writes the values: the members with a value, and all that no field is for.
func (v ActivityFilterValues) MarshalJSON() ([]byte, error) {
	type plain ActivityFilterValues
	return wire.MarshalEcho(plain(v))
}

// UnmarshalJSON reads the values and keeps unknown members.
func (v *ActivityFilterValues) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, v) }

// UnmarshalJSONFrom reads the values and keeps unknown members.
func (v *ActivityFilterValues) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain ActivityFilterValues
	return wire.UnmarshalDecode(d, (*plain)(v))
}

// FilterValues returns what an [ActivityFilter] may ask for: most kinds of objects are not published otherwise.
//
// GET /v1/activity_log/events_get_filters. Replay class: read.
func (s *ActivityLogService) FilterValues(ctx context.Context, opts ...CallOption) (*ActivityFilterValues, error) {
	return get[ActivityFilterValues](ctx, s.client, activityFilters, args{}, opts)
}

// ActivityFilter selects events. A zero field is no condition; conditions on different fields must all hold, values of one field are
// alternatives.
type ActivityFilter struct {
	// Time is when the change was made: one span. With an open end, an iterator closes it at its own start, from the second page on, so that
	// new events do not shift the pages.
	Time        TimeRange
	ObjectTypes []ActivityObjectType
	Actions     []ActivityAction
	Outcomes    []ActivityOutcome
	Sources     []ActivitySource
	// ActorIDs are ids of users or nodes.
	ActorIDs []int64
}

func (f *ActivityFilter) values(until time.Time) (url.Values, error) {
	if err := validateQueryFilter(*f); err != nil {
		return nil, err
	}
	if err := f.Time.validate("filter.time"); err != nil {
		return nil, err
	}
	spans := f.Time.spans()
	if len(spans) > 1 {
		return nil, invalid("filter.time", "the activity log takes one span at a time")
	}
	v := url.Values{}
	addTexts(v, "filter[object_types][]", f.ObjectTypes)
	addTexts(v, "filter[action_types][]", f.Actions)
	addTexts(v, "filter[outcomes][]", f.Outcomes)
	addTexts(v, "filter[sources][]", f.Sources)
	for _, id := range f.ActorIDs {
		v.Add("filter[actor_ids][]", strconv.FormatInt(id, 10))
	}
	if !until.IsZero() {
		spans = f.Time.until(until).spans()
	}
	for _, span := range spans {
		if !span.From.IsZero() {
			v.Set("filter[time_start]", strconv.FormatInt(span.From.Unix(), 10))
		}
		if !span.To.IsZero() {
			v.Set("filter[time_end]", strconv.FormatInt(span.To.Unix(), 10))
		}
	}
	return v, nil
}

func addTexts[T ~string](v url.Values, name string, texts []T) {
	for _, text := range texts {
		v.Add(name, string(text))
	}
}

func (s *ActivityLogService) list(filter ActivityFilter, opts []CallOption) *lister[ActivityEvent] {
	return &lister[ActivityEvent]{
		client: s.client, op: activityList, paging: byOffset, usual: 50, most: 100, opts: opts,
		id: func(a *ActivityEvent) string { return idText(a.ID) },
		at: func(a *ActivityEvent) time.Time { return a.Time.Time },
		request: func(ctx context.Context, page PageOptions, until time.Time) (args, error) {
			if !page.isNewestFirst("timestamp") {
				until = time.Time{}
			}
			v, err := filter.values(until)
			if err != nil {
				return args{}, err
			}
			client, err := s.client.ClientID(ctx, opts...)
			return args{path: []any{client}, query: addPage(v, page, "timestamp", true)}, err
		},
	}
}

// List returns one page of the events of the tenant that match filter, newest first unless page says otherwise. page takes Limit (default
// 50, at most 100: the API's own bound is not known), Offset, Order and OrderBy, of which only timestamp is known.
//
// GET /v1/activity_log/{client_id}/events. Replay class: read.
func (s *ActivityLogService) List(ctx context.Context, filter ActivityFilter, page PageOptions, opts ...CallOption) (*Page[ActivityEvent], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the events of the tenant that match filter, newest first.
//
// GET /v1/activity_log/{client_id}/events. Replay class: read.
func (s *ActivityLogService) All(ctx context.Context, filter ActivityFilter, opts ...CallOption) iter.Seq2[ActivityEvent, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *ActivityLogService) Pages(ctx context.Context, filter ActivityFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[ActivityEvent], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Get returns one event by its id, or [ErrNotFound].
//
// GET /v1/activity_log/{client_id}/events/{id}. Replay class: read.
func (s *ActivityLogService) Get(ctx context.Context, id uint64, opts ...CallOption) (*ActivityEvent, error) {
	client, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	// The event is wrapped like a list; whether it is a list of one or the event itself, a list reads it.
	events, err := do[[]ActivityEvent](ctx, s.client, activityGet, args{path: []any{client, id}}, opts)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, notFound(activityGet, 200)
	}
	return &events[0], nil
}
