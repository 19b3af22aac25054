// Attacks lists the attacks of the last day, newest first.
//
//	go run ./examples/attacks -since 24h -limit 50
package main

import (
	"context"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

func main() { cli.Main("examples/attacks", run) }

func run(ctx context.Context, p *cli.Program) error {
	return cli.ListAttacks(ctx, p, "attacks", func(c *wallarm.Client) cli.Pages { return c.Attacks.Pages })
}
