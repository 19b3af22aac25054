package wallarmtest

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if any test left a goroutine, and so a connection, behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
