package compat

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
	wallarm "github.com/wallarm/wallarm-go"
)

// scope is a rule's scope in the client's types.
func scope(conditions ...wallarm.ActionDetails) *[]wallarm.ActionDetails {
	list := append([]wallarm.ActionDetails{}, conditions...) // never null
	return &list
}

func path(segment string) wallarm.ActionDetails {
	return wallarm.ActionDetails{Type: "equal", Point: []any{"path", 0}, Value: segment}
}

func TestRulesFromCreateToDelete(t *testing.T) {
	w := newWorld(t)
	created, err := w.api.HintCreate(&wallarm.ActionCreate{
		Type: "vpatch", Clientid: client, AttackType: "any", Active: true, Comment: "from the vendor's client",
		Point:  wallarm.TwoDimensionalSlice{{"post"}, {"json_doc"}, {"hash", "user"}, {"array", 0}},
		Action: scope(wallarm.ActionDetails{Type: "equal", Point: []any{"header", "host"}, Value: "Shop.Example.com"}, path("my")),
	})
	require.NoError(t, err)
	rule := created.Body
	require.Equal(t, []any{"post", "json_doc", "hash", "user", "array", 0.0}, rule.Point)
	require.Equal(t, "iequal", rule.Action[0].Type)
	require.Equal(t, "shop.example.com", rule.Action[0].Value)
	require.True(t, rule.Active)
	require.True(t, rule.VariativityDisabled)
	require.NotZero(t, rule.CreateTime)

	again, err := w.api.HintCreate(&wallarm.ActionCreate{
		Type: "wallarm_mode", Clientid: client, Mode: "block", Action: scope(path("my")),
	})
	require.NoError(t, err)
	require.False(t, again.Body.Active, "the client sends false when nothing is said")
	require.NotEqual(t, rule.ActionID, again.Body.ActionID)

	list, err := w.api.HintRead(&wallarm.HintRead{
		Filter: &wallarm.HintFilter{
			Clientid: []int{client}, Type: []string{"vpatch"}, NotID: []int{again.Body.ID}, System: ptr(false),
			Point: wallarm.TwoDimensionalSlice{{"post"}, {"json_doc"}, {"hash", "user"}, {"array", 0}},
		}, OrderBy: "updated_at", OrderDesc: true, Limit: 500,
	})
	require.NoError(t, err)
	require.Len(t, *list.Body, 1)
	require.Equal(t, rule.ID, (*list.Body)[0].ID)

	changed, err := w.api.HintUpdateV3(rule.ID, &wallarm.HintUpdateV3Params{
		Comment: ptr("changed"), Active: ptr(false), AttackType: ptr("sqli"),
	})
	require.NoError(t, err)
	require.Equal(t, "changed", changed.Body.Comment)
	require.Equal(t, "sqli", changed.Body.AttackType)
	require.False(t, changed.Body.Active)

	gone, err := w.api.HintDelete(&wallarm.HintDelete{
		Filter: &wallarm.HintDeleteFilter{Clientid: []int{client}, ID: []int{rule.ID, again.Body.ID, 1}},
	})
	require.NoError(t, err)
	require.Len(t, gone.Body, 2)
	gone, err = w.api.HintDelete(&wallarm.HintDelete{
		Filter: &wallarm.HintDeleteFilter{Clientid: []int{client}, ID: []int{rule.ID}},
	})
	require.NoError(t, err)
	require.Empty(t, gone.Body, "the second time nothing is left to delete")
	require.Empty(t, w.Rules())

	_, err = w.api.HintUpdateV3(rule.ID, &wallarm.HintUpdateV3Params{Comment: ptr("x")})
	status(t, http.StatusNotFound, err)
}

