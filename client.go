// Package wallarm is a client for the API of Wallarm, the web application and API security platform. It is a community SDK,
// not affiliated with Wallarm Inc.
//
// A [Client] is made of a [Region] and an [Authenticator] and has one service for each resource:
//
//	client, err := wallarm.New(wallarm.US, wallarm.Token(os.Getenv("WALLARM_API_TOKEN")))
//	…
//	for attack, err := range client.Attacks.All(ctx, wallarm.AttackFilter{Time: wallarm.Last(24 * time.Hour)}) {
//		…
//	}
//
// # Calls
//
// Every method takes a context first and call options last, and returns a value and an error. List returns one page, All
// iterates over everything, Get, Create, Update and Delete do what they say. A zero filter field is no condition.
//
// # Errors
//
// An answer that says no is an [*APIError]; a call without a usable answer is a [*CallError]; refused arguments are an [*ArgumentError], and
// then nothing was done. Tell them apart with [errors.Is] and the kinds beside [ErrNotFound].
//
// # Retries
//
// Each operation has a replay class. A read is repeated after any passing failure, and so is an idempotent change. A create
// or another side effect is repeated only if the server provably did nothing: no connection came about, the rules were locked
// (423), too many requests came (429), or an HTTP/2 server said that it had not processed the request (REFUSED_STREAM, or GOAWAY with an earlier
// last stream; only of a request with a body, sent by an [http.Transport] on a connection that an earlier answer has shown to be HTTP/2). Otherwise it
// fails with [ErrOutcomeUnknown], so that the caller can look before repeating it. Waits have full jitter, obey Retry-After up to a cap, and end with the
// context.
//
// # Data
//
// Nothing that the API sends is lost: response types keep unknown members in their field Extra and write them back, and
// enumerations keep values that this package has no constant for. Texts of fields are UTF-8: bytes of a payload that are none, and halves of surrogate
// pairs, read as U+FFFD there, while Extra and the items that [KeepRaw] asks for keep them as they came, until they are written as JSON.
// [Client.Call] reaches any endpoint that has no method yet.
package wallarm

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"

	"github.com/wallarm-sdk/wallarm/internal/redact"
	"github.com/wallarm-sdk/wallarm/internal/transport"
)

// Version is the version of this SDK, as the User-Agent header gives it.
const Version = "0.1.0"

// Client is a client of the Wallarm API. [New] and [NewFromEnv] make one; the zero Client has no services. It is immutable and safe for
// concurrent use; make one and share it, since it holds the connection pool, the rate limiter and the pause that follows a 429.
type Client struct {
	core *core
	// tenant is the client id that calls are made for; 0 is that of the credentials' owner.
	tenant int64
	common service

	// Attacks reads attacks. See also AttackVectors, its successor.
	Attacks *AttacksService
	// Incidents reads incidents: attacks that exploited a vulnerability.
	Incidents *IncidentsService
	// Hits reads hits, the single detections that attacks are made of.
	Hits *HitsService
	// Rules manages rules and mitigation controls.
	Rules *RulesService
	// Scopes reads scopes: the sets of conditions that rules apply to.
	Scopes *ScopesService
	// Regexes reads the stored expressions of custom attack detectors.
	Regexes *RegexesService
	// RuleSettings manages what holds for all rules: filtration mode, time limit, settings of the rules engine.
	RuleSettings *RuleSettingsService
	// Snapshots manages backups of all rules.
	Snapshots *SnapshotsService
	// Rulesets tells how far changes of rules have come on their way to the nodes.
	Rulesets *RulesetsService
	// Users manages users and tells who the credentials belong to.
	Users *UsersService
	// AttackVectors groups, counts and marks attack vectors: the Attacks API, successor of Attacks and Hits.
	AttackVectors *AttackVectorsService
	// AttackViews manages saved views of the Attacks API.
	AttackViews *AttackViewsService
	// Vulns reads and changes vulnerabilities. See also SecurityIssues, their successors.
	Vulns *VulnsService
	// SecurityIssues reads security issues.
	SecurityIssues *SecurityIssuesService
	// Reports orders, lists and downloads reports.
	Reports *ReportsService
	// Stats reads graphs and counters. Experimental: weakly attested routes.
	Stats *StatsService
	// Clients manages clients (tenants) and their links to partners.
	Clients *ClientsService
	// Tokens manages API tokens.
	Tokens *TokensService
	// ActivityLog reads who changed what.
	ActivityLog *ActivityLogService
	// Nodes manages filter nodes.
	Nodes *NodesService
	// Applications manages applications, which the wire calls pools.
	Applications *ApplicationsService
	// IPLists manages the deny, allow and gray lists of addresses.
	IPLists *IPListsService
	// Integrations manages integrations with other systems.
	Integrations *IntegrationsService
	// Triggers manages triggers.
	Triggers *TriggersService
	// APISpecs manages uploaded API specifications and their enforcement.
	APISpecs *APISpecsService
	// APIDiscovery reads the discovered API inventory and configures its discovery.
	APIDiscovery *APIDiscoveryService
	// APISessions reads API sessions.
	APISessions *APISessionsService
}

