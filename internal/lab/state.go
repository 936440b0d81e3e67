package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// maxSocketPath is what a unix socket's name may measure (sun_path is 108 bytes with its final zero).
const maxSocketPath = 107

// state is the directory that one lab lives in.
type state struct {
	dir     string
	keep    bool   // a --data-dir: survives the process
	run     string // 0700 directory for the sockets; outside dir when dir's path is too long for a socket
	resumed bool   // the directory held a cluster before
	lock    *lock
}

const (
	tempPrefix = "everynode-"
	// sweepAge spares a directory whose owner may be between making its lock file and locking it.
	sweepAge = time.Minute
)

// sweep removes the temporary directories of labs that were killed: nothing is left behind for long.
func sweep(root string) error {
	locks, err := filepath.Glob(filepath.Join(root, tempPrefix+"*", "lock"))
	if err != nil {
		return err
	}
	for _, path := range locks {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < sweepAge {
			continue
		}
		l, _, err := takeLock(path)
		if err != nil {
			continue // alive, or another user's
		}
		if err := errors.Join(os.RemoveAll(filepath.Dir(path)), l.release()); err != nil {
			return err
		}
	}
	return nil
}

// openState creates or resumes the directory and claims it.
func openState(dataDir string) (*state, error) {
	s := &state{dir: dataDir, keep: dataDir != ""}
	if !s.keep {
		if err := sweep(os.TempDir()); err != nil {
			return nil, dirError(os.TempDir(), err)
		}
		dir, err := os.MkdirTemp("", tempPrefix)
		if err != nil {
			return nil, dirError(os.TempDir(), err)
		}
		s.dir = dir
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *state) prepare() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return dirError(s.dir, err)
	}
	// Keys and etcd's socket are below: the directory must be closed even if it was made by someone else.
	if err := os.Chmod(s.dir, 0o700); err != nil {
		return dirError(s.dir, err)
	}
	l, err := lockDataDir(s.dir)
	if err != nil {
		return err
	}
	s.lock = l
	if _, err := os.Stat(s.path("pki", "ca.key")); err == nil {
		s.resumed = true
	}
	s.run = s.path("run")
	// etcd reads "," and "=" in its addresses as separators.
	if len(filepath.Join(s.run, "client.sock")) > maxSocketPath || strings.ContainsAny(s.run, ",=%?#") {
		if s.run, err = os.MkdirTemp("", "en-"); err != nil {
			return dirError(os.TempDir(), err)
		}
	}
	for _, d := range []string{s.path("pki"), s.path("etcd"), s.run} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return dirError(d, err)
		}
	}
	// The directory is ours alone now, so a socket in it is what a killed lab left.
	if err := os.Remove(s.controllerSocket()); err != nil && !os.IsNotExist(err) {
		return dirError(s.run, err)
	}
	return nil
}

func (s *state) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// controllerSocket is where the everynode controller tells what it knows.
func (s *state) controllerSocket() string { return filepath.Join(s.run, "live.sock") }

func (s *state) logFile() string { return s.path("everynode.log") }

// keptLog is the log file if it will still be there for someone to read, and "" otherwise.
func (s *state) keptLog() string {
	if s.keep {
		return s.logFile()
	}
	return ""
}

// close gives the directory back: a temporary one is removed, a kept one loses its sockets and lock.
func (s *state) close() error {
	var errs []error
	if s.run != "" {
		errs = append(errs, os.RemoveAll(s.run))
	}
	if !s.keep && s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	return errors.Join(errs...)
}

// listen opens the API server's port on loopback. Doing it first means that a taken port is reported before
// anything starts, and that a free port cannot be lost between choosing and using it.
func (s *state) listen(port int) (net.Listener, error) {
	remembered := false
	if port == 0 {
		port = s.savedPort()
		remembered = port != 0
	}
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil && remembered {
		l, err = net.Listen("tcp4", "127.0.0.1:0")
	}
	if err != nil {
		return nil, portError(port, err)
	}
	got := strconv.Itoa(portOf(l))
	if err := os.WriteFile(s.path("port"), []byte(got+"\n"), 0o600); err != nil {
		return nil, errors.Join(dirError(s.dir, err), l.Close())
	}
	return l, nil
}

// portOf is the port of a TCP listener.
func portOf(l net.Listener) int {
	return int(netip.MustParseAddrPort(l.Addr().String()).Port())
}

// savedPort is the port of the last run, so that kubeconfigs handed out then stay right; 0 when unknown.
func (s *state) savedPort() int {
	data, err := os.ReadFile(s.path("port"))
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || port < 1 || port > 65535 {
		return 0
	}
	return port
}

func portError(port int, err error) *Error {
	return &Error{
		Code:  CodePortTaken,
		What:  fmt.Sprintf("port %d cannot be used", port),
		Why:   fmt.Sprintf("127.0.0.1:%d: %v", port, rootCause(err)),
		Means: "nothing was started",
		Next:  []Fix{{"see who has it", fmt.Sprintf("ss -ltnp 'sport = :%d'", port)}, {"use a free port", "everynode up --port 0"}},
		Err:   err,
	}
}

func dirError(dir string, err error) *Error {
	return &Error{
		Code:  CodeDir,
		What:  fmt.Sprintf("directory %s cannot be used", dir),
		Why:   err.Error(),
		Means: "nothing was started",
		Next:  []Fix{{"use another", "everynode up --data-dir DIR"}, {"or none", "everynode up   (a temporary one, removed at the end)"}},
		Err:   err,
	}
}

// rootCause drops the layers that Go's network errors add, which repeat the address.
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
