package wallarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-querystring/query"

	"github.com/wallarm-sdk/wallarm/internal/redact"
	"github.com/wallarm-sdk/wallarm/internal/transport"
	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// operation is one call of the API, as data. The block of operations at the top of each resource file is read by the tests.
type operation struct {
	// name is the resource and the verb, such as "rules.list".
	name string
	// method and path are the HTTP verb and the path with {placeholders}.
	method, path string
	replay       ReplayClass
	// envelope is where the payload of the answer lies.
	envelope wire.Envelope
}

const (
	once       = ReplayOnce
	idempotent = ReplayIdempotent
	read       = ReplayRead
)

// The envelopes of docs/wire/errors.md, section 1, by where their payload lies.
const (
	inBody    wire.Envelope = "body"         // E1, E2, E7, E14, E15, E19, E20
	inObjects wire.Envelope = "body.objects" // E3, E4, E5
	inObject  wire.Envelope = "body.object"  // E6
	bare      wire.Envelope = ""             // E11, E12
	anywhere  wire.Envelope = "?"            // not stated: bare, in body or in data
	noAnswer  wire.Envelope = "-"            // E13, E16: the answer says nothing but its status
	stream    wire.Envelope = "~"            // E17: not JSON
)

// args is what a call sends.
type args struct {
	// path holds the values of the placeholders, in order.
	path []any
	// query is a struct with url tags, or url.Values.
	query any
	// body is encoded as JSON; RawJSON as it is.
	body any
	// form, if not nil, is sent as a form in place of a JSON body.
	form url.Values
	// header is added to the request.
	header http.Header
}

// emptyObject is the body of a call that needs one and says nothing in it.
var emptyObject = RawJSON("{}")

// do makes one call and returns its payload as a T.
func do[T any](ctx context.Context, c *Client, op operation, a args, opts []CallOption) (T, error) {
	var out T
	_, err := c.into(ctx, op, a, opts, &out)
	return out, err
}

// into makes one call and decodes its payload into out. It reports whether there was one other than null.
func (c *Client) into(ctx context.Context, op operation, a args, opts []CallOption, out any) (found bool, err error) {
	got, err := c.receive(ctx, op, a, opts, out)
	return got.found, err
}

// reception tells of an answer that was decoded.
type reception struct {
	// found says that it had a payload other than null, unsure that an attempt before it may have been applied.
	found, unsure bool
	attempts      int
}

// receive is into for callers to whom it matters how the answer came.
func (c *Client) receive(ctx context.Context, op operation, a args, opts []CallOption, out any) (got reception, err error) {
	s, err := c.settings(opts)
	if err != nil {
		return got, err
	}
	answer, err := c.send(ctx, op, a, s)
	if err != nil {
		return got, err
	}
	defer answer.Release()
	got.unsure, got.attempts = answer.Unsure, answer.Attempts
	got.found, err = decodeAnswer(op, answer, out)
	return got, err
}

// run makes one call whose answer says nothing but its status.
func run(ctx context.Context, c *Client, op operation, a args, opts []CallOption) error {
	s, err := c.settings(opts)
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, op, a, s)
	if err != nil {
		return err
	}
	defer answer.Release()
	_, _, err = openAnswer(op, answer)
	return err
}

// remove is run for deletes: an object that is not there counts as deleted, so that a repeated delete succeeds.
func remove(ctx context.Context, c *Client, op operation, a args, opts []CallOption) error {
	if err := run(ctx, c, op, a, opts); err != nil && !isGone(err) {
		return err
	}
	return nil
}

// isGone reports whether the API says that there is no such object: with a refusal in one of its forms, or with nothing. Any other answer is that of a
// gateway, which knows of no objects.
func isGone(err error) bool {
	var answer *APIError
	if !errors.Is(err, ErrNotFound) || !errors.As(err, &answer) || answer.isTorn {
		return false
	}
	if len(bytes.TrimSpace(answer.Body)) == 0 {
		return true
	}
	var refusal struct {
		Body  RawJSON `json:"body"`
		Error RawJSON `json:"error"`
	}
	return wire.Unmarshal(answer.Body, &refusal) == nil && (refusal.Body != nil || refusal.Error != nil)
}

// Download is a file on its way. It must be closed.
type Download struct {
	io.ReadCloser
	// ContentType is that of the answer.
	ContentType string
	// Size is the number of bytes that the answer announced, or -1.
	Size int64
	// Header is that of the answer, with the values of cookies, locations and the like masked.
	Header http.Header
}

