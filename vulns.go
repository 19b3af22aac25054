package wallarm

import (
	"cmp"
	"context"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	vulnsList              = operation{"vulns.list", "POST", "/v1/objects/vuln", read, inBody}
	vulnsCount             = operation{"vulns.count", "POST", "/v1/objects/vuln/count", read, wire.Envelope("count")}
	vulnsUpdate            = operation{"vulns.update", "POST", "/v1/objects/vuln/update", idempotent, wire.Envelope("vulns")}
	vulnsMarkFalsePositive = operation{"vulns.mark_false_positive", "POST", "/v2/vuln/{id}/mark_false_positive", idempotent, noAnswer}
	vulnsTemplates         = operation{"vulns.templates", "GET", "/v2/vuln/template", read, wire.Envelope("body.result")}
	vulnsTemplate          = operation{"vulns.template", "GET", "/v2/vuln/template/{id}", read, wire.Envelope("body.result")}
)

// VulnsService reads and changes vulnerabilities. Their successors in the Console are security issues, with ids of their own: see
// [SecurityIssuesService]. An attack that exploited a vulnerability is an incident and names it in VulnIDs.
type VulnsService service

// Vuln is a vulnerability.
type Vuln struct {
	ID int64 `json:"id"`
	// WID is the id that people use, such as EXMPL-77.
	WID string `json:"wid,omitempty"`
	// Template is the name of the template that the texts come from, see [VulnsService.Templates].
	Template string     `json:"template,omitempty"`
	Status   VulnStatus `json:"status"`
	// Target is client, database or server.
	Target string   `json:"target,omitempty"`
	Type   VulnType `json:"type,omitempty"`
	// Threat is a number; 60, 80 and 90 have been seen. Where low ends and high begins is not documented.
	Threat   int64 `json:"threat"`
	ClientID int64 `json:"clientid,omitzero"`
	// TestRunID is the test run that found it, nil if none did.
	TestRunID *int64 `json:"testrun_id,omitzero"`
	// ValidateTime is when the vulnerability was found to be real.
	ValidateTime   Timestamp `json:"validate_time,omitzero"`
	InvalidateTime Timestamp `json:"invalidate_time,omitzero"`
	LastCheck      Timestamp `json:"last_check,omitzero"`
	// Incidents are known to be null or a list; nobody describes its elements.
	Incidents     []RawJSON         `json:"incidents,omitzero"`
	TicketStatus  string            `json:"ticket_status,omitempty"`
	TicketHistory []VulnTicketEvent `json:"ticket_history,omitzero"`
	// Method, Domain, Path and Parameter say where it is.
	Method         string `json:"method,omitempty"`
	Domain         string `json:"domain,omitempty"`
	Path           string `json:"path,omitempty"`
	Parameter      string `json:"parameter,omitempty"`
	Title          string `json:"title,omitempty"`
	Description    string `json:"description,omitempty"`
	Additional     string `json:"additional,omitempty"`
	ExploitExample string `json:"exploit_example,omitempty"`
	// Locations are the requests that the vulnerability is tied to. The wire calls them filter.
	Locations []VulnLocation `json:"filter,omitzero"`
	// Validated says that it was verified.
	Validated bool `json:"validated"`
	Hidden    bool `json:"hidden"`
	// DetectionMethod is active or passive.
	DetectionMethod string `json:"detection_method,omitempty"`
	RecheckType     string `json:"vuln_recheck_type,omitempty"`
	// TemplateParams fill the template.
	TemplateParams map[string]TemplateParam `json:"template_params,omitzero"`
	Extra          Extra                    `json:",embed"`
}

// MarshalJSON writes the vulnerability: the members with a value, and all that no field is for.
func (v Vuln) MarshalJSON() ([]byte, error) {
	type plain Vuln
	return wire.MarshalEcho(plain(v))
}

// UnmarshalJSON reads a vulnerability and keeps unknown members.
func (v *Vuln) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, v) }

// UnmarshalJSONFrom reads a vulnerability and keeps unknown members.
func (v *Vuln) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain Vuln
	return wire.UnmarshalDecode(d, (*plain)(v))
}

// VulnTicketEvent is an entry in the history of a vulnerability.
type VulnTicketEvent struct {
	Time    Timestamp `json:"time"`
	Type    string    `json:"type"`
	Message string    `json:"message"`
	Link    string    `json:"link,omitempty"`
	Extra   Extra     `json:",embed"`
}

