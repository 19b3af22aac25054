package wallarm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var shopPolicy = APISpecPolicy{
	Enabled: true,
	Conditions: []PolicyCondition{
		{Type: "iequal", Point: Point{Header("host")}, Value: "shop.example.com"},
		{Type: "absent", Point: Point{IndexedStep("path", 0)}},
	},
	UndefinedEndpointMode: PolicyBlock, UndefinedParameterMode: PolicyMonitor, MissingParameterMode: PolicyIgnore,
	InvalidParameterValueMode: PolicyMonitor, MissingAuthMode: PolicyBlock, InvalidRequestMode: PolicyMonitor,
	TimeoutMode: PolicyMonitor, Timeout: new(int64(1500)), MaxRequestSizeMode: PolicyBlock, MaxRequestSize: new(int64(64)),
}

var (
	_ = fixture(apiSpecsList, func(ctx context.Context, c *Client) (any, error) {
		return c.APISpecs.List(ctx, PageOptions{Limit: 20, Offset: 40})
	})
	_ = fixture(apiSpecsGet, func(ctx context.Context, c *Client) (any, error) { return c.APISpecs.Get(ctx, 6601) })
	_ = fixture(apiSpecsCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.APISpecs.Create(ctx, NewAPISpec{
			Title: "Shop API", Description: "public part", FileRemoteURL: SecretOf("https://specs.example.com/shop.yaml"), RegularFileUpdate: true,
			APIDetection: true, Instances: []int64{42}, Domains: []string{"shop.example.com"},
			AuthHeaders: []AuthHeader{{Key: "X-Spec-Key", Value: SecretOf("test-token-spec")}},
		})
	})
	_ = fixture(apiSpecsUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.APISpecs.Update(ctx, 6601, APISpecUpdate{
			Title: Set("Shop API v2"), Description: Set(""), FileRemoteURL: Set(SecretOf("https://specs.example.com/shop2.yaml")),
			RegularFileUpdate: Set(false), APIDetection: Set(false), Instances: Set([]int64{}), Domains: Set[[]string](nil),
			AuthHeaders: Set([]AuthHeader{{Key: "X-Spec-Key", Value: SecretOf("test-token-spec")}}),
		})
	})
	_ = fixture(apiSpecsDelete, func(ctx context.Context, c *Client) (any, error) { return nil, c.APISpecs.Delete(ctx, 6601) })
	_ = fixture(apiSpecsSetPolicy, func(ctx context.Context, c *Client) (any, error) { return c.APISpecs.SetPolicy(ctx, 6601, shopPolicy) })
	_ = fixture(apiSpecsSyncState, func(ctx context.Context, c *Client) (any, error) {
		return c.APISpecs.SyncState(ctx, []APISpecVersion{{ID: 6601, Version: 4}, {ID: 6602}})
	})
	_ = fixture(apiSpecsSyncNodes, func(ctx context.Context, c *Client) (any, error) { return c.APISpecs.SyncNodes(ctx, 6601, 4) })
)

// A missing specification is a 404 or an empty answer, and a delete takes both for success.
func TestMissingAPISpec(t *testing.T) {
	for _, answer := range []struct {
		status int
		body   string
	}{{404, `{"status":404,"body":"Api spec with ID:77 not found"}`}, {200, `{"status":200,"body":null}`}} {
		client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(answer.status)
			_, _ = io.WriteString(w, answer.body)
		})
		_, err := client.APISpecs.Get(t.Context(), 77)
		require.ErrorIs(t, err, ErrNotFound)
		require.NoError(t, client.APISpecs.Delete(t.Context(), 77))
	}
}

func TestAPISpecPages(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("page")
		// The server may give fewer per page than it was asked for.
		_, _ = fmt.Fprintf(w, `{"items":[{"id":%s1},{"id":%s2}],"current_page":%s,"per_page":2,"total_pages":3,"total_count":6}`, page, page, page)
	})
	var ids []int64
	for spec, err := range client.APISpecs.All(t.Context()) {
		require.NoError(t, err)
		ids = append(ids, spec.ID)
	}
	require.Equal(t, []int64{11, 12, 21, 22, 31, 32}, ids)
	require.Len(t, server.requests(), 3)
	require.Equal(t, "page=3&per_page=50", server.requests()[2].Query.Encode())
	for page, err := range client.APISpecs.Pages(t.Context(), PageOptions{Limit: 2, Offset: 4}) {
		require.NoError(t, err)
		require.EqualValues(t, 31, page.Items[0].ID)
		require.EqualValues(t, 6, page.Total)
		require.False(t, page.More)
	}
}

