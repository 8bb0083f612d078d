import {
	chmodSync,
	chownSync,
	closeSync,
	constants,
	fchmodSync,
	fchownSync,
	futimesSync,
	lchownSync,
	linkSync,
	lutimesSync,
	mkdirSync,
	openSync,
	rmSync,
	statSync,
	symlinkSync,
	unlinkSync,
	utimesSync,
	writeSync,
} from 'node:fs';
import { codeOf } from '../../base/files/system-error.ts';
import { childPath, onDisk, shownPath } from './byte-path.ts';
import { readEntryName, readLinkPath } from './entry-path.ts';
import { fileTime } from './file-attributes.ts';
import { LayerError } from './layer-error.ts';
import type { FileOwner, LayerMarks } from './layer-marks.ts';
import { LayerFolder, LayerTree } from './layer-tree.ts';
import { MarksCollector } from './marks-collector.ts';
import type { LayerEntry, TarSink } from './tar-reader.ts';

/** How files are created. */
export interface UnpackPolicy {
	/**
	 * `apply`: files get their owners, which needs the rights of root. An owner that the user namespace does not have is
	 * recorded instead. `record`: files belong to this user, who gets the right to read them, and their owners and modes
	 * are recorded.
	 */
	readonly ownership: 'apply' | 'record';
	/** `strip` removes the set-user-id and set-group-id bits of files: for roots that are not mounted `nosuid`. */
	readonly setId: 'keep' | 'strip';
}

/** What an unpacking has created. */
export interface UnpackedFiles {
	readonly marks: LayerMarks;
	/** Files, folders and links, without whiteouts. */
	readonly entries: number;
	/** The total length of the files. */
	readonly contentBytes: number;
	/** Device nodes and named pipes: no container may get them from an image. */
	readonly skipped: number;
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const PRIVATE_FOLDER = 0o700;
const IMPLIED_FOLDER = { mode: 0o755, uid: 0, gid: 0 };
const SET_ID = 0o6000;
/** The largest id of a user or group. The next number means "no change" to chown. */
const LAST_ID = 2 ** 32 - 2;
/** Linux's limit of a link's target. */
const MAX_TARGET_BYTES = 4096;
/** What ext4 can store; other values would be set to some other time. */
const [FIRST_TIME, LAST_TIME] = [-(2 ** 31), 2 ** 34 - 1];

/**
 * Creates the files of a layer in a new folder. Layers are hostile:
 *
 * 1. Nothing is created, changed or read outside of the folder. Links are resolved in a {@link LayerTree}, and the
 *    last component of a path is never followed.
 * 2. A file is always a new one (`O_EXCL`): an entry whose path exists replaces it, except that a folder keeps the
 *    content of a folder. Writing into the existing file would change all its hard links.
 * 3. Hard links lead only to files of this layer.
 * 4. Folders are private until {@link finish}: their content must be creatable, whatever their mode.
 *
 * All calls are synchronous: thousands of small files cost a third of the CPU time that promises need.
 */
export class LayerUnpacker implements TarSink {
	readonly #root: string;
	readonly #policy: UnpackPolicy;
	readonly #tree: LayerTree;
	readonly #marks = new MarksCollector();
	/** The owner and the mode bits that new files get from the system. */
	readonly #own: { readonly uid: number; readonly gid: number; readonly umask: number };
	/** The file that is being written, or undefined between files and for entries without a file. */
	#open: { readonly fd: number; readonly path: string; readonly entry: LayerEntry } | undefined;
	#entries = 0;
	#contentBytes = 0;
	#skipped = 0;

	/** Creates the folder `root`, which must not exist. Its parent must be private to this user. */
	constructor(root: string, policy: UnpackPolicy) {
		this.#root = root;
		this.#policy = policy;
		mkdirSync(root, { mode: 0o777 });
		const { uid, gid, mode } = statSync(root);
		this.#own = { uid, gid, umask: 0o777 & ~mode };
		chmodSync(root, PRIVATE_FOLDER);
		this.#tree = new LayerTree((path) => this.#create(path, (target) => mkdirSync(target, PRIVATE_FOLDER)));
	}

