package wallarm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(applicationsList, func(ctx context.Context, c *Client) (any, error) {
		filter := ApplicationFilter{IDs: []int64{42}, Name: "Checkout", Not: &ApplicationFilter{IDs: []int64{1, 2}}}
		return c.Applications.List(ctx, filter, PageOptions{Limit: 500})
	})
	_ = fixture(applicationsCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.Applications.Create(ctx, NewApplication{ID: 42, Name: "Checkout"})
	})
	_ = fixture(applicationsUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Applications.rename(ctx, 42, "Checkout v2", nil)
	})
	_ = fixture(applicationsDelete, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Applications.Delete(ctx, 42)
	})
)

func TestApplicationArgumentsAreChecked(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{}`))
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"create without a name":    func() error { _, err := client.Applications.Create(ctx, NewApplication{ID: 1}); return err },
		"create the default one":   func() error { _, err := client.Applications.Create(ctx, NewApplication{ID: -1, Name: "x"}); return err },
		"rename to nothing":        func() error { return client.Applications.Rename(ctx, 1, "") },
		"rename of no application": func() error { return client.Applications.Rename(ctx, AllApplications, "x") },
		"delete the default one":   func() error { return client.Applications.Delete(ctx, DefaultApplication) },
		"delete all":               func() error { return client.Applications.Delete(ctx, AllApplications) },
		"get of no application":    func() error { _, err := client.Applications.Get(ctx, -2); return err },
		"not within not": func() error {
			filter := ApplicationFilter{Not: &ApplicationFilter{Not: &ApplicationFilter{}}}
			_, err := client.Applications.List(ctx, filter, PageOptions{})
			return err
		},
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests())
}

func TestApplicationCreateWithoutIDSendsNone(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":{"id":43,"clientid":4711,"name":"Shop","deleted":false}}`))
	made, err := client.Applications.Create(t.Context(), NewApplication{Name: "Shop"})
	require.NoError(t, err)
	require.EqualValues(t, 43, made.ID)
	require.JSONEq(t, `{"clientid":4711,"name":"Shop"}`, string(server.requests()[0].Body))
}

func TestRenameOfNothingIsNotFound(t *testing.T) {
	client, _ := newTestClient(t, answerJSON(`{"status":200,"body":[]}`))
	require.ErrorIs(t, client.Applications.Rename(t.Context(), 42, "x"), ErrNotFound)
}
