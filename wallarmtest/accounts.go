package wallarmtest

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// The client, the users and the credentials that every cloud starts with.
// They are as fake as they look.
const (
	// DefaultClientID is the client of the default tokens.
	DefaultClientID int64 = 4711
	// OtherClientID is a client that has nothing to do with the default one.
	OtherClientID int64 = 5150
	// TenantClientID is a tenant below the default client: global roles of the
	// default client see it.
	TenantClientID int64 = 4712

	// AdminToken has the role admin in the default client.
	AdminToken = "test-token-admin"
	// ExtendedToken has the role admin_ext in the default client.
	ExtendedToken = "test-token-admin-ext"
	// AnalystToken has the role analytic in the default client.
	AnalystToken = "test-token-analyst"
	// AuditorToken has the role auditor (read only) in the default client.
	AuditorToken = "test-token-auditor"
	// DeployToken has the role deploy in the default client.
	DeployToken = "test-token-deploy"
	// PartnerToken has the role partner_admin in the default client.
	PartnerToken = "test-token-partner"
	// OtherToken has the role admin in the other client.
	OtherToken = "test-token-other"
	// DisabledToken is known but disabled.
	DisabledToken = "test-token-disabled"

	// LegacyUUID and LegacySecret are the legacy credentials of the
	// administrator of the default client.
	LegacyUUID   = "00000000-0000-4000-8000-000000070001"
	LegacySecret = "test-secret-admin"
)

// Client is an account to add.
type Client struct {
	// ID is chosen by the cloud when it is 0.
	ID   int64
	Name string
	// Parent is the main account of a tenant, 0 without one.
	Parent int64
}

// User is a user to add.
type User struct {
	// ID is chosen by the cloud when it is 0.
	ID int64
	// ClientID is the default client when it is 0.
	ClientID        int64
	Email, Realname string
	// Permissions are role names; admin when there are none.
	Permissions []string
	// UUID is made up when it is empty.
	UUID string
	// Secret makes the legacy pair of the UUID and this secret valid.
	Secret string
}

// Token is an API token to make valid.
type Token struct {
	// Value is what travels in the header.
	Value string
	// ClientID is the default client when it is 0.
	ClientID int64
	// UserID is the owner. When it is 0, the first user of the client is.
	UserID int64
	// Permissions are role names; those of the owner when there are none.
	Permissions []string
	Disabled    bool
	// Name is what the token is called; "token" when it is empty.
	Name string
	// Shared tokens are listed without an owner. Calls with them are still made
	// by the user.
	Shared bool
	// Expires is when the token becomes worthless; never when it is zero.
	Expires time.Time
}

// AddClient adds a client and returns its id.
func (c *Cloud) AddClient(client Client) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.insertClient(client).int("id")
}

// insertClient adds a client. The state lock is held exclusively.
func (c *Cloud) insertClient(client Client) *object {
	o := obj()
	if client.ID != 0 {
		o.set("id", client.ID)
	}
	o = c.clients.insert(o.merge(obj(
		"uuid", c.uuid(),
		"name", cmp.Or(client.Name, "Example client"),
		"enabled", true,
		"validated", true,
		"components", []any{"waf"},
		"create_at", c.Now().Unix(),
		"support_plan", "level1",
		"language", "en",
		"date_format", "ddmmyy",
		"blocking_type", "incidents",
		"attack_rechecker_mode", "off",
		"vuln_rechecker_mode", "off",
		"qrator_blacklists", false,
		"notifications", obj(),
		"last_scan", nil,
	)))
	id := o.int("id")
	if client.Parent != 0 {
		o = c.clients.update(o, obj("partnerid", client.Parent))
		c.linkTenant(client.Parent, id, nil)
	}
	c.subscribe(id)
	return o
}

// AddUser adds a user and returns its id.
func (c *Cloud) AddUser(user User) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.insertUser(user).int("id")
}

