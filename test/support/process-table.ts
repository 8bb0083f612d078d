import { readdirSync, readFileSync } from 'node:fs';

/** The ids of the other processes whose command line or environment contains `text`. Linux only. */
export function processesWith(text: string): readonly number[] {
	return readdirSync('/proc')
		.filter((entry) => /^\d+$/.test(entry))
		.map(Number)
		.filter(
			(pid) =>
				pid !== process.pid && (read(pid, 'cmdline').includes(text) || read(pid, 'environ').includes(text)),
		);
}

/** Whether a process with this id runs (a zombie does not). */
export function isRunning(pid: number): boolean {
	return /^\d+ \(.*\) [^Z]/s.test(read(pid, 'stat'));
}

function read(pid: number, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, 'utf8');
	} catch {
		return '';
	}
}
