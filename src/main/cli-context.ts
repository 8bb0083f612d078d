import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, resolve } from 'node:path';
import { SystemClock } from '../base/clock.ts';
import { systemReason } from '../base/files/folders.ts';
import { isMissing } from '../base/files/system-error.ts';
import { calledAs } from '../cli/called-as.ts';
import { type CliContext, CommandError, type Connection, type Embedded } from '../cli/context.ts';
import type { ImageFolderFlags, LocalImages } from '../cli/images/local-images.ts';
import { outputsOver } from '../cli/print/outputs.ts';
import type { FilterDecision, ProxyRequestHead } from '../cli/proxy/proxied-request.ts';
import type { RuntimeChoice } from '../cli/runtime-name.ts';
import type { LocalAddress, LocalPort } from '../cli/streams/local-ports.ts';
import { Client } from '../client/client.ts';
import type { ServerAccess } from '../client/kubeconfig/kubeconfig.ts';
import type { HttpTransportOptions } from '../client/transport/http-node.ts';
import { onInterrupt } from './interruptions.ts';
import { isOwnSocket } from './own-socket.ts';
import { listenLocally } from './ports/local-ports.ts';
import { rawStreams } from './raw-streams.ts';
import { dataFolder, defaultDataPath } from './server/data-folder.ts';
import { trustNamedAuthoritiesOnly } from './server/trusted-authorities.ts';
import { standardStream } from './standard-streams.ts';

/** The {@link CliContext} of the real process: its standard streams, files, signals and servers. */
export function cliContext(): CliContext {
	const outputs = outputsOver({
		stdout: standardStream(process.stdout),
		stderr: standardStream(process.stderr),
	});
	return {
		...outputs,
		// While a command waits for a retry, only the timer keeps the process alive.
		clock: new SystemClock({ keepsAlive: true }),
		colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
		variable: (name) => process.env[name],
		// These and localFiles load node:fs/promises, which takes 2 ms: most commands read no manifest.
		readFile: async (path) => (await import('./manifest-files.ts')).readManifestFile(path),
		listFolder: async (path) => (await import('./manifest-files.ts')).listManifests(path),
		readStdin: async () => (await import('./manifest-files.ts')).readManifestInput(),
		rawStreams: rawStreams(),
		listen: listenLocally,
		localFiles: async () => (await import('./local-files.ts')).LOCAL_FILES,
		onInterrupt,
		serveApi,
		connect,
		findRunning,
		inspectMachine: async ({ dataDir = defaultDataPath(process.env), port }) => {
			const { inspectMachine } = await import('./doctor/inspect-machine.ts');
			return inspectMachine({ dataDir, port, clock: new SystemClock({ keepsAlive: true }) });
		},
		openImages,
		startEmbedded: (runtime) => startEmbedded(runtime, (line) => outputs.stderr.write(line)),
	};
}

/**
 * The kubeconfig files to read: that of --kubeconfig, else those of $KUBECONFIG, else that of the default
 * data folder.
 */
export function kubeconfigPaths(named: string | undefined): readonly string[] {
	if (named !== undefined) return [named];
	const listed = (process.env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
	return listed.length > 0 ? listed : [dataFolder(defaultDataPath(process.env)).kubeconfig];
}

/**
 * Connects to the server of the kubeconfig. The imports are dynamic: `run` with an embedded server needs none
 * of them.
 */
async function connect(named: string | undefined): Promise<Connection> {
	const { HttpTransport } = await import('../client/transport/http-node.ts');
	const { access, options } = await serverOf(named);
	const client = new Client(new HttpTransport(access, options), { fieldManager: 'stint' });
	return { client, namespace: access.namespace };
}

/** Serves the API of the server of the kubeconfig. */
async function serveApi(
	named: string | undefined,
	address: LocalAddress,
	filter: (head: ProxyRequestHead) => FilterDecision,
): Promise<LocalPort> {
	const { ApiForwarder } = await import('../client/transport/http-node-forward.ts');
	const { ApiProxy } = await import('./ports/api-proxy.ts');
	const { access, options } = await serverOf(named);
	return new ApiProxy(new ApiForwarder(access, options), filter).listen(address);
}

/** The server of the kubeconfig, and how to connect to it. */
async function serverOf(named: string | undefined): Promise<{
	readonly access: ServerAccess;
	readonly options: HttpTransportOptions;
}> {
	const { readKubeconfig } = await import('../client/kubeconfig/kubeconfig.ts');
	const files = [];
	for (const path of kubeconfigPaths(named)) {
		const text = readKubeconfigFile(path, named);
		if (text !== undefined) files.push({ path, text });
	}
	if (files.length === 0) {
		const where = kubeconfigPaths(named).join(', ').replace(homedir(), '~');
		throw new CommandError(
			`no server is configured (${where} does not exist); start one with: ${calledAs('server')}`,
		);
	}
	const access = await readKubeconfig(files, { readFile: async (path) => readFileSync(path, 'utf8') });
	const socket = access.socket !== undefined && isOwnSocket(access.socket) ? access.socket : undefined;
	const options = { beforeTls: trustNamedAuthoritiesOnly, ...(socket !== undefined && { socket }) };
	return { access, options };
}

/**
 * The text of a file. Undefined if it does not exist, as for files of $KUBECONFIG; that of `named` must
 * exist.
 */
function readKubeconfigFile(path: string, named: string | undefined): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		if (isMissing(error) && named === undefined) return undefined;
		throw new UnreadableKubeconfigError(`the kubeconfig ${path} cannot be read: ${systemReason(error)}`);
	}
}

