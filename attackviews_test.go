package wallarm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

var _ = fixture(viewsList, func(ctx context.Context, c *Client) (any, error) { return c.AttackViews.List(ctx) })

var _ = fixture(viewsCreate, func(ctx context.Context, c *Client) (any, error) {
	return c.AttackViews.Create(ctx, NewAttackView{
		Name: "Payments, blocked only", Description: "weekly look", Visibility: ViewTenant,
		Config: RawJSON(`{"groupBy": "type", "timeRange": "-7d",
			"where": {"kind": "condition", "field": "status", "op": "=", "values": ["Blocked"]},
			"sorting": [{"id": "requests_count", "desc": true}], "columnVisibility": {}, "columnSizing": {}, "columnPinning": {}}`),
	})
})

var _ = fixture(viewsGet, func(ctx context.Context, c *Client) (any, error) { return c.AttackViews.Get(ctx, 42) })

var _ = fixture(viewsUpdate, func(ctx context.Context, c *Client) (any, error) {
	return c.AttackViews.Update(ctx, 42, AttackViewUpdate{Name: Set("Payments, blocked (prod)")})
})

var _ = fixture(viewsDelete, func(ctx context.Context, c *Client) (any, error) { return nil, c.AttackViews.Delete(ctx, 42) })

var _ = fixture(viewsDuplicate, func(ctx context.Context, c *Client) (any, error) {
	return c.AttackViews.Duplicate(ctx, 42, "Payments, blocked (prod)")
})

var _ = fixture(viewsSetDefault, func(ctx context.Context, c *Client) (any, error) { return nil, c.AttackViews.SetDefault(ctx, 42) })

func TestViewConfigSurvivesUnchanged(t *testing.T) {
	t.Parallel()
	const config = `{"zoom": 1.50, "a": [ ], "groupBy": "type"}`
	client, server := newTestClient(t, jsonAnswer(`{"id":42,"name":"v","config":`+config+`,"visibility":"org","is_preset":false,"is_default":true}`))
	view, err := client.AttackViews.Get(t.Context(), 42)
	require.NoError(t, err)
	_, err = client.AttackViews.Update(t.Context(), view.ID, AttackViewUpdate{Config: Set(view.Config), Description: Null[string]()})
	require.NoError(t, err)
	var sent map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(server.requests()[1].Body, &sent))
	require.JSONEq(t, config, string(sent["config"]))
	require.Equal(t, "null", string(sent["description"]))
	require.NotContains(t, sent, "name", "what was not set is not sent")
}

func TestViewUpdateWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = io.WriteString(w, `{"id":42,"name":"new"}`)
	})
	view, err := client.AttackViews.Update(t.Context(), 42, AttackViewUpdate{Name: Set("new")})
	require.NoError(t, err)
	require.Equal(t, "new", view.Name)
}

func TestAnswersWithoutAView(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"id":42,"name":"new"}`)
			return
		}
		_, _ = io.WriteString(w, `{"status":200}`)
	})
	view, err := client.AttackViews.Update(t.Context(), 42, AttackViewUpdate{Name: Set("new")})
	require.NoError(t, err)
	require.Equal(t, int64(42), view.ID, "the view is read")
	require.Len(t, server.requests(), 2)
	_, err = client.AttackViews.Create(t.Context(), NewAttackView{Name: "v", Config: RawJSON(`{}`)})
	require.ErrorIs(t, err, ErrOutcomeUnknown, "a view without an id must not be returned")
	_, err = client.AttackViews.Duplicate(t.Context(), 42, "v")
	require.ErrorIs(t, err, ErrOutcomeUnknown)
}

func TestViewsBesideOtherMembers(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, jsonAnswer(`{"data":[{"id":1,"name":"a"},{"id":2,"name":"b"}],"total":2}`))
	views, err := client.AttackViews.List(t.Context())
	require.NoError(t, err)
	require.Len(t, views, 2)
}

func TestViewIDsAreCheckedFirst(t *testing.T) {
	t.Parallel()
	client, server := newUnidentifiedClient(t)
	_, err := client.AttackViews.Get(t.Context(), 0)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Hits.Dropped(t.Context(), "")
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Empty(t, server.requests(), "the client id is not asked for either")
}

// newUnidentifiedClient makes a client that does not know its client id yet.
func newUnidentifiedClient(t *testing.T) (*Client, *answerer) {
	t.Helper()
	a := &answerer{answer: jsonAnswer(`{}`)}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	client, err := New(US, Token("test-token-fixture"), WithBaseURL(server.URL), WithHTTPClient(server.Client()))
	require.NoError(t, err)
	return client, a
}

func TestViewDeletedTwice(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	require.NoError(t, client.AttackViews.Delete(t.Context(), 42))
	require.ErrorIs(t, client.AttackViews.SetDefault(t.Context(), 42), ErrNotFound)
}

func TestViewArguments(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{}`))
	ctx, views := t.Context(), client.AttackViews
	object := RawJSON(`{}`)
	create := func(v NewAttackView) error { _, err := views.Create(ctx, v); return err }
	update := func(id int64, u AttackViewUpdate) error { _, err := views.Update(ctx, id, u); return err }
	for name, err := range map[string]error{
		"no name":         create(NewAttackView{Config: object}),
		"no config":       create(NewAttackView{Name: "v"}),
		"config is list":  create(NewAttackView{Name: "v", Config: RawJSON(`[]`)}),
		"config is cut":   create(NewAttackView{Name: "v", Config: RawJSON(`{"a":`)}),
		"nothing":         update(42, AttackViewUpdate{}),
		"empty name":      update(42, AttackViewUpdate{Name: Set("")}),
		"null name":       update(42, AttackViewUpdate{Name: Null[string]()}),
		"null config":     update(42, AttackViewUpdate{Config: Null[RawJSON]()}),
		"id":              update(0, AttackViewUpdate{Name: Set("v")}),
		"delete no id":    views.Delete(ctx, 0),
		"default no id":   views.SetDefault(ctx, -1),
		"duplicate":       func() error { _, err := views.Duplicate(ctx, 42, ""); return err }(),
		"get nothing":     func() error { _, err := views.Get(ctx, 0); return err }(),
		"wrong client id": func() error { _, err := views.List(ctx, WithClientID(0)); return err }(),
	} {
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests(), "what is refused must not be sent")
}
