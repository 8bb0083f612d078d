import type { Container, Pod } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../base/backoff.ts';
import { approximate } from '../../base/json.ts';
import { attemptsOf } from './attempts.ts';
import { type Finding, findingsOf, type HoldBack, holdBack, placesIn } from './fields/field-rules.ts';
import type { ContainerRemoval, ContainerStart, ContainerStop } from './plan.ts';
import { isRestarted, restartDelayMs } from './restart.ts';
import { clearOut, isRestartingAll, restartOfAllDue, wantsRestartOfAll } from './restart-all.ts';
import { type Attempt, type Hindrance, isSidecar, type PodSnapshot, statusOf } from './snapshot.ts';

/** How a Pod gets on: what to start and stop, what it waits for, and whether it is over. */
export interface Progress {
	readonly starts: readonly ContainerStart[];
	readonly stops: readonly ContainerStop[];
	readonly removals: readonly ContainerRemoval[];
	/** All containers are being restarted: `clearing` until nothing of them is left, then `cleared`. */
	readonly restartingAll: 'clearing' | 'cleared' | undefined;
	/** The instants at which something that waits can go on. */
	readonly waits: readonly number[];
	/** Whether every init container has done its part. */
	readonly initialized: boolean;
	/** Why the Pod is to end or has ended; undefined while it goes on. */
	readonly ending: Ending | undefined;
	/** With the ending `rejected`: the field that the node agent does not admit. */
	readonly rejection?: Finding;
}

/** Why a Pod ends. */
export type Ending = 'completed' | 'init-failed' | 'deadline' | 'deleted' | 'already-over' | 'rejected';

/** How long to wait before an image is tried again, or a container that could not be made. */
const HINDRANCE_BACKOFF: BackoffPolicy = { baseMs: 10_000, capMs: 300_000 };

/** When what was hindered is tried again. */
export function nextTry({ at, failures, retryAfterMs }: Hindrance): number {
	return at + (retryAfterMs ?? backoffDelayMs(HINDRANCE_BACKOFF, failures));
}

/** Decides how the Pod goes on. Rules that end it come first, in this order. */
export function progressOf(seen: PodSnapshot): Progress {
	const { pod, now } = seen;
	if (pod.metadata.deletionTimestamp !== undefined) return end(seen, 'deleted', deletionGrace(pod, now));
	if (isTerminal(pod)) return end(seen, 'already-over', 0);
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
	const going = { stops: [], removals: [], initialized, ending: undefined } as const;
	if (wantsRestartOfAll(seen)) {
		const due = restartOfAllDue(seen);
		if (due === undefined) return restartAll(seen, deadlines);
		return { ...going, starts: [], restartingAll: undefined, waits: [due, ...deadlines] };
	}
	return { ...going, starts: steps.starts, restartingAll: undefined, waits: [...steps.waits, ...deadlines] };
}

function restartAll(seen: PodSnapshot, waits: readonly number[]): Progress {
	const clearing = clearOut(seen);
	const left = clearing.stops.length + clearing.removals.length > 0;
	const restartingAll = left ? 'clearing' : 'cleared';
	return {
		...clearing,
		starts: [],
		restartingAll,
		waits,
		initialized: wasInitialized(seen),
		ending: undefined,
	};
}

/** Whether the Pod has a phase that it never leaves. */
export function isTerminal({ status }: Pod): boolean {
	return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** What a Pod that has not begun asks for and no node agent of this system admits. */
function rejectionOf({ pod, attempts, traits }: PodSnapshot): Finding | undefined {
	return attempts.size > 0 ? undefined : findingsOf(pod, 'rejected', traits)[0];
}

/** A Pod that has no start time yet starts now. */
function deadlineOf({ spec, status }: Pod, now: number): number | undefined {
	if (spec.activeDeadlineSeconds === undefined) return undefined;
	return (timeOf(status.startTime) ?? now) + approximate(spec.activeDeadlineSeconds) * 1000;
}

/** What is left of the time that a deleted Pod was given. */
function deletionGrace({ metadata }: Pod, now: number): number {
	const left = (timeOf(metadata.deletionTimestamp) ?? now) - now;
	return Math.min(Math.max(left / 1000, 0), approximate(metadata.deletionGracePeriodSeconds ?? 0));
}

/** Collects what to start and what to wait for, container by container. */
class Steps {
	readonly starts: ContainerStart[] = [];
	readonly waits: number[] = [];
	readonly #seen: PodSnapshot;
	/** Where each container stands; found once, and only if a container will be started. */
	#paths: ReadonlyMap<Container, string> | undefined;

	constructor(seen: PodSnapshot) {
		this.#seen = seen;
	}

	/** Goes through the init containers in order, as far as they let it. */
	initialize(): 'under way' | 'failed' | 'done' {
		const { initContainers = [], restartPolicy } = this.#seen.pod.spec;
		let result: 'under way' | 'done' = 'done';
		for (const container of initContainers) {
			const attempts = attemptsOf(this.#seen, container.name);
			const last = attempts.at(-1);
			if (isSidecar(container)) {
				if (last?.state !== 'running') this.#startAgain(container, attempts);
				// A sidecar holds the others up until it has run once.
				if (!attempts.some((attempt) => attempt.state !== 'created')) return 'under way';
				continue;
			}
			if (last?.state === 'exited' && last.exitCode === 0) continue;
			if (last?.state === 'exited' && !isRestarted(container, restartPolicy, last.exitCode)) return 'failed';
			if (last?.state !== 'running') this.#startAgain(container, attempts);
			result = 'under way';
			break;
		}
		return result;
	}

	/** Starts the regular containers, all at once; done when none is left to run. */
	runContainers(): 'under way' | 'done' {
		const { containers, restartPolicy } = this.#seen.pod.spec;
		let result: 'under way' | 'done' = 'done';
		for (const container of containers) {
			const attempts = attemptsOf(this.#seen, container.name);
			const last = attempts.at(-1);
			if (last?.state === 'exited' && !isRestarted(container, restartPolicy, last.exitCode)) continue;
			result = 'under way';
			if (last?.state !== 'running') this.#startAgain(container, attempts);
		}
		return result;
	}

	/** Starts the next attempt, once its delay is over. */
	#startAgain(container: Container, attempts: readonly Attempt[]): void {
		const { now, hindrances } = this.#seen;
		const last = attempts.at(-1);
		const hindrance = hindrances.get(container.name);
		const due = Math.max(
			last?.state === 'exited' ? last.finishedAt + restartDelayMs(attempts) : 0,
			hindrance ? nextTry(hindrance) : 0,
		);
		if (due > now) {
			this.waits.push(due);
			return;
		}
		// Where the runtime has none because all were restarted, the status knows how often it has run.
		const first = statusOf(this.#seen.pod, container.name)?.restartCount ?? 0;
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
 * Stops what still runs: the containers together, then the sidecars one by one, the last one first. What was
 * made and never started has no end to wait for; it goes with the sandbox.
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

function wasInitialized(seen: PodSnapshot): boolean {
	return (seen.pod.spec.initContainers ?? []).every((container) => {
		const attempts = attemptsOf(seen, container.name);
		if (isSidecar(container)) return attempts.some(({ state }) => state !== 'created');
		const last = attempts.at(-1);
		return last?.state === 'exited' && last.exitCode === 0;
	});
}
