/**
 * main/: assembles the programs. It is the only folder that knows all others, the real clock, the process,
 * its signals and its environment. Read stint.ts (entry point), program.ts (commands), server-command.ts and
 * this file (a server), control-plane.ts (controllers and scheduler), cli-context.ts (what the commands of
 * cli/ get from the process).
 *
 * 1. No rule of Kubernetes is decided here: this folder constructs parts and connects them.
 * 2. Parts start in order and stop in reverse order, and the first failure of one stops all
 *    (base/lifecycle.ts).
 * 3. A command loads only its own modules: dynamic imports and the two bundles (bundle-loader.ts) keep
 *    start-up short.
 */

import { ADMIN, CONTROLLER_MANAGER, nodeUser } from '../../api/contract/user.ts';
import { resources } from '../../api/resources.ts';
import { loadCredentials } from '../../apiserver/http/credentials.ts';
import { type HttpListener, listen } from '../../apiserver/http/listener.ts';
import { bootstrap } from '../../apiserver/maintenance/bootstrap.ts';
import { ApiServer } from '../../apiserver/server.ts';
import { type Clock, SystemClock } from '../../base/clock.ts';
import { Lifecycle, type PartError } from '../../base/lifecycle.ts';
import { Metrics } from '../../base/metrics.ts';
import { SystemRandom } from '../../base/random.ts';
import { nextTurn, TurnBudget } from '../../base/turn.ts';
import type { RuntimeName } from '../../cli/runtime-name.ts';
import { Client } from '../../client/client.ts';
import { EventRecorder } from '../../client/event-recorder.ts';
import { boundTransport } from '../../client/transport/bound-transport.ts';
import { transportAs } from '../../client/transport/user-transport.ts';
import { createLocalClass } from '../../controllers/local-provisioner/local-class.ts';
import { NodeAgent } from '../../node/agent/agent.ts';
import type { ServiceNetwork } from '../../node/network/service-network.ts';
import type { Threshold } from '../../plan/eviction/thresholds.ts';
import { type AddressRange, addressText } from '../../plan/services/allocation/ranges.ts';
import type { ContainerFiles } from '../../runtime/files/container-files.ts';
import type { PodNetworkWish } from '../../runtime/process/network/network-choice.ts';
import type { Log } from '../log.ts';
import { VERSION } from '../version.ts';
import { type ControlPlaneOptions, controlPlane } from './control-plane.ts';
import { type DataFolder, isCopyOf, openDataFolder } from './data-folder.ts';
import { updateKubeconfigFile } from './kubeconfig-file.ts';
import { thisMachine } from './machine.ts';
import { openStore, type StoreChoice } from './open-store.ts';
import { listenerOptions, type OpenedListener } from './opened-listener.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { runAgent } from './run-agent.ts';
import { nodeAddressOf, podAccess, serveServices } from './services/service-network.ts';
import { chooseServiceRange, type ServiceRange } from './services/service-range.ts';
import { withSettledNetwork } from './services/settled-network.ts';
import { startRuntime } from './start-runtime.ts';
import { trustNamedAuthoritiesOnly } from './trusted-authorities.ts';
import { volumeFolders } from './volume-folders.ts';
import { loadZstd } from './zstd.ts';

