package wallarm

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestSettingsInTheCloud(t *testing.T) {
	t.Parallel()
	client, _ := newCloud(t, wallarmtest.AdminToken)
	settings := client.RuleSettings
	mode, err := settings.Mode(t.Context())
	require.NoError(t, err)
	require.Equal(t, ModeDefault, mode)
	mode, err = settings.SetMode(t.Context(), ModeSafeBlocking)
	require.NoError(t, err)
	require.Equal(t, ModeSafeBlocking, mode)
	page, err := client.Rules.List(t.Context(), RuleFilter{System: Set(true)}, PageOptions{})
	require.NoError(t, err)
	require.Equal(t, SetFiltrationMode{ModeSafeBlocking}, page.Items[0].Spec, "the mode is a rule of the platform")
	_, err = settings.SetMode(t.Context(), "aggressive")
	require.ErrorIs(t, err, ErrValidation)

	limit, err := settings.SetTimeLimit(t.Context(), TimeLimit{Milliseconds: 0, Mode: OverlimitBlocking})
	require.NoError(t, err)
	require.Equal(t, &TimeLimit{Mode: OverlimitBlocking}, limit)
	limit, err = settings.TimeLimit(t.Context())
	require.NoError(t, err)
	require.Zero(t, limit.Milliseconds, "a literal zero arrives")

	require.NoError(t, settings.Reset(t.Context()), "nothing to reset is no failure")
	_, err = settings.Update(t.Context(), RulesSettingsUpdate{MinFormat: Set[int64](54), PIIWeight: Set[int64](0)})
	require.NoError(t, err)
	own, err := settings.Update(t.Context(), RulesSettingsUpdate{Heavy: Set(true)})
	require.NoError(t, err)
	require.Equal(t, int64(54), *own.MinFormat, "an update of something else leaves it")
	require.Zero(t, own.PIIWeight)
	own, err = settings.Update(t.Context(), RulesSettingsUpdate{MinFormat: Null[int64]()})
	require.NoError(t, err)
	require.Nil(t, own.MinFormat)
	list, err := settings.List(t.Context(), RulesSettingsFilter{Heavy: Set(true)}, PageOptions{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.NoError(t, settings.Reset(t.Context()))
	own, err = settings.Get(t.Context())
	require.NoError(t, err)
	defaults, err := settings.Defaults(t.Context())
	require.NoError(t, err)
	require.Zero(t, defaults.ClientID)
	require.Equal(t, int64(wallarmtest.DefaultClientID), own.ClientID)
	own.ClientID = 0
	require.Equal(t, defaults, own)
}

func TestSnapshotsInTheCloud(t *testing.T) {
	t.Parallel()
	client, cloud := newCloud(t, wallarmtest.AdminToken)
	rule, err := client.Rules.Create(t.Context(), NewRule{Scope: Scope().Host("shop.example.com"), Spec: SetFiltrationMode{ModeBlock}})
	require.NoError(t, err)
	snapshot, err := client.Snapshots.Create(t.Context(), NewSnapshot{Title: "Before"})
	require.NoError(t, err)
	require.Equal(t, SnapshotBackup, snapshot.Status)
	err = client.Rules.Delete(t.Context(), rule.ID, WithRetries(0))
	require.ErrorIs(t, err, ErrLocked)
	status, err := client.Snapshots.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, RulesBackup, status)
	cloud.Advance(time.Minute)
	require.NoError(t, client.Snapshots.WaitUnlocked(t.Context(), time.Nanosecond))
	require.NoError(t, client.Rules.Delete(t.Context(), rule.ID))

	changed, err := client.Snapshots.Update(t.Context(), snapshot.ID, SnapshotUpdate{Comment: Set("kept"), Important: Set(true)})
	require.NoError(t, err)
	require.Equal(t, "Before", changed.Title)
	require.True(t, changed.Important)
	_, err = client.Snapshots.Restore(t.Context(), snapshot.ID)
	require.NoError(t, err)
	page, err := client.Rules.List(t.Context(), RuleFilter{}, PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.NotEqual(t, rule.ID, page.Items[0].ID, "ids from before mean nothing")
	require.Equal(t, rule.Spec, page.Items[0].Spec)
	cloud.Advance(time.Minute)

	snapshots, err := client.Snapshots.List(t.Context(), SnapshotFilter{Auto: Set(false), Status: SnapshotReady}, PageOptions{})
	require.NoError(t, err)
	require.Len(t, snapshots.Items, 1)
	require.NoError(t, client.Snapshots.Delete(t.Context(), snapshot.ID))
	require.NoError(t, client.Snapshots.Delete(t.Context(), snapshot.ID), "a repeated delete succeeds")
	_, err = client.Snapshots.Get(t.Context(), snapshot.ID)
	require.ErrorIs(t, err, ErrNotFound)

	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "snapshots.create", Count: 1})
	_, err = client.Snapshots.Create(t.Context(), NewSnapshot{Title: "Once"})
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.Len(t, cloud.Objects("snapshots"), 1)
}

