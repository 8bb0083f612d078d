import { readFileSync } from 'node:fs';

/** The limit on open files of this process (`ulimit -n`); undefined if there is none, or no /proc. */
export function descriptorLimit(): number | undefined {
	try {
		const limits = readFileSync('/proc/self/limits', 'latin1');
		const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
		return soft === undefined ? undefined : Number(soft);
	} catch {
		return undefined;
	}
}
