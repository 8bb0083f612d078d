import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LauncherLock } from './launcher-lock.ts';
import { identify } from './process-table.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-lock-'));
after(() => rmSync(folder, { recursive: true }));
const self = identify(process.pid, Date.now());

test('who holds the lock keeps others out until it lets go', () => {
	const path = join(folder, 'held');
	const lock = LauncherLock.take(path, self);
	assert.ok(lock);
	assert.equal(LauncherLock.take(path, { ...self, pid: process.ppid }), undefined);
	lock.release();
	assert.ok(LauncherLock.take(path, self));
});

test('a holder that has ended loses it, and so does one whose pid belongs to another process now', async () => {
	const path = join(folder, 'stale');
	const child = spawn('sleep', ['1000']);
	const identity = identify(child.pid ?? 0, Date.now());
	assert.ok(LauncherLock.take(path, identity));
	assert.equal(LauncherLock.take(path, self), undefined);
	child.kill('SIGKILL');
	await once(child, 'exit');
	assert.ok(LauncherLock.take(path, { ...self, start: 'another', startedAt: 0 }));
	assert.ok(LauncherLock.take(path, self));
	assert.deepEqual(
		readdirSync(folder).filter((name) => name.startsWith('stale.')),
		[],
	);
});

test('a lock that says nothing is taken over', () => {
	const path = join(folder, 'empty');
	writeFileSync(path, '');
	assert.ok(LauncherLock.take(path, self));
});
