import { fileURLToPath } from 'node:url';
import { isExecutable } from '../../../base/files/programs.ts';

/**
 * The path of the shim for this machine (native/shim/shim.h says what it does); undefined if there is none, or it
 * cannot be executed: then containers are children of the launcher, without a box.
 */
export function shimFile(): string | undefined {
	if (process.platform !== 'linux') return undefined;
	const path = fileURLToPath(new URL(`./bin/stint-shim-${process.arch}`, import.meta.url));
	return isExecutable(path) ? path : undefined;
}

/** The path of the system call filter for this machine that the seccomp profile RuntimeDefault means. */
export function filterFile(): string {
	return fileURLToPath(new URL(`./bin/runtime-default-${process.arch}.bpf`, import.meta.url));
}
