package wallarm

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	apiDiscoveryConfig         = operation{"apidiscovery.config", "GET", "/v1/clients/{client_id}/apid/config", read, inBody}
	apiDiscoveryReplaceConfig  = operation{"apidiscovery.replace_config", "POST", "/v1/clients/{client_id}/apid/config", idempotent, noAnswer}
	apiDiscoveryAuthParameters = operation{"apidiscovery.auth_parameters", "GET", "/v1/clients/{client_id}/apid/config/auth-parameters", read, inBody}
	// The answer of this one is not described.
	apiDiscoveryAddAuthParameter = operation{"apidiscovery.add_auth_parameter", "POST", "/v1/clients/{client_id}/apid/config/auth-parameters", once, noAnswer}
)

// APIDiscoveryConfig is the configuration of API Discovery. There is one per client, it is neither made nor deleted.
type APIDiscoveryConfig struct {
	// ClientID is filled in when the configuration is sent. The answers lack it.
	ClientID int64 `json:"clientid,omitzero"`
	// Enabled is true by default.
	Enabled bool `json:"enabled"`
	// Protocols are all true by default.
	Protocols APIProtocols `json:"protocols"`
	// ApplyExtendedFilter is true by default.
	ApplyExtendedFilter bool `json:"apply_extended_filter"`
	// TypeDetectionThreshold and PIIDetectionThreshold are between 0 and 1; the defaults that were seen are 0.5 and 0.1.
	TypeDetectionThreshold float64 `json:"type_detection_threshold"`
	PIIDetectionThreshold  float64 `json:"pii_detection_threshold"`
	// CallPointsStorageLimit is 50000 by default.
	CallPointsStorageLimit int64            `json:"call_points_storage_limit"`
	SensitiveSamples       SensitiveSamples `json:"sensitive_samples"`
	// DisabledApplicationIDs are the applications that are left out.
	DisabledApplicationIDs []int64           `json:"disabled_apps"`
	Stability              EndpointStability `json:"endpoint_stability"`
	GroupSOAP              bool              `json:"group_soap"`
	Variability            PathVariability   `json:"server_variability"`
	// ContentTypes are patterns of the content types to look at, % stands for any text. nil leaves the member out.
	ContentTypes []string `json:"allowed_content_types_patterns,omitzero"`
	// Extensions are the file extensions to look at. nil leaves the member out.
	Extensions *APIExtensions `json:"extensions_whitelist,omitzero"`
	Extra      Extra          `json:",embed"`
}

// APIProtocols says which protocols API Discovery looks at.
type APIProtocols struct {
	REST    bool  `json:"rest"`
	GraphQL bool  `json:"graphql"`
	SOAP    bool  `json:"soap"`
	GRPC    bool  `json:"grpc"`
	MCP     bool  `json:"mcp"`
	Extra   Extra `json:",embed"`
}

// SensitiveSamples says whether and how samples of sensitive values are kept.
type SensitiveSamples struct {
	Enabled bool `json:"enabled"`
	// MinMasked and MaxMasked bound the masking of a sample; the defaults that were seen are 20 and 80. The unit is not described.
	MinMasked   int64 `json:"min_masked"`
	MaxMasked   int64 `json:"max_masked"`
	MaskSymbols bool  `json:"mask_symbols"`
	Extra       Extra `json:",embed"`
}

// EndpointStability says when an endpoint has been seen often enough to enter the inventory.
type EndpointStability struct {
	// MinCount is a number of requests between 1 and 100, by default 2.
	MinCount int64 `json:"min_count"`
	// MinTime is a number of seconds between 1 and 900, by default 300.
	MinTime int64 `json:"min_time"`
	Extra   Extra `json:",embed"`
}

// PathVariability says which parts of paths count as variable. All is false by default.
type PathVariability struct {
	Enabled          bool        `json:"enabled"`
	ByDate           bool        `json:"by_date_enabled"`
	ByLocalCode      bool        `json:"by_local_code_enabled"`
	ByEmail          bool        `json:"by_email_enabled"`
	ByAlphanumericID bool        `json:"by_alphanumeric_id_enabled"`
	ByCustomPaths    CustomPaths `json:"by_custom_paths"`
	Extra            Extra       `json:",embed"`
}

// CustomPaths are path templates of the client's own.
type CustomPaths struct {
	Enabled bool     `json:"enabled"`
	Paths   []string `json:"paths"`
	Extra   Extra    `json:",embed"`
}

// APIExtensions is a list of file extensions, which may hold "" for paths without one.
type APIExtensions struct {
	Enabled    bool     `json:"enabled"`
	Extensions []string `json:"extensions"`
	Extra      Extra    `json:",embed"`
}

// MarshalJSON writes the configuration: the members with a value, and all that no field is for.
func (c APIDiscoveryConfig) MarshalJSON() ([]byte, error) {
	type plain APIDiscoveryConfig
	return wire.MarshalEcho(plain(c))
}