// service is what every service is: a client.
type service struct{ client *Client }

// bind points the services to their client.
func (c *Client) bind() *Client {
	c.common.client = c
	c.Attacks = (*AttacksService)(&c.common)
	c.Incidents = (*IncidentsService)(&c.common)
	c.Hits = (*HitsService)(&c.common)
	c.Rules = (*RulesService)(&c.common)
	c.Scopes = (*ScopesService)(&c.common)
	c.Regexes = (*RegexesService)(&c.common)
	c.RuleSettings = (*RuleSettingsService)(&c.common)
	c.Snapshots = (*SnapshotsService)(&c.common)
	c.Rulesets = (*RulesetsService)(&c.common)
	c.Users = (*UsersService)(&c.common)
	c.AttackVectors = (*AttackVectorsService)(&c.common)
	c.AttackViews = (*AttackViewsService)(&c.common)
	c.Vulns = (*VulnsService)(&c.common)
	c.SecurityIssues = (*SecurityIssuesService)(&c.common)
	c.Reports = (*ReportsService)(&c.common)
	c.Stats = (*StatsService)(&c.common)
	c.Clients = (*ClientsService)(&c.common)
	c.Tokens = (*TokensService)(&c.common)
	c.ActivityLog = (*ActivityLogService)(&c.common)
	c.Nodes = (*NodesService)(&c.common)
	c.Applications = (*ApplicationsService)(&c.common)
	c.IPLists = (*IPListsService)(&c.common)
	c.Integrations = (*IntegrationsService)(&c.common)
	c.Triggers = (*TriggersService)(&c.common)
	c.APISpecs = (*APISpecsService)(&c.common)
	c.APIDiscovery = (*APIDiscoveryService)(&c.common)
	c.APISessions = (*APISessionsService)(&c.common)
	return c
}

// core is what a client and its tenant copies share.
type core struct {
	engine *transport.Engine
	base   *url.URL
	header http.Header
	// defaults may hold credentials of a gateway. Behind a pointer, package fmt prints an address of them, whatever verb a copy of the client meets.
	defaults *callSettings
	identity identity
}

// Option changes how [New] makes a client.
type Option func(*config) error

type config struct {
	baseURL     string
	allowPlain  bool
	httpClient  *http.Client
	rounder     http.RoundTripper
	application string
	limiter     *rate.Limiter
	logger      *slog.Logger
	hook        func(context.Context, Attempt)
	clientID    int64
	calls       []CallOption
}

// WithBaseURL sends all calls to another installation than that of the region: its base URL, such as https://wallarm.example.com. A
// trailing slash does no harm. Plain http is accepted for localhost, spelled so, and loopback IP addresses only, see [WithPlainHTTP]: names such as
// api.localhost may be resolved elsewhere, and travel through HTTP_PROXY.
func WithBaseURL(base string) Option {
	return func(c *config) error {
		c.baseURL = base
		if strings.TrimSpace(base) == "" {
			return invalid("base URL", "it is empty")
		}
		return nil
	}
}

// WithPlainHTTP allows a base URL with plain http to a host other than localhost and loopback IP addresses. The credentials then travel in clear text.
func WithPlainHTTP() Option {
	return func(c *config) error {
		c.allowPlain = true
		return nil
	}
}

// WithHTTPClient sends through client, of which a copy is made: it follows no redirects, its timeout counts for one attempt. What [WithRoundTripper]
// says of a RoundTripper holds for its Transport. Without one the SDK sends through a transport of its own, that of [http.DefaultTransport] with 100 idle
// connections: it waits a minute for the header of an answer, and asks a connection of HTTP/2 that has brought nothing for 20 seconds whether it lives,
// so that one which a load balancer has forgotten is given up 10 seconds later. Yours does what you have set.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return invalid("HTTP client", "it is nil")
		}
		c.httpClient = client
		return checkRounder(client.Transport)
	}
}

