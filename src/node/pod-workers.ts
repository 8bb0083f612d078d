import { pods as podResource } from '../api/core/pod/definition.ts';
import type { Pod, PodStatus } from '../api/core/pod/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import { semanticEqual } from '../api/meta/equality.ts';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../base/reconcile-loop.ts';
import { nextTurn } from '../base/turn.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { Informer } from '../client/informer.ts';
import { BY_UID } from '../client/informers.ts';
import type { EventText } from '../plan/event-text.ts';
import { hostnameOf } from '../plan/pod/hostname.ts';
import type { ContainerStop, PodPlan } from '../plan/pod/plan.ts';
import { planPod } from '../plan/pod/plan-pod.ts';
import { ATTEMPTS_TO_KEEP } from '../plan/pod/restart.ts';
import { fieldPathOf, type PodSnapshot, statusOf, WHOLE_POD } from '../plan/pod/snapshot.ts';
import type { ContainerLogs } from './container-logs.ts';
import type { ContainerStarter } from './container-starter.ts';
import { Hindrances } from './hindrances.ts';
import { type Runtime, RuntimeUnavailable } from './runtime/runtime.ts';
import type { RuntimeView } from './runtime-view.ts';
import { TerminationMessages } from './termination-message.ts';

/** What the workers of a node share. */
export interface PodWorkersOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	/** The Pods of this node, with the index by UID. */
	readonly pods: Informer<Pod>;
	readonly runtime: Runtime;
	readonly view: RuntimeView;
	readonly starter: ContainerStarter;
	readonly logs: Pick<ContainerLogs, 'remove' | 'removeAttempt'>;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly hostIP: string;
	readonly onError: (key: string, error: unknown) => void;
}

/**
 * A first `Running` is held back this long: most of a short Pod's end is known by then, and is told in
 * the same write. Nothing is decided later for it.
 */
const RUNNING_HOLD_MS = 10;

/** A Pod of so few containers is looked at whenever one of them changes. */
const FEW_CONTAINERS = 20;

/**
 * A pass over a Pod of 1,000 containers plans and writes a status of hundreds of kilobytes, about 20 ms of
 * work, and each of its containers asks for one when it starts and when it ends. So the Pod rests for a
 * millisecond per container after each pass, and the next pass covers all that has changed.
 */
function restAfterPass(pod: Pod | undefined): number {
	const containers = (pod?.spec.containers.length ?? 0) + (pod?.spec.initContainers?.length ?? 0);
	return containers > FEW_CONTAINERS ? containers : 0;
}

/** Other work has its turn after so many starts: a runtime may answer each of them at once. */
const STARTS_IN_A_TURN = 50;

/**
 * One worker per Pod: it asks plan/pod what to do, does it, and reports the Pod's status.
 *
 * 1. A Pod has one worker at a time. What is done for it is done one after the other, stops excepted.
 * 2. A status is written only when it says something new, and never from an older Pod than is known.
 * 3. What is over is told before its sandbox goes; a deleted Pod goes from the API only after that.
 */
export class PodWorkers {
	readonly #options: PodWorkersOptions;
	readonly #loop: ReconcileLoop;
	readonly #hindrances: Hindrances;
	/** Per Pod the ids of the containers whose stop has been told. */
	readonly #killing = new Map<string, Set<string>>();
	/** When a worker first had a `Running` to tell that it held back. */
	readonly #held = new Map<string, number>();
	readonly #messages = new TerminationMessages();
	/** Aborts when the workers are to end: none begins another step then. */
	#signal: AbortSignal | undefined;

