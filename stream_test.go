package wallarm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// piped answers with a body that the test writes piece by piece.
type piped struct {
	body   io.ReadCloser
	closed atomic.Bool
}

func (p *piped) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: -1, Body: p}, nil
}

func (p *piped) Read(b []byte) (int, error) { return p.body.Read(b) }

func (p *piped) Close() error {
	p.closed.Store(true)
	return p.body.Close()
}

func streamClient(t *testing.T, rt http.RoundTripper) *Client {
	t.Helper()
	client, err := New(US, Token("test-token-stream"), WithRoundTripper(rt), WithDefaultClientID(1))
	require.NoError(t, err)
	return client
}

// TestAPanicOfAHookLeavesNoStreamBehind: nobody gets the answer then, so nobody else could close it.
func TestAPanicOfAHookLeavesNoStreamBehind(t *testing.T) {
	body, sink := io.Pipe()
	defer sink.Close()
	answer := &piped{body: body}
	var asked context.Context
	client, err := New(US, Token("test-token-stream"), WithDefaultClientID(1), WithHook(func(context.Context, Attempt) { panic("hook") }),
		WithRoundTripper(roundTripper(func(r *http.Request) (*http.Response, error) {
			asked = r.Context()
			return answer.RoundTrip(r)
		})))
	require.NoError(t, err)
	require.PanicsWithValue(t, "hook", func() {
		for range Stream[int](context.Background(), client, "GET", "/v1/list", nil, WithTimeout(0)) {
		}
	})
	require.True(t, answer.closed.Load())
	require.Error(t, asked.Err())
}

func TestStreamYieldsWhileTheAnswerArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, sink := io.Pipe()
		answer := &piped{body: body}
		began := time.Now()
		go func() {
			_, _ = io.WriteString(sink, `{"status":200,"body":{"objects":[`)
			for n := range 3 {
				_, _ = fmt.Fprintf(sink, `{"id":"%d","new":[%d]},`, n+1, n)
				time.Sleep(time.Hour)
			}
			_, _ = io.WriteString(sink, `{"id":4}]}}`)
			sink.Close()
		}()
		var ids []int64
		for hit, err := range Stream[struct {
			ID    int64 `json:"id"`
			Extra Extra `json:",embed"`
		}](t.Context(), streamClient(t, answer), "POST", "/v1/objects/hit", RawJSON(`{}`)) {
			require.NoError(t, err)
			require.Equal(t, time.Duration(len(ids))*time.Hour, time.Since(began), "each comes when it has arrived")
			if ids = append(ids, hit.ID); len(ids) < 4 {
				require.Contains(t, hit.Extra, "new")
			}
		}
		require.Equal(t, []int64{1, 2, 3, 4}, ids, "an id in quotes is read as elsewhere")
		require.True(t, answer.closed.Load())
	})
}

func TestStreamFindsTheList(t *testing.T) {
	for body, want := range map[string][]int{
		`[1,2]`: {1, 2}, `[]`: nil, `null`: nil, `{"body":null}`: nil, `{"status":200,"body":[1]}`: {1}, `{"data":[1,2,3],"cursor":"x"}`: {1, 2, 3},
		`{"status":200,"total":{"a":[9]},"body":{"total_count":2,"objects":[1,2],"more":{"x":[]}},"z":[7]}`: {1, 2}, `{"objects":[5]}`: {5},
		`{"status":200,"body":{"status":500,"objects":[6],"more":1}}`: {6}, `{"body":{"objects":[6],"status":500}}`: {6}, `{"data":{"issues":[8]}}`: {8}, ` { "body" : { "objects" : null } } `: nil,
		`{"warnings":[],"body":[1,2]}`: {1, 2}, `{"warnings":[9],"body":[1]}`: {1}, `{"body":[1],"warnings":[9]}`: {1}, `{"body":{"errors":[],"objects":[1]}}`: {1},
		`{"body":{"errors":[9],"objects":[1]}}`: {1}, `{"body":{"count":0},"data":[1]}`: {1}, `{"data":[],"body":[1]}`: {1}, `{"body":null,"data":[1]}`: {1},
		`{"warnings":[],"issues":[1]}`: {1}, `{"warnings":[9],"body":{"issues":[1]}}`: {1}, `{"issues":[1],"body":{"warnings":[]},"more":[9]}`: {1},
		`{"warnings":[9],"body":[]}`: nil, `{"body":{"items":[9],"objects":[]}}`: nil, `{"warnings":[]}`: nil, `{"issues":[1],"body":null}`: {1}, `{"data":{"objects":[]},"objects":[1],"body":[9]}`: {1},
	} {
		var got []int
		for n, err := range Stream[int](t.Context(), streamClient(t, stubTransport{body}), "GET", "/v1/any", nil) {
			require.NoError(t, err, body)
			got = append(got, n)
		}
		require.Equal(t, want, got, body)
	}
}