func TestAPISpecArguments(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {})
	s, ctx := client.APISpecs, t.Context()
	create := func(change func(*NewAPISpec)) func() error {
		spec := NewAPISpec{Title: "x", FileRemoteURL: SecretOf("https://specs.example.com/x.yaml")}
		change(&spec)
		return func() error { _, err := s.Create(ctx, spec); return err }
	}
	update := func(u APISpecUpdate) func() error {
		return func() error { _, err := s.Update(ctx, 1, u); return err }
	}
	policy := func(p APISpecPolicy) func() error {
		return func() error { _, err := s.SetPolicy(ctx, 1, p); return err }
	}
	for name, call := range map[string]func() error{
		"no title":        create(func(s *NewAPISpec) { s.Title = "" }),
		"no URL":          create(func(s *NewAPISpec) { s.FileRemoteURL = SecretOf("") }),
		"masked URL":      create(func(s *NewAPISpec) { s.FileRemoteURL = SecretOf("[redacted]") }),
		"file URL":        create(func(s *NewAPISpec) { s.FileRemoteURL = SecretOf("file:///secret") }),
		"no key":          create(func(s *NewAPISpec) { s.AuthHeaders = []AuthHeader{{Value: SecretOf("x")}} }),
		"broken key":      create(func(s *NewAPISpec) { s.AuthHeaders = []AuthHeader{{Key: "a\nb", Value: SecretOf("x")}} }),
		"masked header":   create(func(s *NewAPISpec) { s.AuthHeaders = []AuthHeader{{Key: "a", Value: SecretOf("[redacted]")}} }),
		"no change":       update(APISpecUpdate{}),
		"null title":      update(APISpecUpdate{Title: Null[string]()}),
		"empty title":     update(APISpecUpdate{Title: Set("")}),
		"null list":       update(APISpecUpdate{Domains: Null[[]string]()}),
		"masked update":   update(APISpecUpdate{AuthHeaders: Set([]AuthHeader{{Key: "a", Value: SecretOf("***")}})}),
		"masked URL too":  update(APISpecUpdate{FileRemoteURL: Set(SecretOf("https://specs.example.com/?token=***"))}),
		"untyped":         policy(APISpecPolicy{Conditions: []PolicyCondition{{Point: Point{NewStep("uri")}}}}),
		"pointless":       policy(APISpecPolicy{Conditions: []PolicyCondition{{Type: "equal"}}}),
		"empty regex":     policy(APISpecPolicy{Conditions: []PolicyCondition{{Type: "regex", Point: Point{Header("HOST")}}}}),
		"absent value":    policy(APISpecPolicy{Conditions: []PolicyCondition{{Type: "absent", Point: Point{Header("X-Env")}, Value: "staging"}}}),
		"remote address":  policy(APISpecPolicy{Conditions: []PolicyCondition{{Type: "equal", Point: Point{RemoteAddr()}, Value: "192.0.2.1"}}}),
		"negative":        policy(APISpecPolicy{Timeout: new(int64(-1))}),
		"nothing to sync": func() error { _, err := s.SyncState(ctx, nil); return err },
		"sync id":         func() error { _, err := s.SyncState(ctx, []APISpecVersion{{}}); return err },
		"sync version":    func() error { _, err := s.SyncNodes(ctx, 1, -1); return err },
		"id":              func() error { _, err := s.Get(ctx, 0); return err },
		"delete id":       func() error { return s.Delete(ctx, -7) },
		"offset":          func() error { _, err := s.List(ctx, PageOptions{Limit: 20, Offset: 30}); return err },
		"order":           func() error { _, err := s.List(ctx, PageOptions{OrderBy: "id"}); return err },
		"limit":           func() error { _, err := s.List(ctx, PageOptions{Limit: 51}); return err },
	} {
		err := call()
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		require.NotContains(t, err.Error(), "secret")
	}
	require.Empty(t, server.requests())
}

func TestAPISpecSecretsAreHidden(t *testing.T) {
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":200,"body":{"id":1,"file_remote_url":"https://user:secret@specs.example.com/x?key=secret",
			"auth_headers":[{"key":"X-Key","value":"secret"}],"file":{"name":"x","signed_url":"https://files.example.com/x?signature=secret"}}}`)
	})
	spec, err := client.APISpecs.Get(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "secret", spec.AuthHeaders[0].Value.Reveal())
	require.Contains(t, spec.File.SignedURL.Reveal(), "signature=secret")
	update := APISpecUpdate{FileRemoteURL: Set(spec.FileRemoteURL), AuthHeaders: Set(spec.AuthHeaders)}
	create := NewAPISpec{FileRemoteURL: spec.FileRemoteURL, AuthHeaders: spec.AuthHeaders}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "a", spec, "b", *spec.File, "c", update, "d", create)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "a", spec, "b", *spec.File, "c", update, "d", create)
	shown := []string{log.String()}
	for _, v := range []any{spec, *spec, spec.File, spec.AuthHeaders, update, create, []*APISpec{spec}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
		dump, err := json.Marshal(v)
		require.NoError(t, err)
		shown = append(shown, string(dump))
	}
	for _, text := range shown {
		require.NotContains(t, text, "secret")
		require.NotContains(t, text, "736563726574")
	}
}

func TestAPISpecUpdateSendsWhatIsSet(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":200,"body":{"id":1}}`)
	})
	_, err := client.APISpecs.Update(t.Context(), 1, APISpecUpdate{APIDetection: Set(false), Domains: Set[[]string](nil)})
	require.NoError(t, err)
	require.JSONEq(t, `{"api_detection":false,"domains":[]}`, string(server.requests()[0].Body))
	_, err = client.APISpecs.SyncNodes(t.Context(), 1, 0)
	require.NoError(t, err)
	require.Empty(t, server.requests()[1].Body)
}

func TestAuthHeadersMayBeEmpty(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{"status":200,"body":{"id":1}}`))
	_, err := client.APISpecs.Update(t.Context(), 1, APISpecUpdate{AuthHeaders: Set([]AuthHeader{{Key: "X-Empty"}})})
	require.NoError(t, err)
	require.JSONEq(t, `{"auth_headers":[{"key":"X-Empty","value":""}]}`, string(server.requests()[0].Body))
}

func TestPolicySendsItsConditionsAlways(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":200,"body":{"enabled":false}}`)
	})
	_, err := client.APISpecs.SetPolicy(t.Context(), 1, APISpecPolicy{})
	require.NoError(t, err)
	require.JSONEq(t, `{"enabled":false,"conditions":[]}`, string(server.requests()[0].Body))
	var condition PolicyCondition
	require.NoError(t, json.Unmarshal([]byte(`{"type":"equal","point":[["path",1]],"value":"","note":"x"}`), &condition))
	again, err := json.Marshal(condition)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"equal","point":["path",1],"value":"","note":"x"}`, string(again))
}
