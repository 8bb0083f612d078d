import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { adviceOn, adviceOnChange } from '../../plan/pod/fields/advice.ts';
import type { AdmissionPlugin } from './admission.ts';

/**
 * Warns the authors of Pods and workloads (Jobs, Deployments, …) about fields that the runtime does not implement: on
 * create, and on an update that changes the Pod template of a workload. The table in plan/pod/fields has the rules.
 */
export class PodFields implements AdmissionPlugin {
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
