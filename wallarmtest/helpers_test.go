package wallarmtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnvelopes(t *testing.T) {
	list := []any{int64(1)}
	for want, r := range map[string]reply{
		`{"status":200,"body":[1]}`:                       ok(list),
		`{"status":201,"body":[1]}`:                       ok(list).withStatus(http.StatusCreated),
		`{"status":200,"body":{"objects":[1]}}`:           okObjects(list),
		`{"body":{"objects":[1]}}`:                        objectsOnly(list),
		`{"body":{"objects":[1],"continuation":null}}`:    continuation(list, nil),
		`{"body":{"result":"created","object":[1]}}`:      resultObject("created", list),
		`{"body":[1]}`:                                    bodyOnly(list),
		`{"trigger":[1]}`:                                 named("trigger", list),
		`[1]`:                                             bare(list),
		`{"status":200}`:                                  statusOnly(),
		`{"status":200,"body":null}`:                      statusNull(),
		`{"status":200,"body":[1],"cursor":"next"}`:       okCursor(list, "next"),
		`{"status":200,"body":[1] }`:                      okCursor(list, ""),
		`{"data":[1],"next_cursor":null,"has_more":true}`: bare(obj("data", list, "next_cursor", nil, "has_more", true)),
	} {
		assert.JSONEq(t, want, string(r.encode().body))
	}
	assert.Empty(t, noBody(http.StatusAccepted).encode().body)
	csv := file("text/csv", []byte("a,b")).encode()
	assert.Equal(t, "text/csv", csv.contentType)
}

func TestErrorShapes(t *testing.T) {
	var plain, deep, mixed fieldErrors
	plain.add("name", "required")
	plain.add("name", "invalid", "x")
	var inner fieldErrors
	inner.add("paths", "must be an array")
	deep.nest("by_custom_paths", &inner)
	mixed.addText("permissions", "not allowed")
	mixed.addRule("title", "required", "title is required")
	for want, err := range map[string]error{
		`{"status":409,"body":"Already activated"}`:                                                    errText(409, "Already activated"),
		`{"status":400,"body":"Already exists"}`:                                                       errAlreadyExists(),
		`{"status":404,"body":{"error":"node not found","value":7}}`:                                   errInner(404, "node not found", int64(7)),
		`{"body":{"error":"timeout"}}`:                                                                 errBodyOnly(408, "timeout"),
		`["host not resolved"]`:                                                                        errDoc(422, []any{"host not resolved"}),
		`{"status":400,"body":{"name":{"error":"required, invalid","value":"x"}}}`:                     plain.err(),
		`{"status":400,"body":{"by_custom_paths":{"paths":{"error":"must be an array"}}}}`:             deep.err(),
		`{"status":400,"body":{"permissions":"not allowed","title":{"required":"title is required"}}}`: mixed.err(),
		`{"status":500,"body":"boom"}`:                                                                 fmt.Errorf("boom"),
	} {
		assert.JSONEq(t, want, string(refusal(err).body))
	}
	assert.Empty(t, refusal(errEmpty(404)).body)
	require.NoError(t, new(fieldErrors).err())
}

func objects(n int) []*object {
	out := make([]*object, n)
	for i := range out {
		out[i] = obj("id", int64(i+1))
	}
	return out
}

func TestPages(t *testing.T) {
	rows := objects(5)
	require.Len(t, offsetPage(rows, 2, 4), 1)
	require.Empty(t, offsetPage(rows, 2, 9))
	require.JSONEq(t, `{"objects":[{"id":1},{"id":2}],"offset":0,"next_offset":2}`,
		string(appendJSON(nil, nextOffsetPage(rows, 2, 0))))
	require.False(t, nextOffsetPage(rows, 2, 3).has("next_offset"))

	q := &call{params: obj("page", "2", "per_page", int64(2))}
	page, err := numberedPage(q, rows, 50)
	require.NoError(t, err)
	require.JSONEq(t, `{"items":[{"id":3},{"id":4}],"current_page":2,"per_page":2,"total_pages":3,"total_count":5}`,
		string(page.encode().body))
	q.params.set("page", int64(0))
	_, err = numberedPage(q, rows, 50)
	require.Error(t, err)

	key := func(o *object) string { return fmt.Sprintf("%04d", o.int("id")) }
	var got []int64
	for after := ""; ; {
		part, next := keysetPage(rows, key, after, 2)
		for _, o := range part {
			got = append(got, o.int("id"))
		}
		if after = next; after == "" {
			break
		}
		if after == "0002" {
			rows = append(rows[:1], rows[2:]...) // the row of the key goes meanwhile
		}
	}
	require.Equal(t, []int64{1, 2, 3, 4, 5}, got)
}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		limit  any
		paging paging
		want   int
		fails  bool
	}{
		{nil, paging{limit: 100}, 100, false},
		{nil, paging{required: true}, 0, true},
		{"7", paging{limit: 100}, 7, false},
		{int64(-1), paging{limit: 100}, 0, true},
		{int64(0), paging{limit: 100, min: 1}, 0, true},
		{int64(301), paging{limit: 100, max: 300}, 0, true},
		{int64(301), paging{limit: 100, max: 300, lower: true}, 300, false},
	} {
		q := &call{params: obj("limit", test.limit)}
		got, _, err := q.limits(test.paging)
		require.Equal(t, test.fails, err != nil, "%v", test.limit)
		if !test.fails {
			require.Equal(t, test.want, got)
		}
	}
}

