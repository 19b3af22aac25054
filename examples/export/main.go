// Export writes attacks or hits to NDJSON, CSV or SQLite, resumes where it was killed, follows what is new, and draws a report.
//
//	go -C examples/export run . -what hits -since 30d -o hits.sqlite -checkpoint hits.state -follow
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"iter"
	"net/http"
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
	interval                            time.Duration
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
	cli.DurationVar(f, &s.interval, "interval", 30*time.Second, "the `duration` between two looks for what is new with -follow")
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
	case s.interval < 10*time.Millisecond:
		return s, cli.Misuse("-interval is 10ms at least")
	case s.since <= 0 || s.page < 1 || s.page > 1000 || s.batch < 1:
		return s, cli.Misuse("-since and -batch must be positive, and -page from 1 to 1000")
	}
	return s, checkFiles(s)
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
	// begun says that something came to write. Before it, the output of a former run stays as it is.
	begun bool
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
	if err = st.admit(ctx, s, client); err != nil {
		return err
	}
	out, err := open(s, p.Out, st)
	if err != nil {
		return err
	}
	e := &export{settings: s, state: st, client: client, sink: out, meter: newMeter(p.Err, isTerminal(p.Err))}
	err = e.all(ctx)
	if s.follow && err == nil {
		err = e.watch(ctx)
	}
	e.meter.finish()
	interrupted := ctx.Err() != nil && (e.begun || st.resumed)
	err = errors.Join(err, e.save(), out.Close())
	if s.html == "" || (err != nil && !interrupted) {
		return err
	}
	return errors.Join(err, report(s, st))
}

// begin makes the output ready. It is called when the first page has come: a login that fails must not cost what a former run wrote.
func (e *export) begin() error {
	if e.begun {
		return nil
	}
	err := e.sink.Begin()
	e.begun, e.broken = err == nil, err != nil
	return err
}

// save makes what was written last, and then notes the place behind it.
func (e *export) save() error {
	if e.broken || !e.begun {
		return nil
	}
	e.waiting = 0
	written, err := e.sink.Commit()
	e.broken = err != nil
	if err != nil || e.checkpoint == "" {
		return err
	}
	e.state.mark = written
	return save(e.checkpoint, e.state)
}

// write handles one item.
func (e *export) write(r record, err error) error {
	if err == nil {
		err = e.begin()
	}
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
		if !e.follow {
			e.meter.say("%s says that this export, up to %s, is already complete; nothing was done. Delete it to export anew.",
				e.checkpoint, e.state.Until.Format(time.RFC3339))
		}
		return nil
	}
	if err := e.setClock(ctx); err != nil {
		return err
	}
	span := e.span()
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
	if err == nil {
		err = e.begin() // the list may be empty
	}
	if err != nil {
		return err
	}
	e.state.Done = true
	return e.save()
}

// span is the time of what is exported. That of attacks has no end: one that goes on beyond it might leave the list before it is read.
func (e *export) span() wallarm.TimeRange {
	if e.what == "attacks" {
		return wallarm.Since(e.state.From)
	}
	return wallarm.Between(e.state.From, e.state.Until)
}

// setClock moves the times of a new export to what the server says that it is. The answer is one of the list itself.
func (e *export) setClock(ctx context.Context) (err error) {
	if e.state.resumed {
		return nil
	}
	var answer wallarm.Response
	span, one := e.span(), wallarm.PageOptions{Limit: 1}
	if e.what == "hits" {
		_, err = e.client.Hits.List(ctx, wallarm.HitFilter{Time: span}, one, wallarm.WithResponse(&answer))
	} else {
		_, err = e.client.Attacks.List(ctx, wallarm.AttackFilter{Time: span}, one, wallarm.WithResponse(&answer))
	}
	if err != nil {
		return err
	}
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return nil // it does not tell, and the clock of this machine counts
	}
	if ahead := time.Since(date).Truncate(time.Second); e.state.setBack(ahead) {
		e.meter.say("The clock of this machine is %v ahead of the server's, which counts.", ahead)
	}
	return nil
}

// watch exports what is new.
func (e *export) watch(ctx context.Context) error {
	if err := e.begin(); err != nil {
		return err
	}
	if e.state.Watch == nil {
		e.state.Watch = new(wallarm.WatchCheckpoint)
	}
	options := wallarm.WatchOptions{Checkpoint: e.state.Watch, Interval: e.interval, OnError: func(err error) { e.meter.say("still trying: %v", err) }}
	// What happened shortly before the end of the list may have come in after it was read. The list ends no later than the present of the server.
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
