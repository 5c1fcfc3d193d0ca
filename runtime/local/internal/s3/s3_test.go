package s3

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/aws/credentials"
	"github.com/IBM/ibm-cos-sdk-go/aws/session"
	cos "github.com/IBM/ibm-cos-sdk-go/service/s3"

	"fn-runtime/runtime/local/internal/state"
)

var keys = Keys{AccessKey: "FNAAAAAAAAAAAAAAAAAA", SecretKey: "secret-secret", Token: "the-token"}

func handler(t testing.TB, now func() time.Time) http.Handler {
	t.Helper()
	db, err := state.Open(t.TempDir(), state.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	return Handler(db, keys, t.TempDir(), now)
}

func client(t *testing.T, url, access, secret string, region ...string) *cos.S3 {
	t.Helper()
	s, err := session.NewSession(&aws.Config{
		Endpoint: &url, Region: aws.String(append(region, "us-south")[0]), S3ForcePathStyle: aws.Bool(true), MaxRetries: aws.Int(0),
		Credentials: credentials.NewStaticCredentials(access, secret, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	return cos.New(s)
}

func code(err error) string {
	if e, ok := err.(interface{ Code() string }); ok {
		return e.Code()
	}
	return fmt.Sprint(err)
}

func TestObjectsWithCOSClient(t *testing.T) {
	srv := httptest.NewServer(handler(t, nil))
	defer srv.Close()
	c := client(t, srv.URL, keys.AccessKey, keys.SecretKey)
	b := aws.String("bucket")
	names := []string{"a", "a b+c%d&e=f", "ü/漢字", "//x", "q'<>\"", "tab\tnl\n", "trail/", "%41%2F", "z~!*()@:$,;"}
	for _, n := range names {
		if _, err := c.PutObject(&cos.PutObjectInput{Bucket: b, Key: &n, Body: strings.NewReader(n)}); err != nil {
			t.Errorf("%q: %v", n, err)
			continue
		}
		got, err := c.GetObject(&cos.GetObjectInput{Bucket: b, Key: &n})
		if err != nil {
			t.Errorf("%q: %v", n, err)
			continue
		}
		if data, _ := io.ReadAll(got.Body); string(data) != n {
			t.Errorf("%q: got %q", n, data)
		}
	}
	var listed []string
	err := c.ListObjectsV2Pages(&cos.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int64(3), EncodingType: aws.String("url")}, func(p *cos.ListObjectsV2Output, _ bool) bool {
		for _, o := range p.Contents {
			listed = append(listed, aws.StringValue(o.Key))
		}
		return true
	})
	if err != nil || len(listed) != len(names) {
		t.Errorf("%d of %d listed: %v", len(listed), len(names), err)
	}
	var del []*cos.ObjectIdentifier
	for _, n := range append(names, "never there") {
		del = append(del, &cos.ObjectIdentifier{Key: aws.String(n)})
	}
	out, err := c.DeleteObjects(&cos.DeleteObjectsInput{Bucket: b, Delete: &cos.Delete{Objects: del}})
	if err != nil || len(out.Errors) > 0 || len(out.Deleted) != len(del) {
		t.Error(out, err)
	}
	for _, c := range []struct {
		want string
		err  error
	}{
		{"NoSuchKey", second(c.GetObject(&cos.GetObjectInput{Bucket: b, Key: aws.String("none")}))},
		{"NoSuchBucket", second(c.GetObject(&cos.GetObjectInput{Bucket: aws.String("none"), Key: aws.String("none")}))},
		{"NoSuchBucket", second(c.ListObjectsV2(&cos.ListObjectsV2Input{Bucket: aws.String("none")}))},
		{"NotFound", second(c.HeadBucket(&cos.HeadBucketInput{Bucket: aws.String("none")}))},
		{"BucketAlreadyOwnedByYou", second(c.CreateBucket(&cos.CreateBucketInput{Bucket: b}))},
		{"<nil>", second(client(t, srv.URL, keys.AccessKey, keys.SecretKey, "us-east-1").CreateBucket(&cos.CreateBucketInput{Bucket: b}))},
		{"BucketAlreadyOwnedByYou", second(client(t, srv.URL, keys.AccessKey, keys.SecretKey, "us-east-1").CreateBucket(&cos.CreateBucketInput{Bucket: b,
			CreateBucketConfiguration: &cos.CreateBucketConfiguration{LocationConstraint: aws.String("eu-de")}}))},
		{"InvalidBucketName", second(c.CreateBucket(&cos.CreateBucketInput{Bucket: aws.String("Upper_case")}))},
		{"InvalidBucketName", second(c.CreateBucket(&cos.CreateBucketInput{Bucket: aws.String("api")}))},
		{"NoSuchLifecycleConfiguration", second(c.GetBucketLifecycleConfiguration(&cos.GetBucketLifecycleConfigurationInput{Bucket: b}))},
		{"InvalidAccessKeyId", second(client(t, srv.URL, "FNBBBBBBBBBBBBBBBBBB", keys.SecretKey).ListBuckets(nil))},
		{"SignatureDoesNotMatch", second(client(t, srv.URL, keys.AccessKey, "wrong").ListBuckets(nil))},
	} {
		if code(c.err) != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestPagesWithDelimiter(t *testing.T) {
	srv := httptest.NewServer(handler(t, nil))
	defer srv.Close()
	c := client(t, srv.URL, keys.AccessKey, keys.SecretKey)
	for _, k := range []string{"d/a/1", "d/a/2", "d/b", "d/c/1", "d/c/2", "d/d", "e"} {
		if _, err := c.PutObject(&cos.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(k), Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for size := int64(1); size < 6; size++ {
		var got []string
		pages := 0
		err := c.ListObjectsV2Pages(&cos.ListObjectsV2Input{Bucket: aws.String("bucket"), Prefix: aws.String("d/"), Delimiter: aws.String("/"), MaxKeys: &size}, func(p *cos.ListObjectsV2Output, _ bool) bool {
			for _, o := range p.Contents {
				got = append(got, *o.Key)
			}
			for _, o := range p.CommonPrefixes {
				got = append(got, *o.Prefix)
			}
			pages++
			return pages < 20
		})
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != "d/a/ d/b d/c/ d/d" {
			t.Errorf("page size %d: %v %v", size, got, err)
		}
	}
}

// signed returns a request that is signed with signature version 4. It uses the signing functions of the endpoint.
func signed(method, target, payload, date string, body io.Reader, headers map[string]string) *http.Request {
	r := httptest.NewRequest(method, target, body)
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("X-Amz-Content-Sha256", payload)
	names := []string{"host", "x-amz-content-sha256", "x-amz-date"}
	for k, v := range headers {
		r.Header.Set(k, v)
		if strings.HasPrefix(k, "x-amz-") {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	scope := date[:8] + "/us-south/s3/aws4_request"
	list := strings.Join(names, ";")
	canonical := strings.Join([]string{method, uriEncode(r.URL.Path, true), canonicalQuery(r.URL.Query()), canonicalHeaders(r, names), list, payload}, "\n")
	s := signatureFor(date, scope)
	s.value = s.sign(algorithm, sha256Hex(canonical))
	r.Header.Set("Authorization", algorithm+" Credential="+keys.AccessKey+"/"+scope+",SignedHeaders="+list+",Signature="+s.value)
	return r
}

func signatureFor(date, scope string) *signature {
	key := []byte("AWS4" + keys.SecretKey)
	for p := range strings.SplitSeq(scope, "/") {
		key = sign(key, p)
	}
	return &signature{key: key, date: date, scope: scope}
}

// The signing key and the signature match the worked example of
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (GET Object).
func TestSignatureMatchesDocumentedExample(t *testing.T) {
	r := httptest.NewRequest("GET", "http://examplebucket.s3.amazonaws.com/test.txt", nil)
	r.Header.Set("Range", "bytes=0-9")
	r.Header.Set("X-Amz-Date", "20130524T000000Z")
	r.Header.Set("X-Amz-Content-Sha256", emptySHA)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
	k := Keys{AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	if _, apiErr := authenticate(r, k, at); apiErr != nil {
		t.Fatal(apiErr.Code)
	}
	if _, apiErr := authenticate(r, k, at.Add(16*time.Minute)); apiErr == nil || apiErr.Code != "RequestTimeTooSkewed" {
		t.Fatal("a request with an old date is accepted")
	}
	for name, change := range map[string]func(){
		"range":  func() { r.Header.Set("Range", "bytes=0-99") },
		"path":   func() { r.URL.Path = "/other.txt" },
		"query":  func() { r.URL.RawQuery = "acl" },
		"method": func() { r.Method = "DELETE" },
		"amz":    func() { r.Header.Set("X-Amz-Copy-Source", "/b/k") },
	} {
		before := r.Clone(t.Context())
		change()
		if _, apiErr := authenticate(r, k, at); apiErr == nil {
			t.Errorf("a changed %s is not detected", name)
		}
		r = before
	}
}

func TestBodyMustMatchSignatureAndChecksums(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := handler(t, func() time.Time { return now })
	date := now.Format(timeFormat)
	do := func(r *http.Request) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	hello := "hello"
	sum := sha256Hex(hello)
	const crc = "NhCmhg==" // CRC-32 of hello
	trailer := func(body, checksum string) string {
		return fmt.Sprintf("%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n", len(body), body, checksum)
	}
	streaming := map[string]string{"x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32", "Content-Encoding": "aws-chunked"}
	const unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	for _, c := range []struct {
		name, payload, body string
		headers             map[string]string
		status              int
	}{
		{"right", sum, hello, nil, 200},
		{"other body", sum, "jello", nil, 400},
		{"unsigned", "UNSIGNED-PAYLOAD", hello, nil, 200},
		{"right checksum", sum, hello, map[string]string{"x-amz-checksum-crc32": crc}, 200},
		{"wrong checksum", sum, hello, map[string]string{"x-amz-checksum-crc32": "AAAAAA=="}, 400},
		{"right trailer", unsigned, trailer(hello, crc), streaming, 200},
		{"wrong trailer", unsigned, trailer(hello, "AAAAAA=="), streaming, 400},
		{"no trailer", unsigned, "5\r\nhello\r\n0\r\n\r\n", streaming, 400},
		{"no end", unsigned, "5\r\nhello\r\n", streaming, 400},
		{"cut", unsigned, "5\r\nhel", streaming, 400},
		{"short", unsigned, "4\r\nhell\r\n0\r\nx-amz-checksum-crc32:" + crc + "\r\n\r\n", streaming, 400},
		{"not chunked", unsigned, "hello", streaming, 400},
		{"negative", unsigned, "-5\r\nhello\r\n0\r\n\r\n", streaming, 400},
		{"unknown checksum", unsigned, trailer(hello, crc), map[string]string{"x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-sha512"}, 501},
		{"unknown", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", trailer(hello, crc), streaming, 501},
	} {
		status, body := do(signed("PUT", "/bucket/"+strings.ReplaceAll(c.name, " ", "-"), c.payload, date, strings.NewReader(c.body), c.headers))
		if status != c.status {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	status, _ := do(signed("GET", "/bucket/right-trailer", emptySHA, date, nil, nil))
	if status != 200 {
		t.Error("an accepted object does not exist")
	}
	for _, lost := range []string{"other-body", "wrong-checksum", "wrong-trailer", "cut"} {
		if status, _ := do(signed("GET", "/bucket/"+lost, emptySHA, date, nil, nil)); status != 404 {
			t.Errorf("a rejected object exists: %s", lost)
		}
	}
}

func TestSignedChunks(t *testing.T) {
	date, scope := "20260102T030405Z", "20260102/us-south/s3/aws4_request"
	encode := func(s *signature, parts ...string) string {
		var b strings.Builder
		previous := s.value
		for _, p := range append(parts, "") {
			previous = s.sign(algorithm+"-PAYLOAD", previous, emptySHA, sha256Hex(p))
			fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n", len(p), previous)
			if p != "" {
				b.WriteString(p + "\r\n")
			}
		}
		return b.String() + "\r\n"
	}
	s := signatureFor(date, scope)
	s.value = "seed"
	body := encode(s, "first", strings.Repeat("x", 70_000), "last")
	got, err := io.ReadAll(newChunks(strings.NewReader(body), s))
	if err != nil || string(got) != "first"+strings.Repeat("x", 70_000)+"last" {
		t.Fatal(len(got), err)
	}
	for name, bad := range map[string]string{
		"data":  strings.Replace(body, "first", "fjrst", 1),
		"order": encode(s, "last", "first")[:90] + body[90:],
		"seed":  encode(&signature{key: s.key, date: date, scope: scope, value: "other"}, "first"),
	} {
		if _, err := io.ReadAll(newChunks(strings.NewReader(bad), s)); err == nil {
			t.Errorf("changed %s is not detected", name)
		}
	}
}

func TestBearerTokenRequiresTLS(t *testing.T) {
	h := handler(t, nil)
	for _, c := range []struct {
		make   func(http.Handler) *httptest.Server
		token  string
		status int
	}{
		{httptest.NewServer, keys.Token, 403},
		{httptest.NewTLSServer, keys.Token, 200},
		{httptest.NewTLSServer, "wrong", 403},
		{httptest.NewTLSServer, "", 400},
	} {
		srv := c.make(h)
		req, _ := http.NewRequest("GET", srv.URL+"/bucket", nil)
		req.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", srv.URL[:5], resp.StatusCode, c.status)
		}
		srv.Close()
	}
}

// A request with an empty body and "Expect: 100-continue" gets a 100 response: botocore with urllib3 1.26 waits for it,
// and otherwise hangs in its next request.
func TestExpectContinueWithEmptyBody(t *testing.T) {
	server := httptest.NewServer(handler(t, nil))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PUT /bucket/key HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", conn.RemoteAddr())
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("the first line is %q, %v", line, err)
	}
}
