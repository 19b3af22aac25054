package wallarm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// edgeCloud starts a fake cloud and a client of it with the token.
func edgeCloud(t *testing.T, token string, options ...wallarmtest.Option) (*wallarmtest.Server, *wallarm.Client) {
	t.Helper()
	cloud := wallarmtest.NewServer(t, options...)
	return cloud, edgeClient(t, cloud, token)
}

func edgeClient(t *testing.T, cloud *wallarmtest.Server, token string) *wallarm.Client {
	t.Helper()
	client, err := wallarm.New(wallarm.US, wallarm.Token(token), wallarm.WithBaseURL(cloud.URL), wallarm.WithHTTPClient(cloud.Client()),
		wallarm.WithDefaults(wallarm.WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	return client
}

func TestNodeLife(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	made, err := client.Nodes.Create(ctx, wallarm.NewNode{Hostname: "edge-eu-1"})
	require.NoError(t, err)
	require.Equal(t, wallarm.CloudNode, made.Type)
	require.Len(t, made.Token.Reveal(), 64)
	require.Len(t, made.Secret.Reveal(), 64)
	require.NotContains(t, fmt.Sprintf("%+v", made), made.Secret.Reveal())

	_, err = client.Nodes.Create(ctx, wallarm.NewNode{Hostname: "edge-eu-1"})
	require.ErrorIs(t, err, wallarm.ErrAlreadyExists)

	found, err := client.Nodes.GetByHostname(ctx, "edge-eu-1")
	require.NoError(t, err)
	require.Equal(t, made.ID, found.ID)
	require.Equal(t, made.Token.Reveal(), found.Token.Reveal())
	require.Empty(t, found.Secret, "the secret is shown once")
	require.True(t, found.LastActivity.IsZero())
	require.EqualValues(t, 0, *found.Requests)

	renamed, err := client.Nodes.Rename(ctx, found, "edge-eu-2")
	require.NoError(t, err)
	require.Equal(t, "edge-eu-2", renamed.Hostname)

	nodes, err := client.Nodes.Disable(ctx, wallarm.NodeV1Filter{UUID: made.UUID})
	require.NoError(t, err)
	require.Len(t, nodes, 1)
	require.Equal(t, made.UUID, nodes[0].ID)
	found, err = client.Nodes.GetByUUID(ctx, made.UUID)
	require.NoError(t, err)
	require.False(t, found.Enabled)
	nodes, err = client.Nodes.Enable(ctx, wallarm.NodeV1Filter{Hostname: "edge-eu-2"})
	require.NoError(t, err)
	require.True(t, nodes[0].Enabled)

	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "nodes.delete", Count: 1})
	require.NoError(t, client.Nodes.Delete(ctx, made.ID), "the repeat finds nothing, which is what was wanted")
	require.NoError(t, client.Nodes.Delete(ctx, made.ID))
	_, err = client.Nodes.GetByHostname(ctx, "edge-eu-2")
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Nodes.ListV1(ctx, wallarm.NodeV1Filter{UUID: made.UUID}, wallarm.PageOptions{})
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

func TestNodeCreateIsNeverRepeated(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "nodes.create", Count: 1})
	_, err := client.Nodes.Create(t.Context(), wallarm.NewNode{Hostname: "edge-1"})
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	require.Len(t, cloud.RequestsOf("nodes.create"), 1)
	node, err := client.Nodes.GetByHostname(t.Context(), "edge-1")
	require.NoError(t, err, "a look tells what happened")
	require.NotEmpty(t, node.Token)
}

func TestNodesOfAllGenerations(t *testing.T) {
	t.Parallel()
	cloud, client := edgeCloud(t, wallarmtest.AdminToken)
	ctx := t.Context()
	for i := range 25 {
		_, err := cloud.Put("nodes", fmt.Sprintf(`{"id":%d,"uuid":"u-%02d","type":"node","hostname":"edge-%02d","last_activity":%d}`, i+1, i+1, i+1, 100+i))
		require.NoError(t, err)
	}
	_, err := cloud.Put("nodes", `{"id":26,"uuid":"u-26","type":"node_instance","hostname":"edge-01-a","cloud_node_id":1}`)
	require.NoError(t, err)
	count := 0
	for node, err := range client.Nodes.All(ctx, wallarm.NodeFilter{NotType: wallarm.FASTNode}, wallarm.PageSize(10)) {
		require.NoError(t, err)
		count++
		require.EqualValues(t, count, node.ID)
	}
	require.Equal(t, 25, count)
	var last wallarm.Timestamp
	count = 0
	for node, err := range client.Nodes.AllByActivity(ctx, wallarm.NodeFilter{}, wallarm.PageSize(10)) {
		require.NoError(t, err)
		require.True(t, count == 0 || node.LastActivity.Before(last.Time), "the latest first")
		last = node.LastActivity
		count++
	}
	require.Equal(t, 25, count)
	for node, err := range client.Nodes.Instances(ctx, 1) {
		require.NoError(t, err)
		require.EqualValues(t, 26, node.ID)
	}
	count = 0
	for page, err := range client.Nodes.PagesV1(ctx, wallarm.NodeV1Filter{}, wallarm.PageOptions{Limit: 10}) {
		require.NoError(t, err)
		count += len(page.Items)
	}
	require.Equal(t, 26, count)

	reader := edgeClient(t, cloud, wallarmtest.AuditorToken)
	_, err = reader.Nodes.List(ctx, wallarm.NodeFilter{Types: []wallarm.NodeType{wallarm.CloudNode, wallarm.RegularNode}}, wallarm.PageOptions{})
	require.NoError(t, err)
	_, err = reader.Nodes.Create(ctx, wallarm.NewNode{Hostname: "x"})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	_, err = client.Tenant(wallarmtest.OtherClientID).Nodes.List(ctx, wallarm.NodeFilter{}, wallarm.PageOptions{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}
