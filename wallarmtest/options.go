package wallarmtest

import "time"

// Option changes how a Cloud or a Server is made.
type Option func(*config)

type config struct {
	seed         int64
	clock        func() time.Time
	logSize      int
	tls          bool
	allowUnknown bool
	setup        []func(*Cloud)
}

// WithSeed makes everything that is random (ids, secrets, sample data,
// chances of faults) follow from the seed. The default seed is 1, so a cloud
// is deterministic in any case.
func WithSeed(seed int64) Option {
	return func(cfg *config) { cfg.seed = seed }
}

// WithClock sets the base clock. Advance and SetTime move it further.
func WithClock(now func() time.Time) Option {
	return func(cfg *config) { cfg.clock = now }
}

// WithRequestLog bounds the record of requests; 0 keeps none. The default is
// 4096.
func WithRequestLog(size int) Option {
	return func(cfg *config) { cfg.logSize = size }
}

// WithTLS makes the server speak https with a throwaway certificate.
func WithTLS() Option {
	return func(cfg *config) { cfg.tls = true }
}

// AllowUnknownRoutes keeps a Server from failing the test when a request asks
// for a route that the API does not have. The answer is a 404 either way.
func AllowUnknownRoutes() Option {
	return func(cfg *config) { cfg.allowUnknown = true }
}

// WithToken makes a token of the default client valid, with the roles given;
// an administrator's without any.
func WithToken(token string, roles ...string) Option {
	return with(func(c *Cloud) {
		c.AddToken(Token{Value: token, ClientID: DefaultClientID, Permissions: roles})
	})
}

// WithClient adds a client. See Cloud.AddClient.
func WithClient(client Client) Option {
	return with(func(c *Cloud) { c.AddClient(client) })
}

// WithUser adds a user. See Cloud.AddUser.
func WithUser(user User) Option {
	return with(func(c *Cloud) { c.AddUser(user) })
}

// WithSampleData fills the default client with a deterministic sample: a few
// thousand attacks over the days before the cloud's present time, their hits,
// incidents among them, vulnerabilities, security issues and reports, and a
// few of each of these: rules, IP lists, applications, nodes, integrations,
// triggers, API endpoints with their parameters, API sessions with their
// requests, and events of the activity log.
func WithSampleData() Option {
	return with(func(c *Cloud) { c.seedSample() })
}

func with(setup func(*Cloud)) Option {
	return func(cfg *config) { cfg.setup = append(cfg.setup, setup) }
}
