import type { Container, ContainerStatus, Pod, PodSpec, PodStatus } from '../../api/core/pod/schema.ts';
import type { RuntimeTraits } from '../../api/meta/runtime-traits.ts';
import { memoize } from '../../base/memoize.ts';

/** What is known of one attempt at a container; times in milliseconds since the epoch. */
export type Attempt = {
	readonly id: string;
	/** Counts from 0: the restart count. */
	readonly attempt: number;
	readonly imageRef: string;
} & (
	| { readonly state: 'created' }
	| { readonly state: 'running'; readonly startedAt: number }
	| {
			readonly state: 'exited';
			readonly startedAt?: number;
			readonly finishedAt: number;
			readonly exitCode: number;
			readonly signal?: number;
			readonly reason: string;
			readonly message?: string;
	  }
);

/** Why a container could not be made the last time it was tried, and how often in a row. */
export interface Hindrance {
	/** As the container's waiting state shows it: ErrImagePull, CreateContainerConfigError, … */
	readonly reason: string;
	readonly message: string;
	readonly failures: number;
	/** When it was tried last. */
	readonly at: number;
	/** How long to wait before it is tried again; by default longer with each failure. */
	readonly retryAfterMs?: number;
}

/** The key of a hindrance that is the whole Pod's. No container has an empty name. */
export const WHOLE_POD = '';

/** All that a decision about a Pod on its node is made from. */
export interface PodSnapshot {
	readonly pod: Pod;
	readonly now: number;
	/** The runtime's name, which container ids begin with. */
	readonly runtime: string;
	/** What the runtime says of itself: which fields it honours, and who its containers run as. */
	readonly traits: RuntimeTraits;
	/** The address of the node. */
	readonly hostIP: string;
	/** The Pod's sandbox, where it has one. */
	readonly sandbox: { readonly ip: string } | undefined;
	/** Per container its attempts that the runtime knows of, oldest first. */
	readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
	/** Per container what keeps it from being made; under {@link WHOLE_POD} what keeps all of them. */
	readonly hindrances: ReadonlyMap<string, Hindrance>;
}

/** Init containers that are started and then kept while the rest runs. */
export function isSidecar(container: Container): boolean {
	return container.restartPolicy === 'Always';
}

/** What the Pod's last status says of a container. */
export function statusOf({ status }: Pod, name: string): ContainerStatus | undefined {
	return statusesByName(status).get(name);
}

/** Made once: a plan asks for each container, which in a Pod of 1,000 would take a million steps. */
const statusesByName = memoize(
	({ initContainerStatuses = [], containerStatuses = [] }: PodStatus): ReadonlyMap<string, ContainerStatus> =>
		new Map([...initContainerStatuses, ...containerStatuses].map((each) => [each.name, each])),
);

/** Where a container stands in its Pod, as events about it say. */
export function fieldPathOf({ spec }: Pod, name: string): string {
	return `spec.${initNames(spec).has(name) ? 'initContainers' : 'containers'}{${name}}`;
}

const initNames = memoize(
	({ initContainers = [] }: PodSpec): ReadonlySet<string> => new Set(initContainers.map(({ name }) => name)),
);
