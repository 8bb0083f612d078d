import type { Clock } from '../../base/clock.ts';
import type { ImageTable } from './images/image-table.ts';
import type { HostEnvironment } from './program.ts';

/** The components and settings of a ProcessRuntime. */
export interface ProcessRuntimeOptions {
	/** The launcher's folder; created if it does not exist, accessible for this user only. */
	readonly folder: string;
	readonly clock: Clock;
	readonly images: ImageTable;
	/** Version of stint, part of the Node's `containerRuntimeVersion`. */
	readonly version: string;
	/** PATH and HOME for the containers. Default: those of this process. */
	readonly host?: HostEnvironment;
	/** Size in bytes at which a log file is rotated, as the kubelet's containerLogMaxSize. Default 10 MiB. */
	readonly logMaxBytes?: number;
	/** Maximum number of log files per container, as the kubelet's containerLogMaxFiles. Default 5. */
	readonly logMaxFiles?: number;
	/** If true, the launcher starts containers as its children: they have no box, and end with the launcher. */
	readonly withoutShim?: boolean;
	/** The most processes and threads that a Pod may have, as the kubelet's podPidsLimit; 0 or absent: not limited. */
	readonly podMaxPids?: number;
	/** Called at the start if the machine allows no isolation of containers, with the reason. */
	onUnisolated?(reason: string): void;
	/**
	 * If set, containers do not outlive this process: when it ends, by a crash or SIGKILL too, the launcher kills
	 * them and removes the folder named here.
	 */
	readonly removeAtEnd?: string;
	/** Receives errors that no call can reject with, such as a failed attempt to connect again. */
	onError(error: unknown): void;
}
