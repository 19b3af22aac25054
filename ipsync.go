package wallarm

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// WantedIP is a value that a list shall hold.
type WantedIP struct {
	IPValue
	// Terms are why, until when and for which applications; nil takes those of the [SyncOptions].
	Terms *IPTerms
}

// Wanted returns values as wanted ones, all with the terms of the [SyncOptions].
func Wanted(values ...IPValue) []WantedIP {
	wanted := make([]WantedIP, len(values))
	for i, v := range values {
		wanted[i].IPValue = v
	}
	return wanted
}

// SyncOptions says how to make a list equal to a wanted set.
type SyncOptions struct {
	// IPTerms are for wanted values that have none of their own.
	IPTerms
	// Kinds are the kinds of values to make equal; entries of other kinds stay as they are. By default these are the kinds that are wanted,
	// so a set of addresses leaves countries and proxies alone. An empty list that is not nil is refused.
	Kinds []IPKind
	// KeepTerms leaves a wanted value that is in the list as it is, whatever its reason, expiry and applications, and in every entry that holds
	// it. Without it, an expiry that is reckoned from now means an update of every entry each time.
	KeepTerms bool
	// Tolerance is how much an expiry may be off before it counts as different. The default is a minute.
	Tolerance time.Duration
	// Keep, if not nil, is asked for each entry; one for which it returns true is left as it is, wanted or not. It may tell entries by
	// their reason or author.
	Keep func(*IPEntry) bool
	// AllowEmpty allows a wanted set that is empty. Without it that is an error: a file that could not be read must not empty a list. Such a set has no
	// kinds, so Kinds must say of which everything is to be removed.
	AllowEmpty bool
}

// SyncPlan is what it takes to make a list equal to a wanted set. It may be shown, and changed by removing entries, before it is applied.
type SyncPlan struct {
	// ClientID is the client that the list belongs to.
	ClientID int64
	List     IPList
	// Add is what the list lacks, Update what it has with other terms, Remove what is in it and not wanted, Keep what is as it should be.
	Add, Update, Remove, Keep []SyncEntry
}

// SyncEntry is a value in a [SyncPlan].
type SyncEntry struct {
	IPValue
	// Terms are those that the value shall have, or has if it is to be removed or kept.
	Terms IPTerms
	// Current is the entry that holds the value now, nil if it is to be added. Entries with many values stand here once for each.
	Current *IPEntry
	// Note says what an update changes.
	Note string
}

// IsEmpty reports whether there is nothing to do.
func (p *SyncPlan) IsEmpty() bool { return len(p.Add)+len(p.Update)+len(p.Remove) == 0 }

// String returns the plan for people: a line of numbers, then a line for each change, marked +, ~ or -.
func (p *SyncPlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s list of client %d: %d to add, %d to update, %d to remove, %d kept\n",
		p.List, p.ClientID, len(p.Add), len(p.Update), len(p.Remove), len(p.Keep))
	for _, e := range p.Add {
		fmt.Fprintf(&b, "+ %s  %s\n", e.IPValue, e.Terms.text())
	}
	for _, e := range p.Update {
		fmt.Fprintf(&b, "~ %s  %s\n", e.IPValue, e.Note)
	}
	for _, e := range p.Remove {
		fmt.Fprintf(&b, "- %s  %s\n", e.IPValue, e.Terms.text())
	}
	return b.String()
}

// text returns the terms for people, such as: until 2026-12-01T00:00:00Z, applications [7], "scanner".
func (t IPTerms) text() string {
	text := "until " + expiryText(t.ExpiresAt)
	if !t.allApplications() {
		text += fmt.Sprintf(", applications %v", t.ApplicationIDs)
	}
	if t.Reason != "" {
		text += fmt.Sprintf(", %q", t.Reason)
	}
	return text
}

func expiryText(t time.Time) string {
	if isForever(t) {
		return "forever"
	}
	return t.UTC().Format(time.RFC3339)
}

func (t IPTerms) allApplications() bool {
	return len(t.ApplicationIDs) == 0 || slices.Contains(t.ApplicationIDs, AllApplications)
}

// difference says how t differs from wanted, "" if it does not.
func (t IPTerms) difference(wanted IPTerms, tolerance time.Duration) string {
	var notes []string
	late := t.ExpiresAt.Sub(wanted.ExpiresAt).Abs() > tolerance
	if both := isForever(t.ExpiresAt) && isForever(wanted.ExpiresAt); late && !both {
		notes = append(notes, fmt.Sprintf("until %s → %s", expiryText(t.ExpiresAt), expiryText(wanted.ExpiresAt)))
	}
	if t.Reason != wanted.Reason {
		notes = append(notes, fmt.Sprintf("reason %q → %q", t.Reason, wanted.Reason))
	}
	if !sameApplications(t, wanted) {
		notes = append(notes, fmt.Sprintf("applications %v → %v", t.ApplicationIDs, wanted.ApplicationIDs))
	}
	return strings.Join(notes, ", ")
}

