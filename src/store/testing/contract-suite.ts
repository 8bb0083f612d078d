/**
 * The contract of every store, as tests. Numbers in titles are those of the rules in store.ts. The test file
 * of each implementation says how to open an empty store.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ReadLimits } from '../read-limit.ts';
import {
	FutureRevisionError,
	KeyExistsError,
	RevisionMismatchError,
	type Store,
	StoreUnavailableError,
} from '../store.ts';
import { compaction, history } from './history-contract-suite.ts';
import { followsModel } from './model-contract-suite.ts';
import { create, RecordingSink, remove, update } from './recording-sink.ts';
import { counting, fill, key, list, read, unchanged } from './store-probe.ts';
import { catchingUp, sinks, watching } from './watch-contract-suite.ts';

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
