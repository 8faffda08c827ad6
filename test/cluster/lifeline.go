package main

import (
	"bufio"
	"errors"
	"os"
	"sync"
	"time"
)

var errParentGone = errors.New("the parent is gone")

// watchParent gives the lines of stdin, and closes lost when the parent is gone. The end of stdin tells that at once, also
// after a kill -9; the parent's id is watched too, because a third process may have inherited the other end of the pipe.
func watchParent() (lines <-chan string, lost <-chan struct{}) {
	input, gone := make(chan string), make(chan struct{})
	var once sync.Once
	end := func() { once.Do(func() { close(gone) }) }
	parent := os.Getppid()
	go func() {
		scanner := bufio.NewScanner(os.Stdin)
		for scanner.Scan() {
			input <- scanner.Text()
		}
		end()
	}()
	go func() {
		for os.Getppid() == parent {
			time.Sleep(500 * time.Millisecond)
		}
		end()
	}()
	return input, gone
}
