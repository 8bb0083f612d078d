import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Timer } from '../clock.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { TimerQueue } from './timer-queue.ts';

test('timers fire at their time and in order, those that were cancelled do not, on one timer of the clock', () => {
	const acts = fc.array(
		fc.oneof(
			fc.record({ act: fc.constant('set' as const), delay: fc.integer({ min: -5, max: 100 }) }),
			fc.record({ act: fc.constant('cancel' as const), which: fc.nat(50) }),
			fc.record({ act: fc.constant('pass' as const), ms: fc.nat(60) }),
		),
		{ maxLength: 80 },
	);
	fc.assert(
		fc.property(acts, (list) => {
			const clock = new VirtualClock();
			const queue = new TimerQueue(clock);
			const timers: Timer[] = [];
			const expected: { due: number; index: number }[] = [];
			const fired: { due: number; index: number }[] = [];
			for (const each of list) {
				if (each.act === 'set') {
					const entry = { due: clock.monotonic() + Math.max(0, each.delay), index: timers.length };
					timers.push(
						queue.setTimer(each.delay, () => {
							assert.equal(clock.monotonic(), entry.due);
							fired.push(entry);
						}),
					);
					expected.push(entry);
				} else if (each.act === 'pass') clock.advance(each.ms);
				else if (timers[each.which]) {
					timers[each.which]?.cancel();
					const at = expected.findIndex((entry) => entry.index === each.which && !fired.includes(entry));
					if (at >= 0) expected.splice(at, 1);
				}
				assert.equal(queue.size, expected.length - fired.length);
			}
			clock.advance(200);
			assert.deepEqual(
				fired,
				expected.toSorted((a, b) => a.due - b.due || a.index - b.index),
			);
			assert.equal(clock.nextDue(), undefined);
		}),
	);
});

test('a timer may set and clear timers', () => {
	const clock = new VirtualClock();
	const queue = new TimerQueue(clock);
	let count = 0;
	const tick = (): void => {
		count += 1;
		if (count < 5) queue.setTimer(10, tick);
		else queue.clear();
	};
	queue.setTimer(10, tick);
	queue.setTimer(1000, () => assert.fail('it was cleared'));
	clock.advance(2000);
	assert.equal(count, 5);
});
