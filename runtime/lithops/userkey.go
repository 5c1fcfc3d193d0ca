package lithops

import (
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// UserKey derives the user part of package and job names from the keys of the configuration.
//
// On openwhisk, it is the first 5 characters of api_key. On ibm_cf, it is:
//
//	2.2.0 - 2.3.0   the first 5 characters of api_key, otherwise of iam_api_key
//	2.3.1 - 2.9.0   the first 4 characters after the colon of api_key, otherwise the first 4 of iam_api_key
//	since 3.0.0     the first 4 characters of iam_api_key, in lowercase
//
// On code_engine, from 3.7.0 on, it is the same with "0" in place of characters that names must not contain.
//
// If both keys are set, the Cloud Foundry key takes precedence before 3.0 and the IAM key since 3.0 (ibm_cf.py:
// user_key).
func UserKey(backend Backend, version string, c Compute) (string, error) {
	r := parseRelease(version)
	if backend == OpenWhisk {
		if c.APIKey == "" {
			return "", noKey("api_key", string(OpenWhisk))
		}
		return firstChars(c.APIKey, 5), nil
	}
	old := r.before(3, 0, 0)
	switch {
	case !old && c.IAMAPIKey == "":
		return "", noKey("iam_api_key", "ibm")
	case backend == CodeEngine:
		return JobUserKey(firstChars(c.IAMAPIKey, 4)), nil
	case !old:
		return strings.ToLower(firstChars(c.IAMAPIKey, 4)), nil
	case c.APIKey == "" && c.IAMAPIKey == "":
		return "", noKey("iam_api_key", "ibm")
	case r.before(2, 3, 1) && c.APIKey != "":
		return firstChars(c.APIKey, 5), nil
	case r.before(2, 3, 1):
		return firstChars(c.IAMAPIKey, 5), nil
	case c.APIKey == "":
		return firstChars(c.IAMAPIKey, 4), nil
	}
	parts := strings.Split(c.APIKey, ":")
	if len(parts) < 2 || parts[1] == "" {
		return "", fault.New(fault.Invalid,
			i18n.M("The key 'api_key' in section 'ibm_cf' is not a Cloud Foundry key: it has no text after a colon."),
			i18n.M("Copy the complete key, or remove it and set 'iam_api_key' in section 'ibm'."))
	}
	return firstChars(parts[1], 4), nil
}

var notInJobs = text.NewPattern(`[^a-z0-9.-]`)

// JobUserKey derives the user part of job and project names from the first characters of an API key, like the client
// (code_engine.py: user_key). The result may contain a ".", which Code Engine does not accept in job names.
func JobUserKey(first string) string {
	return notInJobs.ReplaceAllString(strings.ToLower(first), "0")
}

func noKey(key, section string) error {
	return fault.New(fault.Invalid,
		i18n.M("Runtime names contain the first characters of '{{.Key}}', but the Lithops configuration does not set this key.",
			"Key", key),
		i18n.M("Set '{{.Key}}' in section '{{.Section}}' of the Lithops configuration, or pass the characters with '--user-key'.",
			"Key", key, "Section", section))
}

// firstChars returns s[:n] as in Python: it counts characters, not bytes.
func firstChars(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
