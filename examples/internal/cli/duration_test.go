package cli

import (
	"bytes"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"7d":       7 * day,
		"2w":       14 * day,
		"1w2d3h":   9*day + 3*time.Hour,
		"12h1d":    36 * time.Hour,
		"1.5d":     36 * time.Hour,
		".5w":      84 * time.Hour,
		"+1d30m":   day + 30*time.Minute,
		"-1d2h":    -26 * time.Hour,
		"0d":       0,
		"0":        0,
		"24h":      day,
		"1h10m10s": time.Hour + 10*time.Minute + 10*time.Second,
		"1d5ms3µs": day + 5*time.Millisecond + 3*time.Microsecond,
		"106751d":  106751 * day,
	} {
		got, err := ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"":                     "want numbers with units",
		"7":                    "want numbers with units",
		"d":                    "want numbers with units",
		"7D":                   "want numbers with units",
		"7 d":                  "want numbers with units",
		"7days":                "want numbers with units",
		"1d2":                  "want numbers with units",
		"1d-2h":                "want numbers with units",
		"1.5.5d":               "want numbers with units",
		".d":                   "want numbers with units",
		"1y":                   "want numbers with units",
		"106752d":              "longer than a duration can be",
		"-106752d":             "longer than a duration can be",
		"15251w":               "longer than a duration can be",
		"9999999999999999999d": "longer than a duration can be",
		"106751d24h":           "longer than a duration can be",
	} {
		_, err := ParseDuration(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestDurationFlag(t *testing.T) {
	var errs bytes.Buffer
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	flags.SetOutput(&errs)
	since := Duration(flags, "since", time.Hour, "go back this `duration`")
	require.Equal(t, time.Hour, *since)
	require.NoError(t, ParseFlags(flags, []string{"-since", "7d"}))
	require.Equal(t, 7*24*time.Hour, *since)
	require.Error(t, ParseFlags(flags, []string{"-since", "7x"}))
	require.Equal(t, 7*24*time.Hour, *since)
	require.Contains(t, errs.String(), `invalid value "7x" for flag -since: "7x" is no duration: want numbers with units, such as 90m, 24h, 7d or 2w`)
	require.Contains(t, errs.String(), "-since duration\n    \tgo back this duration (default 1h0m0s)")
}
