package wallarm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// inFakeCloud makes the environment that of a fake cloud with sample data, until the returned function is called.
func inFakeCloud() (ctx context.Context, end func()) {
	cloud := wallarmtest.NewCloud(wallarmtest.WithSampleData())
	server := httptest.NewServer(cloud)
	for name, value := range map[string]string{wallarm.EnvHost: server.URL, wallarm.EnvToken: wallarmtest.AdminToken} {
		if err := os.Setenv(name, value); err != nil {
			log.Fatal(err)
		}
	}
	return context.Background(), func() {
		os.Unsetenv(wallarm.EnvHost)
		os.Unsetenv(wallarm.EnvToken)
		server.Close()
	}
}

func exampleClient() *wallarm.Client {
	client, err := wallarm.NewFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	return client
}

func Example() {
	ctx, end := inFakeCloud()
	defer end()
	log.SetFlags(0)

	client, err := wallarm.NewFromEnv() // WALLARM_API_TOKEN, WALLARM_API_REGION
	if err != nil {
		log.Fatal(err)
	}
	filter := wallarm.AttackFilter{Time: wallarm.Last(24 * time.Hour)}
	for attack, err := range client.Attacks.All(ctx, filter, wallarm.MaxItems(3)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(attack.LastTime.Local(), attack.Type, attack.Domain, attack.Path, attack.Hits)
	}
}

func ExampleNew() {
	os.Setenv("WALLARM_API_TOKEN", "test-token-example")
	defer os.Unsetenv("WALLARM_API_TOKEN")

	client, err := wallarm.New(wallarm.US, wallarm.Token(os.Getenv("WALLARM_API_TOKEN")))
	fmt.Println(client, err)
	// Output: wallarm.Client(https://us1.api.wallarm.com) <nil>
}

func ExampleClient_Tenant() {
	ctx, end := inFakeCloud()
	defer end()
	os.Setenv(wallarm.EnvToken, wallarmtest.PartnerToken) // whose owner looks after several tenants
	client := exampleClient()

	tenant := client.Tenant(4712)
	counts, err := tenant.Attacks.Count(ctx, wallarm.AttackFilter{Time: wallarm.Last(time.Hour)})
	fmt.Println(counts != nil, err)
	// Output: true <nil>
}

func ExampleIncidentsService_List() {
	ctx, end := inFakeCloud()
	defer end()
	client := exampleClient()

	filter := wallarm.AttackFilter{
		Time:        wallarm.Last(7 * 24 * time.Hour),
		Types:       []wallarm.AttackType{wallarm.AttackSQLi, wallarm.AttackXSS},
		Domains:     []string{"shop.example.com"},
		State:       wallarm.Null[wallarm.MarkStates](), // nobody marked it
		BlockStatus: []wallarm.BlockStatus{wallarm.BlockStatusMonitored},
		Not:         &wallarm.AttackFilter{IPs: []string{"192.0.2.1"}},
	}
	page, err := client.Incidents.List(ctx, filter, wallarm.PageOptions{Limit: 50})
	for _, incident := range page.Items {
		if !incident.IsIncident() || incident.Domain != "shop.example.com" {
			fmt.Println("unexpected:", incident.ID)
		}
	}
	fmt.Println(len(page.Items) > 0, err)
	// Output: true <nil>
}

func ExampleHitsService_All() {
	ctx, end := inFakeCloud()
	defer end()
	client := exampleClient()
	read := func() error {
		options := []wallarm.CallOption{
			wallarm.PageSize(500),   // items in a request
			wallarm.Concurrency(4),  // pages in flight, on offset lists; the default is one ahead
			wallarm.MaxItems(10000), // the end, at the latest
		}
		for hit, err := range client.Hits.All(ctx, wallarm.HitFilter{Time: wallarm.Last(time.Hour)}, options...) {
			if err != nil {
				return err
			}
			fmt.Println(hit.RequestID, hit.IP, hit.Value)
		}
		return nil
	}
	if err := read(); err != nil {
		log.Fatal(err)
	}
}

