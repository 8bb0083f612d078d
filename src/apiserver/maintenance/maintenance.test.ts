import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { resources } from '../../api/resources.ts';
import { Metrics } from '../../base/metrics.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import type { Store } from '../../store/store.ts';
import { ApiServer } from '../server.ts';

/** The periodic work of the server: Events expire, and history is compacted. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const EVENTS = '/api/v1/namespaces/default/events';

interface World {
	readonly store: Store;
	readonly clock: VirtualClock;
	readonly server: ApiServer;
}

async function open(
	t: test.TestContext,
	world: Partial<Pick<World, 'store' | 'clock'>> = {},
): Promise<World> {
	const { store = new MemoryStore(), clock = new VirtualClock() } = world;
	const server = new ApiServer({
		store,
		resources,
		clock,
		metrics: new Metrics(),
		random: new SeededRandom(1),
		version: '0.0.0',
		onError: (where, error) => assert.fail(`${where}: ${String(error)}`),
	});
	await server.start();
	t.after(() => server.close());
	const namespace = { metadata: { name: 'default' } };
	if (!world.store) await server.request({ method: 'POST', path: '/api/v1/namespaces', body: namespace });
	return { store, clock, server };
}

function event(name: string, more: object = {}): KubeObject {
	return {
		kind: 'Event',
		apiVersion: 'v1',
		metadata: { name },
		...{ involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' }, type: 'Normal', reason: 'Tested' },
		...more,
	};
}

/** Advances the clock minute by minute, and waits for the work of each round. */
async function pass(clock: VirtualClock, lengthMs: number): Promise<void> {
	for (let left = lengthMs; left > 0; left -= MINUTE_MS) {
		clock.advance(Math.min(left, MINUTE_MS));
		await settled();
	}
}

async function settled(): Promise<void> {
	for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
}

async function names(server: ApiServer): Promise<readonly (string | undefined)[]> {
	const { object } = await server.request({ method: 'GET', path: EVENTS });
	assert.ok(typeof object === 'object' && object && 'items' in object && Array.isArray(object.items));
	return object.items.map(({ metadata }: KubeObject) => metadata.name);
}

describe('Events', () => {
	test('expire an hour after their last write, whatever times they claim', async (t) => {
		const { server, clock } = await open(t);
		const far = { lastTimestamp: '9999-01-01T00:00:00Z', firstTimestamp: '9999-01-01T00:00:00Z' };
		for (const body of [event('plain'), event('far', far), event('counted')])
			await server.request({ method: 'POST', path: EVENTS, body });
		await pass(clock, 30 * MINUTE_MS);
		const contentType = 'application/merge-patch+json';
		await server.request({ method: 'PATCH', path: `${EVENTS}/counted`, body: { count: 2 }, contentType });
		await pass(clock, 31 * MINUTE_MS);
		assert.deepEqual(await names(server), ['counted']);
		await pass(clock, 30 * MINUTE_MS);
		assert.deepEqual(await names(server), []);
	});

	test('expire at the same time when the wall clock is set back or forward', async (t) => {
		const { server, clock } = await open(t);
		await server.request({ method: 'POST', path: EVENTS, body: event('a') });
		clock.setWallClock(clock.now() + 5 * HOUR_MS);
		await pass(clock, 30 * MINUTE_MS);
		assert.deepEqual(await names(server), ['a']);
		clock.setWallClock(clock.now() - 10 * HOUR_MS);
		await pass(clock, 31 * MINUTE_MS);
		assert.deepEqual(await names(server), []);
	});

	test('of an earlier run expire by their creation time, also if they claim a future time', async (t) => {
		const clock = new VirtualClock();
		const before = await open(t, { clock });
		const far = { lastTimestamp: '9999-01-01T00:00:00Z', eventTime: null };
		await before.server.request({ method: 'POST', path: EVENTS, body: event('far', far) });
		const soon = new Date(clock.now() + 40 * MINUTE_MS).toISOString().replace('.000', '');
		await before.server.request({
			method: 'POST',
			path: EVENTS,
			body: event('later', { lastTimestamp: soon }),
		});
		before.server.close();
		clock.advance(50 * MINUTE_MS);
		const { server } = await open(t, { clock, store: before.store });
		await pass(clock, 9 * MINUTE_MS);
		assert.deepEqual(await names(server), ['far', 'later']);
		await pass(clock, 2 * MINUTE_MS);
		assert.deepEqual(await names(server), ['later']);
		await pass(clock, 40 * MINUTE_MS);
		assert.deepEqual(await names(server), []);
	});

	test('that were written before the wall clock was set back expire an hour after the start', async (t) => {
		const clock = new VirtualClock();
		const before = await open(t, { clock });
		await before.server.request({ method: 'POST', path: EVENTS, body: event('a') });
		before.server.close();
		clock.setWallClock(clock.now() - 24 * HOUR_MS);
		const { server } = await open(t, { clock, store: before.store });
		await pass(clock, 59 * MINUTE_MS);
		assert.deepEqual(await names(server), ['a']);
		await pass(clock, 2 * MINUTE_MS);
		assert.deepEqual(await names(server), []);
	});

	test('beyond 7,500 Normal and 2,500 Warning ones are deleted oldest first, for each type separately', async (t) => {
		const { server, clock } = await open(t);
		const warning = { type: 'Warning' };
		await server.request({ method: 'POST', path: EVENTS, body: event('first-warning', warning) });
		for (let i = 0; i < 8000; i++) {
			await server.request({ method: 'POST', path: EVENTS, body: event(`n${String(i).padStart(5, '0')}`) });
		}
		await pass(clock, MINUTE_MS);
		const kept = await names(server);
		assert.equal(kept.length, 7501);
		assert.deepEqual(kept.slice(0, 2), ['first-warning', 'n00500']);
		for (let i = 0; i < 2600; i++) {
			const body = event(`w${String(i).padStart(5, '0')}`, warning);
			await server.request({ method: 'POST', path: EVENTS, body });
		}
		await pass(clock, MINUTE_MS);
		const now = await names(server);
		assert.equal(now.length, 10_000);
		assert.deepEqual([now[0], now[7500]], ['n00500', 'w00100']);
	});

	test('in a burst stay within a limit even between two rounds', async (t) => {
		const { server, store } = await open(t);
		for (let i = 0; i < 12_000; i++) {
			await server.request({ method: 'POST', path: EVENTS, body: event(`n${i}`) });
		}
		await settled();
		const { entries } = await store.range({ prefix: '/registry/core/events/' });
		assert.ok(entries.length <= 10_001, `${entries.length} are kept`);
	});
});

describe('compaction', () => {
	test('keeps five minutes of history, and at most six', async (t) => {
		const { server, clock, store } = await open(t);
		const oldest = async (): Promise<number> => {
			for (let revision = 1; ; revision++) {
				const readable = await store.range({ prefix: '', revision, limit: 1 }).then(
					() => true,
					() => false,
				);
				if (readable) return revision;
			}
		};
		const revisions: number[] = [];
		for (let minute = 0; minute < 30; minute++) {
			await server.request({ method: 'POST', path: EVENTS, body: event(`e${minute}`) });
			revisions.push(store.revision);
			await pass(clock, MINUTE_MS);
			const first = await oldest();
			// Changes of the last five minutes are still in the history; those older than six are not.
			assert.ok(first <= (revisions[minute - 4] ?? 1), `minute ${minute}: ${first}`);
			assert.ok(first >= (revisions[minute - 6] ?? 0), `minute ${minute}: ${first}`);
		}
	});
});
