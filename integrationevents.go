package wallarm

import "slices"

// IntegrationEvent says whether an integration sends a kind of event.
type IntegrationEvent struct {
	Event  IntegrationEventType `json:"event"`
	Active bool                 `json:"active"`
	// WithHeaders adds the headers of the request to an [EventSIEM]; nil for all other events, and if the answer did not say.
	WithHeaders *bool `json:"with_headers,omitzero"`
	Extra       Extra `json:",embed"`
}

// IntegrationEventType is a kind of event. New ones appear, and integrations made long ago have names that are used no more, such as hit,
// vuln_high and scope.
type IntegrationEventType string

// The events that the vendor's clients know. [EventsFor] knows which types of integrations take which.
const (
	// EventSIEM stands for the hits themselves, for the types that take data in bulk.
	EventSIEM                  IntegrationEventType = "siem"
	EventSystem                IntegrationEventType = "system"
	EventRulesAndTriggers      IntegrationEventType = "rules_and_triggers"
	EventRequestsPerHour       IntegrationEventType = "number_of_requests_per_hour"
	EventSecurityIssueCritical IntegrationEventType = "security_issue_critical"
	EventSecurityIssueHigh     IntegrationEventType = "security_issue_high"
	EventSecurityIssueMedium   IntegrationEventType = "security_issue_medium"
	EventSecurityIssueLow      IntegrationEventType = "security_issue_low"
	EventSecurityIssueInfo     IntegrationEventType = "security_issue_info"
	EventReportDaily           IntegrationEventType = "report_daily"
	EventReportWeekly          IntegrationEventType = "report_weekly"
	EventReportMonthly         IntegrationEventType = "report_monthly"
	EventAASMReport            IntegrationEventType = "aasm_report"
	EventAPIDiscoveryHourly    IntegrationEventType = "api_discovery_hourly_changes_report"
	EventAPIDiscoveryDaily     IntegrationEventType = "api_discovery_daily_changes_report"
)

// The groups of types that take the same events.
var (
	reportEvents    = []IntegrationEventType{EventReportDaily, EventReportWeekly, EventReportMonthly}
	messengerEvents = []IntegrationEventType{
		EventSystem, EventRulesAndTriggers, EventSecurityIssueCritical, EventSecurityIssueHigh, EventSecurityIssueMedium,
		EventSecurityIssueLow, EventSecurityIssueInfo,
	}
	bulkEvents  = append([]IntegrationEventType{EventSIEM, EventRequestsPerHour}, messengerEvents...)
	emailEvents = append([]IntegrationEventType{EventSystem, EventAASMReport, EventAPIDiscoveryHourly, EventAPIDiscoveryDaily}, reportEvents...)
)

func eventsOfType(t IntegrationType) []IntegrationEventType {
	switch t {
	case IntegrationDatadog, IntegrationInsightConnect, IntegrationSplunk, IntegrationSumoLogic, IntegrationWebhook:
		return bulkEvents
	case IntegrationSlack, IntegrationMSTeams, IntegrationOpsgenie, IntegrationPagerDuty:
		return messengerEvents
	case IntegrationTelegram:
		return append(slices.Clip(messengerEvents), reportEvents...)
	case IntegrationEmail:
		return emailEvents
	}
	return nil
}

// EventsFor returns all events that integrations of type t are known to take, those in on active and the others not, which is the whole list
// that the vendor's own provider sends. An event in on that t is not known to take, or of an unknown t, is added: the API decides.
func EventsFor(t IntegrationType, on ...IntegrationEventType) []IntegrationEvent {
	names := slices.Clone(eventsOfType(t))
	for _, name := range on {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	events := make([]IntegrationEvent, 0, len(names))
	for _, name := range names {
		event := IntegrationEvent{Event: name, Active: slices.Contains(on, name)}
		if name == EventSIEM {
			event.WithHeaders = new(bool)
		}
		events = append(events, event)
	}
	return events
}

// checkEvents refuses events without a name, and those that are there twice, of which nobody can say which one counts.
func checkEvents(events []IntegrationEvent) error {
	seen := make(map[IntegrationEventType]bool, len(events))
	for i, event := range events {
		switch {
		case event.Event == "":
			return invalid("events", "event %d has no name", i)
		case seen[event.Event]:
			return invalid("events", "%s is there twice", clip(string(event.Event)))
		}
		seen[event.Event] = true
	}
	return nil
}
