package main

import (
	"fmt"
	"path/filepath"
	"strings"

	logsapi "k8s.io/component-base/logs/api/v1"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// Those that a user of the cluster would miss: without clusterrole-aggregation the roles admin, edit and view are empty,
// without the protection controllers a deleted volume claim keeps its finalizer for ever.
var controllers = []string{
	"namespace", "serviceaccount", "serviceaccount-token", "garbage-collector", "clusterrole-aggregation",
	"deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob", "disruption", "resourcequota",
	"endpointslice", "root-ca-certificate-publisher", "validatingadmissionpolicy-status",
	"persistentvolume-binder", "persistentvolumeclaim-protection", "persistentvolume-protection",
}

// runControllers runs until the process ends; a lost API server is waited for.
func runControllers(dir string) {
	// The logging set-up is process-wide; a second one would be an error.
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged
	command := controllermanager.NewControllerManagerCommand()
	command.SetArgs([]string{
		"--kubeconfig=" + filepath.Join(dir, "kubeconfig"), "--leader-elect=false", "--secure-port=0",
		"--service-account-private-key-file=" + filepath.Join(dir, "service-account.key"),
		"--root-ca-file=" + filepath.Join(dir, "ca.crt"), "--use-service-account-credentials=true",
		"--kube-api-qps=1000", "--kube-api-burst=2000",
		"--controllers=" + strings.Join(controllers, "-controller,") + "-controller",
	})
	if err := command.Execute(); err != nil {
		fail(fmt.Errorf("kube-controller-manager: %w", err))
	}
}
