import assert from 'node:assert/strict';
import {
	chmodSync,
	existsSync,
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
import test, { type TestContext } from 'node:test';
import { volumeFolders } from './volume-folders.ts';

function open(t: TestContext) {
	const base = mkdtempSync(join(tmpdir(), 'stint-volumes-'));
	t.after(() => rmSync(base, { recursive: true, force: true }));
	const root = join(base, 'volumes');
	mkdirSync(root);
	const outside = join(base, 'outside');
	mkdirSync(outside);
	writeFileSync(join(outside, 'kept'), 'x');
	return { root, outside, folders: volumeFolders(root, { current: undefined }) };
}

test('a folder is made with mode 0777 whatever the umask is, and twice', async (t) => {
	const { root, folders } = open(t);
	assert.equal(await folders.make('pvc-1_default_c'), join(root, 'pvc-1_default_c'));
	const path = await folders.make('pvc-1_default_c');
	assert.equal(statSync(path).mode & 0o7777, 0o777);
});

test('removing a folder follows no symbolic link out of it, and leaves nothing behind', async (t) => {
	const { root, outside, folders } = open(t);
	const path = await folders.make('a');
	symlinkSync(outside, join(path, 'link'));
	mkdirSync(join(path, 'locked'));
	writeFileSync(join(path, 'locked', 'file'), 'x');
	chmodSync(join(path, 'locked'), 0);
	await folders.remove('a');
	await folders.remove('a');
	assert.deepEqual(readdirSync(root), []);
	assert.ok(existsSync(join(outside, 'kept')));
});

test('a symbolic link in place of the folder is removed, and not what it points to', async (t) => {
	const { root, outside, folders } = open(t);
	symlinkSync(outside, join(root, 'a'));
	await folders.remove('a');
	assert.deepEqual(readdirSync(root), []);
	assert.ok(existsSync(join(outside, 'kept')));
});

test('a removal that was interrupted is completed', async (t) => {
	const { root, folders } = open(t);
	mkdirSync(join(root, '.removed-a', 'b'), { recursive: true });
	await folders.remove('a');
	assert.deepEqual(readdirSync(root), []);
});

test('names that are not a single component are refused', async (t) => {
	const { folders } = open(t);
	for (const name of ['', '.', '..', 'a/b', '../outside', '/etc', '.removed-a']) {
		await assert.rejects(async () => folders.remove(name), /is not a folder name/);
		await assert.rejects(async () => folders.make(name), /is not a folder name/);
	}
});

test('a runtime removes what its containers have written', async (t) => {
	const { root } = open(t);
	const removed: string[] = [];
	const files = { current: { remove: async (path: string) => void removed.push(path) } };
	const folders = volumeFolders(root, files);
	await folders.make('v');
	await folders.remove('v');
	assert.deepEqual(removed, [join(root, '.removed-v'), join(root, '.removed-v')]);
});
