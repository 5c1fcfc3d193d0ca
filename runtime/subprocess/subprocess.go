// Package subprocess runs a program of the user as if it had replaced this process: with its terminal, standard
// streams, signals and exit status.
//
// It runs the child and manages a directory for the child's files. It does not choose the program or its environment.
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
	Path string   // path of the executable
	Args []string // without the program name
	Env  []string // KEY=VALUE, the complete environment
}

// Signals catches the signals that this process receives between CatchSignals and Release. They are forwarded to the
// child and do not end this process, so that it can always clean up what it prepared for the child.
type Signals struct {
	caught chan os.Signal
	resume func()
}

// CatchSignals starts to catch signals for a child.
func CatchSignals(ctx context.Context) *Signals {
	s := &Signals{caught: make(chan os.Signal, 8)}
	signal.Notify(s.caught, forwarded...)
	s.resume = grace.SuspendSignals(ctx)
	return s
}

// Release restores the default handling of signals.
func (s *Signals) Release() {
	signal.Stop(s.caught)
	s.resume()
}

// Run runs a program until it ends and returns its exit status. If a signal ended the program, the status is 128 plus
// the signal number, as in shells. Run forwards caught signals to the program unless the terminal has already delivered
// them. It returns an error if the program could not be started.
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
					_ = cmd.Process.Signal(sig) // the process may have ended
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
