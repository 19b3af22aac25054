package wallarm

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	usersCreate = operation{"users.create", "POST", "/v1/objects/user/create", once, inBody}
	usersUpdate = operation{"users.update", "POST", "/v1/objects/user/update", idempotent, inBody}
	usersDelete = operation{"users.delete", "POST", "/v1/objects/user/delete", idempotent, inBody}
	// Drawn without an envelope, by a source that is known to leave envelopes out.
	usersInvite      = operation{"users.invite", "POST", "/v2/user/invitation", once, "body?"}
	usersResetSecret = operation{"users.reset_secret", "POST", "/v2/user/{user_id}/secret-reset", once, inBody}
)

// NewUser is a user to create.
type NewUser struct {
	// Email is required, and also the login.
	Email string `json:"email"`
	// Username is Email if it is empty, as for all normal users.
	Username string `json:"username"`
	// RealName is required.
	RealName string `json:"realname"`
	// Password must have 8 characters, a digit, a lower and an upper case letter; tenants may ask for more. The vendor's own tools always
	// send one.
	Password Secret `json:"password,omitzero"`
	// Role is required. A user has exactly one.
	Role Role `json:"-"`
	// ClientID is the tenant that the user belongs to; 0 is the one that the client works for.
	ClientID int64  `json:"clientid"`
	Phone    string `json:"phone,omitzero"`
	// Enabled is on by default.
	Enabled       Opt[bool]                       `json:"enabled,omitzero"`
	Notifications map[string]NotificationChannels `json:"notifications,omitzero"`
	JobTitle      string                          `json:"job_title,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the role as the list that the API wants.
func (u NewUser) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain NewUser
	return wire.MarshalEncode(e, struct {
		plain
		Permissions []Role `json:"permissions"`
	}{plain(u), []Role{u.Role}})
}

// Create makes a user. A user name or address that is taken meets [ErrConflict], a global role given by anyone but a Global Administrator
// [ErrForbidden]. After [ErrOutcomeUnknown], look with a [UserFilter] by Email before you repeat it.
//
// POST /v1/objects/user/create. Replay class: once.
func (s *UsersService) Create(ctx context.Context, user NewUser, opts ...CallOption) (*User, error) {
	switch {
	case user.Email == "":
		return nil, invalid("email", "it is empty")
	case user.RealName == "":
		return nil, invalid("real name", "it is empty")
	case user.Role == "":
		return nil, invalid("role", "it is empty")
	case user.ClientID < 0:
		return nil, invalid("client id", "%d is negative", user.ClientID)
	case user.Enabled.IsNull():
		return nil, invalid("enabled", "it cannot be null")
	}
	if user.Username == "" {
		user.Username = user.Email
	}
	if user.ClientID == 0 {
		var err error
		if user.ClientID, err = s.client.ClientID(ctx, opts...); err != nil {
			return nil, err
		}
	}
	return get[User](ctx, s.client, usersCreate, args{body: user}, opts)
}

// UserUpdate is a change of users. Absent fields stay as they are. An address cannot be changed: the user has to be made anew.
type UserUpdate struct {
	Phone    Opt[string] `json:"phone,omitzero"`
	RealName Opt[string] `json:"realname,omitzero"`
	// Role takes the place of all roles that the user has.
	Role           Opt[Role]                            `json:"-"`
	ClientID       Opt[int64]                           `json:"clientid,omitzero"`
	Timezone       Opt[string]                          `json:"timezone,omitzero"`
	JobTitle       Opt[string]                          `json:"job_title,omitzero"`
	ResultsPerPage Opt[int64]                           `json:"results_per_page,omitzero"`
	DefaultPool    Opt[string]                          `json:"default_pool,omitzero"`
	Enabled        Opt[bool]                            `json:"enabled,omitzero"`
	Notifications  Opt[map[string]NotificationChannels] `json:"notifications,omitzero"`
	// SearchTemplates takes the place of all saved searches.
	SearchTemplates Opt[map[string]string] `json:"search_templates,omitzero"`
	// SSOAllowAPICredentials is not documented by the vendor.
	SSOAllowAPICredentials Opt[bool] `json:"sso_allow_auth_by_api_credentials,omitzero"`
	// Password is the new password; empty leaves it as it is. The vendor's own tools replace the user rather than send one.
	Password Secret `json:"password,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the role as the list that the API wants.
func (u UserUpdate) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain UserUpdate
	out := struct {
		plain
		Permissions []Role `json:"permissions,omitzero"`
	}{plain: plain(u)}
	if role, ok := u.Role.Get(); ok {
		out.Permissions = []Role{role}
	}
	return wire.MarshalEncode(e, out)
}

