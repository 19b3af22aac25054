// Command bench measures this SDK beside three others in one run: the floor (net/http that moves the bytes and decodes nothing), plain code
// (net/http with encoding/json), and the vendor's client. It prints ratios: the median of those of interleaved rounds.
//
//	go run .
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		exit(play(role))
		return
	}
	rounds := flag.Int("rounds", 9, "rounds; the ratios are medians of so many")
	quick := flag.Bool("quick", false, "tiny sizes, which show that everything runs and nothing else")
	only := flag.String("only", "", "measure only rows whose title contains this")
	flag.Parse()
	size := fullScale(max(*rounds, 1))
	if *quick {
		size = quickScale(max(*rounds, 1))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(report(ctx, os.Stdout, size, *only))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// play is the main function of a child process.
func play(role string) error {
	if role == "server" {
		return serve()
	}
	return perform(role)
}

// report measures everything and prints it.
func report(ctx context.Context, w io.Writer, size scale, only string) error {
	wanted := func(title string) bool { return strings.Contains(strings.ToLower(title), strings.ToLower(only)) }
	s, err := startServer()
	if err != nil {
		return err
	}
	defer s.stop()
	fmt.Fprintf(w, "%s, %s/%s, %d processors, %s; medians of %d interleaved rounds\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format("2006-01-02"), size.rounds)
	all, err := rows(s, size)
	if err != nil {
		return err
	}
	for _, r := range all {
		if !wanted(r.title) {
			continue
		}
		results, err := r.measure(ctx, size.rounds)
		if err != nil {
			return err
		}
		r.print(w, results)
	}
	if title := "One failed call among many"; wanted(title) {
		lost, err := lostConnections(ctx, s)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\n### %s\n\nConnections lost: %d (goal: 0).\n", title, lost)
	}
	if !wanted("Memory above idle") {
		return nil
	}
	if !canWatch() {
		fmt.Fprintln(w, "\nThis system does not tell the memory of a process.")
		return nil
	}
	results, err := measureMemory(s, size)
	if err != nil {
		return err
	}
	printMemory(w, results)
	return nil
}
