import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Duplex } from '../../src/api/contract/duplex.ts';
import type { ContainerLogRequest, NodeApi } from '../../src/api/contract/node-api.ts';
import type { ApiRequest, ApiTransport } from '../../src/api/contract/transport.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { ContainerState, Pod } from '../../src/api/core/pod/schema.ts';
import { formatTime } from '../../src/api/meta/time.ts';
import { resources } from '../../src/api/resources.ts';
import type { Authorizer } from '../../src/apiserver/access/authorizer.ts';
import { bootstrap } from '../../src/apiserver/maintenance/bootstrap.ts';
import { ApiServer } from '../../src/apiserver/server.ts';
import { ECHO_NODE } from '../../src/apiserver/testing/echo-node.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import type { CliContext, Interruption } from '../../src/cli/context.ts';
import { describeError } from '../../src/cli/errors.ts';
import { outputsOver } from '../../src/cli/print/outputs.ts';
import type { LocalAddress } from '../../src/cli/streams/local-ports.ts';
import type { RawStreams } from '../../src/cli/streams/raw-streams.ts';
import { printingWarnings } from '../../src/cli/warnings.ts';
import { Client } from '../../src/client/client.ts';
import { LOCAL_FILES } from '../../src/main/local-files.ts';
import type { MachineFacts } from '../../src/plan/doctor/facts.ts';
import { ROOT_MACHINE } from '../../src/plan/doctor/testing/machines.ts';
import { MemoryStore } from '../../src/store/memory/memory-store.ts';

/** The output and the exit code of a command. */
export interface Ended {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** An output stream that keeps its text and lets tests wait for a pattern. */
class Captured {
	text = '';
	/** The width of the terminal that it is; undefined: it is none. */
	readonly columns: number | undefined;
	/** Simulates the reader's backpressure: while this is pending, `ready` is too, and the command has to wait. */
	taking: Promise<void> = Promise.resolve();
	readonly #waiting = new Set<() => void>();

	constructor(columns?: number) {
		this.columns = columns;
	}

