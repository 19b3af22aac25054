package main

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"os"
	"slices"
	"time"
)

// count is a name and its number of events.
type count struct {
	Name string
	N    int64
	// Width and Y place its bar.
	Width, Y int
}

// chart is the tallest counts of one kind.
type chart struct {
	Title  string
	Bars   []count
	Height int
}

// column is a span of time and its number of events.
type column struct {
	X, Y, Width, Height float64
	Label               string
}

// summary is what the report shows.
type summary struct {
	What        string
	Events      int64
	From, Until string
	Columns     []column
	Charts      []chart
}

// report draws a page about the whole output.
func report(s settings, st *state) error {
	seen := map[string]struct{}{}
	types, countries, hosts, addresses := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	hours := map[int64]int64{}
	sum := summary{What: s.what}
	first, last := time.Time{}, time.Time{}
	err := readBack(s, func(r record) {
		if _, again := seen[r.ID]; again {
			return
		}
		seen[r.ID] = struct{}{}
		sum.Events++
		types[r.Type]++
		countries[r.Country]++
		hosts[r.Domain]++
		addresses[r.IP]++
		if r.Time.IsZero() {
			return
		}
		hours[r.Time.Unix()/3600]++
		if first.IsZero() || r.Time.Before(first) {
			first = r.Time
		}
		if r.Time.After(last) {
			last = r.Time
		}
	})
	if err != nil {
		return fmt.Errorf("reading the output for the report: %w", err)
	}
	sum.From, sum.Until = st.From.UTC().Format(time.RFC1123), last.UTC().Format(time.RFC1123)
	if !first.IsZero() {
		sum.Columns = timeline(hours, first.Unix()/3600, last.Unix()/3600)
	}
	sum.Charts = []chart{
		top("By type", types), top("By country", countries), top("Top hosts", hosts), top("Top addresses", addresses),
	}
	file, err := os.OpenFile(s.html, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := page.Execute(file, sum); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// top returns the twelve largest counts as bars.
func top(title string, counts map[string]int64) chart {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	names = names[:min(len(names), 12)]
	c := chart{Title: title, Height: 24 * len(names)}
	for i, name := range names {
		n := counts[name]
		width := max(int(300*n/counts[names[0]]), 1)
		c.Bars = append(c.Bars, count{Name: cmp.Or(name, "unknown"), N: n, Width: width, Y: 24 * i})
	}
	return c
}

// timeline draws the hours from first to last as at most 120 columns.
func timeline(hours map[int64]int64, first, last int64) []column {
	each := (last-first)/120 + 1
	n := (last-first)/each + 1
	sums := make([]int64, n)
	for hour, events := range hours {
		sums[(hour-first)/each] += events
	}
	tallest := max(slices.Max(sums), 1)
	width := 960 / float64(n)
	var columns []column
	for i, events := range sums {
		height := 180 * float64(events) / float64(tallest)
		from := time.Unix((first+int64(i)*each)*3600, 0).UTC()
		columns = append(columns, column{
			X: float64(i) * width, Y: 180 - height, Width: max(width-1, 1), Height: height,
			Label: fmt.Sprintf("%s, %d h: %d", from.Format("2006-01-02 15:04"), each, events),
		})
	}
	return columns
}

// The page loads nothing: styles and charts stand in it. Everything that attackers chose goes through html/template.
var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Report: {{.What}}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#1c2733}
h1{margin-bottom:0}h2{font-size:1.1em}p{color:#5b6b7b}.charts{display:grid;grid-template-columns:1fr 1fr;gap:1em 2em}
svg{width:100%;height:auto}rect{fill:#f76b15}text{font-size:12px;fill:#1c2733}
</style></head><body>
<h1>{{.Events}} {{.What}}</h1><p>from {{.From}}; the latest at {{.Until}}</p>
<h2>Over time</h2>
<svg viewBox="0 0 960 180" role="img" aria-label="over time">{{range .Columns}}<rect x="{{.X}}" y="{{.Y}}" width="{{.Width}}" height="{{.Height}}"><title>{{.Label}}</title></rect>{{end}}</svg>
<div class="charts">{{range .Charts}}<section><h2>{{.Title}}</h2>
<svg viewBox="0 0 560 {{.Height}}" role="img" aria-label="{{.Title}}">{{range .Bars}}<g transform="translate(0 {{.Y}})"><text x="0" y="15">{{printf "%.28s" .Name}}</text><rect x="190" y="3" width="{{.Width}}" height="16"></rect><text x="500" y="15">{{.N}}</text></g>{{end}}</svg>
</section>{{end}}</div>
</body></html>
`))
