package wallarm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var forever = IPTerms{ExpiresAt: Forever}

var (
	_ = fixture(ipListsList, func(ctx context.Context, c *Client) (any, error) {
		filter := IPFilter{List: Denylist, Kinds: []IPKind{IPSubnet, IPCountry}, Query: "203.0.113"}
		return c.IPLists.List(ctx, filter, PageOptions{Limit: 1000})
	})
	_ = fixture(ipListsAdd, func(ctx context.Context, c *Client) (any, error) {
		values := append(Addresses("203.0.113.7/32", "198.51.100.0/24", "::ffff:203.0.113.7"), Countries("aq", "BV")...)
		n, err := c.IPLists.Add(ctx, NewIPEntries{
			List: Denylist, Values: append(values, Proxies("tor")...),
			IPTerms: IPTerms{Reason: "credential stuffing", ExpiresAt: Forever},
		})
		if err == nil && n != 5 {
			err = fmt.Errorf("%d values added", n)
		}
		return nil, err
	})
	_ = fixture(ipListsRemove, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.IPLists.RemoveEntries(ctx, []IPEntry{
			{ID: 880011, Kind: IPSubnet}, {ID: 880020, Kind: IPCountry}, {ID: 880012, Kind: IPSubnet},
		})
	})
	_ = fixture(ipListsListRules, func(ctx context.Context, c *Client) (any, error) {
		return c.IPLists.ListRules(ctx, IPRuleFilter{List: Denylist}, PageOptions{Limit: 300})
	})
	_ = fixture(ipListsCountRules, func(ctx context.Context, c *Client) (any, error) {
		return c.IPLists.CountRules(ctx, IPRuleFilter{
			IDs: []int64{1, 2}, NotIDs: []int64{3}, ApplicationID: Set(DefaultApplication), Author: IPAuthorAutomation,
			Kinds: []IPKind{IPSubnet, IPCountry}, EventTypes: []IPEventType{IPEventBruteForce, IPEventBOLA}, Country: "NL",
			Datacenter: "aws", ProxyType: ProxyVPN, Reason: "scan", Query: "203.0", UniqueSubnets: true, TriggeredDetectors: "x",
			Time: Between(time.Unix(1755700000, 0), time.Unix(1755786400, 0)),
		})
	})
	_ = fixture(ipListsCreateRule, func(ctx context.Context, c *Client) (any, error) {
		return c.IPLists.CreateRule(ctx, NewIPRule{
			List: Graylist, Values: Countries("AQ", "BV"), IPTerms: IPTerms{Reason: "no customers there", ExpiresAt: Forever},
		}, false)
	})
	_ = fixture(ipListsUpdateRule, func(ctx context.Context, c *Client) (any, error) {
		return c.IPLists.UpdateRule(ctx, 4455001, IPRuleUpdate{
			ExpiresAt: Set(Forever), Reason: Set(""), EventType: Set(IPEventBruteForce),
		})
	})
	_ = fixture(ipListsDeleteRule, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.IPLists.DeleteRule(ctx, 4455001)
	})
	_ = fixture(ipListsDeleteRules, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.IPLists.DeleteRules(ctx, []int64{4455001, 4455002})
	})
	_ = fixture(ipListsCreateRules, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.IPLists.CreateRules(ctx, []NewIPRule{
			{List: Denylist, Values: Addresses("203.0.113.7"), IPTerms: IPTerms{Reason: "scan", ExpiresAt: Forever}},
			{
				List: APIAbuseExceptions, Values: Proxies(ProxyTor, ProxyVPN), EventType: IPEventBruteForce, TriggerID: 7,
				IPTerms: IPTerms{ExpiresAt: Forever, ApplicationIDs: []int64{DefaultApplication, 42}},
			},
		}, false)
	})
	_ = fixture(ipListsCreateRulesV5, func(ctx context.Context, c *Client) (any, error) {
		return c.IPLists.CreateRulesV5(ctx, Allowlist, []NewIPRule{
			{Values: Addresses("2001:db8::/32"), IPTerms: IPTerms{Reason: "office", ExpiresAt: Forever}},
			{Values: Datacenters("AWS"), IPTerms: forever},
		}, false)
	})
	_ = fixture(ipListsHistory, func(ctx context.Context, c *Client) (any, error) {
		return c.IPLists.History(ctx, DenyHistoryFilter{
			Time: Between(time.Unix(1755700000, 0), time.Unix(1755786400, 0)), IP: "203.0.113.7",
			ApplicationID: Set(AllApplications), AttackDelay: 10 * time.Minute,
		}, PageOptions{Limit: 1000, Cursor: "xyz"})
	})
	_ = fixture(ipListsEvents, func(ctx context.Context, c *Client) (any, error) {
		return c.IPLists.Events(ctx, DenyEventFilter{
			Time:  Between(time.Unix(1755700000, 0), time.Unix(1755786400, 0)),
			Types: []DenyEventType{DenyEventBlock, DenyEventUnblock}, AlwaysContinuation: true,
		}, PageOptions{})
	})
)

