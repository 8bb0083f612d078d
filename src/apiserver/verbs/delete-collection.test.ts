import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { StoreUnavailableError, type Write } from '../../store/store.ts';
import { openTestServer, PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';

/** A store that fails to delete some keys. */
class StuckStore extends MemoryStore {
	stuck: (key: string) => Error | undefined = () => undefined;

	override write(write: Write): Promise<number> {
		const error = write.type === 'delete' ? this.stuck(write.key) : undefined;
		return error ? Promise.reject(error) : super.write(write);
	}
}

test('an object that cannot be deleted fails the request, and the others of its group are deleted', async () => {
	const store = new StuckStore();
	const { server } = await openTestServer({ store });
	for (const name of ['a', 'b', 'c']) {
		await server.request({ method: 'POST', path: PODS, body: podNamed(name) });
	}
	store.stuck = (key) => (key.endsWith('/b') ? new StoreUnavailableError('the disk is full') : undefined);
	const error = await refusal(server.request({ method: 'DELETE', path: PODS }));
	assert.equal(error.code, 503);
	assert.match(error.message, /the disk is full/);
	const { object } = await server.request({ method: 'GET', path: PODS });
	const { items } = object as { items: ReadonlyArray<{ metadata: { name: string } }> };
	assert.deepEqual(
		items.map(({ metadata }) => metadata.name),
		['b'],
	);
	server.close();
});

test('an object that another client deletes meanwhile counts as deleted', async () => {
	const store = new StuckStore();
	const { server } = await openTestServer({ store });
	for (const name of ['a', 'b', 'c']) {
		await server.request({ method: 'POST', path: PODS, body: podNamed(name) });
	}
	const [{ object }] = await Promise.all([
		server.request({ method: 'DELETE', path: PODS }),
		server.request({ method: 'DELETE', path: `${PODS}/b` }).catch(() => undefined),
	]);
	assert.equal((object as { items: readonly unknown[] }).items.length, 3);
	const { object: rest } = await server.request({ method: 'GET', path: PODS });
	assert.deepEqual((rest as { items: readonly unknown[] }).items, []);
	server.close();
});
