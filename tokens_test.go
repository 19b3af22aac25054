package wallarm

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(tokensList, func(ctx context.Context, c *Client) (any, error) {
		return c.Tokens.List(ctx, APITokenFilter{UserID: 70112, Enabled: Set(false), Name: "ci-inventory-reader"})
	})
	_ = fixture(tokensCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.Tokens.CreatePersonal(ctx, 70112, NewAPIToken{
			Name: "ci-inventory-reader", Permissions: RoleReadOnly, ExpiresAt: farExpiry, Enabled: Set(true),
		})
	})
	_ = fixture(tokensGet, func(ctx context.Context, c *Client) (any, error) { return c.Tokens.Get(ctx, 31001) })
	_ = fixture(tokensUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Tokens.Update(ctx, 31001, APITokenUpdate{
			Name: Set("reader"), Enabled: Set(false), ExpiresAt: Null[time.Time](), Permissions: CustomPermissions{"view_denylist", "manage_denylist"},
		})
	})
	_ = fixture(tokensDelete, func(ctx context.Context, c *Client) (any, error) { return nil, c.Tokens.Delete(ctx, 31001) })
	_ = fixture(tokensReveal, func(ctx context.Context, c *Client) (any, error) { return c.Tokens.Reveal(ctx, 31001) })
	_ = fixture(tokensRenew, func(ctx context.Context, c *Client) (any, error) { return c.Tokens.Renew(ctx, 31001) })
)

func TestTokenCallsRefuse(t *testing.T) {
	create := func(token NewAPIToken) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error {
			_, err := c.Tokens.CreateShared(ctx, token)
			return err
		}
	}
	update := func(u APITokenUpdate) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error {
			_, err := c.Tokens.Update(ctx, 31001, u)
			return err
		}
	}
	past := time.Now().Add(-time.Hour)
	requireRefused(t, map[string]func(context.Context, *Client) error{
		"no name":              create(NewAPIToken{Permissions: RoleAdmin}),
		"no permissions":       create(NewAPIToken{Name: "x"}),
		"empty role":           create(NewAPIToken{Name: "x", Permissions: Role("")}),
		"empty permissions":    create(NewAPIToken{Name: "x", Permissions: CustomPermissions{}}),
		"one empty permission": create(NewAPIToken{Name: "x", Permissions: CustomPermissions{"a", ""}}),
		"expired":              create(NewAPIToken{Name: "x", Permissions: RoleAdmin, ExpiresAt: past}),
		"null enabled":         create(NewAPIToken{Name: "x", Permissions: RoleAdmin, Enabled: Null[bool]()}),
		"no owner": func(ctx context.Context, c *Client) error {
			_, err := c.Tokens.CreatePersonal(ctx, 0, NewAPIToken{Name: "x", Permissions: RoleAdmin})
			return err
		},
		"change nothing":            update(APITokenUpdate{}),
		"change to no name":         update(APITokenUpdate{Name: Set("")}),
		"change to null name":       update(APITokenUpdate{Name: Null[string]()}),
		"rename to no name":         update(APITokenUpdate{Name: Set(""), Enabled: Set(true)}),
		"rename to null":            update(APITokenUpdate{Name: Null[string](), Enabled: Set(true)}),
		"change to null enabled":    update(APITokenUpdate{Enabled: Null[bool]()}),
		"change to no permissions":  update(APITokenUpdate{Permissions: CustomPermissions{}}),
		"change to expired":         update(APITokenUpdate{ExpiresAt: Set(past)}),
		"enable without an expiry":  func(ctx context.Context, c *Client) error { _, err := c.Tokens.Enable(ctx, 1, time.Time{}); return err },
		"enable with an old expiry": func(ctx context.Context, c *Client) error { _, err := c.Tokens.Enable(ctx, 1, past); return err },
		"no token":                  func(ctx context.Context, c *Client) error { _, err := c.Tokens.Get(ctx, 0); return err },
		"filter a bad owner": func(ctx context.Context, c *Client) error {
			_, err := c.Tokens.List(ctx, APITokenFilter{UserID: -1})
			return err
		},
	})
}

func TestTokenRequests(t *testing.T) {
	client, server := newTestClient(t, answersInTurn(`{"status":200,"body":{"id":1,"permissions":["auditor"]}}`))
	for want, call := range map[string]func(context.Context) (*APIToken, error){
		`{"enabled":false}`: func(ctx context.Context) (*APIToken, error) { return client.Tokens.Disable(ctx, 1) },
		`{"enabled":true,"expire_at":"2099-06-30T00:00:00.000Z"}`: func(ctx context.Context) (*APIToken, error) {
			return client.Tokens.Enable(ctx, 1, farExpiry.In(time.FixedZone("", 7200)))
		},
		`{"realname":"b"}`: func(ctx context.Context) (*APIToken, error) { return client.Tokens.Rename(ctx, 1, "b") },
		// A shared token names no owner, and one without an expiry none either.
		`{"client_id":4711,"realname":"s","permissions":["a","b"]}`: func(ctx context.Context) (*APIToken, error) {
			return client.Tokens.CreateShared(ctx, NewAPIToken{Name: "s", Permissions: CustomPermissions{"a", "b"}})
		},
		`{"client_id":4711,"realname":"s","permissions":["deploy"],"usage":"x"}`: func(ctx context.Context) (*APIToken, error) {
			return client.Tokens.CreateShared(ctx, NewAPIToken{Name: "s", Permissions: RoleDeploy, Extra: Extra{"usage": RawJSON(`"x"`)}})
		},
	} {
		token, err := call(t.Context())
		require.NoError(t, err)
		require.Equal(t, RoleReadOnly, token.Permissions)
		sent := server.requests()
		require.JSONEq(t, want, string(sent[len(sent)-1].Body))
	}
}

func TestTokenPermissions(t *testing.T) {
	for text, want := range map[string]Permissions{
		`{"permissions":["partner_admin"]}`:   RoleGlobalAdmin,
		`{"permissions":"deploy"}`:            RoleDeploy,
		`{"permissions":["api_developer"]}`:   CustomPermissions{"api_developer"},
		`{"permissions":["admin","auditor"]}`: CustomPermissions{"admin", "auditor"},
		`{"permissions":[]}`:                  nil,
		`{"permissions":null}`:                nil,
		`{}`:                                  nil,
	} {
		var token APIToken
		require.NoError(t, token.UnmarshalJSON([]byte(text)))
		require.Equal(t, want, token.Permissions, text)
		again, err := token.MarshalJSON()
		require.NoError(t, err)
		var twice APIToken
		require.NoError(t, twice.UnmarshalJSON(again))
		require.Equal(t, token, twice)
	}
}

func TestTokenExpiry(t *testing.T) {
	never, soon := APIToken{}, APIToken{ExpiresAt: AtText(farExpiry)}
	require.False(t, never.IsExpired(farExpiry))
	require.False(t, soon.IsExpired(farExpiry.Add(-1)))
	require.True(t, soon.IsExpired(farExpiry))
}