/** Options of a server. */
export interface ServerOptions {
	readonly folder: DataFolder;
	readonly runtime: RuntimeName;
	/** The socket of the container engine, for the runtimes `docker` and `cri`. Default: the first that is found. */
	readonly runtimeEndpoint?: string;
	/** Number of Pods that can run on the node at once: its capacity of the resource `pods`. */
	readonly maxPods: number;
	/** Number of finished Pods that the Pod garbage collector keeps; 0: all. Default 12,500. */
	readonly endedPodsLimit?: number;
	/** When Pods are evicted from a machine that is short of a resource; absent: never. */
	readonly evictionThresholds?: readonly Threshold[];
	/** The most processes that a Pod may have; 0 or absent: not limited. */
	readonly podMaxPids?: number;
	/** The addresses of Services. Default: see services/service-range.ts. */
	readonly serviceRange?: AddressRange;
	/** Whose network Pods have (default `host`), and the addresses of those with one of their own. */
	readonly podNetwork?: PodNetworkWish;
	readonly podRange?: string;
	/** Whether Pods may have privileged containers. Default: false. */
	readonly allowPrivileged?: boolean;
	/** Deletes stored objects that cannot be decoded. Without it the server refuses to start if there are any. */
	readonly discardDamaged?: boolean;
	readonly log: Log;
	readonly storage: StoreChoice;
	/** The port on 127.0.0.1 (0: any free port); undefined: no listener, only clients in this process. */
	readonly port: number | undefined;
	/** The port on 127.0.0.1 of stint's registry (0: any free port); undefined: none is served. */
	readonly registryPort?: number;
	/** Whether the launcher kills the Pods and removes the data folder when this process ends, even by SIGKILL. */
	readonly isEphemeral?: boolean;
	/** Stops the server when it aborts, even during the start. */
	readonly signal?: AbortSignal;
	/** Time limit for stopping. Default 3,000. */
	readonly stopTimeoutMs?: number;
}

/** A running server. */
export interface RunningServer {
	/** A client within this process. */
	readonly client: Client;
	/** The URL of the listener; undefined without one. */
	readonly url: string | undefined;
	/** Resolves once the server has stopped: to the failure of a part, or to undefined after a regular stop. */
	readonly ended: Promise<PartError | undefined>;
	/** Stops the server because of an uncaught error. */
	fail(error: unknown): void;
	/** Stops the server and resolves when it has stopped. Pods continue to run unless `killPods` is set. */
	stop(options?: { readonly killPods?: boolean }): Promise<void>;
}

/**
 * Time that the controllers and the node agent may spend on writes to the API in one event loop turn, so that
 * requests of HTTP clients are served in between.
 */
const TURN_MS = 10;

/**
 * Default time limit for stopping a server. Service managers wait longer before they kill (systemd 90 s,
 * Docker 10 s); a user at a terminal does not.
 */
const STOP_TIMEOUT_MS = 3000;

/**
 * Starts a server. Resolves once it serves requests and has a Node that Pods can be bound to.
 * {@link Lifecycle} starts and stops its parts. If a part cannot be started, it stops those that were and rejects
 * with the {@link PartError}; if `signal` aborts during the start, with a {@link StoppedError}.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
	const { log, stopTimeoutMs = STOP_TIMEOUT_MS } = options;
	let serves = false;
	let killPods = false;
	const lifecycle = new Lifecycle({
		clock: new SystemClock({ keepsAlive: true }),
		stopTimeoutMs,
		...(options.signal && { signal: options.signal }),
		// A failure during the start is not logged: the caller gets it as the rejection.
		onFailure: (failure) => {
			if (serves) log.failure(failure);
		},
	});
	// Without a listener only timers keep the process alive, for example while a Job waits for its backoff.
	const clock = new SystemClock({ keepsAlive: options.port === undefined });
	const [ready, mounts] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()];
	const context: Omit<ServerContext, 'services'> = {
		options,
		clock,
		lifecycle,
		metrics: new Metrics(),
		ready: ready.promise,
		mounts,
		agents: new Map(),
		files: { current: undefined },
		network: { current: undefined },
		endpoint: { url: undefined },
		onError: (component, about, error) => {
			// Stopping aborts pending calls; their errors are expected.
			if (!lifecycle.isStopping) log.error(component, about, error);
		},
	};
	addProcessMetrics(context.metrics, clock);
	try {
		openDataFolder(options.folder, (original) => log.warning(isCopyOf(options.folder, original)));
		const { api, listener } = await startParts(context, () => killPods);
		serves = true;
		// The caller reports that the server is ready in this turn.
		void nextTurn().then(ready.resolve);
		return {
			client: new Client(transportAs(api, ADMIN), { fieldManager: 'stint' }),
			url: listener?.url,
			ended: lifecycle.ended,
			fail: (error) => lifecycle.fail('server', error),
			stop: async (how) => {
				killPods = how?.killPods ?? false;
				await lifecycle.stop();
			},
		};
	} catch (error) {
		mounts.resolve(false);
		await lifecycle.stop();
		throw error;
	}
}

/** Starts the parts of the server in order: store, API server, listener, control plane, runtime, node agent. */
async function startParts(
	given: Omit<ServerContext, 'services'>,
	killsPods: () => boolean,
): Promise<{ readonly api: ApiServer; readonly listener: HttpListener | undefined }> {
	const { lifecycle } = given;
	const options = await withSettledNetwork(given.options);
	const context: ServerContext = { ...given, options, services: chooseServiceRange(options) };
	const api = await startApi(context);
	const opened = options.port === undefined ? undefined : await startListener(context, api, options.port);
	const listener = opened?.listener;
	lifecycle.run(controlPlane(controlPlaneOptions(context, api, opened)));
	if (options.registryPort !== undefined) await startRegistry(context, options.registryPort);
	await startNode(context, api, killsPods);
	if (options.runtime !== 'fake')
		lifecycle.run({ 'service network': (signal) => serveServices({ ...context, api }, signal) });
	// Registers the listener once more, as the last part, so that it is closed first: clients send no more
	// requests to a server whose parts are stopping. Closing it twice has no effect.
	await lifecycle.start({ name: 'listener', start: async () => listener, stop: (open) => open?.close() });
	return { api, listener };
}

