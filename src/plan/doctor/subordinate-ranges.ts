/** A range of ids, from a line `user:first:length` of subuid(5) or subgid(5). */
export interface SubordinateRange {
	readonly user: string;
	readonly first: number;
	readonly length: number;
}

/** How many ids images need: users of distributions go up to 65534. The runtime sandbox uses a range of this length. */
export const IDS_OF_IMAGES = 65_536;

/** Where useradd starts to grant ids (SUB_UID_MIN of login.defs(5)). Ids below it may be those of real users. */
const FIRST_SUBORDINATE = 100_000;

/** The ranges in the text of /etc/subuid or /etc/subgid. Lines that are no range are left out, as the system does. */
export function rangesOf(text: string): readonly SubordinateRange[] {
	return text.split('\n').flatMap((line) => {
		const [, user, first, length] = /^([^:#]+):(\d{1,10}):(\d{1,10})$/.exec(line.trim()) ?? [];
		return user === undefined ? [] : [{ user, first: Number(first), length: Number(length) }];
	});
}

/** The first of {@link IDS_OF_IMAGES} consecutive ids that no range has: users who share ids could write each other's files. */
export function firstFreeRange(taken: readonly SubordinateRange[]): number {
	let free = FIRST_SUBORDINATE;
	for (const { first, length } of [...taken].sort((left, right) => left.first - right.first)) {
		if (first >= free + IDS_OF_IMAGES) break;
		free = Math.max(free, first + length);
	}
	return free;
}
