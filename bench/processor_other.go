//go:build !unix

package main

import "time"

// processorTime is not known here, and the column stays 0.
func processorTime() time.Duration { return 0 }
