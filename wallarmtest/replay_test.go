package wallarmtest

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// replayed is the number of exchanges that TestReplayOfTheWirePages makes, so
// that none is lost unnoticed: it only ever grows.
const replayed = 147

// wireBlock is a fenced block of a wire page.
type wireBlock struct{ kind, text string }

// blockName is a page, a section and the number of a block in it.
type blockName struct {
	page, section string
	number        int
}

func (b blockName) String() string { return fmt.Sprintf("%s %s block %d", b.page, b.section, b.number) }

// wireBlocks reads all fenced blocks of the wire pages.
func wireBlocks(t *testing.T) map[blockName]wireBlock {
	t.Helper()
	files, err := filepath.Glob("../docs/wire/*.md")
	require.NoError(t, err)
	heading := regexp.MustCompile(`^#+ ([0-9.]+)`)
	blocks := map[blockName]wireBlock{}
	for _, file := range files {
		page, err := os.ReadFile(file)
		require.NoError(t, err)
		at := blockName{page: strings.TrimSuffix(filepath.Base(file), ".md")}
		open := false
		var block wireBlock
		for line := range strings.Lines(string(page)) {
			kind, fence := strings.CutPrefix(line, "```")
			switch {
			case fence && open:
				blocks[at] = block
				open = false
			case fence:
				at.number++
				block, open = wireBlock{kind: strings.TrimSpace(kind)}, true
			case open:
				block.text += line
			default:
				if found := heading.FindStringSubmatch(line); found != nil {
					at.section, at.number = strings.TrimSuffix(found[1], "."), 0
				}
			}
		}
	}
	return blocks
}

// exchange is a line of testdata/replay.txt.
type exchange struct {
	line            string
	request, answer blockName // of number 0: none
	unused          bool      // a block that is no exchange
	status          int
	method, path    string
	options         map[string]string
}

// exchanges reads the index of the examples:
//
//	page section request>answer status METHOD path option=value...
//	page section block - why it is no exchange
//
// Either side of the ">" may be missing. A path of @ stands in the block
// itself. The options are
//
//	seed   what the cloud is filled with before, see replaySeeds
//	send   the body to send where the page has none, see replayBodies
//	token  whose token is sent: auditor, or none
//	as     "action": the block is the scope of a rule to create
//	map    members of the answer whose names are data
//	skip   members of the answer that belong to another call
func exchanges(t *testing.T) []exchange {
	t.Helper()
	index, err := os.ReadFile("testdata/replay.txt")
	require.NoError(t, err)
	var out []exchange
	for line := range strings.Lines(string(index)) {
		cells := strings.Fields(line)
		if len(cells) == 0 || strings.HasPrefix(cells[0], "#") {
			continue
		}
		require.GreaterOrEqual(t, len(cells), 4, line)
		x := exchange{line: strings.TrimSpace(line), options: map[string]string{}}
		number := func(s string) blockName {
			n, err := strconv.Atoi("0" + s)
			require.NoError(t, err, line)
			return blockName{cells[0], cells[1], n}
		}
		request, answer, isExchange := strings.Cut(cells[2], ">")
		x.request, x.answer = number(request), number(answer)
		x.unused = !isExchange
		if isExchange {
			require.GreaterOrEqual(t, len(cells), 6, line)
			x.status, err = strconv.Atoi(cells[3])
			require.NoError(t, err, line)
			x.method, x.path = cells[4], cells[5]
			for _, option := range cells[6:] {
				name, value, _ := strings.Cut(option, "=")
				x.options[name] = value
			}
		}
		out = append(out, x)
	}
	return out
}

const replayToken = "test-token-replay"

// replayServer is a cloud in which the client of the page has a token with
// all rights and the seed of the exchange.
func replayServer(t *testing.T, x exchange) (*Server, map[string]string) {
	t.Helper()
	s := NewServer(t, fixedClock())
	s.AddClient(Client{ID: 4521, Name: "Example Rules"})
	client := DefaultClientID
	switch x.request.page { // each page has a client and a present of its own
	case "rules":
		client = 4521
	case "accounts", "infrastructure":
		client = OtherClientID
		s.SetTime(unix(1755781200))
	case "sessions":
		client = OtherClientID
		s.SetTime(unix(1787002000))
	}
	s.AddUser(User{ID: 70112, ClientID: client, Email: "ops@example.com", Realname: "Ops Team"})
	s.AddToken(Token{Value: replayToken, ClientID: client, UserID: 70112, Permissions: []string{"partner_admin_ext"}})
	name := x.options["seed"]
	if name == "" {
		return s, nil
	}
	seed, known := replaySeeds[name]
	require.True(t, known, "no seed %q", name)
	return s, seed(t, s)
}

