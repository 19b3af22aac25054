package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// childVariable makes the test binary be the program.
const childVariable = "EXPORT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

const total = 1500

func seeded(t *testing.T) (*wallarmtest.Server, map[string]bool) {
	t.Helper()
	server := wallarmtest.NewServer(t)
	attacks := make([]wallarmtest.Attack, total)
	from := time.Now().Add(-20 * time.Hour)
	for i := range attacks {
		attacks[i] = wallarmtest.Attack{
			Type: []string{"sqli", "xss", "rce"}[i%3], Domain: []string{"shop.example.com", "=api.example.com"}[i%2],
			Path: "/<script>" + fmt.Sprint(i), Time: from.Add(time.Duration(i) * 40 * time.Second),
		}
	}
	ids := map[string]bool{}
	for _, id := range server.SeedAttacks(attacks...) {
		ids[id.String()] = true
	}
	require.Len(t, ids, total)
	return server, ids
}

// killing runs the program as a child again and again, and kills it while it makes a request, until it lives to its end.
func killing(t *testing.T, server *wallarmtest.Server, args ...string) (kills int) {
	t.Helper()
	var mu sync.Mutex
	var child *exec.Cmd
	requests, deadly := 0, 0
	server.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultLatency, Op: "attacks.list", Match: func(*http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if requests++; requests == deadly {
			_ = child.Process.Kill()
		}
		return false
	}})
	for run := range 40 {
		mu.Lock()
		child = exec.CommandContext(t.Context(), os.Args[0], args...)
		child.Env = append(os.Environ(), childVariable+"=1", wallarm.EnvHost+"="+server.URL, wallarm.EnvToken+"="+wallarmtest.AdminToken)
		var errs bytes.Buffer
		child.Stderr = &errs
		requests, deadly = 0, 3+run%4
		if kills >= 6 {
			deadly = 0
		}
		require.NoError(t, child.Start())
		mu.Unlock()
		err := child.Wait()
		if err == nil {
			return kills
		}
		require.Equal(t, -1, child.ProcessState.ExitCode(), "it was killed: %v %s", err, errs.String())
		kills++
	}
	t.Fatal("it never came to its end")
	return kills
}

func TestKilledAtAnyMomentTheOutputIsComplete(t *testing.T) {
	for _, format := range []string{"ndjson", "csv", "sqlite"} {
		t.Run(format, func(t *testing.T) {
			server, want := seeded(t)
			dir := t.TempDir()
			s := settings{what: "attacks", format: format, out: filepath.Join(dir, "out."+format)}
			kills := killing(t, server, "-o", s.out, "-format", format, "-checkpoint", filepath.Join(dir, "state"), "-page", "60", "-batch", "7")
			require.Equal(t, 6, kills)
			seen := map[string]int{}
			require.NoError(t, readBack(s, func(r record) { seen[r.ID]++ }))
			require.Len(t, seen, total)
			for id, n := range seen {
				require.True(t, want[id])
				require.Equal(t, 1, n, "%s stands there %d times", id, n)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestSaveOverwritesWhatAKilledRunLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(path+".tmp", []byte(strings.Repeat("x", 10<<10)), 0o600))
	require.NoError(t, save(path, &state{Version: stateVersion, What: "attacks", Format: "csv"}))
	st, err := load(settings{what: "attacks", format: "csv", checkpoint: path})
	require.NoError(t, err)
	require.Equal(t, "attacks", st.What)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestSaveFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "state"), filepath.Join(dir, "victim")
	require.NoError(t, os.WriteFile(victim, []byte("kept\n"), 0o644))
	require.NoError(t, os.Symlink(victim, path+".tmp"))
	require.NoError(t, save(path, &state{Version: stateVersion}))
	data, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "kept\n", string(data))
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode(), "a file of its own, and for its owner only")
	require.NoFileExists(t, path+".tmp")

	require.NoError(t, os.MkdirAll(filepath.Join(path+".tmp", "taken"), 0o700))
	require.Error(t, save(path, &state{Version: stateVersion}))
}

func TestFormats(t *testing.T) {
	server, _ := seeded(t)
	dir := t.TempDir()
	code, out, errs := cli.Try(t, server, run)
	require.Equal(t, cli.OK, code, errs)
	require.Equal(t, total, strings.Count(out, "\n"))
	var attack wallarm.Attack
	require.NoError(t, json.Unmarshal([]byte(out[:strings.Index(out, "\n")]), &attack))
	require.Contains(t, errs, fmt.Sprintf("%d of %d", total, total))
	require.NotContains(t, errs, "\x1b", "no terminal")

	code, out, errs = cli.Try(t, server, run, "-format", "csv", "-since", "1w")
	require.Equal(t, cli.OK, code, errs)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, total+1)
	require.Equal(t, columns, rows[0])
	require.Contains(t, out, "'=api.example.com", "no formula")

	file := filepath.Join(dir, "hits.sqlite")
	for range 2 {
		code, _, errs = cli.Try(t, server, run, "-what", "hits", "-o", file)
		require.Equal(t, cli.OK, code, errs)
	}
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	var n, distinct int
	require.NoError(t, db.QueryRow("SELECT count(*), count(DISTINCT json_extract(json, '$.id')) FROM events").Scan(&n, &distinct))
	require.GreaterOrEqual(t, n, total)
	require.Equal(t, n, distinct)
}

