package codeengine

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// memoryByCPU lists the memory sizes, in MB, that can be combined with a CPU limit in mCPU. MB and GB are decimal. The
// source is the page mem-cpu-combo of the IBM Cloud Code Engine documentation.
var memoryByCPU = map[int][]int{
	125: {250, 500, 1000}, 250: {500, 1000, 2000}, 500: {1000, 2000, 4000}, 1000: {2000, 4000, 8000}, 2000: {4000, 8000, 16000},
	4000: {8000, 16000, 32000}, 6000: {12000, 24000, 48000}, 8000: {16000, 32000}, 10000: {20000, 40000}, 12000: {24000, 48000},
}

// memoryMB returns the memory limit in MiB for a combination of CPU and memory limits. It returns an error if the
// service does not support the combination.
func memoryMB(cpu, memory string) (int, error) {
	milli := parseQuantity(cpu, map[string]float64{"": 1000, "m": 1})
	mb := parseQuantity(memory, map[string]float64{"G": 1000, "M": 1})
	if milli < 0 || mb < 0 {
		return 0, invalid("scale_cpu_limit '%s' or scale_memory_limit '%s' is not valid: use numbers such as 0.125 and 0.25G.", cpu, memory)
	}
	if !slices.Contains(memoryByCPU[milli], mb) {
		return 0, invalid("The combination of scale_cpu_limit '%s' and scale_memory_limit '%s' is not valid.", cpu, memory)
	}
	return mb * 1_000_000 >> 20, nil
}

// parseQuantity parses a number with one of the units. It returns -1 if text is invalid.
func parseQuantity(text string, units map[string]float64) int {
	number := strings.TrimRight(text, "GMm")
	factor, ok := units[text[len(number):]]
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || n < 0 || n*factor > math.MaxInt32 || n != n { //nolint:gocritic // NaN
		return -1
	}
	return int(math.Round(n * factor))
}

// parseIndices parses an array specification such as "0-3,7". It returns the indices in ascending order.
func parseIndices(spec string) ([]int, error) {
	bad := invalid("scale_array_spec '%s' is not valid: at most %d different indices such as '0-9,12', up to %d.", spec, maxArray, maxIndex)
	list := []int{}
	for part := range strings.SplitSeq(spec, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.ParseUint(low, 10, 32)
		to := from
		if err == nil && isRange {
			to, err = strconv.ParseUint(high, 10, 32)
		}
		if err != nil || to < from || to > maxIndex || int(to-from)+len(list) >= maxArray {
			return nil, bad
		}
		for i := from; i <= to; i++ {
			list = append(list, int(i))
		}
	}
	slices.Sort(list)
	if len(slices.Compact(slices.Clone(list))) != len(list) {
		return nil, bad
	}
	return list, nil
}

// formatIndices is the inverse of parseIndices.
func formatIndices(list []int) string {
	var b strings.Builder
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(list[i]))
		if j > i {
			b.WriteString("-" + strconv.Itoa(list[j]))
		}
		i = j + 1
	}
	return b.String()
}
