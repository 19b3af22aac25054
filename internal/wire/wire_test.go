package wire

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

type sample struct {
	ID      int64                     `json:"id"`
	Big     uint64                    `json:"big"`
	Rate    float64                   `json:"rate"`
	On      bool                      `json:"on"`
	Name    string                    `json:"name"`
	Kind    kind                      `json:"kind"`
	Numbers []int64                   `json:"numbers"`
	Names   []string                  `json:"names"`
	Maybe   *int64                    `json:"maybe"`
	Inner   *sample                   `json:"inner"`
	Extra   map[string]jsontext.Value `json:",embed"`
}

type kind string

func TestTolerantReading(t *testing.T) {
	seven := int64(7)
	tests := []struct {
		name, json string
		want       sample
	}{
		{"number in quotes", `{"id":"12"}`, sample{ID: 12}},
		{"padded number in quotes", `{"id":" 12 "}`, sample{ID: 12}},
		{"whole number with a fraction", `{"id":61818.0}`, sample{ID: 61818}},
		{"exponent", `{"id":1e3}`, sample{ID: 1000}},
		{"above 53 bits with a fraction", `{"id":9007199254740993.0}`, sample{ID: 9007199254740993}},
		{"uint64", `{"big":18446744073709551615}`, sample{Big: 18446744073709551615}},
		{"uint64 in quotes", `{"big":"18446744073709551615"}`, sample{Big: 18446744073709551615}},
		{"float in quotes", `{"rate":"1.5"}`, sample{Rate: 1.5}},
		{"number for a text", `{"name":12}`, sample{Name: "12"}},
		{"number for an enumeration", `{"kind":3}`, sample{Kind: "3"}},
		{"boolean for a text", `{"name":true}`, sample{Name: "true"}},
		{"boolean as text", `{"on":"true"}`, sample{On: true}},
		{"boolean as number", `{"on":1}`, sample{On: true}},
		{"scalar for a list", `{"numbers":5,"names":"x"}`, sample{Numbers: []int64{5}, Names: []string{"x"}}},
		{"list with odd elements", `{"numbers":["5",6.0]}`, sample{Numbers: []int64{5, 6}}},
		{"list of one for a scalar", `{"id":[9],"name":["n"],"on":[true],"maybe":[7]}`, sample{ID: 9, Name: "n", On: true, Maybe: &seven}},
		{"empty list for a scalar", `{"id":[],"name":[]}`, sample{}},
		{"empty list for an optional scalar", `{"maybe":[]}`, sample{}},
		{"empty text", `{"id":"","rate":"","on":"","maybe":"","numbers":"","names":""}`, sample{}},
		{"null", `{"id":null,"name":null,"numbers":null,"on":null,"maybe":null}`, sample{}},
		{"inside", `{"inner":{"id":"3"}}`, sample{Inner: &sample{ID: 3}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got sample
			require.NoError(t, Unmarshal([]byte(test.json), &got))
			require.Equal(t, test.want, got)
			items, err := DecodeElements[sample]([]byte("["+test.json+","+test.json+"]"), nil)
			require.NoError(t, err)
			require.Equal(t, []sample{test.want, test.want}, items)
		})
	}
}

func TestWhatCannotBeReadWithoutLossIsAnError(t *testing.T) {
	for _, text := range []string{
		`{"id":"x"}`, `{"id":1.5}`, `{"id":1e30}`, `{"id":9223372036854775808}`, `{"id":[1,2]}`, `{"on":"maybe"}`, `{"big":-1}`, `{"name":{}}`,
		`{"id":`, `{"id":1`, `[`, ``, `{"id":1}}`, `nonsense`,
	} {
		var got sample
		require.Error(t, Unmarshal([]byte(text), &got), text)
	}
	for _, text := range []string{`{"small":"300"}`, `{"small":"-129"}`, `{"tiny":"256"}`, `{"tiny":"1e3"}`, `{"large":9007199254740993e0}`, `{"large":"1e17"}`} {
		var got struct {
			Small int8  `json:"small"`
			Tiny  uint8 `json:"tiny"`
			Large int64 `json:"large"`
		}
		require.Error(t, Unmarshal([]byte(text), &got), text)
	}
}

