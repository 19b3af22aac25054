package wallarm

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// Of two members with one name some servers take the last: a member of Extra must not undo what the SDK has checked or filled in.
func TestExtraRepeatsNoMember(t *testing.T) {
	t.Parallel()
	extra := func(name, value string) Extra { return Extra{name: RawJSON(value)} }
	update := UserUpdate{Enabled: Set(false)}
	for name, call := range map[string]func(ctx context.Context, c *Client) error{
		"id: users.delete": func(ctx context.Context, c *Client) error {
			return second(c.Users.DeleteMatching(ctx, UserFilter{ID: 70002, Extra: extra("id", "null")}))
		},
		"email: users.delete": func(ctx context.Context, c *Client) error {
			return second(c.Users.DeleteMatching(ctx, UserFilter{Email: "ops@example.com", Extra: extra("email", "null")}))
		},
		"clientid: users.delete": func(ctx context.Context, c *Client) error {
			return second(c.Users.DeleteMatching(ctx, UserFilter{ID: 7, Extra: extra("clientid", "[99]")}))
		},
		"id: users.update": func(ctx context.Context, c *Client) error {
			return second(c.Users.UpdateMatching(ctx, UserFilter{ID: 7, Extra: extra("id", "null")}, update))
		},
		"!id: users.list": func(ctx context.Context, c *Client) error {
			return second(c.Users.List(ctx, UserFilter{Not: &UserFilter{ID: 7}, Extra: extra("!id", "null")}, PageOptions{}))
		},
		"realname: users.update": func(ctx context.Context, c *Client) error {
			return second(c.Users.Update(ctx, 7, UserUpdate{RealName: Set("x"), Extra: extra("realname", `"y"`)}))
		},
		"permissions: users.update": func(ctx context.Context, c *Client) error {
			return second(c.Users.Update(ctx, 7, UserUpdate{Role: Set(RoleReadOnly), Extra: extra("permissions", `["admin"]`)}))
		},
		"permissions: users.create": func(ctx context.Context, c *Client) error {
			return second(c.Users.Create(ctx, NewUser{Email: "a@example.com", RealName: "x", Role: RoleReadOnly, Extra: extra("permissions", `["admin"]`)}))
		},
		"clientid: users.create": func(ctx context.Context, c *Client) error {
			return second(c.Users.Create(ctx, NewUser{Email: "a@example.com", RealName: "x", Role: RoleReadOnly, Extra: extra("clientid", "1")}))
		},
		"client_ids: users.invite": func(ctx context.Context, c *Client) error {
			group := &AutoGroup{Roles: []Role{RoleReadOnly}, ClientIDs: []int64{1}, Extra: extra("client_ids", "[2]")}
			return second(c.Users.Invite(ctx, NewInvitation{TTL: 60, Role: RoleReadOnly, AutoGroup: group}))
		},
		"permissions: tokens.create": func(ctx context.Context, c *Client) error {
			return second(c.Tokens.CreateShared(ctx, NewAPIToken{Name: "x", Permissions: RoleReadOnly, Extra: extra("permissions", `["admin"]`)}))
		},
		"clientid: hits.list": func(ctx context.Context, c *Client) error {
			return second(c.Hits.List(ctx, HitFilter{Extra: extra("clientid", "99")}, PageOptions{}))
		},
		"clientid: hits.all with a checkpoint": func(ctx context.Context, c *Client) error {
			for _, err := range c.Hits.All(ctx, HitFilter{Extra: extra("clientid", "99")}, Resume(new(Checkpoint))) {
				return err
			}
			return nil
		},
		"enabled: clients.update": func(ctx context.Context, c *Client) error {
			return second(c.Clients.Update(ctx, 7, TenantUpdate{Enabled: Set(true), Extra: extra("enabled", "false")}))
		},
		"max_lom_size: rules_settings.update": func(ctx context.Context, c *Client) error {
			return second(c.RuleSettings.Update(ctx, RulesSettingsUpdate{MaxSize: Set[int64](2048), Extra: extra("max_lom_size", "1")}))
		},
		"mode: rules.update": func(ctx context.Context, c *Client) error {
			spec := FiltrationModeUpdate{Mode: Set(ModeBlock)}
			return second(c.Rules.Update(ctx, 5, RuleUpdate{Spec: spec, Extra: extra("mode", `"off"`)}))
		},
		"id: call": func(ctx context.Context, c *Client) error {
			return c.Call(ctx, "POST", "/v1/x", UserFilter{ID: 7, Extra: extra("id", "8")}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[]}`))
			err := call(t.Context(), client)
			var argument *ArgumentError
			require.ErrorAs(t, err, &argument)
			member, _, _ := strings.Cut(name, ":")
			require.Equal(t, member, argument.Argument)
			require.Empty(t, server.requests())
		})
	}
}

// A value that the caller wrote as a whole body is the caller's own, and so is what came from the API in bytes that are not UTF-8.
func TestRequestsHoldWhatIsNotRepeated(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[]}`))
	require.NoError(t, client.Call(t.Context(), "POST", "/v1/x", RawJSON(`{"a":1,"a":2}`), nil))
	require.NoError(t, client.Call(t.Context(), "POST", "/v1/x", UserFilter{Email: "a", Extra: Extra{"later": RawJSON("{\"id\":\"\xff\"}")}}, nil))
	require.Len(t, server.requests(), 2)
	require.JSONEq(t, `{"username":"a","later":{"id":"\ufffd"}}`, strings.Replace(string(server.requests()[1].Body), "email", "username", 1))
}

