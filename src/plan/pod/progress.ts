import { DEFAULT_GRACE_SECONDS } from '../../api/core/pod/defaults.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json/json.ts';
import { type Finding, findingsOf } from './fields/field-rules.ts';
import { isContainerStarted } from './health.ts';
import type { ContainerRemoval, ContainerStart, ContainerStop } from './plan.ts';
import type { Resize } from './resize.ts';
import { attemptsOf } from './restart/attempts.ts';
import { clearOut, isRestartingAll, restartOfAllDue, wantsRestartOfAll } from './restart/restart-all.ts';
import { isSidecar, type PodSnapshot } from './snapshot.ts';
import { hasRunRegular, Steps } from './steps.ts';
import { stopAll } from './stopping.ts';

/** What to start and stop for a Pod, what it waits for, and whether it ends. */
export interface Progress {
	readonly starts: readonly ContainerStart[];
	readonly stops: readonly ContainerStop[];
	readonly removals: readonly ContainerRemoval[];
	/** While all containers are restarted: `clearing` while the runtime has attempts of them, then `cleared`. */
	readonly restartingAll: 'clearing' | 'cleared' | undefined;
	/** The times at which a backoff or deadline ends, in ms since the epoch. */
	readonly waits: readonly number[];
	/** Whether every init container has succeeded and every sidecar has started. */
	readonly initialized: boolean;
	/** Why the Pod ends or has ended; undefined while it continues. */
	readonly ending: Ending | undefined;
	/** With the ending `rejected`: the field because of which the node agent does not admit the Pod. */
	readonly rejection?: Finding;
}

/** Why a Pod ends. */
export type Ending =
	| 'completed'
	| 'init-failed'
	| 'deadline'
	| 'deleted'
	| 'already-terminal'
	| 'rejected'
	| 'evicted';

/** Computes the progress of the Pod. The rules that end it come first, in this order. */
export function progressOf(seen: PodSnapshot, resize: Pick<Resize, 'restarts'>): Progress {
	const { pod, now } = seen;
	if (pod.metadata.deletionTimestamp !== undefined) return end(seen, 'deleted', deletionGrace(pod, now));
	if (hasEnded(pod)) return end(seen, 'already-terminal', 0);
	const rejection = rejectionOf(seen);
	if (rejection) return { ...end(seen, 'rejected', 0), rejection };
	if (seen.eviction) return end(seen, 'evicted', seen.eviction.graceSeconds);
	const deadline = deadlineOf(pod, now);
	const grace = approximate(pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS);
	if (deadline !== undefined && deadline <= now) return end(seen, 'deadline', grace);
	const deadlines = deadline === undefined ? [] : [deadline];
	if (isRestartingAll(pod)) return restartAll(seen, deadlines);
	const steps = new Steps(seen, resize.restarts);
	steps.runEphemeral();
	const initialization = steps.initialize();
	if (initialization === 'failed') return end(seen, 'init-failed', grace);
	const initialized = initialization === 'done';
	if (initialized && steps.runContainers() === 'done') return end(seen, 'completed', grace);
	const continuing = { stops: steps.stops, removals: [], initialized, ending: undefined };
	if (wantsRestartOfAll(seen)) {
		const due = restartOfAllDue(seen);
		if (due === undefined) return restartAll(seen, deadlines);
		return {
			...continuing,
			starts: [],
			restartingAll: undefined,
			waits: [due, ...steps.waits, ...deadlines],
		};
	}
	return {
		...continuing,
		starts: steps.starts,
		restartingAll: undefined,
		waits: [...steps.waits, ...deadlines],
	};
}

/**
 * The next step of a restart of all containers; nothing is started until the status reports that all are
 * removed.
 */
function restartAll(seen: PodSnapshot, waits: readonly number[]): Progress {
	const { waits: stopWaits, ...clearing } = clearOut(seen);
	const isClearing = clearing.stops.length + clearing.removals.length > 0;
	const restartingAll = isClearing ? 'clearing' : 'cleared';
	return {
		...clearing,
		starts: [],
		restartingAll,
		waits: [...stopWaits, ...waits],
		initialized: wasInitialized(seen),
		ending: undefined,
	};
}

/** The first field because of which a Pod is not admitted. Only a Pod without attempts can be rejected. */
function rejectionOf({ pod, attempts, traits }: PodSnapshot): Finding | undefined {
	return attempts.size > 0 ? undefined : findingsOf(pod, 'rejected', traits)[0];
}

/** When activeDeadlineSeconds end, in ms since the epoch; a Pod without a start time starts now. */
function deadlineOf({ spec, status }: Pod, now: number): number | undefined {
	if (spec.activeDeadlineSeconds === undefined) return undefined;
	return (timeOf(status.startTime) ?? now) + approximate(spec.activeDeadlineSeconds) * 1000;
}

/** The remaining grace period of a Pod under deletion, in seconds. */
function deletionGrace({ metadata }: Pod, now: number): number {
	const remainingMs = (timeOf(metadata.deletionTimestamp) ?? now) - now;
	return Math.min(Math.max(remainingMs / 1000, 0), approximate(metadata.deletionGracePeriodSeconds ?? 0));
}

/** Stops all running containers, in order; a container that was never started is removed with the sandbox. */
function end(seen: PodSnapshot, ending: Ending, graceSeconds: number): Progress {
	const stopping = stopAll(seen, graceSeconds, `the Pod is ${ending}`);
	const initialized = wasInitialized(seen);
	return { ...stopping, starts: [], removals: [], restartingAll: undefined, initialized, ending };
}

/** Whether all init containers have succeeded and all sidecars have started, or a regular container has run. */
function wasInitialized(seen: PodSnapshot): boolean {
	if (hasRunRegular(seen)) return true;
	return (seen.pod.spec.initContainers ?? []).every((container) => {
		const attempts = attemptsOf(seen, container.name);
		const last = attempts.at(-1);
		if (isSidecar(container)) return isContainerStarted(seen, container, last);
		return last?.state === 'exited' && last.exitCode === 0;
	});
}