func TestHostileTextIsReadable(t *testing.T) {
	var got sample
	require.NoError(t, Unmarshal([]byte("{\"name\":\"\xff\xfe' or 1=1\",\"name\":\"last\\ud800\",\"id\":1,\"id\":2}"), &got))
	require.EqualValues(t, 2, got.ID)
	require.Equal(t, "last�", got.Name)
}

func TestUnknownMembersSurvive(t *testing.T) {
	const in = `{"id":1,"big":0,"rate":0,"on":false,"name":"","kind":"","numbers":null,"names":null,"maybe":null,"inner":null,` +
		`"later":{"a":[1,2.50,"x"]},"number":12345678901234567890.123}`
	var got sample
	require.NoError(t, Unmarshal([]byte(in), &got))
	out, err := MarshalEcho(got)
	require.NoError(t, err)
	require.JSONEq(t, in, string(out))
	require.Contains(t, string(out), "12345678901234567890.123", "digits stay as they are")
	require.Contains(t, string(out), "2.50")
}

func TestRequestsWriteEmptyLists(t *testing.T) {
	out, err := Marshal(struct {
		A []string `json:"a"`
	}{})
	require.NoError(t, err)
	require.JSONEq(t, `{"a":[]}`, string(out))
}

func TestDecodeElements(t *testing.T) {
	items, err := DecodeElements[sample]([]byte(`null`), nil)
	require.NoError(t, err)
	require.Empty(t, items)
	items, err = DecodeElements[sample]([]byte(`[]`), nil)
	require.NoError(t, err)
	require.NotNil(t, items)
	require.Empty(t, items)
	items, err = DecodeElements[sample]([]byte(`{"id":4}`), nil)
	require.NoError(t, err)
	require.Equal(t, []sample{{ID: 4}}, items)

	// One odd element among many changes nothing for the others.
	var b strings.Builder
	b.WriteString("[")
	for i := range 1000 {
		switch i {
		case 0:
			fmt.Fprintf(&b, `{"id":%d}`, i)
		case 500:
			fmt.Fprintf(&b, `,{"id":"%d"}`, i)
		default:
			fmt.Fprintf(&b, ` , {"id":%d}`, i)
		}
	}
	b.WriteString("]")
	items, err = DecodeElements[sample]([]byte(b.String()), nil)
	require.NoError(t, err)
	require.Len(t, items, 1000)
	for i := range items {
		require.EqualValues(t, i, items[i].ID)
	}

	for _, bad := range []string{`[{"id":1}`, `[{"id":1},`, `[{"id":1}{"id":2}]`, `[{"id":{}}]`, `[`} {
		_, err := DecodeElements[sample]([]byte(bad), nil)
		require.Error(t, err, bad)
	}
	_, err = DecodeElements[sample]([]byte(`[{"id":1},{"id":{}}]`), nil)
	require.ErrorContains(t, err, "element 1")
}

