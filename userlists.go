package wallarm

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	usersList   = operation{"users.list", "POST", "/v1/objects/user", read, inBody}
	usersSearch = operation{"users.search", "GET", "/v2/clients/{client_id}/users", read, inBody}
	usersCount  = operation{"users.count", "GET", "/v2/clients/{client_id}/users/count", read, inBody}
)

// UserFilter selects users. A zero field is no condition; conditions on different fields must all hold.
type UserFilter struct {
	ID int64 `json:"id,omitzero"`
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `json:"clientid,omitzero"`
	// UUID, Username and Email are compared as a whole.
	UUID     string `json:"uuid,omitzero"`
	Username string `json:"username,omitzero"`
	Email    string `json:"email,omitzero"`
	// Query is free text. This and the following fields are not documented by the vendor, and lists alone take them: updates and deletes do not.
	Query string `json:"query,omitzero"`
	// NotifiedDaily and the other four select by who gets which message. Their values are not explained; "email" is the only one seen.
	NotifiedDaily     []string `json:"notification_report_daily,omitzero"`
	NotifiedWeekly    []string `json:"notification_report_weekly,omitzero"`
	NotifiedMonthly   []string `json:"notification_report_monthly,omitzero"`
	NotifiedNewUsers  []string `json:"notification_create_user,omitzero"`
	NotifiedNewIssues []string `json:"notification_vuln,omitzero"`
	// Not holds conditions that must not hold: each of its fields travels under its name with a leading "!".
	Not *UserFilter `json:"-"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object.
func (f UserFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain UserFilter
	if f.Not == nil {
		return wire.WriteFilter(e, plain(f), nil)
	}
	return wire.WriteFilter(e, plain(f), plain(*f.Not))
}

func (f *UserFilter) validate() error {
	switch {
	case f.ID < 0:
		return invalid("filter.id", "%d is negative", f.ID)
	case f.Not == nil:
		return nil
	case f.Not.Not != nil:
		return invalid("filter", "Not within Not")
	}
	return f.Not.validate()
}

// validateWrite also refuses a filter that could match every user of a tenant, and conditions that only lists take.
func (f *UserFilter) validateWrite() error {
	if err := f.validate(); err != nil {
		return err
	}
	for _, part := range []*UserFilter{f, f.Not} {
		if part != nil && (part.Query != "" || part.NotifiedDaily != nil || part.NotifiedWeekly != nil || part.NotifiedMonthly != nil ||
			part.NotifiedNewUsers != nil || part.NotifiedNewIssues != nil) {
			return invalid("filter", "only lists select by Query and by notifications; list first, then write by id")
		}
	}
	// A server may take a blank text, or a member of Extra that it does not know or that is null, for no condition.
	if f.ID == 0 && strings.TrimSpace(f.UUID+f.Username+f.Email) == "" {
		return invalid("filter", "it would match every user: give ID, UUID, Username or Email")
	}
	return nil
}

// prepared fills in the client id.
func (f UserFilter) prepared(ctx context.Context, c *Client, opts []CallOption) (UserFilter, error) {
	var err error
	f.ClientIDs, err = c.clientIDs(ctx, f.ClientIDs, opts)
	return f, err
}

func userKey(u *User) string { return idText(u.ID) }

func (s *UsersService) list(filter UserFilter, opts []CallOption) *lister[User] {
	return &lister[User]{
		client: s.client, op: usersList, paging: byOffset, usual: 100, most: 1000, id: userKey, opts: opts,
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if err := filter.validate(); err != nil {
				return args{}, err
			}
			f, err := filter.prepared(ctx, s.client, opts)
			return args{body: offsetBody(f, page, "id", false)}, err
		},
	}
}

// List returns one page of the users that match filter, by ascending id unless page says otherwise. page takes Limit (default 100, at most
// 1000), Offset, Order and OrderBy: id, clientid, uuid, username, email or realname.
//
// POST /v1/objects/user. Replay class: read.
func (s *UsersService) List(ctx context.Context, filter UserFilter, page PageOptions, opts ...CallOption) (*Page[User], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the users that match filter, by ascending id.
//
// POST /v1/objects/user. Replay class: read.
func (s *UsersService) All(ctx context.Context, filter UserFilter, opts ...CallOption) iter.Seq2[User, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *UsersService) Pages(ctx context.Context, filter UserFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[User], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Get returns a user by id, or [ErrNotFound]. The API has no route for one user, so this is a list of one.
//
// POST /v1/objects/user. Replay class: read.
func (s *UsersService) Get(ctx context.Context, id int64, opts ...CallOption) (*User, error) {
	if id <= 0 {
		return nil, invalid("user id", "%d is not positive", id)
	}
	body := offsetBody(UserFilter{ID: id}, PageOptions{Limit: 1}, "id", false)
	users, err := do[[]User](ctx, s.client, usersList, args{body: body}, opts)
	if err != nil {
		return nil, err
	}
	return withID(usersList, users, id, func(u *User) int64 { return u.ID })
}

// UserQuery selects the users of one tenant on the newer routes.
type UserQuery struct {
	// Query is free text.
	Query string
	// Active selects the users who are enabled, or those who are not. Absent is both.
	Active Opt[bool]
}

func (q UserQuery) values() url.Values {
	v := url.Values{}
	if q.Query != "" {
		v.Set("query", q.Query)
	}
	if active, ok := q.Active.Get(); ok {
		v.Set("active", strconv.FormatBool(active))
	}
	return v
}

// addPage adds a page of an offset list to a query, ordered by the caller's choice or by column.
func addPage(v url.Values, page PageOptions, column string, descending bool) url.Values {
	v.Set("limit", strconv.Itoa(page.Limit))
	v.Set("offset", strconv.Itoa(page.Offset))
	if page.OrderBy != "" {
		column = page.OrderBy
	}
	if column != "" {
		v.Set("order_by", column)
		v.Set("order_desc", strconv.FormatBool(page.Order.desc(descending)))
	}
	return v
}

func (s *UsersService) searchList(q UserQuery, opts []CallOption) *lister[User] {
	return &lister[User]{
		client: s.client, op: usersSearch, paging: byOffset, usual: 100, most: 1000, id: userKey, opts: opts,
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if err := validateQueryFilter(q); err != nil {
				return args{}, err
			}
			client, err := s.client.ClientID(ctx, opts...)
			return args{path: []any{client}, query: addPage(q.values(), page, "id", false)}, err
		},
	}
}

// Search returns one page of the users of the tenant that match q, by ascending id unless page says otherwise. page takes Limit (default
// 100, at most 1000), Offset, OrderBy and Order.
//
// GET /v2/clients/{client_id}/users, not documented by the vendor. Replay class: read.
func (s *UsersService) Search(ctx context.Context, q UserQuery, page PageOptions, opts ...CallOption) (*Page[User], error) {
	return s.searchList(q, opts).page(ctx, page)
}

// SearchAll iterates over the users of the tenant that match q, by ascending id.
//
// GET /v2/clients/{client_id}/users, not documented by the vendor. Replay class: read.
func (s *UsersService) SearchAll(ctx context.Context, q UserQuery, opts ...CallOption) iter.Seq2[User, error] {
	return s.searchList(q, opts).all(ctx, PageOptions{})
}

// SearchPages is SearchAll by pages, from start on.
func (s *UsersService) SearchPages(ctx context.Context, q UserQuery, start PageOptions, opts ...CallOption) iter.Seq2[*Page[User], error] {
	return s.searchList(q, opts).pages(ctx, start)
}

// UserCounts are the numbers of users of a tenant.
type UserCounts struct {
	Active   int64 `json:"active"`
	Inactive int64 `json:"inactive"`
	Total    int64 `json:"total"`
	Extra    Extra `json:",embed"`
}

// MarshalJSON writes the counts: the members with a value, and all that no field is for.
func (c UserCounts) MarshalJSON() ([]byte, error) {
	type plain UserCounts
	return wire.MarshalEcho(plain(c))
}

// UnmarshalJSON reads counts and keeps unknown members.
func (c *UserCounts) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads counts and keeps unknown members.
func (c *UserCounts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain UserCounts
	return wire.UnmarshalDecode(d, (*plain)(c))
}

// Count counts the users of the tenant that match q.
//
// GET /v2/clients/{client_id}/users/count, not documented by the vendor. Replay class: read.
func (s *UsersService) Count(ctx context.Context, q UserQuery, opts ...CallOption) (*UserCounts, error) {
	if err := validateQueryFilter(q); err != nil {
		return nil, err
	}
	client, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[UserCounts](ctx, s.client, usersCount, args{path: []any{client}, query: q.values()}, opts)
}
