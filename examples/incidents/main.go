// Incidents lists the incidents of the last day, the attacks that exploited a vulnerability, newest first.
//
//	go run ./examples/incidents -since 24h -limit 50
package main

import (
	"context"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

func main() { cli.Main("examples/incidents", run) }

func run(ctx context.Context, p *cli.Program) error {
	return cli.ListAttacks(ctx, p, "incidents", func(c *wallarm.Client) cli.Pages { return c.Incidents.Pages }, cli.VulnColumn())
}
