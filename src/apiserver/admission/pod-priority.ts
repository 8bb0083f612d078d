import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { decidePriority, withPriorityOf } from '../../plan/pod/admission/priority.ts';
import type { AdmissionPlugin, MutableAttributes } from './admission.ts';
import type { PriorityClasses } from './priority-classes.ts';
import { refusedByAdmission } from './refusal.ts';

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
			return this.#withPriority(attributes, object);
		},
	};
	readonly #classes: PriorityClasses;

	constructor(classes: PriorityClasses) {
		this.#classes = classes;
	}

	#withPriority(attributes: MutableAttributes, pod: Pod): Pod {
		const { priorityClassName: name } = pod.spec;
		const decision = decidePriority(pod.spec, name ? this.#classes.named(name) : this.#classes.default);
		if (decision.kind === 'set') return { ...pod, spec: { ...pod.spec, ...decision.fields } };
		throw refusedByAdmission(attributes, decision.because);
	}
}
