import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { LogReader } from './log-reader.ts';

function open(t: test.TestContext) {
	const folder = mkdtempSync(join(tmpdir(), 'stint-reader-'));
	const path = join(folder, '0.log');
	const reader = new LogReader(path);
	t.after(async () => {
		await reader.close();
		rmSync(folder, { recursive: true });
	});
	const read = async (): Promise<string> => {
		const texts: string[] = [];
		for await (const lines of reader.read())
			texts.push(...lines.map(({ text }) => Buffer.from(text).toString()));
		return texts.join(' ');
	};
	return { folder, path, reader, read };
}

const line = (content: string): string => `2026-01-01T00:00:00.000000000Z stdout F ${content}\n`;

test('a log that is not there yet is empty, and read once it is', async (t) => {
	const { path, read } = open(t);
	assert.equal(await read(), '');
	writeFileSync(path, line('one'));
	assert.equal(await read(), 'one');
	assert.equal(await read(), '');
});

test('a folder that is not there is empty', async () => {
	const reader = new LogReader('/nonexistent/stint/0.log');
	for await (const lines of reader.read()) assert.fail(String(lines));
});

test('half a line is read when its other half is there, also beyond the bounds of a piece', async (t) => {
	const { path, read } = open(t);
	const long = 'x'.repeat(100_000);
	writeFileSync(path, line('one') + line(long).slice(0, 70_000));
	assert.equal(await read(), 'one');
	appendFileSync(path, line(long).slice(70_000));
	assert.equal(await read(), long);
});

test('older parts are read once, also while no new file is there', async (t) => {
	const { path, read } = open(t);
	writeFileSync(`${path}.2`, line('two'));
	writeFileSync(`${path}.1`, line('one'));
	assert.equal(await read(), 'one two');
	assert.equal(await read(), '');
	writeFileSync(path, line('three'));
	assert.equal(await read(), 'three');
});

test('several rotations between two reads lose nothing', async (t) => {
	const { path, read } = open(t);
	writeFileSync(path, line('one'));
	assert.equal(await read(), 'one');
	appendFileSync(path, line('two'));
	for (const [part, next] of ['three', 'four', 'five'].entries()) {
		renameSync(path, `${path}.${part}`);
		writeFileSync(path, line(next));
	}
	assert.equal(await read(), 'two three four five');
	assert.equal(await read(), '');
});

/** Sets the file at `path` aside as a runtime does: `from` is the first byte that it holds of the log. */
function setAside(path: string, from: number): string {
	const aside = `${path}.${String(from).padStart(15, '0')}-2026-01-01T000000.000000000Z`;
	renameSync(path, aside);
	return aside;
}

test('parts that were removed before they were seen are measured, and said in their place', async (t) => {
	const { path, read } = open(t);
	const [size, lost] = [line('one').length, line('two').length + line('three').length];
	writeFileSync(path, line('one'));
	assert.equal(await read(), 'one');
	const parts = [setAside(path, 0)];
	writeFileSync(path, line('two'));
	parts.push(setAside(path, size));
	writeFileSync(path, line('three'));
	parts.push(setAside(path, size + line('two').length));
	writeFileSync(path, line('four'));
	for (const part of parts.slice(0, 3)) unlinkSync(part);
	writeFileSync(`${path}.next`, '');
	parts.push(setAside(path, size + lost));
	writeFileSync(path, line('five'));
	const missing = `[stint: ${lost} bytes of this log are missing here: it was rotated faster than it was read]`;
	assert.equal(await read(), `${missing} four five`);
	assert.equal(await read(), '', 'and only once');
});

test('a part that is removed after it was seen is read all the same', async (t) => {
	const { path, reader } = open(t);
	const large = line('x'.repeat(1000)).repeat(700);
	writeFileSync(path, large);
	const lines = reader.read();
	let count = (await lines.next()).value?.length ?? 0;
	const first = setAside(path, 0);
	writeFileSync(path, large);
	for (let piece = 0; piece < 8; piece++) count += (await lines.next()).value?.length ?? 0;
	unlinkSync(first);
	unlinkSync(setAside(path, large.length));
	writeFileSync(path, line('end'));
	for await (const more of lines) count += more.length;
	assert.equal(count, 1401);
});

test('logs of other attempts are not parts of this one', async (t) => {
	const { folder, path, read } = open(t);
	writeFileSync(join(folder, '00.log'), line('other'));
	writeFileSync(join(folder, '1.log.1'), line('other'));
	writeFileSync(path, line('own'));
	assert.equal(await read(), 'own');
});
