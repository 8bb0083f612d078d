/**
 * Runs the probes of all containers of a node and keeps their results (upstream: pkg/kubelet/prober).
 * plan/pod/probes decides when a probe runs and what its outcomes mean; plan/pod/health.ts reads the results.
 *
 * 1. The Pod's worker reports the containers after each of its plans; a probe is added, changed and removed only by
 *    that. The manager wakes the worker when a result changes.
 * 2. A probe has at most one run at a time. Its period is counted from the time at which it was due; a run that takes
 *    longer than the period is followed by the next one at once.
 * 3. All probes share one queue of timers. Probes of containers that are older than the agent start after a random part
 *    of their period, so that a restart of the agent does not run all of them at once.
 */

import type { EventText } from '../../api/core/event/event-text.ts';
import { PROBE_DEFAULTS } from '../../api/core/pod/defaults.ts';
import type { Container, Pod, PodSpec, Probe } from '../../api/core/pod/schema.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { memoize } from '../../base/collections/memoize.ts';
import { TimerQueue } from '../../base/queue/timer-queue.ts';
import type { Random } from '../../base/random.ts';
import {
	counted,
	initialDelayMs,
	isWanted,
	NEW_PROBE,
	type ProbeWorker,
	probeOf,
	seenBy,
} from '../../plan/pod/probes/probe-worker.ts';
import {
	type Attempt,
	fieldPathOf,
	isSidecar,
	lastStatusOf,
	PROBE_KINDS,
	type ProbeKind,
	type ProbeResult,
	type ProbeResults,
} from '../../plan/pod/snapshot.ts';
import { ProbeError, type ProbeReport, type ProbeRun } from './probe-action.ts';

/** The components of a {@link ProbeManager}. */
export interface ProbeManagerOptions {
	readonly clock: Clock;
	readonly random: Random;
	/** Runs a probe once; see probe-action.ts. */
	run(run: ProbeRun): Promise<ProbeReport>;
	record(pod: Pod, event: EventText): void;
	/** A result of a container of this Pod has changed. */
	changed(podUid: string): void;
}

/** A Pod as its worker sees it. */
export interface ProbedPod {
	readonly pod: Pod;
	/** By container name, oldest first. */
	readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
	readonly podIP: string;
	/** Whether its containers are being stopped for good. */
	readonly terminating: boolean;
}

/** One probe of a container. */
interface Entry {
	readonly uid: string;
	readonly kind: ProbeKind;
	/** Those of the last observation. */
	seen: ProbedPod;
	container: Container;
	probe: Probe;
	worker: ProbeWorker;
	timer: Timer | undefined;
	/** Ends the current run. */
	run: AbortController | undefined;
}

/** How often a probe that cannot be run is tried: upstream's `maxProbeRetries`. */
const MOST_TRIES = 3;

/** See the header of this file. */
export class ProbeManager {
	readonly #options: ProbeManagerOptions;
	readonly #timers: TimerQueue;
	readonly #startedAt: number;
	/** By Pod UID, then by container and kind. */
	readonly #pods = new Map<string, Map<string, Entry>>();

	constructor(options: ProbeManagerOptions) {
		this.#options = options;
		this.#timers = new TimerQueue(options.clock);
		this.#startedAt = options.clock.now();
	}

	/** The results of the Pod's probes, by container id. */
	resultsOf(podUid: string): ReadonlyMap<string, ProbeResults> {
		const entries = this.#pods.get(podUid);
		if (!entries) return NONE;
		const results = new Map<string, { [kind in ProbeKind]?: ProbeResult }>();
		for (const { kind, worker } of entries.values()) {
			if (worker.result === undefined) continue;
			const own = results.get(worker.containerId) ?? {};
			own[kind] = worker.result;
			results.set(worker.containerId, own);
		}
		return results;
	}

	/** Adds the Pod's probes, and adapts them to its containers. */
	observe(seen: ProbedPod): void {
		const { uid = '' } = seen.pod.metadata;
		const probed = probedContainers(seen.pod.spec);
		if (probed.length === 0) return;
		const entries = this.#pods.get(uid) ?? new Map<string, Entry>();
		this.#pods.set(uid, entries);
		for (const container of probed) {
			for (const kind of PROBE_KINDS) {
				const probe = probeOf(container, kind);
				if (probe) this.#observeProbe(entries, { uid, kind, container, probe, seen });
			}
		}
	}

