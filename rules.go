package wallarm

import (
	"context"
	"iter"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	rulesList       = operation{"rules.list", "POST", "/v1/objects/hint", read, inBody}
	rulesGet        = operation{"rules.get", "GET", "/v3/hint/{id}", read, inBody}
	rulesCreate     = operation{"rules.create", "POST", "/v1/objects/hint/create", once, inBody}
	rulesUpdate     = operation{"rules.update", "PUT", "/v3/hint/{id}", idempotent, inBody}
	rulesDelete     = operation{"rules.delete", "DELETE", "/v3/hint/{id}", idempotent, noAnswer}
	rulesDeleteMany = operation{"rules.delete_many", "POST", "/v1/objects/hint/delete", idempotent, inBody}
)

// maxDeleted is how many rules clients delete in one call.
const maxDeleted = 1000

// RulesService manages rules and mitigation controls. The wire calls a rule a hint, and its scope an action.
//
// To change rules takes the role Administrator, or a token with rights on rules; [IgnoreSignature] takes more. The controls on thresholds,
// GraphQL and uploads need the plan Advanced API Security; without it, counters with triggers do some of their work.
//
// A change of a rule schedules a build of the ruleset, which nodes fetch minutes later: see [RulesetsService.WaitForNodes]. While a snapshot of the
// rules is taken or restored, changes meet [ErrLocked] and are repeated by themselves for a while; [SnapshotsService.WaitUnlocked] waits for longer.
type RulesService service

// Rule is a rule or a mitigation control: what it does, and to which requests.
type Rule struct {
	ID int64 `json:"id"`
	// ScopeID is the id of its scope. The wire calls it actionid.
	ScopeID  int64 `json:"actionid"`
	ClientID int64 `json:"clientid"`
	// Conditions are those of its scope; none is every request. The wire calls them action.
	Conditions Conditions `json:"action"`
	Created    Timestamp  `json:"create_time,omitzero"`
	// AuthorID is the user who made it, nil for rules of the platform.
	AuthorID *int64    `json:"create_userid,omitzero"`
	Updated  Timestamp `json:"updated_at,omitzero"`
	// Validated is a mark of old: today's clients send false and do not read it.
	Validated bool `json:"validated"`
	// System says that the platform made it.
	System bool `json:"system"`
	// Active says whether it is switched on; nil, on old installations, is on. See [Rule.IsActive].
	Active *bool `json:"active,omitzero"`
	// Comment is the description in the Console.
	Comment string `json:"comment,omitempty"`
	Title   string `json:"title,omitempty"`
	// Set is a free label that groups rules.
	Set string `json:"set,omitempty"`
	// VariativityDisabled keeps the platform from generalising the rule by itself.
	VariativityDisabled *bool `json:"variativity_disabled,omitzero"`
	// Mitigation is the name of the control that the rule belongs to, empty for plain rules. Read-only.
	Mitigation string `json:"mitigation,omitempty"`
	// GroupUUID links rules that were made together.
	GroupUUID string `json:"group_uuid,omitempty"`
	// Spec is what the rule does. Its type is on the wire in the member type, its fields beside those above.
	Spec  RuleSpec `json:"-"`
	Extra Extra    `json:",embed"`
}

// ruleMembers are the members that all rules have.
var ruleMembers = func() map[string]bool {
	names := jsonNames(reflect.TypeFor[Rule]())
	names["type"] = true
	return names
}()

// Type returns the type of the rule, "" if it has no spec.
func (r *Rule) Type() RuleType {
	if isNilSpec(r.Spec) {
		return ""
	}
	return r.Spec.RuleType()
}

// IsActive reports whether the rule is switched on.
func (r *Rule) IsActive() bool { return r.Active == nil || *r.Active }

