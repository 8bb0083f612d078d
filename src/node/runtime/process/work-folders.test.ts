import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { WorkFolders } from './work-folders.ts';

const root = mkdtempSync(join(tmpdir(), 'stint-folders-'));
after(() => rmSync(root, { recursive: true }));

test('each taker gets an empty folder of its own, for its user only', () => {
	const folders = new WorkFolders(join(root, 'own'), new Set());
	const [one, other] = [folders.take(), folders.take()];
	assert.notEqual(one, other);
	assert.deepEqual(readdirSync(folders.pathOf(one)), []);
	assert.equal(statSync(folders.pathOf(one)).mode & 0o777, 0o700);
});

test('one that is given back empty is used again, one with files is removed', async () => {
	const folders = new WorkFolders(join(root, 'again'), new Set());
	const clean = folders.take();
	await folders.release(clean);
	assert.equal(folders.take(), clean);
	mkdirSync(join(folders.pathOf(clean), 'deep'));
	writeFileSync(join(folders.pathOf(clean), 'deep', 'file'), 'x');
	await folders.release(clean);
	assert.equal(existsSync(folders.pathOf(clean)), false);
	assert.notEqual(folders.take(), clean);
});

test('after a restart folders in use stay, others go, and new names are new', () => {
	const base = join(root, 'restart');
	const before = new WorkFolders(base, new Set());
	const [kept, dropped] = [before.take(), before.take()];
	const folders = new WorkFolders(base, new Set([kept]));
	assert.deepEqual(readdirSync(base), [kept]);
	assert.equal(existsSync(join(base, dropped)), false);
	const next = folders.take();
	assert.notEqual(next, kept);
	assert.deepEqual(readdirSync(folders.pathOf(next)), []);
});
