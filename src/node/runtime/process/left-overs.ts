/** What a launcher finds that was killed before it could end its containers, and what it does about it. */
import type { ContainerStatus } from '../runtime.ts';
import type { JournalState } from './journal.ts';
import type { Origin } from './journal-entry.ts';
import { isRunning, killMarked, markOf, signalGroup } from './process-table.ts';

const MESSAGE =
	'The process that ran this container was killed; what was left of the container was killed as well';

/**
 * Kills what still runs of the containers in `left`: the groups whose leader is the process that was
 * started, and whatever carries a container's mark, also that of one which has ended. A group without its
 * leader is found by the mark only, because its number may be another group's by now.
 *
 * Kills nothing that was started elsewhere than `here`: before the machine was started, or from the folder
 * that this one is a copy of.
 */
export async function killLeftOvers(left: JournalState, here: Origin): Promise<void> {
	if (left.boot !== here.boot || (left.folder !== undefined && left.folder !== here.folder)) return;
	for (const [id, identity] of left.processes) {
		const hasEnded = left.containers.get(id)?.state === 'exited';
		if (!hasEnded && isRunning(identity)) signalGroup(identity.pid, 'SIGKILL');
	}
	const { key } = left;
	if (key === undefined) return;
	await killMarked(new Set(Array.from(left.containers.keys(), (id) => markOf(id, key))));
}

/** `left` with the containers that had not ended as lost, noticed at `now`. */
export function asLost(left: JournalState, now: number): JournalState {
	const containers = new Map<string, ContainerStatus>();
	for (const [id, status] of left.containers) {
		containers.set(
			id,
			status.state === 'exited' ? status : lost(status, left.processes.get(id)?.startedAt, now),
		);
	}
	return { ...left, containers };
}

function lost(status: ContainerStatus, startedAt: number | undefined, now: number): ContainerStatus {
	const end = { finishedAt: now, exitCode: 137, reason: 'ContainerStatusUnknown', message: MESSAGE };
	const exited = { ...status, ...end, state: 'exited' } as const;
	return startedAt === undefined ? exited : { ...exited, startedAt };
}
