package wallarmtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReports(t *testing.T) {
	s := NewServer(t, fixedClock())
	s.SeedAttacks(
		Attack{Type: "xss", Time: noon.Add(-time.Hour), VulnID: 7}, Attack{Type: "sqli", Time: noon.Add(-50 * time.Hour)},
		Attack{Type: "rce", ClientID: OtherClientID, Time: noon.Add(-time.Hour)},
	)
	day := func(n int) int64 { return noon.AddDate(0, 0, n).Unix() }
	order := func(format string, from, to int) (int, string) {
		return send(t, s, AnalystToken, "POST", "/v1/objects/report/request", fmt.Sprintf(
			`{"clientid":4711,"time_from":%d,"time_to":%d,"format":%q,"extra_filter":{"type":["xss"]},"emails":["soc@example.com"]}`,
			day(from), day(to), format))
	}
	for i, format := range []string{"pdf", "csv", "json", "mail", "pdf"} {
		status, answer := order(format, -1-i, -i)
		require.Equal(t, http.StatusOK, status)
		require.Empty(t, answer)
	}
	list := func(filter, more string) string {
		ids := []int64{}
		for _, o := range bodyList(t, call200(t, s, "POST", "/v1/objects/report/list", `{"filter":{"clientid":4711`+filter+`}`+more+`}`)) {
			ids = append(ids, o.int("id"))
		}
		return fmt.Sprint(ids)
	}
	require.Equal(t, "[31 32 33 34 35]", list("", ""))
	require.Equal(t, "[35 34]", list("", `,"limit":2,"order_by":"id","order_desc":true`))
	require.Equal(t, "[31 35]", list(`,"format":"pdf"`, ""))
	require.Equal(t, "[32]", list(fmt.Sprintf(`,"time_from":%d,"time_to":%d`, day(-2), day(-1)), ""))
	require.Equal(t, "[31 32 33]", list(fmt.Sprintf(`,"time":[[%d,%d]]`, day(-2), day(-1)), ""), "they touch the range")
	require.Equal(t, "[32]", list(fmt.Sprintf(`,"time_range":[[%d,%d]]`, day(-2)+5, day(-1)-5), ""), "it covers the range")

	for id, want := range map[int]string{31: "%PDF-1.4", 32: "first_time,last_time,type", 33: `{"report":`, 34: "<html>"} {
		status, answer := send(t, s, AuditorToken, "POST", "/v1/objects/report", fmt.Sprintf(`{"id":%d}`, id))
		require.Equal(t, http.StatusOK, status)
		require.True(t, strings.HasPrefix(answer, want), answer)
	}
	_, err := s.Put("reports", fmt.Sprintf(`{"id":50,"clientid":4711,"time_from":%d,"time_to":%d,"format":"csv"}`, day(-1), day(0)))
	require.NoError(t, err)
	_, answer := send(t, s, AdminToken, "POST", "/v1/objects/report", `{"id":50}`)
	require.Equal(t, 2, strings.Count(answer, "\n"), "one attack of the client in the period")
	require.Contains(t, answer, ",xss,")
	require.Contains(t, answer, ",7\n")
}

func TestReportRefusals(t *testing.T) {
	s := NewServer(t)
	_, err := s.Put("reports", `{"id":50,"clientid":5150,"time_from":1,"time_to":2,"format":"csv"}`)
	require.NoError(t, err)
	for _, test := range []struct {
		token, path, body string
		status            int
		text              string
	}{
		{AdminToken, "", `{}`, 400, `"id":{"error":"required"`},
		{AdminToken, "", `{"id":-1}`, 400, `"id":{"error":"invalid"`},
		{AdminToken, "", `{"id":50}`, 404, "Not found"},
		{AdminToken, "", `{"id":51}`, 404, "Not found"},
		{AdminToken, "/list", `{}`, 400, `"filter":{"error":"required"`},
		{AdminToken, "/list", `{"filter":{}}`, 400, `"filter.clientid":{"error":"required"`},
		{AdminToken, "/list", `{"filter":{"clientid":4711,"time":"x"}}`, 400, `"filter.time":{"error":"invalid"`},
		{AdminToken, "/list", `{"filter":{"clientid":4711},"order_by":"emails"}`, 400, `"order_by"`},
		{AdminToken, "/list", `{"filter":{"clientid":5150}}`, 403, ""},
		{AdminToken, "/request", `{"clientid":4711}`, 400, `"time_from":{"error":"required"`},
		{AdminToken, "/request", `{"clientid":4711,"time_from":1,"time_to":2,"format":"docx"}`, 400, `"format":{"error":"invalid"`},
		{AdminToken, "/request", `{"clientid":4711,"time_from":1,"time_to":2,"format":"pdf","emails":["x"]}`, 400, `"emails"`},
		{AdminToken, "/request", `{"clientid":5150,"time_from":1,"time_to":2,"format":"pdf"}`, 403, ""},
		{AuditorToken, "/request", `{"clientid":4711,"time_from":1,"time_to":2,"format":"pdf"}`, 403, ""},
	} {
		status, answer := send(t, s, test.token, "POST", "/v1/objects/report"+test.path, test.body)
		require.Equal(t, test.status, status, test.body)
		require.Contains(t, answer, test.text, test.body)
	}
}