func TestStreamOfALargeListUnderAnotherName(t *testing.T) {
	body := `{"names":["` + strings.Repeat("x", 64<<10) + `","b","c"],"body":[],"more":["d"]}`
	var got []string
	for text, err := range Stream[string](t.Context(), streamClient(t, stubTransport{body}), "GET", "/v1/any", nil) {
		require.NoError(t, err)
		got = append(got, text[:1])
	}
	require.Equal(t, []string{"x", "b", "c"}, got)
}

func TestStreamFailures(t *testing.T) {
	long := `{"body":["` + strings.Repeat("x", maxElement+3*64<<10) + `"]}`
	for name, test := range map[string]struct {
		body  string
		want  error
		items int
	}{
		"no list":                   {`{"status":200,"body":{"count":3}}`, ErrResponse, 0},
		"a text":                    {`"hello"`, ErrResponse, 0},
		"nothing":                   {``, ErrResponse, 0},
		"a page of a proxy":         {`<html>sign in</html>`, ErrResponse, 0},
		"broken off in between":     {`{"body":["a","b","c`, ErrResponse, 2},
		"broken off behind":         {`{"body":["a","b"]`, ErrResponse, 2},
		"something behind":          {`["a"] ["b"]`, ErrResponse, 1},
		"not an element":            {`["a",{"b":1},"c"]`, ErrResponse, 1},
		"an element too large":      {long, ErrResponseTooLarge, 0},
		"a second list":             {`{"names":["` + strings.Repeat("x", 64<<10) + `","b"],"body":["a"]}`, ErrResponse, 2},
		"a second list inside":      {`{"names":["` + strings.Repeat("x", 64<<10) + `"],"body":{"objects":["a"]}}`, ErrResponse, 1},
		"broken off, no name":       {`{"names":["a","b"]`, ErrResponse, 0},
		"the inner status":          {`{"status":403,"body":["Access denied"]}`, ErrForbidden, 0},
		"the inner status in words": {`{"status":"403 Forbidden","body":["Access denied"]}`, ErrForbidden, 0},
		"the inner status last":     {`{"body":["a","b"],"more":{"status":200},"status":500}`, ErrServer, 2},
		"the inner status, too":     {`{"status":404,"body":{"id":["not_found"]}}`, ErrNotFound, 0},
	} {
		t.Run(name, func(t *testing.T) {
			items := 0
			var failure error
			for _, err := range Stream[string](t.Context(), streamClient(t, stubTransport{test.body}), "GET", "/v1/any", nil) {
				require.NoError(t, failure, "nothing comes after an error")
				if failure = err; err == nil {
					items++
				}
			}
			require.ErrorIs(t, failure, test.want)
			require.Equal(t, test.items, items)
			require.Contains(t, failure.Error(), "/v1/any")
		})
	}
	for _, opts := range [][]CallOption{{WithRetries(-1)}, {nil}} {
		n := 0
		for range Stream[string](t.Context(), streamClient(t, stubTransport{"[]"}), "BREW", "/v1/any", nil, opts...) {
			n++
		}
		require.Equal(t, 1, n)
	}
}

func TestStreamIsRepeatedBeforeItsBodyOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		client := streamClient(t, roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			if tries++; tries < 3 {
				return &http.Response{StatusCode: 503, Header: http.Header{}, Request: r, Body: http.NoBody}, nil
			}
			boom := io.MultiReader(strings.NewReader(`["a","b",`), errorReader{io.ErrUnexpectedEOF})
			return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: -1, Body: io.NopCloser(boom)}, nil
		}))
		var items []string
		var failure error
		for item, err := range Stream[string](t.Context(), client, "POST", "/v1/any", nil, WithReplayClass(ReplayRead)) {
			if failure = err; err == nil {
				items = append(items, item)
			}
		}
		require.Equal(t, 3, tries)
		require.Equal(t, []string{"a", "b"}, items)
		require.ErrorIs(t, failure, io.ErrUnexpectedEOF)
		var call *CallError
		require.ErrorAs(t, failure, &call)
		require.Equal(t, 3, call.Attempts)

		tries = 0
		for _, err := range Stream[string](t.Context(), client, "POST", "/v1/any", nil) {
			require.ErrorIs(t, err, ErrServer)
			require.ErrorIs(t, err, ErrOutcomeUnknown, "a POST counts as a change")
		}
		require.Equal(t, 1, tries)
	})
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }

