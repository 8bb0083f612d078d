import type { ContainerBox } from '../shim/shim-request.ts';

/** A control group. */
export interface GroupPlace {
	/** Where the machine has mounted the hierarchy. */
	readonly mount: string;
	readonly folder: string;
}

/**
 * The box of a container that has these groups. With an image, it finds them at the places of the machine's groups, as with
 * the cgroup namespaces of container runtimes: many programs read there how much memory and processor time they have.
 */
export function withOwnGroups(
	box: ContainerBox | undefined,
	groups: readonly GroupPlace[],
): ContainerBox | undefined {
	const index = box?.mounts.findIndex(({ target }) => target === '/sys') ?? -1;
	const system = box?.mounts[index];
	if (!box?.root || box.root.isChroot || !system || groups.length === 0) return box;
	const flags = system.flags.replace('R', '');
	const own = groups
		.filter(({ mount }) => mount.startsWith('/sys/'))
		.map(({ mount, folder }) => ({ source: folder, subPath: '', target: mount, flags }));
	return { ...box, mounts: box.mounts.toSpliced(index + 1, 0, ...own) };
}
