package wallarm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// newCloud starts a fake cloud and makes a client of it.
func newCloud(t *testing.T, token string, options ...wallarmtest.Option) (*Client, *wallarmtest.Server) {
	t.Helper()
	cloud := wallarmtest.NewServer(t, options...)
	client, err := New(US, Token(token), WithBaseURL(cloud.URL), WithDefaults(WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	return client, cloud
}

// inProcess is a RoundTripper that hands requests to a fake cloud without a network, for tests in synthetic time.
type inProcess struct{ cloud *wallarmtest.Cloud }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	p.cloud.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// TestEveryRuleTypeInTheCloud leads each type of rule through its life.
func TestEveryRuleTypeInTheCloud(t *testing.T) {
	t.Parallel()
	client, cloud := newCloud(t, wallarmtest.ExtendedToken)
	detector, err := client.Rules.Create(t.Context(), NewRule{
		Scope: Scope(), Spec: AttackDetector{AttackType: AttackRCE, Regex: "x", Point: Point{WholeURI()}},
	})
	require.NoError(t, err)
	require.NotZero(t, detector.Spec.(AttackDetector).RegexID)
	var ids []int64
	counters := 0
	for _, rule := range documentedRules {
		kind := rule.Spec.RuleType()
		if kind == RuleIgnoreDetector {
			rule.Spec = IgnoreDetector{RegexID: detector.Spec.(AttackDetector).RegexID, Point: rule.Spec.(IgnoreDetector).Point}
		}
		created, err := client.Rules.Create(t.Context(), rule)
		require.NoError(t, err, kind)
		require.IsType(t, rule.Spec, created.Spec)
		require.True(t, created.IsActive())
		require.NotNil(t, created.VariativityDisabled)
		conditions, err := rule.Scope.Conditions()
		require.NoError(t, err)
		require.True(t, conditions.Equal(created.Conditions), "%s: want %s, have %s", kind, conditions, created.Conditions)
		ids = append(ids, created.ID)

		read, err := client.Rules.Get(t.Context(), created.ID)
		require.NoError(t, err, kind)
		require.Equal(t, created, read, kind)
		same, err := client.Rules.FindSame(t.Context(), rule)
		require.NoError(t, err, kind)
		require.NotEmpty(t, same, kind)

		read.Title, read.Active = "Changed", new(false)
		updated, err := client.Rules.Update(t.Context(), read.ID, read.Update())
		if _, isCounter := stored(t, cloud, read.ID)["counter"]; isCounter {
			require.ErrorIs(t, err, ErrForbidden, kind)
			counters++
			continue
		}
		require.NoError(t, err, kind)
		require.False(t, updated.IsActive(), kind)
		require.Equal(t, "Changed", updated.Title)
		require.Equal(t, read.Spec, updated.Spec, kind)
		requireStored(t, cloud, updated)
	}
	listed := 0
	for rule, err := range client.Rules.All(t.Context(), RuleFilter{System: Set(false)}, PageSize(7)) {
		require.NoError(t, err)
		require.NotEqual(t, UnknownSpec{}, rule.Spec)
		listed++
	}
	require.Equal(t, len(ids)+1, listed)

	result, err := client.Rules.DeleteMany(t.Context(), append(ids, 1))
	require.NoError(t, err)
	require.Len(t, result.Missing, counters+1, "counters and what is not there")
	require.Len(t, result.Deleted, len(ids)-counters)
	require.NoError(t, client.Rules.Delete(t.Context(), result.Deleted[0].ID), "a repeated delete succeeds")
}

func stored(t *testing.T, cloud *wallarmtest.Server, id int64) map[string]RawJSON {
	t.Helper()
	var members map[string]RawJSON
	require.NoError(t, json.Unmarshal(cloud.Object("rules", id), &members))
	return members
}

// requireStored compares a rule, written back, with what the cloud holds: nothing is lost.
func requireStored(t *testing.T, cloud *wallarmtest.Server, rule *Rule) {
	t.Helper()
	encoded, err := json.Marshal(rule)
	require.NoError(t, err)
	var want, have any
	require.NoError(t, decodeAny(cloud.Object("rules", rule.ID), &want))
	require.NoError(t, decodeAny(encoded, &have))
	require.Empty(t, lost("", want, have))
}

// TestUpdateInTheCloud: absent, zero and null are three things.
func TestUpdateInTheCloud(t *testing.T) {
	t.Parallel()
	client, _ := newCloud(t, wallarmtest.AdminToken)
	rule, err := client.Rules.Create(t.Context(), NewRule{
		Scope: Scope().Host("shop.example.com"), Comment: "kept", Title: "cleared",
		Spec: RateLimit{Point: Point{RemoteAddr()}, Rate: 20, Burst: 5, Status: 429},
	})
	require.NoError(t, err)
	require.Equal(t, PerSecond, rule.Spec.(RateLimit).Unit, "the API fills it in")
	updated, err := client.Rules.Update(t.Context(), rule.ID, RuleUpdate{
		Title: Set(""), VariativityDisabled: Set(false), Spec: RateLimitUpdate{Rate: Set[int64](0)},
	})
	require.NoError(t, err)
	require.Equal(t, "kept", updated.Comment)
	require.Empty(t, updated.Title)
	require.False(t, *updated.VariativityDisabled)
	spec := updated.Spec.(RateLimit)
	require.Zero(t, spec.Rate)
	require.Equal(t, int64(5), spec.Burst)
	require.NotEmpty(t, spec.Suffix)
}

// TestWhatIsLookedForIsNotMissedBehindABound: an option for iterators does not shorten the list in which something is looked for.
func TestWhatIsLookedForIsNotMissedBehindABound(t *testing.T) {
	t.Parallel()
	client, _ := newCloud(t, wallarmtest.AdminToken)
	made := func(path, header string) NewRule {
		rule := NewRule{Scope: Scope().Path(path), Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{Header(header)}}}
		_, err := client.Rules.Create(t.Context(), rule)
		require.NoError(t, err)
		return rule
	}
	rules := []NewRule{made("/bounded/a", "HOST"), made("/bounded/a", "REFERER"), made("/bounded/b", "HOST")}
	for _, option := range []CallOption{MaxItems(1), Resume(new(Checkpoint))} {
		for _, rule := range rules {
			same, err := client.Rules.FindSame(t.Context(), rule, option)
			require.NoError(t, err)
			require.Len(t, same, 1)
			conditions, err := rule.Scope.Conditions()
			require.NoError(t, err)
			_, err = client.Scopes.Find(t.Context(), conditions, option)
			require.NoError(t, err)
		}
	}
}

// TestCreateOnceInTheCloud: the server makes the rule and then drops the connection.
func TestCreateOnceInTheCloud(t *testing.T) {
	t.Parallel()
	client, cloud := newCloud(t, wallarmtest.AdminToken)
	before := len(cloud.Rules())
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "rules.create"})
	rule := NewRule{Scope: Scope().Prefix("/my/api/*"), Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{Header("HOST")}}}
	_, err := client.Rules.Create(t.Context(), rule)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.Len(t, cloud.Rules(), before+1)
	same, err := client.Rules.FindSame(t.Context(), rule)
	require.NoError(t, err)
	require.Len(t, same, 1)
	require.Equal(t, "/my/api/**/*.*", same[0].Conditions.String())

	// A read gets over the same fault, and so does a delete.
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "rules.list", Count: 1})
	page, err := client.Rules.List(t.Context(), RuleFilter{Types: []RuleType{RuleVirtualPatch}}, PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "rules.deleteOne", Count: 1})
	require.NoError(t, client.Rules.Delete(t.Context(), same[0].ID))
	require.Len(t, cloud.Rules(), before)
}

