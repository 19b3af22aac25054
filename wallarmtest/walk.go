package wallarmtest

import (
	"slices"
	"sync/atomic"
)

// walkLog lets a walk by cursor see the attacks as they were when it began.
// Attacks are ordered by their last time, and a new hit moves an attack to
// the front, behind the back of a walk that has not come to it yet. The log
// remembers from where it moved, so the walk still finds it there, once.
type walkLog struct {
	revision uint64      // grows with every new attack and every move
	begun    atomic.Bool // a cursor has been given out: moves are logged from then on
	moves    []move
}

// move is an attack that has left its place in the order.
type move struct {
	revision uint64 // of the move
	attack   int32
	last     int64  // its last time before
	bumped   uint64 // its revision before
}

const maxMoves = 1 << 18

func (l *walkLog) note(index int32, a *attack) {
	l.revision++
	if !l.begun.Load() {
		return
	}
	if len(l.moves) >= maxMoves {
		l.moves = slices.Delete(l.moves, 0, maxMoves/2)
	}
	l.moves = append(l.moves, move{l.revision, index, a.last, a.bumped})
}

// restart forgets the moves: after a bulk load no place is what it was.
func (l *walkLog) restart() { l.moves = nil }

// placed is an attack at the time that a walk sees it.
type placed struct {
	last  int64
	index int32
}

func (p placed) before(q placed) bool { return compareTimed(p.last, p.index, q.last, q.index) < 0 }

// walk yields the attacks of the clients from newest to oldest, those
// strictly before the mark, as they stood at the revision.
func (s *eventStore) walk(clients []int64, mark placed, revision uint64, yield func(placed) bool) {
	orders := s.ordersBefore(clients, mark)
	moved := s.movedSince(clients, mark, revision)
	for {
		best, from := placed{index: -1}, -1
		for i, order := range orders {
			for len(order) > 0 && s.attacks[order[len(order)-1]].bumped > revision {
				order = order[:len(order)-1] // new since then, or moved
			}
			orders[i] = order
			if len(order) == 0 {
				continue
			}
			index := order[len(order)-1]
			p := placed{s.attacks[index].last, index}
			if from < 0 || best.before(p) {
				best, from = p, i
			}
		}
		if len(moved) > 0 && (from < 0 || best.before(moved[len(moved)-1])) {
			best = moved[len(moved)-1]
			moved = moved[:len(moved)-1]
		} else if from >= 0 {
			orders[from] = orders[from][:len(orders[from])-1]
		} else {
			return
		}
		if !s.attacks[best.index].gone && !yield(best) {
			return
		}
	}
}

func (s *eventStore) ordersBefore(clients []int64, mark placed) [][]int32 {
	var orders [][]int32
	for _, id := range clients {
		if e := s.clients[id]; e != nil {
			orders = append(orders, e.attacks[:s.attackPlace(e.attacks, mark.last, mark.index)])
		}
	}
	return orders
}

// movedSince returns the attacks that have moved since the revision, at the
// places they had then, oldest first.
func (s *eventStore) movedSince(clients []int64, mark placed, revision uint64) []placed {
	var out []placed
	start, _ := slices.BinarySearchFunc(s.walks.moves, revision+1, func(m move, r uint64) int {
		if m.revision < r {
			return -1
		}
		return 1
	})
	for _, m := range s.walks.moves[start:] {
		p := placed{m.last, m.attack}
		first := m.bumped <= revision
		if first && p.before(mark) && slices.Contains(clients, s.attacks[m.attack].shape.clientID) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b placed) int { return compareTimed(a.last, a.index, b.last, b.index) })
	return out
}
