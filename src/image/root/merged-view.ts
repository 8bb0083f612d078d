import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { childPath, onDisk } from '../layers/byte-path.ts';
import type { LayerMarks } from '../layers/layer-marks.ts';

/** A layer of a view: its folder, and its marks. */
export interface ViewLayer {
	readonly root: string;
	readonly marks: LayerMarks;
	readonly whiteouts: ReadonlySet<string>;
	readonly opaques: ReadonlySet<string>;
}

/** A layer as a view needs it. */
export function viewLayer(root: string, marks: LayerMarks): ViewLayer {
	return { root, marks, whiteouts: new Set(marks.whiteouts), opaques: new Set(marks.opaques) };
}

/** A file that is visible in a view. */
export interface ViewEntry {
	readonly path: string;
	/** The uppermost layer that has it: its attributes and content count. */
	readonly layer: ViewLayer;
	readonly stats: Stats;
	/** Of a folder: the layers whose content is visible in it, uppermost first. */
	readonly layers: readonly ViewLayer[];
}

/** Linux's limit of links in the resolution of a path. */
const MAX_LINKS = 40;

/**
 * What overlay would show of several layers, without mounting them. Folders of the same path are merged; otherwise the
 * uppermost layer with the path counts, unless a whiteout or an opaque folder above it hides it. Links of images are
 * never followed by the system: they are resolved here, inside of the view. All paths are byte strings.
 */
export class MergedView {
	readonly root: ViewEntry;

	/** `layers`: uppermost first; at least one. No other user may be able to change their folders. */
	constructor(layers: readonly ViewLayer[]) {
		const root = firstOf('', layers);
		if (!root) throw new Error('an image has no layer with a root folder');
		this.root = root;
	}

	/** The entry with this name in a folder, not following it if it is a link. */
	child(folder: ViewEntry, name: string): ViewEntry | undefined {
		return folder.stats.isDirectory() ? firstOf(childPath(folder.path, name), folder.layers) : undefined;
	}

	/** The visible entries of a folder, in order of their names. */
	children(folder: ViewEntry): readonly ViewEntry[] {
		const names = new Set(
			folder.layers.flatMap(({ root }) => readdirSync(onDisk(root, folder.path), 'latin1')),
		);
		return [...names].sort().flatMap((name) => this.child(folder, name) ?? []);
	}

	/** The entry at a path, with links resolved inside of the view; undefined if there is none, or for a loop. */
	resolve(path: string): ViewEntry | undefined {
		const trail = [this.root];
		const open = path.split('/').reverse();
		let links = 0;
		for (let name = open.pop(); name !== undefined; name = open.pop()) {
			const at = trail.at(-1) ?? this.root;
			if (name === '' || name === '.') continue;
			if (name === '..') {
				if (trail.length > 1) trail.pop();
				continue;
			}
			const child = this.child(at, name);
			if (!child) return undefined;
			if (!child.stats.isSymbolicLink()) {
				trail.push(child);
				continue;
			}
			links += 1;
			if (links > MAX_LINKS) return undefined;
			const target = linkTargetOf(child);
			if (target.startsWith('/')) trail.length = 1;
			open.push(...target.split('/').reverse());
		}
		return trail.at(-1);
	}
}

/** The target of a symbolic link, as a byte string. */
export function linkTargetOf({ layer, path }: ViewEntry): string {
	return readlinkSync(onDisk(layer.root, path), 'latin1');
}

/** The entry at a path of which all layers show the parent folder. */
function firstOf(path: string, layers: readonly ViewLayer[]): ViewEntry | undefined {
	let first: { layer: ViewLayer; stats: Stats } | undefined;
	const merged: ViewLayer[] = [];
	for (const layer of layers) {
		if (layer.whiteouts.has(path)) break;
		const stats = lstatSync(onDisk(layer.root, path), { throwIfNoEntry: false });
		if (!stats) continue;
		// A helper has applied the marks: this is overlay's whiteout.
		if (stats.isCharacterDevice()) break;
		if (!stats.isDirectory()) {
			first ??= { layer, stats };
			break;
		}
		first ??= { layer, stats };
		merged.push(layer);
		if (layer.opaques.has(path)) break;
	}
	return first && { path, ...first, layers: merged };
}
