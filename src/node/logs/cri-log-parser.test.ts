import assert from 'node:assert/strict';
import test from 'node:test';
import { CriLogParser } from './cri-log-parser.ts';

test('a time has nine digits of a second, also if the runtime has left zeros at its end out', () => {
	const times = (text: string): readonly string[] =>
		new CriLogParser().push(Buffer.from(text)).map(({ time, timeLength }) => {
			assert.equal(timeLength, time.length);
			return time;
		});
	const lines = ['05.123456789Z', '05.12Z', '05Z', '05.5+02:00'].map(
		(end) => `2026-01-01T00:00:${end} stdout F x\n`,
	);
	assert.deepEqual(times(lines.join('')), [
		'2026-01-01T00:00:05.123456789Z',
		'2026-01-01T00:00:05.120000000Z',
		'2026-01-01T00:00:05.000000000Z',
		'2026-01-01T00:00:05.500000000+02:00',
	]);
	assert.deepEqual(times('no-time stdout F x\n'), ['no-time']);
});