// TestEveryRuleTypeOfTheClient makes a rule of each type that the client has
// fields for.
func TestEveryRuleTypeOfTheClient(t *testing.T) {
	w := newWorld(t)
	uri := wallarm.TwoDimensionalSlice{{"uri"}}
	threshold := &wallarm.Threshold{Count: 5, Period: 60}
	reaction := &wallarm.Reaction{BlockByIP: ptr(600)}
	enumerated := &wallarm.EnumeratedParameters{
		Mode: "regexp", NameRegexps: []string{"id"}, ValueRegexp: []string{""}, AdditionalParameters: ptr(false), PlainParameters: ptr(true),
	}
	detector, err := w.api.HintCreate(&wallarm.ActionCreate{
		Type: "regex", Clientid: client, Action: scope(), AttackType: "scanner", Regex: "^x", Point: uri,
	})
	require.NoError(t, err)
	regexID := int(detector.Body.RegexID.(float64))
	for _, rule := range []wallarm.ActionCreate{
		{Type: "disable_regex", RegexID: regexID, Point: uri},
		{Type: "experimental_regex", AttackType: "vpatch", Regex: "^y", Point: uri},
		{Type: "wallarm_mode", Mode: "monitoring"},
		{Type: "api_abuse_mode", Mode: "disabled"},
		{Type: "vpatch", AttackType: "any", Point: uri},
		{Type: "disable_attack_type", AttackType: "xss", Point: uri},
		{Type: "disable_stamp", Stamp: 7, Point: uri},
		{Type: "binary_data", Point: uri},
		{Type: "sensitive_data", Point: wallarm.TwoDimensionalSlice{{"header", "AUTHORIZATION"}}},
		{Type: "uploads", FileType: "images", Point: uri},
		{Type: "set_response_header", Mode: "replace", Name: "Server", Values: []string{"example"}},
		{Type: "parser_state", Parser: "base64", State: "disabled", Point: uri},
		{Type: "overlimit_res_settings", OverlimitTime: ptr(0), Mode: "blocking"},
		{Type: "rate_limit", Rate: ptr(0), Burst: ptr(0), Delay: ptr(0), RspStatus: 429, TimeUnit: "rpm", Point: wallarm.TwoDimensionalSlice{{"remote_addr"}}},
		{Type: "graphql_detection", Mode: "block", MaxDepth: 3, Introspection: ptr(false), DebugEnabled: ptr(true)},
		{Type: "file_upload_size_limit", Mode: "block", Size: 5, SizeUnit: "mb"},
		{Type: "brute", Mode: "block", Threshold: threshold, Reaction: reaction, EnumeratedParameters: enumerated},
		{Type: "bola", Mode: "block", Threshold: threshold, Reaction: reaction, EnumeratedParameters: enumerated},
		{Type: "enum", Mode: "block", Threshold: threshold, Reaction: reaction, EnumeratedParameters: enumerated},
		{Type: "forced_browsing", Mode: "block", Threshold: threshold, Reaction: reaction},
		{Type: "rate_limit_enum", Mode: "block", Threshold: threshold, Reaction: reaction},
		{Type: "brute_counter"},
		{Type: "dirbust_counter"},
		{Type: "bola_counter"},
		{Type: "credentials_point", Point: uri, LoginPoint: uri, CredStuffType: "custom"},
		{Type: "credentials_regex", Regex: "pass", LoginRegex: "user", CaseSensitive: ptr(true), CredStuffType: "custom"},
	} {
		rule.Clientid, rule.Action, rule.Active = client, scope(), true
		created, err := w.api.HintCreate(&rule)
		require.NoError(t, err, rule.Type)
		require.Equal(t, rule.Type, created.Body.Type)
		require.NotZero(t, created.Body.ID)
	}
	require.Len(t, w.Rules(), 27)
	_, err = w.api.HintCreate(&wallarm.ActionCreate{Type: "rate_limit", Clientid: client, Action: scope()})
	status(t, http.StatusBadRequest, err)
}

