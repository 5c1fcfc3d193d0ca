package transport

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime"
	"net/url"
	"strings"

	"fn-runtime/runtime/text"
)

// shownFields are the only JSON fields whose strings are shown in a trace. Numbers and booleans are shown in all fields
// except "code", which holds programs as well as error codes. The names are from the APIs of OpenWhisk and Code Engine,
// the responses of the IBM Cloud identity service, and the Lithops metadata.
var shownFields = newSet("activationId", "cause", "created_at", "description", "end", "entity_tag", "error", "errorCode", "errorMessage",
	"id", "image", "image_reference", "job_name", "key", "kind", "last_failure_reason", "lithops_version", "message", "mount_path", "name",
	"namespace", "python_version", "reference", "resource_group_id", "resource_plan_id", "scale_array_spec", "scale_cpu_limit",
	"scale_memory_limit", "status", "subject_type", "token_type", "trace", "type", "updated", "version")

// shownXML are the only XML elements whose text is shown in a trace: the names of the S3 API that hold no secret.
var shownXML = newSet("Bucket", "Code", "DeleteMarker", "EncodingType", "ID", "IsLatest", "IsTruncated", "Key", "KeyCount",
	"KeyMarker", "LastModified", "LocationConstraint", "MaxKeys", "Message", "Name", "NextKeyMarker", "Prefix", "Quiet",
	"RequestId", "Resource", "Size", "StartAfter", "Status", "StorageClass", "UploadId", "VersionId")

// writeBody writes the parts of a body that may be shown, depending on its content type. hide redacts the text before
// it is truncated.
func writeBody(b *strings.Builder, contentType string, data []byte, hide func(string) string) {
	if len(data) == 0 {
		return
	}
	t, _, _ := mime.ParseMediaType(contentType)
	shown := ""
	switch {
	case len(data) > maxTraced:
	case t == "application/json" || strings.HasSuffix(t, "+json"):
		shown = redactJSON(data)
	case t == "application/x-www-form-urlencoded":
		shown = redactForm(string(data))
	case t == "application/xml" || t == "text/xml" || (t == "" && bytes.HasPrefix(data, []byte("<"))):
		shown = redactXML(data)
	}
	if shown == "" {
		shown = fmt.Sprintf("[%d bytes of %s]", len(data), text.Line(hide(contentType), 100))
	}
	fmt.Fprintf(b, "\n%s\n", text.Line(hide(shown), maxShown))
}

func redactJSON(data []byte) string {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return ""
	}
	out, err := json.Marshal(redactValue("", v))
	if err != nil {
		return ""
	}
	return string(out)
}

func redactValue(field string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			shown := name
			if len(shown) > 100 {
				shown = shown[:100] + "..."
			}
			out[shown] = redactValue(name, value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = redactValue(field, v[i])
		}
		return out
	case string:
		if shownFields[field] || v == "" {
			return v
		}
		return hidden
	case json.Number:
		if field == "code" || len(v) > 30 {
			return hidden
		}
		return v
	}
	return v // true, false, null
}

func redactForm(body string) string {
	form, err := url.ParseQuery(body)
	if err != nil {
		return ""
	}
	for name := range form {
		if name != "grant_type" {
			form[name] = []string{hidden}
		}
	}
	return form.Encode()
}

func redactXML(data []byte) string {
	d := xml.NewDecoder(bytes.NewReader(data))
	var b strings.Builder
	var name string
	for b.Len() <= maxShown {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return ""
		}
		switch t := token.(type) {
		case xml.StartElement:
			name = t.Name.Local
			b.WriteString("<" + name + ">")
		case xml.EndElement:
			name = ""
			b.WriteString("</" + t.Name.Local + ">")
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" {
				if !shownXML[name] {
					text = hidden
				}
				b.WriteString(text)
			}
		}
	}
	return b.String()
}
