/** The part of the store's contract about the history and its compaction; see contract-suite.ts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompactedError, FutureRevisionError, type Revision, type Store } from '../store.ts';
import { create, RecordingSink, remove, update } from './recording-sink.ts';
import { CHURN, churn, counting, fill, list } from './store-probe.ts';

/** Store.changes: batches of the history for a reader with its own pace. */
export function history(store: () => Store): void {
	test('changes() returns the history in batches without a gap, up to the current revision', async () => {
		await churn(store());
		await create(store(), 'other', 'one');
		const sink = new RecordingSink();
		let after = 0;
		let pieces = 0;
		while (after < store().revision) {
			const { revision, changes } = await store().changes({ prefix: '', after, limit: 2 });
			if (changes.length > 0) sink.changes(changes);
			after = revision;
			pieces += 1;
		}
		assert.deepEqual(sink.plain, [...CHURN, '5 put other=one (created 5)']);
		assert.equal(pieces, 3);
		assert.deepEqual(await store().changes({ prefix: '', after, limit: 2 }), { revision: 5, changes: [] });
	});

	test('a batch of changes() ends with the change whose values, old and new, reach its limit of bytes', async () => {
		await create(store(), 'a', 'one');
		await update(store(), 'a', 'three', 1);
		await remove(store(), 'a', 2);
		const read = async (after: Revision, bytes: number): Promise<readonly Revision[]> => {
			const { revision, changes } = await store().changes({ prefix: '', after, limit: 9, bytes });
			return [...changes.map((change) => change.revision), revision];
		};
		assert.deepEqual(await read(0, 1), [1, 1]);
		assert.deepEqual(await read(0, 4), [1, 2, 2]);
		assert.deepEqual(await read(0, 11), [1, 2, 2]);
		assert.deepEqual(await read(0, 12), [1, 2, 3, 3]);
		assert.deepEqual(await read(0, 100), [1, 2, 3, 3]);
		assert.deepEqual(await read(2, 1), [3, 3]);
	});

	test('changes() of a prefix reaches the current revision even if its keys did not change', async () => {
		for (const each of ['a/1', 'b/1', 'a/2', 'b/2', 'b/3']) await create(store(), each, 'one');
		const { revision, changes } = await store().changes({ prefix: 'a/', after: 1, limit: 10 });
		assert.deepEqual([revision, changes.map((change) => change.revision)], [5, [3]]);
		const none = await store().changes({ prefix: 'c/', after: 0, limit: 10 });
		assert.deepEqual(none, { revision: 5, changes: [] });
	});

	test('4. changes() refuses compacted and future revisions', async () => {
		await churn(store());
		await store().compact(3);
		const read = (after: Revision): Promise<unknown> => store().changes({ prefix: '', after, limit: 9 });
		await assert.rejects(read(2), { name: 'CompactedError', oldest: 3 });
		await assert.rejects(read(5), FutureRevisionError);
		await read(3);
	});
}

/** Rule 4: compaction, also concurrent with watches. */
export function compaction(store: () => Store): void {
	test('4. a compacted revision can be neither read nor watched from; the oldest remaining one can', async () => {
		await churn(store());
		await store().compact(3);
		for (const revision of [0, 1, 2]) {
			await assert.rejects(store().range({ prefix: '', revision }), { name: 'CompactedError', oldest: 3 });
			assert.throws(() => store().watch({ prefix: '', after: revision }, new RecordingSink()), {
				name: 'CompactedError',
				oldest: 3,
			});
		}
		assert.deepEqual((await list(store(), { prefix: '', revision: 3 })).texts, ['a=two', 'b=one']);
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 3 }, sink);
		assert.deepEqual((await sink.until(1)).plain, CHURN.slice(3));
	});

	test('4. compaction keeps all current entries and the later history', async () => {
		await create(store(), 'old', 'one');
		await create(store(), 'gone', 'one');
		await create(store(), 'changed', 'one');
		await remove(store(), 'gone', 2);
		await update(store(), 'changed', 'two', 3);
		await store().compact(5);
		await update(store(), 'changed', 'three', 5);
		await remove(store(), 'old', 1);
		assert.deepEqual((await list(store(), { prefix: '' })).texts, ['changed=three']);
		assert.deepEqual((await list(store(), { prefix: '', revision: 5 })).texts, ['changed=two', 'old=one']);
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 5 }, sink);
		assert.deepEqual((await sink.until(2)).plain, [
			'6 put changed=three (created 3), was two at 5',
			'7 delete old, was one at 1',
		]);
		assert.equal(await store().get('gone'), undefined);
		assert.equal(await create(store(), 'gone', 'again'), 8);
	});

	test('compaction takes no revision, may be repeated and cannot be undone', async () => {
		await churn(store());
		await store().compact(3);
		await store().compact(3);
		await store().compact(1);
		assert.equal(store().revision, 4);
		await assert.rejects(store().range({ prefix: '', revision: 2 }), CompactedError);
		await store().range({ prefix: '', revision: 3 });
		await assert.rejects(store().compact(5), FutureRevisionError);
		await store().compact(4);
		assert.deepEqual((await list(store(), { prefix: '' })).texts, ['a=two']);
	});

	test('a compaction affects neither live watches nor later writes', async () => {
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, sink);
		await fill(store(), 700);
		await Promise.all([store().compact(700), fill(store(), 100)]);
		assert.deepEqual(sink.revisions, counting(1, 800));
		assert.equal(sink.error, undefined);
	});

	test('4. a watch ends with CompactedError if compaction removes changes that it has not read', async () => {
		await fill(store(), 1200);
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, sink);
		const compacted = store().compact(1100);
		await sink.untilEnded();
		await compacted;
		assert.ok(sink.error instanceof CompactedError);
		await create(store(), 'later', 'one');
		assert.deepEqual(sink.revisions, []);
	});

	test('4. a watch that races with a compaction delivers all changes up to its end', async () => {
		await fill(store(), 3000);
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, sink);
		let compacted: Promise<void> | undefined;
		sink.onBatch = () => {
			compacted ??= store().compact(2900);
		};
		await Promise.race([sink.untilRevision(3000), sink.untilEnded()]);
		await compacted;
		assert.deepEqual(sink.revisions, counting(1, sink.revisions.length));
		if (sink.revisions.length < 3000) assert.ok(sink.error instanceof CompactedError);
	});
}
