package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// meter shows how far the export has come: a bar on a terminal, a line every ten seconds elsewhere.
type meter struct {
	to       io.Writer
	terminal bool
	total    int64
	first    int64
	last     int64
	began    time.Time
	shown    time.Time
}

func newMeter(to io.Writer, terminal bool) *meter { return &meter{to: to, terminal: terminal} }

// begin starts a count at first of total, 0 if nobody knows.
func (m *meter) begin(total, first int64) {
	m.total, m.first, m.last, m.began, m.shown = total, first, first, time.Now(), time.Time{}
}

func (m *meter) update(n int64) {
	pause := 10 * time.Second
	if m.terminal {
		pause = 100 * time.Millisecond
	}
	if m.last = n; time.Since(m.shown) < pause {
		return
	}
	m.shown = time.Now()
	m.show()
}

func (m *meter) show() {
	if m.terminal {
		fmt.Fprintf(m.to, "\r\x1b[K%s %s", bar(m.last, m.total), m.line(time.Since(m.began)))
		return
	}
	fmt.Fprintln(m.to, m.line(time.Since(m.began)))
}

// line says how many, how fast and how long still.
func (m *meter) line(spent time.Duration) string {
	rate := float64(m.last-m.first) / max(spent.Seconds(), 1e-3)
	text := fmt.Sprintf("%d", m.last)
	if m.total > 0 {
		text += fmt.Sprintf(" of %d", m.total)
	}
	text += fmt.Sprintf(", %.0f/s", rate)
	if left := m.total - m.last; left > 0 && rate > 0 {
		text += fmt.Sprintf(", %v left", time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second))
	}
	return text
}

func bar(n, total int64) string {
	if total <= 0 {
		return ""
	}
	filled := int(min(n*30/total, 30))
	return "[" + strings.Repeat("#", filled) + strings.Repeat(".", 30-filled) + "]"
}

// say writes a line of its own.
func (m *meter) say(format string, args ...any) {
	if m.terminal {
		fmt.Fprint(m.to, "\r\x1b[K")
	}
	fmt.Fprintf(m.to, format+"\n", args...)
}

func (m *meter) finish() {
	if !m.began.IsZero() {
		m.show()
	}
	if m.terminal {
		fmt.Fprintln(m.to)
	}
}
