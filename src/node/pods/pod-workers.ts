/**
 * One worker per Pod, as in the kubelet's pod_workers.go: it has plan/pod plan the next step, applies the plan, and
 * reports the Pod's status.
 *
 * 1. A Pod has at most one worker at a time, which performs its runtime calls one after the other.
 * 2. A worker writes a status only if it differs from the one in the API, and only for the newest Pod that the
 *    cache has.
 * 3. A worker reports the end of a Pod before it removes the sandbox, and deletes the Pod from the API only
 *    after that: the exit codes would be lost otherwise.
 */

import type { EventText } from '../../api/core/event/event-text.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import type { Metrics } from '../../base/metrics.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { nextTurn } from '../../base/turn.ts';
import type { Client } from '../../client/client.ts';
import { subjectsIn } from '../../client/conflicts.ts';
import { Controller, watch } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Informer } from '../../client/informer.ts';
import { BY_UID } from '../../client/informers.ts';
import { sandboxConfigOf } from '../../plan/pod/config/sandbox-config.ts';
import type { PodPlan } from '../../plan/pod/plan.ts';
import { planPod } from '../../plan/pod/plan-pod.ts';
import { isResizeDeferred, requestedTogether, wantsResize } from '../../plan/pod/resize.ts';
import { backOffEvents, rephrased } from '../../plan/pod/restart/back-off-events.ts';
import { ATTEMPTS_TO_KEEP } from '../../plan/pod/restart/restart.ts';
import { type NodeRoom, type PodEviction, type PodSnapshot, WHOLE_POD } from '../../plan/pod/snapshot.ts';
import { type Runtime, RuntimeUnavailable } from '../../runtime/contract.ts';
import type { ContainerLogs } from '../logs/container-logs.ts';
import type { ProbeManager } from '../probes/probe-manager.ts';
import type { ContainerHooks } from './container-hooks.ts';
import { ContainerResizes } from './container-resizes.ts';
import type { ContainerStarter } from './container-starter.ts';
import type { PodInputs } from './inputs.ts';
import { MountSteps } from './mount-steps.ts';
import { PodReports } from './pod-reports.ts';
import type { RuntimeView } from './runtime-view.ts';
import { StartBackoffs } from './start-backoffs.ts';
import { TerminationMessages } from './termination-messages.ts';

/** The components that all workers of a node share. */
export interface PodWorkersOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	/** The Pods of this node, with the index by UID. */
	readonly pods: Informer<Pod>;
	readonly runtime: Runtime;
	readonly view: RuntimeView;
	readonly starter: ContainerStarter;
	readonly hooks: ContainerHooks;
	readonly probes: ProbeManager;
	readonly inputs: PodInputs;
	readonly logs: Pick<ContainerLogs, 'remove' | 'removeAttempt'>;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** Why the node agent evicts a Pod; undefined if it does not. */
	evictionOf(podUid: string): PodEviction | undefined;
	readonly hostIP: string;
	/** The resources of the node. */
	readonly allocatable: Readonly<Record<string, string>>;
	readonly onError: (key: string, error: unknown) => void;
}

/** Up to this number of containers, a Pod is reconciled on each change of a container. */
const FEW_CONTAINERS = 20;

/**
 * Minimum time between two reconciles of a Pod, in ms. To reconcile a Pod of 1,000 containers means to plan and
 * write a status of hundreds of kilobytes, about 20 ms of work, and each container triggers it at its start and at
 * its end. With a millisecond per container, one reconcile covers many changes.
 */
function pauseAfterReconcile(pod: Pod | undefined): number {
	return hasManyContainers(pod) ? containersIn(pod) : 0;
}

/** Up to this number of variables, a Pod is not large. */
const FEW_VARIABLES = 500;

/**
 * Whether the steps for the Pod have a turn of the event loop for themselves. For 1,200 containers, 30 ms pass from the
 * snapshot to the plan, and as many until the API server has decoded and stored the status: together with the change or the
 * timer that woke the worker, all other work would wait for 100 ms. The same holds for several Pods with megabytes of
 * variables.
 */
function isLarge(pod: Pod | undefined): boolean {
	if (hasManyContainers(pod)) return true;
	const containers = pod?.spec.containers ?? [];
	return containers.reduce((sum, { env }) => sum + (env?.length ?? 0), 0) > FEW_VARIABLES;
}

