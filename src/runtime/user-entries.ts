/** The entries of user databases, which images have as machines do: passwd(5) and group(5). Pure. */

/** A user of a passwd(5) file. */
export interface PasswdEntry {
	readonly name: string;
	readonly uid: number;
	readonly gid: number;
	/** Empty if the entry names none. */
	readonly home: string;
}

/** A group of a group(5) file. */
export interface GroupEntry {
	readonly gid: number;
	readonly name: string;
	/** The names of the users for which it is a supplementary group. */
	readonly members: readonly string[];
}

/** The highest id of Linux is kept for "no id". */
const HIGHEST_ID = 0xffff_fffe;

/** The id that a text is; undefined for any other text. */
export function idOf(text: string): number | undefined {
	const value = /^\d{1,10}$/.test(text) ? Number(text) : undefined;
	return value !== undefined && value <= HIGHEST_ID ? value : undefined;
}

/** The users in the text of a passwd(5) file, in order. Lines that are malformed are left out. */
export function passwdEntries(text: string): readonly PasswdEntry[] {
	return linesOf(text).flatMap(([name = '', , uidText = '', gidText = '', , home = '']) => {
		const [uid, gid] = [idOf(uidText), idOf(gidText)];
		return uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home }];
	});
}

/** The groups in the text of a group(5) file, in order. Lines that are malformed are left out. */
export function groupEntries(text: string): readonly GroupEntry[] {
	return linesOf(text).flatMap(([name = '', , gidText = '', members = '']) => {
		const gid = idOf(gidText);
		return gid === undefined ? [] : [{ name, gid, members: members.split(',').filter(Boolean) }];
	});
}

/** The supplementary groups of a user. */
export function groupsOf(user: string, groups: readonly GroupEntry[]): readonly number[] {
	return groups.filter(({ members }) => members.includes(user)).map(({ gid }) => gid);
}

function linesOf(text: string): readonly (readonly string[])[] {
	return text
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '' && !line.startsWith('#'))
		.map((line) => line.split(':'));
}
