package wallarm

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	nodesList           = operation{"nodes.list", "GET", "/v2/node", read, inBody}
	nodesListByActivity = operation{"nodes.list_by_activity", "GET", "/v3/node", read, "objects"}
	nodesCreate         = operation{"nodes.create", "POST", "/v2/node", once, inBody}
	nodesUpdate         = operation{"nodes.update", "PUT", "/v2/node/{id}", idempotent, "body?"}
	nodesDelete         = operation{"nodes.delete", "DELETE", "/v2/node/{id}", idempotent, noAnswer}
)

// NodesService manages filter nodes. Administrators create, change and delete them, other roles may look. There are two generations of
// routes, whose ids differ: the current one, with whole numbers, and the first one, with UUIDs, whose methods end in V1.
//
// A node that has not synchronised for a day leaves the lists and comes back when it does again: a list may shrink or grow between two
// calls.
type NodesService service

// Node is a filter node, or a group of them that share a token.
type Node struct {
	ID int64 `json:"id"`
	// UUID is the id of the same node in the first generation.
	UUID string   `json:"uuid"`
	Type NodeType `json:"type"`
	// IP is the address, empty for a group.
	IP string `json:"ip,omitempty"`
	// Hostname is the name of the node or group, unique within the client.
	Hostname string `json:"hostname"`
	ClientID int64  `json:"clientid"`
	Enabled  bool   `json:"enabled"`
	// Active says that the node has synchronised within about two minutes.
	Active bool `json:"active"`
	// LastActivity and LastAnalytic are when the node last synchronised and last sent data; zero is never.
	LastActivity Timestamp `json:"last_activity"`
	LastAnalytic Timestamp `json:"last_analytic"`
	CreatedAt    Timestamp `json:"create_time"`
	// CreatedFrom is the address that the node was created from.
	CreatedFrom string `json:"create_from,omitempty"`
	// AttackDatabaseVersion and RulesetVersion are what the node has loaded, 0 if nothing yet. The wire calls them protondb and lom.
	AttackDatabaseVersion   int64     `json:"protondb_version,omitzero"`
	RulesetVersion          int64     `json:"lom_version,omitzero"`
	AttackDatabaseUpdatedAt Timestamp `json:"protondb_updated_at"`
	RulesetUpdatedAt        Timestamp `json:"lom_updated_at"`
	// Environment tells what software the node runs on.
	Environment *NodeEnvironment `json:"node_env_params,omitzero"`
	// Instances and ActiveInstances count the members of a group; 0 for what is no group.
	Instances       int64 `json:"instance_count"`
	ActiveInstances int64 `json:"active_instance_count"`
	// Requests is the number of requests that the node has handled, over a period that the vendor does not give; nil if unknown.
	Requests *int64 `json:"requests_amount,omitzero"`
	// MultiTenant says whether the node serves several tenants, nil if the answer did not say. The wire calls it partner_mode.
	MultiTenant *bool `json:"partner_mode,omitzero"`
	// Token is what new instances of a [CloudNode] register with. Only administrators get it.
	Token Secret `json:"token,omitzero"`
	// Secret comes once, with [NodesService.Create], and cannot be read again.
	Secret Secret `json:"secret,omitzero"`
	// Extra holds all other members, among them those of CDN nodes.
	Extra Extra `json:",embed"`
}

// MarshalJSON writes the node: the members with a value, and all that no field is for, token and secret hidden.
func (n Node) MarshalJSON() ([]byte, error) {
	type plain Node
	return wire.MarshalEcho(plain(n))
}

// UnmarshalJSON reads a node and keeps unknown members.
func (n *Node) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, n) }

// UnmarshalJSONFrom reads a node and keeps unknown members.
func (n *Node) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Node
	return wire.UnmarshalDecode(d, (*plain)(n))
}

// NodeType is the type of a node. New ones may appear.
type NodeType string

const (
	// CloudNode is what the Console calls a Wallarm node: a group whose instances register with a shared token.
	CloudNode NodeType = "cloud_node"
	// RegularNode is a single node of the older kind.
	RegularNode NodeType = "node"
	// PartnerNode is a multi-tenant node of the older kind.
	PartnerNode NodeType = "partner_node"
	// FASTNode is a node of the withdrawn testing product.
	FASTNode NodeType = "fast_node"
	// CDNNode is a node of the withdrawn CDN product.
	CDNNode NodeType = "cdn_node"
	// NodeInstance is one instance of a [CloudNode].
	NodeInstance NodeType = "node_instance"
)

