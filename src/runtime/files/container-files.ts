import { chmod, lchown, lstat } from 'node:fs/promises';
import type { FileReaders } from '../../api/contract/file-readers.ts';
import { type DiskUsage, diskUsage } from '../../base/files/disk-usage.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { makeSubPath, textInVolume } from './files-in-volume.ts';
import { type OwnershipOptions, setVolumeOwnership } from './volume-ownership.ts';

/**
 * Works on files that containers share with the node: those of their volumes. Users and groups are numbers as containers have
 * them, which may be other ones outside of their user namespace. All methods reject with an Error.
 */
export interface ContainerFiles {
	/** Gives a file to its readers, or where that cannot be, lets all users of the Pod read it. */
	giveTo(path: string, readers: FileReaders): Promise<void>;
	/** Gives a volume to a group: see setVolumeOwnership. */
	setOwnership(root: string, options: OwnershipOptions): Promise<void>;
	/** Removes a file, or a folder with its contents; does nothing if it does not exist. */
	remove(path: string): Promise<void>;
	/** The space that a folder takes. */
	usageOf(folder: string): Promise<DiskUsage>;
	/** See makeSubPath. */
	makeSubPath(root: string, subPath: string): Promise<boolean>;
	/** See textInVolume. */
	textInVolume(root: string, path: string): Promise<string | undefined>;
}

const READABLE = 0o444;

/** Works on them as this process, whose numbers are those of containers. */
export const OWN_FILES: ContainerFiles = {
	giveTo: async (path, { user, group }) => {
		if (process.geteuid?.() === 0) return await lchown(path, user ?? -1, group ?? -1);
		const { uid, gid, mode } = await lstat(path);
		const isOwn = (user ?? uid) === uid && (group ?? gid) === gid;
		// The folders above it are private: only containers that mount the volume reach it.
		if (!isOwn) await chmod(path, (mode & 0o7777) | READABLE);
	},
	setOwnership: setVolumeOwnership,
	remove: removeTree,
	usageOf: (folder) => diskUsage(folder),
	makeSubPath,
	textInVolume,
};