func TestLockedRulesInTheCloud(t *testing.T) {
	t.Parallel()
	client, cloud := newCloud(t, wallarmtest.AdminToken)
	rule := NewRule{Scope: Scope(), Spec: MaskSensitiveData{Point: Point{Header("AUTHORIZATION")}}}
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultLock, Op: "rules.create", Count: 2})
	before := len(cloud.Rules())
	_, err := client.Rules.Create(t.Context(), rule)
	require.NoError(t, err, "a lock that ends is waited for")
	require.Len(t, cloud.Rules(), before+1)

	cloud.LockRules(time.Hour)
	_, err = client.Rules.Create(t.Context(), rule)
	require.ErrorIs(t, err, ErrLocked)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
	require.True(t, IsTemporary(err))
	require.Len(t, cloud.Rules(), before+1)
}

func TestRulesOfTenantsInTheCloud(t *testing.T) {
	t.Parallel()
	client, cloud := newCloud(t, wallarmtest.AdminToken)
	foreign, err := cloud.AddRule(fmt.Sprintf(`{"type":"wallarm_mode","mode":"block","action":[],"clientid":%d}`, wallarmtest.DefaultClientID+100000))
	require.NoError(t, err)
	_, err = client.Rules.Get(t.Context(), foreign)
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, client.Rules.Delete(t.Context(), foreign), "it is not there for us")
	require.NotEmpty(t, cloud.Object("rules", foreign))
	_, err = client.Tenant(wallarmtest.DefaultClientID+100000).Rules.List(t.Context(), RuleFilter{}, PageOptions{})
	require.ErrorIs(t, err, ErrForbidden)
	_, err = client.Rules.Get(t.Context(), 1)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = client.Rules.Create(t.Context(), NewRule{Scope: Scope(), Spec: IgnoreSignature{Signature: 5, Point: Point{WholeURI()}}})
	require.ErrorIs(t, err, ErrForbidden, "an administrator is not enough")
	_, err = client.Rules.Create(t.Context(), NewRule{Scope: Scope(), Spec: SetFiltrationMode{"aggressive"}})
	require.ErrorIs(t, err, ErrValidation)
	var api *APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "mode", api.Fields[0].Field)
}

