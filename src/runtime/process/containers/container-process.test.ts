import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { LogTime } from '../../log-time.ts';
import { Sweeper } from '../folders/sweeper.ts';
import { DescriptorPool } from '../output/descriptor-pool.ts';
import { ContainerProcess } from './container-process.ts';

class FailingSweeper extends Sweeper {
	override sweepNow(): Promise<void> {
		return Promise.reject(FAILURE);
	}
}

const FAILURE = new Error('too many open files');

test('the exit is reported although the sweep for processes that hold its pipes fails', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'stint-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const clock = new SystemClock({ keepsAlive: true });
	const errors: unknown[] = [];
	const process = await ContainerProcess.start(
		{
			mark: 'mark',
			...{ box: undefined, tty: false, stdin: false, stdinOnce: false },
			stopSignal: 'SIGTERM',
			onRun: () => {},
			program: {
				argv: ['sh', '-c', 'setsid sleep 5 & echo out; exit 3'],
				env: { PATH: '/usr/bin:/bin' },
				workingDir: folder,
			},
			log: { path: join(folder, 'log'), maxBytes: 1_000_000, maxFiles: 2 },
		},
		{
			clock,
			logTime: new LogTime(clock, globalThis.process.hrtime.bigint),
			logDescriptors: new DescriptorPool(10),
			pipes: { take: async () => undefined, reopen: assert.fail, remove: () => {} },
			shim: undefined,
			sweeper: new FailingSweeper(clock, { onIdle: () => {}, onError: (error) => void errors.push(error) }),
			onError: (error) => void errors.push(error),
		},
	);
	assert.equal((await process.ended).exitCode, 3);
	assert.deepEqual(errors, [FAILURE]);
	assert.match(readFileSync(join(folder, 'log'), 'utf8'), /out/);
});
