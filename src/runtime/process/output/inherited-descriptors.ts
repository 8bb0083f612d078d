import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';

/** The first descriptor after standard input, output and error. */
const FIRST = 3;

/** The close-on-exec flag, as /proc shows it: child processes do not inherit such a descriptor. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes the inherited descriptors, except for the standard ones. The server may have been started with a lock or a
 * socket of another program open, and every container would keep it open. Node opens its own descriptors with
 * O_CLOEXEC, so those without the flag are inherited. Does nothing without /proc: on macOS, libuv spawns with
 * POSIX_SPAWN_CLOEXEC_DEFAULT, which passes no other descriptors on.
 */
export function closeInherited(): void {
	for (const name of attempt(() => readdirSync('/proc/self/fd')) ?? []) {
		const descriptor = Number(name);
		if (descriptor >= FIRST && isPassedOn(descriptor)) attempt(() => closeSync(descriptor));
	}
}

/** True if child processes inherit it. False for the descriptor by which the folder was read: it is closed already. */
function isPassedOn(descriptor: number): boolean {
	const info = attempt(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')) ?? '';
	const [, flags] = /^flags:\s+([0-7]+)$/m.exec(info) ?? [];
	return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
}
