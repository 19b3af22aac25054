package wallarm

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	clientsList        = operation{"clients.list", "POST", "/v1/objects/client", read, inBody}
	clientsListByQuery = operation{"clients.list_by_query", "GET", "/v1/objects/client", read, inBody}
	clientsCreate      = operation{"clients.create", "POST", "/v1/objects/client/create", once, inBody}
	clientsUpdate      = operation{"clients.update", "POST", "/v1/objects/client/update", idempotent, inBody}
	clientsDelete      = operation{"clients.delete", "POST", "/v1/objects/client/delete", idempotent, noAnswer}
)

// ClientsService manages clients: accounts, and the tenants of a main account. All but reading one's own account needs the role Global
// Administrator.
type ClientsService service

// Tenant is a client of the service: an account, or a tenant below a main account. The main account itself is one too.
type Tenant struct {
	// ID is the client id of all other calls.
	ID int64 `json:"id"`
	// UUID stands in the configuration of nodes that serve several tenants.
	UUID      string `json:"uuid"`
	Name      string `json:"name"`
	Enabled   bool   `json:"enabled"`
	Validated bool   `json:"validated"`
	// Components are the products of the account, such as waf.
	Components []string `json:"components,omitzero"`
	// PartnerID and PartnerUUID name the partner that the account belongs to; the UUID is what [NewTenant] needs.
	PartnerID   int64  `json:"partnerid,omitzero"`
	PartnerUUID string `json:"partner_uuid,omitempty"`
	// IsTechnical marks the main account of a partner.
	IsTechnical bool      `json:"is_technical"`
	CreatedAt   Timestamp `json:"create_at"`
	// Language is en or ru; DateFormat is ddmmyy, mmddyy or yymmdd.
	Language   string `json:"language,omitempty"`
	DateFormat string `json:"date_format,omitempty"`
	// SupportPlan is trial, level1, level2, level3, free, vip or opportunity.
	SupportPlan string `json:"support_plan,omitempty"`
	// BlockingType is incidents or aggressive.
	BlockingType string `json:"blocking_type,omitempty"`
	// AttackRecheckerMode and VulnRecheckerMode are on or off.
	AttackRecheckerMode string `json:"attack_rechecker_mode,omitempty"`
	VulnRecheckerMode   string `json:"vuln_rechecker_mode,omitempty"`
	// Notifications says by topic which channels get which messages. It has another form than that of a [User].
	Notifications map[string]TenantChannels `json:"notifications,omitzero"`

	// What follows is not documented by the vendor.

	// AuthMode is default, legacy_strict_sso or ldap.
	AuthMode            string `json:"auth_mode,omitempty"`
	StrictSSOEnabled    bool   `json:"strict_sso_enabled"`
	APIDiscoveryEnabled bool   `json:"api_discovery_enabled"`
	IAMTenant           bool   `json:"iam_tenant"`
	// EntireSessionTTL and InactiveSessionTTL bound a session of the Console; nil if unknown.
	EntireSessionTTL   *int64 `json:"entire_session_ttl,omitzero"`
	InactiveSessionTTL *int64 `json:"inactive_session_ttl,omitzero"`
	// MonthlyRequestsQuota and the two counters are nil if unknown.
	MonthlyRequestsQuota   *int64 `json:"monthly_requests_quota,omitzero"`
	RequestsThisMonth      *int64 `json:"current_month_requests_count,omitzero"`
	AverageMonthlyRequests *int64 `json:"montly_average_requests_count,omitzero"` // spelled like this on the wire
	// PrimaryClientID is 0 if there is none.
	PrimaryClientID         int64     `json:"primary_clientid,omitzero"`
	PartnerScheme           bool      `json:"partner_scheme"`
	BotManagementEnabled    bool      `json:"bot_management_enabled"`
	AppStructureEnabled     bool      `json:"appstructure_enabled"`
	CDNNodesEnabled         bool      `json:"cdn_nodes_enabled"`
	DefaultAttackIPGrouping bool      `json:"default_attack_ip_grouping"`
	DefaultVectorAttack     bool      `json:"default_vector_attack"`
	BlacklistHints          bool      `json:"blacklist_hints"`
	CanEnableBlacklist      bool      `json:"can_enable_blacklist"`
	BlacklistDisabledAt     Timestamp `json:"blacklist_disabled_at,omitzero"`
	HiddenVulns             bool      `json:"hidden_vulns"`
	// GroupsMode is default or iam.
	GroupsMode string `json:"groups_mode,omitempty"`
	// MarkFalseMode is default, appstructure_v1 or default_and_instance.
	MarkFalseMode        string               `json:"mark_false_mode,omitempty"`
	Comment              string               `json:"comment,omitempty"`
	Features             []TenantFeature      `json:"current_features,omitzero"`
	Subscriptions        []TenantSubscription `json:"current_subscriptions,omitzero"`
	SubscriptionsHistory []TenantSubscription `json:"subscriptions_history,omitzero"`
	// Flags are not explained.
	Flags []RawJSON `json:"flags,omitzero"`

	// What follows belongs to withdrawn functions.

	Mode                string       `json:"mode,omitempty"`
	VulnPrefix          string       `json:"vuln_prefix,omitempty"`
	ScannerMode         string       `json:"scanner_mode,omitempty"`
	ScannerCluster      string       `json:"scanner_cluster,omitempty"`
	ScannerScopeCluster string       `json:"scanner_scope_cluster,omitempty"`
	ScannerPriority     string       `json:"scanner_priority,omitempty"`
	ScannerState        ScannerState `json:"scanner_state,omitzero"`
	LastScan            Timestamp    `json:"last_scan,omitzero"`
	QratorBlacklists    bool         `json:"qrator_blacklists"`
	QratorMode          string       `json:"qrator_mode,omitempty"`
	QratorIDs           []int64      `json:"qratorids,omitzero"`
	NGENIXIDs           []int64      `json:"ngenixids,omitzero"`

	Extra Extra `json:",embed"`
}

