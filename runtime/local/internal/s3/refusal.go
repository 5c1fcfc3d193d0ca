package s3

import (
	"encoding/xml"
	"net/http"
)

// refusal is an error answer of S3, with the code and the text of
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type refusal struct {
	XMLName   xml.Name `xml:"Error"`
	status    int
	Code      string
	Message   string
	Resource  string `xml:",omitempty"`
	RequestID string `xml:"RequestId,omitempty"`
	HostID    string `xml:"HostId,omitempty"`
}

func (no *refusal) Error() string { return no.Code + ": " + no.Message }

func refuse(status int, code, message string) *refusal {
	return &refusal{status: status, Code: code, Message: message}
}

func invalidArgument(message string) *refusal {
	return refuse(http.StatusBadRequest, "InvalidArgument", message)
}

func invalidRequest(message string) *refusal {
	return refuse(http.StatusBadRequest, "InvalidRequest", message)
}

func malformedXML() *refusal {
	return refuse(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func badDigest(message string) *refusal { return refuse(http.StatusBadRequest, "BadDigest", message) }

func noSuchUpload() *refusal {
	return refuse(http.StatusNotFound, "NoSuchUpload", "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.")
}

func noSuchVersion() *refusal {
	return refuse(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
}

func preconditionFailed() *refusal {
	return refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

func notImplemented(what string) *refusal {
	return refuse(http.StatusNotImplemented, "NotImplemented", "The local endpoint does not implement "+what+".")
}
