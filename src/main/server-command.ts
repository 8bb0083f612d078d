import { resolve } from 'node:path';
import type { Command, Option } from 'commander';
import { SystemClock } from '../base/clock.ts';
import { systemReason } from '../base/files/folders.ts';
import { UnusablePathError } from '../base/files/private-files.ts';
import { codeOf } from '../base/files/system-error.ts';
import { PartError, StoppedError } from '../base/lifecycle.ts';
import { messageOf } from '../base/message-of.ts';
import { RUNTIME_VARIABLE, type RuntimeChoice, runtimeNamed } from '../cli/runtime-name.ts';
import {
	DEFAULT_EVICTION_HARD,
	parseSoftThresholds,
	parseThresholds,
	type Threshold,
	ThresholdError,
	withMinimumReclaim,
} from '../plan/eviction/thresholds.ts';
import { DEFAULT_ENDED_PODS_LIMIT } from '../plan/pod-garbage/ended-pods.ts';
import { addressRangeOf } from '../plan/services/allocation/ranges.ts';
import { DEFAULT_POD_RANGE } from '../runtime/process/network/pod-range.ts';
import { StoreLockedError } from '../store/store.ts';
import { continueWithoutOutput, type EndSignal, onEndSignal } from './interruptions.ts';
import { type Log, openLog } from './log.ts';
import { onOwnLine } from './own-line.ts';
import { type DataFolder, dataFolder, defaultDataPath } from './server/data-folder.ts';
import { podNetworkOf } from './server/pod-network-flags.ts';
import type { RunningServer, ServerOptions } from './server/server.ts';

interface Flags {
	readonly dataDir: string;
	readonly port: string;
	readonly runtime: string;
	readonly runtimeEndpoint?: string;
	readonly imageDir?: string;
	readonly registry?: string;
	readonly maxPods: string;
	readonly podMaxPids: string;
	readonly podNetwork: string;
	readonly podCidr: string;
	readonly evictionHard: string;
	readonly evictionSoft: string;
	readonly evictionSoftGracePeriod: string;
	readonly evictionMaxPodGracePeriod: string;
	readonly evictionMinimumReclaim: string;
	readonly terminatedPodGcThreshold: string;
	readonly serviceClusterIpRange?: string;
	readonly allowPrivileged?: boolean;
	readonly discardDamaged?: boolean;
}

/** The port of a Kubernetes API server. */
const DEFAULT_PORT = 6443;

/** The kubelet's own limit. */
const DEFAULT_MAX_PODS = 110;

/** Registers `stint server`. */
export function registerServerCommand(program: Command): void {
	const command = program.command('server');
	const numeric = (flags: string, description: string, value: number): Option =>
		// commander prints a default that is a string in quotes unless it has a description.
		command.createOption(flags, description).default(String(value), String(value));
	command
		.description('serve the Kubernetes API for Jobs and run their Pods on this machine')
		.option('--data-dir <dir>', 'folder for database, credentials and logs', defaultDataPath(process.env))
		.addOption(
			numeric('--port <number>', 'port to listen on at 127.0.0.1; 0 for any free port', DEFAULT_PORT),
		)
		.option(
			'--runtime <name>',
			'container runtime: process (host processes), sandbox (images, without an engine), docker (Docker or Podman), cri (containerd or CRI-O), auto (the first of sandbox, docker and process that this machine allows) or fake (simulates containers); STINT_RUNTIME sets the default',
			process.env[RUNTIME_VARIABLE] || 'process',
		)
		.option('--runtime-endpoint <socket>', 'socket of the container engine, for --runtime docker and cri')
		.option(
			'--image-dir <dir>',
			'folder of images, for --runtime sandbox (default: images in the data folder)',
		)
		.option(
			'--registry <port>',
			'serve a registry too, to which docker push brings images: the port at 127.0.0.1; 0 for any free port',
		)
		.addOption(numeric('--max-pods <number>', 'number of Pods that can run at once', DEFAULT_MAX_PODS))
		.addOption(numeric('--pod-max-pids <number>', 'processes that a Pod may have; 0 for no limit', 0))
		.option(
			'--pod-network <mode>',
			'whose network Pods have: that of this machine (host), their own (pod), or their own where possible (auto)',
			'host',
		)
		.option('--pod-cidr <range>', 'addresses of Pods with networks of their own', DEFAULT_POD_RANGE)
		.addOption(
			numeric(
				'--terminated-pod-gc-threshold <number>',
				'number of finished Pods above which the oldest are deleted; 0 for no limit',
				DEFAULT_ENDED_PODS_LIMIT,
			),
		)
		.option(
			'--service-cluster-ip-range <cidr>',
			'IPv4 addresses of Services, such as 10.96.0.0/16 (default: loopback addresses that depend on the data folder, or 10.96.0.0/16 with --pod-network pod)',
		)
		.option('--allow-privileged', 'allow privileged containers')
		.option('--discard-damaged', 'delete stored objects that cannot be read, instead of refusing to start')
		.action((flags: Flags) => serve(flags));
	addEvictionOptions(command);
}

