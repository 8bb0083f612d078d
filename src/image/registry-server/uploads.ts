import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import type { Random } from '../../base/random.ts';
import { type Digest, parseDigest } from '../digest.ts';
import type { ImageStore } from '../store/image-store.ts';
import { RegistryProblem } from './registry-problem.ts';

/** What the uploads need. */
export interface UploadsOptions {
	readonly store: ImageStore;
	readonly clock: Clock;
	readonly random: Random;
	/** Time after which an upload is removed that no client continues. Default: an hour. */
	readonly idleMs?: number;
	/** How many bytes of the disk must stay free. Default: 5 % of it, at most 1 GiB. */
	readonly reserveBytes?: number;
}

const IDLE_MS = 3_600_000;
/** Far more than clients have at once: Docker pushes five layers at a time. */
const MAX_UPLOADS = 256;
/** The free space is looked up after this much more. */
const CHECK_BYTES = 32 << 20;
const RESERVE_BYTES = 1 << 30;
const RESERVE_SHARE = 0.05;

/** The uploads in progress. They end with the process, and the store removes their files however it ends. */
export class Uploads {
	readonly #options: UploadsOptions;
	readonly #uploads = new Map<string, BlobUpload>();

	constructor(options: UploadsOptions) {
		this.#options = options;
	}

	/** Begins an upload into a repository. */
	async begin(repository: string): Promise<BlobUpload> {
		// One that no client continues now gives way: else a client that only begins uploads would lock all others out.
		if (this.#uploads.size >= MAX_UPLOADS) await this.#oldestIdle()?.cancel();
		if (this.#uploads.size >= MAX_UPLOADS)
			throw new RegistryProblem('TOOMANYREQUESTS', `${MAX_UPLOADS} uploads are in progress`);
		const { store, clock, random, idleMs = IDLE_MS, reserveBytes } = this.#options;
		const path = store.draft();
		const upload = new BlobUpload({
			id: random.uuid(),
			repository,
			path,
			file: await open(path, 'wx', 0o600),
			reserveBytes,
			idle: { clock, idleMs },
			onEnd: (id) => this.#uploads.delete(id),
		});
		this.#uploads.set(upload.id, upload);
		return upload;
	}

	/** The upload with this id into this repository. Throws a {@link RegistryProblem} if there is none. */
	get(id: string, repository: string): BlobUpload {
		const upload = this.#uploads.get(id);
		if (upload?.repository === repository) return upload;
		throw new RegistryProblem(
			'BLOB_UPLOAD_UNKNOWN',
			'there is no such upload: it has ended, or was not continued for too long',
		);
	}

	#oldestIdle(): BlobUpload | undefined {
		return [...this.#uploads.values()].find((upload) => !upload.isBusy);
	}

	/** Gives up all uploads. */
	async close(): Promise<void> {
		for (const upload of [...this.#uploads.values()]) await upload.cancel();
	}
}

interface BlobUploadOptions {
	readonly id: string;
	readonly repository: string;
	readonly path: string;
	readonly file: FileHandle;
	readonly reserveBytes: number | undefined;
	readonly idle: { readonly clock: Clock; readonly idleMs: number };
	readonly onEnd: (id: string) => void;
}

/** A blob that arrives in one request or in several. Only one of them may write at a time. */
export class BlobUpload {
	readonly id: string;
	readonly repository: string;
	readonly #options: BlobUploadOptions;
	readonly #hash: Hash = createHash('sha256');
	#size = 0;
	#uncheckedBytes = CHECK_BYTES;
	#isBusy = false;
	#hasEnded = false;
	#timer: Timer | undefined;

	constructor(options: BlobUploadOptions) {
		this.id = options.id;
		this.repository = options.repository;
		this.#options = options;
		this.#wait();
	}

	/** Whether a request writes to it. */
	get isBusy(): boolean {
		return this.#isBusy;
	}

	/** The number of bytes that have arrived. */
	get size(): number {
		return this.#size;
	}

	/**
	 * Appends what `pieces` yields. If that breaks off, the client may continue behind what has arrived; if it cannot be
	 * written, the upload ends.
	 */
	async append(pieces: AsyncIterable<Uint8Array>): Promise<void> {
		await this.#alone(async () => {
			for await (const piece of pieces) await this.#write(piece).catch((error) => this.#failed(error));
		});
	}

	/**
	 * Ends the upload and calls `keep` with its file, which is on disk. Throws a {@link RegistryProblem} if the content does
	 * not have this digest; the upload has then ended too.
	 */
	async finish(digest: Digest, keep: (path: string) => Promise<void>): Promise<void> {
		await this.#alone(async () => {
			try {
				const actual = await this.#digestAs(digest);
				if (actual !== digest)
					throw new RegistryProblem(
						'DIGEST_INVALID',
						`the content has the digest ${actual}, and not ${digest}; ${this.#size} bytes have arrived`,
					);
				await this.#options.file.sync();
				await keep(this.#options.path);
			} finally {
				await this.#end();
			}
		});
	}

	/** Gives the upload up. */
	async cancel(): Promise<void> {
		await this.#end();
	}

	async #write(piece: Uint8Array): Promise<void> {
		// It may have been given up while the piece was awaited.
		if (this.#hasEnded) throw new RegistryProblem('BLOB_UPLOAD_UNKNOWN', 'the upload was given up');
		await this.#checkSpace(piece.length);
		await this.#options.file.writeFile(piece);
		this.#hash.update(piece);
		this.#size += piece.length;
	}

	async #failed(error: unknown): Promise<never> {
		await this.#end();
		throw error;
	}

	async #checkSpace(bytes: number): Promise<void> {
		this.#uncheckedBytes += bytes;
		if (this.#uncheckedBytes < CHECK_BYTES) return;
		this.#uncheckedBytes = 0;
		const { bavail, blocks, bsize } = await statfs(dirname(this.#options.path));
		const reserve = this.#options.reserveBytes ?? Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE);
		if (bavail * bsize >= reserve) return;
		throw new RegistryProblem('UNKNOWN', 'the disk of the images is full', { status: 507 });
	}

	async #digestAs(wanted: Digest): Promise<Digest> {
		const { algorithm } = parseDigest(wanted);
		if (algorithm === 'sha256') return `sha256:${this.#hash.digest('hex')}`;
		const hash = createHash(algorithm);
		for await (const piece of createReadStream(this.#options.path)) hash.update(piece);
		return `${algorithm}:${hash.digest('hex')}`;
	}

	async #alone(act: () => Promise<void>): Promise<void> {
		if (this.#isBusy)
			throw new RegistryProblem('BLOB_UPLOAD_INVALID', 'another request writes to this upload', {
				status: 409,
			});
		this.#isBusy = true;
		this.#timer?.cancel();
		try {
			await act();
		} finally {
			this.#isBusy = false;
			if (!this.#hasEnded) this.#wait();
		}
	}

	#wait(): void {
		const { clock, idleMs } = this.#options.idle;
		this.#timer = clock.setTimer(idleMs, () => void this.#end().catch(() => {}));
	}

	async #end(): Promise<void> {
		if (this.#hasEnded) return;
		this.#hasEnded = true;
		this.#timer?.cancel();
		this.#options.onEnd(this.id);
		await this.#options.file.close();
		await removeTree(this.#options.path);
	}
}
