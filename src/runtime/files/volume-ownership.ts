/**
 * Gives the files of a volume to the group `fsGroup` of its Pod, with the permissions that the group needs (upstream:
 * `SetVolumeOwnership` in pkg/volume/volume_linux.go).
 *
 * Containers of other Pods may change a shared volume meanwhile, and could put a symbolic link in the place of a folder
 * that was just checked. So every entry is reached by way of the open folder that contains it (`/proc/self/fd/N/name`,
 * which is what openat does), and no link is followed. Upstream works with paths.
 */
import { constants, type Stats } from 'node:fs';
import { chmod, type FileHandle, lchown, lstat, open, readdir, stat } from 'node:fs/promises';
import { codeOf, isMissing } from '../../base/files/system-error.ts';

/** How the files of a volume are changed. */
export interface OwnershipOptions {
	readonly group: number;
	/** Whether the containers may only read the volume. */
	readonly readOnly: boolean;
	/** With `OnRootMismatch`, nothing is changed if the volume's own folder has the group and the permissions. */
	readonly policy?: 'Always' | 'OnRootMismatch';
}

const READ_WRITE = 0o660;
const READ = 0o440;
const ENTER = 0o110;
const SET_GROUP = 0o2000;

/** `O_PATH` of Linux, which Node does not name: refers to a file without opening it. */
const O_PATH = 0o10000000;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Changes the group and the permissions of the volume at `root` and everything in it. A file that this user may not
 * change is left as it is, as upstream. Rejects if the volume cannot be read.
 */
export async function setVolumeOwnership(root: string, options: OwnershipOptions): Promise<void> {
	if (options.policy === 'OnRootMismatch' && (await hasOwnership(root, options))) return;
	const folder = await open(root, FOLDER);
	try {
		await changeContents(folder, options);
		const stats = await folder.stat();
		await folder.chown(stats.uid, options.group).catch(ignoreRefusal);
		await folder.chmod(permissionsOf(stats, options)).catch(ignoreRefusal);
	} finally {
		await folder.close();
	}
}

/** Changes what is in the folder, and each folder in it after its contents: the root is the last one that changes. */
async function changeContents(folder: FileHandle, options: OwnershipOptions): Promise<void> {
	// Names may be any bytes.
	for (const name of await readdir(`/proc/self/fd/${folder.fd}`, { encoding: 'buffer' })) {
		try {
			await change(entryOf(folder, name), options);
		} catch (error) {
			// Removed or replaced meanwhile, by a container that shares the volume.
			if (!isMissing(error) && !['ELOOP', 'ENOTDIR'].includes(codeOf(error))) throw error;
		}
	}
}

async function change(path: Buffer, options: OwnershipOptions): Promise<void> {
	const stats = await lstat(path);
	// One that this user may not read keeps its contents as they are.
	if (stats.isDirectory())
		await openFolder(path).then((folder) => changeInside(folder, options), ignoreRefusal);
	if (stats.gid !== options.group) await lchown(path, stats.uid, options.group).catch(ignoreRefusal);
	// The permissions of a link mean nothing, and changing them would change those of its target.
	if (stats.isSymbolicLink()) return;
	const mode = permissionsOf(stats, options);
	if ((stats.mode & 0o7777) === mode && stats.gid === options.group) return;
	const file = await open(path, O_PATH | constants.O_NOFOLLOW);
	try {
		await chmod(`/proc/self/fd/${file.fd}`, mode).catch(ignoreRefusal);
	} finally {
		await file.close();
	}
}

async function changeInside(folder: FileHandle, options: OwnershipOptions): Promise<void> {
	try {
		await changeContents(folder, options);
	} finally {
		await folder.close();
	}
}

function openFolder(path: Buffer): Promise<FileHandle> {
	return open(path, FOLDER);
}

function entryOf(folder: FileHandle, name: Buffer): Buffer {
	return Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name]);
}

/** The permissions with those that the group needs added. */
function permissionsOf(stats: Stats, { readOnly }: OwnershipOptions): number {
	const needed = readOnly ? READ : READ_WRITE;
	return (stats.mode & 0o7777) | needed | (stats.isDirectory() ? SET_GROUP | ENTER : 0);
}

/** Upstream: `requiresPermissionChange`, negated. */
async function hasOwnership(root: string, options: OwnershipOptions): Promise<boolean> {
	const stats = await stat(root);
	return (
		stats.isDirectory() &&
		stats.gid === options.group &&
		(stats.mode & 0o7777) === permissionsOf(stats, options)
	);
}

function ignoreRefusal(error: unknown): void {
	if (!['EPERM', 'EACCES', 'EROFS'].includes(codeOf(error))) throw error;
}
