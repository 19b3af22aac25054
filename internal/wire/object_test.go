package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

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

func TestIsNothing(t *testing.T) {
	for value, want := range map[string]bool{
		`null`: true, `0`: true, `false`: true, `""`: true, `[]`: true, `{}`: true, `{"a":{"b":"","c":[]},"d":null}`: true,
		`1`: false, `0.5`: false, `true`: false, `"a"`: false, `[0]`: false, `{"":"a"}`: false, `{"a":{"b":"","c":[null]}}`: false, `{"a":0,"b":-1}`: false, `{"a"`: false,
	} {
		require.Equal(t, want, Member{Value: jsontext.Value(value)}.IsNothing(), value)
	}
	deep := Member{Value: jsontext.Value(strings.Repeat(`{"a":`, 5000) + `0` + strings.Repeat(`}`, 5000))}
	require.True(t, deep.IsNothing())
	require.Less(t, testing.AllocsPerRun(1, func() { deep.IsNothing() }), 500.0, "what is nested is read once")
}
