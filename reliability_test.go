package wallarm

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var updateFiles = flag.Bool("update", false, "write generated documents anew")

// planted is part of every secret that the matrix puts in the way of the library. Nothing that is printed may hold it.
const planted = "test-token-planted"

const (
	matrixRetries = 3
	matrixCap     = 64 << 10
)

// fault is a way in which the exchange with the server goes wrong.
type fault struct {
	name string
	// play makes the answer. payload is a right answer of the operation.
	play func(r *http.Request, payload []byte) (*http.Response, error)
	// kinds are the errors of which the call's must match one; nil in the list allows success.
	kinds []error
	// arrives says that the server sees the request, applies that it may have acted on it.
	arrives, applies bool
	// repeats says that a repeat may help.
	repeats bool
	// content says that the fault lies in the content of a complete answer of status 200. Operations without content do not notice it.
	content bool
}

func (f fault) hasBody() bool { return f.arrives && !slices.Contains(bodilessFaults, f.name) }

// bodilessFaults reach the server and bring back no body that could be cut.
var bodilessFaults = []string{"reset after sending", "header that never comes", "body that never ends", "truncated body", "corrupt gzip"}

// answerOf makes an answer with planted secrets in its header.
func answerOf(r *http.Request, status int, body io.Reader, pairs ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}, "Set-Cookie": {"session=" + planted + "-cookie"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: h, Body: io.NopCloser(body), ContentLength: -1, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

func refusing(status int, repeats, applies bool, kind error, pairs ...string) fault {
	name := fmt.Sprint(status)
	for i := 0; i+1 < len(pairs); i += 2 {
		name += fmt.Sprintf(", %s: %s", pairs[i], pairs[i+1])
	}
	body := fmt.Sprintf(`{"status":%d,"body":{"password":{"error":"too weak","value":"%s-echo"},"token":"%s-Member1"}}`, status, planted, planted)
	return fault{
		name: name, kinds: []error{kind}, arrives: true, repeats: repeats, applies: applies,
		play: func(r *http.Request, _ []byte) (*http.Response, error) {
			return answerOf(r, status, strings.NewReader(body), pairs...), nil
		},
	}
}

func breaking(name string, err error, arrives, repeats bool) fault {
	return fault{
		name: name, kinds: []error{err}, arrives: arrives, applies: arrives, repeats: repeats,
		play: func(r *http.Request, _ []byte) (*http.Response, error) {
			// As net/http does, which looks for a connection first.
			trace := httptrace.ContextClientTrace(r.Context())
			if trace != nil && trace.GetConn != nil {
				trace.GetConn(r.URL.Host + ":443")
			}
			if trace != nil && trace.WroteHeaders != nil && arrives {
				trace.WroteHeaderField("Host", []string{r.URL.Host})
				trace.WroteHeaders()
			}
			return nil, err
		},
	}
}

func content(name string, body func(payload []byte) []byte, kinds ...error) fault {
	return fault{
		name: name, kinds: kinds, arrives: true, applies: true, content: true,
		play: func(r *http.Request, payload []byte) (*http.Response, error) {
			return answerOf(r, 200, bytes.NewReader(body(payload))), nil
		},
	}
}

func redirecting(name, location string) fault {
	return fault{
		name: name, kinds: []error{ErrRedirect}, arrives: true,
		play: func(r *http.Request, _ []byte) (*http.Response, error) {
			return answerOf(r, 307, strings.NewReader(""), "Location", location+"?X-Amz-Signature="+planted+"-location"), nil
		},
	}
}

// cut is a reader that fails at its end.
type cut struct {
	io.Reader
	err error
}

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		err = c.err
	}
	return n, err
}

// trickle is a body that brings a byte a second until its request ends.
type trickle struct{ ctx context.Context }

func (t trickle) Read(p []byte) (int, error) {
	select {
	case <-t.ctx.Done():
		return 0, context.Cause(t.ctx)
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	}
}

