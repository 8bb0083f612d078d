import assert from 'node:assert/strict';
import {
	appendFileSync,
	mkdtempSync,
	readdirSync,
	renameSync,
	rmSync,
	unlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { SystemClock } from '../../base/clock.ts';
import { LogReader, ReadAhead } from './log-reader.ts';

const clock = new SystemClock({ keepsAlive: true });

interface Opened {
	readonly folder: string;
	readonly path: string;
	readonly reader: LogReader;
	/** The texts of the lines not read before, with `-N-` in place of N missing lines. */
	read(options?: { readonly toPresentEnd?: boolean }): Promise<string>;
}

function open(t: { after(fn: () => Promise<void>): void }, ahead = 10): Opened {
	const folder = mkdtempSync(join(tmpdir(), 'stint-reader-'));
	const path = join(folder, '0.log');
	const reader = new LogReader(path, { clock, readAhead: new ReadAhead(ahead) });
	t.after(async () => {
		await reader.close();
		rmSync(folder, { recursive: true });
	});
	const read: Opened['read'] = async (options) => {
		const texts: string[] = [];
		for await (const { lines = [], lost } of reader.read(options)) {
			texts.push(...(lost === undefined ? [] : [`-${lost}-`]), ...lines.map(textOf));
		}
		return texts.join(' ');
	};
	return { folder, path, reader, read };
}

const textOf = (line: { readonly text: Uint8Array }): string => Buffer.from(line.text).toString();

const line = (content: string, tag = 'F'): string =>
	`2026-01-01T00:00:00.000000000Z stdout ${tag} ${content}\n`;

/** A log that the test writes and rotates as the launcher does. */
class Writer {
	readonly #path: string;
	readonly #maxFiles: number;
	readonly #aside: string[] = [];
	#lines = 0;
	#linesBefore = 0;

	constructor(path: string, maxFiles = 3) {
		this.#path = path;
		this.#maxFiles = maxFiles;
	}

	write(...contents: readonly string[]): void {
		for (const content of contents) appendFileSync(this.#path, line(content));
		this.#lines += contents.length;
	}

	rotate(): void {
		const aside = `${this.#path}.${String(this.#linesBefore).padStart(16, '0')}`;
		renameSync(this.#path, aside);
		this.#linesBefore += this.#lines;
		this.#lines = 0;
		this.#aside.push(aside);
		if (this.#aside.length > this.#maxFiles - 1) unlinkSync(this.#aside.shift() ?? '');
	}
}

test('a log that does not exist yet is empty, and is read once it exists', async (t) => {
	const { path, read } = open(t);
	assert.equal(await read(), '');
	writeFileSync(path, line('one'));
	assert.equal(await read(), 'one');
	assert.equal(await read(), '');
});

test('a log in a folder that does not exist is empty', async () => {
	const reader = new LogReader('/nonexistent/stint/0.log', { clock, readAhead: new ReadAhead(0) });
	for await (const piece of reader.read()) assert.fail(String(piece));
});

test('an unfinished line is returned once it is complete, also across read buffers', async (t) => {
	const { path, read } = open(t);
	const long = 'x'.repeat(60_000);
	writeFileSync(path, line('one') + line(long).slice(0, 50_000));
	assert.equal(await read(), 'one');
	appendFileSync(path, line(long).slice(50_000) + line(long));
	assert.equal(await read(), `${long} ${long}`);
});

test('malformed lines are skipped, however long they are', async (t) => {
	const { path, read } = open(t);
	writeFileSync(path, `${line('one')}no line\n\n${'x'.repeat(300_000)}`);
	assert.equal(await read(), 'one');
	appendFileSync(path, ` a b c\n${line('two')}`);
	assert.equal(await read(), 'two');
});

test('lines with other time formats are read as well', async (t) => {
	const { path, read } = open(t);
	writeFileSync(path, '2026-01-01T00:00:00Z stdout F a Z b c\n2026-01-01T00:00:00.1+02:00 stderr P \n');
	assert.equal(await read(), 'a Z b c ');
});

test('rotated parts are read once, also while there is no current file', async (t) => {
	const { path, read } = open(t);
	writeFileSync(`${path}.0000000000000001`, line('two'));
	writeFileSync(`${path}.0000000000000000`, line('one'));
	assert.equal(await read(), 'one two');
	assert.equal(await read(), '');
	writeFileSync(path, line('three'));
	assert.equal(await read(), 'three');
});

test('several rotations between two reads lose no line', async (t) => {
	const { path, read } = open(t);
	const log = new Writer(path, 9);
	log.write('one');
	assert.equal(await read(), 'one');
	log.write('two');
	for (const next of ['three', 'four', 'five']) {
		log.rotate();
		log.write(next);
	}
	assert.equal(await read(), 'two three four five');
	assert.equal(await read(), '');
});

test('lines that were removed before they could be read are counted in their place', async (t) => {
	const { path, read } = open(t);
	const log = new Writer(path);
	log.write('1');
	assert.equal(await read(), '1');
	for (const next of ['2', '3', '4', '5', '6']) {
		log.write(next, next);
		log.rotate();
	}
	log.write('7');
	assert.equal(await read(), '2 2 -4- 5 5 6 6 7');
});

test('lines before the first existing part are counted', async (t) => {
	const { path, read } = open(t);
	const log = new Writer(path);
	for (const next of ['1', '2', '3', '4']) {
		log.write(next);
		log.rotate();
	}
	assert.equal(await read(), '-2- 3 4');
});

test('parts opened by claim are read after they were removed', async (t) => {
	const { path, reader, read } = open(t);
	const log = new Writer(path, 2);
	for (const next of ['1', '2', '3', '4', '5']) {
		log.write(next);
		await reader.claim();
		log.rotate();
	}
	assert.equal(await read(), '1 2 3 4 5');
});

test('the readers of a node together open no more parts ahead than the ReadAhead allows', async (t) => {
	const { folder, path, reader, read } = open(t, 1);
	const log = new Writer(path, 2);
	for (const next of ['1', '2', '3', '4', '5']) {
		log.write(next);
		await reader.claim();
		log.rotate();
	}
	assert.equal(readdirSync(folder).length, 1);
	assert.equal(await read(), '1 2 3 -1- 5');
	const taken = new ReadAhead(1);
	assert.deepEqual([taken.take(), taken.take()], [true, false]);
	taken.giveBack();
	assert.equal(taken.take(), true);
});

test('toPresentEnd stops at the end at the time of the call, however much is written meanwhile', async (t) => {
	const { path, reader } = open(t);
	const log = new Writer(path);
	log.write('1', '2');
	const texts: string[] = [];
	for await (const { lines = [] } of reader.read({ toPresentEnd: true })) {
		texts.push(...lines.map(textOf));
		log.write('later');
	}
	assert.deepEqual(texts, ['1', '2']);
});

test('logs of other attempts are not parts of this one', async (t) => {
	const { folder, path, read } = open(t);
	writeFileSync(join(folder, '00.log'), line('other'));
	writeFileSync(join(folder, '1.log.1'), line('other'));
	writeFileSync(path, line('own'));
	assert.equal(await read(), 'own');
});

test('for any order of writes, rotations, claims and reads, each line is read once in order, or counted', async () => {
	const step = fc.constantFrom('write', 'write', 'rotate', 'claim', 'read');
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(3), async (steps, ahead) => {
			const ends: (() => Promise<void>)[] = [];
			const { path, reader, read } = open({ after: (end) => ends.push(end) }, ahead);
			const log = new Writer(path, 3);
			let written = 0;
			let isEmpty = true;
			const texts: string[] = [];
			for (const action of [...steps, 'read']) {
				if (action === 'write') log.write(String(written++));
				else if (action === 'rotate' && !isEmpty) log.rotate();
				else if (action === 'claim') await reader.claim();
				else if (action === 'read') texts.push(await read());
				if (action === 'write' || action === 'rotate') isEmpty = action === 'rotate';
			}
			let next = 0;
			for (const text of texts.join(' ').split(' ').filter(Boolean)) {
				const [, lost] = /^-(\d+)-$/.exec(text) ?? [];
				if (lost === undefined) assert.equal(Number(text), next);
				next += lost === undefined ? 1 : Number(lost);
			}
			assert.equal(next, written);
			for (const end of ends) await end();
		}),
		{ numRuns: 100 },
	);
});
