package cli

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/wallarm-sdk/wallarm"
)

// Pages is the method of that name of Attacks or Incidents.
type Pages = func(context.Context, wallarm.AttackFilter, wallarm.PageOptions, ...wallarm.CallOption) iter.Seq2[*wallarm.Page[wallarm.Attack], error]

// ListAttacks is the whole of the examples attacks and incidents, which differ in the service that they ask.
func ListAttacks(ctx context.Context, p *Program, what string, pages func(*wallarm.Client) Pages, more ...Column[wallarm.Attack]) error {
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	since := Duration(flags, "since", 24*time.Hour, "list what happened within this `duration`, such as 12h, 7d or 2w")
	limit := flags.Int("limit", 50, "list at most this many, 0 for all")
	format := flags.String("format", "table", "table, json (one object a line, as received) or csv")
	if err := p.Parse(flags, p.Args, "[-since 24h] [-limit 50] [-format table|json|csv]", "Lists "+what+", newest first."); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return Misuse("unexpected argument %q", flags.Arg(0))
	case *since <= 0:
		return Misuse("-since %v: want a positive duration", *since)
	}
	if err := CheckLimit(*limit); err != nil {
		return err
	}
	printer, err := NewPrinter(p.Out, *format, append(attackColumns(), more...)...)
	if err != nil {
		return err
	}
	client, stop, err := p.Client()
	if err != nil {
		return err
	}
	defer stop()
	filter := wallarm.AttackFilter{Time: wallarm.Last(*since)}
	// Who reads the first few wants those that went on last. Who reads all wants the order in which none of them moves meanwhile.
	order := wallarm.PageOptions{}
	if *limit > 0 {
		order.OrderBy = "last_time"
	}
	n, err := List(p, printer, what, *limit, func(opts ...wallarm.CallOption) iter.Seq2[*wallarm.Page[wallarm.Attack], error] {
		return pages(client)(ctx, filter, order, opts...)
	})
	if n == 0 && err == nil && *format == "table" {
		fmt.Fprintf(p.Out, "No %s in the last %v.\n", what, *since)
	}
	return err
}

func attackColumns() []Column[wallarm.Attack] {
	return []Column[wallarm.Attack]{
		{Name: "LAST SEEN", Value: func(a *wallarm.Attack) string { return UTC(a.LastTime) }, Table: func(a *wallarm.Attack) string { return LocalTime(a.LastTime) }},
		{Name: "TYPE", Width: 20, Value: func(a *wallarm.Attack) string { return string(a.Type) }},
		{Name: "HITS", Value: func(a *wallarm.Attack) string { return strconv.FormatInt(a.Hits, 10) }},
		{Name: "STATUS", Width: 10, Value: func(a *wallarm.Attack) string { return string(a.BlockStatus) }},
		{Name: "FROM", Width: 24, Value: source, CSV: sourceColumns()},
		{Name: "HOST", Width: 28, Value: func(a *wallarm.Attack) string { return a.Domain }},
		{Name: "METHOD", Width: 7, Value: func(a *wallarm.Attack) string { return a.Method }},
		{Name: "PATH", Width: 36, Value: func(a *wallarm.Attack) string { return a.Path }},
		{Name: "PARAMETER", Width: 28, Value: func(a *wallarm.Attack) string { return a.Parameter }},
	}
}

// firstIP is the address with the most hits, the zero value if none is known.
func firstIP(a *wallarm.Attack) wallarm.IPCount {
	if len(a.TopIPs) == 0 {
		return wallarm.IPCount{}
	}
	return a.TopIPs[0]
}

// source is the first address and country, and how many more there are.
func source(a *wallarm.Attack) string {
	s := firstIP(a).IP
	if s == "" {
		return ""
	}
	if country := firstIP(a).Country; country != "" {
		s += " " + country
	}
	if a.IPCount > 1 {
		s += fmt.Sprintf(" +%d", a.IPCount-1)
	}
	return s
}

// sourceColumns are the values of source, each for itself.
func sourceColumns() []Column[wallarm.Attack] {
	return []Column[wallarm.Attack]{
		{Name: "IP", Value: func(a *wallarm.Attack) string { return firstIP(a).IP }},
		{Name: "COUNTRY", Value: func(a *wallarm.Attack) string { return firstIP(a).Country }},
		{Name: "IP COUNT", Value: func(a *wallarm.Attack) string { return strconv.FormatInt(a.IPCount, 10) }},
	}
}

// VulnColumn shows the vulnerability that made an attack an incident.
func VulnColumn() Column[wallarm.Attack] {
	return Column[wallarm.Attack]{Name: "VULN", Value: func(a *wallarm.Attack) string { return strings.Trim(fmt.Sprint(a.VulnIDs), "[]") }}
}
