import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import { adviceOn, adviceOnChange } from '../../plan/pod/fields/advice.ts';
import { refusalOf } from '../../plan/pod/fields/field-rules.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import { type AdmissionPlugin, type MutableAttributes, nameForMessages } from './admission.ts';

/**
 * Rejects Pods that set a RuntimeClass or an overhead (upstream: the RuntimeClass plugin). Warns the authors
 * of Pods, Jobs and CronJobs about fields that the runtime does not implement: on create, and on an update
 * that changes the Pod template of a Job or CronJob. Both rules come from the table in plan/pod/fields.
 */
export class PodFields implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE'],
		admit: (attributes) => {
			refuseFields(attributes);
			return attributes.object;
		},
	};
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ['CREATE', 'UPDATE'],
		admit: ({ object, old, warn }) => {
			const traits = this.#traits();
			if (!traits || !object) return;
			const advice = old ? adviceOnChange(object, old, traits) : adviceOn(object, traits);
			for (const text of advice) warn(text);
		},
	};
	readonly #traits: () => RuntimeTraits | undefined;

	/**
	 * `traits` returns what the runtime that will run the Pods supports; undefined while no runtime is
	 * registered, and then the plugin gives no warnings.
	 */
	constructor(traits: () => RuntimeTraits | undefined) {
		this.#traits = traits;
	}
}

function refuseFields(attributes: MutableAttributes): void {
	const { object, definition } = attributes;
	const refusal = isPod(object) ? refusalOf(object) : undefined;
	if (refusal !== undefined) throw forbidden(subjectOf(definition, nameForMessages(attributes)), refusal);
}
