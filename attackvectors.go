package wallarm

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	vectorsSchema = operation{"attack_vectors.schema", "GET", "/v1/client/{client_id}/attack-vectors/security-agg/query/schema", read, bare}
	vectorsQuery  = operation{"attack_vectors.query", "POST", "/v1/client/{client_id}/attack-vectors/security-agg/query", read, inData}
	vectorsList   = operation{"attack_vectors.list", "POST", "/v1/client/{client_id}/attack-vectors/by-group", read, inData}
	vectorsStats  = operation{"attack_vectors.stats", "POST", "/v1/client/{client_id}/attack-vectors/security-agg/stats", read, bare}
	vectorsExport = operation{"attack_vectors.export", "POST", "/v1/client/{client_id}/attack-vectors/security-agg/export", once, bare}
	vectorsMark   = operation{"attack_vectors.mark", "POST", "/v1/client/{client_id}/attack-vectors/mark", once, bare}
)

// inData is the envelope of the lists of the Attacks API.
const inData wire.Envelope = "data"

// AttackVectorsService reads attack vectors through the Attacks API: grouped freely, counted, and down to the single vector. A vector is one
// attack signature in one request.
type AttackVectorsService service

// WithTimeZone says in which time zone days begin, for absolute ranges of the Attacks API. The form of the name is not documented; names such
// as Europe/Berlin are the natural one.
func WithTimeZone(name string) CallOption {
	return func(s *callSettings) error {
		if strings.TrimSpace(name) == "" || name == "Local" {
			return invalid("time zone", "want a name such as Europe/Berlin")
		}
		return WithHeader("X-Time-Zone", name)(s)
	}
}

// AttackPeriod is the time that a query of the Attacks API looks at. [PastHours], [PastDays], [PastMonths] and [PeriodBetween] make one; the
// zero AttackPeriod is the last 24 hours.
type AttackPeriod struct {
	amount   int
	unit     string
	from, to time.Time
}

// PastHours is the last n hours, from 1 to 168.
func PastHours(n int) AttackPeriod { return AttackPeriod{amount: n, unit: "h"} }

// PastDays is the last n days, from 1 to 180.
func PastDays(n int) AttackPeriod { return AttackPeriod{amount: n, unit: "d"} }

// PastMonths is the last n months, from 1 to 6.
func PastMonths(n int) AttackPeriod { return AttackPeriod{amount: n, unit: "m"} }

// PeriodBetween is the time from from to to, at most six months. Both travel in whole seconds.
func PeriodBetween(from, to time.Time) AttackPeriod {
	return AttackPeriod{unit: "-", from: from, to: to}
}

// IsZero reports whether p is the API's default.
func (p AttackPeriod) IsZero() bool { return p.unit == "" }

// String returns the period as it travels, such as -7d or 1785542400-1785628800.
func (p AttackPeriod) String() string {
	switch p.unit {
	case "":
		return ""
	case "-":
		return fmt.Sprintf("%d-%d", p.from.Unix(), p.to.Unix())
	}
	return fmt.Sprintf("-%d%s", p.amount, p.unit)
}

// MarshalJSONTo writes the text form.
func (p AttackPeriod) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteToken(jsontext.String(p.String()))
}

func (p AttackPeriod) validate() error {
	most := map[string]int{"h": 168, "d": 180, "m": 6}[p.unit]
	switch {
	case p.unit == "":
	case p.unit == "-":
		// A month may have 31 days, so this refuses only what is too long in any case.
		if p.from.Unix() >= p.to.Unix() || p.from.Unix() < 0 || p.to.Sub(p.from) > 184*24*time.Hour {
			return invalid("time range", "want the beginning before the end, and at most six months between them")
		}
	case p.amount < 1 || p.amount > most:
		return invalid("time range", "%s is not between -1%s and -%d%s", p, p.unit, most, p.unit)
	}
	return nil
}

// AttackPreset is a ready-made grouping, or the name of a single column. New ones may appear, see [AttackSchema].
type AttackPreset string

const (
	// PresetType groups by attack type, and perhaps by parameter and host as well: sources disagree, so read the columns of the rows.
	PresetType AttackPreset = "type"
	// PresetSourceIP groups by source address.
	PresetSourceIP AttackPreset = "source_ip"
	// PresetNone does not group: rows are single attacks.
	PresetNone AttackPreset = "none"
)

