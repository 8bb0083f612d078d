/**
 * Removes unused images while the disk that holds them is too full, and lists images for the Node's status, as the kubelet's
 * image manager. plan/image-gc has the rules. For a runtime whose images are its own.
 *
 * 1. Every five minutes the disk is observed, which is one system call. Images are listed only if it is too full.
 * 2. A failure is reported by an Event if it is the second in a row, as upstream: the first may be one of a start.
 */
import type { EventText } from '../../api/core/event/event-text.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import { DEFAULT_IMAGE_GC_POLICY, planImageGc } from '../../plan/image-gc/plan-image-gc.ts';
import type { RuntimeImage, RuntimeImages } from '../../runtime/contract.ts';

/** The kubelet's `ImageGCPeriod`. */
const PERIOD_MS = 5 * 60_000;
/** How long a list of images serves the Node's status: the period at which the kubelet's image manager renews its cache. */
const LIST_MS = 30_000;

/** The components of an {@link ImageCollector}. */
export interface ImageCollectorOptions {
	readonly clock: Clock;
	readonly images: RuntimeImages;
	/** Records an Event about the node. */
	record(event: EventText): void;
	onError(error: unknown): void;
}

/** See the header of this file. */
export class ImageCollector {
	readonly #options: ImageCollectorOptions;
	readonly #startedAt: number;
	#listed: { readonly at: number; readonly images: readonly RuntimeImage[] } | undefined;
	#hasFailed = false;

	constructor(options: ImageCollectorOptions) {
		this.#options = options;
		this.#startedAt = options.clock.now();
	}

	/** The images of the node, up to 30 seconds old; undefined if they cannot be listed. */
	async list(): Promise<readonly RuntimeImage[] | undefined> {
		const { clock, images, onError } = this.#options;
		const at = clock.monotonic();
		try {
			if (!this.#listed || at - this.#listed.at >= LIST_MS)
				this.#listed = { at, images: await images.list() };
			return this.#listed.images;
		} catch (error) {
			onError(error);
			return undefined;
		}
	}

	/** Collects every five minutes until `signal` aborts. */
	async run(signal: AbortSignal): Promise<void> {
		const { clock, record, onError } = this.#options;
		while (!signal.aborted) {
			try {
				await this.collect();
				this.#hasFailed = false;
			} catch (error) {
				onError(error);
				const message = messageOf(error);
				if (this.#hasFailed) record({ type: 'Warning', reason: 'ImageGCFailed', message });
				this.#hasFailed = true;
			}
			await sleep(clock, PERIOD_MS, signal);
		}
	}

	/** Collects once. Rejects if the disk stays too full, or if an image cannot be removed. */
	async collect(): Promise<void> {
		const { clock, images, record } = this.#options;
		const disk = await images.disk();
		const snapshot = { now: clock.now(), recordingSince: this.#startedAt, disk };
		// Most often the disk is not too full: then no image matters.
		const isEnough = planImageGc({ ...snapshot, images: [] }, DEFAULT_IMAGE_GC_POLICY).event === undefined;
		if (isEnough) return;
		const seen = (await images.list()).map(({ addedAt, ...image }) => ({
			...image,
			firstSeenAt: addedAt,
			isPinned: false,
		}));
		const { removals, bytesToFree, event } = planImageGc(
			{ ...snapshot, images: seen },
			DEFAULT_IMAGE_GC_POLICY,
		);
		this.#listed = undefined;
		const sizes = new Map(seen.map(({ id, sizeBytes }) => [id, sizeBytes]));
		const errors: string[] = [];
		let freed = 0;
		for (const { id } of removals) {
			try {
				await images.remove(id);
				freed += sizes.get(id) ?? 0;
			} catch (error) {
				errors.push(messageOf(error));
			}
		}
		if (errors.length > 0)
			throw new Error(
				`wanted to free ${bytesToFree} bytes, but freed ${freed} bytes space with errors in image deletion: ${errors.join(', ')}`,
			);
		if (!event) return;
		record(event);
		throw new Error(event.message);
	}
}