class UnreadableKubeconfigError extends CommandError {
	override readonly name = 'UnreadableKubeconfigError';
}

/**
 * Names of error classes, not the classes: importing KubeconfigError would load its module in every command.
 */
const UNUSABLE_KUBECONFIG: readonly string[] = ['UnreadableKubeconfigError', 'KubeconfigError'];

/**
 * The server that `run` uses: that of --kubeconfig, whatever it is; otherwise only a stint server, so that
 * `stint run` does not create Jobs in another cluster that $KUBECONFIG refers to.
 */
async function findRunning(
	named: string | undefined,
	{ embeds }: { readonly embeds: boolean },
): Promise<Connection | undefined> {
	if (named !== undefined) return connect(named);
	let why = '';
	try {
		const connection = await connect(undefined);
		const { object } = await connection.client.transport.request({ method: 'GET', path: '/version' });
		if (JSON.stringify(object).includes('+stint.')) return connection;
	} catch (error) {
		if (error instanceof Error && UNUSABLE_KUBECONFIG.includes(error.name)) why = ` (${error.message})`;
	}
	if (embeds && (process.env.KUBECONFIG || why))
		process.stderr.write(
			`Warning: ${process.env.KUBECONFIG ? 'KUBECONFIG' : 'the kubeconfig'} does not lead to a running stint server${why}; this run starts an embedded one\n`,
		);
	return undefined;
}

/** Opens the images of a data folder or of a folder of images. The client bundle does not have them. */
async function openImages({ dataDir, imageDir }: ImageFolderFlags): Promise<LocalImages> {
	for (const [flag, value] of Object.entries({ '--data-dir': dataDir, '--image-dir': imageDir }))
		if (value === '') throw new CommandError(`${flag}: must not be empty`);
	const { imageStore, registries } = dataFolder(dataDir ?? defaultDataPath(process.env));
	const { StoreImages } = await import('./images/store-images.ts');
	return new StoreImages({
		imageFolder: imageDir === undefined ? imageStore : resolve(imageDir),
		registriesPath: registries,
		clock: new SystemClock({ keepsAlive: true }),
	});
}

/**
 * Starts an embedded server for one command: its state is in memory, its files are in a temporary folder that
 * is removed with it. It writes its log lines to `writeLog`, since the command may have a status line on the
 * same terminal.
 */
async function startEmbedded(
	{ name: runtime, endpoint: runtimeEndpoint }: RuntimeChoice,
	writeLog: (line: string) => void,
): Promise<Embedded> {
	const { startServer } = await import('./server/server.ts');
	const { openLog } = await import('./log.ts');
	const { makeRunFolder } = await import('./run-folder.ts');
	const { removeTree } = await import('../base/files/remove-tree.ts');
	const path = await makeRunFolder(new SystemClock().now());
	// The images and what configures them are the user's, so they come from the default data folder.
	const { images, imageStore, registries } = dataFolder(defaultDataPath(process.env));
	const folder = { ...dataFolder(path), images, imageStore, registries };
	try {
		const writeLine = (line: string): boolean => {
			writeLog(line);
			return true;
		};
		const options = {
			folder,
			runtime,
			...(runtimeEndpoint !== undefined && { runtimeEndpoint }),
			maxPods: MAX_PODS,
			port: undefined,
			storage: 'memory',
			isEphemeral: true,
			stopTimeoutMs: LONGEST_END_MS,
		} as const;
		const server = await startServer({ ...options, log: openLog(new SystemClock(), writeLine) });
		return {
			client: server.client,
			namespace: 'default',
			isEmbedded: true,
			stop: async () => {
				await server.stop({ killPods: true });
				await removeTree(path);
			},
		};
	} catch (error) {
		await removeTree(path);
		throw error;
	}
}

/** Time limit for stopping an embedded server with its Pods. A second interruption kills the Pods at once. */
const LONGEST_END_MS = 30_000;

/**
 * Maximum number of Pods of an embedded server. Higher than the default of `stint server` (110, as upstream):
 * here the user chose the parallelism of the only Jobs.
 */
const MAX_PODS = 1000;
