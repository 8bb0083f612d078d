import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { LINE_LIMIT_BYTES } from '../../cri-log-writer.ts';
import { EngineLogReader } from './engine-log-reader.ts';
import { frame } from './testing/frame.ts';
import { readWrittenEntries } from './written-entries.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'stint-engine-log-'));
after(() => rmSync(FOLDER, { recursive: true }));
const PATH = join(FOLDER, 'log');

function read(bytes: Buffer, cuts: readonly number[] = [], tty = false): string {
	const reader = new EngineLogReader({ tty });
	const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
	const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
	const entries = [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
	return entries.map((entry) => Buffer.from(entry.bytes).toString()).join('');
}

test('each frame is an entry, wherever the chunks are cut, with its time in UTC and nine digits', () => {
	const log = Buffer.concat([
		frame(1, '2026-01-31T08:00:00.123456789Z out\n'),
		frame(2, '2026-01-31T08:00:01Z err\n'),
		frame(1, '2026-01-31T09:00:02+01:00 part'),
		frame(1, '2026-01-31T08:00:03.5Z \n'),
	]);
	const expected = [
		'2026-01-31T08:00:00.123456789Z stdout F out',
		'2026-01-31T08:00:01.000000000Z stderr F err',
		'2026-01-31T08:00:02.000000000Z stdout P part',
		'2026-01-31T08:00:03.500000000Z stdout F ',
	];
	const places = fc.array(fc.nat(log.length), { maxLength: 6 });
	fc.assert(fc.property(places, (cuts) => read(log, cuts) === `${expected.join('\n')}\n`));
});

test('a text over the limit is split into parts with its time', () => {
	const log = read(frame(1, `2026-01-31T08:00:00Z ${'x'.repeat(LINE_LIMIT_BYTES + 1)}\n`));
	const parts = log.trimEnd().split('\n');
	assert.deepEqual(
		parts.map((part) => [part.slice(38, 39), part.length - 40]),
		[
			['P', LINE_LIMIT_BYTES],
			['F', 1],
		],
	);
});

test('the output of a terminal has no frames, and its last line may be unfinished', () => {
	const log = Buffer.from('2026-01-31T08:00:00Z one\r\n2026-01-31T08:00:01Z two');
	const places = fc.array(fc.nat(log.length), { maxLength: 6 });
	const expected =
		'2026-01-31T08:00:00.000000000Z stdout F one\r\n2026-01-31T08:00:01.000000000Z stdout P two\n';
	fc.assert(fc.property(places, (cuts) => read(log, cuts, true) === expected));
});

test('a log that was cut anywhere is continued to the same log, whatever times repeat', async () => {
	const entry = fc.record({ ms: fc.nat(4000), stream: fc.constantFrom('stdout', 'stderr') });
	await fc.assert(
		fc.asyncProperty(fc.array(entry, { maxLength: 40 }), fc.nat(), async (all, cut) => {
			// The engine's order, in which the two streams may be 100 ms apart.
			const times = all.map(({ ms, stream }) => ({ at: ms + (stream === 'stdout' ? 0 : 90), ms, stream }));
			const sorted = times.toSorted((a, b) => a.at - b.at);
			const entries = sorted.map(({ ms, stream }, index) => {
				const time = `2026-01-31T08:00:0${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}000000Z`;
				return {
					time,
					stream: stream === 'stdout' ? 'stdout' : 'stderr',
					line: `${time} ${stream} F ${index}\r\n`,
				} as const;
			});
			const whole = entries.map(({ line }) => line).join('');
			writeFileSync(PATH, whole.slice(0, cut % (whole.length + 1)));
			const written = await readWrittenEntries(PATH);
			const { since = 0 } = written;
			const asked = entries.filter(({ time }) => Date.parse(time) >= since * 1000);
			const missing = asked.filter((each) => !written.has(each)).map(({ line }) => line);
			assert.equal(readFileSync(PATH, 'utf8') + missing.join(''), whole);
		}),
	);
});
