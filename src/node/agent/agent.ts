/**
 * The node agent: what the kubelet is to a Kubernetes node. It registers the Node and renews its Lease, runs the
 * Pods that are bound to the Node by way of a container runtime, reports their status, and serves their logs and
 * commands.
 *
 * Boundary: the folder node/ observes and applies. plan/pod decides what a Pod needs next, and is pure. The agent
 * reaches the API only through client/, and containers only through the contract in runtime/contract.ts.
 *
 * Read in this order: agent.ts (the components and their start); in pods/, pod-workers.ts (one reconcile of a Pod),
 * inputs.ts and mount-steps.ts (volumes and objects), image-puller.ts and container-starter.ts (from image to running
 * process), container-hooks.ts (hooks and stops), runtime-view.ts (what the runtime has, by Pod), start-backoffs.ts
 * (failed starts); in volumes/, folder-volumes.ts (the folders and files behind volumes); probes/probe-manager.ts (when
 * probes run) and probe-action.ts, with the requests and commands of probes and hooks in handlers/; then
 * node-registration.ts and node-lease.ts; then in logs/: log-files.ts (paths), container-logs.ts (requests), log-reader.ts,
 * cri-log-parser.ts, log-text.ts, log-follower.ts; and in streams/: exec.ts (commands in containers), attach.ts, session.ts;
 * usage/usage-window.ts (what containers use), eviction/evictions.ts (which Pods end for want of resources) and
 * images/image-collector.ts (which images are removed).
 *
 * 1. Stopping the agent stops no container. The next agent learns from the runtime what runs.
 * 2. Workers start only after the first list of Pods: until then, a Pod that is missing from the cache looks like a
 *    deleted one, and its worker would kill its containers.
 * 3. The logs of a Pod are removed only after its containers are, so that no container recreates the folder.
 */

import type { Duplex } from '../../api/contract/duplex.ts';
import type {
	ContainerAttachRequest,
	ContainerExecRequest,
	ContainerLogRequest,
	NodeApi,
	PodPortRequest,
} from '../../api/contract/node-api.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { NodeUse } from '../../api/contract/usage.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { badRequest, notFound } from '../../api/errors/api-error.ts';
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import { runTogether } from '../../base/queue/run-together.ts';
import { quote } from '../../base/quote.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Informer } from '../../client/informer.ts';
import { BY_UID } from '../../client/informers.ts';
import type { HostNames } from '../../plan/dns/host-names.ts';
import type { Threshold } from '../../plan/eviction/thresholds.ts';
import { allocatableOf, type Machine } from '../../plan/node/node-status.ts';
import { mountsVolumes, unknownFields } from '../../plan/pod/fields/runtime-fields.ts';
import type { Runtime } from '../../runtime/contract.ts';
import { HOST_SOCKETS, type PodSockets } from '../../runtime/pod-sockets.ts';
import { Evictions, type PodDiskUse } from '../eviction/evictions.ts';
import { ImageCollector } from '../images/image-collector.ts';
import { ContainerLogs } from '../logs/container-logs.ts';
import { LogFiles } from '../logs/log-files.ts';
import { logBytes } from '../logs/log-size.ts';
import { ContainerHooks } from '../pods/container-hooks.ts';
import { ContainerStarter } from '../pods/container-starter.ts';
import type { InputSource } from '../pods/input-source.ts';
import { PodInputs } from '../pods/inputs.ts';
import { NetworkFiles } from '../pods/network-files.ts';
import { PodWorkers } from '../pods/pod-workers.ts';
import { RuntimeView } from '../pods/runtime-view.ts';
import type { VolumeHost } from '../pods/volume-host.ts';
import { runProbe } from '../probes/probe-action.ts';
import { ProbeManager } from '../probes/probe-manager.ts';
import { attachTo } from '../streams/attach.ts';
import { execIn } from '../streams/exec.ts';
import { startedSession } from '../streams/session.ts';
import { measureMachine, observeMachine } from '../usage/machine-usage.ts';
import { UsageWindow } from '../usage/usage-window.ts';
import { ApiInputs } from '../volumes/api-inputs.ts';
import { allServices, boundPods } from './agent-informers.ts';
import { keepRegistered, nodeSubject } from './node-registration.ts';

