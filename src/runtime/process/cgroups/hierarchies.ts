/**
 * Finds out in which folders of the kernel's control groups this user may make groups, and for which controllers.
 *
 * With cgroup v2 that is the nearest folder at or above the own one that may be written and passes the controllers on to
 * its groups: a folder with processes in it cannot. With v1 it is the own folder. So what limits stint itself, a systemd
 * slice for example, limits its Pods too where the kernel can do that.
 */
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { attempt } from '../../../base/attempt.ts';
import type { CgroupController } from './cgroup-limits.ts';

/** A folder in which groups can be made. */
export interface Hierarchy {
	readonly version: 1 | 2;
	/** Where it is mounted: `folder`, or above it. */
	readonly mount: string;
	readonly folder: string;
	/** What limits groups that are made in it. */
	readonly controllers: ReadonlySet<CgroupController>;
}

/** The system calls of the detection; tests replace them. */
export interface CgroupCalls {
	/** Throws the system error. */
	read(path: string): string;
	write(path: string, text: string): void;
	/** Whether this user may write the file or folder. */
	mayWrite(path: string): boolean;
}

const SYSTEM_CALLS: CgroupCalls = {
	read: (path) => readFileSync(path, 'utf8'),
	write: (path, text) => writeFileSync(path, text),
	mayWrite: (path) => attempt(() => accessSync(path, constants.W_OK) ?? true) ?? false,
};

const WANTED: readonly CgroupController[] = ['memory', 'cpu', 'pids'];

/** The hierarchies that can be used, no controller in two of them; empty if there are none. */
export function findHierarchies(calls: CgroupCalls = SYSTEM_CALLS): readonly Hierarchy[] {
	const mounts = mountsIn(attempt(() => calls.read('/proc/self/mountinfo')) ?? '');
	const own = ownPaths(attempt(() => calls.read('/proc/self/cgroup')) ?? '');
	const found: Hierarchy[] = [];
	for (const mount of mounts) {
		const taken = new Set(found.flatMap(({ controllers }) => [...controllers]));
		const one = mount.version === 2 ? unified(mount, own, calls) : legacy(mount, own, calls);
		const controllers = new Set([...(one?.controllers ?? [])].filter((name) => !taken.has(name)));
		if (one && controllers.size > 0) found.push({ ...one, controllers });
	}
	return found;
}

/** The controllers of all of them. */
export function controllersIn(hierarchies: readonly Hierarchy[]): ReadonlySet<CgroupController> {
	return new Set(hierarchies.flatMap(({ controllers }) => [...controllers]));
}

interface CgroupMount {
	readonly version: 1 | 2;
	/** The group that is mounted. */
	readonly root: string;
	readonly at: string;
	readonly controllers: readonly CgroupController[];
}

/** See proc_pid_mountinfo(5). */
function mountsIn(mountinfo: string): readonly CgroupMount[] {
	return mountinfo.split('\n').flatMap((line) => {
		const [front = '', back = ''] = line.split(' - ');
		const [, , , root = '', at = ''] = front.split(' ').map(unescapePath);
		const [type, , options = ''] = back.split(' ');
		if (type !== 'cgroup' && type !== 'cgroup2') return [];
		const names = options.split(',');
		const controllers = WANTED.filter((name) => names.includes(name));
		return [{ version: type === 'cgroup2' ? 2 : 1, root, at, controllers }];
	});
}

function unescapePath(text: string): string {
	return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
		String.fromCharCode(Number.parseInt(digits, 8)),
	);
}

/** By controller, and by the empty text for v2, the group of this process. */
function ownPaths(text: string): ReadonlyMap<string, string> {
	const paths = new Map<string, string>();
	for (const line of text.split('\n')) {
		const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
		for (const name of names?.split(',') ?? []) paths.set(name, path ?? '/');
	}
	return paths;
}

/** The folder of the group `path` in the mount; that of the mount itself if the group is not below it. */
function folderOf({ root, at }: CgroupMount, path: string): string {
	if (path.includes('/..')) return at;
	const below =
		root === '/' ? path : path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '';
	return below === '' || below === '/' ? at : join(at, below);
}

function legacy(
	mount: CgroupMount,
	own: ReadonlyMap<string, string>,
	calls: CgroupCalls,
): Hierarchy | undefined {
	const [first] = mount.controllers;
	if (first === undefined) return undefined;
	const nearest = folderOf(mount, own.get(first) ?? '/');
	const folder = [nearest, mount.at].find((each) => isUsable(each, calls));
	if (folder === undefined) return undefined;
	return { version: 1, mount: mount.at, folder, controllers: new Set(mount.controllers) };
}

function unified(
	mount: CgroupMount,
	own: ReadonlyMap<string, string>,
	calls: CgroupCalls,
): Hierarchy | undefined {
	let best: Hierarchy | undefined;
	for (let folder = folderOf(mount, own.get('') ?? '/'); ; folder = dirname(folder)) {
		if (isUsable(folder, calls)) {
			const controllers = enableIn(folder, calls);
			if (controllers.size > (best?.controllers.size ?? 0))
				best = { version: 2, mount: mount.at, folder, controllers };
		}
		if (folder === mount.at || folder === dirname(folder)) return best;
	}
}

function isUsable(folder: string, calls: CgroupCalls): boolean {
	return calls.mayWrite(folder) && calls.mayWrite(join(folder, 'cgroup.procs'));
}

/**
 * Passes the controllers that a folder of cgroup v2 has on to the groups in it, as far as the kernel allows it; returns
 * those that they have then.
 */
export function enableIn(
	folder: string,
	calls: Omit<CgroupCalls, 'mayWrite'> = SYSTEM_CALLS,
): ReadonlySet<CgroupController> {
	const listed = (name: string): readonly CgroupController[] => {
		const names = (attempt(() => calls.read(join(folder, name))) ?? '').trim().split(' ');
		return WANTED.filter((controller) => names.includes(controller));
	};
	const passed = listed('cgroup.subtree_control');
	for (const name of listed('cgroup.controllers'))
		if (!passed.includes(name))
			attempt(() => calls.write(join(folder, 'cgroup.subtree_control'), `+${name}`));
	return new Set(listed('cgroup.subtree_control'));
}
