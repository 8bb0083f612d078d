import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SystemClock, sleep } from './clock.ts';

describe('system clock', () => {
	const clock = new SystemClock({ keepsAlive: true });

	test('returns the time, and fires a timer when it is due', async () => {
		const before = clock.now();
		await sleep(clock, 20);
		// Node's timers use another clock, which may be ahead by a millisecond.
		assert.ok(clock.now() - before >= 18);
	});

	test('a timer with a longer delay than Node allows fires on time', (context) => {
		context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
		const longest = 2 ** 31 - 1;
		let fired = 0;
		clock.setTimer(2 * longest + 1000, () => fired++);
		for (const length of [longest, longest, 999]) context.mock.timers.tick(length);
		assert.equal(fired, 0);
		context.mock.timers.tick(1);
		assert.equal(fired, 1);
	});

	test('setting the wall clock back delays no timer and changes no duration', (context) => {
		context.mock.timers.enable({ apis: ['setTimeout'] });
		let wall = Date.UTC(2026, 0, 1);
		let elapsed = 0;
		context.mock.method(Date, 'now', () => wall);
		context.mock.method(performance, 'now', () => elapsed);
		let fired = 0;
		clock.setTimer(120_000, () => fired++);
		const started = clock.monotonic();
		wall -= 3_600_000;
		for (let passed = 0; passed < 120_000; passed += 30_000) {
			assert.equal(fired, 0);
			elapsed += 30_000;
			wall += 30_000;
			context.mock.timers.tick(30_000);
		}
		assert.equal(fired, 1);
		assert.equal(clock.monotonic() - started, 120_000);
	});

	test('a timer that fell due while the machine was suspended fires soon after', (context) => {
		context.mock.timers.enable({ apis: ['setTimeout'] });
		let now = 0;
		context.mock.method(Date, 'now', () => now);
		let fired = 0;
		clock.setTimer(8 * 3_600_000, () => fired++);
		// The wall clock advanced by eight hours, Node's timers by nothing.
		now = 8 * 3_600_000;
		context.mock.timers.tick(29_999);
		assert.equal(fired, 0);
		context.mock.timers.tick(1);
		assert.equal(fired, 1);
	});

	test('a cancelled timer does not fire, and an overdue timer fires as soon as possible', async () => {
		const timer = clock.setTimer(0, () => assert.fail('it was cancelled'));
		timer.cancel();
		timer.cancel();
		let fired = false;
		await new Promise<void>((resolve) => {
			clock.setTimer(-1000, () => {
				fired = true;
				resolve();
			});
			assert.equal(fired, false);
		});
	});
});
