package wallarm_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// insightNoon is the present of the clouds of insightCloud.
var insightNoon = time.Date(2026, 8, 4, 12, 0, 0, 0, time.UTC)

// insightCloud starts a fake cloud and a client of it with the token.
func insightCloud(t *testing.T, token string, options ...wallarm.Option) (*wallarmtest.Server, *wallarm.Client) {
	t.Helper()
	cloud := wallarmtest.NewServer(t, wallarmtest.WithClock(func() time.Time { return insightNoon }))
	return cloud, insightClient(t, cloud, token, options...)
}

func insightClient(t *testing.T, cloud *wallarmtest.Server, token string, options ...wallarm.Option) *wallarm.Client {
	t.Helper()
	options = append([]wallarm.Option{
		wallarm.WithBaseURL(cloud.URL), wallarm.WithHTTPClient(cloud.Client()),
		wallarm.WithDefaults(wallarm.WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)),
	}, options...)
	client, err := wallarm.New(wallarm.US, wallarm.Token(token), options...)
	require.NoError(t, err)
	return client
}

func TestVulnLife(t *testing.T) {
	t.Parallel()
	cloud, client := insightCloud(t, wallarmtest.AnalystToken)
	ctx := t.Context()
	for i := range 7 {
		cloud.AddVuln(wallarmtest.Vuln{ID: int64(100 + i), Type: "ptrav", Threat: int64(20*i + 10), Found: insightNoon.Add(-time.Duration(i) * time.Hour)})
	}
	other := cloud.AddVuln(wallarmtest.Vuln{ClientID: wallarmtest.OtherClientID})

	var ids []int64
	for v, err := range client.Vulns.All(ctx, wallarm.VulnFilter{Validated: wallarm.Set(true)}, wallarm.PageSize(3)) {
		require.NoError(t, err)
		ids = append(ids, v.ID)
	}
	require.Equal(t, []int64{100, 101, 102, 103, 104, 105, 106}, ids)
	page, err := client.Vulns.List(ctx, wallarm.VulnFilter{Time: wallarm.Since(insightNoon.Add(-150 * time.Minute))},
		wallarm.PageOptions{OrderBy: "threat", Order: wallarm.Descending, Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []int64{102, 101}, []int64{page.Items[0].ID, page.Items[1].ID})
	require.True(t, page.More)

	v, err := client.Vulns.Get(ctx, 103)
	require.NoError(t, err)
	require.Equal(t, wallarm.VulnOpen, v.Status)
	require.Equal(t, "GET", v.TemplateParams["method"].Text)
	require.Equal(t, v.Path, v.Locations[0].Path)

	v, err = client.Vulns.Close(ctx, 103)
	require.NoError(t, err)
	require.Equal(t, wallarm.VulnClosed, v.Status)
	require.True(t, v.InvalidateTime.Equal(insightNoon))
	require.NoError(t, client.Vulns.MarkFalsePositive(ctx, 104))
	count := func(filter wallarm.VulnFilter) int {
		page, err := client.Vulns.List(ctx, filter, wallarm.PageOptions{})
		require.NoError(t, err)
		return len(page.Items)
	}
	require.Equal(t, 5, count(wallarm.VulnFilter{Status: wallarm.VulnOpen}))
	require.Equal(t, 1, count(wallarm.VulnFilter{Status: wallarm.VulnFalsePositive}))
	for _, id := range []int64{103, 104} {
		v, err = client.Vulns.Reopen(ctx, id)
		require.NoError(t, err)
		require.Equal(t, wallarm.VulnOpen, v.Status)
		require.True(t, v.InvalidateTime.IsZero())
	}

	changed, err := client.Vulns.Update(ctx, wallarm.VulnSelection{IDs: []int64{100, 101, 999}}, wallarm.VulnUpdate{
		Threat: wallarm.Set(int64(0)), Title: wallarm.Set(""), Hidden: wallarm.Set(true), Locations: wallarm.Set([]wallarm.VulnLocation{}),
		TemplateTexts: wallarm.VulnTemplateTexts{Title: wallarm.Set("Own title")},
	})
	require.NoError(t, err)
	require.Len(t, changed, 2)
	v, err = client.Vulns.Get(ctx, 101)
	require.NoError(t, err)
	require.Zero(t, v.Threat, "a zero must reach the API")
	require.Empty(t, v.Title)
	require.Empty(t, v.Locations, "so must an empty list")
	require.Equal(t, "Own title", v.TemplateParams["custom_title"].Text)
	n, err := client.Vulns.Count(ctx, wallarm.VulnFilter{Hidden: wallarm.Set(true)})
	require.NoError(t, err)
	require.EqualValues(t, 2, n)

	_, err = client.Vulns.Get(ctx, other)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	require.ErrorIs(t, client.Vulns.MarkFalsePositive(ctx, other), wallarm.ErrNotFound)
	_, err = client.Vulns.Close(ctx, other)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Tenant(wallarmtest.OtherClientID).Vulns.Count(ctx, wallarm.VulnFilter{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	_, err = client.Vulns.Update(ctx, wallarm.VulnSelection{IDs: []int64{100}}, wallarm.VulnUpdate{Status: wallarm.Set(wallarm.VulnStatus("fixed"))})
	require.ErrorIs(t, err, wallarm.ErrValidation)
	require.ErrorContains(t, err, "fields.status: invalid")
}

func TestVulnChangesAreRepeated(t *testing.T) {
	t.Parallel()
	cloud, client := insightCloud(t, wallarmtest.AdminToken)
	id := cloud.AddVuln(wallarmtest.Vuln{})
	for _, kind := range []wallarmtest.FaultKind{wallarmtest.FaultResetBefore, wallarmtest.FaultResetAfter} {
		cloud.Inject(wallarmtest.Fault{Kind: kind, Op: "vulns.update", Count: 1})
		v, err := client.Vulns.Close(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, wallarm.VulnClosed, v.Status)
		cloud.Inject(wallarmtest.Fault{Kind: kind, Op: "vulns.markFalsePositive", Count: 1})
		require.NoError(t, client.Vulns.MarkFalsePositive(t.Context(), id))
	}
	auditor := insightClient(t, cloud, wallarmtest.AuditorToken)
	_, err := auditor.Vulns.Reopen(t.Context(), id)
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

func TestVulnTemplates(t *testing.T) {
	t.Parallel()
	_, client := insightCloud(t, wallarmtest.AdminToken)
	templates, err := client.Vulns.Templates(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, templates)
	one, err := client.Vulns.Template(t.Context(), templates[1].ID)
	require.NoError(t, err)
	require.Equal(t, templates[1], *one)
	require.NotNil(t, one.Params["parameter"].List)
	_, err = client.Vulns.Template(t.Context(), 1)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

func TestSecurityIssuesOfACloud(t *testing.T) {
	t.Parallel()
	cloud, client := insightCloud(t, wallarmtest.AuditorToken)
	ctx := t.Context()
	for i := range 9 {
		cloud.AddSecurityIssue(wallarmtest.SecurityIssue{
			ID: int64(200 + i), Name: fmt.Sprintf("Issue %d", i%3), Severity: []string{"low", "high", "critical"}[i%3],
			State: []string{"open", "open", "closed"}[i/3], Host: fmt.Sprintf("h%d.example.com", i), Incident: i == 4,
			Discovered: insightNoon.Add(-time.Duration(i) * time.Hour),
		})
	}
	other := cloud.AddSecurityIssue(wallarmtest.SecurityIssue{ClientID: wallarmtest.OtherClientID})

	page, err := client.SecurityIssues.List(ctx, wallarm.SecurityIssueFilter{
		States: []wallarm.IssueState{wallarm.IssueOpen}, Not: &wallarm.SecurityIssueFilter{Severities: []wallarm.IssueSeverity{wallarm.IssueLow}},
	}, wallarm.PageOptions{OrderBy: "severity", Limit: 3})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	require.Equal(t, wallarm.IssueCritical, page.Items[0].Severity)
	require.Nil(t, page.Items[0].Manual, "details come with Get only")

	seen := map[int64]bool{}
	for issue, err := range client.SecurityIssues.All(ctx, wallarm.SecurityIssueFilter{}, wallarm.PageSize(4)) {
		require.NoError(t, err)
		seen[issue.ID] = true
	}
	require.Len(t, seen, 9)
	everything, err := client.SecurityIssues.ListUnlimited(ctx, wallarm.SecurityIssueFilter{CreatedSince: insightNoon.Add(-150 * time.Minute)})
	require.NoError(t, err)
	require.Len(t, everything, 3)
	n, err := client.SecurityIssues.Count(ctx, wallarm.SecurityIssueFilter{Incident: wallarm.Set(false)})
	require.NoError(t, err)
	require.EqualValues(t, 8, n, "false is a condition")

	groups, err := client.SecurityIssues.Groups(ctx, wallarm.SecurityIssueFilter{}, wallarm.PageOptions{OrderBy: "severity", Order: wallarm.Ascending})
	require.NoError(t, err)
	require.Len(t, groups.Items, 3)
	group := groups.Items[0]
	require.Equal(t, wallarm.IssueLow, group.Severity)
	require.Equal(t, wallarm.IssueStateCounts{Open: 2, Closed: 1}, group.States)
	n, err = client.SecurityIssues.GroupCount(ctx, wallarm.SecurityIssueFilter{})
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
	n, err = client.SecurityIssues.Count(ctx, wallarm.SecurityIssueFilter{GroupID: group.ID})
	require.NoError(t, err)
	require.Equal(t, group.Issues, n)

	issue, err := client.SecurityIssues.Get(ctx, 204, wallarm.RepeatToken(wallarm.SecretOf(wallarmtest.AuditorToken)))
	require.NoError(t, err)
	require.True(t, issue.Incident)
	require.False(t, *issue.Manual)
	require.Equal(t, wallarm.IssueOpen, issue.StatusHistory[0].State)
	_, err = client.SecurityIssues.Get(ctx, other)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.SecurityIssues.Count(ctx, wallarm.SecurityIssueFilter{}, wallarm.WithClientID(wallarmtest.OtherClientID))
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	_, err = client.SecurityIssues.List(ctx, wallarm.SecurityIssueFilter{}, wallarm.PageOptions{OrderBy: "name"})
	require.ErrorIs(t, err, wallarm.ErrValidation)
	_, err = insightClient(t, cloud, "test-token-wrong").SecurityIssues.Count(ctx, wallarm.SecurityIssueFilter{})
	require.ErrorIs(t, err, wallarm.ErrUnauthenticated)
}

// countItems reads an iterator to its end.
func countItems[T any](t *testing.T, items func(func(T, error) bool)) (n int) {
	t.Helper()
	for _, err := range items {
		require.NoError(t, err)
		n++
	}
	return n
}

func TestSecurityIssueGroupsByPages(t *testing.T) {
	t.Parallel()
	cloud, client := insightCloud(t, wallarmtest.AdminToken)
	for i := range 5 {
		cloud.AddSecurityIssue(wallarmtest.SecurityIssue{Name: fmt.Sprintf("Issue %d", i)})
	}
	ctx := t.Context()
	require.Equal(t, 5, countItems(t, client.SecurityIssues.AllGroups(ctx, wallarm.SecurityIssueFilter{}, wallarm.PageSize(2))))
	// Pages overlap by one item, so that nothing is passed over when the list moves.
	require.Equal(t, 4, countItems(t, client.SecurityIssues.GroupPages(ctx, wallarm.SecurityIssueFilter{}, wallarm.PageOptions{Limit: 2})))
	require.Equal(t, 2, countItems(t, client.SecurityIssues.Pages(ctx, wallarm.SecurityIssueFilter{}, wallarm.PageOptions{Limit: 3})))
	groups, err := client.SecurityIssues.GroupsUnlimited(ctx, wallarm.SecurityIssueFilter{})
	require.NoError(t, err)
	require.Len(t, groups, 5)
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_, err = client.SecurityIssues.ListUnlimited(stopped, wallarm.SecurityIssueFilter{})
	require.ErrorIs(t, err, context.Canceled)
}
