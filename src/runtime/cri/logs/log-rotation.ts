import { rename, unlink } from 'node:fs/promises';
import { findLogParts, rotatedPath } from '../../process/output/log-parts.ts';
import { logSize } from './log-end.ts';

/** The limits of a container's log, as the kubelet's containerLogMaxSize and containerLogMaxFiles. */
export interface RotationLimits {
	readonly maxBytes: number;
	/** The current file included; at least two. */
	readonly maxFiles: number;
}

/**
 * Rotates a log that a runtime writes, if it has reached its size: renames it to the name that the contract gives older
 * parts, has the runtime open a new file by `reopen`, and removes the oldest parts. If `reopen` rejects, the log has its name
 * again, and the call rejects too (upstream: `rotateLatestLog` in pkg/kubelet/logs).
 */
export async function rotateLog(
	path: string,
	{ maxBytes, maxFiles }: RotationLimits,
	reopen: () => Promise<unknown>,
): Promise<void> {
	if ((await logSize(path)) < maxBytes) return;
	const { rotated, linesBefore } = await findLogParts(path);
	const part = rotatedPath(path, linesBefore);
	await rename(path, part);
	try {
		await reopen();
	} catch (error) {
		// A part of which the runtime has made a new file already stays.
		if ((await logSize(path)) === 0) await rename(part, path);
		throw error;
	}
	const old = [...rotated, part].slice(0, -(maxFiles - 1));
	await Promise.all(old.map((each) => unlink(each)));
}