func (u *UserUpdate) validate() error {
	if role, ok := u.Role.Get(); u.Role.IsNull() || ok && role == "" {
		return invalid("role", "a user has exactly one")
	}
	if u.Enabled.IsNull() {
		return invalid("enabled", "it cannot be null")
	}
	if err := checkClientChange(u.ClientID); err != nil {
		return err
	}
	return checkChanges(u)
}

// checkClientChange refuses to move something to no client.
func checkClientChange(id Opt[int64]) error {
	if v, ok := id.Get(); id.IsNull() || ok && v <= 0 {
		return invalid("client id", "%d is not positive", v)
	}
	return nil
}

// checkChanges refuses an update that changes nothing: it is a mistake, and some routes would take it for something else.
func checkChanges(update any) error {
	data, err := wire.Marshal(update)
	if err != nil {
		return unencodable("update", err)
	}
	if string(data) == "{}" {
		return invalid("update", "it changes nothing")
	}
	return nil
}

// writeByFilter is the body of the updates and deletes that act on whatever a filter matches.
type writeByFilter struct {
	Filter any `json:"filter"`
	Fields any `json:"fields,omitzero"`
	// Limit bounds the set that is touched; 0 leaves that to the API, which is right for filters by id.
	Limit int `json:"limit,omitzero"`
}

// mostTouched is the limit of a write by filter. Without one the API stops after 100 objects on some routes.
const mostTouched = 1000

// Update changes one user and returns it as it is afterwards. An id that no user has meets [ErrNotFound]. If the answer
// names no user, or the list that may follow fails or lacks the user, the error matches [ErrOutcomeUnknown] too: a request that was lost, and repeated, may have
// changed the user, and a list may be behind.
//
// POST /v1/objects/user/update with a filter by id; where the API answers without the user, a list by id follows. Replay class: idempotent.
func (s *UsersService) Update(ctx context.Context, id int64, update UserUpdate, opts ...CallOption) (*User, error) {
	if id <= 0 {
		return nil, invalid("user id", "%d is not positive", id)
	}
	if err := update.validate(); err != nil {
		return nil, err
	}
	body := writeByFilter{Filter: UserFilter{ID: id}, Fields: update}
	users, err := do[[]User](ctx, s.client, usersUpdate, args{body: body}, opts)
	switch {
	case err != nil:
		return nil, err
	case users == nil:
		// {"status":200,"body":null} says neither what was changed nor whether there was anything to change.
		return readChanged(usersUpdate, func() (*User, error) { return s.Get(ctx, id, opts...) })
	}
	return withID(usersUpdate, users, id, func(u *User) int64 { return u.ID })
}

// UpdateMatching changes every user that matches filter, at most 1000 in one call, and returns them as they are afterwards. Some answers are
// empty although users were changed. filter must name an ID, UUID, Username or Email; its ClientIDs are by default the tenant that the
// client works for. Where the answer to an attempt was lost and its repeat finds nothing that matches, such as users that were moved to another
// tenant, the error is [ErrOutcomeUnknown].
//
// POST /v1/objects/user/update. Replay class: idempotent.
func (s *UsersService) UpdateMatching(ctx context.Context, filter UserFilter, update UserUpdate, opts ...CallOption) ([]User, error) {
	if err := filter.validateWrite(); err != nil {
		return nil, err
	}
	if err := update.validate(); err != nil {
		return nil, err
	}
	f, err := filter.prepared(ctx, s.client, opts)
	if err != nil {
		return nil, err
	}
	return changeMatching[User](ctx, s.client, usersUpdate, args{body: writeByFilter{Filter: f, Fields: update, Limit: mostTouched}}, opts)
}

// Enable lets a disabled user in again.
//
// POST /v1/objects/user/update. Replay class: idempotent.
func (s *UsersService) Enable(ctx context.Context, id int64, opts ...CallOption) (*User, error) {
	return s.Update(ctx, id, UserUpdate{Enabled: Set(true)}, opts...)
}

// Disable locks a user out. The user's API tokens are disabled with the user, and the API deletes disabled tokens after a week.
//
// POST /v1/objects/user/update. Replay class: idempotent.
func (s *UsersService) Disable(ctx context.Context, id int64, opts ...CallOption) (*User, error) {
	return s.Update(ctx, id, UserUpdate{Enabled: Set(false)}, opts...)
}

// Delete deletes a user. One that is not there counts as deleted.
//
// POST /v1/objects/user/delete with a filter by id. Replay class: idempotent.
func (s *UsersService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	if id <= 0 {
		return invalid("user id", "%d is not positive", id)
	}
	return remove(ctx, s.client, usersDelete, args{body: writeByFilter{Filter: UserFilter{ID: id}}}, opts)
}