func sameApplications(a, b IPTerms) bool {
	if a.allApplications() || b.allApplications() {
		return a.allApplications() == b.allApplications()
	}
	return slices.Equal(slices.Sorted(slices.Values(a.ApplicationIDs)), slices.Sorted(slices.Values(b.ApplicationIDs)))
}

// PlanSync reads a list and finds out what it takes to make it equal to wanted. It changes nothing. Values are compared in one form: 203.0.113.7 and
// 203.0.113.7/32 are the same, and so are the spellings of an IPv6 address. A value that is wanted twice must be wanted with the same terms. An empty
// wanted set takes AllowEmpty and Kinds. As in any list, null in its place is an empty one: nothing of it is removed then.
//
// An entry that expires later than the plan is made counts as there. Show the plan with its String method, and hand it to
// [IPListsService.Apply].
//
// GET /v1/blocklist/clients/{client_id}/groups, as often as there are pages of 1000. Replay class: read.
func (s *IPListsService) PlanSync(ctx context.Context, list IPList, wanted []WantedIP, options SyncOptions, opts ...CallOption) (*SyncPlan, error) {
	now := time.Now()
	if err := checkIPList(list, Denylist, Allowlist, Graylist); err != nil {
		return nil, err
	}
	want, err := wantedTerms(wanted, options, now)
	if err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	planner := &syncPlanner{
		plan: &SyncPlan{ClientID: clientID, List: list}, want: want, held: make(map[IPValue]bool, len(want)),
		keepTerms: options.KeepTerms, tolerance: cmp.Or(options.Tolerance, time.Minute), keep: options.Keep, now: now,
	}
	kinds := options.Kinds
	if kinds == nil {
		kinds = kindsOf(want)
	}
	var entries []*IPEntry
	for entry, err := range s.All(ctx, IPFilter{List: list, Kinds: kinds}, wholeList(opts)...) {
		if err != nil {
			return nil, err
		}
		// Do not depend on the service to read the filter as it is meant: what is read too much here would be removed.
		if entry.List == list && slices.Contains(kinds, entry.Kind) && !planner.isPast(&entry) {
			entries = append(entries, &entry)
		}
	}
	return planner.run(entries), nil
}

// wholeList makes an iteration read everything: one that ends early, or begins behind a checkpoint, would hide what is there.
func wholeList(opts []CallOption) []CallOption {
	return append(slices.Clip(opts), func(s *callSettings) error {
		s.maxItems, s.checkpoint = 0, nil
		return nil
	})
}

// wantedTerms returns the wanted values in their one form, with their terms.
func wantedTerms(wanted []WantedIP, options SyncOptions, now time.Time) (map[IPValue]IPTerms, error) {
	switch {
	case options.Kinds != nil && len(options.Kinds) == 0:
		return nil, invalid("Kinds", "the list is empty; leave it nil for the kinds that are wanted")
	case len(wanted) == 0 && !options.AllowEmpty:
		return nil, invalid("wanted", "it is empty, and the list would be too: set AllowEmpty if that is meant")
	case len(wanted) == 0 && options.Kinds == nil:
		return nil, invalid("wanted", "it is empty, and says nothing of the kinds of values that are to go: set Kinds")
	}
	want := make(map[IPValue]IPTerms, len(wanted))
	for _, w := range wanted {
		value, err := w.normal()
		if err != nil {
			return nil, err
		}
		if options.Kinds != nil && !slices.Contains(options.Kinds, value.Kind) {
			return nil, invalid("wanted", "%s is of the kind %s, which is not among Kinds", value, value.Kind)
		}
		terms := options.IPTerms
		if w.Terms != nil {
			terms = *w.Terms
		}
		if terms, err = terms.prepared(now); err != nil {
			return nil, err
		}
		if before, twice := want[value]; twice && before.difference(terms, 0) != "" {
			return nil, invalid("wanted", "%s stands there twice with different terms", value)
		}
		want[value] = terms
	}
	return want, nil
}