func TestIPValues(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.7":            "203.0.113.7",
		" 203.0.113.7/32 ":       "203.0.113.7",
		"198.51.100.0/24":        "198.51.100.0/24",
		"::ffff:203.0.113.7":     "203.0.113.7",
		"::ffff:203.0.113.7/128": "203.0.113.7",
		"2001:DB8:0:0::1":        "2001:db8::1",
		"2001:db8::1/128":        "2001:db8::1",
		"2001:db8::/32":          "2001:db8::/32",
		"subnet:203.0.113.7":     "203.0.113.7",
		"country:nl":             "country:NL",
		"datacenter:AWS":         "datacenter:aws",
		"proxy:tor":              "proxy:TOR",
	} {
		v, err := ParseIPValue(text)
		require.NoError(t, err, text)
		require.Equal(t, want, v.String())
		again, err := ParseIPValue(v.String())
		require.NoError(t, err)
		require.Equal(t, v, again)
	}
	for _, text := range []string{
		"", "203.0.113", "203.0.113.7/33", "203.0.113.7-203.0.113.9", "fe80::1%eth0", "example.com", "country:NLD", "country:1A", "proxy:",
		"203.0.113.7/", "203.0.113.07", "country:", "198.51.100.9/24", "2001:db8:1::/32",
		"::ffff:0:0/96", "::ffff:0.0.0.0/97", "::ffff:203.0.113.0/120", "::ffff:203.0.113.6/127", "::ffff:0:0/95",
	} {
		_, err := ParseIPValue(text)
		require.ErrorIs(t, err, ErrInvalidArgument, text)
	}
}

// TestMappedSubnetIsRefused: of a feed it would make an entry for every IPv4 address.
func TestMappedSubnetIsRefused(t *testing.T) {
	_, err := ParseIPValue("::ffff:0:0/96")
	require.EqualError(t, err, "wallarm: invalid subnet: ::ffff:0:0/96 is an IPv4 subnet in the form of IPv6: "+
		"write it as an IPv4 prefix, such as 198.51.100.0/24")
	client, server := newTestClient(t, answerJSON(`{"status":200}`))
	_, err = client.IPLists.Deny(t.Context(), []string{"::ffff:0:0/96"}, forever)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.IPLists.PlanSync(t.Context(), Denylist, Wanted(Addresses("::ffff:0:0/96")...), SyncOptions{IPTerms: forever})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.IPLists.CreateRule(t.Context(), NewIPRule{List: Denylist, Values: Addresses("::ffff:0:0/96"), IPTerms: forever}, false)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Empty(t, server.requests())
}

