package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// curlCommands are the commands of the README as they stand.
func curlCommands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var commands []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)\n```").FindAllStringSubmatch(string(text), -1) {
		commands = append(commands, block[1])
	}
	require.Equal(t, strings.Count(string(text), "\ncurl "), len(commands), "every curl command has a block of its own")
	return commands
}

// shellWords splits a command as a POSIX shell would: blanks, both kinds of
// quotes, backslashes and variables.
func shellWords(command string, env map[string]string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(command); i++ {
		switch b := command[i]; b {
		case ' ', '\t', '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case '\\':
			i++
			if i < len(command) && command[i] != '\n' {
				word.WriteByte(command[i])
				inWord = true
			}
		case '\'':
			end := strings.IndexByte(command[i+1:], '\'')
			if end < 0 {
				return nil, errors.New("a quote does not end")
			}
			word.WriteString(command[i+1 : i+1+end])
			i += end + 1
			inWord = true
		case '"':
			end := strings.IndexByte(command[i+1:], '"')
			if end < 0 {
				return nil, errors.New("a quote does not end")
			}
			word.WriteString(os.Expand(command[i+1:i+1+end], func(name string) string { return env[name] }))
			i += end + 1
			inWord = true
		default:
			word.WriteByte(b)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// curl does what curl does with these options.
func curl(t *testing.T, words []string) (*http.Response, []byte) {
	t.Helper()
	require.Equal(t, "curl", words[0])
	method, url, body, header, unzip := "", "", "", http.Header{}, false
	for i := 1; i < len(words); i++ {
		switch w := words[i]; {
		case w == "-s":
		case w == "--compressed":
			unzip = true
			header.Set("Accept-Encoding", "gzip")
		case w == "-X" || w == "-H" || w == "-d":
			i++
			switch w {
			case "-X":
				method = words[i]
			case "-H":
				name, value, _ := strings.Cut(words[i], ": ")
				header.Add(name, value)
			case "-d":
				body = words[i]
			}
		case strings.HasPrefix(w, "-"):
			require.Fail(t, "unknown option", w)
		default:
			url = w
		}
	}
	if method == "" {
		method = http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
	}
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header = header
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	var in io.Reader = resp.Body
	if unzip {
		in, err = gzip.NewReader(resp.Body)
		require.NoError(t, err)
	}
	data, err := io.ReadAll(in)
	require.NoError(t, err)
	return resp, data
}

// TestCurlExamples runs the commands of the README, in their order, against
// a running sandbox.
func TestCurlExamples(t *testing.T) {
	box := start(t)
	require.Equal(t, "test-token-admin", box.env["WALLARM_API_TOKEN"])
	commands := curlCommands(t)
	require.GreaterOrEqual(t, len(commands), 15)
	for _, command := range commands {
		words, err := shellWords(command, box.env)
		require.NoError(t, err, command)
		resp, body := curl(t, words)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s\n%s", command, body)
		require.NotEmpty(t, items(t, body), command)
	}
	box.stop(t)
	require.Equal(t, len(commands), strings.Count(box.log.String(), " 200 "), "a line for each request")
	require.NotContains(t, box.log.String(), "test-token-admin")
}

func TestShellWords(t *testing.T) {
	words, err := shellWords("a 'b c'\"$X\"'d' \\\n e\\ f \"\"", map[string]string{"X": "1 2"})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b c1 2d", "e f", ""}, words)
	for _, broken := range []string{"'", `"`} {
		_, err := shellWords(broken, nil)
		require.Error(t, err, fmt.Sprint(broken))
	}
}
