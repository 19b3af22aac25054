package wallarmtest

import (
	"sync"
	"time"
)

// clock is the time of the cloud: a base clock and an offset that tests move.
type clock struct {
	mu     sync.RWMutex
	base   func() time.Time
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.base().Add(c.offset)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = t.Sub(c.base())
}

// shift is how far the clock is ahead of its base.
func (c *clock) shift() time.Duration {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.offset
}

func (c *clock) setShift(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = d
}

// Now is the time on the cloud's clock.
func (c *Cloud) Now() time.Time { return c.clock.now() }

// Advance moves the clock of the cloud. Expiry, rule locks and delayed
// visibility follow it; latency faults do not.
func (c *Cloud) Advance(d time.Duration) { c.clock.advance(d) }

// SetTime moves the clock of the cloud to t; from there it goes on as before.
func (c *Cloud) SetTime(t time.Time) { c.clock.set(t) }