// TestTextsThatAreNotUTF8AreRefused since they would travel as other texts, and name other objects.
func TestTextsThatAreNotUTF8AreRefused(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[]}`))
	ctx, bad := t.Context(), "jos\xe9"
	badExtra, halfExtra := Extra{"later": RawJSON(`"` + bad + `"`)}, Extra{"later": RawJSON(`"\ud800"`)}
	for name, err := range map[string]error{
		"a user":          second(client.Users.DeleteMatching(ctx, UserFilter{Username: bad})),
		"a negation":      second(client.Users.DeleteMatching(ctx, UserFilter{ID: 1, Not: &UserFilter{Username: bad}})),
		"a tenant":        second(client.Clients.UpdateMatching(ctx, TenantFilter{Name: bad}, TenantUpdate{Enabled: Set(false)})),
		"a node":          second(client.Nodes.ListV1(ctx, NodeV1Filter{Hostname: bad}, PageOptions{})),
		"a condition":     second(client.Rules.Create(ctx, NewRule{Scope: Scope().Header("X", bad), Spec: SetFiltrationMode{Mode: ModeBlock}})),
		"a point":         second(client.Rules.Create(ctx, NewRule{Scope: Scope().Query(bad, "x"), Spec: SetFiltrationMode{Mode: ModeBlock}})),
		"a secret":        second(client.Users.Update(ctx, 5, UserUpdate{Password: SecretOf(bad)})),
		"a query":         second(client.Nodes.List(ctx, NodeFilter{Hostname: bad}, PageOptions{})),
		"a path":          client.Call(ctx, "GET", "/v1/"+bad, nil, nil),
		"a raw query":     client.Call(ctx, "GET", "/v1/x?a="+bad, nil, nil),
		"a name":          client.Call(ctx, "POST", "/v1/x", map[string]int{bad: 1}, nil),
		"a form":          client.Call(ctx, "POST", "/v1/x", url.Values{"a": {bad}}, nil),
		"a path's part":   second(client.APISessions.Get(ctx, bad)),
		"a header's name": second(client.Rules.Create(ctx, NewRule{Scope: Scope(), Spec: MaskSensitiveData{Point: Point{Header(bad)}}})),
		"another one":     second(client.Rules.List(ctx, RuleFilter{Point: Point{NamedStep("header", bad)}}, PageOptions{})),
		"a header in a condition": second(client.Rules.Create(ctx, NewRule{
			Scope: Scope().Raw(Condition{Point: Point{Header(bad)}, Value: "x"}), Spec: SetFiltrationMode{Mode: ModeBlock},
		})),
		"a normalized condition": second(client.Rules.Create(ctx, NewRule{
			Conditions: Conditions{{Point: Point{Header("Host")}, Value: bad}}.Normalized(), Spec: SetFiltrationMode{Mode: ModeBlock},
		})),
		"a member of a condition": second(client.Rules.Create(ctx, NewRule{
			Conditions: Conditions{{Point: Point{NewStep("method")}, Value: "GET", Extra: badExtra}}, Spec: SetFiltrationMode{Mode: ModeBlock},
		})),
		"half of a pair in a condition": second(client.Rules.Create(ctx, NewRule{
			Conditions: Conditions{{Point: Point{NewStep("method")}, Value: "GET", Extra: halfExtra}}, Spec: SetFiltrationMode{Mode: ModeBlock},
		})),
		"a member of a condition of a policy": second(client.APISpecs.SetPolicy(ctx, 5, APISpecPolicy{
			Conditions: []PolicyCondition{{Type: "equal", Point: Point{NewStep("method")}, Value: "GET", Extra: badExtra}},
		})),
		"a member of a condition of an endpoint": second(client.APIDiscovery.Create(ctx, NewAPIEndpoint{
			Method: "GET", URL: "shop.example.com/a", Conditions: []EndpointCondition{{Type: EndpointEqual, Point: Point{Header("HOST")}, Value: "a", Extra: badExtra}},
		})),
		"a mode":          second(client.RuleSettings.SetTimeLimit(ctx, TimeLimit{Milliseconds: 5, Mode: OverlimitMode(bad)})),
		"an auth header":  client.APIDiscovery.AddAuthParameter(ctx, Point{Header(bad)}),
		"a data centre":   second(client.IPLists.Add(ctx, NewIPEntries{List: Denylist, Values: Datacenters(bad), IPTerms: IPTerms{ExpiresAt: Forever}})),
		"a kind of proxy": second(client.IPLists.Add(ctx, NewIPEntries{List: Denylist, Values: Proxies(bad), IPTerms: IPTerms{ExpiresAt: Forever}})),
	} {
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		require.True(t, name != "a secret" || !strings.Contains(err.Error(), "jos"), err)
	}
	require.Empty(t, server.requests())
}

func TestTheConditionsOfANewEndpointKeepTheirOtherMembers(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"body":{"id":1}}`))
	_, err := client.APIDiscovery.Create(t.Context(), NewAPIEndpoint{Method: "GET", URL: "shop.example.com/a", Conditions: []EndpointCondition{
		{Type: EndpointEqual, Point: Point{Header("HOST")}, Value: "a", Extra: Extra{"colour": RawJSON(`"red"`)}},
	}})
	require.NoError(t, err)
	require.Contains(t, string(server.requests()[0].Body), `{"type":"equal","value":"a","point":["header","HOST"],"colour":"red"}`)
}

