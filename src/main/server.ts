import { resources } from '../api/resources.ts';
import { bootstrap } from '../apiserver/bootstrap.ts';
import { loadCredentials } from '../apiserver/credentials.ts';
import { type HttpListener, listen } from '../apiserver/http.ts';
import { ApiServer } from '../apiserver/server.ts';
import { type Clock, SystemClock, type Timer } from '../base/clock.ts';
import { Lifecycle, type PartError } from '../base/lifecycle.ts';
import { Metrics } from '../base/metrics.ts';
import { SystemRandom } from '../base/random.ts';
import { TurnBudget } from '../base/turn.ts';
import { boundTransport } from '../client/bound-transport.ts';
import { Client } from '../client/client.ts';
import { EventRecorder } from '../client/event-recorder.ts';
import { NodeAgent } from '../node/agent.ts';
import type { Runtime } from '../node/runtime/runtime.ts';
import type { Store } from '../store/store.ts';
import { type ControlPlaneOptions, controlPlane } from './control-plane.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import { updateKubeconfigFile } from './kubeconfig-file.ts';
import type { Log } from './log.ts';
import { thisMachine } from './machine.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { trustNamedAuthoritiesOnly } from './trusted-authorities.ts';
import { VERSION } from './version.ts';
import { loadZstd } from './zstd.ts';

/** What runs containers: processes of this machine, or nothing at all (for trying things out). */
export type RuntimeName = 'process' | 'fake';

/** How a server is started. */
export interface ServerOptions {
	readonly folder: DataFolder;
	readonly runtime: RuntimeName;
	/** How many Pods may run on the node at once. */
	readonly maxPods: number;
	/** How many Pods that have ended are kept; by default 12,500, and 0 for all of them. */
	readonly endedPodsLimit?: number;
	/** Deletes stored objects that cannot be read, rather than refuse to start. */
	readonly discardDamaged?: boolean;
	readonly log: Log;
	/** On disk, in memory for a server that is thrown away, or the store that a function opens. */
	readonly storage: 'disk' | 'memory' | (() => Promise<Store>);
	/** The port to listen on (0: any that is free); undefined: reachable from this process only. */
	readonly port: number | undefined;
	/** The Pods end with this process, in whichever way it ends, and the data folder is removed after them. */
	readonly isEphemeral?: boolean;
	/** Stops the server when it aborts, also while it starts. */
	readonly signal?: AbortSignal;
	/** How long stopping may take; by default 3 s. */
	readonly stopTimeoutMs?: number;
}

/** A server that runs. */
export interface RunningServer {
	/** The way in for this process. */
	readonly client: Client;
	/** Where others reach it, if it listens. */
	readonly url: string | undefined;
	/** Resolves once the server has stopped: to the failure that stopped it, or to undefined if it was asked to. */
	readonly ended: Promise<PartError | undefined>;
	/** Stops the server because of an error that no part of it has caught. */
	fail(error: unknown): void;
	/** Stops the server; resolves when that is done. Pods keep running, unless `killPods` says otherwise. */
	stop(options?: { readonly killPods?: boolean }): Promise<void>;
}

/** How long the controllers and the node agent may write to the API in one turn of the event loop. */
const TURN_MS = 10;

/**
 * How long a server takes to stop at most. A service manager waits longer before it kills (systemd 90 s,
 * Docker 10 s), a person does not.
 */
const STOP_TIMEOUT_MS = 3000;

/**
 * Puts a server together and starts it; resolves once it serves and has a Node that Pods can be bound to.
 * Its parts live and fail as {@link Lifecycle} says. Rejects, after everything that had started was stopped,
 * with the {@link PartError} of the part that could not be started, or with a {@link StoppedError} if
 * `signal` aborted before.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
	const { folder, log, stopTimeoutMs = STOP_TIMEOUT_MS } = options;
	let serves = false;
	let killPods = false;
	const lifecycle = new Lifecycle({
		clock: new SystemClock({ keepsAlive: true }),
		stopTimeoutMs,
		...(options.signal && { signal: options.signal }),
		// What goes wrong before the server serves is told to the caller.
		onFailure: (failure) => {
			if (serves) log.failure(failure);
		},
	});
	// Without a listener nothing else would keep the process alive while a Job waits for its next try.
	const clock = new SystemClock({ keepsAlive: options.port === undefined });
	const context: ServerContext = {
		options,
		clock,
		lifecycle,
		metrics: new Metrics(),
		agents: new Map(),
		onError: (component, about, error) => {
			// Calls that a stop has cut short are no errors.
			if (!lifecycle.isStopping) log.error(component, about, error);
		},
	};
	addProcessMetrics(context.metrics, clock);
	try {
		openDataFolder(folder, (original) => log.warning(isCopyOf(folder.path, original)));
		const { api, listener } = await startParts(context, () => killPods);
		serves = true;
		return {
			client: new Client(api, { fieldManager: 'stint' }),
			url: listener?.url,
			ended: lifecycle.ended,
			fail: (error) => lifecycle.fail('server', error),
			stop: async (how) => {
				killPods = how?.killPods ?? false;
				await lifecycle.stop();
			},
		};
	} catch (error) {
		await lifecycle.stop();
		throw error;
	}
}

function isCopyOf(folder: string, original: string): string {
	return `the data folder ${folder} is a copy of ${original}: Pods that run there are left alone, and are lost here`;
}

/** Starts the parts in their order; see {@link startServer}. */
async function startParts(
	context: ServerContext,
	killsPods: () => boolean,
): Promise<{ readonly api: ApiServer; readonly listener: HttpListener | undefined }> {
	const { options, lifecycle } = context;
	const api = await startApi(context);
	const listener = options.port === undefined ? undefined : await startListener(context, api, options.port);
	lifecycle.run(controlPlane(controlPlaneOptions(context, api)));
	await startNode(context, api, killsPods);
	// Started last, so stopped first: clients ask nothing more of a server whose parts are being stopped.
	await lifecycle.start({ name: 'listener', start: async () => listener, stop: (open) => open?.close() });
	return { api, listener };
}

