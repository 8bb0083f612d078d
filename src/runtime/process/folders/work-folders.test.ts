import assert from 'node:assert/strict';
import {
	chmodSync,
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { WorkFolders } from './work-folders.ts';

const root = mkdtempSync(join(tmpdir(), 'stint-folders-'));
after(() => rmSync(root, { recursive: true }));

function open(name: string, ...inUse: readonly string[]): Promise<WorkFolders> {
	return WorkFolders.open(join(root, name), new Set(inUse), (error) => assert.fail(String(error)));
}

test('each caller gets an empty folder of its own, in which every user of its sandbox may write', async () => {
	const folders = await open('own');
	const [one, other] = [folders.take(), folders.take()];
	assert.notEqual(one, other);
	assert.deepEqual(readdirSync(folders.pathOf(one)), []);
	assert.equal(statSync(folders.pathOf(one)).mode & 0o777, 0o777);
});

test('a folder returned empty is reused, one with files is removed', async () => {
	const folders = await open('again');
	const clean = folders.take();
	chmodSync(folders.pathOf(clean), 0o500);
	await folders.release(clean);
	assert.equal(folders.take(), clean);
	assert.equal(statSync(folders.pathOf(clean)).mode & 0o777, 0o777);
	mkdirSync(join(folders.pathOf(clean), 'deep'));
	writeFileSync(join(folders.pathOf(clean), 'deep', 'file'), 'x');
	await folders.release(clean);
	assert.equal(existsSync(folders.pathOf(clean)), false);
	assert.notEqual(folders.take(), clean);
});

test('after a restart folders in use stay, the others are removed, and no name is used twice', async () => {
	const base = join(root, 'restart');
	const before = await open('restart');
	const [kept, dropped] = [before.take(), before.take()];
	const folders = await open('restart', kept);
	assert.deepEqual(readdirSync(base), [kept]);
	assert.equal(existsSync(join(base, dropped)), false);
	const next = folders.take();
	assert.notEqual(next, kept);
	assert.deepEqual(readdirSync(folders.pathOf(next)), []);
});

test('folders and files with other names are not removed', async () => {
	const base = join(root, 'foreign');
	for (const name of ['7', 'notes', '1e3', '-1']) mkdirSync(join(base, name, 'deep'), { recursive: true });
	await open('foreign');
	assert.deepEqual(readdirSync(base).sort(), ['-1', '1e3', 'notes']);
});

test('a link in place of the base folder is refused, and nothing is removed through it', async () => {
	const elsewhere = join(root, 'elsewhere');
	mkdirSync(join(elsewhere, '0'), { recursive: true });
	symlinkSync(elsewhere, join(root, 'link'));
	await assert.rejects(open('link'), /is a symbolic link/);
	assert.deepEqual(readdirSync(elsewhere), ['0']);
});

test('a folder that a container has replaced by a link is not reused', async () => {
	const folders = await open('swapped');
	const name = folders.take();
	const elsewhere = join(root, 'empty');
	mkdirSync(elsewhere);
	rmSync(folders.pathOf(name), { recursive: true });
	symlinkSync(elsewhere, folders.pathOf(name));
	await folders.release(name);
	assert.ok(existsSync(elsewhere));
	assert.equal(lstatSync(folders.pathOf(folders.take())).isDirectory(), true);
});
