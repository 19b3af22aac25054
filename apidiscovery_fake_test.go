package wallarm_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// inventoryClient is an administrator's client of a cloud of its own.
func inventoryClient(t *testing.T, token string, options ...wallarmtest.Option) (*wallarm.Client, *wallarmtest.Server) {
	t.Helper()
	cloud := wallarmtest.NewServer(t, options...)
	client, err := wallarm.New(wallarm.US, wallarm.Token(token), wallarm.WithBaseURL(cloud.URL),
		wallarm.WithDefaults(wallarm.WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	return client, cloud
}

// TestAPIDiscoveryConfigOnTheFake changes one setting and keeps the rest, what this SDK does not know included.
func TestAPIDiscoveryConfigOnTheFake(t *testing.T) {
	client, cloud := inventoryClient(t, wallarmtest.AdminToken)
	ctx := t.Context()
	config, err := client.APIDiscovery.Config(ctx)
	require.NoError(t, err)
	require.True(t, config.Enabled)
	config.Extra = wallarm.Extra{"next_year": wallarm.RawJSON(`{"a":1}`)}
	require.NoError(t, client.APIDiscovery.ReplaceConfig(ctx, *config))

	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "apidiscovery.replaceConfig", Count: 1})
	changed, err := client.APIDiscovery.UpdateConfig(ctx, func(c *wallarm.APIDiscoveryConfig) error {
		c.Enabled, c.DisabledApplicationIDs, c.Variability.ByCustomPaths.Paths = false, []int64{42}, []string{"/v*/orders"}
		return nil
	})
	require.NoError(t, err, "a whole replacement is repeated after a lost answer")
	require.False(t, changed.Enabled)
	config, err = client.APIDiscovery.Config(ctx)
	require.NoError(t, err)
	require.False(t, config.Enabled)
	require.Equal(t, []int64{42}, config.DisabledApplicationIDs)
	require.Equal(t, []string{"/v*/orders"}, config.Variability.ByCustomPaths.Paths)
	require.JSONEq(t, `{"a":1}`, string(config.Extra["next_year"]))

	reader, _ := inventoryClient(t, wallarmtest.AuditorToken)
	config, err = reader.APIDiscovery.Config(ctx)
	require.NoError(t, err)
	require.ErrorIs(t, reader.APIDiscovery.ReplaceConfig(ctx, *config), wallarm.ErrForbidden)
	_, err = client.Tenant(wallarmtest.OtherClientID).APIDiscovery.Config(ctx)
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

// TestAuthParametersOnTheFake adds a parameter once, whatever happens to the answer.
func TestAuthParametersOnTheFake(t *testing.T) {
	client, cloud := inventoryClient(t, wallarmtest.AdminToken)
	ctx := t.Context()
	point := wallarm.Point{wallarm.Header("x-shop-auth")}
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "apidiscovery.addAuthParameter", Count: 1})
	_, err := client.APIDiscovery.EnsureAuthParameter(ctx, point)
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	added, err := client.APIDiscovery.EnsureAuthParameter(ctx, point)
	require.NoError(t, err)
	require.False(t, added, "the first call had added it")
	added, err = client.APIDiscovery.EnsureAuthParameter(ctx, wallarm.Point{wallarm.Header("cookie"), wallarm.NamedStep("cookie", "sid")})
	require.NoError(t, err)
	require.True(t, added)
	require.Len(t, cloud.Objects("api_auth_parameters"), 2)
}

