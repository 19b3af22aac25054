package wallarm

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var inventorySince = time.Unix(1755600000, 0)

var _ = fixture(apiDiscoveryList, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.List(ctx, APIEndpointFilter{
		Domains: []string{"shop.example.com"}, ApplicationIDs: []int64{42, -1}, Actual: Set(true), Internal: Set(false),
		ModifiedSince: inventorySince, ModificationStates: []ModificationState{InventoryNew, InventoryOutdated},
		Risks: []EndpointRisk{EndpointRiskHigh}, APISpecIDs: []int64{6601}, PII: []PIIType{PIIEmail, PIICVV},
	}, PageOptions{Limit: 50, Offset: 100, OrderBy: "hits_count", Order: Descending})
})

var _ = fixture(apiDiscoveryCount, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.Count(ctx, APIEndpointFilter{
		Methods: []string{"GET", "POST"}, Risks: []EndpointRisk{EndpointRiskMedium}, WithVulns: Set(false), HasBOLATrigger: Set(true),
	})
})

var _ = fixture(apiDiscoveryGet, func(ctx context.Context, c *Client) (any, error) { return c.APIDiscovery.Get(ctx, 71001) })

var _ = fixture(apiDiscoveryCreate, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.Create(ctx, NewAPIEndpoint{Method: "PATCH", URL: "shop.example.com/orders/{id}", Conditions: []EndpointCondition{
		{Type: EndpointEqualFold, Value: "shop.example.com", Point: Point{Header("host")}},
		{Type: EndpointEqual, Value: "orders", Point: Point{IndexedStep("path", 0)}},
	}})
})

var _ = fixture(apiDiscoveryUpdate, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.Update(ctx, 71001, APIEndpointUpdate{Actual: Set(false)})
})

var _ = fixture(apiDiscoveryDelete, func(ctx context.Context, c *Client) (any, error) {
	return nil, c.APIDiscovery.Delete(ctx, 71001)
})

var _ = fixture(apiDiscoveryRiskFactors, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.RiskFactors(ctx, 71001)
})

var _ = fixture(apiDiscoveryConfig, func(ctx context.Context, c *Client) (any, error) { return c.APIDiscovery.Config(ctx) })

var _ = fixture(apiDiscoveryReplaceConfig, func(ctx context.Context, c *Client) (any, error) {
	return nil, c.APIDiscovery.ReplaceConfig(ctx, APIDiscoveryConfig{
		Enabled: true, Protocols: APIProtocols{REST: true, GraphQL: true, GRPC: true, MCP: true}, ApplyExtendedFilter: true,
		TypeDetectionThreshold: 0.5, PIIDetectionThreshold: 0.1, CallPointsStorageLimit: 50000,
		SensitiveSamples: SensitiveSamples{MinMasked: 20, MaxMasked: 80}, Stability: EndpointStability{MinCount: 3, MinTime: 300},
		ContentTypes: []string{"text/xml", "application/%json"}, Extensions: &APIExtensions{Enabled: true, Extensions: []string{"", "do"}},
	})
})

var _ = fixture(apiDiscoveryAuthParameters, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.AuthParameters(ctx)
})

var _ = fixture(apiDiscoveryAddAuthParameter, func(ctx context.Context, c *Client) (any, error) {
	return nil, c.APIDiscovery.AddAuthParameter(ctx, Point{Header("cookie"), NamedStep("cookie", "sid")})
})

var _ = fixture(apiDiscoveryListParameters, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.ListParameters(ctx, 71001, APIParameterFilter{
		Actual: Set(false), Hidden: []bool{true, false}, ModifiedSince: inventorySince, ModificationStates: []ModificationState{InventoryUpdated},
	}, PageOptions{})
})

var _ = fixture(apiDiscoveryCreateParameter, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.CreateParameter(ctx, 71001, NewAPIParameter{
		Context: ParameterInQuery, Type: ParameterInteger, Point: Point{NamedStep("get", "page")}, Name: "page", Format: "int32",
	})
})

