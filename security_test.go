package wallarm

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	namedTest  = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)
	linkedFile = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
	linkedTest = regexp.MustCompile("\\[`((?:Test|Fuzz)\\w+)`\\]\\(([^)]+)\\)")
)

// testsByName returns the files with each function of the tests.
func testsByName(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range parsed.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
				found[function.Name.Name] = append(found[function.Name.Name], filepath.ToSlash(path))
			}
		}
		return nil
	}))
	return found
}

// TestPromisesAreKept: each test that the pages on trust name exists, where they say, each file that they link to exists, and each promise has a test.
func TestPromisesAreKept(t *testing.T) {
	tests := testsByName(t)
	for _, page := range []string{"SECURITY.md", "docs/reliability.md"} {
		data, err := os.ReadFile(page)
		require.NoError(t, err)
		text := string(data)
		names := namedTest.FindAllString(text, -1)
		require.NotEmpty(t, names, page)
		for _, name := range names {
			require.Contains(t, tests, name, "%s names a test that does not exist", page)
		}
		for _, link := range linkedFile.FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			require.FileExists(t, filepath.Join(filepath.Dir(page), link[1]), "%s links to it", page)
		}
		for _, link := range linkedTest.FindAllStringSubmatch(text, -1) {
			require.Contains(t, tests[link[1]], link[2], "%s says that %s is there", page, link[1])
		}
	}
	data, err := os.ReadFile("SECURITY.md")
	require.NoError(t, err)
	rows := 0
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Promise") {
			continue
		}
		rows++
		require.Regexp(t, linkedTest, line, "a promise without a test that keeps it")
	}
	require.NotZero(t, rows)
}
