package wallarm_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

var always = wallarm.IPTerms{ExpiresAt: wallarm.Forever}

// held returns what a list holds, sorted, one text for each value.
func held(t *testing.T, client *wallarm.Client, list wallarm.IPList) []string {
	t.Helper()
	values := []string{}
	for entry, err := range client.IPLists.All(t.Context(), wallarm.IPFilter{List: list}) {
		require.NoError(t, err)
		for _, value := range entry.IPValues() {
			values = append(values, value.String())
		}
	}
	slices.Sort(values)
	return values
}

func TestIPListLife(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AnalystToken)
	ctx, lists := t.Context(), client.IPLists
	terms := wallarm.IPTerms{Reason: "scan", ExpiresAt: time.Now().Add(time.Hour), ApplicationIDs: []int64{wallarm.DefaultApplication, 7}}
	n, err := lists.Deny(ctx, []string{"203.0.113.7", "198.51.100.0/24", "2001:db8::1"}, terms)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	_, err = lists.Deny(ctx, []string{"192.0.2.1", "203.0.113.7/32"}, terms)
	require.ErrorIs(t, err, wallarm.ErrConflict)
	require.Equal(t, []string{"198.51.100.0/24", "2001:db8::1", "203.0.113.7"}, held(t, client, wallarm.Denylist))
	_, err = lists.Add(ctx, wallarm.NewIPEntries{List: wallarm.Denylist, Values: wallarm.Addresses("203.0.113.7"), IPTerms: always, Force: true})
	require.NoError(t, err)
	page, err := lists.List(ctx, wallarm.IPFilter{List: wallarm.Denylist, Query: "203.0"}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.True(t, page.Items[0].IsForever())

	// The same lists by the documented routes.
	counts, err := lists.CountRules(ctx, wallarm.IPRuleFilter{})
	require.NoError(t, err)
	require.EqualValues(t, 3, counts.Deny)
	rules, err := lists.ListRules(ctx, wallarm.IPRuleFilter{List: wallarm.Denylist, Query: "198.51"}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, rules.Items, 1)
	rule := rules.Items[0]
	require.Equal(t, wallarm.Addresses("198.51.100.0/24"), rule.IPValues())
	require.Equal(t, []int64{wallarm.DefaultApplication, 7}, rule.ApplicationIDs)
	require.WithinDuration(t, terms.ExpiresAt, rule.ExpiresAt.Time, time.Second)
	changed, err := lists.UpdateRule(ctx, rule.ID, wallarm.IPRuleUpdate{ExpiresAt: wallarm.Set(wallarm.Forever), Reason: wallarm.Set("")})
	require.NoError(t, err)
	require.True(t, changed.IsForever())
	require.Empty(t, changed.Reason)
	require.NoError(t, lists.DeleteRule(ctx, rule.ID))
	require.NoError(t, lists.DeleteRule(ctx, rule.ID))

	removed, err := lists.RemoveValues(ctx, wallarm.Denylist, wallarm.Addresses("203.0.113.7/32", "192.0.2.200"))
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	require.Equal(t, []string{"2001:db8::1"}, held(t, client, wallarm.Denylist))
	page, err = lists.List(ctx, wallarm.IPFilter{List: wallarm.Denylist}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.NoError(t, lists.Remove(ctx, wallarm.IPSubnet, []int64{page.Items[0].ID}))
	require.NoError(t, lists.Remove(ctx, wallarm.IPSubnet, []int64{page.Items[0].ID}))
	require.Empty(t, held(t, client, wallarm.Denylist))

	var history, events []string
	for record, err := range lists.AllHistory(ctx, wallarm.DenyHistoryFilter{Time: wallarm.Last(time.Hour)}, wallarm.PageSize(1)) {
		require.NoError(t, err)
		history = append(history, record.IP)
	}
	require.Equal(t, []string{"203.0.113.7", "203.0.113.7"}, history, "once for each application")
	for record, err := range lists.AllEvents(ctx, wallarm.DenyEventFilter{AlwaysContinuation: true, IP: "203.0.113.7"}, wallarm.PageSize(2)) {
		require.NoError(t, err)
		events = append(events, string(record.Type))
	}
	require.Equal(t, []string{"block", "block", "change_time", "unblock"}, events)
	require.ErrorIs(t, edgeClient(t, cloud, wallarmtest.AuditorToken).IPLists.Remove(ctx, wallarm.IPSubnet, []int64{1}), wallarm.ErrForbidden)
}

func TestIPRulesInBulk(t *testing.T) {
	t.Parallel()
	_, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx, lists := t.Context(), client.IPLists
	rule, err := lists.CreateRule(ctx, wallarm.NewIPRule{List: wallarm.Graylist, Values: wallarm.Countries("AQ", "BV"), IPTerms: always}, false)
	require.NoError(t, err)
	require.Equal(t, wallarm.IPCountry, rule.Kind)
	bulk := []wallarm.NewIPRule{
		{List: wallarm.Denylist, Values: wallarm.Addresses("203.0.113.7"), IPTerms: always},
		{List: wallarm.APIAbuseExceptions, Values: wallarm.Addresses("203.0.113.8"), IPTerms: always},
	}
	require.NoError(t, lists.CreateRules(ctx, bulk, false))
	require.ErrorIs(t, lists.CreateRules(ctx, bulk, false), wallarm.ErrConflict)
	require.NoError(t, lists.CreateRules(ctx, bulk, true))
	more, err := lists.CreateRulesV5(ctx, wallarm.Allowlist, []wallarm.NewIPRule{
		{Values: wallarm.Addresses("192.0.2.0/28"), IPTerms: always}, {Values: wallarm.Datacenters("aws"), IPTerms: always},
	}, true)
	require.NoError(t, err)
	require.Len(t, more, 2)
	var ids []int64
	for rule, err := range lists.AllRules(ctx, wallarm.IPRuleFilter{NotIDs: []int64{rule.ID}}, wallarm.PageSize(2)) {
		require.NoError(t, err)
		ids = append(ids, rule.ID)
	}
	require.Len(t, ids, 4)
	require.NoError(t, lists.DeleteRules(ctx, ids))
	counts, err := lists.CountRules(ctx, wallarm.IPRuleFilter{})
	require.NoError(t, err)
	require.EqualValues(t, 1, counts.All)
	_, err = client.Tenant(wallarmtest.OtherClientID).IPLists.CountRules(ctx, wallarm.IPRuleFilter{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

func TestRemovedCountryLeavesTheOthers(t *testing.T) {
	t.Parallel()
	_, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	terms := wallarm.IPTerms{Reason: "far away", ExpiresAt: wallarm.Forever, ApplicationIDs: []int64{7}}
	_, err := client.IPLists.Add(ctx, wallarm.NewIPEntries{List: wallarm.Graylist, Values: wallarm.Countries("AQ", "BV", "HM"), IPTerms: terms})
	require.NoError(t, err)
	n, err := client.IPLists.RemoveValues(ctx, wallarm.Graylist, wallarm.Countries("bv"))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, []string{"country:AQ", "country:HM"}, held(t, client, wallarm.Graylist))
	page, err := client.IPLists.List(ctx, wallarm.IPFilter{List: wallarm.Graylist}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Equal(t, "far away", page.Items[0].Reason)
	require.Equal(t, []int64{7}, page.Items[0].ApplicationIDs)
}

func TestSync(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx, lists := t.Context(), client.IPLists
	_, err := lists.Add(ctx, wallarm.NewIPEntries{
		List: wallarm.Denylist, Values: append(wallarm.Addresses("203.0.113.1", "203.0.113.2", "203.0.113.3"), wallarm.Proxies("TOR", "VPN")...),
		IPTerms: wallarm.IPTerms{Reason: "feed", ExpiresAt: wallarm.Forever},
	})
	require.NoError(t, err)
	_, err = lists.Allow(ctx, []string{"192.0.2.0/28"}, always)
	require.NoError(t, err)
	_, err = lists.Deny(ctx, []string{"203.0.113.9"}, wallarm.IPTerms{Reason: "by hand", ExpiresAt: wallarm.Forever})
	require.NoError(t, err)

	wanted := wallarm.Wanted(wallarm.Addresses("203.0.113.1/32", "203.0.113.4", "198.51.100.0/24")...)
	wanted = append(wanted, wallarm.WantedIP{
		IPValue: wallarm.Addresses("203.0.113.2")[0], Terms: &wallarm.IPTerms{Reason: "special", ExpiresAt: wallarm.Forever},
	})
	options := wallarm.SyncOptions{
		IPTerms: wallarm.IPTerms{Reason: "feed", ExpiresAt: wallarm.Forever},
		Keep:    func(e *wallarm.IPEntry) bool { return e.Reason == "by hand" },
	}
	before := len(cloud.Requests())
	plan, err := lists.PlanSync(ctx, wallarm.Denylist, wanted, options)
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		"deny list of client 4711: 2 to add, 1 to update, 1 to remove, 2 kept",
		"+ 198.51.100.0/24  until forever, \"feed\"",
		"+ 203.0.113.4  until forever, \"feed\"",
		"~ 203.0.113.2  reason \"feed\" → \"special\"",
		"- 203.0.113.3  until forever, \"feed\"",
		"",
	}, "\n"), plan.String())
	for _, request := range cloud.Requests()[before:] {
		require.Equal(t, "GET", request.Method, "a plan changes nothing")
	}

	result, err := lists.Apply(ctx, plan)
	require.NoError(t, err)
	require.Equal(t, []int{2, 1, 1, 0}, []int{result.Added, result.Updated, result.Removed, result.Restored})
	want := []string{"198.51.100.0/24", "203.0.113.1", "203.0.113.2", "203.0.113.4", "203.0.113.9", "proxy:TOR", "proxy:VPN"}
	require.Equal(t, want, held(t, client, wallarm.Denylist))
	require.Equal(t, []string{"192.0.2.0/28"}, held(t, client, wallarm.Allowlist))
	_, err = lists.Apply(ctx, plan)
	require.NoError(t, err, "a plan may be applied again")
	require.Equal(t, want, held(t, client, wallarm.Denylist))
	again, err := lists.PlanSync(ctx, wallarm.Denylist, wanted, options)
	require.NoError(t, err)
	require.True(t, again.IsEmpty(), again)

	// Proxies are made equal once they are wanted: the entry with both goes, and what stays comes again.
	result, err = lists.Sync(ctx, wallarm.Denylist, wallarm.Wanted(wallarm.Proxies("VPN", "MIP")...), options)
	require.NoError(t, err)
	require.Equal(t, 1, result.Restored)
	require.Equal(t, []string{"198.51.100.0/24", "203.0.113.1", "203.0.113.2", "203.0.113.4", "203.0.113.9", "proxy:MIP", "proxy:VPN"},
		held(t, client, wallarm.Denylist))

	_, err = lists.Sync(ctx, wallarm.Denylist, nil, options)
	require.ErrorIs(t, err, wallarm.ErrInvalidArgument, "an empty file must not empty the list")
	options.AllowEmpty = true
	before = len(cloud.Requests())
	for _, kinds := range [][]wallarm.IPKind{nil, {}} {
		options.Kinds = kinds
		for _, empty := range [][]wallarm.WantedIP{nil, {}, wallarm.Wanted(wallarm.Countries()...)} {
			_, err = lists.PlanSync(ctx, wallarm.Denylist, empty, options)
			require.ErrorIs(t, err, wallarm.ErrInvalidArgument, "an empty file of countries must not remove addresses")
			require.ErrorContains(t, err, "Kinds")
		}
	}
	_, err = lists.PlanSync(ctx, wallarm.Denylist, wanted, options)
	require.ErrorIs(t, err, wallarm.ErrInvalidArgument, "no kinds at all are none that are wanted")
	require.Len(t, cloud.Requests(), before)
	options.Kinds = []wallarm.IPKind{wallarm.IPCountry}
	plan, err = lists.PlanSync(ctx, wallarm.Denylist, nil, options)
	require.NoError(t, err)
	require.True(t, plan.IsEmpty(), plan)
	options.Kinds = []wallarm.IPKind{wallarm.IPSubnet}
	_, err = lists.Sync(ctx, wallarm.Denylist, nil, options)
	require.NoError(t, err)
	require.Equal(t, []string{"203.0.113.9", "proxy:MIP", "proxy:VPN"}, held(t, client, wallarm.Denylist))
}

func TestSyncOfManyInFewCalls(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	addresses := func(from, to int) []wallarm.WantedIP {
		var wanted []wallarm.WantedIP
		for i := from; i < to; i++ {
			wanted = append(wanted, wallarm.Wanted(wallarm.Addresses(fmt.Sprintf("2001:db8::%x", i+1))...)...)
		}
		return wanted
	}
	options := wallarm.SyncOptions{IPTerms: always}
	result, err := client.IPLists.Sync(ctx, wallarm.Denylist, addresses(0, 2500), options)
	require.NoError(t, err)
	require.Equal(t, 2500, result.Added)
	require.Len(t, cloud.RequestsOf("iplists.add"), 3)
	result, err = client.IPLists.Sync(ctx, wallarm.Denylist, addresses(1200, 2600), options)
	require.NoError(t, err)
	require.Equal(t, []int{100, 1200}, []int{result.Added, result.Removed})
	require.Len(t, cloud.RequestsOf("iplists.remove"), 2)
	require.Len(t, result.Plan.Keep, 1300)
}

func TestSyncTerms(t *testing.T) {
	t.Parallel()
	_, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx, lists := t.Context(), client.IPLists
	tomorrow := time.Now().Add(24 * time.Hour)
	wanted := wallarm.Wanted(wallarm.Addresses("203.0.113.1")...)
	options := wallarm.SyncOptions{IPTerms: wallarm.IPTerms{ExpiresAt: tomorrow}}
	_, err := lists.Sync(ctx, wallarm.Denylist, wanted, options)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		change func(*wallarm.SyncOptions)
		note   string
	}{
		"half a minute":      {func(o *wallarm.SyncOptions) { o.ExpiresAt = tomorrow.Add(30 * time.Second) }, ""},
		"an hour":            {func(o *wallarm.SyncOptions) { o.ExpiresAt = tomorrow.Add(time.Hour) }, "until "},
		"a tolerated hour":   {func(o *wallarm.SyncOptions) { o.ExpiresAt, o.Tolerance = tomorrow.Add(time.Hour), 2*time.Hour }, ""},
		"terms do not count": {func(o *wallarm.SyncOptions) { o.ExpiresAt, o.KeepTerms = wallarm.Forever, true }, ""},
		"forever":            {func(o *wallarm.SyncOptions) { o.ExpiresAt = wallarm.Forever }, "→ forever"},
		"reason":             {func(o *wallarm.SyncOptions) { o.Reason = "x" }, `reason "" → "x"`},
		"applications":       {func(o *wallarm.SyncOptions) { o.ApplicationIDs = []int64{7} }, "applications [0] → [7]"},
		"all by name":        {func(o *wallarm.SyncOptions) { o.ApplicationIDs = []int64{wallarm.AllApplications} }, ""},
	} {
		changed := options
		test.change(&changed)
		plan, err := lists.PlanSync(ctx, wallarm.Denylist, wanted, changed)
		require.NoError(t, err, name)
		require.Equal(t, test.note == "", plan.IsEmpty(), "%s: %v", name, plan)
		if test.note != "" {
			require.Contains(t, plan.Update[0].Note, test.note, name)
		}
	}
}