func TestStreamEnds(t *testing.T) {
	endless := func() *piped { return &piped{body: io.NopCloser(&repeater{head: "[1", piece: ",1"})} }
	t.Run("by a break", func(t *testing.T) {
		answer := endless()
		for _, err := range Stream[int](t.Context(), streamClient(t, answer), "GET", "/v1/any", nil) {
			require.NoError(t, err)
			break
		}
		require.True(t, answer.closed.Load())
	})
	t.Run("by a panic", func(t *testing.T) {
		answer := endless()
		require.PanicsWithValue(t, "the caller's own", func() {
			for range Stream[int](t.Context(), streamClient(t, answer), "GET", "/v1/any", nil) {
				panic("the caller's own")
			}
		})
		require.True(t, answer.closed.Load())
	})
	t.Run("by its bound", func(t *testing.T) {
		answer, n := endless(), 0
		for _, err := range Stream[int](t.Context(), streamClient(t, answer), "GET", "/v1/any", nil, MaxItems(100_000)) {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, 100_000, n)
		require.True(t, answer.closed.Load())
	})
	t.Run("by the size of the answer", func(t *testing.T) {
		var last error
		for _, last = range Stream[int](t.Context(), streamClient(t, endless()), "GET", "/v1/any", nil, WithMaxResponseSize(1<<20)) {
		}
		require.ErrorIs(t, last, ErrResponseTooLarge)
	})
	t.Run("by its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var last error
			client := streamClient(t, roundTripperFunc(func(r *http.Request) (*http.Response, error) {
				silent := readerFunc(func([]byte) (int, error) {
					<-r.Context().Done()
					return 0, r.Context().Err()
				})
				return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: -1, Body: io.NopCloser(silent)}, nil
			}))
			for _, last = range Stream[int](ctx, client, "GET", "/v1/any", nil) {
			}
			require.ErrorIs(t, last, context.DeadlineExceeded)
		})
	})
}

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// repeater is a body without an end.
type repeater struct{ head, piece string }

func (r *repeater) Read(p []byte) (int, error) {
	n := copy(p, r.head)
	r.head = ""
	for n+len(r.piece) <= len(p) {
		n += copy(p[n:], r.piece)
	}
	return n, nil
}

// A list finds its items in the envelopes in which Stream finds them.
func TestListsAndStreamsFindTheSame(t *testing.T) {
	const three = `[{"id":1},{"id":2},{"id":3}]`
	for _, body := range []string{
		three, `{"status":200,"body":` + three + `}`, `{"warnings":[],"body":` + three + `}`, `{"body":{"errors":[],"objects":` + three + `}}`,
		`{"body":{"data":{"objects":` + three + `}},"more":[]}`,
	} {
		client := streamClient(t, stubTransport{body})
		list, err := client.SecurityIssues.ListUnlimited(t.Context(), SecurityIssueFilter{})
		require.NoError(t, err, body)
		require.Len(t, list, 3, body)
		var streamed []SecurityIssue
		for issue, err := range client.SecurityIssues.StreamUnlimited(t.Context(), SecurityIssueFilter{}) {
			require.NoError(t, err, body)
			streamed = append(streamed, issue)
		}
		require.Equal(t, list, streamed, body)
	}
	client := streamClient(t, stubTransport{`{"body":{"errors":[],"issues":` + three + `}}`})
	_, err := client.SecurityIssues.ListUnlimited(t.Context(), SecurityIssueFilter{})
	require.ErrorIs(t, err, ErrResponse, "an object that is no item")
}

