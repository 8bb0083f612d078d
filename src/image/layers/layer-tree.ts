import { childPath } from './byte-path.ts';
import { LayerError } from './layer-error.ts';

/**
 * The folders and symbolic links that an unpacking has created so far. With it links are resolved inside the root
 * without asking the file system: the unpacking is the only writer of its folder, which it found empty and which no
 * other user can enter, so the tree is what is on the disk, and no check can be outdated when its result is used.
 */

/** The metadata of a folder, set once all its content exists. */
export interface FolderAttributes {
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly mtime: number;
}

/** A folder of the layer. */
export class LayerFolder {
	/** Its path: no component is a link. A byte string; empty for the root. */
	readonly path: string;
	readonly parent: LayerFolder | undefined;
	/** Undefined if the folder exists only because an entry below it does. */
	attributes: FolderAttributes | undefined;
	/** Names in it that lower layers must not show. */
	readonly whiteouts = new Set<string>();
	isOpaque = false;
	/** Its folders, and the targets of its symbolic links. Its files are not in it. */
	readonly children = new Map<string, LayerFolder | string>();

	constructor(path: string, parent: LayerFolder | undefined) {
		this.path = path;
		this.parent = parent;
	}
}

/** Linux's limit of links in the resolution of a path. */
const MAX_LINKS = 40;

/** The tree. */
export class LayerTree {
	readonly root = new LayerFolder('', undefined);
	readonly #createFolder: (path: string) => void;
	/** Entries of one folder usually follow each other. Valid until a folder or link is created or removed. */
	#lastKey: string | undefined;
	#lastFolder: LayerFolder = this.root;

	/** `createFolder` creates a folder on disk; its parent exists. It throws if a file is in its place. */
	constructor(createFolder: (path: string) => void) {
		this.#createFolder = createFolder;
	}

	/**
	 * The folder at a path, with links followed inside the root: `..` in a link does not lead above it, and an
	 * absolute target begins at it. Missing folders are created. Throws a {@link LayerError} for a loop.
	 */
	folderAt(parts: readonly string[]): LayerFolder {
		const key = parts.join('/');
		if (key === this.#lastKey) return this.#lastFolder;
		const folder = this.#resolve(parts);
		this.#lastKey = key;
		this.#lastFolder = folder;
		return folder;
	}

	#resolve(parts: readonly string[]): LayerFolder {
		let at = this.root;
		let links = 0;
		const open = parts.toReversed();
		for (let name = open.pop(); name !== undefined; name = open.pop()) {
			if (name === '' || name === '.') continue;
			if (name === '..') {
				at = at.parent ?? at;
				continue;
			}
			const child = at.children.get(name);
			if (typeof child !== 'string') {
				at = child ?? this.#addFolder(at, name);
				continue;
			}
			links += 1;
			if (links > MAX_LINKS) throw new LayerError('refused', 'a path leads through too many symbolic links');
			if (child.startsWith('/')) at = this.root;
			open.push(...child.split('/').reverse());
		}
		return at;
	}

	#addFolder(parent: LayerFolder, name: string): LayerFolder {
		const folder = new LayerFolder(childPath(parent.path, name), parent);
		this.#createFolder(folder.path);
		this.set(parent, name, folder);
		return folder;
	}

	/** Records that `name` in `parent` is now a folder, a link with this target, or neither. */
	set(parent: LayerFolder, name: string, child: LayerFolder | string | undefined): void {
		if (child === undefined && !parent.children.has(name)) return;
		if (child === undefined) parent.children.delete(name);
		else parent.children.set(name, child);
		this.#lastKey = undefined;
	}

	/** Whether a path leads through folders only, without links. */
	areFolders(parts: readonly string[]): boolean {
		let at = this.root;
		for (const name of parts) {
			const child = at.children.get(name);
			if (child === undefined || typeof child === 'string') return false;
			at = child;
		}
		return true;
	}

	/** Calls `visit` for every folder, those inside a folder before it. */
	eachFolder(visit: (folder: LayerFolder) => void): void {
		// A path may have 1,500 components: no recursion.
		const all = [this.root];
		for (const folder of all)
			for (const child of folder.children.values()) if (typeof child !== 'string') all.push(child);
		for (const folder of all.reverse()) visit(folder);
	}
}
