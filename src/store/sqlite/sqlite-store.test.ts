import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { after, afterEach, describe, test } from 'node:test';
import {
	type Change,
	CompactedError,
	type Store,
	StoreLockedError,
	StoreUnavailableError,
} from '../store.ts';
import { storeContract } from '../testing/contract-suite.ts';
import { create, decode, encode, RecordingSink, remove, update } from '../testing/recording-sink.ts';
import { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-store-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;

/** A path at which no file exists. */
function freshPath(): string {
	files += 1;
	return join(folder, `${files}.db`);
}

storeContract('SQLite store', () => openSqliteStore({ path: freshPath() }));

const opened: Store[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
	for (const store of opened.splice(0)) await store.close();
	for (const child of children.splice(0)) await killed(child);
});

async function open(options: SqliteStoreOptions): Promise<Store> {
	const store = await openSqliteStore(options);
	opened.push(store);
	return store;
}

describe('SQLite store on disk', () => {
	test('a reopened store has all entries and history, and continues from its revision', async () => {
		const path = freshPath();
		const before = await open({ path });
		await create(before, 'a', 'one');
		await create(before, 'b', 'one');
		await update(before, 'a', 'two', 1);
		await remove(before, 'b', 2);
		await before.close();

		const store = await open({ path });
		assert.equal(store.revision, 4);
		assert.equal(await textAt(store, 'a'), 'two');
		assert.equal(await store.get('b'), undefined);
		assert.equal((await store.range({ prefix: '', revision: 2 })).entries.length, 2);
		const sink = new RecordingSink();
		store.watch({ prefix: '', after: 0 }, sink);
		assert.equal(await create(store, 'b', 'again'), 5);
		assert.deepEqual((await sink.until(5)).revisions, [1, 2, 3, 4, 5]);
	});

	test('a live change reads the previous value when it is asked for, until that is compacted', async () => {
		const store = await open({ path: freshPath() });
		const batches: Change[][] = [];
		const kept = { changes: (batch: readonly Change[]) => void batches.push([...batch]), ended: () => {} };
		store.watch({ prefix: '', after: 0 }, kept);
		await create(store, 'a', 'one');
		await update(store, 'a', 'two', 1);
		await update(store, 'a', 'three', 2);
		const previous = batches.flat().map((change) => change.previous);
		assert.equal(decode(previous[1]?.value ?? encode('')), 'one');
		await store.compact(3);
		assert.equal(decode(previous[1]?.value ?? encode('')), 'one', 'a value that was read stays');
		assert.throws(() => previous[2]?.value, CompactedError);
	});

	test('a compacted revision stays compacted, and no revision is assigned twice', async () => {
		const path = freshPath();
		const before = await open({ path });
		await create(before, 'a', 'one');
		await remove(before, 'a', 1);
		await before.compact(2);
		await before.close();
		assert.equal(rowsIn(path), 0);

		const store = await open({ path });
		assert.equal(store.revision, 2);
		await assert.rejects(store.range({ prefix: '', revision: 1 }), { name: 'CompactedError', oldest: 2 });
		assert.equal(await create(store, 'a', 'two'), 3);
	});

	test('only the owner of the files may read them', async () => {
		const path = freshPath();
		writeFileSync(path, '');
		chmodSync(path, 0o644);
		const store = await open({ path });
		await create(store, 'a', 'secret');
		const beside = readdirSync(folder).filter((name) => join(folder, name).startsWith(path));
		assert.ok(beside.length >= 2, 'the WAL lies beside the file');
		for (const name of beside) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
	});

	test('writes requested in one turn share one commit', async () => {
		const path = freshPath();
		const store = await open({ path });
		const pages = (): number => Math.ceil(statSync(`${path}-wal`).size / 4096);
		const before = pages();
		await Promise.all(Array.from({ length: 200 }, (_, index) => create(store, `k/${index}`, 'one')));
		const together = pages() - before;
		// A commit per write would write at least a page of the table and one of the index each time.
		assert.ok(together < 100, `200 writes took ${together} pages`);
		await create(store, 'single', 'one');
		assert.ok(pages() - before - together >= 2);
	});

	test('large writes are committed in several turns, and all before the store closes', async () => {
		const path = freshPath();
		const store = await open({ path });
		const value = Buffer.alloc(1024 * 1024);
		const order: string[] = [];
		const writes = Array.from({ length: 5 }, (_, index) =>
			store.write({ type: 'create', key: `large-${index}`, value }).then(() => order.push('write')),
		);
		const turns = (async () => {
			for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate).then(() => order.push('turn'));
		})();
		await Promise.all([store.close(), ...writes, turns]);
		assert.ok(order.lastIndexOf('write') > order.indexOf('turn'), `a turn lies between the writes: ${order}`);
		assert.equal((await open({ path })).revision, 5);
	});

	test('a history mostly of other keys is read in batches, and a watch delivers all its changes', async () => {
		const store = await open({ path: freshPath() });
		const create = (key: string): Promise<number> =>
			store.write({ type: 'create', key, value: Buffer.of(1) });
		await Promise.all(
			['a/first', ...Array.from({ length: 2500 }, (_, index) => `b/${index}`), 'a/last'].map(create),
		);
		const pieces: (readonly number[])[] = [];
		for (let after = 0; after < store.revision; ) {
			const { revision, changes } = await store.changes({ prefix: 'a/', after, limit: 10 });
			pieces.push(changes.map((change) => change.revision));
			after = revision;
		}
		assert.deepEqual(pieces, [[1], [], [2502]]);
		const delivered: number[] = [];
		const { promise, resolve } = Promise.withResolvers<void>();
		const changes = (batch: readonly Change[]): void => {
			delivered.push(...batch.map(({ revision }) => revision));
			if (delivered.length === 3) resolve();
		};
		store.watch({ prefix: 'a/', after: 0 }, { changes, ended: assert.ifError });
		await create('a/live');
		await promise;
		assert.deepEqual(delivered, [1, 2502, 2503]);
	});

	test('other writes run between the steps of a long compaction', async () => {
		const path = freshPath();
		const store = await open({ path });
		await create(store, 'a', '0');
		for (let revision = 1; revision < 1000; revision++) await update(store, 'a', String(revision), revision);
		const order: string[] = [];
		await Promise.all([
			store.compact(1000).then(() => order.push('compacted')),
			create(store, 'b', 'one').then(() => order.push('written')),
		]);
		assert.deepEqual(order, ['written', 'compacted']);
		await store.close();
		assert.equal(rowsIn(path), 2);
	});
});

