// cluster-node is every program of a single-node Kubernetes in one executable: etcd, the control plane, kubelet,
// kube-proxy, CoreDNS and kubectl. It is the program by whose name it is called (scripts/dev-cluster makes the links).
//
// They share nearly all of their packages: linked once, they take a third of the disk and of the link time.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// The constructors register flags and feature gates process-wide, and would clash: only the wanted one may be called.
var programs = map[string]func() int{
	"coredns":                 coredns,
	"etcd":                    etcd,
	"kube-apiserver":          cobraProgram(apiserver.NewAPIServerCommand),
	"kube-controller-manager": cobraProgram(controllermanager.NewControllerManagerCommand),
	"kube-proxy":              cobraProgram(proxy.NewProxyCommand),
	"kube-scheduler":          cobraProgram(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubectl":                 kubectl,
	"kubelet":                 cobraProgram(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
}

func cobraProgram(newCommand func() *cobra.Command) func() int {
	return func() int { return cli.Run(newCommand()) }
}

func coredns() int {
	// Of the plugins that CoreDNS knows, those imported above, in its order.
	compiled := []string{"bind", "errors", "hosts", "kubernetes", "template", "forward"}
	dnsserver.Directives = slices.DeleteFunc(dnsserver.Directives, func(name string) bool {
		return !slices.Contains(compiled, name)
	})
	coremain.Run()
	return 0
}

func etcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func kubectl() int {
	// Exits with the status that kubectl's plain error messages go with.
	if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
	return 0
}

func main() {
	name := filepath.Base(os.Args[0])
	program, known := programs[name]
	if !known {
		names := slices.Sorted(maps.Keys(programs))
		fmt.Fprintf(os.Stderr, "cluster-node: called as '%s', which is none of: %s\n", name, strings.Join(names, " "))
		os.Exit(2)
	}
	os.Exit(program())
}
