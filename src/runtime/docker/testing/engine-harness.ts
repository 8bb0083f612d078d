/** The harness of the contract for an engine. All machines of a test file share its engine, each with its own folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../../base/clock.ts';
import { BUSYBOX_PROGRAMS } from '../../testing/busybox-programs.ts';
import type { RuntimeHarness } from '../../testing/contract-machine.ts';
import { echoingPorts } from '../../testing/echoing-ports.ts';
import { DockerRuntime } from '../docker-runtime.ts';
import type { EngineDaemon } from './engine-daemon.ts';

/** A machine whose containers an engine runs. */
export interface EngineHarness extends RuntimeHarness {
	/** The folder of the runtime. */
	readonly folder: string;
	connect(): DockerRuntime;
	/** The errors that no call rejected with. */
	readonly errors: readonly unknown[];
}

/** Opens a machine on the engine; the image `known` is there already. */
export function openMachine(engine: EngineDaemon, known: string): EngineHarness {
	const root = mkdtempSync(join(tmpdir(), 'stint-engine-'));
	const folder = join(root, 'runtime');
	const errors: unknown[] = [];
	let connected: DockerRuntime | undefined;
	return {
		folder,
		errors,
		connect: () => {
			const onError = (error: unknown): void => void errors.push(error);
			const clock = new SystemClock({ keepsAlive: true });
			connected = new DockerRuntime({ folder, socketPath: engine.socketPath, clock, onError });
			return connected;
		},
		crash: () => engine.crash(),
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
