import assert from 'node:assert/strict';
import test from 'node:test';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { codeOf, isMissing, isShortage, isSystemShortage, patiently } from './system-error.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

test('an exhausted resource is a shortage, any other error is not', () => {
	for (const code of ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'])
		assert.ok(isSystemShortage(failure(code)), code);
	for (const code of ['ENOSPC', 'EDQUOT', 'EMFILE']) assert.ok(isShortage(failure(code)), code);
	for (const code of ['ENOENT', 'EACCES', 'E2BIG']) assert.ok(!isShortage(failure(code)), code);
	assert.ok(!isShortage(undefined));
});

test('codeOf returns the code of a system error, and an empty text for other errors', () => {
	assert.deepEqual([codeOf(failure('EIO')), codeOf(new Error('x')), codeOf('EIO')], ['EIO', '', '']);
	assert.deepEqual([isMissing(failure('ENOENT')), isMissing(failure('EIO'))], [true, false]);
});

test('a call that fails for lack of file descriptors is retried for some seconds, any other is not retried', async () => {
	const clock = new VirtualClock();
	let left = 3;
	const result = patiently(clock, async () => {
		if (left-- > 0) throw failure('EMFILE');
		return 'done';
	});
	for (let time = 0; time < 3; time++) {
		await new Promise(setImmediate);
		clock.advance(50);
	}
	assert.equal(await result, 'done');
	let tries = 0;
	const never = patiently(clock, async () => {
		tries++;
		throw failure('EMFILE');
	});
	const refused = assert.rejects(never, { code: 'EMFILE' });
	for (let time = 0; time < 110; time++) {
		await new Promise(setImmediate);
		clock.advance(50);
	}
	await refused;
	assert.equal(tries, 101);
	await assert.rejects(
		patiently(clock, () => Promise.reject(failure('ENOENT'))),
		{ code: 'ENOENT' },
	);
});
