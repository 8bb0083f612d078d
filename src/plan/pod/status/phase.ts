import type { ContainerStatus, PodSpec, PodStatus } from '../../../api/core/pod/schema.ts';
import { isSidecar } from '../snapshot.ts';

/** Container statuses by the name of the container. */
export type StatusByName = ReadonlyMap<string, ContainerStatus>;

/**
 * The phase of a Pod that has not ended (upstream: getPhase in kubelet_pods.go): Pending while it is being
 * initialized or a container has never run, Running afterwards. A container that waits for its restart counts
 * as started. An init container that runs again, because all containers were restarted, makes the Pod Pending
 * again.
 */
export function phaseUnderWay(
	{ containers, initContainers = [] }: PodSpec,
	statuses: StatusByName,
): NonNullable<PodStatus['phase']> {
	for (const container of initContainers) {
		const status = statuses.get(container.name);
		if (neverRan(status) || (status?.state?.running && !isSidecar(container))) return 'Pending';
	}
	return containers.some(({ name }) => neverRan(statuses.get(name))) ? 'Pending' : 'Running';
}

function neverRan(status: ContainerStatus | undefined): boolean {
	const { running, terminated } = status?.state ?? {};
	return !running && !terminated && !status?.lastState?.terminated;
}
