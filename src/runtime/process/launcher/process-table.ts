/**
 * Reads the kernel's process table. The start time of a process distinguishes it from an earlier one with the same pid.
 * The mark of a container in a process's environment identifies the process although it left its process group. On
 * Linux both come from /proc. On other systems, ps(1) gives the start times, and processes that left their group
 * are not found.
 */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { assert } from '../../../base/assert.ts';
import { attempt } from '../../../base/attempt.ts';
import { isSystemShortage } from '../../../base/files/system-error.ts';
import { isRecord } from '../../../base/json/json.ts';

/** The environment variable that marks the processes of containers. */
export const MARK = 'STINT_CONTAINER_ID';

/**
 * A random key for a launcher; empty except on Linux, where alone marks are searched for. Read from the kernel, since
 * Node's randomUUID would cost each launcher 3 MB.
 */
export function newKey(): string {
	return IS_LINUX ? (readText('/proc/sys/kernel/random/uuid') ?? '').trim() : '';
}

/**
 * The value of {@link MARK} for a container of the launcher with this key. Two launchers may have containers with the
 * same id, if a data folder was copied or restored elsewhere: the key keeps them from killing each other's processes.
 */
export function markOf(containerId: string, key: string): string {
	return `${containerId}@${key}`;
}

/** How many processes a sweep inspects before it yields to the event loop. */
const INSPECTED_IN_A_TURN = 100;
/** Index of the start time in the result of `statFields`: it is field 22 of proc_pid_stat(5), `starttime`. */
const START_FIELD = 19;
/** ps(1) reports whole seconds, and the launcher notes the start after the fact. */
const PS_TOLERANCE_MS = 2000;
const IS_LINUX = process.platform === 'linux';

/** Identifies the present boot of the machine; empty if it is not known. */
export function bootId(): string {
	return IS_LINUX ? (readText('/proc/sys/kernel/random/boot_id') ?? '').trim() : '';
}

/**
 * Identifies the space in which process ids are valid: the machine's present boot and the pid namespace, since a Docker
 * container has other pids than its host. Empty if it is not known.
 */
export function processSpace(): string {
	return IS_LINUX ? `${bootId()} ${readLink('/proc/self/ns/pid') ?? ''}` : '';
}

/** Identifies a process, also after the kernel has given its pid to another one. */
export interface ProcessIdentity {
	readonly pid: number;
	/** Start time in clock ticks since boot, as in /proc; absent if /proc is. */
	readonly start?: string;
	/** Start time in milliseconds since the epoch. */
	readonly startedAt: number;
}

/** The identity of the running process `pid`, which was started at `startedAt` (ms since the epoch). */
export function identify(pid: number, startedAt: number): ProcessIdentity {
	const start = IS_LINUX ? statFields(pid)?.[START_FIELD] : undefined;
	return start === undefined ? { pid, startedAt } : { pid, start, startedAt };
}

/** True if the same process still runs; a zombie does not. */
export function isRunning(identity: ProcessIdentity): boolean {
	const { pid, start, startedAt } = identity;
	if (!IS_LINUX) return Math.abs(startByPs(pid) - startedAt) <= PS_TOLERANCE_MS;
	const fields = statFields(pid);
	return fields !== undefined && fields[0] !== 'Z' && fields[START_FIELD] === start;
}