// Read reads the file. The zero Download has none, and is at its end.
func (d *Download) Read(p []byte) (int, error) {
	if d == nil || d.ReadCloser == nil {
		return 0, io.EOF
	}
	return d.ReadCloser.Read(p)
}

// Close gives the connection back. The zero Download has none.
func (d *Download) Close() error {
	if d == nil || d.ReadCloser == nil {
		return nil
	}
	return d.ReadCloser.Close()
}

// download makes one call whose answer is a file. The call's timeout covers everything up to the header of the answer.
func download(ctx context.Context, c *Client, op operation, a args, opts []CallOption) (*Download, error) {
	s, err := c.settings(opts)
	if err != nil {
		return nil, err
	}
	answer, err := c.send(ctx, op, a, s)
	if err != nil {
		return nil, err
	}
	size, err := strconv.ParseInt(answer.Header.Get("Content-Length"), 10, 64)
	if err != nil {
		size = -1
	}
	header := answer.Credentials().Header(answer.Header)
	return &Download{answer.Stream, header.Get("Content-Type"), size, header}, nil
}

// settings adds up the options of one call. Without any they are those of the client, so nobody changes what it returns.
func (c *Client) settings(opts []CallOption) (*callSettings, error) {
	if c == nil || c.core == nil {
		return &callSettings{}, invalid("client", "make one with New")
	}
	if c.tenant < 0 {
		// Also where no client id travels: the routes by id would act on whatever the credentials reach.
		return &callSettings{}, invalid("client id", "the one given to Tenant is not positive")
	}
	if len(opts) == 0 {
		return c.core.defaults, nil
	}
	s := *c.core.defaults
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&s); err != nil {
			return &s, err
		}
	}
	return &s, nil
}

// send is the one way out: it builds the request, bounds it in time, sends it, and turns every answer but 2xx into an error. The
// caller releases the answer.
func (c *Client) send(ctx context.Context, op operation, a args, s *callSettings) (*transport.Answer, error) {
	if ctx == nil {
		return nil, invalid("context", "it is nil")
	}
	path, raw, err := fillPath(op.path, a.path)
	if err != nil {
		return nil, err
	}
	call := transport.Call{
		Operation: op.name, Class: op.replay, Method: op.method,
		Policy: s.policy, MaxBody: s.maxBody, Stream: op.envelope == stream, Args: a.body,
	}
	if s.class != nil {
		call.Class = *s.class
	}
	if call.MaxBody == 0 && !call.Stream {
		call.MaxBody = defaultMaxBody
	}
	if call.URL, err = c.url(path, raw, a.query); err != nil {
		return nil, err
	}
	var contentType []string
	if call.Body, contentType, err = encodeBody(a); err != nil {
		return nil, err
	}
	call.Header = c.header(s, a.header, contentType, call.Stream)
	var started time.Time
	if s.response != nil {
		started = time.Now()
	}
	ctx, cancel, settled := bound(ctx, s.timeout, call.Stream)
	answer, err := c.exchange(ctx, &call, cancel)
	if s.response != nil {
		*s.response = describe(op, answer, err, started)
	}
	if err == nil && answer.Status >= 200 && answer.Status <= 299 && !call.Stream {
		if call.Class != ReplayRead || ctx.Err() == nil {
			cancel()
			return answer, nil
		}
		// What was read too late is not worth the time to decode it. That a change was made is worth knowing at any time.
		err = &transport.Failure{Err: context.Cause(ctx), Attempts: answer.Attempts}
		answer.Release()
	}
	shown := redact.Path(call.URL.EscapedPath())
	if err != nil {
		cancel()
		return nil, callError(op, shown, err)
	}
	if answer.Status < 200 || answer.Status > 299 {
		cancel()
		e := answerError(op, shown, answer.Status, answer)
		e.OutcomeUnknown = call.Class != ReplayRead && (answer.Unsure || isUnsure(answer.Status))
		answer.Release()
		return nil, e
	}
	settled()
	answer.Stream = &cancelledBody{answer.Stream, cancel, CallError{
		Operation: op.name, Method: op.method, Path: shown, Attempts: answer.Attempts, OutcomeUnknown: call.Class != ReplayRead,
	}, answer.Credentials}
	return answer, nil
}

