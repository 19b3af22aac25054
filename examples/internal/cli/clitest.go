package cli

import (
	"bytes"
	"context"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// TB is what a test of an example needs of *testing.T.
type TB interface {
	wallarmtest.TB
	Setenv(name, value string)
	Context() context.Context
}

// Try runs an example as a test does: against server, or without credentials if server is nil. It returns the exit code and what was written.
func Try(t TB, server *wallarmtest.Server, run func(context.Context, *Program) error, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	for _, name := range []string{wallarm.EnvToken, wallarm.EnvUUID, wallarm.EnvSecret, wallarm.EnvHost, wallarm.EnvRegion, wallarm.EnvClientID} {
		t.Setenv(name, "")
	}
	if server != nil {
		t.Setenv(wallarm.EnvHost, server.URL)
		t.Setenv(wallarm.EnvToken, wallarmtest.AdminToken)
	}
	var out, errs bytes.Buffer
	code = Run(t.Context(), &Program{Name: "examples/test", Args: args, Out: &out, Err: &errs}, run)
	return code, out.String(), errs.String()
}
