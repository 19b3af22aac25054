package wallarm

import (
	"context"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	applicationsList   = operation{"applications.list", "POST", "/v1/objects/pool", read, inBody}
	applicationsCreate = operation{"applications.create", "POST", "/v1/objects/pool/create", once, inBody}
	applicationsUpdate = operation{"applications.update", "POST", "/v1/objects/pool/update", idempotent, inBody}
	applicationsDelete = operation{"applications.delete", "POST", "/v1/objects/pool/delete", idempotent, noAnswer}
)

const (
	// DefaultApplication is the id of the application that every client has and that cannot be deleted.
	DefaultApplication int64 = -1
	// AllApplications stands for every application where the IP lists take ids. No application has this id.
	AllApplications int64 = 0
)

// ApplicationsService manages applications, the parts into which a client divides its traffic. The wire calls them pools. Administrators alone
// may change them.
type ApplicationsService service

// Application is an application.
type Application struct {
	// ID is the number that nodes are configured with, [DefaultApplication] for the default one. One client may have null here, which is 0.
	ID       int64  `json:"id,omitzero"`
	ClientID int64  `json:"clientid"`
	Name     string `json:"name"`
	// Deleted says that the application is gone; lists may hold it nevertheless.
	Deleted bool  `json:"deleted"`
	Extra   Extra `json:",embed"`
}

// IsDefault reports whether this is the default application.
func (a *Application) IsDefault() bool { return a.ID == DefaultApplication }

// MarshalJSON writes the application: the members with a value, and all that no field is for.
func (a Application) MarshalJSON() ([]byte, error) {
	type plain Application
	return wire.MarshalEcho(plain(a))
}

// UnmarshalJSON reads an application and keeps unknown members.
func (a *Application) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, a) }

// UnmarshalJSONFrom reads an application and keeps unknown members.
func (a *Application) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Application
	return wire.UnmarshalDecode(d, (*plain)(a))
}

