package wallarm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestApplicationLife(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	made, err := client.Applications.Create(ctx, wallarm.NewApplication{ID: 42, Name: "Checkout"})
	require.NoError(t, err)
	require.Equal(t, wallarmtest.DefaultClientID, made.ClientID)
	_, err = client.Applications.Create(ctx, wallarm.NewApplication{ID: 42, Name: "Again"})
	require.ErrorIs(t, err, wallarm.ErrAlreadyExists)
	numbered, err := client.Applications.Create(ctx, wallarm.NewApplication{Name: "Shop"})
	require.NoError(t, err)
	require.NotEqual(t, made.ID, numbered.ID)

	require.NoError(t, client.Applications.Rename(ctx, 42, "Checkout v2"))
	require.ErrorIs(t, client.Applications.Rename(ctx, 7, "Nothing"), wallarm.ErrNotFound)
	found, err := client.Applications.Get(ctx, 42)
	require.NoError(t, err)
	require.Equal(t, "Checkout v2", found.Name)
	fallback, err := client.Applications.Get(ctx, wallarm.DefaultApplication)
	require.NoError(t, err)
	require.True(t, fallback.IsDefault())

	names := ""
	for application, err := range client.Applications.All(ctx, wallarm.ApplicationFilter{}, wallarm.PageSize(1)) {
		require.NoError(t, err)
		names += fmt.Sprintf("%d %s;", application.ID, application.Name)
	}
	require.Equal(t, "-1 default;42 Checkout v2;43 Shop;", names)
	page, err := client.Applications.List(ctx, wallarm.ApplicationFilter{
		Not: &wallarm.ApplicationFilter{IDs: []int64{wallarm.DefaultApplication, 43}},
	}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)

	require.ErrorIs(t, client.Applications.Delete(ctx, wallarm.DefaultApplication), wallarm.ErrInvalidArgument)
	require.NoError(t, client.Applications.Delete(ctx, 42))
	require.NoError(t, client.Applications.Delete(ctx, 42))
	_, err = client.Applications.Get(ctx, 42)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	require.ErrorIs(t, edgeClient(t, cloud, wallarmtest.AuditorToken).Applications.Delete(ctx, 43), wallarm.ErrForbidden)
}

func TestApplicationCreateIsNeverRepeated(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "applications.create", Count: 1})
	_, err := client.Applications.Create(t.Context(), wallarm.NewApplication{Name: "Shop"})
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	require.Len(t, cloud.Objects("applications"), 1)
}
