package wallarmtest

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func saved(t *testing.T, c *Cloud) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, c.Save(&out))
	return out.String()
}

// lived is a cloud with something of everything in it.
func lived(t *testing.T) *Server {
	t.Helper()
	s := NewServer(t, fixedClock(), WithSeed(9), WithSampleData())
	s.AddClient(Client{ID: 81, Parent: OtherClientID})
	s.AddToken(Token{Value: "test-token-short", Expires: noon.Add(time.Hour), Permissions: []string{"auditor"}})
	_, err := s.Put("attacks", `{"id":["attacks_production_4711_202608_v_1","Zz81"],"clientid":4711,"type":"sqli","later":{"a":[1.5]}}`)
	require.NoError(t, err)
	_, err = s.Put("hits", `{"id":["hits_production_4711_202608_v_1","Kf93"],"attackid":["attacks_production_4711_202608_v_1","Zz81"],
		"time":1785802011,"request_id":"5f0c9d7e2b1a4c3d8e6f708192a3b4c5","security_issue_id":7}`)
	require.NoError(t, err)
	for _, kind := range s.kinds() {
		_, err := s.Put(kind, `{"future":{"n":12345678901234567890,"list":[null,true,"x"]}}`)
		require.NoError(t, err)
	}
	for _, call := range [][2]string{
		{"/v1/objects/user/create", `{"username":"dev@example.com","email":"dev@example.com","realname":"Dev Account",
			"password":"test-Secret-1","permissions":["analytic"],"clientid":4711}`},
		{"/v2/api_tokens", `{"client_id":4711,"realname":"kept","permissions":["admin"]}`},
		{"/v2/api_tokens", `{"client_id":4711,"realname":"disabled","permissions":["admin"],"enabled":false}`},
		{"/v2/partners/4711/groups", `{"partner_id":4711,"name":"kept","roles":["admin"]}`},
		{"/v1/blocklist/clients/4711/access_rules", `{"list":"block","force":true,"reason":"r","application_ids":[0],
			"expired_at":1893456000,"rules":[{"rules_type":"subnet","values":["203.0.113.7"]}]}`},
		{"/v2/clients/4711/triggers", `{"trigger":{"template_id":"user_created","name":"n","enabled":true,"filters":[],"actions":[],"threshold":null}}`},
	} {
		ask(t, s, PartnerToken, "POST", call[0], call[1])
	}
	group := s.admin.groups.find(func(o *object) bool { return o.str("name") == "kept" })
	ask(t, s, PartnerToken, "POST", fmt.Sprintf("/v2/partners/4711/groups/%d/clients", group.int("id")), `{"client_ids":[4712]}`)
	require.NoError(t, s.RemoveAttack(s.SeedAttacks(Attack{Type: "xss"})[0]))
	s.LockRules(time.Minute)
	s.Advance(time.Second)
	return s
}

func TestSaveAndLoad(t *testing.T) {
	s := lived(t)
	text := saved(t, s.Cloud)
	again := NewServer(t, fixedClock())
	require.NoError(t, again.Load(strings.NewReader(text)))
	require.Equal(t, text, saved(t, again.Cloud))
	require.Equal(t, s.Now(), again.Now())
	require.Equal(t, s.actionHash, again.actionHash)
	for _, kind := range s.Kinds() {
		require.Equal(t, s.Objects(kind), again.Objects(kind), kind)
	}
	for _, ask := range []struct{ path, body string }{
		{"/v1/objects/attack", `{"filter":{"clientid":4711,"statuscode":[404]},"limit":20}`},
		{"/v1/objects/hit", `{"filter":{"clientid":4711},"limit":20,"order_by":"time","order_desc":true}`},
		{"/v1/objects/hit", `{"filter":{"request_id":"5f0c9d7e2b1a4c3d8e6f708192a3b4c5"}}`},
		{"/v2/objects/attack", `{"filter":{"clientid":4711},"paging":true}`},
		{"/v1/objects/hint", `{"filter":{"clientid":[4711]},"order_by":"id"}`},
	} {
		_, want := send(t, s, AdminToken, "POST", ask.path, ask.body)
		_, got := send(t, again, AdminToken, "POST", ask.path, ask.body)
		require.Equal(t, want, got)
	}

	require.Equal(t, s.admin.members, again.admin.members)
	require.Equal(t, s.admin.passwords, again.admin.passwords)
	require.Equal(t, s.defaultTriggers, again.defaultTriggers)
	require.NotEmpty(t, again.denyEvents)
	for _, o := range s.admin.tokens.all() {
		path := fmt.Sprintf("/v2/api_tokens/%d/secret", o.int("id"))
		_, want := send(t, s, AdminToken, "GET", path, "")
		_, got := send(t, again, AdminToken, "GET", path, "")
		require.Equal(t, want, got)
	}

	status, _ := send(t, again, "test-token-short", "POST", "/v1/user", "")
	require.Equal(t, 200, status)
	status, _ = send(t, again, AdminToken, "POST", "/v1/objects/hint/create", modeRule)
	require.Equal(t, 423, status, "the lock is kept")
	again.Advance(time.Hour)
	s.Advance(time.Hour)
	status, _ = send(t, again, "test-token-short", "POST", "/v1/user", "")
	require.Equal(t, 403, status, "the expiry is kept")
	_, want := send(t, s, AdminToken, "POST", "/v1/objects/hint/create", modeRule)
	_, got := send(t, again, AdminToken, "POST", "/v1/objects/hint/create", modeRule)
	require.Equal(t, want, got, "ids and random values go on where they were")
	require.Equal(t, s.SeedAttacks(Attack{}), again.SeedAttacks(Attack{}))
}

