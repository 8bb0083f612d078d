/**
 * Evicts Pods that write more than they may, and Pods of a machine that is short of memory, disk or process ids, as the
 * kubelet's eviction manager. plan/eviction has the rules.
 *
 * 1. Every ten seconds the machine is observed, which costs a few system calls. Pods are measured only if the machine is
 *    short of something, or if they limit what they write.
 * 2. An eviction is remembered until its Pod is gone from the runtime. The Pod's worker ends the Pod and reports it.
 * 3. While a Pod that was evicted for want of a resource still runs, no other one is: what it frees may suffice.
 */
import type { ContainerUsage } from '../../api/contract/usage.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import {
	limitsContainers,
	limitsLocalStorage,
	localStorageExcess,
} from '../../plan/eviction/local-storage.ts';
import {
	type EvictionCandidate,
	evictionGraceSeconds,
	IMMEDIATE_GRACE_SECONDS,
	type PodUse,
	type PressureTimes,
	podToEvict,
	pressureAfter,
	pressureMessage,
} from '../../plan/eviction/node-pressure.ts';
import {
	type MetSince,
	metSinceAfter,
	type Observations,
	SIGNALS,
	type Threshold,
	thresholdsDue,
	thresholdsMet,
} from '../../plan/eviction/thresholds.ts';
import type { PodEviction } from '../../plan/pod/snapshot.ts';
import type { Runtime } from '../../runtime/contract.ts';

/** The kubelet's monitoring interval. */
const PERIOD_MS = 10_000;

/** The space that the files of a Pod take. */
export interface PodDiskUse {
	/** By name of the volume. */
	readonly volumes: ReadonlyMap<string, { readonly usedBytes: number; readonly inodes: number }>;
	/** By name of the container, the bytes of its logs. */
	readonly logs: ReadonlyMap<string, number>;
}

/** The components and settings of {@link Evictions}. */
export interface EvictionsOptions {
	readonly clock: Clock;
	readonly runtime: Pick<Runtime, 'usage'>;
	/** When the machine is short of a resource. */
	readonly thresholds: readonly Threshold[];
	/** The Pods of the node that have a sandbox. */
	pods(): readonly Pod[];
	observe(): Promise<Observations>;
	diskUse(pod: Pod): Promise<PodDiskUse>;
	/** Called with each Pod that is evicted from now on. */
	wake(podUid: string): void;
	/** Records an Event about the node. */
	record(event: EventText): void;
	onError(error: unknown): void;
}

/** See the header of this file. */
export class Evictions {
	readonly #options: EvictionsOptions;
	/** By Pod UID. */
	readonly #evicted = new Map<string, PodEviction>();
	#pressure: PressureTimes = new Map();
	#metSince: MetSince = new Map();
	/** The thresholds that evicted Pods at the last check. */
	#due: readonly Threshold[] = [];

	constructor(options: EvictionsOptions) {
		this.#options = options;
	}

	/** Why the Pod is evicted; undefined if it is not. */
	of(podUid: string): PodEviction | undefined {
		return this.#evicted.get(podUid);
	}

