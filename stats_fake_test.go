package wallarm_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestReportLife(t *testing.T) {
	t.Parallel()
	cloud, client := insightCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	cloud.SeedAttacks(wallarmtest.Attack{Type: "xss", Time: insightNoon.Add(-time.Hour)})
	order := wallarm.ReportOrder{
		From: insightNoon.Add(-24 * time.Hour), To: insightNoon, Format: wallarm.ReportCSV,
		Filter: wallarm.RawJSON(`{"vulnid":null}`), Emails: []string{"soc@example.com"},
	}
	require.NoError(t, client.Reports.Order(ctx, order))
	order.Format = wallarm.ReportPDF
	require.NoError(t, client.Reports.Order(ctx, order))

	page, err := client.Reports.List(ctx, wallarm.ReportFilter{From: order.From, To: order.To, Format: wallarm.ReportCSV}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.True(t, page.Items[0].To.Equal(insightNoon))
	file, err := client.Reports.Download(ctx, page.Items[0].ID)
	require.NoError(t, err)
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Equal(t, 2, strings.Count(string(data), "\n"))
	require.Contains(t, file.ContentType, "text/plain")

	require.Equal(t, 2, countItems(t, client.Reports.All(ctx, wallarm.ReportFilter{}, wallarm.PageSize(1))))
	require.Equal(t, 2, countItems(t, client.Reports.Pages(ctx, wallarm.ReportFilter{}, wallarm.PageOptions{Limit: 1})))
	later := wallarm.Between(insightNoon.Add(time.Hour), insightNoon.Add(2*time.Hour))
	page, err = client.Reports.List(ctx, wallarm.ReportFilter{Touches: later}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	part := wallarm.Between(insightNoon.Add(-2*time.Hour), insightNoon)
	page, err = client.Reports.List(ctx, wallarm.ReportFilter{Covers: part}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 2)

	_, err = client.Reports.Download(ctx, 999)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	order.Format = "docx"
	require.ErrorIs(t, client.Reports.Order(ctx, order), wallarm.ErrValidation)
	require.ErrorIs(t, client.Tenant(wallarmtest.OtherClientID).Reports.Order(ctx, wallarm.ReportOrder{
		From: order.From, To: order.To, Format: wallarm.ReportPDF,
	}), wallarm.ErrForbidden)
}

func TestReportIsOrderedOnce(t *testing.T) {
	t.Parallel()
	cloud, client := insightCloud(t, wallarmtest.AdminToken)
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "reports.order", Count: 1})
	err := client.Reports.Order(t.Context(), wallarm.ReportOrder{From: insightNoon, To: insightNoon.Add(time.Hour), Format: wallarm.ReportMail})
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	require.Len(t, cloud.Objects("reports"), 1, "the order was applied and not repeated")
}

