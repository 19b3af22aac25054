// Rules lists, creates and deletes rules.
//
//	go run ./examples/rules list
//	go run ./examples/rules create -path '/my/api/*'
//	go run ./examples/rules delete 77120031
package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

func main() { cli.Main("examples/rules", run) }

const about = `Lists, creates and deletes rules.

Commands:
  list      list the rules
  create    create a virtual patch, which blocks requests
  delete    delete rules by their ids
Each has its own -h.`

func run(ctx context.Context, p *cli.Program) error {
	if len(p.Args) == 0 {
		return cli.Misuse("which command? One of list, create, delete")
	}
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	switch name, args := p.Args[0], p.Args[1:]; name {
	case "list":
		return list(ctx, p, flags, args)
	case "create":
		return create(ctx, p, flags, args)
	case "delete":
		return remove(ctx, p, flags, args)
	default:
		if strings.HasPrefix(name, "-") {
			if err := p.Parse(flags, p.Args, "list|create|delete [flags] [ids]", about); err != nil {
				return err
			}
		}
		return cli.Misuse("no command %q: want list, create or delete", name)
	}
}

func list(ctx context.Context, p *cli.Program, flags *flag.FlagSet, args []string) error {
	limit := flags.Int("limit", 50, "list at most this many, 0 for all")
	format := flags.String("format", "table", "table, json (one object a line, as received) or csv")
	kind := flags.String("type", "", "only rules of this type, such as vpatch")
	system := flags.Bool("system", false, "also the rules that the platform made")
	if err := p.Parse(flags, args, "list [-type vpatch] [-system] [-limit 50] [-format table|json|csv]", "Lists rules, newest first."); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return cli.Misuse("unexpected argument %q", flags.Arg(0))
	}
	if err := cli.CheckLimit(*limit); err != nil {
		return err
	}
	printer, err := cli.NewPrinter(p.Out, *format, columns()...)
	if err != nil {
		return err
	}
	var filter wallarm.RuleFilter
	if *kind != "" {
		filter.Types = []wallarm.RuleType{wallarm.RuleType(*kind)}
	}
	if !*system {
		filter.System = wallarm.Set(false)
	}
	client, stop, err := p.Client()
	if err != nil {
		return err
	}
	defer stop()
	newest := wallarm.PageOptions{OrderBy: "id", Order: wallarm.Descending}
	n, err := cli.List(p, printer, "rules", *limit, func(opts ...wallarm.CallOption) iter.Seq2[*wallarm.Page[wallarm.Rule], error] {
		return client.Rules.Pages(ctx, filter, newest, opts...)
	})
	if n == 0 && err == nil && *format == "table" {
		fmt.Fprintln(p.Out, "No rules.")
	}
	return err
}

func columns() []cli.Column[wallarm.Rule] {
	return []cli.Column[wallarm.Rule]{
		{Name: "ID", Value: func(r *wallarm.Rule) string { return strconv.FormatInt(r.ID, 10) }},
		{Name: "TYPE", Width: 24, Value: func(r *wallarm.Rule) string { return string(r.Type()) }},
		{Name: "ACTIVE", Value: func(r *wallarm.Rule) string { return strconv.FormatBool(r.IsActive()) }},
		{Name: "SCOPE", Width: 60, Value: func(r *wallarm.Rule) string { return scope(r.Conditions) }, CSV: scopeColumns()},
		{Name: "UPDATED", Value: func(r *wallarm.Rule) string { return cli.UTC(r.Updated) }, Table: func(r *wallarm.Rule) string { return cli.LocalTime(r.Updated) }},
		{Name: "COMMENT", Width: 48, Value: func(r *wallarm.Rule) string { return r.Comment }},
	}
}

// describe names a rule on one line. What others wrote into it must not control the reader's terminal.
func describe(rule *wallarm.Rule) string {
	return cli.Cut(fmt.Sprintf("rule %d: %s for %s", rule.ID, rule.Type(), scope(rule.Conditions)), 0)
}

func scope(conditions wallarm.Conditions) string {
	if len(conditions) == 0 {
		return "every request"
	}
	return conditions.String()
}

// scopeColumns are the values of scope, each for itself: the pattern, and the conditions that no pattern expresses.
func scopeColumns() []cli.Column[wallarm.Rule] {
	pattern := func(r *wallarm.Rule) string {
		if len(r.Conditions) == 0 {
			return scope(nil)
		}
		text, _ := r.Conditions.Pattern()
		return text
	}
	return []cli.Column[wallarm.Rule]{
		{Name: "SCOPE", Value: pattern},
		{Name: "OTHER CONDITIONS", Value: func(r *wallarm.Rule) string {
			return strings.Trim(strings.TrimPrefix(scope(r.Conditions), pattern(r)), " []")
		}},
	}
}

func create(ctx context.Context, p *cli.Program, flags *flag.FlagSet, args []string) error {
	path := flags.String("path", "", "the path to block, required: /my/api/* is all that is below /my/api, /login just that path")
	host := flags.String("host", "", "only requests to this host")
	attack := flags.String("attack-type", string(wallarm.AnyAttack), "only attacks of this type, such as sqli")
	comment := flags.String("comment", "", "a description")
	usage := "create -path '/my/api/*' [-host H] [-attack-type any] [-comment TEXT]"
	if err := p.Parse(flags, args, usage, "Creates a virtual patch: requests in its scope that carry such an attack are blocked.\nWith -attack-type any, all are."); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return cli.Misuse("unexpected argument %q", flags.Arg(0))
	}
	switch {
	case *path == "":
		return cli.Misuse("-path is required")
	case *attack == "":
		return cli.Misuse("-attack-type is empty")
	}
	where := wallarm.Scope()
	if strings.HasSuffix(*path, "/*") || strings.HasSuffix(*path, "/**") {
		where = where.Prefix(*path)
	} else {
		where = where.Path(*path)
	}
	hostGiven := false
	flags.Visit(func(f *flag.Flag) { hostGiven = hostGiven || f.Name == "host" })
	if hostGiven {
		where = where.Host(*host) // which refuses an empty one: an unset shell variable must not mean every host
	}
	if _, err := where.Conditions(); err != nil {
		return cli.Misuse("%v", err)
	}
	client, stop, err := p.Client()
	if err != nil {
		return err
	}
	defer stop()
	rule, err := client.Rules.Create(ctx, wallarm.NewRule{
		Scope:   where,
		Spec:    wallarm.VirtualPatch{Point: wallarm.Point{wallarm.Header("HOST")}, AttackType: wallarm.AttackType(*attack)},
		Comment: *comment,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(p.Out, "Created", describe(rule))
	return nil
}

func remove(ctx context.Context, p *cli.Program, flags *flag.FlagSet, args []string) error {
	if err := p.Parse(flags, args, "delete ID...", "Deletes rules by their ids."); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return cli.Misuse("which rules? Give their ids")
	}
	var ids []int64
	for _, arg := range flags.Args() {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || id <= 0 {
			return cli.Misuse("%q is no id", arg)
		}
		ids = append(ids, id)
	}
	client, stop, err := p.Client()
	if err != nil {
		return err
	}
	defer stop()
	result, err := client.Rules.DeleteMany(ctx, ids)
	if result != nil {
		for i := range result.Deleted {
			fmt.Fprintln(p.Out, "Deleted", describe(&result.Deleted[i]))
		}
	}
	if err != nil {
		return err
	}
	if len(result.Missing) > 0 {
		return fmt.Errorf("not deleted, since there is no such rule or it cannot be deleted: %v", result.Missing)
	}
	return nil
}
