package main

// The types of the plain client: what one writes by hand for encoding/json. They drop unknown members.

type plainUser struct {
	ID                int64    `json:"id"`
	UUID              string   `json:"uuid"`
	ClientID          int64    `json:"client_id"`
	ClientName        string   `json:"client_name"`
	Username          string   `json:"username"`
	Email             string   `json:"email"`
	RealName          string   `json:"realname"`
	Phone             string   `json:"phone"`
	Permissions       []string `json:"permissions"`
	ActualPermissions []string `json:"actual_permissions"`
	Enabled           bool     `json:"enabled"`
	Validated         bool     `json:"validated"`
	MFAEnabled        bool     `json:"mfa_enabled"`
	CreatedBy         int64    `json:"create_by"`
	CreatedAt         string   `json:"create_at"`
	CreatedFrom       string   `json:"create_from"`
	PasswordChanged   int64    `json:"password_changed"`
	LoginHistory      []struct {
		Time int64  `json:"time"`
		IP   string `json:"ip"`
	} `json:"login_history"`
	LastLoginTime   int64             `json:"last_login_time"`
	Timezone        string            `json:"timezone"`
	Language        string            `json:"language"`
	DateFormat      string            `json:"date_format"`
	TimeFormat      string            `json:"time_format"`
	ResultsPerPage  int64             `json:"results_per_page"`
	DefaultPool     string            `json:"default_pool"`
	DefaultPoolID   *int64            `json:"default_poolid"`
	LastReadNewsID  int64             `json:"last_read_news_id"`
	SearchTemplates map[string]string `json:"search_templates"`
	Notifications   map[string]struct {
		Email bool `json:"email"`
		SMS   bool `json:"sms"`
	} `json:"notifications"`
	Components               []string `json:"components"`
	JobTitle                 string   `json:"job_title"`
	AvailableAuthentications []string `json:"available_authentications"`
	FrontendURL              string   `json:"frontend_url"`
}

type plainHit struct {
	ID                []string `json:"id"`
	Type              string   `json:"type"`
	IP                string   `json:"ip"`
	Size              int64    `json:"size"`
	StatusCode        int64    `json:"statuscode"`
	Time              int64    `json:"time"`
	Value             string   `json:"value"`
	Impression        *int64   `json:"impression"`
	Stamps            []int64  `json:"stamps"`
	StampsHash        int64    `json:"stamps_hash"`
	Regex             []any    `json:"regex"`
	ResponseTime      int64    `json:"response_time"`
	RemoteCountry     string   `json:"remote_country"`
	Point             []any    `json:"point"`
	RemotePort        int64    `json:"remote_port"`
	PoolID            int64    `json:"poolid"`
	IPBlocked         bool     `json:"ip_blocked"`
	AttackID          []string `json:"attackid"`
	BlockStatus       string   `json:"block_status"`
	RequestID         string   `json:"request_id"`
	Datacenter        string   `json:"datacenter"`
	ProxyType         *string  `json:"proxy_type"`
	Tor               string   `json:"tor"`
	State             *string  `json:"state"`
	KnownAttack       []string `json:"known_attack"`
	KnownFalse        *string  `json:"known_false"`
	Protocol          string   `json:"protocol"`
	AuthProtocol      []string `json:"auth_protocol"`
	EndpointID        *string  `json:"endpoint_id"`
	Path              string   `json:"path"`
	Domain            string   `json:"domain"`
	NodeUUID          []string `json:"node_uuid"`
	CompromisedLogins []string `json:"compromised_logins"`
	EBPF              *bool    `json:"ebpf"`
	AASMEvent         bool     `json:"aasm_event"`
	APISpecViolation  *string  `json:"api_spec_violation"`
	APISpecID         *string  `json:"api_spec_id"`
}

type plainAttack struct {
	ID                []string `json:"id"`
	AttackID          string   `json:"attackid"`
	ClientID          int64    `json:"clientid"`
	Domain            string   `json:"domain"`
	PoolID            int64    `json:"poolid"`
	Method            string   `json:"method"`
	Parameter         string   `json:"parameter"`
	Path              string   `json:"path"`
	Type              string   `json:"type"`
	FirstTime         int64    `json:"first_time"`
	LastTime          int64    `json:"last_time"`
	Hits              int64    `json:"hits"`
	HitsCountByFilter int64    `json:"hits_count_by_filter"`
	IPCount           int64    `json:"ip_count"`
	IPCountByFilter   int64    `json:"ip_count_by_filter"`
	StatusCodes       []int64  `json:"statuscodes"`
	Threat            int64    `json:"threat"`
	VulnID            *int64   `json:"vulnid"`
	Target            string   `json:"target"`
	VectorsCount      int64    `json:"vectors_count"`
	BlockStatus       string   `json:"block_status"`
	TopIPs            []ipTop  `json:"ip_top"`
	TopCountries      []ipTop  `json:"country_top"`
	RecheckStatus     string   `json:"recheck_status"`
	Experimental      *bool    `json:"experimental"`
	State             *string  `json:"state"`
}

type ipTop struct {
	IP      string `json:"ip"`
	Count   int64  `json:"count"`
	Country string `json:"country"`
}
