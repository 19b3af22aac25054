package wallarm

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	fixtureGraph = GraphRequest{From: time.Unix(1785542400, 0), To: time.Unix(1785628800, 0), Points: 24, Interpolation: InterpolationLinear}
	plainGraph   = GraphRequest{From: fixtureGraph.From, To: fixtureGraph.To, Points: 24}
	threatGraph  = GraphRequest{fixtureGraph.From, fixtureGraph.To, 24, InterpolationLinear, ThreatHigh}

	_ = fixture(statsAttacks, func(ctx context.Context, c *Client) (any, error) { return c.Stats.Attacks(ctx, fixtureGraph) })
	_ = fixture(statsIncidents, func(ctx context.Context, c *Client) (any, error) { return c.Stats.Incidents(ctx, fixtureGraph) })
	_ = fixture(statsVulns, func(ctx context.Context, c *Client) (any, error) { return c.Stats.Vulns(ctx, threatGraph) })
	_ = fixture(statsRequests, func(ctx context.Context, c *Client) (any, error) { return c.Stats.Requests(ctx, fixtureGraph) })
	_ = fixture(statsRate, func(ctx context.Context, c *Client) (any, error) { return c.Stats.Rate(ctx, fixtureGraph) })
	_ = fixture(statsDenylistSize, func(ctx context.Context, c *Client) (any, error) { return c.Stats.DenylistSize(ctx, plainGraph) })
	_ = fixture(statsNodeRate, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.NodeRate(ctx, "00000000-0000-4000-8000-000000000031", fixtureGraph)
	})
	_ = fixture(statsCloudNodeRate, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.CloudNodeRate(ctx, "00000000-0000-4000-8000-000000000032", fixtureGraph)
	})
	_ = fixture(statsTargets, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.Targets(ctx, fixtureGraph.From, fixtureGraph.To)
	})
	_ = fixture(statsAttackTypes, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.AttackTypes(ctx, fixtureGraph.From, fixtureGraph.To, Set(int64(-1)))
	})
	_ = fixture(statsSources, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.Sources(ctx, fixtureGraph.From, fixtureGraph.To, nil)
	})
	_ = fixture(statsMonth, func(ctx context.Context, c *Client) (any, error) { return c.Stats.Month(ctx, 2026, time.July) })
	_ = fixture(statsMonthlyRequests, func(ctx context.Context, c *Client) (any, error) { return c.Stats.MonthlyRequests(ctx) })
	_ = fixture(statsDashboardState, func(ctx context.Context, c *Client) (any, error) { return c.Stats.DashboardState(ctx) })
	_ = fixture(statsOWASPCounters, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.OWASPCounters(ctx, fixtureGraph.From, time.Time{})
	})
	_ = fixture(statsOWASP2019, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.OWASPDashboard(ctx, OWASPAPI2019, "Europe/Amsterdam")
	})
	_ = fixture(statsOWASP2023, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.OWASPDashboard(ctx, OWASPAPI2023, "")
	})
	_ = fixture(statsSearch, func(ctx context.Context, c *Client) (any, error) {
		return c.Stats.Search(ctx, SearchRequest{Query: "attacks sqli last day", HitsType: SearchTrueHits})
	})
)

func TestStatsArguments(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`{"status":200,"body":{}}`))
	ctx := t.Context()
	g := fixtureGraph
	for name, graph := range map[string]GraphRequest{
		"no end": {From: g.From, Points: 1}, "no begin": {To: g.To, Points: 1}, "backwards": {From: g.To, To: g.From, Points: 1},
		"no points": {From: g.From, To: g.To}, "a threat": {From: g.From, To: g.To, Points: 1, Threat: ThreatLow},
	} {
		_, err := client.Stats.Attacks(ctx, graph)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		_, err = client.Stats.NodeRate(ctx, "00000000-0000-4000-8000-000000000031", graph)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	for name, call := range map[string]func() error{
		"interpolation": func() error { _, err := client.Stats.DenylistSize(ctx, g); return err },
		"uuid":          func() error { _, err := client.Stats.NodeRate(ctx, "../x", g); return err },
		"no uuid":       func() error { _, err := client.Stats.CloudNodeRate(ctx, "", g); return err },
		"targets":       func() error { _, err := client.Stats.Targets(ctx, g.To, g.From); return err },
		"attack types":  func() error { _, err := client.Stats.AttackTypes(ctx, g.From, time.Time{}, Opt[int64]{}); return err },
		"sources":       func() error { _, err := client.Stats.Sources(ctx, time.Time{}, g.To, nil); return err },
		"month 13":      func() error { _, err := client.Stats.Month(ctx, 2026, 13); return err },
		"month 0":       func() error { _, err := client.Stats.Month(ctx, 2026, 0); return err },
		"year":          func() error { _, err := client.Stats.Month(ctx, 0, 1); return err },
		"since when":    func() error { _, err := client.Stats.OWASPCounters(ctx, time.Time{}, g.To); return err },
		"until before":  func() error { _, err := client.Stats.OWASPCounters(ctx, g.To, g.From); return err },
		"edition":       func() error { _, err := client.Stats.OWASPDashboard(ctx, 2021, ""); return err },
		"query":         func() error { _, err := client.Stats.Search(ctx, SearchRequest{Query: " "}); return err },
		"client": func() error {
			_, err := client.Stats.Search(ctx, SearchRequest{Query: "attacks", ClientIDs: []int64{0}})
			return err
		},
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests(), "nothing may be sent")
}