func TestIPListWords(t *testing.T) {
	for want, words := range map[IPList][]string{
		Denylist: {"deny", "Denylist", "block", "black", "blacklist"}, Allowlist: {"allow", "white", "whitelist"}, Graylist: {"gray", "greylist "},
		APIAbuseExceptions: {"api_abuse_exceptions"},
	} {
		for _, word := range words {
			list, err := ParseIPList(word)
			require.NoError(t, err)
			require.Equal(t, want, list)
		}
	}
	_, err := ParseIPList("list")
	require.ErrorIs(t, err, ErrInvalidArgument)

	var entry IPEntry
	require.NoError(t, json.Unmarshal([]byte(`{"list":"block","rule_type":"location","values":["aq"],"expired_at":0}`), &entry))
	require.Equal(t, Denylist, entry.List)
	require.Equal(t, Countries("AQ"), entry.IPValues())
	require.True(t, entry.IsForever())
	var rule IPRule
	require.NoError(t, json.Unmarshal([]byte(`{"list":"tomorrow","rule_type":"ip_range","subnet":"203.0.113.7/32","expired_at":"1756304800"}`), &rule))
	require.Equal(t, IPList("tomorrow"), rule.List)
	require.Equal(t, Addresses("203.0.113.7"), rule.IPValues())
	require.False(t, rule.IsForever())
	encoded, err := json.Marshal(rule)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"rule_type":"ip_range"`)
}

func TestIPListArgumentsAreChecked(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{}`))
	ctx, lists := t.Context(), client.IPLists
	add := func(list IPList, values []IPValue, terms IPTerms) error {
		_, err := lists.Add(ctx, NewIPEntries{List: list, Values: values, IPTerms: terms})
		return err
	}
	create := func(rule NewIPRule) error {
		_, err := lists.CreateRule(ctx, rule, false)
		return err
	}
	address := Addresses("203.0.113.7")
	for name, call := range map[string]func() error{
		"no list":         func() error { return add("", address, forever) },
		"list of v4 only": func() error { return add(APIAbuseExceptions, address, forever) },
		"no values":       func() error { return add(Denylist, nil, forever) },
		"bad address":     func() error { return add(Denylist, Addresses("example.com"), forever) },
		"no kind":         func() error { return add(Denylist, []IPValue{{Value: "x"}}, forever) },
		"no expiry":       func() error { return add(Denylist, address, IPTerms{}) },
		"past expiry":     func() error { return add(Denylist, address, IPTerms{ExpiresAt: time.Unix(1, 0)}) },
		"all and one": func() error {
			return add(Denylist, address, IPTerms{ExpiresAt: Forever, ApplicationIDs: []int64{0, 7}})
		},
		"empty applications": func() error { return add(Denylist, address, IPTerms{ExpiresAt: Forever, ApplicationIDs: []int64{}}) },
		"rule of no application": func() error {
			return create(NewIPRule{List: Denylist, Values: address, IPTerms: IPTerms{ExpiresAt: Forever, ApplicationIDs: []int64{}}})
		},
		"no application":       func() error { return add(Denylist, address, IPTerms{ExpiresAt: Forever, ApplicationIDs: []int64{-2}}) },
		"deny nothing":         func() error { _, err := lists.Deny(ctx, nil, forever); return err },
		"allow without expiry": func() error { _, err := lists.Allow(ctx, []string{"203.0.113.7"}, IPTerms{}); return err },
		"gray without address": func() error { _, err := lists.Gray(ctx, []string{""}, forever); return err },
		"list in order":        func() error { _, err := lists.List(ctx, IPFilter{}, PageOptions{OrderBy: "id"}); return err },
		"list of exceptions":   func() error { _, err := lists.List(ctx, IPFilter{List: APIAbuseExceptions}, PageOptions{}); return err },
		"remove nothing":       func() error { return lists.Remove(ctx, IPSubnet, nil) },
		"remove no id":         func() error { return lists.Remove(ctx, IPSubnet, []int64{0}) },
		"remove no kind":       func() error { return lists.Remove(ctx, "", []int64{1}) },
		"remove no value":      func() error { _, err := lists.RemoveValues(ctx, Denylist, nil); return err },
		"remove bad value":     func() error { _, err := lists.RemoveValues(ctx, Denylist, Addresses("x")); return err },
		"remove from no list":  func() error { _, err := lists.RemoveValues(ctx, "", address); return err },
		"delete no rule":       func() error { return lists.DeleteRule(ctx, 0) },
		"delete no rules":      func() error { return lists.DeleteRules(ctx, nil) },
		"delete rule 0":        func() error { return lists.DeleteRules(ctx, []int64{1, 0}) },
		"update nothing":       func() error { _, err := lists.UpdateRule(ctx, 1, IPRuleUpdate{}); return err },
		"update to the past": func() error {
			_, err := lists.UpdateRule(ctx, 1, IPRuleUpdate{ExpiresAt: Set(time.Unix(1, 0))})
			return err
		},
		"update to no expiry": func() error {
			_, err := lists.UpdateRule(ctx, 1, IPRuleUpdate{ExpiresAt: Null[time.Time]()})
			return err
		},
		"update to no event": func() error {
			_, err := lists.UpdateRule(ctx, 1, IPRuleUpdate{EventType: Set(IPEventType(""))})
			return err
		},
		"two addresses in one": func() error {
			return create(NewIPRule{List: Denylist, Values: Addresses("203.0.113.7", "203.0.113.8"), IPTerms: forever})
		},
		"two kinds in one": func() error {
			return create(NewIPRule{List: Denylist, Values: append(Countries("NL"), Proxies("TOR")...), IPTerms: forever})
		},
		"event type in one": func() error {
			return create(NewIPRule{List: Denylist, Values: address, IPTerms: forever, EventType: IPEventBOLA})
		},
		"no value in one": func() error { return create(NewIPRule{List: Denylist, IPTerms: forever}) },
		"negative trigger": func() error {
			return create(NewIPRule{List: Denylist, Values: address, IPTerms: forever, TriggerID: -1})
		},
		"negative trigger in bulk": func() error {
			return lists.CreateRules(ctx, []NewIPRule{{List: Denylist, Values: address, IPTerms: forever, TriggerID: -1}}, true)
		},
		"bulk of nothing": func() error { return lists.CreateRules(ctx, nil, true) },
		"v5 of nothing":   func() error { _, err := lists.CreateRulesV5(ctx, Denylist, nil, true); return err },
		"filter of rule 0": func() error {
			_, err := lists.CountRules(ctx, IPRuleFilter{IDs: []int64{1, 0}})
			return err
		},
		"filter of all but rule -1": func() error {
			_, err := lists.ListRules(ctx, IPRuleFilter{NotIDs: []int64{-1}}, PageOptions{})
			return err
		},
		"rules in order": func() error { _, err := lists.ListRules(ctx, IPRuleFilter{}, PageOptions{OrderBy: "id"}); return err },
		"rules in a direction": func() error {
			_, err := lists.ListRules(ctx, IPRuleFilter{}, PageOptions{Order: Descending})
			return err
		},
		"history in order": func() error {
			_, err := lists.History(ctx, DenyHistoryFilter{}, PageOptions{OrderBy: "time"})
			return err
		},
		"events in a direction": func() error {
			_, err := lists.Events(ctx, DenyEventFilter{}, PageOptions{Order: Ascending})
			return err
		},
		"history of two spans": func() error {
			span := Between(time.Unix(1, 0), time.Unix(2, 0))
			_, err := lists.History(ctx, DenyHistoryFilter{Time: span.Or(span)}, PageOptions{})
			return err
		},
		"parts of a second": func() error {
			_, err := lists.History(ctx, DenyHistoryFilter{AttackDelay: 1500 * time.Millisecond}, PageOptions{})
			return err
		},
		"a negative delay": func() error {
			_, err := lists.History(ctx, DenyHistoryFilter{AttackDelay: -time.Second}, PageOptions{})
			return err
		},
		"two lists in v5": func() error {
			_, err := lists.CreateRulesV5(ctx, Denylist, []NewIPRule{{List: Graylist, Values: address, IPTerms: forever}}, true)
			return err
		},
		"two spans": func() error {
			span := Between(time.Unix(1, 0), time.Unix(2, 0))
			_, err := lists.ListRules(ctx, IPRuleFilter{Time: span.Or(span)}, PageOptions{})
			return err
		},
		"page of v4": func() error { _, err := lists.ListRules(ctx, IPRuleFilter{}, PageOptions{Limit: 301}); return err },
		"empty sync": func() error { _, err := lists.PlanSync(ctx, Denylist, nil, SyncOptions{IPTerms: forever}); return err },
		"sync without terms": func() error {
			_, err := lists.PlanSync(ctx, Denylist, Wanted(address...), SyncOptions{})
			return err
		},
		"sync of another kind": func() error {
			_, err := lists.PlanSync(ctx, Denylist, Wanted(address...), SyncOptions{IPTerms: forever, Kinds: []IPKind{IPCountry}})
			return err
		},
		"sync twice": func() error {
			wanted := append(Wanted(address...), WantedIP{address[0], &IPTerms{Reason: "other", ExpiresAt: Forever}})
			_, err := lists.PlanSync(ctx, Denylist, wanted, SyncOptions{IPTerms: forever})
			return err
		},
		"no plan":        func() error { _, err := lists.Apply(ctx, nil); return err },
		"another's plan": func() error { _, err := lists.Apply(ctx, &SyncPlan{ClientID: 1, List: Denylist}); return err },
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.ErrorContains(t, create(NewIPRule{List: Denylist, Values: Addresses("x"), IPTerms: forever}), `"x"`, "the bad value is named")
	require.Empty(t, server.requests())
}