describe('SQLite store that cannot be opened', () => {
	test('fails with StoreLockedError while another process has it open', async () => {
		const path = freshPath();
		const child = startChild(path, `process.stdout.write('open\\n'); setInterval(() => {}, 1000);`);
		await lineFrom(child);
		await assert.rejects(openSqliteStore({ path }), (error: Error) => {
			assert.ok(error instanceof StoreLockedError);
			assert.match(error.message, new RegExp(`${path} is in use by another process`));
			return true;
		});
		await killed(child);
		const store = await open({ path });
		assert.equal(await create(store, 'a', 'one'), 1);
	});

	test('fails with StoreLockedError while this process has it open', async () => {
		const path = freshPath();
		const store = await open({ path });
		await assert.rejects(openSqliteStore({ path }), StoreLockedError);
		assert.equal(await create(store, 'a', 'one'), 1);
	});

	test('fails for a file that is not a database, is of a newer version or cannot be created', async () => {
		const garbage = freshPath();
		writeFileSync(garbage, 'x'.repeat(10_000));
		const newer = freshPath();
		const database = new DatabaseSync(newer);
		database.exec('PRAGMA user_version = 1000');
		database.close();
		const nowhere = join(folder, 'missing', 'store.db');
		for (const path of [garbage, newer, nowhere]) {
			await assert.rejects(openSqliteStore({ path }), (error: Error) => {
				assert.ok(error instanceof StoreUnavailableError, String(error));
				assert.match(error.message, /database|version|no such file/);
				return true;
			});
		}
	});
});

