package wallarm

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	clientsLinks          = operation{"clients.list_links", "GET", "/v2/partner_client", read, inBody}
	clientsLinksOfPartner = operation{"clients.list_links_of_partner", "GET", "/v2/partner/{partner_id}/partner_client", read, inBody}
	clientsCreateLink     = operation{"clients.create_link", "POST", "/v2/partner/{partner_id}/partner_client", once, inBody}
	clientsGetLink        = operation{"clients.get_link", "GET", "/v2/partner/{partner_id}/partner_client/{id}", read, inBody}
	clientsUpdateLink     = operation{"clients.update_link", "PUT", "/v2/partner/{partner_id}/partner_client/{id}", idempotent, inBody}
	clientsDeleteLink     = operation{"clients.delete_link", "DELETE", "/v2/partner/{partner_id}/partner_client/{id}", idempotent, noAnswer}

	// The groups and subscriptions are drawn without an envelope, by sources that are known to leave envelopes out.
	clientsGroups            = operation{"clients.list_groups", "GET", "/v2/partners/{partner_id}/groups", read, "body?"}
	clientsCreateGroup       = operation{"clients.create_group", "POST", "/v2/partners/{partner_id}/groups", once, "body?"}
	clientsUpdateGroup       = operation{"clients.update_group", "PUT", "/v2/partners/{partner_id}/groups/{id}", idempotent, "body?"}
	clientsDeleteGroup       = operation{"clients.delete_group", "DELETE", "/v2/partners/{partner_id}/groups/{id}", idempotent, noAnswer}
	clientsGroupClients      = operation{"clients.list_group_clients", "GET", "/v2/partners/{partner_id}/groups/{group_id}/clients", read, "body?"}
	clientsAddGroupClients   = operation{"clients.add_group_clients", "POST", "/v2/partners/{partner_id}/groups/{group_id}/clients", once, "client_ids"}
	clientsRemoveGroupClient = operation{
		"clients.remove_group_client", "DELETE", "/v2/partners/{partner_id}/groups/{group_id}/clients/{client_id}", idempotent, noAnswer,
	}

	clientsSubscriptions = operation{"clients.list_subscriptions", "GET", "/v1/clients/{client_id}/billing/subscriptions", read, "body?"}
)

// PartnerLink says that a client is a tenant of a partner.
type PartnerLink struct {
	ID        int64 `json:"id"`
	PartnerID int64 `json:"partnerid"`
	ClientID  int64 `json:"clientid"`
	// Params are the partner's own data about the tenant; nil if there are none.
	Params map[string]RawJSON `json:"params"`
	Extra  Extra              `json:",embed"`
}

// MarshalJSON writes the link: the members with a value, and all that no field is for.
func (l PartnerLink) MarshalJSON() ([]byte, error) {
	type plain PartnerLink
	return wire.MarshalEcho(plain(l))
}

// UnmarshalJSON reads a link and keeps unknown members.
func (l *PartnerLink) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, l) }

// UnmarshalJSONFrom reads a link and keeps unknown members.
func (l *PartnerLink) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain PartnerLink
	return wire.UnmarshalDecode(d, (*plain)(l))
}

// PartnerLinkFilter selects links.
type PartnerLinkFilter struct {
	// PartnerIDs are required: the API takes something of its own for a list without them. See [Tenant].PartnerID.
	PartnerIDs []int64
	// ClientIDs are the tenants; nil is no condition, an empty list is refused. Not documented by the vendor.
	ClientIDs []int64
}

func (f PartnerLinkFilter) values() (url.Values, error) {
	v := url.Values{}
	if len(f.PartnerIDs) == 0 {
		return nil, invalid("filter.partnerid", "it is empty")
	}
	if err := validateQueryFilter(f); err != nil {
		return nil, err
	}
	// One partner travels in the form that the vendor documents.
	name := "partnerid[]"
	if len(f.PartnerIDs) == 1 {
		name = "partnerid"
	}
	if err := addIDs(v, name, f.PartnerIDs); err != nil {
		return nil, err
	}
	return v, addIDs(v, "clientid[]", f.ClientIDs)
}

