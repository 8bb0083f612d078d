import type { EventText } from '../../api/core/event/event-text.ts';

/**
 * Decides which images a node removes, as the kubelet does (upstream: `realImageGCManager` in
 * pkg/kubelet/images/image_gc_manager.go): images that were not used for too long, and while the disk is too full the
 * least recently used ones. Never images in use, pinned ones, or ones so new that a Pod may be about to use them.
 */

/** The limits, by the names of the kubelet's configuration. */
export interface ImageGcPolicy {
	/** At this usage of the disk images are removed. */
	readonly imageGCHighThresholdPercent: number;
	/** They are removed until this usage would be reached. */
	readonly imageGCLowThresholdPercent: number;
	/** Images younger than this are not removed for lack of space (`imageMinimumGCAge`). */
	readonly minAgeMs: number;
	/** Images unused for longer than this are removed whatever the usage (`imageMaximumGCAge`); 0: never. */
	readonly maxAgeMs: number;
}

/** The kubelet's defaults. */
export const DEFAULT_IMAGE_GC_POLICY: ImageGcPolicy = {
	imageGCHighThresholdPercent: 85,
	imageGCLowThresholdPercent: 80,
	minAgeMs: 120_000,
	maxAgeMs: 0,
};

/** An image of the node. Times are in ms since the epoch. */
export interface ImageOnNode {
	readonly id: string;
	readonly sizeBytes: number;
	readonly firstSeenAt: number;
	/** 0 if it was never used. */
	readonly lastUsedAt: number;
	/** Whether a container that exists was made from it. */
	readonly isInUse: boolean;
	readonly isPinned: boolean;
}

/** What the decision depends on. */
export interface ImageGcSnapshot {
	readonly now: number;
	/** When the node agent began to record uses: before, an image may have been used without a record. */
	readonly recordingSince: number;
	readonly images: readonly ImageOnNode[];
	/** The disk that holds the images; undefined to remove all unused images, as under disk pressure. */
	readonly disk: { readonly capacityBytes: number; readonly availableBytes: number } | undefined;
}

/** An image to remove, and why. */
export interface ImageRemoval {
	readonly id: string;
	readonly because: string;
}

/** The images to remove in this order, and the event if that does not suffice. */
export interface ImageGcPlan {
	readonly removals: readonly ImageRemoval[];
	/** The bytes that the removals for lack of space must free; 0 if the disk has enough free space. */
	readonly bytesToFree: number;
	readonly event: EventText | undefined;
}

/** Plans a collection. */
export function planImageGc(seen: ImageGcSnapshot, policy: ImageGcPolicy): ImageGcPlan {
	const { now, disk } = seen;
	const candidates = seen.images
		.filter(({ isInUse, isPinned }) => !isInUse && !isPinned)
		.sort((a, b) => a.lastUsedAt - b.lastUsedAt || a.firstSeenAt - b.firstSeenAt);
	const isMaxAgeKnown = policy.maxAgeMs > 0 && now - seen.recordingSince > policy.maxAgeMs;
	const isOld = ({ lastUsedAt }: ImageOnNode): boolean => isMaxAgeKnown && now - lastUsedAt > policy.maxAgeMs;
	const removals = candidates
		.filter(isOld)
		.map(({ id }) => ({ id, because: 'it was not used for imageMaximumGCAge' }));
	if (disk && disk.capacityBytes <= 0) {
		const message = 'invalid capacity 0 on image filesystem';
		return { removals, bytesToFree: 0, event: { type: 'Warning', reason: 'InvalidDiskCapacity', message } };
	}
	const need = disk ? bytesToFreeOn(disk, policy) : Infinity;
	if (need <= 0) return { removals, bytesToFree: 0, event: undefined };
	const remaining = candidates.filter((image) => !isOld(image));
	const freed = freeSpace(remaining, { now, need, minAgeMs: policy.minAgeMs });
	return {
		removals: [...removals, ...freed.removals],
		bytesToFree: need,
		event: disk && freed.bytes < need ? notEnough(disk, freed.bytes) : undefined,
	};
}

type Disk = NonNullable<ImageGcSnapshot['disk']>;

/** The usage of a disk in whole percent, as upstream rounds it. */
function usagePercentOf({ capacityBytes, availableBytes }: Disk): number {
	return 100 - Math.floor((Math.min(availableBytes, capacityBytes) * 100) / capacityBytes);
}

/** How much must be freed; 0 or less if the usage is below the high threshold. */
function bytesToFreeOn(disk: Disk, policy: ImageGcPolicy): number {
	if (usagePercentOf(disk) < policy.imageGCHighThresholdPercent) return 0;
	const { capacityBytes, availableBytes } = disk;
	return Math.floor((capacityBytes * (100 - policy.imageGCLowThresholdPercent)) / 100) - availableBytes;
}

interface Shortage {
	readonly now: number;
	readonly need: number;
	readonly minAgeMs: number;
}

/** The first images, in order of removal, that together free the needed space. */
function freeSpace(
	images: readonly ImageOnNode[],
	{ now, need, minAgeMs }: Shortage,
): { readonly removals: readonly ImageRemoval[]; readonly bytes: number } {
	const removals: ImageRemoval[] = [];
	let bytes = 0;
	for (const { id, sizeBytes, firstSeenAt, lastUsedAt } of images) {
		if (bytes >= need) break;
		if (lastUsedAt >= now || now - firstSeenAt < minAgeMs) continue;
		removals.push({ id, because: 'the disk is too full, and it is the least recently used image' });
		bytes += sizeBytes;
	}
	return { removals, bytes };
}

function notEnough(disk: Disk, freed: number): EventText {
	const usage = `${usagePercentOf(disk)}% of ${sizeText(disk.capacityBytes)} used`;
	return {
		type: 'Warning',
		reason: 'FreeDiskSpaceFailed',
		message: `Insufficient free disk space on the node's image filesystem (${usage}). Failed to free sufficient space by deleting unused images (freed ${freed} bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data.`,
	};
}

/** A size with its largest binary unit: `26.4 GiB`. */
function sizeText(bytes: number): string {
	const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
	let [value, unit] = [bytes, 0];
	for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
	return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}
