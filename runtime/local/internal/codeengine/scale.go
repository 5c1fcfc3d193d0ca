package codeengine

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// pairs are the memories that go with a number of processors, in MB by thousandths of one. MB and GB are decimal here.
// Source: IBM's documentation of Code Engine, mem-cpu-combo.
var pairs = map[int][]int{
	125: {250, 500, 1000}, 250: {500, 1000, 2000}, 500: {1000, 2000, 4000}, 1000: {2000, 4000, 8000}, 2000: {4000, 8000, 16000},
	4000: {8000, 16000, 32000}, 6000: {12000, 24000, 48000}, 8000: {16000, 32000}, 10000: {20000, 40000}, 12000: {24000, 48000},
}

// memoryMB returns the memory limit of a pair of limits, in MB of 2^20 bytes; an error when the service takes no such pair.
func memoryMB(cpu, memory string) (int, error) {
	milli := quantity(cpu, map[string]float64{"": 1000, "m": 1})
	mb := quantity(memory, map[string]float64{"G": 1000, "M": 1})
	if milli < 0 || mb < 0 {
		return 0, invalid("scale_cpu_limit '%s' or scale_memory_limit '%s' is not valid: use numbers such as 0.125 and 0.25G.", cpu, memory)
	}
	if !slices.Contains(pairs[milli], mb) {
		return 0, invalid("The combination of scale_cpu_limit '%s' and scale_memory_limit '%s' is not valid.", cpu, memory)
	}
	return mb * 1_000_000 >> 20, nil
}

// quantity reads a number with one of the units; -1 for anything else.
func quantity(text string, units map[string]float64) int {
	number := strings.TrimRight(text, "GMm")
	factor, ok := units[text[len(number):]]
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || n < 0 || n*factor > math.MaxInt32 || n != n { //nolint:gocritic // NaN
		return -1
	}
	return int(math.Round(n * factor))
}

// indices reads an array specification such as "0-3,7", in order.
func indices(spec string) ([]int, error) {
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

// spell is the reverse of indices.
func spell(list []int) string {
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
