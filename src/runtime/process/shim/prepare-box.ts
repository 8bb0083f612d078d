import { normalize } from 'node:path/posix';
import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import { ContainerStartError } from '../../contract.ts';
import type { RealPaths } from '../folders/real-paths.ts';
import { unknownCapabilities } from './capabilities.ts';

/** What the preparation of a box needs of the container. */
export type PreparedConfig = Pick<ContainerConfig, 'security' | 'mounts'>;

/** The runtime's folder. */
export interface WorkFolder {
	/** Without symbolic links. */
	readonly path: string;
	readonly realPaths: Pick<RealPaths, 'of'>;
}

/**
 * Checks what the box of a container cannot. `workFolder` is given if the container works in a folder below that. May be
 * repeated. Rejects with ContainerStartError.
 */
export async function prepareBox(
	{ security, mounts }: PreparedConfig,
	workFolder: WorkFolder | undefined,
): Promise<void> {
	const [unknown] = unknownCapabilities(security.capabilities);
	// Dropped in silence, a misspelled capability would leave the container with the one that was meant.
	if (unknown !== undefined)
		throw new ContainerStartError('CreateContainerError', `unknown capability ${JSON.stringify(unknown)}`);
	for (const { containerPath } of mounts) {
		const path = normalize(`${containerPath}/.`);
		// Its files would pass for the kernel's, also for the shim. The text is runc's.
		if (path === '/proc' || path.startsWith('/proc/'))
			throw new ContainerStartError(
				'CreateContainerError',
				`"${path}" cannot be mounted because it is inside /proc`,
			);
		if (path === '/') throw hides(path, 'all programs of this machine: mount it at another path');
		if (workFolder && touch(await workFolder.realPaths.of(path), workFolder.path)) {
			const remedy = 'set workingDir, or mount it at another path';
			throw hides(path, `the folder ${workFolder.path}, in which the container would work: ${remedy}`);
		}
	}
}

function hides(path: string, what: string): ContainerStartError {
	return new ContainerStartError('CreateContainerConfigError', `a volume at ${path} would hide ${what}`);
}

/** Whether one of the two is in the other, or both are the same folder. */
function touch(one: string, other: string): boolean {
	return isWithin(one, other) || isWithin(other, one);
}

function isWithin(path: string, folder: string): boolean {
	return path === folder || path.startsWith(`${folder}/`);
}
