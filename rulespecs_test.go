package wallarm

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// documentedBodies returns the create bodies of docs/wire/rules.md, section 5.4, by rule type.
func documentedBodies(t *testing.T) map[RuleType]string {
	t.Helper()
	page, err := os.ReadFile("docs/wire/rules.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "### 5.4 ")
	require.True(t, found)
	section, _, found = strings.Cut(section, "### 5.5 ")
	require.True(t, found)
	bodies := map[RuleType]string{}
	for i, block := range strings.Split(section, "```json\n") {
		if i == 0 {
			continue
		}
		body, _, _ := strings.Cut(block, "```")
		var head struct {
			Type RuleType `json:"type"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &head))
		bodies[head.Type] = body
	}
	require.Len(t, bodies, 27)
	return bodies
}

// documentedRules are the rules of these bodies in Go.
var documentedRules = []NewRule{
	{
		Scope: Scope().Host("shop.example.com"), Spec: VirtualPatch{AttackType: AttackSQLi, Point: Point{QueryParam("q")}},
		Comment: "Close the search hole", Active: Set(true),
	},
	{Scope: Scope().Application(12), Spec: SetFiltrationMode{ModeMonitoring}},
	{Scope: Scope().Path("/**/feed.xml"), Spec: SetAPIAbuseMode{StateDisabled}, Title: "Let the feed reader in"},
	{
		Scope: Scope().Host("cms.example.com"),
		Spec: IgnoreAttackType{
			AttackType: AttackXSS, Point: Point{RequestBody(), JSONDoc(), ObjectMember("article"), ObjectMember("body")},
		},
	},
	{
		Scope: Scope().Host("cms.example.com"),
		Spec:  IgnoreSignature{Signature: 1234, Point: Point{RequestBody(), FormField("markdown")}},
	},
	{
		Scope: Scope(),
		Spec:  AttackDetector{AttackType: AttackScanner, Regex: "^(zgrab|masscan)/[0-9.]+", Point: Point{Header("User-Agent")}, RegexID: 5},
	},
	{
		Scope: Scope().Host("shop.example.com"),
		Spec:  ExperimentalDetector{AttackType: AttackVirtualPatch, Regex: ".*coupon=FREE[0-9]+.*", Point: Point{WholeURI()}},
	},
	{Scope: Scope().Host("qa.example.com"), Spec: IgnoreDetector{RegexID: 5512, Point: Point{Header("User-Agent")}}},
	{Scope: Scope().Method("PUT"), Spec: AllowBinaryData{Point: Point{RequestBody(), AllOf("multipart")}}},
	{Scope: Scope(), Spec: MaskSensitiveData{Point: Point{Header("Authorization")}}},
	{
		Scope: Scope().Raw(Condition{Point: Point{ActionName()}, Value: "avatar"}),
		Spec:  AllowFileType{FileType: FileTypeImages, Point: Point{RequestBody(), MultipartField("picture"), UploadedFile()}},
	},
	{Scope: Scope().Application(12), Spec: SetResponseHeader{HeaderReplace, "X-Powered-By", []string{""}}},
	{
		Scope: Scope().Host("shop.example.com"),
		Spec:  ConfigureParser{Parser: ParserBase64, State: StateDisabled, Point: Point{QueryParam("token")}},
	},
	{
		Scope: Scope().Raw(Condition{Point: Point{ActionName()}, Value: "import"}),
		Spec:  LimitProcessingTime{Milliseconds: 1500, Mode: OverlimitBlocking},
	},
	{
		Scope: Scope().Host("shop.example.com").Raw(Condition{Point: Point{ActionName()}, Value: "login"}),
		Spec:  RateLimit{Point: Point{RemoteAddr()}, Rate: 20, Status: 429, Unit: PerMinute, Suffix: "left out"},
	},
	{
		Scope: Scope().Raw(Condition{Point: Point{ActionName()}, Value: "login"}),
		Spec: BruteForceProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 15, Period: 60}, Reaction: Reaction{BlockByIP: 3600},
			Parameters:         EnumeratedParameters{NameRegexps: []string{"^pass(wd|word)?$"}, AdditionalParameters: Set(false)},
			AdvancedConditions: []AdvancedCondition{{Field: FieldStatusCode, Operator: ControlEqual, Values: []string{"401", "403"}}},
		},
	},
	{
		Scope: Scope().Raw(Condition{Point: Point{PathSegment(0)}, Value: "accounts"}),
		Spec: BOLAProtection{
			Mode: ModeMonitoring, Threshold: Threshold{Count: 40, Period: 300}, Reaction: Reaction{GraylistByIP: 7200},
			Parameters: EnumeratedParameters{Points: []ParameterPoint{
				{Point: Point{QueryParam("account_id")}},
				{Point: Point{RequestBody(), JSONDoc(), ObjectMember("owner")}, Sensitive: true},
			}},
		},
	},
	{
		Scope: Scope(),
		Spec: EnumerationProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 30, Period: 120}, Reaction: Reaction{BlockBySession: 1800, BlockByIP: 900},
			Parameters: EnumeratedParameters{Points: []ParameterPoint{{Point: Point{Header("Referer")}}}},
			ArbitraryConditions: []ArbitraryCondition{
				{Point: Point{Header("X-Client")}, Operator: ControlNotEqual, Values: []string{"mobile"}},
			},
		},
	},
	{
		Scope: Scope().Host("shop.example.com"),
		Spec: ForcedBrowsingProtection{
			Mode: ModeBlock, Threshold: Threshold{Count: 30, Period: 30}, Reaction: Reaction{BlockByIP: 3600},
			AdvancedConditions: []AdvancedCondition{{Field: FieldStatusCode, Operator: ControlEqual, Values: []string{"404"}}},
		},
	},
	{
		Scope: Scope().Raw(Condition{Point: Point{ActionName()}, Value: "login"}),
		Spec:  DoSProtection{Mode: ModeBlock, Threshold: Threshold{Count: 10, Period: 60}, Reaction: Reaction{BlockBySession: 3600}},
	},
	{
		Scope: Scope().Raw(Condition{Point: Point{ActionName()}, Value: "graphql"}),
		Spec: GraphQLProtection{
			Mode: ModeBlock, MaxDepth: 12, MaxValueSizeKB: 16, MaxDocSizeKB: 128, MaxAliases: 5, MaxDocsPerBatch: 4,
			BanIntrospection: Set(true), BanDebug: Set(true),
		},
	},
	{
		Scope: Scope().Raw(Condition{Point: Point{ActionName()}, Value: "avatar"}),
		Spec: FileUploadRestriction{
			Mode: ModeBlock, Size: 5, Unit: Megabytes, Point: Point{RequestBody(), MultipartField("picture")},
		},
	},
	{Scope: Scope().Raw(Condition{Point: Point{ActionName()}, Value: "login"}), Spec: BruteForceCounter{}},
	{Scope: Scope().Host("shop.example.com"), Spec: ForcedBrowsingCounter{}},
	{Scope: Scope().Raw(Condition{Point: Point{PathSegment(0)}, Value: "accounts"}), Spec: BOLACounter{Counter: "left out"}},
	{
		Scope: Scope().Raw(Condition{Point: Point{ActionName()}, Value: "signin"}),
		Spec: CredentialStuffingByPoint{
			Point: Point{RequestBody(), JSONDoc(), AllOf("hash")}, LoginPoint: Point{RequestBody(), JSONDoc(), ObjectMember("email")},
			Database: CredentialsDefault,
		},
	},
	{Scope: Scope(), Spec: CredentialStuffingByRegex{Regex: "^(pwd|secret)$", LoginRegex: "^(user|mail)$", Database: CredentialsCustom}},
}

func TestDocumentedRules(t *testing.T) {
	t.Parallel()
	bodies := documentedBodies(t)
	for _, rule := range documentedRules {
		kind := rule.Spec.RuleType()
		t.Run(string(kind), func(t *testing.T) {
			body, err := rule.body(4521)
			require.NoError(t, err)
			require.JSONEq(t, bodies[kind], string(body))

			// The API answers with what was sent, and it can be sent again.
			var answered Rule
			require.NoError(t, wire.Unmarshal(body, &answered))
			require.IsType(t, rule.Spec, answered.Spec)
			encoded, err := json.Marshal(answered)
			require.NoError(t, err)
			var read Rule
			require.NoError(t, json.Unmarshal(encoded, &read))
			require.Equal(t, answered.Spec, read.Spec)
			again := read.AsNew()
			body, err = again.body(4521)
			require.NoError(t, err)
			require.JSONEq(t, bodies[kind], string(body))

			// A pointer to a spec does the same.
			again.Spec = pointerTo(t, read.Spec)
			body, err = again.body(4521)
			require.NoError(t, err)
			require.JSONEq(t, bodies[kind], string(body))
			delete(bodies, kind)
		})
	}
	require.Empty(t, bodies, "documented bodies without a rule in this test")
}

// pointerTo returns spec by pointer, for a few types.
func pointerTo(t *testing.T, spec RuleSpec) RuleSpec {
	t.Helper()
	switch spec := spec.(type) {
	case VirtualPatch:
		return &spec
	case BruteForceProtection:
		return &spec
	case BOLACounter:
		return &spec
	}
	return spec
}

// TestUpdateHasWhatTheAPITakes compares the fields of the update of each type with docs/wire/rules.md, section 5.5.
func TestUpdateHasWhatTheAPITakes(t *testing.T) {
	t.Parallel()
	control, enumeration := "reaction threshold", "enumerated_parameters reaction threshold"
	want := map[RuleType]string{
		RuleVirtualPatch: "attack_type", RuleIgnoreAttackType: "attack_type", RuleSetFiltrationMode: "mode", RuleSetAPIAbuseMode: "mode",
		RuleIgnoreSignature: "stamp", RuleAttackDetector: "regex", RuleExperimentalDetector: "regex", RuleAllowFileType: "file_type",
		RuleSetResponseHeader: "mode name values", RuleConfigureParser: "parser state", RuleLimitProcessingTime: "mode overlimit_time",
		RuleRateLimit: "burst delay rate rsp_status time_unit", RuleBruteForceProtection: enumeration, RuleBOLAProtection: enumeration,
		RuleEnumerationProtection: enumeration, RuleForcedBrowsingProtection: control, RuleDoSProtection: control,
		RuleGraphQLProtection:     "debug_enabled introspection max_aliases max_depth max_doc_per_batch max_doc_size_kb max_value_size_kb mode",
		RuleFileUploadRestriction: "mode size", RuleCredentialStuffingByPoint: "cred_stuff_type",
		RuleCredentialStuffingByRegex: "case_sensitive cred_stuff_type login_regex regex",
	}
	for _, rule := range documentedRules {
		read := Rule{Spec: rule.Spec}
		update := read.Update()
		update.Title, update.Set = Opt[string]{}, Opt[string]{}
		if want[rule.Spec.RuleType()] == "" {
			require.Nil(t, update.Spec, rule.Spec.RuleType())
			continue
		}
		body, err := update.body()
		require.NoError(t, err)
		var members map[string]RawJSON
		require.NoError(t, json.Unmarshal(body, &members))
		require.Equal(t, want[rule.Spec.RuleType()], strings.Join(sortedKeys(members), " "), rule.Spec.RuleType())
	}
}

// TestListedTypes are those that lists hold and nobody creates.
func TestListedTypes(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]RuleSpec{
		`"type":"detailed_export","mode":"keep_headers"`:                                                DetailedExport{Mode: "keep_headers"},
		`"type":"cred_stuff_mode","cred_stuff_mode":"custom"`:                                           CredentialStuffingMode{Mode: "custom"},
		`"type":"attack_rechecker","enabled":false`:                                                     AttackRechecker{},
		`"type":"attack_rechecker_rewrite","rules":["a"]`:                                               AttackRecheckerRewrite{Rules: []string{"a"}},
		`"type":"overlimit_res_extended","overlimit_time":5,"mark_as_attack":true,"reset_request":null`: OverlimitResExtended{Time: 5, MarkAsAttack: true},
		`"type":"tag","name":"n","value":"v"`:                                                           RequestTag{Name: "n", Value: "v"},
		`"type":"response_conds","enable_parsers":true,"limit_parsers":["xml"],"limit_size":9,"limit_deep":3,"limit_chance":0.25`: ResponseConditions{
			EnableParsers: true, LimitParsers: []string{"xml"}, LimitSize: 9, LimitDepth: 3, LimitChance: 0.25,
		},
		`"type":"middleware"`: UnknownSpec{Type: RuleMiddleware},
	} {
		received := `{"id":1,"actionid":2,"clientid":3,"action":[],"validated":false,"system":true,` + members + `}`
		var rule Rule
		require.NoError(t, wire.Unmarshal([]byte(received), &rule), members)
		require.Equal(t, want, rule.Spec)
		encoded, err := json.Marshal(rule)
		require.NoError(t, err)
		var wanted, have any
		require.NoError(t, decodeAny([]byte(received), &wanted))
		require.NoError(t, decodeAny(encoded, &have))
		require.Empty(t, lost("", wanted, have), string(encoded))
	}
}

func TestLargeSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []string{"18446744073709551615", "18446744073709551616"} {
		received := `{"id":9007199254740993,"type":"file_upload_size_limit","size":` + size + `,"size_unit":"b","mode":"monitoring"}`
		var rule Rule
		require.NoError(t, wire.Unmarshal([]byte(received), &rule))
		require.Equal(t, int64(9007199254740993), rule.ID)
		encoded, err := json.Marshal(rule)
		require.NoError(t, err)
		require.Contains(t, string(encoded), `"size":`+size)
	}
}

// FuzzRule: whatever a rule holds, reading and writing it loses nothing and ends.
func FuzzRule(f *testing.F) {
	for _, rule := range documentedRules {
		body, err := rule.body(4521)
		require.NoError(f, err)
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var rule Rule
		if wire.Unmarshal(data, &rule) != nil {
			return
		}
		encoded, err := wire.MarshalEcho(rule)
		require.NoError(t, err)
		var again Rule
		require.NoError(t, wire.Unmarshal(encoded, &again))
		twice, err := wire.MarshalEcho(again)
		require.NoError(t, err)
		var first, second any
		require.NoError(t, decodeAny(encoded, &first))
		require.NoError(t, decodeAny(twice, &second))
		require.Equal(t, first, second)
		_ = rule.Conditions.String()
		_ = rule.Conditions.Hash()
		update, renewed := rule.Update(), rule.AsNew()
		_, _ = update.body()
		_, _ = renewed.body(1)
	})
}

// TestExactParametersWithNulls: answers may carry null or false for what mode exact does not have; the rule can be sent again all the same.
func TestExactParametersWithNulls(t *testing.T) {
	t.Parallel()
	var rule Rule
	require.NoError(t, wire.Unmarshal([]byte(`{"id":1,"actionid":2,"clientid":3,"action":[],"type":"bola","mode":"block","title":"x",
		"threshold":{"count":5,"period":60},"reaction":{"block_by_ip":600,"block_by_session":null,"graylist_by_ip":null},
		"enumerated_parameters":{"mode":"exact","name_regexps":null,"value_regexps":[],"additional_parameters":null,"plain_parameters":false,
		"points":[{"point":["get","id"],"sensitive":false}]}}`), &rule))
	const parameters = `{"mode":"exact","points":[{"point":["get","id"],"sensitive":false}]}`
	renewed := rule.AsNew()
	body, err := renewed.body(4521)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"bola","clientid":4521,"validated":false,"action":[],"title":"x","attack_type":"bola","mode":"block",
		"threshold":{"count":5,"period":60},"reaction":{"block_by_ip":600},"enumerated_parameters":`+parameters+`}`, string(body))
	update := rule.Update()
	body, err = update.body()
	require.NoError(t, err)
	require.JSONEq(t, `{"title":"x","set":"","threshold":{"count":5,"period":60},"reaction":{"block_by_ip":600},
		"enumerated_parameters":`+parameters+`}`, string(body))
}

// TestACopyOfARuleOfUnknownScopeIsRefused: taken for an empty list, conditions that did not come would make a rule for every request.
func TestACopyOfARuleOfUnknownScopeIsRefused(t *testing.T) {
	t.Parallel()
	for _, action := range []string{``, `,"action":null`, `,"action":""`} {
		var rule Rule
		require.NoError(t, wire.Unmarshal([]byte(`{"id":1,"actionid":2,"clientid":3,"type":"vpatch","attack_type":"any","point":[["get","q"]]`+action+`}`), &rule))
		renewed := rule.AsNew()
		_, err := renewed.body(1)
		require.ErrorIs(t, err, ErrInvalidArgument, action)
	}
	everywhere := Rule{Conditions: Conditions{}, Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{QueryParam("q")}}}
	renewed := everywhere.AsNew()
	_, err := renewed.body(1)
	require.NoError(t, err, "the empty list is the scope of every request")
}

// TestAliasesHaveNoKnownBound: a create takes what an update takes.
func TestAliasesHaveNoKnownBound(t *testing.T) {
	t.Parallel()
	_, err := GraphQLProtection{Mode: ModeBlock, MaxAliases: 1 << 40}.request()
	require.NoError(t, err)
	_, err = GraphQLProtection{Mode: ModeBlock, MaxAliases: -1}.request()
	require.ErrorIs(t, err, ErrInvalidArgument)
}

// TestCopyOfAnUnknownControl: points in conditions are flat in answers and lists of steps in requests.
func TestCopyOfAnUnknownControl(t *testing.T) {
	t.Parallel()
	var rule Rule
	require.NoError(t, wire.Unmarshal([]byte(`{"id":1,"actionid":2,"clientid":3,"action":[],"type":"new_control",
		"arbitrary_conditions":[{"point":["header","X-A"],"operator":"eq","value":["b"],"new":1}]}`), &rule))
	renewed := rule.AsNew()
	body, err := renewed.body(1)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"new_control","clientid":1,"validated":false,"action":[],
		"arbitrary_conditions":[{"point":[["header","X-A"]],"operator":"eq","value":["b"],"new":1}]}`, string(body))

	// What is no such list goes as it is.
	odd := NewRule{Scope: Scope(), Spec: UnknownSpec{"new_control", Extra{"arbitrary_conditions": RawJSON(`{"point":{}}`)}}}
	body, err = odd.body(1)
	require.NoError(t, err)
	require.Contains(t, string(body), `"arbitrary_conditions":{"point":{}}`)
}
