package wallarm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/wallarm-sdk/wallarm/internal/transport"
	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// The kinds of failure, for [errors.Is]. An [*APIError] matches the kind of its status and text; ErrOutcomeUnknown and
// ErrInvalidArgument also match errors without an answer.
var (
	// ErrInvalidArgument: the SDK refused the arguments; nothing was sent, but for reads that come first.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrValidation: the API refused the request (400, 413, 414, 422).
	ErrValidation = errors.New("validation failed")
	// ErrAlreadyExists: an object with this natural key is there already (400 with the text "Already exists").
	ErrAlreadyExists = errors.New("already exists")
	// ErrUnauthenticated: the credentials are missing, wrong, expired or disabled (403 with the text "User not authenticated", or 401).
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrForbidden: the credentials are good, the right is missing (402, 403), or a proxy or WAF on the way answered 403.
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: no such object, or one of another client (404, or 200 with a null body on a single read).
	ErrNotFound = errors.New("not found")
	// ErrMethodNotAllowed: the route does not take this verb or form (405, 406): a mistake in the SDK or in a raw call.
	ErrMethodNotAllowed = errors.New("method not allowed")
	// ErrTargetTimeout: the target of an integration test did not answer in time (408). From elsewhere it comes of a gateway.
	ErrTargetTimeout = errors.New("target timed out")
	// ErrConflict: the object collides with another one (409).
	ErrConflict = errors.New("conflict")
	// ErrGone: the object has expired (410).
	ErrGone = errors.New("gone")
	// ErrLocked: the rules are locked while a snapshot is taken or restored (423). This request changed nothing.
	ErrLocked = errors.New("locked")
	// ErrRateLimited: too many requests (429). This request changed nothing.
	ErrRateLimited = errors.New("rate limited")
	// ErrServer: the service or a gateway in front of it failed (5xx).
	ErrServer = errors.New("server error")
	// ErrRedirect: the answer was a redirect, which is never part of this API and is not followed (3xx). Behind a 302 or 303 a change may
	// have been applied.
	ErrRedirect = errors.New("redirect refused")
	// ErrOutcomeUnknown: a change was sent, and nobody can tell whether it was applied, or a part of it was, or it could not be read afterwards. Look before
	// you repeat it. The error may match the kind of the request that failed too.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrResponse: the answer could not be read as what the operation returns. A change may have been applied; where this is not ErrOutcomeUnknown too,
	// the change is idempotent and may be repeated.
	ErrResponse = errors.New("unreadable answer")
	// ErrResponseTooLarge: the answer passed the cap, see [WithMaxResponseSize], or holds far more values than its size accounts for, which would
	// take more memory than the cap lets one expect.
	ErrResponseTooLarge = errors.New("answer too large")
)

// ArgumentError says which argument was refused before anything was sent, but for reads that come first. It matches [ErrInvalidArgument].
type ArgumentError struct {
	// Argument is the name of the argument, field or setting.
	Argument string
	// Reason says what is wrong with it.
	Reason string
}

// Error names the argument and the reason.
func (e *ArgumentError) Error() string {
	return fmt.Sprintf("wallarm: invalid %s: %s", e.Argument, e.Reason)
}

// Is matches [ErrInvalidArgument].
func (e *ArgumentError) Is(target error) bool { return target == ErrInvalidArgument }

func invalid(argument, format string, args ...any) *ArgumentError {
	return &ArgumentError{argument, fmt.Sprintf(format, args...)}
}

// unencodable is the error for an argument that cannot be written as JSON.
func unencodable(argument string, err error) *ArgumentError {
	if name, ok := wire.Repeated(err); ok {
		return invalid(clip(name), "the request would hold it twice: Extra takes no member that has a field or that the SDK adds itself")
	}
	return invalid(argument, "it cannot be encoded: %v", err)
}

// APIError is an answer that says no. It tells apart by kind through [errors.Is], as in errors.Is(err, wallarm.ErrNotFound).
type APIError struct {
	// Operation is the name of the call, such as "rules.create"; Method and Path are what was sent.
	Operation, Method, Path string
	// StatusCode is the HTTP status. Some answers carry an inner status that disagrees: if HTTP said 2xx and the inner status
	// is 400 or more, that one stands here.
	StatusCode int
	// Message is the text of the answer, "" if it had none.
	Message string
	// Fields are the complaints about single fields, in order of their names.
	Fields []FieldError
	// RequestID is the request id of the answer's header, if there is one. The vendor documents none.
	RequestID string
	// Attempts is how many attempts were made.
	Attempts int
	// OutcomeUnknown says that a change may have been applied nevertheless.
	OutcomeUnknown bool
	// Body is the beginning of the answer, at most 64 KiB, with the values of secret members masked.
	Body []byte
	kind error
	also error
	// isTorn says that Body is not known to be all of what the server sent.
	isTorn bool
}

// FieldError is what the API says about one field of a request.
type FieldError struct {
	// Field is the name, sometimes a dotted or bracketed path such as filter.clientid, as the API spells it, but for control characters.
	Field string
	// Rule is the violated rule, where the service names one.
	Rule string
	// Message is the complaint, such as "required".
	Message string
	// Value is the refused value. It may be a secret, so it prints as "[redacted]"; [Secret.Reveal] returns its JSON.
	Value Secret
}

// String returns the complaint without the refused value, on one line and without control characters.
func (f FieldError) String() string {
	if f.Rule != "" {
		return clean(f.Field + " (" + f.Rule + "): " + f.Message)
	}
	return clean(f.Field + ": " + f.Message)
}

