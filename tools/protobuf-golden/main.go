// Generates src/apiserver/http/protobuf-golden.jsonl: one line for each object, with the protobuf and the JSON that
// upstream's own code writes. The objects have random contents and are of every kind that the server returns
// or accepts. Run it in a scratch module that requires sigs.k8s.io/randfill, and k8s.io/api and
// k8s.io/apimachinery in the version of the field numbers (see tools/field-numbers.ts):
//
//	go run main.go > .../src/apiserver/http/protobuf-golden.jsonl
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"
)

// A kind, and for each of its objects the probability that a pointer, list or map is empty: with 1 only the
// fields that are always written are set, with 0 all fields. A Pod has more than a thousand fields, and the
// file should stay small.
type kind struct {
	gvk   schema.GroupVersionKind
	make  func() runtime.Object
	empty []float64
}

var kinds = []kind{
	{batchv1.SchemeGroupVersion.WithKind("Job"), func() runtime.Object { return &batchv1.Job{} }, []float64{1, 0, 0.4, 0.8}},
	{batchv1.SchemeGroupVersion.WithKind("CronJob"), func() runtime.Object { return &batchv1.CronJob{} }, []float64{1, 0, 0.8}},
	{corev1.SchemeGroupVersion.WithKind("Pod"), func() runtime.Object { return &corev1.Pod{} }, []float64{1, 0, 0.75, 0.75, 0.75}},
	{corev1.SchemeGroupVersion.WithKind("Namespace"), func() runtime.Object { return &corev1.Namespace{} }, []float64{1, 0, 0.4}},
	{corev1.SchemeGroupVersion.WithKind("Node"), func() runtime.Object { return &corev1.Node{} }, []float64{1, 0, 0.4}},
	{corev1.SchemeGroupVersion.WithKind("PersistentVolume"), func() runtime.Object { return &corev1.PersistentVolume{} }, []float64{1, 0, 0.6}},
	{corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), func() runtime.Object { return &corev1.PersistentVolumeClaim{} }, []float64{1, 0, 0.4}},
	{corev1.SchemeGroupVersion.WithKind("Event"), func() runtime.Object { return &corev1.Event{} }, []float64{1, 0, 0.4}},
	{eventsv1.SchemeGroupVersion.WithKind("Event"), func() runtime.Object { return &eventsv1.Event{} }, []float64{1, 0, 0.4}},
	{corev1.SchemeGroupVersion.WithKind("Binding"), func() runtime.Object { return &corev1.Binding{} }, []float64{1, 0}},
	{corev1.SchemeGroupVersion.WithKind("ConfigMap"), func() runtime.Object { return &corev1.ConfigMap{} }, []float64{1, 0, 0.4}},
	{corev1.SchemeGroupVersion.WithKind("Secret"), func() runtime.Object { return &corev1.Secret{} }, []float64{1, 0, 0.4}},
	{authenticationv1.SchemeGroupVersion.WithKind("TokenRequest"), func() runtime.Object { return &authenticationv1.TokenRequest{} }, []float64{1, 0, 0.4}},
	{authenticationv1.SchemeGroupVersion.WithKind("TokenReview"), func() runtime.Object { return &authenticationv1.TokenReview{} }, []float64{1, 0, 0.4}},
	{authenticationv1.SchemeGroupVersion.WithKind("SelfSubjectReview"), func() runtime.Object { return &authenticationv1.SelfSubjectReview{} }, []float64{1, 0, 0.4}},
	{authorizationv1.SchemeGroupVersion.WithKind("LocalSubjectAccessReview"), func() runtime.Object { return &authorizationv1.LocalSubjectAccessReview{} }, []float64{1, 0, 0.4}},
	{authorizationv1.SchemeGroupVersion.WithKind("SelfSubjectAccessReview"), func() runtime.Object { return &authorizationv1.SelfSubjectAccessReview{} }, []float64{1, 0, 0.4}},
	{authorizationv1.SchemeGroupVersion.WithKind("SelfSubjectRulesReview"), func() runtime.Object { return &authorizationv1.SelfSubjectRulesReview{} }, []float64{1, 0, 0.4}},
	{authorizationv1.SchemeGroupVersion.WithKind("SubjectAccessReview"), func() runtime.Object { return &authorizationv1.SubjectAccessReview{} }, []float64{1, 0, 0.4}},
	{corev1.SchemeGroupVersion.WithKind("ServiceAccount"), func() runtime.Object { return &corev1.ServiceAccount{} }, []float64{1, 0, 0.4}},
	{corev1.SchemeGroupVersion.WithKind("Service"), func() runtime.Object { return &corev1.Service{} }, []float64{1, 0, 0.4}},
	{corev1.SchemeGroupVersion.WithKind("Endpoints"), func() runtime.Object { return &corev1.Endpoints{} }, []float64{1, 0, 0.4}},
	{discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"), func() runtime.Object { return &discoveryv1.EndpointSlice{} }, []float64{1, 0, 0.4}},
	{coordinationv1.SchemeGroupVersion.WithKind("Lease"), func() runtime.Object { return &coordinationv1.Lease{} }, []float64{1, 0, 0.4}},
	{schedulingv1.SchemeGroupVersion.WithKind("PriorityClass"), func() runtime.Object { return &schedulingv1.PriorityClass{} }, []float64{1, 0, 0.4}},
	{storagev1.SchemeGroupVersion.WithKind("StorageClass"), func() runtime.Object { return &storagev1.StorageClass{} }, []float64{1, 0, 0.4}},
	{networkingv1.SchemeGroupVersion.WithKind("IPAddress"), func() runtime.Object { return &networkingv1.IPAddress{} }, []float64{1, 0, 0.4}},
	{networkingv1.SchemeGroupVersion.WithKind("ServiceCIDR"), func() runtime.Object { return &networkingv1.ServiceCIDR{} }, []float64{1, 0, 0.4}},
	{policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"), func() runtime.Object { return &policyv1.PodDisruptionBudget{} }, []float64{1, 0, 0.4}},
	{nodev1.SchemeGroupVersion.WithKind("RuntimeClass"), func() runtime.Object { return &nodev1.RuntimeClass{} }, []float64{1, 0, 0.4}},
	{policyv1.SchemeGroupVersion.WithKind("Eviction"), func() runtime.Object { return &policyv1.Eviction{} }, []float64{1, 0, 0.4}},
	{appsv1.SchemeGroupVersion.WithKind("Deployment"), func() runtime.Object { return &appsv1.Deployment{} }, []float64{1, 0.5, 0.8}},
	{appsv1.SchemeGroupVersion.WithKind("ReplicaSet"), func() runtime.Object { return &appsv1.ReplicaSet{} }, []float64{1, 0.5, 0.8}},
	{corev1.SchemeGroupVersion.WithKind("ReplicationController"), func() runtime.Object { return &corev1.ReplicationController{} }, []float64{1, 0.5, 0.8}},
	{autoscalingv1.SchemeGroupVersion.WithKind("Scale"), func() runtime.Object { return &autoscalingv1.Scale{} }, []float64{1, 0, 0.4}},
	{metav1.SchemeGroupVersion.WithKind("DeleteOptions"), func() runtime.Object { return &metav1.DeleteOptions{} }, []float64{1, 0, 0.4, 0.4}},
}

// One line of the file.
type golden struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Protobuf   string          `json:"protobuf"`
	JSON       json.RawMessage `json:"json"`
}

