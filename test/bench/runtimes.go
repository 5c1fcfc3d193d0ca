package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"fn-runtime/test/proxy"
)

// requestDelay is added to each request of both sides to simulate the latency of a cloud.
const requestDelay = 50 * time.Millisecond

// lithopsPage is the number of entries that the service returns if the client does not request a page size. Lithops
// sees only these.
const lithopsPage = 30

// runtimes measures common operations on many runtimes.
func runtimes(ctx context.Context, b *bench) ([]row, error) {
	a, err := newAccount(ctx, b)
	if err != nil {
		return nil, err
	}
	defer a.close()
	var rows []row
	for _, part := range []func(context.Context, *account) ([]row, error){measureDeploy, measureList, measureDelete, measureUpdate} {
		a.delay(requestDelay)
		more, err := part(ctx, a)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// measureDeploy measures the first deployment and one that changes nothing, with 100 ms per request. Concurrent
// requests count as one sequential step.
func measureDeploy(ctx context.Context, a *account) ([]row, error) {
	replay, err := a.replay(ctx)
	if err != nil {
		return nil, err
	}
	a.compute.Inject(replay)
	defer a.compute.Inject(nil)
	a.delay(100 * time.Millisecond)
	var rows []row
	for _, again := range []bool{false, true} {
		work, note := "deploy, first time, 100 ms per request", ""
		if again {
			work = "deploy, nothing to do, 100 ms per request"
		}
		ours, err := a.medianOf(ctx, 3, func(ctx context.Context) (cost, error) {
			if !again {
				if err := a.empty(ctx); err != nil {
					return cost{}, err
				}
			}
			return a.ours(ctx, "deploy", "default")
		})
		if err != nil {
			return nil, err
		}
		note = fmt.Sprintf("%d requests in %d steps", ours.requests, steps(ours.record))
		theirs, err := a.medianOf(ctx, 3, func(ctx context.Context) (cost, error) {
			if !again {
				if err := a.empty(ctx); err != nil {
					return cost{}, err
				}
			}
			return a.theirs(ctx, "runtime", "deploy", a.modelImage())
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{Work: work, Ours: ours.took, Theirs: theirs.took, Who: "lithops runtime deploy",
			Note: fmt.Sprintf("%s, theirs %d", note, theirs.requests)})
	}
	return rows, nil
}

func (a *account) modelImage() string {
	image, _ := a.model.Annotations["fn-runtime-image"].(string)
	return image
}

// medianOf returns the run with the median time of n.
func (a *account) medianOf(ctx context.Context, n int, work func(context.Context) (cost, error)) (cost, error) {
	all := make([]cost, 0, n)
	for range n {
		c, err := work(ctx)
		if err != nil {
			return c, err
		}
		all = append(all, c)
	}
	return medianRun(all), nil
}

// measureList measures listing 1,000 runtimes.
func measureList(ctx context.Context, a *account) ([]row, error) {
	const n = 1000
	if err := a.seed(ctx, n, false); err != nil {
		return nil, err
	}
	ours, err := a.medianOf(ctx, 5, func(ctx context.Context) (cost, error) { return a.ours(ctx, "list", "--output", "json") })
	if err != nil {
		return nil, err
	}
	var shown []struct{ Name string }
	if err := json.Unmarshal(ours.out, &shown); err != nil || len(shown) != n {
		return nil, fmt.Errorf("list shows %d of %d runtimes (%v)", len(shown), n, err)
	}
	theirs, err := a.medianOf(ctx, 3, func(ctx context.Context) (cost, error) { return a.theirs(ctx, "runtime", "list") })
	if err != nil {
		return nil, err
	}
	pages := n/200 + n/1000 // pages of actions and of metadata keys
	shows := strings.Count(string(theirs.out), "bench/runtime")
	return []row{
		{Work: "list, 1,000 runtimes", Ours: ours.took, Theirs: theirs.took, Who: "lithops runtime list",
			Note: fmt.Sprintf("%d requests, %d more than the %d pages; theirs shows %d", ours.requests, ours.requests-pages, pages, shows)},
		{Work: "list, 1,000 runtimes, per runtime shown", Ours: ours.took / n, Theirs: theirs.took / time.Duration(max(shows, 1)), Who: "lithops runtime list"},
	}, nil
}

// measureDelete measures the deletion of 100 runtimes, per runtime that is actually deleted.
func measureDelete(ctx context.Context, a *account) ([]row, error) {
	const n = 100
	one := func(run func() (cost, error)) (cost, int, error) {
		if err := a.seed(ctx, n, false); err != nil {
			return cost{}, 0, err
		}
		c, err := run()
		if err != nil {
			return c, 0, err
		}
		names, err := a.left(ctx)
		return c, len(names), err
	}
	ours, oursLeft, err := one(func() (cost, error) { return a.ours(ctx, "delete", "all", "-f") })
	if err != nil {
		return nil, err
	}
	theirs, theirsLeft, err := one(func() (cost, error) { return a.theirs(ctx, "runtime", "delete", "all") })
	if err != nil {
		return nil, err
	}
	if oursLeft != 0 {
		return nil, fmt.Errorf("delete all leaves %d runtimes", oursLeft)
	}
	each := func(c cost, left int) time.Duration { return c.took / time.Duration(max(1, n-left)) }
	return []row{{Work: "delete all, 100 runtimes, per runtime deleted", Ours: each(ours, oursLeft), Theirs: each(theirs, theirsLeft),
		Who: "lithops runtime delete", Note: fmt.Sprintf("%s in total, none left; theirs left %d", round(ours.took), theirsLeft)}}, nil
}

// measureUpdate measures the update of all runtimes. Cold starts are replayed; see replay.
func measureUpdate(ctx context.Context, a *account) ([]row, error) {
	replay, err := a.replay(ctx)
	if err != nil {
		return nil, err
	}
	a.compute.Inject(replay)
	defer a.compute.Inject(nil)
	var rows []row
	for _, n := range []int{lithopsPage, 100} {
		if err := a.seed(ctx, n, true); err != nil {
			return nil, err
		}
		ours, err := a.ours(ctx, "update", "all")
		if err != nil {
			return nil, err
		}
		oursDone, err := a.countUpdated(ctx)
		if err != nil {
			return nil, err
		}
		if oursDone != n {
			return nil, fmt.Errorf("update all renews %d of %d runtimes", oursDone, n)
		}
		if err := a.seed(ctx, n, true); err != nil {
			return nil, err
		}
		theirs, err := a.theirs(ctx, "runtime", "update", "all")
		if err != nil {
			return nil, err
		}
		theirsDone := min(n, lithopsPage)
		rows = append(rows, row{Work: fmt.Sprintf("update all, %d runtimes, per runtime updated", n),
			Ours: ours.took / time.Duration(n), Theirs: theirs.took / time.Duration(theirsDone), Who: "lithops runtime update",
			Note: fmt.Sprintf("%s in total, theirs %s for %d of them", round(ours.took), round(theirs.took), theirsDone)})
	}
	return rows, nil
}

// countUpdated returns the number of runtimes that have the client's code.
func (a *account) countUpdated(ctx context.Context) (n int, err error) {
	for action, err := range a.actions.Actions(ctx, a.contract.Package()) {
		if err != nil {
			return 0, err
		}
		if action.Annotations["fn-runtime-bundle"] == a.model.Annotations["fn-runtime-bundle"] {
			n++
		}
	}
	return n, nil
}

// replay makes the proxy respond to invocations with the recorded response of a real one, after its duration. A service
// runs the containers on its own machines; here they would compete with the measured programs. All other requests reach
// the endpoint.
func (a *account) replay(ctx context.Context) (func(proxy.Request) proxy.Fault, error) {
	if err := a.empty(ctx); err != nil {
		return nil, err
	}
	before := a.compute.Delay
	a.delay(0)
	defer a.delay(before)
	var once sync.Once
	var body []byte
	var took time.Duration
	a.compute.Inject(func(r proxy.Request) proxy.Fault {
		if !invocation(r) {
			return nil
		}
		return func(w http.ResponseWriter, req *http.Request, forward http.Handler) {
			start := time.Now()
			rec := &recorder{ResponseWriter: w}
			forward.ServeHTTP(rec, req)
			once.Do(func() { body, took = rec.body, time.Since(start) })
		}
	})
	_, err := a.ours(ctx, "deploy", "default")
	a.compute.Inject(nil)
	if err != nil {
		return nil, err
	}
	var activation struct {
		Response struct {
			Result json.RawMessage `json:"result"`
		} `json:"response"`
	}
	if err := json.Unmarshal(body, &activation); err != nil || len(activation.Response.Result) == 0 {
		return nil, fmt.Errorf("the deployment created no activation: %s", tail(body))
	}
	a.coldStart = took
	return func(r proxy.Request) proxy.Fault {
		if !invocation(r) {
			return nil
		}
		return func(w http.ResponseWriter, req *http.Request, _ http.Handler) {
			select {
			case <-time.After(took):
			case <-req.Context().Done():
				return
			}
			answer := body // the complete activation
			if strings.Contains(r.Path, "result=true") {
				answer = activation.Response.Result
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer)
		}
	}, nil
}

func invocation(r proxy.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.Path, "blocking=true")
}

// recorder keeps the endpoint's response.
type recorder struct {
	http.ResponseWriter
	body []byte
}

func (r *recorder) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return r.ResponseWriter.Write(p)
}