func TestStatsRequestsOfOthers(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`{"status":200,"body":null}`))
	ctx := t.Context()
	g := fixtureGraph
	_, err := client.Stats.OWASPCounters(ctx, g.From, g.To, WithClientID(5))
	require.NoError(t, err)
	_, err = client.Stats.AttackTypes(ctx, g.From, g.To, Opt[int64]{})
	require.NoError(t, err)
	_, err = client.Stats.Sources(ctx, g.From, g.To, []SourceField{SourceTors})
	require.NoError(t, err)
	_, err = client.Stats.DashboardState(ctx)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = client.Stats.OWASPDashboard(ctx, OWASPAPI2019, "")
	require.ErrorIs(t, err, ErrNotFound)
	sent := server.requests()
	require.Equal(t, "/v2/dashboards/owasp_api_2019/5 time_from=1785542400&time_to=1785628800", sent[0].Path+" "+sent[0].Query.Encode())
	require.JSONEq(t, `{"start_time":1785542400,"end_time":1785628800}`, string(sent[1].Body))
	require.JSONEq(t, `{"request_categories":["attacks"],"fields":["tors"],"start_time":1785542400,"end_time":1785628800}`, string(sent[2].Body))
}

func TestSearchFiltersAreFilters(t *testing.T) {
	const ready = `{"clientid":[4711,4712],"type":["sqli"],"time":[[1785715200,1785801600],[1785888000,null]],"!state":"falsepositive",
		"path":"/x","poolid":null%s}`
	search := func(member, more string) *SearchFilters {
		client, _ := newTestClient(t, alwaysAnswer(`{"status":200,"body":{"`+member+`":`+fmt.Sprintf(ready, more)+`}}`))
		filters, err := client.Stats.Search(t.Context(), SearchRequest{Query: "attacks"})
		require.NoError(t, err)
		return filters
	}
	client, server := newTestClient(t, alwaysAnswer(`{"status":200,"body":[]}`))
	last := func() string {
		requests := server.requests()
		return string(requests[len(requests)-1].Body)
	}
	const tail = `,"limit":100,"offset":0,"order_by":"last_time","order_desc":true}`

	attacks, ok := search("attacks", `,"vulnid":null`).AttackFilter()
	require.True(t, ok)
	require.Equal(t, []int64{4711, 4712}, attacks.ClientIDs)
	_, err := client.Attacks.List(t.Context(), attacks, PageOptions{})
	require.NoError(t, err)
	require.JSONEq(t, `{"filter":`+fmt.Sprintf(ready, `,"vulnid":null`)+tail, last())

	hits, ok := search("attacks", `,"vulnid":null`).HitFilter()
	require.True(t, ok)
	_, err = client.Hits.IPs(t.Context(), hits)
	require.ErrorContains(t, err, "hits.ips", "the answer is that of a list")
	require.JSONEq(t, `{"filter":`+fmt.Sprintf(ready, `,"vulnid":null`)+`}`, last())

	incidents, ok := search("incidents", `,"!vulnid":null`).IncidentFilter()
	require.True(t, ok)
	_, err = client.Incidents.List(t.Context(), incidents, PageOptions{})
	require.NoError(t, err)
	require.JSONEq(t, `{"filter":`+fmt.Sprintf(ready, `,"!vulnid":null`)+tail, last())
	require.Equal(t, 1, strings.Count(last(), "vulnid"), "the condition must stand in one place")

	vulns, ok := search("vulns", `,"status":"open"`).VulnFilter()
	require.True(t, ok)
	_, err = client.Vulns.Count(t.Context(), vulns)
	require.NoError(t, err)
	require.JSONEq(t, `{"filter":`+fmt.Sprintf(ready, `,"status":"open"`)+`}`, last())

	_, ok = search("other", "").AttackFilter()
	require.False(t, ok)
	for _, span := range []string{`[[1]]`, `[[1785715200,1785801600],[1,2,3]]`, `[[null,null]]`} {
		attacks, ok = (&SearchFilters{Attacks: RawJSON(`{"time":` + span + `}`)}).AttackFilter()
		require.True(t, ok)
		require.True(t, attacks.Time.IsZero(), span)
		require.Equal(t, Extra{"time": RawJSON(span)}, attacks.Extra, "what is no span stays as it is")
	}
	odd := &SearchFilters{Attacks: RawJSON(`{"time":"yesterday","clientid":"all","vulnid":{}}`), Vulns: RawJSON("null"), Incidents: RawJSON("[]")}
	attacks, ok = odd.AttackFilter()
	require.True(t, ok)
	require.Len(t, attacks.Extra, 3, "what has another form stays as it is")
	require.True(t, attacks.Time.IsZero())
	_, ok = odd.VulnFilter()
	require.False(t, ok)
	_, ok = (&SearchFilters{}).HitFilter()
	require.False(t, ok)
	_, ok = odd.IncidentFilter()
	require.False(t, ok)
}
