package wallarm

import (
	"context"
	"time"
)

var _ = fixture(incidentsList, func(ctx context.Context, c *Client) (any, error) {
	return c.Incidents.List(ctx, AttackFilter{Time: Since(time.Unix(1785801600, 0))}, PageOptions{Limit: 50})
})
