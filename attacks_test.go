package wallarm

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// The times and ids that the fixtures of attacks and hits use.
var (
	fixtureStart    = time.Unix(1785542400, 0)
	fixtureDay      = Between(fixtureStart, time.Unix(1785628800, 0))
	fixtureAttackID = EventID{Index: "attacks_production_4711_202608_v_1", Doc: "Zz81"}
	fixtureHitID    = EventID{Index: "hits_production_4711_202608_v_1", Doc: "Kf93-aa"}
	oneAttack       = AttackFilter{AttackIDs: []EventID{fixtureAttackID}}
)

const fixtureRequestID = "5f0c9d7e2b1a4c3d8e6f708192a3b4c5"

var _ = fixture(attacksList, func(ctx context.Context, c *Client) (any, error) {
	return c.Attacks.List(ctx, AttackFilter{
		Time: fixtureDay, Types: []AttackType{AttackSQLi, AttackXSS}, ApplicationIDs: []int64{-1}, AttackIDs: []EventID{fixtureAttackID},
		VulnIDs: Null[[]int64](), Experimental: Set(false),
		Not: &AttackFilter{State: Set(MarkStates{FalsePositive}), Types: []AttackType{AttackWarn}},
	}, PageOptions{Limit: 1000, Offset: 2000, OrderBy: "hits", Order: Ascending})
})

var _ = fixture(attacksListByCursor, func(ctx context.Context, c *Client) (any, error) {
	return c.Attacks.ListByCursor(ctx, AttackFilter{
		Time: Since(fixtureStart), VulnIDs: Null[[]int64](),
		Not: &AttackFilter{Types: []AttackType{AttackWarn}, State: Set(MarkStates{FalsePositive})},
	}, PageOptions{Cursor: "c2VhcmNoX2FmdGVy"})
})

var _ = fixture(attacksCount, func(ctx context.Context, c *Client) (any, error) {
	return c.Attacks.Count(ctx, AttackFilter{Time: Since(fixtureStart), Not: &AttackFilter{Types: []AttackType{AttackWarn}}})
})

var _ = fixture(attacksIPs, func(ctx context.Context, c *Client) (any, error) { return c.Attacks.IPs(ctx, oneAttack) })

var _ = fixture(attacksVectors, func(ctx context.Context, c *Client) (any, error) { return c.Attacks.Vectors(ctx, oneAttack) })

var _ = fixture(attacksHitCount, func(ctx context.Context, c *Client) (any, error) {
	return c.Attacks.HitGraph(ctx, AttackFilter{Time: fixtureDay, AttackIDs: []EventID{fixtureAttackID}}, 4)
})

var _ = fixture(attacksIPCount, func(ctx context.Context, c *Client) (any, error) {
	return c.Attacks.IPGraph(ctx, AttackFilter{Time: fixtureDay, AttackIDs: []EventID{fixtureAttackID}}, 3)
})

var _ = fixture(attacksTerms, func(ctx context.Context, c *Client) (any, error) {
	return c.Attacks.Terms(ctx, AttackFilter{Time: Since(fixtureStart)}, []Term{TermDomain, TermType})
})