/** The components and settings of a node agent. */
export interface NodeAgentOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly random: Random;
	readonly metrics: Metrics;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** The caller starts it before `run` and stops it afterwards: containers outlive the agent. */
	readonly runtime: Runtime;
	readonly machine: Machine;
	/**
	 * Sets up the volumes of Pods. Without it, the runtime must not honour volumes, unless it only simulates containers:
	 * plan/pod/fields then keeps every Pod that needs a volume from starting.
	 */
	readonly volumes?: VolumeHost;
	/** When Pods are evicted because the machine is short of a resource. Default: never. */
	readonly evictionThresholds?: readonly Threshold[];
	/** The address of the API server for programs in that network: the node's, or the Pod's own. By default they get none. */
	readonly apiServerUrl?: (network: 'node' | 'pod') => string | undefined;
	/** The addresses of the cluster's DNS, as the kubelet's `clusterDNS`. By default there is none. */
	readonly clusterDns?: () => readonly string[];
	/** The names of Services for the Pods of a namespace, if there is no DNS for them. By default there are none. */
	readonly serviceNames?: (namespace: string) => readonly HostNames[];
	/** The existing folder under which the logs of containers are written. */
	readonly logFolder: string;
	/** Version of this program, a part of the Node's `kubeletVersion`. */
	readonly version: string;
	/** Receives each error that is retried or ignored; `key` is a Pod's UID or the name of the failed part. */
	readonly onError: (key: string, error: unknown) => void;
}

/** The agent of one node. `run` may be called once; `containerLog`, `exec`, `attach` and `portForward` serve the API server while it runs. */
export class NodeAgent implements NodeApi {
	readonly #options: NodeAgentOptions;
	readonly #pods: Informer<Pod>;
	readonly #services: Informer<Service>;
	readonly #view: RuntimeView;
	readonly #workers: PodWorkers;
	readonly #source: ApiInputs;
	readonly #inputs: PodInputs;
	readonly #logFiles: LogFiles;
	readonly #logs: ContainerLogs;
	readonly #probes: ProbeManager;
	readonly #hooks: ContainerHooks;
	readonly #usage: UsageWindow;
	readonly #evictions: Evictions;
	/** Undefined if the runtime manages no images. */
	readonly #collector: ImageCollector | undefined;
	readonly #registered = Promise.withResolvers<void>();

