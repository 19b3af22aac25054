package wallarm_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// eventNoon is the present of the clouds of eventCloud.
var eventNoon = time.Date(2026, 8, 4, 12, 0, 0, 0, time.UTC)

const eventRequest = "5f0c9d7e2b1a4c3d8e6f708192a3b4c5"

// eventCloud starts a fake cloud with a few events, and a client of it with the token.
func eventCloud(t *testing.T, token string) (*wallarmtest.Server, *wallarm.Client, []wallarm.EventID) {
	t.Helper()
	cloud := wallarmtest.NewServer(t, wallarmtest.WithClock(func() time.Time { return eventNoon }))
	hour := func(h int) time.Time { return eventNoon.Add(time.Duration(h) * time.Hour) }
	seeded := cloud.SeedAttacks(
		wallarmtest.Attack{Type: "sqli", Domain: "shop.example.net", Path: "/search", Time: hour(-4), Hits: []wallarmtest.Hit{
			{Time: hour(-4), IP: "198.51.100.7", Country: "NL", BlockStatus: "blocked", RequestID: eventRequest},
			{Time: hour(-3), IP: "198.51.100.7", Country: "NL", Value: "union select 1"},
			{Time: hour(-1), IP: "2001:db8::9", Value: "1 or 1", StatusCode: 404, KnownAttack: []string{"CVE-2024-0001"}},
		}},
		wallarmtest.Attack{
			Type: "xss", Domain: "pay.example.net", Path: "/cart", Method: "POST", Time: hour(-2), VulnID: 90210,
			Point: []any{"post", "json_doc", "array", 0, "hash", "q"},
			Hits:  []wallarmtest.Hit{{IP: "203.0.113.5", Country: "US", BlockStatus: "blocked", RequestID: eventRequest}},
		},
		wallarmtest.Attack{
			Type: "credential_stuffing", Domain: "pay.example.net", Path: "/login", Method: "POST", Time: hour(-30),
			Hits: []wallarmtest.Hit{{IP: "203.0.113.6", StatusCode: 401, Extra: `{"compromised_logins":["user17@example.net"],"user":"u1"}`}},
		},
		wallarmtest.Attack{Type: "warn", Time: hour(-1), FalsePositive: true},
		wallarmtest.Attack{ClientID: wallarmtest.OtherClientID, Type: "rce", Time: hour(-1)},
	)
	client, err := wallarm.New(wallarm.US, wallarm.Token(token), wallarm.WithBaseURL(cloud.URL), wallarm.WithHTTPClient(cloud.Client()),
		wallarm.WithDefaults(wallarm.WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	ids := make([]wallarm.EventID, len(seeded))
	for i, id := range seeded {
		ids[i] = wallarm.EventID{Index: id.Index, Doc: id.Doc}
	}
	return cloud, client, ids
}

// TestFromAnIncidentToItsRequest goes the way of somebody who looks into an incident.
func TestFromAnIncidentToItsRequest(t *testing.T) {
	t.Parallel()
	_, client, _ := eventCloud(t, wallarmtest.AuditorToken)
	ctx := t.Context()
	day := wallarm.AttackFilter{Time: wallarm.Since(eventNoon.AddDate(0, 0, -1)), Not: &wallarm.AttackFilter{Types: []wallarm.AttackType{wallarm.AttackWarn}}}

	counts, err := client.Attacks.Count(ctx, day)
	require.NoError(t, err)
	require.Equal(t, []int64{2, 4, 3}, []int64{counts.Attacks, counts.Hits, counts.IPs})
	incidents, err := client.Incidents.List(ctx, day, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, incidents.Items, 1)
	incident := incidents.Items[0]
	require.True(t, incident.IsIncident())

	var hits []wallarm.Hit
	for hit, err := range client.Hits.All(ctx, wallarm.HitFilter{AttackIDs: []wallarm.EventID{incident.AttackID}}, wallarm.PageSize(1)) {
		require.NoError(t, err)
		hits = append(hits, hit)
	}
	require.Len(t, hits, 1)
	require.Equal(t, "post.json_doc.array(0).hash(q)", hits[0].Point.String())
	require.Equal(t, incident.ID.String(), hits[0].AttackID.String())

	siblings, err := client.Hits.List(ctx, wallarm.HitFilter{RequestIDs: []string{hits[0].RequestID}}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, siblings.Items, 2, "one request, two types of attack")

	details, err := client.Hits.Details(ctx, wallarm.HitFilter{ID: hits[0].ID})
	require.NoError(t, err)
	require.Equal(t, "pay.example.net", details[0].Request().Header().Get("Host"))
	detail, err := client.Hits.Detail(ctx, hits[0].ID)
	require.NoError(t, err)
	require.Equal(t, hits[0].Value, detail.Body.Text)
	require.Equal(t, hits[0].IP, detail.RemoteAddr)
	raw, err := client.Hits.Raw(ctx, hits[0].ID)
	require.NoError(t, err)
	data, err := io.ReadAll(raw)
	require.NoError(t, err)
	require.NoError(t, raw.Close())
	require.Contains(t, string(data), "POST /cart HTTP/1.1\r\nHost: pay.example.net")

	gone := wallarm.EventID{Index: hits[0].ID.Index, Doc: "gone"}
	_, err = client.Hits.Detail(ctx, gone)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Hits.Raw(ctx, gone)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	none, err := client.Hits.Details(ctx, wallarm.HitFilter{ID: gone})
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestEventAggregations(t *testing.T) {
	t.Parallel()
	cloud, client, ids := eventCloud(t, wallarmtest.AuditorToken)
	ctx := t.Context()
	span := wallarm.Between(eventNoon.Add(-4*time.Hour), eventNoon)
	one := wallarm.AttackFilter{AttackIDs: ids[:1], Time: span}

	hits, err := client.Attacks.HitGraph(ctx, one, 4)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1, 0, 1}, hits.All)
	ips, err := client.Attacks.IPGraph(ctx, one, 2)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1}, ips.Filtered)
	addresses, err := client.Attacks.IPs(ctx, one)
	require.NoError(t, err)
	require.Equal(t, []string{"198.51.100.7", "2001:db8::9"}, addresses)
	vectors, err := client.Attacks.Vectors(ctx, one)
	require.NoError(t, err)
	require.Len(t, vectors["sqli"], 3)
	terms, err := client.Attacks.Terms(ctx, wallarm.AttackFilter{}, []wallarm.Term{wallarm.TermType})
	require.NoError(t, err)
	require.Equal(t, "[credential_stuffing sqli warn xss]", fmt.Sprint(terms[wallarm.TermType]))

	byFamily, err := client.Hits.IPs(ctx, wallarm.HitFilter{AttackIDs: ids[:1]})
	require.NoError(t, err)
	require.Equal(t, []string{"2001:db8::9"}, byFamily.IPv6)
	codes, err := client.Hits.Terms(ctx, wallarm.HitFilter{AttackIDs: ids[:1]}, []wallarm.Term{wallarm.TermStatusCode})
	require.NoError(t, err)
	code, ok := codes[wallarm.TermStatusCode][0].Int()
	require.True(t, ok)
	require.EqualValues(t, 200, code)
	top, err := client.Hits.TermCounts(ctx, wallarm.HitFilter{}, []wallarm.Term{wallarm.TermDomain}, 1)
	require.NoError(t, err)
	counted, ok := top[wallarm.TermDomain].Map()
	require.True(t, ok)
	require.Equal(t, map[string]int64{"shop.example.net": 3}, counted)
	distinct, err := client.Hits.Distinct(ctx, span, []wallarm.Term{wallarm.TermDomain, wallarm.TermCountry})
	require.NoError(t, err)
	require.Equal(t, map[wallarm.Term]int64{wallarm.TermDomain: 3, wallarm.TermCountry: 2}, distinct)
	mitigations, err := client.Hits.Mitigations(ctx, wallarm.Since(eventNoon.AddDate(0, 0, -7)))
	require.NoError(t, err)
	require.EqualValues(t, 1, mitigations.CredentialStuffing.Total)
	summary, err := client.Hits.Summary(ctx, wallarm.HitSummaryFilter{Time: span, ApplicationID: wallarm.Set(int64(-1))})
	require.NoError(t, err)
	require.Equal(t, []int64{5, 1, 2}, []int64{summary.Hits, summary.Incidents, summary.Blocked})

	logins, err := client.Hits.CompromisedLogins(ctx, wallarm.HitFilter{})
	require.NoError(t, err)
	rows, err := csv.NewReader(logins).ReadAll()
	require.NoError(t, err)
	require.NoError(t, logins.Close())
	require.Equal(t, "user17@example.net", rows[1][1])

	sampling, err := client.Hits.Sampling(ctx)
	require.NoError(t, err)
	require.False(t, sampling.Active)
	_, err = client.Hits.Dropped(ctx, eventRequest)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = cloud.Put("dropped_raw_hits", `{"client_id":4711,"request_id":"`+eventRequest+`","request_time":1785802011,"applications":[-1],"hits":[{}]}`)
	require.NoError(t, err)
	dropped, err := client.Hits.Dropped(ctx, eventRequest)
	require.NoError(t, err)
	require.Equal(t, []int64{-1}, dropped.ApplicationIDs)
}

