import type { ContainerUsage } from '../../api/contract/usage.ts';
import type { RuntimeContainer } from '../contract.ts';

/** What a container uses that has one process and does nothing. */
export function idleUsage({ id, podUid, name }: RuntimeContainer, at: number): ContainerUsage {
	return {
		id,
		podUid,
		name,
		at,
		cpuNanoseconds: 0,
		memoryBytes: 0,
		workingSetBytes: 0,
		processes: 1,
		writableLayerBytes: 0,
	};
}
