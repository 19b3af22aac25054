package wallarm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(scopesList, func(ctx context.Context, c *Client) (any, error) {
		return c.Scopes.List(ctx, ScopeFilter{
			RuleTypes: []RuleType{RuleVirtualPatch}, MinRules: Set[int64](1), NotIDs: []int64{15},
		}, PageOptions{})
	})
	_ = fixture(scopesGet, func(ctx context.Context, c *Client) (any, error) { return c.Scopes.Get(ctx, 901244) })
	_ = fixture(scopesRename, func(ctx context.Context, c *Client) (any, error) {
		return c.Scopes.Rename(ctx, 901244, "checkout-api")
	})
	_ = fixture(scopesByHit, func(ctx context.Context, c *Client) (any, error) {
		return c.Scopes.ByHit(ctx, EventID{Index: "hits_production_4711_202608_v_1", Doc: "Kf93-aa"})
	})
)

func TestScopesRefuse(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":[]}`))
	_, err := client.Scopes.List(t.Context(), ScopeFilter{}, PageOptions{OrderBy: "id"})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Scopes.List(t.Context(), ScopeFilter{MinRules: Set[int64](3), MaxRules: Set[int64](2)}, PageOptions{})
	require.ErrorIs(t, err, ErrInvalidArgument)
	for _, name := range []string{"", "two words", "slash/ed", "ümlaut"} {
		_, err = client.Scopes.Rename(t.Context(), 5, name)
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	_, err = client.Scopes.ByHit(t.Context(), EventID{Doc: "alone"})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Scopes.Get(t.Context(), -5)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Empty(t, server.requests())

	_, err = client.Scopes.Find(t.Context(), Conditions{})
	require.ErrorIs(t, err, ErrNotFound)
}
