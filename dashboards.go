package wallarm

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	statsDashboardState = operation{"stats.dashboard_state", "GET", "/v2/dashboard_state/{client_id}", read, wire.Envelope("body.object?")}
	statsOWASPCounters  = operation{"stats.owasp_counters", "GET", "/v2/dashboards/owasp_api_2019/{client_id}", read, inBody}
	statsOWASP2019      = operation{"stats.owasp_2019", "GET", "/v2/client/{client_id}/dashboards/owasp_api_2019", read, undescribed}
	statsOWASP2023      = operation{"stats.owasp_2023", "GET", "/v2/client/{client_id}/dashboards/owasp_api_2023", read, undescribed}
)

// DashboardState says which parts of the product have data. Sources disagree on it, so either the first nine fields are set or the last two.
type DashboardState struct {
	Vulns   *bool `json:"vulns,omitzero"`
	Scope   *bool `json:"scope,omitzero"`
	Nodes   *bool `json:"nodes,omitzero"`
	Traffic *bool `json:"traffic,omitzero"`
	Attacks *bool `json:"attacks,omitzero"`
	TestRun *bool `json:"testrun,omitzero"`
	// ActiveNodes and AllNodes are numbers of nodes.
	ActiveNodes *int64 `json:"nodes_active,omitzero"`
	AllNodes    *int64 `json:"nodes_count,omitzero"`
	// Requests is the number of requests.
	Requests *int64 `json:"requests_amount,omitzero"`
	// PartnerRequests and CloudRequests are numbers of requests.
	PartnerRequests *int64 `json:"partner_requests_amount,omitzero"`
	CloudRequests   *int64 `json:"cloud_requests_amount,omitzero"`
	Extra           Extra  `json:",embed"`
}

// MarshalJSON writes the state: the members with a value, and all that no field is for.
func (s DashboardState) MarshalJSON() ([]byte, error) {
	type plain DashboardState
	return wire.MarshalEcho(plain(s))
}

// UnmarshalJSON reads a state and keeps unknown members.
func (s *DashboardState) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s) }

// UnmarshalJSONFrom reads a state and keeps unknown members.
func (s *DashboardState) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain DashboardState
	return wire.UnmarshalDecode(d, (*plain)(s))
}

// DashboardState returns which parts of the product have data. Experimental.
//
// GET /v2/dashboard_state/{client_id}, known from a client of 2021 and the Console's API description, which disagree on the answer. Replay
// class: read.
func (s *StatsService) DashboardState(ctx context.Context, opts ...CallOption) (*DashboardState, error) {
	return oneOfClient[DashboardState](ctx, s.client, statsDashboardState, args{}, opts)
}

// OWASPCounters are the attacks in one category of the OWASP API Top 10.
type OWASPCounters struct {
	Count int64 `json:"count"`
	// ByType counts by the type of the attack.
	ByType map[AttackType]int64 `json:"by_type"`
	// ByResponseStatus counts by the status of the answer, such as "403".
	ByResponseStatus map[string]int64 `json:"by_response_status"`
	Extra            Extra            `json:",embed"`
}

// MarshalJSON writes the counters: the members with a value, and all that no field is for.
func (o OWASPCounters) MarshalJSON() ([]byte, error) {
	type plain OWASPCounters
	return wire.MarshalEcho(plain(o))
}

// UnmarshalJSON reads counters and keeps unknown members.
func (o *OWASPCounters) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, o) }

// UnmarshalJSONFrom reads counters and keeps unknown members.
func (o *OWASPCounters) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain OWASPCounters
	return wire.UnmarshalDecode(d, (*plain)(o))
}

// OWASPCounters counts the attacks since from by category of the OWASP API Top 10 of 2019; the names of the categories are API1 and so on. to may
// be zero. Experimental.
//
// GET /v2/dashboards/owasp_api_2019/{client_id}, known from the Console's API description only. Replay class: read.
func (s *StatsService) OWASPCounters(ctx context.Context, from, to time.Time, opts ...CallOption) (map[string]OWASPCounters, error) {
	switch {
	case from.IsZero():
		return nil, invalid("from", "it is zero")
	case !to.IsZero() && to.Before(from):
		return nil, invalid("to", "it comes before from")
	}
	query := url.Values{"time_from": {strconv.FormatInt(from.Unix(), 10)}}
	if !to.IsZero() {
		query.Set("time_to", strconv.FormatInt(to.Unix(), 10))
	}
	return ofClient[map[string]OWASPCounters](ctx, s.client, statsOWASPCounters, args{query: query}, opts)
}

// OWASPDashboard is the state of a client in terms of the OWASP API Top 10.
type OWASPDashboard struct {
	Vulns DashboardVulns `json:"vulns"`
	// Threats are the categories by name: API1 and so on.
	Threats map[string]OWASPThreat `json:"threats"`
	Extra   Extra                  `json:",embed"`
}

// MarshalJSON writes the dashboard: the members with a value, and all that no field is for.
func (o OWASPDashboard) MarshalJSON() ([]byte, error) {
	type plain OWASPDashboard
	return wire.MarshalEcho(plain(o))
}

// UnmarshalJSON reads a dashboard and keeps unknown members.
func (o *OWASPDashboard) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, o) }

// UnmarshalJSONFrom reads a dashboard and keeps unknown members.
func (o *OWASPDashboard) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain OWASPDashboard
	return wire.UnmarshalDecode(d, (*plain)(o))
}

// DashboardCounter is a number with a link.
type DashboardCounter struct {
	Count int64 `json:"count"`
	// URL leads to a page of the Console.
	URL   string `json:"url,omitempty"`
	Extra Extra  `json:",embed"`
}

