package wallarm

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	snapshotsList    = operation{"snapshots.list", "GET", "/v4/clients/{client_id}/rules/snapshots", read, inBody}
	snapshotsCreate  = operation{"snapshots.create", "POST", "/v4/clients/{client_id}/rules/snapshots", once, inBody}
	snapshotsGet     = operation{"snapshots.get", "GET", "/v4/clients/{client_id}/rules/snapshots/{id}", read, inBody}
	snapshotsUpdate  = operation{"snapshots.update", "PUT", "/v4/clients/{client_id}/rules/snapshots/{id}", idempotent, inBody}
	snapshotsDelete  = operation{"snapshots.delete", "DELETE", "/v4/clients/{client_id}/rules/snapshots/{id}", idempotent, noAnswer}
	snapshotsStatus  = operation{"snapshots.status", "GET", "/v4/clients/{client_id}/rules/snapshots/status", read, inBody}
	snapshotsRestore = operation{"snapshots.restore", "POST", "/v4/clients/{client_id}/rules/snapshots/{id}/restore", once, inBody}
)

// SnapshotsService manages snapshots of all rules of a client. Its routes are attested by the vendor's API reference only.
type SnapshotsService service

// SnapshotStatus is the state of a snapshot. New values may appear.
type SnapshotStatus string

const (
	SnapshotReady           SnapshotStatus = "ready"
	SnapshotRestoring       SnapshotStatus = "restoring"
	SnapshotBackup          SnapshotStatus = "backup"
	SnapshotBackupFailed    SnapshotStatus = "backup_failed"
	SnapshotRestoringFailed SnapshotStatus = "restoring_failed"
	// SnapshotFailed is a value of the list's filter, where snapshots themselves say BackupFailed or RestoringFailed.
	SnapshotFailed SnapshotStatus = "failed"
)

// Snapshot is a backup of all rules of a client.
type Snapshot struct {
	ID       int64  `json:"id"`
	ClientID int64  `json:"client_id"`
	Title    string `json:"title"`
	Comment  string `json:"comment,omitempty"`
	// Important keeps an automatic snapshot from being purged.
	Important bool `json:"important"`
	// Auto says that the platform took it.
	Auto   bool           `json:"auto"`
	Status SnapshotStatus `json:"status"`
	// AuthorID is the user who took it, nil for automatic ones.
	AuthorID *int64    `json:"created_by_user_id,omitzero"`
	Created  Timestamp `json:"created_at,omitzero"`
	Updated  Timestamp `json:"updated_at,omitzero"`
	Extra    Extra     `json:",embed"`
}

// MarshalJSON writes the snapshot: the members with a value, and all that no field is for.
func (s Snapshot) MarshalJSON() ([]byte, error) {
	type plain Snapshot
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads a snapshot and keeps unknown members.
func (s *Snapshot) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads a snapshot and keeps unknown members.
func (s *Snapshot) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Snapshot
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// SnapshotFilter selects snapshots. A zero field is no condition.
type SnapshotFilter struct {
	Auto      Opt[bool]      `url:"filter[auto],omitempty"`
	Important Opt[bool]      `url:"filter[important],omitempty"`
	Status    SnapshotStatus `url:"filter[status],omitempty"`
}

func (s *SnapshotsService) list(filter SnapshotFilter, opts []CallOption) *lister[Snapshot] {
	return &lister[Snapshot]{
		client: s.client, op: snapshotsList, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(r *Snapshot) string { return idText(r.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "%s takes none", snapshotsList.name)
			}
			if err := validateQueryFilter(filter); err != nil {
				return args{}, err
			}
			id, err := s.client.ClientID(ctx, opts...)
			return args{path: []any{id}, query: struct {
				SnapshotFilter
				Limit  int `url:"limit"`
				Offset int `url:"offset"`
			}{filter, page.Limit, page.Offset}}, err
		},
	}
}