// exchange is [transport.Engine.Do]. It frees the context also if a hook or an authenticator of the caller panics, or ends its goroutine.
func (c *Client) exchange(ctx context.Context, call *transport.Call, cancel func()) (*transport.Answer, error) {
	finished := false
	defer func() {
		if !finished {
			cancel()
		}
	}()
	answer, err := c.core.engine.Do(ctx, call)
	finished = true
	return answer, err
}

// isUnsure reports whether a status leaves open what became of a change. A gateway says 408 also behind a request that it has passed on, and 302 and
// 303 send the caller to look at what a request has led to.
func isUnsure(status int) bool {
	switch status {
	case http.StatusFound, http.StatusSeeOther, http.StatusRequestTimeout:
		return true
	}
	return status >= 500 || status < 200
}

// answerError makes the error that an answer is. The credentials and secrets that were sent are masked, should the answer repeat them.
func answerError(op operation, path string, status int, answer *transport.Answer) *APIError {
	sent := answer.Credentials()
	e := newAPIError(status, sent.Header(answer.Header), answer.Refusal()).contextOf(op, path, answer.Attempts)
	e.isTorn = answer.IsTorn
	// Reading the body has undone one layer of its escapes, so that one more may be seen through.
	size := len(e.Message) + len(e.Body)
	for _, field := range e.Fields {
		size += len(field.Field) + len(field.Rule) + len(field.Message)
	}
	search := sent.Search(size)
	e.Message = search.Excerpt(e.Message)
	for i, field := range e.Fields {
		e.Fields[i].Field, e.Fields[i].Rule = search.Excerpt(field.Field), search.Excerpt(field.Rule)
		e.Fields[i].Message = search.Excerpt(field.Message)
	}
	if len(e.Body) > 0 {
		e.Body = []byte(search.Text(string(e.Body)))
	}
	return e
}

// bound limits a call in time. For a stream the limit ends when settled is called: the caller reads as long as it likes.
func bound(ctx context.Context, timeout time.Duration, isStream bool) (_ context.Context, cancel, settled func()) {
	nothing := func() {}
	if timeout == 0 {
		timeout = defaultTimeout
		if _, ok := ctx.Deadline(); ok {
			timeout = noTimeout
		}
	}
	switch {
	case timeout == noTimeout && !isStream:
		return ctx, nothing, nothing
	case !isStream:
		ctx, cancel := context.WithTimeout(ctx, timeout)
		return ctx, cancel, nothing
	}
	ctx, cancelCause := context.WithCancelCause(ctx)
	cancel = func() { cancelCause(context.Canceled) }
	if timeout == noTimeout {
		return ctx, cancel, nothing
	}
	timer := time.AfterFunc(timeout, func() { cancelCause(context.DeadlineExceeded) })
	settled = func() { timer.Stop() }
	return ctx, func() { timer.Stop(); cancelCause(context.Canceled) }, settled
}

// cancelledBody is a stream that frees its context when it is closed, and whose failures name the call.
type cancelledBody struct {
	io.ReadCloser
	cancel func()
	origin CallError
	// sent tells what the request carried. It is a function: package fmt prints what a pointer leads to.
	sent func() redact.Credentials
}

func (b *cancelledBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, b.failure(err)
}

func (b *cancelledBody) failure(err error) error {
	e := b.origin
	if e.Err = b.sent().Error(err); transport.IsTooLarge(err) {
		e.Err = fmt.Errorf("%w: %w", ErrResponseTooLarge, err)
	}
	return &e
}

func (b *cancelledBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	if err != nil {
		err = b.failure(err)
	}
	return err
}

func describe(op operation, answer *transport.Answer, err error, started time.Time) Response {
	r := Response{Operation: op.name, Duration: time.Since(started)}
	var failure *transport.Failure
	if errors.As(err, &failure) {
		r.Attempts = failure.Attempts
		answer = failure.Last
	}
	if answer != nil {
		r.StatusCode, r.Header, r.Size = answer.Status, answer.Credentials().Header(answer.Header), len(answer.Body)
		r.RequestID = requestID(r.Header)
		r.Attempts = max(r.Attempts, answer.Attempts)
	}
	return r
}

