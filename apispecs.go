package wallarm

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"reflect"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	apiSpecsList      = operation{"api_specs.list", "GET", "/v4/clients/{client_id}/rules/api-specs", read, "items"}
	apiSpecsGet       = operation{"api_specs.get", "GET", "/v4/clients/{client_id}/rules/api-specs/{id}", read, inBody}
	apiSpecsCreate    = operation{"api_specs.create", "POST", "/v4/clients/{client_id}/rules/api-specs", once, inBody}
	apiSpecsUpdate    = operation{"api_specs.update", "PUT", "/v4/clients/{client_id}/rules/api-specs/{id}", idempotent, inBody}
	apiSpecsDelete    = operation{"api_specs.delete", "DELETE", "/v4/clients/{client_id}/rules/api-specs/{id}", idempotent, noAnswer}
	apiSpecsSetPolicy = operation{"api_specs.set_policy", "PUT", "/v4/clients/{client_id}/rules/api-specs/{id}/policy", idempotent, inBody}
	apiSpecsSyncState = operation{"api_specs.sync_state", "GET", "/v2/client/{client_id}/synced_api_specs", read, inBody}
	apiSpecsSyncNodes = operation{"api_specs.sync_nodes", "GET", "/v2/client/{client_id}/synced_api_specs/{id}", read, inBody}
)

// APISpecsService manages uploaded API specifications: what they are compared with, and what is enforced of them. Its changes may meet
// [ErrLocked], since they count as changes of rules.
type APISpecsService service

