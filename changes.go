package wallarm

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// This file is for changes that take more than one request: once the first of them is sent, no error may say that nothing was.

// afterChange is the error of a request that follows one which has, or may have, changed something; done says what. It matches
// [ErrOutcomeUnknown] and the reason, but never [ErrInvalidArgument].
func afterChange(op operation, done string, err error) error {
	return &CallError{
		Operation: op.name, Method: op.method, Path: op.path, Attempts: 1, Err: fmt.Errorf("%s: %w", done, noArgument(err)), OutcomeUnknown: true,
	}
}

// changeMatching is do for an update of all that a filter matches. What an attempt has changed may not match any more when the attempt is repeated, since
// its answer was lost: then the answer to the repeat, which names nothing, does not tell what was changed.
func changeMatching[T any](ctx context.Context, c *Client, op operation, a args, opts []CallOption) ([]T, error) {
	var changed []T
	got, err := c.receive(ctx, op, a, opts, &changed)
	if err != nil {
		return changed, err
	}
	if len(changed) == 0 && got.unsure {
		return nil, &CallError{
			Operation: op.name, Method: op.method, Path: op.path, Attempts: got.attempts, OutcomeUnknown: true,
			Err: errors.New("the answer to a repeat names nothing, and an attempt before it may have changed all that matched"),
		}
	}
	return changed, nil
}

// afterPart is afterChange where a result beside the error tells what was done: the error stays as it is, unless it says that nothing was sent.
func afterPart(op operation, err error) error {
	if errors.Is(err, ErrInvalidArgument) {
		return afterChange(op, "a part of the change was made before", err)
	}
	return err
}

// noArgument is err after something was sent: one that a refused argument is the reason of, such as credentials that changed meanwhile, keeps no more
// than its text.
func noArgument(err error) error {
	if errors.Is(err, ErrInvalidArgument) {
		return errors.New(err.Error())
	}
	return err
}

// readChanged reads an object that op has changed with an answer that does not show it. That the read finds none does not say that there was none to
// change: what is read may be behind what was written.
func readChanged[T any](op operation, read func() (*T, error)) (*T, error) {
	object, err := read()
	if err == nil {
		return object, nil
	}
	return nil, afterChange(op, "the answer does not show the object, and reading it failed", err)
}

// batch is what one request of a change carries.
type batch[T any] struct {
	items []T
	body  RawJSON
}

// batches cuts a change into requests. All of their bodies are encoded: what cannot be sent is refused before the first of them is.
func batches[T any](items []T, size int, body func([]T) any) ([]batch[T], error) {
	var all []batch[T]
	for part := range slices.Chunk(items, size) {
		encoded, _, err := encodeBody(args{body: body(part)})
		if err != nil {
			return nil, err
		}
		all = append(all, batch[T]{part, encoded})
	}
	return all, nil
}