// TestAPIEndpointsOnTheFake makes endpoints, lists, changes and deletes them.
func TestAPIEndpointsOnTheFake(t *testing.T) {
	client, cloud := inventoryClient(t, wallarmtest.AdminToken)
	s, ctx := client.APIDiscovery, t.Context()
	host := wallarm.EndpointCondition{Type: wallarm.EndpointEqualFold, Value: "shop.example.com", Point: wallarm.Point{wallarm.Header("host")}}
	var ids []int64
	for _, method := range []string{"GET", "POST", "DELETE"} {
		made, err := s.Create(ctx, wallarm.NewAPIEndpoint{
			Method: method, URL: "shop.example.com/orders/{id}", Conditions: []wallarm.EndpointCondition{
				host, {Type: wallarm.EndpointEqual, Value: "orders", Point: wallarm.Point{wallarm.IndexedStep("path", 0)}},
			},
		})
		require.NoError(t, err)
		require.Equal(t, "/orders/{id}", made.Path)
		index, isIndex := made.Conditions[1].Point[0].Index()
		require.True(t, isIndex)
		require.Zero(t, index)
		ids = append(ids, made.ID)
	}
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "apidiscovery.create", Count: 1})
	_, err := s.Create(ctx, wallarm.NewAPIEndpoint{Method: "GET", URL: "api.example.com/", Conditions: []wallarm.EndpointCondition{host}})
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	require.Len(t, cloud.RequestsOf("apidiscovery.create"), 4, "a create is not repeated")

	var seen []int64
	for endpoint, err := range s.All(ctx, wallarm.APIEndpointFilter{Domains: []string{"shop.example.com"}}, wallarm.PageSize(2)) {
		require.NoError(t, err)
		seen = append(seen, endpoint.ID)
	}
	require.Equal(t, ids, seen)
	n, err := s.Count(ctx, wallarm.APIEndpointFilter{Methods: []string{"GET"}})
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	page, err := s.List(ctx, wallarm.APIEndpointFilter{Actual: wallarm.Set(true)}, wallarm.PageOptions{
		Limit: 1, OrderBy: "endpoint_domain", Order: wallarm.Descending,
	})
	require.NoError(t, err)
	require.True(t, page.More)
	require.Equal(t, "shop.example.com", page.Items[0].Domain)

	updated, err := s.Update(ctx, ids[0], wallarm.APIEndpointUpdate{Actual: wallarm.Set(false)})
	require.NoError(t, err)
	require.False(t, *updated.Actual)
	got, err := s.Get(ctx, ids[0])
	require.NoError(t, err)
	require.Equal(t, updated, got)
	_, err = s.RiskFactors(ctx, ids[0])
	require.ErrorIs(t, err, wallarm.ErrNotFound)

	for range 2 {
		require.NoError(t, s.Delete(ctx, ids[0]), "a repeated delete succeeds")
	}
	_, err = s.Get(ctx, ids[0])
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = s.Update(ctx, ids[0], wallarm.APIEndpointUpdate{Actual: wallarm.Set(true)})
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

