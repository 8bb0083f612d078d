import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sleep } from '../clock.ts';
import { VirtualClock } from './virtual-clock.ts';

const START = Date.UTC(2026, 0, 1);

describe('virtual clock', () => {
	test('does not advance by itself', () => {
		const clock = new VirtualClock();
		assert.equal(clock.now(), START);
		clock.setTimer(0, () => assert.fail('the clock was not advanced'));
		assert.equal(clock.now(), START);
		assert.equal(clock.nextDue(), START);
	});

	test('fires timers in the order of their due times, and timers due at once in the order of their setting', () => {
		const clock = new VirtualClock();
		const fired: string[] = [];
		const note = (name: string) => (): void => void fired.push(`${name} at ${clock.now() - START}`);
		clock.setTimer(20, note('c'));
		clock.setTimer(10, note('a'));
		clock.setTimer(20, note('d'));
		clock.setTimer(10, note('b'));
		clock.advance(20);
		assert.deepEqual(fired, ['a at 10', 'b at 10', 'c at 20', 'd at 20']);
	});

	test('fires only the timers that are due, and each once', () => {
		const clock = new VirtualClock();
		let count = 0;
		clock.setTimer(10, () => count++);
		clock.advance(9);
		assert.equal(count, 0);
		assert.equal(clock.nextDue(), START + 10);
		clock.advance(1);
		clock.advance(100);
		assert.equal(count, 1);
		assert.equal(clock.nextDue(), undefined);
		assert.equal(clock.now(), START + 110);
	});

	test('a timer that is set by a timer fires in the same advance if it is due', () => {
		const clock = new VirtualClock();
		const fired: number[] = [];
		const tick = (): void => {
			fired.push(clock.now() - START);
			clock.setTimer(10, tick);
		};
		clock.setTimer(10, tick);
		clock.advance(35);
		assert.deepEqual(fired, [10, 20, 30]);
		assert.equal(clock.now(), START + 35);
	});

	test('a cancelled timer does not fire; cancelling at its due time, twice or after it fired is allowed', () => {
		const clock = new VirtualClock();
		const late = { cancel: (): void => {} };
		const first = clock.setTimer(10, () => late.cancel());
		late.cancel = clock.setTimer(10, () => assert.fail('it was cancelled')).cancel;
		clock.advance(10);
		first.cancel();
		late.cancel();
		assert.equal(clock.nextDue(), undefined);
	});

	test('setting the wall clock changes no timer and no duration', () => {
		const clock = new VirtualClock();
		const fired: number[] = [];
		clock.setTimer(1000, () => fired.push(clock.monotonic()));
		clock.advance(400);
		clock.setWallClock(START - 3_600_000);
		assert.equal(clock.now(), START - 3_600_000);
		assert.equal(clock.monotonic(), 400);
		assert.equal(clock.nextDue(), START - 3_600_000 + 600);
		clock.advance(600);
		assert.deepEqual(fired, [1000]);
	});

	test('a hundred thousand timers are set, fired and cancelled in logarithmic time each', () => {
		const clock = new VirtualClock();
		let fired = 0;
		const started = process.cpuUsage();
		for (let i = 0; i < 100_000; i++) {
			const timer = clock.setTimer((i * 7919) % 100_003, () => fired++);
			if (i % 2 === 0) timer.cancel();
		}
		clock.advance(200_000);
		assert.equal(fired, 50_000);
		// With a linear search for the earliest timer this takes minutes.
		assert.ok(process.cpuUsage(started).user < 5_000_000);
	});

	test('a timer with a delay of a fraction of a millisecond fires when the clock advances to its due time', () => {
		const clock = new VirtualClock();
		let fired = 0;
		for (let i = 1; i <= 100; i++) clock.setTimer(i / 7, () => fired++);
		for (
			let due = clock.nextDue(), steps = 0;
			due !== undefined && steps < 100;
			due = clock.nextDue(), steps++
		)
			clock.advanceTo(due);
		assert.equal(fired, 100);
	});

	test('never runs backwards', () => {
		const clock = new VirtualClock(1000);
		clock.advanceTo(500);
		assert.equal(clock.now(), 1000);
		clock.setTimer(-5, () => assert.equal(clock.now(), 1000));
		clock.advance(0);
		assert.equal(clock.nextDue(), undefined);
	});

	test('random timers fire once, in the order of their due times, whatever the steps of the clock', () => {
		const delays = fc.array(fc.nat(100), { maxLength: 20 });
		fc.assert(
			fc.property(delays, fc.array(fc.integer({ min: 1, max: 60 })), (timers, moves) => {
				const clock = new VirtualClock(0);
				const fired: Array<{ readonly delay: number; readonly index: number; readonly at: number }> = [];
				// Cancelled timers anywhere in the heap do not disturb the order of the others.
				const cancelled = timers.map((delay, index) => {
					clock.setTimer(delay, () => fired.push({ delay, index, at: clock.now() }));
					return clock.setTimer((delay * 31) % 101, () => assert.fail('it was cancelled'));
				});
				for (const timer of cancelled) timer.cancel();
				for (const move of moves) clock.advance(move);
				const due = timers.map((delay, index) => ({ delay, index, at: delay }));
				assert.deepEqual(
					fired,
					due.filter(({ at }) => moves.length > 0 && at <= clock.now()).sort((a, b) => a.at - b.at),
				);
			}),
		);
	});
});

describe('sleep', () => {
	test('ends after its time', async () => {
		const clock = new VirtualClock();
		let awake = false;
		const slept = sleep(clock, 10).then(() => {
			awake = true;
		});
		clock.advance(9);
		await Promise.resolve();
		assert.equal(awake, false);
		clock.advance(1);
		await slept;
	});

	test('ends at once when its signal aborts, and cancels its timer', async () => {
		const clock = new VirtualClock();
		const abort = new AbortController();
		const slept = sleep(clock, 10, abort.signal);
		abort.abort();
		await slept;
		assert.equal(clock.nextDue(), undefined);
		await sleep(clock, 10, abort.signal);
		assert.equal(clock.nextDue(), undefined);
	});
});
