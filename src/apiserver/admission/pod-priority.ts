import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod, PodSpec } from '../../api/core/pod/schema.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceRequest } from '../request.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { AdmissionPlugin } from './admission.ts';
import type { PriorityClasses } from './priority-classes.ts';

/**
 * Sets the priority and the preemption policy of a Pod from its PriorityClass on create, and keeps them on
 * update (upstream: the Priority plugin).
 */
export class PodPriority implements AdmissionPlugin {
	readonly #classes: PriorityClasses;

	constructor(classes: PriorityClasses) {
		this.#classes = classes;
	}

	create(request: ResourceRequest, object: KubeObject): KubeObject {
		if (!isPod(object)) return object;
		const fields = this.#fieldsOf(request, object);
		const changed: Pod = { ...object, spec: { ...object.spec, ...fields } };
		return changed;
	}

	/**
	 * Priority and preemption policy are immutable. A client that leaves them out of an update means to keep
	 * them, so they are restored before validation compares old and new.
	 */
	update({ subresource }: ResourceRequest, object: KubeObject, old: KubeObject): KubeObject {
		if (subresource !== '' || !isPod(object) || !isPod(old)) return object;
		const { priority = old.spec.priority, preemptionPolicy = old.spec.preemptionPolicy } = object.spec;
		if (priority === object.spec.priority && preemptionPolicy === object.spec.preemptionPolicy) return object;
		const changed: Pod = {
			...object,
			spec: {
				...object.spec,
				...(priority !== undefined && { priority }),
				...(preemptionPolicy !== undefined && { preemptionPolicy }),
			},
		};
		return changed;
	}

	/**
	 * The fields to set. Throws Forbidden if the client set one of them to another value than its PriorityClass
	 * gives.
	 */
	#fieldsOf({ definition }: ResourceRequest, { metadata, spec }: Pod): Partial<PodSpec> {
		const subject = subjectOf(definition, metadata.name || metadata.generateName || 'Unknown');
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
