package wallarm

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// TestRefusalInsideASuccess answers 200 with a status of its own that says no, to calls that expect nothing else of the answer.
func TestRefusalInsideASuccess(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, jsonAnswer(`{"status":403,"body":"Check permissions failed"}`))
	require.ErrorIs(t, client.Tokens.Delete(t.Context(), 31001), ErrForbidden)
	require.ErrorIs(t, client.Users.Delete(t.Context(), 70155), ErrForbidden)
	_, err := client.IPLists.Deny(t.Context(), []string{"203.0.113.7"}, IPTerms{ExpiresAt: Forever})
	require.ErrorIs(t, err, ErrForbidden)
	client, _ = newTestClient(t, jsonAnswer(`{"status":404,"body":"Not found"}`))
	require.NoError(t, client.Tokens.Delete(t.Context(), 31001), "what is not there counts as deleted")
	for _, body := range []string{"", "{}", "[5151]", "null", `"OK"`, ` {"status":200} `, " ", `{"body":{"status":"enabled"}}`, `{"status":"enabled"}`} {
		client, _ = newTestClient(t, jsonAnswer(body))
		require.NoError(t, client.Tokens.Delete(t.Context(), 31001), body)
	}
	// What is no JSON does not come from the service, and so says nothing of what it did.
	for _, body := range []string{"not JSON", "<html>We are back soon", `{"status":20`} {
		client, _ = newTestClient(t, jsonAnswer(body))
		require.ErrorIs(t, client.Tokens.Delete(t.Context(), 31001), ErrResponse, body)
		added, err := client.IPLists.Deny(t.Context(), []string{"203.0.113.7"}, IPTerms{ExpiresAt: Forever})
		require.ErrorIs(t, err, ErrOutcomeUnknown, body)
		require.Zero(t, added)
	}
}

// TestDeletingSeveralRulesDoesNotHideAnUnknownOne: whether the others are gone is not known then.
func TestDeletingSeveralRulesDoesNotHideAnUnknownOne(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"status":404,"body":"Not found"}`))
	})
	require.NoError(t, client.IPLists.DeleteRules(t.Context(), []int64{4455001}))
	require.ErrorIs(t, client.IPLists.DeleteRules(t.Context(), []int64{4455001, 4455002}), ErrNotFound)
}

func TestAnswersWithoutTheirSecret(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"status":200,"body":{}}`, `{"status":200,"body":{"secret":""}}`} {
		client, _ := newTestClient(t, jsonAnswer(body))
		_, err := client.Users.ResetSecret(t.Context(), 70112, SecretOf("test-password-1A"))
		require.ErrorIs(t, err, ErrResponse)
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		_, err = client.Tokens.Renew(t.Context(), 31001)
		require.ErrorIs(t, err, ErrResponse)
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		_, err = client.Tokens.Reveal(t.Context(), 31001)
		require.ErrorIs(t, err, ErrResponse)
		_, err = client.Users.Invite(t.Context(), NewInvitation{TTL: 60, Role: RoleReadOnly})
		require.ErrorIs(t, err, ErrOutcomeUnknown)
	}
}

func TestNewSecretKeepsUnknownMembers(t *testing.T) {
	t.Parallel()
	var secret NewSecret
	require.NoError(t, json.Unmarshal([]byte(`{"secret":"test-token-new","uuid":"u"}`), &secret))
	require.Equal(t, "test-token-new", secret.Secret.Reveal())
	dump, err := json.Marshal(secret)
	require.NoError(t, err)
	require.JSONEq(t, `{"secret":"[redacted]","uuid":"u"}`, string(dump))
}

func TestNodePackageWithoutData(t *testing.T) {
	t.Parallel()
	const in = `{"wallarm-node":null,"wallarm-api":{"current":"6.1.0"}}`
	var packages NodePackages
	require.NoError(t, wire.Unmarshal([]byte(in), &packages))
	out, err := wire.MarshalEcho(packages)
	require.NoError(t, err)
	require.JSONEq(t, `{"wallarm-node":{},"wallarm-api":{"current":"6.1.0"}}`, string(out), "a map must stay a map")
}

