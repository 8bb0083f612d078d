import type { Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { systemReason } from '../../base/files/folders.ts';
import { isMissing } from '../../base/files/system-error.ts';
import { messageOf } from '../../base/message-of.ts';
import { quote } from '../../base/quote.ts';

/** What a `hostPath` must be, by its type: the kind of the file, and its name in upstream's message. */
const EXPECTED: Readonly<Record<string, readonly [kind: string, title: string]>> = {
	DirectoryOrCreate: ['Directory', 'directory'],
	Directory: ['Directory', 'directory'],
	FileOrCreate: ['File', 'file'],
	File: ['File', 'file'],
	Socket: ['Socket', 'socket file'],
	CharDevice: ['CharDevice', 'character device'],
	BlockDevice: ['BlockDevice', 'block device'],
};

/**
 * Checks that a path of the node is what the type of the volume requires, and creates it if the type says so (upstream:
 * `checkType` in pkg/volume/hostpath). Symbolic links are followed. Rejects with upstream's message.
 */
export async function checkHostPath(path: string, type: string): Promise<void> {
	if (path.split('/').includes('..')) throw new Error(`invalid HostPath \`${path}\`: must not contain '..'`);
	if (type === '') return;
	const expected = EXPECTED[type];
	if (!expected) throw new Error(`${type} is an invalid volume type`);
	if (type.endsWith('OrCreate') && !(await exists(path))) return create(path, type);
	const [kind, title] = expected;
	const found = await kindOf(path).catch((error: unknown) => {
		const why = messageOf(error);
		throw new Error(
			`hostPath type check failed, ${path} is not a ${title}, unable to determine its type: ${why}`,
		);
	});
	if (found !== kind)
		throw new Error(`hostPath type check failed: ${path} is not a ${title}, it's a ${found}`);
}

/** Rejects with a message in the form of Go's errors. */
async function create(path: string, type: string): Promise<void> {
	try {
		if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
		else await (await open(path, 'a', 0o644)).close();
	} catch (error) {
		const call = type === 'DirectoryOrCreate' ? 'mkdir' : 'open';
		throw new Error(`${call} ${path}: ${systemReason(error)}`);
	}
}

async function exists(path: string): Promise<boolean> {
	try {
		await stat(path);
		return true;
	} catch {
		return false;
	}
}

async function kindOf(path: string): Promise<string> {
	let stats: Stats;
	try {
		stats = await stat(path);
	} catch (error) {
		if (isMissing(error)) throw new Error(`path ${quote(path)} does not exist`);
		throw new Error(`stat ${path}: ${systemReason(error)}`);
	}
	if (stats.isDirectory()) return 'Directory';
	if (stats.isFile()) return 'File';
	if (stats.isSocket()) return 'Socket';
	if (stats.isCharacterDevice()) return 'CharDevice';
	if (stats.isBlockDevice()) return 'BlockDevice';
	throw new Error('only recognise file, directory, socket, block device and character device');
}
