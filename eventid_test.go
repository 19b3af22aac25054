package wallarm

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// TestIDsThatWereChosenForTheirHash: within a process two ids do not pass for one, even if somebody has chosen them for what checkpoints keep.
func TestIDsThatWereChosenForTheirHash(t *testing.T) {
	first, second := Hit{ID: EventID{Doc: "8yn0iYCKYHlIj4-BwPqk"}}, Hit{ID: EventID{Doc: "GReLUrM4wMqfg9yzV3KQ"}}
	l := &lister[Hit]{id: hitKey}
	sum := func(hit *Hit, isKept bool) uint64 {
		h, named := l.identity(hit, isKept)
		require.True(t, named)
		return h
	}
	require.Equal(t, sum(&first, true), sum(&second, true), "as Resume says")
	require.NotEqual(t, sum(&first, false), sum(&second, false))
	require.Equal(t, sum(&first, false), sum(&first, false))
}

// TestRowsThatWereChosenForTheirHash: a row of the Attacks API is known by all that it says, and attackers write a part of that.
func TestRowsThatWereChosenForTheirHash(t *testing.T) {
	first, second := AttackRow{}, AttackRow{}
	require.NoError(t, wire.Unmarshal([]byte(`{"id":"2026-11-29","path":"/shop/y46o5Q94Tt8i","requests":1}`), &first))
	require.NoError(t, wire.Unmarshal([]byte(`{"id":"2026-11-29","path":"/shop/zD4eUi96NaKx","requests":1}`), &second))
	rows := &lister[AttackRow]{id: rowKey}
	events := &lister[AttackRow]{id: func(*AttackRow) string { return "" }}
	for _, l := range []*lister[AttackRow]{rows, events} {
		for _, isKept := range []bool{true, false} {
			a, _ := l.identity(&first, isKept)
			b, _ := l.identity(&second, isKept)
			require.NotEqual(t, a, b)
		}
	}
}

func TestIDsThatDifferHaveKeysThatDiffer(t *testing.T) {
	texts := []string{
		`["remote:hits","x1"]`, `["remote","hits:x1"]`, `["i","d",1]`, `["i","d,1"]`, `["i","d","1"]`, `["i","d"]`, `["i:d"]`, `["d"]`, `[":d"]`,
		`["","d",1]`, `["\u0000\"i\"\"d\"",""]`, `["\u0000\"i\"\"d\",1"]`, `["\"i\"\"d\",1"]`,
	}
	keys := map[string]string{}
	for _, text := range texts {
		var id EventID
		require.NoError(t, wire.Unmarshal([]byte(text), &id))
		require.NotContains(t, keys, id.key(), "%s and %s", text, keys[id.key()])
		keys[id.key()] = text
	}
	require.Contains(t, keys, "i:d", "checkpoints of earlier versions know the ordinary ids")
	require.Empty(t, EventID{}.key())
}

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

// TestALongEventID: an answer may hold a list of any length in place of an id, and each part of it is copied once.
func TestALongEventID(t *testing.T) {
	text := `["a","b"` + strings.Repeat(",1", 100_000) + `]`
	var id EventID
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, json.Unmarshal([]byte(text), &id))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20*len(text)))
	back, err := json.Marshal(id)
	require.NoError(t, err)
	require.Equal(t, text, string(back), "nothing is lost")
}
