// Runs an informer of client-go, as controllers in Go do, and prints its result as a line of JSON. An informer
// requests its initial state with one watch (WatchList), and falls back to a list if the server does not support
// that. The program counts both kinds of requests.
//
// It does not use the generated clients (client-go/kubernetes), because compiling them takes most of the build time.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// report is the result that the program prints.
type report struct {
	Synced    bool    `json:"synced"`
	Objects   int     `json:"objects"`
	Seconds   float64 `json:"seconds"`
	Lists     int64   `json:"lists"`
	Watches   int64   `json:"watches"`
	SeesNew   bool    `json:"seesNew"`
	SeesGone  bool    `json:"seesGone"`
	LastError string  `json:"lastError"`
}

// counter counts the lists and watches that pass through it.
type counter struct {
	next           http.RoundTripper
	lists, watches *atomic.Int64
}

func (c counter) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet {
		if request.URL.Query().Get("watch") == "true" {
			c.watches.Add(1)
		} else {
			c.lists.Add(1)
		}
	}
	return c.next.RoundTrip(request)
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "")
	timeout := flag.Duration("timeout", 2*time.Minute, "how long the informer may take to sync")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	if err := run(ctx, *kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string) error {
	var lists, watches atomic.Int64
	client, err := batchClient(kubeconfig, &lists, &watches)
	if err != nil {
		return err
	}
	var lastError atomic.Value
	lastError.Store("")
	informer := cache.NewSharedInformer(
		cache.NewListWatchFromClient(client, "jobs", metav1.NamespaceAll, fields.Everything()),
		&batchv1.Job{}, 0)
	if err := informer.SetWatchErrorHandler(func(_ *cache.Reflector, err error) {
		lastError.Store(err.Error())
	}); err != nil {
		return err
	}
	began := time.Now()
	go informer.Run(ctx.Done())
	result := report{Synced: cache.WaitForCacheSync(ctx.Done(), informer.HasSynced)}
	result.Seconds = time.Since(began).Seconds()
	result.Objects = len(informer.GetStore().ListKeys())
	result.Lists, result.Watches = lists.Load(), watches.Load()
	if result.Synced {
		if result.SeesNew, result.SeesGone, err = createAndDelete(ctx, client, informer); err != nil {
			return err
		}
	}
	result.LastError = lastError.Load().(string)
	return json.NewEncoder(os.Stdout).Encode(result)
}

func batchClient(kubeconfig string, lists, watches *atomic.Int64) (*rest.RESTClient, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return counter{next: next, lists: lists, watches: watches}
	})
	scheme := runtime.NewScheme()
	if err := batchv1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(scheme, batchv1.SchemeGroupVersion)
	config.QPS = -1
	config.APIPath = "/apis"
	config.GroupVersion = &batchv1.SchemeGroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return rest.RESTClientFor(config)
}

const jobName = "made-by-client-go"

// createAndDelete creates a Job and deletes it, and returns whether the informer reported each of the two.
func createAndDelete(ctx context.Context, client *rest.RESTClient, informer cache.SharedInformer) (bool, bool, error) {
	added, deleted := make(chan struct{}, 1), make(chan struct{}, 1)
	notify := func(channel chan struct{}) func(any) {
		return func(object any) {
			if job, ok := object.(*batchv1.Job); ok && job.Name == jobName {
				channel <- struct{}{}
			}
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    notify(added),
		DeleteFunc: notify(deleted),
	}); err != nil {
		return false, false, err
	}
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: jobName}}
	job.Spec.Template.Spec = corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever,
		Containers:    []corev1.Container{{Name: "main", Image: "busybox"}},
	}
	if err := client.Post().Namespace("default").Resource("jobs").Body(job).Do(ctx).Error(); err != nil {
		return false, false, err
	}
	if !arrives(ctx, added) {
		return false, false, nil
	}
	err := client.Delete().Namespace("default").Resource("jobs").Name(jobName).
		Param("propagationPolicy", "Background").Do(ctx).Error()
	return true, err == nil && arrives(ctx, deleted), err
}

func arrives(ctx context.Context, channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	case <-ctx.Done():
		return false
	}
}