	constructor(options: NodeAgentOptions) {
		const { client, clock, runtime, machine, recorder, onError } = options;
		this.#options = options;
		this.#logFiles = new LogFiles(options.logFolder);
		this.#pods = boundPods(options);
		this.#services = allServices(options);
		this.#view = new RuntimeView(runtime, (podUid) => {
			this.#logs.wake(podUid);
			this.#workers.wake(podUid);
		});
		const callbacks = {
			record: (pod: Pod, event: EventText) => recorder.event(pod, event),
			changed: (podUid: string) => this.#workers.wake(podUid),
		};
		this.#source = this.#sourceOf(options);
		this.#inputs = inputsOf(options, this.#source);
		const inputs = this.#inputs;
		this.#probes = new ProbeManager({
			clock,
			random: options.random,
			...callbacks,
			run: (run) => runProbe({ runtime, clock }, run),
		});
		this.#hooks = new ContainerHooks({ clock, runtime, view: this.#view, onError, ...callbacks });
		this.#usage = usageOf(options);
		this.#logs = new ContainerLogs({ files: this.#logFiles, view: this.#view, clock });
		this.#evictions = this.#evictionsOf(options);
		this.#collector = collectorOf(options);
		const shared = {
			clock,
			runtime,
			recorder,
			inputs,
			onError,
			view: this.#view,
			hooks: this.#hooks,
			hostIP: machine.address,
			allocatable: allocatableOf(machine),
			apiServerUrl: options.apiServerUrl,
		};
		this.#workers = new PodWorkers({
			...shared,
			client,
			metrics: options.metrics,
			pods: this.#pods,
			starter: new ContainerStarter({ ...shared, services: this.#services, logs: this.#logFiles }),
			probes: this.#probes,
			evictionOf: (uid) => this.#evictions.of(uid),
			logs: this.#logs,
		});
	}

	/** Shows the names of Services in the hosts files of the Pods that run. */
	async servicesChanged(): Promise<void> {
		for (const pod of this.#pods.all()) {
			const { phase, podIP } = pod.status;
			if (phase !== 'Running' || podIP === undefined || pod.metadata.deletionTimestamp !== undefined)
				continue;
			await this.#inputs
				.rewriteHosts(pod)
				.catch((error: unknown) => this.#options.onError(pod.metadata.uid ?? '', error));
		}
	}

	#sourceOf({ client, clock, random, onError }: NodeAgentOptions): ApiInputs {
		return new ApiInputs({
			client,
			clock,
			random,
			onError,
			changed: (podUid) => {
				this.#inputs.noteChange(podUid);
				this.#workers.wakeForInputs(podUid);
			},
		});
	}

	#evictionsOf({
		clock,
		runtime,
		recorder,
		machine,
		logFolder,
		onError,
		evictionThresholds,
	}: NodeAgentOptions): Evictions {
		return new Evictions({
			clock,
			runtime,
			thresholds: evictionThresholds ?? [],
			pods: () => this.#view.podUids().flatMap((uid) => this.#pods.indexed(BY_UID, uid)),
			observe: () => observeMachine(logFolder),
			diskUse: (pod) => this.#diskUse(pod),
			wake: (uid) => this.#workers.wake(uid),
			record: (event) => recorder.event(nodeSubject(machine.name), event),
			onError: (error) => onError('evictions', error),
		});
	}

	/** Which fields of a Pod the runtime honours; the API server warns about the others. */
	get runtimeTraits(): RuntimeTraits {
		return this.#options.runtime.traits;
	}

	/** By these, this process reaches Pods. Known once the agent runs. */
	get podSockets(): PodSockets {
		return this.#options.runtime.podSockets ?? HOST_SOCKETS;
	}

	/** Resolves once the API has the Node, so that Pods can be bound to it; never resolves if `run` ends first. */
	get registered(): Promise<void> {
		return this.#registered.promise;
	}

	/** Runs the node until `signal` aborts. Rejects if one of its loops fails. Containers keep running. */
	async run(signal: AbortSignal): Promise<void> {
		const { clock, client, machine, recorder, runtime, version, onError } = this.#options;
		const stopFollowing = await this.#view.start();
		const registration = {
			client,
			clock,
			machine,
			recorder,
			runtimeVersion: runtime.version,
			podNetwork: runtime.traits.podNetwork,
			isolation: runtime.traits.isolation,
			version,
			pressures: () => this.#evictions.pressures,
			images: async () => await this.#collector?.list(),
			onRegistered: () => this.#registered.resolve(),
		};
		try {
			await runTogether(
				[
					(stop) => this.#pods.run(stop),
					(stop) => this.#services.run(stop),
					(stop) => this.#workers.run(stop),
					(stop) => this.#evictions.run(stop),
					async (stop) => await this.#collector?.run(stop),
					() => this.#sweep(),
					(stop) => keepRegistered({ ...registration, onError: (error) => onError('node', error) }, stop),
				],
				signal,
			);
		} finally {
			this.#probes.stop();
			this.#usage.stop();
			this.#hooks.end();
			stopFollowing();
			this.#source.stop();
		}
	}

	async containerLog(request: ContainerLogRequest): Promise<AsyncIterable<Uint8Array>> {
		return await this.#logs.read(await this.#podOf(request), request);
	}

	async usage(): Promise<NodeUse> {
		return await this.#usage.read();
	}

	async exec(request: ContainerExecRequest): Promise<Duplex> {
		const { uid = '' } = (await this.#podOf(request)).metadata;
		const latest = this.#view.attemptsOf(uid).get(request.container)?.at(-1);
		// Upstream's message, which clients know; there it is a 500, although the request is at fault.
		if (latest?.state !== 'running') throw badRequest(`container not found (${quote(request.container)})`);
		return execIn(this.#options.runtime, latest.id, request);
	}

	async attach(request: ContainerAttachRequest): Promise<Duplex> {
		const { metadata, spec } = await this.#podOf(request);
		const { uid = '', name, namespace } = metadata;
		const latest = this.#view.attemptsOf(uid).get(request.container)?.at(-1);
		// Upstream's message, in which the Pod is named as the kubelet does (GetPodFullName).
		if (latest?.state !== 'running')
			throw badRequest(`container ${request.container} not found in pod ${name}_${namespace}`);
		const containers = [
			...spec.containers,
			...(spec.initContainers ?? []),
			...(spec.ephemeralContainers ?? []),
		];
		const tty = containers.find((each) => each.name === request.container)?.tty ?? false;
		return attachTo(this.#options.runtime, latest.id, { ...request, tty });
	}

	async portForward(request: PodPortRequest): Promise<Duplex> {
		const { uid = '' } = (await this.#podOf(request)).metadata;
		const sandbox = this.#view.sandboxOf(uid);
		if (!sandbox) throw badRequest(`sandbox of pod ${request.pod} not found`);
		return startedSession(this.#options.runtime.portForward(sandbox.id, request.port));
	}

	async #diskUse(pod: Pod): Promise<PodDiskUse> {
		const { uid = '' } = pod.metadata;
		const logs = new Map<string, number>();
		for (const { name } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])])
			logs.set(name, await logBytes(this.#logFiles.pathOf(pod, name, 0)));
		return { logs, volumes: (await this.#options.volumes?.usageOf(uid)) ?? new Map() };
	}

	/**
	 * The Pod of a request. What a server has started before is known only once it was listed: until then the container would
	 * seem to be gone, and its log complete.
	 */
	async #podOf(request: { readonly namespace: string; readonly pod: string }): Promise<Pod> {
		await this.#pods.synced;
		const pod = this.#pods.get(request.namespace, request.pod);
		if (!pod) throw notFound({ group: '', resource: 'pods', name: request.pod });
		return pod;
	}

	/**
	 * Removes the logs and volumes of Pods that were deleted while no agent ran. Skips Pods that still have a sandbox or
	 * container, since those containers may write: the Pod's worker removes them first, then the logs.
	 */
	async #sweep(): Promise<void> {
		if (!(await this.#pods.synced)) return;
		const { onError, volumes } = this.#options;
		const isKept = (uid: string): boolean =>
			this.#pods.indexedMetadata(BY_UID, uid).length > 0 || this.#view.of(uid) !== undefined;
		await this.#logFiles.sweep(isKept).catch((error: unknown) => onError('logs', error));
		await volumes?.sweep(isKept).catch((error: unknown) => onError('volumes', error));
	}
}

function usageOf({ clock, runtime, onError }: NodeAgentOptions): UsageWindow {
	return new UsageWindow({ clock, runtime, measureMachine, onError: (error) => onError('usage', error) });
}

/** What removes unused images; undefined if the runtime manages none. */
function collectorOf({
	clock,
	runtime,
	recorder,
	machine,
	onError,
}: NodeAgentOptions): ImageCollector | undefined {
	const { images } = runtime;
	return (
		images &&
		new ImageCollector({
			clock,
			images,
			record: (event) => recorder.event(nodeSubject(machine.name), event),
			onError: (error) => onError('images', error),
		})
	);
}

/** The stage of inputs. Checks what the runtime declares. */
function inputsOf(options: NodeAgentOptions, source: InputSource): PodInputs {
	const { volumes, machine, runtime, recorder, clusterDns = () => [], serviceNames = () => [] } = options;
	const { traits } = runtime;
	const unknown = unknownFields(traits);
	assert(unknown.length === 0, `the runtime declares fields without effect: ${unknown.join(', ')}`);
	assert(
		volumes !== undefined || !mountsVolumes(traits),
		'a runtime that mounts volumes needs a host of volumes',
	);
	const facts = { allocatable: allocatableOf(machine), hostIP: machine.address };
	const record = (pod: Pod, event: EventText): void => recorder.event(pod, event);
	const files = volumes && new NetworkFiles({ volumes, traits, clusterDns, serviceNames, record });
	return new PodInputs({ source, volumes, files, facts });
}
