import assert from 'node:assert/strict';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { type AppendCalls, SYSTEM_CALLS } from './append-file.ts';
import { DescriptorPool } from './descriptor-pool.ts';
import { FULL_BYTES, LogFile } from './log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-log-'));
after(() => rmSync(folder, { recursive: true }));

interface Opened {
	readonly file: LogFile;
	readonly path: string;
	readonly errors: unknown[];
}

interface Options {
	readonly maxBytes?: number;
	readonly maxFiles?: number;
	readonly calls?: AppendCalls;
}

function open(name: string, options: Options = {}): Opened {
	const path = join(folder, name, 'main.log');
	const errors: unknown[] = [];
	let count = 0;
	const file = new LogFile({
		path,
		maxBytes: 1 << 20,
		maxFiles: 5,
		...options,
		clock: new SystemClock(),
		descriptors: new DescriptorPool(1),
		stamp: () => `2026-01-31T08:00:00.${String(count++).padStart(9, '0')}Z`,
		onError: (error) => errors.push(error),
	});
	return { file, path, errors };
}

/** Log bytes whose line count is the number of line ends. */
function text(bytes: string | Uint8Array): { bytes: Uint8Array; lines: number } {
	const buffer = Buffer.from(bytes);
	return { bytes: buffer, lines: buffer.filter((byte) => byte === 10).length };
}

test('a closed log contains the appended entries in order', async () => {
	const { file, path } = open('order');
	const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`);
	for (const line of lines) file.append(text(line));
	await file.close();
	assert.equal(readFileSync(path, 'utf8'), lines.join(''));
	assert.equal(statSync(path).mode & 0o077, 0, 'logs are for their owner');
});

test('a log without entries creates no file', async () => {
	const { file, path } = open('silent');
	file.append(text(''));
	await file.close();
	assert.equal(existsSync(path), false);
});

test('a full log reports it, and calls its listener when it is drained', async () => {
	const { file } = open('full');
	const drained = new Promise<void>((resolve) => file.onDrain(resolve));
	file.append(text(Buffer.alloc(FULL_BYTES - 1)));
	assert.equal(file.isFull, false);
	file.append(text(Buffer.alloc(1)));
	assert.equal(file.isFull, true);
	await drained;
	assert.equal(file.isFull, false);
	await file.close();
});

test('rotation names a part by the number of lines before it, and keeps only the newest parts', async () => {
	const { file, path, errors } = open('large', { maxBytes: 1000, maxFiles: 3 });
	for (let part = 0; part < 6; part++) {
		const drained = new Promise<void>((resolve) => file.onDrain(resolve));
		file.append(text(`${part}\n${String(part).repeat(FULL_BYTES)}\n`));
		await drained;
	}
	file.append(text('last'));
	await file.close();
	const parts = readdirSync(join(path, '..')).sort();
	assert.deepEqual(parts, ['main.log', 'main.log.0000000000000008', 'main.log.0000000000000010']);
	assert.deepEqual(
		parts.map((name) => readFileSync(join(path, '..', name), 'latin1').slice(0, 4)),
		['last', '4\n44', '5\n55'],
	);
	assert.deepEqual(errors, []);
});

test('a file that cannot be rotated keeps its lines and grows until the rotation succeeds', async () => {
	const { file, path, errors } = open('stuck', { maxBytes: 1000 });
	const inTheWay = `${path}.${'0'.repeat(16)}`;
	mkdirSync(inTheWay, { recursive: true });
	const write = async (part: string): Promise<void> => {
		const drained = new Promise<void>((resolve) => file.onDrain(resolve));
		file.append(text(`${part}\n${'x'.repeat(FULL_BYTES)}\n`));
		await drained;
	};
	for (const part of ['one', 'two']) await write(part);
	const namesIn = (file: string): readonly string[] =>
		readFileSync(file, 'utf8')
			.split('\n')
			.filter((line) => !line.startsWith('x'));
	assert.deepEqual(namesIn(path), ['one', 'two', '']);
	assert.equal(errors.length, 1, 'reported once');
	rmSync(inTheWay, { recursive: true });
	for (const part of ['three', 'four']) await write(part);
	await file.close();
	assert.deepEqual(namesIn(inTheWay), ['one', 'two', 'three', '']);
	assert.deepEqual(namesIn(`${path}.${'6'.padStart(16, '0')}`), ['four', '']);
	assert.equal(errors.length, 1);
});

test('lines dropped on a full disk are counted in their place once there is space again', async () => {
	let isFull = false;
	const calls: AppendCalls = {
		...SYSTEM_CALLS,
		writev: async (fd, batch) => {
			if (isFull) throw new Error('no space left on device');
			return await SYSTEM_CALLS.writev(fd, batch);
		},
	};
	const { file, path, errors } = open('recovers', { calls });
	const write = async (part: string): Promise<void> => {
		const drained = new Promise<void>((resolve) => file.onDrain(resolve));
		file.append(text(`${part}\n${'x'.repeat(FULL_BYTES)}\n`));
		await drained;
	};
	await write('before');
	isFull = true;
	for (const part of ['one', 'two']) await write(part);
	assert.equal(errors.length, 1, 'reported once');
	isFull = false;
	await write('after');
	isFull = true;
	await write('three');
	isFull = false;
	await file.close();
	const lines = readFileSync(path, 'utf8')
		.split('\n')
		.filter((line) => !line.startsWith('xxx'));
	const missing = (lines: number): string =>
		`[stint: ${lines} lines of this log are missing here: they could not be written: no space left on device]`;
	const withoutTimes = lines.map((line) => line.replace(/^2026-01-31T08:00:00\.\d{9}Z /, ''));
	assert.deepEqual(withoutTimes, ['before', `stderr F ${missing(4)}`, 'after', `stderr F ${missing(2)}`, '']);
});

test('a log that finds no free file descriptor is written once there is one', async () => {
	let left = 3;
	const calls: AppendCalls = {
		...SYSTEM_CALLS,
		writev: async (fd, batch) => {
			if (left-- > 0) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
			return await SYSTEM_CALLS.writev(fd, batch);
		},
	};
	const { file, path, errors } = open('patient', { calls });
	file.append(text('one\n'));
	await file.close();
	assert.equal(readFileSync(path, 'utf8'), 'one\n');
	assert.deepEqual(errors, []);
});

test('a log that cannot be written does not block its container, and is reported once', async () => {
	writeFileSync(join(folder, 'blocked'), 'a file where a folder should be');
	const { file, errors } = open('blocked');
	for (let time = 0; time < 3; time++) {
		const drained = new Promise<void>((resolve) => file.onDrain(resolve));
		file.append(text(Buffer.alloc(FULL_BYTES)));
		await drained;
	}
	await file.close();
	assert.equal(errors.length, 1);
});