// TestSyncWhileListsLag syncs twice before what was added shows up in the lists.
func TestSyncWhileListsLag(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultLag, Op: "ip_rules", Lists: 1})
	wanted := wallarm.Wanted(wallarm.Addresses("203.0.113.1", "203.0.113.2")...)
	for range 2 {
		result, err := client.IPLists.Sync(t.Context(), wallarm.Denylist, wanted, wallarm.SyncOptions{IPTerms: always})
		require.NoError(t, err)
		require.Equal(t, 2, result.Added, "the list still looks empty")
	}
	require.Equal(t, []string{"203.0.113.1", "203.0.113.2"}, held(t, client, wallarm.Denylist))
}

// TestSyncReachesEveryState goes from random lists to random wanted sets, with failures on the way: planned and applied again, the list
// is as wanted in the end, and a further plan is empty.
func TestSyncReachesEveryState(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func() []wallarm.IPValue {
		var values []wallarm.IPValue
		for i := range 12 {
			if rng.IntN(2) == 0 {
				values = append(values, wallarm.Addresses(fmt.Sprintf("203.0.113.%d", i))...)
			}
		}
		for _, code := range []string{"AQ", "BV", "HM", "GS", "TF"} {
			if rng.IntN(2) == 0 {
				values = append(values, wallarm.Countries(code)...)
			}
		}
		return values
	}
	reasons := []string{"", "a", "b"}
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	for range 40 {
		for range 3 {
			_, err := client.IPLists.Add(ctx, wallarm.NewIPEntries{
				List: wallarm.Denylist, Values: append(pick(), wallarm.Proxies("TOR")...), Force: true,
				IPTerms: wallarm.IPTerms{Reason: reasons[rng.IntN(3)], ExpiresAt: wallarm.Forever},
			})
			require.NoError(t, err)
		}
		values := pick()
		wanted := wallarm.Wanted(values...)
		for i := range wanted {
			wanted[i].Terms = &wallarm.IPTerms{Reason: reasons[rng.IntN(3)], ExpiresAt: wallarm.Forever}
		}
		options := wallarm.SyncOptions{Kinds: []wallarm.IPKind{wallarm.IPSubnet, wallarm.IPCountry}, AllowEmpty: true}
		cloud.Inject(wallarmtest.Fault{Op: "iplists.remove", Kind: wallarmtest.FaultStatus, Status: 403, Body: `{}`, Probability: 0.3})
		cloud.Inject(wallarmtest.Fault{Op: "iplists.add", Kind: wallarmtest.FaultStatus, Status: 403, Body: `{}`, Probability: 0.3})
		cloud.Inject(wallarmtest.Fault{Op: "iplists.add", Kind: wallarmtest.FaultResetAfter, Probability: 0.2})
		for {
			_, err := client.IPLists.Sync(ctx, wallarm.Denylist, wanted, options)
			if err == nil {
				break
			}
			var lost *wallarm.IPRestoreError
			require.True(t, errors.Is(err, wallarm.ErrForbidden) || errors.As(err, &lost) || wallarm.IsTemporary(err), "%v", err)
		}
		cloud.ClearFaults()
		want := []string{"proxy:TOR"}
		for _, value := range values {
			want = append(want, value.String())
		}
		slices.Sort(want)
		require.Equal(t, want, held(t, client, wallarm.Denylist))
		plan, err := client.IPLists.PlanSync(ctx, wallarm.Denylist, wanted, options)
		require.NoError(t, err)
		require.True(t, plan.IsEmpty(), "%v", plan)
	}
}