func TestOpen(t *testing.T) {
	tests := []struct {
		name, answer string
		envelope     Envelope
		payload      string
	}{
		{"E1", `{"status":200,"body":[1]}`, "body", `[1]`},
		{"E2", `{"status":200,"body":{"a":1}}`, "body", `{"a":1}`},
		{"E3", `{"status":200,"body":{"objects":[1]}}`, "body.objects", `[1]`},
		{"E4", `{"body":{"objects":[1]}}`, "body.objects", `[1]`},
		{"E5", `{"body":{"objects":[1],"continuation":"c"}}`, "body.objects", `[1]`},
		{"E6", `{"body":{"result":"ok","object":{"a":1}}}`, "body.object", `{"a":1}`},
		{"E7", `{"body":[1]}`, "body", `[1]`},
		{"E8 list", `{"triggers":[1]}`, "triggers", `[1]`},
		{"E8 one", `{"trigger":{"a":1}}`, "trigger", `{"a":1}`},
		{"E9", `{"items":[1],"current_page":1,"total_pages":2}`, "items", `[1]`},
		{"E10", `{"objects":[1],"next_offset":5,"offset":0}`, "objects", `[1]`},
		{"E10 enveloped", `{"status":200,"body":{"objects":[1],"next_offset":5}}`, "objects", `[1]`},
		{"E11", `[1,2]`, "", `[1,2]`},
		{"E12", `{"a":1}`, "", `{"a":1}`},
		{"E13", `{"status":200,"body":null}`, "body", `null`},
		{"E14", `{"status":200,"body":"OK"}`, "body", `"OK"`},
		{"E15", `{"status":200,"body":[]}`, "body", `[]`},
		{"E18", `{"data":[1],"next_cursor":"n"}`, "data", `[1]`},
		{"E19", `{"status":200,"body":[1],"cursor":"n"}`, "body", `[1]`},
		{"E20", `{"body":{"a":1}}`, "body", `{"a":1}`},
		{"spaces", " \n{ \"status\" : 200 ,\t\"body\" : [ 1 ] } ", "body", `[ 1 ]`},
		{"quotes and braces in texts", `{"x":"}\"{\\","body":{"k":"]}\\\""}}`, "body", `{"k":"]}\\\""}`},
		{"bare list where an envelope was due", `[1]`, "body", `[1]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, err := Open([]byte(test.answer), test.envelope)
			require.NoError(t, err)
			require.Equal(t, test.payload, strings.TrimSpace(string(answer.Payload)))
		})
	}
}

func TestOpenFindsPaging(t *testing.T) {
	answer, err := Open([]byte(`{"status":200,"body":[1],"cursor":"c1"}`), "body")
	require.NoError(t, err)
	require.Equal(t, "c1", answer.Paging.Cursor)
	require.EqualValues(t, 200, answer.Status)

	answer, err = Open([]byte(`{"data":[1],"next_cursor":"n","prev_cursor":null,"has_more":false}`), "data")
	require.NoError(t, err)
	require.Equal(t, "n", answer.Paging.Cursor)
	require.Empty(t, answer.Paging.PrevCursor)
	require.False(t, *answer.Paging.HasMore)

	answer, err = Open([]byte(`{"body":{"continuation":"more","objects":[1]}}`), "body.objects")
	require.NoError(t, err)
	require.Equal(t, "more", answer.Paging.Continuation)

	answer, err = Open([]byte(`{"objects":[1],"next_offset":"200","offset":100}`), "objects")
	require.NoError(t, err)
	require.EqualValues(t, 200, *answer.Paging.NextOffset)

	answer, err = Open([]byte(`{"items":[],"current_page":2,"total_pages":3,"total_count":140}`), "items")
	require.NoError(t, err)
	require.EqualValues(t, 2, answer.Paging.CurrentPage)
	require.EqualValues(t, 3, answer.Paging.TotalPages)
	require.EqualValues(t, 140, *answer.Paging.TotalCount)
}

func TestWhatIsEmptyTakesNoPagingAway(t *testing.T) {
	for _, text := range []string{
		`{"body":{"objects":[1],"cursor":null},"next_cursor":"c","cursor":null,"has_more":"true"}`,
		`{"cursor":"","next_cursor":"c","has_more":[true],"body":{"next_cursor":"","has_more":null,"objects":[1]}}`,
		`{"next_cursor":"c","cursor":"own","has_more":1,"body":{"objects":[1],"cursor":"own"}}`,
		`{"cursor":"own","next_cursor":"c","body":{"objects":[1],"has_more":true}}`,
		`{"cursor":"c","has_more":true,"body":{"objects":[1],"cursor":false,"next_cursor":null}}`,
	} {
		answer, err := Open([]byte(text), "body.objects")
		require.NoError(t, err, text)
		require.Equal(t, "c", answer.Paging.Cursor, text)
		require.True(t, *answer.Paging.HasMore, text)
	}
	answer, err := Open([]byte(`{"prev_cursor":"p","continuation":"x","next_offset":7,"current_page":2,"total_pages":3,"total_count":9,
		"body":{"objects":[],"prev_cursor":null,"continuation":"","next_offset":null,"current_page":null,"total_pages":0,"total_count":""}}`), "body.objects")
	require.NoError(t, err)
	seven, nine := int64(7), int64(9)
	require.Equal(t, Paging{PrevCursor: "p", Continuation: "x", NextOffset: &seven, CurrentPage: 2, TotalPages: 3, TotalCount: &nine}, answer.Paging)
}

func TestOpenRefusesWhatIsNoAnswer(t *testing.T) {
	_, err := Open(nil, "body")
	require.ErrorIs(t, err, ErrNoPayload)
	_, err = Open([]byte(`{"status":200}`), "body")
	require.ErrorIs(t, err, ErrNoPayload)
	for _, bad := range []string{`{"body":[1]`, `{"body"`, `{"body":`, `{"body":[1],}`, `{`, `{"a":"b`, `<html>`, `{"body" 1}`, `{"a":1 "body":2}`,
		`{"body":[1]} {"body":[2]}`, `{"body":[1]}]`, `{"body":[1],"body":[2]}`, `{"body":[1],"body":null}`,
		`{"body":{"objects":[1]},"body":{"objects":[]}}`} {
		_, err := Open([]byte(bad), "body")
		require.Error(t, err, bad)
		require.NotErrorIs(t, err, ErrNoPayload, bad)
	}
	answer, err := Open([]byte("{\"body\":[],\"body\":[1]} \n"), "body")
	require.NoError(t, err)
	require.Equal(t, "[1]", string(answer.Payload), "nothing is lost by a second list behind an empty one")
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"status":200,"body":{"objects":[{"a":"\"}"}],"continuation":null},"cursor":"x"}`), "body.objects")
	f.Add([]byte(`{"items":[1,2],"current_page":"1"}`), "items")
	f.Add([]byte(`[1,{"a":2}]`), "")
	f.Fuzz(func(t *testing.T, data []byte, envelope string) {
		if len(envelope) > 40 {
			return
		}
		answer, err := Open(data, Envelope(envelope))
		if err != nil {
			return
		}
		if len(answer.Payload) > len(data) {
			t.Fatal("the payload is larger than the answer")
		}
		// On valid JSON, the payload is valid too.
		if jsontext.Value(data).IsValid(syntax) && len(answer.Payload) > 0 && !answer.Payload.IsValid(syntax) {
			t.Fatalf("payload %q of %q", answer.Payload, data)
		}
	})
}

func FuzzDecodeElements(f *testing.F) {
	f.Add([]byte(`[{"id":1,"name":"x","later":[{}]},{"id":"2","numbers":3}]`))
	f.Add([]byte(`[{"inner":{"id":[4]},"maybe":"7"}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := DecodeElements[sample](data, nil)
		if err != nil {
			return
		}
		once, err := MarshalEcho(items)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := DecodeElements[sample](once, nil)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, once)
		}
		twice, err := MarshalEcho(again)
		if err != nil || string(once) != string(twice) {
			t.Fatalf("not stable:\n%s\n%s", once, twice)
		}
	})
}

// TestDecodeBody: the quick way takes nothing that the slow one refuses.
func TestDecodeBody(t *testing.T) {
	for data, want := range map[string]bool{
		`{"status":200,"body":{"id":4}}`: true, ` { "body" : {"id":4} , "status" : 200 , "more":[{"a":"}"}] } `: true, `{"body":{"id":4}}`: true,
		`{"body":{"id":4},}`: false, `{"body":{"id":4}`: false, `{"body":{"id":4}} x`: false, `{"body":{"id":4}}{}`: false, `{,"body":{"id":4}}`: false,
		`{"status":403,"body":{"id":4}}`: false, `{"body":{"id":4},"status":"500"}`: false, `{"body":null}`: false, `{"status":200}`: false,
		`{"body":{"id":4},"body":{"id":5}}`: false, `{"body":{"id":"x"}}`: false, `{"body":{"id":4,}}`: false, `{"body":`: false, `{"body"`: false,
		`{"bo`: false, `{`: false, ``: false, `[{"body":{"id":4}}]`: false, `{"body":{"id":4} "status":1}`: false, `{"body" {"id":4}}`: false, `{}`: false,
	} {
		var got sample
		require.Equal(t, want, DecodeBody([]byte(data), &got), data)
		if want {
			require.Equal(t, int64(4), int64(got.ID), data)
		} else {
			require.Equal(t, sample{}, got, data)
		}
	}
}

// FuzzDecodeBody: the quick way to a payload finds what the slow one finds.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{`{"status":200,"body":{"id":4}}`, `{"body":[1],"x":"\""}`, `{"body":"a","status":1e3}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var quick, slow jsontext.Value
		if !DecodeBody(data, &quick) {
			require.Nil(t, quick)
			return
		}
		answer, err := Open(data, "body")
		require.NoError(t, err)
		require.NoError(t, Unmarshal(answer.Payload, &slow))
		require.Equal(t, string(slow), string(quick))
		require.Less(t, answer.Status, int64(400))
	})
}

