package wallarm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	_ = fixture(rulesList, func(ctx context.Context, c *Client) (any, error) {
		return c.Rules.List(ctx, RuleFilter{
			Types: []RuleType{RuleVirtualPatch, RuleAttackDetector}, System: Set(false), Not: &RuleFilter{IDs: []int64{77120031}},
		}, PageOptions{Limit: 500, Order: Descending})
	})
	_ = fixture(rulesGet, func(ctx context.Context, c *Client) (any, error) { return c.Rules.Get(ctx, 77120031) })
	// The request of the vendor's documentation: block all requests to /my/api/*.
	_ = fixture(rulesCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.Rules.Create(ctx, NewRule{
			Scope: Scope().Prefix("/my/api/*"),
			Spec:  VirtualPatch{AttackType: AnyAttack, Point: Point{Header("HOST")}},
		})
	})
	_ = fixture(rulesUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Rules.Update(ctx, 77120031, RuleUpdate{
			Comment: Set("Threshold raised after load test"), Active: Set(true),
			Spec: EnumerationUpdate{Threshold: Set(Threshold{Count: 20, Period: 60})},
		})
	})
	_ = fixture(rulesDelete, func(ctx context.Context, c *Client) (any, error) { return nil, c.Rules.Delete(ctx, 77120031) })
	_ = fixture(rulesDeleteMany, func(ctx context.Context, c *Client) (any, error) {
		result, err := c.Rules.DeleteMany(ctx, []int64{77120031, 77120044, 77120031})
		if err != nil {
			return nil, err
		}
		return result.Deleted, nil
	})
)

func TestRuleDecodesItsSpecByType(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, answerJSON(string(readFixture(t, "rules.list").Responses["ok"].Body)))
	page, err := client.Rules.List(t.Context(), RuleFilter{}, PageOptions{})
	require.NoError(t, err)
	require.Equal(t, VirtualPatch{
		AttackType: AttackSQLi, Point: Point{RequestBody(), JSONDoc(), ObjectMember("user"), ArrayElement(0)},
	}, page.Items[0].Spec)
	require.Equal(t, RuleVirtualPatch, page.Items[0].Type())
	require.True(t, page.Items[0].IsActive())
	require.Equal(t, "shop.example.com/api/login", page.Items[0].Conditions.String())
	require.Equal(t, AttackDetector{
		AttackType: AttackScanner, Regex: "^(zgrab|masscan)/[0-9.]+", RegexID: 5512, Point: Point{Header("user-agent")},
	}, page.Items[1].Spec)
	require.False(t, page.Items[1].IsActive())
	require.Nil(t, page.Items[1].AuthorID)
}

// TestRuleKeepsEveryMember also checks encoding/json, which users use.
func TestRuleKeepsEveryMember(t *testing.T) {
	t.Parallel()
	for variant, response := range readFixture(t, "rules.list").Responses {
		opened, err := wire.Open(response.Body, inBody)
		require.NoError(t, err)
		var rules []Rule
		require.NoError(t, json.Unmarshal(opened.Payload, &rules), variant)
		for _, encode := range []func(any) ([]byte, error){json.Marshal, wire.MarshalEcho} {
			encoded, err := encode(rules)
			require.NoError(t, err)
			var want, have any
			require.NoError(t, decodeAny(opened.Payload, &want))
			require.NoError(t, decodeAny(encoded, &have))
			require.Empty(t, lost("", want, have), "%s: %s", variant, encoded)
		}
	}
}

