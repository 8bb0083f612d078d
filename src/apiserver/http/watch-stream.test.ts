import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ADMIN } from '../../api/contract/user.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { RunQueue } from '../../base/queue/run-queue.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { Query } from '../query.ts';
import type { ApiServer } from '../server.ts';
import { ResourceCodec } from '../storage/stored-object.ts';
import { jsonOf, listenTo, send, textOf, transportTo } from '../testing/https-test-client.ts';
import { Seen, withPatience } from '../testing/seen.ts';
import { openTestServer, PODS, podNamed, type TestServer } from '../testing/server-contract-suite.ts';
import { WatchLines } from '../verbs/watch-events.ts';
import type { HttpListener } from './listener.ts';
import { SharedLines } from './shared-lines.ts';
import { SlowClients } from './slow-clients.ts';
import { HttpWatch } from './watch-stream.ts';

const MEBIBYTE = 1024 * 1024;

describe('watches over HTTP', () => {
	let opened: TestServer;
	let listener: HttpListener;
	/** The clock of the listener, for timeouts of clients that read nothing. */
	let clock: VirtualClock;

	beforeEach(async () => {
		opened = await openTestServer();
		clock = new VirtualClock();
		listener = await listenTo(opened, { clock });
	});
	afterEach(async () => {
		await listener.close();
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});

	/** Creates Pods of this many bytes each. */
	const createPods = async (count: number, bytes: number, prefix = 'p'): Promise<void> => {
		const annotations = { big: 'x'.repeat(bytes) };
		for (let index = 0; index < count; index++) {
			const body = podNamed(`${prefix}${index}`, { annotations });
			await opened.server.request({ method: 'POST', path: PODS, body });
		}
	};
	const watch = (query: string, accept = 'application/json'): Promise<IncomingMessage> =>
		send(listener, 'GET', `${PODS}?watch=true&${query}`, { headers: { accept } });

	test('sends a watch error as its last event', async () => {
		const path = `${PODS}?watch=true&resourceVersion=${opened.store.revision}`;
		const response = await send(listener, 'GET', path);
		await opened.store.close();
		const { type, object } = await jsonOf(response);
		assert.equal(type, 'ERROR');
		assert.equal(object.code, 503);
		opened.faults.length = 0;
	});

	test('sends watches as Tables, with column definitions in the first event only', async () => {
		const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
		const response = await send(listener, 'GET', `${PODS}?watch=true&timeoutSeconds=1`, {
			headers: { accept },
		});
		for (const name of ['a', 'b']) {
			await opened.server.request({ method: 'POST', path: PODS, body: podNamed(name) });
		}
		opened.clock.advance(1000);
		const lines = (await textOf(response)).trim().split('\n');
		const tables = lines.map((line) => JSON.parse(line).object);
		assert.deepEqual(
			tables.map(({ kind, columnDefinitions, rows }) => [kind, Boolean(columnDefinitions), rows[0].cells[0]]),
			[
				['Table', true, 'a'],
				['Table', false, 'b'],
			],
		);
	});

	test('sends a bookmark as a Table without rows, and in every other form', async () => {
		await createPods(1, 1);
		const forms = [
			['application/json', 'v1', 'Pod'],
			...['v1', 'v1beta1'].flatMap((version) => [
				[`application/json;as=Table;g=meta.k8s.io;v=${version}`, `meta.k8s.io/${version}`, 'Table'],
				[
					`application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=${version}`,
					`meta.k8s.io/${version}`,
					'PartialObjectMetadata',
				],
			]),
		];
		for (const [accept = '', apiVersion, kind] of forms) {
			for (const includeObject of kind === 'Table' ? ['None', 'Metadata', 'Object'] : ['']) {
				const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
				const query = `${initial}&timeoutSeconds=90&includeObject=${includeObject}`;
				const response = await watch(query, accept);
				// The first bookmark marks the end of the initial events, the second comes after a minute.
				opened.clock.advance(60_000);
				await createPods(1, 1, `q${apiVersion?.length}${kind?.toLowerCase()}${includeObject.toLowerCase()}`);
				opened.clock.advance(30_000);
				const events = (await textOf(response))
					.trim()
					.split('\n')
					.map((line) => JSON.parse(line));
				assert.ok(events.every(({ object }) => object.kind === kind && object.apiVersion === apiVersion));
				const bookmarks = events.filter(({ type }) => type === 'BOOKMARK');
				assert.equal(bookmarks.length, 2, accept);
				for (const { object } of bookmarks) {
					assert.match(object.metadata.resourceVersion, /^\d+$/);
					if (kind === 'Table') assert.deepEqual(object.rows, []);
				}
				assert.ok(events.filter(({ type }) => type === 'ADDED').length >= 2);
			}
		}
	});

	test('ends the watch with an object that cannot be encoded, and no other watch', async () => {
		const table = await watch('timeoutSeconds=1', 'application/json;as=Table;v=v1;g=meta.k8s.io');
		const plain = await watch('timeoutSeconds=1');
		const key = '/registry/core/pods/default/broken';
		const value = Buffer.from(
			'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"broken","namespace":"default"},"spec":7}',
		);
		await opened.store.write({ type: 'create', key, value });
		const { type, object } = await jsonOf(table);
		assert.deepEqual([type, object.code], ['ERROR', 500]);
		await createPods(1, 1);
		opened.clock.advance(1000);
		const lines = (await textOf(plain)).trim().split('\n');
		assert.equal(lines.length, 2);
		assert.equal(opened.faults.length, 1);
		opened.faults.length = 0;
	});

	test('sends initial events of any size to a client that reads', async () => {
		await createPods(100, 250_000);
		const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
		for (const query of [{}, { ...initial, allowWatchBookmarks: 'true' }]) {
			const seen = await Seen.open(transportTo(listener), PODS, query);
			const texts = await seen.texts(100);
			assert.equal(texts[99], 'ADDED p99');
			seen.watch?.stop();
		}
	});

	test('sends all events in order and once to a client that reads late', async () => {
		const revision = opened.store.revision;
		const response = await watch(`resourceVersion=${revision}&timeoutSeconds=5`);
		await createPods(100, 250_000);
		opened.clock.advance(5000);
		const names = (await textOf(response))
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line).object.metadata.name);
		assert.deepEqual(
			names,
			Array.from({ length: 100 }, (_, index) => `p${index}`),
		);
	});

	test('disconnects a client that reads nothing for a minute', async () => {
		const response = await watch('');
		await createPods(100, 250_000);
		const isOpen = async (): Promise<boolean> =>
			/^apiserver_longrunning_requests\{.*resource="pods"/m.test(await opened.metrics.text());
		const waited = (async (): Promise<void> => {
			while (await isOpen()) {
				clock.advance(60_000);
				await textOf(await send(listener, 'GET', '/readyz'));
			}
		})();
		await withPatience(waited, () => 'the client was not cut');
		await assert.rejects(textOf(response), { code: 'ECONNRESET' });
	});

	test('buffers nothing for clients that never read, however many changes there are', async () => {
		const clients = await Promise.all(Array.from({ length: 50 }, () => watch('resourceVersion=0')));
		for (const client of clients) client.on('error', () => {}).pause();
		const before = bytesHeld();
		await createPods(100, 250_000);
		// Each of these responses comes after another round of all watches.
		for (let round = 0; round < 20; round++) await textOf(await send(listener, 'GET', '/readyz'));
		// The Pods take 24 MiB; a copy of them for each watch would take a gigabyte.
		const grown = (bytesHeld() - before) / MEBIBYTE;
		assert.ok(grown < 150, `${grown.toFixed(0)} MiB are held`);
		for (const client of clients) client.destroy();
	});
});