var _ = fixture(apiDiscoveryGetParameter, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.GetParameter(ctx, 71001, 81001)
})

var _ = fixture(apiDiscoveryUpdateParameter, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.UpdateParameter(ctx, 71001, 81001, APIParameterUpdate{
		Required: Set(false), Point: Set(Point{IndexedStep("path", 1)}), Pattern: Null[string](), PatternName: Set(PatternHex),
	})
})

var _ = fixture(apiDiscoveryDeleteParameter, func(ctx context.Context, c *Client) (any, error) {
	return nil, c.APIDiscovery.DeleteParameter(ctx, 71001, 81001)
})

var _ = fixture(apiDiscoveryMethods, func(ctx context.Context, c *Client) (any, error) { return c.APIDiscovery.Methods(ctx) })

var _ = fixture(apiDiscoveryDomains, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.Domains(ctx, []int64{42, -1})
})

var _ = fixture(apiDiscoveryTree, func(ctx context.Context, c *Client) (any, error) { return c.APIDiscovery.Tree(ctx, Set(false)) })

var _ = fixture(apiDiscoveryStats, func(ctx context.Context, c *Client) (any, error) { return c.APIDiscovery.Stats(ctx) })

var _ = fixture(apiDiscoveryChanges, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.Changes(ctx, inventorySince)
})

var _ = fixture(apiDiscoveryExportCSV, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.ExportCSV(ctx, APIEndpointFilter{Search: "orders", VulnThreats: []EndpointRisk{EndpointRiskLow}})
})

var _ = fixture(apiDiscoveryExportOpenAPI, func(ctx context.Context, c *Client) (any, error) {
	return c.APIDiscovery.ExportOpenAPI(ctx, APIEndpointFilter{EndpointIDs: []int64{71001, 71002}, Shadow: Set(true), WithAttacks: Set(false)})
})