// TestNestedArraysAreNoScalar: a value behind one bracket is what some answers have; behind a thousand, each would be read as often as there are
// brackets before it.
func TestNestedArraysAreNoScalar(t *testing.T) {
	type item struct {
		Number  int      `json:"number"`
		Float   float64  `json:"float"`
		Bool    bool     `json:"bool"`
		Text    string   `json:"text"`
		Pointer *int     `json:"pointer"`
		List    []string `json:"list"`
	}
	for _, test := range []struct{ name, value string }{{"number", "1"}, {"float", "1.5"}, {"bool", "true"}, {"text", `"x"`}, {"pointer", "1"}, {"list", `["x"]`}} {
		for depth, isRead := range map[int]bool{0: true, 1: true, 2: false, 4000: false} {
			text := `{"` + test.name + `":` + strings.Repeat("[", depth) + test.value + strings.Repeat("]", depth) + `}`
			var read item
			err := Unmarshal([]byte(text), &read)
			if isRead {
				require.NoError(t, err, test.name)
				require.NotZero(t, read, test.name)
				continue
			}
			require.Error(t, err, "%s, %d deep", test.name, depth)
		}
	}
}

// TestEnvelopesInOneAnother are read as far as answers have them, and no further: each is read as often as there are others around it.
func TestEnvelopesInOneAnother(t *testing.T) {
	for depth := 1; depth <= 2*maxEnvelopes; depth++ {
		text := strings.Repeat(`{"body":`, depth) + `[1]` + strings.Repeat(`}`, depth)
		list, _ := ListIn([]byte(text), Paging{})
		if depth <= maxEnvelopes {
			require.Equal(t, "[1]", string(list), "%d deep", depth)
			continue
		}
		require.Equal(t, text, string(list), "%d deep", depth)
	}
}