	entry(entry: LayerEntry): void {
		if (Math.max(entry.uid, entry.gid) > LAST_ID)
			throw new LayerError('refused', `${shownPath(entry.path)} has an owner beyond ${LAST_ID}`);
		const name = readEntryName(entry.path);
		if (name.kind === 'root') this.#setRoot(entry);
		else if (name.kind === 'opaque') this.#tree.folderAt(name.folder).isOpaque = true;
		else if (name.kind === 'whiteout') this.#tree.folderAt(name.folder).whiteouts.add(name.name);
		else if (name.kind === 'metadata' || entry.kind === 'device' || entry.kind === 'fifo') this.#skipped += 1;
		else this.#add(entry, this.#placeOf(name.folder, name.name));
	}

	data(bytes: Buffer): void {
		if (!this.#open) return;
		this.#contentBytes += bytes.length;
		for (let at = 0; at < bytes.length; ) at += writeSync(this.#open.fd, bytes, at);
	}

	end(): void {
		if (!this.#open) return;
		const { fd, path, entry } = this.#open;
		const mode = this.#setOwner(path, this.#ownerOf(entry), (uid, gid) => fchownSync(fd, uid, gid));
		if (mode !== (entry.mode & ~this.#own.umask & 0o777)) fchmodSync(fd, mode);
		const time = timeOf(entry);
		futimesSync(fd, time, time);
		this.close();
	}

	/** All entries have been read: gives the folders their attributes. */
	finish(): UnpackedFiles {
		this.#tree.eachFolder(({ path, attributes }) => {
			const target = onDisk(this.#root, path);
			const owner = attributes ?? IMPLIED_FOLDER;
			const access = PRIVATE_FOLDER;
			const mode = this.#setOwner(path, { ...owner, access }, (uid, gid) => chownSync(target, uid, gid));
			chmodSync(target, mode);
			if (!attributes) return;
			const time = timeOf(attributes);
			utimesSync(target, time, time);
		});
		return {
			marks: this.#marks.finish(this.#root, this.#tree),
			entries: this.#entries,
			contentBytes: this.#contentBytes,
			skipped: this.#skipped,
		};
	}

	/** Closes the file that is being written, if an error has ended the reading. May be called any number of times. */
	close(): void {
		const fd = this.#open?.fd;
		this.#open = undefined;
		if (fd !== undefined) closeSync(fd);
	}

	#setRoot(entry: LayerEntry): void {
		if (entry.kind !== 'folder')
			throw new LayerError('refused', `the root of the layer is a ${entry.kind}, not a folder`);
		this.#tree.root.attributes = entry;
		this.#marks.forget('');
		this.#marks.setXattrs('', entry.xattrs);
	}

	#placeOf(folder: readonly string[], name: string): Place {
		const parent = this.#tree.folderAt(folder);
		return { parent, name, path: childPath(parent.path, name) };
	}

	#add(entry: LayerEntry, place: Place): void {
		this.#entries += 1;
		if (entry.kind === 'hardlink') {
			this.#addLink(entry, place);
			return;
		}
		this.#marks.forget(place.path);
		if (entry.kind === 'folder') this.#addFolder(entry, place);
		else if (entry.kind === 'symlink') this.#addSymlink(entry, place);
		else {
			const mode = entry.mode & 0o777;
			const fd = this.#replace(place, (target) => openSync(target, CREATE, mode));
			this.#open = { fd, path: place.path, entry };
		}
		if (entry.kind !== 'symlink') this.#marks.setXattrs(place.path, entry.xattrs);
	}

	#addFolder(entry: LayerEntry, place: Place): void {
		const { parent, name, path } = place;
		const present = parent.children.get(name);
		if (present !== undefined && typeof present !== 'string') {
			present.attributes = entry;
			return;
		}
		this.#replace(place, (target) => mkdirSync(target, PRIVATE_FOLDER));
		const folder = new LayerFolder(path, parent);
		folder.attributes = entry;
		this.#tree.set(parent, name, folder);
	}

	#addSymlink(entry: LayerEntry, place: Place): void {
		const { linkTarget } = entry;
		const { parent, name, path } = place;
		if (linkTarget === '' || linkTarget.length >= MAX_TARGET_BYTES || linkTarget.includes('\0'))
			throw new LayerError('refused', `the symbolic link ${shownPath(path)} has a malformed target`);
		this.#replace(place, (target) => symlinkSync(Buffer.from(linkTarget, 'latin1'), target));
		this.#tree.set(parent, name, linkTarget);
		const target = onDisk(this.#root, path);
		const owner = { uid: entry.uid, gid: entry.gid, mode: 0o777 };
		this.#setOwner(path, owner, (uid, gid) => lchownSync(target, uid, gid));
		const time = timeOf(entry);
		lutimesSync(target, time, time);
	}