function hasManyContainers(pod: Pod | undefined): boolean {
	return containersIn(pod) > FEW_CONTAINERS;
}

function containersIn(pod: Pod | undefined): number {
	return (pod?.spec.containers.length ?? 0) + (pod?.spec.initContainers?.length ?? 0);
}

/**
 * How many containers a worker starts before it yields to the event loop. A runtime may answer each start without
 * I/O (the fake one does); a Pod of many containers would then block all other work.
 */
const STARTS_IN_A_TURN = 50;

/** See the header of this file. */
export class PodWorkers {
	readonly #options: PodWorkersOptions;
	readonly #controller: Controller;
	readonly #startBackoffs: StartBackoffs;
	readonly #reports: PodReports;
	readonly #messages: TerminationMessages;
	readonly #mounts: MountSteps;
	readonly #resizes: ContainerResizes;
	/** The last turn that a large Pod has for itself. */
	#lastTurn = Promise.resolve();
	/** The UIDs of the Pods whose resize waits for resources of other Pods. */
	readonly #deferred = new Set<string>();
	/** The signal of `run`: once it has aborted, no worker starts another step. */
	#signal: AbortSignal | undefined;

	constructor(options: PodWorkersOptions) {
		this.#options = options;
		this.#startBackoffs = new StartBackoffs(options.clock);
		this.#reports = new PodReports(options);
		this.#messages = new TerminationMessages(options.runtime.traits, options.inputs);
		this.#resizes = new ContainerResizes(options.runtime, options.clock);
		this.#mounts = new MountSteps({
			inputs: options.inputs,
			backoffs: this.#startBackoffs,
			record: (pod, events) => this.#record(pod, events),
		});
		const { pods, view } = options;
		this.#controller = new Controller(
			{
				name: 'pod_workers',
				watches: [
					watch(pods, (pod, old) => {
						this.#note(pod, old);
						return this.#keysAfter(pod, old);
					}),
				],
				sources: [
					// Pods that were deleted while no agent ran have no watch event: their workers remove the sandboxes.
					async (queue) => {
						for (const uid of view.podUids()) queue.add(uid);
					},
				],
				workers: 256,
				backoff: { baseMs: 100, capMs: 30_000 },
				subjects: subjectsIn(pods, {
					keyOf: ({ metadata }) => metadata.uid ?? '',
					find: (uid) => pods.indexedMetadata(BY_UID, uid)[0],
				}),
				restMs: (uid) => pauseAfterReconcile(pods.indexed(BY_UID, uid)[0]),
				reconcile: (uid) => this.#reconcile(uid),
			},
			options,
		);
	}

	/** Queues a reconcile of the Pod with this UID, after a change of its containers. */
	wake(podUid: string): void {
		this.#controller.add(podUid);
	}

	/** Queues a reconcile of the Pod after a change of its inputs, and retries at once what has failed for want of them. */
	wakeForInputs(podUid: string): void {
		this.#mounts.retryNow(podUid);
		this.wake(podUid);
	}

	/**
	 * Runs the workers until `signal` aborts or the informer is stopped. They start after the first list of Pods,
	 * since they treat a Pod that is not in the cache as deleted.
	 */
	run(signal: AbortSignal): Promise<void> {
		this.#signal = signal;
		return this.#controller.run(signal);
	}

	/** Notes which Pods wait for a resize, and releases those that have ended. */
	#note(pod: Pod | undefined, old: Pod | undefined): void {
		if (old && pod?.metadata.uid !== old.metadata.uid) this.#deferred.delete(old.metadata.uid ?? '');
		if (!pod) return;
		if (isResizeDeferred(pod)) this.#deferred.add(pod.metadata.uid ?? '');
		else this.#deferred.delete(pod.metadata.uid ?? '');
		// Saves memory: after its worker's last reconcile, only readers of its logs need a terminal Pod in full.
		if (hasEnded(pod)) this.#options.pods.release(pod);
	}

	*#keysAfter(pod: Pod | undefined, old: Pod | undefined): IterableIterator<string> {
		// Deleted, or replaced by a Pod of the same name: the worker of the old UID removes its containers.
		if (old && pod?.metadata.uid !== old.metadata.uid) yield old.metadata.uid ?? '';
		if (pod) yield pod.metadata.uid ?? '';
		// What a Pod has left may be enough for a resize that waits.
		if (!pod || hasEnded(pod)) yield* this.#deferred;
	}

	/** Resolves in a turn in which no other worker has been given its own. */
	#ownTurn(): Promise<void> {
		this.#lastTurn = this.#lastTurn.then(nextTurn);
		return this.#lastTurn;
	}

	/** Plans and applies until a plan has no step left, then reports. Each step is planned from a new snapshot. */
	async #reconcile(uid: string): Promise<Outcome> {
		const known = this.#options.pods.indexed(BY_UID, uid)[0];
		if (known && this.#options.view.sandboxOf(uid) && !hasEnded(known)) await this.#mounts.refresh(known);
		while (!this.#signal?.aborted) {
			if (isLarge(known)) await this.#ownTurn();
			const pod = this.#options.pods.indexed(BY_UID, uid)[0];
			if (!pod) return this.#removeDeleted(uid);
			const seen = await this.#observe(pod);
			if (isLarge(pod)) await this.#ownTurn();
			const plan = planPod(seen);
			if (isLarge(pod)) await this.#ownTurn();
			if (this.#signal?.aborted) break;
			this.#probe(pod, plan);
			if (plan.statusFirst && !semanticEqual(plan.status, pod.status)) {
				if (!(await this.#reports.write(pod, plan.status))) return DONE;
				this.#record(pod, plan.statusEvents);
				continue;
			}
			if (await this.#apply(pod, plan)) continue;
			return this.#report(pod, plan);
		}
		return DONE;
	}

	async #observe(pod: Pod): Promise<PodSnapshot> {
		const { clock, view, runtime, hooks, probes, hostIP } = this.#options;
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
			startBackoffs: this.#startBackoffs.of(uid),
			probes: probes.resultsOf(uid),
			...hooks.of(uid),
			resizes: this.#resizes.of(uid),
			eviction: this.#options.evictionOf(uid),
			room: wantsResize(pod) ? await this.#roomBeside(pod) : undefined,
		};
	}

	/** What the node has, and what its other Pods request of it. */
	async #roomBeside({ metadata: { uid } }: Pod): Promise<NodeRoom> {
		const others = await this.#options.pods.select((pod) => pod.metadata.uid !== uid && !hasEnded(pod));
		return { allocatable: this.#options.allocatable, used: requestedTogether(others) };
	}

	/** Tells the prober which containers run. It wakes this worker when a result changes. */
	#probe(pod: Pod, { terminating }: PodPlan): void {
		const { view, probes, hostIP } = this.#options;
		const uid = pod.metadata.uid ?? '';
		const podIP = view.sandboxOf(uid)?.ip ?? hostIP;
		probes.observe({ pod, attempts: view.attemptsOf(uid), podIP, terminating });
	}

	/** Applies the plan. Resolves to true if the Pod needs another plan at once, since something has changed. */
	async #apply(pod: Pod, plan: PodPlan): Promise<boolean> {
		const { hooks, inputs, starter } = this.#options;
		for (const stop of plan.stops) await hooks.stop(pod, stop);
		for (const { id } of plan.removals) await this.#remove(pod, id);
		await this.#resizes.apply(pod.metadata.uid ?? '', plan.resizes);
		if (plan.mountFailure) {
			this.#mounts.fail(pod, plan.mountFailure.events);
			return true;
		}
		if (plan.sandbox) {
			if (await this.#mounts.setUp(pod)) await this.#runSandbox(pod, plan.sandbox.events);
			return true;
		}
		for (const [index, start] of plan.starts.entries()) {
			if (index % STARTS_IN_A_TURN === STARTS_IN_A_TURN - 1) await nextTurn();
			const { uid = '' } = pod.metadata;
			const changes = inputs.changesOf(uid);
			if (isLarge(pod) && index === 0) await this.#ownTurn();
			const failure = await starter.start(pod, start);
			this.#startBackoffs.note(uid, start.container.name, failure);
			if (failure) this.#mounts.retryIfChanged(uid, changes);
			await this.#prune(pod, start.container.name);
		}
		return plan.starts.length + plan.removals.length + plan.resizes.length > 0;
	}

	/** Creates the sandbox, or records the kubelet's `FailedCreatePodSandBox` event and starts the backoff. */
	async #runSandbox(pod: Pod, events: readonly EventText[]): Promise<void> {
		const { runtime, view, onError } = this.#options;
		const attempt = view.of(pod.metadata.uid ?? '')?.sandboxes.size ?? 0;
		try {
			view.noteSandbox(await runtime.runSandbox(sandboxConfigOf(pod, attempt)));
		} catch (error) {
			if (error instanceof RuntimeUnavailable) throw error;
			const reason = 'FailedCreatePodSandBox';
			const message = `Failed to create pod sandbox: ${messageOf(error)}`;
			this.#record(pod, [{ type: 'Warning', reason, message }]);
			this.#startBackoffs.note(pod.metadata.uid ?? '', WHOLE_POD, { reason, message });
			onError(pod.metadata.uid ?? '', error);
			return;
		}
		this.#startBackoffs.note(pod.metadata.uid ?? '', WHOLE_POD, undefined);
		this.#record(pod, events);
	}

	#record(pod: Pod, events: readonly EventText[]): void {
		for (const event of events) this.#options.recorder.event(pod, event);
	}

	/** Removes the container attempts before the last {@link ATTEMPTS_TO_KEEP}, with their logs and messages. */
	async #prune(pod: Pod, container: string): Promise<void> {
		const attempts = this.#options.view.attemptsOf(pod.metadata.uid ?? '').get(container) ?? [];
		for (const { id, state, attempt } of attempts.slice(0, -ATTEMPTS_TO_KEEP)) {
			if (state !== 'exited') continue;
			await this.#remove(pod, id);
			await this.#options.logs.removeAttempt(pod, container, attempt);
			await this.#options.inputs.removeMessageFile(pod.metadata.uid ?? '', container, attempt);
		}
	}

	async #remove(pod: Pod, id: string): Promise<void> {
		const { runtime, view } = this.#options;
		await runtime.removeContainer(id);
		view.forgetContainer(pod.metadata.uid ?? '', id);
	}

	/** Writes the status if it differs from the API's, and removes the sandbox of a Pod that has ended. */
	async #report(pod: Pod, plan: PodPlan): Promise<Outcome> {
		const uid = pod.metadata.uid ?? '';
		const holdMs = this.#reports.holdFor(pod, plan);
		if (holdMs > 0) return again(holdMs);
		if (!semanticEqual(plan.status, pod.status)) {
			this.#record(pod, backOffEvents(pod, plan.status));
			this.#record(pod, plan.statusEvents);
			const written = await this.#reports.write(pod, plan.status);
			if (!written) return DONE;
			if (!wantsResize({ ...pod, status: plan.status })) this.#resizes.forget(uid);
			// The next reconcile plans from the written status, and reports ImagePullBackOff.
			if (this.#rephraseBackoffs(pod)) return again(0);
		}
		if (plan.end) await this.#removeFromRuntime(uid);
		if (plan.end === 'remove') await this.#reports.remove(pod);
		return plan.againAfterMs === undefined ? DONE : again(plan.againAfterMs);
	}

	/** Rephrases the failures that have been reported; returns true if the status changes by that. */
	#rephraseBackoffs(pod: Pod): boolean {
		const { uid = '' } = pod.metadata;
		let changed = false;
		for (const [container, startBackoff] of this.#startBackoffs.of(uid)) {
			const words = rephrased(pod, container, startBackoff);
			if (words) this.#startBackoffs.rephrase(uid, container, words);
			changed ||= words !== undefined;
		}
		return changed;
	}

	/** Removes the sandboxes of a Pod with their containers, its volumes, and the agent's in-memory state for it. */
	async #removeFromRuntime(uid: string): Promise<void> {
		const { runtime, view, inputs, hooks, probes } = this.#options;
		probes.forget(uid);
		hooks.forget(uid);
		for (const id of view.of(uid)?.sandboxes.keys() ?? []) await runtime.removeSandbox(id);
		await inputs.remove(uid);
		view.forget(uid);
		this.#startBackoffs.forget(uid);
		this.#reports.forget(uid);
		this.#messages.forget(uid);
		this.#resizes.forget(uid);
	}

	/** Kills and removes the containers of a Pod that is deleted from the API, without a grace period. */
	async #removeDeleted(uid: string): Promise<Outcome> {
		try {
			await this.#removeFromRuntime(uid);
		} catch (error) {
			if (!(error instanceof RuntimeUnavailable)) throw error;
			return again(1000);
		}
		// Only after the containers are removed: one that still wrote would recreate the folder.
		await this.#options.logs.remove(uid);
		return DONE;
	}
}