func TestFalsePositiveMarksOnce(t *testing.T) {
	t.Parallel()
	cloud, client, ids := eventCloud(t, wallarmtest.AnalystToken)
	ctx := t.Context()
	page, err := client.Hits.List(ctx, wallarm.HitFilter{AttackIDs: ids[1:2]}, wallarm.PageOptions{})
	require.NoError(t, err)
	hit := page.Items[0]
	rules := len(cloud.Rules())
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "hits.markFalse", Count: 1})
	err = client.Hits.MarkFalsePositive(ctx, hit.ID)
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	require.Len(t, cloud.RequestsOf("hits.markFalse"), 1, "a call with a side effect is not repeated")
	require.NoError(t, client.Hits.MarkFalsePositive(ctx, hit.ID), "the mark converges")
	require.Len(t, cloud.Rules(), rules+1, "the hidden rule was made once")
	marked, err := client.Attacks.List(ctx, wallarm.AttackFilter{State: wallarm.Set(wallarm.MarkStates{wallarm.FalsePositive})}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, marked.Items, 2)

	client = client.Tenant(wallarmtest.OtherClientID)
	_, err = client.Hits.List(ctx, wallarm.HitFilter{}, wallarm.PageOptions{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

// hostQuery asks for hosts with the number of their requests.
var hostQuery = wallarm.AttackQuery{
	Select: []wallarm.AttackColumn{wallarm.ColumnRequests, wallarm.ColumnAttackTypes, wallarm.ColumnStatus},
	Period: wallarm.PastDays(7), GroupBy: []wallarm.AttackColumn{wallarm.ColumnHost},
	OrderBy: []wallarm.AttackOrder{{Field: wallarm.ColumnRequests, Desc: true}, {Field: wallarm.ColumnHost}},
}

func TestVectorsFromQueryToVerdict(t *testing.T) {
	t.Parallel()
	_, client, _ := eventCloud(t, wallarmtest.AnalystToken)
	ctx, vectors := t.Context(), client.AttackVectors

	query := hostQuery
	query.Where = wallarm.MatchAll(
		wallarm.MatchNot(wallarm.MatchAny(wallarm.ColumnAttackType.In("warn", "marker"), wallarm.ColumnUser.IsNotEmpty())),
		wallarm.ColumnRequests.Over(1),
	)
	page, err := vectors.Query(ctx, query, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	row := page.Items[0]
	require.Equal(t, "2026-08-04 shop.example.net", row.Text(wallarm.ColumnDay)+" "+row.Text(wallarm.ColumnHost))
	require.Equal(t, wallarm.RowPartiallyBlocked, row.Status())
	types, ok := row.Sample(wallarm.ColumnAttackTypes)
	require.True(t, ok)
	require.Equal(t, []string{"sqli"}, types.Values)

	var found []wallarm.AttackVector
	for v, err := range vectors.All(ctx, row.ID, wallarm.PageSize(2)) {
		require.NoError(t, err)
		found = append(found, v)
	}
	require.Len(t, found, 3)
	require.Equal(t, "2001:db8::9", found[0].IP())
	require.Equal(t, eventRequest, found[2].RequestID)

	result, err := vectors.Mark(ctx, []string{found[0].ID, found[1].ID}, wallarm.VerdictFalsePositive)
	require.NoError(t, err)
	require.EqualValues(t, 2, result.Count)
	count := func(where wallarm.AttackWhere) float64 {
		stats, err := vectors.Stats(ctx, wallarm.AttackStatsQuery{Where: where, Widgets: []wallarm.Widget{
			{Type: wallarm.WidgetValue, Field: wallarm.ColumnVectors, Title: "marked"},
		}})
		require.NoError(t, err)
		return stats.Widget(wallarm.WidgetValue, "marked").Data[0].Value
	}
	require.InDelta(t, 2+1, count(wallarm.ColumnMark.Is("fp")), 0, "the seeded one is marked too")
	result, err = vectors.MarkGroup(ctx, row.ID, wallarm.VerdictNone)
	require.NoError(t, err)
	require.EqualValues(t, 3, result.Count)
	require.InDelta(t, 1, count(wallarm.ColumnMark.Is("fp")), 0)
	result, err = vectors.MarkRequests(ctx, []string{eventRequest}, wallarm.VerdictTruePositive)
	require.NoError(t, err)
	require.EqualValues(t, 2, result.Count)
	require.InDelta(t, 2, count(wallarm.ColumnMark.Is("tp")), 0)
}

func TestVectorRowsBothWays(t *testing.T) {
	t.Parallel()
	cloud, client, _ := eventCloud(t, wallarmtest.AuditorToken)
	ctx := t.Context()
	hosts := func(page *wallarm.Page[wallarm.AttackRow]) (out []string) {
		for _, row := range page.Items {
			out = append(out, row.Text(wallarm.ColumnHost))
		}
		return out
	}
	var pages []*wallarm.Page[wallarm.AttackRow]
	for page, err := range client.AttackVectors.QueryPages(ctx, hostQuery, wallarm.PageOptions{Limit: 2}) {
		require.NoError(t, err)
		pages = append(pages, page)
		if len(pages) == 1 {
			cloud.Advance(time.Minute)
			cloud.SeedAttacks(wallarmtest.Attack{Domain: "new.example.net", Hits: slices.Repeat([]wallarmtest.Hit{{}}, 9)})
		}
	}
	require.Len(t, pages, 2)
	require.Nil(t, pages[0].Prev)
	require.NotNil(t, pages[1].Prev)
	back, err := client.AttackVectors.Query(ctx, hostQuery, *pages[1].Prev)
	require.NoError(t, err)
	require.NotEmpty(t, hosts(back))
	other := hostQuery
	other.Period = wallarm.PastDays(6)
	_, err = client.AttackVectors.Query(ctx, other, pages[0].Next)
	require.ErrorIs(t, err, wallarm.ErrValidation, "a cursor belongs to its query")
	var refused *wallarm.APIError
	require.True(t, errors.As(err, &refused))
	require.Contains(t, refused.Error(), "cursor")
}

func TestVectorStatsSchemaAndExport(t *testing.T) {
	t.Parallel()
	cloud, client, _ := eventCloud(t, wallarmtest.AuditorToken)
	ctx, vectors := t.Context(), client.AttackVectors
	schema, err := vectors.Schema(ctx)
	require.NoError(t, err)
	var operators []wallarm.AttackOperator
	for _, field := range schema.WhereFields {
		if field.Name == wallarm.ColumnContextParam {
			require.NotNil(t, field.KeyValue)
			operators = field.Operators
		}
	}
	require.Contains(t, operators, wallarm.OperatorIsEmpty)

	stats, err := vectors.Stats(ctx, wallarm.AttackStatsQuery{
		Period: wallarm.PeriodBetween(eventNoon.AddDate(0, 0, -2), eventNoon),
		Widgets: []wallarm.Widget{
			{Type: wallarm.WidgetTopList, Field: wallarm.ColumnRequests, GroupBy: wallarm.ColumnCountry, Limit: 2, Title: "countries"},
			{Type: wallarm.WidgetTimeseries, Field: wallarm.ColumnRequests, GroupBy: wallarm.ColumnDay, Title: "days"},
		},
	}, wallarm.WithTimeZone("UTC"))
	require.NoError(t, err)
	countries := stats.Widget(wallarm.WidgetTopList, "countries").Data
	require.Equal(t, wallarm.ValueNone, countries[0].Key)
	require.NotNil(t, countries[0].Percentage)
	days := stats.Widget(wallarm.WidgetTimeseries, "days").Data
	require.Equal(t, "2026-08-03", days[0].Label)
	require.Nil(t, days[0].Percentage)

	export, err := vectors.Export(ctx, hostQuery, "soc@example.net")
	require.NoError(t, err)
	require.Equal(t, "accepted", export.Status)
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "attackVectors.export", Count: 1})
	_, err = vectors.Export(ctx, hostQuery, "soc@example.net")
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	require.Len(t, cloud.Objects("attack_exports"), 2, "no third mail is sent by itself")
	_, err = vectors.Mark(ctx, []string{"x"}, wallarm.VerdictNone)
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

func TestViewLife(t *testing.T) {
	t.Parallel()
	cloud, client, _ := eventCloud(t, wallarmtest.AnalystToken)
	ctx, views := t.Context(), client.AttackViews
	made, err := views.Create(ctx, wallarm.NewAttackView{Name: "Payments", Description: "weekly", Config: wallarm.RawJSON(`{"groupBy":"type","new":[1.50]}`)})
	require.NoError(t, err)
	require.Equal(t, wallarm.ViewTenant, made.Visibility)
	require.True(t, made.CreatedAt.Equal(eventNoon))

	changed, err := views.Update(ctx, made.ID, wallarm.AttackViewUpdate{Description: wallarm.Set("")})
	require.NoError(t, err)
	require.Equal(t, "Payments", changed.Name, "what was not set stays")
	require.Empty(t, changed.Description, "an empty text is sent")
	require.JSONEq(t, `{"groupBy":"type","new":[1.50]}`, string(changed.Config))
	require.NoError(t, views.SetDefault(ctx, made.ID))
	got, err := views.Get(ctx, made.ID)
	require.NoError(t, err)
	require.True(t, got.Default)
	copied, err := views.Duplicate(ctx, made.ID, "Payments 2")
	require.NoError(t, err)
	require.False(t, copied.Default)
	list, err := views.List(ctx)
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.True(t, list[0].Preset)

	_, err = views.Update(ctx, list[0].ID, wallarm.AttackViewUpdate{Name: wallarm.Set("mine")})
	require.ErrorIs(t, err, wallarm.ErrForbidden, "views of the product cannot be changed")
	_, err = views.Create(ctx, wallarm.NewAttackView{Name: "v", Config: wallarm.RawJSON(`{}`), Visibility: "everybody"})
	require.ErrorIs(t, err, wallarm.ErrValidation)

	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "attackViews.create", Count: 1})
	_, err = views.Create(ctx, wallarm.NewAttackView{Name: "Lost", Config: wallarm.RawJSON(`{}`)})
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	list, err = views.List(ctx)
	require.NoError(t, err)
	require.Equal(t, "Lost", list[len(list)-1].Name, "the view was made, and not made twice")
	require.Len(t, list, 4)

	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "attackViews.delete", Count: 1})
	require.NoError(t, views.Delete(ctx, copied.ID), "the repeat finds nothing, which is success")
	require.NoError(t, views.Delete(ctx, copied.ID))
	_, err = views.Get(ctx, copied.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}
