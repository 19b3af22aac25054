package wallarm

import (
	"fmt"
	"log/slog"
	intern "unique"
)

// masked is what a secret shows of itself.
const masked = "[redacted]"

// Secret is a value that must not be seen: a token, a password, a private key. [SecretOf] makes one. It shows itself as "[redacted]" in every verb
// of package fmt, in slog, as text and in encoding/json; only [Secret.Reveal] returns it. In a request of this SDK it travels
// as its real value. Secrets compare with ==; the zero Secret is the empty one.
//
// It is no string, since methods alone do not hide one: package fmt calls none for an unexported field, nor behind a pointer that meets a verb that is
// wrong for it, and would print the text.
type Secret struct {
	// text is behind a pointer, which package fmt prints as an address.
	text intern.Handle[string]
}

// SecretOf makes a secret of its text.
func SecretOf(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{intern.Make(text)}
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s == Secret{} }

// Reveal returns the value.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// String returns "[redacted]", or "" for the empty secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return masked
}

// GoString is [Secret.String] for the verb %#v.
func (s Secret) GoString() string { return fmt.Sprintf("wallarm.SecretOf(%q)", s.String()) }

// Format is [Secret.String] for every other verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		fmt.Fprint(f, s.GoString())
		return
	}
	fmt.Fprint(f, s.String())
}

// LogValue is [Secret.String] for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is [Secret.String].
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the value as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = SecretOf(string(text))
	return nil
}
