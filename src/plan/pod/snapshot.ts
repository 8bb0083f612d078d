import type { RuntimeContainerState } from '../../api/contract/runtime-container-state.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type {
	Container,
	ContainerStatus,
	Pod,
	PodSpec,
	PodStatus,
	ResourceRequirements,
} from '../../api/core/pod/schema.ts';
import { memoize } from '../../base/collections/memoize.ts';

/** One attempt to run a container. */
export type Attempt = {
	readonly id: string;
	/** Number of the attempt, from 0: equal to the restart count. */
	readonly attempt: number;
	readonly imageRef: string;
	/** The image as its container named it; absent if only the Pod's status knows the attempt. */
	readonly image?: string;
} & RuntimeContainerState;

/** The last failure to start a container (or to set up its Pod), and the number of consecutive failures. */
export interface StartBackoff {
	/** The reason in the container's waiting state, for example ErrImagePull or CreateContainerConfigError. */
	readonly reason: string;
	readonly message: string;
	/** The image of a volume that could not be pulled; absent: what failed concerns that of the container, or no image. */
	readonly image?: string;
	readonly failures: number;
	/** When the last start failed, in ms since the epoch. */
	readonly at: number;
	/** Milliseconds before the next try; by default an exponential backoff. */
	readonly retryAfterMs?: number;
}

/** The key of a failure that concerns the whole Pod. No container has an empty name. */
export const WHOLE_POD = '';

/** The kinds of probes, in the order in which the kubelet creates them. */
export const PROBE_KINDS = ['startup', 'readiness', 'liveness'] as const;

/** What a probe decides: whether the container has started, is ready, or must be restarted. */
export type ProbeKind = (typeof PROBE_KINDS)[number];

/** The result of a probe. A startup probe has the result `unknown` until a threshold is reached. */
export type ProbeResult = 'success' | 'failure' | 'unknown';

/** The results of the probes of one container; absent for a probe that it lacks or that the agent has not run yet. */
export type ProbeResults = { readonly [kind in ProbeKind]?: ProbeResult };

/** A stop of a container that the agent has begun. */
export interface StopState {
	/** When it began, in ms since the epoch. */
	readonly since: number;
	/** The grace period at that time. */
	readonly graceSeconds: number;
	/** `none` if the container has no preStop hook, or had no time for it. */
	readonly preStop: 'none' | 'running' | 'done';
	/** Whether the container is restarted whatever its exit code is, because a probe has failed. */
	readonly restarts: boolean;
}

/** The last resize of a running container: the resources that it has now, or why they could not be changed. */
export interface ResizeState {
	readonly resources?: ResourceRequirements;
	readonly error?: string;
	/** When it failed, in ms since the epoch. */
	readonly failedAt?: number;
}

/** The resources of a node, and those that its other Pods request. */
export interface NodeRoom {
	readonly allocatable: Readonly<Record<string, string>>;
	readonly used: ReadonlyMap<string, string>;
}

/** Why the node agent evicts a Pod. */
export interface PodEviction {
	readonly message: string;
	/** Whether the node is short of a resource. Otherwise the Pod has exceeded a limit of its own. */
	readonly isPressure: boolean;
	/** How long its containers get to end. */
	readonly graceSeconds: number;
}

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
	/** By container id. In memory of the agent, as the two below: a new agent runs the probes again. */
	readonly probes: ReadonlyMap<string, ProbeResults>;
	/** By container id, its postStart hook, while it runs or after it has failed. */
	readonly postStarts: ReadonlyMap<string, 'running' | 'failed'>;
	/** By container id. Entries stay after the end of the container. */
	readonly stopping: ReadonlyMap<string, StopState>;
	/** By container id, the resizes that the agent has asked the runtime for. */
	readonly resizes: ReadonlyMap<string, ResizeState>;
	/** What the node has; undefined if the Pod wants no resize. */
	readonly room: NodeRoom | undefined;
	/** Set once the node agent evicts the Pod. */
	readonly eviction?: PodEviction | undefined;
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
	(status: PodStatus): ReadonlyMap<string, ContainerStatus> =>
		new Map(statusesIn(status).map((each) => [each.name, each])),
);

/** The statuses of all containers: of init, regular and ephemeral ones. */
export function statusesIn({
	initContainerStatuses = [],
	containerStatuses = [],
	ephemeralContainerStatuses = [],
}: PodStatus): readonly ContainerStatus[] {
	return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
}

/** The field path of a container in its Pod, in the form that Events use. */
export function fieldPathOf({ spec }: Pod, name: string): string {
	return `spec.${listNames(spec).get(name) ?? 'containers'}{${name}}`;
}

/** The lists other than `containers`, by the names of their containers. */
const listNames = memoize(
	({ initContainers = [], ephemeralContainers = [] }: PodSpec): ReadonlyMap<string, string> =>
		new Map([
			...initContainers.map(({ name }) => [name, 'initContainers'] as const),
			...ephemeralContainers.map(({ name }) => [name, 'ephemeralContainers'] as const),
		]),
);

/** The container of this name in any of the Pod's lists. */
export function containerNamed({ spec }: Pod, name: string): Container | undefined {
	return containersByName(spec).get(name);
}

const containersByName = memoize(
	(spec: PodSpec): ReadonlyMap<string, Container> =>
		new Map(allContainersOf(spec).map((container) => [container.name, container])),
);

/** The init, regular and ephemeral containers of the Pod, in this order. */
export function allContainersOf({
	initContainers = [],
	containers,
	ephemeralContainers = [],
}: PodSpec): readonly Container[] {
	return [...initContainers, ...containers, ...ephemeralContainers];
}
