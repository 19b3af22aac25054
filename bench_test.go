package wallarm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// These benchmarks stand beside plain net/http with encoding/json in the same run; compare the ratios, not the times:
//
//	go test -run '^$' -bench 'SmallCall|Page' -count 8 .
//
// The module in bench/ measures over a network, with the vendor's client beside it.

// stubTransport answers every request with the same body, without a network.
type stubTransport struct{ body string }

func (s stubTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(s.body)), Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(s.body)),
	}, nil
}

const userAnswer = `{"status":200,"body":{"id":70112,"uuid":"0b9c1f6e-1111-4222-8333-4445556667aa","client_id":5150,
"client_name":"Example Shop","permissions":["admin"],"actual_permissions":["view_denylist","manage_denylist"],"mfa_enabled":true,
"create_by":4100200300,"create_at":"2025-01-15T08:00:00Z","create_from":"192.0.2.10","enabled":true,"validated":true,
"username":"ops@example.com","realname":"Ops Team","email":"ops@example.com","phone":"","password_changed":1736928000,
"login_history":[{"time":1755700000,"ip":"192.0.2.11"}],"timezone":"UTC","results_per_page":25,"default_pool":"main",
"default_poolid":null,"last_read_news_id":3,"search_templates":{"mine":"attacks today"},
"notifications":{"report_daily":{"email":false,"sms":false},"system":{"email":true,"sms":false}},"components":["waf"],
"language":"en","last_login_time":1755700000,"date_format":"ddmmyy","time_format":"24h","job_title":null,
"available_authentications":["default"],"frontend_url":"https://us1.my.wallarm.com"}}`

func benchClient(b *testing.B, body string) *Client {
	b.Helper()
	client, err := New(US, Token("test-token-bench"), WithRoundTripper(stubTransport{body}), WithDefaultClientID(4711))
	if err != nil {
		b.Fatal(err)
	}
	return client
}

func BenchmarkSmallCall(b *testing.B) {
	ctx := context.Background()
	b.Run("sdk", func(b *testing.B) {
		client := benchClient(b, userAnswer)
		b.ReportAllocs()
		for b.Loop() {
			me, err := client.Users.Me(ctx)
			if err != nil || me.ID != 70112 {
				b.Fatal(me, err)
			}
		}
	})
	b.Run("plain", func(b *testing.B) {
		client := &http.Client{Transport: stubTransport{userAnswer}}
		b.ReportAllocs()
		for b.Loop() {
			var out struct {
				Body plainUser `json:"body"`
			}
			if err := plainCall(ctx, client, "https://us1.api.wallarm.com/v1/user", struct{}{}, &out); err != nil || out.Body.ID != 70112 {
				b.Fatal(err)
			}
		}
	})
}

// plainCall is the code that people write without an SDK.
func plainCall(ctx context.Context, client *http.Client, url string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("X-WallarmApi-Token", "test-token-bench")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, out)
}

// plainUser has the fields of User in types that encoding/json knows.
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

// hitsAnswer is a page of n hits, each with unknown members more than the struct knows.
func hitsAnswer(n, unknown int) string {
	var b strings.Builder
	b.WriteString(`{"status":200,"body":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":["hits_production_4711_202608_v_1","Kf93-%06d"],"type":"sqli","ip":"198.51.100.%d","size":512,"statuscode":403,
"time":%d,"value":"%s","impression":null,"stamps":[3301,%d],"stamps_hash":-884210037,"regex":[],"response_time":41,
"remote_country":"NL","point":["post","json_doc","array",%d,"hash","q"],"remote_port":50122,"poolid":-1,"ip_blocked":false,
"attackid":["attacks_production_4711_202608_v_1","Zz%d"],"block_status":"blocked","request_id":"5f0c9d7e2b1a4c3d8e6f7081%08d",
"datacenter":"unknown","proxy_type":null,"tor":"none","state":null,"known_attack":["CVE-2026-0001"],"known_false":null,"protocol":"rest",
"auth_protocol":["jwt"],"endpoint_id":null,"path":"/v1/login","domain":"shop.example.net",
"node_uuid":["0b8f2d1e-1111-2222-3333-444455556666"],"compromised_logins":[],"ebpf":false,"aasm_event":false,
"api_spec_violation":null,"api_spec_id":null`, i, i%250, 1785802011+i, strings.Repeat("1' or '1'='1 ", 15), i, i%7, i%50, i)
		for u := range unknown {
			fmt.Fprintf(&b, `,"later_%d":{"name":"value","n":%d}`, u, i)
		}
		b.WriteByte('}')
	}
	b.WriteString(`]}`)
	return b.String()
}

func BenchmarkPage(b *testing.B) {
	ctx := context.Background()
	for _, unknown := range []int{0, 3} {
		answer := hitsAnswer(1000, unknown)
		b.Run(fmt.Sprintf("unknown=%d/sdk", unknown), func(b *testing.B) {
			client := benchClient(b, answer)
			b.ReportAllocs()
			b.SetBytes(int64(len(answer)))
			for b.Loop() {
				page, err := client.Hits.List(ctx, HitFilter{}, PageOptions{Limit: 1000})
				if err != nil || len(page.Items) != 1000 || len(page.Items[999].Extra) != unknown {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("unknown=%d/plain", unknown), func(b *testing.B) {
			client := &http.Client{Transport: stubTransport{answer}}
			b.ReportAllocs()
			b.SetBytes(int64(len(answer)))
			for b.Loop() {
				var out struct {
					Body []plainHit `json:"body"`
				}
				err := plainCall(ctx, client, "https://us1.api.wallarm.com/v1/objects/hit", map[string]any{"limit": 1000}, &out)
				if err != nil || len(out.Body) != 1000 {
					b.Fatal(err)
				}
			}
		})
	}
}

// plainHit has the fields of Hit in types that encoding/json knows. It drops unknown members.
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

func TestAPageWithUnknownMembersLosesNone(t *testing.T) {
	answer := hitsAnswer(1000, 3)
	client, err := New(US, Token("test-token"), WithRoundTripper(stubTransport{answer}), WithDefaultClientID(4711))
	require.NoError(t, err)
	page, err := client.Hits.List(t.Context(), HitFilter{}, PageOptions{Limit: 1000})
	require.NoError(t, err)
	require.Len(t, page.Items, 1000)
	var want struct{ Body []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(answer), &want))
	for i := range page.Items {
		encoded, err := json.Marshal(page.Items[i])
		require.NoError(t, err)
		var have map[string]any
		require.NoError(t, json.Unmarshal(encoded, &have))
		require.Empty(t, lost("", any(want.Body[i]), any(have)))
		for _, name := range []string{"later_0", "later_1", "later_2"} {
			require.Equal(t, want.Body[i][name], have[name])
		}
		var again Hit
		require.NoError(t, json.Unmarshal(encoded, &again), "encoding/json reads them back too")
		require.Len(t, again.Extra, 3)
	}
}
