import { readFileSync, statSync } from 'node:fs';
import type { ProcessUser } from '../../../api/contract/runtime-traits.ts';
import { attempt } from '../../../base/attempt.ts';
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
			this.#users = parseUsers(passwd, group);
		}
		return this.#users.get(uid);
	}
}

const FILES = ['/etc/passwd', '/etc/group'];

/** The users in the texts of a passwd(5) and a group(5) file; the first entry of an id counts. */
export function parseUsers(passwd: string, group: string): Map<number, HostUser> {
	const members = new Map<string, number[]>();
	for (const [, , gid = '', names = ''] of fieldsOf(group))
		for (const name of names.split(',').filter(Boolean)) {
			const groups = members.get(name) ?? [];
			groups.push(Number(gid));
			members.set(name, groups);
		}
	const users = new Map<number, HostUser>();
	for (const [name = '', , uid = '', gid = '', , home = '/'] of fieldsOf(passwd)) {
		if (!/^\d+$/.test(uid) || users.has(Number(uid))) continue;
		users.set(Number(uid), { gid: Number(gid), groups: members.get(name) ?? [], home });
	}
	return users;
}

function fieldsOf(text: string): readonly (readonly string[])[] {
	return text
		.split('\n')
		.filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => line.split(':'));
}

/** The user and groups of this process, with which the launcher and its containers run; undefined on Windows. */
export function userOfThisProcess(): ProcessUser | undefined {
	const { getuid, getgid, getgroups } = process;
	return getuid && getgid && { uid: getuid(), gid: getgid(), groups: getgroups?.() ?? [] };
}
