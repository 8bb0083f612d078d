import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { lstat, open, readdir, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeTree } from '../../base/files/remove-tree.ts';
import { undefinedIfMissing } from '../../base/files/system-error.ts';
import type { Random } from '../../base/random.ts';
import { type Digest, DigestVerifier } from '../digest.ts';
import { FileLock } from './file-lock.ts';
import type { StoreFolders } from './store-folders.ts';

/** Called before each act that changes the store on disk, with its name. Tests kill the process in it. */
export type StoreStep = (step: string) => void;

/** What a session needs. */
export interface StoreSessionOptions {
	readonly folders: StoreFolders;
	readonly random: Random;
	readonly step: StoreStep;
	/** Removes a folder with what is in it, which may belong to users of containers. */
	readonly remove: (path: string) => Promise<void>;
	/** Receives why discarded content could not be removed, once for each. */
	readonly onError: (error: unknown) => void;
}

/**
 * The use of the store by one process. Its folder holds everything half-done: files are written there and moved to
 * their places when they are complete, and removed files are moved there first. The process holds a lock of the
 * folder. So a folder whose lock is free belongs to a process that has ended, and everything in it can be removed.
 *
 * The lease names digests that the session is about to need: the collection of garbage keeps them.
 */
export class StoreSession {
	readonly #folder: string;
	readonly #folders: StoreFolders;
	readonly #lock: FileLock;
	readonly #step: StoreStep;
	readonly #remove: StoreSessionOptions['remove'];
	readonly #onError: StoreSessionOptions['onError'];
	/** By name, the discarded content that is being removed. */
	readonly #removals = new Map<string, Promise<void>>();
	/** The names of discarded content that could not be removed. */
	readonly #stuck = new Set<string>();
	readonly #leases = new Map<object, readonly Digest[]>();
	#drafts = 0;
	/** Leases are written one after the other: an older one must not replace a newer one. */
	#leaseWritten: Promise<void> = Promise.resolve();

	private constructor(folder: string, lock: FileLock, options: StoreSessionOptions) {
		const { folders, step, remove, onError } = options;
		this.#folder = folder;
		this.#lock = lock;
		this.#folders = folders;
		this.#step = step;
		this.#remove = remove;
		this.#onError = onError;
	}

	/** Begins a session. The caller holds the lock of the store. */
	static begin(options: StoreSessionOptions): StoreSession {
		const folder = join(options.folders.sessions, options.random.uuid());
		mkdirSync(folder, { mode: 0o700 });
		const lock = FileLock.tryAcquire(join(folder, LOCK));
		if (!lock) throw new Error(`${folder} is in use`);
		return new StoreSession(folder, lock, options);
	}

	/** Ends the session, which must be idle. What cannot be removed now is left to the sweeps of other sessions. */
	async end(): Promise<void> {
		await this.emptyTrash();
		this.#lock.release();
		await removeTree(this.#folder).catch((error: unknown) => {
			// Otherwise it has been reported.
			if (this.#stuck.size === 0) this.#onError(error);
		});
	}

