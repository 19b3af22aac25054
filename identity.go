package wallarm

import (
	"cmp"
	"context"
	"sync/atomic"
)

// identity finds out the client id of the credentials' owner, once.
type identity struct {
	id atomic.Int64
	// turn is held by the caller that is asking.
	turn chan struct{}
}

// ClientID returns the client id that calls are made for: that of [Client.Tenant] or [WithDefaultClientID], or else the one that the
// credentials belong to. The latter is asked for with one POST /v1/user when it is first needed, and kept for the life of the client.
func (c *Client) ClientID(ctx context.Context, opts ...CallOption) (int64, error) {
	s, err := c.settings(opts)
	if err != nil {
		return 0, err
	}
	switch {
	case s.clientID > 0:
		return s.clientID, nil
	case c.tenant > 0:
		return c.tenant, nil
	}
	identity := &c.core.identity
	if id := identity.id.Load(); id > 0 {
		return id, nil
	}
	if ctx == nil {
		return 0, invalid("context", "it is nil")
	}
	ctx, cancel, _ := bound(ctx, s.timeout, false)
	defer cancel()
	// One caller asks, the others wait for it; if it fails or gives up, the next one asks.
	select {
	case identity.turn <- struct{}{}:
		defer func() { <-identity.turn }()
	case <-ctx.Done():
		return 0, &CallError{Operation: usersMe.name, Method: usersMe.method, Path: usersMe.path, Err: context.Cause(ctx)}
	}
	if id := identity.id.Load(); id > 0 {
		return id, nil
	}
	me, err := get[owner](ctx, c, usersMe, args{body: emptyObject}, withoutCapture(opts))
	if err != nil {
		return 0, err
	}
	id := cmp.Or(me.ClientID, me.FormerClientID)
	if id <= 0 {
		return 0, unreadableIdentity()
	}
	identity.id.Store(id)
	return id, nil
}

// owner is the one member of the own user that calls depend on, under both of its names. The rest is left unread, so that an odd form of some
// other member cannot stop every call.
type owner struct {
	ClientID       int64 `json:"client_id"`
	FormerClientID int64 `json:"clientid"`
}

// withoutCapture keeps the options of a call from applying to the call that finds the client id: its timeouts and headers do, its
// response capture does not.
func withoutCapture(opts []CallOption) []CallOption {
	if len(opts) == 0 {
		return nil
	}
	return append(opts[:len(opts):len(opts)], func(s *callSettings) error {
		s.response, s.class, s.maxBody = nil, nil, 0
		return nil
	})
}

func unreadableIdentity() error {
	return &CallError{Operation: usersMe.name, Method: usersMe.method, Path: usersMe.path, Attempts: 1, Err: ErrResponse}
}

// clientIDs returns ids, or the id of the client if they are nil. An empty list is refused: whoever computed it means none, not the own client.
func (c *Client) clientIDs(ctx context.Context, ids []int64, opts []CallOption) ([]int64, error) {
	if ids == nil {
		id, err := c.ClientID(ctx, opts...)
		if err != nil {
			return nil, err
		}
		return []int64{id}, nil
	}
	if len(ids) == 0 {
		return nil, invalid("client ids", "the list is empty; leave it nil for the client that the call is made for")
	}
	for _, id := range ids {
		if id <= 0 {
			return nil, invalid("client id", "%d is not positive", id)
		}
	}
	return ids, nil
}
