// Package transport carries one call over HTTP: it waits for the rate limit, signs, sends, reads the whole answer within a
// cap, and decides on repeats by the replay class of the call. The loop is go-retryablehttp's; every decision is made here.
package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"

	"github.com/wallarm-sdk/wallarm/internal/redact"
)

// Class says whether a call may be sent again when nobody knows what became of it.
type Class uint8

const (
	// Once is for creates and side effects: repeated only if the server provably did nothing. It is the zero value, so that
	// a forgotten class is a safe one.
	Once Class = iota
	// Idempotent is for absolute writes and deletes by id.
	Idempotent
	// Read changes nothing.
	Read
)

func (c Class) String() string {
	switch c {
	case Read:
		return "read"
	case Idempotent:
		return "idempotent"
	default:
		return "once"
	}
}

// Policy bounds repeats and waits.
type Policy struct {
	// MaxRetries is how often a failed attempt is followed by another.
	MaxRetries int
	// BaseWait is the upper end of the first wait; it doubles with each further one.
	BaseWait time.Duration
	// MaxWait caps the exponential waits after a failure.
	MaxWait time.Duration
	// MaxRetryAfter caps what a Retry-After header may ask for, and the exponential waits after 429.
	MaxRetryAfter time.Duration
	// LockWait is the wait after 423.
	LockWait time.Duration
}

// DefaultPolicy is what a client uses unless told otherwise.
var DefaultPolicy = Policy{
	MaxRetries:    3,
	BaseWait:      500 * time.Millisecond,
	MaxWait:       10 * time.Second,
	MaxRetryAfter: 30 * time.Second,
	LockWait:      5 * time.Second,
}

// Engine sends calls. It is safe for concurrent use and holds no lock while a call is under way.
type Engine struct {
	client *http.Client
	base   http.RoundTripper
	sign   func(context.Context, http.Header) error
	// knownHeaders is that of Config.
	knownHeaders bool
	limiter      *rate.Limiter
	// turn is held by the caller who waits for the limiter.
	turn    chan struct{}
	observe func(context.Context, Attempt)
	// pausedUntil is the time, in nanoseconds since 1970, before which no attempt starts: one 429 slows all callers.
	pausedUntil atomic.Int64
	// http2 says that the server has been heard to speak HTTP/2.
	http2 atomic.Bool
	// isStandard says that nobody but net/http sends the requests, so that what it tells about them proves something.
	isStandard bool
	// isGzipOurs says that nobody but the standard transport sees the answers, so that the engine may ask for compressed ones.
	isGzipOurs bool
	// isPlainHTTP1 says that requests without TLS certainly go by HTTP/1.1. No connection tells.
	isPlainHTTP1 bool
	// mayRotate says that the proxy of a call can be known from what it was sent only.
	mayRotate bool
}

// Config is what an Engine is made of.
type Config struct {
	// Client is the client to send with. It is copied, not changed.
	Client *http.Client
	// Sign adds the credentials; it is called for each attempt.
	Sign func(context.Context, http.Header) error
	// KnownHeaders says that Sign sets valid values, and only under names that look like credentials: nobody needs to find out.
	KnownHeaders bool
	// Limiter bounds the attempts per second; nil for no bound.
	Limiter *rate.Limiter
	// Observe is told of each attempt; nil for nobody.
	Observe func(context.Context, Attempt)
}

// Attempt is one exchange with the server.
type Attempt struct {
	Operation string
	Class     Class
	Method    string
	Path      string
	// Number counts from 1.
	Number  int
	Started time.Time
	// Duration is the time from sending to the end of the answer's body, or for a streamed answer to its header.
	Duration time.Duration
	// Status is the HTTP status, or 0 if there was no answer.
	Status int
	// Header is that of the answer, with the values of cookies, locations and the like masked.
	Header http.Header
	// Err is why there was no complete answer.
	Err error
	// RetryIn is the wait before the next attempt; negative if this was the last one.
	RetryIn                   time.Duration
	RequestSize, ResponseSize int
}

