package wallarmtest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// blockPath stands for the code under test: it makes a rule over HTTP.
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

// In a test, NewServer(t) replaces the first three lines.
func Example() {
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