func TestRuleKeepsNullsOfItsType(t *testing.T) {
	t.Parallel()
	const received = `{"id":1,"actionid":2,"clientid":3,"action":[],"validated":false,"system":false,"type":"graphql_detection","mode":"block",` +
		`"introspection":null,"max_depth":null,"debug_enabled":false,"regex":null,"threshold":null}`
	var rule Rule
	require.NoError(t, wire.Unmarshal([]byte(received), &rule))
	require.Equal(t, GraphQLProtection{Mode: ModeBlock, BanDebug: Set(false)}, rule.Spec)
	encoded, err := json.Marshal(rule)
	require.NoError(t, err)
	require.JSONEq(t, received, string(encoded))

	// What is set replaces the null.
	rule.Spec = GraphQLProtection{Mode: ModeBlock, MaxDepth: 7, BanIntrospection: Set(true), BanDebug: Set(false)}
	encoded, err = json.Marshal(&rule)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"max_depth":7`)
	require.Contains(t, string(encoded), `"introspection":true`)
	require.NotContains(t, string(encoded), `"introspection":null`)
}

func TestRuleOfUnknownTypeSurvives(t *testing.T) {
	t.Parallel()
	const received = `{"id":1,"actionid":2,"clientid":3,"action":[],"validated":false,"system":false,"comment":"old","type":"mcp_acl",` +
		`"allow":[{"tool":"search"}],"point":["post","json_doc"],"level":0,"extra":null}`
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":`+received+`}`))
	rule, err := client.Rules.Get(t.Context(), 1)
	require.NoError(t, err)
	spec, ok := rule.Spec.(UnknownSpec)
	require.True(t, ok)
	require.Equal(t, RuleType("mcp_acl"), spec.RuleType())
	require.JSONEq(t, `[{"tool":"search"}]`, string(spec.Fields["allow"]))

	rule.Comment = "new"
	encoded, err := json.Marshal(rule)
	require.NoError(t, err)
	require.JSONEq(t, strings.Replace(received, "old", "new", 1), string(encoded))

	// An update leaves what it does not know alone; a copy takes it along, points in the form of requests.
	_, err = client.Rules.Update(t.Context(), rule.ID, rule.Update())
	require.NoError(t, err)
	_, err = client.Rules.Create(t.Context(), rule.AsNew())
	require.NoError(t, err)
	sent := server.requests()
	require.JSONEq(t, `{"comment":"new","title":"","set":""}`, string(sent[1].Body))
	require.JSONEq(t, `{"type":"mcp_acl","clientid":4711,"validated":false,"action":[],"comment":"new","allow":[{"tool":"search"}],`+
		`"point":[["post"],["json_doc"]],"level":0}`, string(sent[2].Body))
}

// TestRuleWithMisfitMembers: a list does not fail because one rule's members have other types than anybody knows.
func TestRuleWithMisfitMembers(t *testing.T) {
	t.Parallel()
	const received = `{"id":1,"actionid":2,"clientid":3,"action":[],"validated":false,"system":false,"type":"rate_limit","rate":{"soft":1},"point":["uri"]}`
	var rule Rule
	require.NoError(t, wire.Unmarshal([]byte(received), &rule))
	require.IsType(t, UnknownSpec{}, rule.Spec)
	require.Equal(t, RuleRateLimit, rule.Type())
	encoded, err := json.Marshal(rule)
	require.NoError(t, err)
	require.JSONEq(t, received, string(encoded))
}

