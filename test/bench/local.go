package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fn-runtime/runtime/lithops"
)

// mapCalls is how many calls the measured map makes.
const mapCalls = 500

// mapJob is a map of small calls, timed within the client from the executor on: the start of Python is nobody's.
const mapJob = `import sys, time, lithops
def double(x): return x * 2
if __name__ == '__main__':
    n = int(sys.argv[1])
    start = time.time()
    with lithops.FunctionExecutor(log_level='ERROR') as ex:
        ex.map(double, range(n))
        got = ex.get_result()
    took = time.time() - start
    assert got == [2 * x for x in range(n)], got
    print('TOOK', took)
`

// locally measures the local endpoint: a job beside Lithops' own backend for this machine, and single invocations.
func locally(ctx context.Context, b *bench) ([]row, error) {
	a, err := newAccount(ctx, b)
	if err != nil {
		return nil, err
	}
	defer a.close()
	archive, err := archived(ctx, a)
	if err != nil {
		return nil, err
	}
	job, err := mapped(ctx, a)
	if err != nil {
		return nil, err
	}
	single, err := invoked(ctx, a)
	if err != nil {
		return nil, err
	}
	return append(append(archive, job...), single...), nil
}

// archived measures the handler archive beside the one that the client's own code makes.
func archived(ctx context.Context, a *account) ([]row, error) {
	install, err := lithops.Find(ctx, lithops.FindOptions{Python: filepath.Join(a.venv, "bin", "python"), Getenv: os.Getenv, Home: a.home, WorkDir: a.home})
	if err != nil {
		return nil, err
	}
	var size int
	ours, err := median(ctx, 10, func(ctx context.Context) error {
		bundle, err := lithops.BuildBundle(ctx, install, lithops.OpenWhisk)
		size = base64.StdEncoding.DecodedLen(len(bundle.Base64))
		return err
	})
	if err != nil {
		return nil, err
	}
	const script = `import os, sys, time
from lithops import utils
from lithops.serverless.backends.openwhisk import openwhisk
entry = os.path.join(os.path.dirname(openwhisk.__file__), 'entry_point.py')
times = []
for _ in range(10):
    start = time.time()
    utils.create_handler_zip(sys.argv[1], entry, '__main__.py')
    times.append(time.time() - start)
print('TOOK', sorted(times)[5])
`
	name := filepath.Join(a.home, "handler.zip")
	theirs, err := a.python(ctx, 3, script, nil, name)
	if err != nil {
		return nil, err
	}
	note := fmt.Sprintf("%d KB", size/1000)
	if info, err := os.Stat(name); err == nil {
		note += fmt.Sprintf(", theirs %d KB", info.Size()/1000)
	}
	return []row{{Work: "handler archive", Ours: ours, Theirs: theirs, Who: "lithops create_handler_zip", Note: note}}, nil
}

// mapped measures the same job on the local endpoint and on Lithops' localhost backend.
func mapped(ctx context.Context, a *account) ([]row, error) {
	if err := a.configure(a.info.S3Endpoint, a.info.AccessKey, a.info.SecretKey, a.info.Bucket); err != nil {
		return nil, err
	}
	local := filepath.Join(a.home, "localhost.yaml")
	if err := os.WriteFile(local, []byte("lithops: {backend: localhost, storage: localhost}\n"), 0o600); err != nil {
		return nil, err
	}
	var rows []row
	for _, n := range []int{1, mapCalls} {
		times := 3
		if n == mapCalls {
			times = 1 // long enough to be steady
		}
		ours, err := a.python(ctx, times, mapJob, []string{"LITHOPS_CONFIG_FILE=" + a.config()}, fmt.Sprint(n))
		if err != nil {
			return nil, err
		}
		theirs, err := a.python(ctx, times, mapJob, []string{"LITHOPS_CONFIG_FILE=" + local}, fmt.Sprint(n))
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{Work: fmt.Sprintf("local endpoint, map of %d", n), Ours: ours, Theirs: theirs, Who: "lithops localhost"})
	}
	return rows, nil
}

// python runs a script with Lithops that prints "TOOK seconds" and gives the median of some runs.
func (a *account) python(ctx context.Context, times int, script string, env []string, args ...string) (time.Duration, error) {
	file := filepath.Join(a.home, "script.py")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return 0, err
	}
	var all []time.Duration
	for range times {
		c, err := measure(ctx, a.home, append(a.env(), env...), filepath.Join(a.venv, "bin", "python"), append([]string{file}, args...)...)
		if err != nil {
			return 0, err
		}
		i := bytes.LastIndex(c.out, []byte("TOOK "))
		var seconds float64
		if i < 0 {
			return 0, fmt.Errorf("the script told no time: %s", tail(c.out))
		}
		if _, err := fmt.Sscanf(string(c.out[i:]), "TOOK %f", &seconds); err != nil {
			return 0, err
		}
		all = append(all, time.Duration(seconds*float64(time.Second)))
		a.b.say("script %v: %s", args, round(all[len(all)-1]))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// echo is an action that costs nothing, so that the endpoint's own time is what is measured.
const echo = "def main(args):\n    return args\n"

// invoked measures warm invocations of the local endpoint, one after another and some at a time. There is nothing on this
// machine to compare them with.
func invoked(ctx context.Context, a *account) ([]row, error) {
	client, err := a.https()
	if err != nil {
		return nil, err
	}
	url := a.info.Endpoint + "/api/v1/namespaces/_/actions/echo"
	action, err := json.Marshal(map[string]any{"exec": map[string]any{"kind": "python:3", "code": echo}})
	if err != nil {
		return nil, err
	}
	if err := a.send(ctx, client, http.MethodPut, url+"?overwrite=true", action); err != nil {
		return nil, err
	}
	call := func(ctx context.Context, _ int) error {
		return a.send(ctx, client, http.MethodPost, url+"?blocking=true&result=true", []byte(`{"x":1}`))
	}
	var rows []row
	for _, width := range []int{1, 4} {
		if err := parallel(ctx, width, make([]int, 20), call); err != nil { // warms
			return nil, err
		}
		const n = 1000
		took := make([]time.Duration, n)
		numbers := make([]int, n)
		for i := range numbers {
			numbers[i] = i
		}
		start := time.Now()
		err := parallel(ctx, width, numbers, func(ctx context.Context, i int) error {
			start := time.Now()
			err := call(ctx, i)
			took[i] = time.Since(start)
			return err
		})
		if err != nil {
			return nil, err
		}
		all := time.Since(start)
		slices.Sort(took)
		rows = append(rows, row{Work: fmt.Sprintf("local endpoint, warm invocation, %d at a time", width), Ours: took[n/2],
			Note: fmt.Sprintf("median; p99 %s, %.0f a second", round(took[n*99/100]), n/all.Seconds())})
	}
	return rows, nil
}

func (a *account) https() (*http.Client, error) {
	ca, err := os.ReadFile(a.info.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 16}}, nil
}

func (a *account) send(ctx context.Context, client *http.Client, method, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(a.info.APIKey)))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s\n%s", method, url, resp.Status, tail(data))
	}
	return err
}