func ExampleResume() {
	ctx, end := inFakeCloud()
	defer end()
	client := exampleClient()
	from := time.Now().Add(-time.Hour)
	export := func() error {
		var place wallarm.Checkpoint // from where it was stored; it is JSON
		filter := wallarm.AttackFilter{Time: wallarm.Since(from)}
		for attack, err := range client.Attacks.All(ctx, filter, wallarm.Resume(&place), wallarm.MaxItems(100)) {
			if err != nil {
				return err
			}
			fmt.Println(attack.ID) // handle it first, then store place
		}
		return nil
	}
	if err := export(); err != nil {
		log.Fatal(err)
	}
}

func ExampleIPListsService_PlanSync() {
	ctx, end := inFakeCloud()
	defer end()
	client := exampleClient()
	sync := func() error {
		wanted := wallarm.Wanted(wallarm.Addresses("203.0.113.7", "198.51.100.0/24")...)
		plan, err := client.IPLists.PlanSync(ctx, wallarm.Denylist, wanted, wallarm.SyncOptions{
			IPTerms: wallarm.IPTerms{Reason: "feed", ExpiresAt: wallarm.Forever},
		})
		if err != nil {
			return err
		}
		fmt.Println(plan) // what it would take to make the deny list equal to the wanted set
		_, err = client.IPLists.Apply(ctx, plan)
		return err
	}
	if err := sync(); err != nil {
		log.Fatal(err)
	}
	entries := 0
	for _, err := range client.IPLists.All(ctx, wallarm.IPFilter{List: wallarm.Denylist}) {
		if err != nil {
			log.Fatal(err)
		}
		entries++
	}
	fmt.Println(entries, "entries")
}

func ExampleRulesService_Create() {
	ctx, end := inFakeCloud()
	defer end()
	client := exampleClient()
	block := func() error {
		rule, err := client.Rules.Create(ctx, wallarm.NewRule{
			Scope: wallarm.Scope().Host("shop.example.com").Prefix("/my/api"),
			Spec:  wallarm.VirtualPatch{Point: wallarm.Point{wallarm.Header("HOST")}, AttackType: wallarm.AnyAttack},
		})
		if err != nil {
			return err
		}
		fmt.Println(rule.Conditions)
		return client.Rules.Delete(ctx, rule.ID)
	}
	fmt.Println(block())
	// Output:
	// shop.example.com/my/api/**/*.*
	// <nil>
}

func ExampleRulesService_Update() {
	ctx, end := inFakeCloud()
	defer end()
	client := exampleClient()
	rule, err := client.Rules.Create(ctx, wallarm.NewRule{
		Scope: wallarm.Scope().Path("/login"),
		Spec:  wallarm.VirtualPatch{Point: wallarm.Point{wallarm.Header("HOST")}, AttackType: wallarm.AnyAttack},
	})
	if err != nil {
		log.Fatal(err)
	}
	update := func() error {
		_, err := client.Rules.Update(ctx, rule.ID, wallarm.RuleUpdate{
			Active:  wallarm.Set(false),
			Comment: wallarm.Set("switched off for the load test"),
		})
		return err
	}
	fmt.Println(update())
	rule, err = client.Rules.Get(ctx, rule.ID)
	fmt.Println(rule.IsActive(), rule.Comment, err)
	// Output:
	// <nil>
	// false switched off for the load test <nil>
}

func ExampleAPIError() {
	ctx, end := inFakeCloud()
	defer end()
	client := exampleClient()

	_, err := client.Rules.Get(ctx, 404404404)
	var api *wallarm.APIError
	switch {
	case errors.Is(err, wallarm.ErrNotFound):
		fmt.Println("no such rule")
	case errors.Is(err, wallarm.ErrOutcomeUnknown):
		fmt.Println("the change may have been applied: look before you repeat it")
	case errors.As(err, &api):
		fmt.Println(api.StatusCode, api.Message, api.Fields)
	}
	// Output: no such rule
}

func ExampleWithRateLimit() {
	_, end := inFakeCloud()
	defer end()

	client, err := wallarm.NewFromEnv(
		wallarm.WithRateLimit(50, 50), // attempts a second, burst; there is no limit by default
		wallarm.WithDefaults(wallarm.WithRetries(5), wallarm.WithTimeout(time.Minute)),
	)
	fmt.Println(client != nil, err)
	// Output: true <nil>
}

