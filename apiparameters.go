package wallarm

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	apiDiscoveryListParameters  = operation{"apidiscovery.list_parameters", "GET", "/v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters", read, inBody}
	apiDiscoveryCreateParameter = operation{"apidiscovery.create_parameter", "POST", "/v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters", once, inBody}
	apiDiscoveryGetParameter    = operation{"apidiscovery.get_parameter", "GET", "/v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters/{id}", read, inBody}
	apiDiscoveryUpdateParameter = operation{"apidiscovery.update_parameter", "PUT", "/v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters/{id}", idempotent, inBody}
	apiDiscoveryDeleteParameter = operation{"apidiscovery.delete_parameter", "DELETE", "/v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters/{id}", idempotent, noAnswer}
)

// APIParameter is a parameter of an endpoint.
type APIParameter struct {
	ID int64 `json:"id"`
	// Context is the part of the request that holds the parameter.
	Context ParameterContext `json:"context"`
	Type    ParameterType    `json:"openapi_type"`
	// Format is an OpenAPI format such as int32.
	Format   string `json:"openapi_format,omitempty"`
	Required bool   `json:"required"`
	Point    Point  `json:"point"`
	// Name is empty for a variable part of a path; Pattern or PatternName then says what it looks like.
	Name        string           `json:"name,omitempty"`
	Pattern     string           `json:"pattern,omitempty"`
	PatternName ParameterPattern `json:"pattern_name,omitempty"`
	// ContentType is xml, json, multipart, form_urlencoded or nil, for parameters in a body.
	ContentType string  `json:"content_type,omitempty"`
	PII         PIIType `json:"pii,omitempty"`
	PIIGroup    string  `json:"pii_group,omitempty"`
	// Actual is false for a parameter that is no longer in use.
	Actual bool `json:"actual"`
	Hidden bool `json:"hidden"`
	// Response says that the parameter was seen in answers.
	Response          bool              `json:"response"`
	ModificationState ModificationState `json:"modification_state,omitempty"`
	CreatedAt         Timestamp         `json:"created_at"`
	UpdatedAt         Timestamp         `json:"updated_at"`
	DiscoveredAt      Timestamp         `json:"discovered_at,omitzero"`
	ChangedAt         Timestamp         `json:"changed_at,omitzero"`
	Extra             Extra             `json:",embed"`
}

// MarshalJSON writes the parameter: the members with a value, and all that no field is for.
func (p APIParameter) MarshalJSON() ([]byte, error) {
	type plain APIParameter
	return wire.MarshalEcho(plain(p))
}

// UnmarshalJSON reads a parameter and keeps unknown members.
func (p *APIParameter) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p) }

// UnmarshalJSONFrom reads a parameter and keeps unknown members.
func (p *APIParameter) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain APIParameter
	return wire.UnmarshalDecode(d, (*plain)(p))
}

// ParameterContext is a part of a request. New values may appear.
type ParameterContext string

const (
	ParameterInPath   ParameterContext = "path"
	ParameterInQuery  ParameterContext = "query"
	ParameterInHeader ParameterContext = "header"
	ParameterInCookie ParameterContext = "cookie"
	ParameterInBody   ParameterContext = "body"
)

// ParameterType is an OpenAPI type. New values may appear.
type ParameterType string

const (
	ParameterString  ParameterType = "string"
	ParameterNumber  ParameterType = "number"
	ParameterInteger ParameterType = "integer"
	ParameterBoolean ParameterType = "boolean"
	ParameterArray   ParameterType = "array"
	ParameterObject  ParameterType = "object"
)

// ParameterPattern names what a value looks like. New values may appear.
type ParameterPattern string

const (
	PatternInt        ParameterPattern = "int"
	PatternHex        ParameterPattern = "hex"
	PatternFloat      ParameterPattern = "float"
	PatternCamelCase  ParameterPattern = "camel_case"
	PatternKebabCase  ParameterPattern = "kebab_case"
	PatternUnderScore ParameterPattern = "under_score"
	PatternASCII      ParameterPattern = "ascii"
	PatternOther      ParameterPattern = "other"
	// PatternNil stands in answers only.
	PatternNil ParameterPattern = "nil"
)

