/** The names of this runtime's files in the runtime folder. They have no meaning in a copy of the folder. */
export const DOCKER_FILES = {
	/** The identity of the server: see owner.ts. */
	owner: 'engine-owner',
	/** The folder of the sandboxes: see sandbox-records.ts. */
	sandboxes: 'engine-sandboxes',
} as const;
