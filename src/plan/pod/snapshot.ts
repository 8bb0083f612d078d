import type { RuntimeContainerState } from '../../api/contract/runtime-container-state.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { Container, ContainerStatus, Pod, PodSpec, PodStatus } from '../../api/core/pod/schema.ts';
import { memoize } from '../../base/collections/memoize.ts';

/** One attempt to run a container. */
export type Attempt = {
	readonly id: string;
	/** Number of the attempt, from 0: equal to the restart count. */
	readonly attempt: number;
	readonly imageRef: string;
} & RuntimeContainerState;

/** The last failure to start a container (or to set up its Pod), and the number of consecutive failures. */
export interface StartBackoff {
	/** The reason in the container's waiting state, for example ErrImagePull or CreateContainerConfigError. */
	readonly reason: string;
	readonly message: string;
	readonly failures: number;
	/** When the last start failed, in ms since the epoch. */
	readonly at: number;
	/** Milliseconds before the next try; by default an exponential backoff. */
	readonly retryAfterMs?: number;
}

/** The key of a failure that concerns the whole Pod. No container has an empty name. */
export const WHOLE_POD = '';

/** The input of planPod: a Pod on its node, and what the runtime reports about it. */
export interface PodSnapshot {
	readonly pod: Pod;
	/** Milliseconds since the epoch. */
	readonly now: number;
	/** The name of the runtime, the prefix of container ids. */
	readonly runtime: string;
	/** The capabilities of the runtime: the fields it supports, and the user its containers run as. */
	readonly traits: RuntimeTraits;
	/** The IP address of the node. */
	readonly hostIP: string;
	/** The Pod's sandbox; undefined if it has none. */
	readonly sandbox: { readonly ip: string } | undefined;
	/** By container name, the attempts in the runtime, oldest first. */
	readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
	/**
	 * By container name, its last failed start; under {@link WHOLE_POD} a failure that concerns all containers.
	 */
	readonly startBackoffs: ReadonlyMap<string, StartBackoff>;
}

/** Whether an init container is a sidecar: it keeps running beside the regular containers. */
export function isSidecar(container: Container): boolean {
	return container.restartPolicy === 'Always';
}

/** The status of a container in the Pod's last status; undefined if it has none. */
export function lastStatusOf({ status }: Pod, name: string): ContainerStatus | undefined {
	return statusesByName(status).get(name);
}

/**
 * Computed once per status: a plan looks up each container, and linear searches in a Pod of 1,000 would take a
 * million steps.
 */
const statusesByName = memoize(
	({ initContainerStatuses = [], containerStatuses = [] }: PodStatus): ReadonlyMap<string, ContainerStatus> =>
		new Map([...initContainerStatuses, ...containerStatuses].map((each) => [each.name, each])),
);

/** The field path of a container in its Pod, in the form that Events use. */
export function fieldPathOf({ spec }: Pod, name: string): string {
	return `spec.${initNames(spec).has(name) ? 'initContainers' : 'containers'}{${name}}`;
}

const initNames = memoize(
	({ initContainers = [] }: PodSpec): ReadonlySet<string> => new Set(initContainers.map(({ name }) => name)),
);
