package scale

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/aws/credentials"
	"github.com/IBM/ibm-cos-sdk-go/aws/session"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"

	"fn-runtime/runtime/storage"
	"fn-runtime/runtime/transport"
	"fn-runtime/test/harness"
	"fn-runtime/test/storage/gateway"
)

// neighbors are keys that resemble those of Lithops but belong to other programs or to another backend.
var neighbors = []string{
	"lithops.jobs", "lithops.jobs-old/a/0", "lithops.jobs2/x", "lithops.job/x", "lithops.jobsX", "Lithops.jobs/x", "my/lithops.jobs/a", "zz",
	"lithops.runtimes-old/openwhisk/x", "lithops.runtimes2/openwhisk/3.8.0/guest/a.meta.json", "lithops.runtimes/aws_lambda/3.8.0/x.meta.json",
	"lithops.runtimes/ibm_cf/3.8.0/us-south/ns/a_256MB_3.8.0.meta.json", "lithops.runtimes/openwhisk-old/x", "lithops.runtimes/openwhisk2/3.8.0/x.meta.json",
	"lithops.runtimes/2.6.0/ibm_cf/us-south/ns/a_256MB.meta.json", "data/very/deep/object.bin",
}

// s3Client returns the SDK's own client, for operations that no command supports.
func s3Client(endpoint, access, secret string) *s3.S3 {
	c := aws.NewConfig().WithEndpoint(endpoint).WithRegion("us-east-1").WithS3ForcePathStyle(true).WithCredentials(credentials.NewStaticCredentials(access, secret, ""))
	return s3.New(session.Must(session.NewSession(c)))
}

