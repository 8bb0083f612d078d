/** A machine with a launcher of its own in a temporary folder, for the tests of this folder. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import { SystemClock } from '../../../base/clock.ts';
import type { Runtime, RuntimeContainer } from '../../contract.ts';
import { containerConfig, sandboxConfig } from '../../testing/configs.ts';
import type { RuntimeHarness } from '../../testing/contract-machine.ts';
import { echoingPorts } from '../../testing/echoing-ports.ts';
import { ImageTable } from '../images/image-table.ts';
import type { ProcessIdentity } from '../launcher/process-table.ts';
import { ProcessRuntime, type ProcessRuntimeOptions } from '../process-runtime.ts';

import { probeMachine } from '../shim/probe.ts';
import { shimFile } from '../shim/shim-file.ts';

/** The harness of the contract, with more for the tests of host processes. */
export interface HostHarness extends RuntimeHarness {
	readonly folder: string;
	connect(
		options?: Pick<ProcessRuntimeOptions, 'logMaxBytes' | 'podMaxPids' | 'serviceRange'>,
	): ProcessRuntime;
	/** The pid of the running launcher. */
	launcherPid(): number;
	/** A container that runs a shell script. */
	script(text: string, more?: Partial<ContainerConfig>): ContainerConfig;
}

const LOOK_INTERVAL_MS = 2;

/**
 * Prints each size of its terminal that is not 0 0, the first one. A size that was set before the trap sends no signal
 * to it, so the program looks once after it.
 */
const PRINT_SIZES = 'trap "stty size" WINCH; stty size | grep -v "^0 0"; while :; do sleep 0.05; done';

const HAS_BOXES = (await probeMachine(shimFile())).level !== 'none';

/** Creates such a machine, without a launcher. */
export function openHost(how: Pick<ProcessRuntimeOptions, 'withoutShim' | 'podNetwork'> = {}): HostHarness {
	const mounts = HAS_BOXES && !how.withoutShim;
	const root = mkdtempSync(join(tmpdir(), 'stint-runtime-'));
	const folder = join(root, 'launcher');
	let connected: ProcessRuntime | undefined;
	const launcherPid = (): number => {
		// LauncherLock has written this file.
		const holder = JSON.parse(readFileSync(join(folder, 'launcher.lock'), 'utf8')) as ProcessIdentity;
		return holder.pid;
	};
	const logPath = (name: string): string => join(root, 'logs', `${name}.log`);
	return {
		folder,
		launcherPid,
		logPath,
		connect: (options = {}) => {
			const images = new ImageTable(join(root, 'images.yaml'));
			const onError = (error: unknown): void => {
				throw error;
			};
			const common = { folder, clock: new SystemClock(), images, version: 'test', onError };
			connected = new ProcessRuntime({ ...common, ...how, ...options });
			return connected;
		},
		outlivesCrash: !how.withoutShim && process.platform === 'linux',
		crash: async () => {
			process.kill(launcherPid(), 'SIGKILL');
		},
		passTime: nextLook,
		readLog: (path) => readFile(path, 'utf8').catch(() => ''),
		script: (text, more = {}) => ({ ...shellScript(text, logPath('main')), ...more }),
		programs: {
			succeeds: ['/bin/true'],
			failsWith3: sh('exit 3'),
			runsForEver: ['sleep', '1000000'],
			ignoresTerm: sh('trap "" TERM; echo ready; while :; do sleep 1000; done'),
			talks: sh('echo out; echo err >&2'),
			writesLongLine: sh("head -c 65536 /dev/zero | tr '\\0' x"),
			leavesChild: sh('while :; do echo child; done & echo main'),
			isMissing: ['no-such-program-anywhere'],
			...(mounts && { writesMessage: sh('printf why > /dev/termination-log') }),
		},
		ports: echoingPorts,
		...(!how.withoutShim &&
			process.platform === 'linux' && {
				commands: {
					echoesInput: ['cat'],
					exitsWith3: sh('exit 3'),
					talks: sh('echo out; echo err >&2'),
					runsForEver: ['sleep', '1000000'],
					printsSizes: sh(PRINT_SIZES),
				},
				attachable: {
					echoesInput: ['cat'],
					printsSizes: sh(PRINT_SIZES),
					runsUntilStopped: ['sleep', '1000000'],
				},
			}),
		images: {
			known: 'gcr.io/kuar-demo/kuard-amd64:blue',
			unknown: 'example.com/not/known:1',
			malformed: 'Not An Image',
		},
		close: async () => {
			await connected?.stop({ killAll: true });
			rmSync(root, { recursive: true, force: true, maxRetries: 10 });
		},
	};
}

/** A container that runs a shell script. */
export function shellScript(text: string, logPath: string): ContainerConfig {
	return containerConfig({ command: sh(text), logPath });
}

function sh(text: string): readonly string[] {
	return ['sh', '-c', text];
}

/** The status of an exited container. */
export type Exited = RuntimeContainer & { readonly state: 'exited' };

/** A started container and its exit. */
export interface Started {
	readonly status: RuntimeContainer;
	readonly exit: Promise<Exited>;
}

/** Starts a container in the first sandbox of `pod`. */
export async function start(runtime: Runtime, config: ContainerConfig, pod = 'a'): Promise<Started> {
	// Without process namespaces of their own, so that a test finds the processes whose numbers they print.
	const namespaces = { network: 'pod', ipc: 'pod', pid: 'node', user: 'node' } as const;
	const sandbox = await runtime.runSandbox(sandboxConfig(pod, { hostname: `host-${pod}`, namespaces }));
	const { id } = await runtime.createContainer(sandbox.id, config);
	const exit = exitOf(runtime, id);
	return { status: await runtime.startContainer(id), exit };
}

/** Runs a container to its end. */
export async function run(runtime: Runtime, config: ContainerConfig, pod = 'a'): Promise<Exited> {
	const { exit } = await start(runtime, config, pod);
	return await exit;
}

/** Resolves to the exit of a container when the runtime reports it. */
export function exitOf(runtime: Runtime, id: string): Promise<Exited> {
	return new Promise((resolve) => {
		const unsubscribe = runtime.subscribe(({ status }) => {
			if (status.id !== id || status.state !== 'exited') return;
			unsubscribe();
			resolve(status);
		});
	});
}

/** The output of a container: its log without the headers of the entries. */
export async function outputOf(machine: HostHarness, { logPath }: RuntimeContainer): Promise<string> {
	const log = await machine.readLog(logPath);
	return log.replaceAll(/^\S+ \w+ F (.*\n)/gm, '$1').replaceAll(/^\S+ \w+ P (.*)\n/gm, '$1');
}

/** Resolves when the process has exited; a zombie counts as exited. */
export async function untilGone(pid: number): Promise<void> {
	while (isAlive(pid)) await nextLook();
}

/** Waits between two looks at a file or process of the machine: a loop without it would take a processor from them. */
function nextLook(): Promise<void> {
	return pause(LOOK_INTERVAL_MS);
}

/** True if the process runs and is not a zombie. */
export function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
	} catch {
		return false;
	}
}
