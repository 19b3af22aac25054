package wallarm

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// FuzzEventID: an id reads back to itself in every form, and a text is written as it was read.
func FuzzEventID(f *testing.F) {
	for _, seed := range []string{
		`["attacks_production_4711_202608_v_1","Zz81"]`, `"attacks_production_4711_202608_v_1:Zz81"`, `"Zz81"`, `["Zz81"]`, `[]`, `null`, `":x"`, `"x:"`, `":"`,
		`["a:b","c"]`, `[1,2]`, `"a:b:c"`, `["a","b","c"]`, `{}`, `[["a"]]`, `["\ud800",""]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if id, err := ParseEventID(string(data)); err == nil {
			require.Equal(t, string(data), id.String())
			require.NoError(t, id.validate("id"))
		} else {
			require.ErrorIs(t, err, ErrInvalidArgument)
		}
		var read, again EventID
		if wire.Unmarshal(data, &read) != nil {
			return
		}
		written, err := wire.MarshalEcho(read)
		require.NoError(t, err)
		require.NoError(t, wire.Unmarshal(written, &again))
		require.Equal(t, read.Index, again.Index, "%s became %s", data, written)
		require.Equal(t, read.Doc, again.Doc, "%s became %s", data, written)
		twice, err := wire.MarshalEcho(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice))
		var text, echo string
		if json.Unmarshal(data, &text) == nil && json.Unmarshal(written, &echo) == nil {
			require.Equal(t, text, echo)
		}
	})
}