// faults is one axis of the matrix.
func faults() []fault {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 2*matrixCap))
	_ = z.Close()
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	list := []fault{
		refusing(400, false, false, ErrValidation), refusing(401, false, false, ErrUnauthenticated), refusing(403, false, false, ErrForbidden),
		refusing(404, false, false, ErrNotFound), refusing(408, false, true, ErrTargetTimeout), refusing(409, false, false, ErrConflict),
		refusing(413, false, false, ErrValidation), refusing(422, false, false, ErrValidation), refusing(423, true, false, ErrLocked),
		refusing(429, true, false, ErrRateLimited),
	}
	// The bubbles of testing/synctest start at midnight of the first of January 2000.
	for _, after := range []string{"1", "Sat, 01 Jan 2000 00:00:05 GMT", "Fri, 31 Dec 1999 23:59:00 GMT", "1e300", "-5", "NaN", "soon", "Sat, 01 Jan 2980 00:00:05 GMT", "99999999999999999999"} {
		list = append(list, refusing(429, true, false, ErrRateLimited, "Retry-After", after))
	}
	for _, status := range []int{500, 503, 504, 520} {
		list = append(list, refusing(status, true, true, ErrServer))
	}
	html := refusing(502, true, true, ErrServer)
	html.name = "502 with HTML"
	html.play = func(r *http.Request, _ []byte) (*http.Response, error) {
		return answerOf(r, 502, strings.NewReader("<html><h1>Bad gateway</h1> token="+planted+"-html</html>"), "Content-Type", "text/html"), nil
	}
	return append(list, html,
		refusing(503, true, true, ErrServer, "Retry-After", "99999999999999999999"),
		breaking("dial refused", refused, false, true),
		breaking("TLS failure", x509.UnknownAuthorityError{}, false, false),
		breaking("reset before sending", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNRESET}, false, true),
		breaking("reset after sending", reset, true, true),
		fault{
			name: "truncated body", kinds: []error{io.ErrUnexpectedEOF}, arrives: true, applies: true, repeats: true,
			play: func(r *http.Request, payload []byte) (*http.Response, error) {
				return answerOf(r, 200, &cut{bytes.NewReader(payload[:len(payload)/2]), io.ErrUnexpectedEOF}), nil
			},
		},
		fault{
			name: "corrupt gzip", kinds: []error{gzip.ErrHeader, gzip.ErrChecksum}, arrives: true, applies: true, repeats: true,
			play: func(r *http.Request, payload []byte) (*http.Response, error) {
				return answerOf(r, 200, strings.NewReader("this is not compressed"), "Content-Encoding", "gzip"), nil
			},
		},
		fault{
			name: "gzip bomb", kinds: []error{ErrResponseTooLarge}, arrives: true, applies: true,
			play: func(r *http.Request, _ []byte) (*http.Response, error) {
				return answerOf(r, 200, bytes.NewReader(bomb.Bytes()), "Content-Encoding", "gzip"), nil
			},
		},
		fault{
			name: "body that never ends", kinds: []error{context.DeadlineExceeded}, arrives: true, applies: true,
			play: func(r *http.Request, _ []byte) (*http.Response, error) {
				return answerOf(r, 200, trickle{r.Context()}), nil
			},
		},
		fault{
			name: "101 and no HTTP after it", kinds: []error{ErrResponse}, arrives: true, applies: true,
			play: func(r *http.Request, _ []byte) (*http.Response, error) {
				// Whoever reads from such a connection waits for ever.
				return answerOf(r, 101, trickle{context.Background()}, "Upgrade", "chat", "Connection", "Upgrade"), nil
			},
		},
		fault{
			name: "header that never comes", kinds: []error{errNoHeader, context.DeadlineExceeded}, arrives: true, applies: true, repeats: true,
			play: func(r *http.Request, _ []byte) (*http.Response, error) {
				// The connection pool of a client gives up after a minute.
				select {
				case <-r.Context().Done():
					return nil, r.Context().Err()
				case <-time.After(time.Minute):
					return nil, errNoHeader
				}
			},
		},
		fault{
			name: "wrong content type", kinds: []error{nil}, arrives: true, applies: true, content: true,
			play: func(r *http.Request, payload []byte) (*http.Response, error) {
				return answerOf(r, 200, bytes.NewReader(payload), "Content-Type", "text/html"), nil
			},
		},
		content("empty body", func([]byte) []byte { return nil }, nil, ErrResponse, ErrNotFound),
		content("null body", func([]byte) []byte { return []byte("null") }, nil, ErrResponse, ErrNotFound),
		content("null in the envelope", func([]byte) []byte { return []byte(`{"status":200,"body":null}`) }, nil, ErrResponse, ErrNotFound),
		content("deep nesting", func([]byte) []byte {
			return slices.Concat([]byte(`{"status":200,"body":`), bytes.Repeat([]byte("["), 11000), bytes.Repeat([]byte("]"), 11000), []byte("}"))
		}, ErrResponse),
		content("HTML with status 200", func([]byte) []byte { return []byte("<html>log in, token=" + planted + "-html</html>") }, ErrResponse),
		redirecting("redirect to another host", "https://other.example.net/v1/x"),
		redirecting("redirect to plain http", "http://api.example.com/v1/x"),
		redirecting("redirect in a loop", ""),
	)
}

