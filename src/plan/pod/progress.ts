import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Container, Pod } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json/json.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../base/queue/backoff.ts';
import { attemptsOf } from './attempts.ts';
import { type Finding, findingsOf, type HoldBack, holdBack, placesIn } from './fields/field-rules.ts';
import type { ContainerRemoval, ContainerStart, ContainerStop } from './plan.ts';
import { isRestarted, restartDelayMs } from './restart.ts';
import { clearOut, isRestartingAll, restartOfAllDue, wantsRestartOfAll } from './restart-all.ts';
import { type Attempt, isSidecar, lastStatusOf, type PodSnapshot, type StartBackoff } from './snapshot.ts';

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
export type Ending = 'completed' | 'init-failed' | 'deadline' | 'deleted' | 'already-terminal' | 'rejected';

/** The backoff after a failed image pull or container creation. */
const START_BACKOFF: BackoffPolicy = { baseMs: 10_000, capMs: 300_000 };

/** When a failed start is retried, in ms since the epoch. */
export function nextRetryAt({ at, failures, retryAfterMs }: StartBackoff): number {
	return at + (retryAfterMs ?? backoffDelayMs(START_BACKOFF, failures));
}

/** Computes the progress of the Pod. The rules that end it come first, in this order. */
export function progressOf(seen: PodSnapshot): Progress {
	const { pod, now } = seen;
	if (pod.metadata.deletionTimestamp !== undefined) return end(seen, 'deleted', deletionGrace(pod, now));
	if (hasEnded(pod)) return end(seen, 'already-terminal', 0);
	const rejection = rejectionOf(seen);
	if (rejection) return { ...end(seen, 'rejected', 0), rejection };
	const deadline = deadlineOf(pod, now);
	const grace = approximate(pod.spec.terminationGracePeriodSeconds ?? 30);
	if (deadline !== undefined && deadline <= now) return end(seen, 'deadline', grace);
	const deadlines = deadline === undefined ? [] : [deadline];
	if (isRestartingAll(pod)) return restartAll(seen, deadlines);
	const steps = new Steps(seen);
	const initialization = steps.initialize();
	if (initialization === 'failed') return end(seen, 'init-failed', grace);
	const initialized = initialization === 'done';
	if (initialized && steps.runContainers() === 'done') return end(seen, 'completed', grace);
	const continuing = { stops: [], removals: [], initialized, ending: undefined } as const;
	if (wantsRestartOfAll(seen)) {
		const due = restartOfAllDue(seen);
		if (due === undefined) return restartAll(seen, deadlines);
		return { ...continuing, starts: [], restartingAll: undefined, waits: [due, ...deadlines] };
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
	const clearing = clearOut(seen);
	const isClearing = clearing.stops.length + clearing.removals.length > 0;
	const restartingAll = isClearing ? 'clearing' : 'cleared';
	return {
		...clearing,
		starts: [],
		restartingAll,
		waits,
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

/** Collects the containers to start and the times to wait for. */
class Steps {
	readonly starts: ContainerStart[] = [];
	readonly waits: number[] = [];
	readonly #seen: PodSnapshot;
	/** The field path of each container, computed only if a container is started. */
	#paths: ReadonlyMap<Container, string> | undefined;

	constructor(seen: PodSnapshot) {
		this.#seen = seen;
	}

	/** Starts the init containers in order, up to the first one that must finish before the next. */
	initialize(): 'in progress' | 'failed' | 'done' {
		const { initContainers = [], restartPolicy } = this.#seen.pod.spec;
		let result: 'in progress' | 'done' = 'done';
		for (const container of initContainers) {
			const attempts = attemptsOf(this.#seen, container.name);
			const last = attempts.at(-1);
			if (isSidecar(container)) {
				if (last?.state !== 'running') this.#startNext(container, attempts);
				// The next container waits until the sidecar has started once.
				if (!attempts.some((attempt) => attempt.state !== 'created')) return 'in progress';
				continue;
			}
			if (last?.state === 'exited' && last.exitCode === 0) continue;
			if (last?.state === 'exited' && !isRestarted(container, restartPolicy, last.exitCode)) return 'failed';
			if (last?.state !== 'running') this.#startNext(container, attempts);
			result = 'in progress';
			break;
		}
		return result;
	}

	/** Starts the regular containers, all at once; returns `done` if all have ended and none is restarted. */
	runContainers(): 'in progress' | 'done' {
		const { containers, restartPolicy } = this.#seen.pod.spec;
		let result: 'in progress' | 'done' = 'done';
		for (const container of containers) {
			const attempts = attemptsOf(this.#seen, container.name);
			const last = attempts.at(-1);
			if (last?.state === 'exited' && !isRestarted(container, restartPolicy, last.exitCode)) continue;
			result = 'in progress';
			if (last?.state !== 'running') this.#startNext(container, attempts);
		}
		return result;
	}

	/** Starts the next attempt, or waits for the end of its backoff. */
	#startNext(container: Container, attempts: readonly Attempt[]): void {
		const { now, startBackoffs } = this.#seen;
		const last = attempts.at(-1);
		const failure = startBackoffs.get(container.name);
		const due = Math.max(
			last?.state === 'exited' ? last.finishedAt + restartDelayMs(attempts) : 0,
			failure ? nextRetryAt(failure) : 0,
		);
		if (due > now) {
			this.waits.push(due);
			return;
		}
		// After a restart of all containers the runtime has no attempts, so the number comes from the status.
		const first = lastStatusOf(this.#seen.pod, container.name)?.restartCount ?? 0;
		const attempt = last === undefined ? first : last.attempt + (last.state === 'exited' ? 1 : 0);
		const because = last?.state === 'exited' ? `it ended with ${last.exitCode}` : 'it has not run yet';
		this.starts.push({ container, attempt, heldBack: this.#holdBack(container), because });
	}

	#holdBack(container: Container): HoldBack | undefined {
		const { pod, traits } = this.#seen;
		this.#paths ??= new Map(placesIn(pod).map((place) => [place.container, place.path]));
		return holdBack(pod, { container, path: this.#paths.get(container) ?? '' }, traits);
	}
}

/**
 * Stops the running containers: all regular ones together, then the sidecars one by one in reverse order. A
 * container that was created but never started is not stopped; it is removed with the sandbox.
 */
function end(seen: PodSnapshot, ending: Ending, graceSeconds: number): Progress {
	const { containers, initContainers = [] } = seen.pod.spec;
	const plain = [...containers, ...initContainers.filter((container) => !isSidecar(container))];
	const because = `the Pod is ${ending}`;
	const stopsOf = (names: readonly Container[]): readonly ContainerStop[] =>
		names.flatMap(({ name }) => {
			const last = seen.attempts.get(name)?.at(-1);
			const message = `Stopping container ${name}`;
			return last?.state === 'running' ? [{ id: last.id, name, graceSeconds, because, message }] : [];
		});
	const first = stopsOf(plain);
	const sidecars = stopsOf(initContainers.filter(isSidecar));
	const stops = first.length > 0 ? first : sidecars.slice(-1);
	const initialized = wasInitialized(seen);
	return { starts: [], stops, removals: [], restartingAll: undefined, waits: [], initialized, ending };
}

/** Whether all init containers have succeeded and all sidecars have started at least once. */
function wasInitialized(seen: PodSnapshot): boolean {
	return (seen.pod.spec.initContainers ?? []).every((container) => {
		const attempts = attemptsOf(seen, container.name);
		if (isSidecar(container)) return attempts.some(({ state }) => state !== 'created');
		const last = attempts.at(-1);
		return last?.state === 'exited' && last.exitCode === 0;
	});
}
