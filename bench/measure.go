package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is one comparison: every variant once in each round, so that what else the machine does falls on all of them alike.
type row struct {
	title string
	// base is the variant that the others are compared with.
	base string
	// perSecond compares operations per second, not the time of one.
	perSecond bool
	variants  []variant
	// short says that a round takes so little time that several count as one: the more rounds, the less the noise of the machine.
	short bool
	// connections counts the connections that the server accepts meanwhile; nil if the row is not about them.
	connections func() (int, error)
}

// shortRounds is how many short rounds count as one.
const shortRounds = 10

// variant is one way to do what a row measures.
type variant struct {
	name string
	// run does it some times and tells how often.
	run func(context.Context) (operations int, err error)
	// warm runs before the clock starts, after a garbage collection; nil for nothing.
	warm func(context.Context) error
	goal goal
}

// goal is what a variant has to reach; a zero is no goal.
type goal struct {
	ratio       float64
	allocations float64
	bytes       float64
	connections int
}

// sample is one round of a variant; all but connections for one operation.
type sample struct {
	wall, processor    time.Duration
	allocations, bytes float64
	connections        int
}

// result is what became of a variant in all rounds.
type result struct {
	variant
	samples []sample
	// ratios are those to the base, one for each round; processorRatios the same for processor time.
	ratios, processorRatios []float64
}

// measure runs a row. It begins each round with another variant.
func (r *row) measure(ctx context.Context, rounds int) ([]result, error) {
	results := make([]result, len(r.variants))
	for i, v := range r.variants {
		results[i].variant = v
	}
	if r.short {
		rounds *= shortRounds
	}
	for round := range rounds {
		for i := range r.variants {
			current := &results[(i+round)%len(results)]
			s, err := r.sample(ctx, &current.variant)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", r.title, current.name, err)
			}
			current.samples = append(current.samples, s)
		}
	}
	r.compare(results)
	return results, nil
}

func (r *row) sample(ctx context.Context, v *variant) (s sample, err error) {
	before := 0
	if r.connections != nil {
		if before, err = r.connections(); err != nil {
			return s, err
		}
	}
	runtime.GC()
	if v.warm != nil {
		if err := v.warm(ctx); err != nil {
			return s, err
		}
	}
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	processor, began := processorTime(), time.Now()
	operations, err := v.run(ctx)
	s.wall, s.processor = time.Since(began), processorTime()-processor
	runtime.ReadMemStats(&end)
	if err != nil {
		return s, err
	}
	n := max(operations, 1)
	s.wall, s.processor = s.wall/time.Duration(n), s.processor/time.Duration(n)
	s.allocations = float64(end.Mallocs-start.Mallocs) / float64(n)
	s.bytes = float64(end.TotalAlloc-start.TotalAlloc) / float64(n)
	if r.connections != nil {
		after, err := r.connections()
		if err != nil {
			return s, err
		}
		s.connections = after - before
	}
	return s, nil
}

func (r *row) compare(results []result) {
	base := slices.IndexFunc(results, func(x result) bool { return x.name == r.base })
	for i := range results {
		for round, s := range results[i].samples {
			b := results[base].samples[round]
			ratio := float64(s.wall) / float64(b.wall)
			if r.perSecond {
				ratio = 1 / ratio
			}
			results[i].ratios = append(results[i].ratios, ratio)
			if b.processor > 0 {
				results[i].processorRatios = append(results[i].processorRatios, float64(s.processor)/float64(b.processor))
			}
		}
	}
}

// quantile returns the value below which a share of the values lies.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	at := share * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// median of what f says of each sample.
func (x *result) median(f func(sample) float64) float64 {
	values := make([]float64, len(x.samples))
	for i, s := range x.samples {
		values[i] = f(s)
	}
	return quantile(values, 0.5)
}

func (x *result) wall() time.Duration {
	return time.Duration(x.median(func(s sample) float64 { return float64(s.wall) }))
}

func (x *result) allocations() float64 {
	return x.median(func(s sample) float64 { return s.allocations })
}

func (x *result) bytes() float64 { return x.median(func(s sample) float64 { return s.bytes }) }

// opened is the number of connections in all rounds.
func (x *result) opened() (n int) {
	for _, s := range x.samples {
		n += s.connections
	}
	return n
}

// print writes the row as a table in Markdown.
func (r *row) print(w io.Writer, results []result) {
	compared := "time"
	if r.perSecond {
		compared = "per second"
	}
	fmt.Fprintf(w, "\n### %s\n\n", r.title)
	fmt.Fprintf(w, "| | time | %s, ratio to %s (quartiles) | processor time, ratio | allocations | KB allocated |", compared, r.base)
	rule := "|---|---|---|---|---|---|"
	if r.connections != nil {
		fmt.Fprint(w, " connections |")
		rule += "---|"
	}
	fmt.Fprintf(w, " goal |\n%s---|\n", rule)
	for i := range results {
		x := &results[i]
		fmt.Fprintf(w, "| %s | %s | **%.3g** (%.3g to %.3g) | %.3g | %.0f | %s |", x.name, rounded(x.wall()),
			quantile(x.ratios, 0.5), quantile(x.ratios, 0.25), quantile(x.ratios, 0.75), quantile(x.processorRatios, 0.5),
			x.allocations(), kilobytes(x.bytes()))
		if r.connections != nil {
			fmt.Fprintf(w, " %d |", x.opened())
		}
		fmt.Fprintf(w, " %s |\n", r.verdict(x))
	}
}

func rounded(d time.Duration) string {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d > time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d > 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}

func kilobytes(bytes float64) string {
	if bytes < 100e3 {
		return fmt.Sprintf("%.1f", bytes/1e3)
	}
	return fmt.Sprintf("%.0f", bytes/1e3)
}

// verdict names the goals of a variant and whether the medians reach them.
func (r *row) verdict(x *result) string {
	var parts []string
	say := func(reached bool, format string, values ...any) {
		word := "missed"
		if reached {
			word = "reached"
		}
		parts = append(parts, fmt.Sprintf(format, values...)+": "+word)
	}
	if g := x.goal.ratio; g > 0 && r.perSecond {
		say(quantile(x.ratios, 0.5) >= g, "at least %g", g)
	} else if g > 0 {
		say(quantile(x.ratios, 0.5) <= g, "at most %g", g)
	}
	if g := x.goal.allocations; g > 0 {
		say(x.allocations() <= g, "%g allocations", g)
	}
	if g := x.goal.bytes; g > 0 {
		say(x.bytes() <= g, "%s KB", kilobytes(g))
	}
	if g := x.goal.connections; g > 0 {
		say(x.opened() <= g, "%d connections", g)
	}
	return strings.Join(parts, "; ")
}