	/** The types of the Node's conditions about pressure that are True. */
	get pressures(): ReadonlySet<string> {
		return new Set(this.#pressure.keys());
	}

	/** Checks every ten seconds until `signal` aborts. */
	async run(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await this.check().catch(this.#options.onError);
			await sleep(this.#options.clock, PERIOD_MS, signal);
		}
	}

	/** Checks once. Rejects if something cannot be measured: the next check may. */
	async check(): Promise<void> {
		const { clock, thresholds } = this.#options;
		const pods = this.#options.pods();
		this.#forgetGone(pods);
		const observed = thresholds.length > 0 ? await this.#options.observe() : {};
		const met = thresholdsMet(thresholds, observed, this.#due);
		this.#metSince = metSinceAfter(this.#metSince, met, clock.monotonic());
		this.#due = thresholdsDue(this.#metSince, clock.monotonic());
		// Also while the grace period of a soft threshold lasts, as upstream.
		this.#pressure = pressureAfter(this.#pressure, met, clock.now());
		const active = pods.filter(({ metadata, status }) => !hasEnded({ status }) && !this.#isEnding(metadata));
		if (await this.#evictExceeding(active)) return;
		const [first] = this.#due;
		if (first) await this.#relieve(first, { observed, active });
	}

	#isEnding({ uid = '', deletionTimestamp }: Pod['metadata']): boolean {
		return deletionTimestamp !== undefined || this.#evicted.has(uid);
	}

	#forgetGone(pods: readonly Pod[]): void {
		const present = new Set(pods.map(({ metadata }) => metadata.uid));
		for (const uid of this.#evicted.keys()) if (!present.has(uid)) this.#evicted.delete(uid);
	}

	/** Evicts the Pods that have written more than they may. Resolves to whether there are any. */
	async #evictExceeding(active: readonly Pod[]): Promise<boolean> {
		let hasAny = false;
		const limited = active.filter(limitsLocalStorage);
		const used = limited.some(limitsContainers) ? await this.#options.runtime.usage() : [];
		const byPod = Map.groupBy(used, ({ podUid }) => podUid);
		for (const pod of limited) {
			const written = await this.#diskUseOf(pod);
			if (!written) continue;
			const { volumes, logs } = written;
			const containers = byPod.get(pod.metadata.uid ?? '') ?? [];
			const message = localStorageExcess(pod, {
				logs,
				volumes: new Map(Array.from(volumes, ([name, { usedBytes }]) => [name, usedBytes])),
				writableLayers: new Map(containers.map(({ name, writableLayerBytes }) => [name, writableLayerBytes])),
			});
			if (message === undefined) continue;
			hasAny = true;
			this.#evict(pod, { message, isPressure: false, graceSeconds: IMMEDIATE_GRACE_SECONDS });
		}
		return hasAny;
	}

	/** Evicts one Pod, since the machine is short of the resource of `threshold`. */
	async #relieve(
		threshold: Threshold,
		{ observed, active }: { readonly observed: Observations; readonly active: readonly Pod[] },
	): Promise<void> {
		if (this.#evicted.values().some(({ isPressure }) => isPressure)) return;
		const { resource } = SIGNALS[threshold.signal];
		const message = `Attempting to reclaim ${resource}`;
		this.#options.record({ type: 'Warning', reason: 'EvictionThresholdMet', message });
		if (active.length === 0) return;
		const found = podToEvict(await this.#measure(active), threshold.signal);
		if (!found) return;
		this.#evict(found.pod, {
			message: pressureMessage(found, threshold, observed),
			isPressure: true,
			graceSeconds: evictionGraceSeconds(found.pod, threshold),
		});
	}

	async #measure(pods: readonly Pod[]): Promise<readonly EvictionCandidate[]> {
		const byPod = Map.groupBy(await this.#options.runtime.usage(), ({ podUid }) => podUid);
		const candidates: EvictionCandidate[] = [];
		for (const pod of pods) {
			const used = byPod.get(pod.metadata.uid ?? '');
			const written = used && (await this.#diskUseOf(pod));
			candidates.push({ pod, use: written && useOf(used, written) });
		}
		return candidates;
	}

	/** What a Pod has written; undefined, and reported, if that cannot be found out: others are looked at all the same. */
	async #diskUseOf(pod: Pod): Promise<PodDiskUse | undefined> {
		try {
			return await this.#options.diskUse(pod);
		} catch (error) {
			this.#options.onError(error);
			return undefined;
		}
	}

	#evict(pod: Pod, eviction: PodEviction): void {
		const { uid = '' } = pod.metadata;
		this.#evicted.set(uid, eviction);
		this.#options.wake(uid);
	}
}

function useOf(used: readonly ContainerUsage[], { volumes, logs }: PodDiskUse): PodUse {
	const sum = (amounts: Iterable<number>): number => [...amounts].reduce((total, one) => total + one, 0);
	const ofVolumes = [...volumes.values()];
	return {
		memoryBytes: sum(used.map(({ workingSetBytes }) => workingSetBytes)),
		processes: sum(used.map(({ processes }) => processes)),
		diskBytes: sum([
			...ofVolumes.map(({ usedBytes }) => usedBytes),
			...logs.values(),
			...used.map(({ writableLayerBytes }) => writableLayerBytes),
		]),
		inodes: sum(ofVolumes.map(({ inodes }) => inodes)),
		containers: new Map(used.map(({ name, workingSetBytes }) => [name, workingSetBytes])),
	};
}
