package wallarmtest

import (
	"bufio"
	"encoding/base64"
	"io"
)

// The form of saved state is one JSON value on each line: a header, then for
// each table its name and its objects, then the events, and last the number
// of lines, so that a file that was cut off is noticed.
const (
	stateFormat  = "wallarmtest"
	stateVersion = 1
)

// Save writes the whole state: objects of every kind, events, credentials
// and the position of the clock. Faults and recorded requests are no part of
// it. Requests go on while it is written. What it writes holds the secrets of
// the cloud in clear text.
func (c *Cloud) Save(w io.Writer) error {
	s := c.snapshot()
	out := &lineWriter{w: bufio.NewWriterSize(w, 1<<16)}
	out.line(s.header)
	for _, t := range s.tables {
		out.line(obj("table", t.kind, "last_id", t.lastID))
		for _, o := range t.rows {
			out.line(obj("in", t.kind, "object", o))
		}
	}
	s.events.write(out)
	out.line(obj("lines", out.count))
	if out.err != nil {
		return out.err
	}
	return out.w.Flush()
}

// snapshot is the state at one moment. Its values are immutable, so they are
// written without holding the state lock.
type snapshot struct {
	header *object
	tables []tableSnapshot
	events *eventSnapshot
}

type tableSnapshot struct {
	kind   string
	lastID int64
	rows   []*object
}

func (c *Cloud) snapshot() *snapshot {
	c.mu.RLock()
	defer c.mu.RUnlock()
	random, err := c.source.MarshalBinary()
	if err != nil {
		panic(err) // the generator has no way to fail
	}
	kept := obj()
	for _, k := range c.keepers {
		kept.set(k.name, canonical(k.save()))
	}
	s := &snapshot{
		header: obj(
			"format", stateFormat,
			"version", stateVersion,
			"saved", c.Now().Unix(),
			"clock_offset", int64(c.clock.shift()),
			"random", base64.StdEncoding.EncodeToString(random),
			"kept", kept,
		),
		events: c.events.snapshot(),
	}
	for _, kind := range c.kinds() {
		t := c.tables[kind]
		s.tables = append(s.tables, tableSnapshot{kind, t.lastID, t.all()})
	}
	return s
}

// lineWriter writes one JSON value on each line and remembers the first
// error.
type lineWriter struct {
	w     *bufio.Writer
	buf   []byte
	count int
	err   error
}

func (w *lineWriter) line(v any) {
	w.buf = append(appendJSON(w.buf[:0], v), '\n')
	w.count++
	if _, err := w.w.Write(w.buf); w.err == nil {
		w.err = err
	}
}
