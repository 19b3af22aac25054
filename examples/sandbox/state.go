package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func stateExists(file string) (bool, error) {
	if file == "" {
		return false, nil
	}
	_, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func loadState(cloud *wallarmtest.Cloud, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	if err := cloud.Load(f); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// save writes the state beside its file and then takes the place of it, so
// that a crash leaves the old state or the new one. Only the owner may read
// it, as it holds the tokens and secrets of the cloud.
func (box *sandbox) save() (err error) {
	if box.state == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(box.state), filepath.Base(box.state)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	err = errors.Join(box.cloud.Save(f), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), box.state)
}

// quote makes one word of a text for a shell, where that is needed.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
