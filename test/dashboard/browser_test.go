// Package dashboard tests the dashboard in a real browser.
package dashboard

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"fn-runtime/commands/dashboard"
	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/test/harness"
)

// browser is a headless Chromium with one page. It collects the page's errors.
type browser struct {
	t             *testing.T
	ctx           context.Context
	mu            sync.Mutex
	messages      []string // messages on the console, from the page or the browser
	requestedURLs []string // all requests of the page
}

// newBrowser starts a separate browser. At the end of the test it fails if the browser reported errors or contacted
// another host.
func newBrowser(t *testing.T, width, height int) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		harness.Missing(t, "Chromium is not installed: %v", err)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(waitLimit), chromedp.WindowSize(width, height), chromedp.UserDataDir(t.TempDir()))...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(alloc)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(tab, 20*time.Minute)
	b := &browser{t: t, ctx: ctx}
	var listeners sync.WaitGroup
	console, requests := chromedp.Console(ctx), chromedp.Events(ctx, network.RequestWillBeSent)
	listeners.Go(func() {
		for m, err := range console {
			if err == nil {
				b.appendLocked(&b.messages, string(m.Type)+": "+m.Text+" "+m.URL)
			}
		}
	})
	listeners.Go(func() {
		for e, err := range requests {
			if err == nil {
				b.appendLocked(&b.requestedURLs, e.Request.URL)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		listeners.Wait()
		b.checkErrors()
	})
	if _, err := chromedp.Run(ctx, call(network.Enable, network.EnableParams{})); err != nil {
		t.Fatal(err)
	}
	return b
}

// call returns an action that sends a command of the browser's protocol.
func call[P, R any](cmd cdp.Command[P, R], params P) chromedp.Action[R] {
	return func(ctx context.Context, _ *chromedp.Target) (R, error) { return chromedp.Call(ctx, cmd, params) }
}

func (b *browser) appendLocked(list *[]string, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*list = append(*list, what)
}

// ignoreMessages removes expected messages that contain words.
func (b *browser) ignoreMessages(words string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = slices.DeleteFunc(b.messages, func(line string) bool { return strings.Contains(line, words) })
}

// checkErrors fails the test if the browser reported errors.
func (b *browser) checkErrors() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.messages {
		b.t.Errorf("the console of the browser contains %s", line)
	}
	if len(b.requestedURLs) == 0 {
		b.t.Error("the browser sent no requests")
	}
	for _, address := range b.requestedURLs {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "blob" && u.Hostname() != "127.0.0.1" {
			b.t.Errorf("the page requested %s", address)
		}
	}
}

// do runs actions, which must succeed.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// waitLimit is how long a test waits for a change of the page. On a busy machine, a real map takes minutes.
const waitLimit = 5 * time.Minute

// waitUntil waits until a JavaScript expression is true, on any page that is loaded in the meantime.
func (b *browser) waitUntil(expression string) {
	b.t.Helper()
	var got bool
	var err error
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
		got, err = chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		cancel()
		if got {
			return
		}
	}
	page, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	b.t.Fatalf("%s did not become true: %v\n%s", expression, err, page)
}

// repeatUntil repeats a step until an expression is true. The page may replace the step's element while the step runs.
func (b *browser) repeatUntil(expression string, step func()) {
	b.t.Helper()
	for end := time.Now().Add(waitLimit); time.Now().Before(end); {
		step()
		for wait := time.Now().Add(5 * time.Second); time.Now().Before(wait); time.Sleep(20 * time.Millisecond) {
			if value[bool](b, "Boolean("+expression+")") {
				return
			}
		}
	}
	b.waitUntil(expression)
}

// clickUntil clicks on an element until an expression is true.
func (b *browser) clickUntil(selector, expression string) {
	b.t.Helper()
	b.repeatUntil(expression, func() { value[any](b, "document.querySelector("+strconv.Quote(selector)+")?.click()") })
}

// size resizes the page.
func (b *browser) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
	b.waitUntil(fmt.Sprintf("innerWidth === %d", width))
}

// value returns the value of a JavaScript expression.
func value[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// serve serves a dashboard until the end of the test and returns the address to open.
func serve(t *testing.T, o dashboard.Options, locale string) string {
	t.Helper()
	o.Format = (&view.View{Texts: i18n.New(locale), Program: "fn-runtime"}).Formatter()
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- dashboard.Serve(ctx, o, func(address string) error { ready <- address; return nil }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the dashboard ended with %v", err)
		}
	})
	select {
	case address := <-ready:
		return address
	case err := <-ended:
		ended <- err
		t.Fatal(err)
		return ""
	}
}
