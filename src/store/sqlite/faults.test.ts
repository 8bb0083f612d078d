import assert from 'node:assert/strict';
import { mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, afterEach, describe, test } from 'node:test';
import { type Store, StoreFailedError, StoreUnavailableError } from '../store.ts';
import { create, decode, RecordingSink, remove, update } from '../testing/recording-sink.ts';
import { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';

/** How the store behaves when the disk, the file or the database fails. */

const folder = mkdtempSync(join(tmpdir(), 'stint-store-faults-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function freshPath(): string {
	files += 1;
	return join(folder, `${files}.db`);
}

const opened: Store[] = [];
afterEach(async () => {
	for (const store of opened.splice(0)) await store.close();
});

async function open(options: SqliteStoreOptions): Promise<Store> {
	const store = await openSqliteStore(options);
	opened.push(store);
	return store;
}

/** A database in which statements fail whose first word is in `faults`. */
class FaultyDatabase extends DatabaseSync {
	readonly faults = new Set<string>();

	override exec(sql: string): void {
		const [word = ''] = sql.split(' ');
		if (this.faults.has(word)) throw sqliteError(`disk I/O error at ${word}`);
		super.exec(sql);
	}
}

function sqliteError(message: string): Error {
	return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode: 10 });
}

async function openFaulty(): Promise<{ readonly store: Store; readonly database: FaultyDatabase }> {
	let database: FaultyDatabase | undefined;
	const store = await open({
		path: freshPath(),
		openDatabase: (path) => {
			database = new FaultyDatabase(path);
			return database;
		},
	});
	assert.ok(database);
	return { store, database };
}

describe('SQLite store with temporary faults', () => {
	test('an error at a commit refuses its writes, and later writes succeed', async () => {
		const { store, database } = await openFaulty();
		const sink = new RecordingSink();
		store.watch({ prefix: '', after: 0 }, sink);
		await create(store, 'a', 'one');
		for (const word of ['BEGIN', 'COMMIT']) {
			database.faults.add(word);
			const outcomes = await Promise.allSettled([update(store, 'a', 'two', 1), create(store, 'b', 'one')]);
			for (const outcome of outcomes) {
				assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailableError);
				assert.ok(!(outcome.reason instanceof StoreFailedError));
				assert.match(outcome.reason.message, /could not be committed to disk: .*disk I\/O error/);
			}
			database.faults.clear();
		}
		assert.equal(await update(store, 'a', 'three', 1), 2);
		assert.deepEqual(sink.plain, ['1 put a=one (created 1)', '2 put a=three (created 1), was one at 1']);
	});

	test('an error at a compaction changes nothing, and the next compaction succeeds', async () => {
		const { store, database } = await openFaulty();
		await create(store, 'a', 'one');
		await update(store, 'a', 'two', 1);
		database.faults.add('COMMIT');
		await assert.rejects(store.compact(2), StoreUnavailableError);
		database.faults.clear();
		assert.equal((await store.range({ prefix: '', revision: 1 })).entries.length, 1);
		await store.compact(2);
		assert.equal(await update(store, 'a', 'three', 2), 3);
	});
});

describe('SQLite store with permanent faults', () => {
	test('a failed rollback fails the store: all writers, watchers and its owner get the error', async () => {
		const { store, database } = await openFaulty();
		const sink = new RecordingSink();
		store.watch({ prefix: '', after: 0 }, sink);
		await create(store, 'a', 'one');
		database.faults.add('COMMIT').add('ROLLBACK');
		const group = [create(store, 'b', 'one'), create(store, 'a', 'refused')];
		const outcomes = await Promise.allSettled(group);
		const failure = await store.failure;
		assert.match(failure.message, /COMMIT/);
		for (const outcome of outcomes) assert.ok(outcome.status === 'rejected' && outcome.reason === failure);
		await sink.untilEnded();
		assert.equal(sink.error, failure);
		database.faults.clear();
		await assert.rejects(create(store, 'c', 'one'), StoreFailedError);
		await assert.rejects(store.get('a'), StoreFailedError);
		await assert.rejects(store.range({ prefix: '' }), StoreFailedError);
		await assert.rejects(store.compact(1), StoreFailedError);
		await store.close();
	});

	test('a failed rollback of a compaction fails the store', async () => {
		const { store, database } = await openFaulty();
		await create(store, 'a', 'one');
		database.faults.add('COMMIT').add('ROLLBACK');
		await assert.rejects(store.compact(1), StoreFailedError);
		database.faults.clear();
		await assert.rejects(create(store, 'b', 'one'), StoreFailedError);
		assert.ok((await store.failure) instanceof StoreFailedError);
	});

	test('a damaged file fails the store at the first read, with the path and instructions', async () => {
		const path = freshPath();
		const before = await open({ path });
		await Promise.all(Array.from({ length: 200 }, (_, i) => create(before, `k/${i}`, 'x'.repeat(2000))));
		await before.close();
		// Not the first page, which contains the list of tables.
		const file = openSync(path, 'r+');
		const { size } = statSync(path);
		writeSync(file, Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096);
		await assert.rejects((async () => (await open({ path })).range({ prefix: '' }))(), (error: Error) => {
			assert.ok(error instanceof StoreFailedError, String(error));
			assert.ok(error.message.startsWith(`${path} is damaged (`));
			assert.match(error.message, /restore the data folder from a backup, or move this file away/);
			return true;
		});
	});
});

