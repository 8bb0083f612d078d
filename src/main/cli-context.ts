import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter } from 'node:path';
import { SystemClock } from '../base/clock.ts';
import { systemReason } from '../base/folders.ts';
import { removeTree } from '../base/remove-tree.ts';
import { isMissing } from '../base/system-error.ts';
import { calledAs } from '../cli/called-as.ts';
import { type CliContext, CommandError, type Connection, type Embedded } from '../cli/context.ts';
import { outputsOver } from '../cli/outputs.ts';
import { Client } from '../client/client.ts';
import { dataFolder, defaultDataPath } from './data-folder.ts';
import { onInterrupt } from './interruptions.ts';
import { listManifests, readManifestFile, readManifestInput } from './manifest-files.ts';
import { standardStream } from './standard-streams.ts';

/** The commands' way to the real world: this process, its files, its signals, its servers. */
export function cliContext(): CliContext {
	const outputs = outputsOver({
		stdout: standardStream(process.stdout),
		stderr: standardStream(process.stderr),
	});
	return {
		...outputs,
		// While a command waits to try again, nothing else may keep the process alive.
		clock: new SystemClock({ keepsAlive: true }),
		colour: process.stdout.isTTY === true && !process.env.NO_COLOR,
		readFile: readManifestFile,
		listFolder: listManifests,
		readStdin: readManifestInput,
		onInput,
		onInterrupt,
		connect,
		findRunning,
		startEmbedded: () => startEmbedded((line) => outputs.stderr.write(line)),
	};
}

function onInput(listener: () => void): void {
	const { stdin } = process;
	if (stdin.isTTY) return;
	stdin.once('readable', () => {
		// It is readable at its end as well, which an empty input reaches at once.
		if (stdin.readableLength > 0) listener();
		stdin.pause();
		stdin.unref?.();
	});
}

/** The kubeconfig files to read: the named one, those of $KUBECONFIG, or that of the default data folder. */
function kubeconfigPaths(named: string | undefined): readonly string[] {
	if (named !== undefined) return [named];
	const listed = (process.env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
	return listed.length > 0 ? listed : [dataFolder(defaultDataPath(process.env)).kubeconfig];
}

async function connect(named: string | undefined): Promise<Connection> {
	const { readKubeconfig } = await import('../client/kubeconfig.ts');
	const { HttpTransport } = await import('../client/http-transport.ts');
	const { trustNamedAuthoritiesOnly } = await import('./trusted-authorities.ts');
	trustNamedAuthoritiesOnly();
	const files = [];
	for (const path of kubeconfigPaths(named)) {
		const text = await readKubeconfigFile(path, named);
		if (text !== undefined) files.push({ path, text });
	}
	if (files.length === 0) {
		const where = kubeconfigPaths(named).join(', ').replace(homedir(), '~');
		throw new CommandError(
			`no server is known (there is no ${where}); start one with: ${calledAs('server')}`,
		);
	}
	const access = await readKubeconfig(files, { readFile: (path) => readFile(path, 'utf8') });
	const client = new Client(new HttpTransport(access), { fieldManager: 'stint' });
	return { client, namespace: access.namespace };
}

/** Undefined for a file that does not exist, unless it was asked for by `named`: of several files some may be missing. */
async function readKubeconfigFile(path: string, named: string | undefined): Promise<string | undefined> {
	try {
		return await readFile(path, 'utf8');
	} catch (error) {
		if (isMissing(error) && named === undefined) return undefined;
		throw new UnreadableKubeconfigError(`the kubeconfig ${path} cannot be read: ${systemReason(error)}`);
	}
}

class UnreadableKubeconfigError extends CommandError {
	override readonly name = 'UnreadableKubeconfigError';
}

/** By name, since the module of the second is loaded only by a command that reads one. */
const UNUSABLE_KUBECONFIG: readonly string[] = ['UnreadableKubeconfigError', 'KubeconfigError'];

/**
 * The server that `run` may use: a named one as it is; otherwise only one that is stint's own, so that
 * nobody's Job ends up in a cluster that a $KUBECONFIG happened to lead to.
 */
async function findRunning(named: string | undefined): Promise<Connection | undefined> {
	if (named !== undefined) return connect(named);
	let why = '';
	try {
		const connection = await connect(undefined);
		const { object } = await connection.client.transport.request({ method: 'GET', path: '/version' });
		if (JSON.stringify(object).includes('+stint.')) return connection;
	} catch (error) {
		if (error instanceof Error && UNUSABLE_KUBECONFIG.includes(error.name)) why = ` (${error.message})`;
	}
	if (process.env.KUBECONFIG || why)
		process.stderr.write(
			`Warning: ${process.env.KUBECONFIG ? 'KUBECONFIG' : 'the kubeconfig'} leads to no stint server that runs${why}; this run has one of its own\n`,
		);
	return undefined;
}

/**
 * A server for one command: its state in memory, its files in a folder of their own that goes with it. The lines of
 * its log go to `writeLog`, since the command may have a status line on the same terminal.
 */
async function startEmbedded(writeLog: (line: string) => void): Promise<Embedded> {
	const { startServer } = await import('./server.ts');
	const { openLog } = await import('./log.ts');
	const { makeRunFolder } = await import('./run-folder.ts');
	const path = await makeRunFolder(new SystemClock().now());
	// What images mean is the user's, not the run's.
	const { images } = dataFolder(defaultDataPath(process.env));
	const folder = { ...dataFolder(path), images };
	try {
		const options = {
			folder,
			runtime: 'process',
			maxPods: MAX_PODS,
			port: undefined,
			storage: 'memory',
			isEphemeral: true,
			stopTimeoutMs: LONGEST_END_MS,
		} as const;
		const server = await startServer({ ...options, log: openLog(new SystemClock(), writeLog) });
		return {
			client: server.client,
			namespace: 'default',
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

/** How long the end of a run with all its Pods may take; a second interruption does not wait for it. */
const LONGEST_END_MS = 30_000;

/** How many Pods a run may have at once: as many as its author asks for, within reason. */
const MAX_PODS = 1000;
