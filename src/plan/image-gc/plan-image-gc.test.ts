import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
	DEFAULT_IMAGE_GC_POLICY,
	type ImageGcPolicy,
	type ImageGcSnapshot,
	type ImageOnNode,
	planImageGc,
} from './plan-image-gc.ts';

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;
const GIB = 2 ** 30;

function image(id: string, more: Partial<ImageOnNode> = {}): ImageOnNode {
	const plain = { sizeBytes: GIB, firstSeenAt: NOW - 60 * MINUTE, lastUsedAt: NOW - 30 * MINUTE };
	return { id, ...plain, isInUse: false, isPinned: false, ...more };
}

function plan(seen: Partial<ImageGcSnapshot>, policy: Partial<ImageGcPolicy> = {}) {
	const disk = { capacityBytes: 100 * GIB, availableBytes: 10 * GIB };
	const snapshot = { now: NOW, recordingSince: 0, images: [], disk, ...seen };
	const { removals, ...rest } = planImageGc(snapshot, { ...DEFAULT_IMAGE_GC_POLICY, ...policy });
	return { ids: removals.map(({ id }) => id), removals, ...rest };
}

test('below the high threshold no image is removed, at it as many as free the disk to the low one', () => {
	const images = Array.from({ length: 9 }, (_, i) => image(`i${i}`));
	const at = (available: number) =>
		plan({ images, disk: { capacityBytes: 100 * GIB, availableBytes: available * GIB } });
	assert.deepEqual(at(16), { ids: [], removals: [], bytesToFree: 0, event: undefined });
	assert.equal(at(15).ids.length, 5);
	assert.equal(at(15).bytesToFree, 5 * GIB);
	assert.equal(at(15).event, undefined);
	// 15.5 % are free: upstream rounds the free part down, and so the usage up.
	assert.equal(at(15.5).ids.length, 5);
	assert.equal(at(200).ids.length, 0);
});

test('the least recently used images go first, of equals the one that came first', () => {
	const images = [
		image('recent', { lastUsedAt: NOW - MINUTE }),
		image('older', { lastUsedAt: NOW - 50 * MINUTE, firstSeenAt: NOW - 70 * MINUTE }),
		image('oldest', { lastUsedAt: NOW - 50 * MINUTE, firstSeenAt: NOW - 80 * MINUTE }),
		image('unused', { lastUsedAt: 0 }),
	];
	const disk = { capacityBytes: 100 * GIB, availableBytes: 15 * GIB };
	const { ids, removals } = plan({ images, disk }, { imageGCLowThresholdPercent: 82 });
	assert.deepEqual(ids, ['unused', 'oldest', 'older']);
	assert.match(removals[0]?.because ?? '', /least recently used/);
});

test('images in use, pinned, used this moment or younger than two minutes stay', () => {
	const kept = [
		image('in use', { isInUse: true }),
		image('pinned', { isPinned: true }),
		image('now', { lastUsedAt: NOW }),
		image('new', { firstSeenAt: NOW - 2 * MINUTE + 1, lastUsedAt: 0 }),
	];
	const old = image('two minutes', { firstSeenAt: NOW - 2 * MINUTE });
	const { ids, event } = plan({ images: [...kept, old] });
	assert.deepEqual(ids, ['two minutes']);
	assert.deepEqual(event, {
		type: 'Warning',
		reason: 'FreeDiskSpaceFailed',
		message: `Insufficient free disk space on the node's image filesystem (90% of 100.0 GiB used). Failed to free sufficient space by deleting unused images (freed ${GIB} bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data.`,
	});
	assert.deepEqual(plan({ images: [...kept, old], disk: undefined }).ids, ['two minutes']);
	assert.equal(plan({ images: kept, disk: undefined }).event, undefined);
});

test('images beyond the maximum age go whatever the usage, once uses were recorded for that long', () => {
	const images = [
		image('old', { lastUsedAt: NOW - 20 * MINUTE - 1 }),
		image('young', { lastUsedAt: NOW - 20 * MINUTE }),
		image('in use', { lastUsedAt: 0, isInUse: true }),
	];
	const disk = { capacityBytes: 100, availableBytes: 90 };
	const policy = { maxAgeMs: 20 * MINUTE };
	assert.deepEqual(plan({ images, disk }, policy).ids, ['old']);
	assert.match(plan({ images, disk }, policy).removals[0]?.because ?? '', /imageMaximumGCAge/);
	assert.deepEqual(plan({ images, disk, recordingSince: NOW - 20 * MINUTE }, policy).ids, []);
	assert.deepEqual(plan({ images, disk }).ids, []);
	assert.deepEqual(plan({ images, disk: { ...disk, availableBytes: 1 } }, policy).ids, ['old', 'young']);
});

test('a disk without a capacity is reported', () => {
	const { event, ids } = plan({ images: [image('a')], disk: { capacityBytes: 0, availableBytes: 0 } });
	assert.deepEqual(ids, []);
	assert.deepEqual(event?.message, 'invalid capacity 0 on image filesystem');
	assert.equal(event?.reason, 'InvalidDiskCapacity');
});

test('never more images than needed, never a protected one, and each at most once', () => {
	const images = fc.array(
		fc.record({
			sizeBytes: fc.nat(40),
			firstSeenAt: fc.integer({ min: NOW - 5 * MINUTE, max: NOW }),
			lastUsedAt: fc.oneof(fc.constant(0), fc.integer({ min: NOW - 9 * MINUTE, max: NOW })),
			isInUse: fc.boolean(),
			isPinned: fc.boolean(),
		}),
		{ maxLength: 12 },
	);
	fc.assert(
		fc.property(images, fc.nat(100), fc.constantFrom(0, 3 * MINUTE), (all, availableBytes, maxAgeMs) => {
			const named = all.map((each, i) => ({ id: String(i), ...each }));
			const { ids, removals, bytesToFree, event } = plan(
				{ images: named, disk: { capacityBytes: 100, availableBytes } },
				{ maxAgeMs },
			);
			assert.equal(new Set(ids).size, ids.length);
			const removed = named.filter(({ id }) => ids.includes(id));
			assert.ok(removed.every(({ isInUse, isPinned }) => !isInUse && !isPinned));
			const forSpace = removals
				.filter(({ because }) => /full/.test(because))
				.map(({ id }) => named[Number(id)]);
			assert.ok(forSpace.every((each) => NOW - (each?.firstSeenAt ?? NOW) >= 2 * MINUTE));
			const sizes = forSpace.map((each) => each?.sizeBytes ?? 0);
			const sum = sizes.reduce((total, size) => total + size, 0);
			assert.ok(sum - (sizes.at(-1) ?? 0) < Math.max(bytesToFree, 1));
			assert.equal(event !== undefined, sum < bytesToFree);
		}),
	);
});