// Error says what was tried and what came back, on one line and without control characters.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "wallarm: %s: %s %s", e.Operation, e.Method, e.Path)
	if e.StatusCode >= 300 {
		fmt.Fprintf(&b, ": %d", e.StatusCode)
		if text := http.StatusText(e.StatusCode); text != "" {
			b.WriteString(" " + text)
		}
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(f.String())
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	if hint := e.hint(); hint != "" {
		b.WriteString("; " + hint)
	}
	// Once more, since anybody may set the fields.
	return clean(b.String())
}

// hint says what to do next, where that is known.
func (e *APIError) hint() string {
	switch {
	case e.OutcomeUnknown:
		return "the change may have been applied: look before you repeat it"
	case e.kind == ErrUnauthenticated:
		return "check the token and the region: a token of one cloud is unknown in another"
	case e.kind == ErrForbidden && strings.EqualFold(e.Message, "check permissions failed"):
		return "the role lacks this right, or these credentials do not see this client id"
	case e.kind == ErrLocked:
		return "a rules snapshot is being taken or restored: try again later"
	case e.kind == ErrRedirect:
		return "redirects are not followed: check the base URL"
	}
	return ""
}

// Is matches the kinds declared beside [ErrValidation].
func (e *APIError) Is(target error) bool {
	return target == e.kind || (e.also != nil && target == e.also) || (e.OutcomeUnknown && target == ErrOutcomeUnknown)
}

// CallError is a call that ended without a usable answer: no connection, a time-out, a cancelled context, an answer that
// cannot be read. It unwraps to its reasons, so errors.Is(err, context.DeadlineExceeded) works, and to the last [*APIError] if the
// call ended while it waited to be repeated.
type CallError struct {
	// Operation is the name of the call; Method and Path are what was to be sent.
	Operation, Method, Path string
	// Attempts is how many attempts were made.
	Attempts int
	// OutcomeUnknown says that a change was sent and may have been applied.
	OutcomeUnknown bool
	// Err is the reason.
	Err error
	// Last is the last answer, if the call ended during the wait that followed it.
	Last *APIError
}

// Error says what was tried, why it ended, and what the last answer was, on one line and without control characters: texts of net/http quote what
// a server sent as it came.
func (e *CallError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "wallarm: %s: %s %s: %v", e.Operation, e.Method, e.Path, e.Err)
	if e.Last != nil {
		fmt.Fprintf(&b, ", after %d %s", e.Last.StatusCode, http.StatusText(e.Last.StatusCode))
		if e.Last.Message != "" {
			b.WriteString(": " + e.Last.Message)
		}
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	if e.OutcomeUnknown {
		b.WriteString("; the change may have been applied: look before you repeat it")
	}
	return clean(b.String())
}

// Unwrap returns the reasons.
func (e *CallError) Unwrap() []error {
	if e.Last != nil {
		return []error{e.Err, e.Last}
	}
	return []error{e.Err}
}

// Is matches [ErrOutcomeUnknown].
func (e *CallError) Is(target error) bool { return e.OutcomeUnknown && target == ErrOutcomeUnknown }

// IsTemporary reports whether the same call may succeed later without a change: a rate limit, a lock, a failure of the
// service or of the way to it. It is false for a call whose outcome is unknown, and for a certificate that is not trusted.
func IsTemporary(err error) bool {
	if err == nil || errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, context.Canceled) {
		return false
	}
	var api *APIError
	if errors.As(err, &api) {
		return errors.Is(err, ErrRateLimited) || errors.Is(err, ErrLocked) || errors.Is(err, ErrServer)
	}
	var call *CallError
	return errors.As(err, &call) && !transport.IsPermanent(call.Err) && !errors.Is(err, ErrResponse) && !errors.Is(err, ErrResponseTooLarge) &&
		!errors.Is(err, ErrInvalidArgument) && !errors.Is(err, ErrGone)
}

// kindOf returns the kind of a status and text, see docs/wire/errors.md, section 3.
func kindOf(status int, message string, isJSON bool) (kind, also error) {
	text := strings.ToLower(strings.TrimSpace(message))
	switch {
	case status < http.StatusOK:
		return ErrResponse, nil
	case status >= 300 && status < 400:
		return ErrRedirect, nil
	case status == http.StatusBadRequest && text == "already exists":
		return ErrAlreadyExists, ErrValidation
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity,
		status == http.StatusRequestEntityTooLarge, status == http.StatusRequestURITooLong:
		return ErrValidation, nil
	case status == http.StatusUnauthorized:
		return ErrUnauthenticated, nil
	case status == http.StatusForbidden && isJSON && text == "user not authenticated":
		return ErrUnauthenticated, nil
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return ErrForbidden, nil
	case status == http.StatusNotFound:
		return ErrNotFound, nil
	case status == http.StatusMethodNotAllowed, status == http.StatusNotAcceptable:
		return ErrMethodNotAllowed, nil
	case status == http.StatusRequestTimeout:
		return ErrTargetTimeout, nil
	case status == http.StatusConflict:
		return ErrConflict, nil
	case status == http.StatusGone:
		return ErrGone, nil
	case status == http.StatusLocked:
		return ErrLocked, nil
	case status == http.StatusTooManyRequests:
		return ErrRateLimited, nil
	case status >= 500:
		return ErrServer, nil
	}
	return nil, nil
}