func main() {
	serializer := protobuf.NewSerializer(nil, nil)
	for _, kind := range kinds {
		for seed, empty := range kind.empty {
			object := kind.make()
			if empty < 1 {
				filler(int64(seed), empty).Fill(object)
			}
			object.GetObjectKind().SetGroupVersionKind(kind.gvk)
			var encoded bytes.Buffer
			must(serializer.Encode(object, &encoded))
			text, err := json.Marshal(object)
			must(err)
			apiVersion, name := kind.gvk.ToAPIVersionAndKind()
			line, err := json.Marshal(golden{apiVersion, name, base64.StdEncoding.EncodeToString(encoded.Bytes()), text})
			must(err)
			fmt.Printf("%s\n", line)
		}
	}
}

func filler(seed int64, empty float64) *randfill.Filler {
	return randfill.NewWithSeed(seed).NilChance(empty).NumElements(1, 1).MaxDepth(30).Funcs(
		func(*metav1.TypeMeta, randfill.Continue) {},
		func(text *string, c randfill.Continue) { *text = words[c.Intn(len(words))] },
		func(number *int32, c randfill.Continue) { *number = int32(numbers[c.Intn(len(numbers))]) },
		func(number *int64, c randfill.Continue) { *number = numbers[c.Intn(len(numbers))] << c.Intn(22) },
		func(instant *metav1.Time, c randfill.Continue) { instant.Time = instantOf(c.Rand) },
		func(instant *metav1.MicroTime, c randfill.Continue) { instant.Time = instantOf(c.Rand) },
		func(quantity *resource.Quantity, c randfill.Continue) {
			*quantity = resource.MustParse(quantities[c.Intn(len(quantities))])
		},
		func(value *intstr.IntOrString, c randfill.Continue) {
			*value = intstr.FromInt32(int32(c.Intn(3) * 4000))
			if c.Bool() {
				*value = intstr.FromString(words[c.Intn(len(words))])
			}
		},
		func(fields *metav1.FieldsV1, c randfill.Continue) {
			fields.SetRawString(`{"f:metadata":{"f:labels":{".":{}}}}`)
		},
		func(template *corev1.PodTemplateSpec, c randfill.Continue) {
			// The objects of kind Pod cover the fields of a template.
			if empty > 0.5 {
				c.FillNoCustom(template)
			}
		},
		// These fields belong to disabled feature gates, and are not in our schemas.
		func(_ **corev1.PodSchedulingGroup, _ randfill.Continue) {},
		func(_ *[]corev1.NodeAllocatableResourceClaimStatus, _ randfill.Continue) {},
	)
}

var words = []string{"", "a", "main", "busybox:1.36", "wörld ☃ 🜁", "\ufeffmark", "two\nlines", "__proto__"}
var numbers = []int64{0, 1, -1, 127, 128, 300, -2147483648, 2147483647}
var quantities = []string{"0", "100m", "1", "1.5Gi", "64Mi", "1e3", "-3", "123456789012345678901234567890"}

func instantOf(random *rand.Rand) time.Time {
	switch random.Intn(4) {
	case 0:
		return time.Time{}
	case 1:
		return time.Unix(0, 0)
	case 2:
		return time.Unix(-random.Int63n(1e10), 999_999_999)
	default:
		return time.Unix(random.Int63n(4e9), random.Int63n(1e9))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
