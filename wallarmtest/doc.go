// Package wallarmtest is a fake of the Wallarm cloud for tests: an
// http.Handler that knows the API from its wire documentation, keeps state in
// memory and misbehaves on request. It has nothing in common with package
// wallarm, so that a mistake there cannot agree with itself here, and it
// serves any client in any language.
//
// A test starts a server, points its client at the URL, and looks at what
// arrived and what remains:
//
//	func TestBlocksPath(t *testing.T) {
//		cloud := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
//		blockPath(cloud.URL, wallarmtest.AdminToken, "/my/api/*")
//
//		if got := len(cloud.RequestsOf("rules.create")); got != 1 {
//			t.Errorf("%d create calls, want 1", got)
//		}
//	}
//
// The server listens on loopback, closes with the test, and fails it when a
// request asks for a route that the API does not have.
//
// # State
//
// Every cloud starts with a few clients, users and tokens, see AdminToken and
// its neighbours. SeedAttacks, AddHit, AddRule, AddClient, AddUser and
// AddToken add typed objects, Put adds any object as JSON. Objects, Object and
// Rules read the state back as JSON. Advance and SetTime move the clock that
// expiry and locks follow.
//
// Save writes the whole state, Load brings it back, in the same process or a
// later one; examples/sandbox keeps its state so.
//
// # Faults
//
// Inject makes requests fail, chosen by operation, path, count or chance:
//
//	cloud.Inject(wallarmtest.Fault{
//		Kind: wallarmtest.FaultResetAfter, Op: "rules.create", Count: 1,
//	})
//
// applies the first create and then drops the connection without an answer.
// Routes lists the operations by name, with the rows of the table of
// endpoints that each implements.
//
// A lag (FaultLag) holds new objects and events back from lists, as replicas
// do; LockRules answers changes of rules with 423 for a while.
//
// # Sandbox
//
// examples/sandbox serves a cloud on a loopback port for clients in any
// language, with a state file, https and a redacted log.
//
// # Load
//
// SeedEvents fills a cloud for load tests. One million attacks with a hit
// each, measured with
//
//	go test ./wallarmtest -run '^$' -bench 'Page|Clients' -benchtime 2s
//
// on two cores of an AMD EPYC shared with other work, on 22 November 2026:
//
//	start        0.36 s
//	memory       146 MB
//	page 1       1.14 ms   (a hundred attacks by cursor, without the network)
//	page 5000    1.22 ms
//	page 10000   1.27 ms
//	64 clients   10500 small calls/s, 770 pages/s
//
// # Choices
//
// Where the documentation leaves a choice the fake takes one side: a filter
// with a name that the route does not know is refused with 400, so that a
// misspelt filter is not mistaken for an empty one; an empty array in a
// filter matches nothing; time ranges include both ends; a client id that the
// token does not see answers 403, and a single object of such a client 404.
package wallarmtest
