package compat

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	wallarm "github.com/wallarm/wallarm-go"
)

// TestEveryMethodIsDriven lists the methods of the client by reflection and
// looks for a call of each in the tests of this module.
func TestEveryMethodIsDriven(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	called := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if call, isCall := n.(*ast.CallExpr); isCall {
				if method, isMethod := call.Fun.(*ast.SelectorExpr); isMethod {
					called[method.Sel.Name] = true
				}
			}
			return true
		})
	}
	api := reflect.TypeFor[wallarm.API]()
	require.Equal(t, 82, api.NumMethod())
	for i := range api.NumMethod() {
		assert.True(t, called[api.Method(i).Name], "%s is not driven", api.Method(i).Name)
	}
}
