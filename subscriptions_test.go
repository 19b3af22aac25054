package wallarm

import "context"

var _ = fixture(clientsSubscriptions, func(ctx context.Context, c *Client) (any, error) { return c.Clients.Subscriptions(ctx) })
