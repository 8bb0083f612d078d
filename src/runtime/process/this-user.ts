import type { ProcessUser } from '../../api/contract/runtime-traits.ts';

/** The user and groups of this process, with which the launcher and its containers run; undefined on Windows. */
export function thisUser(): ProcessUser | undefined {
	const { getuid, getgid, getgroups } = process;
	return getuid && getgid && { uid: getuid(), gid: getgid(), groups: getgroups?.() ?? [] };
}
