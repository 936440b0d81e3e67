package lab

import (
	"errors"
	"flag"
	"io"
	stdlog "log"
	"os"
	"sync"
	_ "unsafe" // for go:linkname

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	_ "k8s.io/apiserver/pkg/storage/storagebackend/factory" // has etcdClientLogger
	"k8s.io/klog/v2"
)

// etcdClientLogger is the API server's logger for its etcd client. It writes to stderr, and nothing else reaches it.
//
//go:linkname etcdClientLogger k8s.io/apiserver/pkg/storage/storagebackend/factory.etcd3ClientLogger
var etcdClientLogger *zap.Logger

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

// openLogs sends klog, the standard logger and etcd's loggers into the state directory.
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
	etcdClientLogger = sink.zap()
	return sink, nil
}

// zap is a logger for etcd's server and client, which do not use klog.
func (l *logSink) zap() *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zap.NewProductionEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, l, zapcore.WarnLevel))
}

func (l *logSink) close() error {
	klog.SetOutput(io.Discard) // components that are still dying may log on
	stdlog.SetOutput(io.Discard)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.also = nil
	return l.file.Close()
}
