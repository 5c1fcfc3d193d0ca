package lithops

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// SharesMetadata reports whether runtimes that differ in their memory only have one metadata object.
func (c Contract) SharesMetadata() bool { return c.Backend == CodeEngine }

// JobMemory returns the memory in MB that the client named a job of Code Engine for; 0 when it named no job of this image
// so.
func (c Contract) JobMemory(job, image string) int {
	for _, mb := range memories() {
		if c.job(image, mb) == job {
			return mb
		}
	}
	return 0
}

// CPUFor returns the processors, in thousandths, of a runtime with a memory in MB: those that are asked for, else those
// that the client gives its runs where they go with the memory, else the least that does. 0 where a service has no choice.
func (l Limits) CPUFor(memoryMB, asked, ofClient int) (milliCPU int, err error) {
	switch own := (JobSize{ofClient, memoryMB}); {
	case !l.FixedSizes && asked != 0:
		return 0, fault.New(fault.Usage, i18n.M("Only code_engine supports a vCPU setting for runtimes."), i18n.M("Omit '--cpu'."))
	case !l.FixedSizes:
		return 0, nil
	case asked != 0:
		return asked, JobSize{asked, memoryMB}.Check()
	case own.Check() == nil:
		return ofClient, nil
	}
	least, err := SmallestJobSize(memoryMB)
	return least.MilliCPU, err
}