	write(text: string): void {
		this.text += text;
		for (const check of [...this.#waiting]) check();
	}

	ready(): Promise<void> {
		return this.taking;
	}

	/** Resolves once `pattern` has been written. */
	has(pattern: RegExp): Promise<void> {
		return new Promise((resolve) => {
			const check = (): void => {
				if (!pattern.test(this.text)) return;
				this.#waiting.delete(check);
				resolve();
			};
			this.#waiting.add(check);
			check();
		});
	}
}

/** A running command. */
export interface RunningCommand {
	readonly stdout: Captured;
	readonly stderr: Captured;
	readonly ended: Promise<Ended>;
	interrupt(by?: Interruption): void;
}

const nothingMeasured: NodeApi['usage'] = () => Promise.reject(new Error('nothing is measured'));

const NODE_INFO = {
	...{ machineID: '', systemUUID: '', bootID: '', kernelVersion: '6', osImage: '', kubeletVersion: '' },
	...{ kubeProxyVersion: '', operatingSystem: 'linux', architecture: 'amd64' },
};

/**
 * A real API server over a store in memory, on which commands run in the test's process. There are no
 * controllers and no node agent: the test writes what they would write.
 */
export class CliWorld {
	readonly clock = new VirtualClock();
	readonly client: Client;
	/** The text of each log, by `pod/container` or `pod/container/previous`. */
	readonly logs = new Map<string, string>();
	readonly files = new Map<string, string>();
	/** The environment of the commands. */
	readonly variables = new Map<string, string>();
	/** Generators of the pieces of a log, by the same keys. They have precedence over {@link logs}. */
	readonly logPieces = new Map<string, () => Iterable<string>>();
	/** Promises that delay a log until they resolve, by the same keys. */
	readonly slow = new Map<string, Promise<void>>();
	/** Called and awaited before each request of a command. An error that it throws becomes the answer. */
	onRequest: (request: ApiRequest) => unknown = () => undefined;
	/** Called once a watch of a command is open. */
	onWatch: (request: ApiRequest) => void = () => undefined;
	/** Called and awaited before each log request of a command. An error that it throws becomes the answer. */
	onLog: (request: ApiRequest) => unknown = () => undefined;
	/** The standard input of the commands. */
	stdin = '';
	/** The terminal of the commands, if they have one. */
	terminal: { width: number; height: number } | undefined;
	/** The width of the terminal to which standard error of the commands is connected; undefined: to none. */
	columns: number | undefined;
	/** How often a command has set the terminal to raw mode and has not restored it. */
	rawModes = 0;
	/** Called by a test when the size of the terminal has changed. */
	readonly onResize = new Set<() => void>();
	/** What the node agent does, besides logs. */
	node: Pick<NodeApi, 'exec' | 'attach' | 'portForward'> = ECHO_NODE;
	/** What the node agent measures. */
	usage: NodeApi['usage'] = nothingMeasured;
	/** The names of Nodes whose agent cannot be reached. */
	readonly unreachable = new Set<string>();
	/** What `proxy` serves; port 1 is taken. */
	served: (LocalAddress & { readonly filter: Parameters<CliContext['serveApi']>[2] }) | undefined;
	/** The listener of each port that a command has opened. */
	readonly ports = new Map<string, (connection: Duplex) => void>();
	/** What `doctor` finds out. */
	machine: MachineFacts = ROOT_MACHINE;
	/** The images of `stint images`. */
	openImages: CliContext['openImages'] = async () => assert.fail('no images');
	/** Whether `run` finds a running server. Otherwise it starts an embedded one, which is this server too. */
	running = true;
	/** The runtime of each embedded server. */
	readonly startedRuntimes: string[] = [];
	/** How often an embedded server was stopped. */
	stopped = 0;
	readonly #server: ApiServer;

	private constructor(server: ApiServer) {
		this.#server = server;
		this.client = new Client(server, { fieldManager: 'test' });
	}

	static async open(t: TestContext, options: { readonly authorizer?: Authorizer } = {}): Promise<CliWorld> {
		const store = new MemoryStore();
		const clock = new VirtualClock();
		const faults: unknown[] = [];
		let world: CliWorld | undefined;
		const nodeApi: NodeApi = {
			containerLog: async (request) => world?.readLog(request) ?? readAll([]),
			usage: () => world?.usage() ?? nothingMeasured(),
			exec: (request) => (world?.node ?? ECHO_NODE).exec(request),
			attach: (request) => (world?.node ?? ECHO_NODE).attach(request),
			portForward: (request) => (world?.node ?? ECHO_NODE).portForward(request),
		};
		const server = new ApiServer({
			store,
			resources,
			...options,
			clock,
			metrics: new Metrics(),
			random: new SeededRandom(1),
			version: '0.0.0',
			onError: (_where, error) => void faults.push(error),
			nodeApi: (name) => (world?.unreachable.has(name) ? undefined : nodeApi),
		});
		await server.start();
		await bootstrap(server);
		world = new CliWorld(server);
		t.after(() => {
			server.close();
			assert.deepEqual(faults, []);
		});
		return world;
	}

	#rawStreams(stdout: Captured, stderr: Captured): RawStreams {
		const world = this;
		return {
			get isTerminal() {
				return world.terminal !== undefined;
			},
			input: async function* () {
				const bytes = Buffer.from(world.stdin);
				// As a process: what was read is not read again.
				world.stdin = '';
				if (bytes.length > 0) yield bytes;
			},
			write: async (output, bytes) =>
				(output === 'stdout' ? stdout : stderr).write(Buffer.from(bytes).toString()),
			size: () => this.terminal,
			onResize: (listener) => {
				this.onResize.add(listener);
				return () => void this.onResize.delete(listener);
			},
			setRaw: () => {
				this.rawModes += 1;
				return () => {
					this.rawModes -= 1;
				};
			},
		};
	}

	/** Runs a command to its exit. */
	async run(command: (context: CliContext) => Promise<number>): Promise<Ended> {
		return this.start(command).ended;
	}

	/** Starts a command and returns its streams. */
	start(command: (context: CliContext) => Promise<number>): RunningCommand {
		const stdout = new Captured();
		const stderr = new Captured(this.columns);
		const listeners = new Set<(by: Interruption) => void>();
		const transport: ApiTransport = {
			request: async (request) => {
				await this.onRequest(request);
				return this.#server.request(request);
			},
			watch: async (request, sink) => {
				const watch = await this.#server.watch(request, sink);
				this.onWatch(request);
				return watch;
			},
			stream: async (request) => {
				await this.onLog(request);
				return this.#server.stream(request);
			},
			duplex: (request) => this.#server.duplex(request),
		};
		const connection = { client: new Client(transport), namespace: 'default' };
		const context = printingWarnings({
			clock: this.clock,
			...outputsOver({ stdout, stderr }),
			colour: false,
			variable: (name) => this.variables.get(name),
			readFile: async (path) =>
				this.files.get(path) ?? Promise.reject(Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })),
			listFolder: async (path) => {
				const inside = [...this.files.keys()].filter((name) => name.startsWith(`${path}/`)).sort();
				return inside.length > 0 ? inside : undefined;
			},
			readStdin: async () => this.stdin,
			localFiles: async () => LOCAL_FILES,
			rawStreams: this.#rawStreams(stdout, stderr),
			listen: async ({ host, port }, accept) => {
				const actual = port === 0 ? 40_000 + this.ports.size : port;
				const key = `${host}:${actual}`;
				if (this.ports.has(key)) throw new Error(`listen EADDRINUSE: address already in use ${key}`);
				this.ports.set(key, accept);
				return { port: actual, close: () => void this.ports.delete(key) };
			},
			serveApi: async (_kubeconfig, { host, port }, filter) => {
				if (port === 1) throw Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
				this.served = { host, port, filter };
				const close = (): void => {
					this.served = undefined;
				};
				return { port: port || 12345, close };
			},
			onInterrupt: (listener) => {
				listeners.add(listener);
				return () => void listeners.delete(listener);
			},
			connect: async () => connection,
			findRunning: async () => (this.running ? connection : undefined),
			inspectMachine: async () => this.machine,
			openImages: (folder) => this.openImages(folder),
			startEmbedded: async (runtime) => {
				this.startedRuntimes.push(runtime.name);
				return { ...connection, isEmbedded: true, stop: async () => void this.stopped++ };
			},
		});
		const ended = command(context)
			.catch((error: unknown) => {
				stderr.write(`${describeError(error)}\n`);
				return 1;
			})
			.then((code) => ({ code, stdout: stdout.text, stderr: stderr.text }));
		const interrupt = (by: Interruption = 'SIGINT'): void => {
			for (const listener of [...listeners]) listener(by);
		};
		return { stdout, stderr, ended, interrupt };
	}