test('a write is answered before watches over connections are sent the change, all with the same bytes', async () => {
	const { server, store } = await openTestServer();
	const { open } = watchOpener(server);
	const watched = Array.from({ length: 3 }, () => open({ resourceVersion: String(store.revision) }));
	await server.request({ method: 'POST', path: PODS, body: podNamed('p') });
	assert.deepEqual(
		watched.map(({ written }) => written.length),
		[0, 0, 0],
	);
	await new Promise(setImmediate);
	const [first, ...others] = watched.map(({ written }) => written);
	assert.match(String(first?.[0]), /^\{"type":"ADDED","object":\{"kind":"Pod".*"name":"p".*\}\n$/);
	for (const written of others) {
		assert.equal(written.length, 1);
		assert.equal(written[0], first?.[0]);
	}
	server.close();
});

describe('a client that has not read the last bytes', () => {
	const BIG = 100_000;

	/** A server with this many Pods of 100 kB, and a watch of them whose client reads nothing. */
	async function openBlocked(names: readonly string[]) {
		const { server } = await openTestServer();
		for (const name of names) {
			const body = podNamed(name, { annotations: { big: 'x'.repeat(BIG) } });
			await server.request({ method: 'POST', path: PODS, body });
		}
		const opener = watchOpener(server);
		const response = opener.open({});
		response.takes = false;
		const told = async (): Promise<string> => {
			for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
			return response.written
				.map((line) => JSON.parse(Buffer.from(line).toString()).object.metadata.name)
				.join('');
		};
		return { ...opener, response, told, close: () => server.close() };
	}

	test('is sent nothing more, then twice as much each time that it has read quickly', async () => {
		const { clock, response, told, close } = await openBlocked([...'abcdefghijkl']);
		assert.equal(await told(), 'a');
		clock.advance(999);
		response.drain();
		assert.equal(await told(), 'abc');
		response.drain();
		assert.equal(await told(), 'abcdef');
		clock.advance(1000);
		response.drain();
		assert.equal(await told(), 'abcdefg');
		response.drain();
		assert.equal(await told(), 'abcdefghi');
		response.takes = true;
		response.drain();
		assert.equal(await told(), 'abcdefghijkl');
		close();
	});

	test('is sent at most one step while much waits for other clients', async () => {
		const { slowClients, response, told, close } = await openBlocked([...'abcdefg']);
		assert.equal(await told(), 'a');
		response.drain();
		assert.equal(await told(), 'abc');
		const other = { unreadBytes: 9 * 1024 * 1024, disconnect: () => undefined };
		slowClients.add(other);
		response.drain();
		assert.equal(await told(), 'abcd');
		slowClients.remove(other);
		response.drain();
		assert.equal(await told(), 'abcdefg');
		close();
	});

	test('is sent at most a megabyte ahead, and is disconnected when it reads nothing of that', async () => {
		const { clock, response, told, close } = await openBlocked(
			Array.from({ length: 60 }, (_, index) => `p${index}`),
		);
		for (let time = 0; time < 8; time++) {
			await told();
			assert.ok(response.writableLength < 1024 * 1024 + BIG + 1000, `${response.writableLength} bytes wait`);
			if (time < 7) response.drain();
		}
		// The time starts with the first of these bytes.
		clock.advance(59_999);
		assert.equal(response.destroyed, false);
		clock.advance(60_001);
		assert.equal(response.destroyed, true);
		close();
	});
});

/** Opens watches of Pods whose client is a {@link FakeResponse}. */
function watchOpener(server: ApiServer) {
	const clock = new VirtualClock();
	const slowClients = new SlowClients(clock);
	const shared = {
		...{ clock, slowClients, queue: new RunQueue(clock) },
		errorOf: (error: unknown): never => assert.fail(String(error)),
	};
	const sharedLines = new SharedLines();
	const open = (query: Record<string, string>): FakeResponse => {
		const response = new FakeResponse();
		const options = {
			...shared,
			response: response as unknown as ServerResponse, // `as`: it has all members that a watch uses.
			lines: new WatchLines(new ResourceCodec(pods), { as: 'plain' }, sharedLines),
		};
		const call = { ...GET, query: new Query({ watch: 'true', ...query }), warnings: [] };
		new HttpWatch(options, (wake) => server.readWatch(call, wake));
		return response;
	};
	return { clock, slowClients, open };
}

const GET = {
	user: ADMIN,
	method: 'GET',
	path: PODS,
	body: undefined,
	contentType: '',
	accept: '',
	signal: undefined,
} as const;

/** The part of an HTTP response that a watch uses. */
class FakeResponse extends EventEmitter {
	readonly written: Uint8Array[] = [];
	readonly socket = undefined;
	/** Whether the client reads each write at once. */
	takes = true;
	/** Number of bytes that the client has not read. */
	writableLength = 0;
	destroyed = false;

	write(piece: Uint8Array): boolean {
		this.written.push(piece);
		if (!this.takes) this.writableLength += piece.length;
		return this.takes;
	}

	/** The client reads everything that was written. */
	drain(): void {
		this.writableLength = 0;
		this.emit('drain');
	}

	destroy(): void {
		this.destroyed = true;
	}
}

function bytesHeld(): number {
	const { external, arrayBuffers } = process.memoryUsage();
	return external + arrayBuffers;
}
