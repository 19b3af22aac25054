package main

import (
	"bufio"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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
	r := record{
		ID: a.ID.String(), Type: string(a.Type), Domain: a.Domain, Path: a.Path, Status: string(a.BlockStatus), Time: a.LastTime.Time, Hits: a.Hits,
	}
	if len(a.TopIPs) > 0 {
		r.IP, r.Country = a.TopIPs[0].IP, a.TopIPs[0].Country
	}
	if r.Country == "" && len(a.TopCountries) > 0 {
		r.Country = a.TopCountries[0].Country
	}
	var err error
	r.JSON, err = json.Marshal(a)
	return r, err
}

func fromHit(h *wallarm.Hit) (record, error) {
	data, err := json.Marshal(h)
	return record{
		ID: h.ID.String(), Type: string(h.Type), Domain: h.Domain, Path: h.Path, IP: h.IP, Country: h.Country, Status: string(h.BlockStatus),
		Time: h.Time.Time, Hits: 1, JSON: data,
	}, err
}

// sink is where records go. What was committed outlives the process.
type sink interface {
	Write(record) error
	// Commit returns the length of a file that can be cut back to what was committed, else 0.
	Commit() (int64, error)
	Close() error
}

// open opens the output and cuts it back to size, which was committed last.
func open(s settings, stdout io.Writer, size int64) (sink, error) {
	if s.format == "sqlite" {
		return openSQLite(s.out)
	}
	f := &fileSink{to: bufio.NewWriterSize(stdout, 1<<16), size: size}
	if s.out != "" {
		file, err := os.OpenFile(s.out, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		info, err := file.Stat()
		if err == nil && info.Size() < size {
			err = fmt.Errorf("%s is shorter than the checkpoint says: it is another file, or was changed", s.out)
		}
		if err == nil {
			err = file.Truncate(size)
		}
		if err == nil {
			_, err = file.Seek(size, io.SeekStart)
		}
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		f.file = file
		f.to.Reset(file)
	}
	if s.format == "csv" {
		f.rows = csv.NewWriter(f.to)
		if size == 0 {
			return f, f.rows.Write(columns)
		}
	}
	return f, nil
}

// fileSink writes lines.
type fileSink struct {
	file *os.File
	to   *bufio.Writer
	rows *csv.Writer
	size int64
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

func (f *fileSink) Commit() (int64, error) {
	if f.rows != nil {
		f.rows.Flush()
		if err := f.rows.Error(); err != nil {
			return 0, err
		}
	}
	if err := f.to.Flush(); err != nil || f.file == nil {
		return 0, err
	}
	if err := f.file.Sync(); err != nil {
		return 0, err
	}
	return f.file.Seek(0, io.SeekCurrent)
}

func (f *fileSink) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// sqliteSink keeps one row for each id.
type sqliteSink struct {
	db *sql.DB
	tx *sql.Tx
}

func openSQLite(path string) (*sqliteSink, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
		CREATE TABLE IF NOT EXISTS events (
			id TEXT PRIMARY KEY, time TEXT, type TEXT, domain TEXT, path TEXT, ip TEXT, country TEXT, block_status TEXT, hits INTEGER, json TEXT
		) WITHOUT ROWID; CREATE INDEX IF NOT EXISTS events_time ON events (time)`)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &sqliteSink{db: db}, nil
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

func (s *sqliteSink) Commit() (int64, error) {
	if s.tx == nil {
		return 0, nil
	}
	tx := s.tx
	s.tx = nil
	return 0, tx.Commit()
}

func (s *sqliteSink) Close() error {
	if s.tx != nil {
		_ = s.tx.Rollback()
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
	db, err := sql.Open("sqlite", path)
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
