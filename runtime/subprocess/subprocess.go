// Package subprocess runs a program of the user's in the place of this process: with its terminal, its streams, the signals
// that it gets, and its exit status.
//
// What may go in: how a child runs, and the folder of what is made for it. What may not: which program it is, and what it finds in its environment.
package subprocess

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"

	"fn-runtime/runtime/grace"
)

// Command is the program to run.
type Command struct {
	Path string   // of the program
	Args []string // what follows its name
	Env  []string // KEY=VALUE, the whole of its environment
}

// Signals are those that this process gets from CatchSignals to Release. They are for the child: none ends this process, so that
// what was prepared for the child is put away whatever comes.
type Signals struct {
	caught chan os.Signal
	resume func()
}

// CatchSignals begins to keep signals for a child.
func CatchSignals(ctx context.Context) *Signals {
	s := &Signals{caught: make(chan os.Signal, 8)}
	signal.Notify(s.caught, passed...)
	s.resume = grace.SuspendSignals(ctx)
	return s
}

// Release gives the signals back.
func (s *Signals) Release() {
	signal.Stop(s.caught)
	s.resume()
}

// Run runs a program to its end and returns its exit status: that of the program or, where a signal ended it, 128 and the
// signal's number, as shells have it. The signals go to the program; those that a terminal has given to it already are not
// given twice. An error means that it did not start.
func (s *Signals) Run(c Command) (status int, err error) {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, c.Env
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case sig := <-s.caught:
				if !alreadyDelivered(sig) {
					_ = cmd.Process.Signal(sig) // it may have ended
				}
			case <-ended:
				return
			}
		}
	}()
	err = cmd.Wait()
	close(ended)
	<-stopped
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return statusOf(cmd.ProcessState), nil
}
