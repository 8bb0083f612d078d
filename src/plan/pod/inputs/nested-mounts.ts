import type { Pod } from '../../../api/core/pod/schema.ts';

/**
 * The directories that a volume needs as mount points of other volumes, relative to it: if it is mounted at /a, and
 * another volume at /a/b/c, it needs b/c (upstream: `getNestedMountpoints`). A read-only volume could not get them later.
 * A directory below another mount point is not among them, since it belongs to the volume that is mounted there.
 */
export function nestedMountPoints({ spec }: Pod, volume: string): readonly string[] {
	const found = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ volumeMounts = [] }) => {
		const all = volumeMounts.map(({ mountPath }) => clean(mountPath)).sort();
		return volumeMounts
			.filter(({ name }) => name === volume)
			.flatMap(({ mountPath }) => outermost(all, `${clean(mountPath)}/`));
	});
	return [...new Set(found)];
}

/** The sorted `paths` below `prefix`, without those below another of them, relative to it. */
function outermost(paths: readonly string[], prefix: string): readonly string[] {
	const outer: string[] = [];
	for (const path of paths) {
		if (path.startsWith(prefix) && !outer.some((each) => path.startsWith(`${each}/`))) outer.push(path);
	}
	return outer.map((path) => path.slice(prefix.length));
}

/** The absolute path without empty elements, `.` and `..`, so that it names no directory outside of the volume. */
function clean(path: string): string {
	const parts: string[] = [];
	for (const part of path.split('/')) {
		if (part === '..') parts.pop();
		else if (part !== '' && part !== '.') parts.push(part);
	}
	return parts.map((part) => `/${part}`).join('');
}
