package wallarm

import (
	"context"
	"maps"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	usersMe          = operation{"users.me", "POST", "/v1/user", read, inBody}
	usersRenewSecret = operation{"users.renew_secret", "POST", "/v1/user/renew_secret", once, inBody}
)

// UsersService manages users and tells who the credentials belong to. Only administrators may manage users; with the role Read Only one may
// list them.
type UsersService service

// User is a user of the Console, or the one behind a token.
type User struct {
	ID int64 `json:"id"`
	// UUID is also the first half of the legacy credentials, see [UUIDSecret].
	UUID string `json:"uuid"`
	// ClientID is the client (tenant) that the user belongs to. The wire calls it client_id on one route and clientid on the others.
	ClientID int64 `json:"client_id,omitzero"`
	// ClientName is the name of that client, known from [UsersService.Me] only.
	ClientName string `json:"client_name,omitzero"`
	Username   string `json:"username"`
	Email      string `json:"email"`
	RealName   string `json:"realname,omitempty"`
	Phone      string `json:"phone,omitempty"`
	// Permissions are role names, see [Role].
	Permissions []Role `json:"permissions"`
	// ActualPermissions are the single rights that follow from the roles.
	ActualPermissions []string `json:"actual_permissions,omitzero"`
	Enabled           bool     `json:"enabled"`
	Validated         bool     `json:"validated"`
	MFAEnabled        bool     `json:"mfa_enabled"`
	// CreatedBy is the id of the user who made this one, 0 if unknown.
	CreatedBy       int64     `json:"create_by,omitzero"`
	CreatedAt       Timestamp `json:"create_at,omitzero"`
	CreatedFrom     string    `json:"create_from,omitempty"`
	PasswordChanged Timestamp `json:"password_changed,omitzero"`
	LoginHistory    []Login   `json:"login_history,omitzero"`
	LastLoginTime   Timestamp `json:"last_login_time,omitzero"`
	Timezone        string    `json:"timezone,omitempty"`
	Language        string    `json:"language,omitempty"`
	DateFormat      string    `json:"date_format,omitempty"`
	TimeFormat      string    `json:"time_format,omitempty"`
	ResultsPerPage  int64     `json:"results_per_page,omitzero"`
	DefaultPool     string    `json:"default_pool,omitempty"`
	DefaultPoolID   *int64    `json:"default_poolid,omitzero"`
	LastReadNewsID  int64     `json:"last_read_news_id,omitzero"`
	// SearchTemplates are saved searches by name.
	SearchTemplates map[string]string `json:"search_templates,omitzero"`
	// Notifications says by topic which messages the user gets.
	Notifications map[string]NotificationChannels `json:"notifications,omitzero"`
	Components    []string                        `json:"components,omitzero"`
	JobTitle      string                          `json:"job_title,omitempty"`
	// AvailableAuthentications are the ways in which the user may log in.
	AvailableAuthentications []string `json:"available_authentications,omitzero"`
	FrontendURL              string   `json:"frontend_url,omitzero"`
	// Secret is the second half of the legacy credentials; it comes with few answers.
	Secret Secret `json:"secret,omitzero"`
	// GeneratedPassword is a password that the service has made up. Few answers hold one, which the vendor does not document.
	GeneratedPassword Secret `json:"generated_password,omitzero"`
	// SSOAllowAPICredentials says whether API credentials work while single sign-on is on. Not documented by the vendor.
	SSOAllowAPICredentials bool  `json:"sso_allow_auth_by_api_credentials,omitzero"`
	Extra                  Extra `json:",embed"`
}

// Login is one entry of a login history.
type Login struct {
	Time  Timestamp `json:"time"`
	IP    string    `json:"ip"`
	Extra Extra     `json:",embed"`
}

// NotificationChannels says through which channels a message goes.
type NotificationChannels struct {
	Email bool  `json:"email"`
	SMS   bool  `json:"sms"`
	Extra Extra `json:",embed"`
}

// MarshalJSON writes the user: the members with a value, and all that no field is for, the client id under the name that it came with.
func (u User) MarshalJSON() ([]byte, error) {
	type plain User
	if _, ok := u.Extra[otherClientID]; ok {
		u.Extra = maps.Clone(u.Extra)
		u.Extra[otherClientID] = strconv.AppendInt(nil, u.ClientID, 10)
		u.ClientID = 0
	}
	return wire.MarshalEcho(plain(u))
}

// otherClientID is what lists call the client id of a user; [UsersService.Me] calls it client_id.
const otherClientID = "clientid"

// UnmarshalJSON reads a user and keeps unknown members.
func (u *User) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, u) }

// UnmarshalJSONFrom reads a user and keeps unknown members.
func (u *User) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain User
	if err := wire.UnmarshalDecode(d, (*plain)(u)); err != nil {
		return err
	}
	if id, ok := u.Extra[otherClientID]; ok && u.ClientID == 0 {
		return wire.Unmarshal(id, &u.ClientID)
	}
	return nil
}

// Me returns the user behind the credentials. Its ClientID is what most calls need, and the client finds it by itself.
//
// POST /v1/user with an empty object: the route would change the user's own record if it were given data. Replay class: read.
func (s *UsersService) Me(ctx context.Context, opts ...CallOption) (*User, error) {
	return get[User](ctx, s.client, usersMe, args{body: emptyObject}, opts)
}

// NewSecret is what [UsersService.RenewSecret] returns.
type NewSecret struct {
	// Secret is the new second half of the legacy credentials.
	Secret Secret `json:"secret"`
	Extra  Extra  `json:",embed"`
}

// RenewSecret makes a new secret for the legacy credentials of the calling user, for use with [UUIDSecret] and the UUID of [UsersService.Me]. The
// former secret dies at once, and the new one is shown only in this answer: the call is never repeated by itself, and after
// [ErrOutcomeUnknown] the former secret may be dead.
//
// POST /v1/user/renew_secret, described by the vendor's documentation until June 2021 and marked deprecated since. The form of the answer
// is not documented; a bare text and an object with a member secret are understood. Replay class: once.
func (s *UsersService) RenewSecret(ctx context.Context, opts ...CallOption) (*NewSecret, error) {
	return s.newSecret(ctx, usersRenewSecret, args{body: emptyObject}, opts)
}

// newSecret makes a call whose answer is worth nothing without the secret.
func (s *UsersService) newSecret(ctx context.Context, op operation, a args, opts []CallOption) (*NewSecret, error) {
	secret, err := get[NewSecret](ctx, s.client, op, a, opts)
	if err == nil && secret.Secret.IsZero() {
		return nil, lostAnswer(op, "the answer holds no secret")
	}
	return secret, err
}

// MarshalJSON writes the answer: the members with a value, and all that no field is for; the secret stays hidden.
func (n NewSecret) MarshalJSON() ([]byte, error) {
	type plain NewSecret
	return wire.MarshalEcho(plain(n))
}

// UnmarshalJSON reads an object with a member secret, or the bare secret.
func (n *NewSecret) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, n) }

// UnmarshalJSONFrom reads an object with a member secret, or the bare secret.
func (n *NewSecret) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		return wire.UnmarshalDecode(d, &n.Secret)
	}
	type plain NewSecret
	return wire.UnmarshalDecode(d, (*plain)(n))
}