	/** A path for a new file or folder that is not yet complete. */
	draft(): string {
		this.#drafts += 1;
		return join(this.#folder, `draft-${this.#drafts}`);
	}

	/**
	 * Writes a file so that it is whole or absent at every moment, also after a power failure. Replaces an existing
	 * one.
	 */
	async write(path: string, content: Uint8Array | string): Promise<void> {
		const draft = this.draft();
		await writeDraft(draft, content);
		await this.adopt(draft, path);
	}

	/** As {@link write}, with content that arrives in pieces. Rejects with a {@link DigestError} if it does not have
	 * this digest. */
	async writeBlob(digest: Digest, pieces: AsyncIterable<Uint8Array>): Promise<void> {
		const draft = this.draft();
		const verifier = new DigestVerifier(digest);
		const file = await open(draft, 'wx', 0o600);
		try {
			for await (const piece of pieces) {
				verifier.update(piece);
				await file.writeFile(piece);
			}
			verifier.verify();
			await file.sync();
			await this.adopt(draft, this.#folders.blob(digest));
		} finally {
			await file.close();
			await removeTree(draft);
		}
	}

	/** Moves a complete draft, whose content is on disk, to its place. */
	async adopt(draft: string, path: string): Promise<void> {
		await this.adoptForNow(draft, path);
		this.#step(`sync the folder of ${basename(path)}`);
		await syncFolder(dirname(path));
	}

	/** As {@link adopt}, for what nothing needs after a power failure: it may then be gone, or incomplete. */
	async adoptForNow(draft: string, path: string): Promise<void> {
		this.#step(`move ${basename(path)} in place`);
		await rename(draft, path);
	}

	/** Takes a file or folder out of the store at once; its content is removed by {@link emptyTrash}. */
	async discard(path: string): Promise<void> {
		await this.#toTrash(path);
	}

	/** Takes a file or folder out of the store, and removes its content as {@link emptyTrash} does. */
	async remove(path: string): Promise<void> {
		await this.#emptied(basename(await this.#toTrash(path)));
	}

	async #toTrash(path: string): Promise<string> {
		this.#step(`discard ${basename(path)}`);
		this.#drafts += 1;
		const trash = join(this.#folder, `trash-${this.#drafts}`);
		await rename(path, trash).catch(undefinedIfMissing);
		return trash;
	}

	/**
	 * Removes everything that was discarded; calls may overlap. Does not reject: what cannot be removed is reported once, and
	 * tried again by later calls.
	 */
	async emptyTrash(): Promise<void> {
		const names = (await readdir(this.#folder).catch(undefinedIfMissing)) ?? [];
		for (const name of names) if (name.startsWith('trash-')) await this.#emptied(name);
	}

	/** Two removals of the same tree would disturb each other. */
	#emptied(name: string): Promise<void> {
		const running = this.#removals.get(name);
		if (running) return running;
		const removal = this.#empty(name).finally(() => this.#removals.delete(name));
		this.#removals.set(name, removal);
		return removal;
	}

	async #empty(name: string): Promise<void> {
		try {
			this.#step(`remove ${name}`);
			await this.#remove(join(this.#folder, name));
			this.#stuck.delete(name);
		} catch (error) {
			if (!this.#stuck.has(name)) this.#onError(error);
			this.#stuck.add(name);
		}
	}

	/**
	 * Protects digests from the collection of garbage until the returned function is called, or the process ends. The
	 * caller holds the lock of the store, and releases it only after this.
	 */
	async lease(digests: readonly Digest[]): Promise<() => Promise<void>> {
		const key = {};
		this.#leases.set(key, digests);
		await this.#writeLease();
		return async () => {
			this.#leases.delete(key);
			await this.#writeLease();
		};
	}

	#writeLease(): Promise<void> {
		const written = this.#leaseWritten.then(() => this.#writeLeaseNow());
		this.#leaseWritten = written.catch(() => {});
		return written;
	}

	/** A lease protects only while its process lives, so it need not survive a power failure. */
	async #writeLeaseNow(): Promise<void> {
		const draft = this.draft();
		this.#step('write the lease');
		const text = JSON.stringify([...new Set([...this.#leases.values()].flat())]);
		const file = await open(draft, 'wx', 0o600);
		await file.writeFile(text);
		await file.close();
		await rename(draft, join(this.#folder, LEASE));
	}

	/**
	 * The digests that sessions of all processes have leased. Folders of sessions whose process has ended are
	 * discarded. The caller holds the lock of the store.
	 */
	async leasedByAll(): Promise<ReadonlySet<Digest>> {
		const leased = new Set([...this.#leases.values()].flat());
		for (const name of readdirSync(this.#folders.sessions)) {
			const folder = join(this.#folders.sessions, name);
			if (folder === this.#folder) continue;
			const lock = lockIn(folder);
			if (lock === 'gone') continue;
			if (lock) {
				await this.discard(folder);
				lock.release();
				continue;
			}
			const text = await readFile(join(folder, LEASE), 'utf8').catch(undefinedIfMissing);
			const digests: readonly Digest[] = JSON.parse(text ?? '[]');
			for (const digest of digests) leased.add(digest);
		}
		return leased;
	}
}

const LOCK = 'lock';
const LEASE = 'lease.json';

/** The lock of a session that has ended; undefined: its process runs. A session may end, with its folder, at any moment. */
function lockIn(folder: string): FileLock | 'gone' | undefined {
	try {
		return FileLock.tryAcquire(join(folder, LOCK));
	} catch (error) {
		if (!existsSync(folder)) return 'gone';
		throw error;
	}
}

async function writeDraft(path: string, content: Uint8Array | string): Promise<void> {
	const file = await open(path, 'wx', 0o600);
	try {
		await file.writeFile(content);
		await file.sync();
	} finally {
		await file.close();
	}
}

/** Makes renames and removals in a folder survive a power failure. */
async function syncFolder(path: string): Promise<void> {
	const folder = await open(path, 'r');
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}

/** Whether something exists at a path. */
export async function isStored(path: string): Promise<boolean> {
	return (await lstat(path).catch(undefinedIfMissing)) !== undefined;
}
