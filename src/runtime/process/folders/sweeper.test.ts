import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { VirtualClock } from '../../../base/testing/virtual-clock.ts';
import { Sweeper } from './sweeper.ts';

test('exited containers are swept at most once a second by the monotonic clock', async () => {
	const clock = new VirtualClock();
	let idle = Promise.withResolvers<void>();
	const sweeper = new Sweeper(clock, {
		onIdle: () => idle.resolve(),
		onError: (error) => assert.fail(String(error)),
	});
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

test('a failed sweep is reported and retried', {
	skip: process.platform !== 'linux',
}, async (t) => {
	const clock = new VirtualClock();
	const errors: unknown[] = [];
	const idle = Promise.withResolvers<void>();
	const sweeper = new Sweeper(clock, {
		onIdle: () => idle.resolve(),
		onError: (error) => errors.push(error),
	});
	t.mock.method(fs, 'readdirSync', () => {
		throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
	});
	syncBuiltinESMExports();
	await sweeper.sweepNow('one');
	t.mock.restoreAll();
	syncBuiltinESMExports();
	assert.equal(errors.length, 1);
	assert.equal(sweeper.isIdle, false);
	clock.advance(1000);
	await idle.promise;
	assert.equal(sweeper.isIdle, true);
});
