// Export writes attacks or hits to NDJSON, CSV or SQLite, resumes where it was killed, follows what is new, and draws a report.
//
//	go -C examples/export run . -what hits -since 30d -o hits.sqlite -checkpoint hits.state -follow
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

func main() { cli.Main("examples/export", run) }

// settings are the flags.
type settings struct {
	what, format, out, checkpoint, html string
	since                               time.Duration
	follow                              bool
	page, batch                         int
}

func parse(p *cli.Program) (settings, error) {
	var s settings
	f := flag.NewFlagSet("export", flag.ContinueOnError)
	f.SetOutput(p.Err)
	f.StringVar(&s.what, "what", "attacks", "what to export: attacks or hits")
	f.StringVar(&s.out, "o", "", "the `file` to write; standard output if empty")
	f.StringVar(&s.format, "format", "", "ndjson, csv or sqlite; by default what the name of the file ends in, else ndjson")
	f.StringVar(&s.checkpoint, "checkpoint", "", "the `file` that says how far the export has come: the same command goes on from there")
	f.StringVar(&s.html, "html", "", "write a report about the whole output to this `file`")
	cli.DurationVar(f, &s.since, "since", 24*time.Hour, "the `duration` to go back, such as 12h, 7d or 2w")
	f.BoolVar(&s.follow, "follow", false, "go on with what is new until interrupted")
	f.IntVar(&s.page, "page", 1000, "items in a request")
	f.IntVar(&s.batch, "batch", 500, "items between two writes of the checkpoint")
	if err := cli.ParseFlags(f, p.Args); err != nil {
		return s, err
	}
	if s.format == "" {
		switch filepath.Ext(s.out) {
		case ".csv":
			s.format = "csv"
		case ".sqlite", ".db":
			s.format = "sqlite"
		default:
			s.format = "ndjson"
		}
	}
	switch {
	case f.NArg() > 0:
		return s, cli.Misuse("it takes no arguments but flags")
	case s.what != "attacks" && s.what != "hits":
		return s, cli.Misuse("-what is attacks or hits, not %q", s.what)
	case s.format != "ndjson" && s.format != "csv" && s.format != "sqlite":
		return s, cli.Misuse("-format is ndjson, csv or sqlite, not %q", s.format)
	case s.out == "" && (s.format == "sqlite" || s.html != ""):
		return s, cli.Misuse("it needs a file to write to: -o")
	case s.since <= 0 || s.page < 1 || s.page > 1000 || s.batch < 1:
		return s, cli.Misuse("-since and -batch must be positive, and -page from 1 to 1000")
	}
	return s, nil
}

// state is what the file of -checkpoint holds.
type state struct {
	What   string `json:"what"`
	Format string `json:"format"`
	// From and Until are fixed when the export begins: a place in a list is one of a list with these times.
	From  time.Time                `json:"from"`
	Until time.Time                `json:"until"`
	Place wallarm.Checkpoint       `json:"place"`
	Done  bool                     `json:"done"`
	Watch *wallarm.WatchCheckpoint `json:"watch,omitempty"`
	// Size is the length of the output at that place. What stands behind it was written by a run that did not live to note it.
	Size int64 `json:"size"`
}

func load(s settings) (*state, error) {
	now := time.Now().Truncate(time.Second)
	fresh := &state{What: s.what, Format: s.format, From: now.Add(-s.since), Until: now}
	if s.checkpoint == "" {
		return fresh, nil
	}
	data, err := os.ReadFile(s.checkpoint)
	if errors.Is(err, os.ErrNotExist) {
		return fresh, nil
	}
	var st state
	if err == nil {
		err = json.Unmarshal(data, &st)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.checkpoint, err)
	}
	if st.What != s.what || st.Format != s.format {
		return nil, cli.Misuse("%s belongs to an export of %s as %s", s.checkpoint, st.What, st.Format)
	}
	return &st, nil
}

