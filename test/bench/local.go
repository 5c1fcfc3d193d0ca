package main

import (
	"bytes"
	"cmp"
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

// mapCalls is the number of calls in the measured map.
const mapCalls = 500

// mapLimit is the time limit of one side for the map, in seconds. A side that does not finish in time is measured by
// the calls that it completed.
const mapLimit = 100

// mapJob is a map of small calls. The client measures the time from the creation of the executor, so the start of
// Python is not included. At the limit the script ends the processes that it started.
const mapJob = `import os, sys, time, lithops, psutil
def double(x): return x * 2
if __name__ == '__main__':
    n, limit = int(sys.argv[1]), float(sys.argv[2])
    start = time.time()
    ex = lithops.FunctionExecutor(log_level='CRITICAL')
    fs = ex.map(double, range(n))
    try:
        ex.wait(fs, timeout=limit, show_progressbar=False)
    except TimeoutError:
        pass
    took = time.time() - start
    done = [f for f in fs if f.ready or f.success or f.done]
    if len(done) == n:
        got = ex.get_result(fs, show_progressbar=False)
        took = time.time() - start
        assert got == [2 * x for x in range(n)], got
    print('TOOK', took, 'DONE', len(done), flush=True)
    for p in psutil.Process().children(recursive=True):
        p.kill()
    os._exit(0)
`

// measureLocal measures the local endpoint: a job compared with Lithops' own localhost backend, and single invocations.
func measureLocal(ctx context.Context, b *bench) ([]row, error) {
	a, err := newAccount(ctx, b)
	if err != nil {
		return nil, err
	}
	defer a.close()
	archive, err := measureArchive(ctx, a)
	if err != nil {
		return nil, err
	}
	single, err := measureInvoke(ctx, a)
	if err != nil {
		return nil, err
	}
	job, err := measureMap(ctx, a) // last, because calls may still run after the limit
	if err != nil {
		return nil, err
	}
	return slices.Concat(archive, single, job), nil
}

// measureArchive compares the creation of the handler archive with the client's own code.
func measureArchive(ctx context.Context, a *account) ([]row, error) {
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
	return []row{{Work: "handler archive", Ours: ours, Theirs: theirs.took, Who: "lithops create_handler_zip", Note: note}}, nil
}

// measureMap compares the same job on the local endpoint and on Lithops' localhost backend.
func measureMap(ctx context.Context, a *account) ([]row, error) {
	if err := a.configure(a.info.S3Endpoint, a.info.AccessKey, a.info.SecretKey, a.info.Bucket); err != nil {
		return nil, err
	}
	local := filepath.Join(a.home, "localhost.yaml")
	if err := os.WriteFile(local, []byte("lithops: {backend: localhost, storage: localhost}\n"), 0o600); err != nil {
		return nil, err
	}
	one, err := a.sides(ctx, 3, 1, local)
	if err != nil {
		return nil, err
	}
	many, err := a.sides(ctx, 1, mapCalls, local) // long enough for a stable result
	if err != nil {
		return nil, err
	}
	each := func(t timing) time.Duration { return t.took / time.Duration(max(t.done, 1)) }
	return []row{
		{Work: "local endpoint, map of 1", Ours: one[0].took, Theirs: one[1].took, Who: "lithops localhost"},
		{Work: fmt.Sprintf("local endpoint, map of %d, per call", mapCalls), Ours: each(many[0]), Theirs: each(many[1]), Who: "lithops localhost",
			Note: fmt.Sprintf("%d calls in %s, theirs %d in %s; each side is stopped after %d s", many[0].done, round(many[0].took), many[1].done, round(many[1].took), mapLimit)},
	}, nil
}

// timing is the result that a script prints.
type timing struct {
	took time.Duration
	done int // completed calls; 0 if the script does not count them
}

// sides runs the map on the local endpoint and on Lithops' own backend. local is the configuration file of the latter.
func (a *account) sides(ctx context.Context, times, calls int, local string) (both [2]timing, err error) {
	for i, config := range []string{a.config(), local} {
		if both[i], err = a.python(ctx, times, mapJob, []string{"LITHOPS_CONFIG_FILE=" + config}, fmt.Sprint(calls), fmt.Sprint(mapLimit)); err != nil {
			return both, err
		}
	}
	return both, nil
}

// python runs a Lithops script that prints "TOOK seconds [DONE calls]" several times and returns the median.
func (a *account) python(ctx context.Context, times int, script string, env []string, args ...string) (timing, error) {
	file := filepath.Join(a.home, "script.py")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return timing{}, err
	}
	var all []timing
	for range times {
		c, err := measure(ctx, a.home, append(a.env(), env...), filepath.Join(a.venv, "bin", "python"), append([]string{file}, args...)...)
		if err != nil {
			return timing{}, err
		}
		i := bytes.LastIndex(c.out, []byte("TOOK "))
		if i < 0 {
			return timing{}, fmt.Errorf("the script printed no time: %s", tail(c.out))
		}
		var seconds float64
		var t timing
		if n, err := fmt.Sscanf(string(c.out[i:]), "TOOK %f DONE %d", &seconds, &t.done); n == 0 {
			return timing{}, err
		}
		t.took = time.Duration(seconds * float64(time.Second))
		a.b.logf("script %v: %s", args, round(t.took))
		all = append(all, t)
	}
	slices.SortFunc(all, func(x, y timing) int { return cmp.Compare(x.took, y.took) })
	return all[len(all)/2], nil
}

// echo is an action that does nothing, so that only the endpoint's time is measured.
const echo = "def main(args):\n    return args\n"

// measureInvoke measures warm invocations of the local endpoint, sequential and concurrent. No other tool on this
// machine is comparable.
func measureInvoke(ctx context.Context, a *account) ([]row, error) {
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
		if err := parallel(ctx, width, make([]int, 20), call); err != nil { // warm-up
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
		rows = append(rows, row{Work: fmt.Sprintf("local endpoint, warm invocation, %d concurrent", width), Ours: took[n/2],
			Note: fmt.Sprintf("median; p99 %s, %.0f per second", round(took[n*99/100]), n/all.Seconds())})
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