// insertUser adds a user. The state lock is held exclusively.
func (c *Cloud) insertUser(user User) *object {
	o := obj()
	if user.ID != 0 {
		o.set("id", user.ID)
	}
	clientID := cmp.Or(user.ClientID, DefaultClientID)
	permissions := user.Permissions
	if len(permissions) == 0 {
		permissions = []string{"admin"}
	}
	uuid := cmp.Or(user.UUID, c.uuid())
	o = c.users.insert(o.merge(obj(
		"uuid", uuid,
		"clientid", clientID,
		"permissions", anyList(permissions),
		"actual_permissions", []any{},
		"mfa_enabled", false,
		"create_by", nil,
		"create_at", c.Now().Unix(),
		"create_from", "192.0.2.10",
		"enabled", true,
		"validated", true,
		"username", user.Email,
		"realname", cmp.Or(user.Realname, "Example User"),
		"email", user.Email,
		"phone", nil,
		"password_changed", c.Now().Unix(),
		"login_history", []any{},
		"timezone", "UTC",
		"results_per_page", 25,
		"default_pool", "main",
		"default_poolid", nil,
		"last_read_news_id", nil,
		"search_templates", obj(),
		"notifications", obj(
			"report_daily", obj("email", false, "sms", false),
			"system", obj("email", true, "sms", false),
		),
		"components", []any{"waf"},
		"language", "en",
		"last_login_time", nil,
		"date_format", "ddmmyy",
		"time_format", "24h",
		"job_title", nil,
		"available_authentications", []any{"default"},
		"frontend_url", "https://my.example.com",
	)))
	if user.Secret != "" {
		c.addCredential(&credential{uuid: uuid, secret: user.Secret, userID: o.int("id"), clientID: clientID})
		c.addLegacyToken(o)
	}
	return o
}

// AddToken makes an API token valid. It takes the place of a token of the
// same value.
func (c *Cloud) AddToken(token Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clientID := cmp.Or(token.ClientID, DefaultClientID)
	userID := token.UserID
	if userID == 0 {
		owner := c.users.find(func(o *object) bool { return o.int("clientid") == clientID })
		userID = owner.int("id")
	}
	permissions := slices.Clone(token.Permissions)
	if len(permissions) == 0 {
		permissions = nil
	}
	cred := &credential{
		token: token.Value, userID: userID, clientID: clientID,
		permissions: permissions, disabled: token.Disabled, expires: token.Expires,
	}
	c.unlistToken(cred.token)
	c.addCredential(cred)
	c.listToken(token, cred)
}

func (c *Cloud) initAccounts() {
	c.clients = c.newTable("clients", "", 6001)
	c.users = c.newTable("users", "clientid", 70101)
	c.keep("credentials", c.saveCredentials, c.loadCredentials)
	keepMap(c, "parents", func() map[int64]int64 { return c.parents }, readInt)
	c.initAdmin()
}

func (c *Cloud) seedDefaults() {
	c.AddClient(Client{ID: DefaultClientID, Name: "Example Shop"})
	c.AddClient(Client{ID: OtherClientID, Name: "Example Bank"})
	c.AddClient(Client{ID: TenantClientID, Name: "Example Tenant", Parent: DefaultClientID})
	c.AddUser(User{
		ID: 70001, Email: "admin@example.com", Realname: "Ada Admin",
		UUID: LegacyUUID, Secret: LegacySecret,
	})
	c.AddUser(User{ID: 70002, ClientID: OtherClientID, Email: "admin@example.org", Realname: "Otto Other"})
	c.AddUser(User{ID: 70003, Email: "auditor@example.com", Realname: "Rita Reader", Permissions: []string{"auditor"}})
	c.AddUser(User{ID: 70004, Email: "analyst@example.com", Realname: "Anna Analyst", Permissions: []string{"analytic"}})
	for _, token := range [][2]string{
		{AdminToken, "admin"}, {ExtendedToken, "admin_ext"}, {AnalystToken, "analytic"}, {AuditorToken, "auditor"},
		{DeployToken, "deploy"}, {PartnerToken, "partner_admin"},
	} {
		c.AddToken(Token{Value: token[0], Permissions: token[1:], Name: "the " + token[1]})
	}
	c.AddToken(Token{Value: OtherToken, ClientID: OtherClientID, Permissions: []string{"admin"}, Name: "the other"})
	c.AddToken(Token{Value: DisabledToken, Disabled: true, Name: "the disabled"})
}

// uuid makes a version 4 uuid. The state lock is held.
func (c *Cloud) uuid() string {
	a, b := c.rng.Uint64(), c.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
		a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// hex makes n hexadecimal digits. The state lock is held.
func (c *Cloud) hex(n int) string {
	s := ""
	for len(s) < n {
		s += fmt.Sprintf("%016x", c.rng.Uint64())
	}
	return s[:n]
}