func TestActions(t *testing.T) {
	w := newWorld(t)
	rule, err := w.api.HintCreate(&wallarm.ActionCreate{
		Type: "wallarm_mode", Clientid: client, Mode: "off", Action: scope(path("api")),
	})
	require.NoError(t, err)
	list, err := w.api.ActionList(&wallarm.ActionListParams{
		Filter: &wallarm.ActionListFilter{
			Clientid: []int{client}, HintType: []string{"wallarm_mode"}, NotID: []int{1}, Empty: ptr(false),
		}, Limit: 100,
	})
	require.NoError(t, err)
	require.Len(t, list.Body, 1)
	require.Equal(t, rule.Body.ActionID, list.Body[0].ID)
	require.Equal(t, "/api/**/*.*", *list.Body[0].EndpointPath)

	one, err := w.api.ActionReadByID(rule.Body.ActionID)
	require.NoError(t, err)
	require.Equal(t, list.Body[0], *one)
	_, err = w.api.ActionReadByID(1)
	status(t, http.StatusNotFound, err)

	attack := w.SeedAttacks(wallarmtest.Attack{Domain: "shop.example.net", Path: "/v1/login"})[0]
	hit, err := w.AddHit(attack, wallarmtest.Hit{})
	require.NoError(t, err)
	byHit, err := w.api.ActionReadByHitID([]string{hit.Index, hit.Doc})
	require.NoError(t, err)
	require.Equal(t, client, byHit.Body.Clientid)
	require.Len(t, byHit.Body.Conditions, 5)
	_, err = w.api.HintCreate(&wallarm.ActionCreate{
		Type: "wallarm_mode", Clientid: client, Mode: "block", Action: &byHit.Body.Conditions,
	})
	require.NoError(t, err, "what comes back can be sent")
}

// TestRepeats lets the client repeat what it repeats: 423, 429 and any 5xx.
func TestRepeats(t *testing.T) {
	for _, fault := range []wallarmtest.Fault{
		{Kind: wallarmtest.FaultLock},
		{Status: http.StatusTooManyRequests, Body: `{"status":429,"body":"Rate limiting"}`, RetryAfter: "1"},
		{Status: http.StatusInternalServerError, Body: `{"status":500,"body":"Timed out connecting to server"}`},
		{Kind: wallarmtest.FaultHTML, Status: http.StatusServiceUnavailable},
		{Kind: wallarmtest.FaultResetBefore},
	} {
		w := newWorld(t)
		fault.Op, fault.Count = "rules.create", 3
		w.Inject(fault)
		_, err := w.api.HintCreate(&wallarm.ActionCreate{Type: "wallarm_mode", Mode: "off", Clientid: client, Action: scope()})
		require.NoError(t, err)
		require.Len(t, w.RequestsOf("rules.create"), 4)
		require.Len(t, w.Rules(), 1)

		fault.Count = 4
		w.ClearFaults()
		w.Inject(fault)
		_, err = w.api.HintCreate(&wallarm.ActionCreate{Type: "wallarm_mode", Mode: "off", Clientid: client, Action: scope()})
		require.Error(t, err)
		if fault.Kind != wallarmtest.FaultResetBefore {
			var apiErr *wallarm.APIError
			require.ErrorAs(t, err, &apiErr)
			require.GreaterOrEqual(t, apiErr.StatusCode, 400)
		}
	}
}

// TestLostAnswerDoubles shows what the client's way of repeating costs.
func TestLostAnswerDoubles(t *testing.T) {
	w := newWorld(t)
	w.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "rules.create", Count: 1})
	_, err := w.api.HintCreate(&wallarm.ActionCreate{Type: "wallarm_mode", Mode: "off", Clientid: client, Action: scope()})
	require.NoError(t, err)
	require.Len(t, w.Rules(), 2)
}

func TestLockEnds(t *testing.T) {
	w := newWorld(t)
	w.LockRules(time.Hour)
	_, err := w.api.HintCreate(&wallarm.ActionCreate{Type: "wallarm_mode", Mode: "off", Clientid: client, Action: scope()})
	status(t, http.StatusLocked, err)
	w.Advance(time.Hour)
	_, err = w.api.HintCreate(&wallarm.ActionCreate{Type: "wallarm_mode", Mode: "off", Clientid: client, Action: scope()})
	require.NoError(t, err)
}

// TestHugeSizeBreaksTheClient shows that one rule can make the list of all
// rules unreadable for this client.
func TestHugeSizeBreaksTheClient(t *testing.T) {
	w := newWorld(t)
	_, err := w.AddRule(`{"type":"file_upload_size_limit","mode":"block","size":18446744073709551615,"action":[]}`)
	require.NoError(t, err)
	_, err = w.api.HintRead(&wallarm.HintRead{Filter: &wallarm.HintFilter{Clientid: []int{client}}, OrderBy: "id", Limit: 10})
	require.ErrorContains(t, err, "cannot unmarshal number")
}
