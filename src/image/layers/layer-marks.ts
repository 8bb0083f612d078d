/**
 * What a layer says that its folder on disk does not show, because Node has no mknod and no setxattr, and because an
 * ordinary user cannot give files away. The marks are stored beside the folder as JSON lines. A reader that merges
 * layers by copying applies them itself; before overlay can mount the folder, {@link LayerFiles} applies them.
 */

/** The marks. All paths are byte strings without links. */
export interface LayerMarks {
	/** Paths that lower layers must not show, in folders that exist in this layer. */
	readonly whiteouts: readonly string[];
	/** Folders whose content in lower layers must not show; empty for the root. */
	readonly opaques: readonly string[];
	/** Owners and modes that the files on disk do not have. */
	readonly owners: ReadonlyMap<string, FileOwner>;
	/** Extended attributes by path and name, none of which is set on disk. Values are byte strings. */
	readonly xattrs: ReadonlyMap<string, ReadonlyMap<string, string>>;
	/** Folders without an entry, parents first: their attributes are those of the same folder in lower layers. */
	readonly implied: readonly string[];
}

/** The owner of a file, and its mode. */
export interface FileOwner {
	readonly uid: number;
	readonly gid: number;
	readonly mode: number;
}

/**
 * Applies marks to the folder of a layer, with calls that Node does not have. The implementation that can do so
 * is the native helper, which runs inside of the user namespace of the containers.
 */
export interface LayerFiles {
	/**
	 * Gives the folder `root` the form that overlayfs expects of a lower folder: a character device 0/0 for each
	 * whiteout, the attribute `trusted.overlay.opaque` or `user.overlay.opaque` for each opaque folder, owners by
	 * lchown, and extended attributes. Returns whether overlay can use the folder now. If not, some of the marks may
	 * have been applied; containers get copies, which are made by the stored marks and take over no device or
	 * attribute of the folder. May be called again after a crash, and for the folder of a copy.
	 */
	applyMarks(root: string, marks: LayerMarks): Promise<boolean>;
}

/** Without a helper: a folder can be mounted if its layer has no marks that concern overlay or permissions. */
export const NO_HELPER: LayerFiles = {
	applyMarks: async (_root, { whiteouts, opaques, owners, xattrs }) =>
		whiteouts.length + opaques.length + owners.size + xattrs.size === 0,
};

/** The marks as JSON lines, one for each path and kind. */
export function writeMarks(marks: LayerMarks): string {
	const lines: Line[] = [];
	for (const path of marks.whiteouts) lines.push({ kind: 'whiteout', path });
	for (const path of marks.opaques) lines.push({ kind: 'opaque', path });
	for (const [path, { uid, gid, mode }] of marks.owners) lines.push({ kind: 'owner', path, uid, gid, mode });
	for (const [path, attributes] of marks.xattrs)
		for (const [name, value] of attributes)
			lines.push({ kind: 'xattr', path, name, value: Buffer.from(value, 'latin1').toString('base64') });
	for (const path of marks.implied) lines.push({ kind: 'implied', path });
	return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** The marks of a text that {@link writeMarks} has written. */
export function readMarks(text: string): LayerMarks {
	const whiteouts: string[] = [];
	const opaques: string[] = [];
	const owners = new Map<string, FileOwner>();
	const xattrs = new Map<string, Map<string, string>>();
	const implied: string[] = [];
	for (const row of text.split('\n')) {
		if (row === '') continue;
		const line: Line = JSON.parse(row);
		if (line.kind === 'whiteout') whiteouts.push(line.path);
		else if (line.kind === 'opaque') opaques.push(line.path);
		else if (line.kind === 'implied') implied.push(line.path);
		else if (line.kind === 'owner') owners.set(line.path, { uid: line.uid, gid: line.gid, mode: line.mode });
		else if (line.kind === 'xattr') {
			const attributes = xattrs.get(line.path) ?? new Map<string, string>();
			attributes.set(line.name, Buffer.from(line.value, 'base64').toString('latin1'));
			xattrs.set(line.path, attributes);
		}
	}
	return { whiteouts, opaques, owners, xattrs, implied };
}

type Line =
	| { readonly kind: 'whiteout' | 'opaque' | 'implied'; readonly path: string }
	| {
			readonly kind: 'owner';
			readonly path: string;
			readonly uid: number;
			readonly gid: number;
			readonly mode: number;
	  }
	| { readonly kind: 'xattr'; readonly path: string; readonly name: string; readonly value: string };
