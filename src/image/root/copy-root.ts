import {
	chmodSync,
	constants,
	copyFileSync,
	linkSync,
	lstatSync,
	lutimesSync,
	mkdirSync,
	type Stats,
	symlinkSync,
	utimesSync,
} from 'node:fs';
import { nextTurn } from '../../base/turn.ts';
import { onDisk } from '../layers/byte-path.ts';
import { chownOrFail, fileTime } from '../layers/file-attributes.ts';
import type { FileOwner, LayerMarks } from '../layers/layer-marks.ts';
import { linkTargetOf, type MergedView, type ViewEntry } from './merged-view.ts';

/** How the copy is made. */
export interface CopyOptions {
	/** The folder to create. No other user can enter its parent. */
	readonly target: string;
	/** `strip` removes the set-id bits of files: for roots that are not mounted `nosuid`. */
	readonly setId: 'keep' | 'strip';
	/** The folder of the view that becomes `target`. Default: its root. */
	readonly from?: ViewEntry;
	readonly signal?: AbortSignal | undefined;
}

/** After this many files other work of the process gets a turn. */
const FILES_PER_TURN = 64;
const SET_ID = 0o6000;

/**
 * Copies what a view shows into a folder: the root of a container where overlay cannot be used, or a volume. Blocks are shared
 * with the layers where the file system can do so (reflinks); hard links would let a container change its image.
 * Returns the marks that still apply: owners and extended attributes, for the native helper. On an error the caller
 * removes the folder.
 */
export async function copyRoot(view: MergedView, options: CopyOptions): Promise<LayerMarks> {
	const copy = new RootCopy(options);
	const open: ViewEntry[] = [options.from ?? view.root];
	const folders: ViewEntry[] = [];
	let count = 0;
	for (let entry = open.pop(); entry; entry = open.pop()) {
		count += 1;
		if (count % FILES_PER_TURN === 0) {
			await nextTurn();
			options.signal?.throwIfAborted();
		}
		copy.create(entry);
		if (!entry.stats.isDirectory()) continue;
		folders.push(entry);
		open.push(...view.children(entry));
	}
	// From the inside out: the content of a folder changes its time, and may need rights that its mode does not give.
	for (const folder of folders.reverse()) copy.setAttributes(folder);
	return copy.marks();
}

class RootCopy {
	readonly #options: CopyOptions;
	readonly #owners = new Map<string, FileOwner>();
	readonly #xattrs = new Map<string, ReadonlyMap<string, string>>();
	/** The first copy of each file with several names, by layer and inode. */
	readonly #copies = new Map<string, string>();

	constructor(options: CopyOptions) {
		this.#options = options;
	}

	/** The path of a copy below the target. */
	#placeOf({ path }: ViewEntry): string {
		const from = this.#options.from?.path ?? '';
		return from === '' ? path : path.slice(from.length + 1);
	}

	/** Creates a file or folder. A folder gets its attributes later. */
	create(entry: ViewEntry): void {
		const { path, layer, stats } = entry;
		const place = this.#placeOf(entry);
		const target = onDisk(this.#options.target, place);
		if (stats.isDirectory()) mkdirSync(target, 0o700);
		else if (stats.isSymbolicLink()) symlinkSync(Buffer.from(linkTargetOf(entry), 'latin1'), target);
		else if (stats.isFile()) {
			const key = stats.nlink > 1 ? `${layer.root}:${stats.ino}` : '';
			const copied = key === '' ? undefined : this.#copies.get(key);
			if (copied !== undefined) linkSync(onDisk(this.#options.target, copied), target);
			else copyFileSync(onDisk(layer.root, path), target, COPY);
			if (key !== '') this.#copies.set(key, copied ?? place);
		} else return;
		this.#note(entry);
		if (!stats.isDirectory()) this.setAttributes(entry);
	}

	/** Gives a copy the owner, mode and time of its original. */
	setAttributes(entry: ViewEntry): void {
		const { stats } = entry;
		const target = onDisk(this.#options.target, this.#placeOf(entry));
		chownOrFail(target, lstatSync(target), stats);
		const [atime, mtime] = [fileTime(stats.atimeMs / 1000), fileTime(stats.mtimeMs / 1000)];
		if (stats.isSymbolicLink()) {
			lutimesSync(target, atime, mtime);
			return;
		}
		chmodSync(target, this.#modeOf(stats, stats.mode & 0o7777));
		utimesSync(target, atime, mtime);
	}

	/** The marks of all copies. */
	marks(): LayerMarks {
		return { whiteouts: [], opaques: [], implied: [], owners: this.#owners, xattrs: this.#xattrs };
	}

	#modeOf(stats: Stats, mode: number): number {
		return this.#options.setId === 'strip' && stats.isFile() ? mode & ~SET_ID : mode;
	}

	#note(entry: ViewEntry): void {
		const { path, layer, stats } = entry;
		const place = this.#placeOf(entry);
		const owner = layer.marks.owners.get(path);
		const xattrs = layer.marks.xattrs.get(path);
		if (owner) this.#owners.set(place, { ...owner, mode: this.#modeOf(stats, owner.mode) });
		if (xattrs) this.#xattrs.set(place, xattrs);
	}
}

const COPY = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;
