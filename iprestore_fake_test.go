package wallarm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// embargo puts three countries into one entry of the deny list.
func embargo(t *testing.T, client *wallarm.Client) wallarm.NewIPEntries {
	t.Helper()
	entries := wallarm.NewIPEntries{
		List: wallarm.Denylist, Values: wallarm.Countries("AQ", "BV", "HM"),
		IPTerms: wallarm.IPTerms{Reason: "embargo", ExpiresAt: time.Now().Add(time.Hour).Truncate(time.Second), ApplicationIDs: []int64{7}},
	}
	_, err := client.IPLists.Add(t.Context(), entries)
	require.NoError(t, err)
	return entries
}

// restored follows the docstring of IPRestoreError.
func restored(t *testing.T, client *wallarm.Client, err error) {
	t.Helper()
	var lost *wallarm.IPRestoreError
	require.ErrorAs(t, err, &lost)
	for _, entries := range lost.Lost {
		_, err := client.IPLists.Add(t.Context(), entries, wallarm.WithClientID(lost.ClientID))
		require.NoError(t, err)
	}
}

// TestLostValuesAreNamed lets adding the rest of an entry again fail after the entry was removed.
func TestLostValuesAreNamed(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]wallarmtest.Fault{
		"refused": {Kind: wallarmtest.FaultStatus, Status: http.StatusForbidden, Body: `{"status":403,"body":"Check permissions failed"}`},
		"reset":   {Kind: wallarmtest.FaultResetBefore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, client := edgeCloud(t, wallarmtest.AdminToken)
			before := embargo(t, client)
			fault.Op = "iplists.add"
			cloud.Inject(fault)
			n, err := client.IPLists.RemoveValues(t.Context(), wallarm.Denylist, wallarm.Countries("AQ"))
			require.Equal(t, 1, n, "AQ is gone, whatever became of the others")
			require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
			require.Equal(t, name == "refused", errors.Is(err, wallarm.ErrForbidden))
			require.False(t, wallarm.IsTemporary(err), "a repeat does not bring the values back")
			var lost *wallarm.IPRestoreError
			require.ErrorAs(t, err, &lost)
			require.EqualValues(t, 4711, lost.ClientID)
			require.Len(t, lost.Lost, 1)
			require.Equal(t, wallarm.Denylist, lost.Lost[0].List)
			require.Equal(t, wallarm.Countries("BV", "HM"), lost.Lost[0].Values)
			require.Equal(t, before.Reason, lost.Lost[0].Reason)
			require.Equal(t, before.ApplicationIDs, lost.Lost[0].ApplicationIDs)
			require.True(t, before.ExpiresAt.Equal(lost.Lost[0].ExpiresAt))
			require.ErrorContains(t, err, "deny list of client 4711: country:BV, country:HM (until "+
				before.ExpiresAt.UTC().Format(time.RFC3339)+`, applications [7], "embargo")`)

			cloud.ClearFaults()
			require.Empty(t, held(t, client, wallarm.Denylist))
			restored(t, client, err)
			require.Equal(t, []string{"country:BV", "country:HM"}, held(t, client, wallarm.Denylist))
			page, err := client.IPLists.List(t.Context(), wallarm.IPFilter{List: wallarm.Denylist}, wallarm.PageOptions{})
			require.NoError(t, err)
			require.Equal(t, before.ApplicationIDs, page.Items[0].ApplicationIDs)
			require.True(t, before.ExpiresAt.Equal(page.Items[0].ExpiresAt.Time))
		})
	}
}

// TestCancelledRemovalPutsBack ends the caller's context with the answer to the removal.
func TestCancelledRemovalPutsBack(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	embargo(t, client)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cancelling, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(cloud.URL),
		wallarm.WithHook(func(_ context.Context, a wallarm.Attempt) {
			if a.Method == http.MethodDelete {
				cancel()
			}
		}))
	require.NoError(t, err)
	options := wallarm.SyncOptions{IPTerms: always, KeepTerms: true}
	wanted := wallarm.Wanted(wallarm.Countries("BV", "HM", "TF")...)
	result, err := cancelling.IPLists.Sync(ctx, wallarm.Denylist, wanted, options)
	require.ErrorIs(t, err, context.Canceled, "what is not needed to restore the list is not done any more")
	require.Equal(t, []int{0, 1, 2}, []int{result.Added, result.Removed, result.Restored})
	require.Equal(t, []string{"country:BV", "country:HM"}, held(t, client, wallarm.Denylist))
}

