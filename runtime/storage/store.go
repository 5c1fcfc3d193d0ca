// Package storage is the bucket of the Lithops client: IBM Cloud Object Storage, or any other store with the S3 API.
//
// What may go in: the S3 API, its paging, its errors, and deleting at scale. What may not: the names that Lithops gives
// to objects, and how requests get to the server (runtime/transport). It alone imports the S3 SDK, whose start-up costs
// more than the rest of the program.
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

// Options says where the bucket is and how to prove who asks.
type Options struct {
	Endpoint string // URL; "http://" only on this machine
	Region   string // of the signature; "" is "us-east-1", which stores without regions expect
	Bucket   string

	// The HMAC keys sign each request (AWS Signature, version 4). Without them the transport must bring credentials: an
	// IAM token as Bearer.
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string

	// ServiceInstanceID is the COS instance in which CreateBucket makes a bucket when an IAM token proves who asks.
	ServiceInstanceID string
	// Location is the location constraint of a new bucket. Lithops gives one on aws_s3 only: the region, but for
	// us-east-1. On COS the endpoint decides.
	Location string

	Transport http.RoundTripper
	// LoginHint replaces the remedy of a refusal, where the caller knows where the credentials came from.
	LoginHint i18n.Message
}

// Store implements the port of that name. It may be used from several goroutines.
type Store struct {
	o   Options
	s3  operations
	err error // the options were wrong
}

// New makes a store. Nothing is sent before it is used, and no file or variable of another program's is read.
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
	// A session made by hand: the SDK's own constructor reads the environment and files of the AWS command line, which
	// may replace the transport.
	bare := &session.Session{Config: aws.NewConfig(), Handlers: defaults.Handlers()}
	config := request.WithRetryer(&aws.Config{
		Credentials:      creds,
		Endpoint:         aws.String(strings.TrimRight(o.Endpoint, "/")),
		Region:           aws.String(o.Region),
		HTTPClient:       transport.Client(o.Transport),
		S3ForcePathStyle: aws.Bool(!virtualHosts(u.Hostname())),
		// Keys are not paths: "a//b" and "a/../b" are objects of their own.
		DisableRestProtocolURICleaning: aws.Bool(true),
		S3Disable100Continue:           aws.Bool(true), // objects are small, and the transport can repeat them
		MaxRetries:                     aws.Int(0),
		LogLevel:                       aws.LogLevel(aws.LogOff),
	}, client.NoOpRetryer{})
	s.s3 = operationsOf(s3.New(bare, config))
	return s
}

// virtualHosts reports whether buckets are addressed as BUCKET.HOST. Amazon requires it of new buckets; COS takes both, and
// other stores often have no name service for it.
func virtualHosts(host string) bool {
	return strings.HasSuffix(strings.ToLower(host), ".amazonaws.com")
}
