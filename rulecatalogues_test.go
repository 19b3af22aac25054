package wallarm

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(rulesMitigations, func(ctx context.Context, c *Client) (any, error) { return c.Rules.Mitigations(ctx) })
	_ = fixture(rulesMitigationStats, func(ctx context.Context, c *Client) (any, error) { return c.Rules.MitigationStats(ctx) })
	_ = fixture(rulesCredentialStuffing, func(ctx context.Context, c *Client) (any, error) { return c.Rules.CredentialStuffing(ctx) })
	_ = fixture(rulesAttackTypes, func(ctx context.Context, c *Client) (any, error) { return c.Rules.AttackTypes(ctx) })
	_ = fixture(rulesFeatureAttackTypes, func(ctx context.Context, c *Client) (any, error) { return c.Rules.AttackTypesByFeature(ctx) })
	_ = fixture(rulesSuggestSteps, func(ctx context.Context, c *Client) (any, error) {
		return c.Rules.SuggestSteps(ctx, []Point{{RequestBody(), JSONDoc()}, {Header("x-a"), ArrayElement(0)}})
	})

	_ = fixture(regexesList, func(ctx context.Context, c *Client) (any, error) {
		return c.Regexes.List(ctx, RegexFilter{RuleTypes: []RuleType{RuleAttackDetector}}, PageOptions{})
	})
	_ = fixture(regexesGet, func(ctx context.Context, c *Client) (any, error) { return c.Regexes.Get(ctx, 5512) })
	_ = fixture(regexesFindRule, func(ctx context.Context, c *Client) (any, error) {
		return c.Regexes.FindRule(ctx, RegexMatch{
			RegexID: 5512, Point: Point{Header("X-Token")}, Domain: "shop.example.com", Path: "/api/items.json", ApplicationID: 12,
		})
	})
)

func TestCatalogues(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/mitigations"):
			_, _ = io.WriteString(w, `{"status":200,"body":{"graphql":[{"id":1,"type":"graphql_detection","mode":"off"}]}}`)
		default:
			_, _ = io.WriteString(w, `{"status":200,"body":{"rules.vpatch":["any"],"odd":{"a":1}}}`)
		}
	})
	groups, err := client.Rules.Mitigations(t.Context())
	require.NoError(t, err)
	require.Equal(t, GraphQLProtection{Mode: ModeOff}, groups["graphql"][0].Spec)
	types, err := client.Rules.AttackTypesByFeature(t.Context())
	require.NoError(t, err)
	require.Equal(t, []AttackType{AnyAttack}, types.Groups["rules.vpatch"])
	require.Contains(t, types.Extra, "odd")

	before := len(server.requests())
	_, err = client.Rules.SuggestSteps(t.Context(), nil)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Rules.SuggestSteps(t.Context(), []Point{{NewStep("get")}})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Regexes.FindRule(t.Context(), RegexMatch{RegexID: 5})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Regexes.FindRule(t.Context(), RegexMatch{Point: Point{WholeURI()}})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Regexes.List(t.Context(), RegexFilter{}, PageOptions{Limit: 1001})
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Len(t, server.requests(), before)
}

func TestRulesOfAHit(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"regex_id":7`) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"status":404,"body":"Not found"}`)
			return
		}
		_, _ = io.WriteString(w, `{"status":200,"body":{"id":1,"type":"regex","regex_id":5}}`)
	})
	hit := Hit{Regexes: []int64{5, 7, 5}, Point: Point{QueryParam("q")}, Domain: "shop.example.com", Path: "/", ApplicationID: -1}
	rules, err := client.Rules.OfHit(t.Context(), &hit)
	require.NoError(t, err)
	require.Len(t, rules, 1)
	require.Len(t, server.requests(), 2)
	require.JSONEq(t, `{"regex_id":5,"point":["get","q"],"domain":"shop.example.com","path":"/","poolid":-1}`, string(server.requests()[0].Body))
	_, err = client.Rules.OfHit(t.Context(), nil)
	require.ErrorIs(t, err, ErrInvalidArgument)
}

