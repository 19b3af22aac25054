package wallarm

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(clientsList, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.List(ctx, TenantFilter{
			IDs: []int64{5151, 5152}, Enabled: Set(true), UUID: "91d3b0aa-1234-4321-8765-abcdefabcdef", ScannerMode: "off",
			QratorBlacklists: Set(false), LastScan: At(time.Unix(1700000000, 0)), Not: &TenantFilter{Name: "Old"},
		}, PageOptions{})
	})
	_ = fixture(clientsListByQuery, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.ListByQuery(ctx, TenantQuery{
			ID: 5151, Enabled: Set(false), Name: "Example Shop EU", UUID: "91d3b0aa-1234-4321-8765-abcdefabcdef",
		}, PageOptions{Limit: 1})
	})
	_ = fixture(clientsCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.Create(ctx, NewTenant{
			Name: "Example Shop EU", PartnerUUID: "7c0e1d22-2222-4333-8444-555566667777", Language: "en", BlockingType: "aggressive",
			PartnerScheme: Set(false), QratorBlacklists: Set(false), BlacklistHints: Set(true), ScannerMode: "off", PrimaryClientID: 5150,
		})
	})
	_ = fixture(clientsUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Clients.UpdateMatching(ctx, TenantFilter{IDs: []int64{5151, 5152}}, TenantUpdate{
			Name: Set("Example Shop Europe"), Enabled: Set(false), AttackRecheckerMode: Set("off"), Language: Set("en"), BlockingType: Set("incidents"),
			Notifications:    Set(map[string]TenantChannels{"vuln": {Email: []RawJSON{RawJSON(`"ops@example.com"`)}}}),
			QratorBlacklists: Set(false), BlacklistHints: Set(false), PartnerScheme: Set(true), ScannerMode: Set("classic"),
			ScannerState: Set(ScannerState{LastScan: "0"}), PrimaryClientID: Null[int64](), PartnerUUID: Set("7c0e1d22-2222-4333-8444-555566667777"),
		})
	})
	_ = fixture(clientsDelete, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Clients.Delete(ctx, 5151, ConfirmID(5151))
	})
)

func TestTenantCallsRefuse(t *testing.T) {
	update := func(f TenantFilter, u TenantUpdate) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error {
			_, err := c.Clients.UpdateMatching(ctx, f, u)
			return err
		}
	}
	remove := func(id int64, confirm Confirmation) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error { return c.Clients.Delete(ctx, id, confirm) }
	}
	off := TenantUpdate{Enabled: Set(false)}
	requireRefused(t, map[string]func(context.Context, *Client) error{
		"update all":          update(TenantFilter{}, off),
		"update all enabled":  update(TenantFilter{Enabled: Set(true)}, off),
		"update all but one":  update(TenantFilter{Not: &TenantFilter{IDs: []int64{1}}}, off),
		"update nothing":      update(TenantFilter{IDs: []int64{1}}, TenantUpdate{}),
		"update a bad id":     update(TenantFilter{IDs: []int64{0}}, off),
		"Not within Not":      update(TenantFilter{IDs: []int64{1}, Not: &TenantFilter{Not: &TenantFilter{}}}, off),
		"delete nobody":       remove(0, ConfirmID(0)),
		"delete unconfirmed":  remove(5151, nil),
		"delete another":      remove(5151, ConfirmID(5152)),
		"delete without name": remove(5151, ConfirmName("")),
		"no name": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.Create(ctx, NewTenant{Name: " ", PartnerUUID: "7c0e1d22-2222-4333-8444-555566667777"})
			return err
		},
		"no partner": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.Create(ctx, NewTenant{Name: "x"})
			return err
		},
		"get nobody":    func(ctx context.Context, c *Client) error { _, err := c.Clients.Get(ctx, 0); return err },
		"update nobody": func(ctx context.Context, c *Client) error { _, err := c.Clients.Update(ctx, 0, off); return err },
		"update by id, nothing": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.Update(ctx, 1, TenantUpdate{})
			return err
		},
		"query for a bad id": func(ctx context.Context, c *Client) error {
			_, err := c.Clients.ListByQuery(ctx, TenantQuery{ID: -1}, PageOptions{})
			return err
		},
	})
}

