// Runs commands in a container with both executors of client-go, and prints a line of JSON for each. It is run by
// streams.test.ts.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
)

type result struct {
	Executor string `json:"executor"`
	// Whether the output of a command is its input.
	Echoes   bool   `json:"echoes"`
	ExitCode int    `json:"exitCode"`
	Refusal  string `json:"refusal"`
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "")
	pod := flag.String("pod", "", "the Pod, in the namespace default")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err == nil {
		err = run(config, *pod)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(config *rest.Config, pod string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, name := range []string{"spdy", "websocket"} {
		stream := func(pod string, input string, command ...string) (string, error) {
			target, err := url.Parse(config.Host)
			if err != nil {
				return "", err
			}
			target.Path = "/api/v1/namespaces/default/pods/" + pod + "/exec"
			query := url.Values{"command": command, "stdin": {"true"}, "stdout": {"true"}, "stderr": {"true"}}
			target.RawQuery = query.Encode()
			var executor remotecommand.Executor
			if name == "spdy" {
				executor, err = remotecommand.NewSPDYExecutor(config, "POST", target)
			} else {
				executor, err = remotecommand.NewWebSocketExecutor(config, "GET", target.String())
			}
			if err != nil {
				return "", err
			}
			var stdout, stderr bytes.Buffer
			options := remotecommand.StreamOptions{Stdin: strings.NewReader(input), Stdout: &stdout, Stderr: &stderr}
			err = executor.StreamWithContext(ctx, options)
			return stdout.String(), err
		}
		input := strings.Repeat("a line of input\n", 100_000)
		output, err := stream(pod, input, "cat")
		if err != nil {
			return fmt.Errorf("%s: cat: %w", name, err)
		}
		found := result{Executor: name, Echoes: output == input}
		_, err = stream(pod, "", "sh", "-c", "exit 7")
		var exit exec.CodeExitError
		if errors.As(err, &exit) {
			found.ExitCode = exit.Code
		}
		if _, err = stream("missing", "", "cat"); err != nil {
			found.Refusal = err.Error()
		}
		if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
			return err
		}
	}
	return nil
}