// TestAPIDiscoveryRefusesArguments checks that nothing is sent for arguments that cannot be right.
func TestAPIDiscoveryRefusesArguments(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s := client.APIDiscovery
	ctx := t.Context()
	point := Point{NamedStep("get", "page")}
	for name, call := range map[string]func() error{
		"no applications": func() error { _, err := s.Domains(ctx, []int64{}); return err },
		"list by endpoint ids": func() error {
			_, err := s.List(ctx, APIEndpointFilter{EndpointIDs: []int64{1}}, PageOptions{})
			return err
		},
		"unknown column": func() error {
			_, err := s.List(ctx, APIEndpointFilter{}, PageOptions{OrderBy: "name"})
			return err
		},
		"direction without column": func() error {
			_, err := s.List(ctx, APIEndpointFilter{}, PageOptions{Order: Ascending})
			return err
		},
		"page too large": func() error {
			_, err := s.List(ctx, APIEndpointFilter{}, PageOptions{Limit: 1001})
			return err
		},
		"states without a time": func() error {
			_, err := s.List(ctx, APIEndpointFilter{ModificationStates: []ModificationState{InventoryNew}}, PageOptions{})
			return err
		},
		"time without states": func() error {
			_, err := s.List(ctx, APIEndpointFilter{ModifiedSince: inventorySince}, PageOptions{})
			return err
		},
		"spec 0": func() error {
			_, err := s.List(ctx, APIEndpointFilter{APISpecIDs: []int64{0}}, PageOptions{})
			return err
		},
		"count of shadow endpoints": func() error {
			_, err := s.Count(ctx, APIEndpointFilter{Shadow: Set(false)})
			return err
		},
		"CSV of endpoint ids": func() error {
			_, err := s.ExportCSV(ctx, APIEndpointFilter{EndpointIDs: []int64{1}})
			return err
		},
		"OpenAPI of actual endpoints": func() error {
			_, err := s.ExportOpenAPI(ctx, APIEndpointFilter{Actual: Set(true)})
			return err
		},
		"endpoint 0": func() error { _, err := s.Get(ctx, 0); return err },
		"method": func() error {
			_, err := s.Create(ctx, NewAPIEndpoint{Method: "get", URL: "x", Conditions: []EndpointCondition{{Type: EndpointRegex, Point: point}}})
			return err
		},
		"no conditions": func() error { _, err := s.Create(ctx, NewAPIEndpoint{Method: "GET", URL: "x"}); return err },
		"condition without a type": func() error {
			_, err := s.Create(ctx, NewAPIEndpoint{Method: "GET", URL: "x", Conditions: []EndpointCondition{{Value: "x", Point: point}}})
			return err
		},
		"absent with a value": func() error {
			_, err := s.Create(ctx, NewAPIEndpoint{Method: "GET", URL: "x", Conditions: []EndpointCondition{
				{Type: EndpointAbsent, Value: "x", Point: point},
			}})
			return err
		},
		"empty update":         func() error { _, err := s.Update(ctx, 1, APIEndpointUpdate{}); return err },
		"delete -1":            func() error { return s.Delete(ctx, -1) },
		"zero configuration":   func() error { return s.ReplaceConfig(ctx, APIDiscoveryConfig{}) },
		"threshold above 1":    func() error { return s.ReplaceConfig(ctx, APIDiscoveryConfig{TypeDetectionThreshold: 50}) },
		"no change":            func() error { _, err := s.UpdateConfig(ctx, nil); return err },
		"no point":             func() error { return s.AddAuthParameter(ctx, nil) },
		"header without name":  func() error { _, err := s.EnsureAuthParameter(ctx, Point{NewStep("header")}); return err },
		"header with no name":  func() error { return s.AddAuthParameter(ctx, Point{Header("")}) },
		"parameter of nothing": func() error { _, err := s.CreateParameter(ctx, 1, NewAPIParameter{}); return err },
		"parameter without name": func() error {
			_, err := s.CreateParameter(ctx, 1, NewAPIParameter{Context: ParameterInQuery, Type: ParameterString, Point: point})
			return err
		},
		"parameter without a context": func() error {
			_, err := s.CreateParameter(ctx, 1, NewAPIParameter{Name: "page", Type: ParameterString, Point: point})
			return err
		},
		"parameter without a type": func() error {
			_, err := s.CreateParameter(ctx, 1, NewAPIParameter{Name: "page", Context: ParameterInQuery, Point: point})
			return err
		},
		"parameter of a null context": func() error {
			_, err := s.UpdateParameter(ctx, 1, 2, APIParameterUpdate{Name: Set("page"), Context: Null[ParameterContext]()})
			return err
		},
		"parameter of a null type": func() error {
			_, err := s.UpdateParameter(ctx, 1, 2, APIParameterUpdate{Name: Set("page"), Type: Null[ParameterType]()})
			return err
		},
		"parameter of null need": func() error {
			_, err := s.UpdateParameter(ctx, 1, 2, APIParameterUpdate{Name: Set("page"), Required: Null[bool]()})
			return err
		},
		"parameter of a null point": func() error {
			_, err := s.UpdateParameter(ctx, 1, 2, APIParameterUpdate{Name: Set("page"), Point: Null[Point]()})
			return err
		},
		"order of parameters": func() error {
			_, err := s.ListParameters(ctx, 1, APIParameterFilter{}, PageOptions{OrderBy: "name"})
			return err
		},
		"direction of parameters": func() error {
			_, err := s.ListParameters(ctx, 1, APIParameterFilter{}, PageOptions{Order: Descending})
			return err
		},
		"changes before 1970": func() error {
			_, err := s.List(ctx, APIEndpointFilter{ModifiedSince: time.Unix(-1, 0), ModificationStates: []ModificationState{InventoryNew}}, PageOptions{})
			return err
		},
		"no URL": func() error {
			_, err := s.Create(ctx, NewAPIEndpoint{Method: "GET", Conditions: []EndpointCondition{{Type: EndpointRegex, Value: "x", Point: point}}})
			return err
		},
		"parameter update of nothing": func() error { _, err := s.UpdateParameter(ctx, 1, 2, APIParameterUpdate{}); return err },
		"parameter without a point": func() error {
			_, err := s.UpdateParameter(ctx, 1, 2, APIParameterUpdate{Point: Null[Point]()})
			return err
		},
		"changes since never": func() error { _, err := s.Changes(ctx, time.Time{}); return err },
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests())
}

