package wallarmtest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	loadEvents  = 1_000_000
	loadClients = 64
)

// loaded is the cloud that the benchmarks of load share, with the cursors
// that lead to some of its pages.
var loaded = sync.OnceValue(func() (l struct {
	cloud     *Cloud
	start     time.Duration
	megabytes float64
	cursors   map[int]string
}) {
	before := heap()
	begin := time.Now()
	l.cloud = NewCloud(WithRequestLog(0), fixedClock())
	l.cloud.SeedEvents(loadEvents)
	l.start = time.Since(begin)
	l.megabytes = heap() - before
	l.cursors = map[int]string{}
	cursor := ""
	for page := 1; page <= loadEvents/cursorPage; page++ {
		if page == 1 || page == 5000 || page == 10000 {
			l.cursors[page] = cursor
		}
		cursor = cursorOf(attackPage(l.cloud, cursor))
	}
	return l
})

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// BenchmarkPage measures one page of a hundred attacks by cursor at several
// depths, with a million attacks and their hits in memory. It also reports
// how long they took to seed and how much memory they hold. The numbers in
// the package documentation come from here and from BenchmarkClients:
//
//	go test ./wallarmtest -run '^$' -bench 'Page|Clients' -benchtime 2s
func BenchmarkPage(b *testing.B) {
	l := loaded()
	for _, depth := range []int{1, 5000, 10000} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			for b.Loop() {
				attackPage(l.cloud, l.cursors[depth])
			}
			b.ReportMetric(l.megabytes, "MB")
			b.ReportMetric(l.start.Seconds(), "start-s")
		})
	}
}

// attackPage asks the handler itself for a page.
func attackPage(c *Cloud, cursor string) []byte {
	w := httptest.NewRecorder()
	c.ServeHTTP(w, attackPageRequest("http://127.0.0.1", cursor))
	if w.Code != http.StatusOK {
		panic(w.Body.String())
	}
	return w.Body.Bytes()
}

func attackPageRequest(base, cursor string) *http.Request {
	body := fmt.Sprintf(`{"paging":true,"filter":{"clientid":[4711]},"cursor":%q}`, cursor)
	r, err := http.NewRequest(http.MethodPost, base+"/v2/objects/attack", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("X-WallarmApi-Token", AdminToken)
	r.Header.Set("Accept-Encoding", "identity")
	return r
}

// cursorOf is the cursor of the next page, "" on the last one.
func cursorOf(answer []byte) string {
	const name = `"cursor":"`
	i := bytes.LastIndex(answer, []byte(name))
	if i < 0 {
		return ""
	}
	rest := answer[i+len(name):]
	return string(rest[:bytes.IndexByte(rest, '"')])
}

// BenchmarkClients measures requests per second of 64 clients at once,
// through real connections: a small call, and a page from the middle of a
// million attacks.
func BenchmarkClients(b *testing.B) {
	l := loaded()
	server := httptest.NewServer(l.cloud)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: loadClients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for name, request := range map[string]func() *http.Request{
		"call": func() *http.Request {
			r := attackPageRequest(server.URL, "")
			r.URL.Path, r.Body, r.ContentLength = "/v1/user", nil, 0
			return r
		},
		"page": func() *http.Request { return attackPageRequest(server.URL, l.cursors[5000]) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism((loadClients + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			begin := time.Now()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := client.Do(request())
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "requests/s")
		})
	}
}
