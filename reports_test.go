package wallarm

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	reportFrom = time.Unix(1785542400, 0)
	reportTo   = time.Unix(1785628800, 0)

	_ = fixture(reportsList, func(ctx context.Context, c *Client) (any, error) {
		filter := ReportFilter{Format: ReportPDF, Touches: Between(reportFrom, reportTo), Covers: TimeRange{To: reportTo}}
		return c.Reports.List(ctx, filter, PageOptions{})
	})
	_ = fixture(reportsOrder, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Reports.Order(ctx, ReportOrder{
			From: reportFrom, To: reportTo, Format: ReportCSV, Filter: RawJSON(`{"type":["sqli"],"vulnid":null}`),
			Emails: []string{"soc@example.com"},
		})
	})
	_ = fixture(reportsDownload, func(ctx context.Context, c *Client) (any, error) { return c.Reports.Download(ctx, 31) })
)

func TestReportArguments(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`[]`))
	ctx := t.Context()
	for name, order := range map[string]ReportOrder{
		"no period":  {Format: ReportPDF},
		"open end":   {From: reportFrom, Format: ReportPDF},
		"open begin": {To: reportTo, Format: ReportPDF},
		"backwards":  {From: reportTo, To: reportFrom, Format: ReportPDF},
		"empty":      {From: reportTo, To: reportTo, Format: ReportPDF},
		"no format":  {From: reportFrom, To: reportTo},
		"bad filter": {From: reportFrom, To: reportTo, Format: ReportPDF, Filter: RawJSON(`{"a"`)},
		"bad email":  {From: reportFrom, To: reportTo, Format: ReportPDF, Emails: []string{"soc@example.com", "soc"}},
		"bad client": {From: reportFrom, To: reportTo, Format: ReportPDF, ClientID: -1},
	} {
		require.ErrorIs(t, client.Reports.Order(ctx, order), ErrInvalidArgument, name)
	}
	for name, filter := range map[string]ReportFilter{
		"backwards": {From: reportTo, To: reportFrom}, "client": {ClientID: -1},
		"touches": {Touches: Between(reportTo, reportFrom)}, "covers": {Covers: Between(reportTo, reportFrom)},
	} {
		_, err := client.Reports.List(ctx, filter, PageOptions{})
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	_, err := client.Reports.List(ctx, ReportFilter{}, PageOptions{Limit: 101})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Reports.Download(ctx, 0)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Empty(t, server.requests(), "nothing may be sent")
}

func TestReportDownloadSaysWhatItIs(t *testing.T) {
	file := readFixture(t, reportsDownload.name).Responses["pdf"]
	client, _ := newTestClient(t, alwaysAnswer(file.Text))
	download, err := client.Reports.Download(t.Context(), 31)
	require.NoError(t, err)
	defer download.Close()
	data, err := io.ReadAll(download)
	require.NoError(t, err)
	require.Equal(t, "application/pdf", download.ContentType, "sniffed by the test server")
	require.EqualValues(t, len(data), download.Size)
}

func TestReportFilterTravels(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`[]`))
	_, err := client.Reports.List(t.Context(), ReportFilter{ClientID: 4712, From: reportFrom, To: reportTo}, PageOptions{OrderBy: "time_to"})
	require.NoError(t, err)
	require.JSONEq(t, `{"filter":{"clientid":4712,"time_from":1785542400,"time_to":1785628800},
		"limit":100,"offset":0,"order_by":"time_to","order_desc":true}`, string(server.requests()[0].Body))
}