// TestAPIDiscoveryUpdateConfigWantsAll: what an answer lacks would be written as zero.
func TestAPIDiscoveryUpdateConfigWantsAll(t *testing.T) {
	whole := readFixture(t, "apidiscovery.config").Responses["without_lists"].Body
	for name, drop := range map[string]func(config map[string]any){
		"protocols":                  func(c map[string]any) { delete(c, "protocols") },
		"protocols.mcp":              func(c map[string]any) { delete(c["protocols"].(map[string]any), "mcp") },
		"sensitive_samples":          func(c map[string]any) { c["sensitive_samples"] = nil },
		"apply_extended_filter":      func(c map[string]any) { c["apply_extended_filter"] = nil },
		"disabled_apps":              func(c map[string]any) { delete(c, "disabled_apps") },
		"server_variability.enabled": func(c map[string]any) { delete(c["server_variability"].(map[string]any), "enabled") },
	} {
		var answer map[string]any
		require.NoError(t, wire.Unmarshal(whole, &answer))
		drop(answer["body"].(map[string]any))
		body, err := wire.Marshal(answer)
		require.NoError(t, err)
		client, server := newTestClient(t, answerJSON(string(body)))
		_, err = client.APIDiscovery.UpdateConfig(t.Context(), func(*APIDiscoveryConfig) error { return nil })
		require.ErrorIs(t, err, ErrResponse, name)
		require.ErrorContains(t, err, "the answer has no "+name+",")
		require.Len(t, server.requests(), 1, name)
	}
}

// TestAPIDiscoveryUpdateConfigReadsBack: what a setting in another form says is written back, and what says nothing is not taken for zero.
func TestAPIDiscoveryUpdateConfigReadsBack(t *testing.T) {
	whole := readFixture(t, "apidiscovery.config").Responses["without_lists"].Body
	for _, test := range []struct {
		path, value string
		// written is what goes back, "" if nothing does.
		written string
	}{
		{"newnull", "null", "null"},
		{"endpoint_stability.q", "null", "null"},
		{"clientid", "null", "4711"},
		{"clientid", "0", "4711"},
		{"disabled_apps", "null", "[]"},
		{"disabled_apps", "42", "[42]"},
		{"disabled_apps", `""`, ""},
		{"disabled_apps", "[null]", ""},
		{"enabled", `"false"`, "false"},
		{"enabled", "0", "false"},
		{"enabled", `""`, ""},
		{"enabled", "[]", ""},
		{"enabled", "[null]", ""},
		{"protocols.rest", `""`, ""},
		{"protocols.rest", "null", ""},
		{"sensitive_samples.min_masked", `"12"`, "12"},
		{"sensitive_samples.min_masked", `""`, ""},
		{"type_detection_threshold", "[]", ""},
		{"allowed_content_types_patterns", `""`, ""},
		{"extensions_whitelist", `{"enabled":true}`, ""},
	} {
		var answer map[string]any
		require.NoError(t, wire.Unmarshal(whole, &answer))
		parent, name := answer["body"].(map[string]any), test.path
		if outer, inner, ok := strings.Cut(test.path, "."); ok {
			parent, name = parent[outer].(map[string]any), inner
		}
		parent[name] = RawJSON(test.value)
		body, err := wire.Marshal(answer)
		require.NoError(t, err)
		client, server := newTestClient(t, answerJSON(string(body)))
		_, err = client.APIDiscovery.UpdateConfig(t.Context(), func(*APIDiscoveryConfig) error { return nil })
		if test.written == "" {
			require.ErrorIs(t, err, ErrResponse, "%s %s", test.path, test.value)
			require.ErrorContains(t, err, test.path)
			require.Len(t, server.requests(), 1, "%s %s", test.path, test.value)
			continue
		}
		require.NoError(t, err, "%s %s", test.path, test.value)
		sent := RawJSON(server.requests()[1].Body)
		for _, name := range strings.Split(test.path, ".") {
			members, err := readObject(sent)
			require.NoError(t, err)
			sent = members[name]
		}
		require.Equal(t, test.written, string(sent), "%s %s", test.path, test.value)
	}
}

