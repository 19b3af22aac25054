package wallarm

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	rulesetsVersion     = operation{"rulesets.version", "GET", "/v2/lom_version/{client_id}", read, "body?"}
	rulesetsState       = operation{"rulesets.state", "GET", "/v2/lom_state/{client_id}", read, inBody}
	rulesetsList        = operation{"rulesets.list", "GET", "/v2/custom-rulesets", read, inBody}
	rulesetsGet         = operation{"rulesets.get", "GET", "/v2/custom-rulesets/{id}", read, inBody}
	rulesetsCompilation = operation{"rulesets.compilation", "GET", "/v2/client/{client_id}/lom_compilation", read, inBody}
	rulesetsCompile     = operation{"rulesets.compile", "POST", "/v2/client/{client_id}/lom_compilation", idempotent, inBody}
)

// RulesetsService tells how far changes of rules have come on their way to the nodes. A change schedules a build of the custom ruleset, which the wire
// calls LOM; a build takes seconds to an hour, and nodes fetch a new one within some minutes. The routes are attested by the vendor's API
// reference and an old client only.
type RulesetsService service

// RulesetVersion is the last ruleset that was built.
type RulesetVersion struct {
	Built  Timestamp `json:"build_at,omitzero"`
	Format int64     `json:"format"`
	// Version grows by one with each build of a client.
	Version int64 `json:"version"`
	Extra   Extra `json:",embed"`
}

// MarshalJSON writes the version: the members with a value, and all that no field is for.
func (v RulesetVersion) MarshalJSON() ([]byte, error) {
	type plain RulesetVersion
	return wire.MarshalEcho(plain(v))
}

// UnmarshalJSON reads a version and keeps unknown members.
func (v *RulesetVersion) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, v) }

// UnmarshalJSONFrom reads a version and keeps unknown members. A bare number is taken for the version.
func (v *RulesetVersion) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain RulesetVersion
	if kind := d.PeekKind(); kind == '0' || kind == '"' {
		*v = RulesetVersion{}
		return wire.UnmarshalDecode(d, &v.Version)
	}
	return wire.UnmarshalDecode(d, (*plain)(v))
}

// Version returns the last ruleset that was built for the client.
//
// GET /v2/lom_version/{client_id}; the form of the answer is not documented by the vendor. Replay class: read.
func (s *RulesetsService) Version(ctx context.Context, opts ...CallOption) (*RulesetVersion, error) {
	return clientGet[RulesetVersion](ctx, s.client, rulesetsVersion, opts)
}

// RulesetState says how many nodes have the current ruleset.
type RulesetState struct {
	ActualNodes   int64 `json:"actual_nodes"`
	OutdatedNodes int64 `json:"outdated_nodes"`
	// CurrentBuild and LastBuild are numbers of builds. The vendor does not say how they differ.
	CurrentBuild int64 `json:"current_build"`
	LastBuild    int64 `json:"last_build"`
	Extra        Extra `json:",embed"`
}

