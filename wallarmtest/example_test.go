package wallarmtest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// attackedHosts is the code under test: the hosts with incidents.
func attackedHosts(ctx context.Context, client *wallarm.Client) (hosts []string, err error) {
	for incident, err := range client.Incidents.All(ctx, wallarm.AttackFilter{}) {
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, incident.Domain)
	}
	return hosts, nil
}

// A test of code that uses the SDK: fill the cloud, run the code, look at the
// result and at what was asked. In a test, NewServer(t) replaces the first
// three lines.
func Example() {
	cloud := wallarmtest.NewCloud()
	server := httptest.NewServer(cloud)
	defer server.Close()
	cloud.SeedAttacks(
		wallarmtest.Attack{Domain: "shop.example.com", VulnID: 90210},
		wallarmtest.Attack{Domain: "www.example.com"},
	)
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(server.URL))
	if err != nil {
		panic(err)
	}
	hosts, err := attackedHosts(context.Background(), client)
	fmt.Println(hosts, err)
	// The second call sees that there is nothing behind the first page, which was not full.
	fmt.Println("calls:", len(cloud.RequestsOf("attacks.list")))
	// Output:
	// [shop.example.com] <nil>
	// calls: 2
}

// blockPath makes a rule over plain HTTP.
func blockPath(baseURL, token, host string) error {
	body := fmt.Sprintf(`{"type":"vpatch","clientid":%d,"attack_type":"any","point":[["header","HOST"]],
		"action":[{"type":"iequal","point":["header","HOST"],"value":%q}]}`, wallarmtest.DefaultClientID, host)
	req, err := http.NewRequest(http.MethodPost, baseURL+"/v1/objects/hint/create", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-WallarmApi-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Any client will do, in any language.
func Example_anyClient() {
	cloud := wallarmtest.NewCloud()
	server := httptest.NewServer(cloud)
	defer server.Close()

	if err := blockPath(server.URL, wallarmtest.AdminToken, "shop.example.com"); err != nil {
		fmt.Println(err)
	}

	fmt.Println("create calls:", len(cloud.RequestsOf("rules.create")))
	fmt.Println("rules:", len(cloud.Rules()))
	// Output:
	// create calls: 1
	// rules: 1
}

// A fault that applies the change and then loses the answer.
func ExampleCloud_Inject() {
	cloud := wallarmtest.NewCloud()
	server := httptest.NewServer(cloud)
	defer server.Close()
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "rules.create", Count: 1})

	err := blockPath(server.URL, wallarmtest.AdminToken, "shop.example.com")

	fmt.Println("answered:", err == nil)
	fmt.Println("rules:", len(cloud.Rules()))
	// Output:
	// answered: false
	// rules: 1
}
