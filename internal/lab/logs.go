package lab

import (
	"errors"
	"flag"
	"io"
	stdlog "log"
	"os"
	"sync"

	"k8s.io/klog/v2"
)

// logSink takes the logs of all components: a file, and the screen when asked for.
type logSink struct {
	mu   sync.Mutex
	file *os.File
	also io.Writer
}

func (l *logSink) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.also != nil {
		if n, err := l.also.Write(b); err != nil {
			return n, err
		}
	}
	return l.file.Write(b)
}

// Sync completes zap's interface. Logs are not worth waiting for the disk.
func (l *logSink) Sync() error { return nil }

// openLogs sends klog, the standard logger and (through the value returned) etcd into the state directory.
func openLogs(s *state, o Options) (*logSink, error) {
	f, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, dirError(s.dir, err)
	}
	sink := &logSink{file: f}
	if o.Verbose {
		sink.also = o.Out
	}
	// klog's own flags are the only way to keep it off stderr.
	fs := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(fs)
	if err := errors.Join(fs.Set("logtostderr", "false"), fs.Set("stderrthreshold", "FATAL"), fs.Set("one_output", "true")); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	klog.SetOutput(sink)
	stdlog.SetOutput(sink)
	return sink, nil
}

func (l *logSink) close() error {
	klog.SetOutput(io.Discard) // components that are still dying may log on
	stdlog.SetOutput(io.Discard)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.also = nil
	return l.file.Close()
}
