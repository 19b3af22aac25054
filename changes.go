package wallarm

import (
	"errors"
	"fmt"
	"net/http"
)

// This file is for changes that take more than one request: once the first of them is sent, no error may say that nothing was.

// afterChange is the error of a request that follows one which has, or may have, changed something; done says what. It matches
// [ErrOutcomeUnknown] and the reason, but never [ErrInvalidArgument].
func afterChange(op operation, done string, err error) error {
	return &CallError{
		Operation: op.name, Method: op.method, Path: op.path, Attempts: 1, Err: fmt.Errorf("%s: %w", done, noArgument(err)), OutcomeUnknown: true,
	}
}

// noArgument is err after something was sent: one that a refused argument is the reason of, such as credentials that changed meanwhile, keeps no more
// than its text.
func noArgument(err error) error {
	if errors.Is(err, ErrInvalidArgument) {
		return errors.New(err.Error())
	}
	return err
}

// readChanged reads an object that op has changed with an answer that does not show it. That the read finds none, says that there was none to change.
func readChanged[T any](op operation, read func() (*T, error)) (*T, error) {
	object, err := read()
	var answer *APIError
	if err == nil || errors.As(err, &answer) && answer.StatusCode == http.StatusOK && errors.Is(err, ErrNotFound) {
		return object, err
	}
	return nil, afterChange(op, "the answer does not show the object, and reading it failed", err)
}