func TestScopesInTheCloud(t *testing.T) {
	t.Parallel()
	client, cloud := newCloud(t, wallarmtest.AdminToken)
	scope := Scope().URL("POST Shop.Example.com/api/*/login?step=1").Header("X-Env", "a<b&c>d").Application(12)
	first, err := client.Rules.Create(t.Context(), NewRule{Scope: scope, Spec: SetFiltrationMode{ModeBlock}})
	require.NoError(t, err)
	second, err := client.Rules.Create(t.Context(), NewRule{ScopeID: first.ScopeID, Spec: SetAPIAbuseMode{StateDisabled}})
	require.NoError(t, err)
	require.Equal(t, first.Conditions, second.Conditions)

	conditions, err := scope.Conditions()
	require.NoError(t, err)
	found, err := client.Scopes.Find(t.Context(), conditions)
	require.NoError(t, err)
	require.Equal(t, first.ScopeID, found.ID)
	require.Equal(t, int64(2), *found.Rules)
	named, err := client.Scopes.Rename(t.Context(), found.ID, "log-in")
	require.NoError(t, err)
	require.Equal(t, "log-in", named.Name)
	read, err := client.Scopes.Get(t.Context(), found.ID)
	require.NoError(t, err)
	require.Equal(t, "log-in", read.Name)
	require.True(t, conditions.Equal(read.Conditions))

	page, err := client.Scopes.List(t.Context(), ScopeFilter{RuleTypes: []RuleType{RuleSetAPIAbuseMode}, MinRules: Set[int64](2)}, PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	page, err = client.Scopes.List(t.Context(), ScopeFilter{MinRules: Set[int64](3), NotIDs: []int64{5}}, PageOptions{})
	require.NoError(t, err)
	require.Empty(t, page.Items)

	result, err := client.Rules.DeleteMany(t.Context(), []int64{first.ID, second.ID})
	require.NoError(t, err)
	require.Empty(t, result.Missing)
	_, err = client.Scopes.Get(t.Context(), found.ID)
	require.ErrorIs(t, err, ErrNotFound, "a scope goes with its last rule")
	require.NotEmpty(t, cloud.Requests())
}

// TestSuppressInTheCloud: from a hit to the rules that suppress it.
func TestSuppressInTheCloud(t *testing.T) {
	t.Parallel()
	client, _ := newCloud(t, wallarmtest.ExtendedToken, wallarmtest.WithSampleData())
	page, err := client.Hits.List(t.Context(), HitFilter{Types: []AttackType{AttackSQLi, AttackXSS}}, PageOptions{Limit: 5})
	require.NoError(t, err)
	require.NotEmpty(t, page.Items)
	for _, how := range []Suppression{BySignature, ByAttackType} {
		rules, err := client.Rules.Suppress(t.Context(), page.Items, how)
		require.NoError(t, err)
		require.NotEmpty(t, rules)
		for _, rule := range rules {
			created, err := client.Rules.Create(t.Context(), rule)
			require.NoError(t, err)
			require.True(t, rule.Conditions.Equal(created.Conditions))
			same, err := client.Rules.FindSame(t.Context(), rule)
			require.NoError(t, err)
			require.Len(t, same, 1)
		}
	}
}

// TestRulesSurviveTheCloud reads all rules, writes them to JSON and reads that.
func TestRulesSurviveTheCloud(t *testing.T) {
	t.Parallel()
	client, cloud := newCloud(t, wallarmtest.ExtendedToken)
	for _, rule := range documentedRules {
		if body, err := rule.body(wallarmtest.DefaultClientID); err == nil && rule.Spec.RuleType() != RuleIgnoreDetector {
			_, err = cloud.AddRule(string(body))
			require.NoError(t, err, rule.Spec.RuleType())
		}
	}
	for rule, err := range client.Rules.All(t.Context(), RuleFilter{}) {
		require.NoError(t, err)
		requireStored(t, cloud, &rule)
		data, err := wire.MarshalEcho(rule)
		require.NoError(t, err)
		var again Rule
		require.NoError(t, wire.Unmarshal(data, &again))
		require.Equal(t, rule, again)
	}
}