// callError turns a failure of the transport into the public error.
func callError(op operation, path string, err error) error {
	e := &CallError{Operation: op.name, Method: op.method, Path: path, Err: err}
	var failure *transport.Failure
	if !errors.As(err, &failure) {
		return e
	}
	e.Attempts, e.OutcomeUnknown, e.Err = failure.Attempts, failure.Unknown, failure.Err
	if failure.Unknown {
		e.Err = noArgument(e.Err)
	}
	if failure.Cause != nil {
		e.Err = fmt.Errorf("%w, after %w", e.Err, failure.Cause)
	}
	if last := failure.Last; last != nil {
		e.Last = answerError(op, path, last.Status, last)
	}
	var argument *ArgumentError
	if failure.Attempts == 0 && errors.As(err, &argument) {
		return argument
	}
	if transport.IsTooLarge(failure.Err) {
		e.Err = fmt.Errorf("%w: %w", ErrResponseTooLarge, failure.Err)
	}
	return e
}

// header joins the template, the options and what the call needs.
func (c *Client) header(s *callSettings, extra http.Header, contentType []string, isStream bool) http.Header {
	h := maps.Clone(c.core.header)
	if isStream {
		h["Accept"] = []string{"*/*"}
	}
	if contentType != nil {
		h["Content-Type"] = contentType
	}
	for name, values := range extra {
		h[name] = values
	}
	for name, values := range s.header {
		h[name] = values
	}
	return h
}

// The content types as headers hold them. All requests share them, as they share the header template.
var (
	formContent = []string{"application/x-www-form-urlencoded"}
	jsonContent = []string{"application/json"}
)

func encodeBody(a args) (body []byte, contentType []string, err error) {
	switch {
	case a.form != nil:
		form, err := encodeValues("form", a.form)
		return []byte(form), formContent, err
	case a.body == nil:
		return nil, nil, nil
	}
	if raw, ok := a.body.(RawJSON); ok {
		return raw, jsonContent, nil
	}
	if body, err = wire.Marshal(a.body); err != nil {
		return nil, nil, unencodable("request", err)
	}
	if bytes.Contains(body, maskedJSON) {
		// A value that came from an answer hides its secrets; sending the mask would put it in their place.
		return nil, nil, invalid("request", "it holds a masked secret: set the secret, or leave it out")
	}
	return body, jsonContent, nil
}

var maskedJSON = []byte(`"` + masked + `"`)

// url joins base, path and query.
func (c *Client) url(path, raw string, values any) (_ *url.URL, err error) {
	u := *c.core.base
	if raw != "" {
		u.RawPath = u.EscapedPath() + raw
	} else if u.RawPath != "" {
		u.RawPath += path
	}
	u.Path += path
	switch v := values.(type) {
	case nil:
	case url.Values:
		u.RawQuery, err = encodeValues("query", v)
	default:
		encoded, encodeErr := query.Values(v)
		if encodeErr != nil {
			return nil, invalid("query", "it cannot be encoded: %v", encodeErr)
		}
		u.RawQuery, err = encodeValues("query", encoded)
	}
	return &u, err
}

// encodeValues encodes a query or a form. What is not UTF-8 would be read as another text, as in a JSON body.
func encodeValues(what string, values url.Values) (string, error) {
	for name, list := range values {
		for _, value := range append([]string{name}, list...) {
			if !utf8.ValidString(value) {
				return "", invalid(what, "the value of %q is not UTF-8", clip(name))
			}
		}
	}
	return values.Encode(), nil
}

// fillPath puts values into the placeholders of a template. It returns the path, and its escaped form if that is another one.
func fillPath(template string, values []any) (path, raw string, err error) {
	if len(values) == 0 && !strings.Contains(template, "{") {
		return template, "", nil
	}
	var plain, escaped strings.Builder
	rest := template
	for i := 0; ; i++ {
		before, after, found := strings.Cut(rest, "{")
		plain.WriteString(before)
		escaped.WriteString(before)
		if !found {
			if i != len(values) {
				return "", "", invalid("path", "%s takes %d values, not %d", template, i, len(values))
			}
			break
		}
		name, tail, _ := strings.Cut(after, "}")
		if i >= len(values) {
			return "", "", invalid("path", "%s lacks a value for %s", template, name)
		}
		segment, err := pathSegment(name, values[i])
		if err != nil {
			return "", "", err
		}
		plain.WriteString(segment)
		escaped.WriteString(url.PathEscape(segment))
		rest = tail
	}
	if path, raw = plain.String(), escaped.String(); path == raw {
		raw = ""
	}
	return path, raw, nil
}