// save writes a file in one step: whoever reads it sees the old content or the new one.
func save(path string, st *state) error {
	data, err := json.Marshal(st)
	if err != nil {
		return err
	}
	// The name is always the same, so that what a killed run leaves is overwritten by the next one.
	next, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
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

// export is one run.
type export struct {
	settings
	state  *state
	client *wallarm.Client
	sink   sink
	meter  *meter
	// waiting is how many items were written since the last save.
	waiting int
	// failure is what went wrong in a save that nobody could be told of at once; broken says that something was not written, so that the place
	// must not be noted any more.
	failure error
	broken  bool
}

func run(ctx context.Context, p *cli.Program) (err error) {
	s, err := parse(p)
	if err != nil {
		return err
	}
	st, err := load(s)
	if err != nil {
		return err
	}
	client, stop, err := p.Client()
	if err != nil {
		return err
	}
	defer stop()
	out, err := open(s, p.Out, st.Size)
	if err != nil {
		return err
	}
	e := &export{settings: s, state: st, client: client, sink: out, meter: newMeter(p.Err, isTerminal(p.Err))}
	err = e.all(ctx)
	if s.follow && err == nil {
		err = e.watch(ctx)
	}
	e.meter.finish()
	interrupted := ctx.Err() != nil
	if err = errors.Join(err, e.save(), out.Close()); err != nil && !(interrupted && s.html != "") {
		return err
	}
	if s.html != "" {
		return errors.Join(err, report(s, st))
	}
	return err
}

// save makes what was written last, and then notes the place behind it.
func (e *export) save() error {
	if e.broken {
		return nil
	}
	e.waiting = 0
	size, err := e.sink.Commit()
	e.broken = err != nil
	if err != nil || e.checkpoint == "" {
		return err
	}
	e.state.Size = size
	return save(e.checkpoint, e.state)
}

// write handles one item.
func (e *export) write(r record, err error) error {
	if err != nil {
		return err
	}
	if err = e.sink.Write(r); err != nil {
		e.broken = true
		return err
	}
	if e.waiting++; e.waiting >= e.batch {
		return e.save()
	}
	return nil
}

// progress is called when a page is done.
func (e *export) progress(pr wallarm.Progress) {
	e.meter.update(pr.Position)
	if e.waiting > 0 && e.failure == nil {
		e.failure = e.save()
	}
}

func (e *export) each(items iter.Seq2[record, error]) error {
	for r, err := range items {
		if err = e.write(r, err); err == nil {
			err = e.failure
		}
		if err != nil {
			return err
		}
	}
	return e.failure
}

// all exports what there is.
func (e *export) all(ctx context.Context) error {
	if e.state.Done {
		return nil
	}
	span := wallarm.Between(e.state.From, e.state.Until)
	counts, err := e.client.Attacks.Count(ctx, wallarm.AttackFilter{Time: span})
	if err != nil {
		return err
	}
	opts := []wallarm.CallOption{wallarm.Resume(&e.state.Place), wallarm.OnProgress(e.progress), wallarm.PageSize(e.page)}
	if e.what == "hits" {
		// Nodes upload samples, so that there may be fewer hits to list than were counted.
		e.meter.begin(counts.Hits, e.state.Place.Items())
		err = e.each(records(e.client.Hits.All(ctx, wallarm.HitFilter{Time: span}, opts...), fromHit))
	} else {
		e.meter.begin(counts.Attacks, e.state.Place.Items())
		err = e.each(records(e.client.Attacks.All(ctx, wallarm.AttackFilter{Time: span}, opts...), fromAttack))
	}
	if err != nil {
		return err
	}
	e.state.Done = true
	return e.save()
}

// watch exports what is new.
func (e *export) watch(ctx context.Context) error {
	if e.state.Watch == nil {
		e.state.Watch = new(wallarm.WatchCheckpoint)
	}
	options := wallarm.WatchOptions{Checkpoint: e.state.Watch, OnError: func(err error) { e.meter.say("still trying: %v", err) }}
	// What happened shortly before the end of the list may have come in after it was read.
	span := wallarm.Since(e.state.Until.Add(-5 * time.Minute))
	e.meter.begin(0, e.state.Place.Items())
	e.meter.say("following what is new; interrupt to end")
	done := wallarm.OnProgress(func(wallarm.Progress) {
		if e.waiting > 0 && e.failure == nil {
			e.failure = e.save()
		}
	})
	if e.what == "hits" {
		return e.each(records(e.client.Hits.Watch(ctx, wallarm.HitFilter{Time: span}, options, done), fromHit))
	}
	return e.each(records(e.client.Attacks.Watch(ctx, wallarm.AttackFilter{Time: span}, options, done), fromAttack))
}

// records turns items into records.
func records[T any](items iter.Seq2[T, error], of func(*T) (record, error)) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for item, err := range items {
			var r record
			if err == nil {
				r, err = of(&item)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
