import type { Container, Pod } from '../../../api/core/pod/schema.ts';
import type { RuntimeTraits } from '../../../api/meta/runtime-traits.ts';

/** What happens to a Pod that sets a field. */
export type Effect =
	/** stint does what the field says, on every runtime. */
	| 'honoured'
	/** The Pod's life is the same without it. */
	| 'harmless'
	/** The API server stores the object without it, as upstream does. */
	| 'dropped'
	/** The Pod runs without it, and the event NotHonoured says so. */
	| 'warned'
	/** The container is not started: CreateContainerConfigError. */
	| 'held'
	/** No container is started: the event FailedMount says why, and the containers stay ContainerCreating. */
	| 'unmounted'
	/** The scheduler finds no node for it. */
	| 'unscheduled'
	/** The node agent fails the Pod, as a kubelet's admission does. */
	| 'rejected'
	/** The API server refuses the Pod. */
	| 'refused';

/** A place in a Pod that sets a field, and what else a rule may look at. */
export interface FieldUse {
	/** What is set there; never undefined or null. */
	readonly value: unknown;
	readonly pod: Pod;
	/** The container that the field is about. A field of the whole Pod is judged for each of its containers. */
	readonly container: Container;
	readonly traits: RuntimeTraits;
}

/** One row of the table of fields. Of the rows for one field, the first that applies decides. */
export interface FieldRule {
	/**
	 * The path in the schema; it stands for everything below it that has no row of its own. `containers[]`
	 * stands for init containers too.
	 */
	readonly field: string;
	readonly effect: Effect;
	/** Why, in words that complete "this field ...: because". */
	readonly because: string;
	/** What the author of the Pod can do; said wherever the Pod does not run as it asks. */
	readonly instead?: string;
	/** For documents: the values that it is about, where it is not about every value. */
	readonly only?: string;
	/** Whether the row applies; where it is absent, it does if the value says anything (is not false or empty). */
	when?(use: FieldUse): boolean;
	/** Upstream's own text, where it has one for this case. Replaces the text made of `because` and `instead`. */
	exactly?(use: FieldUse): string;
	/** The reason that the Pod or its event gives, where the effect leaves it open. */
	readonly reason?: string;
	/** True where stint itself, and not the runtime, would have to honour the field. */
	readonly byStint?: true;
}
