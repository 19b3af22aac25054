package wallarmtest

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endpointRow is a row of the table of endpoints.
type endpointRow struct{ call, ship string }

// endpointRows reads the table of endpoints, by id.
func endpointRows(t *testing.T) map[string]endpointRow {
	t.Helper()
	table, err := os.ReadFile("../docs/wire/endpoints.tsv")
	require.NoError(t, err)
	columns := map[string]int{}
	rows := map[string]endpointRow{}
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(columns) == 0 {
			for i, name := range cells {
				columns[name] = i
			}
			continue
		}
		cell := func(name string) string { return cells[columns[name]] }
		for id := range strings.SplitSeq(cell("id"), ",") {
			rows[id] = endpointRow{cell("method") + " " + cell("path"), cell("ship")}
		}
	}
	return rows
}

// TestRoutesAreRowsOfTheTable keeps routes from drifting from the table.
func TestRoutesAreRowsOfTheTable(t *testing.T) {
	rows := endpointRows(t)
	names := map[string]bool{}
	for _, r := range NewCloud().Routes() {
		for _, id := range r.IDs {
			assert.Equal(t, rows[id].call, r.Method+" "+r.Pattern, id)
		}
		assert.False(t, names[r.Op], "%s is used twice", r.Op)
		names[r.Op] = true
	}
}

// TestEveryRowIsServed walks the table: a row that ships has a route.
func TestEveryRowIsServed(t *testing.T) {
	served := map[string]bool{}
	for _, r := range NewCloud().Routes() {
		for _, id := range r.IDs {
			served[id] = true
		}
	}
	for id, row := range endpointRows(t) {
		require.Contains(t, []string{"must", "should", "no"}, row.ship, id)
		assert.True(t, row.ship == "no" || served[id], "%s %s has no route", id, row.call)
	}
}
