import { readFileSync } from 'node:fs';

/** How the launcher divides the files that it may have open. */
export interface DescriptorShares {
	/** How many files it may have open in all; undefined where that is not known. */
	readonly limit: number | undefined;
	/** How many containers may run at once: each keeps the two pipes of its output open. */
	readonly containers: number;
	/** How many logs may be open at once. */
	readonly logs: number;
}

/** For Node itself, the journal, clients, and what the start of a process needs for a moment. */
const RESERVED = 56;
const MOST_LOGS = 64;
const PER_CONTAINER = 2;

/** The shares under a `limit` on open files. */
export function shareDescriptors(limit: number | undefined): DescriptorShares {
	if (limit === undefined) return { limit, containers: Number.POSITIVE_INFINITY, logs: MOST_LOGS };
	const logs = Math.min(Math.max(Math.floor(limit / 16), 1), MOST_LOGS);
	const left = Math.floor((limit - RESERVED - logs) / PER_CONTAINER);
	return { limit, containers: Math.max(left, 1), logs };
}

/** How many files this process may have open (`ulimit -n`); undefined where the system does not tell, or sets no limit. */
export function descriptorLimit(): number | undefined {
	try {
		const limits = readFileSync('/proc/self/limits', 'latin1');
		const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
		return soft === undefined ? undefined : Number(soft);
	} catch {
		return undefined;
	}
}