// New makes an engine.
func New(config Config) *Engine {
	client := *config.Client
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	// Go forwards custom headers, and so the token, to the host of a redirect. The API has no redirects: refuse all.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	standard, isStandard := base.(*http.Transport)
	return &Engine{
		client: &client, base: base, sign: config.Sign, knownHeaders: config.KnownHeaders, limiter: config.Limiter, observe: config.Observe,
		isStandard: isStandard, isGzipOurs: isStandard && !standard.DisableCompression, turn: make(chan struct{}, 1),
		isPlainHTTP1: isStandard && (standard.Protocols == nil || !standard.Protocols.UnencryptedHTTP2()),
		mayRotate:    mayRotate(base),
	}
}

// Call is one call to make.
type Call struct {
	Operation string
	Class     Class
	Method    string
	URL       *url.URL
	// Header belongs to the engine, which adds the credentials.
	Header http.Header
	// Body is sent with each attempt; nil for none.
	Body []byte
	// Args is what Body was encoded from. If it holds secrets, they are masked where an answer or an error repeats them.
	Args   any
	Policy Policy
	// MaxBody caps the answer after decompression.
	MaxBody int64
	// Stream hands a 2xx answer over unread.
	Stream bool
}

// Do makes the call. It returns the last complete answer, whatever its status, or a *Failure if there is none.
func (e *Engine) Do(ctx context.Context, call *Call) (*Answer, error) {
	e.acceptGzip(call)
	x := exchanges.Get().(*exchange)
	defer x.recycle()
	x.engine, x.call, x.ctx, x.header = e, *call, ctx, call.Header
	request := (&http.Request{
		Method:     call.Method,
		URL:        call.URL,
		Host:       call.URL.Host,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}).WithContext(x.heard(ctx))
	retryable := &retryablehttp.Request{Request: request}
	x.client = *e.client
	x.client.Transport = x
	if err := x.prepare(request); err != nil {
		return nil, &Failure{Err: err}
	}
	x.loop.HTTPClient, x.loop.RetryMax = &x.client, call.Policy.MaxRetries
	_, err := x.loop.Do(retryable) //nolint:bodyclose // check has read and closed the body, or handed it to the answer
	if x.answer != nil && !x.repeating {
		x.answer.Unsure = x.sent
		return x.answer, nil
	}
	return nil, x.failure(err)
}

// heard returns the context of the requests of a call, which tell what they give to proxies if that is of use.
func (x *exchange) heard(ctx context.Context) context.Context {
	if x.call.URL.Scheme != "http" || !x.engine.mayRotate {
		return ctx
	}
	x.told = new(told)
	return x.told.listen(ctx)
}

// exchange is the state of one call. It is reused, since the hooks of go-retryablehttp bound to it would cost much of a small call.
type exchange struct {
	// loop is go-retryablehttp's client, whose hooks are the methods of this exchange.
	loop retryablehttp.Client
	// client is the engine's, with this exchange between it and the transport.
	client http.Client
	engine *Engine
	call   Call
	ctx    context.Context
	// header is that of the attempt.
	header http.Header
	// unsigned is the header as it was before the credentials came, signed the names that carried has.
	unsigned []headerField
	signed   []string
	// former are the headers of the attempts before.
	former []signedHeader
	// way is how far an attempt that must not be repeated got.
	way *way
	// told is what the attempts told proxies.
	told     *told
	started  time.Time
	attempts int
	// answer is the last complete one, err why there was none.
	answer *Answer
	err    error
	// sent says that some attempt may have reached the server.
	sent bool
	// repeating says that a further attempt was due when the call ended.
	repeating bool
	wait      time.Duration
	// body is what the attempt sends; nil for nothing.
	body *sentBody
	// bodiless tells of a request that is sent once and has no body.
	bodiless *sending
	// resent is set when net/http is kept from repeating a request, whose context ends then.
	resent *atomic.Bool
	// settled frees what watches over the attempt, if anything does; it is called when the answer has been read.
	settled func()
	// limited cuts the body of an answer.
	limited io.LimitedReader
}

