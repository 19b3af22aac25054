package wallarm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFiltersSayNothingByOversight gives every method that takes a filter one with an empty list, and one with null, for each of its fields. A filter
// that travels as JSON says so there, or is refused if the field has a default; one that travels as a query has no word for it, and is refused before even the client id is asked for.
func TestFiltersSayNothingByOversight(t *testing.T) {
	t.Parallel()
	plain, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/user" {
			_, _ = io.WriteString(w, `{"status":200,"body":{"id":7,"clientid":4711}}`)
			return
		}
		_, _ = io.WriteString(w, `{"status":200,"body":[]}`)
	})
	refusals := map[string]int{}
	services := reflect.TypeFor[Client]()
	for i := range services.NumField() {
		service := services.Field(i)
		if !service.IsExported() || service.Type.Kind() != reflect.Pointer {
			continue
		}
		for j := range service.Type.NumMethod() {
			method := service.Type.Method(j)
			at := filterParameter(method.Type)
			if at < 0 || method.Name == "Watch" { // which never ends, and reads the list that All does
				continue
			}
			filters := method.Type.In(at)
			for k := range filters.NumField() {
				value, ok := unsayable(filters.Field(k).Type)
				if !ok {
					continue
				}
				name := service.Name + "." + method.Name + " with " + filters.Field(k).Name
				filter := reflect.New(filters).Elem()
				if user := filter.FieldByName("Username"); user.IsValid() {
					user.SetString("x") // which writes by filter must have
				}
				if span := filter.FieldByName("Time"); span.IsValid() && span.Type() == reflect.TypeFor[TimeRange]() {
					span.Set(reflect.ValueOf(Since(time.Unix(1785542400, 0)))) // which some lists must have
				}
				if partners := filter.FieldByName("PartnerIDs"); partners.IsValid() {
					partners.Set(reflect.ValueOf([]int64{1})) // which the list must have
				}
				without := reflect.New(filters).Elem()
				without.Set(filter)
				filter.Field(k).Set(value)
				// This one must ask for its client id.
				client, err := New(US, Token("test-token-filter"), WithBaseURL(plain.core.base.String()))
				require.NoError(t, err)
				before := len(server.requests())
				err = callWithFilter(t, reflect.ValueOf(*client).Field(i).Method(j), at-1, filter)
				var refused *ArgumentError
				if errors.As(err, &refused) {
					require.Len(t, server.requests(), before, name)
					if strings.Contains(err.Error(), "filter."+filters.Field(k).Name+":") {
						refusals[filters.Name()]++
					}
					continue
				}
				for _, request := range server.requests()[before:] {
					require.NotEqual(t, http.MethodGet, request.Method, "%s travelled as %s", name, request.Path)
				}
				if last := server.requests(); len(last) > before {
					_ = callWithFilter(t, reflect.ValueOf(*client).Field(i).Method(j), at-1, without)
					all := server.requests()
					require.NotEqual(t, string(all[len(all)-1].Body), string(last[len(last)-1].Body), "%s travelled as no condition", name)
				}
			}
		}
	}
	for _, name := range []string{
		"ActivityFilter", "APIEndpointFilter", "APIParameterFilter", "APITokenFilter", "DenyEventFilter", "DenyHistoryFilter", "IntegrationFilter", "IPFilter",
		"IPRuleFilter", "NodeFilter", "PartnerLinkFilter", "RegexFilter", "RulesetFilter", "RulesSettingsFilter", "SessionFilter", "SessionRequestFilter",
		"SnapshotFilter", "TenantQuery", "UserQuery",
	} {
		require.Positive(t, refusals[name], name)
	}
}

// filterParameter returns which parameter of a method, counted with the receiver, is a filter or query, or -1.
func filterParameter(method reflect.Type) int {
	for i := range method.NumIn() {
		in := method.In(i)
		if in.Kind() == reflect.Struct && (strings.HasSuffix(in.Name(), "Filter") || strings.HasSuffix(in.Name(), "Query")) {
			return i
		}
	}
	return -1
}

