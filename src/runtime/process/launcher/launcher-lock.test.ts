import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isLocked, LauncherLock, type LockHolder } from './launcher-lock.ts';
import { identify } from './process-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-lock-'));
after(() => rmSync(folder, { recursive: true }));
const self = { ...identify(process.pid, Date.now()), folder: 'here' };

function take(path: string, holder: LockHolder = self): LauncherLock {
	const lock = LauncherLock.take(path, holder);
	assert.ok(lock);
	return lock;
}

test('a running holder keeps other processes out until it releases the lock', () => {
	const path = join(folder, 'held');
	const lock = take(path);
	assert.ok(lock.isHeld && isLocked(path));
	assert.equal(LauncherLock.take(path, { ...self, pid: process.ppid }), undefined);
	lock.release();
	assert.ok(!lock.isHeld && !isLocked(path));
	take(path);
});

test('the lock of a process that has exited is stale, although another process has its pid', async () => {
	const path = join(folder, 'stale');
	const child = spawn('sleep', ['1000']);
	take(path, { ...identify(child.pid ?? 0, Date.now()), folder: 'here' });
	assert.equal(LauncherLock.take(path, self), undefined);
	child.kill('SIGKILL');
	await once(child, 'exit');
	take(path, { ...self, start: 'another', startedAt: 0 });
	take(path);
	assert.deepEqual(
		readdirSync(folder).filter((name) => name.startsWith('stale.')),
		[],
	);
});

test('a lock file that cannot be decoded is taken over', () => {
	for (const text of [
		'',
		'null',
		'[]',
		'{"pid":1,"startedAt":0}',
		'{"pid":-1,"startedAt":0}',
		'{"pid":"x"}',
	]) {
		const path = join(folder, 'damaged');
		writeFileSync(path, text);
		take(path).release();
	}
	const link = join(folder, 'link');
	symlinkSync('/dev/zero', link);
	take(link).release();
});

test('release does not remove the lock of another process', () => {
	const path = join(folder, 'replaced');
	const lock = take(path);
	writeFileSync(path, JSON.stringify({ ...self, pid: process.ppid, start: 'another' }));
	assert.equal(lock.isHeld, false);
	lock.release();
	assert.ok(existsSync(path));
});

test('a copied lock does not lock the copied folder', () => {
	const path = join(folder, 'copied');
	writeFileSync(path, JSON.stringify(self));
	take(path, { ...self, folder: 'a copy' }).release();
});

test('the lock is not written through a planted link', () => {
	const path = join(folder, 'planted');
	const target = join(folder, 'target');
	symlinkSync(target, `${path}.${process.pid}`);
	take(path).release();
	assert.equal(existsSync(target), false);
});
