import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../base/testing/virtual-clock.ts';
import { ErrorLog } from './error-log.ts';

test('the log has each error with its time, and counts repetitions', () => {
	const lines: string[] = [];
	const log = new ErrorLog(new VirtualClock(Date.UTC(2026, 0, 31)), (text) => lines.push(text));
	for (const error of ['one', 'one', 'one', 'two']) log.add(error);
	const time = '2026-01-31T00:00:00.000Z';
	assert.deepEqual(lines, [
		`${time} one\n`,
		`${time} the last error was repeated 2 more times\n`,
		`${time} two\n`,
	]);
});

test('the log does not throw if it cannot be written', () => {
	let writes = 0;
	const log = new ErrorLog(new VirtualClock(), () => {
		writes++;
		throw new Error('no space left on device');
	});
	log.add(new Error('one'));
	log.add(new Error('two'));
	assert.equal(writes, 2);
});

test('the log stops at its size limit and says so', () => {
	let bytes = 0;
	let last = '';
	const log = new ErrorLog(new VirtualClock(), (text) => {
		bytes += text.length;
		last = text;
	});
	for (let index = 0; index < 100_000; index++) log.add(`error ${index} ${'x'.repeat(100)}`);
	assert.ok(bytes < 300 * 1024, `${bytes}`);
	assert.match(last, /further errors of this launcher are not logged\n$/);
});
