package lithops

import (
	"encoding/base64"
	"encoding/json"
)

// PayloadKey is the key of a config map under which a run of Code Engine finds its payload.
const PayloadKey = "lithops.payload"

// JobPayload is what a run of a job on Code Engine is told that leaves the metadata of its runtime in the bucket, under
// JobMetadataKey: how to reach the store, with what secrets that needs, as the client's own payload says it
// (code_engine.py: _generate_runtime_meta). It is the value of PayloadKey.
func JobPayload(s Storage, job, version string) (string, error) {
	if err := s.Validate(); err != nil {
		return "", err
	}
	section := map[string]string{"user_agent": "lithops/" + version}
	for key, value := range map[string]string{
		"endpoint": s.Endpoint, "private_endpoint": s.PrivateEndpoint, "region": s.Region, "storage_bucket": s.Bucket,
		"access_key_id": s.AccessKeyID, "secret_access_key": s.SecretAccessKey, "session_token": s.SessionToken,
	} {
		if value != "" {
			section[key] = value
		}
	}
	if s.AccessKeyID == "" || s.SecretAccessKey == "" { // else the worker needs no key of the account
		for key, value := range map[string]string{"api_key": s.APIKey, "iam_api_key": s.IAMAPIKey, "service_instance_id": s.ServiceInstanceID} {
			if value != "" {
				section[key] = value
			}
		}
	}
	data, err := json.Marshal(map[string]any{"backend": s.Backend, s.Backend: section, "log_level": logLevelInfo, "runtime_name": job})
	return base64.StdEncoding.EncodeToString(data), err
}

// JobMetadataKey is where a run leaves the metadata. The client removes it once it has read it.
func JobMetadataKey(job string) string { return JobsPrefix + job + ".meta" }