// TestScannerStateKeepsItsNumbers: the route that changes it takes numbers.
func TestScannerStateKeepsItsNumbers(t *testing.T) {
	t.Parallel()
	var state ScannerState
	require.NoError(t, wire.Unmarshal([]byte(`{"last_scan":1755781200,"last_vuln":"yesterday","other":1}`), &state))
	require.Equal(t, "1755781200", state.LastScan)
	out, err := wire.Marshal(TenantUpdate{ScannerState: Set(state)})
	require.NoError(t, err)
	require.JSONEq(t, `{"scanner_state":{"last_scan":1755781200,"last_vuln":"yesterday","other":1}}`, string(out))
}

func TestUpdatesThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{}`))
	ctx := t.Context()
	var argument *ArgumentError
	for _, update := range []UserUpdate{
		{Enabled: Null[bool]()}, {ClientID: Null[int64]()}, {ClientID: Set(int64(0))},
	} {
		_, err := client.Users.Update(ctx, 70112, update)
		require.ErrorAs(t, err, &argument, "%+v", update)
	}
	for _, update := range []TenantUpdate{{Enabled: Null[bool]()}, {Name: Null[string]()}, {Name: Set(" ")}} {
		_, err := client.Clients.Update(ctx, 5151, update)
		require.ErrorAs(t, err, &argument)
		_, err = client.Clients.UpdateMatching(ctx, TenantFilter{IDs: []int64{5151}}, update)
		require.ErrorAs(t, err, &argument)
	}
	for _, update := range []PartnerLinkUpdate{{ClientID: Null[int64]()}, {ClientID: Set(int64(-1))}} {
		_, err := client.Clients.UpdateLink(ctx, 44, 9, update)
		require.ErrorAs(t, err, &argument)
	}
	for _, update := range []TenantGroupUpdate{{Name: Null[string]()}, {Name: Set("")}, {Roles: Null[[]Role]()}} {
		_, err := client.Clients.UpdateGroup(ctx, 44, 12, update)
		require.ErrorAs(t, err, &argument)
	}
	_, err := client.Nodes.List(ctx, NodeFilter{Active: Null[bool]()}, PageOptions{})
	require.ErrorAs(t, err, &argument)
	_, err = client.APIDiscovery.List(ctx, APIEndpointFilter{Shadow: Null[bool]()}, PageOptions{})
	require.ErrorAs(t, err, &argument)
	_, err = client.APIDiscovery.ListParameters(ctx, 1, APIParameterFilter{Actual: Null[bool]()}, PageOptions{})
	require.ErrorAs(t, err, &argument)
	_, err = client.APIDiscovery.Tree(ctx, Null[bool]())
	require.ErrorAs(t, err, &argument)
	require.Empty(t, server.requests())
}

func TestNullOfTheActivityLogIsNoValue(t *testing.T) {
	t.Parallel()
	var event ActivityEvent
	require.NoError(t, wire.Unmarshal([]byte(`{"id":1,"diff":null,"state_after_action":false}`), &event))
	require.True(t, event.Diff.IsZero())
	require.Nil(t, event.Diff.Reveal())
	require.Equal(t, "false", string(event.StateAfter.Reveal()))
}

// TestPolicyConditionKeepsNull reads a policy and writes it back: null is not the empty text.
func TestPolicyConditionKeepsNull(t *testing.T) {
	t.Parallel()
	const conditions = `[{"type":"equal","value":null,"point":["instance"]},{"type":"equal","value":"","point":["uri"]},{"type":"absent","value":null,"point":["header","A"]}]`
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":{"enabled":true,"conditions":`+conditions+`}}`))
	policy, err := client.APISpecs.SetPolicy(t.Context(), 1, APISpecPolicy{})
	require.NoError(t, err)
	_, err = client.APISpecs.SetPolicy(t.Context(), 1, *policy)
	require.NoError(t, err)
	require.JSONEq(t, `{"enabled":true,"conditions":`+conditions+`}`, string(server.requests()[1].Body))
	policy.Conditions[0].Value = "42"
	_, err = client.APISpecs.SetPolicy(t.Context(), 1, *policy)
	require.NoError(t, err)
	require.Contains(t, string(server.requests()[2].Body), `"value":"42"`)
}

