package storage

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// Popular S3 clients use the S3 service of the local endpoint for typical work: 1,500 keys, 36 unusual keys, 60 MB in
// parts, ranges, presigned URLs, conditions, metadata and copies. Each client uses the features that it supports.
func TestTypicalClients(t *testing.T) {
	harness.Python(t, "3.11")
	s := harness.NewStage(t)
	s.FnRuntime("local", "start")
	e := s.Endpoint()
	t.Cleanup(func() { s.FnRuntime("local", "stop") })
	tools := harness.Venv(t, "3.11", "boto3", "awscli", "ibm-cos-sdk", "minio")
	frames := harness.Venv(t, "3.11", "s3fs", "pandas", "pyarrow")
	t.Run("clients", func(t *testing.T) {
		for name, script := range map[string][]string{
			"boto3": {tools, "boto.py", "boto3"}, "ibm-cos-sdk": {tools, "boto.py", "ibm_boto3"},
			"minio-py": {tools, "minio_py.py"}, "s3fs": {frames, "frames.py"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				args := append(slices.Clone(script[1:]), e.S3Endpoint, e.AccessKey, e.SecretKey, "clients-"+name)
				cmd := exec.CommandContext(t.Context(), filepath.Join(script[0], "bin", "python"), args...)
				cmd.Dir, cmd.Env = "clients", append(os.Environ(), trust(e)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
		for name, work := range map[string]func(*clientTest){"aws-cli": aws, "rclone": rclone, "s3cmd": s3cmd} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				work(newClientTest(t, e, tools, "clients-"+name))
			})
		}
	})
}

// trust returns the environment variables with which programs trust the endpoint's certificate.
func trust(e harness.Endpoint) []string {
	return []string{"SSL_CERT_FILE=" + e.CAFile, "AWS_CA_BUNDLE=" + e.CAFile, "REQUESTS_CA_BUNDLE=" + e.CAFile, "PYTHONDONTWRITEBYTECODE=1"}
}

// clientTest runs one command line program in a directory with files to upload.
type clientTest struct {
	*testing.T
	harness.Endpoint
	dir, venv, bucket string
	env               []string
	large             string // 60 MB
}

func newClientTest(t *testing.T, e harness.Endpoint, venv, bucket string) *clientTest {
	d := &clientTest{T: t, Endpoint: e, dir: t.TempDir(), venv: venv, bucket: bucket, large: strings.Repeat("0123456789abcdef", 60<<16)}
	d.env = append(append(os.Environ(), trust(e)...), "HOME="+d.dir, "AWS_ACCESS_KEY_ID="+e.AccessKey, "AWS_SECRET_ACCESS_KEY="+e.SecretKey, "AWS_DEFAULT_REGION=us-east-1")
	d.write("large", d.large)
	for i := range 1500 {
		d.write(fmt.Sprintf("many/%d/%04d", i%7, i), fmt.Sprint(i))
	}
	return d
}

