package wallarm

import (
	"fmt"
	"log/slog"
)

// masked is what a secret shows of itself.
const masked = "[redacted]"

// Secret is a value that must not be seen: a token, a password, a private key. It shows itself as "[redacted]" in every verb
// of package fmt, in slog, as text and in encoding/json; only [Secret.Reveal] returns it. In a request of this SDK it travels
// as its real value.
type Secret string

// Reveal returns the value.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]", or "" for the empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString is [Secret.String] for the verb %#v.
func (s Secret) GoString() string { return fmt.Sprintf("wallarm.Secret(%q)", s.String()) }

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
	*s = Secret(text)
	return nil
}