// TestBareAnswersInAnEnvelope: the one source that draws these answers bare is known to leave envelopes out.
func TestBareAnswersInAnEnvelope(t *testing.T) {
	t.Parallel()
	enveloped := func(payload string) *Client {
		client, _ := newTestClient(t, jsonAnswer(`{"status":200,"body":`+payload+`}`))
		return client
	}
	groups, err := enveloped(`[{"id":12,"name":"Retail"}]`).Clients.ListGroups(t.Context(), 44, "", PageOptions{})
	require.NoError(t, err)
	require.Equal(t, "Retail", groups.Items[0].Name)
	group, err := enveloped(`{"id":12,"name":"Retail"}`).Clients.CreateGroup(t.Context(), 44, NewTenantGroup{Name: "Retail"})
	require.NoError(t, err)
	require.EqualValues(t, 12, group.ID)
	group, err = enveloped(`{"id":12,"name":"Retail"}`).Clients.UpdateGroup(t.Context(), 44, 12, TenantGroupUpdate{Name: Set("Retail")})
	require.NoError(t, err)
	require.EqualValues(t, 12, group.ID)
	ids, err := enveloped(`[5151]`).Clients.ListGroupClients(t.Context(), 44, 12, PageOptions{})
	require.NoError(t, err)
	require.Equal(t, []int64{5151}, ids.Items)
	subscriptions, err := enveloped(`[{"id":3}]`).Clients.ListSubscriptions(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, subscriptions[0].ID)
	invitation, err := enveloped(`{"invitation":"test-secret-value"}`).Users.Invite(t.Context(), NewInvitation{TTL: 60, Role: RoleReadOnly})
	require.NoError(t, err)
	require.Equal(t, "test-secret-value", invitation.Invitation.Reveal())
}

// TestSecretsThatAnswersMayHold are members of errors.md, section 12, that no composed example has.
func TestSecretsThatAnswersMayHold(t *testing.T) {
	t.Parallel()
	var user User
	require.NoError(t, wire.Unmarshal([]byte(`{"id":1,"generated_password":"test-password-1A"}`), &user))
	require.Equal(t, "test-password-1A", user.GeneratedPassword.Reveal())
	require.NotContains(t, dumps(user), "test-password-1A")
	var node NodeV1
	require.NoError(t, wire.Unmarshal([]byte(`{"id":"u","token":"test-token-node"}`), &node))
	require.NotContains(t, dumps(node), "test-token-node")
}

// TestUnreadableAuthParametersStopEnsure: to add one that may be there would double it.
func TestUnreadableAuthParametersStopEnsure(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":{"default":[],"custom":[{"point":["header","X-AUTH"]}]}}`))
	_, err := client.APIDiscovery.EnsureAuthParameter(t.Context(), Point{Header("X-AUTH")})
	require.ErrorIs(t, err, ErrResponse)
	require.Len(t, server.requests(), 1)
	for _, body := range []string{
		`["header_X-AUTH"]`, `["header","X-AUTH"]`, `[{"point":"header X-AUTH"}]`, `[{"point":["header",["X-AUTH"]]}]`, `[{"point":["header"]}]`,
		`[{"point":["cookie_X_name"]}]`, `[{"point":[]}]`, `[{}]`, `[null]`, `null`,
		`["test-token-echo"]`, `"test-token-echo"`, `[{"point":["test-token-echo"]}]`, `[{"point":["path","test-token-echo"]}]`,
		`[{"point":["array","test-token-echo"]}]`, `[{"point":["header",["test-token-echo"]]}]`, `[{"point":{"test-token-echo":1}}]`,
	} {
		client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":`+body+`}`))
		_, err := client.APIDiscovery.EnsureAuthParameter(t.Context(), Point{Header("X-AUTH")})
		require.ErrorIs(t, err, ErrResponse, body)
		require.NotContains(t, err.Error(), "test-token-echo", "an answer may repeat anything")
		require.Len(t, server.requests(), 1, body)
	}
}

