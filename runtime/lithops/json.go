package lithops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// parseJSON reads the text of LITHOPS_CONFIG as Python's json.loads would; places are not known.
func parseJSON(data []byte) (*node, error) {
	if len(data) > maxConfig {
		return nil, tooMuch(0, fmt.Sprintf("it is larger than %d bytes", maxConfig))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n, err := readJSON(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, tooMuch(0, "it holds more than one JSON value")
	}
	return n, nil
}

func readJSON(d *json.Decoder, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, tooMuch(0, fmt.Sprintf("it is nested more than %d levels deep", maxDepth))
	}
	t, err := d.Token()
	if err != nil {
		return nil, badJSON(d)
	}
	switch t := t.(type) {
	case nil:
		return &node{kind: kindNull}, nil
	case string:
		return &node{kind: kindText, text: t}, nil
	case bool:
		return &node{kind: kindBool, text: fmt.Sprint(t)}, nil
	case json.Number:
		if kindOfPlain(t.String()) == kindInt {
			return &node{kind: kindInt, text: t.String()}, nil
		}
		return &node{kind: kindFloat, text: t.String()}, nil
	}
	list := &node{kind: kindList}
	object := &node{kind: kindMap, values: map[string]*node{}}
	for d.More() {
		var key string
		if t == json.Delim('{') {
			k, err := d.Token()
			if err != nil {
				return nil, badJSON(d)
			}
			key, _ = k.(string)
		}
		v, err := readJSON(d, depth+1)
		if err != nil {
			return nil, err
		}
		if t == json.Delim('{') {
			object.set(key, v)
		} else {
			list.items = append(list.items, v)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, badJSON(d)
	}
	if t == json.Delim('{') {
		return object, nil
	}
	return list, nil
}

// badJSON does not repeat the decoder's words: they quote the text, and it may hold secrets.
func badJSON(d *json.Decoder) error {
	return tooMuch(0, fmt.Sprintf("it is not JSON from character %d on", d.InputOffset()+1))
}
