package wallarm

import (
	"context"
	"time"
)

// pollInterval is how often a wait asks if the caller does not say.
const pollInterval = 5 * time.Second

// poll calls ask, and again after each interval, until it says that it is done, fails, or the context ends.
func poll(ctx context.Context, op operation, interval time.Duration, ask func() (done bool, err error)) error {
	switch {
	case ctx == nil:
		return invalid("context", "it is nil")
	case interval < 0:
		return invalid("interval", "%v is negative", interval)
	case interval == 0:
		interval = pollInterval
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		done, err := ask()
		if done || err != nil {
			return err
		}
		timer.Reset(interval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return &CallError{Operation: op.name, Method: op.method, Path: op.path, Err: context.Cause(ctx)}
		}
	}
}