// TestUnclearRemovalPutsBack resets the connection after the removal, as often as it is tried.
func TestUnclearRemovalPutsBack(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	embargo(t, client)
	cloud.Inject(wallarmtest.Fault{Op: "iplists.remove", Kind: wallarmtest.FaultResetAfter})
	_, err := client.IPLists.RemoveValues(t.Context(), wallarm.Denylist, wallarm.Countries("AQ"))
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	var lost *wallarm.IPRestoreError
	require.False(t, errors.As(err, &lost), "%v", err)
	require.Equal(t, []string{"country:BV", "country:HM"}, held(t, client, wallarm.Denylist))

	cloud.ClearFaults()
	cloud.Inject(wallarmtest.Fault{Op: "iplists.remove", Kind: wallarmtest.FaultStatus, Status: http.StatusForbidden})
	before := len(cloud.RequestsOf("iplists.add"))
	_, err = client.IPLists.RemoveValues(t.Context(), wallarm.Denylist, wallarm.Countries("BV"))
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	require.Len(t, cloud.RequestsOf("iplists.add"), before, "nothing was removed, so nothing has to come back")
}

// TestLostUpdateIsNamed is about a value with new terms whose entry had to go: it is to come back too, with the new terms.
func TestLostUpdateIsNamed(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	before := embargo(t, client)
	wanted := wallarm.Wanted(wallarm.Countries("AQ", "BV", "HM")...)
	for i := range wanted {
		wanted[i].Terms = &before.IPTerms
	}
	wanted[0].Terms = &wallarm.IPTerms{Reason: "special", ExpiresAt: wallarm.Forever}
	cloud.Inject(wallarmtest.Fault{Op: "iplists.add", Kind: wallarmtest.FaultStatus, Status: http.StatusForbidden, Count: 2})
	result, err := client.IPLists.Sync(t.Context(), wallarm.Denylist, wanted, wallarm.SyncOptions{})
	var lost *wallarm.IPRestoreError
	require.ErrorAs(t, err, &lost)
	require.Len(t, lost.Lost, 2)
	require.Equal(t, "special", lost.Lost[1].Reason)
	require.Zero(t, result.Updated+result.Restored)
	restored(t, client, err)
	plan, err := client.IPLists.PlanSync(t.Context(), wallarm.Denylist, wanted, wallarm.SyncOptions{})
	require.NoError(t, err)
	require.True(t, plan.IsEmpty(), "%v", plan)
}

func TestRestoreErrorTextIsShort(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("203.0.%d.%d", i/256, i%256))
	}
	err := &wallarm.IPRestoreError{ClientID: 4711, Err: wallarm.ErrForbidden, Lost: []wallarm.NewIPEntries{
		{List: wallarm.Allowlist, Values: wallarm.Addresses(many...), IPTerms: always},
	}}
	require.ErrorContains(t, err, "203.0.0.19, and 980 more (until forever): forbidden")
}

// TestPlansThatCannotBeCarriedOut changes plans in ways that would remove values and then fail to add others.
func TestPlansThatCannotBeCarriedOut(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	embargo(t, client)
	options := wallarm.SyncOptions{IPTerms: always}
	for name, change := range map[string]func(*wallarm.SyncPlan){
		"another list": func(p *wallarm.SyncPlan) { p.List = wallarm.Allowlist },
		"only kept in another list": func(p *wallarm.SyncPlan) {
			p.List, p.Keep, p.Update, p.Remove = wallarm.Allowlist, p.Remove, nil, nil
		},
		"no list":        func(p *wallarm.SyncPlan) { p.List = "" },
		"expired since":  func(p *wallarm.SyncPlan) { p.Add[0].Terms.ExpiresAt = time.Now() },
		"no such value":  func(p *wallarm.SyncPlan) { p.Add[0].Value = "Mars" },
		"another client": func(p *wallarm.SyncPlan) { p.Remove[0].Current.ClientID++ },
		"no id":          func(p *wallarm.SyncPlan) { p.Remove[0].Current.ID = 0 },
		"rest that cannot be added": func(p *wallarm.SyncPlan) {
			p.Remove = p.Remove[:1]
			p.Remove[0].Current.Values = []string{"AQ", "A1x"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := client.IPLists.PlanSync(t.Context(), wallarm.Denylist, wallarm.Wanted(wallarm.Countries("TF")...), options)
			require.NoError(t, err)
			change(plan)
			before := len(cloud.Requests())
			_, err = client.IPLists.Apply(t.Context(), plan)
			require.ErrorIs(t, err, wallarm.ErrInvalidArgument)
			require.Equal(t, name == "rest that cannot be added", strings.Contains(err.Error(), "what stays of an entry"), err)
			require.Len(t, cloud.Requests(), before, "nothing is sent")
		})
	}
	require.Equal(t, []string{"country:AQ", "country:BV", "country:HM"}, held(t, client, wallarm.Denylist))
}
