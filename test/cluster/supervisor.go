package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// options are the flags of `cluster run`.
type options struct {
	dir            string
	port           int
	controllers    bool
	audit          bool
	unlimited      bool
	temporary      bool
	apiServerFlags []string
	users          users
}

// description is what a client needs to know; cluster.json holds it, rewritten whole each time the API server is ready.
type description struct {
	URL          string            `json:"url"`
	CAFile       string            `json:"caFile"`
	Kubeconfig   string            `json:"kubeconfig"`
	Tokens       map[string]string `json:"tokens"`
	AuditLog     string            `json:"auditLog,omitempty"`
	PID          int               `json:"pid"`
	APIServerPID int               `json:"apiServerPid"`
}

// event is one line of stdout: `started` (the API server is ready), `stopped`, or `failed` with a message.
type event struct {
	Event   string `json:"event"`
	Message string `json:"message,omitempty"`
}

func parseOptions(arguments []string) options {
	read := options{users: defaultUsers()}
	flags := flag.NewFlagSet("run", flag.ExitOnError)
	flags.StringVar(&read.dir, "dir", "", "directory for everything that is written; must not hold a cluster yet")
	flags.IntVar(&read.port, "port", 0, "port of the API server; 0 takes a free one")
	flags.BoolVar(&read.controllers, "controllers", true, "run the controllers and make pods ready")
	flags.BoolVar(&read.audit, "audit", false, "log every request to audit.log")
	flags.BoolVar(&read.unlimited, "unlimited", false, "no priority and fairness, no cap on requests in flight")
	flags.BoolVar(&read.temporary, "temporary", false, "remove the directory at the end")
	flags.Func("apiserver-flag", "a further flag of kube-apiserver; may be repeated", func(text string) error {
		read.apiServerFlags = append(read.apiServerFlags, text)
		return nil
	})
	flags.Func("user", "a further user: name or name=group,group; may be repeated", read.users.add)
	_ = flags.Parse(arguments) // ExitOnError
	return read
}

// runSupervisor runs until stdin ends or the parent is gone. Lines of stdin are commands: `stop` kills the API server,
// `start` starts it again; each is answered by one event. An API server that ends by itself ends everything.
func runSupervisor(chosen options) {
	commands, lost := watchParent()
	server := &apiServer{}
	about, err := startControlPlane(chosen, server, lost)
	for err == nil {
		select {
		case command := <-commands:
			err = obey(command, server, about, lost)
		case how := <-server.ended:
			server.process = nil
			err = fmt.Errorf("the API server ended by itself (%v); apiserver.log says why", how)
		case <-lost:
			err = errParentGone
		}
	}
	if chosen.temporary && errors.Is(err, errParentGone) {
		err = becomeRemover(chosen.dir, server)
	}
	server.stop()
	if !errors.Is(err, errParentGone) {
		report(event{"failed", err.Error()}) // and the directory stays: its logs are wanted
		os.Exit(1)
	}
}

func obey(command string, server *apiServer, about description, lost <-chan struct{}) error {
	switch command {
	case "stop":
		server.stop()
		report(event{Event: "stopped"})
		return nil
	case "start":
		if err := server.start(lost); err != nil {
			return err
		}
		return announce(about, server)
	default:
		return fmt.Errorf("unknown command %q", command)
	}
}

func startControlPlane(chosen options, server *apiServer, lost <-chan struct{}) (description, error) {
	about, port, err := prepare(chosen)
	if err != nil {
		return about, err
	}
	etcd, err := startEtcd(chosen.dir)
	if err != nil {
		return about, err
	}
	server.flags = apiServerFlags(chosen.dir, etcd, port)
	if chosen.audit {
		flags, err := auditFlags(filepath.Join(chosen.dir, "audit-policy.yaml"), about.AuditLog)
		if err != nil {
			return about, err
		}
		server.flags = append(server.flags, flags...)
	}
	if chosen.unlimited {
		server.flags = append(server.flags,
			"--enable-priority-and-fairness=false", "--max-requests-inflight=0", "--max-mutating-requests-inflight=0")
	}
	server.flags = append(server.flags, chosen.apiServerFlags...) // last: they win
	if server.log, err = os.Create(filepath.Join(chosen.dir, "apiserver.log")); err != nil {
		return about, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", about.Kubeconfig)
	if err != nil {
		return about, err
	}
	config.QPS = -1 // no limit
	if server.client, err = kubernetes.NewForConfig(config); err != nil {
		return about, err
	}
	if err := server.start(lost); err != nil {
		return about, err
	}
	if chosen.controllers {
		go runControllers(chosen.dir)
		go runNode(server.client)
	}
	return about, announce(about, server)
}

// prepare reserves the port and writes keys, certificates, tokens and the kubeconfig.
func prepare(chosen options) (description, int, error) {
	in := func(name string) string { return filepath.Join(chosen.dir, name) }
	if chosen.dir == "" || !filepath.IsAbs(chosen.dir) {
		return description{}, 0, errors.New("-dir must be an absolute path")
	}
	if _, err := os.Stat(in("etcd")); err == nil {
		return description{}, 0, fmt.Errorf("%s holds the data of another cluster; choose an empty directory", chosen.dir)
	}
	if err := os.MkdirAll(chosen.dir, 0o700); err != nil {
		return description{}, 0, err
	}
	port, err := holdPort(chosen.port)
	if err != nil {
		return description{}, 0, err
	}
	if err := writeServingPair(chosen.dir); err != nil {
		return description{}, 0, err
	}
	if err := writeServiceAccountKeys(in("service-account.key"), in("service-account.pub")); err != nil {
		return description{}, 0, err
	}
	about := description{
		URL:        fmt.Sprintf("https://127.0.0.1:%d", port),
		CAFile:     in("ca.crt"),
		Kubeconfig: in("kubeconfig"),
		PID:        os.Getpid(),
	}
	if chosen.audit {
		about.AuditLog = in("audit.log")
	}
	if about.Tokens, err = chosen.users.writeTokens(in("tokens.csv")); err != nil {
		return about, port, err
	}
	return about, port, writeKubeconfig(about.Kubeconfig, about.URL, about.CAFile, about.Tokens["admin"])
}

// announce writes cluster.json, by rename so that nobody reads half of it, and then tells the parent.
func announce(about description, server *apiServer) error {
	about.APIServerPID = server.process.Pid
	text, err := json.Marshal(about)
	if err != nil {
		return err
	}
	file := filepath.Join(filepath.Dir(about.Kubeconfig), "cluster.json")
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	report(event{Event: "started"})
	return nil
}

func report(line event) {
	_ = json.NewEncoder(os.Stdout).Encode(line)
}
