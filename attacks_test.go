package wallarm

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
		if want == nil {
			require.ErrorIs(t, err, ErrNotFound)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, ips)
	}
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
