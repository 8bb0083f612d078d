import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';

/** The first descriptor that is none of standard input, output and error. */
const FIRST = 3;

/** The bit in the flags of a descriptor that says that programs started from here do not get it. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes the descriptors, beside the standard ones, that this process was started with and would pass on to
 * every program that it starts: a server may have been started with a lock or a socket of another program open.
 * Node opens its own with O_CLOEXEC, so those without it are inherited. Does nothing where there is no
 * /proc: macOS passes nothing on that was not asked for (POSIX_SPAWN_CLOEXEC_DEFAULT in libuv).
 */
export function closeInherited(): void {
	for (const name of attempt(() => readdirSync('/proc/self/fd')) ?? []) {
		const descriptor = Number(name);
		if (descriptor >= FIRST && isPassedOn(descriptor)) attempt(() => closeSync(descriptor));
	}
}

/** False also for the one that reading the folder has opened and closed. */
function isPassedOn(descriptor: number): boolean {
	const info = attempt(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')) ?? '';
	const [, flags] = /^flags:\s+([0-7]+)$/m.exec(info) ?? [];
	return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
}
