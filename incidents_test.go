package wallarm

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var _ = fixture(incidentsList, func(ctx context.Context, c *Client) (any, error) {
	return c.Incidents.List(ctx, AttackFilter{Time: Since(time.Unix(1785801600, 0))}, PageOptions{Limit: 50})
})

// TestIncidentsOfNoVulnerability are none: the refusal says what is wrong with each condition.
func TestIncidentsOfNoVulnerability(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":[]}`))
	for want, filter := range map[string]AttackFilter{
		"null selects what is no incident": {VulnIDs: Null[[]int64]()},
		"cannot be left out":               {Not: &AttackFilter{VulnIDs: Set([]int64{7})}},
	} {
		_, err := client.Incidents.List(t.Context(), filter, PageOptions{})
		require.ErrorIs(t, err, ErrInvalidArgument)
		require.ErrorContains(t, err, want)
	}
	require.Empty(t, server.requests())
}
