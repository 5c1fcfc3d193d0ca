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

// interpreter returns the absolute path of the Python interpreter that runs a program: the program itself, or the
// interpreter in the "#!" line of the program. It returns "" if Python does not run the program.
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
	path, err := exec.LookPath(words[0])
	if err != nil {
		return ""
	}
	return absolute(path)
}

// isPython reports whether the base name of a path is that of a Python interpreter, such as python, python3, python3.11
// or python.exe.
func isPython(path string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".exe"), "python")
	return ok && strings.Trim(rest, "0123456789.") == ""
}

// absolute returns the absolute path. It does not resolve symbolic links, because Python finds its virtual environment
// by the path of the link.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// execReason returns the reason why a program cannot be run, without the name of the program.
func execReason(err error) string {
	var execErr *exec.Error
	var pathErr *os.PathError
	switch {
	case errors.As(err, &execErr):
		return execErr.Err.Error()
	case errors.As(err, &pathErr):
		return pathErr.Err.Error()
	}
	return err.Error()
}