// TestEventsThatDifferAreRowsThatDiffer: the key of a row is what an iterator knows the event by, whatever form the id has.
func TestEventsThatDifferAreRowsThatDiffer(t *testing.T) {
	at := time.Now().Add(-time.Hour).Unix()
	for name, test := range map[string]struct{ what, first, second string }{
		"attacks with attackid only":     {"attacks", `"attackid":"i:a"`, `"attackid":"i:b"`},
		"attacks with ids of many parts": {"attacks", `"id":["i","a",1]`, `"id":["i","a",2]`},
		"hits with ids of many parts":    {"hits", `"id":["i","a",1]`, `"id":["i","a"]`},
		"hits without an id":             {"hits", `"value":"a"`, `"value":"b"`},
		"indexes with a colon":           {"hits", `"id":["i:j","a"]`, `"id":["i","j:a"]`},
		"texts in brackets":              {"hits", `"id":["a:b","c"]`, `"id":["[\"a","b\",\"c\"]"]`},
	} {
		t.Run(name, func(t *testing.T) {
			times := fmt.Sprintf(`,"first_time":%d,"last_time":%[1]d,"time":%[1]d}`, at)
			events := []string{"{" + test.first + times, "{" + test.second + times}
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var query struct{ Offset int }
				_ = json.NewDecoder(r.Body).Decode(&query)
				body := "[" + strings.Join(events[min(query.Offset, len(events)):], ",") + "]"
				switch {
				case strings.HasSuffix(r.URL.Path, "/count"):
					body = `{"attacks":2,"hits":2}`
				case strings.HasSuffix(r.URL.Path, "/user"):
					body = `{"clientid":4711}`
				}
				_, _ = io.WriteString(w, `{"status":200,"body":`+body+`}`)
			}))
			defer api.Close()
			s := settings{what: test.what, format: "sqlite", out: filepath.Join(t.TempDir(), "out.db")}
			for range 2 {
				code, errs := try(t, nil, map[string]string{wallarm.EnvHost: api.URL}, "-what", s.what, "-o", s.out)
				require.Equal(t, cli.OK, code, errs)
				n := 0
				require.NoError(t, readBack(s, func(record) { n++ }))
				require.Equal(t, 2, n)
			}
		})
	}
}

// TestAnAttackThatGoesOnIsExported by a service whose times are those at which attacks went on last.
func TestAnAttackThatGoesOnIsExported(t *testing.T) {
	began := time.Now().Add(-time.Minute).Unix()
	last := []int64{began, began, began, began}
	lists := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var query struct {
			Filter        struct{ Time [][]*int64 }
			Offset, Limit int
		}
		_ = json.NewDecoder(r.Body).Decode(&query)
		body := `{"attacks":4}`
		switch {
		case strings.HasSuffix(r.URL.Path, "/user"):
			body = `{"clientid":4711}`
		case strings.HasSuffix(r.URL.Path, "/attack"):
			if lists++; lists == 3 {
				last[3] = time.Now().Add(time.Hour).Unix()
			}
			var shown []string
			for i, at := range last {
				if end := query.Filter.Time[0][1]; end == nil || at <= *end {
					shown = append(shown, fmt.Sprintf(`{"id":["i","%d"],"first_time":%d,"last_time":%d}`, i, began, at))
				}
			}
			from := min(query.Offset, len(shown))
			body = "[" + strings.Join(shown[from:min(from+query.Limit, len(shown))], ",") + "]"
		}
		_, _ = io.WriteString(w, `{"status":200,"body":`+body+`}`)
	}))
	defer api.Close()
	s := settings{what: "attacks", format: "ndjson", out: filepath.Join(t.TempDir(), "out")}
	code, errs := try(t, nil, map[string]string{wallarm.EnvHost: api.URL}, "-o", s.out, "-page", "2")
	require.Equal(t, cli.OK, code, errs)
	require.True(t, contains(s.out, "i:3"))
}

func TestReport(t *testing.T) {
	server, _ := seeded(t)
	dir := t.TempDir()
	for _, name := range []string{"out.ndjson", "out.csv", "out.db"} {
		html := filepath.Join(dir, name+".html")
		code, _, errs := cli.Try(t, server, run, "-o", filepath.Join(dir, name), "-html", html)
		require.Equal(t, cli.OK, code, errs)
		data, err := os.ReadFile(html)
		require.NoError(t, err)
		text := string(data)
		require.Contains(t, text, fmt.Sprintf("<h1>%d attacks</h1>", total))
		for _, part := range []string{"Over time", "By type", "By country", "Top hosts", "Top addresses", "sqli", "shop.example.com", "<rect"} {
			require.Contains(t, text, part)
		}
		for _, outside := range []string{"<script", "http://", "https://", "src=", "href=", "@import", "url("} {
			require.NotContains(t, text, outside, "the page is self-contained")
		}
	}
}

