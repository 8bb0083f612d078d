import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod, PodSpec } from '../../api/core/pod/schema.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import { type AdmissionPlugin, type MutableAttributes, nameForMessages } from './admission.ts';
import type { PriorityClasses } from './priority-classes.ts';

/**
 * Sets the priority and the preemption policy of a Pod from its PriorityClass on create, and keeps them on
 * update (upstream: the Priority plugin).
 */
export class PodPriority implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE', 'UPDATE'],
		admit: (attributes) => {
			const { subresource, object, old } = attributes;
			if (subresource !== '' || !isPod(object)) return object;
			if (old) return isPod(old) ? withPriorityOf(old, object) : object;
			const changed: Pod = { ...object, spec: { ...object.spec, ...this.#fieldsOf(attributes, object) } };
			return changed;
		},
	};
	readonly #classes: PriorityClasses;

	constructor(classes: PriorityClasses) {
		this.#classes = classes;
	}

	/**
	 * The fields to set. Throws Forbidden if the client set one of them to another value than its PriorityClass
	 * gives.
	 */
	#fieldsOf(attributes: MutableAttributes, { spec }: Pod): Partial<PodSpec> {
		const subject = subjectOf(attributes.definition, nameForMessages(attributes));
		const { priorityClassName = '' } = spec;
		const found = priorityClassName === '' ? this.#classes.default : this.#classes.named(priorityClassName);
		if (priorityClassName !== '' && !found)
			throw forbidden(subject, `no PriorityClass with name ${priorityClassName} was found`);
		const { value: priority = 0, preemptionPolicy = 'PreemptLowerPriority' } = found ?? {};
		const differs = (what: string, given: unknown, computed: unknown): string =>
			`the ${what} (${given}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`;
		if (spec.priority !== undefined && spec.priority !== priority)
			throw forbidden(subject, differs('integer value of priority', spec.priority, priority));
		if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
			throw forbidden(
				subject,
				differs('string value of PreemptionPolicy', spec.preemptionPolicy, preemptionPolicy),
			);
		const { name } = found?.metadata ?? {};
		return { ...(name !== undefined && { priorityClassName: name }), priority, preemptionPolicy };
	}
}

/**
 * Priority and preemption policy are immutable. A client that leaves them out of an update means to keep them,
 * so they are restored before validation compares old and new.
 */
function withPriorityOf(old: Pod, pod: Pod): Pod {
	const { priority = old.spec.priority, preemptionPolicy = old.spec.preemptionPolicy } = pod.spec;
	if (priority === pod.spec.priority && preemptionPolicy === pod.spec.preemptionPolicy) return pod;
	return {
		...pod,
		spec: {
			...pod.spec,
			...(priority !== undefined && { priority }),
			...(preemptionPolicy !== undefined && { preemptionPolicy }),
		},
	};
}
