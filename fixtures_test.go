package wallarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// fixtureCase ties an operation to the call that makes it.
type fixtureCase struct {
	op   operation
	call func(context.Context, *Client) (any, error)
}

var fixtureCases = map[string]fixtureCase{}

// fixture says how to make the call whose request and answers stand in testdata/<resource>/<verb>.json. The client of the call works for
// the client id 4711. What the call returns must encode to the payload of the answer; a *Page stands for its items.
//
// Each operation needs one. A resource's test file registers it with: var _ = fixture(op, func…).
func fixture(op operation, call func(context.Context, *Client) (any, error)) bool {
	if _, twice := fixtureCases[op.name]; twice {
		panic("two fixtures for " + op.name)
	}
	fixtureCases[op.name] = fixtureCase{op, call}
	return true
}

// fixtureFile is what a file in testdata holds.
type fixtureFile struct {
	Request struct {
		Method string              `json:"method"`
		Path   string              `json:"path"`
		Query  map[string][]string `json:"query,omitzero"`
		Body   RawJSON             `json:"body,omitzero"`
		Form   map[string][]string `json:"form,omitzero"`
	} `json:"request"`
	// Responses are the forms that the answer may have, by a word that says what is special: where sources disagree on a type,
	// there is one for each form.
	Responses map[string]struct {
		Status int `json:"status"`
		// Body is the answer, or Text if it is not JSON. Neither is an empty body.
		Body        RawJSON `json:"body,omitzero"`
		Text        string  `json:"text,omitzero"`
		ContentType string  `json:"content_type,omitzero"`
	} `json:"responses"`
}

func fixturePath(op string) string {
	return filepath.Join("testdata", strings.ReplaceAll(op, ".", string(filepath.Separator))+".json")
}

func readFixture(t *testing.T, op string) fixtureFile {
	t.Helper()
	data, err := os.ReadFile(fixturePath(op))
	require.NoError(t, err)
	var f fixtureFile
	require.NoError(t, wire.Unmarshal(data, &f))
	require.NotEmpty(t, f.Responses, "the fixture has no responses")
	return f
}

// sentRequest is a request as a test server saw it.
type sentRequest struct {
	Method, Path string
	Query        url.Values
	Header       http.Header
	Body         []byte
}

// answerer answers every request alike and remembers them.
type answerer struct {
	mu     sync.Mutex
	sent   []sentRequest
	answer http.HandlerFunc
}

func (a *answerer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	a.sent = append(a.sent, sentRequest{r.Method, r.URL.EscapedPath(), r.URL.Query(), r.Header.Clone(), body})
	a.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.answer(w, r)
}

func (a *answerer) requests() []sentRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sent)
}

// newTestClient makes a client, for client id 4711, of a server that answers with answer.
func newTestClient(t *testing.T, answer http.HandlerFunc, options ...Option) (*Client, *answerer) {
	t.Helper()
	a := &answerer{answer: answer}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	options = append([]Option{
		WithBaseURL(server.URL), WithDefaultClientID(4711), WithHTTPClient(server.Client()),
		WithDefaults(WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)),
	}, options...)
	client, err := New(US, Token("test-token-fixture"), options...)
	require.NoError(t, err)
	return client, a
}

// TestFixtures makes each operation's call and compares what is sent with the fixture, and what is returned with each answer.
func TestFixtures(t *testing.T) {
	for name, c := range fixtureCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := readFixture(t, name)
			for variant, response := range file.Responses {
				t.Run(variant, func(t *testing.T) {
					client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
						if response.ContentType != "" {
							w.Header().Set("Content-Type", response.ContentType)
						} else if len(response.Body) > 0 {
							w.Header().Set("Content-Type", "application/json")
						}
						w.WriteHeader(response.Status)
						_, _ = w.Write(response.Body)
						_, _ = io.WriteString(w, response.Text)
					})
					got, err := c.call(t.Context(), client)
					require.NoError(t, err)
					requests := server.requests()
					require.Len(t, requests, 1, "the call must make one request")
					requireSent(t, file, requests[0])
					requireReturned(t, c.op, got, response.Body, response.Text)
				})
			}
		})
	}
}

