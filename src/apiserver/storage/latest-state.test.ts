import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import {
	type Change,
	type Revision,
	RevisionMismatchError,
	type WatchHandle,
	type WatchSink,
	type Write,
} from '../../store/store.ts';
import { openTestServer, PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';

/** A store that can withhold its changes from watchers, as one in another process would delay them. */
class LaggingStore extends MemoryStore {
	#held: Change[] | undefined;
	#sink: WatchSink | undefined;
	refusals = 0;
	/** Rejects this many updates and deletions, as if another writer had been faster. */
	refuseNext = 0;

	override watch(
		request: { readonly prefix: string; readonly after: Revision },
		sink: WatchSink,
	): WatchHandle {
		this.#sink = sink;
		return super.watch(request, {
			changes: (batch) => (this.#held ? void this.#held.push(...batch) : sink.changes(batch)),
			ended: (error) => sink.ended(error),
		});
	}

	override write(write: Write): Promise<Revision> {
		if (write.type === 'create' || this.refuseNext === 0) return super.write(write);
		this.refuseNext -= 1;
		this.refusals += 1;
		return Promise.reject(new RevisionMismatchError(write.key, write.expected + 1));
	}

	holdBack(): void {
		this.#held = [];
	}

	catchUp(): void {
		const held = this.#held ?? [];
		this.#held = undefined;
		if (held.length > 0) this.#sink?.changes(held);
	}
}

async function openLagging() {
	const store = new LaggingStore();
	const opened = await openTestServer({ store });
	return { ...opened, store };
}

const label = (name: string, value: string) =>
	({
		method: 'PATCH',
		path: `${PODS}/a`,
		contentType: 'application/merge-patch+json',
		body: { metadata: { labels: { [name]: value } } },
	}) as const;

test('a write that conflicts with one the cache has not received restarts from the store, and loses nothing', async () => {
	const { server, store } = await openLagging();
	await server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	store.holdBack();
	await server.request(label('first', '1'));
	// The cache still has the Pod without labels, also for this write.
	const { object } = await server.request(label('second', '2'));
	assert.deepEqual((object as KubeObject).metadata.labels, { first: '1', second: '2' });
	store.catchUp();
	const { object: got } = await server.request({ method: 'GET', path: `${PODS}/a` });
	assert.deepEqual((got as KubeObject).metadata.labels, { first: '1', second: '2' });
});

test('a deletion of an object that another writer has removed, unknown to the cache, gets 404', async () => {
	const { server, store } = await openLagging();
	const options = { gracePeriodSeconds: 0 };
	await server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	store.holdBack();
	await server.request({ method: 'DELETE', path: `${PODS}/a`, body: options });
	assert.equal((await refusal(server.request(label('late', '1')))).code, 404);
	const error = await refusal(server.request({ method: 'DELETE', path: `${PODS}/a`, body: options }));
	assert.equal(error.code, 404);
	store.catchUp();
});

test('a writer that conflicts repeatedly waits between its attempts, and then fails with Conflict', async () => {
	const { server, store, clock } = await openLagging();
	await server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	store.refuseNext = 40;
	let done = false;
	const late = server.request(label('late', '1')).finally(() => {
		done = true;
	});
	const began = clock.monotonic();
	const passTime = async (): Promise<void> => {
		for (let due = clock.nextDue(); !done; due = clock.nextDue()) {
			// The periodic work of the server uses timers of a minute.
			if (due !== undefined && due - clock.now() < 1000) clock.advanceTo(due);
			await new Promise((resolve) => setImmediate(resolve));
		}
	};
	await passTime();
	assert.deepEqual(((await late).object as KubeObject).metadata.labels, { late: '1' });
	assert.ok(clock.monotonic() > began);

	store.refuseNext = Number.POSITIVE_INFINITY;
	store.refusals = 0;
	done = false;
	const hopeless = refusal(server.request(label('never', '1'))).finally(() => {
		done = true;
	});
	await passTime();
	assert.equal((await hopeless).reason, 'Conflict');
	assert.equal(store.refusals, 100);
});