// addIDs adds positive ids to a query.
func addIDs(v url.Values, name string, ids []int64) error {
	for _, id := range ids {
		if id <= 0 {
			return invalid(name, "%d is not positive", id)
		}
		v.Add(name, strconv.FormatInt(id, 10))
	}
	return nil
}

func linkKey(l *PartnerLink) string { return idText(l.ID) }

func (s *ClientsService) linkList(filter PartnerLinkFilter, opts []CallOption) *lister[PartnerLink] {
	return &lister[PartnerLink]{
		client: s.client, op: clientsLinks, paging: byOffset, usual: 1000, most: 1000, id: linkKey, opts: opts,
		request: func(_ context.Context, page PageOptions, _ time.Time) (args, error) {
			v, err := filter.values()
			if err != nil {
				return args{}, err
			}
			return args{query: addPage(v, page, "", false)}, nil
		},
	}
}

// ListLinks returns one page of the links between partners and their tenants that match filter, in the API's own order. page takes Limit
// (default and at most 1000) and Offset.
//
// GET /v2/partner_client. Replay class: read.
func (s *ClientsService) ListLinks(ctx context.Context, filter PartnerLinkFilter, page PageOptions, opts ...CallOption) (*Page[PartnerLink], error) {
	return s.linkList(filter, opts).page(ctx, page)
}

// AllLinks iterates over the links that match filter.
//
// GET /v2/partner_client. Replay class: read.
func (s *ClientsService) AllLinks(ctx context.Context, filter PartnerLinkFilter, opts ...CallOption) iter.Seq2[PartnerLink, error] {
	return s.linkList(filter, opts).all(ctx, PageOptions{})
}

// LinkPages is AllLinks by pages, from start on.
func (s *ClientsService) LinkPages(ctx context.Context, filter PartnerLinkFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[PartnerLink], error] {
	return s.linkList(filter, opts).pages(ctx, start)
}

func (s *ClientsService) linkOfPartnerList(partnerID int64, opts []CallOption) *lister[PartnerLink] {
	return &lister[PartnerLink]{
		client: s.client, op: clientsLinksOfPartner, paging: byOffset, usual: 1000, most: 1000, id: linkKey, opts: opts,
		request: func(_ context.Context, page PageOptions, _ time.Time) (args, error) {
			return args{path: []any{partnerID}, query: addPage(url.Values{}, page, "", false)}, nil
		},
	}
}

// ListLinksOfPartner returns one page of the links of one partner, in the API's own order. page takes Limit (default and at most 1000) and
// Offset.
//
// GET /v2/partner/{partner_id}/partner_client, not documented by the vendor. Replay class: read.
func (s *ClientsService) ListLinksOfPartner(ctx context.Context, partnerID int64, page PageOptions, opts ...CallOption) (*Page[PartnerLink], error) {
	return s.linkOfPartnerList(partnerID, opts).page(ctx, page)
}

// AllLinksOfPartner iterates over the links of one partner.
//
// GET /v2/partner/{partner_id}/partner_client, not documented by the vendor. Replay class: read.
func (s *ClientsService) AllLinksOfPartner(ctx context.Context, partnerID int64, opts ...CallOption) iter.Seq2[PartnerLink, error] {
	return s.linkOfPartnerList(partnerID, opts).all(ctx, PageOptions{})
}

// LinkOfPartnerPages is AllLinksOfPartner by pages, from start on.
func (s *ClientsService) LinkOfPartnerPages(ctx context.Context, partnerID int64, start PageOptions, opts ...CallOption) iter.Seq2[*Page[PartnerLink], error] {
	return s.linkOfPartnerList(partnerID, opts).pages(ctx, start)
}

// GetLink returns one link of a partner by its id.
//
// GET /v2/partner/{partner_id}/partner_client/{id}, not documented by the vendor. Replay class: read.
func (s *ClientsService) GetLink(ctx context.Context, partnerID, id int64, opts ...CallOption) (*PartnerLink, error) {
	return get[PartnerLink](ctx, s.client, clientsGetLink, args{path: []any{partnerID, id}}, opts)
}

