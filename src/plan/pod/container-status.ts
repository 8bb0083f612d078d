import type { Container, ContainerState, ContainerStatus } from '../../api/core/pod/schema.ts';
import { formatGoDuration } from '../../api/meta/go-duration-text.ts';
import { formatTime } from '../../api/meta/time.ts';
import { attemptsOf, LOST } from './attempts.ts';
import { restartDelayMs } from './restart.ts';
import { removedStatus } from './restart-all.ts';
import { type Attempt, type PodSnapshot, statusOf } from './snapshot.ts';

/** What a container's status says beside what its attempts tell. */
export interface ContainerOutlook {
	readonly seen: PodSnapshot;
	/** Whether the Pod goes on, so that a container that ended may be waiting to be started again. */
	readonly goesOn: boolean;
	/** All containers are being restarted: what the runtime does not have any more was removed for that. */
	readonly restartingAll: boolean;
	/** Whether this container alone would be started again after its last end. */
	readonly restarts: boolean;
	/** How a container waits that has not run yet: ContainerCreating or PodInitializing. */
	readonly waiting: NonNullable<ContainerState['waiting']>;
	/** An init container that is no sidecar: it is ready when it is done, not while it runs. */
	readonly init: boolean;
	/** The Pod is over, so that what has no end by now has been lost or will never run. */
	readonly missed: boolean;
}

/** The status of a container, as the kubelet reports it. */
export function containerStatusOf(container: Container, outlook: ContainerOutlook): ContainerStatus {
	const { seen } = outlook;
	const removed = outlook.restartingAll && !seen.attempts.has(container.name);
	const reset = removed ? removedStatus(seen.pod, container.name) : undefined;
	if (reset) return { ...bare(container), ...reset };
	const attempts = attemptsOf(seen, container.name);
	const last = attempts.findLast((attempt) => attempt.state !== 'created');
	const previous =
		last && attempts.findLast((attempt) => attempt.attempt < last.attempt && attempt.state === 'exited');
	const waiting = waitingOf(container, attempts, outlook);
	const state = waiting ? { waiting } : last ? stateOf(last, seen.runtime) : stateWithoutRun(outlook);
	const lastState =
		waiting && last ? stateOf(last, seen.runtime) : previous ? stateOf(previous, seen.runtime) : undefined;
	const before = statusOf(seen.pod, container.name);
	const running = state.running !== undefined;
	const done = outlook.init && last?.state === 'exited' && last.exitCode === 0;
	return {
		...bare(container),
		state,
		lastState: lastState ?? before?.lastState ?? {},
		ready: done || (running && !outlook.init),
		restartCount: last?.attempt ?? before?.restartCount ?? 0,
		imageID: last?.imageRef ?? '',
		...(last && { containerID: `${seen.runtime}://${last.id}`, ...resourcesOf(container) }),
		started: running,
	};
}

/** The status of a container of which nothing is there. */
function bare({
	name,
	image = '',
	volumeMounts = [],
}: Container): Omit<ContainerStatus, 'state' | 'lastState'> {
	const mounts = volumeMounts.map(({ name: volume, mountPath, readOnly = false }) => ({
		...{ name: volume, mountPath },
		// Whether mounts below are read-only too is told of read-only mounts only; no runtime can do that yet.
		...(readOnly && { readOnly, recursiveReadOnly: 'Disabled' }),
	}));
	return {
		...{ name, ready: false, restartCount: 0, image, imageID: '', started: false },
		...(mounts.length > 0 && { volumeMounts: mounts }),
	};
}

/**
 * What a container that was made has of the machine: what its Pod says, since that cannot change in place yet.
 * Clients of resize read both fields; without any resources the first is empty, as a kubelet writes it.
 */
function resourcesOf({
	resources = {},
}: Container): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
	const { limits, requests } = resources;
	return {
		resources: { ...(limits && { limits }), ...(requests && { requests }) },
		...(requests && { allocatedResources: requests }),
	};
}

/** Why a container does not run although it should: the image, its making, or its last end. */
function waitingOf(
	container: Container,
	attempts: readonly Attempt[],
	{ seen, goesOn, restarts }: ContainerOutlook,
): ContainerState['waiting'] {
	const last = attempts.at(-1);
	const hindrance = seen.hindrances.get(container.name);
	if (!goesOn || last?.state === 'running') return undefined;
	if (hindrance) return { reason: hindrance.reason, message: hindrance.message };
	if (last?.state !== 'exited' || !restarts) return undefined;
	const { name = '', namespace = '', uid = '' } = seen.pod.metadata;
	const delay = formatGoDuration(restartDelayMs(attempts));
	const message = `back-off ${delay} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
	return { reason: 'CrashLoopBackOff', message };
}

/** A container that never ran, and never will once its Pod is over, counts as a failure. */
function stateWithoutRun({ missed, waiting }: ContainerOutlook): ContainerState {
	return missed ? { terminated: LOST } : { waiting };
}

function stateOf(attempt: Attempt, runtime: string): ContainerState {
	if (attempt.state === 'created') return {};
	if (attempt.state === 'running') return { running: { startedAt: formatTime(attempt.startedAt) } };
	const { exitCode, signal, reason, message, startedAt, finishedAt, id } = attempt;
	return {
		terminated: {
			exitCode,
			...(signal !== undefined && { signal }),
			reason,
			...(message !== undefined && { message }),
			...(startedAt !== undefined && { startedAt: formatTime(startedAt) }),
			finishedAt: formatTime(finishedAt),
			containerID: `${runtime}://${id}`,
		},
	};
}
