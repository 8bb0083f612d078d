import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { Container, Pod, Volume } from '../../../api/core/pod/schema.ts';

/** The effect of a field on a Pod that sets it. */
export type Effect =
	/** stint does what the field says, on every runtime. */
	| 'honoured'
	/** The field makes no difference. */
	| 'harmless'
	/** The API server removes the field from the object, as upstream does. */
	| 'dropped'
	/** The Pod runs as if the field were not set, and an Event NotHonoured reports that. */
	| 'warned'
	/** The agent does not start the container: its waiting reason is CreateContainerConfigError. */
	| 'held'
	/**
	 * The agent starts no container: an Event FailedMount has the reason, and the containers stay
	 * ContainerCreating.
	 */
	| 'unmounted'
	/** The Pod is unschedulable. */
	| 'unscheduled'
	/** The node agent does not admit the Pod: its phase becomes Failed. */
	| 'rejected';

/** One use of a field in a Pod, with everything that a rule may read. */
export interface FieldUse {
	/** The value of the field; never undefined or null. */
	readonly value: unknown;
	readonly pod: Pod;
	/**
	 * The container that has the field. A field of the Pod that containers may override is checked for each
	 * container.
	 */
	readonly container: Container;
	readonly traits: RuntimeTraits;
}

/** One row of the table of fields. If a field has several rows, the first one that applies decides. */
export interface FieldRule {
	/**
	 * The path in the schema. It includes all fields below it that have no row of their own. `containers[]`
	 * includes init and ephemeral containers.
	 */
	readonly field: string;
	readonly effect: Effect;
	/** The reason, as a clause for messages, or as a sentence for the effects honoured and harmless. */
	readonly because: string;
	/** What the author of the Pod can do instead, in the imperative; part of the message. */
	readonly instead?: string;
	/** For rows about volumes: whether the row is about this one. Default: all. */
	concerns?(volume: Volume, pod: Pod): boolean;
	/** For documentation: the values that the row applies to; undefined if it applies to all. */
	readonly only?: string;
	/** Whether the row applies. By default it applies to every value except false and empty ones. */
	when?(use: FieldUse): boolean;
	/**
	 * Upstream's message for this case, if it has one. It replaces the message made of `because` and `instead`.
	 */
	exactly?(use: FieldUse): string;
	/** The reason in the Pod's status or Event, if the effect does not determine it. */
	readonly reason?: string;
	/** A field that brings this one: the row is skipped if the runtime honours that one. Default: the field itself. */
	readonly comesWith?: string;
	/**
	 * True if the list of fields that the runtime honours does not decide: stint itself would have to support the field,
	 * or another trait of the runtime decides.
	 */
	readonly byStint?: true;
	/** A trait of the runtime with which the row is skipped. */
	readonly unless?: 'canExec' | 'mountsImages';
	/** A trait of the runtime without which the row is skipped. */
	readonly onlyWith?: 'volumes';
}

/** The traits that decide whether a row is skipped on a runtime. */
export type DecidingTraits = Pick<RuntimeTraits, 'honours'> &
	Partial<Pick<RuntimeTraits, 'canExec' | 'mountsImages' | 'volumes'>>;

/** Whether the runtime honours the field, which is named as in the table. */
export function honoursField({ honours }: Pick<RuntimeTraits, 'honours'>, field: string): boolean {
	return honours === 'everything' || honours.has(field);
}