// NodeEnvironment tells what software a node runs on.
type NodeEnvironment struct {
	Packages NodePackages `json:"packages"`
	// OperatingSystem is an open object whose values are texts or lists of texts.
	OperatingSystem Extra `json:"operating_system,omitzero"`
	Extra           Extra `json:",embed"`
}

// NodePackage is a package that is installed on a node.
type NodePackage struct {
	Name    string `json:"component_name,omitempty"`
	Current string `json:"current,omitempty"`
	// Latest is the newest version there is, empty if unknown.
	Latest string `json:"latest,omitempty"`
	Minor  string `json:"minor,omitempty"`
	Major  string `json:"major,omitempty"`
	Extra  Extra  `json:",embed"`
	// keyed says that the name was the key of a map, which is how it is written back.
	keyed bool
}

// NodePackages are the packages of a node. They travel as a map by name or as a list; both are read, and written as they came.
type NodePackages []NodePackage

// Get returns the package of that name.
func (p NodePackages) Get(name string) (NodePackage, bool) {
	for _, pkg := range p {
		if pkg.Name == name {
			return pkg, true
		}
	}
	return NodePackage{}, false
}

// UnmarshalJSONFrom reads a map by name or a list.
func (p *NodePackages) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*p = nil
	if d.PeekKind() != '{' {
		return wire.UnmarshalDecode(d, (*[]NodePackage)(p))
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		var pkg NodePackage
		key := name.String()
		if err := wire.UnmarshalDecode(d, &pkg); err != nil {
			return err
		}
		pkg.Name, pkg.keyed = key, true
		*p = append(*p, pkg)
	}
	_, err := d.ReadToken()
	return err
}

