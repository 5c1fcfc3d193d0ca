// Package core stands in for github.com/IBM/go-sdk-core, of which the COS SDK uses two constructors, for credentials of
// trusted profiles. This program never asks for those: its requests are signed with HMAC keys, or carry a token that its
// own transport puts on them. The real package costs milliseconds at each start and 2 MB of the binary (validators, BSON, YAML
// parsers). Here the constructors refuse, which is what the COS SDK then reports.
//
// What may go in: what the COS SDK needs to compile. What may not: anything that works.
package core

import (
	"errors"
	"net/http"
)

// ErrLeftOut is what every constructor here gives.
var ErrLeftOut = errors.New("trusted profiles are left out of this program")

// Authenticator is the interface of the real package.
type Authenticator interface {
	AuthenticationType() string
	Authenticate(*http.Request) error
	Validate() error
}

// refusing is an authenticator without credentials.
type refusing struct{}

// AuthenticationType is the real package's word for none.
func (refusing) AuthenticationType() string { return "noAuth" }

// Authenticate refuses.
func (refusing) Authenticate(*http.Request) error { return ErrLeftOut }

// Validate refuses.
func (refusing) Validate() error { return ErrLeftOut }

// GetToken refuses.
func (refusing) GetToken() (string, error) { return "", ErrLeftOut }

type (
	// ContainerAuthenticator and IamAssumeAuthenticator cannot be built.
	ContainerAuthenticator struct{ refusing }
	// IamAssumeAuthenticator see ContainerAuthenticator.
	IamAssumeAuthenticator struct{ refusing }
	// ContainerAuthenticatorBuilder takes its settings and refuses to build.
	ContainerAuthenticatorBuilder struct{}
	// IamAssumeAuthenticatorBuilder takes its settings and refuses to build.
	IamAssumeAuthenticatorBuilder struct{}
)

// NewContainerAuthenticatorBuilder makes the builder.
func NewContainerAuthenticatorBuilder() *ContainerAuthenticatorBuilder {
	return &ContainerAuthenticatorBuilder{}
}

// SetCRTokenFilename is ignored.
func (b *ContainerAuthenticatorBuilder) SetCRTokenFilename(string) *ContainerAuthenticatorBuilder {
	return b
}

// SetIAMProfileName is ignored.
func (b *ContainerAuthenticatorBuilder) SetIAMProfileName(string) *ContainerAuthenticatorBuilder {
	return b
}

// SetIAMProfileID is ignored.
func (b *ContainerAuthenticatorBuilder) SetIAMProfileID(string) *ContainerAuthenticatorBuilder {
	return b
}

// SetURL is ignored.
func (b *ContainerAuthenticatorBuilder) SetURL(string) *ContainerAuthenticatorBuilder { return b }

// SetDisableSSLVerification is ignored.
func (b *ContainerAuthenticatorBuilder) SetDisableSSLVerification(bool) *ContainerAuthenticatorBuilder {
	return b
}

// Build refuses.
func (b *ContainerAuthenticatorBuilder) Build() (*ContainerAuthenticator, error) {
	return nil, ErrLeftOut
}

// NewIamAssumeAuthenticatorBuilder makes the builder.
func NewIamAssumeAuthenticatorBuilder() *IamAssumeAuthenticatorBuilder {
	return &IamAssumeAuthenticatorBuilder{}
}

// SetIAMProfileID is ignored.
func (b *IamAssumeAuthenticatorBuilder) SetIAMProfileID(string) *IamAssumeAuthenticatorBuilder {
	return b
}

// SetIAMProfileName is ignored.
func (b *IamAssumeAuthenticatorBuilder) SetIAMProfileName(string) *IamAssumeAuthenticatorBuilder {
	return b
}

// SetIAMAccountID is ignored.
func (b *IamAssumeAuthenticatorBuilder) SetIAMAccountID(string) *IamAssumeAuthenticatorBuilder {
	return b
}

// SetApiKey is ignored; the name is the real package's.
func (b *IamAssumeAuthenticatorBuilder) SetApiKey(string) *IamAssumeAuthenticatorBuilder { return b }

// SetURL is ignored.
func (b *IamAssumeAuthenticatorBuilder) SetURL(string) *IamAssumeAuthenticatorBuilder { return b }

// SetDisableSSLVerification is ignored.
func (b *IamAssumeAuthenticatorBuilder) SetDisableSSLVerification(bool) *IamAssumeAuthenticatorBuilder {
	return b
}

// Build refuses.
func (b *IamAssumeAuthenticatorBuilder) Build() (*IamAssumeAuthenticator, error) {
	return nil, ErrLeftOut
}
