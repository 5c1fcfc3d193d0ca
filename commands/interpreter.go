package commands

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"fn-runtime/runtime/regular"
)

// interpreter returns the Python that a program is, or that its first line names; "" where neither tells.
func interpreter(program string) string {
	if isPython(program) {
		return absolute(program)
	}
	file, err := regular.Open(program)
	if err != nil {
		return ""
	}
	defer file.Close()
	line, _ := bufio.NewReader(io.LimitReader(file, 512)).ReadString('\n')
	first, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return ""
	}
	words := strings.Fields(first)
	if len(words) > 1 && filepath.Base(words[0]) == "env" {
		words = words[1:]
	}
	if len(words) == 0 || !isPython(words[0]) {
		return ""
	}
	found, err := exec.LookPath(words[0])
	if err != nil {
		return ""
	}
	return absolute(found)
}

// isPython tells of python, python3, python3.11 and python.exe.
func isPython(path string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".exe"), "python")
	return ok && strings.Trim(rest, "0123456789.") == ""
}

// absolute keeps links: a virtual environment is known by the path of its link to Python.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// reasonOf is why a program cannot be run, without its name.
func reasonOf(err error) string {
	var look *exec.Error
	var path *os.PathError
	switch {
	case errors.As(err, &look):
		return look.Err.Error()
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}
