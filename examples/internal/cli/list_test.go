package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestListSaysWhatTheLimitCut(t *testing.T) {
	const hint = "The limit of %d is reached, and more attacks exist; -limit 0 shows all.\n"
	for _, test := range []struct {
		have, limit, shown int
		more               bool
	}{
		{have: 5, limit: 3, shown: 3, more: true},
		{have: 4, limit: 3, shown: 3, more: true},
		{have: 3, limit: 3, shown: 3},
		{have: 2, limit: 3, shown: 2},
		{have: 2, limit: 1, shown: 1, more: true},
		{have: 1, limit: 1, shown: 1},
		{have: 0, limit: 1, shown: 0},
		{have: 5, limit: 0, shown: 5},
		{have: 100, limit: 50, shown: 50, more: true},
		{have: 50, limit: 50, shown: 50},
		{have: 1300, limit: 1200, shown: 1200, more: true},
		{have: 1001, limit: 1000, shown: 1000, more: true},
		{have: 5, limit: math.MaxInt - 1, shown: 5},
	} {
		t.Run(fmt.Sprintf("%d of %d", test.limit, test.have), func(t *testing.T) {
			server := wallarmtest.NewServer(t)
			server.SeedEvents(test.have)
			for _, format := range []string{"table", "csv", "json"} {
				code, out, errs := Try(t, server, attacks, "-since", "60d", "-format", format, "-limit", fmt.Sprint(test.limit))
				require.Equal(t, OK, code, errs)
				header := 1
				if format == "json" || format == "table" && test.have == 0 {
					header = 0
				}
				if test.have == 0 && format == "table" {
					require.Equal(t, "No attacks in the last 1440h0m0s.\n", out)
				} else {
					require.Equal(t, header+test.shown, strings.Count(out, "\n"))
				}
				want := ""
				if test.more {
					want = fmt.Sprintf(hint, test.limit)
				}
				require.Equal(t, want, errs)
			}
		})
	}
}

func attacks(ctx context.Context, p *Program) error {
	return ListAttacks(ctx, p, "attacks", func(c *wallarm.Client) Pages { return c.Attacks.Pages })
}

// TestListIsSilentIfItCannotKnow lets the look behind the limit fail: what was asked for is there all the same.
func TestListIsSilentIfItCannotKnow(t *testing.T) {
	pages := func(sizes ...int) func(...wallarm.CallOption) iter.Seq2[*wallarm.Page[int], error] {
		return func(...wallarm.CallOption) iter.Seq2[*wallarm.Page[int], error] {
			return func(yield func(*wallarm.Page[int], error) bool) {
				for _, n := range sizes {
					if !yield(&wallarm.Page[int]{Items: make([]int, n)}, nil) {
						return
					}
				}
				yield(nil, errors.New("broken"))
			}
		}
	}
	list := func(limit int, sizes ...int) (int, string, error) {
		var out, errs bytes.Buffer
		printer, err := NewPrinter(&out, "csv", Column[int]{Name: "N", Value: func(n *int) string { return fmt.Sprint(*n) }})
		require.NoError(t, err)
		n, err := List(&Program{Out: &out, Err: &errs}, printer, "numbers", limit, pages(sizes...))
		require.Equal(t, n, strings.Count(out.String(), "\n")-1)
		return n, errs.String(), err
	}
	n, hint, err := list(4, 2, 2)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Empty(t, hint)
	for _, limit := range []int{0, 5} {
		n, hint, err = list(limit, 2, 2)
		require.ErrorContains(t, err, "broken")
		require.Equal(t, 4, n)
		require.Empty(t, hint)
	}
}

func TestCheckLimit(t *testing.T) {
	require.NoError(t, CheckLimit(0))
	require.NoError(t, CheckLimit(math.MaxInt-1))
	for _, limit := range []int{-1, math.MaxInt} {
		var misuse *UsageError
		require.ErrorAs(t, CheckLimit(limit), &misuse)
	}
}
