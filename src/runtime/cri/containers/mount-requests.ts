import type { ContainerConfig, Mount } from '../../../api/contract/container-config.ts';
import { ContainerStartError } from '../../contract.ts';
import { mountSource } from '../../engines/mount-source.ts';
import { type CriMount, PROPAGATION } from '../client/cri-messages.ts';
import type { Given } from '../client/message.ts';

/**
 * The mounts of a container as the CRI takes them. The file for the termination message comes last, since its path may be in a
 * volume. Rejects with ContainerStartError for a mount that cannot be made as specified.
 */
export async function mountRequests(
	config: Pick<ContainerConfig, 'mounts' | 'terminationMessagePath' | 'terminationMessageFile'>,
	{ hasRecursiveReadOnly }: { readonly hasRecursiveReadOnly: boolean },
): Promise<readonly Given<typeof CriMount>[]> {
	const { mounts, terminationMessagePath: containerPath, terminationMessageFile: hostPath } = config;
	const requests: Given<typeof CriMount>[] = [];
	for (const mount of mounts) requests.push(await mountRequest(mount, hasRecursiveReadOnly));
	return containerPath && hostPath ? [...requests, { containerPath, hostPath }] : requests;
}

async function mountRequest(mount: Mount, hasRecursiveReadOnly: boolean): Promise<Given<typeof CriMount>> {
	const { containerPath, readOnly, recursiveReadOnly, propagation } = mount;
	if (readOnly && recursiveReadOnly === 'Enabled' && !hasRecursiveReadOnly)
		throw new ContainerStartError(
			'CreateContainerConfigError',
			'recursiveReadOnly: the container runtime cannot make mounts below a read-only mount read-only',
		);
	return {
		containerPath,
		hostPath: await mountSource(mount),
		readonly: readOnly,
		propagation: PROPAGATION[propagation],
		recursiveReadOnly: readOnly && hasRecursiveReadOnly && recursiveReadOnly !== 'Disabled',
	};
}