// AttackOrder orders rows by a column.
type AttackOrder struct {
	Field AttackColumn `json:"field"`
	Desc  bool         `json:"desc"`
}

// AttackQuery says which rows to make of the vectors.
type AttackQuery struct {
	// Select are the columns to show: metrics and display columns, at least one. Without a metric among them, requests_count is added.
	Select []AttackColumn `json:"select"`
	// Preset is a ready-made grouping; GroupBy groups by columns. Only one of them can be given.
	Preset  AttackPreset   `json:"preset,omitzero"`
	GroupBy []AttackColumn `json:"group_by,omitempty"`
	// Where selects vectors, and by metrics rows. nil is no condition.
	Where   AttackWhere   `json:"where,omitzero"`
	OrderBy []AttackOrder `json:"order_by,omitempty"`
	Period  AttackPeriod  `json:"time_range,omitzero"`
}

func (q *AttackQuery) validate() error {
	switch {
	case len(q.Select) == 0:
		return invalid("select", "name at least one column")
	case q.Preset != "" && len(q.GroupBy) > 0:
		return invalid("group by", "it cannot be given together with a preset")
	}
	for _, columns := range [][]AttackColumn{q.Select, q.GroupBy} {
		for _, column := range columns {
			if column == "" {
				return invalid("query", "a column has no name")
			}
		}
	}
	for _, order := range q.OrderBy {
		if order.Field == "" {
			return invalid("order by", "a column has no name")
		}
	}
	if err := q.Period.validate(); err != nil {
		return err
	}
	return checkWhere(q.Where)
}

// AttackRow is a row of a query: the columns that were asked for, and those of the grouping.
type AttackRow struct {
	// ID identifies the group behind the row, for List and MarkGroup. It is opaque.
	ID string `json:"id"`
	// Columns are the other columns by their names, as they came. The methods of AttackRow read them.
	Columns Extra `json:",embed"`
}

// MarshalJSON writes the row with all its columns.
func (r AttackRow) MarshalJSON() ([]byte, error) {
	type plain AttackRow
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a row with all its columns.
func (r *AttackRow) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a row with all its columns.
func (r *AttackRow) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain AttackRow
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// Text returns a column as text: a text as it is, "" for null and for a column that the row lacks, anything else as JSON.
func (r *AttackRow) Text(column AttackColumn) string {
	raw, ok := r.raw(column)
	if !ok {
		return ""
	}
	return TermValue{raw}.String()
}

// raw returns a column as it came, under either of its names if it has two.
func (r *AttackRow) raw(column AttackColumn) (RawJSON, bool) {
	raw, ok := r.Columns[string(column)]
	if !ok {
		switch column {
		case ColumnPath:
			raw, ok = r.Columns["path"]
		case ColumnIPs:
			raw, ok = r.Columns["ip_addresses"]
		}
	}
	return raw, ok
}

// Label returns the readable form of a column's value, or the value if there is none.
func (r *AttackRow) Label(column AttackColumn) string {
	if label := r.Text(column + "_label"); label != "" {
		return label
	}
	return r.Text(column)
}

// Number returns a metric, and whether the row has it.
func (r *AttackRow) Number(column AttackColumn) (float64, bool) {
	return readColumn[float64](r, column)
}

// Int returns a metric of whole numbers, and whether the row has it.
func (r *AttackRow) Int(column AttackColumn) (int64, bool) { return readColumn[int64](r, column) }

// Time returns a column of times, and whether the row has it.
func (r *AttackRow) Time(column AttackColumn) (Timestamp, bool) {
	return readColumn[Timestamp](r, column)
}

// Sample returns a display column, and whether the row has it.
func (r *AttackRow) Sample(column AttackColumn) (ValueSample, bool) {
	return readColumn[ValueSample](r, column)
}

// Status returns what the nodes did with the requests of the row, "" if the column was not asked for.
func (r *AttackRow) Status() RowStatus { return RowStatus(r.Text(ColumnStatus)) }

func readColumn[T any](r *AttackRow, column AttackColumn) (T, bool) {
	var v, none T
	raw, ok := r.raw(column)
	if !ok || raw.Kind() == 'n' || wire.Unmarshal(raw, &v) != nil {
		return none, false
	}
	return v, true
}

// ValueSample is a display column: how many distinct values a row has, and some of them.
type ValueSample struct {
	Count  int64    `json:"count"`
	Values []string `json:"values"`
	Extra  Extra    `json:",embed"`
}

// RowStatus says what the nodes did with the requests of a row. New values may appear.
type RowStatus string

const (
	RowMonitoring       RowStatus = "Monitoring"
	RowBlocked          RowStatus = "Blocked"
	RowPartiallyBlocked RowStatus = "Partially Blocked"
)

// queryBody is the body of a query for one page.
type queryBody struct {
	AttackQuery
	Limit  int    `json:"limit,omitzero"`
	Cursor string `json:"cursor,omitzero"`
	Email  string `json:"email,omitzero"`
}

// rowKey is all that a row says. Its id alone would not do: that of the vendor's sample names the day only of a group by day and type.
func rowKey(r *AttackRow) string {
	data, err := wire.MarshalEcho(r)
	if err != nil || r.ID == "" {
		return ""
	}
	return digest(string(data))
}

func (s *AttackVectorsService) rows(query AttackQuery, opts []CallOption) *lister[AttackRow] {
	return &lister[AttackRow]{
		client: s.client, op: vectorsQuery, paging: byCursor, usual: 100, most: 100, id: rowKey, alike: true, opts: opts,
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if err := query.validate(); err != nil {
				return args{}, err
			}
			return s.pageArgs(ctx, page, queryBody{AttackQuery: query, Limit: page.Limit, Cursor: page.Cursor}, opts)
		},
	}
}