var errNoHeader = errors.New("net/http: timeout awaiting response headers")

// circumstance is how a call's context ends: the other axis of the matrix.
type circumstance string

const (
	patient   circumstance = "no deadline"
	pressed   circumstance = "deadline before the next wait"
	waiting   circumstance = "cancelled during the wait"
	midstream circumstance = "cancelled during the body"
)

// matrixRT plays a fault for each request.
type matrixRT struct {
	fault   fault
	payload []byte
	when    circumstance
	cancel  context.CancelFunc

	mu      sync.Mutex
	arrived int
	foreign string
}

func (m *matrixRT) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if m.fault.arrives {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_ = r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.URL.Scheme != "https" || r.URL.Host != "api.example.com" {
		m.foreign = r.URL.String()
	}
	if m.fault.arrives {
		m.arrived++
	}
	if m.when == waiting {
		// No wait is shorter than a millisecond.
		time.AfterFunc(500*time.Microsecond, m.cancel)
	}
	response, err := m.fault.play(r, m.payload)
	if m.when == midstream && response != nil && response.StatusCode != http.StatusSwitchingProtocols {
		data, _ := io.ReadAll(response.Body)
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(data[:len(data)/2]), &cancelling{m.cancel}))
	}
	return response, err
}

// cancelling is a body during whose reading the caller gives up.
type cancelling struct{ cancel context.CancelFunc }

func (c *cancelling) Read([]byte) (int, error) {
	c.cancel()
	return 0, context.Canceled
}

// cell is what became of one call.
type cell struct {
	err     error
	arrived int
	took    time.Duration
}

// runCell makes the call of an operation into a fault and checks what holds whatever the fault is.
func runCell(t *testing.T, c fixtureCase, f fault, when circumstance, payload []byte) cell {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if when == pressed {
		ctx, cancel = context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
	}
	var log, seen bytes.Buffer
	rt := &matrixRT{fault: f, payload: payload, when: when, cancel: cancel}
	response := new(Response)
	client, err := New(US, Token(planted+"-credential"), WithBaseURL("https://api.example.com"), WithRoundTripper(rt), WithDefaultClientID(4711),
		WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		WithHook(func(_ context.Context, a Attempt) {
			fmt.Fprintf(&seen, "%+v %#v", a, a)
			_ = json.NewEncoder(&seen).Encode(a)
		}),
		WithDefaults(WithRetries(matrixRetries), WithMaxResponseSize(matrixCap), WithResponse(response)))
	require.NoError(t, err)
	began := time.Now()
	got, err := c.call(ctx, client)
	if d, ok := got.(*Download); ok && d != nil {
		// A stream has no end but its reader's: this one has enough after two minutes.
		stop := time.AfterFunc(2*time.Minute, cancel)
		_, err = io.Copy(io.Discard, d)
		_ = d.Close()
		stop.Stop()
		fmt.Fprintf(&seen, "%+v", d.Header)
	}
	result := cell{err, rt.arrived, time.Since(began)}
	require.Empty(t, rt.foreign, "a request left for another place")
	dump := fmt.Sprintf("%v %+v %#v %q %s %x %v %+v %#v", err, err, err, err, err, err, client, response, response)
	for e := err; e != nil; e = errors.Unwrap(e) {
		encoded, _ := json.Marshal(e)
		dump += string(encoded)
	}
	var api *APIError
	if errors.As(err, &api) {
		dump += string(api.Body) + fmt.Sprintf("%+v %s %x", *api, api.Fields, api.Fields)
	}
	for place, text := range map[string]string{"error": dump, "log": log.String(), "hook": seen.String()} {
		requireNoSecret(t, place, text, planted)
	}
	return result
}

// requireNoSecret fails if text holds secret as it is, in hexadecimal or as a list of numbers, and shows only where.
func requireNoSecret(t *testing.T, place, text, secret string) {
	t.Helper()
	numbers := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), numbers} {
		if i := strings.Index(text, form); i >= 0 {
			t.Fatalf("a secret is in the %s: …%s…", place, text[max(0, i-120):min(len(text), i+len(form)+40)])
		}
	}
}

