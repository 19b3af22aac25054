//go:build race

package main

// raceEnabled says that the race detector adds allocations of its own.
const raceEnabled = true
