package main

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// holdPort reserves a loopback port for the life of this process: the socket is bound but never listens, and the API server
// shares it (--permit-port-sharing). So nobody can take the port between choosing it and listening on it, nor while the API
// server is down. Port 0 lets the kernel choose a free one.
func holdPort(port int) (int, error) {
	if port != 0 {
		// Sharing would silently succeed beside another test cluster of the same user; a plain bind does not.
		probe, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return 0, fmt.Errorf("port %d is taken, choose another: %w", port, err)
		}
		probe.Close()
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return 0, err
	}
	unix.CloseOnExec(socket)
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, err
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, fmt.Errorf("cannot reserve port %d of 127.0.0.1: %w", port, err)
	}
	bound, err := unix.Getsockname(socket)
	if err != nil {
		return 0, err
	}
	return bound.(*unix.SockaddrInet4).Port, nil
}
