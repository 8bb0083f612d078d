import assert from 'node:assert/strict';
import test from 'node:test';
import { codeOf, isMissing, isShortage, isSystemShortage, patiently } from './system-error.ts';
import { VirtualClock } from './virtual-clock.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

test('what may succeed later is a shortage, what never will is none', () => {
	for (const code of ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'])
		assert.ok(isSystemShortage(failure(code)), code);
	for (const code of ['ENOSPC', 'EDQUOT', 'EMFILE']) assert.ok(isShortage(failure(code)), code);
	for (const code of ['ENOENT', 'EACCES', 'E2BIG']) assert.ok(!isShortage(failure(code)), code);
	assert.ok(!isShortage(undefined));
});

test('an error has the code of the system, or none', () => {
	assert.deepEqual([codeOf(failure('EIO')), codeOf(new Error('x')), codeOf('EIO')], ['EIO', '', '']);
	assert.deepEqual([isMissing(failure('ENOENT')), isMissing(failure('EIO'))], [true, false]);
});

test('what fails for want of open files is tried again for some seconds, everything else is not', async () => {
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
