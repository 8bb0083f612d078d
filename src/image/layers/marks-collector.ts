import { lstatSync } from 'node:fs';
import { childPath, onDisk } from './byte-path.ts';
import type { FileOwner, LayerMarks } from './layer-marks.ts';
import type { LayerTree } from './layer-tree.ts';

/** Collects the marks of a layer while it is unpacked. */
export class MarksCollector {
	readonly #owners = new Map<string, FileOwner>();
	readonly #xattrs = new Map<string, ReadonlyMap<string, string>>();

	/** A new file is about to exist at a path: marks of an earlier one do not apply to it. */
	forget(path: string): void {
		if (this.#owners.size > 0) this.#owners.delete(path);
		if (this.#xattrs.size > 0) this.#xattrs.delete(path);
	}

	/** Records an owner and mode that the file on disk does not have. */
	setOwner(path: string, owner: FileOwner): void {
		this.#owners.set(path, owner);
	}

	/** Records the extended attributes of an entry that are kept (see {@link isKeptXattr}). */
	setXattrs(path: string, xattrs: ReadonlyMap<string, string>): void {
		const kept = new Map([...xattrs].filter(([name]) => isKeptXattr(name)));
		if (kept.size > 0) this.#xattrs.set(path, kept);
	}

	/** A hard link to `existing` is created at `path`: the marks of the file concern both. */
	copy(existing: string, path: string): void {
		const owner = this.#owners.get(existing);
		const xattrs = this.#xattrs.get(existing);
		if (owner) this.#owners.set(path, owner);
		if (xattrs) this.#xattrs.set(path, xattrs);
	}

	/** The marks of the complete layer, whose folder is `root`. */
	finish(root: string, tree: LayerTree): LayerMarks {
		// A folder may have been replaced by a link after marks of its content were recorded. Those must not be
		// applied to the files that the link leads to.
		const exists = (path: string): boolean =>
			tree.areFolders(path.split('/').slice(0, -1)) &&
			lstatSync(onDisk(root, path), { throwIfNoEntry: false }) !== undefined;
		const whiteouts: string[] = [];
		const implied: string[] = [];
		const opaques: string[] = [];
		tree.eachFolder((folder) => {
			for (const name of folder.whiteouts) {
				// A whiteout concerns lower layers only. It hides nothing of its own layer, whose folder then
				// replaces the hidden one instead of being merged with it.
				const child = folder.children.get(name);
				const path = childPath(folder.path, name);
				if (child !== undefined && typeof child !== 'string') child.isOpaque = true;
				else if (!exists(path)) whiteouts.push(path);
			}
		});
		tree.eachFolder((folder) => {
			if (folder.isOpaque) opaques.push(folder.path);
			if (!folder.attributes) implied.unshift(folder.path);
		});
		return {
			whiteouts: whiteouts.sort(),
			opaques: opaques.sort(),
			implied,
			owners: new Map([...this.#owners].filter(([path]) => exists(path))),
			xattrs: new Map([...this.#xattrs].filter(([path]) => exists(path))),
		};
	}
}

/**
 * Whether an extended attribute of a layer is kept: file capabilities, and the user's own. Those of overlayfs must
 * not come from a layer: they can redirect a folder to any other. ACLs and labels of security modules mean users
 * and policies of the machine where the layer was made.
 */
function isKeptXattr(name: string): boolean {
	if (name === 'security.capability') return true;
	return name.startsWith('user.') && !name.startsWith('user.overlay.') && name.length <= MAX_XATTR_NAME;
}

const MAX_XATTR_NAME = 255;