// VulnLocation is a request that a vulnerability is tied to.
type VulnLocation struct {
	Method    string `json:"method,omitempty"`
	Domain    string `json:"domain,omitempty"`
	Path      string `json:"path,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	// Text is the location as one text, the form that the Console's API description draws. The other fields are empty then.
	Text  string `json:"-"`
	Extra Extra  `json:",embed"`
}

// MarshalJSONTo writes the object or the text.
func (l VulnLocation) MarshalJSONTo(e *jsontext.Encoder) error {
	if l.Text != "" {
		return e.WriteToken(jsontext.String(l.Text))
	}
	type plain VulnLocation
	return wire.MarshalEncode(e, plain(l))
}

// UnmarshalJSONFrom reads the object or the text.
func (l *VulnLocation) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		return wire.UnmarshalDecode(d, &l.Text)
	}
	type plain VulnLocation
	return wire.UnmarshalDecode(d, (*plain)(l))
}

// TemplateParam is the value of a template's parameter: a text or a list of texts.
type TemplateParam struct {
	// Text is the value if List is nil.
	Text string
	// List is the value if it is a list, which may be empty.
	List []string
	// Raw is the value if it is neither.
	Raw RawJSON
}

// MarshalJSONTo writes the value in its form.
func (p TemplateParam) MarshalJSONTo(e *jsontext.Encoder) error {
	switch {
	case p.Raw != nil:
		return e.WriteValue(p.Raw)
	case p.List != nil:
		return wire.MarshalEncode(e, p.List)
	}
	return e.WriteToken(jsontext.String(p.Text))
}

// UnmarshalJSONFrom reads the value in any form.
func (p *TemplateParam) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	*p = TemplateParam{}
	switch value.Kind() {
	case '"':
		return wire.Unmarshal(value, &p.Text)
	case '[':
		elements, err := wire.DecodeElements[RawJSON](value, nil)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(elements, func(e RawJSON) bool { return e.Kind() != '"' }) {
			p.List = make([]string, 0, len(elements))
			return wire.Unmarshal(value, &p.List)
		}
	}
	p.Raw = value.Clone()
	return nil
}

// VulnStatus is the state of a vulnerability. New values may appear.
type VulnStatus string

// The states that the sources name. Headings of the vendor's documentation say active for open.
const (
	VulnOpen          VulnStatus = "open"
	VulnClosed        VulnStatus = "closed"
	VulnFalsePositive VulnStatus = "falsepositive"
)

// VulnType is the type of a vulnerability or of a security issue; many are [AttackType] codes, too. New ones appear.
type VulnType string

// The types of vulnerabilities and security issues that the sources name.
const (
	VulnTypeSQLi              VulnType = "sqli"
	VulnTypeNoSQLi            VulnType = "nosqli"
	VulnTypeRCE               VulnType = "rce"
	VulnTypeSSTI              VulnType = "ssti"
	VulnTypeLDAPi             VulnType = "ldapi"
	VulnTypeSSRF              VulnType = "ssrf"
	VulnTypePathTraversal     VulnType = "ptrav"
	VulnTypeXXE               VulnType = "xxe"
	VulnTypeXSS               VulnType = "xss"
	VulnTypeCRLF              VulnType = "crlf"
	VulnTypeMassAssignment    VulnType = "mass_assignment"
	VulnTypeAccountTakeover   VulnType = "account_takeover"
	VulnTypeMissingAuth       VulnType = "missing_auth"
	VulnTypeInfoLeak          VulnType = "infoleak"
	VulnTypeRedir             VulnType = "redir"
	VulnTypeBOLA              VulnType = "bola"
	VulnTypeVulnComponent     VulnType = "vuln_component"
	VulnTypeDoS               VulnType = "dos"
	VulnTypeAPILeak           VulnType = "api_leak"
	VulnTypeFileDelete        VulnType = "file_delete"
	VulnTypeAuth              VulnType = "auth"
	VulnTypeBrokenAccess      VulnType = "broken_access"
	VulnTypeBFLA              VulnType = "bfla"
	VulnTypeBufferOverflow    VulnType = "buffer_overflow"
	VulnTypeCSRF              VulnType = "csrf"
	VulnTypeFileRead          VulnType = "file_read"
	VulnTypeRequestSmuggling  VulnType = "request_smuggling"
	VulnTypeDeserialize       VulnType = "deserialize"
	VulnTypeInputValidation   VulnType = "input_validation"
	VulnTypeInsecureStorage   VulnType = "insecure_storage"
	VulnTypeLFI               VulnType = "lfi"
	VulnTypeAdmin             VulnType = "admin"
	VulnTypeMemoryCorruption  VulnType = "memory_corruption"
	VulnTypeMisconfig         VulnType = "misconfig"
	VulnTypePrivesc           VulnType = "privesc"
	VulnTypeRace              VulnType = "race"
	VulnTypeRFI               VulnType = "rfi"
	VulnTypeSensitiveAPI      VulnType = "sensitive_api"
	VulnTypeSubdomainTakeover VulnType = "sub_takeover"
	VulnTypeUserEnumeration   VulnType = "user_enum"
	VulnTypeWeakAuth          VulnType = "weak_auth"
	VulnTypeWeakCredentials   VulnType = "weak_creds"
	VulnTypeWeakCrypto        VulnType = "weak_crypto"
	VulnTypeInfo              VulnType = "info"
	VulnTypeAnomaly           VulnType = "anomaly"
	VulnTypeFileUploadAttack  VulnType = "file_upload_violation"
	// The four below are what security issues call redir, bola, vuln_component and file_upload_violation.
	VulnTypeRedirect          VulnType = "redirect"
	VulnTypeIDOR              VulnType = "idor"
	VulnTypeVulnerableVersion VulnType = "vuln_version"
	VulnTypeFileUpload        VulnType = "file_upload"
)

// VulnPreset is a ready-made set of conditions: a category of the OWASP API Top 10. New values may appear.
type VulnPreset string

// The presets that the Console's API description names.
const (
	VulnPresetAPI2In2019  VulnPreset = "owasp_api2_2019"
	VulnPresetAPI3In2019  VulnPreset = "owasp_api3_2019"
	VulnPresetAPI5In2019  VulnPreset = "owasp_api5_2019"
	VulnPresetAPI7In2019  VulnPreset = "owasp_api7_2019"
	VulnPresetAPI8In2019  VulnPreset = "owasp_api8_2019"
	VulnPresetAPI2In2023  VulnPreset = "owasp_api2_2023"
	VulnPresetAPI3In2023  VulnPreset = "owasp_api3_2023"
	VulnPresetAPI5In2023  VulnPreset = "owasp_api5_2023"
	VulnPresetAPI6In2023  VulnPreset = "owasp_api6_2023"
	VulnPresetAPI7In2023  VulnPreset = "owasp_api7_2023"
	VulnPresetAPI10In2023 VulnPreset = "owasp_api10_2023"
)

// VulnFilter selects vulnerabilities. A zero field is no condition; conditions on different fields must all hold, values of one field are
// alternatives.
type VulnFilter struct {
	IDs []int64 `json:"id,omitzero"`
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `json:"clientid,omitzero"`
	// Time is when the vulnerability was found; the vendor's documentation uses it without saying more.
	Time           TimeRange `json:"time,omitzero"`
	ValidateTime   TimeRange `json:"validate_time,omitzero"`
	InvalidateTime TimeRange `json:"invalidate_time,omitzero"`
	// TestRunIDs selects by test run: null selects what no test run found.
	TestRunIDs   Opt[[]int64] `json:"testrun_id,omitzero"`
	Threat       []int64      `json:"threat,omitzero"`
	Methods      []string     `json:"method,omitzero"`
	Domains      []string     `json:"domain,omitzero"`
	Paths        []string     `json:"path,omitzero"`
	Parameters   []string     `json:"parameter,omitzero"`
	Pools        []string     `json:"pool,omitzero"`
	SCIDs        []string     `json:"scid,omitzero"`
	RecheckTypes []string     `json:"vuln_recheck_type,omitzero"`
	Hidden       Opt[bool]    `json:"hidden,omitzero"`
	Validated    Opt[bool]    `json:"validated,omitzero"`
	// Type, Target and Status take one value each.
	Type VulnType `json:"type,omitzero"`
	// Target is client, database or server.
	Target string     `json:"target,omitzero"`
	Status VulnStatus `json:"status,omitzero"`
	// Preset must be empty in Not.
	Preset VulnPreset `json:"preset,omitzero"`
	// Language is that of the texts in the answer. It is no condition; empty leaves the choice to the API.
	Language string `json:"-"`
	// Not holds conditions that must not hold: each of its fields travels under its name with a leading "!".
	Not *VulnFilter `json:"-"`
	// Extra holds conditions that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// MarshalJSONTo writes the filter object.
func (f VulnFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain VulnFilter
	if f.Not == nil {
		return wire.WriteFilter(e, plain(f), nil)
	}
	return wire.WriteFilter(e, plain(f), plain(*f.Not))
}

func (f *VulnFilter) validate() error {
	err := cmp.Or(f.Time.validate("filter.time"), f.ValidateTime.validate("filter.validate_time"),
		f.InvalidateTime.validate("filter.invalidate_time"), positiveIDs("filter.id", f.IDs))
	if err != nil {
		return err
	}
	switch not := f.Not; {
	case not == nil:
		return nil
	case not.Not != nil:
		return invalid("filter", "Not within Not")
	case not.Preset != "":
		return invalid("filter.preset", "it cannot be negated")
	case not.Language != "":
		return invalid("filter.language", "it is no condition and cannot be negated")
	}
	return f.Not.validate()
}

// prepared checks the filter and fills in the client id.
func (f VulnFilter) prepared(ctx context.Context, c *Client, opts []CallOption) (VulnFilter, error) {
	if err := f.validate(); err != nil {
		return f, err
	}
	var err error
	f.ClientIDs, err = c.clientIDs(ctx, f.ClientIDs, opts)
	return f, err
}

// vulnListBody is listBody with the language of the texts.
type vulnListBody struct {
	listBody
	Language string `json:"language,omitzero"`
}

func (s *VulnsService) offsetList(filter VulnFilter, opts []CallOption) *lister[Vuln] {
	return &lister[Vuln]{
		client: s.client, op: vulnsList, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(v *Vuln) string { return idText(v.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			f, err := filter.prepared(ctx, s.client, opts)
			return args{body: vulnListBody{offsetBody(f, page, "id", false), f.Language}}, err
		},
	}
}

// List returns one page of the vulnerabilities that match filter, by ascending id unless page says otherwise.
//
// page.Limit is 100 by default and at most 1000; page.OrderBy takes id, clientid, pool, time, validate_time, invalidate_time, template,
// vuln_recheck_type, type, status, target, threat, method, domain, path, parameter, scid, hidden, validated and testrun_id.
//
// POST /v1/objects/vuln. Replay class: read.
func (s *VulnsService) List(ctx context.Context, filter VulnFilter, page PageOptions, opts ...CallOption) (*Page[Vuln], error) {
	return s.offsetList(filter, opts).page(ctx, page)
}

// All iterates over the vulnerabilities that match filter, by ascending id, in pages of 1000 unless [PageSize] says otherwise.
//
// POST /v1/objects/vuln. Replay class: read.
func (s *VulnsService) All(ctx context.Context, filter VulnFilter, opts ...CallOption) iter.Seq2[Vuln, error] {
	return s.offsetList(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *VulnsService) Pages(ctx context.Context, filter VulnFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Vuln], error] {
	return s.offsetList(filter, opts).pages(ctx, start)
}

// Get returns the vulnerability with this id, or [ErrNotFound]. The API has no route for a single one: it is a list of one.
//
// POST /v1/objects/vuln. Replay class: read.
func (s *VulnsService) Get(ctx context.Context, id int64, opts ...CallOption) (*Vuln, error) {
	if err := positiveIDs("id", []int64{id}); err != nil {
		return nil, err
	}
	page, err := s.List(ctx, VulnFilter{IDs: []int64{id}}, PageOptions{Limit: 1}, opts...)
	if err != nil {
		return nil, err
	}
	return withID(vulnsList, page.Items, id, vulnID)
}

// vulnID is the id of v.
func vulnID(v *Vuln) int64 { return v.ID }

// Count counts the vulnerabilities that match filter. The description of the route lacks the conditions Type, Target, Status and Preset: they
// are sent, and the API may refuse or ignore them. Language has no use here and is not sent.
//
// POST /v1/objects/vuln/count, known from the Console's API description only. Replay class: read.
func (s *VulnsService) Count(ctx context.Context, filter VulnFilter, opts ...CallOption) (int64, error) {
	f, err := filter.prepared(ctx, s.client, opts)
	if err != nil {
		return 0, err
	}
	return do[int64](ctx, s.client, vulnsCount, args{body: listBody{Filter: vulnCountFilter(f)}}, opts)
}

// vulnCountFilter is the filter as the count takes it: ids are texts there, says the only source.
type vulnCountFilter VulnFilter

func (f vulnCountFilter) MarshalJSONTo(e *jsontext.Encoder) error {
	if f.Not == nil {
		return wire.WriteFilter(e, f.texts(), nil)
	}
	return wire.WriteFilter(e, f.texts(), vulnCountFilter(*f.Not).texts())
}

func (f vulnCountFilter) texts() any {
	type plain VulnFilter
	var ids []string
	if f.IDs != nil {
		// An empty list matches nothing, and must be sent to do so.
		ids = make([]string, 0, len(f.IDs))
	}
	for _, id := range f.IDs {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	return struct {
		plain
		IDs []string `json:"id,omitzero"`
	}{plain(f), ids}
}

// VulnSelection names the vulnerabilities to change.
type VulnSelection struct {
	// IDs are the vulnerabilities. There must be at least one: a change of all of them at once is refused.
	IDs []int64
	// ClientID is their tenant; by default the one that the client works for.
	ClientID int64
}

// VulnUpdate says what to change. An absent field stays as it is, and at least one must be set.
type VulnUpdate struct {
	// Status takes no null.
	Status Opt[VulnStatus] `json:"status,omitzero"`
	Threat Opt[int64]      `json:"threat,omitzero"`
	// Title, Description, Additional and ExploitExample are texts.
	Title          Opt[string] `json:"title,omitzero"`
	Description    Opt[string] `json:"description,omitzero"`
	Additional     Opt[string] `json:"additional,omitzero"`
	ExploitExample Opt[string] `json:"exploit_example,omitzero"`
	// Template is the name of a template, see [VulnsService.Templates].
	Template Opt[string] `json:"template,omitzero"`
	// TemplateTexts override the texts of the template.
	TemplateTexts VulnTemplateTexts   `json:"template_params,omitzero"`
	LastCheck     Opt[Timestamp]      `json:"last_check,omitzero"`
	RecheckType   Opt[string]         `json:"vuln_recheck_type,omitzero"`
	Locations     Opt[[]VulnLocation] `json:"filter,omitzero"`
	Validated     Opt[bool]           `json:"validated,omitzero"`
	Hidden        Opt[bool]           `json:"hidden,omitzero"`
	// VPatched says that a virtual patch covers it.
	VPatched Opt[bool] `json:"vpatched,omitzero"`
	// Extra holds members that have no field here, by their wire names.
	Extra Extra `json:",embed"`
}

// VulnTemplateTexts are texts in place of those of a template.
type VulnTemplateTexts struct {
	Title       Opt[string] `json:"custom_title,omitzero"`
	Description Opt[string] `json:"custom_description,omitzero"`
	Additional  Opt[string] `json:"custom_additional,omitzero"`
}

// isEmpty reports whether u changes nothing.
func (u VulnUpdate) isEmpty() bool {
	extra := len(u.Extra)
	u.Extra = nil
	return extra == 0 && reflect.ValueOf(u).IsZero()
}

// vulnUpdateBody is the body of an update.
type vulnUpdateBody struct {
	Filter struct {
		IDs      oneOrMany[int64] `json:"id"`
		ClientID int64            `json:"clientid"`
	} `json:"filter"`
	Fields VulnUpdate `json:"fields"`
}

// Update changes the vulnerabilities that are selected and returns them as the API answers: the changed members at least, the others may be
// zero. What is not there is not an error; it is missing in the answer. Each call may add an entry to the history.
//
// POST /v1/objects/vuln/update, known from the Console's API description only, which says nothing about more than one id. Replay class:
// idempotent, since the values are absolute.
func (s *VulnsService) Update(ctx context.Context, selection VulnSelection, update VulnUpdate, opts ...CallOption) ([]Vuln, error) {
	switch {
	case len(selection.IDs) == 0:
		return nil, invalid("selection.ids", "it is empty, which would select every vulnerability of the client")
	case selection.ClientID < 0:
		return nil, invalid("selection.client id", "%d is not positive", selection.ClientID)
	case update.isEmpty():
		return nil, invalid("update", "it changes nothing")
	case update.Status.IsNull():
		return nil, invalid("update.status", "it is null: a vulnerability has one")
	}
	if err := positiveIDs("selection.ids", selection.IDs); err != nil {
		return nil, err
	}
	body := vulnUpdateBody{Fields: update}
	body.Filter.IDs, body.Filter.ClientID = selection.IDs, selection.ClientID
	if body.Filter.ClientID == 0 {
		var err error
		if body.Filter.ClientID, err = s.client.ClientID(ctx, opts...); err != nil {
			return nil, err
		}
	}
	return do[[]Vuln](ctx, s.client, vulnsUpdate, args{body: body}, opts)
}

// Close sets the status of a vulnerability to closed. It returns what [VulnsService.Update] does, or [ErrNotFound].
//
// POST /v1/objects/vuln/update, known from the Console's API description only. Replay class: idempotent.
func (s *VulnsService) Close(ctx context.Context, id int64, opts ...CallOption) (*Vuln, error) {
	return s.setStatus(ctx, id, VulnClosed, opts)
}

// Reopen sets the status of a vulnerability to open, whether it was closed or marked as a false positive. It returns what
// [VulnsService.Update] does, or [ErrNotFound].
//
// POST /v1/objects/vuln/update, known from the Console's API description only. Replay class: idempotent.
func (s *VulnsService) Reopen(ctx context.Context, id int64, opts ...CallOption) (*Vuln, error) {
	return s.setStatus(ctx, id, VulnOpen, opts)
}

func (s *VulnsService) setStatus(ctx context.Context, id int64, status VulnStatus, opts []CallOption) (*Vuln, error) {
	changed, err := s.Update(ctx, VulnSelection{IDs: []int64{id}}, VulnUpdate{Status: Set(status)}, opts...)
	if err != nil {
		return nil, err
	}
	return withID(vulnsUpdate, changed, id, vulnID)
}

// MarkFalsePositive marks a vulnerability as a false positive. The API accepts the mark and applies it in its own time (202), so a list may
// show the former status for a while. [VulnsService.Reopen] takes the mark back.
//
// POST /v2/vuln/{id}/mark_false_positive, known from the Console's API description only. Replay class: idempotent.
func (s *VulnsService) MarkFalsePositive(ctx context.Context, id int64, opts ...CallOption) error {
	return run(ctx, s.client, vulnsMarkFalsePositive, args{path: []any{id}}, opts)
}

// VulnTemplate is a template for the texts of vulnerabilities.
type VulnTemplate struct {
	ID int64 `json:"id"`
	// Name is what Vuln.Template and VulnUpdate.Template hold.
	Name   string                   `json:"name"`
	Params map[string]TemplateParam `json:"params"`
	Extra  Extra                    `json:",embed"`
}

// MarshalJSON writes the template: the members with a value, and all that no field is for.
func (t VulnTemplate) MarshalJSON() ([]byte, error) {
	type plain VulnTemplate
	return wire.MarshalEcho(plain(t))
}

// UnmarshalJSON reads a template and keeps unknown members.
func (t *VulnTemplate) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, t) }

// UnmarshalJSONFrom reads a template and keeps unknown members.
func (t *VulnTemplate) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain VulnTemplate
	return wire.UnmarshalDecode(d, (*plain)(t))
}

// Templates returns all templates. They are the same for every client.
//
// GET /v2/vuln/template, known from the Console's API description only. Replay class: read.
func (s *VulnsService) Templates(ctx context.Context, opts ...CallOption) ([]VulnTemplate, error) {
	return do[[]VulnTemplate](ctx, s.client, vulnsTemplates, args{}, opts)
}

// Template returns one template, or [ErrNotFound].
//
// GET /v2/vuln/template/{id}, known from the Console's API description only. Replay class: read.
func (s *VulnsService) Template(ctx context.Context, id int64, opts ...CallOption) (*VulnTemplate, error) {
	return get[VulnTemplate](ctx, s.client, vulnsTemplate, args{path: []any{id}}, opts)
}

// positiveIDs refuses ids that are not positive.
func positiveIDs(name string, ids []int64) error {
	for _, id := range ids {
		if id <= 0 {
			return invalid(name, "%d is not positive", id)
		}
	}
	return nil
}
