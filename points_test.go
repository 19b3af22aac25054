package wallarm

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// pointExamples are those of docs/wire/rules.md, sections 4.1 and 4.4, in both forms.
var pointExamples = []struct {
	point      Point
	form, flat string
}{
	{Point{AllOf("get")}, `[["get_all"]]`, `["get_all"]`},
	{Point{QueryParam("q")}, `[["get","q"]]`, `["get","q"]`},
	{Point{Header("HOST")}, `[["header","HOST"]]`, `["header","HOST"]`},
	{Point{Header("cookie"), Cookie("sid")}, `[["header","COOKIE"],["cookie","sid"]]`, `["header","COOKIE","cookie","sid"]`},
	{
		Point{RequestBody(), JSONDoc(), ObjectMember("items"), ArrayElement(0), ObjectMember("sku")},
		`[["post"],["json_doc"],["hash","items"],["array",0],["hash","sku"]]`, `["post","json_doc","hash","items","array",0,"hash","sku"]`,
	},
	{Point{RequestBody(), FormField("email")}, `[["post"],["form_urlencoded","email"]]`, `["post","form_urlencoded","email"]`},
	{
		Point{RequestBody(), MultipartField("scan"), UploadedFile()},
		`[["post"],["multipart","scan"],["file"]]`, `["post","multipart","scan","file"]`,
	},
	{
		Point{Header("AUTHORIZATION"), JWT("jwt_payload"), Base64(), JSONDoc(), ObjectMember("sub")},
		`[["header","AUTHORIZATION"],["jwt","jwt_payload"],["base64"],["json_doc"],["hash","sub"]]`,
		`["header","AUTHORIZATION","jwt","jwt_payload","base64","json_doc","hash","sub"]`,
	},
	{
		Point{RequestBody(), XMLDoc(), XMLTag("order"), XMLAttr("id")},
		`[["post"],["xml"],["xml_tag","order"],["xml_attr","id"]]`, `["post","xml","xml_tag","order","xml_attr","id"]`,
	},
	{
		Point{RequestBody(), GraphQL(), NamedStep("gql_query", "GetOrder"), ObjectMember("order"), NewStep("gql_arg"), ObjectMember("id")},
		`[["post"],["gql"],["gql_query","GetOrder"],["hash","order"],["gql_arg"],["hash","id"]]`,
		`["post","gql","gql_query","GetOrder","hash","order","gql_arg","hash","id"]`,
	},
	{
		Point{RequestBody(), GRPC(1), Protobuf("name")},
		`[["post"],["grpc",1],["protobuf","name"]]`, `["post","grpc",1,"protobuf","name"]`,
	},
	{Point{RemoteAddr()}, `[["remote_addr"]]`, `["remote_addr"]`},
	{Point{PathSegment(0)}, `[["path",0]]`, `["path",0]`},
	{Point{WholeURI(), Percent(), Gzip()}, `[["uri"],["percent"],["gzip"]]`, `["uri","percent","gzip"]`},
	// A key may look like a parser.
	{Point{QueryParam("post"), ObjectMember("array")}, `[["get","post"],["hash","array"]]`, `["get","post","hash","array"]`},
	{Point{NamesOf("header"), ActionName(), ActionExt()}, `[["header_name"],["action_name"],["action_ext"]]`, `["header_name","action_name","action_ext"]`},
}

func TestPointForms(t *testing.T) {
	t.Parallel()
	for _, example := range pointExamples {
		require.NoError(t, example.point.validate("point"))
		data, err := wire.Marshal(example.point)
		require.NoError(t, err)
		require.Equal(t, example.form, string(data), "requests")
		data, err = wire.MarshalEcho(example.point)
		require.NoError(t, err)
		require.Equal(t, example.flat, string(data), "answers")
		data, err = json.Marshal(example.point)
		require.NoError(t, err)
		require.Equal(t, example.flat, string(data), "encoding/json")
		data, err = wire.Marshal(flatPoint(example.point))
		require.NoError(t, err)
		require.Equal(t, example.flat, string(data), "conditions")
		for _, form := range []string{example.form, example.flat} {
			var read Point
			require.NoError(t, wire.Unmarshal([]byte(form), &read))
			require.Equal(t, example.point, read, form)
			read = nil
			require.NoError(t, json.Unmarshal([]byte(form), &read))
			require.Equal(t, example.point, read, form)
		}
	}
}

