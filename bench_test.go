package wallarm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
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
