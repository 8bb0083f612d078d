import type { Container, PodStatus } from '../../api/core/pod/schema.ts';
import type { EventText } from '../event-text.ts';
import type { HoldBack } from './fields/field-rules.ts';

/** Start one attempt at a container: pull its image if need be, make it, run it. */
export interface ContainerStart {
	readonly container: Container;
	readonly attempt: number;
	/** Why it must not be started on this runtime. Its image is pulled all the same, as a kubelet does. */
	readonly heldBack: HoldBack | undefined;
	readonly because: string;
}

/** Ask a container to end, and kill it after the grace. */
export interface ContainerStop {
	readonly id: string;
	readonly name: string;
	readonly graceSeconds: number;
	readonly because: string;
	/** What the event about it says. */
	readonly message: string;
}

/** Have the runtime forget an attempt at a container, killing it if it still runs. */
export interface ContainerRemoval {
	readonly id: string;
	readonly name: string;
	readonly because: string;
}

/** What is to be done for a Pod on its node now. What is done may make another plan necessary at once. */
export interface PodPlan {
	/** Make the sandbox first and record `events`; nothing is started in the same plan. */
	readonly sandbox: { readonly because: string; readonly events: readonly EventText[] } | undefined;
	/**
	 * The volumes of the Pod cannot be set up: note that this was tried ({@link WHOLE_POD}), with the message for
	 * the containers that wait, and record `events`.
	 */
	readonly mountFailure: { readonly message: string; readonly events: readonly EventText[] } | undefined;
	/** Events to record with `status`, if that says anything new. */
	readonly statusEvents: readonly EventText[];
	readonly starts: readonly ContainerStart[];
	readonly stops: readonly ContainerStop[];
	readonly removals: readonly ContainerRemoval[];
	/** The status is to be written before anything of the above is done; then a new plan is made. */
	readonly statusFirst: boolean;
	/** What the Pod's status is to say, if nothing of the above is left to do. */
	readonly status: PodStatus;
	/**
	 * `over`: nothing runs and nothing will; once the status is written the sandbox can go. `remove`: so
	 * it is, and the Pod was deleted: it can go from the API as well.
	 */
	readonly end: 'over' | 'remove' | undefined;
	/** Look again after so many milliseconds. */
	readonly againAfterMs: number | undefined;
}
