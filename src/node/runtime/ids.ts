/**
 * The ids that every runtime gives to what it makes. They follow from what the caller named, so that a
 * repeated call means the same thing, and one of a Pod's earlier lives never does. None of the parts can
 * hold the separator: a uid and a container's name are DNS-like.
 */
import type { SandboxConfig } from './runtime.ts';

/** The id of the sandbox that `config` describes. */
export function sandboxIdOf(config: Pick<SandboxConfig, 'podUid' | 'attempt'>): string {
	return `${config.podUid}_${config.attempt}`;
}

/** The id of attempt `attempt` at the container `name` in a sandbox. */
export function containerIdOf(
	sandboxId: string,
	container: { readonly name: string; readonly attempt: number },
): string {
	return `${sandboxId}_${container.name}_${container.attempt}`;
}

/** The sandbox of the container with this id. */
export function sandboxOfContainer(containerId: string): string {
	return containerId.split('_').slice(0, -2).join('_');
}
