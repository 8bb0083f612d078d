/**
 * The contract of every store, as tests. Numbers in titles are those of the rules in store.ts. The test file
 * of each implementation says how to open an empty store.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ReadLimits } from '../read-limit.ts';
import {
	CompactedError,
	FutureRevisionError,
	KeyExistsError,
	type RangeRequest,
	type Revision,
	RevisionMismatchError,
	type Store,
	StoreUnavailableError,
} from '../store.ts';
import { followsModel } from './model-contract-suite.ts';
import { create, encode, type Plain, plainEntry, RecordingSink, remove, update } from './recording-sink.ts';

/**
 * Registers the tests that every implementation of {@link Store} must pass. `open` returns an empty store.
 */
export function storeContract(name: string, open: () => Promise<Store>): void {
	describe(name, () => {
		let store: Store;
		beforeEach(async () => {
			store = await open();
		});
		afterEach(() => store.close());
		const current = (): Store => store;
		writing(current);
		grouping(current);
		ranges(current);
		watching(current);
		catchingUp(current);
		history(current);
		sinks(current);
		compaction(current);
		closing(current);
		test('ranges and watches of generated histories agree with a model', () => followsModel(open));
	});
}

/** Rule 1: revisions, and compare-and-set with all its refusals. */
function writing(store: () => Store): void {
	test('1. each change takes the next revision, and a refused write takes none', async () => {
		assert.equal(store().revision, 0);
		assert.equal(await create(store(), 'a', 'one'), 1);
		assert.equal(await create(store(), 'b', 'one'), 2);
		await assert.rejects(create(store(), 'a', 'other'), KeyExistsError);
		assert.equal(await update(store(), 'a', 'two', 1), 3);
		await assert.rejects(remove(store(), 'b', 7), RevisionMismatchError);
		assert.equal(await remove(store(), 'b', 2), 4);
		assert.equal(store().revision, 4);
		assert.equal(await create(store(), 'b', 'again'), 5);
	});

	test('an entry has its value, its revision and its createRevision', async () => {
		await create(store(), 'a', 'one');
		await create(store(), 'b', '');
		await update(store(), 'a', 'two', 1);
		assert.deepEqual(await read(store(), 'a'), { key: 'a', text: 'two', revision: 3, createRevision: 1 });
		assert.deepEqual(await read(store(), 'b'), { key: 'b', text: '', revision: 2, createRevision: 2 });
		assert.equal(await store().get('c'), undefined);
	});

	test('a deleted key does not exist, and gets a new createRevision when it is created again', async () => {
		await create(store(), 'a', 'one');
		await remove(store(), 'a', 1);
		assert.equal(await store().get('a'), undefined);
		await create(store(), 'a', 'two');
		assert.deepEqual(await read(store(), 'a'), { key: 'a', text: 'two', revision: 3, createRevision: 3 });
	});

	test('a create of an existing key changes nothing', async () => {
		await create(store(), 'a', 'one');
		await assert.rejects(create(store(), 'a', 'two'), { name: 'KeyExistsError', key: 'a' });
		await unchanged(store(), { key: 'a', text: 'one', revision: 1, createRevision: 1 });
	});

	test('an update or delete with an expected revision other than the last changes nothing', async () => {
		await create(store(), 'a', 'one');
		await create(store(), 'b', 'one');
		await update(store(), 'a', 'two', 1);
		const seen = { name: 'RevisionMismatchError', key: 'a', actual: 3 };
		for (const expected of [0, 1, 2, 4]) {
			await assert.rejects(update(store(), 'a', 'three', expected), seen);
			await assert.rejects(remove(store(), 'a', expected), seen);
		}
		await unchanged(store(), { key: 'a', text: 'two', revision: 3, createRevision: 1 });
	});

	test('an update or delete of a missing key reports no actual revision', async () => {
		await create(store(), 'a', 'one');
		await remove(store(), 'a', 1);
		for (const key of ['a', 'never']) {
			for (const expected of [0, 1, 2]) {
				const gone = { name: 'RevisionMismatchError', key, actual: undefined };
				await assert.rejects(update(store(), key, 'two', expected), gone);
				await assert.rejects(remove(store(), key, expected), gone);
			}
		}
		assert.equal(store().revision, 2);
	});

	test('exactly one of many updates of the same revision succeeds', async () => {
		await create(store(), 'a', 'one');
		const outcomes = await Promise.allSettled(
			Array.from({ length: 20 }, (_, writer) => update(store(), 'a', `writer ${writer}`, 1)),
		);
		assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
		for (const outcome of outcomes) {
			if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof RevisionMismatchError);
		}
		assert.equal(store().revision, 2);
	});

	test('exactly one of many creates of the same key succeeds', async () => {
		const outcomes = await Promise.allSettled(
			Array.from({ length: 20 }, (_, writer) => create(store(), 'a', `writer ${writer}`)),
		);
		assert.deepEqual(
			outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
			[1],
		);
		assert.equal(store().revision, 1);
	});
}