// MarshalJSON writes the state: the members with a value, and all that no field is for.
func (r RulesetState) MarshalJSON() ([]byte, error) {
	type plain RulesetState
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a state and keeps unknown members.
func (r *RulesetState) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a state and keeps unknown members.
func (r *RulesetState) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain RulesetState
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// State returns how many nodes have the current ruleset: the cheap way to follow a change.
//
// GET /v2/lom_state/{client_id}. Replay class: read.
func (s *RulesetsService) State(ctx context.Context, opts ...CallOption) (*RulesetState, error) {
	return clientGet[RulesetState](ctx, s.client, rulesetsState, opts)
}

// WaitForNodes waits until all nodes have a ruleset that was built after before, for as long as ctx lives, and returns the state then. Take
// before with [RulesetsService.State] ahead of the change:
//
//	before, err := client.Rulesets.State(ctx)
//	…
//	rule, err := client.Rules.Create(ctx, …)
//	…
//	state, err := client.Rulesets.WaitForNodes(ctx, before, time.Minute)
//
// It asks every interval, by default every 5 seconds. It never ends by itself if builds are disabled (BuildsDisabled in
// [RulesSettings]) or a node is out of reach.
//
// GET /v2/lom_state/{client_id}. Replay class: read.
func (s *RulesetsService) WaitForNodes(
	ctx context.Context, before *RulesetState, interval time.Duration, opts ...CallOption,
) (*RulesetState, error) {
	if before == nil {
		return nil, invalid("before", "it is nil; take the State ahead of the change")
	}
	// The later of the two numbers may belong to a build that began before the change.
	known := max(before.CurrentBuild, before.LastBuild)
	var state *RulesetState
	err := poll(ctx, rulesetsState, interval, func() (bool, error) {
		var err error
		state, err = s.State(ctx, opts...)
		return err == nil && state.CurrentBuild > known && state.OutdatedNodes == 0, err
	})
	return state, err
}

// Ruleset is one build of a custom ruleset.
type Ruleset struct {
	ID int64 `json:"id"`
	// ClientID is 0 for a base ruleset, which clients share.
	ClientID int64 `json:"clientid,omitzero"`
	// BuildSeconds is how long the build took, nil while it goes on.
	BuildSeconds *int64    `json:"compile_time,omitzero"`
	Started      Timestamp `json:"created_at,omitzero"`
	Format       int64     `json:"format"`
	// Ready says that the build is finished.
	Ready   bool  `json:"ready"`
	Version int64 `json:"version"`
	Extra   Extra `json:",embed"`
}

// MarshalJSON writes the build: the members with a value, and all that no field is for.
func (r Ruleset) MarshalJSON() ([]byte, error) {
	type plain Ruleset
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads a build and keeps unknown members.
func (r *Ruleset) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads a build and keeps unknown members.
func (r *Ruleset) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Ruleset
	return wire.UnmarshalDecode(d, (*plain)(r))
}

// RulesetFilter selects builds. A zero field is no condition.
type RulesetFilter struct {
	// Base selects the base rulesets, which clients share, rather than those of the client.
	Base bool
	// Started is when the build began.
	Started  TimeRange
	Formats  []int64
	Versions []int64
	// Ready selects finished builds, or unfinished ones.
	Ready Opt[bool]
}

func (f *RulesetFilter) query(clientID int64, page PageOptions) (url.Values, error) {
	if err := f.Started.validate("filter.created"); err != nil {
		return nil, err
	}
	if len(f.Started.spans()) > 1 {
		return nil, invalid("filter.created", "it takes one span of time")
	}
	values := url.Values{"filter[clientid]": {strconv.FormatInt(clientID, 10)}, "limit": {strconv.Itoa(page.Limit)}}
	if f.Base {
		values.Set("filter[clientid]", "")
	}
	if !f.Started.From.IsZero() {
		values.Set("filter[created_after]", strconv.FormatInt(f.Started.From.Unix(), 10))
	}
	if !f.Started.To.IsZero() {
		values.Set("filter[created_before]", strconv.FormatInt(f.Started.To.Unix(), 10))
	}
	for _, format := range f.Formats {
		values.Add("filter[format_one_of][]", strconv.FormatInt(format, 10))
	}
	for _, version := range f.Versions {
		values.Add("filter[version_one_of][]", strconv.FormatInt(version, 10))
	}
	if ready, ok := f.Ready.Get(); ok {
		values.Set("filter[ready]", strconv.FormatBool(ready))
	}
	// The vendor draws offset with a minimum of 1.
	if page.Offset > 0 {
		values.Set("offset", strconv.Itoa(page.Offset))
	}
	return values, nil
}

func (s *RulesetsService) list(filter RulesetFilter, opts []CallOption) *lister[Ruleset] {
	return &lister[Ruleset]{
		client: s.client, op: rulesetsList, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(r *Ruleset) string { return idText(r.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "%s takes none", rulesetsList.name)
			}
			if err := validateQueryFilter(filter); err != nil {
				return args{}, err
			}
			clientID, err := s.client.ClientID(ctx, opts...)
			if err != nil {
				return args{}, err
			}
			query, err := filter.query(clientID, page)
			return args{query: query}, err
		},
	}
}

