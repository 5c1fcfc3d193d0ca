package local

import (
	"os"
	"strconv"
	"strings"
)

// processMark returns a value that distinguishes a process from other processes with the same PID:the boot ID and the
// start time of the process (field 22 of /proc/PID/stat, see proc(5)). It returns "" if the process does not run or is
// a zombie.
func processMark(pid int) string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	_, rest, ok := strings.Cut(string(data), ") ") // the process name before may contain any characters
	if i := strings.LastIndex(string(data), ") "); i >= 0 {
		rest = string(data)[i+2:]
	}
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[19]
}