// NewPartnerLink is a link to create.
type NewPartnerLink struct {
	// ClientID is the client to become a tenant of the partner; required.
	ClientID int64 `json:"clientid"`
	// Params are the partner's own data about it.
	Params map[string]RawJSON `json:"params,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// CreateLink makes a client a tenant of a partner. After [ErrOutcomeUnknown], look with ListLinks before you repeat it.
//
// POST /v2/partner/{partner_id}/partner_client, which only older documentation describes. Replay class: once.
func (s *ClientsService) CreateLink(ctx context.Context, partnerID int64, link NewPartnerLink, opts ...CallOption) (*PartnerLink, error) {
	if link.ClientID <= 0 {
		return nil, invalid("client id", "%d is not positive", link.ClientID)
	}
	return get[PartnerLink](ctx, s.client, clientsCreateLink, args{path: []any{partnerID}, body: link}, opts)
}

// PartnerLinkUpdate is a change of a link. Absent fields stay as they are.
type PartnerLinkUpdate struct {
	ClientID Opt[int64] `json:"clientid,omitzero"`
	// Params takes the place of all params; null clears them.
	Params Opt[map[string]RawJSON] `json:"params,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// UpdateLink changes a link and returns it as it is afterwards.
//
// PUT /v2/partner/{partner_id}/partner_client/{id}, not documented by the vendor. Replay class: idempotent.
func (s *ClientsService) UpdateLink(ctx context.Context, partnerID, id int64, update PartnerLinkUpdate, opts ...CallOption) (*PartnerLink, error) {
	if err := checkClientChange(update.ClientID); err != nil {
		return nil, err
	}
	if err := checkChanges(update); err != nil {
		return nil, err
	}
	return get[PartnerLink](ctx, s.client, clientsUpdateLink, args{path: []any{partnerID, id}, body: update}, opts)
}

// DeleteLink parts a tenant from a partner. A link that is not there counts as deleted.
//
// DELETE /v2/partner/{partner_id}/partner_client/{id}, not documented by the vendor. Replay class: idempotent.
func (s *ClientsService) DeleteLink(ctx context.Context, partnerID, id int64, opts ...CallOption) error {
	return remove(ctx, s.client, clientsDeleteLink, args{path: []any{partnerID, id}}, opts)
}

// TenantGroup is a set of tenants of a partner that roles are given for.
type TenantGroup struct {
	ID        int64  `json:"id"`
	PartnerID int64  `json:"partner_id"`
	Name      string `json:"name"`
	Roles     []Role `json:"roles"`
	// ClientCount is the number of tenants in the group.
	ClientCount int64 `json:"client_count"`
	// AutoCreated says that the group came into being by itself, Global that it holds all tenants.
	AutoCreated bool  `json:"auto_created"`
	Global      bool  `json:"global"`
	Extra       Extra `json:",embed"`
}

// MarshalJSON writes the group: the members with a value, and all that no field is for.
func (g TenantGroup) MarshalJSON() ([]byte, error) {
	type plain TenantGroup
	return wire.MarshalEcho(plain(g))
}

// UnmarshalJSON reads a group and keeps unknown members.
func (g *TenantGroup) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, g) }

// UnmarshalJSONFrom reads a group and keeps unknown members.
func (g *TenantGroup) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain TenantGroup
	return wire.UnmarshalDecode(d, (*plain)(g))
}

func (s *ClientsService) groupList(partnerID int64, query string, opts []CallOption) *lister[TenantGroup] {
	return &lister[TenantGroup]{
		client: s.client, op: clientsGroups, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(g *TenantGroup) string { return idText(g.ID) },
		request: func(_ context.Context, page PageOptions, _ time.Time) (args, error) {
			v := url.Values{}
			if query != "" {
				v.Set("query", query)
			}
			return args{path: []any{partnerID}, query: addPage(v, page, "", false)}, nil
		},
	}
}

