package wallarm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// optional has an Opt of each kind of value.
type optional struct {
	Number Opt[int64]          `json:"number,omitzero"`
	Big    Opt[uint64]         `json:"big,omitzero"`
	Rate   Opt[float64]        `json:"rate,omitzero"`
	On     Opt[bool]           `json:"on,omitzero"`
	Text   Opt[string]         `json:"text,omitzero"`
	Time   Opt[Timestamp]      `json:"time,omitzero"`
	Secret Opt[Secret]         `json:"secret,omitzero"`
	List   Opt[[]int64]        `json:"list,omitzero"`
	Inner  Opt[*optional]      `json:"inner,omitzero"`
	Twice  Opt[Opt[bool]]      `json:"twice,omitzero"`
	Map    Opt[map[string]int] `json:"map,omitzero"`
	Extra  Extra               `json:",embed"`
}

// A time that the API left empty in another way than by null is null too: it would be written as null.
func TestOptReadsEmptyTimesAsNull(t *testing.T) {
	for _, text := range []string{`""`, `" "`, `false`, `"0001-01-01T00:00:00Z"`, `null`} {
		var read optional
		require.NoError(t, wire.Unmarshal([]byte(`{"time":`+text+`}`), &read), text)
		require.True(t, read.Time.IsNull(), text)
		var o Opt[Timestamp]
		require.NoError(t, json.Unmarshal([]byte(text), &o), text)
		require.True(t, o.IsNull(), text)
	}
}

// FuzzOpt: absent, null and a value stay three things through reading and writing, by this SDK's decoder and by encoding/json's.
func FuzzOpt(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"number":null,"big":null,"rate":null,"on":null,"text":null,"time":null,"secret":null,"list":null,"inner":null}`,
		`{"number":0,"big":"18446744073709551615","rate":"1.5","on":0,"text":"","time":"2026-08-04","secret":"test-token-x","list":5,"inner":{"number":"3"}}`,
		`{"time":""}`,
		`{"secret":"00000000000","000000000000":0}`,
		`{"number":[7],"on":"true","text":12,"list":["5",6.0],"inner":{"inner":{"inner":null}},"twice":null,"map":{"a":"1"},"later":[{}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var plain Opt[[]string]
		_ = plain.UnmarshalJSON(data)
		_ = fmt.Sprintf("%v %+v %#v %d", plain, plain, plain, plain)
		var read, again optional
		if wire.Unmarshal(data, &read) != nil {
			return
		}
		written, err := wire.Marshal(read)
		require.NoError(t, err, "%s", data)
		require.NoError(t, wire.Unmarshal(written, &again), "%s became %s", data, written)
		twice, err := wire.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice), "%s", data)
		require.Equal(t, optStates(read), optStates(again), "%s became %s", data, written)
		other, err := json.Marshal(read.Number)
		require.NoError(t, err)
		var number Opt[int64]
		require.NoError(t, json.Unmarshal(other, &number))
		require.Equal(t, read.Number.value, number.value)
		if secret, ok := read.Secret.Get(); ok && len(secret.Reveal()) > len(masked) {
			// The same text may stand elsewhere, in the name of a member for instance.
			without := read
			without.Secret = Opt[Secret]{}
			if !strings.Contains(printed(without), secret.Reveal()) {
				require.NotContains(t, printed(read), secret.Reveal())
			}
		}
	})
}

func printed(o optional) string { return fmt.Sprintf("%v %+v %#v", o.Secret, o, &o.Secret) }

func optStates(o optional) []optState {
	return []optState{
		o.Number.state, o.Big.state, o.Rate.state, o.On.state, o.Text.state, o.Time.state, o.Secret.state, o.List.state, o.Inner.state, o.Map.state,
	}
}

// TestOptByItself: the methods of encoding/json do what the ones that are used within this package do.
func TestOptByItself(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]Opt[[]int]{"null": Null[[]int](), "[1]": Set([]int{1})} {
		text, err := value.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		read := Set([]int{7})
		require.NoError(t, read.UnmarshalJSON(text))
		require.Equal(t, value, read)
	}
	text, err := Opt[int]{}.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, "null", string(text))
}
