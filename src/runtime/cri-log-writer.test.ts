import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CriLogWriter, LINE_LIMIT_BYTES } from './cri-log-writer.ts';

const TIME = '2026-01-31T08:00:00.000000000Z';
const HEADER = new RegExp(`^${TIME} stdout ([FP]) `);

test('the log contains any output byte for byte, in whatever chunks it was written', () => {
	const piece = fc.oneof(
		fc.uint8Array({ maxLength: 50 }),
		fc.constant(Buffer.from('\n')),
		fc.constant(Buffer.from('\r\n\n')),
		fc
			.integer({ min: LINE_LIMIT_BYTES - 2, max: 3 * LINE_LIMIT_BYTES })
			.map((length) => Buffer.alloc(length, 'x')),
	);
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
			const { text, parts } = readBack(log(pieces));
			assert.ok(text.equals(Buffer.concat(pieces)));
			for (const part of parts) assert.ok(part.length <= LINE_LIMIT_BYTES);
		}),
		{ numRuns: 200 },
	);
});

test('the log does not depend on the chunks that the output arrives in', () => {
	const text = Buffer.from(`one\n\ntwo ${'y'.repeat(2 * LINE_LIMIT_BYTES)}\nend`);
	const whole = log([text]);
	for (const size of [1, 7, 1000]) {
		const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
			text.subarray(index * size, (index + 1) * size),
		);
		assert.ok(log(pieces).equals(whole));
	}
});

test('only a line over the limit is split', () => {
	const tags = (length: number): string => readBack(log([Buffer.from(`${'x'.repeat(length)}\n`)])).tags;
	assert.equal(tags(LINE_LIMIT_BYTES), 'F');
	assert.equal(tags(LINE_LIMIT_BYTES + 1), 'PF');
	assert.equal(tags(3 * LINE_LIMIT_BYTES), 'PPF');
});

test('the caller may reuse the buffer of a chunk although the unfinished line is kept', () => {
	const lines = new CriLogWriter('stdout');
	const buffer = Buffer.from('first');
	assert.equal(lines.push(buffer, TIME).bytes.length, 0);
	buffer.fill('#');
	assert.equal(
		Buffer.from(lines.push(Buffer.from(' line\n'), TIME).bytes).toString(),
		`${TIME} stdout F first line\n`,
	);
	assert.equal(
		lines.end(() => TIME),
		undefined,
	);
});

function log(pieces: readonly Uint8Array[]): Buffer {
	const lines = new CriLogWriter('stdout');
	const out = pieces.map((piece) => lines.push(piece, TIME));
	const rest = lines.end(() => TIME);
	const bytes = Buffer.concat([...out, ...(rest ? [rest] : [])].map((part) => part.bytes));
	const counted = out.reduce((sum, part) => sum + part.lines, 0);
	assert.equal(counted, readBack(bytes).tags.replaceAll('P', '').length, 'each line end is counted');
	return bytes;
}

/** Decodes a log: joins the parts of each line. */
function readBack(log: Buffer): { text: Buffer; parts: readonly Buffer[]; tags: string } {
	const parts: Buffer[] = [];
	const text: Buffer[] = [];
	let tags = '';
	for (let start = 0; start < log.length; ) {
		const end = log.indexOf('\n', start);
		const [header = '', tag] = HEADER.exec(log.toString('latin1', start, end)) ?? [];
		assert.ok(tag, 'each line has a header');
		const part = log.subarray(start + header.length, end);
		parts.push(part);
		text.push(part, Buffer.from(tag === 'F' ? '\n' : ''));
		tags += tag;
		start = end + 1;
	}
	return { text: Buffer.concat(text), parts, tags };
}
