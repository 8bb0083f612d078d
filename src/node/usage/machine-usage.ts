import { readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import type { MachineUsage } from '../../api/contract/usage.ts';
import type { Observations, ResourceSupply } from '../../plan/eviction/thresholds.ts';

/** Measures the processors and the memory of this machine. */
export async function measureMachine(now: number): Promise<MachineUsage> {
	const milliseconds = cpus().reduce(
		(sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
		0,
	);
	const memory = await memoryOf();
	return {
		at: now,
		cpuNanoseconds: milliseconds * 1_000_000,
		workingSetBytes: memory.capacity - memory.available,
		memoryAvailableBytes: memory.available,
	};
}

/** The memory of the machine. */
async function memoryOf(): Promise<ResourceSupply> {
	const text = await readFile('/proc/meminfo', 'latin1').catch(() => '');
	const kilobytes = (name: string): number =>
		Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
	const capacity = kilobytes('MemTotal') * 1024 || totalmem();
	return { capacity, available: text === '' ? freemem() : kilobytes('MemAvailable') * 1024 };
}

/** What evictions depend on: the memory, the file system of `folder`, and the process ids of this machine. */
export async function observeMachine(folder: string): Promise<Observations> {
	const [memory, disk, ids] = await Promise.all([memoryOf(), statfs(folder), processIdsOf()]);
	const { bsize, blocks, bavail, files, ffree } = disk;
	return {
		'memory.available': memory,
		'nodefs.available': { capacity: blocks * bsize, available: bavail * bsize },
		// Some file systems have no limit of inodes, and say 0.
		...(files > 0 && { 'nodefs.inodesFree': { capacity: files, available: ffree } }),
		...(ids && { 'pid.available': ids }),
	};
}

/** The process ids of the machine; undefined on a system without /proc. */
async function processIdsOf(): Promise<ResourceSupply | undefined> {
	const read = async (path: string): Promise<string> => await readFile(path, 'latin1').catch(() => '');
	const [most, threads, load] = await Promise.all(
		['/proc/sys/kernel/pid_max', '/proc/sys/kernel/threads-max', '/proc/loadavg'].map(read),
	);
	const running = /^\S+ \S+ \S+ \d+\/(\d+) /.exec(load ?? '')?.[1];
	if (running === undefined || !most || !threads) return undefined;
	const capacity = Math.min(Number(most), Number(threads));
	return { capacity, available: capacity - Number(running) };
}
