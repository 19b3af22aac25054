package wallarm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// restoreTime is how long values that were taken out of a list to stay in it may take to come back, whatever the caller's context says.
const restoreTime = time.Minute

// IPRestoreError says that values which were to stay in a list are missing from it, or may be. They stood in an entry with values that were to
// go; the entry was removed, and adding them again failed. A repeat of the call that returned the error does not bring them back, since it
// no longer finds them. Add them first:
//
//	var lost *wallarm.IPRestoreError
//	if errors.As(err, &lost) {
//		for _, entries := range lost.Lost {
//			_, err := client.IPLists.Add(ctx, entries, wallarm.WithClientID(lost.ClientID))
//			…
//		}
//	}
//
// It matches [ErrOutcomeUnknown], and unwraps to the reasons.
type IPRestoreError struct {
	// ClientID is the client that the list belongs to.
	ClientID int64
	// Lost is what is missing: list, values and terms, ready for [IPListsService.Add]. Force is set, so that values which are in the list
	// nevertheless do no harm.
	Lost []NewIPEntries
	// Err is why the values were not added again, and why the call ended before that, if it did.
	Err error
}

// Error names the values and their terms, and the reason.
func (e *IPRestoreError) Error() string {
	var groups []string
	list := IPList("")
	for _, entries := range e.Lost {
		list = entries.List
		groups = append(groups, fmt.Sprintf("%s (%s)", someValues(entries.Values), entries.text()))
	}
	return fmt.Sprintf("wallarm: values that were to stay may be missing from the %s list of client %d: %s: %v; add them again before you repeat the call",
		list, e.ClientID, strings.Join(groups, "; "), e.Err)
}

// Unwrap returns the reasons.
func (e *IPRestoreError) Unwrap() error { return e.Err }

// Is matches [ErrOutcomeUnknown].
func (e *IPRestoreError) Is(target error) bool { return target == ErrOutcomeUnknown }

// someValues returns the first values for an error text.
func someValues(values []IPValue) string {
	const most = 20
	var texts []string
	for _, value := range values[:min(len(values), most)] {
		texts = append(texts, clip(value.String()))
	}
	if len(values) > most {
		texts = append(texts, fmt.Sprintf("and %d more", len(values)-most))
	}
	return strings.Join(texts, ", ")
}

// ipApply is a plan that is being applied.
type ipApply struct {
	lists   *IPListsService
	result  *SyncResult
	changes []ipChange
	opts    []CallOption
	// changed says that something was removed or added, or may have been.
	changed bool
}

// ipChange is what is to be added, for one reason, and the number of the result that counts it.
type ipChange struct {
	entries []SyncEntry
	done    *int
}

// check finds what [IPListsService.Add] would refuse, and entries that did not come with their terms, while nothing has been removed yet.
func (a *ipApply) check(steps syncSteps, now time.Time) error {
	if _, err := ipRemovals(slices.Concat(steps.removeFirst, steps.removeLast)); err != nil {
		return err
	}
	for _, e := range steps.restore {
		if err := checkRestore(e); err != nil {
			return err
		}
	}
	for _, change := range a.changes {
		for _, entries := range sameTerms(a.result.Plan.List, change.entries) {
			_, err := entries.batches(now)
			if err == nil {
				continue
			}
			if change.done == &a.result.Restored {
				return invalid("plan", "what stays of an entry could not be added again: %v", err)
			}
			return err
		}
	}
	return nil
}

// checkRestore checks that a value which stays of an entry can be added again as it was. An expiry of 0 is none, and comes back as [Forever].
func checkRestore(e SyncEntry) error {
	entry := e.Current
	switch {
	case entry.ExpiresAt.IsZero() || entry.ExpiresAt.Unix() < 0 || len(entry.ApplicationIDs) == 0:
		return fmt.Errorf("wallarm: %w: entry %d came without an expiry or applications, so that %s could not be added again as it was",
			ErrResponse, entry.ID, clip(e.IPValue.String()))
	case !entry.isInForce():
		return invalid("plan", "entry %d has the status %q, but what stays of it, such as %s, would be in force when it is added again",
			entry.ID, clip(entry.Status), clip(e.IPValue.String()))
	}
	return nil
}