func requireSent(t *testing.T, file fixtureFile, sent sentRequest) {
	t.Helper()
	want := file.Request
	require.Equal(t, want.Method+" "+want.Path, sent.Method+" "+sent.Path)
	require.Equal(t, "test-token-fixture", sent.Header.Get(headerToken))
	if len(want.Query) > 0 || len(sent.Query) > 0 {
		require.Equal(t, url.Values(want.Query), sent.Query)
	}
	switch {
	case want.Form != nil:
		form, err := url.ParseQuery(string(sent.Body))
		require.NoError(t, err)
		require.Equal(t, url.Values(want.Form), form)
		require.Equal(t, "application/x-www-form-urlencoded", sent.Header.Get("Content-Type"))
	case len(want.Body) > 0:
		require.JSONEq(t, string(want.Body), string(sent.Body))
		require.Equal(t, "application/json", sent.Header.Get("Content-Type"))
	default:
		require.Empty(t, sent.Body, "the fixture has no body, the call sent one")
		require.Empty(t, sent.Header.Get("Content-Type"))
	}
}

// requireReturned compares the encoded value with the payload of the answer: no member may be missing.
func requireReturned(t *testing.T, op operation, got any, body RawJSON, text string) {
	t.Helper()
	if d, ok := got.(*Download); ok {
		defer d.Close()
		data, err := io.ReadAll(d)
		require.NoError(t, err)
		if text == "" {
			text = string(body)
		}
		require.Equal(t, text, string(data))
		return
	}
	if op.envelope == noAnswer || len(body) == 0 {
		return
	}
	opened, err := wire.Open(body, op.envelope)
	if errors.Is(err, wire.ErrNoPayload) {
		return
	}
	require.NoError(t, err)
	if value := reflect.Indirect(reflect.ValueOf(got)); value.Kind() == reflect.Struct && strings.HasPrefix(value.Type().Name(), "Page[") {
		got = value.FieldByName("Items").Interface()
	}
	encoded, err := wire.MarshalEcho(got)
	require.NoError(t, err)
	var want, have any
	require.NoError(t, decodeAny(opened.Payload, &want))
	require.NoError(t, decodeAny(encoded, &have))
	if difference := lost("", want, have); difference != "" {
		t.Errorf("what was received and what is written back differ: %s\nreceived: %s\nwritten:  %s", difference, opened.Payload, encoded)
	}
	// What was written back must read back to the same value.
	again := reflect.New(reflect.TypeOf(got))
	require.NoError(t, wire.Unmarshal(encoded, again.Interface()))
	twice, err := wire.MarshalEcho(again.Elem().Interface())
	require.NoError(t, err)
	require.JSONEq(t, string(encoded), string(twice))
}

// decodeAny decodes JSON and keeps the digits of numbers.
func decodeAny(data []byte, v *any) error {
	d := newNumberDecoder(data)
	return d.Decode(v)
}

