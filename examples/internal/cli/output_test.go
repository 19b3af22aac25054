package cli

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestCSVHasAColumnForEachValue(t *testing.T) {
	server := wallarmtest.NewServer(t)
	server.SeedAttacks(wallarmtest.Attack{Type: "sqli", Domain: "shop.example.com", Path: "/search", Hits: []wallarmtest.Hit{
		{IP: "203.0.113.7", Country: "NL"}, {IP: "203.0.113.7", Country: "NL"}, {IP: "2001:db8::1", Country: "NL"},
	}})
	code, out, errs := Try(t, server, attacks, "-format", "csv")
	require.Equal(t, OK, code, errs)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, "last_seen type hits status ip country ip_count host method path parameter", strings.Join(rows[0], " "))
	require.Equal(t, []string{"203.0.113.7", "NL", "2", "shop.example.com"}, rows[1][4:8])

	code, out, errs = Try(t, server, attacks)
	require.Equal(t, OK, code, errs)
	require.Contains(t, out, "203.0.113.7 NL +1")
	require.NotContains(t, out, "COUNTRY", "a table for people joins them")
}

func TestCSVHoldsNoFormulas(t *testing.T) {
	server := wallarmtest.NewServer(t)
	server.SeedAttacks(wallarmtest.Attack{Type: "sqli", Domain: "=cmd|' /C calc'!A0", Path: "/search", Hits: []wallarmtest.Hit{{IP: "203.0.113.7"}}})
	code, out, errs := Try(t, server, attacks, "-format", "csv")
	require.Equal(t, OK, code, errs)
	require.Contains(t, out, ",'=cmd|")
	for cell, want := range map[string]string{
		"": "", "a": "a", "-1": "-1", "-1+1": "'-1+1", "+1 555": "'+1 555", "@a": "'@a", "\t=1": "'\t'=1", "a=b": "a=b",
		"\n=1": "'\n'=1", "\r\n=1": "'\r\n'=1", "a\r\n =1": "a\r\n' =1", " \n=1": " \n'=1", ";;=1": ";;'=1", " =1": "' =1", "\u00a0 @a": "'\u00a0 @a", "\ufeff=1": "'\ufeff=1", "\x00=1": "'\x00=1", "\ta": "'\ta", "\na": "'\na",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠a": "'＠a", " ＝1": "' ＝1",
		"a;=1+1": "a;'=1+1", "a; -1;=2": "a;' -1;'=2", "a\t=1": "a\t'=1", "a\n=1": "a\n'=1", `a;"=1"`: `a;'"=1"`, "a;b": "a;b", "a\nb": "a\nb", " a": " a",
		"/a,=1": "/a,=1", "2001:db8::1": "2001:db8::1",
	} {
		require.Equal(t, want, Harmless(cell), "%q", cell)
	}
}
