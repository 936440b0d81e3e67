package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// errLocked means that a living process holds the lock.
var errLocked = errors.New("locked")

// lock is an exclusive claim that the kernel gives back when the process dies, however it dies.
type lock struct {
	file *os.File
	path string
}

// takeLock claims path and writes this process's id into it. When another process holds it, the error is errLocked
// and holder is that process's id (0 if it has not written it yet).
func takeLock(path string) (l *lock, holder int, err error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, 0, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			pid := readPID(f)
			return nil, pid, errors.Join(errLocked, f.Close())
		}
		if err != nil {
			return nil, 0, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		}
		// The holder before us removes the file as it leaves; then we locked a file without a name.
		if !sameFile(f, path) {
			if err := f.Close(); err != nil {
				return nil, 0, err
			}
			continue
		}
		if err := writePID(f); err != nil {
			return nil, 0, errors.Join(err, f.Close())
		}
		return &lock{file: f, path: path}, 0, nil
	}
}

// release removes the file first, so that no one locks a file that is about to vanish without noticing.
func (l *lock) release() error {
	return errors.Join(ignoreMissing(os.Remove(l.path)), l.file.Close())
}

func sameFile(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(f *os.File) int {
	data, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0
	}
	return pid
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// lockDataDir keeps a second `up` away from a data directory.
func lockDataDir(dir string) (*lock, error) {
	l, pid, err := takeLock(filepath.Join(dir, "lock"))
	if errors.Is(err, errLocked) {
		return nil, &Error{
			Code:  CodeRunning,
			What:  fmt.Sprintf("data directory %s is in use", dir),
			Why:   fmt.Sprintf("another everynode up (pid %d) runs on it", pid),
			Means: "nothing was started, and the other one was not disturbed",
			Next:  []Fix{{"stop it", fmt.Sprintf("kill %d", pid)}, {"or use another", "everynode up --data-dir DIR"}},
			Err:   err,
		}
	}
	if err != nil {
		return nil, dirError(dir, err)
	}
	return l, nil
}

// lockKubeconfig keeps two labs from writing, and later removing, the same kubeconfig.
func lockKubeconfig(path string) (*lock, error) {
	l, pid, err := takeLock(path + ".lock")
	if errors.Is(err, errLocked) {
		return nil, &Error{
			Code:  CodeRunning,
			What:  "everynode up is running already",
			Why:   fmt.Sprintf("process %d owns the kubeconfig %s", pid, path),
			Means: "nothing was started, and the other one was not disturbed",
			Next: []Fix{
				{"use it", "everynode kubectl --kubeconfig " + path + " get nodes"},
				{"stop it", fmt.Sprintf("kill %d", pid)},
				{"run another", "everynode up --kubeconfig FILE"},
			},
			Err: err,
		}
	}
	if err != nil {
		return nil, dirError(filepath.Dir(path), err)
	}
	return l, nil
}
