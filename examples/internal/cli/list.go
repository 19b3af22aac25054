package cli

import (
	"fmt"
	"iter"

	"github.com/wallarm-sdk/wallarm"
)

// largestPage is the most that the lists of attacks and rules give at once.
const largestPage = 1000

// List prints the items of pages, at most limit of them unless that is 0, and says on p.Err if there were more. what names the items. It
// returns how many it printed.
func List[T any](p *Program, printer *Printer[T], what string, limit int, pages func(...wallarm.CallOption) iter.Seq2[*wallarm.Page[T], error]) (int, error) {
	opts := []wallarm.CallOption{wallarm.KeepRaw()}
	if limit > 0 {
		// One more than wanted. It comes in a page of its own, behind those that are printed.
		opts = append(opts, wallarm.PageSize(min(limit, largestPage)), wallarm.MaxItems(limit+1))
	}
	n, more := 0, false
	for page, err := range pages(opts...) {
		if err != nil && limit > 0 && n == limit {
			break // All that was wanted is printed. Whether there is more stays unknown.
		}
		if err != nil {
			return n, err
		}
		if limit > 0 && n+len(page.Items) > limit {
			more = true
			page.Items = page.Items[:limit-n]
		}
		if err := printer.Page(page); err != nil {
			return n, err
		}
		n += len(page.Items)
	}
	if err := printer.Close(); err != nil {
		return n, err
	}
	if more {
		fmt.Fprintf(p.Err, "The limit of %d is reached, and more %s exist; -limit 0 shows all.\n", limit, what)
	}
	return n, nil
}

// CheckLimit refuses a limit that List does not take.
func CheckLimit(limit int) error {
	if limit < 0 || limit+1 < limit {
		return Misuse("-limit %d: want 0 or more", limit)
	}
	return nil
}
