package lab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// startEtcd runs etcd on unix sockets in a directory that only this user may enter, and returns when it serves.
func startEtcd(ctx context.Context, s *state, log *zap.Logger) (*embed.Etcd, error) {
	e, err := embed.StartEtcd(etcdConfig(s, log))
	if err != nil {
		return nil, err
	}
	select {
	case <-e.Server.ReadyNotify():
		return e, nil
	case err := <-e.Err():
		return nil, err
	case <-e.Server.StopNotify():
		return nil, errors.New("it stopped while starting")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func etcdConfig(s *state, log *zap.Logger) *embed.Config {
	client := url.URL{Scheme: "unix", Path: filepath.Join(s.run, "client.sock")}
	// One member needs no peers, but etcd does not start without a peer address.
	peer := url.URL{Scheme: "unix", Path: filepath.Join(s.run, "peer.sock")}

	cfg := embed.NewConfig()
	cfg.Name = "everynode"
	cfg.Dir = s.path("etcd")
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = fmt.Sprintf("%s=%s", cfg.Name, peer.String())
	// A member alone elects itself: short ticks save the better part of a second at each start.
	cfg.TickMs, cfg.ElectionMs = 20, 200
	// Data that will be thrown away needs no fsync; data that is kept survives a power cut.
	cfg.UnsafeNoFsync = !s.keep
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
	return cfg
}

// etcdEndpoint is how the API server reaches it.
func etcdEndpoint(s *state) string {
	return (&url.URL{Scheme: "unix", Path: filepath.Join(s.run, "client.sock")}).String()
}