var exchanges = sync.Pool{New: func() any {
	x := new(exchange)
	x.loop.CheckRetry = x.check
	x.loop.Backoff = x.backoff
	x.loop.PrepareRetry = x.prepareRetry
	x.loop.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return x
}}

// recycle forgets everything about the call. The hooks are called by the loop only, which has returned.
func (x *exchange) recycle() {
	x.loop.HTTPClient, x.client = nil, http.Client{}
	x.engine, x.call, x.ctx, x.header, x.body, x.bodiless, x.resent, x.way, x.answer, x.err = nil, Call{}, nil, nil, nil, nil, nil, nil, nil, nil
	clear(x.unsigned)
	x.unsigned, x.signed, x.former, x.told = x.unsigned[:0], nil, nil, nil
	x.attempts, x.sent, x.repeating, x.wait = 0, false, false, 0
	x.limited = io.LimitedReader{}
	exchanges.Put(x)
}

// prepare makes a request ready for an attempt: the shared pause, the limiter, the credentials.
func (x *exchange) prepare(request *http.Request) error {
	if err := x.engine.waitTurn(x.ctx); err != nil {
		return err
	}
	if err := x.sign(); err != nil {
		return &SignError{err}
	}
	// An http.Client copies the header of every request for the redirect that might follow. None is followed here, so it sees none, unless it
	// adds cookies.
	if request.Header = noHeader; x.client.Jar != nil {
		request.Header = x.header.Clone()
	}
	if x.engine.observe != nil {
		x.started = time.Now()
	}
	return nil
}

// noHeader is shared and never written to.
var noHeader = http.Header{}

// RoundTrip is what the http.Client of the exchange sends with. It shows nothing else of the transport: go-retryablehttp closes the idle
// connections of the whole pool after each failed call, if it finds a way to, and the other callers want theirs warm.
func (x *exchange) RoundTrip(request *http.Request) (*http.Response, error) {
	if x.client.Jar == nil {
		request.Header = x.header
	}
	response, err := x.engine.base.RoundTrip(x.giveBody(request))
	if err != nil || response == nil {
		return response, err
	}
	if response.ProtoMajor == 2 {
		if !x.engine.http2.Load() {
			x.engine.http2.Store(true)
		}
		if len(x.call.Body) > 0 {
			response.Body = newEndingBody(x.ctx, response)
		}
	}
	switch {
	case response.StatusCode == http.StatusSwitchingProtocols:
		// What follows is no HTTP, and nothing would end the reading of it.
		response.Body.Close()
		response.Body = http.NoBody
	case response.StatusCode >= 300 && response.StatusCode < 400:
		// Nobody follows a redirect, net/http fails on one that it cannot parse, and its target may carry a signature.
		response.Header.Del("Location")
	}
	return response, err
}

// SignError says that the credentials for an attempt could not be had.
type SignError struct{ Err error }

func (e *SignError) Error() string { return "authenticating: " + e.Err.Error() }

func (e *SignError) Unwrap() error { return e.Err }

// prepareRetry is called before each attempt but the first.
func (x *exchange) prepareRetry(request *http.Request) error {
	x.former = append(x.former, signedHeader{x.header, x.signed})
	// The former attempt may still be reading its headers.
	x.header = x.header.Clone()
	return x.prepare(request)
}

