package wallarm

import (
	"iter"
	"testing"

	"github.com/stretchr/testify/require"
)

func countItems[T any](items iter.Seq2[T, error]) (n int, err error) {
	for _, err := range items {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// TestItemsWithoutAnIDAreToldApart by what they say, whatever the form in which the id is missing.
func TestItemsWithoutAnIDAreToldApart(t *testing.T) {
	t.Parallel()
	for _, id := range []string{``, `"id":null,`, `"id":0,`, `"id":"0",`} {
		answer := `{"status":200,"body":[{` + id + `"name":"a","comment":"a"},{` + id + `"name":"b","comment":"b"},{` + id + `"name":"c","comment":"c"}]}`
		client := streamClient(t, stubTransport{answer})
		ctx := t.Context()
		for name, count := range map[string]func() (int, error){
			"activity log":    func() (int, error) { return countItems(client.ActivityLog.All(ctx, ActivityFilter{})) },
			"API endpoints":   func() (int, error) { return countItems(client.APIDiscovery.All(ctx, APIEndpointFilter{})) },
			"API specs":       func() (int, error) { return countItems(client.APISpecs.All(ctx)) },
			"applications":    func() (int, error) { return countItems(client.Applications.All(ctx, ApplicationFilter{})) },
			"IP lists":        func() (int, error) { return countItems(client.IPLists.All(ctx, IPFilter{})) },
			"nodes":           func() (int, error) { return countItems(client.Nodes.All(ctx, NodeFilter{})) },
			"reports":         func() (int, error) { return countItems(client.Reports.All(ctx, ReportFilter{})) },
			"rules":           func() (int, error) { return countItems(client.Rules.All(ctx, RuleFilter{})) },
			"scopes":          func() (int, error) { return countItems(client.Scopes.All(ctx, ScopeFilter{})) },
			"security issues": func() (int, error) { return countItems(client.SecurityIssues.All(ctx, SecurityIssueFilter{})) },
			"users":           func() (int, error) { return countItems(client.Users.All(ctx, UserFilter{})) },
			"vulnerabilities": func() (int, error) { return countItems(client.Vulns.All(ctx, VulnFilter{})) },
		} {
			n, err := count()
			require.NoError(t, err, name)
			require.Equal(t, 3, n, "%s, %s", name, id)
		}
	}
}