// lost says how have falls short of want: a member that is missing, or that has another value. Equal are a value and a list of just that value,
// a number and the same number in quotes or with a fraction of zero, an event id as a list and as a text, a
// time text with and without a fraction of zero, a secret and its mask. A null may be missing or
// zero; what is more than was wanted must be null or zero.
func lost(path string, want, have any) string {
	if isNothing(want) && isNothing(have) || want == nil && isZero(have) {
		return ""
	}
	switch want := want.(type) {
	case map[string]any:
		object, ok := have.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: want an object, have %v", path, have)
		}
		for name, value := range want {
			member, present := object[name]
			if !present && !isNothing(value) {
				return fmt.Sprintf("%s.%s is missing", path, name)
			}
			if d := lost(path+"."+name, value, member); d != "" {
				return d
			}
		}
		for name, value := range object {
			if _, present := want[name]; !present && !isZero(value) {
				return fmt.Sprintf("%s.%s is more than was received: %v", path, name, value)
			}
		}
		return ""
	case []any:
		list, ok := have.([]any)
		if !ok {
			if len(want) == 1 {
				return lost(path, want[0], have)
			}
			if len(want) == 2 && fmt.Sprint(want[0])+":"+fmt.Sprint(want[1]) == fmt.Sprint(have) {
				return ""
			}
			return fmt.Sprintf("%s: want a list, have %v", path, have)
		}
		if len(list) != len(want) {
			return fmt.Sprintf("%s: want %d elements, have %d", path, len(want), len(list))
		}
		for i := range want {
			if d := lost(fmt.Sprintf("%s[%d]", path, i), want[i], list[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if list, ok := have.([]any); ok && len(list) == 1 {
		return lost(path, want, list[0])
	}
	if _, ok := want.(string); ok && have == masked {
		return ""
	}
	if !sameScalar(want, have) {
		return fmt.Sprintf("%s: want %v, have %v", path, want, have)
	}
	return ""
}

func sameScalar(want, have any) bool {
	if reflect.DeepEqual(want, have) {
		return true
	}
	w, h := fmt.Sprint(want), fmt.Sprint(have)
	if w == h {
		return true
	}
	wt, werr := time.Parse(time.RFC3339, w)
	ht, herr := time.Parse(time.RFC3339, h)
	if werr == nil && herr == nil {
		return wt.Equal(ht)
	}
	wi, werr := wire.ParseInt(w)
	hi, herr := wire.ParseInt(h)
	if werr == nil && herr == nil {
		return wi == hi
	}
	wf, werr := strconv.ParseFloat(w, 64)
	hf, herr := strconv.ParseFloat(h, 64)
	return werr == nil && herr == nil && wf == hf
}

// isNothing reports whether v says nothing: null, an empty text, list or object.
func isNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// isZero reports whether v is the zero of its JSON type.
func isZero(v any) bool {
	if isNothing(v) || v == false {
		return true
	}
	if object, ok := v.(map[string]any); ok {
		for _, member := range object {
			if !isZero(member) {
				return false
			}
		}
		return true
	}
	return sameScalar("0", v)
}

// TestOperationFailures checks for each operation that an error answer and an unreadable answer become the right errors, and that the
// replay class decides on repeats.
func TestOperationFailures(t *testing.T) {
	const retries = 2
	for name, c := range fixtureCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := new(int), new(string)
			client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(*status)
				_, _ = io.WriteString(w, *body)
			}, WithDefaults(WithRetries(retries)))
			call := func(s int, b string) (int, error) {
				*status, *body = s, b
				before := len(server.requests())
				got, err := c.call(t.Context(), client)
				if d, ok := got.(*Download); ok && d != nil {
					d.Close()
				}
				return len(server.requests()) - before, err
			}

			n, err := call(403, `{"status":403,"body":"Check permissions failed"}`)
			require.ErrorIs(t, err, ErrForbidden)
			var api *APIError
			require.ErrorAs(t, err, &api)
			require.Equal(t, c.op.name, api.Operation)
			require.Equal(t, c.op.method, api.Method)
			require.Equal(t, 1, n, "a refusal is not repeated")

			n, err = call(503, "<html>busy</html>")
			require.ErrorIs(t, err, ErrServer)
			if c.op.replay == once {
				require.Equal(t, 1, n, "an operation of class once must not be repeated after 503")
				require.ErrorIs(t, err, ErrOutcomeUnknown)
			} else {
				require.Equal(t, retries+1, n, "an operation of class %v is repeated after 503", c.op.replay)
			}

			n, err = call(423, `{"status":423,"body":"Rules updates have been locked due to backup/restoring rules snapshot"}`)
			require.ErrorIs(t, err, ErrLocked)
			require.NotErrorIs(t, err, ErrOutcomeUnknown)
			require.Equal(t, retries+1, n, "423 is repeated whatever the class")

			if c.op.envelope == noAnswer || c.op.envelope == stream {
				return
			}
			n, err = call(200, `{"status":200,"body":{"objects":[{"id":`)
			require.ErrorIs(t, err, ErrResponse)
			require.Equal(t, 1, n)
			require.Equal(t, c.op.replay == once, errors.Is(err, ErrOutcomeUnknown))
		})
	}
}

// sourceOperation is an operation as it stands in the source.
type sourceOperation struct{ name, method, path, replay, file string }

