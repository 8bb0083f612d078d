import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { FULL_BYTES, LogFile } from './log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-log-'));
after(() => rmSync(folder, { recursive: true }));

interface Opened {
	readonly file: LogFile;
	readonly path: string;
	readonly errors: unknown[];
}

function open(name: string, limits: { maxBytes?: number; maxFiles?: number } = {}): Opened {
	const path = join(folder, name, 'main.log');
	const errors: unknown[] = [];
	let count = 0;
	const file = new LogFile({
		path,
		maxBytes: limits.maxBytes ?? 1 << 20,
		maxFiles: limits.maxFiles ?? 5,
		clock: new SystemClock(),
		stamp: () => `2026-01-31T08:00:00.${String(count++).padStart(9, '0')}Z`,
		onError: (error) => errors.push(error),
	});
	return { file, path, errors };
}

test('what was appended is in the file, in order, once it is closed', async () => {
	const { file, path } = open('order');
	const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`);
	for (const line of lines) file.append(Buffer.from(line));
	await file.close();
	assert.equal(readFileSync(path, 'utf8'), lines.join(''));
	assert.equal(statSync(path).mode & 0o077, 0, 'logs are for their owner');
});

test('a container that says nothing makes no file', async () => {
	const { file, path } = open('silent');
	file.append(new Uint8Array());
	await file.close();
	assert.equal(existsSync(path), false);
});

test('a full file says so, and says when there is room again', async () => {
	const { file } = open('full');
	const drained = new Promise<void>((resolve) => file.onDrain(resolve));
	file.append(Buffer.alloc(FULL_BYTES - 1));
	assert.equal(file.isFull, false);
	file.append(Buffer.alloc(1));
	assert.equal(file.isFull, true);
	await drained;
	assert.equal(file.isFull, false);
	await file.close();
});

test('a file that has grown too large is set aside, and only the newest parts stay', async () => {
	const { file, path, errors } = open('large', { maxBytes: 1000, maxFiles: 3 });
	for (let part = 0; part < 6; part++) {
		const drained = new Promise<void>((resolve) => file.onDrain(resolve));
		file.append(Buffer.alloc(FULL_BYTES, String(part)));
		await drained;
	}
	file.append(Buffer.from('last'));
	await file.close();
	const parts = readdirSync(join(path, '..')).sort();
	assert.deepEqual(
		parts.map((name) => readFileSync(join(path, '..', name), 'latin1').slice(0, 4)),
		['last', '4444', '5555'],
	);
	assert.equal(parts[0], 'main.log');
	assert.match(parts[1] ?? '', /^main\.log\.000000000262144-2026-01-31T080000\.\d{9}Z$/);
	assert.deepEqual(errors, []);
});

test('a log that cannot be written holds nobody up, and is told once', async () => {
	writeFileSync(join(folder, 'blocked'), 'a file where a folder should be');
	const { file, errors } = open('blocked');
	for (let time = 0; time < 3; time++) {
		const drained = new Promise<void>((resolve) => file.onDrain(resolve));
		file.append(Buffer.alloc(FULL_BYTES));
		await drained;
	}
	await file.close();
	assert.equal(errors.length, 1);
});
