package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
)

// apiServer is the kube-apiserver of one cluster: it comes and goes as a child process, its port and data stay.
type apiServer struct {
	flags  []string
	client kubernetes.Interface // of the admin user
	log    *os.File
	// process and ended (which tells how it ended) are nil while the server is stopped.
	process *os.Process
	ended   chan error
}

func apiServerFlags(dir, etcd string, port int) []string {
	in := func(name string) string { return filepath.Join(dir, name) }
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port), "--permit-port-sharing",
		"--tls-cert-file=" + in("tls.crt"), "--tls-private-key-file=" + in("tls.key"), "--client-ca-file=" + in("ca.crt"),
		"--token-auth-file=" + in("tokens.csv"), "--authorization-mode=RBAC", "--allow-privileged",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + in("service-account.pub"), "--service-account-signing-key-file=" + in("service-account.key"),
		"--service-cluster-ip-range=10.0.0.0/16",            // a /24 is used up by 250 Services
		"--disable-admission-plugins=TaintNodesByCondition", // nothing runs here that would take the taint off again
		"--endpoint-reconciler-type=none", "--profiling=false", "--v=0",
	}
}

// start returns when the server is ready, or with an error when it ends before, or the parent is lost.
func (server *apiServer) start(lost <-chan struct{}) error {
	if server.process != nil {
		return errors.New("the API server runs already")
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(program, append([]string{"apiserver"}, server.flags...)...)
	command.Stdout, command.Stderr = server.log, server.log
	// Nothing is ever written to it; it closes with this process, and that ends the child: see watchParent.
	if _, err := command.StdinPipe(); err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	server.process, server.ended = command.Process, ended
	return server.awaitReady(lost, 2*time.Minute)
}

func (server *apiServer) awaitReady(lost <-chan struct{}, limit time.Duration) error {
	deadline := time.After(limit)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err := server.client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case how := <-server.ended:
			server.process, server.ended = nil, nil
			return fmt.Errorf("the API server ended while it started (%v); apiserver.log says why", how)
		case <-deadline:
			return fmt.Errorf("the API server was not ready after %s: %w", limit, err)
		case <-lost:
			return errParentGone
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop kills the server as a crash would, and returns when the process is gone.
func (server *apiServer) stop() {
	if server.process == nil {
		return
	}
	_ = server.process.Kill()
	<-server.ended
	server.process, server.ended = nil, nil
}