func TestCreateRefusesBadRules(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{}`))
	patch := VirtualPatch{AttackType: AttackXSS, Point: Point{QueryParam("q")}}
	scope := Scope().Host("shop.example.com")
	var nilSpec *VirtualPatch
	for name, rule := range map[string]NewRule{
		"zero":                  {},
		"no scope":              {Spec: patch},
		"no spec":               {Scope: scope},
		"nil spec":              {Scope: scope, Spec: nilSpec},
		"two scopes":            {Scope: scope, ScopeID: 5, Spec: patch},
		"negative scope":        {ScopeID: -5, Spec: patch},
		"bad scope":             {Scope: scope.Path("relative"), Spec: patch},
		"bad condition":         {Conditions: Conditions{{Point: Point{RemoteAddr()}, Value: "192.0.2.1"}}, Spec: patch},
		"null active":           {Scope: scope, Spec: patch, Active: Null[bool]()},
		"type alone":            {Scope: scope, Spec: UnknownSpec{}},
		"common member":         {Scope: scope, Spec: UnknownSpec{Type: "new", Fields: Extra{"action": RawJSON(`[]`)}}},
		"read-only type":        {Scope: scope, Spec: AttackRechecker{Enabled: true}},
		"vpatch without point":  {Scope: scope, Spec: VirtualPatch{AttackType: AnyAttack}},
		"vpatch without attack": {Scope: scope, Spec: VirtualPatch{Point: patch.Point}},
		"point without key":     {Scope: scope, Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{NewStep("header")}}},
		"header with no name":   {Scope: scope, Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{Header("")}}},
		"tag with no name":      {Scope: scope, Spec: MaskSensitiveData{Point: Point{RequestBody(), XMLDoc(), XMLTag("")}}},
		"detector of any":       {Scope: scope, Spec: AttackDetector{AttackType: AnyAttack, Regex: "x", Point: patch.Point}},
		"detector of bad XML":   {Scope: scope, Spec: ExperimentalDetector{AttackType: AttackInvalidXML, Regex: "x", Point: patch.Point}},
		"space in header name":  {Scope: scope, Spec: SetResponseHeader{Mode: HeaderAppend, Name: "X Y", Values: []string{"a"}}},
		"line in header name":   {Scope: scope, Spec: SetResponseHeader{Mode: HeaderAppend, Name: "X: a\r\nY", Values: []string{"a"}}},
		"line in header value":  {Scope: scope, Spec: SetResponseHeader{Mode: HeaderAppend, Name: "X", Values: []string{"a", "b\r\nY: c"}}},
		"NUL in header value":   {Scope: scope, Spec: SetResponseHeader{Mode: HeaderAppend, Name: "X", Values: []string{"a\x00"}}},
		"empty expression": {Scope: scope, Spec: DoSProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{BlockByIP: 600},
			ArbitraryConditions: []ArbitraryCondition{{Point: patch.Point, Operator: ControlMatch, Values: []string{"a", ""}}},
		}},
		"empty expression not to match": {Scope: scope, Spec: DoSProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{BlockByIP: 600},
			AdvancedConditions: []AdvancedCondition{{Field: FieldURI, Operator: ControlNotMatchFold, Values: []string{""}}},
		}},
		"point with key":          {Scope: scope, Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{NamedStep("post", "x")}}},
		"negative index":          {Scope: scope, Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{PathSegment(-1)}}},
		"remote address":          {Scope: scope, Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{RemoteAddr()}}},
		"no mode":                 {Scope: scope, Spec: SetFiltrationMode{}},
		"stamp 0":                 {Scope: scope, Spec: IgnoreSignature{Point: patch.Point}},
		"empty regex":             {Scope: scope, Spec: AttackDetector{AttackType: AttackRCE, Point: patch.Point}},
		"no values":               {Scope: scope, Spec: SetResponseHeader{Mode: HeaderReplace, Name: "X"}},
		"wrong word for blocking": {Scope: scope, Spec: LimitProcessingTime{Milliseconds: 5, Mode: "block"}},
		"rate":                    {Scope: scope, Spec: RateLimit{Point: Point{RemoteAddr()}, Rate: 1001, Status: 429}},
		"response status":         {Scope: scope, Spec: RateLimit{Point: Point{RemoteAddr()}, Rate: 1}},
		"size 0":                  {Scope: scope, Spec: FileUploadRestriction{}},
		"depth":                   {Scope: scope, Spec: GraphQLProtection{Mode: ModeBlock, MaxDepth: 101}},
		"login regex":             {Scope: scope, Spec: CredentialStuffingByRegex{Regex: "x", LoginRegex: strings.Repeat("x", 4097)}},
		"threshold":               {Scope: scope, Spec: DoSProtection{Mode: ModeBlock, Reaction: Reaction{BlockByIP: 600}}},
		"reaction of other mode": {Scope: scope, Spec: DoSProtection{
			Mode: ModeMonitoring, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{BlockByIP: 600},
		}},
		"short reaction": {Scope: scope, Spec: DoSProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{BlockByIP: 599},
		}},
		"no reaction": {Scope: scope, Spec: DoSProtection{Mode: ModeBlock, Threshold: Threshold{Count: 1, Period: 1}}},
		"no parameters": {Scope: scope, Spec: BOLAProtection{
			Mode: ModeMonitoring, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{GraylistByIP: 600},
		}},
		"mixed parameters": {Scope: scope, Spec: BOLAProtection{
			Mode: ModeMonitoring, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{GraylistByIP: 600},
			Parameters: EnumeratedParameters{Points: []ParameterPoint{{Point: patch.Point}}, NameRegexps: []string{"id"}},
		}},
		"graylist in mode block": {Scope: scope, Spec: DoSProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{BlockByIP: 600, GraylistByIP: 600},
		}},
		"no exact parameters": {Scope: scope, Spec: BOLAProtection{
			Mode: ModeMonitoring, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{GraylistByIP: 600},
			Parameters: EnumeratedParameters{Mode: ParametersExact},
		}},
		"points among expressions": {Scope: scope, Spec: BOLAProtection{
			Mode: ModeMonitoring, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{GraylistByIP: 600},
			Parameters: EnumeratedParameters{Mode: ParametersByRegexp, Points: []ParameterPoint{{Point: patch.Point}}, NameRegexps: []string{"id"}},
		}},
		"arbitrary condition without values": {Scope: scope, Spec: DoSProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{BlockByIP: 600},
			ArbitraryConditions: []ArbitraryCondition{{Point: patch.Point, Operator: ControlEqual}},
		}},
		"advanced condition": {Scope: scope, Spec: DoSProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{BlockByIP: 600},
			AdvancedConditions: []AdvancedCondition{{Field: FieldIP, Operator: ControlEqual}},
		}},
	} {
		_, err := client.Rules.Create(t.Context(), rule)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		var argument *ArgumentError
		require.ErrorAs(t, err, &argument, name)
	}
	for name := range ruleMembers {
		_, err := client.Rules.Create(t.Context(), NewRule{Scope: scope, Spec: UnknownSpec{Type: "new", Fields: Extra{name: RawJSON(`7`)}}})
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests(), "nothing may be sent")
}

// TestRuleWithoutASpec has no type, and can be told so.
func TestRuleWithoutASpec(t *testing.T) {
	t.Parallel()
	for _, spec := range []RuleSpec{nil, (*VirtualPatch)(nil)} {
		rule := Rule{Spec: spec}
		require.Empty(t, rule.Type())
	}
}

// TestACopyOfARuleIsWhole: it has the flags that the rule came with, and no others.
func TestACopyOfARuleIsWhole(t *testing.T) {
	t.Parallel()
	const rule = `{"id":1,"actionid":2,"clientid":3,"action":[],"type":"vpatch","attack_type":"any","point":[["get","q"]]`
	const sent = `{"type":"vpatch","clientid":3,"validated":false,"action":[],"attack_type":"any","point":[["get","q"]]`
	for _, flags := range []string{``, `,"active":false`, `,"variativity_disabled":true`, `,"active":true,"variativity_disabled":false`} {
		var read Rule
		require.NoError(t, wire.Unmarshal([]byte(rule+flags+`}`), &read))
		require.Nil(t, read.Extra, "nothing is left over")
		renewed := read.AsNew()
		body, err := renewed.body(3)
		require.NoError(t, err)
		require.JSONEq(t, sent+flags+`}`, string(body))
	}
}

// TestUpdateLeavesOutWhatARuleDidNotSay: zeros in its place would be refused.
func TestUpdateLeavesOutWhatARuleDidNotSay(t *testing.T) {
	t.Parallel()
	for want, spec := range map[string]RuleSpec{
		`{"title":"x","set":"","mode":"block","max_depth":5}`: GraphQLProtection{Mode: ModeBlock, MaxDepth: 5},
		`{"title":"x","set":""}`:                              CredentialStuffingByPoint{Point: Point{QueryParam("a")}, LoginPoint: Point{QueryParam("b")}},
	} {
		rule := Rule{Title: "x", Spec: spec}
		update := rule.Update()
		body, err := update.body()
		require.NoError(t, err)
		require.JSONEq(t, want, string(body))
	}
}

// TestExpressionsOfOneKindMatchAll: one empty text is no condition on names.
func TestExpressionsOfOneKindMatchAll(t *testing.T) {
	t.Parallel()
	for want, parameters := range map[string]EnumeratedParameters{
		`"name_regexps":[""],"value_regexps":["^[0-9]+$"]`: {ValueRegexps: []string{"^[0-9]+$"}},
		`"name_regexps":["^id$"],"value_regexps":[""]`:     {NameRegexps: []string{"^id$"}},
	} {
		rule := NewRule{Scope: Scope(), Spec: BOLAProtection{
			Mode: ModeMonitoring, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{GraylistByIP: 600}, Parameters: parameters,
		}}
		body, err := rule.body(1)
		require.NoError(t, err)
		require.Contains(t, string(body), want)
	}
}

func TestUpdateSendsWhatWasSet(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":{"id":7,"type":"rate_limit"}}`))
	for _, test := range []struct {
		update RuleUpdate
		want   string
	}{
		{RuleUpdate{Active: Set(false)}, `{"active":false}`},
		{RuleUpdate{Title: Set(""), Set: Null[string]()}, `{"title":"","set":null}`},
		{RuleUpdate{VariativityDisabled: Set(false), Spec: RateLimitUpdate{Rate: Set[int64](0)}}, `{"variativity_disabled":false,"rate":0}`},
		{RuleUpdate{Spec: &ProcessingTimeUpdate{Milliseconds: Set[int64](0)}}, `{"overlimit_time":0}`},
		{RuleUpdate{Spec: GraphQLUpdate{BanDebug: Set(false)}}, `{"debug_enabled":false}`},
		{RuleUpdate{Extra: Extra{"level": RawJSON("3")}}, `{"level":3}`},
		{
			RuleUpdate{Spec: EnumerationUpdate{Parameters: Set(EnumeratedParameters{NameRegexps: []string{"id"}})}},
			`{"enumerated_parameters":{"mode":"regexp","name_regexps":["id"],"value_regexps":[""],"additional_parameters":true,"plain_parameters":true}}`,
		},
	} {
		_, err := client.Rules.Update(t.Context(), 7, test.update)
		require.NoError(t, err)
		sent := server.requests()
		require.JSONEq(t, test.want, string(sent[len(sent)-1].Body))
	}
}