func TestBracketedParameters(t *testing.T) {
	for in, want := range map[string]string{
		"limit=10&offset=0":                             `{"limit":"10","offset":"0"}`,
		"filter%5Bname%5D=a+b":                          `{"filter":{"name":"a b"}}`,
		"filter[id][]=1&filter[id][]=2&filter[!type]=x": `{"filter":{"id":["1","2"],"!type":"x"}}`,
		"ip_rule[reason]=r&ip_rule[pools][]=1":          `{"ip_rule":{"reason":"r","pools":["1"]}}`,
		"a[b][c]=1&a[b][d]=2":                           `{"a":{"b":{"c":"1","d":"2"}}}`,
		"id=1&id=2":                                     `{"id":["1","2"]}`,
		"o[][d]=asc&o[][n]=a&o[][n]=b":                  `{"o":[{"d":"asc","n":"a"},{"n":"b"}]}`,
		"odd]name=1&%zz=2&empty":                        `{"odd]name":"1","empty":""}`,
		"filter[clientid]=&filter[format_one_of][]=50":  `{"filter":{"clientid":"","format_one_of":["50"]}}`,
	} {
		require.JSONEq(t, want, string(appendJSON(nil, parseBracketed(in))), in)
	}
}

func TestParametersByGeneration(t *testing.T) {
	form := "application/x-www-form-urlencoded"
	for _, test := range []struct{ method, pattern, target, contentType, body, want string }{
		{"POST", "/v1/objects/hint", "/?limit=1", jsonType, `{"limit":2}`, `{"limit":2}`},
		{"GET", "/v1/objects/pool", "/?limit=1", "", ``, `{"limit":"1"}`},
		{"GET", "/v2/node", "/?limit=1", jsonType, `{"limit":2,"offset":3}`, `{"limit":2,"offset":3}`},
		{"DELETE", "/v4/ip_rules", "/", jsonType, `{"filter":{"id":[1]}}`, `{"filter":{"id":[1]}}`},
		{"PUT", "/v4/ip_rules/{id}", "/", form, `ip_rule[reason]=r`, `{"ip_rule":{"reason":"r"}}`},
		{"POST", "/v2/x", "/?a=1", form, `b=2`, `{"a":"1","b":"2"}`},
		{
			"POST", "/v3/blacklist/bulk", "/", "multipart/form-data; boundary=X",
			"--X\r\nContent-Disposition: form-data; name=\"bulk[ip][]\"\r\n\r\n192.0.2.1\r\n--X--\r\n", `{"bulk":{"ip":["192.0.2.1"]}}`,
		},
	} {
		r := httptest.NewRequest(test.method, test.target, nil)
		r.Header.Set("Content-Type", test.contentType)
		q := &call{route: &route{pattern: test.pattern}, http: r, body: []byte(test.body)}
		require.NoError(t, q.readParams())
		require.JSONEq(t, test.want, string(appendJSON(nil, q.params)))
	}
	q := &call{route: &route{pattern: "/v1/x"}, http: httptest.NewRequest("POST", "/", nil), body: []byte("a=1")}
	require.Error(t, q.readParams())
}

func TestOrderOfColumnsWithDirection(t *testing.T) {
	v, err := parseJSON([]byte(`{"order_by":[{"name":"id","direction":"desc"}]}`))
	require.NoError(t, err)
	o, err := orderBy(&call{params: v.(*object)}, objectOrder("id"), "id", false)
	require.NoError(t, err)
	rows := objects(3)
	o.sort(rows)
	require.EqualValues(t, 3, rows[0].int("id"))
}