describe('SQLite store whose file was changed while it was closed', () => {
	test('the loss of the WAL is detected and reported, and no lost revision is assigned again', async () => {
		const path = freshPath();
		const before = await open({ path });
		for (let i = 1; i <= 3; i++) await create(before, `k/${i}`, 'one');
		await before.close();
		const kept = readFileSync(path);
		const again = await open({ path });
		for (let i = 4; i <= 9; i++) await create(again, `k/${i}`, 'one');
		await update(again, 'k/1', 'two', 1);
		await again.close();
		// As after the loss of the WAL: the older content and no WAL beside it.
		writeFileSync(path, kept);

		const warnings: string[] = [];
		const store = await open({ path, onWarning: (message) => warnings.push(message) });
		assert.deepEqual(warnings, [
			`${path} has lost acknowledged writes: revisions 4 to 10. It was restored from an older copy, or its -wal file was truncated or removed`,
		]);
		assert.equal(store.revision, 10);
		assert.equal((await store.range({ prefix: '' })).entries.length, 3);
		assert.throws(() => store.watch({ prefix: '', after: 9 }, new RecordingSink()), {
			name: 'CompactedError',
		});
		assert.equal(await create(store, 'k/4', 'again'), 11);
		await store.close();
		await open({ path, onWarning: (message) => assert.fail(message) });
	});

	test('an invalid or missing mark is replaced without a warning', async () => {
		const path = freshPath();
		const onWarning = (message: string): void => assert.fail(message);
		const before = await open({ path });
		await create(before, 'a', 'one');
		await before.close();
		for (const garbage of ['', 'x'.repeat(16), '99']) {
			writeFileSync(`${path}-mark`, garbage);
			const store = await open({ path, onWarning });
			await create(store, `after ${garbage.length}`, 'one');
			await store.close();
		}
		rmSync(`${path}-mark`);
		assert.equal((await open({ path, onWarning })).revision, 4);
	});

	test('a value that is not a blob is read as its text', async () => {
		const path = freshPath();
		const before = await open({ path });
		await create(before, 'a', 'one');
		await create(before, 'b', 'one');
		await before.close();
		const database = new DatabaseSync(path);
		database.exec(`UPDATE log SET value = 'text' WHERE key = 'a'; UPDATE log SET value = 7 WHERE key = 'b'`);
		database.close();
		const store = await open({ path });
		const { entries } = await store.range({ prefix: '' });
		assert.deepEqual(
			entries.map(({ value }) => decode(value)),
			['text', '7'],
		);
		assert.equal(decode((await store.get('a'))?.value ?? new Uint8Array()), 'text');
	});
});

describe('the file of a SQLite store', () => {
	const size = (path: string): number => statSync(path).size + statSync(`${path}-wal`).size;

	/** Creates and deletes `count` values of 3 KB. */
	async function churn(store: Store, count: number): Promise<void> {
		const text = 'x'.repeat(3000);
		const keys = Array.from({ length: count }, (_, i) => `burst/${i}`);
		const created = await Promise.all(keys.map((key) => create(store, key, text)));
		await Promise.all(keys.map((key, i) => remove(store, key, created[i] ?? 0)));
	}

	test('shrinks after a burst, in steps between which other work runs', async () => {
		const path = freshPath();
		const store = await open({ path });
		await create(store, 'kept', 'one');
		await churn(store, 5000);
		const full = size(path);
		assert.ok(full > 15_000_000, `${full} bytes`);
		let turns = 0;
		let done = false;
		const count = (): void => {
			turns += 1;
			if (!done) setImmediate(count);
		};
		setImmediate(count);
		await store.compact(store.revision);
		done = true;
		assert.ok(turns > 100, `${turns} turns of the event loop`);
		await store.close();
		assert.ok(statSync(path).size < 2_500_000, `${statSync(path).size} bytes are left of ${full}`);
		assert.equal(decode((await (await open({ path })).get('kept'))?.value ?? new Uint8Array()), 'one');
	});

	test('keeps its size while as much is deleted as is created', async () => {
		const path = freshPath();
		const store = await open({ path });
		const sizes: number[] = [];
		for (let round = 0; round < 8; round++) {
			await churn(store, 300);
			await store.compact(store.revision);
			sizes.push(size(path));
		}
		const [, , settled = 0] = sizes;
		assert.ok((sizes.at(-1) ?? 0) <= settled * 1.1, sizes.join(' '));
	});

	test('gets incremental vacuum when it is opened, if it was created without', async () => {
		const path = freshPath();
		const old = new DatabaseSync(path);
		old.exec('PRAGMA journal_mode = WAL; CREATE TABLE other (a)');
		old.close();
		const store = await open({ path });
		await create(store, 'a', 'one');
		await churn(store, 2000);
		await store.compact(store.revision);
		await store.close();
		assert.ok(statSync(path).size < 2_500_000);
		assert.equal(decode((await (await open({ path })).get('a'))?.value ?? new Uint8Array()), 'one');
	});

	test('truncates its WAL after a burst', async () => {
		const path = freshPath();
		const store = await open({ path });
		await create(store, 'large', 'x'.repeat(20_000_000));
		assert.ok(statSync(`${path}-wal`).size > 20_000_000);
		await create(store, 'next', 'one');
		await create(store, 'after', 'one');
		assert.ok(statSync(`${path}-wal`).size <= 4 * 1024 * 1024);
	});
});
