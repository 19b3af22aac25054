package wallarm

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	reportsOrder    = operation{"reports.order", "POST", "/v1/objects/report/request", once, noAnswer}
	reportsList     = operation{"reports.list", "POST", "/v1/objects/report/list", read, inBody}
	reportsDownload = operation{"reports.download", "POST", "/v1/objects/report", read, stream}
)

// ReportsService orders, lists and downloads reports on attacks, incidents and vulnerabilities. The service makes a report in its own time and
// mails it. A CSV report holds at most 10,000 events; the last three PDF reports can be downloaded for six months.
//
// All of its calls are known from the Console's API description only.
type ReportsService service

// Report is a report that was made.
type Report struct {
	ID       int64 `json:"id"`
	ClientID int64 `json:"clientid"`
	// From and To are the ends of the reported period.
	From   Timestamp    `json:"time_from"`
	To     Timestamp    `json:"time_to"`
	Format ReportFormat `json:"format"`
	Extra  Extra        `json:",embed"`
}

// MarshalJSON writes the report: the members with a value, and all that no field is for.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a report and keeps unknown members.
func (r *Report) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a report and keeps unknown members.
func (r *Report) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Report
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// ReportFormat is the format of a report. New values may appear.
type ReportFormat string

const (
	ReportPDF  ReportFormat = "pdf"
	ReportMail ReportFormat = "mail"
	ReportCSV  ReportFormat = "csv"
	ReportJSON ReportFormat = "json"
)

// ReportOrder says which report to make.
type ReportOrder struct {
	// ClientID is the tenant; by default the one that the client works for.
	ClientID int64
	// From and To are the ends of the reported period. Both are required, and From comes first.
	From, To time.Time
	// Format is required.
	Format ReportFormat
	// Filter narrows what is reported. Its form is not documented; the filters of attacks are the natural guess.
	Filter RawJSON
	// Emails are the recipients.
	Emails []string
}

func (o *ReportOrder) validate() error {
	switch {
	case o.ClientID < 0:
		return invalid("order.client id", "%d is not positive", o.ClientID)
	case o.From.IsZero() || o.To.IsZero():
		return invalid("order.period", "both ends are required")
	case !o.From.Before(o.To):
		return invalid("order.period", "it ends (%s) before it begins (%s)", o.To.Format(time.RFC3339), o.From.Format(time.RFC3339))
	case o.Format == "":
		return invalid("order.format", "it is empty")
	case o.Filter != nil && !o.Filter.IsValid():
		return invalid("order.filter", "it is no JSON")
	}
	for _, email := range o.Emails {
		if name, host, ok := strings.Cut(email, "@"); !ok || name == "" || host == "" {
			return invalid("order.emails", "%q is no address", clip(email))
		}
	}
	return nil
}

// reportOrderBody is the body of an order.
type reportOrderBody struct {
	ClientID int64        `json:"clientid"`
	From     Timestamp    `json:"time_from"`
	To       Timestamp    `json:"time_to"`
	Format   ReportFormat `json:"format"`
	Filter   RawJSON      `json:"extra_filter,omitzero"`
	Emails   []string     `json:"emails,omitzero"`
}

// Order orders a report. The answer names no id: once it is made, the report is found by its period and format with [ReportsService.List].
// Each order makes, and mails, another report.
//
// POST /v1/objects/report/request. Replay class: once.
func (s *ReportsService) Order(ctx context.Context, order ReportOrder, opts ...CallOption) error {
	if err := order.validate(); err != nil {
		return err
	}
	clientID, err := s.clientID(ctx, order.ClientID, opts)
	if err != nil {
		return err
	}
	body := reportOrderBody{clientID, At(order.From), At(order.To), order.Format, order.Filter, order.Emails}
	return run(ctx, s.client, reportsOrder, args{body: body}, opts)
}

func (s *ReportsService) clientID(ctx context.Context, id int64, opts []CallOption) (int64, error) {
	if id > 0 {
		return id, nil
	}
	return s.client.ClientID(ctx, opts...)
}

