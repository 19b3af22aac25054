package wallarmtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind uint8

// The kinds of faults. "Before" means that the change asked for is not made,
// "after" that it is.
const (
	// FaultStatus answers Status with Body, before. The zero kind.
	FaultStatus FaultKind = iota
	// FaultLatency only waits for Delay, then answers as usual.
	FaultLatency
	// FaultResetBefore resets the connection before.
	FaultResetBefore
	// FaultResetAfter resets the connection after.
	FaultResetAfter
	// FaultTruncate sends half of the answer and closes the connection, after.
	FaultTruncate
	// FaultEndless sends an answer that never ends, after.
	FaultEndless
	// FaultCorruptGzip sends damaged gzip data, after.
	FaultCorruptGzip
	// FaultContentType sends the right answer as ContentType (text/plain), after.
	FaultContentType
	// FaultHTML answers Status (502) with a page of HTML, before.
	FaultHTML
	// FaultEmpty answers Status (200) without a body, after.
	FaultEmpty
	// FaultNull answers Status (200) with the body null, after.
	FaultNull
	// FaultRedirect answers Status (307) with the Location URL, before.
	FaultRedirect
	// FaultHang never sends a header, before. It ends when the client leaves.
	FaultHang
	// FaultLag is eventual consistency: an object that is created, seeded ones
	// too, stays out of the next Lists lists of its kind, and for the duration
	// For on the clock of the cloud. Op names the kind ("rules", "attacks",
	// "hits"; see Kinds) or its create operation ("rules.create").
	FaultLag
	// FaultLock answers 423 as if the rules were locked, before.
	FaultLock
	// FaultStatusAfter answers Status (500) with Body, after: an error that
	// hides a success.
	FaultStatusAfter
)

// Fault says what goes wrong, when and how often. Without Op, Method, Path
// and Match it strikes every request.
type Fault struct {
	// Kind is what goes wrong.
	Kind FaultKind
	// Op is an operation name ("rules.create") or a row id ("rules:2"), as
	// Routes lists them; for FaultLag it is a kind ("rules"). Inject panics
	// on one that does not exist, since such a fault would never strike.
	Op string
	// Method and Path select requests; a Path may end in "*".
	Method, Path string
	// Match selects requests by any test, on top of the others.
	Match func(*http.Request) bool
	// Skip lets so many matching requests pass first.
	Skip int
	// Count is how often the fault strikes; 0 is without end.
	Count int
	// Probability of a strike, by the cloud's seed; 0 is always.
	Probability float64
	// Delay waits before anything else, for every kind.
	Delay time.Duration
	// RetryAfter is sent as the header of that name.
	RetryAfter string
	// Status and Body are the answer of FaultStatus and FaultStatusAfter; the
	// body is sent as it is, as JSON unless ContentType says otherwise.
	Status      int
	Body        string
	ContentType string
	// Header is added to the answer.
	Header http.Header
	// URL is the target of FaultRedirect.
	URL string
	// Lists and For are the lag of FaultLag.
	Lists int
	For   time.Duration
}

// Injection is a fault in force.
type Injection struct {
	faults *faults
	fault  Fault
	seen   int
	hits   int
}

// Hits tells how often the fault has struck.
func (i *Injection) Hits() int {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	return i.hits
}

// Remove ends the fault.
func (i *Injection) Remove() {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	i.faults.active = slices.DeleteFunc(i.faults.active, func(a *Injection) bool { return a == i })
}

// Inject puts a fault in force. Faults are tried in the order of their
// injection, and one at most strikes a request.
func (c *Cloud) Inject(f Fault) *Injection {
	if f.Op != "" && f.Kind != FaultLag && !c.knowsOperation(f.Op) {
		panic(fmt.Sprintf("wallarmtest: no operation is called %q, so the fault would never strike; see Routes", f.Op))
	}
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	i := &Injection{faults: &c.faults, fault: f}
	c.faults.active = append(c.faults.active, i)
	return i
}

func (c *Cloud) knowsOperation(op string) bool {
	return slices.ContainsFunc(c.routes, func(r *route) bool {
		return r.name == op || slices.Contains(strings.Split(r.ids, ","), op)
	})
}

// any tells whether a fault is in force, for places that are passed often.
func (fs *faults) any() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return len(fs.active) > 0
}

// ClearFaults ends all faults.
func (c *Cloud) ClearFaults() {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.active = nil
}

type faults struct {
	mu     sync.Mutex
	rng    *rand.Rand
	active []*Injection
}

// pick returns the fault that strikes the request, or nil.
func (fs *faults) pick(found *route, r *http.Request) *Fault {
	return fs.strike(func(f *Fault) bool { return f.Kind != FaultLag && f.selects(found, r) })
}

// pickLag returns the lag of an object that is being created, or nil.
func (fs *faults) pickLag(kind string) *Fault {
	return fs.strike(func(f *Fault) bool {
		return f.Kind == FaultLag && (f.Op == "" || f.Op == kind || f.Op == kind+".create")
	})
}

func (fs *faults) strike(selects func(*Fault) bool) *Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, i := range fs.active {
		if i.fault.Count > 0 && i.hits >= i.fault.Count || !selects(&i.fault) {
			continue
		}
		i.seen++
		if i.seen <= i.fault.Skip {
			continue
		}
		if p := i.fault.Probability; p > 0 && fs.rng.Float64() >= p {
			continue
		}
		i.hits++
		return &i.fault
	}
	return nil
}

func (f *Fault) selects(found *route, r *http.Request) bool {
	if f.Op != "" && f.Op != found.name && !slices.Contains(strings.Split(found.ids, ","), f.Op) {
		return false
	}
	if f.Method != "" && f.Method != r.Method {
		return false
	}
	if prefix, open := strings.CutSuffix(f.Path, "*"); open {
		if !strings.HasPrefix(r.URL.Path, prefix) {
			return false
		}
	} else if f.Path != "" && f.Path != r.URL.Path {
		return false
	}
	return f.Match == nil || f.Match(r)
}

// beforeApply tells whether the fault keeps the handler from running.
func (f *Fault) beforeApply() bool {
	if f == nil {
		return false
	}
	switch f.Kind {
	case FaultStatus, FaultResetBefore, FaultHTML, FaultRedirect, FaultHang, FaultLock:
		return true
	}
	return false
}