func (s *AttackVectorsService) pageArgs(ctx context.Context, page PageOptions, body any, opts []CallOption) (args, error) {
	if page.OrderBy != "" || page.Order != DefaultOrder {
		return args{}, invalid("order", "page options cannot order this list")
	}
	return s.withClient(ctx, body, opts)
}

// withClient makes the arguments of a call with a body.
func (s *AttackVectorsService) withClient(ctx context.Context, body any, opts []CallOption) (args, error) {
	id, err := s.client.ClientID(ctx, opts...)
	return args{path: []any{id}, body: body}, err
}

// Query returns one page of the rows of a query. [Page.Next] and [Page.Prev] lead to the pages around it, with the same query: a cursor is
// worth nothing with another one. page takes Limit, 100 by default and at most, and Cursor.
//
// POST /v1/client/{client_id}/attack-vectors/security-agg/query. Replay class: read.
func (s *AttackVectorsService) Query(ctx context.Context, query AttackQuery, page PageOptions, opts ...CallOption) (*Page[AttackRow], error) {
	return s.rows(query, opts).page(ctx, page)
}

// QueryAll iterates over all rows of a query. Nobody says that the ids of rows differ, so that rows which say the same are different ones, and [Resume]
// knows a row by all that it says: one whose numbers have changed meanwhile is a new one, and may come again. One that says the same as one of the last
// 64 that were handled, and stands on the page where it goes on, passes for that: ask for columns that tell rows apart.
//
// POST /v1/client/{client_id}/attack-vectors/security-agg/query. Replay class: read.
func (s *AttackVectorsService) QueryAll(ctx context.Context, query AttackQuery, opts ...CallOption) iter.Seq2[AttackRow, error] {
	return s.rows(query, opts).all(ctx, PageOptions{})
}

// QueryPages is QueryAll by pages, from start on.
func (s *AttackVectorsService) QueryPages(
	ctx context.Context, query AttackQuery, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[AttackRow], error] {
	return s.rows(query, opts).pages(ctx, start)
}

// Verdict is what somebody decided about an attack vector.
type Verdict string

const (
	// VerdictNone is no verdict. Marking with it takes a verdict back.
	VerdictNone          Verdict = ""
	VerdictTruePositive  Verdict = "tp"
	VerdictFalsePositive Verdict = "fp"
)

