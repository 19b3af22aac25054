package wallarm

// AttackColumn is a column of the Attacks API: what rows are grouped by, filtered by, ordered by, or show. Which ones an account has is told by
// [AttackVectorsService.Schema]; others than these may appear.
type AttackColumn string

// Columns to group and to filter by. The time buckets are for grouping only: a time bucket, by default the day, is always added in
// front of the grouping.
const (
	ColumnAttackType    AttackColumn = "attack_type"
	ColumnAttackSubtype AttackColumn = "attack_subtype"
	ColumnHost          AttackColumn = "host"
	// ColumnPath is known as path, too; the methods of [AttackRow] find it under either name.
	ColumnPath              AttackColumn = "normalized_path"
	ColumnIP                AttackColumn = "ip"
	ColumnPoint             AttackColumn = "point"
	ColumnRequestID         AttackColumn = "request_id"
	ColumnMitigationControl AttackColumn = "mitigation_control_id"
	ColumnHour              AttackColumn = "ts_hour"
	ColumnDay               AttackColumn = "ts_day"
	ColumnWeek              AttackColumn = "ts_week"
	ColumnMonth             AttackColumn = "ts_month"
)

// Columns to filter by. ColumnStatus is shown in rows as well.
const (
	ColumnApplicationID  AttackColumn = "application_id"
	ColumnCountry        AttackColumn = "country"
	ColumnMethod         AttackColumn = "method"
	ColumnStatusCode     AttackColumn = "status_code"
	ColumnStatusClass    AttackColumn = "status_code_group"
	ColumnProtocol       AttackColumn = "protocol"
	ColumnScheme         AttackColumn = "scheme"
	ColumnAPIProtocol    AttackColumn = "api_protocol"
	ColumnAuthProtocol   AttackColumn = "auth_protocol"
	ColumnLocationType   AttackColumn = "location_type"
	ColumnUser           AttackColumn = "user"
	ColumnUserRole       AttackColumn = "user_role"
	ColumnSessionID      AttackColumn = "orig_session_id"
	ColumnCVE            AttackColumn = "cve_id"
	ColumnCWE            AttackColumn = "cwe_id"
	ColumnCAPEC          AttackColumn = "capec_id"
	ColumnOWASP          AttackColumn = "owasp_category"
	ColumnMark           AttackColumn = "mark"
	ColumnStatus         AttackColumn = "status"
	ColumnSecurityIssue  AttackColumn = "security_issue_id"
	ColumnURILength      AttackColumn = "uri_length"
	ColumnMinRequestTime AttackColumn = "min_request_time"
	ColumnMaxRequestTime AttackColumn = "max_request_time"
	// ColumnContextParam needs a key, see [ContextParam].
	ColumnContextParam AttackColumn = "context_param"
	// ColumnPayloadSearch and ColumnParameterSearch look for one text of at least three characters, with = or !=, whatever the case.
	ColumnPayloadSearch   AttackColumn = "payload_search"
	ColumnParameterSearch AttackColumn = "parameter_search"
	// The following are known from the vendor's design system only; their values are "true" and "false", except those of ColumnStampID.
	ColumnStampID        AttackColumn = "stamp_id"
	ColumnAASMEvent      AttackColumn = "aasm_event"
	ColumnWallarmScanner AttackColumn = "wallarm_scanner"
	ColumnExperimental   AttackColumn = "experimental"
	ColumnKnown          AttackColumn = "known"
	ColumnKnownFalse     AttackColumn = "known_false"
)

// Metrics: numbers of a row. A condition on one selects groups, not vectors, as HAVING does in SQL. Sizes are in bytes, times in milliseconds.
const (
	ColumnRequests        AttackColumn = "requests_count"
	ColumnVectors         AttackColumn = "attack_vectors_count"
	ColumnBlocked         AttackColumn = "blocked_count"
	ColumnSuccess         AttackColumn = "success_count"
	ColumnUniqueIPs       AttackColumn = "unique_ips"
	ColumnUniquePaths     AttackColumn = "unique_paths"
	ColumnUniqueUsers     AttackColumn = "unique_users"
	ColumnUniqueUserRoles AttackColumn = "unique_user_roles"
	ColumnUniqueEndpoints AttackColumn = "unique_endpoints"
	ColumnUniqueParams    AttackColumn = "unique_parameters"
	ColumnUniqueCodes     AttackColumn = "unique_status_codes"
	ColumnUniqueSessions  AttackColumn = "unique_orig_sessions"
	ColumnRequestSize     AttackColumn = "request_size_sum"
	ColumnResponseSize    AttackColumn = "response_size_sum"
	ColumnResponseTimeAvg AttackColumn = "response_time_avg"
	ColumnResponseTimeMax AttackColumn = "response_time_max"
)

// Display columns: samples of the values in a row, see [AttackRow.Sample]. The last two are computed, and no source gives their form.
const (
	ColumnAttackTypes    AttackColumn = "attack_types"
	ColumnAttackSubtypes AttackColumn = "attack_subtypes"
	ColumnHosts          AttackColumn = "hosts"
	ColumnPaths          AttackColumn = "paths"
	// ColumnIPs is called ip_addresses in a part of the vendor's documentation; the methods of [AttackRow] find it under either name.
	ColumnIPs             AttackColumn = "ips"
	ColumnUsers           AttackColumn = "users"
	ColumnUserRoles       AttackColumn = "user_roles"
	ColumnCountries       AttackColumn = "countries"
	ColumnMethods         AttackColumn = "methods"
	ColumnStatusCodes     AttackColumn = "status_codes"
	ColumnCVEs            AttackColumn = "cve_ids"
	ColumnCWEs            AttackColumn = "cwe_ids"
	ColumnOWASPCategories AttackColumn = "owasp_categories"
	ColumnCAPECs          AttackColumn = "capec_ids"
	ColumnContextParams   AttackColumn = "context_params"
	ColumnAttackName      AttackColumn = "attack_name"
	ColumnSecurityInfo    AttackColumn = "security_info"
)

// isMetric reports whether the column is a known metric.
func (c AttackColumn) isMetric() bool {
	switch c {
	case ColumnRequests, ColumnVectors, ColumnBlocked, ColumnSuccess, ColumnUniqueIPs, ColumnUniquePaths, ColumnUniqueUsers, ColumnUniqueUserRoles,
		ColumnUniqueEndpoints, ColumnUniqueParams, ColumnUniqueCodes, ColumnUniqueSessions, ColumnRequestSize, ColumnResponseSize,
		ColumnResponseTimeAvg, ColumnResponseTimeMax:
		return true
	}
	return false
}
