// Command fn-runtime deploys Lithops runtimes. It runs as a plug-in of the IBM Cloud CLI or standalone.
package main

import (
	"os"

	"fn-runtime/plugin"
)

func main() { os.Exit(plugin.Main(os.Args[1:])) }
