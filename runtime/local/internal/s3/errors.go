package s3

import (
	"encoding/xml"
	"net/http"
)

// apiError is an S3 error response with a code and a message of
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type apiError struct {
	XMLName   xml.Name `xml:"Error"`
	status    int
	Code      string
	Message   string
	Resource  string `xml:",omitempty"`
	RequestID string `xml:"RequestId,omitempty"`
	HostID    string `xml:"HostId,omitempty"`
}

func (apiErr *apiError) Error() string { return apiErr.Code + ": " + apiErr.Message }

func newError(status int, code, message string) *apiError {
	return &apiError{status: status, Code: code, Message: message}
}

func invalidArgument(message string) *apiError {
	return newError(http.StatusBadRequest, "InvalidArgument", message)
}

func invalidRequest(message string) *apiError {
	return newError(http.StatusBadRequest, "InvalidRequest", message)
}

func malformedXML() *apiError {
	return newError(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func badDigest(message string) *apiError {
	return newError(http.StatusBadRequest, "BadDigest", message)
}

func noSuchUpload() *apiError {
	return newError(http.StatusNotFound, "NoSuchUpload", "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.")
}

func noSuchVersion() *apiError {
	return newError(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
}

func preconditionFailed() *apiError {
	return newError(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

func notImplemented(feature string) *apiError {
	return newError(http.StatusNotImplemented, "NotImplemented", "The local endpoint does not implement "+feature+".")
}
