package lithops

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"fn-runtime/runtime/entity"
)

// trial is the program that starts the entry point of an image like a job. The code is in the image or in a config map.
const trial = `import os, sys
entry = '` + JobEntry + `'
os.execv(sys.executable, [sys.executable] + ([entry] if os.path.exists(entry) else ['-c'] + sys.argv[1:]))
`

const (
	trialCode = "/fn-runtime/code"
	trialUser = "lithops"
	trialName = "check"
)

// NewTrial returns the trial of an image: a job run that stores the metadata in the container itself. Its payload is
// that of a metadata run of the client, but with the storage backend "localhost" instead of a bucket.
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