/** Adds the options of evictions, in the kubelet's words. */
function addEvictionOptions(command: Command): void {
	const list = (flags: string, description: string, none: string): Option =>
		command.createOption(flags, description).default('', none);
	command
		.addOption(
			command
				.createOption('--eviction-hard <list>', 'when Pods are evicted; empty: never by want of resources')
				.default(DEFAULT_EVICTION_HARD, 'as a kubelet'),
		)
		.addOption(
			list(
				'--eviction-soft <list>',
				'when Pods are evicted after a grace period, and may take theirs',
				'never',
			),
		)
		.addOption(
			list(
				'--eviction-soft-grace-period <list>',
				'how long each soft threshold must be met, such as memory.available=1m30s',
				'none',
			),
		)
		.addOption(
			command
				.createOption(
					'--eviction-max-pod-grace-period <seconds>',
					'the most that a Pod evicted by a soft threshold gets to end; 0 for what it asks for',
				)
				.default('0', '0'),
		)
		.addOption(
			list(
				'--eviction-minimum-reclaim <list>',
				'what more must be free before evictions end, such as nodefs.available=5%',
				'nothing',
			),
		);
}

/**
 * Runs a server until a signal or a failure stops it. It sets `process.exitCode` instead of exiting, so that
 * buffered output is still written.
 */
async function serve(flags: Flags): Promise<void> {
	const numbers = numbersOf(flags);
	const choice = runtimeOf(flags.runtime);
	const { serviceClusterIpRange } = flags;
	const serviceRange =
		serviceClusterIpRange === undefined ? undefined : addressRangeOf(serviceClusterIpRange);
	if (serviceClusterIpRange !== undefined && !serviceRange) return fail(notARange(serviceClusterIpRange));
	const evictionThresholds = thresholdsIn(flags);
	if (!numbers || !choice || !evictionThresholds) return;
	const runtime = choice.name;
	const network = podNetworkOf(flags, runtime);
	if ('problem' in network) return fail(network.problem);
	if (flags.dataDir === '') return fail('--data-dir: must not be empty');
	const misplaced = misplacedFlag(flags, choice);
	if (misplaced !== undefined) return fail(misplaced);
	const { runtimeEndpoint = choice.endpoint } = flags;
	const folder = folderOf(flags);
	const log = openLog(new SystemClock());
	// Before the start: a signal during the start must stop the parts that were started, not kill the process.
	const stop = stopOnSignal(log);
	let server: RunningServer;
	try {
		// Imported here, so that the other commands do not load the server.
		const { startServer } = await import('./server/server.ts');
		const { discardDamaged = false, allowPrivileged = false } = flags;
		const range = serviceRange && { serviceRange };
		const rules = { evictionThresholds, ...range, discardDamaged, allowPrivileged };
		const endpoint = runtimeEndpoint !== undefined && { runtimeEndpoint };
		const options = {
			folder,
			runtime,
			...endpoint,
			...numbers,
			...rules,
			...network,
			log,
			signal: stop.signal,
		};
		server = await startServer({ ...options, storage: 'disk' });
	} catch (error) {
		if (!(error instanceof StoppedError)) fail(explain(error, { folder: folder.path, port: numbers.port }));
		else process.exitCode = stop.exitCode();
		return;
	}
	// An uncaught error may leave a part in an undefined state, so the server stops in order and does not
	// continue.
	for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, server.fail);
	const ready = `stint is ready at ${server.url}\n  export KUBECONFIG=${folder.kubeconfig}\n`;
	process.stdout.write(onOwnLine(process.stdout, ready));
	const failure = await server.ended;
	log.info(`stopped${failure ? ' because of an error' : ''}; running Pods continue to run`);
	process.exitCode = failure ? FAILED : stop.exitCode();
}

