import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { runtimeClasses } from '../../api/node/runtimeclass/definition.ts';
import type { RuntimeClass } from '../../api/node/runtimeclass/schema.ts';
import { withRuntimeClass } from '../../plan/pod/admission/runtime-class.ts';
import { cachedObject } from '../storage/cached-objects.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { refusedByAdmission } from './refusal.ts';

/**
 * Sets the overhead, node labels and tolerations of a Pod from its RuntimeClass, and rejects Pods whose class does
 * not exist or whose overhead is another one (upstream: the RuntimeClass plugin). plan/pod/admission has the rules.
 */
export class RuntimeClassRules implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE'],
		admit: (attributes) => {
			const { subresource, object } = attributes;
			if (subresource !== '' || !isPod(object)) return object;
			const found = this.#classOf(object, attributes);
			const next = found ? withRuntimeClass(object, found) : object;
			if (typeof next === 'string') throw refusedByAdmission(attributes, next);
			return next;
		},
	};
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ['CREATE'],
		admit: (attributes) => {
			const { subresource, object } = attributes;
			if (subresource !== '' || !object || !isPod(object) || !object.spec.overhead) return;
			if (this.#classOf(object, attributes)?.overhead) return;
			const text = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';
			throw refusedByAdmission(attributes, text);
		},
	};
	readonly #cache: ObjectCache;

	constructor(cache: ObjectCache) {
		this.#cache = cache;
	}

	/** The class that the Pod names, if it names one. Throws Forbidden if it does not exist. */
	#classOf({ spec }: Pod, attributes: AdmissionAttributes): RuntimeClass | undefined {
		const { runtimeClassName: name } = spec;
		if (name === undefined) return undefined;
		const found = cachedObject(this.#cache, runtimeClasses, { name });
		if (found) return found;
		throw refusedByAdmission(attributes, `pod rejected: RuntimeClass "${name}" not found`);
	}
}
