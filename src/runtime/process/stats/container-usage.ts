import type { ContainerUsage } from '../../../api/contract/usage.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Cgroups } from '../cgroups/cgroups.ts';
import type { ContainerEntry } from '../launcher/entry-table.ts';
import { usageOfCgroups, usageOfProcesses } from './process-usage.ts';

/** How many containers are measured before other work of the launcher gets a turn: about two milliseconds. */
const IN_A_TURN = 20;

/** Measures the containers that run: by their control groups where they have them, and by their processes. */
export async function usageOf(
	containers: Iterable<ContainerEntry>,
	clock: Clock,
	cgroups: Pick<Cgroups, 'of'> | undefined,
): Promise<readonly ContainerUsage[]> {
	const found: ContainerUsage[] = [];
	for (const { status, running } of [...containers]) {
		if (!running) continue;
		const { identity, endsOthers } = running.process;
		// With the shim, the known process is the waiter, which is not part of the container.
		const used = usageOfProcesses(identity.pid, !endsOthers);
		if (!used) continue;
		const { id, podUid, name } = status;
		const counted = usageOfCgroups(cgroups?.of(id)?.folders ?? []);
		found.push({ id, podUid, name, at: clock.now(), ...used, ...counted, writableLayerBytes: 0 });
		if (found.length % IN_A_TURN === 0) await new Promise(setImmediate);
	}
	return found;
}