// MarshalJSONTo writes the configuration as it is sent: lists that are nil are empty.
func (c APIDiscoveryConfig) MarshalJSONTo(e *jsontext.Encoder) error {
	type plain APIDiscoveryConfig
	return wire.MarshalEncode(e, plain(c))
}

// UnmarshalJSON reads a configuration and keeps unknown members.
func (c *APIDiscoveryConfig) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads a configuration and keeps unknown members.
func (c *APIDiscoveryConfig) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain APIDiscoveryConfig
	return wire.UnmarshalDecode(d, (*plain)(c))
}

// validate checks the ranges that are known, which also refuses a configuration that was not read before.
func (c *APIDiscoveryConfig) validate() error {
	switch {
	case c.TypeDetectionThreshold < 0 || c.TypeDetectionThreshold > 1:
		return invalid("type_detection_threshold", "%v is not between 0 and 1", c.TypeDetectionThreshold)
	case c.PIIDetectionThreshold < 0 || c.PIIDetectionThreshold > 1:
		return invalid("pii_detection_threshold", "%v is not between 0 and 1", c.PIIDetectionThreshold)
	case c.Stability.MinCount < 1 || c.Stability.MinCount > 100:
		return invalid("endpoint_stability.min_count", "%d is not between 1 and 100", c.Stability.MinCount)
	case c.Stability.MinTime < 1 || c.Stability.MinTime > 900:
		return invalid("endpoint_stability.min_time", "%d is not between 1 and 900 seconds", c.Stability.MinTime)
	case c.CallPointsStorageLimit < 0:
		return invalid("call_points_storage_limit", "%d is negative", c.CallPointsStorageLimit)
	}
	return nil
}

// Config returns the configuration of API Discovery.
//
// GET /v1/clients/{client_id}/apid/config. Known from the vendor's Go client. Replay class: read.
func (s *APIDiscoveryService) Config(ctx context.Context, opts ...CallOption) (*APIDiscoveryConfig, error) {
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	return get[APIDiscoveryConfig](ctx, s.client, apiDiscoveryConfig, a, opts)
}

// ReplaceConfig replaces the whole configuration: a field that was left zero is written as zero. To change one setting,
// use [APIDiscoveryService.UpdateConfig].
//
// POST /v1/clients/{client_id}/apid/config. Known from the vendor's Go client. Replay class: idempotent.
func (s *APIDiscoveryService) ReplaceConfig(ctx context.Context, config APIDiscoveryConfig, opts ...CallOption) error {
	if err := config.validate(); err != nil {
		return err
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return err
	}
	clientID := a.path[0].(int64)
	if config.ClientID != 0 && config.ClientID != clientID {
		return invalid("clientid", "the configuration is that of client %d, the call is for client %d", config.ClientID, clientID)
	}
	config.ClientID = clientID
	a.body = config
	return run(ctx, s.client, apiDiscoveryReplaceConfig, a, opts)
}

// UpdateConfig reads the configuration, lets change alter it, and replaces it with the outcome, which it returns. Members that this SDK
// does not know are carried back as they were. Nothing guards against a change that somebody else makes between the reading and the
// writing. If change fails, nothing is written and its error is returned. An answer that lacks a setting which would then be written as zero,
// or has one in a form that is not understood, is [ErrResponse], and nothing is written.
//
// GET and POST /v1/clients/{client_id}/apid/config. Replay classes: read, then idempotent.
func (s *APIDiscoveryService) UpdateConfig(
	ctx context.Context, change func(*APIDiscoveryConfig) error, opts ...CallOption,
) (*APIDiscoveryConfig, error) {
	if change == nil {
		return nil, invalid("change", "it is nil")
	}
	config, err := s.wholeConfig(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := change(config); err != nil {
		return nil, err
	}
	if err := s.ReplaceConfig(ctx, *config, opts...); err != nil {
		return nil, err
	}
	return config, nil
}

// wholeConfig reads the configuration and checks that all is there that would be written back: what the answer lacks would be written as zero.
func (s *APIDiscoveryService) wholeConfig(ctx context.Context, opts []CallOption) (*APIDiscoveryConfig, error) {
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	raw, err := get[RawJSON](ctx, s.client, apiDiscoveryConfig, a, opts)
	if err != nil {
		return nil, err
	}
	unreadable := func(reason any) error {
		return fmt.Errorf("wallarm: %s: %w: %s", apiDiscoveryConfig.name, ErrResponse, clip(fmt.Sprint(reason)))
	}
	config := new(APIDiscoveryConfig)
	if err := wire.CheckRoom(*raw, config); err != nil {
		return nil, unreadable(err)
	}
	if err := wire.Unmarshal(*raw, config); err != nil {
		return nil, unreadable(err)
	}
	written, err := wire.Marshal(*config)
	if err != nil {
		return nil, unreadable(err)
	}
	if reason := configLoss(written, *raw); reason != "" {
		return nil, unreadable(reason + ", and replacing the configuration would reset it")
	}
	return config, nil
}

// configLoss says what writing a configuration back would change of what was read, "" if nothing.
func configLoss(written, raw RawJSON) string {
	members, err := readObject(written)
	read, otherErr := readObject(raw)
	if err != nil || otherErr != nil {
		return "the configuration is no object"
	}
	// It is filled in when the configuration is sent.
	delete(members, "clientid")
	delete(read, "clientid")
	// A list that is null is as good as an empty one.
	return readBack{nullLists: true}.object("", members, read)
}

// AuthParameter is a place in requests where API Discovery expects the credentials of the caller.
type AuthParameter struct {
	Point Point `json:"point"`
	Extra Extra `json:",embed"`
	// bare: it came as a point and not as an object around one.
	bare bool
}

// MarshalJSON writes the parameter: the members with a value, and all that no field is for.
func (p AuthParameter) MarshalJSON() ([]byte, error) {
	type plain AuthParameter
	if p.bare {
		return p.Point.MarshalJSON()
	}
	return wire.MarshalEcho(plain(p))
}

// UnmarshalJSON reads a parameter and keeps unknown members.
func (p *AuthParameter) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p) }