// send replays the request of the exchange as it stands on the page, but for
// the opaque values that the seed gives.
func (x exchange) send(t *testing.T, s *Server, blocks map[blockName]wireBlock, values map[string]string) (*http.Response, []byte) {
	t.Helper()
	method, path, body, header := x.method, x.path, "", http.Header{}
	if block, has := blocks[x.request]; has {
		body = block.text
		if block.kind == "http" {
			method, path, header, body = parseHTTP(t, block.text)
		}
	}
	if name := x.options["send"]; name != "" {
		require.Contains(t, replayBodies, name)
		body = replayBodies[name]
	}
	if x.options["as"] == "action" {
		body = `{"type":"wallarm_mode","mode":"block","clientid":4521,"validated":false,"action":` + body + `}`
	}
	for from, to := range values {
		path, body = strings.ReplaceAll(path, from, to), strings.ReplaceAll(body, from, to)
	}
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	switch x.options["token"] {
	case "none":
	case "auditor":
		header.Set("X-WallarmApi-Token", AuditorToken)
	default:
		header.Set("X-WallarmApi-Token", replayToken)
	}
	header.Del("Accept-Encoding")
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header = header
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	var out bytes.Buffer
	_, err = out.ReadFrom(resp.Body)
	require.NoError(t, err)
	return resp, out.Bytes()
}

// parseHTTP reads a request as the pages write it: a request line, headers
// perhaps, a blank line and a body perhaps.
func parseHTTP(t *testing.T, text string) (method, path string, header http.Header, body string) {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	parts := strings.Fields(lines[0])
	require.GreaterOrEqual(t, len(parts), 2)
	header = http.Header{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		if name != "Host" {
			header.Set(name, value)
		}
	}
	return parts[0], parts[1], header, body
}

// TestReplayOfTheWirePages sends every composed example of the wire pages as
// it stands there, and wants the documented envelope and members back: their
// names and JSON types, not their values.
func TestReplayOfTheWirePages(t *testing.T) {
	blocks := wireBlocks(t)
	named := map[blockName]bool{}
	made := 0
	for _, x := range exchanges(t) {
		for _, b := range []blockName{x.request, x.answer} {
			if b.number > 0 {
				require.Contains(t, blocks, b, x.line)
				named[b] = true
			}
		}
		if x.unused {
			continue
		}
		made++
		t.Run(strings.ReplaceAll(x.line, "/", "|"), func(t *testing.T) {
			s, values := replayServer(t, x)
			resp, body := x.send(t, s, blocks, values)
			require.Equal(t, x.status, resp.StatusCode, string(body))
			if x.answer.number == 0 {
				return
			}
			want, err := parseJSON([]byte(blocks[x.answer].text))
			if err != nil { // not JSON: a file
				first, _, _ := strings.Cut(blocks[x.answer].text, "\n")
				require.True(t, strings.HasPrefix(string(body), first), string(body))
				return
			}
			got, err := parseJSON(body)
			require.NoError(t, err, string(body))
			x.compare(t, "", want, got)
		})
	}
	for b := range blocks {
		assert.True(t, named[b], "%s is not in testdata/replay.txt", b)
	}
	require.Equal(t, replayed, made, "examples that are replayed")
}

// option tells whether a list option names a member.
func (x exchange) option(name, path string) bool {
	return slices.Contains(strings.Split(x.options[name], ","), path)
}

// compare wants every documented member in the answer, with a value of the
// documented type. Null on either side says that the member may be null.
func (x exchange) compare(t *testing.T, path string, want, got any) {
	t.Helper()
	if want == nil || got == nil && path != "" || x.option("skip", path) {
		return
	}
	require.Equal(t, typeName(want), typeName(got), "%s: %s", path, appendJSON(nil, got))
	switch want := want.(type) {
	case []any:
		list := got.([]any)
		if len(want) > 0 && assert.NotEmpty(t, list, path) {
			x.compare(t, path+"[]", want[0], list[0])
		}
	case *object:
		o := got.(*object)
		if x.option("map", path) {
			if assert.NotEmpty(t, o.members, path) && len(want.members) > 0 {
				x.compare(t, path+"{}", want.members[0].value, o.members[0].value)
			}
			return
		}
		for _, m := range want.members {
			inner := strings.TrimPrefix(path+"."+m.name, ".")
			if x.option("skip", inner) {
				continue
			}
			v, has := o.lookup(m.name)
			if assert.True(t, has, "%s is missing in %s", inner, appendJSON(nil, o)) {
				x.compare(t, inner, m.value, v)
			}
		}
	}
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case *object:
		return "object"
	}
	return "number"
}