// failed is the error of a call that failed.
func (a *ipApply) failed(op operation, err error) error {
	if a.changed {
		return afterPart(op, err)
	}
	return err
}

// replace removes entries of which values stay or come back with other terms, and adds these again.
func (a *ipApply) replace(ctx context.Context, entries []IPEntry) error {
	// What goes with one call comes back before the next.
	for batch := range slices.Chunk(entries, ipBatch) {
		gone, err := a.remove(ctx, batch)
		if gone > 0 {
			err = a.putBack(ctx, batch[:gone], err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove removes entries and returns how many of them are gone or may be.
func (a *ipApply) remove(ctx context.Context, entries []IPEntry) (gone int, err error) {
	for batch := range slices.Chunk(entries, ipBatch) {
		err := a.lists.RemoveEntries(ctx, batch, a.opts...)
		if err != nil && !mayBeRemoved(err) {
			return gone, a.failed(ipListsRemove, err)
		}
		gone += len(batch)
		a.changed = true
		if err != nil {
			return gone, err
		}
		a.result.Removed += a.result.Plan.removedWith(batch)
	}
	return gone, nil
}

// mayBeRemoved reports whether a removal that failed may have been carried out. One of many ids that is not there may have left the others
// removed.
func mayBeRemoved(err error) bool {
	return errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrResponse) || errors.Is(err, ErrResponseTooLarge)
}

// removedWith counts the values to remove that go with these entries.
func (p *SyncPlan) removedWith(entries []IPEntry) int {
	keys := make(map[ipEntryKey]bool, len(entries))
	for i := range entries {
		keys[entries[i].key()] = true
	}
	n := 0
	for _, e := range p.Remove {
		if keys[e.Current.key()] {
			n++
		}
	}
	return n
}

// putBack adds what is to be in the list of the values that these entries held. It does so even if the caller's context has ended and if
// removing them failed with cause in a way that may have removed them: nobody else knows of these values any more.
func (a *ipApply) putBack(ctx context.Context, entries []IPEntry, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTime)
	defer cancel()
	out := map[IPValue]bool{}
	for i := range entries {
		for _, value := range entries[i].IPValues() {
			out[value] = true
		}
	}
	reasons := []error{cause}
	var lost []NewIPEntries
	added := 0
	for i := range a.changes {
		change := &a.changes[i]
		for _, group := range sameTerms(a.result.Plan.List, change.take(out)) {
			if !group.ExpiresAt.After(time.Now()) {
				continue // it would be out of the list by now anyway
			}
			n, err := a.lists.Add(ctx, group, a.opts...)
			*change.done += n
			added += n
			if err != nil {
				group.Values = group.Values[n:]
				lost, reasons = append(lost, group), append(reasons, afterPart(ipListsAdd, err))
			}
		}
	}
	switch {
	case len(lost) == 0 && cause != nil && added > 0:
		// Not all callers get a result that tells of what was added.
		return afterChange(ipListsRemove, "values that were to stay were added again behind it", cause)
	case len(lost) == 0:
		return cause
	}
	return &IPRestoreError{a.result.Plan.ClientID, lost, errors.Join(reasons...)}
}

// take takes the entries for these values out of the change.
func (c *ipChange) take(values map[IPValue]bool) []SyncEntry {
	var taken, rest []SyncEntry
	for _, e := range c.entries {
		if value, err := e.normal(); err == nil && values[value] {
			taken = append(taken, e)
		} else {
			rest = append(rest, e)
		}
	}
	c.entries = rest
	return taken
}

// add adds what the change has left.
func (a *ipApply) add(ctx context.Context, change ipChange) error {
	for _, entries := range sameTerms(a.result.Plan.List, change.entries) {
		n, err := a.lists.Add(ctx, entries, a.opts...)
		*change.done += n
		a.changed = a.changed || n > 0
		if err != nil {
			return a.failed(ipListsAdd, err)
		}
	}
	return nil
}
