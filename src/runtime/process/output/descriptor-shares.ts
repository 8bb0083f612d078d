/** How the launcher divides its file descriptors between containers and logs. */
export interface DescriptorShares {
	/** The limit on open files; undefined if it is not known or there is none. */
	readonly limit: number | undefined;
	/** How many containers may run at once: each has the two pipes of its output open. */
	readonly containers: number;
	/** How many logs may be open at once. */
	readonly logs: number;
}

/** Descriptors reserved for Node, the journal, the clients, and the temporary ones of a spawn. */
const RESERVED = 56;
/** Upper limit on open logs; a log that is closed meanwhile is opened again by its next write. */
const MOST_LOGS = 64;
/** The read ends of standard output and standard error. */
const PER_CONTAINER = 2;

/** Divides `limit` descriptors. At least one container may run, whatever the limit. */
export function shareDescriptors(limit: number | undefined): DescriptorShares {
	if (limit === undefined) return { limit, containers: Number.POSITIVE_INFINITY, logs: MOST_LOGS };
	const logs = Math.min(Math.max(Math.floor(limit / 16), 1), MOST_LOGS);
	const left = Math.floor((limit - RESERVED - logs) / PER_CONTAINER);
	return { limit, containers: Math.max(left, 1), logs };
}