// List returns one page of the snapshots that match filter, in the API's own order. page.Limit is by default 100 and at most 1000.
//
// GET /v4/clients/{client_id}/rules/snapshots. Replay class: read.
func (s *SnapshotsService) List(ctx context.Context, filter SnapshotFilter, page PageOptions, opts ...CallOption) (*Page[Snapshot], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the snapshots that match filter.
//
// GET /v4/clients/{client_id}/rules/snapshots. Replay class: read.
func (s *SnapshotsService) All(ctx context.Context, filter SnapshotFilter, opts ...CallOption) iter.Seq2[Snapshot, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *SnapshotsService) Pages(ctx context.Context, filter SnapshotFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Snapshot], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Get returns one snapshot.
//
// GET /v4/clients/{client_id}/rules/snapshots/{id}. Replay class: read.
func (s *SnapshotsService) Get(ctx context.Context, id int64, opts ...CallOption) (*Snapshot, error) {
	return s.one(ctx, snapshotsGet, id, nil, opts)
}

// one makes a call for one snapshot.
func (s *SnapshotsService) one(ctx context.Context, op operation, id int64, body any, opts []CallOption) (*Snapshot, error) {
	if id <= 0 {
		return nil, invalid("id", "%d is not positive", id)
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[Snapshot](ctx, s.client, op, args{path: []any{clientID, id}, body: body}, opts)
}

// NewSnapshot is a snapshot to take.
type NewSnapshot struct {
	// Title is required.
	Title     string `json:"title"`
	Comment   string `json:"comment,omitzero"`
	Important bool   `json:"important,omitzero"`
}

// Create takes a snapshot of all rules. While it is being taken, rules cannot be changed; see [SnapshotsService.WaitUnlocked]. A client keeps a
// limited number of them: SnapshotsKept in [RulesSettings].
//
// POST /v4/clients/{client_id}/rules/snapshots. Replay class: once.
func (s *SnapshotsService) Create(ctx context.Context, snapshot NewSnapshot, opts ...CallOption) (*Snapshot, error) {
	if snapshot.Title == "" {
		return nil, invalid("title", "it is empty")
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[Snapshot](ctx, s.client, snapshotsCreate, args{path: []any{clientID}, body: snapshot}, opts)
}

// SnapshotUpdate is what to change of a snapshot. An absent field stays as it is.
type SnapshotUpdate struct {
	Title     Opt[string] `json:"title,omitzero"`
	Comment   Opt[string] `json:"comment,omitzero"`
	Important Opt[bool]   `json:"important,omitzero"`
}

// Update changes how a snapshot is described, not what it holds.
//
// PUT /v4/clients/{client_id}/rules/snapshots/{id}. Replay class: idempotent.
func (s *SnapshotsService) Update(ctx context.Context, id int64, update SnapshotUpdate, opts ...CallOption) (*Snapshot, error) {
	title, given := update.Title.Get()
	switch {
	case update == SnapshotUpdate{}:
		return nil, invalid("update", "it changes nothing")
	case given && title == "", update.Title.IsNull():
		return nil, invalid("title", "it is empty")
	case update.Important.IsNull():
		return nil, invalid("important", "it is true or false, not null")
	}
	return s.one(ctx, snapshotsUpdate, id, update, opts)
}

// Delete deletes a snapshot. One that is not there counts as deleted, so a repeat succeeds.
//
// DELETE /v4/clients/{client_id}/rules/snapshots/{id}. Replay class: idempotent.
func (s *SnapshotsService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	if id <= 0 {
		return invalid("id", "%d is not positive", id)
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	return remove(ctx, s.client, snapshotsDelete, args{path: []any{clientID, id}}, opts)
}

// RulesStatus says whether rules can be changed. New values may appear.
type RulesStatus string

const (
	// RulesReady: nothing is going on.
	RulesReady RulesStatus = "ready"
	// RulesBackup: a snapshot is being taken; another one may be queued.
	RulesBackup RulesStatus = "backup"
	// RulesRestoring: a snapshot is being restored; nothing else can be started.
	RulesRestoring RulesStatus = "restoring"
)

// Status says whether a snapshot is being taken or restored, during which rules cannot be changed.
//
// GET /v4/clients/{client_id}/rules/snapshots/status. Replay class: read.
func (s *SnapshotsService) Status(ctx context.Context, opts ...CallOption) (RulesStatus, error) {
	return clientQuery[RulesStatus](ctx, s.client, snapshotsStatus, opts)
}

// Restore replaces all rules of the client with those of a snapshot. The call only schedules that: wait with [SnapshotsService.WaitUnlocked]. Ids of
// rules from before mean nothing afterwards.
//
// POST /v4/clients/{client_id}/rules/snapshots/{id}/restore. Replay class: once.
func (s *SnapshotsService) Restore(ctx context.Context, id int64, opts ...CallOption) (*Snapshot, error) {
	return s.one(ctx, snapshotsRestore, id, nil, opts)
}

// WaitUnlocked waits until no snapshot is being taken or restored, for as long as ctx lives. It asks every interval, by default every 5
// seconds. The lock of the settings, RulesLocked in [RulesSettings], is another one and does not end by itself.
//
// GET /v4/clients/{client_id}/rules/snapshots/status. Replay class: read.
func (s *SnapshotsService) WaitUnlocked(ctx context.Context, interval time.Duration, opts ...CallOption) error {
	return poll(ctx, snapshotsStatus, interval, func() (bool, error) {
		status, err := s.Status(ctx, opts...)
		return status == RulesReady, err
	})
}