// TestRulesetsInTheCloud waits on the clock of a cloud that runs in synthetic time.
func TestRulesetsInTheCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(US, Token(wallarmtest.AdminToken), WithRoundTripper(inProcess{wallarmtest.NewCloud()}))
		require.NoError(t, err)
		_, err = client.Rulesets.Version(t.Context())
		require.ErrorIs(t, err, ErrNotFound)
		before, err := client.Rulesets.State(t.Context())
		require.NoError(t, err)
		_, err = client.Rules.Create(t.Context(), NewRule{Scope: Scope(), Spec: SetFiltrationMode{ModeBlock}})
		require.NoError(t, err)
		building, err := client.Rulesets.Compilation(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, building.State)
		state, err := client.Rulesets.WaitForNodes(t.Context(), before, 100*time.Millisecond)
		require.NoError(t, err)
		require.Greater(t, state.CurrentBuild, before.CurrentBuild)

		version, err := client.Rulesets.Version(t.Context())
		require.NoError(t, err)
		require.Equal(t, state.CurrentBuild, version.Version)
		page, err := client.Rulesets.List(t.Context(), RulesetFilter{Ready: Set(true), Versions: []int64{version.Version}}, PageOptions{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		build, err := client.Rulesets.Get(t.Context(), page.Items[0].ID)
		require.NoError(t, err)
		require.True(t, build.Ready)
		base, err := client.Rulesets.List(t.Context(), RulesetFilter{Base: true}, PageOptions{})
		require.NoError(t, err)
		require.Zero(t, base.Items[0].ClientID)
		time.Sleep(time.Second)
		job, err := client.Rulesets.Compile(t.Context(), CompileRequest{})
		require.NoError(t, err)
		require.NotEmpty(t, job.ID)

		// A wait ends with its context.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = client.Rulesets.WaitForNodes(ctx, &RulesetState{CurrentBuild: 1000}, 300*time.Millisecond)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestCataloguesInTheCloud(t *testing.T) {
	t.Parallel()
	client, _ := newCloud(t, wallarmtest.AdminToken)
	detector, err := client.Rules.Create(t.Context(), NewRule{
		Scope: Scope(), Spec: AttackDetector{AttackType: AttackScanner, Regex: "^zgrab", Point: Point{Header("User-Agent")}},
	})
	require.NoError(t, err)
	regexID := detector.Spec.(AttackDetector).RegexID
	regexes, err := client.Regexes.List(t.Context(), RegexFilter{RuleTypes: []RuleType{RuleAttackDetector}}, PageOptions{})
	require.NoError(t, err)
	require.Len(t, regexes.Items, 1)
	regex, err := client.Regexes.Get(t.Context(), regexID)
	require.NoError(t, err)
	require.Equal(t, "^zgrab", regex.Value)
	rules, err := client.Rules.OfHit(t.Context(), &Hit{
		Regexes: []int64{regexID, regexID + 1}, Point: Point{Header("User-Agent")}, Domain: "shop.example.com", Path: "/", ApplicationID: -1,
	})
	require.NoError(t, err)
	require.Len(t, rules, 1)
	require.Equal(t, detector.ID, rules[0].ID)

	_, err = client.Rules.Create(t.Context(), NewRule{Scope: Scope(), Spec: GraphQLProtection{Mode: ModeBlock, BanDebug: Set(false)}})
	require.NoError(t, err)
	_, err = client.Rules.Create(t.Context(), NewRule{Scope: Scope(), Spec: CredentialStuffingByRegex{Regex: "p", LoginRegex: "l"}})
	require.NoError(t, err)
	groups, err := client.Rules.Mitigations(t.Context())
	require.NoError(t, err)
	require.Equal(t, Set(false), groups["graphql"][0].Spec.(GraphQLProtection).BanDebug, "a literal false arrives")
	stats, err := client.Rules.MitigationStats(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), stats["graphql"]["total"])
	credentials, err := client.Rules.CredentialStuffing(t.Context())
	require.NoError(t, err)
	require.Equal(t, CredentialsDefault, credentials.Custom[0].Spec.(CredentialStuffingByRegex).Database)
	page, err := client.Rules.List(t.Context(), RuleFilter{Types: []RuleType{RuleCredentialStuffingByRegex}}, PageOptions{})
	require.NoError(t, err)
	require.Empty(t, page.Items, "the list hides them from ordinary tokens")
	same, err := client.Rules.FindSame(t.Context(), NewRule{Scope: Scope(), Spec: CredentialStuffingByRegex{Regex: "p", LoginRegex: "l"}})
	require.NoError(t, err)
	require.Len(t, same, 1, "yet they are found")

	steps, err := client.Rules.SuggestSteps(t.Context(), []Point{{RequestBody(), JSONDoc()}, {Header("X-A"), JSONDoc()}})
	require.NoError(t, err)
	require.Contains(t, steps[0], "gql")
	require.NotContains(t, steps[1], "gql")
	types, err := client.Rules.AttackTypesByFeature(t.Context())
	require.NoError(t, err)
	require.Contains(t, types.Groups["rules.vpatch"], AnyAttack)
	require.NotContains(t, types.Groups["rules.regex"], AnyAttack)
	types, err = client.Rules.AttackTypes(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, types.Groups)
}