/** What is wrong with a flag that only one runtime has; undefined: nothing. */
function misplacedFlag(
	{ runtimeEndpoint, imageDir }: Flags,
	{ name: runtime, endpoint }: RuntimeChoice,
): string | undefined {
	if (runtimeEndpoint !== undefined && runtime !== 'docker' && runtime !== 'cri')
		return `--runtime-endpoint: the runtime ${runtime} has no endpoint; use it with --runtime docker or cri`;
	if (runtimeEndpoint !== undefined && endpoint !== undefined)
		return '--runtime-endpoint: --runtime names an endpoint already';
	if (imageDir !== undefined && runtime !== 'sandbox' && runtime !== 'auto')
		return `--image-dir: the runtime ${runtime} has no folder of images; use it with --runtime sandbox`;
	return imageDir === '' ? '--image-dir: must not be empty' : undefined;
}

function notARange(text: string): string {
	return `--service-cluster-ip-range: must be an IPv4 range with a prefix of 8 to 30 bits, such as 10.96.0.0/16, not "${text}"`;
}

function folderOf({ dataDir, imageDir }: Flags): DataFolder {
	const folder = dataFolder(dataDir);
	return imageDir === undefined ? folder : { ...folder, imageStore: resolve(imageDir) };
}

/** The numbers among the flags; undefined, after reporting the error, if one is invalid. */
function numbersOf(
	flags: Flags,
):
	| (Pick<ServerOptions, 'maxPods' | 'endedPodsLimit' | 'podMaxPids' | 'registryPort'> & { port: number })
	| undefined {
	const port = wholeNumber(flags.port, { name: '--port', max: 65_535 });
	const maxPods = wholeNumber(flags.maxPods, { name: '--max-pods', max: 1_000_000 });
	const podMaxPids = wholeNumber(flags.podMaxPids, { name: '--pod-max-pids', max: 2 ** 22 });
	const threshold = { name: '--terminated-pod-gc-threshold', max: 2 ** 31 - 1 };
	const endedPodsLimit = wholeNumber(flags.terminatedPodGcThreshold, threshold);
	if (port === undefined || maxPods === undefined) return undefined;
	if (podMaxPids === undefined || endedPodsLimit === undefined) return undefined;
	const numbers = { port, maxPods, podMaxPids, endedPodsLimit };
	if (flags.registry === undefined) return numbers;
	const registryPort = wholeNumber(flags.registry, { name: '--registry', max: 65_535 });
	return registryPort === undefined ? undefined : { ...numbers, registryPort };
}

/** The exit code of a server that could not start, or of which a part failed. */
const FAILED = 1;

/** The exit code of the server per signal that stopped it, as documented in docs/server.md. */
const EXIT_CODES: Readonly<Record<EndSignal, number>> = {
	SIGTERM: 0,
	SIGHUP: 129,
	SIGINT: 130,
};

