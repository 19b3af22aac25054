package wallarm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// TestTheLegacyFlow goes from a token to the uuid and secret of the first documentation, and on with these.
func TestTheLegacyFlow(t *testing.T) {
	cloud := wallarmtest.NewServer(t)
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(cloud.URL))
	require.NoError(t, err)
	me, err := client.Users.Me(t.Context())
	require.NoError(t, err)
	first, err := client.Users.RenewSecret(t.Context())
	require.NoError(t, err)
	legacy, err := wallarm.New(wallarm.US, wallarm.UUIDSecret(me.UUID, first.Secret.Reveal()), wallarm.WithBaseURL(cloud.URL))
	require.NoError(t, err)
	again, err := legacy.Users.Me(t.Context())
	require.NoError(t, err)
	require.Equal(t, me.ID, again.ID)

	second, err := legacy.Users.RenewSecret(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, first.Secret.Reveal(), second.Secret.Reveal())
	_, err = legacy.Users.Me(t.Context())
	require.ErrorIs(t, err, wallarm.ErrUnauthenticated, "the former secret is dead")
}

// TestCursorAndOffsetListsAgree reads the same attacks by both generations of the list.
func TestCursorAndOffsetListsAgree(t *testing.T) {
	cloud := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(cloud.URL))
	require.NoError(t, err)
	filter := wallarm.AttackFilter{Time: wallarm.Last(30 * 24 * time.Hour), Types: []wallarm.AttackType{wallarm.AttackXSS}}
	byOffset := map[string]bool{}
	for attack, err := range client.Attacks.All(t.Context(), filter, wallarm.PageSize(90)) {
		require.NoError(t, err)
		require.False(t, byOffset[attack.ID.String()])
		byOffset[attack.ID.String()] = true
	}
	require.Greater(t, len(byOffset), 100, "more than one page")
	byCursor := map[string]bool{}
	for attack, err := range client.Attacks.AllByCursor(t.Context(), filter) {
		require.NoError(t, err)
		require.False(t, byCursor[attack.ID.String()])
		byCursor[attack.ID.String()] = true
	}
	require.Equal(t, byOffset, byCursor)
	require.Greater(t, len(cloud.RequestsOf("attacks:15")), 1)
}

// TestTheConditionsOfAHit asks for the scope that the platform derives from a hit.
func TestTheConditionsOfAHit(t *testing.T) {
	cloud := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(cloud.URL))
	require.NoError(t, err)
	page, err := client.Hits.List(t.Context(), wallarm.HitFilter{}, wallarm.PageOptions{Limit: 1})
	require.NoError(t, err)
	found, err := client.Scopes.ByHit(t.Context(), page.Items[0].ID)
	require.NoError(t, err)
	require.NotEmpty(t, found.Conditions)
}

// TestAuthParametersOfDiscovery adds a parameter and reads it back.
func TestAuthParametersOfDiscovery(t *testing.T) {
	cloud := wallarmtest.NewServer(t)
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(cloud.URL))
	require.NoError(t, err)
	before, err := client.APIDiscovery.AuthParameters(t.Context())
	require.NoError(t, err)
	require.NoError(t, client.APIDiscovery.AddAuthParameter(t.Context(), wallarm.Point{wallarm.Header("X-API-KEY")}))
	after, err := client.APIDiscovery.AuthParameters(t.Context())
	require.NoError(t, err)
	require.Len(t, after, len(before)+1)
}
