package wallarm

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// The list stands under body, says the vendor's client, or under body.result, says its API Console: the longer path finds both.
var (
	nodesListV1   = operation{"nodes.list_v1", "POST", "/v1/objects/node", read, "body.result"}
	nodesUpdateV1 = operation{"nodes.update_v1", "POST", "/v1/objects/node/update", idempotent, "body.result"}
)

// NodeV1 is a node as the first generation of routes has it.
type NodeV1 struct {
	// ID is the UUID of the node.
	ID       string   `json:"id"`
	Type     NodeType `json:"type"`
	IP       string   `json:"ip,omitempty"`
	Hostname string   `json:"hostname"`
	ClientID int64    `json:"clientid"`
	Enabled  bool     `json:"enabled"`
	Active   bool     `json:"active"`
	// LastActivity and LastAnalytic are when the node last synchronised and last sent data; zero is never.
	LastActivity Timestamp `json:"last_activity"`
	LastAnalytic Timestamp `json:"last_analytic"`
	CreatedAt    Timestamp `json:"create_time"`
	CreatedFrom  string    `json:"create_from,omitempty"`
	// AttackDatabaseVersion and RulesetVersion are what the node has loaded, 0 if nothing yet. The wire calls them protondb and lom.
	AttackDatabaseVersion   int64            `json:"protondb_version,omitzero"`
	RulesetVersion          int64            `json:"lom_version,omitzero"`
	AttackDatabaseUpdatedAt Timestamp        `json:"protondb_updated_at"`
	RulesetUpdatedAt        Timestamp        `json:"lom_updated_at"`
	Environment             *NodeEnvironment `json:"node_env_params,omitzero"`
	// Requests is the number of requests that the node has handled; nil if unknown.
	Requests *int64 `json:"requests_amount,omitzero"`
	// Secret comes with the answer of a create only, which this SDK makes by the current generation.
	Secret Secret `json:"secret,omitzero"`
	// Token is a member of the current generation. No source has it here; should it come, it does not show itself.
	Token Secret `json:"token,omitzero"`
	Extra Extra  `json:",embed"`
}

// MarshalJSON writes the node: the members with a value, and all that no field is for.
func (n NodeV1) MarshalJSON() ([]byte, error) {
	type plain NodeV1
	return wire.MarshalEcho(plain(n))
}

// UnmarshalJSON reads a node and keeps unknown members.
func (n *NodeV1) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, n) }

// UnmarshalJSONFrom reads a node and keeps unknown members.
func (n *NodeV1) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain NodeV1
	return wire.UnmarshalDecode(d, (*plain)(n))
}

// NodeV1Filter selects nodes of the first generation. A zero field is no condition; conditions must all hold. The routes take no client id:
// what they see is decided by the credentials, and [Client.Tenant] changes nothing.
type NodeV1Filter struct {
	UUID     string `json:"uuid,omitempty"`
	IP       string `json:"ip,omitempty"`
	Hostname string `json:"hostname,omitempty"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

func (f NodeV1Filter) isEmpty() bool {
	return strings.TrimSpace(f.UUID) == "" && strings.TrimSpace(f.IP) == "" && strings.TrimSpace(f.Hostname) == ""
}

func (s *NodesService) listV1(filter NodeV1Filter, opts []CallOption) *lister[NodeV1] {
	return &lister[NodeV1]{
		client: s.client, op: nodesListV1, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(n *NodeV1) string { return n.ID },
		request: func(_ context.Context, page PageOptions, _ time.Time) (args, error) {
			return args{body: offsetBody(filter, page, "id", false)}, nil
		},
	}
}

// ListV1 returns one page of the nodes that match filter, by ascending id unless page says otherwise. A condition that nothing meets may
// answer an error that matches [ErrNotFound] in place of an empty page.
//
// page.Limit is 100 by default and at most 1000; page.OrderBy takes id, uuid, ip and hostname.
//
// POST /v1/objects/node. Replay class: read.
func (s *NodesService) ListV1(ctx context.Context, filter NodeV1Filter, page PageOptions, opts ...CallOption) (*Page[NodeV1], error) {
	return s.listV1(filter, opts).page(ctx, page)
}

// AllV1 iterates over the nodes that match filter, by ascending id. See [NodesService.ListV1].
//
// POST /v1/objects/node. Replay class: read.
func (s *NodesService) AllV1(ctx context.Context, filter NodeV1Filter, opts ...CallOption) iter.Seq2[NodeV1, error] {
	return s.listV1(filter, opts).all(ctx, PageOptions{})
}

// PagesV1 is AllV1 by pages, from start on.
func (s *NodesService) PagesV1(ctx context.Context, filter NodeV1Filter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[NodeV1], error] {
	return s.listV1(filter, opts).pages(ctx, start)
}

// NodeV1Update says what to change. An absent field stays as it is.
type NodeV1Update struct {
	Hostname Opt[string] `json:"hostname,omitzero"`
	Enabled  Opt[bool]   `json:"enabled,omitzero"`
}

// UpdateV1 changes all nodes that match filter, up to 1000, and returns those. A filter without UUID, IP and Hostname is refused: it
// would change every node. Where the answer to an attempt was lost and its repeat finds nothing that matches, such as a name that was changed, the error
// is [ErrOutcomeUnknown].
//
// POST /v1/objects/node/update, known from the vendor's API Console only. Replay class: idempotent.
func (s *NodesService) UpdateV1(ctx context.Context, filter NodeV1Filter, update NodeV1Update, opts ...CallOption) ([]NodeV1, error) {
	if filter.isEmpty() {
		return nil, invalid("filter", "it is empty and would change every node: give a UUID, an IP or a Hostname")
	}
	name, named := update.Hostname.Get()
	switch {
	case update.Hostname.IsZero() && update.Enabled.IsZero():
		return nil, invalid("update", "it changes nothing")
	case update.Hostname.IsNull(), named && strings.TrimSpace(name) == "":
		return nil, invalid("hostname", "it is empty")
	case update.Enabled.IsNull():
		return nil, invalid("enabled", "it is null")
	}
	// Without a limit the family changes the first hundred only.
	body := struct {
		Filter NodeV1Filter `json:"filter"`
		Fields NodeV1Update `json:"fields"`
		Limit  int          `json:"limit"`
		Offset int          `json:"offset"`
	}{filter, update, 1000, 0}
	return changeMatching[NodeV1](ctx, s.client, nodesUpdateV1, args{body: body}, opts)
}

// Enable switches the nodes that match filter on and returns them. An empty filter is refused.
//
// POST /v1/objects/node/update, the only route that sets this, known from the vendor's API Console only. Replay class: idempotent.
func (s *NodesService) Enable(ctx context.Context, filter NodeV1Filter, opts ...CallOption) ([]NodeV1, error) {
	return s.UpdateV1(ctx, filter, NodeV1Update{Enabled: Set(true)}, opts...)
}

// Disable switches the nodes that match filter off and returns them. An empty filter is refused.
//
// POST /v1/objects/node/update, the only route that sets this, known from the vendor's API Console only. Replay class: idempotent.
func (s *NodesService) Disable(ctx context.Context, filter NodeV1Filter, opts ...CallOption) ([]NodeV1, error) {
	return s.UpdateV1(ctx, filter, NodeV1Update{Enabled: Set(false)}, opts...)
}