func ExampleWithHook() {
	ctx, end := inFakeCloud()
	defer end()
	slog.SetDefault(slog.New(slog.DiscardHandler))

	client, err := wallarm.NewFromEnv(
		wallarm.WithLogger(slog.Default()), // each attempt: operation, status, duration; never headers, queries or bodies
		wallarm.WithHook(func(_ context.Context, a wallarm.Attempt) {
			fmt.Println(a.Operation, a.Number, a.Status, a.RetryIn)
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Users.Me(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: users.me 1 200 -1ns
}

func ExampleClient_Call() {
	ctx, end := inFakeCloud()
	defer end()
	client := exampleClient()

	var answer struct {
		Body json.RawMessage `json:"body"`
	}
	err := client.Call(ctx, "GET", "/v2/attack_types", nil, &answer)
	fmt.Println(len(answer.Body) > 0, err)
	// Output: true <nil>
}

func TestBlocker(t *testing.T) {
	cloud := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(cloud.URL))
	if err != nil {
		t.Fatal(err)
	}
	cloud.Inject(wallarmtest.Fault{Op: "rules.create", Kind: wallarmtest.FaultResetAfter, Count: 1})
	_, err = client.Rules.Create(t.Context(), wallarm.NewRule{
		Scope: wallarm.Scope().Path("/login"),
		Spec:  wallarm.VirtualPatch{Point: wallarm.Point{wallarm.Header("HOST")}, AttackType: wallarm.AnyAttack},
	})
	if !errors.Is(err, wallarm.ErrOutcomeUnknown) {
		t.Fatalf("want an unknown outcome, got %v", err)
	}
}

// TestADroppedCreateMakesOneRule is the same story to its end: one rule exists, and a list against the same fault helps itself.
func TestADroppedCreateMakesOneRule(t *testing.T) {
	cloud := wallarmtest.NewServer(t)
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(cloud.URL),
		wallarm.WithDefaults(wallarm.WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	cloud.Inject(wallarmtest.Fault{Op: "rules.create", Kind: wallarmtest.FaultResetAfter, Count: 1})
	cloud.Inject(wallarmtest.Fault{Op: "rules.list", Kind: wallarmtest.FaultResetAfter, Count: 2})
	_, err = client.Rules.Create(t.Context(), wallarm.NewRule{
		Scope: wallarm.Scope().Path("/login"),
		Spec:  wallarm.VirtualPatch{Point: wallarm.Point{wallarm.Header("HOST")}, AttackType: wallarm.AnyAttack},
	})
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	n := 0
	for rule, err := range client.Rules.All(t.Context(), wallarm.RuleFilter{System: wallarm.Set(false)}) {
		require.NoError(t, err)
		require.Equal(t, "/login", rule.Conditions.String())
		n++
	}
	require.Equal(t, 1, n, "exactly one rule exists")
	require.Len(t, cloud.RequestsOf("rules.create"), 1)
	require.Len(t, cloud.RequestsOf("rules.list"), 4, "the list was repeated until it succeeded, and once more to see that it is whole")
}

// TestExamplesWithoutFixedOutput runs the examples that package testing only compiles, since their output tells times and ids.
func TestExamplesWithoutFixedOutput(t *testing.T) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	for name, example := range map[string]func(){
		"Start": Example, "Hits": ExampleHitsService_All, "Resume": ExampleResume, "PlanSync": ExampleIPListsService_PlanSync,
	} {
		file, err := os.Create(filepath.Join(t.TempDir(), name))
		require.NoError(t, err)
		os.Stdout = file
		example()
		os.Stdout = stdout
		require.NoError(t, file.Close())
		written, err := os.ReadFile(file.Name())
		require.NoError(t, err)
		require.NotEmpty(t, written, name)
	}
}

var codeBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// TestReadmeSamplesRun checks that each Go sample of the README stands in this file, where it is compiled and run.
func TestReadmeSamplesRun(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	code := unindented(string(source))
	blocks := codeBlock.FindAllStringSubmatch(string(readme), -1)
	require.Greater(t, len(blocks), 8)
	for _, block := range blocks {
		if !strings.Contains(code, strings.TrimSpace(unindented(block[1]))) {
			t.Errorf("this sample of the README is in no example:\n%s", block[1])
		}
	}
	require.Contains(t, string(readme), "go run ./examples/attacks")
	require.Contains(t, string(readme), "go test ./...")
}

// unindented is text without indentation and alignment.
func unindented(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return b.String()
}