func TestPointKeys(t *testing.T) {
	t.Parallel()
	name, ok := QueryParam("q").Key()
	require.True(t, ok)
	require.Equal(t, "q", name)
	_, ok = QueryParam("q").Index()
	require.False(t, ok)
	index, ok := ArrayElement(7).Index()
	require.True(t, ok)
	require.Equal(t, int64(7), index)
	require.Equal(t, "post.json_doc.hash(user).array(0)", Point{RequestBody(), JSONDoc(), ObjectMember("user"), ArrayElement(0)}.String())

	// An index in quotes and a header name in small letters are mended on the way out, not on the way back.
	var read Point
	require.NoError(t, wire.Unmarshal([]byte(`["header","x-a","array","0","viewstate_pair","1"]`), &read))
	require.NoError(t, read.validate("point"))
	data, err := wire.Marshal(read)
	require.NoError(t, err)
	require.Equal(t, `[["header","X-A"],["array",0],["viewstate_pair",1]]`, string(data))
	data, err = wire.MarshalEcho(read)
	require.NoError(t, err)
	require.Equal(t, `["header","x-a","array","0","viewstate_pair","1"]`, string(data))
}

func TestPointValidation(t *testing.T) {
	t.Parallel()
	for name, point := range map[string]Point{
		"empty":          {},
		"no parser":      {{}},
		"no name":        {NewStep("header")},
		"no index":       {NewStep("path")},
		"name for index": {NamedStep("array", "x")},
		"index for name": {IndexedStep("hash", 1)},
		"negative":       {ArrayElement(-1)},
		"key for post":   {NamedStep("post", "x")},
		"key for all":    {NamedStep("get_all", "x")},
		"leading zero":   {NamedStep("array", "007")},
	} {
		require.ErrorIs(t, point.validate("point"), ErrInvalidArgument, name)
	}
	require.NoError(t, Point{NamedStep("quantum", "x"), NewStep("parser_of_next_year")}.validate("point"))
}

func TestPointOddForms(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{
		`null`:                             `null`,
		`[]`:                               `[]`,
		`"uri"`:                            `["uri"]`,
		`["new_parser",5]`:                 `["new_parser",5]`,
		`[["new_parser","key"]]`:           `["new_parser","key"]`,
		`["get"]`:                          `["get"]`,
		`["array",1e2]`:                    `["array",1e2]`,
		`["path",[0]]`:                     `["path",0]`,
		`[5,"get","a"]`:                    `[5,"get","a"]`,
		`[[5,"a"],6]`:                      `[5,"a",6]`,
		`[["hash"],["",0]]`:                `["hash","",0]`,
		`[["post","json_doc","hash","a"]]`: `["post","json_doc","hash","a"]`,
	} {
		var read Point
		require.NoError(t, wire.Unmarshal([]byte(form), &read), form)
		data, err := wire.MarshalEcho(read)
		require.NoError(t, err)
		require.Equal(t, want, string(data), form)
	}
	for _, form := range []string{`5`, `{}`, `[{}]`, `[[["a"]]]`, `[true]`, `["a"`} {
		var read Point
		require.Error(t, wire.Unmarshal([]byte(form), &read), form)
	}
}

// FuzzPoint: what is read is written back, and what a request carries reads back to the same.
func FuzzPoint(f *testing.F) {
	f.Add([]byte(`[["0000",""],["hash"],["",0]]`))
	for _, example := range pointExamples {
		f.Add([]byte(example.form))
		f.Add([]byte(example.flat))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var read Point
		if wire.Unmarshal(data, &read) != nil {
			return
		}
		flat, err := wire.MarshalEcho(read)
		require.NoError(t, err)
		var again Point
		require.NoError(t, wire.Unmarshal(flat, &again))
		twice, err := wire.MarshalEcho(again)
		require.NoError(t, err)
		require.Equal(t, string(flat), string(twice))
		if read.validate("point") != nil {
			return
		}
		form, err := wire.Marshal(read)
		require.NoError(t, err)
		var sent Point
		require.NoError(t, wire.Unmarshal(form, &sent))
		require.Equal(t, read.normalized(), sent)
	})
}

// TestNilPointIsNull, which is not the empty list.
func TestNilPointIsNull(t *testing.T) {
	t.Parallel()
	for want, point := range map[string]Point{"null": nil, "[]": {}} {
		encoded, err := json.Marshal(point)
		require.NoError(t, err)
		require.Equal(t, want, string(encoded))
	}
}
