import { appendFile, chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { normalize } from 'node:path/posix';
import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import { ContainerStartError } from '../../contract.ts';
import { unknownCapabilities } from './capabilities.ts';

/**
 * Checks what the box of a container cannot, and makes the file for its termination message. May be repeated. Rejects
 * with ContainerStartError, or with the system's error.
 */
export async function prepareBox({
	security,
	mounts,
	terminationMessageFile: file,
}: Pick<ContainerConfig, 'security' | 'mounts' | 'terminationMessageFile'>): Promise<void> {
	const [unknown] = unknownCapabilities(security.capabilities);
	// Dropped in silence, a misspelled capability would leave the container with the one that was meant.
	if (unknown !== undefined)
		throw new ContainerStartError('CreateContainerError', `unknown capability ${JSON.stringify(unknown)}`);
	if (mounts.some(({ containerPath }) => normalize(containerPath) === '/'))
		throw new ContainerStartError(
			'CreateContainerError',
			'a volume at / would hide all programs of this machine',
		);
	if (!file) return;
	await mkdir(dirname(file), { recursive: true, mode: 0o700 });
	await appendFile(file, '');
	// The program may run as any user. Not by the mode of the creation, from which the umask is subtracted.
	await chmod(file, 0o666);
}
