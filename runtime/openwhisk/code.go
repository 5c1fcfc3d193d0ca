package openwhisk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// codeMark stands for the code of an action, and is not base64, while the library makes a request of it: so the code
// itself is never copied, however many actions are written at once.
const codeMark = "!"

type codeKey struct{}

// withCode gives a context whose request has code, base64, in the place of codeMark.
func withCode(ctx context.Context, code string) context.Context {
	return context.WithValue(ctx, codeKey{}, code)
}

func codeOf(ctx context.Context) string {
	code, _ := ctx.Value(codeKey{}).(string)
	return code
}

// splice puts the code into the body of a request, as a stream that can be had again.
func splice(req *http.Request, code string) error {
	if code == "" {
		return nil
	}
	data, err := io.ReadAll(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return err
	}
	before, after, ok := bytes.Cut(data, []byte(`"code":"`+codeMark+`"`))
	if !ok {
		return errors.New("the request has no place for the code")
	}
	head, tail := string(before)+`"code":"`, `"`+string(after)
	req.ContentLength = int64(len(head) + len(code) + len(tail))
	req.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(head), strings.NewReader(code), strings.NewReader(tail))), nil
	}
	req.Body, err = req.GetBody()
	return err
}
