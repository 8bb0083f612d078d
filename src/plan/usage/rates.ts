import type { ContainerUsage, MachineUsage, NodeUse, RatedUsage } from '../../api/contract/usage.ts';

/** One measurement of a node. */
export interface UsageSample {
	readonly machine: MachineUsage;
	readonly containers: readonly ContainerUsage[];
}

/**
 * The usage at `later`, with the rates since `earlier`. A container that `earlier` lacks has no rate yet and is left out,
 * as metrics-server does with a container that it has seen once.
 */
export function usageBetween(earlier: UsageSample, later: UsageSample): NodeUse {
	const before = new Map(earlier.containers.map((container) => [container.id, container]));
	return {
		machine: { ...later.machine, ...rateBetween(earlier.machine, later.machine) },
		containers: later.containers.flatMap((container) => {
			const first = before.get(container.id);
			return first && first.at < container.at ? [{ ...container, ...rateBetween(first, container) }] : [];
		}),
	};
}

type Counted = Pick<ContainerUsage, 'at' | 'cpuNanoseconds'>;

function rateBetween(earlier: Counted, later: Counted): RatedUsage {
	const windowMs = later.at - earlier.at;
	// A clock that was set back must not give a negative rate.
	const used = Math.max(0, later.cpuNanoseconds - earlier.cpuNanoseconds);
	return { cpuNanoCores: windowMs > 0 ? Math.round((used * 1000) / windowMs) : 0, windowMs };
}
