package wallarm

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var updateCoverage = flag.Bool("update-coverage", false, "write docs/coverage.md anew")

// TestCoverageTable compares docs/coverage.md, the table of all endpoints and the methods that call them, with the source. Write it anew with
//
//	go test -run TestCoverageTable -update-coverage .
func TestCoverageTable(t *testing.T) {
	methods := methodsByOperation(t)
	table := endpointTable(t)
	var b strings.Builder
	b.WriteString(`# Coverage

Every endpoint of the [wire reference](wire/endpoints.tsv), the methods that call it, its replay class and who attests it. What has no method is reached with
` + "`Client.Call`" + `. This file is written by a test: ` + "`go test -run TestCoverageTable -update-coverage .`" + `

| Endpoint | Called by | Replay class | Attested by |
|---|---|---|---|
`)
	wrapped := 0
	for _, key := range slices.Sorted(maps.Keys(table)) {
		row := table[key]
		by := strings.Join(methods[key], ", ")
		if by == "" {
			by = "`Call`"
		} else {
			wrapped++
		}
		fmt.Fprintf(&b, "| `%s %s` | %s | %s | %s |\n", row.method, row.path, by, row.replay, row.attested)
	}
	fmt.Fprintf(&b, "\n%d of %d endpoints have methods.\n", wrapped, len(table))
	const path = "docs/coverage.md"
	if *updateCoverage {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	if string(have) != b.String() {
		t.Error("docs/coverage.md is not what the source says: run the test with -update-coverage")
	}
}

// methodsByOperation finds the exported methods of services that lead to each operation, directly or by way of unexported functions.
func methodsByOperation(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	uses := map[string]map[string]bool{} // function to the names that its body mentions
	exported := map[string]string{}      // function to how it is called
	operations := map[string]string{}    // variable to endpoint
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			switch d := declaration.(type) {
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if value, ok := spec.(*ast.ValueSpec); ok && len(value.Names) == 1 && len(value.Values) == 1 {
						if endpoint := endpointOf(value.Values[0]); endpoint != "" {
							operations[value.Names[0].Name] = endpoint
						}
					}
				}
			case *ast.FuncDecl:
				name, receiver := d.Name.Name, receiverOf(d)
				key := receiver + "." + name
				if uses[key] == nil {
					uses[key] = map[string]bool{}
				}
				ast.Inspect(d.Body, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						uses[key][id.Name] = true
					}
					return true
				})
				if service, ok := strings.CutSuffix(receiver, "Service"); ok && ast.IsExported(name) {
					exported[key] = "`" + service + "." + name + "`"
				} else if receiver == "Client" && name == "ClientID" {
					exported[key] = "`Client.ClientID`"
				}
			}
		}
	}
	found := map[string][]string{}
	for key, call := range exported {
		seen := map[string]bool{}
		var visit func(string)
		visit = func(function string) {
			if seen[function] {
				return
			}
			seen[function] = true
			for name := range uses[function] {
				if endpoint, ok := operations[name]; ok && !slices.Contains(found[endpoint], call) {
					found[endpoint] = append(found[endpoint], call)
				}
				// An unexported helper, or one on an unexported type, is looked into; another exported method speaks for itself.
				if ast.IsExported(name) || name == "do" || name == "get" || name == "run" || name == "batches" || name == "clientIDs" {
					continue
				}
				for other := range uses {
					if _, tail, _ := strings.Cut(other, "."); tail == name {
						receiver, _, _ := strings.Cut(other, ".")
						own, _, _ := strings.Cut(key, ".")
						if receiver == "" || receiver == own {
							visit(other)
						}
					}
				}
			}
		}
		visit(key)
	}
	for endpoint := range found {
		slices.Sort(found[endpoint])
	}
	return found
}

func endpointOf(value ast.Expr) string {
	literal, ok := value.(*ast.CompositeLit)
	if !ok || len(literal.Elts) != 5 {
		return ""
	}
	if id, ok := literal.Type.(*ast.Ident); !ok || id.Name != "operation" {
		return ""
	}
	method, path := literal.Elts[1].(*ast.BasicLit), literal.Elts[2].(*ast.BasicLit)
	return strings.Trim(method.Value, `"`) + " " + normalPath(strings.Trim(path.Value, `"`))
}

func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	expression := d.Recv.List[0].Type
	if star, ok := expression.(*ast.StarExpr); ok {
		expression = star.X
	}
	if index, ok := expression.(*ast.IndexExpr); ok {
		expression = index.X
	}
	if id, ok := expression.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
