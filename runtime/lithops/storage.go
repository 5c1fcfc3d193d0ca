package lithops

import (
	"crypto/sha1" //nolint:gosec // the client uses SHA-1 in bucket names; it protects nothing
	"encoding/hex"
	"net"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// The storage backends of Lithops that use the S3 API.
const (
	IBMCOS = "ibm_cos"
	Minio  = "minio"
	ceph   = "ceph"
	AWSS3  = "aws_s3"
)

// Storage returns the storage section as a client of this version reads it. Missing keys stay empty. It returns the
// zero Storage if there is no configuration. compute is required because from 3.0 on, the client uses the region of
// ibm_cf for ibm_cos if none is configured.
func (c *Config) Storage(compute Compute, install Install) (Storage, error) {
	if !c.exists() {
		return Storage{}, nil
	}
	backend, err := c.StorageBackend()
	if err != nil {
		return Storage{}, err
	}
	rel := parseRelease(install.Version)
	out := Storage{Backend: backend}
	var r *reader
	switch backend {
	case IBMCOS:
		r = c.cos(&out, compute, rel)
	case Minio, ceph:
		r = c.reader(backend)
		out.Endpoint, out.Region = r.text("endpoint"), r.text("region")
		out.AccessKeyID, out.SecretAccessKey = r.text("access_key_id"), r.text("secret_access_key")
		if rel.before(2, 4, 0) {
			out.AccessKeyID, out.SecretAccessKey = r.text("access_key"), r.text("secret_key")
		}
	case AWSS3:
		r = c.s3(&out, rel)
	default:
		return Storage{}, fault.New(fault.Invalid,
			i18n.M("The storage backend '{{.Name}}' in the Lithops configuration ({{.Place}}) is not supported for storing metadata.",
				"Name", backend, "Place", location(c.source, c.root.Get("lithops").Get("storage").Line, 0)),
			i18n.M("Set 'storage' in section 'lithops' to one of {{.Known}}.", "Known", "ibm_cos, aws_s3, minio, ceph"))
	}
	if !rel.before(2, 4, 0) {
		out.Bucket = r.text("storage_bucket")
	}
	if out.Bucket == "" && rel.before(2, 9, 0) {
		l := c.reader("lithops")
		out.Bucket = l.text("storage_bucket")
		if r.err == nil {
			r.err = l.err
		}
	}
	if out.Bucket == "" {
		out.Bucket = defaultBucket(out, install.Version)
	}
	return out, r.err
}

// IgnoredKeys describes the keys of the configuration that a client of this version ignores, although users may expect
// them to have an effect.
func (c *Config) IgnoredKeys(install Install) []i18n.Message {
	if !c.exists() || parseRelease(install.Version).before(2, 9, 0) {
		return nil
	}
	bucket := c.root.Get("lithops").Get("storage_bucket")
	if bucket == nil {
		return nil
	}
	section, err := c.StorageBackend()
	if err != nil {
		return nil
	}
	return []i18n.Message{i18n.M("Lithops {{.Version}} ignores 'storage_bucket' in section 'lithops' ({{.Place}}). Set it in section '{{.Section}}'.",
		"Version", install.Version, "Place", location(c.source, bucket.Line, 0), "Section", section)}
}

// cos applies the rules of storage/backends/ibm_cos/config.py. "ibm" takes precedence over "ibm_cos" before 2.6, and
// "ibm_cos" over "ibm" since 2.6. The endpoint is derived from the region, before 3.0 even if an endpoint is
// configured.
func (c *Config) cos(out *Storage, compute Compute, rel release) *reader {
	var r *reader
	if rel.before(2, 6, 0) {
		r = c.reader(IBMCOS, "ibm")
	} else {
		r = c.reader("ibm", IBMCOS)
	}
	out.Endpoint, out.Region = r.text("endpoint"), r.text("region")
	switch {
	case rel.before(2, 2, 7): // does not support regions
		out.Region = ""
	case rel.before(3, 0, 0): // only a region in section ibm_cos defines the endpoint
		own := c.reader(IBMCOS)
		if region := own.text("region"); region != "" {
			out.Endpoint = cosEndpoint(region)
		}
	default:
		if out.Region == "" && compute.Backend != OpenWhisk {
			out.Region = compute.Region
		}
		if out.Endpoint == "" && out.Region != "" {
			out.Endpoint = cosEndpoint(out.Region)
		}
	}
	if out.Region == "" {
		out.Region = regionOf(out.Endpoint, 1)
	}
	out.Endpoint = strings.Replace(out.Endpoint, "http:", "https:", 1) // like ibm_cos.py in all releases
	if compute.Backend == CodeEngine {
		out.PrivateEndpoint = r.text("private_endpoint")
		if !r.has("endpoint") && out.Region != "" {
			out.PrivateEndpoint = directEndpoint(out.Region)
		}
	}
	id, secret := "access_key", "secret_key"
	if !rel.before(3, 0, 0) && !(rel.before(3, 3, 0) && r.has("access_key")) {
		id, secret = "access_key_id", "secret_access_key"
	}
	out.AccessKeyID, out.SecretAccessKey = r.text(id), r.text(secret)
	out.APIKey, out.IAMAPIKey = r.text("api_key"), r.text("iam_api_key")
	out.ServiceInstanceID = r.text("service_instance_id")
	return r
}

// directEndpoint returns the endpoint of a region that Code Engine jobs use to access a bucket.
func directEndpoint(region string) string {
	return "https://s3.direct." + region + ".cloud-object-storage.appdomain.cloud"
}

func cosEndpoint(region string) string {
	return "https://s3." + region + ".cloud-object-storage.appdomain.cloud"
}

// s3 applies the rules of storage/backends/aws_s3/config.py. "aws" takes precedence over "aws_s3" before 3.0, and
// "aws_s3" over "aws" since 3.0.
func (c *Config) s3(out *Storage, rel release) *reader {
	var r *reader
	if rel.before(3, 0, 0) {
		r = c.reader(AWSS3, "aws")
	} else {
		r = c.reader("aws", AWSS3)
	}
	out.Region = r.text("region_name")
	if out.Region == "" && !rel.before(3, 0, 0) {
		out.Region = r.text("region")
	}
	if rel.before(2, 9, 0) {
		out.Endpoint = r.text("endpoint")
		if out.Region == "" {
			if parts := strings.Split(out.Endpoint, "."); len(parts) > 1 {
				out.Region = parts[1]
			}
		}
	}
	if out.Region != "" && (out.Endpoint == "" || r.has("region_name")) {
		out.Endpoint = "https://s3." + out.Region + ".amazonaws.com"
	}
	out.AccessKeyID, out.SecretAccessKey = r.text("access_key_id"), r.text("secret_access_key")
	out.SessionToken = r.text("session_token")
	return r
}

// defaultBucket returns the bucket name that a client of 3.0 or later derives if no bucket is configured. It returns ""
// if the client derives none, or if only the service can determine it: from 3.3 on, aws_s3 requests the caller's ID.
func defaultBucket(s Storage, version string) string {
	rel := parseRelease(version)
	if rel.before(3, 0, 0) || s.AccessKeyID == "" || s.SecretAccessKey == "" {
		return ""
	}
	owner := strings.ToLower(firstChars(s.AccessKeyID, 6))
	switch {
	case (s.Backend == Minio || s.Backend == ceph) && s.Endpoint != "":
		sum := sha1.Sum([]byte(s.Endpoint)) //nolint:gosec // see above
		return "lithops-" + hex.EncodeToString(sum[:])[:6] + "-" + owner
	case s.Backend == IBMCOS && s.Region != "",
		s.Backend == AWSS3 && s.Region != "" && rel.before(3, 3, 0):
		return "lithops-" + s.Region + "-" + owner
	}
	return ""
}

var bucketName = text.NewPattern(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// CheckBucket returns an error for names with which a store cannot create a bucket. Names of old buckets may contain
// uppercase letters or underscores.
func CheckBucket(name string) error {
	switch {
	case !bucketName.MatchString(name):
		return fault.New(fault.Invalid,
			i18n.M("'{{.Bucket}}' is not a valid bucket name. A bucket name consists of 3 to 63 lowercase letters, digits, dots and hyphens.", "Bucket", name),
			i18n.M("Correct 'storage_bucket' in the Lithops configuration, or the '--bucket' option. Specify only the name, without s3:// and without slashes."))
	case strings.Contains(name, ".."), strings.Contains(name, ".-"), strings.Contains(name, "-."), net.ParseIP(name) != nil:
		return fault.New(fault.Invalid,
			i18n.M("'{{.Bucket}}' is not a valid bucket name. A bucket name must not be an IP address, and each dot must be between letters or digits.", "Bucket", name),
			i18n.M("Correct 'storage_bucket' in the Lithops configuration, or the '--bucket' option. Specify only the name, without s3:// and without slashes."))
	}
	return nil
}

// Validate returns an error if a key that is required to access the bucket is missing. The error names the key and
// suggests a fix.
func (s Storage) Validate() error {
	hmac := s.AccessKeyID != "" && s.SecretAccessKey != ""
	switch {
	case s.Backend == "":
		return missing("storage", "lithops")
	case s.Bucket == "":
		return fault.New(fault.Invalid,
			i18n.M("No bucket is configured, and the Lithops client cannot derive a bucket name from its keys."),
			i18n.M("Set 'storage_bucket' in section '{{.Section}}' of the Lithops configuration, or pass '--bucket'.", "Section", s.Backend))
	case strings.ContainsAny(s.Bucket, "/:"):
		return CheckBucket(s.Bucket)
	case s.Endpoint == "" && (s.Backend == IBMCOS || s.Backend == AWSS3):
		return missing("region", s.Backend)
	case s.Endpoint == "":
		return missing("endpoint", s.Backend)
	case s.Backend == IBMCOS && !hmac && s.APIKey == "" && s.IAMAPIKey == "":
		return missing("access_key_id", s.Backend)
	case s.Backend != IBMCOS && s.AccessKeyID == "":
		return missing("access_key_id", s.Backend)
	case s.Backend != IBMCOS && s.SecretAccessKey == "":
		return missing("secret_access_key", s.Backend)
	}
	return nil
}

// SetStorage writes the section of a store with the key names of a release.
func SetStorage(d *Document, s Storage, bucket, version string) {
	id, secret := "access_key_id", "secret_access_key"
	if rel := parseRelease(version); rel.before(2, 4, 0) || s.Backend == IBMCOS && rel.before(3, 0, 0) {
		id, secret = "access_key", "secret_key"
	}
	if s.Backend == "" {
		return
	}
	for _, p := range []struct{ key, value string }{
		{"endpoint", s.Endpoint}, {"region", s.Region}, {id, s.AccessKeyID}, {secret, s.SecretAccessKey}, {"session_token", s.SessionToken},
		{"api_key", s.APIKey}, {"service_instance_id", s.ServiceInstanceID},
	} {
		d.Set(s.Backend, p.key, p.value)
	}
	SetBucket(d, s.Backend, bucket, version)
}

// SetBucket sets the bucket in the section that a release reads: the section of the store, before 2.9 also "lithops",
// and before 2.4 only "lithops".
func SetBucket(d *Document, section, bucket, version string) {
	rel := parseRelease(version)
	if rel.before(2, 9, 0) {
		d.Set("lithops", "storage_bucket", bucket)
	}
	if !rel.before(2, 4, 0) {
		d.Set(section, "storage_bucket", bucket)
	}
}
