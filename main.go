// Command fn-runtime deploys Lithops runtimes, as a plug-in of the IBM Cloud CLI or by itself.
package main

import (
	"os"

	"fn-runtime/plugin"
)

func main() { os.Exit(plugin.Main(os.Args[1:])) }
