import type { Container, ContainerState, ContainerStatus } from '../../../api/core/pod/schema.ts';
import { formatGoDuration } from '../../../api/meta/go-duration-text.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { isContainerReady, isContainerStarted } from '../health.ts';
import { attemptsOf, LOST } from '../restart/attempts.ts';
import { restartDelayMs } from '../restart/restart.ts';
import { removedStatus } from '../restart/restart-all.ts';
import { type Attempt, lastStatusOf, type PodSnapshot } from '../snapshot.ts';

/** The inputs of a container's status apart from its attempts. */
export interface ContainerStatusInputs {
	readonly seen: PodSnapshot;
	/** Whether the Pod continues, so that an ended container may be waiting for its restart. */
	readonly continues: boolean;
	/** Whether all containers are being restarted: a container that the runtime lacks was removed for that. */
	readonly restartingAll: boolean;
	/** Whether the restart policy restarts this container after its last end. */
	readonly restarts: boolean;
	/** The waiting state of a container that has not run yet: ContainerCreating or PodInitializing. */
	readonly waiting: NonNullable<ContainerState['waiting']>;
	/** Whether it is an init container but no sidecar: it is ready when it has succeeded, not while it runs. */
	readonly init: boolean;
	/** Whether the Pod has ended, so that a container without an end is lost or will never run. */
	readonly missed: boolean;
	/** Whether the runtime still has to change its resources, so that it has those of the last status. */
	readonly isUnfinished: boolean;
}

/** The status of a container, as the kubelet reports it (upstream: convertToAPIContainerStatuses). */
export function containerStatusOf(container: Container, inputs: ContainerStatusInputs): ContainerStatus {
	const { seen } = inputs;
	const removed = inputs.restartingAll && !seen.attempts.has(container.name);
	const reset = removed ? removedStatus(seen.pod, container.name) : undefined;
	if (reset) return { ...bare(container), ...reset };
	const attempts = attemptsOf(seen, container.name);
	// The kubelet reports a container only after its postStart hook has ended.
	const isShown = ({ id, state }: Attempt): boolean =>
		state !== 'created' && (state !== 'running' || seen.postStarts.get(id) !== 'running');
	const last = attempts.findLast(isShown);
	const previous =
		last && attempts.findLast((attempt) => attempt.attempt < last.attempt && attempt.state === 'exited');
	// While the container waits for its restart, its last end is in lastState; otherwise lastState is the end
	// before.
	const waiting = waitingOf(container, attempts, inputs);
	const state = waiting ? { waiting } : last ? stateOf(last, seen.runtime) : stateWithoutRun(inputs);
	const lastState =
		waiting && last ? stateOf(last, seen.runtime) : previous ? stateOf(previous, seen.runtime) : undefined;
	const before = lastStatusOf(seen.pod, container.name);
	const started = state.running !== undefined && isContainerStarted(seen, container, last);
	const done = inputs.init && last?.state === 'exited' && last.exitCode === 0;
	return {
		...bare(container),
		state,
		lastState: lastState ?? before?.lastState ?? {},
		ready: done || (started && !inputs.init && last !== undefined && isContainerReady(seen, container, last)),
		restartCount: last?.attempt ?? before?.restartCount ?? 0,
		imageID: last?.imageRef ?? '',
		...(last && {
			containerID: `${seen.runtime}://${last.id}`,
			...resourcesOf(container, inputs.isUnfinished ? before : undefined),
		}),
		started,
		...(last && userOf(seen)),
	};
}

/** The user of host processes, which is always that of stint: a container that names another one is held back. */
function userOf({ traits }: PodSnapshot): Pick<ContainerStatus, 'user'> {
	const { runsHostPrograms, os, user } = traits;
	if (!runsHostPrograms || os !== 'linux' || !user) return {};
	const { uid, gid, groups } = user;
	return { user: { linux: { uid, gid, ...(groups.length > 0 && { supplementalGroups: groups }) } } };
}

/** The status of a container without attempts. */
function bare({
	name,
	image = '',
	volumeMounts = [],
}: Container): Omit<ContainerStatus, 'state' | 'lastState'> {
	const mounts = volumeMounts.map(({ name: volume, mountPath, readOnly = false }) => ({
		name: volume,
		mountPath,
		// The kubelet reports recursiveReadOnly for read-only mounts only. No runtime supports it yet.
		...(readOnly && { readOnly, recursiveReadOnly: 'Disabled' }),
	}));
	return {
		name,
		ready: false,
		restartCount: 0,
		image,
		imageID: '',
		started: false,
		...(mounts.length > 0 && { volumeMounts: mounts }),
	};
}

/**
 * The resources in the status of a created container: those of the spec or, during a resize, those of `before`. Clients
 * of resize read both fields. Without any resources `resources` is an empty object, as the kubelet writes it.
 */
function resourcesOf(
	{ resources = {} }: Container,
	before: ContainerStatus | undefined,
): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
	const { limits, requests } = resources;
	return {
		resources: before?.resources ?? { ...(limits && { limits }), ...(requests && { requests }) },
		...(requests && { allocatedResources: requests }),
	};
}

/** The waiting state of a container that should run: a failed start, or the backoff after its last end. */
function waitingOf(
	container: Container,
	attempts: readonly Attempt[],
	{ seen, continues, restarts }: ContainerStatusInputs,
): ContainerState['waiting'] {
	const last = attempts.at(-1);
	const failure = seen.startBackoffs.get(container.name);
	if (!continues || last?.state === 'running') return undefined;
	if (failure) return { reason: failure.reason, message: failure.message };
	if (last?.state !== 'exited' || !restarts) return undefined;
	const { name = '', namespace = '', uid = '' } = seen.pod.metadata;
	const delay = formatGoDuration(restartDelayMs(attempts));
	const message = `back-off ${delay} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
	return { reason: 'CrashLoopBackOff', message };
}

/** The state of a container without attempts: waiting, or failed with {@link LOST} if the Pod has ended. */
function stateWithoutRun({ missed, waiting }: ContainerStatusInputs): ContainerState {
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
			// The epoch if the program was never started: so a kubelet writes the 0 that its runtime reports.
			startedAt: formatTime(startedAt ?? 0),
			finishedAt: formatTime(finishedAt),
			containerID: `${runtime}://${id}`,
		},
	};
}
