package wallarmtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// millionEvents fills a cloud with attacks and five hits for each, a million
// of both together.
func millionEvents(b *testing.B) *Cloud {
	b.Helper()
	const attacks = 170_000
	c := NewCloud(WithRequestLog(0), fixedClock())
	batch := make([]Attack, 0, 10_000)
	for i := range attacks {
		at := noon.Add(-time.Duration(i) * 20 * time.Second)
		hits := make([]Hit, 5)
		for n := range hits {
			hits[n] = Hit{Time: at.Add(time.Duration(n) * time.Second), IP: fmt.Sprintf("192.0.2.%d", i%250+1)}
		}
		batch = append(batch, Attack{Time: at, Path: fmt.Sprintf("/p/%d", i%5000), Hits: hits})
		if len(batch) == cap(batch) || i == attacks-1 {
			c.SeedAttacks(batch...)
			batch = batch[:0]
		}
	}
	return c
}

// BenchmarkMillionEvents measures the time of one page of attacks by cursor
// at several depths, with a million events in memory, and the memory that
// they take. The numbers in the package documentation come from here.
func BenchmarkMillionEvents(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	c := millionEvents(b)
	load := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	megabytes := float64(after.HeapAlloc-before.HeapAlloc) / (1 << 20)
	for _, depth := range []int{1, 500, 1500} {
		b.Run(fmt.Sprintf("page=%d", depth), func(b *testing.B) {
			cursor := ""
			for range depth - 1 {
				cursor = cursorOf(b, post(b, c, cursor))
			}
			for b.Loop() {
				post(b, c, cursor)
			}
			b.ReportMetric(megabytes, "MB")
			b.ReportMetric(load.Seconds(), "load-s")
		})
	}
}

func post(b *testing.B, c *Cloud, cursor string) string {
	b.Helper()
	body := `{"paging":true,"filter":{"clientid":[4711]}}`
	if cursor != "" {
		body = fmt.Sprintf(`{"paging":true,"filter":{"clientid":[4711]},"cursor":%q}`, cursor)
	}
	r := httptest.NewRequest(http.MethodPost, "/v2/objects/attack", strings.NewReader(body))
	r.Header.Set("X-WallarmApi-Token", AdminToken)
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatal(w.Body.String())
	}
	return w.Body.String()
}

func cursorOf(b *testing.B, body string) string {
	b.Helper()
	i := strings.LastIndex(body, `"cursor":"`)
	if i < 0 {
		b.Fatal("no cursor")
	}
	rest := body[i+len(`"cursor":"`):]
	return rest[:strings.IndexByte(rest, '"')]
}

// BenchmarkSmallCall measures calls through a real connection.
func BenchmarkSmallCall(b *testing.B) {
	c := NewCloud()
	server := httptest.NewServer(c)
	defer server.Close()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+"/v1/user", nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("X-WallarmApi-Token", AdminToken)
			resp, err := server.Client().Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}
