package wallarm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(clientsLinks, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.ListLinks(ctx, PartnerLinkFilter{PartnerIDs: []int64{44}, ClientIDs: []int64{5151, 5152}}, PageOptions{})
	})
	_ = fixture(clientsLinksOfPartner, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.ListLinksOfPartner(ctx, 44, PageOptions{Limit: 10, Offset: 20})
	})
	_ = fixture(clientsCreateLink, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.CreateLink(ctx, 44, NewPartnerLink{ClientID: 5151, Params: map[string]RawJSON{"contract": RawJSON(`"c-1"`)}})
	})
	_ = fixture(clientsGetLink, func(ctx context.Context, c *Client) (any, error) { return c.Clients.GetLink(ctx, 44, 9) })
	_ = fixture(clientsUpdateLink, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.UpdateLink(ctx, 44, 9, PartnerLinkUpdate{ClientID: Set[int64](5151), Params: Null[map[string]RawJSON]()})
	})
	_ = fixture(clientsDeleteLink, func(ctx context.Context, c *Client) (any, error) { return nil, c.Clients.DeleteLink(ctx, 44, 9) })
	_ = fixture(clientsGroups, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.ListGroups(ctx, 44, "ret", PageOptions{OrderBy: "name", Order: Descending})
	})
	_ = fixture(clientsCreateGroup, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.CreateGroup(ctx, 44, NewTenantGroup{Name: "Retail", Roles: []Role{RoleGlobalReadOnly}})
	})
	_ = fixture(clientsUpdateGroup, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.UpdateGroup(ctx, 44, 12, TenantGroupUpdate{Name: Set("Retail"), Roles: Set([]Role{})})
	})
	_ = fixture(clientsDeleteGroup, func(ctx context.Context, c *Client) (any, error) { return nil, c.Clients.DeleteGroup(ctx, 44, 12) })
	_ = fixture(clientsGroupClients, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.ListGroupClients(ctx, 44, 12, PageOptions{})
	})
	_ = fixture(clientsAddGroupClients, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.AddGroupClients(ctx, 44, 12, []int64{5151, 5152})
	})
	_ = fixture(clientsRemoveGroupClient, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Clients.RemoveGroupClient(ctx, 44, 12, 5151)
	})
	_ = fixture(clientsSubscriptions, func(ctx context.Context, c *Client) (any, error) { return c.Clients.ListSubscriptions(ctx) })
)

func TestPartnerCallsRefuse(t *testing.T) {
	requireRefused(t, map[string]func(context.Context, *Client) error{
		"links of nobody": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.ListLinks(ctx, PartnerLinkFilter{ClientIDs: []int64{1}}, PageOptions{})
			return err
		},
		"links of a bad partner": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.ListLinks(ctx, PartnerLinkFilter{PartnerIDs: []int64{0}}, PageOptions{})
			return err
		},
		"links of a bad client": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.ListLinks(ctx, PartnerLinkFilter{PartnerIDs: []int64{1}, ClientIDs: []int64{-1}}, PageOptions{})
			return err
		},
		"link nobody": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.CreateLink(ctx, 44, NewPartnerLink{})
			return err
		},
		"change no link": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.UpdateLink(ctx, 44, 9, PartnerLinkUpdate{})
			return err
		},
		"a bad link": func(ctx context.Context, c *Client) error { return c.Clients.DeleteLink(ctx, 44, 0) },
		"a nameless group": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.CreateGroup(ctx, 44, NewTenantGroup{})
			return err
		},
		"change no group": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.UpdateGroup(ctx, 44, 12, TenantGroupUpdate{})
			return err
		},
		"add nobody": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.AddGroupClients(ctx, 44, 12, nil)
			return err
		},
		"add a bad client": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.AddGroupClients(ctx, 44, 12, []int64{0})
			return err
		},
	})
}

func TestPartnerListsEnd(t *testing.T) {
	client, server := newTestClient(t, answersInTurn(`{"body":[]}`))
	links := PartnerLinkFilter{PartnerIDs: []int64{44, 45}}
	for range client.Clients.AllLinks(t.Context(), links) {
		t.Fatal("the list is empty")
	}
	for range client.Clients.LinkPages(t.Context(), links, PageOptions{}) {
		t.Fatal("the list is empty")
	}
	for range client.Clients.AllLinksOfPartner(t.Context(), 44) {
		t.Fatal("the list is empty")
	}
	for range client.Clients.LinkOfPartnerPages(t.Context(), 44, PageOptions{}) {
		t.Fatal("the list is empty")
	}
	require.Equal(t, []string{"44", "45"}, server.requests()[0].Query["partnerid[]"])

	client, server = newTestClient(t, answersInTurn(`[]`))
	for range client.Clients.AllGroups(t.Context(), 44, "") {
		t.Fatal("the list is empty")
	}
	for range client.Clients.GroupPages(t.Context(), 44, "", PageOptions{}) {
		t.Fatal("the list is empty")
	}
	for range client.Clients.AllGroupClients(t.Context(), 44, 12) {
		t.Fatal("the list is empty")
	}
	for range client.Clients.GroupClientPages(t.Context(), 44, 12, PageOptions{}) {
		t.Fatal("the list is empty")
	}
	require.False(t, server.requests()[0].Query.Has("query"))
}
