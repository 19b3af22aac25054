// Iplists shows and changes the deny, allow and gray lists.
//
//	go run ./examples/iplists show -list deny
//	go run ./examples/iplists add -list deny -for 24h -reason "scanner" 203.0.113.7 198.51.100.0/24 country:AQ
//	go run ./examples/iplists remove -list deny 203.0.113.7
//	go run ./examples/iplists sync -list deny -dry-run blocklist.txt
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

func main() { cli.Main("examples/iplists", run) }

const about = `Shows and changes the deny, allow and gray lists.

Commands:
  show     list the entries
  add      add values
  remove   remove values
  sync     make a list equal to a file
Each has its own -h.

A value is an address or subnet (203.0.113.7, 198.51.100.0/24, 2001:db8::/32), country:NL, datacenter:aws or proxy:TOR.`

func run(ctx context.Context, p *cli.Program) error {
	if len(p.Args) == 0 {
		return cli.Misuse("which command? One of show, add, remove, sync")
	}
	name, args := p.Args[0], p.Args[1:]
	c := &command{Program: p, flags: flag.NewFlagSet(p.Name+" "+name, flag.ContinueOnError)}
	switch name {
	case "show":
		return c.show(ctx, args)
	case "add":
		return c.add(ctx, args)
	case "remove":
		return c.remove(ctx, args)
	case "sync":
		return c.sync(ctx, args)
	}
	if strings.HasPrefix(name, "-") {
		if err := p.Parse(c.flags, p.Args, "show|add|remove|sync [flags] [values]", about); err != nil {
			return err
		}
	}
	return cli.Misuse("no command %q: want show, add, remove or sync", name)
}

// command is one run of a command.
type command struct {
	*cli.Program
	flags  *flag.FlagSet
	list   string
	reason string
	period time.Duration
}

// parse parses flags, which may stand before and behind the other arguments, and returns the latter.
func (c *command) parse(args []string, usage, about string) ([]string, error) {
	var rest []string
	for {
		if err := c.Parse(c.flags, args, usage, about); err != nil {
			return nil, err
		}
		if c.flags.NArg() == 0 {
			break
		}
		rest, args = append(rest, c.flags.Arg(0)), c.flags.Args()[1:]
	}
	if c.period < 0 {
		return nil, cli.Misuse("-for %v: want a positive duration, or 0", c.period)
	}
	return rest, nil
}

// termFlags are the flags of the commands that add something.
func (c *command) termFlags() {
	c.flags.StringVar(&c.reason, "reason", "", "the reason to note with what is added")
	cli.DurationVar(c.flags, &c.period, "for", 0, "the `duration` that it stays in the list, such as 24h or 7d; 0 is for ever")
}

func (c *command) terms() wallarm.IPTerms {
	terms := wallarm.IPTerms{Reason: c.reason, ExpiresAt: wallarm.Forever}
	if c.period > 0 {
		terms.ExpiresAt = time.Now().Add(c.period)
	}
	return terms
}

// chosenList is the list of the flag.
func (c *command) chosenList() (wallarm.IPList, error) {
	list, err := wallarm.ParseIPList(c.list)
	if err != nil || list == wallarm.APIAbuseExceptions {
		return "", cli.Misuse("-list %s: want deny, allow or gray", c.list)
	}
	return list, nil
}

func (c *command) show(ctx context.Context, args []string) error {
	format := c.flags.String("format", "table", "table, json (one object a line, as received) or csv")
	query := c.flags.String("query", "", "only entries with this text in their values or reason")
	c.flags.StringVar(&c.list, "list", "all", "deny, allow, gray or all")
	rest, err := c.parse(args, "show [-list deny] [-query TEXT] [-format table|json|csv]", "Lists the entries.")
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return cli.Misuse("unexpected argument %q", rest[0])
	}
	filter := wallarm.IPFilter{Query: *query}
	if c.list != "all" {
		if filter.List, err = c.chosenList(); err != nil {
			return err
		}
	}
	printer, err := cli.NewPrinter(c.Out, *format, columns()...)
	if err != nil {
		return err
	}
	client, stop, err := c.Client()
	if err != nil {
		return err
	}
	defer stop()
	n := 0
	for page, err := range client.IPLists.Pages(ctx, filter, wallarm.PageOptions{}, wallarm.KeepRaw()) {
		if err != nil {
			return err
		}
		if err := printer.Page(page); err != nil {
			return err
		}
		n += len(page.Items)
	}
	if n == 0 && *format == "table" {
		fmt.Fprintln(c.Out, "No entries.")
	}
	return printer.Close()
}