// TestAPIDiscoveryUpdateConfig checks that everything which was read is sent again, unknown members included.
func TestAPIDiscoveryUpdateConfig(t *testing.T) {
	file := readFixture(t, "apidiscovery.config")
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write(file.Responses["unknown_members"].Body)
			return
		}
		_, _ = io.WriteString(w, `{"status":200,"body":"OK"}`)
	})
	_, err := client.APIDiscovery.UpdateConfig(t.Context(), func(*APIDiscoveryConfig) error { return io.ErrUnexpectedEOF })
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Len(t, server.requests(), 1)

	config, err := client.APIDiscovery.UpdateConfig(t.Context(), func(c *APIDiscoveryConfig) error {
		c.Enabled, c.DisabledApplicationIDs = false, nil
		return nil
	})
	require.NoError(t, err)
	require.False(t, config.Enabled)
	requests := server.requests()
	require.Len(t, requests, 3)
	var sent, read map[string]any
	require.NoError(t, wire.Unmarshal(requests[2].Body, &sent))
	opened, err := wire.Open(file.Responses["unknown_members"].Body, inBody)
	require.NoError(t, err)
	require.NoError(t, wire.Unmarshal(opened.Payload, &read))
	read["clientid"], read["enabled"], read["disabled_apps"] = 4711.0, false, []any{}
	require.Equal(t, read, sent)

	other := *config
	other.ClientID = 5150
	require.ErrorIs(t, client.APIDiscovery.ReplaceConfig(t.Context(), other), ErrInvalidArgument)
}

// TestEndpointConditionTravels checks both directions and encoding/json.
func TestEndpointConditionTravels(t *testing.T) {
	for _, text := range []string{
		`{"type":"iequal","value":"shop.example.com","point":["header","HOST"]}`,
		`{"type":"absent","value":null,"point":["path",2]}`,
		`{"type":"later","value":"","point":["path",0],"more":{"a":1}}`,
	} {
		var c EndpointCondition
		require.NoError(t, c.UnmarshalJSON([]byte(text)))
		plain, err := c.MarshalJSON()
		require.NoError(t, err)
		require.JSONEq(t, text, string(plain))
		request, err := wire.Marshal(c)
		require.NoError(t, err)
		require.JSONEq(t, text, string(request))
	}
}

// TestEndpointGroupNarrowsAFilter merges a group's filter into one of the caller.
func TestEndpointGroupNarrowsAFilter(t *testing.T) {
	id := int64(-1)
	got := EndpointGroupFilter{Method: "GET", ApplicationID: &id, Domain: "shop.example.com"}.Within(APIEndpointFilter{Search: "orders"})
	require.Equal(t, APIEndpointFilter{
		Search: "orders", Methods: []string{"GET"}, ApplicationIDs: []int64{-1}, Domains: []string{"shop.example.com"},
	}, got)
	require.Equal(t, APIEndpointFilter{Search: "x"}, EndpointGroupFilter{}.Within(APIEndpointFilter{Search: "x"}))
}