// expected returns how many requests must arrive, and whether the outcome must be called unknown.
func (f fault) expected(op operation, when circumstance) (requests int, unknown bool) {
	if !f.arrives {
		return 0, false
	}
	unknown = op.replay == once && f.applies
	if !f.repeats || when != patient || op.replay == once && f.applies {
		return 1, unknown
	}
	return matrixRetries + 1, unknown
}

// matrixKinds are the names of kinds in the table, the first match wins.
var matrixKinds = []struct {
	err  error
	name string
}{
	{ErrResponseTooLarge, "ErrResponseTooLarge"}, {ErrResponse, "ErrResponse"}, {ErrValidation, "ErrValidation"}, {ErrUnauthenticated, "ErrUnauthenticated"},
	{ErrForbidden, "ErrForbidden"}, {ErrNotFound, "ErrNotFound"}, {ErrTargetTimeout, "ErrTargetTimeout"}, {ErrConflict, "ErrConflict"},
	{ErrLocked, "ErrLocked"}, {ErrRateLimited, "ErrRateLimited"}, {ErrServer, "ErrServer"}, {ErrRedirect, "ErrRedirect"},
	{context.Canceled, "canceled"}, {context.DeadlineExceeded, "deadline exceeded"},
}

func (c cell) String() string {
	kind := "success"
	if c.err != nil {
		kind = "cause"
		for _, k := range matrixKinds {
			if errors.Is(c.err, k.err) {
				kind = k.name
				break
			}
		}
		if errors.Is(c.err, context.Canceled) && kind != "canceled" {
			kind += " + canceled"
		}
		if errors.Is(c.err, ErrOutcomeUnknown) {
			kind += " + unknown"
		}
	}
	return fmt.Sprintf("%s, %d", kind, c.arrived)
}

// matrix gathers outcomes by fault, circumstance and column.
type matrix struct {
	mu   sync.Mutex
	seen map[[3]string]map[string]bool
}

func (m *matrix) add(f fault, when circumstance, column string, c cell) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [3]string{f.name, string(when), column}
	if m.seen[key] == nil {
		m.seen[key] = map[string]bool{}
	}
	m.seen[key][c.String()] = true
}

// fixturePayload is a right answer of an operation.
func fixturePayload(t *testing.T, op string) []byte {
	t.Helper()
	file := readFixture(t, op)
	for _, name := range slices.Sorted(maps.Keys(file.Responses)) {
		r := file.Responses[name]
		if body := append(slices.Clone([]byte(r.Body)), r.Text...); r.Status < 300 && len(body) > 0 {
			return body
		}
	}
	return []byte(`{"status":200,"body":null}`)
}

