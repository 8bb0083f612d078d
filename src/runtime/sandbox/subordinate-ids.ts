import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { attempt } from '../../base/attempt.ts';
import { findProgram } from '../../base/files/programs.ts';
import type { IdRange, SubordinateIds } from '../process/shim/probe.ts';

/** The fewest ids that images need: users of distributions go up to 65534. */
const FEWEST_IDS = 65_536;

/**
 * The further ids that the system grants to this user, and the programs that map them; undefined if one of them is missing:
 * then a container has a single id.
 */
export function subordinateIds(path = process.env.PATH ?? ''): SubordinateIds | undefined {
	const { username, uid } = userInfo();
	const [uids, gids] = ['/etc/subuid', '/etc/subgid'].map((file) =>
		rangeIn(attempt(() => readFileSync(file, 'utf8')) ?? '', { username, uid }),
	);
	const hasPrograms = ['newuidmap', 'newgidmap'].every((name) => findProgram(name, path) !== undefined);
	return uids && gids && hasPrograms ? { uids, gids } : undefined;
}

/** The first range for a user in the text of a subuid(5) file that has enough ids. */
export function rangeIn(
	text: string,
	{ username, uid }: { readonly username: string; readonly uid: number },
): IdRange | undefined {
	for (const line of text.split('\n')) {
		const [owner, first = '', count = ''] = line.trim().split(':');
		if (owner !== username && owner !== String(uid)) continue;
		if (!/^\d{1,10}$/.test(first) || !/^\d{1,10}$/.test(count)) continue;
		if (Number(count) >= FEWEST_IDS) return { first: Number(first), count: Number(count) };
	}
	return undefined;
}

/** Throws an Error that a user can read if containers cannot have this user or group. */
export function checkId(
	kind: 'user' | 'group',
	id: number | undefined,
	ids: SubordinateIds | undefined,
): void {
	if (id === undefined || !ids) return;
	const [{ count }, file] = kind === 'user' ? [ids.uids, '/etc/subuid'] : [ids.gids, '/etc/subgid'];
	if (id <= count) return;
	throw new Error(
		`containers cannot have the ${kind} ${id}: ${file} grants the ${kind}s 1 to ${count}; use one of these, or grant more`,
	);
}
