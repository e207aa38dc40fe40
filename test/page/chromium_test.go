package page_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"github.com/chromedp/chromedp"
)

// chromium returns the context of the Chromium of this test binary.
var chromium = sync.OnceValues(func() (context.Context, error) {
	program, err := findChromium()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "trainbooking-chromium-")
	if err != nil {
		return nil, err
	}
	options := append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.UserDataDir(dir), chromedp.ModifyCmdFunc(supervised(dir)),
		chromedp.Env("TMPDIR=" + dir), // where its directories of sockets would be left behind
	}, flags...)
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	return ctx, chromedp.Do(ctx)
})

var flags = []chromedp.ExecAllocatorOption{
	chromedp.Headless, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
	// Containers rarely allow a sandbox, and have little shared memory.
	chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true),
	chromedp.Flag("disable-gpu", true),
	// It connects to no server but that of the page.
	chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
	chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.*"),
	// Several pages are in use at once, and none is in the background.
	chromedp.Flag("disable-background-timer-throttling", true),
	chromedp.Flag("disable-backgrounding-occluded-windows", true),
	chromedp.Flag("disable-renderer-backgrounding", true),
	// The same colours and letters on every machine.
	chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("font-render-hinting", "none"),
	chromedp.Flag("lang", "en"),
}

// supervised runs Chromium in a shell that removes its directory afterwards. Chromium ends when the pipes to
// the test binary are closed, because that has ended or was killed, so nothing is left behind and no TestMain
// is needed.
func supervised(dir string) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		c.Args = append([]string{"sh", "-c", `"$@"; rm -rf "$0"`, dir, c.Path}, c.Args[1:]...)
		c.Path = "/bin/sh"
		// Its own process group, so that an interrupt from the terminal only ends the test binary.
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
}

// findChromium returns the path of Chromium, or of Chrome.
func findChromium() (string, error) {
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome",
		"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	command := "sudo apt-get install -y chromium"
	if runtime.GOOS == "darwin" {
		command = "brew install --cask chromium"
	}
	return "", errors.New("the tests need Chromium, which is not installed: " + command)
}
