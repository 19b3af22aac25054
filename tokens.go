package wallarm

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	tokensList   = operation{"tokens.list", "GET", "/v2/api_tokens", read, inBody}
	tokensCreate = operation{"tokens.create", "POST", "/v2/api_tokens", once, inBody}
	tokensGet    = operation{"tokens.get", "GET", "/v2/api_tokens/{id}", read, inBody}
	tokensUpdate = operation{"tokens.update", "PUT", "/v2/api_tokens/{id}", idempotent, inBody}
	tokensDelete = operation{"tokens.delete", "DELETE", "/v2/api_tokens/{id}", idempotent, noAnswer}
	tokensReveal = operation{"tokens.reveal", "GET", "/v2/api_tokens/{id}/secret", read, inBody}
	tokensRenew  = operation{"tokens.renew", "POST", "/v2/api_tokens/{id}/secret", once, inBody}
)

// TokensService manages API tokens. The vendor's documentation described creating a token and reading its value until May 2024, and shows the
// Console alone since; the other routes are not documented by the vendor.
//
// A token never has more rights than its owner or maker. When it expires or is disabled it stops working at once, and a week later the
// API deletes it. Tokens of nodes are another thing, see [NodesService].
type TokensService service

// APIToken is an API token without its value, which [TokensService.Reveal] tells.
type APIToken struct {
	ID       int64 `json:"id"`
	ClientID int64 `json:"client_id"`
	// UserID is the owner; 0, presumably, marks a shared token. UserRealName is the owner's name.
	UserID       int64  `json:"user_id,omitzero"`
	UserRealName string `json:"user_realname,omitempty"`
	// Name is what the token is called.
	Name    string `json:"realname"`
	Enabled bool   `json:"enabled"`
	// Permissions are nil if the answer names none, as for legacy tokens, which have those of their owner.
	Permissions Permissions `json:"-"`
	CreatedAt   Timestamp   `json:"create_at,omitzero"`
	// ExpiresAt is zero if the token never expires.
	ExpiresAt Timestamp `json:"expire_at,omitzero"`
	// GeneratedAt is when the value was made; zero if unknown.
	GeneratedAt Timestamp `json:"token_generated_at,omitzero"`
	// Legacy marks a token that was made from legacy credentials. Renewing its value ends them.
	Legacy bool  `json:"legacy"`
	Extra  Extra `json:",embed"`
}

// IsExpired reports whether the token has expired at t.
func (t *APIToken) IsExpired(at time.Time) bool {
	return !t.ExpiresAt.IsZero() && !at.Before(t.ExpiresAt.Time)
}

// plainToken is an APIToken as it travels.
type plainToken struct {
	plainAPIToken
	Permissions []string `json:"permissions"`
}

type plainAPIToken APIToken

// MarshalJSON writes the token: the members with a value, and all that no field is for.
func (t APIToken) MarshalJSON() ([]byte, error) {
	out := plainToken{plainAPIToken: plainAPIToken(t)}
	if t.Permissions != nil {
		out.Permissions = t.Permissions.permissionNames()
	}
	return wire.MarshalEcho(out)
}

// UnmarshalJSON reads a token and keeps unknown members.
func (t *APIToken) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, t) }

// UnmarshalJSONFrom reads a token and keeps unknown members.
func (t *APIToken) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var in plainToken
	if err := wire.UnmarshalDecode(d, &in); err != nil {
		return err
	}
	*t = APIToken(in.plainAPIToken)
	t.Permissions = permissionsOf(in.Permissions)
	return nil
}

// APITokenFilter selects tokens. A zero field is no condition.
type APITokenFilter struct {
	// UserID is the owner.
	UserID  int64
	Enabled Opt[bool]
	// Name is what the token is called.
	Name string
}

// List returns the tokens of the tenant that match filter, without their values. The list comes whole.
//
// GET /v2/api_tokens, not documented by the vendor. One source draws the filter as a JSON body, which a GET cannot be trusted to carry; it
// is sent as a query. Replay class: read.
func (s *TokensService) List(ctx context.Context, filter APITokenFilter, opts ...CallOption) ([]APIToken, error) {
	if filter.UserID < 0 {
		return nil, invalid("filter.user_id", "%d is negative", filter.UserID)
	}
	if err := validateQueryFilter(filter); err != nil {
		return nil, err
	}
	client, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	v := url.Values{"filter[client_id]": {strconv.FormatInt(client, 10)}}
	if filter.UserID > 0 {
		v.Set("filter[user_id]", strconv.FormatInt(filter.UserID, 10))
	}
	if enabled, ok := filter.Enabled.Get(); ok {
		v.Set("filter[enabled]", strconv.FormatBool(enabled))
	}
	if filter.Name != "" {
		v.Set("filter[realname]", filter.Name)
	}
	return do[[]APIToken](ctx, s.client, tokensList, args{query: v}, opts)
}

