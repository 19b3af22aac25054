package wallarmtest

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestConcurrentUse reads, writes, seeds, injects and looks at the same time.
func TestConcurrentUse(t *testing.T) {
	s := NewServer(t, WithSampleData())
	var group sync.WaitGroup
	work := func(n int, do func(i int)) {
		group.Go(func() {
			for i := range n {
				do(i)
			}
		})
	}
	post := func(path, body string) {
		status, answer := send(t, s, ExtendedToken, "POST", path, body)
		assert.Contains(t, []int{http.StatusOK, http.StatusLocked}, status, answer)
	}
	for range 4 {
		work(20, func(int) {
			post("/v1/objects/attack", `{"filter":{"clientid":[4711]},"order_by":"last_time","limit":50}`)
			post("/v2/objects/attack", `{"filter":{"clientid":[4711]},"paging":true}`)
			post("/v1/objects/hit", `{"filter":{"clientid":[4711]},"order_by":"time","order_desc":true,"limit":50}`)
			post("/v1/objects/hint", `{"filter":{}}`)
			post("/v1/objects/action", `{"filter":{}}`)
		})
		work(20, func(i int) {
			post("/v1/objects/hint/create", fmt.Sprintf(
				`{"type":"wallarm_mode","mode":"block","clientid":4711,"action":[{"point":["path",%d],"value":"x"}]}`, i%3))
			post("/v1/objects/hint/delete", `{"filter":{"clientid":4711,"type":["wallarm_mode"]},"limit":1}`)
		})
	}
	work(50, func(i int) {
		id := s.SeedAttacks(Attack{Type: "xss"})[0]
		_, err := s.AddHit(id, Hit{})
		assert.NoError(t, err)
		s.Advance(time.Second)
	})
	work(3, func(int) { assert.NoError(t, s.Save(io.Discard)) })
	work(20, func(i int) {
		if i == 10 {
			s.LockRules(time.Second)
		}
		fault := s.Inject(Fault{Kind: FaultLatency, Delay: time.Microsecond, Count: 1})
		_ = fault.Hits()
		_, _ = s.Requests(), s.Rules()
		fault.Remove()
	})
	group.Wait()
}
