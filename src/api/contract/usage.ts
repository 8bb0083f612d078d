/** What containers, Pods and the machine use: the part of the CRI's stats that clients and evictions need. */

/** What a running container has used until `at`. */
export interface ContainerUsage {
	readonly id: string;
	readonly podUid: string;
	readonly name: string;
	/** Milliseconds since the epoch. */
	readonly at: number;
	/** Processor time of all its processes since its start; it never decreases. */
	readonly cpuNanoseconds: number;
	readonly memoryBytes: number;
	/** The memory that the kernel cannot take back without writing or swapping. */
	readonly workingSetBytes: number;
	readonly processes: number;
	/** What it has written to its own root file system; 0 where it has none. */
	readonly writableLayerBytes: number;
}

/** What the machine as a whole has used until `at`. */
export interface MachineUsage {
	readonly at: number;
	/** Processor time since some fixed moment. */
	readonly cpuNanoseconds: number;
	readonly workingSetBytes: number;
	readonly memoryAvailableBytes: number;
}

/** Usage with a rate: `cpuNanoCores` is the mean of the last `windowMs`. */
export interface RatedUsage {
	readonly cpuNanoCores: number;
	readonly windowMs: number;
}

/** What a node and its Pods use. */
export interface NodeUse {
	readonly machine: MachineUsage & RatedUsage;
	/** The running containers, in any order. */
	readonly containers: readonly (ContainerUsage & RatedUsage)[];
}