// Get returns a token without its value.
//
// GET /v2/api_tokens/{id}, not documented by the vendor. Replay class: read.
func (s *TokensService) Get(ctx context.Context, id int64, opts ...CallOption) (*APIToken, error) {
	return get[APIToken](ctx, s.client, tokensGet, args{path: []any{id}}, opts)
}

// NewAPIToken is a token to create.
type NewAPIToken struct {
	// Name is required. It need not be unique, but [ErrOutcomeUnknown] is easier to clear up if it is.
	Name string
	// Permissions are required: a [Role] or [CustomPermissions].
	Permissions Permissions
	// ExpiresAt is when the token stops working, to the millisecond; zero is never.
	ExpiresAt time.Time
	// Enabled is on by default.
	Enabled Opt[bool]
	// Extra holds members that have no field here, by their wire names. What tells a token for the API from one for the deployment of nodes is
	// not published; [RoleDeploy] is the likely mark.
	Extra Extra
}

// tokenBody is what creating and changing a token send.
type tokenBody struct {
	Name        string         `json:"realname,omitzero"`
	ClientID    int64          `json:"client_id,omitzero"`
	UserID      int64          `json:"user_id,omitzero"`
	Enabled     Opt[bool]      `json:"enabled,omitzero"`
	ExpiresAt   Opt[milliTime] `json:"expire_at,omitzero"`
	Permissions []string       `json:"permissions,omitzero"`
	Extra       Extra          `json:",embed"`
}

// milliTime travels as RFC 3339 text in UTC with three digits of a fraction, the only form that is known to be taken.
type milliTime time.Time

