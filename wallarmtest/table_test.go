package wallarmtest

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endpointRows reads the table of endpoints: id list to "METHOD path".
func endpointRows(t *testing.T) map[string]string {
	t.Helper()
	table, err := os.ReadFile("../docs/wire/endpoints.tsv")
	require.NoError(t, err)
	rows := map[string]string{}
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(line, "\t")
		for id := range strings.SplitSeq(cells[0], ",") {
			rows[id] = cells[1] + " " + cells[2]
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
			assert.Equal(t, rows[id], r.Method+" "+r.Pattern, id)
		}
		assert.False(t, names[r.Op], "%s is used twice", r.Op)
		names[r.Op] = true
	}
}