func TestTenantDeleteNeedsTheRightName(t *testing.T) {
	const shop = `{"status":200,"body":[{"id":5151,"name":"Example Shop EU"}]}`
	for name, test := range map[string]struct {
		answers []string
		confirm Confirmation
		paths   []string
		err     error
	}{
		"right name": {[]string{shop, `{"status":200,"body":[5151]}`}, ConfirmName("Example Shop EU"), []string{"/v1/objects/client", "/v1/objects/client/delete"}, nil},
		"wrong name": {[]string{shop}, ConfirmName("Example Shop"), []string{"/v1/objects/client"}, ErrInvalidArgument},
		"not there":  {[]string{`{"status":200,"body":[]}`}, ConfirmName("Example Shop EU"), []string{"/v1/objects/client"}, nil},
		"same id":    {[]string{`{"status":200,"body":[]}`}, ConfirmID(5151), []string{"/v1/objects/client/delete"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := newTestClient(t, answersInTurn(test.answers...))
			err := client.Clients.Delete(t.Context(), 5151, test.confirm)
			require.ErrorIs(t, err, test.err)
			var paths []string
			for _, sent := range server.requests() {
				paths = append(paths, sent.Path)
			}
			require.Equal(t, test.paths, paths)
			if test.err == nil && len(paths) > 0 && paths[len(paths)-1] == "/v1/objects/client/delete" {
				require.JSONEq(t, `{"filter":{"id":5151}}`, string(server.requests()[len(paths)-1].Body))
			}
		})
	}
}

func TestTenantUpdateByID(t *testing.T) {
	client, server := newTestClient(t, answersInTurn(
		`{"status":200,"body":[{"id":5151,"enabled":false}]}`, `{"status":200,"body":null}`, `{"status":200,"body":[{"id":5151,"enabled":true}]}`, `{"status":200,"body":[]}`,
	))
	got, err := client.Clients.Disable(t.Context(), 5151)
	require.NoError(t, err)
	require.False(t, got.Enabled)
	got, err = client.Clients.Enable(t.Context(), 5151)
	require.NoError(t, err)
	require.True(t, got.Enabled)
	_, err = client.Clients.Enable(t.Context(), 5151)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = client.Clients.Own(t.Context())
	require.ErrorIs(t, err, ErrNotFound)
	sent := server.requests()
	require.JSONEq(t, `{"filter":{"id":5151},"fields":{"enabled":false}}`, string(sent[0].Body))
	require.JSONEq(t, `{"filter":{"id":4711},"limit":1,"offset":0,"order_by":"id","order_desc":false}`, string(sent[4].Body))
}

// TestTenantUpdateThatFails: a tenant that can be read is no sign that it was changed.
func TestTenantUpdateThatFails(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == clientsUpdate.path {
			w.WriteHeader(http.StatusForbidden)
		}
		answerJSON(`{"status":200,"body":[{"id":5151,"enabled":true}]}`)(w, r)
	})
	_, err := client.Clients.Disable(t.Context(), 5151)
	require.ErrorIs(t, err, ErrForbidden)
	require.Len(t, server.requests(), 1)
}

// TestTenantListsEnd although the server gives the same tenant at every offset, which takes four requests to be sure of.
func TestTenantListsEnd(t *testing.T) {
	client, server := newTestClient(t, answersInTurn(`{"status":200,"body":[{"id":1}]}`))
	for tenant, err := range client.Clients.All(t.Context(), TenantFilter{}) {
		require.NoError(t, err)
		require.Equal(t, int64(1), tenant.ID)
	}
	for _, err := range client.Clients.Pages(t.Context(), TenantFilter{IDs: []int64{1}}, PageOptions{Limit: 10}) {
		require.NoError(t, err)
	}
	for _, err := range client.Clients.AllByQuery(t.Context(), TenantQuery{}) {
		require.NoError(t, err)
	}
	for _, err := range client.Clients.PagesByQuery(t.Context(), TenantQuery{}, PageOptions{OrderBy: "name"}) {
		require.NoError(t, err)
	}
	sent := server.requests()
	require.JSONEq(t, `{"filter":{},"limit":1000,"offset":0,"order_by":"id","order_desc":false}`, string(sent[0].Body))
	require.Len(t, sent, 4*4)
	require.JSONEq(t, `{"filter":{"id":1},"limit":10,"offset":0,"order_by":"id","order_desc":false}`, string(sent[4].Body))
	require.Equal(t, "name", sent[12].Query.Get("order_by"))
}
