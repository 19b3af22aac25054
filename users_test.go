package wallarm

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

var _ = fixture(usersMe, func(ctx context.Context, c *Client) (any, error) { return c.Users.Me(ctx) })

var _ = fixture(usersRenewSecret, func(ctx context.Context, c *Client) (any, error) { return c.Users.RenewSecret(ctx) })

func TestNewSecretHidesItself(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"status":200,"body":{"secret":"test-token-new-secret"}}`,
		`{"status":200,"body":"test-token-new-secret"}`,
	} {
		client, _ := newTestClient(t, jsonAnswer(body))
		renewed, err := client.Users.RenewSecret(t.Context())
		require.NoError(t, err)
		require.Equal(t, "test-token-new-secret", renewed.Secret.Reveal())
		dump, err := json.Marshal(renewed)
		require.NoError(t, err)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", renewed, renewed, renewed, dump), "test-token")
	}
}

func TestUserClientIDUnderBothNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"client_id", "clientid"} {
		client, _ := newTestClient(t, jsonAnswer(`{"status":200,"body":{"id":1,"`+name+`":10444555666}}`))
		me, err := client.Users.Me(t.Context())
		require.NoError(t, err)
		require.Equal(t, int64(10444555666), me.ClientID)
	}
}