/** What the parts of a server share. */
interface ServerContext {
	readonly options: ServerOptions;
	readonly clock: Clock;
	readonly lifecycle: Lifecycle;
	readonly metrics: Metrics;
	/** The node agents of this process by the name of their Node. */
	readonly agents: Map<string, NodeAgent>;
	/** Told of each error that a part meets and deals with; `about` says what it worked on. */
	readonly onError: (component: string, about: string, error: unknown) => void;
}

/** Starts the store and the API server over it. */
async function startApi({
	options,
	clock,
	lifecycle,
	metrics,
	agents,
	onError,
}: ServerContext): Promise<ApiServer> {
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
		// All Nodes are of this process so far, and have one runtime.
		runtimeTraits: () => agents.values().next().value?.runtimeTraits,
		version: VERSION,
		...(options.discardDamaged && { discardDamaged: true }),
		onError: (where, error) => onError('apiserver', where, error),
		onStoreLost: failStore,
	});
	return lifecycle.start({
		name: 'API server',
		start: async () => {
			await api.start();
			await bootstrap(api);
			return api;
		},
		stop: () => api.close(),
	});
}

async function openStore(
	{ storage, folder }: ServerOptions,
	onWarning: (message: string) => void,
): Promise<Store> {
	if (typeof storage === 'function') return storage();
	if (storage === 'memory') {
		const { MemoryStore } = await import('../store/memory/memory-store.ts');
		return new MemoryStore();
	}
	const { openSqliteStore } = await import('../store/sqlite/sqlite-store.ts');
	return openSqliteStore({ path: folder.database, onWarning });
}

/** Opens the listener and writes the kubeconfig that leads to it. */
async function startListener(
	{ options: { folder, log }, clock, lifecycle, onError }: ServerContext,
	server: ApiServer,
	port: number,
): Promise<HttpListener> {
	trustNamedAuthoritiesOnly();
	const credentials = loadCredentials(folder.pki, clock.now(), log.warning);
	const listener = await lifecycle.start({
		name: 'listener',
		start: () =>
			listen({ server, credentials, port, clock, onError: (where, error) => onError('http', where, error) }),
		stop: (open) => open.close(),
	});
	const { caPem: certificateAuthority, token } = credentials;
	const access = { name: 'stint', server: listener.url, certificateAuthority, token };
	const onReplaced = (reason: string): void =>
		log.warning(`${folder.kubeconfig} was not a valid kubeconfig and was replaced: ${reason}`);
	await updateKubeconfigFile(folder.kubeconfig, access, onReplaced);
	return listener;
}

function controlPlaneOptions(
	{ options: { endedPodsLimit }, clock, metrics, onError }: ServerContext,
	transport: ApiServer,
): ControlPlaneOptions {
	const random = new SystemRandom();
	return {
		transport,
		clock,
		random,
		metrics,
		onError,
		...(endedPodsLimit !== undefined && { endedPodsLimit }),
	};
}

/** Starts what runs containers and the node agent; resolves once the Node is registered. */
async function startNode(
	{ options, clock, lifecycle, metrics, agents, onError }: ServerContext,
	api: ApiServer,
	killsPods: () => boolean,
): Promise<void> {
	const { folder, maxPods } = options;
	const runtime = await lifecycle.start({
		name: 'container runtime',
		start: async () => {
			const made = await makeRuntime(options, clock, (error) => onError('runtime', options.runtime, error));
			await made.start();
			return made;
		},
		stop: (started) => started.stop({ killAll: killsPods() }),
	});
	const machine = thisMachine({ folder: folder.path, maxPods });
	const calls = new AbortController();
	const client = new Client(boundTransport(api, calls.signal), { fieldManager: 'kubelet' });
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
		logFolder: folder.logs,
		version: VERSION,
		onError: (key, error) => onError('kubelet', key, error),
	});
	agents.set(machine.name, agent);
	lifecycle.run({
		'node agent': async (signal) => {
			let timer: Timer | undefined;
			const drop = (): void => {
				if (!killsPods()) runtime.stop().catch((error: unknown) => onError('runtime', 'stop', error));
			};
			const stop = (): void => {
				calls.abort();
				timer = clock.setTimer(RUNTIME_CALLS_MS, drop);
			};
			signal.addEventListener('abort', stop, { once: true });
			await agent.run(signal).finally(() => timer?.cancel());
		},
	});
	await lifecycle.until(agent.registered);
}

/**
 * How long the node agent, told to stop, waits for its calls of the runtime. Hundreds may wait for a busy
 * launcher, which performs them all the same; the next server reads what became of them.
 */
const RUNTIME_CALLS_MS = 300;

async function makeRuntime(
	{ runtime, folder, isEphemeral }: ServerOptions,
	clock: Clock,
	onError: (error: unknown) => void,
): Promise<Runtime> {
	if (runtime === 'fake') {
		const { FakeRuntime } = await import('../node/runtime/fake/fake-runtime.ts');
		return new FakeRuntime({ clock, random: new SystemRandom() });
	}
	const { ProcessRuntime } = await import('../node/runtime/process/process-runtime.ts');
	const { ImageTable } = await import('../node/runtime/process/image-table.ts');
	const images = new ImageTable(folder.images);
	return new ProcessRuntime({
		...{ folder: folder.runtime, clock, images, version: VERSION, onError },
		...(isEphemeral && { removeAtEnd: folder.path }),
	});
}