// TenantChannels are the targets of a kind of message. What the elements look like is not described.
type TenantChannels struct {
	Email     []RawJSON `json:"email,omitzero"`
	Telegram  []RawJSON `json:"telegram,omitzero"`
	Slack     []RawJSON `json:"slack,omitzero"`
	Splunk    []RawJSON `json:"splunk,omitzero"`
	PagerDuty []RawJSON `json:"pager_duty,omitzero"`
	Extra     Extra     `json:",embed"`
}

// TenantFeature is a function that an account has.
type TenantFeature struct {
	Slug     string           `json:"slug"`
	Settings []FeatureSetting `json:"settings,omitzero"`
	Extra    Extra            `json:",embed"`
}

// FeatureSetting is a setting of a function; its value may be anything.
type FeatureSetting struct {
	Name  string  `json:"name"`
	Value RawJSON `json:"value"`
	Extra Extra   `json:",embed"`
}

// TenantSubscription is a subscription as it stands in a [Tenant]. [ClientsService.ListSubscriptions] tells more.
type TenantSubscription struct {
	ID       int64  `json:"id"`
	PlanSlug string `json:"plan_slug"`
	// DayTo is the last day.
	DayTo Timestamp `json:"day_to,omitzero"`
	// Type is paid or trial.
	Type         string `json:"subscription_type,omitempty"`
	PlanPriority int64  `json:"plan_priority"`
	WithLimits   bool   `json:"with_limits"`
	Extra        Extra  `json:",embed"`
}

// ScannerState says when the withdrawn scanner last did what. Sources disagree whether these are numbers or texts, so they are texts here, of which
// those in digits travel as numbers, and whether the whole is an object or a text.
type ScannerState struct {
	LastScan      string `json:"last_scan,omitempty"`
	LastVuln      string `json:"last_vuln,omitempty"`
	LastVulnCheck string `json:"last_vuln_check,omitempty"`
	LastWAPI      string `json:"last_wapi,omitempty"`
	// Text is the state if it came as a mere text; the other fields are empty then.
	Text  string `json:"-"`
	Extra Extra  `json:",embed"`
}

