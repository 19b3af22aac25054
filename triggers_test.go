package wallarm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var manySQLi = TriggerSpec{
	Template: TriggerAttacks, Name: "Many SQLi", Comment: "page the on-call",
	Filters: []TriggerFilter{
		TriggerAttackTypes{Values: []AttackType{AttackSQLi}},
		TriggerApplications{Values: []int64{42}},
		TriggerResponses{Values: []ResponseStatus{StatusClass(5)}},
	},
	Threshold: &TriggerThreshold{Count: 500, Period: 3600},
	Actions:   []TriggerAction{TriggerNotify{IntegrationIDs: []int64{3301}}},
}

var (
	_ = fixture(triggersList, func(ctx context.Context, c *Client) (any, error) { return c.Triggers.List(ctx) })
	_ = fixture(triggersCreate, func(ctx context.Context, c *Client) (any, error) { return c.Triggers.Create(ctx, manySQLi) })
	_ = fixture(triggersReplace, func(ctx context.Context, c *Client) (any, error) {
		return c.Triggers.Replace(ctx, 90213, TriggerSpec{
			Template: TriggerUserCreated, Name: "New users", Enabled: Set(false),
			Actions: []TriggerAction{TriggerNotify{IntegrationIDs: []int64{3301, 3302}}},
		})
	})
	_ = fixture(triggersDelete, func(ctx context.Context, c *Client) (any, error) { return nil, c.Triggers.Delete(ctx, 90210) })
)

// listedTriggers are the triggers of the list's fixture.
func listedTriggers(t *testing.T) ([]Trigger, []RawJSON) {
	t.Helper()
	var list struct {
		Triggers []Trigger `json:"triggers"`
	}
	var raw struct {
		Triggers []RawJSON `json:"triggers"`
	}
	body := readFixture(t, "triggers.list").Responses["ok"].Body
	require.NoError(t, wire.Unmarshal(body, &list))
	require.NoError(t, wire.Unmarshal(body, &raw))
	return list.Triggers, raw.Triggers
}

func TestTriggersReadAsTheirTypes(t *testing.T) {
	triggers, _ := listedTriggers(t)
	require.Equal(t, TriggerFilters{
		TriggerAttackTypes{Operator: TriggerEqual, Values: []AttackType{AttackSQLi}, Type: "string"},
		TriggerThresholdEcho{Operator: TriggerGreater, Values: []TriggerThreshold{{Count: 500, Period: 3600}}},
	}, triggers[0].Filters)
	require.Equal(t, TriggerFilters{
		TriggerIPs{Operator: TriggerNotEqual, Values: []string{"192.0.2.7"}},
		TriggerApplications{Operator: TriggerEqual, Values: []int64{-1, 42}},
		TriggerDomains{Operator: TriggerEqual, Values: []string{"shop.example.com"}},
		TriggerURLs{Operator: TriggerEqual, Values: []string{"shop.example.com/login"}},
		TriggerTargets{Operator: TriggerEqual, Values: []string{"server", "database"}},
		TriggerResponses{Operator: TriggerEqual, Values: []ResponseStatus{StatusCode(503), StatusClass(4)}},
		TriggerCounters{Operator: TriggerEqual, Values: []string{"b:login"}},
		TriggerPII{Operator: TriggerEqual, Values: []string{"email"}},
		TriggerAPIChanges{Operator: TriggerEqual, Values: []string{"added", "excluded"}},
		TriggerDeviations{Operator: TriggerEqual, Values: []string{"zombie"}},
		TriggerAPISpecs{Operator: TriggerEqual, Values: []int64{6601}},
	}, triggers[1].Filters)
	require.Equal(t, TriggerActions{
		TriggerMarkAsBrute{}, TriggerDenylist{LockTime: 3600}, TriggerGraylist{LockTime: LockForever}, TriggerGroupByIP{},
	}, triggers[1].Actions)
	next := triggers[2]
	require.Nil(t, next.Threshold)
	require.IsType(t, UnknownTriggerFilter{}, next.Filters[0])
	require.IsType(t, UnknownTriggerFilter{}, next.Filters[1])
	require.Equal(t, "pool", next.Filters[1].FilterID())
	require.Equal(t, RawJSON("2"), next.Filters[2].(TriggerPII).Extra["depth"])
	require.IsType(t, UnknownTriggerAction{}, next.Actions[0])
	require.IsType(t, UnknownTriggerAction{}, next.Actions[1])
	require.Equal(t, RawJSON("true"), next.Actions[2].(TriggerNotify).Extra["digest"])
}

