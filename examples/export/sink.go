package main

import (
	"bufio"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

// record is an attack or a hit: the columns of CSV and SQLite, and all of it as JSON.
type record struct {
	ID, Type, Domain, Path, IP, Country, Status string
	Time                                        time.Time
	Hits                                        int64
	JSON                                        []byte
}

var columns = []string{"id", "time", "type", "domain", "path", "ip", "country", "block_status", "hits"}

func fromAttack(a *wallarm.Attack) (record, error) {
	data, err := json.Marshal(a)
	r := record{
		ID: key(data, a.ID, a.AttackID), Type: string(a.Type), Domain: a.Domain, Path: a.Path, Status: string(a.BlockStatus), Time: a.LastTime.Time,
		Hits: a.Hits, JSON: data,
	}
	if len(a.TopIPs) > 0 {
		r.IP, r.Country = a.TopIPs[0].IP, a.TopIPs[0].Country
	}
	if r.Country == "" && len(a.TopCountries) > 0 {
		r.Country = a.TopCountries[0].Country
	}
	return r, err
}

func fromHit(h *wallarm.Hit) (record, error) {
	data, err := json.Marshal(h)
	return record{
		ID: key(data, h.ID), Type: string(h.Type), Domain: h.Domain, Path: h.Path, IP: h.IP, Country: h.Country, Status: string(h.BlockStatus),
		Time: h.Time.Time, Hits: 1, JSON: data,
	}, err
}

// key is what a row is known by, as iterators know the event: its first id that is not empty, as index:doc, or as JSON where that would be unclear or not
// all; without one, a hash of all that it says.
func key(data []byte, ids ...wallarm.EventID) string {
	for _, id := range ids {
		text := id.String()
		switch again, err := wallarm.ParseEventID(text); {
		case id.IsZero():
		case strings.Contains(text, `"`):
			return asJSON(id)
		case err == nil && id.Equal(again), !strings.Contains(text, ":") && id.Equal(wallarm.EventID{Doc: text}):
			return text
		default:
			return asJSON(id)
		}
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func asJSON(id wallarm.EventID) string {
	text, _ := json.Marshal(id) // an id can always be written
	return string(text)
}

// sink is where records go. What was committed outlives the process.
type sink interface {
	// Begin cuts the output back to what was committed last. Before it, the output is not touched.
	Begin() error
	Write(record) error
	// Commit returns the mark of a file that can be cut back to what was committed, else a zero one.
	Commit() (mark, error)
	Close() error
}

// open opens the output, and refuses one that is not what the checkpoint says.
func open(s settings, stdout io.Writer, st *state) (sink, error) {
	if s.out == "" {
		return newFileSink(s, stdout, nil, mark{}), nil
	}
	file, err := openOutput(s, st)
	if err != nil {
		return nil, err
	}
	if s.format == "sqlite" {
		return &sqliteSink{path: s.out, resumed: st.resumed}, file.Close()
	}
	if st.resumed {
		err = st.check(file)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return newFileSink(s, file, file, st.mark), nil
}

// fileSink writes lines.
type fileSink struct {
	file *os.File
	to   *bufio.Writer
	rows *csv.Writer
	from mark
}

func newFileSink(s settings, to io.Writer, file *os.File, from mark) *fileSink {
	f := &fileSink{file: file, to: bufio.NewWriterSize(to, 1<<16), from: from}
	if s.format == "csv" {
		f.rows = csv.NewWriter(f.to)
	}
	return f
}

func (f *fileSink) Begin() error {
	if f.file != nil {
		if err := f.file.Truncate(f.from.Size); err != nil {
			return err
		}
		if _, err := f.file.Seek(f.from.Size, io.SeekStart); err != nil {
			return err
		}
	}
	if f.rows != nil && f.from.Size == 0 {
		return f.rows.Write(columns)
	}
	return nil
}

func (f *fileSink) Write(r record) error {
	if f.rows == nil {
		_, err := f.to.Write(append(r.JSON, '\n'))
		return err
	}
	row := []string{
		r.ID, r.Time.UTC().Format(time.RFC3339), r.Type, r.Domain, r.Path, r.IP, r.Country, r.Status, strconv.FormatInt(r.Hits, 10),
	}
	for i := range row {
		row[i] = cli.Harmless(row[i])
	}
	return f.rows.Write(row)
}

func (f *fileSink) Commit() (mark, error) {
	if f.rows != nil {
		f.rows.Flush()
		if err := f.rows.Error(); err != nil {
			return mark{}, err
		}
	}
	if err := f.to.Flush(); err != nil || f.file == nil {
		return mark{}, err
	}
	if err := f.file.Sync(); err != nil {
		return mark{}, err
	}
	size, err := f.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return mark{}, err
	}
	return markOf(f.file, size)
}

func (f *fileSink) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// sqliteSink keeps one row for each id.
type sqliteSink struct {
	path    string
	resumed bool
	db      *sql.DB
	tx      *sql.Tx
}

// openDatabase opens a file by its path: package sqlite would take a part of some names for options.
func openDatabase(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	address := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(path), "/")}
	return sql.Open("sqlite", address.String())
}

// Begin opens the database. The file exists already, since SQLite would make one that others can read; its companions take over the mode.
func (s *sqliteSink) Begin() (err error) {
	if s.db, err = openDatabase(s.path); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	if s.resumed {
		if _, err = s.db.Exec("SELECT id FROM events LIMIT 1"); err != nil {
			return fmt.Errorf("%s does not hold what the checkpoint says: %w", s.path, err)
		}
	}
	_, err = s.db.Exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
		CREATE TABLE IF NOT EXISTS events (
			id TEXT PRIMARY KEY, time TEXT, type TEXT, domain TEXT, path TEXT, ip TEXT, country TEXT, block_status TEXT, hits INTEGER, json TEXT
		) WITHOUT ROWID; CREATE INDEX IF NOT EXISTS events_time ON events (time)`)
	return err
}

func (s *sqliteSink) Write(r record) (err error) {
	if s.tx == nil {
		if s.tx, err = s.db.Begin(); err != nil {
			return err
		}
	}
	_, err = s.tx.Exec(`INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET time=excluded.time, type=excluded.type,
		domain=excluded.domain, path=excluded.path, ip=excluded.ip, country=excluded.country, block_status=excluded.block_status,
		hits=excluded.hits, json=excluded.json`,
		r.ID, r.Time.UTC().Format(time.RFC3339), r.Type, r.Domain, r.Path, r.IP, r.Country, r.Status, r.Hits, string(r.JSON))
	return err
}

func (s *sqliteSink) Commit() (mark, error) {
	if s.tx == nil {
		return mark{}, nil
	}
	tx := s.tx
	s.tx = nil
	return mark{}, tx.Commit()
}

func (s *sqliteSink) Close() error {
	if s.tx != nil {
		_ = s.tx.Rollback()
	}
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// readBack visits all records of an output, which several runs may have written. JSON is not filled in.
func readBack(s settings, visit func(record)) error {
	if s.format == "sqlite" {
		return readSQLite(s.out, visit)
	}
	file, err := os.Open(s.out)
	if err != nil {
		return err
	}
	defer file.Close()
	if s.format == "csv" {
		return readCSV(file, visit)
	}
	d := json.NewDecoder(bufio.NewReaderSize(file, 1<<16))
	for {
		var r record
		if s.what == "hits" {
			var h wallarm.Hit
			if err = d.Decode(&h); err == nil {
				r, err = fromHit(&h)
			}
		} else {
			var a wallarm.Attack
			if err = d.Decode(&a); err == nil {
				r, err = fromAttack(&a)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		visit(r)
	}
}

func readCSV(file io.Reader, visit func(record)) error {
	rows := csv.NewReader(bufio.NewReader(file))
	for n := 0; ; n++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 {
			visit(fromColumns(row))
		}
	}
}

func readSQLite(path string, visit func(record)) error {
	db, err := openDatabase(path)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Query("SELECT " + strings.Join(columns, ",") + " FROM events")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row := make([]string, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		visit(fromColumns(row))
	}
	return rows.Err()
}

func fromColumns(row []string) record {
	at, _ := time.Parse(time.RFC3339, row[1])
	hits, _ := strconv.ParseInt(row[8], 10, 64)
	return record{ID: row[0], Time: at, Type: row[2], Domain: row[3], Path: row[4], IP: row[5], Country: row[6], Status: row[7], Hits: hits}
}