// ListGroups returns one page of the tenant groups of a partner, in the API's own order unless page names a column. query is free text; ""
// is no condition. page takes Limit (default 100, at most 1000), Offset, OrderBy and Order.
//
// GET /v2/partners/{partner_id}/groups, not documented by the vendor. Replay class: read.
func (s *ClientsService) ListGroups(ctx context.Context, partnerID int64, query string, page PageOptions, opts ...CallOption) (*Page[TenantGroup], error) {
	return s.groupList(partnerID, query, opts).page(ctx, page)
}

// AllGroups iterates over the tenant groups of a partner that match query.
//
// GET /v2/partners/{partner_id}/groups, not documented by the vendor. Replay class: read.
func (s *ClientsService) AllGroups(ctx context.Context, partnerID int64, query string, opts ...CallOption) iter.Seq2[TenantGroup, error] {
	return s.groupList(partnerID, query, opts).all(ctx, PageOptions{})
}

// GroupPages is AllGroups by pages, from start on.
func (s *ClientsService) GroupPages(ctx context.Context, partnerID int64, query string, start PageOptions, opts ...CallOption) iter.Seq2[*Page[TenantGroup], error] {
	return s.groupList(partnerID, query, opts).pages(ctx, start)
}

// NewTenantGroup is a tenant group to create.
type NewTenantGroup struct {
	// Name is required.
	Name string
	// Roles are what the members of the group may do with its tenants.
	Roles []Role
}

// CreateGroup makes a tenant group.
//
// POST /v2/partners/{partner_id}/groups, not documented by the vendor. Replay class: once.
func (s *ClientsService) CreateGroup(ctx context.Context, partnerID int64, group NewTenantGroup, opts ...CallOption) (*TenantGroup, error) {
	if group.Name == "" {
		return nil, invalid("name", "it is empty")
	}
	body := struct {
		PartnerID int64  `json:"partner_id"`
		Name      string `json:"name"`
		Roles     []Role `json:"roles"`
	}{partnerID, group.Name, group.Roles}
	return get[TenantGroup](ctx, s.client, clientsCreateGroup, args{path: []any{partnerID}, body: body}, opts)
}

