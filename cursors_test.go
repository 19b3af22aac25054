package wallarm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// erraticServer answers with a few pages in turn, whatever it is asked for.
type erraticServer struct {
	pages []string
	mu    sync.Mutex
	sent  int
}

// erraticLimit is far above what a list of at most erraticPages pages can take.
const (
	erraticLimit = 3000
	erraticPages = 12
)

func (s *erraticServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent++; s.sent > erraticLimit {
		return nil, errors.New("the list asks for ever")
	}
	return &http.Response{
		StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: -1, Body: io.NopCloser(strings.NewReader(s.pages[s.sent%len(s.pages)])),
	}, nil
}

// TestAnEmptyCursorDoesNotHideAnother: a list goes on with the cursor that has a text, and ends without an error if just that of the page is repeated.
func TestAnEmptyCursorDoesNotHideAnother(t *testing.T) {
	for _, pages := range [][]string{
		{`"next_cursor":"c1","cursor":null`, `"next_cursor":null,"cursor":"c1"`},
		{`"cursor":"","next_cursor":"c1","has_more":"true"`, `"cursor":"c1","next_cursor":null,"has_more":"false"`},
		{`"cursor":"c0","next_cursor":"c1"`, `"cursor":"c1","next_cursor":""`},
		{`"cursor":"c1","next_cursor":null`, `"cursor":null`},
	} {
		server := &erraticServer{}
		for n := range pages {
			// It begins with the second of its pages.
			page := len(pages) - 1 - n
			server.pages = append(server.pages, fmt.Sprintf(`{"status":200,"body":[{"n":%d}],%s}`, page, pages[page]))
		}
		client, err := New(US, Token("test-token-list"), WithRoundTripper(server), WithDefaultClientID(1))
		require.NoError(t, err)
		l := (&kindServer{kind: byCursor}).lister(t)
		l.client = client
		require.Equal(t, []int{0, 1}, collect(t, l, PageOptions{}), pages)
		require.Equal(t, 2, server.sent, pages)
	}
}

// erraticPage makes a page of one line of the fuzzer's text: how many items and which, and then anything about paging.
func erraticPage(line string) string {
	count, first := 0, 0
	if line != "" {
		count, first = int(line[0])%12, int(line[0])/12
		line = line[1:]
	}
	items := make([]string, count)
	for i := range items {
		items[i] = fmt.Sprintf(`{"n":%d}`, first+i)
	}
	page := `{"status":200,"body":[` + strings.Join(items, ",") + `]`
	for member := range strings.SplitSeq(line, ";") {
		name, value, _ := strings.Cut(member, "=")
		names := []string{"cursor", "next_cursor", "continuation", "has_more", "next_offset", "current_page", "total_pages", "prev_cursor", "total_count"}
		if !slices.Contains(names, name) {
			continue
		}
		if !json.Valid([]byte(value)) {
			encoded, _ := json.Marshal(value)
			value = string(encoded)
		}
		page += fmt.Sprintf(`,%q:%s`, name, value)
	}
	return page + "}"
}

// FuzzCursors: whatever a server says about its next page, a list ends or fails, as do one that is resumed and one that is bounded.
func FuzzCursors(f *testing.F) {
	for _, seed := range []string{
		"\x0bcursor=a\n\x0bcursor=b", "\x0bcursor=a", "\x00continuation=x\n\x00continuation=y", "\x0anext_offset=10\n\x0anext_offset=20", "\x0anext_offset=9223372036854775807",
		"\x0anext_offset=-1", "\x0acurrent_page=1;total_pages=2", "\x0acurrent_page=1;total_pages=9223372036854775807", "\x0a\n\x16\n\x22", "\x0a", "\x05\n\x0a\n\x00",
		"\x0bhas_more=true;cursor=1\n\x0bhas_more=false;cursor=2", "\x0bcursor=[1]\n\x0bcursor={}\n\x0bcursor=null\n\x0bcursor=true", "\x0bprev_cursor=a;cursor=b\n\x00cursor=a",
		"\x0a\n\x00\n\x0a\n\x09\n\x0acurrent_page=-5;total_pages=3",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script string) {
		var pages []string
		for line := range strings.SplitSeq(script, "\n") {
			if len(pages) < erraticPages {
				pages = append(pages, erraticPage(line))
			}
		}
		for name, kind := range allKinds {
			for _, opts := range [][]CallOption{nil, {NoPrefetch()}, {Concurrency(3)}, {MaxItems(25)}, {Resume(new(Checkpoint))}} {
				server := &erraticServer{pages: pages}
				client, err := New(US, Token("test-token-list"), WithRoundTripper(server), WithDefaultClientID(1), WithDefaults(WithRetries(0)))
				require.NoError(t, err)
				l := (&kindServer{kind: kind}).lister(t, opts...)
				l.client = client
				if kind == byCursor {
					// Records of the deny list have no ids, so that only their cursors can tell a loop.
					l.id = nil
				}
				yielded := 0
				for _, err := range l.all(t.Context(), PageOptions{}) {
					if err != nil {
						require.True(t, errors.Is(err, ErrResponse) || errors.Is(err, ErrInvalidArgument), "%s: %v", name, err)
						break
					}
					yielded++
				}
				require.LessOrEqual(t, server.sent, erraticLimit, "%s: %q", name, pages)
				require.LessOrEqual(t, yielded, erraticLimit*12)
			}
		}
		// A checkpoint that came from elsewhere meets the same server.
		for _, kind := range []paging{byOffset, byCursor, byNextOffset, byPage, byKey} {
			var place Checkpoint
			require.NoError(t, wire.Unmarshal([]byte(goodCheckpoint), &place))
			server := &erraticServer{pages: pages}
			l := (&kindServer{kind: kind}).lister(t, Resume(&place), NoPrefetch())
			client, err := New(US, Token("test-token-list"), WithRoundTripper(server), WithDefaultClientID(1), WithDefaults(WithRetries(0)))
			require.NoError(t, err)
			l.client = client
			place.operation = l.op.name
			place.list, err = l.identify(t.Context(), PageOptions{}, l.most)
			require.NoError(t, err)
			for _, err := range l.all(t.Context(), PageOptions{}) {
				if err != nil {
					break
				}
			}
			require.LessOrEqual(t, server.sent, erraticLimit, "%q", pages)
		}
	})
}