// What a list returns goes back as it came, but for what only answers have.
func TestListedTriggersCanBeWrittenBack(t *testing.T) {
	triggers, raw := listedTriggers(t)
	for i := range triggers {
		client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"trigger":{"id":1}}`)
		})
		_, err := client.Triggers.Replace(t.Context(), triggers[i].ID, triggers[i].Spec())
		require.NoError(t, err)
		var want map[string]any
		require.NoError(t, json.Unmarshal(raw[i], &want))
		for _, answered := range []string{"id", "client_id", "template", "thresholds", "created_at", "updated_at"} {
			delete(want, answered)
		}
		var kept []any
		for _, filter := range want["filters"].([]any) {
			if filter.(map[string]any)["id"] != "threshold" {
				kept = append(kept, filter)
			}
		}
		want["filters"] = kept
		if want["comment"] == nil {
			want["comment"] = ""
		}
		threshold := want["threshold"].(map[string]any)
		threshold["allowed_operators"] = []any{"gt"}
		if len(threshold) == 1 {
			want["threshold"] = nil
		}
		expected, err := json.Marshal(map[string]any{"trigger": want})
		require.NoError(t, err)
		require.JSONEq(t, string(expected), string(server.requests()[0].Body))
	}
}

// disabled switches a trigger off that is made of these members, and returns what was written back, nil if nothing was.
func disabled(t *testing.T, members string) (jsonObject, error) {
	t.Helper()
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			_, _ = io.WriteString(w, `{"trigger":{"id":7}}`)
			return
		}
		_, _ = io.WriteString(w, `{"triggers":[{"id":6},{"id":7,"name":"n",`+members+`}]}`)
	})
	_, err := client.Triggers.Disable(t.Context(), 7)
	sent := server.requests()
	if len(sent) < 2 {
		return nil, err
	}
	outer, readErr := readObject(sent[1].Body)
	require.NoError(t, readErr)
	written, readErr := readObject(outer["trigger"])
	require.NoError(t, readErr)
	require.Equal(t, "false", string(written["enabled"]))
	return written, err
}

// TestHalfATriggerIsNotWrittenBack: what its answer lacks would be gone, and without its filters it would act on everything.
func TestHalfATriggerIsNotWrittenBack(t *testing.T) {
	for members, whole := range map[string]bool{
		`"template_id":"x","comment":null,"filters":[],"threshold":null,"actions":[]`:                                       true,
		`"template_id":"x","comment":"","filters":[],"threshold":{},"actions":[]`:                                           true,
		`"template_id":"user_created","comment":"","filters":[],"actions":[]`:                                               true,
		`"template_id":"x","comment":"","filters":[{"id":"threshold","operator":"gt"}],"threshold":null,"actions":[]`:       true,
		`"template_id":"x","comment":"","filters":[],"actions":[]`:                                                          false,
		`"template_id":"x","filters":[],"threshold":null,"actions":[]`:                                                      false,
		`"template_id":"x","comment":"","threshold":null,"filters":[]`:                                                      false,
		`"template_id":"x","comment":"","threshold":null,"actions":[]`:                                                      false,
		`"template_id":"x","comment":"","threshold":null,"filters":null,"actions":[]`:                                       false,
		`"template_id":"x","comment":"","threshold":null,"filters":[],"actions":null`:                                       false,
		`"template_id":"x","comment":"","threshold":null,"filters":[null],"actions":[]`:                                     false,
		`"template_id":"x","comment":"","threshold":null,"filters":[],"actions":[null]`:                                     false,
		`"comment":"","filters":[],"threshold":null,"actions":[]`:                                                           false,
		`"template_id":"x","comment":{},"filters":[],"threshold":null,"actions":[]`:                                         false,
		`"template_id":"x","comment":"","filters":[{"id":"threshold","operator":"gt"}],"actions":[]`:                        false,
		`"template_id":"x","comment":"","filters":[{"id":"threshold","operator":"gt","values":[{"count":5}]}],"actions":[]`: false,
	} {
		written, err := disabled(t, members)
		if whole {
			require.NoError(t, err, members)
			require.NotNil(t, written, members)
			continue
		}
		require.ErrorIs(t, err, ErrResponse, members)
		require.Nil(t, written, members)
	}
}

// TestTriggerIsWrittenBackAsItCame has thresholds, filters and actions in forms that are not the usual ones: what is written says the same, or nothing is.
func TestTriggerIsWrittenBackAsItCame(t *testing.T) {
	const whole, refused = "whole", ""
	const plain = `{"allowed_operators":["gt"],"count":500,"operator":"gt","period":3600}`
	for _, test := range []struct{ member, members, want string }{
		{"threshold", `"filters":[],"threshold":{"operator":"gt","period":3600,"count":500}`, plain},
		{"threshold", `"filters":[],"threshold":{"operator":"gt","period":"3600","count":5e2}`, plain},
		{"threshold", `"filters":[],"threshold":{},"thresholds":[{"operator":"gt","period":3600,"count":500}]`, plain},
		{"threshold", `"filters":[],"thresholds":[{"operator":"gt","period":3600,"count":500}]`, plain},
		{"threshold", `"filters":[{"id":"threshold","operator":"gt","values":[{"count":500,"period":3600}]}]`, plain},
		{"threshold", `"filters":[],"threshold":{"operator":"gt","period":3600,"count":0}`, `{"allowed_operators":["gt"],"count":0,"operator":"gt","period":3600}`},
		{"threshold", `"filters":[],"threshold":{"operator":"gt","period":3600}`, refused},
		{"threshold", `"filters":[],"threshold":{"operator":"gt","period":3600,"count":null}`, refused},
		{"threshold", `"filters":[],"threshold":{"operator":"gt","period":3600,"count":""}`, refused},
		{"threshold", `"filters":[],"threshold":{"period":3600,"count":500}`, refused},
		{"threshold", `"filters":[],"thresholds":[{"operator":"gt","period":3600,"count":500},{"operator":"gt","period":60,"count":5}]`, refused},
		{"threshold", `"filters":[],"threshold":{"operator":"gt","period":3600,"count":500},"thresholds":[{"operator":"gt","period":3600,"count":500}]`, plain},
		{"threshold", `"filters":[],"threshold":{"operator":"gt","period":3600,"count":500},"thresholds":[{"operator":"gt","period":3600,"count":500},{"operator":"gt","period":60,"count":5}]`, refused},
		{"threshold", `"filters":[{"id":"threshold","operator":"gt","values":[{"count":500,"period":3600},{"count":5,"period":60}]}],"threshold":{"operator":"gt","period":3600,"count":500}`, refused},
		{"filters", `"threshold":null,"filters":[{"id":"pool","operator":"ne","values":[42,-1],"type":"integer"}]`, whole},
		{"filters", `"threshold":null,"filters":[{"id":"pool","operator":"ne","values":[42,"43",-1,null]}]`, whole},
		{"filters", `"threshold":null,"filters":[{"id":"ip_address","operator":"ne","values":[null]}]`, whole},
		{"filters", `"threshold":null,"filters":[{"id":"pool","operator":"eq"}]`, refused},
		{"filters", `"threshold":null,"filters":[{"id":"pool","operator":"eq","values":null}]`, refused},
		{"filters", `"threshold":null,"filters":[{"id":"pool","operator":"","values":[42]}]`, refused},
		{"filters", `"threshold":null,"filters":[{"id":"pool","values":[42]}]`, refused},
		{"filters", `"threshold":null,"filters":[{"id":"new_one","values":[42]}]`, refused},
		{"actions", `"threshold":null,"filters":[],"actions":[{"id":"block_ips","params":{"lock_time":0}}]`, whole},
		{"actions", `"threshold":null,"filters":[],"actions":[{"id":"block_ips","params":{"lock_time":""}}]`, whole},
		{"actions", `"threshold":null,"filters":[],"actions":[{"id":"send_notification","params":{"integration_ids":[3301,null]}}]`, whole},
		{"actions", `"threshold":null,"filters":[],"actions":[{"id":"mark_as_brute","params":null}]`, whole},
		{"actions", `"threshold":null,"filters":[],"actions":[{"params":{}}]`, refused},
	} {
		members := `"template_id":"attacks_exceeded","comment":"c",` + test.members
		if test.member != "actions" {
			members += `,"actions":[]`
		}
		written, err := disabled(t, members)
		want := test.want
		switch want {
		case refused:
			require.ErrorIs(t, err, ErrResponse, test.members)
			require.Nil(t, written, test.members)
			continue
		case whole:
			read, readErr := readObject(RawJSON("{" + members + "}"))
			require.NoError(t, readErr)
			want = string(read[test.member])
		}
		require.NoError(t, err, test.members)
		require.Equal(t, "", readBack{}.value("", written[test.member], RawJSON(want)), "%s became %s", test.members, written[test.member])
	}
}

// The threshold is in up to three places of an answer.
func TestTriggerThresholdIsFound(t *testing.T) {
	for _, answer := range []string{
		`{"threshold":{"operator":"gt","count":5,"period":60}}`,
		`{"threshold":{},"thresholds":[{"operator":"gt","count":5,"period":60}]}`,
		`{"filters":[{"id":"threshold","operator":"gt","values":[{"count":5,"period":60}]}]}`,
	} {
		var trigger Trigger
		require.NoError(t, json.Unmarshal([]byte(answer), &trigger))
		spec := trigger.Spec()
		require.Equal(t, &TriggerThreshold{Count: 5, Period: 60, Operator: TriggerGreater}, spec.Threshold)
		require.Empty(t, spec.Filters)
		spec.Threshold.Count = 6
		if trigger.Threshold != nil {
			require.EqualValues(t, 5, trigger.Threshold.Count, "the trigger must not change with the spec")
		}
	}
}

func TestTriggerArguments(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {})
	for name, change := range map[string]func(*TriggerSpec){
		"no template":  func(s *TriggerSpec) { s.Template = "" },
		"no name":      func(s *TriggerSpec) { s.Name = "" },
		"null enabled": func(s *TriggerSpec) { s.Enabled = Null[bool]() },
		"no threshold": func(s *TriggerSpec) { s.Threshold = nil },
		"no period":    func(s *TriggerSpec) { s.Threshold = &TriggerThreshold{Count: 1} },
		"unwanted":     func(s *TriggerSpec) { s.Template = TriggerUserCreated },
		"nil filter":   func(s *TriggerSpec) { s.Filters = []TriggerFilter{nil} },
		"nil pointer":  func(s *TriggerSpec) { s.Filters = []TriggerFilter{(*TriggerIPs)(nil)} },
		"no values":    func(s *TriggerSpec) { s.Filters = []TriggerFilter{TriggerPII{}} },
		"subnet":       func(s *TriggerSpec) { s.Filters = []TriggerFilter{TriggerIPs{Values: []string{"192.0.2.0/24"}}} },
		"unnamed filter": func(s *TriggerSpec) {
			s.Filters = []TriggerFilter{UnknownTriggerFilter{Values: []RawJSON{RawJSON("1")}}}
		},
		"no actions":      func(s *TriggerSpec) { s.Actions = nil },
		"nil action":      func(s *TriggerSpec) { s.Actions = []TriggerAction{nil} },
		"nobody notified": func(s *TriggerSpec) { s.Actions = []TriggerAction{TriggerNotify{}} },
		"integration 0":   func(s *TriggerSpec) { s.Actions = []TriggerAction{TriggerNotify{IntegrationIDs: []int64{0}}} },
		"no lock time":    func(s *TriggerSpec) { s.Actions = []TriggerAction{TriggerDenylist{}} },
		"negative lock":   func(s *TriggerSpec) { s.Actions = []TriggerAction{TriggerGraylist{LockTime: -1}} },
		"unnamed action":  func(s *TriggerSpec) { s.Actions = []TriggerAction{UnknownTriggerAction{}} },
		"bad parameters":  func(s *TriggerSpec) { s.Actions = []TriggerAction{UnknownTriggerAction{ID: "x", Params: RawJSON("{")}} },
		"own member":      func(s *TriggerSpec) { s.Extra = Extra{"filters": RawJSON("[]")} },
	} {
		spec := manySQLi
		change(&spec)
		_, err := client.Triggers.Create(t.Context(), spec)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	_, err := client.Triggers.Replace(t.Context(), 0, manySQLi)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Triggers.Replace(t.Context(), 1, TriggerSpec{})
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Triggers.Enable(t.Context(), 0)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.ErrorIs(t, client.Triggers.Delete(t.Context(), 0), ErrInvalidArgument)
	require.Empty(t, server.requests())
}

func TestTriggerPartsInEncodingJSON(t *testing.T) {
	const text = `[{"id":"response_status","operator":"ne","values":[503,"4xx"]},{"id":"new","operator":"eq","values":[null]}]`
	var filters TriggerFilters
	require.NoError(t, json.Unmarshal([]byte(text), &filters))
	written, err := json.Marshal(filters)
	require.NoError(t, err)
	require.JSONEq(t, text, string(written))
	var actions TriggerActions
	require.NoError(t, json.Unmarshal([]byte(`[{"id":"block_ips","params":{"lock_time":60}},{"id":"mark_as_brute"}]`), &actions))
	again, err := json.Marshal(actions)
	require.NoError(t, err)
	require.JSONEq(t, `[{"id":"block_ips","params":{"lock_time":60}},{"id":"mark_as_brute","params":{}}]`, string(again))
	var status ResponseStatus
	require.NoError(t, json.Unmarshal([]byte(`"503"`), &status))
	require.Equal(t, StatusCode(503), status)
	require.Error(t, json.Unmarshal([]byte(`{}`), &status))
	require.Error(t, json.Unmarshal([]byte(`[5]`), &filters))
	require.Error(t, json.Unmarshal([]byte(`[5]`), &actions))
}

// TestDeepValuesAreNotCompared: those inside are read as often as there are others around them.
func TestDeepValuesAreNotCompared(t *testing.T) {
	nested := func(depth int, value string) RawJSON {
		return RawJSON(strings.Repeat(`[{"a":`, depth/2) + value + strings.Repeat(`}]`, depth/2))
	}
	require.Empty(t, readBack{}.value("x", nested(maxDepth-2, "1"), nested(maxDepth-2, "1.0")))
	require.Contains(t, readBack{}.value("x", nested(maxDepth+2, "1"), nested(maxDepth+2, "1.0")), "is too deep")
	require.Empty(t, readBack{}.value("x", nested(100*maxDepth, "1"), nested(100*maxDepth, "1")), "what is the same is not looked into")
}

// TestComparingDeepValuesIsBounded: what is nested is read again on each level.
func TestComparingDeepValuesIsBounded(t *testing.T) {
	nested := func(list string) RawJSON {
		return RawJSON(strings.Repeat(`{"a":`, 100) + list + strings.Repeat(`}`, 100))
	}
	list := strings.Repeat("1,", 50_000) + "1"
	written, read := nested("["+list+"]"), nested("[ "+list+"]")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.Contains(t, readBack{}.value("x", written, read), "is too deep")
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(250*len(read)))
}
