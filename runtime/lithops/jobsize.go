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

// JobSize is what a job of Code Engine has: processors in thousandths, and memory in MB as the client counts it, 1024 of
// which are the service's "1G".
type JobSize struct{ MilliCPU, MemoryMB int }

// memoriesByCPU are the memories that Code Engine has for a number of processors
// (cloud.ibm.com/docs/codeengine, "Supported memory and CPU combinations").
var memoriesByCPU = map[int][]int{
	125: {256, 512, 1024}, 250: {512, 1024, 2048}, 500: {1024, 2048, 4096}, 1000: {2048, 4096, 8192}, 2000: {4096, 8192, 16384},
	4000: {8192, 16384, 32768}, 6000: {12288, 24576, 49152}, 8000: {16384, 32768}, 10000: {20480, 40960}, 12000: {24576, 49152},
}

// defaultMilliCPU is what the client takes when no runtime_cpu is configured.
const defaultMilliCPU = 125

// What the client's own check takes (config.py of code_engine: VALID_CPU_MEMORY, VALID_MEMORY_VALUES): other pairs than the
// service.
var (
	clientMemories = []int{256, 512, 1024, 2048, 4096, 8192, 12288, 16384, 24576, 32768}
	clientRanges   = map[int][2]int{125: {256, 8192}, 250: {512, 16384}, 500: {1024, 32768}, 1000: {4096, 32768},
		2000: {4096, 32768}, 4000: {4096, 32768}, 6000: {4096, 32768}, 8000: {4096, 32768}}
)

// SmallestJobSize returns the least that Code Engine has with a memory in MB; a fault.Usage where there is nothing.
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

// memories are all that Code Engine has, with one number of processors or another, in MB, sorted.
func memories() []int {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Values(memoriesByCPU))...))))
}

// Check refuses a pair that Code Engine does not have.
func (s JobSize) Check() error {
	with, known := memoriesByCPU[s.MilliCPU]
	if slices.Contains(with, s.MemoryMB) {
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
		i18n.M("With {{.CPU}} vCPU, specify one of these: {{.Memories}} MB.", "CPU", FormatCPU(s.MilliCPU), "Memories", joinInts(with)))
}

// RejectedByClient reports whether the client refuses a configuration with this runtime_cpu and runtime_memory. It does so of
// pairs that the service has, and takes some that it has not.
func (s JobSize) RejectedByClient() bool {
	r, known := clientRanges[s.MilliCPU]
	return !known || !slices.Contains(clientMemories, s.MemoryMB) || s.MemoryMB < r[0] || s.MemoryMB > r[1]
}

// FormatCPU writes processors as Code Engine and the client do: "0.125", "1".
func FormatCPU(milliCPU int) string { return strconv.FormatFloat(float64(milliCPU)/1000, 'f', -1, 64) }

// FormatMemory writes a memory in MB as the client does for Code Engine: "0.25G", "1G" (code_engine.py: _format_memory).
func FormatMemory(memoryMB int) string {
	gb := strconv.FormatFloat(float64(memoryMB)/1024, 'f', 3, 64)
	return strings.TrimRight(strings.TrimRight(gb, "0"), ".") + "G"
}

// ParseJobSize reads the limits of a job. The memory is the nearest that there is, as the client takes it; ok is false where
// they are no limits.
func ParseJobSize(cpu, memory string) (s JobSize, ok bool) {
	number := func(text, unit string, factor float64) float64 {
		n, err := strconv.ParseFloat(strings.TrimSuffix(text, unit), 64)
		if err != nil || !(n > 0 && n < 1e6) { // NaN neither
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
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}
