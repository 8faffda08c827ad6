// A Kubernetes control plane for tests, demo and benchmarks: etcd, kube-apiserver, kube-controller-manager and pods that
// get ready by themselves. Everything comes from ordinary Go modules; test/cluster.ts builds and drives it.
//
// Two processes: the supervisor holds etcd, the controllers and the pods; the API server is its child, so that it can be
// killed and started again on the same data and port. Both end when whoever started them is gone.
package main

import (
	"errors"
	"fmt"
	"os"

	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

var errUsage = errors.New(`usage:
  cluster run -dir DIR [flags]     runs a control plane until stdin ends; see supervisor.go
  cluster certificates -dir DIR    writes ca.crt, tls.crt and tls.key for 127.0.0.1 and localhost
  cluster apiserver FLAG…          one kube-apiserver; "run" starts it
  cluster remove DIR [PID]         ends the child PID and removes DIR; "run" becomes it at the end`)

func main() {
	if len(os.Args) < 2 {
		fail(errUsage)
	}
	switch arguments := os.Args[2:]; os.Args[1] {
	case "run":
		runSupervisor(parseOptions(arguments))
	case "certificates":
		writeCertificates(arguments)
	case "apiserver":
		runAPIServer(arguments)
	case "remove":
		removeCluster(arguments)
	default:
		fail(errUsage)
	}
}

func runAPIServer(arguments []string) {
	_, lost := watchParent()
	go func() {
		<-lost
		os.Exit(1)
	}()
	command := apiserver.NewAPIServerCommand()
	command.SetArgs(arguments)
	if command.Execute() != nil {
		os.Exit(1) // the command has printed why
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "fatal:", err)
	os.Exit(1)
}