// MarshalJSONTo writes the form that was read, a map if there is nothing.
func (p NodePackages) MarshalJSONTo(e *jsontext.Encoder) error {
	if len(p) > 0 && !p[0].keyed {
		return wire.MarshalEncode(e, []NodePackage(p))
	}
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, pkg := range p {
		if err := e.WriteToken(jsontext.String(pkg.Name)); err != nil {
			return err
		}
		pkg.Name = ""
		if err := wire.MarshalEncode(e, pkg); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// NodeFilter selects nodes. A zero field is no condition.
type NodeFilter struct {
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `url:"filter[clientid][],omitempty"`
	// Types are alternatives. Instances of a [CloudNode] are left out unless they are asked for here or by AllTypes.
	Types []NodeType `url:"-"`
	// NotType leaves one type out. The vendor's client says [FASTNode] here where it means all nodes.
	NotType NodeType  `url:"filter[!type],omitempty"`
	Active  Opt[bool] `url:"filter[active],omitempty"`
	UUID    string    `url:"filter[uuid],omitempty"`
	// Hostname is the whole name.
	Hostname string `url:"filter[hostname],omitempty"`
	// GroupID is the id of a [CloudNode]; with the type [NodeInstance] it selects the instances of that group.
	GroupID int64 `url:"filter[cloud_node_id],omitempty"`
	// Query is an address, a UUID, or a part of a name.
	Query string `url:"query,omitempty"`
	// AllTypes brings instances of groups too, if Types is empty.
	AllTypes bool `url:"all_types,omitempty"`
	// WithoutRequests sets without_requests_counter. The vendor's description of it contradicts its name: leave it alone unless you know
	// better.
	WithoutRequests bool `url:"without_requests_counter,omitempty"`
}

// queryList travels as name=v if it holds one value, and as name[]=v for each if there are more.
type queryList[T ~string] []T

// EncodeValues writes the list into a query.
func (l queryList[T]) EncodeValues(key string, values *url.Values) error {
	if len(l) > 1 {
		key += "[]"
	}
	for _, v := range l {
		values.Add(key, string(v))
	}
	return nil
}

// nodeQuery is the query of a list of nodes.
type nodeQuery struct {
	NodeFilter
	Type      queryList[NodeType] `url:"filter[type],omitempty"`
	Limit     int                 `url:"limit"`
	Offset    int                 `url:"offset"`
	OrderBy   string              `url:"order_by,omitempty"`
	OrderDesc bool                `url:"order_desc"`
}

func (f NodeFilter) validate() error {
	if f.GroupID < 0 {
		return invalid("filter.cloud_node_id", "it is not positive")
	}
	return validateQueryFilter(f)
}

func nodeKey(n *Node) string { return idText(n.ID) }

func (s *NodesService) lister(op operation, how paging, column string, descending bool, filter NodeFilter, opts []CallOption) *lister[Node] {
	return &lister[Node]{
		client: s.client, op: op, paging: how, usual: 100, most: 1000, id: nodeKey, opts: opts,
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			q := nodeQuery{filter, filter.Types, page.Limit, page.Offset, page.OrderBy, page.Order.desc(descending)}
			if q.OrderBy == "" {
				q.OrderBy = column
			}
			err := filter.validate()
			if err == nil {
				q.ClientIDs, err = s.client.clientIDs(ctx, filter.ClientIDs, opts)
			}
			return args{query: q}, err
		},
	}
}

func (s *NodesService) list(filter NodeFilter, opts []CallOption) *lister[Node] {
	return s.lister(nodesList, byOffset, "id", false, filter, opts)
}

// List returns one page of the nodes that match filter, by ascending id unless page says otherwise.
//
// page.Limit is 100 by default and at most 1000, the largest that clients are known to use; page.OrderBy takes id, uuid, ip and hostname.
//
// GET /v2/node. Replay class: read.
func (s *NodesService) List(ctx context.Context, filter NodeFilter, page PageOptions, opts ...CallOption) (*Page[Node], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the nodes that match filter, by ascending id.
//
// GET /v2/node. Replay class: read.
func (s *NodesService) All(ctx context.Context, filter NodeFilter, opts ...CallOption) iter.Seq2[Node, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *NodesService) Pages(ctx context.Context, filter NodeFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Node], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Instances iterates over the instances of a group: the nodes that registered with its token.
//
// GET /v2/node; the meaning of the filter comes from the vendor's API Console only. Replay class: read.
func (s *NodesService) Instances(ctx context.Context, groupID int64, opts ...CallOption) iter.Seq2[Node, error] {
	if groupID == 0 {
		groupID = -1 // Zero would be no condition; this is refused.
	}
	return s.All(ctx, NodeFilter{GroupID: groupID, Types: []NodeType{NodeInstance}}, opts...)
}

// GetByHostname returns the node of that name, or an error that matches [ErrNotFound]. The API has no read by id. After a create whose
// outcome is unknown, this tells whether the node is there; its secret, though, is lost.
//
// GET /v2/node with a filter. Replay class: read.
func (s *NodesService) GetByHostname(ctx context.Context, hostname string, opts ...CallOption) (*Node, error) {
	if strings.TrimSpace(hostname) == "" {
		return nil, invalid("hostname", "it is empty")
	}
	return s.only(ctx, NodeFilter{Hostname: hostname}, func(n *Node) bool { return n.Hostname == hostname }, opts)
}

// GetByUUID returns the node with that UUID, or an error that matches [ErrNotFound].
//
// GET /v2/node with a filter. Replay class: read.
func (s *NodesService) GetByUUID(ctx context.Context, uuid string, opts ...CallOption) (*Node, error) {
	if strings.TrimSpace(uuid) == "" {
		return nil, invalid("uuid", "it is empty")
	}
	return s.only(ctx, NodeFilter{UUID: uuid, AllTypes: true}, func(n *Node) bool { return strings.EqualFold(n.UUID, uuid) }, opts)
}

// only returns the node that is wanted among those that match filter: the filter may be read more loosely than it is meant.
func (s *NodesService) only(ctx context.Context, filter NodeFilter, wanted func(*Node) bool, opts []CallOption) (*Node, error) {
	for node, err := range s.All(ctx, filter, wholeList(opts)...) {
		if err != nil {
			return nil, err
		}
		if wanted(&node) {
			return &node, nil
		}
	}
	return nil, notFound(nodesList, http.StatusOK)
}

func (s *NodesService) listByActivity(filter NodeFilter, opts []CallOption) *lister[Node] {
	return s.lister(nodesListByActivity, byNextOffset, "last_activity", true, filter, opts)
}

// ListByActivity returns one page of the nodes that match filter, the latest active first unless page says otherwise. The answer names the
// place of the next page, so a page that is not full need not be the last.
//
// page.Limit is 100 by default and at most 1000; page.OrderBy takes last_activity, active, id, uuid, ip and hostname.
//
// GET /v3/node, known from the vendor's API Console only. Replay class: read.
func (s *NodesService) ListByActivity(ctx context.Context, filter NodeFilter, page PageOptions, opts ...CallOption) (*Page[Node], error) {
	return s.listByActivity(filter, opts).page(ctx, page)
}

// AllByActivity iterates over the nodes that match filter, the latest active first. A node that reports while the list is read moves to its head,
// and is left out if the iterator had not come to it; the order of [NodesService.All] stays as it is.
//
// GET /v3/node, known from the vendor's API Console only. Replay class: read.
func (s *NodesService) AllByActivity(ctx context.Context, filter NodeFilter, opts ...CallOption) iter.Seq2[Node, error] {
	return s.listByActivity(filter, opts).all(ctx, PageOptions{})
}

// PagesByActivity is AllByActivity by pages, from start on.
func (s *NodesService) PagesByActivity(
	ctx context.Context, filter NodeFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[Node], error] {
	return s.listByActivity(filter, opts).pages(ctx, start)
}

// NewNode is a node to create.
type NewNode struct {
	// Hostname is the name, unique within the client.
	Hostname string `json:"hostname"`
	// Type is [CloudNode] by default, which the Console calls a Wallarm node. The API's own default, which the SDK does not use, is
	// [RegularNode].
	Type NodeType `json:"type"`
	// MultiTenant makes a node for several tenants, which takes a global role. The wire calls it partner_mode.
	MultiTenant bool `json:"partner_mode,omitzero"`
}

// Create makes a node. The answer holds its token, if it is a [CloudNode], and its secret, which is shown only here: store it at once.
//
// A name that is taken is an error that matches [ErrAlreadyExists]; after [ErrOutcomeUnknown], look with [NodesService.GetByHostname].
//
// POST /v2/node. Replay class: once.
func (s *NodesService) Create(ctx context.Context, node NewNode, opts ...CallOption) (*Node, error) {
	if strings.TrimSpace(node.Hostname) == "" {
		return nil, invalid("hostname", "it is empty")
	}
	if node.Type == "" {
		node.Type = CloudNode
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	body := struct {
		NewNode
		ClientID int64 `json:"clientid"`
	}{node, clientID}
	return get[Node](ctx, s.client, nodesCreate, args{body: body}, opts)
}

// NodeUpdate says what to change in a node.
type NodeUpdate struct {
	// Hostname is the new name; absent leaves it.
	Hostname Opt[string] `url:"hostname,omitempty"`
	// MultiTenant must be set: the route wants it each time, and takes a node out of multi-tenant mode if it is told so by accident. Give
	// what the node has. The wire calls it partner_node here and partner_mode elsewhere.
	MultiTenant Opt[bool] `url:"partner_node,omitempty"`
}

// Update renames a node or switches its multi-tenant mode. [NodesService.Rename] does the former without the risk of the latter.
//
// PUT /v2/node/{id} with a query, known from the vendor's API Console only, which draws the parameters there and contradicts itself in their
// names. Replay class: idempotent.
func (s *NodesService) Update(ctx context.Context, id int64, update NodeUpdate, opts ...CallOption) (*Node, error) {
	if _, ok := update.MultiTenant.Get(); !ok {
		return nil, invalid("MultiTenant", "the route wants it each time: give what the node has")
	}
	name, ok := update.Hostname.Get()
	if update.Hostname.IsNull() || (ok && strings.TrimSpace(name) == "") {
		return nil, invalid("hostname", "it is empty")
	}
	return get[Node](ctx, s.client, nodesUpdate, args{path: []any{id}, query: update}, opts)
}

// Rename gives a node another name and leaves everything else as node, which was read before, has it. node itself is not changed. One that does
// not say whether it is multi-tenant is refused, since the route would have to guess.
//
// PUT /v2/node/{id}, see [NodesService.Update]. Replay class: idempotent.
func (s *NodesService) Rename(ctx context.Context, node *Node, hostname string, opts ...CallOption) (*Node, error) {
	if node == nil {
		return nil, invalid("node", "it is nil")
	}
	if node.MultiTenant == nil {
		return nil, invalid("node", "it does not say whether it is multi-tenant: use Update, and say so there")
	}
	return s.Update(ctx, node.ID, NodeUpdate{Hostname: Set(hostname), MultiTenant: Set(*node.MultiTenant)}, opts...)
}

// Delete deletes a node for good. Its instances go on protecting with what they have loaded, and synchronise no more. A node that is not
// there counts as deleted.
//
// DELETE /v2/node/{id}. Replay class: idempotent.
func (s *NodesService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	return remove(ctx, s.client, nodesDelete, args{path: []any{id}}, opts)
}
