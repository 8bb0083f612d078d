/** Recovery after a launcher was killed: the next one kills the remaining processes and marks the containers as lost. */
import type { RuntimeContainer } from '../../contract.ts';
import type { JournalState } from './journal.ts';
import type { Origin } from './journal-entry.ts';
import { isRunning, killMarked, markOf, signalGroup } from './process-table.ts';

/** The message of a lost container, which users see in the Pod's status. */
const MESSAGE =
	'The launcher process that ran this container was killed; stint has killed the remaining processes of the container';

/**
 * Kills the remaining processes of the containers in `journaled`: the process groups whose leader still is the recorded
 * process, and each process with the mark of a container, exited containers included. A group whose leader has exited
 * is found by the mark only, because the kernel may have given its number to another group.
 *
 * Kills no process that was started elsewhere than `here`: before the machine's last boot, or by the launcher of a
 * folder that this one is a copy of.
 */
export async function killRemaining(journaled: JournalState, here: Origin): Promise<void> {
	if (journaled.boot !== here.boot || (journaled.folder !== undefined && journaled.folder !== here.folder))
		return;
	for (const [id, identity] of journaled.processes) {
		const hasEnded = journaled.containers.get(id)?.state === 'exited';
		if (!hasEnded && isRunning(identity)) signalGroup(identity.pid, 'SIGKILL');
	}
	const { key } = journaled;
	if (key === undefined) return;
	await killMarked(new Set(Array.from(journaled.containers.keys(), (id) => markOf(id, key))));
}

/** `journaled` with each container that had not exited marked as lost at the time `now`. */
export function markLost(journaled: JournalState, now: number): JournalState {
	const containers = new Map<string, RuntimeContainer>();
	for (const [id, status] of journaled.containers) {
		containers.set(
			id,
			status.state === 'exited' ? status : lost(status, journaled.processes.get(id)?.startedAt, now),
		);
	}
	return { ...journaled, containers };
}

function lost(status: RuntimeContainer, startedAt: number | undefined, now: number): RuntimeContainer {
	const end = { finishedAt: now, exitCode: 137, reason: 'ContainerStatusUnknown', message: MESSAGE };
	const exited = { ...status, ...end, state: 'exited' } as const;
	return startedAt === undefined ? exited : { ...exited, startedAt };
}