/** Rules 2 and 5: when a write becomes visible, and group commits. */
function grouping(store: () => Store): void {
	test('2. a write is not visible in the turn in which it is requested', async () => {
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, sink);
		const written = create(store(), 'a', 'one');
		assert.equal(store().revision, 0);
		assert.deepEqual(sink.received, []);
		assert.equal(await written, 1);
		assert.equal(store().revision, 1);
		assert.notEqual(await store().get('a'), undefined);
	});

	test('2. every live watcher is notified before the promise resolves', async () => {
		const watchers = [new RecordingSink(), new RecordingSink(), new RecordingSink()];
		for (const sink of watchers) store().watch({ prefix: 'a', after: 0 }, sink);
		let when = 0;
		await create(store(), 'a', 'one').then(() => {
			when = watchers.filter((sink) => sink.received.length === 1).length;
		});
		assert.equal(when, 3);
	});

	test('5. writes requested in one turn keep their order, each with its own outcome', async () => {
		const outcomes = await Promise.allSettled([
			create(store(), 'a', 'one'),
			create(store(), 'a', 'refused'),
			create(store(), 'b', 'one'),
			update(store(), 'a', 'two', 1),
			update(store(), 'a', 'refused', 1),
			remove(store(), 'b', 2),
			create(store(), 'b', 'again'),
		]);
		assert.deepEqual(
			outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.name)),
			[1, 'KeyExistsError', 2, 3, 'RevisionMismatchError', 4, 5],
		);
		assert.deepEqual((await list(store(), { prefix: '' })).texts, ['a=two', 'b=again']);
	});

	test('5. a watch delivers the writes of one turn in order and exactly once', async () => {
		const sink = new RecordingSink();
		store().watch({ prefix: '', after: 0 }, sink);
		await Promise.all(Array.from({ length: 300 }, (_, index) => create(store(), key(index), 'one')));
		assert.deepEqual(sink.revisions, counting(1, 300));
	});
}

