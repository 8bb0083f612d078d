import type { ContainerStatus } from '../../../api/core/pod/schema.ts';
import { timeOf } from '../../../api/meta/time.ts';
import { type Attempt, lastStatusOf, type PodSnapshot } from '../snapshot.ts';
import { REMOVED_REASON } from './restart-all.ts';

/**
 * The end reported for a container whose attempt is lost: neither the runtime nor the status knows its exit
 * code.
 */
export const LOST = {
	exitCode: 137,
	reason: 'ContainerStatusUnknown',
	message: 'The container could not be located when the pod was terminated',
};

/**
 * The attempts of a container, oldest first: those that the runtime reports or, if it has none, the one in the
 * Pod's last status. A container that was running by the status but is missing in the runtime has ended with
 * {@link LOST}, as upstream reports it. One that was removed for a restart of all containers has no attempts.
 */
export function attemptsOf(seen: PodSnapshot, name: string): readonly Attempt[] {
	const known = seen.attempts.get(name);
	if (known && known.length > 0) return known;
	const status = lastStatusOf(seen.pod, name);
	const remembered = status && fromStatus(status, seen.now);
	return remembered ? [remembered] : [];
}

function fromStatus(status: ContainerStatus, now: number): Attempt | undefined {
	const { state = {}, lastState, containerID, imageID, restartCount } = status;
	const terminated = state.terminated ?? (state.waiting ? lastState?.terminated : undefined);
	if (terminated?.reason === REMOVED_REASON) return undefined;
	const common = {
		id: idOf(containerID),
		attempt: restartCount,
		imageRef: imageID,
		state: 'exited',
	} as const;
	if (terminated) {
		// 0, the epoch, stands for a program that was never started.
		const startedAt = timeOf(terminated.startedAt) || undefined;
		return {
			...common,
			...(startedAt !== undefined && { startedAt }),
			finishedAt: timeOf(terminated.finishedAt) ?? now,
			exitCode: terminated.exitCode,
			...(terminated.signal !== undefined && { signal: terminated.signal }),
			reason: terminated.reason ?? '',
			...(terminated.message !== undefined && { message: terminated.message }),
		};
	}
	if (!state.running) return undefined;
	const startedAt = timeOf(state.running.startedAt);
	return { ...common, ...(startedAt !== undefined && { startedAt }), finishedAt: now, ...LOST };
}

function idOf(containerID = ''): string {
	return containerID.slice(containerID.indexOf('://') + 3);
}