// UnmarshalJSONFrom reads an object with a point, or the bare point.
func (p *AuthParameter) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain AuthParameter
	if d.PeekKind() != '{' {
		p.bare = true
		return p.Point.UnmarshalJSONFrom(d)
	}
	return wire.UnmarshalDecode(d, (*plain)(p))
}

// AuthParameters returns the authentication parameters: those that every client has and the client's own.
//
// GET /v1/clients/{client_id}/apid/config/auth-parameters. The vendor documents the path, not the answer: objects with a point and bare
// points are understood. Replay class: read.
func (s *APIDiscoveryService) AuthParameters(ctx context.Context, opts ...CallOption) ([]AuthParameter, error) {
	a, err := s.at(ctx, opts)
	if err != nil {
		return nil, err
	}
	return do[[]AuthParameter](ctx, s.client, apiDiscoveryAuthParameters, a, opts)
}

// newAuthParameter wraps the flat point in one outer list, as the vendor's documentation has it.
type newAuthParameter struct {
	Point []flatPoint `json:"point"`
}

// AddAuthParameter adds one authentication parameter, such as Point{Header("X-AUTH")}. The service neither refuses a second one for the same
// point nor has a documented way to remove one: [APIDiscoveryService.EnsureAuthParameter] looks first.
//
// POST /v1/clients/{client_id}/apid/config/auth-parameters. Replay class: once.
func (s *APIDiscoveryService) AddAuthParameter(ctx context.Context, point Point, opts ...CallOption) error {
	if err := point.validate("point"); err != nil {
		return err
	}
	a, err := s.at(ctx, opts)
	if err != nil {
		return err
	}
	a.body = newAuthParameter{[]flatPoint{flatPoint(point.normalized())}}
	return run(ctx, s.client, apiDiscoveryAddAuthParameter, a, opts)
}

// EnsureAuthParameter adds an authentication parameter unless there is one for the same point, and reports whether it added it. It is the
// way to repeat after [ErrOutcomeUnknown]. The names of headers are the same in any letter case. A list in a form that it does not understand,
// or with a point that begins with an unknown parser or lacks the key of one, is [ErrResponse], and nothing is added. It reads and then writes: two
// callers at once may both add it.
//
// GET, and if need be POST, /v1/clients/{client_id}/apid/config/auth-parameters. Replay classes: read, then once.
func (s *APIDiscoveryService) EnsureAuthParameter(ctx context.Context, point Point, opts ...CallOption) (added bool, err error) {
	if err := point.validate("point"); err != nil {
		return false, err
	}
	parameters, err := s.AuthParameters(ctx, opts...)
	if err != nil {
		return false, err
	}
	if parameters == nil {
		return false, fmt.Errorf("wallarm: %s: %w: there is no list", apiDiscoveryAuthParameters.name, ErrResponse)
	}
	for i, p := range parameters {
		// One that makes no sense has another form than those that are understood: the wanted one may be in there.
		if err := p.Point.validate("point"); err != nil {
			return false, unreadableAuthParameters(i, "its point makes no sense")
		}
		if !p.Point[0].isKnown() {
			return false, unreadableAuthParameters(i, "nothing is known of what its point begins with")
		}
	}
	// normalized makes the names of headers equal in any letter case, and no others.
	wanted := point.normalized()
	if slices.ContainsFunc(parameters, func(p AuthParameter) bool { return slices.Equal(p.Point.normalized(), wanted) }) {
		return false, nil
	}
	if err := s.AddAuthParameter(ctx, point, opts...); err != nil {
		return false, err
	}
	return true, nil
}

// unreadableAuthParameters shows no value: an answer may repeat a secret in the place of any.
func unreadableAuthParameters(i int, reason string) error {
	return fmt.Errorf("wallarm: %s: %w: parameter %d: %s", apiDiscoveryAuthParameters.name, ErrResponse, i+1, reason)
}