	readLog({ pod, container, previous }: ContainerLogRequest): AsyncIterable<Uint8Array> {
		const name = `${pod}/${container}${previous ? '/previous' : ''}`;
		const pieces = this.logPieces.get(name) ?? (() => [this.logs.get(name) ?? '']);
		return readAll(pieces(), this.slow.get(name));
	}

	job(name: string): Promise<Job> {
		return this.client.resource(jobs, 'default').get(name);
	}

	/** Creates a Node with a `containerRuntimeVersion`. */
	async createNode(name: string, containerRuntimeVersion: string): Promise<void> {
		const node = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {}, status: {} };
		const created = await this.client.resource(nodes).create(node);
		const nodeInfo = { ...NODE_INFO, containerRuntimeVersion };
		await this.client.resource(nodes).update({ ...created, status: { nodeInfo } }, 'status');
	}

	/**
	 * Creates a bound Pod of a Job, as the Job controller and the scheduler do. Only a `tracked` one has the
	 * tracking finalizer, which no controller removes here.
	 */
	async createPod(job: Job, name: string, { tracked = false } = {}): Promise<Pod> {
		const { template } = job.spec;
		const owner = {
			apiVersion: 'batch/v1',
			kind: 'Job',
			name: job.metadata.name ?? '',
			uid: job.metadata.uid ?? '',
		};
		return this.client.resource(pods, 'default').create({
			apiVersion: 'v1',
			kind: 'Pod',
			metadata: {
				...template.metadata,
				name,
				namespace: 'default',
				...(tracked && { finalizers: ['batch.kubernetes.io/job-tracking'] }),
				ownerReferences: [{ ...owner, controller: true }],
			},
			spec: { ...template.spec, nodeName: 'node' },
			status: {},
		});
	}

	/** Writes the state of a Pod's only container to its status, as a node agent does. */
	async report(
		name: string,
		phase: NonNullable<Pod['status']['phase']>,
		state: ContainerState,
		more: { readonly lastState?: ContainerState; readonly restartCount?: number; readonly run?: string } = {},
	): Promise<Pod> {
		const target = this.client.resource(pods, 'default');
		const pod = await target.get(name);
		const { run = `${name}-run`, restartCount = 0, lastState } = more;
		const status = {
			name: pod.spec.containers[0]?.name ?? '',
			state,
			ready: false,
			restartCount,
			image: '',
			imageID: '',
			...(state.waiting ? {} : { containerID: run }),
			...(lastState && { lastState }),
		};
		return target.update({ ...pod, status: { ...pod.status, phase, containerStatuses: [status] } }, 'status');
	}

	/** Writes the status of a Pod twice: running, then ended with the exit code. */
	async runPod(name: string, exitCode: number): Promise<void> {
		await this.report(name, 'Running', { running: { startedAt: formatTime(this.clock.now()) } });
		await this.report(name, exitCode === 0 ? 'Succeeded' : 'Failed', this.ended(exitCode, `${name}-run`));
	}

	ended(exitCode: number, containerID: string): ContainerState {
		const at = formatTime(this.clock.now());
		const reason = exitCode === 0 ? 'Completed' : 'Error';
		return { terminated: { exitCode, reason, containerID, startedAt: at, finishedAt: at } };
	}

	/** Writes the status of a finished Job, as the Job controller does. */
	async finish(name: string, type: 'Complete' | 'Failed', reason: string, message: string): Promise<void> {
		const target = this.client.resource(jobs, 'default');
		const job = await target.get(name);
		const at = formatTime(this.clock.now());
		const before = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
		const conditions = [before, type].map((each) => ({
			type: each,
			status: 'True',
			reason,
			message,
			lastTransitionTime: at,
		}));
		const ended = type === 'Complete' ? { completionTime: at, succeeded: 1 } : { failed: 1 };
		await target.update({ ...job, status: { ...job.status, startTime: at, ...ended, conditions } }, 'status');
	}
}

async function* readAll(pieces: Iterable<string>, first?: Promise<void>): AsyncIterable<Uint8Array> {
	await first;
	for (const text of pieces) if (text !== '') yield Buffer.from(text);
}

/** The manifest of a Job; `more` are lines of its spec. */
export function jobManifest(name: string, more = ''): string {
	return `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
  backoffLimit: 0
${more}  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: busybox
`;
}
