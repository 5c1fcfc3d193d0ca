package lithops

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// SharesMetadata reports whether runtimes that differ only in their memory share a metadata object.
func (c Contract) SharesMetadata() bool { return c.Backend == CodeEngine }

// JobMemory returns the memory in MB from which the client derived the name of a Code Engine job. It returns 0 if the
// name does not match any memory size of this image.
func (c Contract) JobMemory(job, image string) int {
	for _, mb := range memories() {
		if c.job(image, mb) == job {
			return mb
		}
	}
	return 0
}

// CPUFor returns the CPU in mCPU of a runtime with a memory size in MB. It returns requested if that is not 0.
// Otherwise it returns clientDefault if the service supports it with this memory size, and the smallest supported CPU
// if not. It returns 0 if the service has no CPU setting.
func (l Limits) CPUFor(memoryMB, requested, clientDefault int) (milliCPU int, err error) {
	switch size := (JobSize{clientDefault, memoryMB}); {
	case !l.FixedSizes && requested != 0:
		return 0, fault.New(fault.Usage, i18n.M("Only code_engine supports a vCPU setting for runtimes."), i18n.M("Omit '--cpu'."))
	case !l.FixedSizes:
		return 0, nil
	case requested != 0:
		return requested, JobSize{requested, memoryMB}.Check()
	case size.Check() == nil:
		return clientDefault, nil
	}
	least, err := SmallestJobSize(memoryMB)
	return least.MilliCPU, err
}
