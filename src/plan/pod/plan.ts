import type { EventText } from '../../api/core/event/event-text.ts';
import type { Container, PodStatus, ResourceRequirements } from '../../api/core/pod/schema.ts';
import type { HoldBack } from './fields/field-rules.ts';

/** A container attempt to start: the agent pulls the image if needed, creates the container and starts it. */
export interface ContainerStart {
	readonly container: Container;
	readonly attempt: number;
	/**
	 * Why it must not be started on this runtime; undefined if it may. Its image is pulled anyway, as the kubelet
	 * does.
	 */
	readonly heldBack: HoldBack | undefined;
	readonly because: string;
}

/** A container to stop. The agent records the Event when it stops the container for the first time. */
export interface ContainerStop {
	readonly id: string;
	readonly name: string;
	/**
	 * `hook`: the agent runs the preStop hook for at most `graceSeconds`. `wait`: other containers must end first.
	 * `signal`: the agent sends the stop signal, and the runtime kills the container after `graceSeconds`.
	 */
	readonly step: 'hook' | 'wait' | 'signal';
	/** The rest of the grace period. */
	readonly graceSeconds: number;
	/** Whether the container is restarted whatever its exit code is. */
	readonly restarts: boolean;
	readonly because: string;
	/** The message of the Event about it. */
	readonly message: string;
}

/** A running container whose requests and limits the agent changes. */
export interface ContainerResize {
	readonly id: string;
	readonly name: string;
	readonly resources: ResourceRequirements;
}

/** A container attempt to remove from the runtime, which kills it if it still runs. */
export interface ContainerRemoval {
	readonly id: string;
	readonly name: string;
	readonly because: string;
}

/** The steps for a Pod on its node now. After any step the agent plans again. */
export interface PodPlan {
	/** If defined, the agent creates the sandbox and records `events`. The same plan starts no containers. */
	readonly sandbox: { readonly because: string; readonly events: readonly EventText[] } | undefined;
	/**
	 * Defined if the Pod's volumes cannot be set up. The agent remembers the failure under {@link WHOLE_POD},
	 * with the message for the waiting containers, and records `events`.
	 */
	readonly mountFailure: { readonly message: string; readonly events: readonly EventText[] } | undefined;
	/** Events to record if `status` has changed. */
	readonly statusEvents: readonly EventText[];
	readonly starts: readonly ContainerStart[];
	readonly stops: readonly ContainerStop[];
	readonly removals: readonly ContainerRemoval[];
	readonly resizes: readonly ContainerResize[];
	/** Whether the status must be written before any step above; then the agent plans again. */
	readonly statusFirst: boolean;
	/** The status to write if no step above is left. */
	readonly status: PodStatus;
	/**
	 * `over`: no container runs or will be started, so the agent removes the sandbox after it has written the
	 * status. `remove`: in addition the Pod is being deleted, so the agent then deletes it from the API server.
	 */
	readonly end: 'over' | 'remove' | undefined;
	/** Whether the containers of the Pod are being stopped for good: their liveness no longer matters. */
	readonly terminating: boolean;
	/** Milliseconds after which to plan again, even if nothing changes; undefined if that is not needed. */
	readonly againAfterMs: number | undefined;
}
