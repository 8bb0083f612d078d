import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { namespaces } from '../../api/core/namespace/definition.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { ObjectCache } from '../storage/object-cache.ts';
import type { ResourceCache } from '../storage/resource-cache.ts';
import { ValuePacker } from './value-packer.ts';

/** How long a value rests at most until it is packed, and a bit more. */
const RESTED_MS = 6_100;

interface World {
	readonly store: MemoryStore;
	readonly resource: ResourceCache;
	/** How many pages were made. */
	pages(): number;
	/** Lets so much time pass, and the work that follows. */
	pass(ms: number): Promise<void>;
	write(name: string, text: string): Promise<void>;
	remove(name: string): Promise<void>;
}

async function open(t: test.TestContext): Promise<World> {
	const store = new MemoryStore();
	const clock = new VirtualClock();
	const onError = (error: unknown): never => assert.fail(String(error));
	const cache = new ObjectCache({ store, resources: [namespaces], onError, onStoreLost: onError });
	await cache.start();
	let pages = 0;
	const packer = new ValuePacker({
		cache,
		clock,
		onError,
		loadCompression: async () => ({
			compress: (bytes) => {
				pages += 1;
				return zstdCompressSync(bytes);
			},
			expand: (bytes) => zstdDecompressSync(bytes),
		}),
	});
	packer.start();
	t.after(() => packer.stop());
	const resource = cache.stored('', 'namespaces');
	assert.ok(resource);
	return {
		store,
		resource,
		pages: () => pages,
		pass: async (ms) => {
			for (let left = ms; left > 0; left -= 100) {
				clock.advance(100);
				await new Promise(setImmediate);
			}
		},
		write: async (name, text) => {
			const key = resource.codec.key('', name);
			const metadata = { name, annotations: { text } };
			const value = resource.codec.encode({ kind: 'Namespace', apiVersion: 'v1', metadata });
			const expected = resource.at(key)?.revision;
			await store.write(expected ? { type: 'update', key, value, expected } : { type: 'create', key, value });
		},
		remove: async (name) => {
			const key = resource.codec.key('', name);
			await store.write({ type: 'delete', key, expected: resource.at(key)?.revision ?? 0 });
		},
	};
}

function textIn({ resource }: World, name: string): string | undefined {
	return resource.get('', name)?.object.metadata.annotations?.text;
}

test('the packer packs the values of unchanged objects a page at a time, and they read as before', async (t) => {
	const world = await open(t);
	for (let i = 0; i < 300; i++) await world.write(`n${i}`, `${i} `.repeat(300));
	const before = world.resource.all().map(({ bytes }) => Buffer.from(bytes).toString());
	await world.pass(2_900);
	assert.equal(world.pages(), 0);
	await world.pass(RESTED_MS);
	const all = world.resource.all();
	const packed = all.filter(({ isPacked }) => isPacked);
	assert.ok(packed.length > 200, `${packed.length} are packed`);
	assert.deepEqual(
		all.map(({ bytes }) => Buffer.from(bytes).toString()),
		before,
	);
	const pages = world.pages();
	await world.pass(60_000);
	assert.equal(world.pages(), pages, 'nothing has changed');
});

test('a changed object leaves its page, and the packer packs the rest of a sparse page again', async (t) => {
	const world = await open(t);
	for (let i = 0; i < 300; i++) await world.write(`n${i}`, 'old '.repeat(200));
	await world.pass(RESTED_MS);
	await world.write('n7', 'new');
	assert.equal(world.resource.get('', 'n7')?.isPacked, false);
	assert.equal(textIn(world, 'n7'), 'new');
	const pages = world.pages();
	for (let i = 0; i < 300; i++) if (i % 3 !== 0) await world.remove(`n${i}`);
	const sparse = world.resource.all().filter(({ isPacked }) => !isPacked);
	assert.ok(sparse.length > 50, `${sparse.length} are in sparse pages`);
	await world.pass(RESTED_MS);
	assert.ok(world.pages() > pages);
	assert.equal(textIn(world, 'n9'), 'old '.repeat(200));
	assert.equal(world.resource.size, 100);
});