/** Range reads: order, pages, limits and earlier revisions. */
function ranges(store: () => Store): void {
	test('a range returns the keys with its prefix, in the order of their UTF-8 bytes', async () => {
		// In UTF-16 the last two would be in reverse order. `%` and `_` must not act as SQL wildcards.
		const keys = ['a', 'a%', 'a/', 'a/b', 'a/b/c', 'a_', 'aa', 'b', 'ä', '\uffee', '\u{1f600}'];
		for (const each of keys.toReversed()) await create(store(), each, '');
		const found = async (prefix: string): Promise<readonly string[]> =>
			(await list(store(), { prefix })).keys;
		assert.deepEqual(await found(''), keys);
		assert.deepEqual(await found('a/'), ['a/', 'a/b', 'a/b/c']);
		assert.deepEqual(await found('a%'), ['a%']);
		assert.deepEqual(await found('a_'), ['a_']);
		assert.deepEqual(await found('ä'), ['ä']);
		assert.deepEqual(await found('c'), []);
	});

	test('pages follow each other without a gap, and report whether more keys exist', async () => {
		for (let index = 0; index < 5; index++) await create(store(), key(index), 'one');
		await create(store(), 'other', 'one');
		const page = async (after: string, limit: number): Promise<string> => {
			const { keys, more } = await list(store(), { prefix: 'k/', after, limit });
			return `${keys.join(' ')}${more ? ' …' : ''}`;
		};
		assert.equal(await page('', 2), `${key(0)} ${key(1)} …`);
		assert.equal(await page(key(1), 2), `${key(2)} ${key(3)} …`);
		assert.equal(await page(key(3), 2), `${key(4)}`);
		assert.equal(await page(key(2), 2), `${key(3)} ${key(4)}`);
		assert.equal(await page(key(4), 2), '');
		assert.equal(await page(`${key(1)}!`, 1), `${key(2)} …`);
	});

	test('a page ends with the value that reaches its limit of bytes, and has at least one', async () => {
		for (const [index, text] of ['a', 'bb', 'ccc', 'd'].entries()) await create(store(), key(index), text);
		const page = async (after: string, limits: ReadLimits): Promise<string> => {
			const { keys, more } = await list(store(), { prefix: 'k/', after, ...limits });
			return `${keys.join(' ')}${more ? ' …' : ''}`;
		};
		assert.equal(await page('', { bytes: 1 }), `${key(0)} …`);
		assert.equal(await page('', { bytes: 2 }), `${key(0)} ${key(1)} …`);
		assert.equal(await page('', { bytes: 3, limit: 1 }), `${key(0)} …`);
		assert.equal(await page(key(1), { bytes: 1 }), `${key(2)} …`);
		assert.equal(await page(key(1), { bytes: 4 }), `${key(2)} ${key(3)}`);
	});

	test('a range at an earlier revision returns the entries of that revision', async () => {
		await create(store(), 'a', 'one');
		await create(store(), 'b', 'one');
		await update(store(), 'a', 'two', 1);
		await remove(store(), 'b', 2);
		await create(store(), 'b', 'again');
		const expected = [[], ['a=one'], ['a=one', 'b=one'], ['a=two', 'b=one'], ['a=two'], ['a=two', 'b=again']];
		for (const [revision, texts] of expected.entries()) {
			const found = await list(store(), { prefix: '', revision });
			assert.deepEqual(found.texts, texts);
			assert.equal(found.revision, revision);
		}
		assert.equal((await list(store(), { prefix: '' })).revision, 5);
	});

	test('pages of one revision do not see later writes', async () => {
		for (let index = 0; index < 4; index++) await create(store(), key(index), 'one');
		const first = await list(store(), { prefix: 'k/', limit: 2 });
		await remove(store(), key(2), 3);
		await update(store(), key(3), 'two', 4);
		await create(store(), key(5), 'one');
		const { revision } = first;
		const second = await list(store(), { prefix: 'k/', after: key(1), limit: 2, revision });
		assert.deepEqual(second.texts, [`${key(2)}=one`, `${key(3)}=one`]);
		assert.equal(second.more, false);
	});

	test('a range at a future revision is refused', async () => {
		await create(store(), 'a', 'one');
		await assert.rejects(store().range({ prefix: '', revision: 2 }), FutureRevisionError);
	});
}

