package main

import (
	"os"
	"strconv"
	"syscall"
)

// becomeRemover puts `cluster remove` in the place of this process; it returns only when that fails. etcd and the controllers
// run in this process and end it with an error when a file, or the API server while they start, is taken from them. This way
// they are gone at once, and nobody writes into the directory while it is removed.
func becomeRemover(dir string, server *apiServer) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	command := []string{program, "remove", dir}
	if server.process != nil {
		command = append(command, strconv.Itoa(server.process.Pid))
	}
	return syscall.Exec(program, command, os.Environ())
}

// removeCluster takes the directory of a cluster and, while it runs, the process of its API server, which is our child.
func removeCluster(arguments []string) {
	if len(arguments) == 0 || len(arguments) > 2 {
		fail(errUsage)
	}
	if len(arguments) == 2 {
		pid, err := strconv.Atoi(arguments[1])
		if err != nil {
			fail(errUsage)
		}
		child, err := os.FindProcess(pid)
		if err != nil {
			fail(err)
		}
		_ = child.Kill() // an error: it has ended by itself
		_, _ = child.Wait()
	}
	if err := os.RemoveAll(arguments[0]); err != nil {
		fail(err)
	}
}
