import assert from 'node:assert/strict';
import test from 'node:test';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { WrittenBytes } from './written-bytes.ts';

test('a container is measured at most every ten seconds, and one that takes long more rarely', async () => {
	const clock = new VirtualClock();
	let measured = 0;
	let takesMs = 0;
	const written = new WrittenBytes({
		clock,
		measure: async () => {
			measured += 1;
			clock.advance(takesMs);
			return measured;
		},
	});
	assert.deepEqual(await Promise.all([written.of('a'), written.of('a')]), [1, 1]);
	clock.advance(9999);
	assert.equal(await written.of('a'), 1);
	clock.advance(1);
	takesMs = 2000;
	assert.equal(await written.of('a'), 2);
	clock.advance(39_999);
	assert.equal(await written.of('a'), 2);
	clock.advance(1);
	assert.equal(await written.of('a'), 3);
	written.forget(['a']);
	assert.equal(await written.of('a'), 4);
});

test('a measurement that fails is repeated later', async () => {
	const clock = new VirtualClock();
	let isReadable = false;
	const written = new WrittenBytes({
		clock,
		measure: () => (isReadable ? Promise.resolve(1) : Promise.reject(new Error('unreadable'))),
	});
	await assert.rejects(written.of('a'), /unreadable/);
	isReadable = true;
	clock.advance(10_000);
	assert.equal(await written.of('a'), 1);
});