interface Stop {
	/** Aborts at the first signal. */
	readonly signal: AbortSignal;
	/** The exit code for the signal that the process received. */
	exitCode(): number;
}

/**
 * Makes the first SIGTERM, SIGINT or SIGHUP stop the server, and the second one end the process at once,
 * which loses no data: acknowledged writes are on disk. A lost standard output does not stop the server.
 */
function stopOnSignal(log: Log): Stop {
	const stop = new AbortController();
	let first: EndSignal = 'SIGTERM';
	continueWithoutOutput();
	onEndSignal((by) => {
		if (stop.signal.aborted) process.exit(EXIT_CODES[first]);
		first = by;
		log.info(`stopping: received ${by}`);
		stop.abort();
	});
	return { signal: stop.signal, exitCode: () => EXIT_CODES[first] };
}

/** The runtime of --runtime; undefined, after reporting the error, if there is no such runtime. */
function runtimeOf(name: string): RuntimeChoice | undefined {
	try {
		return runtimeNamed(name, '--runtime');
	} catch (error) {
		fail(messageOf(error));
		return undefined;
	}
}

/** The thresholds of the flags; undefined, after reporting the error, if one of them is invalid. */
function thresholdsIn(flags: Flags): readonly Threshold[] | undefined {
	const maxPodGraceSeconds = wholeNumber(flags.evictionMaxPodGracePeriod, {
		name: '--eviction-max-pod-grace-period',
		max: 2 ** 31 - 1,
	});
	if (maxPodGraceSeconds === undefined) return undefined;
	let flag = '--eviction-hard';
	try {
		const hard = parseThresholds(flags.evictionHard);
		flag = '--eviction-soft, --eviction-soft-grace-period';
		const periods = { gracePeriods: flags.evictionSoftGracePeriod, maxPodGraceSeconds };
		const soft = parseSoftThresholds(flags.evictionSoft, periods);
		flag = '--eviction-minimum-reclaim';
		return withMinimumReclaim([...hard, ...soft], flags.evictionMinimumReclaim);
	} catch (error) {
		if (!(error instanceof ThresholdError)) throw error;
		fail(`${flag}: ${error.message}`);
		return undefined;
	}
}

/** Parses an integer from 0 to `max`; undefined, after reporting the error, if it is not one. */
function wholeNumber(
	text: string,
	{ name, max }: { readonly name: string; readonly max: number },
): number | undefined {
	const value = Number(text);
	if (text !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value;
	fail(`${name}: must be a whole number from 0 to ${max}, not "${text}"`);
	return undefined;
}

/** The message for the user if the server cannot start: the reason, and how to fix it. */
function explain(
	failure: unknown,
	{ folder, port }: { readonly folder: string; readonly port: number },
): string {
	const error = failure instanceof PartError ? failure.cause : failure;
	if (error instanceof StoreLockedError) {
		return `the data folder ${folder} is in use by another stint server; stop that one, or choose another with --data-dir`;
	}
	if (error instanceof UnusablePathError) {
		const elsewhere = error.path === folder ? '; choose another with --data-dir' : '';
		return `the data folder cannot be used: ${error.message}${elsewhere}`;
	}
	// The order of the checks matters: EACCES without a path is about the port, with a path about the data folder.
	const code = codeOf(error);
	if (code === 'EADDRINUSE') {
		return `port ${port} on 127.0.0.1 is in use; choose another with --port (0 for any free port)`;
	}
	if (error instanceof Error && /^E[A-Z]+$/.test(code) && 'path' in error && 'syscall' in error)
		return `the data folder ${folder} cannot be used: ${error.path}: ${systemReason(error)}`;
	if (code === 'EACCES')
		return `port ${port} on 127.0.0.1 requires privileges that this user does not have; choose another with --port`;
	return messageOf(error);
}

/** Reports an error and sets the exit code. The process exits once its output is flushed. */
function fail(message: string): void {
	process.stderr.write(`error: ${message}\n`);
	process.exitCode = 1;
}
