import assert from 'node:assert/strict';
import {
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	unlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AppendCalls, AppendFile, SYSTEM_CALLS } from './append-file.ts';
import { DescriptorPool } from './descriptor-pool.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-append-'));
after(() => rmSync(folder, { recursive: true }));

const lines = (...texts: readonly string[]): readonly Buffer[] => texts.map((text) => Buffer.from(text));

/** System calls of a disk with the given free space in bytes, which may run out in the middle of a batch. */
function disk(options: { takes: number; cuts?: boolean }): AppendCalls & { left: number } {
	const calls = {
		left: options.takes,
		writev: async (fd: number, batch: readonly Uint8Array[]): Promise<number> => {
			const bytes = Buffer.concat(batch).subarray(0, calls.left);
			if (bytes.length === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
			calls.left -= bytes.length;
			return await SYSTEM_CALLS.writev(fd, [bytes]);
		},
		ftruncate: async (fd: number, size: number): Promise<void> => {
			if (options.cuts === false) throw new Error('it cannot be truncated');
			await SYSTEM_CALLS.ftruncate(fd, size);
		},
	};
	return calls;
}

function open(name: string, calls: AppendCalls = SYSTEM_CALLS, pool = new DescriptorPool(1)) {
	const path = join(folder, name);
	return { path, file: new AppendFile(path, pool, calls) };
}

test('the file creates its folder and appends batches, also by short writes', async () => {
	const shortWrites: AppendCalls = {
		...SYSTEM_CALLS,
		writev: (fd, batch) => SYSTEM_CALLS.writev(fd, [Buffer.concat(batch).subarray(0, 3)]),
	};
	const { path, file } = open('made/for/it', shortWrites);
	await file.write(lines('one\n', '', 'two\n'));
	await file.write(lines('three\n'));
	file.close();
	assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\nthree\n');
	assert.equal(statSync(path).mode & 0o777, 0o600);
	assert.equal(file.size, 14);
});

test('no part of a batch that does not fit the disk stays in the file', async () => {
	const calls = disk({ takes: 7 });
	const { path, file } = open('full', calls);
	await file.write(lines('one\n'));
	await assert.rejects(file.write(lines('two\n')), { code: 'ENOSPC' });
	assert.equal(readFileSync(path, 'utf8'), 'one\n');
	calls.left = 100;
	await file.write(lines('three\n'));
	assert.equal(readFileSync(path, 'utf8'), 'one\nthree\n');
});

test('if the file cannot be truncated, the next batch starts on a new line', async () => {
	const calls = disk({ takes: 7, cuts: false });
	const { path, file } = open('torn', calls);
	await file.write(lines('one\n'));
	await assert.rejects(file.write(lines('two\n')), { code: 'ENOSPC' });
	calls.left = 100;
	await file.write(lines('three\n'));
	assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\nthree\n');
	assert.equal(file.size, statSync(path).size);
});

test('neither an existing file at the path nor the target of a link is written to', async () => {
	const target = join(folder, 'target');
	writeFileSync(target, 'untouched');
	const planted = open('planted');
	symlinkSync(target, planted.path);
	await planted.file.write(lines('one\n'));
	assert.equal(readFileSync(target, 'utf8'), 'untouched');
	assert.equal(readFileSync(planted.path, 'utf8'), 'one\n');
	const older = open('older');
	writeFileSync(older.path, 'of an earlier run\n');
	await older.file.write(lines('one\n'));
	assert.equal(readFileSync(older.path, 'utf8'), 'one\n');
});

test('a file that the pool has closed is opened again, or created again if it was removed', async () => {
	const pool = new DescriptorPool(1);
	const one = open('one', SYSTEM_CALLS, pool);
	const two = open('two', SYSTEM_CALLS, pool);
	for (const text of ['a\n', 'b\n']) for (const { file } of [one, two]) await file.write(lines(text));
	for (const { path } of [one, two]) assert.equal(readFileSync(path, 'utf8'), 'a\nb\n');
	const target = join(folder, 'elsewhere');
	writeFileSync(target, 'untouched');
	unlinkSync(one.path);
	symlinkSync(target, one.path);
	await one.file.write(lines('c\n'));
	assert.equal(readFileSync(one.path, 'utf8'), 'c\n');
	assert.equal(readFileSync(target, 'utf8'), 'untouched');
	assert.equal(one.file.size, 2);
});

test('the write after a move creates a new file', async () => {
	const { path, file } = open('moved');
	await file.write(lines('one\n'));
	await file.moveTo(`${path}.0`);
	await file.write(lines('two\n'));
	assert.deepEqual([readFileSync(`${path}.0`, 'utf8'), readFileSync(path, 'utf8')], ['one\n', 'two\n']);
	assert.equal(file.size, 4);
});

test('the write after a failed move appends to the same file', async () => {
	const { path, file } = open('stays');
	await file.write(lines('one\n'));
	await assert.rejects(file.moveTo(join(folder, 'no-such-folder', 'part')), { code: 'ENOENT' });
	assert.equal(file.size, 4);
	await file.write(lines('two\n'));
	assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
	assert.equal(file.size, 8);
});

test('a file that cannot be created is an error, and returns its descriptor', async () => {
	const pool = new DescriptorPool(1);
	mkdirSync(join(folder, 'a-folder'));
	const blocked = open('a-folder', SYSTEM_CALLS, pool);
	await assert.rejects(blocked.file.write(lines('one\n')));
	const { path, file } = open('other', SYSTEM_CALLS, pool);
	await file.write(lines('one\n'));
	assert.equal(readFileSync(path, 'utf8'), 'one\n');
});
