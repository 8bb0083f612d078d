import { lchownSync, type Stats } from 'node:fs';

/** Gives a file an owner unless it has it. Throws the system's error. A link is not followed. */
export function chownOrFail(
	target: string | Buffer,
	stats: Pick<Stats, 'uid' | 'gid'> | undefined,
	{ uid, gid }: Pick<Stats, 'uid' | 'gid'>,
): void {
	if (stats?.uid !== uid || stats.gid !== gid) lchownSync(target, uid, gid);
}

/** A time in seconds as node:fs takes it: it takes negative numbers for the present time, but not negative Dates. */
export function fileTime(seconds: number): number | Date {
	return seconds < 0 ? new Date(seconds * 1000) : seconds;
}
