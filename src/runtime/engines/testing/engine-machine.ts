/** The harness of the contract for engines. All machines of a test file share its engine, each with its own folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../../base/clock.ts';
import type { Runtime } from '../../contract.ts';
import { BUSYBOX_PROGRAMS } from '../../testing/busybox-programs.ts';
import type { RuntimeHarness } from '../../testing/contract-machine.ts';
import { echoingPorts } from '../../testing/echoing-ports.ts';
import type { EngineRuntimeOptions } from '../engine-runtime.ts';

/** A machine whose containers an engine runs. */
export interface EngineMachine<Connected extends Runtime> extends RuntimeHarness {
	/** The folder of the runtime. */
	readonly folder: string;
	connect(): Connected;
	/** The errors that no call rejected with. */
	readonly errors: readonly unknown[];
}

/** What a machine is made of. */
export interface EngineMachineParts<Connected extends Runtime> {
	readonly daemon: { readonly socketPath: string; crash(): Promise<void> };
	/** The name of an image that the engine has already. */
	readonly known: string;
	runtimeWith(options: EngineRuntimeOptions): Connected;
}

/** Opens a machine. */
export function openEngineMachine<Connected extends Runtime>({
	daemon,
	known,
	runtimeWith,
}: EngineMachineParts<Connected>): EngineMachine<Connected> {
	const root = mkdtempSync(join(tmpdir(), 'stint-engine-'));
	const folder = join(root, 'runtime');
	const errors: unknown[] = [];
	let connected: Connected | undefined;
	return {
		folder,
		errors,
		connect: () => {
			const onError = (error: unknown): void => void errors.push(error);
			const clock = new SystemClock({ keepsAlive: true });
			connected = runtimeWith({ folder, socketPath: daemon.socketPath, clock, onError });
			return connected;
		},
		crash: () => daemon.crash(),
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