// TestReliabilityMatrix leads each operation into each fault under each circumstance on a synthetic clock, checks what is promised, and compares the
// table in docs/reliability.md with what came out. A goroutine that is left behind fails its bubble.
func TestReliabilityMatrix(t *testing.T) {
	m := &matrix{seen: map[[3]string]map[string]bool{}}
	list := faults()
	t.Run("operations", func(t *testing.T) {
		for name, c := range fixtureCases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				payload := fixturePayload(t, name)
				for _, f := range list {
					for _, when := range []circumstance{patient, pressed, waiting, midstream} {
						if when == midstream && !f.hasBody() {
							continue
						}
						synctest.Test(t, func(t *testing.T) { m.runFault(t, c, f, when, payload) })
						if t.Failed() {
							return
						}
					}
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	requireDocument(t, "docs/reliability.md", m.table(list))
}

// runFault checks a cell against what is promised.
func (m *matrix) runFault(t *testing.T, c fixtureCase, f fault, when circumstance, payload []byte) {
	column := c.op.replay.String()
	if c.op.envelope == stream {
		column = "download"
	}
	result := runCell(t, c, f, when, payload)
	m.add(f, when, column, result)
	where := fmt.Sprintf("%s: %s, %s: %v", c.op.name, f.name, when, result.err)
	requests, unknown := f.expected(c.op, when)
	if c.op.envelope == stream && f.inBody() {
		// The header said 200: the rest is between the reader and the stream.
		require.Equal(t, f.streamed(c.op, when), result.arrived, where)
		require.LessOrEqual(t, result.took, defaultTimeout, where)
		return
	}
	if f.name == "header that never comes" && when == patient && c.op.replay != once {
		requests = 2 // A minute each, within the two minutes that a call has by default.
	}
	if f.content && c.op.replay == idempotent && result.arrived == 2 {
		requests = 2 // Some updates read the object again when the answer does not hold it.
	}
	require.Equal(t, requests, result.arrived, where)
	require.LessOrEqual(t, result.took, defaultTimeout, where)
	if when == pressed {
		require.LessOrEqual(t, result.took, time.Millisecond, where)
	}
	isRemoval := f.name == "404" && result.err == nil && c.op.method != http.MethodGet && c.op.replay == idempotent
	if isRemoval || f.content && c.op.envelope == noAnswer && result.err == nil {
		return
	}
	switch {
	case !f.applies:
		require.NotErrorIs(t, result.err, ErrOutcomeUnknown, where)
	case result.err != nil && c.op.replay == once:
		require.True(t, unknown)
		require.ErrorIs(t, result.err, ErrOutcomeUnknown, where)
	case c.op.replay == read:
		require.NotErrorIs(t, result.err, ErrOutcomeUnknown, where)
	}
	require.True(t, f.allows(result.err, when), where)
}

// inBody says that the fault lies behind the header of an answer with status 200.
func (f fault) inBody() bool {
	return f.arrives && f.applies && !f.refuses() && f.name != "header that never comes" && f.name != "reset after sending"
}

// streamed returns how many requests a download makes into a fault behind the header of an answer with status 200: what spoils the header of the
// compressed body is seen before the stream is handed over, the rest by its reader.
func (f fault) streamed(op operation, when circumstance) int {
	if f.name == "corrupt gzip" {
		requests, _ := f.expected(op, when)
		return requests
	}
	return 1
}

// refuses says that the answer is an error answer.
func (f fault) refuses() bool { return f.name[0] >= '0' && f.name[0] <= '9' }

// allows reports whether err is one that the fault may end with.
func (f fault) allows(err error, when circumstance) bool {
	for _, kind := range f.kinds {
		if kind == nil && err == nil || kind != nil && errors.Is(err, kind) {
			return true
		}
	}
	switch when {
	case pressed:
		return errors.Is(err, context.DeadlineExceeded)
	case waiting, midstream:
		return errors.Is(err, context.Canceled)
	}
	return false
}

func (m *matrix) table(list []fault) string {
	var b strings.Builder
	b.WriteString("# Faults and what becomes of a call\n\n" +
		"The test TestReliabilityMatrix writes this page (`go test -run TestReliabilityMatrix -update .`) and fails when it differs. It makes the call\n" +
		"of every operation into each fault below, with a scripted connection and a synthetic clock. The columns are replay classes; downloads are those\n" +
		"whose answer is handed over as a stream. A cell says how the call ends and how many requests arrive at the server, of at most one plus three\n" +
		"retries. Several outcomes stand for operations that differ: a delete takes 404 as done, an operation whose answer carries nothing takes any JSON\n" +
		"or none, a list takes null as empty. \"unknown\" is `ErrOutcomeUnknown`, \"cause\" an error that unwraps to the fault itself, and \"canceled\" one that\n" +
		"unwraps to `context.Canceled`.\n\n" +
		"In every cell the test also checks that an operation of class once sends nothing after a request that may have been applied, that no request goes\n" +
		"to another host or scheme, that the call ends within its two minutes, that no goroutine stays, and that no planted secret is in\n" +
		"the error, the log, the hook or the response.\n")
	for _, when := range []circumstance{patient, pressed, waiting, midstream} {
		fmt.Fprintf(&b, "\n## %s%s\n\n| Fault | read | idempotent | once | download |\n|---|---|---|---|---|\n", strings.ToUpper(string(when[:1])), string(when[1:]))
		for _, f := range list {
			if when == midstream && !f.hasBody() {
				continue
			}
			fmt.Fprintf(&b, "| %s |", f.name)
			for _, column := range []string{"read", "idempotent", "once", "download"} {
				fmt.Fprintf(&b, " %s |", strings.Join(slices.Sorted(maps.Keys(m.seen[[3]string{f.name, string(when), column}])), "<br>"))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// requireDocument compares a generated document with the file, or writes it.
func requireDocument(t *testing.T, path, want string) {
	t.Helper()
	if *updateFiles {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, strings.ReplaceAll(string(have), "\r\n", "\n"), "%s is out of date: run the test with -update and read the difference", path)
}