// TestEnsureAuthParameterComparesHeadersWithoutCase, and nothing else.
func TestEnsureAuthParameterComparesHeadersWithoutCase(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[{"point":["header","x-auth"]},{"point":["header","Cookie","cookie","SID"]},
		{"point":["get_all"]},{"point":["header","X-NEW","parser_of_next_year","a"]}]}`))
	for _, test := range []struct {
		point Point
		added bool
	}{
		{Point{Header("X-AUTH")}, false},
		{Point{NamedStep("header", "X-Auth")}, false},
		{Point{Header("cookie"), Cookie("SID")}, false},
		{Point{AllOf("get")}, false},
		{Point{Header("cookie"), Cookie("sid")}, true},
		{Point{QueryParam("x-auth")}, true},
	} {
		added, err := client.APIDiscovery.EnsureAuthParameter(t.Context(), test.point)
		require.NoError(t, err, test.point)
		require.Equal(t, test.added, added, test.point)
	}
	require.NoError(t, client.APIDiscovery.AddAuthParameter(t.Context(), Point{NamedStep("header", "x-auth")}))
	requests := server.requests()
	require.JSONEq(t, `{"point":[["header","X-AUTH"]]}`, string(requests[len(requests)-1].Body))
}

// TestOddUserDoesNotStopCalls finds the client id although some other member of the user cannot be read.
func TestOddUserDoesNotStopCalls(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"client_id", "clientid"} {
		client, _ := newTestClient(t, jsonAnswer(`{"status":200,"body":{"id":1,"`+name+`":5150,"notifications":[],"login_history":"never"}}`),
			func(c *config) error { c.clientID = 0; return nil })
		id, err := client.ClientID(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 5150, id)
	}
}

// TestRenameDoesNotGuessTheMode renames a node whose answer lacks partner_mode: the route takes the mode each time, and false would switch it off.
func TestRenameDoesNotGuessTheMode(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":{"id":10444555666,"hostname":"edge-2","partner_mode":true}}`))
	var node Node
	require.NoError(t, wire.Unmarshal([]byte(`{"id":10444555666,"hostname":"edge-1"}`), &node))
	var argument *ArgumentError
	_, err := client.Nodes.Rename(t.Context(), &node, "edge-2")
	require.ErrorAs(t, err, &argument)
	require.Empty(t, server.requests())
	require.NoError(t, wire.Unmarshal([]byte(`{"id":10444555666,"hostname":"edge-1","partner_mode":true}`), &node))
	_, err = client.Nodes.Rename(t.Context(), &node, "edge-2")
	require.NoError(t, err)
	require.Equal(t, "true", server.requests()[0].Query.Get("partner_node"))
}

// TestAbsentFlagsOfAnEndpoint: an endpoint that does not say whether it is in use is not out of use.
func TestAbsentFlagsOfAnEndpoint(t *testing.T) {
	t.Parallel()
	var endpoint APIEndpoint
	require.NoError(t, wire.Unmarshal([]byte(`{"id":1,"internal":false}`), &endpoint))
	require.Nil(t, endpoint.Actual)
	require.Nil(t, endpoint.Orphan)
	require.False(t, *endpoint.Internal)
	out, err := json.Marshal(endpoint)
	require.NoError(t, err)
	require.NotContains(t, string(out), "actual")
	require.Contains(t, string(out), `"internal":false`)
}

// TestQuotedForever reads the largest expiry, which needs 64 bits, in both forms.
func TestQuotedForever(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"33223139044", `"33223139044"`} {
		var rule IPRule
		require.NoError(t, wire.Unmarshal([]byte(strings.ReplaceAll(`{"id":1,"expired_at":X}`, "X", form)), &rule))
		require.True(t, rule.ExpiresAt.Equal(time.Unix(33223139044, 0)))
		require.True(t, rule.IsForever())
	}
}

// TestAnEmptyAnswerToARepeat: the users may have been changed by the attempt whose answer was lost.
func TestAnEmptyAnswerToARepeat(t *testing.T) {
	t.Parallel()
	first := true
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		if first {
			first = false
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"status":200,"body":[]}`)
	})
	_, err := client.Users.UpdateMatching(t.Context(), UserFilter{Email: "ops@example.com"}, UserUpdate{Enabled: Set(false)}, WithRetries(1))
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.Len(t, server.requests(), 2)
	users, err := client.Users.UpdateMatching(t.Context(), UserFilter{Email: "ops@example.com"}, UserUpdate{Enabled: Set(false)})
	require.NoError(t, err, "nothing was repeated")
	require.Empty(t, users)
}
