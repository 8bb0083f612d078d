import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { childPath, onDisk, shownPath } from '../layers/byte-path.ts';

/** Compares folders on disk. */

/** Everything below a folder, by path: kind, mode, owner, time in ms, content or target, and which files are one. */
export function treeOf(root: string): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	const firstOf = new Map<number, string>();
	const visit = (path: string): void => {
		const target = onDisk(root, path);
		const stats = lstatSync(target);
		const isFile = stats.isFile();
		const same = isFile && stats.nlink > 1 ? (firstOf.get(stats.ino) ?? path) : '';
		if (isFile) firstOf.set(stats.ino, same);
		const content = isFile
			? readFileSync(target, 'latin1')
			: stats.isSymbolicLink()
				? readlinkSync(target, 'latin1')
				: '';
		const owner = `${stats.uid}:${stats.gid}`;
		const line = [stats.mode.toString(8), owner, Math.trunc(stats.mtimeMs), content, same].join(' ');
		found.set(shownPath(path), line);
		if (!stats.isDirectory()) return;
		for (const name of readdirSync(target, 'latin1').sort()) visit(childPath(path, name));
	};
	visit('');
	return found;
}

/** A folder for a test, which is removed after it. */
export function testFolder(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'stint-image-'));
	t.after(() => rmSync(path, { recursive: true, force: true }));
	return path;
}
