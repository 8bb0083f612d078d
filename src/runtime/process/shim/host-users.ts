import { readFileSync, statSync } from 'node:fs';
import type { ProcessUser } from '../../../api/contract/runtime-traits.ts';
import { attempt } from '../../../base/attempt.ts';
import { groupEntries, groupsOf, passwdEntries } from '../../user-entries.ts';
import type { HostUser } from './box.ts';

/** Looks users up in /etc/passwd and /etc/group. Reads the files again when they have changed. */
export class HostUsers {
	#stamp = '';
	#users = new Map<number, HostUser>();

	/** The user with this id; undefined if there is none. */
	byId(uid: number): HostUser | undefined {
		const stamp = FILES.map((path) => attempt(() => statSync(path).mtimeMs)).join(' ');
		if (stamp !== this.#stamp) {
			this.#stamp = stamp;
			const [passwd = '', group = ''] = FILES.map((path) => attempt(() => readFileSync(path, 'utf8')));
			this.#users = usersIn(passwd, group);
		}
		return this.#users.get(uid);
	}
}

const FILES = ['/etc/passwd', '/etc/group'];

/** The users in the texts of a passwd(5) and a group(5) file; the first entry of an id counts. */
function usersIn(passwd: string, group: string): Map<number, HostUser> {
	const groups = groupEntries(group);
	const users = new Map<number, HostUser>();
	for (const { name, uid, gid, home } of passwdEntries(passwd))
		if (!users.has(uid)) users.set(uid, { gid, groups: groupsOf(name, groups), home: home || '/' });
	return users;
}

/** The user and groups of this process, with which the launcher and its containers run; undefined on Windows. */
export function userOfThisProcess(): ProcessUser | undefined {
	const { getuid, getgid, getgroups } = process;
	return getuid && getgid && { uid: getuid(), gid: getgid(), groups: getgroups?.() ?? [] };
}
