import type { Command } from 'commander';
import type { Interruption } from '../cli/context.ts';
import { DEFAULT_ENDED_PODS_LIMIT } from '../plan/pod-garbage/ended-pods.ts';
import { StoreLockedError } from '../store/store.ts';
import { dataFolder, defaultDataPath } from './data-folder.ts';
import { onInterrupt } from './interruptions.ts';
import { openLog } from './log.ts';
import type { RunningServer, RuntimeName } from './server.ts';

interface Flags {
	readonly dataDir: string;
	readonly port: string;
	readonly runtime: string;
	readonly maxPods: string;
	readonly terminatedPodGcThreshold: string;
}

/** The port of a Kubernetes API server. */
const DEFAULT_PORT = 6443;

/** The kubelet's own limit. */
const DEFAULT_MAX_PODS = 110;

/** Registers `stint server`. */
export function registerServerCommand(program: Command): void {
	program
		.command('server')
		.description('serve the Kubernetes API for Jobs and run their Pods on this machine')
		.option('--data-dir <dir>', 'folder for everything that is kept', defaultDataPath(process.env))
		.option('--port <number>', 'port on 127.0.0.1 to listen on; 0 for any that is free', String(DEFAULT_PORT))
		.option('--runtime <name>', 'what runs containers: process or fake', 'process')
		.option('--max-pods <number>', 'how many Pods may run at once', String(DEFAULT_MAX_PODS))
		.option(
			'--terminated-pod-gc-threshold <number>',
			'how many Pods that have ended are kept; 0 for all',
			String(DEFAULT_ENDED_PODS_LIMIT),
		)
		.action((flags: Flags) => serve(flags));
}

async function serve(flags: Flags): Promise<void> {
	const port = wholeNumber(flags.port, { name: '--port', max: 65_535 });
	const maxPods = wholeNumber(flags.maxPods, { name: '--max-pods', max: 1_000_000 });
	const threshold = { name: '--terminated-pod-gc-threshold', max: 2 ** 31 - 1 };
	const endedPodsLimit = wholeNumber(flags.terminatedPodGcThreshold, threshold);
	const runtime = runtimeNamed(flags.runtime);
	if (port === undefined || maxPods === undefined || endedPodsLimit === undefined || !runtime) return;
	const folder = dataFolder(flags.dataDir);
	let server: RunningServer;
	try {
		// The other commands are not to pay for loading a server.
		const { startServer } = await import('./server.ts');
		const limits = { maxPods, endedPodsLimit };
		server = await startServer({ folder, runtime, ...limits, port, storage: 'disk', log: openLog() });
	} catch (error) {
		fail(explain(error, { folder: folder.path, port }));
		return;
	}
	process.stdout.write(`stint is ready at ${server.url}\n  export KUBECONFIG=${folder.kubeconfig}\n`);
	const signal = await signalled();
	await server.stop();
	process.exitCode = signal === 'SIGTERM' ? 0 : 130;
}

/** Resolves at the first signal that asks the server to stop. A reader of its output that is gone does not. */
function signalled(): Promise<Interruption> {
	// Timers and sockets of a server do not keep the process alive; listening for signals does.
	return new Promise((resolve) => {
		onInterrupt((by) => {
			if (by !== 'SIGPIPE') resolve(by);
		});
	});
}

function runtimeNamed(name: string): RuntimeName | undefined {
	if (name === 'process' || name === 'fake') return name;
	fail(`--runtime: there is no runtime "${name}"; use process or fake`);
	return undefined;
}

function wholeNumber(
	text: string,
	{ name, max }: { readonly name: string; readonly max: number },
): number | undefined {
	const value = Number(text);
	if (text !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value;
	fail(`${name}: must be a whole number from 0 to ${max}, not "${text}"`);
	return undefined;
}

/** What to tell somebody whose server does not start. */
function explain(
	error: unknown,
	{ folder, port }: { readonly folder: string; readonly port: number },
): string {
	if (error instanceof StoreLockedError) {
		return `the data folder ${folder} is in use by another stint server; stop that one, or choose another with --data-dir`;
	}
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	if (code === 'EADDRINUSE') {
		return `port ${port} on 127.0.0.1 is in use; choose another with --port (0 takes any that is free)`;
	}
	if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
		return `the data folder ${folder} cannot be written: ${error}`;
	return error instanceof Error ? error.message : String(error);
}

function fail(message: string): void {
	process.stderr.write(`stint: ${message}\n`);
	process.exitCode = 1;
}