/** Decodes an identity from JSON; undefined if `text` is not one. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
	const value = parseJson(text);
	return isIdentity(value) ? value : undefined;
}

/** True if `value` is a {@link ProcessIdentity} that a launcher can have written. */
export function isIdentity(value: unknown): value is ProcessIdentity {
	if (!isRecord(value)) return false;
	const { pid, start, startedAt } = value;
	// Pid 1 is init. For kill(2), 0 and negative numbers mean process groups, and -1 means all processes.
	if (!Number.isSafeInteger(pid) || Number(pid) <= 1) return false;
	return typeof startedAt === 'number' && (start === undefined || typeof start === 'string');
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** Sends a signal to the process `pid`. Does nothing if it does not exist or belongs to another user. */
export function signalProcess(pid: number, signal: NodeJS.Signals | number): void {
	assert(pid > 1, `${pid} is not the pid of a container process`);
	try {
		process.kill(pid, signal);
	} catch {
		// ESRCH: no such process. EPERM: a set-uid program, which runs as another user.
	}
}

/** Sends a signal to the process group that `pid` leads. Does nothing if there is none. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
	assert(pid > 1, `${pid} is not the pid of a container process`);
	try {
		process.kill(-pid, signal);
	} catch {
		// ESRCH: no such group. EPERM: all of its processes belong to another user.
	}
}

/**
 * Kills the processes that carry one of `marks`. Repeats until a scan finds none, at most ten times: processes may
 * fork during a scan. A scan costs about 10 µs per process of the machine, and yields to the event loop in between.
 */
export async function killMarked(marks: ReadonlySet<string>): Promise<void> {
	const rounds = 10;
	for (let round = 0; round < rounds; round++) {
		if ((await killMarkedOnce(marks)) === 0) return;
	}
}

async function killMarkedOnce(marks: ReadonlySet<string>): Promise<number> {
	if (!IS_LINUX || marks.size === 0) return 0;
	let killed = 0;
	let inspected = 0;
	for (const name of readdirSync('/proc')) {
		if (!/^\d+$/.test(name)) continue;
		if (++inspected % INSPECTED_IN_A_TURN === 0) await new Promise(setImmediate);
		const mark = readMark(name);
		if (mark === undefined || !marks.has(mark)) continue;
		try {
			process.kill(Number(name), 'SIGKILL');
			killed++;
		} catch {
			// It has exited since the scan read its environment.
		}
	}
	return killed;
}

function readMark(pid: string): string | undefined {
	// Unreadable for processes of other users; empty for kernel threads. Neither belongs to a container.
	const environment = readEnvironment(pid);
	const at = environment?.startsWith(`${MARK}=`) ? 0 : environment?.indexOf(`\0${MARK}=`);
	if (environment === undefined || at === undefined || at < 0) return undefined;
	const start = environment.indexOf('=', at) + 1;
	const end = environment.indexOf('\0', start);
	return environment.slice(start, end === -1 ? undefined : end);
}

/** Throws if there are too many open files: the scan would otherwise skip a marked process and leave it running. */
function readEnvironment(pid: string): string | undefined {
	try {
		return readFileSync(`/proc/${pid}/environ`, 'latin1');
	} catch (error) {
		if (isSystemShortage(error)) throw error;
		return undefined;
	}
}

/** The processes below `pid`, which itself is not among them. Those that the kernel reparents meanwhile may be missing. */
export function descendantsOf(pid: number): readonly number[] {
	const found: number[] = [];
	const pending = [pid];
	for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
		const children = childrenOf(next);
		found.push(...children);
		pending.push(...children);
	}
	return found;
}

/** Kills the process with those below it and its process group, if it still runs. */
export function killTree(identity: ProcessIdentity): void {
	if (!isRunning(identity)) return;
	const below = descendantsOf(identity.pid);
	signalGroup(identity.pid, 'SIGKILL');
	for (const pid of [identity.pid, ...below]) signalProcess(pid, 'SIGKILL');
}

function childrenOf(pid: number): readonly number[] {
	const threads = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
	return threads.flatMap((thread) => {
		const text = readText(`/proc/${pid}/task/${thread}/children`) ?? '';
		return text
			.split(' ')
			.map(Number)
			.filter((child) => child > 1);
	});
}

/** The fields of /proc/<pid>/stat from the third on: the second, the name, may contain blanks and parentheses. */
function statFields(pid: number): readonly string[] | undefined {
	const stat = readText(`/proc/${pid}/stat`);
	return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The start time by ps(1), in ms since the epoch with a resolution of a second; NaN if there is no such process. */
function startByPs(pid: number): number {
	try {
		const options = { encoding: 'utf8', env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } } as const;
		return Date.parse(execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], options));
	} catch {
		return Number.NaN;
	}
}

function readLink(path: string): string | undefined {
	try {
		return readlinkSync(path);
	} catch {
		return undefined;
	}
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return undefined;
	}
}