// ReportFilter selects reports. A zero field is no condition. The description of the route marks ClientID, From, To and Format as required, which
// is probably a mistake of the description: it shares them with the order.
type ReportFilter struct {
	// ClientID is the tenant; by default the one that the client works for.
	ClientID int64
	// From and To are the ends of the reported period.
	From, To time.Time
	Format   ReportFormat
	// Touches selects the reports whose period has something in common with a range.
	Touches TimeRange
	// Covers selects the reports whose period covers all of a range.
	Covers TimeRange
}

// reportFilterBody is a filter as it travels.
type reportFilterBody struct {
	ClientID int64        `json:"clientid"`
	From     Timestamp    `json:"time_from,omitzero"`
	To       Timestamp    `json:"time_to,omitzero"`
	Format   ReportFormat `json:"format,omitzero"`
	Touches  TimeRange    `json:"time,omitzero"`
	Covers   TimeRange    `json:"time_range,omitzero"`
}

func (s *ReportsService) prepared(ctx context.Context, f ReportFilter, opts []CallOption) (b reportFilterBody, err error) {
	switch {
	case f.ClientID < 0:
		return b, invalid("filter.client id", "%d is not positive", f.ClientID)
	case !f.From.IsZero() && !f.To.IsZero() && f.To.Before(f.From):
		return b, invalid("filter.period", "it ends (%s) before it begins (%s)", f.To.Format(time.RFC3339), f.From.Format(time.RFC3339))
	}
	if err = f.Touches.validate("filter.touches"); err != nil {
		return b, err
	}
	if err = f.Covers.validate("filter.covers"); err != nil {
		return b, err
	}
	b = reportFilterBody{0, At(f.From), At(f.To), f.Format, f.Touches, f.Covers}
	b.ClientID, err = s.clientID(ctx, f.ClientID, opts)
	return b, err
}

func (s *ReportsService) offsetList(filter ReportFilter, opts []CallOption) *lister[Report] {
	return &lister[Report]{
		// No maximum is stated, so nothing above the default limit is asked for: a page cut short would pass for the last one.
		client: s.client, op: reportsList, paging: byOffset, usual: 100, most: 100, opts: opts,
		id: func(r *Report) string { return idText(r.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			f, err := s.prepared(ctx, filter, opts)
			return args{body: offsetBody(f, page, "id", true)}, err
		},
	}
}

// List returns one page of the reports that match filter, newest first unless page says otherwise.
//
// page.Limit is 100, by default and at most; page.OrderBy takes id, clientid, format, time, time_range, time_to and time_from.
//
// POST /v1/objects/report/list. Replay class: read.
func (s *ReportsService) List(ctx context.Context, filter ReportFilter, page PageOptions, opts ...CallOption) (*Page[Report], error) {
	return s.offsetList(filter, opts).page(ctx, page)
}

// All iterates over the reports that match filter, newest first, in pages of 100.
//
// POST /v1/objects/report/list. Replay class: read.
func (s *ReportsService) All(ctx context.Context, filter ReportFilter, opts ...CallOption) iter.Seq2[Report, error] {
	return s.offsetList(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *ReportsService) Pages(
	ctx context.Context, filter ReportFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[Report], error] {
	return s.offsetList(filter, opts).pages(ctx, start)
}

// reportID is the body of a download.
type reportID struct {
	ID int64 `json:"id"`
}

// Download opens the file of a report; the caller closes it. Its ContentType tells PDF, JSON, HTML and plain text apart: which format of a report
// comes as which type is not documented.
//
// POST /v1/objects/report. Replay class: read.
func (s *ReportsService) Download(ctx context.Context, id int64, opts ...CallOption) (*Download, error) {
	if err := positiveIDs("id", []int64{id}); err != nil {
		return nil, err
	}
	return download(ctx, s.client, reportsDownload, args{body: reportID{id}}, opts)
}