	#addLink(entry: LayerEntry, place: Place): void {
		const parts = readLinkPath(entry.linkTarget);
		const existing = this.#placeOf(parts.slice(0, -1), parts.at(-1) ?? '');
		const { path } = place;
		const present = existing.parent.children.get(existing.name);
		const isFolder = existing.name === '' || (present !== undefined && typeof present !== 'string');
		if (isFolder || existing.path === path)
			throw wrongLink(path, `leads to ${isFolder ? 'a folder' : 'itself'}`);
		this.#marks.forget(path);
		try {
			this.#replace(place, (target) => linkSync(onDisk(this.#root, existing.path), target));
		} catch (error) {
			if (codeOf(error) !== 'ENOENT') throw error;
			throw wrongLink(path, `leads to ${shownPath(existing.path)}, which is not in this layer`);
		}
		if (typeof present === 'string') this.#tree.set(place.parent, place.name, present);
		this.#marks.copy(existing.path, path);
	}

	/** The owner and mode that a file shall have. */
	#ownerOf({ uid, gid, mode }: LayerEntry): FileOwner {
		return { uid, gid, mode: this.#policy.setId === 'strip' ? mode & ~SET_ID : mode };
	}

	/**
	 * Gives a file its owner, or records the owner. Returns the mode that the file then must have on disk: changing the
	 * owner removes set-id bits, so the mode comes after it. `access` is what this user needs where it stands for root.
	 */
	#setOwner(
		path: string,
		owner: FileOwner & { access?: number },
		chown: (uid: number, gid: number) => void,
	): number {
		const { uid, gid, mode, access = constants.S_IRUSR } = owner;
		if (this.#policy.ownership === 'apply') {
			if (uid === this.#own.uid && gid === this.#own.gid) return mode;
			try {
				chown(uid, gid);
				return mode;
			} catch (error) {
				// The user namespace maps no such id.
				if (!['EPERM', 'EINVAL'].includes(codeOf(error))) throw error;
			}
		}
		// The user stands for root, and must be able to read all files in order to copy them. A program that runs as the
		// owner of its file must not run as root because the file has another owner on disk.
		const isOwn = uid === 0 && gid === 0;
		const onDiskMode = (isOwn ? mode : mode & ~SET_ID) | access;
		if (!isOwn || onDiskMode !== mode) this.#marks.setOwner(path, { uid, gid, mode });
		return onDiskMode;
	}

	/** Creates a file that replaces an existing one. A link at its path is removed, not followed. */
	#replace<T>({ parent, name, path }: Place, make: (target: string | Buffer) => T): T {
		const present = parent.children.get(name);
		const target = onDisk(this.#root, path);
		if (present === undefined) {
			try {
				return make(target);
			} catch (error) {
				if (codeOf(error) !== 'EEXIST') throw asLayerError(error, path);
			}
		}
		this.#tree.set(parent, name, undefined);
		if (present !== undefined && typeof present !== 'string') rmSync(target, { recursive: true });
		else unlinkSync(target);
		return this.#create(path, make);
	}

	#create<T>(path: string, make: (target: string | Buffer) => T): T {
		try {
			return make(onDisk(this.#root, path));
		} catch (error) {
			throw asLayerError(error, path);
		}
	}
}

/** Where an entry belongs: `name` in `parent`. */
interface Place {
	readonly parent: LayerFolder;
	readonly name: string;
	readonly path: string;
}

/** What the entries of a layer, and not the state of the machine, can cause. */
const PROBLEMS: Readonly<Record<string, string>> = {
	EEXIST: 'a file is in the place of a folder',
	EILSEQ: 'the file system does not allow its name',
	EMLINK: 'its file has too many hard links',
	ENAMETOOLONG: 'its path is too long',
};

function asLayerError(error: unknown, path: string): unknown {
	const problem = PROBLEMS[codeOf(error)];
	if (problem === undefined) return error;
	return new LayerError('refused', `${shownPath(path)} cannot be created: ${problem}`, { cause: error });
}

function wrongLink(path: string, problem: string): LayerError {
	return new LayerError('refused', `the hard link ${shownPath(path)} ${problem}`);
}

/** The time of an entry, within what file systems store. */
function timeOf({ mtime }: Pick<LayerEntry, 'mtime'>): number | Date {
	return fileTime(Math.min(Math.max(mtime, FIRST_TIME), LAST_TIME));
}