// manyAddresses returns n addresses.
func manyAddresses(n int) []string {
	addresses := make([]string, n)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("2001:db8::%x", i+1)
	}
	return addresses
}

func TestManyAddressesInFewCalls(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{"status":200}`))
	n, err := client.IPLists.Deny(t.Context(), manyAddresses(2500), forever)
	require.NoError(t, err)
	require.Equal(t, 2500, n)
	var sent []string
	for _, request := range server.requests() {
		var body accessRules
		require.NoError(t, json.Unmarshal(request.Body, &body))
		require.Len(t, body.Rules, 1)
		sent = append(sent, body.Rules[0].Values...)
	}
	require.Len(t, server.requests(), 3)
	require.Equal(t, manyAddresses(2500), sent)

	ids := make([]int64, 1001)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	require.NoError(t, client.IPLists.Remove(t.Context(), IPSubnet, ids))
	require.Len(t, server.requests(), 5)
}

func TestAddStopsAtTheCallThatFails(t *testing.T) {
	calls := 0
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 2 {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"status":409,"body":"Conflict"}`))
		}
	})
	n, err := client.IPLists.Deny(t.Context(), manyAddresses(2500), forever)
	require.ErrorIs(t, err, ErrConflict)
	require.Equal(t, 1000, n)
	require.Equal(t, 2, calls)
}

// TestForceIsRepeatable checks the calls whose replay class depends on an argument.
func TestForceIsRepeatable(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		WithDefaults(WithRetries(1)))
	ctx := t.Context()
	rule := NewIPRule{List: Denylist, Values: Addresses("203.0.113.7"), IPTerms: forever}
	for name, call := range map[string]func(force bool) error{
		"add": func(force bool) error {
			_, err := client.IPLists.Add(ctx, NewIPEntries{List: Denylist, Values: rule.Values, IPTerms: forever, Force: force})
			return err
		},
		"create": func(force bool) error { _, err := client.IPLists.CreateRule(ctx, rule, force); return err },
		"bulk":   func(force bool) error { return client.IPLists.CreateRules(ctx, []NewIPRule{rule}, force) },
		"v5": func(force bool) error {
			_, err := client.IPLists.CreateRulesV5(ctx, Denylist, []NewIPRule{rule}, force)
			return err
		},
	} {
		for _, force := range []bool{false, true} {
			before := len(server.requests())
			require.ErrorIs(t, call(force), ErrServer, name)
			want := 1
			if force {
				want = 2
			}
			require.Equal(t, want, len(server.requests())-before, "%s with force %v", name, force)
		}
	}
	require.Equal(t, once, ipListsAdd.replay, "a call must not change the operation of the others")
}