// TestAPIInventoryOnTheFake reads what the platform has gathered.
func TestAPIInventoryOnTheFake(t *testing.T) {
	client, cloud := inventoryClient(t, wallarmtest.AdminToken)
	s, ctx := client.APIDiscovery, t.Context()
	for _, o := range []string{
		`{"method":"GET","url":"shop.example.com/a","domain":"shop.example.com","path":"/a","hits_count":2,"actual":true,"created_at":1000,
		  "updated_at":3000,"conditions":[{"type":"equal","point":["instance"],"value":"42"}],"vulns":[{"id":1,"threat":3}],
		  "risk_factors":{"query_parameters":1,"pii":2,"accepts_json":true}}`,
		`{"method":"POST","url":"api.example.com/b","domain":"api.example.com","path":"/b","internal":true,"actual":true,
		  "created_at":3000,"updated_at":3000,"conditions":[]}`,
	} {
		_, err := cloud.Put("api_endpoints", o)
		require.NoError(t, err)
	}
	methods, err := s.Methods(ctx)
	require.NoError(t, err)
	require.Len(t, methods, 2)
	domains, err := s.Domains(ctx, []int64{42})
	require.NoError(t, err)
	require.Len(t, domains, 1)
	page, err := s.List(ctx, domains[0].Filter.Within(wallarm.APIEndpointFilter{}), wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, "3", page.Items[0].Vulns[0].Threat)
	factors, err := s.RiskFactors(ctx, page.Items[0].ID)
	require.NoError(t, err)
	require.EqualValues(t, 2, factors.PII)
	tree, err := s.Tree(ctx, wallarm.Set(false))
	require.NoError(t, err)
	require.Len(t, tree, 1)
	require.Equal(t, "GET", tree[0].Nested[0].Nested[0].Name)
	stats, err := s.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, stats.Total)
	require.Equal(t, "42", stats.TopApplications[1].Application)
	changes, err := s.Changes(ctx, time.Unix(2000, 0))
	require.NoError(t, err)
	require.EqualValues(t, 1, changes.New)
	require.EqualValues(t, 1, changes.Changed)
	page, err = s.List(ctx, wallarm.APIEndpointFilter{
		ModifiedSince: time.Unix(2000, 0), ModificationStates: []wallarm.ModificationState{wallarm.InventoryNew},
	}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, wallarm.InventoryNew, page.Items[0].ModificationState)

	table, err := s.ExportCSV(ctx, wallarm.APIEndpointFilter{Search: "shop"})
	require.NoError(t, err)
	data, err := io.ReadAll(table)
	require.NoError(t, errors.Join(err, table.Close()))
	require.Equal(t, 2, strings.Count(string(data), "\n"))
	require.Equal(t, "text/csv", table.ContentType)
	description, err := s.ExportOpenAPI(ctx, wallarm.APIEndpointFilter{Internal: wallarm.Set(true)})
	require.NoError(t, err)
	data, err = io.ReadAll(description)
	require.NoError(t, errors.Join(err, description.Close()))
	require.Contains(t, string(data), `"/b"`)
	_, err = s.ExportOpenAPI(ctx, wallarm.APIEndpointFilter{Domains: []string{"none.example.com"}})
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

// TestAPIParametersOnTheFake makes parameters, lists, changes and deletes them.
func TestAPIParametersOnTheFake(t *testing.T) {
	client, _ := inventoryClient(t, wallarmtest.AdminToken)
	s, ctx := client.APIDiscovery, t.Context()
	endpoint, err := s.Create(ctx, wallarm.NewAPIEndpoint{Method: "GET", URL: "shop.example.com/", Conditions: []wallarm.EndpointCondition{
		{Type: wallarm.EndpointAbsent, Point: wallarm.Point{wallarm.IndexedStep("path", 1)}},
	}})
	require.NoError(t, err)
	made, err := s.CreateParameter(ctx, endpoint.ID, wallarm.NewAPIParameter{
		Context: wallarm.ParameterInPath, Type: wallarm.ParameterInteger, Required: true, Point: wallarm.Point{wallarm.IndexedStep("path", 1)},
		PatternName: wallarm.PatternInt,
	})
	require.NoError(t, err)
	require.Equal(t, "path(1)", made.Point.String())
	updated, err := s.UpdateParameter(ctx, endpoint.ID, made.ID, wallarm.APIParameterUpdate{
		Required: wallarm.Set(false), Name: wallarm.Set("id"), PatternName: wallarm.Set(wallarm.PatternHex),
	})
	require.NoError(t, err)
	require.False(t, updated.Required, "false travels")
	got, err := s.GetParameter(ctx, endpoint.ID, made.ID)
	require.NoError(t, err)
	require.Equal(t, updated, got)
	n := 0
	for parameter, err := range s.AllParameters(ctx, endpoint.ID, wallarm.APIParameterFilter{Hidden: []bool{false}}) {
		require.NoError(t, err)
		require.Equal(t, made.ID, parameter.ID)
		n++
	}
	require.Equal(t, 1, n)
	_, err = s.UpdateParameter(ctx, endpoint.ID, made.ID, wallarm.APIParameterUpdate{Context: wallarm.Set(wallarm.ParameterContext("trailer"))})
	require.ErrorIs(t, err, wallarm.ErrValidation)
	var api *wallarm.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, http.StatusBadRequest, api.StatusCode)
	require.Equal(t, "context", api.Fields[0].Field)
	for range 2 {
		require.NoError(t, s.DeleteParameter(ctx, endpoint.ID, made.ID))
	}
	_, err = s.GetParameter(ctx, endpoint.ID, made.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}
