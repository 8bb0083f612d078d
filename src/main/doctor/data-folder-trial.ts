import { mkdtempSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { attempt } from '../../base/attempt.ts';
import { systemReason } from '../../base/files/folders.ts';
import type { DataFolderFacts, Trial } from '../../plan/doctor/facts.ts';
import { dataFolder } from '../server/data-folder.ts';
import { isPresent, refusalOf } from './system-texts.ts';

/** Whether a server could use this data folder, which is not made. */
export function inspectDataFolder(dataDir: string): DataFolderFacts {
	const { path, socket } = dataFolder(dataDir);
	let tried = path;
	while (!isPresent(tried) && dirname(tried) !== tried) tried = dirname(tried);
	const disk = attempt(() => statfsSync(tried));
	return {
		path,
		tried,
		trial: tryFolder(path, tried),
		fileSystem: disk && fileSystemName(disk.type),
		freeBytes: disk && disk.bavail * disk.bsize,
		socketPathBytes: Buffer.byteLength(socket),
	};
}

function tryFolder(path: string, tried: string): Trial {
	try {
		const { uid, mode } = statSync(tried);
		const mine = process.getuid?.();
		// The server refuses such a folder: base/files/private-files.ts.
		if (tried === path && mine !== undefined && uid !== mine)
			return { kind: 'refused', code: 'EPERM', step: 'stat', detail: 'it belongs to another user' };
		if (tried === path && (mode & 0o022) !== 0)
			return { kind: 'refused', code: 'EPERM', step: 'stat', detail: 'other users can write to it' };
		rmdirSync(mkdtempSync(join(tried, '.stint-trial-')));
		return { kind: 'allowed' };
	} catch (error) {
		return refusalOf(error, 'mkdir', systemReason(error));
	}
}

/** The numbers of file systems, as in statfs(2). */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
	[0xef53, 'ext4'],
	[0x58465342, 'xfs'],
	[0x9123683e, 'btrfs'],
	[0x2fc12fc1, 'zfs'],
	[0xf2f52010, 'f2fs'],
	[0x01021994, 'tmpfs'],
	[0x794c7630, 'overlayfs'],
	[0x6969, 'nfs'],
	[0x517b, 'smb'],
	[0xff534d42, 'cifs'],
	[0xfe534d42, 'cifs'],
	[0x01021997, '9p'],
	[0x65735546, 'fuse'],
]);

function fileSystemName(type: number): string | undefined {
	return FILE_SYSTEMS.get(type);
}
