import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SystemClock } from '../../base/clock.ts';
import { testFolder } from '../testing/trees.ts';
import { FileLock } from './file-lock.ts';

const CLOCK = new SystemClock({ keepsAlive: true });

test('a lock is held by one, and waits can be aborted', async (t) => {
	const path = join(testFolder(t), 'lock');
	const lock = FileLock.tryAcquire(path);
	assert.ok(lock);
	assert.equal(FileLock.tryAcquire(path), undefined);
	const controller = new AbortController();
	const aborted = FileLock.acquire(path, CLOCK, controller.signal);
	controller.abort(new Error('stopped'));
	await assert.rejects(aborted, /stopped/);
	const waiting = FileLock.acquire(path, CLOCK);
	lock.release();
	(await waiting).release();
	FileLock.tryAcquire(path)?.release();
	assert.equal(statSync(path).size, 0);
	assert.throws(() => FileLock.tryAcquire(join(path, 'below')), { code: 'ERR_SQLITE_ERROR' });
});

test('the lock of a killed process is free', async (t) => {
	const path = join(testFolder(t), 'lock');
	const module = JSON.stringify(join(import.meta.dirname, 'file-lock.ts'));
	const code = `import { FileLock } from ${module}; FileLock.tryAcquire(${JSON.stringify(path)});
		process.stdout.write('held'); setInterval(() => {}, 1000);`;
	const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	t.after(() => child.kill('SIGKILL'));
	await once(child.stdout, 'data');
	assert.equal(FileLock.tryAcquire(path), undefined);
	child.kill('SIGKILL');
	await once(child, 'exit');
	const lock = FileLock.tryAcquire(path);
	assert.ok(lock);
	lock.release();
});