// kindsOf returns the kinds that are wanted.
func kindsOf(want map[IPValue]IPTerms) []IPKind {
	var kinds []IPKind
	for value := range want {
		if !slices.Contains(kinds, value.Kind) {
			kinds = append(kinds, value.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// syncPlanner compares a list with what is wanted.
type syncPlanner struct {
	plan *SyncPlan
	want map[IPValue]IPTerms
	// held are the wanted values that some entry accounts for already.
	held      map[IPValue]bool
	keepTerms bool
	tolerance time.Duration
	keep      func(*IPEntry) bool
	now       time.Time
}

// isPast reports whether an entry has expired, though the list still has it.
func (p *syncPlanner) isPast(e *IPEntry) bool { return !e.IsForever() && !e.ExpiresAt.After(p.now) }

func (p *syncPlanner) run(entries []*IPEntry) *SyncPlan {
	// First come the entries that stay whatever is wanted, then those that are right as they are, so that of two entries with one value the
	// right one is kept.
	entries = p.sift(entries, func(e *IPEntry) bool { return p.keep != nil && p.keep(e) })
	entries = p.sift(entries, p.isRight)
	for _, e := range entries {
		for _, value := range e.IPValues() {
			terms, wanted := p.want[value]
			switch note := e.Terms().difference(terms, p.tolerance); {
			case !wanted || p.held[value] && !p.keepTerms:
				p.plan.Remove = append(p.plan.Remove, SyncEntry{value, e.Terms(), e, ""})
				continue
			case note == "" || p.keepTerms:
				p.plan.Keep = append(p.plan.Keep, SyncEntry{value, e.Terms(), e, ""})
			default:
				p.plan.Update = append(p.plan.Update, SyncEntry{value, terms, e, note})
			}
			p.held[value] = true
		}
	}
	for value, terms := range p.want {
		if !p.held[value] {
			p.plan.Add = append(p.plan.Add, SyncEntry{value, terms, nil, ""})
		}
	}
	for _, part := range [][]SyncEntry{p.plan.Add, p.plan.Update, p.plan.Remove, p.plan.Keep} {
		slices.SortStableFunc(part, func(a, b SyncEntry) int { return a.compare(b.IPValue) })
	}
	return p.plan
}

// sift keeps the entries that pass the test, and returns the others.
func (p *syncPlanner) sift(entries []*IPEntry, test func(*IPEntry) bool) []*IPEntry {
	return slices.DeleteFunc(entries, func(e *IPEntry) bool {
		if !test(e) {
			return false
		}
		for _, value := range e.IPValues() {
			p.held[value] = true
			p.plan.Keep = append(p.plan.Keep, SyncEntry{value, e.Terms(), e, ""})
		}
		return true
	})
}

// isRight reports whether all values of an entry are wanted, with its terms, and not accounted for by another entry; of which, if terms are kept,
// each may have its own.
func (p *syncPlanner) isRight(e *IPEntry) bool {
	for _, value := range e.IPValues() {
		terms, wanted := p.want[value]
		if !wanted || !p.keepTerms && (p.held[value] || e.Terms().difference(terms, p.tolerance) != "") {
			return false
		}
	}
	return len(e.Values) > 0
}

// compare orders values for people: by kind, addresses by number.
func (v IPValue) compare(other IPValue) int {
	if c := cmp.Compare(v.Kind, other.Kind); c != 0 {
		return c
	}
	if v.Kind == IPSubnet {
		a, errA := parseSubnet(v.Value)
		b, errB := parseSubnet(other.Value)
		if errA == nil && errB == nil {
			return comparePrefix(a, b)
		}
	}
	return cmp.Compare(v.Value, other.Value)
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// SyncResult is what [IPListsService.Apply] has done, also when it returns an error.
type SyncResult struct {
	// Plan is the plan that was applied.
	Plan *SyncPlan
	// Added, Updated and Removed count values, as far as the answers say. What a call did that failed is not in them.
	Added, Updated, Removed int
	// Restored counts values that were in one entry with removed or updated ones, and had to be added again.
	Restored int
}

// Apply carries out a plan, in as few calls as the API takes: 1000 values or entries in each. New values go in before old entries go out,
// so that a wider subnet and the narrower ones that replace it leave no gap. There is no update on the wire: a value with new terms is
// added again with force.
//
// An entry with many values, as countries often are, can only go as a whole. If some of its values shall stay, the entry is removed and
// those are added again right after: whether the service would take them while the entry is still there, and what removing it would then do
// to them, is not known. Adding them again does not end with ctx but takes a minute at most. If it fails, the error is an
// [*IPRestoreError], which holds these values with their terms: add them before anything else, since they are in no list that a further
// plan could read them from.
//
// Apply may be repeated with the same plan, and PlanSync after it plans nothing, once the change has reached the service's lists, which
// takes some seconds. If Apply fails in between with another error, plan and apply again. Values are added by force, so one that came into
// the list meanwhile is no conflict.
//
// Before anything is sent, Apply refuses a plan with entries of another list or client, one with terms that have expired since or with what cannot be
// written as JSON, and one that takes apart an entry whose rest could not be added again as it was: one without an expiry or applications, or with a
// status other than enabled and active, since what is added is in force. The result is nil then. What is refused later, such as terms that expire on the
// way, is no [*ArgumentError] and matches [ErrOutcomeUnknown].
//
// POST /v1/blocklist/clients/{client_id}/access_rules with force and DELETE /v1/blocklist/clients/{client_id}/groups. Replay class:
// idempotent.
func (s *IPListsService) Apply(ctx context.Context, plan *SyncPlan, opts ...CallOption) (*SyncResult, error) {
	if plan == nil {
		return nil, invalid("plan", "it is nil")
	}
	if err := plan.validate(); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	if clientID != plan.ClientID {
		return nil, invalid("plan", "it is for client %d, the calls are for client %d", plan.ClientID, clientID)
	}
	now := time.Now()
	result, steps := &SyncResult{Plan: plan}, plan.steps(now)
	changes := []ipChange{{steps.restore, &result.Restored}, {plan.Update, &result.Updated}, {plan.Add, &result.Added}}
	apply := ipApply{lists: s, result: result, changes: changes, opts: opts}
	if err := apply.check(steps, now); err != nil {
		return nil, err
	}
	if err := apply.replace(ctx, steps.removeFirst); err != nil {
		return result, err
	}
	for _, change := range apply.changes {
		if err := apply.add(ctx, change); err != nil {
			return result, err
		}
	}
	_, err = apply.remove(ctx, steps.removeLast)
	return result, err
}

// validate checks that all entries are of the plan's list, that those to change are of its client, and that those to remove can be named.
func (p *SyncPlan) validate() error {
	if err := checkIPList(p.List, Denylist, Allowlist, Graylist); err != nil {
		return err
	}
	for _, e := range p.Remove {
		if e.Current == nil {
			return invalid("plan", "an entry to remove has no Current: take entries from PlanSync, or use RemoveValues")
		}
	}
	for _, part := range [][]SyncEntry{p.Update, p.Remove, p.Keep} {
		for _, e := range part {
			if e.Current == nil {
				continue
			}
			if e.Current.List != p.List {
				return invalid("plan", "it is for the %s list, but the entry of %s is in the %s list: plan anew for another list",
					p.List, clip(e.IPValue.String()), clip(string(e.Current.List)))
			}
		}
	}
	for _, e := range slices.Concat(p.Update, p.Remove) {
		if e.Current == nil {
			continue
		}
		if err := checkIPEntryOf(e.Current, p.ClientID); err != nil {
			return err
		}
	}
	for _, e := range p.Remove {
		if err := checkIPEntry(e.Current); err != nil {
			return err
		}
	}
	return nil
}

// Sync makes a list equal to wanted: [IPListsService.PlanSync] and [IPListsService.Apply] in one. After an [*IPRestoreError] add what it holds
// before the next Sync: values of which the list has lost the terms would be added with those of options.
//
// Replay class: idempotent.
func (s *IPListsService) Sync(ctx context.Context, list IPList, wanted []WantedIP, options SyncOptions, opts ...CallOption) (*SyncResult, error) {
	plan, err := s.PlanSync(ctx, list, wanted, options, opts...)
	if err != nil {
		return nil, err
	}
	return s.Apply(ctx, plan, opts...)
}

// RemoveValues removes values from a list, whatever their terms, and returns how many were there and are gone, also with an error. A value in
// several entries counts for each.
//
// What else is in an entry with a removed value stays in the list: the entry is removed, and the rest of it added again, see
// [IPListsService.Apply], also for entries with which that is refused. If it fails, the error is an [*IPRestoreError] with the values that are
// missing then. Add them; a repeat of RemoveValues does not. What another program removes from such an entry meanwhile comes back with it.
//
// A few IPv4 addresses are searched for; otherwise the list is read. As in any list, null in its place is an empty one: then nothing is removed.
//
// GET, POST and DELETE below /v1/blocklist/clients/{client_id}. Replay class: idempotent.
func (s *IPListsService) RemoveValues(ctx context.Context, list IPList, values []IPValue, opts ...CallOption) (int, error) {
	if err := checkIPList(list, Denylist, Allowlist, Graylist); err != nil {
		return 0, err
	}
	unwanted, err := normalIPValues(values)
	if err != nil {
		return 0, err
	}
	if len(unwanted) == 0 {
		return 0, invalid("values", "there are none")
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return 0, err
	}
	plan := &SyncPlan{ClientID: clientID, List: list}
	seen, isUnwanted := map[ipEntryKey]bool{}, make(map[IPValue]bool, len(unwanted))
	for _, value := range unwanted {
		isUnwanted[value] = true
	}
	for _, filter := range removalFilters(list, unwanted) {
		for entry, err := range s.All(ctx, filter, wholeList(opts)...) {
			if err != nil {
				return 0, err
			}
			if entry.List != list || seen[entry.key()] {
				continue
			}
			seen[entry.key()] = true
			for _, value := range entry.IPValues() {
				if isUnwanted[value] {
					plan.Remove = append(plan.Remove, SyncEntry{value, entry.Terms(), &entry, ""})
				}
			}
		}
	}
	if plan.IsEmpty() {
		return 0, nil
	}
	result, err := s.Apply(ctx, plan, opts...)
	if result == nil {
		return 0, err
	}
	return result.Removed, err
}

// removalFilters returns how to find the entries that hold values: by text if they are few addresses whose text has one form only, else by
// kind.
func removalFilters(list IPList, values []IPValue) []IPFilter {
	var searches []IPFilter
	want := make(map[IPValue]IPTerms, len(values))
	for _, v := range values {
		want[v] = IPTerms{}
		if prefix, err := parseSubnet(v.Value); v.Kind == IPSubnet && err == nil && prefix.Addr().Is4() {
			searches = append(searches, IPFilter{List: list, Kinds: []IPKind{IPSubnet}, Query: prefix.Addr().String()})
		}
	}
	if len(searches) == len(values) && len(searches) <= 8 {
		return searches
	}
	return []IPFilter{{List: list, Kinds: kindsOf(want)}}
}

// syncSteps are the parts of a plan that do not stand in it.
type syncSteps struct {
	// removeFirst go before anything is added: entries of which some values stay, and second entries of values that are about to be added by
	// force, which might strike these.
	removeFirst, removeLast []IPEntry
	restore                 []SyncEntry
}

// steps works out which entries go, and when, from what the plan says about values.
func (p *SyncPlan) steps(now time.Time) syncSteps {
	var steps syncSteps
	added := make(map[IPValue]bool, len(p.Add)+len(p.Update))
	for _, e := range p.Add {
		added[e.IPValue] = true
	}
	// moved are the values that leave each entry, either for good or to come back with other terms.
	moved := make(map[ipEntryKey]map[IPValue]bool, len(p.Remove))
	var touched []*IPEntry
	leave := func(e SyncEntry) {
		key := e.Current.key()
		if moved[key] == nil {
			moved[key] = make(map[IPValue]bool, len(e.Current.Values))
			touched = append(touched, e.Current)
		}
		moved[key][e.IPValue] = true
	}
	for _, e := range p.Update {
		added[e.IPValue] = true
		if e.Current != nil && len(e.Current.Values) > 1 {
			leave(e)
		}
	}
	for _, e := range p.Remove {
		if e.Current != nil {
			leave(e)
		}
	}
	for _, entry := range touched {
		first := false
		for _, value := range entry.IPValues() {
			switch {
			case !moved[entry.key()][value]:
				first = true
				if entry.IsForever() || entry.ExpiresAt.After(now) {
					steps.restore = append(steps.restore, SyncEntry{value, entry.Terms(), entry, ""})
				}
			case added[value]:
				first = true
			}
		}
		if first {
			steps.removeFirst = append(steps.removeFirst, *entry)
		} else {
			steps.removeLast = append(steps.removeLast, *entry)
		}
	}
	return steps
}

// sameTerms gathers entries with equal terms, so that one call can carry them.
func sameTerms(list IPList, entries []SyncEntry) []NewIPEntries {
	var groups []NewIPEntries
	index := map[string]int{}
	for _, e := range entries {
		key := fmt.Sprint(e.Terms.ExpiresAt.Unix(), e.Terms.ApplicationIDs, e.Terms.Reason)
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			terms := e.Terms
			if isForever(terms.ExpiresAt) {
				terms.ExpiresAt = Forever
			}
			if terms.allApplications() {
				terms.ApplicationIDs = nil
			}
			groups = append(groups, NewIPEntries{List: list, IPTerms: terms, Force: true})
		}
		groups[i].Values = append(groups[i].Values, e.IPValue)
	}
	return groups
}
