/** The part of the store's contract about watches and their sinks; see contract-suite.ts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FutureRevisionError, type Store } from '../store.ts';
import { create, encode, RecordingSink, remove } from './recording-sink.ts';
import { CHURN, churn, counting, fill } from './store-probe.ts';

/** Rule 3: live watches and watches from an earlier revision. */
export function watching(store: () => Store): void {
	test('3. a live watch delivers puts and deletes with the previous entries', async () => {
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, sink);
		await churn(store());
		assert.deepEqual(sink.plain, CHURN);
		assert.equal(sink.error, undefined);
	});

	test('3. a watch from an earlier revision delivers the same changes', async () => {
		await churn(store());
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, sink);
		assert.deepEqual((await sink.until(4)).plain, CHURN);
		const rest = new RecordingSink();
		store().watch({ prefix: '', after: 2 }, rest);
		assert.deepEqual((await rest.until(2)).plain, CHURN.slice(2));
	});

	test('3. a watch delivers only changes of keys with its prefix', async () => {
		const live = new RecordingSink();
		store().watch({ prefix: 'a/', after: 0 }, live);
		for (const each of ['a', 'a/1', 'b/1', 'a/2', 'a0']) await create(store(), each, 'one');
		await remove(store(), 'a/1', 2);
		await remove(store(), 'a', 1);
		assert.deepEqual(live.revisions, [2, 4, 6]);
		const past = new RecordingSink();
		store().watch({ prefix: 'a/', after: 0 }, past);
		assert.deepEqual((await past.until(3)).revisions, [2, 4, 6]);
	});

	test('a live watcher receives the object that the writer attached to the bytes', async () => {
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, sink);
		const attachment = { decoded: true };
		await store().write({ type: 'create', key: 'a', value: encode('one'), attachment });
		const [change] = sink.received;
		assert.equal(change?.type === 'put' && change.entry.attachment, attachment);
	});

	test('a watch from a future revision is refused', () => {
		assert.throws(() => store().watch({ prefix: '', after: 1 }, new RecordingSink()), FutureRevisionError);
	});
}

/** Rule 3: the switch from the history to live changes, where a loss or a repetition would be likeliest. */
export function catchingUp(store: () => Store): void {
	test('3. a watch switches from the history to live changes without loss or repetition', async () => {
		await fill(store(), 1700);
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 100 }, sink);
		// Every batch causes further writes, so that the log grows while the watch reads it.
		sink.onBatch = () => {
			if (store().revision < 2500) void fill(store(), 50);
		};
		await sink.untilRevision(2500);
		assert.deepEqual(sink.revisions, counting(101, sink.revisions.length));
		assert.equal(sink.revisions.at(-1), store().revision);
	});

	test('3. the same holds for a prefix with few changes in the log', async () => {
		await fill(store(), 600);
		await create(store(), 'rare/1', 'one');
		await fill(store(), 600);
		const sink = new RecordingSink();
		store().watch({ prefix: 'rare/', after: 0 }, sink);
		const written = Promise.all([create(store(), 'rare/2', 'one'), fill(store(), 600)]);
		await sink.until(2);
		await written;
		await create(store(), 'rare/3', 'one');
		await sink.until(3);
		assert.deepEqual(sink.keys, ['rare/1', 'rare/2', 'rare/3']);
	});

	test('3. watches from many revisions of a growing log each receive all their changes', async () => {
		await fill(store(), 1200);
		const starts = [0, 1, 499, 500, 501, 777, 1000, 1199, 1200];
		const watchers = starts.map((after) => {
			const sink = new RecordingSink();
			store().watch({ prefix: '', after }, sink);
			return { after, sink };
		});
		for (let round = 0; round < 10; round++) await fill(store(), 30);
		for (const { after, sink } of watchers) {
			await sink.untilRevision(1500);
			assert.deepEqual(sink.revisions, counting(after + 1, 1500 - after));
		}
	});

	test('stop() ends a watch that reads the history', async () => {
		await fill(store(), 1200);
		const sink = new RecordingSink();
		const handle = store().watch({ prefix: '', after: 0 }, sink);
		sink.onBatch = () => handle.stop();
		const other = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, other);
		await other.until(1200);
		await create(store(), 'more', 'one');
		assert.equal(sink.batches, 1);
		assert.ok(sink.received.length < 1200, 'the history is delivered in batches');
		assert.equal(sink.error, undefined);
	});
}

/** What sinks may do within their calls: throw, stop watches, write, open watches. */
export function sinks(store: () => Store): void {
	test('a sink receives nothing after stop(), which may be called again', async () => {
		const sink = new RecordingSink();
		const handle = store().watch({ prefix: '', after: 0 }, sink);
		await create(store(), 'a', 'one');
		handle.stop();
		handle.stop();
		await create(store(), 'b', 'one');
		assert.deepEqual(sink.keys, ['a']);
		assert.equal(sink.error, undefined);
	});

	test('a sink may stop its own watch and others', async () => {
		const [own, other] = [new RecordingSink(), new RecordingSink()];
		const handle = store().watch({ prefix: '', after: 0 }, own);
		const otherHandle = store().watch({ prefix: '', after: 0 }, other);
		own.onBatch = () => {
			handle.stop();
			otherHandle.stop();
		};
		await create(store(), 'a', 'one');
		await create(store(), 'b', 'one');
		assert.deepEqual(own.keys, ['a']);
		assert.deepEqual(other.keys, []);
	});

	test('a sink that throws ends only its own watch, and fails no write', async () => {
		const [bad, worse, good] = [new RecordingSink(), new RecordingSink(), new RecordingSink()];
		const failure = new Error('sink');
		bad.onBatch = () => {
			throw failure;
		};
		worse.onBatch = bad.onBatch;
		worse.onEnd = bad.onBatch;
		for (const sink of [bad, worse, good]) store().watch({ prefix: '', after: 0 }, sink);
		assert.equal(await create(store(), 'a', 'one'), 1);
		assert.equal(await create(store(), 'b', 'one'), 2);
		assert.deepEqual(bad.keys, ['a']);
		assert.deepEqual(worse.keys, ['a']);
		assert.equal(bad.error, failure);
		assert.deepEqual(good.keys, ['a', 'b']);
		assert.equal(good.error, undefined);
	});

	test('a sink that throws while its watch reads the history ends the watch too', async () => {
		await fill(store(), 1200);
		const sink = new RecordingSink();
		sink.onBatch = () => {
			throw new Error('sink');
		};
		store().watch({ prefix: '', after: 0 }, sink);
		await sink.untilEnded();
		assert.equal(sink.batches, 1);
	});

	test('a sink may write and open watches; its calls never overlap', async () => {
		const [sink, inner] = [new RecordingSink(), new RecordingSink()];
		let depth = 0;
		sink.onBatch = () => {
			assert.equal(depth++, 0);
			if (sink.received.length === 1) {
				store().watch({ prefix: '', after: store().revision }, inner);
				void create(store(), 'b', 'one');
				void create(store(), 'c', 'one');
			}
			depth--;
		};
		store().watch({ prefix: '', after: 0 }, sink);
		await create(store(), 'a', 'one');
		await sink.until(3);
		await inner.until(2);
		assert.equal(sink.error, undefined);
		assert.deepEqual(sink.keys, ['a', 'b', 'c']);
		assert.deepEqual(inner.keys, ['b', 'c']);
	});
}