// isNilSpec reports whether there is no spec, or a nil pointer to one.
func isNilSpec(spec RuleSpec) bool {
	v := reflect.ValueOf(spec)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// MarshalJSON writes the rule: the members with a value, and all that no field is for.
func (r Rule) MarshalJSON() ([]byte, error) {
	type plain Rule
	common := plain(r)
	common.Extra = nil
	members, err := echoMembers(common)
	if err != nil {
		return nil, err
	}
	if !isNilSpec(r.Spec) {
		kind, err := echoMembers(struct {
			Type RuleType `json:"type"`
		}{r.Spec.RuleType()})
		if err != nil {
			return nil, err
		}
		own, err := echoMembers(r.Spec)
		if err != nil {
			return nil, err
		}
		members = append(members, kind...)
		for _, m := range own {
			// What came as null and is still nothing goes back as null.
			if _, null := r.Extra[m.Name]; !null || !m.IsNothing() {
				members = append(members, m)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Extra)) {
		members = append(members, wire.Member{Name: name, Value: r.Extra[name]})
	}
	return wire.Object(members)
}

func echoMembers(v any) ([]wire.Member, error) {
	data, err := wire.MarshalEcho(v)
	if err != nil {
		return nil, err
	}
	return wire.Members(data)
}

// UnmarshalJSON reads a rule, its spec by its type, and keeps unknown members.
func (r *Rule) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a rule, its spec by its type, and keeps unknown members.
func (r *Rule) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Rule
	*r = Rule{}
	if err := wire.UnmarshalDecode(d, (*plain)(r)); err != nil {
		return err
	}
	var kind RuleType
	if value, ok := r.Extra["type"]; ok {
		if err := wire.Unmarshal(value, &kind); err != nil {
			return err
		}
		delete(r.Extra, "type")
	}
	r.Spec, r.Extra = splitSpec(kind, r.Extra)
	return nil
}

// RuleFilter selects rules. A zero field is no condition; conditions on different fields must all hold, values of one field are alternatives.
type RuleFilter struct {
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `json:"clientid,omitzero"`
	IDs       []int64 `json:"id,omitzero"`
	// ScopeIDs are the scopes, see [RuleScope].
	ScopeIDs []int64 `json:"actionid,omitzero"`
	// AuthorIDs are the users who made the rules.
	AuthorIDs []int64   `json:"create_userid,omitzero"`
	Created   TimeRange `json:"create_time,omitzero"`
	RegexIDs  []int64   `json:"regex_id,omitzero"`
	// Types are the types of the rules.
	Types []RuleType `json:"type,omitzero"`
	Point Point      `json:"point,omitzero"`
	// System selects by who made the rule; Set(false) hides those of the platform.
	System                Opt[bool] `json:"system,omitzero"`
	Validated             Opt[bool] `json:"validated,omitzero"`
	AntibotApplicationIDs []string  `json:"antibot_application_id,omitzero"`
	// Not holds conditions that must not hold: IDs, ScopeIDs, AuthorIDs, Created, RegexIDs and AntibotApplicationIDs have such a form.
	Not *RuleFilter `json:"-"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object.
func (f RuleFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain RuleFilter
	if f.Not == nil {
		return wire.WriteFilter(e, plain(f), nil)
	}
	return wire.WriteFilter(e, plain(f), plain(*f.Not))
}

func (f *RuleFilter) validate() error {
	if err := f.Created.validate("filter.create_time"); err != nil {
		return err
	}
	if f.Point != nil {
		if err := f.Point.validate("filter.point"); err != nil {
			return err
		}
	}
	not := f.Not
	switch {
	case not == nil:
		return nil
	case not.Not != nil:
		return invalid("filter", "Not within Not")
	case not.ClientIDs != nil, not.Types != nil, not.Point != nil, !not.System.IsZero(), !not.Validated.IsZero():
		return invalid("filter", "ClientIDs, Types, Point, System and Validated have no negated form")
	}
	return not.Created.validate("filter.!create_time")
}

func (s *RulesService) list(filter RuleFilter, opts []CallOption) *lister[Rule] {
	return &lister[Rule]{
		client: s.client, op: rulesList, paging: byOffset, usual: 1000, most: 1000, opts: opts,
		id: func(r *Rule) string { return idText(r.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if err := filter.validate(); err != nil {
				return args{}, err
			}
			f := filter
			var err error
			f.ClientIDs, err = s.client.clientIDs(ctx, f.ClientIDs, opts)
			return args{body: offsetBody(f, page, "id", false)}, err
		},
	}
}

// List returns one page of the rules that match filter, oldest first unless page says otherwise.
//
// page.Limit is by default and at most 1000; page.OrderBy takes id and updated_at. Rules on credential stuffing are among them only for
// tokens with elevated permissions, see [RulesService.CredentialStuffing]. Lists come from replicas: a new rule may be missing for some
// seconds.
//
// POST /v1/objects/hint. Replay class: read.
func (s *RulesService) List(ctx context.Context, filter RuleFilter, page PageOptions, opts ...CallOption) (*Page[Rule], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the rules that match filter, oldest first, in pages of 1000 unless [PageSize] says otherwise. See [RulesService.List].
//
// POST /v1/objects/hint. Replay class: read.
func (s *RulesService) All(ctx context.Context, filter RuleFilter, opts ...CallOption) iter.Seq2[Rule, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *RulesService) Pages(ctx context.Context, filter RuleFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Rule], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Get returns one rule. [ErrNotFound] says that there is none with this id, or that it belongs to a client out of reach of the credentials; what
// [Client.Tenant] or [WithClientID] says does not travel on this route.
//
// GET /v3/hint/{id}. Replay class: read.
func (s *RulesService) Get(ctx context.Context, id int64, opts ...CallOption) (*Rule, error) {
	return get[Rule](ctx, s.client, rulesGet, args{path: []any{id}}, opts)
}

// NewRule is a rule to create: what it does, to which requests, and how it is described.
type NewRule struct {
	// Scope, Conditions or ScopeID says to which requests the rule applies, just one of them. [Scope] without conditions and an empty, not nil
	// list of conditions are every request; the zero NewRule is refused, so that nobody blocks everything by oversight.
	Scope      ScopeBuilder
	Conditions Conditions
	// ScopeID is a scope that is there already.
	ScopeID int64
	// Spec is what the rule does. Required.
	Spec RuleSpec
	// Comment is the description in the Console, Title its title.
	Comment, Title string
	// Set is a free label that groups rules.
	Set string
	// Active is by default true.
	Active Opt[bool]
	// VariativityDisabled keeps the platform from generalising the rule by itself. The default depends on the type: true for most, false for
	// IgnoreAttackType, IgnoreSignature, AllowBinaryData, AllowFileType, ConfigureParser, LimitProcessingTime and FileUploadRestriction.
	VariativityDisabled Opt[bool]
	// GroupUUID links rules that are made together. Not documented by the vendor but for its API reference.
	GroupUUID string
}

// newRuleBody is the common part of what a create sends.
type newRuleBody struct {
	Type                RuleType    `json:"type"`
	ClientID            int64       `json:"clientid"`
	Validated           bool        `json:"validated"`
	Conditions          *Conditions `json:"action,omitzero"`
	ScopeID             int64       `json:"actionid,omitzero"`
	Comment             string      `json:"comment,omitzero"`
	Title               string      `json:"title,omitzero"`
	Set                 string      `json:"set,omitzero"`
	Active              Opt[bool]   `json:"active,omitzero"`
	VariativityDisabled Opt[bool]   `json:"variativity_disabled,omitzero"`
	GroupUUID           string      `json:"group_uuid,omitzero"`
}

// conditions returns the conditions, or nil if the scope is given by its id.
func (r *NewRule) conditions() (*Conditions, error) {
	given := 0
	for _, is := range []bool{r.Scope.started, r.Conditions != nil, r.ScopeID != 0} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, invalid("scope", "none is given; Scope() is every request")
	case given > 1:
		return nil, invalid("scope", "want one of Scope, Conditions and ScopeID")
	case r.ScopeID < 0:
		return nil, invalid("scope", "the id %d is not positive", r.ScopeID)
	case r.ScopeID > 0:
		return nil, nil
	}
	if r.Scope.started {
		conditions, err := r.Scope.Conditions()
		return &conditions, err
	}
	conditions, err := r.Conditions.prepared()
	return &conditions, err
}

// body checks the rule and returns what a create sends.
func (r *NewRule) body(clientID int64) (RawJSON, error) {
	if isNilSpec(r.Spec) {
		return nil, invalid("spec", "a rule needs one, such as VirtualPatch")
	}
	conditions, err := r.conditions()
	if err != nil {
		return nil, err
	}
	spec, err := r.Spec.request()
	if err != nil {
		return nil, err
	}
	if r.Active.IsNull() || r.VariativityDisabled.IsNull() {
		return nil, invalid("rule", "Active and VariativityDisabled take true, false or nothing, not null")
	}
	data, err := wire.JoinObjects(newRuleBody{
		Type: r.Spec.RuleType(), ClientID: clientID, Conditions: conditions, ScopeID: r.ScopeID,
		Comment: r.Comment, Title: r.Title, Set: r.Set, Active: r.Active, VariativityDisabled: r.VariativityDisabled, GroupUUID: r.GroupUUID,
	}, spec)
	if err != nil {
		return nil, unencodable("rule", err)
	}
	return data, nil
}

// Create makes a rule, in the scope with the same conditions if there is one, else in a new one. What the API fills in stands in the result.
//
// The API takes the same rule twice without a word and makes two of it; counters alone are returned as they are. So the call is not repeated
// when its outcome is unknown ([ErrOutcomeUnknown]): [RulesService.FindSame] looks whether the rule is there.
//
// POST /v1/objects/hint/create. Replay class: once.
func (s *RulesService) Create(ctx context.Context, rule NewRule, opts ...CallOption) (*Rule, error) {
	// Check first: what is refused here shall not even ask for the client id.
	if _, err := rule.body(0); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	body, err := rule.body(clientID)
	if err != nil {
		return nil, err
	}
	return get[Rule](ctx, s.client, rulesCreate, args{body: body}, opts)
}

// AsNew returns what [RulesService.Create] takes to make the rule again: in another scope, for another tenant, or with a part that an update
// cannot change. Members that this package has no field for are left behind, unless the spec is an [UnknownSpec], and so is the group that the rule
// belongs to. A member of the spec that came as null, or did not come, counts as the zero value of its field, or its default, and is sent as that. A rule
// that came without a list of conditions, which is not the empty list, gives a NewRule without a scope, which is refused: it is not known what it applied to.
func (r *Rule) AsNew() NewRule {
	n := NewRule{Conditions: r.Conditions, Spec: r.Spec, Comment: r.Comment, Title: r.Title, Set: r.Set}
	if r.Active != nil {
		n.Active = Set(*r.Active)
	}
	if r.VariativityDisabled != nil {
		n.VariativityDisabled = Set(*r.VariativityDisabled)
	}
	return n
}

// RuleUpdate is what to change of a rule. An absent field stays as it is.
type RuleUpdate struct {
	// Comment is the description; the API refuses the empty text. Title and Set are cleared by the empty text.
	Comment             Opt[string] `json:"comment,omitzero"`
	Title               Opt[string] `json:"title,omitzero"`
	Set                 Opt[string] `json:"set,omitzero"`
	Active              Opt[bool]   `json:"active,omitzero"`
	VariativityDisabled Opt[bool]   `json:"variativity_disabled,omitzero"`
	// Spec is what to change of the spec: the struct for the type of the rule, such as AttackTypeUpdate for a VirtualPatch.
	Spec SpecUpdate `json:"-"`
	// Extra holds members that have no field here, by their wire names: for types that this package does not know, and for actionid, validated,
	// point and counter, which the vendor's API reference names and no client was seen to send.
	Extra Extra `json:",embed"`
}

// Update returns an update that brings the stored rule to what r says, as far as rules can be changed in place: the five common
// fields and what the spec's …Update struct has. Change what you want of a rule that was read and send its Update; what you leave is
// sent as it is, or not at all, such as the members of an [UnknownSpec] and an empty Comment, which the API refuses. A member of the spec that came as
// null, or did not come, counts as the zero value of its field, or its default, and is sent as that: take it out of the update if that is not meant. A
// changed point or scope takes a new rule, see [Rule.AsNew].
func (r *Rule) Update() RuleUpdate {
	u := RuleUpdate{Title: Set(r.Title), Set: Set(r.Set)}
	if r.Comment != "" {
		u.Comment = Set(r.Comment)
	}
	if r.Active != nil {
		u.Active = Set(*r.Active)
	}
	if r.VariativityDisabled != nil {
		u.VariativityDisabled = Set(*r.VariativityDisabled)
	}
	if !isNilSpec(r.Spec) {
		u.Spec = r.Spec.change()
	}
	return u
}

// body checks the update and returns what is sent.
func (u *RuleUpdate) body() (RawJSON, error) {
	if comment, ok := u.Comment.Get(); ok && comment == "" {
		return nil, invalid("comment", "the API refuses an empty one")
	}
	if u.Active.IsNull() || u.VariativityDisabled.IsNull() {
		return nil, invalid("update", "Active and VariativityDisabled take true, false or nothing, not null")
	}
	for name := range u.Extra {
		// The vendor's API reference lets an update carry these two.
		if ruleMembers[name] && name != "actionid" && name != "validated" {
			return nil, invalid(name, "an update has a field for it or cannot change it")
		}
	}
	var spec any
	if v := reflect.ValueOf(u.Spec); v.IsValid() && !(v.Kind() == reflect.Pointer && v.IsNil()) {
		var err error
		if spec, err = u.Spec.request(); err != nil {
			return nil, err
		}
	}
	data, err := wire.JoinObjects(*u, spec)
	if err != nil {
		return nil, unencodable("update", err)
	}
	if string(data) == "{}" {
		return nil, invalid("update", "it changes nothing")
	}
	return data, nil
}

// Update changes a rule and returns it as it is then. Only what is set is sent. The API was seen to ignore some common fields that
// came alone: compare the result, or send the [Rule.Update] of the rule as read, which has them all. Counters cannot be updated.
//
// PUT /v3/hint/{id}. Replay class: idempotent.
func (s *RulesService) Update(ctx context.Context, id int64, update RuleUpdate, opts ...CallOption) (*Rule, error) {
	body, err := update.body()
	if err != nil {
		return nil, err
	}
	return get[Rule](ctx, s.client, rulesUpdate, args{path: []any{id}, body: body}, opts)
}

// Delete deletes a rule. One that is not there counts as deleted, so a repeat succeeds. Its scope goes with its last rule. Controls of
// the platform cannot be deleted, only be switched off with Active. Counters go by themselves, about half a minute after
// the last trigger that uses them; the API says yes to a delete of one and keeps it.
//
// DELETE /v3/hint/{id}. Replay class: idempotent.
func (s *RulesService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	return remove(ctx, s.client, rulesDelete, args{path: []any{id}}, opts)
}

// DeletedRules is what came of [RulesService.DeleteMany].
type DeletedRules struct {
	// Deleted are the rules that were deleted, as they were.
	Deleted []Rule
	// Missing are the ids that the API passed over without a word: there is no such rule, or it cannot be deleted, as counters and the
	// platform's own controls. When a call was repeated, they may also have been deleted by a try whose answer was lost.
	Missing []int64
	// Untried are the ids that were not reached, or whose outcome is unknown, because of the error that came with the result.
	Untried []int64
}

// DeleteMany deletes rules by their ids, in calls of at most 1000. The API answers yes even if it deletes nothing: Missing in the result
// tells. If a call fails, the result holds what was done before it.
//
// POST /v1/objects/hint/delete. Replay class: idempotent.
func (s *RulesService) DeleteMany(ctx context.Context, ids []int64, opts ...CallOption) (*DeletedRules, error) {
	if len(ids) == 0 {
		return nil, invalid("ids", "there are none; without ids the API would delete all rules")
	}
	for _, id := range ids {
		if id <= 0 {
			return nil, invalid("ids", "%d is not positive", id)
		}
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	var result DeletedRules
	result.Untried = unique(ids)
	for len(result.Untried) > 0 {
		batch := result.Untried[:min(len(result.Untried), maxDeleted)]
		deleted, err := s.deleteBatch(ctx, clientID, batch, opts)
		if err != nil && len(result.Deleted)+len(result.Missing) > 0 {
			err = afterPart(rulesDeleteMany, err)
		}
		if err != nil {
			return &result, err
		}
		result.Deleted = append(result.Deleted, deleted...)
		result.Missing = append(result.Missing, missing(batch, deleted)...)
		result.Untried = result.Untried[len(batch):]
	}
	result.Untried = nil
	return &result, nil
}

func (s *RulesService) deleteBatch(ctx context.Context, clientID int64, ids []int64, opts []CallOption) ([]Rule, error) {
	return do[[]Rule](ctx, s.client, rulesDeleteMany, args{body: map[string]any{
		"filter": map[string][]int64{"clientid": {clientID}, "id": ids},
	}}, opts)
}

// unique returns ids without repetitions, in their order.
func unique(ids []int64) []int64 {
	known := make(map[int64]bool, len(ids))
	kept := make([]int64, 0, len(ids))
	for _, id := range ids {
		if !known[id] {
			known[id] = true
			kept = append(kept, id)
		}
	}
	return kept
}

// missing returns the ids that are not among the deleted rules.
func missing(ids []int64, deleted []Rule) []int64 {
	gone := make(map[int64]bool, len(deleted))
	for i := range deleted {
		gone[deleted[i].ID] = true
	}
	var left []int64
	for _, id := range ids {
		if !gone[id] {
			left = append(left, id)
		}
	}
	return left
}
