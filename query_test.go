package wallarm

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bracketed is a query with each form of name and value that the API takes.
type bracketed struct {
	List   []string         `url:"filter[name][],omitempty"`
	Not    []string         `url:"filter[!name][],omitempty"`
	One    string           `url:"filter[a][b]"`
	Number int64            `url:"page[n]"`
	Opt    Opt[string]      `url:"filter[opt]"`
	Opts   Opt[[]string]    `url:"filter[opts][]"`
	Twice  Opt[Opt[string]] `url:"filter[twice]"`
}

// FuzzQuery: what stands in a query or in a path comes out of the request as it was put in, and nothing else does.
func FuzzQuery(f *testing.F) {
	f.Add("x", "y", int64(1), "filter[x][]")
	f.Add("a&b=c", "100% [sure];\x00", int64(-1), "a=b&c")
	f.Add("+ %2B", "é\xff\u2028", int64(0), "")
	f.Add("../x", "#", int64(7), "a[b][]")
	f.Add("..%2f", "?", int64(7), "%")
	f.Fuzz(func(t *testing.T, first, second string, number int64, name string) {
		client, err := New(US, Token("test-token-query"), WithBaseURL("https://api.example.com/base"), WithRoundTripper(stubTransport{`{}`}))
		require.NoError(t, err)
		if !areTexts(first, second, name) {
			_, err := client.url("/v1/x", "", url.Values{name: {first, second}})
			require.ErrorIs(t, err, ErrInvalidArgument)
			return
		}
		travelled := func(path, raw string, query any) *url.URL {
			u, err := client.url(path, raw, query)
			require.NoError(t, err)
			read, err := url.Parse(u.String())
			require.NoError(t, err)
			require.Equal(t, "api.example.com", read.Host)
			require.Empty(t, read.Fragment)
			return read
		}
		check := func(u *url.URL, want url.Values) {
			got, err := url.ParseQuery(u.RawQuery)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		check(travelled("/v1/x", "", bracketed{
			List: []string{first, second}, Not: []string{second}, One: first, Number: number, Opt: Set(second), Opts: Set([]string{second, first}), Twice: Set(Null[string]()),
		}), url.Values{
			"filter[name][]": {first, second}, "filter[!name][]": {second}, "filter[a][b]": {first}, "page[n]": {strconv.FormatInt(number, 10)},
			"filter[opt]": {second}, "filter[opts][]": {second, first}, "filter[twice]": {""},
		})
		free := url.Values{name: {first, second}, "filter[" + name + "][]": {second}}
		check(travelled("/v1/x", "", free), free)

		// A path parameter stays one segment, or is refused.
		path, raw, err := fillPath("/v1/{a}/x/{b}", []any{first, number})
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidArgument)
		} else {
			u := travelled(path, raw, free)
			segments := strings.Split(u.EscapedPath(), "/")
			require.Len(t, segments, 6, u.EscapedPath())
			segment, err := url.PathUnescape(segments[3])
			require.NoError(t, err)
			require.Equal(t, first, segment)
			check(u, free)
		}

		// So does what the caller of Call writes.
		op, values, err := rawOperation(http.MethodGet, "/v1/"+first)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidArgument)
			return
		}
		path, raw, err = fillPath(op.path, nil)
		require.NoError(t, err)
		u := travelled(path, raw, values)
		require.True(t, strings.HasPrefix(u.Path, "/base/v1/"), u.Path)
		if values == nil {
			values = url.Values{}
		}
		check(u, values)
	})
}
