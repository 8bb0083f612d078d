import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../../../base/attempt.ts';
import { descendantsOf } from '../launcher/process-table.ts';

/** What the processes of a container use. */
export interface ProcessUsage {
	readonly cpuNanoseconds: number;
	readonly memoryBytes: number;
	readonly workingSetBytes: number;
	readonly processes: number;
}

/** Linux counts processor time in hundredths of a second towards programs, whatever its own clock is. */
const NANOSECONDS_PER_TICK = 10_000_000;
/** Indexes in /proc/<pid>/stat after the name: the own time, and that of the children that were waited for. */
const OWN_TIMES = [11, 12];
const CHILD_TIMES = [13, 14];

/**
 * Measures the processes below the waiter `pid` of a container, or with `isMain` those of the main process `pid`. The
 * times of ended processes are included: their parents have waited for them, in the end the waiter. Undefined if there is
 * no such process, or no /proc.
 */
export function usageOfProcesses(pid: number, isMain: boolean): ProcessUsage | undefined {
	const root = statOf(pid);
	if (!root) return undefined;
	const pids = [...(isMain ? [pid] : []), ...descendantsOf(pid)];
	let ticks = isMain ? 0 : sumOf(root, CHILD_TIMES);
	let memoryBytes = 0;
	let processes = 0;
	for (const each of pids) {
		const stat = statOf(each);
		// It has ended since it was listed: from now on its parent has its time.
		if (!stat) continue;
		ticks += sumOf(stat, OWN_TIMES) + sumOf(stat, CHILD_TIMES);
		memoryBytes += residentBytes(each);
		processes += 1;
	}
	return {
		cpuNanoseconds: ticks * NANOSECONDS_PER_TICK,
		memoryBytes,
		workingSetBytes: memoryBytes,
		processes,
	};
}

function statOf(pid: number): readonly string[] | undefined {
	const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
	return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function sumOf(stat: readonly string[], indexes: readonly number[]): number {
	return indexes.reduce((sum, index) => sum + Number(stat[index] ?? 0), 0);
}

function residentBytes(pid: number): number {
	const status = attempt(() => readFileSync(`/proc/${pid}/status`, 'latin1')) ?? '';
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** What the control groups of a container count, as far as they do: each is exact where the sum of processes is not. */
export function usageOfCgroups(folders: readonly string[]): Partial<ProcessUsage> {
	return Object.assign({}, ...folders.map((folder) => ({ ...memoryIn(folder), ...cpuIn(folder) })));
}

function memoryIn(folder: string): Partial<ProcessUsage> {
	const [usage, inactive] =
		[
			['memory.current', 'inactive_file'],
			['memory.usage_in_bytes', 'total_inactive_file'],
		]
			.map(([name = '', field = '']) => [readText(folder, name), field] as const)
			.find(([text]) => text !== undefined) ?? [];
	if (usage === undefined) return {};
	const memoryBytes = Number(usage);
	const counts = readText(folder, 'memory.stat') ?? '';
	const cached = Number(new RegExp(`^${inactive} (\\d+)$`, 'm').exec(counts)?.[1] ?? 0);
	return { memoryBytes, workingSetBytes: Math.max(0, memoryBytes - cached) };
}

function cpuIn(folder: string): Partial<ProcessUsage> {
	const micros = /^usage_usec (\d+)$/m.exec(readText(folder, 'cpu.stat') ?? '')?.[1];
	return micros === undefined ? {} : { cpuNanoseconds: Number(micros) * 1000 };
}

function readText(folder: string, name: string): string | undefined {
	return attempt(() => readFileSync(join(folder, name), 'latin1'));
}
