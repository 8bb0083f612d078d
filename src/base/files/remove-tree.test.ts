import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { removeTree } from './remove-tree.ts';

const root = mkdtempSync(join(tmpdir(), 'stint-tree-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a folder is removed with its contents, and links in it are not followed', async () => {
	const outside = join(root, 'outside');
	mkdirSync(outside);
	writeFileSync(join(outside, 'file'), 'kept');
	const path = join(root, 'tree');
	mkdirSync(join(path, 'deep'), { recursive: true });
	symlinkSync(outside, join(path, 'deep', 'link'));
	await removeTree(path);
	assert.equal(existsSync(path), false);
	assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'kept');
	await removeTree(path);
});

test('trees of many entries, of large files and of deep folders are removed', async () => {
	const many = join(root, 'many');
	mkdirSync(many);
	for (let index = 0; index < 300; index++) writeFileSync(join(many, `${index}`), '');
	const large = join(root, 'large');
	mkdirSync(large);
	writeFileSync(join(large, 'first'), '');
	writeFileSync(join(large, 'rest'), Buffer.alloc(2 * 1024 * 1024));
	const deep = join(root, 'deep');
	mkdirSync(join(deep, ...Array.from({ length: 100 }, () => 'd')), { recursive: true });
	const file = join(root, 'file');
	writeFileSync(file, '');
	for (const path of [many, large, deep, file]) {
		await removeTree(path);
		assert.equal(existsSync(path), false, path);
	}
});

test('folders to which their owner has no rights are removed', async () => {
	const path = join(root, 'closed');
	// Root could remove them without the rights, so the test needs another user.
	const script = `
		const { removeTree } = await import(${JSON.stringify(new URL('./remove-tree.ts', import.meta.url))});
		const { chmodSync, existsSync, mkdirSync, writeFileSync } = await import('node:fs');
		mkdirSync(${JSON.stringify(join(path, 'a/b'))}, { recursive: true });
		writeFileSync(${JSON.stringify(join(path, 'a/b/file'))}, '');
		for (const name of ['a/b', 'a']) chmodSync(${JSON.stringify(path)} + '/' + name, 0);
		await removeTree(${JSON.stringify(path)});
		if (existsSync(${JSON.stringify(path)})) process.exitCode = 1;
	`;
	const isRoot = process.getuid?.() === 0;
	if (isRoot) execFileSync('chmod', ['777', root]);
	const user = isRoot ? { uid: 65534, gid: 65534 } : {};
	execFileSync(process.execPath, ['--input-type=module', '-e', script], { ...user, stdio: 'inherit' });
});
