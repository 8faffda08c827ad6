package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// runNode plays scheduler and kubelet: one node (DaemonSets need it), and each new pod gets ready at once. An image whose
// name holds `bad-image` cannot be pulled, one with `slow` takes two seconds, pods of Jobs succeed.
func runNode(client kubernetes.Interface) {
	retry(func() error {
		node := &core.Node{ObjectMeta: meta.ObjectMeta{Name: "node-1"}}
		node.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue}}
		_, err := client.CoreV1().Nodes().Create(context.Background(), node, meta.CreateOptions{})
		return err
	})
	factory := informers.NewSharedInformerFactory(client, 0)
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(added any) { go runPod(client, added.(*core.Pod)) },
	})
	if err != nil {
		fail(err)
	}
	factory.Start(nil)
}

func runPod(client kubernetes.Interface, pod *core.Pod) {
	if strings.Contains(pod.Spec.Containers[0].Image, "slow") {
		time.Sleep(2 * time.Second)
	}
	patch, err := json.Marshal(map[string]core.PodStatus{"status": statusOf(pod, meta.Now())})
	if err != nil {
		fail(err)
	}
	retry(func() error {
		_, err := client.CoreV1().Pods(pod.Namespace).Patch(
			context.Background(), pod.Name, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status")
		return err
	})
}

// retry goes on while the API server is away, and gives up when the object is gone or there already.
func retry(attempt func() error) {
	for {
		err := attempt()
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) || apierrors.IsForbidden(err) {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func statusOf(pod *core.Pod, now meta.Time) core.PodStatus {
	status := core.PodStatus{Phase: core.PodRunning, PodIP: nextPodIP(), StartTime: &now}
	ready := core.ConditionTrue
	state := core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: now}}
	switch owner := meta.GetControllerOf(pod); {
	case strings.Contains(pod.Spec.Containers[0].Image, "bad-image"):
		status.Phase, ready = core.PodPending, core.ConditionFalse
		state = core.ContainerState{Waiting: &core.ContainerStateWaiting{
			Reason: "ImagePullBackOff", Message: "Back-off pulling image " + pod.Spec.Containers[0].Image}}
	case owner != nil && owner.Kind == "Job":
		status.Phase, ready = core.PodSucceeded, core.ConditionFalse
		state = core.ContainerState{Terminated: &core.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}}
	}
	for kind, value := range map[core.PodConditionType]core.ConditionStatus{
		core.PodScheduled: core.ConditionTrue, core.PodInitialized: core.ConditionTrue, core.ContainersReady: ready, core.PodReady: ready,
	} {
		status.Conditions = append(status.Conditions, core.PodCondition{Type: kind, Status: value, LastTransitionTime: now})
	}
	started := state.Running != nil
	for _, container := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, core.ContainerStatus{
			Name: container.Name, Image: container.Image, ImageID: "none", Ready: started, Started: &started, State: state})
	}
	return status
}

var podCount atomic.Uint32

func nextPodIP() string {
	count := podCount.Add(1)
	return fmt.Sprintf("10.1.%d.%d", count>>8&255, count&255)
}