func (t milliTime) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteToken(jsontext.String(time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z07:00")))
}

// CreatePersonal makes a token that belongs to a user; its value is for that user alone to read. Read it with Reveal. Giving rights that
// the caller lacks meets [ErrForbidden] or [ErrValidation]. After [ErrOutcomeUnknown], look with an [APITokenFilter] by Name before you
// repeat it.
//
// POST /v2/api_tokens. Replay class: once.
func (s *TokensService) CreatePersonal(ctx context.Context, userID int64, token NewAPIToken, opts ...CallOption) (*APIToken, error) {
	if userID <= 0 {
		return nil, invalid("user id", "%d is not positive", userID)
	}
	return s.create(ctx, userID, token, opts)
}

// CreateShared makes a token that belongs to nobody; all administrators of the account may read its value. How the API is told so is not
// published: the SDK leaves the owner out. Look at the UserID of the result. See CreatePersonal for the rest.
//
// POST /v2/api_tokens. Replay class: once.
func (s *TokensService) CreateShared(ctx context.Context, token NewAPIToken, opts ...CallOption) (*APIToken, error) {
	return s.create(ctx, 0, token, opts)
}

func (s *TokensService) create(ctx context.Context, userID int64, token NewAPIToken, opts []CallOption) (*APIToken, error) {
	if token.Name == "" {
		return nil, invalid("name", "it is empty")
	}
	if err := checkPermissions("permissions", token.Permissions); err != nil {
		return nil, err
	}
	if token.Enabled.IsNull() {
		return nil, invalid("enabled", "it cannot be null")
	}
	body := tokenBody{
		Name: token.Name, UserID: userID, Enabled: token.Enabled, Permissions: token.Permissions.permissionNames(), Extra: token.Extra,
	}
	if !token.ExpiresAt.IsZero() {
		if err := checkExpiry(token.ExpiresAt); err != nil {
			return nil, err
		}
		body.ExpiresAt = Set(milliTime(token.ExpiresAt))
	}
	var err error
	if body.ClientID, err = s.client.ClientID(ctx, opts...); err != nil {
		return nil, err
	}
	return get[APIToken](ctx, s.client, tokensCreate, args{body: body}, opts)
}

func checkExpiry(t time.Time) error {
	if !t.After(time.Now()) {
		return invalid("expiry", "%s is not in the future", t.Format(time.RFC3339))
	}
	return nil
}

// APITokenUpdate is a change of a token. Absent fields stay as they are.
type APITokenUpdate struct {
	Name    Opt[string]
	Enabled Opt[bool]
	// ExpiresAt is when the token stops working, to the millisecond; null is never.
	ExpiresAt Opt[time.Time]
	// Permissions take the place of all that the token has; nil leaves them. Those of a legacy token cannot be changed.
	Permissions Permissions
	// Extra holds members that have no field here, by their wire names.
	Extra Extra
}

func (u *APITokenUpdate) body() (tokenBody, error) {
	body := tokenBody{Enabled: u.Enabled, Extra: u.Extra}
	name, renamed := u.Name.Get()
	switch {
	case u.Name.IsNull(), renamed && name == "":
		return body, invalid("name", "it is empty")
	case u.Enabled.IsNull():
		return body, invalid("enabled", "it cannot be null")
	}
	body.Name = name
	if t, ok := u.ExpiresAt.Get(); ok {
		if err := checkExpiry(t); err != nil {
			return body, err
		}
		body.ExpiresAt = Set(milliTime(t))
	} else if u.ExpiresAt.IsNull() {
		body.ExpiresAt = Null[milliTime]()
	}
	if u.Permissions != nil {
		if err := checkPermissions("permissions", u.Permissions); err != nil {
			return body, err
		}
		body.Permissions = u.Permissions.permissionNames()
	}
	return body, checkChanges(body)
}

// Update changes a token and returns it as it is afterwards. To switch a disabled token on, use Enable.
//
// PUT /v2/api_tokens/{id}, not documented by the vendor. Replay class: idempotent.
func (s *TokensService) Update(ctx context.Context, id int64, update APITokenUpdate, opts ...CallOption) (*APIToken, error) {
	body, err := update.body()
	if err != nil {
		return nil, err
	}
	return get[APIToken](ctx, s.client, tokensUpdate, args{path: []any{id}, body: body}, opts)
}

// Rename changes what a token is called.
//
// PUT /v2/api_tokens/{id}, not documented by the vendor. Replay class: idempotent.
func (s *TokensService) Rename(ctx context.Context, id int64, name string, opts ...CallOption) (*APIToken, error) {
	return s.Update(ctx, id, APITokenUpdate{Name: Set(name)}, opts...)
}

// Disable stops a token from working, at once. The API deletes it a week later, unless it is enabled again.
//
// PUT /v2/api_tokens/{id}, not documented by the vendor. Replay class: idempotent.
func (s *TokensService) Disable(ctx context.Context, id int64, opts ...CallOption) (*APIToken, error) {
	return s.Update(ctx, id, APITokenUpdate{Enabled: Set(false)}, opts...)
}

// Enable lets a disabled token work again until expires, which must be in the future: the API wants a new expiry for that.
//
// PUT /v2/api_tokens/{id}, not documented by the vendor. Replay class: idempotent.
func (s *TokensService) Enable(ctx context.Context, id int64, expires time.Time, opts ...CallOption) (*APIToken, error) {
	return s.Update(ctx, id, APITokenUpdate{Enabled: Set(true), ExpiresAt: Set(expires)}, opts...)
}

// Delete deletes a token; it stops working at once. One that is not there counts as deleted.
//
// DELETE /v2/api_tokens/{id}, not documented by the vendor. Replay class: idempotent.
func (s *TokensService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	return remove(ctx, s.client, tokensDelete, args{path: []any{id}}, opts)
}

// APITokenValue is the value of a token.
type APITokenValue struct {
	// Secret is the value, for use with [Token].
	Secret Secret `json:"secret"`
	// GeneratedAt is when the value was made; zero if the answer does not say.
	GeneratedAt Timestamp `json:"token_generated_at,omitzero"`
	Extra       Extra     `json:",embed"`
}

// MarshalJSON writes the value: the members with a value, and all that no field is for; the secret stays hidden.
func (v APITokenValue) MarshalJSON() ([]byte, error) {
	type plain APITokenValue
	return wire.MarshalEcho(plain(v))
}

// UnmarshalJSON reads a value and keeps unknown members.
func (v *APITokenValue) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, v) }

// UnmarshalJSONFrom reads a value and keeps unknown members.
func (v *APITokenValue) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain APITokenValue
	return wire.UnmarshalDecode(d, (*plain)(v))
}

// Reveal reads the value of a token. That of a personal token is for its owner alone.
//
// GET /v2/api_tokens/{id}/secret. Replay class: read.
func (s *TokensService) Reveal(ctx context.Context, id int64, opts ...CallOption) (*APITokenValue, error) {
	return s.value(ctx, tokensReveal, id, opts)
}

// value makes a call whose answer is worth nothing without the secret.
func (s *TokensService) value(ctx context.Context, op operation, id int64, opts []CallOption) (*APITokenValue, error) {
	value, err := get[APITokenValue](ctx, s.client, op, args{path: []any{id}}, opts)
	if err == nil && value.Secret.IsZero() {
		return nil, lostAnswer(op, "the answer holds no secret")
	}
	return value, err
}

// Renew gives a token a new value; the former one dies at once. After [ErrOutcomeUnknown] the former value may be dead: Reveal tells which one
// is good, unless the token is the one that the client itself uses.
//
// POST /v2/api_tokens/{id}/secret, not documented by the vendor. Replay class: once.
func (s *TokensService) Renew(ctx context.Context, id int64, opts ...CallOption) (*APITokenValue, error) {
	return s.value(ctx, tokensRenew, id, opts)
}
