import type { ContainerUsage } from '../../../api/contract/usage.ts';
import type { LabelledFacts } from '../../engines/container-facts.ts';
import { numberAt, timeAt, valueAt } from '../../json-values.ts';

/** What a container uses, by the engine's statistics of it; `writableLayerBytes` comes from the engine's list. Pure. */
export function engineUsageOf(
	{ id, sandbox, name }: LabelledFacts,
	stats: unknown,
	writableLayerBytes: number,
): ContainerUsage | undefined {
	const at = timeAt(stats, 'read');
	if (at === undefined) return undefined;
	const memory = valueAt(stats, 'memory_stats');
	const memoryBytes = numberAt(memory, 'usage');
	// Version 1 of control groups has it with the groups below.
	const inactive =
		numberAt(memory, 'stats', 'total_inactive_file') || numberAt(memory, 'stats', 'inactive_file');
	return {
		id,
		podUid: sandbox.podUid,
		name,
		at,
		cpuNanoseconds: numberAt(stats, 'cpu_stats', 'cpu_usage', 'total_usage'),
		memoryBytes,
		workingSetBytes: Math.max(memoryBytes - inactive, 0),
		processes: numberAt(stats, 'pids_stats', 'current'),
		writableLayerBytes,
	};
}
