import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { Sweeper } from './sweeper.ts';

test('ended containers are looked after once a second, whatever becomes of the wall clock', async () => {
	const clock = new VirtualClock();
	let idle = Promise.withResolvers<void>();
	const sweeper = new Sweeper(clock, () => idle.resolve());
	sweeper.add('one');
	clock.advance(0);
	await idle.promise;
	assert.equal(sweeper.isIdle, true);
	clock.setWallClock(clock.now() - 3_600_000);
	idle = Promise.withResolvers<void>();
	sweeper.add('two');
	clock.advance(999);
	assert.equal(sweeper.isIdle, false);
	clock.advance(1);
	await idle.promise;
});
