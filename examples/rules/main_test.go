package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestTheDocumentedVirtualPatch(t *testing.T) {
	server := wallarmtest.NewServer(t)
	code, out, errs := cli.Try(t, server, run, "create", "-path", "/my/api/*")
	require.Equal(t, cli.OK, code, errs)
	sent := server.RequestsOf("rules.create")
	require.Len(t, sent, 1)
	require.JSONEq(t, `{"type":"vpatch","clientid":4711,"validated":false,"attack_type":"any","point":[["header","HOST"]],
		"action":[{"type":"equal","point":["path",0],"value":"my"},{"type":"equal","point":["path",1],"value":"api"}]}`, string(sent[0].Body))
	var id int64
	_, err := fmt.Sscanf(out, "Created rule %d:", &id)
	require.NoError(t, err)

	code, out, _ = cli.Try(t, server, run, "list")
	require.Equal(t, cli.OK, code)
	require.Contains(t, out, strconv.FormatInt(id, 10))
	require.Contains(t, out, "/my/api/**")

	code, out, _ = cli.Try(t, server, run, "list", "-format", "json")
	require.Equal(t, cli.OK, code)
	var rule map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.Split(out, "\n")[0]), &rule))
	require.Equal(t, "vpatch", rule["type"])

	code, out, errs = cli.Try(t, server, run, "delete", strconv.FormatInt(id, 10), "999999999")
	require.Equal(t, cli.Failed, code, "one of them was not there")
	require.Contains(t, out, fmt.Sprintf("Deleted rule %d", id))
	require.Contains(t, errs, "[999999999]")
	code, out, _ = cli.Try(t, server, run, "list")
	require.Equal(t, cli.OK, code)
	require.Equal(t, "No rules.\n", out)
}

func TestCreateWithHostAndType(t *testing.T) {
	server := wallarmtest.NewServer(t)
	code, _, errs := cli.Try(t, server, run, "create", "-path", "/login", "-host", "Shop.Example.com", "-attack-type", "sqli", "-comment", "until the fix ships")
	require.Equal(t, cli.OK, code, errs)
	var sent map[string]any
	require.NoError(t, json.Unmarshal(server.RequestsOf("rules.create")[0].Body, &sent))
	require.Equal(t, "sqli", sent["attack_type"])
	require.Equal(t, "until the fix ships", sent["comment"])
	require.Contains(t, fmt.Sprint(sent["action"]), "shop.example.com")
	require.Contains(t, fmt.Sprint(sent["action"]), "action_name")
}

func TestWhatARuleSaysDoesNotReachTheTerminal(t *testing.T) {
	server := wallarmtest.NewServer(t)
	code, out, errs := cli.Try(t, server, run, "create", "-path", "/login", "-attack-type", "sqli")
	require.Equal(t, cli.OK, code, errs)
	require.Equal(t, 1, strings.Count(out, "\n"))
	hostile := wallarm.Rule{ID: 7, Conditions: wallarm.Conditions{{Point: wallarm.Point{wallarm.Header("X\x1b[31m")}, Type: wallarm.ConditionEqual, Value: "a\u202eb\nc"}}}
	for _, r := range describe(&hostile) {
		require.True(t, unicode.IsPrint(r), "%q", describe(&hostile))
	}
}

func TestMistakes(t *testing.T) {
	for _, args := range [][]string{
		nil, {"explode"}, {"create"}, {"create", "-path", "/x", "more"}, {"delete"}, {"delete", "x"}, {"delete", "-1"}, {"list", "-limit", "-2"}, {"list", "x"}, {"-nope"},
		{"create", "-path", "/x", "-host", ""}, {"create", "-path", "/x", "-host", "http://x.example.com"}, {"create", "-path", "/x", "-attack-type", ""},
	} {
		code, _, errs := cli.Try(t, nil, run, args...)
		require.Equal(t, cli.Misused, code, "%v", args)
		require.NotEmpty(t, errs)
	}
	for _, args := range [][]string{{"-h"}, {"list", "-h"}, {"create", "-h"}, {"delete", "-h"}} {
		code, _, errs := cli.Try(t, nil, run, args...)
		require.Equal(t, cli.OK, code, "%v", args)
		require.Contains(t, errs, "Usage:")
		require.Equal(t, args[0] == "list" || args[0] == "create", strings.Contains(errs, "\nFlags:\n"), "no heading without flags: %v", args)
	}
	server := wallarmtest.NewServer(t)
	code, _, errs := cli.Try(t, server, run, "create", "-path", "no-slash")
	require.Equal(t, cli.Misused, code)
	require.Contains(t, errs, "slash")
	code, _, errs = cli.Try(t, server, run, "create", "-path", "/**/*.*")
	require.Equal(t, cli.Misused, code)
	require.Contains(t, errs, "every request")
	require.Empty(t, server.RequestsOf("rules.create"), "nothing is sent")
}

func TestWithoutCredentials(t *testing.T) {
	code, out, errs := cli.Try(t, nil, run, "list")
	require.Equal(t, cli.OK, code)
	require.Contains(t, errs, "fake cloud")
	require.Contains(t, out, "SCOPE")
}

func TestListFormatsAndLimit(t *testing.T) {
	server := wallarmtest.NewServer(t)
	for _, body := range []string{
		`{"type":"wallarm_mode","mode":"block","action":[]}`,
		`{"type":"vpatch","attack_type":"any","point":[["uri"]],"action":[{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"},
			{"type":"equal","point":["action_name"],"value":"login"},{"type":"equal","point":["header","X-STAGE"],"value":"beta"}]}`,
	} {
		_, err := server.AddRule(body)
		require.NoError(t, err)
	}
	code, out, errs := cli.Try(t, server, run, "list", "-format", "csv")
	require.Equal(t, cli.OK, code, errs)
	require.Empty(t, errs)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"id", "type", "active", "scope", "other_conditions", "updated", "comment"}, rows[0])
	require.Contains(t, rows[1][3], "shop.example.com")
	require.NotContains(t, rows[1][3], "X-STAGE")
	require.Contains(t, rows[1][4], "X-STAGE")
	require.Equal(t, []string{"every request", ""}, rows[2][3:5])

	code, out, errs = cli.Try(t, server, run, "list", "-limit", "1")
	require.Equal(t, cli.OK, code)
	require.Equal(t, 2, strings.Count(out, "\n"))
	require.Regexp(t, `shop\.example\.com.*\[.*X-STAGE`, out)
	require.Equal(t, "The limit of 1 is reached, and more rules exist; -limit 0 shows all.\n", errs)
}