func columns() []cli.Column[wallarm.IPEntry] {
	type entry = wallarm.IPEntry
	return []cli.Column[entry]{
		{Name: "LIST", Width: 8, Value: func(e *entry) string { return string(e.List) }},
		{Name: "KIND", Width: 12, Value: func(e *entry) string { return string(e.Kind) }},
		{Name: "VALUES", Width: 48, Value: func(e *entry) string { return strings.Join(e.Values, " ") }},
		{Name: "UNTIL", Value: func(e *entry) string { return until(e, cli.UTC) }, Table: func(e *entry) string { return until(e, cli.LocalTime) }},
		{Name: "APPLICATIONS", Width: 16, Value: applications},
		{Name: "REASON", Width: 40, Value: func(e *entry) string { return e.Reason }},
		{Name: "ID", Value: func(e *entry) string { return strconv.FormatInt(e.ID, 10) }},
	}
}

func until(e *wallarm.IPEntry, format func(wallarm.Timestamp) string) string {
	if e.IsForever() {
		return "forever"
	}
	return format(e.ExpiresAt)
}

func applications(e *wallarm.IPEntry) string {
	var ids []string
	for _, id := range e.ApplicationIDs {
		if id == wallarm.AllApplications {
			return "all"
		}
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	return strings.Join(ids, " ")
}

// values reads the values of the command line.
func values(args []string) ([]wallarm.IPValue, error) {
	if len(args) == 0 {
		return nil, cli.Misuse("no values: name an address, a subnet, country:NL, datacenter:aws or proxy:TOR")
	}
	parsed := make([]wallarm.IPValue, len(args))
	for i, text := range args {
		var err error
		if parsed[i], err = wallarm.ParseIPValue(text); err != nil {
			return nil, cli.Misuse("%v", err)
		}
	}
	return parsed, nil
}

func (c *command) add(ctx context.Context, args []string) error {
	c.termFlags()
	c.flags.StringVar(&c.list, "list", "deny", "deny, allow or gray")
	force := c.flags.Bool("force", false, "overwrite what is in the list already")
	rest, err := c.parse(args, "add [-list deny] [-for 24h] [-reason TEXT] [-force] VALUE…", "Adds values to a list.")
	if err != nil {
		return err
	}
	list, err := c.chosenList()
	if err != nil {
		return err
	}
	parsed, err := values(rest)
	if err != nil {
		return err
	}
	client, stop, err := c.Client()
	if err != nil {
		return err
	}
	defer stop()
	n, err := client.IPLists.Add(ctx, wallarm.NewIPEntries{List: list, Values: parsed, IPTerms: c.terms(), Force: *force})
	if err != nil {
		return fmt.Errorf("%d values were added, then: %w", n, err)
	}
	fmt.Fprintf(c.Out, "Added %d values to the %s list.\n", n, list)
	return nil
}

func (c *command) remove(ctx context.Context, args []string) error {
	c.flags.StringVar(&c.list, "list", "deny", "deny, allow or gray")
	rest, err := c.parse(args, "remove [-list deny] VALUE…", "Removes values from a list. Those that are not in it do no harm.")
	if err != nil {
		return err
	}
	list, err := c.chosenList()
	if err != nil {
		return err
	}
	parsed, err := values(rest)
	if err != nil {
		return err
	}
	client, stop, err := c.Client()
	if err != nil {
		return err
	}
	defer stop()
	n, err := client.IPLists.RemoveValues(ctx, list, parsed)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "Removed %d values from the %s list.\n", n, list)
	return nil
}