// WithRoundTripper sends through rt, for instance to record or trace. It sees the credentials. The body of a create may be rewound by rt, or by the
// standard transport behind it: a failure to connect after that proves nothing about what was sent, and is [ErrOutcomeUnknown]. A change without a body
// counts as not sent only if the context of the request has told, by net/http/httptrace, that nothing but a connection to its host was tried: send it under
// no other context before. That a stream was refused, or that no connection came about in another way than a failed dial, is believed of an
// [http.Transport] only. One that sends through another transport, by RegisterProtocol or TLSNextProto, counts as that: the other must not send a request
// twice, and must tell of its connections; wrap one that does not. A connection of your own must not fail a Write that it has carried out.
//
// rt must send with the context of the request, must end the reading of the body of an answer when that context ends, and must neither repeat
// requests that may have been carried out nor follow redirects by itself: a create would be made twice, and the credentials would go to another host.
// That of go-retryablehttp, which does both, is refused: give the Transport of its HTTPClient instead, since calls are repeated anyway.
func WithRoundTripper(rt http.RoundTripper) Option {
	return func(c *config) error {
		if rt == nil {
			return invalid("round tripper", "it is nil")
		}
		c.rounder = rt
		return checkRounder(rt)
	}
}

// checkRounder refuses a RoundTripper that is nil, or is known to repeat creates and to follow redirects.
func checkRounder(rt http.RoundTripper) error {
	if transport, isStandard := rt.(*http.Transport); isStandard && transport == nil {
		return invalid("round tripper", "it is a nil *http.Transport")
	}
	if _, isRetrying := rt.(*retryablehttp.RoundTripper); isRetrying {
		return invalid("round tripper", "go-retryablehttp would send creates again and follow redirects: give the Transport of its HTTPClient")
	}
	return nil
}

// WithApplication names the calling program in the User-Agent header, such as "siem-export/1.4".
func WithApplication(name string) Option {
	return func(c *config) error {
		if err := checkHeaderValue("application name", name); err != nil {
			return err
		}
		c.application = strings.TrimSpace(name)
		return nil
	}
}

// WithRateLimit bounds the attempts, retries included, of the client and all its tenant copies to perSecond on average and burst at once. There
// is no limit by default. The vendor's documentation once gave 500 requests per second, and gives no figure today.
func WithRateLimit(perSecond float64, burst int) Option {
	return func(c *config) error {
		if !(perSecond > 0) || burst < 1 {
			return invalid("rate limit", "want more than 0 per second and a burst of at least 1")
		}
		c.limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
		return nil
	}
}

// WithLogger logs each attempt: at level Debug, and at Warn if it failed or is repeated. Headers, queries and bodies are not logged, but
// for what net/http quotes of a broken answer, with credentials masked. There is no logging by default.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger != nil && logger.Handler() == nil {
			return invalid("logger", "it has no handler")
		}
		c.logger = logger
		return nil
	}
}

// WithHook calls hook at the end of each attempt, on the goroutine of the call. It must be safe for concurrent use and quick. It must not call the client:
// while that finds out its client id, each would wait for the other until their time is over.
func WithHook(hook func(context.Context, Attempt)) Option {
	return func(c *config) error {
		c.hook = hook
		return nil
	}
}

// WithDefaultClientID makes all calls for this client (tenant), and saves the call that finds it out. See [Client.Tenant].
func WithDefaultClientID(id int64) Option {
	return func(c *config) error {
		if id <= 0 {
			return invalid("client id", "%d is not positive", id)
		}
		c.clientID = id
		return nil
	}
}

// WithDefaults applies options to each call of the client, before those of the call itself. [WithReplayClass] is refused here.
func WithDefaults(options ...CallOption) Option {
	return func(c *config) error {
		c.calls = append(c.calls, options...)
		return nil
	}
}

// New makes a client for a region. It checks its arguments and makes no network call.
func New(region Region, authenticator Authenticator, options ...Option) (*Client, error) {
	c := config{baseURL: region.baseURL}
	for _, option := range options {
		if option == nil {
			continue
		}
		if err := option(&c); err != nil {
			return nil, err
		}
	}
	if c.baseURL == "" {
		return nil, invalid("region", "it is none: use US, EU or ParseRegion, or set a base URL")
	}
	base, err := parseBaseURL(c.baseURL, c.allowPlain)
	if err != nil {
		return nil, err
	}
	if isNil(authenticator) {
		return nil, invalid("authenticator", "it is nil, or holds a nil pointer: use Token, UUIDSecret or CredentialsFunc")
	}
	if v, ok := authenticator.(validator); ok {
		if err := v.validate(); err != nil {
			return nil, err
		}
	}
	defaults := callSettings{policy: transport.DefaultPolicy}
	for _, option := range c.calls {
		if option == nil {
			continue
		}
		if err := option(&defaults); err != nil {
			return nil, err
		}
	}
	if defaults.class != nil {
		return nil, invalid("defaults", "WithReplayClass is for single calls: creates would be sent again and again")
	}
	return (&Client{
		tenant: c.clientID,
		core: &core{
			base:     base,
			header:   headerTemplate(c.application),
			defaults: &defaults,
			identity: identity{turn: make(chan struct{}, 1)},
			engine: transport.New(transport.Config{
				Client:  c.newHTTPClient(),
				Limiter: c.limiter,
				Observe: c.observer(),
				Sign:    authenticator.Authenticate,
				// Those of the API, with values that were checked.
				KnownHeaders: hasKnownHeaders(authenticator),
			}),
		},
	}).bind(), nil
}

