package wire

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

// elementsOf reads a whole list through a reader that gives a byte at a time.
func elementsOf(data []byte) (values []string, err error) {
	e := NewElements(iotest.OneByteReader(bytes.NewReader(data)), 1<<20)
	for {
		var value jsontext.Value
		switch err := e.Next(&value); err {
		case nil:
			values = append(values, string(value))
		case io.EOF:
			return values, nil
		default:
			return values, err
		}
	}
}

// FuzzElements: what is read piece by piece is what is read as a whole, and nothing is taken for a complete list that is none.
func FuzzElements(f *testing.F) {
	for _, seed := range []string{`[1,"a",null,{"b":[2]},[3]]`, `[]`, `null`, `[1,2`, `[1]]`, `{"body":[1]}`, `[{"a":1,"a":2}]`, "[\"\xff\"]", `{"body":{"objects":[1]`, ` `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, wholeErr := DecodeElements[jsontext.Value](data, nil)
		streamed, err := elementsOf(data)
		kind := jsontext.Value(bytes.TrimLeft(data, " \t\r\n")).Kind()
		if !jsontext.Value(data).IsValid(syntax) {
			require.Error(t, err, "this is not JSON")
			return
		}
		if kind != '[' && kind != 'n' {
			return
		}
		require.NoError(t, wholeErr)
		require.NoError(t, err)
		require.Len(t, streamed, len(whole))
		for i := range whole {
			require.Equal(t, string(whole[i]), streamed[i])
		}
		if kind == 'n' {
			streamed = []string{"1"} // where null stands for the list, another one is it
		}
		wrapped, err := elementsOf([]byte(`{"status":200,"x":{"y":[0]},"body":{"n":1,"objects":` + string(data) + `,"z":[1]},"w":[2]}`))
		require.NoError(t, err)
		require.Equal(t, streamed, wrapped)
	})
}

func TestNullHidesNoListInAnyPlace(t *testing.T) {
	for _, answer := range []string{`{"data":null,"items":[1,2]}`, `{"items":[1,2],"data":null}`, `{"body":{"items":[1,2]},"data":null}`, `{"objects":null,"body":[1,2]}`} {
		values, err := elementsOf([]byte(answer))
		require.NoError(t, err, answer)
		require.Equal(t, []string{"1", "2"}, values, answer)
	}
}

func TestElementsAreBounded(t *testing.T) {
	endless := readerOf(func(p []byte) (int, error) {
		for i := range p {
			p[i] = 'x'
		}
		return len(p), nil
	})
	for _, head := range []string{`["`, `{"`, `{"body":"`, `{"a":{"b":"`, `[]`} {
		e := NewElements(io.MultiReader(bytes.NewReader([]byte(head)), endless), 1<<20)
		var value jsontext.Value
		err := e.Next(&value)
		require.Error(t, err, head)
		require.NotErrorIs(t, err, io.EOF)
		require.LessOrEqual(t, e.input.read, int64(1<<20+3*streamBuffer), head)
	}
}

type readerOf func([]byte) (int, error)

func (f readerOf) Read(p []byte) (int, error) { return f(p) }

// TestWhatStandsBesideAListHasAnySize, but for a single text.
func TestWhatStandsBesideAListHasAnySize(t *testing.T) {
	const most = 1 << 16
	many := "[" + strings.Repeat(`{"n":[1,2,"x"]},`, most) + "3]"
	for _, answer := range []string{`{"before":{"deep":` + many + `},"body":[1,2]}`, `{"body":[1,2],"data":` + many + `}`} {
		elements := NewElements(strings.NewReader(answer), most)
		for want := range 2 {
			var n int
			require.NoError(t, elements.Next(&n))
			require.Equal(t, want+1, n)
		}
		var n int
		require.ErrorIs(t, elements.Next(&n), io.EOF)
	}
	long := `{"before":"` + strings.Repeat("x", 3*most) + `","body":[1]}`
	var n int
	require.ErrorIs(t, NewElements(strings.NewReader(long), most).Next(&n), ErrElementTooLarge)
}
