import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { adviceOn, adviceOnChange } from '../../plan/pod/fields/advice.ts';
import { refusalOf } from '../../plan/pod/fields/field-rules.ts';
import { type ResourceRequest, warn } from '../request.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { AdmissionPlugin } from './admission.ts';

/**
 * Rejects Pods that set a RuntimeClass or an overhead (upstream: the RuntimeClass plugin). Warns the authors
 * of Pods, Jobs and CronJobs about fields that the runtime does not implement: on create, and on an update
 * that changes the Pod template of a Job or CronJob. Both rules come from the table in plan/pod/fields.
 */
export class PodFields implements AdmissionPlugin {
	readonly #traits: () => RuntimeTraits | undefined;

	/**
	 * `traits` returns what the runtime that will run the Pods supports; undefined while no runtime is
	 * registered, and then the plugin gives no warnings.
	 */
	constructor(traits: () => RuntimeTraits | undefined) {
		this.#traits = traits;
	}

	create(request: ResourceRequest, object: KubeObject): KubeObject {
		if (isPod(object)) {
			const { name, generateName } = object.metadata;
			const refusal = refusalOf(object);
			const subject = subjectOf(request.definition, name || generateName || 'Unknown');
			if (refusal !== undefined) throw forbidden(subject, refusal);
		}
		const traits = this.#traits();
		if (traits) for (const text of adviceOn(object, traits)) warn(request.call, text);
		return object;
	}

	update(request: ResourceRequest, object: KubeObject, old: KubeObject): KubeObject {
		const traits = this.#traits();
		if (traits) for (const text of adviceOnChange(object, old, traits)) warn(request.call, text);
		return object;
	}
}