describe('SQLite store after a kill and on a full disk', () => {
	test('a killed process loses no acknowledged write', async () => {
		const path = freshPath();
		const child = startChild(
			path,
			`for (let round = 0; ; round++) {
				const group = Array.from({ length: 7 }, (_, i) => ({ key: round + '/' + i, value: new Uint8Array(300) }));
				const written = await Promise.all(group.map((each) => store.write({ type: 'create', ...each })));
				process.stdout.write(group.map(({ key }, i) => written[i] + ' ' + key + '\\n').join(''));
			}`,
		);
		const acknowledged: string[] = [];
		for await (const line of createInterface({ input: streamOf(child) })) {
			acknowledged.push(line);
			if (acknowledged.length === 2000) child.kill('SIGKILL');
		}
		await killed(child);
		assert.ok(acknowledged.length >= 2000);

		const store = await open({ path });
		const { entries } = await store.range({ prefix: '' });
		const found = new Set(entries.map(({ key, revision }) => `${revision} ${key}`));
		// The last line may be cut short by the kill.
		for (const line of acknowledged.slice(0, -1)) assert.ok(found.has(line), line);
		assert.equal(entries.length, store.revision);
		assert.equal(await create(store, 'next', 'one'), store.revision);
	});

	test('a full disk refuses the write, and affects nothing else', async () => {
		const store = await open({ path: freshPath(), maxPages: 40 });
		const sink = new RecordingSink();
		store.watch({ prefix: '', after: 0 }, sink);
		await create(store, 'a', 'one');
		const large = 'x'.repeat(200_000);
		const refused = await Promise.allSettled([
			update(store, 'a', 'two', 1),
			create(store, 'large', large),
			create(store, 'a', 'refused'),
		]);
		for (const outcome of refused) {
			assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailableError);
		}
		assert.equal(store.revision, 1);
		assert.equal(await textAt(store, 'a'), 'one');
		assert.equal(await store.get('large'), undefined);
		assert.equal(await update(store, 'a', 'three', 1), 2);
		assert.deepEqual(sink.revisions, [1, 2]);
	});

	test('writes succeed again once a compaction has freed space on a full disk', async () => {
		const path = freshPath();
		const store = await open({ path, maxPages: 40 });
		const text = 'x'.repeat(3000);
		let revision = await create(store, 'a', text);
		const error = await (async (): Promise<unknown> => {
			for (;;) revision = await update(store, 'a', text, revision);
		})().catch((reason: unknown) => reason);
		assert.ok(error instanceof StoreUnavailableError);
		assert.match(error.message, /full/);
		assert.equal(store.revision, revision);
		await store.compact(revision);
		assert.equal(await update(store, 'a', 'small', revision), revision + 1);
		await store.close();
		const again = await open({ path });
		assert.equal(await textAt(again, 'a'), 'small');
		assert.equal(again.revision, revision + 1);
	});
});

/** A process that opens the store at `path` as `store` and then runs `body`. */
function startChild(path: string, body: string): ChildProcess {
	const module = new URL('./sqlite-store.ts', import.meta.url).href;
	const program = `
		import { openSqliteStore } from ${JSON.stringify(module)};
		const store = await openSqliteStore({ path: ${JSON.stringify(path)} });
		${body}`;
	const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	children.push(child);
	return child;
}

function streamOf(child: ChildProcess): NodeJS.ReadableStream {
	assert.ok(child.stdout);
	return child.stdout;
}

async function lineFrom(child: ChildProcess): Promise<void> {
	await once(createInterface({ input: streamOf(child) }), 'line');
}

async function killed(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill('SIGKILL');
	await once(child, 'exit');
}

async function textAt(store: Store, key: string): Promise<string | undefined> {
	const entry = await store.get(key);
	return entry && decode(entry.value);
}

/** The number of rows in the log of a closed store. */
function rowsIn(path: string): number {
	const database = new DatabaseSync(path);
	const count = Number(database.prepare('SELECT count(*) AS rows FROM log').get()?.rows);
	database.close();
	return count;
}
