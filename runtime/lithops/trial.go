package lithops

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"fn-runtime/runtime/entity"
)

// trial starts an image as its job would be, whether the code is in it or comes from a config map.
const trial = `import os, sys
entry = '` + JobEntry + `'
os.execv(sys.executable, [sys.executable] + ([entry] if os.path.exists(entry) else ['-c'] + sys.argv[1:]))
`

const (
	trialCode = "/fn-runtime/code"
	trialUser = "lithops"
	trialName = "check"
)

// NewTrial tells how a job of an image is started that leaves its metadata in the container itself: it is told to run for
// them as by the client, with the store "localhost" in place of a bucket.
func NewTrial(install Install) *entity.Trial {
	payload, _ := json.Marshal(map[string]any{"backend": "localhost", "log_level": logLevelInfo, "runtime_name": trialName, // cannot fail
		"localhost": map[string]string{"storage_bucket": trialName, "user_agent": "lithops/" + install.Version}})
	_, args := Bootstrap(trialCode)
	return &entity.Trial{
		Command: append([]string{JobPython, "-c", trial}, args[1:]...),
		Env: []string{"JOB_INDEX=0", "JOB_ARRAY_SIZE=1", "ACTION=metadata", "PAYLOAD=" + base64.StdEncoding.EncodeToString(payload),
			"TMPDIR=/tmp", "USER=" + trialUser},
		Files: func(ctx context.Context) (map[string][]byte, error) {
			bundle, err := BuildBundle(ctx, install, CodeEngine)
			return map[string][]byte{trialCode: []byte(bundle.Base64)}, err
		},
		Result:  "/tmp/lithops-" + trialUser + "/" + trialName + "/" + JobMetadataKey(trialName),
		Lithops: install.Version,
	}
}
