package wallarm

import (
	"os"
	"strconv"
	"strings"
)

// The environment variables that [NewFromEnv] reads. All but the last are those of the vendor's Terraform provider.
const (
	// EnvToken is an API token.
	EnvToken = "WALLARM_API_TOKEN"
	// EnvUUID and EnvSecret are the legacy pair, used if there is no token.
	EnvUUID   = "WALLARM_API_UUID"
	EnvSecret = "WALLARM_API_SECRET"
	// EnvHost is a base URL. A bare host name means https; localhost, spelled so, and a bare loopback address mean http. A name of one word needs its
	// scheme or its port.
	EnvHost = "WALLARM_API_HOST"
	// EnvClientID is the id of the client (tenant) that calls are made for.
	EnvClientID = "WALLARM_API_CLIENT_ID"
	// EnvRegion is a region as [ParseRegion] takes it.
	EnvRegion = "WALLARM_API_REGION"
)

// NewFromEnv makes a client from WALLARM_* environment variables: the credentials from WALLARM_API_TOKEN, or from WALLARM_API_UUID and
// WALLARM_API_SECRET; the address from WALLARM_API_HOST, or else WALLARM_API_REGION, or else the EU cloud, which is the default of the
// vendor's tools; the client id from WALLARM_API_CLIENT_ID, if set. Options come on top. It makes no network call.
func NewFromEnv(options ...Option) (*Client, error) {
	region := EU
	if name := env(EnvRegion); name != "" {
		var err error
		if region, err = ParseRegion(name); err != nil {
			return nil, err
		}
	}
	var fromEnv []Option
	if host := env(EnvHost); host != "" {
		base, err := hostToURL(host)
		if err != nil {
			return nil, err
		}
		fromEnv = append(fromEnv, WithBaseURL(base))
	}
	if text := env(EnvClientID); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, invalid(EnvClientID, "want a whole number")
		}
		fromEnv = append(fromEnv, WithDefaultClientID(id))
	}
	authenticator, err := AuthenticatorFromEnv()
	if err != nil {
		return nil, err
	}
	return New(region, authenticator, append(fromEnv, options...)...)
}

// AuthenticatorFromEnv makes an authenticator from WALLARM_API_TOKEN, or from WALLARM_API_UUID and WALLARM_API_SECRET.
func AuthenticatorFromEnv() (Authenticator, error) {
	if token := env(EnvToken); token != "" {
		return Token(token), nil
	}
	uuid, secret := env(EnvUUID), env(EnvSecret)
	if uuid == "" && secret == "" {
		return nil, invalid("environment", "set %s, or %s and %s", EnvToken, EnvUUID, EnvSecret)
	}
	if uuid == "" || secret == "" {
		return nil, invalid("environment", "%s and %s go together", EnvUUID, EnvSecret)
	}
	return UUIDSecret(uuid, secret), nil
}

// env returns a variable without the white space and line end that a file or a shell left around it.
func env(name string) string { return strings.TrimSpace(os.Getenv(name)) }