func TestLoneMissingEntryCountsAsRemoved(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	require.NoError(t, client.IPLists.Remove(t.Context(), IPSubnet, []int64{1}))
	require.ErrorIs(t, client.IPLists.Remove(t.Context(), IPSubnet, []int64{1, 2}), ErrNotFound)
}

// entryList answers with the entries of a JSON list.
func entryList(t *testing.T, entries string) (*Client, *answerer) {
	t.Helper()
	var all []json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(entries), &all))
	return newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		page, _ := json.Marshal(all[min(offset, len(all)):])
		_, _ = fmt.Fprintf(w, `{"body":{"objects":%s}}`, page)
	})
}

// TestKeptTermsStayInEveryEntry: a value may stand in one entry for each of two applications.
func TestKeptTermsStayInEveryEntry(t *testing.T) {
	for name, test := range map[string]struct {
		entries      string
		keepTerms    bool
		keep, remove int
	}{
		"whole entries": {`[{"id":1,"list":"block","rule_type":"subnet","values":["203.0.113.7"],"application_ids":[5],"expired_at":33223139044},
			{"id":2,"list":"block","rule_type":"subnet","values":["203.0.113.7/32"],"application_ids":[6],"expired_at":33223139044}]`, true, 2, 0},
		"parts of entries": {`[{"id":1,"list":"block","rule_type":"subnet","values":["203.0.113.7","203.0.113.8"],"application_ids":[5],"expired_at":33223139044},
			{"id":2,"list":"block","rule_type":"subnet","values":["203.0.113.7","203.0.113.9"],"application_ids":[6],"expired_at":33223139044}]`, true, 2, 2},
		"other terms": {`[{"id":1,"list":"block","rule_type":"subnet","values":["203.0.113.7"],"application_ids":[0],"expired_at":33223139044},
			{"id":2,"list":"block","rule_type":"subnet","values":["203.0.113.7"],"application_ids":[6],"expired_at":33223139044}]`, false, 1, 1},
	} {
		client, _ := entryList(t, test.entries)
		plan, err := client.IPLists.PlanSync(t.Context(), Denylist, Wanted(Addresses("203.0.113.7")...),
			SyncOptions{IPTerms: IPTerms{ExpiresAt: Forever}, KeepTerms: test.keepTerms})
		require.NoError(t, err, name)
		require.Equal(t, []int{0, 0, test.remove, test.keep}, []int{len(plan.Add), len(plan.Update), len(plan.Remove), len(plan.Keep)}, "%s: %s", name, plan)
		require.Equal(t, test.remove == 0, plan.IsEmpty(), name)
	}
}

// TestEntriesOfTwoKindsMayShareAnID: the route that removes them takes kinds and ids.
func TestEntriesOfTwoKindsMayShareAnID(t *testing.T) {
	client, server := entryList(t, `[
		{"id":1,"list":"block","rule_type":"location","values":["AQ","BV"],"application_ids":[0],"expired_at":33223139044},
		{"id":1,"list":"block","rule_type":"subnet","values":["203.0.113.7"],"application_ids":[0],"expired_at":33223139044}]`)
	entries := 0
	for _, err := range client.IPLists.All(t.Context(), IPFilter{}) {
		require.NoError(t, err)
		entries++
	}
	require.Equal(t, 2, entries)
	before := len(server.requests())
	n, err := client.IPLists.RemoveValues(t.Context(), Denylist, append(Countries("AQ"), Addresses("203.0.113.7")...))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	var sent []string
	for _, r := range server.requests()[before:] {
		if r.Method != http.MethodGet {
			sent = append(sent, r.Method+" "+string(r.Body))
		}
	}
	require.Equal(t, []string{
		`DELETE {"rules":[{"rule_type":"location","ids":[1]}]}`,
		`POST {"list":"block","force":true,"reason":"","application_ids":[0],"expired_at":33223139044,"rules":[{"rules_type":"location","values":["BV"]}]}`,
		`DELETE {"rules":[{"rule_type":"subnet","ids":[1]}]}`,
	}, sent, "what stays of one comes back, and each goes by itself")
}

