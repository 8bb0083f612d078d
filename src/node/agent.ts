import { pods as podResource } from '../api/core/pod/definition.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import { notFound } from '../api/meta/api-error.ts';
import type { ContainerLogRequest, NodeApi } from '../api/meta/node-api.ts';
import type { RuntimeTraits } from '../api/meta/runtime-traits.ts';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Random } from '../base/random.ts';
import { runTogether } from '../base/run-together.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { Informer } from '../client/informer.ts';
import { BY_UID } from '../client/informers.ts';
import { isTerminal } from '../plan/pod/progress.ts';
import { ContainerLogs } from './container-logs.ts';
import { ContainerStarter } from './container-starter.ts';
import { LogFiles } from './log-files.ts';
import { keepRegistered } from './node-registration.ts';
import { allocatableOf, type Machine } from './node-status.ts';
import { PodWorkers } from './pod-workers.ts';
import type { Runtime } from './runtime/runtime.ts';
import { RuntimeView } from './runtime-view.ts';

/** What a node agent is made of. */
export interface NodeAgentOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly random: Random;
	readonly metrics: Metrics;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** Started and stopped by whoever made it. */
	readonly runtime: Runtime;
	readonly machine: Machine;
	/** The folder for the logs of containers. */
	readonly logFolder: string;
	/** Version of this program, as the Node shows it. */
	readonly version: string;
	readonly onError: (key: string, error: unknown) => void;
}

/**
 * The agent of one node: it registers the Node, runs the Pods that are bound to it, and answers the API
 * server's questions about their containers. What a Pod needs next is decided in plan/pod.
 */
export class NodeAgent implements NodeApi {
	readonly #options: NodeAgentOptions;
	readonly #pods: Informer<Pod>;
	readonly #view: RuntimeView;
	readonly #workers: PodWorkers;
	readonly #logFiles: LogFiles;
	readonly #logs: ContainerLogs;
	readonly #registered = Promise.withResolvers<void>();

	constructor(options: NodeAgentOptions) {
		const { client, clock, runtime, machine, recorder, onError } = options;
		this.#options = options;
		this.#logFiles = new LogFiles(options.logFolder);
		this.#pods = new Informer<Pod>(client.resource(podResource), {
			clock,
			random: options.random,
			narrow: { fieldSelector: `spec.nodeName=${machine.name}` },
			indexes: { [BY_UID]: ({ metadata }) => [metadata.uid ?? ''] },
			onError: (error) => onError('pods', error),
		});
		this.#view = new RuntimeView(runtime, (podUid) => {
			this.#logs.wake(podUid);
			this.#workers.wake(podUid);
		});
		this.#logs = new ContainerLogs({ files: this.#logFiles, view: this.#view, clock });
		const starter = new ContainerStarter({
			clock,
			runtime,
			view: this.#view,
			logs: this.#logFiles,
			recorder,
			allocatable: allocatableOf(machine),
			hostIP: machine.address,
			onError,
		});
		this.#workers = new PodWorkers({
			metrics: options.metrics,
			client,
			clock,
			pods: this.#pods,
			runtime,
			view: this.#view,
			starter,
			logs: this.#logs,
			recorder,
			hostIP: machine.address,
			onError,
		});
	}

	/** What the runtime honours of a Pod's fields. */
	get runtimeTraits(): RuntimeTraits {
		return this.#options.runtime.traits;
	}

	/** Resolves once the Node is known to the API, so that Pods can be bound to it; never if `run` ends before. */
	get registered(): Promise<void> {
		return this.#registered.promise;
	}

	/** Runs the node until `signal` aborts, or one of its loops fails. Pods keep running. */
	async run(signal: AbortSignal): Promise<void> {
		const { clock, client, machine, recorder, runtime, version, onError } = this.#options;
		const stopFollowing = await this.#view.start();
		const registration = {
			...{ client, clock, machine, recorder, runtimeVersion: runtime.version, version },
			onRegistered: () => this.#registered.resolve(),
		};
		try {
			await runTogether(
				[
					(stop) => this.#pods.run(stop),
					(stop) => this.#runWorkers(stop),
					(stop) => keepRegistered({ ...registration, onError: (error) => onError('node', error) }, stop),
				],
				signal,
			);
		} finally {
			stopFollowing();
		}
	}

	async containerLog(request: ContainerLogRequest): Promise<AsyncIterable<Uint8Array>> {
		const pod = this.#pods.get(request.namespace, request.pod);
		if (!pod) throw notFound({ group: '', resource: 'pods', name: request.pod });
		return this.#logs.read(pod, request);
	}

	/** The workers wait for the first list of Pods: to them a Pod that is not known has been deleted. */
	async #runWorkers(signal: AbortSignal): Promise<void> {
		if (!(await this.#pods.synced)) return;
		this.#pods.subscribe((pod, old) => this.#observe(pod, old));
		this.#sweepLogs().catch((error: unknown) => this.#options.onError('logs', error));
		// They remove what the runtime still has of Pods that were deleted meanwhile.
		for (const uid of this.#view.podUids()) this.#workers.wake(uid);
		await this.#workers.run(signal);
	}

	/**
	 * Removes the logs of Pods that were deleted while the agent was away. Where the runtime still has
	 * something of such a Pod, its containers may still write: its worker removes them first, then the logs.
	 */
	#sweepLogs(): Promise<void> {
		const hasPod = (uid: string): boolean => this.#pods.indexedMetadata(BY_UID, uid).length > 0;
		return this.#logFiles.sweep((uid) => hasPod(uid) || this.#view.of(uid) !== undefined);
	}

	#observe(pod: Pod | undefined, old: Pod | undefined): void {
		if (old && pod?.metadata.uid !== old.metadata.uid) {
			this.#workers.wake(old.metadata.uid ?? '');
		}
		if (!pod) return;
		this.#workers.wake(pod.metadata.uid ?? '');
		// Its worker has a last look at it; then it is asked for only by readers of its logs.
		if (isTerminal(pod)) this.#pods.release(pod);
	}
}
