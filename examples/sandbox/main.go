// Sandbox serves the fake Wallarm cloud of package wallarmtest on a loopback
// port, for any client in any language.
//
//	go run github.com/wallarm-sdk/wallarm/examples/sandbox -addr 127.0.0.1:8080
//
// It prints the environment variables that clients know, logs each request
// in one line, and stops on SIGINT or SIGTERM. With -state it goes on where
// the last run ended.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"time"

	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func main() { cli.Main("examples/sandbox", program) }

func program(ctx context.Context, p *cli.Program) error { return run(ctx, p.Args, p.Out, p.Err) }

// settings are the flags.
type settings struct {
	addr, token, state string
	seed               int64
	events             int
	tls, expose, quiet bool
	saveEvery          time.Duration
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.addr, "addr", "127.0.0.1:8080", "loopback address to listen on; port 0 takes a free one")
	flags.StringVar(&s.token, "token", wallarmtest.AdminToken, "API token to accept, with all rights in the default client")
	flags.Int64Var(&s.seed, "seed", 1, "what ids, secrets and sample data follow from")
	flags.StringVar(&s.state, "state", "", "file that keeps the state between runs")
	cli.DurationVar(flags, &s.saveEvery, "save-every", 30*time.Second, "the `interval` at which the state is saved while requests come in")
	flags.BoolVar(&s.tls, "tls", false, "speak https with a throwaway certificate for 127.0.0.1 and localhost")
	flags.IntVar(&s.events, "events", 0, "so many attacks with their hits instead of the sample, for load tests")
	flags.BoolVar(&s.quiet, "quiet", false, "log no requests")
	flags.BoolVar(&s.expose, "expose", false, "allow an address that others can reach; the tokens are public knowledge")
	if err := cli.ParseFlags(flags, args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, cli.Misuse("unexpected argument %q", flags.Arg(0))
	case s.token == "":
		return s, cli.Misuse("-token must not be empty")
	case s.events < 0:
		return s, cli.Misuse("-events must not be negative")
	case s.saveEvery <= 0:
		return s, cli.Misuse("-save-every must be positive")
	}
	return s, s.checkAddress()
}

// checkAddress refuses addresses that other machines can reach: whoever
// reaches the sandbox knows its tokens.
func (s settings) checkAddress() error {
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		return cli.Misuse("-addr: %v", err)
	}
	if ip := net.ParseIP(host); s.expose || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return cli.Misuse("-addr: %q is not a loopback address; -expose allows it", s.addr)
}

// run serves until the context ends. It returns nil after a clean stop.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	box, err := newSandbox(s, stderr)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	if s.tls {
		certificate, err := newCertificate(time.Now())
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer certificate.remove()
		listener = certificate.wrap(listener)
		box.certFile = certificate.file
	}
	box.announce(stdout, listener.Addr().String())
	return box.serve(ctx, listener)
}
