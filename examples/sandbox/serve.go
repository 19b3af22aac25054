package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// sandbox is a cloud with its state file.
type sandbox struct {
	settings
	cloud    *wallarmtest.Cloud
	log      *requestLog
	certFile string
	restored bool
	requests atomic.Int64 // served since the start
}

func newSandbox(s settings, stderr io.Writer) (*sandbox, error) {
	box := &sandbox{settings: s, log: newRequestLog(stderr, s.token)}
	options := []wallarmtest.Option{wallarmtest.WithSeed(s.seed), wallarmtest.WithRequestLog(0)}
	found, err := stateExists(s.state)
	if err != nil {
		return nil, err
	}
	if !found && s.events == 0 {
		options = append(options, wallarmtest.WithSampleData())
	}
	box.cloud = wallarmtest.NewCloud(options...)
	if found {
		if err := loadState(box.cloud, s.state); err != nil {
			return nil, err
		}
		box.restored = true
	} else {
		box.cloud.SeedEvents(s.events)
	}
	box.cloud.AddToken(wallarmtest.Token{
		Value: s.token, ClientID: wallarmtest.DefaultClientID, Permissions: []string{"partner_admin_ext"},
	})
	return box, nil
}

// announce prints what a client has to know, as lines for a shell.
func (box *sandbox) announce(w io.Writer, address string) {
	scheme := "http"
	if box.certFile != "" {
		scheme = "https"
	}
	url := scheme + "://" + address
	fmt.Fprintln(w, "# The sandbox listens on", url)
	switch {
	case box.restored:
		fmt.Fprintln(w, "# with the state of", box.state)
	case box.events > 0:
		fmt.Fprintln(w, "# with", box.events, "attacks")
	default:
		fmt.Fprintln(w, "# with sample data")
	}
	fmt.Fprintln(w, "# Ctrl-C stops it.")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "export WALLARM_API_HOST="+url)
	fmt.Fprintln(w, "export WALLARM_API_TOKEN="+quote(box.token))
	fmt.Fprintln(w, "export WALLARM_API_CLIENT_ID="+fmt.Sprint(wallarmtest.DefaultClientID))
	if box.certFile != "" {
		fmt.Fprintln(w, "export SSL_CERT_FILE="+quote(box.certFile))
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "# Clients that know no tokens take these instead of WALLARM_API_TOKEN:")
	fmt.Fprintln(w, "# export WALLARM_API_UUID="+wallarmtest.LegacyUUID)
	fmt.Fprintln(w, "# export WALLARM_API_SECRET="+wallarmtest.LegacySecret)
}

// stopWithin is how long requests may take to end once the sandbox stops.
const stopWithin = 5 * time.Second

// serve answers requests until the context ends, saving the state now and
// then and at the end.
func (box *sandbox) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: box, ReadHeaderTimeout: 30 * time.Second, ErrorLog: box.log.errors()}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	tick := time.NewTicker(box.saveEvery)
	defer tick.Stop()
	saved := int64(0)
	for {
		select {
		case err := <-failed:
			return errors.Join(err, box.save())
		case <-tick.C:
			if now := box.requests.Load(); now != saved {
				saved = now
				if err := box.save(); err != nil {
					box.log.note("the state is not saved: " + err.Error())
				}
			}
		case <-ctx.Done():
			box.stop(server)
			<-failed
			return box.save()
		}
	}
}

func (box *sandbox) stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // whoever still waits is cut off
	}
}

// ServeHTTP hands the request to the cloud and logs it.
func (box *sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer box.requests.Add(1)
	if box.quiet {
		box.cloud.ServeHTTP(w, r)
		return
	}
	start := time.Now()
	watched := &watchedWriter{ResponseWriter: w}
	defer func() { box.log.request(r, watched, time.Since(start)) }()
	box.cloud.ServeHTTP(watched, r)
}
