import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { LogFiles } from './log-files.ts';

function open(t: test.TestContext): { root: string; files: LogFiles } {
	const root = mkdtempSync(join(tmpdir(), 'stint-log-files-'));
	t.after(() => rmSync(root, { recursive: true }));
	return { root, files: new LogFiles(root) };
}

function pod(name: string, uid: string): Pod {
	return { metadata: { name, namespace: 'n'.repeat(63), uid } } as unknown as Pod;
}

function write(path: string): void {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, 'text');
}

const UID = '0b1c6e0e-6c0f-4f0e-9a54-0d5f3c8e7a11';

test('Pods with the longest possible names have distinct paths that can be created', (t) => {
	const { files } = open(t);
	const paths = [UID, UID.replace('0', '1')].map((uid) => files.pathOf(pod('p'.repeat(253), uid), 'main', 0));
	for (const path of paths) write(path);
	const [one = '', two = ''] = paths.map((path) => basename(dirname(dirname(path))));
	assert.notEqual(one, two);
	assert.equal(one.length, 255);
	assert.ok(one.startsWith('n'.repeat(63)) && one.endsWith(UID));
});

test('a name that is not a plain file name is refused', (t) => {
	const { files } = open(t);
	for (const name of ['', '..', 'a/b', '.hidden', 'a\0b'])
		assert.throws(() => files.pathOf(pod('p', UID), name, 0), /is not a plain file name/);
});

test('sweep removes the logs of deleted Pods, and no folder with another name', async (t) => {
	const { root, files } = open(t);
	const paths = ['known', 'gone'].map((uid) => files.pathOf(pod('p', uid), 'main', 0));
	for (const path of paths) write(path);
	mkdirSync(join(root, 'own folder'));
	writeFileSync(join(root, 'notes_of_mine.txt'), 'text');
	await new LogFiles(root).sweep((uid) => uid !== 'gone');
	assert.deepEqual(paths.map(existsSync), [true, false]);
	assert.deepEqual(readdirSync(root).length, 3);
});

test('sweep finds the logs that an earlier agent has written by the UID', async (t) => {
	const { root, files } = open(t);
	const path = files.pathOf(pod('p', UID), 'main', 0);
	write(path);
	const later = new LogFiles(root);
	await later.sweep(() => true);
	await later.remove(UID);
	assert.deepEqual(readdirSync(root), []);
	await later.remove(UID);
});

test('the log of an attempt is removed with its rotated parts', async (t) => {
	const { files } = open(t);
	const path = (attempt: number): string => files.pathOf(pod('p', UID), 'main', attempt);
	const parts = [path(1), `${path(1)}.0000000000000000`, path(0), path(10), `${path(10)}.0000000000000007`];
	for (const part of parts) write(part);
	await files.removeAttempt(pod('p', UID), 'main', 1);
	assert.deepEqual(parts.map(existsSync), [false, false, true, true, true]);
	await files.removeAttempt(pod('q', 'other'), 'main', 1);
});