// pathSegment checks a path parameter: ids come from users of our users, and must not reach another resource.
func pathSegment(name string, value any) (string, error) {
	switch v := value.(type) {
	case int64:
		if v <= 0 {
			return "", invalid(name, "%d is not positive", v)
		}
		return strconv.FormatInt(v, 10), nil
	case uint64:
		if v == 0 {
			return "", invalid(name, "it is 0")
		}
		return strconv.FormatUint(v, 10), nil
	case string:
		switch {
		case v == "":
			return "", invalid(name, "it is empty")
		case strings.Trim(v, ".") == "", strings.Contains(v, ".."):
			return "", invalid(name, "%q would leave the path", clip(v))
		case strings.ContainsAny(v, `/\`):
			return "", invalid(name, "%q holds a slash", clip(v))
		case strings.ContainsAny(v, "%?#"):
			return "", invalid(name, "%q holds a character that has a meaning in a URL", clip(v))
		case !utf8.ValidString(v):
			return "", invalid(name, "%q is not UTF-8", clip(v))
		}
		for _, r := range v {
			if r < ' ' || r == 0x7f {
				return "", invalid(name, "it holds a control character")
			}
		}
		return v, nil
	}
	return "", invalid(name, "%T is no path parameter", value)
}

// decodeAnswer opens the envelope of a 2xx answer and decodes its payload into out. It reports whether there was one other than null.
func decodeAnswer(op operation, answer *transport.Answer, out any) (found bool, err error) {
	if err := wire.CheckRoom(answer.Body, out); err != nil {
		return false, unreadable(op, answer, err)
	}
	// The quick way does not look before it decodes.
	isSmall := len(answer.Body) < quickBody
	if isSmall && op.envelope == inBody && wire.DecodeBody(answer.Body, out) {
		return true, nil
	}
	payload, _, err := openAnswer(op, answer)
	if err != nil || payload == nil {
		return false, err
	}
	if err := wire.CheckElements(payload, out); err != nil {
		return false, unreadable(op, answer, err)
	}
	if err := wire.Unmarshal(payload, out); err != nil {
		return false, unreadable(op, answer, err)
	}
	return payload.Kind() != 'n', nil
}

// quickBody is the size up to which an answer is decoded without a look at how many elements it holds: they cannot take much memory.
const quickBody = 256 << 10

// openAnswer returns the payload of a 2xx answer: nil if the operation expects none, or if it may do without.
func openAnswer(op operation, answer *transport.Answer) (jsontext.Value, wire.Paging, error) {
	if op.envelope == noAnswer {
		// Nothing is expected, so nothing is wrong with an empty answer. But it may say no, and the page of a proxy says nothing of the service.
		opened, err := wire.Open(answer.Body, bare)
		if refusal := innerRefusal(op, answer, opened.Status); refusal != nil {
			return nil, wire.Paging{}, refusal
		}
		if err != nil && len(bytes.TrimSpace(answer.Body)) > 0 {
			return nil, wire.Paging{}, unreadable(op, answer, err)
		}
		return nil, wire.Paging{}, nil
	}
	opened, err := wire.Open(answer.Body, op.envelope)
	if err := innerRefusal(op, answer, opened.Status); err != nil {
		return nil, opened.Paging, err
	}
	missing := errors.Is(err, wire.ErrNoPayload)
	switch {
	case err == nil && opened.Payload.Kind() != 'n':
		return opened.Payload, opened.Paging, nil
	case err == nil && op.replay == read:
		// {"status":200,"body":null} on a single read; lists take null as empty before they come here.
		return opened.Payload, opened.Paging, nil
	case err == nil, missing && op.replay == idempotent:
		return nil, opened.Paging, nil
	}
	return nil, opened.Paging, unreadable(op, answer, err)
}

// innerRefusal is the error for an answer whose HTTP status says yes while the status in its body says no, nil for all others.
func innerRefusal(op operation, answer *transport.Answer, status int64) error {
	if status < 400 {
		return nil
	}
	e := answerError(op, redact.Path(answer.URL.EscapedPath()), int(status), answer)
	e.OutcomeUnknown = op.replay != read && (answer.Unsure || isUnsure(int(status)))
	return e
}

// unreadable is the error for a 2xx answer that is not what the operation returns.
func unreadable(op operation, answer *transport.Answer, err error) error {
	if errors.Is(err, wire.ErrElementTooLarge) || errors.Is(err, wire.ErrNoRoom) {
		err = fmt.Errorf("%w: %w", ErrResponseTooLarge, err)
	}
	e := &CallError{
		Operation: op.name, Method: op.method, Path: redact.Path(answer.URL.EscapedPath()), Attempts: answer.Attempts,
		Err:            fmt.Errorf("%w with status %d: %w", ErrResponse, answer.Status, answer.Credentials().Error(err)),
		OutcomeUnknown: op.replay == once,
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		// The title tells a page of a proxy. Anything else may be the new secret that was asked for, in a form that nobody expected.
		if title := pageTitle.Find(answer.Head(maxShown)); title != nil {
			shown := *answer
			shown.Body = title
			e.Last = answerError(op, redact.Path(answer.URL.EscapedPath()), answer.Status, &shown)
		}
	}
	return e
}

// pageTitle finds the title of a page of HTML.
var pageTitle = regexp.MustCompile(`(?i)<title>[^<>]*</title>`)

// maxShown is how much is looked at of an answer that cannot be read.
const maxShown = 4 << 10

// lostAnswer is the error for a change that succeeded with an answer that lacks what the caller needs.
func lostAnswer(op operation, reason string) error {
	return &CallError{
		Operation: op.name, Method: op.method, Path: op.path, Attempts: 1, Err: fmt.Errorf("%w: %s", ErrResponse, reason), OutcomeUnknown: op.replay == once,
	}
}

// notFound is the error for a single read that answered 200 with null.
func notFound(op operation, status int) *APIError {
	return &APIError{Operation: op.name, Method: op.method, Path: op.path, StatusCode: status, Message: "no such object", Attempts: 1, kind: ErrNotFound}
}

// withID picks the object with an id out of an answer that should hold just that: a filter may be read more loosely than it is meant, and what
// follows from an object that nobody asked for may hit another than the one that is meant.
func withID[T any](op operation, items []T, id int64, of func(*T) int64) (*T, error) {
	for i := range items {
		if of(&items[i]) == id {
			return &items[i], nil
		}
	}
	if len(items) > 0 {
		return nil, lostAnswer(op, fmt.Sprintf("none of the objects of the answer has the id %d", id))
	}
	return nil, noneTouched(op)
}

// noneTouched is the error of an answer that names no object. Behind a change that was sent twice it may mean that the first one did it all.
func noneTouched(op operation) error {
	if op.replay == read {
		return notFound(op, http.StatusOK)
	}
	return afterChange(op, "the answer names no object", notFound(op, http.StatusOK))
}

// get is do for single objects: null is not found where the operation reads, and an answer that lacks what the caller needs where it changes
// something.
func get[T any](ctx context.Context, c *Client, op operation, a args, opts []CallOption) (*T, error) {
	out := new(T)
	found, err := c.into(ctx, op, a, opts, out)
	switch {
	case err != nil:
		return nil, err
	case found && (op.replay == read || !lacksID(out)):
		return out, nil
	case found:
		return nil, lostAnswer(op, "the object in the answer has no id")
	case op.replay == read:
		return nil, notFound(op, http.StatusOK)
	}
	return nil, lostAnswer(op, "the answer holds no object")
}

// lacksID reports whether object, a pointer, is of a type with a field ID and has none. An answer of a change that says something else than what became
// of the object reads as such a one.
func lacksID(object any) bool {
	v := reflect.ValueOf(object).Elem()
	if v.Kind() != reflect.Struct {
		return false
	}
	id := v.FieldByName("ID")
	return id.IsValid() && id.IsZero()
}

// Call sends a request to any endpoint, wrapped by this SDK or not, with the same credentials, retries, limits and errors.
//
// path begins with a slash and may carry a query. in is the body: nil for none, [RawJSON] as it is, url.Values as a form, anything else as
// JSON. out receives the whole answer, envelope included: nil to ignore it, a *RawJSON or *[]byte for its bytes, an
// io.Writer to copy it to, anything else to decode JSON into. A refusal in the envelope of a 2xx answer, a status of 400 or more beside a body, is
// an error as everywhere, unless out takes the bytes. An empty answer leaves out as it is; a read that is answered so with 200 is an [ErrResponse],
// unless out takes the bytes. An error of the io.Writer is returned as it is; where the call was no read, within a [CallError] that matches
// [ErrOutcomeUnknown]. GET and HEAD count as reads, everything else as once; say [WithReplayClass] if you know better: most reads of this API are POSTs.
func (c *Client) Call(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	op, a, err := rawCall(method, path, in)
	if err != nil {
		return err
	}
	s, err := c.settings(opts)
	if err != nil {
		return err
	}
	writer, isWriter := out.(io.Writer)
	switch v := reflect.ValueOf(out); {
	case out == nil:
	case v.Kind() == reflect.Pointer && v.IsNil():
		return invalid("out", "the %T is nil", out)
	case v.Kind() != reflect.Pointer && !isWriter:
		return invalid("out", "want a pointer, not %T", out)
	}
	if s.class != nil {
		op.replay = *s.class
	}
	if isWriter {
		op.envelope = stream
	}
	answer, err := c.send(ctx, op, a, s)
	if err != nil {
		return err
	}
	if isWriter {
		_, err := io.Copy(writer, answer.Stream)
		return errors.Join(unwritten(op, answer, err), answer.Stream.Close())
	}
	defer answer.Release()
	switch out := out.(type) {
	case nil:
		return envelopeRefusal(op, answer)
	case *[]byte:
		*out = append([]byte(nil), answer.Body...)
		return nil
	case *RawJSON:
		*out = append(RawJSON(nil), answer.Body...)
		return nil
	}
	if len(answer.Body) == 0 {
		if op.replay == read && op.method != http.MethodHead && answer.Status == http.StatusOK {
			return unreadable(op, answer, wire.ErrNoPayload)
		}
		return nil
	}
	if err := envelopeRefusal(op, answer); err != nil {
		return err
	}
	if err := wire.CheckRoom(answer.Body, out); err != nil {
		return unreadable(op, answer, err)
	}
	if err := wire.Unmarshal(answer.Body, out); err != nil {
		return unreadable(op, answer, err)
	}
	return nil
}

// unwritten is the error of an answer that out could not take: a change was applied all the same.
func unwritten(op operation, answer *transport.Answer, err error) error {
	var told *CallError
	if err == nil || op.replay == read || errors.As(err, &told) {
		return err
	}
	return afterAnswer(op, answer, err)
}

// afterAnswer is the error of a call that fails when its answer has come: a change was applied all the same.
func afterAnswer(op operation, answer *transport.Answer, err error) *CallError {
	return &CallError{
		Operation: op.name, Method: op.method, Path: redact.Path(answer.URL.EscapedPath()), Attempts: answer.Attempts, OutcomeUnknown: op.replay != read, Err: err,
	}
}

// envelopeRefusal is innerRefusal for an answer of any form: the status counts if it stands beside a body.
func envelopeRefusal(op operation, answer *transport.Answer) error {
	opened, err := wire.Open(answer.Body, inBody)
	if err != nil {
		return nil
	}
	return innerRefusal(op, answer, opened.Status)
}

// rawCall makes a call of what the caller of Call or Stream wrote.
func rawCall(method, path string, in any) (operation, args, error) {
	op, values, err := rawOperation(method, path)
	a := args{body: in}
	if values != nil {
		a.query = values
	}
	if form, ok := in.(url.Values); ok {
		a.body, a.form = nil, form
	}
	return op, a, err
}

// rawOperation makes an operation of what the caller of Call wrote.
func rawOperation(method, path string) (operation, url.Values, error) {
	op := operation{name: "call", method: strings.ToUpper(method), replay: once}
	switch op.method {
	case http.MethodGet, http.MethodHead:
		op.replay = read
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return op, nil, invalid("method", "want GET, HEAD, POST, PUT, PATCH or DELETE")
	}
	u, err := url.Parse(path)
	switch {
	case err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//"):
		return op, nil, invalid("path", "want one that begins with a single slash, such as /v1/user")
	case u.Fragment != "":
		return op, nil, invalid("path", "it has a fragment")
	case !utf8.ValidString(u.Path):
		return op, nil, invalid("path", "it is not UTF-8")
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return op, nil, invalid("path", "it has dot segments")
		}
	}
	if strings.ContainsAny(u.Path, "{}\\") || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return op, nil, invalid("path", "it holds a brace, a backslash or an escaped slash")
	}
	op.path = u.Path
	if u.RawQuery == "" {
		return op, nil, nil
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return op, nil, invalid("path", "its query cannot be parsed")
	}
	return op, values, nil
}
