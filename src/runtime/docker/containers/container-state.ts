import type { RuntimeContainerState } from '../../../api/contract/runtime-container-state.ts';
import { numberAt, stringAt, timeAt, valueAt } from '../../json-values.ts';

/** A start that the engine refused. It is kept by stint: engines forget the time, and Podman all of it. */
export interface FailedEngineStart {
	/** When it failed, in ms since the epoch. */
	readonly at: number;
	readonly message: string;
}

const RUNNING: ReadonlySet<string> = new Set(['running', 'paused', 'restarting', 'stopping']);
const EXITED: ReadonlySet<string> = new Set(['exited', 'stopped', 'dead', 'removing']);

/** The exit code of a program that SIGKILL has ended. */
const KILLED = 137;

/** The state of a container by the engine's answer about it. Pure. */
export function stateOf(inspected: unknown, failed?: FailedEngineStart): RuntimeContainerState {
	if (failed) return startErrorOf(failed);
	const status = stringAt(inspected, 'State', 'Status');
	const startedAt = timeAt(inspected, 'State', 'StartedAt');
	if (RUNNING.has(status)) return { state: 'running', startedAt: startedAt ?? createdAtOf(inspected) };
	if (!EXITED.has(status)) return { state: 'created' };
	const exitCode = exitCodeOf(inspected);
	const from = startedAt ?? createdAtOf(inspected);
	// Podman notes the start after the process has started, which may have ended by then.
	const finishedAt = Math.max(timeAt(inspected, 'State', 'FinishedAt') ?? from, from);
	return {
		state: 'exited',
		...(startedAt !== undefined && { startedAt }),
		finishedAt,
		exitCode,
		reason: isOutOfMemory(inspected) ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error',
	};
}

/** Whether a container that has exited may have exceeded its memory limit though its state does not say so. */
export function mayBeOutOfMemory(inspected: unknown): boolean {
	const isKilled = exitCodeOf(inspected) === KILLED && !isOutOfMemory(inspected);
	return isKilled && numberAt(inspected, 'HostConfig', 'Memory') > 0;
}

/** The state of a container that the engine refused to start. */
export function startErrorOf({ at, message }: FailedEngineStart): RuntimeContainerState {
	return { state: 'exited', finishedAt: at, exitCode: 128, reason: 'StartError', message };
}

/** The state of a container that the engine does not have any more. */
export function lostState(before: RuntimeContainerState, finishedAt: number): RuntimeContainerState {
	return {
		...(before.state === 'running' && { startedAt: before.startedAt }),
		state: 'exited',
		finishedAt,
		exitCode: KILLED,
		reason: 'ContainerStatusUnknown',
		message: 'The container could not be located in the container engine: it was removed there',
	};
}

/** When the container was created, in ms since the epoch. */
export function createdAtOf(inspected: unknown): number {
	return timeAt(inspected, 'Created') ?? 0;
}

function exitCodeOf(inspected: unknown): number {
	return numberAt(inspected, 'State', 'ExitCode');
}

function isOutOfMemory(inspected: unknown): boolean {
	return valueAt(inspected, 'State', 'OOMKilled') === true;
}
