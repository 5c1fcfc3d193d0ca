package s3

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// policy is the signed policy of a form, which restricts the upload:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
type policy struct {
	expires    time.Time
	conditions []condition
	min, max   int64 // bytes of the file
}

// condition is a condition on a field. The name of the field is in lower case.
type condition struct {
	field, value string
	prefix       bool // value is a prefix
}

func parsePolicy(text string) (policy, *apiError) {
	p := policy{max: maxObject}
	invalid := newError(http.StatusBadRequest, "InvalidPolicyDocument", "Invalid Policy: it is not a document with an expiration and conditions.")
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return p, invalid
	}
	var doc map[string]json.RawMessage // not a struct: the names are case-sensitive
	var expires string
	var conditions []json.RawMessage
	if json.Unmarshal(data, &doc) != nil || json.Unmarshal(doc["expiration"], &expires) != nil || json.Unmarshal(doc["conditions"], &conditions) != nil {
		return p, invalid
	}
	if p.expires, err = time.Parse(time.RFC3339, expires); err != nil || conditions == nil {
		return p, invalid
	}
	for _, raw := range conditions {
		if !p.add(raw) {
			return p, invalid
		}
	}
	return p, nil
}

// add parses {"FIELD": "VALUE"}, ["eq" or "starts-with", "$FIELD", "VALUE"] or ["content-length-range", MIN, MAX]. It
// returns false if the condition is invalid.
func (p *policy) add(raw json.RawMessage) bool {
	var exact map[string]string
	if json.Unmarshal(raw, &exact) == nil {
		for field, value := range exact {
			p.conditions = append(p.conditions, condition{field: strings.ToLower(field), value: value})
		}
		return len(exact) > 0
	}
	var list []json.RawMessage
	var kind, field, value string
	if json.Unmarshal(raw, &list) != nil || len(list) != 3 || json.Unmarshal(list[0], &kind) != nil {
		return false
	}
	if kind = strings.ToLower(kind); kind == "content-length-range" {
		return json.Unmarshal(list[1], &p.min) == nil && json.Unmarshal(list[2], &p.max) == nil && p.min >= 0 && p.max >= p.min
	}
	if json.Unmarshal(list[1], &field) != nil || json.Unmarshal(list[2], &value) != nil || !strings.HasPrefix(field, "$") {
		return false
	}
	p.conditions = append(p.conditions, condition{strings.ToLower(field[1:]), value, kind == "starts-with"})
	return kind == "eq" || kind == "starts-with"
}

// check returns an error if the fields of a form violate the policy. The names of the fields are in lower case.
func (p policy) check(fields map[string]string, now time.Time) *apiError {
	if now.After(p.expires) {
		return newError(http.StatusForbidden, "AccessDenied", "Invalid according to Policy: Policy expired.")
	}
	covered := map[string]bool{"policy": true, "signature": true, "awsaccesskeyid": true, "x-amz-signature": true}
	for _, c := range p.conditions {
		covered[c.field] = true
		if v := fields[c.field]; v != c.value && !(c.prefix && strings.HasPrefix(v, c.value)) {
			return newError(http.StatusForbidden, "AccessDenied", "Invalid according to Policy: Policy Condition failed: '"+c.field+"'")
		}
	}
	for field := range fields { // a checksum cannot weaken the policy
		if !covered[field] && !strings.HasPrefix(field, "x-ignore-") && !strings.HasPrefix(field, checksumPrefix) {
			return newError(http.StatusForbidden, "AccessDenied", "Invalid according to Policy: Extra input fields: "+field)
		}
	}
	return nil
}