async function startRegistry({ options, lifecycle }: ServerContext, port: number): Promise<void> {
	const { registryProcess } = await import('./registry-process.ts');
	const { folder, log } = options;
	const onLost = (error: Error): void => lifecycle.fail('registry', error);
	await lifecycle.start(registryProcess({ folder, log, port, onLost }));
}

/** What the functions that start parts share. */
interface ServerContext {
	readonly options: ServerOptions;
	readonly clock: Clock;
	readonly lifecycle: Lifecycle;
	readonly metrics: Metrics;
	/** Resolves in the turn after {@link startServer}. */
	readonly ready: Promise<void>;
	/** Whether Pods get tokens: resolves once the container runtime has started. */
	readonly mounts: PromiseWithResolvers<boolean>;
	readonly services: ServiceRange;
	/** What forwards connections to Services, once it runs. */
	readonly network: { current: ServiceNetwork | undefined };
	/** What works on files of containers, once the runtime is started. */
	readonly files: { current: ContainerFiles | undefined };
	/** The node agents of this process, by the name of their Node. */
	readonly agents: Map<string, NodeAgent>;
	/** The URL of the listener, once it is open. */
	readonly endpoint: { url: string | undefined };
	/**
	 * A part calls it with each error that it handles itself; `about` is the request or object that it worked
	 * on.
	 */
	readonly onError: (component: string, about: string, error: unknown) => void;
}

/** Starts the store and the API server over it. */
async function startApi({
	options,
	services,
	clock,
	lifecycle,
	metrics,
	agents,
	mounts,
	endpoint,
	onError,
}: ServerContext): Promise<ApiServer> {
	const { allowPrivileged = false } = options;
	const store = await lifecycle.start({
		name: 'store',
		start: () =>
			openStore(options, (message) =>
				options.log.warning(`the store ${options.folder.database}: ${message}`),
			),
		stop: (opened) => opened.close(),
	});
	const failStore = (error: unknown): void => lifecycle.fail('store', error);
	store.failure.then(failStore, failStore);
	const api = new ApiServer({
		store,
		resources,
		clock,
		turn: new TurnBudget(clock, TURN_MS),
		loadCompression: loadZstd,
		metrics,
		random: new SystemRandom(),
		nodeApi: (nodeName) => agents.get(nodeName),
		// All node agents run in this process so far, with the same runtime.
		runtimeTraits: () => agents.values().next().value?.runtimeTraits,
		version: VERSION,
		mountTokens: mounts.promise,
		allowPrivileged,
		serviceRange: services.range,
		signingKeyPath: options.folder.signingKey,
		url: () => endpoint.url,
		...(options.discardDamaged && { discardDamaged: true }),
		onError: (where, error) => onError('apiserver', where, error),
		onStoreLost: failStore,
	});
	return lifecycle.start({
		name: 'API server',
		start: async () => {
			await api.start();
			await bootstrap(api);
			await createLocalClass(new Client(transportAs(api, CONTROLLER_MANAGER), { fieldManager: 'stint' }));
			return api;
		},
		stop: () => api.close(),
	});
}