func TestSuppress(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, answerJSON(`{"status":200,"body":{"clientid":4711,"conditions":[
		{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"},{"type":"equal","point":["action_name"],"value":"search"}]}}`))
	id := EventID{Index: "hits_production_4711_202608_v_1", Doc: "Kf93-aa"}
	point := Point{RequestBody(), JSONDoc(), ObjectMember("q")}
	hits := []Hit{
		{ID: id, Type: AttackSQLi, Stamps: []int64{3301, 3302}, Point: point},
		{ID: id, Type: AttackSQLi, Stamps: []int64{3301}, Point: point},
		{ID: id, Type: AttackXXE, Point: point},
	}
	rules, err := client.Rules.Suppress(t.Context(), hits, BySignature)
	require.NoError(t, err)
	require.Len(t, rules, 3, "no rule twice")
	require.Equal(t, IgnoreSignature{Signature: 3301, Point: point}, rules[0].Spec)
	require.Equal(t, IgnoreSignature{Signature: 3302, Point: point}, rules[1].Spec)
	require.Equal(t, IgnoreAttackType{AttackType: AttackXXE, Point: point}, rules[2].Spec)
	body, err := rules[0].body(4711)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"disable_stamp","clientid":4711,"validated":false,"stamp":3301,"point":[["post"],["json_doc"],["hash","q"]],
		"action":[{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"},{"type":"equal","point":["action_name"],"value":"search"}]}`,
		string(body))

	rules, err = client.Rules.Suppress(t.Context(), hits, ByAttackType)
	require.NoError(t, err)
	require.Len(t, rules, 2)

	for _, hit := range []*Hit{nil, {ID: id, Type: AttackBruteForce}} {
		_, err = SuppressHit(hit, Conditions{}, BySignature)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	for _, name := range []AttackType{AnyAttack, " ANY"} {
		_, err = SuppressHit(&Hit{ID: id, Type: name, Stamps: []int64{3301}, Point: point}, Conditions{}, ByAttackType)
		require.ErrorIs(t, err, ErrInvalidArgument, "it would ignore every attack")
		_, err = SuppressHit(&Hit{ID: id, Type: name, Point: point}, Conditions{}, BySignature)
		require.ErrorIs(t, err, ErrInvalidArgument, "it would ignore every attack")
		_, err = SuppressHit(&Hit{ID: id, Type: name, Stamps: []int64{3301}, Point: point}, Conditions{}, BySignature)
		require.NoError(t, err)
	}
	_, err = SuppressHit(&hits[0], nil, BySignature)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = SuppressHit(&hits[0], Conditions{}, 9)
	require.ErrorIs(t, err, ErrInvalidArgument)
}

// TestSuppressKnowsARuleInAnyOrder: the API keeps one scope for a set of conditions, and two of the same rule.
func TestSuppressKnowsARuleInAnyOrder(t *testing.T) {
	t.Parallel()
	host, action := `{"type":"iequal","point":["header","HOST"],"value":"a.example.com"}`, `{"type":"equal","point":["action_name"],"value":"x"}`
	answers := []string{host + "," + action, action + "," + host}
	client, server := newTestClient(t, nil)
	server.answer = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":200,"body":{"clientid":4711,"conditions":[`+answers[len(server.requests())%2]+`]}}`)
	}
	hit := Hit{Type: AttackSQLi, Point: Point{QueryParam("q")}, ID: EventID{Index: "hits_production_4711_202608_v_1", Doc: "Kf93-aa"}}
	rules, err := client.Rules.Suppress(t.Context(), []Hit{hit, hit}, ByAttackType)
	require.NoError(t, err)
	require.Len(t, server.requests(), 2)
	require.Len(t, rules, 1)
}

// TestSuppressWantsAListOfConditions: no list is not the empty one, which hides hits in every request.
func TestSuppressWantsAListOfConditions(t *testing.T) {
	t.Parallel()
	hits := []Hit{{ID: EventID{Index: "hits_production_4711_202608_v_1", Doc: "Kf93-aa"}, Type: AttackSQLi, Point: Point{QueryParam("q")}}}
	for body, unreadable := range map[string]bool{
		`{}`: true, `{"clientid":4711,"action":null}`: true, `{"clientid":4711,"conditions":null}`: true, `{"clientid":4711,"conditions":[]}`: false,
	} {
		client, _ := newTestClient(t, answerJSON(`{"status":200,"body":`+body+`}`))
		rules, err := client.Rules.Suppress(t.Context(), hits, ByAttackType)
		if unreadable {
			require.ErrorIs(t, err, ErrResponse, body)
			require.Empty(t, rules, body)
			continue
		}
		require.NoError(t, err, body)
		require.Equal(t, Conditions{}, rules[0].Conditions)
	}
}

// TestFindRuleLeavesOutWhatIsNotKnown: 0 is no application.
func TestFindRuleLeavesOutWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":{"id":1,"type":"regex"}}`))
	_, err := client.Regexes.FindRule(t.Context(), RegexMatch{RegexID: 5, Point: Point{QueryParam("q")}})
	require.NoError(t, err)
	require.JSONEq(t, `{"regex_id":5,"point":["get","q"]}`, string(server.requests()[0].Body))
	_, err = client.Regexes.FindRule(t.Context(), RegexMatch{RegexID: 5, Point: Point{QueryParam("q")}, ApplicationID: -1})
	require.NoError(t, err)
	require.JSONEq(t, `{"regex_id":5,"point":["get","q"],"poolid":-1}`, string(server.requests()[1].Body))
}

// TestLimitsThatNobodyNames: a caller may ask for more than the default, an iterator does not by itself.
func TestLimitsThatNobodyNames(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":[]}`))
	_, err := client.Regexes.List(t.Context(), RegexFilter{}, PageOptions{Limit: 500})
	require.NoError(t, err)
	for _, err := range client.Regexes.All(t.Context(), RegexFilter{}) {
		require.NoError(t, err)
	}
	var limits []string
	for _, sent := range server.requests() {
		limits = append(limits, sent.Query.Get("limit"))
	}
	require.Equal(t, []string{"500", "100"}, limits)
}

// TestSuggestRoots: an empty chain asks for what a chain may begin with.
func TestSuggestRoots(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":[["get","post"]]}`))
	steps, err := client.Rules.SuggestSteps(t.Context(), []Point{nil})
	require.NoError(t, err)
	require.Equal(t, [][]string{{"get", "post"}}, steps)
	require.JSONEq(t, `{"mode":"default","points":[[]]}`, string(server.requests()[0].Body))
}