func TestUpdateRefuses(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{}`))
	var nilUpdate *RateLimitUpdate
	for name, update := range map[string]RuleUpdate{
		"nothing":          {},
		"empty spec":       {Spec: RateLimitUpdate{}},
		"nil spec":         {Spec: nilUpdate},
		"empty comment":    {Comment: Set("")},
		"null active":      {Active: Null[bool]()},
		"null variativity": {Comment: Set("x"), VariativityDisabled: Null[bool]()},
		"the type":         {Extra: Extra{"type": RawJSON(`"vpatch"`)}},
		"the scope":        {Extra: Extra{"action": RawJSON(`[]`)}},
		"rate":             {Spec: RateLimitUpdate{Rate: Set[int64](-1)}},
		"reaction":         {Spec: ThresholdUpdate{Reaction: Set(Reaction{BlockByIP: 5})}},
		"no values":        {Spec: ResponseHeaderUpdate{Values: Set([]string{})}},
		"size 0":           {Spec: FileUploadUpdate{Size: Set[uint64](0)}},
		"blocking":         {Spec: ProcessingTimeUpdate{Mode: Set(OverlimitMode("block"))}},
	} {
		_, err := client.Rules.Update(t.Context(), 7, update)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	_, err := client.Rules.Update(t.Context(), 0, RuleUpdate{Active: Set(true)})
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Empty(t, server.requests())
}

func TestUpdateOfARuleAsRead(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(string(readFixture(t, "rules.update").Responses["ok"].Body)))
	rule, err := client.Rules.Get(t.Context(), 77120031)
	require.NoError(t, err)
	spec := rule.Spec.(BruteForceProtection)
	require.Equal(t, Point{Header("X-CLIENT")}, spec.ArbitraryConditions[0].Point)
	spec.Threshold.Count = 30
	rule.Spec = spec
	rule.Title = "Log-in"
	_, err = client.Rules.Update(t.Context(), rule.ID, rule.Update())
	require.NoError(t, err)
	require.JSONEq(t, `{"comment":"Threshold raised after load test","title":"Log-in","set":"","active":true,"variativity_disabled":true,
		"threshold":{"count":30,"period":60},"reaction":{"block_by_ip":3600},"enumerated_parameters":{"mode":"regexp",
		"name_regexps":["^pass(wd|word)?$"],"value_regexps":[""],"additional_parameters":false,"plain_parameters":true}}`,
		string(server.requests()[1].Body))
}

func TestDeleteOfNothing(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"status":404,"body":"Not found"}`)
			return
		}
		_, _ = io.WriteString(w, `{"status":200,"body":[{"id":2,"type":"vpatch"}]}`)
	})
	require.NoError(t, client.Rules.Delete(t.Context(), 5), "a rule that is gone is deleted")
	result, err := client.Rules.DeleteMany(t.Context(), []int64{3, 2, 1, 3})
	require.NoError(t, err)
	require.Equal(t, []int64{3, 1}, result.Missing)
	require.Len(t, result.Deleted, 1)
	require.Empty(t, result.Untried)

	before := len(server.requests())
	for _, ids := range [][]int64{nil, {}, {0}, {1, -1}} {
		_, err = client.Rules.DeleteMany(t.Context(), ids)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	require.Len(t, server.requests(), before)
}

