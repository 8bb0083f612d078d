import type { ContainerUsage } from '../../../api/contract/usage.ts';
import type { LabelledFacts } from '../../engines/container-facts.ts';
import type { CriContainerStats } from '../client/cri-messages.ts';
import type { Read } from '../client/message.ts';
import { millisecondsOf } from './cri-state.ts';

/** What a container uses, by the runtime's statistics of it; undefined if they have no times yet. Pure. */
export function criUsageOf(
	{ id, sandbox, name }: LabelledFacts,
	{ cpu, memory, writableLayer }: Read<typeof CriContainerStats>,
	processes: number,
): ContainerUsage | undefined {
	if (!cpu?.usageCoreNanoSeconds) return undefined;
	const workingSetBytes = memory?.workingSetBytes?.value ?? 0;
	return {
		id,
		podUid: sandbox.podUid,
		name,
		processes,
		workingSetBytes,
		at: millisecondsOf(cpu.timestamp),
		cpuNanoseconds: cpu.usageCoreNanoSeconds.value,
		memoryBytes: memory?.usageBytes?.value ?? workingSetBytes,
		writableLayerBytes: writableLayer?.usedBytes?.value ?? 0,
	};
}
