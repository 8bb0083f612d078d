import type { ProcessIdentity } from '../launcher/process-table.ts';

/** The exit of a container's main process. */
export interface ProcessEnd {
	/** 128 + the signal number if a signal ended it. */
	readonly exitCode: number;
	readonly signal?: number;
	/** Milliseconds since the epoch. */
	readonly finishedAt: number;
	/** True if the kernel killed a process of the container because its memory limit was reached. */
	readonly isOutOfMemory?: boolean;
	/** True if the process that waited for it was killed: the exit code is that of SIGKILL, and may be wrong. */
	readonly isUnknown?: boolean;
}

/** The main process of a container, whichever way it was started. */
export interface MainProcess {
	/** The process to look for after a restart of the launcher. */
	readonly identity: ProcessIdentity;
	/** Resolves when the process has exited; never rejects. */
	readonly exit: Promise<ProcessEnd>;
	/** True if the kernel or the shim ends the container's other processes with it, wherever they are. */
	readonly endsOthers: boolean;
	/** Sends a signal to the main process, as a name or a number. Does nothing once it has exited. */
	signal(signal: NodeJS.Signals | number): void;
	/** The launcher has written the end to its journal: what else records it may be removed. */
	forget(): void;
	/** Kills the main process, and without {@link endsOthers} its process group. */
	kill(): void;
}

/** The end that a wait status of the kernel describes. */
export function endOf(status: number, finishedAt: number): ProcessEnd {
	const signal = status & 0x7f;
	if (signal === 0) return { exitCode: (status >> 8) & 0xff, finishedAt };
	return { exitCode: 128 + signal, signal, finishedAt };
}
