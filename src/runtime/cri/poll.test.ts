import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { RuntimeUnavailable } from '../contract.ts';
import { type PollOptions, RuntimePoll } from './poll.ts';

/** A poll of containers that started at `starts`, with the times of its looks. */
class PollWorld {
	readonly clock = new VirtualClock(0);
	readonly looks: number[] = [];
	readonly errors: unknown[] = [];
	readonly over = new AbortController();
	starts: readonly number[] = [];
	abandoned = 0;
	failure: Error | undefined;
	hasEvents = false;
	event: () => void = () => undefined;
	readonly poll: RuntimePoll;

	constructor() {
		const status = (startedAt: number): object => ({ status: { state: 'running', startedAt } });
		const containers = {
			all: () => this.starts.map(status),
			synchronize: async () => {
				this.looks.push(this.clock.now());
				if (this.failure) throw this.failure;
			},
			abandon: () => void this.abandoned++,
		};
		const client = {
			followEvents: (onEvent: () => void) => {
				this.event = onEvent;
				return this.hasEvents ? new Promise<boolean>(() => undefined) : Promise.resolve(false);
			},
		};
		// Of a container only its state matters here.
		const options: object = {
			...{ clock: this.clock, containers, client, signal: this.over.signal },
			onError: (error: unknown) => void this.errors.push(error),
		};
		this.poll = new RuntimePoll(options as PollOptions);
	}

	/** Advances in steps, so that what a look causes comes before the next one. */
	async advance(lengthMs: number): Promise<void> {
		const end = this.clock.now() + lengthMs;
		for (let due = this.clock.nextDue(); due !== undefined && due <= end; due = this.clock.nextDue()) {
			this.clock.advanceTo(due);
			await new Promise((resolve) => setImmediate(resolve));
		}
		this.clock.advanceTo(end);
	}
}

test('a young container is looked at often, an old one or none each second', async () => {
	const world = new PollWorld();
	world.poll.run();
	await world.advance(5000);
	assert.deepEqual(world.looks, [1000, 2000, 3000, 4000, 5000]);
	world.starts = [5100];
	await world.advance(100);
	world.poll.soon();
	await world.advance(100);
	assert.deepEqual(world.looks.slice(5), [5150, 5200]);
	await world.advance(100_000);
	assert.equal((world.looks.at(-1) ?? 0) - (world.looks.at(-2) ?? 0), 1000);
});

test('a runtime that is lost is one error, waiting calls are rejected, and the poll continues', async () => {
	const world = new PollWorld();
	world.failure = new RuntimeUnavailable('gone');
	world.poll.run();
	await world.advance(3000);
	assert.deepEqual([world.errors.length, world.abandoned], [1, 3]);
	world.failure = undefined;
	await world.advance(1000);
	world.failure = new RuntimeUnavailable('gone');
	await world.advance(1000);
	assert.deepEqual([world.errors.length, world.looks.length], [2, 5]);
	world.over.abort();
	await world.advance(5000);
	assert.equal(world.looks.length, 5);
});

test('an event causes a look at once', async () => {
	const world = new PollWorld();
	world.hasEvents = true;
	world.poll.run();
	await world.advance(300);
	world.event();
	assert.deepEqual(world.looks, [300]);
	world.over.abort();
});
