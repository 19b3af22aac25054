package transport

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wallarm-sdk/wallarm/internal/redact"
	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// carried is what an attempt carried. The secrets in it are looked for only if an answer or an error is to be shown, which most calls never need.
type carried struct {
	header http.Header
	// signed are the headers that the authenticator set under names that do not look like credentials.
	signed []string
	url    *url.URL
	body   []byte
	// args is what the body was encoded from, secrets what was found in it once nobody may look at it any more.
	args    any
	secrets []string
	// former are the headers of the attempts before, whose credentials may have been others.
	former []signedHeader
	route  route
}

type signedHeader struct {
	header http.Header
	signed []string
}

func (x *exchange) carried() carried {
	return carried{
		header: x.header, signed: x.signed, url: x.call.URL, body: x.call.Body, args: x.call.Args, former: x.former,
		route: route{
			base: x.engine.base, ctx: x.ctx, method: x.call.Method, url: x.call.URL, header: x.header, length: len(x.call.Body), told: x.told,
		},
	}
}

// letGo finds the secrets of args, which are the caller's again when the call has returned.
func (c *carried) letGo() { c.args, c.secrets = nil, wire.Secrets(c.args) }

// credentials returns what must not be shown of an attempt that failed or was refused, which a proxy may have done in place of the server.
func (c *carried) credentials() redact.Credentials { return c.own().And(c.route.credentials()) }

// answered returns what must not be shown of an attempt that was answered with success. Over TLS no proxy sees or writes such an answer.
func (c *carried) answered() redact.Credentials {
	if c.url.Scheme != "http" {
		return c.own()
	}
	return c.credentials()
}

// own returns what must not be shown of what the engine sent.
func (c *carried) own() redact.Credentials {
	secrets := slices.Concat(c.secrets, wire.Secrets(c.args), redact.Members(c.body), redact.Members([]byte(c.url.RawQuery)), redact.InPath(c.url.Path))
	known := redact.Sent(c.header, c.signed, secrets)
	for _, attempt := range c.former {
		known = known.And(redact.Sent(attempt.header, attempt.signed, nil))
	}
	return known
}

// headerField is one value of a header.
type headerField struct{ name, value string }

// sign adds the credentials to the header, and finds out which headers they are in.
func (x *exchange) sign() error {
	switch {
	case x.engine.sign == nil:
		return nil
	case x.engine.knownHeaders:
		return x.engine.sign(x.ctx, x.header)
	}
	if x.attempts == 0 {
		for name, values := range x.header {
			for _, value := range values {
				x.unsigned = append(x.unsigned, headerField{name, value})
			}
		}
	} else {
		// The credentials may be of another kind now, and must not travel beside the former ones.
		clear(x.header)
		for _, field := range x.unsigned {
			x.header[field.name] = append(x.header[field.name], field.value)
		}
	}
	if err := x.engine.sign(x.ctx, x.header); err != nil {
		return err
	}
	x.signed = nil
	for name, values := range x.header {
		if isIdempotencyKey(name) {
			return errors.New("an authenticator must not set " + name + ": the standard library takes it as leave to send a create twice")
		}
		for _, value := range values {
			if slices.Contains(x.unsigned, headerField{name, value}) {
				continue
			}
			if err := checkField(name, value); err != nil {
				return err
			}
			if !redact.IsSecretHeader(name) && !slices.Contains(x.signed, name) {
				x.signed = append(x.signed, name)
			}
		}
	}
	return nil
}

// isIdempotencyKey reports whether a header is one that net/http takes for leave to send a request again that the server may have carried out.
func isIdempotencyKey(name string) bool {
	return strings.EqualFold(name, "Idempotency-Key") || strings.EqualFold(name, "X-Idempotency-Key")
}

// checkField refuses a header that net/http would refuse, as if another attempt could help, and with its name.
func checkField(name, value string) error {
	isOther := func(c rune) bool {
		isWord := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !isWord && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	}
	if name == "" || strings.ContainsFunc(name, isOther) {
		return errors.New("a header has a name that is none")
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return errors.New("a header holds a control character or a line break")
		}
	}
	return nil
}