// check is called after each attempt: it completes the exchange and decides whether there is another.
func (x *exchange) check(ctx context.Context, response *http.Response, err error) (bool, error) {
	x.attempts++
	x.answer, x.err = nil, err
	x.wait = -1
	if err != nil {
		x.err = withoutURL(err)
		if x.resent != nil && x.resent.Load() && x.ctx.Err() == nil {
			x.err = errResent
		}
	}
	if err == nil {
		x.answer, x.err = x.read(response)
	}
	if x.settled != nil {
		x.settled()
		x.settled = nil
	}
	retry := x.decide()
	if x.err != nil {
		sent := x.carried()
		x.err = sent.credentials().Error(x.err)
	}
	if x.engine.observe != nil {
		x.show(ctx, response)
	}
	x.repeating = retry
	return retry, nil
}

// show tells the hook about the attempt. If it panics, nobody gets the answer: a stream is closed then.
func (x *exchange) show(ctx context.Context, response *http.Response) {
	finished := false
	defer func() {
		if !finished && x.answer != nil && x.answer.Stream != nil {
			x.answer.Stream.Close()
		}
	}()
	x.engine.observe(ctx, x.attempt(response))
	finished = true
}

// withoutURL takes off what an http.Client says about a failure: the operation and its path are named elsewhere, and the query may hold what no
// error should show. A transport that is a client of its own adds a second one. Where a URL could not be parsed, most likely that of a proxy, the reason
// quotes a part of it, which may be one of its password.
func withoutURL(err error) error {
	var located *url.Error
	for errors.As(err, &located) && located.Err != nil {
		if located.Op == "parse" {
			return errUnparsed
		}
		err = located.Err
	}
	return err
}

var errUnparsed = errors.New("a URL cannot be parsed, such as that of a proxy")

// decide says whether the attempt is followed by another, and sets the wait before it.
func (x *exchange) decide() bool {
	class, policy := x.call.Class, x.call.Policy
	switch {
	case x.err != nil:
		// Another transport may have sent other requests, which this error is of.
		turnedAway := x.engine.isStandard && isTurnedAway(x.err)
		harmless := turnedAway || (x.unconnected() || NeverSent(x.err)) && x.unread()
		if !harmless {
			x.sent = true
		}
		if x.ctx.Err() != nil || IsPermanent(x.err) || (class == Once && !harmless) {
			return false
		}
		if x.wait = 0; !turnedAway || x.attempts > 1 {
			// Only a connection that was about to close anyway is worth trying another one at once.
			x.wait = jitter(policy.BaseWait, policy.MaxWait, x.attempts)
		}
	case x.answer.Status == http.StatusTooManyRequests:
		x.wait = retryAfter(x.answer.Header, policy.MaxRetryAfter)
		if x.wait < 0 {
			x.wait = jitter(2*policy.BaseWait, policy.MaxRetryAfter, x.attempts)
		}
		x.engine.pause(x.wait)
	case x.answer.Status == http.StatusLocked:
		x.wait = max(policy.LockWait, retryAfter(x.answer.Header, policy.MaxRetryAfter))
	case isServerFailure(x.answer.Status):
		x.sent = true
		if class == Once {
			return false
		}
		x.wait = retryAfter(x.answer.Header, policy.MaxRetryAfter)
		if x.wait < 0 {
			x.wait = jitter(policy.BaseWait, policy.MaxWait, x.attempts)
		}
	default:
		return false
	}
	if x.attempts > policy.MaxRetries {
		x.wait = -1
		return false
	}
	if deadline, ok := x.ctx.Deadline(); ok && time.Until(deadline) <= x.wait {
		// The wait cannot end in time: say now what the caller would learn then.
		x.wait = -1
		return false
	}
	return true
}

func isServerFailure(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return status >= 520 && status <= 527
}

func (x *exchange) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return x.wait }