// TestEntriesOfAnotherClientStay: their ids may be those of other entries of the client that the call is for.
func TestEntriesOfAnotherClientStay(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{"status":200}`))
	own, foreign := IPEntry{ID: 1, Kind: IPSubnet, ClientID: 4711}, IPEntry{ID: 2, Kind: IPSubnet, ClientID: 5150}
	require.ErrorIs(t, client.IPLists.RemoveEntries(t.Context(), []IPEntry{own, foreign}), ErrInvalidArgument)
	require.ErrorIs(t, client.IPLists.RemoveEntries(t.Context(), []IPEntry{own}, WithClientID(5150)), ErrInvalidArgument)
	require.Empty(t, server.requests())
	require.NoError(t, client.IPLists.RemoveEntries(t.Context(), []IPEntry{own, {ID: 3, Kind: IPSubnet}}))
	require.NoError(t, client.IPLists.RemoveEntries(t.Context(), []IPEntry{foreign}, WithClientID(5150)))
	require.Len(t, server.requests(), 2)
}

func TestContinuationEndsWithAnEmptyPageOrTheSamePlace(t *testing.T) {
	for name, answers := range map[string][]string{
		"empty page": {
			`{"body":{"objects":[{"ip":"203.0.113.1"}],"continuation":"a"}}`, `{"body":{"objects":[],"continuation":"b"}}`,
		},
		"same place": {
			`{"body":{"objects":[{"ip":"203.0.113.1"}],"continuation":"a"}}`, `{"body":{"objects":[],"continuation":"a"}}`,
		},
		"null": {`{"body":{"objects":[{"ip":"203.0.113.1"}],"continuation":null}}`},
		"none": {`{"body":{"objects":[{"ip":"203.0.113.1"}]}}`},
	} {
		for _, options := range [][]CallOption{nil, {NoPrefetch()}, {Concurrency(4)}} {
			n := 0
			client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
				answer := answers[min(n, len(answers)-1)]
				n++
				answerJSON(answer)(w, r)
			})
			var found []string
			for record, err := range client.IPLists.AllEvents(t.Context(), DenyEventFilter{AlwaysContinuation: true}, options...) {
				require.NoError(t, err, name)
				found = append(found, record.IP)
			}
			require.Equal(t, []string{"203.0.113.1"}, found, name)
			require.Equal(t, len(answers), n, name)
		}
	}
	client, _ := newTestClient(t, answerJSON(`{"body":{"objects":[],"continuation":"z"}}`))
	page, err := client.IPLists.Events(t.Context(), DenyEventFilter{AlwaysContinuation: true}, PageOptions{})
	require.NoError(t, err)
	require.False(t, page.More)
	require.Equal(t, "z", page.Next.Cursor, "the place to ask for later changes from")
}

// TestEntryWithoutTermsStays: its other values could not be added again as they were, but for ever, for all applications or in force.
func TestEntryWithoutTermsStays(t *testing.T) {
	for members, removable := range map[string]bool{
		`"expired_at":0,"application_ids":[0]`:                               true,
		`"expired_at":33223139044,"application_ids":[7]`:                     true,
		`"application_ids":[0]`:                                              false,
		`"expired_at":null,"application_ids":[0]`:                            false,
		`"expired_at":33223139044`:                                           false,
		`"expired_at":33223139044,"application_ids":null`:                    false,
		`"expired_at":33223139044,"application_ids":[-7]`:                    false,
		`"expired_at":33223139044,"application_ids":[]`:                      false,
		`"expired_at":-5,"application_ids":[0]`:                              false,
		`"expired_at":33223139044,"application_ids":[0],"status":"enabled"`:  true,
		`"expired_at":33223139044,"application_ids":[0],"status":"Active"`:   true,
		`"expired_at":33223139044,"application_ids":[0],"status":null`:       true,
		`"expired_at":33223139044,"application_ids":[0],"status":"disabled"`: false,
		`"expired_at":33223139044,"application_ids":[0],"status":"pending"`:  false,
	} {
		changes := 0
		client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				changes++
			}
			if r.URL.Query().Get("offset") == "0" {
				_, _ = fmt.Fprintf(w, `{"body":{"objects":[{"id":1,"list":"block","rule_type":"location","values":["AQ","BV"],%s}]}}`, members)
				return
			}
			_, _ = w.Write([]byte(`{"body":{"objects":[]}}`))
		})
		n, err := client.IPLists.RemoveValues(t.Context(), Denylist, Countries("AQ"))
		if removable {
			require.NoError(t, err, members)
			require.Equal(t, []int{1, 2}, []int{n, changes}, members)
			continue
		}
		require.Error(t, err, members)
		require.Equal(t, []int{0, 0}, []int{n, changes}, members)
	}
}

func TestRemovalSearchesForFewAddresses(t *testing.T) {
	few := removalFilters(Denylist, Addresses("203.0.113.7", "198.51.100.0/24"))
	require.Equal(t, []IPFilter{
		{List: Denylist, Kinds: []IPKind{IPSubnet}, Query: "203.0.113.7"}, {List: Denylist, Kinds: []IPKind{IPSubnet}, Query: "198.51.100.0"},
	}, few)
	require.Equal(t, []IPFilter{{List: Denylist, Kinds: []IPKind{IPSubnet}}}, removalFilters(Denylist, Addresses("203.0.113.7", "2001:db8::1")))
	require.Equal(t, []IPFilter{{List: Denylist, Kinds: []IPKind{IPCountry, IPSubnet}}},
		removalFilters(Denylist, append(Addresses("203.0.113.7"), Countries("NL")...)))
	nine := slices.Repeat(Addresses("203.0.113.7"), 9)
	require.Len(t, removalFilters(Denylist, nine), 1)
	require.True(t, slices.IsSorted(kindsOf(map[IPValue]IPTerms{{IPSubnet, "x"}: {}, {IPCountry, "y"}: {}})))
}

// TestWhatStaysComesBackBatchByBatch: of more entries than one call removes, the rest of the first ones is not out of the list for longer than needed.
func TestWhatStaysComesBackBatchByBatch(t *testing.T) {
	methods := ""
	client := echoing(t, Token("test-token-batches"), func(r *http.Request) (int, http.Header, string) {
		methods += r.Method + " "
		return 200, http.Header{}, `{"status":200,"body":[]}`
	})
	plan := &SyncPlan{List: Denylist, ClientID: 1}
	for i := range ipBatch + 1 {
		goes, stays := fmt.Sprintf("203.0.%d.%d", i/256, i%256), fmt.Sprintf("198.51.%d.%d", i/256, i%256)
		entry := &IPEntry{
			ID: int64(i + 1), List: Denylist, Kind: IPSubnet, Values: []string{goes, stays}, ExpiresAt: At(Forever), ApplicationIDs: []int64{AllApplications},
		}
		plan.Remove = append(plan.Remove, SyncEntry{IPValue: Addresses(goes)[0], Current: entry})
	}
	result, err := client.IPLists.Apply(t.Context(), plan)
	require.NoError(t, err)
	require.Equal(t, len(plan.Remove), result.Removed)
	require.Equal(t, "DELETE POST DELETE POST ", methods)
}

// TestApplicationsAreCompared: AllApplications beside others is all of them, as an empty list is, and the order says nothing.
func TestApplicationsAreCompared(t *testing.T) {
	for _, test := range []struct {
		held   string
		wanted []int64
		same   bool
	}{
		{"[0]", nil, true},
		{"[0,7]", nil, true},
		{"[0,7]", []int64{AllApplications}, true},
		{"[7]", nil, false},
		{"[0,7]", []int64{7}, false},
		{"[7,8]", []int64{8, 7}, true},
		{"[7,8]", []int64{7}, false},
	} {
		client, _ := entryList(t, `[{"id":1,"list":"block","rule_type":"subnet","values":["203.0.113.7"],"application_ids":`+test.held+`,"expired_at":33223139044}]`)
		plan, err := client.IPLists.PlanSync(t.Context(), Denylist, Wanted(Addresses("203.0.113.7")...),
			SyncOptions{IPTerms: IPTerms{ExpiresAt: Forever, ApplicationIDs: test.wanted}})
		require.NoError(t, err)
		require.Equal(t, test.same, plan.IsEmpty(), "%s held, %v wanted: %s", test.held, test.wanted, plan)
	}
}

// TestPlansAreInOrder: by kind, addresses by number.
func TestPlansAreInOrder(t *testing.T) {
	client, _ := entryList(t, `[]`)
	values := append(Addresses("10.0.0.1", "2001:db8::1", "9.0.0.1", "100.0.0.0/24", "100.0.0.0/8"), Proxies("VPN")...)
	plan, err := client.IPLists.PlanSync(t.Context(), Denylist, Wanted(append(values, Countries("NL", "AQ")...)...), SyncOptions{IPTerms: forever})
	require.NoError(t, err)
	var texts []string
	for _, e := range plan.Add {
		texts = append(texts, e.IPValue.String())
	}
	require.Equal(t, []string{
		"country:AQ", "country:NL", "proxy:VPN", "9.0.0.1", "10.0.0.1", "100.0.0.0/8", "100.0.0.0/24", "2001:db8::1",
	}, texts)
}

// changesSent returns what was sent to change lists.
func changesSent(server *answerer) (sent []string) {
	for _, r := range server.requests() {
		if r.Method != http.MethodGet {
			sent = append(sent, r.Method+" "+string(r.Body))
		}
	}
	return sent
}

// TestPlanMadeByHand: entries to update and to keep need no Current.
func TestPlanMadeByHand(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{"status":200}`))
	values := Addresses("203.0.113.7", "203.0.113.8")
	result, err := client.IPLists.Apply(t.Context(), &SyncPlan{
		ClientID: 4711, List: Denylist, Update: []SyncEntry{{values[0], forever, nil, ""}}, Keep: []SyncEntry{{values[1], forever, nil, ""}},
	})
	require.NoError(t, err)
	require.Equal(t, 1, result.Updated)
	require.Equal(t, []string{
		`POST {"list":"block","force":true,"reason":"","application_ids":[0],"expired_at":33223139044,"rules":[{"rules_type":"subnet","values":["203.0.113.7"]}]}`,
	}, changesSent(server))
}

