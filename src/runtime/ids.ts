import type { SandboxMetadata } from '../api/contract/sandbox-config.ts';
/**
 * The ids of sandboxes and containers, the same for every runtime. They are computed from the Pod's UID, the name and
 * the attempt, so that a repeated call means the same container, and never one of an earlier Pod of that name. None of
 * the parts can contain the separator: UIDs and container names are DNS-like.
 */

/** The id of the sandbox that `config` describes. */
export function sandboxIdOf(config: Pick<SandboxMetadata, 'podUid' | 'attempt'>): string {
	return `${config.podUid}_${config.attempt}`;
}

/** The id of the container attempt `attempt` of the container `name` in a sandbox. */
export function containerIdOf(
	sandboxId: string,
	container: { readonly name: string; readonly attempt: number },
): string {
	return `${sandboxId}_${container.name}_${container.attempt}`;
}

/** The id of the sandbox of the container with this id. */
export function sandboxOfContainer(containerId: string): string {
	return containerId.split('_').slice(0, -2).join('_');
}

/** What a runtime keeps of a sandbox's configuration, and returns with the sandbox. */
export function metadataOf({
	podUid,
	podName,
	podNamespace,
	hostname,
	attempt,
}: SandboxMetadata): SandboxMetadata {
	return { podUid, podName, podNamespace, hostname, attempt };
}