// MarshalJSONTo writes the form that was received.
func (s ScannerState) MarshalJSONTo(e *jsontext.Encoder) error {
	if s.Text != "" {
		return e.WriteToken(jsontext.String(s.Text))
	}
	return wire.MarshalEncode(e, struct {
		LastScan      digits `json:"last_scan,omitempty"`
		LastVuln      digits `json:"last_vuln,omitempty"`
		LastVulnCheck digits `json:"last_vuln_check,omitempty"`
		LastWAPI      digits `json:"last_wapi,omitempty"`
		Extra         Extra  `json:",embed"`
	}{digits(s.LastScan), digits(s.LastVuln), digits(s.LastVulnCheck), digits(s.LastWAPI), s.Extra})
}

// digits is a text that travels as a number if it is a whole one.
type digits string

func (d digits) MarshalJSONTo(e *jsontext.Encoder) error {
	if n, err := strconv.ParseInt(string(d), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(d) {
		return e.WriteToken(jsontext.Int(n))
	}
	return e.WriteToken(jsontext.String(string(d)))
}

// UnmarshalJSONFrom reads an object or a text.
func (s *ScannerState) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		return wire.UnmarshalDecode(d, &s.Text)
	}
	type plain ScannerState
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// MarshalJSON writes the tenant: the members with a value, and all that no field is for.
func (t Tenant) MarshalJSON() ([]byte, error) {
	type plain Tenant
	return wire.MarshalEcho(plain(t))
}

// UnmarshalJSON reads a tenant and keeps unknown members.
func (t *Tenant) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, t) }

// UnmarshalJSONFrom reads a tenant and keeps unknown members.
func (t *Tenant) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Tenant
	return wire.UnmarshalDecode(d, (*plain)(t))
}