func TestJoinObjectsRefusesRepeatedNames(t *testing.T) {
	t.Parallel()
	_, err := wire.JoinObjects(map[string]int{"a": 1}, map[string]int{"b": 1, "a": 1})
	name, ok := wire.Repeated(err)
	require.True(t, ok)
	require.Equal(t, "a", name)
}

// A filter of blank texts, or one that only holds members that nobody knows, could match everything.
func TestWritesByFilterNeedACondition(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[]}`))
	for _, filter := range []UserFilter{
		{}, {Email: " "}, {Username: "\t"}, {UUID: "\u00a0"}, {Extra: Extra{"id": RawJSON("null")}}, {Not: &UserFilter{ID: 7}},
	} {
		require.ErrorIs(t, second(client.Users.DeleteMatching(t.Context(), filter)), ErrInvalidArgument, "%+v", filter)
		require.ErrorIs(t, second(client.Users.UpdateMatching(t.Context(), filter, UserUpdate{Enabled: Set(false)})), ErrInvalidArgument, "%+v", filter)
	}
	for _, filter := range []TenantFilter{{}, {Name: " "}, {UUID: "\n"}, {Extra: Extra{"id": RawJSON("null")}}} {
		require.ErrorIs(t, second(client.Clients.UpdateMatching(t.Context(), filter, TenantUpdate{Enabled: Set(false)})), ErrInvalidArgument, "%+v", filter)
	}
	require.Empty(t, server.requests())
}

func TestApplyRefusesRemovalsWithoutAnEntry(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[]}`))
	plan := &SyncPlan{ClientID: 4711, List: Denylist, Remove: []SyncEntry{{IPValue: Addresses("192.0.2.1")[0]}}}
	require.ErrorIs(t, second(client.IPLists.Apply(t.Context(), plan)), ErrInvalidArgument)
	require.Empty(t, server.requests())
}

// What the docstrings of MarshalJSON say: members with a value are kept, and all that no field is for, whatever they hold.
func TestEchoKeepsValuesAndUnknownMembers(t *testing.T) {
	t.Parallel()
	var user User
	require.NoError(t, wire.Unmarshal([]byte(`{"id":7,"realname":"","phone":"+1","create_by":0,"later":null,"new":[],"empty":""}`), &user))
	written, err := json.Marshal(user)
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(written, &members))
	require.Equal(t, "+1", members["phone"])
	for _, name := range []string{"later", "new", "empty"} {
		require.Contains(t, members, name)
	}
	require.NotContains(t, members, "realname")
	require.NotContains(t, members, "create_by")
}

// TestPartsByThemselves: what has no JSON methods of its own is encoded by the package that knows what Extra is.
func TestPartsByThemselves(t *testing.T) {
	const text = `{"ip":"192.0.2.7","count":3,"asn":64500}`
	var part IPCount
	require.NoError(t, jsonv2.Unmarshal([]byte(text), &part))
	require.JSONEq(t, `64500`, string(part.Extra["asn"]))
	data, err := jsonv2.Marshal(part)
	require.NoError(t, err)
	require.JSONEq(t, text, string(data))
}

// TestHalvesOfSurrogatePairsGoBack: raw values of an answer may hold what is no text, by an escape or by a byte, and are written back all the same.
func TestHalvesOfSurrogatePairsGoBack(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":"x\ud800"}`: "{\"a\":\"x\ufffd\"}", "{\"a\":\"x\xff\",\"n\":1.50}": "{\"a\":\"x\ufffd\",\"n\":1.50}", `{"a":"\ud83d\ude00"}`: `{"a":"😀"}`,
	} {
		data, err := wire.Marshal(map[string]any{"new": RawJSON(text)})
		require.NoError(t, err, text)
		require.Equal(t, `{"new":`+want+`}`, string(data))
	}
}