func TestDeleteManyInBatches(t *testing.T) {
	t.Parallel()
	calls := 0
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 3 {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"status":403,"body":"Check permissions failed"}`)
			return
		}
		_, _ = io.WriteString(w, `{"status":200,"body":[]}`)
	})
	ids := make([]int64, 2500)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	result, err := client.Rules.DeleteMany(t.Context(), ids)
	require.ErrorIs(t, err, ErrForbidden)
	require.Equal(t, ids[:2000], result.Missing)
	require.Equal(t, ids[2000:], result.Untried)
	var body struct {
		Filter struct {
			ID []int64 `json:"id"`
		} `json:"filter"`
	}
	require.NoError(t, json.Unmarshal(server.requests()[1].Body, &body))
	require.Equal(t, ids[1000:2000], body.Filter.ID)
}

func TestRuleFilters(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":[]}`))
	_, err := client.Rules.List(t.Context(), RuleFilter{
		ScopeIDs: []int64{5}, Point: Point{RequestBody(), FormField("email")}, Not: &RuleFilter{RegexIDs: []int64{7}, Extra: Extra{"new": RawJSON(`[1]`)}},
	}, PageOptions{})
	require.NoError(t, err)
	require.JSONEq(t, `{"filter":{"clientid":[4711],"actionid":[5],"point":[["post"],["form_urlencoded","email"]],"!regex_id":[7],"!new":[1]},
		"limit":1000,"offset":0,"order_by":"id","order_desc":false}`, string(server.requests()[0].Body))

	for name, filter := range map[string]RuleFilter{
		"not not":   {Not: &RuleFilter{Not: &RuleFilter{}}},
		"not types": {Not: &RuleFilter{Types: []RuleType{RuleRequestTag}}},
		"point":     {Point: Point{NewStep("header")}},
		"client":    {ClientIDs: []int64{-1}},
	} {
		_, err := client.Rules.List(t.Context(), filter, PageOptions{})
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		for _, err := range client.Rules.All(t.Context(), filter) {
			require.ErrorIs(t, err, ErrInvalidArgument, name)
		}
	}
	_, err = client.Rules.List(t.Context(), RuleFilter{}, PageOptions{Limit: -1})
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Len(t, server.requests(), 1)
}

