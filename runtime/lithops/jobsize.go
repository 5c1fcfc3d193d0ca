package lithops

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// JobSize is the CPU and memory of a Code Engine job. Like in the client, the memory is in MB, and 1024 MB are "1G" of
// the service.
type JobSize struct{ MilliCPU, MemoryMB int }

// memoriesByCPU lists the memory sizes in MB that Code Engine supports for each CPU in mCPU
// (cloud.ibm.com/docs/codeengine, "Supported memory and CPU combinations").
var memoriesByCPU = map[int][]int{
	125: {256, 512, 1024}, 250: {512, 1024, 2048}, 500: {1024, 2048, 4096}, 1000: {2048, 4096, 8192}, 2000: {4096, 8192, 16384},
	4000: {8192, 16384, 32768}, 6000: {12288, 24576, 49152}, 8000: {16384, 32768}, 10000: {20480, 40960}, 12000: {24576, 49152},
}

// defaultMilliCPU is the CPU that the client uses if no runtime_cpu is configured.
const defaultMilliCPU = 125

// The combinations that the client accepts (config.py of code_engine: VALID_CPU_MEMORY, VALID_MEMORY_VALUES). They
// differ from those of the service. clientRanges maps mCPU to the minimum and maximum memory in MB.
var (
	clientMemories = []int{256, 512, 1024, 2048, 4096, 8192, 12288, 16384, 24576, 32768}
	clientRanges   = map[int][2]int{125: {256, 8192}, 250: {512, 16384}, 500: {1024, 32768}, 1000: {4096, 32768},
		2000: {4096, 32768}, 4000: {4096, 32768}, 6000: {4096, 32768}, 8000: {4096, 32768}}
)

// SmallestJobSize returns the job size with the smallest CPU that Code Engine supports for a memory size in MB. It
// returns a fault.Usage error if there is none.
func SmallestJobSize(memoryMB int) (JobSize, error) {
	for _, cpu := range slices.Sorted(maps.Keys(memoriesByCPU)) {
		if slices.Contains(memoriesByCPU[cpu], memoryMB) {
			return JobSize{cpu, memoryMB}, nil
		}
	}
	return JobSize{}, fault.New(fault.Usage,
		i18n.M("Code Engine does not support {{.Value}} MB of memory.", "Value", memoryMB),
		i18n.M("Specify one of these: {{.Memories}} MB.", "Memories", joinInts(memories())))
}

// memories returns all memory sizes in MB that Code Engine supports with at least one CPU setting, sorted.
func memories() []int {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Values(memoriesByCPU))...))))
}

// Check returns a fault.Usage error if Code Engine does not support the combination.
func (s JobSize) Check() error {
	supported, known := memoriesByCPU[s.MilliCPU]
	if slices.Contains(supported, s.MemoryMB) {
		return nil
	}
	if !known {
		cpus := make([]string, 0, len(memoriesByCPU))
		for _, milli := range slices.Sorted(maps.Keys(memoriesByCPU)) {
			cpus = append(cpus, FormatCPU(milli))
		}
		return fault.New(fault.Usage,
			i18n.M("Code Engine does not support jobs with {{.CPU}} vCPU.", "CPU", FormatCPU(s.MilliCPU)),
			i18n.M("Specify one of these: {{.CPUs}} vCPU.", "CPUs", strings.Join(cpus, ", ")))
	}
	return fault.New(fault.Usage,
		i18n.M("Code Engine does not support jobs with {{.CPU}} vCPU and {{.Memory}} MB.", "CPU", FormatCPU(s.MilliCPU), "Memory", s.MemoryMB),
		i18n.M("With {{.CPU}} vCPU, specify one of these: {{.Memories}} MB.", "CPU", FormatCPU(s.MilliCPU), "Memories", joinInts(supported)))
}

// RejectedByClient reports whether the client rejects a configuration with this runtime_cpu and runtime_memory. The
// client rejects some combinations that the service supports, and accepts some that it does not support.
func (s JobSize) RejectedByClient() bool {
	r, known := clientRanges[s.MilliCPU]
	return !known || !slices.Contains(clientMemories, s.MemoryMB) || s.MemoryMB < r[0] || s.MemoryMB > r[1]
}

// FormatCPU formats a CPU setting like Code Engine and the client: "0.125", "1".
func FormatCPU(milliCPU int) string { return strconv.FormatFloat(float64(milliCPU)/1000, 'f', -1, 64) }

// FormatMemory formats a memory size in MB like the client for Code Engine: "0.25G", "1G" (code_engine.py:
// _format_memory).
func FormatMemory(memoryMB int) string {
	gb := strconv.FormatFloat(float64(memoryMB)/1024, 'f', 3, 64)
	return strings.TrimRight(strings.TrimRight(gb, "0"), ".") + "G"
}

// ParseJobSize parses the limits of a job. The memory is rounded to the nearest supported size, as in the client. ok is
// false if the limits are not valid.
func ParseJobSize(cpu, memory string) (s JobSize, ok bool) {
	number := func(text, unit string, factor float64) float64 {
		n, err := strconv.ParseFloat(strings.TrimSuffix(text, unit), 64)
		if err != nil || !(n > 0 && n < 1e6) { // also rejects NaN
			return 0
		}
		return n * factor
	}
	milli, mb := number(cpu, "", 1000), number(memory, "G", 1024)
	if strings.HasSuffix(cpu, "m") {
		milli = number(cpu, "m", 1)
	}
	if strings.HasSuffix(memory, "M") {
		mb = number(memory, "M", 1)
	}
	if milli == 0 || mb == 0 {
		return JobSize{}, false
	}
	nearest := slices.MinFunc(memories(), func(a, b int) int {
		return cmp.Compare(math.Abs(float64(a)-mb), math.Abs(float64(b)-mb))
	})
	return JobSize{int(math.Round(milli)), nearest}, true
}

func joinInts(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}