// APISpec is an uploaded specification.
type APISpec struct {
	ID          int64  `json:"id"`
	ClientID    int64  `json:"client_id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// FileRemoteURL is where the specification is read from. It may hold credentials, and is known from [APISpecsService.Get] only.
	FileRemoteURL Secret `json:"file_remote_url,omitzero"`
	// RegularFileUpdate says whether it is read again every hour.
	RegularFileUpdate bool `json:"regular_file_update"`
	// APIDetection says whether API Discovery compares the traffic with it to find rogue APIs.
	APIDetection bool `json:"api_detection"`
	// Instances are the ids of the applications that it is for, Domains their domains; empty is all.
	Instances []int64  `json:"instances"`
	Domains   []string `json:"domains"`
	// AuthHeaders are sent along when the specification is read, and known from [APISpecsService.Get] and lists only.
	AuthHeaders []AuthHeader  `json:"auth_headers,omitzero"`
	Status      APISpecStatus `json:"status,omitempty"`
	// SpecVersion is the version that the specification gives itself, OpenAPIVersion that of its format; empty while it is read.
	SpecVersion    string `json:"spec_version,omitempty"`
	OpenAPIVersion string `json:"openapi_version,omitempty"`
	// Version counts the files, NodeSyncVersion is the one that nodes are to have.
	Version         int64 `json:"version"`
	NodeSyncVersion int64 `json:"node_sync_version"`
	// FileFormat is not explained by the vendor.
	FileFormat int64 `json:"format"`
	// Endpoints is the number of endpoints that it describes; the others count those that the traffic disagrees on.
	Endpoints       int64 `json:"endpoints_count"`
	ShadowEndpoints int64 `json:"shadow_endpoints_count"`
	OrphanEndpoints int64 `json:"orphan_endpoints_count"`
	ZombieEndpoints int64 `json:"zombie_endpoints_count"`

	CreatedAt      Timestamp `json:"created_at,omitzero"`
	UpdatedAt      Timestamp `json:"updated_at,omitzero"`
	LastSyncedAt   Timestamp `json:"last_synced_at,omitzero"`
	LastComparedAt Timestamp `json:"last_compared_at,omitzero"`
	FileChangedAt  Timestamp `json:"file_changed_at,omitzero"`
	// File and Policy are known from [APISpecsService.Get] only.
	File   *APISpecFile   `json:"file,omitzero"`
	Policy *APISpecPolicy `json:"policy,omitzero"`
	Extra  Extra          `json:",embed"`
}

// MarshalJSON writes the specification: the members with a value, and all that no field is for, secrets masked.
func (s APISpec) MarshalJSON() ([]byte, error) {
	type plain APISpec
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads a specification and keeps unknown members.
func (s *APISpec) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads a specification and keeps unknown members.
func (s *APISpec) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain APISpec
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// Format prints the specification as a struct. Behind a pointer in a list or a struct, and with a verb such as %s, package fmt would not ask the
// secrets how they print.
func (s APISpec) Format(f fmt.State, verb rune) {
	type plain APISpec
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(s))
}

// APISpecStatus says what has become of an uploaded specification. New values may appear.
type APISpecStatus string

// The states that have been seen.
const (
	APISpecReady   APISpecStatus = "ready"
	APISpecPending APISpecStatus = "pending"
)

// AuthHeader is a header that authenticates the reading of a specification.
type AuthHeader struct {
	Key   string `json:"key"`
	Value Secret `json:"value"`
	Extra Extra  `json:",embed"`
}

// Format prints the header as a struct. All below auth_headers counts as secret, and so do members that this package does not know.
func (a AuthHeader) Format(f fmt.State, verb rune) {
	type plain AuthHeader
	shown := plain(a)
	shown.Extra = make(Extra, len(a.Extra))
	for name := range a.Extra {
		shown.Extra[name] = maskedJSON
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), shown)
}

// APISpecFile is the file of a specification.
type APISpecFile struct {
	Name string `json:"name"`
	// SignedURL leads to the file without further credentials. Each read makes a new one, good for about ten minutes.
	SignedURL Secret `json:"signed_url,omitzero"`
	Checksum  string `json:"checksum,omitempty"`
	MIMEType  string `json:"mime_type,omitempty"`
	Version   int64  `json:"version"`
	Extra     Extra  `json:",embed"`
}

// Format prints the file as a struct, see [APISpec.Format].
func (a APISpecFile) Format(f fmt.State, verb rune) {
	type plain APISpecFile
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(a))
}

func (s *APISpecsService) list(opts []CallOption) *lister[APISpec] {
	return &lister[APISpec]{
		client: s.client, op: apiSpecsList, paging: byPage, usual: 50, most: 50, opts: opts,
		id: func(a *APISpec) string { return idText(a.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			switch {
			case page.Offset%page.Limit != 0:
				return args{}, invalid("offset", "%d is not the beginning of a page of %d", page.Offset, page.Limit)
			case page.OrderBy != "" || page.Order != DefaultOrder:
				return args{}, invalid("order", "the list of specifications has none")
			}
			clientID, err := s.client.ClientID(ctx, opts...)
			query := struct {
				Page    int `url:"page"`
				PerPage int `url:"per_page"`
			}{page.Offset/page.Limit + 1, page.Limit}
			return args{path: []any{clientID}, query: query}, err
		},
	}
}

// List returns one page of the specifications. Its Total is the number of all. URL, file and policy of a specification are known from Get only.
//
// page.Limit is 50 by default and at most 50, the largest that clients are known to use; page.Offset must be a multiple of it.
//
// GET /v4/clients/{client_id}/rules/api-specs. Replay class: read.
func (s *APISpecsService) List(ctx context.Context, page PageOptions, opts ...CallOption) (*Page[APISpec], error) {
	return s.list(opts).page(ctx, page)
}

// All iterates over all specifications. Where the list has become shorter meanwhile, by the total that each answer tells, it reads the page before
// again, so that none is skipped; a specification that goes while another comes is not noticed.
//
// GET /v4/clients/{client_id}/rules/api-specs. Replay class: read.
func (s *APISpecsService) All(ctx context.Context, opts ...CallOption) iter.Seq2[APISpec, error] {
	return s.list(opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *APISpecsService) Pages(ctx context.Context, start PageOptions, opts ...CallOption) iter.Seq2[*Page[APISpec], error] {
	return s.list(opts).pages(ctx, start)
}

// Get returns one specification with its URL, file and policy. [ErrNotFound] if there is none of this id, which the API says with a 404 or with
// an empty answer.
//
// GET /v4/clients/{client_id}/rules/api-specs/{id}. Replay class: read.
func (s *APISpecsService) Get(ctx context.Context, id int64, opts ...CallOption) (*APISpec, error) {
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[APISpec](ctx, s.client, apiSpecsGet, args{path: []any{clientID, id}}, opts)
}

// NewAPISpec is a specification to upload from a URL.
type NewAPISpec struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	// FileRemoteURL is where an OpenAPI 3.0 or 3.1 file is read from, in JSON or YAML.
	FileRemoteURL Secret `json:"file_remote_url"`
	// RegularFileUpdate reads it again every hour.
	RegularFileUpdate bool `json:"regular_file_update"`
	// APIDetection lets API Discovery compare the traffic with it to find rogue APIs.
	APIDetection bool `json:"api_detection"`
	// Instances are the ids of the applications that it is for, Domains their domains; empty is all.
	Instances []int64  `json:"instances"`
	Domains   []string `json:"domains"`
	// AuthHeaders are sent along when the file is read.
	AuthHeaders []AuthHeader `json:"auth_headers"`
}

// Create uploads a specification from a URL. The API takes a second one of the same title without complaint: after [ErrOutcomeUnknown] look for
// the title in the list before you repeat the call. The file is read after the answer, so that its status is pending and its numbers are 0.
//
// POST /v4/clients/{client_id}/rules/api-specs. Replay class: once.
func (s *APISpecsService) Create(ctx context.Context, spec NewAPISpec, opts ...CallOption) (*APISpec, error) {
	if spec.Title == "" {
		return nil, invalid("title", "it is empty")
	}
	if err := checkFileURL(spec.FileRemoteURL); err != nil {
		return nil, err
	}
	if err := checkAuthHeaders(spec.AuthHeaders); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[APISpec](ctx, s.client, apiSpecsCreate, args{path: []any{clientID}, body: spec}, opts)
}

// checkFileURL refuses what cannot be read from. The URL may hold credentials, so the complaint does not show it.
func checkFileURL(value Secret) error {
	if err := checkSecret("file URL", value); err != nil {
		return err
	}
	u, err := url.Parse(value.Reveal())
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return invalid("file URL", "it is no http URL")
	}
	return nil
}

func checkAuthHeaders(headers []AuthHeader) error {
	for _, header := range headers {
		if err := checkHeaderValue("authentication header", header.Key); err != nil || header.Key == "" {
			return invalid("authentication header", "its key is empty or no header name")
		}
		if header.Value.IsZero() {
			continue
		}
		if err := checkSecret("authentication header "+clip(header.Key), header.Value); err != nil {
			return err
		}
	}
	return nil
}

// APISpecUpdate says what to change. What is absent stays as it is, an empty list clears.
type APISpecUpdate struct {
	Title             Opt[string]   `json:"title,omitzero"`
	Description       Opt[string]   `json:"description,omitzero"`
	FileRemoteURL     Opt[Secret]   `json:"file_remote_url,omitzero"`
	RegularFileUpdate Opt[bool]     `json:"regular_file_update,omitzero"`
	APIDetection      Opt[bool]     `json:"api_detection,omitzero"`
	Instances         Opt[[]int64]  `json:"instances,omitzero"`
	Domains           Opt[[]string] `json:"domains,omitzero"`
	// AuthHeaders replaces all of them. Give the real values: one that looks masked is refused, see [IntegrationUpdate], and nothing is sent.
	AuthHeaders Opt[[]AuthHeader] `json:"auth_headers,omitzero"`
}

func (u *APISpecUpdate) validate() error {
	if reflect.ValueOf(*u).IsZero() {
		return invalid("update", "it changes nothing")
	}
	if title, ok := u.Title.Get(); u.Title.IsNull() || (ok && title == "") {
		return invalid("title", "it is empty")
	}
	for _, isNull := range []bool{
		u.Description.IsNull(), u.FileRemoteURL.IsNull(), u.RegularFileUpdate.IsNull(), u.APIDetection.IsNull(), u.Instances.IsNull(),
		u.Domains.IsNull(), u.AuthHeaders.IsNull(),
	} {
		if isNull {
			return invalid("update", "a member is null: leave it out to keep it, set it to an empty list to clear it")
		}
	}
	if value, ok := u.FileRemoteURL.Get(); ok {
		if err := checkFileURL(value); err != nil {
			return err
		}
	}
	return checkAuthHeaders(u.AuthHeaders.Or(nil))
}

// Update changes what update names and nothing else.
//
// PUT /v4/clients/{client_id}/rules/api-specs/{id}. Replay class: idempotent.
func (s *APISpecsService) Update(ctx context.Context, id int64, update APISpecUpdate, opts ...CallOption) (*APISpec, error) {
	if err := update.validate(); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return get[APISpec](ctx, s.client, apiSpecsUpdate, args{path: []any{clientID, id}, body: update}, opts)
}

// Delete removes a specification and its policy. One that is not there counts as deleted.
//
// DELETE /v4/clients/{client_id}/rules/api-specs/{id}. Replay class: idempotent.
func (s *APISpecsService) Delete(ctx context.Context, id int64, opts ...CallOption) error {
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	return remove(ctx, s.client, apiSpecsDelete, args{path: []any{clientID, id}}, opts)
}