/** Opens the HTTPS listener and its Unix socket, and writes the kubeconfig with its URL, CA and token. */
async function startListener(
	{ options: { folder, log }, services, clock, lifecycle, endpoint, onError }: ServerContext,
	server: ApiServer,
	port: number,
): Promise<OpenedListener & { readonly listener: HttpListener }> {
	trustNamedAuthoritiesOnly();
	const addresses = [addressText(services.range.first)];
	const wanted = { addresses, onReplaced: log.warning };
	const credentials = loadCredentials(folder.pki, clock.now(), wanted);
	const listener = await lifecycle.start({
		name: 'listener',
		start: () =>
			listen({
				server,
				credentials,
				port,
				clock,
				serviceAddresses: addresses,
				onError: (where, error) => onError('http', where, error),
			}),
		stop: (open) => open.close(),
	});
	endpoint.url = listener.url;
	const { caPem: certificateAuthority, token } = credentials;
	const problem = await listener.openLocal(folder.socket);
	if (problem !== undefined) log.info(`the Unix socket ${folder.socket} is not used: ${problem}`);
	const socket = problem === undefined && { socket: folder.socket };
	const access = { name: 'stint', server: listener.url, certificateAuthority, token, ...socket };
	const onReplaced = (reason: string): void =>
		log.warning(`${folder.kubeconfig} was not a valid kubeconfig and was replaced: ${reason}`);
	await updateKubeconfigFile(folder.kubeconfig, access, onReplaced);
	return { listener, caPem: certificateAuthority };
}

function controlPlaneOptions(
	{ options, services, clock, metrics, ready, files, onError }: ServerContext,
	transport: ApiServer,
	opened: OpenedListener | undefined,
): ControlPlaneOptions {
	const { endedPodsLimit, folder, maxPods } = options;
	const random = new SystemRandom();
	const { name: nodeName } = thisMachine({ folder: folder.path, maxPods });
	return {
		transport,
		clock,
		random,
		metrics,
		ready,
		onError,
		serviceRange: services.range,
		signToken: (claims) => transport.tokens.signLegacy(claims),
		localVolumes: { nodeName, folders: volumeFolders(folder.volumes, files) },
		...(endedPodsLimit !== undefined && { endedPodsLimit }),
		...(opened && listenerOptions(opened, services.range)),
	};
}

/** Starts the container runtime and the node agent. Resolves once the Node is registered. */
async function startNode(context: ServerContext, api: ApiServer, killsPods: () => boolean): Promise<void> {
	const { options, clock, lifecycle, metrics, agents, network, onError } = context;
	const { folder, maxPods } = options;
	const { volumes, runtime } = await startRuntime(context, killsPods);
	const address = nodeAddressOf(runtime.traits);
	const machine = thisMachine({ folder: folder.path, maxPods, ...(address !== undefined && { address }) });
	const calls = new AbortController();
	const transport = boundTransport(transportAs(api, nodeUser(machine.name)), calls.signal);
	const client = new Client(transport, { fieldManager: 'kubelet' });
	const recorder = new EventRecorder({
		client,
		clock,
		component: 'kubelet',
		host: machine.name,
		onError: (error) => onError('kubelet', 'event', error),
	});
	const agent = new NodeAgent({
		client,
		clock,
		random: new SystemRandom(),
		metrics,
		recorder,
		runtime,
		machine,
		...(volumes && { volumes }),
		...podAccess(context),
		serviceNames: (namespace) => network.current?.hostNames(namespace) ?? [],
		logFolder: folder.logs,
		evictionThresholds: options.evictionThresholds ?? [],
		version: VERSION,
		onError: (key, error) => onError('kubelet', key, error),
	});
	agents.set(machine.name, agent);
	const stopRuntime = (): void => {
		if (!killsPods()) runtime.stop().catch((error: unknown) => onError('runtime', 'stop', error));
	};
	lifecycle.run({ 'node agent': (signal) => runAgent(agent, { calls, clock, stopRuntime }, signal) });
	await lifecycle.until(agent.registered);
}
