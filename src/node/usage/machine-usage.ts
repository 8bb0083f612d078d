import { readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import type { MachineUsage } from '../../api/contract/usage.ts';

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

/** How much there is of a resource, and how much of it is free. */
export interface Supply {
	readonly available: number;
	readonly capacity: number;
}

/** The memory of the machine. */
export async function memoryOf(): Promise<Supply> {
	const text = await readFile('/proc/meminfo', 'latin1').catch(() => '');
	const kilobytes = (name: string): number =>
		Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
	const capacity = kilobytes('MemTotal') * 1024 || totalmem();
	return { capacity, available: text === '' ? freemem() : kilobytes('MemAvailable') * 1024 };
}

/** The bytes and the inodes of the file system of `folder`; file systems without a limit of inodes have none. */
export async function diskOf(
	folder: string,
): Promise<{ readonly bytes: Supply; readonly inodes: Supply | undefined }> {
	const { bsize, blocks, bavail, files, ffree } = await statfs(folder);
	return {
		bytes: { capacity: blocks * bsize, available: bavail * bsize },
		inodes: files > 0 ? { capacity: files, available: ffree } : undefined,
	};
}

/** The process ids of the machine; undefined on a system without /proc. */
export async function processIdsOf(): Promise<Supply | undefined> {
	const read = async (path: string): Promise<string> => await readFile(path, 'latin1').catch(() => '');
	const [most, threads, load] = await Promise.all(
		['/proc/sys/kernel/pid_max', '/proc/sys/kernel/threads-max', '/proc/loadavg'].map(read),
	);
	const running = /^\S+ \S+ \S+ \d+\/(\d+) /.exec(load ?? '')?.[1];
	if (running === undefined || !most || !threads) return undefined;
	const capacity = Math.min(Number(most), Number(threads));
	return { capacity, available: capacity - Number(running) };
}
