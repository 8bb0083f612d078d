import type { ContainerStatus, PodSpec, PodStatus } from '../../api/core/pod/schema.ts';
import { isSidecar } from './snapshot.ts';

/** The statuses that a phase is made from, by the container's name. */
export type StatusByName = ReadonlyMap<string, ContainerStatus>;

/**
 * The phase of a Pod that goes on: Pending while it is initialised or a container of it has never run, Running
 * from then on. A container that waits to be started again counts as started; an init container that runs once
 * more, because all containers were restarted, makes the Pod Pending once more.
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