func TestStatsOfACloud(t *testing.T) {
	t.Parallel()
	cloud, client := insightCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	cloud.SeedAttacks(
		wallarmtest.Attack{Type: "sqli", Time: insightNoon.Add(-3 * time.Hour)},
		wallarmtest.Attack{Type: "bola", VulnID: 7, Time: insightNoon.Add(-time.Hour)},
	)
	cloud.AddVuln(wallarmtest.Vuln{ID: 7, Type: "bola", Threat: 90, Found: insightNoon.Add(-time.Hour)})
	from := insightNoon.Add(-4 * time.Hour)
	graph := wallarm.GraphRequest{From: from, To: insightNoon, Points: 4}

	attacks, err := client.Stats.Attacks(ctx, graph)
	require.NoError(t, err)
	var points [][2]float64
	require.NoError(t, json.Unmarshal(attacks, &points))
	require.Len(t, points, 4)
	require.InDelta(t, 1, points[1][1], 0)
	for name, read := range map[string]func() (wallarm.RawJSON, error){
		"incidents": func() (wallarm.RawJSON, error) { return client.Stats.Incidents(ctx, graph) },
		"vulns":     func() (wallarm.RawJSON, error) { return client.Stats.Vulns(ctx, graph) },
		"requests":  func() (wallarm.RawJSON, error) { return client.Stats.Requests(ctx, graph) },
		"rate":      func() (wallarm.RawJSON, error) { return client.Stats.Rate(ctx, graph) },
		"denylist":  func() (wallarm.RawJSON, error) { return client.Stats.DenylistSize(ctx, graph) },
		"targets":   func() (wallarm.RawJSON, error) { return client.Stats.Targets(ctx, from, insightNoon) },
		"types": func() (wallarm.RawJSON, error) {
			return client.Stats.AttackTypes(ctx, from, insightNoon, wallarm.Set(int64(-1)))
		},
		"sources": func() (wallarm.RawJSON, error) { return client.Stats.Sources(ctx, from, insightNoon, nil) },
	} {
		answer, err := read()
		require.NoError(t, err, name)
		require.True(t, answer.IsValid(), name)
	}
	const unknown = "00000000-0000-4000-8000-000000000099"
	_, err = client.Stats.NodeRate(ctx, unknown, graph)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Stats.CloudNodeRate(ctx, unknown, graph)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Stats.Attacks(ctx, graph, wallarm.WithClientID(wallarmtest.OtherClientID))
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	_, err = client.Stats.Attacks(ctx, wallarm.GraphRequest{From: from, To: insightNoon, Points: 1, Interpolation: "cubic"})
	require.ErrorIs(t, err, wallarm.ErrValidation)

	month, err := client.Stats.Month(ctx, insightNoon.Year(), insightNoon.Month())
	require.NoError(t, err)
	require.EqualValues(t, 2, month.Attacks)
	months, err := client.Stats.MonthlyRequests(ctx)
	require.NoError(t, err)
	require.Equal(t, time.August, months[0].Month)
	require.Positive(t, months[0].Rate)
	state, err := client.Stats.DashboardState(ctx)
	require.NoError(t, err)
	require.True(t, *state.Attacks)
	require.Nil(t, state.CloudRequests)
	counters, err := client.Stats.OWASPCounters(ctx, from, time.Time{})
	require.NoError(t, err)
	require.EqualValues(t, 1, counters["API1"].ByType[wallarm.AttackBOLA])
	for _, edition := range []wallarm.OWASPEdition{wallarm.OWASPAPI2019, wallarm.OWASPAPI2023} {
		board, err := client.Stats.OWASPDashboard(ctx, edition, "Europe/Amsterdam")
		require.NoError(t, err)
		require.Equal(t, wallarm.OWASPCritical, board.Threats["API1"].Status)
		require.EqualValues(t, 1, board.Threats["API1"].Vulns.ByType[0].Risks.High.Count)
	}
}

func TestSearchPhraseToLists(t *testing.T) {
	t.Parallel()
	cloud, client := insightCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	cloud.SeedAttacks(
		wallarmtest.Attack{Type: "sqli", Domain: "plain.example.com", Time: insightNoon.Add(-3 * time.Hour)},
		wallarmtest.Attack{Type: "sqli", Domain: "false.example.com", Time: insightNoon.Add(-3 * time.Hour), FalsePositive: true},
		wallarmtest.Attack{Type: "sqli", Domain: "incident.example.com", Time: insightNoon.Add(-3 * time.Hour), VulnID: 7},
		wallarmtest.Attack{Type: "sqli", Domain: "old.example.com", Time: insightNoon.Add(-30 * time.Hour)},
		wallarmtest.Attack{Type: "xss", Domain: "other.example.com", Time: insightNoon.Add(-3 * time.Hour)},
	)
	cloud.AddVuln(wallarmtest.Vuln{ID: 7, Type: "sqli"})
	filters, err := client.Stats.Search(ctx, wallarm.SearchRequest{Query: "attacks sqli last 24 hours"})
	require.NoError(t, err)
	filter, ok := filters.AttackFilter()
	require.True(t, ok)
	attacks, err := client.Attacks.List(ctx, filter, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, attacks.Items, 1)
	require.Equal(t, "plain.example.com", attacks.Items[0].Domain)
	filter, ok = filters.IncidentFilter()
	require.True(t, ok)
	incidents, err := client.Incidents.List(ctx, filter, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, incidents.Items, 1)
	require.Equal(t, "incident.example.com", incidents.Items[0].Domain)
	_, ok = filters.VulnFilter()
	require.False(t, ok)

	filters, err = client.Stats.Search(ctx, wallarm.SearchRequest{Query: "vulns sqli", HitsType: wallarm.SearchAllHits, TimeZone: "UTC-3.0"})
	require.NoError(t, err)
	vulns, ok := filters.VulnFilter()
	require.True(t, ok)
	page, err := client.Vulns.List(ctx, vulns, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	_, err = client.Stats.Search(ctx, wallarm.SearchRequest{Query: "attacks", HitsType: "some"})
	require.ErrorIs(t, err, wallarm.ErrValidation)
}
