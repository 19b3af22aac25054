package wallarm

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// What the docstring says about the forms.
func TestTimestampWritesTheFormItWasReadFrom(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`1785801600`: ``, `-1`: ``, `1785801600.125`: ``, `1.50`: ``, `-0.5`: ``, `0.123456789`: ``,
		`"1785801600"`: ``, `"1.5"`: ``, `"-0.5"`: ``, `"1785801600.1250"`: ``, `"-3.000000001"`: ``,
		`"2026-08-04T00:00:00Z"`: ``, `"2026-08-04T00:00:00.123+03:30"`: ``, `"2026-08-04"`: ``, `null`: ``,

		`"2026-01-02 03:04:05"`: `"2026-01-02T03:04:05Z"`, `1e9`: `1000000000`, `1.5e0`: `1`, `"1e9"`: `"1000000000"`,
		`"2026-08-04T00:00:00.120Z"`: `"2026-08-04T00:00:00.12Z"`, `0.1234567891`: `0.123456789`, `"0.1234567891"`: `"0.123456789"`,
		`"2026-08-04T00:00:00.1234567891Z"`: `"2026-08-04T00:00:00.123456789Z"`,
		`false`:                             `null`, `""`: `null`, `"0001-01-01T00:00:00Z"`: `null`,
	} {
		if want == "" {
			want = text
		}
		var read Timestamp
		require.NoError(t, read.UnmarshalJSON([]byte(text)), text)
		written, err := json.Marshal(read)
		require.NoError(t, err, text)
		require.Equal(t, want, string(written), text)
	}
	var quoted Timestamp
	require.NoError(t, quoted.UnmarshalJSON([]byte(`"1.50"`)))
	require.Equal(t, "1.50", quoted.number())
}

// TestTimestampRefusesNumbersOutOfRange: cut to 64 bits they would be other times.
func TestTimestampRefusesNumbersOutOfRange(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`99999999999999999999`, `-99999999999999999999`, `18446744073709551617`, `"18446744073709551617"`, `1e300`, `-1e300`, `1e999`, `"1e300"`, `"soon"`, `"1.x"`,
	} {
		var read Timestamp
		require.Error(t, read.UnmarshalJSON([]byte(text)), text)
	}
	for _, text := range []string{`-9007199254740993`, `"9007199254740993"`, `1000000000000000001`} {
		var read Timestamp
		require.NoError(t, read.UnmarshalJSON([]byte(text)), text)
		written, err := json.Marshal(read)
		require.NoError(t, err)
		require.Equal(t, text, string(written), "every digit counts")
	}
}

func TestTimesOfNothing(t *testing.T) {
	t.Parallel()
	require.Equal(t, Timestamp{}, At(time.Time{}))
	for _, span := range []TimeRange{Last(0), Last(-time.Hour)} {
		require.ErrorIs(t, span.validate("time"), ErrInvalidArgument, "such a span is not everything since now")
	}
}

// FuzzTimestamp: what is read is written back as valid JSON of a bounded size, and reads back to the same time and the same digits.
func FuzzTimestamp(f *testing.F) {
	for _, seed := range []string{
		`1785801600`, `-1`, `0`, `1785801600.125`, `-0.5`, `"1785801600"`, `"2026-08-04T00:00:00Z"`, `"2026-08-04T00:00:00.123456789+03:30"`,
		`"2026-08-04"`, `"2026-08-04 10:00:00 UTC"`, `null`, `false`, `""`, `1e9`, `9223372036854775807`, `-62135596800`, `"1.5"`, `"-0.25"`, `"0001-01-01"`, `{}`, `[1]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var read, plain Timestamp
		_ = plain.UnmarshalJSON(data)
		if wire.Unmarshal(data, &read) != nil {
			return
		}
		written, err := wire.MarshalEcho(read)
		require.NoError(t, err, "%s", data)
		require.True(t, jsontext.Value(written).IsValid(), "%s became %s", data, written)
		require.Less(t, len(written), 64)
		var again Timestamp
		require.NoError(t, wire.Unmarshal(written, &again), "%s became %s", data, written)
		require.True(t, read.Equal(again.Time), "%s became %s", data, written)
		twice, err := wire.MarshalEcho(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice), "%s", data)
		other, err := json.Marshal(read)
		require.NoError(t, err)
		require.Equal(t, string(written), string(other))
		if read.IsZero() {
			return
		}
		var number Timestamp
		require.NoError(t, number.parse(jsontext.Value(read.number())))
		require.True(t, read.Equal(number.Time), "%s became the number %s", data, read.number())
	})
}
