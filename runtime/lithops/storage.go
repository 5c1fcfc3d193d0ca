package lithops

import (
	"crypto/sha1" //nolint:gosec // the client names its buckets so; nothing is protected by it
	"encoding/hex"
	"net"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// The storage backends of Lithops that speak S3.
const (
	IBMCOS = "ibm_cos"
	Minio  = "minio"
	ceph   = "ceph"
	AWSS3  = "aws_s3"
)

// Storage returns the storage section as a client of this version sees it. What is not configured stays empty; a
// configuration that was not found gives the zero Storage. compute matters because from 3.0 on the client takes the
// region of ibm_cf for ibm_cos where none is configured.
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

// IgnoredKeys says which keys of the configuration a client of this version does not look at, although they look as if they
// counted: what the user wrote there has no effect.
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

// cos follows storage/backends/ibm_cos/config.py: "ibm" over "ibm_cos" before 2.6, under it since; the region makes
// the endpoint, before 3.0 even where one is configured.
func (c *Config) cos(out *Storage, compute Compute, rel release) *reader {
	var r *reader
	if rel.before(2, 6, 0) {
		r = c.reader(IBMCOS, "ibm")
	} else {
		r = c.reader("ibm", IBMCOS)
	}
	out.Endpoint, out.Region = r.text("endpoint"), r.text("region")
	switch {
	case rel.before(2, 2, 7): // knows no region
		out.Region = ""
	case rel.before(3, 0, 0): // only a region of the section itself makes an endpoint
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
	out.Endpoint = strings.Replace(out.Endpoint, "http:", "https:", 1) // ibm_cos.py does, everywhere
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

// directEndpoint is the endpoint by which jobs of Code Engine reach a bucket.
func directEndpoint(region string) string {
	return "https://s3.direct." + region + ".cloud-object-storage.appdomain.cloud"
}

func cosEndpoint(region string) string {
	return "https://s3." + region + ".cloud-object-storage.appdomain.cloud"
}

// s3 follows storage/backends/aws_s3/config.py: "aws" over "aws_s3" before 3.0, under it since.
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

// defaultBucket is the name that a client of 3.0 or later makes up when no bucket is configured; "" where it makes up
// none, or one that only the service can tell: aws_s3 asks for the caller's id from 3.3 on.
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

// CheckBucket refuses a name that a store makes no bucket of. Old buckets may have capital letters or underscores.
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

// Validate tells what is missing to reach the bucket, with the key and the remedy.
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

// SetStorage writes the section of a store with the keys of a release.
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

// SetBucket writes the bucket where a release reads it: in the section of the store, before 2.9 also in "lithops", and
// before 2.4 there alone.
func SetBucket(d *Document, section, bucket, version string) {
	rel := parseRelease(version)
	if rel.before(2, 9, 0) {
		d.Set("lithops", "storage_bucket", bucket)
	}
	if !rel.before(2, 4, 0) {
		d.Set(section, "storage_bucket", bucket)
	}
}
