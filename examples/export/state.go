package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

// stateVersion is that of checkpoints that name their output. Former ones have none.
const stateVersion = 2

// state is what the file of -checkpoint holds.
type state struct {
	Version int    `json:"version"`
	What    string `json:"what"`
	Format  string `json:"format"`
	// Output is the resolved path of the output, "" for standard output. Any other file would be cut.
	Output string `json:"output"`
	// Client and Host say whose events these are: those of a client of a cloud.
	Client int64  `json:"client"`
	Host   string `json:"host"`
	// From and Until are fixed when the export begins: a place in a list is one of a list with these times. Until is no later than the present of
	// the server was.
	From  time.Time                `json:"from"`
	Until time.Time                `json:"until"`
	Place wallarm.Checkpoint       `json:"place"`
	Done  bool                     `json:"done"`
	Watch *wallarm.WatchCheckpoint `json:"watch,omitempty"`
	// What stands in the output behind the mark was written by a run that did not live to note it.
	mark
	// resumed says that this was read from a file.
	resumed bool
}

// load reads the checkpoint of the export that the flags ask for, or begins one.
func load(s settings) (*state, error) {
	now := time.Now().Truncate(time.Second)
	fresh := &state{Version: stateVersion, What: s.what, Format: s.format, From: now.Add(-s.since), Until: now}
	if s.out != "" {
		fresh.Output = resolved(s.out)
	}
	if s.checkpoint == "" {
		return fresh, nil
	}
	data, err := os.ReadFile(s.checkpoint)
	if errors.Is(err, os.ErrNotExist) {
		return fresh, nil
	}
	st := &state{resumed: true}
	if err == nil {
		err = json.Unmarshal(data, st)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.checkpoint, err)
	}
	return st, st.fits(s)
}

// fits refuses flags that are not those of the run that wrote the checkpoint, whether that came to its end or not.
func (st *state) fits(s settings) error {
	switch {
	case st.Version < stateVersion:
		return cli.Misuse("%s was written by an older version, and does not say which output it belongs to: delete it to export anew", s.checkpoint)
	case st.Version > stateVersion:
		return cli.Misuse("%s was written by a newer version", s.checkpoint)
	case st.What != s.what || st.Format != s.format:
		return cli.Misuse("%s belongs to an export of %s as %s", s.checkpoint, st.What, st.Format)
	case st.Output == "" && s.out != "":
		return cli.Misuse("%s belongs to an export to standard output, not to %s", s.checkpoint, s.out)
	case st.Output != "" && (s.out == "" || !isSame(st.Output, s.out)):
		return cli.Misuse("%s belongs to an export to %s: pass that with -o, or another -checkpoint", s.checkpoint, st.Output)
	case st.Until.Sub(st.From) != s.since:
		return cli.Misuse("%s belongs to an export with -since %v: pass the same, or another -checkpoint", s.checkpoint, st.Until.Sub(st.From))
	}
	return nil
}

// admit notes whose events these are, and refuses another client or cloud than that of the checkpoint.
func (st *state) admit(ctx context.Context, s settings, client *wallarm.Client) error {
	id, err := client.ClientID(ctx)
	if err != nil {
		return err
	}
	base, err := url.Parse(client.BaseURL())
	if err != nil {
		return err
	}
	// Without the port, since that of a fake cloud is another one each time.
	host := base.Hostname()
	if st.resumed && (st.Client != id || st.Host != host) {
		return cli.Misuse("%s belongs to an export of client %d at %s, and this is client %d at %s", s.checkpoint, st.Client, st.Host, id, host)
	}
	st.Client, st.Host = id, host
	return nil
}

// Dates count whole seconds and take a while to come; one that is further off than any clock on duty is nonsense.
const (
	leastSkew = 3 * time.Second
	mostSkew  = 24 * time.Hour
)

// setBack moves the times of a new export to the clock of the server, if that of this machine is ahead of it: the list would end in the server's
// future, and what happens before that time comes would be neither in the list nor behind it. A clock that is behind loses nothing.
func (st *state) setBack(ahead time.Duration) bool {
	if ahead < leastSkew || ahead > mostSkew {
		return false
	}
	st.From, st.Until = st.From.Add(-ahead), st.Until.Add(-ahead)
	return true
}

// save writes a file in one step: whoever reads it sees the old content or the new one.
func save(path string, st *state) error {
	data, err := json.Marshal(st)
	if err != nil {
		return err
	}
	// Whatever a killed run left there goes, and a link goes itself: the new file is opened only if nothing stands in its place.
	if err = os.Remove(temporary(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	next, err := os.OpenFile(temporary(path), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(next.Name())
	_, err = next.Write(append(data, '\n'))
	if err = errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}
