import { createHash } from 'node:crypto';
import {
	existsSync,
	lstatSync,
	readdirSync,
	readFileSync,
	realpathSync,
	statfsSync,
	statSync,
} from 'node:fs';
import { join } from 'node:path';
import { openPrivateFolder, UnusablePathError, writePrivateFile } from '../../base/files/private-files.ts';
import type { ContainerFiles } from '../../runtime/files/container-files.ts';

/** The file system type of tmpfs (`TMPFS_MAGIC` in Linux's magic.h). */
const TMPFS = 0x01021994;

const PREFIX = 'stint-';
/** The file in the folder with the path of the folder on the disk that it belongs to. */
const ORIGIN = 'origin';
const PODS = 'pods';

/** The settings of a {@link MemoryRoot}. */
export interface MemoryRootOptions {
	/** The existing folder on the disk that it belongs to. */
	readonly disk: string;
	/** What removes files of containers; asked for at each removal. */
	files(): Pick<ContainerFiles, 'remove'>;
	/** Called once with the reason if it cannot be used. */
	readonly onUnusable: (reason: string) => void;
	/** Default `/dev/shm`. */
	readonly shm?: string;
}

/**
 * A private folder below `/dev/shm` for the files that must not be on a disk. It is made when the first Pod needs it, and
 * its name follows from a folder on the disk, so that the next process finds it. If there is no tmpfs, or another user has
 * taken the name, the files are on the disk instead, in a folder that is as private.
 */
export class MemoryRoot {
	readonly #options: MemoryRootOptions;
	readonly #shm: string;
	readonly #path: string;
	#opened: { readonly path: string | undefined } | undefined;

	constructor(options: MemoryRootOptions) {
		this.#options = options;
		this.#shm = options.shm ?? '/dev/shm';
		// With the inode, a copy of the folder has another name.
		const identity = `${statSync(options.disk).ino} ${realpathSync(options.disk)}`;
		const hash = createHash('sha256').update(identity).digest('hex');
		this.#path = join(this.#shm, `${PREFIX}${hash.slice(0, 16)}`);
	}

	/** The folder for Pods; undefined if memory cannot be used. Creates it. */
	open(): string | undefined {
		this.#opened ??= { path: this.#open() };
		return this.#opened.path;
	}

	/** The folder for Pods if an earlier process or call has made it. */
	existing(): string | undefined {
		if (this.#opened) return this.#opened.path;
		return existsSync(this.#path) ? this.open() : undefined;
	}

	/** Removes the folder. */
	async remove(): Promise<void> {
		if (this.existing() !== undefined) await this.#remove(this.#path);
		this.#opened = undefined;
	}

	/**
	 * Removes such folders of this user whose folder on the disk is gone: those of servers that were killed. Rejects with the first error,
	 * after all others are removed.
	 */
	async removeLeftovers(): Promise<void> {
		const errors: unknown[] = [];
		const own = process.geteuid?.();
		const names = existsSync(this.#shm) ? readdirSync(this.#shm) : [];
		for (const name of names.filter((each) => each.startsWith(PREFIX))) {
			const path = join(this.#shm, name);
			const stats = lstatSync(path, { throwIfNoEntry: false });
			if (!stats?.isDirectory() || stats.uid !== own) continue;
			const origin = originOf(path);
			if (origin === undefined || existsSync(origin)) continue;
			await this.#remove(path).catch((error: unknown) => void errors.push(error));
		}
		if (errors.length > 0) throw errors[0];
	}

	/** The file that tells what the folder is goes last: a removal that fails is tried again. */
	async #remove(path: string): Promise<void> {
		const { remove } = this.#options.files();
		await remove(join(path, PODS));
		await remove(path);
	}

	#open(): string | undefined {
		const { disk, onUnusable } = this.#options;
		try {
			if (statfsSync(this.#shm).type !== TMPFS) {
				onUnusable(`${this.#shm} is no tmpfs`);
				return undefined;
			}
			openPrivateFolder(this.#path);
			writePrivateFile(join(this.#path, ORIGIN), realpathSync(disk));
			const pods = join(this.#path, PODS);
			openPrivateFolder(pods);
			return pods;
		} catch (error) {
			const reason = error instanceof UnusablePathError ? error.message : String(error);
			onUnusable(reason);
			return undefined;
		}
	}
}

function originOf(path: string): string | undefined {
	try {
		return readFileSync(join(path, ORIGIN), 'utf8');
	} catch {
		// Not one of these folders, or one that is being made.
		return undefined;
	}
}