// TestSecondEntryGoesBeforeItsValueIsAdded: removed after it, it might take the value along.
func TestSecondEntryGoesBeforeItsValueIsAdded(t *testing.T) {
	client, server := entryList(t, `[
		{"id":1,"list":"block","rule_type":"subnet","values":["203.0.113.7"],"application_ids":[5],"expired_at":33223139044},
		{"id":2,"list":"block","rule_type":"subnet","values":["203.0.113.7"],"application_ids":[6],"expired_at":33223139044},
		{"id":3,"list":"block","rule_type":"subnet","values":["203.0.113.9"],"application_ids":[0],"expired_at":33223139044}]`)
	_, err := client.IPLists.Sync(t.Context(), Denylist, Wanted(Addresses("203.0.113.7")...), SyncOptions{IPTerms: forever})
	require.NoError(t, err)
	require.Equal(t, []string{
		`DELETE {"rules":[{"rule_type":"subnet","ids":[2]}]}`,
		`POST {"list":"block","force":true,"reason":"","application_ids":[0],"expired_at":33223139044,"rules":[{"rules_type":"subnet","values":["203.0.113.7"]}]}`,
		`DELETE {"rules":[{"rule_type":"subnet","ids":[3]}]}`,
	}, changesSent(server))
}

// TestRemoveValuesReadsWithCare: a search may answer with entries of another list, and two searches with the same entry.
func TestRemoveValuesReadsWithCare(t *testing.T) {
	client, server := entryList(t, `[
		{"id":1,"list":"allow","rule_type":"subnet","values":["203.0.113.7"],"application_ids":[0],"expired_at":33223139044}]`)
	n, err := client.IPLists.RemoveValues(t.Context(), Denylist, Addresses("203.0.113.7"))
	require.NoError(t, err)
	require.Zero(t, n)
	require.Empty(t, changesSent(server))

	client, server = entryList(t, `[
		{"id":1,"list":"block","rule_type":"subnet","values":["203.0.113.7","203.0.113.8"],"application_ids":[0],"expired_at":33223139044}]`)
	n, err = client.IPLists.RemoveValues(t.Context(), Denylist, Addresses("203.0.113.7", "203.0.113.8"))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, []string{`DELETE {"rules":[{"rule_type":"subnet","ids":[1]}]}`}, changesSent(server))
}

