import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Mount } from '../../api/contract/container-config.ts';
import { messageOf } from '../../base/message-of.ts';
import { ContainerStartError } from '../contract.ts';

/**
 * The path of a mount on this machine, with all symbolic links resolved, which must be in the volume: the container may
 * have made the links. Engines mount by path, so a link that a container of the Pod makes between this check and the
 * mount is followed, as with dockershim; the call that starts the container checks again. Rejects with ContainerStartError.
 */
export async function mountSource({ hostPath, subPath }: Mount): Promise<string> {
	if (subPath === '') return hostPath;
	const problem = (why: string): ContainerStartError =>
		new ContainerStartError(
			'CreateContainerConfigError',
			`failed to prepare subPath for volumeMount: ${JSON.stringify(subPath)} ${why}`,
		);
	const root = await realpath(hostPath);
	const source = await realpath(join(root, subPath)).catch((error: unknown) => {
		throw problem(`cannot be resolved: ${messageOf(error)}`);
	});
	if (source !== root && !source.startsWith(root.endsWith(sep) ? root : root + sep))
		throw problem('leads out of its volume');
	return source;
}