// jsonAnswer answers every request with status 200 and body.
func jsonAnswer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func TestAttackAddressesInAnObject(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"status":200,"body":{"IPs":["198.51.100.7","2001:db8::9"]}}`: {"198.51.100.7", "2001:db8::9"},
		`{"status":200,"body":{"IPs":"198.51.100.7"}}`:                 {"198.51.100.7"},
		`{"status":200,"body":null}`:                                   nil,
	} {
		client, _ := newTestClient(t, jsonAnswer(body))
		ips, err := client.Attacks.IPs(t.Context(), AttackFilter{})
		require.NoError(t, err, "null in place of a list is an empty one")
		require.Equal(t, want, ips)
	}
}

func TestNullVectorsAreNone(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, jsonAnswer(`{"status":200,"body":null}`))
	vectors, err := client.Attacks.Vectors(t.Context(), AttackFilter{})
	require.NoError(t, err)
	require.Empty(t, vectors)
}

func TestVulnerabilitiesOfAnAttack(t *testing.T) {
	t.Parallel()
	for member, want := range map[string]VulnIDs{
		`null`: nil, `[]`: {}, `""`: nil, `false`: nil, `90210`: {90210}, `"90210"`: {90210}, `[90210]`: {90210}, `[90210,90211]`: {90210, 90211}, `[null]`: {0}, `0`: {0},
	} {
		var attack Attack
		require.NoError(t, wire.Unmarshal([]byte(`{"vulnid":`+member+`}`), &attack), member)
		require.Equal(t, want, attack.VulnIDs, member)
		require.Equal(t, len(want) > 0 && want[0] > 0, attack.IsIncident(), member)
	}
	for want, ids := range map[string]VulnIDs{`null`: {}, `7`: {7}, `[7,8]`: {7, 8}} {
		data, err := wire.MarshalEcho(ids)
		require.NoError(t, err)
		require.Equal(t, want, string(data))
	}
}

// TestEventsWithoutAnIDAreNotTakenForEachOther: an iterator drops what it has yielded, and what has no id is not known to have been.
func TestEventsWithoutAnIDAreNotTakenForEachOther(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, jsonAnswer(`{"status":200,"body":[
		{"attackid":"i:a"},{"attackid":"i:b"},{"attackid":"i:a"},{"id":[]},{"id":[]},{"id":["i","c","1"]},{"id":["i","c","2"]}]}`))
	attacks, hits := 0, 0
	for _, err := range client.Attacks.All(t.Context(), AttackFilter{}) {
		require.NoError(t, err)
		attacks++
	}
	require.Equal(t, 6, attacks)
	for _, err := range client.Hits.All(t.Context(), HitFilter{}) {
		require.NoError(t, err)
		hits++
	}
	require.Equal(t, 7, hits)
}

func TestOddEventIDsSurvive(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]EventID{
		`["a","b","c",{"d":1}]`: {Index: "a", Doc: "b"}, `["b"]`: {Doc: "b"}, `"a:b:c"`: {Index: "a", Doc: "b:c"}, `"b"`: {Doc: "b"}, `[]`: {},
		`["a",5]`: {Index: "a", Doc: "5"},
	} {
		var id EventID
		require.NoError(t, wire.Unmarshal([]byte(in), &id), in)
		require.Equal(t, want.String(), id.String(), in)
		require.Equal(t, id.rest == "", id.Equal(want), in)
		if in == `["a",5]` {
			in = `["a","5"]`
		}
		out, err := wire.MarshalEcho(id)
		require.NoError(t, err)
		require.Equal(t, in, string(out))
	}
	for _, in := range []string{`null`, `false`, `[null,null]`} {
		var id EventID
		require.NoError(t, wire.Unmarshal([]byte(in), &id), in)
		require.True(t, id.IsZero(), in)
	}
	require.Error(t, wire.Unmarshal([]byte(`[["a"]]`), new(EventID)))
	var text, list EventID
	require.NoError(t, wire.Unmarshal([]byte(`"a:b"`), &text))
	require.NoError(t, wire.Unmarshal([]byte(`["a","b"]`), &list))
	require.True(t, text.Equal(list), "the form does not count")
}

func TestAttackArguments(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[]}`))
	ctx := t.Context()
	backwards := AttackFilter{Time: Between(time.Unix(2, 0), time.Unix(1, 0))}
	twice := AttackFilter{Not: &AttackFilter{Not: &AttackFilter{}}}
	for name, call := range map[string]func() error{
		"limit over the most": func() error {
			_, err := client.Attacks.List(ctx, AttackFilter{}, PageOptions{Limit: 1001})
			return err
		},
		"range that ends before it begins": func() error { _, err := client.Attacks.Count(ctx, backwards); return err },
		"not within not":                   func() error { _, err := client.Attacks.Count(ctx, twice); return err },
		"half an id": func() error {
			_, err := client.Attacks.IPs(ctx, AttackFilter{AttackIDs: []EventID{{Doc: "Zz81"}}})
			return err
		},
		"half an id member": func() error {
			_, err := client.Attacks.Count(ctx, AttackFilter{ID: EventID{Index: "a"}})
			return err
		},
		"no change since": func() error {
			_, err := client.Attacks.Count(ctx, AttackFilter{Not: &AttackFilter{ChangedSince: At(fixtureStart)}})
			return err
		},
		"order by cursor": func() error {
			_, err := client.Attacks.ListByCursor(ctx, AttackFilter{}, PageOptions{OrderBy: "hits"})
			return err
		},
		"direction by cursor": func() error {
			_, err := client.Attacks.ListByCursor(ctx, AttackFilter{}, PageOptions{Order: Ascending})
			return err
		},
		"incidents without some": func() error {
			_, err := client.Incidents.List(ctx, AttackFilter{Not: &AttackFilter{VulnIDs: Set([]int64{7})}}, PageOptions{})
			return err
		},
		"incidents that are none": func() error {
			_, err := client.Incidents.List(ctx, AttackFilter{VulnIDs: Null[[]int64]()}, PageOptions{})
			return err
		},
		"client id":      func() error { _, err := client.Attacks.Count(ctx, AttackFilter{ClientIDs: []int64{0}}); return err },
		"points":         func() error { _, err := client.Attacks.HitGraph(ctx, oneAttack, 0); return err },
		"no time":        func() error { _, err := client.Attacks.IPGraph(ctx, oneAttack, 3); return err },
		"no attack":      func() error { _, err := client.Attacks.IPGraph(ctx, AttackFilter{Time: fixtureDay}, 3); return err },
		"no terms":       func() error { _, err := client.Attacks.Terms(ctx, AttackFilter{}, nil); return err },
		"term of spaces": func() error { _, err := client.Attacks.Terms(ctx, AttackFilter{}, []Term{"a b"}); return err },
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests(), "what is refused must not be sent")
}
