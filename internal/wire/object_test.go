package wire

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
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