func TestFindSame(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/objects/action":
			_, _ = io.WriteString(w, `{"status":200,"body":[{"id":4,"conditions":[]},
				{"id":5,"conditions":[{"type":"absent","point":["path",1],"value":null},{"type":"equal","point":["path",0],"value":"a"},
				{"type":"equal","point":["action_name"],"value":"b"},{"type":"absent","point":["action_ext"],"value":null}]}]}`)
		case "/v1/objects/hint":
			_, _ = io.WriteString(w, `{"status":200,"body":[
				{"id":10,"actionid":5,"type":"vpatch","attack_type":"sqli","point":["header","HOST"]},
				{"id":11,"actionid":5,"type":"vpatch","attack_type":"any","point":["header","HOST"],"comment":"mine"},
				{"id":12,"actionid":5,"type":"vpatch","attack_type":"any","point":["uri"]}]}`)
		}
	})
	rule := NewRule{Scope: Scope().Path("/a/b"), Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{Header("host")}}}
	same, err := client.Rules.FindSame(t.Context(), rule)
	require.NoError(t, err)
	require.Len(t, same, 1)
	require.Equal(t, int64(11), same[0].ID)

	rule.Scope = Scope().Path("/a/c")
	same, err = client.Rules.FindSame(t.Context(), rule)
	require.NoError(t, err)
	require.Empty(t, same)
}

func TestCreateWithUnknownOutcome(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			connection.Close()
		}
	})
	_, err := client.Rules.Create(t.Context(), NewRule{Scope: Scope(), Spec: BOLACounter{}})
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.Len(t, server.requests(), 1, "a create is not repeated")
}

func ExampleScope() {
	conditions, err := Scope().URL("POST shop.example.com/api/login").Application(12).Conditions()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, condition := range conditions {
		fmt.Println(condition)
	}
	_, err = Scope().Path("/img/logo*").Conditions()
	fmt.Println(errors.Is(err, ErrInvalidArgument))
	// Output:
	// method equal "POST"
	// header(HOST) iequal "shop.example.com"
	// path(0) equal "api"
	// path(1) absent
	// action_name equal "login"
	// action_ext absent
	// instance equal "12"
	// true
}