// DashboardVulns counts vulnerabilities by threat.
type DashboardVulns struct {
	All    DashboardCounter `json:"all"`
	High   DashboardCounter `json:"high"`
	Medium DashboardCounter `json:"medium"`
	Low    DashboardCounter `json:"low"`
	// ByType is there under a threat only.
	ByType []DashboardVulnType `json:"by_type,omitzero"`
	Extra  Extra               `json:",embed"`
}

// DashboardVulnType counts the vulnerabilities of one type.
type DashboardVulnType struct {
	Type  VulnType       `json:"type"`
	URL   string         `json:"url,omitempty"`
	Risks DashboardRisks `json:"risks"`
	Extra Extra          `json:",embed"`
}

// DashboardRisks counts by threat.
type DashboardRisks struct {
	High   DashboardCounter `json:"high"`
	Medium DashboardCounter `json:"medium"`
	Low    DashboardCounter `json:"low"`
	Extra  Extra            `json:",embed"`
}

// OWASPThreat is one category of the OWASP API Top 10.
type OWASPThreat struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Status      OWASPStatus    `json:"status"`
	Vulns       DashboardVulns `json:"vulns"`
	Attacks     OWASPAttacks   `json:"attacks"`
	// Controls are the security controls that help against it.
	Controls []SecurityControl `json:"security_controls"`
	Extra    Extra             `json:",embed"`
}

// OWASPStatus says how a client fares in a category. New values may appear.
type OWASPStatus string

const (
	OWASPCritical OWASPStatus = "critical"
	OWASPConcern  OWASPStatus = "concern"
	OWASPSafe     OWASPStatus = "safe"
)

// OWASPAttacks counts attacks.
type OWASPAttacks struct {
	All            DashboardCounter      `json:"all"`
	ByResponseCode []DashboardCodeCount  `json:"by_response_code"`
	ByType         []DashboardAttackType `json:"by_type"`
	Extra          Extra                 `json:",embed"`
}

// DashboardCodeCount counts the attacks that were answered with a status.
type DashboardCodeCount struct {
	// ResponseCode is a text, such as "403".
	ResponseCode string `json:"response_code"`
	Count        int64  `json:"count"`
	URL          string `json:"url,omitempty"`
	Extra        Extra  `json:",embed"`
}

// DashboardAttackType counts the attacks of one type.
type DashboardAttackType struct {
	Type  AttackType `json:"type"`
	Count int64      `json:"count"`
	URL   string     `json:"url,omitempty"`
	Extra Extra      `json:",embed"`
}

// SecurityControl is a measure and whether it is taken.
type SecurityControl struct {
	Type    SecurityControlType `json:"type"`
	Applied bool                `json:"applied"`
	URL     string              `json:"url,omitempty"`
	Data    SecurityControlData `json:"data"`
	Extra   Extra               `json:",embed"`
}

// SecurityControlData tells more about a measure; which fields are set depends on its type.
type SecurityControlData struct {
	// TriggerCount is that of the controls made of triggers.
	TriggerCount *int64 `json:"trigger_count,omitzero"`
	// ProfileCount is that of api_abuse_prevention.
	ProfileCount *int64 `json:"profile_count,omitzero"`
	// NodeVersion is that of the controls on outdated nodes.
	NodeVersion string `json:"node_version,omitempty"`
	Extra       Extra  `json:",embed"`
}

// SecurityControlType is a kind of measure. New values may appear.
type SecurityControlType string

const (
	ControlBOLA                    SecurityControlType = "bola"
	ControlBruteForce              SecurityControlType = "bruteforce"
	ControlForcedBrowsing          SecurityControlType = "forced_browsing"
	ControlScanner                 SecurityControlType = "scanner"
	ControlAPIAbusePrevention      SecurityControlType = "api_abuse_prevention"
	ControlAPIDiscovery            SecurityControlType = "api_discovery"
	ControlOutdatedNodeVersion     SecurityControlType = "outdated_node_version"
	ControlSoonOutdatedNodeVersion SecurityControlType = "soon_outdated_node_version"
	ControlNodeCreation            SecurityControlType = "node_creation"
	ControlNodeTraffic             SecurityControlType = "node_traffic"
	ControlNodeSynchronization     SecurityControlType = "node_synchronization"
	ControlSIEMNotifications       SecurityControlType = "siem_notifications"
	ControlVulnNotifications       SecurityControlType = "vuln_notifications"
	ControlScopeNotifications      SecurityControlType = "scope_notifications"
	ControlWeakJWT                 SecurityControlType = "weak_jwt"
)

// OWASPEdition is an edition of the OWASP API Top 10.
type OWASPEdition int

const (
	OWASPAPI2019 OWASPEdition = 2019
	OWASPAPI2023 OWASPEdition = 2023
)

// OWASPDashboard returns the state of the client (tenant) in terms of an edition of the OWASP API Top 10. timeZone is where days begin; empty
// leaves it to the API. Experimental.
//
// GET /v2/client/{client_id}/dashboards/owasp_api_2019 or owasp_api_2023, known from the Console's API description only. Replay class: read.
func (s *StatsService) OWASPDashboard(ctx context.Context, edition OWASPEdition, timeZone string, opts ...CallOption) (*OWASPDashboard, error) {
	op := statsOWASP2019
	switch edition {
	case OWASPAPI2019:
	case OWASPAPI2023:
		op = statsOWASP2023
	default:
		return nil, invalid("edition", "%d is none of 2019 and 2023", int(edition))
	}
	a := args{}
	if timeZone != "" {
		a.query = url.Values{"time_zone": {timeZone}}
	}
	return oneOfClient[OWASPDashboard](ctx, s.client, op, a, opts)
}
