package local

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"fn-runtime/runtime/text"
)

// portOwner returns the PID and name of the process that listens on a port of this machine, such as "4711 (python3)".
// It returns "" if the process cannot be determined, for example because it belongs to another user.
func portOwner(port int) string {
	inode := ""
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			// sl, local address, remote address, state (0A listens), queues, timer, retransmits, user, timeout, inode
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%s", strings.ToUpper(hex.EncodeToString([]byte{byte(port >> 8), byte(port)})))) {
				inode = "socket:[" + f[9] + "]"
			}
		}
	}
	if inode == "" {
		return ""
	}
	open, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range open {
		if to, err := os.Readlink(fd); err != nil || to != inode {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if _, bad := strconv.Atoi(pid); err == nil && bad == nil {
			return pid + " (" + text.Printable(strings.TrimSpace(string(name))) + ")"
		}
	}
	return ""
}
