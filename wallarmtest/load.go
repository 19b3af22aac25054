package wallarmtest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"
)

// Load replaces the whole state by one that Save has written. When that fails,
// the cloud stays as it was. A state with kinds of objects that this version
// does not know is refused.
func (c *Cloud) Load(r io.Reader) error {
	s, err := readState(r)
	if err != nil {
		return fmt.Errorf("wallarmtest: load: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.restore(s); err != nil {
		return fmt.Errorf("wallarmtest: load: %w", err)
	}
	return nil
}

// stateReader collects the lines of a saved state.
type stateReader struct {
	snapshot
	lines  int
	ended  bool
	kept   *object
	offset time.Duration
	source rand.PCG
}

func readState(r io.Reader) (*stateReader, error) {
	s := &stateReader{snapshot: snapshot{events: &eventSnapshot{}}}
	in := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := s.read(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", s.lines+1, err)
			}
			s.lines++
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if !s.ended {
		return nil, fmt.Errorf("%w: it ends too early", errState)
	}
	return s, s.events.check()
}

var (
	attackLine = []byte(`{"attacks":[`)
	hitLine    = []byte(`{"hits":[`)
)

func (s *stateReader) read(line []byte) error {
	if s.ended {
		return fmt.Errorf("%w: it goes on after its end", errState)
	}
	if rest, isAttacks := bytes.CutPrefix(line, attackLine); isAttacks {
		flat, err := readNumbers(rest)
		return errors.Join(err, s.events.readAttacks(flat))
	}
	if rest, isHits := bytes.CutPrefix(line, hitLine); isHits {
		flat, err := readNumbers(rest)
		return errors.Join(err, s.events.readHits(flat))
	}
	o, err := parseObject(line)
	switch {
	case err != nil:
		return err
	case len(o.members) == 0:
		return errState
	case s.lines == 0:
		return s.readHeader(o)
	case o.has("table"):
		s.tables = append(s.tables, tableSnapshot{kind: o.str("table"), lastID: o.int("last_id")})
		return nil
	case o.has("in"):
		return s.readObject(o)
	case o.has("lines"):
		s.ended = true
		if o.int("lines") != int64(s.lines) {
			return fmt.Errorf("%w: %d lines of %d", errState, s.lines, o.int("lines"))
		}
		return nil
	}
	known, err := s.events.read(o)
	if err == nil && !known {
		return fmt.Errorf("%w: %q", errState, o.members[0].name)
	}
	return err
}

func (s *stateReader) readHeader(o *object) error {
	switch {
	case o.str("format") != stateFormat:
		return errors.New("not a saved state")
	case o.int("version") != stateVersion:
		return fmt.Errorf("version %d of the state is not known", o.int("version"))
	}
	s.kept = o.object("kept")
	s.offset = time.Duration(o.int("clock_offset"))
	random, err := base64.StdEncoding.DecodeString(o.str("random"))
	if err != nil {
		return err
	}
	return s.source.UnmarshalBinary(random)
}

func (s *stateReader) readObject(o *object) error {
	row := o.object("object")
	if len(s.tables) == 0 || s.tables[len(s.tables)-1].kind != o.str("in") || row == nil {
		return errState
	}
	t := &s.tables[len(s.tables)-1]
	t.rows = append(t.rows, row)
	return nil
}

// readNumbers reads the rest of a line of integers, up to "]}".
func readNumbers(text []byte) ([]int64, error) {
	text, whole := bytes.CutSuffix(bytes.TrimSpace(text), []byte("]}"))
	if !whole {
		return nil, errState
	}
	var flat []int64
	for number := range bytes.SplitSeq(text, []byte(",")) {
		n, err := strconv.ParseInt(string(number), 10, 64)
		if err != nil {
			return nil, err
		}
		flat = append(flat, n)
	}
	return flat, nil
}

// restore puts the state in place. The state lock is held exclusively.
func (c *Cloud) restore(s *stateReader) error {
	for _, t := range s.tables {
		if c.tables[t.kind] == nil {
			return fmt.Errorf("no kind %q", t.kind)
		}
	}
	for _, t := range c.tables {
		t.clear()
	}
	for _, saved := range s.tables {
		c.tables[saved.kind].fill(saved.rows, saved.lastID)
	}
	c.events.restore(s.events)
	for _, k := range c.keepers {
		k.load(s.kept.get(k.name))
	}
	for _, compute := range c.derived {
		compute()
	}
	*c.source = s.source
	c.clock.setShift(s.offset)
	return nil
}