// TestFindSameComparesWhatIsSent: zeros are sent, and a missing point or condition is a wider rule.
func TestFindSameComparesWhatIsSent(t *testing.T) {
	t.Parallel()
	var hints string
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/objects/action":
			_, _ = io.WriteString(w, `{"status":200,"body":[{"id":5,"conditions":[]}]}`)
		case "/v1/objects/hint":
			_, _ = io.WriteString(w, `{"status":200,"body":[`+hints+`]}`)
		}
	})
	limit := RateLimit{Point: Point{RemoteAddr()}, Rate: 5, Status: 429}
	control := DoSProtection{Mode: ModeBlock, Threshold: Threshold{Count: 1, Period: 1}, Reaction: Reaction{BlockByIP: 600}}
	exact := BOLAProtection{
		Mode: ModeBlock, Threshold: control.Threshold, Reaction: control.Reaction,
		Parameters: EnumeratedParameters{Points: []ParameterPoint{{Point: Point{QueryParam("id")}}}},
	}
	newer, narrow, indexed := control, control, control
	indexed.ArbitraryConditions = []ArbitraryCondition{{Point: Point{PathSegment(3)}, Operator: "eq", Values: []string{"a"}}}
	newer.Threshold.Extra = Extra{"burst": RawJSON("7")}
	narrow.AdvancedConditions = []AdvancedCondition{{Field: "ip", Operator: "eq", Values: []string{"192.0.2.1"}}}
	const dos = `{"id":1,"actionid":5,"type":"rate_limit_enum","mode":"block","threshold":{"count":1,"period":1},"reaction":{"block_by_ip":600}`
	for name, test := range map[string]struct {
		spec RuleSpec
		hint string
		same bool
	}{
		"same limit":    {limit, `{"id":1,"actionid":5,"type":"rate_limit","rate":5,"burst":0,"delay":null,"rsp_status":429,"time_unit":"rps","point":["remote_addr"]}`, true},
		"other burst":   {limit, `{"id":1,"actionid":5,"type":"rate_limit","rate":5,"burst":50,"delay":0,"rsp_status":429,"time_unit":"rps","point":["remote_addr"]}`, false},
		"whole request": {FileUploadRestriction{Size: 5}, `{"id":1,"actionid":5,"type":"file_upload_size_limit","size":5,"size_unit":"b","mode":"monitoring","point":null}`, true},
		"one part":      {FileUploadRestriction{Size: 5}, `{"id":1,"actionid":5,"type":"file_upload_size_limit","size":5,"size_unit":"b","point":["post"]}`, false},
		"no conditions": {control, dos + `,"advanced_conditions":[],"arbitrary_conditions":[]}`, true},
		"narrower":      {control, dos + `,"advanced_conditions":[{"field":"ip","operator":"eq","value":["192.0.2.1"]}]}`, false},
		"another type":  {AllowBinaryData{Point: Point{QueryParam("q")}}, `{"id":1,"actionid":5,"type":"sensitive_data","point":["get","q"]}`, false},
		"other period":  {control, strings.Replace(dos, `"period":1`, `"period":2`, 1) + `}`, false},
		"more reaction": {control, strings.Replace(dos, `"block_by_ip":600`, `"block_by_ip":600,"block_by_session":600`, 1) + `}`, false},
		"null reaction": {control, strings.Replace(dos, `"block_by_ip":600`, `"block_by_ip":600,"block_by_session":null`, 1) + `}`, true},
		"less reaction": {control, strings.Replace(dos, `"block_by_ip":600`, ``, 1) + `}`, false},
		"new member":    {control, strings.Replace(dos, `"period":1`, `"period":1,"burst":7`, 1) + `}`, true},
		"new reaction":  {control, strings.Replace(dos, `"block_by_ip":600`, `"block_by_ip":600,"notify":true`, 1) + `}`, true},
		"exact, with new members": {
			exact, `{"id":1,"actionid":5,"type":"bola","mode":"block","threshold":{"count":1,"period":1,"burst":7},"reaction":{"block_by_ip":600},
			"enumerated_parameters":{"mode":"exact","new":1,"points":[{"point":["get","id"],"sensitive":false,"hashed":true}]}}`, true,
		},
		"another point, with new members": {
			exact, `{"id":1,"actionid":5,"type":"bola","mode":"block","threshold":{"count":1,"period":1},"reaction":{"block_by_ip":600},
			"enumerated_parameters":{"mode":"exact","points":[{"point":["get","uid"],"hashed":true}]}}`, false,
		},
		"conditions of another kind": {FileUploadRestriction{Size: 5}, `{"id":1,"actionid":5,"type":"file_upload_size_limit","size":5,"size_unit":"b","advanced_conditions":[{"field":"ip"}]}`, false},
		"a point of an odd form":     {FileUploadRestriction{Size: 5}, `{"id":1,"actionid":5,"type":"file_upload_size_limit","size":5,"size_unit":"b","point":{"in":"post"}}`, false},
		"nothing wanted, a point":    {UnknownSpec{Type: "new_kind"}, `{"id":1,"actionid":5,"type":"new_kind","point":["post"]}`, false},
		"nothing wanted, nothing":    {UnknownSpec{Type: "new_kind"}, `{"id":1,"actionid":5,"type":"new_kind","new":5}`, true},
		"new member that is wanted":  {newer, strings.Replace(dos, `"period":1`, `"period":1,"burst":7`, 1) + `}`, true},
		"another value of it":        {newer, strings.Replace(dos, `"period":1`, `"period":1,"burst":8`, 1) + `}`, false},
		"a condition that is new": {
			narrow, dos + `,"advanced_conditions":[{"field":"ip","operator":"eq","value":["192.0.2.1"],"until":"noon"}]}`, false,
		},
		"an index as text":       {AllowBinaryData{Point: Point{PathSegment(3)}}, `{"id":1,"actionid":5,"type":"binary_data","point":["path","3"]}`, true},
		"another index as text":  {AllowBinaryData{Point: Point{PathSegment(3)}}, `{"id":1,"actionid":5,"type":"binary_data","point":["path","4"]}`, false},
		"a condition's as text":  {indexed, dos + `,"arbitrary_conditions":[{"point":["path","3"],"operator":"eq","value":["a"]}]}`, true},
		"another of a condition": {indexed, dos + `,"arbitrary_conditions":[{"point":["path","4"],"operator":"eq","value":["a"]}]}`, false},
		"the same condition":     {narrow, dos + `,"advanced_conditions":[{"field":"ip","operator":"eq","value":["192.0.2.1"]}]}`, true},
		"exact, with nulls": {
			exact, `{"id":1,"actionid":5,"type":"bola","mode":"block","threshold":{"count":1,"period":1},"reaction":{"block_by_ip":600},
			"enumerated_parameters":{"mode":"exact","additional_parameters":null,"name_regexps":[],"points":[{"point":["get","id"],"sensitive":false}]}}`, true,
		},
	} {
		hints = test.hint
		same, err := client.Rules.FindSame(t.Context(), NewRule{Scope: Scope(), Spec: test.spec})
		require.NoError(t, err, name)
		require.Equal(t, test.same, len(same) == 1, name)
	}
}