// TestRestOfAnEntryForAllApplications: AllApplications beside others, as answers may have it, is refused in what is added.
func TestRestOfAnEntryForAllApplications(t *testing.T) {
	client, server := entryList(t, `[
		{"id":1,"list":"block","rule_type":"location","values":["AQ","BV"],"application_ids":[0,7],"expired_at":33223139044}]`)
	n, err := client.IPLists.RemoveValues(t.Context(), Denylist, Countries("AQ"))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, []string{
		`DELETE {"rules":[{"rule_type":"location","ids":[1]}]}`,
		`POST {"list":"block","force":true,"reason":"","application_ids":[0],"expired_at":33223139044,"rules":[{"rules_type":"location","values":["BV"]}]}`,
	}, changesSent(server))
}

// TestRestThatExpiresMeanwhileIsNotLost: what has run out while its entry was removed is no more in the list, and would be refused.
func TestRestThatExpiresMeanwhileIsNotLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		client, err := New(US, Token("test-token-lists"), WithDefaultClientID(4711), WithRoundTripper(roundTripper(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, r.Method)
			time.Sleep(10 * time.Second)
			return stubTransport{`{"status":200}`}.RoundTrip(r)
		})))
		require.NoError(t, err)
		entry := &IPEntry{ID: 1, List: Denylist, Kind: IPCountry, Values: []string{"AQ", "BV"}, ApplicationIDs: []int64{0}, ExpiresAt: At(Forever)}
		values := entry.IPValues()
		_, err = client.IPLists.Apply(t.Context(), &SyncPlan{
			ClientID: 4711, List: Denylist, Remove: []SyncEntry{{values[0], entry.Terms(), entry, ""}},
			Update: []SyncEntry{{values[1], IPTerms{ExpiresAt: time.Now().Add(5 * time.Second)}, entry, ""}},
		})
		require.NoError(t, err)
		require.Equal(t, []string{http.MethodDelete}, sent)
	})
}

// TestListNamesItsKinds: without any, whether the answer holds all of them is not known.
func TestListNamesItsKinds(t *testing.T) {
	client, server := entryList(t, `[]`)
	_, err := client.IPLists.List(t.Context(), IPFilter{}, PageOptions{})
	require.NoError(t, err)
	kinds := 0
	for name, values := range server.requests()[0].Query {
		if strings.Contains(name, "rule_type") {
			kinds += len(values)
		}
	}
	require.Equal(t, 4, kinds)
	_, err = client.IPLists.Add(t.Context(), NewIPEntries{List: Denylist, Values: Addresses("203.0.113.7")})
	require.ErrorContains(t, err, "it is not set", "the zero time is no time that has passed")
}
