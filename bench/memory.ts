import { readdirSync, readFileSync } from 'node:fs';

/**
 * The memory of several processes in MiB. `rss` counts shared pages once for each process, `pss` divides
 * them.
 */
export interface Memory {
	readonly rss: number;
	readonly pss: number;
	readonly processes: number;
}

/** The total memory of the processes with these ids (Linux). */
export function memoryOf(pids: readonly number[]): Memory {
	let rss = 0;
	let pss = 0;
	for (const pid of pids) {
		// Empty for a process that has ended, such as the fork of a launcher before it runs the container's program.
		const rollup = readProc(pid, 'smaps_rollup');
		rss += Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
		pss += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
	}
	return { rss, pss, processes: pids.length };
}

/** The ids of the processes whose command line contains `text`, such as a server's data folder. */
export function processesNaming(text: string): readonly number[] {
	return readdirSync('/proc')
		.filter((entry) => /^\d+$/.test(entry))
		.map(Number)
		.filter((pid) => pid !== process.pid && readProc(pid, 'cmdline').includes(text));
}

function readProc(pid: number, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, 'utf8');
	} catch {
		return '';
	}
}