// newHTTPClient makes the HTTP client that the engine wraps. What the caller supplied is copied, not changed.
func (c *config) newHTTPClient() *http.Client {
	var client http.Client
	if c.httpClient != nil {
		client = *c.httpClient
	}
	if c.rounder != nil {
		client.Transport = c.rounder
	}
	if client.Transport == nil {
		client.Transport = transport.NewHTTPTransport()
	}
	return &client
}

func headerTemplate(application string) http.Header {
	agent := "wallarm-sdk-go/" + Version
	if application != "" {
		agent = application + " " + agent
	}
	return http.Header{"Accept": {"application/json"}, "User-Agent": {agent}}
}

// Tenant returns a copy of the client that makes its calls for another client id. The copy shares connections, credentials and limits. An
// id that is not positive is refused by the first call.
//
// The client id travels with the calls that have a place for it. Calls that go by the id of an object alone, such as [RulesService.Delete] or
// [UsersService.Disable], have none: they reach what the credentials reach, and those of a partner reach all its tenants.
func (c *Client) Tenant(id int64) *Client {
	if id <= 0 {
		id = -1
	}
	if c == nil {
		c = new(Client)
	}
	return (&Client{core: c.core, tenant: id}).bind()
}

// BaseURL returns the base URL that calls go to, "" for a client that was not made by [New].
func (c *Client) BaseURL() string {
	if c == nil || c.core == nil {
		return ""
	}
	return c.core.base.String()
}

// String names the client without its credentials.
func (c *Client) String() string {
	if c == nil || c.core == nil {
		return "wallarm.Client(none)"
	}
	return fmt.Sprintf("wallarm.Client(%s)", redact.Path(c.core.base.String()))
}

// Format is [Client.String] for every verb: a dump of a client shows no credentials.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// MarshalText is [Client.String].
func (c *Client) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// ReplayClass says whether an operation may be sent again when nobody knows what became of it.
type ReplayClass = transport.Class

const (
	// ReplayOnce is for creates and side effects: repeated only if the server provably did nothing. It is the zero value.
	ReplayOnce ReplayClass = transport.Once
	// ReplayIdempotent is for absolute changes and deletes by id.
	ReplayIdempotent ReplayClass = transport.Idempotent
	// ReplayRead is for calls that change nothing.
	ReplayRead ReplayClass = transport.Read
)

// Attempt is one exchange with the server, as a hook sees it.
type Attempt = transport.Attempt

// observer joins hook and logger.
func (c *config) observer() func(context.Context, Attempt) {
	hook, logger := c.hook, c.logger
	switch {
	case logger == nil:
		return hook
	case hook == nil:
		return func(ctx context.Context, a Attempt) { logAttempt(ctx, logger, a) }
	}
	return func(ctx context.Context, a Attempt) {
		logAttempt(ctx, logger, a)
		hook(ctx, a)
	}
}

func logAttempt(ctx context.Context, logger *slog.Logger, a Attempt) {
	level := slog.LevelDebug
	if a.Err != nil || a.Status >= 400 || a.RetryIn >= 0 {
		level = slog.LevelWarn
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", a.Operation), slog.String("method", a.Method), slog.String("path", a.Path),
		slog.Int("attempt", a.Number), slog.Duration("duration", a.Duration),
	}
	if a.Status != 0 {
		attrs = append(attrs, slog.Int("status", a.Status))
	}
	if a.Err != nil {
		attrs = append(attrs, slog.String("error", clean(a.Err.Error())))
	}
	if a.RetryIn >= 0 {
		attrs = append(attrs, slog.Duration("retry_in", a.RetryIn.Round(time.Millisecond)))
	}
	logger.LogAttrs(ctx, level, "wallarm call", attrs...)
}
