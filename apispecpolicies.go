package wallarm

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// APISpecPolicy says what nodes do with requests that violate a specification.
type APISpecPolicy struct {
	Enabled bool `json:"enabled"`
	// Conditions restrict the policy to a part of the traffic; none is all of it.
	Conditions []PolicyCondition `json:"conditions"`
	// The modes say what to do with each kind of violation. Empty is not sent, and what the API takes it for is not documented.
	UndefinedEndpointMode     PolicyMode `json:"undefined_endpoint_mode,omitempty"`
	UndefinedParameterMode    PolicyMode `json:"undefined_parameter_mode,omitempty"`
	MissingParameterMode      PolicyMode `json:"missing_parameter_mode,omitempty"`
	InvalidParameterValueMode PolicyMode `json:"invalid_parameter_value_mode,omitempty"`
	MissingAuthMode           PolicyMode `json:"missing_auth_mode,omitempty"`
	InvalidRequestMode        PolicyMode `json:"invalid_request_mode,omitempty"`
	// Timeout bounds the check of a request, in milliseconds, and TimeoutMode says what follows; MaxRequestSize, in kilobytes, and its mode bound
	// what is checked. Only the vendor's administrators can set these four: from others the API takes them and changes nothing. The modes
	// know no [PolicyIgnore]; nil and empty are not sent.
	Timeout            *int64     `json:"timeout,omitzero"`
	TimeoutMode        PolicyMode `json:"timeout_mode,omitempty"`
	MaxRequestSize     *int64     `json:"max_request_size,omitzero"`
	MaxRequestSizeMode PolicyMode `json:"max_request_size_mode,omitempty"`
	Extra              Extra      `json:",embed"`
}

// MarshalJSON writes the policy: the members with a value, and all that no field is for.
func (p APISpecPolicy) MarshalJSON() ([]byte, error) {
	type plain APISpecPolicy
	return wire.MarshalEcho(plain(p))
}

// UnmarshalJSON reads a policy and keeps unknown members.
func (p *APISpecPolicy) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p) }

// UnmarshalJSONFrom reads a policy and keeps unknown members.
func (p *APISpecPolicy) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain APISpecPolicy
	return wire.UnmarshalDecode(d, (*plain)(p))
}

// PolicyMode says what follows a violation. New values may appear.
type PolicyMode string

// The modes that the vendor names.
const (
	PolicyBlock   PolicyMode = "block"
	PolicyMonitor PolicyMode = "monitor"
	PolicyIgnore  PolicyMode = "ignore"
)

// PolicyCondition is one condition on requests: a part of the request and what it must be. What a [Condition] of a rule must not say is refused here, too.
type PolicyCondition struct {
	// Type is equal, iequal (in any letter case), regex or absent.
	Type string
	// Point is the part of the request, such as Point{Header("HOST")}.
	Point Point
	// Value is what to compare with. It is empty for absent, and must not be for regex, which would match everything.
	Value string
	Extra Extra
	// null says that the value was read as null, which is how an empty one is written back.
	null bool
}

// wirePolicyCondition is a PolicyCondition as it travels: its point is flat in requests too.
type wirePolicyCondition struct {
	Type  string  `json:"type"`
	Point any     `json:"point"`
	Value *string `json:"value"`
	Extra Extra   `json:",embed"`
}

// MarshalJSONTo writes the condition.
func (c PolicyCondition) MarshalJSONTo(e *jsontext.Encoder) error {
	out := wirePolicyCondition{c.Type, c.Point.Flat(), &c.Value, c.Extra}
	if c.Type == "absent" || c.null && c.Value == "" {
		out.Value = nil
	}
	return wire.MarshalEncode(e, out)
}

// MarshalJSON writes the condition.
func (c PolicyCondition) MarshalJSON() ([]byte, error) { return wire.MarshalEcho(c) }

// UnmarshalJSON reads a condition and keeps unknown members.
func (c *PolicyCondition) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads a condition and keeps unknown members.
func (c *PolicyCondition) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var in struct {
		Type  string      `json:"type"`
		Point Point       `json:"point"`
		Value Opt[string] `json:"value"`
		Extra Extra       `json:",embed"`
	}
	if err := wire.UnmarshalDecode(d, &in); err != nil {
		return err
	}
	*c = PolicyCondition{in.Type, in.Point, in.Value.Or(""), in.Extra, in.Value.IsNull()}
	return nil
}

func (p *APISpecPolicy) validate() error {
	for _, condition := range p.Conditions {
		if condition.Type == "" {
			return invalid("conditions", "a condition has no type")
		}
		// They are as in rules: what a rule would not mean must not block requests here either.
		asInRules := Condition{Type: ConditionType(condition.Type), Point: condition.Point, Value: condition.Value, Extra: condition.Extra}
		if err := asInRules.validate(); err != nil {
			return err
		}
	}
	for _, bound := range []*int64{p.Timeout, p.MaxRequestSize} {
		if bound != nil && *bound < 0 {
			return invalid("policy", "%d is negative", *bound)
		}
	}
	return nil
}

