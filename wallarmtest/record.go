package wallarmtest

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is a request that the cloud has received.
type Request struct {
	// Op is the name of the operation, "" for an unknown route.
	Op string
	// IDs are the rows of docs/wire/endpoints.tsv.
	IDs []string
	// Method, Path and Query are those of the request line.
	Method, Path, Query string
	// Header is a copy of the request header, credentials included.
	Header http.Header
	// Body is a copy of the request body.
	Body []byte
	// Time is when it came, by the clock of the cloud.
	Time time.Time
	// Status is the status answered; 0 when none was sent (yet).
	Status int
}

// String names the request by its operation, method, path and status. Query,
// header and body may hold credentials.
func (r Request) String() string {
	return fmt.Sprintf("wallarmtest.Request(%s %s %s: %d)", r.Op, r.Method, shownPath(r.Path), r.Status)
}

// validation is the route whose path ends with a secret.
const validation = "/v2/token/validation/"

// shownPath is a path without its parameters and the secret it may end with.
func shownPath(path string) string {
	path, _, _ = strings.Cut(path, ";")
	if before, secret, _ := strings.Cut(path, validation); secret != "" {
		path = before + validation + "[redacted]"
	}
	return path
}

// Format is String for every verb: a dump of a request shows no credentials.
func (r Request) Format(f fmt.State, _ rune) { fmt.Fprint(f, r.String()) }

// LogValue is String for slog.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText is String for encoding/json, with which slog writes a list of
// requests.
func (r Request) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

const defaultLogSize = 4096

// requestLog keeps the last requests.
type requestLog struct {
	mu      sync.Mutex
	size    int
	entries []*logEntry // a ring once it is full
	next    int
}

type logEntry struct {
	log     *requestLog
	request Request
}

func (l *requestLog) add(now time.Time, found *route, r *http.Request, body []byte) *logEntry {
	e := &logEntry{log: l, request: Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Header: r.Header.Clone(), Body: body, Time: now,
	}}
	if found != nil {
		e.request.Op = found.name
		e.request.IDs = strings.Split(found.ids, ",")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.size <= 0:
	case len(l.entries) < l.size:
		l.entries = append(l.entries, e)
	default:
		l.entries[l.next] = e
		l.next = (l.next + 1) % l.size
	}
	return e
}

// observe notes the status that is written.
func (e *logEntry) observe(w http.ResponseWriter) http.ResponseWriter {
	return &statusWriter{ResponseWriter: w, entry: e}
}

type statusWriter struct {
	http.ResponseWriter
	entry *logEntry
}

func (w *statusWriter) WriteHeader(status int) {
	w.entry.log.mu.Lock()
	w.entry.request.Status = status
	w.entry.log.mu.Unlock()
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Requests returns the requests received since the start or the last
// ResetRequests, oldest first. The record is bounded; see WithRequestLog.
func (c *Cloud) Requests() []Request {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	out := make([]Request, 0, len(c.log.entries))
	for i := range c.log.entries {
		out = append(out, c.log.entries[(c.log.next+i)%len(c.log.entries)].request)
	}
	return out
}

// RequestsOf returns the recorded requests of one operation, by its name
// ("rules.create") or the id of its row ("rules:2").
func (c *Cloud) RequestsOf(op string) []Request {
	return slices.DeleteFunc(c.Requests(), func(r Request) bool {
		return r.Op != op && !slices.Contains(r.IDs, op)
	})
}

// ResetRequests forgets the requests received so far.
func (c *Cloud) ResetRequests() {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.log.entries, c.log.next = nil, 0
}