const aboutSync = `Makes a list equal to a file, which has a value on each line; what follows a # is a comment. A file named - is
standard input. Kinds of values that the file has none of stay as they are, unless they are among -kinds: a file of
addresses leaves countries alone. A file without values takes -allow-empty, and -kinds to say what it was to hold.

The plan is printed first. With -dry-run that is all.`

func (c *command) sync(ctx context.Context, args []string) error {
	c.termFlags()
	c.flags.StringVar(&c.list, "list", "deny", "deny, allow or gray")
	dry := c.flags.Bool("dry-run", false, "show what would be done, and do nothing")
	refresh := c.flags.Bool("refresh", false, "also bring reason and expiry of what is in the list up to date")
	own := c.flags.Bool("own", false, "leave entries alone whose reason is not that of -reason")
	kindNames := c.flags.String("kinds", "", "the `kinds` of values to make equal, such as subnet,country; by default those that the file has")
	empty := c.flags.Bool("allow-empty", false, "take a file without values as the wish to remove all of -kinds")
	rest, err := c.parse(args, "sync [-list deny] [-dry-run] [-for 24h] [-reason TEXT] [-refresh] [-own] [-kinds KINDS] [-allow-empty] FILE", aboutSync)
	if err != nil {
		return err
	}
	list, err := c.chosenList()
	switch {
	case err != nil:
		return err
	case len(rest) != 1:
		return cli.Misuse("want one FILE, have %d", len(rest))
	case *own && c.reason == "":
		return cli.Misuse("-own goes with a -reason")
	}
	kinds, err := parseKinds(*kindNames)
	if err != nil {
		return err
	}
	wanted, err := readFile(rest[0])
	if err != nil {
		return err
	}
	if len(wanted) == 0 && (!*empty || kinds == nil) {
		return fmt.Errorf("%s holds no values, so everything would be removed: say -allow-empty and of which -kinds if that is meant", rest[0])
	}
	client, stop, err := c.Client()
	if err != nil {
		return err
	}
	defer stop()
	options := wallarm.SyncOptions{IPTerms: c.terms(), Kinds: kinds, KeepTerms: !*refresh, AllowEmpty: *empty}
	if *own {
		options.Keep = func(e *wallarm.IPEntry) bool { return e.Reason != c.reason }
	}
	plan, err := client.IPLists.PlanSync(ctx, list, wallarm.Wanted(wanted...), options)
	if err != nil {
		return err
	}
	for line := range strings.Lines(plan.String()) {
		fmt.Fprintln(c.Out, cli.Cut(strings.TrimSuffix(line, "\n"), 0))
	}
	switch {
	case plan.IsEmpty():
		return nil
	case *dry:
		fmt.Fprintln(c.Err, "Dry run: nothing was changed.")
		return nil
	}
	result, err := client.IPLists.Apply(ctx, plan)
	if err != nil {
		return fmt.Errorf("added %d, updated %d, then: %w", result.Added, result.Updated, err)
	}
	fmt.Fprintf(c.Out, "Added %d, updated %d, removed %d.\n", result.Added, result.Updated, result.Removed)
	return nil
}

// parseKinds reads the kinds of a flag; nil are those of the file.
func parseKinds(names string) ([]wallarm.IPKind, error) {
	if names == "" {
		return nil, nil
	}
	var kinds []wallarm.IPKind
	for name := range strings.SplitSeq(names, ",") {
		switch kind := wallarm.IPKind(name); kind {
		case wallarm.IPSubnet, wallarm.IPCountry, wallarm.IPDatacenter, wallarm.IPProxy:
			kinds = append(kinds, kind)
		default:
			return nil, cli.Misuse("-kinds %s: want subnet, country, datacenter or proxy, with commas between them", names)
		}
	}
	return kinds, nil
}

// readFile reads the values of a file.
func readFile(name string) ([]wallarm.IPValue, error) {
	var in io.Reader = os.Stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	var wanted []wallarm.IPValue
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		value, err := wallarm.ParseIPValue(text)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		wanted = append(wanted, value)
	}
	return wanted, lines.Err()
}
