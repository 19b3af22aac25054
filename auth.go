package wallarm

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// The names of the headers with credentials, in the form in which net/http keeps them: case does not matter on the wire.
var (
	headerToken     = http.CanonicalHeaderKey("WallarmApi-Token")
	headerTokenX    = http.CanonicalHeaderKey("X-WallarmApi-Token")
	headerUUID      = http.CanonicalHeaderKey("X-WallarmAPI-UUID")
	headerKeySecret = http.CanonicalHeaderKey("X-WallarmAPI-Secret")
)

// Authenticator adds the credentials to a request. It is asked before each attempt, retries included, so that credentials
// may change under a running client. Implementations must be safe for concurrent use and must set headers only, but for Idempotency-Key and
// X-Idempotency-Key, which net/http takes as leave to send a create twice: they fail the call. The value of each header that they set counts as a
// secret, whatever the name, and is masked where an answer or an error repeats it, also if a later attempt of the same request carried another; not where
// an answer to another request does, such as the one behind that with which a method found its client id. A value of less than 6 characters is not: it
// may be a part of any word.
//
// [Token], [UUIDSecret] and [CredentialsFunc] make the ones that the API knows.
type Authenticator interface {
	Authenticate(ctx context.Context, header http.Header) error
}

// validator is an Authenticator that can check itself without a request. [New] does.
type validator interface{ validate() error }

// Token authenticates with an API token, which the Console makes under Settings, API tokens.
//
// The value travels in two headers, WallarmApi-Token and X-WallarmApi-Token. The first is the name that this SDK's users are
// promised; the second is the one that the vendor's documentation has used since April 2023. One header would do, but no
// public source says that the service still takes the older name, and none that it ever refused a second header.
func Token(token string) Authenticator { return &tokenAuth{SecretOf(token)} }

// UUIDSecret authenticates with the legacy pair of the headers X-WallarmAPI-UUID and X-WallarmAPI-Secret. The uuid is the one
// that [UsersService.Me] returns, the secret comes from [UsersService.RenewSecret]. The vendor keeps such pairs working as one
// backward-compatible token per user; new programs use [Token].
func UUIDSecret(uuid, secret string) Authenticator {
	return &pairAuth{SecretOf(uuid), SecretOf(secret)}
}

// CredentialsFunc authenticates with what provide returns, usually a [Token] or [UUIDSecret]. It is called before each attempt,
// with the context of the call, so that a rotated token is used at once: keep it quick, or let it cache.
func CredentialsFunc(provide func(context.Context) (Authenticator, error)) Authenticator {
	return &providedAuth{provide}
}

// hasKnownHeaders reports whether an authenticator sets the headers of the API and no others.
func hasKnownHeaders(a Authenticator) bool {
	switch a.(type) {
	case *tokenAuth, *pairAuth:
		return true
	}
	return false
}

type tokenAuth struct{ token Secret }

func (a *tokenAuth) Authenticate(_ context.Context, header http.Header) error {
	if err := a.validate(); err != nil {
		return err
	}
	value := []string{a.token.Reveal()}
	header[headerToken], header[headerTokenX] = value, value
	return nil
}

func (a *tokenAuth) validate() error { return checkCredential("token", a.token.Reveal()) }

func (a *tokenAuth) String() string { return "wallarm.Token(" + masked + ")" }

func (a *tokenAuth) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }

// MarshalText keeps the token out of JSON and of text logs.
func (a *tokenAuth) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

type pairAuth struct{ uuid, secret Secret }

func (a *pairAuth) Authenticate(_ context.Context, header http.Header) error {
	if err := a.validate(); err != nil {
		return err
	}
	header.Set(headerUUID, a.uuid.Reveal())
	header.Set(headerKeySecret, a.secret.Reveal())
	return nil
}

func (a *pairAuth) validate() error {
	if err := checkCredential("uuid", a.uuid.Reveal()); err != nil {
		return err
	}
	return checkCredential("secret", a.secret.Reveal())
}

func (a *pairAuth) String() string { return "wallarm.UUIDSecret(" + masked + ")" }

func (a *pairAuth) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }

// MarshalText keeps the pair out of JSON and of text logs.
func (a *pairAuth) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

type providedAuth struct {
	provide func(context.Context) (Authenticator, error)
}

func (a *providedAuth) Authenticate(ctx context.Context, header http.Header) error {
	if err := a.validate(); err != nil {
		return err // New has not seen one that another provider returns
	}
	current, err := a.provide(ctx)
	if err != nil {
		return err
	}
	if isNil(current) {
		return invalid("authenticator", "the provider returned none")
	}
	return current.Authenticate(ctx, header)
}

func (a *providedAuth) validate() error {
	if a.provide == nil {
		return invalid("authenticator", "CredentialsFunc has no function")
	}
	return nil
}

// checkCredential refuses what no header can carry. The shape of a token is the vendor's affair and not checked.
func checkCredential(name, value string) error {
	switch {
	case strings.TrimSpace(value) == "":
		return invalid(name, "it is empty")
	case strings.TrimSpace(value) != value:
		return invalid(name, "it begins or ends with white space: was a line end copied with it?")
	}
	return checkHeaderValue(name, value)
}

// checkHeaderValue refuses control characters, CR and LF before all, and does not show the value.
func checkHeaderValue(name, value string) error {
	for i := range len(value) {
		if c := value[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return invalid(name, "it holds a control character or a line break")
		}
	}
	return nil
}
