package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// startEtcd serves on a Unix socket in dir, which needs no port and is nobody else's, and returns its URL. The data is
// disposable: nothing is synced to disk.
func startEtcd(dir string) (string, error) {
	client := url.URL{Scheme: "unix", Path: filepath.Join(dir, "etcd.sock")}
	peer := url.URL{Scheme: "unix", Path: filepath.Join(dir, "etcd-peer.sock")}
	unused := url.URL{Scheme: "http", Host: "localhost:1"} // must be advertised, is never called by a single member
	wal.SegmentSizeBytes = 8 << 20                         // the file is allocated in advance; 64 MB by default

	config := embed.NewConfig()
	config.Dir = filepath.Join(dir, "etcd")
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{unused}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{unused}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.UnsafeNoFsync = true
	config.QuotaBackendBytes = 4 << 30
	config.LogLevel = "error"
	config.WarningUnaryRequestDuration = time.Second // zero, the constructor's value, logs every request as slow
	server, err := embed.StartEtcd(config)
	if err != nil {
		return "", fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-server.Server.ReadyNotify():
		return client.String(), nil
	case err := <-server.Err():
		return "", fmt.Errorf("etcd: %w", err)
	}
}
