/**
 * The lifecycle hooks of containers, and the stops that have begun. In memory only: an agent that restarts during a stop
 * runs the preStop hook again, as the kubelet does, and takes a postStart hook that ran for done.
 *
 * plan/pod decides when a hook runs and what follows from its end; this part runs it, and wakes the Pod's worker when it
 * has ended. A hook ends at the latest with its container.
 */

import type { EventText } from '../../api/core/event/event-text.ts';
import type { Container, LifecycleHandler, Pod } from '../../api/core/pod/schema.ts';
import type { ContainerStop } from '../../plan/pod/plan.ts';
import { containerNamed, fieldPathOf, type StopState } from '../../plan/pod/snapshot.ts';
import type { Runtime } from '../../runtime/contract.ts';
import { type HookTools, runHook } from '../handlers/run-hook.ts';
import type { RuntimeView } from './runtime-view.ts';

/** The components of {@link ContainerHooks}. */
export interface ContainerHooksOptions extends Pick<HookTools, 'clock'> {
	readonly runtime: Pick<Runtime, 'exec' | 'podSockets' | 'stopContainer'>;
	readonly view: RuntimeView;
	record(pod: Pod, event: EventText): void;
	/** A hook of a container of this Pod has ended. */
	changed(podUid: string): void;
	readonly onError: (key: string, error: unknown) => void;
}

/** A stop that has begun; `since` is by the monotonic clock. */
type Stop = { -readonly [key in keyof StopState]: StopState[key] };

/** The hooks of one Pod, by container id. */
interface PodHooks {
	readonly postStarts: Map<string, 'running' | 'failed'>;
	readonly stops: Map<string, Stop>;
	/** Ends the hook that runs for the container. */
	readonly running: Map<string, AbortController>;
}

/** See the header of this file. */
export class ContainerHooks {
	readonly #options: ContainerHooksOptions;
	readonly #pods = new Map<string, PodHooks>();

	constructor(options: ContainerHooksOptions) {
		this.#options = options;
	}

	/** The hooks and stops of the Pod's containers, for a plan. Ends the hooks of containers that no longer run. */
	of(podUid: string): {
		readonly postStarts: ReadonlyMap<string, 'running' | 'failed'>;
		readonly stopping: ReadonlyMap<string, StopState>;
	} {
		const hooks = this.#pods.get(podUid);
		if (!hooks) return NONE;
		const { clock, view } = this.#options;
		const containers = view.of(podUid)?.containers;
		for (const [id, run] of hooks.running) if (containers?.get(id)?.state !== 'running') run.abort();
		for (const id of hooks.postStarts.keys())
			if (containers?.get(id)?.state !== 'running') hooks.postStarts.delete(id);
		for (const id of hooks.stops.keys()) if (!containers?.has(id)) hooks.stops.delete(id);
		// The wall clock may be set during a stop: only the time that has passed counts.
		const offset = clock.now() - clock.monotonic();
		const stopping = new Map(
			Array.from(hooks.stops, ([id, stop]) => [id, { ...stop, since: stop.since + offset }] as const),
		);
		return { postStarts: hooks.postStarts, stopping };
	}

	/** Runs the postStart hook of a container that has just been started, if it has one. Returns at once. */
	started(pod: Pod, container: Container, containerId: string): void {
		const handler = container.lifecycle?.postStart;
		if (!handler) return;
		const { postStarts } = this.#hooksOf(pod);
		postStarts.set(containerId, 'running');
		void this.#run(pod, { container, containerId, handler, failed: POST_START_FAILED }).then((succeeded) => {
			if (!postStarts.has(containerId)) return;
			if (succeeded) postStarts.delete(containerId);
			else postStarts.set(containerId, 'failed');
			this.#options.changed(pod.metadata.uid ?? '');
		});
	}

	/** Performs one step of a stop; resolves once the hook is started or the signal is sent. */
	async stop(pod: Pod, { id, name, step, graceSeconds, restarts, message }: ContainerStop): Promise<void> {
		const { clock, runtime, record } = this.#options;
		const { stops } = this.#hooksOf(pod);
		if (!stops.has(id)) {
			const fieldPath = fieldPathOf(pod, name);
			record(pod, { type: 'Normal', reason: 'Killing', message, fieldPath });
			stops.set(id, { since: clock.monotonic(), graceSeconds, preStop: 'none', restarts });
		}
		const stop = stops.get(id);
		const container = containerNamed(pod, name);
		const handler = container?.lifecycle?.preStop;
		if (step === 'hook' && stop && container && handler) {
			stop.preStop = 'running';
			void this.#run(pod, { container, containerId: id, handler, failed: PRE_STOP_FAILED }).then(() => {
				stop.preStop = 'done';
				this.#options.changed(pod.metadata.uid ?? '');
			});
		}
		if (step === 'signal') await runtime.stopContainer(id, graceSeconds);
	}

	/** Resolves to whether the hook has succeeded; records `failed` if it has not. Never rejects. */
	async #run(
		pod: Pod,
		hook: {
			readonly container: Container;
			readonly containerId: string;
			readonly handler: LifecycleHandler;
			readonly failed: EventText;
		},
	): Promise<boolean> {
		const { runtime, clock, view, record, onError } = this.#options;
		const { uid = '' } = pod.metadata;
		const { container, containerId, handler, failed } = hook;
		const { running } = this.#hooksOf(pod);
		const run = new AbortController();
		running.get(containerId)?.abort();
		running.set(containerId, run);
		const podIP = view.sandboxOf(uid)?.ip ?? '';
		const onHttpFallback = (address: string): void => {
			const message = `request to HTTPS lifecycle hook ${address} got HTTP response, retry with HTTP succeeded`;
			record(pod, { type: 'Warning', reason: 'LifecycleHTTPFallback', message });
		};
		try {
			const request = { pod, container, handler, containerId, podIP, signal: run.signal };
			await runHook({ runtime, clock, onHttpFallback }, request);
			return true;
		} catch (error) {
			// The hook of a container that has ended has not failed.
			if (run.signal.aborted) return false;
			onError(uid, error);
			record(pod, { ...failed, fieldPath: fieldPathOf(pod, container.name) });
			return false;
		} finally {
			if (running.get(containerId) === run) running.delete(containerId);
		}
	}

	#hooksOf({ metadata: { uid = '' } }: Pod): PodHooks {
		const hooks: PodHooks = this.#pods.get(uid) ?? {
			postStarts: new Map(),
			stops: new Map(),
			running: new Map(),
		};
		this.#pods.set(uid, hooks);
		return hooks;
	}

	/** Ends the hooks of a Pod and forgets its stops. */
	forget(podUid: string): void {
		const hooks = this.#pods.get(podUid);
		this.#pods.delete(podUid);
		for (const run of hooks?.running.values() ?? []) run.abort();
	}

	/** Ends all hooks, since the agent stops. */
	end(): void {
		for (const uid of [...this.#pods.keys()]) this.forget(uid);
	}
}

const NONE = { postStarts: new Map<string, 'running' | 'failed'>(), stopping: new Map<string, StopState>() };

/** Upstream's texts, without the reason, which may contain secrets. */
const POST_START_FAILED: EventText = {
	type: 'Warning',
	reason: 'FailedPostStartHook',
	message: 'PostStartHook failed',
};
const PRE_STOP_FAILED: EventText = {
	type: 'Warning',
	reason: 'FailedPreStopHook',
	message: 'PreStopHook failed',
};