// ApplicationFilter selects applications. A zero field is no condition.
type ApplicationFilter struct {
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `json:"clientid,omitzero"`
	// IDs are alternatives. The vendor describes them for the changing routes; that the list takes them is likely, not documented.
	IDs []int64 `json:"-"`
	// Name is the whole name. See IDs.
	Name string `json:"name,omitempty"`
	// Not holds conditions that must not hold: each of its fields travels under its name with a leading "!".
	Not *ApplicationFilter `json:"-"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object.
func (f ApplicationFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	if f.Not == nil {
		return wire.WriteFilter(e, f.encoded(), nil)
	}
	return wire.WriteFilter(e, f.encoded(), f.Not.encoded())
}

func (f ApplicationFilter) encoded() any {
	type plain ApplicationFilter
	return struct {
		plain
		IDs oneOrMany[int64] `json:"id,omitzero"`
	}{plain(f), f.IDs}
}

func (s *ApplicationsService) list(filter ApplicationFilter, opts []CallOption) *lister[Application] {
	return &lister[Application]{
		client: s.client, op: applicationsList, paging: byOffset, usual: 100, most: 500, opts: opts,
		id: func(a *Application) string {
			if a.ID == 0 {
				return ""
			}
			return strconv.FormatInt(a.ClientID, 10) + "/" + strconv.FormatInt(a.ID, 10)
		},
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			f := filter
			if f.Not != nil && f.Not.Not != nil {
				return args{}, invalid("filter", "Not within Not")
			}
			var err error
			f.ClientIDs, err = s.client.clientIDs(ctx, filter.ClientIDs, opts)
			return args{body: offsetBody(f, page, "id", false)}, err
		},
	}
}

// List returns one page of the applications that match filter, by ascending id unless page says otherwise, so the default one comes first.
// The page may hold deleted ones, see [Application.Deleted].
//
// page.Limit is 100 by default and at most 500, the largest that clients are known to use.
//
// POST /v1/objects/pool. Replay class: read.
func (s *ApplicationsService) List(ctx context.Context, filter ApplicationFilter, page PageOptions, opts ...CallOption) (*Page[Application], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the applications that match filter, by ascending id.
//
// POST /v1/objects/pool. Replay class: read.
func (s *ApplicationsService) All(ctx context.Context, filter ApplicationFilter, opts ...CallOption) iter.Seq2[Application, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *ApplicationsService) Pages(
	ctx context.Context, filter ApplicationFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[Application], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// Get returns one application, or an error that matches [ErrNotFound]. The API has no read by id, so this reads the list until it is
// found; one that is marked as deleted counts as not found.
//
// POST /v1/objects/pool. Replay class: read.
func (s *ApplicationsService) Get(ctx context.Context, id int64, opts ...CallOption) (*Application, error) {
	if err := checkApplication(id); err != nil {
		return nil, err
	}
	for application, err := range s.All(ctx, ApplicationFilter{}, wholeList(opts)...) {
		if err != nil {
			return nil, err
		}
		if application.ID == id && !application.Deleted {
			return &application, nil
		}
	}
	return nil, notFound(applicationsList, http.StatusOK)
}

func checkApplication(id int64) error {
	if id <= 0 && id != DefaultApplication {
		return invalid("application id", "%d is none: ids are positive, or DefaultApplication", id)
	}
	return nil
}

// NewApplication is an application to create.
type NewApplication struct {
	// ID is the number to configure nodes with. 0 lets the API choose one, and then a create whose outcome is unknown cannot be told from
	// others.
	ID   int64  `json:"id,omitzero"`
	Name string `json:"name"`
}

// Create makes an application. An id that is taken is an error that matches [ErrAlreadyExists]: with an id of your own, a repeat after
// [ErrOutcomeUnknown] does no harm.
//
// POST /v1/objects/pool/create. Replay class: once.
func (s *ApplicationsService) Create(ctx context.Context, application NewApplication, opts ...CallOption) (*Application, error) {
	switch {
	case application.ID < 0:
		return nil, invalid("application id", "%d is negative", application.ID)
	case strings.TrimSpace(application.Name) == "":
		return nil, invalid("name", "it is empty")
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	body := struct {
		NewApplication
		ClientID int64 `json:"clientid"`
	}{application, clientID}
	return get[Application](ctx, s.client, applicationsCreate, args{body: body}, opts)
}

// Rename gives an application another name. It returns an error that matches [ErrNotFound] if the API says that it touched none, and
// [ErrOutcomeUnknown], since a repeat of a request that was lost may touch none either; some answers do not say.
//
// POST /v1/objects/pool/update. Replay class: idempotent.
func (s *ApplicationsService) Rename(ctx context.Context, id int64, name string, opts ...CallOption) error {
	touched, err := s.rename(ctx, id, name, opts)
	if err == nil && touched != nil && len(touched) == 0 {
		return noneTouched(applicationsUpdate)
	}
	return err
}

// rename returns what the answer says was touched, nil if it does not say.
func (s *ApplicationsService) rename(ctx context.Context, id int64, name string, opts []CallOption) ([]Application, error) {
	if err := checkApplication(id); err != nil {
		return nil, err
	}
	if strings.TrimSpace(name) == "" {
		return nil, invalid("name", "it is empty")
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	type fields struct {
		Name string `json:"name"`
	}
	body := struct {
		Filter ApplicationFilter `json:"filter"`
		Fields fields            `json:"fields"`
	}{ApplicationFilter{ClientIDs: []int64{clientID}, IDs: []int64{id}}, fields{name}}
	return do[[]Application](ctx, s.client, applicationsUpdate, args{body: body}, opts)
}

// Delete deletes an application. One that is not there counts as deleted; the default one is refused. An application comes back, under a
// name of the API's choice, while a node is configured with its id.
//
// POST /v1/objects/pool/delete. Replay class: idempotent.
func (s *ApplicationsService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	if id == DefaultApplication {
		return invalid("application id", "the default application cannot be deleted")
	}
	if err := checkApplication(id); err != nil {
		return err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	type filter struct {
		ID       int64 `json:"id"`
		ClientID int64 `json:"clientid"`
	}
	body := struct {
		Filter filter `json:"filter"`
	}{filter{id, clientID}}
	// The answer lists what was deleted; nothing is an answer too.
	return remove(ctx, s.client, applicationsDelete, args{body: body}, opts)
}
