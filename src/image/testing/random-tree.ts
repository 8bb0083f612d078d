import {
	chmodSync,
	chownSync,
	lchownSync,
	linkSync,
	lutimesSync,
	mkdirSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import type { Random } from '../../base/random.ts';
import { childPath, onDisk } from '../layers/byte-path.ts';

/** How a tree is grown. */
interface Growth {
	readonly random: Random;
	/** Whether files may be given away. */
	readonly isRoot: boolean;
	/** Old formats cannot store long paths. */
	readonly maxPathBytes: number;
}

/**
 * Creates the folder `root` and in it what layers contain: nested folders, files of all sizes, links of both kinds,
 * names with other bytes than UTF-8, long names, all modes, owners and times.
 */
export function growTree(root: string, growth: Growth): void {
	mkdirSync(root);
	const files: string[] = [];
	const folders = [''];
	const { random } = growth;
	const count = 10 + below(random, 60);
	for (let i = 0; i < count; i++) {
		const folder = folders[below(random, folders.length)] ?? '';
		const path = childPath(folder, nameOf(random, i));
		if (path.length > growth.maxPathBytes) continue;
		const kind = below(random, 10);
		const first = files[below(random, files.length)];
		if (kind < 3) {
			mkdirSync(onDisk(root, path));
			folders.push(path);
		} else if (kind < 5) symlinkSync(targetOf(random), onDisk(root, path));
		else if (kind < 6 && first !== undefined) linkSync(onDisk(root, first), onDisk(root, path));
		else {
			writeFileSync(onDisk(root, path), contentOf(random));
			files.push(path);
		}
		if (kind >= 3 && kind < 5) setLinkAttributes(root, path, growth);
	}
	// Times of folders change with their content: set the attributes from the inside out.
	for (const path of [...files, ...folders.reverse()]) setAttributes(root, path, growth);
}

function below(random: Random, limit: number): number {
	return Math.floor(random.next() * limit);
}

function nameOf(random: Random, i: number): string {
	const bytes = ['\xff\xfe', 'caf\xc3\xa9', ' space', 'line\nbreak', 'quote"\'', '-dash', 'n'.repeat(90)];
	return `${bytes[below(random, 20)] ?? 'name'}${i}`;
}

function targetOf(random: Random): Buffer {
	const targets = ['.', '..', '/etc/passwd', 'name1', '../../../x', 'dangling', '\xff', 't'.repeat(99)];
	return Buffer.from(targets[below(random, targets.length)] ?? '.', 'latin1');
}

function contentOf(random: Random): Buffer {
	const size = [0, 1, 511, 512, 513, 70_000][below(random, 6)] ?? 0;
	return Buffer.alloc(size, String(below(random, 1000)));
}

const MODES = [0o644, 0o755, 0o600, 0o777, 0o4755, 0o2755, 0o1777, 0o400, 0o070, 0o000];

function setAttributes(root: string, path: string, { random, isRoot }: Growth): void {
	const target = onDisk(root, path);
	if (isRoot && random.next() < 0.5) chownSync(target, below(random, 70_000), below(random, 2 ** 21));
	const mode = MODES[below(random, MODES.length)] ?? 0o644;
	// An ordinary user could not pack what he cannot read.
	chmodSync(target, isRoot ? mode : (mode & 0o777) | 0o700);
	const time = below(random, 1_700_000_000);
	utimesSync(target, time, time);
}

function setLinkAttributes(root: string, path: string, { random, isRoot }: Growth): void {
	const target = onDisk(root, path);
	if (isRoot) lchownSync(target, below(random, 70_000), below(random, 70_000));
	const time = below(random, 1_700_000_000);
	lutimesSync(target, time, time);
}
