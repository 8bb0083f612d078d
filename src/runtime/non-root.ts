import type { ContainerConfig } from '../api/contract/container-config.ts';
import type { SandboxMetadata } from '../api/contract/sandbox-config.ts';
import { ContainerStartError } from './contract.ts';

/**
 * Throws ContainerStartError if a container must not run as root and would, or might (upstream: `verifyRunAsNonRoot` in
 * kuberuntime/security_context_others.go). `imageUser` is the user of the image's configuration, such as `app:staff`.
 */
export function verifyNonRoot(
	{ security, name }: Pick<ContainerConfig, 'security' | 'name'>,
	{ podName, podNamespace, podUid }: SandboxMetadata,
	imageUser: string,
): void {
	const { runAsNonRoot, runAsUser } = security;
	if (!runAsNonRoot || (runAsUser !== undefined && runAsUser !== 0)) return;
	const which = `(pod: "${podName}_${podNamespace}(${podUid})", container: ${name})`;
	const [user = ''] = imageUser.split(':');
	const refuse = (why: string): never => {
		throw new ContainerStartError('CreateContainerConfigError', `${why} ${which}`);
	};
	if (runAsUser === 0) refuse("container's runAsUser breaks non-root policy");
	if (user === '' || Number(user) === 0) refuse('container has runAsNonRoot and image will run as root');
	if (!/^\d+$/.test(user))
		refuse(
			`container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root`,
		);
}
