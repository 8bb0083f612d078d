/** A machine with a launcher of its own in a temporary folder, for the tests of this folder. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../../base/clock.ts';
import type { RuntimeHarness } from '../contract-suite.ts';
import type { ContainerConfig } from '../runtime.ts';
import { ImageTable } from './image-table.ts';
import { ProcessRuntime } from './process-runtime.ts';
import type { ProcessIdentity } from './process-table.ts';

/** What the tests of host processes need beyond the contract's. */
export interface HostHarness extends RuntimeHarness {
	readonly folder: string;
	connect(options?: { readonly logMaxBytes?: number }): ProcessRuntime;
	/** The process id of the launcher that runs now. */
	launcherPid(): number;
	/** A container that runs a shell script. */
	script(text: string, more?: Partial<ContainerConfig>): ContainerConfig;
}

/** Opens such a machine; nothing runs there yet. */
export function openHost(): HostHarness {
	const root = mkdtempSync(join(tmpdir(), 'stint-runtime-'));
	const folder = join(root, 'launcher');
	let connected: ProcessRuntime | undefined;
	const launcherPid = (): number => {
		// What LauncherLock has written there.
		const holder = JSON.parse(readFileSync(join(folder, 'launcher.lock'), 'utf8')) as ProcessIdentity;
		return holder.pid;
	};
	const sh = (text: string): readonly string[] => ['sh', '-c', text];
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
			connected = new ProcessRuntime({ ...common, ...options });
			return connected;
		},
		crash: async () => {
			process.kill(launcherPid(), 'SIGKILL');
		},
		passTime: () => new Promise((resolve) => setImmediate(resolve)),
		readLog: (path) => readFile(path, 'utf8').catch(() => ''),
		script: (text, more = {}) => ({
			name: 'main',
			attempt: 0,
			image: 'busybox',
			command: sh(text),
			args: [],
			env: [],
			workingDir: '',
			logPath: logPath('main'),
			stdin: false,
			tty: false,
			...more,
		}),
		programs: {
			succeeds: ['/bin/true'],
			failsWith3: sh('exit 3'),
			runsForEver: ['sleep', '1000000'],
			ignoresTerm: sh('trap "" TERM; echo ready; while :; do sleep 1000; done'),
			talks: sh('echo out; echo err >&2'),
			writesLongLine: sh("head -c 65536 /dev/zero | tr '\\0' x"),
			leavesChild: sh('while :; do echo child; done & echo main'),
			isMissing: ['no-such-program-anywhere'],
		},
		images: {
			known: 'gcr.io/kuar-demo/kuard-amd64:blue',
			unknown: 'example.com/nobody/knows:1',
			malformed: 'Not An Image',
		},
		close: async () => {
			await connected?.stop({ killAll: true });
			rmSync(root, { recursive: true, force: true, maxRetries: 10 });
		},
	};
}