// APIParameterFilter selects parameters. A zero field is no condition.
type APIParameterFilter struct {
	// Actual selects by whether the parameter is still in use.
	Actual Opt[bool]
	// ModifiedSince and ModificationStates go together: what happened since when, to the second.
	ModifiedSince      time.Time
	ModificationStates []ModificationState
	// Hidden selects by whether the parameter is hidden; both values select both kinds.
	Hidden []bool
}

// parameterQuery is the query of a list of parameters.
type parameterQuery struct {
	Filter struct {
		Actual             Opt[bool]           `url:"actual,omitempty"`
		ModifiedSince      *int64              `url:"modification_since,omitempty"`
		ModificationStates []ModificationState `url:"modification_state,omitempty,brackets"`
		Hidden             []bool              `url:"hidden,omitempty,brackets"`
	} `url:"filter"`
	Limit  int `url:"limit"`
	Offset int `url:"offset"`
}

func (s *APIDiscoveryService) parameters(endpointID int64, filter APIParameterFilter, opts []CallOption) *lister[APIParameter] {
	return &lister[APIParameter]{
		client: s.client, op: apiDiscoveryListParameters, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(p *APIParameter) string { return idText(p.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "the list of parameters has none")
			}
			if err := validateQueryFilter(filter); err != nil {
				return args{}, err
			}
			q := parameterQuery{Limit: page.Limit, Offset: page.Offset}
			q.Filter.Actual, q.Filter.Hidden, q.Filter.ModificationStates = filter.Actual, filter.Hidden, filter.ModificationStates
			var err error
			if q.Filter.ModifiedSince, err = modifiedSince(filter.ModifiedSince, filter.ModificationStates); err != nil {
				return args{}, err
			}
			a, err := s.at(ctx, opts, endpointID)
			a.query = q
			return a, err
		},
	}
}

// ListParameters returns one page of the parameters of an endpoint that match filter. page.Limit is 100 by default and at most 1000.
//
// GET /v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters. Not documented by the vendor; its description draws the filter as a
// body, which this SDK writes into the query. Replay class: read.
func (s *APIDiscoveryService) ListParameters(
	ctx context.Context, endpointID int64, filter APIParameterFilter, page PageOptions, opts ...CallOption,
) (*Page[APIParameter], error) {
	return s.parameters(endpointID, filter, opts).page(ctx, page)
}

// AllParameters iterates over the parameters of an endpoint that match filter.
//
// GET /v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters. Replay class: read.
func (s *APIDiscoveryService) AllParameters(
	ctx context.Context, endpointID int64, filter APIParameterFilter, opts ...CallOption,
) iter.Seq2[APIParameter, error] {
	return s.parameters(endpointID, filter, opts).all(ctx, PageOptions{})
}

// ParameterPages is AllParameters by pages, from start on.
func (s *APIDiscoveryService) ParameterPages(
	ctx context.Context, endpointID int64, filter APIParameterFilter, start PageOptions, opts ...CallOption,
) iter.Seq2[*Page[APIParameter], error] {
	return s.parameters(endpointID, filter, opts).pages(ctx, start)
}

// GetParameter returns one parameter of an endpoint.
//
// GET /v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters/{id}. Not documented by the vendor. Replay class: read.
func (s *APIDiscoveryService) GetParameter(ctx context.Context, endpointID, id int64, opts ...CallOption) (*APIParameter, error) {
	a, err := s.at(ctx, opts, endpointID, id)
	if err != nil {
		return nil, err
	}
	return get[APIParameter](ctx, s.client, apiDiscoveryGetParameter, a, opts)
}

// NewAPIParameter is a parameter to add. Context, Type, Point and one of Name, Pattern and PatternName are required; the service may
// demand more than one of the three.
type NewAPIParameter struct {
	Context     ParameterContext
	Type        ParameterType
	Required    bool
	Point       Point
	Name        string
	Pattern     string
	PatternName ParameterPattern
	Format      string
}

// apiParameterBody is a new parameter, or the changes of one, as it travels.
type apiParameterBody struct {
	Context     Opt[ParameterContext] `json:"context,omitzero"`
	Type        Opt[ParameterType]    `json:"openapi_type,omitzero"`
	Required    Opt[bool]             `json:"required,omitzero"`
	Point       Opt[flatPoint]        `json:"point,omitzero"`
	Name        Opt[string]           `json:"name,omitzero"`
	Pattern     Opt[string]           `json:"pattern,omitzero"`
	PatternName Opt[ParameterPattern] `json:"pattern_name,omitzero"`
	Format      Opt[string]           `json:"openapi_format,omitzero"`
}

