package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/wallarm-sdk/wallarm"
)

// task is what a process of its own does while its memory is watched.
type task struct {
	Base, Contender string
	Pages, Flight   int
	// Huge is the number of items in one huge answer; 0 for a list.
	Huge int
}

// footprint is the memory of a task in bytes: resident at idle, after the first call, and at the highest. FirstItem is when the first item
// of a huge answer came.
type footprint struct {
	Idle, Peak int64
	FirstItem  time.Duration
}

// above is the memory above idle, in MB.
func (f footprint) above() float64 { return float64(f.Peak-f.Idle) / 1e6 }

// watch runs a task in a copy of this program.
func watch(t task) (footprint, error) {
	var f footprint
	role, err := json.Marshal(t)
	if err != nil {
		return f, err
	}
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), roleVariable+"="+string(role))
	process.Stderr = os.Stderr
	output, err := process.Output()
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(output, &f)
}

// perform is the whole life of such a process.
func perform(role string) error {
	var t task
	if err := json.Unmarshal([]byte(role), &t); err != nil {
		return err
	}
	ctx := context.Background()
	made, err := contenders(t.Base, func() http.RoundTripper { return tunedTransport(nil) })
	if err != nil {
		return err
	}
	c := made[t.Contender]
	if err := c.user(ctx); err != nil {
		return err
	}
	runtime.GC()
	debug.FreeOSMemory()
	var f footprint
	if f.Idle, err = resident("VmRSS:"); err != nil {
		return err
	}
	// The highest mark starts anew from here on.
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return err
	}
	sdk, isOurs := c.(*ours)
	switch {
	case t.Huge > 0:
		f.FirstItem, err = sdk.huge(ctx, t.Huge)
	case isOurs:
		err = sdk.list(ctx, t.Pages*pageSize, wallarm.Concurrency(t.Flight))
	default:
		err = readPages(ctx, c, t.Pages)
	}
	if err != nil {
		return err
	}
	if f.Peak, err = resident("VmHWM:"); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// canWatch says whether this system tells the memory of a process.
func canWatch() bool {
	_, err := resident("VmHWM:")
	return err == nil
}

func resident(name string) (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if rest, found := strings.CutPrefix(string(line), name); found {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("there is no %s", name)
}

// huge reads one answer of many items, which come one by one as they arrive.
func (o *ours) huge(ctx context.Context, items int) (first time.Duration, err error) {
	began := time.Now()
	in := map[string]any{"limit": items, "offset": 0}
	n := 0
	for _, err := range wallarm.Stream[wallarm.Hit](ctx, o.client, http.MethodPost, "/v1/objects/hit", in, wallarm.WithReplayClass(wallarm.ReplayRead)) {
		if err != nil {
			return 0, err
		}
		if n++; n == 1 {
			first = time.Since(began)
		}
	}
	if n != items {
		return first, fmt.Errorf("%w: %d items of %d", errIncomplete, n, items)
	}
	return first, nil
}

// memoryCase is a line of the table of memory.
type memoryCase struct {
	title string
	task
	goal float64
}

// memoryResult is what it came to in all rounds.
type memoryResult struct {
	memoryCase
	above, first []float64
}

// streamsInRound is how often a huge answer is streamed in a round: when its first item comes varies more than memory does.
const streamsInRound = 3

func measureMemory(s *server, size scale) ([]memoryResult, error) {
	var cases []memoryResult
	for _, pages := range size.memoryPages {
		base := s.base(s.HTTP, pageLatency, 0, pages*pageSize)
		list := func(name, contender string, flight int, goal float64) {
			title := fmt.Sprintf("%s, %d pages", name, pages)
			cases = append(cases, memoryResult{memoryCase: memoryCase{title, task{Base: base, Contender: contender, Pages: pages, Flight: flight}, goal}})
		}
		if pages <= 100 {
			list("plain", "plain", 1, 0)
			list("vendor", "vendor", 1, 0)
		}
		list("sdk", "sdk", 1, 12)
		list("sdk, 4 in flight", "sdk", 4, 26)
	}
	huge := task{Base: s.base(s.HTTP, 0, 0, size.hugeItems), Contender: "sdk", Huge: size.hugeItems}
	cases = append(cases, memoryResult{memoryCase: memoryCase{fmt.Sprintf("sdk, one answer of %d hits, streamed", size.hugeItems), huge, 10}})
	for range size.memoryRounds {
		for i := range cases {
			times := 1
			if cases[i].Huge > 0 {
				times = streamsInRound
			}
			for range times {
				f, err := watch(cases[i].task)
				if err != nil {
					return nil, fmt.Errorf("memory, %s: %w", cases[i].title, err)
				}
				cases[i].above = append(cases[i].above, f.above())
				if f.FirstItem > 0 {
					cases[i].first = append(cases[i].first, f.FirstItem.Seconds()*1e3)
				}
			}
		}
	}
	return cases, nil
}

func printMemory(w io.Writer, results []memoryResult) {
	fmt.Fprint(w, "\n### Memory above idle\n\n| | MB, median (lowest to highest) | goal |\n|---|---|---|\n")
	for _, m := range results {
		verdict := ""
		if median := quantile(m.above, 0.5); m.goal > 0 && median <= m.goal {
			verdict = fmt.Sprintf("%g MB: reached", m.goal)
		} else if m.goal > 0 {
			verdict = fmt.Sprintf("%g MB: missed", m.goal)
		}
		fmt.Fprintf(w, "| %s | **%.1f** (%.1f to %.1f) | %s |\n", m.title, quantile(m.above, 0.5), quantile(m.above, 0), quantile(m.above, 1), verdict)
	}
	for _, m := range results {
		if len(m.first) > 0 {
			fmt.Fprintf(w, "\nFirst item of the streamed answer after %.2g ms, median (%.2g to %.2g; goal: 2 ms).\n",
				quantile(m.first, 0.5), quantile(m.first, 0), quantile(m.first, 1))
		}
	}
}
