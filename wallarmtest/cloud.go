package wallarmtest

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Cloud is a fake of the Wallarm cloud: an http.Handler with its state in
// memory. It starts no goroutine and opens no port. All methods may be called
// from several goroutines.
type Cloud struct {
	clock  clock
	faults faults
	log    requestLog
	done   chan struct{}
	stop   sync.Once

	routes    []*route
	tree      routeNode
	observers []func(q *call, ch change)
	unknown   func(r *http.Request)

	// mu guards everything below. Handlers run with it held, shared or
	// exclusive by route.writes; answers are encoded after its release.
	mu          sync.RWMutex
	source      *rand.PCG // of rng
	rng         *rand.Rand
	tables      map[string]*table
	credentials map[string]*credential
	parents     map[int64]int64 // tenant to main account
	clients     *table
	users       *table
	rules       *table
	actions     *table
	regexes     *table
	actionHash  map[actionKey]int64
	ruleLocks   ruleLocks
	events      *eventStore
	admin       adminState

	nodes        *table
	applications *table
	ipRules      *table
	denyEvents   []*object

	integrations    *table
	triggers        *table
	defaultTriggers map[int64]int64 // by client
	apiSpecs        *table

	timeLimits   *table
	ruleSettings *table
	snapshots    *table
	snapshotWork *table
	rulesets     *table
	keepers      []keeper // in the order of their registration
	derived      []func()
}

// NewCloud makes a cloud with the default client, users and credentials,
// changed by the options.
func NewCloud(options ...Option) *Cloud {
	cfg := config{seed: 1, clock: time.Now, logSize: defaultLogSize}
	for _, option := range options {
		option(&cfg)
	}
	c := &Cloud{
		done:        make(chan struct{}),
		source:      rand.NewPCG(uint64(cfg.seed), 0x9e3779b97f4a7c15),
		tables:      map[string]*table{},
		credentials: map[string]*credential{},
		parents:     map[int64]int64{},
	}
	c.rng = rand.New(c.source)
	c.clock.base = cfg.clock
	c.faults.rng = rand.New(rand.NewPCG(uint64(cfg.seed), 0xbf58476d1ce4e5b9))
	c.log.size = cfg.logSize
	c.addRoutes(
		c.userRoutes(),
		c.attackRoutes(),
		c.hitRoutes(),
		c.hitStatRoutes(),
		c.vectorRoutes(),
		c.viewRoutes(),
		c.ruleRoutes(),
		c.actionRoutes(),
		c.ruleCatalogueRoutes(),
		c.ruleSettingRoutes(),
		c.snapshotRoutes(),
		c.rulesetRoutes(),
		c.vulnRoutes(), c.securityIssueRoutes(), c.reportRoutes(), c.statsRoutes(), c.dashboardRoutes(), c.searchRoutes(),
		c.adminRoutes(),
		c.nodeRoutes(),
		c.applicationRoutes(),
		c.ipListRoutes(),
		c.ipRuleRoutes(),
		c.integrationRoutes(),
		c.triggerRoutes(),
		c.apiSpecRoutes(),
		c.apiDiscoveryRoutes(),
		c.apiEndpointRoutes(),
		c.apiSessionRoutes(),
		c.sessionExportRoutes(),
	)
	c.initAccounts()
	c.initRules()
	c.initRuleSettings()
	c.initSnapshots()
	c.initRulesets()
	c.initEvents()
	c.initVulns()
	c.initSecurityIssues()
	c.initReports()
	c.initNodes()
	c.initApplications()
	c.initIPLists()
	c.initIntegrations()
	c.initTriggers()
	c.initAPISpecs()
	c.initAPIDiscovery()
	c.initAPISessions()
	c.initHitStats()
	c.initVectors()
	c.initViews()
	c.seedDefaults()
	for _, setup := range cfg.setup {
		setup(c)
	}
	return c
}

// String names the cloud without what it holds.
func (c *Cloud) String() string { return "wallarmtest.Cloud" }

// Format is String for every verb: a dump of a cloud shows no credentials.
func (c *Cloud) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue is String for slog.
func (c *Cloud) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c *Cloud) addRoutes(families ...[]route) {
	for _, family := range families {
		for i := range family {
			c.routes = append(c.routes, &family[i])
			c.tree.add(&family[i])
		}
	}
}

const maxRequestBody = 64 << 20

// ServeHTTP answers one request of the API.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := r.Body
	if in == nil { // A request made for a client, handed over without a server.
		in = http.NoBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, in, maxRequestBody))
	if err != nil {
		c.write(w, r, refusal(errText(http.StatusRequestEntityTooLarge, "Request body too large")), nil)
		return
	}
	found, path := c.match(r)
	entry := c.log.add(c.Now(), found, r, body)
	w = entry.observe(w)
	if found == nil {
		if c.unknown != nil {
			c.unknown(r)
		}
		c.write(w, r, refusal(errNotFound()), nil)
		return
	}
	f := c.faults.pick(found, r)
	if !c.pause(r, f) {
		panic(http.ErrAbortHandler)
	}
	if f.beforeApply() {
		c.misbehave(w, r, f, response{status: http.StatusOK})
		return
	}
	q := &call{cloud: c, route: found, http: r, now: c.Now(), path: path, body: body}
	resp := c.answer(q)
	if f != nil {
		c.misbehave(w, r, f, resp)
		return
	}
	c.write(w, r, resp, nil)
}

// answer runs the handler of the call under the state lock and encodes its
// reply after the lock has been released.
func (c *Cloud) answer(q *call) response {
	rep, err := c.apply(q)
	if err != nil {
		return refusal(err)
	}
	return rep.encode()
}

func (c *Cloud) apply(q *call) (reply, error) {
	paramsErr := q.readParams()
	if q.route.writes {
		c.mu.Lock()
		defer c.mu.Unlock()
	} else {
		c.mu.RLock()
		defer c.mu.RUnlock()
	}
	q.who = c.authenticate(q.http.Header)
	switch {
	case q.who == nil:
		return reply{}, errUnauthenticated()
	case !q.who.may(q.route):
		return reply{}, errForbidden()
	case paramsErr != nil:
		return reply{}, paramsErr
	}
	return q.route.handle(q)
}

// end lets every waiting request go. It is called when a server closes.
func (c *Cloud) end() { c.stop.Do(func() { close(c.done) }) }