// DeleteMatching deletes every user that matches filter, at most 1000 in one call, and returns their ids. Some answers are empty although users were
// deleted, and if a call was repeated, the ids of those that a try deleted whose answer was lost are missing. filter must name an ID, UUID, Username
// or Email; its ClientIDs are by default the tenant that the client works for.
//
// POST /v1/objects/user/delete. Replay class: idempotent.
func (s *UsersService) DeleteMatching(ctx context.Context, filter UserFilter, opts ...CallOption) ([]int64, error) {
	if err := filter.validateWrite(); err != nil {
		return nil, err
	}
	f, err := filter.prepared(ctx, s.client, opts)
	if err != nil {
		return nil, err
	}
	return do[[]int64](ctx, s.client, usersDelete, args{body: writeByFilter{Filter: f, Limit: mostTouched}}, opts)
}

// NewInvitation is an invitation to make.
type NewInvitation struct {
	// TTL is how long the invitation lives; required. The unit is not documented: seconds, by analogy with the other durations of this API.
	TTL int64 `json:"ttl"`
	// Role is required: the one that the invited person gets.
	Role Role `json:"-"`
	// ClientID is the tenant; 0 is the one that the client works for.
	ClientID int64 `json:"client_id"`
	// Limit is not explained, presumably how many people may use the invitation. 0 leaves it to the API.
	Limit int64 `json:"limit,omitzero"`
	// Email is the address of the invited person; without one the invitation is for whoever has it.
	Email string `json:"email,omitzero"`
	// GroupIDs are tenant groups, see [ClientsService.ListGroups].
	GroupIDs []int64 `json:"group_ids,omitzero"`
	// AutoGroup makes a tenant group for the invited person, if it is not nil.
	AutoGroup *AutoGroup `json:"auto_group,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// AutoGroup is a tenant group that comes into being with an invitation.
type AutoGroup struct {
	// Roles is required.
	Roles     []Role  `json:"roles"`
	ClientIDs []int64 `json:"client_ids,omitzero"`
	Extra     Extra   `json:",embed"`
}

// MarshalJSONTo writes the role as the list that the API wants.
func (i NewInvitation) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain NewInvitation
	return wire.MarshalEncode(e, struct {
		plain
		Permissions []Role `json:"permissions"`
	}{plain(i), []Role{i.Role}})
}

// Invitation is what [UsersService.Invite] returns.
type Invitation struct {
	// Invitation lets its bearer sign up.
	Invitation Secret `json:"invitation"`
	Extra      Extra  `json:",embed"`
}

// MarshalJSON writes the invitation: the members with a value, and all that no field is for; the secret stays hidden.
func (i Invitation) MarshalJSON() ([]byte, error) {
	type plain Invitation
	return wire.MarshalEcho(plain(i))
}

// UnmarshalJSON reads an invitation and keeps unknown members.
func (i *Invitation) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, i) }

// UnmarshalJSONFrom reads an invitation and keeps unknown members.
func (i *Invitation) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Invitation
	return wire.UnmarshalDecode(d, (*plain)(i))
}

// Invite makes an invitation. Each call makes another one.
//
// POST /v2/user/invitation, not documented by the vendor. Replay class: once.
func (s *UsersService) Invite(ctx context.Context, invitation NewInvitation, opts ...CallOption) (*Invitation, error) {
	switch {
	case invitation.TTL <= 0:
		return nil, invalid("ttl", "%d is not positive", invitation.TTL)
	case invitation.Role == "":
		return nil, invalid("role", "it is empty")
	case invitation.Limit < 0:
		return nil, invalid("limit", "%d is negative", invitation.Limit)
	case invitation.ClientID < 0:
		return nil, invalid("client id", "%d is negative", invitation.ClientID)
	case invitation.AutoGroup != nil && len(invitation.AutoGroup.Roles) == 0:
		return nil, invalid("auto group", "it has no roles")
	}
	if invitation.ClientID == 0 {
		var err error
		if invitation.ClientID, err = s.client.ClientID(ctx, opts...); err != nil {
			return nil, err
		}
	}
	made, err := get[Invitation](ctx, s.client, usersInvite, args{body: invitation}, opts)
	if err == nil && made.Invitation.IsZero() {
		return nil, lostAnswer(usersInvite, "the answer holds no invitation")
	}
	return made, err
}

// ResetSecret makes a new secret for the legacy credentials of any user. password is the caller's own; a wrong one meets [ErrValidation]. The
// former secret dies at once, and the new one is shown only in this answer: after [ErrOutcomeUnknown] the former secret may be dead.
//
// POST /v2/user/{user_id}/secret-reset, not documented by the vendor. Replay class: once.
func (s *UsersService) ResetSecret(ctx context.Context, id int64, password Secret, opts ...CallOption) (*NewSecret, error) {
	if password.IsZero() {
		return nil, invalid("password", "it is empty")
	}
	body := struct {
		Password Secret `json:"password"`
	}{password}
	return s.newSecret(ctx, usersResetSecret, args{path: []any{id}, body: body}, opts)
}
