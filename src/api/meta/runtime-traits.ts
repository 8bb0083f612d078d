/**
 * What a container runtime says of itself, as far as it decides what a Pod may ask for. The runtime
 * declares it, plan/pod/fields reads it.
 */
export interface RuntimeTraits {
	/**
	 * The fields of a Pod that the runtime honours, of those that need a runtime: by the path in the schema,
	 * `spec.containers[].tty` (which covers init containers too). `everything` is for a runtime that
	 * only pretends.
	 */
	readonly honours: 'everything' | ReadonlySet<string>;
	/** Who the processes of containers run as where the Pod does not say; undefined where users have no numbers. */
	readonly user: ProcessUser | undefined;
	/** The operating system of the containers, as Go names it: linux, darwin. */
	readonly os: string;
}

/** The user and groups of a process. */
export interface ProcessUser {
	readonly uid: number;
	readonly gid: number;
	/** The supplementary groups. */
	readonly groups: readonly number[];
}