func (d *clientTest) write(name, text string) {
	d.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

// checkFile compares a downloaded file with its expected content.
func (d *clientTest) checkFile(name, want string) {
	d.Helper()
	got, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil || string(got) != want {
		d.Errorf("%s: %v, %d bytes, want %d", name, err, len(got), len(want))
	}
}

// files returns the names and sizes of the files in a directory.
func (d *clientTest) files(directory string) map[string]int64 {
	d.Helper()
	all := map[string]int64{}
	err := filepath.WalkDir(filepath.Join(d.dir, directory), func(path string, f os.DirEntry, err error) error {
		if err == nil && !f.IsDir() {
			info, _ := f.Info()
			all[strings.TrimPrefix(path, filepath.Join(d.dir, directory))] = info.Size()
		}
		return err
	})
	if err != nil {
		d.Error(err)
	}
	return all
}

// checkDownload compares a downloaded directory with the one that was sent.
func (d *clientTest) checkDownload(directory string) {
	d.Helper()
	if got, want := d.files(directory), d.files("many"); !maps.Equal(got, want) {
		d.Errorf("%d files came back of %d", len(got), len(want))
	}
}

// try runs a program with the given arguments.
func (d *clientTest) try(program string, args ...string) (string, error) {
	cmd := exec.CommandContext(d.Context(), program, args...)
	cmd.Dir, cmd.Env = d.dir, d.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (d *clientTest) run(program string, args ...string) string {
	d.Helper()
	out, err := d.try(program, args...)
	if err != nil {
		d.Errorf("%s %q: %v\n%.2000s", filepath.Base(program), args, err, out)
	}
	return out
}

// checkURL downloads a presigned URL and compares the content.
func (d *clientTest) checkURL(link, want string) {
	d.Helper()
	ca, err := os.ReadFile(d.CAFile)
	if err != nil {
		d.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	client := http.Client{Timeout: time.Minute, Transport: transport}
	resp, err := client.Get(strings.TrimSpace(link))
	if err != nil {
		d.Errorf("%q: %v", link, err)
		return
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want {
		d.Errorf("%s: %s, %d bytes of %d, %v", link, resp.Status, len(got), len(want), err)
	}
}

func aws(d *clientTest) {
	program := filepath.Join(d.venv, "bin", "aws")
	do := func(args ...string) string {
		d.Helper()
		return d.run(program, append([]string{"--endpoint-url", d.S3Endpoint}, args...)...)
	}
	b := "s3://" + d.bucket
	do("s3", "mb", b)
	do("s3", "sync", "many", b+"/many", "--quiet")
	do("s3", "sync", b+"/many", "back", "--quiet")
	d.checkDownload("back")
	do("s3", "cp", "large", b+"/large", "--quiet", "--metadata", "m=1")
	do("s3", "cp", b+"/large", b+"/a b/ü+%", "--quiet")
	do("s3", "mv", b+"/a b/ü+%", "fetched", "--quiet")
	d.checkFile("fetched", d.large)
	if head := do("s3api", "head-object", "--bucket", d.bucket, "--key", "large"); !strings.Contains(head, `-8\"`) || !strings.Contains(head, `"m": "1"`) {
		d.Errorf("head-object: %s", head)
	}
	do("s3api", "get-object", "--bucket", d.bucket, "--key", "large", "--range", "bytes=-16", "ranged")
	d.checkFile("ranged", "0123456789abcdef")
	d.checkURL(do("s3", "presign", b+"/large"), d.large)
	if out, err := d.try(program, "--endpoint-url", d.S3Endpoint, "s3api", "put-object", "--bucket", d.bucket, "--key", "large", "--if-none-match", "*"); err == nil || !strings.Contains(out, "PreconditionFailed") {
		d.Errorf("put-object --if-none-match: %v %s", err, out)
	}
	do("s3", "rb", b, "--force")
}

func rclone(d *clientTest) {
	program, err := exec.LookPath("rclone")
	if err != nil {
		harness.Missing(d.T, "rclone is not installed")
	}
	d.env = append(d.env, "AWS_CA_BUNDLE=", "RCLONE_CONFIG=/dev/null", "RCLONE_CONFIG_S_TYPE=s3", "RCLONE_CONFIG_S_PROVIDER=Other", "RCLONE_CONFIG_S_ENV_AUTH=true",
		"RCLONE_CONFIG_S_ENDPOINT="+d.S3Endpoint, "RCLONE_S3_UPLOAD_CUTOFF=5M", "RCLONE_S3_CHUNK_SIZE=5M", "RCLONE_S3_COPY_CUTOFF=20M")
	do := func(args ...string) string { d.Helper(); return d.run(program, append([]string{"-q"}, args...)...) }
	b := "s:" + d.bucket
	for i, name := range []string{"with space", "ü/漢字", "plus+%20", "quote'\"", "a&b=c#d;e", "back\\slash"} {
		d.write("odd/"+name, fmt.Sprint(i))
	}
	do("mkdir", b)
	do("copy", "--transfers", "16", "many", b+"/many")
	do("check", "--download", "many", b+"/many")
	do("copy", "odd", b+"/odd")
	do("check", "--download", "odd", b+"/odd")
	do("copyto", "large", b+"/large")
	do("copyto", b+"/large", b+"/copied")
	do("moveto", b+"/copied", b+"/moved")
	do("copyto", b+"/moved", "fetched")
	d.checkFile("fetched", d.large)
	if got := do("cat", "--offset", "-16", b+"/large"); got != "0123456789abcdef" {
		d.Errorf("cat --offset: %q", got)
	}
	d.checkURL(do("link", b+"/large"), d.large)
	do("delete", b+"/many")
	if got := do("lsf", "-R", "--files-only", b); strings.Count(got, "\n") != 8 {
		d.Errorf("left: %s", got)
	}
	do("purge", b)
}

func s3cmd(d *clientTest) {
	program, err := exec.LookPath("s3cmd")
	if err != nil {
		harness.Missing(d.T, "s3cmd is not installed")
	}
	host := strings.TrimPrefix(d.S3Endpoint, "https://")
	d.write("config", "[default]\nsignurl_use_https = True\n")
	do := func(args ...string) string {
		d.Helper()
		return d.run(program, append([]string{"--config=config", "--access_key=" + d.AccessKey, "--secret_key=" + d.SecretKey,
			"--host=" + host, "--host-bucket=" + host, "--ca-certs=" + d.CAFile, "--no-progress"}, args...)...)
	}
	b := "s3://" + d.bucket
	do("mb", b)
	do("sync", "many/0", b+"/many/")
	d.write("back/.keep", "")
	do("get", "--recursive", b+"/many/0", "back/")
	if got := len(d.files("back")) - 1; got != 215 {
		d.Errorf("%d files came back of 215", got)
	}
	do("put", "--multipart-chunk-size-mb=10", "--add-header=x-amz-meta-m:1", "large", b+"/a b+%.bin")
	do("cp", b+"/a b+%.bin", b+"/copied")
	do("mv", b+"/copied", b+"/moved")
	do("modify", "--add-header=x-amz-meta-new:2", b+"/moved")
	do("get", b+"/moved", "fetched")
	d.checkFile("fetched", d.large)
	if got := do("info", b+"/moved"); !strings.Contains(got, "x-amz-meta-new: 2") {
		d.Errorf("info: %s", got)
	}
	d.checkURL(do("signurl", b+"/moved", "+600"), d.large)
	do("rb", "--recursive", "--force", b)
}
