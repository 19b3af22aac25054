package wire

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

// steps decode themselves, as a point does.
type steps []step

type step [2]string

func (s *steps) UnmarshalJSONFrom(d *jsontext.Decoder) error { return d.SkipValue() }

func TestElementSize(t *testing.T) {
	type item struct {
		Name  string
		Next  *item
		Items []item
	}
	for _, test := range []struct {
		value any
		want  int
	}{
		{nil, anyElement}, {new(any), anyElement}, {map[string]any{}, anyElement}, {1, 0}, {"", 0}, {item{}, 0}, {[]item{}, 0}, {[]int64{}, 10}, {[]string{}, 20},
		{[][]string{}, 50}, {struct{ A, B any }{}, anyElement}, {jsontext.Value{}, rawText}, {[]jsontext.Value{}, 38}, {steps{}, 40}, {new(map[string]steps), 40},
		{[]struct{ S *steps }{}, 40},
	} {
		require.Equal(t, test.want, elementSize(reflect.TypeOf(test.value), map[reflect.Type]int{}), "%T", test.value)
	}
}

func TestWeight(t *testing.T) {
	const object, element = smallObject, 1
	for text, want := range map[string]int{
		"": 0, "1": 0, `"a"`: 0, "null": object, "{}": object, "[]": 0, "[1]": element, `["[1,2]","\"",-1.5e3,true,false]`: 5, `{"a":1,"b":"c","d":true,"e":[ ]}`: object,
		`[{"a":[1,2]},null]`: 2*object + 2, "[[],[[]],[1]]": 3, "[ [ ] ]": 1, "]]}[1": 1, `["`: 1, "[": 0, "nul": object, `["a" , "b"]`: 2,
		strings.Repeat("[", 2*maxNesting): 0,
	} {
		require.Equal(t, want, weight([]byte(text), element), text)
	}
}
