// Generates src/base/yaml/golden.jsonl: YAML texts and their results upstream. It reads texts as JSON strings,
// one on each line, and writes a line for each: the text, its JSON or the error, and the error of strict
// decoding. Run it in a scratch module that requires the sigs.k8s.io/yaml of upstream's release. The texts of
// the file itself can be the input:
//
//	jq -c .yaml .../src/base/yaml/golden.jsonl | go run main.go > x.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

type golden struct {
	YAML   string          `json:"yaml"`
	JSON   json.RawMessage `json:"json,omitempty"`
	Error  string          `json:"error,omitempty"`
	Strict string          `json:"strict,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			panic(err)
		}
		result := golden{YAML: text}
		if value, err := yaml.YAMLToJSON([]byte(text)); err != nil {
			result.Error = err.Error()
		} else {
			result.JSON = value
		}
		if _, err := yaml.YAMLToJSONStrict([]byte(text)); err != nil && result.Error == "" {
			result.Strict = err.Error()
		}
		if err := out.Encode(result); err != nil {
			panic(err)
		}
	}
}