func TestStreamUnlimited(t *testing.T) {
	cloud := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	client, err := New(US, Token(wallarmtest.AdminToken), WithBaseURL(cloud.URL), WithDefaultClientID(wallarmtest.DefaultClientID))
	require.NoError(t, err)
	want, err := client.SecurityIssues.ListUnlimited(t.Context(), SecurityIssueFilter{})
	require.NoError(t, err)
	require.NotEmpty(t, want)
	var got []SecurityIssue
	for issue, err := range client.SecurityIssues.StreamUnlimited(t.Context(), SecurityIssueFilter{}) {
		require.NoError(t, err)
		got = append(got, issue)
	}
	require.Equal(t, want, got)
	for _, err := range client.Tenant(-1).SecurityIssues.StreamUnlimited(t.Context(), SecurityIssueFilter{}) {
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
}

func TestTheFailureOfAStreamShowsNoSecretOfTheCall(t *testing.T) {
	in := struct {
		Name Secret `json:"name"`
	}{SecretOf("test-secret-of-a-stream")}
	transport := roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		says := "no more of " + in.Name.Reveal() + " for " + r.Header.Get(headerToken)
		broken := readerFunc(func([]byte) (int, error) {
			in.Name = SecretOf("another") // the caller may use its value again while it reads
			return 0, errors.New(says)
		})
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(broken), Request: r}, nil
	})
	var failure error
	for _, err := range Stream[string](t.Context(), streamClient(t, transport), "POST", "/v1/any", &in) {
		failure = err
	}
	require.ErrorContains(t, failure, "no more of ")
	require.NotContains(t, failure.Error(), "test-")
}

// TestABrokenAnswerToACreate: whoever reads the answer as it comes learns as well that the change was made.
func TestABrokenAnswerToACreate(t *testing.T) {
	broken := roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(`{"body":[1`), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
	})
	client := streamClient(t, broken)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		var streamed error
		for _, err := range Stream[int](t.Context(), client, method, "/v1/any", nil) {
			streamed = err
		}
		for _, err := range []error{streamed, client.Call(t.Context(), method, "/v1/any", nil, io.Discard)} {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.Equal(t, method == http.MethodPost, errors.Is(err, ErrOutcomeUnknown), err)
		}
	}
}

// TestCallOfAnEmptyAnswer: a value that is wanted and does not come is no success of a read.
func TestCallOfAnEmptyAnswer(t *testing.T) {
	client := streamClient(t, stubTransport{""})
	var out struct{ Body []int }
	require.ErrorIs(t, client.Call(t.Context(), "GET", "/v1/any", nil, &out), ErrResponse)
	require.ErrorIs(t, client.Call(t.Context(), "POST", "/v1/any", nil, &out, WithReplayClass(ReplayRead)), ErrResponse)
	require.NoError(t, client.Call(t.Context(), "GET", "/v1/any", nil, nil))
	require.NoError(t, client.Call(t.Context(), "HEAD", "/v1/any", nil, &out))
	require.NoError(t, client.Call(t.Context(), "POST", "/v1/any", nil, &out))
}

func TestAStreamEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stopped := errors.New("stopped")
	var got []int
	var failure error
	for n, err := range Stream[int](ctx, streamClient(t, stubTransport{`[1,2,3,4]`}), "POST", "/v1/any", nil) {
		if failure = err; err != nil {
			break
		}
		if got = append(got, n); n == 2 {
			cancel(stopped)
		}
	}
	require.Equal(t, []int{1, 2}, got, "although the others have come")
	require.ErrorIs(t, failure, stopped)
	require.ErrorIs(t, failure, ErrOutcomeUnknown)
}

func TestADownloadPrintsNothingOfItsRequest(t *testing.T) {
	client, err := New(US, Token("test-token-download"), WithDefaultClientID(1), WithRoundTripper(stubTransport{`a,b`}))
	require.NoError(t, err)
	download, err := client.APIDiscovery.ExportCSV(t.Context(), APIEndpointFilter{})
	require.NoError(t, err)
	defer download.Close()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%t", "%c", "%d", "%x", "%w", "%p"} {
		for _, v := range []any{download, *download, download.ReadCloser, []io.ReadCloser{download.ReadCloser}} {
			require.NotContains(t, fmt.Sprintf(verb, v), "test-token", "%s of %T", verb, v)
		}
	}
}

// blanks is a body that begins with white space, ends the context, and fails as a connection does that net/http has closed for that.
type blanks struct{ cancel func() }

func (b blanks) Read(p []byte) (int, error) {
	b.cancel()
	return copy(p, " "), &net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed}
}

func (blanks) Close() error { return nil }

// TestAStreamWhoseContextEndsBeforeTheList says so, whatever net/http says of the connection that it closed.
func TestAStreamWhoseContextEndsBeforeTheList(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var last error
	for _, last = range Stream[int](ctx, streamClient(t, &piped{body: blanks{cancel}}), "GET", "/v1/any", nil) {
	}
	require.ErrorIs(t, last, context.Canceled)
	require.NotErrorIs(t, last, net.ErrClosed)
	require.False(t, IsTemporary(last))
}