// TenantFilter selects tenants. A zero field is no condition; conditions on different fields must all hold.
type TenantFilter struct {
	IDs     []int64   `json:"-"`
	Enabled Opt[bool] `json:"enabled,omitzero"`
	// Name is compared as a whole.
	Name string `json:"name,omitzero"`
	UUID string `json:"uuid,omitzero"`
	// ScannerMode, QratorBlacklists and LastScan belong to withdrawn functions and are not documented by the vendor.
	ScannerMode      string    `json:"scanner_mode,omitzero"`
	QratorBlacklists Opt[bool] `json:"qrator_blacklists,omitzero"`
	LastScan         Timestamp `json:"last_scan,omitzero"`
	// Not holds conditions that must not hold: each of its fields travels under its name with a leading "!".
	Not *TenantFilter `json:"-"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object; one id travels as a number, several as a list.
func (f TenantFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	if f.Not == nil {
		return wire.WriteFilter(e, f.encoded(), nil)
	}
	return wire.WriteFilter(e, f.encoded(), f.Not.encoded())
}

func (f TenantFilter) encoded() any {
	type plain TenantFilter
	return struct {
		plain
		IDs oneOrMany[int64] `json:"id,omitzero"`
	}{plain(f), f.IDs}
}

func (f *TenantFilter) validate() error {
	for _, id := range f.IDs {
		if id <= 0 {
			return invalid("filter.id", "%d is not positive", id)
		}
	}
	switch {
	case f.Not == nil:
		return nil
	case f.Not.Not != nil:
		return invalid("filter", "Not within Not")
	}
	return f.Not.validate()
}

func tenantKey(t *Tenant) string { return idText(t.ID) }

func (s *ClientsService) list(filter TenantFilter, opts []CallOption) *lister[Tenant] {
	return &lister[Tenant]{
		client: s.client, op: clientsList, paging: byOffset, usual: 100, most: 1000, id: tenantKey, opts: opts,
		request: func(_ context.Context, page PageOptions, _ time.Time) (args, error) {
			return args{body: offsetBody(filter, page, "id", false)}, filter.validate()
		},
	}
}

// List returns one page of the tenants that match filter and that the caller may see, its own account included, by ascending id unless page
// says otherwise. page takes Limit (default 100, at most 1000), Offset, Order and OrderBy: id or name.
//
// POST /v1/objects/client. Replay class: read.
func (s *ClientsService) List(ctx context.Context, filter TenantFilter, page PageOptions, opts ...CallOption) (*Page[Tenant], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the tenants that match filter, by ascending id.
//
// POST /v1/objects/client. Replay class: read.
func (s *ClientsService) All(ctx context.Context, filter TenantFilter, opts ...CallOption) iter.Seq2[Tenant, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *ClientsService) Pages(ctx context.Context, filter TenantFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Tenant], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// TenantQuery selects tenants on the route that takes a query. A zero field is no condition.
type TenantQuery struct {
	ID      int64
	Enabled Opt[bool]
	// Name is compared as a whole.
	Name string
	UUID string
}

func (q TenantQuery) values() (url.Values, error) {
	if err := validateQueryFilter(q); err != nil {
		return nil, err
	}
	v := url.Values{}
	if q.ID < 0 {
		return nil, invalid("query.id", "%d is negative", q.ID)
	}
	if q.ID > 0 {
		v.Set("filter[id]", strconv.FormatInt(q.ID, 10))
	}
	if enabled, ok := q.Enabled.Get(); ok {
		v.Set("filter[enabled]", strconv.FormatBool(enabled))
	}
	if q.Name != "" {
		v.Set("filter[name]", q.Name)
	}
	if q.UUID != "" {
		v.Set("filter[uuid]", q.UUID)
	}
	return v, nil
}

func (s *ClientsService) queryList(q TenantQuery, opts []CallOption) *lister[Tenant] {
	return &lister[Tenant]{
		client: s.client, op: clientsListByQuery, paging: byOffset, usual: 100, most: 1000, id: tenantKey, opts: opts,
		request: func(_ context.Context, page PageOptions, _ time.Time) (args, error) {
			v, err := q.values()
			if err != nil {
				return args{}, err
			}
			return args{query: addPage(v, page, "", false)}, nil
		},
	}
}

// ListByQuery is [ClientsService.List] in the form that the vendor's own clients use. It knows fewer conditions, and the order is the API's own
// unless page names a column.
//
// GET /v1/objects/client. Replay class: read.
func (s *ClientsService) ListByQuery(ctx context.Context, q TenantQuery, page PageOptions, opts ...CallOption) (*Page[Tenant], error) {
	return s.queryList(q, opts).page(ctx, page)
}

// AllByQuery iterates over the tenants that match q.
//
// GET /v1/objects/client. Replay class: read.
func (s *ClientsService) AllByQuery(ctx context.Context, q TenantQuery, opts ...CallOption) iter.Seq2[Tenant, error] {
	return s.queryList(q, opts).all(ctx, PageOptions{})
}

// PagesByQuery is AllByQuery by pages, from start on.
func (s *ClientsService) PagesByQuery(ctx context.Context, q TenantQuery, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Tenant], error] {
	return s.queryList(q, opts).pages(ctx, start)
}

// Get returns a tenant by id, or [ErrNotFound]. The API has no route for one tenant, so this is a list of one.
//
// POST /v1/objects/client. Replay class: read.
func (s *ClientsService) Get(ctx context.Context, id int64, opts ...CallOption) (*Tenant, error) {
	if id <= 0 {
		return nil, invalid("client id", "%d is not positive", id)
	}
	body := offsetBody(TenantFilter{IDs: []int64{id}}, PageOptions{Limit: 1}, "id", false)
	tenants, err := do[[]Tenant](ctx, s.client, clientsList, args{body: body}, opts)
	if err != nil {
		return nil, err
	}
	return withID(clientsList, tenants, id, func(t *Tenant) int64 { return t.ID })
}

// Own returns the account that the client works for, see [Client.ClientID]. Its PartnerUUID is what creating a tenant needs.
//
// POST /v1/objects/client. Replay class: read.
func (s *ClientsService) Own(ctx context.Context, opts ...CallOption) (*Tenant, error) {
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, id, opts...)
}

// NewTenant is a tenant to create.
type NewTenant struct {
	// Name is required.
	Name string `json:"name"`
	// PartnerUUID is required: that of the main account, see [ClientsService.Own].
	PartnerUUID string `json:"partner_uuid"`
	// What follows is not documented by the vendor for this route. Zero leaves it to the API.
	Language         string                    `json:"language,omitzero"`
	Notifications    map[string]TenantChannels `json:"notifications,omitzero"`
	BlockingType     string                    `json:"blocking_type,omitzero"`
	QratorBlacklists Opt[bool]                 `json:"qrator_blacklists,omitzero"`
	BlacklistHints   Opt[bool]                 `json:"blacklist_hints,omitzero"`
	PartnerScheme    Opt[bool]                 `json:"partner_scheme,omitzero"`
	ScannerMode      string                    `json:"scanner_mode,omitzero"`
	PrimaryClientID  int64                     `json:"primary_clientid,omitzero"`
	// Extra holds members that have no field here, by their wire names. Leave vuln_prefix out, whatever the vendor's documentation says: the
	// API refuses it.
	Extra Extra `json:",embed"`
}

// Create makes a tenant. One that exists already meets [ErrAlreadyExists], but by which member the API tells is not known: after
// [ErrOutcomeUnknown], look with a [TenantFilter] by Name before you repeat it.
//
// POST /v1/objects/client/create. Replay class: once.
func (s *ClientsService) Create(ctx context.Context, tenant NewTenant, opts ...CallOption) (*Tenant, error) {
	switch {
	case strings.TrimSpace(tenant.Name) == "":
		return nil, invalid("name", "it is empty")
	case tenant.PartnerUUID == "":
		return nil, invalid("partner uuid", "it is empty: read that of the main account with Clients.Own")
	}
	return get[Tenant](ctx, s.client, clientsCreate, args{body: tenant}, opts)
}

// TenantUpdate is a change of tenants. Absent fields stay as they are.
type TenantUpdate struct {
	Name    Opt[string] `json:"name,omitzero"`
	Enabled Opt[bool]   `json:"enabled,omitzero"`
	// AttackRecheckerMode is on or off.
	AttackRecheckerMode Opt[string] `json:"attack_rechecker_mode,omitzero"`
	// What follows is not documented by the vendor.
	Language         Opt[string]                    `json:"language,omitzero"`
	Notifications    Opt[map[string]TenantChannels] `json:"notifications,omitzero"`
	BlockingType     Opt[string]                    `json:"blocking_type,omitzero"`
	QratorBlacklists Opt[bool]                      `json:"qrator_blacklists,omitzero"`
	BlacklistHints   Opt[bool]                      `json:"blacklist_hints,omitzero"`
	PartnerScheme    Opt[bool]                      `json:"partner_scheme,omitzero"`
	ScannerMode      Opt[string]                    `json:"scanner_mode,omitzero"`
	ScannerState     Opt[ScannerState]              `json:"scanner_state,omitzero"`
	PrimaryClientID  Opt[int64]                     `json:"primary_clientid,omitzero"`
	PartnerUUID      Opt[string]                    `json:"partner_uuid,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

func (u *TenantUpdate) validate() error {
	if name, ok := u.Name.Get(); u.Name.IsNull() || ok && strings.TrimSpace(name) == "" {
		return invalid("name", "it is empty")
	}
	if u.Enabled.IsNull() {
		return invalid("enabled", "it cannot be null")
	}
	return checkChanges(u)
}

// Update changes one tenant and returns it as it is afterwards. An id that no tenant has meets [ErrNotFound]. If the
// answer names no tenant, or the list that may follow fails or lacks the tenant, the error matches [ErrOutcomeUnknown] too, see [UsersService.Update].
//
// POST /v1/objects/client/update with a filter by id; where the API answers without the tenant, a list by id follows. Replay class: idempotent.
func (s *ClientsService) Update(ctx context.Context, id int64, update TenantUpdate, opts ...CallOption) (*Tenant, error) {
	if id <= 0 {
		return nil, invalid("client id", "%d is not positive", id)
	}
	if err := update.validate(); err != nil {
		return nil, err
	}
	body := writeByFilter{Filter: TenantFilter{IDs: []int64{id}}, Fields: update}
	tenants, err := do[[]Tenant](ctx, s.client, clientsUpdate, args{body: body}, opts)
	switch {
	case err != nil:
		return nil, err
	case tenants == nil:
		return readChanged(clientsUpdate, func() (*Tenant, error) { return s.Get(ctx, id, opts...) })
	}
	return withID(clientsUpdate, tenants, id, func(t *Tenant) int64 { return t.ID })
}

// UpdateMatching changes every tenant that matches filter, at most 1000 in one call, and returns them as they are afterwards. filter must
// name IDs, a Name or a UUID. Where the answer to an attempt was lost and its repeat finds nothing that matches, such as a name that was changed, the
// error is [ErrOutcomeUnknown].
//
// POST /v1/objects/client/update. Replay class: idempotent.
func (s *ClientsService) UpdateMatching(ctx context.Context, filter TenantFilter, update TenantUpdate, opts ...CallOption) ([]Tenant, error) {
	if err := filter.validate(); err != nil {
		return nil, err
	}
	// A server may take a blank text, or a member of Extra that it does not know or that is null, for no condition.
	if len(filter.IDs) == 0 && strings.TrimSpace(filter.Name+filter.UUID) == "" {
		return nil, invalid("filter", "it would match every tenant: give IDs, Name or UUID")
	}
	if err := update.validate(); err != nil {
		return nil, err
	}
	return changeMatching[Tenant](ctx, s.client, clientsUpdate, args{body: writeByFilter{Filter: filter, Fields: update, Limit: mostTouched}}, opts)
}

// Enable switches a disabled tenant on again.
//
// POST /v1/objects/client/update. Replay class: idempotent.
func (s *ClientsService) Enable(ctx context.Context, id int64, opts ...CallOption) (*Tenant, error) {
	return s.Update(ctx, id, TenantUpdate{Enabled: Set(true)}, opts...)
}

// Disable switches a tenant off: its users lose access to the Console, and its nodes stop processing traffic.
//
// POST /v1/objects/client/update. Replay class: idempotent.
func (s *ClientsService) Disable(ctx context.Context, id int64, opts ...CallOption) (*Tenant, error) {
	return s.Update(ctx, id, TenantUpdate{Enabled: Set(false)}, opts...)
}

// Confirmation is what [ClientsService.Delete] wants to see before it deletes a tenant for good: [ConfirmName] or [ConfirmID].
type Confirmation interface {
	confirm(ctx context.Context, s *ClientsService, id int64, opts []CallOption) error
}

// ConfirmName is the name of the tenant to delete. The tenant is read first, and kept if it has another name.
type ConfirmName string

// ConfirmID repeats the id of the tenant to delete, for programs that know an id and no name.
type ConfirmID int64

func (c ConfirmName) confirm(ctx context.Context, s *ClientsService, id int64, opts []CallOption) error {
	if c == "" {
		return invalid("confirmation", "it is empty")
	}
	tenant, err := s.Get(ctx, id, withoutCapture(opts)...)
	if err != nil {
		return err
	}
	if tenant.Name != string(c) {
		return invalid("confirmation", "client %d is not called %q", id, clip(string(c)))
	}
	return nil
}

func (c ConfirmID) confirm(_ context.Context, _ *ClientsService, id int64, _ []CallOption) error {
	if int64(c) != id {
		return invalid("confirmation", "it is for client %d, not for %d", int64(c), id)
	}
	return nil
}

// Delete deletes a tenant with all it has, for good. confirm says again, in another way, which one is meant; without a confirmation that fits,
// nothing is deleted. A tenant that is not there counts as deleted. Consider [ClientsService.Disable] first.
//
// POST /v1/objects/client/delete with a filter by id. Replay class: idempotent.
func (s *ClientsService) Delete(ctx context.Context, id int64, confirm Confirmation, opts ...CallOption) error {
	switch {
	case id <= 0:
		return invalid("client id", "%d is not positive", id)
	case confirm == nil:
		return invalid("confirmation", "deleting a client is for good: give ConfirmName or ConfirmID")
	}
	if err := confirm.confirm(ctx, s, id, opts); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	return remove(ctx, s.client, clientsDelete, args{body: writeByFilter{Filter: TenantFilter{IDs: []int64{id}}}}, opts)
}
