/**
 * What the kernel tells of processes: when one was started (so that a pid that was used again is not
 * mistaken for the old one), and which carry the mark of a container in their environment (so that one
 * that left its process group is found all the same). Linux reads /proc; elsewhere only the start times
 * are known, by ps(1), and processes that left their group are not found.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { assert } from '../../../base/assert.ts';
import { isSystemShortage } from '../../../base/system-error.ts';

/** The variable in the environment of each container's processes by which they are found. */
export const MARK = 'STINT_CONTAINER_ID';

/**
 * A key that no other launcher has. Where the kernel gives none, processes are not found by their marks either.
 * (Node's own randomUUID would cost each launcher 3 MB.)
 */
export function newKey(): string {
	return IS_LINUX ? (readText('/proc/sys/kernel/random/uuid') ?? '').trim() : '';
}

/**
 * The value of {@link MARK} for a container of the launcher that has this key. Two launchers may have containers
 * of the same id (a data folder was copied, or restored elsewhere), and must not kill each other's.
 */
export function markOf(containerId: string, key: string): string {
	return `${containerId}@${key}`;
}

const LOOKED_AT_IN_A_ROW = 100;
/** Where the start time stands among the fields from the third on: it is the 22nd. */
const START_FIELD = 19;
const PS_TOLERANCE_MS = 2000;
const IS_LINUX = process.platform === 'linux';

/** Identifies the time since the machine was started, or is empty where that is not known. */
export function bootId(): string {
	return IS_LINUX ? (readText('/proc/sys/kernel/random/boot_id') ?? '').trim() : '';
}

/**
 * Identifies where process ids mean what they mean here: the machine since it was started, and the namespace
 * of its processes (those of a Docker container are others than the host's). Empty where that is not known.
 */
export function processSpace(): string {
	return IS_LINUX ? `${bootId()} ${readLink('/proc/self/ns/pid') ?? ''}` : '';
}

/** A process, told apart from another one that got the same pid later. */
export interface ProcessIdentity {
	readonly pid: number;
	/** The kernel's own count of when it was started, where /proc tells. */
	readonly start?: string;
	/** The same by the clock, in milliseconds since the epoch. */
	readonly startedAt: number;
}

/** The identity of the process `pid`, which was started at `startedAt`. */
export function identify(pid: number, startedAt: number): ProcessIdentity {
	const start = IS_LINUX ? statFields(pid)?.[START_FIELD] : undefined;
	return start === undefined ? { pid, startedAt } : { pid, start, startedAt };
}

/** Whether that very process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
	const { pid, start, startedAt } = identity;
	if (!IS_LINUX) return Math.abs(startByPs(pid) - startedAt) <= PS_TOLERANCE_MS;
	const fields = statFields(pid);
	return fields !== undefined && fields[0] !== 'Z' && fields[START_FIELD] === start;
}

/** The identity that `text` holds as JSON; undefined if it holds none. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
	const value = parseJsonOrNothing(text);
	return isIdentity(value) ? value : undefined;
}

/** Whether `value` is a {@link ProcessIdentity} of a process that could be one of ours. */
export function isIdentity(value: unknown): value is ProcessIdentity {
	if (typeof value !== 'object' || value === null) return false;
	const { pid, start, startedAt }: { pid?: unknown; start?: unknown; startedAt?: unknown } = value;
	// 1 is the system's first process, and lower numbers mean groups of processes, or all there are.
	if (!Number.isSafeInteger(pid) || Number(pid) <= 1) return false;
	return typeof startedAt === 'number' && (start === undefined || typeof start === 'string');
}

function parseJsonOrNothing(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** Sends a signal to the process `pid`; nothing happens if there is none. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
	assert(pid > 1, `${pid} is no process that was started here`);
	try {
		process.kill(pid, signal);
	} catch {
		// There is no such process, or one that we may not signal (a program of another user).
	}
}

/** Sends a signal to the process group that `pid` leads; nothing happens if there is none. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
	assert(pid > 1, `${pid} is no process that was started here`);
	try {
		process.kill(-pid, signal);
	} catch {
		// There is no such group, or nothing in it that we may signal.
	}
}

/**
 * Kills the processes that carry one of `marks`, again until none is left, since they
 * may make more while we look. One look costs about 10 µs per process of the machine and gives way to
 * other work in between.
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
	let looked = 0;
	for (const name of readdirSync('/proc')) {
		if (!/^\d+$/.test(name)) continue;
		if (++looked % LOOKED_AT_IN_A_ROW === 0) await new Promise(setImmediate);
		const mark = readMark(name);
		if (mark === undefined || !marks.has(mark)) continue;
		try {
			process.kill(Number(name), 'SIGKILL');
			killed++;
		} catch {
			// It has ended meanwhile.
		}
	}
	return killed;
}

function readMark(pid: string): string | undefined {
	// Unreadable for other users' processes, which are not ours then; empty for kernel threads.
	const environment = readEnvironment(pid);
	const at = environment?.startsWith(`${MARK}=`) ? 0 : environment?.indexOf(`\0${MARK}=`);
	if (environment === undefined || at === undefined || at < 0) return undefined;
	const start = environment.indexOf('=', at) + 1;
	const end = environment.indexOf('\0', start);
	return environment.slice(start, end === -1 ? undefined : end);
}

/** Throws if there are too many open files: to take such a process for another's would leave it running. */
function readEnvironment(pid: string): string | undefined {
	try {
		return readFileSync(`/proc/${pid}/environ`, 'latin1');
	} catch (error) {
		if (isSystemShortage(error)) throw error;
		return undefined;
	}
}

/** The fields of /proc/<pid>/stat from the third on: the name before may hold blanks and brackets. */
function statFields(pid: number): readonly string[] | undefined {
	const stat = readText(`/proc/${pid}/stat`);
	return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** By ps(1), which knows seconds only; NaN when there is no such process. */
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