/** Rule 3: live watches and watches from an earlier revision. */
function watching(store: () => Store): void {
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
function catchingUp(store: () => Store): void {
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

/** Store.changes: batches of the history for a reader with its own pace. */
function history(store: () => Store): void {
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

/** What sinks may do within their calls: throw, stop watches, write, open watches. */
function sinks(store: () => Store): void {
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

/** Rule 4: compaction, also concurrent with watches. */
function compaction(store: () => Store): void {
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

/** The end of a store: pending writes finish, watches end, later calls are refused. */
function closing(store: () => Store): void {
	test('close() waits for pending writes and ends every watch', async () => {
		await fill(store(), 1200);
		const [live, behind, stopped] = [new RecordingSink(), new RecordingSink(), new RecordingSink()];
		store().watch({ prefix: '', after: 1200 }, live);
		store().watch({ prefix: '', after: 0 }, behind);
		store().watch({ prefix: '', after: 1200 }, stopped).stop();
		const written = create(store(), 'last', 'one');
		const closed = store().close();
		assert.equal(await written, 1201);
		await closed;
		assert.deepEqual(live.keys, ['last']);
		assert.ok(live.error instanceof StoreUnavailableError);
		assert.ok(behind.error instanceof StoreUnavailableError);
		assert.equal(stopped.error, undefined);
	});

	test('a closed store refuses all calls but close()', async () => {
		await create(store(), 'a', 'one');
		await store().close();
		await assert.rejects(create(store(), 'b', 'one'), StoreUnavailableError);
		await assert.rejects(store().get('a'), StoreUnavailableError);
		await assert.rejects(store().range({ prefix: '' }), StoreUnavailableError);
		await assert.rejects(store().changes({ prefix: '', after: 0, limit: 1 }), StoreUnavailableError);
		await assert.rejects(store().compact(1), StoreUnavailableError);
		assert.throws(() => store().watch({ prefix: '', after: 0 }, new RecordingSink()), StoreUnavailableError);
		await store().close();
	});

	test('a sink may close the store', async () => {
		const [sink, other] = [new RecordingSink(), new RecordingSink()];
		let closed: Promise<void> | undefined;
		sink.onBatch = () => {
			if (closed) return;
			void create(store(), 'b', 'one');
			closed = store().close();
		};
		store().watch({ prefix: '', after: 0 }, sink);
		store().watch({ prefix: '', after: 0 }, other);
		await create(store(), 'a', 'one');
		await closed;
		assert.deepEqual(sink.revisions, [1, 2].slice(0, sink.revisions.length));
		assert.deepEqual(other.revisions, sink.revisions);
		assert.ok(other.error instanceof StoreUnavailableError);
	});
}

/** Writes a short history with every kind of change: {@link CHURN} are its changes as text. */
async function churn(store: Store): Promise<void> {
	await create(store, 'a', 'one');
	await create(store, 'b', 'one');
	await update(store, 'a', 'two', 1);
	await remove(store, 'b', 2);
}

const CHURN = [
	'1 put a=one (created 1)',
	'2 put b=one (created 2)',
	'3 put a=two (created 1), was one at 1',
	'4 delete b, was one at 2',
];

/** Writes `count` changes. */
async function fill(store: Store, count: number): Promise<void> {
	filled += 1;
	await Promise.all(
		Array.from({ length: count }, (_, index) => create(store, `f/${filled}/${index}`, 'one')),
	);
}

let filled = 0;

async function read(store: Store, name: string): Promise<Plain | undefined> {
	const entry = await store.get(name);
	return entry && plainEntry(entry);
}

async function unchanged(store: Store, entry: Plain): Promise<void> {
	assert.deepEqual(await read(store, entry.key), entry);
	const sink = new RecordingSink();
	store.watch({ prefix: '', after: 0 }, sink);
	await sink.untilRevision(store.revision);
	assert.deepEqual(sink.revisions, counting(1, store.revision));
}

interface Listed {
	readonly revision: Revision;
	readonly keys: readonly string[];
	readonly texts: readonly string[];
	readonly more: boolean;
}

async function list(store: Store, request: RangeRequest): Promise<Listed> {
	const { revision, entries, more } = await store.range(request);
	const plain = entries.map(plainEntry);
	return {
		revision,
		keys: plain.map((entry) => entry.key),
		texts: plain.map((entry) => `${entry.key}=${entry.text}`),
		more,
	};
}

function key(index: number): string {
	return `k/${String(index).padStart(4, '0')}`;
}

function counting(first: number, count: number): readonly number[] {
	return Array.from({ length: count }, (_, index) => first + index);
}
