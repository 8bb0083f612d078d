import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupFacts, Trial } from '../../plan/doctor/facts.ts';
import { refusalOf, textOf } from './system-texts.ts';

/** The controllers of cgroup v1 that limit Pods; each mount of another one would be a line without use. */
const LIMITING: readonly string[] = ['cpu', 'memory', 'pids'];

/** The hierarchies that are mounted, with what a group below that of this process can have. */
export function inspectCgroups(): readonly CgroupFacts[] {
	const own = ownPaths(textOf('/proc/self/cgroup'));
	return mountsIn(textOf('/proc/self/mountinfo')).flatMap((mount): readonly CgroupFacts[] => {
		const { version, controllers } = mount;
		if (version === 1 && controllers.length === 0) return [];
		const folder = folderOf(mount, own.get(version === 2 ? '' : (controllers[0] ?? '')) ?? '/');
		const listed = textOf(join(folder, 'cgroup.controllers')).trim().split(' ').filter(Boolean);
		const has = version === 1 ? controllers : listed;
		return [{ version, folder, controllers: has, trial: tryGroup(folder) }];
	});
}

/** Makes a group, and removes it. */
function tryGroup(folder: string): Trial {
	const group = join(folder, `stint-trial-${process.pid}`);
	try {
		mkdirSync(group);
	} catch (error) {
		return refusalOf(error, 'mkdir', folder);
	}
	rmdirSync(group);
	return { kind: 'allowed' };
}

interface CgroupMount {
	readonly version: 1 | 2;
	readonly at: string;
	/** The group that is mounted there. */
	readonly root: string;
	/** Of v1: the limiting ones. */
	readonly controllers: readonly string[];
}

/** See proc_pid_mountinfo(5). */
function mountsIn(mountinfo: string): readonly CgroupMount[] {
	return mountinfo.split('\n').flatMap((line) => {
		const [front = '', back = ''] = line.split(' - ');
		const [, , , root = '', at = ''] = front.split(' ');
		const [type, , options = ''] = back.split(' ');
		if (type !== 'cgroup' && type !== 'cgroup2') return [];
		const names = options.split(',');
		return [
			{
				...({ version: type === 'cgroup2' ? 2 : 1, at, root } as const),
				controllers: LIMITING.filter((name) => names.includes(name)),
			},
		];
	});
}

/** By controller, and by the empty text for v2, the group of this process. */
function ownPaths(text: string): ReadonlyMap<string, string> {
	return new Map(
		text.split('\n').flatMap((line) => {
			const [, names = '', path = '/'] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
			return names.split(',').map((name): [string, string] => [name, path]);
		}),
	);
}

/** The folder of a group; that of the mount if the group is not below the one that is mounted. */
function folderOf({ at, root }: Pick<CgroupMount, 'at' | 'root'>, path: string): string {
	const below = root === '/' ? path : path.startsWith(`${root}/`) ? path.slice(root.length) : '/';
	return path.includes('/..') || below === '/' ? at : join(at, below);
}