// TenantGroupUpdate is a change of a tenant group. Absent fields stay as they are.
type TenantGroupUpdate struct {
	Name Opt[string] `json:"name,omitzero"`
	// Roles takes the place of all roles.
	Roles Opt[[]Role] `json:"roles,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// UpdateGroup changes a tenant group and returns it as it is afterwards.
//
// PUT /v2/partners/{partner_id}/groups/{id}, not documented by the vendor. Replay class: idempotent.
func (s *ClientsService) UpdateGroup(ctx context.Context, partnerID, id int64, update TenantGroupUpdate, opts ...CallOption) (*TenantGroup, error) {
	if name, ok := update.Name.Get(); update.Name.IsNull() || ok && name == "" {
		return nil, invalid("name", "it is empty")
	}
	if update.Roles.IsNull() {
		return nil, invalid("roles", "they cannot be null: an empty list takes all roles away")
	}
	if err := checkChanges(update); err != nil {
		return nil, err
	}
	type plain TenantGroupUpdate
	body := struct {
		PartnerID int64 `json:"partner_id"`
		plain
	}{partnerID, plain(update)}
	return get[TenantGroup](ctx, s.client, clientsUpdateGroup, args{path: []any{partnerID, id}, body: body}, opts)
}

// DeleteGroup deletes a tenant group; its tenants stay. A group that is not there counts as deleted.
//
// DELETE /v2/partners/{partner_id}/groups/{id}, not documented by the vendor. Replay class: idempotent.
func (s *ClientsService) DeleteGroup(ctx context.Context, partnerID, id int64, opts ...CallOption) error {
	return remove(ctx, s.client, clientsDeleteGroup, args{path: []any{partnerID, id}}, opts)
}

func (s *ClientsService) groupClientList(partnerID, groupID int64, opts []CallOption) *lister[int64] {
	return &lister[int64]{
		client: s.client, op: clientsGroupClients, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(id *int64) string { return strconv.FormatInt(*id, 10) },
		request: func(_ context.Context, page PageOptions, _ time.Time) (args, error) {
			return args{path: []any{partnerID, groupID}, query: addPage(url.Values{}, page, "", false)}, nil
		},
	}
}

// ListGroupClients returns one page of the client ids of the tenants in a group. page takes Limit (default 100, at most 1000) and Offset.
//
// GET /v2/partners/{partner_id}/groups/{group_id}/clients, not documented by the vendor. Replay class: read.
func (s *ClientsService) ListGroupClients(ctx context.Context, partnerID, groupID int64, page PageOptions, opts ...CallOption) (*Page[int64], error) {
	return s.groupClientList(partnerID, groupID, opts).page(ctx, page)
}

// AllGroupClients iterates over the client ids of the tenants in a group.
//
// GET /v2/partners/{partner_id}/groups/{group_id}/clients, not documented by the vendor. Replay class: read.
func (s *ClientsService) AllGroupClients(ctx context.Context, partnerID, groupID int64, opts ...CallOption) iter.Seq2[int64, error] {
	return s.groupClientList(partnerID, groupID, opts).all(ctx, PageOptions{})
}

// GroupClientPages is AllGroupClients by pages, from start on.
func (s *ClientsService) GroupClientPages(ctx context.Context, partnerID, groupID int64, start PageOptions, opts ...CallOption) iter.Seq2[*Page[int64], error] {
	return s.groupClientList(partnerID, groupID, opts).pages(ctx, start)
}

// AddGroupClients puts tenants into a group and returns the client ids that the API names in its answer.
//
// POST /v2/partners/{partner_id}/groups/{group_id}/clients, not documented by the vendor; what the request looks like is a guess from the
// answer. Replay class: once.
func (s *ClientsService) AddGroupClients(ctx context.Context, partnerID, groupID int64, clientIDs []int64, opts ...CallOption) ([]int64, error) {
	if len(clientIDs) == 0 {
		return nil, invalid("client ids", "there are none")
	}
	for _, id := range clientIDs {
		if id <= 0 {
			return nil, invalid("client ids", "%d is not positive", id)
		}
	}
	body := struct {
		ClientIDs []int64 `json:"client_ids"`
	}{clientIDs}
	return do[[]int64](ctx, s.client, clientsAddGroupClients, args{path: []any{partnerID, groupID}, body: body}, opts)
}

// RemoveGroupClient takes a tenant out of a group. One that is not in it counts as taken out.
//
// DELETE /v2/partners/{partner_id}/groups/{group_id}/clients/{client_id}, not documented by the vendor. Replay class: idempotent.
func (s *ClientsService) RemoveGroupClient(ctx context.Context, partnerID, groupID, clientID int64, opts ...CallOption) error {
	return remove(ctx, s.client, clientsRemoveGroupClient, args{path: []any{partnerID, groupID, clientID}}, opts)
}

// Subscription is a subscription of an account.
type Subscription struct {
	ID       int64  `json:"id"`
	ClientID int64  `json:"client_id"`
	PlanID   int64  `json:"plan_id"`
	Type     string `json:"type"`
	State    string `json:"state"`
	// StartOn and FinishOn are days; FinishOn is zero if there is no end.
	StartOn  Timestamp `json:"start_on,omitzero"`
	FinishOn Timestamp `json:"finish_on,omitzero"`
	Position string    `json:"position,omitempty"`
	// Properties and Features depend on the plan.
	Properties map[string]RawJSON `json:"properties,omitzero"`
	Features   []RawJSON          `json:"features,omitzero"`
	Extra      Extra              `json:",embed"`
}

// MarshalJSON writes the subscription: the members with a value, and all that no field is for.
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

// ListSubscriptions returns the subscriptions of the account that the client works for.
//
// GET /v1/clients/{client_id}/billing/subscriptions, known from one client of 2021 only. Replay class: read.
func (s *ClientsService) ListSubscriptions(ctx context.Context, opts ...CallOption) ([]Subscription, error) {
	client, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return do[[]Subscription](ctx, s.client, clientsSubscriptions, args{path: []any{client}}, opts)
}
