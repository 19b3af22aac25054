package wallarm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// The tests of this file show mistakes that users of other clients have met, and that they cannot happen here. Each of them is about one mistake and
// looks at what travels, or at what the cloud holds afterwards.

// lastSent returns the body of the last request that the cloud has received. Its method must be the given one.
func lastSent(t *testing.T, cloud *wallarmtest.Server, method string) string {
	t.Helper()
	requests := cloud.Requests()
	require.NotEmpty(t, requests)
	last := requests[len(requests)-1]
	require.Equal(t, method, last.Method, last.Path)
	return string(last.Body)
}

// TestMistakeZeroDroppedFromRequest is about false and 0 that do not reach the API, because the client takes them for absent.
func TestMistakeZeroDroppedFromRequest(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	rule, err := client.Rules.Create(t.Context(), wallarm.NewRule{
		Scope: wallarm.Scope().Host("shop.example.com"), Active: wallarm.Set(true),
		Spec: wallarm.RateLimit{Point: wallarm.Point{wallarm.RemoteAddr()}, Rate: 20, Burst: 5, Status: 429},
	})
	require.NoError(t, err)

	updated, err := client.Rules.Update(t.Context(), rule.ID, wallarm.RuleUpdate{
		Active: wallarm.Set(false), Title: wallarm.Set(""), Spec: wallarm.RateLimitUpdate{Burst: wallarm.Set[int64](0)},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"active":false,"title":"","burst":0}`, lastSent(t, cloud, http.MethodPut))
	require.False(t, updated.IsActive())
	require.Zero(t, updated.Spec.(wallarm.RateLimit).Burst)
	require.EqualValues(t, 20, updated.Spec.(wallarm.RateLimit).Rate, "What is absent stays as it is.")

	inactive, err := client.Rules.Create(t.Context(), wallarm.NewRule{
		Scope: wallarm.Scope(), Spec: wallarm.SetFiltrationMode{Mode: wallarm.ModeBlock}, Active: wallarm.Set(false),
	})
	require.NoError(t, err)
	require.False(t, inactive.IsActive(), "A rule that is made inactive must not block anything.")
}

// TestMistakeEmptyListNotSent is about an empty list that means "clear" and is left out, so that nothing is cleared.
func TestMistakeEmptyListNotSent(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	spec, err := client.APISpecs.Create(ctx, wallarm.NewAPISpec{
		Title: "Shop API", FileRemoteURL: wallarm.SecretOf("https://specs.example.com/shop.yaml"),
		Instances: []int64{42}, Domains: []string{"shop.example.com"},
	})
	require.NoError(t, err)
	cleared, err := client.APISpecs.Update(ctx, spec.ID, wallarm.APISpecUpdate{Domains: wallarm.Set([]string{})})
	require.NoError(t, err)
	require.Empty(t, cleared.Domains)
	require.Equal(t, []int64{42}, cleared.Instances, "What is absent stays as it is.")
	require.JSONEq(t, `[]`, string(membersOf(t, lastSent(t, cloud, http.MethodPut))["domains"]))

	integration, err := client.Integrations.Create(ctx, wallarm.NewIntegration{
		Name: "SOC", Target: wallarm.EmailTarget{Addresses: []string{"soc@example.com"}},
		Events: wallarm.EventsFor(wallarm.IntegrationEmail, wallarm.EventSystem),
	})
	require.NoError(t, err)
	_, err = client.Integrations.Update(ctx, integration.ID, wallarm.IntegrationUpdate{Events: wallarm.Set([]wallarm.IntegrationEvent{})})
	require.NoError(t, err)
	require.JSONEq(t, `{"events":[]}`, lastSent(t, cloud, http.MethodPut))

	for _, applications := range [][]int64{{42}, {}, nil} {
		_, err = client.APIDiscovery.UpdateConfig(ctx, func(config *wallarm.APIDiscoveryConfig) error {
			config.DisabledApplicationIDs = applications
			return nil
		})
		require.NoError(t, err)
		if len(applications) == 0 {
			require.JSONEq(t, `[]`, string(membersOf(t, lastSent(t, cloud, http.MethodPost))["disabled_apps"]))
		}
		config, err := client.APIDiscovery.Config(ctx)
		require.NoError(t, err)
		require.Len(t, config.DisabledApplicationIDs, len(applications))
	}
}

// membersOf returns the members of a JSON object.
func membersOf(t *testing.T, object string) map[string]json.RawMessage {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(object), &members))
	return members
}

// TestMistakeOnlyFirstPageRead is about a list of which the caller sees the first page and takes it for everything.
func TestMistakeOnlyFirstPageRead(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	want := map[int64]bool{}
	for i := range 25 {
		id, err := cloud.AddRule(fmt.Sprintf(`{"type":"wallarm_mode","mode":"block","action":[],"clientid":%d,"comment":"rule %d"}`,
			wallarmtest.DefaultClientID, i))
		require.NoError(t, err)
		want[id] = true
	}
	have := map[int64]bool{}
	filter := wallarm.RuleFilter{Types: []wallarm.RuleType{wallarm.RuleSetFiltrationMode}, System: wallarm.Set(false)}
	for rule, err := range client.Rules.All(t.Context(), filter, wallarm.PageSize(10)) {
		require.NoError(t, err)
		require.False(t, have[rule.ID], "Rule %d came twice.", rule.ID)
		have[rule.ID] = true
	}
	require.Equal(t, want, have)
	require.GreaterOrEqual(t, len(cloud.RequestsOf("rules.list")), 3)

	page, err := client.Rules.List(t.Context(), filter, wallarm.PageOptions{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 10)
	require.True(t, page.More, "A single page says that it is not everything.")
}

// TestMistakeLargeIDCut is about ids that do not fit into 32 bits, or not into the 53 bits of a JavaScript number.
func TestMistakeLargeIDCut(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	for _, id := range []int64{1<<31 + 1, 1<<32 + 1, 1<<53 + 1} {
		_, err := cloud.Put("nodes", fmt.Sprintf(`{"id":%d,"uuid":"00000000-0000-4000-8000-%012d","type":"cloud_node","hostname":"edge-%d","clientid":%d,`+
			`"enabled":true,"active":false,"requests_amount":%d}`, id, id%1e12, id, wallarmtest.DefaultClientID, id))
		require.NoError(t, err)
		node, err := client.Nodes.GetByHostname(t.Context(), fmt.Sprintf("edge-%d", id))
		require.NoError(t, err)
		require.Equal(t, id, node.ID)
		require.Equal(t, id, *node.Requests)
		encoded, err := json.Marshal(node)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(id), string(membersOf(t, string(encoded))["id"]))
		require.NoError(t, client.Nodes.Delete(t.Context(), node.ID))
		require.Empty(t, cloud.Object("nodes", id), "The node with this very id is deleted.")

		require.Equal(t, id, cloud.AddUser(wallarmtest.User{ID: id, Email: fmt.Sprintf("user-%d@example.com", id)}))
		user, err := client.Users.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, id, user.ID)
	}
}

// TestMistakeQuotedNumberRefused is about a number that the API puts into quotes on some routes, and about the decoder that fails on it.
func TestMistakeQuotedNumberRefused(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	_, err := cloud.Put("rules", fmt.Sprintf(`{"id":700,"actionid":"3000000001","clientid":%d,"action":[],"create_userid":"3000000007","validated":false,`+
		`"system":false,"active":true,"type":"rate_limit","point":["remote_addr"],"rate":"20","burst":"0","delay":0,"rsp_status":"429",`+
		`"time_unit":"rps"}`, wallarmtest.DefaultClientID))
	require.NoError(t, err)
	rule, err := client.Rules.Get(t.Context(), 700)
	require.NoError(t, err)
	require.EqualValues(t, 3000000001, rule.ScopeID)
	require.EqualValues(t, 3000000007, *rule.AuthorID)
	require.IsType(t, wallarm.RateLimit{}, rule.Spec)
	limit := rule.Spec.(wallarm.RateLimit)
	require.EqualValues(t, 20, limit.Rate)
	require.Zero(t, limit.Burst)
	require.EqualValues(t, 429, limit.Status)
}

// TestMistakeMissingAPISpecFailsDelete is about the 404 that answers the repeated delete of an API specification: what shall be gone is gone.
func TestMistakeMissingAPISpecFailsDelete(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	spec, err := client.APISpecs.Create(t.Context(), wallarm.NewAPISpec{
		Title: "Shop API", FileRemoteURL: wallarm.SecretOf("https://specs.example.com/shop.yaml"),
	})
	require.NoError(t, err)
	require.NoError(t, client.APISpecs.Delete(t.Context(), spec.ID))
	require.NoError(t, client.APISpecs.Delete(t.Context(), spec.ID))
	deletes := cloud.RequestsOf("apiSpecs.delete")
	require.Len(t, deletes, 2)
	require.Equal(t, http.StatusNotFound, deletes[1].Status, "The second delete did meet a 404.")
	_, err = client.APISpecs.Get(t.Context(), spec.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound, "For a read it stays an error.")
}

// TestMistakeMaskedSecretWrittenBack is about an object that is read with masked secrets and written back, which would store the mask.
func TestMistakeMaskedSecretWrittenBack(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	created, err := client.Integrations.Create(ctx, wallarm.NewIntegration{
		Name: "SOC webhook",
		Target: wallarm.WebhookTarget{
			URL: wallarm.SecretOf("https://hooks.example.com/in"), Headers: map[string]wallarm.Secret{"X-Key": wallarm.SecretOf("test-token-hook")},
		},
	})
	require.NoError(t, err)
	read, err := client.Integrations.Get(ctx, created.ID)
	require.NoError(t, err)
	stored := string(cloud.Object("integrations", created.ID))
	before := len(cloud.Requests())

	_, err = client.Integrations.Update(ctx, read.ID, wallarm.IntegrationUpdate{Target: read.Target})
	require.ErrorIs(t, err, wallarm.ErrInvalidArgument)
	_, err = client.Integrations.Create(ctx, wallarm.NewIntegration{Name: "copy", Target: read.Target})
	require.ErrorIs(t, err, wallarm.ErrInvalidArgument)
	for _, in := range []any{read, *read, map[string]any{"integration": read}, wallarm.NewIntegration{Name: "copy", Target: read.Target}} {
		err = client.Call(ctx, http.MethodPut, fmt.Sprintf("/v2/integration/%d", read.ID), in, nil)
		require.ErrorIs(t, err, wallarm.ErrInvalidArgument, "%T", in)
	}
	require.Len(t, cloud.Requests(), before, "Nothing is sent.")
	require.Equal(t, stored, string(cloud.Object("integrations", created.ID)))
}

// TestMistakeTwoRulesForOneCreate is about a create whose answer is lost, and which the client repeats, so that there are two rules.
func TestMistakeTwoRulesForOneCreate(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	before := len(cloud.Rules())
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "rules.create", Count: 1})
	rule := wallarm.NewRule{
		Scope: wallarm.Scope().Prefix("/my/api"),
		Spec:  wallarm.VirtualPatch{AttackType: wallarm.AnyAttack, Point: wallarm.Point{wallarm.WholeURI()}},
	}
	_, err := client.Rules.Create(t.Context(), rule)
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	require.Len(t, cloud.RequestsOf("rules.create"), 1)
	require.Len(t, cloud.Rules(), before+1)
	same, err := client.Rules.FindSame(t.Context(), rule)
	require.NoError(t, err)
	require.Len(t, same, 1, "The caller can find out what became of it.")
}

// TestMistakeHeaderCaseDrifts is about conditions that come back in another letter case than they were sent in, and look changed forever after.
func TestMistakeHeaderCaseDrifts(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	var first *wallarm.Rule
	for i, scope := range []wallarm.NewRule{
		{Scope: wallarm.Scope().Host("Shop.Example.COM").Header("x-Env", "Prod")},
		{Scope: wallarm.Scope().Header("host", "SHOP.example.com").Header("X-ENV", "Prod")},
		{Conditions: wallarm.Conditions{
			{Type: wallarm.ConditionEqual, Point: wallarm.Point{wallarm.NamedStep("header", "Host")}, Value: "shop.EXAMPLE.com"},
			{Type: wallarm.ConditionEqual, Point: wallarm.Point{wallarm.NamedStep("header", "X-env")}, Value: "Prod"},
		}},
	} {
		scope.Spec = wallarm.SetFiltrationMode{Mode: wallarm.ModeBlock}
		rule, err := client.Rules.Create(t.Context(), scope)
		require.NoError(t, err)
		sent := cloud.RequestsOf("rules.create")
		require.Len(t, sent, i+1)
		require.JSONEq(t, `[{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"},{"type":"equal","point":["header","X-ENV"],"value":"Prod"}]`,
			string(membersOf(t, string(sent[i].Body))["action"]))
		if first == nil {
			first = rule
		}
		require.Equal(t, first.ScopeID, rule.ScopeID, "However it is written, it is the same scope.")
		require.Equal(t, first.Conditions, rule.Conditions)
	}
}

// TestMistakeNewRuleTypeLost is about a rule of a type that nobody knew when the client was written: reading and updating it must lose nothing.
func TestMistakeNewRuleTypeLost(t *testing.T) {
	t.Parallel()
	client, cloud := workshop(t, wallarmtest.AdminToken)
	received := fmt.Sprintf(`{"id":800,"actionid":801,"clientid":%d,"action":[],"validated":false,"system":false,"active":true,"comment":"old",`+
		`"type":"next_year","allow":[{"tool":"search","limit":9007199254740993}],"point":["post","json_doc"],"level":0,"off":false,"nothing":null,`+
		`"ratio":0.10,"names":[]}`, wallarmtest.DefaultClientID)
	_, err := cloud.Put("rules", received)
	require.NoError(t, err)
	rule, err := client.Rules.Get(t.Context(), 800)
	require.NoError(t, err)
	require.IsType(t, wallarm.UnknownSpec{}, rule.Spec)
	require.Equal(t, wallarm.RuleType("next_year"), rule.Type())
	encoded, err := json.Marshal(rule)
	require.NoError(t, err)
	require.JSONEq(t, received, string(encoded))
	require.Contains(t, string(encoded), "9007199254740993", "Large numbers keep their last digit.")

	updated, err := client.Rules.Update(t.Context(), rule.ID, wallarm.RuleUpdate{Comment: wallarm.Set("new")})
	require.NoError(t, err)
	require.JSONEq(t, `{"comment":"new"}`, lastSent(t, cloud, http.MethodPut))
	require.Equal(t, "new", updated.Comment)
	require.Equal(t, rule.Spec, updated.Spec)
	want, have := membersOf(t, strings.Replace(received, `"old"`, `"new"`, 1)), membersOf(t, string(cloud.Object("rules", 800)))
	for name, value := range want {
		require.JSONEq(t, string(value), string(have[name]), name)
	}
}
