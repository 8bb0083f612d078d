import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { makeFolders, systemReason } from './folders.ts';

test('a folder is created with its missing ancestors and the given mode, unless it exists', (t) => {
	const root = mkdtempSync(join(tmpdir(), 'stint-folders-'));
	t.after(() => rmSync(root, { recursive: true }));
	for (let time = 0; time < 2; time++) {
		makeFolders(join(root, 'a/b/c'), 0o700);
		for (const path of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(root, path)).mode & 0o777, 0o700);
	}
});

test('when a folder cannot be created, the error is thrown at once and names the path', {
	timeout: 10_000,
}, (t) => {
	const root = mkdtempSync(join(tmpdir(), 'stint-folders-'));
	t.after(() => rmSync(root, { recursive: true }));
	const file = join(root, 'file');
	writeFileSync(file, '');
	for (const [path, code] of [
		['/proc/nothing-here/below', 'ENOENT'],
		[file, 'ENOTDIR'],
		[join(file, 'below'), 'ENOTDIR'],
		['/dev/null/below', 'ENOTDIR'],
	] as const) {
		assert.throws(
			() => makeFolders(path, 0o700),
			(error: NodeJS.ErrnoException) => {
				assert.equal(error.code, code);
				return path.startsWith(String(error.path));
			},
		);
	}
});

test('the reason of a system error is given in words, without the name of the call', () => {
	try {
		readFileSync('/nonexistent');
		assert.fail();
	} catch (error) {
		assert.equal(systemReason(error), 'no such file or directory');
	}
	assert.equal(systemReason(new Error('anything')), 'anything');
	assert.equal(systemReason('text'), 'text');
});
