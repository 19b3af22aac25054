package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wallarm-sdk/wallarm"
)

// Column is a column of a table or CSV file.
type Column[T any] struct {
	Name string
	// Width is where a table cuts the value; 0 for nowhere.
	Width int
	// Value returns the value, for tables and CSV alike.
	Value func(*T) string
	// Table returns the value for tables, if it is another one.
	Table func(*T) string
	// CSV are the columns that stand in place of this one in a CSV file: a value for people may join several, but not one for programs.
	CSV []Column[T]
}

// Printer writes items in one of the formats table, json and csv.
type Printer[T any] struct {
	columns []Column[T]
	out     io.Writer
	format  string
	table   *tabwriter.Writer
	csv     *csv.Writer
	began   bool
}

// NewPrinter makes a printer for a format.
func NewPrinter[T any](out io.Writer, format string, columns ...Column[T]) (*Printer[T], error) {
	p := &Printer[T]{columns: columns, out: out, format: format}
	switch format {
	case "table":
		p.table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	case "csv":
		p.csv, p.columns = csv.NewWriter(out), apart(columns)
	case "json":
	default:
		return nil, Misuse("-format %s: want table, json or csv", format)
	}
	return p, nil
}

// apart returns the columns of a CSV file.
func apart[T any](columns []Column[T]) []Column[T] {
	var out []Column[T]
	for _, column := range columns {
		if column.CSV != nil {
			out = append(out, column.CSV...)
		} else {
			out = append(out, column)
		}
	}
	return out
}

// Page writes the items of a page.
func (p *Printer[T]) Page(page *wallarm.Page[T]) error {
	for i := range page.Items {
		var raw wallarm.RawJSON
		if page.Raw != nil {
			raw = page.Raw[i]
		}
		if err := p.Item(&page.Items[i], raw); err != nil {
			return err
		}
	}
	return p.Flush()
}

// Item writes one item; raw is the item as it was received, for the format json.
func (p *Printer[T]) Item(item *T, raw wallarm.RawJSON) error {
	if p.format == "json" {
		// As received, on one line.
		line := append(wallarm.RawJSON(nil), raw...)
		if err := line.Compact(); err != nil {
			line = raw
		}
		_, err := fmt.Fprintf(p.out, "%s\n", line)
		return err
	}
	p.header()
	row := make([]string, len(p.columns))
	for i, column := range p.columns {
		if p.table == nil {
			row[i] = column.Value(item)
			continue
		}
		value := column.Value
		if column.Table != nil {
			value = column.Table
		}
		row[i] = Cut(value(item), column.Width)
	}
	return p.row(row)
}

func (p *Printer[T]) header() {
	if p.began {
		return
	}
	p.began = true
	names := make([]string, len(p.columns))
	for i, column := range p.columns {
		names[i] = column.Name
		if p.csv != nil {
			names[i] = strings.ReplaceAll(strings.ToLower(column.Name), " ", "_")
		}
	}
	_ = p.row(names)
}

func (p *Printer[T]) row(values []string) error {
	if p.csv != nil {
		for i := range values {
			values[i] = Harmless(values[i])
		}
		return p.csv.Write(values)
	}
	_, err := fmt.Fprintln(p.table, strings.TrimRight(strings.Join(values, "\t"), "\t"))
	return err
}

// formula is what a spreadsheet may take for the beginning of a formula: its sign, ordinary or full-width, behind blanks, invisible characters or
// quotes that programs drop. It begins a cell, or stands behind a semicolon, tab or line end: a spreadsheet that separates by semicolons or tabs
// does not heed the quotes of cells that are separated by commas, and begins a new cell there.
var formula = regexp.MustCompile(`(^|[;\t\r\n])([\pZ\p{Cf}\p{Co}\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"]*[=+\-@＝＋－＠])`)

// Harmless keeps a spreadsheet from taking what an attacker sent for a formula. A number is none, negative or not.
func Harmless(cell string) string {
	if _, err := strconv.ParseInt(cell, 10, 64); err == nil {
		return cell
	}
	safe := formula.ReplaceAllString(cell, "$1'$2")
	if safe != "" && strings.ContainsRune("\t\r\n", rune(safe[0])) {
		return "'" + safe
	}
	return safe
}

// Flush writes what is held back.
func (p *Printer[T]) Flush() error {
	if p.csv != nil {
		p.csv.Flush()
		return p.csv.Error()
	}
	if p.table != nil {
		return p.table.Flush()
	}
	return nil
}

// Close ends the output. A CSV file has its header even if there was nothing to write.
func (p *Printer[T]) Close() error {
	if p.csv != nil {
		p.header()
	}
	return p.Flush()
}

// Cut makes s safe to print on a terminal, on one line of at most width runes: what attackers sent must not control the reader's terminal.
func Cut(s string, width int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, s)
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return s
	}
	runes := []rune(s)
	return string(runes[:width-1]) + "…"
}

// LocalTime is t for a table, in the local zone.
func LocalTime(t wallarm.Timestamp) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// UTC is t for a file.
func UTC(t wallarm.Timestamp) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