func TestFollow(t *testing.T) {
	server, _ := seeded(t)
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-checkpoint", filepath.Join(dir, "state"), "-follow", "-interval", "50ms", "-o", filepath.Join(dir, "out"))
	child.Env = append(os.Environ(), childVariable+"=1", wallarm.EnvHost+"="+server.URL, wallarm.EnvToken+"="+wallarmtest.AdminToken)
	errs, err := child.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(errs)
	for lines.Scan() && !strings.Contains(lines.Text(), "following") {
	}
	id := server.SeedAttacks(wallarmtest.Attack{Type: "xxe", Domain: "late.example.com", Time: time.Now()})[0]
	state := filepath.Join(dir, "state")
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(state)
		return err == nil && bytes.Contains(data, []byte(`"watch attacks.list"`)) && contains(filepath.Join(dir, "out"), id.String())
	}, 20*time.Second, 20*time.Millisecond)
	require.NoError(t, child.Process.Signal(os.Interrupt))
	_, _ = io.Copy(io.Discard, errs)
	_ = child.Wait()
	require.Equal(t, cli.Interrupted, child.ProcessState.ExitCode())
}

// TestFollowLosesNothingToAWrongClock begins with a list that is complete before anything new comes, so that only the watch can bring that.
func TestFollowLosesNothingToAWrongClock(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, time.Hour} {
		t.Run("a server at "+skew.String(), func(t *testing.T) {
			now := func() time.Time { return time.Now().Add(skew) }
			server := wallarmtest.NewServer(t, wallarmtest.WithClock(now))
			dated := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", now().UTC().Format(http.TimeFormat))
				server.ServeHTTP(w, r)
			}))
			t.Cleanup(dated.Close)
			out, checkpoint := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "state")
			args := []string{"-o", out, "-checkpoint", checkpoint, "-since", "3h"}
			host := map[string]string{wallarm.EnvHost: dated.URL}
			old := server.SeedAttacks(wallarmtest.Attack{Time: now().Add(-150 * time.Minute)})[0]
			code, errs := try(t, server, host, args...)
			require.Equal(t, cli.OK, code, errs)
			require.True(t, contains(out, old.String()), "the list begins three hours before the present of the server")
			require.Equal(t, skew < 0, strings.Contains(errs, "ahead of the server's"), errs)
			data, err := os.ReadFile(checkpoint)
			require.NoError(t, err)
			var st state
			require.NoError(t, json.Unmarshal(data, &st))
			require.True(t, st.Done)
			require.False(t, st.Until.After(now().Add(time.Second)), "%v", st.Until)

			fresh := server.SeedAttacks(wallarmtest.Attack{Time: now()})[0]
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var done sync.WaitGroup
			done.Go(func() {
				cli.Run(ctx, &cli.Program{Name: "examples/test", Args: append(args, "-follow", "-interval", "50ms"), Err: io.Discard}, run)
			})
			require.Eventually(t, func() bool { return contains(out, fresh.String()) }, 10*time.Second, 20*time.Millisecond)
			cancel()
			done.Wait()
		})
	}
}

func contains(path, id string) bool {
	found := false
	_ = readBack(settings{what: "attacks", format: "ndjson", out: path}, func(r record) { found = found || r.ID == id })
	return found
}

func TestMistakes(t *testing.T) {
	for _, args := range [][]string{
		{"-what", "x"}, {"-format", "x"}, {"-format", "sqlite"}, {"-html", "x"}, {"-since", "0s"}, {"-since", "-7d"}, {"-since", "7"}, {"-page", "0"}, {"-page", "1001"}, {"-batch", "0"}, {"-interval", "0s"}, {"x"}, {"-x"},
	} {
		code, out, errs := cli.Try(t, nil, run, args...)
		require.Equal(t, cli.Misused, code, args)
		require.Empty(t, out)
		require.NotEmpty(t, errs)
	}
	code, _, errs := cli.Try(t, nil, run, "-h")
	require.Equal(t, cli.OK, code)
	require.Contains(t, errs, "-since duration")
	server := wallarmtest.NewServer(t)
	path := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(path, []byte(`{"version":2,"what":"hits","format":"csv"}`), 0o600))
	code, _, errs = cli.Try(t, server, run, "-checkpoint", path)
	require.Equal(t, cli.Misused, code, errs)
	require.NoError(t, os.WriteFile(path, []byte(`{"wh`), 0o600))
	code, _, errs = cli.Try(t, server, run, "-checkpoint", path)
	require.Equal(t, cli.Failed, code, errs)
	require.Empty(t, server.Requests())
}

func TestMeter(t *testing.T) {
	var out bytes.Buffer
	m := newMeter(&out, true)
	m.begin(100, 10)
	m.update(40)
	require.Contains(t, out.String(), "[############..................] 40 of 100")
	m.last = 60
	require.Equal(t, "60 of 100, 5/s, 8s left", m.line(10*time.Second))
	m.total = 0
	require.Equal(t, "60, 5/s", m.line(10*time.Second))
}
