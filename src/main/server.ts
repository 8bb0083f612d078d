import { resources } from '../api/resources.ts';
import { bootstrap } from '../apiserver/bootstrap.ts';
import { loadCredentials } from '../apiserver/credentials.ts';
import { type HttpListener, listen } from '../apiserver/http.ts';
import { ApiServer } from '../apiserver/server.ts';
import { type Clock, SystemClock } from '../base/clock.ts';
import { Metrics } from '../base/metrics.ts';
import { SystemRandom } from '../base/random.ts';
import { Client } from '../client/client.ts';
import { EventRecorder } from '../client/event-recorder.ts';
import { NodeAgent } from '../node/agent.ts';
import type { Runtime } from '../node/runtime/runtime.ts';
import type { Store } from '../store/store.ts';
import { runControlPlane } from './control-plane.ts';
import { type DataFolder, makeDataFolder } from './data-folder.ts';
import { updateKubeconfigFile } from './kubeconfig-file.ts';
import type { Log } from './log.ts';
import { thisMachine } from './machine.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { trustNamedAuthoritiesOnly } from './trusted-authorities.ts';
import { VERSION } from './version.ts';

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
	readonly log: Log;
	/** On disk, or in memory for a server that is thrown away. */
	readonly storage: 'disk' | 'memory';
	/** The port to listen on (0: any that is free); undefined: reachable from this process only. */
	readonly port: number | undefined;
}

/** A server that runs. */
export interface RunningServer {
	/** The way in for this process. */
	readonly client: Client;
	/** Where others reach it, if it listens. */
	readonly url: string | undefined;
	/** Ends the server. Pods go on running, unless `killPods` says otherwise. */
	stop(options?: { readonly killPods?: boolean }): Promise<void>;
}

/**
 * Puts a server together and starts it; resolves once it serves. Rejects with StoreLockedError for a
 * folder that is in use, and with the system's error for a port that is (after letting go of all else).
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
	const { folder, log } = options;
	// Without a listener nothing else would keep the process alive while a Job waits for its next try.
	const clock = new SystemClock({ keepsAlive: options.port === undefined });
	const metrics = new Metrics();
	addProcessMetrics(metrics, clock);
	makeDataFolder(folder);
	const store = await openStore(options);
	const agents = new Map<string, NodeAgent>();
	const api = new ApiServer({
		store,
		resources,
		clock,
		metrics,
		random: new SystemRandom(),
		nodeApi: (nodeName) => agents.get(nodeName),
		// All Nodes are of this process so far, and have one runtime.
		runtimeTraits: () => agents.values().next().value?.runtimeTraits,
		version: VERSION,
		onError: (where, error) => log.error('apiserver', where, error),
	});
	let listener: HttpListener | undefined;
	try {
		await api.start();
		await bootstrap(api);
		listener =
			options.port === undefined
				? undefined
				: await openListener(options, api, { clock, port: options.port });
	} catch (error) {
		api.close();
		await store.close();
		throw error;
	}
	const parts = startParts(options, { api, clock, metrics, agents });
	await parts.registered;
	return {
		client: new Client(api, { fieldManager: 'stint' }),
		url: listener?.url,
		stop: async (how) => {
			await listener?.close();
			await parts.stop(how?.killPods ?? false);
			api.close();
			await store.close();
		},
	};
}

async function openStore({ storage, folder, log }: ServerOptions): Promise<Store> {
	if (storage === 'memory') {
		const { MemoryStore } = await import('../store/memory/memory-store.ts');
		return new MemoryStore();
	}
	const { openSqliteStore } = await import('../store/sqlite/sqlite-store.ts');
	return openSqliteStore({
		path: folder.database,
		onWarning: (message) => log.error('store', folder.database, new Error(message)),
	});
}

/** Opens the listener and writes the kubeconfig that leads to it. */
async function openListener(
	{ folder, log }: ServerOptions,
	server: ApiServer,
	{ clock, port }: { readonly clock: Clock; readonly port: number },
): Promise<HttpListener> {
	trustNamedAuthoritiesOnly();
	const credentials = loadCredentials(folder.pki, clock.now());
	const onError = (where: string, error: unknown): void => log.error('http', where, error);
	const listener = await listen({ server, credentials, port, clock, onError });
	const { caPem: certificateAuthority, token } = credentials;
	const access = { name: 'stint', server: listener.url, certificateAuthority, token };
	await updateKubeconfigFile(folder.kubeconfig, access, (reason) =>
		log.error('server', folder.kubeconfig, new Error(`is no kubeconfig, written anew: ${reason}`)),
	);
	return listener;
}

interface Surroundings {
	readonly api: ApiServer;
	readonly clock: Clock;
	readonly metrics: Metrics;
	/** The agents of this process by the name of their node. */
	readonly agents: Map<string, NodeAgent>;
}

interface StartedNode {
	readonly runtime: Runtime;
	readonly agent: NodeAgent;
	readonly running: Promise<void>;
}

interface Parts {
	/** Resolves once there is a Node that Pods can be bound to. */
	readonly registered: Promise<void>;
	stop(killPods: boolean): Promise<void>;
}

/** Starts what works through the API: controllers, scheduler and the node agent. */
function startParts(options: ServerOptions, { api, clock, metrics, agents }: Surroundings): Parts {
	const { folder, log, maxPods, endedPodsLimit } = options;
	const stopping = new AbortController();
	const onError = (component: string, key: string, error: unknown): void => {
		if (!stopping.signal.aborted) log.error(component, key, error);
	};
	const limits = endedPodsLimit === undefined ? {} : { endedPodsLimit };
	const controlPlane = runControlPlane(
		{ transport: api, clock, metrics, onError, ...limits },
		stopping.signal,
	);
	const node = startNode();
	return {
		registered: node.then(({ agent }) => agent.registered),
		stop: async (killPods) => {
			stopping.abort();
			const runtime = await node;
			await controlPlane;
			await runtime.running;
			await runtime.runtime.stop({ killAll: killPods });
		},
	};

	async function startNode(): Promise<StartedNode> {
		const runtime = await makeRuntime(options, clock, (error) => onError('runtime', options.runtime, error));
		await runtime.start();
		const machine = thisMachine({ folder: folder.path, maxPods });
		const client = new Client(api, { fieldManager: 'kubelet' });
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
			metrics,
			recorder,
			runtime,
			machine,
			logFolder: folder.logs,
			version: VERSION,
			onError: (key, error) => onError('kubelet', key, error),
		});
		agents.set(machine.name, agent);
		return { runtime, agent, running: agent.run(stopping.signal) };
	}
}

async function makeRuntime(
	{ runtime, folder }: ServerOptions,
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
	return new ProcessRuntime({ folder: folder.runtime, clock, images, version: VERSION, onError });
}