// unsayable returns an empty list or null of a type, if it has that.
func unsayable(t reflect.Type) (reflect.Value, bool) {
	if t.Kind() == reflect.Slice {
		return reflect.MakeSlice(t, 0, 0), true
	}
	null := reflect.New(t)
	if o, ok := null.Interface().(interface{ UnmarshalJSON([]byte) error }); ok && strings.HasPrefix(t.Name(), "Opt[") {
		return null.Elem(), o.UnmarshalJSON([]byte("null")) == nil
	}
	return reflect.Value{}, false
}

// callWithFilter calls a method, takes the first item if it returns an iterator, and returns its error. Other parameters are small values.
func callWithFilter(t *testing.T, method reflect.Value, at int, filter reflect.Value) error {
	t.Helper()
	in := make([]reflect.Value, 0, method.Type().NumIn())
	for i := range method.Type().NumIn() {
		kind := method.Type().In(i)
		value := reflect.New(kind).Elem()
		switch {
		case i == at:
			value = filter
		case kind == reflect.TypeFor[context.Context]():
			value = reflect.ValueOf(t.Context())
		case kind.Kind() == reflect.String:
			value.SetString("x")
		case value.CanInt():
			value.SetInt(1)
		case method.Type().IsVariadic() && i == method.Type().NumIn()-1:
			continue
		}
		in = append(in, value)
	}
	out := method.Call(in)
	last := out[len(out)-1]
	if last.Kind() == reflect.Func {
		for _, err := range last.Seq2() {
			last = err
			break
		}
	}
	err, _ := last.Interface().(error)
	return err
}

// TestEmptyListsDoNotWiden: an empty list that somebody computed is neither the own tenant nor everything.
func TestEmptyListsDoNotWiden(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[]}`))
	ctx, none := t.Context(), []int64{}
	page := PageOptions{}
	user := UserFilter{Email: "ada@example.com", ClientIDs: none}
	for name, err := range map[string]error{
		"delete users":   second(client.Users.DeleteMatching(ctx, user)),
		"update users":   second(client.Users.UpdateMatching(ctx, user, UserUpdate{Enabled: Set(false)})),
		"users":          second(client.Users.List(ctx, user, page)),
		"attacks":        second(client.Attacks.List(ctx, AttackFilter{ClientIDs: none}, page)),
		"attack count":   second(client.Attacks.Count(ctx, AttackFilter{ClientIDs: none})),
		"incidents":      second(client.Incidents.List(ctx, AttackFilter{ClientIDs: none}, page)),
		"hits":           second(client.Hits.List(ctx, HitFilter{ClientIDs: none}, page)),
		"rules":          second(client.Rules.List(ctx, RuleFilter{ClientIDs: none}, page)),
		"rules settings": second(client.RuleSettings.List(ctx, RulesSettingsFilter{ClientIDs: none}, page)),
		"scopes":         second(client.Scopes.List(ctx, ScopeFilter{ClientIDs: none}, page)),
		"vulns":          second(client.Vulns.List(ctx, VulnFilter{ClientIDs: none}, page)),
		"vuln count":     second(client.Vulns.Count(ctx, VulnFilter{ClientIDs: none})),
		"applications":   second(client.Applications.List(ctx, ApplicationFilter{ClientIDs: none}, page)),
		"nodes":          second(client.Nodes.List(ctx, NodeFilter{ClientIDs: none}, page)),
		"search":         second(client.Stats.Search(ctx, SearchRequest{Query: "attacks", ClientIDs: none})),
		"domains":        second(client.APIDiscovery.Domains(ctx, none)),
	} {
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		require.ErrorContains(t, err, "is empty", name)
	}
	require.Empty(t, server.requests())

	_, _ = client.Vulns.Count(ctx, VulnFilter{IDs: none, Not: &VulnFilter{IDs: none}})
	require.Len(t, server.requests(), 1)
	require.JSONEq(t, `{"filter":{"id":[],"clientid":[4711],"!id":[]}}`, string(server.requests()[0].Body))
}
