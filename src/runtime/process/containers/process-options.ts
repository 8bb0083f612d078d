import { readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { attempt } from '../../../base/attempt.ts';
import { MARK } from '../launcher/process-table.ts';
import type { HostContainerConfig } from '../launcher/protocol.ts';
import type { ProcessOptions } from './container-process.ts';

/** Where a container runs: its sandbox's own folder, and the mark of its processes. */
export interface ProcessPlace {
	/** Relative to the launcher's folder. */
	readonly folder: string;
	readonly mark: string;
}

/** What the process of a container with this configuration is started with. */
export function processOptionsOf(
	config: HostContainerConfig,
	{ folder, mark }: ProcessPlace,
): Omit<ProcessOptions, 'onRun'> {
	const { program, box, logPath: path, logMaxBytes: maxBytes, logMaxFiles: maxFiles } = config;
	const own = resolve(workingFolder(), folder);
	const workingDir = isAbsolute(program.workingDir) ? program.workingDir : join(own, program.workingDir);
	return {
		mark,
		program: { ...program, workingDir, env: { ...program.env, [MARK]: mark } },
		box,
		tty: config.tty ?? false,
		stdin: config.stdin ?? false,
		stdinOnce: config.stdinOnce ?? false,
		stopSignal: signalOf(config.stopSignal),
		log: { path, maxBytes, maxFiles },
	};
}

/**
 * The path of the launcher's folder, which it has as its working directory. Read anew each time, since the folder may be
 * renamed; Node keeps what it has read once.
 */
function workingFolder(): string {
	return attempt(() => readlinkSync('/proc/self/cwd')) ?? process.cwd();
}

/** The signals SIGRTMIN and SIGRTMAX, as glibc and Kubernetes count them. */
const FIRST_REALTIME = 34;
const LAST_REALTIME = 64;

/** The number of the signal with this name, such as SIGRTMIN+3; SIGTERM for none. */
function signalOf(name = 'SIGTERM'): number {
	const [, base, offset] = /^SIGRTM(IN|AX)(?:[+-](\d+))?$/.exec(name) ?? [];
	if (base === 'IN') return FIRST_REALTIME + Number(offset ?? 0);
	if (base === 'AX') return LAST_REALTIME - Number(offset ?? 0);
	return Object.entries(constants.signals).find(([each]) => each === name)?.[1] ?? constants.signals.SIGTERM;
}
