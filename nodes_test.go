package wallarm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(nodesList, func(ctx context.Context, c *Client) (any, error) {
		return c.Nodes.List(ctx, NodeFilter{
			Types: []NodeType{CloudNode}, NotType: FASTNode, Active: Set(true),
		}, PageOptions{OrderBy: "hostname"})
	})
	_ = fixture(nodesListByActivity, func(ctx context.Context, c *Client) (any, error) {
		filter := NodeFilter{Types: []NodeType{CloudNode, RegularNode}, Query: "edge", AllTypes: true}
		return c.Nodes.ListByActivity(ctx, filter, PageOptions{Limit: 50})
	})
	_ = fixture(nodesCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.Nodes.Create(ctx, NewNode{Hostname: "edge-eu-2", MultiTenant: true})
	})
	_ = fixture(nodesUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Nodes.Rename(ctx, &Node{ID: 10444555666, MultiTenant: new(bool)}, "edge-eu-9")
	})
	_ = fixture(nodesDelete, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Nodes.Delete(ctx, 10444555666)
	})
	_ = fixture(nodesListV1, func(ctx context.Context, c *Client) (any, error) {
		return c.Nodes.ListV1(ctx, NodeV1Filter{Hostname: "edge-1"}, PageOptions{Limit: 20, OrderBy: "hostname", Order: Descending})
	})
	_ = fixture(nodesUpdateV1, func(ctx context.Context, c *Client) (any, error) {
		update := NodeV1Update{Hostname: Set("edge-2"), Enabled: Set(false)}
		return c.Nodes.UpdateV1(ctx, NodeV1Filter{UUID: "2f1e0d9c-7777-4888-8999-aaaabbbbcccc"}, update)
	})
)

// answerJSON answers every request with 200 and a body.
func answerJSON(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

func TestNodeArgumentsAreChecked(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{}`))
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"create without a name": func() error { _, err := client.Nodes.Create(ctx, NewNode{Hostname: " "}); return err },
		"update without the mode": func() error {
			_, err := client.Nodes.Update(ctx, 1, NodeUpdate{Hostname: Set("x")})
			return err
		},
		"update with a null name": func() error {
			_, err := client.Nodes.Update(ctx, 1, NodeUpdate{Hostname: Null[string](), MultiTenant: Set(false)})
			return err
		},
		"update of no node":      func() error { _, err := client.Nodes.Update(ctx, 0, NodeUpdate{MultiTenant: Set(true)}); return err },
		"rename of no node":      func() error { _, err := client.Nodes.Rename(ctx, nil, "x"); return err },
		"delete of no node":      func() error { return client.Nodes.Delete(ctx, -1) },
		"get without a name":     func() error { _, err := client.Nodes.GetByHostname(ctx, ""); return err },
		"get without a uuid":     func() error { _, err := client.Nodes.GetByUUID(ctx, ""); return err },
		"too large a page":       func() error { _, err := client.Nodes.List(ctx, NodeFilter{}, PageOptions{Limit: 1001}); return err },
		"no tenant":              func() error { _, err := client.Tenant(0).Nodes.Create(ctx, NewNode{Hostname: "x"}); return err },
		"disable without filter": func() error { _, err := client.Nodes.Disable(ctx, NodeV1Filter{}); return err },
		"enable with blanks":     func() error { _, err := client.Nodes.Enable(ctx, NodeV1Filter{UUID: " "}); return err },
		"enable with extra only": func() error {
			_, err := client.Nodes.Enable(ctx, NodeV1Filter{Extra: Extra{"x": RawJSON(`1`)}})
			return err
		},
		"update v1 of nothing": func() error {
			_, err := client.Nodes.UpdateV1(ctx, NodeV1Filter{UUID: "x"}, NodeV1Update{})
			return err
		},
		"update v1 without value": func() error {
			_, err := client.Nodes.UpdateV1(ctx, NodeV1Filter{UUID: "x"}, NodeV1Update{Enabled: Null[bool]()})
			return err
		},
		"rename v1 to blanks": func() error {
			_, err := client.Nodes.UpdateV1(ctx, NodeV1Filter{UUID: "x"}, NodeV1Update{Hostname: Set(" "), Enabled: Set(true)})
			return err
		},
		"rename v1 to null": func() error {
			_, err := client.Nodes.UpdateV1(ctx, NodeV1Filter{UUID: "x"}, NodeV1Update{Hostname: Null[string](), Enabled: Set(true)})
			return err
		},
		"instances of no group": func() error {
			for _, err := range client.Nodes.Instances(ctx, 0) {
				return err
			}
			return nil
		},
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests())
}

func TestNodeSecretsAreHidden(t *testing.T) {
	client, _ := newTestClient(t, answerJSON(`{"status":200,"body":{"id":10444555777,"hostname":"edge","type":"cloud_node",
		"token":"test-token-node","secret":"test-secret-node"}}`))
	node, err := client.Nodes.Create(t.Context(), NewNode{Hostname: "edge"})
	require.NoError(t, err)
	require.EqualValues(t, 10444555777, node.ID)
	require.Equal(t, "test-token-node", node.Token.Reveal())
	require.Equal(t, "test-secret-node", node.Secret.Reveal())
	encoded, err := json.Marshal(node)
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(node), fmt.Sprintf("%+v %#v", node, node), fmt.Sprintf("%+v", *node), string(encoded)} {
		require.NotContains(t, shown, "test-token-node")
		require.NotContains(t, shown, "test-secret-node")
	}
}

func TestNodePackagesInBothForms(t *testing.T) {
	for _, text := range []string{
		`{"packages":{"nginx":{"current":"1.27.1"},"wallarm-node":{"current":"6.1.0","latest":"6.2.0","future":true}}}`,
		`{"packages":[{"component_name":"wallarm-node","current":"6.1.0"},{"component_name":"nginx","current":"1.27.1"}]}`,
		`{"packages":{},"operating_system":{"name":"Debian","ids":["a","b"],"more":{"x":1}}}`,
	} {
		var node Node
		require.NoError(t, json.Unmarshal([]byte(`{"node_env_params":`+text+`}`), &node))
		if pkg, ok := node.Environment.Packages.Get("wallarm-node"); ok {
			require.Equal(t, "6.1.0", pkg.Current)
		} else {
			require.Empty(t, node.Environment.Packages)
		}
		encoded, err := json.Marshal(node)
		require.NoError(t, err)
		var back map[string]RawJSON
		require.NoError(t, json.Unmarshal(encoded, &back))
		require.JSONEq(t, text, string(back["node_env_params"]))
	}
}

func TestNodeIsFoundByItsWholeName(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":[{"id":1,"hostname":"edge-10"},{"id":2,"hostname":"edge-1"}]}`))
	node, err := client.Nodes.GetByHostname(t.Context(), "edge-1", MaxItems(1))
	require.NoError(t, err)
	require.EqualValues(t, 2, node.ID)
	require.Equal(t, []string{"edge-1"}, server.requests()[0].Query["filter[hostname]"])
	_, err = client.Nodes.GetByHostname(t.Context(), "edge-2")
	require.ErrorIs(t, err, ErrNotFound)
	_, err = client.Nodes.GetByUUID(t.Context(), "2f1e0d9c-7777-4888-8999-aaaabbbbcccc")
	require.ErrorIs(t, err, ErrNotFound)
}
