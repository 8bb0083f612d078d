import {
	chmodSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	renameSync,
	rmdirSync,
	rmSync,
	utimesSync,
} from 'node:fs';
import { childPath, onDisk } from '../layers/byte-path.ts';
import { chownOrFail, fileTime } from '../layers/file-attributes.ts';
import type { FileOwner, LayerMarks } from '../layers/layer-marks.ts';
import type { MergedView, ViewEntry } from './merged-view.ts';

/**
 * Fits an unpacked layer to the layers below it. An archive may have `lib/x` without an entry for `lib`; its folder
 * `lib` was then created with some attributes. In overlay it would be merged with the `lib` below and its attributes
 * would win, and if `lib` is a symbolic link below, the folder would hide the link with all that it leads to. So the
 * folder gets the attributes of the one below, or its content moves to where the link leads, as it would have when the
 * container engines unpack a layer on top of the others. (Layers are unpacked side by side here, so this comes last.)
 *
 * Marks that hide nothing are dropped. Overlay would need a helper for them, and lists a whiteout in a folder that is
 * in no other layer as a file that cannot be opened.
 *
 * Returns the marks, with their paths as they are after the moves.
 */
export function settleLayer(root: string, marks: LayerMarks, lower: MergedView | undefined): LayerMarks {
	if (!lower) return { ...marks, whiteouts: [], opaques: [] };
	const settling = new Settling(root, marks, lower);
	for (const path of marks.implied) settling.followLink(path);
	return settling.finish();
}

class Settling {
	readonly #root: string;
	readonly #lower: MergedView;
	readonly #marks: LayerMarks;
	/** The moves so far: the new path of each folder that was moved. */
	readonly #moves = new Map<string, string>();
	/** Folders whose attributes are those of the layers below. */
	readonly #implied = new Set<string>();

	constructor(root: string, marks: LayerMarks, lower: MergedView) {
		this.#root = root;
		this.#marks = marks;
		this.#lower = lower;
	}

	/** Moves the content of an implied folder if the layers below have a link to a folder in its place. */
	followLink(original: string): void {
		const path = this.#moved(original);
		if (!this.#isFolder(path)) return;
		this.#implied.add(path);
		const below = this.#below(path);
		if (!below?.stats.isSymbolicLink()) return;
		const target = this.#lower.resolve(path);
		if (!target?.stats.isDirectory() || `${target.path}/`.startsWith(`${path}/`)) return;
		if (!this.#makeFolders(target.path)) return;
		this.#implied.delete(path);
		this.#moves.set(path, target.path);
		this.#moveContent(path, target.path);
	}

	finish(): LayerMarks {
		const move = (path: string): string => this.#moved(path);
		const owners = new Map([...this.#marks.owners].map(([path, owner]) => [move(path), owner]));
		for (const path of [...this.#implied].sort().reverse()) this.#adoptAttributes(path, owners);
		const opaques = new Set(this.#marks.opaques.map(move));
		const isHidden = (path: string): boolean => {
			const first = firstIn(opaques, path);
			return opaques.has('') || (first !== undefined && first !== path);
		};
		return {
			// A move may have brought a whiteout to a file of this layer, of which it hides nothing.
			whiteouts: this.#marks.whiteouts
				.map(move)
				.filter((path) => !isHidden(path) && !this.#stats(path) && this.#below(path)),
			opaques: [...opaques].filter((path) => this.#below(path)?.stats.isDirectory() && this.#isFolder(path)),
			owners,
			xattrs: new Map([...this.#marks.xattrs].map(([path, attributes]) => [move(path), attributes])),
			implied: [...this.#implied].sort(),
		};
	}

	/** Where a path is after the moves. The target of a move may lie in a folder that was moved later. */
	#moved(original: string): string {
		if (this.#moves.size === 0) return original;
		let path = original;
		for (let at = firstIn(this.#moves, path); at !== undefined; at = firstIn(this.#moves, path)) {
			const rest = path.slice(at.length + 1);
			const to = this.#moves.get(at) ?? '';
			path = rest === '' ? to : childPath(to, rest);
		}
		return path;
	}

	#stats(path: string) {
		return lstatSync(onDisk(this.#root, path), { throwIfNoEntry: false });
	}

	#isFolder(path: string): boolean {
		return this.#stats(path)?.isDirectory() ?? false;
	}

	/** What the layers below have at a path, without following links. */
	#below(path: string): ViewEntry | undefined {
		let at: ViewEntry | undefined = this.#lower.root;
		for (const name of path === '' ? [] : path.split('/')) at = at && this.#lower.child(at, name);
		return at;
	}

	/** Makes a folder of this layer, whose path is free of links below. False if this layer has a file in the way. */
	#makeFolders(path: string): boolean {
		let at = '';
		for (const name of path === '' ? [] : path.split('/')) {
			at = childPath(at, name);
			const stats = this.#stats(at);
			if (stats?.isDirectory()) continue;
			if (stats) return false;
			mkdirSync(onDisk(this.#root, at), 0o755);
			this.#implied.add(at);
		}
		return true;
	}

	#moveContent(from: string, to: string): void {
		const target = onDisk(this.#root, to);
		const { atimeMs, mtimeMs } = lstatSync(target);
		for (const name of readdirSync(onDisk(this.#root, from), 'latin1')) {
			const [source, destination] = [childPath(from, name), childPath(to, name)];
			if (this.#isFolder(source) && this.#isFolder(destination)) {
				this.#moveContent(source, destination);
				continue;
			}
			rmSync(onDisk(this.#root, destination), { recursive: true, force: true });
			renameSync(onDisk(this.#root, source), onDisk(this.#root, destination));
		}
		rmdirSync(onDisk(this.#root, from));
		utimesSync(target, fileTime(atimeMs / 1000), fileTime(mtimeMs / 1000));
	}

	#adoptAttributes(path: string, owners: Map<string, FileOwner>): void {
		const below = this.#below(path);
		if (!below?.stats.isDirectory()) return;
		const { uid, gid, mode, mtimeMs } = below.stats;
		const target = onDisk(this.#root, path);
		chownOrFail(target, this.#stats(path), { uid, gid });
		chmodSync(target, mode & 0o7777);
		utimesSync(target, fileTime(mtimeMs / 1000), fileTime(mtimeMs / 1000));
		const owner = below.layer.marks.owners.get(path);
		if (owner) owners.set(path, owner);
	}
}

/** The shortest of a path and the folders above it, without the root, that is in the collection. */
function firstIn(paths: { has(path: string): boolean }, path: string): string | undefined {
	for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
		const folder = path.slice(0, end);
		if (paths.has(folder)) return folder;
	}
	return paths.has(path) ? path : undefined;
}