// operationsInSource reads all operations from the source, so that one that nobody tests is found.
func operationsInSource(t *testing.T) []sourceOperation {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var found []sourceOperation
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if id, ok := literal.Type.(*ast.Ident); !ok || id.Name != "operation" || len(literal.Elts) != 5 {
				return true
			}
			var fields [3]string
			for i := range fields {
				basic, ok := literal.Elts[i].(*ast.BasicLit)
				if !ok {
					return true // call.go makes operations of what its caller says
				}
				fields[i], err = strconv.Unquote(basic.Value)
				require.NoError(t, err)
			}
			class, ok := literal.Elts[3].(*ast.Ident)
			require.True(t, ok, "%s: the replay class of %s must be a name", file, fields[0])
			found = append(found, sourceOperation{fields[0], fields[1], fields[2], class.Name, file})
			return true
		})
	}
	require.NotEmpty(t, found)
	return found
}

// TestEveryOperationHasAFixture also finds fixtures that belong to nothing.
func TestEveryOperationHasAFixture(t *testing.T) {
	known := map[string]bool{}
	for _, op := range operationsInSource(t) {
		require.False(t, known[fixturePath(op.name)], "two operations are called %s", op.name)
		known[fixturePath(op.name)] = true
		if _, ok := fixtureCases[op.name]; !ok {
			t.Errorf("%s: operation %s has no fixture: register one in a test file", op.file, op.name)
		}
		if _, err := os.Stat(fixturePath(op.name)); err != nil {
			t.Errorf("%s: operation %s has no file %s", op.file, op.name, fixturePath(op.name))
		}
	}
	require.NoError(t, filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "fuzz" {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(path, ".json") && !known[path] {
			t.Errorf("%s belongs to no operation", path)
		}
		return nil
	}))
}

// endpoint is a row of docs/wire/endpoints.tsv.
type endpoint struct{ ids, method, path, replay, attested, ship string }

func endpointTable(t *testing.T) map[string]endpoint {
	t.Helper()
	data, err := os.ReadFile("docs/wire/endpoints.tsv")
	require.NoError(t, err)
	table := map[string]endpoint{}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		columns := strings.Split(line, "\t")
		if i == 0 {
			continue
		}
		require.GreaterOrEqual(t, len(columns), 10, "row %d", i)
		e := endpoint{ids: columns[0], method: columns[1], path: columns[2], replay: columns[5], attested: columns[8], ship: columns[9]}
		table[e.method+" "+normalPath(e.path)] = e
	}
	return table
}

// normalPath makes the names of placeholders equal.
func normalPath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// TestOperationsFollowTheTable compares the operations with the table of all endpoints: verb, path and replay class.
func TestOperationsFollowTheTable(t *testing.T) {
	table := endpointTable(t)
	for _, op := range operationsInSource(t) {
		row, ok := table[op.method+" "+normalPath(op.path)]
		if !ok {
			t.Errorf("%s: %s %s of operation %s is not in the table of endpoints", op.file, op.method, op.path, op.name)
			continue
		}
		if row.replay != op.replay {
			t.Errorf("%s: operation %s is %s, the table says %s", op.file, op.name, op.replay, row.replay)
		}
		if row.ship == "no" {
			t.Errorf("%s: operation %s wraps an endpoint that the table leaves to Client.Call", op.file, op.name)
		}
	}
}

// TestTheTableIsWrapped checks that each endpoint that is to be wrapped has an operation.
func TestTheTableIsWrapped(t *testing.T) {
	wrapped := map[string]bool{}
	for _, op := range operationsInSource(t) {
		wrapped[op.method+" "+normalPath(op.path)] = true
	}
	n := 0
	for key, row := range endpointTable(t) {
		if row.ship == "no" {
			continue
		}
		n++
		if !wrapped[key] {
			t.Errorf("no operation wraps %s (%s, %s)", key, row.ids, row.ship)
		}
	}
	require.Greater(t, n, 200)
}

// TestARefusalWithinASuccess: whatever form its answers have, no call takes a refusal in the body of a 2xx for a success.
func TestARefusalWithinASuccess(t *testing.T) {
	for name, c := range fixtureCases {
		if c.op.envelope == stream {
			continue // the body is the caller's to read
		}
		for _, body := range []string{`{"status":403,"body":"Check permissions failed"}`, `{"status":"403","body":null}`} {
			client, _ := newTestClient(t, jsonAnswer(body))
			_, err := c.call(t.Context(), client.Tenant(4711))
			require.ErrorIs(t, err, ErrForbidden, "%s: %s", name, body)
		}
	}
}
