package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// writePrivate puts data at path so that no one sees half of it and no one else can read it.
func writePrivate(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // created 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	// Synced before the rename: after a crash the name must not stand for an empty key.
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), ignoreMissing(os.Remove(tmp.Name())))
	}
	return nil
}