// CreateParameter adds a parameter to an endpoint by hand.
//
// POST /v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters. Not documented by the vendor. Replay class: once.
func (s *APIDiscoveryService) CreateParameter(
	ctx context.Context, endpointID int64, parameter NewAPIParameter, opts ...CallOption,
) (*APIParameter, error) {
	switch {
	case parameter.Context == "":
		return nil, invalid("context", "it is empty")
	case parameter.Type == "":
		return nil, invalid("openapi_type", "it is empty")
	case parameter.Name == "" && parameter.Pattern == "" && parameter.PatternName == "":
		return nil, invalid("name", "want a name, a pattern or the name of a pattern")
	}
	if err := parameter.Point.validate("point"); err != nil {
		return nil, err
	}
	a, err := s.at(ctx, opts, endpointID)
	if err != nil {
		return nil, err
	}
	a.body = apiParameterBody{
		Context: Set(parameter.Context), Type: Set(parameter.Type), Required: Set(parameter.Required), Point: Set(flatPoint(parameter.Point)),
		Name: setIf(parameter.Name), Pattern: setIf(parameter.Pattern), PatternName: setIf(parameter.PatternName), Format: setIf(parameter.Format),
	}
	return get[APIParameter](ctx, s.client, apiDiscoveryCreateParameter, a, opts)
}

// setIf is an Opt that is absent if the text is empty.
func setIf[T ~string](text T) Opt[T] {
	if text == "" {
		return Opt[T]{}
	}
	return Set(text)
}

// APIParameterUpdate changes a parameter. What is absent stays as it is. The service ties Name, Pattern and PatternName together: one of
// them may demand another.
type APIParameterUpdate struct {
	Context     Opt[ParameterContext]
	Type        Opt[ParameterType]
	Required    Opt[bool]
	Point       Opt[Point]
	Name        Opt[string]
	Pattern     Opt[string]
	PatternName Opt[ParameterPattern]
	Format      Opt[string]
}

// UpdateParameter changes a parameter of an endpoint and returns it.
//
// PUT /v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters/{id}. Not documented by the vendor. Replay class: idempotent.
func (s *APIDiscoveryService) UpdateParameter(
	ctx context.Context, endpointID, id int64, update APIParameterUpdate, opts ...CallOption,
) (*APIParameter, error) {
	body := apiParameterBody{
		Context: update.Context, Type: update.Type, Required: update.Required,
		Name: update.Name, Pattern: update.Pattern, PatternName: update.PatternName, Format: update.Format,
	}
	if point, set := update.Point.Get(); set {
		if err := point.validate("point"); err != nil {
			return nil, err
		}
		body.Point = Set(flatPoint(point))
	}
	switch {
	case update.Point.IsNull(), update.Context.IsNull(), update.Type.IsNull(), update.Required.IsNull():
		return nil, invalid("update", "context, openapi_type, required and point cannot be null")
	case body.isZero():
		return nil, invalid("update", "it changes nothing")
	}
	a, err := s.at(ctx, opts, endpointID, id)
	if err != nil {
		return nil, err
	}
	a.body = body
	return get[APIParameter](ctx, s.client, apiDiscoveryUpdateParameter, a, opts)
}

func (b *apiParameterBody) isZero() bool {
	return b.Context.IsZero() && b.Type.IsZero() && b.Required.IsZero() && b.Point.IsZero() &&
		b.Name.IsZero() && b.Pattern.IsZero() && b.PatternName.IsZero() && b.Format.IsZero()
}

// DeleteParameter removes a parameter of an endpoint. One that is not there counts as removed.
//
// DELETE /v4/clients/{client_id}/rules/endpoints/{endpoint_id}/parameters/{id}. Not documented by the vendor. Replay class: idempotent.
func (s *APIDiscoveryService) DeleteParameter(ctx context.Context, endpointID, id int64, opts ...CallOption) error {
	a, err := s.at(ctx, opts, endpointID, id)
	if err != nil {
		return err
	}
	return remove(ctx, s.client, apiDiscoveryDeleteParameter, a, opts)
}
