package lithops

import (
	"encoding/base64"
	"encoding/json"
)

// PayloadKey is the key in a config map under which a Code Engine job run reads its payload.
const PayloadKey = "lithops.payload"

// JobPayload returns the payload of a Code Engine job run that stores the metadata of its runtime in the bucket under
// JobMetadataKey. It contains the address of the store and the required credentials, in the format of the client
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
	if s.AccessKeyID == "" || s.SecretAccessKey == "" { // otherwise the worker does not need an API key
		for key, value := range map[string]string{"api_key": s.APIKey, "iam_api_key": s.IAMAPIKey, "service_instance_id": s.ServiceInstanceID} {
			if value != "" {
				section[key] = value
			}
		}
	}
	data, err := json.Marshal(map[string]any{"backend": s.Backend, s.Backend: section, "log_level": logLevelInfo, "runtime_name": job})
	return base64.StdEncoding.EncodeToString(data), err
}

// JobMetadataKey returns the key under which a run stores the metadata. The client deletes the object after reading it.
func JobMetadataKey(job string) string { return JobsPrefix + job + ".meta" }
