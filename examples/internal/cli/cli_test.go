package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// childVariable makes the test binary be a program, which takes one argument at least.
const childVariable = "CLI_TEST_CHILD"

// TestMain fails if any test left a goroutine, and so a connection, behind.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		Main("examples/test", program)
		return
	}
	goleak.VerifyTestMain(m)
}

func program(_ context.Context, p *Program) error {
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	fail := flags.Bool("fail", false, "fail")
	if err := p.Parse(flags, p.Args, "WORD", "Does nothing."); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return Misuse("want a %s", "WORD")
	}
	if *fail {
		return fmt.Errorf("it failed")
	}
	return nil
}

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"success", []string{"word"}, OK, ""},
		{"help", []string{"-h"}, OK, "Usage: go run ./examples/test WORD"},
		{"long help", []string{"--help"}, OK, "Usage:"},
		{"failure", []string{"-fail", "word"}, Failed, "examples/test: it failed\n"},
		{"unknown flag", []string{"-nope"}, Misused, "flag provided but not defined: -nope"},
		{"bad value", []string{"-fail=x"}, Misused, "invalid boolean value"},
		{"missing argument", nil, Misused, "examples/test: want a WORD\nTry -h for help.\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), os.Args[0], test.args...)
			child.Env = append(os.Environ(), childVariable+"=1")
			var out, errs bytes.Buffer
			child.Stdout, child.Stderr = &out, &errs
			err := child.Run()
			var exit *exec.ExitError
			require.True(t, err == nil || errors.As(err, &exit), err)
			require.Equal(t, test.code, child.ProcessState.ExitCode(), errs.String())
			require.Empty(t, out.String())
			if test.stderr == "" {
				require.Empty(t, errs.String())
			}
			require.Contains(t, errs.String(), test.stderr)
		})
	}
}

func TestHelpHasAHeadingForFlagsOnlyIfThereAreAny(t *testing.T) {
	help := func(flags *flag.FlagSet) string {
		var errs bytes.Buffer
		p := &Program{Name: "examples/test", Err: &errs}
		require.ErrorIs(t, p.Parse(flags, []string{"-h"}, "ID…", "Does nothing."), flag.ErrHelp)
		return errs.String()
	}
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	text := help(flags)
	require.NotContains(t, text, "Flags:")
	require.Contains(t, text, "Does nothing.\n\nEnvironment:\n")
	flags.Bool("x", false, "the flag")
	require.Contains(t, help(flags), "Does nothing.\n\nFlags:\n  -x\tthe flag\n\nEnvironment:\n")
}
