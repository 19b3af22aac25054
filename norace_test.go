//go:build !race

package wallarm

// raceEnabled says that the race detector adds allocations of its own.
const raceEnabled = false
