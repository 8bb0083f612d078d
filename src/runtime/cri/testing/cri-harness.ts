/** The harness of the contract for containerd. All machines of a test file share it, each with its own folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../../base/clock.ts';
import { BUSYBOX_PROGRAMS } from '../../testing/busybox-programs.ts';
import type { RuntimeHarness } from '../../testing/contract-machine.ts';
import { echoingPorts } from '../../testing/echoing-ports.ts';
import { CriRuntime } from '../cri-runtime.ts';
import type { Containerd } from './containerd.ts';

/** A machine whose containers containerd runs. */
export interface CriHarness extends RuntimeHarness {
	/** The folder of the runtime. */
	readonly folder: string;
	connect(): CriRuntime;
	/** The errors that no call rejected with. */
	readonly errors: readonly unknown[];
}

/** Opens a machine; containerd has the image `known` already. */
export function openCriMachine(
	containerd: Containerd,
	known: string,
	settings: { readonly logMaxBytes?: number; readonly maxPids?: number } = {},
): CriHarness {
	const root = mkdtempSync(join(tmpdir(), 'stint-cri-'));
	const folder = join(root, 'runtime');
	const errors: unknown[] = [];
	let connected: CriRuntime | undefined;
	return {
		folder,
		errors,
		connect: () => {
			const onError = (error: unknown): void => void errors.push(error);
			const clock = new SystemClock({ keepsAlive: true });
			const { socketPath } = containerd;
			connected = new CriRuntime({ folder, socketPath, clock, onError, ...settings });
			return connected;
		},
		crash: () => containerd.crash(),
		outlivesCrash: true,
		tellsNoSignals: true,
		passTime: () => new Promise((resolve) => setImmediate(resolve)),
		logPath: (name) => join(root, 'logs', `${name}.log`),
		readLog: (path) => readFile(path, 'utf8').catch(() => ''),
		ports: echoingPorts,
		...BUSYBOX_PROGRAMS,
		images: { known, unknown: '127.0.0.1:1/not/known:1', malformed: 'Not An Image' },
		close: async () => {
			await connected?.stop({ killAll: true });
			rmSync(root, { recursive: true, force: true, maxRetries: 10 });
		},
	};
}