// TestFindSameOnCredentialStuffing: most tokens do not see these rules in lists, so neither need the list of scopes tell where they are.
func TestFindSameOnCredentialStuffing(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v4/clients/4711/credential_stuffing/configs" {
			_, _ = io.WriteString(w, `{"status":200,"body":[]}`)
			return
		}
		_, _ = w.Write(readFixture(t, "rules.credential_stuffing").Responses["ok"].Body)
	})
	spec := CredentialStuffingByPoint{
		Point:      Point{RequestBody(), JSONDoc(), ObjectMember("secret")},
		LoginPoint: Point{RequestBody(), JSONDoc(), ObjectMember("email")},
	}
	name := Scope().Raw(Condition{Point: Point{ActionName()}, Value: "signin"})
	for _, rule := range []NewRule{{Scope: name, Spec: spec}, {ScopeID: 901300, Spec: spec}} {
		same, err := client.Rules.FindSame(t.Context(), rule)
		require.NoError(t, err)
		require.Len(t, same, 1)
	}
	for _, rule := range []NewRule{{Scope: Scope(), Spec: spec}, {ScopeID: 15, Spec: spec}} {
		same, err := client.Rules.FindSame(t.Context(), rule)
		require.NoError(t, err)
		require.Empty(t, same)
	}
}

// TestUpdateOfWhatOneSourceNames: the vendor's API reference lets an update carry these.
func TestUpdateOfWhatOneSourceNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"actionid", "validated", "point", "counter", "enabled", "url"} {
		update := RuleUpdate{Extra: Extra{name: RawJSON(`1`)}}
		body, err := update.body()
		require.NoError(t, err)
		require.JSONEq(t, `{"`+name+`":1}`, string(body))
	}
	for _, name := range []string{"type", "clientid", "action", "id", "comment", "active", "create_time"} {
		update := RuleUpdate{Extra: Extra{name: RawJSON(`1`)}}
		_, err := update.body()
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
}

// TestSameMember compares members as they may travel.
func TestSameMember(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{``, ``, true},
		{``, `null`, true},
		{`null`, `0`, true},
		{`[]`, ``, true},
		{`null`, `1`, false},
		{`1`, ``, false},
		{`1.0`, `1`, true},
		{`{"a":1,"b":null}`, `{"a":1}`, true},
		{`{"a":1}`, `{"b":0,"a":1}`, true},
		{`{"a":1}`, `{"a":2}`, false},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":{"b":1}}`, `{"a":{"b":2}}`, false},
		{`{"a":`, `{"a":`, false},
		{`{"a":1}`, `{"a":1,"b":}`, false},
	} {
		require.Equal(t, test.same, sameMember(wire.Member{Value: RawJSON(test.a)}, wire.Member{Value: RawJSON(test.b)}), "%s and %s", test.a, test.b)
	}
}