// TestWalkGoesOnAfterLoad takes a cursor, saves, loads and goes on.
func TestWalkGoesOnAfterLoad(t *testing.T) {
	s := NewServer(t, fixedClock())
	attacks := make([]Attack, 250)
	for i := range attacks {
		attacks[i].Time = noon.Add(-time.Duration(i) * time.Minute)
	}
	ids := s.SeedAttacks(attacks...)
	again := NewServer(t, fixedClock())
	seen := map[string]int{}
	cursor := ""
	for page, from := range []*Server{s, s, again} {
		if page == 2 {
			_, err := s.AddHit(ids[249], Hit{Time: noon.Add(time.Minute)})
			require.NoError(t, err)
			require.NoError(t, again.Load(strings.NewReader(saved(t, s.Cloud))))
		}
		answer := call200(t, from, "POST", "/v2/objects/attack",
			fmt.Sprintf(`{"paging":true,"filter":{"clientid":[4711]},"cursor":%q}`, cursor))
		for _, a := range bodyList(t, answer) {
			seen[a.str("attackid")]++
		}
		cursor = answer.str("cursor")
	}
	require.Empty(t, cursor)
	require.Len(t, seen, 250)
}

func TestDamagedState(t *testing.T) {
	s := lived(t)
	before := saved(t, s.Cloud)
	lines := strings.SplitAfter(before, "\n")
	header, rest := lines[0], strings.Join(lines[1:], "")
	for name, text := range map[string]string{
		"nothing":        "",
		"something else": "{}\n",
		"no state":       `{"format":"other"}` + "\n",
		"later version":  strings.Replace(header, `"version":1`, `"version":2`, 1) + rest,
		"random":         strings.Replace(header, `"random":"`, `"random":"!`, 1) + rest,
		"cut off":        strings.Join(lines[:len(lines)/2], ""),
		"cut in a line":  before[:len(before)-9],
		"a line less":    header + strings.Join(lines[2:], ""),
		"more":           before + "{}\n",
		"unknown kind":   strings.Replace(before, `{"table":"rules"`, `{"table":"wishes"`, 1),
		"unknown line":   strings.Replace(before, `{"shape":`, `{"shadow":`, 1),
		"numbers":        strings.Replace(before, `{"hits":[`, `{"hits":[x`, 1),
		"places":         strings.Replace(before, `{"attacks":[0,`, `{"attacks":[99999,`, 1),
		"row":            strings.Replace(before, `{"attacks":[0,`, `{"attacks":[0,0,`, 1),
		"attack":         strings.Replace(before, `{"attack":`, `{"attack":9`, 1),
		"hit":            strings.Replace(before, `{"hit":`, `{"hit":-`, 1),
	} {
		require.NotEqual(t, before, text, name)
		assert.Error(t, s.Load(strings.NewReader(text)), name)
	}
	require.Equal(t, before, saved(t, s.Cloud), "the cloud stays as it was")
}

