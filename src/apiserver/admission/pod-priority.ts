import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod, PodSpec } from '../../api/core/pod/schema.ts';
import { forbidden } from '../../api/meta/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceRequest } from '../request.ts';
import { subjectOf } from '../write.ts';
import type { AdmissionPlugin } from './admission.ts';
import type { PriorityClasses } from './priority-classes.ts';

/** Pods get the priority and the preemption policy of their class and keep them (upstream: Priority). */
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

	/** No update can change them; leaving them out means keeping them. */
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

	/** What a client says itself must be what its class says. */
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
