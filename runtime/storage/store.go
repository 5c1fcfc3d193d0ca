// Package storage accesses the bucket of the Lithops client in IBM Cloud Object Storage or in another store with the
// S3 API.
//
// It implements the S3 API with paging and error messages, and the deletion of many objects. It does not define the
// names of objects, and requests reach the server through runtime/transport. No other package imports the S3 SDK.
package storage

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/aws/client"
	"github.com/IBM/ibm-cos-sdk-go/aws/credentials"
	"github.com/IBM/ibm-cos-sdk-go/aws/defaults"
	"github.com/IBM/ibm-cos-sdk-go/aws/request"
	"github.com/IBM/ibm-cos-sdk-go/aws/session"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// Options defines the location of the bucket and the credentials.
type Options struct {
	Endpoint string // URL; "http://" is allowed on this machine only
	Region   string // region of the signature; the default is "us-east-1", which stores without regions expect
	Bucket   string

	// HMAC keys to sign each request (AWS Signature Version 4). Without them the transport must add an IAM token as a
	// bearer token.
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string

	// ServiceInstanceID is the COS instance in which CreateBucket creates a bucket if requests use an IAM token.
	ServiceInstanceID string
	// Location is the location constraint of a new bucket. Lithops sets it for aws_s3 only, to any region other than
	// us-east-1. On COS the endpoint determines the location.
	Location string

	Transport http.RoundTripper
	// LoginHint replaces the default remedy for denied requests. Callers set it if they know the source of the
	// credentials.
	LoginHint i18n.Message
}

// Store implements site.Store. It is safe for concurrent use.
type Store struct {
	o   Options
	s3  operations
	err error // set if the options are invalid; every method returns it
}

// New returns a store. It sends no requests. It reads neither the files nor the environment variables of other
// programs such as the AWS CLI.
func New(o Options) *Store {
	s := &Store{o: o}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		s.err = fault.New(fault.Invalid,
			i18n.M("The storage endpoint is not a URL of the form https://HOST[:PORT]."),
			i18n.M("Correct 'endpoint' in the storage section of the Lithops configuration."))
		return s
	}
	if o.Bucket == "" {
		s.err = fault.New(fault.Invalid, i18n.M("No bucket is configured."),
			i18n.M("Set 'storage_bucket' in the Lithops configuration, or pass '--bucket NAME'."))
		return s
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	creds := credentials.AnonymousCredentials
	if o.AccessKeyID != "" {
		creds = credentials.NewStaticCredentials(o.AccessKeyID, o.SecretAccessKey, o.SessionToken)
	}
	// session.NewSession reads the environment variables and files of the AWS CLI, which may replace the transport.
	bare := &session.Session{Config: aws.NewConfig(), Handlers: defaults.Handlers()}
	config := request.WithRetryer(&aws.Config{
		Credentials:      creds,
		Endpoint:         aws.String(strings.TrimRight(o.Endpoint, "/")),
		Region:           aws.String(o.Region),
		HTTPClient:       transport.Client(o.Transport),
		S3ForcePathStyle: aws.Bool(!virtualHosts(u.Hostname())),
		// Keys are not paths: "a//b" and "a/../b" are distinct keys.
		DisableRestProtocolURICleaning: aws.Bool(true),
		S3Disable100Continue:           aws.Bool(true), // objects are small, and the transport can resend them
		MaxRetries:                     aws.Int(0),
		LogLevel:                       aws.LogLevel(aws.LogOff),
	}, client.NoOpRetryer{})
	s.s3 = operationsOf(s3.New(bare, config))
	return s
}

// virtualHosts reports whether requests use the host name BUCKET.HOST. Amazon requires it for new buckets. COS
// supports host names and paths. Other stores often have no DNS entries for their buckets.
func virtualHosts(host string) bool {
	return strings.HasSuffix(strings.ToLower(host), ".amazonaws.com")
}
