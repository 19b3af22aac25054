package wallarm

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEverythingIsDocumented looks at the comments of all exported names: there is one, it begins with the name, and a method that makes a
// call names the path on the wire and the replay class.
func TestEverythingIsDocumented(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				checkFunc(t, set, d)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() {
						checkComment(t, set, s.Name, firstOf(s.Doc, d.Doc))
					}
				}
			}
		}
	}
}

func firstOf(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if g != nil {
			return g.Text()
		}
	}
	return ""
}

func checkComment(t *testing.T, set *token.FileSet, name *ast.Ident, comment string) {
	t.Helper()
	words := strings.Fields(comment)
	if len(words) == 0 || (words[0] != name.Name && !(len(words) > 1 && words[1] == name.Name)) {
		t.Errorf("%s: the comment of %s is missing or does not begin with the name", set.Position(name.Pos()), name.Name)
	}
}

func checkFunc(t *testing.T, set *token.FileSet, d *ast.FuncDecl) {
	t.Helper()
	if !d.Name.IsExported() {
		return
	}
	receiver := ""
	if d.Recv != nil {
		expression := d.Recv.List[0].Type
		if star, ok := expression.(*ast.StarExpr); ok {
			expression = star.X
		}
		if index, ok := expression.(*ast.IndexExpr); ok {
			expression = index.X
		}
		receiver = expression.(*ast.Ident).Name
		if !ast.IsExported(receiver) {
			return
		}
	}
	checkComment(t, set, d.Name, firstOf(d.Doc))
	if !strings.HasSuffix(receiver, "Service") {
		return
	}
	comment := firstOf(d.Doc)
	if iterates := strings.Contains(comment, " by pages") || strings.HasPrefix(d.Name.Name, "Pages"); iterates {
		return // its sister says it
	}
	makesCall := false
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			function := call.Fun
			if index, ok := function.(*ast.IndexExpr); ok {
				function = index.X
			}
			if id, ok := function.(*ast.Ident); ok {
				switch id.Name {
				case "do", "get", "run", "remove", "download":
					makesCall = true
				}
			}
		}
		return true
	})
	if makesCall && (!strings.Contains(comment, "/v") || !strings.Contains(comment, "Replay class")) {
		t.Errorf("%s: the comment of %s.%s names no path or no replay class", set.Position(d.Pos()), receiver, d.Name.Name)
	}
}
