package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// EtcdOptions say where an etcd of its own keeps its data.
type EtcdOptions struct {
	DataDir string // "" = a temporary directory that is removed at the end
	Verbose bool   // its log on Out instead of only in the log file
	Out     io.Writer
	Program string // how the user calls this binary, for the command that is suggested
}

// Etcd runs the lab's etcd alone, says where, and stops it when ctx ends. For labs that use it: Options.EtcdServers.
func Etcd(ctx context.Context, o EtcdOptions) (err error) {
	dir := o.DataDir
	if dir != "" {
		if dir, err = filepath.Abs(dir); err != nil {
			return badOption(fmt.Sprintf("--data-dir %s cannot be resolved", o.DataDir), err.Error(), Fix{"use", "an absolute path"})
		}
	}
	s, err := openState(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.run != s.path("run") { // it would be found elsewhere after each start
		return badOption(fmt.Sprintf("--data-dir %s cannot hold a socket", s.dir), "the path is too long, or has a character that etcd splits addresses at",
			Fix{"use a short one", "everynode etcd --data-dir /tmp/etcd"})
	}
	logs, err := openLogs(s, Options{Out: o.Out, Verbose: o.Verbose})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logs.close()) }()
	return serveEtcd(ctx, s, logs, o)
}

func serveEtcd(ctx context.Context, s *state, logs *logSink, o EtcdOptions) error {
	start, cancel := context.WithTimeout(ctx, phaseLimit)
	defer cancel()
	e, err := startEtcd(start, s, logs.zap())
	if ctx.Err() != nil {
		return nil //nolint:nilerr // told to stop while it started
	}
	if err != nil {
		told := startError("etcd", err, s.keptLog())
		told.Next[0] = Fix{"see its log", "everynode etcd -v"}
		return told
	}
	newPhases(o.Out).printf("etcd serves %s\n  Use it    %s up --etcd-servers %s\n", etcdEndpoint(s), o.Program, etcdEndpoint(s))
	select {
	case <-ctx.Done():
		closeEtcd(e)
		return nil
	case err := <-e.Err():
		closeEtcd(e)
		return diedError("etcd", err.Error(), err)
	}
}

// closeEtcd gives clients that hang on to it no more time than a stop may take. What it has answered is in its log on disk.
func closeEtcd(e *embed.Etcd) {
	closed := make(chan struct{})
	go func() { e.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(stopLimit):
	}
}

// etcdPatience is how long a start waits for an etcd that runs elsewhere: it may be starting too.
const etcdPatience = 10 * time.Second

// reachEtcd waits until something listens at each address.
func reachEtcd(ctx context.Context, servers string) error {
	ctx, cancel := context.WithTimeout(ctx, etcdPatience)
	defer cancel()
	for _, server := range strings.Split(servers, ",") {
		u, err := url.Parse(server)
		if err != nil {
			return err // complete has parsed it before
		}
		network, address := "tcp", u.Host
		if u.Scheme == "unix" {
			network, address = "unix", u.Host+u.Path
		}
		if err := dial(ctx, network, address); err != nil {
			return &Error{
				Code:  CodeStart,
				What:  "no etcd answers at " + server,
				Why:   rootCause(err).Error(),
				Means: "everything that had started was stopped again",
				Next:  []Fix{{"start one", "everynode etcd --data-dir DIR"}, {"or use the one within", "leave --etcd-servers out"}},
				Err:   err,
			}
		}
	}
	return nil
}

// dial tries until the connection stands or ctx ends.
func dial(ctx context.Context, network, address string) error {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// checkEtcdServers refuses what the API server could not read.
func checkEtcdServers(servers string) error {
	if servers == "" {
		return nil
	}
	for _, server := range strings.Split(servers, ",") {
		u, err := url.Parse(server)
		if err == nil && (u.Scheme == "unix" && u.Host+u.Path != "" || (u.Scheme == "http" || u.Scheme == "https") && u.Host != "") {
			continue
		}
		return badOption(fmt.Sprintf("--etcd-servers=%s is no address", servers), fmt.Sprintf("%q has no scheme that is known, or nothing behind it", server),
			Fix{"a socket", "everynode up --etcd-servers unix:///DIR/run/client.sock"},
			Fix{"a port", "everynode up --etcd-servers http://127.0.0.1:2379"})
	}
	return nil
}