func TestRequestsAreRecorded(t *testing.T) {
	s := NewServer(t, WithRequestLog(3))
	for i := range 5 {
		send(t, s, AdminToken, "POST", fmt.Sprintf("/v1/user?n=%d", i), `{}`)
	}
	got := s.Requests()
	require.Len(t, got, 3)
	require.Equal(t, "n=2", got[0].Query)
	last := got[2]
	require.Equal(t, "users.me", last.Op)
	require.Equal(t, []string{"accounts:AU-1"}, last.IDs)
	require.Equal(t, "{}", string(last.Body))
	require.Equal(t, AdminToken, last.Header.Get("X-WallarmApi-Token"))
	require.Equal(t, http.StatusOK, last.Status)
	require.Len(t, s.RequestsOf("accounts:AU-1"), 3)
	s.ResetRequests()
	require.Empty(t, s.Requests())
}

// spy is a test that may fail.
type spy struct {
	TB
	errors int
}

func (s *spy) Errorf(string, ...any) { s.errors++ }

func TestUnknownRoutes(t *testing.T) {
	for _, test := range []struct {
		options []Option
		want    int
	}{{nil, 1}, {[]Option{AllowUnknownRoutes()}, 0}} {
		watcher := &spy{TB: t}
		s := NewServer(watcher, test.options...)
		status, answer := send(t, s, AdminToken, "GET", "/v9/nothing", "")
		require.Equal(t, http.StatusNotFound, status)
		require.JSONEq(t, `{"status":404,"body":"Not found"}`, answer)
		require.Equal(t, test.want, watcher.errors)
	}
}

func TestTLS(t *testing.T) {
	s := NewServer(t, WithTLS())
	require.True(t, strings.HasPrefix(s.URL, "https://"))
	require.NotNil(t, s.Certificate())
	call200(t, s, "POST", "/v1/user", "")
}

func TestPutObjectsRemove(t *testing.T) {
	c := NewCloud()
	id, err := c.Put("rules", `{"id":7,"type":"tag","future":true}`)
	require.NoError(t, err)
	require.Equal(t, "7", id)
	require.JSONEq(t, `{"id":7,"type":"tag","future":true,"clientid":4711}`, string(c.Object("rules", 7)))
	require.Contains(t, c.Kinds(), "hits")
	require.True(t, c.Remove("rules", 7))
	require.False(t, c.Remove("rules", 7))
	require.Nil(t, c.Object("rules", 7))
	_, err = c.Put("nonsense", `{}`)
	require.Error(t, err)
	_, err = c.Put("rules", `[`)
	require.Error(t, err)
}

func TestSameSeedSameCloud(t *testing.T) {
	sample := func(seed int64) string {
		c := NewCloud(WithSeed(seed), fixedClock(), WithSampleData())
		return string(c.Objects("attacks")[17]) + string(c.Rules()[9])
	}
	require.Equal(t, sample(5), sample(5))
	require.NotEqual(t, sample(5), sample(6))
}

func TestJSONText(t *testing.T) {
	for _, text := range []string{
		`{"b":1,"a":[null,true,1.5,-2,12345678901234567890,"x\n\"\\\u0001é<&>"],"c":{}}`, `[]`, `"\ufffd"`,
	} {
		v, err := parseJSON([]byte(text))
		require.NoError(t, err)
		require.JSONEq(t, text, string(appendJSON(nil, v)))
	}
	for _, text := range []string{``, `{`, `{}x`, `{"a":}`, strings.Repeat("[", 300)} {
		_, err := parseJSON([]byte(text))
		require.Error(t, err)
	}
	require.Equal(t, `"a`+"\ufffd"+`b"`, string(appendString(nil, "a\xffb")))
}

func TestPathClient(t *testing.T) {
	c := NewCloud()
	who := c.authenticate(http.Header{"X-Wallarmapi-Token": {PartnerToken}})
	for id, want := range map[string]string{
		"4711": "", "4712": "", "5150": "Check permissions failed", "x": "Not found",
	} {
		q := &call{cloud: c, who: who, path: map[string]string{"client_id": id}}
		_, err := q.pathClient("client_id")
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
	c.removeCredential(who.credential)
	require.Nil(t, c.authenticate(http.Header{"X-Wallarmapi-Token": {PartnerToken}}))
}
