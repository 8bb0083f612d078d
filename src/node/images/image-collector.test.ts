import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { EventText } from '../../api/core/event/event-text.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import type { ImageDisk, RuntimeImage, RuntimeImages } from '../../runtime/contract.ts';
import { ImageCollector } from './image-collector.ts';

const MINUTE = 60_000;

/** A disk of 100 bytes with images that the test decides. */
class TestImages implements RuntimeImages {
	images: RuntimeImage[] = [];
	availableBytes = 100;
	lists = 0;
	/** The ids of images whose removal fails. */
	readonly stuck = new Set<string>();

	add(id: string, more: Partial<RuntimeImage> = {}): void {
		const plain = { sizeBytes: 5, addedAt: 0, lastUsedAt: this.images.length, isInUse: false };
		this.images.push({ id, tags: [`${id}:1`], digests: [], ...plain, ...more });
	}

	async list(): Promise<readonly RuntimeImage[]> {
		this.lists += 1;
		return [...this.images];
	}

	async remove(id: string): Promise<void> {
		if (this.stuck.has(id)) throw new Error(`cannot remove ${id}`);
		const removed = this.images.find((image) => image.id === id);
		this.availableBytes += removed?.sizeBytes ?? 0;
		this.images = this.images.filter((image) => image !== removed);
	}

	async disk(): Promise<ImageDisk> {
		return { capacityBytes: 100, availableBytes: this.availableBytes };
	}
}

function world() {
	const clock = new VirtualClock(60 * MINUTE);
	const images = new TestImages();
	const events: EventText[] = [];
	const errors: unknown[] = [];
	const collector = new ImageCollector({
		clock,
		images,
		record: (event) => void events.push(event),
		onError: (error) => void errors.push(error),
	});
	const ids = (): readonly string[] => images.images.map(({ id }) => id);
	return { clock, images, events, errors, collector, ids };
}

/** Runs a collector until the end of the test; its first collection has ended. */
async function run(t: TestContext, { clock, collector }: ReturnType<typeof world>): Promise<void> {
	const stop = new AbortController();
	const running = collector.run(stop.signal);
	t.after(() => {
		stop.abort();
		return running;
	});
	await pass(clock, 0);
}

/** Advances the clock, and lets the collector do what is due. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
	clock.advance(ms);
	await new Promise(setImmediate);
}

test('while the disk has space no image is listed or removed', async () => {
	const { images, collector, ids } = world();
	images.add('a');
	images.availableBytes = 16;
	await collector.collect();
	assert.deepEqual([ids(), images.lists], [['a'], 0]);
});

test('at 85 % the least recently used images are removed down to 80 %, never those in use or new ones', async () => {
	const { clock, images, collector, ids, events } = world();
	images.add('used', { isInUse: true });
	images.add('new', { addedAt: clock.now() - 2 * MINUTE + 1 });
	for (const id of ['a', 'b', 'c']) images.add(id);
	images.availableBytes = 12;
	await collector.collect();
	assert.deepEqual(ids(), ['used', 'new', 'c']);
	assert.deepEqual(events, []);
});

test('a disk that stays full is an Event each time, and a failed collection one from the second on', async (t) => {
	const full = world();
	const { clock, images, events, errors } = full;
	images.availableBytes = 5;
	images.add('used', { isInUse: true });
	await run(t, full);
	const message =
		"Insufficient free disk space on the node's image filesystem (95% of 100 B used). Failed to free sufficient space by deleting unused images (freed 0 bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data.";
	const failed = { type: 'Warning', reason: 'FreeDiskSpaceFailed', message };
	assert.deepEqual(events, [failed]);
	await pass(clock, 5 * MINUTE - 1);
	assert.equal(events.length, 1);
	await pass(clock, 1);
	const again = { type: 'Warning', reason: 'ImageGCFailed', message };
	assert.deepEqual(events.splice(0), [failed, failed, again]);
	assert.equal(errors.length, 2);
	images.availableBytes = 50;
	await pass(clock, 5 * MINUTE);
	images.availableBytes = 5;
	await pass(clock, 5 * MINUTE);
	assert.deepEqual(events, [failed]);
});

test('an image that cannot be removed does not keep the others, and is reported', async () => {
	const { images, collector, ids } = world();
	for (const id of ['a', 'b', 'c']) images.add(id);
	images.stuck.add('a');
	images.availableBytes = 12;
	await assert.rejects(collector.collect(), {
		message: 'wanted to free 8 bytes, but freed 5 bytes space with errors in image deletion: cannot remove a',
	});
	assert.deepEqual(ids(), ['a', 'c']);
});

test('images are listed again after 30 seconds, and after a collection', async () => {
	const { clock, images, collector } = world();
	images.add('a');
	const listed = async () => (await collector.list())?.map(({ id }) => id);
	assert.deepEqual(await listed(), ['a']);
	images.add('b');
	await pass(clock, 29_999);
	assert.deepEqual(await listed(), ['a']);
	await pass(clock, 1);
	assert.deepEqual(await listed(), ['a', 'b']);
	images.availableBytes = 15;
	await collector.collect();
	assert.deepEqual(await listed(), ['b']);
});
