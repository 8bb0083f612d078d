/**
 * Who a container with an image runs as: the Pod's numbers, or the user that the image names, looked up in the image's own
 * /etc/passwd and /etc/group as containerd does (oci.WithUser, WithUserID, WithAdditionalGIDs). Pure.
 */
import type { ContainerSecurity } from '../../api/contract/container-config.ts';
import {
	type GroupEntry,
	groupEntries,
	groupsOf,
	idOf,
	type PasswdEntry,
	passwdEntries,
} from '../user-entries.ts';

/** The user databases of an image; absent if it has none. */
export interface UserDatabases {
	readonly passwd: string | undefined;
	readonly group: string | undefined;
}

/** The user and groups of a container's process. */
export interface ImageUser {
	readonly uid: number;
	readonly gid: number;
	/** The supplementary groups. */
	readonly groups: readonly number[];
	/** The home folder in the image; `/` for a user that the image does not know. */
	readonly home: string;
}

/** The parts of a security context that say who it runs as. */
export type UserWish = Pick<
	ContainerSecurity,
	'runAsUser' | 'runAsGroup' | 'supplementalGroups' | 'supplementalGroupsPolicy'
>;

/** The image names a user or group that its own databases do not have. */
export class UnknownUser extends Error {
	override readonly name = 'UnknownUser';
}

/**
 * The user for `wish` in an image whose configuration says `named`: empty, `user`, `uid`, `user:group` and the like.
 * Throws {@link UnknownUser} for a name that the image lacks.
 */
export function imageUserOf(wish: UserWish, named: string, databases: UserDatabases): ImageUser {
	const users = passwdEntries(databases.passwd ?? '');
	const groups = groupEntries(databases.group ?? '');
	const [userPart = '', groupPart = ''] = named.split(':', 2);
	const entry =
		wish.runAsUser === undefined
			? userNamed(userPart, users)
			: users.find(({ uid }) => uid === wish.runAsUser);
	const uid = wish.runAsUser ?? entry?.uid ?? idOf(userPart) ?? 0;
	const isOwnGroup = wish.runAsUser === undefined && groupPart !== '';
	const gid = wish.runAsGroup ?? (isOwnGroup ? groupNamed(groupPart, groups) : entry?.gid) ?? 0;
	const merged = wish.supplementalGroupsPolicy === 'Merge' && entry ? groupsOf(entry.name, groups) : [];
	return {
		uid,
		gid,
		// The own group too, as containerd: programs test membership in the list alone.
		groups: [...new Set([gid, ...merged, ...wish.supplementalGroups])],
		home: entry?.home || '/',
	};
}

function userNamed(part: string, users: readonly PasswdEntry[]): PasswdEntry | undefined {
	const id = part === '' ? 0 : idOf(part);
	const found = users.find(({ name, uid }) => name === part || uid === id);
	if (found || id !== undefined) return found;
	throw new UnknownUser(`unable to find user ${part}: no matching entries in passwd file`);
}

function groupNamed(part: string, groups: readonly GroupEntry[]): number {
	const id = idOf(part);
	const found = groups.find(({ name }) => name === part)?.gid ?? id;
	if (found !== undefined) return found;
	throw new UnknownUser(`unable to find group ${part}: no matching entries in group file`);
}
