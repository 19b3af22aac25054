// Package cli holds what the example programs share: the client from the environment, flags, tables.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// Exit codes of the example programs.
const (
	OK          = 0
	Failed      = 1
	Misused     = 2
	Interrupted = 130
)

// Program is one run of an example.
type Program struct {
	// Name is the path of the example, such as examples/attacks.
	Name string
	Args []string
	Out  io.Writer
	Err  io.Writer
}

// Main runs an example as a process: it ends with the exit code, and an interrupt ends its context.
func Main(name string, run func(context.Context, *Program) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := Run(ctx, &Program{Name: name, Args: os.Args[1:], Out: os.Stdout, Err: os.Stderr}, run)
	stop()
	os.Exit(code)
}

// Run runs an example and turns its error into a message and an exit code.
func Run(ctx context.Context, p *Program, run func(context.Context, *Program) error) int {
	err := run(ctx, p)
	var misuse *UsageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return OK
	case errors.As(err, &misuse):
		if !misuse.told {
			fmt.Fprintf(p.Err, "%s: %s\nTry -h for help.\n", p.Name, misuse.message)
		}
		return Misused
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintf(p.Err, "%s: interrupted\n", p.Name)
		return Interrupted
	}
	fmt.Fprintf(p.Err, "%s: %v\n", p.Name, err)
	return Failed
}

// UsageError is a mistake on the command line.
type UsageError struct {
	message string
	// told says that the user has read it already.
	told bool
}

func (e *UsageError) Error() string { return e.message }

// Misuse returns a UsageError.
func Misuse(format string, args ...any) error {
	return &UsageError{message: fmt.Sprintf(format, args...)}
}

const environment = `
Environment:
  WALLARM_API_TOKEN                       an API token, or
  WALLARM_API_UUID, WALLARM_API_SECRET    the legacy pair
  WALLARM_API_REGION                      us or eu (the default)
  WALLARM_API_HOST                        a base URL, in place of a region
  WALLARM_API_CLIENT_ID                   another tenant than that of the token
Without credentials the program shows the invented data of a fake cloud that it runs itself.
`

// Parse parses flags. usage is what stands behind the name of the program, about what the program does.
func (p *Program) Parse(flags *flag.FlagSet, args []string, usage, about string) error {
	flags.SetOutput(p.Err)
	flags.Usage = func() {
		fmt.Fprintf(p.Err, "Usage: go run ./%s %s\n\n%s\n", p.Name, usage, about)
		hasFlags := false
		flags.VisitAll(func(*flag.Flag) { hasFlags = true })
		if hasFlags {
			fmt.Fprint(p.Err, "\nFlags:\n")
			flags.PrintDefaults()
		}
		fmt.Fprint(p.Err, environment)
	}
	return ParseFlags(flags, args)
}

// ParseFlags parses flags. A mistake, which package flag tells the user by itself, is a UsageError.
func ParseFlags(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return &UsageError{message: err.Error(), told: true}
	}
	return err
}

// Client makes the client of an example from the environment. Without credentials it starts a fake cloud in this process and says so. The
// returned function ends what was started.
func (p *Program) Client() (*wallarm.Client, func(), error) {
	options := []wallarm.Option{wallarm.WithApplication("wallarm-" + strings.ReplaceAll(p.Name, "/", "-"))}
	hasCredentials := os.Getenv(wallarm.EnvToken) != "" || os.Getenv(wallarm.EnvUUID) != "" || os.Getenv(wallarm.EnvSecret) != ""
	host := os.Getenv(wallarm.EnvHost)
	if hasCredentials || (host != "" && !isLoopback(host)) {
		client, err := wallarm.NewFromEnv(options...)
		return client, func() {}, err
	}
	if host != "" {
		// A server on this machine, such as examples/sandbox, that may not ask for credentials.
		fmt.Fprintf(p.Err, "No credentials in %s: asking %s with the token %s.\n", wallarm.EnvToken, host, wallarmtest.AdminToken)
		if !strings.Contains(host, "://") {
			host = "http://" + host
		}
		client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), append(options, wallarm.WithBaseURL(host))...)
		return client, func() {}, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("starting the fake cloud: %w", err)
	}
	cloud := wallarmtest.NewCloud(wallarmtest.WithSampleData())
	server := &http.Server{Handler: cloud, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	fmt.Fprintf(p.Err, "No credentials in %s: this is invented data of a fake cloud, run by this very program.\n", wallarm.EnvToken)
	options = append(options, wallarm.WithBaseURL("http://"+listener.Addr().String()))
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), options...)
	return client, func() { _ = server.Close() }, err
}

// isLoopback reports whether a base URL or host name is that of this machine.
func isLoopback(base string) bool {
	if _, after, found := strings.Cut(base, "://"); found {
		base = after
	}
	host := strings.TrimRight(base, "/")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