// TestAnObjectInPlaceOfAListOfItself is read at any depth.
func TestAnObjectInPlaceOfAListOfItself(t *testing.T) {
	type node struct {
		Name   string  `json:"name"`
		Nested []*node `json:"nested"`
	}
	const depth = 2000
	var root node
	require.NoError(t, Unmarshal([]byte(strings.Repeat(`{"name":"n","nested":`, depth)+`""`+strings.Repeat(`}`, depth)), &root))
	found := 1
	for n := &root; len(n.Nested) == 1; n = n.Nested[0] {
		require.Equal(t, "n", n.Name)
		found++
	}
	require.Equal(t, depth, found)
}

// TestAMismatchIsToldWithoutItsValue, which may be a secret in an odd place.
func TestAMismatchIsToldWithoutItsValue(t *testing.T) {
	inner := &json.SemanticError{JSONKind: '0', JSONValue: []byte("hunter2"), Err: &strconv.NumError{Func: "ParseInt", Num: "hunter2", Err: strconv.ErrRange}}
	err := withoutValue(&json.SemanticError{JSONKind: '"', JSONValue: []byte(`"hunter2"`), JSONPointer: "/name", Err: inner})
	require.NotContains(t, err.Error(), "hunter2")
	require.ErrorContains(t, err, "/name")
	require.ErrorIs(t, err, strconv.ErrRange)
	require.Equal(t, "hunter2", string(inner.JSONValue), "the error itself stays as it is")
}

// ticking tells onDecode that it is decoded.
type ticking struct{}

var onDecode func()

func (*ticking) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	onDecode()
	return d.SkipValue()
}

// TestDecodingEndsWithTheContext: the quick way and the careful one look at the context every few elements.
func TestDecodingEndsWithTheContext(t *testing.T) {
	list := []byte("[" + strings.Repeat("{},", 9999) + "{}]")
	for name, decode := range map[string]func(context.Context, []byte, []ticking) ([]ticking, error){
		"quick": DecodeElementsWithin[ticking], "careful": decodeCarefully[ticking],
	} {
		ctx, cancel := context.WithCancel(t.Context())
		decoded := 0
		onDecode = func() {
			if decoded++; decoded == 300 {
				cancel()
			}
		}
		items, err := decode(ctx, list, nil)
		require.ErrorIs(t, err, context.Canceled, name)
		require.Nil(t, items, name)
		require.Equal(t, 2*elementsAtOnce, decoded, name)

		items, err = decode(t.Context(), list, nil)
		require.NoError(t, err, name)
		require.Len(t, items, 10_000, name)
	}
}