	#observeProbe(
		entries: Map<string, Entry>,
		found: Pick<Entry, 'uid' | 'kind' | 'container' | 'probe' | 'seen'>,
	): void {
		const { kind, container, seen } = found;
		const key = `${container.name}/${kind}`;
		const made = { ...found, worker: NEW_PROBE, timer: undefined, run: undefined };
		const entry: Entry = entries.get(key) ?? made;
		entries.set(key, Object.assign(entry, found));
		const attempt = newestOf(entry);
		const before = entry.worker;
		const view = {
			kind,
			attempt,
			terminating: seen.terminating,
			wasStarted: wasStarted(seen.pod, container, attempt),
			isOlderThanAgent: attempt?.state === 'running' && attempt.startedAt < this.#startedAt,
		};
		entry.worker = seenBy(before, view);
		const isNew = entry.worker.containerId !== before.containerId;
		if (isNew || entry.worker.isOnHold || attempt?.state !== 'running') this.#cancel(entry);
		this.#schedule(entries, entry, attempt);
	}

	/** Sets the timer of a probe that waits for nothing but time, and has none. */
	#schedule(entries: ReadonlyMap<string, Entry>, entry: Entry, attempt: Attempt | undefined): void {
		const { clock, random } = this.#options;
		if (entry.timer || entry.run || attempt?.state !== 'running') return;
		if (!isWanted(entry.worker, entry.kind, hasStarted(entries, entry))) return;
		const isOld = attempt.startedAt < this.#startedAt;
		const jitterMs = isOld ? random.next() * periodMs(entry) : 0;
		const delayMs = initialDelayMs(entry.probe, attempt.startedAt, clock.now());
		this.#runIn(entries, entry, delayMs + jitterMs);
	}

	#runIn(entries: ReadonlyMap<string, Entry>, entry: Entry, delayMs: number): void {
		entry.timer = this.#timers.setTimer(delayMs, () => {
			entry.timer = undefined;
			void this.#run(entries, entry);
		});
	}

	/** Runs the probe if it is still wanted, and schedules the next run. Never rejects. */
	async #run(entries: ReadonlyMap<string, Entry>, entry: Entry): Promise<void> {
		const { clock } = this.#options;
		if (newestOf(entry)?.state !== 'running') return;
		if (!isWanted(entry.worker, entry.kind, hasStarted(entries, entry))) return;
		const dueAt = clock.monotonic();
		const run = new AbortController();
		entry.run = run;
		const outcome = await this.#outcome(entry, run.signal);
		// The container has ended meanwhile, or the Pod was forgotten.
		if (run.signal.aborted) return;
		entry.run = undefined;
		const before = entry.worker.result;
		if (outcome) entry.worker = counted(entry.worker, entry.kind, { probe: entry.probe, outcome });
		this.#runIn(entries, entry, Math.max(0, dueAt + periodMs(entry) - clock.monotonic()));
		// The worker then observes the Pod: the other probes of a container start when its startup probe has succeeded.
		if (entry.worker.result !== before) this.#options.changed(entry.uid);
	}

	/** The outcome of a run, which an event reports if it is a failure; undefined if the probe could not be run. */
	async #outcome(entry: Entry, signal: AbortSignal): Promise<'success' | 'failure' | undefined> {
		const { kind, container, probe, seen, worker } = entry;
		const { pod, podIP } = seen;
		const title = `${kind[0]?.toUpperCase()}${kind.slice(1)} probe`;
		const record = (reason: string, text: string): void => {
			if (signal.aborted) return;
			const fieldPath = fieldPathOf(pod, container.name);
			this.#options.record(pod, { type: 'Warning', reason, message: `${title} ${text}`, fieldPath });
		};
		let failure: unknown;
		for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries++) {
			try {
				const request = { pod, container, probe, containerId: worker.containerId, podIP, signal };
				const { result, output } = await this.#options.run(request);
				if (result === 'failure') record('Unhealthy', `failed: ${output}`);
				if (result === 'warning') record('ProbeWarning', `warning: ${output}`);
				return result === 'failure' ? 'failure' : 'success';
			} catch (error) {
				failure = error;
			}
		}
		const state = failure instanceof ProbeError ? failure.result : 'unknown';
		const text = failure instanceof Error ? failure.message : String(failure);
		record('Unhealthy', `errored and resulted in ${state} state: ${text}`);
		return undefined;
	}

	#cancel(entry: Entry): void {
		entry.timer?.cancel();
		entry.timer = undefined;
		entry.run?.abort();
		entry.run = undefined;
	}

	/** Removes the probes of a Pod. */
	forget(podUid: string): void {
		for (const entry of this.#pods.get(podUid)?.values() ?? []) this.#cancel(entry);
		this.#pods.delete(podUid);
	}

	/** Stops all probes, since the agent stops. */
	stop(): void {
		for (const uid of [...this.#pods.keys()]) this.forget(uid);
		this.#timers.clear();
	}
}

const NONE: ReadonlyMap<string, ProbeResults> = new Map();

/** The regular containers and sidecars with a probe. */
const probedContainers = memoize(({ containers, initContainers = [] }: PodSpec): readonly Container[] =>
	[...containers, ...initContainers.filter(isSidecar)].filter((container) =>
		PROBE_KINDS.some((kind) => probeOf(container, kind)),
	),
);

function newestOf({ seen, container }: Entry): Attempt | undefined {
	return seen.attempts.get(container.name)?.at(-1);
}

/** Whether the container has started as far as its startup probe says. */
function hasStarted(entries: ReadonlyMap<string, Entry>, { container, seen }: Entry): boolean {
	const startup = entries.get(`${container.name}/startup`);
	if (!startup) return true;
	if (startup.worker.result !== undefined) return startup.worker.result === 'success';
	return wasStarted(seen.pod, container, newestOf(startup));
}

/** Whether the Pod's last status reports this attempt as started. */
function wasStarted(pod: Pod, { name }: Container, attempt: Attempt | undefined): boolean {
	const status = lastStatusOf(pod, name);
	return (
		attempt !== undefined &&
		status?.started === true &&
		status.containerID?.endsWith(`://${attempt.id}`) === true
	);
}

function periodMs({ probe }: Entry): number {
	return (probe.periodSeconds || PROBE_DEFAULTS.periodSeconds) * 1000;
}