// List returns one page of the builds that match filter, newest format and version first. page.Limit is by default 100 and at most 1000.
//
// GET /v2/custom-rulesets. Replay class: read.
func (s *RulesetsService) List(ctx context.Context, filter RulesetFilter, page PageOptions, opts ...CallOption) (*Page[Ruleset], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the builds that match filter, newest format and version first.
//
// GET /v2/custom-rulesets. Replay class: read.
func (s *RulesetsService) All(ctx context.Context, filter RulesetFilter, opts ...CallOption) iter.Seq2[Ruleset, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *RulesetsService) Pages(ctx context.Context, filter RulesetFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Ruleset], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Get returns one build.
//
// GET /v2/custom-rulesets/{id}. Replay class: read.
func (s *RulesetsService) Get(ctx context.Context, id int64, opts ...CallOption) (*Ruleset, error) {
	return get[Ruleset](ctx, s.client, rulesetsGet, args{path: []any{id}}, opts)
}

// Compilation tells about the build that is going on.
type Compilation struct {
	// Started is when it began, zero if nothing is being built.
	Started Timestamp `json:"compilation_start"`
	// State is a word that the vendor does not document, empty if nothing is being built.
	State string `json:"compilation_state,omitempty"`
	// AverageSeconds is how long a build takes on average, nil if unknown.
	AverageSeconds *int64 `json:"average_compilation_time"`
	Extra          Extra  `json:",embed"`
}

// MarshalJSON writes the compilation: the members with a value, and all that no field is for.
func (c Compilation) MarshalJSON() ([]byte, error) {
	type plain Compilation
	return wire.MarshalEcho(plain(c))
}

// UnmarshalJSON reads a compilation and keeps unknown members.
func (c *Compilation) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads a compilation and keeps unknown members.
func (c *Compilation) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Compilation
	return wire.UnmarshalDecode(d, (*plain)(c))
}

// Compilation tells whether a build is going on, and how long builds take.
//
// GET /v2/client/{client_id}/lom_compilation. Replay class: read.
func (s *RulesetsService) Compilation(ctx context.Context, opts ...CallOption) (*Compilation, error) {
	return clientGet[Compilation](ctx, s.client, rulesetsCompilation, opts)
}

// CompileRequest asks for a build.
type CompileRequest struct {
	// Priority is sent if it is not 0. The vendor does not document its values.
	Priority int64 `json:"priority,omitzero"`
}

// CompileJob is a build in the queue.
type CompileJob struct {
	ID    string `json:"job_id"`
	Extra Extra  `json:",embed"`
}

// MarshalJSON writes the job: the members with a value, and all that no field is for.
func (j CompileJob) MarshalJSON() ([]byte, error) {
	type plain CompileJob
	return wire.MarshalEcho(plain(j))
}

// UnmarshalJSON reads a job and keeps unknown members.
func (j *CompileJob) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, j) }

// UnmarshalJSONFrom reads a job and keeps unknown members.
func (j *CompileJob) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain CompileJob
	return wire.UnmarshalDecode(d, (*plain)(j))
}

// Compile queues a build now. A change of a rule does that by itself.
//
// POST /v2/client/{client_id}/lom_compilation. Replay class: idempotent, since a repeat only queues another build.
func (s *RulesetsService) Compile(ctx context.Context, request CompileRequest, opts ...CallOption) (*CompileJob, error) {
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[CompileJob](ctx, s.client, rulesetsCompile, args{path: []any{id}, body: request}, opts)
}
