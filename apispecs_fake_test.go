package wallarm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestAPISpecFromCreateToDelete(t *testing.T) {
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	created, err := client.APISpecs.Create(ctx, wallarm.NewAPISpec{
		Title: "Shop API", FileRemoteURL: wallarm.SecretOf("https://specs.example.com/shop.yaml?key=test-token-url"), APIDetection: true, Instances: []int64{42},
		Domains: []string{"shop.example.com"}, AuthHeaders: []wallarm.AuthHeader{{Key: "X-Spec-Key", Value: wallarm.SecretOf("test-token-spec")}},
	})
	require.NoError(t, err)
	require.Equal(t, wallarm.APISpecPending, created.Status)
	require.Empty(t, created.FileRemoteURL, "only Get shows the URL")

	cloud.Advance(time.Minute)
	spec, err := client.APISpecs.Get(ctx, created.ID)
	require.NoError(t, err)
	require.Equal(t, wallarm.APISpecReady, spec.Status)
	require.Equal(t, "test-token-spec", spec.AuthHeaders[0].Value.Reveal())
	require.Contains(t, spec.File.SignedURL.Reveal(), "signature=")
	require.Nil(t, spec.Policy)

	updated, err := client.APISpecs.Update(ctx, created.ID, wallarm.APISpecUpdate{
		Description: wallarm.Set("public part"), APIDetection: wallarm.Set(false), Instances: wallarm.Set([]int64{}),
	})
	require.NoError(t, err)
	require.Equal(t, "Shop API", updated.Title)
	require.False(t, updated.APIDetection)
	require.Empty(t, updated.Instances, "an empty list clears")
	require.Equal(t, []string{"shop.example.com"}, updated.Domains, "what is absent stays")

	policy, err := client.APISpecs.SetPolicy(ctx, created.ID, wallarm.APISpecPolicy{
		Enabled:               true,
		Conditions:            []wallarm.PolicyCondition{{Type: "iequal", Point: wallarm.Point{wallarm.Header("HOST")}, Value: "shop.example.com"}},
		UndefinedEndpointMode: wallarm.PolicyBlock, Timeout: new(int64(5)),
	})
	require.NoError(t, err)
	require.Equal(t, wallarm.PolicyBlock, policy.UndefinedEndpointMode)
	require.EqualValues(t, 1000, *policy.Timeout, "ignored, and no error")
	spec, err = client.APISpecs.Get(ctx, created.ID)
	require.NoError(t, err)
	require.Equal(t, policy, spec.Policy)
	again, err := client.APISpecs.SetPolicy(ctx, created.ID, *spec.Policy)
	require.NoError(t, err)
	require.Equal(t, policy, again)

	sync, err := client.APISpecs.SyncState(ctx, []wallarm.APISpecVersion{{ID: created.ID, Version: spec.NodeSyncVersion}})
	require.NoError(t, err)
	require.Len(t, sync.Specs, 1)
	_, err = client.APISpecs.SyncNodes(ctx, created.ID, 0)
	require.NoError(t, err)

	require.NoError(t, client.APISpecs.Delete(ctx, created.ID))
	require.NoError(t, client.APISpecs.Delete(ctx, created.ID), "deleting again is no failure")
	_, err = client.APISpecs.Get(ctx, created.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.APISpecs.SyncNodes(ctx, created.ID, 1)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

func TestAPISpecsOfManyPages(t *testing.T) {
	client, cloud := workshop(t, wallarmtest.AuditorToken)
	for i := range 101 {
		_, err := cloud.Put("api_specs", fmt.Sprintf(`{"id":%d,"title":"spec"}`, i+1))
		require.NoError(t, err)
	}
	var ids []int64
	for spec, err := range client.APISpecs.All(t.Context()) {
		require.NoError(t, err)
		ids = append(ids, spec.ID)
	}
	require.Len(t, ids, 101)
	require.EqualValues(t, 101, ids[100])
	require.Len(t, cloud.RequestsOf("apiSpecs.list"), 3)
	page, err := client.APISpecs.List(t.Context(), wallarm.PageOptions{Limit: 20, Offset: 100})
	require.NoError(t, err)
	require.EqualValues(t, 101, page.Total)
	require.Len(t, page.Items, 1)
	require.False(t, page.More)
}

func TestAPISpecFailures(t *testing.T) {
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	spec := wallarm.NewAPISpec{Title: " ", FileRemoteURL: wallarm.SecretOf("https://specs.example.com/x.yaml")}
	_, err := client.APISpecs.Create(ctx, spec)
	require.ErrorIs(t, err, wallarm.ErrValidation)
	spec.Title = "x"
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "apiSpecs.create", Count: 1})
	_, err = client.APISpecs.Create(ctx, spec)
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	page, err := client.APISpecs.List(ctx, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1, "a lost answer must not make a second one")
	id := page.Items[0].ID
	_, err = client.APISpecs.Update(ctx, 9, wallarm.APISpecUpdate{Title: wallarm.Set("y")})
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	require.ErrorContains(t, err, "Api spec with ID:9 not found")
	_, err = client.APISpecs.SetPolicy(ctx, id, wallarm.APISpecPolicy{MissingAuthMode: "allow"})
	require.ErrorIs(t, err, wallarm.ErrValidation)
	cloud.LockRules(time.Hour)
	_, err = client.APISpecs.Update(ctx, id, wallarm.APISpecUpdate{Title: wallarm.Set("y")})
	require.ErrorIs(t, err, wallarm.ErrLocked)
	require.Len(t, cloud.RequestsOf("apiSpecs.update"), 5, "423 is repeated")
}