// TestEveryFieldIsSaved fails when state is added that Save does not know.
// What lies in a table needs nothing; other state of a Cloud is named in a
// call of keep or derive and here, fields of events in saveevents.go and here.
func TestEveryFieldIsSaved(t *testing.T) {
	for _, test := range []struct {
		of    reflect.Type
		names string
	}{
		{reflect.TypeFor[shape](), `clientID kind domain path method parameter point poolID target threat protocol authProtocol`},
		{reflect.TypeFor[origin](), `ip country datacenter tor proxyType`},
		{reflect.TypeFor[payload](), `value stamps stampsHash regex known`},
		{reflect.TypeFor[attack](), `shape first last vulnID bumped id born extra lastHit hits blocked state gone`},
		{reflect.TypeFor[hit](), `attack previous time request origin payload more size response status port block state flags gone`},
		{reflect.TypeFor[hitMore](), `id requestID issueID extra`},
		{reflect.TypeFor[move](), `revision attack last bumped`},
		{reflect.TypeFor[credential](), `token uuid secret userID clientID permissions disabled expires`},
	} {
		var got []string
		for i := range test.of.NumField() {
			got = append(got, test.of.Field(i).Name)
		}
		require.ElementsMatch(t, strings.Fields(test.names), got, test.of)
	}
	var admin []string
	for i := range reflect.TypeFor[adminState]().NumField() {
		if f := reflect.TypeFor[adminState]().Field(i); f.Type != reflect.TypeFor[*table]() {
			admin = append(admin, f.Name)
		}
	}
	require.ElementsMatch(t, []string{"held", "members", "passwords"}, admin)
	kept := map[string]string{
		"admin": "held_tokens", "denyEvents": "deny_events", "defaultTriggers": "default_triggers",
		"credentials": "credentials", "parents": "parents", "ruleLocks": "rule_locks", "actionHash": "derived",
		"source": "random", "events": "events", "clock": "clock_offset",
	}
	// What a cloud is made of or what belongs to a run of it, not to its state.
	run := strings.Fields(`faults log done stop routes tree observers unknown mu rng tables keepers derived`)
	c := NewCloud()
	cloud := reflect.TypeFor[Cloud]()
	for i := range cloud.NumField() {
		f := cloud.Field(i)
		if f.Type == reflect.TypeFor[*table]() || slices.Contains(run, f.Name) {
			continue
		}
		name, known := kept[f.Name]
		require.True(t, known, "Cloud.%s is neither a table nor kept", f.Name)
		if !slices.ContainsFunc(c.keepers, func(k keeper) bool { return k.name == name }) {
			require.Contains(t, []string{"derived", "random", "events", "clock_offset"}, name)
		}
	}
}

func TestTablesHoldCanonicalValues(t *testing.T) {
	c := NewCloud()
	things := c.newTable("things", "", 1)
	stored := things.insert(obj("n", 7, "f", 1.5, "s", []string{"a"}, "o", []*object{obj("i", int32(1))}, "none", (*object)(nil),
		"deep", []any{obj("m", map[string]any{"k": 2})}, "ints", []int64{1}))
	text := `{"id":1,"n":7,"f":1.5,"s":["a"],"o":[{"i":1}],"none":null,"deep":[{"m":{"k":2}}],"ints":[1]}`
	require.JSONEq(t, text, string(appendJSON(nil, stored)))
	parsed, err := parseObject([]byte(text))
	require.NoError(t, err)
	require.Equal(t, parsed, stored)
	require.Same(t, stored, canonicalObject(stored))
	changed := things.update(stored, obj("n", 8))
	require.Equal(t, int64(8), changed.get("n"))
}

// FuzzLoad puts the fuzzer's lines in the place of one line of a saved state, and wants no panic, no endless list, and a state that is written back
// as it was read. A whole state as the input would be tens of kilobytes, and the fuzzer spends up to a minute on making each input smaller that
// it finds interesting; whole files that are no state at all are the inputs with at < 0.
func FuzzLoad(f *testing.F) {
	c := NewCloud(fixedClock())
	c.SeedAttacks(Attack{Hits: []Hit{{}, {RequestID: "a"}}}, Attack{ID: EventID{"a", "b"}, Extra: `{"x":1}`})
	if _, err := c.AddRule(modeRule); err != nil {
		f.Fatal(err)
	}
	var text bytes.Buffer
	if err := c.Save(&text); err != nil {
		f.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(text.Bytes(), []byte("\n")), []byte("\n"))
	lines = lines[:len(lines)-1] // the number of lines is added to each state
	for at, line := range lines {
		f.Add(at, line)
	}
	f.Add(-1, []byte(`{"format":"wallarmtest","version":1,"kept":{}}`+"\n"+`{"lines":1}`))
	f.Add(-1, text.Bytes()[:200])
	f.Add(3, append(bytes.Clone(lines[2]), lines[3]...))
	f.Fuzz(func(t *testing.T, at int, line []byte) {
		data := line
		if at >= 0 {
			changed := slices.Clone(lines)
			changed[at%len(lines)] = append(bytes.TrimRight(bytes.Clone(line), "\n"), '\n')
			data = bytes.Join(changed, nil)
			count := 0
			for l := range bytes.Lines(data) {
				if len(bytes.TrimSpace(l)) > 0 {
					count++
				}
			}
			data = fmt.Appendf(data, `{"lines":%d}`, count)
		}
		c := NewCloud(fixedClock())
		if c.Load(bytes.NewReader(data)) != nil {
			return
		}
		c.Objects("attacks")
		c.Objects("hits")
		var first, second bytes.Buffer
		if err := c.Save(&first); err != nil {
			t.Fatal(err)
		}
		again := NewCloud(fixedClock())
		if err := again.Load(bytes.NewReader(first.Bytes())); err != nil {
			t.Fatalf("what was saved cannot be loaded: %v", err)
		}
		if err := again.Save(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("what was loaded is saved as something else")
		}
	})
}
