package wire

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

func TestNothing(t *testing.T) {
	for text, want := range map[string]bool{
		`null`: true, `0`: true, `false`: true, `""`: true, `[]`: true, `{}`: true, `{"a":{"b":null,"c":[]},"d":""}`: true,
		`1`: false, `" "`: false, `[0]`: false, `{"a":{"b":null,"c":[0]}}`: false, `{"a":{"b":null},"c":true}`: false, `{"a":`: false, ``: false,
	} {
		require.Equal(t, want, Member{Value: jsontext.Value(text)}.IsNothing(), text)
	}
}

// TestNestedObjectsAreReadOnce: each level was copied, with all below it.
func TestNestedObjectsAreReadOnce(t *testing.T) {
	const depth = 9000
	text := strings.Repeat(`{"a":`, depth) + `[` + strings.Repeat(`1,`, depth) + `1]` + strings.Repeat(`}`, depth)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.False(t, Member{Value: jsontext.Value(text)}.IsNothing())
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
}

// FuzzMembers: an object that is taken apart and put together again is valid, keeps its values, and stays as it is from then on.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":{"c":[]},"a":2}`, `null`, `{}`, "{\"\xff\":\"\\ud800\",\"\\u0061\":1e400}", `{"a"`, `[1]`, `{"a":1}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := Members(data)
		if err != nil {
			return
		}
		joined, err := Object(members)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if !joined.IsValid(syntax) {
			t.Fatalf("%q became %q", data, joined)
		}
		again, err := Members(joined)
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range again {
			if !jsontext.Value(member.Value).IsValid(syntax) {
				t.Fatalf("%q holds %q", joined, member.Value)
			}
			member.IsNothing()
		}
		twice, err := Object(again)
		if err != nil || !bytes.Equal(joined, twice) {
			t.Fatalf("%q became %q: %v", joined, twice, err)
		}
	})
}
