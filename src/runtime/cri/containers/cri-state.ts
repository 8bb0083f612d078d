import type { RuntimeContainerState } from '../../../api/contract/runtime-container-state.ts';
import { CONTAINER, type CriContainerStatus } from '../client/cri-messages.ts';
import type { Read } from '../client/message.ts';

/** The status of a container as the CRI gives it. Its times are in ns since the epoch. */
export type CriStatus = Read<typeof CriContainerStatus>;

/** The state of a container by its status. Pure. */
export function criStateOf(status: CriStatus): RuntimeContainerState {
	const { state, exitCode } = status;
	if (state === CONTAINER.created) return { state: 'created' };
	const createdAt = millisecondsOf(status.createdAt);
	// 0: it has not happened.
	const startedAt = status.startedAt > 0 ? millisecondsOf(status.startedAt) : undefined;
	if (state === CONTAINER.running) return { state: 'running', startedAt: startedAt ?? createdAt };
	const finishedAt = Math.max(millisecondsOf(status.finishedAt), startedAt ?? createdAt);
	// The runtime could not find out what it was, as after a crash of the process that waits for the container.
	if (state === CONTAINER.unknown)
		return unknownState(startedAt, finishedAt, 'The container runtime does not know its state');
	return {
		state: 'exited',
		...(startedAt !== undefined && { startedAt }),
		finishedAt,
		exitCode,
		reason: reasonOf(status),
		...(status.message !== '' && { message: status.message }),
	};
}

/** The state of a container that the runtime does not have any more. */
export function removedState(before: RuntimeContainerState, now: number): RuntimeContainerState {
	const startedAt = before.state === 'running' ? before.startedAt : undefined;
	return unknownState(
		startedAt,
		now,
		'The container could not be located in the container runtime: it was removed there',
	);
}

/** The state of a container that could not be started, at a runtime that does not keep that. */
export function refusedState(finishedAt: number, message: string): RuntimeContainerState {
	return { state: 'exited', finishedAt, exitCode: START_ERROR, reason: 'StartError', message };
}

const START_ERROR = 128;

function unknownState(
	startedAt: number | undefined,
	finishedAt: number,
	message: string,
): RuntimeContainerState {
	return {
		state: 'exited',
		...(startedAt !== undefined && { startedAt }),
		finishedAt,
		exitCode: 137,
		reason: 'ContainerStatusUnknown',
		message,
	};
}

function reasonOf({ exitCode, reason, startedAt }: CriStatus): string {
	if (reason === 'OOMKilled') return reason;
	if (startedAt === 0 && exitCode === START_ERROR) return 'StartError';
	return exitCode === 0 ? 'Completed' : 'Error';
}

/** A time in ms since the epoch. A number has nanoseconds only to 256, so a whole millisecond may be a little less. */
export function millisecondsOf(nanoseconds: number): number {
	return Math.floor(nanoseconds / 1e6 + 0.0003);
}
