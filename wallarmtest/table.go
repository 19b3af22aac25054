package wallarmtest

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// table is the state of one kind of configuration object, by integer id.
// Reading wants the state lock shared, writing wants it exclusive; objects
// themselves are immutable once stored.
type table struct {
	kind   string
	owner  string // member that names the client, "" when there is none
	cloud  *Cloud
	rows   map[int64]*object
	order  []int64 // ids ascending
	lastID int64
	// firstID is the id of the first object without one of its own.
	firstID int64
	lags    lags
}

// newTable registers a kind of object under the name that Put and Objects
// use. First ids differ between kinds, so that one id is never mistaken for
// another in a test.
func (c *Cloud) newTable(kind, owner string, firstID int64) *table {
	t := &table{kind: kind, owner: owner, cloud: c, rows: map[int64]*object{}, lastID: firstID - 1, firstID: firstID}
	c.tables[kind] = t
	return t
}

func (t *table) nextID() int64 {
	t.lastID++
	return t.lastID
}

// insert stores a new object; without an id it gets the next one, which
// becomes its first member.
func (t *table) insert(o *object) *object {
	id, hasID := asInt(o.get("id"))
	if !hasID {
		id = t.nextID()
		o = &object{members: append([]member{{"id", id}}, o.clone().members...)}
	}
	t.put(id, o)
	return t.rows[id]
}

// put stores an object under its id, new or not.
func (t *table) put(id int64, o *object) {
	if _, exists := t.rows[id]; !exists {
		i, _ := slices.BinarySearch(t.order, id)
		t.order = slices.Insert(t.order, i, id)
		t.lastID = max(t.lastID, id)
		t.lags.created(t.cloud, t.kind, id)
	}
	t.rows[id] = canonicalObject(o).(*object)
}

// update stores a clone of the object with the changes and returns it.
func (t *table) update(o, changes *object) *object {
	changed := canonicalObject(o.clone().merge(changes)).(*object)
	t.rows[changed.int("id")] = changed
	return changed
}

func (t *table) get(id int64) (*object, bool) {
	o, found := t.rows[id]
	return o, found
}

func (t *table) remove(id int64) {
	if _, found := t.rows[id]; !found {
		return
	}
	delete(t.rows, id)
	if i, found := slices.BinarySearch(t.order, id); found {
		t.order = slices.Delete(t.order, i, i+1)
	}
}

// clear removes everything, as Load does before it puts back what was saved.
func (t *table) clear() {
	t.rows, t.order, t.lastID = map[int64]*object{}, nil, t.firstID-1
	t.lags.forget()
}

// fill puts objects into an empty table, as they are.
func (t *table) fill(rows []*object, lastID int64) {
	for _, o := range rows {
		id := o.int("id")
		t.rows[id] = o
		t.lastID = max(t.lastID, id)
	}
	t.order = slices.Sorted(maps.Keys(t.rows))
	t.lastID = max(t.lastID, lastID)
}

// all returns every object by ascending id.
func (t *table) all() []*object {
	out := make([]*object, len(t.order))
	for i, id := range t.order {
		out[i] = t.rows[id]
	}
	return out
}

// find returns the first object that the test accepts, or nil.
func (t *table) find(test func(*object) bool) *object {
	for _, id := range t.order {
		if test(t.rows[id]) {
			return t.rows[id]
		}
	}
	return nil
}

// visible returns what a list call may show: the objects of the clients that
// the caller sees, without those that an eventual-consistency fault holds
// back.
func (t *table) visible(q *call) []*object {
	return t.seen(q, t.lags.hidden(t.cloud.Now()))
}

func (t *table) seen(q *call, hidden map[int64]bool) []*object {
	out := make([]*object, 0, len(t.order))
	for _, id := range t.order {
		o := t.rows[id]
		if hidden[id] || t.owner != "" && !q.who.sees(o.int(t.owner)) {
			continue
		}
		out = append(out, o)
	}
	return out
}

// byPath returns the object that a path parameter names, or 404: also when
// it belongs to a client that the caller does not see.
func (t *table) byPath(q *call, param string) (*object, error) {
	id, err := q.pathInt(param)
	if err != nil {
		return nil, err
	}
	o, found := t.get(id)
	if !found || t.owner != "" && !q.who.sees(o.int(t.owner)) {
		return nil, errNotFound()
	}
	return o, nil
}

// listing describes a list route over a table.
type listing struct {
	columns        columns[*object]
	order          map[string]func(*object) value
	orderBy        string
	desc           bool
	paging         paging
	filterRequired bool
	ownerRequired  bool // filter.clientid must be given
	writes         bool // a write by filter: delayed visibility does not apply
	hide           func(q *call, o *object) bool
}

// list answers the rows of the table that the filter of the request selects,
// ordered and cut to the page.
func (t *table) list(q *call, l listing) ([]*object, error) {
	rows, err := t.selectRows(q, l)
	if err != nil {
		return nil, err
	}
	ordering, err := orderBy(q, l.order, l.orderBy, l.desc)
	if err != nil {
		return nil, err
	}
	limit, offset, err := q.limits(l.paging)
	if err != nil {
		return nil, err
	}
	ordering.sort(rows)
	return offsetPage(rows, limit, offset), nil
}

// selectRows answers all rows that the filter of the request selects.
func (t *table) selectRows(q *call, l listing) ([]*object, error) {
	selected, err := q.filterObject(l.filterRequired)
	if err != nil {
		return nil, err
	}
	if t.owner != "" {
		if err := q.checkOwner(selected, t.owner, l.ownerRequired); err != nil {
			return nil, err
		}
	}
	f, err := l.columns.compile(selected)
	if err != nil {
		return nil, err
	}
	var rows []*object
	if l.writes {
		rows = t.seen(q, nil)
	} else {
		rows = t.visible(q)
	}
	return slices.DeleteFunc(rows, func(o *object) bool {
		return !f.match(o) || l.hide != nil && l.hide(q, o)
	}), nil
}

// lags holds back new objects from lists: eventual consistency. It has a
// lock of its own since lists count down under the shared state lock.
type lags struct {
	mu      sync.Mutex
	waiting map[int64]*lag
}

type lag struct {
	lists int
	until time.Time
}

func (l *lags) created(c *Cloud, kind string, id int64) {
	if !c.faults.any() {
		return
	}
	f := c.faults.pickLag(kind)
	if f == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting = map[int64]*lag{}
	}
	l.waiting[id] = &lag{lists: f.Lists, until: c.Now().Add(f.For)}
}

func (l *lags) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = nil
}

// hidden counts one list call and returns the ids still held back from it.
func (l *lags) hidden(now time.Time) map[int64]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return nil
	}
	ids := map[int64]bool{}
	for id, w := range l.waiting {
		if w.lists <= 0 && !now.Before(w.until) {
			delete(l.waiting, id)
			continue
		}
		w.lists--
		ids[id] = true
	}
	return ids
}

// kinds lists the registered kinds of objects.
func (c *Cloud) kinds() []string {
	return slices.Sorted(maps.Keys(c.tables))
}

func (c *Cloud) table(kind string) (*table, error) {
	t, found := c.tables[kind]
	if !found {
		return nil, fmt.Errorf("wallarmtest: no kind %q; there are %v", kind, c.kinds())
	}
	return t, nil
}
