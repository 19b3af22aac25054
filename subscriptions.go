package wallarm

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var clientsSubscriptions = operation{"clients.subscriptions", "GET", "/v1/clients/{client_id}/billing/subscriptions", read, inBody}

// Subscription is what a client (tenant) has subscribed to.
type Subscription struct {
	ID       int64  `json:"id"`
	ClientID int64  `json:"client_id"`
	PlanID   int64  `json:"plan_id"`
	Type     string `json:"type"`
	State    string `json:"state"`
	// StartOn and FinishOn are days.
	StartOn  Timestamp `json:"start_on"`
	FinishOn Timestamp `json:"finish_on"`
	Position string    `json:"position,omitempty"`
	// Properties and Features are not described any further.
	Properties map[string]RawJSON `json:"properties,omitzero"`
	Features   []RawJSON          `json:"features"`
	Extra      Extra              `json:",embed"`
}

// MarshalJSON writes the subscription with all members that were received.
func (s Subscription) MarshalJSON() ([]byte, error) {
	type plain Subscription
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads a subscription and keeps unknown members.
func (s *Subscription) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads a subscription and keeps unknown members.
func (s *Subscription) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Subscription
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// Subscriptions returns the subscriptions of the client (tenant) that the call is made for. Experimental: one client of 2021 is the only source.
//
// GET /v1/clients/{client_id}/billing/subscriptions. Replay class: read.
func (s *ClientsService) Subscriptions(ctx context.Context, opts ...CallOption) ([]Subscription, error) {
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return do[[]Subscription](ctx, s.client, clientsSubscriptions, args{path: []any{id}}, opts)
}