	constructor(options: PodWorkersOptions) {
		this.#options = options;
		this.#hindrances = new Hindrances(options.clock);
		this.#loop = new ReconcileLoop({
			name: 'pod_workers',
			clock: options.clock,
			metrics: options.metrics,
			workers: 256,
			backoff: { baseMs: 100, capMs: 30_000 },
			restMs: (uid) => restAfterPass(options.pods.indexed(BY_UID, uid)[0]),
			reconcile: (uid) => this.#work(uid),
			onError: options.onError,
		});
	}

	/** Asks the worker of the Pod with this UID to look again. */
	wake(podUid: string): void {
		this.#loop.add(podUid);
	}

	/** Works until `signal` aborts. */
	run(signal: AbortSignal): Promise<void> {
		this.#signal = signal;
		return this.#loop.run(signal);
	}

	async #work(uid: string): Promise<Outcome> {
		while (!this.#signal?.aborted) {
			const pod = this.#options.pods.indexed(BY_UID, uid)[0];
			if (!pod) return this.#clearAway(uid);
			const plan = planPod(await this.#observe(pod));
			if (plan.statusFirst && !semanticEqual(plan.status, pod.status)) {
				if (!(await this.#writeStatus(pod, plan.status))) return DONE;
				continue;
			}
			if (await this.#act(pod, plan)) continue;
			return this.#report(pod, plan);
		}
		return DONE;
	}

	async #observe(pod: Pod): Promise<PodSnapshot> {
		const { clock, view, runtime, hostIP } = this.#options;
		const uid = pod.metadata.uid ?? '';
		const [name = 'unknown'] = runtime.version.split('://');
		const attempts = await this.#messages.addTo(pod, view.attemptsOf(uid), view.of(uid)?.containers);
		return {
			pod,
			now: clock.now(),
			runtime: name,
			traits: runtime.traits,
			hostIP,
			sandbox: view.sandboxOf(uid),
			attempts,
			hindrances: this.#hindrances.of(uid),
		};
	}

	/** Does what the plan says; tells whether that calls for another plan right away. */
	async #act(pod: Pod, plan: PodPlan): Promise<boolean> {
		const { runtime, starter } = this.#options;
		for (const stop of plan.stops) {
			this.#tellStop(pod, stop);
			await runtime.stopContainer(stop.id, stop.graceSeconds);
		}
		for (const { id } of plan.removals) await this.#remove(pod, id);
		if (plan.mountFailure) {
			const { message, events } = plan.mountFailure;
			this.#tell(pod, events);
			this.#hindrances.note(pod.metadata.uid ?? '', WHOLE_POD, { reason: 'FailedMount', message });
			return true;
		}
		if (plan.sandbox) {
			await this.#makeSandbox(pod, plan.sandbox.events);
			return true;
		}
		for (const [index, start] of plan.starts.entries()) {
			if (index % STARTS_IN_A_TURN === STARTS_IN_A_TURN - 1) await nextTurn();
			const failure = await starter.start(pod, start);
			this.#hindrances.note(pod.metadata.uid ?? '', start.container.name, failure);
			await this.#prune(pod, start.container.name);
		}
		return plan.starts.length + plan.removals.length > 0;
	}

	/** Makes the sandbox, or notes why it cannot be made, as a kubelet tells it. */
	async #makeSandbox(pod: Pod, events: readonly EventText[]): Promise<void> {
		const { runtime, view, onError } = this.#options;
		try {
			view.noteSandbox(await runtime.runSandbox(sandboxConfig(pod, view)));
		} catch (error) {
			if (error instanceof RuntimeUnavailable) throw error;
			const reason = 'FailedCreatePodSandBox';
			const message = `Failed to create pod sandbox: ${error instanceof Error ? error.message : String(error)}`;
			this.#tell(pod, [{ type: 'Warning', reason, message }]);
			this.#hindrances.note(pod.metadata.uid ?? '', WHOLE_POD, { reason, message });
			onError(pod.metadata.uid ?? '', error);
			return;
		}
		this.#hindrances.note(pod.metadata.uid ?? '', WHOLE_POD, undefined);
		this.#tell(pod, events);
	}

	#tell(pod: Pod, events: readonly EventText[]): void {
		for (const event of events) this.#options.recorder.event(pod, event);
	}

	/** Removes attempts that no decision needs any more, with their logs. */
	async #prune(pod: Pod, container: string): Promise<void> {
		const attempts = this.#options.view.attemptsOf(pod.metadata.uid ?? '').get(container) ?? [];
		for (const { id, state, attempt } of attempts.slice(0, -ATTEMPTS_TO_KEEP)) {
			if (state !== 'exited') continue;
			await this.#remove(pod, id);
			await this.#options.logs.removeAttempt(pod, container, attempt);
		}
	}

	async #remove(pod: Pod, id: string): Promise<void> {
		const { runtime, view } = this.#options;
		await runtime.removeContainer(id);
		view.forgetContainer(pod.metadata.uid ?? '', id);
	}

	/** Writes the status if it says something new, and ends what is over. */
	async #report(pod: Pod, plan: PodPlan): Promise<Outcome> {
		const uid = pod.metadata.uid ?? '';
		const hold = this.#holdFor(pod, plan);
		if (hold > 0) return again(hold);
		this.#held.delete(uid);
		if (!semanticEqual(plan.status, pod.status)) {
			this.#tellBackOff(pod, plan.status);
			this.#tell(pod, plan.statusEvents);
			const written = await this.#writeStatus(pod, plan.status);
			if (!written) return DONE;
			// The next look plans from what was written, and says what comes after a failed pull.
			if (this.#pullsBackOff(uid)) return again(0);
		}
		if (plan.end) await this.#dismantle(uid);
		if (plan.end === 'remove') await this.#removeFromApi(pod);
		return plan.againAfterMs === undefined ? DONE : again(plan.againAfterMs);
	}

	#holdFor(pod: Pod, { status, end }: PodPlan): number {
		if (end || status.phase !== 'Running' || pod.status.phase === 'Running') return 0;
		const now = this.#options.clock.monotonic();
		const uid = pod.metadata.uid ?? '';
		const since = this.#held.get(uid) ?? now;
		this.#held.set(uid, since);
		return since + RUNNING_HOLD_MS - now;
	}

	/** Resolves to whether it was written; otherwise a newer Pod is on its way and wakes the worker. */
	async #writeStatus(pod: Pod, status: PodStatus): Promise<boolean> {
		const { client, pods } = this.#options;
		try {
			const target = client.resource(podResource, pod.metadata.namespace);
			const written = await target.update({ ...pod, status }, 'status');
			await pods.reached(written.metadata.resourceVersion);
			return true;
		} catch (error) {
			if (isApiError(error, 'NotFound')) return false;
			const { uid = '' } = pod.metadata;
			// Nothing is gained by trying again before the newer Pod is known here.
			if (!isApiError(error, 'Conflict') || pods.indexed(BY_UID, uid)[0] === pod) throw error;
			this.wake(uid);
			return false;
		}
	}

	/** After a failed pull has been told, what follows is a wait: ImagePullBackOff. */
	#pullsBackOff(uid: string): boolean {
		let changed = false;
		for (const [container, hindrance] of this.#hindrances.of(uid)) {
			if (hindrance.reason !== 'ErrImagePull') continue;
			const image = this.#imageOf(uid, container);
			const message = `Back-off pulling image "${image}": ErrImagePull: ${hindrance.message}`;
			this.#hindrances.rephrase(uid, container, { reason: 'ImagePullBackOff', message });
			changed = true;
		}
		return changed;
	}

	#imageOf(uid: string, container: string): string {
		const { spec } = this.#options.pods.indexed(BY_UID, uid)[0] ?? {};
		const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
		return all.find(({ name }) => name === container)?.image ?? '';
	}

	/** The events that go with a container's wait, when the wait begins. */
	#tellBackOff(pod: Pod, status: PodStatus): void {
		const { name = '', namespace = '', uid = '' } = pod.metadata;
		for (const after of [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]) {
			const waiting = after.state?.waiting;
			const was = statusOf(pod, after.name)?.state?.waiting;
			if (waiting?.reason === was?.reason && waiting?.message === was?.message) continue;
			const fieldPath = fieldPathOf(pod, after.name);
			if (waiting?.reason === 'CrashLoopBackOff') {
				const message = `Back-off restarting failed container ${after.name} in pod ${name}_${namespace}(${uid})`;
				this.#options.recorder.event(pod, { type: 'Warning', reason: 'BackOff', message, fieldPath });
			} else if (waiting?.reason === 'ImagePullBackOff') {
				const message = `Back-off pulling image "${after.image}"`;
				this.#options.recorder.event(pod, { type: 'Normal', reason: 'BackOff', message, fieldPath });
			}
		}
	}

	#tellStop(pod: Pod, { id, name, message }: ContainerStop): void {
		const uid = pod.metadata.uid ?? '';
		const told = this.#killing.get(uid) ?? new Set();
		if (told.has(id)) return;
		this.#killing.set(uid, told.add(id));
		const fieldPath = fieldPathOf(pod, name);
		this.#options.recorder.event(pod, { type: 'Normal', reason: 'Killing', message, fieldPath });
	}

	/** Removes all that the runtime has for a Pod. */
	async #dismantle(uid: string): Promise<void> {
		const { runtime, view } = this.#options;
		for (const id of view.of(uid)?.sandboxes.keys() ?? []) await runtime.removeSandbox(id);
		view.forget(uid);
		this.#hindrances.forget(uid);
		this.#held.delete(uid);
		this.#messages.forget(uid);
	}

	async #removeFromApi(pod: Pod): Promise<void> {
		const { client } = this.#options;
		const { name = '', namespace, uid } = pod.metadata;
		if (pod.metadata.deletionGracePeriodSeconds === 0 && (pod.metadata.finalizers ?? []).length > 0) return;
		try {
			const preconditions = uid ? { preconditions: { uid } } : {};
			await client.resource(podResource, namespace).delete(name, { gracePeriodSeconds: 0, ...preconditions });
		} catch (error) {
			if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error;
		}
	}

	/** The Pod is gone from the API: whatever is left of it goes at once. */
	async #clearAway(uid: string): Promise<Outcome> {
		try {
			await this.#dismantle(uid);
		} catch (error) {
			if (!(error instanceof RuntimeUnavailable)) throw error;
			return again(1000);
		}
		// Only now: no container of the Pod is left that could write, and so make the folder again.
		await this.#options.logs.remove(uid);
		this.#killing.delete(uid);
		return DONE;
	}
}

function sandboxConfig(pod: Pod, view: RuntimeView): Parameters<Runtime['runSandbox']>[0] {
	const { name = '', namespace = '', uid = '' } = pod.metadata;
	const attempt = view.of(uid)?.sandboxes.size ?? 0;
	return {
		podUid: uid,
		podName: name,
		podNamespace: namespace,
		hostname: hostnameOf(pod),
		attempt,
	};
}