func (x *exchange) attempt(response *http.Response) Attempt {
	a := Attempt{
		Operation: x.call.Operation, Class: x.call.Class, Method: x.call.Method, Path: redact.Path(x.call.URL.EscapedPath()),
		Number: x.attempts, Started: x.started, Duration: time.Since(x.started), Err: x.err, RetryIn: x.wait,
		RequestSize: len(x.call.Body),
	}
	if x.answer != nil {
		a.ResponseSize = len(x.answer.Body)
	}
	switch {
	case response == nil:
	case x.answer != nil:
		a.Status, a.Header = response.StatusCode, x.answer.Credentials().Header(response.Header)
	default:
		sent := x.carried()
		a.Status, a.Header = response.StatusCode, sent.answered().Header(response.Header)
	}
	return a
}

// failure makes the error of a call without a complete answer, or one that ended while it waited to be repeated.
func (x *exchange) failure(err error) *Failure {
	f := &Failure{Err: x.err, Attempts: x.attempts, Last: x.answer}
	if x.repeating && err != nil {
		// The call ended during a wait: err says why, x.err or the last answer what the wait was for.
		f.Err, f.Cause = err, x.err
	}
	if f.Err == nil {
		f.Err = err
	}
	if cause := context.Cause(x.ctx); errors.Is(cause, context.DeadlineExceeded) && errors.Is(f.Err, context.Canceled) {
		// A limit that is set as a cause shows itself as a plain cancellation to what looks at the context only.
		f.Err = cause
	}
	f.Unknown = x.call.Class != Read && x.sent
	return f
}

// Failure is a call without a complete answer.
type Failure struct {
	// Err is why the call ended.
	Err error
	// Cause is the failure of the last attempt, if the call ended during the wait that followed it.
	Cause error
	// Last is the last answer, if the call ended during the wait that followed it.
	Last *Answer
	// Attempts is how many attempts were made.
	Attempts int
	// Unknown says that a change was sent and nobody knows whether it was applied.
	Unknown bool
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the reasons, most recent first.
func (f *Failure) Unwrap() []error {
	if f.Cause != nil {
		return []error{f.Err, f.Cause}
	}
	return []error{f.Err}
}

// waitTurn waits for the end of a shared pause and for the limiter.
func (e *Engine) waitTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	for {
		until := e.pausedUntil.Load()
		if until == 0 {
			break
		}
		wait := time.Until(time.Unix(0, until))
		if wait <= 0 {
			break
		}
		// Callers that waited together do not start together.
		wait += rand.N(wait/8 + 1)
		if err := sleep(ctx, wait); err != nil {
			return fmt.Errorf("waiting out the rate limit: %w", err)
		}
	}
	if e.limiter == nil || e.limiter.Allow() {
		return nil
	}
	if err := e.queue(ctx); err != nil {
		return fmt.Errorf("waiting for the rate limiter: %w", err)
	}
	return nil
}

// queue waits until the limiter has room. One caller at a time has a place with the limiter, which does not take back those of many that give up.
func (e *Engine) queue(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-e.turn }()
	reservation := e.limiter.Reserve()
	err := sleep(ctx, reservation.Delay())
	if err != nil {
		reservation.Cancel()
	}
	return err
}

// sleep waits for d, or fails at once if the context will end before.
func sleep(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// pause keeps all callers of the engine from starting an attempt for d.
func (e *Engine) pause(d time.Duration) {
	until := time.Now().Add(d).UnixNano()
	for {
		current := e.pausedUntil.Load()
		if current >= until || e.pausedUntil.CompareAndSwap(current, until) {
			return
		}
	}
}

// jitter is exponential backoff with full jitter: anything up to base doubled with each attempt, at most limit.
func jitter(base, limit time.Duration, attempt int) time.Duration {
	ceiling := limit
	if shift := attempt - 1; shift < 32 && base<<shift > 0 && base<<shift < limit {
		ceiling = base << shift
	}
	if ceiling <= 0 {
		return 0
	}
	return rand.N(ceiling) + time.Millisecond
}

var errBodyTooLarge = errors.New("the answer is larger than the limit")

// IsTooLarge reports whether err says that an answer passed its cap.
func IsTooLarge(err error) bool { return errors.Is(err, errBodyTooLarge) }