// SetPolicy sets the policy of a specification: all of it, whatever it was before. There is no delete; switch it off with Enabled false. What it
// returns may lack members, and differ in those that only the vendor's administrators can set.
//
// PUT /v4/clients/{client_id}/rules/api-specs/{id}/policy. Replay class: idempotent.
func (s *APISpecsService) SetPolicy(ctx context.Context, id int64, policy APISpecPolicy, opts ...CallOption) (*APISpecPolicy, error) {
	if err := policy.validate(); err != nil {
		return nil, err
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	// Without its methods the policy is encoded as a request.
	type plain APISpecPolicy
	return get[APISpecPolicy](ctx, s.client, apiSpecsSetPolicy, args{path: []any{clientID, id}, body: plain(policy)}, opts)
}

// APISpecVersion is a specification and one of its versions.
type APISpecVersion struct {
	ID      int64 `json:"id"`
	Version int64 `json:"version"`
}

// APISpecSync says how many nodes have got specifications.
type APISpecSync struct {
	// ActiveNodes is the number of all active nodes.
	ActiveNodes int64             `json:"active_nodes_total"`
	Specs       []APISpecSyncSpec `json:"synced_api_specs"`
	Extra       Extra             `json:",embed"`
}

// APISpecSyncSpec says how many nodes have got a specification.
type APISpecSyncSpec struct {
	ID          int64 `json:"id"`
	SyncedNodes int64 `json:"synced_nodes_total"`
	Extra       Extra `json:",embed"`
}

// MarshalJSON writes the numbers: the members with a value, and all that no field is for.
func (s APISpecSync) MarshalJSON() ([]byte, error) {
	type plain APISpecSync
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads the numbers and keeps unknown members.
func (s *APISpecSync) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads the numbers and keeps unknown members.
func (s *APISpecSync) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain APISpecSync
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// SyncState tells on how many nodes specifications are in force in the versions that are named, such as the NodeSyncVersion of [APISpec].
//
// GET /v2/client/{client_id}/synced_api_specs. The Console's API description, the only source, draws the question as a JSON body of the GET,
// which some proxies drop. Replay class: read.
func (s *APISpecsService) SyncState(ctx context.Context, specs []APISpecVersion, opts ...CallOption) (*APISpecSync, error) {
	if len(specs) == 0 {
		return nil, invalid("specs", "there are none")
	}
	for _, spec := range specs {
		if spec.ID <= 0 || spec.Version < 0 {
			return nil, invalid("specs", "want positive ids and versions that are not negative")
		}
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	body := struct {
		Specs []APISpecVersion `json:"api_specs"`
	}{specs}
	return get[APISpecSync](ctx, s.client, apiSpecsSyncState, args{path: []any{clientID}, body: body}, opts)
}

// APISpecSyncNodes says which nodes have got a specification.
type APISpecSyncNodes struct {
	Nodes []APISpecSyncNode `json:"nodes"`
	Extra Extra             `json:",embed"`
}

// APISpecSyncNode says whether a node has got a specification.
type APISpecSyncNode struct {
	ID       int64  `json:"id"`
	Hostname string `json:"hostname"`
	Synced   bool   `json:"api_spec_synced"`
	// SyncedAt is zero if the node has not got it.
	SyncedAt Timestamp `json:"api_spec_synced_at"`
	Extra    Extra     `json:",embed"`
}

// MarshalJSON writes the nodes: the members with a value, and all that no field is for.
func (n APISpecSyncNodes) MarshalJSON() ([]byte, error) {
	type plain APISpecSyncNodes
	return wire.MarshalEcho(plain(n))
}

// UnmarshalJSON reads nodes and keeps unknown members.
func (n *APISpecSyncNodes) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, n) }

// UnmarshalJSONFrom reads nodes and keeps unknown members.
func (n *APISpecSyncNodes) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain APISpecSyncNodes
	return wire.UnmarshalDecode(d, (*plain)(n))
}

// SyncNodes tells for each node whether a specification is in force there, in the version that is named, or without a version, 0, in the one that
// the API chooses.
//
// GET /v2/client/{client_id}/synced_api_specs/{id}. The Console's API description, the only source, draws the version as a JSON body of the GET,
// which some proxies drop; without a version nothing is sent. Replay class: read.
func (s *APISpecsService) SyncNodes(ctx context.Context, id, version int64, opts ...CallOption) (*APISpecSyncNodes, error) {
	if version < 0 {
		return nil, invalid("version", "%d is negative", version)
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	a := args{path: []any{clientID, id}}
	if version > 0 {
		a.body = struct {
			Version int64 `json:"version"`
		}{version}
	}
	return get[APISpecSyncNodes](ctx, s.client, apiSpecsSyncNodes, a, opts)
}
