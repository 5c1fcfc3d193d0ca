package pyyaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ParseJSON parses the text of LITHOPS_CONFIG like Python's json.loads. The nodes have no line numbers.
func ParseJSON(data []byte) (*Node, error) {
	if len(data) > MaxSize {
		return nil, newError(0, fmt.Sprintf("it is larger than %d bytes", MaxSize))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n, err := readJSON(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, newError(0, "it contains more than one JSON value")
	}
	return n, nil
}

func readJSON(d *json.Decoder, depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, newError(0, fmt.Sprintf("it is nested more than %d levels deep", maxDepth))
	}
	t, err := d.Token()
	if err != nil {
		return nil, jsonError(d)
	}
	switch t := t.(type) {
	case nil:
		return &Node{Kind: Null}, nil
	case string:
		return &Node{Kind: Text, Text: t}, nil
	case bool:
		return &Node{Kind: Bool, Text: fmt.Sprint(t)}, nil
	case json.Number:
		if KindOf(t.String()) == Int {
			return &Node{Kind: Int, Text: t.String()}, nil
		}
		return &Node{Kind: Float, Text: t.String()}, nil
	}
	list := &Node{Kind: List}
	object := &Node{Kind: Map, Values: map[string]*Node{}}
	for d.More() {
		var key string
		if t == json.Delim('{') {
			k, err := d.Token()
			if err != nil {
				return nil, jsonError(d)
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
			list.Items = append(list.Items, v)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, jsonError(d)
	}
	if t == json.Delim('{') {
		return object, nil
	}
	return list, nil
}

// jsonError does not include the message of the decoder, because it quotes the text, which may contain secrets.
func jsonError(d *json.Decoder) error {
	return newError(0, fmt.Sprintf("it is not valid JSON from character %d on", d.InputOffset()+1))
}