func (b *testbed) put(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		if err := b.store.Put(b.t.Context(), k, []byte("x")); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *testbed) cleanLeavesTheNeighbors(client *s3.S3, bucket string, neighbors []string) {
	t := b.t
	t.Helper()
	b.put(neighbors...)
	jobs := []string{"lithops.jobs/a-0/00000/status.json", "lithops.jobs/a-0/func.pickle", "lithops.jobs/b", "lithops.jobs/é +&%/x"}
	b.put(jobs...)
	uploads := map[string]bool{"lithops.jobs/unfinished": false, "lithops.jobs-old/unfinished": true}
	for key := range uploads {
		if _, err := client.CreateMultipartUpload(&s3.CreateMultipartUploadInput{Bucket: &bucket, Key: aws.String(key)}); err != nil {
			t.Fatal(err)
		}
	}
	before := b.keys("")

	// A dry run and housekeeping change nothing here because everything is new.
	b.Run(time.Minute, b.Bin, "clean", "--dry-run")
	b.Run(time.Minute, b.Bin, "clean", "--older-than", "1h", "-f")
	if now := b.keys(""); !maps.Equal(now, before) {
		t.Errorf("a dry run or --older-than changed %d keys to %d", len(before), len(now))
	}
	// '--jobs-only' deletes only the objects of jobs.
	b.Run(time.Minute, b.Bin, "clean", "--jobs-only", "-f")
	want := maps.Clone(before)
	for _, k := range jobs {
		delete(want, k)
	}
	if now := b.keys(""); !maps.Equal(now, want) {
		t.Errorf("--jobs-only left %v", slices.Sorted(maps.Keys(now)))
	}
	// 'clean' deletes everything that belongs to Lithops, and nothing else.
	b.put(jobs...)
	b.Run(time.Minute, b.Bin, "clean", "-f")
	left := slices.Sorted(maps.Keys(b.keys("")))
	if wanted := slices.Sorted(slices.Values(neighbors)); !slices.Equal(left, wanted) {
		t.Errorf("clean left\n%s\nwant\n%s", strings.Join(left, "\n"), strings.Join(wanted, "\n"))
	}
	open, err := client.ListMultipartUploads(&s3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range open.Uploads {
		if !uploads[*u.Key] {
			t.Errorf("the upload %s is left", *u.Key)
		}
		delete(uploads, *u.Key)
	}
	if uploads["lithops.jobs-old/unfinished"] {
		t.Error("the upload of a neighbor is gone")
	}
	if a := b.actions(); len(a) > 0 {
		t.Errorf("%d actions are left", len(a))
	}
	if _, err := os.Stat(filepath.Join(b.Home, ".lithops", "config")); err != nil {
		t.Error("the configuration is gone")
	}
	if files, _ := filepath.Glob(filepath.Join(b.Home, ".lithops", "cache", "lithops.runtimes", "openwhisk*", "*")); len(files) > 0 {
		t.Errorf("cache entries are left: %v", files)
	}
}

func TestCleanLeavesTheNeighborsInTheLocalStore(t *testing.T) {
	b := newTestbed(t)
	b.cleanLeavesTheNeighbors(s3Client(b.s3.URL, b.endpoint.AccessKey, b.endpoint.SecretKey), b.endpoint.Bucket, neighbors)
}

// The same check with an independent store that supports versions.
func TestCleanLeavesTheNeighborsInAVersionedBucket(t *testing.T) {
	b := newTestbed(t)
	versions := filepath.Join(t.TempDir(), "versions")
	if err := os.MkdirAll(versions, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VGW_VERSIONING_DIR", versions)
	_, client := b.gateway()
	if _, err := client.PutBucketVersioning(&s3.PutBucketVersioningInput{Bucket: aws.String(bucket),
		VersioningConfiguration: &s3.VersioningConfiguration{Status: aws.String("Enabled")}}); err != nil {
		t.Fatal(err)
	}
	b.FnRuntime("deploy", registry+"me/seed:1", "-q", "--force")
	for range 3 { // versions, and a delete marker as the newest
		b.put("lithops.jobs/often", "lithops.jobs-old/often")
	}
	for _, key := range []string{"lithops.jobs/often", "lithops.jobs-old/often"} {
		if _, err := client.DeleteObject(&s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}); err != nil {
			t.Fatal(err)
		}
	}
	b.cleanLeavesTheNeighbors(client, bucket, slices.DeleteFunc(slices.Clone(neighbors), func(key string) bool {
		return key == "lithops.jobs" // this store keeps objects in a file system, in which a directory has that name
	}))
	list, err := client.ListObjectVersions(&s3.ListObjectVersionsInput{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	old, markers := 0, 0
	for _, v := range list.Versions {
		if strings.HasPrefix(*v.Key, "lithops.jobs/") || strings.HasPrefix(*v.Key, "lithops.runtimes/openwhisk/") {
			t.Errorf("a version of %s is left", *v.Key)
		}
		if *v.Key == "lithops.jobs-old/often" {
			old++
		}
	}
	for _, m := range list.DeleteMarkers {
		if strings.HasPrefix(*m.Key, "lithops.jobs/") || strings.HasPrefix(*m.Key, "lithops.runtimes/openwhisk/") {
			t.Errorf("a delete marker of %s is left", *m.Key)
		}
		if *m.Key == "lithops.jobs-old/often" {
			markers++
		}
	}
	if old != 3 || markers != 1 {
		t.Errorf("the neighbor has %d versions and %d markers", old, markers)
	}
}

// bucket is the bucket of the gateway.
const bucket = "bucket"

// gateway replaces the store of the testbed by versitygw.
func (b *testbed) gateway() (*gateway.Gateway, *s3.S3) {
	b.t.Helper()
	bin, err := gateway.Install(b.t.Context(), harness.CacheDir(b.t))
	if err != nil {
		harness.Missing(b.t, "versitygw: %v", err)
	}
	g, err := gateway.Start(b.t.Context(), bin, b.t.TempDir())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(g.Stop)
	b.store = storage.New(storage.Options{Endpoint: g.URL, Bucket: bucket, AccessKeyID: gateway.AccessKey, SecretAccessKey: gateway.SecretKey,
		Transport: transport.New(transport.Options{UserAgent: "test"})})
	if err := b.store.CreateBucket(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.configure(g.URL, bucket, gateway.AccessKey, gateway.SecretKey)
	return g, s3Client(g.URL, gateway.AccessKey, gateway.SecretKey)
}

// Old objects are deleted, new ones are kept.
func TestHousekeepingByAge(t *testing.T) {
	b := newTestbed(t)
	g, _ := b.gateway()
	b.FnRuntime("deploy", registry+"me/seed:1", "-q", "--force")
	b.put("lithops.jobs/old/a", "lithops.jobs/young/a", "lithops.jobs-old/a")
	hours := time.Now().Add(-2 * time.Hour)
	for _, key := range []string{"lithops.jobs/old/a", "lithops.jobs-old/a"} {
		if err := os.Chtimes(filepath.Join(g.Root, bucket, filepath.FromSlash(key)), hours, hours); err != nil {
			t.Fatal(err)
		}
	}
	r := b.Run(time.Minute, b.Bin, "clean", "--older-than", "1h", "-f", "--output", "json")
	keys := b.keys("lithops.jobs")
	if keys["lithops.jobs/old/a"] || !keys["lithops.jobs-old/a"] || !keys["lithops.jobs/young/a"] || !strings.Contains(r.Stdout, `"count": 1`) {
		t.Errorf("%v\n%s", keys, r.Stdout)
	}
	if len(b.actions()) != 1 || len(b.keys("lithops.runtimes/")) != 1 {
		t.Error("housekeeping took a runtime")
	}
}