// AttackVector is one attack signature in one request.
type AttackVector struct {
	ID        string     `json:"vector_id"`
	RequestID string     `json:"request_id"`
	Type      AttackType `json:"type"`
	Host      string     `json:"host"`
	// Path is the path with its variable parts replaced by names such as {parameter_1}.
	Path   string `json:"normalized_path"`
	Method string `json:"method"`
	// Point is the attacked part of the request. The API writes it as one text, such as post.form.comment, which is then the name of
	// its only step.
	Point Point `json:"point,omitzero"`
	// Payloads are what the attacker sent.
	Payloads   []string `json:"payloads"`
	RemoteIPv4 string   `json:"remote_addr4,omitempty"`
	RemoteIPv6 string   `json:"remote_addr6,omitempty"`
	// Country is an ISO 3166-1 alpha-2 code, empty if unknown.
	Country     string      `json:"country,omitempty"`
	StatusCode  int64       `json:"response_status_code"`
	BlockStatus BlockStatus `json:"block_status,omitempty"`
	Time        Timestamp   `json:"request_time"`
	Mark        Verdict     `json:"mark"`
	// Extra holds all other members: the vendor's documentation speaks of metadata and classification without names.
	Extra Extra `json:",embed"`
}

// IP returns the source address.
func (v *AttackVector) IP() string {
	if v.RemoteIPv4 != "" {
		return v.RemoteIPv4
	}
	return v.RemoteIPv6
}

// MarshalJSON writes the vector: the members with a value, and all that no field is for.
func (v AttackVector) MarshalJSON() ([]byte, error) {
	type plain AttackVector
	return wire.MarshalEcho(plain(v))
}

// UnmarshalJSON reads a vector and keeps unknown members.
func (v *AttackVector) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, v) }

// UnmarshalJSONFrom reads a vector and keeps unknown members.
func (v *AttackVector) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain AttackVector
	return wire.UnmarshalDecode(d, (*plain)(v))
}

func (s *AttackVectorsService) vectors(group string, opts []CallOption) *lister[AttackVector] {
	return &lister[AttackVector]{
		client: s.client, op: vectorsList, paging: byCursor, usual: 100, most: 1000, opts: opts,
		id: func(v *AttackVector) string { return v.ID },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if group == "" {
				return args{}, invalid("group", "want the id of a row, see Query")
			}
			return s.pageArgs(ctx, page, struct {
				Group  string `json:"group_id"`
				Limit  int    `json:"limit"`
				Cursor string `json:"cursor,omitzero"`
			}{group, page.Limit, page.Cursor}, opts)
		},
	}
}

// List returns one page of the vectors of a group, which is the ID of an [AttackRow]. page takes Limit, 100 by default and at most 1000, and
// Cursor.
//
// POST /v1/client/{client_id}/attack-vectors/by-group. Replay class: read.
func (s *AttackVectorsService) List(ctx context.Context, group string, page PageOptions, opts ...CallOption) (*Page[AttackVector], error) {
	return s.vectors(group, opts).page(ctx, page)
}

// All iterates over the vectors of a group, in pages of 1000 unless [PageSize] says otherwise.
//
// POST /v1/client/{client_id}/attack-vectors/by-group. Replay class: read.
func (s *AttackVectorsService) All(ctx context.Context, group string, opts ...CallOption) iter.Seq2[AttackVector, error] {
	return s.vectors(group, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *AttackVectorsService) Pages(
	ctx context.Context, group string, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[AttackVector], error] {
	return s.vectors(group, opts).pages(ctx, start)
}

// AttackExport is a CSV file in the making.
type AttackExport struct {
	ID string `json:"export_id"`
	// Status is accepted.
	Status string `json:"status"`
	Extra  Extra  `json:",embed"`
}

// MarshalJSON writes the export: the members with a value, and all that no field is for.
func (x AttackExport) MarshalJSON() ([]byte, error) {
	type plain AttackExport
	return wire.MarshalEcho(plain(x))
}

// UnmarshalJSON reads an export and keeps unknown members.
func (x *AttackExport) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, x) }

// UnmarshalJSONFrom reads an export and keeps unknown members.
func (x *AttackExport) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain AttackExport
	return wire.UnmarshalDecode(d, (*plain)(x))
}

