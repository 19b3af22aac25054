package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

// temporary is the name under which a checkpoint is written before it takes the place of the former one. It is always the same, so that what a
// killed run leaves is replaced by the next one.
func temporary(checkpoint string) string { return checkpoint + ".tmp" }

// checkFiles refuses names under which the program would write one file over another one.
func checkFiles(s settings) error {
	type file struct{ what, path string }
	var files []file
	if s.out != "" {
		files = append(files, file{"-o", s.out})
	}
	if s.format == "sqlite" {
		for _, suffix := range []string{"-wal", "-shm", "-journal"} {
			files = append(files, file{"the database's file " + suffix, s.out + suffix})
		}
	}
	if s.checkpoint != "" {
		files = append(files, file{"-checkpoint", s.checkpoint}, file{"the temporary file of -checkpoint", temporary(s.checkpoint)})
	}
	if s.html != "" {
		files = append(files, file{"-html", s.html})
	}
	for i, a := range files {
		for _, b := range files[:i] {
			if isSame(a.path, b.path) {
				return cli.Misuse("%s and %s are one file: %s", b.what, a.what, a.path)
			}
		}
	}
	return nil
}

// isSame reports whether two names are those of one file, which need not exist yet.
func isSame(a, b string) bool {
	first, err := os.Stat(a)
	if err == nil {
		if second, err := os.Stat(b); err == nil {
			return os.SameFile(first, second)
		}
	}
	return resolved(a) == resolved(b)
}

// maxLinks is how many links to links are followed, as many as Linux does.
const maxLinks = 40

// resolved is the absolute path of a file without symbolic links, also if only its directory exists.
func resolved(path string) string {
	for range maxLinks {
		dir, base := filepath.Split(path)
		if dir == "" {
			dir = "."
		}
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			path = filepath.Join(real, base)
		}
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			// Not with Join, which takes away .. before links are followed.
			target = filepath.Dir(path) + string(filepath.Separator) + target
		}
		path = target
	}
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return filepath.Clean(path)
}

// mark is how far an output was written: its length, and the hash of the last bytes before that, by which it is known again.
type mark struct {
	Size int64  `json:"size"`
	End  string `json:"end,omitempty"`
}

// markedBytes is how much of the end of an output is hashed.
const markedBytes = 4096

// markOf returns the mark of a file at size.
func markOf(file *os.File, size int64) (mark, error) {
	end := make([]byte, min(size, markedBytes))
	if _, err := file.ReadAt(end, size-int64(len(end))); err != nil {
		return mark{}, err
	}
	sum := sha256.Sum256(end)
	return mark{size, hex.EncodeToString(sum[:])}, nil
}

// check refuses a file that is not the one the mark was taken of.
func (m mark) check(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < m.Size {
		return fmt.Errorf("%s is shorter than the checkpoint says: it is another file, or was changed", file.Name())
	}
	found, err := markOf(file, m.Size)
	if err == nil && found != m {
		err = fmt.Errorf("%s does not hold what the checkpoint says: it is another file, or was changed", file.Name())
	}
	return err
}

// openOutput opens the file of the output, and makes one for its owner only unless the export goes on with it. What it holds stays as it is.
func openOutput(s settings, st *state) (*os.File, error) {
	if !st.resumed {
		return os.OpenFile(s.out, os.O_RDWR|os.O_CREATE, 0o600)
	}
	file, err := os.OpenFile(s.out, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is gone, and %s goes on behind it: bring it back, or delete the checkpoint to begin anew", s.out, s.checkpoint)
	}
	return file, err
}