// Export makes a CSV file of all rows of a query and mails a link to email, valid for seven days. There is no way to ask how far it is. Each
// call that is accepted makes another file and sends another mail: after [ErrOutcomeUnknown], wait for the mail before you repeat it.
//
// POST /v1/client/{client_id}/attack-vectors/security-agg/export. Replay class: once.
func (s *AttackVectorsService) Export(ctx context.Context, query AttackQuery, email string, opts ...CallOption) (*AttackExport, error) {
	if err := query.validate(); err != nil {
		return nil, err
	}
	if name, host, found := strings.Cut(email, "@"); !found || name == "" || host == "" || strings.ContainsAny(email, " \t\r\n") {
		return nil, invalid("email", "want one address")
	}
	a, err := s.withClient(ctx, queryBody{AttackQuery: query, Email: email}, opts)
	if err != nil {
		return nil, err
	}
	return get[AttackExport](ctx, s.client, vectorsExport, a, opts)
}

// MarkResult tells how much was marked.
type MarkResult struct {
	// Count is the number of vectors that were marked.
	Count int64 `json:"marked_count"`
	Extra Extra `json:",embed"`
}

// MarshalJSON writes the result: the members with a value, and all that no field is for.
func (m MarkResult) MarshalJSON() ([]byte, error) {
	type plain MarkResult
	return wire.MarshalEcho(plain(m))
}

// UnmarshalJSON reads a result and keeps unknown members.
func (m *MarkResult) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, m) }

// UnmarshalJSONFrom reads a result and keeps unknown members.
func (m *MarkResult) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain MarkResult
	return wire.UnmarshalDecode(d, (*plain)(m))
}

// markBody is the body of Mark: exactly one of the first three is set.
type markBody struct {
	Group    string   `json:"group_id,omitzero"`
	Vectors  []string `json:"vector_ids,omitzero"`
	Requests []string `json:"request_ids,omitzero"`
	Mark     Verdict  `json:"mark"`
}

// MarkGroup gives all vectors of a group a verdict, or takes it back with VerdictNone. It changes what lists and statistics show, and nothing that
// nodes detect. The group is the ID of an [AttackRow].
//
// The result of a repeat is the same, with the exception that a false positive also corrects sessions in a way that is not documented: say
// [WithReplayClass] with ReplayIdempotent to have it repeated.
//
// POST /v1/client/{client_id}/attack-vectors/mark. Replay class: idempotent for VerdictTruePositive and VerdictNone, else once.
func (s *AttackVectorsService) MarkGroup(ctx context.Context, group string, verdict Verdict, opts ...CallOption) (*MarkResult, error) {
	if group == "" {
		return nil, invalid("group", "want the id of a row, see Query")
	}
	return s.mark(ctx, markBody{Group: group, Mark: verdict}, opts)
}

// Mark is [AttackVectorsService.MarkGroup] for vectors, by their ids.
//
// POST /v1/client/{client_id}/attack-vectors/mark. Replay class: that of MarkGroup.
func (s *AttackVectorsService) Mark(ctx context.Context, ids []string, verdict Verdict, opts ...CallOption) (*MarkResult, error) {
	if err := checkIDs("vectors", ids); err != nil {
		return nil, err
	}
	return s.mark(ctx, markBody{Vectors: ids, Mark: verdict}, opts)
}

// MarkRequests is [AttackVectorsService.MarkGroup] for all vectors in requests, by the ids of these.
//
// POST /v1/client/{client_id}/attack-vectors/mark. Replay class: that of MarkGroup.
func (s *AttackVectorsService) MarkRequests(ctx context.Context, requestIDs []string, verdict Verdict, opts ...CallOption) (*MarkResult, error) {
	if err := checkIDs("requests", requestIDs); err != nil {
		return nil, err
	}
	return s.mark(ctx, markBody{Requests: requestIDs, Mark: verdict}, opts)
}

func checkIDs(name string, ids []string) error {
	if len(ids) == 0 {
		return invalid(name, "there are none")
	}
	for _, id := range ids {
		if id == "" {
			return invalid(name, "an id is empty")
		}
	}
	return nil
}

func (s *AttackVectorsService) mark(ctx context.Context, body markBody, opts []CallOption) (*MarkResult, error) {
	a, err := s.withClient(ctx, body, opts)
	if err != nil {
		return nil, err
	}
	op := vectorsMark
	if body.Mark == VerdictTruePositive || body.Mark == VerdictNone {
		op.replay = idempotent
	}
	return get[MarkResult](ctx, s.client, op, a, opts)
}
